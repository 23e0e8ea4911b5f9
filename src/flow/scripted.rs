//! A scripted service without a network, for the tests of the flows. `served` has real servers.

#![allow(
    clippy::unwrap_used,
    clippy::unnecessary_wraps,
    reason = "a test fails on anything unexpected; answers of all kinds stand in one list"
)]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;
use url::Url;

use super::attempt::Attempts;
use super::event::FlowEvent;
use super::http::Transport;
use super::http_error::HttpError;
use super::reporter::Reporter;
use crate::oauth::answer::Answer;
use crate::oauth::client::Client;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::dialect::Dialect;
use crate::oauth::request::Request;

/// Responds from a list, and records the requests and their times.
pub(super) struct Script {
    answers: Mutex<VecDeque<Result<Answer, HttpError>>>,
    pub(super) asked: Mutex<Vec<Instant>>,
    /// The requests, in the same order as `asked`.
    pub(super) requests: Mutex<Vec<Request>>,
    /// Delays each response until it is notified.
    pub(super) release: Option<Arc<Notify>>,
}

impl Transport for Script {
    async fn send(&self, request: &Request) -> Result<Answer, HttpError> {
        self.asked.lock().unwrap().push(Instant::now());
        self.requests.lock().unwrap().push(request.clone());
        if let Some(release) = &self.release {
            release.notified().await;
        }
        self.answers.lock().unwrap().pop_front().unwrap()
    }
}

pub(super) fn answer(status: u16, body: &str) -> Result<Answer, HttpError> {
    Ok(Answer {
        status,
        retry_after: None,
        headers: Vec::new(),
        body: body.into(),
    })
}

pub(super) fn busy(seconds: u64) -> Result<Answer, HttpError> {
    let retry_after = Some(Duration::from_secs(seconds));
    Ok(Answer {
        status: 429,
        retry_after,
        headers: Vec::new(),
        body: "".into(),
    })
}

pub(super) fn unreached() -> Result<Answer, HttpError> {
    Err(HttpError::Unreachable {
        host: "as.example".to_owned(),
        cause: "connection refused".to_owned(),
    })
}

pub(super) fn lost() -> Result<Answer, HttpError> {
    Err(HttpError::Lost {
        host: "as.example".to_owned(),
        cause: "connection reset".to_owned(),
    })
}

pub(super) fn late() -> Result<Answer, HttpError> {
    Err(HttpError::TimedOut {
        host: "as.example".to_owned(),
    })
}

pub(super) fn error(code: &str) -> Result<Answer, HttpError> {
    answer(400, &format!(r#"{{"error":"{code}"}}"#))
}

pub(super) fn success() -> Result<Answer, HttpError> {
    answer(200, r#"{"access_token":"t"}"#)
}

pub(super) fn url() -> Url {
    Url::parse("https://as.example/token").unwrap()
}

pub(super) fn client() -> Client {
    Client {
        client_id: "me".to_owned(),
        secret: None,
        authentication: ClientAuthentication::None,
        credential: crate::oauth::assertion::Credential::None,
        authorization_url: Some(url()),
        device_url: Some(url()),
        token_url: url(),
        scopes: Vec::new(),
        extra: Vec::new(),
        pkce: true,
        issuer: None,
        iss_promised: false,
        pushed: None,
        id_token_issuers: Vec::new(),
        signing: crate::oauth::signing::Signing::default(),
        poll_url: None,
        dialect: Dialect::default(),
    }
}

pub(super) fn script(answers: Vec<Result<Answer, HttpError>>) -> Script {
    Script {
        answers: Mutex::new(answers.into()),
        asked: Mutex::default(),
        requests: Mutex::default(),
        release: None,
    }
}

/// Creates a reporter. The handle returns the events once the reporter is dropped.
pub(super) fn reporter() -> (Reporter, JoinHandle<Vec<FlowEvent>>) {
    let (reports, mut events) = mpsc::channel(16);
    let reporter = Reporter::new(Attempts::default().begin(), reports, TaskTracker::new());
    let told = tokio::spawn(async move {
        let mut told = Vec::new();
        while let Some((_, event)) = events.recv().await {
            told.push(event);
        }
        told
    });
    (reporter, told)
}
