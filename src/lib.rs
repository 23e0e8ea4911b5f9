//! OAuth Authorizer: get OAuth 2.0 access and refresh tokens from a terminal.
//!
//! Data flows one way:
//!
//! ```text
//! terminal events, flow events, timers -> Msg -> update(&mut Model, Msg) -> Vec<Effect> -> shell -> view(&Model)
//! ```
//!
//! # Invariants
//!
//! Each is tested by reading the sources (`tests/suite/architecture.rs`):
//!
//! - `oauth/` decides: no I/O, no runtime, no screen, no clock.
//! - `mail/` decides what to say to a mail server: no I/O, no runtime, no clock.
//! - `flow/` drives it and depends on no screen.
//! - `session/` is the state that outlives a screen, for both front ends: no I/O, no clock. Only `flow/attempt.rs` numbers
//!   attempts.
//! - A screen in `tui/screens/` uses no other screen, and nothing that holds the screens.
//! - `configure/` decides what the listener requires; only `loopback`, `holder`, `certificate`, `windows` and `account` in it
//!   touch
//!   the system.
//! - Only `flow/http.rs` uses reqwest.
//! - Only `tui/terminal/writer.rs` and `tui/terminal/guard.rs` write to the terminal.
//! - Only `main.rs` and `commands/` write to standard output, and only `console/talk.rs` to standard error.
//! - `update` has no I/O and no clock: time arrives in the message. `view` changes nothing.
//! - `unsafe` stands in `windows.rs`, `certificate/store.rs`, `httpsys/` (`api`, `config`, `library`), `flow/listener/`
//!   (`httpsys`, `received`), `flow/store_key/windows.rs`, `configure/` (`account`, `windows`), `keeper/process/windows.rs`,
//!   `store/file/windows.rs` and `store/seal/windows.rs` only.
//! - A record of a profile is written by the holder of its lock only, through `store/record.rs`.
//! - No line of code names a service.
//! - `demo/` uses no other part of the program.
//! - Dependencies go one way, and neither files nor folders depend on each other in a circle. The engine and the session use
//!   no front end.
//! - No file is longer than 500 lines before its tests, except those that the test names with a reason.

pub mod certificate;
pub mod clean;
pub mod cli;
pub mod commands;
pub mod configure;
pub mod console;
pub mod demo;
pub mod flow;
pub mod form;
pub mod httpsys;
pub mod keeper;
pub mod mail;
pub mod oauth;
pub mod outcome;
pub mod plain;
pub mod presets;
pub mod profile;
pub mod quote;
pub mod secret;
pub mod session;
pub mod store;
pub mod tui;
#[cfg(windows)]
pub mod windows;
pub mod zone;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
