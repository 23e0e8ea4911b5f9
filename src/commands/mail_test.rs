//! `mail-test`: signs in to mail servers with the token of a profile.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::token::{find, say_outcome};
use super::token_format::time;
use crate::clean::clean;
use crate::cli::MailTestFlags;
use crate::console::talk::say;
use crate::flow::mail_login::{self, MailTest, Report, STEP_LIMIT, StepFailed};
use crate::form::mail_errors::explain_mail;
use crate::keeper::caller::{Wish, obtain};
use crate::keeper::profile::outline;
use crate::keeper::refresh::unix_time;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};
use crate::mail::turn::Login;
use crate::mail::verdict::Problem;
use crate::oauth::id_token::decode;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::issued_for::{mail_server, may_sign_in};
use crate::profile::places::Place;
use crate::store::record::{IssuedFor, Tokens};

/// How long to wait for a refresh.
const WAIT: Duration = Duration::from_secs(45);

/// Runs the tests.
///
/// # Errors
/// Where standard output cannot be written to.
pub(super) fn run(flags: &MailTestFlags) -> io::Result<u8> {
    let named = flags.profiles.profiles.as_deref();
    let place = match find(&flags.profile, named) {
        Ok(place) => place,
        Err(code) => return Ok(code),
    };
    let usage = |error: &str| {
        say("error", &format!("{}: {error}", place.name));
        Ok(exit::USAGE)
    };
    let mut library = Library::load_user();
    let (servers, preferred) = match servers(flags, &place, &mut library) {
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
    let got = match obtain(&place, wish) {
        Ok(got) => got,
        Err(outcome) => return Ok(say_outcome(&place.name, &outcome)),
    };
    let issued_for = &got.record.issued_for;
    let user = match flags.mailbox(issued_for.user.as_deref()) {
        Ok(user) => user,
        Err(error) => return usage(&error),
    };
    if let Err(error) = pinned(flags, &servers, issued_for) {
        say("error", &format!("{}: {error}", place.name));
        say(
            "hint",
            &format!(
                "Undo the change, sign in again (oauth-authorizer --profile {}), or name the server with --server.",
                place.name
            ),
        );
        return Ok(exit::USAGE);
    }
    let Some(tokens) = &got.record.tokens else {
        return usage("There are no tokens.");
    };
    let warnings: Vec<String> = got
        .warning
        .into_iter()
        .chain(facts(tokens, &user))
        .collect();
    for warning in &warnings {
        say("warning", &format!("{}: {warning}", place.name));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
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
                preferred: preferred.clone(),
            },
            ca_file: issued_for.ca_file.as_ref().map(PathBuf::from),
            limit: STEP_LIMIT,
        };
        let report = runtime.block_on(mail_login::run(&test));
        let told = Told::new(&test, &report, &library);
        code = worse(code, told.code());
        if flags.json {
            all.push(told.json());
        } else {
            if !all.is_empty() {
                writeln!(stdout)?;
            }
            all.push(Value::Null);
            told.write(&mut stdout, flags.transcript)?;
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

/// Why no test can be run.
enum Wrong {
    Usage(String),
    Outcome(crate::store::attempt::Outcome),
}

type Servers = Vec<(Protocol, Address)>;

/// The servers to test, and the service's mechanisms.
fn servers(
    flags: &MailTestFlags,
    place: &Place,
    library: &mut Library,
) -> Result<(Servers, Vec<Mechanism>), Wrong> {
    let (file, settings) = outline(place, library).map_err(Wrong::Outcome)?;
    let mail = settings.preset().mail.as_ref();
    let preferred = mail.map(|mail| {
        let names = mail.sasl.iter();
        names
            .filter_map(|name| Mechanism::from_name(name))
            .collect()
    });
    let preferred = preferred.unwrap_or_default();
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
        return Ok((vec![(protocol, address.clone())], preferred));
    }
    let requested =
        |protocol: &Protocol| flags.protocols.is_empty() || flags.protocols.contains(protocol);
    let mut found = Vec::new();
    for protocol in Protocol::ALL.into_iter().filter(requested) {
        match mail_server(protocol, &settings, Some(&file)) {
            Some(Ok(address)) => found.push((protocol, address)),
            Some(Err(error)) => {
                let name = protocol.key();
                return usage(&format!("[mail] {name} is not valid. {error}"));
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
    Ok((found, preferred))
}

/// Tokens are sent only to the servers that the settings named at the sign-in. A server on the command line is the user's
/// decision.
fn pinned(flags: &MailTestFlags, servers: &Servers, issued_for: &IssuedFor) -> Result<(), String> {
    let mut servers = servers.iter();
    let other = servers.find(|(protocol, address)| !may_sign_in(issued_for, *protocol, address));
    match other {
        Some((protocol, address)) if flags.server.is_none() => Err(format!(
            "The {} server has changed to {address} since the tokens were issued, so nothing was sent.",
            protocol.name()
        )),
        _ => Ok(()),
    }
}

/// Claims of the access token that may be a reason to reject it.
fn facts(tokens: &Tokens, user: &str) -> Vec<String> {
    let Some(claims) = decode(tokens.access_token()) else {
        return Vec::new();
    };
    let mut facts = Vec::new();
    let named: Vec<String> = [
        ("aud", "audience"),
        ("scp", "scope"),
        ("scope", "scope"),
        ("roles", "roles"),
    ]
    .iter()
    .filter_map(|(claim, word)| {
        let lines = claims.lines();
        let (_, value) = lines.into_iter().find(|(name, _)| name == claim)?;
        Some(format!("{word} {}", clean(&value, 200)))
    })
    .collect();
    if !named.is_empty() {
        facts.push(format!(
            "The access token is a JWT with {}. Check that the mail server accepts these values.",
            named.join(", ")
        ));
    }
    let expires_at = claims.time("exp").and_then(|end| u64::try_from(end).ok());
    if let Some(end) = expires_at.filter(|end| *end <= unix_time()) {
        facts.push(format!("The access token expired at {}.", time(end)));
    }
    let names = ["upn", "preferred_username", "unique_name", "email"];
    let owners: Vec<&str> = names
        .iter()
        .filter_map(|name| claims.text(name))
        .filter(|name| name.contains('@'))
        .collect();
    let is_user = |owner: &&str| owner.eq_ignore_ascii_case(user);
    if let Some(owner) = owners.first()
        && !owners.iter().any(is_user)
    {
        facts.push(format!(
            "The access token belongs to {}, but the mailbox is {}. That works only if this user has access to the mailbox.",
            clean(owner, 120),
            clean(user, 120)
        ));
    }
    facts
}

/// The worse of two exit codes. A rejected token says more than a server that was not reached.
fn worse(one: u8, other: u8) -> u8 {
    if one == exit::NOT_ACCEPTED || other == exit::DONE {
        one
    } else if other == exit::NOT_ACCEPTED || one == exit::DONE {
        other
    } else {
        one
    }
}

/// A failure in words.
struct Words<'a> {
    failed: &'a StepFailed,
    server_said: Option<String>,
    cause: Option<String>,
    fix: Option<String>,
    source: Option<String>,
}

/// The report of a server.
struct Told<'a> {
    test: &'a MailTest,
    report: &'a Report,
    words: Option<Words<'a>>,
}

impl<'a> Told<'a> {
    fn new(test: &'a MailTest, report: &'a Report, library: &Library) -> Self {
        let words = report.failed.as_ref().map(|failed| {
            let server_said = failed.problem.reply().map(str::to_owned);
            let challenge = failed.challenge.as_deref().unwrap_or_default();
            let entry = match &failed.problem {
                Problem::Refused { reply, .. } => {
                    let answer = format!("{reply} {challenge}");
                    explain_mail(test.protocol, &answer, library)
                }
                _ => None,
            };
            let hint = failed.problem.hint();
            match entry {
                Some(entry) => Words {
                    failed,
                    server_said,
                    cause: Some(entry.cause),
                    fix: Some(entry.remedy),
                    source: Some(entry.source),
                },
                None => Words {
                    failed,
                    server_said,
                    cause: None,
                    fix: hint,
                    source: None,
                },
            }
        });
        Self {
            test,
            report,
            words,
        }
    }

    fn code(&self) -> u8 {
        let Some(failed) = &self.report.failed else {
            return exit::DONE;
        };
        match &failed.problem {
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

    fn write(&self, out: &mut impl Write, transcript: bool) -> io::Result<()> {
        let login = &self.test.login;
        let mechanism = self.report.mechanism.map_or("", Mechanism::name);
        let head = format!(
            "{}  {}  {}  {mechanism}",
            self.test.protocol.name(),
            login.address,
            clean(&login.user, 120)
        );
        writeln!(out, "{}", head.trim_end())?;
        for step in &self.report.steps {
            let detail = clean(&step.detail, 200);
            writeln!(
                out,
                "  ok      {detail:<56} {:>6} ms",
                step.time.as_millis()
            )?;
        }
        if let Some(words) = &self.words {
            let failed = words.failed;
            let (name, ms) = (failed.step.name(), failed.time.as_millis());
            writeln!(out, "  failed  {name:<56} {ms:>6} ms")?;
            let lines = [
                ("Error", Some(failed.problem.text())),
                ("Server", words.server_said.clone()),
                ("Details", failed.challenge.clone()),
                ("Cause", words.cause.clone()),
                ("Fix", words.fix.clone()),
                ("Source", words.source.clone()),
            ];
            for (name, text) in lines {
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    writeln!(out, "  {:<8}{text}", format!("{name}:"))?;
                }
            }
        }
        if transcript {
            for line in &self.report.transcript {
                let side = if line.ours { "C:" } else { "S:" };
                writeln!(out, "  {}", format!("{side} {}", line.text).trim_end())?;
            }
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let steps = self.report.steps.iter().map(|step| {
            json!({
                "step": step.step.name(),
                "detail": clean(&step.detail, 200),
                "milliseconds": milliseconds(step.time),
            })
        });
        let failed = self.words.as_ref().map(|words| {
            json!({
                "step": words.failed.step.name(),
                "milliseconds": milliseconds(words.failed.time),
                "error": words.failed.problem.text(),
                "server_said": words.server_said,
                "details": words.failed.challenge,
                "cause": words.cause,
                "fix": words.fix,
                "source": words.source,
            })
        });
        let transcript = self.report.transcript.iter().map(|line| {
            json!({ "from": if line.ours { "client" } else { "server" }, "line": line.text })
        });
        json!({
            "protocol": self.test.protocol.key(),
            "server": self.test.login.address.to_string(),
            "mechanism": self.report.mechanism.map(Mechanism::name),
            "ok": failed.is_none(),
            "steps": steps.collect::<Vec<_>>(),
            "failed": failed,
            "transcript": transcript.collect::<Vec<_>>(),
        })
    }
}
