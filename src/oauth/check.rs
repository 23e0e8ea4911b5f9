//! The named checks of a run.

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckName {
    /// The endpoints are asked over TLS.
    Tls,
    /// The answer carries the `state` that was sent (RFC 6749, section 10.12).
    State,
    /// The answer names the expected issuer (RFC 9207).
    Issuer,
    /// The code is bound to this program (RFC 7636).
    Pkce,
    /// The ID token is of this issuer, client and sign-in (OpenID Connect Core, section 3.1.3.7).
    IdToken,
    /// All that was asked for was granted (RFC 6749, section 3.3).
    Scope,
    /// There is a refresh token.
    RefreshToken,
}

impl CheckName {
    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::State => "State",
            Self::Issuer => "Issuer",
            Self::Pkce => "PKCE",
            Self::IdToken => "ID token",
            Self::Scope => "Scope",
            Self::RefreshToken => "Refresh token",
        }
    }
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Checked and right.
    Passed,
    /// Checked and wrong.
    Failed,
    /// Could have been checked with more knowledge.
    NotChecked,
    /// There is nothing to check in this run.
    NotApplicable,
}

impl Outcome {
    /// The word on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not checked",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A check and how it came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: CheckName,
    /// How it came out.
    pub outcome: Outcome,
    /// Why, in a few words.
    pub detail: String,
}

impl Check {
    /// A check with its reason.
    pub fn new(name: CheckName, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome,
            detail: detail.into(),
        }
    }
}
