//! The whole program without a terminal, used as a user does: items are found by their text on the screen.
//!
//! ```text
//! app.go("Client ID").paste(CLIENT).press("Authorize").flow(event);
//! ```
//!
//! Stand-ins or the test answer the requests of the program. Only `program.rs` uses the inside of the program.

mod drawn;
pub mod fixtures;
mod places;
mod program;
mod sheet;
mod stand_in;
pub mod stories;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use oauth_authorizer::configure::report::{Finding, Report, SetUpTask, State};
use oauth_authorizer::configure::service::Rights;
use oauth_authorizer::configure::steps;
use oauth_authorizer::console::clipboard::{Copied, CopiedBy, CopyWay, SkippedWay};
use oauth_authorizer::console::environment::Environment;
use oauth_authorizer::flow::event::FlowEvent;
use oauth_authorizer::flow::tool_report;
use oauth_authorizer::form::settings::Settings;
use oauth_authorizer::oauth::token::TokenSet;
use oauth_authorizer::oauth::tools::TokenKind;
use oauth_authorizer::presets;
use oauth_authorizer::secret::{ExposeSecret, SecretString};
use oauth_authorizer::session::profiles::{ProfileReport, ProfileTask};
use oauth_authorizer::store::file::Readers;

pub use drawn::{Drawn, Item, plain};
pub use places::{PLACES, Place, TMUX, WINDOWS, XTERM};
pub use program::{Asked, Event, ItemView, Kind, Started, ascii, places, width};
pub use stand_in::{StandIn, found};
pub use stories::{CLIENT, sign_in, token_set};

use program::{Name, Program, preset};

/// Maximum number of times that Tab is pressed; no screen has so many items.
const MOST_ITEMS: usize = 80;

/// The address of the demo's server.
const SERVER: &str = "http://127.0.0.1:46321";

/// The program, with a simulated user and a simulated outside world.
pub struct App {
    program: Program,
    environment: Environment,
    settings: Settings,
    /// The HTTP service, if the machine is a Windows one.
    pub service: StandIn,
    /// What Configure… finds on any other machine.
    find: Box<dyn Fn(&SetUpTask) -> Report + Send>,
    up: Duration,
    size: (u16, u16),
    /// The number of the latest attempt.
    attempt: u64,
    /// The job that has not ended yet.
    job: Option<Started>,
    /// Whether the latest job was stopped. Its earlier reports may still arrive.
    stopped: bool,
    tokens: Option<Tokens>,
    /// The requests after the latest event, except those that were answered at once; and the debug output of all.
    asked: Vec<Asked>,
    words: String,
    /// The requested copies and files that have not been answered yet.
    copies: Vec<Name>,
    files: Vec<Name>,
    /// The requested tasks with the files of profiles.
    tasks: Vec<ProfileTask>,
    route: Route,
}

/// The tokens that the program received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tokens {
    pub attempt: u64,
    /// Access token, refresh token and ID token, as far as they were issued.
    texts: [Option<String>; 3],
    /// Which of them were saved, or copied for certain.
    taken: [bool; 3],
}

impl Tokens {
    fn new(attempt: u64, set: &TokenSet, before: Option<&Self>) -> Self {
        let text = |token: &SecretString| token.expose_secret().to_owned();
        let refresh = set.refresh_token.as_ref().map(text);
        let id = set.id_token.as_ref().map(text);
        let texts = [Some(text(&set.access_token)), refresh, id];
        // A refresh may leave a token unchanged.
        let same = |at: usize| {
            before.is_some_and(|before| before.texts[at] == texts[at] && before.taken[at])
        };
        let taken = [same(0), same(1), same(2)];
        Self {
            attempt,
            texts,
            taken,
        }
    }

    /// Returns whether all of them were saved, or copied for certain.
    pub fn are_taken(&self) -> bool {
        let mut all = self.texts.iter().zip(self.taken);
        all.all(|(text, taken)| text.is_none() || taken)
    }
}

/// How often a key is pressed on the way to each item. A known route needs no drawing.
#[derive(Default)]
enum Route {
    #[default]
    None,
    New(Vec<usize>),
    /// The route, and the position in it.
    Known(Arc<[usize]>, usize),
}

