//! Parameters of query strings and forms in responses.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Decodes text as UTF-8, or else as Latin-1, which older servers send without declaring it.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        // Text that was cut within a character is still UTF-8, if it has other such characters.
        Err(error) if error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii() => {
            String::from_utf8_lossy(bytes)
        }
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Returns the parameters of a query string or form, decoded even if their bytes are Latin-1.
pub(super) fn parameters(text: &str) -> impl Iterator<Item = (String, String)> {
    let one = |part: &str| {
        let bytes: Vec<u8> = percent_decode_str(&part.replace('+', " ")).collect();
        decoded(&bytes).into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(move |pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (one(name), one(value))
    })
}

/// Returns the first parameter with this name.
pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    let mut all = parameters(text);
    all.find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn latin_1_is_read_if_utf_8_is_invalid() {
        assert_eq!(decoded(b"f\xfcr"), "für");
        assert_eq!(decoded(b"refus\xe9"), "refusé");
        // Text that was cut within a character.
        assert_eq!(decoded(b"f\xc3\xbcr \xc3"), "für \u{fffd}");
        assert_eq!(decoded("für".as_bytes()), "für");
        assert_eq!(
            parameter("a=b&error_description=f%FCr+x", "error_description").unwrap(),
            "für x"
        );
        assert_eq!(parameter("d=f%C3%BCr", "d").unwrap(), "für");
        assert_eq!(parameter("d=x", "e"), None);
    }
}
