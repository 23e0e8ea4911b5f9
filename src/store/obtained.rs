//! Tokens apart from a record, with what a record says about them.

use super::issued_for::IssuedFor;
use super::origin::Origin;
use super::record::Record;
use super::tokens::Tokens;
use crate::oauth::token::TokenSet;

/// Tokens, and how they were obtained: at a sign-in, or from the record of a profile. Another profile that they are saved
/// in gets the same dates and endpoints.
#[derive(Debug, Clone)]
pub struct Obtained {
    /// The tokens, with their dates.
    pub tokens: Tokens,
    /// When and where they were obtained. Without a host, it was this one.
    pub origin: Origin,
    /// What the tokens were issued for, according to the record of a profile; `None` for tokens of this run.
    pub pins: Option<Box<IssuedFor>>,
}

impl Obtained {
    /// Creates the value for the tokens of a sign-in, which arrived at `at`, in seconds since 1970.
    #[must_use]
    pub fn at_sign_in(set: &TokenSet, at: u64) -> Self {
        Self {
            tokens: Tokens::of_set(set, at, None),
            origin: Origin {
                signed_in_at: Some(at),
                ..Origin::default()
            },
            pins: None,
        }
    }

    /// Creates the value for the tokens of a record; `None` if it has none.
    #[must_use]
    pub fn of_record(record: &Record) -> Option<Self> {
        Some(Self {
            tokens: record.tokens.clone()?,
            origin: record.origin.clone(),
            pins: Some(Box::new(record.issued_for.clone())),
        })
    }

    /// Returns the value for the tokens of a refresh, which arrived at `at`. The sign-in is still the same.
    #[must_use]
    pub fn refreshed(self, set: &TokenSet, at: u64) -> Self {
        Self {
            tokens: Tokens::of_set(set, at, Some(&self.tokens)),
            origin: Origin {
                signed_in_at: self.origin.signed_in_at,
                ..Origin::default()
            },
            pins: self.pins,
        }
    }
}
