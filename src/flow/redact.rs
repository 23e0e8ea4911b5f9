//! Redaction: finds secrets in text from outside, however they are encoded, shortened or disguised.
//!
//! Texts and secrets are compared by their letters and digits alone, in lower case and decoded, six in a row. So a secret
//! is found percent-encoded, escaped, in base64 or hex, in upper case, cut off, or with invisible characters in it;
//! what is replaced is the whole word around it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::clean::is_clean;
use crate::oauth::client::Request;
use crate::secret::{ExposeSecret, SecretString};

/// So many letters and digits in a row give a secret away.
const RUN: usize = 6;
/// Letters in a row of one case are a word up to this length; longer ones are random.
const LONGEST_WORD: usize = 12;
/// Words that secrets made up by people may hold, and that errors are made of.
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
/// Secrets with fewer letters and digits than [`RUN`] are compared whole; with fewer than this they occur by chance.
const SHORTEST: usize = 4;
/// Short secrets are searched for one by one, so only this many of them.
const SHORT_LIMIT: usize = 64;
/// Base64 and hex are compared for this many bytes of secrets in all.
const ENCODED_LIMIT: usize = 64 * 1024;
/// The same for what only may be a secret: there may be thousands.
const POSSIBLE_LIMIT: usize = 8 * 1024;
/// What a run remembers, in bytes; the oldest is forgotten first.
const KNOWN_LIMIT: usize = 256 * 1024;

/// Parameters and members that hold no secret. What they say is shown, after redaction.
const HARMLESS: &[&str] = &[
    "access_type",
    "audience",
    "client_assertion_type",
    "client_id",
    "client_key",
    "code_challenge_method",
    "correlationId",
    "correlation_id",
    "description",
    "detail",
    "error",
    "errcode",
    "errmsg",
    "errorCode",
    "errorDescription",
    "errorMessage",
    "error_code",
    "error_codes",
    "error_description",
    "error_message",
    "error_reason",
    "error_subcode",
    "error_uri",
    "expires",
    "expires_in",
    "ext_expires_in",
    "grant_type",
    "hint",
    "instance",
    "interval",
    "iss",
    "login_hint",
    "message",
    "ok",
    "prompt",
    "reason",
    "redirect_uri",
    "refresh_expires_in",
    "refresh_token_expires_in",
    "requestId",
    "request_id",
    "resource",
    "response_type",
    "scope",
    "scopes",
    "status",
    "suberror",
    "timestamp",
    "title",
    "token_access_type",
    "token_type",
    "traceId",
    "trace_id",
    "trackingId",
    "type",
    "verification_uri",
    "verification_url",
];

/// Members of metadata (RFC 8414, OpenID Connect Discovery), which hold no secret either.
const METADATA: &[&str] = &[
    "acr_values_supported",
    "authorization_endpoint",
    "authorization_response_iss_parameter_supported",
    "backchannel_logout_supported",
    "claims_parameter_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "device_authorization_endpoint",
    "end_session_endpoint",
    "grant_types_supported",
    "id_token_signing_alg_values_supported",
    "introspection_endpoint",
    "issuer",
    "jwks_uri",
    "mtls_endpoint_aliases",
    "op_policy_uri",
    "op_tos_uri",
    "prompt_values_supported",
    "pushed_authorization_request_endpoint",
    "registration_endpoint",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_pushed_authorization_requests",
    "require_request_uri_registration",
    "response_modes_supported",
    "response_types_supported",
    "revocation_endpoint",
    "scopes_supported",
    "service_documentation",
    "subject_types_supported",
    "tls_client_certificate_bound_access_tokens",
    "token_endpoint",
    "token_endpoint_auth_methods_supported",
    "token_endpoint_auth_signing_alg_values_supported",
    "ui_locales_supported",
    "userinfo_endpoint",
];

/// Parameters and members whose values are secrets; their names give nothing away.
const SECRET: &[&str] = &[
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_challenge",
    "code_verifier",
    "device_code",
    "id_token",
    "nonce",
    "password",
    "refresh_token",
    "session_state",
    "state",
    "token",
    "user_code",
    "verification_uri_complete",
    "verification_url_complete",
];

