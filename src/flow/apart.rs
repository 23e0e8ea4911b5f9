//! Runs work that may block, on its own thread and runtime.

use std::io;
use std::time::Duration;

use tokio::select;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::runtime;

/// Runs `work` on its own thread, so that nothing else waits for it. Dropping the returned future ends the work, unless
/// the work blocks: its thread then stays behind, but doesn't delay the end of the program.
///
/// # Errors
/// Returns [`io::ErrorKind::TimedOut`] if the work takes longer than `limit`, or the error of starting its thread.
pub(super) async fn apart<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> io::Result<T> {
    let (mut sender, done) = oneshot::channel();
    let runtime = runtime::new()?;
    std::thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            select! {
                biased;
                () = sender.closed() => {}
                result = work => drop(sender.send(result)),
            }
        });
        // Don't wait for a name lookup that may still be running.
        runtime.shutdown_background();
    })?;
    match timeout(limit, done).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) => Err(io::Error::other("it ended because of a bug")),
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::future::pending;
    use std::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn blocking_work_does_not_block_other_tasks() {
        let (go, gone) = mpsc::channel();
        let work = apart(LIMIT, async move { gone.recv().unwrap() });
        // This future runs on the thread that must not be blocked.
        let (result, ()) = tokio::join!(work, async { go.send(7).unwrap() });
        assert_eq!(result.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_is_dropped_when_its_time_limit_expires() {
        struct Ended(mpsc::Sender<()>);
        impl Drop for Ended {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (sender, ended) = mpsc::channel();
        let limit = Duration::from_millis(20);
        let work = async move {
            let _ended = Ended(sender);
            pending::<()>().await;
        };
        let error = apart(limit, work).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(ended.recv_timeout(LIMIT), Ok(()));
    }
}
