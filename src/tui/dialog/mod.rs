//! Dialogs over a screen, of five kinds. A screen defines a dialog and handles its answer; it neither draws the dialog
//! nor reads its keys.

mod entries;
mod head;
mod line;
mod list;
mod page_list;
mod picture;
pub mod qr_code;
mod question;
mod reading;
#[cfg(test)]
mod testing;

use ratatui::Frame;
use ratatui::layout::{Position, Rect};

pub use self::entries::{List, ListEntry};
pub use self::line::Prompt;
use self::qr_code::Picture;
pub use self::question::Question;
pub use self::reading::Reading;
use super::keys::{Command, Context};
use super::widgets::button::Shortcut;
use super::widgets::editor::{Edit, Editor};
use super::widgets::theme::Theme;
use crate::secret::{ExposeSecret, SecretString};

/// A dialog, and its purpose.
#[derive(Debug)]
pub struct Dialog<D> {
    /// The purpose of the dialog.
    pub id: D,
    /// The kind of dialog, with its state.
    pub kind: DialogKind,
}

/// The kinds of dialogs.
#[derive(Debug)]
pub enum DialogKind {
    /// A list of entries.
    List {
        /// The filter line, if the list has one.
        filter: Option<Editor>,
        /// The selected entry.
        marked: Mark,
        /// Whether entries are selected and cleared one by one, instead of choosing one.
        ticks: bool,
    },
    /// A question.
    Question(Question),
    /// A text to read.
    Reading {
        /// The first visible line.
        scroll: usize,
    },
    /// A text field.
    Line {
        /// The texts around the field.
        prompt: Prompt,
        /// The editor of the field.
        editor: Editor,
        /// Whether the text is a secret, which is masked. It may be empty.
        secret: bool,
    },
    /// A QR code.
    Picture(Box<Picture>),
}

/// The user's answer in a dialog.
#[derive(Debug)]
pub enum Answer {
    /// An entry was chosen.
    Picked {
        /// The key of the entry.
        key: String,
        /// The text in the filter line.
        filter: String,
    },
    /// An entry was selected or cleared; the dialog stays open.
    Ticked(String),
    /// The button with this label was pressed.
    Button(&'static str),
    /// A text was entered.
    Text(SecretString),
    /// Tab was pressed in a text field that contains this text; the dialog stays open.
    Other(SecretString),
}

/// The effect of a key on a dialog.
#[derive(Debug)]
pub enum Reply {
    /// The dialog stays open.
    Open,
    /// The dialog stays open, and the screen gets the answer.
    Tell(Answer),
    /// The dialog closes.
    Close(Option<Answer>),
}

/// The selected entry of a list, by its key, so that it stays selected when the list is reloaded.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    key: Option<String>,
    /// The position of the entry, for when the entry is gone.
    place: usize,
}

impl Mark {
    fn on(key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            place: 0,
        }
    }

    /// Returns the current position of the entry; before the user has selected one, the first that can be chosen.
    fn place(&self, entries: &[ListEntry]) -> usize {
        if self.key.is_none() {
            let first = entries.iter().position(|entry| !entry.off);
            return first.unwrap_or(0);
        }
        let same = |entry: &ListEntry| self.key.as_ref() == Some(&entry.key);
        let last = entries.len().saturating_sub(1);
        if entries.get(self.place).is_some_and(same) {
            return self.place;
        }
        let found = entries.iter().position(same);
        found.unwrap_or(self.place.min(last))
    }

    fn move_to(&mut self, place: usize, entries: &[ListEntry]) -> Reply {
        *self = Self {
            key: entries.get(place).map(|entry| entry.key.clone()),
            place,
        };
        Reply::Open
    }
}

/// A function that returns the content of a list dialog.
type Lists<'a, D> = dyn Fn(&D, &str) -> List + 'a;

impl<D> Dialog<D> {
    /// Creates a list to choose from, with a filter line. The entry with the key `marked` is selected at first, if
    /// there is one.
    #[must_use]
    pub fn filtered_list(id: D, filter: &str, marked: &str) -> Self {
        let kind = DialogKind::List {
            filter: Some(Editor::new(filter)),
            // A filter takes precedence over the entry that was selected before.
            marked: if filter.is_empty() {
                Mark::on(marked)
            } else {
                Mark::default()
            },
            ticks: false,
        };
        Self { id, kind }
    }

