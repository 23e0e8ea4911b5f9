//! An editor for one line of text.

use tui_input::{Input, InputRequest};
use zeroize::{Zeroize, Zeroizing};

use super::text::width;
use crate::clean::is_visible;
use crate::escapes::without_escapes;

/// Maximum length of a value, in bytes: no setting needs more, and a paste may be any text. Pasted redirects have the
/// same limit.
const LIMIT: usize = 32 * 1024;

/// A key's effect on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Types a character.
    Insert(char),
    /// Moves one character to the left.
    Left,
    /// Moves one character to the right.
    Right,
    /// Moves to the start.
    Home,
    /// Moves to the end.
    End,
    /// Moves one word to the left.
    WordLeft,
    /// Moves one word to the right.
    WordRight,
    /// Undoes the last change.
    Undo,
    /// Deletes the character before the cursor.
    Backspace,
    /// Deletes the character at the cursor.
    Delete,
    /// Deletes the word before the cursor.
    DeleteWord,
    /// Deletes the word at or after the cursor.
    DeleteNextWord,
    /// Deletes everything before the cursor.
    DeleteToStart,
    /// Deletes everything after the cursor.
    DeleteToEnd,
}

/// Maximum number of changes that can be undone.
const CHANGES: usize = 100;

/// The editor of the focused field. It shows none of its text in `Debug` and wipes the text on drop, because the text
/// may be a secret.
#[derive(Default)]
pub struct Editor {
    input: Input,
    /// The texts before the latest changes, each with its cursor position.
    before: Vec<(Zeroizing<String>, usize)>,
    /// Whether the last change typed a character. If so, typing another one belongs to the same change.
    typing: bool,
}

impl std::fmt::Debug for Editor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Editor")
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        String::from(std::mem::take(&mut self.input)).zeroize();
    }
}

impl Editor {
    /// Creates an editor with its cursor at the end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
            before: Vec::new(),
            typing: false,
        }
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Returns the number of columns before the cursor.
    #[must_use]
    pub fn cursor_column(&self) -> usize {
        let before: String = self.text().chars().take(self.input.cursor()).collect();
        width(&before)
    }

    /// Returns the number of characters before the cursor.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.input.cursor()
    }

    /// Returns whether no character can be added.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.text().len() >= LIMIT
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        let request = match edit {
            Edit::Insert(ch) if !is_visible(ch) || self.is_full() => return,
            Edit::Insert(ch) => InputRequest::InsertChar(ch),
            Edit::Undo => {
                if let Some((text, cursor)) = self.before.pop() {
                    self.input = Input::new(text.to_string()).with_cursor(cursor);
                }
                self.typing = false;
                return;
            }
            Edit::WordLeft => InputRequest::GoToPrevWord,
            Edit::WordRight => InputRequest::GoToNextWord,
            Edit::Left => InputRequest::GoToPrevChar,
            Edit::Right => InputRequest::GoToNextChar,
            Edit::Home => InputRequest::GoToStart,
            Edit::End => InputRequest::GoToEnd,
            Edit::Backspace => InputRequest::DeletePrevChar,
            Edit::Delete => InputRequest::DeleteNextChar,
            Edit::DeleteWord => InputRequest::DeletePrevWord,
            Edit::DeleteNextWord => InputRequest::DeleteNextWord,
            Edit::DeleteToStart => InputRequest::DeleteFromStart,
            Edit::DeleteToEnd => InputRequest::DeleteTillEnd,
        };
        let types = matches!(edit, Edit::Insert(_));
        let before = (Zeroizing::new(self.text().to_owned()), self.cursor());
        self.input.handle(request);
        if *before.0 == self.text() {
            self.typing = false;
        } else {
            self.keep(before, types);
        }
    }

    /// Saves the text before a change, unless the change continues the previous one.
    fn keep(&mut self, before: (Zeroizing<String>, usize), types: bool) {
        if !(types && self.typing) {
            if self.before.len() >= CHANGES {
                self.before.remove(0);
            }
            self.before.push(before);
        }
        self.typing = types;
    }

    /// Replaces the whole text.
    pub fn replace(&mut self, text: &str) {
        if text == self.text() {
            return;
        }
        let before = (Zeroizing::new(self.text().to_owned()), self.cursor());
        self.keep(before, false);
        self.input = Input::new(text.to_owned());
    }

    /// Inserts pasted text at the cursor as one line: line breaks, tabs, other control characters and escape sequences are
    /// dropped.
    /// Returns false and changes nothing if the text is too long, because a cut value would be useless.
    #[must_use]
    pub fn paste(&mut self, text: &str) -> bool {
        let cursor = self.cursor();
        let clean = line_of(text);
        if self.text().len() + clean.len() > LIMIT {
            return false;
        }
        let before: String = self.text().chars().take(cursor).collect();
        let after: String = self.text().chars().skip(cursor).collect();
        let end = cursor + clean.chars().count();
        self.keep((Zeroizing::new(self.text().to_owned()), cursor), false);
        self.input = Input::new(before + clean.as_str() + &after).with_cursor(end);
        true
    }

    /// Replaces the whole text by pasted text, in the same way.
    #[must_use]
    pub fn paste_over(&mut self, text: &str) -> bool {
        let clean = line_of(text);
        if clean.len() > LIMIT {
            return false;
        }
        self.replace(&clean);
        true
    }
}

