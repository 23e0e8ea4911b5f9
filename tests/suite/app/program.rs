//! The only part of the screen tests that uses the program's inside: how it is created, how events reach it, and how it
//! is drawn.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use crossterm::event::KeyEvent;
use oauth_authorizer::configure::report::{Report, SetUpTask};
use oauth_authorizer::console::clipboard::Copied;
use oauth_authorizer::console::environment::Environment;
use oauth_authorizer::flow::attempt::AttemptId;
use oauth_authorizer::flow::driver::Job;
use oauth_authorizer::flow::event::FlowEvent;
use oauth_authorizer::flow::store_key::ListedKey;
use oauth_authorizer::form::settings::Settings;
use oauth_authorizer::mail::server::Protocol;
use oauth_authorizer::presets::{self, Library, Preset};
use oauth_authorizer::profile::places::Places;
use oauth_authorizer::session::Value;
use oauth_authorizer::session::clock::Moment;
use oauth_authorizer::session::content::Content;
use oauth_authorizer::session::profiles::{ProfileReport, ProfileTask, Profiles};
use oauth_authorizer::store::file::Readers;
use oauth_authorizer::tui::message::{self, Effect, Msg};
use oauth_authorizer::tui::model::Model;
pub use oauth_authorizer::tui::screen::ItemView;
use oauth_authorizer::tui::update::update;
use oauth_authorizer::tui::view::{is_plain, parts, view};
pub use oauth_authorizer::tui::widgets::text::{ascii, width};
use ratatui::Terminal;
use ratatui::layout::Size;

use super::drawn::{Drawn, Parts};
use super::sheet::Sheet;

/// An event.
pub enum Event {
    Key(KeyEvent),
    Paste(String),
    Resized(u16, u16),
    /// Of the attempt with this number.
    Flow(u64, FlowEvent),
    /// The outcome of a requested copy.
    Copied(Name, Copied),
    /// The outcome of saving a requested file.
    Saved(Name, Result<(String, Readers), String>),
    Browser(u64, Result<(), String>),
    Demo(Result<String, String>),
    DemoApproved(Result<(), String>),
    PasteLost,
    Library(Library),
    Configured(u64, Report),
    StoreKeys(Vec<ListedKey>),
    Profile(ProfileReport),
    Tick,
}

/// The content of a copy or file, as the program names it.
#[derive(Clone)]
pub struct Name {
    content: Content,
    /// The attempt that issued the tokens, if the content is tokens.
    pub tokens_of: Option<u64>,
}

impl Name {
    /// The indexes of the tokens in the content: access token, refresh token, ID token.
    pub fn tokens(&self) -> &'static [usize] {
        match self.content {
            Content::Token(Value::Access, _) | Content::Header(_) => &[0],
            Content::Token(Value::Refresh, _) => &[1],
            Content::Token(Value::Id, _) => &[2],
            Content::Json(_) => &[0, 1, 2],
            _ => &[],
        }
    }
}

/// A job of the engine, with the number of its attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Started {
    pub attempt: u64,
    pub kind: Kind,
}

/// The kind of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    SignIn,
    Refresh,
    Discovery,
    Registration,
    /// A request about existing tokens, such as a revocation.
    Tool,
    /// Tests of mail servers. The protocols whose result is still missing.
    MailTest([bool; 3]),
}

/// A request of the program.
pub enum Asked {
    Start(Started),
    /// Stop the job.
    Cancel,
    Copy(Name),
    Save(Name),
    Configure(Box<SetUpTask>, u64),
    /// Read the certificates of this machine.
    StoreKeys,
    Profile(ProfileTask),
    /// End the program.
    Quit,
    /// A request that needs no answer in these tests.
    Other,
}

/// The user's home folder.
const HOME: &str = "/home/alice";

/// The folders of profiles.
pub fn places() -> Places {
    let folder = |part: &str| format!("{HOME}/{part}/oauth-authorizer/profiles").into();
    Places::of_user(folder(".config"), folder(".local/state"))
}

/// The program without its terminal and the outside world.
pub struct Program {
    model: Model,
    /// The attempts that were started; the first has the number 1.
    attempts: Vec<AttemptId>,
    terminal: RefCell<Terminal<Sheet>>,
}

/// The preset with this ID, read only once.
pub fn preset(id: &str) -> Arc<Preset> {
    static READ: LazyLock<Mutex<BTreeMap<String, Arc<Preset>>>> = LazyLock::new(Mutex::default);
    let mut read = READ.lock().unwrap();
    let preset = read
        .entry(id.to_owned())
        .or_insert_with(|| presets::get(id).unwrap());
    Arc::clone(preset)
}

impl Program {
    pub fn new(environment: &Environment, settings: &Settings) -> Self {
        let mut model = Model::new(environment.clone(), settings.clone(), Library::default());
        model.session.profiles = Profiles::new(Some(places()), Some(HOME.into()), None);
        Self {
            model,
            attempts: Vec::new(),
            terminal: RefCell::new(Terminal::new(Sheet::default()).unwrap()),
        }
    }

