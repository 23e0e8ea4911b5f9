//! The device code flow (RFC 8628): its first response, and what to do after each poll.

use std::time::Duration;

use url::Url;

use serde_json::Value;

use super::answer::Answer;
use super::asked::Asked;
use super::dialect::{Answers, Dialect};
use super::error_members::error;
use super::failure::{BodyKind, Failure, ServerError, is_temporary};
use super::members::{at, is_none, seconds, token_of};
use super::token::{Fate, Reading, TokenSet, parse_token_answer};
use super::url::{from_server, not_turned_here};
use crate::clean::{clean, is_typable};
use crate::secret::SecretString;

/// The interval if the server names none (RFC 8628, section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// Added to the interval permanently after every `slow_down` (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);
/// Maximum pause after lost or invalid responses. A sign-in that was approved in the meantime is then noticed soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The lifetime of the code if the server omits it, although it is required.
const DEFAULT_LIFE: Duration = Duration::from_mins(15);
/// Maximum lifetime of a code; guards against absurd numbers.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
/// User codes with more characters are not usable.
const LONGEST_CODE: usize = 60;

/// The codes and URLs of a device authorization response (RFC 8628, section 3.2).
#[derive(Debug)]
pub struct DeviceGrant {
    /// The secret that is sent with each poll.
    pub device_code: SecretString,
    /// The code that the user enters, as sent, without blanks or line breaks around it.
    pub user_code: String,
    /// The page on which the user enters the code.
    pub verification_uri: Url,
    /// The same page, with the code included in the URL.
    pub verification_uri_complete: Option<Url>,
    /// The lifetime of the code.
    pub expires_in: Duration,
    /// The pause between polls.
    pub interval: Duration,
    /// Which parts of the response were corrected, as sentences.
    pub notes: Vec<String>,
}

/// Parses the response to the device authorization request, which was sent to the URL `from`.
///
/// # Errors
/// Returns the server's error, or what is wrong with the response.
pub fn parse_grant(answer: &Answer, dialect: &Dialect, from: &Url) -> Result<DeviceGrant, Failure> {
    let unusable = |reason: String| answer.unusable(Asked::DeviceCode, reason);
    let members = answer
        .members()
        .map_err(|reason| match answer.challenge() {
            Some(error) => answer.refusal(Asked::DeviceCode, error),
            None => unusable(reason),
        })?;
    let names = &dialect.device.answer;
    let wanted = names
        .get("device_code")
        .map_or("device_code", String::as_str);
    if let Some(error) = error(members, &dialect.answers, wanted) {
        return Err(answer.refusal(Asked::DeviceCode, error));
    }
    // The protocol's name is accepted too: the service may adopt it later.
    let member = |name: &str| -> Option<&Value> {
        names
            .get(name)
            .and_then(|other| at(members, other))
            .or_else(|| members.get(name))
    };
    let positive = |name: &str| seconds(member(name)?).filter(|seconds| *seconds > 0);
    let required = |name: &str| {
        member(name)
            .and_then(token_of)
            .filter(|value| !is_none(value))
            .ok_or_else(|| match answer.challenge() {
                Some(error) => answer.refusal(Asked::DeviceCode, error),
                None => unusable(answer.lacks(name)),
            })
    };
    let user_code = required("user_code")?.trim().to_owned();
    let length = user_code.chars().count();
    if length > LONGEST_CODE {
        return Err(unusable(format!(
            "its user_code has {length} characters, which is too long to type"
        )));
    }
    if !is_typable(&user_code) {
        return Err(unusable(
            "its user_code contains characters that can't be typed".to_owned(),
        ));
    }
    let device_code = required("device_code")?;
    let mut notes = Vec::new();
    let link = |names: [&str; 2]| {
        let links = names.into_iter().filter_map(|name| member(name)?.as_str());
        links.map(str::trim).find(|link| !is_none(link))
    };
    let address = link(["verification_uri", "verification_url"]).map(str::to_owned);
    // The complete URL is only a convenience: an unusable one is ignored, but a misleading one is rejected below.
    let complete = link(["verification_uri_complete", "verification_url_complete"])
        .and_then(|link| from_server(&absolute(link, from)).ok());
    let verification_uri = match (address, &complete) {
        (Some(address), _) => {
            let whole = absolute(&address, from);
            let url = from_server(&whole).map_err(|problem| {
                Failure::Address(format!(
                    "verification_uri is {}, but {}",
                    clean(&address, 100),
                    problem.reason()
                ))
            })?;
            if whole != address {
                let part = if address.starts_with("//") {
                    "scheme"
                } else {
                    "host"
                };
                notes.push(format!(
                    "The service returned a relative URL ({}); it was completed with the {part} of the Device code URL.",
                    clean(&address, 100)
                ));
            }
            url
        }
        (None, Some(complete)) => complete.clone(),
        (None, None) => {
            return Err(Failure::Address(
                "verification_uri is missing or empty".to_owned(),
            ));
        }
    };
    for (name, url) in [
        ("verification_uri", Some(&verification_uri)),
        ("verification_uri_complete", complete.as_ref()),
    ] {
        if let Some(Err(problem)) = url.map(|url| not_turned_here(url, from)) {
            return Err(Failure::Address(format!("{name}: {problem}")));
        }
    }
    let life = positive("expires_in");
    if let (None, Some(value)) = (life, member("expires_in").filter(|value| !value.is_null())) {
        notes.push(format!(
            "The service says that the code expires in {}, which isn't a usable number of seconds. The program assumes 15 \
             minutes.",
            clean(&value.to_string(), 40)
        ));
    }
    let expires_in = life
        .map_or(DEFAULT_LIFE, Duration::from_secs)
        .min(LONGEST_LIFE);
    let interval = positive("interval").map_or(DEFAULT_INTERVAL, Duration::from_secs);
    Ok(DeviceGrant {
        device_code: device_code.into(),
        notes,
        user_code,
        verification_uri,
        verification_uri_complete: complete,
        expires_in,
        // An interval that exceeds the lifetime of the code was meant in milliseconds.
        interval: if interval >= expires_in && interval.as_secs() >= 1000 {
            interval / 1000
        } else {
            interval
        }
        .min(LONGEST_LIFE),
    })
}

