//! What is odd about a token response that is accepted all the same, as notes for the user.

use serde_json::{Map, Value};

use super::members::{number, text};
use crate::clean::clean;

/// Maximum lifetime that is accepted: ten years, in seconds. Some services send the time of the expiry instead.
pub const LONGEST_LIFE: u64 = 10 * 366 * 86_400;

/// Returns a token without the line breaks at its end, or the blanks around an ID token, which contains none.
pub(super) fn trimmed(
    members: &Map<String, Value>,
    name: &str,
    notes: &mut Vec<String>,
) -> Option<String> {
    let sent = text(members, name)?;
    let token = if name == "id_token" {
        sent.trim()
    } else {
        sent.trim_end_matches(['\r', '\n'])
    };
    if token.len() < sent.len() && !token.is_empty() {
        notes.push(format!(
            "The {name} in the response is followed by a line break or blanks, which were removed."
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
    let (name, value, why) = odd?;
    notes.push(format!(
        "{} is {}, which {why}, so it is ignored. It isn't known when the access token expires.",
        clean(name, 40),
        clean(&value.to_string(), 40)
    ));
    None
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

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends on what it did not expect"
)]
mod tests {
    use super::super::answer::Answer;
    use super::super::dialect::Answers;
    use super::super::token::{Reading, TokenSet, issued_refresh_token, parse_token_answer};
    use super::*;
    use crate::secret::ExposeSecret;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn tokens(members: &str) -> TokenSet {
        let answer = answer(&format!("{{{members}}}"));
        match parse_token_answer(&answer, &Answers::default()) {
            Reading::Tokens(tokens) => *tokens,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_lifetime_that_is_none_is_told_and_not_used() {
        for (value, used, told) in [
            ("3600", Some(3600), None),
            ("\"3600\"", Some(3600), None),
            ("0", None, None),
            ("null", None, None),
            ("316224000", Some(LONGEST_LIFE), None),
            (
                "\"1 hour\"",
                None,
                Some("expires_in is \"1 hour\", which isn't a number of seconds"),
            ),
            ("-5", None, Some("expires_in is -5, which isn't a number")),
            (
                "\"2026-12-01\"",
                None,
                Some("which isn't a number of seconds, so it is ignored."),
            ),
            (
                "1795862400",
                None,
                Some("expires_in is 1795862400, which is more than 10 years"),
            ),
            (
                "9223372036854775807",
                None,
                Some("which isn't a number of seconds"),
            ),
            ("true", None, Some("expires_in is true")),
        ] {
            let set = tokens(&format!(r#""access_token":"a","expires_in":{value}"#));
            assert_eq!(set.expires_in, used, "{value}");
            let notes = set.notes.join(" ");
            assert_eq!(notes.is_empty(), told.is_none(), "{value}: {notes}");
            assert!(notes.contains(told.unwrap_or_default()), "{notes}");
        }
        assert_eq!(tokens(r#""access_token":"a""#).notes, [""; 0]);
    }

    #[test]
    fn a_line_break_after_a_token_is_removed_and_told() {
        let set =
            tokens(r#""access_token":"a\n","refresh_token":"r1 t2\r\n","id_token":" i.d.t \n""#);
        assert_eq!(set.access_token.expose_secret(), "a");
        assert_eq!(set.refresh_token.unwrap().expose_secret(), "r1 t2");
        assert_eq!(set.id_token.unwrap().expose_secret(), "i.d.t");
        for (note, name) in set.notes.iter().zip(["access", "refresh", "id"]) {
            assert!(note.starts_with(&format!("The {name}_token in")), "{note}");
        }
        assert_eq!(set.notes.len(), 3);
        // Spaces may belong to a refresh token (RFC 6749, appendix A.17).
        let set = tokens(r#""access_token":"a","refresh_token":"r ""#);
        assert_eq!(set.refresh_token.unwrap().expose_secret(), "r ");
    }

    #[test]
    fn only_types_that_need_more_than_the_token_are_told() {
        let notes = |kind: &str| {
            let members = format!(r#""access_token":"a","token_type":"{kind}""#);
            tokens(&members).notes
        };
        for kind in ["DPoP", "dpop", "MAC", "mac", "pop"] {
            assert!(notes(kind).join(" ").contains("needs a"), "{kind}");
        }
        // Services call their bearer tokens by other names as well.
        for kind in ["Bearer", "bearer", "bot", "user", "token", "JWT", "oauth"] {
            assert_eq!(notes(kind), [""; 0], "{kind}");
        }
    }

    #[test]
    fn a_new_refresh_token_next_to_useless_tokens_is_found() {
        let found = |status, body: &str| {
            let answer = Answer {
                status,
                ..answer(body)
            };
            let token = issued_refresh_token(&answer, &Answers::default());
            token.map(|token| token.expose_secret().to_owned())
        };
        for body in [
            r#"{"access_token":"a 9","refresh_token":"new"}"#,
            r#"{"access_token":"a","token_type":"","refresh_token":"new"}"#,
            r#"{"access_token":"","refresh_token":"new"}"#,
            r#"{"access_token":"\u0007","refresh_token":"new\n"}"#,
            r#"{"id_token":"a.b.c","refresh_token":"new"}"#,
        ] {
            assert_eq!(found(200, body).as_deref(), Some("new"), "{body}");
            assert_eq!(found(400, body), None, "{body}");
        }
        for body in [
            "",
            "<html>",
            r#"{"access_token":"a 9"}"#,
            r#"{"access_token":"a 9","refresh_token":null}"#,
            r#"{"access_token":"a 9","refresh_token":"none"}"#,
            r#"{"access_token":"a 9","refresh_token":"this is no token"}"#,
            r#"{"access_token":"a 9","refresh_token":"a\u0007b"}"#,
            r#"{"error":"invalid_grant","refresh_token":"new"}"#,
        ] {
            assert_eq!(found(200, body), None, "{body}");
        }
    }
}
