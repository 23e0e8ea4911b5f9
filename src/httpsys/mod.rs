//! HTTP.sys, the HTTP server in the kernel of Windows: what it registers, reserves and binds, and the calls that do it.

#[cfg(windows)]
pub(crate) mod api;
pub mod certificates;
#[cfg(windows)]
pub(crate) mod config;
#[cfg(windows)]
pub(crate) mod library;
pub mod prefix;
pub mod refused;
#[cfg(windows)]
pub(crate) mod store;
