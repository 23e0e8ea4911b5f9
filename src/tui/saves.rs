//! Saves files in the background, one after the other, because a file system may be slow.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinHandle;

use super::message::Event;
use super::profiles;
use crate::console::signals::Signals;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::profiles::{ProfileReport, ProfileTask, Unsaved};
use crate::store::file::{self, Readers};

/// The whole path of a file and who can read it, or why it was not written.
type Outcome = Result<(String, Readers), String>;

/// How long a file is waited for once the system requests the end.
const LIMIT: Duration = Duration::from_secs(5);

/// Something to be written.
pub(super) enum Save {
    /// A file, at this path.
    File(Content, String, SecretString),
    /// The files of a profile, with what they are in a few words.
    Profile(String, Box<ProfileTask>),
}

/// Files that are being written.
#[derive(Default)]
pub(super) struct Saves {
    waiting: VecDeque<Save>,
    /// What it is, in a few words, and where it goes.
    running: Option<(String, JoinHandle<Event>)>,
}

impl Saves {
    /// Writes this after what was pushed before.
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

    /// True if no file is being written.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_none()
    }

    /// What came of the file that is being written; `None` where there is none. Nothing is lost where this is dropped.
    pub(super) async fn next(&mut self) -> Option<Event> {
        let (_, task) = self.running.as_mut()?;
        // A bug that stopped it ends the program.
        let event = task.await.unwrap_or(Event::Tick);
        self.running = None;
        self.start();
        Some(event)
    }

    /// Waits until all are written.
    ///
    /// # Errors
    /// Returns what was not saved, and why.
    pub(super) async fn finish(&mut self) -> Result<(), String> {
        let mut failed = Ok(());
        while let Some(event) = self.next().await {
            failed = failed.and(failure(event));
        }
        failed
    }

    /// The same before the end of the program: until the system requests the end too, or in a hurry, no more than
    /// [`LIMIT`].
    ///
    /// # Errors
    /// Returns what was not saved, and why.
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

    /// What is told where nobody waits until a file is written.
    fn abandoned(&self) -> Option<String> {
        let (what, _) = self.running.as_ref()?;
        Some(format!(
            "The program ended before the {what}. Part of it may remain in a temporary file in the same folder."
        ))
    }
}

/// What was not written, and why, as a sentence.
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
                        format!("The profile {name} was not saved: there is one of this name.")
                    }
                    Unsaved::Failed(reason) => {
                        format!("The profile {name} was not saved. {reason}")
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

/// The path is told with its folder, so that the file is found again.
fn write(path: &str, text: &SecretString) -> Outcome {
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.into());
    file::save(&whole, text)
        .map(|readers| (whole.display().to_string(), readers))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_written_in_order_and_what_fails_is_told() {
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
