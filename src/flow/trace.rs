//! The trace of the HTTP exchanges, safe to send to support.
//!
//! Secrets, codes and tokens are redacted before an entry exists. Only values that are known to be harmless are shown;
//! all others are replaced with their length, so that an unknown member can't leak. An entry is limited while it is
//! built: whatever is beyond its last line costs nothing.

use std::collections::VecDeque;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use url::{Url, form_urlencoded};

use super::http_error::HttpError;
use super::redact::{Secrets, is_address, is_harmless, is_known_name, redacted};
use crate::clean::clean;
use crate::oauth::answer::{Answer, http_date};
use crate::oauth::request::Request;
use crate::oauth::tools::Method;
use crate::secret::ExposeSecret;

/// Response headers to show. Cookies are not among them.
const HEADERS: &[&str] = &[
    "content-type",
    "date",
    "retry-after",
    "server",
    "www-authenticate",
    "x-request-id",
    "x-ms-request-id",
];

/// Prefix of a line that was sent.
const SENT: &str = "  > ";
/// Prefix of a line that was received.
const RECEIVED: &str = "  < ";
/// Separator between a request and its outcome.
const OUTCOME: &str = " -> ";

/// Maximum number of characters in a line.
const LINE_LIMIT: usize = 600;
/// Maximum number of characters of the request in a first line.
const REQUEST_LIMIT: usize = 400;
/// Maximum number of lines in an entry.
const ENTRY_LIMIT: usize = 120;

/// Maximum number of exchanges. A device flow polls every few seconds for a quarter of an hour.
const TRACE_LIMIT: usize = 400;
/// Maximum number of rejected callbacks among them. Any local program can send callbacks.
const REJECTED_LIMIT: usize = 40;
/// Maximum size of the whole trace, in bytes.
const TRACE_BYTES: usize = 256 * 1024;

/// The latest exchanges.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    exchanges: VecDeque<Exchange>,
    bytes: usize,
}

impl Trace {
    /// Adds an exchange that was received at this time. If there are too many, drops the oldest exchange, or the oldest
    /// rejected callback if there are too many of those.
    pub fn push(&mut self, exchange: Exchange, time: impl Into<String>) {
        let exchange = Exchange {
            time: time.into(),
            ..exchange
        };
        let rejected = |exchange: &Exchange| exchange.rejected;
        if exchange.rejected
            && self.exchanges.iter().filter(|e| rejected(e)).count() == REJECTED_LIMIT
        {
            let oldest = self.exchanges.iter().position(rejected);
            self.remove(oldest.unwrap_or_default());
        }
        self.bytes += exchange.bytes();
        self.exchanges.push_back(exchange);
        while self.exchanges.len() > TRACE_LIMIT || self.bytes > TRACE_BYTES {
            self.remove(0);
        }
    }

    fn remove(&mut self, at: usize) {
        if let Some(exchange) = self.exchanges.remove(at) {
            self.bytes -= exchange.bytes();
        }
    }

    /// Returns the exchanges, the oldest first.
    #[must_use]
    pub fn exchanges(&self) -> impl ExactSizeIterator<Item = &Exchange> {
        self.exchanges.iter()
    }

    /// Returns the lines of all exchanges, to be copied or saved. Each exchange begins with its time.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.exchanges().flat_map(|exchange| {
            let lines = exchange.lines.iter().enumerate();
            lines.map(|(at, line)| match at {
                0 => format!("{}  {line}", exchange.time),
                _ => line.clone(),
            })
        })
    }

    /// Returns whether there is no exchange yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }
}

/// One exchange, in lines of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// When the exchange was received, such as `12:01:12`.
    time: String,
    lines: Vec<String>,
    /// Whether this is a rejected callback.
    rejected: bool,
}

impl Exchange {
    /// Returns the lines. The first contains method, URL, outcome and time.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Returns when the exchange was received, such as `12:01:12`.
    #[must_use]
    pub fn time(&self) -> &str {
        &self.time
    }

