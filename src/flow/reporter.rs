//! Reports the events of an attempt, with its secrets redacted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::Url;

use super::attempt::AttemptId;
use super::event::FlowEvent;
use super::http::{Http, NOT_IN_TIME, Transport};
use super::http_error::HttpError;
use super::redact::Secrets;
use super::trace::Exchange;
use crate::clock::unix_time;
use crate::oauth::answer::Answer;
use crate::oauth::authcode::Callback;
use crate::oauth::check::Check;
use crate::oauth::failure::Failure;
use crate::oauth::jose::KeyError;
use crate::oauth::request::Request;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::read as file;

/// An event, with the number of its attempt.
pub type Report = (AttemptId, FlowEvent);

/// Reports the events of one attempt.
pub(super) struct Reporter {
    attempt: AttemptId,
    reports: mpsc::Sender<Report>,
    /// The secrets of the attempt, which are redacted in all reports.
    secrets: Mutex<Secrets>,
    tasks: TaskTracker,
}

impl Reporter {
    pub(super) fn new(
        attempt: AttemptId,
        reports: mpsc::Sender<Report>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            attempt,
            reports,
            secrets: Mutex::default(),
            tasks,
        }
    }

    /// Returns the background tasks that end with the attempt.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Reports an event, with the secrets of the attempt redacted from its texts.
    pub(super) async fn report(&self, mut event: FlowEvent) {
        match &mut event {
            // Scopes may contain any words, so only the tokens themselves are redacted.
            FlowEvent::Tokens(tokens) => {
                let mut secrets = Secrets::default();
                for token in tokens.secrets() {
                    secrets.remember(token.expose_secret());
                }
                secrets.redact(&mut tokens.texts());
            }
            event => self.secrets().redact(&mut event.texts()),
        }
        // The receiver is gone only when the program is exiting.
        let _ = self.reports.send((self.attempt, event)).await;
    }

    pub(super) async fn check(&self, check: Check) {
        self.report(FlowEvent::Check(check)).await;
    }

    pub(super) async fn checks(&self, checks: impl IntoIterator<Item = Check>) {
        for check in checks {
            self.check(check).await;
        }
    }

    /// Reports the checks of new tokens.
    ///
    /// # Errors
    /// Returns an error if the ID token doesn't belong to this sign-in.
    pub(super) async fn token_checks(
        &self,
        checks: Result<Vec<Check>, Check>,
    ) -> Result<(), Failure> {
        match checks {
            Ok(checks) => {
                self.checks(checks).await;
                Ok(())
            }
            Err(check) => {
                let failure = check.failure();
                self.check(check).await;
                Err(failure)
            }
        }
    }

    /// Sends a request, with a new assertion if it needs one. Reports the exchange, redacted.
    pub(super) async fn send(
        &self,
        transport: &impl Transport,
        request: &Request,
    ) -> Result<Answer, HttpError> {
        let signed = signed(request).await.map_err(|error| HttpError::Unsigned {
            reason: error.to_string(),
        })?;
        let request = signed.as_ref().unwrap_or(request);
        let begin = Instant::now();
        let outcome = transport.send(request).await;
        let entry = {
            let mut secrets = self.secrets();
            secrets.remember_sent(request);
            if let Ok(answer) = &outcome
                && let Some(members) = answer.body.members()
            {
                secrets.consider_answer(members);
            }
            Exchange::sent(request, &outcome, begin.elapsed(), &secrets)
        };
        self.report(FlowEvent::Exchange(entry)).await;
        outcome
    }

    /// Gets a document and reports the exchange.
    pub(super) async fn get(&self, http: &Http, url: &Url) -> Result<Answer, HttpError> {
        let begin = Instant::now();
        let outcome = http.get(url).await;
        let entry = Exchange::got(url, &outcome, begin.elapsed());
        self.report(FlowEvent::Exchange(entry)).await;
        outcome
    }

    /// Reports a callback, redacted.
    pub(super) async fn callback(&self, source: &str, query: &str, callback: &Callback) {
        let entry = {
            let mut secrets = self.secrets();
            secrets.consider_query(query);
            if let Callback::Code(arrived) = callback {
                secrets.remember(arrived.code.expose_secret());
            }
            let rejected = !matches!(callback, Callback::Code(_) | Callback::Ended(_));
            Exchange::callback(source, query, verdict(callback), rejected, &secrets)
        };
        self.report(FlowEvent::Exchange(entry)).await;
    }

    /// Redacts the user code and its halves in all further reports.
    pub(super) fn remember_user_code(&self, code: &str) {
        self.secrets().remember_user_code(code);
    }

    /// Redacts these secrets in all further reports.
    pub(super) fn remember<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        let mut known = self.secrets();
        for secret in secrets {
            known.remember(secret.expose_secret());
        }
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        // A panic can't leave the secrets in an inconsistent state.
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the request with a new assertion, or `None` if it needs no assertion.
async fn signed(request: &Request) -> Result<Option<Request>, KeyError> {
    if !request.signs_elsewhere() {
        return request.signed(unix_time());
    }
    // A device may take a while to sign. Nothing else may wait for it.
    let request = request.clone();
    let signed = file::aside(move || request.signed(unix_time())).await;
    signed.unwrap_or_else(|error| {
        Err(KeyError::Elsewhere(match error {
            file::ReadError::TooSlow => NOT_IN_TIME.to_owned(),
            error => format!("The private key can't be used: {error}."),
        }))
    })
}

