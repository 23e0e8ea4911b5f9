//! Every screen in every terminal, at every size; and every item by Tab, Enter and its letter.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use oauth_authorizer::console::environment::Environment;
use ratatui::style::{Color, Modifier};

use oauth_authorizer::tui::screen::Shortcut;

use crate::app::fixtures::{Fixture, all};
use crate::app::{App, Asked, Drawn, XTERM, ascii, plain};

/// Smallest supported window. In a smaller window, a screen contains only a notice.
pub const SMALLEST: (u16, u16) = (40, 10);

/// From this width on, a screen may have two columns.
pub const WIDE: u16 = 120;

const SIZES: [(u16, u16); 7] = [
    (20, 5),
    (39, 9),
    (40, 10),
    (60, 15),
    (80, 24),
    (132, 43),
    (300, 100),
];

/// The characters of QR codes, which may be next to text.
const BLOCKS: [char; 3] = ['▀', '▄', '█'];

/// Words that appear only in a small window.
const SMALL: &str = "lines of PgUp PgDn not used unverified [o More…] [o More...] More… More... more Secret Redirect Auth. URL \
    Device Code Token Cert. key Login Listen on Extra [List] [Show] [Hide] [n] [u] \
    Sign in, then paste the final URL: (URL, code or error text) Sign in there and approve. Error page? Compare there: \
    If the page doesn't load, paste its URL: Waiting for the URL to be pasted. Esc asks before it cancels. \
    minutes seconds left Checked 4 times. profiles mail, Tokens Back Help If the page loads after signing in, there is nothing to paste. [n Copy tunnel] Anyone o \
    User info, introspection, revocation, claims, copy command, copy report. cancel More Show the other buttons. No setup TLS cert TLS key Key cert. Not copied or saved: May not have arrived:";

fn ellipsis(environment: &Environment) -> &'static str {
    if environment.utf8 { "…" } else { "..." }
}

/// Everything that a screen says, from drawings that have room for all of it.
struct Said {
    words: BTreeSet<String>,
    /// The text without spaces, to find text that is wrapped over rows.
    run: String,
}

impl Said {
    fn of(app: &mut App) -> Self {
        let mut said = Self {
            words: words(SMALL).map(str::to_owned).collect(),
            run: String::new(),
        };
        // The widest layout with one column, and one where both columns have enough room.
        let before = said.add(app, WIDE - 1, 100);
        said.add(app, 480, 100);
        // After a small window has removed, for example, a QR code, the screen below is visible from then on.
        app.draw(SMALLEST.0, SMALLEST.1);
        if said.add(app, WIDE - 1, 100) != before {
            said.add(app, 480, 100);
        }
        // The question about a value that doesn't fit is open only in a small window.
        if app.shows_a_value_alone() {
            said.add(app, 60, 15);
        }
        said
    }

    fn add(&mut self, app: &mut App, columns: u16, rows: u16) -> String {
        let text = apart(&app.draw(columns, rows).text());
        self.words.extend(words(&text).map(str::to_owned));
        // In a small window, buttons are entries of a list.
        let buttons = words(&text).map(|word| word.trim_matches(['[', ']']).to_owned());
        self.words.extend(buttons);
        self.run.extend(text.split_whitespace());
        text
    }
}

/// The words of a row, without the marker of the focus.
fn words(row: &str) -> impl DoubleEndedIterator<Item = &str> {
    row.split(|ch: char| ch.is_whitespace() || ch == '▸')
        .map(|word| {
            word.trim_start_matches(['▸', '>', '•', '*'])
                .trim_end_matches(':')
        })
        .filter(|word| !word.is_empty() && !is_count(word))
}

/// Returns whether the word is a count of hidden values or the numbers of the lines shown.
fn is_count(word: &str) -> bool {
    let word = word.trim_start_matches('+').trim_end_matches('.');
    let digits = word.replace(['–', '-'], "");
    !digits.is_empty() && digits.chars().all(|ch| ch.is_ascii_digit())
}

