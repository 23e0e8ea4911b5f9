//! Writes lines to standard error, for a user or a log. Each has a stable word, a colon and a text; see docs/guide.md.
//!
//! Messages never wait for their reader: while a front end runs, a separate thread writes them. A message that a
//! network or a pipe can trigger endlessly is written [`FIRST`] times per kind, and then as often again if its text is
//! new. Further ones are counted, with a summary after 1, 2, 4, 8, … seconds: at most 2 * [`FIRST`] + 17 lines of a
//! kind in a day, nine more in a year, and one with the total at the end.

use std::collections::{BTreeSet, VecDeque};
use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::typed_line;

/// How often each kind of repeated message is written in full.
const FIRST: usize = 20;
/// The pause before the first summary of counted messages. It doubles each time.
const PAUSE: Duration = Duration::from_secs(1);
/// Maximum size of the messages that wait to be written, in bytes. Further ones are dropped, and a message says so.
const ROOM: usize = 1024 * 1024;
/// Maximum length of a line, in bytes.
const LONGEST: usize = 256 * 1024;
/// Size of a single write, in bytes: POSIX guarantees that pipes accept this much atomically.
const PIECE: usize = 512;
/// How long to wait at the end for a reader that reads nothing.
const STUCK: Duration = Duration::from_millis(500);

/// A kind of message that may repeat endlessly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// A request that doesn't belong to the sign-in.
    Stray,
    /// A redirect that isn't the expected response.
    Callback,
    /// A pasted text that isn't the expected response.
    Paste,
    /// A step that is started again.
    Step,
    /// A poll without a new result.
    Polled,
    /// A request that is retried.
    Trouble,
}

impl Often {
    const ALL: [Self; 6] = [
        Self::Stray,
        Self::Callback,
        Self::Paste,
        Self::Step,
        Self::Polled,
        Self::Trouble,
    ];

    /// Returns the word of the lines, and the description of counted messages.
    fn labels(self) -> (&'static str, &'static str) {
        match self {
            Self::Stray => ("stray", "requests rejected"),
            Self::Callback => ("refused", "callbacks rejected"),
            Self::Paste => ("refused", "pastes rejected"),
            Self::Step => ("step", "steps"),
            Self::Polled => ("polled", "polls"),
            Self::Trouble => ("trouble", "retries"),
        }
    }
}

/// The count of messages of one kind.
#[derive(Debug, Default)]
struct Count {
    all: u64,
    /// The texts that were written.
    seen: BTreeSet<String>,
    /// Whether some messages were not written.
    missing: bool,
    /// The number of messages neither written nor included in a summary.
    more: u64,
    /// When the next summary is due, and the pause before it.
    due: Option<(Instant, Duration)>,
}

impl Count {
    /// Counts a message. Returns whether it is to be written in full.
    fn add(&mut self, text: &str, now: Instant) -> bool {
        self.all += 1;
        let is_new = self.seen.len() < FIRST && self.seen.insert(text.to_owned());
        if is_new || self.all <= FIRST as u64 {
            return true;
        }
        self.missing = true;
        self.more += 1;
        self.due.get_or_insert((now + PAUSE, PAUSE));
        false
    }

    /// Returns the summary line, if it is due.
    fn sum_up(&mut self, kind: Often, now: Instant) -> Option<String> {
        let (time, pause) = self.due?;
        if now < time || self.more == 0 {
            return None;
        }
        self.due = Some((now + 2 * pause, 2 * pause));
        let (word, what) = kind.labels();
        let more = std::mem::take(&mut self.more);
        Some(format!("{word}: {more} more {what}\n"))
    }

    /// Returns the line with the total, if some messages were not written.
    fn total(&self, kind: Often) -> Option<String> {
        let (word, what) = kind.labels();
        let all = self.all;
        self.missing
            .then(|| format!("{word}: {all} {what} in total\n"))
    }
}

/// The phase of the writer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// More messages may come.
    #[default]
    Open,
    /// No more messages come, and the totals are written.
    Ending,
    /// The writing thread ends.
    Closed,
}

/// The messages to be written.
#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    counts: [Count; Often::ALL.len()],
    /// Whether the writer is writing a line.
    writing: bool,
    phase: Phase,
    /// Changes with each piece that was written.
    progress: u64,
    /// The progress when waiting was given up.
    stuck: Option<u64>,
}

impl Queue {
    fn push(&mut self, line: String) {
        if self.bytes + line.len() > ROOM {
            self.dropped += 1;
            return;
        }
        self.bytes += line.len();
        self.lines.push_back(line);
    }

    fn push_often(&mut self, kind: Often, text: &str, now: Instant) {
        if self.counts[kind as usize].add(text, now) {
            self.push(line(kind.labels().0, text));
        }
    }

