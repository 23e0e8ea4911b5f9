//! Makes external text safe to display and store.

use std::fmt::Write as _;
use std::path::Path;

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapDataBorrowed, CodePointSetDataBorrowed};
use unicode_width::UnicodeWidthChar;

/// Maximum length of a server's text, in characters, for callers of [`clean`] that have no better limit.
pub const TEXT_LIMIT: usize = 500;

/// Maximum length of a path, in characters.
const PATH_LIMIT: usize = 300;

/// Maximum number of zero-width marks on a character: more would cover the surrounding text.
const MARKS: usize = 3;

/// Makes external text safe to display and to store: one line, no control, bidi or invisible characters, plain spaces,
/// few combining marks, at most `limit` characters (an ellipsis marks a cut). The text after the cut is not read.
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let mut count = 0;
    let mut marks = Marks::default();
    for ch in text.chars().filter_map(display_char) {
        if !marks.allow(ch) || (ch == ' ' && (out.is_empty() || out.ends_with(' '))) {
            continue;
        }
        if count == limit {
            out.push('…');
            break;
        }
        out.push(ch);
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Makes a path safe to display, in the same way.
#[must_use]
pub fn clean_path(path: &Path) -> String {
    clean(&path.to_string_lossy(), PATH_LIMIT)
}

/// Returns whether `text` has no character that [`clean`] removes or replaces. Other values must not be shown as
/// complete.
#[must_use]
pub fn is_clean(text: &str) -> bool {
    let mut marks = Marks::default();
    text.chars().all(|ch| is_visible(ch) && marks.allow(ch))
}

/// Returns whether each character of `text` has its own column, so that a user can see and type all of it.
#[must_use]
pub fn is_typable(text: &str) -> bool {
    let is_seen = |ch: char| is_visible(ch) && ch.width().is_some_and(|width| width > 0);
    text.chars().all(is_seen)
}

/// Returns whether a character is allowed in a line that is being edited.
#[must_use]
pub fn is_visible(ch: char) -> bool {
    display_char(ch) == Some(ch)
}

/// Returns whether `text` is a token of HTTP, such as the name of a header or of an authentication scheme (RFC 9110,
/// section 5.6.2).
#[must_use]
pub fn is_http_token(text: &str) -> bool {
    let is_part = |ch: char| ch.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(ch);
    !text.is_empty() && text.chars().all(is_part)
}

/// Escapes the control characters and invisible characters in JSON. Line breaks stay.
#[must_use]
pub fn json_escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for ch in json.chars() {
        if (ch.is_ascii() && ch != '\u{7f}') || is_visible(ch) {
            out.push(ch);
        } else {
            for unit in ch.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out
}

/// Returns the text without surrounding whitespace and byte order marks.
#[must_use]
pub fn trimmed(text: &str) -> &str {
    text.trim_matches(|ch: char| ch.is_whitespace() || ch == '\u{feff}')
}

/// Returns the system's error message as a part of a sentence, without the error number and a final period.
#[must_use]
pub fn system_reason(text: &str) -> &str {
    let words = text.split(" (os error").next().unwrap_or_default();
    words.trim_end_matches('.')
}

/// Returns the text without surrounding quotation marks: straight, curly, or the marks of a code span.
#[must_use]
pub fn unquoted(text: &str) -> Option<&str> {
    const PAIRS: [(char, &[char]); 8] = [
        ('"', &['"']),
        ('\'', &['\'']),
        ('`', &['`']),
        ('“', &['”', '“']),
        ('„', &['“', '”']),
        ('”', &['”']),
        ('‘', &['’', '‘']),
        ('«', &['»']),
    ];
    let first = text.chars().next()?;
    let (_, closing) = PAIRS.iter().find(|(opening, _)| *opening == first)?;
    let inner = text
        .strip_prefix(first)?
        .strip_suffix(|ch| closing.contains(&ch))?;
    let again = |ch: char| ch == first || closing.contains(&ch);
    (!trimmed(inner).is_empty() && !inner.contains(again)).then_some(inner)
}

/// Returns the replacement for a character of external text; `None` for characters that hide or reorder text (Unicode
/// TR 36), and for those that terminals display differently.
fn display_char(ch: char) -> Option<char> {
    use GeneralCategory as Category;
    const CATEGORY: CodePointMapDataBorrowed<'static, GeneralCategory> =
        CodePointMapDataBorrowed::new();
    const IGNORABLE: CodePointSetDataBorrowed<'static> =
        CodePointSetDataBorrowed::new::<DefaultIgnorableCodePoint>();
    // Most characters end here.
    if ch == ' ' || ch.is_ascii_graphic() {
        return Some(ch);
    }
    // By their category, some blanks are letters or symbols: of Braille, hieroglyphs and music.
    if ch.is_whitespace() || matches!(ch, '\u{2800}' | '\u{13441}' | '\u{13442}' | '\u{1d159}') {
        return Some(' ');
    }
    // Some terminals draw an emoji's skin tone as a separate character.
    if IGNORABLE.contains(ch) || is_control_mark(ch) || matches!(ch, '\u{1f3fb}'..='\u{1f3ff}') {
        return None;
    }
    let hidden = matches!(
        CATEGORY.get(ch),
        Category::Control | Category::Format | Category::PrivateUse | Category::Unassigned
    );
    (!hidden).then_some(ch)
}

/// Returns whether a character is a mark by its category, but only changes how its neighbors are drawn, as format
/// characters do. Unicode has no property for these. Joiners that words of Indic scripts need are not included.
fn is_control_mark(ch: char) -> bool {
    matches!(
        ch,
        // Brahmi number joiner.
        '\u{1107f}'
        // Egyptian hieroglyph mirror horizontally.
        | '\u{13440}'
        // Khitan small script filler.
        | '\u{16fe4}'
        // Duployan thick letter selector.
        | '\u{1bc9d}'
        // SignWriting fill and rotation modifiers.
        | '\u{1da9b}'..='\u{1da9f}' | '\u{1daa1}'..='\u{1daaf}'
    )
}

/// Counts the combining marks on a character.
#[derive(Default)]
struct Marks {
    /// The number of marks on the last character; `None` if there is no character to put a mark on.
    count: Option<usize>,
}

impl Marks {
    /// Returns whether a character is allowed: `false` for a mark that is one too many, or is on nothing. Tone marks of
    /// Hangul count as well.
    fn allow(&mut self, ch: char) -> bool {
        if ch.width() != Some(0) {
            self.count = (ch != ' ').then_some(0);
            return true;
        }
        match &mut self.count {
            Some(count) if *count < MARKS => {
                *count += 1;
                true
            }
            Some(_) | None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_removes_control_characters_and_truncates() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\r\nd  e", 50), "a[31mbc d e");
        assert_eq!(clean("abcdef", 3), "abc…");
        assert!(is_clean("WDJB-MJHT") && !is_clean("WD\u{200b}JB") && !is_clean("a\nb"));
    }

    #[test]
    fn clean_removes_invisible_characters() {
        // Every character of these classes must be removed, and must not count as clean.
        let hidden = [
            0xad..=0xad,
            0x34f..=0x34f,
            0x61c..=0x61c,
            0x115f..=0x1160,
            0x17b4..=0x17b5,
            0x180b..=0x180f,
            0x200b..=0x200f,
            0x202a..=0x202e,
            0x2060..=0x206f,
            0x3164..=0x3164,
            0xe000..=0xe010,
            0xf8f0..=0xf8ff,
            0xfdd0..=0xfdef,
            0xfe00..=0xfe0f,
            0xfeff..=0xfeff,
            0xffa0..=0xffa0,
            0xfff0..=0xfffb,
            0xfffe..=0xffff,
            0x1bca0..=0x1bca3,
            0x1d173..=0x1d17a,
            0x1107f..=0x1107f,
            0x13430..=0x13440,
            0x16fe4..=0x16fe4,
            0x1bc9d..=0x1bc9d,
            0x1da9b..=0x1da9f,
            0x1daa1..=0x1daaf,
            0x1f3fb..=0x1f3ff,
            0xe0000..=0xe0fff,
            0x10_fffd..=0x10_ffff,
        ];
        for ch in hidden.into_iter().flatten().filter_map(char::from_u32) {
            let text = format!("pay{ch}ment");
            assert_eq!(clean(&text, 50), "payment", "{ch:?}");
            assert!(!is_clean(&text), "{ch:?}");
        }
        let blank = "\t\n\u{b}\u{c}\r\u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\
                     \u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{2800}\u{3000}\u{13441}\u{1d159}";
        for ch in blank.chars() {
            assert_eq!(clean(&format!("{ch}a{ch}{ch} b{ch}"), 50), "a b", "{ch:?}");
            assert!(!is_clean(&format!("a{ch}b")), "{ch:?}");
        }
    }

    #[test]
    fn text_with_combining_marks_is_not_typable() {
        for text in ["WDJB-MJHT", "ab cd", "키-鍵", "\u{e9}"] {
            assert!(is_typable(text), "{text}");
        }
        for text in [
            "e\u{301}",
            "a\u{1039}b",
            "\u{1112}\u{1161}",
            "a\u{16fe4}",
            "a\u{200b}",
            "a\n",
        ] {
            assert!(!is_typable(text), "{text:?}");
        }
    }

    #[test]
    fn cleaned_text_has_width_and_few_combining_marks() {
        let all = (0..=0x10_ffff).filter_map(char::from_u32);
        for ch in all {
            let text = clean(&format!("a{ch}"), 50);
            let width: usize = text.chars().filter_map(UnicodeWidthChar::width).sum();
            assert!(width >= 1 && text.chars().all(|ch| ch.width().is_some()));
            assert!(width == 1 || text.chars().count() == 2, "{ch:?}");
            assert_eq!(
                text == format!("a{ch}"),
                is_clean(&text) && is_visible(ch) && ch != ' '
            );
        }
        assert_eq!(
            clean(&format!("a{}b", "\u{301}".repeat(40)), 50),
            "a\u{301}\u{301}\u{301}b"
        );
        assert_eq!(clean("\u{301}\u{20dd}a \u{301}b", 50), "a b");
        assert!(!is_clean("\u{301}a") && !is_clean(&format!("a{}", "\u{301}".repeat(4))));
    }

    #[test]
    fn clean_keeps_text_of_all_scripts() {
        for text in [
            "Der Schlüssel ist ungültig – “prüfen”…",
            "e\u{301}te\u{301}, n\u{303}, o\u{302}\u{323}, u\u{308}\u{304}",
            "الطلب غير صالح، لا تتوفر الصلاحيات",
            "العَرَبِيَّةُ",
            "בְּרֵאשִׁית",
            "अनुरोध अमान्य है। क्षमा करें",
            "คำขอไม่ถูกต้อง กู้ คืน้",
            "ហៅ ខ្មែរ ស្ត្រី",
            "请求无效，请重试。ご確認ください 요청이 잘못되었습니다",
            "\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}",
            "Что-то пошло не так, и\u{306} ё",
            "✔ 🎉 🔑 🇩🇪 ❤",
        ] {
            assert_eq!(clean(text, 500), text);
            assert!(is_clean(text), "{text}");
        }
        // Emoji of several parts stay readable.
        assert_eq!(
            clean("👩🏽\u{200d}💻 ❤\u{fe0f} 1\u{fe0f}\u{20e3}", 50),
            "👩💻 ❤ 1\u{20e3}"
        );
    }

    #[test]
    fn system_reason_drops_error_number_and_period() {
        for (text, reason) in [
            ("No route to host (os error 113)", "No route to host"),
            ("Connection refused. (os error 10061)", "Connection refused"),
            ("unexpected end of file", "unexpected end of file"),
            ("", ""),
        ] {
            assert_eq!(system_reason(text), reason);
        }
    }
}
