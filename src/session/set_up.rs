//! State of the listener's setup: the parsed redirect URL, the user's input, the action in progress, and the results.

use super::clock::Moment;
use crate::certificate::Files;
use crate::certificate::thumbprint::{Thumbprint, ThumbprintError};
use crate::configure::loopback;
use crate::configure::plan::{Plan, PlanError, SetUpAction, TEMPORARY, certificate_command};
use crate::configure::report::{Consent, Listener, Report, SetUpTask, falls_back};
use crate::console::environment::Ssh;
use crate::form::listen_address::ListenAddress;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Prefix, PrefixError};

/// What an action would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// The action does nothing. Contains the reason.
    Nothing(String),
    /// A description of the action, which follows its name.
    Words(String),
    /// Commands with the same effect as the action.
    Commands(Vec<String>),
    /// The action requires a certificate. Contains the command that creates one.
    Certificate(String),
    /// The action requires a value that was not entered yet. Contains what to enter.
    Missing(String),
    /// The action is impossible. Contains the reason.
    Problem(String),
}

/// The result of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpOutcome {
    /// The action that ended.
    pub action: SetUpAction,
    /// When the action ended.
    pub at: Moment,
    /// What was found and done.
    pub report: Report,
}

/// The state of the listener's setup screen.
#[derive(Debug)]
pub struct ListenerSetUp {
    /// The listener to set up.
    pub listener: Listener,
    /// Whether sign-ins use the loopback listener if Windows doesn't allow HTTP.sys.
    pub or_loopback: bool,
    /// The redirect URL as in the form.
    pub redirect_url: String,
    /// The redirect URL, parsed.
    pub prefix: Result<Prefix, PrefixError>,
    /// The address to listen on instead, if the form has one.
    pub listen: Option<ListenAddress>,
    /// The certificate in the form, if there is one.
    pub certificate: Option<Files>,
    /// The SSH connection through which the user reached this machine.
    pub ssh: Option<Ssh>,
    /// The user account that is to listen.
    pub user: String,
    /// The thumbprint of the certificate, as entered.
    pub thumbprint: String,
    /// The certificates to choose from.
    pub certificates: Vec<StoreCertificate>,
    /// The result of the latest change, unless the input has changed since.
    pub changed: Option<SetUpOutcome>,
    /// The result of the latest check.
    pub checked: Option<SetUpOutcome>,
    /// The action in progress, and the number of its report.
    pub busy: Option<(SetUpAction, u64)>,
    /// The redirect URL that was replaced by the one that needs no setup.
    pub before: Option<String>,
}

impl ListenerSetUp {
    /// Opens the setup for a redirect URL.
    #[must_use]
    pub fn new(listener: Listener, redirect_url: &str, listen: Option<ListenAddress>) -> Self {
        Self {
            listener,
            or_loopback: false,
            redirect_url: redirect_url.trim().to_owned(),
            prefix: Prefix::of(redirect_url),
            listen,
            certificate: None,
            ssh: None,
            user: String::new(),
            thumbprint: String::new(),
            certificates: Vec::new(),
            changed: None,
            checked: None,
            busy: None,
            before: None,
        }
    }

    /// Stores the result of an action.
    pub(super) fn done(&mut self, action: SetUpAction, report: Report, at: Moment) {
        if self.user.trim().is_empty()
            && let Some(user) = &report.user
        {
            self.user.clone_from(user);
        }
        if !report.certificates.is_empty() {
            self.certificates.clone_from(&report.certificates);
        }
        let outcome = Some(SetUpOutcome { action, at, report });
        if action == SetUpAction::Verify {
            self.checked = outcome;
        } else {
            self.changed = outcome;
            // The previous check is outdated.
            self.checked = None;
        }
    }

    /// Returns whether HTTP.sys is set up, not the loopback listener.
    #[must_use]
    pub fn http_sys(&self) -> bool {
        self.listener == Listener::HttpSys
    }

