//! `man`: prints the manual pages, one for each command.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::path::Path;

use clap::Command;
use clap_mangen::Man;

use super::failed::failed;
use crate::cli::EXAMPLES;
use crate::secret::SECRET_VARIABLE;

/// The exit codes, which docs/guide.md also lists.
const EXIT_STATUS: &[(&str, &str)] = &[
    ("0", "Success. Without --print: you quit."),
    ("1", "Any other error."),
    (
        "2",
        "A flag or a setting is invalid, or a file that it names can't be used. Profiles: also if the client credentials are wrong, or the profile doesn't exist.",
    ),
    ("3", "The user denied the request."),
    ("4", "The device code expired."),
    (
        "5",
        "The service or the mail server could not be reached or is temporarily unavailable (429, 5xx), or its response was lost. Profiles: also if the response can't be read.",
    ),
    (
        "6",
        "The program could not listen on the redirect URL. With configure: the listener cannot work with these settings.",
    ),
    (
        "7",
        "Profiles: the service rejected the refresh token, or there is none. Sign in again. With client credentials or a service account: the service rejected the client, its secret or its key.",
    ),
    (
        "8",
        "Profiles: another process is refreshing and didn't finish in time.",
    ),
    (
        "9",
        "Profiles: the files or the store can't be read, locked or written. Except after a sign-in with --save, the service wasn't contacted.",
    ),
    (
        "10",
        "Profiles: the token was printed, but the new tokens couldn't be stored, or both commands of the store fail. Also --save with --print.",
    ),
    (
        "11",
        "Profiles: the service rejected the request or the token, or the token is inactive. inspect --verify: a signature is invalid. mail-test: a mail server rejected the token, or the token can't be used with that server.",
    ),
    (
        "12",
        "profiles check: nothing is broken yet, but something will break soon.",
    ),
    (
        "130",
        "Interrupted: a signal, the terminal was closed, or you quit before there was anything to print.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "~/.config/oauth-authorizer/presets/*.toml",
        "Your own presets. XDG_CONFIG_HOME is honored; on Windows the folder is under %APPDATA%.",
    ),
    (
        "~/.config/oauth-authorizer/profiles/NAME.toml",
        "The settings of a profile; no secret.",
    ),
    (
        "~/.local/state/oauth-authorizer/profiles/NAME.record",
        "The tokens and client secret of a profile. XDG_STATE_HOME is honored.",
    ),
    (
        "~/.config/oauth-authorizer/presets/errors/*.toml",
        "Your own error explanations.",
    ),
];

/// The environment variables that don't correspond to a flag.
const VARIABLES: &[(&str, &str)] = &[
    (
        SECRET_VARIABLE,
        "The client secret, unless a flag sets another source.",
    ),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        "The proxy for requests to the service, and hosts to connect to directly.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        "The certificates to trust, instead of those of the system.",
    ),
    ("BROWSER", "The browser to open."),
    ("NO_COLOR", "If set, no colors are used."),
    (
        "TERM, LC_ALL, LC_CTYPE, LANG",
        "Used to detect what the terminal supports.",
    ),
];

/// Writes the main page of the program.
///
/// # Errors
/// Returns an error if the page can't be written.
pub(super) fn page(command: &Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(command.clone());
    man.render_title(out)?;
    man.render_name_section(out)?;
    man.render_synopsis_section(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    if command.has_subcommands() {
        man.render_subcommands_section(out)?;
    }
    let flags = command.get_arguments();
    let of_flags: Vec<(String, String)> = flags
        .filter_map(|flag| {
            let name = flag.get_env().and_then(OsStr::to_str)?;
            Some((name.to_owned(), format!("Same as --{}.", flag.get_long()?)))
        })
        .collect();
    let mut variables: Vec<(&str, &str)> = of_flags
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let whole = command.get_name() == "oauth-authorizer";
    if whole {
        variables.extend(VARIABLES);
    }
    if !variables.is_empty() {
        let text = "Flags override environment variables. An empty environment variable counts as not set.";
        section("ENVIRONMENT", text, &variables, out)?;
    }
    section("EXIT STATUS", "", EXIT_STATUS, out)?;
    if whole {
        section("FILES", "", FILES, out)?;
        section("EXAMPLES", "", &examples(), out)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(out)?;
    }
    Ok(())
}

/// Writes a page for each command listed in the help to a folder, which is created if needed.
///
/// # Errors
/// Returns an error if a page can't be written.
pub(super) fn pages(command: &Command, folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        failed(
            &format!("Can't create the folder {}", folder.display()),
            &error,
        )
    })?;
    let mut text = Vec::new();
    page(command, &mut text)?;
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name());
    let file = folder.join(format!("{name}.1"));
    std::fs::write(&file, text)
        .map_err(|error| failed(&format!("Can't write {}", file.display()), &error))?;
    for command in command
        .get_subcommands()
        .filter(|it| it.get_name() != "help" && !it.is_hide_set())
    {
        pages(command, folder)?;
    }
    Ok(())
}

/// Returns the example commands, each with a description.
fn examples() -> Vec<(&'static str, &'static str)> {
    let lines: Vec<&str> = EXAMPLES.lines().map(str::trim).collect();
    lines
        .chunks_exact(2)
        .map(|pair| (pair[0], pair[1]))
        .collect()
}

/// Writes a section of terms, each with a sentence.
fn section(title: &str, text: &str, terms: &[(&str, &str)], out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, ".SH \"{title}\"")?;
    if !text.is_empty() {
        writeln!(out, "{}", escaped(text))?;
    }
    for (term, text) in terms {
        writeln!(out, ".TP\n\\fB{}\\fR\n{}", escaped(term), escaped(text))?;
    }
    Ok(())
}

/// Escapes a text so that roff interprets nothing in it as a command.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace("\n.", "\n\\&.")
}
