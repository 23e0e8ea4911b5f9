//! Checks the values of extra parameters whose rules are known.

use serde_json::{Map, Value};
use url::Url;

use crate::clean::clean;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};

/// The values of `prompt` (OpenID Connect Core, section 3.1.2.1; Initiating User Registration via OpenID Connect).
const PROMPTS: [&str; 4] = ["login", "consent", "select_account", "create"];

/// The parameters that may be repeated: the resources of a token (RFC 8707, section 2), and an older name for them.
const REPEATED: [&str; 2] = ["resource", "audience"];

/// Returns the problems of these parameters, in the same order.
pub(super) fn problems(parameters: &[(String, String)]) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for (at, (name, value)) in parameters.iter().enumerate() {
        let before = &parameters[..at];
        if before.iter().any(|(known, _)| known == name) && !REPEATED.contains(&name.as_str()) {
            let text = format!(
                "{} is set twice. Keep one of them; most services reject the request otherwise",
                clean(name, 40)
            );
            found.push(problem(Severity::Error, "set twice", text));
        }
        found.extend(match name.as_str() {
            "resource" => resource(value),
            "claims" => claims(value),
            "prompt" => prompt(value),
            "max_age" => max_age(value),
            "acr_values" => acr_values(value),
            _ => None,
        });
    }
    found
}

fn problem(severity: Severity, word: &'static str, text: impl Into<String>) -> Problem {
    Problem::new(Key::ExtraParameters, severity, word, text.into())
}

/// Checks `resource` (RFC 8707, section 2). Returns only a warning, because some services expect their own identifiers.
fn resource(value: &str) -> Option<Problem> {
    let is_one = value.is_ascii()
        && !value.contains(|ch: char| ch.is_ascii_whitespace() || ch.is_ascii_control())
        && Url::parse(value).is_ok_and(|url| url.fragment().is_none());
    (!is_one).then(|| {
        let text = "resource should be an absolute URI without a fragment, such as https://api.example.com. Services that \
            follow RFC 8707 reject anything else";
        problem(Severity::Warning, "resource", text)
    })
}

/// Checks `claims` (OpenID Connect Core, section 5.5).
fn claims(value: &str) -> Option<Problem> {
    let object = serde_json::from_str::<Map<String, Value>>(value);
    let is_one = object.is_ok_and(|members| {
        let mut known = ["userinfo", "id_token"]
            .iter()
            .filter_map(|name| members.get(*name));
        known.all(Value::is_object)
    });
    (!is_one).then(|| {
        let text = r#"claims must be a JSON object without spaces, such as {"id_token":{"email":null}}. Its userinfo and id_token must be objects, too"#;
        problem(Severity::Error, "claims", text)
    })
}

/// Checks `prompt` (OpenID Connect Core, section 3.1.2.1).
fn prompt(value: &str) -> Option<Problem> {
    let values: Vec<&str> = value.split(' ').filter(|one| !one.is_empty()).collect();
    if values.is_empty() {
        let text = format!(
            "prompt is empty. Enter one or more of {}, or remove it",
            PROMPTS.join(", ")
        );
        Some(problem(Severity::Error, "prompt", text))
    } else if values.contains(&"none") && values.len() > 1 {
        let text = "prompt=none can't be combined with other values. Remove none: with it, the service shows no sign-in page";
        Some(problem(Severity::Error, "prompt", text))
    } else if values.contains(&"none") {
        let text = "With prompt=none, the service shows no sign-in page, so it works only in a browser where you are already \
            signed in. Remove it to sign in";
        Some(problem(Severity::Warning, "prompt", text))
    } else {
        let unknown = values.iter().find(|one| !PROMPTS.contains(one))?;
        let text = format!(
            "{} is not a standard value of prompt. The standard values are {}",
            clean(unknown, 40),
            PROMPTS.join(", ")
        );
        Some(problem(Severity::Warning, "prompt", text))
    }
}

