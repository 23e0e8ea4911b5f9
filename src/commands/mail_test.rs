//! `mail-test`: signs in to mail servers with the token of a profile.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::stop::Ended;
use super::token::{find, say_outcome};
use super::token_format::time;
use super::tools::runtime;
use crate::cli::MailTestFlags;
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::flow::mail_login::{self, MailTest, STEP_LIMIT};
use crate::keeper::caller::{Wish, obtain};
use crate::keeper::profile::outline;
use crate::mail::server::{Address, Protocol};
use crate::mail::turn::Login;
use crate::mail::verdict::Problem;
use crate::outcome::exit;
use crate::presets::{Library, Preset};
use crate::profile::issued_for::{mail_server, other_mail_server};
use crate::profile::places::Place;
use crate::profile::settings_file::SettingsFile;
use crate::session::mail_report::MailReport;
use crate::session::mail_warnings::warnings as token_warnings;
use crate::store::issued_for::IssuedFor;

/// How long to wait for a refresh.
const WAIT: Duration = Duration::from_secs(45);

/// Runs the tests and prints the results.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(flags: &MailTestFlags) -> Ended {
    let named = flags.profiles.folder();
    let place = find(&flags.profile, named)?;
    let usage = |error: &str| {
        say("error", &format!("{}: {error}", place.name));
        Ok(exit::USAGE)
    };
    let mut library = Library::load_user();
    let (servers, preset) = match servers(flags, &place, &mut library) {
        Ok(found) => found,
        Err(Wrong::Usage(error)) => return usage(&error),
        Err(Wrong::Outcome(outcome)) => return Ok(say_outcome(&place.name, &outcome)),
    };
    let wish = Wish {
        min_valid: 60,
        wait: WAIT,
        offline: false,
        newer: false,
        named,
    };
    let (record, warning) = obtain(&place, wish)
        .map_err(|outcome| say_outcome(&place.name, &outcome))?
        .warned();
    let issued_for = &record.issued_for;
    // The settings may name a mailbox that was added after the sign-in.
    let file = SettingsFile::read(&place).ok();
    let named = file.as_ref().and_then(SettingsFile::user);
    let user = match flags.mailbox(named.or(issued_for.user.as_deref())) {
        Ok(user) => user,
        Err(error) => return usage(&error),
    };
    if let Err(error) = pinned(flags, &servers, issued_for) {
        say("error", &format!("{}: {error}", place.name));
        say(
            "hint",
            &format!(
                "Undo the change, sign in again (oauth-authorizer --profile {}), or name the server with --server.",
                place.target()
            ),
        );
        return Ok(exit::USAGE);
    }
    let Some(tokens) = &record.tokens else {
        return usage("There are no tokens.");
    };
    let warnings: Vec<String> = warning
        .into_iter()
        .chain(token_warnings(
            tokens.access_token(),
            &user,
            &preset,
            unix_time(),
            time,
        ))
        .collect();
    for warning in &warnings {
        say("warning", &format!("{}: {warning}", place.name));
    }
    let runtime = runtime()?;
    let mut stdout = io::stdout().lock();
    let (mut code, mut all) = (exit::DONE, Vec::new());
    for (protocol, address) in servers {
        let test = MailTest {
            protocol,
            login: Login {
                user: user.clone(),
                token: tokens.access_token().into(),
                address,
                mechanism: flags.mechanism,
                preferred: preset.mechanisms(),
            },
            ca_file: issued_for.ca_file.as_ref().map(PathBuf::from),
            limit: STEP_LIMIT,
        };
        let report = runtime.block_on(mail_login::run(&test));
        let report = MailReport::new(&test, report, &library);
        code = worse(code, exit_code(&report));
        if flags.json {
            all.push(report.json());
        } else {
            if !all.is_empty() {
                writeln!(stdout)?;
            }
            all.push(Value::Null);
            for line in report.lines() {
                writeln!(stdout, "{line}")?;
            }
            if flags.transcript {
                for line in report.transcript() {
                    writeln!(stdout, "  {line}")?;
                }
            }
            stdout.flush()?;
        }
    }
    if flags.json {
        let report = json!({
            "profile": place.name.as_str(),
            "user": user,
            "ok": code == exit::DONE,
            "warnings": warnings,
            "tests": all,
        });
        writeln!(stdout, "{report}")?;
    }
    stdout.flush()?;
    Ok(code)
}