impl App {
    /// The form with custom settings.
    pub fn new(environment: Environment) -> Self {
        let mut settings = Settings::new(preset(presets::CUSTOM));
        settings.set_server(SERVER);
        Self {
            program: Program::new(&environment, &settings),
            environment,
            settings,
            service: StandIn::new(Rights::Elevated),
            find: Box::new(|task| {
                let port = task.prefix.port;
                Report::of(vec![
                    Finding::new(
                        State::Good,
                        format!("127.0.0.1 port {port} is free and can be used."),
                    ),
                    Finding::new(
                        State::Problem,
                        format!("[::1] port {port} is in use by python3.11 (process 4711)."),
                    )
                    .fix("Stop that process, or choose another port and register it with the service."),
                ])
            }),
            up: Duration::ZERO,
            size: (80, 24),
            attempt: 0,
            job: None,
            stopped: false,
            tokens: None,
            asked: Vec::new(),
            words: String::new(),
            copies: Vec::new(),
            files: Vec::new(),
            tasks: Vec::new(),
            route: Route::default(),
        }
    }

    /// Begins to follow a known route, or to record a new one.
    fn on_route(&mut self, known: Option<Arc<[usize]>>) {
        self.route = match known {
            Some(known) => Route::Known(known, 0),
            None => Route::New(Vec::new()),
        };
    }

    /// The recorded route, if it was not known.
    fn off_route(&mut self) -> Option<Arc<[usize]>> {
        match std::mem::take(&mut self.route) {
            Route::New(found) => Some(found.into()),
            Route::None | Route::Known(..) => None,
        }
    }

    /// Starts again, with changes to the environment or the settings.
    pub fn with(&mut self, change: impl FnOnce(&mut Environment, &mut Settings)) -> &mut Self {
        change(&mut self.environment, &mut self.settings);
        self.program = Program::new(&self.environment, &self.settings);
        self
    }

    /// Starts again with this preset.
    pub fn preset(&mut self, id: &str) -> &mut Self {
        let mut settings = Settings::new(preset(id));
        settings.set_server(SERVER);
        self.with(|_, old| *old = settings)
    }

    /// Calls `go_on` only on a Windows machine.
    pub fn on_windows(&mut self, go_on: fn(&mut Self) -> &mut Self) -> &mut Self {
        if self.environment.windows {
            go_on(self);
        }
        self
    }

    /// Sets what Configure… finds on this machine.
    pub fn finds(&mut self, find: impl Fn(&SetUpTask) -> Report + Send + 'static) -> &mut Self {
        self.find = Box::new(find);
        self
    }

    /// Changes the HTTP service of Windows.
    pub fn service(&mut self, change: impl FnOnce(&mut StandIn)) -> &mut Self {
        change(&mut self.service);
        self
    }

    /// Sends an event at the current time.
    pub fn send(&mut self, event: Event) -> &mut Self {
        if let Event::Resized(columns, rows) = event {
            self.size = (columns, rows);
        }
        self.follow(&event);
        let (asked, words) = self.program.send(event, self.up);
        self.words = words;
        self.asked.clear();
        let mut pending = VecDeque::from(asked);
        while let Some(one) = pending.pop_front() {
            match &one {
                Asked::Start(started) => {
                    self.attempt = started.attempt;
                    self.job = Some(*started);
                    self.stopped = false;
                }
                Asked::Cancel => {
                    self.job = None;
                    self.stopped = true;
                }
                Asked::Copy(name) => self.copies.push(name.clone()),
                Asked::Save(name) => self.files.push(name.clone()),
                Asked::Profile(_) => {
                    if let Asked::Profile(task) = one {
                        if let ProfileTask::Refresh(..) | ProfileTask::Revoke(..) = task {
                            // No flow event reports on it.
                            self.job = Some(Started {
                                attempt: u64::MAX,
                                kind: Kind::Refresh,
                            });
                        }
                        self.tasks.push(task);
                    }
                    continue;
                }
                Asked::Configure(task, number) => {
                    let report = if self.environment.windows {
                        steps::perform(task, &mut self.service)
                    } else {
                        (self.find)(task)
                    };
                    let configured = Event::Configured(*number, report);
                    // The program checks each change at once.
                    let (more, _) = self.program.send(configured, self.up);
                    pending.extend(more);
                    continue;
                }
                Asked::StoreKeys => {
                    let keys = Event::StoreKeys(stand_in::store_keys());
                    let (more, _) = self.program.send(keys, self.up);
                    pending.extend(more);
                    continue;
                }
                _ => {}
            }
            self.asked.push(one);
        }
        self
    }

