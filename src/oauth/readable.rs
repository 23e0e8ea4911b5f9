//! Texts of a service that were encoded for another place, such as a web page or a URL.

use percent_encoding::percent_decode_str;

/// The tags that occur in error messages.
const TAGS: &[&str] = &[
    "br", "p", "b", "i", "em", "strong", "span", "div", "ul", "ol", "li", "a", "code", "h1", "h2",
    "h3",
];

/// Maximum size of the text that is decoded, in bytes. Much less of it is shown.
const LIMIT: usize = 4096;

/// Returns the text as a person would read it: without entities and tags, and not encoded for a URL.
pub(super) fn readable(text: &str) -> String {
    let text = &text[..text.floor_char_boundary(LIMIT)];
    let text = unescaped(&without_tags(text));
    without_tags(&unencoded(&text))
}

/// Decodes the few entities that occur in error messages.
pub(super) fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, sign) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#039;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, sign);
    }
    text
}

/// Removes tags. Other text in angle brackets stays, such as `<app>`.
fn without_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        plain += &rest[..at];
        rest = &rest[at..];
        let end = rest.find('>').filter(|end| is_tag(&rest[1..*end]));
        if let Some(end) = end {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
            rest = rest[end + 1..].trim_start();
        } else {
            plain.push('<');
            rest = &rest[1..];
        }
    }
    plain += rest;
    if plain.len() == text.len() {
        return plain;
    }
    plain.trim().to_owned()
}

/// Returns whether this is the inside of a tag.
fn is_tag(inside: &str) -> bool {
    let name = inside.trim_matches('/').split([' ', '/']).next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    TAGS.contains(&name.as_str())
}

/// Decodes a sentence that was encoded for a URL. No word of it may look like a secret, which is not decoded.
fn unencoded(text: &str) -> String {
    let is_encoded = text.contains("%20") || text.matches('+').count() > 1;
    if !is_encoded || text.contains(char::is_whitespace) {
        return text.to_owned();
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8_lossy();
    let is_word = |word: &str| {
        word.chars().count() <= 24
            && word
                .chars()
                .all(|ch| ch.is_alphabetic() || ".,:;'\"!?()-_".contains(ch))
    };
    if decoded.split_whitespace().all(is_word) {
        decoded.into_owned()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_decoded_once_it_is_a_sentence() {
        for (text, read) in [
            (
                "The app &quot;x&quot; isn&#39;t known",
                "The app \"x\" isn't known",
            ),
            ("Locked.<br/>Call us.", "Locked. Call us."),
            ("<p>User <b>locked</b></p>", "User locked"),
            ("&lt;p&gt;Locked&lt;/p&gt;", "Locked"),
            ("The%20user%20is%20locked", "The user is locked"),
            ("The+user+is+locked.", "The user is locked."),
            ("No <app> for 1 < 2", "No <app> for 1 < 2"),
            ("100%20off is kept", "100%20off is kept"),
            ("a1B%202+x+y", "a1B%202+x+y"),
            ("a+b", "a+b"),
            (" plain ", " plain "),
            ("<", "<"),
            ("<br", "<br"),
        ] {
            assert_eq!(readable(text), read);
        }
    }

    #[test]
    fn only_the_part_that_can_be_shown_is_decoded() {
        let text = "<".repeat(1024 * 1024) + ">";
        assert_eq!(readable(&text), "<".repeat(LIMIT));
        let cut = "é".repeat(LIMIT);
        assert_eq!(readable(&cut), "é".repeat(LIMIT / 2));
    }
}
