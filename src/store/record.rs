//! The record of a profile: its tokens, its client secret, and where they may be sent.
//!
//! A record is replaced as a whole. Only the holder of the profile's [`Lock`](super::lock::Lock) writes one.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use url::Url;
use zeroize::Zeroizing;

pub use super::issued_for::{IssuedFor, ServiceAccountPin, ToolPins};
pub use super::origin::Origin;
use super::origin::{random_text, refresh_expires_at};
use super::private::{self, Audience, PrivateError};
use super::seal::{self, Seal, SealError};
use super::secret_text;
use crate::oauth::dialect::Kept;
use crate::oauth::token::TokenSet;
use crate::oauth::token_notes::LONGEST_LIFE;
use crate::oauth::tools::TokenKind;
use crate::oauth::url::RedirectUrl;
use crate::secret::{ExposeSecret, SecretString};

/// The version of the format that this program writes.
pub const FORMAT: u32 = 1;
/// Maximum size of a record, in bytes. Tokens take up a few kilobytes.
pub(super) const LIMIT: u64 = 1024 * 1024;
/// The space reserved for a record, in bytes. More than a record usually needs.
pub(super) const RESERVED: usize = 64 * 1024;
/// Maximum difference between the clocks of two hosts, in seconds.
pub const SKEW: u64 = 120;

/// Why a record can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A problem with the file.
    #[error(transparent)]
    File(#[from] PrivateError),
    /// The file is incomplete, or another program wrote it.
    #[error("{0} is damaged, or another program wrote it. Sign in again to replace it.")]
    Damaged(String),
    /// A newer version of this program wrote the file.
    #[error(
        "{path} was written by a newer version of this program (format {format}). Update the program."
    )]
    Newer {
        /// The file.
        path: String,
        /// The version of its format.
        format: u32,
    },
    /// The command that keeps the secrets printed those of another sign-in, or none.
    #[error(
        "The command {0} printed no tokens of this sign-in. Restore them in its store, or sign in again to replace them."
    )]
    Foreign(String),
}

/// The stored tokens of a profile and everything needed to refresh them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// The version of the format, [`FORMAT`].
    pub format: u32,
    /// The name of the profile.
    pub profile: String,
    /// A random text that identifies the sign-in that the tokens come from.
    pub lineage: String,
    /// The number of this record. Each new record of the profile gets the next number.
    pub generation: u64,
    /// The SHA-256 digest of the settings file that the tokens were issued with.
    pub settings: String,
    /// The endpoints to which the tokens and the client secret may be sent, and the other settings of the sign-in.
    pub issued_for: IssuedFor,
    /// The tokens; `None` after they were revoked.
    pub tokens: Option<Tokens>,
    /// The client secret, unless the settings name another place for it.
    #[serde(with = "secret_text")]
    pub client_secret: Option<SecretString>,
    /// The rejection of the refresh token, if the service rejected it.
    pub rejected: Option<Rejected>,
    /// When and where the tokens came from; empty in records of older versions.
    #[serde(default)]
    pub origin: Origin,
    /// Always the last member: without it, the file is incomplete.
    pub end: bool,
    /// How the file is encrypted, which the file itself says.
    #[serde(skip)]
    pub seal: Seal,
}

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

/// A rejection of the refresh token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejected {
    /// When the service rejected it, in seconds since 1970.
    pub at: u64,
    /// What happened.
    pub error: String,
    /// The cause, if it is known.
    pub cause: Option<String>,
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

/// Returns a number in the payload of a JWT. The signature is not verified.
fn claim(token: &SecretString, name: &str) -> Option<u64> {
    let payload = token.expose_secret().split('.').nth(1)?;
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(payload).ok()?);
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    claims.get(name)?.as_u64()
}

impl Record {
    /// Creates the first record of a sign-in.
    #[must_use]
    pub fn new(
        profile: &str,
        settings: String,
        issued_for: IssuedFor,
        tokens: Option<Tokens>,
        client_secret: Option<SecretString>,
    ) -> Self {
        let signed_in_at = tokens.as_ref().map(|tokens| tokens.obtained_at);
        Self {
            format: FORMAT,
            profile: profile.to_owned(),
            lineage: random_text(),
            generation: 1,
            settings,
            issued_for,
            tokens,
            client_secret,
            rejected: None,
            origin: Origin::here(signed_in_at),
            end: true,
            seal: Seal::default(),
        }
    }

