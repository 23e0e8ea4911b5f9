//! What terminals send for keys: for the screen, and for lines that are typed outside it.
//!
//! The fuzz targets compile these files without the rest of the program, so they use nothing else of it.

pub mod encodings;
pub mod layout;
pub mod pauses;
pub mod records;