    /// Creates a list to choose from, or to select and clear entries in.
    #[must_use]
    pub fn list(id: D, ticks: bool) -> Self {
        let kind = DialogKind::List {
            filter: None,
            marked: Mark::default(),
            ticks,
        };
        Self { id, kind }
    }

    /// Creates a list to choose from. The entry with the key `marked` is selected at first, if there is one.
    #[must_use]
    pub fn list_on(id: D, marked: &str) -> Self {
        let kind = DialogKind::List {
            filter: None,
            marked: Mark::on(marked),
            ticks: false,
        };
        Self { id, kind }
    }

    /// Creates a question.
    #[must_use]
    pub fn question(id: D, question: Question) -> Self {
        let kind = DialogKind::Question(question);
        Self { id, kind }
    }

    /// Creates a text to read.
    #[must_use]
    pub fn reading(id: D) -> Self {
        let kind = DialogKind::Reading { scroll: 0 };
        Self { id, kind }
    }

    /// Creates a text field that contains `text`.
    #[must_use]
    pub fn line(id: D, prompt: Prompt, text: &str) -> Self {
        let kind = DialogKind::Line {
            prompt,
            editor: Editor::new(text),
            secret: false,
        };
        Self { id, kind }
    }

    /// Puts a sentence before the text above the field, if the dialog has one.
    pub fn lead_with(&mut self, sentence: &str) {
        if let DialogKind::Line { prompt, .. } = &mut self.kind {
            prompt.lead = format!("{sentence} {}", prompt.lead);
        }
    }

    /// Creates a field for a secret, which may be left empty. It contains `text`, masked.
    #[must_use]
    pub fn secret(id: D, prompt: Prompt, text: &SecretString) -> Self {
        let kind = DialogKind::Line {
            prompt,
            editor: Editor::new(text.expose_secret()),
            secret: true,
        };
        Self { id, kind }
    }

    /// Creates a QR code.
    #[must_use]
    pub fn picture(id: D, picture: Picture) -> Self {
        let kind = DialogKind::Picture(Box::new(picture));
        Self { id, kind }
    }

    /// Returns the context that decides what keys do in the dialog.
    #[must_use]
    pub fn context(&self, source: &Source<'_, D>) -> Context {
        match &self.kind {
            DialogKind::List { ticks: true, .. } => Context::Ticks,
            DialogKind::List {
                filter: Some(_), ..
            } => Context::List,
            DialogKind::List { marked, .. } => {
                let entries = (source.list)(&self.id, "").entries;
                match entries.get(marked.place(&entries)) {
                    Some(entry) if !entry.off => Context::Pick,
                    _ => Context::Unavailable,
                }
            }
            DialogKind::Question(_) => Context::Button,
            DialogKind::Reading { .. } => Context::Reading,
            DialogKind::Line { .. } => Context::Path,
            DialogKind::Picture(_) => Context::Picture,
        }
    }

    /// Pastes into the text field or the filter line. Returns false if the text is too long.
    #[must_use]
    pub fn paste(&mut self, text: &str) -> bool {
        match &mut self.kind {
            DialogKind::List {
                filter: Some(filter),
                marked,
                ..
            } => {
                *marked = Mark::default();
                filter.paste(text)
            }
            DialogKind::Line { editor, .. } => editor.paste(text),
            DialogKind::List { filter: None, .. }
            | DialogKind::Question(_)
            | DialogKind::Reading { .. }
            | DialogKind::Picture(_) => true,
        }
    }