    /// Returns the request, such as `POST https://as.example/token`, and its outcome, such as `400 (12 ms)`.
    #[must_use]
    pub fn head(&self) -> (&str, &str) {
        let line = self.lines.first().map_or("", String::as_str);
        line.split_once(OUTCOME).unwrap_or((line, ""))
    }

    /// Returns the names and values that were sent and received.
    pub fn values(&self) -> impl Iterator<Item = Value<'_>> {
        self.lines.iter().skip(1).map(|line| Value::of(line))
    }

    /// Returns the service's time, in seconds since 1970, if the response contains it.
    #[must_use]
    pub fn date(&self) -> Option<u64> {
        let is_date = |value: &Value<'_>| value.way == Some(Way::Received) && value.name == "date";
        http_date(self.values().find(is_date)?.text)
    }

    fn bytes(&self) -> usize {
        self.lines.iter().map(String::len).sum()
    }

    /// Creates the entry of a request and its outcome. `known` contains the secrets of the run, request and response.
    #[must_use]
    pub fn sent(
        request: &Request,
        outcome: &Result<Answer, HttpError>,
        took: Duration,
        known: &Secrets,
    ) -> Self {
        let method = match request.method {
            Method::Post | Method::Json | Method::Bare => "POST",
            Method::Get => "GET",
        };
        let mut entry = Entry::new(&head(method, &request.url, outcome, took));
        if let Some(authorization) = &request.authorization {
            let header = authorization.expose_secret();
            let scheme = header.split(' ').next().unwrap_or_default();
            entry.push(SENT, &["authorization: ", scheme, " ", &redacted(header)]);
        }
        let body = request.body.expose_secret();
        if request.method == Method::Json {
            entry.sent_object(body);
        } else {
            entry.form(SENT, body);
        }
        if let Ok(answer) = outcome {
            entry.answer(answer);
        }
        entry.finish(known)
    }

    /// Creates the entry of a document that was requested without credentials, and its outcome.
    #[must_use]
    pub(super) fn got(url: &Url, outcome: &Result<Answer, HttpError>, took: Duration) -> Self {
        let mut entry = Entry::new(&head("GET", url, outcome, took));
        if let Ok(answer) = outcome {
            entry.answer(answer);
        }
        // A document without credentials contains no secret.
        entry.finish(&Secrets::default())
    }

    /// Creates the entry of a callback from the browser or from a paste, and how it was judged. `known` contains the
    /// secrets of the run and of the callback.
    #[must_use]
    pub(super) fn callback(
        way: &str,
        query: &str,
        verdict: &str,
        rejected: bool,
        known: &Secrets,
    ) -> Self {
        let mut entry = Entry::new(&format!("{way}{OUTCOME}{verdict}"));
        entry.form(RECEIVED, query);
        Self {
            rejected,
            ..entry.finish(known)
        }
    }
}

/// Returns the first line of an exchange. A long URL is cut to leave room for the outcome.
fn head(method: &str, url: &Url, outcome: &Result<Answer, HttpError>, took: Duration) -> String {
    let request = clean(&format!("{method} {}", harmless_url(url)), REQUEST_LIMIT);
    let result = match outcome {
        Ok(answer) => answer.status.to_string(),
        Err(error) => error.to_string(),
    };
    format!("{request}{OUTCOME}{result} ({} ms)", took.as_millis())
}

/// The direction of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// To the service.
    Sent,
    /// To this program.
    Received,
}

/// A line of an exchange after the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Value<'a> {
    /// The direction; `None` for the line that marks omitted lines.
    pub way: Option<Way>,
    /// The name; empty if the line has none.
    pub name: &'a str,
    /// The value itself.
    pub text: &'a str,
}

