//! The interface of a screen: what it implements, and what the loop, the frame and the tests use.
//!
//! [`Screen`] has its own types for its items and dialogs. [`AnyScreen`] is the same without them.

mod any;
pub(in crate::tui) mod buttons;
mod context;
mod item;
mod route;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
pub(in crate::tui) mod testing;
mod typed;

pub use self::any::AnyScreen;
pub use self::context::{Console, Message, Outbox, UpdateContext, ViewContext};
pub(in crate::tui) use self::item::Place;
pub use self::item::{Entry, ItemView, Kind, Shortcut};
pub use self::route::{FormTarget, Navigation, Route, SaveFrom};
pub use self::typed::{Common, Screen, set_focus};
