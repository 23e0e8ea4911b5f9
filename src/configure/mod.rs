//! Configure…: sets up, verifies and deletes what the listener of a redirect URL requires on this machine.
//!
//! `plan` composes, `warnings` judges the redirect URL, `reading` and `listen_list` compare and `codes` explains; none of them
//! does anything. With HTTP.sys, `steps` is the order of things: `verify` (with `bindings`) and `change`, over the interface in
//! `service`, which `windows` and `account` fill in. `loopback` looks at ports, addresses and names; `holder` at who has a
//! port.

#[cfg(windows)]
mod account;
mod bindings;
pub mod certificate;
mod change;
pub mod codes;
pub mod holder;
mod listen_list;
pub mod loopback;
pub mod plan;
pub mod reading;
pub mod report;
#[cfg(test)]
mod scripted;
pub mod service;
pub mod steps;
mod verify;
mod warnings;
#[cfg(windows)]
pub mod windows;

#[cfg(not(windows))]
use self::report::{Finding, State};
use self::report::{Listener, Report, SetUpTask};

/// Does what is asked, and comes back with what was found and done. Blocks: not for the loop.
#[must_use]
pub fn perform(task: &SetUpTask) -> Report {
    match task.listener {
        #[cfg(windows)]
        Listener::HttpSys => windows::perform(task),
        #[cfg(not(windows))]
        Listener::HttpSys => Report::of(vec![Finding::new(
            State::Failed,
            "HTTP.sys is only available on Windows. Omit --listener httpsys.",
        )]),
        Listener::Loopback => loopback::perform(task),
    }
}
