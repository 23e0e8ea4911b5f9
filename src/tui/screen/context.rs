//! The context of a screen: what it can read, change and request.

use std::borrow::Cow;

use super::route::{FormTarget, Navigation, Route, SaveFrom};
use crate::console::environment::Environment;
use crate::session::clock::Moment;
use crate::session::content::Content;
use crate::session::profiles::ProfileTask;
use crate::session::work::Work;
use crate::session::{Refused, Session};
use crate::tui::message::Effect;
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::theme::Theme;

/// The current state of the console.
#[derive(Debug)]
pub struct Console {
    /// The environment that the program runs in.
    pub environment: Environment,
    /// What the terminal supports.
    pub theme: Theme,
    /// Columns and rows of the window.
    pub size: (u16, u16),
    /// The time of the latest message.
    pub now: Moment,
    /// Whether a token is in a desktop clipboard that keeps it after the program ends.
    pub clipboard_has_token: bool,
}

/// The state that a screen can read.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    /// The console.
    pub console: &'a Console,
    /// The session.
    pub session: &'a Session,
    /// Whether the screen has the focus; false if it is drawn next to the screen that has it.
    pub focused: bool,
}

impl ViewContext<'_> {
    /// Returns the theme, which says what the terminal supports.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.console.theme
    }
}

/// The message in the message area, shown until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sentences of the message.
    pub said: Vec<Said>,
}

impl Message {
    /// Creates a message of one sentence with a label.
    #[must_use]
    pub fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new(label, text)],
        }
    }

    /// Creates a message about something that went as intended.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self::new("Note", text)
    }

    /// Creates a message about something that was done.
    #[must_use]
    pub fn done(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new(label, text).toned(Tone::Good)],
        }
    }

    /// Creates a message about something that went wrong.
    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new("Problem", text).toned(Tone::Bad)],
        }
    }

    /// Returns the first sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        self.said.first().map_or("", |said| &said.text)
    }

    /// Adds another sentence with a label.
    #[must_use]
    pub fn and(mut self, label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        self.said.push(Said::new(label, text));
        self
    }
}

/// The message if there is no folder for profiles.
const NO_FOLDER: &str =
    "There is no folder for profiles. Set HOME, or start the program with --profiles FOLDER.";

/// The message if the user tries to save the demo as a profile.
const DEMO: &str = "The demo can't be saved as a profile: its server ends with the program.";

/// The requests of a screen.
#[derive(Debug, Default)]
pub struct Outbox {
    /// Effects for the shell.
    pub effects: Vec<Effect>,
    /// The new message, or `Some(None)` to clear the message; `None` leaves the message unchanged.
    pub message: Option<Option<Message>>,
    /// The screen to go to.
    pub navigation: Option<Navigation>,
    /// The content to show alone.
    pub alone: Option<Content>,
    /// Whether to show the help.
    pub help: bool,
    /// Whether to ask before a sign-in, because it replaces tokens that the user may not have.
    pub sign_in: bool,
    /// Whether to list the buttons that don't fit.
    pub more: bool,
    /// Whether to quit the program.
    pub quit: bool,
}

/// The state that a screen can change, and the requests that it can make.
#[derive(Debug)]
pub struct UpdateContext<'a> {
    /// The console.
    pub console: &'a Console,
    /// The session.
    pub session: &'a mut Session,
    /// The requests made so far.
    pub out: &'a mut Outbox,
}

