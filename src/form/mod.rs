//! What is asked of the user, and what is wrong with it.

pub mod checks;
pub mod choices;
mod dialect;
mod discovered;
mod draft;
pub mod explain;
pub mod field;
pub mod flags;
mod preset_choice;
pub mod request;
pub mod settings;