    /// Handles a key, in a window with this theme and size.
    pub fn key(
        &mut self,
        command: Command,
        source: &Source<'_, D>,
        (theme, area): (Theme, Rect),
    ) -> Reply {
        match &mut self.kind {
            DialogKind::Question(question) => question_key(question, command, (theme, area)),
            _ if command == Command::Escape => Reply::Close(None),
            DialogKind::List { filter, marked, .. } => {
                let text = filter.as_ref().map_or("", Editor::text).to_owned();
                let list = (source.list)(&self.id, &text);
                let place = marked.place(&list.entries);
                let page = list::height(&list, filter.is_some(), place, theme, area);
                list_key(
                    command,
                    filter.as_mut(),
                    marked,
                    &list.entries,
                    (text, page),
                )
            }
            DialogKind::Reading { scroll } => {
                let lines = (source.reading)(&self.id, reading::columns(area)).lines;
                let (height, last) = reading::height(lines.len(), area);
                let page = isize::try_from(height.saturating_sub(1).max(1)).unwrap_or(1);
                let by = match command {
                    Command::Next => 1,
                    Command::Previous => -1,
                    Command::PageDown => page,
                    Command::PageUp => -page,
                    _ => 0,
                };
                *scroll = (*scroll).min(last).saturating_add_signed(by).min(last);
                Reply::Open
            }
            DialogKind::Line { editor, secret, .. } => match command {
                Command::Edit(edit) => {
                    editor.edit(edit);
                    Reply::Open
                }
                Command::Next => Reply::Tell(Answer::Other(editor.text().into())),
                Command::Enter if *secret || !editor.text().trim().is_empty() => {
                    Reply::Close(Some(Answer::Text(editor.text().trim().into())))
                }
                _ => Reply::Open,
            },
            DialogKind::Picture(_) => Reply::Open,
        }
    }
}

fn question_key(question: &mut Question, command: Command, window: (Theme, Rect)) -> Reply {
    let count = question.buttons.len();
    let answer = match command {
        Command::Next => {
            question.selected = around(question.selected, 1, count);
            return Reply::Open;
        }
        Command::Previous => {
            question.selected = around(question.selected, -1, count);
            return Reply::Open;
        }
        Command::PageDown | Command::PageUp => {
            question.turn(command == Command::PageDown, window);
            return Reply::Open;
        }
        Command::Enter => question.buttons.get(question.selected).map(|(_, it)| *it),
        Command::Letter(letter) => question.answer(Shortcut::Letter(letter)),
        // Esc closes the question even if no button has it.
        Command::Escape => return Reply::Close(question.answer(Shortcut::Esc).map(Answer::Button)),
        _ => None,
    };
    match answer {
        Some(answer) => Reply::Close(Some(Answer::Button(answer))),
        None => Reply::Open,
    }
}

fn list_key(
    command: Command,
    filter: Option<&mut Editor>,
    marked: &mut Mark,
    entries: &[ListEntry],
    (text, page): (String, usize),
) -> Reply {
    let place = marked.place(entries);
    let last = entries.len().saturating_sub(1);
    let chosen = entries.get(place).filter(|entry| !entry.off);
    let key = || chosen.map(|entry| entry.key.clone());
    // Keep one entry of the previous page visible.
    let page = page.saturating_sub(1).max(1);
    match command {
        Command::Next | Command::Previous => {
            let by = if command == Command::Next { 1 } else { -1 };
            marked.move_to(around(place, by, entries.len()), entries)
        }
        Command::PageDown => marked.move_to((place + page).min(last), entries),
        Command::PageUp => marked.move_to(place.saturating_sub(page), entries),
        Command::Edit(edit) => {
            if let Some(filter) = filter {
                filter.edit(edit);
                if !matches!(edit, Edit::Left | Edit::Right | Edit::Home | Edit::End) {
                    *marked = Mark::default();
                }
            }
            Reply::Open
        }
        Command::Enter => match key() {
            Some(key) => Reply::Close(Some(Answer::Picked { key, filter: text })),
            None => Reply::Open,
        },
        Command::Toggle => match key() {
            Some(key) => Reply::Tell(Answer::Ticked(key)),
            None => Reply::Open,
        },
        _ => Reply::Open,
    }
}

/// Returns the next or the previous position, wrapping around at the ends.
fn around(place: usize, by: isize, count: usize) -> usize {
    match (count, by > 0) {
        (0, _) => 0,
        (count, true) => (place + 1) % count,
        (count, false) => (place + count - 1) % count,
    }
}

/// Functions that return the content of dialogs, which only the screen knows.
pub struct Source<'a, D> {
    /// Returns the entries of a list, filtered by the typed text.
    pub list: &'a Lists<'a, D>,
    /// Returns a text, in lines of at most this many columns.
    pub reading: &'a dyn Fn(&D, usize) -> Reading,
    /// Returns the text next to a picture, for an area of this many columns and rows.
    pub caption: &'a picture::Captions<'a>,
}

