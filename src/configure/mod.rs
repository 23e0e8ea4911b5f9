//! Configure…: what the listener of a redirect URL needs on this machine, set up, verified and deleted.
//!
//! `plan` composes, `reading` compares and `codes` explains; none of them does anything. `service` is the order of
//! steps with HTTP.sys, over an interface to it; `windows` is that interface. `store` reads a certificate of the machine.
//! `unix` looks at ports, addresses and names.

pub mod certificate;
pub mod codes;
pub mod plan;
pub mod quote;
pub mod reading;
pub mod report;
pub mod service;
pub mod store;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;

use self::report::{Report, Task};

/// Does what is asked, and comes back with what was found and done. Blocks: not for the loop.
#[must_use]
pub fn perform(task: &Task) -> Report {
    #[cfg(windows)]
    {
        windows::perform(task)
    }
    #[cfg(unix)]
    {
        unix::perform(task)
    }
}
