//! The one key table: what a key does, where, and what the footer and the help say about it.
//!
//! A key that is not in the table does nothing, so none can exist undocumented.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::widgets::editor::Edit;

/// What the focus is on, as far as keys are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A line being edited.
    Text,
    /// The paste box.
    Paste,
    /// A choice between a few values.
    Choice,
    /// A button, or a value that can be chosen.
    Button,
    /// A button below a text that scrolls and holds nothing else.
    Below,
    /// A list that is open, with a filter line.
    List,
    /// A list of things to tick.
    Ticks,
    /// A text to read.
    Reading,
    /// The path of a file to be written.
    Path,
    /// A picture to look at.
    Picture,
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// To the next item.
    Next,
    /// To the item before.
    Previous,
    /// The next value of a choice.
    ChangeRight,
    /// The value before.
    ChangeLeft,
    /// Presses a button, opens or takes from a list, goes on from a text.
    Enter,
    /// Changes the marked choice or tick.
    Toggle,
    /// Closes what lies on top, else cancels the flow.
    Escape,
    /// Leaves the program.
    Leave,
    /// Draws all anew.
    Redraw,
    /// To the shell, until `fg`.
    Suspend,
    /// Makes the change that helps against the problem of the field.
    Remedy,
    /// Edits the line.
    Edit(Edit),
    /// A line up.
    LineUp,
    /// A line down.
    LineDown,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Presses the button with this letter.
    Letter(char),
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    code: KeyCode,
    modifiers: KeyModifiers,
    /// Where it counts.
    pub contexts: &'static [Context],
    /// What it asks for.
    pub command: Command,
    /// The key on screen.
    pub key: &'static str,
    /// What it does, for the help; an empty text leaves it to the row above.
    pub help: &'static str,
    /// What it does, for the footer; empty: not shown there.
    pub footer: &'static str,
}

use Context::{Below, Button, Choice, List, Paste, Path, Picture, Reading, Text, Ticks};

const ALL: &[Context] = &[
    Text, Paste, Choice, Button, Below, List, Ticks, Reading, Path, Picture,
];
const ITEMS: &[Context] = &[Text, Paste, Choice, Button, Below];
const BUTTONS: &[Context] = &[Button, Below];
const OPEN: &[Context] = &[List, Ticks, Reading, Path, Picture];
const LISTS: &[Context] = &[List, Ticks];
const TYPED: &[Context] = &[Text, Paste, List, Path];

const fn row(
    code: KeyCode,
    modifiers: KeyModifiers,
    contexts: &'static [Context],
    command: Command,
    key: &'static str,
    help: &'static str,
    footer: &'static str,
) -> Binding {
    Binding {
        code,
        modifiers,
        contexts,
        command,
        key,
        help,
        footer,
    }
}

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;

