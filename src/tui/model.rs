//! All that the screens show. One owner: the loop.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::configuring::Configuring;
use super::keys::Context;
use super::qr::{self, Picture};
use super::widgets::editor::Editor;
use super::widgets::text::time_left;
use super::widgets::theme::Theme;
use crate::certificate::About;
use crate::certificate::created::Created;
use crate::configure::report::{Report, Task, Work};
use crate::console::clipboard::Copied;
use crate::console::environment::Environment;
use crate::console::tunnel::Tunnel;
use crate::flow::driver::Job;
use crate::flow::event::{FlowEvent, Step};
use crate::flow::trace::Trace;
use crate::form::checks::{Problem, Severity};
use crate::form::explain::Explanation;
use crate::form::request::{self, FlowRequest};
use crate::form::settings::{ADVANCED, Access, Key, Settings};
use crate::oauth::check::Check;
use crate::oauth::client::FlowKind;
use crate::oauth::device::Note;
use crate::oauth::id_token::{Claims, decode};
use crate::oauth::token::TokenSet;
use crate::outcome::Print;
use crate::outcome::exit;
use crate::presets::{Library, Preset};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::Readers;

/// Time as the shell saw it; nothing else here knows any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Since the program began; never goes back.
    pub up: Duration,
    /// Hour, minute and second of the wall clock here.
    pub clock: (i8, i8, i8),
}

impl Moment {
    /// As `12:01:07`.
    #[must_use]
    pub fn words(self) -> String {
        let (hour, minute, second) = self.clock;
        format!("{hour:02}:{minute:02}:{second:02}")
    }
}

/// Something happened.
#[derive(Debug)]
pub struct Msg {
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub what: News,
}

/// What happened.
pub enum News {
    /// A key was pressed.
    Key(crossterm::event::KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The window has this size: columns and rows.
    Resized(u16, u16),
    /// An attempt reports.
    Flow(u64, FlowEvent),
    /// A copy came out.
    Copied(Ticket, Copied),
    /// The browser's starter, of this attempt, ended or failed.
    Browser(u64, Result<(), String>),
    /// The demo server listens, or does not.
    Demo(Result<String, String>),
    /// The demo's person has approved, or could not.
    DemoApproved(Result<(), String>),
    /// A paste could not be handed over, as others are still being looked at.
    PasteLost,
    /// The presets of the person were read.
    Library(Box<Library>),
    /// A task of Configure…, by its number, came to this; and the certificates that there are now.
    Configured(u64, Box<Report>, Box<Created>),
    /// A file was written, or not: its path and who can read it, or why not.
    Saved(Ticket, Result<(String, Readers), String>),
    /// A time on the screen has changed.
    Tick,
}

impl std::fmt::Debug for News {
    /// The kind only: keys and pastes may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key",
            Self::Paste(_) => "Paste",
            Self::Resized(..) => "Resized",
            Self::Flow(..) => "Flow",
            Self::Copied(..) => "Copied",
            Self::Browser(..) => "Browser",
            Self::Demo(_) => "Demo",
            Self::DemoApproved(_) => "DemoApproved",
            Self::PasteLost => "PasteLost",
            Self::Library(_) => "Library",
            Self::Configured(..) => "Configured",
            Self::Saved(..) => "Saved",
            Self::Tick => "Tick",
        })
    }
}

/// What is being copied or saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Its name within a sentence.
    pub name: &'static str,
    /// The attempt that the tokens came from; `None` for what is no token.
    pub tokens_of: Option<u64>,
    /// What to do where it could not be copied.
    pub instead: &'static str,
}

/// What can be written to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The trace.
    Trace,
    /// One token, as it is.
    Value(Value),
    /// All tokens and what is known of them.
    Json,
}

impl Content {
    /// The name within a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Value(value) => value.words(),
            Self::Json => "JSON",
        }
    }

    /// The name of the file, unless the person has another one.
    #[must_use]
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Trace => "oauth-authorizer-trace.txt",
            Self::Value(Value::Access) => "oauth-authorizer-access-token.txt",
            Self::Value(Value::Refresh) => "oauth-authorizer-refresh-token.txt",
            Self::Value(Value::Id) => "oauth-authorizer-id-token.txt",
            Self::Json => "oauth-authorizer-tokens.json",
        }
    }
}

