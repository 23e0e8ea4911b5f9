//! Reads the files of a profile to forecast problems. Sends nothing, writes nothing, runs no command and takes no lock.

use std::path::Path;
use std::time::{Duration, SystemTime};

use super::profile::{Profile, settings_outcome, sign_in_again};
use crate::clean::clean_path;
use crate::flow::client_key::probe;
use crate::flow::jwt_bearer;
use crate::form::choices::Browser;
use crate::form::settings::Settings;
use crate::mail::server::{Address, Protocol, is_mailbox};
use crate::outcome::exit;
use crate::presets::{Library, Preset};
use crate::profile::check::Facts;
use crate::profile::check_key::client_key;
use crate::profile::client_secret::{Probe, SecretSource};
use crate::profile::dates::Now;
use crate::profile::finding::{Finding, Forecast, Level, not_signed_in};
use crate::profile::issued_for::{mail_server, other_mail_server};
use crate::profile::places::{Owner, Place};
use crate::profile::settings_file::{SettingsError, SettingsFile};
use crate::store::attempt::{AttemptNote, Outcome};
use crate::store::file::read::may_others_read;
use crate::store::host;
use crate::store::lock;
use crate::store::private::{self, PrivateError};
use crate::store::record::Record;
use crate::store::record_error::RecordError;
use crate::store::room;

/// The fix for the lock file of a profile that can't be opened.
const LOCK_FIX: &str =
    "Delete it, or make it belong to this account. It may have been created by root.";

/// Returns the exit code for the worst finding.
#[must_use]
pub fn exit_code(worst: Option<Level>) -> u8 {
    match worst {
        None | Some(Level::Note) => exit::DONE,
        Some(Level::Soon) => exit::SOON,
        Some(Level::Settings) => exit::USAGE,
        Some(Level::SignIn) => exit::SIGN_IN,
        Some(Level::Files) => exit::RECORD,
    }
}

/// Finds what is wrong with a profile, and what will break within the next `within` seconds.
#[must_use]
pub fn forecast(place: &Place, library: &mut Library, now: &Now, within: u64) -> Forecast {
    let target = &*place.target();
    let settings = |error: SettingsError| of_outcome("settings", settings_outcome(&error));
    let file = match SettingsFile::read(place) {
        Ok(file) => file,
        Err(error) => return Forecast::of(settings(error)),
    };
    let record = match record(place) {
        Ok(record) => record,
        Err(RecordError::File(PrivateError::Missing(_))) => {
            return Forecast::of(not_signed_in(target));
        }
        // A normal user can't read the record of a machine profile.
        Err(RecordError::File(error @ PrivateError::System { .. }))
            if place.owner == Owner::Machine =>
        {
            return Forecast::of(finding(Level::Note, "not-checked", error.to_string()));
        }
        Err(error) => return Forecast::of(finding(Level::Files, "record", error.to_string())),
    };
    let mut more = Vec::new();
    let form = match file.form(Browser::Elsewhere, library) {
        Ok(form) => form,
        Err(error) => return Forecast::of(settings(error)),
    };
    let preset = form.preset().clone();
    match Profile::check(place, &record) {
        Ok(profile) => more.extend(key_file(&profile)),
        Err(outcome) => more.push(of_outcome("settings", outcome)),
    }
    let attempt = AttemptNote::read(&place.attempt()).unwrap_or_else(|error| {
        more.push(finding(Level::Files, "attempt", error.to_string()));
        None
    });
    let facts = Facts {
        target,
        now,
        within,
        host: &host::name(),
        record: &record,
        attempt: attempt.as_ref(),
        check: file.check(),
        preset: &preset,
        secret: secret(&file, &record, &preset),
        names_secret: file.names_secret(),
        secret_expires_at: file
            .secret_source()
            .map_or(Ok(None), |source| source.expires_at(&now.zone)),
    };
    let mut findings = facts.findings();
    findings.append(&mut more);
    if let Some(files) = form.key_files() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(now.seconds);
        findings.extend(client_key(&files, &probe(&files, at), now, within));
        findings.extend(open_file("client key", &files.key));
    }
    let secret_file = file.secret_source().and_then(SecretSource::path);
    findings.extend(secret_file.and_then(|path| open_file("client secret", &path)));
    findings.extend(no_room(place, &record));
    let is_broken = |findings: &[Finding]| findings.iter().any(|finding| finding.level.is_broken());
    // Commands are not run here.
    let runs_command = record.issued_for.store.is_some() || file.secret_command().is_some();
    // The environment of the process that failed may have been another one.
    let uses_environment = file
        .secret_source()
        .is_some_and(SecretSource::is_in_environment);
    let is_fine = !runs_command && !uses_environment && !is_broken(&findings);
    findings.extend(
        attempt
            .as_ref()
            .and_then(|attempt| failed(place, attempt, &record, now, is_fine)),
    );
    findings.extend(mail(place, &file, &form, &record));
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let is_broken = is_broken(&findings);
    Forecast {
        summary: (!is_broken).then(|| facts.summary()),
        findings,
    }
}

