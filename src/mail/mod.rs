//! The mail login test: what to send to a mail server next, and what its answer means.
//!
//! A [`dialogue::Dialogue`] takes a line of the server and returns the next step. It has no I/O, no runtime and no clock;
//! `flow/mail_login.rs` drives it.

pub mod dialogue;
mod imap;
pub mod line;
mod pop3;
pub mod sasl;
pub mod server;
mod smtp;
pub mod turn;
pub mod verdict;