/// Why the tests can't be run.
enum Wrong {
    Usage(String),
    Outcome(crate::store::attempt::Outcome),
}

type Servers = Vec<(Protocol, Address)>;

/// Returns the servers to test, and the preset of the profile.
fn servers(
    flags: &MailTestFlags,
    place: &Place,
    library: &mut Library,
) -> Result<(Servers, Arc<Preset>), Wrong> {
    let (file, settings) = outline(place, library).map_err(Wrong::Outcome)?;
    let preset = Arc::clone(settings.preset());
    let usage = |text: &str| Err(Wrong::Usage(text.to_owned()));
    if let Some(address) = &flags.server {
        let protocol = match flags.protocols[..] {
            [protocol] => Some(protocol),
            [] => Protocol::of_port(address.port),
            _ => return usage("--server can be combined with one protocol only."),
        };
        let Some(protocol) = protocol else {
            return usage("Add the protocol of --server: imap, pop3 or smtp.");
        };
        return Ok((vec![(protocol, address.clone())], preset));
    }
    let requested =
        |protocol: &Protocol| flags.protocols.is_empty() || flags.protocols.contains(protocol);
    let mut found = Vec::new();
    for protocol in Protocol::ALL.into_iter().filter(requested) {
        match mail_server(protocol, &settings, Some(&file)) {
            Some(Ok(address)) => found.push((protocol, address)),
            Some(Err(error)) => {
                let invalid = file.invalid_mail(protocol.key());
                return usage(&format!("{invalid} {error}"));
            }
            None if flags.protocols.is_empty() => {}
            None => {
                return usage(&format!(
                    "Neither the profile nor its preset has a server for {}. Add --server HOST:PORT:TLS.",
                    protocol.name()
                ));
            }
        }
    }
    if found.is_empty() {
        return usage(
            "Neither the profile nor its preset has a mail server. Add --server HOST:PORT:TLS and the protocol.",
        );
    }
    Ok((found, preset))
}

/// Checks that tokens are sent only to the servers in the settings at the time of the sign-in. A server on the command
/// line is the user's decision.
fn pinned(flags: &MailTestFlags, servers: &Servers, issued_for: &IssuedFor) -> Result<(), String> {
    let mut servers = servers.iter();
    let other =
        servers.find_map(|(protocol, address)| other_mail_server(issued_for, *protocol, address));
    match other {
        Some(other) if flags.server.is_none() => Err(format!("{other}, so nothing was sent.")),
        _ => Ok(()),
    }
}

/// Returns the worse of two exit codes. A rejected token is more informative than an unreachable server.
fn worse(one: u8, other: u8) -> u8 {
    if one == exit::NOT_ACCEPTED || other == exit::DONE {
        one
    } else if other == exit::NOT_ACCEPTED || one == exit::DONE {
        other
    } else {
        one
    }
}

/// Returns the exit code of a test.
fn exit_code(report: &MailReport) -> u8 {
    let Some(failed) = &report.report.failed else {
        return exit::DONE;
    };
    match &failed.problem {
        Problem::Refused { .. } if !failed.sent => exit::UNREACHABLE,
        Problem::Closed if failed.ends_with_challenge() => exit::NOT_ACCEPTED,
        Problem::Refused {
            temporary: false, ..
        }
        | Problem::NoMechanism { .. }
        | Problem::NoStartTls
        | Problem::Injected => exit::NOT_ACCEPTED,
        Problem::Authorities { .. } => exit::USAGE,
        Problem::Refused {
            temporary: true, ..
        }
        | Problem::Nonsense { .. }
        | Problem::LongLine
        | Problem::TooManyLines
        | Problem::Closed
        | Problem::Silent { .. }
        | Problem::Unreachable { .. }
        | Problem::Tls { .. } => exit::UNREACHABLE,
    }
}
