//! Profiles: which ones exist, which one is open in the form, and the tasks on their files.
//!
//! This module doesn't access files. A [`ProfileTask`] says what to do, and a [`ProfileReport`] returns the result.

use std::path::{Path, PathBuf};

use super::mail::MailServer;
use super::run::Ended;
use crate::flow::attempt::AttemptId;
use crate::flow::tool_report::{Revoked, Told};
use crate::form::choices::Browser;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::form::tools::NotOffered;
use crate::oauth::token::TokenSet;
use crate::presets::span::Span;
use crate::profile::finding::Forecast;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
use crate::profile::saved_tokens::SavedTokens;
use crate::profile::store_kind::{Store, StoreKind};
use crate::secret::{self, ExposeSecret};
use crate::store::obtained::Obtained;
use crate::store::version::Version;

/// The session's state of profiles.
#[derive(Debug, Default)]
pub struct Profiles {
    /// The profile folders; `None` if this system has none.
    pub places: Option<Places>,
    /// The home folder, displayed as `~`.
    pub home: Option<PathBuf>,
    /// All profiles; `None` until they have been read.
    pub list: Option<Vec<Listed>>,
    /// The profile that is open in the form.
    pub open: Option<OpenProfile>,
    /// Whether a profile is being saved.
    pub saving: bool,
    /// What the user entered to save a profile, until that profile is saved or another one is opened.
    pub draft: Option<SaveDraft>,
}

/// A profile that is open in the form.
#[derive(Debug)]
pub struct OpenProfile {
    /// The files of the profile.
    pub place: Place,
    /// The settings as saved.
    pub saved: Settings,
    /// The version of the record that the tokens come from, if they come from this profile.
    pub version: Option<Version>,
    /// The mail servers of the profile.
    pub mail: Vec<MailServer>,
}

/// A profile in the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The files of the profile.
    pub place: Place,
    /// The name of the preset.
    pub preset: String,
    /// The user who signed in.
    pub user: Option<String>,
    /// The state of the tokens.
    pub standing: Standing,
    /// Whether the tokens can be revoked; `None` if there are none.
    pub revocation: Option<Result<(), NotOffered>>,
    /// Another profile with the same refresh token, if there is one.
    pub twin: Option<String>,
    /// The store in the settings, if they name one.
    pub store: Option<Store>,
}

/// The state of a profile's tokens. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has signed in yet.
    New,
    /// A new sign-in is required: the service rejected the refresh token, or the settings no longer match the tokens.
    SignInAgain {
        /// The time of the rejection or of the change.
        at: u64,
        /// The response of the service, or what has changed.
        error: String,
    },
    /// There are no tokens that could be refreshed.
    NoTokens,
    /// A file can't be used. Contains the reason.
    Unusable(String),
    /// There are tokens.
    Tokens {
        /// When the access token expires.
        expires_at: Option<u64>,
        /// When the refresh token was issued.
        refresh_at: Option<u64>,
        /// When a new sign-in is required, if that is known.
        sign_in_by: Option<u64>,
    },
}

/// A required sign-in is announced this long before, in seconds.
pub const SOON: u64 = 14 * DAY;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Standing {
    /// Describes the most urgent fact at `now`, in a few words.
    #[must_use]
    pub fn words(&self, now: u64) -> String {
        match self {
            Self::New => "not signed in".to_owned(),
            Self::SignInAgain { .. } | Self::NoTokens => "sign in again".to_owned(),
            Self::Unusable(_) => "unusable".to_owned(),
            Self::Tokens {
                expires_at,
                sign_in_by,
                ..
            } => match (sign_in_by, expires_at) {
                (Some(end), _) if *end <= now => "sign in again".to_owned(),
                (Some(end), _) if end - now < SOON => format!("{} left", time(end - now)),
                (_, None) => "token".to_owned(),
                (_, Some(end)) if *end <= now => "token expired".to_owned(),
                (_, Some(end)) => format!("token {}", short_time(end - now)),
            },
        }
    }
}

/// Formats a duration in words, as `3 days`.
fn time(seconds: u64) -> String {
    Span(seconds.max(MINUTE)).to_string()
}

/// Formats a duration in short form, as `58 min`.
fn short_time(seconds: u64) -> String {
    match seconds {
        DAY.. => time(seconds),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        0..HOUR => format!("{} min", (seconds / MINUTE).max(1)),
    }
}

