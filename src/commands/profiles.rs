//! `profiles`: lists, saves, checks and deletes profiles, and changes their stores.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;

use super::stop::Ended;
use super::token::{find, places};
use super::token_format::time;
use super::tools::revoke_tokens;
use super::{profiles_check, transfer};
use crate::cli::{Cli, ProfilesCommand};
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::form::choices::Browser;
use crate::form::field::Key;
use crate::form::request::request;
use crate::keeper::list::{self, standing};
use crate::keeper::manage::{delete, rename};
use crate::keeper::present::changed_by_variables;
use crate::keeper::profile::{
    fill_in_secret, forget_other_secret, open, open_form, settings_outcome,
};
use crate::keeper::save::{Saving, move_to};
use crate::keeper::save_error::SaveError;
use crate::oauth::tools::TokenKind;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::name::ProfileName;
use crate::profile::places::{Owner, Place, Places};
use crate::profile::saved_tokens::SavedTokens;
use crate::profile::settings_file::{SettingsError, digest, read_bytes};
use crate::profile::store_kind::Store;
use crate::secret::ExposeSecret;
use crate::session::profiles::Standing;
use crate::store::commands::StoreCommands;
use crate::store::private::PrivateError;
use crate::store::record::Record;

/// The environment variable for `--profile`.
const PROFILE_VARIABLE: &str = "OAUTH_AUTHORIZER_PROFILE";

/// Runs the command. Returns the exit code.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(command: &ProfilesCommand) -> Ended {
    match command {
        ProfilesCommand::List { json, profiles } => list(&places(profiles.folder())?, *json),
        ProfilesCommand::Show { name, profiles } => show(&find(name, profiles.folder())?),
        ProfilesCommand::Check {
            names,
            all: _,
            within,
            quiet,
            json,
            profiles,
        } => profiles_check::run(
            names,
            profiles.folder(),
            profiles_check::Look {
                within: within.as_secs(),
                quiet: *quiet,
                json: *json,
            },
        ),
        ProfilesCommand::Save {
            name,
            machine,
            store,
            commands,
            profiles,
            flags,
        } => {
            let store = store.map(|kind| commands.store(kind)).transpose();
            let store = store.map_err(|problem| usage(&problem))?;
            let places = Places::new(profiles.folder());
            let place = places.and_then(|places| places.place(name, *machine));
            let place = place.map_err(|error| usage(&error.to_string()))?;
            if store.is_none() && (commands.read.is_some() || commands.write.is_some()) {
                return Ok(usage("--read and --write require --store command."));
            }
            save(place, profiles.folder(), store, flags)
        }
        ProfilesCommand::Store {
            name,
            kind,
            commands,
            profiles,
        } => {
            let place = find(name, profiles.folder())?;
            let store = commands.store(*kind).map_err(|problem| usage(&problem))?;
            Ok(change_store(&place, store))
        }
        ProfilesCommand::Export {
            name,
            to,
            recipient,
            passphrase,
            profiles,
        } => {
            let place = find(name, profiles.folder())?;
            transfer::export(&place, to.as_deref(), recipient, *passphrase)
        }
        ProfilesCommand::Import {
            file,
            identity,
            name,
            if_newer,
            allow_commands,
            machine,
            profiles,
        } => Ok(transfer::import(&transfer::Import {
            file,
            identity: identity.as_deref(),
            name: name.as_ref(),
            if_newer: *if_newer,
            allow_commands: *allow_commands,
            machine: *machine,
            folder: profiles.folder(),
        })),
        ProfilesCommand::Rename { name, to, profiles } => {
            let named = profiles.folder();
            let place = find(name, named)?;
            let places = Places::new(named).map_err(|_| exit::USAGE)?;
            let renamed = rename(&place, &places, to);
            Ok(report(
                renamed.map_err(|outcome| (outcome.code, outcome.error)),
            ))
        }
        ProfilesCommand::Delete {
            name,
            revoke,
            no_revoke: _,
            profiles,
        } => {
            let place = find(name, profiles.folder())?;
            if *revoke {
                let kinds = [TokenKind::Refresh, TokenKind::Access];
                let code = revoke_tokens(&place, &kinds, false, false)?;
                if code != exit::DONE {
                    say(
                        "hint",
                        "The profile was not deleted. Use --no-revoke to delete it anyway.",
                    );
                    return Ok(code);
                }
            }
            Ok(report(
                delete(&place).map_err(|error| (exit::RECORD, error)),
            ))
        }
    }
}

fn usage(text: &str) -> u8 {
    say("error", text);
    exit::USAGE
}

