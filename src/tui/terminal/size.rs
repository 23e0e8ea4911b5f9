//! The size of the window, limited to what can be drawn.

use ratatui::layout::Size;

/// The size of a terminal that doesn't know its own, such as a serial line or in a container.
const UNKNOWN: Size = Size::new(80, 24);
/// Maximum number of cells that can be drawn.
const CELLS: u16 = u16::MAX;

/// Returns the size to use if the terminal reports none: the environment variables `COLUMNS` and `LINES`, or 80 x 24.
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

/// Returns the size to draw on. If a window has too many cells, this is its upper part.
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
    fn unknown_size_is_assumed_and_large_size_is_capped() {
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
