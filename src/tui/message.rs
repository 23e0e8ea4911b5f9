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

/// Something happened.
#[derive(Debug)]
pub struct Msg {
    /// When it happened.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// What happened.
pub enum Event {
    /// A key was pressed.
    Key(crossterm::event::KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The window has this size: columns and rows.
    Resized(u16, u16),
    /// An attempt reports.
    Flow(AttemptId, FlowEvent),
    /// A copy came out.
    Copied(Content, Copied),
    /// The desktop clipboard was emptied; false where it no longer had what was copied.
    Cleared(Result<bool, String>),
    /// tmux said who is attached to it.
    Attached(Attached),
    /// The program that opens the browser, for this attempt, ended or failed.
    Browser(AttemptId, Result<(), String>),
    /// The demo server listens, or does not.
    Demo(Result<String, String>),
    /// The demo's user has approved, or could not.
    DemoApproved(Result<(), String>),
    /// A paste could not be handed over, as others are still being checked.
    PasteLost,
    /// The user's own presets were read.
    Library(Box<Library>),
    /// An action of the listener's setup, by its number, came to this; and the certificates that there are now.
    SetUp(u64, Box<Report>, Box<Created>),
    /// The certificates of this machine that have a private key, or why they can't be listed.
    StoreKeys(Result<Vec<ListedKey>, String>),
    /// A file was written, or not: its path and who can read it, or why not.
    Saved(Content, Result<(String, Readers), String>),
    /// What came of a task with the files of profiles.
    Profile(Box<ProfileReport>),
    /// A time on the screen has changed.
    Tick,
}

impl fmt::Debug for Event {
    /// The kind only: keys and pastes may be secrets.
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
            Self::Tick => "Tick",
        })
    }
}

/// What `update` asks the shell to do.
#[derive(Debug)]
pub enum Effect {
    /// Run a job, after the one before has released its port.
    Start(Started),
    /// Stop the job in progress.
    Cancel,
    /// Hand the flow what was pasted in place of the browser's return.
    Paste(SecretString),
    /// Write a file that only its owner can read.
    Save(Content, String),
    /// Copy something.
    Copy(Content),
    /// Empty the desktop clipboard, if it still has what was copied.
    ClearClipboard,
    /// Send the terminal a sequence.
    Send(SecretString),
    /// Open a browser on this machine, for this attempt.
    OpenBrowser(Url, AttemptId),
    /// Show a value on the shell's screen, until a key is pressed.
    ShowInScrollback(SecretString),
    /// Do an action of the listener's setup, off the loop.
    SetUp(Box<SetUpTask>, u64),
    /// List the certificates of this machine that have a private key, off the loop.
    ListStoreKeys,
    /// Do something with the files of profiles, off the loop.
    Profile(ProfileTask),
    /// Start the demo server.
    StartDemo,
    /// Let the demo's user approve.
    ApproveDemo(Url),
    /// Draw everything again.
    Redraw,
    /// Return to the shell until `fg`.
    Suspend,
    /// End the program.
    Quit,
}

impl Effect {
    /// Writes a file at the path that was typed.
    #[must_use]
    pub fn save(content: Content, path: &SecretString) -> Self {
        Self::Save(content, path.expose_secret().to_owned())
    }
}