/// What `update` wants done.
#[derive(Debug)]
pub enum Effect {
    /// Run a flow under this number, after the one before has let go of its port.
    Start(Box<Job>, u64),
    /// Stop the flow under way.
    Cancel,
    /// Hand the flow what was pasted in place of the browser's return.
    Paste(SecretString),
    /// Write a file that only its owner can read.
    Save(String, SecretString, Ticket),
    /// Copy a value.
    Copy(SecretString, Ticket),
    /// Send the terminal a sequence.
    Send(SecretString),
    /// Open a browser on this machine, for this attempt.
    OpenBrowser(Url, u64),
    /// Show a value on the shell's screen, until a key is pressed.
    ShowInScrollback(SecretString),
    /// Do a task of Configure…, off the loop.
    Configure(Box<Task>, u64),
    /// Start the demo server.
    StartDemo,
    /// Let the demo's person approve.
    ApproveDemo(Url),
    /// Draw all anew.
    Redraw,
    /// To the shell.
    Suspend,
    /// The end.
    Quit,
}

/// Which screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Screen {
    /// The settings.
    Form,
    /// A flow under way or ended without tokens.
    Flow,
    /// The tokens.
    Tokens,
    /// The trace of the exchanges.
    Trace,
    /// The set-up of the listener.
    Configure,
}

/// What lies on top of the screen. One at a time.
#[derive(Debug)]
pub enum Overlay {
    /// The keys.
    Help {
        /// First line shown.
        scroll: usize,
    },
    /// What is known of the service.
    About {
        /// First line shown.
        scroll: usize,
    },
    /// The preset list.
    Presets {
        /// Filter line.
        filter: Editor,
        /// Which of the entries that fit.
        selected: usize,
        /// All presets.
        all: Vec<Arc<Preset>>,
    },
    /// Where to save it?
    Save {
        /// What will be written to the file.
        content: Content,
        /// The path.
        path: Editor,
    },
    /// The URL to open, as a QR code.
    Qr(Box<Picture>),
    /// The scope list.
    Scopes {
        /// Which entry.
        selected: usize,
    },
    /// The certificates of the machine.
    Certificates {
        /// Which entry.
        selected: usize,
    },
    /// Delete what was set up?
    Delete {
        /// The button in focus: back or delete.
        delete: bool,
    },
    /// Leave without having taken the tokens?
    Leave {
        /// The button in focus: stay or leave.
        leave: bool,
    },
    /// A value that does not fit would stay in the scrollback.
    Scrollback {
        /// The value.
        value: SecretString,
        /// The attempt that it came from, where it is a token.
        tokens_of: Option<u64>,
        /// The button in focus: back or show.
        show: bool,
    },
    /// A value stands alone on the screen, written by the shell so that only the terminal breaks it.
    Plain {
        /// The value.
        value: SecretString,
        /// The attempt that it came from, where it is a token.
        tokens_of: Option<u64>,
    },
    /// A value stands on the shell's screen until a key is pressed.
    Outside,
}

/// A button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Start the flow.
    Authorize,
    /// Show the set-up of the listener.
    Configure,
    /// Set up, verify or delete there.
    Work(Work),
    /// Copy the commands that do the same.
    CopyCommands,
    /// Ask the issuer for its metadata.
    Discover,
    /// Show what is known of the service.
    About,
    /// Show the tokens at hand.
    ShowTokens,
    /// Show the keys.
    Help,
    /// Leave the program.
    Quit,
    /// Copy the user code.
    CopyCode,
    /// Copy the URL to open.
    CopyUrl,
    /// Copy the command of the tunnel.
    CopyTunnel,
    /// Leave the browser of this sign-in, and begin one that works from any browser.
    SwitchToDeviceCode,
    /// Show the URL alone.
    PlainUrl,
    /// Show the URL as a QR code.
    QrCode,
    /// Open a browser here.
    OpenBrowser,
    /// Let the demo's person approve.
    ApproveDemo,
    /// Stop the flow.
    Cancel,
    /// The same flow again.
    Again,
    /// Back to the settings.
    Settings,
    /// Copy the chosen value.
    CopyValue,
    /// Copy the `Authorization` header.
    CopyHeader,
    /// Copy all as JSON.
    CopyJson,
    /// Show or hide the chosen value.
    Reveal,
    /// Show the chosen value alone.
    PlainValue,
    /// Save the chosen value, or all as JSON.
    SaveTokens,
    /// Ask for new tokens.
    Refresh,
    /// Show the trace.
    Trace,
    /// Save the trace.
    SaveTrace,
    /// From the trace or the set-up back to where it was opened.
    Back,
}

