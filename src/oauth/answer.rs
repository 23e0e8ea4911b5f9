//! An HTTP response of the authorization server. Its body is parsed within limits as it arrives.
//!
//! The raw body is not kept: only decoded values are shown, redacted or read later, so that no encoding hides a secret.

use std::borrow::Cow;
use std::fmt;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

use super::asked::Asked;
use super::charset::decoded_as;
use super::failure::{BodyKind, NO_CODE, ServerError, is_temporary};
use super::json::{
    ACCESS_TOKEN, ObjectError, error_within, is_surrounded, misplaced, of_utf_16, paired,
    parse_object,
};
use super::parameters::parameters;
use super::reported::reported;
use super::words::{challenge, is_heading, problem, text_error, words, xml_error};
use crate::clean::clean;
use crate::secret::wipe;

/// Maximum number of parameters in a form.
const PARAMETER_LIMIT: usize = 500;

/// The reasons given for a body that is markup.
const PAGE: &str = "it is a web page";
const XML: &str = "it is XML";
/// The reason given for a body with tokens in JSON, and something else.
const SURROUNDED: &str = "it contains other text next to its JSON, such as a PHP notice";
/// The reason given for a body that is empty.
const EMPTY: &str = "it is empty";

/// An HTTP response.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After`, as a time from now.
    pub retry_after: Option<std::time::Duration>,
    /// Headers, their names in lowercase.
    pub headers: Vec<(String, String)>,
    /// The parsed body.
    pub body: Body,
}

impl Answer {
    /// Returns whether the status says that the server can't respond now.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        is_temporary(self.status)
    }

    /// Returns the members of the JSON object, or the parameters of the form.
    ///
    /// # Errors
    /// Returns an error if the body is neither; it says what the body is instead, with the HTTP status.
    pub(super) fn members(&self) -> Result<&Map<String, Value>, String> {
        match &self.body.content {
            Content::Json(members) | Content::Found(members) | Content::Form(members) => {
                Ok(members)
            }
            Content::Other { reason, words } => match self.encoding() {
                Some(encoding) => Err(self.told(
                    &format!("it is compressed ({encoding}), which was not requested"),
                    None,
                )),
                None => Err(self.told(reason, words.as_deref())),
            },
        }
    }

    /// Returns the compression of the body, if any. Compression is never requested.
    fn encoding(&self) -> Option<String> {
        let mut headers = self.headers.iter();
        let (_, encoding) = headers.find(|(name, _)| name == "content-encoding")?;
        (!encoding.eq_ignore_ascii_case("identity")).then(|| clean(encoding, 20))
    }

    /// Describes what is wrong with the response, with the server's words if the server reports an error. A success may
    /// contain tokens, so only the heading of a web page is shown, which may be that of a network's sign-in page.
    pub(super) fn told(&self, reason: &str, words: Option<&str>) -> String {
        let is_page = self.body.kind() == BodyKind::Page;
        let is_shown = |words: &&str| {
            self.status >= 400 || self.reports_failure() || (is_page && is_heading(words))
        };
        match words.filter(is_shown) {
            Some(words) => format!("{reason}: {words} (HTTP status {})", self.status),
            None => format!("{reason} (HTTP status {})", self.status),
        }
    }

    /// Returns the message in the body of a rejection.
    pub(super) fn message(&self) -> Option<String> {
        let message = match &self.body.content {
            Content::Json(members) | Content::Found(members) | Content::Form(members) => {
                problem(members)
            }
            Content::Other { words, .. } => words.clone(),
        };
        message.filter(|_| self.status >= 400 || self.reports_failure())
    }

    /// Returns whether the members say that the request failed, whatever the status says.
    pub(super) fn reports_failure(&self) -> bool {
        self.body.members().and_then(reported).is_some()
    }

    /// Returns the message in the body of a rejection as an error without a code. A status at its start, as in the titles
    /// of many pages, is removed.
    pub(super) fn said(&self) -> Option<ServerError> {
        let message = self.message()?;
        let status = self.status.to_string();
        let rest = message.strip_prefix(&status).unwrap_or(&message);
        let rest = rest.trim_start_matches([' ', '-', ':', '|']);
        (!rest.is_empty()).then(|| ServerError::new(NO_CODE, Some(rest)))
    }

    /// Describes an object without the `wanted` member, in the same way.
    pub(super) fn lacks(&self, wanted: &str) -> String {
        let members = self.body.members();
        let words = match members.and_then(reported) {
            Some(error) if self.status < 400 => Some(error.to_string()),
            _ => members.and_then(problem),
        };
        let instead = members.and_then(misplaced);
        let instead = instead.filter(|_| wanted == ACCESS_TOKEN);
        let instead = instead.map_or_else(String::new, |name| format!(", but {name}"));
        self.told(
            &format!("it contains no {wanted}{instead}"),
            words.as_deref(),
        )
    }

    /// Returns the kind of the body of a response to this request.
    pub(super) fn kind(&self, asked: Asked) -> BodyKind {
        let is_for_tokens = matches!(
            asked,
            Asked::Exchange
                | Asked::Refresh
                | Asked::Approval
                | Asked::ClientCredentials
                | Asked::JwtBearer
        );
        match self.body.kind() {
            BodyKind::Other if is_for_tokens && self.encoding().is_some() => BodyKind::Unread,
            kind => kind,
        }
    }

    /// Returns the service's time, in seconds since 1970, if the response contains it.
    pub(super) fn date(&self) -> Option<u64> {
        let mut headers = self.headers.iter();
        let (_, date) = headers.find(|(name, _)| name == "date")?;
        http_date(date)
    }

    /// Returns the error in the `WWW-Authenticate` header of a rejection.
    pub(super) fn challenge(&self) -> Option<ServerError> {
        if !(400..500).contains(&self.status) {
            return None;
        }
        let named = |(name, _): &&(String, String)| name == "www-authenticate";
        let mut headers = self.headers.iter().filter(named);
        headers.find_map(|(_, value)| challenge(value))
    }
}

