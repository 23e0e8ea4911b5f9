//! The response to an authorization request (RFC 6749, section 4.1.2; RFC 9207).

use serde_json::{Map, Value};
use url::Url;

use super::check::{Check, CheckName, Outcome};
use super::client::{Client, Pending};
use super::error_members::says_no_error;
use super::failure::{Failure, NO_CODE, ServerError};
use super::issuer::difference;
use super::kept::{Kept, kept_of_query};
use super::members::{is_none, text};
use super::parameters::{parameter, parameters};
use super::pasted::{self, Pasted};
use super::reported::reported;
use super::words::problem;
use crate::clean::clean;
use crate::secret::{SecretString, same};

/// Maximum length of a query string, in bytes. A longer one is not read.
pub const QUERY_LIMIT: usize = 32 * 1024;

/// Minimum length of a code. Codes must be hard to guess, so they are long (RFC 6749, section 10.10); a shorter word
/// was pasted by mistake.
const SHORTEST_CODE: usize = 8;

/// A successful response to this sign-in.
#[derive(Debug)]
pub struct Arrived {
    /// The authorization code, to be exchanged for tokens.
    pub code: SecretString,
    /// The results of the checks of the response.
    pub checks: Vec<Check>,
    /// Other values in the response that are kept.
    pub kept: Vec<Kept>,
    /// The token endpoint, if the response named another server of the service.
    pub token_url: Option<Url>,
}

impl Arrived {
    /// Returns whether the response contained the state of this sign-in. Otherwise only the service can tell whether
    /// the code is right.
    #[must_use]
    pub fn has_state(&self) -> bool {
        self.checks
            .iter()
            .any(|check| check.name == CheckName::State && check.outcome == Outcome::Passed)
    }
}

/// The meaning of a redirect to this program.
#[derive(Debug)]
pub enum Callback {
    /// The code of this sign-in.
    Code(Arrived),
    /// The service ended this sign-in.
    Ended(Failure),
    /// Not the response to this sign-in, with the reason. The wait continues.
    NotOurs(String),
    /// A response with the state of this sign-in that can't be used, with the reason. The wait continues.
    Invalid(String),
    /// An error that may belong to this sign-in but lacks the proof. Says what is missing and what the error is. The
    /// wait continues.
    Unverified(String),
}

