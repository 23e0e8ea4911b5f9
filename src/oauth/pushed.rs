//! Pushed authorization requests (RFC 9126): the parameters are sent to the service before the browser is opened, and
//! the URL for the browser only refers to them.

use std::time::Duration;

use oauth2::TokenUrl;
use url::Url;

use super::answer::Answer;
use super::asked::Asked;
use super::client::Client;
use super::dialect::Answers;
use super::error_members::error;
use super::failure::Failure;
use super::form::Form;
use super::members::{number, text};
use super::request::{Request, RequestError, taken};
use crate::secret::{ExposeSecret, SecretString};

/// A reference to parameters that the service has stored.
#[derive(Debug)]
pub struct Reference {
    /// The `request_uri`, which replaces the parameters in one sign-in.
    pub request_uri: SecretString,
    /// The lifetime of the reference, if the service returns it.
    pub expires_in: Option<Duration>,
}

/// Maximum length of a reference, in bytes. A longer one would make a URL that some browsers reject.
const REFERENCE_LIMIT: usize = 4096;

impl Client {
    /// Builds the request that sends the parameters of `authorization`, the URL that would otherwise be opened. The
    /// client authenticates as at the token endpoint (RFC 9126, section 2.1).
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn pushed_request(&self, at: &Url, authorization: &Url) -> Result<Request, RequestError> {
        let client = self.basic().set_token_uri(TokenUrl::from_url(at.clone()));
        // This request of the crate has the fewest parameters in addition to the client authentication.
        let request = client.exchange_client_credentials();
        self.in_dialect(taken(|keep| drop(request.request(keep))), |form| {
            // The authorization URL contains the client ID too, under the parameter name of this service.
            form.remove("grant_type");
            form.remove("client_id");
            // Parameters in the configured authorization URL are not sent here; they stay in that URL.
            let own = self.authorization_url.as_ref();
            let own = own.map_or(0, |url| url.query_pairs().count());
            for (name, value) in authorization.query_pairs().skip(own) {
                form.add(&name, &value);
            }
        })
    }

    /// Builds the URL to open in a browser for parameters that the service has stored (RFC 9126, section 4).
    ///
    /// # Errors
    /// Returns an error if the client has no authorization URL.
    pub fn pushed_authorization(&self, kept: &Reference) -> Result<Url, RequestError> {
        let mut url = self
            .authorization_url
            .clone()
            .ok_or(RequestError::AUTHORIZATION_URL)?;
        let mut form = Form::parse("");
        form.add("client_id", &self.client_id);
        form.rename(&self.dialect.names);
        form.add("request_uri", kept.request_uri.expose_secret());
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(own) => format!("{own}&{}", form.write()),
            None => form.write(),
        };
        url.set_query(Some(&query));
        Ok(url)
    }
}

