//! Starts a job in the background, cancels it, and passes pasted text to it.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::attempt::{AttemptId, Attempts};
use super::authorization_code::authorization_code;
use super::client_credentials::client_credentials;
use super::client_key::ready;
use super::device_code::device_code;
use super::discovery::discover;
use super::event::FlowEvent;
use super::http::Http;
use super::jwt_bearer::jwt_bearer;
use super::mail_login::{self, MailTest};
use super::refresh::refresh;
use super::registration::{Registration, register};
use super::reporter::{Report, Reporter};
use super::token_tools::{ToolRun, tool};
use super::tool_report::{Told, ToolError};
use crate::clock::unix_time;
use crate::form::request::{FlowRequest, Issuer};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::oauth::token_notes::expired_on_arrival;
use crate::secret::SecretString;

/// How long a canceled attempt may take to free its port.
const END_LIMIT: Duration = Duration::from_secs(3);

/// The job to run.
#[derive(Debug)]
pub enum Job {
    /// The flow that the request names.
    Authorize(FlowRequest),
    /// A refresh of these tokens, or a request for new tokens if the flow has no user.
    Refresh(FlowRequest, Box<TokenSet>),
    /// A discovery of the issuer's metadata.
    Discover(Issuer),
    /// A registration of this program as a client.
    Register(Box<Registration>),
    /// A request about existing tokens.
    Tool(Box<ToolRun>),
    /// Tests of mail servers, one after the other.
    TestMail(Vec<MailTest>),
}

/// A running job. Dropping it cancels it.
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
    /// Starts a job in the background, after the attempt `before` has freed its port.
    #[must_use]
    pub fn start(
        job: Job,
        attempt: AttemptId,
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
            let reporter = Reporter::new(attempt, reports, tasks.clone());
            tokio::select! {
                biased;
                () = token.cancelled() => {}
                () = run(job, inbox, &reporter) => {}
            }
            // The port is free once the listener's own tasks have ended as well.
            tasks.close();
            tasks.wait().await;
        });
        Self {
            cancel,
            pastes,
            task,
        }
    }

    /// Passes on text that the user pasted in place of a callback. Returns `false` if too many pastes are waiting.
    #[must_use]
    pub fn paste(&self, text: SecretString) -> bool {
        self.pastes.try_send(text).is_ok()
    }

    /// Waits until a paste can be accepted. Returns `None` once the job no longer accepts pastes.
    pub async fn room_for_a_paste(&self) -> Option<mpsc::Permit<'_, SecretString>> {
        self.pastes.reserve().await.ok()
    }

    /// Cancels the job. The next job waits until this job has freed its port.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }

    /// Cancels the job, and waits until it has ended.
    pub(super) async fn end(mut self) {
        self.cancel.cancel();
        if tokio::time::timeout(END_LIMIT, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
    }
}

/// Sends a request about existing tokens, and waits for its result.
pub async fn run_alone(run: ToolRun) -> Told {
    let (sender, mut reports) = mpsc::channel(16);
    let _flow = Flow::start(
        Job::Tool(Box::new(run)),
        Attempts::default().begin(),
        None,
        sender,
    );
    while let Some((_, event)) = reports.recv().await {
        if let FlowEvent::Tool(told) = event {
            return *told;
        }
    }
    Told {
        outcome: Err(ToolError::Stopped),
        took: Duration::ZERO,
    }
}

