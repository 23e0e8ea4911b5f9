//! Keeps the tokens of profiles fresh: one refresh for any number of processes, and no token lost on the way.
//!
//! `caller` is what a command calls. Where the token is no longer good, it starts this program once more, as the keeper: a
//! process of its own that holds the profile's lock, refreshes and stores, and then ends. A caller that is stopped meanwhile
//! loses nothing. Callers wait for the record or for the outcome of the attempt. Tokens reach them by the record; only those that
//! can't be stored go through a pipe, to the process that started the keeper.

pub mod answer;
pub mod caller;
pub mod forecast;
pub mod list;
pub mod manage;
pub mod process;
pub mod profile;
pub mod refresh;
pub mod refuse;
pub mod save;
pub mod tools;
pub mod unstored;
mod words;
