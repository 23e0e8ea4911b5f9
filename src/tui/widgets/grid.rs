//! The grid that every screen is laid out in.
//!
//! Column 0 stays empty, the focus marker is in column 1, labels begin in column 3 and values in column 21. States end
//! in the second to last column. A narrow window has short labels, and its values begin in column 14.

/// A window narrower than this has short labels, and its buttons next to a row are at the bottom.
pub(in crate::tui) const NARROW: u16 = 60;
/// A window lower than this has no rules and no empty rows, because every row counts.
pub(in crate::tui) const LOW: u16 = 16;

/// From this width on, the settings are on the left, and the sign-in or the tokens on the right.
pub(in crate::tui) const WIDE: u16 = 120;

/// The column where labels begin.
pub(in crate::tui) const LABEL: usize = 3;
/// The column where the label of a detail of the row above begins.
pub(in crate::tui) const DETAIL: usize = LABEL + 2;

/// Returns the column where values begin, on a page or half of a page with this many columns.
pub(in crate::tui) fn value(columns: usize) -> usize {
    if columns < usize::from(NARROW) {
        14
    } else {
        21
    }
}

/// Returns the maximum width of a label.
pub(in crate::tui) fn label_room(columns: usize) -> usize {
    value(columns) - LABEL - 1
}

/// Returns the maximum width of a value.
pub(in crate::tui) fn room(columns: usize) -> usize {
    columns.saturating_sub(value(columns) + 1)
}
