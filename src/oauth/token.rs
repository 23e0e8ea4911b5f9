//! The tolerant parser of token responses (RFC 6749, sections 5.1 and 5.2).
//!
//! A response is judged by its body, because some services send errors with status 200, or forms instead of JSON. A
//! response that can't be interpreted is reported without its body.

use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::asked::Asked;
use super::codes::is_protocol_code;
use super::dialect::Answers;
use super::error_members::{error, from_sentence, is_sentence};
use super::failure::{BUSY, Failure, ServerError};
use super::kept::{Kept, kept_of_answer};
use super::members::{at, is_none, number, text};
use super::token_notes::{life, needs_proof, trimmed};
use super::url::RedirectUrl;
use super::useless::Useless;
use crate::clean::{clean, is_clean};
use crate::secret::{ExposeSecret, SecretString, wipe};

impl Answer {
    /// Returns whether `error` is final; `false` if it only says that the server can't respond now. A busy server's
    /// error is final only if it is about the client or its request (RFC 6749, section 5.2): a server that can't look up
    /// a token may say that the token is invalid.
    #[must_use]
    pub fn is_final(&self, error: &ServerError) -> bool {
        match error.code.as_str() {
            _ if error.is_temporary() => false,
            // Some services report a wrong secret in this way.
            "server_error" => matches!(self.status, 401 | 403),
            code => !self.is_busy() || ABOUT_THE_CLIENT.contains(&code),
        }
    }

    /// Returns whether the same request may succeed later, according to the status or the message of a rejection
    /// without a code.
    #[must_use]
    pub(super) fn is_temporary(&self) -> bool {
        self.is_busy() || self.said().is_some_and(|error| error.is_temporary())
    }

    /// Returns whether the server asks to try again later, by a status or a message that says nothing else.
    #[must_use]
    pub(super) fn says_later(&self) -> bool {
        matches!(self.status, 429 | 503) || (self.is_temporary() && !self.is_busy())
    }

    /// Returns the failure that `error` means for the request: rejected, or not available now.
    #[must_use]
    pub fn refusal(&self, asked: Asked, mut error: ServerError) -> Failure {
        if self.is_final(&error) {
            let says_more = error.has_no_code()
                || error.has_own_code()
                || error.is_denial()
                || error.code == "server_error";
            error.status = says_more.then_some(self.status);
            Failure::Server { asked, error }
        } else {
            self.unavailable(Some(error))
        }
    }

    /// Returns the failure for a response that is neither a success nor an error of the protocol. The body of a busy
    /// service says nothing about the URL.
    #[must_use]
    pub fn unusable(&self, asked: Asked, reason: String) -> Failure {
        if self.is_temporary() {
            self.unavailable(self.said())
        } else {
            Failure::Unusable {
                asked,
                status: self.status,
                reason,
                body: self.kind(asked),
                message: self.message(),
            }
        }
    }

    /// Returns the failure that the service is not available now.
    #[must_use]
    pub fn unavailable(&self, error: Option<ServerError>) -> Failure {
        Failure::Unavailable {
            status: self.status,
            wait: self.retry_after.filter(|wait| !wait.is_zero()),
            error,
        }
    }
}

/// Errors that a busy server reports without looking up what was sent.
const ABOUT_THE_CLIENT: &[&str] = &[
    "invalid_client",
    "invalid_client_metadata",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
];

/// What happened to a request whose response contained no tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The server rejected the request.
    Refused,
    /// The server says that it did not process the request; a gateway may say so after the server did.
    NotProcessed,
    /// The request may have been processed, and its result is lost.
    Unknown,
}

impl Answer {
    /// Returns what happened to the request. This decides what an unknown code means later (RFC 6749, section 4.1.2).
    ///
    /// Servers should send 429 (RFC 6585, section 4) and 503 with `Retry-After` (RFC 9110, section 15.6.4) before any
    /// processing. Any other 5xx response may come from a proxy in front of a server that issued the tokens, and so may
    /// a success that can't be parsed.
    #[must_use]
    pub fn fate(&self, asked: Asked, reading: &Reading) -> Fate {
        match reading {
            Reading::Error(error, _) if self.is_final(error) => Fate::Refused,
            Reading::Error(error, _)
                if error.code == BUSY || (self.status < 500 && error.is_temporary()) =>
            {
                Fate::NotProcessed
            }
            _ if matches!(self.status, 408 | 425 | 429)
                || (self.status == 503 && self.retry_after.is_some()) =>
            {
                Fate::NotProcessed
            }
            // Nothing is lost: the tokens that were issued are useless. A refresh token may be used up all the same.
            Reading::Useless(_) if asked != Asked::Refresh => Fate::Refused,
            Reading::Neither(_) if (400..500).contains(&self.status) => Fate::Refused,
            Reading::Neither(_) if self.status < 300 && self.reports_failure() => Fate::Refused,
            _ => Fate::Unknown,
        }
    }
}

/// The tokens of a successful response (RFC 6749, section 5.1).
#[derive(Debug, Clone)]
pub struct TokenSet {
    /// The access token.
    pub access_token: SecretString,
    /// `Bearer` for nearly all services; `None` if the response omits it.
    pub token_type: Option<String>,
    /// Lifetime of the access token in seconds, if known. Zero is ignored: it often means that the token doesn't expire.
    pub expires_in: Option<u64>,
    /// The refresh token, for later access tokens.
    pub refresh_token: Option<SecretString>,
    /// The ID token, which identifies the user (OpenID Connect Core, section 3.1.3.3).
    pub id_token: Option<SecretString>,
    /// The granted scopes; `None` means all requested scopes.
    pub scope: Option<Vec<String>>,
    /// Other values in the response that are kept.
    pub kept: Vec<Kept>,
    /// What the user should know about the response, as sentences.
    pub notes: Vec<String>,
    /// The token endpoint that issued the tokens, if the redirect named another one than the preset.
    pub token_url: Option<Url>,
    /// The redirect URL that received the response, with the port that was actually used.
    pub redirect_url: Option<RedirectUrl>,
}

