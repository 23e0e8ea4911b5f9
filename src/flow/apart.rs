//! Work that may block, on a thread and a runtime of its own.

use std::io;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::select;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// Does `work` where nothing else waits for it. It ends with the future that waits for it, unless it blocks: then its thread
/// is left behind, and does not hold up the end of the program.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if it takes longer than `limit`, or why there is no thread for it.
pub(super) async fn apart<T: Send + 'static>(
    limit: Duration,
    work: impl Future<Output = T> + Send + 'static,
) -> io::Result<T> {
    let (mut sender, done) = oneshot::channel();
    let runtime = Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().spawn(move || {
        runtime.block_on(async {
            select! {
                biased;
                () = sender.closed() => {}
                result = work => drop(sender.send(result)),
            }
        });
        // A name may still be looked up.
        runtime.shutdown_background();
    })?;
    match timeout(limit, done).await {
        Ok(Ok(result)) => Ok(result),
        Ok(Err(_)) | Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::future::pending;
    use std::sync::mpsc;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn work_that_blocks_keeps_nothing_else_from_running() {
        let (go, gone) = mpsc::channel();
        let work = apart(LIMIT, async move { gone.recv().unwrap() });
        // The other half runs on the thread that would be blocked.
        let (result, ()) = tokio::join!(work, async { go.send(7).unwrap() });
        assert_eq!(result.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_ends_with_what_waits_for_it_and_after_its_limit() {
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
