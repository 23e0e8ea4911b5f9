//! Refreshes the tokens of a profile, from taking the lock to storing the record.
//!
//! The order of the steps makes this safe: disk space for the response is reserved before the request is sent; the
//! attempt is recorded on disk before the refresh token is sent; and the response is completely on disk before it
//! replaces the record. After a process is stopped between two steps, the next one can continue, or tell exactly what
//! was lost.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::failed::Failed;
use super::profile::{Profile, file_outcome, record_outcome, settings_outcome, sign_in_again};
use super::refresh_failure::RefreshFailure;
use super::unstored::Unstored;
use crate::clock::unix_time;
use crate::flow::attempt::Attempts;
use crate::flow::driver::{Flow, Job};
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::http_error::HttpError;
use crate::oauth::failure::{BodyKind, Failure};
use crate::oauth::token::TokenSet;
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::profile::settings_file::SettingsFile;
use crate::secret::SecretString;
use crate::store::attempt::{AttemptNote, LostAnswer, LostBy, Outcome, PAUSE_LIMIT, Pause};
use crate::store::host;
use crate::store::lock::Lock;
use crate::store::origin::Origin;
use crate::store::private::{self, PrivateError};
use crate::store::record::Record;
use crate::store::reserved::{Reserved, adopt};
use crate::store::tokens::Tokens;

/// How long to wait while another process holds the lock.
const LOCK_LIMIT: Duration = Duration::from_secs(40);
/// How long to retry while a service is unreachable or busy.
const RETRY_LIMIT: Duration = Duration::from_secs(20);
/// The pauses, in seconds, between attempts that did not reach the service.
const PAUSES: [u64; 3] = [1, 2, 4];
/// Services that accept a refresh token twice do so only for a few seconds. A later retry is useless.
const LEEWAY: Duration = Duration::from_secs(3);
/// A lifetime, in seconds. A token that is valid for longer is not worth the risk of sending the refresh token twice.
const SAFE_LIFE: u64 = 300;

/// What the caller knew when it requested a refresh. If more has happened since, no refresh is needed.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The generation of the record.
    pub generation: u64,
    /// The number of the last attempt that has ended.
    pub attempt: u64,
}

/// Refreshes the tokens of a profile and stores them. Returns the tokens only if they can't be stored.
///
/// # Errors
/// Returns the outcome, which is also written to disk for waiting callers.
pub async fn refresh(place: &Place, known: Known) -> Result<Option<Box<Unstored>>, Outcome> {
    private::check_folder(place.record_folder()).map_err(|error| file_outcome(&error))?;
    // Blocking is fine: nothing else runs in this process.
    let lock = Lock::wait(&place.lock(), LOCK_LIMIT).map_err(|error| file_outcome(&error))?;
    let Some(_lock) = lock else {
        return Ok(None);
    };
    let last = AttemptNote::read(&place.attempt()).map_err(|error| file_outcome(&error))?;
    let number = last.as_ref().map_or(0, |last| last.number);
    // A failure in the meantime applies to this caller, too. A success shows in the generation of the record.
    let failed = |last: &AttemptNote| {
        let outcome = last.outcome.as_ref();
        outcome.is_some_and(|outcome| outcome.code != exit::DONE)
    };
    if number > known.attempt && last.as_ref().is_some_and(failed) {
        return Ok(None);
    }
    let mut note = AttemptNote {
        number: number + 1,
        pid: std::process::id(),
        host: host::name(),
        since: unix_time(),
        generation: known.generation,
        sent: false,
        outcome: None,
        local: true,
        lost: None,
        pause: None,
    };
    let outcome = locked(place, known, last.as_ref(), &mut note).await;
    note.outcome = Some(match &outcome {
        Ok(Some(unstored)) => unstored.outcome.clone(),
        Ok(None) => Outcome::new(exit::DONE, ""),
        Err(outcome) => outcome.clone(),
    });
    // If this fails, callers find out later by themselves.
    let _ = note.write(&place.attempt());
    outcome
}

