//! The existing settings file of a profile: what a save keeps of it.

use crate::form::choices::Browser;
use crate::form::field::Key;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::client::FlowKind;
use crate::oauth::id_token::decode;
use crate::oauth::token::TokenSet;
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
    set: Option<&TokenSet>,
    present: Option<&Present>,
) -> Option<String> {
    let own = present.and_then(Present::own_user).cloned();
    own.or_else(|| user_of_form(settings))
        .or_else(|| mailbox(set?.id_token.as_ref()))
        .or_else(|| present?.user.clone())
}

/// Returns the mailbox of the account in an ID token.
fn mailbox(id_token: Option<&SecretString>) -> Option<String> {
    let claims = decode(id_token?.expose_secret())?;
    ["email", "preferred_username", "upn"]
        .into_iter()
        .find_map(|name| claims.text(name).filter(|text| text.contains('@')))
        .map(str::to_owned)
}
