//! JSON that contains secrets, wiped when it is dropped.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroize;

/// A JSON value whose strings are wiped when it is dropped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Wiped(pub(super) Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Wipes all strings in a value. The recursion is bounded, because parsing limits the depth.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_are_wiped_at_every_depth() {
        let mut value = json!({"a": "secret", "b": [{"c": "secret"}, 1, null]});
        wipe(&mut value);
        assert_eq!(value, json!({"a": "", "b": [{"c": ""}, 1, null]}));
    }
}