impl<'a> Value<'a> {
    /// Parses a line of an entry. No name that is shown contains a separator.
    fn of(line: &'a str) -> Self {
        let sent = line.strip_prefix(SENT).map(|rest| (Way::Sent, rest));
        let received = || {
            line.strip_prefix(RECEIVED)
                .map(|rest| (Way::Received, rest))
        };
        let Some((way, rest)) = sent.or_else(received) else {
            return Self {
                way: None,
                name: "",
                text: line.trim_start(),
            };
        };
        let split = |separator: &str| {
            let at = rest.find(separator)?;
            Some((at, separator.len()))
        };
        let (name, text) = match split("=").into_iter().chain(split(": ")).min() {
            Some((at, length)) => (&rest[..at], &rest[at + length..]),
            None => ("", rest),
        };
        Self {
            way: Some(way),
            name,
            text,
        }
    }
}

/// An entry that is being built.
struct Entry {
    lines: Vec<String>,
    /// Whether lines were left out.
    cut: bool,
}

impl Entry {
    fn new(head: &str) -> Self {
        let mut entry = Self {
            lines: Vec::new(),
            cut: false,
        };
        entry.push("", &[head]);
        entry
    }

    fn is_full(&self) -> bool {
        self.lines.len() >= ENTRY_LIMIT
    }

    /// Adds a line of these parts, cleaned and cut. Adds nothing once the entry is full.
    fn push(&mut self, indent: &str, parts: &[&str]) {
        if self.is_full() {
            self.cut = true;
            return;
        }
        let mut line = indent.to_owned();
        let mut left = LINE_LIMIT;
        for part in parts {
            let part = inner(part, left);
            left = left.saturating_sub(part.chars().count());
            line.push_str(&part);
        }
        self.lines.push(line);
    }

    /// Adds the parameters of a form or query, a line for each.
    fn form(&mut self, indent: &str, text: &str) {
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            if self.is_full() {
                self.cut = true;
                return;
            }
            self.push(
                indent,
                &[&display_name(&name), "=", &display_value(&name, &value)],
            );
        }
    }

    /// Adds the members of a JSON object that this program sends, a line for each: strings and lists of strings.
    fn sent_object(&mut self, text: &str) {
        let members: Map<String, Json> = serde_json::from_str(text).unwrap_or_default();
        for (name, value) in &members {
            let list = value.as_array();
            let list = list.map_or(std::slice::from_ref(value), Vec::as_slice);
            let texts = list.iter().filter_map(Json::as_str);
            let texts: Vec<_> = texts.map(|text| display_value(name, text)).collect();
            self.push(SENT, &[&display_name(name), ": ", &texts.join(" ")]);
        }
    }

    fn answer(&mut self, answer: &Answer) {
        for (name, value) in &answer.headers {
            if HEADERS.contains(&name.as_str()) {
                self.push(RECEIVED, &[name, ": ", value]);
            }
        }
        match answer.body.members() {
            Some(members) => self.members(&mut Vec::new(), members),
            None => self.push(
                RECEIVED,
                &[
                    "[a body of ",
                    &answer.body.length().to_string(),
                    " bytes that is neither JSON nor a form]",
                ],
            ),
        }
    }

    /// Adds the members of a JSON object, a line for each value. The depth of the parsed response limits the recursion.
    fn members<'a>(&mut self, path: &mut Vec<(&'a str, String)>, members: &'a Map<String, Json>) {
        for (name, value) in members {
            path.push((name, display_name(name)));
            self.value(path, value);
            path.pop();
            if self.is_full() {
                self.cut = true;
                return;
            }
        }
    }

    fn value<'a>(&mut self, path: &mut Vec<(&'a str, String)>, value: &'a Json) {
        match value {
            Json::Object(members) => return self.members(path, members),
            Json::Array(list) => {
                for (at, value) in list.iter().enumerate() {
                    let name = path.last().map_or("", |(name, _)| name);
                    path.push((name, at.to_string()));
                    self.value(path, value);
                    path.pop();
                    if self.is_full() {
                        self.cut = true;
                        return;
                    }
                }
                return;
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        }
        let name = path.last().map_or("", |(name, _)| name);
        let text = match value {
            Json::String(text) => display_value(name, text),
            // A number can be a code.
            Json::Number(number) if !is_harmless(name) => redacted(&number.to_string()),
            other => other.to_string(),
        };
        let mut parts = Vec::new();
        for (at, (_, part)) in path.iter().enumerate() {
            if at > 0 {
                parts.push(".");
            }
            parts.push(part);
        }
        parts.extend([": ", &text]);
        self.push(RECEIVED, &parts);
    }

    /// Redacts the secrets in all lines.
    fn finish(mut self, secrets: &Secrets) -> Exchange {
        let mut texts: Vec<&mut String> = self.lines.iter_mut().collect();
        secrets.redact(&mut texts);
        if self.cut {
            self.lines.push("  ...".to_owned());
        }
        Exchange {
            time: String::new(),
            lines: self.lines,
            rejected: false,
        }
    }
}

