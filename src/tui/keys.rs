//! The one key table: what a key does, where, and what the footer and the help say about it.
//!
//! A key that is not in the table does nothing, so none can exist undocumented. What a letter presses is not here but in the
//! items of each screen.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::layout;
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
    Fix,
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

/// A key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const fn key(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::NONE,
    }
}

const fn ctrl(letter: char) -> Chord {
    Chord {
        code: KeyCode::Char(letter),
        modifiers: KeyModifiers::CONTROL,
    }
}

const TAB: Chord = key(KeyCode::Tab);
const BACK_TAB: Chord = key(KeyCode::BackTab);
const ENTER: Chord = key(KeyCode::Enter);
const ESC: Chord = key(KeyCode::Esc);
const SPACE: Chord = key(KeyCode::Char(' '));
const LEFT: Chord = key(KeyCode::Left);
const RIGHT: Chord = key(KeyCode::Right);
const UP: Chord = key(KeyCode::Up);
const DOWN: Chord = key(KeyCode::Down);
const HOME: Chord = key(KeyCode::Home);
const END: Chord = key(KeyCode::End);
const PAGE_UP: Chord = key(KeyCode::PageUp);
const PAGE_DOWN: Chord = key(KeyCode::PageDown);
const BACKSPACE: Chord = key(KeyCode::Backspace);
const DELETE: Chord = key(KeyCode::Delete);

impl fmt::Display for Chord {
    /// As on a keyboard, such as `Ctrl+A`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(letter) if self.modifiers == KeyModifiers::CONTROL => {
                write!(f, "Ctrl+{}", letter.to_ascii_uppercase())
            }
            KeyCode::BackTab => f.write_str("Shift+Tab"),
            KeyCode::PageDown => f.write_str("Page down"),
            KeyCode::PageUp => f.write_str("Page up"),
            code => write!(f, "{code:?}"),
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The key.
    pub chord: Chord,
    /// Where it counts.
    pub contexts: &'static [Context],
    /// What it asks for.
    pub command: Command,
    /// What it does, for the help.
    pub help: &'static str,
    /// What it does, for the footer; empty: not shown there.
    pub footer: &'static str,
}

const fn on(
    chord: Chord,
    contexts: &'static [Context],
    command: Command,
    help: &'static str,
    footer: &'static str,
) -> Binding {
    Binding {
        chord,
        contexts,
        command,
        help,
        footer,
    }
}

const fn edit(edit: Edit) -> Command {
    Command::Edit(edit)
}

#[cfg(unix)]
use Command::Suspend;
use Command::{
    ChangeLeft, ChangeRight, Enter, Escape, Fix, Leave, LineDown, LineUp, Next, PageDown, PageUp,
    Previous, Redraw, Toggle,
};
use Context::{Below, Button, Choice, List, Paste, Path, Picture, Reading, Text, Ticks};
use Edit::{Backspace, Delete, DeleteToEnd, DeleteToStart, DeleteWord, End, Home, Left, Right};

const ALL: &[Context] = &[
    Text, Paste, Choice, Button, Below, List, Ticks, Reading, Path, Picture,
];
const ITEMS: &[Context] = &[Text, Paste, Choice, Button, Below];
const BUTTONS: &[Context] = &[Button, Below];
const OPEN: &[Context] = &[List, Ticks, Reading, Path, Picture];
const LISTS: &[Context] = &[List, Ticks];
const TYPED: &[Context] = &[Text, Paste, List, Path];

