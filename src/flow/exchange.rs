//! The exchange of an authorization code for tokens (RFC 6749, section 4.1.3).

use std::time::Duration;

use tokio::time::Instant;

use super::event::{FlowError, FlowEvent, Step};
use super::http::Transport;
use super::http_error::HttpError;
use super::keys::{Keys, check_sign_in};
use super::reporter::Reporter;
use crate::clock::unix_time;
use crate::oauth::asked::Asked;
use crate::oauth::authcode::Arrived;
use crate::oauth::authentication::check_authentication;
use crate::oauth::check::{check_pkce, check_tls};
use crate::oauth::client::{Client, Pending};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::{Fate, TokenSet, parse_token_answer};

/// How long an exchange is retried while no connection is possible. Codes are short-lived.
const RETRY_LIMIT: Duration = Duration::from_secs(45);

/// Exchanges a code and checks the tokens of the response.
pub(super) async fn exchange(
    transport: &impl Transport,
    client: &Client,
    arrived: &Arrived,
    pending: &Pending,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    reporter.report(FlowEvent::Began(Step::Exchange)).await;
    let begin = Instant::now();
    let token_url = arrived.token_url.as_ref().unwrap_or(&client.token_url);
    let request = client.exchange_request(token_url, &arrived.code, pending)?;
    let mut pause = Duration::from_secs(1);
    let mut tokens = loop {
        // Retry only if there was no connection. A gateway may report a busy service that has already taken the code.
        let error: FlowError = match reporter.send(transport, &request).await {
            Ok(answer) => {
                let reading = parse_token_answer(&answer, &client.dialect.answers);
                let fate = answer.fate(Asked::Exchange, &reading);
                let tokens = reading.into_tokens(Asked::Exchange, &answer);
                match (tokens.map_err(FlowError::from), fate) {
                    (Ok(tokens), _) => break tokens,
                    (Err(error), Fate::Refused) => return Err(error),
                    (Err(error), Fate::NotProcessed | Fate::Unknown) => {
                        return Err(FlowError::Lost(Box::new(error)));
                    }
                }
            }
            Err(error @ (HttpError::Unreachable { .. } | HttpError::Proxy { .. })) => error.into(),
            Err(error) if error.is_lost_answer() => {
                return Err(FlowError::Lost(Box::new(error.into())));
            }
            Err(error) => return Err(error.into()),
        };
        if begin.elapsed().saturating_add(pause) >= RETRY_LIMIT {
            return Err(error);
        }
        reporter.report(FlowEvent::Trouble(error.sentence())).await;
        tokio::time::sleep(pause).await;
        pause *= 2;
    };
    reporter.report(FlowEvent::Done(begin.elapsed())).await;
    reporter
        .check(check_tls(client, FlowKind::AuthorizationCode))
        .await;
    reporter.check(check_pkce(pending)).await;
    check_sign_in(client, &mut tokens, pending.nonce.as_ref(), reporter).await?;
    let checks = check_authentication(client, &tokens, unix_time());
    reporter.token_checks(checks).await?;
    Keys::require(transport, client, &mut tokens, reporter).await?;
    tokens.kept.extend(arrived.kept.iter().cloned());
    tokens.token_url.clone_from(&arrived.token_url);
    tokens.redirect_url = Some(pending.redirect_url.clone());
    Ok(tokens)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::scripted::{
        answer, busy, client, error, late, lost, reporter, script, success, unreached, url,
    };
    use crate::oauth::answer::Answer;
    use crate::oauth::authcode::{Callback, parse_callback};
    use crate::secret::ExposeSecret;

    /// Exchanges a code that came with the right state. Returns how often the code was sent, and the outcome.
    async fn exchanged(
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (usize, Result<TokenSet, FlowError>) {
        let (script, client) = (script(answers), client());
        let (_, pending) = client.authorization_request(&url().into()).unwrap();
        let query = format!("code=c&state={}", pending.state.expose_secret());
        let Callback::Code(arrived) = parse_callback(&query, &pending, &client) else {
            unreachable!()
        };
        let (reporter, _) = reporter();
        let outcome = exchange(&script, &client, &arrived, &pending, &reporter).await;
        (script.asked.into_inner().unwrap().len(), outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn code_is_resent_only_if_nothing_was_sent() {
        let unavailable = || error("temporarily_unavailable");
        let busy_503 = || {
            answer(503, "<html>").map(|answer| Answer {
                retry_after: Some(Duration::from_mins(2)),
                ..answer
            })
        };
        let (times, outcome) = exchanged(vec![unreached(), unreached(), success()]).await;
        assert!(outcome.is_ok() && times == 3, "{outcome:?}");
        for (busy, words, hint) in [
            (
                unavailable(),
                "The service is busy (HTTP 400, temporarily_unavailable).",
                "later",
            ),
            (
                busy_503(),
                "The service is busy (HTTP 503) and asks clients to wait 2 minutes.",
                "in 2 minutes",
            ),
            (
                busy(1),
                "The service is busy (HTTP 429) and asks clients to wait 1 second.",
                "in 1 second",
            ),
        ] {
            let (times, outcome) = exchanged(vec![busy, success()]).await;
            let error = outcome.unwrap_err();
            assert_eq!(
                (times, error.to_string(), error.hint()),
                (
                    1,
                    format!(
                        "{words} The authorization code may have been used up, so it is not sent again."
                    ),
                    format!("Start again {hint} to get a new code.")
                )
            );
        }
        let (_, outcome) = exchanged(vec![Err(HttpError::TooLarge {
            host: "as.example".to_owned(),
        })])
        .await;
        assert!(outcome.unwrap_err().hint().contains("Check that the URL"));
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
        // Retries end after a while, because the code is short-lived.
        let (_, outcome) = exchanged((0..50).map(|_| unreached()).collect()).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Http(HttpError::Unreachable { .. }))
        ));
    }
}
