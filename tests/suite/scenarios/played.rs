//! Plays the cases of scenarios, and judges what came of each.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::endpoints::{Plan, RECORD, Server, prepare};
use super::file::{Case, Encoding, Endpoint, Hostile, Kept, Scenario};
use super::leak;
use super::run::{Outcome, run};
use super::secrets::{self, value};
use super::service::Service;

/// More than the kernel's buffers on the way, and much less than 1 GB.
const MOST_TAKEN: u64 = 32 << 20;
/// A run has about 30 MB, most of them mapped from the program's file.
const MOST_MEMORY: u64 = 96 * 1024;

/// What came of a run.
#[derive(Default)]
struct Played {
    wrong: Vec<String>,
    /// Bytes of a huge answer.
    taken: u64,
    /// Kilobytes, where they are measured.
    memory: u64,
}

/// One variant at one endpoint.
pub struct Run<'a> {
    pub scenario: &'a Scenario,
    pub endpoint: Endpoint,
    pub case: &'a Case,
}

impl Run<'_> {
    fn name(&self) -> String {
        let variant = if self.case.name.is_empty() { "" } else { ": " };
        format!(
            "{} at {}{variant}{}",
            self.scenario.name,
            self.endpoint.name(),
            self.case.name
        )
    }

    /// True where it waits for a time limit, or its times are measured.
    fn waits(&self) -> bool {
        let slow = |hostile| matches!(hostile, Some(Hostile::Silent | Hostile::Drip));
        !self.case.gaps.is_empty()
            || self.case.first > 1
            || self.case.has(|answer| slow(answer.hostile))
    }

    fn is_measured(&self) -> bool {
        self.case
            .has(|answer| answer.encoding == Some(Encoding::GzipBomb))
            || matches!(self.scenario.class.as_str(), "huge" | "nested" | "long")
    }

    /// Plays it.
    fn play(&self, program: &Path) -> Played {
        let (server, plan) = prepare(self.endpoint, self.case);
        let before = record(&plan);
        let outcome = run(program, &plan, self.is_measured());
        let mut wrong = self.told(&outcome, &server);
        wrong.extend(self.kept(&plan, before.as_deref(), &outcome));
        if let Server::Http(service) = &server {
            wrong.extend(times(self.case, self.endpoint, service));
        }
        wrong.extend(self.leaks(&outcome, &server));
        // What strace can't read would have no leaks.
        if self.endpoint == Endpoint::Refresh && !outcome.children.contains("\"keep-token\"") {
            wrong.push("the keeper was not seen".to_owned());
        }
        if !wrong.is_empty() {
            let shown: String = outcome.read().chars().take(3000).collect();
            wrong.push(format!("exit code {}\n    {shown}", outcome.exit));
        }
        Played {
            wrong,
            taken: server.taken(),
            memory: outcome.memory,
        }
    }

    /// What the user and the script get.
    fn told(&self, outcome: &Outcome, server: &Server) -> Vec<String> {
        let (case, read) = (self.case, outcome.read());
        let mut wrong = Vec::new();
        if outcome.exit != case.exit {
            wrong.push(format!("exit code {}, not {}", outcome.exit, case.exit));
        }
        let missing = case
            .reads
            .iter()
            .filter(|words| !read.contains(words.as_str()));
        wrong.extend(missing.map(|words| format!("{words:?} is missing")));
        let there = case
            .never
            .iter()
            .filter(|words| read.contains(words.as_str()));
        wrong.extend(there.map(|words| format!("{words:?} is there")));
        let stdout = case
            .stdout
            .as_ref()
            .map(|text| secrets::fill(&text.build(), self.endpoint))
            .or_else(|| self.printed().map(str::to_owned));
        if let Some(expected) = stdout
            && outcome.stdout.trim_end() != expected
        {
            wrong.push(format!("standard output is {:.300?}", outcome.stdout));
        }
        // Nothing acts on the terminal, and nothing shows other than it is.
        let acts = |ch: char| {
            (ch.is_control() && ch != '\n')
                || "\u{202a}\u{202d}\u{202e}\u{2066}\u{2067}\u{200b}\u{200f}".contains(ch)
        };
        let texts = [
            &outcome.stderr,
            &outcome.stdout,
            &outcome.screen,
            &outcome.trace,
        ];
        if let Some(ch) = texts
            .into_iter()
            .find_map(|text| text.chars().find(|ch| acts(*ch)))
        {
            wrong.push(format!("the character {ch:?} is told"));
        }
        if server.taken() > MOST_TAKEN {
            wrong.push(format!("{} bytes were taken", server.taken()));
        }
        if outcome.memory > MOST_MEMORY {
            wrong.push(format!("{} KB of memory", outcome.memory));
        }
        wrong
    }

    /// What the script gets where the scenario doesn't say.
    fn printed(&self) -> Option<&'static str> {
        match self.endpoint {
            _ if self.endpoint.is_tool() || self.endpoint.is_mail() => None,
            Endpoint::Registration => Some(""),
            _ if self.case.exit != 0 => Some(""),
            Endpoint::Refresh => Some(value("newaccess")),
            _ => Some(value("access")),
        }
    }

    /// What became of the tokens in the profile.
    fn kept(&self, plan: &Plan, before: Option<&[u8]>, outcome: &Outcome) -> Option<String> {
        let after = record(plan);
        let tokens = |record: Option<&[u8]>| {
            let record: Option<Value> = record.map(|bytes| serde_json::from_slice(bytes).unwrap());
            record.map(|record| record["tokens"].clone())
        };
        let (old, new) = (tokens(before), tokens(after.as_deref()));
        let has = |name: &str, secret: &str| {
            new.as_ref()
                .is_some_and(|tokens| tokens[name] == value(secret))
        };
        let default = match self.endpoint {
            Endpoint::Refresh if self.case.exit == 0 => Kept::New,
            Endpoint::Revoke if self.case.exit == 0 => Kept::Nothing,
            _ => Kept::All,
        };
        let kept = self.case.kept.unwrap_or(default);
        let right = match kept {
            Kept::All => before == after.as_deref(),
            Kept::Tokens => old == new,
            Kept::New => has("access_token", "newaccess") && has("refresh_token", "newrefresh"),
            Kept::NewRefresh => has("access_token", "access") && has("refresh_token", "newrefresh"),
            Kept::NewAccess => has("access_token", "newaccess") && has("refresh_token", "refresh"),
            Kept::Printed => new
                .as_ref()
                .is_some_and(|tokens| tokens["access_token"] == outcome.stdout.trim_end()),
            Kept::Nothing => new == Some(Value::Null),
        };
        (!right).then(|| format!("kept: not {kept:?}, but {}", new.unwrap_or_default()))
    }

    /// The secrets that are where they must not be.
    pub fn leaks(&self, outcome: &Outcome, server: &Server) -> Vec<String> {
        let mut more = Vec::new();
        if let Server::Http(service) = server {
            let verifiers = service
                .all()
                .into_iter()
                .filter_map(|mut request| request.form.remove("code_verifier"));
            more.extend(verifiers.map(|verifier| ("the verifier".to_owned(), verifier)));
            let signature = service.id_token.rsplit('.').next().unwrap();
            more.push(("the ID token".to_owned(), signature.to_owned()));
        }
        let printed = match self.endpoint {
            Endpoint::Refresh => "newaccess",
            _ => "access",
        };
        let asked = !self.endpoint.is_tool() && !self.endpoint.is_mail();
        leak::leaks(outcome, &more, asked.then_some(printed))
    }
}