/// Parses the query string that the browser returned with. A response counts only with the right `state`, even if it is
/// an error.
#[must_use]
pub fn parse_callback(query: &str, pending: &Pending, client: &Client) -> Callback {
    if query.len() > QUERY_LIMIT {
        return Callback::NotOurs("it is too long".to_owned());
    }
    // A repeated parameter makes the response ambiguous (RFC 6749, section 3.1).
    let mut twice = false;
    let mut one = |name: &str| {
        let mut values = parameters(query).filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value);
        twice |= values.next().is_some();
        first
    };
    let (state, code, error) = (one("state"), one("code"), one("error"));
    let (description, iss) = (one("error_description"), one("iss"));
    let token_host = client.dialect.callback.token_host.as_ref();
    let server = token_host.and_then(|rule| one(&rule.parameter));
    let error = error.filter(|error| !says_no_error(error));
    let code = code.filter(|code| !is_none(code));
    let state = state.filter(|state| !state.is_empty());
    let named = |error: &str| ServerError::new(error, description.as_deref());
    if twice {
        let lack = "it contains a parameter twice";
        let is_ours = is_of_sign_in(query, pending);
        return match &error {
            Some(error) if is_ours => unproven(lack, &named(error)),
            None if is_ours => Callback::Invalid(lack.to_owned()),
            _ => Callback::NotOurs(lack.to_owned()),
        };
    }
    let unverified = |lack: &str| match &error {
        Some(error) => unproven(lack, &named(error)),
        None => Callback::NotOurs(lack.to_owned()),
    };
    match state {
        None if query.is_empty() => {
            return Callback::NotOurs(
                "it has no parameters. If the browser's address bar shows code= or error= after a #, paste that URL"
                    .to_owned(),
            );
        }
        None if error.is_none()
            && code.is_some()
            && pending.verifier.is_some()
            && !client.iss_promised =>
        {
            return Callback::NotOurs(
                "it has a code but no state. If it is from your own sign-in, paste only the code"
                    .to_owned(),
            );
        }
        None if error.is_none() && code.is_none() => {
            return match unverified_error(query) {
                Some(error) => unproven("it has no state", &error),
                None => Callback::NotOurs(without_code(query).to_owned()),
            };
        }
        None => return unverified("it has no state"),
        Some(state) if !same(&pending.state, &state) => {
            return Callback::NotOurs("it is from a different sign-in (state mismatch)".to_owned());
        }
        Some(_) => {}
    }
    let mut checks = vec![Check::new(
        CheckName::State,
        Outcome::Passed,
        "the one that was sent",
    )];
    match (iss, &client.issuer) {
        (Some(iss), _) if client.iss_promised && clean(&iss, 1).is_empty() => {
            return unverified("its issuer is empty, although the service's metadata requires it");
        }
        (Some(iss), Some(issuer)) if iss != *issuer => {
            let shown = clean(&iss, 120);
            return Callback::NotOurs(if shown.is_empty() || shown == *issuer {
                difference(&iss, issuer)
            } else {
                format!("it comes from the issuer {shown}")
            });
        }
        (Some(_), Some(issuer)) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::Passed,
            issuer.clone(),
        )),
        (Some(iss), None) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::NotChecked,
            format!(
                "Issuer is not set; the response contains {}",
                clean(&iss, 120)
            ),
        )),
        (None, _) if client.iss_promised => {
            return unverified("it has no issuer, although the service's metadata requires it");
        }
        (None, _) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::NotChecked,
            "not in the response",
        )),
    }
    let error = error.map(|error| named(&error));
    // Some services use other names, or send a description without a code.
    let error = error.or_else(|| other_error(query).filter(|_| code.is_none()));
    match (code, error) {
        (_, Some(error)) => Callback::Ended(if error.is_denial() && !error.is_temporary() {
            Failure::Denied {
                polled: false,
                error,
            }
        } else {
            Failure::Callback(error)
        }),
        (Some(code), None) => {
            let token_url = match (token_host, server) {
                (Some(rule), Some(server)) => match rule.at(&client.token_url, &server) {
                    Some(url) => Some(url),
                    None => {
                        return Callback::NotOurs(format!(
                            "it sends the code to {}, which is not a server of this service",
                            clean(&server, 80)
                        ));
                    }
                },
                (_, None) | (None, _) => None,
            };
            Callback::Code(Arrived {
                code: code.into(),
                checks,
                kept: kept_of_query(query, &client.dialect.callback.keep),
                token_url,
            })
        }
        (None, None) => Callback::Invalid(without_code(query).to_owned()),
    }
}

/// The response to a request for a signed response (JARM).
const SIGNED: &str = "it is a signed response (JARM), which this program doesn't read. Set response_mode=query in Extra \
    parameters, or configure the client at the service so that it sends code and state as parameters";

/// Returns whether the response is a JWT.
fn is_signed(query: &str) -> bool {
    parameter(query, "response").is_some_and(|response| response.split('.').count() >= 3)
}

/// Says why a response without a code or an error can't be used.
fn without_code(query: &str) -> &'static str {
    let is_there = |name| parameter(query, name).is_some_and(|value| !value.is_empty());
    if is_there("access_token") || is_there("id_token") {
        "it has a token instead of a code (implicit flow), which this program doesn't accept. Set the response type of the \
            client to code at the service"
    } else if is_signed(query) {
        SIGNED
    } else {
        "it has neither a code nor an error"
    }
}

/// Returns the error in a response that names it otherwise than the protocol.
fn other_error(query: &str) -> Option<ServerError> {
    let is_other = |(name, _): &(String, String)| name != "code" && name != "state";
    let members: Map<String, Value> = parameters(query)
        .filter(is_other)
        .map(|(name, value)| (name, value.into()))
        .collect();
    if members.contains_key("denied") {
        return Some(ServerError::new("access_denied", None));
    }
    let told = |text: String| ServerError::new(NO_CODE, Some(&text));
    let error = reported(&members).or_else(|| problem(&members).map(told));
    error.or_else(|| text(&members, "error_reason").map(told))
}

/// An error that lacks the proof that it belongs to this sign-in.
fn unproven(lack: &str, error: &ServerError) -> Callback {
    Callback::Unverified(format!("{lack}, so it is unverified. It says: {error}"))
}

