//! Detects key IDs that are invalid or contain extra text.

use serde_json::Value;

use super::suggestion::{character, suggested};
use crate::clean::{is_visible, trimmed};
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::oauth::client_authentication::ClientAuthentication;

/// Maximum number of characters in a key ID. Services use hashes, dates and names.
const MOST: usize = 256;

/// Returns the problem with the key ID, if a key ID is used.
pub(super) fn key_id_problem(settings: &Settings) -> Option<Problem> {
    let key = Key::ClientKeyId;
    if settings.client_authentication() != ClientAuthentication::PrivateKeyJwt {
        return None;
    }
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let error = |word, text: &str, meant| {
        let error = Severity::Error;
        Some(suggested(settings, key, error, word, text, meant))
    };
    if let Some(id) = of_json(typed) {
        let text = "This is a part of a key in JSON format. Enter only the value of kid";
        return error("not an ID", text, Some(id));
    }
    let length = typed.chars().count();
    if length > MOST {
        let text = format!(
            "The Key ID has {length} characters, but can have at most {MOST}. Enter the ID of the key, not the key itself"
        );
        return error("too long", &text, None);
    }
    let (place, ch) = (1..).zip(typed.chars()).find(|(_, ch)| !is_visible(*ch))?;
    let text = format!(
        "Character {place} of the Key ID is {}, but a key ID can contain only visible characters",
        character(ch)
    );
    let meant = typed.chars().filter(|ch| is_visible(*ch)).collect();
    error("wrong character", &text, Some(meant))
}

/// Returns the `kid` of a JSON Web Key, or of the single line that contains it.
fn of_json(text: &str) -> Option<String> {
    let line = format!("{{{}}}", text.trim_end_matches(','));
    let members = [text, &line]
        .into_iter()
        .find_map(|text| serde_json::from_str::<Value>(text).ok())?;
    Some(trimmed(members.get("kid")?.as_str()?).to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::presets;

    /// Returns what is said about this key ID, and what is offered instead.
    fn said(form: &mut Settings, typed: &str) -> Option<(String, Option<String>)> {
        form.set(Key::ClientKeyId, typed.to_owned());
        let problem = key_id_problem(form)?;
        assert_eq!(problem.severity, Severity::Error);
        let offered = problem.remedy.map(|remedy| {
            form.apply(&remedy.change);
            assert_eq!(key_id_problem(form), None);
            form.value(Key::ClientKeyId)
        });
        Some((problem.text, offered))
    }

    #[test]
    fn key_id_accepts_any_visible_characters() {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set(Key::ClientKey, "k.pem".to_owned());
        let longest = "k".repeat(MOST);
        for id in [
            "",
            "main",
            "7k_-A=",
            "key 1",
            "Schlüssel",
            "{main}",
            "12",
            &longest,
        ] {
            assert_eq!(said(&mut form, id), None, "{id}");
        }
        for (typed, words, offered) in [
            (
                "ma\nin",
                "Character 3 of the Key ID is a line break",
                Some("main"),
            ),
            (
                "ma\u{1b}in",
                "Character 3 of the Key ID is a control character",
                Some("main"),
            ),
            (
                "ma\u{200b}in",
                "an invisible character (U+200B)",
                Some("main"),
            ),
            (
                "{\"kty\": \"EC\", \"kid\": \"main\"}",
                "only the value of kid. Did you mean main?",
                Some("main"),
            ),
            ("\"kid\": \"main\",", "only the value of kid", Some("main")),
            (
                &format!("{longest}k"),
                "has 257 characters, but can have at most 256",
                None,
            ),
        ] {
            let (text, instead) = said(&mut form, typed).unwrap();
            assert!(text.contains(words), "{text}");
            assert_eq!(instead.as_deref(), offered, "{typed:?}");
        }
        // If the key ID isn't used, there is no other message about it.
        form.set(Key::ClientKey, String::new());
        assert_eq!(said(&mut form, "ma\nin"), None);
    }
}
