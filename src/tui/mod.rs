//! The full-screen front end: what the screen shows, and what each key does.
//!
//! `shell` owns the model. It waits for signals, events of the flow, keys and timers, calls `update` to decide what to
//! do, performs the resulting effects, and draws once for all events that were waiting. The program is idle while
//! nothing happens.

mod alone;
mod background;
mod copies;
pub mod dialog;
mod error;
pub mod keys;
mod leaving;
pub mod message;
pub mod model;
mod page;
mod profiles;
mod root;
mod saves;
pub mod screen;
mod screens;
mod scrolling;
mod shell;
mod stack;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod update;
pub mod view;
pub mod widgets;

pub use self::error::TuiError;
pub use self::shell::run;
