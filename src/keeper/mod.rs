//! Keeps the tokens of profiles fresh: many processes share one refresh, and no token is lost.
//!
//! `caller` is the interface for commands. If the token is no longer valid, it starts this program again as the keeper:
//! a separate process that locks the profile, refreshes and stores the tokens, and ends. Stopping the caller loses no
//! tokens. Callers wait for the record or for the outcome of the attempt. They get the tokens from the record. Only
//! tokens that can't be stored go through a pipe, to the process that started the keeper.

pub mod caller;
mod failed;
mod folders;
pub mod forecast;
pub mod list;
pub mod manage;
pub mod present;
pub mod process;
pub mod profile;
pub mod refresh;
pub mod refresh_failure;
pub mod refuse;
pub mod save;
pub mod save_error;
pub mod tools;
mod trial;
pub mod unstored;
mod words;
