//! Reads standard input as text.

use std::io;

use zeroize::Zeroizing;

use super::failed::failed;
use crate::console::standard_input::StandardInput;
use crate::secret;

/// Maximum size of the input, in bytes. Longer input is rejected.
const LIMIT: usize = 256 * 1024;

/// Reads the text on standard input. If it is too long, returns a sentence that ends with `instead`: what to pass.
///
/// # Errors
/// Returns an error if standard input can't be read.
pub(super) fn read(instead: &str) -> io::Result<Result<Zeroizing<String>, String>> {
    // One byte more than allowed, so that input that is too long is detected.
    let most = LIMIT as u64 + 1;
    let read = secret::read(StandardInput::lock(), most);
    let bytes = read.map_err(|error| failed("Can't read standard input", &error))?;
    Ok(text(&bytes, instead))
}

fn text(bytes: &[u8], instead: &str) -> Result<Zeroizing<String>, String> {
    if bytes.len() > LIMIT {
        let limit = LIMIT / 1024;
        return Err(format!(
            "Standard input has more than {limit} KiB, so it is not read. {instead}"
        ));
    }
    Ok(decoded(bytes))
}

/// Decodes UTF-8, or the UTF-16 that Windows PowerShell writes with `>`. Tokens and codes are ASCII, so without a byte
/// order mark, the position of the zero in the first two bytes tells the byte order.
fn decoded(bytes: &[u8]) -> Zeroizing<String> {
    let of = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2);
        let units: Vec<u16> = units.map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&Zeroizing::new(units))
    };
    Zeroizing::new(match bytes {
        [0xff, 0xfe, rest @ ..] => of(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => of(rest, u16::from_be_bytes),
        [1..=255, 0, ..] => of(bytes, u16::from_le_bytes),
        [0, 1..=255, ..] => of(bytes, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read_with_and_without_a_bom() {
        let original = "AADSTS50011: ü\r\n";
        let little: Vec<u8> = original.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = original.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            original.as_bytes().to_vec(),
            [&[0xff, 0xfe], &little[..]].concat(),
            [&[0xfe, 0xff], &big[..]].concat(),
            [&little[..], &[0]].concat(),
            little,
            big,
        ] {
            assert_eq!(*text(&bytes, "").unwrap(), original, "{bytes:?}");
        }
    }

    #[test]
    fn oversized_input_is_refused_instead_of_truncated() {
        assert!(text(&vec![b'a'; LIMIT], "").is_ok());
        let error = text(&vec![b'a'; LIMIT + 1], "Pass less.").unwrap_err();
        assert_eq!(
            error,
            "Standard input has more than 256 KiB, so it is not read. Pass less."
        );
    }
}
