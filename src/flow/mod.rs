//! The engine: runs a flow as a background task that reports [`FlowEvent`]s.
//!
//! It knows no screen. What to send and what an answer means is decided in `oauth`; here it is sent,
//! waited and listened.

pub mod event;
pub mod http;
pub mod listener;
pub mod pages;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::event::{FlowError, FlowEvent, Step};
use self::http::Http;
use self::listener::{Listener, News};
use self::pages::Page;
use crate::oauth::authcode::{Callback, read_callback};
use crate::oauth::check::{Check, CheckName, Outcome};
use crate::oauth::client::{Client, FlowKind, Pending, Request, Unfit};
use crate::oauth::device::{Next, Polled, Polling, read_grant};
use crate::oauth::failure::{Asked, Failure};
use crate::oauth::id_token::{Expected, decode};
use crate::oauth::token::{Reading, TokenSet, read};
use crate::secret::{ExposeSecret, SecretString};
use crate::settings::FlowRequest;

/// How long an attempt that was cancelled may take to let go of its port.
const LET_GO: Duration = Duration::from_secs(3);

/// An event with the number of the attempt that it belongs to.
pub type Report = (u64, FlowEvent);

/// What to run.
#[derive(Debug)]
pub enum Job {
    /// The flow that the request names.
    Authorize(FlowRequest),
    /// New tokens for the ones at hand.
    Refresh(FlowRequest, Box<TokenSet>),
}

/// A run under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Flow {
    cancel: CancellationToken,
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
        let task = tokio::spawn(async move {
            if let Some(before) = before {
                before.end().await;
            }
            let reporter = Reporter { attempt, reports };
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = run(job, &reporter) => {}
            }
        });
        Self { cancel, task }
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

async fn run(job: Job, reporter: &Reporter) {
    let outcome = match &job {
        Job::Authorize(request) => match request.kind {
            FlowKind::DeviceCode => device_code(request, reporter).await,
            FlowKind::AuthorizationCode => authorization_code(request, reporter).await,
        },
        Job::Refresh(request, tokens) => refresh(request, tokens, reporter).await,
    };
    reporter
        .tell(match outcome {
            Ok(tokens) => FlowEvent::Tokens(Box::new(tokens)),
            Err(error) => FlowEvent::Failed(error),
        })
        .await;
}

/// RFC 8628.
async fn device_code(request: &FlowRequest, reporter: &Reporter) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::new(request.ca_file.as_deref())?;
    reporter.tell(FlowEvent::Began(Step::DeviceCode)).await;
    let begin = Instant::now();
    let grant = read_grant(&http.post(&client.device_request()?).await?)?;
    check_tls(client, FlowKind::DeviceCode, reporter).await;
    // The code lives from now on; the answer may have been under way for a while.
    let start = Instant::now();
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    reporter
        .tell(FlowEvent::DeviceCode {
            user_code: grant.user_code,
            verification_uri: grant.verification_uri,
            complete: grant.verification_uri_complete,
            expires_in: grant.expires_in,
        })
        .await;
    reporter.tell(FlowEvent::Began(Step::Approval)).await;
    let mut polling = Polling::new(grant.interval);
    let mut pause = polling.first();
    let mut times = 0;
    let tokens = loop {
        let left = grant.expires_in.saturating_sub(start.elapsed());
        tokio::time::sleep(pause.min(left)).await;
        if pause >= left {
            return Err(Failure::Expired.into());
        }
        let polled = match http
            .post(&client.approval_request(&grant.device_code)?)
            .await
        {
            Ok(answer) => Polled::Answer(answer),
            Err(error) => Polled::Lost(error.to_string()),
        };
        times += 1;
        match polling.next(&polled) {
            Next::Wait(next, note) => {
                pause = next;
                reporter.tell(FlowEvent::Polled { times, note }).await;
            }
            Next::Done(tokens) => break tokens,
            Next::Failed(failure) => return Err(failure.into()),
        }
    };
    reporter.tell(FlowEvent::Done(start.elapsed())).await;
    reporter
        .check(
            CheckName::State,
            Outcome::NotApplicable,
            "no browser comes back here",
        )
        .await;
    reporter
        .check(
            CheckName::Issuer,
            Outcome::NotApplicable,
            "no browser comes back here",
        )
        .await;
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

