//! A small authorization server inside the program, to try it with no account anywhere.
//!
//! [`Demo`] listens on a free port of 127.0.0.1 and speaks the authorization code flow with PKCE, the device
//! code flow, refresh with rotation, userinfo and metadata. [`approve`] stands in for the user and the
//! browser. `grants` holds what was asked and issued, `server` speaks HTTP, `pages` writes HTML.
//!
//! Left out on purpose, because what it issues opens nothing anywhere:
//! - Accounts, sign-in and registered clients. Any client ID is taken; a client secret is not looked at.
//! - Signatures. The ID token says `"alg":"none"`, so there are no keys and no `jwks_uri`.
//! - TLS, and protection against other web pages and programs of this machine.
//! - Revocation, introspection, `prompt`, `response_mode`, request objects and resource indicators.

mod grants;
mod pages;
mod person;
mod server;
#[cfg(test)]
mod tests;

pub use person::{DemoError, approve};
pub use server::Demo;
