//! Reads the terminal's bytes.

use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::decoder::{Decoder, Input};
use crate::console::device;

/// Reads until the terminal has vanished, or nobody listens.
pub(super) fn read(events: &mpsc::Sender<(Event, Instant)>) {
    let Ok(mut terminal) = device::open() else {
        return;
    };
    let began = Instant::now();
    let mut decoder = Decoder::default();
    let mut bytes = [0; 4096];
    loop {
        let deadline = decoder.deadline();
        let left = deadline.map(|deadline| deadline.saturating_sub(began.elapsed()));
        let inputs = match wait(&terminal, left) {
            // The input belongs to the job in the foreground, and reading it would stop the program.
            Ok(true) if !device::is_in_foreground(&terminal) => {
                std::thread::sleep(device::LOOK);
                continue;
            }
            Ok(true) => match terminal.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => decoder.feed(&bytes[..count], began.elapsed()),
                // The latter where another program has made this terminal one that does not wait.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) =>
                {
                    continue;
                }
                Err(_) => return,
            },
            // Only once there is nothing to read: what waits there may have come in time.
            Ok(false) => decoder.expire(began.elapsed()),
            Err(_) => return,
        };
        for input in inputs {
            let event = match input {
                Input::Key(key) => Event::Key(key),
                Input::Paste(text) => Event::Paste(text),
            };
            if events.blocking_send((event, Instant::now())).is_err() {
                return;
            }
        }
    }
}

/// True once something can be read; false where nothing came for so long.
fn wait(terminal: &File, limit: Option<Duration>) -> io::Result<bool> {
    // A little later than the deadline, so that it has passed.
    let limit = limit.map(|limit| limit + Duration::from_millis(1));
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let mut watched = [PollFd::new(terminal, PollFlags::IN)];
    match poll(&mut watched, limit.as_ref()) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
