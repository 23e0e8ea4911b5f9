//! The key table: what each key does in each context, and its text in the footer and the help.
//!
//! A key that is not in the table does nothing, so no key can be undocumented. The letters that press buttons are not
//! in this table, but in the items of each screen.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::widgets::editor::Edit;
use crate::keyboard::encodings::ALT_OR_ESC;
use crate::keyboard::layout;

/// The kind of item that has the focus, which decides what keys do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// A text field.
    Text,
    /// The paste box.
    Paste,
    /// A value that is searched by typing.
    Search,
    /// A choice between a few values.
    Choice,
    /// A button, or a line that can be selected.
    Button,
    /// A button, below a body that only scrolls.
    Below,
    /// An open list with a filter line.
    List,
    /// An open list without a filter line.
    Pick,
    /// An open list without a filter line, on an entry that can't be selected.
    Unavailable,
    /// A list of entries to select or clear.
    Ticks,
    /// A text to read.
    Reading,
    /// The path of a file to save.
    Path,
    /// A picture, such as a QR code.
    Picture,
}

impl Context {
    /// Returns whether letters are typed as text.
    #[must_use]
    pub fn is_typed(self) -> bool {
        TYPED.contains(&self)
    }
}

/// The action that a key requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Moves to the next item.
    Next,
    /// Moves to the previous item.
    Previous,
    /// Changes a choice to its next value.
    ChangeRight,
    /// Changes a choice to its previous value.
    ChangeLeft,
    /// Presses a button, opens a list, selects an entry, or moves on from a text field.
    Enter,
    /// Changes the selected choice, or selects or clears the entry.
    Toggle,
    /// Goes back one level.
    Escape,
    /// Quits the program.
    Leave,
    /// Redraws the screen.
    Redraw,
    /// Suspends the program until `fg`.
    Suspend,
    /// Applies the fix that the message area suggests.
    Fix,
    /// Shows the whole message if a small window cuts it.
    WholeMessage,
    /// Saves what the screen shows.
    Save,
    /// Shows or hides the client secret.
    Reveal,
    /// Restores the preset's value.
    Restore,
    /// Deletes the selected entry.
    Delete,
    /// Edits the text.
    Edit(Edit),
    /// Scrolls up a line.
    LineUp,
    /// Scrolls down a line.
    LineDown,
    /// Scrolls up a page.
    PageUp,
    /// Scrolls down a page.
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

impl Chord {
    fn is_arrow(self) -> bool {
        [UP, DOWN, LEFT, RIGHT].contains(&self)
    }

    fn is_page(self) -> bool {
        [PAGE_UP, PAGE_DOWN].contains(&self)
    }
}

const fn key(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::NONE,
    }
}

const fn with_ctrl(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::CONTROL,
    }
}

const fn with_alt(code: KeyCode) -> Chord {
    Chord {
        code,
        modifiers: KeyModifiers::ALT,
    }
}

const fn alt(letter: char) -> Chord {
    with_alt(KeyCode::Char(letter))
}

