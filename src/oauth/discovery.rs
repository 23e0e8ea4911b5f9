//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::client::sets_nothing_reserved;
use super::dialect::Dialect;
use super::token::text;
use super::url::{UrlProblem, endpoint, not_turned_here};
use crate::clean::clean;

/// The device code grant in metadata (RFC 8628, section 3.4).
pub const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A list longer than this is cut.
const LIST_LIMIT: usize = 200;

/// Who is asked, and what it may call itself.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// As typed, or as the preset knows it.
    pub issuer: &'a str,
    /// What the metadata may name in its place; `{name}` stands for one part of the path, also for itself.
    pub others: &'a [String],
}

/// True if `issuer` is of the form of `pattern`.
fn is_like(issuer: &str, pattern: &str) -> bool {
    let (issuer, pattern): (Vec<&str>, Vec<&str>) =
        (issuer.split('/').collect(), pattern.split('/').collect());
    // Scheme and host are never left open.
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

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Who was asked.
    pub asked: String,
    /// What answers will name: the server's own spelling, where that differs by a slash at the end.
    pub issuer: String,
    /// Where the metadata was found.
    pub source: Url,
    /// Where to sign in.
    pub authorization_url: Option<Url>,
    /// Where device codes are given out.
    pub device_url: Option<Url>,
    /// Where tokens are given out.
    pub token_url: Option<Url>,
    /// RFC 7009.
    pub revocation_url: Option<Url>,
    /// RFC 7662.
    pub introspection_url: Option<Url>,
    /// OpenID Connect Core, section 5.3.
    pub userinfo_url: Option<Url>,
    /// The keys of its signatures (RFC 7517).
    pub keys_url: Option<Url>,
    /// How it signs ID tokens; `None` if it does not say.
    pub id_token_algorithms: Option<Vec<String>>,
    /// The scopes that it tells of; it may take others.
    pub scopes: Vec<String>,
    /// The PKCE methods that it takes; `None` if it does not say.
    pub pkce_methods: Option<Vec<String>>,
    /// How clients may prove who they are; `None` if it does not say.
    pub authentication: Option<Vec<String>>,
    /// How assertions of clients may be signed; `None` if it does not say.
    pub assertion_algorithms: Option<Vec<String>>,
    /// The endpoints for clients that authenticate with a certificate.
    pub mtls: MtlsAliases,
    /// Every answer to an authorization request carries `iss` (RFC 9207, section 3).
    pub iss_in_answers: bool,
    /// How it has to be asked.
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
    /// The user info endpoint.
    pub userinfo_url: Option<Url>,
    /// The endpoint for pushed authorization requests.
    pub pushed_url: Option<Url>,
}

/// What a server says of the requests that it takes. A list is `None` if it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// Only authorization requests that were pushed before (RFC 9126, section 5).
    pub pushed: bool,
    /// Where they are pushed (RFC 9126, section 5).
    pub pushed_url: Option<Url>,
    /// Where clients are registered (RFC 7591).
    pub registration_url: Option<Url>,
    /// Only authorization requests that are signed (RFC 9101, section 10.5).
    pub signed: bool,
    /// What it can be asked to return to the browser.
    pub response_types: Option<Vec<String>>,
    /// How that is returned.
    pub response_modes: Option<Vec<String>>,
    /// What tokens are issued for.
    pub grant_types: Option<Vec<String>>,
}

/// Where the metadata of `issuer` may be: the form of RFC 8414, that of OpenID Connect, and that of OpenID
/// Connect as RFC 8414 puts it for issuers with a path.
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

/// The issuer whose metadata is at this address; `None` for what is no address of metadata.
#[must_use]
pub fn issuer_of_address(text: &str) -> Option<String> {
    let (base, rest) = text.split_once("/.well-known/")?;
    let (document, path) = rest.split_once('/').unwrap_or((rest, ""));
    let document = document.split(['?', '#']).next().unwrap_or_default();
    let known = ["openid-configuration", "oauth-authorization-server"].contains(&document);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    (known && base.contains("://")).then(|| {
        let path = path.trim_end_matches('/');
        if path.is_empty() {
            base.to_owned()
        } else {
            format!("{base}/{path}")
        }
    })
}

