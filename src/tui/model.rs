//! The state of the full-screen front end: the console, the session, the open screens, and the program's own dialogs.
//!
//! State of a single screen is in its folder; state that outlives a screen is in the session.

use std::time::Duration;

use super::dialog::Dialog;
use super::keys::Context;
use super::root::{Alone, RootDialog};
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

/// Everything the screens show.
#[derive(Debug)]
pub struct Model {
    /// The console.
    pub console: Console,
    /// What the program is about.
    pub session: Session,
    /// The open screens.
    pub(super) screens: Stack,
    /// What the program itself asks or shows over any screen.
    pub(super) dialog: Option<Dialog<RootDialog>>,
    /// A value that is shown alone, written by the shell instead of drawn.
    pub(super) alone: Option<Alone>,
    /// The message to the user.
    pub message: Option<Message>,
    /// tmux has answered who is attached to it.
    pub(super) heard_of_tmux: bool,
    /// The user has scrolled, and has not moved the focus since.
    pub(super) scrolled: bool,
    /// What the caller waits for. With it, the program ends once the tokens have arrived.
    pub print: Option<Print>,
    /// What goes to standard output at the end.
    pub result: Option<SecretString>,
    /// The exit code at the end.
    pub exit: u8,
}

impl Model {
    /// The form, with the focus on the first field that needs something.
    #[must_use]
    pub fn new(environment: Environment, settings: Settings, library: Library) -> Self {
        // Told at once: its field may never have the focus.
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
            print: None,
            result: None,
            exit: exit::DONE,
        };
        model.settle();
        model
    }

    /// The screen that is shown.
    pub(super) fn top(&self) -> &dyn AnyScreen {
        self.screens.top()
    }

    /// What a screen may look at.
    pub(super) fn view_context(&self) -> ViewContext<'_> {
        ViewContext {
            console: &self.console,
            session: &self.session,
            focused: true,
        }
    }

    /// Lets the screen that is shown do something, and says what it requested.
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

    /// Lets every open screen do something, and says what they requested.
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

    /// Puts the focus of the screen that is shown on something that is there.
    pub(super) fn settle(&mut self) -> Outbox {
        self.on_top(|screen, cx| screen.settle(cx))
    }

    /// What can have the focus on the screen that is shown, in its order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView> {
        self.top().items(self.view_context())
    }

    /// What keys mean now.
    #[must_use]
    pub fn context(&self) -> Context {
        match (&self.alone, &self.dialog) {
            (Some(_), _) => Context::Reading,
            (None, Some(dialog)) => dialog.context(),
            (None, None) => self.top().context(self.view_context()),
        }
    }

    /// True if a dialog lies over the screen.
    #[must_use]
    pub fn has_dialog(&self) -> bool {
        self.alone.is_some() || self.dialog.is_some() || self.top().has_dialog()
    }

    /// The value that stands alone on the screen.
    #[must_use]
    pub fn alone(&self) -> Option<&SecretString> {
        match &self.alone {
            Some(Alone::OnScreen(_, value)) => Some(value),
            Some(Alone::Outside) | None => None,
        }
    }

    /// How long until a time on the screen changes; `None` while none is shown.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        self.top().tick(self.view_context())
    }
}