/// A row without the blocks of a QR code, and with a space in place of a marker between two buttons.
fn apart(row: &str) -> String {
    let row = row.replace(BLOCKS, " ");
    row.replace("]▸[", "] [").replace("]>[", "] [")
}

/// Words that are neither whole nor marked with the ellipsis, and that don't continue in the row below.
fn cut(rows: &[String], said: &Said, ellipsis: &str, last: usize) -> Vec<(usize, String)> {
    let last_of = |row: usize| rows.get(row).and_then(|row| words(row).next_back());
    let first_of = |row: usize| rows.get(row).and_then(|row| words(row).next());
    let mut cut = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let count = words(row).count();
        for (place, word) in words(row).enumerate() {
            // Lines, boxes and dots have no letters.
            let rule = !word.chars().any(char::is_alphanumeric);
            let marked = word.ends_with(ellipsis) || word.starts_with(ellipsis);
            // The beginning and the end of a token may be shortened further.
            let ends = word.rsplit_once(ellipsis);
            let marked = marked
                || ends.is_some_and(|(head, tail)| {
                    let mut words = said.words.iter();
                    words.any(|whole| whole.starts_with(head) && whole.ends_with(tail))
                });
            // A sentence may end here and continue elsewhere.
            let known = said.words.contains(word) || said.words.contains(&format!("{word}."));
            let ends = word
                .strip_suffix('.')
                .is_some_and(|word| said.words.contains(word));
            // The key that shows the rest of a message that was cut.
            let whole = word == "Ctrl+O";
            if known || ends || marked || rule || whole {
                continue;
            }
            // The body may continue below its last row.
            let goes_on = place + 1 == count
                && (at == last && said.run.contains(word)
                    || first_of(at + 1).is_some_and(|next| {
                        let next = next.strip_suffix(ellipsis).unwrap_or(next);
                        said.run.contains(&format!("{word}{next}"))
                    }));
            let went_on = place == 0
                && at > 0
                && last_of(at - 1)
                    .is_some_and(|before| said.run.contains(&format!("{before}{word}")));
            if !goes_on && !went_on {
                cut.push((at, word.to_owned()));
            }
        }
    }
    cut
}

/// Returns whether the screen contains `text`, whole or its beginning with the ellipsis.
fn tells(screen: &str, text: &str, ellipsis: &str) -> bool {
    // A path may be wrapped anywhere.
    let run = |text: &str| text.split_whitespace().collect::<String>();
    let (screen, text) = (run(screen), run(text));
    let ends = (0..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end));
    screen.contains(&text)
        || ends
            .take_while(|end| *end > 10)
            .any(|end| screen.contains(&format!("{}{ellipsis}", &text[..end])))
}

/// Checks how the focus is shown.
pub fn focus(drawn: &Drawn) -> Result<(), String> {
    let Some(cursor) = drawn.cursor else {
        return Err("there is no cursor".to_owned());
    };
    let reversed = drawn.reversed();
    let marked = drawn.marked();
    if reversed.len() > 1 || marked.len() > 1 && !drawn.has_dialog() {
        return Err(format!(
            "{} items are reversed, {} marked",
            reversed.len(),
            marked.len()
        ));
    }
    let Some(item) = reversed.first() else {
        // A text that is read or typed, or a screen whose only items are its buttons.
        if drawn.has_dialog() {
            return Ok(());
        }
        let Some((half, row)) = marked.first().copied() else {
            // A long value may be scrolled, so that its label is above the first row.
            let row = &drawn.rows()[usize::from(cursor.y)];
            let goes_on = cursor.y < drawn.body_end() && row.starts_with(&" ".repeat(10));
            return if goes_on {
                Ok(())
            } else {
                Err("nothing has the focus".to_owned())
            };
        };
        // A value may occupy several rows below its label.
        let rows = row..(row + 6).min(drawn.body_end());
        let (left, right) = (half + 3, drawn.buffer.area.width);
        if !rows.contains(&cursor.y) || !(left..right).contains(&cursor.x) {
            return Err(format!("the cursor is at {cursor}, the focus in row {row}"));
        }
        return Ok(());
    };
    let (row, columns) = (item.row, item.columns.clone());
    let symbol = |x: u16| drawn.buffer[(x, row)].symbol();
    if symbol(columns.start) == " " || symbol(columns.end - 1) == " " {
        return Err("more is reversed than the item".to_owned());
    }
    // Next to the item, or at the beginning of its row.
    let at_start = marked.iter().any(|(_, marked)| *marked == row);
    let beside =
        (1..=2).any(|gap| columns.start >= gap && drawn.is_marked(columns.start - gap, row));
    if !at_start && !beside {
        return Err("the focus has no marker".to_owned());
    }
    // In a list with a filter, the cursor is in the filter.
    let filters = drawn.has_dialog() && drawn.rows()[usize::from(cursor.y)].contains("Find");
    if !filters && (cursor.y != row || !columns.contains(&cursor.x)) {
        return Err(format!(
            "the cursor is at {cursor}, the focus in row {row}, {columns:?}"
        ));
    }
    Ok(())
}