    /// Keeps track of jobs and tokens, as the engine and the user would.
    fn follow(&mut self, event: &Event) {
        let certain = |by: &Option<CopiedBy>| by.as_ref().is_some_and(CopiedBy::is_certain);
        match event {
            Event::Flow(attempt, event) => {
                let Some(job) = self.job.filter(|job| job.attempt == *attempt) else {
                    return;
                };
                match (event, job.kind) {
                    (FlowEvent::Tokens(set), kind @ (Kind::SignIn | Kind::Refresh)) => {
                        self.job = None;
                        let before = self.tokens.take().filter(|_| kind == Kind::Refresh);
                        self.tokens = Some(Tokens::new(*attempt, set, before.as_ref()));
                    }
                    (FlowEvent::Tool(told), Kind::Tool) => {
                        self.job = None;
                        if let (Ok(tool_report::Outcome::Revoked(revoked)), Some(tokens)) =
                            (&told.outcome, &mut self.tokens)
                        {
                            // A revoked token need not be kept.
                            for token in revoked.iter().filter(|token| token.outcome.is_ok()) {
                                let at = usize::from(token.kind == TokenKind::Refresh);
                                tokens.taken[at] = true;
                            }
                        }
                    }
                    (FlowEvent::MailTested(protocol, _), Kind::MailTest(mut left)) => {
                        left[*protocol as usize] = false;
                        let kind = Kind::MailTest(left);
                        self.job = left.contains(&true).then_some(Started { kind, ..job });
                    }
                    (FlowEvent::Failed(_), _)
                    | (FlowEvent::Metadata(_), Kind::Discovery)
                    | (FlowEvent::Registered(_), Kind::Registration) => {
                        self.job = None;
                    }
                    _ => {}
                }
            }
            Event::Copied(name, Copied { by, .. }) if certain(by) => self.take(name),
            Event::Saved(name, Ok(_)) => self.take(name),
            _ => {}
        }
    }

    /// Records that the user has this content outside the program.
    fn take(&mut self, name: &Name) {
        if let (Some(tokens), Some(attempt)) = (&mut self.tokens, name.tokens_of) {
            for at in name.tokens() {
                tokens.taken[*at] |= tokens.attempt == attempt;
            }
        }
    }

    /// The job that has not ended yet.
    pub fn job(&self) -> Option<Started> {
        self.job
    }

    /// Returns whether the session has a running job.
    pub fn is_busy(&self) -> bool {
        self.program.is_busy()
    }

    /// Checks that exactly one item has the focus, and that each label and each letter is unique.
    #[track_caller]
    pub fn check_items(&self) {
        let items = self.program.items();
        let focused = items.iter().filter(|item| item.focused).count();
        assert_eq!(focused, 1, "have the focus: {items:#?}");
        let labels = items.iter().filter(|item| item.is_button());
        let labels: Vec<&str> = labels.map(|item| item.label.as_ref()).collect();
        let different: BTreeSet<&str> = labels.iter().copied().collect();
        assert_eq!(labels.len(), different.len(), "twice: {labels:?}");
        let letters: Vec<char> = items.iter().filter_map(ItemView::letter).collect();
        let different: BTreeSet<char> = letters.iter().copied().collect();
        assert_eq!(letters.len(), different.len(), "twice: {letters:?}");
    }

    /// The items of the current screen that can have the focus.
    pub fn items(&self) -> Vec<ItemView> {
        self.program.items()
    }

    /// The latest tokens.
    pub fn tokens_at_hand(&self) -> Option<&Tokens> {
        self.tokens.as_ref()
    }

    /// The requests that followed from the latest event.
    pub fn asked(&self) -> &[Asked] {
        &self.asked
    }

    /// Presses a key with its modifiers.
    pub fn key(&mut self, code: KeyCode, modifiers: KeyModifiers) -> &mut Self {
        self.send(Event::Key(KeyEvent::new(code, modifiers)))
    }

    /// Presses keys: names in angle brackets, such as `<tab>` and `<ctrl-c>`, and other characters as they are.
    pub fn keys(&mut self, keys: &str) -> &mut Self {
        for (code, modifiers) in parse(keys) {
            self.key(code, modifiers);
        }
        self
    }

