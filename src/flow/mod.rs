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
use self::redact::Secrets;
use self::trace::Exchange;
use crate::certificate;
use crate::clean::clean;
use crate::form::request::{FlowRequest, Issuer};
use crate::oauth::answer::Answer;
use crate::oauth::authcode::{Arrived, Callback, read_callback, read_paste};
use crate::oauth::check::{Check, CheckName, Outcome};
use crate::oauth::client::{Client, FlowKind, Pending, Request, Unfit};
use crate::oauth::device::{DeviceGrant, Next, Polled, Polling, read_grant};
use crate::oauth::dialect::Answers;
use crate::oauth::discovery::{Metadata, addresses, read_metadata};
use crate::oauth::failure::{Asked, Failure};
use crate::oauth::id_token::{Claims, Expected, decode};
use crate::oauth::token::{Fate, Reading, TokenSet, read};
use crate::oauth::url::endpoint;
use crate::secret::{ExposeSecret, SecretString, same};

/// How long an attempt that was cancelled may take to let go of its port.
const LET_GO: Duration = Duration::from_secs(3);

/// An event with the number of the attempt that it belongs to.
pub type Report = (u64, FlowEvent);

/// For how long an exchange is tried again when nothing was processed: the code does not live long.
const EXCHANGE_TRIES: Duration = Duration::from_secs(45);
/// So many codes are remembered whose answers were lost; each took a paste by hand.
const LOST_CODES: usize = 16;

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
    /// Reports an event. What it says to people repeats no secret of the run.
    async fn tell(&self, mut event: FlowEvent) {
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
        // Nobody listens any more only when the program is ending.
        let _ = self.reports.send((self.attempt, event)).await;
    }

    async fn check(&self, name: CheckName, outcome: Outcome, detail: impl Into<String>) {
        self.tell(FlowEvent::Check(Check::new(name, outcome, detail)))
            .await;
    }
}

impl Reporter {
    /// Sends a request, and reports the exchange without its secrets.
    async fn post(
        &self,
        transport: &impl Transport,
        request: &Request,
    ) -> Result<Answer, HttpError> {
        let begin = Instant::now();
        let outcome = transport.post(request).await;
        let entry = {
            let mut secrets = self.secrets();
            secrets.remember_sent(request);
            if let Ok(answer) = &outcome
                && let Some(members) = answer.body.members()
            {
                secrets.consider_answer(members);
            }
            Exchange::posted(request, &outcome, begin.elapsed(), &secrets)
        };
        self.tell(FlowEvent::Exchange(entry)).await;
        outcome
    }

