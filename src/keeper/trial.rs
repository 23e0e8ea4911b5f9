//! Tries the commands of a store before tokens go there. No trial loses what the store contains: it may be the store of
//! this profile under another name, or an entry of another profile.

use super::save_error::SaveError;
use crate::profile::places::Place;
use crate::store::commands::StoreCommands;
use crate::store::private::PrivateError;
use crate::store::record::{FORMAT, Record};
use crate::store::record_error::RecordError;

/// What a trial is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The tokens of the profile are to be stored with these commands.
    Keep,
    /// New tokens are to replace them, after a sign-in.
    Replace,
}

/// Checks whether the commands store a text and print it again.
///
/// If the tokens of the profile can't be read, their store may be empty, or only locked, and a trial would replace what it
/// contains. New tokens are then stored without a trial.
///
/// # Errors
/// Returns an error if they don't, or if the store contains the tokens of another profile.
pub(super) fn try_out(
    place: &Place,
    commands: &StoreCommands,
    purpose: Purpose,
) -> Result<(), SaveError> {
    let outline = Record::outline(&place.record()).ok();
    let lineage = outline.as_ref().map(|outline| outline.lineage.clone());
    let is_in_use = |outline: &Record| outline.issued_for.store.as_ref() == Some(commands);
    let is_in_use = outline.as_ref().is_some_and(is_in_use);
    let (current, unread) = match outline.map(Record::complete) {
        Some(Ok(current)) => (Some(current), None),
        Some(Err(error @ RecordError::File(PrivateError::Program(_)))) => (None, Some(error)),
        Some(Err(error @ RecordError::Newer { .. })) if is_in_use => return Err(error.into()),
        // What the store contains is not the tokens of this profile, or can't be used.
        Some(Err(_)) | None => (None, None),
    };
    if is_in_use && let Some(current) = current {
        return Ok(current.keep_again(commands)?);
    }
    let untried = |error: RecordError| match purpose {
        Purpose::Keep => Err(error.into()),
        Purpose::Replace => Ok(()),
    };
    if is_in_use && let Some(error) = unread {
        return untried(error);
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
    let tried = match (printed, &current, unread) {
        (Some(printed), ..) if printed.format > FORMAT => {
            Err(SaveError::Record(RecordError::Newer {
                path: format!("What the command {} printed", commands.name()),
                format: printed.format,
            }))
        }
        (Some(printed), ..)
            if lineage.as_ref() != Some(&printed.lineage) && !place.name.is(&printed.profile) =>
        {
            Err(SaveError::Settings(format!(
                "The command {} prints the tokens of the profile {}. Choose another entry of that store.",
                commands.name(),
                printed.name()
            )))
        }
        (Some(printed), ..) => printed.keep_again(commands).map_err(SaveError::from),
        (None, _, Some(error)) => return untried(error),
        // The command that prints may be wrong, so the other one may replace the stored tokens. The trial uses the same
        // tokens.
        (None, Some(current), None) if current.has_secrets() => {
            let kept = commands.keep(&current.to_bytes());
            kept.map_err(|error| PrivateError::Keeping(error).into())
        }
        (None, ..) => commands
            .try_out()
            .map_err(|error| PrivateError::Keeping(error).into()),
    };
    match (tried, current) {
        // These commands may have destroyed what those of the profile stored.
        (Err(SaveError::File(error)), Some(current)) => Err(current.put_back(error).into()),
        (tried, _) => tried,
    }
}