    /// Types a text key by key.
    pub fn typed(&mut self, text: &str) -> &mut Self {
        for ch in text.chars() {
            self.key(KeyCode::Char(ch), KeyModifiers::NONE);
        }
        self
    }

    pub fn paste(&mut self, text: &str) -> &mut Self {
        self.send(Event::Paste(text.to_owned()))
    }

    /// Presses a key until the screen satisfies `wanted`.
    fn until(&mut self, key: &str, what: &str, wanted: impl Fn(&Drawn) -> bool) -> &mut Self {
        if let Route::Known(known, next) = &mut self.route {
            let count = known[*next];
            *next += 1;
            for _ in 0..count {
                self.keys(key);
            }
            return self;
        }
        for count in 0..MOST_ITEMS {
            if wanted(&self.look()) {
                if let Route::New(found) = &mut self.route {
                    found.push(count);
                }
                return self;
            }
            self.keys(key);
        }
        panic!("{key} does not lead to {what}\n{}", self.look().text());
    }

    /// Moves the focus by Tab to the item with this label on the screen: `List`, or `Scope > List` for that of a row.
    pub fn go(&mut self, label: &str) -> &mut Self {
        let wanted = plain(label);
        let is_wanted = |item: Item| match wanted.split_once(" > ") {
            Some((of, label)) => item.of == of && item.label == label,
            // The button that shows or hides a section is also found by the label of the section.
            None if matches!(item.label.as_str(), "Show" | "Hide") => {
                item.label == wanted || item.of == wanted
            }
            None => item.label == wanted,
        };
        self.until("<tab>", label, |drawn| drawn.focus().is_some_and(is_wanted))
    }

    /// Moves to the item and presses Enter.
    pub fn press(&mut self, label: &str) -> &mut Self {
        self.go(label).keys("<enter>")
    }

    /// Chooses a value of a field with a few options.
    pub fn choose(&mut self, label: &str, value: &str) -> &mut Self {
        self.go(label).until("<right>", value, |drawn| {
            // The label is shorter if there are more flows.
            let word = match value {
                "Device code" => "Device",
                "Authorization code" => "Code",
                "No user" => "App",
                "Service account" => "Service",
                other => other,
            };
            let labels = [value, &value.replace("Authorization", "Auth."), word];
            let chosen = |mark: &str| {
                labels
                    .iter()
                    .any(|label| drawn.text().contains(&format!("{mark} {label}")))
            };
            chosen("(•)") || chosen("(*)")
        })
    }

    /// Sends an event of the latest attempt.
    pub fn flow(&mut self, event: FlowEvent) -> &mut Self {
        self.send(Event::Flow(self.attempt, event))
    }

    /// Sends an event of the latest attempt, or of the previous one, at any time. A job that has ended by itself
    /// reports nothing more.
    pub fn late(&mut self, before: bool, event: FlowEvent) -> &mut Self {
        if before {
            self.send(Event::Flow(self.attempt.saturating_sub(1), event))
        } else if self.job.is_some() || self.stopped {
            self.flow(event)
        } else {
            self
        }
    }

    /// Lets time pass.
    pub fn after(&mut self, seconds: u64) -> &mut Self {
        self.up += Duration::from_secs(seconds);
        self.send(Event::Tick)
    }

    /// Sends the outcome of the latest requested copy.
    pub fn copied(&mut self, by: Option<CopiedBy>, why: &str) -> &mut Self {
        let name = self.copies.pop().expect("a copy was asked for");
        self.send(Event::Copied(name, copied(by, why)))
    }

    /// Sends the outcome of one of the requested copies, if there is one.
    pub fn answer_copy(&mut self, which: usize, by: Option<CopiedBy>, why: &str) -> &mut Self {
        if self.copies.is_empty() {
            return self;
        }
        let name = self.copies.remove(which % self.copies.len());
        self.send(Event::Copied(name, copied(by, why)))
    }

    /// Sends the outcome of saving one of the requested files, if there is one.
    pub fn answer_save(
        &mut self,
        which: usize,
        outcome: Result<(String, Readers), String>,
    ) -> &mut Self {
        if self.files.is_empty() {
            return self;
        }
        let name = self.files.remove(which % self.files.len());
        self.send(Event::Saved(name, outcome))
    }

