//! What is asked of Configure…, and what it answers.

pub use super::plan::Work;
use super::plan::{Prefix, Thumbprint};
use crate::console::environment::Ssh;
use crate::form::request::ListenAddress;

/// What is asked, and about what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// What.
    pub work: Work,
    /// The place that the redirect URL names.
    pub prefix: Prefix,
    /// Which listener is set up for it.
    pub listener: Listener,
    /// Where to listen instead; not with HTTP.sys.
    pub listen: Option<ListenAddress>,
    /// Who is to listen, on Windows; empty: the current user.
    pub user: String,
    /// The certificate, on Windows.
    pub thumbprint: Option<Thumbprint>,
    /// How the person came here from another machine.
    pub ssh: Option<Ssh>,
    /// Whether to ask for consent, on Windows.
    pub consent: Consent,
}

/// Which listener waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// The kernel's of Windows.
    HttpSys,
    /// Our own, on the loopback addresses or where the listen address says.
    Loopback,
}

/// Whether somebody is asked for consent to what this program may not do by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// The person at this machine's desktop, where there is one.
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
    /// The listener cannot work like this.
    Wrong,
    /// It could not be carried out, or not be read.
    Failed,
}

impl State {
    /// The word in front of it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Done => "done",
            Self::Note => "note",
            Self::Wrong => "wrong",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was found or done: what it is, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub state: State,
    /// In sentences.
    pub text: String,
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
            command: None,
        }
    }

    /// The same with a command to be run by hand.
    #[must_use]
    pub fn with(mut self, command: impl Into<String>) -> Self {
        self.command = Some(command.into());
        self
    }
}

/// A certificate of the machine's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCertificate {
    /// Whom it is about, such as `CN=localhost`.
    pub subject: String,
    /// The host names and addresses that it is for.
    pub names: Vec<String>,
    /// Its last day, as year-month-day.
    pub expires: String,
    /// That day is over.
    pub expired: bool,
    /// Its thumbprint.
    pub thumbprint: Thumbprint,
    /// Its private key is on this machine.
    pub has_key: bool,
}

impl StoreCertificate {
    /// True where a browser takes it for `host`. A star stands for one part of a name.
    #[must_use]
    pub fn fits(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            let by_star = || {
                let (rest, (_, parent)) = (name.strip_prefix("*.")?, host.split_once('.')?);
                Some(rest == parent && parent.contains('.'))
            };
            name == host || by_star().unwrap_or(false)
        })
    }

    /// What speaks against it for `host`, in a few words; nothing where it can be taken.
    #[must_use]
    pub fn against(&self, host: &str) -> Vec<&'static str> {
        let mut against = Vec::new();
        if !self.has_key {
            against.push("no private key");
        }
        if self.expired {
            against.push("expired");
        }
        if !self.fits(host) {
            against.push("other host");
        }
        against
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
        } else if has(State::Wrong) {
            Verdict::Unfit
        } else {
            Verdict::Fine
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(names: &[&str]) -> StoreCertificate {
        StoreCertificate {
            subject: "CN=x".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            expires: "2027-01-01".to_owned(),
            expired: false,
            thumbprint: Thumbprint([7; 20]),
            has_key: true,
        }
    }

    #[test]
    fn a_certificate_fits_its_names_and_one_part_for_a_star() {
        let one = certificate(&["LOCALHOST", "*.example.org", "::1"]);
        for host in ["localhost", "a.example.org", "A.Example.org", "[::1]"] {
            assert!(one.fits(host), "{host}");
        }
        for host in ["example.org", "a.b.example.org", "localhost.example", "+"] {
            assert!(!one.fits(host), "{host}");
        }
        assert!(!certificate(&["*.org"]).fits("example.org"));
    }

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
        assert_eq!(report(&[State::Good, State::Wrong]), Verdict::Unfit);
        assert_eq!(report(&[State::Wrong, State::Failed]), Verdict::Failed);
    }
}
