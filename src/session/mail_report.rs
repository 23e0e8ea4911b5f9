//! The report of a mail server test, as lines of text and as JSON.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clean::clean;
use crate::flow::mail_login::{MailTest, Report};
use crate::form::mail_errors::explain_mail;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};
use crate::mail::verdict::{Problem, Step};
use crate::presets::Library;

/// The cause of a rejection before the token was sent.
const NOT_SENT: &str = "The token was not sent, so it isn't the cause.";

/// The result of a test.
#[derive(Debug)]
pub struct MailReport {
    /// The mail protocol.
    pub protocol: Protocol,
    /// The address of the server.
    pub address: Address,
    /// The mailbox to sign in to.
    pub user: String,
    /// The steps, and the lines sent and received.
    pub report: Report,
    /// What the failure means, if that is known.
    pub explained: Explained,
}

/// The explanation of a failure; empty if the test did not fail.
#[derive(Debug, Default)]
pub struct Explained {
    /// The response of the server.
    pub server_said: Option<String>,
    /// The cause of the failure.
    pub cause: Option<String>,
    /// The fix.
    pub fix: Option<String>,
    /// The source of the explanation.
    pub source: Option<String>,
}

impl MailReport {
    /// Creates the report of a test, explained with the entries of `library`.
    #[must_use]
    pub fn new(test: &MailTest, report: Report, library: &Library) -> Self {
        let explained = report.failed.as_ref().map(|failed| {
            let challenge = failed.challenge.as_deref().unwrap_or_default();
            let refusal = match &failed.problem {
                Problem::Refused { reply, .. } => Some(format!("{reply} {challenge}")),
                Problem::Closed if failed.ends_with_challenge() => Some(challenge.to_owned()),
                _ => None,
            };
            let server_said = failed.problem.reply().map(str::to_owned);
            // The explanations apply only after the token was sent.
            let answer = refusal.as_deref().filter(|_| failed.sent);
            let entry = answer.and_then(|answer| explain_mail(test.protocol, answer, library));
            if let Some(entry) = entry {
                return Explained {
                    server_said,
                    cause: Some(entry.cause),
                    fix: Some(entry.remedy),
                    source: Some(entry.source),
                };
            }
            let encrypted = report.steps.iter().any(|done| done.step == Step::Tls);
            let is_temporary = matches!(
                failed.problem,
                Problem::Refused {
                    temporary: true,
                    ..
                }
            );
            let of_step = || failed.step.rejection_hint(failed.sent).to_owned();
            Explained {
                server_said,
                cause: (refusal.is_some() && !failed.sent).then(|| NOT_SENT.to_owned()),
                fix: match refusal {
                    Some(_) if !is_temporary => Some(of_step()),
                    _ => failed.problem.hint(encrypted),
                },
                source: None,
            }
        });
        Self {
            protocol: test.protocol,
            address: test.login.address.clone(),
            user: test.login.user.clone(),
            report,
            explained: explained.unwrap_or_default(),
        }
    }

    /// Returns whether the server accepted the token and opened the mailbox.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.report.failed.is_none()
    }

    /// Returns what is known about the failure, each part after its label.
    #[must_use]
    pub fn failure(&self) -> Vec<(&'static str, String)> {
        let Some(failed) = &self.report.failed else {
            return Vec::new();
        };
        let parts = [
            ("Error", Some(failed.problem.text())),
            ("Server", self.explained.server_said.clone()),
            ("Detail", failed.challenge.clone()),
            ("Cause", self.explained.cause.clone()),
            ("Fix", self.explained.fix.clone()),
            ("Source", self.explained.source.clone()),
        ];
        let parts = parts.into_iter();
        parts
            .filter_map(|(label, text)| Some((label, text.filter(|text| !text.is_empty())?)))
            .collect()
    }

    /// Returns the report as lines of text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mechanism = self.report.mechanism.map_or("", Mechanism::name);
        let head = format!(
            "{}  {}  {}  {mechanism}",
            self.protocol.name(),
            self.address,
            clean(&self.user, 120)
        );
        let mut lines = vec![head.trim_end().to_owned()];
        let step = |word: &str, text: &str, time: Duration| {
            format!("  {word:<8}{text:<56} {:>6} ms", time.as_millis())
        };
        let steps = self.report.steps.iter();
        lines.extend(steps.map(|done| step("ok", &clean(&done.detail, 200), done.time)));
        if let Some(failed) = &self.report.failed {
            lines.push(step("failed", failed.step.name(), failed.time));
        }
        let failure = self.failure().into_iter();
        lines.extend(failure.map(|(label, text)| format!("  {:<8}{text}", format!("{label}:"))));
        lines
    }

    /// Returns the lines sent and received. Only the length of the token is shown.
    #[must_use]
    pub fn transcript(&self) -> Vec<String> {
        let lines = self.report.transcript.iter();
        lines
            .map(|line| {
                let side = if line.ours { "C:" } else { "S:" };
                format!("{side} {}", line.text).trim_end().to_owned()
            })
            .collect()
    }

    /// Returns the report as JSON, for scripts.
    #[must_use]
    pub fn json(&self) -> Value {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let steps = self.report.steps.iter().map(|step| {
            json!({
                "step": step.step.name(),
                "detail": clean(&step.detail, 200),
                "milliseconds": milliseconds(step.time),
            })
        });
        let explained = &self.explained;
        let failed = self.report.failed.as_ref().map(|failed| {
            json!({
                "step": failed.step.name(),
                "milliseconds": milliseconds(failed.time),
                "error": failed.problem.text(),
                "server_said": explained.server_said,
                "details": failed.challenge,
                "cause": explained.cause,
                "fix": explained.fix,
                "source": explained.source,
            })
        });
        let transcript = self.report.transcript.iter().map(|line| {
            json!({ "from": if line.ours { "client" } else { "server" }, "line": line.text })
        });
        json!({
            "protocol": self.protocol.key(),
            "server": self.address.to_string(),
            "mechanism": self.report.mechanism.map(Mechanism::name),
            "ok": failed.is_none(),
            "steps": steps.collect::<Vec<_>>(),
            "failed": failed,
            "transcript": transcript.collect::<Vec<_>>(),
        })
    }
}
