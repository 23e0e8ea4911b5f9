//! `configure setup`, `verify` and `delete`: sets up the listener from scripts.

use std::io::{self, Write};

use crate::clean::clean;
use crate::cli::ConfigureCommand;
use crate::configure;
use crate::configure::plan::{PlanError, SetUpAction};
use crate::configure::report::{Consent, Listener, Report, SetUpTask, Verdict};
use crate::console::environment::Environment;
use crate::console::talk::say;
use crate::form::choices::ListenerChoice;
use crate::httpsys::prefix::Prefix;
use crate::outcome::exit;

/// Maximum length of a printed finding, in characters.
const LIMIT: usize = 2000;

/// Runs the command and prints the result on standard output.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(command: &ConfigureCommand) -> io::Result<u8> {
    let environment = Environment::of_process();
    let task = match task(command, &environment) {
        Ok(task) => task,
        Err(error) => {
            say("error", &error.to_string());
            return Ok(exit::USAGE);
        }
    };
    let report = configure::perform(&task);
    let mut stdout = io::stdout().lock();
    print(&report, &mut stdout)?;
    Ok(match report.verdict() {
        Verdict::Fine => exit::DONE,
        Verdict::Unfit => exit::LISTENER,
        Verdict::Failed => exit::FAILED,
    })
}

fn task(command: &ConfigureCommand, environment: &Environment) -> Result<SetUpTask, PlanError> {
    let (action, flags) = match command {
        ConfigureCommand::Setup(flags) => (SetUpAction::SetUp, flags),
        ConfigureCommand::Verify(flags) => (SetUpAction::Verify, flags),
        ConfigureCommand::Delete(flags) => (SetUpAction::Delete, flags),
    };
    let task = SetUpTask {
        action,
        prefix: Prefix::of(&flags.redirect_url)?,
        listener: if flags
            .listener
            .choice()
            .is_http_sys(flags.listen_address.is_some())
        {
            Listener::HttpSys
        } else {
            Listener::Loopback
        },
        or_loopback: flags.listener.choice() == ListenerChoice::Auto,
        listen: flags.listen_address,
        certificate: None,
        user: flags.user.clone().unwrap_or_default(),
        thumbprint: flags.thumbprint.as_deref().map(str::parse).transpose()?,
        ssh: environment.ssh.clone(),
        consent: if environment.ssh.is_some() || flags.no_consent {
            Consent::NotAsked
        } else {
            Consent::Asked
        },
    };
    if !environment.windows {
        for (name, given) in [
            ("--user", flags.user.is_some()),
            ("--thumbprint", flags.thumbprint.is_some()),
            ("--no-consent", flags.no_consent),
        ] {
            if given {
                say(
                    "hint",
                    &format!("{name} is only used on Windows. It was ignored."),
                );
            }
        }
    }
    Ok(task)
}

/// Prints one line for each finding; a command to run manually is at its end.
fn print(report: &Report, out: &mut impl Write) -> io::Result<()> {
    for finding in &report.findings {
        let text = clean(&finding.sentences(), LIMIT);
        match &finding.command {
            Some(command) => writeln!(out, "{}: {text} {command}", finding.state.word())?,
            None => writeln!(out, "{}: {text}", finding.state.word())?,
        }
    }
    out.flush()
}
