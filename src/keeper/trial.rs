//! Tries the commands of a store before tokens go there. No trial loses what the store contains: it may be the store of
//! this profile under another name, or an entry of another profile.

use super::save_error::SaveError;
use crate::profile::places::Place;
use crate::store::commands::StoreCommands;
use crate::store::private::PrivateError;
use crate::store::record::{FORMAT, Record};
use crate::store::record_error::RecordError;

/// Checks whether the commands store a text and print it again.
///
/// # Errors
/// Returns an error if they don't, or if the store contains the tokens of another profile.
pub(super) fn try_out(place: &Place, commands: &StoreCommands) -> Result<(), SaveError> {
    let outline = Record::outline(&place.record()).ok();
    let lineage = outline.as_ref().map(|outline| outline.lineage.clone());
    let is_in_use = |outline: &Record| outline.issued_for.store.as_ref() == Some(commands);
    let is_in_use = outline.as_ref().is_some_and(is_in_use);
    let current = match outline.map(Record::complete) {
        Some(Err(error)) if is_in_use && !matches!(error, RecordError::Foreign(_)) => {
            return Err(error.into());
        }
        current => current.and_then(Result::ok),
    };
    if is_in_use && let Some(current) = current {
        return Ok(current.keep_again(commands)?);
    }
    // A command may fail only because nothing was stored yet.
    let bytes = commands.secrets().unwrap_or_default();
    let printed = Record::stored(&bytes);
    if printed.is_none() && Record::is_amid(&bytes) {
        return Err(SaveError::Settings(format!(
            "The command {} prints other text before or after the tokens. Use one that prints only what was stored.",
            commands.name()
        )));
    }
    let tried = match (printed, &current) {
        (Some(printed), _) if printed.format > FORMAT => {
            Err(SaveError::Record(RecordError::Newer {
                path: format!("What the command {} printed", commands.name()),
                format: printed.format,
            }))
        }
        (Some(printed), _)
            if lineage.as_ref() != Some(&printed.lineage) && !place.name.is(&printed.profile) =>
        {
            Err(SaveError::Settings(format!(
                "The command {} prints the tokens of the profile {}. Choose another entry of that store.",
                commands.name(),
                printed.name()
            )))
        }
        (Some(printed), _) => printed.keep_again(commands).map_err(SaveError::from),
        // The command that prints may be wrong, so the other one may replace the stored tokens. The trial uses the same
        // tokens.
        (None, Some(current)) if current.has_secrets() => {
            let kept = commands.keep(&current.to_bytes());
            kept.map_err(|error| PrivateError::Keeping(error).into())
        }
        (None, _) => commands
            .try_out()
            .map_err(|error| PrivateError::Keeping(error).into()),
    };
    match (tried, current) {
        // These commands may have destroyed what those of the profile stored.
        (Err(SaveError::File(error)), Some(current)) => Err(current.put_back(error).into()),
        (tried, _) => tried,
    }
}
