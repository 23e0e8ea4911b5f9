//! Dynamic client registration (RFC 7591).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use url::Url;

use super::answer::Answer;
use super::asked::Asked;
use super::assertion::Proof;
use super::dialect::Answers;
use super::error_members::error;
use super::failure::{Failure, ServerError};
use super::members::{number, token};
use super::request::Request;
use super::tools::Method;
use crate::clean::{clean, json_escaped};
use crate::secret::{ExposeSecret, SecretString};

/// The client name that users see at the service.
const NAME: &str = "OAuth Authorizer";
/// Maximum length of a client ID or client secret, in bytes.
const VALUE_LIMIT: usize = 16 * 1024;

/// The client metadata to register (RFC 7591, section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientMetadata {
    /// The redirect URLs; empty for flows without a redirect.
    pub redirect_urls: Vec<String>,
    /// The grant types that the client will use.
    pub grant_types: Vec<String>,
    /// The client authentication method.
    pub authentication: String,
    /// The scopes that the client will request.
    pub scopes: Vec<String>,
    /// Whether the client is a program on the user's own machine, whose redirect URL may have any port (RFC 8252,
    /// section 7.3).
    pub native: bool,
}

/// The response to a registration (RFC 7591, section 3.2.1).
#[derive(Debug, Clone)]
pub struct Registered {
    /// The client ID.
    pub client_id: String,
    /// The client secret as received, if the client has one. See [`Registered::secret_problem`].
    pub client_secret: Option<SecretString>,
    /// When the secret expires, in seconds since 1970; `None` if it doesn't.
    pub secret_expires_at: Option<u64>,
    /// The client authentication method, if the response names it.
    pub authentication: Option<String>,
    /// The access token for reading, changing and deleting the registration (RFC 7592).
    pub access_token: Option<SecretString>,
    /// The URL for these requests.
    pub client_url: Option<String>,
    /// The values that the service registered in place of the requested ones.
    pub different: Vec<Different>,
    /// Whether the service has accepted the request, but may not have registered the client yet (status 202).
    pub pending: bool,
}

/// A value that the service registered in place of the requested one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Different {
    /// The name in the client metadata.
    pub name: &'static str,
    /// The registered value, cleaned.
    pub registered: String,
}

impl Registered {
    /// Returns why the client secret can't be used, as part of a sentence. The service shows it only once, so it is kept.
    #[must_use]
    pub fn secret_problem(&self) -> Option<String> {
        problem(self.client_secret.as_ref()?.expose_secret())
    }

    /// Returns the registration as JSON. Characters that act on a terminal are escaped.
    #[must_use]
    pub fn to_json(&self) -> SecretString {
        let secret = |secret: &Option<SecretString>| {
            let text = secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned());
            text.map_or(Value::Null, Value::from)
        };
        let mut all = json!({
            "client_id": self.client_id,
            "client_secret": secret(&self.client_secret),
            "client_secret_expires_at": self.secret_expires_at,
            "token_endpoint_auth_method": self.authentication,
            "registration_access_token": secret(&self.access_token),
            "registration_client_uri": self.client_url,
        });
        if let Some(members) = all.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        json_escaped(&format!("{all:#}")).into()
    }
}

/// Builds the request that registers a client at `url`. Some services require an initial access token (RFC 7591,
/// section 3).
#[must_use]
pub fn registration_request(
    url: &Url,
    initial_token: Option<&SecretString>,
    client: &ClientMetadata,
) -> Request {
    let uses_code = client
        .grant_types
        .iter()
        .any(|grant| grant == "authorization_code");
    let mut body = json!({
        "client_name": NAME,
        "redirect_uris": client.redirect_urls,
        "grant_types": client.grant_types,
        "response_types": if uses_code { &["code"][..] } else { &[] },
        "token_endpoint_auth_method": client.authentication,
        "application_type": if client.native { "native" } else { "web" },
    });
    if !client.scopes.is_empty() {
        body["scope"] = client.scopes.join(" ").into();
    }
    Request {
        method: Method::Json,
        url: url.clone(),
        authorization: initial_token
            .map(|token| SecretString::from(format!("Bearer {}", token.expose_secret()))),
        body: body.to_string().into(),
        proof: Proof::None,
    }
}

