//! The real program in real terminals, against real servers.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    clippy::items_after_statements,
    reason = "a test ends on what it did not expect"
)]

mod architecture;
mod clipboard;
#[cfg(unix)]
mod configure;
mod demo;
mod discovery;
mod endings;
mod errors;
mod form;
mod https;
mod links;
mod listener;
mod paste;
mod plain;
mod provider;
mod qr;
mod safety;
mod save;
mod scripted;
mod servers;
mod services;
#[cfg(target_os = "linux")]
mod ssh;
#[cfg(unix)]
mod surroundings;
mod terminal;
mod user_presets;
