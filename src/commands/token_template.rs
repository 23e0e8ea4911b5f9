//! Parses the template of `token --template`: text, with fields in braces.

use std::fmt::Write as _;

use crate::clean::clean;

/// A field of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    AccessToken,
    TokenType,
    ExpiresAt,
    ExpiresIn,
    Scope,
    User,
    IdToken,
    Profile,
}

const FIELDS: [(&str, Field); 8] = [
    ("access_token", Field::AccessToken),
    ("token_type", Field::TokenType),
    ("expires_at", Field::ExpiresAt),
    ("expires_in", Field::ExpiresIn),
    ("scope", Field::Scope),
    ("user", Field::User),
    ("id_token", Field::IdToken),
    ("profile", Field::Profile),
];

/// The encoding of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Url,
    Base64,
    Sh,
}

const ENCODINGS: [(&str, Encoding); 4] = [
    ("json", Encoding::Json),
    ("url", Encoding::Url),
    ("base64", Encoding::Base64),
    ("sh", Encoding::Sh),
];

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Literal text.
    Text(&'a str),
    /// A value; without an encoding, it is printed unchanged.
    Field(Field, Option<Encoding>),
}

/// Maximum length of a field in error messages, in characters.
const SHOWN: usize = 40;

/// Parses a template. A brace that begins no field is literal, so that JSON can be written without escapes.
///
/// # Errors
/// Returns an error, as a sentence, if a brace is probably meant to begin a field but doesn't: a known name or a single
/// word follows it.
pub(super) fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut text = template;
    let mut from = 0;
    while let Some(at) = text[from..].find('{').map(|at| from + at) {
        let rest = &text[at + 1..];
        if !is_meant_as_field(rest) {
            from = at + 1;
            continue;
        }
        let (part, length) = field(rest)?;
        parts.extend([Part::Text(&text[..at]), part]);
        text = &rest[length..];
        from = 0;
    }
    parts.push(Part::Text(text));
    Ok(parts)
}

/// Returns whether the text after a brace is meant as a field: it starts with `word}` or `word|`, or with the name of a
/// field in any case, after optional spaces. A name with a colon is a key, as in `{user: {user}}`, unless a single word
/// follows the colon.
fn is_meant_as_field(rest: &str) -> bool {
    let (word, after) = word(rest);
    if word.is_empty() {
        return false;
    }
    match after.chars().next() {
        Some('}' | '|') => true,
        Some(':') => is_known(word) && self::word(&after[1..]).1.starts_with('}'),
        _ => is_known(word),
    }
}

fn is_known(word: &str) -> bool {
    FIELDS
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case(word))
}

/// Returns the first word of a text, and the rest, both without surrounding spaces. A word begins with a letter.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || matches!(ch, '_' | '-');
    let end = text.find(|ch| !is_part(ch)).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    if word.starts_with(|ch: char| ch.is_ascii_alphabetic()) {
        (word, after.trim_start())
    } else {
        ("", text)
    }
}

/// Parses the field at the start of `rest`. Also returns its length, including the closing brace.
fn field(rest: &str) -> Result<(Part<'_>, usize), String> {
    let end = rest.find(['}', '{', '\n']).unwrap_or(rest.len());
    let inside = &rest[..end];
    let is_closed = rest[end..].starts_with('}');
    let (name, encoding) = match inside.split_once('|') {
        Some((name, encoding)) => (name, Some(encoding)),
        None => (inside, None),
    };
    if !is_closed || inside.contains(|ch: char| ch.is_whitespace() || ch == ':') {
        let brace = if is_closed { "}" } else { "" };
        return Err(format!(
            "--template has the invalid field {}. Write it as {{access_token}} or {{access_token|json}}, without spaces.",
            clean(&format!("{{{inside}{brace}"), SHOWN)
        ));
    }
    let Some(field) = named(&FIELDS, name) else {
        return Err(format!(
            "--template has the unknown field {{{}}}. It can have {}.",
            clean(name, SHOWN),
            list(&FIELDS, "and")
        ));
    };
    let encoding = match encoding {
        None => None,
        Some(encoding) => match named(&ENCODINGS, encoding) {
            Some(known) => Some(known),
            None => {
                return Err(format!(
                    "--template has the unknown encoding {}. It can be {}.",
                    clean(encoding, SHOWN),
                    list(&ENCODINGS, "or")
                ));
            }
        },
    };
    Ok((Part::Field(field, encoding), end + 1))
}

fn named<T: Copy>(all: &[(&str, T)], name: &str) -> Option<T> {
    let (_, found) = all.iter().find(|(known, _)| *known == name)?;
    Some(*found)
}

/// Lists names for use in a sentence.
fn list<T>(all: &[(&str, T)], last: &str) -> String {
    let mut text = String::new();
    for (at, (name, _)) in all.iter().enumerate() {
        let before = match at {
            0 => String::new(),
            _ if at + 1 == all.len() => format!(" {last} "),
            _ => ", ".to_owned(),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "{before}{name}");
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    /// Returns the template with its fields in angle brackets.
    fn marked(template: &str) -> String {
        let parts = parts(template).unwrap();
        let marked = parts.into_iter().map(|part| match part {
            Part::Text(text) => text.to_owned(),
            Part::Field(field, encoding) => format!("<{field:?} {encoding:?}>"),
        });
        marked.collect()
    }

    #[test]
    fn braces_outside_fields_are_literal() {
        for (template, expected) in [
            ("", ""),
            ("{profile}", "<Profile None>"),
            ("{{profile}}", "{<Profile None>}"),
            (
                "{\"a\":{\"b\":{access_token|json}}}",
                "{\"a\":{\"b\":<AccessToken Some(Json)>}}",
            ),
            (
                "{access_token: {access_token|sh}}",
                "{access_token: <AccessToken Some(Sh)>}",
            ),
            ("{user:{user}}", "{user:<User None>}"),
            ("{ user: x, scope: y }", "{ user: x, scope: y }"),
            ("{a,b} {1..3} {0} {} { } {", "{a,b} {1..3} {0} {} { } {"),
            ("f() { echo x; }", "f() { echo x; }"),
            ("a } b", "a } b"),
        ] {
            assert_eq!(marked(template), expected, "{template}");
        }
    }

    #[test]
    fn malformed_fields_are_errors() {
        for (template, words) in [
            ("{access_token|JSON}", "unknown encoding JSON."),
            ("{access_token|}", "unknown encoding ."),
            ("{access_token|json|url}", "unknown encoding json|url."),
            ("{access-token}", "unknown field {access-token}."),
            ("{Access_Token}", "unknown field {Access_Token}."),
            ("{refresh_token}", "unknown field {refresh_token}."),
            ("{nope|json}", "unknown field {nope}."),
            ("{ access_token }", "invalid field { access_token }."),
            (
                "{access_token |json}",
                "invalid field {access_token |json}.",
            ),
            ("{ nope }", "invalid field { nope }."),
            ("{access_token:json}", "invalid field {access_token:json}."),
            ("{access_token", "invalid field {access_token."),
            ("{access_token|json", "invalid field {access_token|json."),
            ("{user {profile}", "invalid field {user"),
            ("{\"t\":{access_token\n}", "invalid field {access_token."),
            ("{USER agent}", "invalid field {USER agent}."),
        ] {
            let error = parts(template).unwrap_err();
            assert!(error.contains(words), "{template}: {error}");
        }
        let error = parts("{x}").unwrap_err();
        assert!(error.ends_with("user, id_token and profile."), "{error}");
    }
}
