//! Leaves out the style sequences of a frame that change nothing: a slow line carries only what is seen.
//!
//! Ratatui ends each piece of a frame with four sequences that reset the style, also where none was set.

use std::io::{self, Write};

/// A writer of frames.
#[derive(Debug)]
pub(in crate::tui) struct Styles<W> {
    writer: W,
    frame: Vec<u8>,
    /// A style is set.
    styled: bool,
}

impl<W: Write> Styles<W> {
    /// On a terminal without a style.
    pub(in crate::tui) fn new(writer: W) -> Self {
        Self {
            writer,
            frame: Vec::with_capacity(16 * 1024),
            styled: false,
        }
    }
}

impl<W: Write> Write for Styles<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.frame.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    /// Writes the frame at once: a slow line shows it whole.
    fn flush(&mut self) -> io::Result<()> {
        let mut rest = self.frame.as_slice();
        let mut out = Vec::with_capacity(rest.len());
        // Resets of the colors, which a reset of everything may follow.
        let mut resets = Vec::new();
        while let Some(first) = rest.first() {
            let length = style(rest).unwrap_or(0);
            let (sequence, after) = rest.split_at(length.max(1));
            rest = after;
            match sequence {
                b"\x1b[0m" => {
                    if std::mem::take(&mut self.styled) {
                        out.extend(sequence);
                    }
                    resets.clear();
                }
                b"\x1b[39m" | b"\x1b[49m" | b"\x1b[59m" | b"\x1b[39;49m" => {
                    if self.styled {
                        resets.extend(sequence);
                    }
                }
                _ => {
                    out.append(&mut resets);
                    if length > 0 {
                        self.styled = true;
                        out.extend(sequence);
                    } else {
                        out.push(*first);
                    }
                }
            }
        }
        out.append(&mut resets);
        self.frame.clear();
        self.writer.write_all(&out)?;
        self.writer.flush()
    }
}

/// The length of the style sequence that `bytes` begin with.
fn style(bytes: &[u8]) -> Option<usize> {
    let rest = bytes.strip_prefix(b"\x1b[")?;
    let parameters = |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b';' | b':');
    let length = rest.iter().take_while(parameters).count();
    (rest.get(length) == Some(&b'm')).then_some(length + 3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn written(frames: &[&str]) -> String {
        let mut styles = Styles::new(Vec::new());
        for frame in frames {
            styles.write_all(frame.as_bytes()).unwrap();
            styles.flush().unwrap();
        }
        String::from_utf8(styles.writer).unwrap()
    }

    #[test]
    fn a_reset_is_written_where_a_style_was_set() {
        let reset = "\x1b[39m\x1b[49m\x1b[59m\x1b[0m";
        for (frames, expected) in [
            (vec![format!("a{reset}"), reset.to_owned()], "a"),
            (vec![format!("\x1b[1mb{reset}c{reset}")], "\x1b[1mb\x1b[0mc"),
            (
                vec![
                    format!("\x1b[31;49md"),
                    reset.to_owned(),
                    format!("e{reset}"),
                ],
                "\x1b[31;49md\x1b[0me",
            ),
            (
                vec!["\x1b[31;49mf\x1b[39;49mg".to_owned()],
                "\x1b[31;49mf\x1b[39;49mg",
            ),
            (vec!["\x1b[39;49mh\x1b[2;3Hi".to_owned()], "h\x1b[2;3Hi"),
            (vec!["日\x1b[".to_owned()], "日\x1b["),
        ] {
            let frames: Vec<&str> = frames.iter().map(String::as_str).collect();
            assert_eq!(written(&frames), expected, "{frames:?}");
        }
    }
}
