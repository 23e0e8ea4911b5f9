//! Single members of a response: texts and numbers.

use serde_json::{Map, Value};

/// Returns a member as text.
pub(super) fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_owned)
}

/// Returns a member as a number of seconds. Some services send it as text or with a fraction.
pub(super) fn number(members: &Map<String, Value>, name: &str) -> Option<u64> {
    let value = members.get(name)?;
    let number = value
        .as_f64()
        .or_else(|| value.as_str()?.trim().parse().ok())?;
    // Fractions are truncated. A number that is not a valid duration is ignored.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bounded just here"
    )]
    (0.0..1e12).contains(&number).then_some(number as u64)
}
