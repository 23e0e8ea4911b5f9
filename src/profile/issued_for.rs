//! What tokens of these settings are issued for, and how it is compared with what a record says.

use super::settings_file::SettingsFile;
use super::store_kind::Store;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::client::{ClientAuthentication, FlowKind};
use crate::store::record::IssuedFor;

/// What `request` gets tokens for. The commands are those of `file`.
#[must_use]
pub fn issued_for(
    request: &FlowRequest,
    settings: &Settings,
    user: Option<String>,
    file: Option<&SettingsFile>,
) -> IssuedFor {
    let client = &request.client;
    IssuedFor {
        token_url: client.token_url.to_string(),
        client_id: client.client_id.clone(),
        client_authentication: match client.authentication {
            ClientAuthentication::None => "none",
            ClientAuthentication::Post => "post",
            ClientAuthentication::Basic => "basic",
        }
        .to_owned(),
        scope: client.scopes.clone(),
        flow: match request.kind {
            FlowKind::DeviceCode => "device-code",
            FlowKind::AuthorizationCode => "authorization-code",
        }
        .to_owned(),
        ca_file: request
            .ca_file
            .as_ref()
            .map(|path| path.to_string_lossy().into_owned()),
        secret_command: file
            .and_then(SettingsFile::secret_command)
            .map(<[String]>::to_vec),
        store: file.and_then(SettingsFile::store).and_then(Store::commands),
        user,
        header: settings
            .preset()
            .tokens
            .header
            .clone()
            .unwrap_or_else(|| "Bearer".to_owned()),
    }
}

/// What the settings say now and did not say when the tokens were issued, in the words of the form; `None` if nothing
/// differs that matters.
#[must_use]
pub fn difference(record: &IssuedFor, now: &IssuedFor) -> Option<&'static str> {
    [
        ("token URL", record.token_url == now.token_url),
        ("client ID", record.client_id == now.client_id),
        (
            "client authentication",
            record.client_authentication == now.client_authentication,
        ),
        ("scope", record.scope == now.scope),
        ("flow", record.flow == now.flow),
        ("CA file", record.ca_file == now.ca_file),
        ("store", record.store == now.store),
        (
            "command for the client secret",
            record.secret_command == now.secret_command,
        ),
    ]
    .into_iter()
    .find_map(|(name, same)| (!same).then_some(name))
}
