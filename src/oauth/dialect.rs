//! The ways in which a service differs from the RFCs: data from its preset, with the few functions that use it.
//!
//! docs/presets.md documents each field. The default is the protocol as specified.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::failure::ServerError;
use super::tools::ToolDialects;
use super::words::parameters;
use crate::clean::{clean, is_clean};
use crate::secret::{ExposeSecret, SecretString};

/// Limits of the additional members that are kept from a response: their number, and the length of each in bytes.
const KEPT_COUNT: usize = 40;
const KEPT_LENGTH: usize = 8 * 1024;

/// How a client authenticates (RFC 6749, section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// No authentication: only the client ID is sent.
    None,
    /// Client ID and secret in the body.
    Post,
    /// Client ID and secret in the `Authorization` header.
    Basic,
    /// An assertion signed with the client secret.
    ClientSecretJwt,
    /// An assertion signed with a private key.
    PrivateKeyJwt,
    /// A client certificate (RFC 8705).
    MutualTls,
}

impl ClientAuthentication {
    /// Returns the name in flags and files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Post => "post",
            Self::Basic => "basic",
            Self::ClientSecretJwt => "client-secret-jwt",
            Self::PrivateKeyJwt => "private-key-jwt",
            Self::MutualTls => "mutual-tls",
        }
    }

    /// Returns whether this method needs the client secret.
    #[must_use]
    pub fn uses_secret(self) -> bool {
        matches!(self, Self::Post | Self::Basic | Self::ClientSecretJwt)
    }

    /// Returns whether this method signs an assertion.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, Self::ClientSecretJwt | Self::PrivateKeyJwt)
    }

    /// Returns whether this method needs a private key.
    #[must_use]
    pub fn uses_key(self) -> bool {
        matches!(self, Self::PrivateKeyJwt | Self::MutualTls)
    }
}

/// All differences of a service.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    /// Other names of the protocol's parameters.
    pub names: BTreeMap<String, String>,
    /// The separator between scopes in requests; `None` for a space.
    pub scope_separator: Option<String>,
    /// Whether spaces in the authorization URL are encoded as `%20`.
    pub percent_spaces: bool,
    /// Whether the Basic header is sent even without a secret.
    pub empty_secret: bool,
    /// Parameters of the device authorization request that the user can't change.
    pub device_parameters: Vec<(String, String)>,
    /// Lists of names that mean the same scope.
    pub same_scope: Vec<Vec<String>>,
    /// Parameters of each token request.
    pub token_parameters: Vec<(String, String)>,
    /// Parameters of the refresh request; `{redirect_uri}` is filled in.
    pub refresh_parameters: Vec<(String, String)>,
    /// Whether the service never issues a refresh token.
    pub no_refresh: bool,
    /// The scopes of which at least one is required to get a refresh token.
    pub refresh_scope: Vec<String>,
    /// Why the service issues no refresh token, or what that depends on.
    pub refresh_note: Option<String>,
    /// The differences in the device code flow.
    pub device: DeviceDialect,
    /// The differences in responses.
    pub answers: Answers,
    /// The additional parameters of the redirect.
    pub callback: CallbackDialect,
    /// The differences of the endpoints for existing tokens.
    pub tools: ToolDialects,
}

/// The ways in which a device code flow differs from RFC 8628.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceDialect {
    /// The URL to poll, if it is not the token endpoint.
    pub token_url: Option<String>,
    /// How to authenticate the device authorization request, if it differs from other requests.
    pub authentication: Option<ClientAuthentication>,
    /// Whether the client ID is in the query of the device authorization request.
    pub client_id_in_query: bool,
    /// How to authenticate the poll, if it differs from other requests.
    pub poll_authentication: Option<ClientAuthentication>,
    /// The value of `grant_type`, if it differs.
    pub grant_type: Option<String>,
    /// Other names of the parameters of both requests.
    pub names: BTreeMap<String, String>,
    /// Additional parameters of the poll; `{client_id}`, `{scope}` and `{user_code}` are filled in.
    pub poll: BTreeMap<String, String>,
    /// Parameters that the poll omits.
    pub without: Vec<String>,
    /// Other names of the members of the device authorization response.
    pub answer: BTreeMap<String, String>,
    /// Further differences, described in words.
    pub notes: Option<String>,
}

