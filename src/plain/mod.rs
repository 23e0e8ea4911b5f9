//! The line-by-line interface: runs a flow with messages on standard error, for screen readers, logs and scripts.
//!
//! Standard output contains only the result. A signal ends the program even if nobody reads its output. A line on
//! standard input is used as the pasted response; the end of a pipe never ends the wait. A user at a terminal who did
//! not choose what to print is asked once the tokens have arrived.

mod input;
mod messages;
mod question;
mod saving;
mod typing;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use self::input::{Input, Waiting, is_quit};
use self::question::{Choice, Question};
use crate::console::browser;
use crate::console::environment::{Environment, Terminal};
use crate::console::jobs::{Job, Jobs};
use crate::console::signals::Signals;
use crate::console::talk::{self, Often, say, say_often};
use crate::console::typed_line;
use crate::demo::Demo;
use crate::flow::driver::Flow;
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::reporter::Report;
use crate::form::choices::Overwrite;
use crate::form::explain::Explanation;
use crate::form::request;
use crate::form::settings::Settings;
use crate::keeper::save::try_place;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::token::TokenSet;
use crate::outcome::Print;
use crate::outcome::exit;
use crate::presets::Library;
use crate::profile::places::Place;
use crate::runtime;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::clock::Moment;
use crate::session::run::Run;
use crate::session::tokens::TokenState;
use crate::session::{Refused, Session, SessionEvent, Started};
use crate::zone;

/// How long to wait at the end for threads that are still busy, for example with a DNS lookup.
const LAST_THREADS: Duration = Duration::from_millis(100);

/// Runs the flow selected in the settings, saves the tokens to the profile `save`, and calls `put` to print the
/// requested ones. Returns the exit code, after any error was written to standard error.
pub fn run(
    environment: &Environment,
    settings: Settings,
    library: Library,
    print: Option<Print>,
    save: Option<Place>,
    put: fn(&SecretString) -> Result<(), String>,
) -> u8 {
    match authorize(environment, settings, library, print, save, put) {
        Ok(()) => exit::DONE,
        Err(code) => code,
    }
}

fn authorize(
    environment: &Environment,
    settings: Settings,
    library: Library,
    print: Option<Print>,
    save: Option<Place>,
    put: fn(&SecretString) -> Result<(), String>,
) -> Result<(), u8> {
    if print.is_none() && save.is_none() && !std::io::stdin().is_terminal() {
        say(
            "error",
            "No terminal to prompt on. Add --print access-token, refresh-token, id-token or json, or run the program in a \
             terminal, for example with ssh -t, docker run -it or kubectl exec -it.",
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
    typed_line::set_moves(environment.terminal != Terminal::Dumb);
    if let Some(place) = &save {
        // Check before the user signs in.
        try_place(place).map_err(|error| saving::say_unsaved(place, &error))?;
    }
    let runtime = runtime::new().map_err(failed)?;
    let outcome = runtime.block_on(async {
        let mut front = Front {
            environment,
            session: Session::new(settings, library),
            signals: Signals::new().map_err(failed)?,
            jobs: Jobs::new(),
            input: None,
            waiting: Waiting::begin(),
            began: Instant::now(),
            device_code: false,
            save,
            put,
        };
        let outcome = front.tokens(print).await;
        // Let a slow reader read everything, unless a signal ended the program.
        if outcome != Err(exit::INTERRUPTED) {
            let finish = || talk::finish(None);
            front.signals.unless_asked_to_end(finish).await;
        }
        outcome
    });
    // Idle threads end now; a busy thread ends with the program.
    runtime.shutdown_timeout(LAST_THREADS);
    outcome
}

/// Installs a panic hook that shows only the location of a panic: the message may contain a secret.
fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info
            .location()
            .map(|place| format!(" at {}:{}", place.file(), place.line()))
            .unwrap_or_default();
        say(
            "error",
            &format!("the program ended because of a bug{place}. Please report this line"),
        );
        talk::flush();
    }));
}

