//! Places the buttons in the rows at the bottom. Buttons that don't fit are under More.

use super::item::{Entry, Kind, Place};
use crate::tui::widgets::button::{Shortcut, button_width};
use crate::tui::widgets::grid::{LOW, NARROW};

/// Returns the column of the first button of a row.
pub(in crate::tui) fn start(columns: u16) -> u16 {
    if columns < NARROW { 1 } else { 3 }
}

/// Returns the maximum number of rows of buttons.
fn most_rows(rows: u16) -> usize {
    match rows {
        ..LOW => 1,
        LOW..20 => 2,
        20.. => 3,
    }
}

/// Returns the place of each entry in a window of this size, if the entry at `focus` has the focus.
pub(super) fn places<I>(
    entries: &[Entry<I>],
    focus: Option<usize>,
    (columns, rows): (u16, u16),
    ascii: bool,
) -> Vec<Place> {
    let narrow = columns < NARROW;
    let near = |at: usize| narrow && focus.is_some_and(|focus| is_near(entries, focus, at));
    let mut places: Vec<Place> = entries.iter().map(|_| Place::Body).collect();
    // The buttons of the focused row come first.
    let beside = |at: &usize| entries[*at].beside && entries[*at].kind == Kind::Button;
    let besides = (0..entries.len()).filter(|at| beside(at) && near(*at));
    let bottom = |at: &usize| entries[*at].kind == Kind::Button && !entries[*at].beside;
    let mut order: Vec<usize> = besides.chain((0..entries.len()).filter(bottom)).collect();
    let more = order
        .iter()
        .position(|at| entries[*at].shortcut == Shortcut::Letter('o'))
        .map(|at| order.remove(at));
    let (rare, order): (Vec<usize>, Vec<usize>) = order
        .into_iter()
        .partition(|at| entries[*at].more.is_some());
    for at in &rare {
        places[*at] = Place::More;
    }
    let room = usize::from(columns.saturating_sub(start(columns) + 1));
    let needed = |at: usize| button_width(entries[at].shortcut, &entries[at].label, ascii) + 1;
    let most = most_rows(rows);
    // More comes before the last buttons, Back and Help or Help and Quit, or replaces the buttons that don't fit.
    let is_last =
        |at: &usize| matches!(entries[*at].shortcut, Shortcut::Esc | Shortcut::Letter('?'));
    let other = |at: &usize| !is_last(at) && entries[*at].shortcut != Shortcut::None;
    let last = order.iter().rposition(other).map_or(0, |at| at + 1);
    let last = order[last..]
        .iter()
        .position(is_last)
        .map_or(order.len(), |at| last + at);
    let mut whole = order.clone();
    if let Some(more) = more {
        if rare.is_empty() {
            places[more] = Place::Nowhere;
        } else {
            whole.insert(last, more);
        }
    }
    let flowed = flow(&whole, room, needed);
    if flowed.last().is_none_or(|(_, row)| *row < most) || more.is_none() {
        for (at, row) in flowed {
            places[at] = Place::Row(row);
        }
        return places;
    }
    for count in (0..order.len()).rev() {
        let mut shown = order[..count].to_vec();
        shown.extend(more);
        let flowed = flow(&shown, room, needed);
        if flowed.last().is_none_or(|(_, row)| *row < most) || count == 0 {
            for at in &order[count..] {
                places[*at] = Place::More;
            }
            for (at, row) in flowed {
                places[at] = Place::Row(row);
            }
            break;
        }
    }
    places
}

/// Returns whether this is a button next to the focused row.
fn is_near<I>(entries: &[Entry<I>], focus: usize, at: usize) -> bool {
    let (low, high) = (focus.min(at), focus.max(at));
    // From a row to its buttons, or between its buttons.
    let between = &entries[low + 1..high.max(low + 1)];
    let beside = |entry: &Entry<I>| entry.beside && entry.kind == Kind::Button;
    // A button in a row of its own belongs to no other row.
    if at != focus && entries[low..=high].iter().any(|entry| entry.own_row) {
        return false;
    }
    at >= focus && between.iter().all(beside)
        || beside(&entries[focus]) && between.iter().all(beside)
}

/// Assigns each button to a row.
fn flow(order: &[usize], room: usize, needed: impl Fn(usize) -> usize) -> Vec<(usize, usize)> {
    let (mut row, mut used) = (0, 0);
    order
        .iter()
        .map(|at| {
            let needed = needed(*at);
            if used > 0 && used + needed > room + 1 {
                row += 1;
                used = 0;
            }
            used += needed;
            (*at, row)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_never_in_a_row_below_help() {
        let entries = [
            Entry::button(0, "Authorize", 'a'),
            Entry::more(1),
            Entry::quiet(2, "Rare").under_more("why"),
            Entry::button(3, "Help", '?'),
            Entry::quiet(4, "Quit"),
        ];
        for columns in NARROW..120 {
            let places = places(&entries, None, (columns, 24), false);
            let rows = [1, 3, 4].map(|at: usize| match places[at] {
                Place::Row(row) => Some(row),
                _ => None,
            });
            assert!(rows[0].is_some() && rows.is_sorted(), "{columns}: {rows:?}");
        }
    }
}
