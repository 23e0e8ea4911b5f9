//! A sign-in or a refresh in progress, with its phase, steps and checks.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::clock::Moment;
use crate::certificate::About;
use crate::clean::clean;
use crate::console::environment::Environment;
use crate::console::tunnel::Tunnel;
use crate::flow::event::{FlowError, FlowEvent, Step};
use crate::flow::http_error::HttpError;
use crate::form::explain::Explanation;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::asked::Asked;
use crate::oauth::check::Check;
use crate::oauth::device::Note;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::RedirectUrl;
use crate::presets::Preset;

/// Maximum number of notes of a run.
const NOTES: usize = 4;

/// The phase of a run.
#[derive(Debug)]
pub enum Phase {
    /// There is nothing to show yet.
    Starting,
    /// The user must enter a user code.
    Device {
        /// The user code, as the service sent it.
        user_code: String,
        /// The URL to enter the code at.
        verification_uri: Url,
        /// The same URL with the code included.
        complete: Option<Url>,
        /// The lifetime of the code.
        valid: Duration,
        /// When the code expires.
        until: Moment,
        /// The number of polls so far.
        asked: u32,
        /// The result of the last poll.
        last: Option<Poll>,
    },
    /// The user must open a URL.
    SignIn {
        /// The authorization URL.
        url: Url,
        /// The redirect URL, where the browser returns.
        redirect_url: RedirectUrl,
        /// The addresses that the listener listens on.
        listening: String,
        /// The certificate that the listener presents, if it uses https.
        certificate: Option<Box<About>>,
        /// Whether a browser was opened on this machine.
        opened: bool,
    },
    /// The run ended without tokens.
    Failed(Ended),
}

/// The result of a poll.
#[derive(Debug, Clone)]
pub struct Poll {
    /// The meaning of the response.
    pub note: Note,
    /// When the response arrived.
    pub at: Moment,
    /// The pause until the next poll.
    pub pause: Duration,
}

/// An error redirect without the state of this sign-in, which anyone may have sent.
#[derive(Debug, Clone)]
pub struct Unverified {
    /// When the error arrived.
    pub at: Moment,
    /// The error itself.
    pub error: ServerError,
    /// What the error would mean if it is genuine.
    pub explanation: Option<Explanation>,
}

/// Why a run ended without tokens.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What happened.
    pub text: String,
    /// The same without the service's own text.
    pub step: String,
    /// The service's own text.
    pub service: Option<String>,
    /// The fix.
    pub hint: String,
    /// Whether the device code expired.
    pub expired: bool,
    /// Whether requesting a new code is the only fix required.
    pub another_code: bool,
    /// What the service's error means, if that is known.
    pub explanation: Option<Explanation>,
}

impl Ended {
    /// Creates the value for this error, which means `explanation`.
    pub(super) fn of(error: &FlowError, explanation: Option<Explanation>) -> Self {
        let text = match error {
            FlowError::Certificate(_)
            | FlowError::KeyFile(_)
            | FlowError::ClientKey(_)
            | FlowError::Listen(_)
            | FlowError::Http(HttpError::CaFile { .. })
                if explanation.is_some() =>
            {
                "Nothing was sent to the service.".to_owned()
            }
            error => error.to_string(),
        };
        let refusal = match error {
            FlowError::Protocol(failure) => failure.refusal(),
            _ => None,
        };
        let expired = matches!(
            error,
            FlowError::Protocol(Failure::Expired | Failure::Unanswered { .. })
        );
        let asked = Asked::Approval;
        let used_up = |failure: &Failure| matches!(failure, Failure::UsedUp { asked: of, .. } if *of == asked);
        Self {
            step: refusal.map_or_else(
                || text.clone(),
                |(step, error)| format!("{step}: {}", error.code),
            ),
            service: refusal.map(|(_, error)| error.to_string()),
            text,
            hint: error.hint(),
            expired,
            another_code: expired
                || matches!(error, FlowError::Protocol(failure) if used_up(failure)),
            explanation,
        }
    }
}

/// A step of a run.
#[derive(Debug, Clone, Copy)]
pub struct StepLine {
    /// The step.
    pub step: Step,
    /// When the step began.
    pub at: Moment,
    /// The duration of the step, once it is done.
    pub took: Option<Duration>,
    /// Whether this was the last step of a run that failed.
    pub failed: bool,
}

/// A run, in progress or ended.
#[derive(Debug)]
pub struct Run {
    /// The request built from the form.
    pub request: FlowRequest,
    /// The preset at the start of the run.
    pub preset: Arc<Preset>,
    /// The command that fills in the form with the same values; `None` if it can't be quoted for the shell.
    pub command: Option<String>,
    /// The form at the start of the run.
    pub settings: Settings,
    /// The current phase.
    pub phase: Phase,
    /// The phase before the failure.
    pub before: Option<Phase>,
    /// The steps, in order.
    pub steps: Vec<StepLine>,
    /// The checks, in the order of their names.
    pub checks: Vec<Check>,
    /// The number of requests and connections that had nothing to do with the sign-in.
    pub strays: u32,
    /// The number of redirects that belong to another sign-in, and the reason for rejecting the last one.
    pub not_ours: Option<(u32, String)>,
    /// The last error redirect without the state of this sign-in.
    pub unverified: Option<Unverified>,
    /// The problem because of which a request is being retried.
    pub trouble: Option<String>,
    /// Other notes for the user, in order.
    pub notes: Vec<String>,
    /// The tunnel through which the browser of another computer reaches the listener.
    pub tunnel: Option<Tunnel>,
}

