//! How a service differs from the RFCs: data from its preset, with the few functions that act on it.
//!
//! docs/presets.md documents each field. The default is the protocol as written.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::failure::ServerError;
use super::tools::ToolDialects;
use crate::clean::{clean, is_clean};
use crate::secret::{ExposeSecret, SecretString};

/// The further members of an answer that are kept: this many, each with this many characters.
const KEPT_COUNT: usize = 40;
const KEPT_LENGTH: usize = 8 * 1024;

/// How a client with a secret proves who it is (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAuthentication {
    /// It does not: only its ID is sent.
    None,
    /// ID and secret in the body.
    Post,
    /// ID and secret in the `Authorization` header.
    Basic,
    /// An assertion signed with the secret.
    ClientSecretJwt,
    /// An assertion signed with a private key.
    PrivateKeyJwt,
    /// A client certificate (RFC 8705).
    MutualTls,
}

impl ClientAuthentication {
    /// The name in flags and files.
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

    /// True if it needs the client secret.
    #[must_use]
    pub fn uses_secret(self) -> bool {
        matches!(self, Self::Post | Self::Basic | Self::ClientSecretJwt)
    }

    /// True if it signs an assertion.
    #[must_use]
    pub fn is_signed(self) -> bool {
        matches!(self, Self::ClientSecretJwt | Self::PrivateKeyJwt)
    }

    /// True if it needs a private key.
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
    /// What is between scopes on the wire; `None`: a space.
    pub scope_separator: Option<String>,
    /// Spaces in the authorization URL are written as `%20`.
    pub percent_spaces: bool,
    /// The Basic header is sent without a secret as well.
    pub empty_secret: bool,
    /// Sent with the device request, and not to be changed by hand.
    pub device_parameters: Vec<(String, String)>,
    /// Names of one and the same scope, in lists.
    pub same_scope: Vec<Vec<String>>,
    /// Sent with each request for tokens.
    pub token_parameters: Vec<(String, String)>,
    /// Sent with the refresh; `{redirect_uri}` is filled in.
    pub refresh_parameters: Vec<(String, String)>,
    /// The service never gives a refresh token.
    pub no_refresh: bool,
    /// Why no refresh token comes, or on what it depends.
    pub refresh_note: Option<String>,
    /// The device flow.
    pub device: DeviceDialect,
    /// How answers are parsed.
    pub answers: Answers,
    /// What the browser returns with.
    pub callback: CallbackDialect,
    /// The endpoints for existing tokens.
    pub tools: ToolDialects,
}

/// How a device flow differs from RFC 8628.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DeviceDialect {
    /// Where to poll, if not at the token endpoint.
    pub token_url: Option<String>,
    /// How the device request is authenticated, if not like the others.
    pub authentication: Option<ClientAuthentication>,
    /// The client ID is in the query of the device request.
    pub client_id_in_query: bool,
    /// How the poll is authenticated, if not like the others.
    pub poll_authentication: Option<ClientAuthentication>,
    /// The name of the grant.
    pub grant_type: Option<String>,
    /// Other names of the parameters of both requests.
    pub names: BTreeMap<String, String>,
    /// Further parameters of the poll; `{client_id}`, `{scope}` and `{user_code}` are filled in.
    pub poll: BTreeMap<String, String>,
    /// Parameters that the poll leaves out.
    pub without: Vec<String>,
    /// Other names of the members of the device answer.
    pub answer: BTreeMap<String, String>,
    /// More, in words.
    pub notes: Option<String>,
}

/// What a token endpoint sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// As RFC 6749 says.
    #[default]
    Json,
    /// `name=value&name=value`.
    Form,
}

/// How answers differ from RFC 6749, sections 5.1 and 5.2.
///
/// [`Answers::format`] and [`Answers::error_status`] say what the service does; the reader takes either format and
/// errors with any status everywhere, so that nobody fails for a wrong preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// What the service sends.
    pub format: Format,
    /// The status of its errors, where it is not 400 or 401.
    pub error_status: Option<u16>,
    /// A member that is false in an error.
    pub success: Option<String>,
    /// Where the error code stands: the first path that is there.
    pub error: Vec<String>,
    /// Where the words next to it stand.
    pub error_description: Vec<String>,
    /// Further error codes, or the whole words next to one, that say that the code of a request is unknown, used or
    /// expired.
    pub unknown_code: Vec<String>,
    /// An object with the tokens, looked into where none stand outside.
    pub access_token_in: Option<String>,
    /// Where the granted scopes stand.
    pub scope: String,
    /// What is between them in addition to whitespace.
    pub scope_separator: Option<String>,
    /// They come as a list; a list is read everywhere.
    pub scope_list: bool,
    /// Names of the seconds that an access token lives; none: the service does not say.
    pub expires_in: Vec<String>,
    /// Further members that are kept; `a.b` looks into `a`.
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
    /// True if `error` is about the code that was sent, authorization code or device code: the service does not know
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

    /// True if `error` would come for the right code as well, as it is about the client or the request. Names of a
    /// service's own may mean anything, so they do not count.
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

