//! Quotes arguments as one line for the shell of this machine.
//!
//! On Windows, the line is for both the command prompt and PowerShell: each argument with anything but the plainest
//! characters is in double quotes. Within these, a space, `&`, `|`, `<`, `>`, `^` and parentheses are literal in both
//! shells. Characters that are special within double quotes in one of the shells are rejected, because they can't be
//! quoted for both.

use std::path::Path;

use crate::clean::is_visible;

/// The command that shows what is in the token in `file`. PowerShell has no `<`.
pub const INSPECT_FILE: &str = if cfg!(windows) {
    "type file | oauth-authorizer inspect -"
} else {
    "oauth-authorizer inspect - < file"
};

/// Why a value can't be used in a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// The value contains a character that a shell would interpret.
    #[error(
        "The character {0} can't be used safely in a command. Use a name or a path without it."
    )]
    Character(char),
    /// The value contains a control character, such as a line end.
    #[error(
        "A control character, such as a line break, can't be used in a command. Enter the value again."
    )]
    Control,
    /// PowerShell would expand a variable in the value.
    #[error(
        "PowerShell would interpret the text after $ as a variable. Use a name with $ only at its end."
    )]
    Variable,
    /// The value ends with a backslash, which would escape the closing quote.
    #[error(
        "A value that ends in a backslash can't be used safely in a command. Remove the backslash."
    )]
    Backslash,
    /// The value is empty. Windows PowerShell omits empty arguments.
    #[error("An empty value can't be used in a command. Enter one.")]
    Empty,
}

/// Quotes the arguments as one line for the shell of this machine; `None` if they can't be quoted for it.
#[must_use]
pub fn shell_line<S: AsRef<str>>(arguments: &[S]) -> Option<String> {
    if cfg!(windows) {
        windows_line(arguments).ok()
    } else {
        shlex::try_join(arguments.iter().map(AsRef::as_ref)).ok()
    }
}

/// Splits a line into arguments as the system of this machine does; `None` if a quotation mark isn't closed.
#[must_use]
pub fn split(line: &str) -> Option<Vec<String>> {
    if cfg!(windows) {
        windows_arguments(line)
    } else {
        shlex::split(line)
    }
}

/// Joins arguments into a line that [`split`] splits again; `None` if that's impossible.
#[must_use]
pub fn join(arguments: &[String]) -> Option<String> {
    if cfg!(windows) {
        let quoted: Vec<String> = arguments.iter().map(|it| windows_argument(it)).collect();
        Some(quoted.join(" "))
    } else {
        shlex::try_join(arguments.iter().map(String::as_str)).ok()
    }
}

/// Splits a line by the rules of `CommandLineToArgvW` for all arguments except the first: a backslash is an ordinary
/// character, except before a quotation mark.
fn windows_arguments(line: &str) -> Option<Vec<String>> {
    let mut chars = line.chars().peekable();
    let mut all = Vec::new();
    loop {
        while chars.next_if(char::is_ascii_whitespace).is_some() {}
        if chars.peek().is_none() {
            return Some(all);
        }
        let (mut one, mut quoted) = (String::new(), false);
        while let Some(ch) = chars.next_if(|ch| quoted || !ch.is_ascii_whitespace()) {
            let mut backslashes = usize::from(ch == '\\');
            while ch == '\\' && chars.next_if_eq(&'\\').is_some() {
                backslashes += 1;
            }
            match (ch, chars.peek()) {
                ('\\', Some('"')) => {
                    one.push_str(&"\\".repeat(backslashes / 2));
                    if backslashes % 2 == 1 {
                        one.push('"');
                        chars.next();
                    }
                }
                ('\\', _) => one.push_str(&"\\".repeat(backslashes)),
                ('"', Some('"')) if quoted => {
                    one.push('"');
                    chars.next();
                    quoted = false;
                }
                ('"', _) => quoted = !quoted,
                (ch, _) => one.push(ch),
            }
        }
        if quoted {
            return None;
        }
        all.push(one);
    }
}

/// Quotes an argument for [`windows_arguments`].
fn windows_argument(argument: &str) -> String {
    if !argument.is_empty() && !argument.contains(|ch: char| ch.is_ascii_whitespace() || ch == '"')
    {
        return argument.to_owned();
    }
    let mut quoted = "\"".to_owned();
    let mut backslashes = 0;
    for ch in argument.chars() {
        if ch == '"' {
            quoted.push_str(&"\\".repeat(backslashes + 1));
        }
        backslashes = if ch == '\\' { backslashes + 1 } else { 0 };
        quoted.push(ch);
    }
    quoted.push_str(&"\\".repeat(backslashes));
    quoted.push('"');
    quoted
}