/// What to do after a profile was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// Show the profile in the form.
    Form,
    /// Start the sign-in.
    Authorize,
    /// Test the mail servers of the profile.
    MailTest,
    /// Read only the tokens of the profile, which is already open.
    Tokens,
}

/// A task on the files of profiles, run outside the event loop.
#[derive(Debug)]
pub enum ProfileTask {
    /// Read all profiles.
    List(Places),
    /// Read a profile.
    Open(Place, Opening, Browser),
    /// Write a profile.
    Save(Box<SaveTask>),
    /// Get tokens newer than this version.
    Refresh(Place, AttemptId, Version),
    /// Find what is wrong with a profile, and what will break next.
    Check(Place),
    /// Revoke the tokens of a profile at the service, and remove them from the profile.
    Revoke(Place, AttemptId),
    /// Delete a profile.
    Delete {
        /// The files of the profile.
        place: Place,
        /// Revoke the tokens first. If that fails, delete nothing.
        revoke: bool,
    },
    /// Rename a profile.
    Rename(Place, ProfileName, Places),
}

impl ProfileTask {
    /// Describes what is written, in a few words; `None` if nothing is written.
    #[must_use]
    pub fn writes(&self) -> Option<String> {
        match self {
            Self::List(_) | Self::Open(..) | Self::Refresh(..) | Self::Check(_) => None,
            Self::Save(task) => Some(format!("profile \"{}\"", task.name)),
            Self::Delete { place, .. } | Self::Rename(place, ..) | Self::Revoke(place, _) => {
                Some(format!("profile \"{}\"", place.name))
            }
        }
    }
}

/// The user's choices for saving a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SaveChoice {
    /// Save the tokens with the settings that they were issued for, instead of the form.
    pub from_tokens: bool,
    /// Save for all users of this machine.
    pub machine: bool,
    /// On Windows, the account in addition to administrators that may use a profile of this machine.
    pub account: Option<String>,
    /// Replace an existing profile of this name.
    pub replace: bool,
    /// Save the tokens that belong to the settings.
    pub with_tokens: bool,
    /// Save the client secret.
    pub with_secret: bool,
    /// The store for the secrets; `None` for the one in the existing settings, or the default.
    pub store: Option<Store>,
}

/// The entries of the screen that saves a profile.
#[derive(Debug, Clone)]
pub struct SaveDraft {
    /// The name, as entered.
    pub name: String,
    /// Whether the profile is for all users of this machine.
    pub machine: bool,
    /// The account that may use a profile of this machine, in addition to administrators.
    pub account: String,
    /// The store for the secrets; `None` for that of the profile that is replaced, or the default.
    pub store: Option<StoreKind>,
    /// The command that prints the secrets, as entered.
    pub read: String,
    /// The command that stores the secrets, as entered.
    pub write: String,
    /// Whether to save the tokens.
    pub with_tokens: bool,
    /// Whether to save the client secret.
    pub with_secret: bool,
}

impl SaveDraft {
    /// Creates the entries for a profile with this name, or without a name.
    #[must_use]
    pub fn new(name: Option<&ProfileName>) -> Self {
        Self {
            name: name.map(ToString::to_string).unwrap_or_default(),
            machine: false,
            account: String::new(),
            store: None,
            read: String::new(),
            write: String::new(),
            with_tokens: true,
            with_secret: true,
        }
    }
}

/// Tokens to be saved in a profile.
#[derive(Debug)]
pub struct TokensToSave {
    /// The tokens, and how they were obtained.
    pub obtained: Obtained,
    /// The attempt that issued the tokens.
    pub attempt: AttemptId,
}

/// A profile to be saved.
#[derive(Debug)]
pub struct SaveTask {
    /// The name of the profile.
    pub name: ProfileName,
    /// The profile folders.
    pub places: Places,
    /// Save for all users of this machine.
    pub machine: bool,
    /// On Windows, the account in addition to administrators that may use a profile of this machine, as entered.
    pub account: Option<String>,
    /// Replace an existing profile of this name.
    pub replace: bool,
    /// The settings to save.
    pub settings: Settings,
    /// The request built from the settings, with the client secret if that is to be saved.
    pub request: FlowRequest,
    /// The tokens to save with the settings.
    pub tokens: Option<TokensToSave>,
    /// The version of the record that the tokens come from, if they come from this profile.
    pub known: Option<Version>,
    /// The settings as they were opened from the profile, if it may only be replaced while it has these.
    pub opened: Option<Settings>,
    /// The store for the secrets, if the user chose one.
    pub store: Option<Store>,
}

