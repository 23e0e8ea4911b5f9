//! The interface of a screen: the trait that screens implement, and the one that the event loop, the frame and the
//! tests use.
//!
//! [`Screen`] has types for the items and dialogs of the screen. [`AnyScreen`] is the same interface without these
//! types.

mod any;
pub(in crate::tui) mod buttons;
mod context;
mod item;
mod route;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(in crate::tui) mod testing;
mod typed;

pub use self::any::AnyScreen;
pub use self::context::{Console, Message, Outbox, UpdateContext, ViewContext};
pub(in crate::tui) use self::item::Place;
pub use self::item::{Entry, ItemView, Kind};
pub use self::route::{FormTarget, Navigation, Route, SaveFrom};
pub use self::typed::{Common, Screen, reload, set_focus};
pub use super::widgets::button::Shortcut;
