//! Finds secrets in texts, and replaces the words around them.
//!
//! Texts and secrets are compared only by their letters and digits, in lowercase and decoded, six in a row. This finds
//! a secret that is percent-encoded, escaped, in uppercase, cut off, or interrupted by invisible characters. In hex,
//! twelve in a row are compared.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::clean::is_clean;

/// Number of consecutive letters and digits that give a secret away.
pub(super) const RUN: usize = 6;
/// Maximum length of a word. More consecutive letters of one case count as random.
pub(super) const LONGEST_WORD: usize = 12;
/// Words that made-up secrets may contain, and that are common in error messages.
const VOCABULARY: &[&str] = &[
    "accesstoken",
    "application",
    "authorizationcode",
    "clientid",
    "clientsecret",
    "devicecode",
    "password",
    "refreshtoken",
    "usercode",
];
/// Minimum number of letters and digits. Secrets with fewer than [`RUN`] are compared as a whole; with fewer than this,
/// they would be found by chance.
pub(super) const SHORTEST: usize = 4;
/// The characters that start an escape.
pub(super) const ESCAPES: [char; 4] = ['%', '\\', '&', '<'];

/// Returns the letters and digits of a text as numbers below 36, with their byte ranges. With `decode`, escapes of
/// URLs, JSON and HTML count as the characters they encode.
pub(super) fn letters(text: &str, decode: bool) -> impl Iterator<Item = (u8, Range<usize>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let plain = rest.chars().next()?;
            let (ch, length) = match decode.then(|| escape(rest)).flatten() {
                Some(escaped) => escaped,
                None => (plain, plain.len_utf8()),
            };
            let begin = at;
            at += length;
            if let Some(value) = fold(ch) {
                return Some((value, begin..at));
            }
        }
    })
}

/// The letters and digits of a text to search.
struct Folded {
    values: Vec<u8>,
    /// Their byte ranges. Texts are always much smaller than 4 GB.
    places: Vec<(u32, u32)>,
}

impl Folded {
    fn new(text: &str, decode: bool) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (values, places) = letters(text, decode)
            .map(|(value, at)| (value, (place(at.start), place(at.end))))
            .unzip();
        Self { values, places }
    }

    /// Returns the byte range of `count` letters and digits, from `place` on.
    fn range(&self, place: usize, count: usize) -> Range<usize> {
        self.places[place].0 as usize..self.places[place + count - 1].1 as usize
    }
}

/// Returns a letter or digit as a number below 36, whatever its case and width.
fn fold(ch: char) -> Option<u8> {
    // Convert full-width forms to ASCII.
    let ch = match ch {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(ch) - 0xfee0).unwrap_or(ch),
        ch => ch,
    };
    if let Some(digit) = ch.to_digit(36) {
        return u8::try_from(digit).ok();
    }
    let visible = !ch.is_ascii() && ch.is_alphanumeric() && is_clean(ch.encode_utf8(&mut [0; 4]));
    let lower = ch.to_lowercase().next().unwrap_or(ch);
    visible.then(|| u8::try_from(u32::from(lower) % 36).unwrap_or_default())
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns the character that the escape at the beginning of `text` encodes, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let number = |digits: Option<&str>, radix| {
        let digits = digits.filter(|digits| is_hex(digits))?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?)
    };
    if text.starts_with('%') {
        // The escape may be encoded several times.
        let mut at = 1;
        while at < 9
            && text.get(at..at + 2) == Some("25")
            && text.get(at + 2..at + 4).is_some_and(is_hex)
        {
            at += 2;
        }
        return Some((number(text.get(at..at + 2), 16)?, at + 2));
    }
    if text.starts_with('<') {
        // Tags encode no character.
        let end = text.bytes().take(20).position(|byte| byte == b'>')?;
        let name = &text[1..end];
        let tag = name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
        return tag.then_some((' ', end + 1));
    }
    if let Some(rest) = text.strip_prefix("\\u") {
        return Some((number(rest.get(..4), 16)?, 6));
    }
    if let Some(rest) = text.strip_prefix("\\x") {
        return Some((number(rest.get(..2), 16)?, 4));
    }
    let entity = text.strip_prefix('&')?;
    let end = entity.bytes().take(10).position(|byte| byte == b';')?;
    let name = &entity[..end];
    let ch = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => number(Some(digits), 16)?,
            None => number(Some(digits), 10)?,
        },
        // Named entities are punctuation.
        None => ' ',
    };
    Some((ch, end + 2))
}