/// Completes a relative reference (RFC 3986, section 5). A host without a scheme is not a relative reference.
fn absolute(address: &str, from: &Url) -> String {
    let address = address.trim();
    let first = address.split(['/', '?', '#']).next().unwrap_or_default();
    let relative = Url::parse(address) == Err(url::ParseError::RelativeUrlWithoutBase);
    if relative && !first.contains(['.', ':']) {
        let mut base = from.clone();
        base.set_query(None);
        if let Ok(whole) = base.join(address) {
            return whole.to_string();
        }
    }
    address.to_owned()
}

/// The outcome of a poll.
#[derive(Debug)]
pub enum Polled {
    /// A response.
    Answer(Answer),
    /// No response.
    Lost {
        /// Why there is no response.
        reason: String,
        /// Whether the request may have been sent.
        sent: bool,
    },
}

/// What to do after a poll.
#[derive(Debug)]
pub enum Next {
    /// Wait this long, measured from the response, and poll again.
    Wait(Duration, Note),
    /// The tokens.
    Done(Box<TokenSet>),
    /// The sign-in has failed.
    Failed(Failure),
}

/// The state of polling, shown to the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Not yet approved.
    Pending,
    /// The server requested longer pauses.
    SlowDown,
    /// An unexpected response; polled again later.
    Trouble(String),
    /// The service requested a pause that lasts until the code expires: polled only once more, before that.
    OnceMore,
}

/// Decides when to poll again. Has no clock: the caller reports each outcome.
#[derive(Debug)]
pub struct Polling {
    interval: Duration,
    pause: Duration,
    /// The pause that the service itself requested last; zero if the last poll requested none.
    requested: Duration,
    answers: Answers,
    /// The lifetime of the code.
    life: Duration,
    /// A response that may have contained the tokens was lost. The device code is then used up.
    lost: bool,
    /// A response said that the sign-in is not approved yet.
    answered: bool,
    /// A response said to poll later, so the URL is right.
    busy: bool,
    /// The status of the latest unusable response, what was wrong with it, and how many times in a row it was received.
    unusable: Option<(Option<u16>, String, u32)>,
}

impl Polling {
    /// Starts with the server's interval.
    #[must_use]
    pub fn new(interval: Duration, answers: Answers) -> Self {
        Self {
            interval,
            pause: interval,
            requested: interval,
            answers,
            life: LONGEST_LIFE,
            lost: false,
            answered: false,
            busy: false,
            unusable: None,
        }
    }