/// Checks `max_age` (OpenID Connect Core, section 3.1.2.1).
fn max_age(value: &str) -> Option<Problem> {
    let is_digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let is_one = is_digits && value.parse::<u64>().is_ok();
    (!is_one).then(|| {
        let text = "max_age must be a whole number of seconds, such as 3600, or 0 to sign in again";
        problem(Severity::Error, "max_age", text)
    })
}

/// Checks `acr_values` (OpenID Connect Core, section 3.1.2.1).
fn acr_values(value: &str) -> Option<Problem> {
    value.trim().is_empty().then(|| {
        let text = "acr_values is empty. Enter values separated by %20, in the order of preference, or remove it";
        problem(Severity::Error, "acr_values", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(Severity, &'static str)> {
        let parameters: Vec<(String, String)> = url::form_urlencoded::parse(text.as_bytes())
            .into_owned()
            .collect();
        let found = problems(&parameters);
        assert!(found.iter().all(|it| it.key == Key::ExtraParameters));
        found.iter().map(|it| (it.severity, it.word)).collect()
    }

    #[test]
    fn known_parameters_are_checked_by_their_own_rules() {
        const ERROR: Severity = Severity::Error;
        const WARNING: Severity = Severity::Warning;
        for (text, expected) in [
            ("audience=a&audience=b&other=&x=y", None),
            ("x=1&x=2", Some((ERROR, "set twice"))),
            ("prompt=login&prompt=login", Some((ERROR, "set twice"))),
            ("resource=https://a.example&resource=urn:b:c", None),
            ("resource=https://a.example/x?y=z", None),
            (
                "resource=https://a.example/%23x",
                Some((WARNING, "resource")),
            ),
            ("resource=/relative", Some((WARNING, "resource"))),
            ("resource=", Some((WARNING, "resource"))),
            (
                "resource=https://a.example/a%20b",
                Some((WARNING, "resource")),
            ),
            (
                "resource=00000003-0000-0000-c000-000000000000",
                Some((WARNING, "resource")),
            ),
            (r#"claims={"id_token":{"acr":{"essential":true}}}"#, None),
            (
                r#"claims={"userinfo":{},"id_token":{"email":null},"other":1}"#,
                None,
            ),
            ("claims=%7B%7D", None),
            ("claims={}}", Some((ERROR, "claims"))),
            ("claims=[]", Some((ERROR, "claims"))),
            ("claims=", Some((ERROR, "claims"))),
            (r#"claims={"id_token":["email"]}"#, Some((ERROR, "claims"))),
            ("prompt=consent", None),
            ("prompt=login%20select_account+consent", None),
            ("prompt=create", None),
            ("prompt=none", Some((WARNING, "prompt"))),
            ("prompt=none%20login", Some((ERROR, "prompt"))),
            ("prompt=login%20none", Some((ERROR, "prompt"))),
            ("prompt=", Some((ERROR, "prompt"))),
            ("prompt=Login", Some((WARNING, "prompt"))),
            ("prompt=admin_consent", Some((WARNING, "prompt"))),
            ("max_age=0", None),
            ("max_age=3600", None),
            ("max_age=-1", Some((ERROR, "max_age"))),
            ("max_age=%2B1", Some((ERROR, "max_age"))),
            ("max_age=1.5", Some((ERROR, "max_age"))),
            ("max_age=1h", Some((ERROR, "max_age"))),
            ("max_age=", Some((ERROR, "max_age"))),
            ("max_age=99999999999999999999", Some((ERROR, "max_age"))),
            ("acr_values=urn:a%20urn:b", None),
            ("acr_values=%20", Some((ERROR, "acr_values"))),
        ] {
            assert_eq!(
                found(text),
                expected.into_iter().collect::<Vec<_>>(),
                "{text}"
            );
        }
    }

    #[test]
    fn deeply_nested_json_is_an_error() {
        let deep = format!(
            "claims={}{}",
            "{\"a\":".repeat(100_000),
            "}".repeat(100_000)
        );
        assert_eq!(found(&deep), [(Severity::Error, "claims")]);
    }
}
