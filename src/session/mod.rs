//! The current state: settings, the task in progress, tokens, trace. No screen, no I/O, no clock.
//!
//! State of a single screen belongs to that screen; state that outlives the screen is in this module.

pub mod clock;
pub mod content;
mod discovery;
mod event;
mod explained;
pub mod mail;
pub mod mail_report;
mod mail_test;
pub mod mail_warnings;
mod profile_saves;
pub mod profile_work;
pub mod profiles;
pub mod registered;
mod registration;
pub mod report;
pub mod run;
pub mod set_up;
pub mod tokens;
pub mod tools;
pub mod work;

use std::sync::Arc;

use self::clock::Moment;
pub use self::event::{Refreshed, Refused, SessionEvent, Started};
use self::explained::explained;
use self::mail::Mail;
use self::profiles::Profiles;
use self::registered::RegisteredClient;
use self::run::{Ended, Phase, Run, Unverified, add_check};
use self::set_up::ListenerSetUp;
pub use self::tokens::{Taken, TokenState, Value};
use self::work::Work;
use crate::certificate::created::Created;
use crate::configure::plan::SetUpAction;
use crate::configure::report::{Listener, Report, SetUpTask};
use crate::console::environment::Environment;
use crate::flow::attempt::{AttemptId, Attempts};
use crate::flow::driver::Job;
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::trace::Trace;
use crate::form::checked::Checked;
use crate::form::choices::{Browser, ListenerChoice};
use crate::form::explain::{Explanation, explain, explain_page};
use crate::form::field::Key;
use crate::form::problem::Remedy;
use crate::form::request;
use crate::form::settings::Settings;
use crate::oauth::check::CheckName;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::presets::Library;
use crate::quote;

/// All state that outlives a screen.
#[derive(Debug)]
pub struct Session {
    /// The form's values.
    pub settings: Checked,
    /// All presets.
    pub library: Library,
    /// The tokens.
    pub tokens: Option<TokenState>,
    /// The requests and responses of the latest sign-in and of later requests with its tokens.
    pub trace: Trace,
    /// The setup of the listener, once the user has opened it.
    pub set_up: Option<ListenerSetUp>,
    /// The saved profiles.
    pub profiles: Profiles,
    /// Tests of mail servers.
    pub mail: Mail,
    /// The most recently registered client. It is not saved.
    pub registration: Option<RegisteredClient>,
    /// The task in progress. There is at most one.
    work: Option<(AttemptId, Work)>,
    /// The latest sign-in, if it failed and no task was started since.
    failed: Option<Box<Run>>,
    attempts: Attempts,
    set_ups: u64,
}

impl Session {
    /// Creates a session with these settings.
    #[must_use]
    pub fn new(settings: Settings, library: Library) -> Self {
        Self {
            settings: settings.into(),
            library,
            tokens: None,
            trace: Trace::default(),
            set_up: None,
            profiles: Profiles::default(),
            mail: Mail::default(),
            registration: None,
            work: None,
            failed: None,
            attempts: Attempts::default(),
            set_ups: 0,
        }
    }

    /// Returns the sign-in in progress, or the latest one if it failed.
    #[must_use]
    pub fn sign_in(&self) -> Option<&Run> {
        match self.work() {
            Some(Work::SigningIn(run)) => Some(run),
            _ => self.failed.as_deref(),
        }
    }

    /// Sets where the browser runs, once that is known. If the settings have been used already, the flow stays.
    pub fn find_browser(&mut self, browser: Browser) {
        let used = self.work.is_some() || self.failed.is_some() || self.tokens.is_some();
        self.settings.find_browser(browser, used);
    }

    /// Explains a paste that is the text of an error page instead of a redirect.
    #[must_use]
    pub fn explain_paste(&self, text: &str) -> Option<Explanation> {
        explain_page(text, &self.sign_in()?.preset, &self.library)
    }

    /// Returns the task in progress.
    #[must_use]
    pub fn work(&self) -> Option<&Work> {
        self.work.as_ref().map(|(_, work)| work)
    }

    /// Returns whether the tokens are being refreshed.
    #[must_use]
    pub fn is_refreshing(&self) -> bool {
        matches!(
            self.work(),
            Some(Work::Refreshing(_) | Work::RefreshingProfile)
        )
    }

