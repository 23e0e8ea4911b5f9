//! The program: reads the flags and the environment once, and starts a front end.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use oauth_authorizer::certificate::created::Created;
use oauth_authorizer::clean::{clean, system_reason};
use oauth_authorizer::cli::Cli;
use oauth_authorizer::console::environment::{Environment, Terminal};
use oauth_authorizer::console::{jobs, talk, tmux};
use oauth_authorizer::form::choices::Browser;
use oauth_authorizer::keeper::profile::{forget_other_secret, open, open_form};
use oauth_authorizer::oauth::tools::looks_like_token;
use oauth_authorizer::outcome::exit;
use oauth_authorizer::presets::Library;
use oauth_authorizer::profile::places::Places;
use oauth_authorizer::quote::INSPECT_FILE;
use oauth_authorizer::secret::{ExposeSecret, SecretString};
use oauth_authorizer::session::profiles::Profiles;
use oauth_authorizer::store::program;
use oauth_authorizer::{commands, plain, tui};

fn main() -> ExitCode {
    #[cfg(windows)]
    oauth_authorizer::windows::load_libraries_from_system_only();
    no_core_dumps();
    let cli = match Cli::read(std::env::args_os(), |name| std::env::var_os(name)) {
        Ok(cli) => cli,
        Err(error) => return misused(error),
    };
    if let Some(outcome) = cli.subcommand.as_ref().and_then(commands::run_at_once) {
        return ended_at_once(outcome);
    }
    let environment = cli.place.over(Environment::of_process());
    let front = Front::choose(&cli, &environment);
    // Without the full-screen interface, every line begins with a word that scripts know.
    let word = match front {
        Front::Screen if cli.subcommand.is_none() => "oauth-authorizer",
        Front::Plain | Front::Screen => "error",
    };
    let code = match run(cli, environment, front) {
        Ok(code) => code,
        Err((text, code)) => {
            talk::start();
            talk::say(word, &text);
            code
        }
    };
    talk::end(LAST_WORDS);
    ExitCode::from(code)
}

/// How long to wait at the end for a slow reader of standard error.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Maximum length of a displayed terminal type, in characters.
const TERM_LIMIT: usize = 40;

/// Prints the help, or what is wrong with the flags. Does not wait long for a reader of the latter.
fn misused(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return ended_at_once(error.print().map(|()| exit::DONE));
    }
    redact_value(&mut error);
    if error.context().any(|(_, value)| holds_token(value))
        || error.source().is_some_and(repeats_token)
    {
        talk::say(
            "error",
            &format!(
                "An unexpected argument looks like a token, so it is not repeated here. Other users can read arguments: \
                 pass tokens on standard input only, as in `{INSPECT_FILE}`."
            ),
        );
        return ExitCode::from(exit::USAGE);
    }
    let code = u8::try_from(error.exit_code()).unwrap_or(exit::USAGE);
    let (sender, printed) = std::sync::mpsc::channel();
    let print = std::thread::Builder::new().spawn(move || sender.send(error.print().is_ok()));
    if print.is_ok() {
        let _ = printed.recv_timeout(LAST_WORDS);
    }
    ExitCode::from(code)
}

/// Redacts the value of a known flag if it looks like a token. The message still says what the flag accepts.
fn redact_value(error: &mut clap::Error) {
    let of_flag = matches!(error.get(ContextKind::InvalidArg), Some(ContextValue::String(flag)) if flag.starts_with('-'));
    if of_flag
        && error
            .get(ContextKind::InvalidValue)
            .is_some_and(holds_token)
    {
        let redacted = ContextValue::String("(redacted)".to_owned());
        error.insert(ContextKind::InvalidValue, redacted);
    }
}

/// Returns whether the error about a flag's value would repeat a token from the command line or the environment. Examples in the
/// program's own text may look like one.
fn repeats_token(said: &(dyn Error + 'static)) -> bool {
    let of_ours =
        |name: &std::ffi::OsString| name.to_string_lossy().starts_with("OAUTH_AUTHORIZER_");
    let variables = std::env::vars_os().filter(|(name, _)| of_ours(name));
    let given: Vec<String> = std::env::args_os()
        .skip(1)
        .chain(variables.map(|(_, value)| value))
        .map(|text| text.to_string_lossy().into_owned())
        .collect();
    let is_given = |word: &str| given.iter().any(|text| text.contains(word));
    let said = said.to_string();
    let mut words = said
        .split_whitespace()
        .map(|word| word.trim_matches(|ch: char| !ch.is_ascii_alphanumeric()));
    words.any(|word| looks_like_token(word) && is_given(word))
}

/// Returns whether a message would repeat a token.
fn holds_token(value: &ContextValue) -> bool {
    match value {
        ContextValue::String(text) => looks_like_token(text),
        ContextValue::Strings(texts) => texts.iter().any(|text| looks_like_token(text)),
        _ => false,
    }
}

/// The front end: the interface to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    /// The full-screen interface.
    Screen,
    /// The line-by-line interface.
    Plain,
}

impl Front {
    fn choose(cli: &Cli, environment: &Environment) -> Self {
        let dumb = environment.terminal == Terminal::Dumb;
        if cli.subcommand.is_none() && (cli.plain || dumb) {
            Self::Plain
        } else {
            Self::Screen
        }
    }
}

