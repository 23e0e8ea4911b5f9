//! Waits for the authorization code of a sign-in, from the browser or pasted.

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::event::{FlowError, FlowEvent, Step};
use super::exchange::exchange;
use super::http::Transport;
use super::http_error::HttpError;
use super::listener::{Arrival, Astray, Listener, ListenerEvent, Stray};
use super::pages::Page;
use super::reporter::Reporter;
use crate::oauth::asked::Asked;
use crate::oauth::authcode::{
    Arrived, Callback, is_of_sign_in, parse_callback, parse_paste, unverified_error,
};
use crate::oauth::client::{Client, Pending};
use crate::oauth::dialect::Answers;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::pasted::{self, Pasted};
use crate::oauth::token::TokenSet;
use crate::secret::{ExposeSecret, SecretString, same};

/// Maximum number of codes with a lost response that are remembered. The user pasted each of them.
const LOST_CODES: usize = 16;

/// The message about a response that was sent by POST, which the sign-in didn't request.
const BY_POST: &str = "the service sent it by POST, which this sign-in didn't request. Add response_mode=form_post to \
    Extra parameters to accept that, or response_mode=query if the service allows it";

/// What to do about a response to a URL that is not the redirect URL.
const ELSEWHERE: &str = "Register exactly Redirect URL with the service, or change Redirect URL";

/// The message about a connection with TLS to a listener without it, for an http redirect URL and behind a proxy.
const BY_TLS: &str = "the browser used https, but Redirect URL starts with http. Change https to http in the browser's \
    address bar, or paste the URL from there";
const PROXY_BY_TLS: &str =
    "the proxy used https, but the listener expects http. Let the proxy connect to it by http";

/// The message about a request without TLS to an https listener.
const BY_HTTP: &str = "the browser used http, but Redirect URL starts with https. Change http to https in the browser's \
    address bar, or paste the URL from there";

/// The result of waiting for a code.
pub(super) enum SignedIn {
    /// A code that came with the state of this sign-in. It must still be exchanged.
    Code(Arrived),
    /// The tokens of a code that was pasted without state.
    Tokens(Box<TokenSet>),
}

/// The sources of a code.
pub(super) struct Sources {
    /// `None` if the program can't listen on the redirect URL.
    pub(super) listener: Option<Listener>,
    pub(super) pastes: mpsc::Receiver<SecretString>,
}

enum Incoming {
    FromBrowser(ListenerEvent),
    Pasted(SecretString),
}

impl Sources {
    /// Waits for the next input.
    async fn next(&mut self) -> Incoming {
        tokio::select! {
            event = next_listener_event(&mut self.listener) => Incoming::FromBrowser(event),
            Some(paste) = self.pastes.recv() => Incoming::Pasted(paste),
        }
    }

    /// Frees the port, and sends the pending responses to the browser.
    pub(super) async fn finish(self) {
        if let Some(listener) = self.listener {
            listener.finish().await;
        }
    }
}

/// Waits for the next request from the browser. Never resolves without a listener. Dropping the wait loses nothing.
async fn next_listener_event(listener: &mut Option<Listener>) -> ListenerEvent {
    if let Some(listener) = listener
        && let Some(event) = listener.next().await
    {
        return event;
    }
    std::future::pending().await
}

