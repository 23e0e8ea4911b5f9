//! Reads flags and environment variables. A flag takes precedence, and errors name the environment variable.

use std::ffi::{OsStr, OsString};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches};

use crate::clean::{trimmed, unquoted};
use crate::cli::{Cli, Subcommand, TokenFlags, command};

/// A subcommand that scripts run frequently.
const TOKEN: &str = "token";
/// The subcommand that is run for each refresh.
const KEEP_TOKEN: &str = "keep-token";

/// Returns the environment variable of the flag with this long name.
pub(super) fn variable_of(flag: &str) -> String {
    format!(
        "OAUTH_AUTHORIZER_{}",
        flag.to_ascii_uppercase().replace('-', "_")
    )
}

impl Cli {
    /// Reads the flags, and the environment variables of flags that were not given. An empty environment variable
    /// counts as unset, and one that contradicts a flag is ignored.
    ///
    /// # Errors
    /// Returns an error if a flag or environment variable is invalid. Help and version, which are to be printed, are
    /// also returned as errors.
    pub fn read(
        flags: impl IntoIterator<Item = OsString>,
        variable: impl Fn(&OsStr) -> Option<OsString>,
    ) -> Result<Self, clap::Error> {
        let flags: Vec<OsString> = flags.into_iter().collect();
        let quick = token_of_profile(&flags, &variable)
            .or_else(|| alone(TOKEN, Subcommand::Token, &flags, &variable))
            .or_else(|| alone(KEEP_TOKEN, Subcommand::KeepToken, &flags, &variable))
            .or_else(|| flags_alone(&flags, &variable));
        if let Some(cli) = quick {
            return Ok(cli);
        }
        let (matches, variables) = matches(command(), &flags, &variable).map_err(no_secret)?;
        let mut cli = Self::from_arg_matches(&matches)?;
        if matches.subcommand().is_some() {
            cli.subcommand = Some(Subcommand::from_arg_matches(&matches)?);
        }
        cli.variables = variables;
        Ok(cli)
    }

    /// Returns what a setting was given with: the flag with this long name, or its environment variable.
    pub(super) fn source(&self, flag: &str) -> String {
        let variable = variable_of(flag);
        if self.variables.contains(&variable) {
            variable
        } else {
            format!("--{flag}")
        }
    }
}

/// Reads `token PROFILE`, which scripts run frequently, without defining any flags.
fn token_of_profile(
    flags: &[OsString],
    variable: impl Fn(&OsStr) -> Option<OsString>,
) -> Option<Cli> {
    let [_, command, profile] = flags else {
        return None;
    };
    let profile = profile.to_str().filter(|name| !name.starts_with('-'))?;
    // This is the only environment variable that applies to the command.
    let folder = variable(OsStr::new("OAUTH_AUTHORIZER_PROFILES"));
    if command != TOKEN || folder.is_some() {
        return None;
    }
    let token = TokenFlags::of(profile.parse().ok()?);
    Some(Cli {
        subcommand: Some(Subcommand::Token(token)),
        ..Cli::default()
    })
}

/// Reads a frequently used subcommand, if its flags are valid, without defining the other subcommands: defining them
/// all takes as long as everything else. Other flags, such as help, are read with all subcommands.
fn alone<F: Args + FromArgMatches>(
    name: &'static str,
    subcommand: impl Fn(F) -> Subcommand,
    flags: &[OsString],
    variable: impl Fn(&OsStr) -> Option<OsString>,
) -> Option<Cli> {
    if flags.get(1)? != name {
        return None;
    }
    let command = F::augment_args(Command::new(name));
    let command = Command::new("oauth-authorizer").subcommand(command);
    let (matches, variables) = matches(command, flags, variable).ok()?;
    let read = F::from_arg_matches(matches.subcommand_matches(name)?).ok()?;
    Some(Cli {
        subcommand: Some(subcommand(read)),
        variables,
        ..Cli::default()
    })
}

/// Reads valid flags of a sign-in without defining the subcommands, for the same reason.
fn flags_alone(flags: &[OsString], variable: impl Fn(&OsStr) -> Option<OsString>) -> Option<Cli> {
    let (matches, variables) = matches(Cli::command(), flags, variable).ok()?;
    let cli = Cli::from_arg_matches(&matches).ok()?;
    Some(Cli { variables, ..cli })
}

