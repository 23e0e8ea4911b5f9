//! What a screen may look at, what it may change, and what it may ask for.

use super::route::{FormTarget, Navigation, Route};
use crate::console::environment::Environment;
use crate::form::checks::{Problem, Severity};
use crate::session::clock::Moment;
use crate::session::content::Content;
use crate::session::work::Work;
use crate::session::{Refused, Session};
use crate::tui::message::Effect;
use crate::tui::widgets::theme::Theme;

/// The console as it is now.
#[derive(Debug)]
pub struct Console {
    /// Where the program runs.
    pub environment: Environment,
    /// What the terminal can show.
    pub theme: Theme,
    /// Columns and rows of the window.
    pub size: (u16, u16),
    /// The time of the latest message.
    pub now: Moment,
}

/// What a screen may look at.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    /// The console.
    pub console: &'a Console,
    /// The session.
    pub session: &'a Session,
    /// False where the screen is drawn beside the one that has the focus.
    pub focused: bool,
}

impl ViewContext<'_> {
    /// What the terminal can show.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.console.theme
    }
}

/// A sentence for the user, always in the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// Something went wrong.
    pub bad: bool,
}

impl Message {
    /// Something went as intended.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            bad: false,
        }
    }

    /// Something went wrong.
    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            bad: true,
        }
    }
}

/// What a screen asked for.
#[derive(Debug, Default)]
pub struct Outbox {
    /// For the shell.
    pub effects: Vec<Effect>,
    /// What takes the place of the message, if anything does.
    pub message: Option<Option<Message>>,
    /// Where to go.
    pub navigation: Option<Navigation>,
    /// To be shown alone.
    pub alone: Option<Content>,
    /// The keys are to be shown.
    pub help: bool,
    /// The program is to be left.
    pub quit: bool,
}

/// What a screen may change, and what it may ask for.
#[derive(Debug)]
pub struct UpdateContext<'a> {
    /// The console.
    pub console: &'a Console,
    /// The session.
    pub session: &'a mut Session,
    /// What was asked for.
    pub out: &'a mut Outbox,
}

impl UpdateContext<'_> {
    /// The same, to look at.
    #[must_use]
    pub fn view(&self) -> ViewContext<'_> {
        ViewContext {
            console: self.console,
            session: self.session,
            focused: true,
        }
    }

    /// Asks the shell for something.
    pub fn emit(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// Tells the user something.
    pub fn say(&mut self, text: impl Into<String>) {
        self.out.message = Some(Some(Message::note(text)));
    }

    /// Tells the user that something went wrong.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.out.message = Some(Some(Message::warning(text)));
    }

    /// Takes the message away.
    pub fn clear_message(&mut self) {
        self.out.message = Some(None);
    }

    /// Goes elsewhere once the screen is done.
    pub fn go(&mut self, navigation: Navigation) {
        self.out.navigation = Some(navigation);
    }

    /// Starts the flow that the form asks for, and goes where that is seen; or to the field that stands in the way.
    pub fn authorize(&mut self) {
        match self.session.authorize() {
            Ok(started) => {
                self.emit(Effect::Start(started));
                self.go(Navigation::Open(Route::SignIn));
            }
            Err(Refused::Form(problems)) => {
                self.go(Navigation::Open(Route::Form(FormTarget::Missing)));
                let stops = |problem: &Problem| problem.severity == Severity::Error;
                if let Some(problem) = problems.into_iter().find(stops) {
                    self.warn(problem.text);
                }
            }
            Err(refused) => self.warn_refused(&refused),
        }
    }

    /// Stops what is under way, if anything is, and says what that was.
    pub fn cancel(&mut self) {
        let Some(cancelled) = self.session.cancel() else {
            return;
        };
        self.emit(Effect::Cancel);
        if matches!(cancelled, Work::SigningIn(_)) {
            self.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
        }
        self.say(cancelled.cancelled());
    }

    /// Says what is in the way of something that was to be started. What is wrong with the form is the form's to say.
    pub fn warn_refused(&mut self, refused: &Refused) {
        match refused {
            Refused::Busy(sentence) => self.warn(*sentence),
            Refused::NoTokens => self.warn("There are no tokens yet."),
            Refused::Form(_) | Refused::NoIssuer | Refused::MailAddress(_) => {}
        }
    }

    /// Shows something alone.
    pub fn show_alone(&mut self, content: Content) {
        self.out.alone = Some(content);
    }

    /// Shows the keys.
    pub fn help(&mut self) {
        self.out.help = true;
    }

    /// Leaves the program, after a question where something would be lost.
    pub fn quit(&mut self) {
        self.out.quit = true;
    }
}
