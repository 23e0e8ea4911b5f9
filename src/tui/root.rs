//! What the program itself asks or shows over any screen: the keys, whether to leave, a value that is shown alone.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::dialog::{self, Dialog, List};
use super::keys;
use super::screen::{ItemView, Shortcut};
use super::widgets::rows::labelled_lines;
use super::widgets::text::width;
use super::widgets::theme::Theme;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::content::Content;

/// The button that leaves.
pub(super) const LEAVE: &str = "Leave";
/// The button that shows a value outside.
pub(super) const SHOW: &str = "Show it";

/// What a dialog of the program itself was opened for.
#[derive(Debug, Clone)]
pub(super) enum RootDialog {
    /// The keys.
    Help,
    /// Leave without having taken the tokens?
    Leave,
    /// A value that does not fit into the window would stay in the scrollback.
    Scrollback(Content, SecretString),
}

/// A value that the shell has written in place of a screen.
#[derive(Debug)]
pub(super) enum Alone {
    /// On our screen, where only the terminal breaks it.
    OnScreen(Content, SecretString),
    /// On the shell's screen.
    Outside,
}

/// The keys.
pub(super) fn help() -> Dialog<RootDialog> {
    Dialog::reading(RootDialog::Help)
}

/// Asks whether to leave.
pub(super) fn leave() -> Dialog<RootDialog> {
    let text = "The tokens were not copied, saved or shown alone, or only sent to your terminal. If you leave now they are gone. Ctrl+C once more leaves as well.";
    Dialog::question(RootDialog::Leave, text.to_owned(), &["Stay", LEAVE])
}

/// True where a value fits into a window of this size; the last row says how to go back.
pub(super) fn fits(value: &SecretString, (columns, rows): (u16, u16)) -> bool {
    let room = usize::from(columns) * usize::from(rows.saturating_sub(1));
    width(value.expose_secret()) <= room
}

/// Asks whether to show a value where it stays in the scrollback.
pub(super) fn scrollback(content: Content, value: SecretString) -> Dialog<RootDialog> {
    let text = format!(
        "This value has {} characters and does not fit into this window. Shown outside, it stays in the scrollback of \
         your terminal, where others may find it.",
        value.expose_secret().chars().count()
    );
    let id = RootDialog::Scrollback(content, value);
    Dialog::question(id, text, &["Back", SHOW])
}

/// Draws a dialog over a screen with these items, and says where the cursor belongs.
pub(super) fn draw(
    dialog: &Dialog<RootDialog>,
    items: &[ItemView],
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    let source = dialog::Source {
        list: &|_, _| List::default(),
        reading: &|_, columns| help_lines(items, theme, columns),
        caption: &|_, _| Vec::new(),
    };
    dialog::draw(dialog, &source, theme, frame, area)
}

/// Every key, and the letters of the screen's buttons.
fn help_lines(items: &[ItemView], theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = vec![Line::styled("Keys", theme.strong()), Line::default()];
    let indent = (columns / 3).min(24);
    let mut entry =
        |key: &str, words: &str| lines.extend(labelled_lines(key, words, indent, columns));
    for (keys, words) in keys::help() {
        entry(&keys, words);
    }
    entry("", "");
    entry(
        "Outside of texts",
        "a letter presses a button of this screen:",
    );
    for item in items {
        if let Shortcut::Letter(letter) = item.shortcut {
            entry(&letter.to_string(), &item.label);
        }
    }
    lines
}