    /// Returns whether the service may be replacing the refresh token, while no profile gets the new one.
    #[must_use]
    pub fn may_lose_refresh_token(&self) -> bool {
        matches!(self.work(), Some(Work::Refreshing(run)) if run.request.kind.has_user())
    }

    /// Returns the attempt number of the task in progress.
    #[must_use]
    pub fn attempt(&self) -> Option<AttemptId> {
        self.work.as_ref().map(|(attempt, _)| *attempt)
    }

    /// Returns the field that caused the error of the failed sign-in.
    #[must_use]
    pub fn explained_field(&self) -> Option<Key> {
        match &self.sign_in()?.phase {
            Phase::Failed(ended) => ended.explanation.as_ref()?.field,
            Phase::Starting | Phase::Device { .. } | Phase::SignIn { .. } => None,
        }
    }

    /// Returns the change that one key press makes to fix the failed sign-in.
    #[must_use]
    pub fn explained_fix(&self) -> Option<Remedy> {
        let Phase::Failed(ended) = &self.sign_in()?.phase else {
            return None;
        };
        ended.explanation.as_ref()?.fix(&self.settings)
    }

    /// Returns the settings with the other flow than the sign-in in progress, if the service offers that flow and the
    /// settings are complete for it.
    #[must_use]
    pub fn with_other_flow(&self) -> Option<Settings> {
        let run = self.sign_in().filter(|run| run.is_live())?;
        let other = match run.request.kind {
            FlowKind::DeviceCode => FlowKind::AuthorizationCode,
            FlowKind::AuthorizationCode => FlowKind::DeviceCode,
            FlowKind::ClientCredentials | FlowKind::JwtBearer => return None,
        };
        if !self.settings.offers(other) {
            return None;
        }
        let mut settings = self.settings.clone();
        settings.set_flow(other);
        request::request(&settings).is_ok().then_some(settings)
    }

    fn start(&mut self, job: Job, work: Work) -> Started {
        let attempt = self.attempts.begin();
        self.work = Some((attempt, work));
        self.failed = None;
        Started {
            job: Box::new(job),
            attempt,
        }
    }

    /// Starts the flow selected in the form. Stops a sign-in or discovery in progress.
    ///
    /// # Errors
    /// Returns an error if the form is incomplete, or the task in progress can't be stopped.
    pub fn authorize(&mut self) -> Result<Started, Refused> {
        self.others_give_way()?;
        let request = request::request(&self.settings).map_err(Refused::Form)?;
        let job = Job::Authorize(request.clone());
        let command = command(&self.settings.flags());
        let run = Run::new(
            request,
            Arc::clone(self.settings.preset()),
            command,
            self.settings.clone(),
        );
        let run = Box::new(run);
        self.trace = Trace::default();
        Ok(self.start(job, Work::SigningIn(run)))
    }

    /// Requests new tokens with the refresh token.
    ///
    /// # Errors
    /// Returns an error if there are no tokens, or another task is in progress.
    pub fn refresh(&mut self) -> Result<Started, Refused> {
        if let Some(work) = self.work() {
            return Err(Refused::Busy(work.in_the_way()));
        }
        let tokens = self.tokens.as_ref().ok_or(Refused::NoTokens)?;
        let job = Job::Refresh(tokens.request.clone(), Box::new(tokens.set.clone()));
        let (preset, command) = (Arc::clone(&tokens.preset), tokens.command.clone());
        let (request, settings) = (tokens.request.clone(), tokens.settings.clone());
        let run = Box::new(Run::new(request, preset, command, settings));
        Ok(self.start(job, Work::Refreshing(run)))
    }

    fn others_give_way(&self) -> Result<(), Refused> {
        match self.work() {
            Some(work) if !work.gives_way() => Err(Refused::Busy(work.in_the_way())),
            Some(_) | None => Ok(()),
        }
    }

    /// Stops the task in progress and returns it. Later events of the task change nothing.
    pub fn cancel(&mut self) -> Option<Work> {
        self.work.take().map(|(_, work)| work)
    }

