//! The program: reads flags and surroundings once, and shows the screen. The only place that prints.

use std::process::ExitCode;

use clap::Parser;
use oauth_authorizer::cli::Cli;
use oauth_authorizer::environment::Environment;
use oauth_authorizer::tui::{self, Ending};

/// What the exit codes mean.
mod code {
    pub(crate) const FAILED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const INTERRUPTED: u8 = 130;
}

fn main() -> ExitCode {
    no_core_dumps();
    let variable = |name: &str| std::env::var(name).ok();
    let cli = Cli::parse();
    let mut environment = Environment::read(variable);
    environment.secret_variables = cli.secret_variables();
    let settings = match cli.settings(variable) {
        Ok(settings) => settings,
        Err(error) => return say(&error.to_string(), code::USAGE),
    };
    match tui::run(environment, settings) {
        Ok(Ending::Left) => ExitCode::SUCCESS,
        Ok(Ending::Interrupted) => ExitCode::from(code::INTERRUPTED),
        Err(error) => say(&error.to_string(), code::FAILED),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "the last word, when the screen is gone"
)]
fn say(text: &str, code: u8) -> ExitCode {
    eprintln!("oauth-authorizer: {text}");
    ExitCode::from(code)
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
