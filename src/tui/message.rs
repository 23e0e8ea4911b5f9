//! The events that screens receive, and the effects that they request.

use std::fmt;

use url::Url;

use crate::certificate::created::Created;
use crate::configure::report::{Report, SetUpTask};
use crate::console::clipboard::Copied;
use crate::console::origin::Attached;
use crate::flow::attempt::AttemptId;
use crate::flow::event::FlowEvent;
use crate::flow::store_key::ListedKey;
use crate::presets::Library;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::Started;
use crate::session::clock::Moment;
use crate::session::content::Content;
use crate::session::profiles::{ProfileReport, ProfileTask};
use crate::store::file::Readers;

/// An event and the time when it happened.
#[derive(Debug)]
pub struct Msg {
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// An event for the screens: input, or the result of an effect.
pub enum Event {
    /// A key was pressed.
    Key(crossterm::event::KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The window was resized: columns and rows.
    Resized(u16, u16),
    /// The flow of this attempt reports an event.
    Flow(AttemptId, FlowEvent),
    /// A copy finished.
    Copied(Content, Copied),
    /// The desktop clipboard was emptied; false if it no longer contained the copied text.
    Cleared(Result<bool, String>),
    /// tmux reported which clients are attached to it.
    Attached(Attached),
    /// The program that opens the browser for this attempt ended or failed.
    Browser(AttemptId, Result<(), String>),
    /// The demo server started, or failed to: its URL, or why it failed.
    Demo(Result<String, String>),
    /// The demo's user approved the sign-in, or the approval failed.
    DemoApproved(Result<(), String>),
    /// Pasted text was dropped, because earlier pastes are still being checked.
    PasteLost,
    /// The user's own presets were read.
    Library(Box<Library>),
    /// A task of the listener's setup finished: its number, its report, and the certificates that exist now.
    SetUp(u64, Box<Report>, Box<Created>),
    /// The certificates in this machine's store that have a private key, or why they can't be listed.
    StoreKeys(Result<Vec<ListedKey>, String>),
    /// A file was saved, or not: its path and who can read it, or the reason.
    Saved(Content, Result<(String, Readers), String>),
    /// The report of a task on profile files.
    Profile(Box<ProfileReport>),
    /// The result was printed, or not, while the screen is still there.
    Printed(Result<(), String>),
    /// A time shown on the screen has changed.
    Tick,
}

impl fmt::Debug for Event {
    /// Writes only the kind of event: keys and pasted text may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key",
            Self::Paste(_) => "Paste",
            Self::Resized(..) => "Resized",
            Self::Flow(..) => "Flow",
            Self::Copied(..) => "Copied",
            Self::Cleared(_) => "Cleared",
            Self::Attached(_) => "Attached",
            Self::Browser(..) => "Browser",
            Self::Demo(_) => "Demo",
            Self::DemoApproved(_) => "DemoApproved",
            Self::PasteLost => "PasteLost",
            Self::Library(_) => "Library",
            Self::SetUp(..) => "SetUp",
            Self::StoreKeys(_) => "StoreKeys",
            Self::Saved(..) => "Saved",
            Self::Profile(_) => "Profile",
            Self::Printed(_) => "Printed",
            Self::Tick => "Tick",
        })
    }
}

/// An action that `update` requests from the shell.
#[derive(Debug)]
pub enum Effect {
    /// Run a job, after the previous job has released its port.
    Start(Started),
    /// Stop the job in progress.
    Cancel,
    /// Pass pasted text to the flow, in place of the redirect.
    Paste(SecretString),
    /// Save a file that only its owner can read.
    Save(Content, String),
    /// Copy this content.
    Copy(Content),
    /// Empty the desktop clipboard, if it still contains the copied text.
    ClearClipboard,
    /// Send an escape sequence to the terminal.
    Send(SecretString),
    /// Open a browser on this machine, for this attempt.
    OpenBrowser(Url, AttemptId),
    /// Show a value on the shell's screen until a key is pressed.
    ShowInScrollback(SecretString),
    /// Perform a task of the listener's setup in the background.
    SetUp(Box<SetUpTask>, u64),
    /// List the certificates in this machine's store that have a private key, in the background.
    ListStoreKeys,
    /// Perform a task on profile files in the background.
    Profile(ProfileTask),
    /// Start the demo server.
    StartDemo,
    /// Approve the sign-in as the demo's user.
    ApproveDemo(Url),
    /// Redraw the whole screen.
    Redraw,
    /// Suspend the program until `fg`.
    Suspend,
    /// End the program.
    Quit,
}

impl Effect {
    /// Returns the effect that saves a file at the path that the user entered.
    #[must_use]
    pub fn save(content: Content, path: &SecretString) -> Self {
        Self::Save(content, path.expose_secret().to_owned())
    }
}
