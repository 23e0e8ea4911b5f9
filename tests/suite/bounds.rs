//! Hostile input costs little, however it is made: time and memory stay within limits.
//!
//! The limits here are generous; `tests/bench` prints the figures.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::listener::{LOOPBACK, SignIn};
use crate::plain::Plain;
use crate::process::{cpu, peak_memory};
use crate::scripted::{Reply, Scripted};
use crate::servers::eventually;

/// Maximum processor time for one request or response. A build without optimization takes several times as long.
fn most() -> Duration {
    let optimized = std::env::var_os("OAUTH_AUTHORIZER_BIN").is_some();
    Duration::from_millis(if optimized { 500 } else { 4000 })
}

/// Maximum memory above that of a quiet run, in kilobytes.
const MEMORY: u64 = 20 * 1024;

/// Queries that are expensive for code that compares every parameter with every other.
pub fn hostile_queries() -> Vec<(&'static str, String)> {
    let many = |parameter: fn(usize) -> String, count: usize| -> String {
        (0..count).map(parameter).collect::<Vec<_>>().join("&")
    };
    vec![
        ("6,500 parameters", many(|at| format!("a={at:04}"), 6_500)),
        ("6,500 states", many(|at| format!("state={at:04}"), 4_000)),
        ("parameters without names", "&".repeat(45_000)),
        ("escapes", "%41".repeat(15_000)),
        (
            "one text",
            format!("error_description={}", "a".repeat(45_000)),
        ),
        (
            "a text that holds all secrets",
            format!(
                "error_description={}&{}",
                "0123456789".repeat(1_000),
                many(|at| format!("b={at:06}"), 3_000)
            ),
        ),
    ]
}

/// Bodies of up to a megabyte that are expensive for code that stores all values, or all their paths.
pub fn hostile_bodies() -> Vec<(&'static str, String)> {
    let name = "k".repeat(60);
    let deep = |inner: &str, depth: usize| {
        format!(
            "{}{inner}{}",
            format!("{{\"{name}\":").repeat(depth),
            "}".repeat(depth)
        )
    };
    let ones = |count: usize| format!("[{}1]", "1,".repeat(count));
    let members = |count: usize, value: &dyn Fn(usize) -> String| {
        let members: Vec<String> = (0..count)
            .map(|at| format!("\"{name}{at}\":{}", value(at)))
            .collect();
        format!("{{{}}}", members.join(","))
    };
    vec![
        ("a list in 120 levels, 48 KB", deep(&ones(20_000), 120)),
        ("a list in 120 levels, 1 MB", deep(&ones(500_000), 120)),
        ("a list in 20 levels", deep(&ones(9_000), 20)),
        ("500,000 levels", "[".repeat(500_000)),
        (
            "100,000 objects",
            format!("{{\"a\":{}", "{\"a\":".repeat(150_000)),
        ),
        (
            "9,000 members",
            members(9_000, &|at| format!("\"{name:.30}{at}\"")),
        ),
        (
            "9,000 codes",
            members(9_000, &|at| format!("{{\"code\":\"{at}\"}}")),
        ),
        (
            "addresses within addresses",
            format!("{{\"x\":\"{}\"}}", "https://a#".repeat(90_000)),
        ),
        (
            "one token",
            format!("{{\"refresh_token\":\"{}\"}}", "aB3x".repeat(250_000)),
        ),
        (
            "one error",
            format!(
                "{{\"error\":\"authorization_pending\",\"error_description\":\"{}\"}}",
                "b ".repeat(450_000)
            ),
        ),
        (
            "scopes",
            format!("{{\"scope\":\"{}\"}}", "c ".repeat(450_000)),
        ),
        ("a form", "a=b&".repeat(250_000)),
        (
            "escapes",
            format!(
                "{{\"error\":\"authorization_pending\",\"error_description\":\"{}\"}}",
                "\\u0041".repeat(160_000)
            ),
        ),
        ("a page", format!("<html>{}", "x".repeat(1_000_000))),
    ]
}