/// Parses the flags and the environment variables.
fn matches(
    command: Command,
    flags: &[OsString],
    variable: impl Fn(&OsStr) -> Option<OsString>,
) -> Result<(ArgMatches, Vec<String>), clap::Error> {
    let path = path(&command, flags);
    let flags = &own_flags_first(&command, flags, &path);
    let command = in_any_letters(command, &path);
    if !has_variable(&command, &variable) {
        return Ok((command.try_get_matches_from(flags)?, Vec::new()));
    }
    let bare = without_variables(command.clone(), &path);
    // Required flags may come from environment variables.
    let lenient = of_path(bare.clone(), &path, &|flag| flag.required(false));
    let parse = |arguments: &[OsString]| lenient.clone().try_get_matches_from(arguments);
    let given = parse(flags).map_err(|error| {
        // The help mentions the environment variables.
        let help = || command.clone().try_get_matches_from(flags).err();
        let help = (!error.use_stderr()).then(help).flatten();
        help.unwrap_or(error)
    })?;
    let (leaf, matches) = leaf(&command, &given);
    // Insert them before the flags: what follows may be flags of the form.
    let (words, rest) = flags.split_at(flags.len().min(1 + path.len()));
    let mut added = Vec::new();
    let mut variables = Vec::new();
    for flag in leaf.get_arguments() {
        if matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine) {
            continue;
        }
        let name = flag.get_env().map(|name| (name, variable(name)));
        let Some((name, Some(value))) = name else {
            continue;
        };
        let Some(argument) = as_argument(flag, &value) else {
            continue;
        };
        match parse(&[words, std::slice::from_ref(&argument), rest].concat()) {
            Err(error) if error.kind() == ErrorKind::ArgumentConflict => continue,
            Err(error) => return Err(naming(error, name, leaf)),
            Ok(_) => {}
        }
        added.push(argument);
        // Two environment variables may contradict each other.
        parse(&[words, &added, rest].concat()).map_err(|error| naming(error, name, leaf))?;
        variables.push(name.to_string_lossy().into_owned());
    }
    let all = [words, &added, rest].concat();
    Ok((bare.try_get_matches_from(&all)?, variables))
}

/// Moves the command's own flags to the front. A command that passes flags to the form, such as `profiles save`, would
/// not parse its own flags after the first of those.
fn own_flags_first(command: &Command, flags: &[OsString], path: &[String]) -> Vec<OsString> {
    let below = |command, name: &String| Command::find_subcommand(command, name);
    let leaf = path.iter().try_fold(command, below);
    let Some(leaf) = leaf.filter(|leaf| leaf.get_arguments().any(Arg::is_trailing_var_arg_set))
    else {
        return flags.to_vec();
    };
    let (words, rest) = flags.split_at(flags.len().min(1 + path.len()));
    let (mut own, mut others) = (words.to_vec(), Vec::new());
    let mut rest = rest.iter().peekable();
    while let Some(flag) = rest.next() {
        let text = flag.to_string_lossy();
        let (name, has_value) = match text.split_once('=') {
            Some((name, _)) => (name, true),
            None => (&*text, false),
        };
        let is_named = |arg: &&Arg| {
            arg.get_long()
                .is_some_and(|long| name.strip_prefix("--") == Some(long))
        };
        let Some(arg) = leaf.get_arguments().find(is_named) else {
            others.push(flag.clone());
            continue;
        };
        own.push(flag.clone());
        let takes_value = arg.get_action().takes_values() && !has_value;
        own.extend(rest.next_if(|_| takes_value).cloned());
    }
    own.append(&mut others);
    own
}

/// Returns whether an environment variable of the command or of a subcommand exists, even an empty one. Usually none
/// exists, and then the flags are parsed once instead of three times.
fn has_variable(command: &Command, variable: &impl Fn(&OsStr) -> Option<OsString>) -> bool {
    let names = command.get_arguments().filter_map(Arg::get_env);
    names.map(variable).any(|value| value.is_some())
        || command
            .get_subcommands()
            .any(|below| has_variable(below, variable))
}