/// Returns whether both commands print the same text. Each stored text is unique.
fn is_same_entry(before: &StoreCommands, now: Option<&StoreCommands>) -> bool {
    let printed = |commands: &StoreCommands| commands.secrets().ok();
    now.is_some_and(|now| printed(before).is_some_and(|text| printed(now) == Some(text)))
}

/// Moves the tokens of a profile to another store.
fn change_store(place: &Place, store: Store) -> u8 {
    let before = Record::outline(&place.record()).ok();
    let before = before.and_then(|outline| outline.issued_for.store);
    let now = store.commands();
    let kept = before.filter(|before| now.as_ref() != Some(before));
    match move_to(place, store) {
        Ok(()) => {
            // The new commands may reach the same entry: deleting it would lose the tokens.
            if let Some(before) = kept.filter(|before| !is_same_entry(before, now.as_ref())) {
                say(
                    "hint",
                    &format!(
                        "The store of the command {} still has the tokens. Delete them there.",
                        before.name()
                    ),
                );
            }
            exit::DONE
        }
        Err(error) => {
            say("error", &format!("{}: {error}", place.name));
            if let (Some(commands), SaveError::File(PrivateError::Keeping(_))) = (now, &error) {
                say(
                    "hint",
                    &format!(
                        "The profile keeps its store. If the command {} stored a copy of the tokens, delete it there.",
                        commands.write_name()
                    ),
                );
            }
            exit::RECORD
        }
    }
}

/// Saves the settings given by these flags as a profile, on top of those of the profile in `--profile`.
fn save(
    mut place: Place,
    folder: Option<&Path>,
    store: Option<Store>,
    flags: &[OsString],
) -> Ended {
    let program = OsString::from("oauth-authorizer");
    let all = std::iter::once(program).chain(flags.iter().cloned());
    let cli = match Cli::read(all, |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return Ok(exit::USAGE);
        }
    };
    if cli.subcommand.is_some() || cli.plain || cli.print.is_some() || cli.demo {
        return Ok(usage(
            "`profiles save` accepts only the flags of the form, such as --preset and --client-id.",
        ));
    }
    let mut library = Library::load_user();
    let variable = |name: &str| std::env::var_os(name);
    let has_secret = cli.secret.is_given(variable);
    let mut is_opened = false;
    // The variable for --profile chooses what a sign-in opens. Here, it would copy another profile unnoticed.
    let is_flag = !cli.variables.iter().any(|name| name == PROFILE_VARIABLE);
    let base = match cli.profile.profile.as_ref().filter(|_| is_flag) {
        Some(name) => {
            let opened = find(name, folder)?;
            // Without --machine, a profile of the machine is saved where it is.
            let is_user = place.owner == Owner::User;
            if opened.name.is(place.name.as_str()) && is_user {
                place = opened.clone();
            }
            is_opened = opened.settings() == place.settings();
            // The same profile keeps the place of its client secret, and another one gets the secret that was given. In the
            // other cases, the secret at that place is needed.
            let open = if is_opened == has_secret {
                open
            } else {
                open_form
            };
            match open(&opened, Browser::Elsewhere, &mut library) {
                Ok(settings) => Some(settings),
                Err(outcome) => {
                    say("error", &format!("{name}: {}", outcome.error));
                    return Ok(outcome.code);
                }
            }
        }
        None => None,
    };
    let opened = base.clone();
    let mut settings = match cli.settings(base, variable, Browser::Elsewhere, &mut library) {
        Ok(settings) => settings,
        Err(error) => {
            say("error", &error.to_string());
            return Ok(error.exit_code());
        }
    };
    if let Some(opened) = opened.as_ref().filter(|_| !has_secret) {
        forget_other_secret(opened, &mut settings);
    }
    // Without a flag for the client secret, the one in the profile stays.
    let kept = if settings.secret().expose_secret().is_empty() {
        fill_in_secret(&place, &mut settings)
    } else {
        None
    };
    let mut request = match request(&settings) {
        Ok(request) => request,
        Err(problems) => {
            for problem in problems {
                say("error", &problem.labeled(settings.label(problem.key)));
            }
            return Ok(exit::USAGE);
        }
    };
    let (secret, secret_of) = kept.unzip();
    request.client.secret = request.client.secret.or(secret);
    let saving = Saving {
        place: &place,
        settings: &settings,
        request: &request,
        store,
        opened: opened.as_ref().filter(|_| is_opened),
        secret_of,
    };
    let name = &place.name;
    let changed = changed_by_variables(&place, &settings, |name| std::env::var_os(name));
    match saving.alone() {
        Ok(saved) => {
            if let Some(changed) = changed {
                say("note", &changed);
            }
            say(
                "done",
                &format!(
                    "Saved as the profile {name}: {}",
                    place.settings().display()
                ),
            );
            if let Some(notice) = settings.secret_notice() {
                let label = settings.label(Key::ClientSecret);
                say("hint", &format!("{label}: {notice}"));
            }
            if let SavedTokens::Unfit(setting) = saved {
                say(
                    "hint",
                    &format!(
                        "Its tokens were issued for another {setting}. To replace them, sign in again: \
                         oauth-authorizer --profile {}",
                        place.target()
                    ),
                );
            }
            Ok(exit::DONE)
        }
        Err(error) => {
            say("error", &format!("{name} was not saved. {error}"));
            Ok(exit::RECORD)
        }
    }
}