fn record(place: &Place) -> Result<Record, RecordError> {
    match private::check_folder(place.record_folder()) {
        Ok(()) | Err(PrivateError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Record::outline(&place.record())
}

fn finding(level: Level, id: &'static str, text: String) -> Finding {
    Finding {
        level,
        id,
        at: None,
        text,
        fix: None,
    }
}

fn of_outcome(id: &'static str, outcome: Outcome) -> Finding {
    let level = if outcome.code == exit::RECORD {
        Level::Files
    } else {
        Level::Settings
    };
    Finding {
        fix: outcome.hint,
        ..finding(level, id, outcome.error)
    }
}

/// Returns a finding if other users can read a file with a secret. A note, because in a container nobody else may be there.
fn open_file(what: &str, path: &Path) -> Option<Finding> {
    let path = may_others_read(path).then(|| clean_path(path))?;
    Some(Finding {
        fix: Some("Run chmod 600 on it.".to_owned()),
        ..finding(
            Level::Note,
            "file-readable",
            format!("The {what} file {path} can be read by other users."),
        )
    })
}

/// Checks the key file of a service account.
fn key_file(profile: &Profile) -> Option<Finding> {
    let (level, text, fix) = match jwt_bearer::check(&profile.request) {
        Ok(open) => {
            let (text, fix) = open?;
            (Level::Note, text, fix.to_owned())
        }
        Err(error) => (Level::Settings, error.to_string(), error.hint().to_owned()),
    };
    Some(Finding {
        fix: Some(fix),
        ..finding(level, "key-file", text)
    })
}

/// Returns a finding for each entry in `[mail]` that can't be used, and for each mail server that gets no token.
fn mail(place: &Place, file: &SettingsFile, form: &Settings, record: &Record) -> Vec<Finding> {
    let wrong = |name: &str, fix: String| Finding {
        fix: Some(fix),
        ..finding(Level::Settings, "mail", file.invalid_mail(name))
    };
    let others = Protocol::ALL.into_iter().filter_map(|protocol| {
        let server = mail_server(protocol, form, Some(file))?.ok()?;
        let other = other_mail_server(&record.issued_for, protocol, &server)?;
        Some(Finding {
            fix: Some(sign_in_again(place)),
            ..finding(
                Level::Note,
                "mail-server",
                format!("{other}, so `mail-test` doesn't send the token to it."),
            )
        })
    });
    let user = file.user().filter(|user| !is_mailbox(user));
    let user = user.map(|_| {
        wrong(
            "user",
            "Enter a mailbox, such as alice@example.org.".to_owned(),
        )
    });
    let servers = Protocol::ALL.into_iter().filter_map(|protocol| {
        let fix = Address::parse(file.mail_server(protocol)?).err()?;
        Some(wrong(protocol.key(), fix))
    });
    user.into_iter().chain(servers).chain(others).collect()
}

/// Returns a finding if the next refresh can't lock the profile or store its tokens, which it notices before it sends
/// anything.
fn no_room(place: &Place, record: &Record) -> Option<Finding> {
    let tokens = record.tokens.as_ref();
    let is_refreshed = tokens.is_some_and(|tokens| tokens.refresh_token.is_some());
    if !is_refreshed && !record.issued_for.is_without_user() {
        return None;
    }
    if let Err((text, fix)) = room::check(place.record_folder()) {
        return Some(Finding {
            fix: Some(fix.to_owned()),
            ..finding(Level::Files, "no-room", text)
        });
    }
    let error = lock::check(&place.lock()).err()?;
    Some(locked_out(&error))
}

/// Returns a finding about a lock file that can't be used. Most errors contain their fix.
fn locked_out(error: &PrivateError) -> Finding {
    let fix = matches!(error, PrivateError::System { .. }).then(|| LOCK_FIX.to_owned());
    Finding {
        fix,
        ..finding(Level::Files, "lock", error.to_string())
    }
}

fn secret(file: &SettingsFile, record: &Record, preset: &Preset) -> Probe {
    let needed = record.issued_for.needs_secret();
    match file.secret_source().filter(|source| source.is_named()) {
        Some(source) => source.probe(),
        // A command provides the client secret, and commands are not run here.
        None if record.issued_for.store.is_some() => Probe::Unknown(None),
        None if needed && record.client_secret.is_none() && !preset.client.empty_secret => {
            Probe::Missing("The client secret is missing.".to_owned())
        }
        None => Probe::Fine,
    }
}

/// Returns a finding if a refresh has failed since the tokens were issued. Rejected refresh tokens are in the record,
/// and lost responses have their own finding. `is_fine` tells that the other checks found nothing wrong and cover all
/// that a refresh needs on this machine.
fn failed(
    place: &Place,
    attempt: &AttemptNote,
    record: &Record,
    now: &Now,
    is_fine: bool,
) -> Option<Finding> {
    let outcome = attempt.outcome.as_ref()?;
    let is_old = attempt.generation != record.generation || record.rejected.is_some();
    // The record already contains the rejection of a refresh token.
    let is_told = outcome.code == exit::SIGN_IN && !record.issued_for.is_without_user();
    if is_old || outcome.code == exit::DONE || is_told {
        return None;
    }
    let tokens = record.tokens.as_ref()?;
    let may_be_corrected = outcome.code == exit::USAGE && is_changed_since(place, attempt.since);
    let is_repaired = attempt.local && is_fine;
    let level = match outcome.code {
        _ if is_repaired => Level::Note,
        exit::USAGE if may_be_corrected => Level::Note,
        exit::USAGE | exit::SIGN_IN => Level::Settings,
        exit::RECORD => Level::Files,
        _ if tokens.lives(now.seconds) => Level::Note,
        _ => Level::Soon,
    };
    let cause = outcome.cause.as_deref().unwrap_or_default();
    let text = format!(
        "The last refresh failed {}: {} {cause}",
        now.when(attempt.since),
        outcome.error
    );
    Some(Finding {
        level,
        id: "refresh-failed",
        at: Some(attempt.since),
        text: text.trim_end().to_owned(),
        fix: if is_repaired {
            let target = place.target();
            Some(format!(
                "The cause is gone. Refresh it: oauth-authorizer refresh {target}"
            ))
        } else if may_be_corrected {
            let target = place.target();
            Some(format!(
                "The settings have changed since. Try them: oauth-authorizer refresh {target}"
            ))
        } else {
            outcome.hint.clone()
        },
    })
}

/// Returns whether the settings file was written after this time, in seconds since 1970.
fn is_changed_since(place: &Place, since: u64) -> bool {
    // The attempt began within this second.
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(since.saturating_add(1));
    let file = std::fs::metadata(place.settings());
    let written = file.and_then(|file| file.modified());
    written.is_ok_and(|written| written > since)
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::*;

    #[test]
    fn inaccessible_lock_file_has_a_fix() {
        let path = Path::new("office.lock");
        let denied = Error::from(ErrorKind::PermissionDenied);
        let found = locked_out(&PrivateError::system(path, "opened", &denied));
        assert_eq!(found.fix.as_deref(), Some(LOCK_FIX));
        let found = locked_out(&PrivateError::Readable(path.to_owned()));
        assert!(found.fix.is_none() && found.text.contains("chmod 600"));
    }
}
