//! The error in a response, in any of the forms in which services send it.

use serde_json::{Map, Value};

use super::codes::{as_in_protocol, is_protocol_code};
use super::dialect::Answers;
use super::failure::{NO_CODE, ServerError};
use super::members::at;
use super::words::{problem, with_details};

/// Returns whether the text is a message that a service sent instead of a token: three or more words, or two words
/// without digits or inner capitals. No word of it looks like a secret.
#[must_use]
pub fn is_sentence(text: &str) -> bool {
    let plain = |word: &str| {
        let letters = |ch: char| ch.is_alphabetic() || ch.is_ascii_punctuation();
        let number = |ch: char| ch.is_ascii_uppercase() || ch.is_ascii_digit() || ch == ':';
        (word.chars().all(letters) && word.chars().count() <= 24)
            || (word.chars().all(number) && word.len() <= 15)
    };
    let small = |word: &str| {
        !word.contains(|ch: char| ch.is_ascii_digit())
            && !word.chars().skip(1).any(char::is_uppercase)
    };
    let mut words = text.split_whitespace();
    text.len() <= HEAD_LIMIT
        && !text.to_ascii_lowercase().starts_with("bearer ")
        && words.all(plain)
        && match text.split_whitespace().count() {
            0 | 1 => false,
            2 => text.split_whitespace().all(small),
            _ => true,
        }
}

/// Maximum length of an error's text that is examined, in bytes. The text that is shown is shorter.
const HEAD_LIMIT: usize = 4096;

/// Error codes that tell a program what to do next (RFC 8628, section 3.5). Some services put them into a sentence.
const SIGNALS: &[&str] = &[
    "authorization_pending",
    "slow_down",
    "access_denied",
    "expired_token",
];

/// Objects in which some services send the error of the protocol.
const INNER: &[&str] = &["data", "result", "response", "fault", "exception"];

/// Returns the error in a response that should contain `wanted`. Members other than `error` count only if `wanted` is
/// missing or the response says that it failed.
pub(super) fn error(
    members: &Map<String, Value>,
    dialect: &Answers,
    wanted: &str,
) -> Option<ServerError> {
    let refused = dialect
        .success
        .as_deref()
        .is_some_and(|name| at(members, name) == Some(&Value::Bool(false)));
    let there = |path: &&String| *path == "error" || refused || !members.contains_key(wanted);
    let found = dialect
        .error
        .iter()
        .filter(there)
        .find_map(|path| code_and_message(at(members, path)?));
    // A list of errors counts only if it has a code of the protocol: APIs have lists of all kinds.
    let listed = || {
        let (code, message) = code_and_message(members.get("errors")?)?;
        (!members.contains_key(wanted) && is_protocol_code(&code)).then_some((code, message))
    };
    // Apigee.
    let capitalized = || {
        let code = members.get("ErrorCode")?.as_str()?;
        let message = members.get("Error").and_then(Value::as_str).map(head);
        let is_error = !members.contains_key(wanted) && is_protocol_code(as_in_protocol(code));
        is_error.then(|| (code.to_owned(), message))
    };
    // Other spellings count only with a code of the protocol, and so do errors in another object.
    let spelled = |members: &Map<String, Value>| {
        let mut all = members.iter();
        let (_, value) = all.find(|(name, _)| name.eq_ignore_ascii_case("error"))?;
        let (code, message) = code_and_message(value)?;
        let is_known = is_protocol_code(as_in_protocol(&code));
        let message = message.or_else(|| problem(members));
        (is_known && !members.contains_key(wanted)).then_some((code, message))
    };
    let inside = || {
        let mut objects = INNER
            .iter()
            .filter_map(|name| members.get(*name)?.as_object());
        objects
            .find_map(spelled)
            .filter(|_| !members.contains_key(wanted))
    };
    let found = found
        .or_else(listed)
        .or_else(capitalized)
        .or_else(|| spelled(members))
        .or_else(inside);
    let (code, beside) = match found {
        Some(found) => found,
        None if refused => (NO_CODE.to_owned(), None),
        None => return None,
    };
    let description = dialect
        .error_description
        .iter()
        .find_map(|path| said(at(members, path)?))
        .or(beside)
        .or_else(|| problem(members));
    let description = with_details(description, members);
    // Ory describes the fix in a second text.
    let description = match (description, members.get("error_hint").and_then(said)) {
        (Some(description), Some(hint)) if !description.contains(&hint) => {
            Some(format!("{description} {hint}"))
        }
        (description, hint) => description.or(hint),
    };
    if !code.contains(char::is_whitespace) {
        return Some(ServerError::new(&code, description.as_deref()));
    }
    Some(from_sentence(&code, description.as_deref()))
}