/// Every run of letters and digits in some texts, sorted, with a record of those that belong to a secret.
pub(super) struct Index {
    /// Each text as it is, and again decoded if it contains escapes.
    readings: Vec<(usize, Folded)>,
    /// Each run, with its reading and its position in it.
    runs: Vec<(u32, u32, u32)>,
    /// The runs that were found, with the number of consecutive letters and digits that a match needs.
    hits: BTreeMap<u32, usize>,
    /// A bit for each possible lower half of a run: most lookups end at this filter.
    filter: Vec<u64>,
    /// The matches of secrets that are shorter than a run, by text.
    short: Vec<(usize, Range<usize>)>,
}

/// Returns the next run, which ends with `value`.
fn next_run(before: u32, value: u8) -> u32 {
    // Less than 36^6, which is less than 2^32.
    before % 36_u32.pow(5) * 36 + u32::from(value)
}

/// Returns whether the letters are part of a word that is common in error messages.
fn is_vocabulary(values: &[u8]) -> bool {
    let known = |word: &str| {
        let word: Vec<u8> = word.chars().filter_map(fold).collect();
        word.windows(values.len()).any(|part| part == values)
    };
    VOCABULARY.iter().any(|word| known(word))
}

/// Returns whether a part of a secret consists of words: of one case or capitalized, at most [`LONGEST_WORD`] letters.
fn is_of_words(secret: &str, part: Range<usize>) -> bool {
    // Extend the part to whole words, at most by the length of a word.
    let letters = |byte: &&u8| byte.is_ascii_alphabetic();
    let before = secret.as_bytes()[..part.start]
        .iter()
        .rev()
        .take(LONGEST_WORD);
    let begin = part.start - before.take_while(letters).count();
    let after = secret.as_bytes()[part.end..].iter().take(LONGEST_WORD);
    let end = part.end + after.take_while(letters).count();
    let Some(words) = secret.get(begin..end) else {
        return false;
    };
    let one_case = |word: &str| {
        let rest = word.get(1..).unwrap_or_default();
        rest.bytes().all(|byte| byte.is_ascii_lowercase())
            || word.bytes().all(|byte| byte.is_ascii_uppercase())
    };
    words.split(['-', '_', '.', ' ']).all(|word| {
        word.bytes().all(|byte| byte.is_ascii_alphabetic())
            && word.len() <= LONGEST_WORD
            && one_case(word)
    })
}

impl Index {
    pub(super) fn new(texts: &[&mut String]) -> Self {
        let mut readings = Vec::new();
        for (at, text) in texts.iter().enumerate() {
            readings.push((at, Folded::new(text, false)));
            if text.contains(ESCAPES) {
                readings.push((at, Folded::new(text, true)));
            }
        }
        let mut all = Vec::new();
        let mut filter = vec![0u64; 1 << 10];
        for (reading, (_, folded)) in (0u32..).zip(&readings) {
            let mut run = 0;
            for (at, value) in folded.values.iter().enumerate() {
                run = next_run(run, *value);
                let Some(Ok(place)) = (at + 1).checked_sub(RUN).map(u32::try_from) else {
                    continue;
                };
                all.push((run, reading, place));
                let bit = run & 0xffff;
                filter[(bit / 64) as usize] |= 1 << (bit % 64);
            }
        }
        all.sort_unstable();
        Self {
            readings,
            runs: all,
            hits: BTreeMap::new(),
            filter,
            short: Vec::new(),
        }
    }