/// Waits for the code of this sign-in.
///
/// Only the service can tell whether a code that was pasted without state is the right code, so this function exchanges
/// such a code. If the service rejects the code, the wait continues, unless the right code would fail in the same way.
/// A callback from the browser takes precedence, even during that exchange.
pub(super) async fn sign_in(
    transport: &impl Transport,
    client: &Client,
    pending: &Pending,
    sources: &mut Sources,
    reporter: &Reporter,
) -> Result<SignedIn, FlowError> {
    // Codes that may have been used up, the latest first.
    let mut lost: Vec<SecretString> = Vec::new();
    // The code of a callback that arrived during an exchange.
    let mut next: Option<Arrived> = None;
    loop {
        reporter.report(FlowEvent::Began(Step::SignIn)).await;
        let begin = Instant::now();
        let arrived = match next.take() {
            Some(arrived) => arrived,
            None => next_code(sources, pending, client, reporter).await?,
        };
        reporter.report(FlowEvent::Done(begin.elapsed())).await;
        let has_state = arrived.has_state();
        let used_up = lost
            .iter()
            .any(|code| same(code, arrived.code.expose_secret()));
        let error: FlowError = if used_up {
            let asked = Asked::Exchange;
            Failure::UsedUp { asked, error: None }.into()
        } else if has_state {
            reporter.checks(arrived.checks.iter().cloned()).await;
            return Ok(SignedIn::Code(arrived));
        } else {
            let listener = &mut sources.listener;
            match exchange_or_callback(transport, client, pending, &arrived, listener, reporter)
                .await?
            {
                Tried::Superseded(code) => {
                    next = Some(code);
                    continue;
                }
                Tried::Exchanged(Ok(mut tokens), again) => {
                    let checks = match again {
                        Some(again) => {
                            tokens.kept.extend(again.kept);
                            again.checks
                        }
                        None => arrived.checks,
                    };
                    reporter.checks(checks).await;
                    return Ok(SignedIn::Tokens(tokens));
                }
                Tried::Exchanged(Err(error), again) => {
                    next = again;
                    error
                }
            }
        };
        let reason = rejection(&error, &client.dialect.answers);
        let Some(reason) = reason.filter(|_| !has_state) else {
            reporter.checks(arrived.checks).await;
            return Err(error);
        };
        if matches!(error, FlowError::Lost(_)) {
            lost.insert(0, arrived.code);
            lost.truncate(LOST_CODES);
        }
        reporter.report(FlowEvent::PasteRefused(reason)).await;
    }
}

/// The result of trying a code that was pasted without state.
enum Tried {
    /// The exchange ended. Meanwhile the browser may have sent the same code with its state.
    Exchanged(Result<Box<TokenSet>, FlowError>, Option<Arrived>),
    /// The exchange was dropped, because the browser sent another code with the state of this sign-in.
    Superseded(Arrived),
}

/// Exchanges a code that was pasted without state. Responds to callbacks meanwhile. Further pastes wait in their
/// bounded channel, so that they are tried in order.
async fn exchange_or_callback(
    transport: &impl Transport,
    client: &Client,
    pending: &Pending,
    arrived: &Arrived,
    listener: &mut Option<Listener>,
    reporter: &Reporter,
) -> Result<Tried, FlowError> {
    let exchange = exchange(transport, client, arrived, pending, reporter);
    let mut exchange = std::pin::pin!(exchange);
    let mut again = None;
    loop {
        let event = tokio::select! {
            biased;
            tokens = &mut exchange => return Ok(Tried::Exchanged(tokens.map(Box::new), again)),
            event = next_listener_event(listener) => event,
        };
        let incoming = Incoming::FromBrowser(event);
        let Some(code) = receive(incoming, pending, client, reporter).await? else {
            continue;
        };
        if !same(&arrived.code, code.code.expose_secret()) {
            return Ok(Tried::Superseded(code));
        }
        // A code must not be sent twice, so let its exchange continue.
        again = Some(code);
    }
}

/// Waits for a code. Any other input doesn't end the wait.
async fn next_code(
    sources: &mut Sources,
    pending: &Pending,
    client: &Client,
    reporter: &Reporter,
) -> Result<Arrived, FlowError> {
    loop {
        let incoming = sources.next().await;
        if let Some(arrived) = receive(incoming, pending, client, reporter).await? {
            return Ok(arrived);
        }
    }
}

