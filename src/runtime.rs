//! Runs asynchronous code on one thread.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// Creates a runtime of one thread, with timers and network.
///
/// # Errors
/// Returns an error if the system lacks the resources.
pub fn new() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