/// Returns a part of a line, cleaned and cut, with the spaces at its edges.
fn inner(part: &str, limit: usize) -> String {
    let cleaned = clean(part, limit);
    let space = |there| if there { " " } else { "" };
    if cleaned.is_empty() {
        return space(part.starts_with(' ')).to_owned();
    }
    format!(
        "{}{cleaned}{}",
        space(part.starts_with(' ')),
        space(part.ends_with(' '))
    )
}

/// Returns a name if it is known. An unknown name is redacted, because it may be a secret.
fn display_name(name: &str) -> String {
    if is_known_name(name) {
        name.to_owned()
    } else {
        redacted(name)
    }
}

/// Returns a value if its name says that it is harmless; otherwise its redacted form.
fn display_value(name: &str, value: &str) -> String {
    if !is_harmless(name) {
        redacted(value)
    } else if is_address(name) {
        let Ok(url) = Url::parse(value) else {
            return redacted(value);
        };
        let shown = harmless_url(&url);
        // An issuer must match exactly, so don't show a slash that the server did not send.
        if shown.strip_suffix('/') == Some(value) {
            value.to_owned()
        } else {
            shown
        }
    } else {
        clean(value, LINE_LIMIT)
    }
}

/// Returns a URL without the secrets that its query may contain.
fn harmless_url(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_fragment(None);
    bare.set_query(None);
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    let mut text = bare.to_string();
    for (count, (name, value)) in url.query_pairs().enumerate() {
        text.push(if count == 0 { '?' } else { '&' });
        // The rest of the line would be cut anyway.
        if text.len() > LINE_LIMIT {
            break;
        }
        text.push_str(&format!("{}={}", display_name(&name), {
            if is_harmless(&name) && !is_address(&name) {
                clean(&value, LINE_LIMIT)
            } else {
                redacted(&value)
            }
        }));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;

    use super::*;
    use crate::oauth::answer::Body;
    use crate::secret::SecretString;

    fn request(body: &str, authorization: Option<&str>) -> Request {
        Request {
            method: Method::Post,
            url: Url::parse("https://as.example/token?session=s3cret-query").unwrap(),
            authorization: authorization.map(SecretString::from),
            body: body.into(),
            proof: crate::oauth::assertion::Proof::None,
        }
    }

    fn answer(status: u16, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/json"),
            ("set-cookie", "sid=s3cret-cookie"),
        ];
        Answer {
            status,
            retry_after: None,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .to_vec(),
            body: body.into(),
        }
    }

    /// Returns the secrets after an exchange.
    fn known(before: &Secrets, request: &Request, answer: &Answer) -> Secrets {
        let mut known = before.clone();
        known.remember_sent(request);
        if let Some(members) = answer.body.members() {
            known.consider_answer(members);
        }
        known
    }

    /// Returns the trace of an exchange as one text.
    fn posted(request: &Request, answer: Answer) -> String {
        let known = known(&Secrets::default(), request, &answer);
        let outcome = Ok(answer);
        Exchange::sent(request, &outcome, Duration::from_millis(12), &known)
            .lines()
            .join("\n")
    }

    #[test]
    fn issuer_is_shown_as_sent_by_the_server() {
        for (sent, shown) in [
            ("https://as.example", "https://as.example"),
            ("https://as.example/", "https://as.example/"),
            ("https://as.example/a/", "https://as.example/a/"),
            ("https://me:s3cret@as.example", "https://as.example/"),
        ] {
            assert_eq!(display_value("issuer", sent), shown);
        }
    }

    #[test]
    fn secrets_are_redacted_and_the_rest_is_shown() {
        let sent = request(
            "grant_type=authorization_code&code=s3cret-code&code_verifier=s3cret-verifier&client_secret=s3cret-%2B&client_id=me&made_up=s3cret-unknown",
            Some("Basic s3cret-basic"),
        );
        let body = r#"{"access_token":"s3cret-a","refresh_token":"s3cret-r","id_token":"s3cret-i","authed_user":{"access_token":"s3cret-n"},
            "expires_in":3600,"scope":"openid","secrets":["s3cret-list"],"pin":1234567,"s3cret-name":{"s3cret-inner":true},
            "error":"invalid_grant","error_description":"bad code s3cret-code for s3cret-+"}"#;
        let text = posted(&sent, answer(400, body));
        assert!(
            !text.contains("s3cret") && !text.contains("1234567"),
            "{text}"
        );
        for shown in [
            "POST https://as.example/token?[redacted, 7 chars]=[redacted, 12 chars] -> 400 (12 ms)",
            "> authorization: Basic [redacted",
            "> grant_type=authorization_code",
            "> client_id=me",
            "< content-type: application/json",
            "< expires_in: 3600",
            "< scope: openid",
            "< error: invalid_grant",
            "< error_description: bad code [redacted, 11 chars] for",
            "< authed_user.access_token: [redacted",
        ] {
            assert!(text.contains(shown), "{shown}\n{text}");
        }
    }

    #[test]
    fn secrets_repeated_in_a_response_are_redacted_everywhere() {
        for member in [
            "message",
            "status",
            "scope",
            "error_description",
            "token_type",
            "error_uri",
            "iss",
            "hint",
            "made_up",
        ] {
            for (secret, repeated) in [
                (r#""user_code":"WDJB-MJHT""#, "WDJB-MJHT"),
                (r#""access_token":"ya29.a0AfH6SM/x1""#, r"ya29.a0AfH6SM\/x1"),
                (
                    r#""device_code":"GmRhmhcxhwAzkoEqiMEg""#,
                    "GMRHMHCXHWAZKOEQ",
                ),
                (r#""made_up_token":"s3cr3t-abcdef""#, "s3cr3t-abcdef"),
                (r#""tokens":{"value":"s3cr3t-abcdef"}"#, "s3cr3t-abc…"),
                (r#""pin":48151623"#, "48151623"),
            ] {
                for text in [
                    repeated.to_owned(),
                    format!("https://as.example/{repeated}?q={repeated}"),
                    format!("enter the code {repeated} there"),
                ] {
                    let body = format!(r#"{{{secret},"{member}":"{text}"}}"#);
                    let text = posted(&request("", None), answer(200, &body)).to_uppercase();
                    for part in ["WDJB", "MJHT", "AFH6SM", "HMHCXH", "CR3T", "ABC", "15162"] {
                        assert!(!text.contains(part), "{part} in {text} of {body}");
                    }
                }
            }
        }
    }

    #[test]
    fn secret_member_names_are_redacted() {
        let body = r#"{"s3cr3t-name":1,"a":{"ya29.s3cr3t":{"s3cr3t":[{"s3cr3t":"x"}]}},"s3cr3t_endpoint":"https://x/"}"#;
        let text = posted(&request("", None), answer(200, body));
        assert!(!text.contains("s3cr3t"), "{text}");
        assert_eq!(text.matches("[redacted, 11 chars]").count(), 2, "{text}");
    }

    #[test]
    fn secrets_of_a_run_are_redacted_in_later_responses() {
        let device = r#"{"device_code":"GmRhmhcxhw","user_code":"WDJB-MJHT","verification_uri":"https://as.example/d"}"#;
        let before = known(
            &Secrets::default(),
            &request("", None),
            &answer(200, device),
        );
        let body =
            r#"{"error":"authorization_pending","error_description":"first WDJB, then MJHT"}"#;
        let later = answer(400, body);
        let known = known(&before, &request("", None), &later);
        let text = Exchange::sent(&request("", None), &Ok(later), Duration::ZERO, &known);
        let text = text.lines().join("\n");
        assert!(
            text.contains("first [redacted, 4 chars], then [redacted, 4 chars]"),
            "{text}"
        );
    }

    #[test]
    fn addresses_and_identifiers_are_shown() {
        let body = r#"{"device_code":"GmRhmhcxhw","user_code":"WDJB-MJHT","verification_uri":"https://as.example/device",
            "verification_uri_complete":"https://as.example/device?user_code=WDJB-MJHT","id":"https://login.as.example/id/1",
            "cloud_instance_name":"as.example","requestId":"1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "error":"invalid_grant","code":"invalid_grant","errorCode":"InvalidDeviceCode"}"#;
        let text = posted(&request("grant_type=urn:x", None), answer(400, body));
        for shown in [
            "POST https://as.example/token?",
            "verification_uri: https://as.example/device",
            "requestId: 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            "error: invalid_grant",
            "errorCode: InvalidDeviceCode",
        ] {
            assert!(text.contains(shown), "{shown}\n{text}");
        }
    }

    #[test]
    fn pages_and_broken_bodies_are_never_shown() {
        for body in [
            "<html>s3cret</html>",
            "{\"access_token\":\"s3cret=\",\"tok",
            "[\"s3cret\"]",
            "s3cret words",
        ] {
            let text = posted(&request("", None), answer(400, body));
            assert!(
                !text.contains("s3cret") && text.contains("neither JSON nor a form"),
                "{text}"
            );
        }
        for body in ["s3cret=", "[\"s3cret=\"]", "s3cret=s3cret&s3cret"] {
            let text = posted(&request("", None), answer(400, body));
            assert!(!text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn callback_entry_hides_code_and_state() {
        let query = "code=4%2F0Ab-s3cret&state=s3cret-state&iss=https%3A%2F%2Fas.example&error_description=no+4%5C%2F0Ab-s3cret";
        let mut known = Secrets::default();
        known.consider_query(query);
        let text = Exchange::callback("GET /callback", query, "taken", true, &known)
            .lines()
            .join("\n");
        assert!(!text.contains("s3cret") && !text.contains("0Ab"), "{text}");
        assert!(
            text.contains("iss=https://as.example")
                && text.contains("error_description=no [redacted"),
            "{text}"
        );
    }

    #[test]
    fn basic_auth_secret_repeated_by_the_server_is_redacted() {
        let basic = base64::engine::general_purpose::STANDARD.encode("me:s3cret%2Bs3cret");
        let sent = request("grant_type=refresh_token", Some(&format!("Basic {basic}")));
        let body = format!(
            r#"{{"error":"e","error_description":"s3cret+s3cret s3cret%2Bs3cret {basic}"}}"#
        );
        let text = posted(&sent, answer(400, &body));
        assert!(!text.contains("s3cret") && !text.contains(&basic), "{text}");
    }

    #[test]
    fn trace_entry_is_limited_in_size() {
        let body = format!(
            "{{\"scope\":\"{}\",\"a\":[{}]}}",
            "x".repeat(100_000),
            vec!["1"; 5000].join(",")
        );
        let form = vec!["scope=x"; 10_000].join("&");
        let callback = Exchange::callback("GET", &form, "no", true, &Secrets::default());
        let sent = request(&form, None);
        let outcome = Ok(answer(200, &body));
        let posted = Exchange::sent(&sent, &outcome, Duration::ZERO, &Secrets::default());
        for exchange in [callback, posted] {
            assert!(exchange.lines().len() == ENTRY_LIMIT + 1);
            assert_eq!(exchange.lines().last().unwrap(), "  ...");
            assert!(
                exchange
                    .lines()
                    .iter()
                    .all(|line| line.chars().count() <= LINE_LIMIT + 30)
            );
        }
    }

    #[test]
    fn trace_is_limited_and_rejected_callbacks_evict_each_other() {
        let mut trace = Trace::default();
        let sent = request("grant_type=x", None);
        let exchange = |body: &str| {
            let outcome = Ok(answer(200, body));
            Exchange::sent(&sent, &outcome, Duration::ZERO, &Secrets::default())
        };
        trace.push(exchange(r#"{"scope":"first"}"#), "12:01:07");
        for _ in 0..10_000 {
            let callback = Exchange::callback("GET", "a=b", "no", true, &Secrets::default());
            trace.push(callback, "12:01:08");
        }
        assert_eq!(trace.exchanges().len(), REJECTED_LIMIT + 1);
        assert!(trace.lines().any(|line| line.contains("first")));
        let large = exchange(&format!(
            r#"{{"scope":["{}"]}}"#,
            vec!["x".repeat(500); 100].join("\",\"")
        ));
        for _ in 0..100 {
            trace.push(large.clone(), "12:01:09");
        }
        assert!(trace.exchanges().map(Exchange::bytes).sum::<usize>() <= TRACE_BYTES);
        assert!(trace.exchanges().len() > 3);
        let small = exchange("{}");
        for _ in 0..1_000 {
            trace.push(small.clone(), "12:01:10");
        }
        assert_eq!(trace.exchanges().len(), TRACE_LIMIT);
    }

    #[test]
    fn exchange_is_split_into_head_and_values() {
        let sent = request("grant_type=x&s3cret-name=y", Some("Basic s3cret-basic"));
        let outcome = Ok(answer(
            400,
            r#"{"error_description":"a=b: c","a":{"scope":"d"}}"#,
        ));
        let took = Duration::from_millis(12);
        let exchange = Exchange::sent(&sent, &outcome, took, &Secrets::default());
        let (request, result) = exchange.head();
        assert!(
            request.starts_with("POST https://as.example/token?"),
            "{request}"
        );
        assert_eq!(result, "400 (12 ms)");
        let value = |way, name, text| Value {
            way: Some(way),
            name,
            text,
        };
        let values: Vec<_> = exchange.values().collect();
        assert_eq!(
            values,
            [
                value(Way::Sent, "authorization", "Basic [redacted, 18 chars]"),
                value(Way::Sent, "grant_type", "x"),
                value(Way::Sent, "[redacted, 11 chars]", "[redacted, 1 chars]"),
                value(Way::Received, "content-type", "application/json"),
                value(Way::Received, "[redacted, 1 chars].scope", "d"),
                value(Way::Received, "error_description", "a=b: c"),
            ]
        );
        let callback = Exchange::callback(
            "GET, from the browser",
            "",
            "taken",
            false,
            &Secrets::default(),
        );
        assert_eq!(callback.head(), ("GET, from the browser", "taken"));
        let mut trace = Trace::default();
        trace.push(callback, "12:01:07");
        let lines: Vec<_> = trace.lines().collect();
        assert_eq!(lines, ["12:01:07  GET, from the browser -> taken"]);
    }

    /// Input that once took seconds and gigabytes.
    #[test]
    fn trace_entry_is_built_in_linear_time() {
        let begin = std::time::Instant::now();
        let callback: Vec<String> = (0..6500)
            .map(|at| format!("a={at:04}&state={at:04}"))
            .collect();
        let callback = callback.join("&");
        let mut secrets = Secrets::default();
        secrets.consider_query(&callback);
        let _ = Exchange::callback("GET", &callback, "no", true, &secrets);
        let name = "k".repeat(60);
        let deep = format!(
            "{}[{}1]{}",
            format!("{{\"{name}\":").repeat(120),
            "1,".repeat(480_000),
            "}".repeat(120)
        );
        let wide: Vec<String> = (0..9_000)
            .map(|at| format!("\"{name}{at}\":\"{name}{at}\""))
            .collect();
        for body in [deep, format!("{{{}}}", wide.join(","))] {
            let answer = Answer {
                body: Body::parse(body.as_bytes()),
                ..answer(200, "")
            };
            let known = known(&Secrets::default(), &request("", None), &answer);
            let _ = Exchange::sent(&request("", None), &Ok(answer), Duration::ZERO, &known);
        }
        // Comparing everything with everything would take minutes.
        assert!(begin.elapsed().as_secs() < 20, "{:?}", begin.elapsed());
    }

    #[test]
    fn trace_limit_counts_the_bytes_of_its_lines() {
        let mut trace = Trace::default();
        assert!(trace.is_empty());
        let body = format!(
            r#"{{"scope":["{}"]}}"#,
            vec!["x".repeat(500); 100].join("\",\"")
        );
        let outcome = Ok(answer(200, &body));
        let sent = request("grant_type=x", None);
        let large = Exchange::sent(&sent, &outcome, Duration::ZERO, &Secrets::default());
        for _ in 0..20 {
            trace.push(large.clone(), "");
            assert!(!trace.is_empty());
        }
        let size: usize = trace
            .exchanges()
            .flat_map(Exchange::lines)
            .map(String::len)
            .sum();
        assert!(size > TRACE_BYTES / 2 && size <= TRACE_BYTES, "{size}");
    }

    #[test]
    fn service_time_comes_from_the_response_date_header() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let exchange = |name: &str, value: &str| {
            let mut reply = answer(200, &format!(r#"{{"scope":"{date}"}}"#));
            reply.headers = vec![
                ("server".to_owned(), date.to_owned()),
                (name.to_owned(), value.to_owned()),
            ];
            // Only a response tells the service's time, whatever the names in the request are.
            let sent = request(&format!("date={date}&scope={date}"), None);
            Exchange::sent(&sent, &Ok(reply), Duration::ZERO, &Secrets::default())
        };
        assert_eq!(exchange("date", date).date(), Some(784_111_777));
        assert_eq!(exchange("date", "yesterday").date(), None);
        assert_eq!(exchange("x-date", date).date(), None);
        let form = format!("date={date}");
        let callback = Exchange::callback("GET", &form, "no", true, &Secrets::default());
        assert_eq!(callback.date(), None);
    }

    #[test]
    fn json_request_is_shown_by_its_members() {
        let mut sent = request(
            r#"{"client_name":"OAuth Authorizer","grant_types":["authorization_code","refresh_token"],"s3cr3t":"s3cr3t"}"#,
            None,
        );
        sent.method = Method::Json;
        let text = posted(&sent, answer(201, "{}"));
        for shown in [
            "POST https://as.example/token?",
            "> client_name: OAuth Authorizer",
            "> grant_types: authorization_code refresh_token",
            "> [redacted, 6 chars]: [redacted, 6 chars]",
        ] {
            assert!(text.contains(shown), "{shown}\n{text}");
        }
    }

    #[test]
    fn number_is_shown_only_under_a_known_harmless_name() {
        let body = r#"{"pin":4711,"expires_in":3600,"ok":true,"made_up":true}"#;
        let text = posted(&request("", None), answer(200, body));
        for shown in [
            "< [redacted, 3 chars]: [redacted, 4 chars]",
            "< expires_in: 3600",
            "< ok: true",
            "< [redacted, 7 chars]: true",
        ] {
            assert!(text.contains(shown), "{shown}\n{text}");
        }
    }

    #[test]
    fn long_url_leaves_room_for_the_result() {
        let mut sent = request("", None);
        let query = vec!["scope=openid"; 300].join("&");
        sent.url.set_query(Some(&query));
        let took = Duration::from_millis(12);
        let outcome = Ok(answer(404, ""));
        let url = sent.url.clone();
        for exchange in [
            Exchange::sent(&sent, &outcome, took, &Secrets::default()),
            Exchange::got(&url, &outcome, took),
        ] {
            let (request, result) = exchange.head();
            assert!(request.ends_with('…') && request.chars().count() == REQUEST_LIMIT + 1);
            assert_eq!(result, "404 (12 ms)");
        }
    }
}
