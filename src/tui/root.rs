//! Dialogs of the program itself, on top of any screen: help, quit, and a value that is shown alone.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::dialog::{self, Dialog, List, ListEntry, Question, Reading};
use super::keys;
use super::screen::{Console, ItemView, Kind, Route, Shortcut};
use super::widgets::button::shown_label;
use super::widgets::grid::NARROW;
use super::widgets::masked::{ENDS, SHORT_ENDS, masked};
use super::widgets::rows::labeled_lines;
use super::widgets::said::Said;
use super::widgets::text::{first_sentence, in_sentence, lower_first, width, wrap};
use super::widgets::theme::Theme;
use crate::oauth::registration::Registered;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::content::Content;
use crate::session::{Taken, TokenState, Value};
use crate::words::thousands;

/// The button that quits.
pub(super) const QUIT: &str = "Quit";
/// The button that starts a sign-in.
pub(super) const SIGN_IN: &str = "Sign in";
/// The button that saves the tokens instead.
pub(super) const SAVE: &str = "Save…";
/// The button that saves the changes to a profile.
pub(super) const SAVE_NOW: &str = "Save";
/// The button that shows a value outside the program.
pub(super) const SHOW: &str = "Show";

/// The purpose of one of the program's own dialogs.
#[derive(Debug, Clone)]
pub(super) enum RootDialog {
    /// The help.
    Help,
    /// The whole message.
    Message(Vec<Said>),
    /// The buttons that don't fit, and those that are rarely needed.
    More,
    /// Quit without having copied or saved the tokens?
    Leave,
    /// Quit without having copied or saved the registration?
    LeaveRegistration,
    /// Quit although a refresh may be replacing the refresh token?
    LeaveRefresh,
    /// Replace the tokens by a new sign-in without having copied or saved them?
    SignIn,
    /// Quit without saving the changes to the open profile?
    LeaveChanges,
    /// Show a value that doesn't fit in the window outside the program, where it stays in the scrollback?
    Scrollback(Content, SecretString),
}

/// A value that is written to the terminal in place of a screen.
#[derive(Debug)]
pub(super) enum Alone {
    /// On the program's screen, where only the terminal wraps it.
    OnScreen(Content, SecretString),
    /// On the shell's screen.
    Outside,
}

/// Returns the help.
pub(super) fn help() -> Dialog<RootDialog> {
    Dialog::reading(RootDialog::Help)
}

/// Returns the dialog that shows the whole message.
pub(super) fn message(said: Vec<Said>) -> Dialog<RootDialog> {
    Dialog::reading(RootDialog::Message(said))
}

/// Returns the list of the buttons that don't fit.
pub(super) fn more() -> Dialog<RootDialog> {
    Dialog::list(RootDialog::More, false)
}

/// Returns the question whether to quit. It names each token that the user may not have, and the registration if
/// `registration` is set.
pub(super) fn leave(
    tokens: &TokenState,
    registration: bool,
    console: &Console,
) -> Dialog<RootDialog> {
    let buttons = [
        (Shortcut::Letter('s'), SAVE),
        (Shortcut::Letter('y'), QUIT),
        (Shortcut::Esc, "Stay"),
    ];
    let mut question = untaken("Quit?", "you quit", &buttons, tokens, console)
        .with_aside("Ctrl+C again also quits");
    if registration {
        question.text += " The registration of this program has not been copied or saved either.";
    }
    Dialog::question(RootDialog::Leave, question)
}

/// Returns the question whether to quit without the registration.
pub(super) fn leave_registration(client: &Registered, taken: Taken) -> Dialog<RootDialog> {
    let buttons = [
        (Shortcut::Letter('s'), SAVE),
        (Shortcut::Letter('y'), QUIT),
        (Shortcut::Esc, "Stay"),
    ];
    let (title, text) = if taken == Taken::Sent {
        (
            "Quit? The registration may be lost.",
            "Your terminal did not confirm the copy. Paste it somewhere to check before you quit."
                .to_owned(),
        )
    } else {
        let (what, them) = match (&client.client_secret, &client.access_token) {
            (Some(_), Some(_)) => (
                "client secret and its registration access token are",
                "them",
            ),
            (Some(_), None) => ("client secret is", "it"),
            (None, _) => ("registration access token is", "it"),
        };
        (
            "Quit? The registration isn't saved.",
            format!("Its {what} lost when you quit. The service shows {them} only once."),
        )
    };
    let question = Question::new(title, text, &buttons)
        .with_aside("Ctrl+C again also quits")
        .beginning_on(Shortcut::Letter('s'));
    Dialog::question(RootDialog::LeaveRegistration, question)
}

