//! Hands tokens that can't be stored to the process that started the keeper, which may still use them.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::profile::{sign_in_again, sign_in_if_gone};
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::secret::{ExposeSecret, same};
use crate::store::attempt::Outcome;
use crate::store::private::PrivateError;
use crate::store::record::Record;
use crate::store::reserved::awaits;
use crate::store::tokens::Tokens;
use crate::words::duration;

/// Maximum length of the line, in bytes. Records are always smaller.
pub const LIMIT: usize = 2 * 1024 * 1024;

/// Tokens that can't be stored: new ones, or stored ones that the command of their store destroyed.
#[derive(Debug, Serialize, Deserialize)]
pub struct Unstored {
    /// The outcome that all waiting callers report.
    pub outcome: Outcome,
    /// The record that could not be stored, without the client secret.
    pub record: Record,
    /// Whether the service replaced the stored refresh token by one that is nowhere on disk.
    pub is_lost: bool,
    /// Whether the tokens come from this refresh.
    pub is_new: bool,
}

impl Unstored {
    /// Creates the value for a record that can't be stored because of `error`. `before` contains the stored tokens.
    #[must_use]
    pub fn new(
        place: &Place,
        record: Record,
        before: Option<&Tokens>,
        error: &PrivateError,
    ) -> Self {
        let is_waiting = awaits(&place.next(), &record);
        let is_replaced = is_replaced(&record, before);
        let of_store = error.of_store();
        let is_damaged = matches!(of_store, PrivateError::Damaged(_)) && record.can_refresh();
        let is_lost = !is_waiting && (is_replaced || is_damaged);
        let repair = repair(error);
        let hint = if is_waiting {
            format!(
                "The new tokens are in {}, and the next refresh puts them in their place. Find out why that failed.",
                place.next().display()
            )
        } else if is_lost {
            let sign_in = sign_in_again(place);
            format!("{repair}. {sign_in}")
        } else if record.issued_for.is_without_user() {
            format!("{repair}. The next refresh requests another token.")
        } else if matches!(of_store, PrivateError::Unread(_)) {
            format!("{repair}. {}", sign_in_if_gone(place))
        } else {
            format!("{repair}. The stored refresh token still works.")
        };
        let outcome = Outcome {
            code: exit::NOT_STORED,
            error: format!("The service issued new tokens, but they can't be stored. {error}"),
            cause: (is_lost && is_replaced).then(|| {
                "The service replaced the refresh token, so the stored one probably no longer works."
                    .to_owned()
            }),
            hint: Some(hint),
        };
        Self {
            outcome,
            // The client secret is already stored, and the use of these tokens doesn't require it.
            record: Record {
                client_secret: None,
                ..record
            },
            is_lost,
            is_new: true,
        }
    }

    /// Creates the value for the record of a store whose command destroyed it, after a refresh that brought no tokens.
    #[must_use]
    pub fn damaged(place: &Place, record: Record, refresh: &Outcome, error: &PrivateError) -> Self {
        let sign_in = sign_in_again(place);
        Self {
            outcome: Outcome::new(
                exit::NOT_STORED,
                format!("{} The stored tokens are damaged. {error}", refresh.error),
            )
            .with_hint(format!("{}. {sign_in}", repair(error))),
            record: Record {
                client_secret: None,
                ..record
            },
            is_lost: true,
            is_new: false,
        }
    }

    /// Creates the value for a record that its store may no longer contain, because both commands fail. No request was
    /// sent.
    #[must_use]
    pub fn unread(place: &Place, record: Record, error: &PrivateError) -> Self {
        let hint = format!("Find out why the commands fail. {}", sign_in_if_gone(place));
        Self {
            outcome: Outcome::new(
                exit::NOT_STORED,
                format!("The service wasn't contacted. {error}"),
            )
            .with_hint(hint),
            record: Record {
                client_secret: None,
                ..record
            },
            is_lost: false,
            is_new: false,
        }
    }

    /// Returns the line that is handed over.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let record = self.record.to_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(record.capacity() + 4096));
        // Writing to memory cannot fail, and all keys are strings.
        let _ = serde_json::to_writer(&mut *bytes, self);
        bytes.push(b'\n');
        bytes
    }

    /// Parses that line; `None` if it is incomplete.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Returns what a process reports that gets the new access token. `now` is in seconds since 1970.
    #[must_use]
    pub fn when_used(&self, now: u64) -> Outcome {
        let tokens = self.record.tokens.as_ref();
        let left = tokens.and_then(|tokens| tokens.left(now));
        let hint = self.outcome.hint.as_deref().unwrap_or_default();
        let hint = match left {
            Some(0) => hint.to_owned(),
            None => format!("Only this command has the access token. {hint}"),
            Some(left) => format!(
                "You have {} until the {}access token expires. {hint}",
                duration(left),
                if self.is_new { "new " } else { "" }
            ),
        };
        Outcome {
            hint: Some(hint),
            ..self.outcome.clone()
        }
    }

    /// Returns what a process reports that gets no token and therefore prints nothing.
    #[must_use]
    pub fn when_unused(outcome: Outcome) -> Outcome {
        let code = match outcome.code {
            exit::NOT_STORED => exit::FAILED,
            code => code,
        };
        Outcome { code, ..outcome }
    }
}

