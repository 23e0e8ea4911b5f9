//! Repairs PEM text that was reformatted on its way, such as through JSON, YAML, an environment variable or an editor.

use zeroize::Zeroizing;

/// Number of base64 characters on a line (RFC 7468).
const LINE: usize = 64;

/// Decodes a file that an editor or PowerShell saved in UTF-16, or in UTF-8 with a byte order mark. Returns `None` for
/// any other file. The first character of a key file is ASCII, so its zero byte tells the byte order.
#[must_use]
pub fn in_utf8(bytes: &[u8]) -> Option<Zeroizing<String>> {
    let (rest, unit): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            return Some(Zeroizing::new(std::str::from_utf8(rest).ok()?.to_owned()));
        }
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        [1..=127, 0, ..] => (bytes, u16::from_le_bytes),
        [0, 1..=127, ..] => (bytes, u16::from_be_bytes),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    // A buffer that grows would leave copies of the key.
    let mut text = Zeroizing::new(String::with_capacity(rest.len() / 2 * 3));
    for ch in char::decode_utf16(units) {
        text.push(ch.ok()?);
    }
    Some(text)
}

/// Returns the base64 text of a PEM block without whitespace, quotation marks and literal line breaks such as `\n`. Base64
/// contains none of them, so nothing is ambiguous.
#[must_use]
pub fn bare(body: &str) -> Zeroizing<String> {
    let mut bare = Zeroizing::new(String::with_capacity(body.len()));
    let mut chars = body.chars().peekable();
    while let Some(ch) = chars.next() {
        match ch {
            '\\' => {
                while chars.next_if_eq(&'\\').is_some() {}
                chars.next_if(|ch| matches!(ch, 'n' | 'r' | 't'));
            }
            '"' | '\'' | ',' => {}
            ch if ch.is_whitespace() => {}
            ch => bare.push(ch),
        }
    }
    bare
}

/// Returns the PEM blocks of a text, each on lines of its own. Blocks with headers, which are encrypted, stay as they are,
/// and so does a text without a complete block, and JSON, which may contain more than a key.
#[must_use]
pub fn normalized(text: &str) -> Zeroizing<String> {
    // Line breaks add much less than this. A buffer that grows would leave copies of the key.
    let mut all = Zeroizing::new(String::with_capacity(2 * text.len() + LINE));
    let mut rest = text;
    while let Some((label, body, after)) = block(rest) {
        all.push_str(&format!("-----BEGIN {label}-----\n"));
        if body.contains(':') {
            all.push_str(body.trim_start_matches(['\r', '\n']));
        } else {
            for (at, ch) in bare(body).chars().enumerate() {
                if at > 0 && at % LINE == 0 {
                    all.push('\n');
                }
                all.push(ch);
            }
            all.push('\n');
        }
        all.push_str(&format!("-----END {label}-----\n"));
        rest = after;
    }
    if all.is_empty() || text.trim_start().starts_with('{') {
        all.clear();
        all.push_str(text);
    } else if let Some(at) = rest.find("-----BEGIN ") {
        all.push_str(&rest[at..]);
    }
    all
}

/// Splits the first PEM block from a text: its label, the text between its first and its last line, and what follows.
fn block(text: &str) -> Option<(&str, &str, &str)> {
    let (_, text) = text.split_once("-----BEGIN ")?;
    let (label, text) = text.split_once("-----")?;
    let end = format!("-----END {label}-----");
    let (body, after) = text.split_once(&end)?;
    Some((label, body, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reformatted_blocks_get_their_lines_back() {
        let block = |label: &str, ch: char| {
            let line = String::from(ch).repeat(LINE);
            format!("-----BEGIN {label}-----\n{line}\n{line}\nAA==\n-----END {label}-----\n")
        };
        let (key, other) = (block("PRIVATE KEY", 'n'), block("CERTIFICATE", 'r'));
        let indented = key.lines().map(|line| format!("  {line}\r\n"));
        let indented: String = indented.collect();
        for text in [
            key.clone(),
            key.replace('\n', "\r\n"),
            key.replace('\n', "\\n"),
            key.replace('\n', "\\\\n"),
            key.replace('\n', "\\r\\n"),
            key.replace('\n', " "),
            key.replace('\n', ""),
            key.trim_end().to_owned(),
            format!("\"{}\"", key.trim_end()),
            format!("'{}'", key.replace('\n', "\\n")),
            format!("\"{}\"", key.replace('\n', "\",\n\"")),
            indented.clone(),
            format!("key: |\n{indented}"),
        ] {
            assert_eq!(normalized(&text).as_str(), key);
        }
        let both = normalized(&format!("a {}b{indented}", other.replace('\n', "\\n")));
        assert_eq!(both.as_str(), format!("{other}{key}"));
    }

    #[test]
    fn other_text_stays_as_it_is() {
        let encrypted = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0\n\nAAAA\n\
            -----END RSA PRIVATE KEY-----\n";
        for text in [
            "",
            "hello",
            "-----BEGIN PRIVATE KEY-----\nAAAA",
            "-----BEGIN ",
            "{\"key\":\"-----BEGIN PRIVATE KEY-----\\nAAAA\\n-----END PRIVATE KEY-----\\n\"}",
        ] {
            assert_eq!(normalized(text).as_str(), text);
        }
        assert_eq!(normalized(encrypted).as_str(), encrypted);
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nAAAA";
        assert_eq!(normalized(cut).as_str(), cut);
    }

    #[test]
    fn repaired_text_fits_its_buffer() {
        let long = "A".repeat(100_000);
        for text in [
            format!("-----BEGIN A-----{long}-----END A-----"),
            "-----BEGIN A----------END A-----".repeat(1000),
            "-----BEGIN A-----B: c-----END A-----".repeat(1000),
        ] {
            let room = 2 * text.len() + LINE;
            assert!(normalized(&text).len() <= room, "{}", text.len());
        }
    }
}