    /// Reports a callback without its secrets.
    async fn callback(&self, way: &str, query: &str, callback: &Callback) {
        let entry = {
            let mut secrets = self.secrets();
            secrets.consider_query(query);
            if let Callback::Code(arrived) = callback {
                secrets.remember(arrived.code.expose_secret());
            }
            let rejected = matches!(callback, Callback::NotOurs(_));
            Exchange::callback(way, query, verdict(callback), rejected, &secrets)
        };
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
            reporter.remember(tokens.secrets());
        }
        Job::Discover(_) => {}
    }
    let outcome = match &job {
        Job::Authorize(request) => match request.kind {
            FlowKind::DeviceCode => device_code(request, reporter).await,
            FlowKind::AuthorizationCode => authorization_code(request, pastes, reporter).await,
        },
        Job::Refresh(request, tokens) => match Http::new(request.ca_file.as_deref()).await {
            Ok(http) => refresh(&http, &request.client, tokens, reporter).await,
            Err(error) => Err(error.into()),
        },
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
    let http = Http::new(issuer.ca_file.as_deref()).await?;
    let mut reasons: Vec<String> = Vec::new();
    for address in addresses(&url) {
        let begin = Instant::now();
        let outcome = http.get(&address).await;
        reporter
            .tell(FlowEvent::Exchange(Exchange::got(
                &address,
                &outcome,
                begin.elapsed(),
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
    let http = Http::new(request.ca_file.as_deref()).await?;
    reporter.tell(FlowEvent::Began(Step::DeviceCode)).await;
    let begin = Instant::now();
    let asking = client.device_request()?;
    let answer = reporter.post(&http, &asking).await?;
    let grant = read_grant(&answer, &client.dialect, &asking.url)?;
    // A service may have other names for them.
    reporter.secrets().remember_user_code(&grant.user_code);
    reporter.remember([&grant.device_code]);
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
            Err(error) => Polled::Lost {
                reason: error.to_string(),
                sent: error.is_lost_answer(),
            },
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
    let http = Http::new(request.ca_file.as_deref()).await?;
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
                Some(certificate::load_aside(files, host, SystemTime::now()).await?)
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
    let outcome = sign_in(
        &http,
        client,
        &pending,
        &mut listener,
        &mut pastes,
        reporter,
    )
    .await;
    let arrived = match outcome {
        Ok(SignedIn::Tokens(tokens)) => {
            finish(listener).await;
            return Ok(*tokens);
        }
        Ok(SignedIn::Code(arrived)) => arrived,
        Err(error) => {
            finish(listener).await;
            return Err(error);
        }
    };
    // The answer to the browser goes out while the code is exchanged.
    let (tokens, ()) = tokio::join!(
        exchange(&http, client, &arrived, &pending, reporter),
        finish(listener)
    );
    tokens
}

/// What the wait for the answer came to.
enum SignedIn {
    /// A code that is certainly the one of this sign-in, to be exchanged.
    Code(Arrived),
    /// The tokens of a code that was pasted alone.
    Tokens(Box<TokenSet>),
}

/// Waits for the code of this sign-in. One that was pasted alone may be anything, and only the service knows: it is
/// exchanged here, and unless the right code would fail as well, the wait goes on.
async fn sign_in(
    transport: &impl Transport,
    client: &Client,
    pending: &Pending,
    listener: &mut Option<Listener>,
    pastes: &mut mpsc::Receiver<SecretString>,
    reporter: &Reporter,
) -> Result<SignedIn, FlowError> {
    // Codes that may be used up, the last first.
    let mut lost: Vec<SecretString> = Vec::new();
    loop {
        reporter.tell(FlowEvent::Began(Step::SignIn)).await;
        let begin = Instant::now();
        let arrived = arrival(listener, pastes, pending, client, reporter).await?;
        reporter.tell(FlowEvent::Done(begin.elapsed())).await;
        let certain = arrived
            .checks
            .iter()
            .any(|check| check.name == CheckName::State && check.outcome == Outcome::Passed);
        let used_up = lost
            .iter()
            .any(|code| same(code, arrived.code.expose_secret()));
        let outcome = if used_up {
            let asked = Asked::Exchange;
            Err(Failure::UsedUp { asked, error: None }.into())
        } else if certain {
            Ok(None)
        } else {
            let tokens = exchange(transport, client, &arrived, pending, reporter).await;
            tokens.map(|tokens| Some(Box::new(tokens)))
        };
        if let (false, Err(error)) = (certain, &outcome)
            && let Some(reason) = leaves_the_wait(error, &client.dialect.answers)
        {
            if matches!(error, FlowError::Lost(_)) {
                lost.insert(0, arrived.code);
                lost.truncate(LOST_CODES);
            }
            reporter.tell(FlowEvent::PasteRefused(reason)).await;
            continue;
        }
        for check in &arrived.checks {
            reporter.tell(FlowEvent::Check(check.clone())).await;
        }
        return outcome.map(|tokens| match tokens {
            Some(tokens) => SignedIn::Tokens(tokens),
            None => SignedIn::Code(arrived),
        });
    }
}

/// Why a code that was pasted alone was not taken, as part of a sentence; `None` where the right one would fail as well.
fn leaves_the_wait(error: &FlowError, answers: &Answers) -> Option<String> {
    let plain = |error: &FlowError| error.to_string().trim_end_matches('.').to_owned();
    Some(match error {
        FlowError::Protocol(Failure::Server { error, .. })
            if answers.is_about_the_client(error) =>
        {
            return None;
        }
        FlowError::Protocol(Failure::Server { error, .. }) if answers.is_about_the_code(error) => {
            format!("the service does not know this code ({error})")
        }
        FlowError::Protocol(Failure::Server { error, .. }) => {
            format!("the service did not accept this code ({error})")
        }
        FlowError::Protocol(Failure::Unusable { reason, .. }) => {
            format!("the answer of the service cannot be used: {reason}")
        }
        FlowError::Protocol(Failure::UsedUp { .. }) => {
            "an earlier answer was lost, and has probably used up this code. Start again".to_owned()
        }
        FlowError::Lost(cause) => {
            let cause = leaves_the_wait(cause, answers).unwrap_or_else(|| plain(cause));
            format!("{cause}. If it was the right code, it has probably been used up: start again")
        }
        FlowError::Http(HttpError::Redirected { .. }) => plain(error),
        FlowError::Protocol(_)
        | FlowError::Http(_)
        | FlowError::Listen(_)
        | FlowError::Certificate(_)
        | FlowError::Discovery { .. }
        | FlowError::Unfit(_) => return None,
    })
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
                    let callback = read_callback(query, pending, client);
                    reporter.callback("GET, from the browser", query, &callback).await;
                    (callback, Some(arrival.answer))
                }
            },
            Some(paste) = pastes.recv() => {
                let text = paste.expose_secret().trim();
                let query = text.split_once('?').map_or(text, |(_, query)| query);
                let callback = read_paste(paste.expose_secret(), pending, client);
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

/// RFC 6749, section 4.1.3.
async fn exchange(
    transport: &impl Transport,
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
        // Sent again only where the code cannot have been used: without a connection, or where the server says so.
        let (error, asked_for) = match reporter.post(transport, &request).await {
            Ok(answer) => {
                let reading = read(&answer, &client.dialect.answers);
                let fate = answer.fate(&reading);
                match (tokens(Asked::Exchange, reading), fate) {
                    (Ok(tokens), _) => break tokens,
                    (Err(error), Fate::Refused) => return Err(error),
                    (Err(error), Fate::Unknown) => return Err(FlowError::Lost(Box::new(error))),
                    (Err(error), Fate::NotProcessed) => {
                        (error, answer.retry_after.unwrap_or_default())
                    }
                }
            }
            Err(error @ HttpError::Unreachable { .. }) => (error.into(), Duration::ZERO),
            Err(error) if error.is_lost_answer() => {
                return Err(FlowError::Lost(Box::new(error.into())));
            }
            Err(error) => return Err(error.into()),
        };
        let wait = pause.max(asked_for);
        if begin.elapsed().saturating_add(wait) >= EXCHANGE_TRIES {
            return Err(error);
        }
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
    transport: &impl Transport,
    client: &Client,
    before: &TokenSet,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let refresh_token = before.refresh_token.as_ref().ok_or(Unfit::REFRESH_TOKEN)?;
    let token_url = before.token_url.as_ref().unwrap_or(&client.token_url);
    reporter.tell(FlowEvent::Began(Step::Refresh)).await;
    let begin = Instant::now();
    let answer = reporter
        .post(
            transport,
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

    fn unreached() -> Result<Answer, HttpError> {
        Err(HttpError::Unreachable {
            host: "as.example".to_owned(),
            cause: "connection refused".to_owned(),
        })
    }

    fn lost() -> Result<Answer, HttpError> {
        Err(HttpError::Lost {
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

    fn url() -> Url {
        Url::parse("https://as.example/token").unwrap()
    }

    fn client() -> Client {
        Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            authorization_url: Some(url()),
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
        }
    }

    fn script(answers: Vec<Result<Answer, HttpError>>) -> Script {
        Script {
            answers: Mutex::new(answers.into()),
            asked: Mutex::new(Vec::new()),
        }
    }

    /// A reporter, and what it was told once it is gone.
    fn reporter() -> (Reporter, JoinHandle<Vec<FlowEvent>>) {
        let (reports, mut news) = mpsc::channel(16);
        let reporter = Reporter {
            attempt: 1,
            reports,
            secrets: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        let told = tokio::spawn(async move {
            let mut told = Vec::new();
            while let Some((_, event)) = news.recv().await {
                told.push(event);
            }
            told
        });
        (reporter, told)
    }

    /// Polls through `answers`; the pauses before each poll, and the outcome.
    async fn poll(
        interval: u64,
        life: u64,
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (Vec<Duration>, Result<TokenSet, FlowError>) {
        let grant = DeviceGrant {
            device_code: "d".into(),
            user_code: "U".to_owned(),
            verification_uri: url(),
            verification_uri_complete: None,
            expires_in: Duration::from_secs(life),
            interval: Duration::from_secs(interval),
        };
        let script = script(answers);
        let (reporter, _) = reporter();
        let start = Instant::now();
        let outcome = approval(&script, &client(), &grant, start, &reporter).await;
        let mut before = start;
        let asked = script.asked.into_inner().unwrap();
        let pauses = asked
            .into_iter()
            .map(|at| at - std::mem::replace(&mut before, at))
            .collect();
        (pauses, outcome)
    }

    /// Exchanges a code that came with the right state; how often it was sent, and the outcome.
    async fn exchanged(
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (usize, Result<TokenSet, FlowError>) {
        let (script, client) = (script(answers), client());
        let (_, pending) = client.authorization_request(&url()).unwrap();
        let query = format!("code=c&state={}", pending.state.expose_secret());
        let Callback::Code(arrived) = read_callback(&query, &pending, &client) else {
            unreachable!()
        };
        let (reporter, _) = reporter();
        let outcome = exchange(&script, &client, &arrived, &pending, &reporter).await;
        (script.asked.into_inner().unwrap().len(), outcome)
    }

    /// Waits for a sign-in while `pastes` come; `{state}` stands for its state. How often a code was sent, what was
    /// refused, and the outcome; `None` where the wait goes on.
    async fn pasted(
        pastes: &[&str],
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (usize, Vec<String>, Option<Result<SignedIn, FlowError>>) {
        let (script, mut client) = (script(answers), client());
        client.dialect.answers.unknown_code = vec!["bad_verification_code".to_owned()];
        let (_, pending) = client.authorization_request(&url()).unwrap();
        let (sender, mut inbox) = mpsc::channel(pastes.len());
        for paste in pastes {
            let text = paste.replace("{state}", pending.state.expose_secret());
            sender.send(text.into()).await.unwrap();
        }
        let (reporter, told) = reporter();
        let (never, listener) = (Duration::from_hours(1), &mut None);
        let wait = sign_in(&script, &client, &pending, listener, &mut inbox, &reporter);
        let outcome = tokio::time::timeout(never, wait).await.ok();
        drop(reporter);
        let refused = told.await.unwrap().into_iter();
        let refused = refused.filter_map(|event| match event {
            FlowEvent::PasteRefused(reason) => Some(reason),
            _ => None,
        });
        (
            script.asked.into_inner().unwrap().len(),
            refused.collect(),
            outcome,
        )
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

    #[tokio::test(start_paused = true)]
    async fn a_code_is_sent_again_only_where_nothing_was_processed() {
        let unavailable = || error("temporarily_unavailable");
        let busy_503 = || {
            answer(503, "<html>").map(|answer| Answer {
                retry_after: Some(Duration::from_secs(2)),
                ..answer
            })
        };
        for again in [unreached, unavailable, busy_503, || busy(1)] {
            let (times, outcome) = exchanged(vec![again(), again(), success()]).await;
            assert!(outcome.is_ok() && times == 3, "{outcome:?}");
        }
        for gone in [
            lost(),
            late(),
            answer(500, ""),
            answer(502, "<html>bad gateway</html>"),
            answer(503, "<html>"),
            answer(504, "{}"),
            answer(500, r#"{"error":"backend_down"}"#),
            error("server_error"),
            answer(200, ""),
            answer(200, "{\"access_tok"),
            Err(HttpError::TooLarge {
                host: "as.example".to_owned(),
            }),
        ] {
            let shown = format!("{gone:?}");
            let (times, outcome) = exchanged(vec![gone, success()]).await;
            let error = outcome.unwrap_err();
            assert!(
                times == 1
                    && error.to_string().contains("has probably been used up")
                    && error.hint().starts_with("Start again"),
                "{shown}: {error}"
            );
        }
        for settled in [
            error("invalid_grant"),
            answer(404, "<html>"),
            answer(429, r#"{"error":"invalid_client"}"#),
        ] {
            let (times, outcome) = exchanged(vec![settled, success()]).await;
            assert!(times == 1 && matches!(outcome, Err(FlowError::Protocol(_))));
        }
        // For so long only: the code does not live long.
        let (_, outcome) = exchanged((0..50).map(|_| unreached()).collect()).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Http(HttpError::Unreachable { .. }))
        ));
    }

    #[tokio::test(start_paused = true)]
    async fn a_bare_code_that_the_service_does_not_take_leaves_the_wait() {
        for (refusal, words) in [
            (
                error("invalid_grant"),
                "does not know this code (invalid_grant)",
            ),
            (error("bad_verification_code"), "does not know this code"),
            (error("expired_token"), "does not know this code"),
            (error("made_up"), "did not accept this code (made_up)"),
            (error("invalid_request"), "did not accept this code"),
            (error("access_denied"), "did not accept this code"),
            (
                answer(200, r#"{"error":"made_up"}"#),
                "did not accept this code",
            ),
            (answer(404, "<html>"), "it is a web page"),
            (answer(200, "<html>"), "it is a web page"),
            (answer(200, ""), "it is empty"),
            (
                answer(500, ""),
                "it is empty (HTTP status 500). If it was the right code",
            ),
            (answer(502, "<html>"), "start again"),
            (late(), "did not answer in time. If it was the right code"),
            (lost(), "start again"),
            (
                Err(HttpError::Redirected {
                    host: "as.example".to_owned(),
                    target: "other.example".to_owned(),
                }),
                "sends the request on",
            ),
        ] {
            let shown = format!("{refusal:?}");
            let pastes = ["a-wrong-code", "the-right-code"];
            let (times, refused, outcome) = pasted(&pastes, vec![refusal, success()]).await;
            assert!(matches!(outcome, Some(Ok(SignedIn::Tokens(_)))), "{shown}");
            assert_eq!(times, 2);
            assert!(
                refused.len() == 1 && refused[0].contains(words),
                "{shown}: {refused:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_right_code_would_meet_as_well_ends_the_wait() {
        for (code, ends) in [
            ("invalid_client", true),
            ("unauthorized_client", true),
            ("unsupported_grant_type", true),
            ("invalid_scope", true),
            ("invalid_target", true),
            ("invalid_code", false),
        ] {
            let (_, _, outcome) = pasted(&["a-wrong-code"], vec![error(code)]).await;
            assert_eq!(matches!(outcome, Some(Err(_))), ends, "{code}");
        }
        let certificate = Err(HttpError::Certificate {
            host: "as.example".to_owned(),
            cause: "it has expired".to_owned(),
        });
        let (_, _, outcome) = pasted(&["a-wrong-code"], vec![certificate]).await;
        assert!(matches!(outcome, Some(Err(FlowError::Http(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_code_whose_answer_was_lost_is_not_sent_again() {
        let again = ["a-bare-code", "a-bare-code"];
        let (times, refused, outcome) = pasted(&again, vec![late(), success()]).await;
        assert!(times == 1 && outcome.is_none());
        assert!(
            refused[1].contains("has probably used up this code"),
            "{refused:?}"
        );
        // The same code with its state is the right one, and lost.
        let with_state = ["a-bare-code", "?code=a-bare-code&state={state}"];
        let (times, _, outcome) = pasted(&with_state, vec![answer(502, ""), success()]).await;
        let Some(Err(error)) = outcome else {
            unreachable!()
        };
        assert_eq!(times, 1);
        assert_eq!(
            error.to_string(),
            "An earlier answer was lost, and has probably used up the authorization code."
        );
        assert_eq!(error.hint(), "Start again.");
        // Another code is not lost with it.
        let other = ["a-bare-code", "?code=another-code&state={state}"];
        let (_, _, outcome) = pasted(&other, vec![lost()]).await;
        assert!(matches!(outcome, Some(Ok(SignedIn::Code(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn a_device_code_that_is_unknown_after_a_lost_answer_was_used_up() {
        let pending = || error("authorization_pending");
        for code in ["invalid_grant", "expired_token", "token_expired"] {
            for missing in [
                lost(),
                late(),
                answer(502, "<html>"),
                answer(503, ""),
                answer(200, "{\"access_tok"),
            ] {
                let shown = format!("{missing:?}");
                let answers = vec![
                    pending(),
                    missing,
                    unreached(),
                    busy(1),
                    error("slow_down"),
                    error(code),
                ];
                let (_, outcome) = poll(5, 900, answers).await;
                let error = outcome.unwrap_err();
                assert_eq!(
                    (error.to_string(), error.hint()),
                    (
                        format!(
                            "An earlier answer was lost, and has probably used up the device code ({code})."
                        ),
                        "Start again.".to_owned()
                    ),
                    "{shown}"
                );
            }
            // Nothing was lost, or the code was seen to work after that.
            for before in [
                vec![unreached()],
                vec![busy(1)],
                vec![error("temporarily_unavailable")],
                vec![lost(), pending()],
            ] {
                let mut answers = before;
                answers.push(error(code));
                let (_, outcome) = poll(5, 900, answers).await;
                assert!(!matches!(
                    outcome,
                    Ok(_) | Err(FlowError::Protocol(Failure::UsedUp { .. }))
                ));
            }
        }
        let (_, outcome) = poll(5, 900, vec![lost(), error("access_denied")]).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Protocol(Failure::Denied { .. }))
        ));
    }

    /// An answer with the ID token of `subject`.
    fn of(subject: &str, access_token: &str) -> Result<Answer, HttpError> {
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let claims = serde_json::json!({
            "iss": "https://as.example", "aud": "me", "sub": subject, "exp": 99_999_999_999_u64,
        });
        let id_token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let body = serde_json::json!({
            "access_token": access_token, "refresh_token": format!("{access_token}-refresh"), "id_token": id_token,
        });
        answer(200, &body.to_string())
    }

    #[tokio::test]
    async fn a_refresh_throws_away_the_id_token_of_another_subject_and_keeps_the_tokens() {
        for (subject, outcome) in [("alice", Outcome::Passed), ("mallory", Outcome::Failed)] {
            let before = read(&of("alice", "old").unwrap(), &Answers::default());
            let before = tokens(Asked::Exchange, before).unwrap();
            let (reporter, told) = reporter();
            let script = script(vec![of(subject, "new")]);
            let fresh = refresh(&script, &client(), &before, &reporter)
                .await
                .unwrap();
            drop(reporter);
            assert_eq!(fresh.access_token.expose_secret(), "new");
            assert_eq!(fresh.refresh_token.unwrap().expose_secret(), "new-refresh");
            let told = told.await.unwrap();
            let check = told.iter().find_map(|event| match event {
                FlowEvent::Check(check) if check.name == CheckName::IdToken => Some(check),
                _ => None,
            });
            assert_eq!(check.unwrap().outcome, outcome, "{check:?}");
            // The one of the first sign-in stays.
            let id_token = decode(fresh.id_token.unwrap().expose_secret()).unwrap();
            assert_eq!(id_token.subject(), Some("alice"));
        }
    }
}
