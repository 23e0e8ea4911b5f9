//! The authorization code flow (RFC 6749, section 4.1), for a native application (RFC 8252).

use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use super::event::{FlowError, FlowEvent, Step};
use super::exchange::exchange;
use super::http::{Http, Transport};
use super::listener::{self, Listener, ResponseMode};
use super::reporter::Reporter;
use super::sign_in::{SignedIn, Sources, sign_in};
use crate::certificate;
use crate::form::request::FlowRequest;
use crate::oauth::client::{Client, Pushed};
use crate::oauth::pushed::parse_kept;
use crate::oauth::request::RequestError;
use crate::oauth::token::TokenSet;
use crate::secret::SecretString;
use crate::words::duration;

/// Gets tokens with a sign-in in the browser.
pub(super) async fn authorization_code(
    request: &FlowRequest,
    pastes: mpsc::Receiver<SecretString>,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::of(&request.client, request.ca_file.as_deref()).await?;
    let redirect_url = request
        .redirect_url
        .as_ref()
        .ok_or(RequestError::REDIRECT_URL)?;
    let listener = listen(request, redirect_url, reporter).await?;
    let redirect_url = listener.as_ref().map(Listener::redirect_url).map_or_else(
        || redirect_url.clone(),
        |url| redirect_url.with_port_of(url),
    );
    let (url, pending) = client.authorization_request(&redirect_url)?;
    reporter.remember([&pending.state]);
    reporter.remember(pending.nonce.iter().chain(&pending.verifier));
    let (url, note) = match &client.pushed {
        Some(pushed) => push(&http, client, pushed, url, reporter).await?,
        None => (url, None),
    };
    let listening = listener.as_ref().map(Listener::places).unwrap_or_default();
    let certificate = listener.as_ref().and_then(Listener::certificate);
    let notes = [
        listener
            .as_ref()
            .and_then(Listener::note)
            .map(str::to_owned),
        note,
    ];
    reporter
        .report(FlowEvent::SignIn {
            url,
            redirect_url,
            listening,
            certificate: certificate.cloned().map(Box::new),
        })
        .await;
    for note in notes.into_iter().flatten() {
        reporter.report(FlowEvent::Note(note)).await;
    }
    let mut sources = Sources { listener, pastes };
    match sign_in(&http, client, &pending, &mut sources, reporter).await {
        Ok(SignedIn::Code(arrived)) => {
            // Send the page to the browser while the code is exchanged.
            let (tokens, ()) = tokio::join!(
                exchange(&http, client, &arrived, &pending, reporter),
                sources.finish()
            );
            tokens
        }
        Ok(SignedIn::Tokens(tokens)) => {
            sources.finish().await;
            Ok(*tokens)
        }
        Err(error) => {
            sources.finish().await;
            Err(error)
        }
    }
}

/// Pushes the parameters of the authorization URL to the service (RFC 9126). Returns the URL to open instead, and a
/// note for the user.
///
/// If the service doesn't require pushed requests, a failure doesn't end the sign-in: the URL then contains the
/// parameters, and the service reports what is wrong with them.
async fn push(
    transport: &impl Transport,
    client: &Client,
    pushed: &Pushed,
    url: Url,
    reporter: &Reporter,
) -> Result<(Url, Option<String>), FlowError> {
    reporter.report(FlowEvent::Began(Step::Pushed)).await;
    let begin = Instant::now();
    let request = client.pushed_request(&pushed.url, &url)?;
    let kept = match reporter.send(transport, &request).await {
        Ok(answer) => parse_kept(&answer, &client.dialect.answers).map_err(FlowError::from),
        Err(error) => Err(error.into()),
    };
    match kept {
        Ok(kept) => {
            reporter.report(FlowEvent::Done(begin.elapsed())).await;
            let note = kept.expires_in.map(|time| {
                format!(
                    "Open the URL within {} of the start of this sign-in. After that, the service rejects it: start again to get a \
                     new one.",
                    duration(time.as_secs())
                )
            });
            Ok((client.pushed_authorization(&kept)?, note))
        }
        Err(error) if pushed.required => Err(error),
        Err(error) => {
            reporter.report(FlowEvent::Done(begin.elapsed())).await;
            let note = format!(
                "{} The service doesn't require such requests, so the URL contains the parameters instead.",
                error.sentence()
            );
            Ok((url, Some(note)))
        }
    }
}

/// Listens on the redirect URL. Returns `None` if this machine can't; the user can still paste the final URL.
async fn listen(
    request: &FlowRequest,
    redirect_url: &Url,
    reporter: &Reporter,
) -> Result<Option<Listener>, FlowError> {
    let files = request.certificate.as_ref();
    if !listener::can_be_here(
        redirect_url,
        request.listen,
        request.listener,
        files.is_some(),
    ) {
        return Ok(None);
    }
    reporter.report(FlowEvent::Began(Step::Listen)).await;
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
        if request.client.requests_form_post() {
            ResponseMode::FormPost
        } else {
            ResponseMode::Query
        },
        reporter.tasks(),
    )
    .await?;
    reporter.report(FlowEvent::Done(begin.elapsed())).await;
    Ok(Some(listener))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::http_error::HttpError;
    use crate::flow::scripted::{answer, client, late, reporter, script, unreached, url};
    use crate::oauth::answer::Answer;

    /// Returns the URL for the browser, and the note about it.
    async fn pushed(
        required: bool,
        reply: Result<Answer, HttpError>,
    ) -> Result<(Url, Option<String>), FlowError> {
        let (script, client) = (script(vec![reply]), client());
        let (opened, _) = client.authorization_request(&url().into()).unwrap();
        let pushed = Pushed {
            url: url(),
            required,
        };
        let (reporter, told) = reporter();
        let outcome = push(&script, &client, &pushed, opened, &reporter).await;
        drop(reporter);
        let told = told.await.unwrap();
        let steps = |event: &&FlowEvent| matches!(event, FlowEvent::Began(Step::Pushed));
        assert_eq!(told.iter().filter(steps).count(), 1);
        assert_eq!(script.asked.into_inner().unwrap().len(), 1);
        outcome
    }

    #[tokio::test]
    async fn pushed_url_has_request_uri_and_note_gives_lifetime() {
        let body = r#"{"request_uri":"urn:x:1","expires_in":60}"#;
        for required in [false, true] {
            let (url, note) = pushed(required, answer(201, body)).await.unwrap();
            assert_eq!(url.query(), Some("client_id=me&request_uri=urn%3Ax%3A1"));
            assert!(note.unwrap().starts_with("Open the URL within 60 seconds"));
        }
    }

    #[tokio::test]
    async fn push_failure_ends_sign_in_only_when_required() {
        for reply in [
            || answer(400, r#"{"error":"invalid_request"}"#),
            || answer(201, "{}"),
            || answer(404, "<html>"),
            || answer(503, ""),
            || late(),
            || unreached(),
            || {
                Err(HttpError::Redirected {
                    host: "as.example".to_owned(),
                    target: "other.example".to_owned(),
                    error: None,
                })
            },
        ] {
            let (url, note) = pushed(false, reply()).await.unwrap();
            assert!(url.query().unwrap().contains("code_challenge="), "{url}");
            assert!(note.unwrap().contains("the URL contains the parameters"));
            assert!(pushed(true, reply()).await.is_err());
        }
    }
}
