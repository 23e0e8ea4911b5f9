//! The setup of the listener: the redirect URL parsed, what was typed, what is in progress, and what came of it.

use super::clock::Moment;
use crate::configure::loopback;
use crate::configure::plan::{Plan, PlanError, TEMPORARY, certificate_command};
use crate::configure::report::{Consent, Listener, Report, SetUpAction, SetUpTask, falls_back};
use crate::console::environment::Ssh;
use crate::form::request::ListenAddress;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Prefix, PrefixError, Thumbprint, ThumbprintError};

/// What an action would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Planned {
    /// Nothing, and why.
    Nothing(String),
    /// This, in words that follow the name of the action.
    Words(String),
    /// The same as these commands.
    Commands(Vec<String>),
    /// It needs a certificate, which this command creates.
    Certificate(String),
    /// It cannot be done, and why.
    Problem(String),
}

/// What came of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpOutcome {
    /// The action.
    pub action: SetUpAction,
    /// When it was over.
    pub at: Moment,
    /// What was found and done.
    pub report: Report,
}

/// The setup of the listener on screen.
#[derive(Debug)]
pub struct ListenerSetUp {
    /// For which listener.
    pub listener: Listener,
    /// A sign-in uses the loopback listener where Windows doesn't allow HTTP.sys.
    pub or_loopback: bool,
    /// As in the form.
    pub redirect_url: String,
    /// The same, read.
    pub prefix: Result<Prefix, PrefixError>,
    /// Where to listen instead.
    pub listen: Option<ListenAddress>,
    /// How the user came here from another machine.
    pub ssh: Option<Ssh>,
    /// Who is to listen.
    pub user: String,
    /// The certificate's thumbprint, as typed.
    pub thumbprint: String,
    /// To choose from.
    pub certificates: Vec<StoreCertificate>,
    /// What came of the latest change, unless something else was typed since.
    pub changed: Option<SetUpOutcome>,
    /// What the latest check found.
    pub checked: Option<SetUpOutcome>,
    /// The action in progress, and its number.
    pub busy: Option<(SetUpAction, u64)>,
    /// The redirect URL that gave way to the one without setup.
    pub before: Option<String>,
}

impl ListenerSetUp {
    /// Opens it on a redirect URL.
    #[must_use]
    pub fn new(listener: Listener, redirect_url: &str, listen: Option<ListenAddress>) -> Self {
        Self {
            listener,
            or_loopback: false,
            redirect_url: redirect_url.trim().to_owned(),
            prefix: Prefix::of(redirect_url),
            listen,
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

    /// Takes in what came of an action.
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
            // It was about what has changed since.
            self.checked = None;
        }
    }

    /// True if HTTP.sys is set up.
    #[must_use]
    pub fn http_sys(&self) -> bool {
        self.listener == Listener::HttpSys
    }

    /// What can be done here.
    #[must_use]
    pub fn actions(&self) -> &'static [SetUpAction] {
        match &self.prefix {
            Err(_) => &[],
            Ok(_) if self.http_sys() => &SetUpAction::ALL,
            Ok(prefix) if prefix.secure && prefix.is_loopback() => &SetUpAction::ALL,
            Ok(_) => &[SetUpAction::Verify],
        }
    }

    /// True if a certificate of the machine's store is needed.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.http_sys() && self.prefix.as_ref().is_ok_and(|prefix| prefix.secure)
    }

    /// The thumbprint, where something was typed.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn thumbprint(&self) -> Result<Option<Thumbprint>, ThumbprintError> {
        match self.thumbprint.trim() {
            "" => Ok(None),
            _ if !self.needs_certificate() => Ok(None),
            text => text.parse().map(Some),
        }
    }

    /// What is requested, where it can be.
    ///
    /// # Errors
    /// Returns what is wrong with the redirect URL or with what was typed.
    pub fn task(&self, action: SetUpAction) -> Result<SetUpTask, PlanError> {
        let task = SetUpTask {
            action,
            prefix: self.prefix.clone()?,
            listener: self.listener,
            or_loopback: self.or_loopback,
            listen: self.listen,
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
            // What cannot be planned is told before anything is done.
            match Plan::new(task.prefix.clone(), &self.user, task.thumbprint) {
                Err(error) if task.falls_back() && error.nothing_to_set_up().is_some() => {}
                plan => drop(plan?.commands(action)?),
            }
        }
        Ok(task)
    }

    /// The commands that do the same as `action`, where there are some.
    ///
    /// # Errors
    /// Returns what is wrong with the redirect URL or with what was typed.
    pub fn commands(&self, action: SetUpAction) -> Result<Vec<String>, PlanError> {
        if !self.http_sys() {
            return Ok(Vec::new());
        }
        Plan::new(self.prefix.clone()?, &self.user, self.thumbprint()?)?.commands(action)
    }

    /// What there is to say instead of commands.
    fn not_planned(&self, prefix: &Prefix, error: &PlanError) -> Planned {
        match error.nothing_to_set_up() {
            Some(text) if falls_back(self.or_loopback, prefix) => Planned::Nothing(text.to_owned()),
            _ => match self.certificate_command() {
                Some(command) if *error == PlanError::NoThumbprint => Planned::Certificate(command),
                _ => Planned::Problem(error.to_string()),
            },
        }
    }

    /// The command that creates a certificate, if one is required and the machine has none for this host.
    fn certificate_command(&self) -> Option<String> {
        let prefix = self.prefix.as_ref().ok()?;
        let fits = |it: &StoreCertificate| it.is_usable(&prefix.host);
        let none = self.needs_certificate()
            && self.thumbprint.trim().is_empty()
            && !self.certificates.iter().any(fits);
        none.then(|| certificate_command(prefix).ok()).flatten()
    }

    /// The tunnel that leads a browser on the user's own computer to the listener.
    #[must_use]
    pub fn tunnel(&self) -> Option<String> {
        if self.http_sys() {
            return None;
        }
        let task = self.task(SetUpAction::Verify).ok()?;
        loopback::tunnel(&task).map(|tunnel| tunnel.to_string())
    }

    /// What `action` would do; `None` if that goes without saying.
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
            (false, _) if !prefix.is_loopback() => {
                Planned::Nothing(format!("Nothing to set up on this machine for {host}."))
            }
            (false, SetUpAction::SetUp) => Planned::Words(format!(
                "create a certificate for {host} that only you can read."
            )),
            (false, SetUpAction::Delete) => Planned::Words(format!(
                "delete the certificate for {host} and its private key."
            )),
        })
    }
}