const fn ctrl(letter: char) -> Chord {
    with_ctrl(KeyCode::Char(letter))
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
const WORD_LEFT: Chord = with_ctrl(KeyCode::Left);
const WORD_RIGHT: Chord = with_ctrl(KeyCode::Right);
const CTRL_BACKSPACE: Chord = with_ctrl(KeyCode::Backspace);
// The same on a Mac.
const ALT_LEFT: Chord = with_alt(KeyCode::Left);
const ALT_RIGHT: Chord = with_alt(KeyCode::Right);
const ALT_BACKSPACE: Chord = with_alt(KeyCode::Backspace);

impl fmt::Display for Chord {
    /// Writes the key as it is labeled on a keyboard, such as `Ctrl+A`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            KeyCode::Char(' ') => f.write_str("Space"),
            KeyCode::Char(letter) if self.modifiers == KeyModifiers::CONTROL => {
                write!(f, "Ctrl+{}", letter.to_ascii_uppercase())
            }
            KeyCode::Char(letter) if self.modifiers == KeyModifiers::ALT => {
                write!(f, "Alt+{}", letter.to_ascii_uppercase())
            }
            KeyCode::Up => f.write_str("↑"),
            KeyCode::Down => f.write_str("↓"),
            KeyCode::Left if self.modifiers.is_empty() => f.write_str("←"),
            KeyCode::Right if self.modifiers.is_empty() => f.write_str("→"),
            KeyCode::BackTab => f.write_str("Shift+Tab"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::Delete => f.write_str("Del"),
            code if self.modifiers == KeyModifiers::CONTROL => write!(f, "Ctrl+{code:?}"),
            code if self.modifiers == KeyModifiers::ALT => write!(f, "Alt+{code:?}"),
            code => write!(f, "{code:?}"),
        }
    }
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The key.
    pub chord: Chord,
    /// The contexts in which the key works.
    pub contexts: &'static [Context],
    /// The action that the key requests.
    pub command: Command,
    /// What the key does, for the help.
    pub help: &'static str,
    /// What the key does, for the footer; empty if the footer doesn't show it.
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
    Previous, Redraw, Restore, Reveal, Save, Toggle, WholeMessage,
};
use Context::{
    Below, Button, Choice, List, Paste, Path, Pick, Picture, Reading, Search, Text, Ticks,
    Unavailable,
};
use Edit::{
    Backspace, DeleteNextWord, DeleteToEnd, DeleteToStart, DeleteWord, End, Home, Left, Right,
    Undo, WordLeft, WordRight,
};

const ALL: &[Context] = &[
    Text,
    Paste,
    Search,
    Choice,
    Button,
    Below,
    List,
    Pick,
    Unavailable,
    Ticks,
    Reading,
    Path,
    Picture,
];
const ITEMS: &[Context] = &[Text, Paste, Search, Choice, Button, Below];
const BUTTONS: &[Context] = &[Button, Below];
const OPEN: &[Context] = &[List, Pick, Unavailable, Ticks, Reading, Path, Picture];
const LISTS: &[Context] = &[List, Pick, Unavailable, Ticks];
const READ: &[Context] = &[Below, Reading, Picture];
const TYPED: &[Context] = &[Text, Paste, List, Path];
const FIELDS: &[Context] = &[Text, Paste, Path];

