//! Recognizes what the user pasted in place of the browser's redirect: its query, or only a code.

use serde_json::{Map, Value};
use url::form_urlencoded;

use super::parameters::parameters;
use crate::clean::{is_visible, trimmed, unquoted};
use crate::escapes::without_escapes;

/// The content of a paste.
#[derive(Debug, PartialEq, Eq)]
pub enum Pasted {
    /// The query of a redirect, from a URL or on its own.
    Query(String),
    /// A URL without a response in it.
    Url,
    /// Other text, which may be a code.
    Text(String),
}

/// The parameters that distinguish a response from other text.
const OF_AN_ANSWER: [&str; 3] = ["code", "error", "state"];

/// Classifies a paste.
#[must_use]
pub fn read(paste: &str) -> Pasted {
    let text: String = without_escapes(paste)
        .chars()
        .filter(|ch| ch.is_whitespace() || is_visible(*ch))
        .collect();
    if let Some(query) = query_of_json(&text) {
        return Pasted::Query(response_within(&query).unwrap_or(query));
    }
    let text = with_ampersands(&text);
    let link = link(&text).or_else(|| linked(&text));
    let text = one_word(bare(link.unwrap_or(&text)));
    let text = without_label(without_end_of_sentence(bare(&text)));
    let found = classified(text);
    if let Pasted::Query(query) = &found {
        if has_any(query) {
            return found;
        }
        if let Some(inner) = response_within(query) {
            return Pasted::Query(inner);
        }
    }
    // The whole text may be encoded, as a part of another URL.
    let mut encoded = text.to_owned();
    for _ in 0..ENCODED_LIMIT {
        let Some(decoded) = percent_decoded(&encoded) else {
            break;
        };
        match classified(&decoded) {
            Pasted::Query(query) if has_any(&query) => return Pasted::Query(query),
            _ => encoded = decoded,
        }
    }
    found
}

/// Returns the response in a URL that is a parameter of another URL. Mail programs and search engines replace links with
/// such URLs.
fn response_within(query: &str) -> Option<String> {
    if has_any(query) {
        return None;
    }
    form_urlencoded::parse(query.as_bytes()).find_map(|(_, value)| {
        let is_url = value.contains("://") && !value.contains(char::is_whitespace);
        match classified(&value) {
            Pasted::Query(inner) if is_url && has_any(&inner) => Some(inner),
            _ => None,
        }
    })
}

/// Returns the URL of the first link in HTML.
fn link(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("href=")?;
    let mark = rest.chars().next().filter(|ch| ['"', '\''].contains(ch))?;
    let (url, _) = rest.get(1..)?.split_once(mark)?;
    text.trim_start().starts_with('<').then_some(url)
}

/// Returns what follows the start of a query, or the whole text.
fn query_of(text: &str) -> &str {
    text.split_once(['?', '#']).map_or(text, |(_, query)| query)
}

/// Returns the response in a link that names its URL twice, as `[URL](URL)` and `<URL|URL>` do, or in a URL that was
/// copied twice.
fn linked(text: &str) -> Option<&str> {
    let text = trimmed(text);
    if let Some((first, second)) = text.split_at_checked(text.len() / 2)
        && first == second
        && has_any(query_of(first))
    {
        return Some(first);
    }
    let is_slack = text.starts_with('<');
    let is_edge =
        |ch: char| ch.is_whitespace() || "[]()<>\"".contains(ch) || (is_slack && ch == '|');
    let mut answers = text.split(is_edge).filter(|part| has_any(query_of(part)));
    let first = answers.next()?;
    let rest: Vec<&str> = answers.map(query_of).collect();
    let is_link = text.contains("](") || (is_slack && text.contains('|'));
    let is_sole = rest.iter().all(|other| *other == query_of(first));
    (is_sole && (is_link || !rest.is_empty())).then_some(first)
}

