//! Reports the events of an attempt, without its secrets.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::Url;

use super::attempt::AttemptId;
use super::clock::unix_time;
use super::event::FlowEvent;
use super::http::{Http, HttpError, Transport};
use super::redact::Secrets;
use super::trace::Exchange;
use crate::oauth::answer::Answer;
use crate::oauth::authcode::Callback;
use crate::oauth::check::Check;
use crate::oauth::client::Request;
use crate::oauth::failure::Failure;
use crate::oauth::jose::KeyError;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::read as file;

/// An event, with the number of the attempt that it belongs to.
pub type Report = (AttemptId, FlowEvent);

/// Reports the events of one attempt.
pub(super) struct Reporter {
    attempt: AttemptId,
    reports: mpsc::Sender<Report>,
    /// Secrets of the attempt, redacted in all reports.
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

    /// Background tasks that end with the attempt.
    pub(super) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// Reports an event. Its texts repeat no secret of the attempt.
    pub(super) async fn report(&self, mut event: FlowEvent) {
        match &mut event {
            // Scopes may hold any words, so only the tokens themselves are looked for.
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
    /// If the ID token doesn't belong to this sign-in.
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
                let reason = check.detail.clone();
                self.check(check).await;
                Err(Failure::IdToken(reason))
            }
        }
    }

    /// Sends a request, with a new assertion if it needs one, and reports the exchange, redacted.
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
            let rejected = matches!(callback, Callback::NotOurs(_) | Callback::Unverified(_));
            Exchange::callback(source, query, verdict(callback), rejected, &secrets)
        };
        self.report(FlowEvent::Exchange(entry)).await;
    }

    /// Redacts the user code and its halves in all reports from here on.
    pub(super) fn remember_user_code(&self, code: &str) {
        self.secrets().remember_user_code(code);
    }

    /// Redacts these secrets in all reports from here on.
    pub(super) fn remember<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        let mut known = self.secrets();
        for secret in secrets {
            known.remember(secret.expose_secret());
        }
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        // A panic cannot leave them half changed.
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request with a new assertion, if it needs one.
async fn signed(request: &Request) -> Result<Option<Request>, KeyError> {
    if !request.signs_elsewhere() {
        return request.signed(unix_time());
    }
    // A device may take its time to sign, and nothing else waits for it.
    let request = request.clone();
    let signed = file::aside(move || request.signed(unix_time())).await;
    signed.unwrap_or_else(|error| {
        Err(KeyError::Elsewhere(match error {
            file::ReadError::TooSlow => "The private key did not sign in time.".to_owned(),
            error => format!("The private key can't be used: {error}."),
        }))
    })
}

fn verdict(callback: &Callback) -> &str {
    match callback {
        Callback::Code(..) => "taken",
        Callback::Ended(_) => "the service ended the sign-in",
        Callback::NotOurs(reason) => reason,
        Callback::Unverified(_) => "an unverified error",
    }
}