fn verdict(callback: &Callback) -> &str {
    match callback {
        Callback::Code(..) => "taken",
        Callback::Ended(_) => "the service ended the sign-in",
        Callback::NotOurs(reason) | Callback::Invalid(reason) => reason,
        Callback::Unverified(_) => "an unverified error",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::flow::event::FlowError;
    use crate::flow::scripted::{client, reporter, url};
    use crate::flow::tool_report::{Outcome, Revoked, Told, ToolError, Verified};
    use crate::oauth::asked::Asked;
    use crate::oauth::authcode::parse_callback;
    use crate::oauth::check::{CheckName, Outcome as Came};
    use crate::oauth::device::Note;
    use crate::oauth::failure::ServerError;
    use crate::oauth::id_token_problem::IdTokenProblem;
    use crate::oauth::tool_failure::ToolFailure;
    use crate::oauth::tools::{TokenKind, Tool};

    const SECRET: &str = "s3cr3t-abcdef";

    fn words() -> String {
        format!("the code {SECRET} is wrong")
    }

    fn check() -> Check {
        Check::new(CheckName::Signature, Came::Failed, words())
    }

    /// Creates each kind of error that may repeat a service's words.
    fn errors() -> Vec<FlowError> {
        let asked = Asked::Exchange;
        let server = || Failure::Server {
            asked,
            error: ServerError::new(SECRET, Some(&words())),
        };
        vec![
            server().into(),
            Failure::IdToken {
                problem: IdTokenProblem::SignIn,
                reason: words(),
            }
            .into(),
            redirected().into(),
            FlowError::Lost(Box::new(server().into())),
            FlowError::LostRefresh(Box::new(server().into())),
            FlowError::Discovery {
                issuer: "https://as.example".to_owned(),
                reason: words(),
                instead: Some(format!("https://as.example/{SECRET}")),
                mismatch: false,
            },
        ]
    }

    fn redirected() -> HttpError {
        HttpError::Redirected {
            host: "as.example".to_owned(),
            target: format!("/{SECRET}"),
            error: Some(words()),
        }
    }

    /// Creates each result of a request about tokens that may repeat a service's words.
    fn results() -> Vec<Result<Outcome, ToolError>> {
        let failure = || ToolFailure::Unusable {
            tool: Tool::Revocation,
            reason: words(),
        };
        let revoked = [
            Ok(Verified::Unknown(words())),
            Err(failure().into()),
            Err(redirected().into()),
        ];
        let revoked = revoked.map(|outcome| Revoked {
            kind: TokenKind::Access,
            outcome,
        });
        vec![
            Err(failure().into()),
            Err(redirected().into()),
            Ok(Outcome::Revoked(revoked.into())),
            Ok(Outcome::Verified {
                access: Some(check()),
                id: Some(check()),
            }),
        ]
    }

    /// Returns the whole text of an event, which `Debug` doesn't show.
    fn shown(event: &FlowEvent) -> String {
        match event {
            FlowEvent::Polled { note, .. } => format!("{note:?}"),
            FlowEvent::NotOurs(text)
            | FlowEvent::PasteRefused(text)
            | FlowEvent::Trouble(text)
            | FlowEvent::Note(text) => text.clone(),
            FlowEvent::Unverified(error) => format!("{error:?}"),
            FlowEvent::Check(check) => format!("{check:?}"),
            FlowEvent::Failed(error) => format!("{error} {}", error.hint()),
            FlowEvent::Tool(told) => format!("{told:?}"),
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn reports_never_repeat_secrets() {
        let (reporter, told) = reporter();
        reporter.remember([&SECRET.into()]);
        let mut events = vec![
            FlowEvent::Polled {
                times: 1,
                note: Note::Trouble(words()),
                pause: Duration::ZERO,
            },
            FlowEvent::NotOurs(words()),
            FlowEvent::PasteRefused(words()),
            FlowEvent::Trouble(words()),
            FlowEvent::Note(words()),
            FlowEvent::Unverified(ServerError::new(SECRET, Some(&words()))),
            FlowEvent::Check(check()),
        ];
        events.extend(errors().into_iter().map(FlowEvent::Failed));
        events.extend(results().into_iter().map(|outcome| {
            let took = Duration::ZERO;
            FlowEvent::Tool(Box::new(Told { outcome, took }))
        }));
        let count = events.len();
        for event in events {
            assert!(shown(&event).contains(SECRET), "{event:?}");
            reporter.report(event).await;
        }
        drop(reporter);
        let told = told.await.unwrap();
        assert_eq!(told.len(), count);
        for event in &told {
            let text = shown(event);
            assert!(
                text.contains("[redacted, ") && !text.contains("s3cr3t"),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn halves_of_a_user_code_are_redacted() {
        let (reporter, told) = reporter();
        reporter.remember_user_code("WDJB-MJHT");
        let text = "first WDJB, then MJHT".to_owned();
        reporter.report(FlowEvent::Trouble(text)).await;
        drop(reporter);
        let told = told.await.unwrap();
        assert_eq!(
            shown(&told[0]),
            "first [redacted, 4 chars], then [redacted, 4 chars]"
        );
    }

    #[tokio::test]
    async fn tokens_that_fail_a_check_are_refused_and_reported() {
        let passed = Check::new(CheckName::IdToken, Came::Passed, "alice");
        let problem = IdTokenProblem::SignIn;
        let failed = Check::rejected(CheckName::IdToken, problem, "it is for mallory");
        for (checks, reported, outcome) in [
            (Ok(vec![passed.clone()]), passed, Ok(())),
            (
                Err(failed.clone()),
                failed,
                Err(Failure::IdToken {
                    problem,
                    reason: "it is for mallory".to_owned(),
                }),
            ),
        ] {
            let (reporter, told) = reporter();
            assert_eq!(reporter.token_checks(checks).await, outcome);
            drop(reporter);
            let told = told.await.unwrap();
            let [FlowEvent::Check(check)] = &told[..] else {
                unreachable!("{told:?}")
            };
            assert_eq!(check, &reported);
        }
    }

    #[tokio::test]
    async fn trace_shows_each_callback_with_its_verdict() {
        let client = client();
        let (_, pending) = client.authorization_request(&url().into()).unwrap();
        let state = pending.state.expose_secret();
        for (query, verdict) in [
            (format!("code={SECRET}&state={state}"), "taken"),
            (
                format!("error=access_denied&state={state}"),
                "the service ended the sign-in",
            ),
            (
                format!("code={SECRET}&state=forged"),
                "it is from a different sign-in (state mismatch)",
            ),
            ("error=access_denied".to_owned(), "an unverified error"),
        ] {
            let (reporter, told) = reporter();
            let callback = parse_callback(&query, &pending, &client);
            let way = "GET, from the browser";
            reporter.callback(way, &query, &callback).await;
            // An accepted code stays redacted, even after another callback arrives.
            reporter.secrets().consider_query("");
            reporter.report(FlowEvent::Trouble(words())).await;
            drop(reporter);
            let told = told.await.unwrap();
            let [FlowEvent::Exchange(exchange), FlowEvent::Trouble(later)] = &told[..] else {
                unreachable!("{told:?}")
            };
            assert_eq!(exchange.head(), (way, verdict));
            let lines = exchange.lines().join("\n");
            assert!(
                !lines.contains("s3cr3t") && !lines.contains(state),
                "{lines}"
            );
            assert!(verdict != "taken" || !later.contains("s3cr3t"), "{later}");
        }
    }
}
