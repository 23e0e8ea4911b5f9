//! Secret text, which is redacted and wiped.
//!
//! Secrets are [`SecretString`]s: no `Display`, a redacted `Debug`, wiped on drop. Copies in libraries or screen
//! buffers are short-lived, but not guaranteed to be wiped.

use std::io::{self, Read};

pub use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The default environment variable for the client secret.
pub const SECRET_VARIABLE: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";

/// Reads at most `limit` bytes, which may contain secrets. The buffer has its full size from the start: growing it would
/// leave copies behind that are not wiped.
///
/// # Errors
/// Returns the error of the reader.
pub fn read(reader: impl Read, limit: u64) -> io::Result<Zeroizing<Vec<u8>>> {
    let size = usize::try_from(limit).unwrap_or_default();
    let mut bytes = Zeroizing::new(Vec::with_capacity(size));
    reader.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Wipes all strings in a JSON value. The recursion is bounded, because parsing limits the depth.
pub fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(list) => list.iter_mut().for_each(wipe),
        Value::Object(members) => members.iter_mut().for_each(|(_, value)| wipe(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Compares two texts in constant time: the duration depends only on their lengths.
#[must_use]
pub fn same(a: &SecretString, b: &str) -> bool {
    a.expose_secret().as_bytes().ct_eq(b.as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_secret_is_redacted() {
        let secret = SecretString::from("hunter2-hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn read_never_reallocates_its_buffer() {
        for length in [0, 1, 4095, 4096] {
            let text = vec![b'x'; length];
            let bytes = read(&text[..], 4096).unwrap();
            assert_eq!((&*bytes, bytes.capacity()), (&text, 4096));
        }
        assert_eq!(read(&[b'x'; 10][..], 4).unwrap().len(), 4);
    }

    #[test]
    fn strings_are_wiped_at_every_depth() {
        let mut value = serde_json::json!({"a": "secret", "b": [{"c": "secret"}, 1, null]});
        wipe(&mut value);
        assert_eq!(
            value,
            serde_json::json!({"a": "", "b": [{"c": ""}, 1, null]})
        );
    }

    #[test]
    fn same_compares_whole_texts() {
        let secret = SecretString::from("abc");
        assert!(same(&secret, "abc") && !same(&secret, "abd") && !same(&secret, "ab"));
    }
}
