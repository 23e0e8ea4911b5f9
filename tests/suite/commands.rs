//! The commands of the documents and of `tests/commands`, run by trycmd: each must print the text below it.
//!
//! `TRYCMD=overwrite` writes the actual output; review the diff.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use oauth_authorizer::cli;

use crate::servers::free_port;
use crate::terminal::program;

const NAME: &str = "oauth-authorizer";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// README.md and all documents in `docs/`.
fn documents() -> Vec<PathBuf> {
    let mut paths = vec![root().join("README.md")];
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "md") {
            paths.push(path);
        }
    }
    paths
}

/// The TOML example in docs/presets.md that begins like this.
fn example(beginning: &str) -> String {
    let document = fs::read_to_string(root().join("docs/presets.md")).unwrap();
    let mut blocks = document.split("```toml\n").skip(1);
    let block = blocks.find(|block| block.starts_with(beginning)).unwrap();
    block.split("```").next().unwrap().to_owned()
}

/// A home folder with the files that the commands name.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let preset = example("id = ");
    let mistake = preset.replace("\ntoken = ", "\ntokn = ");
    assert_ne!(mistake, preset);
    fs::write(home.path().join("example.toml"), preset).unwrap();
    fs::write(home.path().join("mistake.toml"), mistake).unwrap();
    let set = format!("errors = [\"microsft\"]\n{}", example("id = "));
    fs::write(home.path().join("no-set.toml"), set).unwrap();
    let errors = home.path().join(".config/oauth-authorizer/presets/errors");
    fs::create_dir_all(&errors).unwrap();
    fs::write(errors.join("microsoft.toml"), example("[[error]]")).unwrap();
    home
}

/// Runs the commands in these files, several files at once.
fn run(paths: &[PathBuf], port: u16) {
    let home = home();
    let cases = trycmd::TestCases::new();
    for path in paths {
        cases.case(path);
    }
    cases
        .register_bin(NAME, root().join("tests/commands/program").as_path())
        .env("COMMANDS_PROGRAM", program().to_str().unwrap())
        .env("COMMANDS_HOME", home.path().to_str().unwrap())
        .env("COMMANDS_PORT", port.to_string())
        .timeout(Duration::from_mins(1))
        .run();
}

#[test]
fn commands_print_the_documented_output() {
    let port = free_port();
    // One after the other, because both have a command that listens on this port for a moment.
    run(&documents(), port);
    run(&[root().join("tests/commands/*.trycmd")], port);
}

/// Collects the calls of a command and of all its subcommands.
fn calls(command: &clap::Command, call: &str, all: &mut BTreeSet<String>) {
    all.insert(format!("$ {call} --help"));
    let shown = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set());
    for command in shown {
        calls(command, &format!("{call} {}", command.get_name()), all);
    }
}

#[test]
fn the_help_of_each_command_is_tested() {
    let mut all = BTreeSet::new();
    calls(&cli::command(), NAME, &mut all);
    assert!(all.contains("$ oauth-authorizer configure verify --help"));
    let cases = fs::read_to_string(root().join("tests/commands/help.trycmd")).unwrap();
    let tested: BTreeSet<String> = cases
        .lines()
        .filter(|line| line.ends_with(" --help") && line.starts_with('$'))
        .map(ToOwned::to_owned)
        .collect();
    assert_eq!(tested, all);
}

/// Characters that end a command, or the part of it that this program reads.
const SHELL: [char; 7] = [')', '#', '`', '|', '>', '\\', '$'];

/// The arguments of the program in the commands of a document: in code blocks, indented or fenced, and in inline code.
fn commands(document: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in document.lines() {
        fenced ^= line.starts_with("```");
        let code: Vec<&str> = if fenced || line.starts_with("    ") {
            vec![line]
        } else {
            line.split('`').skip(1).step_by(2).collect()
        };
        for code in code {
            let flags = ["oauth-authorizer ", "cargo run --release -- "]
                .iter()
                .find_map(|before| Some(code.split_once(before)?.1));
            found.extend(flags.and_then(|flags| flags.split(SHELL).next()));
        }
    }
    found
}

#[test]
fn every_documented_command_is_accepted() {
    let mut count = 0;
    for path in documents() {
        for command in commands(&fs::read_to_string(&path).unwrap()) {
            count += 1;
            // An unmatched quotation mark ends the text around the command.
            let words = shlex::split(command)
                .or_else(|| shlex::split(command.split('"').next()?))
                .unwrap_or_default();
            let words = words.iter().map(|word| word.trim_matches(['[', ']']));
            let result = cli::command().try_get_matches_from(std::iter::once(NAME).chain(words));
            let fine = match &result {
                Ok(_) => true,
                // A sentence may name a command without its required arguments.
                Err(error) => matches!(
                    error.kind(),
                    ErrorKind::DisplayHelp
                        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
                        | ErrorKind::MissingRequiredArgument
                ),
            };
            assert!(
                fine,
                "{}: {command}: {}",
                path.display(),
                result.unwrap_err()
            );
        }
    }
    assert!(count > 15, "only {count} commands were found");
}
