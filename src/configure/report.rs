//! The tasks of **Configure…**, and the reports about them.

use super::plan::SetUpAction;
use crate::certificate::Files;
use crate::certificate::thumbprint::Thumbprint;
use crate::console::environment::Ssh;
use crate::form::listen_address::ListenAddress;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::Prefix;

/// A setup task for a listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpTask {
    /// The action to run.
    pub action: SetUpAction,
    /// The URL prefix of the redirect URL.
    pub prefix: Prefix,
    /// The listener to set up.
    pub listener: Listener,
    /// Whether sign-ins use the loopback listener if Windows doesn't allow HTTP.sys.
    pub or_loopback: bool,
    /// The address to listen on instead; not used with HTTP.sys.
    pub listen: Option<ListenAddress>,
    /// The certificate that sign-ins use instead of a created one; not used with HTTP.sys.
    pub certificate: Option<Files>,
    /// The account that is to listen, on Windows; empty for the current user.
    pub user: String,
    /// The thumbprint of the certificate, on Windows.
    pub thumbprint: Option<Thumbprint>,
    /// The SSH connection through which the user reached this machine.
    pub ssh: Option<Ssh>,
    /// Whether to ask the user for consent, on Windows.
    pub consent: Consent,
}

impl SetUpTask {
    /// Returns whether the loopback listener needs a certificate that the program creates. With a listen address, a proxy accepts https and forwards
    /// plain http.
    #[must_use]
    pub fn needs_certificate(&self) -> bool {
        self.prefix.secure && self.listen.is_none() && self.certificate.is_none()
    }

    /// Returns whether a sign-in uses the loopback listener if HTTP.sys is not allowed.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        falls_back(self.or_loopback, &self.prefix)
    }
}

/// Returns whether a sign-in with this URL may use the loopback listener. With https, it needs another certificate.
#[must_use]
pub fn falls_back(or_loopback: bool, prefix: &Prefix) -> bool {
    or_loopback && !prefix.secure
}

/// The listener that waits for the redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// HTTP.sys, in the Windows kernel.
    HttpSys,
    /// The program's own listener, on the loopback addresses or on the listen address.
    Loopback,
}

/// Whether to ask the user for consent to actions that require administrator rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Ask the user at this machine's desktop, if there is one.
    Asked,
    /// Don't ask: no user can see the question, or it was already asked.
    NotAsked,
}

/// The state of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Everything is correct.
    Good,
    /// The change was made.
    Done,
    /// Worth knowing.
    Note,
    /// The object doesn't exist, and Set up adds it.
    Missing,
    /// The listener cannot work with these settings.
    Problem,
    /// The step could not be completed, or a value could not be read.
    Failed,
}

impl State {
    /// Returns whether the listener can't work in this state.
    #[must_use]
    pub fn stops(self) -> bool {
        matches!(self, Self::Missing | Self::Problem)
    }

    /// Returns the word shown before the finding.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Done => "done",
            Self::Note => "note",
            Self::Missing => "missing",
            Self::Problem => "problem",
            Self::Failed => "failed",
        }
    }
}

/// A fact that was found or a change that was made, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The state.
    pub state: State,
    /// A description.
    pub text: String,
    /// The fix.
    pub fix: Option<String>,
    /// A command to run manually, unchanged.
    pub command: Option<String>,
}

impl Finding {
    /// Creates a finding from a description.
    #[must_use]
    pub fn new(state: State, text: impl Into<String>) -> Self {
        Self {
            state,
            text: text.into(),
            fix: None,
            command: None,
        }
    }

    /// Adds a fix.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// Returns the description and the fix as one text.
    #[must_use]
    pub fn sentences(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{} {fix}", self.text),
            None => self.text.clone(),
        }
    }

    /// Adds a command to run manually.
    #[must_use]
    pub fn with(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

/// The result of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// The findings, in order.
    pub findings: Vec<Finding>,
    /// The current user, if it matters for the listener.
    pub user: Option<String>,
    /// The certificates in the machine's store, if they matter for the listener.
    pub certificates: Vec<StoreCertificate>,
}

/// The overall result of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is correct or done.
    Fine,
    /// The listener can't work with these settings.
    Unfit,
    /// A step could not be completed, or a value could not be read.
    Failed,
}

impl Report {
    /// Creates a report that has only findings.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            ..Self::default()
        }
    }

    /// Returns the worst result among the findings.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let has = |state| self.findings.iter().any(|finding| finding.state == state);
        if has(State::Failed) {
            Verdict::Failed
        } else if has(State::Missing) || has(State::Problem) {
            Verdict::Unfit
        } else {
            Verdict::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdict_is_the_worst_finding() {
        let report = |states: &[State]| {
            Report::of(
                states
                    .iter()
                    .map(|state| Finding::new(*state, "x"))
                    .collect(),
            )
            .verdict()
        };
        assert_eq!(
            report(&[State::Good, State::Note, State::Done]),
            Verdict::Fine
        );
        assert_eq!(report(&[State::Good, State::Problem]), Verdict::Unfit);
        assert_eq!(report(&[State::Good, State::Missing]), Verdict::Unfit);
        assert_eq!(report(&[State::Problem, State::Failed]), Verdict::Failed);
    }
}
