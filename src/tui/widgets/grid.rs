//! The columns and rows that every screen is laid out in.
//!
//! Column 0 stays empty, the marker of the focus stands in column 1, labels begin in column 3 and values in column 21. States
//! end in the last column but one. A narrow window has short labels, and values from column 14 on.

/// Below this width labels are short, and buttons beside a row stand at the bottom.
pub(in crate::tui) const NARROW: u16 = 60;
/// Below this height every row counts: no rules, no empty rows.
pub(in crate::tui) const LOW: u16 = 16;

/// From this width on the settings stand at the left, and what a run says at the right.
pub(in crate::tui) const WIDE: u16 = 120;

/// Where labels begin.
pub(in crate::tui) const LABEL: usize = 3;
/// Where the label of a detail of the row above begins.
pub(in crate::tui) const DETAIL: usize = LABEL + 2;

/// Where values begin, on a page or half of a page with so many columns.
pub(in crate::tui) fn value(columns: usize) -> usize {
    if columns < usize::from(NARROW) {
        14
    } else {
        21
    }
}

/// How many columns a label may take.
pub(in crate::tui) fn label_room(columns: usize) -> usize {
    value(columns) - LABEL - 1
}

/// How many columns a value may take.
pub(in crate::tui) fn room(columns: usize) -> usize {
    columns.saturating_sub(value(columns) + 1)
}
