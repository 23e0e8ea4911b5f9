//! The findings of a check.

/// The severity of a finding, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know, not a problem.
    Note,
    /// Something will break, or needs attention.
    Soon,
    /// A setting or the client secret is wrong.
    Settings,
    /// A user must sign in again.
    SignIn,
    /// A file can't be used.
    Files,
}

impl Level {
    /// Returns the word for the level.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Soon => "soon",
            Self::Settings | Self::SignIn | Self::Files => "broken",
        }
    }

    /// Returns whether a finding of this level means that something does not work now.
    #[must_use]
    pub fn is_broken(self) -> bool {
        self > Self::Soon
    }
}

/// A single problem, present or expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How severe the problem is.
    pub level: Level,
    /// The name of the finding for scripts.
    pub id: &'static str,
    /// When the problem happened or will happen, in seconds since 1970.
    pub at: Option<u64>,
    /// A description of the problem, as a sentence.
    pub text: String,
    /// What to do, as a sentence.
    pub fix: Option<String>,
}

/// The result of a check.
#[derive(Debug, Clone, Default)]
pub struct Forecast {
    /// A summary of the tokens; `None` if something is broken.
    pub summary: Option<String>,
    /// The problems, the worst first.
    pub findings: Vec<Finding>,
}

impl Forecast {
    /// Creates a forecast with a single finding and no summary.
    #[must_use]
    pub fn of(finding: Finding) -> Self {
        Self {
            summary: None,
            findings: vec![finding],
        }
    }

    /// Returns the level of the worst finding.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

/// Returns the finding that nobody has signed in yet. `target` is the profile name with the flag for its folder, as
/// used in commands.
#[must_use]
pub fn not_signed_in(target: &str) -> Finding {
    Finding {
        level: Level::SignIn,
        id: "not-signed-in",
        at: None,
        text: "There are no tokens yet.".to_owned(),
        fix: Some(sign_in(target)),
    }
}

/// Returns the fix: the command that replaces the client secret.
#[must_use]
pub fn save_secret(target: &str) -> String {
    // Profile names contain no spaces.
    let name = target.split(' ').next().unwrap_or_default();
    format!("oauth-authorizer profiles save {target} --profile {name} --client-secret-stdin")
}

/// Returns the fix: the command to sign in.
#[must_use]
pub fn sign_in(target: &str) -> String {
    format!("Sign in: oauth-authorizer --profile {target}")
}
