//! Terminal input and output: the modes of the terminal, its keys, and the bytes that it receives.

pub(in crate::tui) mod display;
pub mod guard;
pub mod input;
pub mod joiner;
mod line;
pub mod links;
mod pen;
mod shift;
pub(in crate::tui) mod size;
pub(in crate::tui) mod thrifty;
mod writer;
