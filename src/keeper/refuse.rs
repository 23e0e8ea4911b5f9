//! Marks an access token that a server rejected as expired.

use super::save::{current, lock};
use super::save_error::SaveError;
use crate::clock::unix_time;
use crate::profile::places::Place;
use crate::secret::{SecretString, same};
use crate::store::private;
use crate::store::record::Record;
use crate::store::reserved::Reserved;

/// Marks the access token of a profile as expired if it equals `refused` and can be refreshed, so that the next process
/// that requests a token gets a new one. For any other token, this changes nothing: it was replaced in the meantime, or
/// belongs to another profile.
///
/// # Errors
/// Returns an error if the record can't be read or written, or if another process keeps it locked for too long.
pub fn refuse(place: &Place, refused: &SecretString) -> Result<(), SaveError> {
    private::check_folder(place.record_folder())?;
    let is_refused = |record: &Record| {
        let without_user = record.issued_for.is_without_user();
        record.tokens.as_ref().is_some_and(|tokens| {
            (without_user || tokens.refresh_token.is_some()) && same(refused, tokens.access_token())
        })
    };
    let path = place.record();
    // Most calls end here, without waiting for a refresh in progress.
    if !is_refused(&Record::read(&path)?) {
        return Ok(());
    }
    let _lock = lock(place)?;
    // An interrupted refresh may have left newer tokens.
    let Some(mut current) = current(place)?.filter(is_refused) else {
        return Ok(());
    };
    let Some(tokens) = current.tokens.as_mut() else {
        return Ok(());
    };
    let now = unix_time();
    tokens.expires_at = Some(tokens.expires_at.map_or(now, |end| end.min(now)));
    // The generation stays: it counts records, and waiting callers would mistake this change for one.
    Reserved::take(&place.next(), current.seal)?.store(&current, &path)?;
    Ok(())
}
