//! Talk: lines on standard error for a user or a log. A stable word, a colon and a text; docs/guide.md lists the words.
//!
//! Nothing waits for its reader: while a front end runs, a separate thread writes. What a
//! network or a pipe can repeat without end is written [`FIRST`] times of each kind, and then only with a text that is new,
//! as often again. The rest is counted, and summed up after 1, 2, 4, 8, … seconds: a day of it makes at most
//! 2 * [`FIRST`] + 17 lines of a kind, a year nine more, and the total at the end one.

use std::collections::{BTreeSet, VecDeque};
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often each kind of what repeats itself is written in full.
const FIRST: usize = 20;
/// When what was not written is summed up for the first time; the next time comes after twice as long.
const PAUSE: Duration = Duration::from_secs(1);
/// What waits to be written has at most so many bytes; the rest is dropped, and that is said.
const ROOM: usize = 1024 * 1024;
/// No line is longer.
const LONGEST: usize = 256 * 1024;
/// POSIX has pipes take so much at once.
const PIECE: usize = 512;
/// A reader that takes nothing for this long is not waited for at the end.
const STUCK: Duration = Duration::from_millis(500);

/// What may repeat itself without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// A request that is not for us.
    Stray,
    /// A callback that is not the answer.
    Callback,
    /// A paste that is not the answer.
    Paste,
    /// A step that is begun once more.
    Step,
    /// A poll without a new result.
    Polled,
    /// Something that is tried again.
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

    /// The word of its lines, and what so many more of them are.
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

/// Of one kind.
#[derive(Debug, Default)]
struct Count {
    all: u64,
    /// Texts that were written.
    seen: BTreeSet<String>,
    /// Some were not written.
    missing: bool,
    /// Neither written nor summed up.
    more: u64,
    /// When that is summed up, and how long was waited for it.
    due: Option<(Instant, Duration)>,
}

impl Count {
    /// True for one that is written in full.
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

    /// The line for what was counted, where it is time.
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

    /// The line at the end, where not all were written.
    fn total(&self, kind: Often) -> Option<String> {
        let (word, what) = kind.labels();
        let all = self.all;
        self.missing
            .then(|| format!("{word}: {all} {what} in total\n"))
    }
}

/// How far the end is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// More may come.
    #[default]
    Open,
    /// Nothing more comes: the totals are written.
    Ending,
    /// The thread that writes ends.
    Closed,
}

/// What is to be written.
#[derive(Debug, Default)]
struct Queue {
    lines: VecDeque<String>,
    bytes: usize,
    dropped: u64,
    counts: [Count; Often::ALL.len()],
    /// The writer holds a line.
    writing: bool,
    phase: Phase,
    /// Changes with each piece that was taken.
    progress: u64,
    /// The progress at which waiting was given up.
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

    /// The next line for the writer.
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

    /// When something is to be summed up.
    fn due(&self) -> Option<Instant> {
        let waiting = self.counts.iter().filter(|count| count.more > 0);
        waiting.filter_map(|count| Some(count.due?.0)).min()
    }

    fn is_empty(&self) -> bool {
        let totals = self.phase == Phase::Ending && self.counts.iter().any(|count| count.missing);
        self.lines.is_empty() && self.dropped == 0 && !self.writing && !totals
    }
}

/// The queue, and the signal that it has changed.
type Shared = Arc<(Mutex<Queue>, Condvar)>;

/// The thread that writes.
#[derive(Debug)]
struct Writer {
    shared: Shared,
    /// Taken by the one who waits for its end.
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Set by [`start`].
static STARTED: AtomicBool = AtomicBool::new(false);

/// Set at the first line after [`start`], unless there could be no thread.
static WRITER: OnceLock<Option<Writer>> = OnceLock::new();

/// From now on a thread writes, and [`say`] never waits. Where there can be no thread, all stays as it was. The thread begins
/// with the first line: most runs of the screen have none.
pub fn start() {
    STARTED.store(true, Ordering::Relaxed);
}

/// The thread that writes, which begins if it has not yet.
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

/// The same, if it has begun.
fn begun() -> Option<&'static Writer> {
    WRITER.get()?.as_ref()
}

/// A line for the user or the log. A reader that is gone is no reason to stop.
pub fn say(word: &str, text: &str) {
    let line = line(word, text);
    match writer() {
        Some(writer) => change(&writer.shared, |queue| queue.push(line)),
        None => drop(std::io::stderr().write_all(line.as_bytes())),
    }
}

/// The same for what may repeat itself without end: not each is written.
pub fn say_often(kind: Often, text: &str) {
    match writer() {
        Some(writer) => change(&writer.shared, |queue| {
            queue.push_often(kind, text, Instant::now());
        }),
        None => say(kind.labels().0, text),
    }
}

/// Waits until what was said is written, unless nobody reads it.
pub fn flush() {
    if let Some(writer) = begun() {
        wait(&writer.shared, None);
    }
}

/// Says how often what repeated itself came, and waits as [`flush`] does, but no longer than `limit`.
pub fn finish(limit: Option<Duration>) {
    if let Some(writer) = begun() {
        change(&writer.shared, |queue| queue.phase = Phase::Ending);
        wait(&writer.shared, limit);
    }
}

/// Waits as [`finish`] does, and ends the thread if its reader took everything: a system that ends a program with running
/// threads may kill it before it has given its exit code. Nothing is to be said after this.
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

/// Writes what comes, until it is told to end.
fn write(shared: &Shared) {
    let mut stderr = std::io::stderr();
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
        for piece in line.as_bytes().chunks(PIECE) {
            // What cannot be written is lost; the next line may be taken again.
            if stderr.write_all(piece).is_err() {
                break;
            }
            change(shared, |queue| queue.progress += 1);
        }
        queue = lock(shared);
        queue.writing = false;
        queue.progress += 1;
        shared.1.notify_all();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    /// What is written at this time.
    fn taken(queue: &mut Queue, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| queue.next(now)).collect()
    }

    #[test]
    fn what_repeats_itself_is_counted_and_summed_up() {
        let begin = Instant::now();
        let mut queue = Queue::default();
        let stray = |queue: &mut Queue, now| queue.push_often(Often::Stray, "x", now);
        for _ in 0..FIRST + 5 {
            stray(&mut queue, begin);
        }
        // Other kinds are not held back.
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
    fn a_year_of_an_attack_makes_a_few_lines() {
        let begin = Instant::now();
        let mut queue = Queue::default();
        let mut lines = 0;
        for minute in 0..366 * 24 * 60 {
            let now = begin + Duration::from_mins(minute);
            for kind in Often::ALL {
                // Whether it is always the same, or always something else.
                queue.push_often(kind, "the same", now);
                queue.push_often(kind, &minute.to_string(), now);
            }
            lines += taken(&mut queue, now).len();
        }
        assert!(lines <= Often::ALL.len() * (2 * FIRST + 26), "{lines}");
    }

    #[test]
    fn what_waits_is_bounded() {
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
