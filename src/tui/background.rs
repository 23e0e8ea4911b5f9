//! Work in the background that may take a while. It reports to the loop with events.

use std::sync::Arc;

use tokio::sync::mpsc;
use url::Url;

use super::message::Event;
use crate::console::browser;
use crate::console::clipboard::{self, Desktop};
use crate::console::environment::Environment;
use crate::console::tmux;
use crate::demo;
use crate::flow::attempt::AttemptId;
use crate::secret::SecretString;
use crate::session::content::Content;

/// Starts work in the background.
pub(super) struct Background {
    events: mpsc::Sender<Event>,
    desktop: Arc<Desktop>,
}

impl Background {
    pub(super) fn new(events: mpsc::Sender<Event>) -> Self {
        Self {
            events,
            desktop: Arc::default(),
        }
    }

    /// Runs `act`, which may block, and sends its event.
    pub(super) fn run(&self, act: impl FnOnce() -> Event + Send + 'static) {
        let events = self.events.clone();
        tokio::task::spawn_blocking(move || {
            let _ = events.blocking_send(act());
        });
    }

    /// Sends the event of `act`.
    fn spawn(&self, act: impl Future<Output = Event> + Send + 'static) {
        let events = self.events.clone();
        tokio::spawn(async move {
            let _ = events.send(act.await).await;
        });
    }

    pub(super) fn copy(&self, environment: Environment, content: Content, text: SecretString) {
        let desktop = Arc::clone(&self.desktop);
        self.spawn(async move {
            let outcome = clipboard::copy(&environment, &desktop, text).await;
            Event::Copied(content, outcome)
        });
    }

    pub(super) fn clear_clipboard(&self) {
        let desktop = Arc::clone(&self.desktop);
        self.spawn(async move { Event::Cleared(desktop.clear().await) });
    }

    pub(super) fn open_browser(&self, environment: Environment, url: Url, attempt: AttemptId) {
        self.spawn(async move { Event::Browser(attempt, browser::open(environment, url).await) });
    }

    pub(super) fn approve_demo(&self, url: Url) {
        self.spawn(async move {
            let outcome = demo::approve(&url).await;
            Event::DemoApproved(outcome.map_err(|error| error.to_string()))
        });
    }

    /// Asks tmux whether the user is at this desktop.
    pub(super) fn ask_tmux(&self, environment: Environment) {
        if environment.tmux {
            let events = self.events.clone();
            tokio::spawn(async move {
                if let Ok(attached) = tmux::ask(&environment).await {
                    let _ = events.send(Event::Attached(attached)).await;
                }
            });
        }
    }
}