    /// Returns the next line for the writer.
    fn next(&mut self, now: Instant) -> Option<String> {
        if let Some(line) = self.lines.pop_front() {
            self.bytes -= line.len();
            return Some(line);
        }
        if self.dropped > 0 {
            let dropped = std::mem::take(&mut self.dropped);
            return Some(format!(
                "hint: {dropped} lines are missing, because standard error was not read in time\n"
            ));
        }
        let ending = self.phase == Phase::Ending;
        (Often::ALL.into_iter().zip(&mut self.counts)).find_map(|(kind, count)| {
            if ending {
                let total = count.total(kind)?;
                *count = Count::default();
                Some(total)
            } else {
                count.sum_up(kind, now)
            }
        })
    }

    /// Returns when the next summary is due.
    fn due(&self) -> Option<Instant> {
        let waiting = self.counts.iter().filter(|count| count.more > 0);
        waiting.filter_map(|count| Some(count.due?.0)).min()
    }

    fn is_empty(&self) -> bool {
        let totals = self.phase == Phase::Ending && self.counts.iter().any(|count| count.missing);
        self.lines.is_empty() && self.dropped == 0 && !self.writing && !totals
    }
}

/// The queue, and the condition variable that signals changes.
type Shared = Arc<(Mutex<Queue>, Condvar)>;

/// The writing thread.
#[derive(Debug)]
struct Writer {
    shared: Shared,
    /// The handle, until a caller joins the thread.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Set by [`start`].
static STARTED: AtomicBool = AtomicBool::new(false);

/// Set by the first message after [`start`]; `None` if no thread could be started.
static WRITER: OnceLock<Option<Writer>> = OnceLock::new();

/// Makes a separate thread write the messages from now on, so that [`say`] never waits. If no thread can be started,
/// messages are written directly. The thread starts with the first message: most runs of the full-screen interface have
/// none.
pub fn start() {
    STARTED.store(true, Ordering::Relaxed);
}

/// Returns the writer, and starts its thread if necessary.
fn writer() -> Option<&'static Writer> {
    if !STARTED.load(Ordering::Relaxed) {
        return None;
    }
    let begin = || {
        let shared = Shared::default();
        let queue = Arc::clone(&shared);
        let thread = std::thread::Builder::new().spawn(move || write(&queue));
        let thread = Mutex::new(Some(thread.ok()?));
        Some(Writer { shared, thread })
    };
    WRITER.get_or_init(begin).as_ref()
}

/// Returns the writer, if its thread was started.
fn begun() -> Option<&'static Writer> {
    WRITER.get()?.as_ref()
}

/// Writes a line for the user or the log. Write errors are ignored: the program continues without a reader.
pub fn say(word: &str, text: &str) {
    let line = line(word, text);
    match writer() {
        Some(writer) => change(&writer.shared, |queue| queue.push(line)),
        None => drop(std::io::stderr().write_all(line.as_bytes())),
    }
}

/// Does the same for messages that may repeat endlessly, of which only some are written.
pub fn say_often(kind: Often, text: &str) {
    match writer() {
        Some(writer) => change(&writer.shared, |queue| {
            queue.push_often(kind, text, Instant::now());
        }),
        None => say(kind.labels().0, text),
    }
}

/// Waits until all messages are written, unless nobody reads them.
pub fn flush() {
    if let Some(writer) = begun() {
        wait(&writer.shared, None);
    }
}

/// Writes the totals of repeated messages, and waits as [`flush`] does, but no longer than `limit`.
pub fn finish(limit: Option<Duration>) {
    if let Some(writer) = begun() {
        change(&writer.shared, |queue| queue.phase = Phase::Ending);
        wait(&writer.shared, limit);
    }
}

/// Waits as [`finish`] does, and ends the thread if all messages were read: a system that ends a program with running
/// threads may kill it before it has returned its exit code. No messages may be written after this.
pub fn end(limit: Duration) {
    finish(Some(limit));
    let Some(writer) = begun() else {
        return;
    };
    let mut is_idle = false;
    change(&writer.shared, |queue| {
        is_idle = queue.is_empty();
        if is_idle {
            queue.phase = Phase::Closed;
        }
    });
    if !is_idle {
        return;
    }
    let thread = writer.thread.lock().map(|mut thread| thread.take());
    if let Ok(Some(thread)) = thread {
        let _ = thread.join();
    }
}

fn line(word: &str, text: &str) -> String {
    let text = &text[..text.floor_char_boundary(LONGEST)];
    format!("{word}: {text}\n")
}

fn lock(shared: &Shared) -> MutexGuard<'_, Queue> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

