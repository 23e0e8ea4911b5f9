//! What is asked of the user, and what is wrong with it.

pub mod checks;
pub mod explain;
pub mod request;
pub mod settings;
