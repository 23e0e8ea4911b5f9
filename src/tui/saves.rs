//! Saves files in the background, one after the other, because a file system may be slow.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::message::Event;
use super::profiles;
use crate::clean::system_reason;
use crate::console::signals::Signals;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::profiles::{ProfileReport, ProfileTask, Unsaved};
use crate::store::file::{self, Readers};

/// The absolute path of a file and who can read it, or why it was not saved.
type Outcome = Result<(String, Readers), String>;

/// How long to wait for a file once the system requests the program to end.
const LIMIT: Duration = Duration::from_secs(5);

/// A save that waits for its turn.
pub(super) enum Save {
    /// The content of a file, its path and its text.
    File(Content, String, SecretString),
    /// A short description of what is saved, and the task that writes the files of a profile.
    Profile(String, Box<ProfileTask>),
}

/// The queue of files to save.
#[derive(Default)]
pub(super) struct Saves {
    waiting: VecDeque<Save>,
    /// A description of the file and its destination, and the task that writes it.
    running: Option<(String, JoinHandle<Event>)>,
}

impl Saves {
    /// Adds a save to the queue.
    pub(super) fn push(&mut self, save: Save) {
        self.waiting.push_back(save);
        self.start();
    }

    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        let Some(save) = self.waiting.pop_front() else {
            return;
        };
        self.running = Some(match save {
            Save::File(content, path, text) => {
                let what = format!("{} was saved to {path}", content.name());
                let write = move || Event::Saved(content, write(&path, &text));
                (what, tokio::task::spawn_blocking(write))
            }
            Save::Profile(what, task) => {
                let perform = move || Event::Profile(Box::new(profiles::perform(*task)));
                let what = format!("{what} was written");
                (what, tokio::task::spawn_blocking(perform))
            }
        });
    }

    /// Returns whether no file is being saved.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_none()
    }

    /// Waits for the current save, and returns its outcome; `None` if no file is being saved. Cancel safe: dropping the
    /// future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let (_, task) = self.running.as_mut()?;
        // A panic in the task ends the program, so this event doesn't matter.
        let event = task.await.unwrap_or(Event::Tick);
        self.running = None;
        self.start();
        Some(event)
    }

    /// Waits until all files are saved.
    ///
    /// # Errors
    /// Returns an error that says what was not saved, and why.
    pub(super) async fn finish(&mut self) -> Result<(), String> {
        let mut failed = Ok(());
        while let Some(event) = self.next().await {
            failed = failed.and(failure(event));
        }
        failed
    }

    /// Waits until all files are saved, before the program ends. Once the system requests the end, or in a hurry, it
    /// waits at most [`LIMIT`].
    ///
    /// # Errors
    /// Returns an error that says what was not saved, and why.
    pub(super) async fn finish_before_the_end(
        &mut self,
        signals: &mut Signals,
        hurry: bool,
    ) -> Result<(), String> {
        if !hurry {
            tokio::select! {
                biased;
                () = signals.next() => {}
                done = self.finish() => return done,
            }
        }
        match tokio::time::timeout(LIMIT, self.finish()).await {
            Ok(done) => done,
            Err(_) => self.abandoned().map_or(Ok(()), Err),
        }
    }

    /// Returns the message for a file that the program no longer waits for.
    fn abandoned(&self) -> Option<String> {
        let (what, _) = self.running.as_ref()?;
        Some(format!(
            "The program ended before the {what}. Part of it may remain in a temporary file in the same folder."
        ))
    }
}

/// Returns a sentence that says what was not saved, and why, as an error.
fn failure(event: Event) -> Result<(), String> {
    match event {
        Event::Saved(content, Err(reason)) => {
            let name = content.name();
            Err(format!("The {name} was not saved: {reason}."))
        }
        Event::Profile(report) => match *report {
            ProfileReport::Saved(task, Err(unsaved)) => {
                let name = task.name;
                Err(match unsaved {
                    Unsaved::Exists => {
                        format!(
                            "The profile \"{name}\" was not saved: a profile with this name exists."
                        )
                    }
                    Unsaved::Gone(reason) | Unsaved::Failed(reason) => {
                        format!("The profile \"{name}\" was not saved. {reason}")
                    }
                })
            }
            ProfileReport::Deleted(_, Err(error)) | ProfileReport::Renamed(_, Err(error)) => {
                Err(error)
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// Saves the text. The returned path is absolute, so that the user can find the file.
fn write(path: &str, text: &SecretString) -> Outcome {
    let whole = file::named::absolute(path.as_ref());
    file::save(&whole, text)
        .map(|readers| (whole.display().to_string(), readers))
        .map_err(|error| system_reason(&error.to_string()).to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_written_in_order_and_failures_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut saves = Saves::default();
        let push = |saves: &mut Saves, name: &str, text: &str| {
            saves.push(Save::File(Content::Trace, path(name), text.into()));
        };
        for at in 0..20 {
            push(&mut saves, "same", &format!("text {at}"));
        }
        push(&mut saves, "none/there", "text");
        push(&mut saves, "last", "text");
        let told = saves.abandoned().unwrap();
        assert!(told.contains("trace") && told.contains("same"), "{told}");
        let event = saves.next().await.unwrap();
        assert!(matches!(event, Event::Saved(Content::Trace, Ok(_))));
        let failed = saves.finish().await.unwrap_err();
        assert!(failed.starts_with("The trace was not saved: "), "{failed}");
        let text = |name: &str| std::fs::read_to_string(path(name)).unwrap();
        assert_eq!(
            (text("same"), text("last")),
            ("text 19".to_owned(), "text".to_owned())
        );
        assert!(saves.is_empty() && saves.abandoned().is_none());
    }
}
