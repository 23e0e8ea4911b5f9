//! Detects variables that a shell, a template or a browser didn't replace with their values.

use crate::form::wrapping::only_names_a_value;

/// What surrounds the name of a variable in shells, templates and instructions.
const MARKS: [(&str, &str); 7] = [
    ("${{", "}}"),
    ("{{", "}}"),
    ("${", "}"),
    ("$(", ")"),
    ("$", ""),
    ("%", "%"),
    ("<", ">"),
];

/// What programs print for a variable without a value.
const NOTHING: &[&str] = &["null", "(null)", "undefined", "None"];

/// Returns whether the whole value is a variable, such as `$CLIENT_ID`, `%CLIENT_ID%` or `{{ client_id }}`. A real value
/// may contain the same marks, so only capital letters and the words of a label count between them.
pub(super) fn is_unfilled(value: &str) -> bool {
    NOTHING.contains(&value)
        || MARKS.iter().any(|(opening, closing)| {
            let inner = value.strip_prefix(opening);
            let inner = inner.and_then(|rest| rest.strip_suffix(closing));
            inner.is_some_and(|inner| match *opening {
                "{{" | "${{" => is_path(inner.trim()),
                // Brackets surround real values too.
                "<" => inner.contains('_') && is_constant(inner),
                // PowerShell names a drive in front of the variable.
                "$" if inner.contains(':') => inner.split_once(':').is_some_and(|(drive, name)| {
                    drive.bytes().all(|byte| byte.is_ascii_lowercase()) && is_constant(name)
                }),
                _ => is_constant(inner) || (is_name(inner) && only_names_a_value(inner)),
            })
        })
}

/// Returns the first variable in a URL: a segment of the path, or the host, such as `:tenant` and `$TENANT`, or
/// `%7Btenant%7D`, which is how browsers copy `{tenant}`.
pub(super) fn in_url(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next().unwrap_or_default();
    let mut parts = path.split('/').enumerate();
    parts.find_map(|(at, part)| {
        if let Some(name) = encoded(part) {
            return Some(name);
        }
        let is_route = at > 0 && part.strip_prefix(':').is_some_and(is_name);
        let is_variable = part.starts_with(['$', '%']) && is_unfilled(part);
        (is_route || is_variable).then(|| part.to_owned())
    })
}

/// Returns the placeholder in a part of a URL whose brackets are percent-encoded.
fn encoded(part: &str) -> Option<String> {
    let upper = part.to_ascii_uppercase();
    [("%7B", "%7D", '{', '}'), ("%3C", "%3E", '<', '>')]
        .into_iter()
        .find_map(|(opening, closing, left, right)| {
            let start = upper.find(opening)? + opening.len();
            let end = start + upper.get(start..)?.find(closing)?;
            let name = part.get(start..end)?;
            is_name(name).then(|| format!("{left}{name}{right}"))
        })
}

/// Returns whether the text is a name in capital letters.
fn is_constant(text: &str) -> bool {
    let fits = |ch: char| ch.is_ascii_uppercase() || ch.is_ascii_digit() || ch == '_';
    text.len() > 1 && text.chars().all(fits) && is_name(text)
}

/// Returns whether the text is a name, as of a variable.
fn is_name(text: &str) -> bool {
    let fits = |ch: char| ch.is_ascii_alphanumeric() || ch == '_' || ch == '-';
    text.starts_with(|ch: char| ch.is_ascii_alphabetic() || ch == '_') && text.chars().all(fits)
}

/// Returns whether the text consists of names with periods between them, as in templates.
fn is_path(text: &str) -> bool {
    let text = text.strip_prefix('.').unwrap_or(text);
    text.split('.').all(is_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_that_was_not_replaced_is_recognized() {
        for value in [
            "$CLIENT_ID",
            "${CLIENT_ID}",
            "$(CLIENT_ID)",
            "$env:CLIENT_ID",
            "%CLIENT_ID%",
            "$client_id",
            "${client-id}",
            "{{client_id}}",
            "{{ .Values.clientId }}",
            "${{ secrets.CLIENT_ID }}",
            "<GOOD_CLIENT_ID>",
        ] {
            assert!(is_unfilled(value), "{value}");
        }
        for value in [
            "",
            "$",
            "$A",
            "$$",
            "%%",
            "$aB3xY9",
            "pa$WORD",
            "%aB3%",
            "$AB-C$",
            "50%",
            "%AB3x~Q%",
            "<ABC123>",
            "{ABC}",
            "{{}}",
            "$1234",
            "CLIENT_ID",
        ] {
            assert!(!is_unfilled(value), "{value}");
        }
    }

    #[test]
    fn variable_in_a_url_is_recognized() {
        for (url, found) in [
            ("https://as.example/%7Btenant%7D/token", Some("{tenant}")),
            ("https://as.example/%7btenant_id%7d", Some("{tenant_id}")),
            ("https://%3Chost%3E/token", Some("<host>")),
            ("https://as.example/:tenant/token", Some(":tenant")),
            ("https://as.example/$TENANT/token", Some("$TENANT")),
            ("https://$HOST/token", Some("$HOST")),
            ("https://as.example/%TENANT%/token", Some("%TENANT%")),
            ("https://as.example/a%7B1%7D", None),
            ("https://as.example/?x=%7Ba%7D", None),
            ("https://as.example/v1/a:token", None),
            ("https://as.example/%E4%BA", None),
            ("http://:18501/", None),
            ("http://[::1]:8400/cb", None),
            ("com.example.app:/cb", None),
            ("urn:ietf:wg:oauth:2.0:oob", None),
        ] {
            assert_eq!(in_url(url).as_deref(), found, "{url}");
        }
    }
}