    /// Sends the outcome of saving the latest requested file.
    pub fn saved(&mut self, outcome: Result<&str, &str>) -> &mut Self {
        let name = self.files.pop().expect("a file was asked for");
        let outcome = outcome
            .map(|path| (path.to_owned(), Readers::User))
            .map_err(str::to_owned);
        self.send(Event::Saved(name, outcome))
    }

    /// Reports that the latest requested file was saved where others can read it.
    pub fn saved_for_others(&mut self, path: &str) -> &mut Self {
        let name = self.files.pop().expect("a file was asked for");
        self.send(Event::Saved(name, Ok((path.to_owned(), Readers::Others))))
    }

    /// Sends the outcome of a task with the files of profiles.
    pub fn profile(&mut self, report: ProfileReport) -> &mut Self {
        self.send(Event::Profile(report))
    }

    /// The latest requested task with the files of profiles.
    pub fn task(&mut self) -> ProfileTask {
        self.tasks.pop().expect("a task was asked for")
    }

    /// Reports that no browser could be opened.
    pub fn no_browser(&mut self, reason: &str) -> &mut Self {
        self.send(Event::Browser(self.attempt, Err(reason.to_owned())))
    }

    pub fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.send(Event::Resized(columns, rows))
    }

    /// Draws the screen in a window of this size.
    pub fn draw(&mut self, columns: u16, rows: u16) -> Drawn {
        self.resize(columns, rows).look()
    }

    /// The screen in the current window.
    pub fn look(&self) -> Drawn {
        self.program.draw(self.size)
    }

    /// The screen in a window that is large enough for the full title.
    pub fn peek(&self) -> Drawn {
        let (columns, rows) = self.size;
        self.program.draw((columns.max(80), rows.max(24)))
    }

    /// Checks that this text is on the screen, however it is wrapped.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        if !matches!(self.route, Route::Known(..)) {
            let drawn = self.look();
            assert!(drawn.flat().contains(text), "{text:?}\n{}", drawn.text());
        }
        self
    }

    /// The message to the user.
    pub fn message(&self) -> Option<&str> {
        self.program.message()
    }

    /// Clears the message, so that a repeated message is noticed.
    pub fn forget_message(&mut self) -> &mut Self {
        self.program.forget_message();
        self
    }

    /// Returns whether a value is shown with View alone, so that nothing is drawn.
    pub fn shows_a_value_alone(&self) -> bool {
        self.program.shows_a_value_alone()
    }

    /// All effects of the latest event and the resulting state, for comparing two runs.
    pub fn state(&self) -> String {
        format!("{} {}", self.words, self.program.state())
    }

    /// The state alone, before any event.
    pub fn bare_state(&self) -> String {
        self.program.state()
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub fn size(&self) -> (u16, u16) {
        self.size
    }
}

/// The outcome of a copy. If a reason is given, the desktop clipboard was skipped for it.
pub fn copied(by: Option<CopiedBy>, why: &str) -> Copied {
    let skipped = SkippedWay {
        way: CopyWay::Desktop,
        why: why.to_owned(),
    };
    Copied {
        by,
        skipped: (!why.is_empty()).then_some(skipped).into_iter().collect(),
    }
}

fn parse(keys: &str) -> Vec<(KeyCode, KeyModifiers)> {
    let mut parsed = Vec::new();
    let mut rest = keys;
    while let Some(ch) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (name, after) = match named {
            Some((name, after)) => (name, after),
            None => rest.split_at(ch.len_utf8()),
        };
        rest = after;
        let (modifiers, name) = match name.strip_prefix("ctrl-") {
            Some(name) => (KeyModifiers::CONTROL, name),
            None => (KeyModifiers::NONE, name),
        };
        let code = match name {
            "tab" => KeyCode::Tab,
            "backtab" => KeyCode::BackTab,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "space" => KeyCode::Char(' '),
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "pageup" => KeyCode::PageUp,
            "pagedown" => KeyCode::PageDown,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            one if one.chars().count() == 1 => KeyCode::Char(one.chars().next().unwrap()),
            other => panic!("no key is named <{other}>"),
        };
        parsed.push((code, modifiers));
    }
    parsed
}
