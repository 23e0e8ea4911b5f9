//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::client::sets_nothing_reserved;
use super::dialect::Dialect;
use super::error_members::{error, is_sentence};
use super::failure::{NO_CODE, ServerError};
use super::flow_kind::FlowKind;
use super::issuer::difference;
use super::members::{is_none, text};
use super::url::{UrlProblem, endpoint, not_turned_here};
use super::words::is_heading;
use crate::clean::clean;

/// The grant type of the device code flow (RFC 8628, section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Maximum number of entries in a list, and of characters in an entry. Anything longer is cut.
const LIST_LIMIT: usize = 200;

/// The issuer whose metadata is requested, and other names that the metadata may use for it.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The issuer as entered by the user or named in the preset.
    pub issuer: &'a str,
    /// Other issuers that the metadata may name; `{name}` matches any one segment of the path, including `{name}`
    /// itself.
    pub others: &'a [String],
    /// The flow to sign in with. An endpoint that only another flow uses may be invalid.
    pub flow: FlowKind,
}

/// Returns whether `issuer` matches `pattern`.
fn is_like(issuer: &str, pattern: &str) -> bool {
    let (issuer, pattern): (Vec<&str>, Vec<&str>) =
        (issuer.split('/').collect(), pattern.split('/').collect());
    // The scheme and the host must always match exactly.
    issuer.len() == pattern.len()
        && issuer
            .iter()
            .zip(&pattern)
            .enumerate()
            .all(|(at, (part, wanted))| {
                let open = at > 2 && wanted.starts_with('{') && wanted.ends_with('}');
                part == wanted || (open && !part.is_empty())
            })
}

/// The metadata of an authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// The issuer whose metadata was requested.
    pub asked: String,
    /// The issuer that responses will name: the server's own spelling, if it differs by a trailing slash.
    pub issuer: String,
    /// The URL of the metadata.
    pub source: Url,
    /// Authorization endpoint.
    pub authorization_url: Option<Url>,
    /// Device authorization endpoint.
    pub device_url: Option<Url>,
    /// Token endpoint.
    pub token_url: Option<Url>,
    /// Revocation endpoint (RFC 7009).
    pub revocation_url: Option<Url>,
    /// Introspection endpoint (RFC 7662).
    pub introspection_url: Option<Url>,
    /// Userinfo endpoint (OpenID Connect Core, section 5.3).
    pub userinfo_url: Option<Url>,
    /// The URL of the keys that verify the issuer's signatures (RFC 7517).
    pub keys_url: Option<Url>,
    /// The algorithms that sign ID tokens; `None` if the metadata omits them.
    pub id_token_algorithms: Option<Vec<String>>,
    /// The scopes that the server lists; it may accept others.
    pub scopes: Vec<String>,
    /// The PKCE methods that the server accepts; `None` if the metadata omits them.
    pub pkce_methods: Option<Vec<String>>,
    /// The client authentication methods that the server accepts; `None` if the metadata omits them.
    pub authentication: Option<Vec<String>>,
    /// The algorithms that may sign client assertions; `None` if the metadata omits them.
    pub assertion_algorithms: Option<Vec<String>>,
    /// The endpoints for clients that authenticate with a certificate.
    pub mtls: MtlsAliases,
    /// Whether every authorization response contains `iss` (RFC 9207, section 3).
    pub iss_in_answers: bool,
    /// The requests that the server accepts.
    pub ways: Ways,
}

/// Endpoints that replace the others for clients that authenticate with a certificate (RFC 8705, section 5).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MtlsAliases {
    /// The token endpoint.
    pub token_url: Option<Url>,
    /// The device authorization endpoint.
    pub device_url: Option<Url>,
    /// The revocation endpoint.
    pub revocation_url: Option<Url>,
    /// The introspection endpoint.
    pub introspection_url: Option<Url>,
    /// The userinfo endpoint.
    pub userinfo_url: Option<Url>,
    /// The endpoint for pushed authorization requests.
    pub pushed_url: Option<Url>,
}