/// Returns the time in a `Date` header, in seconds since 1970.
#[must_use]
pub fn http_date(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text).ok()?;
    let since = date.duration_since(std::time::SystemTime::UNIX_EPOCH);
    Some(since.ok()?.as_secs())
}

/// A parsed body. Its values are wiped on drop and are not part of its `Debug` output.
pub struct Body {
    /// Length of the raw body in bytes.
    length: usize,
    content: Content,
}

enum Content {
    /// A JSON object.
    Json(Map<String, Value>),
    /// The members of an error that was found in another text, which may be cut.
    Found(Map<String, Value>),
    /// `name=value&name=value`.
    Form(Map<String, Value>),
    /// Neither JSON nor a form.
    Other {
        /// What the body is instead.
        reason: &'static str,
        /// The message in the body, cleaned.
        words: Option<String>,
    },
}

impl Body {
    /// Parses a body without a `Content-Type`.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        Self::parse_as(bytes, None)
    }

    /// Parses a body with this `Content-Type`. Stops at 10,000 values or 32 levels of JSON.
    #[must_use]
    pub fn parse_as(bytes: &[u8], content_type: Option<&str>) -> Self {
        let text = match of_utf_16(bytes) {
            Some(text) => Cow::Owned(text),
            None => decoded_as(bytes, content_type),
        };
        Self {
            length: bytes.len(),
            content: match text {
                Cow::Borrowed(text) => content(text),
                Cow::Owned(text) => content(&Zeroizing::new(text)),
            },
        }
    }

    /// Returns the length of the raw body in bytes.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Returns the members of the JSON object, or the parameters of the form.
    #[must_use]
    pub fn members(&self) -> Option<&Map<String, Value>> {
        match &self.content {
            Content::Json(members) | Content::Found(members) | Content::Form(members) => {
                Some(members)
            }
            Content::Other { .. } => None,
        }
    }

    /// Returns the message in a body that is neither JSON nor a form.
    pub(super) fn words(&self) -> Option<&str> {
        match &self.content {
            Content::Other { words, .. } => words.as_deref(),
            Content::Json(_) | Content::Found(_) | Content::Form(_) => None,
        }
    }

    /// Returns the members mutably, to redact them.
    pub fn members_mut(&mut self) -> Option<&mut Map<String, Value>> {
        match &mut self.content {
            Content::Json(members) | Content::Found(members) | Content::Form(members) => {
                Some(members)
            }
            Content::Other { .. } => None,
        }
    }

    /// Returns the kind of the body.
    #[must_use]
    pub fn kind(&self) -> BodyKind {
        match self.content {
            Content::Other { reason: EMPTY, .. } => BodyKind::Empty,
            Content::Other {
                reason: PAGE | XML, ..
            } => BodyKind::Page,
            Content::Other {
                reason: SURROUNDED, ..
            } => BodyKind::Unread,
            _ if self.members().and_then(misplaced).is_some() => BodyKind::Unread,
            _ => BodyKind::Other,
        }
    }

    /// Returns whether the body is a whole JSON object.
    #[must_use]
    pub fn is_object(&self) -> bool {
        matches!(self.content, Content::Json(_))
    }

    /// Returns whether the body is a form.
    #[must_use]
    pub fn is_form(&self) -> bool {
        matches!(self.content, Content::Form(_))
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.length)
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Content::Other {
            words: Some(words), ..
        } = &mut self.content
        {
            words.zeroize();
        }
        if let Some(members) = self.members_mut() {
            for (_, value) in members.iter_mut() {
                wipe(value);
            }
        }
    }
}

