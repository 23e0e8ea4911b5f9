//! Files on disk, written only when requested.

pub mod access;
#[cfg(windows)]
mod access_lists;
pub mod attempt;
pub mod commands;
pub mod file;
pub mod folders;
pub mod host;
pub mod issued_for;
pub mod lock;
pub mod obtained;
pub mod origin;
pub mod private;
pub mod program;
pub mod record;
pub mod record_error;
pub mod reserved;
pub mod room;
pub mod seal;
mod secret_text;
mod texts;
pub mod tokens;
pub mod version;