/// Reads and answers an input. Returns `None` if it is not a code of this sign-in.
async fn receive(
    incoming: Incoming,
    pending: &Pending,
    client: &Client,
    reporter: &Reporter,
) -> Result<Option<Arrived>, FlowError> {
    let mut is_empty = false;
    let (callback, browser, unverified) = match incoming {
        Incoming::FromBrowser(ListenerEvent::Stray(stray)) => {
            reporter.report(of_stray(stray, pending)).await;
            return Ok(None);
        }
        Incoming::FromBrowser(ListenerEvent::Arrival(Arrival {
            astray: Some(astray),
            query,
            posted,
            answer,
        })) => {
            report_astray(&astray, query.expose_secret(), posted, pending, reporter).await;
            let _ = answer.send(astray.page());
            return Ok(None);
        }
        Incoming::FromBrowser(ListenerEvent::Arrival(arrival)) => {
            let query = arrival.query.expose_secret();
            let callback = parse_callback(query, pending, client);
            // An error with the right state ends the sign-in, however it is sent.
            let is_unrequested = arrival.posted && !client.requests_form_post();
            if is_unrequested && !matches!(callback, Callback::Ended(_)) {
                let _ = arrival.answer.send(Page::Posted);
                reporter
                    .report(FlowEvent::NotOurs(BY_POST.to_owned()))
                    .await;
                return Ok(None);
            }
            let source = source(arrival.posted);
            reporter.callback(source, query, &callback).await;
            is_empty = query.is_empty() && !arrival.posted;
            (callback, Some(arrival.answer), unverified_error(query))
        }
        Incoming::Pasted(paste) => {
            let text = paste.expose_secret();
            let query = match pasted::read(text) {
                Pasted::Query(query) => SecretString::from(query),
                Pasted::Url | Pasted::Text(_) => SecretString::from(text.trim()),
            };
            let callback = parse_paste(text, pending, client);
            let query = query.expose_secret();
            reporter.callback("Pasted", query, &callback).await;
            (callback, None, unverified_error(query))
        }
    };
    let pasted = browser.is_none();
    // A callback counts even if the browser has disconnected.
    let answer = |page| browser.map(|browser| browser.send(page));
    match callback {
        Callback::Code(arrived) => {
            answer(Page::Received);
            return Ok(Some(arrived));
        }
        Callback::Ended(failure) => {
            answer(Page::Refused);
            return Err(failure.into());
        }
        Callback::NotOurs(reason) | Callback::Invalid(reason) | Callback::Unverified(reason)
            if pasted =>
        {
            report_unverified(unverified, reporter).await;
            reporter.report(FlowEvent::PasteRefused(reason)).await;
        }
        Callback::Unverified(reason) => {
            answer(Page::Unverified);
            report_unverified(unverified, reporter).await;
            reporter.report(FlowEvent::NotOurs(reason)).await;
        }
        Callback::Invalid(reason) => {
            answer(Page::Invalid);
            reporter.report(FlowEvent::NotOurs(reason)).await;
        }
        Callback::NotOurs(reason) => {
            answer(if is_empty { Page::Empty } else { Page::NotOurs });
            report_unverified(unverified, reporter).await;
            reporter.report(FlowEvent::NotOurs(reason)).await;
        }
    }
    Ok(None)
}

fn source(posted: bool) -> &'static str {
    if posted {
        "POST, from the browser"
    } else {
        "GET, from the browser"
    }
}

/// Returns the report of a request that is not a callback.
fn of_stray(stray: Stray, pending: &Pending) -> FlowEvent {
    let reason = match stray {
        Stray::Post => BY_POST,
        Stray::Tls if pending.redirect_url.scheme() == "https" => PROXY_BY_TLS,
        Stray::Tls => BY_TLS,
        Stray::NoTls => BY_HTTP,
        stray => return FlowEvent::Stray(stray),
    };
    FlowEvent::NotOurs(reason.to_owned())
}

/// Reports a response to a URL that is not the redirect URL. Its code is not used, and without the state of this sign-in
/// it is like any other request.
async fn report_astray(
    astray: &Astray,
    query: &str,
    posted: bool,
    pending: &Pending,
    reporter: &Reporter,
) {
    if !is_of_sign_in(query, pending) {
        return reporter.report(FlowEvent::Stray(astray.stray)).await;
    }
    let error = unverified_error(query);
    let reason = match &error {
        Some(error) => format!("{}. {ELSEWHERE}. It says: {error}", astray.reason()),
        None => format!(
            "{}. {ELSEWHERE}. Or paste the URL from the browser's address bar",
            astray.reason()
        ),
    };
    let callback = Callback::NotOurs(reason.clone());
    reporter.callback(source(posted), query, &callback).await;
    report_unverified(error, reporter).await;
    reporter.report(FlowEvent::NotOurs(reason)).await;
}

