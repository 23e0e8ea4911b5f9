//! A test harness for a single screen, with a session of its own.

use std::time::Duration;

use ratatui::layout::Rect;

use super::any::AnyScreen;
use super::context::{Console, Outbox, UpdateContext, ViewContext};
use super::typed::{Screen, set_focus};
use crate::console::environment::Environment;
use crate::flow::attempt::AttemptId;
use crate::flow::event::FlowEvent;
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::presets::{self, Library};
use crate::session::clock::Moment;
use crate::session::{Session, SessionEvent};
use crate::tui::keys::Command;
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::editor::Edit;
use crate::tui::widgets::theme::Theme;

/// A single screen, with its console and session.
pub(in crate::tui) struct Solo<S> {
    pub(in crate::tui) screen: S,
    pub(in crate::tui) console: Console,
    pub(in crate::tui) session: Session,
}

/// Returns complete settings of this preset.
pub(in crate::tui) fn settings(preset: &str) -> Settings {
    let mut settings = Settings::new(presets::get(preset).unwrap());
    settings.set_server("http://127.0.0.1:9");
    for key in [Key::ClientId, Key::ClientSecret] {
        settings.set(key, "me".to_owned());
    }
    settings
}

/// Returns tokens that contain this name.
pub(in crate::tui) fn token_set(name: &str) -> TokenSet {
    TokenSet {
        access_token: format!("{name}-access").into(),
        token_type: Some("Bearer".to_owned()),
        expires_in: Some(60),
        refresh_token: Some(format!("{name}-refresh").into()),
        id_token: None,
        scope: None,
        kept: Vec::new(),
        notes: Vec::new(),
        token_url: None,
        redirect_url: None,
    }
}

/// Returns the event with the device code.
pub(in crate::tui) fn device_code() -> FlowEvent {
    FlowEvent::DeviceCode {
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: "https://as.example/device".parse().unwrap(),
        complete: "https://as.example/device?c=WDJB-MJHT".parse().ok(),
        expires_in: Duration::from_mins(15),
    }
}

/// Returns the event with the authorization URL.
pub(in crate::tui) fn sign_in() -> FlowEvent {
    FlowEvent::SignIn {
        url: "https://as.example/authorize?state=s".parse().unwrap(),
        redirect_url: url::Url::parse("http://localhost:8400/").unwrap().into(),
        listening: vec!["127.0.0.1:8400".to_owned(), "[::1]:8400".to_owned()],
        certificate: None,
    }
}

impl<S: Screen> Solo<S> {
    /// Creates a screen in this environment, with complete settings of this preset.
    pub(in crate::tui) fn new(
        environment: Environment,
        preset: &str,
        screen: impl FnOnce(ViewContext<'_>) -> S,
    ) -> Self {
        let console = Console {
            theme: Theme::new(&environment),
            environment,
            size: (80, 24),
            now: Moment::default(),
            clipboard_has_token: false,
        };
        let session = Session::new(settings(preset), Library::default());
        let screen = screen(ViewContext {
            console: &console,
            session: &session,
            focused: true,
        });
        Self {
            screen,
            console,
            session,
        }
    }

    pub(in crate::tui) fn view(&self) -> ViewContext<'_> {
        ViewContext {
            console: &self.console,
            session: &self.session,
            focused: true,
        }
    }

    /// Calls `act` on the screen, settles it, and returns what it requested.
    pub(in crate::tui) fn act(
        &mut self,
        act: impl FnOnce(&mut S, &mut UpdateContext<'_>),
    ) -> Outbox {
        let mut out = Outbox::default();
        let mut cx = UpdateContext {
            console: &self.console,
            session: &mut self.session,
            out: &mut out,
        };
        act(&mut self.screen, &mut cx);
        self.screen.settle(&mut cx);
        out
    }

    /// Moves the focus to an existing item, and activates it.
    pub(in crate::tui) fn press(&mut self, item: S::Item) -> Outbox {
        self.go(item);
        self.act(|screen, cx| AnyScreen::key(screen, Command::Enter, cx))
    }

    /// Moves the focus to an item, which must exist.
    pub(in crate::tui) fn go(&mut self, item: S::Item) {
        let items = Screen::items(&self.screen, self.view());
        let there = items.iter().any(|entry| entry.item == item);
        assert!(there, "{item:?} is none of {items:?}");
        self.act(|screen, cx| set_focus(screen, item, cx));
    }

    /// Sends keys, and returns what the last one requested.
    pub(in crate::tui) fn keys(&mut self, commands: &[Command]) -> Outbox {
        let mut last = Outbox::default();
        for command in commands {
            last = self.act(|screen, cx| AnyScreen::key(screen, *command, cx));
        }
        last
    }

    /// Types text, key by key.
    pub(in crate::tui) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.keys(&[Command::Edit(Edit::Insert(letter))]);
        }
    }

    /// Returns the labels of the items that can have the focus.
    pub(in crate::tui) fn labels(&self) -> Vec<String> {
        let items = Screen::items(&self.screen, self.view());
        let labels = items.into_iter().map(|entry| entry.label.into_owned());
        labels.collect()
    }

    /// Returns the text of the requested message.
    pub(in crate::tui) fn told(out: &Outbox) -> &str {
        match &out.message {
            Some(Some(message)) => message.text(),
            Some(None) | None => "",
        }
    }

    /// Starts a sign-in with the settings.
    pub(in crate::tui) fn authorize(&mut self, flow: FlowKind) -> AttemptId {
        self.session.settings.set_flow(flow);
        self.session.authorize().unwrap().attempt
    }

    /// Sends an event of the flow in progress.
    pub(in crate::tui) fn hear(&mut self, event: FlowEvent) -> Outbox {
        let attempt = self.session.attempt().unwrap();
        let (now, environment) = (self.console.now, &self.console.environment);
        let event = self.session.hear(attempt, event, now, environment).unwrap();
        self.on_event(&event)
    }

    /// Sends an event of the session.
    pub(in crate::tui) fn on_event(&mut self, event: &SessionEvent) -> Outbox {
        self.act(|screen, cx| Screen::on_event(screen, event, cx))
    }

    /// Returns the body on a page of this size.
    pub(in crate::tui) fn body(&self, columns: u16, rows: u16) -> Body {
        let area = Rect::new(0, 2, columns, rows);
        Screen::body(&self.screen, self.view(), area, columns)
    }

    /// Returns the body as text.
    pub(in crate::tui) fn text(&self) -> String {
        let rows = self.body(80, 24).rows;
        let lines = rows.iter().map(|row| row.line.to_string());
        lines.collect::<Vec<_>>().join("\n")
    }
}