/// The content of a token response.
#[derive(Debug)]
pub enum Reading {
    /// The tokens.
    Tokens(Box<TokenSet>),
    /// An error, and the polling interval in the response, if any.
    Error(ServerError, Option<u64>),
    /// A success without a usable access token. The code or token that was sent is used up anyway.
    Useless(Useless),
    /// Neither tokens nor an error; says what the response is instead.
    Neither(String),
}

impl Reading {
    /// Returns the tokens.
    ///
    /// # Errors
    /// Returns an error if `answer`, the response to the request `asked`, contains no tokens.
    pub fn into_tokens(self, asked: Asked, answer: &Answer) -> Result<TokenSet, Failure> {
        match self {
            Self::Tokens(tokens) => Ok(*tokens),
            Self::Error(error, _) => Err(answer.refusal(asked, error)),
            Self::Useless(useless) => Err(Failure::Useless { asked, useless }),
            Self::Neither(reason) => Err(answer.unusable(asked, reason)),
        }
    }
}

/// Parses a token response.
#[must_use]
pub fn parse_token_answer(answer: &Answer, dialect: &Answers) -> Reading {
    let outer = match answer.members() {
        Ok(members) => members,
        Err(reason) => {
            return match answer.challenge() {
                Some(error) => Reading::Error(error, None),
                None => Reading::Neither(reason),
            };
        }
    };
    if let Some(error) = error(outer, dialect, "access_token") {
        return Reading::Error(error, number(outer, "interval"));
    }
    let mut notes = Vec::new();
    let mut token_of = |members: &Map<String, Value>| {
        trimmed(members, "access_token", &mut notes).filter(|token| !is_none(token))
    };
    let (members, access_token) = match token_of(outer) {
        Some(token) => (outer, Some(token)),
        None => match inner(outer, dialect) {
            Some(inner) => (inner, token_of(inner)),
            None => (outer, None),
        },
    };
    let Some(access_token) = access_token else {
        if let Some(error) = answer.challenge() {
            return Reading::Error(error, None);
        }
        let id_token = text(members, "id_token").is_some_and(|token| !is_none(&token));
        return if id_token && answer.status < 400 {
            Reading::Useless(Useless::IdTokenOnly)
        } else {
            Reading::Neither(answer.lacks("access_token"))
        };
    };
    if is_protocol_code(&access_token) {
        return Reading::Error(
            ServerError::new(&access_token, text(members, "error_description").as_deref()),
            None,
        );
    }
    if is_sentence(&access_token) {
        // An error has no refresh token, so with one, these are only words in the wrong place.
        let has_issued = trimmed(members, "refresh_token", &mut Vec::new())
            .is_some_and(|token| is_refresh_token(&token));
        return if has_issued {
            Reading::Useless(Useless::WhiteSpace)
        } else {
            Reading::Error(from_sentence(&access_token, None), None)
        };
    }
    if access_token.contains(char::is_whitespace) {
        return Reading::Useless(Useless::WhiteSpace);
    }
    let token_type = text(members, "token_type").map(|kind| clean(&kind, 40));
    if token_type.as_ref().is_some_and(String::is_empty) {
        return Reading::Useless(Useless::NoType);
    }
    let mut secret = |name| trimmed(members, name, &mut notes).filter(|token| !is_none(token));
    // A message instead of a refresh token doesn't make the other tokens useless.
    let sent = secret("refresh_token");
    let id_token = secret("id_token");
    let refresh_token = match sent {
        Some(message) if !is_refresh_token(&message) => {
            notes.push(format!(
                "The response contains a message instead of a refresh token: \"{}\".",
                clean(&message, 100)
            ));
            None
        }
        sent => sent,
    };
    for token in [
        Some(&access_token),
        refresh_token.as_ref(),
        id_token.as_ref(),
    ]
    .into_iter()
    .flatten()
    {
        if !is_usable(token) {
            return Reading::Useless(Useless::Characters);
        }
    }
    if !access_token.is_ascii() {
        // RFC 6749, appendix A.12.
        notes.push(
            "The access token contains characters that are not ASCII, so servers may reject it. Report this to the service's administrator."
                .to_owned(),
        );
    }
    let expires_in = life(members, &dialect.expires_in, &mut notes);
    let proof = token_type.as_deref().and_then(needs_proof);
    notes.extend(proof.map(str::to_owned));
    Reading::Tokens(Box::new(TokenSet {
        access_token: access_token.into(),
        token_type,
        expires_in,
        refresh_token: refresh_token.map(SecretString::from),
        id_token: id_token.map(SecretString::from),
        scope: scopes(members, dialect),
        kept: kept_of_answer(outer, &dialect.keep),
        notes,
        token_url: None,
        redirect_url: None,
    }))
}

/// Returns the new refresh token in a success whose other tokens can't be used: the old one may no longer work.
#[must_use]
pub fn issued_refresh_token(answer: &Answer, dialect: &Answers) -> Option<SecretString> {
    let outer = answer.members().ok()?;
    if !(200..300).contains(&answer.status) || error(outer, dialect, "refresh_token").is_some() {
        return None;
    }
    let places = [Some(outer), inner(outer, dialect)];
    let mut tokens = places
        .into_iter()
        .flatten()
        .filter_map(|members| trimmed(members, "refresh_token", &mut Vec::new()));
    let token = tokens.find(|token| is_refresh_token(token) && is_usable(token))?;
    Some(token.into())
}

/// Returns whether the text can be a refresh token, which may contain spaces (RFC 6749, appendix A.17), and not a message
/// in its place. No message about it needs a digit.
fn is_refresh_token(text: &str) -> bool {
    let has_digit = text.contains(|ch: char| ch.is_ascii_digit());
    !is_none(text) && (has_digit || !is_sentence(text))
}