fn change(shared: &Shared, change: impl FnOnce(&mut Queue)) {
    change(&mut lock(shared));
    shared.1.notify_all();
}

fn wait(shared: &Shared, limit: Option<Duration>) {
    let end = limit.map(|limit| Instant::now() + limit);
    let mut queue = lock(shared);
    let (mut seen, mut since) = (queue.progress, Instant::now());
    while !queue.is_empty() {
        if queue.stuck == Some(queue.progress) {
            return;
        }
        let now = Instant::now();
        if queue.progress != seen {
            (seen, since) = (queue.progress, now);
        }
        let until = end.map_or(since + STUCK, |end| end.min(since + STUCK));
        let left = until.saturating_duration_since(now);
        if left.is_zero() {
            queue.stuck = (now >= since + STUCK).then_some(queue.progress);
            return;
        }
        let waited = shared.1.wait_timeout(queue, left);
        queue = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Writes messages until the phase is closed.
fn write(shared: &Shared) {
    let mut stderr = std::io::stderr();
    let is_terminal = stderr.is_terminal();
    let mut queue = lock(shared);
    loop {
        let now = Instant::now();
        if queue.phase == Phase::Closed {
            return;
        }
        let Some(line) = queue.next(now) else {
            let wait = queue.due().map(|due| due.saturating_duration_since(now));
            queue = match wait {
                Some(wait) => {
                    let waited = shared.1.wait_timeout(queue, wait);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => shared.1.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
            continue;
        };
        queue.writing = true;
        drop(queue);
        let mut write = || {
            for piece in line.as_bytes().chunks(PIECE) {
                // The line is lost; writing the next one may succeed.
                if stderr.write_all(piece).is_err() {
                    break;
                }
                change(shared, |queue| queue.progress += 1);
            }
        };
        if is_terminal {
            typed_line::above(write);
        } else {
            write();
        }
        queue = lock(shared);
        queue.writing = false;
        queue.progress += 1;
        shared.1.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    /// Returns the lines that are written at this time.
    fn taken(queue: &mut Queue, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| queue.next(now)).collect()
    }

    #[test]
    fn repeated_messages_are_counted_and_summarized() {
        let begin = Instant::now();
        let mut queue = Queue::default();
        let stray = |queue: &mut Queue, now| queue.push_often(Often::Stray, "x", now);
        for _ in 0..FIRST + 5 {
            stray(&mut queue, begin);
        }
        // Other kinds are not affected.
        queue.push_often(Often::Paste, "y", begin);
        queue.push_often(Often::Stray, "another", begin);
        queue.push("hint: z\n".to_owned());
        let lines = taken(&mut queue, begin);
        assert_eq!(lines.len(), FIRST + 3);
        assert_eq!(
            lines[FIRST..],
            ["refused: y\n", "stray: another\n", "hint: z\n"]
        );
        assert_eq!(queue.due(), Some(begin + PAUSE));
        let later = begin + PAUSE;
        assert_eq!(
            taken(&mut queue, later),
            ["stray: 5 more requests rejected\n"]
        );
        assert_eq!(queue.due(), None);
        stray(&mut queue, later);
        assert_eq!(queue.due(), Some(later + 2 * PAUSE));
        assert!(taken(&mut queue, later + PAUSE).is_empty());
        queue.phase = Phase::Ending;
        assert_eq!(
            taken(&mut queue, later),
            ["stray: 27 requests rejected in total\n"]
        );
        assert!(queue.is_empty());
    }

    #[test]
    fn year_of_repeated_messages_prints_few_lines() {
        let begin = Instant::now();
        let mut queue = Queue::default();
        let mut lines = 0;
        for minute in 0..366 * 24 * 60 {
            let now = begin + Duration::from_mins(minute);
            for kind in Often::ALL {
                // One message that never changes, and one that always does.
                queue.push_often(kind, "the same", now);
                queue.push_often(kind, &minute.to_string(), now);
            }
            lines += taken(&mut queue, now).len();
        }
        assert!(lines <= Often::ALL.len() * (2 * FIRST + 26), "{lines}");
    }

    #[test]
    fn message_queue_is_bounded() {
        let mut queue = Queue::default();
        for _ in 0..100 {
            queue.push(line("hint", &"é".repeat(LONGEST)));
        }
        assert!(queue.bytes <= ROOM && !queue.is_empty());
        let now = Instant::now();
        let lines = taken(&mut queue, now);
        assert!(lines[0].ends_with("é\n") && lines[0].len() <= LONGEST + 10);
        assert!(
            lines
                .last()
                .unwrap()
                .ends_with(" lines are missing, because standard error was not read in time\n")
        );
        assert!(queue.is_empty() && queue.bytes == 0);
    }
}
