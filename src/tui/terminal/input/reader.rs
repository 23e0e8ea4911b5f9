//! Reads the terminal's bytes.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::Event;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;

use super::decoder::{Decoder, Input};

/// Reads until the terminal has vanished, or nobody listens.
pub(super) fn read(events: &mpsc::Sender<(Event, Instant)>) {
    let Ok(mut terminal) = open() else { return };
    let began = Instant::now();
    let mut decoder = Decoder::default();
    let mut bytes = [0; 4096];
    loop {
        let deadline = decoder.deadline();
        let left = deadline.map(|deadline| deadline.saturating_sub(began.elapsed()));
        let inputs = match wait(&terminal, left) {
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

/// Standard input where that is the terminal, else the controlling terminal.
fn open() -> io::Result<File> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        Ok(stdin.as_fd().try_clone_to_owned()?.into())
    } else {
        File::open("/dev/tty")
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