/// Draws a dialog, and returns the cursor position.
pub fn draw<D>(
    dialog: &Dialog<D>,
    source: &Source<'_, D>,
    theme: Theme,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    match &dialog.kind {
        DialogKind::List { filter, marked, .. } => {
            let text = filter.as_ref().map_or("", Editor::text);
            let list = (source.list)(&dialog.id, text);
            let marked = marked.place(&list.entries);
            list::draw(&list, filter.as_ref(), marked, theme, frame, area)
        }
        DialogKind::Question(question) => question::draw(question, theme, frame, area),
        DialogKind::Reading { scroll } => {
            let reading = (source.reading)(&dialog.id, reading::columns(area));
            Some(reading::draw(reading, *scroll, theme, frame, area))
        }
        DialogKind::Line {
            prompt,
            editor,
            secret,
        } => Some(line::draw(prompt, (editor, *secret), theme, frame, area)),
        DialogKind::Picture(picture) => {
            Some(picture::draw(picture, source.caption, theme, frame, area))
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::text::Line;

    use super::*;
    use crate::console::environment::Environment;
    use crate::secret::ExposeSecret;

    fn entries(names: &[&str], filter: &str) -> Vec<ListEntry> {
        let fit = names.iter().filter(|name| name.contains(filter));
        fit.map(|name| ListEntry {
            key: (*name).to_owned(),
            name: (*name).to_owned(),
            ..ListEntry::default()
        })
        .collect()
    }

    /// Sends a key to a dialog whose list has these entries, and whose text has 100 lines.
    fn key_with(dialog: &mut Dialog<()>, command: Command, names: &[&str]) -> Reply {
        key_in(dialog, command, &|filter| entries(names, filter))
    }

    fn key_in(
        dialog: &mut Dialog<()>,
        command: Command,
        entries: &dyn Fn(&str) -> Vec<ListEntry>,
    ) -> Reply {
        let theme = Theme::new(&Environment::default());
        let list = |(): &(), filter: &str| List {
            entries: entries(filter),
            ..List::default()
        };
        let source = Source {
            list: &list,
            reading: &|(), _| Reading {
                lines: vec![Line::default(); 100],
                ..Reading::default()
            },
            caption: &|_, _| Vec::new(),
        };
        dialog.key(command, &source, (theme, Rect::new(0, 0, 80, 24)))
    }

    fn key(dialog: &mut Dialog<()>, command: Command) -> Reply {
        key_with(dialog, command, &["alpha", "beta", "gamma"])
    }

    #[test]
    fn filtered_list_returns_the_picked_name() {
        let mut dialog = Dialog::filtered_list((), "", "gamma");
        assert!(matches!(key(&mut dialog, Command::Next), Reply::Open));
        key(&mut dialog, Command::Next);
        key(&mut dialog, Command::Edit(Edit::Insert('t')));
        let reply = key(&mut dialog, Command::Enter);
        assert!(matches!(
            reply,
            Reply::Close(Some(Answer::Picked { key, filter })) if key == "beta" && filter == "t"
        ));
        key(&mut dialog, Command::Edit(Edit::Insert('x')));
        assert!(matches!(key(&mut dialog, Command::Enter), Reply::Open));
    }

    #[test]
    fn reloaded_list_keeps_its_selection() {
        let mut dialog = Dialog::list((), false);
        key(&mut dialog, Command::Next);
        let reply = key_with(&mut dialog, Command::Enter, &["aardvark", "alpha", "beta"]);
        assert!(matches!(
            reply,
            Reply::Close(Some(Answer::Picked { key, .. })) if key == "beta"
        ));
        // The entry in the place of one that is gone.
        let reply = key_with(&mut dialog, Command::Enter, &["alpha", "gamma"]);
        assert!(matches!(
            reply,
            Reply::Close(Some(Answer::Picked { key, .. })) if key == "gamma"
        ));
    }

    #[test]
    fn list_offers_enter_only_on_available_entries() {
        let some_off = |_: &str| {
            let mut entries = entries(&["alpha", "beta", "gamma"], "");
            entries[0].off = true;
            entries
        };
        let context = |dialog: &Dialog<()>, entries: &dyn Fn(&str) -> Vec<ListEntry>| {
            let list = |(): &(), filter: &str| List {
                entries: entries(filter),
                ..List::default()
            };
            dialog.context(&Source {
                list: &list,
                reading: &|(), _| Reading::default(),
                caption: &|_, _| Vec::new(),
            })
        };
        let mut dialog = Dialog::list((), false);
        assert_eq!(context(&dialog, &some_off), Context::Pick);
        let reply = key_in(&mut dialog, Command::Enter, &some_off);
        assert!(matches!(
            reply,
            Reply::Close(Some(Answer::Picked { key, .. })) if key == "beta"
        ));
        key_in(&mut dialog, Command::Previous, &some_off);
        assert_eq!(context(&dialog, &some_off), Context::Unavailable);
        let reply = key_in(&mut dialog, Command::Enter, &some_off);
        assert!(matches!(reply, Reply::Open));
        assert_eq!(context(&dialog, &|_| Vec::new()), Context::Unavailable);
        let filtered = Dialog::filtered_list((), "", "");
        assert_eq!(context(&filtered, &some_off), Context::List);
    }

    #[test]
    fn duplicate_names_do_not_trap_the_selection() {
        let mut dialog = Dialog::list((), false);
        let twice = ["a", "repo", "repo", "z"];
        for _ in 0..3 {
            key_with(&mut dialog, Command::Next, &twice);
        }
        let reply = key_with(&mut dialog, Command::Enter, &twice);
        assert!(matches!(
            reply,
            Reply::Close(Some(Answer::Picked { key, .. })) if key == "z"
        ));
    }

    #[test]
    fn ticking_an_entry_leaves_the_list_open() {
        let mut dialog = Dialog::list((), true);
        key(&mut dialog, Command::PageDown);
        assert!(matches!(
            key(&mut dialog, Command::Toggle),
            Reply::Tell(Answer::Ticked(name)) if name == "gamma"
        ));
    }

    #[test]
    fn question_starts_on_the_harmless_button() {
        let buttons = [
            (Shortcut::Letter('s'), "Save"),
            (Shortcut::Letter('y'), "Delete"),
            (Shortcut::Esc, "Back"),
        ];
        let mut dialog = Dialog::question((), Question::new("Delete?", "", &buttons));
        let answered = |reply: Reply, expected: &str| {
            let is_it = matches!(reply, Reply::Close(Some(Answer::Button(at))) if at == expected);
            assert!(is_it, "{expected}");
        };
        for expected in ["Back", "Save", "Delete", "Back"] {
            answered(key(&mut dialog, Command::Enter), expected);
            key(&mut dialog, Command::Next);
        }
        answered(key(&mut dialog, Command::Escape), "Back");
        answered(key(&mut dialog, Command::Letter('y')), "Delete");
        let reply = key(&mut dialog, Command::Letter('x'));
        assert!(matches!(reply, Reply::Open));
    }

    #[test]
    fn text_scrolls_down_and_up_in_equal_pages() {
        let mut dialog = Dialog::reading(());
        let scroll = |dialog: &Dialog<()>| match dialog.kind {
            DialogKind::Reading { scroll } => scroll,
            _ => usize::MAX,
        };
        let mut pages = 0;
        let mut before = usize::MAX;
        while scroll(&dialog) != before {
            before = scroll(&dialog);
            key(&mut dialog, Command::PageDown);
            pages += 1;
        }
        assert!(before > 80 && pages < 10, "{before} {pages}");
        for _ in 1..pages {
            key(&mut dialog, Command::PageUp);
        }
        assert_eq!(scroll(&dialog), 0);
    }

    #[test]
    fn line_dialog_returns_trimmed_text_and_tab_requests_another() {
        let prompt = Prompt {
            title: String::new(),
            lead: String::new(),
            note: String::new(),
        };
        let mut dialog = Dialog::line((), prompt, "");
        assert!(matches!(key(&mut dialog, Command::Enter), Reply::Open));
        assert!(dialog.paste(" a path "));
        assert!(matches!(
            key(&mut dialog, Command::Next),
            Reply::Tell(Answer::Other(_))
        ));
        assert!(matches!(
            key(&mut dialog, Command::Enter),
            Reply::Close(Some(Answer::Text(text))) if text.expose_secret() == "a path"
        ));
    }
}
