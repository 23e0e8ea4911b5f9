//! The device code flow (RFC 8628).

use std::time::Duration;

use tokio::time::Instant;

use super::event::{FlowError, FlowEvent, Step};
use super::http::{Http, Transport};
use super::http_error::HttpError;
use super::keys::{Keys, check_sign_in};
use super::reporter::Reporter;
use crate::form::request::FlowRequest;
use crate::oauth::check::{check_tls, inapplicable_to_device_code};
use crate::oauth::client::Client;
use crate::oauth::device::{DeviceGrant, Next, Note, Polled, Polling, parse_grant};
use crate::oauth::failure::Failure;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;

/// Gets tokens for a code that the user approves on another device.
pub(super) async fn device_code(
    request: &FlowRequest,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let client = &request.client;
    let http = Http::of(&request.client, request.ca_file.as_deref()).await?;
    reporter.report(FlowEvent::Began(Step::DeviceCode)).await;
    let begin = Instant::now();
    let asking = client.device_request()?;
    let answer = reporter.send(&http, &asking).await?;
    let grant = parse_grant(&answer, &client.dialect, &asking.url)?;
    // Some services use other names for these codes.
    reporter.remember_user_code(&grant.user_code);
    reporter.remember([&grant.device_code]);
    // Count the lifetime from here, because the response may have been slow.
    let start = Instant::now();
    reporter.report(FlowEvent::Done(begin.elapsed())).await;
    reporter
        .check(check_tls(client, FlowKind::DeviceCode))
        .await;
    reporter
        .report(FlowEvent::DeviceCode {
            user_code: grant.user_code.clone(),
            verification_uri: grant.verification_uri.clone(),
            complete: grant.verification_uri_complete.clone(),
            expires_in: grant.expires_in,
        })
        .await;
    for note in &grant.notes {
        reporter.report(FlowEvent::Note(note.clone())).await;
    }
    reporter.report(FlowEvent::Began(Step::Approval)).await;
    let mut tokens = approval(&http, client, &grant, start, reporter).await?;
    reporter.report(FlowEvent::Done(start.elapsed())).await;
    reporter.checks(inapplicable_to_device_code()).await;
    check_sign_in(client, &mut tokens, None, reporter).await?;
    Keys::require(&http, client, &mut tokens, reporter).await?;
    Ok(tokens)
}

/// How long before the code expires the last poll is sent, at most.
const LAST_MARGIN: Duration = Duration::from_secs(5);