/// The tokens stored in a profile.
#[derive(Debug)]
pub struct Stored {
    /// The version of the record with the tokens.
    pub version: Version,
    /// The tokens, with their remaining lifetime.
    pub set: TokenSet,
    /// The same tokens as in the record, and what they were issued for: they must not be sent anywhere else.
    pub obtained: Obtained,
    /// Why the tokens can't be stored, if they are not in the record.
    pub unstored: Option<String>,
}

/// The content of a profile that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The files of the profile.
    pub place: Place,
    /// The settings of the profile.
    pub settings: Settings,
    /// The mail servers of the profile.
    pub mail: Vec<MailServer>,
    /// The tokens, if they match the settings.
    pub tokens: Option<Stored>,
    /// Why the tokens can't be used, as a sentence.
    pub notice: Option<String>,
}

/// A profile that was saved.
#[derive(Debug)]
pub struct Saved {
    /// The files of the profile.
    pub place: Place,
    /// The version of its record.
    pub version: Option<Version>,
    /// What became of the tokens.
    pub tokens: SavedTokens,
}

/// Why a profile was not saved.
#[derive(Debug)]
pub enum Unsaved {
    /// A profile of this name already exists.
    Exists,
    /// The open profile does not exist anymore. Contains the reason.
    Gone(String),
    /// Saving failed. Contains the reason.
    Failed(String),
}

/// The result of a [`ProfileTask`].
#[derive(Debug)]
pub enum ProfileReport {
    /// All profiles.
    Listed(Vec<Listed>),
    /// A profile was read, or why that failed.
    Opened(Result<Box<Opened>, String>, Opening),
    /// A profile was written, or why that failed.
    Saved(Box<SaveTask>, Result<Saved, Unsaved>),
    /// The tokens were refreshed, or why that failed.
    Refreshed(Place, AttemptId, Result<Box<Stored>, Box<Ended>>),
    /// The result of the revocation for each token, or why the service was not contacted.
    Revoked(Place, AttemptId, Result<Box<Told>, String>),
    /// The result of a check.
    Checked(Place, Forecast),
    /// A profile was deleted, with the result for each token that the service was asked to revoke; or why that failed.
    Deleted(Place, Result<Vec<Revoked>, String>),
    /// A profile was renamed, or why that failed.
    Renamed(Place, Result<Place, String>),
}

/// The outcome of a task on profiles, as shown to the user.
#[derive(Debug)]
pub enum ProfileNews {
    /// The list was read.
    Listed,
    /// A profile is open in the form. Contains what is wrong with its tokens, if anything.
    Opened(Opening, Option<String>),
    /// The tokens of the open profile were read.
    Tokens,
    /// A profile was saved. The flag says whether tokens were to be saved with it.
    Saved(ProfileName, bool, SavedTokens),
    /// A profile of this name already exists.
    Exists,
    /// A profile was checked.
    Checked(Place, Forecast),
    /// A profile was deleted or renamed. Contains a label and a sentence.
    Done(&'static str, String),
    /// A profile was not saved. Contains a sentence.
    NotSaved(String),
    /// Another task failed. Contains a sentence.
    Failed(String),
    /// There is nothing to show.
    Nothing,
}

impl Profiles {
    /// Creates the state with these folders, and with this profile open.
    #[must_use]
    pub fn new(
        places: Option<Places>,
        home: Option<PathBuf>,
        open: Option<(Place, Settings)>,
    ) -> Self {
        Self {
            places,
            home,
            open: open.map(|(place, saved)| OpenProfile {
                place,
                saved,
                version: None,
                mail: Vec::new(),
            }),
            ..Self::default()
        }
    }

    /// Formats a path with `~` for the home folder.
    #[must_use]
    pub fn short_path(&self, path: &Path) -> String {
        let home = self.home.as_deref().filter(|home| home.parent().is_some());
        match home.and_then(|home| path.strip_prefix(home).ok()) {
            Some(rest) => Path::new("~").join(rest).display().to_string(),
            None => path.display().to_string(),
        }
    }
}

impl OpenProfile {
    /// Returns whether the settings in the form differ from those of the profile.
    #[must_use]
    pub fn differs(&self, settings: &Settings) -> bool {
        !same(&self.saved, settings)
    }
}

/// Returns whether two forms have the same values.
pub(super) fn same(one: &Settings, other: &Settings) -> bool {
    one.flags() == other.flags() && secret::same(one.secret(), other.secret().expose_secret())
}