impl Action {
    /// The text on the button.
    #[must_use]
    pub fn label(self, model: &Model) -> &'static str {
        match self {
            Self::Authorize => "Authorize",
            Self::Configure if model.theme.utf8 => "Configure…",
            Self::Configure => "Configure...",
            Self::Work(work) => work.label(),
            Self::CopyCommands => "Copy commands",
            Self::Discover => "Discover",
            Self::About => "About",
            Self::ShowTokens => "Tokens",
            Self::Help => "Help",
            Self::Quit => "Quit",
            Self::CopyCode => "Copy code",
            Self::CopyUrl => "Copy URL",
            Self::CopyTunnel => "Copy tunnel",
            Self::SwitchToDeviceCode => "Switch to device code",
            Self::PlainUrl | Self::PlainValue => "Plain view",
            Self::QrCode => "QR code",
            Self::OpenBrowser => "Open browser",
            Self::ApproveDemo => "Approve (demo)",
            Self::Cancel => "Cancel",
            Self::Again => match &model.run {
                Some(Run {
                    phase: Phase::Failed(failure),
                    ..
                }) if failure.expired => "New code",
                _ => "Try again",
            },
            Self::Settings => "Settings",
            Self::CopyValue => "Copy",
            Self::CopyHeader => "Copy header",
            Self::CopyJson => "Copy JSON",
            Self::Reveal => match &model.tokens {
                Some(held) if held.revealed => "Hide",
                _ => "Reveal",
            },
            Self::Refresh => "Refresh",
            Self::Trace => "Trace",
            // With the other buttons of the tokens it has to fit into a small window.
            Self::SaveTokens => "Save",
            Self::SaveTrace => "Save to a file",
            Self::Back => "Back",
        }
    }

    /// The letter that presses it outside text fields.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::Authorize | Self::ApproveDemo => 'a',
            Self::Configure => 'g',
            Self::Work(Work::Verify) => 'v',
            Self::Discover | Self::SwitchToDeviceCode | Self::Work(Work::Delete) => 'd',
            Self::About => 'i',
            Self::ShowTokens | Self::CopyTunnel => 't',
            Self::Help => '?',
            Self::Quit | Self::QrCode => 'q',
            Self::CopyCode | Self::CopyValue | Self::CopyCommands => 'c',
            Self::CopyUrl => 'u',
            Self::PlainUrl | Self::PlainValue => 'p',
            Self::OpenBrowser => 'b',
            Self::Cancel => 'x',
            Self::Again => 'n',
            Self::Settings | Self::Work(Work::SetUp) => 's',
            Self::CopyHeader => 'h',
            Self::CopyJson => 'j',
            Self::Reveal => 'r',
            Self::Refresh => 'f',
            Self::Trace => 'e',
            Self::SaveTokens | Self::SaveTrace => 'w',
            Self::Back => 'z',
        }
    }
}

/// A value of the tokens panel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// The bearer token.
    Access,
    /// The refresh token.
    Refresh,
    /// The ID token.
    Id,
}

impl Value {
    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Access => "Access token",
            Self::Refresh => "Refresh token",
            Self::Id => "ID token",
        }
    }

    /// The name within a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
            Self::Id => "ID token",
        }
    }
}

/// What the person needs for the device flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Where to type the code.
    Url,
    /// The code.
    Code,
    /// The address with the code in it.
    CompleteUrl,
}

/// What the focus can be on, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A field of the form.
    Field(Key),
    /// Show or hide the secret.
    ShowSecret,
    /// Open the scope list.
    ScopeList,
    /// Ask the issuer for its metadata.
    Discover,
    /// Make the change that helps against a field's problem.
    Remedy(Key),
    /// Go to the field that an error is about.
    Explanation,
    /// Fold or unfold the advanced part.
    Advanced,
    /// Who is to listen.
    User,
    /// The thumbprint of the certificate.
    Thumbprint,
    /// Open the list of certificates.
    CertificateList,
    /// Take the redirect URL that needs no set-up, or go back from it.
    WithoutSetUp,
    /// The paste box of the authorization code flow.
    Paste,
    /// A value of the tokens panel.
    Value(Value),
    /// What the person needs for the device flow.
    Shown(Shown),
    /// A button.
    Button(Action),
}

