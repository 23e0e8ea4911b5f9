//! The kinds of bodies.

/// The kind of a body, which tells a response of the service from that of a gateway in front of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// The body is empty.
    Empty,
    /// The body is a web page or other markup.
    Page,
    /// The body contains tokens in a form that this program doesn't read, or is compressed.
    Unread,
    /// The body is anything else.
    Other,
}