/// Everything that is wrong with a drawing.
fn faults(app: &mut App, said: &Said, size: (u16, u16)) -> Vec<String> {
    let drawn = app.draw(size.0, size.1);
    let environment = app.environment().clone();
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    for cell in &drawn.buffer.content {
        if !environment.utf8 && !cell.symbol().is_ascii() {
            fault(format!("{:?} is not ASCII", cell.symbol()));
        }
        if !environment.colors && (cell.fg, cell.bg) != (Color::Reset, Color::Reset) {
            fault(format!("a color in mono: {:?}", (cell.fg, cell.bg)));
        }
    }
    if size.0 < SMALLEST.0 || size.1 < SMALLEST.1 {
        // The last sentence is there only while the question before quitting is open.
        let notice =
            "This window is too small. The smallest is 40 x 10. Ctrl+C again quits without saving.";
        if !tells(notice, &drawn.text(), "") || drawn.cursor.is_some() {
            fault("not only the notice".to_owned());
        }
        return faults;
    }
    let ellipsis = ellipsis(&environment);
    let last = usize::from(drawn.body_end()) - 1;
    let cut = |from, to| {
        let rows = drawn.part(from, to).into_iter();
        let rows: Vec<String> = rows.map(|row| apart(&row)).collect();
        cut(&rows, said, ellipsis, last)
    };
    let mut words = match drawn.boxed().filter(|_| drawn.has_dialog()) {
        // The box covers parts of words.
        Some(rows) => {
            let rows: Vec<String> = rows.iter().map(|row| apart(row)).collect();
            self::cut(&rows, said, ellipsis, rows.len().saturating_sub(1))
        }
        None => cut(0, size.0),
    };
    if size.0 >= WIDE && !words.is_empty() && !drawn.has_dialog() {
        // Accept a row that is whole by itself, or whose two halves are.
        let middle = (size.0 / 2 - 1).min(100);
        let mut in_halves = cut(0, middle);
        in_halves.extend(cut(middle, size.0));
        words.retain(|(row, _)| in_halves.iter().any(|(other, _)| other == row));
    }
    for (row, word) in words {
        // An edited line that has room only for the three dots shows no dots.
        let edited = drawn.cursor.is_some_and(|at| usize::from(at.y) == row)
            && !environment.utf8
            && word.len() < 8
            && said.run.contains(&word);
        // A value of several rows has its state after the first row.
        let edited = edited
            || drawn
                .cursor
                .is_some_and(|at| (row..row + 5).contains(&at.y.into()))
                && said.run.contains(&word);
        if !edited {
            fault(format!("cut: {word:?} in row {row}"));
        }
    }
    if let (Some(message), false) = (app.message(), drawn.has_dialog()) {
        let message = if environment.utf8 {
            message.to_owned()
        } else {
            ascii(message)
        };
        if !tells(&drawn.text(), &message, ellipsis) {
            fault(format!("the message is not told: {message}"));
        }
    }
    if let Err(reason) = focus(&drawn) {
        fault(reason);
    }
    if !faults.is_empty() {
        faults.push(drawn.text());
    }
    faults
}