/// Returns the object that contains the tokens, if they are not at the top level.
fn inner<'a>(outer: &'a Map<String, Value>, dialect: &Answers) -> Option<&'a Map<String, Value>> {
    at(outer, dialect.access_token_in.as_deref()?)?.as_object()
}

/// Returns whether a token arrived as the service meant it.
fn is_usable(token: &str) -> bool {
    is_clean(token) && !token.contains(char::REPLACEMENT_CHARACTER)
}

fn scopes(members: &Map<String, Value>, dialect: &Answers) -> Option<Vec<String>> {
    let mut separators = dialect.scope_separator.clone().unwrap_or_default();
    let texts: Vec<&str> = match at(members, &dialect.scope)? {
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        other => {
            let text = other.as_str()?;
            // Some services print a list.
            let list = text
                .strip_prefix('[')
                .and_then(|text| text.strip_suffix(']'));
            if list.is_some() {
                separators.push(',');
            }
            vec![list.unwrap_or(text)]
        }
    };
    let is_between = |ch: char| ch.is_whitespace() || "\"'".contains(ch) || separators.contains(ch);
    let scopes = texts.into_iter().flat_map(|text| text.split(is_between));
    let scopes = scopes.map(|scope| clean(scope, 200));
    Some(scopes.filter(|scope| !scope.is_empty()).take(200).collect())
}

impl TokenSet {
    /// Returns all tokens and what is known about them as one line of JSON, with the names in RFC 6749, section 5.1.
    #[must_use]
    pub fn to_json(&self) -> SecretString {
        let mut members = serde_json::Map::new();
        let mut put = |name: &str, value: Option<serde_json::Value>| {
            if let Some(value) = value {
                members.insert(name.to_owned(), value);
            }
        };
        let text = |secret: &SecretString| secret.expose_secret().into();
        put("access_token", Some(text(&self.access_token)));
        put("token_type", self.token_type.as_deref().map(Into::into));
        put("expires_in", self.expires_in.map(Into::into));
        put("refresh_token", self.refresh_token.as_ref().map(text));
        put("id_token", self.id_token.as_ref().map(text));
        put(
            "scope",
            self.scope.as_ref().map(|scope| scope.join(" ").into()),
        );
        // Kept values have the service's own names, and never replace a token.
        for kept in &self.kept {
            if !members.contains_key(&kept.name) {
                members.insert(kept.name.clone(), text(&kept.value));
            }
        }
        let mut value = serde_json::Value::Object(members);
        let text = value.to_string().into();
        wipe(&mut value);
        text
    }

    /// Returns the texts into which a service may have put a token.
    pub(crate) fn texts(&mut self) -> Vec<&mut String> {
        let scopes = self.scope.iter_mut().flatten();
        let scopes = scopes.chain(&mut self.token_type);
        scopes.chain(&mut self.notes).collect()
    }

    /// Returns the tokens.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        let others = self.refresh_token.iter().chain(&self.id_token);
        std::iter::once(&self.access_token).chain(others)
    }

    /// Fills in the values that the response to a refresh omitted from the tokens `before`: the refresh token
    /// (RFC 6749, section 6), the ID token and others.
    #[must_use]
    pub fn after(mut self, before: &Self) -> Self {
        self.refresh_token = self.refresh_token.or_else(|| before.refresh_token.clone());
        self.token_type = self.token_type.or_else(|| before.token_type.clone());
        self.id_token = self.id_token.or_else(|| before.id_token.clone());
        self.scope = self.scope.or_else(|| before.scope.clone());
        self.token_url = self.token_url.or_else(|| before.token_url.clone());
        self.redirect_url = self.redirect_url.or_else(|| before.redirect_url.clone());
        for kept in &before.kept {
            if !self.kept.iter().any(|new| new.name == kept.name) {
                self.kept.push(kept.clone().carried_over());
            }
        }
        self
    }

    /// Returns whether the tokens are bearer tokens (RFC 6750), as at nearly all services. A missing type counts as
    /// bearer.
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        let kind = self.token_type.as_ref();
        kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"))
    }

    /// Returns the scopes in `asked` that were not granted. A refresh token proves `offline_access`, which many
    /// services omit from their response.
    #[must_use]
    pub fn not_granted<'a>(&self, asked: &'a [String]) -> Vec<&'a str> {
        let Some(granted) = &self.scope else {
            return Vec::new();
        };
        asked
            .iter()
            .map(String::as_str)
            .filter(|scope| !granted.iter().any(|granted| granted == scope))
            .filter(|scope| *scope != "offline_access" || self.refresh_token.is_none())
            .collect()
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails on anything unexpected"
)]
mod tests {
    use super::*;
    use crate::secret::ExposeSecret;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    fn tokens(body: &str) -> TokenSet {
        let dialect = Answers {
            scope_separator: Some(",".to_owned()),
            ..Answers::default()
        };
        tokens_of(body, &dialect)
    }

