//! Gets a valid token of a profile: from its record, or by starting a keeper.

use std::path::Path;
use std::time::{Duration, Instant};

use super::process::Keeper;
use super::profile::{Profile, file_outcome, record_outcome, settings_outcome, sign_in_again};
use super::refresh::{Known, no_refresh_token};
use super::unstored::Unstored;
use super::words;
use crate::clock::unix_time;
use crate::oauth::tools::TokenKind;
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::profile::settings_file::{SettingsFile, digest, read_bytes};
use crate::store::attempt::{AttemptNote, Outcome};
use crate::store::lock::Lock;
use crate::store::private::{self, PrivateError};
use crate::store::record::Record;
use crate::store::reserved::Reserved;
use crate::store::seal::Seal;
use crate::store::tokens::Tokens;
use crate::words::duration;

/// How long, in seconds, a rejected refresh token is not sent again. Some services reject it only during an outage.
const REJECTED_PAUSE: u64 = 600;
/// Maximum number of keepers to start if each ends without an outcome.
const STARTS: u32 = 3;
/// The longest pause between two checks of the record.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// The requirements for the token.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// The minimum remaining lifetime of the token, in seconds.
    pub min_valid: u64,
    /// How long to wait for a refresh.
    pub wait: Duration,
    /// Never refresh.
    pub offline: bool,
    /// Require a newer token than the stored one, even if that is still valid.
    pub newer: bool,
    /// The profile folder given by the user.
    pub named: Option<&'a Path>,
}

/// A record with a usable token.
#[derive(Debug)]
pub struct Got {
    /// The record.
    pub record: Record,
    /// Why the token falls short of the requirements.
    pub warning: Option<String>,
    /// What to report if only this process has the new tokens, because they can't be stored.
    pub unstored: Option<Outcome>,
}

impl Got {
    /// Returns the record and one warning that combines both.
    #[must_use]
    pub fn warned(self) -> (Record, Option<String>) {
        let unstored = self.unstored.map(Outcome::text);
        (self.record, self.warning.or(unstored))
    }
}

/// Gets a valid token.
///
/// # Errors
/// Returns the outcome to report if there is no usable token.
pub fn obtain(place: &Place, wish: Wish<'_>) -> Result<Got, Outcome> {
    let got = find(place, wish)?;
    if got.unstored.is_some() {
        return Ok(got);
    }
    let record = got.record.complete();
    let record = record.map_err(|error| record_outcome(&error, place))?;
    let tokens = record.tokens.as_ref();
    if tokens.is_some_and(|tokens| tokens.has(TokenKind::Access)) {
        return Ok(Got { record, ..got });
    }
    // The command that keeps the tokens has none, or an empty one.
    if wish.newer {
        return Err(no_tokens(place));
    }
    let newer = true;
    obtain(place, Wish { newer, ..wish })
}

/// Returns what to report if a profile has no tokens.
#[must_use]
pub fn no_tokens(place: &Place) -> Outcome {
    Outcome::new(exit::SIGN_IN, "There are no tokens.").with_hint(sign_in_again(place))
}

/// Does the same, but without the secrets if a command stores them: the command then runs only once, at the end.
fn find(place: &Place, wish: Wish<'_>) -> Result<Got, Outcome> {
    let (first, settings) = read(place)?;
    let settings = digest(&settings);
    if settings != first.settings {
        Profile::check(place, &first)?;
    }
    let now = unix_time();
    let tokens = first.tokens.as_ref();
    if tokens.is_none() && !first.can_refresh() {
        return Err(no_tokens(place));
    }
    let is_good = |tokens: &Tokens| tokens.is_good(now, wish.min_valid);
    if !wish.newer && tokens.is_some_and(is_good) {
        return Ok(Got {
            record: first,
            warning: None,
            unstored: None,
        });
    }
    if let Some(outcome) = refusal(place, &first, &settings, wish, now) {
        return fallback(first, outcome, wish);
    }
    wait(place, &first, wish)
}

fn read(place: &Place) -> Result<(Record, Vec<u8>), Outcome> {
    let settings = read_bytes(place).map_err(|error| settings_outcome(&error.into()))?;
    let folder = private::check_folder(place.record_folder());
    match folder {
        Ok(()) | Err(PrivateError::Missing(_)) => {}
        Err(error) => return Err(file_outcome(&error)),
    }
    let record = Record::outline(&place.record()).map_err(|error| record_outcome(&error, place))?;
    Ok((record, settings))
}

