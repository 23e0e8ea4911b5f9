//! `presets list`, `show` and `check`: lists, prints and checks presets.

use std::io::{self, Write};
use std::path::Path;

use crate::cli::PresetsCommand;
use crate::console::talk::say;
use crate::outcome::exit;
use crate::presets::check::{Finding, parse_preset};
use crate::presets::files::read_file;
use crate::presets::{Confidence, Library};
use crate::store::folders;

/// Runs the command and prints the result on standard output.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(command: &PresetsCommand, library: &Library) -> io::Result<u8> {
    let mut stdout = io::stdout().lock();
    match command {
        PresetsCommand::List => list(library, &mut stdout),
        PresetsCommand::Show { id } => show(library, id, &mut stdout),
        PresetsCommand::Check { file } => check(library, file, &mut stdout),
    }
}

/// Prints one line per preset, separated by tabs: ID, name, group and remarks.
fn list(library: &Library, out: &mut impl Write) -> io::Result<u8> {
    let all = match library.all() {
        Ok(all) => all,
        Err(error) => {
            say("error", &error.to_string());
            return Ok(exit::FAILED);
        }
    };
    for preset in all {
        let mut remarks = Vec::new();
        if preset.confidence != Confidence::High {
            remarks.push("unverified");
        }
        if library.is_own(&preset.id) {
            remarks.push("your own");
        }
        let group = preset.group.name();
        let remarks = remarks.join(", ");
        writeln!(out, "{}\t{}\t{group}\t{remarks}", preset.id, preset.name)?;
    }
    out.flush()?;
    for error in library.left_out() {
        say("hint", &error.to_string());
    }
    if let Some(folder) = folders::presets() {
        say(
            "hint",
            &format!("Your own presets go to {}.", folder.display()),
        );
    }
    Ok(exit::DONE)
}

fn show(library: &Library, id: &str, out: &mut impl Write) -> io::Result<u8> {
    let Some(text) = library.text(id) else {
        if let Err(error) = library.get(id) {
            say("error", &error.to_string());
        }
        return Ok(exit::USAGE);
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(exit::DONE)
}

/// Prints one line for each problem.
fn check(library: &Library, path: &Path, out: &mut impl Write) -> io::Result<u8> {
    let outcome = match read_file(path).text {
        Ok(text) => parse_preset(&text),
        Err(reason) => Err(vec![Finding::of_file(reason)]),
    };
    let outcome = outcome.and_then(|preset| {
        let findings = library.missing_sets(&preset);
        if findings.is_empty() {
            Ok(preset)
        } else {
            Err(findings)
        }
    });
    let name = path.display();
    let code = match outcome {
        Ok(preset) => {
            writeln!(out, "{name}: the preset {} is fine", preset.id)?;
            exit::DONE
        }
        Err(findings) => {
            for finding in findings {
                writeln!(out, "{name}: {finding}.")?;
            }
            exit::FAILED
        }
    };
    out.flush()?;
    Ok(code)
}
