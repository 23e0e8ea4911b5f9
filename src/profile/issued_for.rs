//! Determines what the tokens of a profile are issued for, and compares this with the record.

use std::collections::BTreeSet;
use std::path::Path;

use url::Url;

use super::settings_file::SettingsFile;
use super::store_kind::Store;
use crate::certificate::store_path::StorePath;
use crate::clean::clean;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::mail::server::{Address, Protocol};
use crate::oauth::assertion::Credential;
use crate::oauth::tools::Tool;
use crate::oauth::url::{leads_here, same_operator};
use crate::store::file::named;
use crate::store::issued_for::{IssuedFor, ServiceAccountPin, ToolPins};

/// Returns what tokens of `request` are issued for. The commands come from `file`.
#[must_use]
pub fn issued_for(
    request: &FlowRequest,
    settings: &Settings,
    user: Option<String>,
    file: Option<&SettingsFile>,
) -> IssuedFor {
    let client = &request.client;
    let files = client.credential.files();
    // The settings file contains the paths in the same form.
    let text = |path: &Path| {
        if StorePath::is_meant(&path.to_string_lossy()) {
            return path.to_string_lossy().into_owned();
        }
        named::absolute(path).to_string_lossy().into_owned()
    };
    IssuedFor {
        token_url: client.token_url.to_string(),
        client_id: client.client_id.clone(),
        client_authentication: client.authentication.name().to_owned(),
        client_key: files.map(|files| text(&files.key)),
        client_certificate: files
            .and_then(|files| files.certificate.as_deref())
            .map(text),
        assertion_algorithms: match &client.credential {
            Credential::Files(_, rules) => {
                let listed = rules.listed.iter();
                listed.map(|one| one.name().to_owned()).collect()
            }
            _ => Vec::new(),
        },
        service_account: request
            .service_account
            .as_ref()
            .map(|account| ServiceAccountPin {
                key_file: text(&account.path),
                subject: account.subject.clone(),
            }),
        scope: client.scopes.clone(),
        flow: request.kind.name().to_owned(),
        ca_file: request.ca_file.as_deref().map(text),
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
        tools: ToolPins {
            revocation: tool_pin(settings, Tool::Revocation),
            introspection: tool_pin(settings, Tool::Introspection),
            userinfo: tool_pin(settings, Tool::UserInfo),
        },
        mail: Some(
            Protocol::ALL
                .into_iter()
                .filter_map(|protocol| {
                    let server = mail_server(protocol, settings, file)?.ok()?;
                    Some(pinned(protocol, &server))
                })
                .collect(),
        ),
    }
}

/// Returns the mail server for a protocol, from the settings file or else from the preset; `None` if neither names one.
#[must_use]
pub fn mail_server(
    protocol: Protocol,
    settings: &Settings,
    file: Option<&SettingsFile>,
) -> Option<Result<Address, String>> {
    let of_file = file.and_then(|file| file.mail_server(protocol));
    let of_preset = settings.preset().mail.as_ref();
    let of_preset = of_preset.and_then(|mail| mail.server(protocol));
    of_file.or(of_preset).map(Address::parse)
}

/// Returns a mail server in the form used in records.
fn pinned(protocol: Protocol, server: &Address) -> String {
    format!("{} {server}", protocol.key())
}

/// Returns whether the tokens of a record may be sent to this mail server of the settings.
#[must_use]
pub fn may_sign_in(record: &IssuedFor, protocol: Protocol, server: &Address) -> bool {
    let Some(known) = &record.mail else {
        return true;
    };
    known.contains(&pinned(protocol, server))
}

/// Returns how this mail server of the settings differs from those that the tokens of a record may be sent to, as the
/// start of a sentence; `None` if it doesn't.
#[must_use]
pub fn other_mail_server(
    record: &IssuedFor,
    protocol: Protocol,
    server: &Address,
) -> Option<String> {
    if may_sign_in(record, protocol, server) {
        return None;
    }
    let name = protocol.name();
    let start = format!("{} ", protocol.key());
    let mut known = record.mail.iter().flatten();
    Some(if known.any(|known| known.starts_with(&start)) {
        format!("The {name} server has changed to {server} since the tokens were issued")
    } else {
        format!("The {name} server {server} was added after the tokens were issued")
    })
}

fn tool_pin(settings: &Settings, tool: Tool) -> Option<String> {
    let url = settings.tool_url(tool, settings.metadata()).ok()?;
    Some(url.to_string())
}

/// Returns where the tokens may be sent for `tool`, if the settings and metadata name the URL `now`; `None` if no
/// endpoint is known.
///
/// A URL that was unknown when the tokens were issued, or to the version that wrote the record, is accepted only on the
/// host of the token URL, or on a parent domain or subdomain of it: that host is pinned, and has the tokens already.
/// For other hosts, a new sign-in pins the URL.
///
/// # Errors
/// Returns an error, as a sentence, if the settings name another place.
pub fn tool_destination(
    record: &IssuedFor,
    tool: Tool,
    now: Option<Url>,
) -> Result<Option<Url>, String> {
    let pinned = match tool {
        Tool::Revocation => &record.tools.revocation,
        Tool::Introspection => &record.tools.introspection,
        Tool::UserInfo => &record.tools.userinfo,
    };
    let pinned = pinned.as_deref().and_then(|url| Url::parse(url).ok());
    let token_url = || Url::parse(&record.token_url).ok();
    match (pinned, now) {
        (Some(pinned), None) => Ok(Some(pinned)),
        (Some(pinned), Some(now)) if pinned == now => Ok(Some(now)),
        (None, None) => Ok(None),
        (None, Some(now)) if token_url().is_some_and(|url| is_near(&url, &now)) => Ok(Some(now)),
        (Some(_), Some(_)) => Err(format!(
            "The {} URL has changed since the tokens were issued, so the tokens are not sent.",
            tool.endpoint()
        )),
        (None, Some(now)) => Err(format!(
            "The {} URL is on a different host than the token URL ({}) and was unknown when the tokens were issued, so the tokens \
             are not sent.",
            tool.endpoint(),
            clean(now.host_str().unwrap_or_default(), 100)
        )),
    }
}

/// Returns whether a host belongs to the same service. On this machine, each port may be another program.
fn is_near(token_url: &Url, url: &Url) -> bool {
    same_operator(token_url, url) && (!leads_here(url) || token_url.origin() == url.origin())
}

fn key_file(record: &IssuedFor) -> Option<&str> {
    Some(&record.service_account.as_ref()?.key_file)
}

fn subject(record: &IssuedFor) -> Option<&str> {
    record.service_account.as_ref()?.subject.as_deref()
}

/// Returns the name of the first setting that has changed since the tokens were issued, as the form calls it; `None` if
/// no relevant setting has changed.
#[must_use]
pub fn difference(record: &IssuedFor, now: &IssuedFor) -> Option<&'static str> {
    // The order of scopes has no meaning (RFC 6749, section 3.3).
    let scopes =
        |issued_for: &IssuedFor| -> BTreeSet<String> { issued_for.scope.iter().cloned().collect() };
    [
        ("token URL", record.token_url == now.token_url),
        ("client ID", record.client_id == now.client_id),
        (
            "client authentication",
            record.client_authentication == now.client_authentication,
        ),
        ("key file", key_file(record) == key_file(now)),
        ("subject", subject(record) == subject(now)),
        ("client key", record.client_key == now.client_key),
        (
            "client certificate",
            record.client_certificate == now.client_certificate,
        ),
        ("scope", scopes(record) == scopes(now)),
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