/// How a run stands.
#[derive(Debug)]
pub enum Phase {
    /// Nothing to show yet.
    Starting,
    /// The person has a code to type.
    Device {
        /// As sent.
        user_code: String,
        /// Where to type it.
        verification_uri: Url,
        /// The same with the code in it.
        complete: Option<Url>,
        /// When the code ends.
        until: Duration,
        /// How often was asked.
        asked: u32,
        /// What the last answer said.
        note: Option<Note>,
    },
    /// The person has a URL to open.
    SignIn {
        /// The URL.
        url: Url,
        /// Where the browser will come back to.
        redirect_url: Url,
        /// Where it is awaited.
        listening: String,
        /// What the browser is shown there, where it speaks https.
        certificate: Option<Box<About>>,
        /// A browser was opened here.
        opened: bool,
    },
    /// It ended without tokens.
    Failed(Ended),
}

/// Why a run ended without tokens.
#[derive(Debug, Clone)]
pub struct Ended {
    /// What happened.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// A new code is all that is needed.
    pub expired: bool,
    /// What the service's error means, where that is known.
    pub explanation: Option<Explanation>,
}

/// A step of a run.
#[derive(Debug, Clone, Copy)]
pub struct StepLine {
    /// Which step of the flow it is.
    pub step: Step,
    /// When it began.
    pub at: Moment,
    /// How long it took, once it is done.
    pub took: Option<Duration>,
    /// It was the last one of a run that failed.
    pub failed: bool,
}

/// A run, under way or ended.
#[derive(Debug)]
pub struct Run {
    /// As read from the form.
    pub request: FlowRequest,
    /// The preset of that time.
    pub preset: Arc<Preset>,
    /// It only refreshes the tokens at hand.
    pub refresh: bool,
    /// How it stands.
    pub phase: Phase,
    /// In order.
    pub steps: Vec<StepLine>,
    /// In order.
    pub checks: Vec<Check>,
    /// Requests and connections that had nothing to do with it.
    pub strays: u32,
    /// Callbacks that were not its own, and why the last was not.
    pub not_ours: Option<(u32, String)>,
    /// What is being tried again.
    pub trouble: Option<String>,
    /// What the buttons act on.
    pub chosen: Shown,
    /// By which the browser of another machine comes back here.
    pub tunnel: Option<Tunnel>,
}

impl Run {
    /// One that has just begun.
    #[must_use]
    pub fn new(request: FlowRequest, preset: Arc<Preset>, refresh: bool) -> Self {
        Self {
            request,
            preset,
            refresh,
            phase: Phase::Starting,
            steps: Vec::new(),
            checks: Vec::new(),
            strays: 0,
            not_ours: None,
            trouble: None,
            chosen: Shown::Code,
            tunnel: None,
        }
    }

    /// True until it has ended.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !matches!(self.phase, Phase::Failed(_))
    }

    /// What the person needs, in the order of the screen.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        match &self.phase {
            Phase::Device {
                complete: Some(_), ..
            } => vec![Shown::Url, Shown::Code, Shown::CompleteUrl],
            Phase::Device { complete: None, .. } => vec![Shown::Url, Shown::Code],
            Phase::Starting | Phase::SignIn { .. } | Phase::Failed(_) => Vec::new(),
        }
    }

    /// The URLs that the person can open, the one that says most first.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        let (first, second) = match &self.phase {
            Phase::Device {
                verification_uri,
                complete,
                ..
            } => (complete.as_ref(), Some(verification_uri)),
            Phase::SignIn { url, .. } => (Some(url), None),
            Phase::Starting | Phase::Failed(_) => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The URL to open: the chosen one, else the one that says most.
    #[must_use]
    pub fn url(&self) -> Option<&Url> {
        match &self.phase {
            Phase::Device {
                verification_uri, ..
            } if self.chosen == Shown::Url => Some(verification_uri),
            Phase::Device {
                verification_uri,
                complete,
                ..
            } => Some(complete.as_ref().unwrap_or(verification_uri)),
            Phase::SignIn { url, .. } => Some(url),
            Phase::Starting | Phase::Failed(_) => None,
        }
    }
}

/// The tokens at hand.
#[derive(Debug)]
pub struct Held {
    /// The tokens.
    pub set: TokenSet,
    /// When they came.
    pub at: Moment,
    /// What was asked, for the refresh.
    pub request: FlowRequest,
    /// The preset that they came by.
    pub preset: Arc<Preset>,
    /// How the checks of the run came out.
    pub checks: Vec<Check>,
    /// The claims of the ID token, not verified.
    pub claims: Option<Claims>,
    /// Which value the buttons act on.
    pub chosen: Value,
    /// The chosen value is shown.
    pub revealed: bool,
    /// They were copied for certain, or looked at alone.
    pub taken: bool,
    /// The attempt that they came from.
    pub attempt: u64,
    /// First line shown of what stands below the values.
    pub scroll: usize,
}

