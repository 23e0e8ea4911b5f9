//! The second front end: a flow line by line on standard error, for screen readers, logs and scripts.
//!
//! Standard output carries the result and nothing else. Neither of them being read, nor written to, keeps a signal from
//! ending the program. A line on standard input is taken as the pasted answer; its end never ends the wait. A person
//! at a terminal who did not say what to print is asked once the tokens are there.

use std::io::{BufRead, BufReader, IsTerminal, Read};

use clap::ValueEnum;

use tokio::sync::mpsc;

use crate::console::browser;
use crate::console::environment::Environment;
use crate::console::signals::Signals;
use crate::console::talk::{self, Often, say, say_often};
use crate::console::tunnel::Tunnel;
use crate::demo::Demo;
use crate::flow::driver::{Flow, Job};
use crate::flow::event::{FlowError, FlowEvent, Step};
use crate::flow::reporter::Report;
use crate::form::checks::Severity;
use crate::form::choices::Overwrite;
use crate::form::explain::{explain, explain_certificate};
use crate::form::request::{self, FlowRequest};
use crate::form::settings::Settings;
use crate::oauth::client::FlowKind;
use crate::oauth::device::Note;
use crate::oauth::discovery::Metadata;
use crate::oauth::token::TokenSet;
use crate::outcome::Print;
use crate::outcome::exit;
use crate::presets::Library;
use crate::secret::{ExposeSecret, SecretString};

/// A longer line on standard input is no answer.
const LINE_LIMIT: u64 = 128 * 1024;

/// Runs the flow that the settings ask for, and has `put` print what of the tokens is wanted. Comes back with the exit
/// code; where something is wrong, it stands on standard error by then.
pub fn run(
    environment: &Environment,
    settings: Settings,
    library: &Library,
    print: Option<Print>,
    put: fn(&SecretString) -> Result<(), String>,
) -> u8 {
    match authorize(environment, settings, library, print, put) {
        Ok(()) => exit::DONE,
        Err(code) => code,
    }
}

fn authorize(
    environment: &Environment,
    settings: Settings,
    library: &Library,
    print: Option<Print>,
    put: fn(&SecretString) -> Result<(), String>,
) -> Result<(), u8> {
    if print.is_none() && !std::io::stdin().is_terminal() {
        say(
            "error",
            "There is no screen, and nobody at a terminal who could be asked what to print. Add --print access-token \
             (refresh-token, id-token or json).",
        );
        return Err(exit::USAGE);
    }
    for error in library.left_out() {
        say("hint", &error.to_string());
    }
    let failed = |error: std::io::Error| {
        say("error", &error.to_string());
        exit::FAILED
    };
    install_hook();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let outcome = runtime.block_on(async {
        let mut front = Front {
            environment,
            signals: Signals::new().map_err(failed)?,
            input: None,
            device_code: false,
            put,
        };
        let outcome = front.tokens(settings, library, print).await;
        // A slow reader gets all of it, if nobody is in a hurry.
        if outcome != Err(exit::INTERRUPTED) {
            let finish = || talk::finish(None);
            front.signals.unless_asked_to_end(finish).await;
        }
        outcome
    });
    runtime.shutdown_background();
    outcome
}

/// A panic's own words may hold a secret: only its place is told.
fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        say(
            "error",
            &format!("a defect{place} ended the program; please report this line"),
        );
        talk::flush();
    }));
}

fn tell(error: &FlowError) -> u8 {
    say("error", &error.to_string());
    say("hint", &error.hint());
    exit::code(error)
}

/// The same with what the service's error means.
fn tell_explained(error: &FlowError, settings: &Settings, library: &Library) -> u8 {
    let explanation = match error {
        FlowError::Protocol(failure) => explain(failure, settings.preset(), library),
        FlowError::Certificate(error) => explain_certificate(error),
        _ => None,
    };
    let Some(explanation) = explanation else {
        return tell(error);
    };
    say("error", &error.to_string());
    if explanation.cause != error.to_string() {
        say("cause", &explanation.cause);
    }
    say("hint", &explanation.remedy);
    if let Some(key) = explanation.field {
        say("field", settings.label(key));
    }
    exit::code(error)
}

fn read(settings: &Settings) -> Result<FlowRequest, u8> {
    let problems = request::problems(settings);
    for problem in &problems {
        let word = if problem.severity == Severity::Error {
            "error"
        } else {
            "hint"
        };
        say(
            word,
            &format!("{}: {}", settings.label(problem.key), problem.text),
        );
    }
    request::request(settings).map_err(|_| exit::USAGE)
}