fn content(text: &str) -> Content {
    // Some servers end a text with a null character.
    let is_around = |ch: char| ch.is_whitespace() || ['\u{feff}', '\0'].contains(&ch);
    let text = text.trim_matches(is_around);
    let other = |reason| Content::Other {
        reason,
        words: words(text),
    };
    if text.is_empty() {
        return other(EMPTY);
    }
    if !text.starts_with(['{', '[']) && text.contains(ACCESS_TOKEN) && is_surrounded(text) {
        return Content::Other {
            reason: SURROUNDED,
            words: None,
        };
    }
    if !text.starts_with(['{', '[', '"'])
        && let Some(members) = error_within(text)
    {
        return Content::Found(members);
    }
    if text.starts_with('<') {
        return match xml_error(text) {
            Some(members) => Content::Found(members),
            None if text.starts_with("<?xml") => other(XML),
            None => other(PAGE),
        };
    }
    if text.starts_with('{') {
        let parsed = match parse_object(text.as_bytes()) {
            // A text that is cut within a character makes no other member unreadable.
            Err(ObjectError::Malformed) if text.contains("\\u") => {
                parse_object(Zeroizing::new(paired(text)).as_bytes())
            }
            parsed => parsed,
        };
        let reason = match parsed {
            Ok(members) => return Content::Json(members),
            Err(ObjectError::Malformed) if is_surrounded(text) => SURROUNDED,
            Err(ObjectError::Malformed) => match error_within(text) {
                Some(members) => return Content::Found(members),
                None => "its JSON is malformed",
            },
            Err(ObjectError::TooLarge) => "its JSON is too large or too deeply nested",
        };
        let words = None;
        return Content::Other { reason, words };
    }
    // JSON that was encoded twice.
    let inner = serde_json::from_str::<String>(text)
        .ok()
        .map(Zeroizing::new);
    if let Some(inner) = inner
        && (inner.starts_with('{') || text_error(&inner).is_some())
    {
        return content(&inner);
    }
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        // The message in a list of errors.
        let list = text
            .starts_with('[')
            .then(|| format!("{{\"errors\":{text}}}"));
        let listed = list.and_then(|list| parse_object(Zeroizing::new(list).as_bytes()).ok());
        let words = match listed {
            Some(mut members) => {
                let words = problem(&members);
                members.iter_mut().for_each(|(_, value)| wipe(value));
                words
            }
            None => words(text),
        };
        return Content::Other {
            reason: "it is JSON, but not an object",
            words,
        };
    }
    if let Some(members) = text_error(text) {
        return Content::Found(members);
    }
    if !text.contains('=') || text.contains(char::is_whitespace) {
        return other("it is neither JSON nor a form");
    }
    let mut members = Map::new();
    for (count, (name, value)) in parameters(text).enumerate() {
        if count == PARAMETER_LIMIT {
            return Content::Other {
                reason: "it has too many parameters",
                words: None,
            };
        }
        members.insert(name, Value::String(value));
    }
    Content::Form(members)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::dialect::Answers;
    use super::super::json::{DEPTH_LIMIT, OBJECT_VALUES, VALUE_LIMIT};
    use super::super::token::{Fate, parse_token_answer};
    use super::*;

    fn parse(text: &str) -> Result<Map<String, Value>, ObjectError> {
        parse_object(text.as_bytes())
    }

    #[test]
    fn tokens_in_another_form_are_named_without_their_values() {
        let told = |bytes: &[u8], encoding: Option<&str>| {
            let headers = encoding.map(|name| ("content-encoding".to_owned(), name.to_owned()));
            let answer = Answer {
                status: 200,
                retry_after: None,
                headers: headers.into_iter().collect(),
                body: Body::parse(bytes),
            };
            let reading = parse_token_answer(&answer, &Answers::default());
            let failure = reading.into_tokens(Asked::Exchange, &answer).unwrap_err();
            format!("{failure} {}", failure.hint())
        };
        let good = r#"{"access_token":"s3cret-1","token_type":"Bearer"}"#;
        for (text, words) in [
            (format!("{good}\n0"), "other text next to its JSON"),
            (format!("{good}{good}"), "other text next to its JSON"),
            (
                format!("Notice: Undefined index in a.php\n{good}"),
                "other text next to its JSON",
            ),
            (
                format!("<br />\n<b>Warning</b>: x\n{good}"),
                "other text next to its JSON",
            ),
            (
                r#"{"accessToken":"s3cret-1"}"#.to_owned(),
                "no access_token, but accessToken",
            ),
            (
                r#"{"code":0,"data":{"access_token":"s3cret-1"}}"#.to_owned(),
                "no access_token, but data.access_token",
            ),
            (
                r#"{"s3cret=1":{"access-token":"s3cret-1"}}"#.to_owned(),
                "no access_token (",
            ),
        ] {
            let told = told(text.as_bytes(), None);
            assert!(told.contains(words) && !told.contains("s3cret"), "{told}");
            assert_eq!(
                told.contains("The URL is probably right"),
                !words.ends_with('('),
                "{told}"
            );
        }
        let compressed = told(b"\x1f\x8b\x08\0\xff", Some("gzip"));
        assert!(
            compressed.contains("compressed (gzip)")
                && compressed.contains("The URL is probably right"),
            "{compressed}"
        );
        for (text, words) in [
            ("{\"access_tok", "its JSON is malformed"),
            ("<html>{}</html>", "it is a web page"),
            (r#"{"data":{"x":"s3cret-1"}}"#, "no access_token ("),
        ] {
            let told = told(text.as_bytes(), None);
            assert!(
                told.contains(words) && told.contains("is this service's endpoint"),
                "{told}"
            );
        }
    }

    #[test]
    fn json_in_utf_16_is_decoded() {
        let text = r#"{"access_token":"t","name":"Zoë 🔑"}"#;
        let units = || text.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        let expected = parse(text).unwrap();
        for bytes in [
            little.clone(),
            big.clone(),
            [&[0xff, 0xfe][..], &little].concat(),
            [&[0xfe, 0xff][..], &big].concat(),
        ] {
            assert_eq!(Body::parse(&bytes).members(), Some(&expected));
        }
    }

    #[test]
    fn object_is_parsed_like_serde_json() {
        let text = r#"{"a":[1,-2,3.5,"x\u002fy",null,true],"b":{"c":{}},"a b":18446744073709551615,"b":{"d":"last"}}"#;
        let expected: Map<String, Value> = serde_json::from_str(text).unwrap();
        assert_eq!(parse(text).unwrap(), expected);
        for text in ["", "[1]", "1", "{", "{\"a\":1}x", "{\"a\":1e999}", "{a:1}"] {
            assert_eq!(parse(text), Err(ObjectError::Malformed), "{text}");
        }
    }

    #[test]
    fn parsing_stops_at_its_limits() {
        let list = |count: usize| format!("{{\"a\":[{}]}}", vec!["1"; count].join(","));
        assert!(parse(&list(VALUE_LIMIT - OBJECT_VALUES - 2)).is_ok());
        assert_eq!(parse(&list(VALUE_LIMIT + 10)), Err(ObjectError::TooLarge));
        let members: Vec<String> = (0..VALUE_LIMIT / OBJECT_VALUES)
            .map(|at| format!("\"{at}\":{{}}"))
            .collect();
        assert_eq!(
            parse(&format!("{{{}}}", members.join(","))),
            Err(ObjectError::TooLarge)
        );
        let nested = |depth| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parse(&nested(DEPTH_LIMIT - 1)).is_ok());
        assert_eq!(parse(&nested(DEPTH_LIMIT)), Err(ObjectError::TooLarge));
        assert_eq!(parse(&nested(100_000)), Err(ObjectError::TooLarge));
        assert_eq!(
            parse(&"{\"a\":[".repeat(100_000)),
            Err(ObjectError::TooLarge)
        );
        let form = vec!["a=b"; PARAMETER_LIMIT + 1].join("&");
        assert!(Body::parse(form.as_bytes()).members().is_none());
    }

    #[test]
    fn unpaired_surrogate_is_replaced_without_other_changes() {
        let read = |body: &str| {
            let body = Body::from(body);
            let members = body.members().cloned();
            members.map(|members| Value::Object(members).to_string())
        };
        for (body, told) in [
            (r#"{"a":"b","x":"\ud800"}"#, r#"{"a":"b","x":"\u{fffd}"}"#),
            (
                r#"{"x":"\udc00\ud83d\ude00"}"#,
                r#"{"x":"\u{fffd}\u{1f600}"}"#,
            ),
            (r#"{"x":"\ud800\ud800z"}"#, r#"{"x":"\u{fffd}\u{fffd}z"}"#),
            (r#"{"x":"\ud800\n"}"#, r#"{"x":"\u{fffd}\n"}"#),
            (
                r#"{"x":"\\ud800","y":"\ud800"}"#,
                r#"{"x":"\\ud800","y":"\u{fffd}"}"#,
            ),
        ] {
            let told = told.replace(r"\u{fffd}", "\u{fffd}");
            let told = told.replace(r"\u{1f600}", "\u{1f600}");
            assert_eq!(read(body), Some(told), "{body}");
        }
        for body in [
            r#"{"x":"\ud800"#,
            r#"{"x":"\ud8"}"#,
            r#"{"x":"\"#,
            r#"{"x":"\udé00"}"#,
        ] {
            assert_eq!(read(body), None, "{body}");
        }
    }

    #[test]
    fn compressed_body_is_reported() {
        let told = |encoding: &str, body: &[u8]| {
            let answer = Answer {
                status: 200,
                retry_after: None,
                headers: vec![("content-encoding".to_owned(), encoding.to_owned())],
                body: Body::parse(body),
            };
            answer.members().cloned().map(|members| members.len())
        };
        let gzip = [0x1f, 0x8b, 8, 0];
        let words = "it is compressed (gzip), which was not requested (HTTP status 200)";
        assert_eq!(told("gzip", &gzip), Err(words.to_owned()));
        let none = told("identity", &gzip).unwrap_err();
        assert!(none.contains("neither JSON nor a form"), "{none}");
        // The header is wrong: the body is not compressed.
        assert_eq!(told("gzip", b"{}"), Ok(0));
    }

    #[test]
    fn list_of_errors_is_reported_without_its_other_values() {
        let words = |body: &str| Body::from(body).words().map(str::to_owned);
        assert_eq!(
            words(r#"[{"access_token":"s3cret","message":"no app"}]"#).unwrap(),
            "no app"
        );
        assert_eq!(words(r#"["no app"]"#).unwrap(), "no app");
        assert_eq!(words(r#"[{"access_token":"s3cret"}]"#), None);
        assert_eq!(words(r#"[{"access_token":"s3cret"#), None);
        assert_eq!(words("[ERROR] no app").unwrap(), "[ERROR] no app");
    }

    #[test]
    fn debug_output_hides_the_body() {
        let body = Body::from(r#"{"access_token":"s3cret"}"#);
        assert_eq!(format!("{body:?}"), "Body(25 bytes)");
    }

    #[test]
    fn body_values_are_counted_up_to_the_limit() {
        let list = |count: usize| format!("{{\"a\":[{}]}}", vec!["null"; count].join(","));
        let most = VALUE_LIMIT - OBJECT_VALUES - 2;
        assert!(parse(&list(most)).is_ok());
        assert_eq!(parse(&list(most + 1)), Err(ObjectError::TooLarge));
        assert_eq!(Body::from("ü").length(), 2);
    }

    #[test]
    fn members_are_mutable() {
        for text in [r#"{"a":"x"}"#, "a=x"] {
            let mut body = Body::from(text);
            let members = body.members_mut().unwrap();
            members["a"] = "y".into();
            assert_eq!(body.members().unwrap()["a"], "y");
        }
        assert!(Body::from("x").members_mut().is_none());
    }

    #[test]
    fn markup_is_reported_by_its_kind() {
        for (text, words) in [
            ("<html>", "a web page"),
            ("<?xml version='1.0'?><a/>", "XML"),
        ] {
            let answer = Answer {
                status: 200,
                retry_after: None,
                headers: Vec::new(),
                body: text.into(),
            };
            assert_eq!(answer.body.kind(), BodyKind::Page);
            let told = answer.members().unwrap_err();
            assert_eq!(told, format!("it is {words} (HTTP status 200)"));
        }
    }

    #[test]
    fn error_is_read_whatever_surrounds_it() {
        let wanted = Body::from(r#"{"error":"invalid_client","error_description":"No app"}"#);
        for text in [
            "<br />\n<b>Notice</b>: x in <b>t.php</b><br />\n{\"error\":\"invalid_client\",\"error_description\":\"No app\"}",
            "callback({\"error\":\"invalid_client\",\"error_description\":\"No app\"});",
            "{\"error\":\"invalid_client\",\"error_description\":\"No app\"}\0",
            "{\"error\":\"invalid_client\",\"error_description\":\"No app\"}null",
            "\"{\\\"error\\\":\\\"invalid_client\\\",\\\"error_description\\\":\\\"No app\\\"}\"",
            "invalid_client: No app",
            "\"INVALID_CLIENT: No app\"",
        ] {
            assert_eq!(Body::from(text).members(), wanted.members(), "{text}");
        }
        for text in [
            "<script>x = {\"error\":null}; y = {\"error\":\"Try again\"}</script>",
            "<script>function f() { return {\"error\":\"invalid_scope\"}; }</script>",
            "<script>x = {\"error\":\"invalid_scope\"}</script>",
            "<script>x = {m: {\"error\":\"invalid_scope\"}}</script>",
            "not_a_code",
            "A client: invalid_client",
        ] {
            assert!(Body::from(text).members().is_none(), "{text}");
        }
        for text in [
            "Notice in {closure}() {\"error\":\"invalid_client\"}",
            "x({\"error\":null,\"a\":{\"error\":\"invalid_scope\"}}); {\"error\":\"invalid_client\"}",
        ] {
            let body = Body::from(text);
            assert_eq!(body.members().unwrap()["error"], "invalid_client", "{text}");
        }
        let tokens = Body::from("{\"access_token\":\"a\"}\0\n");
        assert!(tokens.is_object());
    }

    #[test]
    fn error_within_broken_json_is_not_an_answer() {
        for text in [
            r#"{"access_token":"a","expires_in":3600,"warning":{"error":"invalid_scope"},}"#,
            r#"{"refresh_token":"}","warning":{"error":"invalid_grant"},}"#,
            r#"Notice: x {"access_token":"a","y":1,} {"error":"invalid_grant"}"#,
            r#"{"access_token":"a","x":{"error":"server_error"},"refr"#,
        ] {
            let answer = Answer {
                status: 200,
                retry_after: None,
                headers: Vec::new(),
                body: text.into(),
            };
            assert!(answer.body.members().is_none(), "{text}");
            let reading = parse_token_answer(&answer, &Answers::default());
            assert_eq!(
                answer.fate(Asked::Refresh, &reading),
                Fate::Unknown,
                "{text}"
            );
        }
    }

    #[test]
    fn only_json_that_was_parsed_to_its_end_is_a_whole_object() {
        for text in [
            r#"{"error":"invalid_grant"}"#,
            r#""{\"error\":\"invalid_grant\"}""#,
        ] {
            assert!(Body::from(text).is_object(), "{text}");
        }
        for text in [
            "invalid_grant: The co",
            "<error>invalid_grant</error><descr",
            "{\"error\":\"invalid_grant\"}{",
            "x({\"error\":\"invalid_grant\"});",
            "Notice {\"error\":\"invalid_grant\"}",
        ] {
            let body = Body::from(text);
            assert!(body.members().is_some() && !body.is_object(), "{text}");
        }
    }
}
