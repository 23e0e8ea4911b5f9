//! The existing settings file of a profile: what a save keeps of it.

use std::ffi::OsString;

use crate::form::choices::Browser;
use crate::form::command_line::{FLAGS, flag};
use crate::form::field::Key;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::id_token::decode;
use crate::presets::Library;
use crate::profile::places::Place;
use crate::profile::settings_file::{self, SettingsFile};
use crate::secret::{ExposeSecret, SecretString, same};
use crate::store::record::Record;

/// The existing settings file and its content.
pub(super) struct Present {
    /// The complete file, with its comments.
    text: String,
    /// The same settings as this program writes them.
    as_written: String,
    /// The mailbox in the file.
    user: Option<String>,
    /// The mailboxes that an earlier save may have put there: the account in its form, and the one that signed in.
    accounts: [Option<String>; 2],
}

impl Present {
    pub(super) fn read(place: &Place, browser: Browser) -> Option<Self> {
        let text = String::from_utf8(settings_file::read_bytes(place).ok()?).ok()?;
        let file = SettingsFile::read(place).ok()?;
        let form = file.form(browser, &mut Library::load_user()).ok()?;
        let user = file.user().map(str::to_owned);
        let record = Record::outline(&place.record()).ok();
        let signed_in = record.and_then(|record| mailbox(record.tokens?.id_token.as_ref()));
        Some(Self {
            text,
            as_written: settings_file::write(&form, user.as_deref(), Some(&file)),
            accounts: [user_of_form(&form), signed_in],
            user,
        })
    }

    /// Returns the text to store: the existing one if it has the same settings as `text`.
    pub(super) fn unless_changed(present: Option<Self>, text: String) -> String {
        match present {
            Some(present) if present.as_written == text => present.text,
            Some(_) | None => text,
        }
    }

    /// Returns the mailbox that the user wrote into the file, such as a shared one.
    fn own_user(&self) -> Option<&String> {
        let user = self.user.as_ref();
        user.filter(|user| {
            !self
                .accounts
                .iter()
                .flatten()
                .any(|account| account == *user)
        })
    }
}

/// Returns the existing settings file, so that manual entries without a field in the form are kept. If the client
/// secret in the form differs from the one at the place that the file names, the reference to that place is dropped.
pub(super) fn file_to_keep(place: &Place, request: &FlowRequest) -> Option<SettingsFile> {
    let file = SettingsFile::read(place).ok()?;
    // Comparing secrets is no reason to run a command.
    let (Some(typed), None) = (&request.client.secret, file.secret_command()) else {
        return Some(file);
    };
    let named = file.secret().ok().flatten();
    let differs = named.is_some_and(|named| !same(typed, named.expose_secret()));
    Some(if differs { file.without_secret() } else { file })
}

/// Returns the account named in the form, if it is a mailbox.
fn user_of_form(settings: &Settings) -> Option<String> {
    let key = match settings.flow() {
        FlowKind::JwtBearer => Key::Subject,
        _ => Key::LoginHint,
    };
    let hint = settings.value(key).trim().to_owned();
    hint.contains('@').then_some(hint)
}

/// Returns the mailbox: the one that the user wrote into the settings file, the account named in the form, the account that
/// signed in, or the one in the existing file.
pub(super) fn user(
    settings: &Settings,
    id_token: Option<&SecretString>,
    present: Option<&Present>,
) -> Option<String> {
    let own = present.and_then(Present::own_user).cloned();
    own.or_else(|| user_of_form(settings))
        .or_else(|| mailbox(id_token))
        .or_else(|| present?.user.clone())
}

/// Says which environment variables change the settings of a saved profile, if `settings` replaces them; `None` if none
/// does. Such a variable may be left over from another use.
pub fn changed_by_variables(
    place: &Place,
    settings: &Settings,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<String> {
    let file = SettingsFile::read(place).ok()?;
    let before = file
        .form(settings.browser(), &mut Library::load_user())
        .ok()?;
    let value = |settings: &Settings, key: Key| match key {
        Key::Flow => settings.flow().name().to_owned(),
        Key::ClientAuthentication => settings.client_authentication().name().to_owned(),
        Key::Pkce => if settings.pkce() { "on" } else { "off" }.to_owned(),
        key => settings.value(key).trim().to_owned(),
    };
    let chosen = [Key::Flow, Key::ClientAuthentication, Key::Pkce];
    let keys = FLAGS.iter().map(|(key, _)| *key).chain(chosen);
    let values = keys.filter_map(|key| {
        let flag = flag(key)?.trim_start_matches("--");
        Some((flag, value(&before, key), value(settings, key)))
    });
    let preset = |settings: &Settings| settings.preset().id.clone();
    let names: Vec<String> = std::iter::once(("preset", preset(&before), preset(settings)))
        .chain(values)
        .filter(|(_, before, now)| before != now)
        .map(|(flag, _, now)| {
            let flag = flag.to_ascii_uppercase().replace('-', "_");
            (format!("OAUTH_AUTHORIZER_{flag}"), now)
        })
        // A flag takes precedence over its variable.
        .filter(|(name, now)| variable(name).is_some_and(|it| it.to_string_lossy().trim() == now))
        .map(|(name, _)| name)
        .collect();
    let many = if names.len() == 1 { "" } else { "s" };
    (!names.is_empty()).then(|| {
        format!(
            "The environment variable{many} {} changed the settings of the profile. The previous ones are in {}.",
            names.join(", "),
            place.settings_before().display()
        )
    })
}

/// Returns the mailbox of the account in an ID token.
fn mailbox(id_token: Option<&SecretString>) -> Option<String> {
    let claims = decode(id_token?.expose_secret())?;
    ["email", "preferred_username", "upn"]
        .into_iter()
        .find_map(|name| claims.text(name).filter(|text| text.contains('@')))
        .map(str::to_owned)
}