struct Front<'a> {
    environment: &'a Environment,
    signals: Signals,
    input: Option<Input>,
    /// The settings would do for the device code flow as well.
    device_code: bool,
    /// Prints what was asked for.
    put: fn(&SecretString) -> Result<(), String>,
}

/// What a run came to.
enum End {
    Tokens(Box<TokenSet>),
    Metadata(Box<Metadata>),
}

impl Front<'_> {
    /// Gets the tokens and prints what of them is wanted.
    async fn tokens(
        &mut self,
        mut settings: Settings,
        library: &Library,
        print: Option<Print>,
    ) -> Result<(), u8> {
        let failed = |error: std::io::Error| {
            say("error", &error.to_string());
            exit::FAILED
        };
        let _demo = if settings.preset().embedded_server {
            let demo = Demo::start().await.map_err(failed)?;
            settings.set_server(demo.url());
            say(
                "hint",
                settings
                    .preset()
                    .token_notice
                    .as_deref()
                    .unwrap_or_default(),
            );
            Some(demo)
        } else {
            None
        };
        self.discover(&mut settings).await?;
        let request = read(&settings)?;
        self.device_code = settings.offers(FlowKind::DeviceCode) && {
            let mut other = settings.clone();
            other.set_flow(FlowKind::DeviceCode);
            request::request(&other).is_ok()
        };
        let tokens = self.authorize(request, &settings, library).await?;
        let Some(print) = print else {
            return self.ask(&tokens).await;
        };
        self.print(print, &tokens).await?.map_err(|reason| {
            say("error", &reason);
            exit::FAILED
        })
    }

    /// Prints one thing, or says why not. Nobody has to read it for a signal to end the program.
    async fn print(&mut self, print: Print, tokens: &TokenSet) -> Result<Result<(), String>, u8> {
        let text = match print.text(tokens) {
            Ok(text) => text,
            Err(reason) => return Ok(Err(reason)),
        };
        let put = self.put;
        let printed = self.signals.unless_asked_to_end(move || {
            // On a terminal, what was said before it stands before it.
            talk::flush();
            put(&text)
        });
        printed.await.ok_or_else(|| Stopped::Signal.tell())
    }

    /// Asks the issuer where it has its endpoints, where they were not given.
    async fn discover(&mut self, settings: &mut Settings) -> Result<(), u8> {
        let Some(issuer) = request::issuer(settings).filter(|_| settings.preset().is_custom())
        else {
            return Ok(());
        };
        let job = Job::Discover(issuer);
        let complete = request::request(settings).is_ok();
        match self.run(job).await {
            Ok(End::Metadata(metadata)) => {
                // Endpoints that were given stay; the others are filled in.
                settings.take_over(&metadata, Overwrite::Nothing);
                Ok(())
            }
            Ok(End::Tokens(_)) => Ok(()),
            // All that is needed was given: the metadata would only have told more.
            Err(Stopped::Flow(error)) if complete => {
                say("hint", &error.to_string());
                Ok(())
            }
            Err(error) => Err(error.tell()),
        }
    }

    async fn authorize(
        &mut self,
        request: FlowRequest,
        settings: &Settings,
        library: &Library,
    ) -> Result<TokenSet, u8> {
        match self.run(Job::Authorize(request)).await {
            Ok(End::Tokens(tokens)) => Ok(*tokens),
            Ok(End::Metadata(_)) => Err(exit::FAILED),
            Err(Stopped::Flow(error)) => Err(tell_explained(&error, settings, library)),
            Err(error) => Err(error.tell()),
        }
    }

    /// Asks what to print, until the person has enough.
    async fn ask(&mut self, tokens: &TokenSet) -> Result<(), u8> {
        let choices: Vec<String> = Print::value_variants()
            .iter()
            .filter_map(|print| Some(print.to_possible_value()?.get_name().to_owned()))
            .collect();
        let choices = choices.join(", ");
        say(
            "hint",
            &format!("The tokens are there. Type what to print: {choices}. Type quit to leave."),
        );
        let mut input = match self.input.take() {
            Some(input) => input,
            None => Input::start().map_err(|error| {
                say(
                    "error",
                    &format!("You cannot be asked: {error}. Start again with --print."),
                );
                exit::FAILED
            })?,
        };
        loop {
            let line = tokio::select! {
                biased;
                () = self.signals.next() => return Err(Stopped::Signal.tell()),
                line = input.lines.recv() => line,
            };
            let Some(line) = line else { return Ok(()) };
            match line.expose_secret() {
                "quit" => return Ok(()),
                word => match Print::from_str(word, false) {
                    Ok(print) => {
                        if let Err(reason) = self.print(print, tokens).await? {
                            say("error", &reason);
                        }
                    }
                    // What was typed may be a late paste, and is not repeated.
                    Err(_) => say("hint", &format!("That is none of these: {choices}, quit.")),
                },
            }
        }
    }

    async fn run(&mut self, job: Job) -> Result<End, Stopped> {
        let (reports, mut news) = mpsc::channel::<Report>(64);
        let flow = Flow::start(job, 0, None, reports);
        // A line that is still to be handed over; the next one is read after that.
        let mut waiting: Option<SecretString> = None;
        loop {
            let line = async {
                match &mut self.input {
                    Some(input) => input.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.signals.next() => return Err(Stopped::Signal),
                report = news.recv() => match report {
                    Some((_, FlowEvent::Tokens(tokens))) => return Ok(End::Tokens(tokens)),
                    Some((_, FlowEvent::Metadata(metadata))) => return Ok(End::Metadata(metadata)),
                    Some((_, FlowEvent::Failed(error))) => return Err(Stopped::Flow(error)),
                    Some((_, event)) => self.show(event),
                    None => return Err(Stopped::Defect),
                },
                room = flow.room_for_a_paste(), if waiting.is_some() => {
                    if let (Some(room), Some(line)) = (room, waiting.take()) {
                        room.send(line);
                    }
                }
                line = line, if waiting.is_none() => waiting = Some(line),
            }
        }
    }

    fn show(&mut self, event: FlowEvent) {
        match event {
            FlowEvent::Began(step) => say_often(Often::Step, step_words(step)),
            FlowEvent::DeviceCode {
                user_code,
                verification_uri,
                complete,
                expires_in,
            } => {
                say("verification_uri", verification_uri.as_str());
                say("user_code", &user_code);
                if let Some(complete) = complete {
                    say("verification_uri_complete", complete.as_str());
                }
                say("expires_in", &expires_in.as_secs().to_string());
            }
            FlowEvent::Polled { times, note } => {
                let note = match note {
                    Note::Pending => "not approved yet".to_owned(),
                    Note::SlowDown => {
                        "not approved yet; asking less often, as the service wishes".to_owned()
                    }
                    Note::Trouble(reason) => format!("no usable answer ({reason}); asking again"),
                };
                say_often(Often::Polled, &format!("{times} {note}"));
            }
            FlowEvent::SignIn {
                url,
                redirect_url,
                listening,
                certificate,
            } => {
                for address in &listening {
                    say("listening", address);
                }
                if let Some(about) = &certificate {
                    say("certificate_fingerprint", &about.fingerprint);
                    if about.self_made {
                        say(
                            "hint",
                            "Your browser will warn that the certificate is not trusted. Compare its SHA-256 fingerprint with this one.",
                        );
                    }
                }
                say("redirect_url", redirect_url.as_str());
                let ssh = self.environment.ssh.as_ref();
                let tunnel =
                    ssh.and_then(|ssh| Tunnel::to_listener(ssh, &redirect_url, &listening));
                if let Some(tunnel) = tunnel {
                    say("tunnel", &tunnel.to_string());
                    say(
                        "hint",
                        &format!(
                            "For a browser on your own machine, first open the tunnel there. {}",
                            tunnel.words()
                        ),
                    );
                }
                say("authorization_url", url.as_str());
                say(
                    "hint",
                    "Open the URL in a browser. If it cannot come back to this machine, paste the address it ends at here.",
                );
                if !self.environment.can_browse() && self.device_code {
                    say("hint", "With --flow device-code any browser will do.");
                }
                self.input = Input::start().ok();
                if self.environment.can_browse() {
                    tokio::spawn(browser::open(self.environment.clone(), url));
                }
            }
            FlowEvent::NotOurs(reason) => {
                say_often(Often::Callback, &format!("a callback: {reason}"));
            }
            FlowEvent::PasteRefused(reason) => {
                say_often(Often::Paste, &format!("a paste: {reason}"));
            }
            FlowEvent::Stray(_) => say_often(
                Often::Stray,
                "a request that has nothing to do with this sign-in was rejected",
            ),
            FlowEvent::Trouble(reason) => {
                say_often(Often::Trouble, &format!("{reason} Trying again."));
            }
            FlowEvent::Check(check) => {
                say(
                    "check",
                    &format!(
                        "{} {}: {}",
                        check.name.label(),
                        check.outcome.word(),
                        check.detail
                    ),
                );
            }
            FlowEvent::Done(_)
            | FlowEvent::Exchange(_)
            | FlowEvent::Metadata(_)
            | FlowEvent::Tokens(_)
            | FlowEvent::Failed(_) => {}
        }
    }
}