/// Classifies a text with nothing around it.
fn classified(text: &str) -> Pasted {
    let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
    // The URL may lack its start: browsers hide the scheme.
    let fragment = of_route(fragment);
    if let Some((_, query)) = before.split_once('?')
        && (has_any(query) || !has_any(fragment))
    {
        return Pasted::Query(query.to_owned());
    }
    // The response of another response mode (OAuth 2.0 Multiple Response Type Encoding Practices, section 2.1).
    if has_any(fragment) {
        return Pasted::Query(fragment.to_owned());
    }
    match before.split_once('&') {
        // A code, followed by the rest of its query.
        Some((code, rest))
            if !code.contains("://")
                && !code.contains('=')
                && rest.split('&').all(is_parameter) =>
        {
            if has_state(rest) {
                return Pasted::Query(format!("code={before}"));
            }
            return Pasted::Text(code.to_owned());
        }
        // Something else than a code, such as `client_secret=…`.
        _ if has_any(before) || is_named(before) => return Pasted::Query(before.to_owned()),
        _ => {}
    }
    let local = ["localhost", "127.0.0.1", "[::1]", "www."]
        .iter()
        .any(|host| before.starts_with(host));
    let has_words = text.contains(char::is_whitespace);
    if !has_words && (local || before.contains("://")) {
        return Pasted::Url;
    }
    Pasted::Text(if has_words { text } else { before }.to_owned())
}

/// Returns the query in a fragment that is the route of a web app, such as `/callback?code=C`.
fn of_route(fragment: &str) -> &str {
    match fragment.split_once('?') {
        Some((_, query)) if has_any(query) => query,
        Some(_) | None => fragment.trim_start_matches(['/', '!']),
    }
}

/// Returns the text with the signs that HTML, JSON, mail, shells and source code write otherwise. The text may have been
/// encoded more than once.
fn with_ampersands(text: &str) -> String {
    let mut text = text.replace("\\u0026", "&");
    // A URL contains no such signs, except at the end of a code.
    for (escaped, sign) in [
        ("\\&", "&"),
        ("\\?", "?"),
        ("\\=", "="),
        ("^&", "&"),
        ("`&", "&"),
    ] {
        text = text.replace(escaped, sign);
    }
    if let Some(decoded) = quoted_printable_decoded(&text) {
        text = decoded;
    }
    for _ in 0..ENCODED_LIMIT {
        for entity in ["&amp;", "&#38;", "&#038;", "&#x26;", "&#X26;"] {
            text = text.replace(entity, "&");
        }
    }
    text
}

/// Decodes a response in quoted-printable (RFC 2045, section 6.7), the encoding of mail. Each `=` of the text is `=3D` there,
/// and any other `=` was at the end of a line that the encoding broke.
fn quoted_printable_decoded(text: &str) -> Option<String> {
    let parts: Vec<String> = text
        .split("=3D")
        .map(|part| part.replace('=', ""))
        .collect();
    let decoded = parts.join("=");
    let is_response = |name: &str| {
        let mut names = decoded.split(['?', '#', '&', ';']);
        names.any(|part| {
            part.trim_start()
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with('='))
        })
    };
    (is_response("code") && is_response("state")).then_some(decoded)
}

/// How many times a text may be encoded.
const ENCODED_LIMIT: usize = 3;

/// Returns the members of a JSON object as a query: some pages show the response like this.
fn query_of_json(text: &str) -> Option<String> {
    let text = trimmed(text);
    let text = unquoted(text).unwrap_or(text);
    let members: Map<String, Value> = serde_json::from_str(text).ok()?;
    let texts = members
        .iter()
        .filter_map(|(name, value)| Some((name, value.as_str()?)));
    Some(
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(texts)
            .finish(),
    )
}

/// The beginnings of browsers' names for errors.
const OF_A_BROWSER: [&str; 7] = [
    "ERR_",
    "DNS_PROBE_",
    "NS_ERROR_",
    "SSL_ERROR_",
    "SEC_ERROR_",
    "PR_",
    "MOZILLA_PKIX_",
];

/// Says what the text is if it looks like a code, but can't be one.
pub(super) fn no_code(text: &str) -> Option<&'static str> {
    let is_constant = |ch: char| ch.is_ascii_uppercase() || ch == '_';
    // Names such as ERR_HTTP2_PROTOCOL_ERROR may contain digits, as codes do.
    let is_of_browser = |ch: char| is_constant(ch) || ch.is_ascii_digit();
    let is_named = OF_A_BROWSER.iter().any(|start| text.starts_with(start));
    if (text.contains('_') && text.chars().all(is_constant))
        || (is_named && text.chars().all(is_of_browser))
        || text.starts_with("about:")
    {
        return Some(
            "it is from the browser's error page. Copy the URL from the address bar instead",
        );
    }
    let (name, domain) = text.split_once('@')?;
    let is_email = !name.is_empty() && domain.contains('.') && !domain.contains(['@', '/', '=']);
    is_email.then_some("it is an email address, not a code")
}

