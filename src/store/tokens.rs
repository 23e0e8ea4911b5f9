//! The tokens in a record.

use serde::{Deserialize, Serialize};
use url::Url;

use super::origin::refresh_expires_at;
use super::secret_text;
use super::texts::Kind;
use crate::oauth::id_token::decode;
use crate::oauth::kept::Kept;
use crate::oauth::token::TokenSet;
use crate::oauth::token_notes::LONGEST_LIFE;
use crate::oauth::tools::TokenKind;
use crate::oauth::url::RedirectUrl;
use crate::secret::{ExposeSecret, SecretString};

/// Maximum difference between the clocks of two hosts, in seconds.
pub const SKEW: u64 = 120;

/// The tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// The access token.
    #[serde(with = "secret_text")]
    access_token: Option<SecretString>,
    /// The token type, if the response contained one.
    pub token_type: Option<String>,
    /// When the access token was requested, in seconds since 1970.
    pub obtained_at: u64,
    /// When the access token expires, in seconds since 1970, if this is known.
    pub expires_at: Option<u64>,
    /// The granted scopes; `None` means all requested scopes.
    pub scope: Option<Vec<String>>,
    /// The refresh token.
    #[serde(with = "secret_text")]
    pub refresh_token: Option<SecretString>,
    /// When the refresh token was issued, in seconds since 1970.
    pub refresh_obtained_at: Option<u64>,
    /// When the service first accepts the refresh token, in seconds since 1970.
    pub refresh_not_before: Option<u64>,
    /// When the refresh token expires, in seconds since 1970, if the service says so.
    pub refresh_expires_at: Option<u64>,
    /// The ID token.
    #[serde(with = "secret_text")]
    pub id_token: Option<SecretString>,
    /// Other values in the response that are kept.
    kept: Vec<KeptText>,
    /// The token endpoint that issued the tokens, if it differs from the one in the settings.
    token_url: Option<String>,
    /// The redirect URL, which some services require in a refresh.
    redirect_url: Option<String>,
}

/// A value that came with the tokens and is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptText {
    name: String,
    #[serde(with = "secret_text")]
    value: Option<SecretString>,
}

impl Tokens {
    /// Converts the tokens of `set`, which were requested at `obtained_at`. A refresh token that is the same as in
    /// `before` keeps its date.
    #[must_use]
    pub fn of_set(set: &TokenSet, obtained_at: u64, before: Option<&Self>) -> Self {
        let refresh_obtained_at = set.refresh_token.as_ref().map(|token| {
            let same = before.and_then(|before| {
                let old = before.refresh_token.as_ref()?;
                crate::secret::same(token, old.expose_secret())
                    .then_some(before.refresh_obtained_at)?
            });
            same.unwrap_or(obtained_at)
        });
        let life = set.expires_in.filter(|life| *life <= LONGEST_LIFE);
        let expires_at = life
            .map(|life| obtained_at + life)
            .or_else(|| claim(&set.access_token, "exp").filter(|end| *end > obtained_at));
        Self {
            access_token: Some(set.access_token.clone()),
            token_type: set.token_type.clone(),
            obtained_at,
            expires_at,
            scope: set.scope.clone(),
            refresh_not_before: set
                .refresh_token
                .as_ref()
                .and_then(|token| claim(token, "nbf"))
                .filter(|begin| *begin > obtained_at),
            refresh_expires_at: refresh_expires_at(
                set,
                obtained_at,
                refresh_obtained_at,
                before.map(|b| (b.refresh_obtained_at, b.refresh_expires_at)),
            ),
            refresh_token: set.refresh_token.clone(),
            refresh_obtained_at,
            id_token: set.id_token.clone(),
            kept: set
                .kept
                .iter()
                .map(|kept| KeptText {
                    name: kept.name.clone(),
                    value: Some(kept.value.clone()),
                })
                .collect(),
            token_url: set.token_url.as_ref().map(ToString::to_string),
            redirect_url: set.redirect_url.as_ref().map(|url| url.text().to_owned()),
        }
    }

    /// Replaces the refresh token with one that was issued at `at`. Nothing else is known about it.
    pub fn replace_refresh_token(&mut self, token: SecretString, at: u64) {
        self.refresh_token = Some(token);
        self.refresh_obtained_at = Some(at);
        self.refresh_not_before = None;
        self.refresh_expires_at = None;
    }

