//! ID tokens: decodes them and compares them with the sign-in that they should belong to.
//!
//! `signature.rs` checks the signature.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest;
use serde_json::{Map, Value};

use super::id_token_problem::IdTokenProblem as Problem;
use super::issuer::difference;
use super::jose::Algorithm;
use super::json::parse_object;
use super::members::float;

use crate::clean::clean;
use crate::secret::{ExposeSecret, SecretString, same};
use crate::words::thousands;

/// Maximum size of a payload, in bytes. A larger one is not decoded; a response is not larger either.
const PAYLOAD_LIMIT: usize = 1024 * 1024;
/// Maximum lengths of the name and of the value of a claim that is shown, in characters.
const NAME_LIMIT: usize = 200;
const VALUE_LIMIT: usize = 16 * 1024;
/// Maximum length of all claims that are shown, in characters, because a screen may wrap them for each frame.
const ALL_LIMIT: usize = 128 * 1024;
/// Maximum number of claims that are shown.
const CLAIMS_LIMIT: usize = 1000;
/// Maximum difference between the clocks of this machine and of the server, in seconds.
pub(super) const CLOCK_TOLERANCE: u64 = 120;

/// The claims of a JSON Web Token (RFC 7519), not verified.
#[derive(Debug, Clone)]
pub struct Claims(Map<String, Value>);

/// Claims as texts.
#[derive(Debug, Default)]
pub struct ClaimLines {
    /// The names and the values, sorted by name.
    pub lines: Vec<(String, String)>,
    /// How many of them are cut off at their end.
    pub cut_off: usize,
    /// How many claims are missing at the end.
    pub left_out: usize,
}

impl ClaimLines {
    /// Returns what is missing, as sentences; `None` if the claims are complete.
    #[must_use]
    pub fn missing(&self) -> Option<String> {
        let cut_off = match self.cut_off {
            0 => String::new(),
            1 => "1 claim is cut off (…).".to_owned(),
            count => format!("{} claims are cut off (…).", thousands(count)),
        };
        let left_out = match self.left_out {
            0 => String::new(),
            1 => "1 more claim is not shown.".to_owned(),
            count => format!("{} more claims are not shown.", thousands(count)),
        };
        let both = format!("{cut_off} {left_out}");
        Some(both.trim().to_owned()).filter(|text| !text.is_empty())
    }
}

/// The expected content of an ID token.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The accepted issuers; `{claim}` is replaced by a claim of the token. Empty if the issuer is not known.
    pub issuers: &'a [String],
    /// The expected audience.
    pub client_id: &'a str,
    /// The subject that signed in originally, for a token from a refresh (OpenID Connect Core, section 12.2).
    pub subject: Option<&'a str>,
    /// The nonce that was sent with the authorization request.
    pub nonce: Option<&'a SecretString>,
    /// The access token in the same response.
    pub access_token: Option<&'a SecretString>,
    /// The algorithm of the signature, which also determines the hash for `at_hash`.
    pub algorithm: Option<Algorithm>,
    /// The current time, in seconds since 1970.
    pub unix_time: u64,
}