/// Why a run came to no end of its own.
enum Stopped {
    Flow(FlowError),
    Signal,
    Defect,
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flow(error) => error.fmt(f),
            Self::Signal => f.write_str("The program was interrupted."),
            Self::Defect => f.write_str("The program ended because of a defect in it."),
        }
    }
}

impl Stopped {
    fn tell(&self) -> u8 {
        match self {
            Self::Flow(error) => tell(error),
            Self::Signal => {
                say("error", &self.to_string());
                exit::INTERRUPTED
            }
            Self::Defect => {
                say("error", &self.to_string());
                exit::FAILED
            }
        }
    }
}

fn step_words(step: Step) -> &'static str {
    match step {
        Step::DeviceCode => "asking for a device code",
        Step::Approval => "waiting for approval",
        Step::Listen => "listening",
        Step::SignIn => "waiting for the browser",
        Step::Exchange => "exchanging the code for tokens",
        Step::Refresh => "asking for new tokens",
    }
}

/// Lines of standard input. On a terminal they are read without the kernel's limit of a line (4096 bytes on
/// Linux), which would cut a long URL.
struct Input {
    lines: mpsc::Receiver<SecretString>,
    #[cfg(unix)]
    _unlimited: Option<Unlimited>,
}

impl Input {
    #[cfg_attr(
        windows,
        allow(
            clippy::unnecessary_wraps,
            reason = "only Unix has jobs in the background"
        )
    )]
    fn start() -> std::io::Result<Self> {
        // A job in the background would be stopped by the kernel for touching the terminal.
        #[cfg(unix)]
        if std::io::stdin().is_terminal()
            && rustix::termios::tcgetpgrp(std::io::stdin())? != rustix::process::getpgrp()
        {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        #[cfg(unix)]
        let unlimited = if std::io::stdin().is_terminal() {
            Some(Unlimited::new()?)
        } else {
            None
        };
        let (sender, lines) = mpsc::channel(4);
        // Left behind at the end: reading blocks.
        std::thread::spawn(move || {
            let mut reader = BufReader::new(std::io::stdin());
            loop {
                let mut line = zeroize::Zeroizing::new(Vec::new());
                match (&mut reader).take(LINE_LIMIT).read_until(b'\n', &mut line) {
                    Ok(0) | Err(_) => return,
                    // The rest of a line that is too long is no line of its own.
                    Ok(_) if !line.ends_with(b"\n") && reader.skip_until(b'\n').is_err() => return,
                    Ok(_) => {}
                }
                let line = typed(&String::from_utf8_lossy(&line));
                if !line.expose_secret().is_empty() && sender.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            lines,
            #[cfg(unix)]
            _unlimited: unlimited,
        })
    }

    /// The next line; never, once there are no more.
    async fn next(&mut self) -> SecretString {
        match self.lines.recv().await {
            Some(line) => line,
            None => std::future::pending().await,
        }
    }
}

/// A line with its backspaces done, as nobody else does them without the kernel's line editing.
fn typed(line: &str) -> SecretString {
    let mut text = String::new();
    for ch in line.chars() {
        match ch {
            '\u{8}' | '\u{7f}' => drop(text.pop()),
            '\u{15}' => text.clear(),
            ch => text.push(ch),
        }
    }
    text.trim().into()
}

/// A terminal without its line mode; as it was, when dropped.
#[cfg(unix)]
struct Unlimited(rustix::termios::Termios);

#[cfg(unix)]
impl Unlimited {
    fn new() -> std::io::Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut unlimited = before.clone();
        unlimited.local_modes.remove(LocalModes::ICANON);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &unlimited)?;
        Ok(Self(before))
    }
}

#[cfg(unix)]
impl Drop for Unlimited {
    fn drop(&mut self) {
        let _ = rustix::termios::tcsetattr(
            std::io::stdin(),
            rustix::termios::OptionalActions::Now,
            &self.0,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backspaces_are_done() {
        assert_eq!(typed("abx\u{7f}c \r\n").expose_secret(), "abc");
        assert_eq!(typed("wrong\u{15}right").expose_secret(), "right");
    }
}
