//! Wide characters on screens with two columns: none is cut in half, and nothing after them moves.

use crate::app::fixtures::all;
use crate::app::{App, Drawn, XTERM, width};
use crate::screens;

/// As terminals measure them: characters of two columns, marks of no width, and clusters that Unicode counts as one.
const TEXTS: [&str; 6] = [
    "日本語のクライアント設定です",
    "a日b本c語dのeクfラgイhアiンjトk",
    "👍👎🎉🚀✅❌⚡⭐🔥🔑🔒🔓",
    "👍🏽👩‍💻🏳️‍🌈🇩🇪❤️x",
    "ｶﾞｷﾞｸﾞｹﾞｺﾞ한국어클라이언트",
    "e\u{301}日a\u{308}本",
];

/// Checks that no wide character is cut off or partly overwritten.
fn assert_no_half(drawn: &Drawn, what: &str) {
    let area = drawn.buffer.area;
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let symbol = drawn.buffer[(x, y)].symbol();
            let columns = u16::try_from(width(symbol)).unwrap().max(1);
            assert!(
                x + columns <= area.width,
                "{what}: {symbol} is cut\n{}",
                drawn.text()
            );
            for behind in x + 1..x + columns {
                assert!(
                    drawn.buffer[(behind, y)].symbol().trim().is_empty(),
                    "{what}: {symbol} is written over\n{}",
                    drawn.text()
                );
            }
            x += columns;
        }
    }
}

/// The last column of one half of a row that is not empty.
fn end(drawn: &Drawn, row: u16, columns: std::ops::Range<u16>) -> Option<u16> {
    let mut columns = columns.rev();
    columns.find(|x| !drawn.buffer[(*x, row)].symbol().trim().is_empty())
}

#[test]
fn wide_window_shows_buttons_next_to_their_rows() {
    let mut app = App::new(XTERM.environment());
    app.preset("microsoft-mail").by_browser();
    for columns in [120, 121, 122, 200] {
        let text = app.draw(columns, 30).text();
        for shown in ["[List]", "[g Configure…]", "Redirect URL"] {
            assert!(text.contains(shown), "{columns} {shown}\n{text}");
        }
    }
}

const FIELDS: [&str; 4] = ["Client ID", "Scope", "Token ex. URL", "Device code URL"];

#[test]
fn wide_characters_are_never_split_and_shift_nothing() {
    for text in TEXTS {
        let mut app = App::new(XTERM.environment());
        for label in FIELDS {
            app.go(label).paste(&text.repeat(4));
        }
        for label in ["Preset", "Scope"] {
            app.resize(80, 24).go(label);
            for columns in [40, 41, 59, 60, 61, 80, 120, 121, 122, 123, 132, 133] {
                let what = format!("{columns} {label} {text}");
                let drawn = app.draw(columns, 43);
                assert_no_half(&drawn, &what);
                // The states end where they always do, and the space between the halves is empty.
                let half = if columns < 120 {
                    columns
                } else {
                    (columns / 2 - 1).max(60)
                };
                let rows = drawn.part(0, half);
                for y in 2..drawn.body_end() {
                    let end = end(&drawn, y, 0..half).unwrap_or(0);
                    assert!(end <= half - 2, "{what}\n{}", drawn.text());
                    let has_state = |word: &str| rows[usize::from(y)].trim_end().ends_with(word);
                    if ["wrong character", "not a URL", "optional", "[List]"]
                        .iter()
                        .any(|word| has_state(word))
                    {
                        assert_eq!(end, half - 2, "{what}\n{}", drawn.text());
                    }
                }
            }
        }
    }
}

#[test]
fn no_other_screen_splits_a_wide_character() {
    for fixture in all() {
        let mut app = fixture.app(fixture.usual());
        for columns in [80, 121] {
            if !app.shows_a_value_alone() {
                assert_no_half(&app.draw(columns, 43), fixture.name);
            }
        }
    }
}

#[test]
fn cursor_stays_visible_in_a_long_scrolled_value() {
    let long = "/etc/ssl/certificates/".repeat(12);
    let mut seen = 0;
    for rows in 16..30 {
        let mut app = App::new(XTERM.environment());
        app.resize(80, rows).press("Advanced").go("CA file");
        app.typed(&long).keys("<pageup>");
        let drawn = app.look();
        if drawn.text().contains("▸   CA file") {
            seen += 1;
            let shown = screens::focus(&drawn);
            assert_eq!(shown, Ok(()), "{rows} rows\n{}", drawn.text());
        }
    }
    assert!(seen > 0);
}