fn report(outcome: Result<(), (u8, String)>) -> u8 {
    match outcome {
        Ok(()) => exit::DONE,
        Err((code, error)) => {
            say("error", &error);
            code
        }
    }
}

fn list(places: &Places, as_json: bool) -> Ended {
    let now = unix_time();
    let mut out = io::stdout().lock();
    let mut before: Option<ProfileName> = None;
    let mut rows = Vec::new();
    let all = list::list(places, &mut Library::load_user());
    if all.is_empty() {
        say("hint", &places.none());
    }
    for listed in all {
        let place = &listed.place;
        let user = listed.user.as_deref().unwrap_or_default();
        let state = state(&listed.standing, now);
        // The user's profile is listed first, and has priority over the machine's.
        let hidden = before
            .as_ref()
            .is_some_and(|name| name.is(place.name.as_str()));
        let owner = match place.owner {
            Owner::User | Owner::Named => "",
            Owner::Machine if hidden => "machine, hidden by the user's",
            Owner::Machine => "machine",
        };
        if as_json {
            let expires_at = match listed.standing {
                Standing::Tokens { expires_at, .. } => expires_at.map(time),
                _ => None,
            };
            rows.push(json!({
                "name": place.name.as_str(), "preset": listed.preset, "user": user, "state": state,
                "expires_at": expires_at, "machine": place.owner == Owner::Machine,
                "settings": place.settings(), "record": place.record(),
            }));
        } else {
            // Empty columns would shift the message that follows them, for example in `column -t`.
            let (preset, user) = match &listed.standing {
                Standing::Unusable(_) if listed.preset.is_empty() => ("-", "-"),
                _ => (listed.preset.as_str(), user),
            };
            writeln!(out, "{}\t{preset}\t{user}\t{state}\t{owner}", place.name)?;
        }
        before = Some(place.name.clone());
    }
    if as_json {
        writeln!(out, "{}", serde_json::Value::from(rows))?;
    }
    out.flush()?;
    Ok(exit::DONE)
}

/// Returns the state of a profile in a few words, or why it can't be used.
fn state(standing: &Standing, now: u64) -> String {
    match standing {
        Standing::Unusable(reason) => reason.clone(),
        standing => standing.words(now),
    }
}

fn show(place: &Place) -> Ended {
    let bytes = match read_bytes(place) {
        Ok(bytes) => bytes,
        Err(error) => {
            let outcome = settings_outcome(&SettingsError::File(error));
            say("error", &outcome.error);
            return Ok(outcome.code);
        }
    };
    let now = unix_time();
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    writeln!(out, "\n# Settings: {}", place.settings().display())?;
    writeln!(out, "# Tokens:   {}", place.record().display())?;
    match Record::outline(&place.record()) {
        Ok(record) => {
            let mut library = Library::load_user();
            let standing = standing(place, &digest(&bytes), &record, now, &mut library);
            writeln!(out, "# State:    {}", state(&standing, now))?;
            // The response of the service is below.
            if let (Standing::SignInAgain { error, .. }, None) = (&standing, &record.rejected) {
                writeln!(out, "# Reason:   {error}")?;
            }
            if let Some(tokens) = &record.tokens {
                writeln!(out, "# Obtained: {}", time(tokens.obtained_at))?;
                if let Some(end) = tokens.expires_at {
                    writeln!(out, "# Expires:  {}", time(end))?;
                }
                let refresh = if tokens.has_refresh_token() {
                    "yes"
                } else {
                    "no"
                };
                writeln!(out, "# Refresh token: {refresh}")?;
            }
            let secret = if record.client_secret.is_some() {
                "yes"
            } else {
                "no"
            };
            match &record.issued_for.store {
                Some(commands) => writeln!(out, "# Store:    command {}", commands.name())?,
                None => writeln!(out, "# Client secret in the record: {secret}")?,
            }
            if let Some(rejected) = &record.rejected {
                writeln!(out, "# Rejected {}: {}", time(rejected.at), rejected.error)?;
            }
        }
        Err(error) => writeln!(out, "# State:    {error}")?,
    }
    out.flush()?;
    Ok(exit::DONE)
}