/// Returns the subcommand that was given, or the command itself.
fn leaf<'a>(command: &'a Command, matches: &'a ArgMatches) -> (&'a Command, &'a ArgMatches) {
    let (mut command, mut matches) = (command, matches);
    while let Some((name, below)) = matches.subcommand()
        && let Some(subcommand) = command.find_subcommand(name)
    {
        (command, matches) = (subcommand, below);
    }
    (command, matches)
}

/// Returns the names of the subcommands at the start of the flags. Only the flags of these are changed: scripts run
/// `token` frequently, and changing all commands takes as long as everything else.
fn path(command: &Command, flags: &[OsString]) -> Vec<String> {
    let mut path = Vec::new();
    let mut command = command;
    for word in flags.iter().skip(1) {
        let Some(below) = command.find_subcommand(word) else {
            break;
        };
        path.push(below.get_name().to_owned());
        command = below;
    }
    path
}

/// Returns the same flags, which accept fixed values in any case.
fn in_any_letters(command: Command, path: &[String]) -> Command {
    of_path(command, path, &|flag| {
        let is_fixed = !flag.get_possible_values().is_empty() && flag.get_action().takes_values();
        if is_fixed {
            flag.ignore_case(true)
        } else {
            flag
        }
    })
}

/// Returns the same flags without their environment variables.
fn without_variables(command: Command, path: &[String]) -> Command {
    of_path(command, path, &|flag| flag.env(Resettable::Reset))
}

fn of_path(command: Command, path: &[String], change: &impl Fn(Arg) -> Arg) -> Command {
    let command = command.mut_args(change);
    match path {
        [] => command,
        [name, below @ ..] => {
            command.mut_subcommand(name, |command| of_path(command, below, change))
        }
    }
}

/// Converts an environment variable to the corresponding flag; `None` if it is empty.
fn as_argument(flag: &Arg, value: &OsStr) -> Option<OsString> {
    let mut argument = OsString::from(format!("--{}", flag.get_long()?));
    let text = value.to_str();
    if text.is_some_and(|text| trimmed(text).is_empty()) {
        return None;
    }
    if !flag.get_action().takes_values() {
        const OFF: [&str; 6] = ["n", "no", "f", "false", "off", "0"];
        const ON: [&str; 6] = ["y", "yes", "t", "true", "on", "1"];
        let word = text.map(|text| trimmed(text).to_ascii_lowercase());
        let word = word.as_deref().unwrap_or_default();
        if OFF.contains(&word) {
            return None;
        }
        if !ON.contains(&word) {
            // The flag accepts no value, so this results in an error.
            argument.push("=");
            argument.push(value);
        }
        return Some(argument);
    }
    argument.push("=");
    match text {
        // Other values are cleaned later, with a note.
        Some(text) if !flag.get_possible_values().is_empty() => {
            let text = trimmed(text);
            argument.push(unquoted(text).unwrap_or(text));
        }
        Some(_) | None => argument.push(value),
    }
    Some(argument)
}

/// Returns the error with the ways to pass a client secret, if the user tried to pass it as an argument.
fn no_secret(error: clap::Error) -> clap::Error {
    let flag = error.get(ContextKind::InvalidArg);
    let is_secret = error.kind() == ErrorKind::UnknownArgument
        && flag.is_some_and(|flag| flag.to_string() == "--client-secret");
    if !is_secret {
        return error;
    }
    let text = "The client secret can't be an argument, because other users can read arguments. Use --client-secret-file FILE, \
                --client-secret-env NAME (the name of an environment variable) or --client-secret-stdin.\n";
    clap::Error::raw(error.kind(), text)
}

