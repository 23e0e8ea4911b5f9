//! Presets: their format, the built-in presets and the user's.

pub mod check;
pub mod errors;
pub mod files;
pub mod format;
pub mod library;
pub mod patterns;
pub mod search;
pub mod span;

pub use format::{CUSTOM, Confidence, DEMO, Group, PkceMode, PortRule, Preset, SecretRule, Space};
pub use library::{Library, PresetError, get};
