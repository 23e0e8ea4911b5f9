//! Notes for the user about nonstandard values in a token response that is accepted.

use serde_json::{Map, Value};

use super::id_token::decode;
use super::members::{number, text, token};
use crate::clean::clean;
use crate::secret::{ExposeSecret, SecretString};

/// Maximum lifetime that is accepted: ten years, in seconds. Some services send the time of the expiry instead.
pub const LONGEST_LIFE: u64 = 10 * 366 * 86_400;
/// Maximum difference between the clocks of this machine and of the service, in seconds.
const CLOCK_TOLERANCE: i64 = 120;

/// Returns a token without the line breaks at its end, or the blanks around an ID token, which contains none. A refresh
/// token may be a number: a new one must not be lost.
pub(super) fn trimmed(
    members: &Map<String, Value>,
    name: &str,
    notes: &mut Vec<String>,
) -> Option<String> {
    let sent = if name == "refresh_token" {
        token(members, name)?
    } else {
        text(members, name)?
    };
    let token = if name == "id_token" {
        sent.trim()
    } else {
        sent.trim_end_matches(['\r', '\n'])
    };
    if token.len() < sent.len() && !token.is_empty() {
        notes.push(format!(
            "The {name} in the response had line breaks or blanks around it, which were removed."
        ));
    }
    Some(token.to_owned())
}

/// Returns the lifetime of the access token in seconds, if one of the members `names` is a plausible one. Zero says
/// nothing: some services send it with tokens that don't expire.
pub(super) fn life(
    members: &Map<String, Value>,
    names: &[String],
    notes: &mut Vec<String>,
) -> Option<u64> {
    let mut odd = None;
    for name in names {
        let value = members.get(name).unwrap_or(&Value::Null);
        let why = match number(members, name) {
            Some(0) => continue,
            Some(seconds) if seconds <= LONGEST_LIFE => return Some(seconds),
            Some(_) => "is more than 10 years",
            None => "isn't a number of seconds",
        };
        if !value.is_null() {
            odd.get_or_insert((name, value, why));
        }
    }
    let Some((name, value, why)) = odd else {
        notes.extend(names.first().and_then(|name| end_instead(members, name)));
        return None;
    };
    notes.push(format!(
        "{} is {}, which {why}, so it is ignored. It isn't known when the access token expires.",
        clean(name, 40),
        clean(&value.to_string(), 40)
    ));
    None
}

/// Returns the note that the response has the time of the expiry instead of the lifetime `name`.
fn end_instead(members: &Map<String, Value>, name: &str) -> Option<String> {
    let is_time = |value: &Value| match value {
        Value::String(text) => !matches!(text.trim(), "" | "0" | "-1" | "null"),
        value => value.as_f64().is_some_and(|time| time > 0.0),
    };
    let has = |end: &&&str| members.get(**end).is_some_and(is_time);
    let end = ["expires_on", "expires_at", "expiresOn", "expiresAt"]
        .iter()
        .find(has)?;
    Some(format!(
        "The response has {end} instead of {}, so it isn't known when the access token expires.",
        clean(name, 40)
    ))
}

/// Returns what tokens of this type require in addition to the token itself, as sentences; `None` for bearer tokens, whatever
/// the service calls them.
#[must_use]
pub fn needs_proof(token_type: &str) -> Option<&'static str> {
    Some(match token_type.trim().to_ascii_lowercase().as_str() {
        "dpop" => {
            "The token type is DPoP, so each request needs a proof that is signed with the client's key (RFC 9449). This \
             program doesn't create proofs, and the service may reject the access token without one."
        }
        "mac" => {
            "The token type is MAC, so each request needs a message authentication code. This program doesn't create them, \
             and the service may reject the access token without one."
        }
        "pop" => {
            "The token type is PoP, so each request needs a proof of possession of a key (RFC 7800). This program doesn't \
             create proofs, and the service may reject the access token without one."
        }
        _ => return None,
    })
}