/// Polls until the user has approved or denied the request, or the code has expired.
async fn approval(
    transport: &impl Transport,
    client: &Client,
    grant: &DeviceGrant,
    start: Instant,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let mut polling =
        Polling::new(grant.interval, client.dialect.answers.clone()).within(grant.expires_in);
    // A code that expires before the first poll would be useless.
    let mut pause = match polling.first() {
        first if first >= grant.expires_in => grant.expires_in / 2,
        first => first,
    };
    let (mut times, mut lasting, mut is_last, mut is_told) = (0, None, false, false);
    loop {
        let left = grant.expires_in.saturating_sub(start.elapsed());
        // If the service didn't request the pause, the code simply expires during the wait.
        if pause >= left && polling.is_paused_beyond(left) && !is_last {
            // The pause may be a mistake, and nothing is lost: the user may have approved in the meantime.
            is_last = true;
            pause = left.saturating_sub((left / 10).min(LAST_MARGIN));
            let note = Note::OnceMore;
            let event = FlowEvent::Polled { times, note, pause };
            reporter.report(event).await;
        }
        tokio::time::sleep(pause.min(left)).await;
        if pause >= left {
            return Err(match (polling.expired(), lasting) {
                (Failure::Unanswered { .. }, Some(error)) => FlowError::Http(error),
                (failure, _) => failure.into(),
            });
        }
        let request = client.approval_request(&grant.device_code, &grant.user_code)?;
        let polled = match reporter.send(transport, &request).await {
            Ok(answer) => {
                lasting = None;
                Polled::Answer(answer)
            }
            // The setting doesn't change while the program runs.
            Err(error @ HttpError::ProxySetting { .. }) => return Err(error.into()),
            Err(error) => {
                let is_lasting = matches!(
                    error,
                    HttpError::Certificate { .. }
                        | HttpError::Tls { .. }
                        | HttpError::Proxy { .. }
                        | HttpError::Redirected { .. }
                );
                let polled = Polled::Lost {
                    reason: error.to_string().trim_end_matches('.').to_owned(),
                    sent: error.is_lost_answer(),
                };
                lasting = is_lasting.then_some(error);
                polled
            }
        };
        times += 1;
        match polling.next(&polled) {
            Next::Wait(next, note) => {
                pause = next;
                let event = FlowEvent::Polled { times, note, pause };
                reporter.report(event).await;
                // The next poll will fail, too, so the fix must not wait for the end.
                if let Some(error) = lasting.as_ref().filter(|_| !is_told) {
                    is_told = true;
                    let fix = FlowEvent::Note(error.hint().to_owned());
                    reporter.report(fix).await;
                }
            }
            Next::Done(tokens) => return Ok(*tokens),
            Next::Failed(failure) => return Err(failure.into()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::scripted::{
        answer, busy, client, error, late, lost, reporter, script, success, unreached, url,
    };
    use crate::oauth::answer::Answer;

    /// Polls through `answers`. Returns the pause before each poll, and the outcome.
    async fn poll(
        interval: u64,
        life: u64,
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (Vec<Duration>, Result<TokenSet, FlowError>) {
        let (pauses, outcome, _) = told(interval, life, answers).await;
        (pauses, outcome)
    }

    /// Like `poll`, but also returns each note with the number of polls so far.
    async fn polled(
        interval: u64,
        life: u64,
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (Vec<Duration>, Result<TokenSet, FlowError>, Vec<(u32, Note)>) {
        let (pauses, outcome, (notes, _)) = told(interval, life, answers).await;
        (pauses, outcome, notes)
    }

    /// The notes with the number of polls so far, and the fixes.
    type Said = (Vec<(u32, Note)>, Vec<String>);

    /// Like `polled`, but also returns the fixes.
    async fn told(
        interval: u64,
        life: u64,
        answers: Vec<Result<Answer, HttpError>>,
    ) -> (Vec<Duration>, Result<TokenSet, FlowError>, Said) {
        let grant = DeviceGrant {
            device_code: "d".into(),
            user_code: "U".to_owned(),
            verification_uri: url(),
            verification_uri_complete: None,
            expires_in: Duration::from_secs(life),
            interval: Duration::from_secs(interval),
            notes: Vec::new(),
        };
        let script = script(answers);
        let (reporter, told) = reporter();
        let start = Instant::now();
        let outcome = approval(&script, &client(), &grant, start, &reporter).await;
        drop(reporter);
        let (mut notes, mut fixes) = (Vec::new(), Vec::new());
        for event in told.await.unwrap() {
            match event {
                FlowEvent::Polled { times, note, .. } => notes.push((times, note)),
                FlowEvent::Note(fix) => fixes.push(fix),
                _ => {}
            }
        }
        let mut before = start;
        let asked = script.asked.into_inner().unwrap();
        let pauses = asked
            .into_iter()
            .map(|at| at - std::mem::replace(&mut before, at))
            .collect();
        (pauses, outcome, (notes, fixes))
    }

    /// Asserts that each pause is at least as long as allowed, and at most a fifth longer.
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
    async fn polling_continues_after_transient_errors_with_correct_pauses() {
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
    async fn huge_retry_after_is_capped_by_code_lifetime() {
        let begin = Instant::now();
        let (pauses, outcome) = poll(5, 300, vec![busy(u64::MAX / 4), busy(900)]).await;
        assert!(matches!(
            outcome,
            Err(FlowError::Protocol(Failure::Unanswered {
                status: Some(429 | 503),
                ..
            }))
        ));
        // The code is polled once more before it expires.
        assert_pauses(&pauses, &[5, 289]);
        assert_eq!(begin.elapsed(), Duration::from_mins(5));
        let busy = busy(u64::MAX / 4);
        let (_, outcome) = poll(5, 300, vec![busy, success()]).await;
        assert!(outcome.is_ok(), "{outcome:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn polling_names_the_fix_of_an_untrusted_certificate() {
        let untrusted = || {
            Err(HttpError::Certificate {
                host: "as.example".to_owned(),
                cause: "it was issued by an untrusted CA".to_owned(),
                hint: "Set CA file.",
            })
        };
        let many = (0..20).map(|_| untrusted()).collect();
        let (_, outcome, (notes, fixes)) = told(5, 60, many).await;
        let words =
            "The certificate of as.example is not trusted: it was issued by an untrusted CA";
        assert_eq!(notes[0].1, Note::Trouble(words.to_owned()));
        assert!(notes.len() > 1);
        assert_eq!(fixes, ["Set CA file."]);
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, FlowError::Http(HttpError::Certificate { .. })),
            "{error:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn unusable_proxy_setting_ends_polling_immediately() {
        let unusable = Err(HttpError::ProxySetting {
            variable: "HTTPS_PROXY",
            reason: "it is not a URL",
        });
        let (pauses, outcome) = poll(5, 900, vec![unusable, success()]).await;
        assert_pauses(&pauses, &[5]);
        let error = outcome.unwrap_err();
        assert!(
            matches!(error, FlowError::Http(HttpError::ProxySetting { .. })),
            "{error:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn polling_reports_redirect_if_every_response_redirects() {
        let redirect = || {
            Err(HttpError::Redirected {
                host: "as.example".to_owned(),
                target: "elsewhere.example".to_owned(),
                error: None,
            })
        };
        let many = || (0..20).map(|_| redirect());
        let (_, outcome) = poll(5, 60, many().collect()).await;
        assert!(
            matches!(outcome, Err(FlowError::Http(HttpError::Redirected { .. }))),
            "{outcome:?}"
        );
        let answers = std::iter::once(error("authorization_pending")).chain(many());
        let (_, outcome) = poll(5, 60, answers.collect()).await;
        let expired = Err(FlowError::Protocol(Failure::Expired));
        assert_eq!(
            format!("{outcome:?}"),
            format!("{:?}", expired as Result<TokenSet, _>)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn unapproved_code_expires_on_time() {
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
    async fn final_error_ends_polling_immediately() {
        for code in ["access_denied", "expired_token", "invalid_client"] {
            let (pauses, outcome) = poll(5, 900, vec![lost(), error(code)]).await;
            assert!(outcome.is_err());
            assert_pauses(&pauses, &[5, 10]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn unknown_code_after_lost_response_is_considered_used_up() {
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
                            "An earlier response was lost, so the device code has probably been used up ({code})."
                        ),
                        "Start again.".to_owned()
                    ),
                    "{shown}"
                );
            }
            // No response was lost, or a later response showed that the code still works.
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

    #[tokio::test(start_paused = true)]
    async fn polls_are_counted_and_excessive_requested_pauses_reported() {
        let pending = || error("authorization_pending");
        let answers = vec![pending(), error("slow_down"), busy(900), pending()];
        let (_, _, notes) = polled(5, 300, answers).await;
        let [pending_note, slow, trouble, end, last] = &notes[..] else {
            unreachable!("{notes:?}")
        };
        assert_eq!(pending_note, &(1, Note::Pending));
        assert_eq!(slow, &(2, Note::SlowDown));
        assert!(matches!(trouble, (3, Note::Trouble(_))), "{trouble:?}");
        assert_eq!(end, &(3, Note::OnceMore));
        assert_eq!(last, &(4, Note::Pending));
        // The code simply expires before the next poll.
        let (_, _, notes) = polled(7, 10, vec![pending()]).await;
        assert_eq!(notes, [(1, Note::Pending)]);
        // A code is polled for at least once, however short its life.
        for (interval, life) in [(60, 30), (5, 5), (5, 4), (1, 1)] {
            let (times, _, _) = polled(interval, life, vec![success()]).await;
            assert_eq!(times.len(), 1, "{interval} {life}");
        }
    }
}
