//! Decodes the texts of responses. Older servers use other encodings than UTF-8, often without declaring them.

use std::borrow::Cow;

use encoding_rs::{Encoding, ISO_2022_JP, UTF_8, WINDOWS_1252};

/// Maximum size of the part of a page that may declare its encoding, in bytes.
const HEAD: usize = 1024;

/// Decodes text as UTF-8, or else as Windows-1252, which includes the characters of Latin-1.
pub(crate) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        // Text that was cut within a character is still UTF-8, if it has other such characters.
        Err(error) if error.error_len().is_none() && !bytes[..error.valid_up_to()].is_ascii() => {
            String::from_utf8_lossy(bytes)
        }
        Err(_) => in_encoding(bytes, WINDOWS_1252).into(),
    }
}

/// Decodes a body as UTF-8, or else in the encoding that its `Content-Type` or the page itself declares.
pub(super) fn decoded_as<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let page = bytes.trim_ascii_start();
    let of_page = || declared(&page[..page.len().min(HEAD)]).filter(|_| page.starts_with(b"<"));
    let encoding = content_type.and_then(|text| declared(text.as_bytes()));
    match encoding.or_else(of_page).filter(|found| *found != UTF_8) {
        // Without them, the encoding is declared wrongly.
        Some(other) if !other.is_ascii_compatible() && has_signs_of(other, bytes) => {
            in_encoding(bytes, other).into()
        }
        Some(other) if other.is_ascii_compatible() && std::str::from_utf8(bytes).is_err() => {
            in_encoding(bytes, other).into()
        }
        _ => decoded(bytes),
    }
}

/// Returns whether the text contains what every text in this encoding does: it is ISO-2022-JP or UTF-16.
fn has_signs_of(encoding: &'static Encoding, bytes: &[u8]) -> bool {
    if encoding == ISO_2022_JP {
        bytes.contains(&0x1b)
    } else {
        bytes.iter().take(4).any(|byte| *byte == 0)
    }
}

/// Returns the encoding in a header, or in an element of HTML or XML.
fn declared(text: &[u8]) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let after = |name: &[u8]| {
        let at = text.windows(name.len()).position(|part| part == name)?;
        let value = text[at + name.len()..].trim_ascii_start();
        let value = value.strip_prefix(b"=")?.trim_ascii_start();
        let value = value
            .strip_prefix(b"\"")
            .or(value.strip_prefix(b"'"))
            .unwrap_or(value);
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"\"';,>?/".contains(byte);
        Encoding::for_label_no_replacement(value.split(is_end).next()?)
    };
    after(b"charset").or_else(|| after(b"encoding"))
}

/// Decodes the text into as much memory as it can need, so that no copy remains after it is wiped.
fn in_encoding(bytes: &[u8], encoding: &'static Encoding) -> String {
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let length = decoder.max_utf8_buffer_length(bytes.len());
    let mut text = String::with_capacity(length.unwrap_or(bytes.len()));
    let _ = decoder.decode_to_string(bytes, &mut text, true);
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn windows_1252_is_read_if_utf_8_is_invalid() {
        assert_eq!(decoded(b"f\xfcr"), "für");
        assert_eq!(decoded(b"refus\xe9"), "refusé");
        assert_eq!(decoded(b"non \x96 r\xe9essayez"), "non – réessayez");
        // Text that was cut within a character.
        assert_eq!(decoded(b"f\xc3\xbcr \xc3"), "für \u{fffd}");
        assert_eq!(decoded("für".as_bytes()), "für");
    }

    #[test]
    fn declared_encoding_is_read_if_utf_8_is_invalid() {
        for (kind, bytes, text) in [
            (
                "application/json; charset=Shift_JIS",
                &b"\x94F\x8f\xd8 \x83\x5c"[..],
                "認証 ソ",
            ),
            (
                "text/plain;charset=\"GB18030\"",
                b"\xc3\xdc\xd4\xbf",
                "密钥",
            ),
            ("text/plain; charset=EUC-JP", b"\xa5\xaf", "ク"),
            (
                "text/plain; charset = windows-1251",
                b"\xce\xf2\xea\xe0\xe7",
                "Отказ",
            ),
            ("text/plain; charset=iso-2022-jp", b"\x1b$BG'\x1b(B", "認"),
            ("text/html; charset=utf-16le", b"<\0p\0>\0", "<p>"),
            ("text/html; charset=utf-16", b"\xff\xfe<\0p\0>\0", "<p>"),
            // Declared wrongly.
            (
                "application/json; charset=windows-1251",
                "für".as_bytes(),
                "für",
            ),
            ("application/json; charset=utf-8", b"f\xfcr", "für"),
            ("application/json; charset=utf-16", b"{}", "{}"),
            (
                "application/json; charset=utf-16",
                b"{\"a\":1}\0",
                "{\"a\":1}\0",
            ),
            ("text/plain; charset=iso-2022-kr", b"\x1b$)C a", "\x1b$)C a"),
            ("application/json; charset=unknown", b"f\xfcr", "für"),
            ("application/json; charset=", b"f\xfcr", "für"),
            (
                "application/json",
                b"{\"charset\":\"koi8-r\",\"a\":\"\xfc\"}",
                "{\"charset\":\"koi8-r\",\"a\":\"ü\"}",
            ),
            // Declared in the page.
            (
                "text/html",
                b" <meta charset='windows-1251'><p>\xce\xf2\xea\xe0\xe7",
                " <meta charset='windows-1251'><p>Отказ",
            ),
            (
                "",
                b"<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">\xf0",
                "<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">П",
            ),
            (
                "",
                b"<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?>\xb3",
                "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?>ł",
            ),
        ] {
            assert_eq!(decoded_as(bytes, Some(kind)), text, "{kind}");
        }
        assert_eq!(decoded_as(b"f\xfcr", None), "für");
    }

    #[test]
    fn memory_of_decoded_text_is_not_copied() {
        for encoding in [WINDOWS_1252, encoding_rs::GB18030, encoding_rs::UTF_16LE] {
            let bytes = [0xff; 1001];
            let decoder = encoding.new_decoder_with_bom_removal();
            let length = decoder.max_utf8_buffer_length(bytes.len()).unwrap();
            let text = in_encoding(&bytes, encoding);
            assert!(text.len() > bytes.len() / 2);
            assert_eq!(text.capacity(), String::with_capacity(length).capacity());
        }
    }
}
