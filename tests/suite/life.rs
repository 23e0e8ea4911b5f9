//! Events in any order, and what must be true after each: no panic, one focus, no tokens lost.

use std::collections::BTreeSet;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyModifiers};
use oauth_authorizer::console::clipboard::CopiedBy;
use oauth_authorizer::console::environment::Environment;
use oauth_authorizer::flow::event::{FlowError, FlowEvent, Step};
use oauth_authorizer::flow::listener::Stray;
use oauth_authorizer::flow::tool_report::{self, Told, ToolError};
use oauth_authorizer::mail::server::Protocol;
use oauth_authorizer::oauth::check::{Check, CheckName, Outcome};
use oauth_authorizer::oauth::device::Note;
use oauth_authorizer::oauth::failure::{Failure, ServerError};
use oauth_authorizer::store::file::Readers;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};

use crate::app::fixtures::{Fixture, all, named};
use crate::app::stories::{
    introspection, mail_report, refused_tool, registered_client, revocation, user_info,
};
use crate::app::{App, Asked, Drawn, Event, Tokens, sign_in, token_set};
use crate::screens::{BUTTONS, SMALLEST, WIDE, focus, letters};

/// Unusual characters.
pub const ODD: &str = "ab1 \t\n\r\0\"'`$%&=?#:/.-日本語é\u{301}\u{202e}\u{200b}\u{7f}\u{1b}🙂";

/// An event that a user, a service or the machine causes.
#[derive(Debug, Clone)]
pub enum Message {
    Key(KeyCode, KeyModifiers),
    Paste(String),
    Resize(u16, u16),
    /// Seconds pass.
    After(u64),
    /// The current attempt reports an event, or the previous attempt if the first value is true.
    Flow(bool, Report),
    /// One of the requested copies succeeds or fails.
    Copied(usize, Clipboard, String),
    /// One of the requested files is saved, or saving it fails.
    Saved(usize, Result<(String, Readers), String>),
    NoBrowser(String),
    Demo(Result<String, String>),
    DemoApproved(Result<(), String>),
    PasteLost,
}

/// An event of a flow.
#[derive(Debug, Clone)]
pub enum Report {
    Began(Step),
    Done(u64),
    DeviceCode(String, usize, Option<usize>, u64),
    Polled(u32, Note),
    SignIn(usize, usize),
    NotOurs(String),
    PasteRefused(String),
    Trouble(String),
    Stray,
    Check(CheckName, Outcome, String),
    Expired,
    Refused(String),
    Tokens,
    UserInfo(String),
    Introspected(bool),
    Revoked(bool),
    ToolRefused(String),
    MailTested(Protocol, bool),
    Registered,
}

#[derive(Debug, Clone, Copy)]
pub enum Clipboard {
    Desktop,
    DesktopForGood,
    Tmux,
    TmuxOnly,
    Terminal,
    None,
}

impl Clipboard {
    fn by(self) -> Option<CopiedBy> {
        match self {
            Self::Desktop => Some(CopiedBy::Desktop),
            Self::DesktopForGood => Some(CopiedBy::DesktopForGood),
            Self::Tmux => Some(CopiedBy::Tmux),
            Self::TmuxOnly => Some(CopiedBy::TmuxOnly),
            Self::Terminal => Some(CopiedBy::Terminal("".into())),
            Self::None => None,
        }
    }
}

impl Report {
    fn event(self) -> FlowEvent {
        match self {
            Self::Began(step) => FlowEvent::Began(step),
            Self::Done(time) => FlowEvent::Done(Duration::from_millis(time)),
            Self::DeviceCode(user_code, scopes, complete, seconds) => FlowEvent::DeviceCode {
                user_code,
                verification_uri: sign_in(scopes),
                complete: complete.map(sign_in),
                expires_in: Duration::from_secs(seconds),
            },
            Self::Polled(times, note) => FlowEvent::Polled {
                times,
                note,
                pause: Duration::from_secs(5),
            },
            Self::SignIn(scopes, listening) => FlowEvent::SignIn {
                url: sign_in(scopes),
                redirect_url: "http://localhost:8400/".parse().unwrap(),
                listening: vec!["127.0.0.1:8400".to_owned(); listening],
                certificate: None,
            },
            Self::NotOurs(reason) => FlowEvent::NotOurs(reason),
            Self::PasteRefused(reason) => FlowEvent::PasteRefused(reason),
            Self::Trouble(reason) => FlowEvent::Trouble(reason),
            Self::Stray => FlowEvent::Stray(Stray::Path),
            Self::Check(name, outcome, detail) => {
                FlowEvent::Check(Check::new(name, outcome, detail))
            }
            Self::Expired => FlowEvent::Failed(FlowError::Protocol(Failure::Expired)),
            Self::Refused(reason) => {
                let error = ServerError::new("invalid_scope", Some(&reason));
                FlowEvent::Failed(FlowError::Protocol(Failure::Callback(error)))
            }
            Self::Tokens => FlowEvent::Tokens(Box::new(token_set())),
            Self::Registered => FlowEvent::Registered(Box::new(registered_client())),
            Self::UserInfo(name) => told(user_info(&name)),
            Self::Introspected(active) => told(introspection(active)),
            Self::Revoked(both) => told(Ok(revocation(both))),
            Self::ToolRefused(words) => told(refused_tool(&words)),
            Self::MailTested(protocol, ok) => {
                FlowEvent::MailTested(protocol, Box::new(mail_report(protocol, ok)))
            }
        }
    }
}

