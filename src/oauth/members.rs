//! Single members of a response: texts and numbers.

use serde_json::{Map, Value};

/// Returns a member as text.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_owned)
}

/// Returns a code or token as text. Some services send it as a number.
pub(super) fn token(members: &Map<String, Value>, name: &str) -> Option<String> {
    token_of(members.get(name)?)
}

/// Returns a value as a code or token.
pub(super) fn token_of(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) if number.is_u64() => Some(number.to_string()),
        value => value.as_str().map(str::to_owned),
    }
}

/// Returns whether a text means that there is no value, such as `null` from a program that makes texts of everything.
pub(super) fn is_none(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    NONE.contains(&text.as_str())
}

/// Texts that mean that there is no value.
const NONE: &[&str] = &[
    "",
    "null",
    "none",
    "nil",
    "undefined",
    "false",
    "n/a",
    "error",
];

/// Returns a member as a number of seconds. Some services send it as text or with a fraction.
pub(super) fn number(members: &Map<String, Value>, name: &str) -> Option<u64> {
    seconds(members.get(name)?)
}

/// Returns a value as a number of seconds. Fractions are truncated. A number that is not a valid duration is ignored.
pub(super) fn seconds(value: &Value) -> Option<u64> {
    let number = float(value)?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded just here"
    )]
    (0.0..1e12).contains(&number).then_some(number as u64)
}

/// Returns a value as a number, which may be sent as text.
pub(super) fn float(value: &Value) -> Option<f64> {
    let number = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok());
    number.filter(|number| number.is_finite())
}

/// Returns the value at a path such as `errors.0.description`.
pub(super) fn at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut parts = path.split('.');
    let first = members.get(parts.next()?)?;
    parts.try_fold(first, |value, part| match value {
        Value::Object(members) => members.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn path_traverses_objects_and_lists() {
        let members: Map<String, Value> = serde_json::from_str(
            r#"{"a":{"b":{"c":1}},"errors":[{"description":"slow_down"}],"n":null}"#,
        )
        .unwrap();
        assert_eq!(at(&members, "a.b.c").unwrap(), 1);
        assert_eq!(at(&members, "errors.0.description").unwrap(), "slow_down");
        for path in ["a.x", "errors.1", "errors.description", "a.b.c.d", ""] {
            assert!(at(&members, path).is_none(), "{path}");
        }
    }
}
