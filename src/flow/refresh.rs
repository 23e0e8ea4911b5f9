//! The refresh flow (RFC 6749, section 6).

use tokio::time::Instant;

use super::event::{FlowError, FlowEvent, Step};
use super::http::Transport;
use super::keys::Keys;
use super::reporter::Reporter;
use crate::clock::unix_time;
use crate::oauth::asked::Asked;
use crate::oauth::check::{Outcome, check_id_token, check_rotation, check_scope};
use crate::oauth::client::Client;
use crate::oauth::request::{Request, RequestError};
use crate::oauth::token::{Fate, Reading, TokenSet, issued_refresh_token, parse_token_answer};

/// Gets new tokens with the refresh token of `before`.
pub(super) async fn refresh(
    transport: &impl Transport,
    client: &Client,
    before: &TokenSet,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let refresh_token = before
        .refresh_token
        .as_ref()
        .ok_or(RequestError::REFRESH_TOKEN)?;
    let token_url = before.token_url.as_ref().unwrap_or(&client.token_url);
    reporter.report(FlowEvent::Began(Step::Refresh)).await;
    let keys = Keys::ahead(transport, client, before, reporter).await;
    let begin = Instant::now();
    let request = |scope: Option<&[String]>| {
        client.refresh_request(
            token_url,
            refresh_token,
            before.redirect_url.as_ref(),
            scope,
        )
    };
    let lost = |error: FlowError| FlowError::LostRefresh(Box::new(error));
    let send = async |request: &Request| {
        let sent = reporter.send(transport, request).await;
        sent.map_err(|error| {
            if error.is_lost_answer() {
                lost(error.into())
            } else {
                error.into()
            }
        })
    };
    let mut answer = send(&request(None)?).await?;
    let mut reading = parse_token_answer(&answer, &client.dialect.answers);
    // The scope is optional, but some services require it. A rejected request doesn't use up the refresh token.
    let granted = before.scope.as_ref().unwrap_or(&client.scopes);
    if let Reading::Error(error, _) = &reading
        && matches!(error.code.as_str(), "invalid_scope" | "invalid_request")
        && answer.is_final(error)
        && !granted.is_empty()
    {
        answer = send(&request(Some(granted))?).await?;
        reading = parse_token_answer(&answer, &client.dialect.answers);
    }
    let fate = answer.fate(Asked::Refresh, &reading);
    let issued = match reading {
        Reading::Useless(_) | Reading::Neither(_) => {
            issued_refresh_token(&answer, &client.dialect.answers)
        }
        Reading::Tokens(_) | Reading::Error(..) => None,
    };
    let tokens = reading.into_tokens(Asked::Refresh, &answer);
    let mut fresh = tokens.map_err(|failure| match (fate, issued) {
        (_, Some(refresh_token)) => FlowError::Replaced {
            cause: Box::new(failure.into()),
            refresh_token,
        },
        (Fate::Unknown, None) => lost(failure.into()),
        (Fate::Refused | Fate::NotProcessed, None) => failure.into(),
    })?;
    reporter.report(FlowEvent::Done(begin.elapsed())).await;
    reporter.check(check_rotation(refresh_token, &fresh)).await;
    // The ID token of a refresh has the nonce of the first sign-in, or none (OpenID Connect Core, section 12.2).
    if fresh.id_token.is_some() {
        let mut checks = Vec::new();
        match check_id_token(client, &fresh, None, Some(before), unix_time()) {
            Ok(check) => {
                checks.push(check);
                checks.extend(keys.check(transport, client, &fresh, reporter).await);
            }
            Err(check) => checks.push(check),
        }
        // Drop only the ID token: the new refresh token may be the only one that still works.
        if checks.iter().any(|check| check.outcome == Outcome::Failed) {
            fresh.id_token = None;
        }
        reporter.checks(checks).await;
    }
    let fresh = fresh.after(before);
    reporter.check(check_scope(client, &fresh)).await;
    Ok(fresh)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::flow::http_error::HttpError;
    use crate::flow::scripted::{answer, client, error, lost, reporter, script, success, url};
    use crate::oauth::answer::Answer;
    use crate::oauth::check::CheckName;
    use crate::oauth::device::parse_grant;
    use crate::oauth::dialect::Answers;
    use crate::oauth::id_token::decode;
    use crate::secret::ExposeSecret;

    /// Creates a response with the ID token of `subject`.
    fn of(subject: &str, access_token: &str) -> Result<Answer, HttpError> {
        let claims = serde_json::json!({
            "iss": "https://as.example", "aud": "me", "sub": subject, "iat": 1, "exp": 99_999_999_999_u64,
        });
        let id_token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let body = serde_json::json!({
            "access_token": access_token, "refresh_token": format!("{access_token}-refresh"), "id_token": id_token,
        });
        answer(200, &body.to_string())
    }

    #[tokio::test]
    async fn refresh_drops_id_token_of_another_subject() {
        for (subject, outcome) in [("alice", Outcome::Passed), ("mallory", Outcome::Failed)] {
            let old = of("alice", "old").unwrap();
            let before = parse_token_answer(&old, &Answers::default());
            let before = before.into_tokens(Asked::Exchange, &old).unwrap();
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
            // The ID token of the first sign-in is kept.
            let id_token = decode(fresh.id_token.unwrap().expose_secret()).unwrap();
            assert_eq!(id_token.subject(), Some("alice"));
        }
    }

    #[tokio::test]
    async fn refresh_rejected_without_scope_is_retried_once_with_it() {
        for (first, scopes, times) in [
            (error("invalid_scope"), &["a"][..], 2),
            (error("invalid_request"), &["a"], 2),
            (error("invalid_request"), &[], 1),
            (error("invalid_grant"), &["a"], 1),
        ] {
            let answered = success().unwrap();
            let before = parse_token_answer(&answered, &Answers::default());
            let before = TokenSet {
                refresh_token: Some("r".into()),
                scope: Some(scopes.iter().map(|scope| (*scope).to_owned()).collect()),
                ..before.into_tokens(Asked::Exchange, &answered).unwrap()
            };
            let (reporter, _) = reporter();
            let again = error("invalid_scope");
            let script = script(vec![first, again, success()]);
            let outcome = refresh(&script, &client(), &before, &reporter).await;
            assert!(outcome.is_err());
            assert_eq!(script.asked.into_inner().unwrap().len(), times);
        }
    }

    #[tokio::test]
    async fn lost_response_to_either_attempt_is_a_lost_refresh() {
        for script in [
            script(vec![lost()]),
            script(vec![error("invalid_scope"), lost()]),
        ] {
            let answered = success().unwrap();
            let before = parse_token_answer(&answered, &Answers::default());
            let before = TokenSet {
                refresh_token: Some("r".into()),
                scope: Some(vec!["a".to_owned()]),
                ..before.into_tokens(Asked::Exchange, &answered).unwrap()
            };
            let (reporter, _) = reporter();
            let outcome = refresh(&script, &client(), &before, &reporter).await;
            assert!(matches!(outcome, Err(FlowError::LostRefresh(_))));
        }
    }

    #[tokio::test]
    async fn new_refresh_token_is_kept_despite_useless_access_token() {
        let success = success().unwrap();
        let before = parse_token_answer(&success, &Answers::default());
        let before = TokenSet {
            refresh_token: Some("r".into()),
            ..before.into_tokens(Asked::Exchange, &success).unwrap()
        };
        for (body, told) in [
            (
                r#"{"access_token":"at 9","refresh_token":"new"}"#,
                "It contains a new refresh token, which replaces the old one. Refresh again. This is an error of the service.",
            ),
            (
                r#"{"access_token":"","refresh_token":"new"}"#,
                "It contains a new refresh token, which replaces the old one. Refresh again.",
            ),
            (
                r#"{"access_token":"at 9"}"#,
                "The refresh token may have been used up. Refresh again.",
            ),
        ] {
            let (reporter, _) = reporter();
            let script = script(vec![answer(200, body)]);
            let error = refresh(&script, &client(), &before, &reporter)
                .await
                .unwrap_err();
            let words = format!("{error} {}", error.hint());
            assert!(words.contains(told), "{words}");
            let replaced = match error {
                FlowError::Replaced { refresh_token, .. } => Some(refresh_token),
                _ => None,
            };
            let replaced = replaced.as_ref().map(ExposeSecret::expose_secret);
            assert_eq!(replaced, body.contains("new").then_some("new"), "{body}");
        }
    }

    #[tokio::test]
    async fn unavailable_service_is_not_blamed_on_a_url() {
        for (reply, words) in [
            (
                answer(503, "<html>").map(|answer| Answer {
                    retry_after: Some(Duration::from_mins(2)),
                    ..answer
                }),
                "The service is busy (HTTP 503) and asks clients to wait 2 minutes. Try again in 2 minutes.",
            ),
            (
                answer(502, "{}"),
                "The service has a problem (HTTP 502). Try again later.",
            ),
            (
                answer(
                    500,
                    r#"{"error":"server_error","error_description":"oops"}"#,
                ),
                "The service has a problem (HTTP 500, server_error: oops). Try again later.",
            ),
        ] {
            let reply = reply.unwrap();
            let grant = parse_grant(&reply, &client().dialect, &url()).unwrap_err();
            assert_eq!(format!("{grant} {}", grant.hint()), words);
            let success = success().unwrap();
            let before = parse_token_answer(&success, &Answers::default());
            let before = TokenSet {
                refresh_token: Some("r".into()),
                ..before.into_tokens(Asked::Exchange, &success).unwrap()
            };
            let (reporter, _) = reporter();
            let script = script(vec![Ok(reply)]);
            let error = refresh(&script, &client(), &before, &reporter)
                .await
                .unwrap_err();
            let told = format!("{error} {}", error.hint());
            if words.contains("busy") {
                assert_eq!(told, words);
            } else {
                // The response may not come from the service, which may have rotated the refresh token.
                let (happened, _) = words.split_once(" Try").unwrap();
                assert_eq!(
                    told,
                    format!(
                        "{happened} The refresh token may have been used up. Refresh again later. If the service then \
                            rejects the refresh token, sign in again."
                    )
                );
            }
        }
    }
}
