//! JSON that contains secrets, wiped when it is dropped.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::secret::wipe;

/// A JSON value whose strings are wiped when it is dropped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Wiped(pub(super) Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}
