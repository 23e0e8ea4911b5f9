//! Redaction: finds secrets in text from outside, however they are encoded, shortened or disguised.
//!
//! Texts and secrets are compared by their letters and digits alone, in lower case and decoded, six in a row. So a secret
//! is found percent-encoded, escaped, in base64 or hex, in upper case, cut off, or with invisible characters in it;
//! what is replaced is the whole word around it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::http::HttpError;
use crate::oauth::answer::Answer;
use crate::oauth::client::Request;
use crate::secret::{ExposeSecret, SecretString, is_clean};

/// So many letters and digits in a row give a secret away.
const RUN: usize = 6;
/// So many of them are needed where they may be a word of a language.
const RARE: usize = 10;
/// Secrets with fewer letters and digits than [`RUN`] are compared whole; with fewer than this they occur by chance.
const SHORTEST: usize = 4;
/// Short secrets are searched for one by one, so only this many of them.
const SHORT_LIMIT: usize = 64;
/// Base64 and hex are compared for this many bytes of secrets in all.
const ENCODED_LIMIT: usize = 64 * 1024;
/// What a run remembers, in bytes; the oldest is forgotten first.
const KNOWN_LIMIT: usize = 256 * 1024;
/// A text to be shown is cut here, and all of one answer together here, in bytes.
const TEXT_LIMIT: usize = 16 * 1024;
const ALL_TEXTS_LIMIT: usize = 32 * 1024;

/// Parameters and members that hold no secret. What they say is shown, after redaction.
const HARMLESS: &[&str] = &[
    "access_type",
    "audience",
    "client_assertion_type",
    "client_id",
    "client_key",
    "code_challenge_method",
    "correlation_id",
    "description",
    "detail",
    "error",
    "error_codes",
    "error_description",
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

/// Errors of the protocol. A secret may hold such a word, and what the program does next hangs on it.
const PROTOCOL_ERRORS: &[&str] = &[
    "access_denied",
    "authorization_declined",
    "authorization_pending",
    "expired_token",
    "interaction_required",
    "invalid_client",
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "login_required",
    "server_error",
    "slow_down",
    "temporarily_unavailable",
    "token_expired",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
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

/// How much of an answer is taken for secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Strictness {
    /// For what people read on screen: an unknown member counts where it looks random.
    Likely,
    /// For what is sent around: every unknown member counts.
    Possible,
}

/// Secrets to be found in texts.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    list: Vec<SecretString>,
    /// Values of which nothing is known. There may be thousands, so they are not looked for in base64 or hex.
    possible: Vec<SecretString>,
}

