//! The requests to Configure…, and its reports.

pub use super::plan::SetUpAction;
use crate::console::environment::Ssh;
use crate::form::request::ListenAddress;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Prefix, Thumbprint};

/// What is asked, and about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetUpTask {
    /// Whether to find out, write, verify or delete.
    pub action: SetUpAction,
    /// The place that the redirect URL names.
    pub prefix: Prefix,
    /// Which listener is set up for it.
    pub listener: Listener,
    /// A sign-in uses the loopback listener where Windows doesn't allow HTTP.sys.
    pub or_loopback: bool,
    /// Where to listen instead; not with HTTP.sys.
    pub listen: Option<ListenAddress>,
    /// Who is to listen, on Windows; empty: the current user.
    pub user: String,
    /// The certificate, on Windows.
    pub thumbprint: Option<Thumbprint>,
    /// How the user came here from another machine.
    pub ssh: Option<Ssh>,
    /// Whether to ask for consent, on Windows.
    pub consent: Consent,
}

impl SetUpTask {
    /// True if a sign-in uses the loopback listener where HTTP.sys is not allowed.
    #[must_use]
    pub fn falls_back(&self) -> bool {
        falls_back(self.or_loopback, &self.prefix)
    }
}

/// True if a sign-in on this URL may use the loopback listener. With https that one needs a certificate of its own.
#[must_use]
pub fn falls_back(or_loopback: bool, prefix: &Prefix) -> bool {
    or_loopback && !prefix.secure
}

/// Which listener waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The kernel's of Windows.
    HttpSys,
    /// Our own, on the loopback addresses or where the listen address says.
    Loopback,
}

/// Whether the user is asked for consent to what requires administrator rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The user at this machine's desktop, where there is one.
    Asked,
    /// Nobody: there is nobody to see the question, or it was asked already.
    NotAsked,
}

/// How a finding stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// Carried out.
    Done,
    /// Worth knowing.
    Note,
    /// It isn't there, and Set up adds it.
    Missing,
    /// The listener cannot work with these settings.
    Problem,
    /// It could not be carried out, or not be read.
    Failed,
}

impl State {
    /// True if the listener cannot work like this.
    #[must_use]
    pub fn stops(self) -> bool {
        matches!(self, Self::Missing | Self::Problem)
    }

    /// The word in front of it.
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

/// One thing that was found or done: what it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub state: State,
    /// What it is.
    pub text: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// A command to be run by hand, as it is.
    pub command: Option<String>,
}

impl Finding {
    /// A finding in words.
    #[must_use]
    pub fn new(state: State, text: impl Into<String>) -> Self {
        Self {
            state,
            text: text.into(),
            fix: None,
            command: None,
        }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn fix(mut self, text: impl Into<String>) -> Self {
        self.fix = Some(text.into());
        self
    }

    /// Both as one text.
    #[must_use]
    pub fn sentences(&self) -> String {
        match &self.fix {
            Some(fix) => format!("{} {fix}", self.text),
            None => self.text.clone(),
        }
    }

    /// The same with a command to be run by hand.
    #[must_use]
    pub fn with(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// In order.
    pub findings: Vec<Finding>,
    /// The current user, where that counts.
    pub user: Option<String>,
    /// The certificates of the machine's store, where they count.
    pub certificates: Vec<StoreCertificate>,
}

/// How a report comes out as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be, or done.
    Fine,
    /// The listener cannot work as it is.
    Unfit,
    /// Something could not be done or read.
    Failed,
}

impl Report {
    /// Only findings.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            ..Self::default()
        }
    }

    /// The worst of the findings.
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
    fn the_worst_finding_counts() {
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
