//! What the program does beside authorizing.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::cli::{Cli, Subcommand};

/// Does what the subcommand says, on standard output.
///
/// # Errors
/// Where standard output cannot be written to.
pub fn run(subcommand: &Subcommand) -> io::Result<()> {
    let mut command = Cli::command();
    let mut text = Vec::new();
    match subcommand {
        Subcommand::Completions { shell } => {
            clap_complete::generate(*shell, &mut command, "oauth-authorizer", &mut text);
        }
        Subcommand::Man => clap_mangen::Man::new(command).render(&mut text)?,
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(&text)?;
    stdout.flush()
}
