//! Profiles: named settings, and the places of their files.

pub mod account;
pub mod check;
mod check_expiry;
pub mod check_key;
mod check_secret;
pub mod check_settings;
pub mod client_secret;
pub mod dates;
pub mod destinations;
pub mod finding;
pub mod issued_for;
mod mail_section;
mod mistakes;
pub mod name;
pub mod places;
pub mod saved_tokens;
mod setting;
pub mod settings_file;
pub mod store_kind;
mod toml_text;