/// The key table. The first row that matches an event counts.
#[rustfmt::skip]
pub const TABLE: &[Binding] = &[
    on(ENTER,      &[Text],                    Enter,               "in the form: next empty required field, or Authorize", "next required"),
    on(ENTER,      &[Paste],                   Enter,               "in the paste box: submit the pasted text", "submit"),
    on(ENTER,      &[Search],                  Enter,               "on Preset: open the list of services", "list"),
    on(ENTER,      BUTTONS,                    Enter,               "press the button, or act on the selected line", "press"),
    on(SPACE,      BUTTONS,                    Enter,               "press the button, or act on the selected line", ""),
    on(ENTER,      &[Choice],                  Enter,               "on a choice: next empty required field, or Authorize", ""),
    on(LEFT,       &[Choice],                  ChangeLeft,          "change a choice", "change"),
    on(RIGHT,      &[Choice],                  ChangeRight,         "change a choice", ""),
    on(SPACE,      &[Choice],                  Toggle,              "change a choice", ""),
    on(ENTER,      &[List, Pick],              Enter,               "select", "select"),
    on(SPACE,      &[Ticks],                   Toggle,              "in a list of scopes: select or clear", "select"),
    on(ENTER,      &[Ticks],                   Escape,              "in a list of scopes: close the list", "done"),
    on(ENTER,      &[Path],                    Enter,               "in a dialog: confirm", "confirm"),
    on(TAB,        &[Path],                    Next,                "when saving a token: everything as JSON, or the token \
        alone", ""),
    on(ENTER,      &[Reading, Picture],        Escape,              "close", "close"),
    on(TAB,        ITEMS,                      Next,                "next", "next"),
    on(UP,         &[Below],                   LineUp,              "scroll", ""),
    on(DOWN,       &[Below],                   LineDown,            "scroll", "scroll"),
    on(DOWN,       ITEMS,                      Next,                "next", ""),
    on(BACK_TAB,   ITEMS,                      Previous,            "previous", ""),
    on(UP,         ITEMS,                      Previous,            "previous", ""),
    on(LEFT,       BUTTONS,                    Previous,            "previous", ""),
    on(RIGHT,      BUTTONS,                    Next,                "next", ""),
    on(UP,         LISTS,                      Previous,            "move", ""),
    on(DOWN,       LISTS,                      Next,                "move", "move"),
    on(TAB,        LISTS,                      Next,                "move", ""),
    on(BACK_TAB,   LISTS,                      Previous,            "move", ""),
    on(UP,         &[Reading],                 Previous,            "scroll", ""),
    on(DOWN,       &[Reading],                 Next,                "scroll", "scroll"),
    on(PAGE_UP,    ALL,                        PageUp,              "scroll", ""),
    on(PAGE_DOWN,  ALL,                        PageDown,            "scroll", ""),
    on(LEFT,       TYPED,                      edit(Left),          "move the cursor", ""),
    on(RIGHT,      TYPED,                      edit(Right),         "move the cursor", ""),
    on(WORD_LEFT,  TYPED,                      edit(WordLeft),      "previous or next word", ""),
    on(WORD_RIGHT, TYPED,                      edit(WordRight),     "previous or next word", ""),
    on(ALT_LEFT,   TYPED,                      edit(WordLeft),      "previous or next word", ""),
    on(ALT_RIGHT,  TYPED,                      edit(WordRight),     "previous or next word", ""),
    on(alt('b'),   TYPED,                      edit(WordLeft),      "previous or next word", ""),
    on(alt('f'),   TYPED,                      edit(WordRight),     "previous or next word", ""),
    on(HOME,       TYPED,                      edit(Home),          "start of the line", ""),
    on(ctrl('a'),  TYPED,                      edit(Home),          "start of the line", ""),
    on(END,        TYPED,                      edit(End),           "end of the line", ""),
    on(ctrl('e'),  TYPED,                      edit(End),           "end of the line", ""),
    on(BACKSPACE,  TYPED,                      edit(Backspace),     "delete the previous character", ""),
    on(ctrl('h'),  TYPED,                      edit(Backspace),     "delete the previous character", ""),
    on(DELETE,     TYPED,                      edit(Edit::Delete),  "delete the next character", ""),
    on(ctrl('d'),  TYPED,                      edit(Edit::Delete),  "delete the next character", ""),
    on(ctrl('w'),  TYPED,                      edit(DeleteWord),    "delete the previous word", ""),
    on(CTRL_BACKSPACE, TYPED,                  edit(DeleteWord),    "delete the previous word", ""),
    on(ALT_BACKSPACE, TYPED,                   edit(DeleteWord),    "delete the previous word", ""),
    on(alt('d'),   TYPED,                      edit(DeleteNextWord), "delete the next word", ""),
    on(ctrl('u'),  TYPED,                      edit(DeleteToStart), "delete to the start of the line", "clear"),
    on(ctrl('k'),  TYPED,                      edit(DeleteToEnd),   "delete to the end of the line", ""),
    on(ctrl('_'),  FIELDS,                     edit(Undo),          "undo", ""),
    // Most terminals send Ctrl+7 for Ctrl+_.
    on(ctrl('7'),  FIELDS,                     edit(Undo),          "undo", ""),
    on(ctrl('t'),  &[Text],                    Restore,             "restore the preset's value", ""),
    on(DELETE,     BUTTONS,                    Command::Delete,     "delete the selected entry; asks first", ""),
    on(ctrl('f'),  ITEMS,                      Fix,                 "apply the suggested fix", ""),
    on(ctrl('o'),  ITEMS,                      WholeMessage,        "show all of a message that a small window cuts off", ""),
    on(ctrl('r'),  ITEMS,                      Reveal,              "show or hide the secret", ""),
    on(ctrl('s'),  ITEMS,                      Save,                "save", ""),
    on(ESC,        OPEN,                       Escape,              "close the list, text or dialog", "close"),
    on(ESC,        ITEMS,                      Escape,              "go back one level", ""),
    on(ctrl('l'),  ALL,                        Redraw,              "redraw the screen", ""),
    #[cfg(unix)]
    on(ctrl('z'),  ALL,                        Suspend,             "suspend (fg resumes)", ""),
    on(ctrl('c'),  ALL,                        Leave,               "quit; asks first if tokens or changes would be lost", "quit"),
];