/// Returns the exit code of a command that needs no setup, after an error was written.
fn ended_at_once(outcome: std::io::Result<u8>) -> ExitCode {
    ExitCode::from(ended(outcome).unwrap_or_else(|(text, code)| {
        talk::say("error", &text);
        code
    }))
}

/// Returns the exit code of a command, or an error sentence with an exit code.
fn ended(outcome: std::io::Result<u8>) -> Result<u8, (String, u8)> {
    commands::ended(outcome).map_err(|error| (error, exit::FAILED))
}

/// Runs the program. Returns the exit code, or an error sentence with an exit code.
fn run(cli: Cli, mut environment: Environment, front: Front) -> Result<u8, (String, u8)> {
    let variable = |name: &str| std::env::var_os(name);
    if let Some(subcommand) = &cli.subcommand {
        return ended(commands::run(subcommand, &Library::load_user()));
    }
    // This must be done before any other thread starts, because threads inherit it.
    jobs::hold();
    // From here on, messages don't wait for a reader.
    talk::start();
    // The full-screen interface loads the other presets after it has started.
    let mut library = match (&cli.preset, front) {
        (Some(id), Front::Screen) => Library::with_own(id),
        (None, Front::Screen) if cli.profile.profile.is_none() => Library::default(),
        _ => Library::load_user(),
    };
    let profiles = cli.profile.find().map_err(|error| (error, exit::USAGE))?;
    if front == Front::Plain {
        // The first flow depends on the response of tmux. The full-screen interface asks after its first frame.
        let _ = tmux::settle(&mut environment);
    }
    let browser = Browser::of(environment.has_browser());
    let print = cli.print;
    if front == Front::Plain && !cli.plain {
        let reason = match environment.term.as_str() {
            "" => "TERM is not set (export TERM=xterm sets it)".to_owned(),
            "dumb" => "TERM is dumb".to_owned(),
            term => {
                let term = clean(term, TERM_LIMIT);
                format!(
                    "TERM is {term}, which does not support a full screen (if your terminal does, run export TERM=xterm)"
                )
            }
        };
        talk::say(
            "hint",
            &format!(
                "{reason}, so the program runs without the full-screen interface, as with --plain. Enter settings as flags; \
                 see --help."
            ),
        );
    }
    let has_secret = cli.secret.is_given(variable);
    let open = if has_secret || front == Front::Screen {
        open_form
    } else {
        open
    };
    let base = profiles.open.as_ref().map(|place| {
        open(place, browser, &mut library)
            .map_err(|outcome| (format!("{}: {}", place.name, outcome.error), outcome.code))
    });
    let base = base.transpose()?;
    let places = Places::new(cli.profile.profiles.profiles.as_deref()).ok();
    let opened = profiles.open.zip(base.clone());
    let mut settings = cli
        .settings(base, variable, browser, &mut library)
        .map_err(|error| (error.to_string(), error.exit_code()))?;
    if let Some((_, opened)) = opened.as_ref().filter(|_| !has_secret) {
        forget_other_secret(opened, &mut settings);
    }
    settings.set_created_certificates(Created::load_user());
    if front == Front::Plain {
        return Ok(plain::run(
            &environment,
            settings,
            library,
            print,
            profiles.save,
            print_result,
        ));
    }
    let profiles = Profiles::new(places, std::env::home_dir(), opened);
    program::take_terminal();
    tui::run(
        environment,
        settings,
        library,
        profiles,
        print,
        print_result,
    )
    .map_err(|error| (error.to_string(), exit::FAILED))
}

/// Prints the result of a sign-in to standard output. If that fails, nothing of it stays in a file or a buffer.
fn print_result(text: &SecretString) -> Result<(), String> {
    #[cfg(unix)]
    let write = || {
        use std::io::Seek;
        use std::os::fd::AsFd;
        let stdout = std::io::stdout();
        // Not through the buffer of standard output, which would keep what can't be written.
        let mut file = std::fs::File::from(stdout.as_fd().try_clone_to_owned()?);
        let before = end_of_file(&mut file);
        let line = zeroize::Zeroizing::new([text.expose_secret(), "\n"].concat());
        let written = file.write_all(line.as_bytes());
        if let Some(before) = before.filter(|_| written.is_err()) {
            let _ = file.set_len(before);
            let _ = file.seek(std::io::SeekFrom::Start(before));
        }
        written
    };
    #[cfg(windows)]
    let write = || {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(text.expose_secret().as_bytes())?;
        stdout.write_all(b"\n")?;
        stdout.flush()
    };
    write().map_err(|error: std::io::Error| {
        let reason = error.to_string();
        format!(
            "The result could not be printed: {}.",
            system_reason(&reason)
        )
    })
}

/// Returns the length of a regular file if writing appends to it, and no other program can do so at the same time.
#[cfg(unix)]
fn end_of_file(file: &mut std::fs::File) -> Option<u64> {
    use std::io::Seek;
    let data = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
    let shared = rustix::fs::fcntl_getfl(&*file).ok()?;
    let end = file.stream_position().ok()?;
    (!shared.contains(rustix::fs::OFlags::APPEND) && end == data.len()).then_some(end)
}

/// Disables core dumps, and prevents other programs of this user from reading the memory, which contains tokens.
fn no_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // These calls can't fail for the program's own process. If one did, the other would still be useful.
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