/// Returns the error with environment variables instead of flags, which the user didn't give.
fn naming(mut error: clap::Error, name: &OsStr, command: &Command) -> clap::Error {
    let name = name.to_string_lossy().into_owned();
    if error.kind() == ErrorKind::TooManyValues {
        let text =
            format!("The environment variable {name} must be yes or no. Correct or unset it.\n");
        return clap::Error::raw(error.kind(), text);
    }
    // The displayed form of flags is known only after the command is built.
    let mut command = command.clone();
    command.build();
    let variable = |flag: &ContextValue| {
        let flag = flag.to_string();
        let flag = command.get_arguments().find(|arg| arg.to_string() == flag);
        let name = flag.and_then(Arg::get_env)?;
        Some(ContextValue::String(name.to_string_lossy().into_owned()))
    };
    let kinds = [ContextKind::InvalidArg, ContextKind::PriorArg];
    let named: Vec<_> = kinds
        .into_iter()
        .filter_map(|kind| Some((kind, variable(error.get(kind)?)?)))
        .collect();
    if named.is_empty() {
        let text = format!("The environment variable {name} is invalid. Correct or unset it.\n");
        return clap::Error::raw(error.kind(), text);
    }
    for (kind, value) in named {
        error.insert(kind, value);
    }
    error
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn read(flags: &[&str], variables: &[(&str, &str)]) -> Result<Cli, clap::Error> {
        let flags = [&["oauth-authorizer"], flags].concat();
        Cli::read(flags.iter().map(OsString::from), |name| {
            let mut variables = variables.iter();
            let found = variables.find(|(known, _)| *known == name.to_str().unwrap());
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn quick_parsing_gives_the_same_result_as_full_parsing() {
        let whole = |flags: &[OsString], variable: &dyn Fn(&OsStr) -> Option<OsString>| {
            let (matches, variables) = matches(command(), flags, variable).unwrap();
            let subcommand = Subcommand::from_arg_matches(&matches).unwrap();
            format!("{subcommand:?} {variables:?}")
        };
        let folder = |name: &OsStr| (name == "OAUTH_AUTHORIZER_PROFILES").then(|| "/p".into());
        for (flags, is_quick) in [
            (&["token", "office"][..], true),
            (&["token", "office", "--min-valid", "5m"], true),
            (&["token", "--offline", "office"], true),
            (&["token", "office", "get"], true),
            (
                &[
                    "keep-token",
                    "office",
                    "--generation",
                    "5",
                    "--attempt",
                    "4",
                ],
                true,
            ),
            (&["refresh", "office"], false),
        ] {
            let flags = [&["oauth-authorizer"], flags].concat();
            let flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
            for variable in [&folder as &dyn Fn(&OsStr) -> Option<OsString>, &|_| None] {
                let quick = token_of_profile(&flags, variable)
                    .or_else(|| alone(TOKEN, Subcommand::Token, &flags, variable))
                    .or_else(|| alone(KEEP_TOKEN, Subcommand::KeepToken, &flags, variable));
                assert_eq!(quick.is_some(), is_quick, "{flags:?}");
                let cli = Cli::read(flags.clone(), variable).unwrap();
                let read = format!("{:?} {:?}", cli.subcommand.unwrap(), cli.variables);
                assert_eq!(read, whole(&flags, variable), "{flags:?}");
            }
        }
    }

    #[test]
    fn explain_accepts_leading_hyphens_and_flags_anywhere() {
        let explained = |flags: &[&str]| {
            let cli = read(&[&["explain"], flags].concat(), &[]).unwrap();
            let Some(Subcommand::Explain(flags)) = cli.subcommand else {
                return (Vec::new(), None);
            };
            (flags.text, flags.preset)
        };
        let of = |text: &[&str], preset: Option<&str>| {
            let text = text.iter().map(|part| (*part).to_owned()).collect();
            (text, preset.map(str::to_owned))
        };
        let said = "-ERR [AUTH] Authentication failed";
        assert_eq!(explained(&[said]), of(&[said], None));
        assert_eq!(explained(&["--", said]), of(&[said], None));
        assert_eq!(
            explained(&["-ERR", "[AUTH]"]),
            of(&["-ERR", "[AUTH]"], None)
        );
        assert_eq!(
            explained(&["--preset", "google", said]),
            of(&[said], Some("google"))
        );
        assert_eq!(
            explained(&["a", "--preset=google", "b"]),
            of(&["a", "b"], Some("google"))
        );
        assert_eq!(explained(&[]), of(&[], None));
        for help in [&["explain", "--help"][..], &["explain", "-h"]] {
            let error = read(help, &[]).map(drop).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::DisplayHelp);
        }
    }

    #[test]
    fn client_secret_argument_is_refused_without_repeating_it() {
        for flags in [&["--client-secret", "abc"][..], &["--client-secret=abc"]] {
            let error = read(flags, &[]).map(drop).unwrap_err();
            let told = error.to_string();
            assert!(
                told.contains("can't be an argument") && !told.contains("abc"),
                "{told}"
            );
            assert!(told.contains("--client-secret-file FILE"), "{told}");
        }
        let other = read(&["--client-secrets", "abc"], &[])
            .map(drop)
            .unwrap_err();
        assert!(
            !other.to_string().contains("can't be an argument"),
            "{other}"
        );
    }

    #[test]
    fn only_token_with_a_profile_is_parsed_without_flags() {
        let command = TokenFlags::augment_args(Command::new(TOKEN));
        let variables = command.get_arguments().filter_map(Arg::get_env);
        assert!(variables.eq(["OAUTH_AUTHORIZER_PROFILES"]));
        let none = |_: &OsStr| None;
        let read = |flags: &[&str]| {
            let flags: Vec<OsString> = flags.iter().map(OsString::from).collect();
            token_of_profile(&flags, none).is_some()
        };
        assert!(read(&["oauth-authorizer", "token", "office"]));
        for flags in [
            &["oauth-authorizer", "token"][..],
            &["oauth-authorizer", "token", "--help"],
            &["oauth-authorizer", "token", "no name/"],
            &["oauth-authorizer", "refresh", "office"],
            &["oauth-authorizer", "token", "office", "--offline"],
        ] {
            assert!(!read(flags), "{flags:?}");
        }
    }

    #[test]
    fn empty_environment_variables_are_ignored() {
        for blank in ["", " \t", "\r\n", "\u{feff}", "\u{a0}"] {
            for flags in [
                &["oauth-authorizer"][..],
                &["oauth-authorizer", "doctor"],
                &["oauth-authorizer", "presets", "list"],
            ] {
                let read = Cli::read(flags.iter().map(OsString::from), |_| Some(blank.into()));
                assert!(read.is_ok(), "{flags:?}: {read:?}");
                assert!(read.unwrap().variables.is_empty());
            }
        }
    }

    #[test]
    fn environment_variables_are_named_after_their_flags() {
        for flag in command().get_arguments() {
            if let Some(name) = flag.get_env() {
                assert_eq!(name.to_str(), flag.get_long().map(variable_of).as_deref());
            }
        }
    }

    #[test]
    fn flags_override_conflicting_environment_variables() {
        let preset = ("OAUTH_AUTHORIZER_PRESET", "google");
        let secret = ("OAUTH_AUTHORIZER_CLIENT_SECRET_ENV", "X");
        let cli = read(&["--demo"], &[preset]).unwrap();
        assert_eq!((cli.demo, cli.preset), (true, None));
        let cli = read(&["--client-secret-stdin"], &[secret]).unwrap();
        assert!(cli.secret.client_secret_stdin && cli.secret.client_secret_env.is_none());
        let cli = read(&["--client-secret-file", "f"], &[secret, preset]).unwrap();
        assert_eq!(
            (cli.secret.client_secret_env, cli.preset.as_deref()),
            (None, Some("google"))
        );
        let cli = read(&["--preset", "github"], &[preset]).unwrap();
        assert_eq!(cli.source("preset"), "--preset");
        assert_eq!(cli.preset.as_deref(), Some("github"));
        let cli = read(&["--var", "a=1"], &[("OAUTH_AUTHORIZER_VAR", "b=2")]).unwrap();
        assert_eq!(cli.vars, [("a".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn environment_variables_act_like_flags() {
        let cli = read(
            &[],
            &[
                ("OAUTH_AUTHORIZER_FLOW", " \"Device-Code\"\r\n"),
                ("OAUTH_AUTHORIZER_VAR", "a=1,b=2"),
                ("OAUTH_AUTHORIZER_NO_BROWSER", "1"),
                ("OAUTH_AUTHORIZER_CLIENT_ID", "-x"),
            ],
        )
        .unwrap();
        assert!(cli.place.no_browser && cli.flow.is_some());
        assert_eq!((cli.vars.len(), cli.client_id.as_deref()), (2, Some("-x")));
        assert_eq!(cli.source("client-id"), "OAUTH_AUTHORIZER_CLIENT_ID");
        let url = ("OAUTH_AUTHORIZER_REDIRECT_URL", "https://as.example/");
        assert!(read(&["configure", "verify"], &[url]).is_ok());
        let missing = read(&["configure", "verify"], &[]).unwrap_err();
        assert!(missing.to_string().contains("--redirect-url"));
        for neither in ["maybe", "2", "yes please"] {
            let error = read(&[], &[("OAUTH_AUTHORIZER_NO_BROWSER", neither)]);
            let error = error.unwrap_err().to_string();
            assert!(
                error.contains("OAUTH_AUTHORIZER_NO_BROWSER must be yes or no"),
                "{error}"
            );
        }
        let on = read(&[], &[("OAUTH_AUTHORIZER_NO_BROWSER", "YES")]).unwrap();
        assert!(on.place.no_browser);
        let off = read(&[], &[("OAUTH_AUTHORIZER_NO_BROWSER", "Off ")]).unwrap();
        assert!(!off.place.no_browser);
        assert!(
            read(&["--flow", "DEVICE-CODE"], &[])
                .unwrap()
                .flow
                .is_some()
        );
    }

    #[test]
    fn errors_name_the_invalid_environment_variable() {
        for (name, value) in [
            ("OAUTH_AUTHORIZER_FLOW", "device"),
            ("OAUTH_AUTHORIZER_COLOR", "pink"),
            ("OAUTH_AUTHORIZER_LISTENER", "x"),
            ("OAUTH_AUTHORIZER_VAR", "x"),
            ("OAUTH_AUTHORIZER_TRUST_HOST", "https://as.example"),
            ("OAUTH_AUTHORIZER_PKCE", "maybe"),
        ] {
            let error = read(&[], &[(name, value)]).unwrap_err().to_string();
            let flag = name["OAUTH_AUTHORIZER_".len()..]
                .to_lowercase()
                .replace('_', "-");
            assert!(error.contains(name), "{error}");
            assert!(!error.contains(&format!("'--{flag}")), "{error}");
        }
        let both = [
            ("OAUTH_AUTHORIZER_PRESET", "github"),
            ("OAUTH_AUTHORIZER_PRESET_FILE", "x.toml"),
        ];
        let error = read(&[], &both).unwrap_err().to_string();
        assert!(both.iter().all(|(name, _)| error.contains(name)), "{error}");
        let error = read(&["--flow", "device"], &[]).unwrap_err().to_string();
        assert!(error.contains("'--flow"), "{error}");
    }

    #[test]
    fn token_is_parsed_alone_and_errors_show_its_usage() {
        let folder = ("OAUTH_AUTHORIZER_PROFILES", "/a");
        let cli = read(&["token", "office", "--min-valid", "5m"], &[folder]).unwrap();
        let token = match cli.subcommand {
            Some(Subcommand::Token(token)) => Some(token),
            _ => None,
        };
        let token = token.unwrap();
        assert_eq!(token.profile.as_str(), "office");
        assert_eq!(token.profiles.profiles, Some("/a".into()));
        // The other values are the defaults of their flags.
        let plain = read(&[], &[]).unwrap();
        let token = read(&["token", "office"], &[]).unwrap();
        let rest = |cli: Cli| {
            format!(
                "{:?}",
                Cli {
                    subcommand: None,
                    ..cli
                }
            )
        };
        assert_eq!(rest(token), rest(plain));
        for flags in [
            &["token"][..],
            &["token", "--help"],
            &["token", "x", "--no"],
        ] {
            let error = read(flags, &[]).unwrap_err().to_string();
            assert!(error.contains("Usage: oauth-authorizer token"), "{error}");
        }
    }

    #[test]
    fn help_lists_environment_variables() {
        let help = read(&["--help"], &[]).unwrap_err();
        assert!(!help.use_stderr());
        assert!(help.to_string().contains("OAUTH_AUTHORIZER_FLOW"));
    }
}
