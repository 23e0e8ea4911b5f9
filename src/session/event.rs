//! The session's events: tasks that it starts, rejects and stops, and the interpreted events of the engine.

use url::Url;

use super::profiles::ProfileNews;
use super::run::Ended;
use crate::configure::report::{SetUpAction, Verdict};
use crate::flow::attempt::AttemptId;
use crate::flow::driver::Job;
use crate::flow::event::FlowError;
use crate::flow::store_key::ListedKey;
use crate::flow::tool_report::Told;
use crate::form::problem::Problem;
use crate::form::settings::Key;
use crate::oauth::discovery::Metadata;
use crate::oauth::tools::{TokenKind, Tool};

/// Something to be handed to the engine.
#[derive(Debug)]
#[must_use]
pub struct Started {
    /// What to run.
    pub job: Box<Job>,
    /// The number that its events carry.
    pub attempt: AttemptId,
}

/// Why nothing was started.
#[derive(Debug)]
pub enum Refused {
    /// Something else is in progress: a sentence about it.
    Busy(&'static str),
    /// The form is incomplete or wrong.
    Form(Vec<Problem>),
    /// The form names no issuer.
    NoIssuer,
    /// The issuer is an email address; a preset may know its service.
    MailAddress(String),
    /// There are no tokens.
    NoTokens,
    /// The service doesn't offer it: a sentence.
    NotOffered(String),
    /// This system names no folder for profiles.
    NoFolder,
    /// The demo's server ends with the program.
    Demo,
}

/// What became of refreshed tokens, as sentences.
#[derive(Debug)]
pub enum Refreshed {
    /// What happened to the refresh token.
    Fine(String),
    /// Why they can't be stored in their profile.
    Unstored(String),
}

/// What came of an event of the engine.
#[derive(Debug)]
pub enum SessionEvent {
    /// Something moved on.
    Progress,
    /// The device code is there.
    Code,
    /// The URL to open is there; with it, where a browser is to be opened here.
    SignIn {
        /// To be opened.
        open: Option<Url>,
    },
    /// A paste was not taken; says why.
    PasteRefused(String),
    /// The metadata was filled into the form.
    Discovered {
        /// What it filled in.
        filled: Vec<Key>,
        /// The metadata itself.
        metadata: Box<Metadata>,
    },
    /// The metadata came for an issuer that was changed meanwhile.
    DiscoveredOther,
    /// This program was registered.
    Registered {
        /// What that filled in; `None` if the form is about another service by now.
        filled: Option<Vec<Key>>,
    },
    /// The service registered nothing, as far as is known.
    RegistrationFailed(FlowError),
    /// The tokens have arrived.
    Tokens {
        /// They came by a refresh.
        refreshed: Option<Refreshed>,
    },
    /// A sign-in ended without tokens.
    SignInFailed(FlowError, Ended),
    /// A refresh ended without tokens; the old ones are still there.
    RefreshFailed(Ended),
    /// What came of a question to the service about a token.
    Told(Tool, TokenKind, Box<Told>),
    /// A mail server was tested.
    MailTested {
        /// It was the last one.
        done: bool,
    },
    /// A discovery found nothing.
    DiscoveryFailed(FlowError),
    /// The user's own presets are there.
    Presets,
    /// Something became of profiles.
    Profile(ProfileNews),
    /// The certificates of this machine that have a private key, or why they can't be listed.
    StoreKeys(Result<Vec<ListedKey>, String>),
    /// An action of the listener's set-up is over.
    SetUp(SetUpAction, Verdict),
}
