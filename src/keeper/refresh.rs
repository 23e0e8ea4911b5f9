//! The refresh of a profile, from the lock to the stored record.
//!
//! The order is what makes it safe. The place of the answer is reserved on disk before the service is asked; that the refresh
//! token was sent is on disk before it is sent; the answer is complete on disk before it takes the place of the record. A
//! process that is stopped between two steps leaves what the next one needs to go on, or to say truthfully what was lost.

use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc;

use super::answer::Answer;
use super::profile::{Profile, file_outcome, record_outcome, sign_in_again};
use super::unstored::Unstored;
use super::words;
use crate::clean::clean;
use crate::flow::attempt::Attempts;
use crate::flow::driver::{Flow, Job};
use crate::flow::event::{FlowError, FlowEvent};
use crate::form::explain::explain;
use crate::oauth::failure::Failure;
use crate::oauth::token::TokenSet;
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::store::attempt::{AttemptNote, LostAnswer, LostBy, Outcome};
use crate::store::host;
use crate::store::lock::Lock;
use crate::store::private;
use crate::store::record::{Origin, Record, Rejected, Tokens};
use crate::store::reserved::{Reserved, adopt};

/// Another process that holds the lock is waited for so long.
const LOCK_LIMIT: Duration = Duration::from_secs(40);
/// A service that is not reached or busy is tried again within this time.
const RETRY_LIMIT: Duration = Duration::from_secs(20);
/// The pauses between tries that did not reach the service.
const PAUSES: [u64; 3] = [1, 2, 4];
/// Services that accept a refresh token twice do so for a few seconds: later, asking again helps nobody.
const LEEWAY: Duration = Duration::from_secs(3);
/// An access token that lives longer is not put at risk by sending the refresh token twice.
const SAFE_LIFE: u64 = 300;

/// What the caller knew when it requested a refresh. Where more is known by now, there is nothing to do.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The generation of the record.
    pub generation: u64,
    /// The number of the last attempt that had ended.
    pub attempt: u64,
}

/// Seconds since 1970.
#[must_use]
pub fn unix_time() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

/// Refreshes the tokens of a profile, and stores them. Returns those that can't be stored.
///
/// # Errors
/// The outcome, which waiting callers find on disk.
pub async fn refresh(place: &Place, known: Known) -> Result<Option<Box<Unstored>>, Outcome> {
    private::check_folder(place.record_folder()).map_err(|error| file_outcome(&error))?;
    // Nothing else runs in this process meanwhile.
    let lock = Lock::wait(&place.lock(), LOCK_LIMIT).map_err(|error| file_outcome(&error))?;
    let Some(_lock) = lock else {
        return Ok(None);
    };
    let last = AttemptNote::read(&place.attempt()).map_err(|error| file_outcome(&error))?;
    let number = last.as_ref().map_or(0, |last| last.number);
    // A failure that came meanwhile is the caller's, too. A success shows in the generation of the record.
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
        lost: None,
    };
    let outcome = locked(place, known, last.as_ref(), &mut note).await;
    note.outcome = Some(match &outcome {
        Ok(Some(unstored)) => unstored.outcome.clone(),
        Ok(None) => Outcome {
            code: exit::DONE,
            error: String::new(),
            cause: None,
            hint: None,
        },
        Err(outcome) => outcome.clone(),
    });
    // Without it the callers find out by themselves, later.
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
    // A request without a refresh token uses nothing up.
    let uses_up = !outline.issued_for.is_without_user();
    note.lost = last.and_then(|last| last.lost(generation));
    note.lost = note.lost.filter(|_| uses_up);
    let adopted = adopt(&place.next(), &outline, &path).map_err(failed)?;
    if adopted.is_some() {
        return Ok(None);
    }
    let current = outline.complete().map_err(failed)?;
    if current.generation > generation {
        // The command has newer ones: a process was stopped, or another computer uses the same store.
        let reserved = Reserved::take(&place.next(), current.seal);
        let stored = reserved.and_then(|reserved| reserved.store(&current, &path));
        return stored.map(|()| None).map_err(|error| file_outcome(&error));
    }
    let before = current.tokens.as_ref();
    let has_refresh_token = before.is_some_and(|tokens| tokens.refresh_token.is_some());
    if !has_refresh_token && !current.issued_for.is_without_user() {
        return Err(no_refresh_token(place, before));
    }
    let profile = Profile::load(place, &current)?;
    let reserved =
        Reserved::after(&current, &place.next()).map_err(|error| file_outcome(&error))?;
    note.sent = uses_up;
    if let Err(error) = note.write(&place.attempt()) {
        reserved.release();
        return Err(file_outcome(&error));
    }
    let asked_at = unix_time();
    match ask(&profile, before).await {
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
            let failure = Failed {
                place,
                profile: &profile,
                lost: note.lost,
                error,
            };
            if uses_up && Answer::of(&failure.error) == Answer::MaybeTaken {
                note.lost = note.lost.or(Some(LostAnswer {
                    since: note.since,
                    by: LostBy::Network,
                }));
            }
            let (outcome, rejected) = failure.outcome();
            match rejected {
                Some(rejected) => {
                    let record = Record {
                        rejected: Some(rejected),
                        ..current
                    };
                    // Where it cannot be stored, the service is asked again later and says the same.
                    let _ = reserved.store(&record, &path);
                }
                None => reserved.release(),
            }
            Err(outcome)
        }
    }
}

