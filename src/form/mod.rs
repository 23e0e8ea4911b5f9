//! What is asked of the user, and what is wrong with it.

mod announced;
pub mod checks;
pub mod choices;
pub mod clean_value;
pub mod command_line;
mod dialect;
mod discovered;
mod draft;
pub mod explain;
pub mod field;
pub mod flags;
mod flow;
pub mod known_errors;
pub mod listen_address;
pub mod mail_errors;
mod meant;
mod not_found;
mod numbers;
mod preset_choice;
pub mod problem;
pub mod purpose;
pub mod request;
pub mod settings;
pub mod tools;
mod url_fields;
mod wrapping;