/// Returns the question whether to sign in again. It names each token that the user may not have.
pub(super) fn sign_in(tokens: &TokenState, console: &Console) -> Dialog<RootDialog> {
    let buttons = [
        (Shortcut::Letter('s'), SAVE),
        (Shortcut::Letter('y'), SIGN_IN),
        (Shortcut::Esc, "Back"),
    ];
    let question = untaken(
        "Sign in?",
        "the sign-in completes",
        &buttons,
        tokens,
        console,
    );
    Dialog::question(RootDialog::SignIn, question)
}

/// Returns a question with the tokens that are lost at the moment `when`.
fn untaken(
    asked: &str,
    when: &str,
    buttons: &[(Shortcut, &'static str)],
    tokens: &TokenState,
    console: &Console,
) -> Question {
    let theme = console.theme;
    let lost = tokens.untaken();
    let sent = |value: &Value| tokens.taken(*value) == Taken::Sent;
    let row = |value: &Value, narrow: bool| {
        let token = tokens.secret(*value).map(ExposeSecret::expose_secret);
        let token = token.unwrap_or_default();
        let ends = if narrow { SHORT_ENDS } else { ENDS };
        let about = match (sent(value), narrow) {
            (true, true) => "sent".to_owned(),
            (true, false) => "sent to your terminal's clipboard".to_owned(),
            (false, true) => String::new(),
            (false, false) => format!("{:>5} chars", thousands(token.chars().count())),
        };
        let shown = masked(theme, token, ends);
        let gap = (ends.0 + ends.1 + 1).saturating_sub(width(&shown));
        format!("{:<15} {shown}{}  {about}", value.label(), " ".repeat(gap))
    };
    let rows = |narrow| lost.iter().map(|value| row(value, narrow)).collect();
    let (one, only_sent) = (lost.len() == 1, lost.iter().all(sent));
    let (state, short) = match (only_sent, one) {
        (true, true) => ("This token may not have arrived:", "May not have arrived:"),
        (true, false) => (
            "These tokens may not have arrived:",
            "May not have arrived:",
        ),
        (false, true) => (
            "This token has not been copied or saved:",
            "Not copied or saved:",
        ),
        (false, false) => (
            "These tokens have not been copied or saved:",
            "Not copied or saved:",
        ),
    };
    let mut text = String::new();
    if !only_sent {
        let they = if one { "It is" } else { "They are" };
        text = format!("{they} lost when {when}.");
        let have = tokens.values().into_iter().filter(|it| !lost.contains(it));
        for value in have {
            let word = tokens.taken(value).word();
            text += &format!(" The {} was {word}.", value.name());
        }
        text += if lost.iter().any(sent) { " " } else { "" };
    }
    if lost.iter().any(sent) {
        text += &format!(
            "Your terminal did not confirm the copy. Paste it somewhere to check before {when}."
        );
    }
    Question::new(format!("{asked} {state}"), text, buttons)
        .with_rows(rows(false))
        .with_narrow(format!("{asked} {short}"), rows(true))
        .beginning_on(Shortcut::Letter('s'))
}

/// Returns the question whether to quit during a refresh.
pub(super) fn leave_refresh() -> Dialog<RootDialog> {
    let buttons = [(Shortcut::Letter('y'), QUIT), (Shortcut::Esc, "Stay")];
    let text = "The service may have already replaced the refresh token. If you quit now, the new one is lost, and you may \
        have to sign in again.";
    let question = Question::new("Quit? The tokens are being refreshed.", text, &buttons)
        .with_aside("Ctrl+C again also quits");
    Dialog::question(RootDialog::LeaveRefresh, question)
}

/// Returns the question whether to quit without saving the changes to a profile.
pub(super) fn leave_changes(profile: &str) -> Dialog<RootDialog> {
    let buttons = [
        (Shortcut::Letter('s'), SAVE_NOW),
        (Shortcut::Letter('y'), QUIT),
        (Shortcut::Esc, "Stay"),
    ];
    let text = format!("The changes to \"{profile}\" are lost when you quit.");
    let question = Question::new("Quit? The profile has unsaved changes.", text, &buttons)
        .with_aside("Ctrl+C again also quits")
        .beginning_on(Shortcut::Letter('s'));
    Dialog::question(RootDialog::LeaveChanges, question)
}

/// Returns whether a value fits in a window of this size. The last row is reserved for the way back.
pub(super) fn fits(value: &SecretString, (columns, rows): (u16, u16)) -> bool {
    let room = usize::from(columns) * usize::from(rows.saturating_sub(1));
    width(value.expose_secret()) <= room
}

/// Returns the question whether to show a value where it stays in the scrollback.
pub(super) fn scrollback(content: Content, value: SecretString) -> Dialog<RootDialog> {
    let text = format!(
        "This value has {} characters and doesn't fit in this window. If you show it outside the program, it stays in your \
            terminal's scrollback, where others may find it.",
        thousands(value.expose_secret().chars().count())
    );
    let buttons = [(Shortcut::Letter('y'), SHOW), (Shortcut::Esc, "Back")];
    let question = Question::new("Show it outside the program?", text, &buttons);
    Dialog::question(RootDialog::Scrollback(content, value), question)
}

/// The screen below the dialogs: its route and its items.
pub(super) struct Below<'a> {
    pub(super) route: Route,
    pub(super) items: &'a [ItemView],
}

/// Calls `act` with the content of the dialogs over this screen.
pub(super) fn with_source<T>(
    below: &Below<'_>,
    theme: Theme,
    act: impl FnOnce(&dialog::Source<'_, RootDialog>) -> T,
) -> T {
    act(&dialog::Source {
        list: &|_, _| more_list(below.items),
        reading: &|id, columns| match id {
            RootDialog::Message(said) => Reading {
                title: "Message".to_owned(),
                lines: said_lines(said, theme, columns),
            },
            _ => Reading {
                title: format!("Help: {}", below.route.name()),
                lines: help_lines(below, theme, columns),
            },
        },
        caption: &|_, _| Vec::new(),
    })
}

/// Draws a dialog over this screen, and returns the cursor position.
pub(super) fn draw(
    dialog: &Dialog<RootDialog>,
    below: &Below<'_>,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    with_source(below, theme, |source| {
        dialog::draw(dialog, source, theme, frame, area)
    })
}