/// Other names that give nothing away. Their values may be anything.
const KNOWN_NAMES: &[&str] = &[
    "authed_user",
    "code",
    "data",
    "errors",
    "id",
    "not-before-policy",
    "team",
    "user",
];

/// True where the value of this parameter or member may be shown, after redaction.
pub(super) fn is_harmless(name: &str) -> bool {
    HARMLESS.contains(&name) || METADATA.contains(&name)
}

/// True where the name of a parameter or member may be shown: any other may itself be a secret.
pub(super) fn is_known_name(name: &str) -> bool {
    is_harmless(name) || SECRET.contains(&name) || KNOWN_NAMES.contains(&name)
}

/// True where the value is an address that is needed as it is.
pub(super) fn is_address(name: &str) -> bool {
    matches!(name, "iss" | "issuer" | "service_documentation")
        || ["_uri", "_url", "_endpoint"]
            .iter()
            .any(|end| name.ends_with(end))
}

/// What stands in place of a secret.
pub(super) fn redacted(value: &str) -> String {
    format!("[redacted, {} chars]", value.chars().count())
}

/// Secrets to be found in texts.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    list: Vec<SecretString>,
    /// What may be a secret, of the latest answer or callback.
    possible: Vec<SecretString>,
}

impl Secrets {
    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.possible.is_empty()
    }

    /// Adds a secret of the run, to be found in all that comes later. Fewer than four characters occur by chance and are no
    /// secret; of a URL its parameters are, and what in its path looks random.
    pub(super) fn remember(&mut self, secret: &str) {
        if secret.len() > KNOWN_LIMIT {
            return;
        }
        for part in parts(secret) {
            let known = |known: &SecretString| known.expose_secret() == part.as_ref();
            if part.chars().nth(SHORTEST - 1).is_some() && !self.list.iter().any(known) {
                self.list.push(part.as_ref().into());
            }
        }
        let mut size: usize = self.list.iter().map(|s| s.expose_secret().len()).sum();
        while size > KNOWN_LIMIT {
            size -= self.list.remove(0).expose_secret().len();
        }
    }

    /// Remembers a code that people type; its halves give it away as well.
    pub(super) fn remember_user_code(&mut self, code: &str) {
        self.remember(code);
        for half in code.split(['-', ' ']).filter(|half| half.len() >= SHORTEST) {
            self.remember(half);
        }
    }

    /// Remembers what a request sends: each parameter not known to be harmless, in body, query and header.
    pub(super) fn remember_sent(&mut self, request: &Request) {
        let query = request.url.query().unwrap_or_default();
        for form in [request.body.expose_secret(), query] {
            for (name, value) in form_urlencoded::parse(form.as_bytes()) {
                if !is_harmless(&name) {
                    self.remember(&value);
                }
            }
        }
        let Some(header) = &request.authorization else {
            return;
        };
        let credentials = header.expose_secret().rsplit(' ').next();
        let credentials = credentials.unwrap_or_default();
        self.remember(credentials);
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(credentials)
            .map(Zeroizing::new)
            .unwrap_or_default();
        // RFC 6749, section 2.3.1: the secret is form-encoded before it becomes base64.
        if let Some((_, secret)) = String::from_utf8_lossy(&decoded).split_once(':') {
            self.remember(secret);
            let form = Zeroizing::new(format!("x={secret}"));
            for (_, secret) in form_urlencoded::parse(form.as_bytes()) {
                self.remember(&secret);
            }
        }
    }

    /// Takes the parameters of a callback or paste for what may be secret now.
    pub(super) fn consider_query(&mut self, query: &str) {
        self.possible.clear();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let secret = SECRET.contains(&name.as_ref()) || name == "code";
            if secret || (!is_harmless(&name) && may_be_secret(&value)) {
                self.possible.push(value.as_ref().into());
            }
        }
    }

    /// Remembers the tokens and codes that an answer brings, and takes its unknown members for what may be secret now.
    pub(super) fn consider_answer(&mut self, members: &Map<String, Value>) {
        self.possible.clear();
        each_leaf(members, &mut |name, value| {
            let number;
            let text = match value {
                Value::String(text) => text,
                Value::Number(value) => {
                    number = value.to_string();
                    &number
                }
                Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return,
            };
            if SECRET.contains(&name) {
                if text.len() > KNOWN_LIMIT {
                    self.possible.push(text.as_str().into());
                } else if name == "user_code" {
                    self.remember_user_code(text);
                } else {
                    self.remember(text);
                }
            } else if !is_harmless(name) && may_be_secret(text) {
                self.possible.push(text.as_str().into());
            }
        });
    }

    /// Replaces each word of `texts` that gives one of the secrets away.
    pub(super) fn redact(&self, texts: &mut [&mut String]) {
        if self.is_empty() || texts.is_empty() {
            return;
        }
        let mut index = Index::new(texts);
        let mut shorts = 0;
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut left = (ENCODED_LIMIT, POSSIBLE_LIMIT);
        let known = self.list.iter().map(|secret| (secret, true));
        let possible = self.possible.iter().map(|secret| (secret, false));
        for (secret, known) in known.chain(possible) {
            let secret = secret.expose_secret();
            let encodable = if known { &mut left.0 } else { &mut left.1 };
            if letters(secret, false).nth(RUN - 1).is_some() {
                index.find(secret, false);
            } else if shorts < SHORT_LIMIT && seen.insert(secret) {
                shorts += 1;
                index.find_short(texts, secret);
            }
            if secret.contains(ESCAPES) {
                index.find(secret, true);
            }
            if secret.len() <= *encodable {
                *encodable -= secret.len();
                for encoded in encodings(secret.as_bytes()) {
                    index.find(&encoded, false);
                }
            }
        }
        let found = index.found(texts.len());
        for (text, found) in texts.iter_mut().zip(found) {
            replace(text, found);
        }
    }
}

