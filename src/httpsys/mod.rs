//! HTTP.sys, the HTTP server in the Windows kernel: the calls to it, and what it registers, reserves and binds.

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
