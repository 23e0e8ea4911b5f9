//! The numbers of the attempts. Every job has one, and its events include it.

/// The number of a sign-in, a refresh or another job. It identifies the events of an attempt that is already over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttemptId(u64);

/// Issues each number once.
#[derive(Debug, Default)]
pub struct Attempts(u64);

impl Attempts {
    /// Returns the next number.
    pub fn begin(&mut self) -> AttemptId {
        self.0 += 1;
        AttemptId(self.0)
    }
}
