//! The ways in which a service differs from the RFCs: data from its preset, with the few functions that use it.
//!
//! docs/presets.md documents each field. The default is the protocol as specified.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::client_authentication::ClientAuthentication;
use super::failure::ServerError;
use super::tools::ToolDialects;

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

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
}
