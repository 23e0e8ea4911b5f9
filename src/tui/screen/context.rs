//! What a screen can read, change and request.

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

/// The console as it is now.
#[derive(Debug)]
pub struct Console {
    /// Where the program runs.
    pub environment: Environment,
    /// What the terminal supports.
    pub theme: Theme,
    /// Columns and rows of the window.
    pub size: (u16, u16),
    /// The time of the latest message.
    pub now: Moment,
    /// A token was copied to a desktop that keeps it when the program ends.
    pub clipboard_has_token: bool,
}

/// What a screen may look at.
#[derive(Debug, Clone, Copy)]
pub struct ViewContext<'a> {
    /// The console.
    pub console: &'a Console,
    /// The session.
    pub session: &'a Session,
    /// False if the screen is drawn next to the one that has the focus.
    pub focused: bool,
}

impl ViewContext<'_> {
    /// What the terminal supports.
    #[must_use]
    pub fn theme(&self) -> Theme {
        self.console.theme
    }
}

/// The message to the user, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its sentences.
    pub said: Vec<Said>,
}

impl Message {
    /// A sentence behind a label.
    #[must_use]
    pub fn new(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new(label, text)],
        }
    }

    /// Something went as intended.
    #[must_use]
    pub fn note(text: impl Into<String>) -> Self {
        Self::new("Note", text)
    }

    /// Something was done.
    #[must_use]
    pub fn done(label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new(label, text).toned(Tone::Good)],
        }
    }

    /// Something went wrong.
    #[must_use]
    pub fn warning(text: impl Into<String>) -> Self {
        Self {
            said: vec![Said::new("Problem", text).toned(Tone::Bad)],
        }
    }

    /// Its first sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        self.said.first().map_or("", |said| &said.text)
    }

    /// With another sentence below it.
    #[must_use]
    pub fn and(mut self, label: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        self.said.push(Said::new(label, text));
        self
    }
}

/// What is said where there is no place for profiles.
const NO_FOLDER: &str =
    "There is no folder for profiles. Set HOME, or start the program with --profiles FOLDER.";

/// What is said where the demo is to be saved.
const DEMO: &str = "The demo can't be saved as a profile: its server ends with the program.";

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
    /// The buttons without room are to be listed.
    pub more: bool,
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
    /// What was requested.
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

    /// Tells the user something, behind a label.
    pub fn tell(&mut self, message: Message) {
        self.out.message = Some(Some(message));
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

    /// Starts the flow that the form requests, and goes where that is seen; or to the field that stands in the way.
    pub fn authorize(&mut self) {
        match self.session.authorize() {
            Ok(started) => {
                self.emit(Effect::Start(started));
                self.go(Navigation::Open(Route::SignIn));
            }
            // The form tells what that is.
            Err(Refused::Form(_)) => self.go(Navigation::Open(Route::Form(FormTarget::Missing))),
            Err(refused) => self.warn_refused(&refused),
        }
    }

    /// Starts a refresh of the tokens: by their profile, where they are in one.
    ///
    /// # Errors
    /// If there are no tokens, or something else is in progress.
    pub fn refresh(&mut self) -> Result<(), Refused> {
        let effect = match self.session.refresh_profile() {
            Some(task) => task.map(Effect::Profile),
            None => self.session.refresh().map(Effect::Start),
        };
        self.emit(effect?);
        Ok(())
    }

    /// Saves the form or the tokens to the profile that is open; where none is open, asks for a name first.
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

    /// Starts a save, or says what stands in the way.
    pub fn start_save(&mut self, saved: Result<ProfileTask, Refused>) {
        match saved {
            Ok(task) => self.emit(Effect::Profile(task)),
            Err(Refused::Form(_)) => self.go(Navigation::Open(Route::Form(FormTarget::Missing))),
            Err(refused) => self.warn_refused(&refused),
        }
    }

    /// Stops what is in progress, if anything is, and says what that was.
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

    /// Says what is in the way of something that was to be started. What is wrong with the form is the form's to say.
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

    /// Shows something alone.
    pub fn show_alone(&mut self, content: Content) {
        self.out.alone = Some(content);
    }

    /// Shows the keys.
    pub fn help(&mut self) {
        self.out.help = true;
    }

    /// Lists the buttons without room.
    pub fn more(&mut self) {
        self.out.more = true;
    }

    /// Leaves the program, after a question where something would be lost.
    pub fn quit(&mut self) {
        self.out.quit = true;
    }
}
