//! The encryption of records on disk: none, or the Data Protection API of Windows (DPAPI).
//!
//! Encrypted bytes are in a JSON object: `{"format":1,"sealed":"dpapi","data":"base64"}`. It also contains the only
//! user who can decrypt it, so that an error can name this user.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

#[cfg(windows)]
mod windows;

/// The version of the format that this program writes.
const FORMAT: u32 = 1;

/// How a record is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Seal {
    /// Not encrypted: the permissions of the file protect it.
    #[default]
    #[serde(rename = "file")]
    Plain,
    /// Encrypted by Windows for the user.
    #[serde(rename = "dpapi")]
    Dpapi,
    /// Encrypted by Windows for the computer. The access list of the file protects it from other users.
    #[serde(rename = "dpapi-machine")]
    DpapiMachine,
}

/// Why a record can't be encrypted or decrypted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// DPAPI is required, but this system isn't Windows.
    #[error("encryption with DPAPI requires Windows. Use the store \"file\" on this machine")]
    NotWindows,
    /// The kind of encryption is unknown; a newer version may support it.
    #[error("it is encrypted in a way that this version doesn't know. Update the program")]
    Unknown,
    /// The bytes differ from those that were written.
    #[error("the encrypted data is damaged. Sign in again to replace it")]
    Damaged,
    /// The record is encrypted for another user.
    #[error(
        "it is encrypted for another user ({0}). Run the program as that user, or sign in again"
    )]
    OtherUser(String),
    /// Windows no longer has the key of the user.
    #[error(
        "Windows no longer has the key. That happens after an administrator resets your password or your user profile is \
         created again. Sign in again"
    )]
    UserKey,
    /// The record was encrypted on another computer.
    #[error("it was encrypted on another computer, or Windows was reinstalled. Sign in again")]
    MachineKey,
    /// The user profile is not loaded.
    #[error(
        "Windows has no encryption key in this session, because the user profile isn't loaded. In a service or scheduled task, \
         load the profile, or use the store \"dpapi-machine\" or \"file\""
    )]
    NotLoaded,
    /// The user profile is deleted when the user signs out.
    #[error(
        "the user profile is temporary, so Windows would lose the encryption key at sign-out. Use the store \"dpapi-machine\" or \
         \"file\""
    )]
    Temporary,
    /// The user signed in over the network, without a password.
    #[error(
        "Windows has no encryption key in this network session ({0}). This happens over SSH with a key. Sign in with a password, \
         or use the store \"dpapi-machine\" or \"file\""
    )]
    Network(String),
    /// Any other error of Windows.
    #[error("Windows data protection (DPAPI) failed: {0}")]
    System(String),
}

/// The JSON object with encrypted bytes, and who can decrypt them.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    format: u32,
    sealed: Seal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    data: String,
}

impl Seal {
    /// Returns the encryption of a new profile of the user or of the machine, unless its settings say otherwise.
    #[must_use]
    pub fn by_default(machine: bool) -> Self {
        match (cfg!(windows), machine) {
            (false, _) => Self::Plain,
            (true, false) => Self::Dpapi,
            (true, true) => Self::DpapiMachine,
        }
    }

    /// Checks whether records can be encrypted, before there is a record to encrypt.
    ///
    /// # Errors
    /// Returns an error that says why they can't.
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
    /// Returns an error if the system can't encrypt them.
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
        // Writing to memory can't fail, and all keys are strings.
        let mut text = serde_json::to_vec(&envelope).unwrap_or_default();
        text.push(b'\n');
        Ok(Zeroizing::new(text))
    }
}

/// Decrypts the bytes of a record, and returns how they were encrypted.
///
/// # Errors
/// Returns an error if the bytes are damaged, or if the system can't decrypt them.
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

/// The calls of the Data Protection API.
#[cfg(windows)]
mod system {
    use zeroize::Zeroizing;

    use super::windows::{self, Profile};
    use super::{Seal, SealError};

    /// The Windows error "Key not valid for use in specified state".
    const NTE_BAD_KEY_STATE: u32 = 0x8009_000B;
    /// The SID of the group of users who signed in over the network.
    const NETWORK: &str = "S-1-5-2";

    /// Interprets a Windows error code. Missing files are those of the key.
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

    /// Checks what is known about the session before Windows is called.
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
                // Encryption can't fail because of damaged data.
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

        /// These codes come only from Windows: Wine has no keys that it could lose.
        #[test]
        fn windows_codes_map_to_errors() {
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

/// Other systems have no Data Protection API.
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn plain_seal_leaves_bytes_unchanged() {
        let bytes = Zeroizing::new(b"{}".to_vec());
        assert_eq!(*Seal::Plain.close(bytes).unwrap(), b"{}");
        assert_eq!(Seal::Plain.check(), Ok(()));
    }

    #[test]
    fn unknown_seal_kind_is_an_error() {
        let open = |text: &str| open(text.as_bytes()).unwrap_err();
        for kind in ["age", "file", "", "DPAPI"] {
            let text = format!(r#"{{"format":1,"sealed":"{kind}","data":""}}"#);
            assert_eq!(open(&text), SealError::Unknown);
        }
        assert_eq!(open(r#"{"format":1,"sealed":1}"#), SealError::Damaged);
    }

    #[cfg(not(windows))]
    #[test]
    fn dpapi_is_refused_on_other_systems() {
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

    /// Uses Wine's own DPAPI: real encryption, with a key derived from the user's name. That Windows itself rejects
    /// bytes from another computer, or from before a password reset, can be tested only on Windows.
    #[cfg(windows)]
    #[test]
    fn encryption_round_trips_and_damage_is_detected() {
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

            // Wine checks only the end.
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