fn record(plan: &Plan) -> Option<Vec<u8>> {
    std::fs::read(plan.home.path().join(RECORD)).ok()
}

/// What is wrong with the times of the polls.
fn times(case: &Case, endpoint: Endpoint, service: &Service) -> Option<String> {
    // Without TLS that works, no poll arrives.
    if endpoint != Endpoint::Poll || case.has(|answer| answer.certificate.is_some()) {
        return None;
    }
    // A busy machine may be late, but never early.
    let late = |pause: Duration, least: Duration| {
        pause < least || pause > least * 6 / 5 + Duration::from_secs(1)
    };
    let all = service.all();
    let code = all.iter().find(|request| request.path == "/device")?.at;
    let polls: Vec<Instant> = service
        .requests()
        .iter()
        .map(|request| request.at)
        .collect();
    let first = Duration::from_secs(case.first);
    if polls
        .first()
        .is_none_or(|poll| late(poll.duration_since(code), first))
    {
        return Some("the first poll came at another time".to_owned());
    }
    for (at, gap) in case.gaps.iter().enumerate() {
        let Some([before, after]) = polls.get(at..at + 2) else {
            return Some("too few polls".to_owned());
        };
        let gap = Duration::from_secs(*gap);
        let pause = after.duration_since(*before);
        if late(pause, gap) {
            return Some(format!("poll {} came after {pause:?}, not {gap:?}", at + 2));
        }
    }
    None
}

/// Plays all of these at the same time, because most of them wait; what is wrong with each.
pub fn play(runs: Vec<Run<'_>>, program: &Path) -> Vec<String> {
    let (waiting, quick): (Vec<_>, Vec<_>) = runs.into_iter().partition(Run::waits);
    let quick = Mutex::new(VecDeque::from(quick));
    let (wrong, times) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    // The most that was taken of a huge answer, and the most memory.
    let most = Mutex::new((0, 0));
    let play = |one: &Run<'_>| {
        let began = Instant::now();
        // A wait in vain is a failure of this run only.
        let played = std::panic::catch_unwind(|| one.play(program));
        let played = played.unwrap_or_else(|_| Played {
            wrong: vec!["it panicked; see above".to_owned()],
            ..Played::default()
        });
        let found = played.wrong;
        let mut most = most.lock().unwrap();
        *most = (most.0.max(played.taken), most.1.max(played.memory));
        drop(most);
        times.lock().unwrap().push((began.elapsed(), one.name()));
        if !found.is_empty() {
            wrong.lock().unwrap().push(format!(
                "{} ({}): {}",
                one.name(),
                one.scenario.about,
                found.join("\n  ")
            ));
        }
    };
    std::thread::scope(|scope| {
        for one in &waiting {
            scope.spawn(|| play(one));
        }
        let workers = 6 * std::thread::available_parallelism().map_or(2, usize::from);
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let next = quick.lock().unwrap().pop_front();
                    let Some(one) = next else { return };
                    play(&one);
                }
            });
        }
    });
    let mut times = times.into_inner().unwrap();
    times.sort();
    for (time, name) in times.iter().rev().take(5) {
        println!("{time:?} for {name}");
    }
    let (taken, memory) = most.into_inner().unwrap();
    println!("at most {taken} bytes of 1 GB taken, and {memory} KB of memory");
    let mut wrong = wrong.into_inner().unwrap();
    wrong.sort();
    wrong
}
