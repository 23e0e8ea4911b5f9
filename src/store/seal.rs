//! How records are encrypted on disk: not at all, or by the Data Protection API of Windows (DPAPI).
//!
//! Encrypted bytes are in a JSON object: `{"format":1,"sealed":"dpapi","data":"base64"}`. It also names the user, who alone can
//! open it, so that an error can say whose it is.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[cfg(windows)]
mod windows;

/// The format that this program writes.
const FORMAT: u32 = 1;

/// How a record is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Seal {
    /// Not at all: the permissions of the file protect it.
    #[default]
    #[serde(rename = "file")]
    Plain,
    /// By Windows, for the user.
    #[serde(rename = "dpapi")]
    Dpapi,
    /// By Windows, for the computer: the access list of the file says for whom.
    #[serde(rename = "dpapi-machine")]
    DpapiMachine,
}

/// Why a record cannot be encrypted or decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Another system.
    #[error("encryption with DPAPI requires Windows. Use the store \"file\" on this computer")]
    NotWindows,
    /// A newer version may know it.
    #[error("it is encrypted in a way that this version doesn't know. Update the program")]
    Unknown,
    /// The bytes are not what was written.
    #[error("the encrypted data is damaged. Sign in again to replace it")]
    Damaged,
    /// Encrypted for another user.
    #[error(
        "it is encrypted for another user ({0}). Run the program as that user, or sign in again"
    )]
    OtherUser(String),
    /// Windows has no key that fits any more.
    #[error(
        "Windows no longer has the key. That happens after an administrator resets your password or your user profile is \
         created again. Sign in again"
    )]
    UserKey,
    /// It comes from another computer.
    #[error("it was encrypted on another computer, or Windows was reinstalled. Sign in again")]
    MachineKey,
    /// The profile of the user is not loaded.
    #[error(
        "Windows has no encryption key in this session, because the user profile isn't loaded. In a service or scheduled task, \
         load the profile, or use the store \"dpapi-machine\" or \"file\""
    )]
    NotLoaded,
    /// The profile of the user is dropped when they sign out.
    #[error(
        "the user profile is temporary, so Windows would lose the encryption key at sign-out. Use the store \"dpapi-machine\" or \
         \"file\""
    )]
    Temporary,
    /// Signed in over the network, without a password.
    #[error(
        "Windows has no encryption key in this network session ({0}). This happens over SSH with a key. Sign in with a password, \
         or use the store \"dpapi-machine\" or \"file\""
    )]
    Network(String),
    /// Anything else that Windows says.
    #[error("the Data Protection API of Windows refused: {0}")]
    System(String),
}

/// Encrypted bytes, and who can decrypt them.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    format: u32,
    sealed: Seal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    data: String,
}

impl Seal {
    /// What a new profile of the user or of the machine has, unless its settings say otherwise.
    #[must_use]
    pub fn by_default(machine: bool) -> Self {
        match (cfg!(windows), machine) {
            (false, _) => Self::Plain,
            (true, false) => Self::Dpapi,
            (true, true) => Self::DpapiMachine,
        }
    }

    /// Finds out whether records can be encrypted, before there is one that must be.
    ///
    /// # Errors
    /// Returns why they can't.
    pub fn check(self) -> Result<(), SealError> {
        if self == Self::Plain {
            return Ok(());
        }
        #[cfg(windows)]
        system::check(self)?;
        let probe = b"probe";
        let (_, opened) = open(&self.close(Zeroizing::new(probe.to_vec()))?)?;
        if *opened == probe {
            Ok(())
        } else {
            Err(SealError::Damaged)
        }
    }