/// Returns the values that `members` registers in place of those of `client`. Their order doesn't matter, and a value
/// that isn't in the response counts as registered.
fn different(members: &Map<String, Value>, client: &ClientMetadata) -> Vec<Different> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let of_list = |list: &Vec<Value>| {
        let texts = list.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    };
    let authentication = std::slice::from_ref(&client.authentication);
    [
        ("redirect_uris", client.redirect_urls.as_slice()),
        ("scope", &client.scopes),
        ("grant_types", &client.grant_types),
        ("token_endpoint_auth_method", authentication),
    ]
    .into_iter()
    .filter_map(|(name, requested)| {
        let registered: Vec<String> = match members.get(name)? {
            Value::Array(list) => of_list(list),
            other => words(other.as_str()?),
        };
        let sorted = |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>();
        let is_same = requested.is_empty() || sorted(requested) == sorted(&registered);
        (!is_same).then(|| Different {
            name,
            registered: clean(&registered.join(" "), 120),
        })
    })
    .collect()
}

/// Returns why a value can't be a client ID or a client secret, as part of a sentence: both consist of visible ASCII
/// characters and spaces (RFC 6749, appendix A).
fn problem(value: &str) -> Option<String> {
    if value.is_empty() {
        return Some("is empty".to_owned());
    }
    if value.len() > VALUE_LIMIT {
        return Some(format!("is longer than {} KB", VALUE_LIMIT / 1024));
    }
    let wrong = value.chars().find(|ch| !matches!(ch, ' '..='~'))?;
    let code = u32::from(wrong);
    Some(format!("contains an invalid character (U+{code:04X})"))
}

/// Returns whether the service requires a redirect URL from a client without one. Services use several codes for that.
fn requires_redirect(error: &ServerError) -> bool {
    let description = error.description.as_deref().unwrap_or_default();
    let description = description.to_ascii_lowercase().replace(['_', '-'], " ");
    error.code == "invalid_redirect_uri"
        || (error.code == "invalid_client_metadata" || error.code == "invalid_request")
            && ["redirect ur", "redirecturi"]
                .iter()
                .any(|words| description.contains(words))
}