/// Parses the response to a pushed authorization request (RFC 9126, section 2.2). Its status is 201, or 200 from some
/// services.
///
/// # Errors
/// Returns the server's error, or what is wrong with the response.
pub fn parse_kept(answer: &Answer, answers: &Answers) -> Result<Reference, Failure> {
    let asked = Asked::Pushed;
    let unusable = |reason: String| match answer.challenge() {
        Some(error) => answer.refusal(asked, error),
        None => answer.unusable(asked, reason),
    };
    let members = answer.members().map_err(unusable)?;
    if let Some(error) = error(members, answers, "request_uri") {
        return Err(answer.refusal(asked, error));
    }
    let reference = text(members, "request_uri").filter(|reference| !reference.is_empty());
    let Some(reference) = reference.filter(|_| matches!(answer.status, 200 | 201)) else {
        return Err(unusable(answer.lacks("request_uri")));
    };
    let is_plain = reference.chars().all(|ch| ch.is_ascii_graphic());
    if reference.len() > REFERENCE_LIMIT || !is_plain {
        let reason = "its request_uri is too long or contains invalid characters".to_owned();
        return Err(answer.unusable(asked, reason));
    }
    let seconds = number(members, "expires_in").filter(|seconds| *seconds > 0);
    Ok(Reference {
        request_uri: reference.into(),
        expires_in: seconds.map(Duration::from_secs),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use url::form_urlencoded;

    use super::super::answer::Body;
    use super::super::assertion::{Credential, Proof, Rules, Signer};
    use super::super::client_authentication::ClientAuthentication;
    use super::super::dialect::Dialect;
    use super::super::signing::Signing;
    use super::*;

    fn client(authentication: ClientAuthentication) -> Client {
        Client {
            client_id: "me & you".to_owned(),
            secret: Some("s3cret".into()),
            authentication,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: Url::parse("https://as.example/authorize?policy=a%26b").ok(),
            device_url: None,
            token_url: Url::parse("https://as.example/token").unwrap(),
            poll_url: None,
            scopes: vec!["openid".to_owned(), "mail".to_owned()],
            extra: vec![
                ("resource".to_owned(), "https://a.example".to_owned()),
                ("resource".to_owned(), "https://b.example".to_owned()),
                ("login_hint".to_owned(), "alice@example.org".to_owned()),
            ],
            pkce: true,
            issuer: None,
            iss_promised: false,
            id_token_issuers: Vec::new(),
            signing: Signing::default(),
            pushed: None,
            dialect: Dialect::default(),
        }
    }

    #[test]
    fn client_with_a_signing_key_sends_an_assertion() {
        let rules = Rules::default();
        let secret = "a-secret-of-32-characters-for-HS".into();
        let signer = Signer::new(rules.secret_key(&secret).unwrap(), "me", &rules);
        let client = Client {
            secret: None,
            credential: Credential::Signer(signer),
            ..client(ClientAuthentication::ClientSecretJwt)
        };
        let redirect = Url::parse("http://127.0.0.1:8400/cb").unwrap().into();
        let (url, _) = client.authorization_request(&redirect).unwrap();
        let request = client.pushed_request(&client.token_url, &url).unwrap();
        assert!(matches!(request.proof, Proof::Assertion(_)), "{request:?}");
    }

    #[test]
    fn request_has_all_url_parameters_and_the_authentication() {
        let at = Url::parse("https://as.example/par").unwrap();
        let redirect = Url::parse("http://127.0.0.1:8400/cb").unwrap().into();
        for (authentication, header, secret) in [
            (ClientAuthentication::Basic, true, false),
            (ClientAuthentication::Post, false, true),
            (ClientAuthentication::None, false, false),
        ] {
            let client = client(authentication);
            let (url, _) = client.authorization_request(&redirect).unwrap();
            let request = client.pushed_request(&at, &url).unwrap();
            assert_eq!(request.url, at);
            assert_eq!(request.authorization.is_some(), header);
            let body = request.body.expose_secret();
            let mut sent: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes())
                .into_owned()
                .collect();
            let before = sent.len();
            sent.retain(|(name, _)| name != "client_secret");
            assert_eq!(before - sent.len(), usize::from(secret));
            // Each parameter is sent once, without those in the URL of the endpoint.
            let mut opened: Vec<_> = url.query_pairs().into_owned().skip(1).collect();
            sent.sort();
            opened.sort();
            assert_eq!(sent, opened, "{body}");
            assert_eq!(
                sent.iter().filter(|(name, _)| name == "client_id").count(),
                1
            );
        }
    }

    #[test]
    fn pushed_url_adds_only_client_id_and_request_uri() {
        let mut client = client(ClientAuthentication::Basic);
        let kept = Reference {
            request_uri: "urn:x:a+b&c".into(),
            expires_in: None,
        };
        let pairs = |url: Url| -> HashMap<_, _> { url.query_pairs().into_owned().collect() };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair("policy", "a&b"),
            pair("client_id", "me & you"),
            pair("request_uri", "urn:x:a+b&c"),
        ];
        let url = client.pushed_authorization(&kept).unwrap();
        assert_eq!(pairs(url), HashMap::from(expected));
        client.dialect.names = BTreeMap::from([pair("client_id", "app")]);
        client.authorization_url = Url::parse("https://as.example/authorize").ok();
        let url = client.pushed_authorization(&kept).unwrap();
        let expected = [pair("app", "me & you"), pair("request_uri", "urn:x:a+b&c")];
        assert_eq!(pairs(url), HashMap::from(expected));
    }

    fn read(status: u16, body: &str) -> Result<Reference, Failure> {
        let answer = Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: Body::parse(body.as_bytes()),
        };
        parse_kept(&answer, &Dialect::default().answers)
    }

    #[test]
    fn response_gives_a_reference_or_an_explanation() {
        for (status, body, seconds) in [
            (
                201,
                r#"{"request_uri":"urn:x:1","expires_in":60}"#,
                Some(60),
            ),
            (
                200,
                r#"{"request_uri":"urn:x:1","expires_in":"90"}"#,
                Some(90),
            ),
            (201, r#"{"request_uri":"urn:x:1","expires_in":-1}"#, None),
            (201, r#"{"request_uri":"urn:x:1","expires_in":0}"#, None),
            (201, r#"{"request_uri":"urn:x:1"}"#, None),
        ] {
            let kept = read(status, body).unwrap();
            assert_eq!(kept.request_uri.expose_secret(), "urn:x:1");
            assert_eq!(
                kept.expires_in.map(|time| time.as_secs()),
                seconds,
                "{body}"
            );
        }
        let long = |length| format!(r#"{{"request_uri":"{}"}}"#, "x".repeat(length));
        assert!(read(201, &long(REFERENCE_LIMIT)).is_ok());
        let long = long(REFERENCE_LIMIT + 1);
        for (status, body, words) in [
            (201, "{}", "it contains no request_uri"),
            (201, r#"{"request_uri":""}"#, "it contains no request_uri"),
            (201, r#"{"request_uri":7}"#, "it contains no request_uri"),
            (
                202,
                r#"{"request_uri":"urn:x:1"}"#,
                "it contains no request_uri",
            ),
            (201, r#"{"request_uri":"urn:x 1"}"#, "invalid characters"),
            (201, &long, "too long"),
            (200, "<html>", "it is a web page"),
            (404, "", "it is empty"),
            (
                400,
                r#"{"error":"invalid_request","error_description":"bad redirect_uri"}"#,
                "invalid_request: bad redirect_uri",
            ),
            (401, r#"{"error":"invalid_client"}"#, "invalid_client"),
            (429, "", "is busy"),
            (503, "<html>", "has a problem"),
        ] {
            let error = read(status, body).unwrap_err().to_string();
            assert!(error.contains(words), "{status} {body}: {error}");
        }
    }
}
