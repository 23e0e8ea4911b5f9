//! The lock of a profile. The process that writes the profile's record holds it.
//!
//! The file is never deleted or renamed: otherwise a process that waits for it would get a lock on a file that no other
//! process sees. The system releases the lock when the process ends. The lock never expires.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use super::private::{self, Audience, PrivateError};

/// The time between two attempts to take a lock.
const PAUSE: Duration = Duration::from_millis(20);

/// A lock that is held. Dropping it releases the lock.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock if no process holds it; `None` if another process does.
    ///
    /// # Errors
    /// Returns an error if the file is accessible to other users, or if the file system has no locks.
    pub fn try_take(path: &Path) -> Result<Option<Self>, PrivateError> {
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(PrivateError::system(path, "locked", &error)),
        }
    }

    /// Takes the lock, and waits for at most `limit`. `None` if another process holds it longer.
    ///
    /// # Errors
    /// Returns the errors of [`try_take`](Self::try_take).
    pub fn wait(path: &Path, limit: Duration) -> Result<Option<Self>, PrivateError> {
        let end = Instant::now() + limit;
        loop {
            match Self::try_take(path)? {
                None if Instant::now() < end => std::thread::sleep(PAUSE),
                taken => return Ok(taken),
            }
        }
    }
}

/// Checks whether the lock can be taken once no process holds it, without creating its file.
///
/// # Errors
/// Returns an error if the file can't be used.
pub fn check(path: &Path) -> Result<(), PrivateError> {
    match private::open_existing(path, Audience::Owner, true) {
        Ok(_) | Err(PrivateError::Missing(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> Result<File, PrivateError> {
    match private::open_existing(path, Audience::Owner, true) {
        Err(PrivateError::Missing(_)) => {}
        opened => return opened,
    }
    match private::create(path) {
        Ok(file) => Ok(file),
        // Another process created the file first.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            private::open_existing(path, Audience::Owner, true)
        }
        Err(error) => Err(PrivateError::system(path, "created", &error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn lock_has_one_holder_and_its_file_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let first = Lock::try_take(&path).unwrap().unwrap();
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(first);
        assert!(Lock::try_take(&path).unwrap().is_some());
        assert!(path.exists());
        assert_eq!(check(&path), Ok(()));
    }

    #[cfg(unix)]
    #[test]
    fn lock_file_that_cannot_be_used_is_reported() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        assert_eq!(check(&path), Ok(()));
        assert!(!path.exists());
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert_eq!(check(&path), Err(PrivateError::Readable(path)));
    }

    #[test]
    fn waiting_for_a_held_lock_times_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let held = Lock::wait(&path, Duration::ZERO).unwrap().unwrap();
        let begun = Instant::now();
        let limit = Duration::from_millis(50);
        assert!(Lock::wait(&path, limit).unwrap().is_none());
        assert!(begun.elapsed() >= limit);
        let waiter = {
            let path = path.clone();
            std::thread::spawn(move || Lock::wait(&path, Duration::from_secs(20)))
        };
        drop(held);
        assert!(waiter.join().unwrap().unwrap().is_some());
    }

    /// Between fork and exec, a child process has a copy of the open file.
    #[test]
    fn copied_file_handle_does_not_keep_the_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let lock = Lock::try_take(&path).unwrap().unwrap();
        let _copy = lock.file.try_clone().unwrap();
        drop(lock);
        assert!(Lock::try_take(&path).unwrap().is_some());
    }

    #[test]
    fn simultaneous_creators_agree_on_one_holder() {
        let folder = tempfile::tempdir().unwrap();
        for round in 0..500 {
            let path = folder.path().join(format!("{round}.lock"));
            let ready = AtomicUsize::new(0);
            let take = || {
                ready.fetch_add(1, Ordering::SeqCst);
                // Both threads continue at nearly the same moment, unlike after a wait in the system.
                while ready.load(Ordering::SeqCst) < 2 {
                    std::thread::yield_now();
                }
                Lock::try_take(&path).unwrap()
            };
            let (one, other) = std::thread::scope(|scope| {
                let other = scope.spawn(take);
                (take(), other.join().unwrap())
            });
            assert!(one.is_some() != other.is_some(), "{round}");
        }
    }
}