/// The environments of users: each terminal as it is, with ASCII only, in mono, and with both; no duplicates.
fn environments(fixture: &Fixture) -> Vec<(&'static str, Environment)> {
    let mut all: Vec<(&'static str, Environment)> = Vec::new();
    for place in fixture.places() {
        for (ascii, mono) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut environment = place.environment();
            environment.utf8 &= !ascii;
            environment.colors &= !mono;
            if all.iter().all(|(_, known)| *known != environment) {
                all.push((place.name, environment));
            }
        }
    }
    all
}

fn check(fixture: &Fixture) -> (usize, Vec<String>) {
    let mut found = Vec::new();
    let mut count = 0;
    let mut before: Option<(&str, bool, Said)> = None;
    for (name, environment) in environments(fixture) {
        let mut app = fixture.app(environment.clone());
        if app.shows_a_value_alone() {
            return (0, found);
        }
        // Colors change only the text of a QR code, which requires them.
        let qr = fixture.name.starts_with("qr") || fixture.name == "device-checks";
        let said = match before.take() {
            Some((place, utf8, said)) if (place, utf8, qr) == (name, environment.utf8, false) => {
                said
            }
            _ => Said::of(&mut fixture.app(environment.clone())),
        };
        // From large to small, so that items that a small window removes are there as long as they have room.
        for size in SIZES.into_iter().rev() {
            count += 1;
            let faults = faults(&mut app, &said, size);
            if !faults.is_empty() {
                let (utf8, colors) = (environment.utf8, environment.colors);
                found.push(format!(
                    "{} on {name} at {size:?}, UTF-8 {utf8}, colors {colors}:\n{}",
                    fixture.name,
                    faults.join("\n")
                ));
            }
        }
        before = Some((name, environment.utf8, said));
    }
    (count, found)
}

