//! Authorization server metadata (RFC 8414; OpenID Connect Discovery 1.0).

use url::Url;

use super::token::{Answer, members, text};
use super::url::endpoint;
use crate::secret::clean;

/// What a server says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Compared exactly with the one that was asked.
    pub issuer: String,
    /// Where to sign in.
    pub authorization_url: Option<Url>,
    /// Where device codes are given out.
    pub device_url: Option<Url>,
    /// Where tokens are given out.
    pub token_url: Option<Url>,
    /// Every answer to an authorization request carries `iss` (RFC 9207, section 3).
    pub iss_in_answers: bool,
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

/// Reads the metadata of `issuer`.
///
/// # Errors
/// What is wrong with the answer, in words.
pub fn read_metadata(answer: &Answer, issuer: &str) -> Result<Metadata, String> {
    if answer.status != 200 {
        return Err(format!("it has the HTTP status {}", answer.status));
    }
    let members = members(answer)?;
    let named = text(&members, "issuer").ok_or("it names no issuer")?;
    if named != issuer {
        return Err(format!(
            "it is about the issuer {}, which is not exactly {}",
            clean(&named, 120),
            clean(issuer, 120)
        ));
    }
    let url = |name: &str| -> Result<Option<Url>, String> {
        let Some(address) = text(&members, name) else {
            return Ok(None);
        };
        endpoint(&address)
            .map(Some)
            .map_err(|problem| format!("its {name} cannot be used: {problem}"))
    };
    Ok(Metadata {
        issuer: named,
        authorization_url: url("authorization_endpoint")?,
        device_url: url("device_authorization_endpoint")?,
        token_url: url("token_endpoint")?,
        iss_in_answers: members
            .get("authorization_response_iss_parameter_supported")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn read(status: u16, body: &str, issuer: &str) -> Result<Metadata, String> {
        read_metadata(
            &Answer {
                status,
                retry_after: None,
                headers: Vec::new(),
                body: body.into(),
            },
            issuer,
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
    fn the_issuer_is_compared_exactly() {
        let body = r#"{"issuer":"https://as.example","token_endpoint":"https://as.example/t","authorization_response_iss_parameter_supported":true}"#;
        let metadata = read(200, body, "https://as.example").unwrap();
        assert!(metadata.iss_in_answers && metadata.device_url.is_none());
        assert!(
            read(200, body, "https://as.example/")
                .unwrap_err()
                .contains("not exactly")
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
}
