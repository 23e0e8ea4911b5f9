//! The event loop: waits for events, performs the effects, and draws.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::style;
use ratatui::Frame;
use ratatui::layout::Size;
use tokio::sync::mpsc;

use super::background::Background;
use super::error::TuiError;
use super::keys::pressed;
use super::message::{Effect, Event, Msg};
use super::model::Model;
use super::profiles;
use super::saves::{Save, Saves};
use super::terminal::display::Display;
use super::terminal::guard::{self, Guard, LAST_BYTES, LAST_BYTES_IN_A_HURRY, Output};
use super::terminal::input::{self, Resized};
use super::terminal::joiner::{Joined, Joiner};
use super::terminal::links;
use super::update::update;
use super::view;
use crate::certificate::created::Created;
use crate::configure;
use crate::console::clipboard;
use crate::console::environment::{Environment, Terminal};
use crate::console::jobs::{self, Job, Jobs};
use crate::console::sequences;
use crate::console::signals::Signals;
use crate::demo::Demo;
use crate::flow::driver::Flow;
use crate::flow::reporter::Report;
use crate::flow::store_key;
use crate::form::settings::Settings;
use crate::outcome::Print;
use crate::outcome::exit;
use crate::presets::Library;
use crate::runtime::{self, until};
use crate::secret::SecretString;
use crate::session::Started;
use crate::session::clock::Moment;
use crate::session::profiles::Profiles;
use crate::zone;

/// How often to check that the terminal still exists. The check requests the size of the window, which writes nothing
/// and fails if the terminal disappeared without a signal.
const ALIVE: Duration = Duration::from_secs(10);

/// Maximum number of keys between two looks at everything else, such as signals.
const KEYS_AT_ONCE: usize = 256;

/// Minimum time for writing the last bytes if the terminal was slow with the previous ones.
const AT_LEAST: Duration = Duration::from_millis(100);

/// The key that always works.
const CTRL_C: KeyEvent = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);

/// How the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// The user quit, or the result for the caller is available.
    Left,
    /// A signal arrived, or the terminal disappeared.
    Interrupted,
}

/// Runs the full-screen front end until the user quits, or until the result that `print` requests is available; `put`
/// then prints it. `profiles` contains the folders of profiles and the open profile. Returns the exit code.
///
/// # Errors
/// Returns an error if there is no terminal, or if it can't be used.
pub fn run(
    environment: Environment,
    settings: Settings,
    library: Library,
    profiles: Profiles,
    print: Option<Print>,
    put: fn(&SecretString) -> Result<(), String>,
) -> Result<u8, TuiError> {
    let output = guard::output().map_err(TuiError::NoTerminal)?;
    let runtime = runtime::new()?;
    let demo = settings.preset().embedded_server;
    let mut model = Model::new(environment, settings, library);
    model.session.profiles = profiles;
    model.print = print;
    // With a result to print, quitting before it is available counts as interrupted.
    model.exit = if print.is_some() {
        exit::INTERRUPTED
    } else {
        exit::DONE
    };
    if model.console.environment.colors {
        // The environment was already evaluated; without this, crossterm would read NO_COLOR again.
        style::force_color_output(true);
    }
    let outcome = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut jobs = Jobs::new();
        let guard = Guard::enter(output.try_clone()?)?;
        let mut shell = Shell::new(model, output, put)?;
        if demo {
            shell.start_demo().await;
        }
        let mut ending = shell.run(&mut signals, &mut jobs).await;
        let limit = if matches!(ending, Ok(Ending::Left)) {
            LAST_BYTES
        } else {
            LAST_BYTES_IN_A_HURRY
        };
        let last = Instant::now() + limit;
        let settled = shell.display.settle(limit).await;
        ending = ending.and_then(|ending| settled.map(|()| ending).map_err(TuiError::from));
        if ending.is_err() && !guard::is_there(&shell.output) {
            // The terminal disappeared before a signal reported it.
            ending = Ok(Ending::Interrupted);
        }
        let hurry = !matches!(ending, Ok(Ending::Left));
        // Restore the screen before anything that may take a while.
        guard.leave(last.saturating_duration_since(Instant::now()).max(AT_LEAST));
        let saved = shell.saves.finish_before_the_end(&mut signals, hurry).await;
        saved.map_err(TuiError::Save)?;
        match (ending?, shell.model.result.take()) {
            (Ending::Interrupted, _) => Ok(exit::INTERRUPTED),
            (Ending::Left, None) => Ok(shell.model.exit),
            // A signal ends the program even if nobody reads the output.
            (Ending::Left, Some(text)) => {
                match signals.unless_asked_to_end(move || put(&text)).await {
                    Some(Ok(())) => Ok(shell.model.exit),
                    Some(Err(reason)) => Err(TuiError::Print(reason)),
                    None => Ok(exit::INTERRUPTED),
                }
            }
        }
    });
    runtime.shutdown_background();
    outcome
}