/// Checks every fixture, on all processors.
fn each<T: Send>(look: impl Fn(&Fixture) -> T + Sync) -> Vec<T> {
    let fixtures = all();
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let work = || -> Vec<T> {
        let mine = std::iter::from_fn(|| fixtures.get(next.fetch_add(1, Ordering::Relaxed)));
        mine.map(&look).collect()
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn every_screen_is_drawn_correctly_at_every_size() {
    let began = std::time::Instant::now();
    let checked = each(check);
    let count: usize = checked.iter().map(|(count, _)| count).sum();
    let found: Vec<&String> = checked.iter().flat_map(|(_, found)| found).collect();
    println!(
        "{count} drawings of {} screens in {:?}",
        checked.len(),
        began.elapsed()
    );
    // One fault of each screen is enough.
    let mut told = BTreeSet::new();
    let first: Vec<&str> = found
        .iter()
        .filter(|fault| told.insert(fault.split(' ').next()))
        .map(|fault| fault.as_str())
        .collect();
    assert!(
        found.is_empty(),
        "{} of {count} drawings are wrong:\n{}",
        found.len(),
        first.join("\n\n")
    );
}

/// An item that can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stop {
    label: String,
    /// The label of its row.
    of: String,
    /// Whether the item is drawn as a button.
    button: bool,
    /// Whether the item is among the buttons at the end of the screen, which have letters.
    at_end: bool,
}

fn stop(drawn: &Drawn) -> Option<Stop> {
    let at_end = |row| row >= drawn.body_end() && !drawn.has_dialog();
    drawn.focus().map(|item| Stop {
        at_end: at_end(item.row),
        label: item.label.clone(),
        // These have the same label in several rows.
        of: if matches!(item.label.as_str(), "List" | "Show" | "Hide") {
            item.of
        } else {
            String::new()
        },
        button: item.button,
    })
}

/// All items that `key` reaches from the focus until it returns there, the items that it skips, and the letters of the
/// footers on the way.
fn around(app: &mut App, key: &str) -> (Vec<Stop>, Vec<String>, BTreeSet<(char, String)>) {
    let mut stops: Vec<Stop> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut footers = BTreeSet::new();
    for _ in 0..80 {
        let drawn = app.look();
        seen.extend(drawn.buttons());
        seen.extend(fields(&drawn));
        footers.extend(footer_letters(&drawn));
        let stop = stop(&drawn).unwrap_or_else(|| panic!("no focus\n{}", drawn.text()));
        match stops.iter().position(|known| *known == stop) {
            None => {
                stops.push(stop);
                app.keys(key);
                continue;
            }
            Some(0) => {}
            // The first item has a new label by now, such as Reveal instead of Hide, so it was seen twice.
            Some(1) => {
                seen.remove(&stops.pop().unwrap().label);
            }
            Some(_) => panic!("{stop:?} comes twice: {stops:?}\n{}", drawn.text()),
        }
        let is = |stop: &Stop, label: &String| stop.label == *label || stop.of == *label;
        seen.retain(|label| !stops.iter().any(|known| is(known, label)));
        return (stops, seen.into_iter().collect(), footers);
    }
    panic!("{key} does not come round: {stops:?}");
}

/// The visible fields of the form that can be changed; locked fields have dim labels.
fn fields(drawn: &Drawn) -> Vec<String> {
    if !drawn
        .bottom_buttons()
        .iter()
        .any(|label| label == "Discover")
    {
        return Vec::new();
    }
    let rows = drawn.part(3, 20).into_iter().zip(0..);
    rows.take(usize::from(drawn.body_end()))
        .skip(2)
        .filter(|(label, row)| {
            let column = 3 + u16::try_from(label.len() - label.trim_start().len()).unwrap();
            let dim = drawn.buffer[(column, *row)]
                .modifier
                .contains(Modifier::DIM);
            !label.trim().is_empty() && !dim
        })
        .map(|(label, _)| label.trim().to_owned())
        .collect()
}

/// The letters of the screen's buttons.
pub fn letters(app: &App) -> BTreeMap<char, String> {
    let mut letters = BTreeMap::new();
    for item in app.items() {
        if let Some(letter) = item.letter() {
            let before = letters.insert(letter, plain(&item.label));
            assert_eq!(before, None, "{letter} is there twice");
        }
    }
    letters
}

/// The letters in the footer, each with its words.
fn footer_letters(drawn: &Drawn) -> Vec<(char, String)> {
    let footer = drawn.footer();
    let entries = footer
        .split("   ")
        .filter_map(|entry| entry.split_once(' '));
    entries
        .filter(|(key, _)| key.chars().count() == 1)
        .map(|(key, words)| (key.chars().next().unwrap(), plain(words.trim())))
        .collect()
}

/// The items and titles found while walking through the screens.
#[derive(Default)]
struct Found {
    buttons: BTreeSet<String>,
    fields: BTreeSet<String>,
    titles: BTreeSet<String>,
    pressed: usize,
}

fn walk(fixture: &Fixture) -> Found {
    let mut found = Found::default();
    for place in fixture.places() {
        // A desktop has one more button.
        let mut environment = place.environment();
        environment.display |= place.name == "xterm-256color";
        let name = format!("{} on {}", fixture.name, place.name);
        let fresh = || fixture.app(environment.clone());
        let drawn = fresh().look();
        if fresh().shows_a_value_alone() || drawn.focus().is_none() {
            continue;
        }
        let (stops, mut missed, footers) = around(&mut fresh(), "<tab>");
        // What can be copied depends on what had the focus before.
        missed.retain(|label| label != "Copy");
        let (mut back, ..) = around(&mut fresh(), "<backtab>");
        back[1..].reverse();
        // What can be copied depends on what had the focus before.
        let steady = |stops: &[Stop]| -> Vec<Stop> {
            let copy = |stop: &&Stop| stop.label != "Copy";
            stops.iter().filter(copy).cloned().collect()
        };
        assert_eq!(steady(&stops), steady(&back), "{name}: there and back");
        // Below a dialog are the buttons of the screen, which Tab does not reach.
        assert!(
            missed.is_empty() || drawn.has_dialog(),
            "{name}: Tab misses {missed:?}"
        );
        if drawn.has_dialog() {
            continue;
        }
        let title = drawn.rows()[0]
            .trim_start_matches(" OAuth Authorizer")
            .to_owned();
        found.titles.insert(title.trim().to_owned());
        let letters = letters(&fresh());
        let ends: BTreeSet<String> = drawn.bottom_buttons().into_iter().collect();
        assert_eq!(
            ends.len(),
            drawn.bottom_buttons().len(),
            "{name}: a label twice"
        );
        for item in fresh().items() {
            let letter = item.letter();
            let own = item.label.to_lowercase();
            let told = letter
                .is_none_or(|it| own.contains(it) || matches!(it, 'y' | 'n' | 'r' | '?' | '/'));
            assert!(told, "{name}: {letter:?} is not in {own}");
            // Buttons that have no letter because the screen has text fields.
            let quiet = matches!(item.label.as_ref(), "Quit" | "To a file instead…");
            let key = item.shortcut != Shortcut::None || quiet;
            let listed = item.is_under_more();
            assert!(
                !item.is_button() || key || listed,
                "{name}: {own} has no key"
            );
        }
        for (letter, words) in footers {
            let named = letters.get(&letter).map(|label| label.to_lowercase());
            let named = named.map(|label| label.trim_end_matches("...").to_owned());
            assert_eq!(
                named,
                Some(words.to_lowercase()),
                "{name}: {letter} in the footer"
            );
        }
        for (at, stop) in stops.iter().enumerate() {
            let label = &stop.label;
            if !stop.button {
                // There are too many profile names to list.
                if !label.starts_with("mailbox-") {
                    found.fields.insert(label.clone());
                }
                continue;
            }
            found.buttons.insert(label.clone());
            found.pressed += 1;
            let there = || {
                let mut app = fresh();
                app.keys(&"<tab>".repeat(at)).forget_message();
                app
            };
            let mut app = there();
            let nothing = format!("[] {}", app.bare_state());
            let by_enter = app.keys("<enter>").state();
            assert!(by_enter != nothing, "{name}: {label} does nothing");
            // Space and the letter do the same.
            let letter = letters.iter().find(|(_, known)| *known == label);
            let letter = letter.map(|(letter, _)| letter.to_string());
            for key in std::iter::once("<space>".to_owned()).chain(letter) {
                let same = there().keys(&key).state() == by_enter;
                assert!(same, "{name}: {label} by {key}");
            }
        }
    }
    found
}

#[test]
fn every_item_is_reached_by_tab_and_pressed_by_enter() {
    let mut found = Found::default();
    for more in each(walk) {
        found.buttons.extend(more.buttons);
        found.fields.extend(more.fields);
        found.titles.extend(more.titles);
        found.pressed += more.pressed;
    }
    println!(
        "{} buttons pressed {} times, {} other items, {} titles",
        found.buttons.len(),
        found.pressed,
        found.fields.len(),
        found.titles.len()
    );
    // All buttons of the program. The random messages find a button that no fixture shows.
    let known = |labels: &[&str]| labels.iter().map(|it| (*it).to_owned()).collect();
    let buttons: BTreeSet<String> = known(&BUTTONS);
    let unknown: Vec<_> = found.buttons.difference(&buttons).collect();
    let unseen: Vec<_> = buttons.difference(&found.buttons).collect();
    println!(
        "unknown {unknown:?} unseen {unseen:?} fields {:?}",
        found.fields
    );
    assert!(unknown.is_empty(), "{unknown:?}");
    let fields: BTreeSet<String> = known(&FIELDS);
    assert_eq!(found.fields, fields);
    for title in [
        "Custom settings",
        "device code",
        "authorization code",
        "tokens",
        "trace",
        "Configure",
    ] {
        let shown = found.titles.iter().any(|it| it.contains(title));
        assert!(shown, "{title}: {:?}", found.titles);
    }
}

/// Every button, at the end of a screen or after a value.
pub const BUTTONS: [&str; 65] = [
    "Another code",
    "Approve (demo)",
    "Authorize",
    "Back",
    "Browser flow",
    "Cancel",
    "Check",
    "Checks",
    "Claims...",
    "Clear clipboard",
    "Configure...",
    "Copy",
    "Copy JSON",
    "Copy URL",
    "Copy code",
    "Copy command",
    "Copy header",
    "Copy registration",
    "Copy report",
    "Copy tunnel",
    "Delete and revoke",
    "Delete only",
    "Delete...",
    "Device code flow",
    "Discover",
    "Edit",
    "Find",
    "Help",
    "Hide",
    "Hide checks",
    "Info",
    "Introspect...",
    "List",
    "Mail test",
    "Mail test...",
    "More...",
    "Open",
    "Open browser",
    "Other mailbox...",
    "Other mechanism...",
    "Other server...",
    "Profiles...",
    "QR code",
    "Quit",
    "Refresh",
    "Register...",
    "Rename...",
    "Reveal",
    "Revoke...",
    "Save",
    "Save as...",
    "Save registration...",
    "Save...",
    "Set up",
    "Settings",
    "Show",
    "Test mail",
    "Test mail again",
    "To a file instead...",
    "Tokens",
    "Trace",
    "Try again",
    "User info...",
    "Verify",
    "View alone",
];

/// Every other item that can have the focus.
const FIELDS: [&str; 57] = [
    "Access token",
    "Auth. code URL",
    "CA file",
    "Cert.",
    "Certificate",
    "Certificate key",
    "Client ID",
    "Client auth.",
    "Client cert.",
    "Client key",
    "Client secret",
    "Command",
    "Device code URL",
    "Extra params",
    "Flow",
    "Granted",
    "Header",
    "Host",
    "ID token",
    "IMAP",
    "Issuer",
    "Kept in",
    "Key ID",
    "Key file",
    "Listen address",
    "Login hint",
    "Name",
    "No setup",
    "PKCE",
    "POP3",
    "Password",
    "Paste",
    "Preset",
    "Read with",
    "Realm",
    "Redirect URL",
    "Refresh token",
    "Refresh with",
    "SMTP",
    "Save secret",
    "Save tokens",
    "Scope",
    "Signed in as",
    "Subject",
    "Tenant",
    "Token URL",
    "Token ex. URL",
    "User",
    "With code",
    "Without setup",
    "Write with",
    "client_id",
    "mailbox",
    "office",
    "redirect_uri",
    "relay",
    "ticket",
];

/// The keys that walk through the screens; they are sufficient.
const WALKED: [&str; 8] = ["Tab", "Shift+Tab", "↑", "↓", "←", "→", "Space", "Enter"];

/// All other keys, each with the item that does the same.
const OTHERS: [(&str, &str); 12] = [
    ("Esc", "Cancel, Back and the buttons of each question"),
    ("Ctrl+C", "Quit"),
    ("PgDn", "the lines of a list or of the trace, one by one"),
    ("PgUp", "the same"),
    ("Ctrl+L", "for a terminal that has lost its screen"),
    ("Ctrl+F", "typing what the message says"),
    ("Ctrl+O", "a larger window, which has room for the message"),
    ("Ctrl+R", "nothing: it only shows what was typed"),
    ("Ctrl+S", "Save"),
    ("Del", "Delete"),
    ("Ctrl+T", "typing what the preset has"),
    ("Ctrl+Z", "of the shell"),
];

#[test]
fn every_documented_key_has_an_equivalent_item() {
    let mut app = App::new(XTERM.environment());
    let text = app.press("Help").draw(200, 100).text();
    let known = |key: &str| WALKED.contains(&key) || OTHERS.iter().any(|(other, _)| *other == key);
    let (mut head, mut count) = ("", 0);
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        match indent {
            3 => head = line,
            // Keys that edit text are a way of typing.
            5 if head == "Everywhere" || head == "In a list" => {
                count += 1;
                let keys = line.split("  ").next().unwrap();
                for key in keys.split([',', ' ']).filter(|key| !key.is_empty()) {
                    assert!(known(key), "{key} does what no item does: {line}");
                }
            }
            _ => {}
        }
    }
    assert!(count > 15, "the help is read: {count}\n{text}");
}

