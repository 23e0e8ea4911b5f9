//! Parameters of query strings and forms in responses.

use percent_encoding::percent_decode_str;

use super::charset::decoded;

/// Returns the parameters of a query string or form. An ampersand may be encoded for HTML. The parameters are decoded even
/// if their bytes are Windows-1252.
pub(crate) fn parameters(text: &str) -> impl Iterator<Item = (String, String)> {
    let one = |part: &str| {
        let bytes: Vec<u8> = percent_decode_str(&part.replace('+', " ")).collect();
        decoded(&bytes).into_owned()
    };
    let pairs = text.trim_start_matches('?').split('&');
    pairs.filter(|pair| !pair.is_empty()).map(move |pair| {
        let pair = pair.strip_prefix("amp;").unwrap_or(pair);
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
    fn parameter_is_decoded() {
        assert_eq!(
            parameter("a=b&error_description=f%FCr+x", "error_description").unwrap(),
            "für x"
        );
        assert_eq!(parameter("d=f%C3%BCr", "d").unwrap(), "für");
        assert_eq!(parameter("d=x", "e"), None);
    }
}