async fn locked(
    place: &Place,
    known: Known,
    last: Option<&AttemptNote>,
    note: &mut AttemptNote,
) -> Result<Option<Box<Unstored>>, Outcome> {
    let path = place.record();
    let failed = |error| record_outcome(&error, place);
    let outline = Record::outline(&path).map_err(failed)?;
    let generation = outline.generation;
    if generation > known.generation {
        return Ok(None);
    }
    note.generation = generation;
    // A request without a refresh token can be repeated safely.
    let uses_up = !outline.issued_for.is_without_user();
    note.lost = last.and_then(|last| last.lost(generation));
    note.lost = note.lost.filter(|_| uses_up);
    let adopted = adopt(&place.next(), &outline, &path).map_err(failed)?;
    if adopted.is_some() {
        return Ok(None);
    }
    // The settings name an environment variable that the store's command must not inherit.
    let file = SettingsFile::read(place);
    let current = outline.complete().map_err(failed)?;
    if current.generation > generation {
        // The store of the command has newer tokens: a process was stopped, or another computer uses the same store.
        let reserved = Reserved::take(&place.next(), current.seal);
        let stored = reserved.and_then(|reserved| reserved.store(&current, &path));
        return stored.map(|()| None).map_err(|error| file_outcome(&error));
    }
    let before = current.tokens.as_ref();
    let has_refresh_token = before.is_some_and(|tokens| tokens.refresh_token.is_some());
    if !has_refresh_token && !current.issued_for.is_without_user() {
        return Err(no_refresh_token(place, before));
    }
    let file = file.map_err(|error| settings_outcome(&error))?;
    let profile = Profile::load(place, &current, file)?;
    let (reserved, damage) =
        Reserved::after(&current, &place.next()).map_err(|error| file_outcome(&error))?;
    if let Some(error @ PrivateError::Unread(_)) = &damage
        && uses_up
    {
        // The stored tokens may be intact, so their refresh token must not be used up.
        reserved.release();
        return Ok(Some(Box::new(Unstored::unread(place, current, error))));
    }
    note.sent = uses_up;
    if let Err(error) = note.write(&place.attempt())
        && damage.is_none()
    {
        reserved.release();
        return Err(file_outcome(&error));
    }
    let asked_at = unix_time();
    let mut was_lost = false;
    let asked = ask(&profile, before, &mut was_lost).await;
    note.local = asked.as_ref().is_err_and(is_local);
    match asked {
        Ok((set, clock_ahead)) => {
            let record = Record {
                generation: current.generation + 1,
                settings: profile.file.digest.clone(),
                tokens: Some(Tokens::of_set(&set, asked_at, before)),
                rejected: None,
                origin: Origin {
                    host: Some(host::name()),
                    clock_ahead,
                    ..current.origin
                },
                ..current.clone()
            };
            let Err(error) = reserved.store(&record, &path) else {
                return Ok(None);
            };
            let error = current.storage_error(error, damage);
            let unstored = Unstored::new(place, record, before, &error);
            if unstored.is_lost {
                note.lost = Some(LostAnswer {
                    since: note.since,
                    by: LostBy::Storage,
                });
            }
            Ok(Some(Box::new(unstored)))
        }
        Err(error) => {
            let is_lost = match &error {
                FlowError::LostRefresh(_) => {
                    !matches!(RefreshFailure::of(&error), RefreshFailure::Busy(_))
                }
                error => RefreshFailure::of(error) == RefreshFailure::MaybeTaken,
            };
            if uses_up && (was_lost || is_lost) {
                note.lost.get_or_insert(LostAnswer {
                    since: note.since,
                    by: LostBy::Network,
                });
            }
            note.pause = RefreshFailure::requested_wait(&error).map(|wait| Pause {
                until: unix_time() + wait.as_secs().min(PAUSE_LIMIT),
                settings: profile.file.digest.clone(),
            });
            let failure = Failed {
                place,
                profile: &profile,
                lost: note.lost,
                error,
            };
            let (outcome, rejected) = failure.outcome();
            if let FlowError::Replaced { refresh_token, .. } = &failure.error {
                let record = with_refresh_token(current, refresh_token, asked_at);
                let stored = reserved.store(&record, &path);
                note.lost = stored.is_err().then_some(LostAnswer {
                    since: note.since,
                    by: LostBy::Storage,
                });
                return match (stored, damage) {
                    (Ok(()), _) => Err(outcome),
                    (Err(error), Some(_)) => Ok(Some(Box::new(Unstored::damaged(
                        place, record, &outcome, &error,
                    )))),
                    (Err(error), None) => Err(Outcome {
                        cause: Some(NOT_KEPT.to_owned()),
                        ..file_outcome(&error)
                    }),
                };
            }
            if rejected.is_none() && damage.is_none() {
                reserved.release();
                return Err(outcome);
            }
            let record = Record {
                rejected: rejected.or_else(|| current.rejected.clone()),
                ..current
            };
            // If a rejection can't be stored, a later refresh gets the same response again.
            match (reserved.store(&record, &path), damage) {
                (Err(error), Some(_)) => Ok(Some(Box::new(Unstored::damaged(
                    place, record, &outcome, &error,
                )))),
                _ => Err(outcome),
            }
        }
    }
}

/// The cause if a new refresh token that came with useless tokens can't be stored.
const NOT_KEPT: &str =
    "The service probably replaced the refresh token, and the new one couldn't be stored.";

