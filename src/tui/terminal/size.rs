//! The size of the window, where the terminal tells one that can be drawn on.

use ratatui::layout::Size;

/// Of a terminal that does not know its size, as serial lines and containers do.
const UNKNOWN: Size = Size::new(80, 24);
/// So many cells can be drawn.
const CELLS: u16 = u16::MAX;

/// What is assumed where the terminal tells no size: the variables `COLUMNS` and `LINES`, or 80 x 24.
#[must_use]
pub(in crate::tui) fn assumed(variable: impl Fn(&str) -> Option<String>) -> Size {
    let number = |name: &str| {
        variable(name)?
            .trim()
            .parse()
            .ok()
            .filter(|count| *count > 0)
    };
    Size::new(
        number("COLUMNS").unwrap_or(UNKNOWN.width),
        number("LINES").unwrap_or(UNKNOWN.height),
    )
}

/// The size that is drawn on. Of a window with too many cells it is the upper part.
#[must_use]
pub(in crate::tui) fn usable(told: Size, assumed: Size) -> Size {
    let or = |told: u16, assumed: u16| if told == 0 { assumed } else { told };
    let columns = or(told.width, assumed.width);
    let rows = or(told.height, assumed.height);
    Size::new(columns, rows.min(CELLS / columns.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_size_is_assumed_and_a_large_one_is_cut() {
        let none = assumed(|_| None);
        for (told, usable_size) in [
            ((132, 50), (132, 50)),
            ((0, 0), (80, 24)),
            ((100, 0), (100, 24)),
            ((0, 50), (80, 50)),
            ((500, 200), (500, 131)),
            ((154, 640), (154, 425)),
            ((u16::MAX, 3), (u16::MAX, 1)),
        ] {
            let size = usable(Size::new(told.0, told.1), none);
            assert_eq!((size.width, size.height), usable_size, "{told:?}");
        }
        let variables = |name: &str| match name {
            "COLUMNS" => Some("120".to_owned()),
            "LINES" => Some("none".to_owned()),
            _ => None,
        };
        assert_eq!(assumed(variables), Size::new(120, 24));
        assert_eq!(assumed(|_| Some("0".to_owned())), UNKNOWN);
    }
}