impl Held {
    /// Tokens that have just come.
    #[must_use]
    pub fn new(set: TokenSet, at: Moment, run: &Run, attempt: u64) -> Self {
        let claims = set
            .id_token
            .as_ref()
            .and_then(|token| decode(token.expose_secret()));
        Self {
            set,
            at,
            request: run.request.clone(),
            preset: Arc::clone(&run.preset),
            checks: run.checks.clone(),
            claims,
            chosen: Value::Access,
            revealed: false,
            taken: false,
            attempt,
            scroll: 0,
        }
    }

    /// The word before the token in an `Authorization` header.
    #[must_use]
    pub fn header(&self) -> &str {
        self.preset.tokens.header.as_deref().unwrap_or("Bearer")
    }

    /// The values that there are.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        [Value::Access, Value::Refresh, Value::Id]
            .into_iter()
            .filter(|value| self.secret(*value).is_some())
            .collect()
    }

    /// A value.
    #[must_use]
    pub fn secret(&self, value: Value) -> Option<&SecretString> {
        match value {
            Value::Access => Some(&self.set.access_token),
            Value::Refresh => self.set.refresh_token.as_ref(),
            Value::Id => self.set.id_token.as_ref(),
        }
    }

    /// How long the access token lives from `now` on; `None` where the service did not say.
    #[must_use]
    pub fn left(&self, now: Moment) -> Option<Duration> {
        let life = Duration::from_secs(self.set.expires_in?);
        Some((self.at.up + life).saturating_sub(now.up))
    }
}

/// What is told about preset files that could not be used.
pub(super) fn left_out(library: &Library) -> Option<Message> {
    let (first, others) = library.left_out().split_first()?;
    let more = match others.len() {
        0 => String::new(),
        1 => " One more file was left out.".to_owned(),
        count => format!(" {count} more files were left out."),
    };
    Some(Message {
        text: format!("{first}{more}"),
        bad: true,
    })
}

/// A sentence for the person, always at the same place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What happened.
    pub text: String,
    /// Something went wrong.
    pub bad: bool,
}

/// All that the screens show.
#[derive(Debug)]
pub struct Model {
    /// Where the program is.
    pub environment: Environment,
    /// What the terminal can show.
    pub theme: Theme,
    /// The form's values.
    pub settings: Settings,
    /// The preset "Custom settings".
    pub custom: Arc<Preset>,
    /// All presets at hand.
    pub library: Library,
    /// The advanced part is unfolded.
    pub advanced: bool,
    /// The secret is shown.
    pub secret_shown: bool,
    /// What the focus is on.
    pub focus: Target,
    /// The line being edited, where the focus is on one.
    pub editor: Editor,
    /// Which screen.
    pub screen: Screen,
    /// What lies on top.
    pub overlay: Option<Overlay>,
    /// What the person is told.
    pub message: Option<Message>,
    /// The run that the flow screen shows.
    pub run: Option<Run>,
    /// The number of the latest attempt; news of others is dropped.
    pub attempt: u64,
    /// The tokens at hand.
    pub tokens: Option<Held>,
    /// The exchanges of the latest sign-in and what followed it.
    pub trace: Trace,
    /// First line shown of the trace.
    pub trace_scroll: usize,
    /// Where the trace was opened from.
    pub before_trace: Screen,
    /// The set-up of the listener, once it was opened.
    pub configuring: Option<Configuring>,
    /// The issuer is being asked for its metadata.
    pub discovering: bool,
    /// First line shown of the flow screen, where the focus is on no line of it.
    pub flow_scroll: usize,
    /// What the caller waits for; with it, the program ends once the tokens are there.
    pub print: Option<Print>,
    /// What goes to standard output at the end.
    pub result: Option<SecretString>,
    /// The exit code at the end.
    pub exit: u8,
    /// What was typed into the paste box.
    pub pasted: SecretString,
    /// The time of the latest message.
    pub now: Moment,
    /// Columns and rows of the window.
    pub size: (u16, u16),
}