/// What the browser returns with in addition to the code.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CallbackDialect {
    /// Parameters that are kept.
    pub keep: Vec<String>,
    /// It names the server that exchanges the code.
    pub token_host: Option<TokenHost>,
}

/// The exchange happens at a server that the callback names.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenHost {
    /// The parameter.
    pub parameter: String,
    /// The only hosts that are accepted: the code and the secret go there.
    pub hosts: Vec<String>,
}

impl TokenHost {
    /// The token endpoint at the server that `named` names; `None` if that is not one of the service's own.
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

/// Something in addition to the tokens that the service sent and the preset keeps.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The member or parameter, as the preset names it.
    pub name: String,
    /// Its value as text.
    pub value: SecretString,
    /// Not for the screen.
    secret: bool,
    /// It came with an earlier answer than the tokens.
    earlier: bool,
}

/// Ends of names whose values are secrets.
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
    /// `None` for what is too long or not fit to be shown.
    #[must_use]
    pub fn new(name: &str, value: String) -> Option<Self> {
        let lower = name.to_lowercase();
        let last = lower.rsplit('.').next().unwrap_or_default();
        let secret = SECRET_WORDS.iter().any(|word| last.ends_with(word))
            || last == "code"
            // Who knows the address of a webhook may write to it.
            || (last == "url" && lower.contains("webhook"))
            // What lies within may be anything.
            || value.starts_with(['{', '[']);
        (!value.is_empty() && value.len() <= KEPT_LENGTH && is_clean(&value)).then(|| Self {
            name: clean(name, 80),
            value: value.into(),
            secret,
            earlier: false,
        })
    }

    /// The same for tokens of a later answer that did not have it.
    #[must_use]
    pub fn carried_over(mut self) -> Self {
        self.earlier = true;
        self
    }

    /// True if it came with an earlier answer than the tokens.
    #[must_use]
    pub fn is_carried_over(&self) -> bool {
        self.earlier
    }

    /// The value on screen, cleaned and shortened; `None` if it is not for the screen.
    #[must_use]
    pub fn display_value(&self) -> Option<String> {
        (!self.is_secret()).then(|| clean(self.value.expose_secret(), 300))
    }

    /// True if the value is not for the screen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

/// The parameters of `query` that are to be kept.
#[must_use]
pub fn kept_of_query(query: &str, names: &[String]) -> Vec<Kept> {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| names.iter().any(|kept| kept == name))
        .filter_map(|(name, value)| Kept::new(&name, value.into_owned()))
        .take(KEPT_COUNT)
        .collect()
}

/// The value at a path such as `errors.0.description`.
pub(super) fn at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = members.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// What services call the lifetime of the refresh token, in seconds.
pub const REFRESH_LIFE: [&str; 3] = [
    "refresh_token_expires_in",
    "x_refresh_token_expires_in",
    "refresh_expires_in",
];

/// The members of an answer that are to be kept: those that the preset names, and the lifetime of the refresh token.
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

/// A form as a list, to be changed and written again. Its values may be secrets.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Parses a form-encoded text.
    pub(super) fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    /// The parameter has this value, whatever it was.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    /// Adds a parameter; some may be there several times.
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

/// Where the parameters of a sign-in are sent before the browser is opened (RFC 9126).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The endpoint.
    pub url: Url,
    /// The service accepts no other authorization requests from this client.
    pub required: bool,
}

/// How a service signs ID tokens, as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Signing {
    /// The algorithm that the client is registered with (`id_token_signed_response_alg`).
    pub registered: Option<String>,
    /// What the issuer's metadata says; `None` without metadata.
    pub published: Option<Published>,
}

/// What an issuer's metadata says about its signatures.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// Where its keys are.
    pub keys_url: Option<Url>,
    /// The algorithms that it signs with; `None` if it does not say.
    pub algorithms: Option<Vec<String>>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn a_path_looks_into_objects_and_lists() {
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
    fn the_exchange_moves_only_to_a_host_of_the_service() {
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
    fn what_is_kept_is_bounded_and_clean() {
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
    fn what_authenticates_a_client_is_a_secret_an_assertion_or_a_key() {
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
    fn a_code_is_unknown_by_its_error_or_by_the_words_of_the_preset() {
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
    fn a_secret_that_is_kept_is_not_for_the_screen() {
        let shown = |name: &str, value: &str| {
            let kept = Kept::new(name, value.to_owned()).unwrap();
            kept.display_value()
        };
        assert_eq!(shown("team.id", "T1").as_deref(), Some("T1"));
        assert_eq!(shown("api_key", "T1"), None);
    }
}