impl UpdateContext<'_> {
    /// Returns the same state, read-only.
    #[must_use]
    pub fn view(&self) -> ViewContext<'_> {
        ViewContext {
            console: self.console,
            session: self.session,
            focused: true,
        }
    }

    /// Requests an effect from the shell.
    pub fn emit(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// Shows a message.
    pub fn tell(&mut self, message: Message) {
        self.out.message = Some(Some(message));
    }

    /// Shows a note.
    pub fn say(&mut self, text: impl Into<String>) {
        self.out.message = Some(Some(Message::note(text)));
    }

    /// Shows a message that something went wrong.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.out.message = Some(Some(Message::warning(text)));
    }

    /// Clears the message.
    pub fn clear_message(&mut self) {
        self.out.message = Some(None);
    }

    /// Goes to another screen after this call.
    pub fn go(&mut self, navigation: Navigation) {
        self.out.navigation = Some(navigation);
    }

    /// Starts the flow that the form requests. First asks if that would replace tokens that were not copied or saved.
    pub fn ask_to_authorize(&mut self) {
        if self.session.has_untaken_tokens() {
            self.out.sign_in = true;
        } else {
            self.authorize();
        }
    }

    /// Starts the flow that the form requests and opens its screen, or goes to the field that prevents it.
    pub fn authorize(&mut self) {
        match self.session.authorize() {
            Ok(started) => {
                self.emit(Effect::Start(started));
                self.go(Navigation::Open(Route::SignIn));
            }
            // The form shows the problem itself.
            Err(Refused::Form(_)) => self.go(Navigation::Open(Route::Form(FormTarget::Missing))),
            Err(refused) => self.warn_refused(&refused),
        }
    }

    /// Starts a refresh of the tokens, through their profile if they have one.
    ///
    /// # Errors
    /// Returns an error if there are no tokens, or if other work is in progress.
    pub fn refresh(&mut self) -> Result<(), Refused> {
        let effect = match self.session.refresh_profile() {
            Some(task) => task.map(Effect::Profile),
            None => self.session.refresh().map(Effect::Start),
        };
        self.emit(effect?);
        Ok(())
    }

    /// Saves the form or the tokens to the open profile; if no profile is open, asks for a name first.
    pub fn save_profile(&mut self, from: SaveFrom) {
        let from_tokens = from != SaveFrom::Form;
        match self.session.save_open_profile(from_tokens) {
            None if !self.session.can_save_profile(from_tokens) => {
                let refused = match self.session.profiles.places {
                    Some(_) => Refused::Demo,
                    None => Refused::NoFolder,
                };
                self.warn_refused(&refused);
            }
            None => self.go(Navigation::Open(Route::SaveProfile(from))),
            Some(saved) => self.start_save(saved),
        }
    }

    /// Starts a save, or shows what prevents it.
    pub fn start_save(&mut self, saved: Result<ProfileTask, Refused>) {
        match saved {
            Ok(task) => self.emit(Effect::Profile(task)),
            Err(Refused::Form(_)) => self.go(Navigation::Open(Route::Form(FormTarget::Missing))),
            Err(refused) => self.warn_refused(&refused),
        }
    }

    /// Stops the work in progress, if there is any, and shows what was canceled.
    pub fn cancel(&mut self) {
        let Some(canceled) = self.session.cancel() else {
            return;
        };
        self.emit(Effect::Cancel);
        if matches!(canceled, Work::SigningIn(_)) {
            self.go(Navigation::Open(Route::Form(FormTarget::Authorize)));
        }
        self.say(canceled.canceled());
    }

    /// Shows why work can't be started. Problems of the form are shown by the form itself.
    pub fn warn_refused(&mut self, refused: &Refused) {
        match refused {
            Refused::Busy(sentence) => self.warn(*sentence),
            Refused::NotOffered(reason) => self.warn(reason.clone()),
            Refused::NoTokens => self.warn("There are no tokens yet."),
            Refused::NoFolder => self.warn(NO_FOLDER),
            Refused::Demo => self.warn(DEMO),
            Refused::Form(_) | Refused::NoIssuer | Refused::MailAddress(_) => {}
        }
    }

    /// Shows a value alone.
    pub fn show_alone(&mut self, content: Content) {
        self.out.alone = Some(content);
    }

    /// Shows the help.
    pub fn help(&mut self) {
        self.out.help = true;
    }

    /// Lists the buttons that don't fit.
    pub fn more(&mut self) {
        self.out.more = true;
    }

    /// Quits the program, or first asks if tokens or changes would be lost.
    pub fn quit(&mut self) {
        self.out.quit = true;
    }
}