/// Why there is nothing to refresh with.
#[must_use]
pub fn no_refresh_token(place: &Place, tokens: Option<&Tokens>) -> Outcome {
    let lives = tokens.is_some_and(|tokens| tokens.lives(unix_time()));
    let error = if lives {
        "There is no refresh token, so the access token can't be replaced before it expires."
    } else {
        "The access token has expired, and there is no refresh token."
    };
    Outcome {
        code: exit::SIGN_IN,
        error: error.to_owned(),
        cause: None,
        hint: Some(sign_in_again(place)),
    }
}

/// Asks the service, and retries if that is safe. Also returns how many seconds the clock is ahead of the service's.
async fn ask(
    profile: &Profile,
    before: Option<&Tokens>,
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
        let pause = match Answer::of(&error) {
            Answer::Busy(Some(wait)) => Some(wait),
            Answer::NotSent | Answer::Busy(None) => pauses.next().map(Duration::from_secs),
            Answer::MaybeTaken if !profile.request.kind.has_user() => {
                pauses.next().map(Duration::from_secs)
            }
            Answer::MaybeTaken => {
                (std::mem::take(&mut again) && begun.elapsed() < LEEWAY).then_some(Duration::ZERO)
            }
            _ => None,
        };
        match pause {
            Some(pause) if Instant::now() + pause < end => tokio::time::sleep(pause).await,
            _ => return Err(error),
        }
    }
}

async fn once(
    profile: &Profile,
    before: Option<&Tokens>,
) -> Result<(TokenSet, Option<i64>), FlowError> {
    let (sender, mut reports) = mpsc::channel(16);
    let request = profile.request.clone();
    let job = match before {
        Some(before) => Job::Refresh(request, Box::new(before.to_set(unix_time()))),
        // Without a user, the first token comes like all others.
        None => Job::Authorize(request),
    };
    let flow = Flow::start(job, Attempts::default().begin(), None, sender);
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
    drop(flow);
    Err(FlowError::Http(crate::flow::http::HttpError::Lost {
        host: "the service".to_owned(),
        cause: "the program was stopped".to_owned(),
    }))
}

/// A refresh that brought no tokens.
struct Failed<'a> {
    place: &'a Place,
    profile: &'a Profile,
    error: FlowError,
    /// An earlier request with the same refresh token, whose answer was lost.
    lost: Option<LostAnswer>,
}

