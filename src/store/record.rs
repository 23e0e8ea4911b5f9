//! The record of a profile: its tokens, its client secret, and where they may be sent.
//!
//! A record is replaced as a whole. Only the holder of the profile's [`Lock`](super::lock::Lock) writes one.

use std::path::Path;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::commands::StoreCommands;
use super::issued_for::{Client, IssuedFor};
use super::origin::{Origin, random_text};
use super::private::{self, Audience, PrivateError};
use super::program::ProgramError;
use super::record_error::{Damage, RecordError};
use super::seal::{self, Seal, SealError};
use super::secret_text;
use super::texts::{Kind, problem};
use super::tokens::Tokens;
use crate::clean::clean;
use crate::secret::SecretString;

/// The version of the format that this program writes.
pub const FORMAT: u32 = 1;
/// Maximum size of a record, in bytes. Tokens take up a few kilobytes.
pub(super) const LIMIT: u64 = 1024 * 1024;
/// The space reserved for a record, in bytes. More than a record usually needs.
pub(super) const RESERVED: usize = 64 * 1024;

/// The highest number of a record that this program accepts. It never gets there, and counting on can't overflow.
const LAST_GENERATION: u64 = u64::MAX / 2;

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
    /// The client that the client secret belongs to, if the tokens were issued for another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_of: Option<Client>,
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
            secret_of: None,
            rejected: None,
            origin: Origin::here(signed_in_at),
            end: true,
            seal: Seal::default(),
        }
    }

    /// Returns the client secret for the client that the tokens were issued for.
    #[must_use]
    pub fn secret(&self) -> Option<&SecretString> {
        self.client_secret
            .as_ref()
            .filter(|_| self.secret_of.is_none())
    }

    /// Returns the client that the client secret belongs to.
    #[must_use]
    pub fn secret_client(&self) -> Client {
        let client = || self.issued_for.client();
        self.secret_of.clone().unwrap_or_else(client)
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
        match self.issued_for.store.clone() {
            Some(commands) => self.complete_with(&commands),
            None => Ok(self),
        }
    }

    /// Does the same with other commands of the same store.
    ///
    /// # Errors
    /// Returns the errors of [`complete`](Self::complete).
    pub fn complete_with(self, commands: &StoreCommands) -> Result<Self, RecordError> {
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
        let stored = stored.checked(|| format!("What the command {} printed", commands.name()))?;
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

    /// Parses what the command of a store printed; `None` if it contains no secrets of a profile.
    #[must_use]
    pub fn stored(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        (record.end && record.has_secrets()).then_some(record)
    }

    /// Returns whether what the command of a store printed contains the secrets of a profile, with any text around them.
    #[must_use]
    pub fn is_amid(bytes: &[u8]) -> bool {
        let begins = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'{');
        let texts = begins.filter_map(|(at, _)| bytes.get(at..));
        let mut records = texts.filter_map(|text| {
            let mut values = serde_json::Deserializer::from_slice(text).into_iter::<Self>();
            values.next()?.ok()
        });
        records.any(|record| record.end && record.has_secrets())
    }

    /// Stores the secrets that `commands` already keep once more, to find out whether that works. If it fails and destroys
    /// what was stored, it is retried, so that the secrets are there again.
    ///
    /// # Errors
    /// Returns an error if the commands fail: [`PrivateError::Damaged`] if this record is now the only copy, and
    /// [`PrivateError::Unread`] if it may be.
    pub fn keep_again(&self, commands: &StoreCommands) -> Result<(), PrivateError> {
        let bytes = self.to_bytes();
        let Err(error) = commands.keep(&bytes) else {
            return Ok(());
        };
        if self.is_kept_by(commands) == Some(true) {
            return Err(PrivateError::Keeping(error));
        }
        let kept = commands.keep_soon(&bytes);
        kept.map_err(|error| self.error_of(commands, error))
    }

    /// Returns the error for commands that keep this record and couldn't store anything.
    #[must_use]
    pub fn error_of(&self, commands: &StoreCommands, error: ProgramError) -> PrivateError {
        match self.is_kept_by(commands) {
            Some(true) => PrivateError::Keeping(error),
            Some(false) => PrivateError::Damaged(error),
            None => PrivateError::Unread(error),
        }
    }

    /// Returns the error for this record, which could not be stored, in the words of [`error_of`](Self::error_of) if a
    /// command failed. An earlier error of the store is added, unless the store has the secrets again.
    #[must_use]
    pub fn storage_error(
        &self,
        error: PrivateError,
        earlier: Option<PrivateError>,
    ) -> PrivateError {
        match (error, &self.issued_for.store, earlier) {
            (PrivateError::Keeping(error), Some(commands), _) => self.error_of(commands, error),
            (file, Some(commands), Some(store)) if self.is_kept_by(commands) != Some(true) => {
                PrivateError::FileAndStore {
                    file: Box::new(file),
                    store: Box::new(store),
                }
            }
            (error, ..) => error,
        }
    }

    /// Stores the secrets once more with the commands of this record if they are gone, after other commands failed with
    /// `error`. Returns the error to report.
    #[must_use]
    pub fn put_back(&self, error: PrivateError) -> PrivateError {
        let Some(commands) = &self.issued_for.store else {
            return error;
        };
        if self.is_kept_by(commands) != Some(true)
            && let Err(error) = commands.keep_soon(&self.to_bytes())
        {
            return self.error_of(commands, error);
        }
        match error {
            PrivateError::Damaged(error) | PrivateError::Unread(error) => {
                PrivateError::Keeping(error)
            }
            error => error,
        }
    }

    /// Returns whether the commands still print the secrets of this record, if it has any; `None` if the command that
    /// prints them fails. It may fail because there are none, or because the store can't be reached.
    fn is_kept_by(&self, commands: &StoreCommands) -> Option<bool> {
        if !self.has_secrets() {
            return Some(true);
        }
        let printed = Self::stored(&commands.secrets().ok()?);
        let is_own = |it: Self| it.lineage == self.lineage && it.generation >= self.generation;
        Some(printed.is_some_and(is_own))
    }

    /// Returns whether the record contains tokens or a client secret.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.tokens.is_some() || self.client_secret.is_some()
    }

    /// Returns the name of the profile, which another program may have written, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        clean(&self.profile, 80)
    }

    /// Returns the record without its secrets.
    #[must_use]
    pub(super) fn without_secrets(&self) -> Self {
        let tokens = self.tokens.as_ref().map(Tokens::without_secrets);
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
        let head = serde_json::from_slice(bytes);
        let head: Head = head.map_err(|_| RecordError::Damaged(Damage::of(path)))?;
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
        let damaged = || RecordError::Damaged(Damage::of(path));
        let record: Self = serde_json::from_slice(bytes).map_err(|_| damaged())?;
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        if record.end && record.profile.eq_ignore_ascii_case(&stem) {
            record.checked(|| path.to_string_lossy().into_owned())
        } else {
            Err(damaged())
        }
    }

    /// Checks the texts, which any program may have written to `place`. An empty token counts as removed.
    fn checked(mut self, place: impl FnOnce() -> String) -> Result<Self, RecordError> {
        if self.generation > LAST_GENERATION {
            return Err(RecordError::Damaged(Damage {
                place: place(),
                text: Some("its generation is too large".to_owned()),
            }));
        }
        let scopes = self.issued_for.scope.iter();
        let mut texts: Vec<(&str, &str, Kind)> = scopes
            .map(|scope| ("scope", scope.as_str(), Kind::Line))
            .collect();
        texts.push(("header", &self.issued_for.header, Kind::Scheme));
        texts.extend(self.tokens.iter().flat_map(Tokens::texts));
        let wrong = texts
            .into_iter()
            .find_map(|(name, text, kind)| Some((name, problem(text, kind)?)));
        if let Some((name, problem)) = wrong {
            return Err(RecordError::Damaged(Damage {
                place: place(),
                text: Some(format!("its {name} {problem}")),
            }));
        }
        self.tokens = self.tokens.and_then(Tokens::without_empty);
        Ok(self)
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::super::reserved::{Reserved, adopt};
    use super::*;
    use crate::oauth::kept::Kept;
    use crate::oauth::token::TokenSet;
    use crate::oauth::token_notes::LONGEST_LIFE;
    use crate::oauth::tools::TokenKind;

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
    fn record_round_trips_and_debug_shows_no_secret() {
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

    /// Parses a record in which somebody changed a value.
    fn edited(change: impl FnOnce(&mut serde_json::Value)) -> Result<Record, RecordError> {
        let mut value = serde_json::to_value(record()).unwrap();
        change(&mut value);
        Record::parse(value.to_string().as_bytes(), Path::new("office.record"))
    }

    #[test]
    fn generation_above_the_maximum_is_refused() {
        for (number, is_fine) in [
            (0, true),
            (LAST_GENERATION, true),
            (LAST_GENERATION + 1, false),
            (u64::MAX, false),
        ] {
            let read = edited(|record| record["generation"] = number.into());
            assert_eq!(read.is_ok(), is_fine, "{number}");
        }
    }

    #[test]
    fn texts_with_unsafe_characters_are_refused() {
        for (pointer, value, told) in [
            (
                "/tokens/access_token",
                "a\nb",
                "access token contains a line break",
            ),
            (
                "/tokens/access_token",
                "a b",
                "access token contains a space",
            ),
            (
                "/tokens/access_token",
                "a\u{1}b",
                "access token contains a control character",
            ),
            (
                "/tokens/refresh_token",
                "a\r\nb",
                "refresh token contains a line break",
            ),
            (
                "/tokens/id_token",
                "a\u{2028}b",
                "ID token contains a line break",
            ),
            (
                "/tokens/token_type",
                "Bearer\nx",
                "token type contains a line break",
            ),
            (
                "/issued_for/header",
                "Bearer x\r\nX-Evil: 1",
                "header contains a line break",
            ),
            (
                "/issued_for/header",
                "Bearer x",
                "header is not a single word",
            ),
            ("/issued_for/header", "", "header is not a single word"),
            (
                "/issued_for/scope/0",
                "mail\nx",
                "scope contains a line break",
            ),
        ] {
            let error = edited(|record| *record.pointer_mut(pointer).unwrap() = value.into());
            let error = error.map(drop).unwrap_err();
            assert!(matches!(error, RecordError::Damaged(_)), "{error}");
            assert_eq!(
                error.to_string(),
                format!("office.record can't be used: its {told}. Sign in again to replace it.")
            );
        }
        // What services send, and a client secret of any kind.
        let read = edited(|record| {
            record["tokens"]["access_token"] = "a\"b'c\\d$e`f\u{2019}ü".into();
            record["tokens"]["refresh_token"] = "a b".into();
            record["client_secret"] = "a\nb\u{1} c".into();
            record["issued_for"]["header"] = "Zoho-oauthtoken".into();
        });
        assert!(read.is_ok(), "{read:?}");
    }

    #[test]
    fn empty_token_is_treated_as_removed() {
        let read = edited(|record| record["tokens"]["access_token"] = "".into()).unwrap();
        assert!(read.can_refresh());
        let tokens = read.tokens.unwrap();
        assert!(!tokens.has(TokenKind::Access) && tokens.has(TokenKind::Refresh));
        for now in [0, 879, 880, 1000, 1001] {
            assert!(!tokens.is_good(now, 0), "{now}");
        }
        assert!(!tokens.lives(1000));
        let read = edited(|record| record["tokens"]["refresh_token"] = "".into()).unwrap();
        assert!(!read.can_refresh());
        assert_eq!(read.tokens.unwrap().access_token(), "an-access-token");
        let read = edited(|record| {
            record["tokens"]["access_token"] = "".into();
            record["tokens"]["refresh_token"] = "".into();
        });
        assert!(read.unwrap().tokens.is_none());
    }

    #[test]
    fn only_the_direct_successor_is_adopted() {
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
    fn required_validity_is_capped_at_half_the_lifetime() {
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
    fn lifetime_comes_from_the_response_or_the_token() {
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
    fn refresh_token_validity_is_read_from_its_claims() {
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
    fn refresh_token_expiry_changes_only_if_extended() {
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
    fn removing_one_token_keeps_the_other() {
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
    fn sign_in_is_needed_only_if_refresh_is_impossible() {
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
    fn newer_record_is_determined_by_generation_or_time() {
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
        let (reserved, damage) = Reserved::after(&record, &at("office.next")).unwrap();
        reserved.release();
        assert_eq!(damage, None);
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
    fn store_that_cannot_be_read_does_not_count_as_destroyed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut record = stored_at(&path);
        let good = record.issued_for.store.clone().unwrap();
        good.keep(&record.to_bytes()).unwrap();
        let mut away = good.clone();
        away.read = vec!["false".to_owned()];
        let error = || away.secrets().unwrap_err();
        record.issued_for.store = Some(away.clone());
        let told = record.storage_error(PrivateError::Keeping(error()), None);
        assert!(matches!(told, PrivateError::Unread(_)), "{told}");
        record.issued_for.store = Some(good.clone());
        good.clear().unwrap();
        let told = record.storage_error(PrivateError::Keeping(error()), None);
        assert!(matches!(told, PrivateError::Damaged(_)), "{told}");
        let full = PrivateError::NotAFile(path.clone());
        let both = record.storage_error(full.clone(), Some(told.clone()));
        assert_eq!(both.to_string(), format!("{full} {told}"));
        assert_eq!(both.of_store(), &told);
        let told = record.put_back(told);
        assert_eq!(record.storage_error(full.clone(), Some(told.clone())), full);
        assert!(matches!(told, PrivateError::Keeping(_)), "{told}");
        assert!(record.without_secrets().complete().is_ok());
    }

    #[test]
    fn record_is_found_amid_other_text() {
        let record = record();
        let text = String::from_utf8(record.to_bytes().to_vec()).unwrap();
        for (printed, is_amid) in [
            (text.clone(), true),
            (format!("Reading {{...}}\n{text}Done {{}}.\n"), true),
            (format!("[{}]", text.trim()), true),
            (text.replace("\"end\":true", "\"end\":false"), false),
            ("{\"format\":1}\n".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(Record::is_amid(printed.as_bytes()), is_amid, "{is_amid}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn command_that_destroys_its_store_is_retried() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let failed = folder.path().join("failed");
        let next = folder.path().join("office.next");
        let mut record = stored_at(&path);
        let good = record.issued_for.store.clone().unwrap();
        good.keep(&record.to_bytes()).unwrap();
        let (kept, failed) = (path.display(), failed.display());
        let fail =
            format!("[ -e '{failed}' ] || {{ >'{failed}'; >'{kept}'; exit 1; }}; cat >'{kept}'");
        record.issued_for.store.as_mut().unwrap().write =
            ["/bin/sh", "-c", &fail].map(str::to_owned).to_vec();
        let (reserved, damage) = Reserved::after(&record, &next).unwrap();
        reserved.release();
        assert_eq!(damage, None);
        assert!(record.clone().without_secrets().complete().is_ok());
        // It keeps failing, so the caller has the only copy.
        let always = format!(">'{kept}'; exit 1");
        record.issued_for.store.as_mut().unwrap().write =
            ["/bin/sh", "-c", &always].map(str::to_owned).to_vec();
        let (reserved, damage) = Reserved::after(&record, &next).unwrap();
        reserved.release();
        let damage = damage.unwrap().to_string();
        let text = "The command /bin/sh failed with exit code 1. The tokens in the store of that command are damaged.";
        assert_eq!(damage, text);
    }

    #[cfg(unix)]
    #[test]
    fn secrets_from_a_command_must_match_the_sign_in() {
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
        let odd = completed(|stored| {
            let set = TokenSet {
                access_token: "a\nb".into(),
                ..set(None)
            };
            stored.tokens = Some(Tokens::of_set(&set, 1000, None));
        });
        assert_eq!(
            odd.unwrap_err().to_string(),
            "What the command /bin/sh printed can't be used: its access token contains a line break. Sign in again to replace it."
        );
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