async fn run(mut job: Job, pastes: mpsc::Receiver<SecretString>, reporter: &Reporter) {
    if let Job::Authorize(request) | Job::Refresh(request, _) = &mut job
        && let Err(error) = ready(&mut request.client, reporter).await
    {
        reporter.report(FlowEvent::Failed(error.into())).await;
        return;
    }
    match &job {
        Job::Authorize(request) => reporter.remember(&request.client.secret),
        Job::Refresh(request, tokens) => {
            reporter.remember(&request.client.secret);
            reporter.remember(tokens.secrets());
        }
        Job::Tool(run) => {
            reporter.remember(&run.client.secret);
            reporter.remember(run.tokens.secrets());
        }
        Job::TestMail(tests) => {
            reporter.remember(tests.iter().map(|test| &test.login.token));
        }
        Job::Register(run) => reporter.remember(&run.initial_token),
        Job::Discover(_) => {}
    }
    let outcome = match &mut job {
        Job::Authorize(request) => match request.kind {
            FlowKind::DeviceCode => device_code(request, reporter).await,
            FlowKind::AuthorizationCode => authorization_code(request, pastes, reporter).await,
            FlowKind::ClientCredentials => client_credentials(request, false, reporter).await,
            FlowKind::JwtBearer => jwt_bearer(request, false, reporter).await,
        },
        Job::Refresh(request, _) if request.kind == FlowKind::ClientCredentials => {
            client_credentials(request, true, reporter).await
        }
        Job::Refresh(request, _) if request.kind == FlowKind::JwtBearer => {
            jwt_bearer(request, true, reporter).await
        }
        Job::Refresh(request, tokens) => {
            match Http::of(&request.client, request.ca_file.as_deref()).await {
                Ok(http) => refresh(&http, &request.client, tokens, reporter).await,
                Err(error) => Err(error.into()),
            }
        }
        Job::Discover(issuer) => {
            let end = match discover(issuer, reporter).await {
                Ok(metadata) => FlowEvent::Metadata(Box::new(metadata)),
                Err(error) => FlowEvent::Failed(error),
            };
            reporter.report(end).await;
            return;
        }
        Job::Register(run) => {
            let end = match register(run, reporter).await {
                Ok(client) => FlowEvent::Registered(Box::new(client)),
                Err(error) => FlowEvent::Failed(error),
            };
            reporter.report(end).await;
            return;
        }
        Job::Tool(run) => {
            let told = tool(run, reporter).await;
            reporter.report(FlowEvent::Tool(Box::new(told))).await;
            return;
        }
        Job::TestMail(tests) => {
            for test in tests {
                let report = Box::new(mail_login::run(test).await);
                let event = FlowEvent::MailTested(test.protocol, report);
                reporter.report(event).await;
            }
            return;
        }
    };
    reporter
        .report(match outcome {
            Ok(mut tokens) => {
                let expired = expired_on_arrival(&tokens.access_token, unix_time());
                tokens.notes.extend(expired.map(str::to_owned));
                FlowEvent::Tokens(Box::new(tokens))
            }
            Err(error) => FlowEvent::Failed(error),
        })
        .await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::flow::event::FlowError;
    use crate::flow::scripted::{answer, client, url};
    use crate::flow::served::{http, serve};
    use crate::form::choices::ListenerChoice;
    use crate::oauth::asked::Asked;
    use crate::oauth::dialect::Answers;
    use crate::oauth::token::parse_token_answer;

    async fn within<T>(future: impl Future<Output = T>) -> T {
        let limit = Duration::from_secs(10);
        tokio::time::timeout(limit, future).await.unwrap()
    }

    fn start(job: Job) -> (Flow, mpsc::Receiver<Report>) {
        let (reports, events) = mpsc::channel(64);
        let flow = Flow::start(job, Attempts::default().begin(), None, reports);
        (flow, events)
    }

    /// Starts a job that waits for a server. Also returns the connection to that server.
    async fn waiting() -> (Flow, mpsc::Receiver<Report>, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (flow, events) = start(Job::Discover(Issuer {
            name: format!("http://{}", listener.local_addr().unwrap()),
            others: Vec::new(),
            ca_file: None,
            flow: FlowKind::DeviceCode,
        }));
        let (stream, _) = within(listener.accept()).await.unwrap();
        (flow, events, stream)
    }

    #[tokio::test]
    async fn canceled_or_dropped_job_ends_without_result() {
        let cancel = |flow: Flow| {
            flow.cancel();
            Some(flow)
        };
        let forget = |flow: Flow| {
            drop(flow);
            None
        };
        for end in [cancel, forget] as [fn(Flow) -> Option<Flow>; 2] {
            let (flow, mut events, _stream) = waiting().await;
            let _kept = end(flow);
            assert!(within(events.recv()).await.is_none());
        }
    }

    #[tokio::test]
    async fn paste_queue_is_limited_and_closes_with_the_job() {
        let (flow, mut events, _stream) = waiting().await;
        assert!(within(flow.room_for_a_paste()).await.is_some());
        for _ in 0..4 {
            assert!(flow.paste("code".into()));
        }
        assert!(!flow.paste("code".into()));
        flow.cancel();
        assert!(within(events.recv()).await.is_none());
        assert!(!flow.paste("code".into()));
        assert!(within(flow.room_for_a_paste()).await.is_none());
    }

    #[tokio::test]
    async fn new_tokens_use_the_grant_type_of_the_flow() {
        let before = answer(200, r#"{"access_token":"a","refresh_token":"r"}"#).unwrap();
        let tokens = parse_token_answer(&before, &Answers::default());
        let tokens = tokens.into_tokens(Asked::Exchange, &before).unwrap();
        for (kind, expected) in [
            (FlowKind::DeviceCode, Some("grant_type=refresh_token")),
            (
                FlowKind::AuthorizationCode,
                Some("grant_type=refresh_token"),
            ),
            (
                FlowKind::ClientCredentials,
                Some("grant_type=client_credentials"),
            ),
            // Without a key file, nothing is sent.
            (FlowKind::JwtBearer, None),
        ] {
            let server = serve(None, |_| http("200 OK", r#"{"access_token":"b"}"#)).await;
            let mut client = client();
            client.token_url = server.url.clone();
            let request = FlowRequest {
                kind,
                client,
                redirect_url: Some(url().into()),
                listen: None,
                listener: ListenerChoice::Loopback,
                certificate: None,
                ca_file: None,
                service_account: None,
            };
            let (_flow, mut events) = start(Job::Refresh(request, Box::new(tokens.clone())));
            let mut last = None;
            while let Some((_, event)) = within(events.recv()).await {
                last = Some(event);
            }
            let asked = server.asked();
            if let Some(expected) = expected {
                assert!(matches!(last, Some(FlowEvent::Tokens(_))), "{last:?}");
                assert!(asked[0].contains(expected), "{asked:?}");
            } else {
                let refused = matches!(last, Some(FlowEvent::Failed(FlowError::Request(_))));
                assert!(refused && asked.is_empty(), "{last:?} {asked:?}");
            }
        }
    }
}