    /// Returns whether new tokens can be requested: with a refresh token, or in a flow without a user. Also known for
    /// an outline.
    #[must_use]
    pub fn can_refresh(&self) -> bool {
        let tokens = self.tokens.as_ref();
        self.issued_for.is_without_user() || tokens.is_some_and(Tokens::has_refresh_token)
    }

    /// Returns when the user has to sign in, if the tokens say so.
    #[must_use]
    pub fn sign_in_by(&self) -> Option<u64> {
        let tokens = self.tokens.as_ref()?;
        tokens
            .sign_in_by()
            .filter(|_| !self.issued_for.is_without_user())
    }

    /// Returns whether these tokens were obtained after those of `other`. For the same sign-in, the generation decides.
    #[must_use]
    pub fn is_newer_than(&self, other: &Self) -> bool {
        if self.lineage == other.lineage {
            return self.generation > other.generation;
        }
        let obtained = |record: &Self| record.tokens.as_ref().map(|tokens| tokens.obtained_at);
        obtained(self) > obtained(other)
    }

    /// Reads a record with its secrets.
    ///
    /// # Errors
    /// Returns an error if the record is missing, accessible to other users, incomplete, or newer than this program, or
    /// if the command that keeps the secrets fails.
    pub fn read(path: &Path) -> Result<Self, RecordError> {
        Self::outline(path)?.complete()
    }

    /// Reads the outline of a record, which is its file. If a command keeps the secrets, they are missing, because the
    /// command is not run.
    ///
    /// # Errors
    /// Returns an error if the record is missing, accessible to other users, incomplete, or newer than this program.
    pub fn outline(path: &Path) -> Result<Self, RecordError> {
        let bytes = private::read(path, Audience::Owner, LIMIT)?;
        Self::parse(&bytes, path)
    }

    /// Completes an outline with the secrets that the command prints. These may be newer than the file, if a process
    /// was stopped between the two writes or another computer uses the same store.
    ///
    /// # Errors
    /// Returns an error if the command fails, or prints the secrets of another sign-in.
    pub fn complete(self) -> Result<Self, RecordError> {
        let Some(commands) = &self.issued_for.store else {
            return Ok(self);
        };
        let bytes = commands.secrets().map_err(PrivateError::Program)?;
        let foreign = || RecordError::Foreign(commands.name());
        let stored: Self = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        if stored.format > FORMAT {
            return Err(RecordError::Newer {
                path: format!("What the command {} printed", commands.name()),
                format: stored.format,
            });
        }
        let (here, there) = (&self.issued_for, &stored.issued_for);
        // The file decides where tokens may be sent, because nobody else can write it.
        let same = stored.end
            && stored.lineage == self.lineage
            && stored.generation >= self.generation
            && there.token_url == here.token_url
            && there.client_id == here.client_id;
        if !same {
            return Err(foreign());
        }
        let is_newer = stored.generation > self.generation;
        Ok(Self {
            settings: if is_newer {
                stored.settings
            } else {
                self.settings
            },
            profile: self.profile,
            issued_for: self.issued_for,
            seal: self.seal,
            ..stored
        })
    }

    /// Returns the record without its secrets.
    #[must_use]
    pub(super) fn without_secrets(&self) -> Self {
        let tokens = self.tokens.clone().map(|tokens| Tokens {
            access_token: None,
            refresh_token: None,
            id_token: None,
            kept: Vec::new(),
            ..tokens
        });
        Self {
            tokens,
            client_secret: None,
            ..self.clone()
        }
    }