fn told(outcome: Result<tool_report::Outcome, ToolError>) -> FlowEvent {
    FlowEvent::Tool(Box::new(Told {
        outcome,
        took: Duration::from_millis(73),
    }))
}

/// A valid user code: the program rejects other codes before they reach a screen.
fn user_code() -> impl Strategy<Value = String> {
    let chars: Vec<char> = "ABCDXYZ0189-bcd日本".chars().collect();
    vec(select(chars), 0..20).prop_map(|chars| chars.into_iter().collect())
}

fn text(most: usize) -> impl Strategy<Value = String> {
    let odd: Vec<char> = ODD.chars().collect();
    vec(select(odd), 0..most).prop_map(|chars| chars.into_iter().collect())
}

fn key() -> impl Strategy<Value = Message> {
    use KeyCode::{
        BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, F, Home, Left, PageDown, PageUp,
        Right, Tab, Up,
    };
    let codes = vec![
        Tab,
        Tab,
        BackTab,
        Up,
        Down,
        Left,
        Right,
        Enter,
        Enter,
        Esc,
        Home,
        End,
        Backspace,
        Delete,
        PageDown,
        PageUp,
        F(5),
    ];
    let letters: Vec<char> = ('a'..='z').chain(['?']).collect();
    let plain = |code| Message::Key(code, KeyModifiers::NONE);
    prop_oneof![
        6 => select(codes).prop_map(plain),
        1 => Just(plain(Char(' '))),
        1 => select(letters.clone()).prop_map(|ch| Message::Key(Char(ch), KeyModifiers::CONTROL)),
        1 => select(vec!['日', 'é', '/', ':', '\u{301}']).prop_map(|ch| Message::Key(Char(ch), KeyModifiers::SHIFT)),
        2 => select(letters).prop_map(move |ch| plain(Char(ch))),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let steps = vec![
        Step::DeviceCode,
        Step::Approval,
        Step::Listen,
        Step::Pushed,
        Step::SignIn,
        Step::Exchange,
        Step::TokenRequest,
    ];
    let names = vec![CheckName::Tls, CheckName::Scope, CheckName::IdToken];
    let outcomes = vec![Outcome::Passed, Outcome::Failed, Outcome::NotChecked];
    let note = prop_oneof![
        Just(Note::Pending),
        Just(Note::SlowDown),
        text(200).prop_map(Note::Trouble),
    ];
    prop_oneof![
        2 => select(steps).prop_map(Report::Began),
        1 => (0..100_000u64).prop_map(Report::Done),
        2 => (user_code(), 0..4usize, proptest::option::of(0..9usize), 0..2000u64)
            .prop_map(|(code, scopes, complete, seconds)| Report::DeviceCode(code, scopes, complete, seconds)),
        1 => (0..1000u32, note).prop_map(|(times, note)| Report::Polled(times, note)),
        2 => (0..60usize, 0..3usize).prop_map(|(scopes, listening)| Report::SignIn(scopes, listening)),
        1 => text(300).prop_map(Report::NotOurs),
        1 => text(300).prop_map(Report::PasteRefused),
        1 => text(300).prop_map(Report::Trouble),
        1 => Just(Report::Stray),
        1 => (select(names), select(outcomes), text(200))
            .prop_map(|(name, outcome, detail)| Report::Check(name, outcome, detail)),
        1 => prop_oneof![
            1 => Just(Report::Expired),
            1 => text(900).prop_map(Report::Refused),
            2 => Just(Report::Tokens),
        ],
        1 => prop_oneof![
            Just(Report::Registered),
            text(900).prop_map(Report::UserInfo),
            proptest::bool::ANY.prop_map(Report::Introspected),
            proptest::bool::ANY.prop_map(Report::Revoked),
            text(900).prop_map(Report::ToolRefused),
            (select(Protocol::ALL.to_vec()), any::<bool>())
                .prop_map(|(protocol, ok)| Report::MailTested(protocol, ok)),
        ],
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let ways = vec![
        Clipboard::Desktop,
        Clipboard::DesktopForGood,
        Clipboard::Tmux,
        Clipboard::TmuxOnly,
        Clipboard::Terminal,
        Clipboard::None,
    ];
    // Most pastes are short; some are longer than any real value.
    let paste = prop_oneof![
        50 => text(300),
        1 => (text(70), 0..1000usize).prop_map(|(text, times)| text.repeat(times)),
    ];
    let done = |most| prop_oneof![text(most).prop_map(Ok), text(most).prop_map(Err)];
    prop_oneof![
        280 => key(),
        30 => paste.prop_map(Message::Paste),
        20 => (0..150u16, 0..50u16).prop_map(|(columns, rows)| Message::Resize(columns, rows)),
        30 => (0..120u64).prop_map(Message::After),
        50 => (proptest::bool::weighted(0.125), report()).prop_map(|(old, report)| Message::Flow(old, report)),
        15 => (0..4usize, select(ways), text(90)).prop_map(|(which, way, why)| Message::Copied(which, way, why)),
        5 => (0..4usize, done(300), select(vec![Readers::User, Readers::Others])).prop_map(
            |(which, outcome, readers)| {
                Message::Saved(which, outcome.map(|path| (path, readers)))
            }
        ),
        2 => text(90).prop_map(Message::NoBrowser),
        2 => prop_oneof![Just(Ok("http://127.0.0.1:9".to_owned())), text(90).prop_map(Err)].prop_map(Message::Demo),
        2 => text(90).prop_map(|reason| Message::DemoApproved(Err(reason))),
        2 => Just(Message::PasteLost),
    ]
}

/// The initial state of a run.
#[derive(Debug, Clone)]
pub struct Beginning {
    fixture: &'static str,
    place: usize,
    ascii: bool,
}

/// The events. Any event can follow any other.
pub struct Messages;

impl ReferenceStateMachine for Messages {
    type State = Beginning;
    type Transition = Message;

    fn init_state() -> BoxedStrategy<Beginning> {
        let names: Vec<&str> = all().iter().map(|fixture| fixture.name).collect();
        (select(names), 0..6usize, proptest::bool::weighted(0.25))
            .prop_map(|(fixture, place, ascii)| Beginning {
                fixture,
                place,
                ascii,
            })
            .boxed()
    }

    fn transitions(_: &Beginning) -> BoxedStrategy<Message> {
        message().boxed()
    }

    fn apply(state: Beginning, _: &Message) -> Beginning {
        state
    }
}

/// The program and what a user sees of it.
pub struct Life {
    app: App,
    fixture: Fixture,
    drawn: Drawn,
    /// Whether tokens were shown with View alone and could have been copied from there.
    shown: bool,
    /// Whether the screen was scrolled since the focus was moved, so that the focus may be out of sight.
    scrolled: bool,
    messages: usize,
}

impl Life {
    fn begin(fixture: Fixture, environment: Environment) -> Self {
        let app = fixture.app(environment);
        Self {
            drawn: app.peek(),
            shown: app.shows_a_value_alone(),
            app,
            fixture,
            scrolled: false,
            messages: 0,
        }
    }

    fn happens(&mut self, message: Message) {
        self.messages += 1;
        let alone = self.app.shows_a_value_alone();
        let tokens = self.app.tokens_at_hand().map(|it| it.attempt);
        match message {
            Message::Key(KeyCode::PageDown, _) => self.scrolled = true,
            Message::Key(KeyCode::Tab | KeyCode::BackTab | KeyCode::Up | KeyCode::Down, _) => {
                self.scrolled = false;
            }
            _ => {}
        }
        let app = &mut self.app;
        match message {
            Message::Key(code, modifiers) => app.key(code, modifiers),
            Message::Paste(text) => app.paste(&text),
            Message::Resize(columns, rows) => app.resize(columns, rows),
            Message::After(seconds) => app.after(seconds),
            Message::Flow(old, report) => app.late(old, report.event()),
            Message::Copied(which, clipboard, why) => app.answer_copy(which, clipboard.by(), &why),
            Message::Saved(which, outcome) => app.answer_save(which, outcome),
            Message::NoBrowser(reason) => app.no_browser(&reason),
            Message::Demo(outcome) => app.send(Event::Demo(outcome)),
            Message::DemoApproved(outcome) => app.send(Event::DemoApproved(outcome)),
            Message::PasteLost => app.send(Event::PasteLost),
        };
        // A value shown alone is a token if the tokens, or the question about one, were on the screen before.
        let before = self.drawn.rows()[0].clone();
        if app.tokens_at_hand().map(|it| it.attempt) != tokens {
            self.shown = false;
        }
        self.shown |= !alone && app.shows_a_value_alone() && before.ends_with("tokens");
        if app.asked().iter().any(|asked| matches!(asked, Asked::Quit)) {
            let safe = app.tokens_at_hand().is_none_or(Tokens::are_taken) || self.shown;
            let asked = self.drawn.buttons().iter().any(|label| label == "Quit");
            assert!(safe || asked, "the tokens are lost\n{}", self.drawn.text());
            let (messages, environment) = (self.messages, app.environment().clone());
            *self = Self::begin(self.fixture, environment);
            self.messages = messages;
            return;
        }
        self.drawn = app.peek();
    }

    /// Checks everything that must be true after any event.
    fn check(&self) {
        let (app, drawn) = (&self.app, self.app.look());
        assert_eq!(app.is_busy(), app.job().is_some(), "{:?}", app.job());
        app.check_items();
        if let Some(cursor) = drawn.cursor {
            assert!(drawn.buffer.area.contains(cursor), "{cursor:?}");
        }
        let text = drawn.text();
        assert!(app.environment().utf8 || text.is_ascii(), "{text}");
        let (columns, rows) = app.size();
        if app.shows_a_value_alone() || columns < SMALLEST.0 || rows < SMALLEST.1 {
            return;
        }
        if let Err(reason) = focus(&drawn)
            && !self.is_known(&drawn)
        {
            panic!("{reason}\n{text}");
        }
        if drawn.has_dialog() {
            return;
        }
        let buttons = drawn.bottom_buttons();
        let different: BTreeSet<&String> = buttons.iter().collect();
        assert_eq!(buttons.len(), different.len(), "two with one label\n{text}");
        for label in &buttons {
            assert!(
                BUTTONS.contains(&label.as_str()),
                "no fixture shows {label}\n{text}"
            );
        }
        // The footer offers to cancel only a running job.
        let offered = drawn.footer().contains("Esc cancel");
        assert!(!offered || app.job().is_some(), "no job is running\n{text}");
    }

    /// Returns whether a fault in how the focus is shown is a known one. Each condition is as narrow as possible.
    fn is_known(&self, drawn: &Drawn) -> bool {
        let title = &self.drawn.rows()[0];
        // The focus can be scrolled out of sight, and a wide window with few rows has no room for it above a long URL.
        let (columns, rows) = self.app.size();
        let long = drawn.rows().iter().any(|row| row.starts_with("http"));
        let low = columns >= WIDE && rows < 43 && long;
        let low = low && title.ends_with(" code");
        // In a window with few rows, a message may leave no room for the focus or for the line with the cursor.
        let few = rows < 20;
        self.scrolled || few || drawn.focus().is_none() && low
    }
}

impl StateMachineTest for Life {
    type SystemUnderTest = Self;
    type Reference = Messages;

    fn init_test(beginning: &Beginning) -> Self {
        let fixture = named(beginning.fixture);
        let places: Vec<_> = fixture.places().collect();
        let mut environment = places[beginning.place % places.len()].environment();
        environment.utf8 &= !beginning.ascii;
        Self::begin(fixture, environment)
    }

    fn apply(mut life: Self, _: &Beginning, message: Message) -> Self {
        life.happens(message);
        life
    }

    fn check_invariants(life: &Self, _: &Beginning) {
        life.check();
    }

    /// Checks that every button has its own letter.
    fn teardown(mut life: Self, _: Beginning) {
        let drawn = life.app.peek();
        if life.app.shows_a_value_alone() || drawn.has_dialog() {
            return;
        }
        let (columns, rows) = life.app.size();
        life.app
            .resize(columns.max(SMALLEST.0), rows.max(SMALLEST.1));
        letters(&life.app);
    }
}
