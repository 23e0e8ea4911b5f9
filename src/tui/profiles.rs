//! Performs the tasks on profile files that the screens request. They may take a while, so they run in the background.

use std::time::{Duration, Instant};

use crate::certificate::created::Created;
use crate::clock::unix_time;
use crate::flow::tool_report::{self, Revoked, Told};
use crate::form::request::request;
use crate::keeper::caller::{Wish, obtain};
use crate::keeper::forecast::forecast;
use crate::keeper::list::list;
use crate::keeper::manage::{delete, rename};
use crate::keeper::profile::{open, open_form};
use crate::keeper::save::Saving;
use crate::keeper::save_error::SaveError;
use crate::keeper::tools::{Revocation, revoke};
use crate::mail::server::Protocol;
use crate::oauth::tools::TokenKind;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::account;
use crate::profile::dates::Now;
use crate::profile::issued_for::{difference, issued_for, mail_server};
use crate::profile::places::{Owner, Place};
use crate::profile::settings_file::SettingsFile;
use crate::runtime;
use crate::session::mail::MailServer;
use crate::session::profiles::{
    Opened, Opening, ProfileReport, ProfileTask, SaveTask, Saved, Stored, Unsaved,
};
use crate::session::run::Ended;
use crate::store::attempt::Outcome;
use crate::store::issued_for::IssuedFor;
use crate::store::obtained::Obtained;
use crate::store::record::Record;
use crate::store::version::Version;
use crate::zone;

/// How long to wait for a refresh.
const WAIT: Duration = Duration::from_secs(45);
/// How far a check looks ahead, in seconds. The command uses the same default.
const CHECK_WITHIN: u64 = 30 * 86_400;
/// How long a stored token must stay valid to be used instead of a new one, in seconds.
const MIN_VALID: u64 = 60;

/// Performs the task, and returns its report.
pub(super) fn perform(task: ProfileTask) -> ProfileReport {
    match task {
        ProfileTask::List(places) => {
            ProfileReport::Listed(list(&places, &mut Library::load_user()))
        }
        ProfileTask::Open(place, opening, browser) => {
            let mut library = Library::load_user();
            let open = match opening {
                Opening::Form => open_form,
                Opening::Authorize | Opening::MailTest | Opening::Tokens => open,
            };
            let opened = open(&place, browser, &mut library).map_err(|outcome| {
                let hint = outcome
                    .hint
                    .map_or_else(String::new, |hint| format!(" {hint}"));
                format!("{}: {}{hint}", place.name, outcome.error)
            });
            let opened = opened.map(|mut settings| {
                if opening != Opening::Tokens {
                    settings.set_created_certificates(Created::load_user());
                }
                let (tokens, notice) = match tokens(&place, &settings) {
                    Ok(tokens) => (tokens, None),
                    Err(notice) => (None, Some(notice)),
                };
                Box::new(Opened {
                    mail: mail_servers(&place, &settings),
                    place,
                    settings,
                    tokens,
                    notice,
                })
            });
            ProfileReport::Opened(opened, opening)
        }
        ProfileTask::Save(task) => {
            let outcome = save_profile(&task);
            ProfileReport::Saved(task, outcome)
        }
        ProfileTask::Refresh(place, attempt, known) => {
            let outcome = refresh(&place, &known);
            ProfileReport::Refreshed(place, attempt, outcome)
        }
        ProfileTask::Check(place) => {
            let now = Now {
                seconds: unix_time(),
                zone: zone::local(),
            };
            let forecast = forecast(&place, &mut Library::load_user(), &now, CHECK_WITHIN);
            ProfileReport::Checked(place, forecast)
        }
        ProfileTask::Revoke(place, attempt) => {
            let begin = Instant::now();
            let outcome = revoke_all(&place).map(|revocation| {
                Box::new(Told {
                    outcome: Ok(tool_report::Outcome::Revoked(revocation.tokens)),
                    took: begin.elapsed(),
                })
            });
            ProfileReport::Revoked(place, attempt, outcome)
        }
        ProfileTask::Delete {
            place,
            revoke: with_revocation,
        } => {
            let revoked = if with_revocation {
                revoke_before_deletion(&place)
            } else {
                Ok(Vec::new())
            };
            let outcome = revoked
                .and_then(|revoked| delete(&place).map(|()| revoked))
                .map_err(|error| {
                    format!("The profile \"{}\" was not deleted. {error}", place.name)
                });
            ProfileReport::Deleted(place, outcome)
        }
        ProfileTask::Rename(place, to, places) => {
            let outcome = rename(&place, &places, &to)
                .map(|()| place.renamed(&to))
                .map_err(|outcome| {
                    format!(
                        "The profile \"{}\" was not renamed. {}",
                        place.name, outcome.error
                    )
                });
            ProfileReport::Renamed(place, outcome)
        }
    }
}

/// Revokes the tokens of a profile, and removes the revoked tokens from it.
fn revoke_all(place: &Place) -> Result<Revocation, String> {
    let runtime = runtime::new().map_err(|error| format!("The request can't be sent: {error}."))?;
    let kinds = [TokenKind::Refresh, TokenKind::Access];
    runtime
        .block_on(revoke(place, &kinds, false))
        .map_err(Outcome::text)
}

/// Revokes the tokens before the profile is deleted. Fails if a token that the service could revoke remains.
fn revoke_before_deletion(place: &Place) -> Result<Vec<Revoked>, String> {
    let revocation = revoke_all(place)?;
    if revocation.code() == exit::DONE {
        return Ok(revocation.tokens);
    }
    let failed = revocation.tokens.iter().find_map(|token| {
        let name = token.kind.name();
        match &token.outcome {
            Ok(_) if token.is_revoked() => None,
            Ok(_) => Some(format!(
                "The service says that the {name} is revoked, but introspection still reports it as active."
            )),
            Err(error) => Some(format!("The {name} was not revoked. {error} {}", error.hint())),
        }
    });
    Err(failed.unwrap_or_else(|| "The tokens were not revoked.".to_owned()))
}

