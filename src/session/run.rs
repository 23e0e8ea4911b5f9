//! A sign-in or a refresh in progress: its phase, its steps and its checks.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::clock::Moment;
use crate::certificate::About;
use crate::clean::clean;
use crate::console::environment::Environment;
use crate::console::tunnel::Tunnel;
use crate::flow::event::{FlowError, FlowEvent, Step};
use crate::flow::http::HttpError;
use crate::form::explain::Explanation;
use crate::form::request::FlowRequest;
use crate::form::settings::Settings;
use crate::oauth::check::Check;
use crate::oauth::client::FlowKind;
use crate::oauth::device::Note;
use crate::oauth::failure::{Asked, Failure, ServerError};
use crate::oauth::url::RedirectUrl;
use crate::presets::Preset;

/// A run has no more notes.
const NOTES: usize = 4;

/// How a run stands.
#[derive(Debug)]
pub enum Phase {
    /// Nothing to show yet.
    Starting,
    /// The user has a code to enter.
    Device {
        /// As sent.
        user_code: String,
        /// Where to enter it.
        verification_uri: Url,
        /// The same with the code in it.
        complete: Option<Url>,
        /// How long the code is valid in all.
        valid: Duration,
        /// When it expires.
        until: Moment,
        /// How often was polled.
        asked: u32,
        /// What the last poll brought.
        last: Option<Poll>,
    },
    /// The user has a URL to open.
    SignIn {
        /// The URL.
        url: Url,
        /// Where the browser will come back to.
        redirect_url: RedirectUrl,
        /// Where it is awaited.
        listening: String,
        /// What the browser is shown there, where it speaks https.
        certificate: Option<Box<About>>,
        /// A browser was opened here.
        opened: bool,
    },
    /// It ended without tokens.
    Failed(Ended),
}

/// What a poll brought.
#[derive(Debug, Clone)]
pub struct Poll {
    /// What the answer said.
    pub note: Note,
    /// When it came.
    pub at: Moment,
    /// How long until the next one.
    pub pause: Duration,
}

/// An error that came without the state of the sign-in.
#[derive(Debug, Clone)]
pub struct Unverified {
    /// When it came.
    pub at: Moment,
    /// What it says.
    pub error: ServerError,
    /// What that would mean.
    pub explanation: Option<Explanation>,
}

/// Why a run ended without tokens.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What happened.
    pub text: String,
    /// The same without the service's own words.
    pub step: String,
    /// The service's own words.
    pub service: Option<String>,
    /// What to do.
    pub hint: String,
    /// The code was not used in time.
    pub expired: bool,
    /// A new code is all that is needed.
    pub another_code: bool,
    /// What the service's error means, where that is known.
    pub explanation: Option<Explanation>,
}

impl Ended {
    /// By this error, which means `explanation`.
    pub(super) fn of(error: &FlowError, explanation: Option<Explanation>) -> Self {
        let text = match error {
            FlowError::Certificate(_)
            | FlowError::KeyFile(_)
            | FlowError::ClientKey(_)
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
    /// When it began.
    pub at: Moment,
    /// How long it took, once it is done.
    pub took: Option<Duration>,
    /// It was the last one of a run that failed.
    pub failed: bool,
}

/// A run, in progress or ended.
#[derive(Debug)]
pub struct Run {
    /// As read from the form.
    pub request: FlowRequest,
    /// The preset of that time.
    pub preset: Arc<Preset>,
    /// The command that fills in the form like this; none where no shell takes it as it is.
    pub command: Option<String>,
    /// The form of that time.
    pub settings: Settings,
    /// How it stands.
    pub phase: Phase,
    /// What it waited for when it failed.
    pub before: Option<Phase>,
    /// In order.
    pub steps: Vec<StepLine>,
    /// In order.
    pub checks: Vec<Check>,
    /// Requests and connections that had nothing to do with it.
    pub strays: u32,
    /// Callbacks that were not its own, and why the last was not.
    pub not_ours: Option<(u32, String)>,
    /// The last error that came without its state.
    pub unverified: Option<Unverified>,
    /// What is being tried again.
    pub trouble: Option<String>,
    /// What else the user should know, in order.
    pub notes: Vec<String>,
    /// How the browser of another machine comes back here.
    pub tunnel: Option<Tunnel>,
}

impl Run {
    /// One that has just begun.
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

    /// True until it has ended.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Failed(_))
    }

    /// True while the browser's return is awaited, or its address pasted.
    #[must_use]
    pub fn awaits_browser(&self) -> bool {
        matches!(self.phase, Phase::SignIn { .. })
    }

    /// Where the browser is sent back to, as the service is told; `None` in a flow without that.
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

    /// What to compare where the service shows an error of its own instead of a sign-in, and sends nobody back.
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

    /// True while the code is exchanged for tokens.
    #[must_use]
    pub fn exchanges(&self) -> bool {
        let last = self.steps.last();
        last.is_some_and(|last| last.step == Step::Exchange && last.took.is_none())
    }

    /// The URLs that the user can open, the one that says most first.
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

    /// Takes in what neither begins nor ends it.
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
            // The others end it, or are no part of it.
            _ => {}
        }
    }
}

/// Adds a check in place of an earlier one of the same name, in the order of the names.
pub(super) fn add_check(checks: &mut Vec<Check>, check: Check) {
    checks.retain(|known| known.name != check.name);
    checks.push(check);
    checks.sort_by_key(|check| check.name);
}
