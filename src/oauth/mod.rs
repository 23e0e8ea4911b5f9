//! The protocol: builds requests and interprets responses. Performs no I/O, never waits and has no clock.
//!
//! Omitted on purpose: the implicit grant (RFC 9700 advises against it), the password grant (RFC 9700 forbids it), and
//! PKCE `plain`.

mod advice;
pub mod answer;
pub mod asked;
pub mod assertion;
pub mod authcode;
pub mod authentication;
mod body_kind;
pub(crate) mod charset;
pub mod check;
pub mod client;
pub mod client_authentication;
mod client_credentials;
mod codes;
pub mod device;
pub mod dialect;
pub mod discovery;
pub mod error_members;
pub mod failure;
pub mod flow_kind;
mod form;
pub mod id_token;
pub mod id_token_problem;
pub mod issuer;
pub mod jose;
mod json;
pub mod jwt_bearer;
pub mod kept;
mod members;
pub mod other_file;
pub(crate) mod parameters;
pub mod pasted;
pub mod pushed;
mod readable;
pub mod registration;
#[cfg(all(test, unix))]
mod relying_party;
mod reported;
pub mod request;
pub mod signature;
pub mod signing;
mod temporary;
pub mod token;
pub mod token_notes;
pub mod tool_answers;
pub mod tool_failure;
pub mod tools;
pub mod url;
pub mod useless;
mod words;
