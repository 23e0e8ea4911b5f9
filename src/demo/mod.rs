//! A small authorization server inside the program, to try the program without an account.
//!
//! [`Demo`] listens on a free port of 127.0.0.1. It supports the authorization code flow with PKCE, the device code
//! flow, refresh with rotation, user info and metadata. [`approve`] acts in place of the user and the browser. `grants`
//! contains the issued codes and tokens, `server` handles HTTP, and `pages` writes HTML.
//!
//! The server omits the following on purpose, because its tokens give access to nothing:
//! - Accounts, sign-in and registered clients. Any client ID is accepted; client secrets are ignored.
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