/// What of a value is secret: of a URL its parameters, and what in its path or fragment looks random.
fn parts(secret: &str) -> Vec<Cow<'_, str>> {
    let url = secret.contains("://").then(|| Url::parse(secret).ok());
    let Some(url) = url.flatten().filter(Url::has_host) else {
        return vec![secret.into()];
    };
    let path = url.path_segments().into_iter().flatten();
    let random = path
        .chain(url.fragment())
        .filter(|part| may_be_secret(part));
    let random: Vec<Cow<'_, str>> = random.map(|part| part.to_owned().into()).collect();
    let values = url
        .query_pairs()
        .map(|(_, value)| value.into_owned().into());
    values.chain(random).collect()
}

/// True where a value of an unknown name may be a secret: a single word that does not look like one of a language, like
/// an address, or like an identifier that support asks for.
fn may_be_secret(text: &str) -> bool {
    let letters = text.chars().filter(char::is_ascii_alphanumeric).count();
    let guid = text.len() == 36 && text.matches('-').count() == 4;
    if letters < RUN || text.contains(char::is_whitespace) || text.contains('@') || guid {
        return false;
    }
    if text.contains("://") {
        return parts(text)
            .iter()
            .any(|part| part != text && may_be_secret(part));
    }
    let word = |word: &str| {
        // Of letters alone, each capital at the beginning of a word or all of them.
        let mut parts = word
            .split_inclusive(|ch: char| ch.is_ascii_uppercase())
            .skip(1);
        word.len() <= 4 * LONGEST_WORD
            && word.chars().all(|ch| ch.is_ascii_alphabetic())
            && parts.all(|part| part.len() > 2)
    };
    let capitals = |text: &str| !text.contains(|ch: char| ch.is_ascii_lowercase());
    // A code that people type has no small letters.
    (capitals(text) && !text.contains('_'))
        || !text
            .split(|ch: char| !ch.is_ascii_alphanumeric())
            .all(|part| {
                word(part) || (capitals(part) && part.chars().all(|ch| ch.is_ascii_alphabetic()))
            })
        || text
            .split(|ch: char| !ch.is_ascii_alphanumeric())
            .any(|part| {
                part.len() > 2 * LONGEST_WORD && !part.contains(|ch: char| ch.is_ascii_uppercase())
            })
}