impl Model {
    /// The form, with the focus on the first field that needs something.
    #[must_use]
    pub fn new(
        environment: Environment,
        settings: Settings,
        custom: Arc<Preset>,
        library: Library,
    ) -> Self {
        let mut model = Self {
            theme: Theme::new(&environment),
            environment,
            settings,
            custom,
            library,
            advanced: false,
            secret_shown: false,
            focus: Target::Field(Key::Preset),
            editor: Editor::default(),
            screen: Screen::Form,
            overlay: None,
            message: None,
            run: None,
            attempt: 0,
            tokens: None,
            trace: Trace::default(),
            trace_scroll: 0,
            before_trace: Screen::Form,
            configuring: None,
            discovering: false,
            flow_scroll: 0,
            print: None,
            result: None,
            exit: exit::DONE,
            pasted: SecretString::default(),
            now: Moment::default(),
            size: (80, 24),
        };
        if !model.settings.preset().is_custom() {
            model.go_to_missing();
        }
        // Told at once: its field may never have the focus.
        model.message = model.settings.secret_notice().map(|notice| Message {
            text: notice.to_owned(),
            bad: true,
        });
        model
    }

    /// The things that can have the focus, in the order of the screen.
    #[must_use]
    pub fn targets(&self) -> Vec<Target> {
        let mut targets = Vec::new();
        match self.screen {
            Screen::Form => {
                let problems = request::problems(&self.settings);
                for key in self.settings.keys() {
                    if key == ADVANCED[0] {
                        targets.push(Target::Advanced);
                    }
                    if ADVANCED.contains(&key) && !self.advanced {
                        continue;
                    }
                    let editable = self.settings.access(key) == Access::Editable;
                    targets.extend(editable.then_some(Target::Field(key)));
                    if problems
                        .iter()
                        .any(|problem| problem.key == key && self.can_be_helped(problem))
                    {
                        targets.push(Target::Remedy(key));
                    }
                    match key {
                        _ if !editable => {}
                        Key::ClientSecret if !self.settings.secret().expose_secret().is_empty() => {
                            targets.push(Target::ShowSecret);
                        }
                        Key::Scope if !self.settings.scope_list().is_empty() => {
                            targets.push(Target::ScopeList);
                        }
                        Key::Issuer if !self.settings.value(key).trim().is_empty() => {
                            targets.push(Target::Discover);
                        }
                        _ => {}
                    }
                }
            }
            Screen::Tokens => {
                targets.extend(self.tokens.iter().flat_map(Held::values).map(Target::Value));
            }
            Screen::Flow if self.can_paste() => targets.push(Target::Paste),
            Screen::Flow if self.explained_field().is_some() => targets.push(Target::Explanation),
            Screen::Flow => targets.extend(self.run.iter().flat_map(Run::shown).map(Target::Shown)),
            Screen::Configure => {
                if let Some(configuring) = self.configuring.as_ref().filter(|it| it.http_sys()) {
                    if configuring.prefix.is_ok() {
                        targets.push(Target::User);
                    }
                    if configuring.wants_certificate() {
                        targets.push(Target::Thumbprint);
                        if !configuring.certificates.is_empty() {
                            targets.push(Target::CertificateList);
                        }
                    }
                    targets.push(Target::WithoutSetUp);
                }
            }
            Screen::Trace => {}
        }
        targets.extend(self.buttons().into_iter().map(Target::Button));
        targets
    }

    /// The buttons of the screen.
    #[must_use]
    pub fn buttons(&self) -> Vec<Action> {
        match self.screen {
            Screen::Form => {
                let mut buttons = vec![Action::Authorize, Action::Configure, Action::Discover];
                if !self.settings.preset().is_custom() {
                    buttons.push(Action::About);
                }
                if self.tokens.is_some() {
                    buttons.push(Action::ShowTokens);
                }
                if !self.trace.is_empty() {
                    buttons.push(Action::Trace);
                }
                buttons.extend([Action::Help, Action::Quit]);
                buttons
            }
            Screen::Flow => self.flow_buttons(),
            Screen::Tokens => {
                let bearer = self
                    .tokens
                    .as_ref()
                    .is_some_and(|held| held.set.is_bearer() || held.header() != "Bearer");
                let mut buttons = vec![Action::CopyValue];
                buttons.extend(bearer.then_some(Action::CopyHeader));
                buttons.extend([
                    Action::CopyJson,
                    Action::Reveal,
                    Action::PlainValue,
                    Action::SaveTokens,
                ]);
                if self
                    .run
                    .as_ref()
                    .is_some_and(|run| run.refresh && run.is_live())
                {
                    buttons.push(Action::Cancel);
                } else if self
                    .tokens
                    .as_ref()
                    .is_some_and(|held| held.set.refresh_token.is_some())
                {
                    buttons.push(Action::Refresh);
                }
                buttons.extend([Action::Trace, Action::Settings, Action::Help]);
                buttons
            }
            Screen::Trace => vec![Action::Back, Action::SaveTrace, Action::Help],
            Screen::Configure => {
                let Some(configuring) = &self.configuring else {
                    return vec![Action::Back];
                };
                let works = configuring.works().iter().copied().map(Action::Work);
                let mut buttons: Vec<Action> = works.collect();
                if configuring.http_sys() && !buttons.is_empty() {
                    buttons.push(Action::CopyCommands);
                }
                buttons.extend([Action::Back, Action::Help]);
                buttons
            }
        }
    }

