//! `token`, `refresh` and the keeper command: get valid access tokens for scripts.

use std::io::{self, Write};
use std::path::Path;

use super::stop::Ended;
use super::token_file::{self, Readers};
use super::token_format::Printed;
use super::token_git::Credential;
use super::token_template::{Part, parts};
use crate::cli::{KeepFlags, RefreshFlags, TokenFlags, TokenFormat};
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::keeper::caller::{Got, Wish, obtain};
use crate::keeper::process;
use crate::keeper::refresh::{Known, refresh};
use crate::keeper::refuse::refuse;
use crate::keeper::unstored::Unstored;
use crate::oauth::token_notes::needs_proof;
use crate::outcome::exit;
use crate::profile::name::ProfileName;
use crate::profile::places::{Place, Places};
use crate::profile::settings_file::SettingsFile;
use crate::runtime;
use crate::secret::{ExposeSecret, SecretString};
use crate::store::attempt::Outcome;
use crate::store::private::PrivateError;
use crate::store::program;
use crate::store::record::Record;
use crate::store::record_error::RecordError;
use crate::words::duration;

/// Writes what went wrong with a profile. Returns the exit code.
pub(super) fn say_outcome(name: &ProfileName, outcome: &Outcome) -> u8 {
    say("error", &format!("{name}: {}", outcome.error));
    if let Some(cause) = &outcome.cause {
        say("cause", cause);
    }
    if let Some(hint) = &outcome.hint {
        say("hint", hint);
    }
    outcome.code
}

/// Returns the folders to list profiles from, or the exit code. An empty list of profiles must not hide a misspelled folder.
pub(super) fn places(folder: Option<&Path>) -> Result<Places, u8> {
    let usage = |error: String| {
        say("error", &error);
        exit::USAGE
    };
    let places = Places::new(folder).map_err(|error| usage(error.to_string()))?;
    places.check_named().map_err(usage)?;
    places.check_own().map_err(|error| unreadable(&error))?;
    let home = places.check_home();
    home.map_err(|error| usage(error.to_string()))?;
    Ok(places)
}

fn unreadable(error: &str) -> u8 {
    say("error", error);
    exit::RECORD
}

/// Finds the profile of this name, or returns the exit code.
pub(super) fn find(name: &ProfileName, folder: Option<&Path>) -> Result<Place, u8> {
    let places = Places::new(folder).map_err(|error| {
        say("error", &error.to_string());
        exit::USAGE
    })?;
    places.get(name).map_err(|error| {
        if let Err(error) = places.check_own() {
            return unreadable(&error);
        }
        say("error", &error.to_string());
        say("hint", &error.hint());
        exit::USAGE
    })
}

/// Returns these names, without those that name the same profile again.
pub(super) fn each_once(names: &[ProfileName]) -> impl Iterator<Item = &ProfileName> {
    let numbered = names.iter().enumerate();
    let is_first =
        |(at, name): &(usize, &ProfileName)| !names[..*at].iter().any(|it| it.is(name.as_str()));
    numbered.filter(is_first).map(|(_, name)| name)
}

