//! The subcommands.

use std::io::{self, Write};

use clap::Command;
use clap::builder::PossibleValuesParser;

mod claims;
mod configure;
mod doctor;
mod explain;
mod failed;
mod inspect;
mod inspect_input;
mod mail_test;
mod man;
mod presets;
mod profiles;
mod profiles_check;
mod standard_input;
mod stop;
mod token;
mod token_file;
mod token_format;
mod token_git;
mod token_template;
mod tools;
mod transfer;
mod wiped;

use self::failed::failed;
use self::stop::folded;
use crate::cli::{self, Subcommand};
use crate::outcome::exit;
use crate::presets::Library;

/// Runs a subcommand that needs no terminal. Presets are read only by subcommands that use them, so that the others
/// start fast. Returns `None` for subcommands that need a terminal.
#[must_use]
pub fn run_at_once(subcommand: &Subcommand) -> Option<io::Result<u8>> {
    match subcommand {
        Subcommand::Token(flags) => Some(folded(token::run(flags))),
        other => run_other(other),
    }
}

/// Runs a subcommand other than `token`. This is a separate function because scripts run `token` frequently, and the stack
/// space of these subcommands would slow down its start.
#[inline(never)]
fn run_other(subcommand: &Subcommand) -> Option<io::Result<u8>> {
    let ended = match subcommand {
        Subcommand::Refresh(flags) => token::refresh_all(flags),
        Subcommand::Profiles { command } => profiles::run(command),
        Subcommand::MailTest(flags) => mail_test::run(flags),
        Subcommand::KeepToken(flags) => token::keep(flags).map_err(Into::into),
        Subcommand::Revoke(flags) => tools::run_revoke(flags),
        Subcommand::Introspect(flags) => tools::run_introspect(flags),
        Subcommand::Userinfo(flags) => tools::run_userinfo(flags),
        Subcommand::Inspect(flags) => inspect::run(flags),
        _ => return None,
    };
    Some(folded(ended))
}

/// Returns the exit code of a subcommand. It succeeded even if the reader of its output, such as `head`, has ended.
///
/// # Errors
/// Returns an error, as a sentence, if standard output can't be written to for another reason. An error that is a
/// sentence already stays as it is.
pub fn ended(outcome: io::Result<u8>) -> Result<u8, String> {
    outcome.or_else(|error| match error.raw_os_error() {
        _ if is_without_reader(&error) => Ok(exit::DONE),
        Some(_) => Err(failed("Can't write to standard output", &error).to_string()),
        None => Err(error.to_string()),
    })
}

fn is_without_reader(error: &io::Error) -> bool {
    /// `ERROR_PIPE_NOT_CONNECTED`, for which there is no `ErrorKind`.
    const NOT_CONNECTED: i32 = 233;
    let code = error.raw_os_error();
    error.kind() == io::ErrorKind::BrokenPipe || (cfg!(windows) && code == Some(NOT_CONNECTED))
}

/// Runs a subcommand with output on standard output. Returns the exit code.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub fn run(subcommand: &Subcommand, library: &Library) -> io::Result<u8> {
    let mut command = cli::command();
    let mut text = Vec::new();
    match subcommand {
        Subcommand::Completions { shell } => {
            command = with_presets(cli::command_for_users(), library);
            clap_complete::generate(*shell, &mut command, "oauth-authorizer", &mut text);
            // In bash scripts, clap_complete writes the program's name in two ways, because of its hyphen.
            let script = String::from_utf8_lossy(&text);
            text = script
                .replace("oauth__subcmd__authorizer", "oauth__authorizer")
                .into_bytes();
        }
        Subcommand::Man(flags) => {
            // This sets the full names of the commands, such as oauth-authorizer-presets-list.
            command.build();
            if let Some(folder) = &flags.output {
                man::pages(&command, folder)?;
                return Ok(exit::DONE);
            }
            man::page(&command, &mut text)?;
        }
        Subcommand::Presets { command } => return presets::run(command, library),
        Subcommand::Configure { command } => return configure::run(command),
        Subcommand::Doctor(flags) => return doctor::run(flags),
        Subcommand::Explain(flags) => return explain::run(flags, library),
        Subcommand::Token(_)
        | Subcommand::MailTest(_)
        | Subcommand::Refresh(_)
        | Subcommand::Profiles { .. }
        | Subcommand::Revoke(_)
        | Subcommand::Introspect(_)
        | Subcommand::Userinfo(_)
        | Subcommand::Inspect(_)
        | Subcommand::KeepToken(_) => return Ok(exit::FAILED),
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&text)?;
    stdout.flush()?;
    Ok(exit::DONE)
}

/// Returns the same command, in which every flag for a preset lists the current presets.
fn with_presets(command: Command, library: &Library) -> Command {
    let presets = library.all().unwrap_or_default();
    let ids: Vec<String> = presets.iter().map(|preset| preset.id.clone()).collect();
    let names = PossibleValuesParser::new(ids);
    let (show, explained) = (names.clone(), names.clone());
    command
        .mut_arg("preset", |flag| flag.value_parser(names))
        .mut_subcommand("explain", |command| {
            command.mut_arg("preset", |flag| flag.value_parser(explained))
        })
        .mut_subcommand("presets", |command| {
            command.mut_subcommand("show", |command| {
                command.mut_arg("id", |argument| argument.value_parser(show))
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_pipe_is_not_an_error() {
        let after = |error: io::Error| ended(Err(error)).ok();
        assert_eq!(after(io::ErrorKind::BrokenPipe.into()), Some(exit::DONE));
        assert_eq!(after(io::ErrorKind::StorageFull.into()), None);
        let not_connected = after(io::Error::from_raw_os_error(233));
        assert_eq!(not_connected.is_some(), cfg!(windows));
    }

    #[test]
    fn write_errors_are_sentences_without_error_numbers() {
        let io_error = || io::Error::from_raw_os_error(if cfg!(windows) { 112 } else { 28 });
        let said = ended(Err(io_error())).err().unwrap_or_default();
        assert!(
            said.starts_with("Can't write to standard output: "),
            "{said}"
        );
        let named = failed("Can't write a.1", &io_error());
        let named = ended(Err(named)).err().unwrap_or_default();
        assert!(named.starts_with("Can't write a.1: "), "{named}");
        for said in [said, named] {
            assert!(said.ends_with('.') && !said.contains("os error"), "{said}");
        }
    }
}