/// Returns the list of the buttons that are not at the bottom, each with its key and what it does.
fn more_list(items: &[ItemView]) -> List {
    let entry = |item: &ItemView| {
        let key = item.shortcut.name();
        let about = item.more.as_deref().unwrap_or_default();
        // A reason that goes on after its first sentence is in full below the list.
        let first = first_sentence(about);
        let is_cut = item.off && first.len() < about.len();
        let whole = if is_cut {
            format!("{}: {about}", item.label)
        } else {
            String::new()
        };
        let about = if is_cut {
            first.trim_end_matches('.')
        } else {
            about
        };
        ListEntry {
            key: item.label.to_string(),
            name: item.label.to_string(),
            about: match (key.is_empty(), about.is_empty()) {
                (true, _) => about.to_owned(),
                (false, true) => format!("key: {key}"),
                (false, false) => format!("key: {key}. {about}"),
            },
            whole,
            off: item.off,
            ..ListEntry::default()
        }
    };
    let shown = items.iter().filter(|item| item.is_under_more());
    List {
        head: "More".to_owned(),
        entries: shown.map(entry).collect(),
        ..List::default()
    }
}

/// Help on copying: the program can't control what happens to copied text after it is sent.
const COPYING: [(&str, &str); 4] = [
    (
        "Copy",
        "uses the desktop clipboard, the tmux buffer or, over SSH, an escape sequence that your terminal may or may not \
            support (OSC 52). The message names the method.",
    ),
    (
        "View alone",
        "shows only the value, unwrapped, to select with the mouse.",
    ),
    (
        "tmux",
        "prefix ] pastes the copied text. For tmux inside tmux, run tmux set -s set-clipboard on in the outer one.",
    ),
    (
        "Terminal",
        "oauth-authorizer doctor shows what was detected about your terminal, and the flags to correct it.",
    ),
];

/// Returns the sentences below their labels, with an empty row between them.
fn said_lines(said: &[Said], theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    for sentence in said {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let label = sentence.label.to_string();
        lines.push(Line::styled(label, theme.tone(sentence.tone)));
        lines.extend(wrap(&sentence.text, columns).into_iter().map(Line::from));
    }
    lines
}