/// Prints a valid access token.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(flags: &TokenFlags) -> Ended {
    if cfg!(windows) && flags.mode.is_some_and(|mode| mode != 0o600) {
        say(
            "error",
            "--mode isn't supported on Windows. Omit it: only you can read the file.",
        );
        return Ok(exit::USAGE);
    }
    let (format, template) = match wanted(flags) {
        Ok(wanted) => wanted,
        Err(error) => {
            say("error", &error);
            return Ok(exit::USAGE);
        }
    };
    let named = flags.profiles.folder();
    if let Some(action) = &flags.action {
        if format != TokenFormat::Git {
            say(
                "error",
                "Remove the extra word after the name of the profile. Only --format git accepts an action there.",
            );
            return Ok(exit::USAGE);
        }
        let credential = Credential::read()?;
        match action.as_str() {
            "get" if credential.is_sent_in_clear() => {
                say(
                    "error",
                    "The remote uses http, so the token would be sent unencrypted. Use its https URL.",
                );
                return Ok(exit::USAGE);
            }
            "get" => {}
            "erase" => return Ok(erase(&flags.profile, named, &credential)),
            // The profile itself is the store. Other actions come from newer versions of git, which expects them to be
            // ignored.
            _ => return Ok(exit::DONE),
        }
    }
    let readers = match readers(flags) {
        Ok(readers) => readers,
        Err(error) => {
            say("error", &error);
            return Ok(exit::USAGE);
        }
    };
    let place = find(&flags.profile, named)?;
    let output = flags.output.as_ref().filter(|path| path.as_os_str() != "-");
    if let Some(Err(error)) = output.map(|path| token_file::check(path)) {
        say("error", &format!("{}: {error}", place.name));
        return Ok(exit::RECORD);
    }
    let wish = Wish {
        min_valid: flags.min_valid.as_secs(),
        wait: flags.wait,
        offline: flags.offline,
        newer: false,
        named,
    };
    let Got {
        record,
        warning,
        unstored,
    } = obtain(&place, wish).map_err(|outcome| say_outcome(&place.name, &outcome))?;
    if let Some(warning) = warning {
        say("warning", &format!("{}: {warning}", place.name));
    }
    let tokens = record.tokens.as_ref();
    if let Some(outcome) = &unstored
        && !tokens.is_some_and(|tokens| tokens.lives(unix_time()))
    {
        let outcome = Unstored::when_unused(outcome.clone());
        return Ok(say_outcome(&place.name, &outcome));
    }
    let token_type = record
        .tokens
        .as_ref()
        .and_then(|tokens| tokens.token_type.as_deref());
    if let Some(proof) = token_type.and_then(needs_proof) {
        say("warning", &format!("{}: {proof}", place.name));
    }
    let text = match text(&place, &record, flags, format, &template) {
        Ok(text) => text,
        Err(error) => {
            say("error", &format!("{}: {error}", place.name));
            return Ok(exit::USAGE);
        }
    };
    let Some(path) = output else {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.expose_secret().as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
        drop(stdout);
        return Ok(delivered(&place, unstored.as_ref()));
    };
    Ok(match token_file::write(path, &text, readers) {
        Ok(()) => delivered(&place, unstored.as_ref()),
        Err(error) => {
            say("error", &format!("{}: {error}", place.name));
            exit::RECORD
        }
    })
}

/// Returns the exit code after the caller got its token. Warns if the token is stored nowhere.
fn delivered(place: &Place, unstored: Option<&Outcome>) -> u8 {
    unstored.map_or(exit::DONE, |outcome| say_outcome(&place.name, outcome))
}

/// Returns the format and the parts of the template. Detects errors in the flags before anything is sent.
fn wanted(flags: &TokenFlags) -> Result<(TokenFormat, Vec<Part<'_>>), String> {
    let template = flags.template.as_deref().map(parts).transpose()?;
    Ok((flags.format()?, template.unwrap_or_default()))
}