/// The table. The first row that fits counts.
pub const TABLE: &[Binding] = &[
    row(
        KeyCode::Tab,
        NONE,
        ITEMS,
        Command::Next,
        "Tab",
        "next item",
        "next",
    ),
    row(
        KeyCode::Down,
        NONE,
        &[Below],
        Command::LineDown,
        "Down",
        "in the trace: scroll down",
        "scroll",
    ),
    row(
        KeyCode::Up,
        NONE,
        &[Below],
        Command::LineUp,
        "Up",
        "in the trace: scroll up",
        "",
    ),
    row(
        KeyCode::Down,
        NONE,
        ITEMS,
        Command::Next,
        "Down",
        "next item",
        "",
    ),
    row(
        KeyCode::BackTab,
        NONE,
        ITEMS,
        Command::Previous,
        "Shift+Tab",
        "item before",
        "back",
    ),
    row(
        KeyCode::Up,
        NONE,
        ITEMS,
        Command::Previous,
        "Up",
        "item before",
        "",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[Text],
        Command::Enter,
        "Enter",
        "in a text: to the next missing value, else to Authorize",
        "next missing",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[Paste],
        Command::Enter,
        "Enter",
        "in the paste box: hand over what is in it",
        "hand over",
    ),
    row(
        KeyCode::Enter,
        NONE,
        BUTTONS,
        Command::Enter,
        "Enter",
        "on a button: press it",
        "press",
    ),
    row(
        KeyCode::Char(' '),
        NONE,
        BUTTONS,
        Command::Enter,
        "Space",
        "on a button: press it",
        "",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[Choice],
        Command::Enter,
        "Enter",
        "on a choice: to the next missing value",
        "",
    ),
    row(
        KeyCode::Left,
        NONE,
        &[Choice],
        Command::ChangeLeft,
        "Left",
        "change a choice",
        "",
    ),
    row(
        KeyCode::Right,
        NONE,
        &[Choice],
        Command::ChangeRight,
        "Right",
        "change a choice",
        "",
    ),
    row(
        KeyCode::Char(' '),
        NONE,
        &[Choice],
        Command::Toggle,
        "Space",
        "change a choice",
        "change",
    ),
    row(
        KeyCode::Left,
        NONE,
        BUTTONS,
        Command::Previous,
        "Left",
        "button before",
        "",
    ),
    row(
        KeyCode::Right,
        NONE,
        BUTTONS,
        Command::Next,
        "Right",
        "next button",
        "",
    ),
    row(
        KeyCode::Down,
        NONE,
        LISTS,
        Command::Next,
        "Down",
        "in a list: down",
        "down",
    ),
    row(
        KeyCode::Up,
        NONE,
        LISTS,
        Command::Previous,
        "Up",
        "in a list: up",
        "up",
    ),
    row(
        KeyCode::Tab,
        NONE,
        LISTS,
        Command::Next,
        "Tab",
        "in a list: down",
        "",
    ),
    row(
        KeyCode::BackTab,
        NONE,
        LISTS,
        Command::Previous,
        "Shift+Tab",
        "in a list: up",
        "",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[List],
        Command::Enter,
        "Enter",
        "in a list: take the marked entry",
        "take",
    ),
    row(
        KeyCode::Char(' '),
        NONE,
        &[Ticks],
        Command::Toggle,
        "Space",
        "in the scope list: add or remove",
        "add or remove",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[Path],
        Command::Enter,
        "Enter",
        "in a path: save",
        "save",
    ),
    row(
        KeyCode::Tab,
        NONE,
        &[Path],
        Command::Next,
        "Tab",
        "in a path: the token alone, or all as JSON",
        "",
    ),
    row(
        KeyCode::Enter,
        NONE,
        &[Ticks, Reading, Picture],
        Command::Escape,
        "Enter",
        "close the scope list, the help or the QR code",
        "close",
    ),
    row(
        KeyCode::Down,
        NONE,
        &[Reading],
        Command::Next,
        "Down",
        "in the help: scroll down",
        "scroll",
    ),
    row(
        KeyCode::Up,
        NONE,
        &[Reading],
        Command::Previous,
        "Up",
        "in the help: scroll up",
        "",
    ),
    row(
        KeyCode::PageDown,
        NONE,
        ALL,
        Command::PageDown,
        "Page down",
        "scroll down",
        "",
    ),
    row(
        KeyCode::PageUp,
        NONE,
        ALL,
        Command::PageUp,
        "Page up",
        "scroll up",
        "",
    ),
    row(
        KeyCode::Esc,
        NONE,
        OPEN,
        Command::Escape,
        "Esc",
        "close what lies on top, else cancel the flow",
        "close",
    ),
    row(
        KeyCode::Esc,
        NONE,
        ITEMS,
        Command::Escape,
        "Esc",
        "close what lies on top, else cancel the flow",
        "",
    ),
    row(
        KeyCode::Left,
        NONE,
        TYPED,
        Command::Edit(Edit::Left),
        "Left",
        "in a text: one character back",
        "",
    ),
    row(
        KeyCode::Right,
        NONE,
        TYPED,
        Command::Edit(Edit::Right),
        "Right",
        "in a text: one character on",
        "",
    ),
    row(
        KeyCode::Home,
        NONE,
        TYPED,
        Command::Edit(Edit::Home),
        "Home",
        "in a text: to the beginning",
        "",
    ),
    row(
        KeyCode::Char('a'),
        CTRL,
        TYPED,
        Command::Edit(Edit::Home),
        "Ctrl+A",
        "in a text: to the beginning",
        "",
    ),
    row(
        KeyCode::End,
        NONE,
        TYPED,
        Command::Edit(Edit::End),
        "End",
        "in a text: to the end",
        "",
    ),
    row(
        KeyCode::Char('e'),
        CTRL,
        TYPED,
        Command::Edit(Edit::End),
        "Ctrl+E",
        "in a text: to the end",
        "",
    ),
    row(
        KeyCode::Backspace,
        NONE,
        TYPED,
        Command::Edit(Edit::Backspace),
        "Backspace",
        "in a text: delete the character before",
        "",
    ),
    row(
        KeyCode::Char('h'),
        CTRL,
        TYPED,
        Command::Edit(Edit::Backspace),
        "Ctrl+H",
        "in a text: delete the character before",
        "",
    ),
    row(
        KeyCode::Delete,
        NONE,
        TYPED,
        Command::Edit(Edit::Delete),
        "Delete",
        "in a text: delete the character",
        "",
    ),
    row(
        KeyCode::Char('d'),
        CTRL,
        TYPED,
        Command::Edit(Edit::Delete),
        "Ctrl+D",
        "in a text: delete the character",
        "",
    ),
    row(
        KeyCode::Char('w'),
        CTRL,
        TYPED,
        Command::Edit(Edit::DeleteWord),
        "Ctrl+W",
        "in a text: delete the word before",
        "",
    ),
    row(
        KeyCode::Char('u'),
        CTRL,
        TYPED,
        Command::Edit(Edit::DeleteToStart),
        "Ctrl+U",
        "in a text: delete all before",
        "clear",
    ),
    row(
        KeyCode::Char('k'),
        CTRL,
        TYPED,
        Command::Edit(Edit::DeleteToEnd),
        "Ctrl+K",
        "in a text: delete all behind",
        "",
    ),
    row(
        KeyCode::Char('f'),
        CTRL,
        &[Text, Choice, Button],
        Command::Remedy,
        "Ctrl+F",
        "on a field with a problem: make the change that helps, where there is one",
        "",
    ),
    row(
        KeyCode::Char('l'),
        CTRL,
        ALL,
        Command::Redraw,
        "Ctrl+L",
        "draw the screen anew",
        "",
    ),
    #[cfg(unix)]
    row(
        KeyCode::Char('z'),
        CTRL,
        ALL,
        Command::Suspend,
        "Ctrl+Z",
        "to the shell, until fg",
        "",
    ),
    row(
        KeyCode::Char('c'),
        CTRL,
        ALL,
        Command::Leave,
        "Ctrl+C",
        "leave the program",
        "leave",
    ),
];

