//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::client::sets_nothing_reserved;
use super::dialect::Dialect;
use super::token::text;
use super::url::{UrlProblem, endpoint, not_turned_here};
use crate::clean::clean;

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

/// True where `issuer` is of the form of `pattern`.
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
    /// The scopes that it tells of; it may take others.
    pub scopes: Vec<String>,
    /// The PKCE methods that it takes; `None` where it does not say.
    pub pkce_methods: Option<Vec<String>>,
    /// How clients may prove who they are; `None` where it does not say.
    pub authentication: Option<Vec<String>>,
    /// Every answer to an authorization request carries `iss` (RFC 9207, section 3).
    pub iss_in_answers: bool,
    /// How it has to be asked.
    pub ways: Ways,
}

/// What a server says of the requests that it takes. A list is `None` where it does not say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ways {
    /// Only authorization requests that were pushed before (RFC 9126, section 5).
    pub pushed: bool,
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

/// Reads the metadata that was found at `source`. The issuer must be the one that was asked (RFC 8414, section 3.3);
/// only a slash at its end may differ, as people leave it out.
///
/// # Errors
/// What is wrong with the answer, in words.
pub fn parse_metadata(
    answer: &Answer,
    expected: Expected<'_>,
    source: &Url,
) -> Result<Metadata, String> {
    if answer.status != 200 {
        return Err(format!("HTTP status {}", answer.status));
    }
    let members = answer.members()?;
    let named = text(members, "issuer").ok_or("it has no issuer")?;
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
        return Err(format!(
            "its issuer is {}, where {placeholder} is a placeholder for your own value: enter that in Issuer instead of \
                {instead}, or choose the preset of this service",
            clean(&named, 120)
        ));
    } else {
        return Err(format!(
            "its issuer is {}, not {}",
            clean(&named, 120),
            clean(asked, 120)
        ));
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
        return Err("it has no token_endpoint".to_owned());
    }
    // What is asked for later only is no reason to refuse the rest.
    let later = |name: &str| read(&text(members, name)?).ok();
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
        scopes: list(members, "scopes_supported").unwrap_or_default(),
        pkce_methods: list(members, "code_challenge_methods_supported"),
        authentication: list(members, "token_endpoint_auth_methods_supported"),
        iss_in_answers: is_set(members, "authorization_response_iss_parameter_supported"),
        ways: Ways {
            pushed: is_set(members, "require_pushed_authorization_requests"),
            signed: is_set(members, "require_signed_request_object"),
            response_types: texts(members, "response_types_supported"),
            response_modes: list(members, "response_modes_supported"),
            grant_types: list(members, "grant_types_supported"),
        },
    })
}

fn is_set(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).and_then(Value::as_bool) == Some(true)
}

/// The part of the issuer's name that stands for a value, such as `{tenant}`, and what was typed there.
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
            "require_pushed_authorization_requests":true,"require_signed_request_object":"yes",
            "response_types_supported":["code id_token",7],"response_modes_supported":["form_post"],
            "grant_types_supported":["client_credentials"]}"#;
        let ways = read(200, body, "https://as.example").unwrap().ways;
        assert_eq!(
            ways,
            Ways {
                pushed: true,
                signed: false,
                response_types: Some(vec!["code id_token".to_owned()]),
                response_modes: Some(vec!["form_post".to_owned()]),
                grant_types: Some(vec!["client_credentials".to_owned()]),
            }
        );
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
}