    /// Returns the actions that are possible with this redirect URL. If there is nothing to set up, there is nothing to
    /// delete either.
    #[must_use]
    pub fn actions(&self) -> &'static [SetUpAction] {
        match self.planned(SetUpAction::SetUp) {
            None => &[],
            Some(Planned::Nothing(_)) => &[SetUpAction::Verify],
            Some(_) => &SetUpAction::ALL,
        }
    }

    /// Returns whether the URL is reserved for a user.
    #[must_use]
    pub fn needs_user(&self) -> bool {
        self.http_sys() && self.actions().contains(&SetUpAction::SetUp)
    }

    /// Returns whether a certificate in the machine's store is required.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.http_sys() && self.prefix.as_ref().is_ok_and(|prefix| prefix.secure)
    }

    /// Returns the thumbprint, if one was entered and is required.
    ///
    /// # Errors
    /// Returns what is wrong with the thumbprint.
    pub fn thumbprint(&self) -> Result<Option<Thumbprint>, ThumbprintError> {
        match self.thumbprint.trim() {
            "" => Ok(None),
            _ if !self.needs_certificate() => Ok(None),
            text => text.parse().map(Some),
        }
    }

    /// Returns the task for `action`.
    ///
    /// # Errors
    /// Returns what is wrong with the redirect URL or with the input.
    pub fn task(&self, action: SetUpAction) -> Result<SetUpTask, PlanError> {
        let task = SetUpTask {
            action,
            prefix: self.prefix.clone()?,
            listener: self.listener,
            or_loopback: self.or_loopback,
            listen: self.listen,
            certificate: self.certificate.clone(),
            user: self.user.clone(),
            thumbprint: self.thumbprint()?,
            ssh: self.ssh.clone(),
            consent: if self.ssh.is_some() {
                Consent::NotAsked
            } else {
                Consent::Asked
            },
        };
        if self.http_sys() {
            // Report planning errors before anything is changed.
            match Plan::new(task.prefix.clone(), &self.user, task.thumbprint) {
                Err(error) if task.falls_back() && error.nothing_to_set_up().is_some() => {}
                plan => drop(plan?.commands(action)?),
            }
        }
        Ok(task)
    }

    /// Returns the commands with the same effect as `action`, if there are any.
    ///
    /// # Errors
    /// Returns what is wrong with the redirect URL or with the input.
    pub fn commands(&self, action: SetUpAction) -> Result<Vec<String>, PlanError> {
        if !self.http_sys() {
            return Ok(Vec::new());
        }
        Plan::new(self.prefix.clone()?, &self.user, self.thumbprint()?)?.commands(action)
    }

    /// Returns what to show instead of commands.
    fn not_planned(&self, prefix: &Prefix, error: &PlanError) -> Planned {
        match error.nothing_to_set_up() {
            Some(text) if falls_back(self.or_loopback, prefix) => Planned::Nothing(text.to_owned()),
            _ => match self.certificate_command() {
                Some(command) if *error == PlanError::NoThumbprint => Planned::Certificate(command),
                _ if matches!(error, PlanError::NoThumbprint | PlanError::NoUser) => {
                    Planned::Missing(self.explain(error))
                }
                _ => Planned::Problem(error.to_string()),
            },
        }
    }

    /// Describes an error, and what to do about it on this machine.
    #[must_use]
    pub fn explain(&self, error: &PlanError) -> String {
        let remedy = match error {
            PlanError::NoThumbprint if !self.certificates.is_empty() => {
                "Choose one from the list, or enter its thumbprint."
            }
            PlanError::NoThumbprint if self.certificate_command().is_some() => {
                "Create one with the command above, then enter its thumbprint."
            }
            _ => return error.to_string(),
        };
        format!("https requires a certificate of this machine. {remedy}")
    }

    /// Returns the command that creates a certificate, if one is required and the machine has none for this host.
    fn certificate_command(&self) -> Option<String> {
        let prefix = self.prefix.as_ref().ok()?;
        let fits = |it: &StoreCertificate| it.is_usable(&prefix.host);
        let none = self.needs_certificate()
            && self.thumbprint.trim().is_empty()
            && !self.certificates.iter().any(fits);
        none.then(|| certificate_command(prefix).ok()).flatten()
    }

    /// Returns the tunnel through which a browser on the user's own computer reaches the listener.
    #[must_use]
    pub fn tunnel(&self) -> Option<String> {
        if self.http_sys() {
            return None;
        }
        let task = self.task(SetUpAction::Verify).ok()?;
        loopback::tunnel(&task).map(|tunnel| tunnel.to_string())
    }

    /// Returns what `action` would do; `None` if that is obvious.
    #[must_use]
    pub fn planned(&self, action: SetUpAction) -> Option<Planned> {
        let prefix = self.prefix.as_ref().ok()?;
        let host = &prefix.host;
        Some(match (self.http_sys(), action) {
            (true, _) if prefix.needs_no_set_up() => Planned::Nothing(format!(
                "Nothing to set up: Windows reserves all URLs under {TEMPORARY} for all users."
            )),
            (true, _) => match self.commands(action) {
                Ok(commands) => Planned::Commands(commands),
                Err(error) => self.not_planned(prefix, &error),
            },
            (false, SetUpAction::Verify) => return None,
            (false, _) if !prefix.secure => {
                Planned::Nothing("Nothing to set up for plain http.".to_owned())
            }
            (false, _) if self.listen.is_some() => Planned::Nothing(
                "Nothing to set up: a proxy accepts https, and the listener uses plain http."
                    .to_owned(),
            ),
            (false, _) if self.certificate.is_some() => Planned::Nothing(
                "Nothing to set up: sign-ins use the certificate in the form.".to_owned(),
            ),
            (false, _) if !prefix.is_loopback() => {
                Planned::Nothing(format!("Nothing to set up on this machine for {host}."))
            }
            (false, SetUpAction::SetUp) => Planned::Words(format!(
                "create a certificate for {host}, with a private key that only you can read."
            )),
            (false, SetUpAction::Delete) => Planned::Words(format!(
                "delete the certificate for {host} and its private key."
            )),
        })
    }
}