#[test]
fn dialogs_close_with_enter_and_with_escape() {
    let mut count = 0;
    for fixture in all() {
        let fresh = || fixture.app(fixture.usual());
        if fresh().shows_a_value_alone() || !fresh().look().has_dialog() {
            continue;
        }
        count += 1;
        for keys in ["<enter>", "<esc>"] {
            let mut app = fresh();
            if app.look().flat().contains("No preset") && keys == "<enter>" {
                // Nothing matches the typed text, so delete it first.
                app.keys("<ctrl-u>");
            }
            app.keys(keys);
            let ended = app.asked().iter().any(|asked| matches!(asked, Asked::Quit));
            // Some dialogs open another: the questions about the tokens and the registration ask where to save them,
            // Rename… asks for the name, and Claims… shows the claims. A mail test requires a mailbox and a server.
            let stays = [
                "leave",
                "leave-registration",
                "profiles-more",
                "tokens-more",
                "tokens-more-after-copy",
                "mail-test-mailbox",
                "mail-test-mailbox-wrong",
                "mail-test-more",
                "mail-test-server",
            ];
            let other = stays.contains(&fixture.name) && keys == "<enter>";
            let closed = ended || other || app.shows_a_value_alone() || !app.look().has_dialog();
            assert!(closed, "{} by {keys}\n{}", fixture.name, app.look().text());
        }
    }
    assert!(count > 15, "{count}");
}