/// The table. The first row that fits counts.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    on(TAB,        ITEMS,                      Next,                "next item", "next"),
    on(DOWN,       &[Below],                   LineDown,            "in the trace: scroll down", "scroll"),
    on(UP,         &[Below],                   LineUp,              "in the trace: scroll up", ""),
    on(DOWN,       ITEMS,                      Next,                "next item", ""),
    on(BACK_TAB,   ITEMS,                      Previous,            "item before", "back"),
    on(UP,         ITEMS,                      Previous,            "item before", ""),
    on(ENTER,      &[Text],                    Enter,               "in a text: to the next missing value, else to Authorize", "next missing"),
    on(ENTER,      &[Paste],                   Enter,               "in the paste box: hand over what is in it", "hand over"),
    on(ENTER,      BUTTONS,                    Enter,               "on a button: press it", "press"),
    on(SPACE,      BUTTONS,                    Enter,               "on a button: press it", ""),
    on(ENTER,      &[Choice],                  Enter,               "on a choice: to the next missing value", ""),
    on(LEFT,       &[Choice],                  ChangeLeft,          "change a choice", ""),
    on(RIGHT,      &[Choice],                  ChangeRight,         "change a choice", ""),
    on(SPACE,      &[Choice],                  Toggle,              "change a choice", "change"),
    on(LEFT,       BUTTONS,                    Previous,            "button before", ""),
    on(RIGHT,      BUTTONS,                    Next,                "next button", ""),
    on(DOWN,       LISTS,                      Next,                "in a list: down", "down"),
    on(UP,         LISTS,                      Previous,            "in a list: up", "up"),
    on(TAB,        LISTS,                      Next,                "in a list: down", ""),
    on(BACK_TAB,   LISTS,                      Previous,            "in a list: up", ""),
    on(ENTER,      &[List],                    Enter,               "in a list: take the marked entry", "take"),
    on(SPACE,      &[Ticks],                   Toggle,              "in the scope list: add or remove", "add or remove"),
    on(ENTER,      &[Path],                    Enter,               "in a path: save", "save"),
    on(TAB,        &[Path],                    Next,                "in a path: the token alone, or all as JSON", ""),
    on(ENTER,      &[Ticks, Reading, Picture], Escape,              "close the scope list, the help or the QR code", "close"),
    on(DOWN,       &[Reading],                 Next,                "in the help: scroll down", "scroll"),
    on(UP,         &[Reading],                 Previous,            "in the help: scroll up", ""),
    on(PAGE_DOWN,  ALL,                        PageDown,            "scroll down", ""),
    on(PAGE_UP,    ALL,                        PageUp,              "scroll up", ""),
    on(ESC,        OPEN,                       Escape,              "close what lies on top, else cancel the flow", "close"),
    on(ESC,        ITEMS,                      Escape,              "close what lies on top, else cancel the flow", ""),
    on(LEFT,       TYPED,                      edit(Left),          "in a text: one character back", ""),
    on(RIGHT,      TYPED,                      edit(Right),         "in a text: one character on", ""),
    on(HOME,       TYPED,                      edit(Home),          "in a text: to the beginning", ""),
    on(ctrl('a'),  TYPED,                      edit(Home),          "in a text: to the beginning", ""),
    on(END,        TYPED,                      edit(End),           "in a text: to the end", ""),
    on(ctrl('e'),  TYPED,                      edit(End),           "in a text: to the end", ""),
    on(BACKSPACE,  TYPED,                      edit(Backspace),     "in a text: delete the character before", ""),
    on(ctrl('h'),  TYPED,                      edit(Backspace),     "in a text: delete the character before", ""),
    on(DELETE,     TYPED,                      edit(Delete),        "in a text: delete the character", ""),
    on(ctrl('d'),  TYPED,                      edit(Delete),        "in a text: delete the character", ""),
    on(ctrl('w'),  TYPED,                      edit(DeleteWord),    "in a text: delete the word before", ""),
    on(ctrl('u'),  TYPED,                      edit(DeleteToStart), "in a text: delete all before", "clear"),
    on(ctrl('k'),  TYPED,                      edit(DeleteToEnd),   "in a text: delete all behind", ""),
    on(ctrl('f'),  &[Text, Choice, Button],    Fix,                 "on a field with a problem: make the change that helps, where there is one", ""),
    on(ctrl('l'),  ALL,                        Redraw,              "draw the screen anew", ""),
    #[cfg(unix)]
    on(ctrl('z'),  ALL,                        Suspend,             "to the shell, until fg", ""),
    on(ctrl('c'),  ALL,                        Leave,               "leave the program", "leave"),
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
            && row.chord.code == lower(event.code, modifiers)
            && row.chord.modifiers == modifiers
    });
    match (found, event.code, context) {
        (Some(row), _, _) => Some(row.command),
        (None, KeyCode::Char(ch), Text | Paste | List | Path) if typed => {
            Some(Command::Edit(Edit::Insert(ch)))
        }
        (None, KeyCode::Char(ch), Context::Button | Context::Below | Context::Choice)
            if typed && modifiers.is_empty() =>
        {
            let letter = layout::latin(ch).filter(|_| !ch.is_ascii()).unwrap_or(ch);
            Some(Command::Letter(letter.to_ascii_lowercase()))
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
pub fn footer(context: Context) -> Vec<(String, &'static str)> {
    TABLE
        .iter()
        .filter(|row| row.contexts.contains(&context) && !row.footer.is_empty())
        .map(|row| (row.chord.to_string(), row.footer))
        .collect()
}

/// All keys with their words; keys that do the same stand together.
#[must_use]
pub fn help() -> Vec<(String, &'static str)> {
    let mut lines: Vec<(Vec<String>, &'static str)> = Vec::new();
    for row in TABLE {
        let key = row.chord.to_string();
        match lines.iter_mut().find(|(_, help)| *help == row.help) {
            Some((keys, _)) if keys.contains(&key) => {}
            Some((keys, _)) => keys.push(key),
            None => lines.push((vec![key], row.help)),
        }
    }
    let joined = |(keys, help): (Vec<String>, _)| (keys.join(", "), help);
    lines.into_iter().map(joined).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: KeyModifiers = KeyModifiers::NONE;
    const CTRL: KeyModifiers = KeyModifiers::CONTROL;

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
        // By its place on the keyboard.
        assert_eq!(
            press(KeyCode::Char('с'), NONE, Button),
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
            assert!(footer(*context).iter().any(|(key, _)| key == "Ctrl+C"));
        }
    }

    #[test]
    fn escape_never_leaves() {
        assert!(
            TABLE
                .iter()
                .all(|row| row.chord != ESC || row.command == Command::Escape)
        );
    }

    #[test]
    fn every_row_is_in_the_help() {
        let help = help();
        for row in TABLE {
            let found = help.iter().any(|(keys, words)| {
                *words == row.help && keys.split(", ").any(|key| key == row.chord.to_string())
            });
            assert!(found && !row.help.is_empty(), "{}", row.chord);
        }
    }
}
