//! The authorization code flow (RFC 6749, section 4.1), for a native application (RFC 8252).

use std::time::SystemTime;

use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use super::event::{FlowError, FlowEvent, Step};
use super::exchange::exchange;
use super::http::Http;
use super::listener::{self, Listener, ResponseMode};
use super::reporter::Reporter;
use super::sign_in::{SignedIn, Sources, sign_in};
use crate::certificate;
use crate::form::request::FlowRequest;
use crate::oauth::client::RequestError;
use crate::oauth::token::TokenSet;
use crate::secret::SecretString;

/// Gets tokens for a sign-in in the browser.
pub(super) async fn authorization_code(
    request: &FlowRequest,
    pastes: mpsc::Receiver<SecretString>,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::new(request.ca_file.as_deref()).await?;
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
    let listening = listener.as_ref().map(Listener::places).unwrap_or_default();
    let certificate = listener.as_ref().and_then(Listener::certificate);
    reporter
        .report(FlowEvent::SignIn {
            url,
            redirect_url,
            listening,
            certificate: certificate.cloned().map(Box::new),
        })
        .await;
    let mut sources = Sources { listener, pastes };
    match sign_in(&http, client, &pending, &mut sources, reporter).await {
        Ok(SignedIn::Code(arrived)) => {
            // The answer to the browser is sent while the code is exchanged.
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

/// Listens on the redirect URL. `None` if this machine cannot: the URL that the browser was sent to can still be pasted.
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