/// Returns the error in a query string that does not belong to this sign-in. Its sender is unknown.
#[must_use]
pub fn unverified_error(query: &str) -> Option<ServerError> {
    let one = |name: &str| parameter(query, name);
    if query.len() > QUERY_LIMIT {
        return None;
    }
    match one("error").filter(|error| !says_no_error(error)) {
        Some(error) => {
            let description = one("error_description");
            Some(ServerError::new(&error, description.as_deref()))
        }
        None if one("code").is_none() => other_error(query),
        None => None,
    }
}

/// Returns whether the response contains the state of this sign-in, once.
#[must_use]
pub fn is_of_sign_in(query: &str, pending: &Pending) -> bool {
    if query.len() > QUERY_LIMIT {
        return false;
    }
    let mut states = parameters(query).filter(|(name, _)| name == "state");
    match (states.next(), states.next()) {
        (Some((_, state)), None) => same(&pending.state, &state),
        _ => false,
    }
}

/// Parses what the user pasted: the URL that the browser returned to, its query, or only the code.
#[must_use]
pub fn parse_paste(text: &str, pending: &Pending, client: &Client) -> Callback {
    match pasted::read(text) {
        Pasted::Query(query) if parameter(&query, "response_type").is_some() => Callback::NotOurs(
            "it is the authorization URL, not the final URL from the browser".to_owned(),
        ),
        Pasted::Query(query) => parse_callback(&query, pending, client),
        Pasted::Url => Callback::NotOurs("the URL has no code".to_owned()),
        Pasted::Text(text) => parse_bare_code(&text, pending, client),
    }
}

/// Parses a code without its state. Only PKCE binds such a code to this program, so PKCE is required; and if the
/// service promises `iss`, a response without it is invalid.
fn parse_bare_code(text: &str, pending: &Pending, client: &Client) -> Callback {
    if text.is_empty() {
        return Callback::NotOurs("it is empty".to_owned());
    }
    if text.contains(char::is_whitespace) {
        return Callback::NotOurs(
            "it is neither a URL nor a code. If it is an error from the service, compare Client ID and Redirect URL with the \
                app's registration"
                .to_owned(),
        );
    }
    if let Some(what) = pasted::no_code(text) {
        return Callback::NotOurs(what.to_owned());
    }
    // No code contains quotation marks: they are from JSON or from source code.
    let is_code = |byte: u8| byte.is_ascii_graphic() && !b"\"'".contains(&byte);
    if text.len() > QUERY_LIMIT || !text.bytes().all(is_code) {
        return Callback::NotOurs("it is neither a URL nor a code".to_owned());
    }
    if text.len() < SHORTEST_CODE {
        return Callback::NotOurs("it is too short to be a code".to_owned());
    }
    if pending.verifier.is_none() {
        return Callback::NotOurs(
            "a code alone is accepted only with PKCE; paste the whole URL".to_owned(),
        );
    }
    if client.iss_promised {
        return Callback::NotOurs(
            "this service's responses must include the issuer; paste the whole URL".to_owned(),
        );
    }
    // A code copied from an address bar is still percent-encoded.
    let code = pasted::percent_decoded(text).unwrap_or_else(|| text.to_owned());
    let checks = vec![
        Check::new(
            CheckName::State,
            Outcome::NotChecked,
            "only the code was pasted, without its state",
        ),
        Check::new(
            CheckName::Issuer,
            Outcome::NotChecked,
            "only the code was pasted",
        ),
    ];
    Callback::Code(Arrived {
        code: code.into(),
        checks,
        kept: Vec::new(),
        token_url: None,
    })
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails on anything unexpected"
)]
mod tests {
    use super::super::client_authentication::ClientAuthentication;
    use super::*;
    use crate::secret::ExposeSecret;

    fn read(query: &str, issuer: Option<&str>) -> Callback {
        let (pending, client) = sign_in(issuer);
        parse_callback(query, &pending, &client)
    }