    /// Returns the access token; empty if there is none.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.access_token
            .as_ref()
            .map(ExposeSecret::expose_secret)
            .unwrap_or_default()
    }

    /// Returns whether there is a token of this kind.
    #[must_use]
    pub fn has(&self, kind: TokenKind) -> bool {
        match kind {
            TokenKind::Access => !self.access_token().is_empty(),
            TokenKind::Refresh => self.refresh_token.is_some(),
        }
    }

    /// Returns the token endpoint that issued the tokens, if it differs from the one in the settings.
    #[must_use]
    pub fn token_url(&self) -> Option<&str> {
        self.token_url.as_deref()
    }

    /// Returns what may be stored apart from the secrets.
    #[must_use]
    pub(super) fn without_secrets(&self) -> Self {
        Self {
            access_token: None,
            refresh_token: None,
            id_token: None,
            kept: Vec::new(),
            ..self.clone()
        }
    }

    /// Returns the tokens that remain at `now` without this one; `None` if neither remains. A removed access token
    /// counts as expired.
    #[must_use]
    pub fn without(mut self, kind: TokenKind, now: u64) -> Option<Self> {
        match kind {
            TokenKind::Access => {
                self.access_token = None;
                self.expires_at = Some(self.expires_at.map_or(now, |end| end.min(now)));
            }
            TokenKind::Refresh => {
                self.refresh_token = None;
                self.refresh_obtained_at = None;
                self.refresh_not_before = None;
                self.refresh_expires_at = None;
            }
        }
        let left = self.has(TokenKind::Access) || self.has(TokenKind::Refresh);
        left.then_some(self)
    }

    /// Returns the texts that may be printed, each with its name.
    pub(super) fn texts(&self) -> impl Iterator<Item = (&'static str, &str, Kind)> {
        let secrets = [
            ("access token", &self.access_token, Kind::Word),
            ("refresh token", &self.refresh_token, Kind::Line),
            ("ID token", &self.id_token, Kind::Line),
        ];
        let secrets = secrets.into_iter().filter_map(|(name, secret, kind)| {
            Some((name, secret.as_ref()?.expose_secret(), kind))
        });
        let kind = self.token_type.iter();
        let scopes = self.scope.iter().flatten();
        secrets
            .chain(kind.map(|kind| ("token type", kind.as_str(), Kind::Line)))
            .chain(scopes.map(|scope| ("scope", scope.as_str(), Kind::Line)))
    }

    /// Returns the tokens without those that are empty, as after an edit that is meant to force a refresh.
    pub(super) fn without_empty(self) -> Option<Self> {
        let is_empty = |token: &Option<SecretString>| {
            token
                .as_ref()
                .is_some_and(|it| it.expose_secret().is_empty())
        };
        // Expired by every clock that is not itself in doubt.
        let end = self.obtained_at.saturating_sub(SKEW);
        let mut left = Some(self);
        for kind in [TokenKind::Access, TokenKind::Refresh] {
            left = left.and_then(|tokens| {
                let token = match kind {
                    TokenKind::Access => &tokens.access_token,
                    TokenKind::Refresh => &tokens.refresh_token,
                };
                if is_empty(token) {
                    tokens.without(kind, end)
                } else {
                    Some(tokens)
                }
            });
        }
        left
    }

    /// Converts the tokens, at `now`, to the type that the flows use.
    #[must_use]
    pub fn to_set(&self, now: u64) -> TokenSet {
        let kept = self.kept.iter();
        let token_url = self.token_url.as_deref();
        TokenSet {
            access_token: self.access_token.clone().unwrap_or_default(),
            token_type: self.token_type.clone(),
            expires_in: self.expires_at.map(|end| end.saturating_sub(now)),
            refresh_token: self.refresh_token.clone(),
            id_token: self.id_token.clone(),
            scope: self.scope.clone(),
            kept: kept
                .filter_map(|kept| {
                    let value = kept.value.as_ref()?.expose_secret();
                    Kept::new(&kept.name, value.to_owned())
                })
                .collect(),
            notes: Vec::new(),
            token_url: token_url.and_then(|url| Url::parse(url).ok()),
            redirect_url: self
                .redirect_url
                .as_deref()
                .and_then(|text| Some(RedirectUrl::new(Url::parse(text).ok()?, text))),
        }
    }

    /// Returns the remaining lifetime of the access token at `now`, in seconds; `None` if it is unknown.
    #[must_use]
    pub fn left(&self, now: u64) -> Option<u64> {
        self.expires_at.map(|end| end.saturating_sub(now))
    }

    /// Returns when a sign-in is needed, if the tokens say so: when the refresh token expires or, without a refresh
    /// token, when the access token expires.
    #[must_use]
    pub fn sign_in_by(&self) -> Option<u64> {
        if self.has_refresh_token() {
            let token = self.refresh_token.as_ref();
            let end = token.and_then(|token| claim(token, "exp"));
            end.or(self.refresh_expires_at)
        } else {
            self.expires_at
        }
    }

    /// Returns whether there is a refresh token. Also known for an outline.
    #[must_use]
    pub fn has_refresh_token(&self) -> bool {
        self.refresh_obtained_at.is_some()
    }

    /// Returns whether the access token has not expired at `now`, as far as its lifetime is known.
    #[must_use]
    pub fn lives(&self, now: u64) -> bool {
        self.left(now) != Some(0)
    }

    /// Returns whether the access token is still valid for `min_valid` seconds, or for half of its lifetime if that is
    /// shorter. Returns `false` if the clock was set back, because the lifetime is then in doubt.
    #[must_use]
    pub fn is_good(&self, now: u64, min_valid: u64) -> bool {
        if now + SKEW < self.obtained_at {
            return false;
        }
        self.expires_at.is_none_or(|end| {
            let life = end.saturating_sub(self.obtained_at);
            end > now + min_valid.min(life / 2)
        })
    }
}

/// Returns a time in the payload of a JWT, in seconds since 1970. The signature is not verified.
fn claim(token: &SecretString, name: &str) -> Option<u64> {
    let time = decode(token.expose_secret())?.time(name)?;
    time.try_into().ok()
}