    /// Processes an event of the engine; returns `None` if it belongs to an attempt that has ended.
    pub fn hear(
        &mut self,
        attempt: AttemptId,
        event: FlowEvent,
        now: Moment,
        environment: &Environment,
    ) -> Option<SessionEvent> {
        if self.attempt() != Some(attempt) {
            return None;
        }
        let event = match event {
            FlowEvent::Exchange(exchange) => {
                self.trace.push(exchange, now.to_string());
                return Some(SessionEvent::Progress);
            }
            FlowEvent::Metadata(metadata) => return self.discovered(metadata),
            FlowEvent::Registered(client) => return self.registered(client),
            FlowEvent::Tokens(set) => return self.granted(*set, now),
            FlowEvent::Tool(told) => return self.told(told),
            FlowEvent::MailTested(protocol, report) => return self.mail_tested(protocol, *report),
            FlowEvent::Failed(error) => return self.ended(error, now),
            FlowEvent::Unverified(error) => {
                self.reported(error, now);
                return Some(SessionEvent::Progress);
            }
            FlowEvent::PasteRefused(reason) => return Some(SessionEvent::PasteRefused(reason)),
            event => event,
        };
        let run = self.work.as_mut().and_then(|(_, work)| work.run_mut());
        let Some(run) = run else {
            return Some(SessionEvent::Progress);
        };
        let code = matches!(event, FlowEvent::DeviceCode { .. });
        let sign_in = matches!(event, FlowEvent::SignIn { .. });
        run.hear(event, now, environment);
        Some(match &run.phase {
            _ if code => SessionEvent::Code,
            Phase::SignIn { url, opened, .. } if sign_in => SessionEvent::SignIn {
                open: opened.then(|| url.clone()),
            },
            _ => SessionEvent::Progress,
        })
    }

    /// Stores an error that anyone may have sent, with an explanation.
    fn reported(&mut self, error: ServerError, at: Moment) {
        if let Some((_, Work::SigningIn(run))) = &mut self.work {
            let failure = Failure::Callback(error.clone());
            let method = run.request.client.sent_method();
            let explanation = explain(&failure, &run.preset, method, &self.library);
            run.unverified = Some(Unverified {
                at,
                error,
                explanation,
            });
        }
    }

    fn granted(&mut self, set: TokenSet, now: Moment) -> Option<SessionEvent> {
        let brings_tokens = |(_, work): &mut (_, Work)| work.run_mut().is_some();
        let (run, before, attempt) = match self.work.take_if(brings_tokens)? {
            (attempt, Work::SigningIn(run)) => (run, None, attempt),
            (attempt, Work::Refreshing(run)) => (run, self.tokens.take(), attempt),
            _ => return None,
        };
        let mut fresh = TokenState::new(set, now, &run, attempt);
        if before.is_none() {
            self.mail = Mail::default();
        }
        let refreshed = before.map(|before| {
            let mut checks = run.checks.iter();
            let rotated = checks.find(|check| check.name == CheckName::RefreshToken);
            let told = rotated.map(|check| format!("Refresh token: {}.", check.detail));
            fresh.keep_taken(&before);
            fresh.obtained = before.obtained.refreshed(&fresh.set, now.unix_time());
            // The checks of the first run remain valid; the refresh adds its own.
            fresh.checks = before.checks;
            for check in run.checks {
                add_check(&mut fresh.checks, check);
            }
            Refreshed::Fine(told.unwrap_or_default())
        });
        self.tokens = Some(fresh);
        Some(SessionEvent::Tokens { refreshed })
    }

    fn ended(&mut self, error: FlowError, now: Moment) -> Option<SessionEvent> {
        Some(match self.work.take()?.1 {
            // These tasks don't report failures as events.
            Work::RefreshingProfile
            | Work::RevokingProfile
            | Work::Asking(..)
            | Work::TestingMail => return None,
            Work::Registering(_) => SessionEvent::RegistrationFailed(error),
            Work::Discovering(_) => {
                if let Some((reason, instead)) = error.of_issuer() {
                    self.settings.issuer_failed(reason, instead);
                }
                SessionEvent::DiscoveryFailed(error)
            }
            Work::Refreshing(run) => {
                if let (FlowError::Replaced { refresh_token, .. }, Some(tokens)) =
                    (&error, &mut self.tokens)
                {
                    tokens.replace_refresh_token(refresh_token.clone(), now);
                }
                SessionEvent::RefreshFailed(self.explained(&error, &run))
            }
            Work::SigningIn(mut run) => {
                let ended = self.explained(&error, &run);
                if let Some(last) = run.steps.last_mut() {
                    last.failed = last.took.is_none();
                }
                let failed = Phase::Failed(ended.clone());
                run.before = Some(std::mem::replace(&mut run.phase, failed));
                self.failed = Some(run);
                SessionEvent::SignInFailed(error, ended)
            }
        })
    }

