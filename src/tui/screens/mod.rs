//! The bodies of the screens, and what lies on top of them.

pub(super) mod configure;
pub(super) mod flow;
pub(super) mod form;
pub(super) mod overlay;
mod progress;
pub(super) mod qr;
pub(super) mod tokens;
pub(super) mod trace;
