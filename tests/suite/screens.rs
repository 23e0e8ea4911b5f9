//! Every screen in every terminal, at every size; every action by Tab and Enter; and whatever a person may press.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use oauth_authorizer::console::environment::Environment;
use oauth_authorizer::tui::keys::Context;
use oauth_authorizer::tui::model::{Model, Overlay, Target};
use oauth_authorizer::tui::text;
use oauth_authorizer::tui::view::{SMALLEST, body_area, halves};
use ratatui::style::{Color, Modifier};

use crate::fixtures::{App, Drawn, Fixture, PLACES, all};

const SIZES: [(u16, u16); 7] = [
    (20, 5),
    (39, 9),
    (40, 10),
    (60, 15),
    (80, 24),
    (132, 43),
    (300, 100),
];

/// What QR codes are made of: their text stands beside them.
const BLOCKS: [char; 3] = ['▀', '▄', '█'];

/// Words that only a small window shows.
const SMALL: &str = "There is more below: Page down. more below not used \
    The URL is longer than there is room for. Copy it, or open the plain view.";

fn ellipsis(model: &Model) -> &'static str {
    model.theme.ellipsis()
}

/// All that a screen says, from drawings that have room for it.
struct Said {
    words: BTreeSet<String>,
    /// Without spaces, so that what is broken over rows is found.
    run: String,
}

impl Said {
    fn of(app: &mut App) -> Self {
        let mut said = Self {
            words: words(SMALL).map(str::to_owned).collect(),
            run: String::new(),
        };
        said.add(app);
        // What gives way in a small window, such as a QR code, lets the screen below be seen from then on.
        app.draw(SMALLEST.0, SMALLEST.1);
        said.add(app);
        said
    }

    fn add(&mut self, app: &mut App) {
        // The widest with one column, and one where both columns have room.
        for (columns, rows) in [(119, 100), (480, 100)] {
            let text = app.draw(columns, rows).text().replace(BLOCKS, " ");
            self.words.extend(words(&text).map(str::to_owned));
            self.run.extend(text.split_whitespace());
        }
    }
}

/// The words of a row, without what marks the focus.
fn words(row: &str) -> impl DoubleEndedIterator<Item = &str> {
    row.split_whitespace()
        .map(|word| word.trim_start_matches(['▸', '>', '•', '*']))
        .filter(|word| !word.is_empty())
}

