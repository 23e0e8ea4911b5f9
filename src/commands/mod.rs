//! What the program does beside authorizing.

use std::io::{self, Write};

use clap::CommandFactory;

mod configure;
mod doctor;
mod presets;

use crate::cli::{Cli, Subcommand};
use crate::outcome::exit;
use crate::presets::Library;

/// Does what the subcommand says, on standard output. Comes back with the exit code.
///
/// # Errors
/// Where standard output cannot be written to.
pub fn run(subcommand: &Subcommand, library: &Library) -> io::Result<u8> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    match subcommand {
        Subcommand::Completions { shell } => {
            clap_complete::generate(*shell, &mut command, "oauth-authorizer", &mut text);
        }
        Subcommand::Man => clap_mangen::Man::new(command).render(&mut text)?,
        Subcommand::Presets { command } => return presets::run(command, library),
        Subcommand::Configure { command } => return configure::run(command),
        Subcommand::Doctor(flags) => return doctor::run(flags),
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&text)?;
    stdout.flush()?;
    Ok(exit::DONE)
}
