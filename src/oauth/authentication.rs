//! Checks of the authentication that was requested (`max_age`, `acr_values`) against the ID token.

use super::check::{Check, CheckName, Outcome};
use super::client::Client;
use super::id_token::{CLOCK_TOLERANCE, Claims, decode};
use super::id_token_problem::IdTokenProblem;
use super::token::TokenSet;
use crate::clean::clean;
use crate::secret::ExposeSecret;

/// Checks `max_age` and `acr_values`, if they were requested. The ID token must have been checked before.
///
/// # Errors
/// Returns the failed check if `auth_time` is missing, in the future or too old for `max_age`. The tokens must then not
/// be used.
pub fn check_authentication(
    client: &Client,
    tokens: &TokenSet,
    unix_time: u64,
) -> Result<Vec<Check>, Check> {
    let claims = tokens
        .id_token
        .as_ref()
        .and_then(|token| decode(token.expose_secret()));
    let mut checks = Vec::new();
    if let Some(max_age) = requested(client, "max_age").and_then(|text| text.parse().ok()) {
        checks.push(check_time(claims.as_ref(), max_age, unix_time)?);
    }
    if let Some(values) = requested(client, "acr_values") {
        checks.push(check_level(claims.as_ref(), values));
    }
    Ok(checks)
}

fn requested<'a>(client: &'a Client, name: &str) -> Option<&'a str> {
    let mut extra = client.extra.iter();
    let (_, value) = extra.find(|(known, _)| known == name)?;
    Some(value)
}

/// Checks `max_age` (OpenID Connect Core, section 3.1.3.7, number 13). Section 2 requires the claim if `max_age` was
/// sent.
fn check_time(claims: Option<&Claims>, max_age: u64, unix_time: u64) -> Result<Check, Check> {
    let check = |outcome, detail: String| Check::new(CheckName::AuthTime, outcome, detail);
    let rejected = |problem, detail: &str| Check::rejected(CheckName::AuthTime, problem, detail);
    let Some(claims) = claims else {
        let detail = "there is no ID token that says when you signed in".to_owned();
        return Ok(check(Outcome::NotChecked, detail));
    };
    let time = claims
        .time("auth_time")
        .and_then(|time| u64::try_from(time).ok());
    let Some(time) = time else {
        let detail = "it has no valid auth_time, although max_age was requested";
        return Err(rejected(IdTokenProblem::NoSignInTime, detail));
    };
    if time > unix_time.saturating_add(CLOCK_TOLERANCE) {
        let detail = "its auth_time is in the future; check the clock of this machine";
        return Err(rejected(IdTokenProblem::Clock, detail));
    }
    let age = unix_time.saturating_sub(time);
    if age > max_age.saturating_add(CLOCK_TOLERANCE) {
        let detail = format!("you signed in {age} seconds ago, and max_age allows {max_age}");
        return Err(rejected(IdTokenProblem::TooOld, &detail));
    }
    Ok(check(
        Outcome::Passed,
        format!("you signed in {age} seconds ago, within max_age"),
    ))
}

