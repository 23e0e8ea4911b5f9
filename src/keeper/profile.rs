//! A profile with all that a refresh needs: its settings, its request, and where its tokens may go.

use crate::form::choices::Browser;
use crate::form::field::Key;
use crate::form::request::{FlowRequest, request};
use crate::form::settings::Settings;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::issued_for::{difference, issued_for};
use crate::profile::places::Place;
use crate::profile::settings_file::{SettingsError, SettingsFile};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::attempt::Outcome;
use crate::store::private::PrivateError;
use crate::store::record::{IssuedFor, Record, RecordError};

/// A profile, loaded.
#[derive(Debug)]
pub struct Profile {
    /// The settings file.
    pub file: SettingsFile,
    /// The form that it fills in.
    pub settings: Settings,
    /// The request that the form makes.
    pub request: FlowRequest,
    /// Presets and explanations.
    pub library: Library,
    /// Where the tokens may go, by the settings.
    pub issued_for: IssuedFor,
}

impl Profile {
    /// Reads the settings of a profile. The client secret is where they say, or `secret` of the record.
    ///
    /// # Errors
    /// The outcome to report.
    pub fn load(place: &Place, secret: Option<SecretString>) -> Result<Self, Outcome> {
        let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
        let mut library = Library::load_user();
        let settings = form(&file, secret, Browser::Elsewhere, &mut library)?;
        let request = request(&settings).map_err(|problems| {
            let problem = problems.into_iter().next();
            let text =
                problem.map(|problem| format!("{}: {}", settings.label(problem.key), problem.text));
            Outcome {
                code: exit::USAGE,
                error: text.unwrap_or_else(|| "The settings are incomplete.".to_owned()),
                cause: None,
                hint: Some(format!("Edit {}.", place.settings().display())),
            }
        })?;
        let issued_for = issued_for(&request, &settings, file.user().map(str::to_owned));
        Ok(Self {
            file,
            settings,
            request,
            library,
            issued_for,
        })
    }

    /// Refuses to send tokens to another place than the one that they were issued for.
    ///
    /// # Errors
    /// The outcome to report.
    pub fn check_destinations(&self, record: &Record, place: &Place) -> Result<(), Outcome> {
        let Some(changed) = difference(&record.issued_for, &self.issued_for) else {
            return Ok(());
        };
        Err(Outcome {
            code: exit::USAGE,
            error: format!(
                "The {changed} in the settings is not the one that the tokens were issued for, so nothing was sent."
            ),
            cause: None,
            hint: Some(format!(
                "Undo the change in {}, or sign in again: oauth-authorizer --profile {}",
                place.settings().display(),
                place.name
            )),
        })
    }
}

/// The form of a profile, with its client secret. The tokens are not read.
///
/// # Errors
/// The outcome to report.
pub fn open(place: &Place, browser: Browser, library: &mut Library) -> Result<Settings, Outcome> {
    let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
    // A record that can't be read doesn't keep the user from signing in again.
    let record = Record::read(&place.record()).ok();
    form(
        &file,
        record.and_then(|record| record.client_secret),
        browser,
        library,
    )
}

/// The form that a settings file fills in. The client secret is the one that the file names, or else `secret` of the record.
fn form(
    file: &SettingsFile,
    secret: Option<SecretString>,
    browser: Browser,
    library: &mut Library,
) -> Result<Settings, Outcome> {
    let mut settings = file
        .form(browser, library)
        .map_err(|error| settings_outcome(&error))?;
    let named = file.secret().map_err(|error| settings_outcome(&error))?;
    if let Some(secret) = named.or(secret) {
        settings.set(Key::ClientSecret, secret.expose_secret().to_owned());
    }
    Ok(settings)
}

/// What to report of settings that cannot be used.
#[must_use]
pub fn settings_outcome(error: &SettingsError) -> Outcome {
    let code = match error {
        SettingsError::File(PrivateError::Missing(_)) => exit::USAGE,
        SettingsError::File(_) => exit::RECORD,
        _ => exit::USAGE,
    };
    Outcome {
        code,
        error: error.to_string(),
        cause: None,
        hint: None,
    }
}

/// What to report of a record that cannot be used.
#[must_use]
pub fn record_outcome(error: &RecordError, place: &Place) -> Outcome {
    if let RecordError::File(PrivateError::Missing(_)) = error {
        return Outcome {
            code: exit::SIGN_IN,
            error: "There are no tokens yet.".to_owned(),
            cause: None,
            hint: Some(sign_in_again(place)),
        };
    }
    Outcome {
        code: exit::RECORD,
        error: error.to_string(),
        cause: None,
        hint: None,
    }
}

/// What to report of a file that cannot be used.
#[must_use]
pub fn file_outcome(error: &PrivateError) -> Outcome {
    Outcome {
        code: exit::RECORD,
        error: error.to_string(),
        cause: None,
        hint: None,
    }
}

/// The hint to sign in again.
#[must_use]
pub fn sign_in_again(place: &Place) -> String {
    format!("Sign in: oauth-authorizer --profile {}", place.name)
}