/// The event loop and the state that it needs to perform effects.
struct Shell {
    model: Model,
    output: Output,
    display: Display,
    began: Instant,
    joiner: Joiner,
    /// When an Esc arrived that opened a question.
    asked: Option<Instant>,
    flow: Option<Flow>,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    background: Background,
    put: fn(&SecretString) -> Result<(), String>,
    demo: Option<Demo>,
    saves: Saves,
    ended: bool,
    /// Whether anything may have changed since the last draw.
    stale: bool,
}

impl Shell {
    fn new(
        model: Model,
        output: Output,
        put: fn(&SecretString) -> Result<(), String>,
    ) -> io::Result<Self> {
        let events = mpsc::channel(16);
        let moves_rows = sequences::moves_rows(&model.console.environment);
        let mut shell = Self {
            display: Display::new(output.try_clone()?, moves_rows)?,
            model,
            output,
            began: Instant::now(),
            joiner: Joiner::default(),
            asked: None,
            flow: None,
            reports: mpsc::channel(64),
            background: Background::new(events.0.clone()),
            events,
            put,
            demo: None,
            saves: Saves::default(),
            ended: false,
            stale: true,
        };
        if let Ok(size) = shell.display.size() {
            shell.model.console.size = (size.width, size.height);
        }
        Ok(shell)
    }

    async fn run(&mut self, signals: &mut Signals, jobs: &mut Jobs) -> Result<Ending, TuiError> {
        self.draw()?;
        let mut input = input::start(self.model.console.environment.terminal == Terminal::Linux);
        let mut resized = Resized::watch()?;
        let mut gone = guard::watch(self.output.try_clone()?);
        let mut alive = tokio::time::interval(ALIVE);
        alive.reset();
        let mut shown = false;
        loop {
            if !shown && self.display.is_ready() {
                shown = true;
                self.begin_the_rest().await?;
            }
            // Counted from when the model last read the clock, whatever has happened since.
            let tick = self.model.next_tick();
            let tick = tick.map(|tick| self.began + self.model.console.now.up + tick);
            let joined = self.joiner.deadline().map(|deadline| self.began + deadline);
            tokio::select! {
                // Events that end the program come first, and the flow comes before keys, so that a key acts on the
                // latest state.
                biased;
                () = guard::panicked() => return Err(TuiError::Defect),
                () = signals.next() => return Ok(Ending::Interrupted),
                Some(()) = gone.recv() => return Ok(Ending::Interrupted),
                written = self.display.written() => written?,
                job = jobs.next() => self.on_job(job).await?,
                Some((attempt, event)) = self.reports.1.recv() => self.take(Event::Flow(attempt, event)).await?,
                Some(event) = self.events.1.recv() => self.take(event).await?,
                Some(event) = self.saves.next(), if !self.saves.is_empty() => self.take(event).await?,
                () = resized.next() => self.resize().await?,
                () = until(tick), if tick.is_some() => self.take(Event::Tick).await?,
                event = input.recv() => match event {
                    Some((event, at)) => self.on_terminal_event(event, at).await?,
                    // The terminal can't be read any more.
                    None => return Ok(Ending::Interrupted),
                },
                // After the keys, which may have arrived before the deadline.
                () = until(joined), if joined.is_some() => {
                    // Slightly after the deadline, so that it has passed.
                    let joined = self.joiner.expire(self.began.elapsed() + Duration::from_millis(1));
                    self.take_joined(joined).await?;
                }
                _ = alive.tick() => {
                    if !guard::is_there(&self.output) {
                        return Ok(Ending::Interrupted);
                    }
                    // Some terminals don't report a change of the window's size.
                    let (columns, rows) = self.model.console.size;
                    if self.display.size().is_ok_and(|size| size == Size::new(columns, rows)) {
                        continue;
                    }
                    self.resize().await?;
                }
            }
            for _ in 0..KEYS_AT_ONCE {
                let Ok((event, at)) = input.try_recv() else {
                    break;
                };
                self.on_terminal_event(event, at).await?;
                if self.ended {
                    return Ok(Ending::Left);
                }
            }
            // If keys arrive all the time, the loop never waits. Signals and timers are noticed only here.
            tokio::task::yield_now().await;
            // One frame shows all waiting events of a busy flow.
            while let Ok((attempt, event)) = self.reports.1.try_recv() {
                self.take(Event::Flow(attempt, event)).await?;
            }
            if self.ended {
                return Ok(Ending::Left);
            }
            self.draw()?;
        }
    }