    /// Sets the lifetime of the code.
    #[must_use]
    pub fn within(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// Returns why there are no tokens once the code has expired.
    #[must_use]
    pub fn expired(&self) -> Failure {
        match &self.unusable {
            Some((status, reason, _))
                if !self.answered && (!self.busy || status.is_some_and(is_temporary)) =>
            {
                Failure::Unanswered {
                    reason: reason.trim_end_matches('.').to_owned(),
                    status: *status,
                }
            }
            _ => Failure::Expired,
        }
    }

    /// Counts a response that says nothing about the sign-in. From the second identical one on, the text also says what
    /// is probably wrong.
    fn count(&mut self, answer: Option<&Answer>, reason: String) -> String {
        let status = answer.map(|answer| answer.status);
        let times = match &self.unusable {
            Some((before, known, times)) if *before == status && *known == reason => times + 1,
            _ => 1,
        };
        self.unusable = Some((status, reason.clone(), times));
        match answer {
            Some(answer) if times > 1 && !is_temporary(answer.status) => {
                let hint = Failure::Unusable {
                    asked: Asked::Approval,
                    status: answer.status,
                    reason: String::new(),
                    body: answer.kind(Asked::Approval),
                    message: None,
                }
                .hint();
                format!("{reason}. {}", hint.trim_end_matches(['.', '?']))
            }
            _ => reason,
        }
    }

    /// Returns how long to wait before the first poll.
    #[must_use]
    pub fn first(&self) -> Duration {
        with_margin(self.interval)
    }

    /// Returns whether the service requested a pause that lasts until the code expires. `left` is the remaining
    /// lifetime.
    #[must_use]
    pub fn is_paused_beyond(&self, left: Duration) -> bool {
        !self.requested.is_zero() && self.requested >= left
    }

    /// Decides what to do after `polled`. A response of the protocol ends polling, and so do tokens in a form that isn't
    /// read and a rejection with status 401, even without a code. A lost connection, another web page or broken body, and
    /// a busy server never do (RFC 8628, section 3.5).
    pub fn next(&mut self, polled: &Polled) -> Next {
        self.requested = Duration::ZERO;
        let (reason, retry_after) = match polled {
            Polled::Lost { reason, sent } => {
                self.lost |= sent;
                (self.count(None, reason.clone()), Duration::ZERO)
            }
            Polled::Answer(answer) => {
                let retry_after = answer.retry_after.unwrap_or_default().min(LONGEST_LIFE);
                self.requested = retry_after;
                let reading = parse_token_answer(answer, &self.answers);
                let unknown = answer.fate(Asked::Approval, &reading) == Fate::Unknown;
                let reason = match reading {
                    Reading::Tokens(tokens) => return Next::Done(tokens),
                    Reading::Useless(useless) => {
                        return Next::Failed(Failure::Useless {
                            asked: Asked::Approval,
                            useless,
                        });
                    }
                    Reading::Error(error, interval) => match self.error(error, interval, answer) {
                        Ok(Verdict::Wait(note)) => {
                            self.answered = true;
                            return Next::Wait(with_margin(self.pause.max(retry_after)), note);
                        }
                        Ok(Verdict::Failed(failure)) => return Next::Failed(failure),
                        Err(reason) => self.count(Some(answer), reason),
                    },
                    // The service rejects the client itself (RFC 6749, section 5.2), so it would reject the next poll
                    // too.
                    Reading::Neither(reason) if answer.status == 401 && !answer.is_temporary() => {
                        return Next::Failed(answer.unusable(Asked::Approval, reason));
                    }
                    // The device code is used up.
                    Reading::Neither(reason)
                        if answer.body.kind() == BodyKind::Unread
                            && (200..300).contains(&answer.status) =>
                    {
                        return Next::Failed(answer.unusable(Asked::Approval, reason));
                    }
                    Reading::Neither(_) if answer.says_later() => {
                        self.busy |= answer.status < 500 || answer.retry_after.is_some();
                        let told = answer.unavailable(answer.said()).to_string();
                        let told = told.replacen("The service", "the service", 1);
                        self.count(Some(answer), told.trim_end_matches('.').to_owned())
                    }
                    Reading::Neither(reason) => {
                        self.busy |= matches!(answer.status, 408 | 425 | 429)
                            || answer.retry_after.is_some();
                        self.count(Some(answer), format!("invalid response: {reason}"))
                    }
                };
                self.lost |= unknown;
                (reason, retry_after)
            }
        };
        // Doubles from the interval up to 30 seconds, but is never shorter than the interval.
        self.pause = (self.pause * 2).min(LONGEST_PAUSE).max(self.interval);
        Next::Wait(
            with_margin(self.pause.max(retry_after)),
            Note::Trouble(reason),
        )
    }

    /// Interprets an error; `Err` if it is only temporary trouble.
    fn error(
        &mut self,
        error: ServerError,
        interval: Option<u64>,
        answer: &Answer,
    ) -> Result<Verdict, String> {
        match error.code.as_str() {
            "authorization_pending" => {
                self.pause = self.interval;
                // The code still works, so no lost response contained the tokens.
                self.lost = false;
                Ok(Verdict::Wait(Note::Pending))
            }
            "slow_down" => {
                let named = interval.map(Duration::from_secs).unwrap_or_default();
                // As in the first response, it may be in milliseconds.
                let named = if named >= self.life && named.as_secs() >= 1000 {
                    named / 1000
                } else {
                    named
                };
                self.requested = self.requested.max(named);
                self.interval = (self.interval + SLOWER).max(named).min(LONGEST_LIFE);
                self.pause = self.interval;
                Ok(Verdict::Wait(Note::SlowDown))
            }
            // A server that is busy may say anything.
            _ if !answer.is_final(&error) => {
                self.busy = true;
                Err(error.to_string())
            }
            _ if error.is_denial() => Ok(Verdict::Failed(Failure::Denied {
                polled: true,
                error,
            })),
            _ if self.lost && self.answers.is_about_the_code(&error) => {
                Ok(Verdict::Failed(Failure::UsedUp {
                    asked: Asked::Approval,
                    error: Some(error),
                }))
            }
            _ if error.is_expiry() => Ok(Verdict::Failed(Failure::Expired)),
            _ => Ok(Verdict::Failed(Failure::Server {
                asked: Asked::Approval,
                error,
            })),
        }
    }
}

/// The effect of an error of the protocol.
enum Verdict {
    Wait(Note),
    Failed(Failure),
}

/// Adds a tenth to a pause: the clocks of virtual machines run fast, and a poll that is too early is answered with
/// `slow_down`.
fn with_margin(pause: Duration) -> Duration {
    pause + pause / 10
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
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

    fn from() -> Url {
        Url::parse("https://as.example/device").unwrap()
    }

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Returns the pause without its margin.
    fn pause(next: &Next) -> Duration {
        match next {
            Next::Wait(pause, _) => *pause * 10 / 11,
            other => panic!("{other:?}"),
        }
    }

    fn error(code: &str) -> Polled {
        Polled::Answer(answer(400, &format!(r#"{{"error":"{code}"}}"#)))
    }

    #[test]
    fn verification_url_is_accepted_under_either_name() {
        let body = r#"{"device_code":"d","user_code":"AB CD","verification_url":"https://g.example/device","expires_in":1800}"#;
        let grant = parse_grant(&answer(200, body), &Dialect::default(), &from()).unwrap();
        assert_eq!(grant.user_code, "AB CD");
        assert_eq!(grant.device_code.expose_secret(), "d");
        assert_eq!((grant.interval, grant.expires_in), (secs(5), secs(1800)));
    }

    #[test]
    fn grant_with_renamed_fields_is_read() {
        let mut dialect = Dialect::default();
        dialect.device.answer = [("device_code", "code"), ("verification_uri", "where.url")]
            .map(|(name, other)| (name.to_owned(), other.to_owned()))
            .into();
        let body = r#"{"code":"d","user_code":"u","where":{"url":"https://g.example/"}}"#;
        let grant = parse_grant(&answer(200, body), &dialect, &from()).unwrap();
        assert_eq!(grant.device_code.expose_secret(), "d");
        assert_eq!(grant.verification_uri.as_str(), "https://g.example/");
    }

    #[test]
    fn invalid_intervals_are_corrected() {
        for (given, interval) in [
            ("", 5),
            (",\"interval\":0", 5),
            (",\"interval\":-1", 5),
            (",\"interval\":\"7\"", 7),
            (",\"interval\":null", 5),
            // In milliseconds: no pause is longer than the lifetime of its code.
            (",\"expires_in\":300,\"interval\":5000", 5),
            (",\"expires_in\":300,\"interval\":400", 400),
        ] {
            let body = format!(
                r#"{{"device_code":"d","user_code":"u","verification_uri":"https://g.example/"{given}}}"#
            );
            assert_eq!(
                parse_grant(&answer(200, &body), &Dialect::default(), &from())
                    .unwrap()
                    .interval,
                secs(interval),
                "{given}"
            );
        }
    }

    #[test]
    fn invalid_lifetime_is_reported() {
        for (given, told) in [
            ("", None),
            (",\"expires_in\":null", None),
            (",\"expires_in\":600", None),
            (",\"expires_in\":0", Some("expires in 0, which")),
            (",\"expires_in\":-1", Some("expires in -1, which")),
            (
                ",\"expires_in\":\"soon\"",
                Some("expires in \"soon\", which"),
            ),
        ] {
            let body = format!(
                r#"{{"device_code":"d","user_code":"u","verification_uri":"https://g.example/"{given}}}"#
            );
            let grant = parse_grant(&answer(200, &body), &Dialect::default(), &from()).unwrap();
            let notes = grant.notes.join(" ");
            assert_eq!(notes.is_empty(), told.is_none(), "{given}: {notes}");
            assert!(notes.contains(told.unwrap_or_default()), "{notes}");
        }
    }

    #[test]
    fn unusable_device_response_says_what_is_wrong() {
        let long = |length| {
            let code = "u".repeat(length);
            format!(
                r#"{{"device_code":"d","user_code":"{code}","verification_uri":"https://g.example/"}}"#
            )
        };
        assert!(parse_grant(&answer(200, &long(60)), &Dialect::default(), &from()).is_ok());
        for (body, words) in [
            (
                long(61).as_str(),
                "user_code has 61 characters, which is too long",
            ),
            (
                r#"{"device_code":"d","user_code":"u","verification_uri":"https://a.example@b.example/d"}"#,
                "https://a.example@b.example/d, but it contains a user name",
            ),
            (
                r#"{"error":"invalid_client","error_description":"who?"}"#,
                "invalid_client: who?",
            ),
            (r#"{"device_code":"d","user_code":"u"}"#, "verification_uri"),
            (
                r#"{"device_code":"d","user_code":"u","verification_uri":"https://g.example:99999/"}"#,
                "but it is not a valid URL: invalid port number",
            ),
            (
                r#"{"device_code":"d","user_code":"u","verification_uri":"javascript:x"}"#,
                "not an https URL",
            ),
            (
                r#"{"device_code":"d","user_code":"u\u202e","verification_uri":"https://g.example/"}"#,
                "user_code",
            ),
            (
                r#"{"device_code":"d","user_code":"u\u0301","verification_uri":"https://g.example/"}"#,
                "user_code",
            ),
            (
                r#"{"user_code":"u","verification_uri":"https://g.example/"}"#,
                "device_code",
            ),
            ("<html>", "web page"),
        ] {
            let error = parse_grant(&answer(400, body), &Dialect::default(), &from())
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn remote_server_cannot_send_the_user_to_this_machine() {
        let body = |uri: &str, complete: &str| {
            serde_json::json!({
                "device_code": "d", "user_code": "u",
                "verification_uri": uri, "verification_uri_complete": complete,
            })
            .to_string()
        };
        let good = "https://as.example/device";
        for bad in [
            "http://127.0.0.1:8400/x",
            "http://localhost/x",
            "https://localhost/x",
            "https://127.0.0.1/x",
            "https://a.localhost/#x",
            "http://[::1]/x",
            "https://[::ffff:127.0.0.1]/x",
        ] {
            for (body, name) in [
                (body(bad, good), "verification_uri: "),
                (body(good, bad), "verification_uri_complete: "),
            ] {
                let error = parse_grant(&answer(200, &body), &Dialect::default(), &from())
                    .unwrap_err()
                    .to_string();
                assert!(
                    error.contains(name) && error.contains("points to this machine"),
                    "{error}"
                );
            }
            // A server on this machine may name it.
            let here = Url::parse("http://127.0.0.1:9000/device").unwrap();
            let grant = parse_grant(&answer(200, &body(bad, bad)), &Dialect::default(), &here);
            assert!(grant.unwrap().verification_uri_complete.is_some(), "{bad}");
        }
    }

    #[test]
    fn pending_keeps_interval_and_slow_down_extends_it_permanently() {
        let mut polling = Polling::new(secs(5), Answers::default());
        assert_eq!(
            pause(&polling.next(&error("authorization_pending"))),
            secs(5)
        );
        assert_eq!(pause(&polling.next(&error("slow_down"))), secs(10));
        assert_eq!(pause(&polling.next(&error("slow_down"))), secs(15));
        assert_eq!(
            pause(&polling.next(&error("authorization_pending"))),
            secs(15)
        );
        let named = Polled::Answer(answer(200, r#"{"error":"slow_down","interval":60}"#));
        assert_eq!(pause(&polling.next(&named)), secs(60));
    }

    #[test]
    fn transient_failures_double_the_pause_up_to_30_seconds() {
        let mut polling = Polling::new(secs(5), Answers::default());
        let trouble = [
            Polled::Lost {
                reason: "connection reset".to_owned(),
                sent: true,
            },
            Polled::Answer(answer(502, "<html>bad gateway</html>")),
            Polled::Answer(answer(500, "")),
            Polled::Answer(answer(200, "{\"access_tok")),
            Polled::Answer(answer(503, r#"{"error":"backend_down"}"#)),
            Polled::Answer(answer(400, r#"{"error":"temporarily_unavailable"}"#)),
        ];
        let pauses: Vec<u64> = trouble
            .iter()
            .map(|polled| pause(&polling.next(polled)).as_secs())
            .collect();
        assert_eq!(pauses, [10, 20, 30, 30, 30, 30]);
        assert_eq!(
            pause(&polling.next(&error("authorization_pending"))),
            secs(5)
        );
        assert!(matches!(
            polling.next(&Polled::Answer(answer(200, r#"{"access_token":"t"}"#))),
            Next::Done(_)
        ));
    }

    #[test]
    fn a_longer_retry_after_is_used() {
        let busy = |seconds| {
            Polled::Answer(Answer {
                status: 429,
                retry_after: Some(secs(seconds)),
                headers: Vec::new(),
                body: "slow".into(),
            })
        };
        assert_eq!(
            pause(&Polling::new(secs(5), Answers::default()).next(&busy(90))),
            secs(90)
        );
        assert_eq!(
            pause(&Polling::new(secs(5), Answers::default()).next(&busy(1))),
            secs(10)
        );
    }

    #[test]
    fn only_requested_pauses_are_reported_as_such() {
        let page = Polled::Answer(answer(200, "<html>"));
        let lost = Polled::Lost {
            reason: "connection reset".to_owned(),
            sent: true,
        };
        let later = Polled::Answer(answer(200, r#"{"error":"slow_down","interval":60}"#));
        let mut polling = Polling::new(secs(5), Answers::default());
        assert!(polling.is_paused_beyond(secs(3)));
        for (polled, requested) in [
            (page, false),
            (error("authorization_pending"), false),
            (later, true),
            (lost, false),
        ] {
            polling.next(&polled);
            for left in [30, 0] {
                let told = polling.is_paused_beyond(secs(left));
                assert_eq!(told, requested, "{left} after {polled:?}");
            }
        }
    }

    #[test]
    fn huge_retry_after_is_limited_in_every_response() {
        for body in [
            "",
            r#"{"error":"authorization_pending"}"#,
            r#"{"error":"slow_down","interval":99999999999}"#,
        ] {
            let retry_after = Some(Duration::from_secs(u64::MAX));
            let polled = Polled::Answer(Answer {
                status: 429,
                retry_after,
                headers: Vec::new(),
                body: body.into(),
            });
            assert_eq!(
                pause(&Polling::new(secs(5), Answers::default()).next(&polled)).as_secs(),
                LONGEST_LIFE.as_secs(),
                "{body}"
            );
        }
    }

    #[test]
    fn blanks_around_a_user_code_are_removed() {
        for (sent, code) in [
            (r"AB-CD\n", "AB-CD"),
            (r" AB CD\r\n", "AB CD"),
            ("AB-CD", "AB-CD"),
        ] {
            let body = format!(
                r#"{{"device_code":"d","user_code":"{sent}","verification_uri":"https://as.example/"}}"#
            );
            let grant = parse_grant(&answer(200, &body), &Dialect::default(), &from()).unwrap();
            assert_eq!(grant.user_code, code);
        }
        let blank =
            r#"{"device_code":"d","user_code":" \n","verification_uri":"https://as.example/"}"#;
        let failure = parse_grant(&answer(200, blank), &Dialect::default(), &from()).unwrap_err();
        assert!(failure.to_string().contains("no user_code"), "{failure}");
    }

    #[test]
    fn relative_url_is_completed_but_invalid_url_is_reported() {
        let read = |address: &str| {
            let body = format!(
                r#"{{"device_code":"d","user_code":12345678,"verification_uri":{address},"verification_uri_complete":"https://as.example/c"}}"#
            );
            parse_grant(&answer(200, &body), &Dialect::default(), &from())
        };
        for (address, whole, completed) in [
            (r#""/device""#, "https://as.example/device", true),
            (r#""activate?x=1""#, "https://as.example/activate?x=1", true),
            (r#""//g.example/d""#, "https://g.example/d", true),
            (r#""https://g.example/d""#, "https://g.example/d", false),
            (r#"" https://g.example/d\n""#, "https://g.example/d", false),
            ("null", "https://as.example/c", false),
            (r#""""#, "https://as.example/c", false),
        ] {
            let grant = read(address).unwrap();
            assert_eq!(grant.verification_uri.as_str(), whole);
            assert_eq!(!grant.notes.is_empty(), completed, "{address}");
            assert_eq!(grant.user_code, "12345678");
        }
        for address in [
            r#""http://idp.lan/device""#,
            r#""idp.example/device""#,
            r#""//localhost/device""#,
            r#""///""#,
            r#""javascript:x""#,
        ] {
            let failure = read(address).unwrap_err();
            let told = format!("{failure} {}", failure.hint());
            assert!(told.contains("an error of the service"), "{told}");
        }
        let none = r#"{"device_code":"d","user_code":"u","verification_uri":null}"#;
        let failure = parse_grant(&answer(200, none), &Dialect::default(), &from()).unwrap_err();
        assert!(matches!(failure, Failure::Address(_)), "{failure}");
    }

    #[test]
    fn repeated_invalid_response_names_the_url_to_check() {
        let mut polling = Polling::new(secs(5), Answers::default());
        let mut told =
            |status, body: &str| match polling.next(&Polled::Answer(answer(status, body))) {
                Next::Wait(_, Note::Trouble(reason)) => reason,
                other => panic!("{other:?}"),
            };
        assert!(!told(404, "<html>").contains("Token ex. URL"));
        let second = told(404, "<html>");
        assert!(second.contains("Check the Token ex. URL"), "{second}");
        assert!(!second.contains("firewall"), "{second}");
        told(200, "<html>");
        let page = told(200, "<html>");
        assert!(page.contains("If the URL is correct, a firewall"), "{page}");
        assert!(!told(404, "").contains("Token ex. URL"));
        assert!(!told(405, "").contains("Token ex. URL"));
        let failure = polling.expired();
        assert_eq!(
            failure.to_string(),
            "The code expired, and no poll got a valid response: invalid response: it is empty (HTTP status 405)."
        );
        assert!(failure.hint().contains("Token ex. URL"));
        polling.next(&error("authorization_pending"));
        polling.next(&Polled::Answer(answer(404, "")));
        assert_eq!(polling.expired(), Failure::Expired);
        // A URL whose response says to come back later is the right one.
        let mut polling = Polling::new(secs(5), Answers::default());
        polling.next(&Polled::Answer(answer(429, "")));
        polling.next(&Polled::Answer(answer(404, "")));
        assert_eq!(polling.expired(), Failure::Expired);
        // A service that only ever says to come back later hasn't said anything about the sign-in.
        for status in [429, 503] {
            let mut polling = Polling::new(secs(5), Answers::default());
            for _ in 0..2 {
                polling.next(&Polled::Answer(Answer {
                    retry_after: Some(secs(120)),
                    ..answer(status, "")
                }));
            }
            let failure = polling.expired();
            let told = format!("{failure} {}", failure.hint());
            assert!(
                told.contains(&format!(
                    "no poll got a valid response: the service is busy (HTTP {status})"
                )) && told.contains("Request a new code later."),
                "{told}"
            );
            polling.next(&error("authorization_pending"));
            assert_eq!(polling.expired(), Failure::Expired);
        }
        // A service that is down doesn't mean that the URL is wrong.
        let mut polling = Polling::new(secs(5), Answers::default());
        for _ in 0..2 {
            polling.next(&Polled::Answer(answer(502, "<html>")));
        }
        let hint = polling.expired().hint();
        assert!(hint.contains("later") && !hint.contains("URL"), "{hint}");
    }

    #[test]
    fn rejected_client_or_success_without_token_ends_polling() {
        for (status, body, words) in [
            (401, "", "check Client secret"),
            (401, "Client authentication failed", "check Client secret"),
            (
                200,
                r#"{"id_token":"a.b.c","token_type":"Bearer"}"#,
                "to Scope",
            ),
            (200, r#"{"access_token":"aB1 cD2"}"#, "the service"),
            (
                200,
                r#"{"access_token":"a","refresh_token":"a\u0007b"}"#,
                "the service",
            ),
        ] {
            let next = Polling::new(secs(5), Answers::default())
                .next(&Polled::Answer(answer(status, body)));
            let Next::Failed(failure) = next else {
                panic!("{body}: {next:?}")
            };
            assert!(failure.hint().contains(words), "{}", failure.hint());
        }
        for code in [
            "code_expired",
            "expired_token",
            "token_expired",
            "expired",
            "verification_expired",
            "expired_device_code",
            "invalid_grant\",\"error_description\":\"Device code expired",
        ] {
            let next = Polling::new(secs(5), Answers::default()).next(&error(code));
            assert!(matches!(next, Next::Failed(Failure::Expired)), "{code}");
        }
        for code in [
            "client_secret_expired",
            "password_expired",
            "invalid_request\",\"error_description\":\"The client secret expired (code 7)",
        ] {
            let next = Polling::new(secs(5), Answers::default()).next(&error(code));
            assert!(
                matches!(next, Next::Failed(Failure::Server { .. })),
                "{code}: {next:?}"
            );
        }
    }

    #[test]
    fn unusable_complete_link_is_ignored() {
        for complete in [
            serde_json::json!(""),
            serde_json::json!(" "),
            serde_json::json!("null"),
            serde_json::json!("N/A"),
            serde_json::json!(5),
            serde_json::json!(null),
        ] {
            let body = serde_json::json!({
                "device_code": "d", "user_code": "AB-CD", "verification_uri": "https://as.example/d",
                "verification_uri_complete": complete, "verification_url_complete": "https://as.example/d?user_code=AB-CD",
            });
            let grant = |body: &serde_json::Value| {
                parse_grant(
                    &answer(200, &body.to_string()),
                    &Dialect::default(),
                    &from(),
                )
            };
            let link = grant(&body).unwrap().verification_uri_complete.unwrap();
            assert_eq!(link.query(), Some("user_code=AB-CD"));
            let mut without = body.clone();
            without
                .as_object_mut()
                .unwrap()
                .remove("verification_url_complete");
            let link = grant(&without).unwrap().verification_uri_complete;
            assert!(link.is_none(), "{complete}: {link:?}");
            without["verification_uri"] = complete.clone();
            let failure = grant(&without).unwrap_err().to_string();
            assert!(failure.contains("verification_uri"), "{failure}");
        }
    }

    #[test]
    fn each_final_error_ends_polling_with_its_own_failure() {
        let after = |code| Polling::new(secs(5), Answers::default()).next(&error(code));
        assert!(matches!(
            after("access_denied"),
            Next::Failed(Failure::Denied { .. })
        ));
        for code in ["authorization_declined", "user_denied", "Access denied."] {
            let next = after(code);
            assert!(
                matches!(next, Next::Failed(Failure::Denied { .. })),
                "{code}"
            );
        }
        assert!(matches!(
            after("expired_token"),
            Next::Failed(Failure::Expired)
        ));
        assert!(matches!(
            after("invalid_client"),
            Next::Failed(Failure::Server { .. })
        ));
    }

    #[test]
    fn first_wait_is_at_most_a_fifth_longer() {
        for seconds in [1, 5, 7, 60] {
            let first = Polling::new(secs(seconds), Answers::default()).first();
            assert!(first >= secs(seconds) && first <= secs(seconds) * 6 / 5);
        }
    }

    #[test]
    fn poll_ends_once_the_tokens_came_in_a_form_that_is_not_read() {
        for body in [
            r#"{"accessToken":"a"}"#,
            r#"{"data":{"access_token":"a"}}"#,
            "Notice: x\n{\"access_token\":\"a\"}",
        ] {
            let mut polling = Polling::new(secs(5), Answers::default());
            let next = polling.next(&Polled::Answer(answer(200, body)));
            let Next::Failed(failure) = next else {
                panic!("{next:?}")
            };
            assert!(
                failure.hint().contains("The URL is probably right"),
                "{failure}"
            );
        }
        let mut polling = Polling::new(secs(5), Answers::default());
        let next = polling.next(&Polled::Answer(answer(200, "{\"access_token\":")));
        assert!(matches!(next, Next::Wait(..)), "{next:?}");
    }
}