    /// Records the runs that the texts share with a secret. A match needs `least` letters and digits in a row, or all of
    /// a shorter secret.
    pub(super) fn find(&mut self, secret: &str, least: usize, decode: bool) {
        let all = || letters(secret, decode).count();
        let least = match least {
            RUN => RUN,
            more => more.min(all()).max(RUN),
        };
        let mut sum = 0;
        let mut begins = [0; RUN];
        let mut whole = None;
        for (count, (value, at)) in letters(secret, decode).enumerate() {
            sum = next_run(sum, value);
            begins[count % RUN] = at.start;
            let bit = sum & 0xffff;
            let possible = self.filter[(bit / 64) as usize] & (1 << (bit % 64)) != 0;
            if count + 1 < RUN
                || !possible
                || self
                    .runs
                    .binary_search_by_key(&sum, |(run, ..)| *run)
                    .is_err()
            {
                continue;
            }
            let run = begins[(count + 1) % RUN]..at.end;
            let needed = if is_of_words(secret, run) {
                // People know these words, so a match needs most of the secret.
                *whole.get_or_insert_with(|| (all() * 3).div_ceil(5).max(least))
            } else {
                least
            };
            let known = self.hits.entry(sum).or_insert(needed);
            *known = needed.min(*known);
        }
    }

    /// Records the places of a short secret.
    pub(super) fn find_short(&mut self, texts: &[&mut String], secret: &str) {
        let values: Vec<u8> = letters(secret, false).map(|(value, _)| value).collect();
        if values.len() < SHORTEST {
            // Mostly punctuation, so compare the text as it is.
            for (at, text) in texts.iter().enumerate() {
                let places = text.match_indices(secret);
                self.short
                    .extend(places.map(|(place, found)| (at, place..place + found.len())));
            }
            return;
        }
        for (at, folded) in &self.readings {
            for (place, window) in folded.values.windows(values.len()).enumerate() {
                if window == values {
                    self.short.push((*at, folded.range(place, values.len())));
                }
            }
        }
    }

    /// Returns the matches of each text.
    pub(super) fn found(self, texts: usize) -> Vec<Vec<Range<usize>>> {
        let mut found: Vec<Vec<Range<usize>>> = vec![Vec::new(); texts];
        for (at, range) in self.short {
            found[at].push(range);
        }
        let mut hits: Vec<(u32, u32, usize)> = self
            .runs
            .iter()
            .filter_map(|(run, reading, place)| Some((*reading, *place, *self.hits.get(run)?)))
            .collect();
        hits.sort_unstable();
        let in_a_row = |a: &(u32, u32, usize), b: &(u32, u32, usize)| a.0 == b.0 && a.1 + 1 == b.1;
        for hits in hits.chunk_by(in_a_row) {
            let needed = hits.iter().map(|(.., needed)| *needed).min();
            let length = hits.len() + RUN - 1;
            if let (Some((reading, place, _)), true) = (hits.first(), needed <= Some(length)) {
                let (at, folded) = &self.readings[*reading as usize];
                let place = *place as usize;
                if !is_vocabulary(&folded.values[place..place + length]) {
                    found[*at].push(folded.range(place, length));
                }
            }
        }
        found
    }
}

/// Replaces the words around `found`.
pub(super) fn replace(text: &mut String, mut found: Vec<Range<usize>>) {
    if found.is_empty() {
        return;
    }
    let ends_a_word = |ch: char| ch.is_whitespace() || "\"'`<>(){}[],;&?=:|".contains(ch);
    found.sort_unstable_by_key(|range| range.start);
    let mut result = String::with_capacity(text.len());
    let mut done = 0;
    let mut ranges = found.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        if range.end <= done {
            continue;
        }
        let before = &text[done..range.start.max(done)];
        let begin = done
            + before.rfind(ends_a_word).map_or(0, |at| {
                at + before[at..].chars().next().map_or(0, char::len_utf8)
            });
        loop {
            let rest = &text[range.end..];
            range.end += rest.find(ends_a_word).unwrap_or(rest.len());
            match ranges.peek() {
                Some(next) if next.start <= range.end => {
                    range.end = range.end.max(next.end);
                    ranges.next();
                }
                Some(_) | None => break,
            }
        }
        result.push_str(&text[done..begin]);
        result.push_str(&redacted(&text[begin..range.end]));
        done = range.end;
    }
    result.push_str(&text[done..]);
    *text = result;
}