/// Reports an error that came without the right state. The sign-in continues.
async fn report_unverified(error: Option<ServerError>, reporter: &Reporter) {
    if let Some(error) = error {
        reporter.report(FlowEvent::Unverified(error)).await;
    }
}

/// Returns why a code that was pasted without state was rejected, as part of a sentence. Returns `None` if the right
/// code would fail in the same way.
fn rejection(error: &FlowError, answers: &Answers) -> Option<String> {
    let plain = |error: &FlowError| error.to_string().trim_end_matches('.').to_owned();
    Some(match error {
        FlowError::Protocol(Failure::Server { error, .. })
            if answers.is_about_the_client(error) =>
        {
            return None;
        }
        FlowError::Protocol(Failure::Server { error, .. }) if answers.is_about_the_code(error) => {
            format!("the service doesn't recognize this code ({error})")
        }
        FlowError::Protocol(Failure::Server { error, .. }) => {
            format!("the service rejected this code ({error})")
        }
        // The right code would fail in the same way.
        FlowError::Protocol(Failure::Unusable { status: 401, .. } | Failure::Useless { .. }) => {
            return None;
        }
        FlowError::Protocol(Failure::Unusable { reason, .. }) => {
            format!("invalid response from the service: {reason}")
        }
        FlowError::Protocol(Failure::UsedUp { .. }) => {
            "an earlier response was lost, so this code has probably been used up. Start again"
                .to_owned()
        }
        FlowError::Lost(error) => {
            let cause = rejection(error, answers).unwrap_or_else(|| plain(error));
            let used_up = error.used_up();
            format!("{cause}. If it was the right code, it {used_up} been used up: start again")
        }
        FlowError::Protocol(Failure::Unavailable { .. })
        | FlowError::Http(HttpError::Redirected { .. }) => plain(error),
        // The other errors are not about a response.
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio_util::task::TaskTracker;
    use url::Url;

    use super::*;
    use crate::flow::listener::ResponseMode;
    use crate::flow::scripted::{
        answer, client, error, late, lost, reporter, script, success, url,
    };
    use crate::form::choices::ListenerChoice;
    use crate::oauth::answer::Answer;
    use crate::oauth::check::{Check, CheckName, Outcome};

    /// Waits for a sign-in while `pastes` arrive, with `{state}` replaced with its state. Returns how often a code was
    /// sent, the rejected pastes, and the outcome; `None` if the wait continues.
    async fn pasted(
        pastes: &[&str],
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (usize, Vec<String>, Option<Result<SignedIn, FlowError>>) {
        let (script, mut client) = (script(answers), client());
        client.dialect.answers.unknown_code = vec!["bad_verification_code".to_owned()];
        let (_, pending) = client.authorization_request(&url().into()).unwrap();
        let (sender, inbox) = mpsc::channel(pastes.len());
        for paste in pastes {
            let text = paste.replace("{state}", pending.state.expose_secret());
            sender.send(text.into()).await.unwrap();
        }
        let (reporter, told) = reporter();
        let mut sources = Sources {
            listener: None,
            pastes: inbox,
        };
        let wait = sign_in(&script, &client, &pending, &mut sources, &reporter);
        let never = Duration::from_hours(1);
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

    #[tokio::test(start_paused = true)]
    async fn rejected_bare_code_does_not_end_the_wait() {
        for (refusal, words) in [
            (
                error("invalid_grant"),
                "doesn't recognize this code (invalid_grant)",
            ),
            (
                error("bad_verification_code"),
                "doesn't recognize this code",
            ),
            (error("expired_token"), "doesn't recognize this code"),
            (error("made_up"), "rejected this code (made_up)"),
            (error("invalid_request"), "rejected this code"),
            (error("access_denied"), "rejected this code"),
            (answer(200, r#"{"error":"made_up"}"#), "rejected this code"),
            (answer(404, "<html>"), "it is a web page"),
            (answer(200, "<html>"), "it is a web page"),
            (answer(200, ""), "it is empty"),
            (
                answer(500, ""),
                "The service has a problem (HTTP 500). If it was the right code",
            ),
            (
                answer(502, "<html>"),
                "it has probably been used up: start again",
            ),
            (
                answer(429, ""),
                "The service is busy (HTTP 429). If it was the right code, it may have been used up: start again",
            ),
            (late(), "did not respond in time. If it was the right code"),
            (lost(), "start again"),
            (
                Err(HttpError::Redirected {
                    host: "as.example".to_owned(),
                    target: "other.example".to_owned(),
                    error: None,
                }),
                "redirects the request",
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

    #[tokio::test]
    async fn unverified_callback_is_reported_on_page_and_in_terminal() {
        let queries = [
            "error=unauthorized_client&error_description=Client+nobody",
            "",
            "code=x&state=forged",
            "code=a-bare-code&state={state}",
        ];
        let called = called(&queries, success()).await;
        for (page, words) in called.pages.iter().zip([
            "your terminal shows it",
            "No response received",
            "Open the URL shown in your terminal",
            "Almost done",
        ]) {
            assert!(page.contains(words), "{page}");
            assert!(
                !page.contains("nobody") && !page.contains("unauthorized_client"),
                "{page}"
            );
        }
        let told: Vec<&str> = called.not_ours.iter().map(String::as_str).collect();
        assert_eq!(
            told[0],
            "it has no state, so it is unverified. It says: unauthorized_client: Client nobody"
        );
        assert!(told[1].contains("after a #"), "{told:?}");
        assert_eq!(told.len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn errors_unrelated_to_the_code_end_the_wait() {
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
            hint: "Ask.",
        });
        let (_, _, outcome) = pasted(&["a-wrong-code"], vec![certificate]).await;
        assert!(matches!(outcome, Some(Err(FlowError::Http(_)))));
    }

    #[tokio::test(start_paused = true)]
    async fn code_with_a_lost_response_is_not_sent_again() {
        let again = ["a-bare-code", "a-bare-code"];
        let (times, refused, outcome) = pasted(&again, vec![late(), success()]).await;
        assert!(times == 1 && outcome.is_none());
        assert!(
            refused[1].contains("this code has probably been used up"),
            "{refused:?}"
        );
        // The same code with its state is the right code, and lost.
        let with_state = ["a-bare-code", "?code=a-bare-code&state={state}"];
        let (times, _, outcome) = pasted(&with_state, vec![answer(502, ""), success()]).await;
        let Some(Err(error)) = outcome else {
            unreachable!()
        };
        assert_eq!(times, 1);
        assert_eq!(
            error.to_string(),
            "An earlier response was lost, so the authorization code has probably been used up."
        );
        assert_eq!(error.hint(), "Start again.");
        // A different code is not lost.
        let other = ["a-bare-code", "?code=another-code&state={state}"];
        let (_, _, outcome) = pasted(&other, vec![lost()]).await;
        assert!(matches!(outcome, Some(Ok(SignedIn::Code(_)))));
    }

    /// Sends the request of a browser, or posts what follows `POST ` as a form. Returns the response.
    async fn browse(redirect_url: &Url, query: &str) -> String {
        let port = redirect_url.port().unwrap();
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let headers = format!("HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n");
        let request = match query.strip_prefix("POST ") {
            Some(form) => format!(
                "POST / {headers}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
            None if query.starts_with('/') => format!("GET {query} {headers}\r\n"),
            None => format!("GET /?{query} {headers}\r\n"),
        };
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    /// The result of callbacks during the exchange of a pasted code.
    struct Called {
        pages: Vec<String>,
        /// How often a code was sent.
        times: usize,
        checks: Vec<Check>,
        /// The reasons for the callbacks that were rejected.
        not_ours: Vec<String>,
        unverified: Vec<ServerError>,
        outcome: Result<SignedIn, FlowError>,
    }

    /// Pastes `a-bare-code`, and sends callbacks with these queries before the service sends `answer`. `{state}` is
    /// replaced with the state of the sign-in.
    async fn called(queries: &[&str], answer: Result<Answer, HttpError>) -> Called {
        let (mut script, mut client) = (script(vec![answer]), client());
        let release = script.release.insert(Arc::default()).clone();
        client.dialect.callback.keep = vec!["shop".to_owned()];
        let redirect_url = Url::parse("http://127.0.0.1:0/").unwrap();
        let (kind, tasks) = (ListenerChoice::Loopback, TaskTracker::new());
        let listener =
            Listener::bind(&redirect_url, None, kind, None, ResponseMode::Query, &tasks).await;
        let listener = listener.unwrap();
        let redirect_url = listener.redirect_url().clone();
        let (_, pending) = client
            .authorization_request(&redirect_url.clone().into())
            .unwrap();
        let (sender, pastes) = mpsc::channel(1);
        sender.send("a-bare-code".into()).await.unwrap();
        let mut sources = Sources {
            listener: Some(listener),
            pastes,
        };
        let (reporter, told) = reporter();
        let sign_in = sign_in(&script, &client, &pending, &mut sources, &reporter);
        let browser = async {
            while script.asked.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
            let mut pages = Vec::new();
            for query in queries {
                let query = query.replace("{state}", pending.state.expose_secret());
                pages.push(browse(&redirect_url, &query).await);
            }
            release.notify_one();
            pages
        };
        let both = async { tokio::join!(sign_in, browser) };
        let limit = Duration::from_secs(10);
        let (outcome, pages) = tokio::time::timeout(limit, both).await.unwrap();
        sources.finish().await;
        drop(reporter);
        let (mut checks, mut not_ours, mut unverified) = (Vec::new(), Vec::new(), Vec::new());
        for event in told.await.unwrap() {
            match event {
                FlowEvent::Check(check) => checks.push(check),
                FlowEvent::NotOurs(reason) => not_ours.push(reason),
                FlowEvent::Unverified(error) => unverified.push(error),
                _ => {}
            }
        }
        Called {
            pages,
            times: script.asked.into_inner().unwrap().len(),
            checks,
            not_ours,
            unverified,
            outcome,
        }
    }

    #[tokio::test]
    async fn callback_is_handled_during_exchange_of_a_pasted_code() {
        let queries = ["code=x&state=forged", "code=another-code&state={state}"];
        let called = called(&queries, success()).await;
        let [forged, right] = &called.pages[..] else {
            unreachable!()
        };
        assert!(forged.contains("This sign-in doesn't match"), "{forged}");
        assert!(right.contains("Almost done"), "{right}");
        let Ok(SignedIn::Code(code)) = called.outcome else {
            unreachable!()
        };
        assert_eq!(code.code.expose_secret(), "another-code");
        assert_eq!((called.times, called.checks), (1, code.checks));
    }

    #[tokio::test]
    async fn error_callback_ends_sign_in_during_pasted_code_exchange() {
        let called = called(&["error=access_denied&state={state}"], success()).await;
        assert!(called.pages[0].contains("Sign-in failed"));
        let denied = Failure::Denied {
            polled: false,
            error: ServerError::new("access_denied", None),
        };
        let Err(FlowError::Protocol(failure)) = called.outcome else {
            unreachable!()
        };
        assert_eq!(failure, denied);
    }

    #[tokio::test]
    async fn response_at_a_wrong_path_is_reported_but_not_used() {
        let queries = [
            "/cb?code=another-code&state={state}",
            "/cb?error=access_denied&error_description=No&state={state}",
            "/cb?code=another-code&state=forged",
            "/cb?code=another-code&state={state}&state={state}",
            "/cb?code=another-code",
        ];
        let called = called(&queries, success()).await;
        for page in &called.pages {
            assert!(page.starts_with("HTTP/1.1 404 "), "{page}");
            assert!(!page.contains("another-code"), "{page}");
        }
        let place = "it came to the path /cb, but Redirect URL has /";
        assert_eq!(
            called.not_ours,
            [
                format!("{place}. {ELSEWHERE}. Or paste the URL from the browser's address bar"),
                format!("{place}. {ELSEWHERE}. It says: access_denied: No")
            ]
        );
        let denied = ServerError::new("access_denied", Some("No"));
        assert_eq!(called.unverified, [denied]);
        assert!(matches!(called.outcome, Ok(SignedIn::Tokens(_))));
        assert_eq!(called.times, 1);
    }

    #[test]
    fn connection_with_the_other_scheme_is_explained() {
        let (_, mut pending) = client().authorization_request(&url().into()).unwrap();
        let mut told = |url: &str, stray| {
            pending.redirect_url = Url::parse(url).unwrap().into();
            match of_stray(stray, &pending) {
                FlowEvent::NotOurs(reason) => reason,
                other => format!("{other:?}"),
            }
        };
        assert_eq!(told("http://127.0.0.1/", Stray::Tls), BY_TLS);
        assert_eq!(told("https://mail.example/", Stray::Tls), PROXY_BY_TLS);
        assert_eq!(told("https://127.0.0.1/", Stray::NoTls), BY_HTTP);
        assert_eq!(told("http://127.0.0.1/", Stray::Connection), "Stray");
    }

    #[tokio::test]
    async fn posted_form_that_was_not_requested_counts_only_as_an_error_with_the_state() {
        let queries = [
            "POST code=another-code&state={state}",
            "POST error=access_denied&state=forged",
            "POST error=invalid_scope&error_description=No+such+scope&state={state}",
        ];
        let called = called(&queries, success()).await;
        for (page, words) in called.pages.iter().zip([
            "sent its response by POST",
            "sent its response by POST",
            "Sign-in failed",
        ]) {
            assert!(page.contains(words), "{page}");
        }
        assert_eq!(called.not_ours, [BY_POST, BY_POST]);
        let error = ServerError::new("invalid_scope", Some("No such scope"));
        let Err(FlowError::Protocol(failure)) = called.outcome else {
            unreachable!()
        };
        assert_eq!(failure, Failure::Callback(error));
    }

    #[tokio::test]
    async fn callback_with_the_pasted_code_does_not_resend_it() {
        let query = ["code=a-bare-code&state={state}&shop=1"];
        let right = called(&query, success()).await;
        assert!(right.pages[0].contains("Almost done"));
        let Ok(SignedIn::Tokens(tokens)) = right.outcome else {
            unreachable!()
        };
        assert_eq!((right.times, tokens.kept.len()), (1, 1));
        let state = |check: &&Check| check.name == CheckName::State;
        let outcomes = right.checks.iter().filter(state).map(|check| check.outcome);
        assert_eq!(outcomes.collect::<Vec<_>>(), [Outcome::Passed]);
        let lost = called(&query, late()).await;
        assert_eq!(lost.times, 1);
        assert!(matches!(
            lost.outcome,
            Err(FlowError::Protocol(Failure::UsedUp { .. }))
        ));
    }

    #[tokio::test]
    async fn error_without_valid_state_is_reported_but_ends_nothing() {
        let words = "error_description=Client+nobody";
        let queries = [
            &format!("error=unauthorized_client&{words}"),
            &format!("error=access_denied&state=forged&{words}"),
            "code=x&state=forged",
        ];
        let called = called(&queries, success()).await;
        let error = |code| ServerError::new(code, Some("Client nobody"));
        assert_eq!(
            called.unverified,
            [error("unauthorized_client"), error("access_denied")]
        );
        assert!(called.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn paste_from_another_sign_in_is_refused() {
        let pastes = [
            "?code=a-code&state=forged",
            "?error=access_denied",
            "?code=a-code&state={state}",
        ];
        let (times, refused, outcome) = pasted(&pastes, Vec::new()).await;
        assert!(matches!(outcome, Some(Ok(SignedIn::Code(_)))));
        assert_eq!(times, 0);
        let [forged, unverified] = &refused[..] else {
            unreachable!("{refused:?}")
        };
        assert!(forged.contains("a different sign-in"), "{forged}");
        assert!(unverified.contains("it is unverified"), "{unverified}");
    }

    #[tokio::test(start_paused = true)]
    async fn client_rejected_without_explanation_ends_the_wait() {
        for (refusal, ends) in [
            (answer(401, "<html>"), true),
            (answer(401, ""), true),
            (answer(400, ""), false),
        ] {
            let (_, refused, outcome) = pasted(&["a-wrong-code"], vec![refusal]).await;
            assert_eq!(matches!(outcome, Some(Err(_))), ends);
            assert_eq!(refused.is_empty(), ends, "{refused:?}");
        }
    }
}
