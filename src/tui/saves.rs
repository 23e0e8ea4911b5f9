//! Files that are being written: one after the other, and off the loop, as a file system may take its time.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::console::signals::Signals;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::store::file::{self, Readers};

/// The whole path of a file and who can read it, or why it was not written.
pub(super) type Outcome = Result<(String, Readers), String>;

/// How long a file is waited for once the system asks for the end.
const LIMIT: Duration = Duration::from_secs(5);

/// A file to be written.
struct Save {
    content: Content,
    path: String,
    text: SecretString,
}

/// Files that are being written.
#[derive(Default)]
pub(super) struct Saves {
    waiting: VecDeque<Save>,
    running: Option<(Content, String, JoinHandle<Outcome>)>,
}

impl Saves {
    /// Writes a file after those that were pushed before.
    pub(super) fn push(&mut self, content: Content, path: String, text: SecretString) {
        self.waiting.push_back(Save {
            content,
            path,
            text,
        });
        self.start();
    }

    fn start(&mut self) {
        if self.running.is_some() {
            return;
        }
        if let Some(Save {
            content,
            path,
            text,
        }) = self.waiting.pop_front()
        {
            let to = path.clone();
            let task = tokio::task::spawn_blocking(move || write(&to, &text));
            self.running = Some((content, path, task));
        }
    }

    /// True where no file is being written.
    pub(super) fn is_empty(&self) -> bool {
        self.running.is_none()
    }

    /// What came of the file that is being written; `None` where there is none. Nothing is lost where this is dropped.
    pub(super) async fn next(&mut self) -> Option<(Content, Outcome)> {
        let (_, _, task) = self.running.as_mut()?;
        let outcome = task
            .await
            .unwrap_or_else(|_| Err("a bug in the program stopped it".to_owned()));
        let (content, ..) = self.running.take()?;
        self.start();
        Some((content, outcome))
    }

    /// Waits until all are written.
    ///
    /// # Errors
    /// Says what was not saved, and why.
    pub(super) async fn finish(&mut self) -> Result<(), String> {
        let mut failed = Ok(());
        while let Some((content, outcome)) = self.next().await {
            if let Err(reason) = outcome {
                let name = content.name();
                failed = failed.and(Err(format!("The {name} was not saved: {reason}.")));
            }
        }
        failed
    }

    /// The same before the end of the program: until the system asks for the end too, or in a hurry, no more than
    /// [`LIMIT`].
    ///
    /// # Errors
    /// Says what was not saved, and why.
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
        let (content, path, _) = self.running.as_ref()?;
        let name = content.name();
        Some(format!(
            "The program ended before the {name} was saved to {path}. Part of it may remain in a temporary file in the same \
                folder."
        ))
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
        for at in 0..20 {
            saves.push(Content::Trace, path("same"), format!("text {at}").into());
        }
        saves.push(Content::Trace, path("none/there"), "text".into());
        saves.push(Content::Trace, path("last"), "text".into());
        let told = saves.abandoned().unwrap();
        assert!(told.contains("trace") && told.contains("same"), "{told}");
        let (content, outcome) = saves.next().await.unwrap();
        assert!(content == Content::Trace && outcome.is_ok());
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