/// Returns the note that an access token had expired before it arrived, if it is a JSON Web Token that says so. Its claims
/// are for the API, so they decide nothing.
#[must_use]
pub fn expired_on_arrival(access_token: &SecretString, unix_time: u64) -> Option<&'static str> {
    let end = decode(access_token.expose_secret())?.time("exp")?;
    let is_over = i64::try_from(unix_time).is_ok_and(|time| end + CLOCK_TOLERANCE < time);
    is_over.then_some(
        "By the clock of this machine, the access token expired before it arrived. Check the clock. If it is right, the service \
         issued an expired token: tell its administrator.",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn time_of_the_expiry_instead_of_the_lifetime_is_noted() {
        let names = ["expires_in".to_owned()];
        for (value, told) in [
            (json!({"expires_on": "1700000000"}), Some("expires_on")),
            (json!({"expires_at": 1_700_000_000}), Some("expires_at")),
            (
                json!({"expiresAt": "2030-01-01T00:00:00Z"}),
                Some("expiresAt"),
            ),
            (
                json!({"expires_in": 3600, "expires_on": "1700000000"}),
                None,
            ),
            (json!({"expires_at": 0}), None),
            (json!({"expires_at": null}), None),
            (json!({}), None),
        ] {
            let mut notes = Vec::new();
            life(&members(&value), &names, &mut notes);
            assert_eq!(
                notes.first().map(|note| note.contains(told.unwrap_or("?"))),
                told.map(|_| true),
                "{value}"
            );
        }
        // The preset says that the response has no lifetime.
        let mut notes = Vec::new();
        life(
            &members(&json!({"expires_at": 1_700_000_000})),
            &[],
            &mut notes,
        );
        assert!(notes.is_empty());
    }

    #[test]
    fn invalid_lifetime_is_noted_and_not_used() {
        let names = ["expires_in".to_owned()];
        for (value, used, told) in [
            (json!(3600), Some(3600), ""),
            (json!("3600"), Some(3600), ""),
            (json!(0), None, ""),
            (json!(null), None, ""),
            (json!(LONGEST_LIFE), Some(LONGEST_LIFE), ""),
            (
                json!("1 hour"),
                None,
                "expires_in is \"1 hour\", which isn't a number of seconds, so it is ignored.",
            ),
            (json!(-5), None, "expires_in is -5, which isn't a number"),
            (json!("2026-12-01"), None, "isn't a number of seconds"),
            (json!(1_795_862_400), None, "which is more than 10 years"),
            (json!(u64::MAX), None, "isn't a number of seconds"),
            (json!(true), None, "expires_in is true"),
        ] {
            let mut notes = Vec::new();
            let members = members(&json!({ "expires_in": value }));
            assert_eq!(life(&members, &names, &mut notes), used, "{value}");
            assert_eq!(notes.len(), usize::from(!told.is_empty()), "{value}");
            assert!(notes.concat().contains(told), "{notes:?}");
        }
        let mut notes = Vec::new();
        assert_eq!(life(&Map::new(), &names, &mut notes), None);
        assert!(notes.is_empty());
    }

    #[test]
    fn line_break_after_a_token_is_removed_and_noted() {
        for (name, sent, token) in [
            ("access_token", "a\n", "a"),
            ("refresh_token", "r1 t2\r\n", "r1 t2"),
            ("id_token", " i.d.t \n", "i.d.t"),
            // Spaces may belong to a refresh token (RFC 6749, appendix A.17).
            ("refresh_token", "r ", "r "),
        ] {
            let mut notes = Vec::new();
            let members = members(&json!({ name: sent }));
            let found = trimmed(&members, name, &mut notes);
            assert_eq!(found.as_deref(), Some(token));
            assert_eq!(notes.len(), usize::from(sent != token), "{notes:?}");
            let start = format!("The {name} in the response had");
            assert!(
                notes.iter().all(|note| note.starts_with(&start)),
                "{notes:?}"
            );
        }
    }

    #[test]
    fn access_token_that_expired_before_it_arrived_is_noted() {
        let token = |claims: &Value| {
            let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let head = encode(&json!({"alg": "RS256"}));
            format!("{head}.{}.c2ln", encode(claims)).into()
        };
        for (claims, is_noted) in [
            (json!({"exp": 1000}), true),
            (json!({"exp": "1000"}), true),
            (json!({"exp": 1879}), true),
            (json!({"exp": 1880}), false),
            (json!({"exp": 5600}), false),
            (json!({"exp": null}), false),
            (json!({"exp": 1e300}), false),
            (json!({}), false),
        ] {
            let note = expired_on_arrival(&token(&claims), 2000);
            assert_eq!(note.is_some(), is_noted, "{claims}");
        }
        assert_eq!(expired_on_arrival(&"an-opaque-token".into(), 2000), None);
    }

    #[test]
    fn only_token_types_that_need_a_proof_are_noted() {
        for kind in ["DPoP", "dpop", "MAC", "mac", "pop"] {
            let told = needs_proof(kind).unwrap();
            assert!(told.contains("each request needs a"), "{told}");
        }
        // Services call their bearer tokens by other names as well.
        for kind in ["Bearer", "bearer", "bot", "user", "token", "JWT", "oauth"] {
            assert_eq!(needs_proof(kind), None, "{kind}");
        }
    }
}
