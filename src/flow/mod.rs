//! The engine: runs a flow as a background task that reports [`FlowEvent`]s.
//!
//! It knows no screen. What to send and what an answer means is decided in `oauth`; here it is sent,
//! waited and listened.

#[cfg(test)]
mod contract;
pub mod event;
pub mod http;
#[cfg(windows)]
pub(crate) mod httpsys;
pub mod listener;
pub mod pages;
pub mod redact;
pub mod trace;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::event::{FlowError, FlowEvent, Step};
use self::http::{Http, HttpError, Transport};
use self::listener::{Listener, News};
use self::pages::Page;
use self::redact::{Secrets, Strictness};
use self::trace::Exchange;
use crate::certificate;
use crate::oauth::answer::Answer;
use crate::oauth::authcode::{Arrived, Callback, read_callback, read_paste};
use crate::oauth::check::{Check, CheckName, Outcome};
use crate::oauth::client::{Client, FlowKind, Pending, Request, Unfit};
use crate::oauth::device::{DeviceGrant, Next, Polled, Polling, read_grant};
use crate::oauth::discovery::{Metadata, addresses, read_metadata};
use crate::oauth::failure::{Asked, Failure, ServerError};
use crate::oauth::id_token::{Claims, Expected, decode};
use crate::oauth::token::{Reading, TokenSet, read};
use crate::oauth::url::endpoint;
use crate::request::{FlowRequest, Issuer};
use crate::secret::{ExposeSecret, SecretString, clean};

/// How long an attempt that was cancelled may take to let go of its port.
const LET_GO: Duration = Duration::from_secs(3);

/// An event with the number of the attempt that it belongs to.
pub type Report = (u64, FlowEvent);

/// For how long an exchange is tried again when the server is not reached: the code does not live long.
const EXCHANGE_TRIES: Duration = Duration::from_secs(45);

/// What to run.
#[derive(Debug)]
pub enum Job {
    /// The flow that the request names.
    Authorize(FlowRequest),
    /// New tokens for the ones at hand.
    Refresh(FlowRequest, Box<TokenSet>),
    /// The metadata of an issuer.
    Discover(Issuer),
}

/// A run under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Flow {
    cancel: CancellationToken,
    pastes: mpsc::Sender<SecretString>,
    task: JoinHandle<()>,
}