/// Checks `acr`. The requested values are only a preference (OpenID Connect Core, section 3.1.2.1): the user decides
/// whether another value is enough.
fn check_level(claims: Option<&Claims>, values: &str) -> Check {
    let check = |outcome, detail: String| Check::new(CheckName::Acr, outcome, detail);
    let Some(claims) = claims else {
        return check(
            Outcome::NotChecked,
            "there is no ID token that names it".to_owned(),
        );
    };
    match claims.text("acr") {
        Some(acr) if values.split(' ').any(|value| value == acr) => {
            check(Outcome::Passed, format!("{}, as requested", clean(acr, 80)))
        }
        Some(acr) => {
            let detail = format!("{}, which is none of acr_values", clean(acr, 80));
            check(Outcome::Failed, detail)
        }
        None => check(
            Outcome::Failed,
            "the ID token has no acr, although acr_values was requested".to_owned(),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use url::Url;

    use super::super::answer::{Answer, Body};
    use super::super::asked::Asked;
    use super::super::client_authentication::ClientAuthentication;
    use super::super::dialect::Dialect;
    use super::super::signing::Signing;
    use super::super::token::parse_token_answer;
    use super::*;

    const NOW: u64 = 1_000_000;

    fn checked(extra: &[(&str, &str)], claims: Option<&str>) -> Result<Vec<Check>, Check> {
        let client = Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: None,
            device_url: None,
            token_url: Url::parse("https://as.example/token").unwrap(),
            poll_url: None,
            scopes: vec!["openid".to_owned()],
            extra: extra
                .iter()
                .map(|&(n, v)| (n.to_owned(), v.to_owned()))
                .collect(),
            pkce: true,
            issuer: None,
            iss_promised: false,
            id_token_issuers: Vec::new(),
            signing: Signing::default(),
            pushed: None,
            dialect: Dialect::default(),
        };
        let id_token = claims.map(|claims| {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            format!("{}.{}.{}", part("{}"), part(claims), part("x"))
        });
        let body =
            serde_json::json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token});
        let answer = Answer {
            status: 200,
            retry_after: None,
            headers: Vec::new(),
            body: Body::parse(body.to_string().as_bytes()),
        };
        let reading = parse_token_answer(&answer, &client.dialect.answers);
        let tokens = reading.into_tokens(Asked::Exchange, &answer).unwrap();
        check_authentication(&client, &tokens, NOW)
    }

    #[test]
    fn max_age_requires_a_recent_auth_time() {
        let max_age = |value, claims| checked(&[("max_age", value)], claims);
        for (value, claims, outcome) in [
            ("300", Some(r#"{"auth_time":999900}"#), Ok(Outcome::Passed)),
            // Clocks may differ.
            ("300", Some(r#"{"auth_time":999580}"#), Ok(Outcome::Passed)),
            ("300", Some(r#"{"auth_time":1000120}"#), Ok(Outcome::Passed)),
            ("0", Some(r#"{"auth_time":999999}"#), Ok(Outcome::Passed)),
            ("300", None, Ok(Outcome::NotChecked)),
            (
                "300",
                Some(r#"{"auth_time":999579}"#),
                Err("you signed in 421 seconds ago"),
            ),
            (
                "0",
                Some(r#"{"auth_time":999000}"#),
                Err("max_age allows 0"),
            ),
            (
                "300",
                Some(r#"{"auth_time":1000121}"#),
                Err("in the future"),
            ),
            ("300", Some("{}"), Err("no valid auth_time")),
            // Some services send numbers as text.
            (
                "300",
                Some(r#"{"auth_time":"999900"}"#),
                Ok(Outcome::Passed),
            ),
            (
                "300",
                Some(r#"{"auth_time":"999000"}"#),
                Err("max_age allows 300"),
            ),
            (
                "300",
                Some(r#"{"auth_time":"now"}"#),
                Err("no valid auth_time"),
            ),
            (
                "300",
                Some(r#"{"auth_time":-5}"#),
                Err("no valid auth_time"),
            ),
        ] {
            match (max_age(value, claims), outcome) {
                (Ok(checks), Ok(outcome)) => {
                    assert_eq!(checks.len(), 1);
                    assert_eq!(
                        (checks[0].name, checks[0].outcome),
                        (CheckName::AuthTime, outcome)
                    );
                }
                (Err(check), Err(words)) => assert!(check.detail.contains(words), "{check:?}"),
                (checks, _) => unreachable!("{claims:?}: {checks:?}"),
            }
        }
        assert_eq!(checked(&[], Some("{}")), Ok(Vec::new()));
    }

    #[test]
    fn different_acr_is_reported_but_not_refused() {
        for (claims, outcome, words) in [
            (
                Some(r#"{"acr":"urn:b"}"#),
                Outcome::Passed,
                "urn:b, as requested",
            ),
            (
                Some(r#"{"acr":"urn:c"}"#),
                Outcome::Failed,
                "urn:c, which is none",
            ),
            (
                Some(r#"{"acr":"urn:a urn:b"}"#),
                Outcome::Failed,
                "none of acr_values",
            ),
            (Some("{}"), Outcome::Failed, "has no acr"),
            (None, Outcome::NotChecked, "no ID token"),
        ] {
            let checks = checked(&[("acr_values", "urn:a urn:b")], claims).unwrap();
            assert_eq!(
                (checks[0].name, checks[0].outcome),
                (CheckName::Acr, outcome)
            );
            assert!(checks[0].detail.contains(words), "{checks:?}");
        }
    }
}