    fn tokens_of(body: &str, dialect: &Answers) -> TokenSet {
        match parse_token_answer(&answer(200, body), dialect) {
            Reading::Tokens(tokens) => *tokens,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn new_refresh_token_is_found_next_to_useless_tokens() {
        let found = |status, body: &str| {
            let token = issued_refresh_token(&answer(status, body), &Answers::default());
            token.map(|token| token.expose_secret().to_owned())
        };
        for body in [
            r#"{"access_token":"a 9","refresh_token":"new"}"#,
            r#"{"access_token":"a","token_type":"","refresh_token":"new"}"#,
            r#"{"access_token":"","refresh_token":"new"}"#,
            r#"{"access_token":"\u0007","refresh_token":"new\n"}"#,
            r#"{"id_token":"a.b.c","refresh_token":"new"}"#,
        ] {
            assert_eq!(found(200, body).as_deref(), Some("new"), "{body}");
            assert_eq!(found(400, body), None, "{body}");
        }
        for body in [
            "",
            "<html>",
            r#"{"access_token":"a 9"}"#,
            r#"{"access_token":"a 9","refresh_token":null}"#,
            r#"{"access_token":"a 9","refresh_token":"none"}"#,
            r#"{"access_token":"a 9","refresh_token":"this is no token"}"#,
            r#"{"access_token":"a 9","refresh_token":"a\u0007b"}"#,
            r#"{"error":"invalid_grant","refresh_token":"new"}"#,
        ] {
            assert_eq!(found(200, body), None, "{body}");
        }
    }

    #[test]
    fn failure_with_status_200_is_described_in_the_words_of_the_service() {
        let failure = |body: &str| {
            let answer = answer(200, body);
            let reading = parse_token_answer(&answer, &Answers::default());
            let fate = answer.fate(Asked::Refresh, &reading);
            let failure = reading.into_tokens(Asked::Refresh, &answer).unwrap_err();
            (failure.to_string(), failure.hint(), failure.about(), fate)
        };
        for (body, words) in [
            (
                r#"{"errcode":40029,"errmsg":"invalid code"}"#,
                "40029: invalid code",
            ),
            (r#"{"code":40001,"msg":"No app"}"#, "40001: No app"),
            (
                r#"{"access_token":null,"error_description":"Code used"}"#,
                "Code used",
            ),
        ] {
            let (text, hint, about, fate) = failure(body);
            let told = format!("it contains no access_token: {words} (HTTP status 200).");
            assert!(text.ends_with(&told), "{text}");
            assert_eq!(hint, "See the service's message for the cause.");
            assert_eq!((about, fate), (None, Fate::Refused));
        }
        let (text, _, about, fate) = failure(r#"{"message":"s3cret"}"#);
        assert!(!text.contains("s3cret") && about.is_some(), "{text}");
        assert_eq!(fate, Fate::Unknown);
    }

    #[test]
    fn anomalies_in_a_response_are_noted() {
        let body = r#"{"access_token":"a\n","token_type":"DPoP","expires_in":"soon"}"#;
        let notes = tokens(body).notes;
        let words = ["line breaks", "isn't a number of seconds", "(RFC 9449)"];
        assert_eq!(notes.len(), words.len(), "{notes:?}");
        for (note, words) in notes.iter().zip(words) {
            assert!(note.contains(words), "{note}");
        }
        assert!(tokens(r#"{"access_token":"a"}"#).notes.is_empty());
        let set = tokens(r#"{"access_token":"abc\u00e9def"}"#);
        assert_eq!(set.access_token.expose_secret(), "abcédef");
        assert!(set.notes[0].contains("not ASCII"), "{:?}", set.notes);
    }

    #[test]
    fn json_and_forms_are_read() {
        let json = tokens(
            r#"{"access_token":"a","token_type":"Bearer","expires_in":"3600","scope":"x y","refresh_token":"r"}"#,
        );
        assert_eq!(json.access_token.expose_secret(), "a");
        assert_eq!(
            (json.expires_in, json.scope.unwrap().len()),
            (Some(3600), 2)
        );
        let form = tokens("access_token=a%7Cb&scope=repo%2Cgist&token_type=bearer");
        assert_eq!(form.access_token.expose_secret(), "a|b");
        assert_eq!(form.scope.unwrap(), ["repo", "gist"]);
        assert!(form.refresh_token.is_none() && form.expires_in.is_none());
        assert_eq!(
            tokens(r#"{"access_token":"a","token_type":"Bearer","expires_in":0}"#).expires_in,
            None
        );
        assert_eq!(
            tokens(r#"{"access_token":"a","scope":["x","y"],"expires_in":59.9}"#).expires_in,
            Some(59)
        );
    }

    #[test]
    fn error_is_recognized_with_any_status() {
        for status in [200, 400, 401, 500] {
            let body = r#"{"error":"slow_down","error_description":"be\u001bslow","interval":9}"#;
            let Reading::Error(error, interval) =
                parse_token_answer(&answer(status, body), &Answers::default())
            else {
                panic!()
            };
            assert_eq!(
                (error.to_string().as_str(), interval),
                ("slow_down: beslow", Some(9))
            );
        }
    }

    #[test]
    fn error_value_meaning_none_is_ignored() {
        for nothing in [
            "0", "0.0", "\"0\"", "\"none\"", "\"None\"", "\"\"", "null", "false", "[]", "{}",
        ] {
            let body = format!(r#"{{"access_token":"a","error":{nothing}}}"#);
            assert_eq!(tokens(&body).access_token.expose_secret(), "a", "{nothing}");
        }
        let body = r#"{"access_token":"a","error":7}"#;
        assert_eq!(error_of(body, &Answers::default()).code, "7");
    }

    #[test]
    fn sentence_in_place_of_token_is_a_service_error() {
        for (body, words) in [
            (
                r#"{"access_token":"error: the token has expired","token_type":"","expires_in":0}"#,
                "the token has expired",
            ),
            (
                r#"{"access_token":"invalid_grant","error_description":"too old"}"#,
                "invalid_grant: too old",
            ),
            (
                r#"{"access_token":"AADSTS70008: The code is too old"}"#,
                "AADSTS70008: The code is too old",
            ),
            (
                r#"{"access_token":"please wait: authorization_pending"}"#,
                "authorization_pending: please wait: authorization_pending",
            ),
        ] {
            assert_eq!(error_of(body, &Answers::default()).to_string(), words);
        }
        for (body, wrong) in [
            (r#"{"access_token":"Bearer abc"}"#, Useless::WhiteSpace),
            (r#"{"access_token":" abc"}"#, Useless::WhiteSpace),
            (r#"{"access_token":"abc "}"#, Useless::WhiteSpace),
            (
                r#"{"access_token":"x9Kd8f7Gh2 x9Kd8f7Gh2 x9Kd8f7Gh2"}"#,
                Useless::WhiteSpace,
            ),
            (r#"{"access_token":"abc\u0007"}"#, Useless::Characters),
            (
                r#"{"access_token":"a","refresh_token":"x9Kd\n8f7G"}"#,
                Useless::Characters,
            ),
            (
                r#"{"access_token":"a","id_token":"abc\ud800"}"#,
                Useless::Characters,
            ),
            (r#"{"access_token":"a","token_type":""}"#, Useless::NoType),
            (r#"{"access_token":"a","token_type":" "}"#, Useless::NoType),
            (
                r#"{"id_token":"a.b.c","token_type":"Bearer"}"#,
                Useless::IdTokenOnly,
            ),
        ] {
            let answer = answer(200, body);
            let reading = parse_token_answer(&answer, &Answers::default());
            assert_eq!(answer.fate(Asked::Exchange, &reading), Fate::Refused);
            let failure = reading.into_tokens(Asked::Exchange, &answer).unwrap_err();
            let expected = Failure::Useless {
                asked: Asked::Exchange,
                useless: wrong,
            };
            assert_eq!(failure, expected, "{body}");
            let told = format!("{failure} {}", failure.hint());
            assert!(!told.contains("abc") && !told.contains("x9K"), "{told}");
        }
        // Tokens may contain characters other than those of RFC 6750.
        assert_eq!(
            tokens(r#"{"access_token":"a|b,c"}"#)
                .access_token
                .expose_secret(),
            "a|b,c"
        );
    }

    #[test]
    fn token_value_meaning_none_is_ignored() {
        for none in ["", " ", "null", "Undefined", "none", "n/a", "false"] {
            let body =
                serde_json::json!({"access_token": "a", "refresh_token": none, "id_token": none});
            let set = tokens(&body.to_string());
            assert!(
                set.refresh_token.is_none() && set.id_token.is_none(),
                "{none}"
            );
        }
    }

    #[test]
    fn refresh_token_may_contain_spaces_but_no_message() {
        for (sent, token) in [
            (serde_json::json!("rt 1 x"), Some("rt 1 x")),
            (serde_json::json!("rt 2 new"), Some("rt 2 new")),
            (serde_json::json!("aB cD"), Some("aB cD")),
            (serde_json::json!(12345), Some("12345")),
            (serde_json::json!(1.5), None),
            (serde_json::json!("Refresh tokens are not enabled."), None),
        ] {
            let body = serde_json::json!({"access_token": "a", "refresh_token": sent});
            let set = tokens(&body.to_string());
            let read = set.refresh_token.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(read, token, "{sent}");
            let told = set.notes.iter().any(|note| note.contains("not enabled"));
            assert_eq!(told, sent.to_string().contains("not enabled"), "{sent}");
        }
    }

    #[test]
    fn words_as_access_token_do_not_lose_refresh_token() {
        for body in [
            r#"{"access_token":"abc def ghi","token_type":"Bearer","refresh_token":"rt-2"}"#,
            "access_token=abc+def/ghi+jkl&refresh_token=rt-2",
        ] {
            let answer = answer(200, body);
            let reading = parse_token_answer(&answer, &Answers::default());
            assert!(
                matches!(reading, Reading::Useless(Useless::WhiteSpace)),
                "{reading:?}"
            );
            let issued = issued_refresh_token(&answer, &Answers::default());
            assert_eq!(issued.unwrap().expose_secret(), "rt-2");
        }
    }

    #[test]
    fn missing_token_type_is_not_invented() {
        let set = tokens(r#"{"access_token":"a"}"#);
        assert!(set.is_bearer());
        assert_eq!(set.to_json().expose_secret(), r#"{"access_token":"a"}"#);
        let before = tokens(r#"{"access_token":"a","token_type":"bearer"}"#);
        assert_eq!(set.after(&before).token_type.as_deref(), Some("bearer"));
    }

    #[test]
    fn error_outside_json_is_read() {
        let told = |status, headers: &[(&str, &str)], body: &str| {
            let answer = Answer {
                headers: headers
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
                ..answer(status, body)
            };
            let reading = parse_token_answer(&answer, &Answers::default());
            let failure = reading.into_tokens(Asked::Exchange, &answer).unwrap_err();
            format!("{failure} {}", failure.hint())
        };
        let basic = (
            "www-authenticate",
            "Basic realm=\"as\", error=\"invalid_client\"",
        );
        assert!(told(401, &[basic], "").contains("rejected the code exchange: invalid_client"));
        assert!(told(401, &[basic], "{}").contains(": invalid_client"));
        for (status, body, words, hint) in [
            (
                401,
                "",
                "it is empty (HTTP status 401)",
                "check Client secret",
            ),
            (
                401,
                "Client authentication failed",
                ": Client authentication failed (",
                "check Client secret",
            ),
            (
                400,
                r#"{"title":"Bad Request","detail":"redirect_uri does not match"}"#,
                "Bad Request: redirect_uri does not match",
                "Client ID and Client secret",
            ),
            (
                404,
                "<html><title>Not Found</title>",
                "it is a web page: Not Found (",
                "Check the Token ex. URL: there is no such endpoint",
            ),
            (
                405,
                "",
                "(HTTP status 405)",
                "Check the Token ex. URL: there is no such endpoint",
            ),
            (
                403,
                "blocked by policy",
                "blocked by policy",
                "app's registration",
            ),
            (200, "<html>", "a web page", "is this service's endpoint"),
            (
                200,
                "<!DOCTYPE html><html><head><TITLE>\n  Wi-Fi Login\n</TITLE>",
                "it is a web page: Wi-Fi Login (HTTP status 200)",
                "is this service's endpoint",
            ),
            (
                302,
                "<html><h1>Moved temporarily</h1>",
                "it is a web page: Moved temporarily (HTTP status 302)",
                "is this service's endpoint",
            ),
            (
                500,
                "Signing key expired",
                "a problem (HTTP 500, Signing key expired).",
                "Try again later",
            ),
            (
                500,
                "<soap><faultcode>soap:Client</faultcode><faultstring>No auth</faultstring></soap>",
                "a problem (HTTP 500, No auth).",
                "Try again later",
            ),
            (
                502,
                "<html><title>502 Bad Gateway</title>",
                "a problem (HTTP 502, Bad Gateway).",
                "Try again later",
            ),
            (
                503,
                "<html><title>503</title>",
                "a problem (HTTP 503).",
                "Try again later",
            ),
            (
                429,
                "Slow down, please",
                "is busy (HTTP 429, Slow down, please).",
                "Try again later",
            ),
            (
                500,
                r#"{"Message":"An error has occurred."}"#,
                "An error has occurred",
                "Try again later",
            ),
        ] {
            let told = told(status, &[], body);
            assert!(told.contains(words) && told.contains(hint), "{told}");
        }
        assert!(
            told(401, &[], "<o><error>invalid_client</error></o>")
                .contains("exchange: invalid_client")
        );
        // The words of a success are not shown, because it may contain a token.
        for body in [
            "s3cret",
            "<html><title>code=s3cret</title>",
            "<html><title>Your code 4/s3cret</title>",
        ] {
            assert!(!told(200, &[basic], body).contains("s3cret"), "{body}");
        }
        assert!(!told(200, &[basic], "s3cret").contains("invalid_client"));
    }

    #[test]
    fn latin_1_in_a_description_is_read() {
        let body = b"{\"error\":\"access_denied\",\"error_description\":\"Zugriff f\xfcr dich verweigert\"}";
        let answer = Answer {
            body: super::super::answer::Body::parse(body),
            ..answer(400, "")
        };
        let Reading::Error(error, _) = parse_token_answer(&answer, &Answers::default()) else {
            panic!()
        };
        assert_eq!(error.description.unwrap(), "Zugriff für dich verweigert");
    }

    #[test]
    fn temporary_status_is_not_a_rejection() {
        for status in [408, 425, 429] {
            let answer = answer(status, "");
            let reading = parse_token_answer(&answer, &Answers::default());
            assert_eq!(answer.fate(Asked::Refresh, &reading), Fate::NotProcessed);
            let failure = reading.into_tokens(Asked::Refresh, &answer).unwrap_err();
            assert!(
                matches!(failure, Failure::Unavailable { .. }),
                "{status}: {failure}"
            );
        }
    }

    #[test]
    fn error_object_is_reported_with_its_message() {
        let body = r#"{"error":{"code":401,"message":"no such app"}}"#;
        assert!(
            error_of(body, &Answers::default())
                .to_string()
                .contains("no such app")
        );
    }

    fn error_of(body: &str, dialect: &Answers) -> ServerError {
        match parse_token_answer(&answer(400, body), dialect) {
            Reading::Error(error, _) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn error_in_another_spelling_or_place_is_read() {
        for (body, told) in [
            (
                r#"{"Error":"invalid_client","Error_Description":"no app"}"#,
                "invalid_client: no app",
            ),
            (
                r#"{"data":{"error":"invalid_client","error_description":"no app"}}"#,
                "invalid_client: no app",
            ),
            (
                r#"{"result":{"error":{"code":"invalid_client","message":"no app"}}}"#,
                "invalid_client: no app",
            ),
            (
                r#"{"errors":[{"errorType":"invalid_client","message":"no app"}],"success":false}"#,
                "invalid_client: no app",
            ),
            (
                r#"{"error":"Bad Request","errors":[{"field":"client_id","code":"invalid"}]}"#,
                "Bad Request: client_id invalid",
            ),
            (
                r#"{"error":"invalid_grant","error_description":"User&#39;s+account+locked"}"#,
                "invalid_grant: User's account locked",
            ),
        ] {
            assert_eq!(error_of(body, &Answers::default()).to_string(), told);
        }
    }

    #[test]
    fn busy_or_throttled_service_rejects_nothing() {
        let is_final = |status, code: &str, description: &str| {
            answer(status, "").is_final(&ServerError::new(code, Some(description)))
        };
        for (status, code, description) in [
            (400, "access_denied", "You made too many requests"),
            (400, "invalid_grant", "The request is throttled"),
            (429, "access_denied", ""),
            (429, "invalid_grant", ""),
            (500, "invalid_token", ""),
            (503, "invalid_grant", ""),
            (400, "server_error", ""),
        ] {
            assert!(!is_final(status, code, description), "{status} {code}");
        }
        for (status, code) in [
            (400, "access_denied"),
            (400, "invalid_grant"),
            (401, "server_error"),
            (429, "invalid_client"),
        ] {
            assert!(is_final(status, code, ""), "{status} {code}");
        }
    }

    #[test]
    fn one_word_error_gets_the_hint_of_its_status() {
        for (status, code, words) in [
            (401, "Unauthorized", "check Client secret"),
            (403, "Forbidden", "app's registration"),
            (404, "not_found", "there is no such endpoint"),
            (405, "method_not_allowed", "there is no such endpoint"),
            (
                415,
                "unsupported_media_type",
                "doesn't accept such requests",
            ),
            (401, "server_error", "check Client secret"),
            (401, "their_own_code", "See the service's message"),
            (400, "Unauthorized", "See the service's message"),
        ] {
            let failure = answer(status, "").refusal(Asked::Exchange, ServerError::new(code, None));
            assert!(failure.hint().contains(words), "{code}: {}", failure.hint());
            assert_eq!(
                failure.about().is_some(),
                ![400, 403].contains(&status) && !code.starts_with("their"),
                "{code}"
            );
        }
    }

    #[test]
    fn errors_are_read_where_the_preset_says() {
        let paths = |paths: &[&str]| Answers {
            error: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..Answers::default()
        };
        let message = paths(&["error", "message"]);
        // Apigee.
        let capitalized = r#"{"ErrorCode":"invalid_client","Error":"ClientId is Invalid"}"#;
        assert_eq!(
            error_of(capitalized, &Answers::default()).to_string(),
            "invalid_client: ClientId is Invalid"
        );
        // The codes of the protocol count in any case.
        for code in ["AUTHORIZATION_PENDING", "Slow_Down", "Expired_token"] {
            let body = format!(r#"{{"error":"{code}"}}"#);
            let error = error_of(&body, &Answers::default());
            assert_eq!(error.code, code.to_ascii_lowercase());
        }
        let pending = r#"{"status":400,"message":"authorization_pending"}"#;
        assert_eq!(error_of(pending, &message).code, "authorization_pending");
        assert_eq!(
            error_of(r#"{"message":"invalid device code"}"#, &message).to_string(),
            "invalid device code"
        );
        // Next to a token, a message is not an error.
        assert!(
            tokens_of(r#"{"access_token":"a","message":"welcome"}"#, &message)
                .scope
                .is_none()
        );
        let list = paths(&["error", "errors.0.description", "message"]);
        let body =
            r#"{"message":"no","errors":[{"description":"slow_down, please"}],"trackingId":"t"}"#;
        assert_eq!(error_of(body, &list).code, "slow_down");
        let object = Answers {
            error_description: vec!["error.message".to_owned()],
            ..paths(&["error.code"])
        };
        let body = r#"{"error":{"code":190,"message":"Bad token"}}"#;
        assert_eq!(error_of(body, &object).to_string(), "190: Bad token");
        let ok = Answers {
            success: Some("ok".to_owned()),
            ..Answers::default()
        };
        assert_eq!(
            error_of(r#"{"ok":false,"error":"bad_code"}"#, &ok).code,
            "bad_code"
        );
        assert_eq!(error_of(r#"{"ok":false}"#, &ok).code, "error");
        assert!(
            tokens_of(r#"{"ok":true,"access_token":"a"}"#, &ok)
                .kept
                .is_empty()
        );
    }

    #[test]
    fn token_fields_are_read_where_the_preset_says() {
        let dialect = Answers {
            access_token_in: Some("authed_user".to_owned()),
            scope: "scopes".to_owned(),
            expires_in: vec!["expires".to_owned()],
            keep: ["team.id", "authed_user.access_token", "missing"]
                .map(str::to_owned)
                .into(),
            ..Answers::default()
        };
        let body = r#"{"team":{"id":"T1"},"authed_user":{"access_token":"user","scopes":"a b","expires":60,"refresh_token":"r"}}"#;
        let user = tokens_of(body, &dialect);
        assert_eq!(user.access_token.expose_secret(), "user");
        assert_eq!(user.scope.clone().unwrap(), ["a", "b"]);
        assert_eq!(user.expires_in, Some(60));
        assert!(user.refresh_token.is_some());
        let names: Vec<&str> = user.kept.iter().map(|kept| kept.name.as_str()).collect();
        assert_eq!(names, ["team.id", "authed_user.access_token"]);
        assert!(!user.kept[0].is_secret() && user.kept[1].is_secret());
        let both = r#"{"access_token":"bot","authed_user":{"access_token":"user"}}"#;
        let bot = tokens_of(both, &dialect);
        assert_eq!(bot.access_token.expose_secret(), "bot");
        // Kept values stay after a refresh whose response omits them.
        let after = tokens_of(r#"{"access_token":"new"}"#, &dialect).after(&user);
        assert_eq!(after.kept.len(), 2);
    }

    #[test]
    fn comma_separates_scopes_only_if_the_preset_says_so() {
        let body = r#"{"access_token":"a","scope":"a,b c"}"#;
        assert_eq!(tokens(body).scope.unwrap(), ["a", "b", "c"]);
        assert_eq!(
            tokens_of(body, &Answers::default()).scope.unwrap(),
            ["a,b", "c"]
        );
    }

    #[test]
    fn unusable_response_is_described_without_its_body() {
        for (body, words) in [
            ("", "empty"),
            ("<html>s3cret</html>", "web page"),
            ("{\"access_token\":\"s3cret", "malformed"),
            ("hello s3cret", "neither"),
            ("{}", "no access_token"),
            ("{\"access_token\":\"\"}", "no access_token"),
            ("[1]", "JSON, but not an object"),
            ("\"s3cret\"", "JSON, but not an object"),
            ("[1", "neither"),
        ] {
            let Reading::Neither(reason) =
                parse_token_answer(&answer(200, body), &Answers::default())
            else {
                panic!("{body}")
            };
            assert!(
                reason.contains(words) && !reason.contains("s3cret"),
                "{reason}"
            );
        }
    }

    #[test]
    fn a_refresh_keeps_the_old_refresh_token_unless_it_brings_a_new_one() {
        let before = tokens(r#"{"access_token":"a","refresh_token":"r1","scope":"x"}"#);
        let kept = tokens(r#"{"access_token":"b"}"#).after(&before);
        assert_eq!(kept.refresh_token.unwrap().expose_secret(), "r1");
        let rotated = tokens(r#"{"access_token":"b","refresh_token":"r2"}"#).after(&before);
        assert_eq!(rotated.refresh_token.unwrap().expose_secret(), "r2");
    }

    #[test]
    fn scopes_are_read_in_any_list() {
        for scope in [
            r#"["a b"]"#,
            r#""[a, b]""#,
            r#""[\"a\",\"b\"]""#,
            r#"["a","b"]"#,
        ] {
            for separator in [None, Some(",".to_owned())] {
                let dialect = Answers {
                    scope_separator: separator,
                    ..Answers::default()
                };
                let body = format!(r#"{{"access_token":"t","scope":{scope}}}"#);
                let answer = answer(200, &body);
                let Reading::Tokens(tokens) = parse_token_answer(&answer, &dialect) else {
                    panic!("{scope}")
                };
                assert_eq!(tokens.scope.unwrap(), ["a", "b"], "{scope}");
            }
        }
    }

    #[test]
    fn error_object_that_reports_success_is_ignored() {
        let body = r#"{"access_token":"t","error":{"code":0,"message":"ok"}}"#;
        assert_eq!(tokens(body).access_token.expose_secret(), "t");
        let body = r#"{"error":"invalid_request","error_description":{"de":"Nein","en":"No"}}"#;
        let Reading::Error(error, _) = parse_token_answer(&answer(400, body), &Answers::default())
        else {
            panic!()
        };
        assert_eq!(error.to_string(), "invalid_request: No");
    }

    #[test]
    fn scopes_not_granted_are_found() {
        let asked = [
            "openid".to_owned(),
            "mail".to_owned(),
            "offline_access".to_owned(),
        ];
        assert_eq!(
            tokens(r#"{"access_token":"a","scope":"openid"}"#).not_granted(&asked),
            ["mail", "offline_access"]
        );
        let with_refresh =
            tokens(r#"{"access_token":"a","scope":"openid mail","refresh_token":"r"}"#);
        assert!(with_refresh.not_granted(&asked).is_empty());
        assert!(
            tokens(r#"{"access_token":"a"}"#)
                .not_granted(&asked)
                .is_empty()
        );
    }

    #[test]
    fn status_is_reported_only_for_an_unnamed_error() {
        let refused = |status, body: &str| {
            let answer = answer(status, body);
            let reading = parse_token_answer(&answer, &Answers::default());
            match reading.into_tokens(Asked::Exchange, &answer).unwrap_err() {
                Failure::Server { error, .. } => error.status,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(refused(400, r#"{"error":"invalid_grant"}"#), None);
        assert_eq!(refused(404, r#"{"error":"not found here"}"#), Some(404));
    }

    #[test]
    fn two_words_are_a_sentence_only_without_mixed_case() {
        for (text, sentence) in [
            ("access denied", true),
            ("Access Denied", true),
            ("aBc dEf", false),
            ("abc D2f", false),
            ("token", false),
            ("", false),
            ("Bearer abc def", false),
        ] {
            assert_eq!(is_sentence(text), sentence, "{text}");
        }
    }

    #[test]
    fn error_is_reported_once_with_its_object_details() {
        for (body, told) in [
            (
                r#"{"error":"no such app","error_description":"no such app"}"#,
                "no such app",
            ),
            (
                r#"{"error":"no such app","error_description":"ask alice"}"#,
                "no such app: ask alice",
            ),
            (
                r#"{"error":{"message":"","detail":"no such app","code":5}}"#,
                "5: no such app",
            ),
            (r#"{"error":{"message":7,"status":"gone"}}"#, "gone: 7"),
            (
                r#"{"error":"Forbidden","error_description":"Forbidden"}"#,
                "Forbidden",
            ),
            (
                r#"{"error":"invalid_scope","error_description":["no such scope","ask alice"]}"#,
                "invalid_scope: no such scope; ask alice",
            ),
            (
                r#"{"errors":[{"code":"invalid_client","message":"no such app"}]}"#,
                "invalid_client: no such app",
            ),
            (
                r#"{"error":"invalid_client","errorDescription":"no such app"}"#,
                "invalid_client: no such app",
            ),
            (
                r#"{"error":"invalid_client","msg":"no such app"}"#,
                "invalid_client: no such app",
            ),
            (
                r#"{"error":"invalid_client","error_description":"no app","error_hint":"Ask alice."}"#,
                "invalid_client: no app Ask alice.",
            ),
            (
                r#"{"error":{"code":400,"reason":"no such app","message":"Malformed."}}"#,
                "400: Malformed: no such app",
            ),
            (
                r#"{"error":{"code":400,"reason":"badRequest","message":"Malformed"}}"#,
                "400: Malformed",
            ),
            (
                r#"{"error":{"errors":[{"message":"no such app"}]}}"#,
                "no such app",
            ),
        ] {
            assert_eq!(error_of(body, &Answers::default()).to_string(), told);
        }
    }

    #[test]
    fn id_token_alone_is_recognized_only_on_success() {
        for (status, useless) in [(200, true), (399, true), (400, false)] {
            let reading = parse_token_answer(
                &answer(status, r#"{"id_token":"a.b.c"}"#),
                &Answers::default(),
            );
            let found = matches!(reading, Reading::Useless(Useless::IdTokenOnly));
            assert_eq!(found, useless, "{status}: {reading:?}");
        }
    }

    #[test]
    fn duration_is_a_bounded_number() {
        for (value, seconds) in [
            ("0", Some(0)),
            ("3599.9", Some(3599)),
            ("\" 60 \"", Some(60)),
            ("-1", None),
            ("1e12", None),
            ("\"inf\"", None),
            ("\"NaN\"", None),
            ("\"soon\"", None),
        ] {
            let members = serde_json::from_str(&format!("{{\"n\":{value}}}")).unwrap();
            assert_eq!(number(&members, "n"), seconds, "{value}");
        }
    }

    #[test]
    fn each_token_is_a_secret() {
        let secrets = |body: &str| {
            let set = tokens(body);
            let secrets = set
                .secrets()
                .map(|secret| secret.expose_secret().to_owned());
            secrets.collect::<Vec<_>>()
        };
        let all = r#"{"access_token":"a","refresh_token":"r","id_token":"i"}"#;
        assert_eq!(secrets(all), ["a", "r", "i"]);
        assert_eq!(secrets(r#"{"access_token":"a"}"#), ["a"]);
    }

    #[test]
    fn kept_values_replace_no_token_and_texts_are_redactable() {
        let mut set = tokens(r#"{"access_token":"a","token_type":"s3cret","scope":"one s3cret"}"#);
        set.kept = ["access_token", "team"]
            .map(|name| Kept::new(name, "kept".to_owned()).unwrap())
            .into();
        assert!(!set.is_bearer());
        for text in set.texts() {
            *text = text.replace("s3cret", "x");
        }
        assert_eq!(
            set.to_json().expose_secret(),
            r#"{"access_token":"a","scope":"one x","team":"kept","token_type":"x"}"#
        );
    }
}