    /// Encrypts the bytes of a record.
    ///
    /// # Errors
    /// If the system can't.
    pub fn close(self, bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, SealError> {
        if self == Self::Plain {
            return Ok(bytes);
        }
        let envelope = Envelope {
            format: FORMAT,
            sealed: self,
            data: STANDARD.encode(system::protect(self, &bytes)?),
            user: (self == Self::Dpapi).then(system::user).flatten(),
        };
        // Writing to memory cannot fail, and all keys are texts.
        let mut text = serde_json::to_vec(&envelope).unwrap_or_default();
        text.push(b'\n');
        Ok(Zeroizing::new(text))
    }
}

/// Decrypts the bytes of a record, and says how they were encrypted.
///
/// # Errors
/// If they are damaged, or the system can't.
pub fn open(bytes: &[u8]) -> Result<(Seal, Zeroizing<Vec<u8>>), SealError> {
    #[derive(Deserialize)]
    struct Kind {
        sealed: String,
    }
    let kind: Kind = serde_json::from_slice(bytes).map_err(|_| SealError::Damaged)?;
    if !["dpapi", "dpapi-machine"].contains(&kind.sealed.as_str()) {
        return Err(SealError::Unknown);
    }
    let envelope: Envelope = serde_json::from_slice(bytes).map_err(|_| SealError::Damaged)?;
    let data = STANDARD.decode(&envelope.data);
    let data = data.map_err(|_| SealError::Damaged)?;
    if let Some(user) = envelope.user
        && system::user().is_some_and(|me| me != user)
    {
        return Err(SealError::OtherUser(user));
    }
    let opened = system::unprotect(envelope.sealed, &data)?;
    Ok((envelope.sealed, opened))
}

/// The Data Protection API.
#[cfg(windows)]
mod system {
    use zeroize::Zeroizing;

    use super::windows::{self, Profile};
    use super::{Seal, SealError};

    /// Key not valid for use in specified state.
    const NTE_BAD_KEY_STATE: u32 = 0x8009_000B;
    /// The group of those who signed in over the network.
    const NETWORK: &str = "S-1-5-2";

    /// What the code of Windows means. Files that are not there are those of the key.
    fn meaning(seal: Seal, code: u32) -> SealError {
        match (seal, code & 0xFFFF, code) {
            (Seal::DpapiMachine, _, NTE_BAD_KEY_STATE) => SealError::MachineKey,
            (_, _, NTE_BAD_KEY_STATE) => SealError::UserKey,
            (Seal::Dpapi, 2 | 3, _) => SealError::UserKey,
            // Invalid data, invalid parameter.
            (_, 13 | 87, _) => SealError::Damaged,
            _ => {
                let error = std::io::Error::from_raw_os_error(code.cast_signed()).to_string();
                SealError::System(error.trim_end_matches('.').to_owned())
            }
        }
    }

    /// What is known about the session before Windows is asked.
    pub(super) fn check(seal: Seal) -> Result<(), SealError> {
        match (seal, windows::profile()) {
            (Seal::Dpapi, Profile::NotLoaded) => Err(SealError::NotLoaded),
            (Seal::Dpapi, Profile::Temporary) => Err(SealError::Temporary),
            _ => Ok(()),
        }
    }

    pub(super) fn protect(seal: Seal, bytes: &[u8]) -> Result<Vec<u8>, SealError> {
        windows::protect(bytes, seal == Seal::DpapiMachine).map_err(|code| {
            let known = check(seal).err();
            known.unwrap_or_else(|| match meaning(seal, code) {
                error if seal == Seal::Dpapi && crate::windows::is_member(NETWORK) => {
                    let reason = match error {
                        SealError::System(reason) => reason,
                        _ => format!("error {code:#x}"),
                    };
                    SealError::Network(reason)
                }
                // What is encrypted is not damaged.
                SealError::Damaged => SealError::System(format!("error {code:#x}")),
                error => error,
            })
        })
    }

    pub(super) fn unprotect(seal: Seal, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        windows::unprotect(bytes).map_err(|code| match meaning(seal, code) {
            SealError::UserKey if windows::profile() == Profile::NotLoaded => SealError::NotLoaded,
            error => error,
        })
    }

    pub(super) fn user() -> Option<String> {
        crate::windows::user_sid().ok()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// These codes come from Windows alone: Wine has no keys that it could lose.
        #[test]
        fn codes_of_windows_have_their_sentences() {
            for (seal, code, error) in [
                (Seal::Dpapi, NTE_BAD_KEY_STATE, SealError::UserKey),
                (Seal::DpapiMachine, NTE_BAD_KEY_STATE, SealError::MachineKey),
                (Seal::Dpapi, 2, SealError::UserKey),
                (Seal::Dpapi, 0x8007_0002, SealError::UserKey),
                (Seal::Dpapi, 13, SealError::Damaged),
                (Seal::DpapiMachine, 0x8007_000D, SealError::Damaged),
            ] {
                assert_eq!(meaning(seal, code), error, "{code:#x}");
            }
            assert!(matches!(meaning(Seal::Dpapi, 5), SealError::System(_)));
        }
    }
}

/// Other systems have none.
#[cfg(not(windows))]
mod system {
    use zeroize::Zeroizing;

