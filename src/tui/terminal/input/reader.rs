//! Reads the bytes of the terminal.

use std::fs::File;
use std::io::{self, Read};
use std::time::{Duration, Instant};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::decoder::{Decoder, Input};
use crate::console::device;

/// Reads until the terminal is gone, or the receiver is dropped. `linux` says whether this is the Linux console.
pub(super) fn read(events: &mpsc::Sender<(Event, Instant)>, linux: bool) {
    let Ok(mut terminal) = device::open() else {
        return;
    };
    let began = Instant::now();
    // How long the program took to accept events. It is no pause in the input, which may have arrived in the meantime.
    let mut busy = Duration::ZERO;
    let mut decoder = Decoder::new(linux);
    let mut bytes = [0; 4096];
    loop {
        let time = || began.elapsed().saturating_sub(busy);
        let deadline = decoder.deadline();
        let left = deadline.map(|deadline| deadline.saturating_sub(time()));
        let inputs = match wait(&terminal, left) {
            // The input belongs to the foreground job. Reading it from the background would stop the program.
            Ok(true) if !device::is_in_foreground(&terminal) => {
                std::thread::sleep(device::LOOK);
                continue;
            }
            Ok(true) => match terminal.read(&mut bytes) {
                Ok(0) => return,
                Ok(count) => decoder.feed(&bytes[..count], time()),
                // `WouldBlock` if another program has made this terminal non-blocking.
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
            // Only if there is nothing to read: waiting bytes may have arrived in time.
            Ok(false) => decoder.expire(time()),
            Err(_) => return,
        };
        let at = Instant::now();
        for input in inputs {
            let event = match input {
                Input::Key(key) => Event::Key(key),
                Input::Paste(text) => Event::Paste(text),
            };
            if events.blocking_send((event, at)).is_err() {
                return;
            }
        }
        busy += at.elapsed();
    }
}

/// Returns true once something can be read; false if nothing arrived within `limit`.
fn wait(terminal: &File, limit: Option<Duration>) -> io::Result<bool> {
    // Slightly after the deadline, so that it has passed.
    let limit = limit.map(|limit| limit + Duration::from_millis(1));
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let mut watched = [PollFd::new(terminal, PollFlags::IN)];
    match poll(&mut watched, limit.as_ref()) {
        Ok(0) | Err(rustix::io::Errno::INTR) => Ok(false),
        Ok(_) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
