//! Splits what a server sends into lines, however it is fragmented.

/// Maximum length of a line, in bytes, without its line ending.
pub const LINE_LIMIT: usize = 8 * 1024;

/// The error for a line that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLong;

/// The data that was received but not read yet.
#[derive(Debug, Default)]
pub struct Lines {
    bytes: Vec<u8>,
    /// There is no line ending before this byte.
    searched: usize,
}

impl Lines {
    /// Adds data that was received.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Returns whether all data was read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Returns the next line without its line ending, CR LF or LF; `None` if the line is incomplete.
    ///
    /// # Errors
    /// Returns an error if the line is longer than [`LINE_LIMIT`], complete or not.
    pub fn next_line(&mut self) -> Result<Option<String>, TooLong> {
        let end = self.bytes[self.searched..]
            .iter()
            .position(|byte| *byte == b'\n');
        let Some(end) = end.map(|end| end + self.searched) else {
            self.searched = self.bytes.len();
            // One more byte for the CR.
            return if self.bytes.len() > LINE_LIMIT + 1 {
                Err(TooLong)
            } else {
                Ok(None)
            };
        };
        let line = &self.bytes[..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_LIMIT {
            return Err(TooLong);
        }
        let line = String::from_utf8_lossy(line).into_owned();
        self.bytes.drain(..=end);
        self.searched = 0;
        Ok(Some(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_do_not_depend_on_how_data_is_split() {
        let text = b"* OK ready\r\n\r\na1 OK\n\xffx\r\nrest";
        for split in 0..=text.len() {
            let mut lines = Lines::default();
            let mut read = Vec::new();
            for part in [&text[..split], &text[split..]] {
                lines.push(part);
                while let Ok(Some(line)) = lines.next_line() {
                    read.push(line);
                }
            }
            assert_eq!(read, ["* OK ready", "", "a1 OK", "\u{fffd}x"], "{split}");
            assert!(!lines.is_empty());
        }
    }

    #[test]
    fn length_limit_applies_to_incomplete_lines() {
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; LINE_LIMIT]);
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(b"\r\n");
        assert_eq!(
            lines.next_line().map(|line| line.map(|line| line.len())),
            Ok(Some(LINE_LIMIT))
        );
        // The CR of a line ending that arrives in two parts doesn't count as part of the line.
        lines.push(&vec![b'x'; LINE_LIMIT]);
        lines.push(b"\r");
        assert_eq!(lines.next_line(), Ok(None));
        lines.push(b"\n");
        assert!(matches!(lines.next_line(), Ok(Some(_))));
        lines.push(&vec![b'x'; LINE_LIMIT + 2]);
        assert_eq!(lines.next_line(), Err(TooLong));
        let mut lines = Lines::default();
        lines.push(&vec![b'x'; LINE_LIMIT + 1]);
        lines.push(b"\n");
        assert_eq!(lines.next_line(), Err(TooLong));
    }
}