/// Decodes the text; `None` if it contains no `%`, or a `%` without two hexadecimal digits.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let encoded =
        |part: &str| part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.contains('%') || !text.split('%').skip(1).all(encoded) {
        return None;
    }
    // Outside of a query, a plus sign is part of the code.
    let decoded = percent_encoding::percent_decode_str(text);
    Some(decoded.decode_utf8_lossy().into_owned())
}

/// Converts a paste to one line. Words stay apart, as in the text of an error page; a URL or a code without spaces is
/// joined, because a terminal may have wrapped it.
#[must_use]
pub fn one_line(paste: &str) -> String {
    let paste = &*without_escapes(paste);
    let lines = paste.lines().map(without_quote_mark);
    let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    let has_words = lines.iter().any(|line| line.contains(char::is_whitespace));
    let is_joined = !has_words || lines.first().is_some_and(|first| begins_an_answer(first));
    lines.join(if is_joined { "" } else { " " })
}

/// Removes what mail programs put in front of each line that they quote.
#[must_use]
pub fn without_quote_mark(line: &str) -> &str {
    let mut line = trimmed(line);
    while let Some(rest) = line.strip_prefix('>') {
        line = trimmed(rest);
    }
    line
}

/// Returns whether `line` is the next parameter of a response whose first part ends where a parameter ends.
#[must_use]
pub fn continues(before: &str, line: &str) -> bool {
    let is_open = before.trim_end().ends_with(['&', '?', '#']) || before.ends_with("&amp;");
    let name = line.split('=').next().unwrap_or_default();
    is_open && OF_AN_ANSWER.contains(&name)
}

/// Returns whether the text is the start of a response: a URL, a query or a line of a log. Other text may be the rest
/// of a response.
#[must_use]
pub fn begins_an_answer(text: &str) -> bool {
    let text = bare(text);
    let scheme = text.split_once("://").is_some_and(|(scheme, _)| {
        scheme.starts_with(|ch: char| ch.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|ch| ch.is_ascii_alphanumeric() || "+-.".contains(ch))
    });
    let first = text.split(['=', ' ', '?', '#']).next().unwrap_or_default();
    scheme
        || OF_AN_ANSWER.contains(&first)
        || ["GET", "POST", "HEAD", "localhost", "", "/"].contains(&first)
        || first.starts_with("localhost:")
        || first.starts_with("127.0.0.1")
}

/// Returns whether the text is a URL or a query, or a part of one, which the next line may continue.
#[must_use]
pub fn is_like_a_url(text: &str) -> bool {
    text.contains("://") || text.contains('?') || has_any(text)
}

fn names(query: &str) -> impl Iterator<Item = String> {
    parameters(query).map(|(name, _)| name)
}

/// Returns whether the query contains a state.
#[must_use]
pub fn has_state(query: &str) -> bool {
    names(query).any(|name| name == "state")
}

fn has_any(query: &str) -> bool {
    names(query).any(|name| OF_AN_ANSWER.contains(&name.as_str()))
}

/// Returns whether the text starts with the name of a parameter. Codes are random, and contain `=` only at their end.
fn is_named(text: &str) -> bool {
    text.split_once('=').is_some_and(|(name, value)| {
        let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        (2..=30).contains(&name.len())
            && name.bytes().all(is_letter)
            && !value.trim_start_matches('=').is_empty()
    })
}

fn is_parameter(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty())
}

/// Removes the punctuation that ends a sentence after a state. A state contains no such characters.
fn without_end_of_sentence(text: &str) -> &str {
    let is_state_last = text
        .rsplit(['&', '?', '#'])
        .next()
        .is_some_and(|last| last.starts_with("state="));
    if is_state_last {
        text.trim_end_matches(['.', ',', ';', ':', '!', ')', ']', '"', '\'', '`'])
    } else {
        text
    }
}

/// Removes a label in front of the code, such as `Authorization code: `.
fn without_label(text: &str) -> &str {
    let Some((label, code)) = text.split_once(':') else {
        return text;
    };
    let (label, code) = (label.to_ascii_lowercase(), bare(code));
    let is_label = label.ends_with("code")
        && !label.contains("error")
        && label
            .chars()
            .all(|ch| ch.is_ascii_alphabetic() || ch == ' ');
    if is_label && !code.contains(char::is_whitespace) {
        code
    } else {
        text
    }
}