struct Front<'a> {
    environment: &'a Environment,
    session: Session,
    signals: Signals,
    jobs: Jobs,
    input: Option<Input>,
    /// The modes of the terminal while there is no input.
    waiting: Waiting,
    /// When the program started.
    began: Instant,
    /// Whether the settings would also work with the device code flow.
    device_code: bool,
    /// Where to save the tokens and settings.
    save: Option<Place>,
    /// The function that prints the result.
    put: fn(&SecretString) -> Result<(), String>,
}

impl Front<'_> {
    /// Gets the tokens and prints the requested ones.
    async fn tokens(&mut self, print: Option<Print>) -> Result<(), u8> {
        let failed = |error: std::io::Error| {
            say("error", &error.to_string());
            exit::FAILED
        };
        let settings = &mut self.session.settings;
        let _demo = if settings.preset().embedded_server {
            let demo = Demo::start().await.map_err(failed)?;
            settings.set_server(demo.url());
            let notice = settings.preset().token_notice.as_deref();
            say("hint", notice.unwrap_or_default());
            Some(demo)
        } else {
            None
        };
        self.discover().await?;
        let settings: &Settings = &self.session.settings;
        messages::check_form(settings)?;
        self.device_code = settings.offers(FlowKind::DeviceCode) && {
            let mut other = settings.clone();
            other.set_flow(FlowKind::DeviceCode);
            request::request(&other).is_ok()
        };
        let tokens = self.authorize().await?;
        let mut saved = self.save(&tokens).await?;
        let printed = match (print, saved) {
            (None, Some(Ok(()))) => return Ok(()),
            // There is no user to ask what to do with the tokens.
            (None, Some(Err(_))) if !std::io::stdin().is_terminal() => {
                return self.save_later(&tokens).await;
            }
            (None, _) => self.ask(&tokens, &mut saved, false).await,
            (Some(print), _) => self.put(print, &tokens, &mut saved).await,
        };
        if print.is_some() && printed.is_ok() && matches!(saved, Some(Err(_))) {
            saved = Some(self.save_later(&tokens).await);
        }
        match saved {
            Some(Err(_)) if printed.is_ok() => Err(exit::NOT_STORED),
            _ => printed,
        }
    }

    /// Saves the tokens and settings as a profile, if that was requested.
    async fn save(&mut self, tokens: &TokenState) -> Result<Option<Result<(), u8>>, u8> {
        let Some(place) = &self.save else {
            return Ok(None);
        };
        let settings = &self.session.settings;
        let saved = saving::save(place, settings, tokens, &mut self.signals).await;
        saved.map(Some).ok_or_else(|| Stopped::Signal.say())
    }

    /// Retries until saving succeeds or takes too long.
    async fn save_later(&mut self, tokens: &TokenState) -> Result<(), u8> {
        self.waiting.again();
        let Some(place) = &self.save else {
            return Ok(());
        };
        let settings = &self.session.settings;
        saving::save_later(place, settings, tokens, &mut self.signals)
            .await
            .unwrap_or_else(|| Err(Stopped::Signal.say()))
    }

    /// Prints the requested tokens. If that fails, asks a user at a terminal: the tokens would be lost.
    async fn put(
        &mut self,
        print: Print,
        tokens: &TokenState,
        saved: &mut Option<Result<(), u8>>,
    ) -> Result<(), u8> {
        // This restores the terminal.
        self.input.iter_mut().for_each(Input::leave);
        self.waiting.again();
        let Err(reason) = self.print(print, &tokens.set).await? else {
            return Ok(());
        };
        say("error", &reason);
        if print.text(&tokens.set).is_err() || !std::io::stdin().is_terminal() {
            return Err(exit::FAILED);
        }
        self.ask(tokens, saved, true).await
    }

    /// Prints the requested value, or returns why that is impossible. A signal ends the program even if nobody reads
    /// it.
    async fn print(&mut self, print: Print, tokens: &TokenSet) -> Result<Result<(), String>, u8> {
        let text = match print.text(tokens) {
            Ok(text) => text,
            Err(reason) => return Ok(Err(reason)),
        };
        let put = self.put;
        let printed = self.signals.unless_asked_to_end(move || {
            // On a terminal, earlier messages must appear before the result.
            talk::flush();
            put(&text)
        });
        printed.await.ok_or_else(|| Stopped::Signal.say())
    }

    /// Fetches the issuer's metadata first, if the settings require it. Endpoints entered by the user stay.
    async fn discover(&mut self) -> Result<(), u8> {
        if !self.session.settings.requires_metadata() {
            return Ok(());
        }
        let complete = request::request(&self.session.settings).is_ok();
        let started = match self.session.discover(Overwrite::Nothing) {
            Ok(started) => started,
            // Report this error now: missing endpoints may be only a consequence of it.
            Err(Refused::Form(problems)) => {
                for problem in problems {
                    messages::say_problem(&problem, &self.session.settings);
                }
                return Err(exit::USAGE);
            }
            Err(Refused::MailAddress(address)) => {
                say(
                    "error",
                    &format!(
                        "Issuer: {address} is an email address. Select the preset of its mail service with --preset, or \
                            enter the issuer's URL with --issuer."
                    ),
                );
                return Err(exit::USAGE);
            }
            Err(_) => return Ok(()),
        };
        match self.run(started).await {
            Ok(()) => Ok(()),
            // The settings are complete without the metadata. But metadata of another issuer is not the same as missing
            // metadata: nothing may be sent to a service other than the one that the user named.
            Err(Stopped::Flow(error, _)) if complete && !error.is_issuer_mismatch() => {
                say("hint", &error.to_string());
                Ok(())
            }
            Err(error) => Err(error.say()),
        }
    }

    async fn authorize(&mut self) -> Result<TokenState, u8> {
        let started = self.session.authorize().map_err(|_| exit::USAGE)?;
        if let Err(stopped) = self.run(started).await {
            return Err(match &stopped {
                Stopped::Flow(error, Some(explanation)) => {
                    messages::say_explained_error(error, explanation, &self.session.settings)
                }
                _ => stopped.say(),
            });
        }
        let tokens = self.session.tokens.take();
        tokens.ok_or(exit::FAILED)
    }

    /// Asks what to print, until the user quits. Also retries to save tokens that were not saved. After a result that
    /// could not be printed, asks only until the user has the tokens. Saving them then still ends with an error, because
    /// whoever reads standard output has got nothing.
    async fn ask(
        &mut self,
        tokens: &TokenState,
        saved: &mut Option<Result<(), u8>>,
        is_unprinted: bool,
    ) -> Result<(), u8> {
        let question = Question {
            is_unsaved: matches!(saved, Some(Err(_))),
            is_saved: matches!(saved, Some(Ok(()))),
            is_unprinted,
        };
        let quit = if is_unprinted {
            Err(exit::FAILED)
        } else {
            Ok(())
        };
        let mut input = self.input.take().unwrap_or_else(Input::start);
        input.begin_question();
        say("hint", &question.text());
        loop {
            let line = tokio::select! {
                biased;
                () = self.signals.next() => return Err(Stopped::Signal.say()),
                job = self.jobs.next() => {
                    match job {
                        Job::Leave(_) => input.leave(),
                        // Repeat the question: the shell has written over it.
                        Job::Return => {
                            input.take_again();
                            say("hint", &question.text());
                        }
                    }
                    continue;
                }
                line = input.next_word() => line,
            };
            let Some(line) = line else { return quit };
            match question.choice(line.expose_secret()) {
                Choice::Quit => return quit,
                Choice::SaveProfile => {
                    *saved = self.save(tokens).await?;
                    if let Some(Ok(())) = saved {
                        return quit;
                    }
                }
                Choice::SaveFile(path) => {
                    let saved = question::save_file(&path, &tokens.set, &mut self.signals).await;
                    if saved.ok_or_else(|| Stopped::Signal.say())? {
                        return quit;
                    }
                }
                Choice::Print(print) => match self.print(print, &tokens.set).await? {
                    Ok(()) if is_unprinted => return Ok(()),
                    Ok(()) => {}
                    Err(reason) => say("error", &reason),
                },
                Choice::Unknown => say("hint", &question.unknown()),
            }
        }
    }

    /// Runs a started task until it ends.
    async fn run(&mut self, started: Started) -> Result<(), Stopped> {
        let (reports, mut events) = mpsc::channel::<Report>(64);
        let flow = Flow::start(*started.job, started.attempt, None, reports);
        // A line that is not yet passed to the flow; the next line is read after that.
        let mut waiting: Option<SecretString> = None;
        let mut takes_pastes = false;
        loop {
            let line = async {
                match &mut self.input {
                    Some(input) => input.next_answer().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.signals.next() => return Err(Stopped::Signal),
                job = self.jobs.next() => match (job, &mut self.input) {
                    (Job::Leave(_), Some(input)) => input.leave(),
                    (Job::Return, Some(input)) => input.take_again(),
                    (Job::Leave(_), None) => self.waiting = Waiting::default(),
                    (Job::Return, None) => self.waiting.again(),
                },
                report = events.recv() => {
                    let (attempt, event) = report.ok_or(Stopped::Defect)?;
                    self.say_event(&event);
                    let now = Moment::new(self.began.elapsed(), &zone::now());
                    let signs_in = matches!(event, FlowEvent::SignIn { .. });
                    takes_pastes |= signs_in;
                    let outcome = self.session.hear(attempt, event, now, self.environment);
                    if signs_in && let Some(advice) = self.session.sign_in().and_then(Run::if_no_sign_in) {
                        say("hint", &advice);
                    }
                    match outcome {
                        Some(SessionEvent::Tokens { .. } | SessionEvent::Discovered { .. }) => return Ok(()),
                        Some(SessionEvent::SignInFailed(error, ended)) => {
                            return Err(Stopped::Flow(error, ended.explanation));
                        }
                        Some(SessionEvent::DiscoveryFailed(error)) => return Err(Stopped::Flow(error, None)),
                        _ => {}
                    }
                }
                room = flow.room_for_a_paste(), if waiting.is_some() => {
                    if let (Some(room), Some(line)) = (room, waiting.take()) {
                        room.send(line);
                    }
                }
                line = line, if waiting.is_none() => {
                    if is_quit(line.expose_secret()) {
                        return Err(Stopped::Quit);
                    }
                    match self.session.explain_paste(line.expose_secret()) {
                        Some(page) => messages::say_page(&page, &self.session.settings),
                        None if takes_pastes => waiting = Some(line),
                        None => say_often(Often::Paste, "a line: there is nothing to enter now, except quit"),
                    }
                }
            }
        }
    }

    fn say_event(&mut self, event: &FlowEvent) {
        let FlowEvent::SignIn {
            url,
            redirect_url,
            listening,
            certificate,
        } = event
        else {
            messages::say_event(event);
            // Nothing is pasted, but the user may quit.
            if matches!(event, FlowEvent::DeviceCode { .. }) && std::io::stdin().is_terminal() {
                self.input.get_or_insert_with(Input::start);
            }
            return;
        };
        messages::say_sign_in(
            self.environment,
            self.device_code,
            url,
            redirect_url,
            listening,
            certificate.as_deref(),
        );
        self.input = Some(Input::start());
        if self.environment.can_browse() {
            tokio::spawn(browser::open(self.environment.clone(), url.clone()));
        }
    }
}

/// Why a run ended without a result.
enum Stopped {
    /// The error, with an explanation if there is one.
    Flow(FlowError, Option<Explanation>),
    Signal,
    /// The user entered quit.
    Quit,
    Defect,
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Flow(error, _) => error.fmt(f),
            Self::Signal => f.write_str("The program was interrupted."),
            Self::Quit => f.write_str("You quit before the sign-in was completed."),
            Self::Defect => f.write_str("The program ended because of a bug."),
        }
    }
}

impl Stopped {
    fn say(&self) -> u8 {
        let code = match self {
            Self::Flow(error, _) => return messages::say_error(error),
            Self::Signal | Self::Quit => exit::INTERRUPTED,
            Self::Defect => exit::FAILED,
        };
        say("error", &self.to_string());
        code
    }
}