/// Returns why no refresh is attempted, or `None` if one is possible.
fn refusal(
    place: &Place,
    record: &Record,
    settings: &str,
    wish: Wish<'_>,
    now: u64,
) -> Option<Outcome> {
    if let Some(rejected) = &record.rejected
        && now.abs_diff(rejected.at) < REJECTED_PAUSE
    {
        let pause = format!(
            "The service rejected the last refresh {}. The next request is sent no earlier than {}.",
            words::when(rejected.at, now),
            words::time(rejected.at + REJECTED_PAUSE, now)
        );
        let cause = rejected.cause.as_ref();
        return Some(Outcome {
            code: exit::SIGN_IN,
            error: rejected.error.clone(),
            cause: Some(cause.map_or(pause.clone(), |cause| format!("{cause} {pause}"))),
            hint: Some(sign_in_again(place)),
        });
    }
    if !record.can_refresh() {
        return Some(no_refresh_token(place, record.tokens.as_ref()));
    }
    let tokens = record.tokens.as_ref();
    let begin = tokens.and_then(|tokens| tokens.refresh_not_before);
    if let Some(begin) = begin.filter(|begin| *begin > now) {
        return Some(
            Outcome::new(
                exit::UNREACHABLE,
                format!(
                    "The refresh token isn't valid yet. It becomes valid {}.",
                    words::when(begin, now)
                ),
            )
            .with_hint("Try again then."),
        );
    }
    if wish.offline {
        let state = match tokens {
            Some(tokens) if tokens.lives(now) => "expires soon",
            _ => "has expired",
        };
        let error = format!("The access token {state}, and --offline allows no refresh.");
        return Some(Outcome::new(exit::UNREACHABLE, error).with_hint("Omit --offline."));
    }
    let last = AttemptNote::read(&place.attempt()).ok().flatten()?;
    let until = last.paused_until(record.generation, settings, now)?;
    let error = format!(
        "The service asked clients to wait. The next request is sent no earlier than {}.",
        words::time(until, now)
    );
    Some(Outcome::new(exit::UNREACHABLE, error).with_hint("Try again then."))
}

/// Returns the stored token with a warning if it is still valid; otherwise the outcome.
fn fallback(record: Record, outcome: Outcome, wish: Wish<'_>) -> Result<Got, Outcome> {
    let now = unix_time();
    let Some(tokens) = record.tokens.as_ref().filter(|tokens| tokens.lives(now)) else {
        return Err(outcome);
    };
    if wish.newer {
        return Err(outcome);
    }
    let left = tokens.left(now).map_or_else(String::new, |left| {
        format!(" The token is valid for {} more.", duration(left))
    });
    Ok(Got {
        warning: Some(format!("{}{left}", outcome.error)),
        unstored: None,
        record,
    })
}

