//! Saves the tokens of a sign-in as a profile, and writes messages about it.

use std::time::{Duration, Instant};

use crate::console::signals::Signals;
use crate::console::talk::{Often, say, say_often};
use crate::form::settings::Settings;
use crate::keeper::present::changed_by_variables;
use crate::keeper::save::Saving;
use crate::keeper::save_error::SaveError;
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::session::tokens::TokenState;

/// How long to keep tokens in memory while they can't be saved, if there is no user to ask.
const RETRY_LIMIT: Duration = Duration::from_mins(5);
/// The pause between two attempts.
const RETRY_PAUSE: Duration = Duration::from_secs(5);

/// Saves settings and tokens as a profile. If that fails, writes why and returns the exit code. Returns `None` if a signal
/// asks the program to end.
pub(super) async fn save(
    place: &Place,
    settings: &Settings,
    tokens: &TokenState,
    signals: &mut Signals,
) -> Option<Result<(), u8>> {
    let changed = changed_by_variables(place, settings, |name| std::env::var_os(name));
    let saved = try_save(place, settings, tokens, signals).await?;
    if let Some(changed) = changed.filter(|_| saved.is_ok()) {
        say("note", &changed);
    }
    Some(saved.map_err(|error| say_unsaved(place, &error)))
}

/// Another process may hold the lock of the profile, and a store may be slow.
async fn try_save(
    place: &Place,
    settings: &Settings,
    tokens: &TokenState,
    signals: &mut Signals,
) -> Option<Result<(), SaveError>> {
    let work = {
        let (place, settings) = (place.clone(), settings.clone());
        let (request, obtained) = (tokens.request.clone(), tokens.obtained.clone());
        move || {
            let saving = Saving {
                place: &place,
                settings: &settings,
                request: &request,
                store: None,
                opened: None,
                secret_of: None,
            };
            saving.with_tokens(&obtained, None)
        }
    };
    let name = &place.name;
    let Some(saved) = signals.unless_asked_to_end(work).await else {
        say(
            "hint",
            &format!(
                "Saving the profile {name} was interrupted. If its tokens are missing, sign in again."
            ),
        );
        return None;
    };
    if let Err(error) = saved {
        return Some(Err(error));
    }
    let record = place.record();
    say(
        "done",
        &format!("Saved as the profile {name}: {}", record.display()),
    );
    say(
        "hint",
        &format!(
            "Get an access token: oauth-authorizer token {}",
            place.target()
        ),
    );
    Some(Ok(()))
}

/// Retries to save tokens that would be lost with this process. Returns `None` if a signal asks the program to end.
pub(super) async fn save_later(
    place: &Place,
    settings: &Settings,
    tokens: &TokenState,
    signals: &mut Signals,
) -> Option<Result<(), u8>> {
    let minutes = RETRY_LIMIT.as_secs() / 60;
    say(
        "hint",
        &format!(
            "Only this process has the tokens. Fix the problem: the program tries to save for {minutes} more minutes. \
             If you end the program, the tokens are lost."
        ),
    );
    let end = Instant::now() + RETRY_LIMIT;
    loop {
        tokio::select! {
            biased;
            () = signals.next() => return None,
            () = tokio::time::sleep(RETRY_PAUSE) => {}
        }
        match try_save(place, settings, tokens, signals).await? {
            Ok(()) => return Some(Ok(())),
            Err(error) if Instant::now() < end => {
                say_often(Often::Trouble, &format!("{error} Retrying."));
            }
            Err(error) => {
                let code = say_unsaved(place, &error);
                say("hint", "The tokens are lost. Sign in again.");
                return Some(Err(code));
            }
        }
    }
}

/// Writes why a profile can't be saved. Returns the exit code.
pub(super) fn say_unsaved(place: &Place, error: &SaveError) -> u8 {
    say("error", &format!("{} was not saved. {error}", place.name));
    match error {
        SaveError::Busy => exit::BUSY,
        SaveError::Settings(_) => exit::USAGE,
        SaveError::File(_) | SaveError::Record(_) | SaveError::Changed | SaveError::Gone => {
            exit::RECORD
        }
    }
}