impl Drop for Flow {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

impl Flow {
    /// Starts a run, after the attempt `before` has let go of its port.
    #[must_use]
    pub fn start(
        job: Job,
        attempt: u64,
        before: Option<Self>,
        reports: mpsc::Sender<Report>,
    ) -> Self {
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let (pastes, inbox) = mpsc::channel(4);
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.end().await;
            }
            let tasks = TaskTracker::new();
            let reporter = Reporter {
                attempt,
                reports,
                secrets: Mutex::default(),
                tasks: tasks.clone(),
            };
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = run(job, inbox, &reporter) => {}
            }
            // The port is free when the listener's own tasks have ended as well.
            tasks.close();
            tasks.wait().await;
        });
        Self {
            cancel,
            pastes,
            task,
        }
    }

    /// Hands over what the person pasted in place of the browser's return. False where earlier pastes are still
    /// being looked at.
    #[must_use]
    pub fn paste(&self, text: SecretString) -> bool {
        self.pastes.try_send(text).is_ok()
    }

    /// Waits until a paste can be handed over; `None` once there is nobody to take it.
    pub async fn room_for_a_paste(&self) -> Option<mpsc::Permit<'_, SecretString>> {
        self.pastes.reserve().await.ok()
    }

    /// Cancels the run. The next one waits until this has let go of its port.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    async fn end(mut self) {
        self.cancel.cancel();
        if tokio::time::timeout(LET_GO, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

struct Reporter {
    attempt: u64,
    reports: mpsc::Sender<Report>,
    /// What of this run must not be repeated to anyone.
    secrets: Mutex<Secrets>,
    /// What the attempt started beside itself.
    tasks: TaskTracker,
}

impl Reporter {
    async fn tell(&self, event: FlowEvent) {
        // Nobody listens any more only when the program is ending.
        let _ = self.reports.send((self.attempt, event)).await;
    }

    async fn check(&self, name: CheckName, outcome: Outcome, detail: impl Into<String>) {
        self.tell(FlowEvent::Check(Check::new(name, outcome, detail)))
            .await;
    }
}

impl Reporter {
    /// Sends a request, and reports the exchange without its secrets. What the answer says to people repeats none either.
    async fn post(
        &self,
        transport: &impl Transport,
        request: &Request,
    ) -> Result<Answer, HttpError> {
        let begin = Instant::now();
        let mut outcome = transport.post(request).await;
        let entry = {
            let mut known = self.secrets();
            known.redact_outcome(request, &mut outcome);
            Exchange::posted(request, &outcome, begin.elapsed(), &known)
        };
        self.tell(FlowEvent::Exchange(entry)).await;
        outcome
    }

    /// Reports a callback without its secrets.
    async fn callback(&self, way: &str, query: &str, callback: &Callback) {
        let rejected = matches!(callback, Callback::NotOurs(_));
        let verdict = verdict(callback);
        let entry = Exchange::callback(way, query, verdict, rejected, &self.secrets());
        self.tell(FlowEvent::Exchange(entry)).await;
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        // What a panic left of them is still whole.
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps these out of all that is reported from now on.
    fn remember<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        let mut known = self.secrets();
        for secret in secrets {
            known.remember(secret.expose_secret());
        }
    }
}

async fn run(job: Job, pastes: mpsc::Receiver<SecretString>, reporter: &Reporter) {
    match &job {
        Job::Authorize(request) => reporter.remember(&request.client.secret),
        Job::Refresh(request, tokens) => {
            reporter.remember(&request.client.secret);
            reporter.remember([&tokens.access_token]);
            reporter.remember(tokens.refresh_token.iter().chain(&tokens.id_token));
        }
        Job::Discover(_) => {}
    }
    let outcome = match &job {
        Job::Authorize(request) => match request.kind {
            FlowKind::DeviceCode => device_code(request, reporter).await,
            FlowKind::AuthorizationCode => authorization_code(request, pastes, reporter).await,
        },
        Job::Refresh(request, tokens) => refresh(request, tokens, reporter).await,
        Job::Discover(issuer) => {
            let end = match discover(issuer, reporter).await {
                Ok(metadata) => FlowEvent::Metadata(Box::new(metadata)),
                Err(error) => FlowEvent::Failed(error),
            };
            reporter.tell(end).await;
            return;
        }
    };
    reporter
        .tell(match outcome {
            Ok(tokens) => FlowEvent::Tokens(Box::new(tokens)),
            Err(error) => FlowEvent::Failed(error),
        })
        .await;
}

/// RFC 8414 and OpenID Connect Discovery: the first address that answers with the right issuer counts.
async fn discover(issuer: &Issuer, reporter: &Reporter) -> Result<Metadata, FlowError> {
    let failed = |reason: String| FlowError::Discovery {
        issuer: clean(&issuer.name, 120),
        reason,
    };
    let url = endpoint(&issuer.name).map_err(|problem| failed(problem.to_string()))?;
    let http = Http::new(issuer.ca_file.as_deref())?;
    let mut reasons: Vec<String> = Vec::new();
    for address in addresses(&url) {
        let begin = Instant::now();
        let outcome = http.get(&address).await;
        reporter
            .tell(FlowEvent::Exchange(Exchange::got(
                &address,
                &outcome,
                begin.elapsed(),
                &Secrets::default(),
            )))
            .await;
        let reason = match outcome {
            Ok(answer) => match read_metadata(&answer, issuer.expected(), &address) {
                Ok(metadata) => return Ok(metadata),
                Err(reason) => reason,
            },
            // The other addresses are on the same host.
            Err(HttpError::Redirected { host, target }) => {
                format!(
                    "{host} redirects to {target}, and metadata counts only at the issuer's own address"
                )
            }
            Err(error @ HttpError::TooLarge { .. }) => {
                error.to_string().trim_end_matches('.').to_owned()
            }
            Err(error) => return Err(error.into()),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Err(failed(reasons.join("; ")))
}

/// RFC 8628.
async fn device_code(request: &FlowRequest, reporter: &Reporter) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::new(request.ca_file.as_deref())?;
    reporter.tell(FlowEvent::Began(Step::DeviceCode)).await;
    let begin = Instant::now();
    let asking = client.device_request()?;
    let answer = reporter.post(&http, &asking).await?;
    let grant = read_grant(&answer, &client.dialect, &asking.url)?;
    // The code lives from now on; the answer may have been under way for a while.
    let start = Instant::now();
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    check_tls(client, FlowKind::DeviceCode, reporter).await;
    reporter
        .tell(FlowEvent::DeviceCode {
            user_code: grant.user_code.clone(),
            verification_uri: grant.verification_uri.clone(),
            complete: grant.verification_uri_complete.clone(),
            expires_in: grant.expires_in,
        })
        .await;
    reporter.tell(FlowEvent::Began(Step::Approval)).await;
    let tokens = approval(&http, client, &grant, start, reporter).await?;
    reporter.tell(FlowEvent::Done(start.elapsed())).await;
    for name in [CheckName::State, CheckName::Issuer] {
        reporter
            .check(name, Outcome::NotApplicable, "no browser comes back here")
            .await;
    }
    reporter
        .check(
            CheckName::Pkce,
            Outcome::NotApplicable,
            "not part of this flow",
        )
        .await;
    check_tokens(client, &tokens, None, reporter).await?;
    Ok(tokens)
}

/// Asks until the person has approved or refused, or the code has expired.
async fn approval(
    transport: &impl Transport,
    client: &Client,
    grant: &DeviceGrant,
    start: Instant,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let mut polling = Polling::new(grant.interval, client.dialect.answers.clone());
    let mut pause = polling.first();
    let mut times = 0;
    loop {
        let left = grant.expires_in.saturating_sub(start.elapsed());
        tokio::time::sleep(pause.min(left)).await;
        if pause >= left {
            return Err(Failure::Expired.into());
        }
        let request = client.approval_request(&grant.device_code, &grant.user_code)?;
        let polled = match reporter.post(transport, &request).await {
            Ok(answer) => Polled::Answer(answer),
            Err(error) => Polled::Lost(error.to_string()),
        };
        times += 1;
        match polling.next(&polled) {
            Next::Wait(next, note) => {
                pause = next;
                reporter.tell(FlowEvent::Polled { times, note }).await;
            }
            Next::Done(tokens) => return Ok(*tokens),
            Next::Failed(failure) => return Err(failure.into()),
        }
    }
}

/// RFC 6749, section 4.1, for a native application (RFC 8252).
async fn authorization_code(
    request: &FlowRequest,
    mut pastes: mpsc::Receiver<SecretString>,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::new(request.ca_file.as_deref())?;
    let redirect_url = request.redirect_url.as_ref().ok_or(Unfit::REDIRECT_URL)?;
    let files = request.certificate.as_ref();
    let here = listener::can_be_here(
        redirect_url,
        request.listen,
        request.listener,
        files.is_some(),
    );
    let mut listener = if here {
        reporter.tell(FlowEvent::Began(Step::Listen)).await;
        let begin = Instant::now();
        let certificate = match files {
            Some(files) => {
                let host = redirect_url.host_str().unwrap_or_default();
                Some(certificate::load(files, host, SystemTime::now())?)
            }
            None => None,
        };
        let listener = Listener::bind(
            redirect_url,
            request.listen,
            request.listener,
            certificate.as_ref(),
            &reporter.tasks,
        )
        .await?;
        reporter.tell(FlowEvent::Done(begin.elapsed())).await;
        Some(listener)
    } else {
        // What the browser comes back to can still be pasted.
        None
    };
    let redirect_url = listener
        .as_ref()
        .map_or(redirect_url, Listener::redirect_url)
        .clone();
    let (url, pending) = client.authorization_request(&redirect_url)?;
    reporter.remember([&pending.state]);
    reporter.remember(pending.nonce.iter().chain(&pending.verifier));
    let listening = listener.as_ref().map(Listener::places).unwrap_or_default();
    let certificate = listener.as_ref().and_then(Listener::certificate);
    reporter
        .tell(FlowEvent::SignIn {
            url,
            redirect_url,
            listening,
            certificate: certificate.cloned().map(Box::new),
        })
        .await;
    let arrived = loop {
        reporter.tell(FlowEvent::Began(Step::SignIn)).await;
        let begin = Instant::now();
        let arrived = match arrival(&mut listener, &mut pastes, &pending, client, reporter).await {
            Ok(arrived) => arrived,
            Err(error) => {
                finish(listener).await;
                return Err(error);
            }
        };
        reporter.tell(FlowEvent::Done(begin.elapsed())).await;
        let certain = arrived
            .checks
            .iter()
            .any(|check| check.name == CheckName::State && check.outcome == Outcome::Passed);
        if certain {
            break arrived;
        }
        // A code that was pasted alone may be anything: only the service knows, and the wait goes on meanwhile.
        match exchange(&http, client, &arrived, &pending, reporter).await {
            Err(FlowError::Protocol(Failure::Server { error, .. }))
                if error.code == "invalid_grant" =>
            {
                reporter
                    .tell(FlowEvent::PasteRefused(format!(
                        "the service does not know this code ({error})"
                    )))
                    .await;
            }
            outcome => {
                for check in arrived.checks {
                    reporter.tell(FlowEvent::Check(check)).await;
                }
                finish(listener).await;
                return outcome;
            }
        }
    };
    for check in &arrived.checks {
        reporter.tell(FlowEvent::Check(check.clone())).await;
    }
    // The answer to the browser goes out while the code is exchanged.
    let (tokens, ()) = tokio::join!(
        exchange(&http, client, &arrived, &pending, reporter),
        finish(listener)
    );
    tokens
}

async fn finish(listener: Option<Listener>) {
    if let Some(listener) = listener {
        listener.finish().await;
    }
}

/// Waits for the answer to this sign-in, from the browser or pasted: the first valid one counts. Nothing
/// else ends the wait.
async fn arrival(
    listener: &mut Option<Listener>,
    pastes: &mut mpsc::Receiver<SecretString>,
    pending: &Pending,
    client: &Client,
    reporter: &Reporter,
) -> Result<Arrived, FlowError> {
    loop {
        let (callback, browser) = tokio::select! {
            news = next_news(listener) => match news {
                News::Stray(stray) => {
                    reporter.tell(FlowEvent::Stray(stray)).await;
                    continue;
                }
                News::Arrival(arrival) => {
                    let query = arrival.query.expose_secret();
                    let callback = redacted(read_callback(query, pending, client), query, reporter);
                    reporter.callback("GET, from the browser", query, &callback).await;
                    (callback, Some(arrival.answer))
                }
            },
            Some(paste) = pastes.recv() => {
                let text = paste.expose_secret().trim();
                let query = text.split_once('?').map_or(text, |(_, query)| query);
                let callback = redacted(read_paste(paste.expose_secret(), pending, client), query, reporter);
                reporter.callback("Pasted", query, &callback).await;
                (callback, None)
            }
        };
        let pasted = browser.is_none();
        // A browser that has gone does not change what it brought.
        let answer = |page| browser.map(|browser| browser.send(page));
        match callback {
            Callback::Code(arrived) => {
                answer(Page::Received);
                return Ok(arrived);
            }
            Callback::Ended(failure) => {
                answer(Page::Refused);
                return Err(failure.into());
            }
            Callback::NotOurs(reason) if pasted => {
                reporter.tell(FlowEvent::PasteRefused(reason)).await;
            }
            Callback::NotOurs(reason) => {
                answer(Page::NotOurs);
                reporter.tell(FlowEvent::NotOurs(reason)).await;
            }
        }
    }
}

/// The same with words that repeat no secret of the run or of the callback itself.
fn redacted(mut callback: Callback, query: &str, reporter: &Reporter) -> Callback {
    let mut secrets = reporter.secrets().clone();
    secrets.add_parameters(query, Strictness::Likely);
    let redact = |error: &mut ServerError| {
        let mut texts = vec![&mut error.code];
        texts.extend(&mut error.description);
        secrets.redact(&mut texts);
    };
    match &mut callback {
        Callback::Ended(Failure::Denied { error, .. } | Failure::Callback(error)) => redact(error),
        Callback::NotOurs(reason) => secrets.redact(&mut [reason]),
        Callback::Code(_) | Callback::Ended(_) => {}
    }
    callback
}

/// What comes in next; never, where nothing listens.
async fn next_news(listener: &mut Option<Listener>) -> News {
    if let Some(listener) = listener
        && let Some(news) = listener.next().await
    {
        return news;
    }
    std::future::pending().await
}

fn verdict(callback: &Callback) -> &str {
    match callback {
        Callback::Code(..) => "taken",
        Callback::Ended(_) => "the service ended the sign-in",
        Callback::NotOurs(reason) => reason,
    }
}

async fn exchange(
    http: &Http,
    client: &Client,
    arrived: &Arrived,
    pending: &Pending,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    reporter.tell(FlowEvent::Began(Step::Exchange)).await;
    let begin = Instant::now();
    let token_url = arrived.token_url.as_ref().unwrap_or(&client.token_url);
    let request = client.exchange_request(token_url, &arrived.code, pending)?;
    let mut pause = Duration::from_secs(1);
    let mut tokens = loop {
        let (error, asked_for) = match reporter.post(http, &request).await {
            Ok(answer) => {
                let asked_for = answer.retry_after.unwrap_or_default();
                match read(&answer, &client.dialect.answers) {
                    Reading::Neither(reason) if answer.is_busy() => (
                        FlowError::from(Failure::Unusable {
                            asked: Asked::Exchange,
                            reason,
                        }),
                        asked_for,
                    ),
                    Reading::Error(error, _) if !answer.is_final(&error) => (
                        Failure::Server {
                            asked: Asked::Exchange,
                            error,
                        }
                        .into(),
                        asked_for,
                    ),
                    reading => break tokens(Asked::Exchange, reading)?,
                }
            }
            Err(error @ (HttpError::Unreachable { .. } | HttpError::TimedOut { .. })) => {
                (error.into(), Duration::ZERO)
            }
            Err(error) => return Err(error.into()),
        };
        let wait = pause.max(asked_for);
        if begin.elapsed().saturating_add(wait) >= EXCHANGE_TRIES {
            return Err(error);
        }
        // The code is still good, and there is no other.
        reporter.tell(FlowEvent::Trouble(error.to_string())).await;
        tokio::time::sleep(wait).await;
        pause *= 2;
    };
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    check_tls(client, FlowKind::AuthorizationCode, reporter).await;
    if pending.verifier.is_some() {
        reporter
            .check(
                CheckName::Pkce,
                Outcome::Passed,
                "S256; sent with the request and with the exchange",
            )
            .await;
    } else {
        reporter
            .check(CheckName::Pkce, Outcome::NotChecked, "switched off")
            .await;
    }
    check_tokens(client, &tokens, pending.nonce.as_ref(), reporter).await?;
    tokens.kept.extend(arrived.kept.iter().cloned());
    tokens.token_url.clone_from(&arrived.token_url);
    tokens.redirect_url = Some(pending.redirect_url.clone());
    Ok(tokens)
}

/// RFC 6749, section 6.
async fn refresh(
    request: &FlowRequest,
    before: &TokenSet,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let refresh_token = before.refresh_token.as_ref().ok_or(Unfit::REFRESH_TOKEN)?;
    let client = &request.client;
    let token_url = before.token_url.as_ref().unwrap_or(&client.token_url);
    let http = Http::new(request.ca_file.as_deref())?;
    reporter.tell(FlowEvent::Began(Step::Refresh)).await;
    let begin = Instant::now();
    let answer = reporter
        .post(
            &http,
            &client.refresh_request(token_url, refresh_token, before.redirect_url.as_ref())?,
        )
        .await?;
    let mut fresh = tokens(Asked::Refresh, read(&answer, &client.dialect.answers))?;
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    let rotated = match &fresh.refresh_token {
        Some(new) if new.expose_secret() != refresh_token.expose_secret() => {
            "a new one came and replaces the old one"
        }
        Some(_) | None => "no new one came; the old one stays",
    };
    reporter
        .check(CheckName::RefreshToken, Outcome::Passed, rotated)
        .await;
    // An ID token of a refresh has the nonce of the first sign-in or none (OpenID Connect Core, 12.2).
    if fresh.id_token.is_some()
        && check_id_token(client, &fresh, None, Some(before), reporter)
            .await
            .is_err()
    {
        // The new refresh token may be the only one that still works: only the ID token is thrown away.
        fresh.id_token = None;
    }
    let fresh = fresh.after(before);
    check_scope(client, &fresh, reporter).await;
    Ok(fresh)
}

fn tokens(asked: Asked, reading: Reading) -> Result<TokenSet, FlowError> {
    match reading {
        Reading::Tokens(tokens) => Ok(*tokens),
        Reading::Error(error, _) => Err(Failure::Server { asked, error }.into()),
        Reading::Neither(reason) => Err(Failure::Unusable { asked, reason }.into()),
    }
}

async fn check_tls(client: &Client, kind: FlowKind, reporter: &Reporter) {
    let endpoints = match kind {
        FlowKind::DeviceCode => [client.device_url.as_ref(), Some(&client.token_url)],
        FlowKind::AuthorizationCode => [client.authorization_url.as_ref(), Some(&client.token_url)],
    };
    // http was accepted on loopback only, so plain text does not leave this machine.
    if endpoints
        .into_iter()
        .flatten()
        .all(|url| url.scheme() == "https")
    {
        reporter
            .check(
                CheckName::Tls,
                Outcome::Passed,
                "https, certificates checked",
            )
            .await;
    } else {
        reporter
            .check(
                CheckName::Tls,
                Outcome::NotApplicable,
                "http, within this machine",
            )
            .await;
    }
}

async fn check_tokens(
    client: &Client,
    tokens: &TokenSet,
    nonce: Option<&SecretString>,
    reporter: &Reporter,
) -> Result<(), FlowError> {
    check_id_token(client, tokens, nonce, None, reporter).await?;
    check_scope(client, tokens, reporter).await;
    if tokens.refresh_token.is_some() {
        reporter
            .check(CheckName::RefreshToken, Outcome::Passed, "returned")
            .await;
    } else if client.dialect.no_refresh {
        let reason = client.dialect.refresh_note.as_deref();
        reporter
            .check(
                CheckName::RefreshToken,
                Outcome::NotApplicable,
                reason.unwrap_or("this service gives none"),
            )
            .await;
    } else {
        let reason = match &client.dialect.refresh_note {
            Some(note) => format!("none came. {note}"),
            None if client.asks_for("offline_access") => {
                "none came, though offline_access was asked for; some services want prompt=consent with it".to_owned()
            }
            None => "none came; many services give one only with the scope offline_access".to_owned(),
        };
        reporter
            .check(CheckName::RefreshToken, Outcome::Failed, reason)
            .await;
    }
    Ok(())
}

async fn check_scope(client: &Client, tokens: &TokenSet, reporter: &Reporter) {
    let missing = tokens.not_granted(&client.scopes);
    match (&tokens.scope, missing.as_slice()) {
        (None, _) => {
            reporter
                .check(
                    CheckName::Scope,
                    Outcome::Passed,
                    "the answer names no other than was asked for",
                )
                .await;
        }
        (Some(_), []) => {
            reporter
                .check(CheckName::Scope, Outcome::Passed, "all that was asked for")
                .await;
        }
        (Some(_), missing) => {
            reporter
                .check(
                    CheckName::Scope,
                    Outcome::Failed,
                    format!("not in the answer: {}", missing.join(" ")),
                )
                .await;
        }
    }
}

async fn check_id_token(
    client: &Client,
    tokens: &TokenSet,
    nonce: Option<&SecretString>,
    before: Option<&TokenSet>,
    reporter: &Reporter,
) -> Result<(), FlowError> {
    let Some(id_token) = &tokens.id_token else {
        let (outcome, detail) = if client.asks_for("openid") {
            (Outcome::Failed, "none came, though openid was asked for")
        } else {
            (Outcome::NotApplicable, "the scope openid was not asked for")
        };
        reporter.check(CheckName::IdToken, outcome, detail).await;
        return Ok(());
    };
    let unix_time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let first = before.and_then(|before| decode(before.id_token.as_ref()?.expose_secret()));
    let expected = Expected {
        issuers: &client.id_token_issuers,
        client_id: &client.client_id,
        subject: first.as_ref().and_then(Claims::subject),
        nonce,
        unix_time,
    };
    let wrong = match decode(id_token.expose_secret()) {
        Some(claims) => claims.check(&expected).err(),
        None => Some("it is not a JSON Web Token".to_owned()),
    };
    if let Some(reason) = wrong {
        reporter
            .check(CheckName::IdToken, Outcome::Failed, reason.clone())
            .await;
        return Err(Failure::IdToken(reason).into());
    }
    let known = if expected.issuers.is_empty() {
        ""
    } else {
        "issuer, "
    };
    let nonce = if nonce.is_some() { ", nonce" } else { "" };
    reporter
        .check(
            CheckName::IdToken,
            Outcome::Passed,
            format!("{known}client, expiry{nonce}; signature not verified"),
        )
        .await;
    Ok(())
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "a test ends on what it did not expect; answers of all kinds stand in one list"
)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::Mutex;

    use url::Url;

    use super::*;
    use crate::oauth::client::ClientAuthentication;

    /// Answers from a list, and notes when it was asked.
    struct Script {
        answers: Mutex<VecDeque<Result<Answer, HttpError>>>,
        asked: Mutex<Vec<Instant>>,
    }

    impl Transport for Script {
        async fn post(&self, _: &Request) -> Result<Answer, HttpError> {
            self.asked.lock().unwrap().push(Instant::now());
            self.answers.lock().unwrap().pop_front().unwrap()
        }
    }

    fn answer(status: u16, body: &str) -> Result<Answer, HttpError> {
        Ok(Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        })
    }

    fn busy(seconds: u64) -> Result<Answer, HttpError> {
        let retry_after = Some(Duration::from_secs(seconds));
        Ok(Answer {
            status: 429,
            retry_after,
            headers: Vec::new(),
            body: "".into(),
        })
    }

    fn lost() -> Result<Answer, HttpError> {
        Err(HttpError::Unreachable {
            host: "as.example".to_owned(),
            cause: "connection reset".to_owned(),
        })
    }

    fn late() -> Result<Answer, HttpError> {
        Err(HttpError::TimedOut {
            host: "as.example".to_owned(),
        })
    }

    fn error(code: &str) -> Result<Answer, HttpError> {
        answer(400, &format!(r#"{{"error":"{code}"}}"#))
    }

    fn success() -> Result<Answer, HttpError> {
        answer(200, r#"{"access_token":"t"}"#)
    }

    /// Polls through `answers`; the pauses before each poll, and the outcome.
    async fn poll(
        interval: u64,
        life: u64,
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (Vec<Duration>, Result<TokenSet, FlowError>) {
        let url = || Url::parse("https://as.example/token").unwrap();
        let client = Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            authorization_url: None,
            device_url: Some(url()),
            token_url: url(),
            scopes: Vec::new(),
            extra: Vec::new(),
            pkce: true,
            issuer: None,
            iss_promised: false,
            id_token_issuers: Vec::new(),
            poll_url: None,
            dialect: crate::oauth::dialect::Dialect::default(),
        };
        let grant = DeviceGrant {
            device_code: "d".into(),
            user_code: "U".to_owned(),
            verification_uri: url(),
            verification_uri_complete: None,
            expires_in: Duration::from_secs(life),
            interval: Duration::from_secs(interval),
        };
        let script = Script {
            answers: Mutex::new(answers.into()),
            asked: Mutex::new(Vec::new()),
        };
        let (reports, mut news) = mpsc::channel(16);
        let reporter = Reporter {
            attempt: 1,
            reports,
            secrets: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        tokio::spawn(async move { while news.recv().await.is_some() {} });
        let start = Instant::now();
        let outcome = approval(&script, &client, &grant, start, &reporter).await;
        let mut before = start;
        let asked = script.asked.into_inner().unwrap();
        let pauses = asked
            .into_iter()
            .map(|at| at - std::mem::replace(&mut before, at))
            .collect();
        (pauses, outcome)
    }

    /// Each pause is at least as long as allowed, and at most a fifth longer.
    fn assert_pauses(pauses: &[Duration], allowed: &[u64]) {
        assert_eq!(pauses.len(), allowed.len(), "{pauses:?}");
        for (pause, allowed) in pauses.iter().zip(allowed) {
            let least = Duration::from_secs(*allowed);
            assert!(
                *pause >= least && *pause <= least * 6 / 5,
                "{pause:?} for {least:?} in {pauses:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn polling_survives_all_that_is_no_final_answer_and_keeps_its_times() {
        let answers = vec![
            error("authorization_pending"),
            lost(),
            late(),
            busy(60),
            error("authorization_pending"),
            answer(502, "<html>bad gateway</html>"),
            answer(500, ""),
            answer(200, ""),
            answer(200, "{\"access_tok"),
            error("slow_down"),
            error("slow_down"),
            error("authorization_pending"),
            success(),
        ];
        let (pauses, outcome) = poll(5, 900, answers).await;
        assert!(outcome.is_ok());
        assert_pauses(&pauses, &[5, 5, 10, 20, 60, 5, 10, 20, 30, 30, 10, 15, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_absurd_retry_after_is_capped_by_the_life_of_the_code() {
        let begin = Instant::now();
        let (pauses, outcome) = poll(5, 300, vec![busy(u64::MAX / 4)]).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Protocol(Failure::Expired))
        ));
        assert_pauses(&pauses, &[5]);
        assert_eq!(begin.elapsed(), Duration::from_mins(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_that_nobody_approves_expires_on_time() {
        let begin = Instant::now();
        let pending = (0..100).map(|_| error("authorization_pending")).collect();
        let (_, outcome) = poll(7, 60, pending).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Protocol(Failure::Expired))
        ));
        assert_eq!(begin.elapsed(), Duration::from_mins(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_final_answer_ends_it_at_once() {
        for code in ["access_denied", "expired_token", "invalid_client"] {
            let (pauses, outcome) = poll(5, 900, vec![lost(), error(code)]).await;
            assert!(outcome.is_err());
            assert_pauses(&pauses, &[5, 10]);
        }
    }
}
