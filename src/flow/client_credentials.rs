//! The client credentials flow (RFC 6749, section 4.4): no user, no browser, no refresh token.

use tokio::time::Instant;

use super::event::{FlowError, FlowEvent, Step};
use super::http::{Http, Transport};
use super::reporter::Reporter;
use crate::form::request::FlowRequest;
use crate::oauth::asked::Asked;
use crate::oauth::check::{check_scope, check_tls, inapplicable_without_user};
use crate::oauth::client::Client;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::request::Request;
use crate::oauth::token::{TokenSet, parse_token_answer};

/// Gets an access token for the client itself. `again` is true if it already had one.
pub(super) async fn client_credentials(
    request: &FlowRequest,
    again: bool,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let http = Http::of(&request.client, request.ca_file.as_deref()).await?;
    let sent = request.client.client_credentials_request()?;
    let asked = (FlowKind::ClientCredentials, Asked::ClientCredentials);
    access_token(&http, &request.client, &sent, asked, again, reporter).await
}

/// Sends the request of a flow without a user.
pub(super) async fn access_token(
    transport: &impl Transport,
    client: &Client,
    request: &Request,
    (flow, asked): (FlowKind, Asked),
    again: bool,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    reporter.report(FlowEvent::Began(Step::TokenRequest)).await;
    let begin = Instant::now();
    let answer = reporter.send(transport, request).await?;
    let reading = parse_token_answer(&answer, &client.dialect.answers);
    let mut tokens = reading.into_tokens(asked, &answer)?;
    // Some services send them anyway. A new access token needs no refresh token, and no user signed in.
    tokens.refresh_token = None;
    tokens.id_token = None;
    reporter.report(FlowEvent::Done(begin.elapsed())).await;
    if !again {
        reporter.check(check_tls(client, flow)).await;
        reporter.checks(inapplicable_without_user()).await;
    }
    reporter.check(check_scope(client, &tokens)).await;
    Ok(tokens)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::http_error::HttpError;
    use crate::flow::scripted::{answer, client, error, lost, reporter, script};
    use crate::oauth::assertion::{Credential, Rules, Signer};
    use crate::oauth::check::{CheckName, Outcome};
    use crate::oauth::client_authentication::ClientAuthentication;
    use crate::oauth::failure::Failure;
    use crate::oauth::jose::{Algorithm, HeldKey, SigningKey, fake};
    use crate::secret::ExposeSecret;

    async fn sent(
        script: &impl Transport,
        again: bool,
        reporter: &Reporter,
    ) -> Result<TokenSet, FlowError> {
        let client = client();
        let request = client.client_credentials_request().unwrap();
        let asked = (FlowKind::ClientCredentials, Asked::ClientCredentials);
        access_token(script, &client, &request, asked, again, reporter).await
    }

    #[tokio::test]
    async fn only_the_access_token_is_kept() {
        let body =
            r#"{"access_token":"a","token_type":"Bearer","refresh_token":"r","id_token":"i"}"#;
        for again in [false, true] {
            let (reporter, told) = reporter();
            let script = script(vec![answer(200, body)]);
            let tokens = sent(&script, again, &reporter).await.unwrap();
            drop(reporter);
            assert_eq!(tokens.access_token.expose_secret(), "a");
            assert!(tokens.refresh_token.is_none() && tokens.id_token.is_none());
            let told = told.await.unwrap();
            let failed = told.iter().any(|event| {
                matches!(event, FlowEvent::Check(check) if check.outcome == Outcome::Failed)
            });
            assert!(!failed, "{told:?}");
        }
    }

    #[tokio::test]
    async fn assertion_is_sent_but_redacted_in_the_trace() {
        let rules = Rules {
            audience: "https://as.example".to_owned(),
            ..Rules::default()
        };
        let secret = "a-client-secret-that-is-long-enough-for-HS256".into();
        let key = rules.secret_key(&secret).unwrap();
        let client = Client {
            authentication: ClientAuthentication::ClientSecretJwt,
            credential: Credential::Signer(Signer::new(key, "me", &rules)),
            secret: Some(secret),
            ..client()
        };
        let (reporter, told) = reporter();
        // The service repeats the assertion that it received.
        let script = script(vec![answer(
            401,
            r#"{"error":"invalid_client","error_description":"eyJ"}"#,
        )]);
        let request = client.client_credentials_request().unwrap();
        let asked = (FlowKind::ClientCredentials, Asked::ClientCredentials);
        access_token(&script, &client, &request, asked, false, &reporter)
            .await
            .unwrap_err();
        drop(reporter);
        let told = told.await.unwrap();
        let lines: Vec<&String> = told
            .iter()
            .filter_map(|event| match event {
                FlowEvent::Exchange(exchange) => Some(exchange.lines()),
                _ => None,
            })
            .flatten()
            .collect();
        let line = |name: &str| lines.iter().find(|line| line.contains(name)).unwrap();
        assert!(line("client_assertion_type").contains("jwt-bearer"));
        let assertion =
            |line: &&&String| line.contains("client_assertion") && !line.contains("_type");
        let shown = lines.iter().find(assertion).unwrap();
        assert!(!shown.contains("eyJ"), "{shown}");
    }

    #[tokio::test]
    async fn failed_signing_is_not_reported_as_lost_connection() {
        let ((key, _), (_, other)) = (fake(Algorithm::Es256), fake(Algorithm::Es256));
        let held = HeldKey::of_certificate(&other, key).unwrap();
        let key = SigningKey::held(held, Algorithm::Es256).unwrap();
        let client = Client {
            authentication: ClientAuthentication::PrivateKeyJwt,
            credential: Credential::Signer(Signer::new(key, "me", &Rules::default())),
            ..client()
        };
        let (reporter, _told) = reporter();
        let script = script(Vec::new());
        let request = client.client_credentials_request().unwrap();
        let asked = (FlowKind::ClientCredentials, Asked::ClientCredentials);
        let error = access_token(&script, &client, &request, asked, true, &reporter).await;
        let error = error.unwrap_err();
        let text = error.to_string();
        assert!(
            matches!(error, FlowError::Http(HttpError::Unsigned { .. })),
            "{text}"
        );
        assert!(
            text.contains("certificate") && !text.contains(".."),
            "{text}"
        );
        assert!(script.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn errors_do_not_mention_a_used_up_code() {
        let ask = async |reply| {
            let (reporter, _) = reporter();
            let script = script(vec![reply]);
            sent(&script, true, &reporter).await.unwrap_err()
        };
        assert!(matches!(ask(lost()).await, FlowError::Http(_)));
        let error = ask(error("invalid_client")).await;
        assert!(matches!(
            &error,
            FlowError::Protocol(Failure::Server {
                asked: Asked::ClientCredentials,
                ..
            })
        ));
        assert!(error.to_string().contains("rejected the token request"));
        let error = ask(answer(502, "<html>")).await;
        assert!(!error.to_string().contains("used up"), "{error}");
    }

    #[tokio::test]
    async fn unchanging_checks_run_only_for_the_first_token() {
        for (again, expected) in [(false, true), (true, false)] {
            let (reporter, told) = reporter();
            let script = script(vec![answer(200, r#"{"access_token":"a"}"#)]);
            sent(&script, again, &reporter).await.unwrap();
            drop(reporter);
            let told = told.await.unwrap();
            let is_checked = |name| {
                let of = |event: &FlowEvent| matches!(event, FlowEvent::Check(check) if check.name == name);
                told.iter().any(of)
            };
            assert_eq!(is_checked(CheckName::Tls), expected);
            assert_eq!(is_checked(CheckName::State), expected);
            assert!(is_checked(CheckName::Scope));
        }
    }
}