/// Words that are neither whole, nor end in the ellipsis, nor go on in the row below.
fn cut(rows: &[String], said: &Said, ellipsis: &str, last: usize) -> Vec<(usize, String)> {
    let last_of = |row: usize| rows.get(row).and_then(|row| words(row).next_back());
    let first_of = |row: usize| rows.get(row).and_then(|row| words(row).next());
    let mut cut = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let count = words(row).count();
        for (place, word) in words(row).enumerate() {
            let rule = word.chars().all(|ch| ch == '─' || ch == '-');
            let marked = word.ends_with(ellipsis) || word.starts_with(ellipsis);
            if said.words.contains(word) || marked || rule {
                continue;
            }
            // Below the last row the body is scrolled on.
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

/// The text between brackets, with single spaces.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// True where `text` stands on the screen whole, or its beginning with the ellipsis.
fn tells(screen: &str, text: &str, ellipsis: &str) -> bool {
    let screen = flat(screen);
    let text = flat(text);
    let ends = (0..=text.len())
        .rev()
        .filter(|end| text.is_char_boundary(*end));
    screen.contains(&text)
        || ends
            .take_while(|end| *end > 10)
            .any(|end| screen.contains(&format!("{}{ellipsis}", text[..end].trim_end())))
}

/// What is wrong with how the focus is shown.
fn focus(app: &App, drawn: &Drawn) -> Result<(), String> {
    let Some(cursor) = drawn.cursor else {
        return Err("there is no cursor".to_owned());
    };
    let reads = matches!(app.model.context(), Context::Reading | Context::Picture);
    let types = matches!(
        app.model.overlay,
        Some(Overlay::Save { .. } | Overlay::Presets { .. })
    );
    let columns = drawn.buffer.area.width;
    let mut runs: Vec<(u16, u16, u16)> = Vec::new();
    for y in 0..drawn.buffer.area.height {
        for x in 0..columns {
            if !drawn.buffer[(x, y)].modifier.contains(Modifier::REVERSED) {
                continue;
            }
            match runs.last_mut() {
                Some((row, _, end)) if *row == y && *end == x => *end += 1,
                _ => runs.push((y, x, x + 1)),
            }
        }
    }
    let run = match runs.as_slice() {
        [] if reads || types => return Ok(()),
        [run] => *run,
        others => return Err(format!("{} items are reversed", others.len())),
    };
    let (row, start, end) = run;
    if cursor.y != row {
        return Err(format!(
            "the cursor is in row {}, the focus in row {row}",
            cursor.y
        ));
    }
    let editing = app.model.overlay.is_none()
        && matches!(
            app.model.context(),
            Context::Text | Context::Paste | Context::Choice
        )
        || app.model.focus == Target::Field(oauth_authorizer::form::settings::Key::Preset)
            && app.model.overlay.is_none()
        || app.model.overlay.is_none()
            && matches!(app.model.focus, Target::Advanced | Target::WithoutSetUp);
    if !editing && !(start..end).contains(&cursor.x) {
        return Err(format!(
            "the cursor is in column {}, the focus in {start}..{end}",
            cursor.x
        ));
    }
    for x in [start, end - 1] {
        if drawn.buffer[(x, row)].symbol() == " " {
            return Err("more is reversed than the item".to_owned());
        }
    }
    let marker = app.model.theme.marker();
    let marked = |x: u16| drawn.buffer[(x, row)].symbol() == marker;
    // Beside it, or at the beginning of its row, which may be in the right half.
    if !(marked(1) || marked((columns / 2).min(100) + 1) || start > 0 && marked(start - 1)) {
        return Err("the focus has no marker".to_owned());
    }
    Ok(())
}

/// Everything that is wrong with a drawing.
fn faults(app: &mut App, said: &Said, size: (u16, u16), environment: &Environment) -> Vec<String> {
    let drawn = app.draw(size.0, size.1);
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    for cell in &drawn.buffer.content {
        if !environment.utf8 && !cell.symbol().is_ascii() {
            fault(format!("{:?} is not ASCII", cell.symbol()));
        }
        if !environment.colours && (cell.fg, cell.bg) != (Color::Reset, Color::Reset) {
            fault(format!("a colour in mono: {:?}", (cell.fg, cell.bg)));
        }
    }
    if size.0 < SMALLEST.0 || size.1 < SMALLEST.1 {
        let notice = "This window is too small: 40 x 10 at least.";
        if !tells(notice, &drawn.text(), "") || drawn.cursor.is_some() {
            fault("not only the notice".to_owned());
        }
        return faults;
    }
    let ellipsis = ellipsis(&app.model);
    let body = body_area(&app.model, drawn.buffer.area);
    let cut = |from, to| {
        let rows = drawn.part(from, to).into_iter();
        let rows: Vec<String> = rows.map(|row| row.replace(BLOCKS, " ")).collect();
        cut(&rows, said, ellipsis, usize::from(body.bottom()) - 1)
    };
    let mut words = cut(0, size.0);
    if let Some((left, right)) = halves(&app.model, body) {
        // A row that is whole by itself, or of which each half is.
        let mut in_halves = cut(0, left.width);
        in_halves.extend(cut(right.x, size.0));
        words.retain(|(row, _)| in_halves.iter().any(|(other, _)| other == row));
    }
    for (row, word) in words {
        fault(format!("cut: {word:?} in row {row}"));
    }
    if let (Some(message), None) = (&app.model.message, &app.model.overlay) {
        let text = if environment.utf8 {
            message.text.clone()
        } else {
            text::ascii(&message.text)
        };
        if !tells(&drawn.text(), &text, ellipsis) {
            fault(format!("the message is not told: {text}"));
        }
    }
    if let Err(reason) = focus(app, &drawn) {
        fault(reason);
    }
    if !faults.is_empty() {
        faults.push(drawn.text());
    }
    faults
}

/// What people have: each terminal as it is, with ASCII only, in mono, and both; nothing twice.
fn environments() -> Vec<(&'static str, Environment)> {
    let mut all: Vec<(&'static str, Environment)> = Vec::new();
    for place in PLACES {
        for (ascii, mono) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut environment = place.environment();
            environment.utf8 &= !ascii;
            environment.colours &= !mono;
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
    for (name, environment) in environments() {
        let mut app = fixture.app(environment.clone());
        // Colours change no text but that of a QR code, which there is none of without them.
        let qr = fixture.name.starts_with("qr");
        let said = match before.take() {
            Some((place, utf8, said)) if (place, utf8, qr) == (name, environment.utf8, false) => {
                said
            }
            _ => Said::of(&mut fixture.app(environment.clone())),
        };
        // From large to small, so that what gives way is there as long as there is room.
        for size in SIZES.into_iter().rev() {
            count += 1;
            let faults = faults(&mut app, &said, size, &environment);
            if !faults.is_empty() {
                let (utf8, colours) = (environment.utf8, environment.colours);
                found.push(format!(
                    "{} on {name} at {size:?}, UTF-8 {utf8}, colours {colours}:\n{}",
                    fixture.name,
                    faults.join("\n")
                ));
            }
        }
        before = Some((name, environment.utf8, said));
    }
    (count, found)
}

#[test]
fn every_screen_in_every_terminal_at_every_size() {
    let fixtures = all();
    let began = std::time::Instant::now();
    let (left, right) = fixtures.split_at(fixtures.len() / 2);
    let checked: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let halves =
            [left, right].map(|half| scope.spawn(|| half.iter().map(check).collect::<Vec<_>>()));
        halves
            .into_iter()
            .flat_map(|half| half.join().unwrap())
            .collect()
    });
    let count: usize = checked.iter().map(|(count, _)| count).sum();
    let found: Vec<&String> = checked.iter().flat_map(|(_, found)| found).collect();
    println!(
        "{count} drawings of {} screens in {:?}",
        fixtures.len(),
        began.elapsed()
    );
    // One of each screen is enough to see what is wrong.
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

/// The names of the variants of an enum, read in the sources, so that a new one is not forgotten here.
fn variants(file: &str, name: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("src/tui")
        .join(file);
    let source = std::fs::read_to_string(path).unwrap();
    let body = source.split(&format!("pub enum {name} {{")).nth(1).unwrap();
    body.split("\n}")
        .next()
        .unwrap()
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(|ch: char| ch.is_ascii_uppercase()))
        .map(|line| line.split(['(', ' ', ',']).next().unwrap().to_owned())
        .collect()
}

/// The name of a variant, without what it carries.
fn name(variant: &impl std::fmt::Debug) -> String {
    let text = format!("{variant:?}");
    text.split(['(', ' ']).next().unwrap().to_owned()
}

/// What the screens are walked with; nothing else is needed.
const WALKED: [KeyCode; 8] = [
    KeyCode::Tab,
    KeyCode::BackTab,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Char(' '),
    KeyCode::Enter,
];

/// Everything that `key` reaches on the screen, from where the focus is.
fn reached(app: &mut App, key: KeyCode) -> Vec<Target> {
    let mut reached = vec![app.model.focus];
    for _ in 0..80 {
        app.press(key);
        if reached.contains(&app.model.focus) {
            break;
        }
        reached.push(app.model.focus);
    }
    reached
}

/// All that a press has done, the focus included.
fn done(app: &mut App, key: KeyCode) -> String {
    let effects = app.press(key);
    format!("{effects:?} {:?}", app.model)
}

#[test]
fn every_action_is_reached_by_tab_and_enter() {
    let mut actions = BTreeSet::new();
    let mut targets = BTreeSet::new();
    let mut commands = BTreeSet::new();
    let mut screens = BTreeSet::new();
    let mut pressed = 0;
    for place in PLACES {
        // On a desktop there is one button more.
        let mut environment = place.environment();
        environment.display |= place.name == "xterm-256color";
        for fixture in all() {
            let fresh = || fixture.app(environment.clone());
            let app = fresh();
            for key in WALKED {
                let event = KeyEvent::new(key, KeyModifiers::NONE);
                let asked = oauth_authorizer::tui::keys::command(&event, app.model.context());
                commands.extend(asked.map(|command| name(&command)));
            }
            if app.model.overlay.is_some() {
                continue;
            }
            screens.insert(name(&app.model.screen));
            let wanted = app.model.targets();
            for key in [KeyCode::Tab, KeyCode::BackTab] {
                let found = reached(&mut fresh(), key);
                let missed: Vec<&Target> = wanted
                    .iter()
                    .filter(|target| !found.contains(target))
                    .collect();
                assert!(
                    missed.is_empty(),
                    "{}: {key:?} misses {missed:?}",
                    fixture.name
                );
            }
            for target in wanted {
                let mut there = fresh();
                there.focus(target);
                targets.insert(name(&target));
                for key in WALKED {
                    let event = KeyEvent::new(key, KeyModifiers::NONE);
                    let asked = oauth_authorizer::tui::keys::command(&event, there.model.context());
                    commands.extend(asked.map(|command| name(&command)));
                }
                let Target::Button(action) = target else {
                    continue;
                };
                actions.insert(name(&action));
                pressed += 1;
                // Enter, Space and the letter do the same, and it is something. What was said before may be said again.
                there.model.message = None;
                let nothing = format!("[] {:?}", there.model);
                let by_enter = done(&mut there, KeyCode::Enter);
                for key in [KeyCode::Char(' '), KeyCode::Char(action.letter())] {
                    let mut other = fresh();
                    other.focus(target);
                    other.model.message = None;
                    assert!(
                        done(&mut other, key) == by_enter,
                        "{}: {action:?} by {key:?}",
                        fixture.name
                    );
                }
                assert!(
                    by_enter != nothing,
                    "{}: {action:?} does nothing",
                    fixture.name
                );
            }
        }
    }
    println!(
        "{} actions pressed {pressed} times, {} kinds of items, {} commands, {} screens",
        actions.len(),
        targets.len(),
        commands.len(),
        screens.len()
    );
    assert_eq!(actions, variants("model.rs", "Action"));
    assert_eq!(targets, variants("model.rs", "Target"));
    assert_eq!(screens, variants("model.rs", "Screen"));
    // What is left has an item of its own, or is a way of typing and of looking.
    let mut others = variants("keys.rs", "Command");
    others.retain(|command| !commands.contains(command));
    let known = [
        ("Escape", "Cancel, Back and the buttons of each question"),
        ("Leave", "Quit"),
        ("Letter", "the button itself"),
        (
            "PageDown",
            "the lines of a list or of the trace, one by one",
        ),
        ("PageUp", "the same"),
        ("Redraw", "for a terminal that has lost its screen"),
        ("Remedy", "the item behind the field"),
        ("Suspend", "of the shell"),
    ];
    let known: BTreeSet<String> = known.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(others.is_subset(&known), "{others:?}");
}

#[test]
fn what_lies_on_top_closes_without_escape() {
    for fixture in all() {
        let mut app = fixture.app(PLACES[0].environment());
        if app.model.overlay.is_none() {
            continue;
        }
        if fixture.name == "presets-none" {
            // What was typed goes first; nothing fits it.
            app.send(oauth_authorizer::tui::model::News::Key(KeyEvent::new(
                KeyCode::Char('u'),
                KeyModifiers::CONTROL,
            )));
        }
        app.press(KeyCode::Enter);
        assert!(app.model.overlay.is_none(), "{}", fixture.name);
    }
}
