//! The set-up of the listener: the redirect URL parsed, what was typed, what is under way, and what came of it.

use super::clock::Moment;
use crate::configure::plan::{Plan, PlanError, TEMPORARY};
use crate::configure::report::{Consent, Listener, Report, SetUpAction, SetUpTask};
use crate::console::environment::Ssh;
use crate::form::request::ListenAddress;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Prefix, PrefixError, Thumbprint, ThumbprintError};

/// A step of what would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// In words.
    Words(String),
    /// As a command, to be shown as it is.
    Line(String),
    /// Why it cannot be done.
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

/// The set-up of the listener on screen.
#[derive(Debug)]
pub struct ListenerSetUp {
    /// For which listener.
    pub listener: Listener,
    /// As it stands in the form.
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
    /// What came of the latest action.
    pub outcome: Option<SetUpOutcome>,
    /// The action under way, and its number.
    pub busy: Option<(SetUpAction, u64)>,
    /// The redirect URL that gave way to the one without set-up.
    pub before: Option<String>,
}

impl ListenerSetUp {
    /// Opens it on a redirect URL.
    #[must_use]
    pub fn new(listener: Listener, redirect_url: &str, listen: Option<ListenAddress>) -> Self {
        Self {
            listener,
            redirect_url: redirect_url.trim().to_owned(),
            prefix: Prefix::of(redirect_url),
            listen,
            ssh: None,
            user: String::new(),
            thumbprint: String::new(),
            certificates: Vec::new(),
            outcome: None,
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
        self.outcome = Some(SetUpOutcome { action, at, report });
    }

    /// True where HTTP.sys is set up.
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

    /// True where a certificate of the machine's store is needed.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.http_sys() && self.prefix.as_ref().is_ok_and(|prefix| prefix.secure)
    }

    /// The thumbprint, where something was typed.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn thumbprint(&self) -> Result<Option<Thumbprint>, ThumbprintError> {
        match self.thumbprint.trim() {
            "" => Ok(None),
            _ if !self.needs_certificate() => Ok(None),
            text => text.parse().map(Some),
        }
    }

    /// What is asked for, where it can be.
    ///
    /// # Errors
    /// Says what is wrong with the redirect URL or with what was typed.
    pub fn task(&self, action: SetUpAction) -> Result<SetUpTask, PlanError> {
        let prefix = self.prefix.clone()?;
        let thumbprint = self.thumbprint()?;
        if self.http_sys() {
            // What cannot be planned is told before anything is done.
            Plan::new(prefix.clone(), &self.user, thumbprint)?.commands(action)?;
        }
        Ok(SetUpTask {
            action,
            prefix,
            listener: self.listener,
            listen: self.listen,
            user: self.user.clone(),
            thumbprint,
            ssh: self.ssh.clone(),
            consent: if self.ssh.is_some() {
                Consent::NotAsked
            } else {
                Consent::Asked
            },
        })
    }

    /// The commands that do the same as `action`, where there are some.
    ///
    /// # Errors
    /// Says what is wrong with the redirect URL or with what was typed.
    pub fn commands(&self, action: SetUpAction) -> Result<Vec<String>, PlanError> {
        if !self.http_sys() {
            return Ok(Vec::new());
        }
        Plan::new(self.prefix.clone()?, &self.user, self.thumbprint()?)?.commands(action)
    }

    /// What `action` would do, before it is done.
    #[must_use]
    pub fn steps(&self, action: SetUpAction) -> Vec<Step> {
        let words = |text: &str| vec![Step::Words(text.to_owned())];
        let Ok(prefix) = &self.prefix else {
            return Vec::new();
        };
        let host = &prefix.host;
        match (self.http_sys(), action) {
            (true, _) if prefix.needs_no_set_up() => vec![Step::Words(format!(
                "Windows has reserved all below {TEMPORARY} for everybody: nothing has to be set up, and nothing is deleted."
            ))],
            (true, _) => {
                let lead = match action {
                    SetUpAction::SetUp if prefix.is_free_for_all() => {
                        "Most versions of Windows need none of this for localhost, and what is reserved is for that user \
                         alone. Set up does, as administrator, what these commands do:"
                    }
                    SetUpAction::SetUp => "Set up does, as administrator, what these commands do:",
                    SetUpAction::Verify => "Verify asks the HTTP service itself. To look by hand:",
                    SetUpAction::Delete => "Delete does, as administrator, what these commands do:",
                };
                match self.commands(action) {
                    Ok(commands) => std::iter::once(Step::Words(lead.to_owned()))
                        .chain(commands.into_iter().map(Step::Line))
                        .collect(),
                    Err(error) => vec![Step::Problem(error.to_string())],
                }
            }
            (false, SetUpAction::Verify) => words(
                "Verify listens on the port for a moment, looks who has it if it is taken, and asks what localhost means \
                 here. It changes nothing.",
            ),
            (false, SetUpAction::SetUp) => words(&format!(
                "Set up makes a certificate for {host} that only you can read."
            )),
            (false, SetUpAction::Delete) => words(&format!(
                "Delete removes the certificate for {host} and its key."
            )),
        }
    }
}