/// The format of a token endpoint's responses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// JSON, as in RFC 6749.
    #[default]
    Json,
    /// `name=value&name=value`.
    Form,
}

/// The ways in which responses differ from RFC 6749, sections 5.1 and 5.2.
///
/// [`Answers::format`] and [`Answers::error_status`] describe what the service does. The parser always accepts both
/// formats, and errors with any status, so that a wrong preset breaks nothing.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// The format of the responses.
    pub format: Format,
    /// The HTTP status of errors, if it is not 400 or 401.
    pub error_status: Option<u16>,
    /// A member that is false in an error response.
    pub success: Option<String>,
    /// Paths of the error code; the first one that exists is used.
    pub error: Vec<String>,
    /// Paths of the error description.
    pub error_description: Vec<String>,
    /// Additional error codes or exact error descriptions which say that the code in a request is unknown, used or
    /// expired.
    pub unknown_code: Vec<String>,
    /// An object that contains the tokens; searched if there are none at the top level.
    pub access_token_in: Option<String>,
    /// The path of the granted scopes.
    pub scope: String,
    /// Separators of scopes in addition to whitespace.
    pub scope_separator: Option<String>,
    /// Whether the scopes are a list. The parser always accepts a list.
    pub scope_list: bool,
    /// Names of the access token's lifetime in seconds; empty if the service doesn't return it.
    pub expires_in: Vec<String>,
    /// Additional members that are kept; `a.b` is the member `b` of `a`.
    pub keep: Vec<String>,
}

impl Default for Answers {
    fn default() -> Self {
        Self {
            format: Format::Json,
            error_status: None,
            success: None,
            error: vec!["error".to_owned()],
            error_description: vec!["error_description".to_owned()],
            unknown_code: Vec::new(),
            access_token_in: None,
            scope: "scope".to_owned(),
            scope_separator: None,
            scope_list: false,
            expires_in: vec!["expires_in".to_owned()],
            keep: Vec::new(),
        }
    }
}

impl Answers {
    /// Returns whether `error` is about the authorization code or device code that was sent: the service doesn't know
    /// it, or no longer.
    #[must_use]
    pub fn is_about_the_code(&self, error: &ServerError) -> bool {
        error.code == "invalid_grant"
            || error.is_expiry()
            || self.unknown_code.iter().any(|known| {
                *known == error.code
                    || error
                        .description
                        .as_ref()
                        .is_some_and(|words| known == words)
            })
    }

    /// Returns whether the right code would get the same `error`, because it is about the client or the request. A
    /// service's own error codes may mean anything, so they do not count.
    #[must_use]
    pub fn is_about_the_client(&self, error: &ServerError) -> bool {
        !self.is_about_the_code(error)
            && matches!(
                error.code.as_str(),
                "invalid_client"
                    | "unauthorized_client"
                    | "unsupported_grant_type"
                    | "invalid_scope"
                    | "invalid_target"
            )
    }
}

/// The additional parameters of the redirect.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackDialect {
    /// Parameters that are kept.
    pub keep: Vec<String>,
    /// The server that exchanges the code, if the redirect names it.
    pub token_host: Option<TokenHost>,
}

/// A parameter of the redirect that names the server that exchanges the code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenHost {
    /// The name of the parameter.
    pub parameter: String,
    /// The only accepted hosts, because the code and the client secret are sent there.
    pub hosts: Vec<String>,
}

impl TokenHost {
    /// Returns the token endpoint at the server in `named`; `None` if it is not one of the service's own.
    #[must_use]
    pub fn at(&self, token_url: &Url, named: &str) -> Option<Url> {
        let server = super::url::endpoint(named).ok()?;
        let host = server.host_str()?;
        if server.port().is_some() || !self.hosts.iter().any(|known| known == host) {
            return None;
        }
        let mut url = token_url.clone();
        url.set_host(Some(host)).ok()?;
        Some(url)
    }
}

/// A value other than a token that the service sent and the preset keeps.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The name of the member or parameter, as in the preset.
    pub name: String,
    /// Its value as text.
    pub value: SecretString,
    /// Whether the value must not be shown on screen.
    secret: bool,
    /// Whether it came with an earlier response than the tokens.
    earlier: bool,
}

