//! What is kept on disk, and only when asked for.

pub mod file;
pub mod folders;