    fn explained(&self, error: &FlowError, run: &Run) -> Ended {
        Ended::of(error, explained(error, run, &self.settings, &self.library))
    }

    /// Records that no browser could be opened for this attempt. Returns whether the attempt is still in progress.
    pub fn browser_failed(&mut self, attempt: AttemptId) -> bool {
        if self.attempt() != Some(attempt) {
            return false;
        }
        if let Some((_, Work::SigningIn(run))) = &mut self.work
            && let Phase::SignIn { opened, .. } = &mut run.phase
        {
            *opened = false;
        }
        true
    }

    /// Returns whether quitting loses tokens that the user doesn't have.
    #[must_use]
    pub fn has_untaken_tokens(&self) -> bool {
        let tokens = self.tokens.as_ref();
        tokens.is_some_and(|tokens| !tokens.untaken().is_empty())
    }

    /// Opens the listener's setup for the redirect URL in the form. Keeps previous input and an action in progress, but
    /// drops previous results, which may be outdated.
    pub fn open_set_up(&mut self, environment: &Environment) {
        let redirect_url = self.settings.value(Key::RedirectUrl);
        let listen = self.settings.value(Key::ListenAddress).trim().to_owned();
        let choice = self.settings.listener();
        let http_sys = environment.windows && choice.is_http_sys_on_windows(!listen.is_empty());
        let listener = if http_sys {
            Listener::HttpSys
        } else {
            Listener::Loopback
        };
        let mut fresh = ListenerSetUp::new(listener, &redirect_url, listen.parse().ok());
        fresh.certificate = request::given_certificate(&self.settings);
        fresh.or_loopback = choice == ListenerChoice::Auto;
        fresh.ssh.clone_from(&environment.ssh);
        fresh.user.clone_from(&environment.user);
        if let Some(before) = self.set_up.take() {
            (fresh.user, fresh.thumbprint) = (before.user, before.thumbprint);
            (fresh.busy, fresh.before) = (before.busy, before.before);
        }
        self.set_up = Some(fresh);
    }

    /// Adopts the user's own presets, and those that were rejected with a reason.
    pub fn take_presets(&mut self, library: Library) -> SessionEvent {
        self.library = library.and(&self.library);
        SessionEvent::Presets
    }

    /// Starts an action of the listener's setup. Returns the task, and the number that its report must have.
    ///
    /// # Errors
    /// Returns what is wrong with the redirect URL or with the input; `None` if an action is already in progress or the
    /// setup is not open.
    pub fn start_set_up(
        &mut self,
        action: SetUpAction,
    ) -> Result<(Box<SetUpTask>, u64), Option<crate::configure::plan::PlanError>> {
        let set_up = self
            .set_up
            .as_mut()
            .filter(|set_up| set_up.busy.is_none())
            .ok_or(None)?;
        let task = set_up.task(action).map_err(Some)?;
        self.set_ups += 1;
        set_up.busy = Some((action, self.set_ups));
        Ok((Box::new(task), self.set_ups))
    }

    /// Stores the report of an action of the listener's setup, and the current certificates.
    pub fn set_up_done(
        &mut self,
        number: u64,
        report: Report,
        created: Created,
        now: Moment,
    ) -> Option<SessionEvent> {
        self.settings.set_created_certificates(created);
        let set_up = self.set_up.as_mut()?;
        let (action, _) = set_up.busy.take_if(|(_, busy)| *busy == number)?;
        let verdict = report.verdict();
        set_up.done(action, report, now);
        Some(SessionEvent::SetUp(action, verdict))
    }
}

