//! The protocol: what to send, and what an answer means. Decides; never sends, waits or asks the time.
//!
//! Left out on purpose: the implicit and password grants (RFC 9700 forbids them), and PKCE `plain`.

pub mod answer;
pub mod authcode;
pub mod check;
pub mod client;
pub mod device;
pub mod dialect;
pub mod discovery;
pub mod failure;
pub mod id_token;
mod incomplete;
pub mod pasted;
pub mod token;
pub mod url;
mod words;
