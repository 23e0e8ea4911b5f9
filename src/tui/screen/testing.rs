//! A screen by itself, with a session made by hand, for the tests of the screens.

use std::time::Duration;

use ratatui::layout::Rect;

use super::any::AnyScreen;
use super::context::{Console, Outbox, UpdateContext, ViewContext};
use super::typed::{Screen, set_focus};
use crate::console::environment::Environment;
use crate::flow::attempt::AttemptId;
use crate::flow::event::FlowEvent;
use crate::form::settings::{Key, Settings};
use crate::oauth::client::FlowKind;
use crate::oauth::token::TokenSet;
use crate::presets::{self, Library};
use crate::session::clock::Moment;
use crate::session::{Session, SessionEvent};
use crate::tui::keys::Command;
use crate::tui::widgets::draw::Body;
use crate::tui::widgets::editor::Edit;
use crate::tui::widgets::theme::Theme;

/// A screen by itself.
pub(in crate::tui) struct Solo<S> {
    pub(in crate::tui) screen: S,
    pub(in crate::tui) console: Console,
    pub(in crate::tui) session: Session,
}

/// Settings of this preset that are complete.
pub(in crate::tui) fn settings(preset: &str) -> Settings {
    let mut settings = Settings::new(presets::get(preset).unwrap());
    settings.set_server("http://127.0.0.1:9");
    for key in [Key::ClientId, Key::ClientSecret] {
        settings.set(key, "me".to_owned());
    }
    settings
}

/// Tokens by this name.
pub(in crate::tui) fn token_set(name: &str) -> TokenSet {
    TokenSet {
        access_token: format!("{name}-access").into(),
        token_type: Some("Bearer".to_owned()),
        expires_in: Some(60),
        refresh_token: Some(format!("{name}-refresh").into()),
        id_token: None,
        scope: None,
        kept: Vec::new(),
        token_url: None,
        redirect_url: None,
    }
}

/// The code of a device flow.
pub(in crate::tui) fn device_code() -> FlowEvent {
    FlowEvent::DeviceCode {
        user_code: "WDJB-MJHT".to_owned(),
        verification_uri: "https://as.example/device".parse().unwrap(),
        complete: "https://as.example/device?c=WDJB-MJHT".parse().ok(),
        expires_in: Duration::from_mins(15),
    }
}

/// The URL of an authorization code flow.
pub(in crate::tui) fn sign_in() -> FlowEvent {
    FlowEvent::SignIn {
        url: "https://as.example/authorize?state=s".parse().unwrap(),
        redirect_url: url::Url::parse("http://localhost:8400/").unwrap().into(),
        listening: vec!["127.0.0.1:8400".to_owned(), "[::1]:8400".to_owned()],
        certificate: None,
    }
}

impl<S: Screen> Solo<S> {
    /// On a console like this, with complete settings of this preset.
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

    /// Lets the screen do something, and settles it. Says what it requested.
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

    /// Puts the focus on an item that is there, and activates it.
    pub(in crate::tui) fn press(&mut self, item: S::Item) -> Outbox {
        self.go(item);
        self.act(|screen, cx| AnyScreen::key(screen, Command::Enter, cx))
    }

    /// Puts the focus on an item, which has to be there.
    pub(in crate::tui) fn go(&mut self, item: S::Item) {
        let items = Screen::items(&self.screen, self.view());
        let there = items.iter().any(|entry| entry.item == item);
        assert!(there, "{item:?} is none of {items:?}");
        self.act(|screen, cx| set_focus(screen, item, cx));
    }

    /// Keys.
    pub(in crate::tui) fn keys(&mut self, commands: &[Command]) -> Outbox {
        let mut last = Outbox::default();
        for command in commands {
            last = self.act(|screen, cx| AnyScreen::key(screen, *command, cx));
        }
        last
    }

    /// Text, key by key.
    pub(in crate::tui) fn type_text(&mut self, text: &str) {
        for letter in text.chars() {
            self.keys(&[Command::Edit(Edit::Insert(letter))]);
        }
    }

    /// The labels of what can have the focus.
    pub(in crate::tui) fn labels(&self) -> Vec<String> {
        let items = Screen::items(&self.screen, self.view());
        let labels = items.into_iter().map(|entry| entry.label.into_owned());
        labels.collect()
    }

    /// The message that is requested.
    pub(in crate::tui) fn told(out: &Outbox) -> &str {
        match &out.message {
            Some(Some(message)) => message.text(),
            Some(None) | None => "",
        }
    }

    /// Starts the sign-in of the settings.
    pub(in crate::tui) fn authorize(&mut self, flow: FlowKind) -> AttemptId {
        self.session.settings.set_flow(flow);
        self.session.authorize().unwrap().attempt
    }

    /// Something that the engine reports of what is in progress.
    pub(in crate::tui) fn hear(&mut self, event: FlowEvent) -> Outbox {
        let attempt = self.session.attempt().unwrap();
        let (now, environment) = (self.console.now, &self.console.environment);
        let event = self.session.hear(attempt, event, now, environment).unwrap();
        self.on_event(&event)
    }

    /// Something that the session has taken in.
    pub(in crate::tui) fn on_event(&mut self, event: &SessionEvent) -> Outbox {
        self.act(|screen, cx| Screen::on_event(screen, event, cx))
    }

    /// The body in a page of this size.
    pub(in crate::tui) fn body(&self, columns: u16, rows: u16) -> Body {
        let area = Rect::new(0, 2, columns, rows);
        Screen::body(&self.screen, self.view(), area, columns)
    }

    /// The body as text.
    pub(in crate::tui) fn text(&self) -> String {
        let rows = self.body(80, 24).rows;
        let lines = rows.iter().map(|row| row.line.to_string());
        lines.collect::<Vec<_>>().join("\n")
    }
}