/// Why metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// It is the metadata of another issuer: nothing in it may be used (RFC 8414, section 3.3).
    #[error("{0}")]
    OtherIssuer(String),
    /// It is incomplete or invalid, or there is none.
    #[error("{0}")]
    Unusable(String),
}

impl From<String> for MetadataError {
    fn from(reason: String) -> Self {
        Self::Unusable(reason)
    }
}

/// Reads the metadata that was found at `source`. The issuer must be the one that was asked (RFC 8414, section 3.3);
/// only a slash at its end may differ, as people leave it out.
///
/// # Errors
/// Returns what is wrong with the answer, in words.
pub fn parse_metadata(
    answer: &Answer,
    expected: Expected<'_>,
    source: &Url,
) -> Result<Metadata, MetadataError> {
    if answer.status != 200 {
        return Err(format!("HTTP status {}", answer.status).into());
    }
    let members = answer.members()?;
    let named = text(members, "issuer").ok_or_else(|| "it has no issuer".to_owned())?;
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
        return Err(MetadataError::OtherIssuer(format!(
            "its issuer is {}, where {placeholder} is a placeholder for your own value: enter that in Issuer instead of \
                {instead}, or choose the preset of this service",
            clean(&named, 120)
        )));
    } else {
        return Err(MetadataError::OtherIssuer(format!(
            "its issuer is {}, not {}",
            clean(&named, 120),
            clean(asked, 120)
        )));
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
            .map_err(|problem| format!("its {name} is invalid: {problem}"))
    };
    let token_url = url("token_endpoint")?;
    if token_url.is_none() {
        return Err("it has no token_endpoint".to_owned().into());
    }
    // What is requested later only is no reason to refuse the rest.
    let later = |name: &str| read(&text(members, name)?).ok();
    let alias = |name: &str| {
        let aliases = members.get("mtls_endpoint_aliases")?.as_object()?;
        read(&text(aliases, name)?).ok()
    };
    Ok(Metadata {
        asked: asked.to_owned(),
        issuer,
        source: source.clone(),
        authorization_url: url("authorization_endpoint")?,
        device_url: url("device_authorization_endpoint")?,
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

/// The issuer that the metadata at `source` names in place of the one that was asked, where that can be asked instead.
#[must_use]
pub fn other_issuer(answer: &Answer, asked: &str, source: &Url) -> Option<String> {
    let named = text(answer.members().ok()?, "issuer").filter(|_| answer.status == 200)?;
    let url = endpoint(&named).ok()?;
    is_near(&url, source).then_some(())?;
    let whole = named.len() <= ISSUER_LIMIT && !named.contains(['{', '<']);
    (whole && url.query().is_none() && named != asked).then_some(named)
}

/// The issuer whose metadata is where a request for that of `asked` was redirected to.
#[must_use]
pub fn issuer_behind(target: &str, asked: &Url) -> Option<String> {
    let issuer = issuer_of_address(target).filter(|issuer| issuer.len() <= ISSUER_LIMIT)?;
    let url = endpoint(&issuer).ok()?;
    is_near(&url, asked).then_some(())?;
    (url != *asked).then_some(issuer)
}

/// True on the same host, or where one host is within the other. An issuer elsewhere may be anybody's.
fn is_near(url: &Url, asked: &Url) -> bool {
    let (Some(one), Some(other)) = (url.domain(), asked.domain()) else {
        return url.host() == asked.host();
    };
    let is_within = |inner: &str, outer: &str| {
        outer.contains('.')
            && inner
                .strip_suffix(outer)
                .is_some_and(|rest| rest.ends_with('.'))
    };
    one == other || is_within(one, other) || is_within(other, one)
}

/// A longer issuer is not offered.
const ISSUER_LIMIT: usize = 200;

/// The issuer that was meant by the address of an endpoint or of a page; `None` where it may be an issuer.
#[must_use]
pub fn without_endpoint(issuer: &str) -> Option<String> {
    let url = endpoint(issuer).ok()?;
    let parts: Vec<&str> = url
        .path_segments()?
        .filter(|part| !part.is_empty())
        .collect();
    let is_endpoint = |part: &&str| {
        let part = part.to_ascii_lowercase();
        ENDPOINT_WORDS.contains(&part.as_str())
    };
    // A version may be part of an issuer, unless it stands before such a word.
    let is_version = |part: &&str| {
        part.starts_with('v') && part[1..].starts_with(|ch: char| ch.is_ascii_digit())
    };
    let kept = match parts
        .iter()
        .rposition(|part| !is_endpoint(part) && !is_version(part))
    {
        Some(last) => last + 1,
        None => 0,
    };
    let ends_in_endpoint = parts.last().is_some_and(is_endpoint);
    let kept = match (ends_in_endpoint, parts.len()) {
        (true, _) => kept,
        // A page of the service's website.
        (false, 1) => 0,
        (false, _) => return None,
    };
    let mut root = url.clone();
    root.set_path(&parts[..kept].join("/"));
    root.set_query(None);
    Some(root.as_str().trim_end_matches('/').to_owned())
}

/// What the address of an endpoint or a page ends in, but hardly an issuer.
const ENDPOINT_WORDS: [&str; 18] = [
    "auth",
    "authorization",
    "authorize",
    "connect",
    "device",
    "device_authorization",
    "devicecode",
    "index.html",
    "login",
    "oauth",
    "oauth2",
    "openid-connect",
    "protocol",
    "signin",
    "sign-in",
    "token",
    "tokens",
    "userinfo",
];

fn is_set(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).and_then(Value::as_bool) == Some(true)
}

/// The placeholder in the issuer, such as `{tenant}`, and what was typed there.
fn placeholder(named: &str, asked: &str) -> Option<(String, String)> {
    let mut asked = asked.split('/');
    named.split('/').find_map(|part| {
        let instead = asked.next().unwrap_or_default();
        let is_one = part.starts_with('{') && part.ends_with('}') && part.len() > 2;
        is_one.then(|| (clean(part, 40), clean(instead, 40)))
    })
}

/// A list of words, cleaned and bounded.
fn list(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let mut words = texts(members, name)?;
    words.retain(|word| !word.contains(' '));
    Some(words)
}

/// The same of texts that may have spaces.
fn texts(members: &Map<String, Value>, name: &str) -> Option<Vec<String>> {
    let texts = members.get(name)?.as_array()?.iter();
    let texts = texts.filter_map(Value::as_str);
    let texts = texts.map(|text| clean(text, LIST_LIMIT));
    let texts = texts.filter(|text| !text.is_empty());
    Some(texts.take(LIST_LIMIT).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, issuer: &str) -> Result<Metadata, String> {
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
            },
            &Url::parse("https://as.example/.well-known/openid-configuration").unwrap(),
        )
        .map_err(|error| error.to_string())
    }

    #[test]
    fn the_addresses_follow_both_documents() {
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
    fn an_issuer_with_a_placeholder_is_told_by_its_name() {
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
    fn what_the_service_requires_is_read() {
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
    fn client_authentication_is_read_with_its_endpoints() {
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
    fn the_issuer_is_compared_but_for_a_slash_at_its_end() {
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

    #[test]
    fn metadata_of_another_machine_cannot_name_this_one() {
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
            for name in [
                "authorization_endpoint",
                "token_endpoint",
                "device_authorization_endpoint",
            ] {
                let error = read(200, &body(name, address), "i").unwrap_err();
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
        // An issuer on this machine has its endpoints here.
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
        };
        let source = Url::parse("http://127.0.0.1:9000/.well-known/openid-configuration").unwrap();
        assert!(parse_metadata(&answer, expected, &source).is_ok());
    }

    #[test]
    fn an_endpoint_that_sets_a_parameter_of_the_protocol_is_rejected() {
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
            let error = read(200, &body.to_string(), "i").unwrap_err();
            assert!(
                error.contains(name) && error.contains(&format!("contains {parameter},")),
                "{error}"
            );
        }
        let fixed = r#"{"issuer":"i","token_endpoint":"https://as.example/t?p=b2c_1_sign_in"}"#;
        assert!(read(200, fixed, "i").is_ok());
    }

    #[test]
    fn lists_are_told_bounded_and_clean() {
        let body = r#"{"issuer":"i","token_endpoint":"https://as.example/t","scopes_supported":["openid","two words",7,"a\u0007b"],
            "code_challenge_methods_supported":["plain"],"revocation_endpoint":"ftp://x/","userinfo_endpoint":"https://as.example/me"}"#;
        let metadata = read(200, body, "i").unwrap();
        assert_eq!(metadata.scopes, ["openid", "ab"]);
        assert_eq!(metadata.pkce_methods.unwrap(), ["plain"]);
        assert!(metadata.authentication.is_none() && metadata.revocation_url.is_none());
        assert!(metadata.userinfo_url.is_some());
    }

    #[test]
    fn the_address_of_an_endpoint_or_page_leads_to_its_issuer() {
        for (typed, issuer) in [
            (
                "https://as.example/oauth2/v1/token",
                Some("https://as.example"),
            ),
            ("https://as.example/TOKEN", Some("https://as.example")),
            (
                "https://as.example/realms/staff/protocol/openid-connect/auth",
                Some("https://as.example/realms/staff"),
            ),
            (
                "https://as.example/t1/oauth2/v2.0/authorize",
                Some("https://as.example/t1"),
            ),
            (
                "https://as.example:8443/home",
                Some("https://as.example:8443"),
            ),
            (
                "https://as.example/login?next=1",
                Some("https://as.example"),
            ),
            ("https://as.example", None),
            ("https://as.example/", None),
            ("https://as.example/realms/staff", None),
            ("https://as.example/t1/v2.0", None),
            ("as.example/token", None),
        ] {
            assert_eq!(without_endpoint(typed).as_deref(), issuer, "{typed}");
        }
    }

    #[test]
    fn another_issuer_is_offered_only_where_it_can_be_asked() {
        let source = Url::parse("https://as.example/.well-known/openid-configuration").unwrap();
        let asked = Url::parse("https://as.example").unwrap();
        let behind = |issuer: &str| {
            issuer_behind(
                &format!("{issuer}/.well-known/openid-configuration"),
                &asked,
            )
        };
        let moved = "https://login.as.example";
        assert_eq!(behind(moved).as_deref(), Some(moved));
        assert_eq!(issuer_behind(moved, &asked), None);
        for issuer in [
            "https://as.example",
            "https://other.example",
            "https://evil-as.example",
            "https://example",
            "http://127.0.0.1:1",
            "http://as.example",
        ] {
            assert_eq!(behind(issuer), None, "{issuer}");
        }
        let named = |status, issuer: &str| {
            let answer = Answer {
                status,
                retry_after: None,
                headers: Vec::new(),
                body: format!("{{\"issuer\":\"{issuer}\"}}").as_str().into(),
            };
            other_issuer(&answer, "https://as.example", &source)
        };
        let other = "https://login.as.example/t";
        assert_eq!(named(200, other).as_deref(), Some(other));
        for (status, issuer) in [
            (404, other),
            (200, "https://as.example"),
            (200, "https://as.example/{tenant}"),
            (200, "https://as.example/?p=x"),
            (200, "http://127.0.0.1:1/"),
            (200, "https://evil.example"),
            (200, "http://as.example"),
            (200, "someone"),
        ] {
            assert_eq!(named(status, issuer), None, "{issuer}");
        }
    }

    #[test]
    fn a_placeholder_stands_for_one_part_of_the_path() {
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

    #[test]
    fn only_the_address_of_metadata_has_an_issuer() {
        for (text, issuer) in [
            (
                "https://as.example/.well-known/openid-configuration",
                Some("https://as.example"),
            ),
            (
                "https://as.example/.well-known/oauth-authorization-server/t1?x=1",
                Some("https://as.example/t1"),
            ),
            ("as.example/.well-known/openid-configuration", None),
            ("https://as.example/.well-known/security.txt", None),
            ("https://as.example/openid-configuration", None),
        ] {
            assert_eq!(issuer_of_address(text).as_deref(), issuer, "{text}");
        }
    }
}
