//! Makes links (OSC 8) of the URLs on the screen, so that the terminal opens a whole URL, however many rows it
//! occupies.
//!
//! A URL is searched for where it was drawn. Each run of its cells becomes one cell as wide as the run, which contains
//! the sequences and the text. So a run is written only if something in it changes, and selecting it selects the bare
//! URL. A URL that was cut at an ellipsis links to the whole URL.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use url::Url;

use crate::tui::widgets::theme::Theme;

/// Maximum length of a URL, in bytes. Terminals drop longer ones; this is the limit of VTE.
const LONGEST: usize = 2083;

/// Makes links of `url` wherever it appears in `buffer`.
pub fn put(buffer: &mut Buffer, theme: Theme, url: &Url) {
    if !is_fit(url) {
        return;
    }
    let area = buffer.area;
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let runs = runs(buffer, theme, url.as_str(), (x, y));
            x = match runs.first() {
                Some(first) => first.end,
                None => x + 1,
            };
            for run in runs {
                link(buffer, url, &run);
            }
        }
    }
}

/// Returns whether a terminal may open this URL: https or http, without user info, and without anything that could end
/// the sequence.
fn is_fit(url: &Url) -> bool {
    matches!(url.scheme(), "https" | "http")
        && url.username().is_empty()
        && url.password().is_none()
        && url.as_str().len() <= LONGEST
        && url.as_str().bytes().all(|byte| byte.is_ascii_graphic())
}

/// The cells of one row that contain a part of a URL.
struct Run {
    y: u16,
    start: u16,
    /// The column after the last cell.
    end: u16,
}

/// Returns the runs of the URL if it begins at this cell: to the end of the row, then from the same column of the next
/// row.
fn runs(buffer: &Buffer, theme: Theme, url: &str, (x, mut y): (u16, u16)) -> Vec<Run> {
    let symbol = |x, y| buffer.cell((x, y)).map_or("", |cell| cell.symbol());
    let mut runs = Vec::new();
    let mut rest = url.chars().peekable();
    loop {
        let mut end = x;
        while rest.next_if(|next| is(symbol(end, y), *next)).is_some() {
            end += 1;
        }
        let last = rest.peek().is_none();
        let cut = theme.ellipsis().starts_with(symbol(end, y)) && !symbol(end, y).is_empty();
        if end == x || !(last || cut || end == buffer.area.right()) {
            return Vec::new();
        }
        runs.push(Run { y, start: x, end });
        // If more of a word follows, this is another URL with the same beginning.
        if last && !matches!(symbol(end, y), "" | " ") && end < buffer.area.right() {
            return Vec::new();
        }
        if last || cut {
            return runs;
        }
        y += 1;
    }
}

fn is(symbol: &str, ch: char) -> bool {
    symbol.chars().eq([ch])
}

/// Makes one cell of the run; the other cells are not written individually.
fn link(buffer: &mut Buffer, url: &Url, run: &Run) {
    let text: String = (run.start..run.end)
        .filter_map(|x| buffer.cell((x, run.y)))
        .map(Cell::symbol)
        .collect();
    for x in run.start..run.end {
        if let Some(cell) = buffer.cell_mut((x, run.y)) {
            cell.set_diff_option(CellDiffOption::Skip);
        }
    }
    let width = NonZeroU16::new(run.end - run.start);
    if let (Some(cell), Some(width)) = (buffer.cell_mut((run.start, run.y)), width) {
        // The ID joins all runs into one link.
        cell.set_symbol(&format!("\x1b]8;id=url;{url}\x1b\\{text}\x1b]8;;\x1b\\"))
            .set_diff_option(CellDiffOption::ForcedWidth(width));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::console::environment::Environment;

    fn theme() -> Theme {
        Theme::new(&Environment {
            utf8: true,
            ..Environment::default()
        })
    }

    fn linked(lines: &[&str], urls: &[&str]) -> Buffer {
        let mut buffer = Buffer::with_lines(lines.iter().copied());
        for url in urls {
            put(&mut buffer, theme(), &Url::parse(url).unwrap());
        }
        buffer
    }

    /// Returns the links of a buffer, as they are sent.
    fn links(buffer: &Buffer) -> Vec<String> {
        buffer
            .content
            .iter()
            .filter(|cell| cell.symbol().contains('\x1b'))
            .map(|cell| cell.symbol().to_owned())
            .collect()
    }

    fn sent(url: &str, text: &str) -> String {
        format!("\x1b]8;id=url;{url}\x1b\\{text}\x1b]8;;\x1b\\")
    }

    #[test]
    fn url_over_several_rows_is_one_link() {
        let url = "https://e.org/device";
        assert_eq!(
            links(&linked(&["open  https://e.org/device "], &[url])),
            [sent(url, url)]
        );
        let wrapped = linked(&["https://e.", "org/device", "          "], &[url]);
        assert_eq!(
            links(&wrapped),
            [sent(url, "https://e."), sent(url, "org/device")]
        );
        let cut = linked(&["https://e.", "org/de…   "], &[url]);
        assert_eq!(links(&cut), [sent(url, "https://e."), sent(url, "org/de")]);
    }

    #[test]
    fn urls_with_a_common_prefix_are_not_confused() {
        let (long, short) = ("https://e.org/d?code=1", "https://e.org/d");
        let lines = ["https://e.org/d       ", "https://e.org/d?code=1"];
        assert_eq!(
            links(&linked(&lines, &[long, short])),
            [sent(short, short), sent(long, long)]
        );
        assert!(links(&linked(&["https://e.org/other"], &[short])).is_empty());
        assert!(links(&linked(&["https://e.org/"], &[short])).is_empty());
    }

    #[test]
    fn unsafe_urls_are_not_links() {
        for bad in [
            "ftp://e.org/",
            "file:///etc/passwd",
            "https://user@e.org/",
            "https://user:word@e.org/",
        ] {
            assert!(links(&linked(&[bad], &[bad])).is_empty(), "{bad}");
        }
        // Characters that could end the sequence are percent-encoded when the URL is parsed.
        let url = Url::parse("https://e.org/\u{7}\u{1b}\\x").unwrap();
        assert!(url.as_str().is_ascii() && !url.as_str().contains('\u{1b}'));
    }

    #[test]
    fn links_are_written_on_change_and_removed_afterward() {
        let url = "https://e.org/d";
        let (plain, with_link) = (
            linked(&["https://e.org/d x"], &[]),
            linked(&["https://e.org/d x"], &[url]),
        );
        let written = |before: &Buffer, after: &Buffer| {
            let cells = before.diff(after).into_iter();
            cells
                .map(|(x, _, cell)| (x, cell.symbol().to_owned()))
                .collect::<Vec<_>>()
        };
        assert_eq!(written(&plain, &with_link), [(0, sent(url, url))]);
        assert_eq!(written(&with_link, &with_link), []);
        assert_eq!(written(&with_link, &plain).len(), url.len());
    }
}
