//! The mail login test: what to send to a mail server next, and what the server's reply means.
//!
//! A [`dialogue::Dialogue`] accepts a line from the server and returns the next step. It performs no I/O, and has no
//! runtime and no clock; `flow/mail_login.rs` drives it.

mod busy;
pub mod dialogue;
mod imap;
pub mod line;
mod pop3;
pub mod sasl;
pub mod server;
mod smtp;
pub mod turn;
pub mod verdict;
