//! Widgets and text functions that the screens and dialogs draw with.

pub(in crate::tui) mod block_letters;
pub(in crate::tui) mod boxed;
pub mod button;
pub(in crate::tui) mod draw;
pub mod editor;
pub(in crate::tui) mod grid;
pub(in crate::tui) mod lines;
pub(in crate::tui) mod masked;
pub(in crate::tui) mod rows;
pub mod said;
pub mod text;
pub mod theme;