/// Parses the response to a registration of `client`. Its status is 201, 200 from some services, or 202 if the service
/// registers the client later. If there is a client, everything in the response that can be kept is kept.
///
/// # Errors
/// Returns the server's error, or what is wrong with the response.
pub fn parse_registered(
    answer: &Answer,
    answers: &Answers,
    client: &ClientMetadata,
) -> Result<Registered, Failure> {
    let asked = Asked::Registration;
    // The status says more than the error code.
    let refusal = |error| match answer.refusal(asked, error) {
        Failure::Server { error, .. }
            if client.redirect_urls.is_empty() && requires_redirect(&error) =>
        {
            Failure::NeedsRedirect(error)
        }
        Failure::Server { asked, mut error } => {
            if matches!(answer.status, 401 | 403) {
                error.status = Some(answer.status);
            }
            Failure::Server { asked, error }
        }
        other => other,
    };
    let unusable = |reason: String| match answer.challenge() {
        Some(error) => refusal(error),
        None => answer.unusable(asked, reason),
    };
    let members = answer.members().map_err(unusable)?;
    if let Some(error) = error(members, answers, "client_id") {
        return Err(refusal(error));
    }
    let client_id = match token(members, "client_id") {
        Some(id) => problem(&id).map_or(Ok(id), Err),
        None => Err("is neither text nor an integer".to_owned()),
    };
    let client_id = match members.get("client_id") {
        None | Some(Value::Null) => Err(answer.lacks("client_id")),
        Some(_) => {
            client_id.map_err(|problem| answer.told(&format!("its client_id {problem}"), None))
        }
    };
    let client_id = client_id.map_err(unusable)?;
    if !(200..300).contains(&answer.status) {
        return Err(unusable(format!("its status is {}", answer.status)));
    }
    let value = |name: &str| token(members, name).filter(|text| !text.is_empty());
    Ok(Registered {
        client_id,
        // Some services send an empty secret for a client without one.
        client_secret: value("client_secret").map(SecretString::from),
        secret_expires_at: number(members, "client_secret_expires_at").filter(|at| *at > 0),
        authentication: value("token_endpoint_auth_method"),
        access_token: value("registration_access_token").map(SecretString::from),
        client_url: value("registration_client_uri"),
        different: different(members, client),
        pending: answer.status == 202,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::answer::Body;
    use super::super::dialect::Dialect;
    use super::*;

    fn requested() -> ClientMetadata {
        ClientMetadata {
            redirect_urls: vec!["http://127.0.0.1/cb".to_owned()],
            grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
            authentication: "none".to_owned(),
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            native: true,
        }
    }

    #[test]
    fn request_has_the_client_metadata_and_the_initial_token() {
        let url = Url::parse("https://as.example/register").unwrap();
        let mut client = requested();
        let token = SecretString::from("t0ken");
        let request = registration_request(&url, Some(&token), &client);
        assert_eq!(
            request.authorization.unwrap().expose_secret(),
            "Bearer t0ken"
        );
        let body: Value = serde_json::from_str(request.body.expose_secret()).unwrap();
        let expected = json!({
            "client_name": "OAuth Authorizer", "redirect_uris": ["http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
            "token_endpoint_auth_method": "none", "application_type": "native", "scope": "openid email",
        });
        assert_eq!(body, expected);
        client.grant_types = vec!["client_credentials".to_owned()];
        client.scopes.clear();
        let request = registration_request(&url, None, &client);
        assert!(request.authorization.is_none());
        let body: Value = serde_json::from_str(request.body.expose_secret()).unwrap();
        assert_eq!(
            (&body["response_types"], body.get("scope")),
            (&json!([]), None)
        );
    }

    fn read(status: u16, body: &str) -> Result<Registered, Failure> {
        let answer = Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: Body::parse(body.as_bytes()),
        };
        parse_registered(&answer, &Dialect::default().answers, &requested())
    }

    #[test]
    fn registered_client_may_be_public_or_pending() {
        let public = read(
            201,
            r#"{"client_id":"me","client_secret":"","registration_access_token":""}"#,
        );
        let public = public.unwrap();
        assert!(public.client_secret.is_none() && public.access_token.is_none());
        assert!(!public.pending);
        let later = read(
            202,
            r#"{"client_id":"me","client_secret":"s3cret","client_secret_expires_at":0}"#,
        );
        let later = later.unwrap();
        assert!(later.pending && later.client_secret.is_some());
    }

    #[test]
    fn numbers_are_read_as_strings() {
        let client = read(
            201,
            r#"{"client_id":12345,"client_secret":7,"registration_access_token":18446744073709551615}"#,
        );
        let client = client.unwrap();
        let exposed = |secret: &Option<SecretString>| {
            secret
                .as_ref()
                .map(|secret| secret.expose_secret().to_owned())
        };
        assert_eq!(client.client_id, "12345");
        assert_eq!(exposed(&client.client_secret).as_deref(), Some("7"));
        assert_eq!(
            exposed(&client.access_token).as_deref(),
            Some("18446744073709551615")
        );
    }

    #[test]
    fn registration_is_kept_despite_other_invalid_values() {
        let long = "x".repeat(VALUE_LIMIT + 1);
        for (secret, problem) in [
            (json!("s3cret"), None),
            (
                json!("sek\u{a0}ret"),
                Some("contains an invalid character (U+00A0)"),
            ),
            (
                json!("a\u{1b}]0;t\u{7}"),
                Some("contains an invalid character (U+001B)"),
            ),
            (
                json!("\u{e9}"),
                Some("contains an invalid character (U+00E9)"),
            ),
            (json!(long), Some("is longer than 16 KB")),
        ] {
            let body = json!({
                "client_id": "me", "client_secret": secret, "registration_access_token": "t0k\u{202e}en",
                "registration_client_uri": {}, "token_endpoint_auth_method": ["x"],
            });
            let client = read(201, &body.to_string()).unwrap();
            assert_eq!(client.secret_problem().as_deref(), problem);
            assert_eq!((&client.client_url, &client.authentication), (&None, &None));
            // The file has the values as they were received, and acts on no terminal.
            let text = client.to_json();
            let text = text.expose_secret();
            assert!(
                text.chars()
                    .all(|ch| ch == '\n' || crate::clean::is_visible(ch))
            );
            let kept: Value = serde_json::from_str(text).unwrap();
            assert_eq!(kept["client_secret"], secret);
            assert_eq!(kept["registration_access_token"], "t0k\u{202e}en");
        }
        for secret in [json!(null), json!(""), json!({"a": 1}), json!(true)] {
            let body = json!({"client_id": "me", "client_secret": secret});
            let client = read(201, &body.to_string()).unwrap();
            assert!(client.client_secret.is_none() && client.secret_problem().is_none());
        }
    }

    #[test]
    fn service_that_requires_a_redirect_url_is_reported() {
        let device = ClientMetadata {
            redirect_urls: Vec::new(),
            grant_types: vec!["urn:ietf:params:oauth:grant-type:device_code".to_owned()],
            ..requested()
        };
        let hint = |code: &str, description: &str, client: &ClientMetadata| {
            let body = json!({"error": code, "error_description": description}).to_string();
            let answer = Answer {
                status: 400,
                retry_after: None,
                headers: Vec::new(),
                body: Body::parse(body.as_bytes()),
            };
            let error = parse_registered(&answer, &Dialect::default().answers, client).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with("The service rejected the registration: ")
            );
            error.hint()
        };
        for (code, description) in [
            ("invalid_redirect_uri", ""),
            ("invalid_redirect_uri", "redirect_uris must not be empty"),
            (
                "invalid_client_metadata",
                "redirect_uris is mandatory property",
            ),
            ("invalid_client_metadata", "Redirect URIs are required"),
            ("invalid_request", "Missing redirectUris"),
        ] {
            let told = hint(code, description, &device);
            assert!(told.contains("only clients with a redirect URL"), "{told}");
            assert!(
                !hint(code, description, &requested()).contains("only clients with a redirect")
            );
        }
        let other = hint(
            "invalid_client_metadata",
            "grant_types not allowed",
            &device,
        );
        assert!(!other.contains("only clients with a redirect"), "{other}");
    }

    #[test]
    fn values_that_differ_from_the_request_are_named() {
        let told = |members: Value| {
            let mut all = json!({"client_id": "me"});
            let whole = all.as_object_mut().unwrap();
            whole.extend(members.as_object().unwrap().clone());
            let different = read(201, &all.to_string()).unwrap().different;
            let texts = different
                .into_iter()
                .map(|it| format!("{}={}", it.name, it.registered));
            texts.collect::<Vec<_>>().join("; ")
        };
        // In any order, and also if the service doesn't repeat them.
        let same = json!({
            "redirect_uris": ["http://127.0.0.1/cb"], "scope": "email openid",
            "grant_types": ["refresh_token", "authorization_code"], "token_endpoint_auth_method": "none",
        });
        assert_eq!(told(same), "");
        assert_eq!(told(json!({"scope": null, "redirect_uris": 7})), "");
        let other = json!({
            "redirect_uris": ["http://localhost/cb", "http://127.0.0.1/\u{202e}"], "scope": "openid",
            "grant_types": [], "token_endpoint_auth_method": "client_secret_basic",
        });
        assert_eq!(
            told(other),
            "redirect_uris=http://localhost/cb http://127.0.0.1/; scope=openid; grant_types=; \
             token_endpoint_auth_method=client_secret_basic"
        );
    }

    #[test]
    fn response_gives_a_client_or_an_explanation() {
        let whole = r#"{"client_id":"me","client_secret":"s3cret","client_secret_expires_at":0,
            "registration_access_token":"t0ken","registration_client_uri":"https://as.example/register/me",
            "token_endpoint_auth_method":"client_secret_post"}"#;
        let client = read(201, whole).unwrap();
        assert_eq!(
            (client.client_id.as_str(), client.secret_expires_at),
            ("me", None)
        );
        let told: Value = serde_json::from_str(client.to_json().expose_secret()).unwrap();
        assert_eq!(
            (&told["client_secret"], &told["registration_access_token"]),
            (&json!("s3cret"), &json!("t0ken"))
        );
        assert!(told.get("client_secret_expires_at").is_none());
        let shown = format!("{client:?}");
        assert!(
            !shown.contains("s3cret") && !shown.contains("t0ken"),
            "{shown}"
        );
        let soon = whole.replace(r#"expires_at":0"#, r#"expires_at":1893456000"#);
        let client = read(201, &soon).unwrap();
        assert_eq!(client.secret_expires_at, Some(1_893_456_000));
        let public = read(200, r#"{"client_id":"me"}"#).unwrap();
        assert!(public.client_secret.is_none() && public.access_token.is_none());
        let long = format!(r#"{{"client_id":"{}"}}"#, "x".repeat(VALUE_LIMIT + 1));
        for (status, body, words, hint) in [
            (201, "{}", "it contains no client_id", "Issuer"),
            (202, "{}", "it contains no client_id", "Issuer"),
            (304, r#"{"client_id":"me"}"#, "its status is 304", "Issuer"),
            (
                201,
                r#"{"client_id":""}"#,
                "its client_id is empty",
                "Issuer",
            ),
            (
                201,
                &long,
                "its client_id is longer than 16 KB",
                "may have registered a client",
            ),
            (
                201,
                r#"{"client_id":"a\u0007b"}"#,
                "its client_id contains an invalid character (U+0007)",
                "may have registered a client",
            ),
            (
                201,
                r#"{"client_id":1.5}"#,
                "its client_id is neither text nor an integer",
                "Issuer",
            ),
            (
                201,
                r#"{"client_id":["me"]}"#,
                "its client_id is neither text nor an integer",
                "Issuer",
            ),
            (
                201,
                r#"{"client_id":null}"#,
                "it contains no client_id",
                "Issuer",
            ),
            (200, "<html>", "web page", "Check Issuer"),
            (
                400,
                r#"{"error":"invalid_redirect_uri"}"#,
                "invalid_redirect_uri",
                "Redirect URL",
            ),
            (
                400,
                r#"{"error":"invalid_client_metadata"}"#,
                "invalid_client_metadata",
                "Client auth.",
            ),
            (
                400,
                r#"{"error":"unapproved_software_statement"}"#,
                "unapproved",
                "software statement",
            ),
            (
                401,
                r#"{"error":"invalid_token"}"#,
                "invalid_token",
                "initial access token",
            ),
            (
                400,
                r#"{"error":"invalid_token"}"#,
                "invalid_token",
                "initial access token",
            ),
            (
                403,
                r#"{"error":"made_up"}"#,
                "made_up",
                "initial access token",
            ),
            (401, "", "it is empty", "initial access token"),
            (403, "<html>", "web page", "initial access token"),
            (404, "", "it is empty", "service's console"),
            (503, "", "has a problem", "later"),
        ] {
            let error = read(status, body).unwrap_err();
            assert!(
                error.to_string().contains(words),
                "{status} {body}: {error}"
            );
            assert!(
                error.hint().contains(hint),
                "{status} {body}: {}",
                error.hint()
            );
        }
    }
}
