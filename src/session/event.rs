//! The events of the session: tasks that it starts, rejects and stops, and the interpreted events of the engine.

use url::Url;

use super::profiles::ProfileNews;
use super::run::Ended;
use crate::configure::plan::SetUpAction;
use crate::configure::report::Verdict;
use crate::flow::attempt::AttemptId;
use crate::flow::driver::Job;
use crate::flow::event::FlowError;
use crate::flow::store_key::ListedKey;
use crate::flow::tool_report::Told;
use crate::form::field::Key;
use crate::form::problem::Problem;
use crate::oauth::discovery::Metadata;
use crate::oauth::tools::{TokenKind, Tool};

/// A job for the engine.
#[derive(Debug)]
#[must_use]
pub struct Started {
    /// The job to run.
    pub job: Box<Job>,
    /// The number of the attempt, included in all its events.
    pub attempt: AttemptId,
}

/// Why no task was started.
#[derive(Debug)]
pub enum Refused {
    /// Another task is in progress. Contains a sentence about it.
    Busy(&'static str),
    /// The form is incomplete or has errors.
    Form(Vec<Problem>),
    /// The form contains no issuer.
    NoIssuer,
    /// The issuer is an email address. A preset may exist for its service.
    MailAddress(String),
    /// There are no tokens.
    NoTokens,
    /// The service or this program doesn't offer the request. Contains a sentence about it.
    NotOffered(String),
    /// This system has no folder for profiles.
    NoFolder,
    /// The demo can't be saved, because its server ends with the program.
    Demo,
}

/// The result of a refresh, as sentences.
#[derive(Debug)]
pub enum Refreshed {
    /// What happened to the refresh token.
    Fine(String),
    /// Why the tokens can't be stored in their profile.
    Unstored(String),
}

/// The result of an event of the engine.
#[derive(Debug)]
pub enum SessionEvent {
    /// Something has changed on screen.
    Progress,
    /// The device code has arrived.
    Code,
    /// The authorization URL has arrived.
    SignIn {
        /// The URL to open, if a browser is to be opened on this machine.
        open: Option<Url>,
    },
    /// A pasted text was rejected. Contains the reason.
    PasteRefused(String),
    /// The metadata was filled into the form.
    Discovered {
        /// The fields that it filled in.
        filled: Vec<Key>,
        /// The metadata itself.
        metadata: Box<Metadata>,
    },
    /// The metadata belongs to an issuer that has been changed in the form since.
    DiscoveredOther,
    /// This program was registered.
    Registered {
        /// The fields that were filled in; `None` if the form is for another service by now.
        filled: Option<Vec<Key>>,
    },
    /// Registration failed. As far as is known, the service registered nothing.
    RegistrationFailed(FlowError),
    /// The tokens have arrived.
    Tokens {
        /// The result of the refresh, if the tokens came from one.
        refreshed: Option<Refreshed>,
    },
    /// A sign-in ended without tokens.
    SignInFailed(FlowError, Ended),
    /// A refresh ended without tokens; the previous tokens are kept.
    RefreshFailed(Ended),
    /// The result of a request about a token.
    Told(Tool, TokenKind, Box<Told>),
    /// A mail server was tested.
    MailTested {
        /// Whether it was the last server.
        done: bool,
    },
    /// Discovery failed.
    DiscoveryFailed(FlowError),
    /// The user's own presets were loaded.
    Presets,
    /// A task on profiles has ended.
    Profile(ProfileNews),
    /// The certificates of this machine that have a private key, or why they can't be listed.
    StoreKeys(Result<Vec<ListedKey>, String>),
    /// An action of the listener's setup has ended.
    SetUp(SetUpAction, Verdict),
}