/// Runs a device flow in which every other poll gets one of the hostile bodies, in turn. Calls `measured` with the
/// name, the processor time of the response, and the memory in addition to that before.
pub fn measure_answers(measured: &mut dyn FnMut(&str, Duration, u64)) {
    let bodies = hostile_bodies();
    let names: Vec<&str> = bodies.iter().map(|(name, _)| *name).collect();
    let next = Arc::new(Mutex::new(bodies.into_iter()));
    let pending = AtomicBool::new(false);
    let server = Scripted::start(move |request| {
        if request.path == "/device" {
            let grant = r#"{"device_code":"d","user_code":"U","verification_uri":"https://as.example/","interval":1,"expires_in":900}"#;
            return Reply::json(200, grant);
        }
        // Every other response is a good one, so that the polling interval is not doubled.
        if pending.fetch_not(Ordering::Relaxed) {
            return Reply::json(400, r#"{"error":"authorization_pending"}"#);
        }
        match next.lock().unwrap().next() {
            Some((_, body)) => Reply::json(400, &body),
            None => Reply::json(200, r#"{"access_token":"the-token","token_type":"Bearer"}"#),
        }
    });
    let home = tempfile::tempdir().unwrap();
    let (device, token) = (
        format!("{}/device", server.url),
        format!("{}/token", server.url),
    );
    let mut plain = Plain::start(
        home.path(),
        &[
            "--flow",
            "device-code",
            "--client-id",
            "me",
            "--print",
            "access-token",
            "--device-url",
            &device,
            "--token-url",
            &token,
        ],
    );
    plain.value("expires_in");
    // A poll is done when the next one arrives.
    let polls = |count: usize| {
        eventually("a poll", || {
            (server.requests("/token").len() > count).then_some(())
        });
    };
    for (at, name) in names.into_iter().enumerate() {
        let (before, memory) = (cpu(plain.pid()), peak_memory(plain.pid()));
        polls(2 * at + 1);
        let time = cpu(plain.pid()).saturating_sub(before);
        measured(name, time, peak_memory(plain.pid()).saturating_sub(memory));
    }
    assert_eq!(plain.end().1, "the-token\n");
}

#[test]
fn hostile_response_costs_little_time_and_memory() {
    measure_answers(&mut |name, time, memory| {
        println!("{name}: {time:?} of processor time, {memory} KB");
        assert!(time < most(), "{name}: {time:?}");
        assert!(memory < MEMORY, "{name}: {memory} KB");
    });
}

/// Measures discovery with each of the hostile bodies, compared with a small one.
pub fn measure_discovery(measured: &mut dyn FnMut(&str, Duration, u64)) {
    let run = |body: String| {
        // The second URL never gets a response, so that the program is still running when it is measured.
        let server = Scripted::start(move |request| {
            if request.path == "/.well-known/openid-configuration" {
                Reply::json(200, &body)
            } else {
                Reply {
                    silent: true,
                    ..Reply::default()
                }
            }
        });
        let home = tempfile::tempdir().unwrap();
        let flags = [
            "--client-id",
            "me",
            "--print",
            "access-token",
            "--issuer",
            &server.url,
        ];
        let plain = Plain::start(home.path(), &flags);
        eventually("the second request", || {
            let second = server.requests("/.well-known/oauth-authorization-server");
            (!second.is_empty()).then_some(())
        });
        (cpu(plain.pid()), peak_memory(plain.pid()))
    };
    let quiet = run("{}".to_owned());
    for (name, body) in hostile_bodies() {
        let (time, memory) = run(body);
        measured(
            name,
            time.saturating_sub(quiet.0),
            memory.saturating_sub(quiet.1),
        );
    }
}

#[test]
fn hostile_metadata_costs_little_time_and_memory() {
    measure_discovery(&mut |name, time, memory| {
        println!("{name}: {time:?} of processor time, {memory} KB");
        assert!(time < most(), "{name}: {time:?}");
        assert!(memory < MEMORY, "{name}: {memory} KB");
    });
}

/// Measures invalid callbacks with the right host and path, each twenty times; then sends the right callback.
pub fn measure_callbacks(measured: &mut dyn FnMut(&str, Duration, u64)) {
    let sign_in = SignIn::start(LOOPBACK, None);
    let pid = sign_in.plain.pid();
    assert_eq!(sign_in.get("/callback?state=x").0, 400);
    for (name, query) in hostile_queries() {
        let (before, memory) = (cpu(pid), peak_memory(pid));
        for _ in 0..20 {
            let (status, _) = sign_in.get(&format!("/callback?{query}"));
            assert_eq!(status, 400, "{name}");
        }
        let time = cpu(pid).saturating_sub(before) / 20;
        measured(name, time, peak_memory(pid).saturating_sub(memory));
    }
    sign_in.finish();
}

#[test]
fn a_hostile_callback_costs_little_time_and_memory() {
    measure_callbacks(&mut |name, time, memory| {
        println!("{name}: {time:?} of processor time, {memory} KB");
        assert!(time < most(), "{name}: {time:?}");
        assert!(memory < MEMORY, "{name}: {memory} KB");
    });
}