/// What `event` asks for where the focus is `context`.
#[must_use]
pub fn command(event: &KeyEvent, context: Context) -> Option<Command> {
    // Shift is part of the character, and terminals differ in whether they report it.
    let modifiers = event.modifiers - KeyModifiers::SHIFT;
    // Windows reports AltGr as Ctrl+Alt together with the character that it makes.
    let alt_gr = KeyModifiers::CONTROL | KeyModifiers::ALT;
    let typed =
        matches!(event.code, KeyCode::Char(_)) && (modifiers.is_empty() || modifiers == alt_gr);
    let found = TABLE.iter().find(|row| {
        row.contexts.contains(&context)
            && row.code == lower(event.code, modifiers)
            && row.modifiers == modifiers
    });
    match (found, event.code, context) {
        (Some(row), _, _) => Some(row.command),
        (None, KeyCode::Char(ch), Text | Paste | List | Path) if typed => {
            Some(Command::Edit(Edit::Insert(ch)))
        }
        (None, KeyCode::Char(ch), Context::Button | Context::Below | Context::Choice)
            if typed && modifiers.is_empty() =>
        {
            Some(Command::Letter(ch.to_ascii_lowercase()))
        }
        _ => None,
    }
}

/// Ctrl+Shift+C arrives as an upper-case letter on some terminals.
fn lower(code: KeyCode, modifiers: KeyModifiers) -> KeyCode {
    match code {
        KeyCode::Char(ch) if modifiers.contains(KeyModifiers::CONTROL) => {
            KeyCode::Char(ch.to_ascii_lowercase())
        }
        other => other,
    }
}