    fn sign_in(issuer: Option<&str>) -> (Pending, Client) {
        let url = || url::Url::parse("https://as.example/token").unwrap();
        let client = Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: None,
            device_url: None,
            token_url: url(),
            scopes: Vec::new(),
            extra: Vec::new(),
            pkce: true,
            issuer: issuer.map(str::to_owned),
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: crate::oauth::signing::Signing::default(),
            poll_url: None,
            dialect: super::super::dialect::Dialect::default(),
        };
        let pending = Pending {
            state: "st&te".into(),
            nonce: None,
            verifier: None,
            redirect_url: url().into(),
        };
        (pending, client)
    }

    #[test]
    fn code_with_valid_state_is_accepted() {
        let Callback::Code(arrived) = read("code=a%2Bb&state=st%26te", None) else {
            panic!()
        };
        assert!(arrived.has_state());
        let Arrived { code, checks, .. } = arrived;
        assert_eq!(code.expose_secret(), "a+b");
        assert_eq!(
            (checks[0].name, checks[0].outcome),
            (CheckName::State, Outcome::Passed)
        );
        assert_eq!(
            (checks[1].name, checks[1].outcome),
            (CheckName::Issuer, Outcome::NotChecked)
        );
    }

    #[test]
    fn callback_without_valid_state_is_never_accepted() {
        for query in [
            "code=a",
            "code=a&state=",
            "code=a&state=other",
            "error=access_denied",
            "error=access_denied&state=x",
            "",
            "%",
        ] {
            assert!(
                matches!(
                    read(query, None),
                    Callback::NotOurs(_) | Callback::Unverified(_)
                ),
                "{query}"
            );
        }
        // The URL of another page.
        let Callback::NotOurs(reason) = read("ctx=abc", None) else {
            panic!()
        };
        assert_eq!(reason, "it has neither a code nor an error");
        // Nothing in a response with the wrong state is shown.
        assert!(matches!(
            read("error=x&state=y", None),
            Callback::NotOurs(_)
        ));
    }

    #[test]
    fn description_without_error_code_is_an_error() {
        let query = "error_description=Client+nobody&state=st%26te";
        let Callback::Ended(failure) = read(query, None) else {
            panic!()
        };
        assert!(failure.to_string().contains("Client nobody"), "{failure}");
    }

    #[test]
    fn unverified_error_is_reported_without_ending_the_wait() {
        let query = "error=invalid_scope&error_description=The+scope+mail.x+is+unknown";
        let Callback::Unverified(told) = read(query, None) else {
            panic!()
        };
        assert_eq!(
            told,
            "it has no state, so it is unverified. It says: invalid_scope: The scope mail.x is unknown"
        );
        let (pending, mut client) = sign_in(Some("https://a"));
        client.iss_promised = true;
        let query = "error=access_denied&error_description=f%FCr&state=st%26te";
        let Callback::Unverified(told) = parse_callback(query, &pending, &client) else {
            panic!()
        };
        assert!(told.ends_with("access_denied: für"), "{told}");
    }

    #[test]
    fn pasting_a_stateless_code_is_suggested_only_with_pkce() {
        let (mut pending, mut client) = sign_in(None);
        let told = |pending: &Pending, client: &Client| {
            let Callback::NotOurs(told) = parse_callback("code=abc", pending, client) else {
                panic!()
            };
            told
        };
        assert!(!told(&pending, &client).contains("paste"));
        pending.verifier = Some("v".into());
        assert!(told(&pending, &client).contains("paste only the code"));
        client.iss_promised = true;
        assert!(!told(&pending, &client).contains("paste"));
        client.iss_promised = false;
        for query in ["code=", "x=1"] {
            let Callback::NotOurs(told) = parse_callback(query, &pending, &client) else {
                panic!("{query}")
            };
            assert!(!told.contains("paste"), "{query}: {told}");
        }
        let callback = parse_callback("code=abc&error=server_error", &pending, &client);
        assert!(matches!(callback, Callback::Unverified(_)), "{callback:?}");
    }

    #[test]
    fn unverified_error_is_read_within_the_length_limit() {
        let read = |query: &str| unverified_error(query).map(|error| error.to_string());
        for (query, told) in [
            ("error=access_denied", "access_denied"),
            (
                "x=1&error=access_denied&error_description=no+way",
                "access_denied: no way",
            ),
        ] {
            assert_eq!(read(query).as_deref(), Some(told));
        }
        // Facebook.
        let named = "error_code=1349126&error_message=App+Not+Set+Up";
        assert_eq!(read(named).as_deref(), Some("1349126: App Not Set Up"));
        assert_eq!(read("error_description=no+way").as_deref(), Some("no way"));
        for query in [
            "",
            "error=",
            "code=abc",
            "code=abc&error_description=no+way",
        ] {
            assert_eq!(read(query), None, "{query}");
        }
        let long = |length: usize| format!("error={}", "x".repeat(length - "error=".len()));
        assert!(read(&long(QUERY_LIMIT)).is_some());
        assert!(read(&long(QUERY_LIMIT + 1)).is_none());
    }

    #[test]
    fn empty_error_is_ignored() {
        for query in [
            "code=a&error=&state=st%26te",
            "code=a&error=+&state=st%26te",
        ] {
            assert!(matches!(read(query, None), Callback::Code(_)), "{query}");
        }
        assert!(matches!(
            read("error=&state=st%26te", None),
            Callback::Invalid(_)
        ));
        let Callback::Ended(Failure::Callback(error)) =
            read("error=x&error_description=f%FCr+dich&state=st%26te", None)
        else {
            panic!()
        };
        assert_eq!(error.to_string(), "x: für dich");
    }

    #[test]
    fn empty_or_lookalike_issuer_is_reported() {
        let told = |iss: &str, issuer: Option<&str>, promised: bool| {
            let (pending, mut client) = sign_in(issuer);
            client.iss_promised = promised;
            let query = format!("code=a&state=st%26te&iss={iss}");
            match parse_callback(&query, &pending, &client) {
                Callback::NotOurs(told) => told,
                other => panic!("{other:?}"),
            }
        };
        for (iss, issuer, promised, words) in [
            (
                "",
                Some("https://a"),
                true,
                "its issuer is empty, although the service's metadata requires it",
            ),
            (
                "+",
                Some("https://a"),
                true,
                "its issuer is empty, although the service's metadata requires it",
            ),
            ("", Some("https://a"), false, "its issuer is empty"),
            (
                "%00",
                None,
                true,
                "its issuer is empty, although the service's metadata requires it",
            ),
            (
                "https://a%00",
                Some("https://a"),
                false,
                "its issuer is https://a, but contains an invisible character (U+0000)",
            ),
            (
                "https://b",
                Some("https://a"),
                false,
                "it comes from the issuer https://b",
            ),
        ] {
            assert_eq!(told(iss, issuer, promised), words);
        }
        let (pending, mut client) = sign_in(Some("https://a"));
        client.iss_promised = true;
        let query = "error=server_error&state=st%26te&iss=";
        let Callback::Unverified(told) = parse_callback(query, &pending, &client) else {
            panic!()
        };
        assert!(
            told.contains("its issuer is empty") && told.contains("server_error"),
            "{told}"
        );
    }

    #[test]
    fn known_issuer_is_compared_exactly() {
        let with = |iss: &str, known| read(&format!("code=a&state=st%26te&iss={iss}"), known);
        assert!(matches!(
            with("https://a", Some("https://a")),
            Callback::Code(..)
        ));
        assert!(matches!(
            with("https://a/", Some("https://a")),
            Callback::NotOurs(_)
        ));
        assert!(matches!(with("https://a", None), Callback::Code(..)));
        // Errors are compared as well.
        let failed = |iss: &str| {
            let query = format!("error=access_denied&state=st%26te&iss={iss}");
            read(&query, Some("https://a"))
        };
        assert!(matches!(failed("https://a"), Callback::Ended(_)));
        assert!(matches!(failed("https://a/"), Callback::NotOurs(_)));
    }

    #[test]
    fn callback_error_ends_the_sign_in_with_its_description() {
        let Callback::Ended(Failure::Denied { error, .. }) = read(
            "error=access_denied&error_description=no%0Away&state=st%26te",
            None,
        ) else {
            panic!()
        };
        assert_eq!(error.to_string(), "access_denied: no way");
        assert!(matches!(
            read("error=invalid_scope&state=st%26te", None),
            Callback::Ended(Failure::Callback(_))
        ));
    }

    #[test]
    fn parameters_that_say_nothing_are_ignored() {
        for query in [
            "code=a&state=st%26te&error=null",
            "code=a&state=st%26te&error=None&error_description=",
            "?code=a&amp;state=st%26te",
        ] {
            assert!(matches!(read(query, None), Callback::Code(_)), "{query}");
        }
        for query in ["code=null&state=st%26te", "error=none&state=st%26te"] {
            assert!(matches!(read(query, None), Callback::Invalid(_)), "{query}");
        }
        assert_eq!(unverified_error("error=null"), None);
    }

    #[test]
    fn text_that_is_surely_no_code_is_not_sent() {
        for (text, words) in [
            ("ERR_CONNECTION_REFUSED", "browser's error page"),
            ("NS_ERROR_NET_TIMEOUT", "browser's error page"),
            ("ERR_HTTP2_PROTOCOL_ERROR", "browser's error page"),
            ("about:blank", "browser's error page"),
            ("joe.doe@mail.example", "an email address"),
        ] {
            let told = pasted::no_code(text).unwrap();
            assert!(told.contains(words), "{text}: {told}");
        }
        for text in ["4/0Ab_cD-x", "ABCDEFGHIJ", "A_B_C1", "a@b", "@a.b"] {
            assert_eq!(pasted::no_code(text), None, "{text}");
        }
    }

    #[test]
    fn duplicate_parameters_and_empty_callbacks_are_refused() {
        for query in [
            "code=a&code=b&state=st%26te",
            "code=a&state=st%26te&iss=https%3A%2F%2Fa&iss=https%3A%2F%2Fa",
            "state=st%26te",
            "state=st%26te&code=",
        ] {
            assert!(matches!(read(query, None), Callback::Invalid(_)), "{query}");
        }
        for query in [
            "state=st%26te&state=st%26te&code=a",
            "state=st%26te&state=x&error=a",
            "state=x&error=a&error=b",
        ] {
            assert!(matches!(read(query, None), Callback::NotOurs(_)), "{query}");
        }
        let query = "error=a&error_description=b&error_description=c&state=st%26te";
        let Callback::Unverified(told) = read(query, None) else {
            panic!()
        };
        assert!(told.ends_with("It says: a: b"), "{told}");
    }

    #[test]
    fn error_under_another_name_ends_the_sign_in() {
        for (query, told) in [
            (
                "error_code=4201&error_message=App+not+active",
                "4201: App not active",
            ),
            ("errorMessage=No+app", "No app"),
            ("message=No+app", "No app"),
            ("error_reason=user_left", "user_left"),
            ("denied=abc", "access_denied"),
        ] {
            let Callback::Ended(failure) = read(&format!("{query}&state=st%26te"), None) else {
                panic!("{query}")
            };
            assert!(failure.to_string().contains(told), "{failure}");
            let forged = read(&format!("{query}&state=other"), None);
            assert!(matches!(forged, Callback::NotOurs(_)), "{query}");
            let Callback::Unverified(unverified) = read(query, None) else {
                panic!("{query}")
            };
            assert!(unverified.contains(told), "{unverified}");
            let error = unverified_error(query).unwrap();
            assert!(error.to_string().contains(told), "{error}");
            let query = format!("{query}&code=abc&state=st%26te");
            assert!(matches!(read(&query, None), Callback::Code(_)), "{query}");
        }
    }

    #[test]
    fn response_of_another_flow_is_named() {
        for (query, words) in [
            ("access_token=s3cret&state=st%26te", "implicit flow"),
            ("id_token=s3cret&state=st%26te", "implicit flow"),
            ("response=a.b.s3cret&state=st%26te", "JARM"),
            ("response=a.b.s3cret", "JARM"),
            ("x=s3cret&state=st%26te", "neither a code nor an error"),
        ] {
            let (Callback::Invalid(told) | Callback::NotOurs(told)) = read(query, None) else {
                panic!("{query}")
            };
            assert!(told.contains(words) && !told.contains("s3cret"), "{told}");
        }
    }

    #[test]
    fn oversized_callback_is_refused() {
        let (mut pending, client) = sign_in(None);
        pending.verifier = Some("v".into());
        let query = |length: usize| {
            let start = "state=st%26te&code=";
            format!("{start}{}", "c".repeat(length - start.len()))
        };
        let is_taken = |callback: &Callback| matches!(callback, Callback::Code(_));
        for (length, taken) in [(QUERY_LIMIT, true), (QUERY_LIMIT + 1, false)] {
            let query = query(length);
            assert_eq!(is_taken(&parse_callback(&query, &pending, &client)), taken);
            let url = format!("http://127.0.0.1:8400/?{query}");
            let bare = "c".repeat(length);
            for paste in [query, url, bare] {
                assert_eq!(is_taken(&parse_paste(&paste, &pending, &client)), taken);
            }
        }
    }

    #[test]
    fn promised_issuer_is_required() {
        let (pending, mut client) = sign_in(Some("https://a"));
        client.iss_promised = true;
        assert!(matches!(
            parse_callback("code=a&state=st%26te", &pending, &client),
            Callback::NotOurs(_)
        ));
        assert!(matches!(
            parse_callback("error=access_denied&state=st%26te", &pending, &client),
            Callback::Unverified(_)
        ));
        let with = "code=a&state=st%26te&iss=https%3A%2F%2Fa";
        assert!(matches!(
            parse_callback(with, &pending, &client),
            Callback::Code(..)
        ));
    }

    #[test]
    fn paste_may_be_a_url_query_or_code() {
        let (mut pending, client) = sign_in(None);
        pending.verifier = Some("v".into());
        for (text, code) in [
            ("http://127.0.0.1:8400/?code=a%2Bb&state=st%26te", "a+b"),
            (
                "  \"https://other.example/x?state=st%26te&code=c#frag\"\n",
                "c",
            ),
            ("?code=c&state=st%26te", "c"),
            ("code=c&state=st%26te", "c"),
            ("localhost:8400/cb?code=c&state=st%26te", "c"),
            ("code=c&state=st%26te#_=_", "c"),
            ("http://127.0.0.1:8400/cb#code=c&state=st%26te", "c"),
            ("#state=st%26te&code=c", "c"),
            ("http://127.0.0.1:8400/cb?x=1#state=st%26te&code=c", "c"),
            ("http://127.0.0.1:8400/cb?code=c&state=st%26te#state=x", "c"),
            ("4/0Ab-c_d", "4/0Ab-c_d"),
            ("4%2F0AbCdEf", "4/0AbCdEf"),
            ("ab+c%2F==", "ab+c/=="),
            ("100%safe", "100%safe"),
            ("100%safe%2Fb", "100%safe%2Fb"),
        ] {
            let Callback::Code(Arrived { code: taken, .. }) = parse_paste(text, &pending, &client)
            else {
                panic!("{text}")
            };
            assert_eq!(taken.expose_secret(), code, "{text}");
        }
        for text in [
            "",
            "http://127.0.0.1:8400/?code=a&state=forged",
            "code=a&state=forged",
            "http://127.0.0.1:8400/cb#code=a&state=forged",
            "http://127.0.0.1:8400/cb#code=a",
            "code=a",
            "http://127.0.0.1:8400/",
            "https://as.example/authorize?response_type=code&state=st%26te",
            "two words",
            "help",
            "localhost:8400/callback",
        ] {
            assert!(
                matches!(parse_paste(text, &pending, &client), Callback::NotOurs(_)),
                "{text}"
            );
        }
        let url = "https://as.example/authorize?response_type=code&state=st%26te";
        let Callback::NotOurs(told) = parse_paste(url, &pending, &client) else {
            panic!()
        };
        assert!(told.contains("the authorization URL"), "{told}");
    }

    #[test]
    fn bare_code_requires_pkce_and_no_promised_issuer() {
        let (mut pending, mut client) = sign_in(Some("https://a"));
        assert!(matches!(
            parse_paste("c0de-c0de", &pending, &client),
            Callback::NotOurs(_)
        ));
        pending.verifier = Some("v".into());
        let Callback::Code(arrived) = parse_paste("c0de-c0de", &pending, &client) else {
            panic!()
        };
        assert!(!arrived.has_state());
        assert_eq!(arrived.checks[0].outcome, Outcome::NotChecked);
        for text in [
            r#"{"code":"c0de-c0de","sta"#,
            "{'code':'c0de-c0de','state':'st&te'}",
            r#""code":"c0de-c0de"#,
        ] {
            let read = parse_paste(text, &pending, &client);
            let is_refused =
                matches!(&read, Callback::NotOurs(why) if why.contains("neither a URL nor a code"));
            assert!(is_refused, "{text}: {read:?}");
        }
        client.iss_promised = true;
        assert!(matches!(
            parse_paste("c0de-c0de", &pending, &client),
            Callback::NotOurs(_)
        ));
    }

    #[test]
    fn state_is_checked_in_encoded_pastes() {
        let (pending, client) = sign_in(None);
        for text in [
            "code%3Dc0de-c0de%26state%3Dst%2526te",
            r#"{"code":"c0de-c0de","state":"st&te"}"#,
        ] {
            let Callback::Code(arrived) = parse_paste(text, &pending, &client) else {
                panic!("{text}")
            };
            assert!(arrived.has_state() && arrived.code.expose_secret() == "c0de-c0de");
        }
        for text in [
            "code%3Dc0de-c0de%26state%3Dother",
            r#"{"code":"c0de-c0de","state":"other"}"#,
        ] {
            let read = parse_paste(text, &pending, &client);
            assert!(matches!(read, Callback::NotOurs(why) if why.contains("state mismatch")));
        }
    }
}
