//! The user's terminal and session, and access to a clipboard, a browser and standard error.

pub mod browser;
pub mod clipboard;
#[cfg(unix)]
pub mod device;
pub mod environment;
pub mod hidden;
pub mod jobs;
#[cfg(unix)]
pub mod modes;
pub mod origin;
pub mod sequences;
pub mod signals;
pub mod standard_input;
pub mod talk;
pub mod tmux;
pub mod tunnel;
pub mod typed_line;
pub mod typed_text;
