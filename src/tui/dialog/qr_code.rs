//! The QR code of a URL, and whether it can be shown in a window.
//!
//! A cell contains two modules, one above the other, as half blocks. The border is two modules wide instead of the four
//! that the standard requires: decoders accept this, and with four, URLs of 80 characters or more would not fit on 24
//! rows.

use qrcode::bits::encode_auto;
use qrcode::{Color, EcLevel, QrCode, Version};
use url::Url;

use crate::tui::widgets::theme::Theme;

/// Width of the border on each side, in modules.
const BORDER: usize = 2;
/// Rows that the code doesn't cover: the title above, the rule and the keys below.
pub(super) const ROWS_KEPT: u16 = 3;
/// Width of the smallest QR code, in modules.
const SMALLEST: usize = 21;

/// Why a QR code can't be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The terminal has no colors, or they are turned off.
    #[error("QR code unavailable: it must be black on white, and colors are off.")]
    Mono,
    /// The terminal has no half blocks.
    #[error("QR code unavailable in ASCII mode.")]
    Ascii,
    /// The code doesn't fit in the window.
    #[error(
        "QR code unavailable: the URL has {characters} characters, which requires a window of {columns} x {rows}. This one \
            is {} x {}.", .window.0, .window.1
    )]
    TooLong {
        /// Length of the URL.
        characters: usize,
        /// Columns that the code needs.
        columns: usize,
        /// Rows that the code needs.
        rows: usize,
        /// Columns and rows of the window.
        window: (u16, u16),
    },
    /// The URL is too long for any QR code. Contains its length.
    #[error("QR code unavailable: the URL has {0} characters, more than a QR code can hold.")]
    Endless(usize),
}

/// A QR code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The URL that the code contains.
    pub url: Url,
    side: usize,
    dark: Vec<bool>,
}

impl Picture {
    /// Creates the QR code of `url` for a window of this size.
    ///
    /// # Errors
    /// Returns an error that says why the code can't be shown.
    pub fn of(theme: Theme, window: (u16, u16), url: &Url) -> Result<Self, Refusal> {
        let version = version(theme, window, url)?;
        // Use the highest error correction level that needs no larger code.
        let code = [EcLevel::H, EcLevel::Q, EcLevel::M, EcLevel::L]
            .into_iter()
            .find_map(|level| QrCode::with_version(url.as_str(), version, level).ok())
            .ok_or(Refusal::Endless(url.as_str().len()))?;
        Ok(Self {
            url: url.clone(),
            side: code.width(),
            dark: code
                .to_colors()
                .into_iter()
                .map(|color| color == Color::Dark)
                .collect(),
        })
    }

    /// Returns the width in columns, including the border.
    #[must_use]
    pub fn columns(&self) -> usize {
        columns(self.side)
    }

    /// Returns the height in rows, including the border.
    #[must_use]
    pub fn rows(&self) -> usize {
        rows(self.side)
    }

    /// Returns whether the upper and the lower module of a cell are dark.
    #[must_use]
    pub fn cell(&self, column: usize, row: usize) -> (bool, bool) {
        (self.dark(column, 2 * row), self.dark(column, 2 * row + 1))
    }

    fn dark(&self, x: usize, y: usize) -> bool {
        let within = BORDER..BORDER + self.side;
        within.contains(&x)
            && within.contains(&y)
            && self
                .dark
                .get((y - BORDER) * self.side + x - BORDER)
                .copied()
                .unwrap_or_default()
    }
}

/// Returns the size of the smallest code that can contain `url`, if it can be shown. Much less work than creating the
/// code.
///
/// # Errors
/// Returns an error that says why the code can't be shown.
pub fn version(theme: Theme, window: (u16, u16), url: &Url) -> Result<Version, Refusal> {
    if theme.black_on_white().is_none() {
        return Err(Refusal::Mono);
    }
    if !theme.utf8 {
        return Err(Refusal::Ascii);
    }
    let characters = url.as_str().len();
    let version = encode_auto(url.as_str().as_bytes(), EcLevel::L)
        .map_err(|_| Refusal::Endless(characters))?
        .version();
    let side = usize::try_from(version.width()).unwrap_or(usize::MAX);
    if fits(side, window) {
        Ok(version)
    } else {
        Err(Refusal::TooLong {
            characters,
            columns: columns(side),
            rows: rows(side) + usize::from(ROWS_KEPT),
            window,
        })
    }
}

fn columns(side: usize) -> usize {
    side + 2 * BORDER
}

/// Returns the number of rows; a row contains two modules, one above the other.
fn rows(side: usize) -> usize {
    (side + 2 * BORDER).div_ceil(2)
}

fn fits(side: usize, window: (u16, u16)) -> bool {
    columns(side) <= usize::from(window.0)
        && rows(side) + usize::from(ROWS_KEPT) <= usize::from(window.1)
}

/// Returns whether the smallest QR code fits in a window of this size.
#[must_use]
pub fn has_room(window: (u16, u16)) -> bool {
    fits(SMALLEST, window)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::console::environment::Environment;

    fn theme(utf8: bool, colors: bool) -> Theme {
        Theme::new(&Environment {
            utf8,
            colors,
            ..Environment::default()
        })
    }

    fn url(length: usize) -> Url {
        let base = "https://as.example/";
        Url::parse(&format!("{base}{}", "x".repeat(length - base.len()))).unwrap()
    }

    #[test]
    fn qr_code_at_80x24_holds_106_characters() {
        let good = theme(true, true);
        let picture = Picture::of(good, (80, 24), &url(106)).unwrap();
        assert_eq!((picture.columns(), picture.rows()), (41, 21));
        assert_eq!(
            Picture::of(good, (80, 24), &url(107))
                .unwrap_err()
                .to_string(),
            "QR code unavailable: the URL has 107 characters, which requires a window of 45 x 26. This one is 80 x 24."
        );
        assert!(Picture::of(good, (45, 26), &url(107)).is_ok());
        assert_eq!(
            Picture::of(good, (300, 200), &url(3000)),
            Err(Refusal::Endless(3000))
        );
    }

    #[test]
    fn qr_code_requires_colors_and_half_blocks() {
        let short = url(30);
        assert_eq!(
            Picture::of(theme(true, false), (80, 24), &short),
            Err(Refusal::Mono)
        );
        assert_eq!(
            Picture::of(theme(false, true), (80, 24), &short),
            Err(Refusal::Ascii)
        );
    }

    #[test]
    fn qr_code_border_is_light_on_all_sides() {
        let picture = Picture::of(theme(true, true), (80, 24), &url(30)).unwrap();
        for column in 0..picture.columns() {
            assert_eq!(picture.cell(column, 0), (false, false));
            let (upper, lower) = picture.cell(column, picture.rows() - 2);
            assert!(!lower, "the row of modules below the code");
            let edge = column < BORDER || column >= picture.columns() - BORDER;
            assert!(!edge || !upper);
            assert_eq!(picture.cell(column, picture.rows() - 1), (false, false));
        }
        for row in 0..picture.rows() {
            for column in [0, 1, picture.columns() - 2, picture.columns() - 1] {
                assert_eq!(picture.cell(column, row), (false, false));
            }
        }
        // The corner of a finder pattern.
        assert_eq!(picture.cell(BORDER, BORDER / 2), (true, true));
    }

    #[test]
    fn too_small_window_has_no_room() {
        assert!(has_room((80, 24)) && has_room((25, 16)));
        assert!(!has_room((24, 16)) && !has_room((25, 15)));
    }
}