/// The kinds of requests that a server accepts. A list is `None` if the metadata omits it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// Whether the server accepts only authorization requests that were pushed (RFC 9126, section 5).
    pub pushed: bool,
    /// The endpoint for pushed authorization requests (RFC 9126, section 5).
    pub pushed_url: Option<Url>,
    /// The endpoint for dynamic client registration (RFC 7591).
    pub registration_url: Option<Url>,
    /// Whether the server accepts only signed authorization requests (RFC 9101, section 10.5).
    pub signed: bool,
    /// The response types that the server supports.
    pub response_types: Option<Vec<String>>,
    /// The response modes that the server supports.
    pub response_modes: Option<Vec<String>>,
    /// The grant types that the server supports.
    pub grant_types: Option<Vec<String>>,
}

/// Returns the URLs where the metadata of `issuer` may be: that of OpenID Connect Discovery, that of RFC 8414, and that
/// of OpenID Connect with the issuer's path after the well-known part, as in RFC 8414.
#[must_use]
pub fn addresses(issuer: &Url) -> Vec<Url> {
    let path = issuer.path().trim_end_matches('/');
    let paths = [
        format!("{path}/.well-known/openid-configuration"),
        format!("/.well-known/oauth-authorization-server{path}"),
        format!("/.well-known/openid-configuration{path}"),
    ];
    let mut urls: Vec<Url> = Vec::new();
    for path in paths {
        let mut url = issuer.clone();
        url.set_query(None);
        url.set_path(&path);
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    urls
}

/// Why metadata can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is the metadata of another issuer, so nothing in it may be used (RFC 8414, section 3.3).
    #[error("{0}")]
    OtherIssuer(String),
    /// It is incomplete, invalid or missing.
    #[error("{0}")]
    Unusable(String),
}

impl From<String> for MetadataError {
    fn from(reason: String) -> Self {
        Self::Unusable(reason)
    }
}