    /// The field that the failed run's error is about.
    #[must_use]
    pub fn explained_field(&self) -> Option<Key> {
        match &self.run.as_ref()?.phase {
            Phase::Failed(ended) => ended.explanation.as_ref()?.field,
            _ => None,
        }
    }

    /// True where one key can do something about a problem, also at a field that is locked.
    fn can_be_helped(&self, problem: &Problem) -> bool {
        let access = self.settings.access(problem.key);
        problem.remedy.is_some() && matches!(access, Access::Editable | Access::Locked)
    }

    /// The first problem of a field that has a remedy.
    #[must_use]
    pub fn remedied(&self, key: Key) -> Option<Problem> {
        request::problems(&self.settings)
            .into_iter()
            .find(|problem| problem.key == key && problem.remedy.is_some())
    }

    /// True while an answer can be pasted.
    #[must_use]
    pub fn can_paste(&self) -> bool {
        matches!(
            &self.run,
            Some(Run {
                phase: Phase::SignIn { .. },
                ..
            })
        )
    }

    /// The settings with the device code flow, where a sign-in waits for a browser that cannot be opened here and they would
    /// do as they are.
    #[must_use]
    pub fn with_device_code(&self) -> Option<Settings> {
        if !self.can_paste()
            || self.environment.can_browse()
            || !self.settings.offers(FlowKind::DeviceCode)
        {
            return None;
        }
        let mut settings = self.settings.clone();
        settings.set_flow(FlowKind::DeviceCode);
        request::request(&settings).is_ok().then_some(settings)
    }

    fn flow_buttons(&self) -> Vec<Action> {
        let Some(run) = &self.run else {
            return vec![Action::Settings];
        };
        let mut buttons = Vec::new();
        match &run.phase {
            Phase::Starting => {}
            Phase::Device { .. } => {
                buttons.extend([Action::CopyCode, Action::CopyUrl]);
                // Where it cannot be shown, pressing it says why; but not where no window of this size could.
                buttons.extend(qr::has_room(self.size).then_some(Action::QrCode));
                buttons.push(Action::PlainUrl);
            }
            Phase::SignIn { url, .. } => {
                buttons.push(Action::CopyUrl);
                buttons.extend(run.tunnel.is_some().then_some(Action::CopyTunnel));
                // Few of these URLs are short enough.
                let fits = qr::version(self.theme, self.size, url).is_ok();
                buttons.extend(fits.then_some(Action::QrCode));
                buttons.push(Action::PlainUrl);
                buttons.extend(
                    self.with_device_code()
                        .is_some()
                        .then_some(Action::SwitchToDeviceCode),
                );
            }
            Phase::Failed(_) => {
                return vec![Action::Again, Action::Trace, Action::Settings, Action::Help];
            }
        }
        if run.url().is_some() {
            if self.environment.can_browse() {
                buttons.push(Action::OpenBrowser);
            }
            if self.settings.preset().embedded_server {
                buttons.push(Action::ApproveDemo);
            }
        }
        buttons.extend([Action::Trace, Action::Cancel, Action::Help]);
        buttons
    }

    /// What keys mean where the focus is.
    #[must_use]
    pub fn context(&self) -> Context {
        match &self.overlay {
            Some(
                Overlay::Help { .. }
                | Overlay::About { .. }
                | Overlay::Plain { .. }
                | Overlay::Outside,
            ) => {
                return Context::Reading;
            }
            Some(Overlay::Presets { .. } | Overlay::Certificates { .. }) => return Context::List,
            Some(Overlay::Save { .. }) => return Context::Path,
            Some(Overlay::Qr(_)) => return Context::Picture,
            Some(Overlay::Scopes { .. }) => return Context::Ticks,
            Some(Overlay::Leave { .. } | Overlay::Scrollback { .. } | Overlay::Delete { .. }) => {
                return Context::Button;
            }
            None => {}
        }
        match self.focus {
            _ if self.screen == Screen::Trace => Context::Below,
            Target::Field(Key::Preset) => Context::Button,
            Target::Field(key) if key.is_text() => Context::Text,
            Target::User | Target::Thumbprint => Context::Text,
            Target::Paste => Context::Paste,
            Target::Field(_) => Context::Choice,
            _ => Context::Button,
        }
    }

