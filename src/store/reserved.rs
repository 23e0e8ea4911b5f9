//! Disk space for the next record, and how it replaces the previous one.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use super::commands::StoreCommands;
use super::private::{self, Audience, PrivateError};
use super::record::{LIMIT, RESERVED, Record, sealed};
use super::record_error::RecordError;
use super::seal::Seal;

/// Disk space for the next record, reserved before its content is requested from the service.
#[derive(Debug)]
pub struct Reserved {
    file: std::fs::File,
    next: std::path::PathBuf,
    seal: Seal,
}

impl Reserved {
    /// Reserves the space for a record that is encrypted in this way. Detects a full or read-only disk and a missing
    /// encryption key.
    ///
    /// # Errors
    /// Returns an error if a record can't be encrypted or written. No file is left behind then.
    pub fn take(next: &Path, seal: Seal) -> Result<Self, PrivateError> {
        seal.check()
            .map_err(|problem| sealed(&next.with_extension("record"), problem))?;
        private::remove(next)?;
        let failed = |error: std::io::Error| {
            let _ = private::remove(next);
            PrivateError::system(next, "written", &error)
        };
        let mut file = private::create(next).map_err(failed)?;
        file.write_all(&vec![b' '; RESERVED]).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(Self {
            file,
            next: next.to_owned(),
            seal,
        })
    }

    /// Reserves the space for the record that follows `current`. If a command keeps the secrets, it stores the current
    /// ones once more. A command that can't store secrets is thereby detected before the service is asked for new ones.
    ///
    /// Also returns an error if the command failed and destroyed what was stored. `current` is then the only copy: the
    /// caller must go on, and store it or its successor in any case. With [`PrivateError::Unread`], it may be the only copy.
    ///
    /// # Errors
    /// Returns the errors of [`take`](Self::take), or an error if the command fails.
    pub fn after(
        current: &Record,
        next: &Path,
    ) -> Result<(Self, Option<PrivateError>), PrivateError> {
        let reserved = Self::take(next, current.seal)?;
        let commands = current.issued_for.store.as_ref();
        match commands.map_or(Ok(()), |commands| current.keep_again(commands)) {
            Ok(()) => Ok((reserved, None)),
            Err(error @ (PrivateError::Damaged(_) | PrivateError::Unread(_))) => {
                Ok((reserved, Some(error)))
            }
            Err(error) => {
                reserved.release();
                Err(error)
            }
        }
    }

    /// Checks whether space could be reserved in addition to any that is already reserved.
    ///
    /// # Errors
    /// Returns an error that says why no space could be reserved.
    pub fn probe(next: &Path, seal: Seal) -> Result<(), PrivateError> {
        Self::take(&next.with_extension("probe"), seal)?.release();
        Ok(())
    }

    /// Writes `record` to the reserved space and moves it to `path`.
    ///
    /// # Errors
    /// Returns an error if the system doesn't allow it. If only the move failed, the record [`awaits`] the next
    /// process, which adopts it.
    pub fn store(self, record: &Record, path: &Path) -> Result<(), PrivateError> {
        self.put(record, path, record.issued_for.store.as_ref())
    }

    /// Does the same for a record whose secrets a command keeps, without running that command.
    ///
    /// # Errors
    /// Returns the errors of [`store`](Self::store).
    pub fn store_outline(self, record: &Record, path: &Path) -> Result<(), PrivateError> {
        self.put(record, path, None)
    }

    fn put(
        self,
        record: &Record,
        path: &Path,
        commands: Option<&StoreCommands>,
    ) -> Result<(), PrivateError> {
        let Self {
            mut file,
            next,
            seal,
        } = self;
        let removed = |error: PrivateError| {
            let _ = private::remove(&next);
            error
        };
        let bytes = match record.issued_for.store {
            Some(_) => record.without_secrets().to_bytes(),
            None => seal
                .close(record.to_bytes())
                .map_err(|problem| removed(sealed(path, problem)))?,
        };
        let written = write(&mut file, &bytes);
        drop(file);
        if written.is_err() {
            // A copy-on-write file system doesn't keep the space. A small file may fit where the large one was.
            private::remove(&next)?;
            private::create(&next)
                .and_then(|mut file| write(&mut file, &bytes))
                .map_err(|error| removed(PrivateError::system(path, "written", &error)))?;
        }
        // After the file, so that a process that finds the file can check whether the command has these secrets.
        if let Some(commands) = commands {
            commands
                .keep_patiently(&record.to_bytes())
                .map_err(|error| removed(PrivateError::Keeping(error)))?;
        }
        private::rename(&next, path)
    }

    /// Releases the space.
    pub fn release(self) {
        drop(self.file);
        let _ = private::remove(&self.next);
    }
}

/// Writes `bytes` as the whole content of a file, durably.
fn write(file: &mut std::fs::File, bytes: &[u8]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)?;
    file.sync_all()
}

/// Returns whether this record is complete in the reserved space. The next process then adopts it.
#[must_use]
pub fn awaits(next: &Path, record: &Record) -> bool {
    let found = private::read(next, Audience::Owner, LIMIT).ok();
    let found = found.and_then(|bytes| Record::parse(&bytes, next).ok());
    found.is_some_and(|found| {
        found.lineage == record.lineage && found.generation == record.generation
    })
}

/// Adopts a record that a stopped process wrote but did not move to its place. Any other file there is removed. Only
/// the holder of the lock may call this. `current` may be an outline.
///
/// # Errors
/// Returns an error if the system doesn't allow it, or if the command that keeps the secrets fails.
pub fn adopt(next: &Path, current: &Record, path: &Path) -> Result<Option<Record>, RecordError> {
    let bytes = match private::read(next, Audience::Owner, LIMIT) {
        Ok(bytes) => bytes,
        Err(PrivateError::Missing(_)) => return Ok(None),
        Err(_) => {
            private::remove(next)?;
            return Ok(None);
        }
    };
    let follows = |record: &Record| {
        record.seal == current.seal
            && record.lineage == current.lineage
            && record.generation == current.generation + 1
            && record.issued_for == current.issued_for
    };
    match Record::parse(&bytes, path) {
        Ok(record) if follows(&record) => match record.complete() {
            Ok(record) => {
                private::rename(next, path)?;
                Ok(Some(record))
            }
            // The process was stopped before the command stored the secrets.
            Err(RecordError::Foreign(_)) => {
                private::remove(next)?;
                Ok(None)
            }
            Err(error) => Err(error),
        },
        _ => {
            private::remove(next)?;
            Ok(None)
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn space_is_probed_next_to_reserved_space_and_released() {
        let folder = tempfile::tempdir().unwrap();
        let next = folder.path().join("office.next");
        let reserved = Reserved::take(&next, Seal::Plain).unwrap();
        Reserved::probe(&next, Seal::Plain).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(std::fs::metadata(&next).unwrap().len(), RESERVED as u64);
        reserved.release();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let missing = folder.path().join("missing").join("office.next");
        assert!(Reserved::probe(&missing, Seal::Plain).is_err());
    }
}