/// Endings of names whose values are secrets.
const SECRET_WORDS: &[&str] = &[
    "token",
    "secret",
    "password",
    "assertion",
    "credential",
    "jwt",
    "key",
    "cookie",
];

impl Kept {
    /// Creates a kept value; `None` if it is empty, too long or contains characters that can't be shown.
    #[must_use]
    pub fn new(name: &str, value: String) -> Option<Self> {
        let lower = name.to_lowercase();
        let last = lower.rsplit('.').next().unwrap_or_default();
        let secret = SECRET_WORDS.iter().any(|word| last.ends_with(word))
            || last == "code"
            // Anyone who knows the URL of a webhook can write to it.
            || (last == "url" && lower.contains("webhook"))
            // A JSON value may contain anything.
            || value.starts_with(['{', '[']);
        (!value.is_empty() && value.len() <= KEPT_LENGTH && is_clean(&value)).then(|| Self {
            name: clean(name, 80),
            value: value.into(),
            secret,
            earlier: false,
        })
    }

    /// Marks the value as carried over to the tokens of a later response that did not contain it.
    #[must_use]
    pub fn carried_over(mut self) -> Self {
        self.earlier = true;
        self
    }

    /// Returns whether the value came with an earlier response than the tokens.
    #[must_use]
    pub fn is_carried_over(&self) -> bool {
        self.earlier
    }

    /// Returns the value to show on screen, cleaned and shortened; `None` if it must not be shown.
    #[must_use]
    pub fn display_value(&self) -> Option<String> {
        (!self.is_secret()).then(|| clean(self.value.expose_secret(), 300))
    }

    /// Returns whether the value must not be shown on screen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

/// Returns the parameters of `query` that are to be kept.
#[must_use]
pub fn kept_of_query(query: &str, names: &[String]) -> Vec<Kept> {
    parameters(query)
        .filter(|(name, _)| names.contains(name))
        .filter_map(|(name, value)| Kept::new(&name, value))
        .take(KEPT_COUNT)
        .collect()
}

/// Returns the value at a path such as `errors.0.description`.
pub(super) fn at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = members.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// The names that services use for the lifetime of the refresh token, in seconds.
pub const REFRESH_LIFE: [&str; 3] = [
    "refresh_token_expires_in",
    "x_refresh_token_expires_in",
    "refresh_expires_in",
];

/// Returns the members of a response that are to be kept: those that the preset names, and the lifetime of the refresh
/// token.
pub(super) fn kept_of_answer(members: &Map<String, Value>, paths: &[String]) -> Vec<Kept> {
    let lives = REFRESH_LIFE.into_iter();
    let lives = lives.filter(|life| !paths.iter().any(|path| path == life));
    let paths = paths.iter().map(String::as_str);
    paths
        .chain(lives)
        .filter_map(|path| {
            let text = match at(members, path)? {
                Value::Null => return None,
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Kept::new(path, text)
        })
        .take(KEPT_COUNT)
        .collect()
}

/// A form as a list of parameters that can be edited and encoded again. Its values may be secrets.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Parses form-encoded text.
    pub(super) fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    /// Sets a parameter, replacing all values that it has.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    /// Adds a parameter; the same name may occur several times.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0
            .push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub(super) fn rename(&mut self, names: &BTreeMap<String, String>) {
        for (name, _) in &mut self.0 {
            if let Some(other) = names.get(name) {
                name.clone_from(other);
            }
        }
    }

    pub(super) fn write(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.0.iter().map(|(name, value)| (name, value.as_str())))
            .finish()
    }
}

/// The endpoint for pushed authorization requests (RFC 9126).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The URL of the endpoint.
    pub url: Url,
    /// Whether the service accepts no other authorization requests from this client.
    pub required: bool,
}

/// How a service signs ID tokens, as far as this is known.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// The algorithm registered for the client (`id_token_signed_response_alg`).
    pub registered: Option<String>,
    /// The relevant part of the issuer's metadata; `None` without metadata.
    pub published: Option<Published>,
}

