//! The program: reads flags and surroundings once, and hands over to a front end.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use oauth_authorizer::certificate::Created;
use oauth_authorizer::cli::Cli;
use oauth_authorizer::environment::Environment;
use oauth_authorizer::presets::Library;
use oauth_authorizer::secret::{ExposeSecret, SecretString};
use oauth_authorizer::{commands, exit, plain, tui};

fn main() -> ExitCode {
    no_core_dumps();
    let cli = Cli::parse();
    // Without a screen every line begins with a word that scripts know.
    let word = if cli.plain {
        "error"
    } else {
        "oauth-authorizer"
    };
    ExitCode::from(match run(cli) {
        Ok(code) => code,
        Err((text, code)) => {
            plain::say(word, &text);
            code
        }
    })
}

/// The exit code, or a sentence that comes with one.
fn run(cli: Cli) -> Result<u8, (String, u8)> {
    let variable = |name: &str| std::env::var(name).ok();
    if let Some(subcommand) = &cli.subcommand {
        return commands::run(subcommand, &Library::of_person())
            .map_err(|error| (error.to_string(), exit::FAILED));
    }
    // The screen reads the other presets once it is there.
    let mut library = match &cli.preset {
        Some(id) if !cli.plain => Library::with_own(id),
        None if !cli.plain => Library::default(),
        Some(_) | None => Library::of_person(),
    };
    let mut environment = Environment::of_process();
    environment.secret_variables = cli.secret_variables();
    environment.no_browser = cli.no_browser;
    let (print, without_screen) = (cli.print, cli.plain);
    let mut settings = cli
        .settings(variable, &mut library)
        .map_err(|error| (error.to_string(), exit::USAGE))?;
    settings.set_created_certificates(Created::of_person());
    let outcome = match print {
        Some(print) if without_screen => match plain::run(&environment, settings, &library) {
            Ok(tokens) => {
                let text = print
                    .text(&tokens)
                    .map_err(|reason| (reason, exit::FAILED))?;
                tui::Outcome {
                    exit: exit::DONE,
                    result: Some(text),
                }
            }
            Err(code) => tui::Outcome {
                exit: code,
                result: None,
            },
        },
        Some(_) | None => tui::run(environment, settings, library, print)
            .map_err(|error| (error.to_string(), exit::FAILED))?,
    };
    if let Some(text) = &outcome.result {
        print_result(text).map_err(|error| {
            (
                format!("The result could not be printed: {error}."),
                exit::FAILED,
            )
        })?;
    }
    Ok(outcome.exit)
}

/// The only thing that ever goes to standard output.
fn print_result(text: &SecretString) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.expose_secret().as_bytes())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// The memory of this program holds tokens: it is not dumped, and not read by other programs of this user.
fn no_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Neither can fail for one's own process; if one did, the other still counts.
        let _ = setrlimit(
            Resource::Core,
            Rlimit {
                current: Some(0),
                maximum: Some(0),
            },
        );
    }
    #[cfg(target_os = "linux")]
    {
        let _ =
            rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    }
}