/// Returns the keys of an event. Without an encoding for Alt, a terminal sends Esc and the letter, as for both keys one
/// after the other. The event of such a letter has `ALT_OR_ESC`. `is_alt` says whether it is a key with Alt.
#[must_use]
pub fn pressed(event: KeyEvent, is_alt: impl FnOnce(char) -> bool) -> Vec<KeyEvent> {
    let modified = |modifiers| KeyEvent { modifiers, ..event };
    match event.code {
        KeyCode::Char(letter) if event.modifiers == ALT_OR_ESC => {
            if is_alt(letter) {
                vec![modified(KeyModifiers::ALT)]
            } else {
                vec![KeyCode::Esc.into(), modified(KeyModifiers::NONE)]
            }
        }
        _ => vec![event],
    }
}

/// Returns the action that `event` requests if the focus is on an item of kind `context`.
#[must_use]
pub fn command(event: &KeyEvent, context: Context) -> Option<Command> {
    // Shift is part of the character, and terminals differ in whether they report it.
    let modifiers = event.modifiers - KeyModifiers::SHIFT;
    // Windows reports AltGr as Ctrl+Alt together with the resulting character.
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
        (None, KeyCode::Char(ch), Text | Paste | Search | List | Path) if typed => {
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

/// Returns the key in lowercase: some terminals report Ctrl+Shift+C as an uppercase letter.
fn lower(code: KeyCode, modifiers: KeyModifiers) -> KeyCode {
    match code {
        KeyCode::Char(ch) if modifiers.contains(KeyModifiers::CONTROL) => {
            KeyCode::Char(ch.to_ascii_lowercase())
        }
        other => other,
    }
}

/// Returns the keys to show in the footer, with their texts. Arrow keys that do the same share an entry.
#[must_use]
pub fn footer(context: Context) -> Vec<(String, &'static str)> {
    let rows = || TABLE.iter().filter(|row| row.contexts.contains(&context));
    let mut lines = Vec::new();
    for row in rows().filter(|row| !row.footer.is_empty()) {
        let mut keys = row.chord.to_string();
        if row.chord.is_arrow() {
            let same = || rows().filter(|other| other.help == row.help);
            let chords =
                |kind: fn(Chord) -> bool| same().map(|row| row.chord).filter(move |it| kind(*it));
            keys = chords(Chord::is_arrow)
                .map(|chord| chord.to_string())
                .collect();
            for chord in chords(Chord::is_page) {
                keys.push_str(&format!(" {chord}"));
            }
        }
        lines.push((keys, row.footer));
    }
    lines
}

/// The sections of the help.
const GROUPS: &[(&str, &[Context])] = &[
    ("Everywhere", ALL),
    ("In a text field", TYPED),
    ("In a list", LISTS),
    ("In the help and other texts", READ),
];

/// Returns all keys with their texts, by section; keys that do the same share an entry.
#[must_use]
pub fn help() -> Vec<(&'static str, Vec<(String, &'static str)>)> {
    let part = |row: &Binding| {
        let within = |contexts: &[Context]| row.contexts.iter().all(|one| contexts.contains(one));
        let found = GROUPS.iter().rposition(|(_, contexts)| within(contexts));
        found.unwrap_or(0)
    };
    let mut parts = Vec::new();
    for (at, (name, _)) in GROUPS.iter().enumerate() {
        let mut lines: Vec<(Vec<String>, &'static str)> = Vec::new();
        for row in TABLE.iter().filter(|row| part(row) == at) {
            let key = row.chord.to_string();
            match lines.iter_mut().find(|(_, help)| *help == row.help) {
                Some((keys, _)) if keys.contains(&key) => {}
                Some((keys, _)) => keys.push(key),
                None => lines.push((vec![key], row.help)),
            }
        }
        // Arrows need no comma.
        let arrows = ["↑", "↓", "←", "→"];
        let joined = |(keys, help): (Vec<String>, _)| {
            let keys = arrows.iter().fold(keys.join(", "), |keys, arrow| {
                keys.replace(&format!("{arrow}, "), &format!("{arrow} "))
            });
            (keys, help)
        };
        parts.push((*name, lines.into_iter().map(joined).collect()));
    }
    parts
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
        // By its position on the keyboard.
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
        let ctrl_u = |context| press(KeyCode::Char('u'), CTRL, context);
        assert_eq!(ctrl_u(List), Some(Command::Edit(DeleteToStart)));
        for context in [Pick, Unavailable, Ticks] {
            assert_eq!(press(KeyCode::Char('q'), NONE, context), None);
            assert_eq!(ctrl_u(context), None);
        }
    }

    #[test]
    fn alt_and_ctrl_move_and_delete_by_words_in_a_text() {
        for modifiers in [CTRL, KeyModifiers::ALT] {
            for (code, edit) in [
                (KeyCode::Left, WordLeft),
                (KeyCode::Right, WordRight),
                (KeyCode::Backspace, DeleteWord),
                (KeyCode::Char('b'), WordLeft),
                (KeyCode::Char('f'), WordRight),
                (KeyCode::Char('d'), DeleteNextWord),
            ] {
                // Ctrl has other meanings with letters.
                if modifiers == CTRL && matches!(code, KeyCode::Char(_)) {
                    continue;
                }
                for context in TYPED {
                    let found = press(code, modifiers, *context);
                    assert_eq!(found, Some(Command::Edit(edit)));
                }
                assert_eq!(press(code, modifiers, Button), None);
            }
        }
    }

    #[test]
    fn letter_after_esc_is_alt_or_two_keys() {
        let key = |code: char, modifiers| KeyEvent::new(KeyCode::Char(code), modifiers);
        let meta = key('b', ALT_OR_ESC);
        let alt = key('b', KeyModifiers::ALT);
        assert_eq!(pressed(meta, |letter| letter == 'b'), [alt]);
        assert_eq!(
            pressed(meta, |_| false),
            [KeyCode::Esc.into(), key('b', NONE)]
        );
        for other in [alt, key('b', NONE), key('b', KeyModifiers::META)] {
            assert_eq!(pressed(other, |_| false), [other]);
        }
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
    fn footer_groups_arrows_with_equivalent_keys() {
        let keys = |context, words| {
            let line = footer(context).into_iter().find(|(_, it)| *it == words);
            line.map(|(keys, _)| keys).unwrap_or_default()
        };
        assert_eq!(keys(Reading, "scroll"), "↑↓ PgUp PgDn");
        assert_eq!(keys(Below, "scroll"), "↑↓ PgUp PgDn");
        assert_eq!(keys(List, "move"), "↑↓");
        assert_eq!(keys(Choice, "change"), "←→");
        assert_eq!(keys(Text, "next"), "Tab");
    }

    #[test]
    fn escape_never_quits() {
        assert!(
            TABLE
                .iter()
                .all(|row| row.chord != ESC || row.command == Command::Escape)
        );
    }

    #[test]
    fn every_key_is_in_the_help() {
        let help = help();
        let lines: Vec<_> = help.into_iter().flat_map(|(_, lines)| lines).collect();
        for row in TABLE {
            let found = lines.iter().any(|(keys, words)| {
                *words == row.help
                    && keys
                        .split([',', ' '])
                        .any(|key| key == row.chord.to_string())
            });
            assert!(found && !row.help.is_empty(), "{}", row.chord);
        }
    }
}
