//! The numbers of the attempts: every job that is started has one, and its events carry it.

/// The number of an attempt: of a sign-in, a refresh or a discovery. By it, events of one that is over are recognized.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId(u64);

/// Issues the numbers, each of them once.
#[derive(Debug, Default)]
pub struct Attempts(u64);

impl Attempts {
    /// The next number.
    pub fn begin(&mut self) -> AttemptId {
        self.0 += 1;
        AttemptId(self.0)
    }
}