/// RFC 6749, section 4.1, for a native application (RFC 8252).
async fn authorization_code(
    request: &FlowRequest,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::new(request.ca_file.as_deref())?;
    let redirect_url = request.redirect_url.as_ref().ok_or(Unfit::REDIRECT_URL)?;
    reporter.tell(FlowEvent::Began(Step::Listen)).await;
    let begin = Instant::now();
    let mut listener = Listener::bind(redirect_url, request.listen).await?;
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    let (url, pending) = client.authorization_request(listener.redirect_url())?;
    reporter
        .tell(FlowEvent::SignIn {
            url,
            redirect_url: listener.redirect_url().clone(),
            listening: listener.addresses().to_vec(),
        })
        .await;
    reporter.tell(FlowEvent::Began(Step::SignIn)).await;
    let begin = Instant::now();
    let arrived = arrival(&mut listener, &pending, client, reporter).await;
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    // The answer to the browser goes out while the code is exchanged.
    let (tokens, ()) = tokio::join!(
        async {
            let (code, checks) = arrived?;
            for check in checks {
                reporter.tell(FlowEvent::Check(check)).await;
            }
            exchange(&http, client, &code, &pending, reporter).await
        },
        listener.finish(),
    );
    tokens
}

/// Waits for the answer to this sign-in. Nothing else ends the wait.
async fn arrival(
    listener: &mut Listener,
    pending: &Pending,
    client: &Client,
    reporter: &Reporter,
) -> Result<(SecretString, Vec<Check>), FlowError> {
    loop {
        let arrival = match listener.next().await {
            Some(News::Arrival(arrival)) => arrival,
            Some(News::Stray(stray)) => {
                reporter.tell(FlowEvent::Stray(stray)).await;
                continue;
            }
            // The listener lives as long as this function, so news cannot end before it.
            None => std::future::pending().await,
        };
        // A browser that has gone does not change what it brought.
        match read_callback(arrival.query.expose_secret(), pending, client) {
            Callback::Code(code, checks) => {
                let _ = arrival.answer.send(Page::Received);
                return Ok((code, checks));
            }
            Callback::Ended(failure) => {
                let _ = arrival.answer.send(Page::Refused);
                return Err(failure.into());
            }
            Callback::NotOurs(reason) => {
                let _ = arrival.answer.send(Page::NotOurs);
                reporter.tell(FlowEvent::NotOurs(reason)).await;
            }
        }
    }
}

async fn exchange(
    http: &Http,
    client: &Client,
    code: &SecretString,
    pending: &Pending,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    reporter.tell(FlowEvent::Began(Step::Exchange)).await;
    let begin = Instant::now();
    let tokens = tokens(
        http,
        Asked::Exchange,
        client.exchange_request(code, pending),
    )
    .await?;
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    check_tls(client, FlowKind::AuthorizationCode, reporter).await;
    match pending.verifier {
        Some(_) => {
            reporter
                .check(
                    CheckName::Pkce,
                    Outcome::Passed,
                    "S256; the service accepted the verifier",
                )
                .await;
        }
        None => {
            reporter
                .check(CheckName::Pkce, Outcome::NotChecked, "switched off")
                .await;
        }
    }
    check_tokens(client, &tokens, pending.nonce.as_ref(), reporter).await?;
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
    let http = Http::new(request.ca_file.as_deref())?;
    reporter.tell(FlowEvent::Began(Step::Refresh)).await;
    let begin = Instant::now();
    let fresh = tokens(&http, Asked::Refresh, client.refresh_request(refresh_token)).await?;
    reporter.tell(FlowEvent::Done(begin.elapsed())).await;
    let rotated = match &fresh.refresh_token {
        Some(new) if new.expose_secret() != refresh_token.expose_secret() => {
            "a new one came and replaces the old one"
        }
        Some(_) | None => "none came; the old one stays",
    };
    reporter
        .check(CheckName::RefreshToken, Outcome::Passed, rotated)
        .await;
    // An ID token of a refresh has the nonce of the first sign-in or none (OpenID Connect Core, 12.2).
    if fresh.id_token.is_some() {
        check_id_token(client, &fresh, None, reporter).await?;
    }
    let fresh = fresh.after(before);
    check_scope(client, &fresh, reporter).await;
    Ok(fresh)
}

async fn tokens(
    http: &Http,
    asked: Asked,
    request: Result<Request, Unfit>,
) -> Result<TokenSet, FlowError> {
    let answer = http.post(&request?).await?;
    match read(&answer) {
        Reading::Tokens(tokens) => Ok(tokens),
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
    check_id_token(client, tokens, nonce, reporter).await?;
    check_scope(client, tokens, reporter).await;
    if tokens.refresh_token.is_some() {
        reporter
            .check(CheckName::RefreshToken, Outcome::Passed, "returned")
            .await;
    } else {
        let reason = if client.asks_for("offline_access") {
            "none came, though offline_access was asked for; some services want prompt=consent with it"
        } else {
            "none came; many services give one only with the scope offline_access"
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
    let expected = Expected {
        issuers: &client.id_token_issuers,
        client_id: &client.client_id,
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
