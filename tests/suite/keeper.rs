//! Refreshes must never lose tokens: many at once, stopped at any moment, and with failing disks and services.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::profiles::{Profiles, Ran};
use crate::scripted::{Reply, Scripted};
use crate::servers::{Provider, eventually};
use crate::terminal::program;

/// Pseudo-random numbers that are the same in each run.
struct Dice(u64);

impl Dice {
    /// A random duration up to `limit`.
    fn time(&mut self, limit: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let nanos = u64::try_from(limit.as_nanos()).unwrap();
        Duration::from_nanos(self.0 % nanos)
    }
}

fn provider() -> Provider {
    Provider::start(&[("DEVICE_INTERVAL", "1")])
}

/// Waits for all processes and returns their results.
fn all(children: Vec<Child>) -> Vec<Ran> {
    let children = children.into_iter();
    children
        .map(|child| child.wait_with_output().unwrap().into())
        .collect()
}

/// Starts this many `token office` commands at once.
fn start_many(profiles: &Profiles, count: usize) -> Vec<Child> {
    (0..count)
        .map(|_| profiles.command(&["token", "office"]).spawn().unwrap())
        .collect()
}

/// Waits until no keeper holds the lock.
fn wait_for_keepers(profiles: &Profiles) {
    let lock = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(profiles.state("lock"))
        .unwrap();
    eventually("the keeper's end", || lock.try_lock().ok());
}

/// Checks that the refresh token still works: another refresh returns a token that the service accepts.
fn assert_alive(profiles: &Profiles, provider: &Provider) {
    // A keeper that another caller started may still be at work.
    wait_for_keepers(profiles);
    profiles.expire();
    let token = profiles.token();
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
}