    /// Sends an event at this time since the start. Returns the requests of the program, and their debug output for
    /// comparing two runs.
    pub fn send(&mut self, event: Event, up: Duration) -> (Vec<Asked>, String) {
        // 12:01:07 UTC.
        let began = jiff::Timestamp::from_second(1_795_694_467).unwrap();
        let now = began.saturating_add(jiff::SignedDuration::try_from(up).unwrap());
        let now = now.unwrap();
        let at = Moment {
            up,
            local: jiff::tz::Offset::UTC.to_datetime(now),
            unix: now.as_second(),
        };
        let event = match event {
            Event::Key(key) => message::Event::Key(key),
            Event::Paste(text) => message::Event::Paste(text),
            Event::Resized(columns, rows) => message::Event::Resized(columns, rows),
            Event::Flow(number, event) => match self.attempt(number) {
                Some(attempt) => message::Event::Flow(attempt, event),
                None => message::Event::Tick,
            },
            Event::Copied(name, outcome) => message::Event::Copied(name.content, outcome),
            Event::Saved(name, outcome) => message::Event::Saved(name.content, outcome),
            Event::Browser(number, outcome) => match self.attempt(number) {
                Some(attempt) => message::Event::Browser(attempt, outcome),
                None => message::Event::Tick,
            },
            Event::Demo(outcome) => message::Event::Demo(outcome),
            Event::DemoApproved(outcome) => message::Event::DemoApproved(outcome),
            Event::PasteLost => message::Event::PasteLost,
            Event::Library(library) => message::Event::Library(Box::new(library)),
            Event::Configured(number, report) => {
                message::Event::SetUp(number, Box::new(report), Box::default())
            }
            Event::StoreKeys(keys) => message::Event::StoreKeys(Ok(keys)),
            Event::Profile(report) => message::Event::Profile(Box::new(report)),
            Event::Tick => message::Event::Tick,
        };
        let effects = update(&mut self.model, Msg { at, event });
        let words = format!("{effects:?}");
        let asked = effects.into_iter().map(|effect| self.asked(effect));
        (asked.collect(), words)
    }

    /// The attempt with this number, if it was started.
    fn attempt(&self, number: u64) -> Option<AttemptId> {
        let index = usize::try_from(number).unwrap().checked_sub(1)?;
        self.attempts.get(index).copied()
    }

    /// The number of an attempt. Tokens of a profile come from no attempt that was started here; their number is 0.
    fn number(&self, attempt: AttemptId) -> u64 {
        let index = self.attempts.iter().position(|known| *known == attempt);
        index.map_or(0, |index| u64::try_from(index).unwrap() + 1)
    }

    pub fn draw(&self, (columns, rows): (u16, u16)) -> Drawn {
        let mut terminal = self.terminal.borrow_mut();
        terminal.backend_mut().size = Size::new(columns, rows);
        let model = &self.model;
        let frame = terminal.draw(|frame| view(model, frame)).unwrap();
        let buffer = frame.buffer.clone();
        let (body_end, buttons) = parts(model);
        let parts = Parts {
            body_end,
            buttons,
            dialog: model.has_dialog(),
        };
        Drawn::new(buffer, terminal.backend().cursor, parts)
    }

    /// Returns whether a value is shown with View alone, which the shell's screen shows without drawing.
    pub fn shows_a_value_alone(&self) -> bool {
        is_plain(&self.model)
    }

    /// Returns whether the session has a running job.
    pub fn is_busy(&self) -> bool {
        self.model.session.work().is_some()
    }

    /// The items of the current screen that can have the focus.
    pub fn items(&self) -> Vec<ItemView> {
        self.model.items()
    }

    /// The message to the user.
    pub fn message(&self) -> Option<&str> {
        self.model
            .message
            .as_ref()
            .map(oauth_authorizer::tui::screen::Message::text)
    }

    /// Clears the message, so that a repeated message is noticed.
    pub fn forget_message(&mut self) {
        self.model.message = None;
    }

    /// The whole state as debug output, for comparing two runs.
    pub fn state(&self) -> String {
        format!("{:?}", self.model)
    }

    fn asked(&mut self, effect: Effect) -> Asked {
        let name = |content: Content| {
            let tokens_of = content.tokens_of().map(|attempt| self.number(attempt));
            Name { content, tokens_of }
        };
        match effect {
            Effect::Start(started) => {
                self.attempts.push(started.attempt);
                Asked::Start(Started {
                    attempt: self.number(started.attempt),
                    kind: match &*started.job {
                        Job::Authorize(_) => Kind::SignIn,
                        Job::Refresh(..) => Kind::Refresh,
                        Job::Discover(_) => Kind::Discovery,
                        Job::Register(_) => Kind::Registration,
                        Job::Tool(_) => Kind::Tool,
                        Job::TestMail(tests) => {
                            let tested = |it| tests.iter().any(|test| test.protocol == it);
                            Kind::MailTest(Protocol::ALL.map(tested))
                        }
                    },
                })
            }
            Effect::Cancel => Asked::Cancel,
            Effect::Copy(content) => Asked::Copy(name(content)),
            Effect::Save(content, _) => {
                assert!(content.text(&self.model.session).is_some(), "{content:?}");
                Asked::Save(name(content))
            }
            Effect::Profile(task) => Asked::Profile(task),
            Effect::ListStoreKeys => Asked::StoreKeys,
            Effect::SetUp(task, number) => Asked::Configure(task, number),
            Effect::Quit => Asked::Quit,
            Effect::Paste(_)
            | Effect::OpenBrowser(..)
            | Effect::ShowInScrollback(_)
            | Effect::ClearClipboard
            | Effect::Redraw
            | Effect::Send(_)
            | Effect::StartDemo
            | Effect::ApproveDemo(_)
            | Effect::Suspend => Asked::Other,
        }
    }
}