    use super::{Seal, SealError};

    pub(super) fn protect(_: Seal, _: &[u8]) -> Result<Vec<u8>, SealError> {
        Err(SealError::NotWindows)
    }

    pub(super) fn unprotect(_: Seal, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealError> {
        Err(SealError::NotWindows)
    }

    pub(super) fn user() -> Option<String> {
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_encrypted_stays_as_it_is() {
        let bytes = Zeroizing::new(b"{}".to_vec());
        assert_eq!(*Seal::Plain.close(bytes).unwrap(), b"{}");
        assert_eq!(Seal::Plain.check(), Ok(()));
    }

    #[test]
    fn an_unknown_kind_is_not_guessed() {
        let open = |text: &str| open(text.as_bytes()).unwrap_err();
        for kind in ["age", "file", "", "DPAPI"] {
            let text = format!(r#"{{"format":1,"sealed":"{kind}","data":""}}"#);
            assert_eq!(open(&text), SealError::Unknown);
        }
        assert_eq!(open(r#"{"format":1,"sealed":1}"#), SealError::Damaged);
    }

    #[cfg(not(windows))]
    #[test]
    fn other_systems_say_that_they_have_no_dpapi() {
        for seal in [Seal::Dpapi, Seal::DpapiMachine] {
            assert_eq!(seal.check(), Err(SealError::NotWindows));
            let bytes = Zeroizing::new(b"{}".to_vec());
            assert_eq!(seal.close(bytes), Err(SealError::NotWindows));
        }
        for user in ["", r#""user":"S-1-5-21-1-2-3-4","#] {
            let sealed = format!(r#"{{"format":1,"sealed":"dpapi",{user}"data":"AAAA"}}"#);
            let error = open(sealed.as_bytes()).unwrap_err();
            assert_eq!(error, SealError::NotWindows);
        }
    }

    /// Wine's own DPAPI: real encryption, with a key that it makes of the user's name. That a blob of another computer or of
    /// an account after a reset is refused by Windows itself shows on Windows only.
    #[cfg(windows)]
    #[test]
    fn encrypted_bytes_come_back_and_damaged_ones_are_told() {
        let secret = b"a-refresh-token".to_vec();
        for seal in [Seal::Dpapi, Seal::DpapiMachine] {
            assert_eq!(seal.check(), Ok(()));
            let closed = seal.close(Zeroizing::new(secret.clone())).unwrap();
            let text = String::from_utf8(closed.to_vec()).unwrap();
            let envelope: Envelope = serde_json::from_str(&text).unwrap();
            assert_eq!((envelope.format, envelope.sealed), (1, seal));
            let data = STANDARD.decode(&envelope.data).unwrap();
            assert!(!data.windows(secret.len()).any(|part| part == secret));
            let (kind, opened) = open(&closed).unwrap();
            assert_eq!((kind, &*opened), (seal, &secret));

            // Wine checks the end only.
            let mut changed = data.clone();
            changed[data.len() - 1] ^= 0x55;
            let changed = text.replace(&envelope.data, &STANDARD.encode(changed));
            assert_eq!(open(changed.as_bytes()).unwrap_err(), SealError::Damaged);
            for data in ["", "AAAA", "not base64!", &envelope.data[4..]] {
                let text = text.replace(&envelope.data, data);
                assert_eq!(open(text.as_bytes()).unwrap_err(), SealError::Damaged);
            }
        }
        // A copy of another user's record.
        let closed = Seal::Dpapi.close(Zeroizing::new(secret)).unwrap();
        let text = String::from_utf8(closed.to_vec()).unwrap();
        let (me, other) = (system::user().unwrap(), "S-1-5-21-1-2-3-4");
        assert_eq!(
            open(text.replace(&me, other).as_bytes()).unwrap_err(),
            SealError::OtherUser(other.to_owned())
        );
    }

    #[cfg(windows)]
    #[test]
    fn large_records_are_encrypted_too() {
        let large = vec![b'x'; 1024 * 1024];
        let closed = Seal::Dpapi.close(Zeroizing::new(large.clone())).unwrap();
        assert_eq!(*open(&closed).unwrap().1, large);
    }
}