/// Returns what the user can do about `error`, without a period.
fn repair(error: &PrivateError) -> &'static str {
    match error {
        PrivateError::Keeping(_)
        | PrivateError::Damaged(_)
        | PrivateError::Unread(_)
        | PrivateError::Program(_) => "Find out why the command fails",
        PrivateError::FileAndStore { .. } => {
            "Make room on the disk or repair it, and find out why the command fails"
        }
        _ => "Make room on the disk or repair it",
    }
}

/// Returns whether the refresh token in the record is new.
fn is_replaced(record: &Record, before: Option<&Tokens>) -> bool {
    let token = |tokens: Option<&Tokens>| tokens.and_then(|tokens| tokens.refresh_token.clone());
    match (token(record.tokens.as_ref()), token(before)) {
        (Some(new), Some(old)) => !same(&new, old.expose_secret()),
        (new, _) => new.is_some(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::token::TokenSet;
    use crate::profile::places::Places;
    use crate::store::issued_for::IssuedFor;

    fn tokens(refresh_token: Option<&str>) -> Tokens {
        let set = TokenSet {
            access_token: "an-access-token".into(),
            token_type: None,
            expires_in: Some(3600),
            refresh_token: refresh_token.map(Into::into),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        };
        Tokens::of_set(&set, 1000, None)
    }

    /// Creates an `Unstored` for tokens of a flow, with new and old refresh tokens.
    fn unstored(flow: &str, new: Option<&str>, old: Option<&str>) -> Unstored {
        let folder = tempfile::tempdir().unwrap();
        let places = Places::new(Some(folder.path())).unwrap();
        let place = places.place(&"office".parse().unwrap(), false).unwrap();
        let issued_for = IssuedFor {
            token_url: "https://as.example/token".to_owned(),
            client_id: "me".to_owned(),
            client_authentication: "none".to_owned(),
            flow: flow.to_owned(),
            header: "Bearer".to_owned(),
            ..IssuedFor::default()
        };
        let digest = "digest".to_owned();
        let record = Record::new(
            "office",
            digest,
            issued_for,
            Some(tokens(new)),
            Some("a-client-secret".into()),
        );
        let error = PrivateError::NotAFile(place.record());
        Unstored::new(&place, record, Some(&tokens(old)), &error)
    }

    #[test]
    fn only_a_replaced_refresh_token_requires_a_sign_in() {
        for (flow, new, old, is_lost, end) in [
            (
                "device-code",
                Some("new"),
                Some("old"),
                true,
                "Sign in: oauth-authorizer --profile office",
            ),
            (
                "device-code",
                Some("old"),
                Some("old"),
                false,
                "The stored refresh token still works.",
            ),
            (
                "client-credentials",
                None,
                None,
                false,
                "The next refresh requests another token.",
            ),
        ] {
            let unstored = unstored(flow, new, old);
            assert_eq!(unstored.is_lost, is_lost, "{flow} {new:?}");
            assert_eq!(unstored.outcome.cause.is_some(), is_lost);
            let used = unstored.when_used(1060);
            assert_eq!(used.code, exit::NOT_STORED);
            let hint = used.hint.unwrap();
            // The command contains the folder of this test.
            let hint_end = hint.split(" --profiles ").next().unwrap();
            assert!(hint_end.ends_with(end), "{hint}");
            let start = "You have 59 minutes until the new access token expires. ";
            assert!(hint.starts_with(start), "{hint}");
            // Without the token, nothing is printed.
            let unused = Unstored::when_unused(unstored.outcome);
            assert_eq!(unused.code, exit::FAILED);
        }
    }

    #[test]
    fn only_complete_lines_are_parsed() {
        let line = unstored("device-code", Some("new"), None).to_bytes();
        let parsed = Unstored::parse(&line).unwrap();
        let tokens = parsed.record.tokens.unwrap();
        assert_eq!(tokens.access_token(), "an-access-token");
        assert!(!String::from_utf8_lossy(&line).contains("a-client-secret"));
        assert_eq!(
            line.iter().position(|byte| *byte == b'\n'),
            Some(line.len() - 1)
        );
        for end in 0..line.len() - 1 {
            assert!(Unstored::parse(&line[..end]).is_none(), "{end}");
        }
    }
}