/// Returns the help: the keys of the screen, then all other keys, then help on copying.
fn help_lines(below: &Below<'_>, theme: Theme, columns: usize) -> Vec<Line<'static>> {
    let indent = if columns < usize::from(NARROW) {
        10
    } else {
        18
    };
    let head = |text: String| Line::styled(text, theme.strong());
    let line = |key: &str, words: &str| {
        // Measured as the terminal shows it.
        let key = shown_label(key, !theme.utf8);
        if width(&key) + 2 < indent {
            return labeled_lines(&format!("  {key}"), words, indent, columns);
        }
        let key = wrap(&key, columns.saturating_sub(2)).into_iter();
        let mut lines: Vec<Line<'_>> = key.map(|key| Line::from(format!("  {key}"))).collect();
        lines.extend(labeled_lines("", words, indent, columns));
        lines
    };
    let mut lines = vec![head(format!("This screen: {}", below.route.name()))];
    for (key, words) in screen_keys(below.items) {
        lines.extend(line(&key, &words));
    }
    for (part, keys) in keys::help() {
        lines.push(Line::default());
        lines.push(head(part.to_owned()));
        for (keys, words) in keys {
            lines.extend(line(&keys, words));
        }
    }
    lines.push(Line::default());
    lines.push(head("Copying and your terminal".to_owned()));
    for (label, words) in COPYING {
        lines.extend(line(label, words));
    }
    lines
}

/// Returns the keys of a screen with these items; keys that do the same share an entry.
fn screen_keys(items: &[ItemView]) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    if items.iter().any(|item| item.kind == Kind::Line) {
        found.push(("↑ ↓".to_owned(), "select a line".to_owned()));
    }
    for item in items.iter().filter(|item| !item.off) {
        let key = item.shortcut.name();
        if key.is_empty() {
            continue;
        }
        let label = in_sentence(&item.label);
        let words = match &item.more {
            Some(about) => format!("{label}: {}", lower_first(about)),
            None => label,
        };
        match found.iter_mut().find(|(_, same)| *same == words) {
            Some((keys, _)) => keys.push_str(&format!(", {key}")),
            None => found.push((key.into_owned(), words)),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::environment::Environment;
    use crate::tui::screen::Place;

    fn item_view(kind: Kind, label: &'static str, shortcut: Shortcut) -> ItemView {
        ItemView {
            kind,
            label: label.into(),
            shortcut,
            beside: false,
            fix: None,
            enter: None,
            hint: None,
            more: None,
            off: false,
            place: Place::Row(0),
            focused: false,
        }
    }

    #[test]
    fn more_entry_shows_one_sentence_and_whole_text_below() {
        let entry = |why: &'static str| {
            let item = ItemView {
                more: Some(why.into()),
                off: true,
                place: Place::More,
                ..item_view(Kind::Button, "Revoke…", Shortcut::None)
            };
            let entry = more_list(&[item]).entries.remove(0);
            (entry.about, entry.whole)
        };
        let by_hand =
            "No endpoint is known. To revoke access by hand, remove the app at https://e.org";
        let (about, whole) = entry(by_hand);
        assert_eq!(about, "No endpoint is known");
        assert_eq!(whole, format!("Revoke…: {by_hand}"));
        let (about, whole) = entry("No endpoint is known");
        assert_eq!(
            (about.as_str(), whole.as_str()),
            ("No endpoint is known", "")
        );
    }

    #[test]
    fn the_help_begins_with_the_keys_of_the_screen() {
        let items = [
            item_view(Kind::Line, "Access token", Shortcut::None),
            item_view(Kind::Button, "Copy", Shortcut::Letter('c')),
            item_view(Kind::Button, "Save…", Shortcut::Letter('s')),
            item_view(Kind::Button, "Copy", Shortcut::Letter('n')),
            item_view(Kind::Button, "Back", Shortcut::Esc),
        ];
        let below = Below {
            route: Route::Tokens,
            items: &items,
        };
        for (utf8, arrows) in [
            (true, "  ↑ ↓             select a line"),
            (false, "  Up Down         select a line"),
        ] {
            let environment = Environment {
                utf8,
                ..Environment::default()
            };
            let lines = help_lines(&below, Theme::new(&environment), 76);
            let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
            assert_eq!(
                lines[..6],
                [
                    "This screen: tokens",
                    arrows,
                    "  c, n            copy",
                    "  s               save",
                    "  Esc             back",
                    "",
                ]
            );
            let heads: Vec<&String> = lines
                .iter()
                .filter(|line| !line.starts_with(' ') && !line.is_empty())
                .collect();
            assert_eq!(
                heads,
                [
                    "This screen: tokens",
                    "Everywhere",
                    "In a text field",
                    "In a list",
                    "In the help and other texts",
                    "Copying and your terminal"
                ]
            );
        }
        // A key wider than its column gets its own row, so the texts don't run together.
        let lines = help_lines(&below, Theme::new(&Environment::default()), 37);
        assert!(lines.iter().all(|line| width(&line.to_string()) <= 37));
    }
}
