//! Between the terminal and the rest: its modes, its keys, the bytes that it gets.

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