impl Failed<'_> {
    /// True if the service rejected the client itself, where nobody can sign in to help.
    fn is_about_the_client(&self) -> bool {
        if self.profile.request.kind.has_user() {
            return false;
        }
        let is_rejected = matches!(Answer::of(&self.error), Answer::Rejected | Answer::Unclear);
        match &self.error {
            FlowError::Protocol(Failure::Server { error, .. }) => {
                is_rejected
                    || matches!(
                        error.code.as_str(),
                        "invalid_client" | "unauthorized_client"
                    )
            }
            _ => is_rejected,
        }
    }

    /// Where a new client secret or key goes.
    fn new_secret(&self) -> String {
        let place = self.place;
        if let Some(account) = &self.profile.request.service_account {
            return format!(
                "The key file is {}.",
                clean(&account.path.to_string_lossy(), 200)
            );
        }
        if let Some(files) = self.profile.request.client.credential.files() {
            return format!(
                "The client key is {}.",
                clean(&files.key.to_string_lossy(), 200)
            );
        }
        if self.profile.file.names_secret() {
            let settings = place.settings();
            return format!(
                "The client secret is where [secret] in {} says.",
                settings.display()
            );
        }
        format!(
            "Enter a new client secret: oauth-authorizer --profile {}",
            place.target()
        )
    }

    /// What to report, and what the record keeps of it.
    fn outcome(&self) -> (Outcome, Option<Rejected>) {
        let now = unix_time();
        let explained = match &self.error {
            FlowError::Protocol(failure) => {
                let preset = self.profile.settings.preset();
                let method = self.profile.request.client.sent_method();
                explain(failure, preset, method, &self.profile.library)
            }
            _ => None,
        };
        let error = self.error.sentence();
        let cause = explained.as_ref().map(|explained| explained.cause.clone());
        let cause = cause.filter(|cause| *cause != error);
        let remedy = explained.map_or_else(|| self.error.hint(), |explained| explained.remedy);
        let outcome = |code, hint| Outcome {
            code,
            error: error.clone(),
            cause: cause.clone(),
            hint: Some(hint),
        };
        match Answer::of(&self.error) {
            Answer::Rejected | Answer::Unclear | Answer::Settings if self.is_about_the_client() => {
                let hint = format!("{remedy} {}", self.new_secret());
                (outcome(exit::SIGN_IN, hint), None)
            }
            // After a lost answer it is probably about the refresh token.
            Answer::Unclear if self.lost.is_none() && !self.profile.request.client.is_public() => {
                let hint = format!(
                    "Check the client secret or key and Client auth. If they are correct, the refresh token is no longer valid. {}",
                    sign_in_again(self.place)
                );
                (outcome(exit::USAGE, hint), None)
            }
            Answer::Rejected | Answer::Unclear => {
                let mut outcome = outcome(exit::SIGN_IN, sign_in_again(self.place));
                if let Some(lost) = self.lost {
                    let how = match lost.by {
                        LostBy::Stop => {
                            "the program or the computer was stopped before the answer was stored"
                        }
                        LostBy::Network => "the answer was lost on the way",
                        LostBy::Storage => "the answer couldn't be stored",
                    };
                    outcome.cause = Some(format!(
                        "An earlier refresh was sent {}, and {how}. The service has probably replaced the refresh token.",
                        words::when(lost.since, now)
                    ));
                }
                let rejected = Rejected {
                    at: now,
                    error: outcome.error.clone(),
                    cause: outcome.cause.clone(),
                };
                (outcome, Some(rejected))
            }
            Answer::Settings => (outcome(exit::USAGE, remedy), None),
            Answer::NotSent | Answer::MaybeTaken | Answer::Busy(_) => {
                let hint = "Try again later. The tokens are unchanged.".to_owned();
                (outcome(exit::UNREACHABLE, hint), None)
            }
            Answer::TooEarly => {
                let hint = "Try again shortly before the access token expires.".to_owned();
                (outcome(exit::UNREACHABLE, hint), None)
            }
            Answer::Unusable => (outcome(exit::FAILED, remedy), None),
        }
    }
}