/// Returns the command line that starts this program with these flags, quoted for the shell of this machine.
fn command(flags: &[String]) -> Option<String> {
    let flags = flags.iter().map(String::as_str);
    let words: Vec<&str> = std::iter::once("oauth-authorizer").chain(flags).collect();
    quote::shell_line(&words)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use super::content::Content;
    use super::*;
    use crate::flow::event::Step;
    use crate::form::choices::Overwrite;
    use crate::oauth::asked::Asked;
    use crate::presets;

    fn session() -> Session {
        let mut settings = Settings::new(presets::get("demo").unwrap());
        settings.set_server("http://127.0.0.1:9");
        Session::new(settings, Library::default())
    }

    fn set(name: &str) -> FlowEvent {
        FlowEvent::Tokens(Box::new(TokenSet {
            access_token: format!("{name}-access").into(),
            token_type: Some("Bearer".to_owned()),
            expires_in: Some(60),
            refresh_token: Some(format!("{name}-refresh").into()),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        }))
    }

    fn hear(session: &mut Session, attempt: AttemptId, event: FlowEvent) -> Option<SessionEvent> {
        session.hear(attempt, event, Moment::default(), &Environment::default())
    }

    fn authorized() -> Session {
        let mut session = session();
        let started = session.authorize().unwrap();
        assert!(matches!(
            hear(&mut session, started.attempt, set("first")),
            Some(SessionEvent::Tokens { refreshed: None })
        ));
        session
    }

    #[test]
    fn events_of_a_finished_attempt_are_ignored() {
        let mut session = session();
        let old = session.authorize().unwrap().attempt;
        assert!(matches!(session.cancel(), Some(Work::SigningIn(_))));
        assert!(session.cancel().is_none());
        for again in [false, true] {
            if again {
                let _ = session.authorize().unwrap();
            }
            let before = format!("{session:?}");
            for event in [
                FlowEvent::Began(Step::Exchange),
                FlowEvent::Done(Duration::ZERO),
                FlowEvent::NotOurs("late".to_owned()),
                set("late"),
                FlowEvent::Failed(FlowError::Protocol(Failure::Expired)),
            ] {
                assert!(hear(&mut session, old, event).is_none());
            }
            assert!(!session.browser_failed(old));
            assert_eq!(format!("{session:?}"), before);
        }
    }

    #[test]
    fn only_one_operation_runs_at_a_time() {
        let mut session = authorized();
        assert!(session.work().is_none());
        let _ = session.refresh().unwrap();
        assert!(matches!(session.authorize(), Err(Refused::Busy(_))));
        assert!(matches!(
            session.discover(Overwrite::Everything),
            Err(Refused::Busy(_))
        ));
        assert!(matches!(session.refresh(), Err(Refused::Busy(_))));
        assert!(matches!(session.cancel(), Some(Work::Refreshing(_))));
        session
            .settings
            .choose(presets::get(presets::CUSTOM).unwrap());
        session.settings.set(Key::Issuer, String::new());
        assert!(matches!(
            session.discover(Overwrite::Everything),
            Err(Refused::NoIssuer)
        ));
        session
            .settings
            .set(Key::Issuer, "https://as.example".to_owned());
        let _ = session.discover(Overwrite::Everything).unwrap();
        assert!(matches!(session.refresh(), Err(Refused::Busy(_))));
        assert!(matches!(session.cancel(), Some(Work::Discovering(_))));
        let _ = session.refresh().unwrap();
    }

    #[test]
    fn failed_refresh_keeps_tokens_and_new_tokens_start_untaken() {
        let mut session = authorized();
        let first = session.tokens.as_ref().unwrap().attempt;
        session.took(&Content::Json(first), Taken::Sent);
        assert!(session.has_untaken_tokens());
        session.took(&Content::Json(first), Taken::Saved);
        assert!(!session.has_untaken_tokens());
        let attempt = session.refresh().unwrap().attempt;
        let error = FlowError::Protocol(Failure::Server {
            asked: Asked::Refresh,
            error: ServerError::new("invalid_grant", None),
        });
        assert!(matches!(
            hear(&mut session, attempt, FlowEvent::Failed(error)),
            Some(SessionEvent::RefreshFailed(_))
        ));
        assert!(session.tokens.is_some() && session.work().is_none());
        let attempt = session.refresh().unwrap().attempt;
        hear(&mut session, attempt, set("second"));
        assert!(session.has_untaken_tokens());
        // A copy of the previous tokens doesn't count as a copy of these.
        session.took(&Content::Token(Value::Access, first), Taken::Copied);
        assert!(session.has_untaken_tokens());
        let stale = Content::Token(Value::Access, first);
        assert!(stale.text(&session).is_none());
    }
}