#[test]
fn escape_goes_back_one_level_at_a_time() {
    let mut counts = [0; 3];
    for fixture in all() {
        let mut app = fixture.app(fixture.usual());
        let mut steps = 0;
        loop {
            steps += 1;
            let (before, job) = (app.look(), app.job());
            let alone = app.shows_a_value_alone();
            app.keys("<esc>");
            let after = app.look();
            let told = format!("{}\n{}\n{}", fixture.name, before.text(), after.text());
            assert!(
                !app.asked().iter().any(|asked| matches!(asked, Asked::Quit)),
                "{told}"
            );
            assert!(steps < 12, "{told}");
            if alone {
                assert!(!app.shows_a_value_alone(), "{told}");
            } else if before.has_dialog() {
                // A running job continues.
                counts[0] += 1;
                assert!(job == app.job() && before.text() != after.text(), "{told}");
            } else if after.has_dialog() {
                // A sign-in is canceled only after a question.
                counts[1] += 1;
                assert!(job.is_some() && app.job() == job, "{told}");
                app.keys("<esc>");
                assert!(app.job() == job && !app.look().has_dialog(), "{told}");
                app.keys("<esc>y");
                assert!(app.job().is_none(), "{told}");
            } else if app.job() != job {
                // A job that can be repeated is canceled at once.
            } else if before.text() == after.text() {
                // The form is the lowest level; from a field, Escape moves to the buttons.
                assert!(after.buttons().iter().any(|it| it == "Authorize"), "{told}");
                break;
            } else {
                counts[2] += 1;
            }
        }
    }
    assert!(counts.iter().all(|&count| count > 15), "{counts:?}");
}

#[test]
fn discovery_moves_focus_from_the_removed_button() {
    let mut app = App::new(XTERM.environment());
    app.discovering().exchanged().keys("<esc>").go("Trace");
    let drawn = app.keys("d").look();
    assert_eq!(
        drawn.focus().map(|item| item.label),
        Some("Discover".to_owned())
    );
}
