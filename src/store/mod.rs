//! Files on disk, written only when requested.

pub mod file;
pub mod folders;
