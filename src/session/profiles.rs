//! Profiles: which there are, which one is open in the form, and what is to be done with their files.
//!
//! Nothing here touches a file. A [`ProfileTask`] says what to do, and its [`ProfileReport`] what came of it.

use std::path::{Path, PathBuf};

use super::mail::MailServer;
use super::run::Ended;
use crate::flow::attempt::AttemptId;
use crate::flow::tool_report::Told;
use crate::form::choices::Browser;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::form::tools::NotOffered;
use crate::oauth::token::TokenSet;
use crate::profile::finding::Forecast;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
use crate::profile::store_kind::Store;
use crate::secret::{self, ExposeSecret};
use crate::store::record::IssuedFor;

/// What the session knows of profiles.
#[derive(Debug, Default)]
pub struct Profiles {
    /// Where they are; `None` where this system names no folder.
    pub places: Option<Places>,
    /// The home folder, which is shown as `~`.
    pub home: Option<PathBuf>,
    /// Those that there are; `None` until they were read.
    pub list: Option<Vec<Listed>>,
    /// The one that is open in the form.
    pub open: Option<OpenProfile>,
    /// One is being saved.
    pub saving: bool,
}

/// A profile that is open in the form.
#[derive(Debug)]
pub struct OpenProfile {
    /// Its files.
    pub place: Place,
    /// Its settings as they are saved.
    pub saved: Settings,
    /// Which of its records the tokens come from, where they do.
    pub version: Option<Version>,
    /// Its mail servers.
    pub mail: Vec<MailServer>,
}

/// Which record of a profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The sign-in.
    pub lineage: String,
    /// Counts its refreshes.
    pub generation: u64,
}

/// A profile in the list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Its files.
    pub place: Place,
    /// The name of its preset.
    pub preset: String,
    /// The account that signed in.
    pub user: Option<String>,
    /// How its tokens stand.
    pub standing: Standing,
    /// Whether its tokens can be revoked; `None` if there are none.
    pub revocation: Option<Result<(), NotOffered>>,
    /// The store that its settings name, if they name one.
    pub store: Option<Store>,
}

/// How the tokens of a profile stand. Times are in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Nobody has signed in yet.
    New,
    /// The service rejected the refresh token.
    Rejected {
        /// When it happened, in seconds since 1970.
        at: u64,
        /// What it said.
        error: String,
    },
    /// There are no tokens that a refresh could start from.
    NoTokens,
    /// A file cannot be used; says why.
    Unusable(String),
    /// There are tokens.
    Tokens {
        /// When the access token ends.
        expires_at: Option<u64>,
        /// When the refresh token was issued.
        refresh_at: Option<u64>,
        /// When a sign-in is needed, where that is known.
        sign_in_by: Option<u64>,
    },
}

