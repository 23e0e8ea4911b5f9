//! Notes access tokens that are never refreshed, because the service doesn't say when they expire.

use super::finding::{Finding, Level};
use crate::store::tokens::Tokens;

/// Returns a note for an access token without an expiry date. `target` is the profile name as used in commands.
pub(super) fn no_expiry(tokens: &Tokens, target: &str) -> Option<Finding> {
    tokens.expires_at.is_none().then(|| Finding {
        level: Level::Note,
        id: "no-expiry-date",
        at: None,
        text: "The service doesn't say when the access token expires, so `token` never refreshes it."
            .to_owned(),
        fix: Some(format!(
            "If it expires, run this from a timer: oauth-authorizer refresh {target} --older-than 1h"
        )),
    })
}