    /// Parses the bytes of a record that was at `path`.
    ///
    /// # Errors
    /// Returns an error if the bytes are incomplete, or newer than this program.
    pub fn parse(bytes: &[u8], path: &Path) -> Result<Self, RecordError> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
            sealed: Option<serde::de::IgnoredAny>,
        }
        let name = || path.to_string_lossy().into_owned();
        let head: Head = serde_json::from_slice(bytes).map_err(|_| RecordError::Damaged(name()))?;
        if head.format > FORMAT {
            return Err(RecordError::Newer {
                path: name(),
                format: head.format,
            });
        }
        if head.sealed.is_none() {
            return Self::parse_open(bytes, path);
        }
        let (seal, opened) = seal::open(bytes).map_err(|problem| sealed(path, problem))?;
        let record = Self::parse_open(&opened, path)?;
        Ok(Self { seal, ..record })
    }

    fn parse_open(bytes: &[u8], path: &Path) -> Result<Self, RecordError> {
        let damaged = || RecordError::Damaged(path.to_string_lossy().into_owned());
        let record: Self = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if record.end && record.profile.eq_ignore_ascii_case(&stem) {
            Ok(record)
        } else {
            Err(damaged())
        }
    }

    /// Returns the bytes of the record.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(RESERVED));
        // Writing to memory can't fail, and all keys are strings.
        let _ = serde_json::to_writer(&mut *bytes, self);
        bytes.push(b'\n');
        bytes
    }
}