/// A sign-in that is needed within this time, in seconds, is announced.
pub const SOON: u64 = 14 * DAY;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Standing {
    /// The worst of it at `now`, in a few words.
    #[must_use]
    pub fn words(&self, now: u64) -> String {
        match self {
            Self::New => "not signed in".to_owned(),
            Self::Rejected { .. } | Self::NoTokens => "sign in again".to_owned(),
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

/// A time in words, as `3 days`.
fn time(seconds: u64) -> String {
    let (count, unit) = match seconds {
        DAY.. => (seconds / DAY, "day"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        0..HOUR => ((seconds / MINUTE).max(1), "minute"),
    };
    let many = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{many}")
}

/// The same in short form, as `58 min`.
fn short_time(seconds: u64) -> String {
    match seconds {
        DAY.. => time(seconds),
        HOUR..DAY => format!("{} h", seconds / HOUR),
        0..HOUR => format!("{} min", (seconds / MINUTE).max(1)),
    }
}

/// What happens once a profile was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The form shows it.
    Form,
    /// The sign-in starts.
    Authorize,
    /// Its mail servers are tested.
    MailTest,
    /// It is open already, and only its tokens are read.
    Tokens,
}

/// Something to be done with the files of profiles, off the loop.
#[derive(Debug)]
pub enum ProfileTask {
    /// Read all of them.
    List(Places),
    /// Read one.
    Open(Place, Opening, Browser),
    /// Write one.
    Save(Box<SaveTask>),
    /// Get tokens newer than these.
    Refresh(Place, AttemptId, Version),
    /// Find out what is wrong with one, and what will break next.
    Check(Place),
    /// Revoke the tokens of one at the service, and remove them from it.
    Revoke(Place, AttemptId),
    /// Remove one.
    Delete {
        /// Its files.
        place: Place,
        /// Revoke its tokens first. If that fails, nothing is removed.
        revoke: bool,
    },
    /// Give one another name.
    Rename(Place, ProfileName, Places),
}

impl ProfileTask {
    /// What is written, in a few words; `None` where nothing is.
    #[must_use]
    pub fn writes(&self) -> Option<String> {
        match self {
            Self::List(_) | Self::Open(..) | Self::Refresh(..) | Self::Check(_) => None,
            Self::Save(task) => Some(format!("profile {}", task.name)),
            Self::Delete { place, .. } | Self::Rename(place, ..) | Self::Revoke(place, _) => {
                Some(format!("profile {}", place.name))
            }
        }
    }
}

/// What is chosen for a profile to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a choice of its own on the screen"
)]
pub struct SaveChoice {
    /// The tokens, with the settings that they were issued for; otherwise the form.
    pub from_tokens: bool,
    /// For all users of this computer.
    pub machine: bool,
    /// On Windows, the account that may use a profile of this computer, beside administrators.
    pub account: Option<String>,
    /// One of this name is replaced.
    pub replace: bool,
    /// With the tokens that belong to the settings.
    pub with_tokens: bool,
    /// With the client secret.
    pub with_secret: bool,
    /// Where the secrets are kept; `None` leaves that to the settings that are there, or to the default.
    pub store: Option<Store>,
}

/// A profile to be saved.
#[derive(Debug)]
pub struct SaveTask {
    /// Its name.
    pub name: ProfileName,
    /// Where profiles are.
    pub places: Places,
    /// For all users of this computer.
    pub machine: bool,
    /// On Windows, the account that may use a profile of this computer, beside administrators, as it was typed.
    pub account: Option<String>,
    /// One of this name is replaced.
    pub replace: bool,
    /// Its settings.
    pub settings: Settings,
    /// What they request, with the client secret if that is to be saved.
    pub request: FlowRequest,
    /// The tokens, and the attempt that they came from.
    pub tokens: Option<(TokenSet, AttemptId)>,
    /// Where the secrets are kept, if that was chosen.
    pub store: Option<Store>,
}

/// Tokens that a profile has.
#[derive(Debug)]
pub struct Stored {
    /// Which record has them.
    pub version: Version,
    /// The tokens, with the time that is left of them.
    pub set: TokenSet,
    /// What they were issued for: they are sent nowhere else.
    pub issued_for: Box<IssuedFor>,
    /// Why the record doesn't have them: they can't be stored.
    pub unstored: Option<String>,
}

/// A profile that was read.
#[derive(Debug)]
pub struct Opened {
    /// Its files.
    pub place: Place,
    /// Its settings.
    pub settings: Settings,
    /// Its mail servers.
    pub mail: Vec<MailServer>,
    /// Its tokens, where they fit the settings.
    pub tokens: Option<Stored>,
    /// Why its tokens cannot be used, as a sentence.
    pub notice: Option<String>,
}

/// Why a profile was not saved.
#[derive(Debug)]
pub enum Unsaved {
    /// There is one of this name.
    Exists,
    /// Says why.
    Failed(String),
}

/// What came of a [`ProfileTask`].
#[derive(Debug)]
pub enum ProfileReport {
    /// All of them.
    Listed(Vec<Listed>),
    /// One was read, or not.
    Opened(Result<Box<Opened>, String>, Opening),
    /// One was written, or not. With it the record that the tokens are in.
    Saved(Box<SaveTask>, Result<(Place, Option<Version>), Unsaved>),
    /// Newer tokens came, or not.
    Refreshed(Place, AttemptId, Result<Box<Stored>, Box<Ended>>),
    /// What became of each token of one, or why the service was not asked.
    Revoked(Place, AttemptId, Result<Box<Told>, String>),
    /// One was checked.
    Checked(Place, Forecast),
    /// One was removed, or not.
    Deleted(Place, Result<(), String>),
    /// One has another name now, or not.
    Renamed(Place, Result<Place, String>),
}

/// What became of profiles.
#[derive(Debug)]
pub enum ProfileNews {
    /// The list is there.
    Listed,
    /// One is open in the form; says what is wrong with its tokens, if anything is.
    Opened(Opening, Option<String>),
    /// The tokens of the open one are there.
    Tokens,
    /// One was saved, with or without tokens.
    Saved(ProfileName, bool),
    /// There is one of this name already.
    Exists,
    /// One was checked.
    Checked(Place, Forecast),
    /// One was deleted or renamed: a label and a sentence.
    Done(&'static str, String),
    /// Something failed: a sentence.
    Failed(String),
    /// Nothing that matters now.
    Nothing,
}

impl Profiles {
    /// In these folders, with this one open.
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

    /// A path with `~` for the home folder.
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
    /// True where the form has other settings than the profile.
    #[must_use]
    pub fn differs(&self, settings: &Settings) -> bool {
        !same(&self.saved, settings)
    }
}

/// True where two forms have the same values.
pub(super) fn same(one: &Settings, other: &Settings) -> bool {
    one.flags() == other.flags() && secret::same(one.secret(), other.secret().expose_secret())
}
