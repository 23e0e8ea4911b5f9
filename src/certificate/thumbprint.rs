//! The thumbprint of a certificate, which identifies it in Windows stores.

use std::fmt;

/// Why a text is not a thumbprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThumbprintError {
    /// The text is too short or too long. Contains the number of digits.
    #[error(
        "A thumbprint has 40 hexadecimal digits (SHA-1); this one has {0}. Copy it from the certificate's details."
    )]
    Length(usize),
    /// The text contains other characters than hexadecimal digits.
    #[error(
        "A thumbprint contains only the digits 0 to 9 and the letters a to f. Copy it from the certificate's details."
    )]
    NotHex,
}

/// The SHA-1 hash of a certificate, which Windows uses to find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint(pub [u8; 20]);

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Thumbprint {
    type Err = ThumbprintError;

    /// Accepts the form of the certificate window: with spaces or colons, and an invisible character at the start.
    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|ch| !(ch.is_whitespace() || *ch == ':' || *ch == '\u{200e}'))
            .map(|ch| ch.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(ThumbprintError::NotHex)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair[0] * 16 + pair[1])
            .collect();
        match (digits.len(), bytes.try_into()) {
            (40, Ok(bytes)) => Ok(Self(bytes)),
            (count, _) => Err(ThumbprintError::Length(count)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233";

    #[test]
    fn thumbprints_parse_with_spaces_and_colons() {
        let want: Thumbprint = HASH.parse().unwrap();
        let spaced = "\u{200e}00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33";
        assert_eq!(spaced.parse(), Ok(want));
        assert_eq!(spaced.replace(' ', ":").parse(), Ok(want));
        assert_eq!("00".parse::<Thumbprint>(), Err(ThumbprintError::Length(2)));
        assert_eq!(
            format!("{HASH}0").parse::<Thumbprint>(),
            Err(ThumbprintError::Length(41))
        );
        assert_eq!("xyz".parse::<Thumbprint>(), Err(ThumbprintError::NotHex));
        assert_eq!(want.to_string(), HASH);
    }
}