pub(super) fn sealed(path: &Path, problem: SealError) -> PrivateError {
    PrivateError::Seal {
        path: path.to_owned(),
        problem,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::super::reserved::{Reserved, adopt};
    use super::*;

    fn issued_for() -> IssuedFor {
        IssuedFor {
            token_url: "https://as.example/token".to_owned(),
            client_id: "me".to_owned(),
            client_authentication: "none".to_owned(),
            scope: vec!["mail".to_owned()],
            flow: "device-code".to_owned(),
            header: "Bearer".to_owned(),
            ..IssuedFor::default()
        }
    }

    fn set(expires_in: Option<u64>) -> TokenSet {
        TokenSet {
            access_token: "an-access-token".into(),
            token_type: Some("Bearer".to_owned()),
            expires_in,
            refresh_token: Some("a-refresh-token".into()),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        }
    }

    fn record() -> Record {
        let tokens = Tokens::of_set(&set(Some(3600)), 1000, None);
        Record::new(
            "office",
            "digest".to_owned(),
            issued_for(),
            Some(tokens),
            None,
        )
    }

    #[test]
    fn a_record_comes_back_and_debug_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("office.record");
        let next = folder.path().join("office.next");
        let record = record();
        Reserved::take(&next, Seal::Plain)
            .unwrap()
            .store(&record, &path)
            .unwrap();
        assert!(!next.exists());
        let read = Record::read(&path).unwrap();
        assert_eq!(
            read.tokens.as_ref().unwrap().access_token(),
            "an-access-token"
        );
        assert_eq!(read.issued_for, record.issued_for);
        assert!(!format!("{read:?}").contains("a-refresh-token"));
        let bytes = std::fs::read(&path).unwrap();
        // Every truncated record is detected as damaged.
        for end in 0..bytes.len() - 1 {
            let error = Record::parse(&bytes[..end], &path).unwrap_err();
            assert!(matches!(error, RecordError::Damaged(_)), "{end}: {error}");
        }
        // A copy under another name is not the record of that profile.
        assert!(Record::parse(&bytes, Path::new("other.record")).is_err());
        let newer = String::from_utf8(bytes)
            .unwrap()
            .replace("\"format\":1", "\"format\":2");
        let error = Record::parse(newer.as_bytes(), &path).unwrap_err();
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    #[test]
    fn what_follows_is_adopted_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("office.record");
        let next = folder.path().join("office.next");
        let current = record();
        let following = Record {
            generation: 2,
            ..current.clone()
        };
        let elsewhere = IssuedFor {
            token_url: "https://evil.example/token".to_owned(),
            ..issued_for()
        };
        for (found, adopted) in [
            (following.clone(), true),
            (current.clone(), false),
            (
                Record {
                    lineage: "other".to_owned(),
                    ..following.clone()
                },
                false,
            ),
            (
                Record {
                    issued_for: elsewhere,
                    ..following
                },
                false,
            ),
        ] {
            private::replace(&next, &folder.path().join("x"), &found.to_bytes()).unwrap();
            let outcome = adopt(&next, &current, &path).unwrap();
            assert_eq!(outcome.is_some(), adopted);
            assert!(!next.exists());
        }
        Reserved::take(&next, Seal::Plain).unwrap();
        assert!(adopt(&next, &current, &path).unwrap().is_none() && !next.exists());
    }

    #[test]
    fn a_token_is_good_for_half_of_its_life_at_most() {
        let of = |life| Tokens::of_set(&set(life), 1000, None);
        for (life, now, min_valid, good) in [
            (Some(3600), 1000, 60, true),
            (Some(3600), 4539, 60, true),
            (Some(3600), 4540, 60, false),
            // A lifetime of five minutes must not cause a refresh at each call.
            (Some(300), 1100, 300, true),
            (Some(300), 1150, 300, false),
            (None, 9_999_999, 60, true),
            // The clock was set back.
            (Some(3600), 880, 60, true),
            (Some(3600), 879, 60, false),
        ] {
            assert_eq!(of(life).is_good(now, min_valid), good, "{life:?} {now}");
        }
        assert!(of(Some(10)).lives(1009) && !of(Some(10)).lives(1010));
        // A number that is not a lifetime is ignored.
        assert_eq!(of(Some(99_999_999_999)).expires_at, None);
    }

    /// Returns a JWT whose signature is not verified.
    fn jwt(payload: &str) -> SecretString {
        format!("e30.{}.x", URL_SAFE_NO_PAD.encode(payload)).into()
    }

    #[test]
    fn a_lifetime_comes_from_the_response_or_else_from_the_token() {
        for (expires_in, exp, end) in [
            (None, 1001, Some(1001)),
            (Some(60), 5000, Some(1060)),
            (Some(LONGEST_LIFE), 5000, Some(1000 + LONGEST_LIFE)),
            (Some(LONGEST_LIFE + 1), 5000, Some(5000)),
            // A token that has already expired comes from a server with another clock.
            (None, 1000, None),
            (None, 999, None),
        ] {
            let set = TokenSet {
                access_token: jwt(&format!(r#"{{"exp":{exp}}}"#)),
                ..set(expires_in)
            };
            let tokens = Tokens::of_set(&set, 1000, None);
            assert_eq!(tokens.expires_at, end, "{expires_in:?} {exp}");
        }
    }

    #[test]
    fn a_refresh_token_says_when_it_begins_and_ends() {
        for (nbf, begin) in [(1001, Some(1001)), (1000, None), (999, None)] {
            let set = TokenSet {
                refresh_token: Some(jwt(&format!(r#"{{"nbf":{nbf},"exp":8000}}"#))),
                ..set(Some(60))
            };
            let tokens = Tokens::of_set(&set, 1000, None);
            assert_eq!(tokens.refresh_not_before, begin, "{nbf}");
            assert_eq!(tokens.sign_in_by(), Some(8000));
        }
    }

    #[test]
    fn a_refresh_token_that_is_extended_has_its_new_end_and_one_that_isnt_keeps_it() {
        let answer = |refresh_token: Option<&str>, life: Option<&str>| {
            let kept = life.and_then(|life| Kept::new("refresh_expires_in", life.to_owned()));
            TokenSet {
                refresh_token: refresh_token.map(Into::into),
                kept: kept.into_iter().collect(),
                ..set(Some(60))
            }
        };
        let first = answer(Some("r1"), Some("600"));
        let before = Tokens::of_set(&first, 1000, None);
        for (refresh_token, life, end) in [
            (None, None, 1600),
            (None, Some("600"), 1900),
            (Some("r1"), Some("9000"), 10_300),
            (Some("r2"), None, 1900),
            (Some("r2"), Some("500"), 1800),
        ] {
            // As in the keeper: the stored tokens are the previous ones.
            let fresh = answer(refresh_token, life).after(&before.to_set(1300));
            let tokens = Tokens::of_set(&fresh, 1300, Some(&before));
            assert_eq!(
                tokens.refresh_expires_at,
                Some(end),
                "{refresh_token:?} {life:?}"
            );
            // A response without a lifetime doesn't extend the token once more.
            let silent = answer(None, None).after(&tokens.to_set(1400));
            let later = Tokens::of_set(&silent, 1400, Some(&tokens));
            assert_eq!(
                later.refresh_expires_at,
                Some(end),
                "{refresh_token:?} {life:?}"
            );
        }
    }

    #[test]
    fn one_token_can_be_removed_and_the_other_stays() {
        let kept = Kept::new("refresh_expires_in", "600".to_owned()).unwrap();
        let of = |life| {
            let kept = vec![kept.clone()];
            Tokens::of_set(&TokenSet { kept, ..set(life) }, 1000, None)
        };
        for (life, now, end) in [(Some(60), 1010, 1010), (Some(60), 1070, 1060), (None, 7, 7)] {
            let left = of(life).without(TokenKind::Access, now).unwrap();
            assert!(!left.has(TokenKind::Access) && left.has(TokenKind::Refresh));
            assert_eq!(left.expires_at, Some(end));
            assert_eq!(left.sign_in_by(), Some(1600));
        }
        let left = of(Some(60)).without(TokenKind::Refresh, 1010).unwrap();
        assert!(left.has(TokenKind::Access) && !left.has(TokenKind::Refresh));
        assert_eq!(left.sign_in_by(), Some(1060));
        assert_eq!(
            (left.refresh_obtained_at, left.refresh_expires_at),
            (None, None)
        );
        assert!(left.without(TokenKind::Access, 1020).is_none());
    }

    #[test]
    fn a_user_signs_in_again_where_nothing_else_gets_new_tokens() {
        let without_refresh_token = || {
            let mut record = record();
            let tokens = record.tokens.take();
            record.tokens = tokens.and_then(|tokens| tokens.without(TokenKind::Refresh, 1000));
            record
        };
        let without_user = |mut record: Record| {
            record.issued_for.flow = "client-credentials".to_owned();
            record
        };
        let revoked = || Record {
            tokens: None,
            ..record()
        };
        for (record, can_refresh, sign_in_by) in [
            (record(), true, None),
            (record().without_secrets(), true, None),
            (without_refresh_token(), false, Some(4600)),
            (without_user(without_refresh_token()), true, None),
            (revoked(), false, None),
            (without_user(revoked()), true, None),
        ] {
            assert_eq!(record.can_refresh(), can_refresh, "{record:?}");
            assert_eq!(record.sign_in_by(), sign_in_by, "{record:?}");
        }
    }

    #[test]
    fn the_newer_of_two_records_is_told_by_generation_or_between_sign_ins_by_time() {
        let of = |lineage: &str, generation, obtained_at| Record {
            lineage: lineage.to_owned(),
            generation,
            tokens: Some(Tokens::of_set(&set(None), obtained_at, None)),
            ..record()
        };
        let other = of("a", 5, 1000);
        for (record, newer) in [
            (of("a", 6, 900), true),
            (of("a", 5, 1001), false),
            (of("a", 4, 1001), false),
            (of("b", 1, 1001), true),
            (of("b", 6, 1000), false),
            (of("b", 6, 999), false),
        ] {
            assert_eq!(record.is_newer_than(&other), newer, "{record:?}");
        }
        let revoked = Record {
            lineage: "b".to_owned(),
            tokens: None,
            ..record()
        };
        assert!(other.is_newer_than(&revoked) && !revoked.is_newer_than(&other));
    }

    #[cfg(unix)]
    fn stored_at(path: &Path) -> Record {
        let shell = |script: String| ["/bin/sh".to_owned(), "-c".to_owned(), script].to_vec();
        let mut record = record();
        record.client_secret = Some("a-client-secret".into());
        record.issued_for.store = Some(crate::store::commands::StoreCommands {
            read: shell(format!("cat '{}'", path.display())),
            write: shell(format!("cat >'{}'", path.display())),
        });
        record
    }

    #[cfg(unix)]
    #[test]
    fn a_command_keeps_the_secrets_and_the_file_the_rest() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut record = stored_at(&at("kept"));
        let set = TokenSet {
            id_token: Some("an-id-token".into()),
            kept: vec![Kept::new("device_secret", "a-device-secret".to_owned()).unwrap()],
            ..set(Some(3600))
        };
        record.tokens = Some(Tokens::of_set(&set, 1000, None));
        let reserved = Reserved::take(&at("office.next"), Seal::Plain).unwrap();
        reserved.store(&record, &at("office.record")).unwrap();
        let file = std::fs::read_to_string(at("office.record")).unwrap();
        let kept = std::fs::read_to_string(at("kept")).unwrap();
        for secret in [
            "an-access-token",
            "a-refresh-token",
            "an-id-token",
            "a-device-secret",
            "a-client-secret",
        ] {
            assert!(!file.contains(secret) && kept.contains(secret), "{secret}");
        }
        let outline = Record::outline(&at("office.record")).unwrap();
        assert_eq!(outline.tokens.unwrap().expires_at, Some(4600));
        let read = Record::read(&at("office.record")).unwrap();
        assert_eq!(*read.to_bytes(), *record.to_bytes());

        // A command that can't store new secrets is detected before the secrets are requested.
        Reserved::after(&record, &at("office.next"))
            .unwrap()
            .release();
        let commands = record.issued_for.store.as_mut().unwrap();
        commands.write = vec!["false".to_owned()];
        let error = Reserved::after(&record, &at("office.next")).unwrap_err();
        assert!(matches!(error, PrivateError::Keeping(_)), "{error}");
        assert!(
            error.to_string().starts_with("The command false failed"),
            "{error}"
        );
        assert!(!at("office.next").exists());
    }

    #[cfg(unix)]
    #[test]
    fn only_secrets_of_the_same_sign_in_are_taken_from_a_command() {
        type Change = fn(&mut Record);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let whole = Record {
            generation: 5,
            ..stored_at(&path)
        };
        let outline = Record {
            seal: Seal::Dpapi,
            ..whole.without_secrets()
        };
        let completed = |change: Change| {
            let mut stored = whole.clone();
            change(&mut stored);
            std::fs::write(&path, &*stored.to_bytes()).unwrap();
            outline.clone().complete()
        };
        let foreign: [Change; 5] = [
            |stored| stored.end = false,
            |stored| stored.lineage = "other".to_owned(),
            |stored| stored.generation = 4,
            |stored| stored.issued_for.token_url = "https://evil.example/token".to_owned(),
            |stored| stored.issued_for.client_id = "other".to_owned(),
        ];
        for (index, change) in foreign.into_iter().enumerate() {
            let error = completed(change).unwrap_err();
            assert_eq!(error, RecordError::Foreign("/bin/sh".to_owned()), "{index}");
        }
        let newer = completed(|stored| stored.format = FORMAT + 1).unwrap_err();
        assert!(newer.to_string().contains("command /bin/sh printed"));
        assert!(matches!(newer, RecordError::Newer { format: 2, .. }));

        // The file decides where tokens may be sent; the settings belong to the generation.
        for (change, generation, settings) in [
            (
                (|stored| stored.settings = "stored".to_owned()) as Change,
                5,
                "digest",
            ),
            (
                |stored| {
                    stored.generation = 6;
                    stored.settings = "stored".to_owned();
                    stored.profile = "other".to_owned();
                    stored.issued_for.scope = vec!["everything".to_owned()];
                    stored.issued_for.ca_file = Some("evil.pem".to_owned());
                },
                6,
                "stored",
            ),
        ] {
            let record = completed(change).unwrap();
            assert_eq!(record.generation, generation);
            assert_eq!(record.settings, settings);
            assert_eq!(record.profile, "office");
            assert_eq!(record.issued_for, outline.issued_for);
            assert_eq!(record.seal, Seal::Dpapi);
            assert_eq!(record.tokens.unwrap().access_token(), "an-access-token");
        }
        std::fs::write(&path, "{}").unwrap();
        let error = outline.complete().unwrap_err();
        assert!(matches!(error, RecordError::Foreign(_)), "{error}");
    }
}
