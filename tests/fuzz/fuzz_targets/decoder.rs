//! The decoder, compiled from the sources of the program: its other parts would only lengthen the build.

#[path = "../../../src/tui/terminal/input/cases.rs"]
pub mod cases;
#[path = "../../../src/tui/terminal/input/decoder.rs"]
pub mod decoder;
#[path = "../../../src/tui/terminal/input/paste.rs"]
mod paste;
#[path = "../../../src/tui/terminal/input/place.rs"]
mod place;
#[path = "../../../src/tui/terminal/input/unfinished.rs"]
mod unfinished;

/// The rows of the table, as bytes.
pub fn rows() -> impl Iterator<Item = (&'static [u8], &'static str)> {
    let texts = cases::CASES.iter();
    let texts = texts.map(|(text, expected)| (text.as_bytes(), *expected));
    texts.chain(cases::RAW.iter().copied())
}
