//! What the screens draw with.

pub(in crate::tui) mod draw;
pub mod editor;
pub mod text;
pub mod theme;