/// The keys worth a place in the footer, with their words.
#[must_use]
pub fn footer(context: Context) -> Vec<(&'static str, &'static str)> {
    TABLE
        .iter()
        .filter(|row| row.contexts.contains(&context) && !row.footer.is_empty())
        .map(|row| (row.key, row.footer))
        .collect()
}

/// All keys with their words; keys that do the same stand together.
#[must_use]
pub fn help() -> Vec<(String, &'static str)> {
    let mut lines: Vec<(String, &'static str)> = Vec::new();
    for row in TABLE {
        match lines.iter_mut().find(|(_, help)| *help == row.help) {
            Some((keys, _)) if keys.split(", ").any(|key| key == row.key) => {}
            Some((keys, _)) => {
                keys.push_str(", ");
                keys.push_str(row.key);
            }
            None => lines.push((row.key.to_owned(), row.help)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(code: KeyCode, modifiers: KeyModifiers, context: Context) -> Option<Command> {
        command(&KeyEvent::new(code, modifiers), context)
    }

    #[test]
    fn characters_are_text_only_where_text_is_typed() {
        assert_eq!(
            press(KeyCode::Char('q'), NONE, Text),
            Some(Command::Edit(Edit::Insert('q')))
        );
        assert_eq!(
            press(KeyCode::Char('Q'), KeyModifiers::SHIFT, Text),
            Some(Command::Edit(Edit::Insert('Q')))
        );
        assert_eq!(
            press(KeyCode::Char('C'), NONE, Button),
            Some(Command::Letter('c'))
        );
        assert_eq!(
            press(KeyCode::Char('@'), CTRL | KeyModifiers::ALT, Text),
            Some(Command::Edit(Edit::Insert('@')))
        );
        assert_eq!(press(KeyCode::Char('x'), KeyModifiers::ALT, Text), None);
        assert_eq!(press(KeyCode::Char('q'), NONE, Reading), None);
    }

    #[test]
    fn leaving_and_redrawing_work_everywhere() {
        for context in ALL {
            assert_eq!(
                press(KeyCode::Char('c'), CTRL, *context),
                Some(Command::Leave)
            );
            assert_eq!(
                press(KeyCode::Char('L'), CTRL | KeyModifiers::SHIFT, *context),
                Some(Command::Redraw)
            );
            assert!(footer(*context).iter().any(|(key, _)| *key == "Ctrl+C"));
        }
    }

    #[test]
    fn escape_never_leaves() {
        assert!(
            TABLE
                .iter()
                .all(|row| row.code != KeyCode::Esc || row.command == Command::Escape)
        );
    }

    #[test]
    fn every_row_is_in_the_help() {
        let help = help();
        for row in TABLE {
            let found = help.iter().any(|(keys, words)| {
                *words == row.help && keys.split(", ").any(|key| key == row.key)
            });
            assert!(found && !row.help.is_empty(), "{}", row.key);
        }
    }
}