impl Secrets {
    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.possible.is_empty()
    }

    /// Adds a secret. Fewer than four characters occur by chance and are no secret.
    pub(super) fn add(&mut self, secret: &str) {
        if secret.chars().nth(SHORTEST - 1).is_some() {
            self.list.push(secret.into());
        }
    }

    /// Adds a secret of the run, to be found in all that comes later.
    pub(super) fn remember(&mut self, secret: &str) {
        let known = |known: &SecretString| known.expose_secret() == secret;
        if secret.len() <= KNOWN_LIMIT && !self.list.iter().any(known) {
            self.add(secret);
        }
        let mut size: usize = self.list.iter().map(|s| s.expose_secret().len()).sum();
        while size > KNOWN_LIMIT {
            size -= self.list.remove(0).expose_secret().len();
        }
    }

    /// Adds what a request sends: each parameter not known to be harmless, in body, query and header.
    pub(super) fn add_sent(&mut self, request: &Request) {
        self.add_parameters(request.body.expose_secret(), Strictness::Possible);
        self.add_parameters(
            request.url.query().unwrap_or_default(),
            Strictness::Possible,
        );
        let Some(header) = &request.authorization else {
            return;
        };
        let credentials = header.expose_secret().rsplit(' ').next();
        let credentials = credentials.unwrap_or_default();
        self.add(credentials);
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(credentials)
            .map(Zeroizing::new)
            .unwrap_or_default();
        // RFC 6749, section 2.3.1: the secret is form-encoded before it becomes base64.
        if let Some((_, secret)) = String::from_utf8_lossy(&decoded).split_once(':') {
            self.add(secret);
            let form = Zeroizing::new(format!("x={secret}"));
            for (_, secret) in form_urlencoded::parse(form.as_bytes()) {
                self.add(&secret);
            }
        }
    }

    /// Adds the parameters of a form or query that are not known to be harmless.
    pub(super) fn add_parameters(&mut self, form: &str, strictness: Strictness) {
        for (name, value) in form_urlencoded::parse(form.as_bytes()) {
            let secret = SECRET.contains(&name.as_ref()) || name == "code";
            if secret || (!is_harmless(&name) && may_be_secret(&value, strictness)) {
                self.add(&value);
            }
        }
    }

    /// Adds what an answer brings.
    pub(super) fn add_received(&mut self, members: &Map<String, Value>, strictness: Strictness) {
        each_leaf(members, &mut |name, value| {
            let number;
            let text = match value {
                Value::String(text) => text,
                Value::Number(value) => {
                    number = value.to_string();
                    &number
                }
                _ => return,
            };
            // On screen an object's code is that of an error.
            let exempt = name == "code" && strictness == Strictness::Likely;
            if SECRET.contains(&name) {
                self.add(text);
            } else if !is_harmless(name) && !exempt && may_be_secret(text, strictness) {
                self.possible.push(text.as_str().into());
            }
        });
    }

    /// Remembers the tokens and codes that an answer brings.
    pub(super) fn remember_received(&mut self, members: &Map<String, Value>) {
        each_leaf(members, &mut |name, value| {
            if let (true, Some(text)) = (SECRET.contains(&name), value.as_str()) {
                self.remember(text);
            }
        });
    }

    /// Takes out of an answer what it repeats of secrets: those of the run, those that were sent, and its own. Remembers
    /// its tokens and codes.
    pub(super) fn redact_outcome(
        &mut self,
        request: &Request,
        outcome: &mut Result<Answer, HttpError>,
    ) {
        let mut secrets = self.clone();
        secrets.add_sent(request);
        match outcome {
            Ok(answer) => {
                let status = answer.status;
                if let Some(members) = answer.body.members_mut() {
                    secrets.add_received(members, Strictness::Likely);
                    self.remember_received(members);
                    secrets.redact_answer(status, members);
                }
            }
            Err(HttpError::Redirected { target, .. }) => secrets.redact(&mut [target]),
            Err(_) => {}
        }
    }

    /// Redacts what people will read of an answer: texts known to be harmless, and in an error all but secrets and
    /// addresses. Tokens and codes stay: they are what the answer was asked for.
    pub(super) fn redact_answer(&self, status: u16, members: &mut Map<String, Value>) {
        if self.is_empty() {
            return;
        }
        let is_error = status >= 400
            || members.contains_key("error")
            || members.get("ok") == Some(&Value::Bool(false));
        let mut texts: Vec<&mut String> = Vec::new();
        let mut left = ALL_TEXTS_LIMIT;
        each_text(members, &mut |name, text| {
            let code = name == "error" && PROTOCOL_ERRORS.contains(&text.as_str());
            if !code
                && !is_address(name)
                && (is_harmless(name) || (is_error && !SECRET.contains(&name)))
            {
                text.truncate(text.floor_char_boundary(TEXT_LIMIT.min(left)));
                left -= text.len();
                texts.push(text);
            }
        });
        self.redact(&mut texts);
    }

    /// Replaces each word of `texts` that gives one of the secrets away.
    pub(super) fn redact(&self, texts: &mut [&mut String]) {
        if self.is_empty() || texts.is_empty() {
            return;
        }
        let mut index = Index::new(texts);
        let (mut shorts, mut encodable) = (0, ENCODED_LIMIT);
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let possible = self.possible.iter().map(|secret| (secret, false));
        for (secret, known) in self
            .list
            .iter()
            .map(|secret| (secret, true))
            .chain(possible)
        {
            let secret = secret.expose_secret();
            if letters(secret, false).nth(RUN - 1).is_some() {
                index.find(secret, false);
            } else if shorts < SHORT_LIMIT && seen.insert(secret) {
                shorts += 1;
                index.find_short(texts, secret);
            }
            if secret.contains(ESCAPES) {
                index.find(secret, true);
            }
            if known && secret.len() <= encodable {
                encodable -= secret.len();
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

/// True where a value of an unknown name may be a secret.
fn may_be_secret(text: &str, strictness: Strictness) -> bool {
    // Secrets are single words, and say nothing in the name of a host.
    let is_host = |url: Url| url.has_host() && url.path().len() <= 1 && url.query().is_none();
    if text.len() < RUN
        || text.contains(char::is_whitespace)
        || (text.contains("://") && Url::parse(text).is_ok_and(is_host))
    {
        return false;
    }
    let any = |is: fn(&char) -> bool| text.chars().any(|ch| is(&ch));
    match strictness {
        Strictness::Possible => true,
        Strictness::Likely => {
            text.len() >= 8
                && !text.contains(['@', '.'])
                && (any(char::is_ascii_digit)
                    || (any(char::is_ascii_lowercase) && any(char::is_ascii_uppercase))
                    || (text.len() >= 24 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())))
        }
    }
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

/// Each text, with the name of the member that it belongs to.
fn each_text<'a>(members: &'a mut Map<String, Value>, see: &mut impl FnMut(&str, &'a mut String)) {
    fn walk<'a>(name: &str, value: &'a mut Value, see: &mut impl FnMut(&str, &'a mut String)) {
        match value {
            Value::Array(list) => list.iter_mut().for_each(|value| walk(name, value, see)),
            Value::Object(members) => each_text(members, see),
            Value::String(text) => see(name, text),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
const ESCAPES: [char; 3] = ['%', '\\', '&'];

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
    visible.then(|| u8::try_from(u32::from(ch) % 36).unwrap_or_default())
}

/// The character that an escape at the beginning of `text` stands for, and the length of the escape.
fn escape(text: &str) -> Option<(char, usize)> {
    let number = |digits: Option<&str>, radix| {
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        char::from_u32(u32::from_str_radix(digits, radix).ok()?)
    };
    if text.starts_with('%') {
        return Some((number(text.get(1..3), 16)?, 3));
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

/// True for letters in a row of one case: what is random rarely looks so.
fn is_word(run: &str) -> bool {
    let rest = run.get(1..).unwrap_or_default();
    run.len() == RUN
        && run.bytes().all(|byte| byte.is_ascii_alphabetic())
        && (rest.bytes().all(|byte| byte.is_ascii_lowercase())
            || run.bytes().all(|byte| byte.is_ascii_uppercase()))
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
            let run = &secret[begins[(count + 1) % RUN]..at.end];
            let needed = if is_word(run) {
                // A word that people know may stand in a secret that they made up.
                (letters(secret, decode).take(RARE * 2).count() * 3)
                    .div_ceil(5)
                    .clamp(RUN, RARE)
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
                found[*at].push(folded.range(*place as usize, length));
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
            secrets.add(secret);
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
                text.starts_with("The code [redacted, ")
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
        // Nor is what the program goes by.
        let body =
            r#"{"error":"authorization_pending","error_description":"authorization_pending"}"#;
        let mut members = serde_json::from_str(body).unwrap();
        secrets(&["authorization_pending"]).redact_answer(400, &mut members);
        assert_eq!(members["error"], "authorization_pending");
        assert_eq!(members["error_description"], "[redacted, 21 chars]");
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
    fn redaction_takes_time_in_proportion() {
        // Texts and secrets that share all their runs, and secrets that share the beginnings of all.
        let mut secrets = secrets(&[&"a".repeat(200_000)]);
        for at in 0..2_000 {
            secrets.add(&format!("aaaa{at}"));
            secrets.add(&at.to_string());
        }
        let mut texts = ["a".repeat(TEXT_LIMIT), "a ".repeat(TEXT_LIMIT / 2)];
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
