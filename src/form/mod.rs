//! The settings that the user enters, and the problems with them.

mod announced;
pub mod changed;
pub mod checked;
pub mod checks;
pub mod choices;
pub mod clean_value;
mod client_key;
pub mod command_line;
mod dialect;
mod discovered;
mod draft;
pub mod explain;
pub mod field;
pub mod flags;
mod flow;
mod hosts;
pub mod known_errors;
mod known_parameters;
pub mod listen_address;
pub mod mail_errors;
mod meant;
mod not_found;
mod numbers;
mod preset_choice;
pub mod problem;
pub mod purpose;
mod pushed;
mod registration;
pub mod request;
mod requirements;
pub mod settings;
pub mod tools;
mod url_fields;
mod wrapping;

#[cfg(test)]
pub(crate) use self::discovered::tests::metadata;
