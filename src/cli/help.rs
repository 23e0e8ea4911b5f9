//! Arranges the help: examples, groups of flags, and the flags shown by `-h`.

use clap::Command;

/// Example commands with descriptions, indented.
pub const EXAMPLES: &str = include_str!("examples.txt");

/// The end of the help, after the examples.
const EXIT_CODES: &str = "\
Exit codes:
  0 success, 1 other error, 2 invalid flag or setting, 3 denied, 4 code expired,
  5 service unavailable, 6 cannot listen on redirect URL, 7 sign in again,
  8 refresh in progress elsewhere, 9 cannot use the files of the profile,
  10 printed but not stored, 11 token not accepted, 12 something expires soon,
  130 interrupted";

/// The groups of flags, each with the IDs of its flags. `-h` shows only those in the first list.
const GROUPS: &[(&str, &[&str], &[&str])] = &[
    ("Run", &["plain", "print", "demo"], &["no_browser"]),
    (
        "Profiles",
        &["profile"],
        &["save", "machine", "account", "profiles"],
    ),
    (
        "Service and app registration",
        &["preset", "client_id", "client_secret_file", "scope", "flow"],
        &[
            "preset_file",
            "vars",
            "client_secret_env",
            "client_secret_stdin",
            "service_account_file",
            "subject",
        ],
    ),
    (
        "Endpoints",
        &[],
        &[
            "redirect_url",
            "authorization_url",
            "device_url",
            "token_url",
            "issuer",
            "trusted_hosts",
        ],
    ),
    (
        "Advanced",
        &[],
        &[
            "client_authentication",
            "client_key",
            "client_key_id",
            "client_certificate",
            "extra_parameters",
            "login_hint",
            "pkce",
            "ca_file",
            "listen_address",
            "listener",
            "certificate",
            "certificate_key",
        ],
    ),
    ("Terminal", &[], &["color", "links", "glyphs"]),
];

/// Returns the same commands and flags, with the help arranged.
pub(super) fn laid_out(command: Command) -> Command {
    let short = format!("Examples:\n{EXAMPLES}");
    let long = format!("{short}\n{EXIT_CODES}");
    command
        .after_help(short)
        .after_long_help(long)
        .mut_args(|flag| {
            let id = flag.get_id().as_str().to_owned();
            let find = |(_, short, long): &&(&str, &[&str], &[&str])| {
                short.contains(&id.as_str()) || long.contains(&id.as_str())
            };
            match GROUPS.iter().find(find) {
                Some((heading, short, _)) => flag
                    .help_heading(*heading)
                    .hide_short_help(!short.contains(&id.as_str())),
                None => flag,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::command;

    #[test]
    fn help_groups_cover_exactly_the_flags() {
        let command = command();
        let ids: Vec<&str> = command
            .get_arguments()
            .map(|flag| flag.get_id().as_str())
            .collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, short, long)| short.iter().chain(*long))
            .copied()
            .collect();
        for id in &grouped {
            assert!(ids.contains(id), "{id} is no flag");
        }
        for id in ids {
            assert!(
                grouped.contains(&id) || ["help", "version"].contains(&id),
                "{id} has no group"
            );
        }
    }

    #[test]
    fn the_short_help_is_short_and_has_examples() {
        let help = command().render_help().to_string();
        assert!(help.lines().count() <= 66, "{help}");
        assert!(help.contains("Examples:") && !help.contains("--pkce"));
        assert!(command().render_long_help().to_string().contains("--pkce"));
    }
}