/// Removes quotation marks and brackets around the text.
fn bare(text: &str) -> &str {
    let mut text = trimmed(text);
    loop {
        let brackets = [('<', '>'), ('(', ')'), ('[', ']'), ('{', '}')];
        let unbracketed = || {
            brackets
                .iter()
                .find_map(|(opening, closing)| text.strip_prefix(*opening)?.strip_suffix(*closing))
        };
        let unended = || {
            let inner = text.trim_end_matches([',', ';']);
            (inner != text && unquoted(inner).is_some()).then_some(inner)
        };
        let Some(inner) = unquoted(text).or_else(unbracketed).or_else(unended) else {
            // One mark of a pair may not have been copied.
            return text.trim_matches(['"', '\'', '`', '“', '”', '‘', '’', '<', '>']);
        };
        text = trimmed(inner);
    }
}

/// Returns the word that contains the response if there are other words, as in the request line of a server's log, in a
/// header or in a sentence. Otherwise joins the words of a URL, because a line break may have split it.
fn one_word(text: &str) -> String {
    let words = || text.split_whitespace();
    let first = words().next().unwrap_or_default();
    let is_answer = |word: &&str| has_state(query_of(word));
    let is_request = ["GET", "HEAD", "POST"].contains(&first.trim_matches('"'));
    if is_request && let Some(target) = words().nth(1) {
        return target.to_owned();
    }
    // The rest of the line of a log. No state ends with a quotation mark.
    let is_logged = words().nth(1).is_some_and(|word| word.starts_with("HTTP/"));
    if (is_logged || first.ends_with(['"', '\''])) && is_answer(&first) {
        return first.to_owned();
    }
    let mut answers = words().filter(is_answer);
    match (answers.next(), answers.next()) {
        (Some(answer), None) if !is_like_a_url(first) => answer.to_owned(),
        _ if is_like_a_url(first) => words().collect(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_of_a_paste_are_ignored() {
        let link = "\u{1b}]8;;http://x/\u{1b}\\\u{1b}[4mhttp://localhost/?code=C&state=S\u{1b}[0m\u{1b}]8;;\u{1b}\\";
        let query = Pasted::Query("code=C&state=S".to_owned());
        assert_eq!(read(link), query);
        assert_eq!(one_line(link), "http://localhost/?code=C&state=S");
    }

    #[test]
    fn quoted_printable_is_decoded() {
        let joined = Pasted::Query("code=abcdefghijuvwxyz&state=STATE".to_owned());
        for paste in [
            "http://127.0.0.1/cb?code=3Dabcdefghijuvwxyz&state=3DSTATE",
            "http://127.0.0.1/cb?code=3Dabcdefghij=\nuvwxyz&state=3DST=\r\nATE",
            "http://127.0.0.1/cb?co=\nde=3Dabcdefghijuvwxyz&=\nstate=3D=\nSTATE",
        ] {
            assert_eq!(read(&one_line(paste)), joined, "{paste}");
        }
        for query in [
            "code=3Dab==&state=S",
            "code=ab&state=3DS",
            "state=S&code=ab=3D",
        ] {
            let url = format!("http://127.0.0.1/cb?{query}");
            assert_eq!(read(&url), Pasted::Query(query.to_owned()), "{query}");
        }
    }

    #[test]
    fn text_lines_stay_separate_and_wrapped_value_is_joined() {
        for (paste, line) in [
            (
                "http://localhost/?code=C\n  &state=S\n",
                "http://localhost/?code=C&state=S",
            ),
            (
                "<http://localhost/\n?error_description=not now>",
                "<http://localhost/?error_description=not now>",
            ),
            ("4/0Ab\ncd\n", "4/0Abcd"),
            (
                "Access blocked\n\nError 400:\tinvalid_scope\nTry again",
                "Access blocked Error 400:\tinvalid_scope Try again",
            ),
            ("one line", "one line"),
            (
                "> http://localhost/?code=C&\n> state=S\n",
                "http://localhost/?code=C&state=S",
            ),
            (">> two words\n>> and more", "two words and more"),
        ] {
            assert_eq!(one_line(paste), line);
        }
    }

    #[test]
    fn response_is_found_however_it_was_copied() {
        let query = || Pasted::Query("code=C&state=S".to_owned());
        for text in [
            "http://127.0.0.1:8400/cb?code=C&state=S",
            "http://127.0.0.1:8400/cb?code=C&amp;state=S",
            "http://127.0.0.1:8400/cb?code=C&state=S#_=_",
            "http://127.0.0.1:8400/cb#code=C&state=S",
            "http://127.0.0.1:8400/cb?x=1#code=C&state=S",
            "#code=C&state=S",
            "?code=C&state=S",
            "code=C&state=S",
            "C&state=S",
            "com.example.app:/cb?code=C&state=S",
            "GET /cb?code=C&state=S HTTP/1.1",
            "\"GET /cb?code=C&state=S HTTP/1.1\" 404",
            "Location: http://127.0.0.1:8400/cb?code=C&state=S",
            "Request URL: http://127.0.0.1:8400/cb?code=C&state=S",
            "http://127.0.0.1:8400/cb?code=C\n&state=S",
            "http://127.0.0.1:8400/cb?code=C& state=S",
            "\"http://127.0.0.1:8400/cb?code=C&state=S\"",
            "“http://127.0.0.1:8400/cb?code=C&state=S”",
            "'http://127.0.0.1:8400/cb?code=C&state=S'",
            "`http://127.0.0.1:8400/cb?code=C&state=S`",
            "<http://127.0.0.1:8400/cb?code=C&state=S>",
            "(http://127.0.0.1:8400/cb?code=C&state=S)",
            "[http://127.0.0.1:8400/cb?code=C&state=S]",
            "\u{feff}\u{a0}http://127.0.0.1:8400/cb?code=C&state=S\u{200b}\r\n",
            "http://127.0.0.1:8400/cb?code=C&state=S\"",
            "http://127.0.0.1:8400/cb?code=C&state=S.",
            "See http://127.0.0.1:8400/cb?code=C&state=S).",
            "http://127.0.0.1:8400/cb?code=C\\u0026state=S",
            "http://127.0.0.1:8400/cb?code=C&amp;amp;state=S",
            "http://127.0.0.1:8400/cb?code=C&amp;amp;amp;state=S",
            "http://127.0.0.1:8400/cb?code=C&#38;state=S",
            "http://127.0.0.1:8400/cb?code=C&amp;#x26;state=S",
            "code%3DC%26state%3DS",
            "code%253DC%2526state%253DS",
            "http://127.0.0.1:8400/cb%3Fcode%3DC%26state%3DS",
            "http%3A%2F%2F127.0.0.1%3A8400%2Fcb%3Fcode%3DC%26state%3DS",
            "\"code%3DC%26state%3DS\",",
            r#"{"code":"C","state":"S"}"#,
            r#"{ "code": "C", "n": 1, "state": "S" }"#,
            r#"'{"code":"C","state":"S"}'"#,
            "\"http://127.0.0.1:8400/cb?code=C&state=S\",",
            "'http://127.0.0.1:8400/cb?code=C&state=S';",
            "http://127.0.0.1:8400/cb?code=C&state=S\",",
            "http://127.0.0.1:8400/cb?code=C&state=S HTTP/1.1\" 200 -",
            "/cb?code=C&state=S HTTP/1.1\" 200 -",
            "\"http://127.0.0.1:8400/cb?code=C&state=S\" 200 -",
            "http://127.0.0.1:8400/cb#/?code=C&state=S",
            "http://127.0.0.1:8400/cb#!/cb?code=C&state=S",
            "http://127.0.0.1:8400/cb#/code=C&state=S",
            "http://127.0.0.1:8400/#/cb?code=C&state=S",
            "https://links.example/?url=http%3A%2F%2F127.0.0.1%3A8400%2Fcb%3Fcode%3DC%26state%3DS&data=05%7C02%7C&reserved=0",
            "https://search.example/url?q=http://127.0.0.1:8400/cb%3Fcode%3DC%26state%3DS&sa=D",
            r#"{"url":"http://127.0.0.1:8400/cb?code=C&state=S"}"#,
            r#"<a href="http://127.0.0.1:8400/cb?code=C&amp;state=S">Continue</a>"#,
            "[http://127.0.0.1:8400/cb?code=C&state=S](http://127.0.0.1:8400/cb?code=C&state=S)",
            "[http://[::1]:8400/cb?code=C&state=S](http://[::1]:8400/cb?code=C&state=S)",
            "[Continue](http://127.0.0.1:8400/cb?code=C&state=S)",
            "<http://127.0.0.1:8400/cb?code=C&state=S|http://127.0.0.1:8400/cb?code=C&state=S>",
            "<http://127.0.0.1:8400/cb?code=C&amp;state=S|127.0.0.1:8400/cb?code=C&amp;state=S>",
            "<http://127.0.0.1:8400/cb?code=C&state=S|link>",
            "http://127.0.0.1:8400/cb?code=C&state=S http://127.0.0.1:8400/cb?code=C&state=S",
            "http://127.0.0.1:8400/cb?code=C&state=Shttp://127.0.0.1:8400/cb?code=C&state=S",
            "http://127.0.0.1:8400/cb?code=C&state=S\nhttp://127.0.0.1:8400/cb?code=C&state=S\n",
            "http://127.0.0.1:8400/cb?code=C&\nstate=S",
        ] {
            assert_eq!(read(text), query(), "{text:?}");
        }
    }

    #[test]
    fn bare_code_ends_where_the_next_parameter_begins() {
        for (text, code) in [
            ("4%2F0AbC", "4%2F0AbC"),
            ("4%2F0AbC&scope=https://mail.google.com/", "4%2F0AbC"),
            ("4/0AbC&scope=a&authuser=0&prompt=consent", "4/0AbC"),
            ("\"4/0AbC\"", "4/0AbC"),
            ("{4/0AbC}", "4/0AbC"),
            ("<4/0AbC>", "4/0AbC"),
            ("code: 4/0AbC", "4/0AbC"),
            ("Authorization code: \"4/0AbC\"", "4/0AbC"),
            ("Error code: AADSTS50011", "Error code: AADSTS50011"),
            ("ab&cd", "ab&cd"),
            ("ab+c%2F==", "ab+c%2F=="),
            ("two words", "two words"),
            ("4%2F0A%3DbC", "4%2F0A%3DbC"),
            ("100%", "100%"),
            (
                "AADSTS50011: The redirect URI 'http://localhost:8400/' does not match.",
                "AADSTS50011: The redirect URI 'http://localhost:8400/' does not match.",
            ),
        ] {
            assert_eq!(read(text), Pasted::Text(code.to_owned()), "{text:?}");
        }
        for text in [
            "http://127.0.0.1:8400/cb",
            "localhost:8400/cb",
            "https://as.example/a&b=c",
        ] {
            assert_eq!(read(text), Pasted::Url, "{text:?}");
        }
    }

    #[test]
    fn text_that_names_its_value_is_not_a_code() {
        for text in [
            "client_secret=xyz-1234-abcd",
            "refresh_token=1//0gabc",
            "access_token=ya29.abc&token_type=Bearer",
            "SAMLResponse=PHNhbWw%2B&RelayState=x",
            "id_token=eyJ.eyJ.x",
            "\"device_code=GmRh-abcd\"",
        ] {
            assert!(matches!(read(text), Pasted::Query(_)), "{text}");
        }
        for text in ["YWJjZGVm==", "YWJjZGVmZw=", "4/0Ab=cd", "1.AXoA=x"] {
            assert_eq!(read(text), Pasted::Text(text.to_owned()));
        }
    }

    #[test]
    fn different_responses_in_one_paste_are_not_merged() {
        let (one, other) = (
            "http://127.0.0.1/cb?code=C&state=S",
            "http://127.0.0.1/cb?code=D&state=S",
        );
        assert_eq!(linked(&format!("[{one}]({other})")), None);
        assert_eq!(linked(&format!("{one} {other}")), None);
        assert_eq!(linked("http://127.0.0.1/cb?code=a|b&state=S"), None);
    }

    #[test]
    fn part_of_a_url_is_recognized_by_any_marker() {
        for text in ["http://127.0.0.1", "/cb?x", "code=C", "&state=S"] {
            assert!(is_like_a_url(text), "{text}");
        }
        for text in ["4/0AbC", "codex", ""] {
            assert!(!is_like_a_url(text), "{text}");
        }
    }

    #[test]
    fn sole_response_in_a_sentence_is_found() {
        let answer = "http://127.0.0.1/cb?code=C&state=S";
        let text = format!("The browser ended at {answer} with an error");
        assert_eq!(one_word(&text), answer);
        for text in [
            format!("It was {answer} and then {answer}"),
            "It was code=C only".to_owned(),
        ] {
            assert_eq!(one_word(&text), text);
        }
    }

    #[test]
    fn signs_that_a_shell_or_mail_escaped_are_restored() {
        for paste in [
            r"http://127.0.0.1/cb\?code\=C\&state\=S",
            "http://127.0.0.1/cb?code=C^&state=S",
            "http://127.0.0.1/cb?code=C`&state=S",
            "http://127.0.0.1/cb?code=3DC&state=3DS",
        ] {
            let query = Pasted::Query("code=C&state=S".to_owned());
            assert_eq!(read(paste), query, "{paste}");
        }
        // A code may begin in this way.
        let query = Pasted::Query("code=3DC&state=S".to_owned());
        assert_eq!(read("?code=3DC&state=S"), query);
    }
}