    /// Starts the work that the first frame doesn't need, once the terminal shows that frame.
    async fn begin_the_rest(&mut self) -> Result<(), TuiError> {
        self.background
            .run(|| Event::Library(Box::new(Library::load_user())));
        if let Some(task) = self.model.session.load_profile_tokens() {
            self.perform(Effect::Profile(task)).await?;
        }
        self.ask_tmux();
        Ok(())
    }

    /// Handles that the program is about to be stopped, or was resumed.
    async fn on_job(&mut self, job: Job) -> Result<(), TuiError> {
        if let Job::Leave(_) = job {
            if guard::is_in_foreground(&self.output) {
                self.display.settle(LAST_BYTES_IN_A_HURRY).await?;
            }
            guard::leave(&self.output);
            return Ok(());
        }
        guard::take_again(&self.output)?;
        self.wipe();
        self.resize().await
    }

    /// Wipes the screen, so that all of it is redrawn.
    fn wipe(&mut self) {
        let mut alone = self.model.alone().cloned();
        if alone.is_none() && view::is_plain(&self.model) {
            // The value is already in the scrollback. Only the way back remains to be shown.
            alone = Some(SecretString::default());
        }
        self.display.wipe(alone);
    }

    /// Handles keys, pastes and resizes. Other events, such as the release of a key, are ignored.
    async fn on_terminal_event(
        &mut self,
        event: TerminalEvent,
        at: Instant,
    ) -> Result<(), TuiError> {
        match event {
            TerminalEvent::Key(key)
                if matches!(key.kind, KeyEventKind::Press | KeyEventKind::Repeat) =>
            {
                for key in pressed(key, |letter| self.model.is_alt(letter)) {
                    self.on_key(key, at).await?;
                }
                Ok(())
            }
            TerminalEvent::Paste(text) => {
                let before = self.joiner.saw_paste();
                self.take_joined(before).await?;
                self.take(Event::Paste(text)).await
            }
            // Sent on Windows. The size in the event is not the size of the window.
            TerminalEvent::Resize(..) => self.resize().await,
            TerminalEvent::Key(_)
            | TerminalEvent::FocusGained
            | TerminalEvent::FocusLost
            | TerminalEvent::Mouse(_) => Ok(()),
        }
    }

    async fn on_key(&mut self, key: KeyEvent, at: Instant) -> Result<(), TuiError> {
        // A key that came with an Esc doesn't answer the question that the Esc opened, but Ctrl+C always works.
        if self.asked == Some(at) && key != CTRL_C {
            return Ok(());
        }
        let is_asked = self.model.has_dialog() || key.code != KeyCode::Esc;
        let typing = self.model.context().is_typed();
        let mosh = self.model.console.environment.mosh;
        self.joiner.through_mosh(mosh);
        let since = at.saturating_duration_since(self.began);
        let joined = self.joiner.feed(key, since, typing);
        self.take_joined(joined).await?;
        self.asked = Some(at).filter(|_| !is_asked && self.model.has_dialog());
        Ok(())
    }

    async fn resize(&mut self) -> Result<(), TuiError> {
        match self.display.size() {
            Ok(size) => self.take(Event::Resized(size.width, size.height)).await,
            Err(_) => Ok(()),
        }
    }

    async fn take_joined(&mut self, joined: Vec<Joined>) -> Result<(), TuiError> {
        for one in joined {
            let event = match one {
                Joined::Key(key) => Event::Key(key),
                Joined::Paste(text) => Event::Paste(text),
            };
            self.take(event).await?;
        }
        Ok(())
    }