#[test]
fn concurrent_callers_cause_a_single_refresh() {
    let provider = provider();
    let profiles = Profiles::at(&provider);
    for (round, count) in [50, 200].into_iter().enumerate() {
        profiles.expire();
        let ran = all(start_many(&profiles, count));
        for ran in &ran {
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        }
        assert!(ran.iter().all(|one| one.stdout == ran[0].stdout), "{ran:?}");
        assert_eq!(provider.refreshes(), (round + 1, 0));
        assert_eq!(provider.userinfo(ran[0].stdout.trim_end()).0, 200);
    }
    // One of the commands is `refresh`.
    let before = provider.refreshes().0;
    profiles.expire();
    let mut children = start_many(&profiles, 25);
    children.extend((0..20).map(|_| profiles.command(&["refresh", "office"]).spawn().unwrap()));
    for ran in all(children) {
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    let after = provider.refreshes();
    assert!(after.0 > before && after.1 == 0, "{after:?}");
    assert_alive(&profiles, &provider);
}

#[test]
fn earlier_success_does_not_replace_a_needed_refresh() {
    let provider = provider();
    let profiles = Profiles::at(&provider);
    profiles.expire();
    profiles.token();
    wait_for_keepers(&profiles);
    profiles.expire();
    // As if the caller had started before the previous keeper recorded its result.
    let generation = profiles.record()["generation"].to_string();
    let arguments = [
        "keep-token",
        "office",
        "--attempt",
        "0",
        "--generation",
        &generation,
    ];
    assert_eq!(profiles.run(&arguments).code, 0);
    assert_eq!(provider.refreshes(), (2, 0));
}

#[test]
fn failed_refresh_is_shared_by_all_callers() {
    let (profiles, server) = Profiles::scripted(|_| {
        std::thread::sleep(Duration::from_secs(5));
        Reply {
            drop: true,
            ..Reply::default()
        }
    });
    profiles.expire();
    let begun = Instant::now();
    let ran = all(start_many(&profiles, 50));
    let took = begun.elapsed();
    println!("measured: 50 callers on a service that hangs for 5 s: {took:?}");
    for ran in &ran {
        assert_eq!((ran.code, ran.stdout.as_str()), (5, ""), "{ran:?}");
    }
    assert!(ran.iter().all(|one| one.stderr == ran[0].stderr), "{ran:?}");
    assert_eq!(refreshes(&server), 1);
}

fn refreshes(server: &Scripted) -> usize {
    let requests = server.requests("/token");
    let is_refresh = |request: &&crate::scripted::Request| {
        request
            .form
            .get("grant_type")
            .is_some_and(|grant| grant == "refresh_token")
    };
    requests.iter().filter(is_refresh).count()
}

#[test]
fn killed_caller_loses_no_tokens() {
    const ROUNDS: usize = 300;
    let provider = provider();
    let profiles = Profiles::at(&provider);
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for round in 0..ROUNDS {
        profiles.expire();
        let mut child = profiles.command(&["token", "office"]).spawn().unwrap();
        std::thread::sleep(dice.time(Duration::from_millis(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        wait_for_keepers(&profiles);
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(
            (ran.code, ran.stderr.as_str()),
            (0, ""),
            "round {round}: {ran:?}"
        );
    }
    let (refreshes, refused) = provider.refreshes();
    assert!(
        refreshes >= ROUNDS / 2 && refused == 0,
        "{refreshes} {refused}"
    );
    assert_alive(&profiles, &provider);
}

/// The process ID in the attempt, if it is a running keeper of this program.
fn keeper(profiles: &Profiles) -> Option<i32> {
    let note = std::fs::read(profiles.state("attempt")).ok()?;
    let note: Value = serde_json::from_slice(&note).ok()?;
    let pid = i32::try_from(note["pid"].as_u64()?).ok()?;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let line = String::from_utf8_lossy(&line).into_owned();
    let home = profiles.home.path().to_str().unwrap();
    let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    let ours = environment.is_empty() || String::from_utf8_lossy(&environment).contains(home);
    (line.contains("keep-token") && ours).then_some(pid)
}

/// Checks the result after a keeper was killed. If the keeper had sent the refresh token, the response may be lost.
/// Then the program says so, and the user signs in again.
fn assert_good_or_told(profiles: &Profiles, provider: &Provider, ran: &Ran, context: &str) -> bool {
    // In any case, the record is complete.
    assert!(profiles.record()["tokens"]["refresh_token"].is_string());
    if ran.code == 0 {
        let (status, _) = provider.userinfo(ran.stdout.trim_end());
        assert_eq!(status, 200, "{context}: {ran:?}");
        return true;
    }
    assert_eq!(ran.code, 7, "{context}: {ran:?}");
    let words = "was stopped before the response was stored";
    assert!(ran.stderr.contains(words), "{context}: {ran:?}");
    false
}

#[test]
fn killed_keeper_leaves_valid_record_or_reports_loss() {
    const ROUNDS: usize = 200;
    let provider = provider();
    let mut profiles = Profiles::at(&provider);
    let (mut dice, mut lost, mut killed) = (Dice(0x0bad_cafe_1234_5678), 0, 0);
    for round in 0..ROUNDS {
        profiles.expire();
        let mut caller = profiles.command(&["token", "office"]).spawn().unwrap();
        let end = Instant::now() + dice.time(Duration::from_millis(60));
        while Instant::now() < end {
            std::thread::sleep(Duration::from_micros(200));
        }
        if let Some(pid) = keeper(&profiles) {
            kill(pid, "KILL");
            killed += 1;
        }
        // If there is no keeper, the caller starts another one.
        let first: Ran = {
            let _ = caller.kill();
            caller.wait_with_output().unwrap().into()
        };
        wait_for_keepers(&profiles);
        let ran = if first.code == 0 {
            first
        } else {
            profiles.run(&["token", "office"])
        };
        if !assert_good_or_told(&profiles, &provider, &ran, &format!("round {round}")) {
            lost += 1;
            profiles = Profiles::at(&provider);
        }
    }
    println!("measured: {killed} keepers killed of {ROUNDS}, {lost} answers lost and told");
    assert!(killed > 0);
}

fn kill(pid: i32, signal: &str) {
    let status = Command::new("kill")
        .args([format!("-{signal}"), pid.to_string()])
        .stderr(Stdio::null())
        .status();
    let _ = status.unwrap();
}

/// Runs the keeper under strace, which kills it at the `when`th call of `call`. Returns whether it was killed.
fn keeper_killed_at(profiles: &Profiles, call: &str, when: usize) -> bool {
    let generation = profiles.record()["generation"].to_string();
    let status = Command::new("strace")
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:signal=KILL:when={when}"))
        .arg(program())
        .args([
            "keep-token",
            "office",
            "--attempt",
            "1000000",
            "--generation",
            &generation,
        ])
        .env_clear()
        .envs(crate::terminal::base(profiles.home.path()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    use std::os::unix::process::ExitStatusExt;
    status.signal() == Some(9)
}

#[test]
fn keeper_killed_at_any_step_leaves_recoverable_state() {
    let provider = provider();
    let mut profiles = Profiles::at(&provider);
    // Every system call that completes a step, each time that the keeper makes it: files are opened, written, synced,
    // renamed and removed; the connection to the service is opened, written to and read from; the lock is taken and
    // released.
    let calls = [
        "flock",
        "openat",
        "write",
        "fsync",
        "ftruncate",
        "?rename,?renameat,?renameat2",
        "?unlink,?unlinkat",
        "connect",
        "?sendto,?writev,?sendmsg",
        "?recvfrom,?readv",
    ];
    let (mut points, mut whole) = (0, 0);
    for call in calls {
        for when in 1.. {
            assert!(when < 500, "{call}");
            // Skip the many calls at the start, long before the first step.
            if call == "openat" && when < 8 {
                continue;
            }
            profiles.expire();
            if !keeper_killed_at(&profiles, call, when) {
                break;
            }
            points += 1;
            let next = std::fs::read(profiles.state("next")).unwrap_or_default();
            let is_whole = serde_json::from_slice::<Value>(&next).is_ok();
            whole += u32::from(is_whole);
            let ran = profiles.run(&["token", "office"]);
            let context = format!("{call} {when}");
            if !assert_good_or_told(&profiles, &provider, &ran, &context) {
                // Tokens that were complete on disk are not lost.
                assert!(!is_whole, "{context}: {ran:?}");
                profiles = Profiles::at(&provider);
            }
        }
    }
    println!("measured: killed at {points} points, {whole} of them with the next record complete");
    assert!(points >= 30 && whole > 0, "{points} {whole}");
}

#[test]
fn killed_process_group_leaves_valid_record_or_reports_loss() {
    // Stopping a container or a systemd unit kills the caller and the keeper together. Without a control group to kill,
    // both are frozen first and then killed.
    const ROUNDS: usize = 20;
    let provider = provider();
    let mut profiles = Profiles::at(&provider);
    let mut dice = Dice(0x0f0f_1234_5555_aaaa);
    for round in 0..ROUNDS {
        profiles.expire();
        let mut group = ControlGroup::new();
        let mut caller = group.start(&mut profiles.command(&["token", "office"]));
        std::thread::sleep(dice.time(Duration::from_millis(50)));
        group.kill(&profiles);
        caller.wait().unwrap();
        wait_for_keepers(&profiles);
        let ran = profiles.run(&["token", "office"]);
        if !assert_good_or_told(&profiles, &provider, &ran, &format!("round {round}")) {
            profiles = Profiles::at(&provider);
        }
    }
}

/// A control group of the kernel, to kill all processes in it at once.
struct ControlGroup {
    folder: Option<std::path::PathBuf>,
}

impl ControlGroup {
    fn new() -> Self {
        // Version 2 alone or together with version 1.
        let roots = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].into_iter();
        let folder = roots
            .map(std::path::Path::new)
            .filter(|root| root.join("cgroup.procs").exists())
            .map(|root| root.join(format!("oauth-authorizer-test-{}", std::process::id())))
            .filter(|folder| std::fs::create_dir(folder).is_ok())
            .find(|folder| {
                let can_kill = folder.join("cgroup.kill").exists();
                if !can_kill {
                    let _ = std::fs::remove_dir(folder);
                }
                can_kill
            });
        Self { folder }
    }

    fn start(&mut self, command: &mut Command) -> Child {
        let Some(folder) = &self.folder else {
            return command.spawn().unwrap();
        };
        let mut inside = Command::new("sh");
        inside
            .args(["-c", "echo $$ >\"$0\" && exec \"$@\""])
            .arg(folder.join("cgroup.procs"))
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(command.get_current_dir().unwrap())
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        inside.envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        inside.spawn().unwrap()
    }

    fn kill(&mut self, profiles: &Profiles) {
        match &self.folder {
            Some(folder) => std::fs::write(folder.join("cgroup.kill"), "1").unwrap(),
            None => {
                if let Some(pid) = keeper(profiles) {
                    kill(pid, "KILL");
                }
            }
        }
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        if let Some(folder) = &self.folder {
            eventually("an empty control group", || {
                std::fs::remove_dir(folder).ok()
            });
        }
    }
}