/// Returns the tokens of a profile, if they were issued for these settings.
fn tokens(
    place: &Place,
    settings: &crate::form::settings::Settings,
) -> Result<Option<Stored>, String> {
    if !place.record().exists() {
        return Ok(None);
    }
    let record = Record::read(&place.record()).map_err(|error| error.to_string())?;
    if let Ok(request) = request(settings) {
        // `open` compared the commands before it ran one.
        let now = IssuedFor {
            secret_command: record.issued_for.secret_command.clone(),
            store: record.issued_for.store.clone(),
            ..issued_for(&request, settings, record.issued_for.user.clone(), None)
        };
        if let Some(changed) = difference(&record.issued_for, &now) {
            return Err(format!(
                "The {changed} has changed since the saved tokens were issued. Sign in again."
            ));
        }
    }
    Ok(stored(&record))
}

/// Returns the mail servers of a profile.
fn mail_servers(place: &Place, settings: &crate::form::settings::Settings) -> Vec<MailServer> {
    let file = SettingsFile::read(place).ok();
    let server = |protocol| {
        let address = mail_server(protocol, settings, file.as_ref())?;
        Some(MailServer { protocol, address })
    };
    Protocol::ALL.into_iter().filter_map(server).collect()
}

fn stored(record: &Record) -> Option<Stored> {
    let obtained = Obtained::of_record(record)?;
    Some(Stored {
        version: Version::of(record),
        set: obtained.tokens.to_set(unix_time()),
        obtained,
        unstored: None,
    })
}

fn save_profile(task: &SaveTask) -> Result<Saved, Unsaved> {
    let failed = |reason: String| Unsaved::Failed(reason);
    let place = task.places.place(&task.name, task.machine);
    let mut place = place.map_err(|error| failed(error.to_string()))?;
    let account = task.account.as_deref().map(account::find);
    place.account = account.transpose().map_err(failed)?;
    if !task.replace && place.settings().exists() {
        return Err(Unsaved::Exists);
    }
    let saving = Saving {
        place: &place,
        settings: &task.settings,
        request: &task.request,
        store: task.store.clone(),
        opened: task.opened.as_ref(),
        secret_of: None,
    };
    let saved = match &task.tokens {
        Some(tokens) => saving.with_tokens(&tokens.obtained, task.known.as_ref()),
        None => saving.alone(),
    };
    let tokens = saved.map_err(|error| match error {
        SaveError::Gone => Unsaved::Gone(format!("{error} Save it again to keep it.")),
        SaveError::Changed => failed(format!(
            "{error} Open it again from Profiles…, or replace it with Save as…."
        )),
        error => failed(error.to_string()),
    })?;
    let record = Record::outline(&place.record()).ok();
    Ok(Saved {
        version: record.as_ref().map(Version::of),
        place,
        tokens,
    })
}

/// Returns tokens that are newer than `known`. Tokens that another program has obtained in the meantime count.
fn refresh(place: &Place, known: &Version) -> Result<Box<Stored>, Box<Ended>> {
    let current = Record::outline(&place.record()).ok();
    let newer = current.filter(|record| {
        let tokens = record.tokens.as_ref();
        Version::of(record) != *known && tokens.is_some_and(|it| it.is_good(unix_time(), MIN_VALID))
    });
    let newer = newer.and_then(|outline| outline.complete().ok());
    let (record, unstored) = if let Some(record) = newer {
        (record, None)
    } else {
        let wish = Wish {
            min_valid: 0,
            wait: WAIT,
            offline: false,
            newer: true,
            named: (place.owner == Owner::Named).then(|| place.settings_folder()),
        };
        let has_user = Record::outline(&place.record())
            .map_or(true, |record| !record.issued_for.is_without_user());
        let got = obtain(place, wish).map_err(|outcome| ended(outcome, has_user))?;
        (got.record, got.unstored.map(Outcome::text))
    };
    let stored = stored(&record).map(|stored| Stored { unstored, ..stored });
    stored.map(Box::new).ok_or_else(|| {
        let outcome = Outcome {
            code: exit::SIGN_IN,
            error: "There are no tokens.".to_owned(),
            cause: None,
            hint: None,
        };
        ended(outcome, true)
    })
}

/// Converts the outcome to the error that the screens show. `has_user` says whether a user signed in for the tokens.
fn ended(outcome: Outcome, has_user: bool) -> Box<Ended> {
    let hint = match outcome.code {
        // The hint contains the command, which the screen doesn't need.
        exit::SIGN_IN if has_user => "Sign in again.".to_owned(),
        _ => outcome.hint.unwrap_or_default(),
    };
    let hint = match outcome.cause {
        Some(cause) => format!("{cause} {hint}"),
        None => hint,
    };
    Box::new(Ended {
        step: outcome.error.clone(),
        text: outcome.error,
        service: None,
        hint,
        expired: false,
        another_code: false,
        explanation: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_hint_requires_a_flow_with_a_user() {
        let hint = |code, has_user| {
            let outcome = Outcome {
                code,
                error: "No.".to_owned(),
                cause: None,
                hint: Some("Copy the secret again.".to_owned()),
            };
            ended(outcome, has_user).hint
        };
        assert_eq!(hint(exit::SIGN_IN, true), "Sign in again.");
        assert_eq!(hint(exit::SIGN_IN, false), "Copy the secret again.");
        assert_eq!(hint(exit::BUSY, true), "Copy the secret again.");
    }
}