    async fn take(&mut self, event: Event) -> Result<(), TuiError> {
        self.stale = true;
        let at = Moment::new(self.began.elapsed(), &zone::now());
        for effect in update(&mut self.model, Msg { at, event }) {
            self.perform(effect).await?;
        }
        Ok(())
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), TuiError> {
        match effect {
            Effect::Start(Started { job, attempt }) => {
                self.ask_tmux();
                let (before, reports) = (self.flow.take(), self.reports.0.clone());
                self.flow = Some(Flow::start(*job, attempt, before, reports));
            }
            Effect::Cancel => {
                if let Some(flow) = &self.flow {
                    flow.cancel();
                }
            }
            Effect::Paste(text) => {
                if self.flow.as_ref().is_some_and(|flow| !flow.paste(text)) {
                    let _ = self.events.0.try_send(Event::PasteLost);
                }
            }
            Effect::Save(content, path) => {
                if let Some(text) = content.text(&self.model.session) {
                    self.saves.push(Save::File(content, path, text));
                } else {
                    let gone = Err("it is no longer there".to_owned());
                    let _ = self.events.0.try_send(Event::Saved(content, gone));
                }
            }
            Effect::Copy(content) => {
                if let Some(text) = content.text(&self.model.session) {
                    if let Some(prelude) =
                        clipboard::prelude(&self.model.console.environment, &text)
                    {
                        self.display.send(prelude.into());
                    }
                    let environment = self.model.console.environment.clone();
                    self.background.copy(environment, content, text);
                }
            }
            Effect::ClearClipboard => self.background.clear_clipboard(),
            Effect::Send(sequence) => self.display.send(sequence),
            Effect::OpenBrowser(url, attempt) => {
                let environment = self.model.console.environment.clone();
                self.background.open_browser(environment, url, attempt);
            }
            Effect::ShowInScrollback(value) => self.display.show_in_scrollback(value),
            Effect::SetUp(task, number) => {
                self.background.run(move || {
                    let report = Box::new(configure::perform(&task));
                    Event::SetUp(number, report, Box::new(Created::load_user()))
                });
            }
            Effect::ListStoreKeys => {
                self.background
                    .run(|| Event::StoreKeys(store_key::list(SystemTime::now())));
            }
            Effect::Profile(task) => match task.writes() {
                Some(what) => self.saves.push(Save::Profile(what, Box::new(task))),
                None => self
                    .background
                    .run(|| Event::Profile(Box::new(profiles::perform(task)))),
            },
            Effect::StartDemo => self.start_demo().await,
            Effect::ApproveDemo(url) => self.background.approve_demo(url),
            Effect::Redraw => self.wipe(),
            Effect::Suspend => jobs::suspend(),
            Effect::Quit => self.quit(),
        }
        Ok(())
    }

    async fn start_demo(&mut self) {
        let demo = match &mut self.demo {
            Some(demo) => Ok(demo),
            none => Demo::start().await.map(|demo| none.insert(demo)),
        };
        let url = demo.map(|demo| demo.url().to_owned());
        let event = Event::Demo(url.map_err(|error| error.to_string()));
        let _ = self.events.0.try_send(event);
    }

    /// Ends the program. A result for a file is written first, so that the tokens stay on the screen if that fails.
    fn quit(&mut self) {
        if writes_to_file()
            && let Some(text) = self.model.result.take()
        {
            let put = self.put;
            self.model.exit = exit::INTERRUPTED;
            return self.background.run(move || Event::Printed(put(&text)));
        }
        self.ended = true;
    }

    /// Asks tmux in the background, because it may take a while, whether the user is at this desktop.
    fn ask_tmux(&self) {
        self.background
            .ask_tmux(self.model.console.environment.clone());
    }

    /// Draws the latest state, once the terminal has received the previous output.
    fn draw(&mut self) -> io::Result<()> {
        if !self.display.is_ready() {
            return Ok(());
        }
        let due = std::mem::take(&mut self.stale) && !view::is_plain(&self.model);
        let model = &self.model;
        let frame = |frame: &mut Frame<'_>| {
            view::view(model, frame);
            if sequences::takes_links(&model.console.environment) {
                for url in view::urls(model) {
                    links::put(frame.buffer_mut(), model.console.theme, &url);
                }
            }
        };
        self.display.draw(due.then_some(frame))
    }
}

/// Returns whether standard output is a file or a device that is not a terminal.
fn writes_to_file() -> bool {
    #[cfg(unix)]
    return crate::console::device::writes_to_file();
    #[cfg(windows)]
    false
}
