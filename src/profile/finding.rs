//! What a check finds.

/// How bad a finding is; the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Good to know.
    Note,
    /// It will break, or needs attention.
    Soon,
    /// A setting or the client secret is wrong.
    Settings,
    /// A user must sign in again.
    SignIn,
    /// A file can't be used.
    Files,
}

impl Level {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Soon => "soon",
            Self::Settings | Self::SignIn | Self::Files => "broken",
        }
    }

    /// True for what does not work now.
    #[must_use]
    pub fn is_broken(self) -> bool {
        self > Self::Soon
    }
}

/// Something that is wrong or will break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Its name for scripts.
    pub id: &'static str,
    /// When it happened or will happen, in seconds since 1970.
    pub at: Option<u64>,
    /// What it is, as a sentence.
    pub text: String,
    /// What to do, as a sentence.
    pub fix: Option<String>,
}

/// What a check found.
#[derive(Debug, Clone, Default)]
pub struct Forecast {
    /// The state of the tokens; `None` if something is broken.
    pub summary: Option<String>,
    /// What is wrong or will break, the worst first.
    pub findings: Vec<Finding>,
}

impl Forecast {
    /// One that says all.
    #[must_use]
    pub fn of(finding: Finding) -> Self {
        Self {
            summary: None,
            findings: vec![finding],
        }
    }

    /// The worst of it.
    #[must_use]
    pub fn worst(&self) -> Option<Level> {
        self.findings.iter().map(|finding| finding.level).max()
    }
}

/// Nobody has signed in yet to `target`, what a command ends with to mean the profile.
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

/// What to do then.
pub(super) fn sign_in(target: &str) -> String {
    format!("Sign in: oauth-authorizer --profile {target}")
}