    /// Puts the focus on `target` and, where text is typed, an editor on its value.
    pub fn focus_on(&mut self, target: Target) {
        self.focus = target;
        self.editor = match target {
            Target::Field(Key::ClientSecret) => Editor::new(self.settings.secret().expose_secret()),
            Target::Field(key) if key.is_text() => Editor::new(&self.settings.value(key)),
            Target::User | Target::Thumbprint => {
                Editor::new(self.configuring.as_ref().map_or("", |it| match target {
                    Target::User => &it.user,
                    _ => &it.thumbprint,
                }))
            }
            Target::Paste => Editor::new(self.pasted.expose_secret()),
            _ => Editor::default(),
        };
        if let (Target::Button(Action::Work(work)), Some(configuring)) =
            (target, &mut self.configuring)
            && configuring.shown != work
        {
            configuring.shown = work;
            configuring.scroll = 0;
        }
        if let (Target::Shown(shown), Some(run)) = (target, &mut self.run) {
            run.chosen = shown;
        }
        if let (Target::Value(value), Some(held)) = (target, &mut self.tokens)
            && held.chosen != value
        {
            held.chosen = value;
            held.revealed = false;
            held.scroll = 0;
        }
    }

    /// Puts the focus on the first field that stops a run, else on Authorize.
    pub fn go_to_missing(&mut self) {
        let problems = request::problems(&self.settings);
        let stopped = problems.iter().find(|problem| {
            problem.severity == Severity::Error
                && (self.settings.access(problem.key) == Access::Editable
                    || self.can_be_helped(problem))
        });
        match stopped {
            Some(problem) => {
                self.advanced |= ADVANCED.contains(&problem.key);
                self.focus_on(if self.settings.access(problem.key) == Access::Editable {
                    Target::Field(problem.key)
                } else {
                    Target::Remedy(problem.key)
                });
            }
            None => self.focus_on(Target::Button(Action::Authorize)),
        }
    }

    /// The entries of the preset list that fit its filter: those whose name begins so come first. The
    /// second value marks "Custom settings" with the URLs typed before.
    #[must_use]
    pub fn preset_entries<'a>(
        &self,
        all: &'a [Arc<Preset>],
        filter: &str,
    ) -> Vec<(&'a Arc<Preset>, bool)> {
        let again = self.settings.has_custom_before();
        let mut entries: Vec<(&Arc<Preset>, bool)> = all
            .iter()
            .filter(|preset| preset.matches(filter) || preset.has_mailbox(filter))
            .flat_map(|preset| {
                let twice = (preset.is_custom() && again).then_some((preset, true));
                [Some((preset, false)), twice].into_iter().flatten()
            })
            .collect();
        let begins = |preset: &Preset| {
            preset
                .name
                .to_lowercase()
                .starts_with(&filter.trim().to_lowercase())
        };
        entries.sort_by_key(|(preset, _)| !begins(preset));
        entries
    }

    /// How long until a time on the screen changes; `None` while none is shown.
    #[must_use]
    pub fn next_tick(&self) -> Option<Duration> {
        let left = match (self.screen, &self.run, &self.tokens) {
            (
                Screen::Flow,
                Some(Run {
                    phase: Phase::Device { until, .. },
                    ..
                }),
                _,
            ) => until.saturating_sub(self.now.up),
            (Screen::Tokens, _, Some(held)) => held.left(self.now)?,
            _ => return None,
        };
        (!left.is_zero()).then(|| time_left(left).1)
    }

    /// The name of the flow and the service, for the title.
    #[must_use]
    pub fn title(&self) -> String {
        let name = &self.settings.preset().name;
        let dot = self.theme.dot();
        match (self.screen, &self.run, &self.tokens) {
            (Screen::Trace, ..) => "Trace".to_owned(),
            (Screen::Tokens, _, Some(held)) => format!("{} {dot} tokens", held.preset.name),
            (Screen::Configure, ..)
                if self.configuring.as_ref().is_some_and(Configuring::http_sys) =>
            {
                format!("Configure {dot} HTTP.sys")
            }
            (Screen::Configure, ..) => format!("Configure {dot} this machine"),
            (Screen::Flow, Some(run), _) => {
                let kind = match run.request.kind {
                    FlowKind::DeviceCode => "device code",
                    FlowKind::AuthorizationCode => "authorization code",
                };
                format!("{name} {dot} {kind}")
            }
            _ => name.clone(),
        }
    }
}