/// Decodes the claims of `token`; `None` if it is not a JSON Web Token. Access tokens often are not.
#[must_use]
pub fn decode(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    if payload.len() > PAYLOAD_LIMIT {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    parse_object(&bytes).ok().map(Claims)
}

/// Returns whether the token is encrypted (RFC 7516, section 3.1), so that only the holder of the client's private key
/// can read it.
#[must_use]
pub fn is_encrypted(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').take(6).collect();
    let [header, _, _, _, _] = parts[..] else {
        return false;
    };
    if header.len() > PAYLOAD_LIMIT {
        return false;
    }
    let header = URL_SAFE_NO_PAD.decode(header.trim_end_matches('='));
    let members = header.ok().and_then(|bytes| parse_object(&bytes).ok());
    members.is_some_and(|members| members.contains_key("enc"))
}

/// Returns whether the token is the start of a signed JSON Web Token: its header is complete, and its end is missing.
#[must_use]
pub fn is_cut(token: &str) -> bool {
    let (header, rest) = token.split_once('.').unwrap_or((token, ""));
    if header.len() > PAYLOAD_LIMIT || rest.contains('.') {
        return false;
    }
    let header = URL_SAFE_NO_PAD.decode(header.trim_end_matches('='));
    let members = header.ok().and_then(|bytes| parse_object(&bytes).ok());
    members.is_some_and(|members| members.contains_key("alg") && !members.contains_key("enc"))
}

/// What is wrong with an ID token, and its description.
pub type Wrong = (Problem, String);

fn wrong(problem: Problem, reason: &str) -> Wrong {
    (problem, reason.to_owned())
}

impl Claims {
    /// The names of claims that are times (RFC 7519, section 4.1; RFC 7662, section 2.2; OpenID Connect
    /// Core, sections 2 and 5.1).
    pub const TIMES: [&str; 5] = ["auth_time", "exp", "iat", "nbf", "updated_at"];

    /// Creates claims from the members of a response.
    pub(super) fn of(members: Map<String, Value>) -> Self {
        Self(members)
    }

    /// Returns the claims by name.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns the claims mutably, to redact them.
    pub(crate) fn members_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// Returns the audiences of the token.
    #[must_use]
    pub fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(other) => other.as_str().into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// Returns the claims as cleaned names and texts, sorted by name: at most 1,000 of them, with values of at most
    /// 16,384 characters and 131,072 characters in all.
    #[must_use]
    pub fn lines(&self) -> ClaimLines {
        let mut out = ClaimLines::default();
        let mut room = ALL_LIMIT;
        for (name, value) in &self.0 {
            if room == 0 || out.lines.len() == CLAIMS_LIMIT {
                out.left_out = self.0.len() - out.lines.len();
                break;
            }
            let text = value
                .as_str()
                .map_or_else(|| Cow::from(value.to_string()), Cow::from);
            let limit = VALUE_LIMIT.min(room);
            let line = (clean(name, NAME_LIMIT), clean(&text, limit));
            // A text that is cut off has an ellipsis in addition.
            let (name, value) = (line.0.chars().count(), line.1.chars().count());
            out.cut_off += usize::from(name > NAME_LIMIT || value > limit);
            room = room.saturating_sub(name + value);
            out.lines.push(line);
        }
        out
    }

    /// Returns the user who signed in, from the claim that describes the user best.
    #[must_use]
    pub fn person(&self) -> Option<String> {
        ["email", "preferred_username", "upn", "name", "sub"]
            .iter()
            .find_map(|name| self.0.get(*name)?.as_str())
            .map(|text| clean(text, 120))
            .filter(|text| !text.is_empty())
    }

    /// Returns the subject, which is the service's identifier of the user.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    /// Returns a claim that is a time, in seconds since 1970.
    #[must_use]
    pub fn time(&self, name: &str) -> Option<i64> {
        let seconds = self.number(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "bounded just here")]
        (0.0..1e12).contains(&seconds).then_some(seconds as i64)
    }

    /// Returns a claim that is a number. Some services send numbers as text.
    fn number(&self, name: &str) -> Option<f64> {
        float(self.0.get(name)?)
    }

    /// Returns a claim that is a text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Compares the token with the sign-in (OpenID Connect Core, section 3.1.3.7).
    ///
    /// # Errors
    /// Returns an error that describes the first mismatch.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), Wrong> {
        let missing = |what: &str| (Problem::Incomplete, format!("it has no {what}"));
        let issuer = self.text("iss").ok_or_else(|| missing("issuer (iss)"))?;
        if !expected.issuers.is_empty()
            && !expected
                .issuers
                .iter()
                .any(|pattern| self.fill(pattern) == issuer)
        {
            let reason = if let [one] = expected.issuers {
                difference(issuer, one)
            } else {
                let issuers = expected.issuers.join(" or ");
                format!("its issuer is {}, not {issuers}", clean(issuer, 120))
            };
            return Err((Problem::Issuer, reason));
        }
        let audience = self.audiences();
        if !audience.contains(&expected.client_id) {
            let named = audience.iter().map(|name| clean(name, 60));
            let named: Vec<String> = named.filter(|name| !name.is_empty()).take(5).collect();
            return Err(if named.is_empty() {
                missing("audience (aud is missing or empty)")
            } else {
                let named = named.join(", ");
                (
                    Problem::Client,
                    format!("it is for a different client (aud is {named})"),
                )
            });
        }
        match self.text("azp") {
            Some(azp) if azp != expected.client_id => {
                return Err(wrong(
                    Problem::Client,
                    "it was issued to a different client (azp)",
                ));
            }
            None if audience.len() > 1 => {
                let reason =
                    "it is for several clients, but doesn't say which one it was issued to (azp)";
                return Err(wrong(Problem::Incomplete, reason));
            }
            Some(_) | None => {}
        }
        if self.subject().is_none_or(str::is_empty) {
            return Err(missing("subject (sub)"));
        }
        if expected.subject.is_some() && expected.subject != self.subject() {
            let reason = "it is for a different user than the first one (sub)";
            return Err(wrong(Problem::SignIn, reason));
        }
        match (expected.nonce, self.text("nonce")) {
            (None, _) => {}
            (Some(sent), Some(nonce)) if same(sent, nonce) => {}
            (Some(_), Some(_)) => {
                return Err(wrong(
                    Problem::SignIn,
                    "its nonce doesn't match the one that was sent",
                ));
            }
            (Some(_), None) => {
                return Err(wrong(
                    Problem::NoNonce,
                    "it has no nonce, although one was sent",
                ));
            }
        }
        self.check_times(expected.unix_time)?;
        match (
            self.text("at_hash"),
            expected.access_token,
            expected.algorithm,
        ) {
            (Some(hash), Some(token), Some(algorithm)) if hash != half_hash(token, algorithm) => {
                Err(wrong(
                    Problem::AccessToken,
                    "it is for a different access token (at_hash)",
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_times(&self, unix_time: u64) -> Result<(), Wrong> {
        let time = |name: &str| self.number(name);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 fit")]
        let (tolerance, present) = (CLOCK_TOLERANCE as f64, unix_time as f64);
        let missing = |reason: &str| wrong(Problem::Incomplete, reason);
        let issued =
            time("iat").ok_or_else(|| missing("it doesn't say when it was issued (iat)"))?;
        let end = time("exp").ok_or_else(|| missing("it has no expiry (exp)"))?;
        if end + tolerance < present {
            return Err(wrong(
                Problem::Clock,
                "it has expired; check this machine's clock",
            ));
        }
        for (name, time) in [("iat", Some(issued)), ("nbf", time("nbf"))] {
            if time.is_some_and(|time| time > present + tolerance) {
                let reason = format!("it is not valid yet ({name}); check this machine's clock");
                return Err((Problem::Clock, reason));
            }
        }
        Ok(())
    }

    /// Replaces each `{claim}` in `pattern` by that claim of this token.
    fn fill(&self, pattern: &str) -> String {
        let mut out = String::new();
        let mut rest = pattern;
        while let Some((before, (name, after))) = rest
            .split_once('{')
            .and_then(|(before, tail)| Some((before, tail.split_once('}')?)))
        {
            out.push_str(before);
            out.push_str(self.text(name).unwrap_or_default());
            rest = after;
        }
        out + rest
    }
}

/// Returns the first half of the hash of an access token (OpenID Connect Core, section 3.1.3.6).
fn half_hash(token: &SecretString, algorithm: Algorithm) -> String {
    let hash = digest::digest(algorithm.hash(), token.expose_secret().as_bytes());
    let hash = hash.as_ref();
    URL_SAFE_NO_PAD.encode(&hash[..hash.len() / 2])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn token(claims: &Value) -> String {
        format!(
            "{}.{}.sig",
            URL_SAFE_NO_PAD.encode("{}"),
            URL_SAFE_NO_PAD.encode(claims.to_string())
        )
    }

    fn check(claims: &Value, issuers: &[&str], nonce: Option<&str>) -> Result<(), String> {
        let issuers: Vec<String> = issuers.iter().map(|&issuer| issuer.to_owned()).collect();
        let nonce = nonce.map(SecretString::from);
        decode(&token(claims))
            .unwrap()
            .check(&Expected {
                issuers: &issuers,
                client_id: "me",
                subject: None,
                nonce: nonce.as_ref(),
                access_token: Some(&"jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y".into()),
                algorithm: Some(Algorithm::Rs256),
                unix_time: 1_000_000,
            })
            .map_err(|(_, reason)| reason)
    }

    #[test]
    fn each_claim_is_compared() {
        let good = serde_json::json!({"iss":"https://a","aud":["x","me"],"azp":"me","sub":"alice","nonce":"n","iat":999_990,"exp":1_000_100});
        assert_eq!(check(&good, &["https://a"], Some("n")), Ok(()));
        assert_eq!(check(&good, &[], None), Ok(()));
        // The example of OpenID Connect Core, appendix A.4. Small differences between clocks are accepted.
        let mut more = good.clone();
        more["at_hash"] = "77QmUPtjPfzWtF2AnpK9RQ".into();
        (more["iat"], more["nbf"]) = (1_000_100.into(), 1_000_100.into());
        more["exp"] = 999_900.into();
        assert_eq!(check(&more, &[], None), Ok(()));
        let mut text = good.clone();
        text["exp"] = "1000100".into();
        assert_eq!(check(&text, &[], None), Ok(()));
        for (name, value, words) in [
            ("iss", serde_json::json!("https://a/"), "issuer"),
            (
                "aud",
                serde_json::json!("you"),
                "a different client (aud is you)",
            ),
            (
                "aud",
                serde_json::json!(["you", "they"]),
                "(aud is you, they)",
            ),
            ("aud", serde_json::json!([]), "has no audience"),
            ("aud", Value::Null, "has no audience"),
            ("azp", serde_json::json!("you"), "azp"),
            ("azp", Value::Null, "several clients"),
            ("sub", Value::Null, "has no subject"),
            ("sub", serde_json::json!(""), "has no subject"),
            ("sub", serde_json::json!(7), "has no subject"),
            ("iat", Value::Null, "when it was issued"),
            ("iat", serde_json::json!(1_000_200), "not valid yet (iat)"),
            ("nbf", serde_json::json!(1_000_200), "not valid yet (nbf)"),
            (
                "at_hash",
                serde_json::json!("77QmUPtjPfzWtF2AnpK9RA"),
                "access token (at_hash)",
            ),
            ("nonce", serde_json::json!("m"), "nonce doesn't match"),
            ("nonce", Value::Null, "no nonce"),
            ("exp", serde_json::json!(999_000), "expired"),
            ("exp", serde_json::json!("999000"), "expired"),
            ("exp", serde_json::json!("inf"), "has no expiry"),
            ("exp", Value::Null, "has no expiry"),
        ] {
            let mut bad = good.clone();
            bad[name] = value;
            let error = check(&bad, &["https://a"], Some("n")).unwrap_err();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn an_issuer_may_be_a_pattern_over_claims() {
        let claims = serde_json::json!({"iss":"https://a/t1/v2","tid":"t1","aud":"me","sub":"alice","iat":1_000_000,"exp":2_000_000});
        assert_eq!(check(&claims, &["https://a/{tid}/v2"], None), Ok(()));
        assert!(check(&claims, &["https://b/{tid}/v2"], None).is_err());
        assert!(check(&claims, &["https://a/{oid}/v2"], None).is_err());
    }

    #[test]
    fn encrypted_token_is_recognized_by_five_parts_and_header() {
        let jwe = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.A.B.C.D";
        assert!(is_encrypted(jwe));
        assert!(is_encrypted(
            "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..B.C.D"
        ));
        let plain = format!("{}.A.B.C.D", URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#));
        for text in ["", "a.b.c.d.e", "a.b.c", &plain, &format!("{jwe}.E")] {
            assert!(!is_encrypted(text), "{text}");
        }
    }

    #[test]
    fn invalid_tokens_are_not_decoded() {
        for text in ["", "opaque", "a.b", "a.b.c", "a.!!.c", "a.e30.c.d"] {
            assert!(decode(text).is_none(), "{text}");
        }
        assert_eq!(
            decode("e30.eyJzdWIiOiJtZSJ9.").unwrap().person().as_deref(),
            Some("me")
        );
    }

    #[test]
    fn token_without_its_end_is_recognized() {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256"}"#);
        let encrypted = URL_SAFE_NO_PAD.encode(r#"{"alg":"dir","enc":"x"}"#);
        for (token, cut) in [
            (header.clone(), true),
            (format!("{header}."), true),
            (format!("{header}.eyJzdW"), true),
            (format!("{header}.eyJzdWIiOiJtZSJ9"), true),
            (format!("{header}.eyJzdWIiOiJtZSJ9.c2ln"), false),
            (format!("{encrypted}.a"), false),
            ("opaque.token".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_cut(&token), cut, "{token}");
        }
    }

    #[test]
    fn clocks_may_differ_by_at_most_two_minutes() {
        let with = |iat: u64, nbf: u64, exp: u64| {
            let claims = serde_json::json!({"iss":"https://a","aud":"me","sub":"alice","iat":iat,"nbf":nbf,"exp":exp});
            check(&claims, &["https://a"], None).is_ok()
        };
        let now = 1_000_000;
        assert!(with(now + 120, now + 120, now - 120));
        assert!(!with(now + 121, now, now));
        assert!(!with(now, now + 121, now));
        assert!(!with(now, now, now - 121));
    }

    #[test]
    fn oversized_tokens_are_not_decoded() {
        let padded = |length: usize, content: &str| {
            let text = format!("{content}{}", " ".repeat(length / 4 * 3 - content.len()));
            let encoded = URL_SAFE_NO_PAD.encode(text);
            assert_eq!(encoded.len(), length);
            encoded
        };
        let claims = |length| format!("e30.{}.x", padded(length, r#"{"sub":"me"}"#));
        assert!(decode(&claims(PAYLOAD_LIMIT)).is_some());
        assert!(decode(&claims(PAYLOAD_LIMIT + 4)).is_none());
        let encrypted = |length| {
            format!(
                "{}.A.B.C.D",
                padded(length, r#"{"alg":"dir","enc":"A128GCM"}"#)
            )
        };
        assert!(is_encrypted(&encrypted(PAYLOAD_LIMIT)));
        assert!(!is_encrypted(&encrypted(PAYLOAD_LIMIT + 4)));
    }

    #[test]
    fn claims_are_limited_and_omissions_are_reported() {
        let shown = |claims: &Value| decode(&token(claims)).unwrap().lines();
        let roles: Vec<String> = (0..400).map(|role| format!("r{role}")).collect();
        let long = "x".repeat(VALUE_LIMIT);
        let all = shown(&serde_json::json!({"roles": roles, "long": long}));
        assert_eq!((all.lines[0].1.len(), all.missing()), (VALUE_LIMIT, None));
        assert!(all.lines[1].1.ends_with("\"r399\"]"));
        let name = format!("https://as.example/{}", "n".repeat(NAME_LIMIT));
        let cut = shown(&serde_json::json!({"a": format!("{long}y"), "b": 1, name: 2}));
        assert!(cut.lines[0].1.ends_with("x…"));
        assert_eq!(cut.missing().as_deref(), Some("2 claims are cut off (…)."));
        let many = |count: usize, value: &str| {
            let claims = (0..count).map(|at| (format!("c{at:05}"), value.into()));
            shown(&Value::Object(claims.collect()))
        };
        assert_eq!(many(CLAIMS_LIMIT, "x").missing(), None);
        let some = many(1500, "x");
        assert_eq!(some.lines.len(), CLAIMS_LIMIT);
        assert_eq!(
            some.missing().as_deref(),
            Some("500 more claims are not shown.")
        );
        // The whole text is limited, too.
        let large = many(10, &long);
        let length: usize = large.lines.iter().map(|(_, value)| value.len()).sum();
        assert!(length <= ALL_LIMIT + 3, "{length}");
        assert_eq!(
            large.missing().as_deref(),
            Some("1 claim is cut off (…). 2 more claims are not shown.")
        );
    }

    #[test]
    fn the_claims_can_be_read_and_redacted() {
        let mut claims = decode("e30.eyJzdWIiOiJtZSJ9.").unwrap();
        assert_eq!(claims.members()["sub"], "me");
        claims.members_mut()["sub"] = "x".into();
        assert_eq!(claims.members()["sub"], "x");
    }
}