/// Each value that is no list or object, with the name of the member that it belongs to.
fn each_leaf(members: &Map<String, Value>, see: &mut impl FnMut(&str, &Value)) {
    fn walk(name: &str, value: &Value, see: &mut impl FnMut(&str, &Value)) {
        match value {
            Value::Array(list) => list.iter().for_each(|value| walk(name, value, see)),
            Value::Object(members) => each_leaf(members, see),
            leaf => see(name, leaf),
        }
    }
    for (name, value) in members {
        walk(name, value, see);
    }
}

/// The forms that a secret may take within a longer encoded text.
fn encodings(secret: &[u8]) -> Vec<Zeroizing<String>> {
    // Base64 has three forms, as the secret may begin at any of three bytes.
    let mut all: Vec<Zeroizing<String>> = (0..3)
        .map(|skipped| {
            let bytes = Zeroizing::new([&[0; 2][..skipped], secret].concat());
            let text = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes));
            // The first characters are made of what stands before.
            let begin = [0, 2, 3][skipped].min(text.len());
            Zeroizing::new(text[begin..].to_owned())
        })
        .collect();
    let mut hex = Zeroizing::new(String::with_capacity(secret.len() * 2));
    for byte in secret {
        for half in [byte >> 4, byte & 15] {
            hex.push(char::from_digit(half.into(), 16).unwrap_or('0'));
        }
    }
    all.push(hex);
    all
}

/// What begins an escape.
const ESCAPES: [char; 4] = ['%', '\\', '&', '<'];

/// The letters and digits of a text as numbers below 36, with the bytes at which they stand. With `decode`, escapes of
/// URLs, JSON and HTML count as what they stand for.
fn letters(text: &str, decode: bool) -> impl Iterator<Item = (u8, Range<usize>)> {
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

/// The letters and digits of a text to be searched.
struct Folded {
    values: Vec<u8>,
    /// Where they stand. Texts are bounded far below 4 GB.
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

    /// The bytes of the text from one letter or digit on, for so many of them.
    fn range(&self, place: usize, count: usize) -> Range<usize> {
        self.places[place].0 as usize..self.places[place + count - 1].1 as usize
    }
}

/// A letter or digit, whatever its case and width, as a number below 36.
fn fold(ch: char) -> Option<u8> {
    // Full-width forms of ASCII.
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

/// The character that an escape at the beginning of `text` stands for, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let number = |digits: Option<&str>, radix| {
        let digits = digits.filter(|digits| is_hex(digits))?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?)
    };
    if text.starts_with('%') {
        // Encoded more than once.
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
        // Tags stand for nothing.
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
        // Named ones stand for signs.
        None => ' ',
    };
    Some((ch, end + 2))
}

/// Every run of letters and digits of some texts, sorted, and which of them belong to a secret.
struct Index {
    /// Each text as it is, and decoded where it holds escapes.
    readings: Vec<(usize, Folded)>,
    /// Run, reading, place in it.
    runs: Vec<(u32, u32, u32)>,
    /// The runs that were found, and how many letters and digits in a row are needed around them.
    hits: BTreeMap<u32, usize>,
    /// A bit for each run by its lower half: most lookups end here.
    filter: Vec<u64>,
    /// What was found of secrets that are shorter than a run, by text.
    short: Vec<(usize, Range<usize>)>,
}

/// The run that ends with `value`, after the one before.
fn next_run(before: u32, value: u8) -> u32 {
    // Below 36^6, which is less than 2^32.
    before % 36_u32.pow(5) * 36 + u32::from(value)
}

/// True for letters that are a part of a word that errors are made of.
fn is_vocabulary(values: &[u8]) -> bool {
    let known = |word: &str| {
        let word: Vec<u8> = word.chars().filter_map(fold).collect();
        word.windows(values.len()).any(|part| part == values)
    };
    VOCABULARY.iter().any(|word| known(word))
}

