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
//! Each invariant is tested against the source code (`tests/suite/architecture.rs`):
//!
//! - `oauth/` contains the protocol logic: no I/O, no runtime, no screen, no clock.
//! - `mail/` decides what to send to a mail server: no I/O, no runtime, no clock.
//! - `flow/` runs the protocol logic, and depends on no screen.
//! - `session/` is the state that outlives a screen, for both front ends: no I/O, no clock. Only `flow/attempt.rs`
//!   numbers the attempts of the engine.
//! - A screen in `tui/screens/` uses no other screen, and nothing that contains the screens.
//! - `configure/` decides what the listener requires; only its modules `loopback`, `holder`, `certificate`, `windows`
//!   and `account` access the system.
//! - Only `flow/http.rs` uses reqwest.
//! - Only `tui/terminal/writer.rs` and `tui/terminal/guard.rs` write to the terminal.
//! - Only `main.rs` and `commands/` write to standard output, and only `console/talk.rs` to standard error.
//! - `update` has no I/O and no clock: time arrives in the message. `view` changes nothing.
//! - `unsafe` occurs only in `windows.rs`, `certificate/store.rs`, `httpsys/` (`api`, `config`, `library`),
//!   `flow/listener/` (`httpsys`, `received`), `flow/store_key/windows.rs`, `configure/` (`account`, `windows`),
//!   `keeper/process/windows.rs`, `store/file/windows.rs` and `store/seal/windows.rs`.
//! - The record of a profile is written only by the process that has its lock, through `store/record.rs`.
//! - No line of code names a service.
//! - `demo/` uses no other part of the program.
//! - Dependencies go one way: there are no cycles between files or folders. The engine and the session use no front
//!   end.
//! - No file has more than 500 lines before its tests, except those that the test lists with a reason.

pub mod account_name;
pub mod certificate;
pub mod child;
pub mod clean;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod configure;
pub mod console;
pub mod demo;
pub mod escapes;
pub mod flow;
pub mod form;
pub mod httpsys;
pub mod keeper;
pub mod keyboard;
pub mod mail;
pub mod oauth;
pub mod outcome;
pub mod plain;
pub mod presets;
pub mod profile;
pub mod quote;
pub mod runtime;
pub mod secret;
pub mod session;
pub mod store;
pub mod tui;
#[cfg(windows)]
pub mod windows;
pub mod words;
pub mod zone;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