fn text(
    place: &Place,
    record: &Record,
    flags: &TokenFlags,
    format: TokenFormat,
    template: &[Part<'_>],
) -> Result<SecretString, String> {
    let tokens = record.tokens.as_ref().ok_or("There are no tokens.")?;
    // The settings may name a mailbox that was added after the sign-in. Only formats with a mailbox need the settings.
    let has_user = !matches!(
        format,
        TokenFormat::Raw | TokenFormat::Header | TokenFormat::Env | TokenFormat::EnvPowershell
    );
    let file = has_user.then(|| SettingsFile::read(place).ok()).flatten();
    let named = file.as_ref().and_then(SettingsFile::user);
    let of_profile = named.or(record.issued_for.user.as_deref());
    // With a mailbox, curl itself writes the scheme `Bearer` before the token, but the API may require another one.
    let of_profile =
        of_profile.filter(|_| format != TokenFormat::Curl || record.issued_for.header == "Bearer");
    let printed = Printed {
        record,
        tokens,
        user: flags.user.as_deref().or(of_profile),
        template,
        now: unix_time(),
    };
    printed.text(format)
}

/// Returns who may read the file of `--output`.
fn readers(flags: &TokenFlags) -> Result<Readers, String> {
    #[cfg(unix)]
    let group = flags.group.as_deref().map(token_file::group).transpose()?;
    #[cfg(not(unix))]
    let group = None;
    let default = if group.is_some() { 0o640 } else { 0o600 };
    Ok(Readers {
        mode: flags.mode.unwrap_or(default),
        group,
    })
}

/// Handles the notice from git that the server rejected this password.
fn erase(name: &ProfileName, named: Option<&Path>, credential: &Credential) -> u8 {
    let Some(password) = credential.password() else {
        return exit::DONE;
    };
    match find(name, named).map(|place| refuse(&place, &password)) {
        Ok(Ok(())) => exit::DONE,
        Ok(Err(error)) => {
            say("error", &format!("{name}: {error}"));
            exit::RECORD
        }
        Err(code) => code,
    }
}

/// Gets newer tokens for profiles. Returns the worst exit code.
///
/// # Errors
/// Returns an error if the folder of the profiles can't be read.
pub(super) fn refresh_all(flags: &RefreshFlags) -> Ended {
    let named = flags.profiles.folder();
    let places: Vec<Result<Place, u8>> = if flags.all {
        let places = places(named)?;
        let all = places.all();
        if all.is_empty() {
            say("hint", &places.none());
        }
        all.into_iter().map(Ok).collect()
    } else {
        let names = each_once(&flags.names);
        names.map(|name| find(name, named)).collect()
    };
    let wish = Wish {
        min_valid: 0,
        wait: flags.wait,
        offline: false,
        newer: true,
        named,
    };
    let mut worst = exit::DONE;
    for place in places {
        let code = match place {
            Err(code) => code,
            Ok(place) if is_recent(&place, flags) => exit::DONE,
            Ok(place) if flags.all && is_skipped(&place) => exit::DONE,
            Ok(place) => match obtain(&place, wish) {
                Ok(Got {
                    unstored: Some(outcome),
                    ..
                }) => say_outcome(&place.name, &Unstored::when_unused(outcome)),
                Ok(got) => {
                    let left = got
                        .record
                        .tokens
                        .and_then(|tokens| tokens.left(unix_time()));
                    let left = left.map_or_else(String::new, |left| {
                        format!("; the access token is valid for {}", duration(left))
                    });
                    say("done", &format!("{}: refreshed{left}", place.name));
                    exit::DONE
                }
                Err(outcome) => say_outcome(&place.name, &outcome),
            },
        };
        worst = worst.max(code);
    }
    Ok(worst)
}

/// Returns whether `--all` leaves out a profile because there is nothing to refresh, and says why. Such a profile is not
/// broken, so it must not make a timer fail.
fn is_skipped(place: &Place) -> bool {
    let reason = match Record::outline(&place.record()) {
        Ok(record) if record.rejected.is_some() || record.can_refresh() => return false,
        Ok(record) => match &record.tokens {
            None => "There are no tokens.",
            Some(tokens) if tokens.expires_at.is_none() => {
                "There is no refresh token, and the access token has no expiry date."
            }
            Some(_) => return false,
        },
        Err(RecordError::File(PrivateError::Missing(_))) => "There are no tokens yet.",
        Err(_) => return false,
    };
    say("skipped", &format!("{}: {reason}", place.name));
    true
}

fn is_recent(place: &Place, flags: &RefreshFlags) -> bool {
    let Some(age) = flags.older_than else {
        return false;
    };
    let Ok(record) = Record::outline(&place.record()) else {
        return false;
    };
    let tokens = record.tokens.as_ref();
    tokens.is_some_and(|tokens| unix_time() < tokens.obtained_at.saturating_add(age.as_secs()))
}

/// Runs the keeper: refreshes a profile for the waiting processes. Nobody reads its messages.
///
/// # Errors
/// Returns an error if no runtime can be started.
pub(super) fn keep(flags: &KeepFlags) -> io::Result<u8> {
    process::close_descriptors();
    // The keeper outlives its caller, so nobody may be there to answer a prompt.
    program::take_terminal();
    let named = flags.profiles.folder();
    let place = Places::new(named)
        .ok()
        .and_then(|places| places.find(&flags.profile));
    let Some(place) = place else {
        return Ok(exit::USAGE);
    };
    let known = Known {
        generation: flags.generation,
        attempt: flags.attempt,
    };
    let runtime = runtime::new()?;
    let refreshed = runtime.block_on(async {
        // A request in progress must not be stopped: its response may contain the only tokens that still work.
        let _signals = process::put_off_signals()?;
        Ok::<_, io::Error>(refresh(&place, known).await)
    })?;
    Ok(match refreshed {
        Ok(None) => exit::DONE,
        Ok(Some(unstored)) => {
            if flags.hand_over {
                // Standard output is flushed at the end of the line. The caller may have ended.
                let _ = io::stdout().write_all(&unstored.to_bytes());
            }
            unstored.outcome.code
        }
        Err(outcome) => outcome.code,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn duplicate_profile_names_are_dropped() {
        let names = ["a", "b", "A", "a", "c"].map(|name| name.parse::<ProfileName>().unwrap());
        let once: Vec<&str> = each_once(&names).map(ProfileName::as_str).collect();
        assert_eq!(once, ["a", "b", "c"]);
    }
}
