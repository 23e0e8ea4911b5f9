//! What the screens draw with.

pub mod draw;
pub mod editor;
pub(in crate::tui) mod rows;
pub mod text;
pub mod theme;