/// Returns the path as an argument for the shell of this machine. A path that can't be written in a command is replaced
/// by `FILE`.
#[must_use]
pub fn path_argument(path: &Path) -> String {
    let text = path.to_str().filter(|text| text.chars().all(is_visible));
    let quoted = text.and_then(|text| shell_line(&[text]));
    quoted.unwrap_or_else(|| "FILE".to_owned())
}

/// Quotes the arguments as one line for the Windows shells.
///
/// # Errors
/// Returns an error if an argument can't be quoted so that every shell passes it unchanged.
pub fn windows_line<S: AsRef<str>>(arguments: &[S]) -> Result<String, QuoteError> {
    let quoted: Result<Vec<String>, QuoteError> = arguments
        .iter()
        .map(|argument| quote(argument.as_ref()))
        .collect();
    Ok(quoted?.join(" "))
}

fn quote(argument: &str) -> Result<String, QuoteError> {
    if argument.is_empty() {
        return Err(QuoteError::Empty);
    }
    for (at, ch) in argument.char_indices() {
        match ch {
            // The command prompt would expand variables, and the other characters end or escape a string in either
            // shell. PowerShell treats typographic quotes as quotes.
            '%' | '!' | '"' | '`' | '\u{201c}'..='\u{201f}' => {
                return Err(QuoteError::Character(ch));
            }
            '$' if at + 1 < argument.len() => return Err(QuoteError::Variable),
            '\u{2028}' | '\u{2029}' => return Err(QuoteError::Control),
            ch if ch.is_control() => return Err(QuoteError::Control),
            _ => {}
        }
    }
    if argument.ends_with('\\') {
        return Err(QuoteError::Backslash);
    }
    let plain = |ch: char| ch.is_ascii_alphanumeric() || "=:/._-+\\".contains(ch);
    // PowerShell splits a word that begins with a hyphen at a period or colon: flags have only letters and hyphens.
    let flag = argument.strip_prefix("--").is_some_and(|name| {
        name.starts_with(|ch: char| ch.is_ascii_alphabetic())
            && name.chars().all(|ch| ch.is_ascii_alphabetic() || ch == '-')
    });
    let value = argument.starts_with(|ch: char| ch.is_ascii_alphanumeric());
    if flag || (value && argument.chars().all(plain)) {
        Ok(argument.to_owned())
    } else {
        Ok(format!("\"{argument}\""))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn path_arguments_are_quoted_or_replaced_by_a_placeholder() {
        let long = format!("/srv/{}", "x".repeat(900));
        for (path, argument) in [
            ("/srv/a.pem", "/srv/a.pem"),
            ("/srv/a b.pem", "'/srv/a b.pem'"),
            ("/srv/it's", "\"/srv/it's\""),
            ("/srv/a\nb", "FILE"),
            ("/srv/a\u{202e}b", "FILE"),
            (&long, &long),
        ] {
            assert_eq!(path_argument(Path::new(path)), argument);
        }
    }

    /// Returns whether the command prompt would interpret the line: operators outside quotes, variables or line ends.
    fn escapes_cmd(line: &str) -> bool {
        let mut quoted = false;
        line.chars().any(|ch| match ch {
            '"' => {
                quoted = !quoted;
                false
            }
            '&' | '|' | '<' | '>' | '^' | '(' | ')' | ',' | ';' => !quoted,
            '%' | '!' | '\n' | '\r' | '\0' => true,
            _ => false,
        }) || quoted
    }

    /// Returns whether PowerShell would interpret the line: variables, escapes and further quotes within quotes, and
    /// anything but the plainest text outside of them.
    fn escapes_powershell(line: &str) -> bool {
        let chars: Vec<char> = line.chars().collect();
        let mut quoted = false;
        chars.iter().enumerate().any(|(at, ch)| match ch {
            '"' => {
                quoted = !quoted;
                false
            }
            '`' | '\u{201c}'..='\u{201f}' | '\n' | '\r' => true,
            '$' => chars.get(at + 1) != Some(&'"'),
            ch if quoted => ch.is_control(),
            ch => !(ch.is_ascii_alphanumeric() || " =:/._-+\\".contains(*ch)),
        }) || quoted
    }

    /// A small random number generator with a fixed seed, so that failures are reproducible.
    struct Dice(u64);

    impl Dice {
        fn below(&mut self, count: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(self.0 >> 33).unwrap() % count
        }
    }

    const ODD: &str =
        "ab1 \t\n\r\0\"'`$%!&|<>^()[]{};,=:/\\\\\\.-+~#@*?üß日“”‘’\u{a0}\u{2028}\u{200b}🙂";

    #[test]
    fn quoted_arguments_round_trip_and_never_escape_the_shell() {
        let odd: Vec<char> = ODD.chars().collect();
        let mut dice = Dice(8252);
        let (mut taken, mut refused) = (0, 0);
        for _ in 0..100_000 {
            let count = 1 + dice.below(4);
            let all: Vec<String> = (0..count)
                .map(|_| {
                    let length = dice.below(9);
                    (0..length)
                        .map(|_| match dice.below(40) {
                            0 => char::from_u32(u32::try_from(dice.below(0x11_0000)).unwrap())
                                .unwrap_or('x'),
                            1..20 => odd[dice.below(3)],
                            _ => odd[dice.below(odd.len())],
                        })
                        .collect()
                })
                .collect();
            match windows_line(&all) {
                Ok(line) => {
                    taken += 1;
                    assert_eq!(windows_arguments(&line).as_ref(), Some(&all), "{line}");
                    assert!(!escapes_cmd(&line) && !escapes_powershell(&line), "{line}");
                }
                Err(error) => {
                    refused += 1;
                    assert!(error.to_string().ends_with('.'));
                }
            }
        }
        assert!(taken > 10_000 && refused > 10_000, "{taken} {refused}");
    }

    #[test]
    fn every_single_character_is_quoted_or_refused() {
        for ch in (0..=0x10_ffff).filter_map(char::from_u32) {
            for text in [ch.to_string(), format!("a{ch}b")] {
                if let Ok(line) = windows_line(&[&text]) {
                    assert_eq!(windows_arguments(&line), Some(vec![text]), "{line}");
                    assert!(!escapes_cmd(&line) && !escapes_powershell(&line), "{line}");
                }
            }
        }
    }

    #[test]
    fn lines_are_split_by_the_rules_of_windows() {
        for (line, words) in [
            (r#"a "b c" d\\e"#, &["a", "b c", r"d\\e"][..]),
            (r#""a\"b" "c\\" d"#, &["a\"b", r"c\", "d"]),
            (
                r#""C:\Program Files\op.exe" read x"#,
                &[r"C:\Program Files\op.exe", "read", "x"],
            ),
            (r"C:\tools\op.exe  read", &[r"C:\tools\op.exe", "read"]),
            (r#"it's "" x"#, &["it's", "", "x"]),
            (" ", &[]),
        ] {
            let words: Vec<String> = words.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(windows_arguments(line).as_ref(), Some(&words), "{line}");
            let joined: Vec<String> = words.iter().map(|it| windows_argument(it)).collect();
            assert_eq!(windows_arguments(&joined.join(" ")), Some(words), "{line}");
        }
        assert_eq!(windows_arguments("a \"b"), None);
        assert_eq!(windows_argument(r"C:\a b\"), r#""C:\a b\\""#);
    }

    #[test]
    fn ordinary_values_are_quoted_and_unsafe_ones_refused() {
        for (argument, quoted) in [
            (
                "url=http://localhost:8400/cb/",
                "url=http://localhost:8400/cb/",
            ),
            ("user=DOMAIN\\svc$", "\"user=DOMAIN\\svc$\""),
            ("user=D\\Jürgen Groß", "\"user=D\\Jürgen Groß\""),
            ("user=R&D", "\"user=R&D\""),
            ("--client-id", "--client-id"),
            ("--a.b:c", "\"--a.b:c\""),
            ("--", "\"--\""),
            ("--%", ""),
            ("a\"b", ""),
            ("a%PATH%", ""),
            ("a\nb", ""),
            ("$env:x", ""),
            ("a\\", ""),
            ("", ""),
        ] {
            assert_eq!(
                windows_line(&[argument]).unwrap_or_default(),
                quoted,
                "{argument}"
            );
        }
    }
}
