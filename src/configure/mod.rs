//! **Configure…**: sets up, verifies and deletes what the listener of a redirect URL requires on this machine.
//!
//! Modules without side effects: `plan` composes the changes, `warnings` checks the redirect URL, `reading` and
//! `listen_list` compare settings, and `codes` explains errors. For HTTP.sys, `steps` runs the steps in order: `verify`
//! (with `bindings`) and `change`, through the interface in `service`, which `windows` and `account` implement.
//! `loopback` checks ports, addresses and names; `holder` finds which process uses a port.

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

/// Runs the task, and returns what was found and done. Blocks, so it must not be called from the event loop.
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
