//! The engine: runs a flow as a background task that reports [`FlowEvent`](event::FlowEvent)s.
//!
//! The engine doesn't depend on a screen. `oauth` decides what to send and how to read a response; this module sends,
//! waits and listens.

mod apart;
pub mod attempt;
mod authorization_code;
mod ca_file;
mod causes;
mod client_certificate;
mod client_credentials;
pub mod client_key;
#[cfg(test)]
mod contract;
mod device_code;
mod discovery;
pub mod driver;
pub mod event;
mod exchange;
mod held_tls;
pub mod http;
pub mod http_error;
pub mod jwt_bearer;
mod keys;
pub mod listener;
pub mod mail_login;
pub mod pages;
pub(crate) mod proxy;
mod proxy_answer;
pub mod redact;
mod refresh;
pub mod registration;
pub mod reporter;
pub mod retry_after;
#[cfg(test)]
mod scripted;
#[cfg(test)]
mod served;
mod sign_in;
pub mod store_key;
mod tls;
mod tls_config;
pub mod token_tools;
pub mod tool_report;
pub mod trace;
pub(crate) mod windows_proxy;