/// Waits for a refresh, after starting one if none is in progress. Not inlined, because its stack space would slow down
/// callers that have a valid token.
#[inline(never)]
fn wait(place: &Place, first: &Record, wish: Wish<'_>) -> Result<Got, Outcome> {
    let end = Instant::now() + wish.wait;
    let attempt = || AttemptNote::read(&place.attempt()).map_err(|error| file_outcome(&error));
    let begun = attempt()?;
    // An attempt still in progress counts: its outcome applies to all callers that wait for it.
    let ended = begun.map_or(0, |begun| match begun.outcome {
        Some(_) => begun.number,
        None => begun.number.saturating_sub(1),
    });
    let known = Known {
        generation: first.generation,
        attempt: ended,
    };
    let mut keeper: Option<Keeper> = None;
    let mut starts = 0;
    let mut pause = Duration::from_millis(5);
    loop {
        // Check this first: once the keeper has ended, all that it wrote is complete.
        let ended_with = keeper.as_mut().and_then(Keeper::exit_code);
        if ended_with == Some(u32::from(exit::NOT_STORED))
            && let Some(line) = keeper.as_mut().and_then(Keeper::handed_over)
            && let Some(unstored) = Unstored::parse(&line)
        {
            return Ok(Got {
                unstored: Some(unstored.when_used(unix_time())),
                record: unstored.record,
                warning: None,
            });
        }
        let last = attempt()?;
        let record =
            Record::outline(&place.record()).map_err(|error| record_outcome(&error, place))?;
        // A record newer than this process's start is good enough; otherwise, all callers would refresh one after
        // another.
        let newer = record.generation > first.generation || record.lineage != first.lineage;
        if newer
            && record
                .tokens
                .as_ref()
                .is_some_and(|tokens| tokens.lives(unix_time()))
        {
            return Ok(Got {
                record,
                warning: None,
                unstored: None,
            });
        }
        let outcome = last
            .as_ref()
            .filter(|last| last.number > ended)
            .and_then(|last| last.outcome.clone())
            .filter(|outcome| outcome.code != exit::DONE);
        if let Some(outcome) = outcome {
            // If the outcome is from this process's own keeper, the tokens arrive when the keeper ends.
            let is_coming = outcome.code == exit::NOT_STORED
                && keeper.is_some()
                && ended_with.is_none()
                && Instant::now() < end;
            if !is_coming {
                return fallback(record, Unstored::when_unused(outcome), wish);
            }
        }
        if ended_with == Some(u32::from(exit::RECORD)) {
            let outcome = no_outcome(place, record.seal);
            return fallback(record, outcome, wish);
        }
        if keeper.is_none() || ended_with.is_some() {
            let free = Lock::try_take(&place.lock()).map_err(|error| file_outcome(&error))?;
            if free.is_some() {
                drop(free);
                if starts == STARTS {
                    let outcome = if newer {
                        expired_already()
                    } else {
                        no_outcome(place, record.seal)
                    };
                    return fallback(record, outcome, wish);
                }
                starts += 1;
                keeper = Some(start(place, wish, known)?);
            }
        }
        let now = Instant::now();
        if now >= end {
            let outcome = if keeper.is_some() {
                still_running(wish)
            } else {
                busy(place, last.as_ref(), wish)
            };
            return fallback(record, outcome, wish);
        }
        let limit = pause.min(end - now);
        match &mut keeper {
            Some(keeper) if ended_with.is_none() => keeper.wait(limit),
            Some(_) | None => std::thread::sleep(limit),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn start(place: &Place, wish: Wish<'_>, known: Known) -> Result<Keeper, Outcome> {
    let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
    let started = Keeper::start(place, wish.named, file.secret_variable(), known);
    started.map_err(|error| {
        Outcome::new(
            exit::FAILED,
            format!("The refresh can't be started: {error}."),
        )
    })
}

/// The keeper ended without leaving an outcome: possibly the disk is not writable.
fn no_outcome(place: &Place, seal: Seal) -> Outcome {
    if let Err(error) = Reserved::probe(&place.next(), seal) {
        return file_outcome(&error);
    }
    Outcome::new(exit::FAILED, "The refresh was stopped before it finished.")
        .with_hint("Try again.")
}

/// The new token expired before it could be printed.
fn expired_already() -> Outcome {
    Outcome::new(
        exit::FAILED,
        "The tokens were refreshed, but according to this machine's clock the new access token has already expired.",
    )
    .with_hint("Check the clock, then try again.")
}

/// The keeper that this process started is still running.
fn still_running(wish: Wish<'_>) -> Outcome {
    Outcome::new(
        exit::BUSY,
        format!(
            "The refresh did not finish within {}. It continues without this command.",
            duration(wish.wait.as_secs())
        ),
    )
    .with_hint("Try again later.")
}

/// Another process has been refreshing for too long.
fn busy(place: &Place, last: Option<&AttemptNote>, wish: Wish<'_>) -> Outcome {
    let who = last.filter(|last| last.outcome.is_none()).map_or_else(
        || "Another process is refreshing the tokens".to_owned(),
        |last| {
            format!(
                "Process {} on {} has been refreshing the tokens since {}",
                last.pid,
                last.host,
                words::time(last.since, unix_time())
            )
        },
    );
    Outcome::new(
        exit::BUSY,
        format!(
            "{who}, and did not finish within {}.",
            duration(wish.wait.as_secs())
        ),
    )
    .with_hint(format!(
        "Try again later. If that process hangs, stop it. It has locked {}.",
        place.lock().display()
    ))
}