/// Returns the record with a new refresh token next to the old access token. The generation stays the same: a newer one
/// would mean that there is a new access token.
fn with_refresh_token(record: Record, refresh_token: &SecretString, issued_at: u64) -> Record {
    let tokens = record.tokens.map(|mut tokens| {
        tokens.replace_refresh_token(refresh_token.clone(), issued_at);
        tokens
    });
    Record {
        tokens,
        rejected: None,
        ..record
    }
}

/// Returns the outcome for a profile without a refresh token.
#[must_use]
pub fn no_refresh_token(place: &Place, tokens: Option<&Tokens>) -> Outcome {
    let error = match tokens.filter(|tokens| tokens.lives(unix_time())) {
        Some(tokens) if tokens.expires_at.is_none() => {
            "There is no refresh token, so the access token can't be replaced. It has no expiry date."
        }
        Some(_) => {
            "There is no refresh token, so the access token can't be replaced before it expires."
        }
        None => "The access token has expired, and there is no refresh token.",
    };
    Outcome::new(exit::SIGN_IN, error).with_hint(sign_in_again(place))
}

/// Sends the refresh request, and retries if that is safe. Also returns how many seconds this machine's clock is ahead
/// of the service's. Sets `was_lost` if a request was repeated whose response was lost.
async fn ask(
    profile: &Profile,
    before: Option<&Tokens>,
    was_lost: &mut bool,
) -> Result<(TokenSet, Option<i64>), FlowError> {
    let end = Instant::now() + RETRY_LIMIT;
    let mut pauses = PAUSES.into_iter();
    let mut again = before
        .and_then(|before| before.left(unix_time()))
        .is_none_or(|left| left <= SAFE_LIFE);
    loop {
        let begun = Instant::now();
        let error = match once(profile, before).await {
            Ok(got) => return Ok(got),
            Err(error) => error,
        };
        let pause = match RefreshFailure::of(&error) {
            RefreshFailure::Busy(Some(wait)) => Some(wait),
            RefreshFailure::NotSent | RefreshFailure::Busy(None) => {
                pauses.next().map(Duration::from_secs)
            }
            RefreshFailure::MaybeTaken if !profile.request.kind.has_user() => {
                pauses.next().map(Duration::from_secs)
            }
            // A success in the form of the service, but without tokens, would not become better. A web page may come from
            // a gateway that kept the request from the service.
            RefreshFailure::MaybeTaken if is_success(&error) => None,
            RefreshFailure::MaybeTaken => {
                (std::mem::take(&mut again) && begun.elapsed() < LEEWAY).then_some(Duration::ZERO)
            }
            _ => None,
        };
        match pause {
            Some(pause) if pause < end.saturating_duration_since(Instant::now()) => {
                *was_lost |= RefreshFailure::of(&error) == RefreshFailure::MaybeTaken;
                tokio::time::sleep(pause).await;
            }
            _ => return Err(error),
        }
    }
}

/// Returns whether a file with a key prevented the request.
fn is_local(error: &FlowError) -> bool {
    matches!(error, FlowError::ClientKey(_) | FlowError::KeyFile(_))
}

/// Returns whether the service reported a success, but no tokens could be read.
fn is_success(error: &FlowError) -> bool {
    let FlowError::LostRefresh(cause) = error else {
        return false;
    };
    matches!(
        **cause,
        FlowError::Protocol(Failure::Unusable {
            status: 200..=299,
            body: BodyKind::Other | BodyKind::Unread,
            ..
        })
    )
}

async fn once(
    profile: &Profile,
    before: Option<&Tokens>,
) -> Result<(TokenSet, Option<i64>), FlowError> {
    let (sender, mut reports) = mpsc::channel(16);
    let request = profile.request.clone();
    let job = match before {
        Some(before) => Job::Refresh(request, Box::new(before.to_set(unix_time()))),
        // Without a user, a refresh is the same as the first token request.
        None => Job::Authorize(request),
    };
    let _flow = Flow::start(job, Attempts::default().begin(), None, sender);
    let mut clock_ahead = None;
    while let Some((_, event)) = reports.recv().await {
        match event {
            FlowEvent::Exchange(exchange) => {
                let date = exchange.date();
                clock_ahead = date.map(|date| unix_time().cast_signed() - date.cast_signed());
            }
            FlowEvent::Tokens(set) => return Ok((*set, clock_ahead)),
            FlowEvent::Failed(error) => return Err(error),
            _ => {}
        }
    }
    Err(FlowError::Http(HttpError::Lost {
        host: "the service".to_owned(),
        cause: "the program was stopped".to_owned(),
    }))
}
