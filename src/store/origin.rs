//! When and where the tokens of a record were obtained, and when their refresh token expires.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::host;
use crate::oauth::kept::REFRESH_LIFE;
use crate::oauth::token::TokenSet;
use crate::oauth::token_notes::LONGEST_LIFE;
use crate::secret::ExposeSecret;

/// When and where the tokens were obtained.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// When the user signed in, in seconds since 1970.
    pub signed_in_at: Option<u64>,
    /// The host that requested the newest tokens.
    pub host: Option<String>,
    /// How far the host's clock was ahead of the service's at the last refresh, in seconds.
    pub clock_ahead: Option<i64>,
}

impl Origin {
    /// Returns the origin of a sign-in on this host.
    pub(super) fn here(signed_in_at: Option<u64>) -> Self {
        Self {
            signed_in_at,
            host: Some(host::name()),
            clock_ahead: None,
        }
    }

    /// Returns the origin with this host if none is known.
    #[must_use]
    pub fn or_here(self) -> Self {
        Self {
            host: self.host.or_else(|| Some(host::name())),
            ..self
        }
    }
}

/// Returns a random text that identifies a sign-in or what was stored.
pub(super) fn random_text() -> String {
    use ring::rand::SecureRandom;
    let mut bytes = [0_u8; 16];
    // Without randomness, the text is the same each time, and the generation still distinguishes records.
    let _ = ring::rand::SystemRandom::new().fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns when the refresh token expires, from the lifetime in the response or one carried over from an earlier
/// response. If a response repeats the same token with a lifetime, the lifetime starts at `obtained_at`: the service
/// extends the token, or returns the remaining time.
pub(super) fn refresh_expires_at(
    set: &TokenSet,
    obtained_at: u64,
    issued_at: Option<u64>,
    before: Option<(Option<u64>, Option<u64>)>,
) -> Option<u64> {
    let mut kept = set.kept.iter();
    let kept = kept.find(|kept| REFRESH_LIFE.contains(&kept.name.as_str()))?;
    let life: u64 = kept.value.expose_secret().parse().ok()?;
    // Zero means that the token doesn't expire.
    if !(1..=LONGEST_LIFE).contains(&life) {
        return None;
    }
    let issued_at = issued_at?;
    match before {
        Some((before_issued_at, before_expires_at)) if before_issued_at == Some(issued_at) => {
            if kept.is_carried_over() {
                before_expires_at.or(Some(issued_at.saturating_add(life)))
            } else {
                Some(obtained_at.saturating_add(life))
            }
        }
        _ => Some(issued_at.saturating_add(life)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::kept::Kept;

    #[test]
    fn refresh_token_expiry_is_counted_from_its_issue() {
        let of = |kept: Kept| TokenSet {
            access_token: "access".into(),
            token_type: None,
            expires_in: None,
            refresh_token: Some("refresh".into()),
            id_token: None,
            scope: None,
            kept: vec![kept],
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        };
        let kept = |name: &str, life: &str| Kept::new(name, life.to_owned()).unwrap();
        let set = |name: &str, life: &str| of(kept(name, life));
        let end = |set: &TokenSet, issued_at, before| {
            refresh_expires_at(set, 1300, Some(issued_at), before)
        };
        for name in REFRESH_LIFE {
            assert_eq!(end(&set(name, "600"), 1000, None), Some(1600), "{name}");
        }
        for (name, life) in [
            ("refresh_expires_in", "0"),
            ("refresh_expires_in", "soon"),
            ("refresh_expires_in", "99999999999"),
            ("created_at", "600"),
        ] {
            assert_eq!(end(&set(name, life), 1000, None), None, "{name}: {life}");
        }
        // A new token, and the previous one.
        let before = Some((Some(1000), Some(1600)));
        let again = of(kept("refresh_expires_in", "600").carried_over());
        assert_eq!(end(&again, 1300, before), Some(1900));
        assert_eq!(end(&again, 1000, before), Some(1600));
        // A stored expiry time stays, and a missing one is added.
        assert_eq!(
            end(&again, 1000, Some((Some(1000), Some(1550)))),
            Some(1550)
        );
        assert_eq!(end(&again, 1000, Some((Some(1000), None))), Some(1600));
        // If the response contains no new token, its lifetime is that of the previous token from now on.
        for life in [600, 3600] {
            let extended = set("refresh_expires_in", &life.to_string());
            assert_eq!(end(&extended, 1000, before), Some(1300 + life));
        }
    }

    #[test]
    fn origin_has_time_and_host_and_random_texts_differ() {
        let origin = Origin {
            signed_in_at: Some(1000),
            host: Some(host::name()),
            clock_ahead: None,
        };
        assert_eq!(Origin::here(Some(1000)), origin);
        let texts = [random_text(), random_text()];
        assert_ne!(texts[0], texts[1]);
        for text in texts {
            assert_eq!(URL_SAFE_NO_PAD.decode(text).unwrap().len(), 16);
        }
    }
}