/// Creates an error from a sentence in place of an error code. The sentence is the description, and the code may be in
/// it.
pub(super) fn from_sentence(sentence: &str, description: Option<&str>) -> ServerError {
    // The whole sentence may be a code in words.
    let code = sentence.trim().trim_end_matches('.').to_ascii_lowercase();
    let code = code.replace([' ', '-'], "_");
    let is_said = |word: &&&str| sentence.contains(**word) || code == **word;
    let signal = SIGNALS.iter().find(is_said);
    let all = match description.filter(|description| *description != sentence) {
        // The description repeats the sentence, and says more.
        Some(description) if description.starts_with(sentence) => description.to_owned(),
        Some(description) => format!("{sentence}: {description}"),
        None => sentence.to_owned(),
    };
    let Some(signal) = signal else {
        // The prefix only repeats that this is an error.
        let all = all.strip_prefix("error: ").unwrap_or(&all);
        return ServerError::new(NO_CODE, Some(all));
    };
    ServerError::new(signal, Some(&all))
}

/// Values of `error` that mean that there is no error.
const NO_ERROR: &[&str] = &[
    "", "0", "none", "ok", "success", "null", "false", "no_error",
];

/// Returns whether the value of `error` means that there is no error.
pub(super) fn says_no_error(text: &str) -> bool {
    NO_ERROR.contains(&text.trim().to_ascii_lowercase().as_str())
}

/// Returns the start of a text, as much as an error needs.
fn head(text: &str) -> String {
    text[..text.floor_char_boundary(HEAD_LIMIT)].to_owned()
}

/// Returns a description, which may also be a number, a list of texts, or a text for each language.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(head(text)),
        Value::Array(list) => {
            let texts: Vec<&str> = list.iter().filter_map(Value::as_str).take(10).collect();
            (!texts.is_empty()).then(|| head(&texts.join("; ")))
        }
        Value::Object(texts) => {
            let text = texts.get("en").or_else(|| texts.values().next())?;
            text.as_str().map(head)
        }
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Returns an error code, and its message if the service sends an object instead of a string.
fn code_and_message(value: &Value) -> Option<(String, Option<String>)> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::String(code) if says_no_error(code) => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::Object(object) if object.is_empty() => None,
        Value::String(code) => Some((head(code), None)),
        Value::Object(object) => {
            let one = |names: &[&str]| {
                names.iter().find_map(|name| match object.get(*name)? {
                    Value::String(text) if !text.is_empty() => Some(head(text)),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                })
            };
            let message = one(&["message", "error_description", "description", "detail"])
                .or_else(|| problem(object));
            // A reason may also be a word for programs.
            let reason = one(&["reason"]).filter(|reason| reason.contains(' '));
            let message = match (message, reason) {
                (Some(message), Some(reason)) if message != reason => {
                    Some(format!("{}: {reason}", message.trim_end_matches('.')))
                }
                (message, reason) => message.or(reason),
            };
            match one(&["error", "code", "status", "type", "errorType", "errorCode"]) {
                Some(code)
                    if says_no_error(&code) && message.as_deref().is_none_or(says_no_error) =>
                {
                    None
                }
                Some(code) => Some((code, message)),
                // Its other members may contain anything, so they are not shown.
                None => Some((
                    message.unwrap_or_else(|| "an error without a description".to_owned()),
                    None,
                )),
            }
        }
        Value::Number(_) => Some((value.to_string(), None)),
        Value::Array(list) => list.first().and_then(code_and_message),
    }
}
