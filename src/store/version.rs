//! Identifies a version of a profile's record.

use super::record::Record;

/// The version of a profile's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The ID of the sign-in.
    pub lineage: String,
    /// The number of the record. Each new record of a profile has the next number.
    pub generation: u64,
}

impl Version {
    /// Returns the version of a record, which may be an outline.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            lineage: record.lineage.clone(),
            generation: record.generation,
        }
    }

    /// Returns whether the record has tokens, which were stored after those of this version. Another sign-in counts: a
    /// process that knows this version has not stored it.
    #[must_use]
    pub fn is_before_tokens_of(&self, record: &Record) -> bool {
        let is_later = record.lineage != self.lineage || record.generation > self.generation;
        is_later && record.tokens.is_some()
    }
}
