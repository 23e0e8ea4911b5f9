//! The state of the full-screen front end: the console, the session, the open screens, and the program's own dialogs.
//!
//! The state of a single screen is in its folder; state that outlives a screen is in the session.

use std::time::Duration;

use super::dialog::Dialog;
use super::keys::Context;
use super::root::{self, Alone, Below, RootDialog, fits};
use super::screen::{
    AnyScreen, Console, FormTarget, ItemView, Message, Outbox, Route, UpdateContext, ViewContext,
};
use super::screens;
use super::stack::Stack;
use super::widgets::theme::Theme;
use crate::console::environment::Environment;
use crate::form::settings::Settings;
use crate::outcome::{Print, exit};
use crate::presets::Library;
use crate::secret::SecretString;
use crate::session::Session;
use crate::session::clock::Moment;

/// The complete state of the full-screen front end.
#[derive(Debug)]
pub struct Model {
    /// The console: its environment, size, theme and time.
    pub console: Console,
    /// The session: settings, attempts, tokens and profiles.
    pub session: Session,
    /// The open screens.
    pub(super) screens: Stack,
    /// The program's own dialog, over any screen.
    pub(super) dialog: Option<Dialog<RootDialog>>,
    /// A value that is shown alone: the shell writes it to the terminal instead of drawing it.
    pub(super) alone: Option<Alone>,
    /// The message in the message area.
    pub message: Option<Message>,
    /// Whether tmux has reported which clients are attached to it.
    pub(super) heard_of_tmux: bool,
    /// Whether the user has scrolled since the focus last moved.
    pub(super) scrolled: bool,
    /// The path of the file that is being saved, as the user entered it, until the next key.
    pub(super) saving: Option<String>,
    /// The result to print. If it is set, the program ends once the tokens have arrived.
    pub print: Option<Print>,
    /// The text to write to standard output at the end.
    pub result: Option<SecretString>,
    /// The exit code at the end.
    pub exit: u8,
}

impl Model {
    /// Creates the model with the form on top, and the focus on the first field that is incomplete.
    #[must_use]
    pub fn new(environment: Environment, settings: Settings, library: Library) -> Self {
        // Shown right away, because the field may never get the focus.
        let message = settings.secret_notice().map(Message::warning);
        let console = Console {
            theme: Theme::new(&environment),
            environment,
            size: (80, 24),
            now: Moment::default(),
            clipboard_has_token: false,
        };
        let session = Session::new(settings, library);
        let cx = ViewContext {
            console: &console,
            session: &session,
            focused: true,
        };
        let form = screens::open(Route::Form(FormTarget::Missing), cx);
        let mut model = Self {
            console,
            session,
            screens: Stack::new(form),
            dialog: None,
            alone: None,
            message,
            heard_of_tmux: false,
            scrolled: false,
            saving: None,
            print: None,
            result: None,
            exit: exit::DONE,
        };
        model.settle();
        model
    }

    /// Returns the screen on top, which is the one shown.
    pub(super) fn top(&self) -> &dyn AnyScreen {
        self.screens.top()
    }

    /// Returns the state that a screen can read.
    pub(super) fn view_context(&self) -> ViewContext<'_> {
        ViewContext {
            console: &self.console,
            session: &self.session,
            focused: true,
        }
    }

    /// Calls `act` on the screen on top, and returns what that screen requested.
    pub(super) fn on_top(
        &mut self,
        act: impl FnOnce(&mut dyn AnyScreen, &mut UpdateContext<'_>),
    ) -> Outbox {
        let mut out = Outbox::default();
        let mut cx = UpdateContext {
            console: &self.console,
            session: &mut self.session,
            out: &mut out,
        };
        act(self.screens.top_mut(), &mut cx);
        out
    }

    /// Calls `act` on every open screen, and returns what the screens requested.
    pub(super) fn on_every(
        &mut self,
        act: impl Fn(&mut dyn AnyScreen, &mut UpdateContext<'_>),
    ) -> Outbox {
        let mut out = Outbox::default();
        for screen in self.screens.all_mut() {
            let mut cx = UpdateContext {
                console: &self.console,
                session: &mut self.session,
                out: &mut out,
            };
            act(screen.as_mut(), &mut cx);
        }
        out
    }

    /// Moves the focus of the screen on top to an existing item.
    pub(super) fn settle(&mut self) -> Outbox {
        self.on_top(|screen, cx| screen.settle(cx))
    }

    /// Returns the items of the screen on top that can have the focus, in order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView> {
        self.top().items(self.view_context())
    }

    /// Returns the context that decides what keys do now.
    #[must_use]
    pub fn context(&self) -> Context {
        match (&self.alone, &self.dialog) {
            (Some(_), _) => Context::Reading,
            (None, Some(dialog)) => {
                let (route, items) = (self.top().route(), &self.items());
                let theme = self.console.theme;
                root::with_source(&Below { route, items }, theme, |source| {
                    dialog.context(source)
                })
            }
            (None, None) => self.top().context(self.view_context()),
        }
    }

    /// Returns whether an Esc and a letter that came together are a key with Alt, which moves or deletes by words. Without
    /// a word to delete, Esc and d are two keys.
    pub(super) fn is_alt(&self, letter: char) -> bool {
        let has_word = self.has_dialog() || self.top().has_text_ahead();
        self.context().is_typed() && (letter != 'd' || has_word)
    }

    /// Returns whether a dialog is open over the screen.
    #[must_use]
    pub fn has_dialog(&self) -> bool {
        self.alone.is_some() || self.dialog.is_some() || self.top().has_dialog()
    }

    /// Returns the value that is shown alone on the screen. In a window that is too small, it may not fit.
    #[must_use]
    pub fn alone(&self) -> Option<&SecretString> {
        match &self.alone {
            Some(Alone::OnScreen(_, value)) => Some(value).filter(|it| fits(it, self.console.size)),
            Some(Alone::Outside) | None => None,
        }
    }

    /// Returns the time until a time shown on the screen changes; `None` if the screen shows no such time.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        self.top().tick(self.view_context())
    }
}