impl Run {
    /// Creates a run that has just begun.
    #[must_use]
    pub fn new(
        request: FlowRequest,
        preset: Arc<Preset>,
        command: Option<String>,
        settings: Settings,
    ) -> Self {
        Self {
            request,
            preset,
            command,
            settings,
            phase: Phase::Starting,
            before: None,
            steps: Vec::new(),
            checks: Vec::new(),
            strays: 0,
            not_ours: None,
            unverified: None,
            trouble: None,
            notes: Vec::new(),
            tunnel: None,
        }
    }

    /// Returns whether the run is in progress.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Failed(_))
    }

    /// Returns whether the run is waiting for the browser to return, or for the user to paste its URL.
    #[must_use]
    pub fn awaits_browser(&self) -> bool {
        matches!(self.phase, Phase::SignIn { .. })
    }

    /// Returns the redirect URL as sent to the service; `None` in a flow without one.
    #[must_use]
    pub fn redirect_url(&self) -> Option<&RedirectUrl> {
        let phases = std::iter::once(&self.phase).chain(&self.before);
        let mut sent = phases.filter_map(|phase| match phase {
            Phase::SignIn { redirect_url, .. } => Some(redirect_url),
            Phase::Starting | Phase::Device { .. } | Phase::Failed(_) => None,
        });
        let typed = || self.request.redirect_url.as_ref();
        let code = self.request.kind == FlowKind::AuthorizationCode;
        code.then(|| sent.next().or_else(typed)).flatten()
    }

    /// Returns what to compare if the service shows an error page instead of the sign-in page, and never redirects.
    #[must_use]
    pub fn if_no_sign_in(&self) -> Option<String> {
        let Phase::SignIn { redirect_url, .. } = &self.phase else {
            return None;
        };
        Some(format!(
            "If the service shows an error instead of a sign-in page, compare Client ID {} and Redirect URL {} with the app's \
             registration.",
            clean(&self.request.client.client_id, 100),
            clean(redirect_url.text(), 200)
        ))
    }

    /// Returns whether the authorization code is being exchanged for tokens.
    #[must_use]
    pub fn exchanges(&self) -> bool {
        let last = self.steps.last();
        last.is_some_and(|last| last.step == Step::Exchange && last.took.is_none())
    }

    /// Returns the URLs that the user can open, the most specific first.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        let (first, second) = match &self.phase {
            Phase::Device {
                verification_uri,
                complete,
                ..
            } => (complete.as_ref(), Some(verification_uri)),
            Phase::SignIn { url, .. } => (Some(url), None),
            Phase::Starting | Phase::Failed(_) => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// Processes the events that neither begin nor end the run.
    pub(super) fn hear(&mut self, event: FlowEvent, now: Moment, environment: &Environment) {
        match event {
            FlowEvent::Began(step) => self.steps.push(StepLine {
                step,
                at: now,
                took: None,
                failed: false,
            }),
            FlowEvent::Done(time) => {
                self.trouble = None;
                if let Some(last) = self.steps.last_mut() {
                    last.took = Some(time);
                }
            }
            FlowEvent::DeviceCode {
                user_code,
                verification_uri,
                complete,
                expires_in,
            } => {
                self.phase = Phase::Device {
                    user_code,
                    verification_uri,
                    complete,
                    valid: expires_in,
                    until: now.after(expires_in),
                    asked: 0,
                    last: None,
                };
            }
            FlowEvent::Polled { times, note, pause } => {
                if let Phase::Device { asked, last, .. } = &mut self.phase {
                    *asked = times;
                    let at = now;
                    *last = Some(Poll { note, at, pause });
                }
            }
            FlowEvent::SignIn {
                url,
                redirect_url,
                listening,
                certificate,
            } => {
                let ssh = environment.ssh.as_ref();
                self.tunnel =
                    ssh.and_then(|ssh| Tunnel::to_listener(ssh, &redirect_url, &listening));
                self.phase = Phase::SignIn {
                    url,
                    redirect_url,
                    listening: listening.join(" and "),
                    certificate,
                    opened: environment.can_browse(),
                };
            }
            FlowEvent::NotOurs(reason) => {
                let count = self.not_ours.as_ref().map_or(0, |(count, _)| *count);
                self.not_ours = Some((count.saturating_add(1), reason));
            }
            FlowEvent::Note(note) if self.notes.len() < NOTES => self.notes.push(note),
            FlowEvent::Trouble(reason) => self.trouble = Some(reason),
            FlowEvent::Stray(_) => self.strays = self.strays.saturating_add(1),
            FlowEvent::Check(check) => add_check(&mut self.checks, check),
            // Other events end the run, or don't belong to it.
            _ => {}
        }
    }
}

/// Adds a check, replacing an earlier one of the same name, and keeps the checks sorted by name.
pub(super) fn add_check(checks: &mut Vec<Check>, check: Check) {
    checks.retain(|known| known.name != check.name);
    checks.push(check);
    checks.sort_by_key(|check| check.name);
}