/// Parses the metadata that was found at `source`. The issuer must be the one that was requested (RFC 8414,
/// section 3.3); only a trailing slash may differ, because people omit it.
///
/// # Errors
/// Returns an error that says what is wrong with the response.
pub fn parse_metadata(
    answer: &Answer,
    expected: Expected<'_>,
    source: &Url,
) -> Result<Metadata, MetadataError> {
    if answer.status != 200 {
        return Err(status_text(answer).into());
    }
    let members = answer.members()?;
    let named = text(members, "issuer").ok_or_else(|| {
        let error = said(answer).map(|error| format!(": {error}"));
        let error = error.unwrap_or_default();
        format!("it has no issuer{}", error.trim_end_matches('.'))
    })?;
    let asked = expected.issuer;
    let issuer = if expected
        .others
        .iter()
        .any(|pattern| is_like(&named, pattern))
    {
        asked.to_owned()
    } else if named.trim_end_matches('/') == asked.trim_end_matches('/') {
        named
    } else if let Some((placeholder, instead)) = placeholder(&named, asked) {
        let enter = match instead.as_str() {
            "" => "enter this issuer in Issuer, with that value".to_owned(),
            instead => format!("enter that in Issuer instead of {instead}"),
        };
        return Err(MetadataError::OtherIssuer(format!(
            "its issuer is {}, where {placeholder} is a placeholder for your own value: {enter}, or choose the preset of \
                this service",
            clean(&named, 120)
        )));
    } else {
        return Err(MetadataError::OtherIssuer(difference(&named, asked)));
    };
    let dialect = Dialect::default();
    let read = |address: &str| -> Result<Url, UrlProblem> {
        let url = endpoint(address)?;
        not_turned_here(&url, source)?;
        sets_nothing_reserved(&url, &dialect)?;
        Ok(url)
    };
    let url = |name: &str| -> Result<Option<Url>, String> {
        let Some(address) = text(members, name) else {
            return Ok(None);
        };
        read(&address)
            .map(Some)
            .map_err(|problem| format!("its {name} is invalid: {}", problem.reason()))
    };
    let token_url = url("token_endpoint")?;
    if token_url.is_none() {
        return Err("it has no token_endpoint".to_owned().into());
    }
    // Some services send an empty text for a flow that they don't have.
    let of_flow = |name: &str, flow: FlowKind| match text(members, name) {
        Some(address) if is_none(&address) => Ok(None),
        _ if flow != expected.flow => Ok(url(name).ok().flatten()),
        _ => url(name),
    };
    // An invalid endpoint that is needed only later is no reason to reject the rest.
    let later = |name: &str| read(&text(members, name)?).ok();
    let alias = |name: &str| {
        let aliases = members.get("mtls_endpoint_aliases")?.as_object()?;
        read(&text(aliases, name)?).ok()
    };
    Ok(Metadata {
        asked: asked.to_owned(),
        issuer,
        source: source.clone(),
        authorization_url: of_flow("authorization_endpoint", FlowKind::AuthorizationCode)?,
        device_url: of_flow("device_authorization_endpoint", FlowKind::DeviceCode)?,
        token_url,
        revocation_url: later("revocation_endpoint"),
        introspection_url: later("introspection_endpoint"),
        userinfo_url: later("userinfo_endpoint"),
        keys_url: later("jwks_uri"),
        id_token_algorithms: list(members, "id_token_signing_alg_values_supported"),
        scopes: list(members, "scopes_supported").unwrap_or_default(),
        pkce_methods: list(members, "code_challenge_methods_supported"),
        authentication: list(members, "token_endpoint_auth_methods_supported"),
        assertion_algorithms: list(members, "token_endpoint_auth_signing_alg_values_supported"),
        mtls: MtlsAliases {
            token_url: alias("token_endpoint"),
            device_url: alias("device_authorization_endpoint"),
            revocation_url: alias("revocation_endpoint"),
            introspection_url: alias("introspection_endpoint"),
            userinfo_url: alias("userinfo_endpoint"),
            pushed_url: alias("pushed_authorization_request_endpoint"),
        },
        iss_in_answers: is_set(members, "authorization_response_iss_parameter_supported"),
        ways: Ways {
            pushed: is_set(members, "require_pushed_authorization_requests"),
            pushed_url: later("pushed_authorization_request_endpoint"),
            registration_url: later("registration_endpoint"),
            signed: is_set(members, "require_signed_request_object"),
            response_types: texts(members, "response_types_supported"),
            response_modes: list(members, "response_modes_supported"),
            grant_types: list(members, "grant_types_supported"),
        },
    })
}

/// Returns a status that is not 200, with what the server says about it.
fn status_text(answer: &Answer) -> String {
    let words = said(answer).map(|error| format!(": {error}"));
    let words = words.unwrap_or_default();
    format!(
        "HTTP status {}{}",
        answer.status,
        words.trim_end_matches('.')
    )
}

/// Returns what a server says instead of metadata. The secrets of the client aren't known during discovery, so texts with
/// a word that may be one are left out.
#[must_use]
pub fn said(answer: &Answer) -> Option<ServerError> {
    let members = answer.body.members();
    let error = members.and_then(|members| error(members, &Dialect::default().answers, "issuer"));
    let error = error
        .or_else(|| answer.challenge())
        .or_else(|| answer.said())?;
    let description = error.description.as_deref();
    let description = description.filter(|text| is_heading(text) || is_sentence(text));
    let code = Some(error.code.as_str()).filter(|code| is_heading(code));
    let says_nothing = description.is_none() && code.is_none_or(|code| code == NO_CODE);
    (!says_nothing).then(|| ServerError::new(code.unwrap_or(NO_CODE), description))
}

fn is_set(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).and_then(Value::as_bool) == Some(true)
}