/// Returns the visible characters of a paste.
fn line_of(paste: &str) -> Zeroizing<String> {
    let plain = without_escapes(paste);
    let mut line = Zeroizing::new(String::with_capacity(plain.len()));
    line.extend(plain.chars().filter(|ch| is_visible(*ch)));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paste_is_inserted_at_the_cursor_as_one_line() {
        let mut field = Editor::new("ad");
        field.edit(Edit::Left);
        assert!(field.paste("b\r\nc\t\u{1b}\u{202e}"));
        assert_eq!((field.text(), field.cursor()), ("abcd", 3));
        field.edit(Edit::Insert('x'));
        assert_eq!(field.text(), "abcxd");
    }

    #[test]
    fn escape_sequences_of_a_paste_are_dropped() {
        let mut field = Editor::new("/tmp/");
        assert!(field.paste("\u{1b}[31mfoo\n\u{1b}[0mbar\u{1b}]8;;\u{1b}\\.txt"));
        assert_eq!((field.text(), field.cursor()), ("/tmp/foobar.txt", 15));
        assert!(field.paste_over("\u{1b}[1ms3cret\u{1b}[0m"));
        assert_eq!(field.text(), "s3cret");
    }

    #[test]
    fn a_paste_that_is_too_long_changes_nothing() {
        let mut field = Editor::default();
        assert!(field.paste(&"x".repeat(LIMIT)));
        assert!(!field.paste("y"));
        field.edit(Edit::Insert('y'));
        field.edit(Edit::Backspace);
        assert_eq!(field.text(), "x".repeat(LIMIT - 1));
        assert!(!field.paste("é"));
        assert!(field.paste("\r\ny\u{1b}"));
        assert!(field.text().ends_with("xy"));
    }

    #[test]
    fn undo_restores_text_that_a_paste_replaced() {
        let mut field = Editor::new("before");
        assert!(field.paste_over("af\r\nter"));
        assert_eq!(field.text(), "after");
        assert!(!field.paste_over(&"x".repeat(LIMIT + 1)));
        assert_eq!(field.text(), "after");
        field.edit(Edit::Undo);
        assert_eq!(field.text(), "before");
    }

    #[test]
    fn undo_reverts_changes_one_by_one() {
        let mut field = Editor::new("before");
        for ch in "abc".chars() {
            field.edit(Edit::Insert(ch));
        }
        field.edit(Edit::Home);
        assert!(field.paste("x "));
        field.edit(Edit::DeleteToEnd);
        assert_eq!(field.text(), "x ");
        for expected in ["x beforeabc", "beforeabc", "before", "before"] {
            field.edit(Edit::Undo);
            assert_eq!(field.text(), expected);
        }
        field.edit(Edit::End);
        field.edit(Edit::WordLeft);
        assert_eq!(field.cursor(), 0);
    }

    #[test]
    fn debug_output_shows_no_text() {
        assert_eq!(format!("{:?}", Editor::new("s3cret")), "Editor");
    }
}