/// True where a part of a secret is made of words: of letters of one case, none of them in too long a row.
fn is_of_words(secret: &str, part: Range<usize>) -> bool {
    // Whole words, beyond the ends of the part; no further than a word is long.
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
    fn new(texts: &[&mut String]) -> Self {
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

    /// Notes the runs that the texts share with a secret.
    fn find(&mut self, secret: &str, decode: bool) {
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
                // People know these words, so most of the secret is needed.
                *whole.get_or_insert_with(|| {
                    let count = letters(secret, decode).count();
                    (count * 3).div_ceil(5).max(RUN)
                })
            } else {
                RUN
            };
            let known = self.hits.entry(sum).or_insert(needed);
            *known = needed.min(*known);
        }
    }

    /// Notes where a short secret stands.
    fn find_short(&mut self, texts: &[&mut String], secret: &str) {
        let values: Vec<u8> = letters(secret, false).map(|(value, _)| value).collect();
        if values.len() < SHORTEST {
            // Signs mostly: compared as it is.
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

    /// What was found, by text.
    fn found(self, texts: usize) -> Vec<Vec<Range<usize>>> {
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
fn replace(text: &mut String, mut found: Vec<Range<usize>>) {
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    fn secrets(list: &[&str]) -> Secrets {
        let mut secrets = Secrets::default();
        for secret in list {
            secrets.remember(secret);
        }
        secrets
    }

    fn without(list: &[&str], text: &str) -> String {
        let mut text = text.to_owned();
        secrets(list).redact(&mut [&mut text]);
        text
    }

    fn each(text: &str, form: fn(char) -> String) -> String {
        text.chars().map(form).collect::<Vec<_>>().concat()
    }

    const CODE: &str = "4/0AbC-dEf_Gh1jKlMn0pQ";

    #[test]
    fn a_secret_is_found_however_it_is_written() {
        let base64 = |before: &str| {
            base64::engine::general_purpose::STANDARD.encode(format!("{before}{CODE}!"))
        };
        let hex = each(CODE, |ch| format!("{:02X}", u32::from(ch)));
        let entities = each(CODE, |ch| format!("&#{};", u32::from(ch)));
        let escapes = each(CODE, |ch| format!("\\u{:04x}", u32::from(ch)));
        let percent = each(CODE, |ch| format!("%{:02x}", u32::from(ch)));
        for form in [
            CODE.to_owned(),
            CODE.replace('/', "\\/"),
            CODE.replace('/', "%2F"),
            CODE.replace('/', "%252F"),
            CODE.bytes()
                .map(|byte| format!("%25{byte:02x}"))
                .collect::<Vec<_>>()
                .concat(),
            format!("<b>{}</b>-<i>{}</i>", &CODE[..5], &CODE[5..]),
            CODE.to_uppercase(),
            CODE.to_lowercase(),
            CODE[..9].to_owned() + "…",
            format!("…{}", &CODE[12..]),
            CODE.replace('C', "C\u{200b}\u{34f}\u{3164}"),
            each(CODE, |ch| format!("{ch} ")),
            CODE.chars()
                .map(|ch| match ch {
                    '!'..='~' => char::from_u32(u32::from(ch) + 0xfee0).unwrap(),
                    ch => ch,
                })
                .collect(),
            base64(""),
            base64("x"),
            base64("xy"),
            base64("").replace('+', "-").replace('/', "_"),
            hex,
            entities,
            escapes,
            percent,
        ] {
            let text = without(&[CODE], &format!("The code {form} is wrong"));
            assert!(
                text.contains("[redacted, ")
                    && text.starts_with("The code ")
                    && text.ends_with(" is wrong")
                    && text.matches("redacted").count() == 1,
                "{form}: {text}"
            );
        }
    }

    #[test]
    fn other_words_stay_as_they_are() {
        let text = "AADSTS70008: The provided authorization code or refresh token has expired. Trace ID: \
                    1b4e28ba-2fa1-11d2-883f-0016d3cca427";
        assert_eq!(without(&[CODE, "hunter2"], text), text);
        assert_eq!(
            without(
                &["WDJB-MJHT"],
                "Enter wdjbmjht, or \"WDJB MJHT\"; then wait"
            ),
            "Enter [redacted, 8 chars], or \"[redacted, 9 chars]\"; then wait"
        );
        assert_eq!(without(&["ab1", "x"], "ab1 x"), "ab1 x");
    }

    #[test]
    fn words_in_secrets_that_people_made_up_stay() {
        let text = "The client secret is not the one of this client: invalid_client";
        assert_eq!(without(&["a-client-code", "my-client-2024"], text), text);
        assert_eq!(
            without(
                &["My-Client-Secret-2024"],
                "not My-Client-Sec or secret-2024"
            ),
            "not [redacted, 13 chars] or [redacted, 11 chars]"
        );
        assert_eq!(
            without(&["hunter-two"], "is it hunter?"),
            "is it [redacted, 6 chars]?"
        );
        let text =
            "AADSTS700082: The refresh token has expired: com.example.books.accounting, secret";
        let made_up = [
            "a-refresh-token-of-the-books",
            "my-books-access-token-1",
            "a-secret",
        ];
        assert_eq!(without(&made_up, text), text);
        let long = "abcdefghijklmnopqrstuvwx";
        assert_eq!(without(&[long], &long[..9]), "[redacted, 9 chars]");
    }

    #[test]
    fn short_secrets_and_those_of_signs_are_found_whole() {
        assert_eq!(
            without(&["a+b1:c"], "no A%2BB1:C here, ab1"),
            "no [redacted, 8 chars] here, ab1"
        );
        assert_eq!(
            without(&["+/+/="], "x +/+/= y"),
            "x [redacted, 5 chars]= y".replace("]= ", "] ")
        );
    }

    #[test]
    fn a_value_of_an_unknown_name_is_a_secret_where_it_looks_random() {
        for secret in [
            "WDJB-MJHT",
            "WDJBMJHT",
            "48151623",
            "ya29.a0AfH6SMx1",
            "s3cr3t-abcdef",
            "GmRhmhcxhwAzkoEqiMEg",
            "abcdefghijklmnopqrstuvwxyz",
            "https://as.example/d?c=WDJB-MJHT",
            "https://as.example/hooks/T00000000/B00000000",
        ] {
            assert!(may_be_secret(secret), "{secret}");
        }
        for other in [
            "AuthorizationPending",
            "InvalidDeviceCode",
            "MailSend",
            "authorization_pending",
            "INVALID_ARGUMENT",
            "com.example.books.accounting",
            "https://login.example.com",
            "https://login.example.com/oauth/authorize",
            "alice1@example.com",
            "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "user_denied",
            "Bearer",
        ] {
            assert!(!may_be_secret(other), "{other}");
        }
    }

    #[test]
    fn of_a_url_its_parameters_are_secret_not_its_host() {
        let url = "http://127.0.0.1:46321/device?user_code=WDJB-MJHT";
        let text = "POST http://127.0.0.1:46321/device/auth user_code=wdjb-mjht";
        assert_eq!(
            without(&[url], text),
            "POST http://127.0.0.1:46321/device/auth user_code=[redacted, 9 chars]"
        );
    }

    #[test]
    fn redaction_takes_time_in_proportion() {
        // Texts and secrets that share all their runs, and secrets that share the beginnings of all.
        let mut secrets = secrets(&[&"a".repeat(200_000)]);
        for at in 0..2_000 {
            secrets.possible.push(format!("aaaa{at}").into());
            secrets.possible.push(at.to_string().into());
        }
        let mut texts = ["a".repeat(16_384), "a ".repeat(8_192)];
        let begin = std::time::Instant::now();
        secrets.redact(&mut texts.iter_mut().collect::<Vec<_>>());
        // All with all would take minutes.
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
        assert_eq!(texts[0], "[redacted, 16384 chars]");
    }

    #[test]
    fn a_run_forgets_the_oldest_secret_first() {
        let mut secrets = Secrets::default();
        for at in 0..100 {
            secrets.remember(&format!("{at:02}{}", "x".repeat(10_000)));
            secrets.remember("the same");
        }
        assert!(secrets.list.len() < 30);
        assert!(
            secrets
                .list
                .last()
                .unwrap()
                .expose_secret()
                .starts_with("99")
        );
    }
}