/// Returns the placeholder in the issuer, such as `{tenant}`, and what was entered in its place.
fn placeholder(named: &str, asked: &str) -> Option<(String, String)> {
    let mut asked = asked.split('/');
    named.split('/').find_map(|part| {
        let instead = asked.next().unwrap_or_default();
        let is_one = part.starts_with('{') && part.ends_with('}') && part.len() > 2;
        is_one.then(|| (clean(part, 40), clean(instead, 40)))
    })
}

/// Returns a list of words, cleaned and limited.
fn list(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let mut words = texts(members, name)?;
    words.retain(|word| !word.contains(' '));
    Some(words)
}

/// Returns a list of texts that may contain spaces, cleaned and limited.
fn texts(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let texts = members.get(name)?.as_array()?.iter();
    let texts = texts.filter_map(Value::as_str);
    let texts = texts.map(|text| clean(text, LIST_LIMIT));
    let texts = texts.filter(|text| !text.is_empty());
    Some(texts.take(LIST_LIMIT).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, issuer: &str) -> Result<Metadata, String> {
        read_for(FlowKind::DeviceCode, status, body, issuer)
    }

    fn read_for(flow: FlowKind, status: u16, body: &str, issuer: &str) -> Result<Metadata, String> {
        parse_metadata(
            &Answer {
                status,
                retry_after: None,
                headers: Vec::new(),
                body: body.into(),
            },
            Expected {
                issuer,
                others: &["https://as.example/{tenantid}".to_owned()],
                flow,
            },
            &Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn metadata_addresses_follow_both_specifications() {
        let list = |issuer: &str| -> Vec<String> {
            addresses(&Url::parse(issuer).unwrap())
                .iter()
                .map(Url::to_string)
                .collect()
        };
        assert_eq!(
            list("https://as.example"),
            [
                "https://as.example/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server"
            ]
        );
        assert_eq!(
            list("https://as.example/realms/a/"),
            [
                "https://as.example/realms/a/.well-known/openid-configuration",
                "https://as.example/.well-known/oauth-authorization-server/realms/a",
                "https://as.example/.well-known/openid-configuration/realms/a",
            ]
        );
    }

    #[test]
    fn issuer_placeholder_is_reported_by_name() {
        let body = r#"{"issuer":"https://as.example/{tenant}/v2.0","token_endpoint":"https://as.example/t"}"#;
        let told = read(200, body, "https://as.example/common/v2.0").unwrap_err();
        assert!(
            told.contains("{tenant} is a placeholder") && told.contains("instead of common"),
            "{told}"
        );
        let body = body.replace("{tenant}", "1-2-3");
        let told = read(200, &body, "https://as.example/common/v2.0").unwrap_err();
        assert!(told.contains("/v2.0, not https://"), "{told}");
    }

    #[test]
    fn lookalike_or_placeholder_issuer_is_explained() {
        let asked = "https://as.example";
        for (named, asked, told) in [
            (
                "https://as.example ",
                asked,
                "its issuer is https://as.example, but contains an invisible character (U+0020)",
            ),
            (" ", asked, "its issuer is empty"),
            (
                "https://as.example/{tenant}/v2.0",
                asked,
                "your own value: enter this issuer in Issuer, with that value, or choose the preset",
            ),
            (
                "https://as.example/{tenant}/v2.0",
                "https://as.example/",
                "your own value: enter this issuer in Issuer, with that value, or choose the preset",
            ),
        ] {
            let body = format!(r#"{{"issuer":"{named}","token_endpoint":"https://as.example/t"}}"#);
            let error = read(200, &body, asked).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }

    #[test]
    fn status_is_reported_with_the_server_message() {
        for (status, body, told) in [
            (404, "", "HTTP status 404"),
            (
                404,
                r#"{"error":"Realm does not exist"}"#,
                "HTTP status 404: Realm does not exist",
            ),
            (
                404,
                r#"{"error":"not_found","error_description":"No such tenant."}"#,
                "HTTP status 404: not_found: No such tenant",
            ),
            (403, "IP not allowed", "HTTP status 403: IP not allowed"),
            (
                403,
                r#"{"title":"Forbidden","detail":"IP not allowed"}"#,
                "HTTP status 403: Forbidden: IP not allowed",
            ),
            (404, "404 page not found", "HTTP status 404: page not found"),
            (
                404,
                "<html><title>404 Not Found</title>",
                "HTTP status 404: Not Found",
            ),
            (404, "<html>", "HTTP status 404"),
            (
                400,
                r#"{"error":"invalid_tenant","error_description":"AADSTS90002: Tenant not found."}"#,
                "HTTP status 400: invalid_tenant: AADSTS90002: Tenant not found",
            ),
            // A service may know the client's secret.
            (403, "no cQ7~Gx4Lm9Tv", "HTTP status 403"),
            (
                403,
                r#"{"error":"denied","error_description":"no cQ7~Gx4Lm9Tv"}"#,
                "HTTP status 403: denied",
            ),
            (
                403,
                r#"{"error":"cQ7~Gx4Lm9Tv","error_description":"No access"}"#,
                "HTTP status 403: No access",
            ),
            (204, "anything", "HTTP status 204"),
        ] {
            assert_eq!(read(status, body, "https://as.example").unwrap_err(), told);
        }
    }

    #[test]
    fn requirements_of_the_service_are_read() {
        let body = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t",
            "require_pushed_authorization_requests":true,
            "pushed_authorization_request_endpoint":"https://as.example/par","require_signed_request_object":"yes",
            "response_types_supported":["code id_token",7],"response_modes_supported":["form_post"],
            "grant_types_supported":["client_credentials"]}"#;
        let ways = read(200, body, "https://as.example").unwrap().ways;
        assert_eq!(
            ways,
            Ways {
                pushed: true,
                pushed_url: Url::parse("https://as.example/par").ok(),
                registration_url: None,
                signed: false,
                response_types: Some(vec!["code id_token".to_owned()]),
                response_modes: Some(vec!["form_post".to_owned()]),
                grant_types: Some(vec!["client_credentials".to_owned()]),
            }
        );
    }

    #[test]
    fn client_authentication_and_mtls_endpoints_are_read() {
        let body = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t",
            "token_endpoint_auth_signing_alg_values_supported":["PS256"],
            "mtls_endpoint_aliases":{"token_endpoint":"https://mtls.as.example/t","revocation_endpoint":"http://as.example/r",
            "introspection_endpoint":7,"userinfo_endpoint":"https://mtls.as.example/me","made_up":"https://as.example/"}}"#;
        let metadata = read(200, body, "https://as.example").unwrap();
        assert_eq!(metadata.assertion_algorithms.unwrap(), ["PS256"]);
        let expected = MtlsAliases {
            token_url: Url::parse("https://mtls.as.example/t").ok(),
            userinfo_url: Url::parse("https://mtls.as.example/me").ok(),
            ..MtlsAliases::default()
        };
        assert_eq!(metadata.mtls, expected);
        let body = body.replace("mtls_endpoint_aliases", "other");
        let metadata = read(200, &body, "https://as.example").unwrap();
        assert_eq!(metadata.mtls, MtlsAliases::default());
    }

    #[test]
    fn issuer_comparison_ignores_a_trailing_slash() {
        let body = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t","authorization_response_iss_parameter_supported":true}"#;
        let metadata = read(200, body, "https://as.example").unwrap();
        assert!(metadata.iss_in_answers && metadata.device_url.is_none());
        let slash = read(200, body, "https://as.example/").unwrap();
        assert_eq!(slash.issuer, "https://as.example");
        assert_eq!(slash.asked, "https://as.example/");
        for other in [
            "https://as.example/realm",
            "https://as.exampl",
            "http://as.example",
        ] {
            assert!(
                read(200, body, other)
                    .unwrap_err()
                    .contains("its issuer is https://as.example, not"),
                "{other}"
            );
        }
        let literal =
            r#"{"issuer":"https://as.example/{tenantid}","token_endpoint":"https://as.example/t"}"#;
        assert_eq!(
            read(200, literal, "https://as.example/common")
                .unwrap()
                .issuer,
            "https://as.example/common"
        );
        let known = literal.replace("{tenantid}", "1-2-3");
        assert!(read(200, &known, "https://as.example/common").is_ok());
        for other in ["{tenantid}/x", "", "/"] {
            let body = literal.replace("{tenantid}", other);
            assert!(
                read(200, &body, "https://as.example/common").is_err(),
                "{other}"
            );
        }
        assert!(
            read(200, r#"{"issuer":"i"}"#, "i")
                .unwrap_err()
                .contains("token_endpoint")
        );
        assert!(
            read(404, body, "https://as.example")
                .unwrap_err()
                .contains("404")
        );
        assert!(
            read(200, "<html>", "https://as.example")
                .unwrap_err()
                .contains("web page")
        );
        let bad = r#"{"issuer":"i","token_endpoint":"http://as.example/t"}"#;
        assert!(read(200, bad, "i").unwrap_err().contains("token_endpoint"));
    }

    /// Endpoints, each with a flow that requires it.
    const OF_A_FLOW: [(&str, FlowKind); 3] = [
        ("authorization_endpoint", FlowKind::AuthorizationCode),
        ("token_endpoint", FlowKind::ClientCredentials),
        ("device_authorization_endpoint", FlowKind::DeviceCode),
    ];

    #[test]
    fn invalid_endpoint_of_another_flow_is_ignored() {
        for address in [
            "http://as.example/x",
            "https://localhost/x",
            "not supported",
            "/x",
            "https://as.example/x?client_id=y",
        ] {
            for (name, own) in OF_A_FLOW {
                let mut body =
                    serde_json::json!({"issuer": "i", "token_endpoint": "https://as.example/t"});
                body[name] = address.into();
                for flow in FlowKind::ALL {
                    let found = read_for(flow, 200, &body.to_string(), "i");
                    let is_refused = flow == own || name == "token_endpoint";
                    assert_eq!(found.is_err(), is_refused, "{name} {address} {flow:?}");
                    if let Ok(found) = found {
                        assert_eq!((found.authorization_url, found.device_url), (None, None));
                    }
                }
            }
        }
    }

    #[test]
    fn remote_metadata_cannot_point_to_this_machine() {
        let body = |name: &str, address: &str| {
            let mut body =
                serde_json::json!({"issuer": "i", "token_endpoint": "https://as.example/t"});
            body[name] = address.into();
            body.to_string()
        };
        for address in [
            "http://127.0.0.1:8400/x",
            "http://localhost/x",
            "https://127.0.0.1/x",
            "https://localhost:8443/x",
            "https://a.localhost/x",
            "https://[::ffff:127.0.0.1]/x",
            "https://0.0.0.0/x",
        ] {
            for (name, flow) in OF_A_FLOW {
                let error = read_for(flow, 200, &body(name, address), "i").unwrap_err();
                assert!(
                    error.contains(name) && error.contains("points to this machine"),
                    "{error}"
                );
            }
            for name in [
                "revocation_endpoint",
                "introspection_endpoint",
                "userinfo_endpoint",
            ] {
                let metadata = read(200, &body(name, address), "i").unwrap();
                assert!(
                    metadata.revocation_url.is_none()
                        && metadata.introspection_url.is_none()
                        && metadata.userinfo_url.is_none(),
                    "{name} {address}"
                );
            }
        }
        // An issuer on this machine has its endpoints on this machine.
        let answer = Answer {
            status: 200,
            retry_after: None,
            headers: Vec::new(),
            body: body("token_endpoint", "http://localhost:9000/t")
                .as_str()
                .into(),
        };
        let expected = Expected {
            issuer: "i",
            others: &[],
            flow: FlowKind::DeviceCode,
        };
        let source = Url::parse("http://127.0.0.1:9000/.well-known/openid-configuration").unwrap();
        assert!(parse_metadata(&answer, expected, &source).is_ok());
    }

    #[test]
    fn endpoint_without_a_url_is_ignored() {
        for address in ["", " ", "null", "None"] {
            for name in ["authorization_endpoint", "device_authorization_endpoint"] {
                let mut body = serde_json::json!({
                    "issuer": "i", "token_endpoint": "https://as.example/t",
                    "authorization_endpoint": "https://as.example/a",
                    "device_authorization_endpoint": "https://as.example/d",
                });
                body[name] = address.into();
                let metadata = read(200, &body.to_string(), "i").unwrap();
                let both = [&metadata.authorization_url, &metadata.device_url];
                assert_eq!(
                    both.map(Option::is_some)
                        .into_iter()
                        .filter(|it| *it)
                        .count(),
                    1,
                    "{address}"
                );
            }
        }
    }

    #[test]
    fn endpoint_that_sets_a_protocol_parameter_is_refused() {
        for (name, query, parameter) in [
            (
                "authorization_endpoint",
                "response_type=token",
                "response_type",
            ),
            (
                "authorization_endpoint",
                "a=1&redirect%5Furi=x",
                "redirect_uri",
            ),
            ("authorization_endpoint", "Request_URI=x", "Request_URI"),
            ("token_endpoint", "client_id=x", "client_id"),
            ("device_authorization_endpoint", "scope=x", "scope"),
        ] {
            let mut body =
                serde_json::json!({"issuer": "i", "token_endpoint": "https://as.example/t"});
            body[name] = format!("https://as.example/x?{query}").into();
            let flow = OF_A_FLOW.into_iter().find(|(other, _)| *other == name);
            let (_, flow) = flow.unwrap();
            let error = read_for(flow, 200, &body.to_string(), "i").unwrap_err();
            assert!(
                error.contains(name) && error.contains(&format!("contains {parameter},")),
                "{error}"
            );
        }
        let fixed = r#"{"issuer":"i","token_endpoint":"https://as.example/t?p=b2c_1_sign_in"}"#;
        assert!(read(200, fixed, "i").is_ok());
    }

    #[test]
    fn lists_are_cleaned_of_invalid_entries() {
        let body = r#"{"issuer":"i","token_endpoint":"https://as.example/t","scopes_supported":["openid","two words",7,"a\u0007b"],
            "code_challenge_methods_supported":["plain"],"revocation_endpoint":"ftp://x/","userinfo_endpoint":"https://as.example/me"}"#;
        let metadata = read(200, body, "i").unwrap();
        assert_eq!(metadata.scopes, ["openid", "ab"]);
        assert_eq!(metadata.pkce_methods.unwrap(), ["plain"]);
        assert!(metadata.authentication.is_none() && metadata.revocation_url.is_none());
        assert!(metadata.userinfo_url.is_some());
    }

    #[test]
    fn placeholder_matches_one_path_segment() {
        let pattern = "https://as.example/{tenant}/v2";
        assert!(is_like("https://as.example/t1/v2", pattern));
        assert!(is_like(pattern, pattern));
        for other in [
            "https://as.example//v2",
            "https://as.example/t1/v1",
            "https://as.example/t1",
            "https://as.example/t1/v2/x",
            "https://other.example/t1/v2",
        ] {
            assert!(!is_like(other, pattern), "{other}");
        }
        for (other, pattern) in [
            ("https://evil.example/a", "https://{host}/a"),
            ("https://as.example/a", "https://as.example/{b"),
            ("https://as.example/a", "https://as.example/b}"),
        ] {
            assert!(!is_like(other, pattern), "{pattern}");
        }
        let found = |named: &str| placeholder(named, "https://as.example/t1/v2");
        let tenant = Some(("{tenant}".to_owned(), "t1".to_owned()));
        assert_eq!(found(pattern), tenant);
        for named in ["{}", "{tenant", "tenant}", "tenant"] {
            assert_eq!(
                found(&format!("https://as.example/{named}/v2")),
                None,
                "{named}"
            );
        }
    }
}