/// The part of an issuer's metadata that is about its signatures.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The URL of the issuer's keys (`jwks_uri`).
    pub keys_url: Option<Url>,
    /// The algorithms that the issuer signs with; `None` if the metadata omits them.
    pub algorithms: Option<Vec<String>>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn path_traverses_objects_and_lists() {
        let members: Map<String, Value> = serde_json::from_str(
            r#"{"a":{"b":{"c":1}},"errors":[{"description":"slow_down"}],"n":null}"#,
        )
        .unwrap();
        assert_eq!(at(&members, "a.b.c").unwrap(), 1);
        assert_eq!(at(&members, "errors.0.description").unwrap(), "slow_down");
        for path in ["a.x", "errors.1", "errors.description", "a.b.c.d", ""] {
            assert!(at(&members, path).is_none(), "{path}");
        }
        let paths = ["a.b", "n", "missing"].map(str::to_owned);
        let kept = kept_of_answer(&members, &paths);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].value.expose_secret(), r#"{"c":1}"#);
    }

    #[test]
    fn exchange_moves_only_to_known_hosts_of_the_service() {
        let token_url = Url::parse("https://accounts.as.example/oauth/token").unwrap();
        let rule = TokenHost {
            parameter: "accounts-server".to_owned(),
            hosts: vec!["accounts.as.test".to_owned()],
        };
        assert_eq!(
            rule.at(&token_url, "https://accounts.as.test")
                .unwrap()
                .as_str(),
            "https://accounts.as.test/oauth/token"
        );
        for named in [
            "https://evil.example",
            "https://accounts.as.test.evil.example",
            "http://accounts.as.test",
            "https://me:pw@accounts.as.test",
            "https://accounts.as.test:8443",
            "accounts.as.test",
            "",
        ] {
            assert!(rule.at(&token_url, named).is_none(), "{named}");
        }
    }

    #[test]
    fn kept_values_are_limited_and_clean() {
        let names = ["a", "b", "c"].map(str::to_owned);
        let query = format!("a=1&b=%1b[31m&c={}&d=4", "x".repeat(9000));
        let kept = kept_of_query(&query, &names);
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].name, "a");
        let secret =
            |name: &str, value: &str| Kept::new(name, value.to_owned()).unwrap().is_secret();
        for (name, value) in [
            ("accessToken", "x"),
            ("api_key", "x"),
            ("user.Password", "x"),
            ("incoming_webhook.url", "x"),
            ("instance_url", "{\"access_token\":\"x\"}"),
        ] {
            assert!(secret(name, value), "{name}");
        }
        assert!(!secret("instance_url", "https://as.example") && !secret("team.id", "T1"));
    }

    #[test]
    fn each_method_states_what_credentials_it_uses() {
        use ClientAuthentication::{Basic, ClientSecretJwt, MutualTls, None, Post, PrivateKeyJwt};
        for (method, secret, signed, key) in [
            (None, false, false, false),
            (Post, true, false, false),
            (Basic, true, false, false),
            (ClientSecretJwt, true, true, false),
            (PrivateKeyJwt, false, true, true),
            (MutualTls, false, false, true),
        ] {
            let uses = (method.uses_secret(), method.is_signed(), method.uses_key());
            assert_eq!(uses, (secret, signed, key), "{method:?}");
        }
    }

    #[test]
    fn unknown_code_is_recognized_by_error_or_preset_words() {
        let answers = Answers {
            unknown_code: vec!["bad_code".to_owned(), "no such code".to_owned()],
            ..Answers::default()
        };
        for (code, description, about) in [
            ("invalid_grant", None, true),
            ("expired_token", None, true),
            ("bad_code", None, true),
            ("error", Some("no such code"), true),
            ("error", Some("no such client"), false),
            ("error", None, false),
        ] {
            let error = ServerError::new(code, description);
            assert_eq!(answers.is_about_the_code(&error), about, "{error}");
        }
    }

    #[test]
    fn kept_secret_is_not_displayed() {
        let shown = |name: &str, value: &str| {
            let kept = Kept::new(name, value.to_owned()).unwrap();
            kept.display_value()
        };
        assert_eq!(shown("team.id", "T1").as_deref(), Some("T1"));
        assert_eq!(shown("api_key", "T1"), None);
    }
}