/// Returns the replacement for a secret.
pub(in crate::flow) fn redacted(value: &str) -> String {
    format!("[redacted, {} chars]", value.chars().count())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn escape_is_decoded_with_its_length() {
        for (text, found) in [
            ("%41", Some(('A', 3))),
            ("%2541", Some(('A', 5))),
            ("%252541", Some(('A', 7))),
            ("%2525252541", Some(('A', 11))),
            // No program encodes more often.
            ("%252525252541", Some(('%', 11))),
            ("%25z1", Some(('%', 3))),
            ("%254z", Some(('%', 3))),
            ("%2525z1", Some(('%', 5))),
            ("%4", None),
            ("%zz", None),
            ("%+4", None),
            ("<b>x", Some((' ', 3))),
            ("</b>x", Some((' ', 4))),
            ("<a href>", None),
            ("<b", None),
            ("\\u0041x", Some(('A', 6))),
            ("\\u004", None),
            ("\\x41x", Some(('A', 4))),
            ("&#65;x", Some(('A', 5))),
            ("&#x41;x", Some(('A', 6))),
            ("&amp;x", Some((' ', 5))),
            ("&x", None),
            ("A", None),
        ] {
            assert_eq!(escape(text), found, "{text}");
        }
    }

    #[test]
    fn letters_are_folded_across_case_and_width() {
        for (one, other) in [('a', 'A'), ('a', '\u{ff21}'), ('7', '\u{ff17}'), ('ä', 'Ä')] {
            assert_eq!(fold(one), fold(other), "{one} {other}");
        }
        let (one, other) = (fold('ä').unwrap(), fold('ö').unwrap());
        assert!(one != other && one < 36 && other < 36, "{one} {other}");
        for sign in ['!', '-', ' ', '\u{200b}', '\u{ff01}', '€'] {
            assert_eq!(fold(sign), None, "{sign:?}");
        }
    }

    #[test]
    fn part_is_of_words_only_inside_whole_words() {
        let of_words = |secret: &str, part: &str| {
            let begin = secret.find(part).unwrap();
            is_of_words(secret, begin..begin + part.len())
        };
        for secret in ["my-secret", "Secrets", "SECRET_CLIENT", "secret client"] {
            let part = &secret[secret.len() - 5..];
            assert!(of_words(secret, part), "{secret}");
        }
        for (secret, part) in [
            ("xYsecrets", "secrets"),
            ("secretsXy", "secrets"),
            ("a9secret", "9secret"),
            ("abcdefghijklmnop", "hijklm"),
        ] {
            assert!(!of_words(secret, part), "{secret}");
        }
    }

    /// Returns the text with this secret redacted.
    fn without(secret: &str, text: &str) -> String {
        let mut text = text.to_owned();
        let mut index = Index::new(&[&mut text]);
        index.find(secret, RUN, false);
        let found = index.found(1).remove(0);
        replace(&mut text, found);
        text
    }

    #[test]
    fn six_secret_characters_are_redacted_unless_they_are_words() {
        let secret = "9secret-clients";
        assert_eq!(
            without(secret, "is 9secre it?"),
            "is [redacted, 6 chars] it?"
        );
        assert_eq!(without(secret, "is 9secr it?"), "is 9secr it?");
        assert_eq!(
            without(secret, "a secret of clients"),
            "a secret of clients"
        );
    }

    #[test]
    fn overlapping_matches_are_redacted_as_one() {
        let mut text = "It is alpha1 beta2x gamma3 now".to_owned();
        // The matches of two secrets.
        let found = vec![13..26, 6..19];
        replace(&mut text, found);
        assert_eq!(text, "It is [redacted, 20 chars] now");
        let mut text = "It is alpha1 beta2x now".to_owned();
        replace(&mut text, vec![8..10, 13..15]);
        assert_eq!(text, "It is [redacted, 6 chars] [redacted, 6 chars] now");
    }
}
