//! One line of text being edited.

use tui_input::{Input, InputRequest};
use zeroize::{Zeroize, Zeroizing};

use super::text::width;
use crate::clean::is_visible;

/// No value is longer: no setting needs that, and a paste may be anything. Answers that are pasted have the same limit.
const LIMIT: usize = 32 * 1024;

/// An edit of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Types a character.
    Insert(char),
    /// One character to the left.
    Left,
    /// One character to the right.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// One word to the left.
    WordLeft,
    /// One word to the right.
    WordRight,
    /// Takes back the last change.
    Undo,
    /// Deletes before the cursor.
    Backspace,
    /// Deletes at the cursor.
    Delete,
    /// Deletes the word before the cursor.
    DeleteWord,
    /// Deletes all before the cursor.
    DeleteToStart,
    /// Deletes all behind the cursor.
    DeleteToEnd,
}

/// So many changes can be taken back.
const CHANGES: usize = 100;

/// The editor of the focused field. Shows nothing of its text in `Debug` and wipes it on drop: it may
/// hold a secret.
#[derive(Default)]
pub struct Editor {
    input: Input,
    /// The texts before the latest changes, each with its cursor.
    before: Vec<(Zeroizing<String>, usize)>,
    /// The last change typed a character: the next one belongs to it.
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
    /// An editor with its cursor at the end.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            input: Input::new(text.to_owned()),
            before: Vec::new(),
            typing: false,
        }
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// The columns before the cursor.
    #[must_use]
    pub fn cursor_column(&self) -> usize {
        let before: String = self.text().chars().take(self.input.cursor()).collect();
        width(&before)
    }

    /// How many characters stand before the cursor.
    #[must_use]
    pub fn cursor(&self) -> usize {
        self.input.cursor()
    }

    /// True if no character can be added.
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

    /// Keeps what was there before a change, unless the change goes on with the last one.
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

    /// Puts a paste in at the cursor: one line, so line breaks, tabs and other control characters go. False if it is too
    /// long, and nothing has changed: what was cut would be of no use.
    #[must_use]
    pub fn paste(&mut self, text: &str) -> bool {
        let cursor = self.cursor();
        let clean: String = text.chars().filter(|ch| is_visible(*ch)).collect();
        if self.text().len() + clean.len() > LIMIT {
            return false;
        }
        let before: String = self.text().chars().take(cursor).collect();
        let after: String = self.text().chars().skip(cursor).collect();
        let end = cursor + clean.chars().count();
        self.keep((Zeroizing::new(self.text().to_owned()), cursor), false);
        self.input = Input::new(before + &clean + &after).with_cursor(end);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_goes_in_at_the_cursor_as_one_line() {
        let mut field = Editor::new("ad");
        field.edit(Edit::Left);
        assert!(field.paste("b\r\nc\t\u{1b}\u{202e}"));
        assert_eq!((field.text(), field.cursor()), ("abcd", 3));
        field.edit(Edit::Insert('x'));
        assert_eq!(field.text(), "abcxd");
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
    fn changes_are_taken_back_one_by_one() {
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
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Editor::new("s3cret")), "Editor");
    }
}
