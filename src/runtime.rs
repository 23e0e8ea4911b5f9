//! Runs asynchronous code on one thread.

use std::io;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};

/// Creates a runtime of one thread, with timers and network.
///
/// # Errors
/// Returns an error if the system lacks the resources.
pub fn new() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

/// Waits until `time`, or forever if it is `None`.
pub async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time.into()).await,
        None => std::future::pending().await,
    }
}
