//! Other programs on the machine attack the listener, and the browser still gets through.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::listener::{LOOPBACK, SignIn};
use crate::rivals::{Held, OnScreen, Rivals, Spent, callback};
use crate::servers::eventually;

/// Maximum number of connections that the listener serves.
const CONNECTIONS: usize = 512;
/// Maximum additional memory during an attack, in kilobytes.
const MEMORY: usize = 20 * 1024;
/// Pause of a browser or tunnel between the connection and the request.
const PAUSE: Duration = Duration::from_millis(200);

/// Checks that a callback of another sign-in gets a response at the first try.
fn probe(to: SocketAddr, pause: Duration, when: &str) {
    let (answer, took) = callback(to, pause, "code=c0de-c0de&state=forged");
    println!("attack: {when}: answered {took:?} after a pause of {pause:?}");
    assert!(
        answer.contains("This sign-in doesn't match"),
        "{when}, {pause:?}: {answer:?}"
    );
}

fn assert_flat(quiet: Spent, spent: Spent, when: &str) {
    println!("attack: {when}: {spent} (before: {quiet})");
    assert!(
        spent.descriptors <= quiet.descriptors + CONNECTIONS + 10
            && spent.kilobytes <= quiet.kilobytes + MEMORY,
        "{when}: {spent}; before: {quiet}"
    );
}

/// Waits until the listener has closed all connections.
fn assert_freed(pid: u32, quiet: Spent) {
    eventually("the descriptors of the attack to be free", || {
        let spent = Spent::by(pid);
        (spent.descriptors <= quiet.descriptors + 10).then_some(())
    });
    assert_flat(quiet, Spent::by(pid), "after");
}

/// Probes while junk requests arrive, more connections are held than are served, and three clients reconnect.
fn withstand(pid: u32, to: SocketAddr, held: usize, junk: usize) {
    let quiet = Spent::by(pid);
    let mut rivals = Rivals::of(to);
    rivals.hold(held, Held::Once);
    rivals.storm(3);
    rivals.junk(junk, "/callback");
    let mut most = quiet;
    let mut pauses = [PAUSE, Duration::from_secs(1), Duration::from_secs(2)].into_iter();
    // On a busy machine, the rivals are slow as well.
    let end = Instant::now() + Duration::from_mins(3);
    while rivals.junk_made() < junk {
        if let Some(pause) = pauses.next() {
            probe(to, pause, "everything at once");
        }
        most = most.most(Spent::by(pid));
        assert!(Instant::now() < end, "after {}", rivals.made());
        std::thread::sleep(Duration::from_millis(2));
    }
    println!("attack: {}", rivals.made());
    assert_flat(quiet, most, "during");
    drop(rivals);
    assert_freed(pid, quiet);
}

#[test]
fn callback_gets_through_during_an_attack() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let to: SocketAddr = sign_in.authority.parse().unwrap();
    withstand(sign_in.plain.pid(), to, 2000, 10_000);
    // Again, with the true callback in the middle.
    let mut rivals = Rivals::of(to);
    rivals.hold(2000, Held::Once);
    rivals.storm(3);
    rivals.junk(10_000, "/callback");
    let query = format!("code=true-code&state={}", sign_in.state);
    let (answer, took) = callback(to, PAUSE, &query);
    println!("attack: the true callback was answered after {took:?}");
    assert!(answer.contains("Almost done"), "{answer}");
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
    assert_eq!(sign_in.server.requests("/token").len(), 1);
}

#[test]
fn screen_completes_sign_in_during_an_attack() {
    let screen = OnScreen::start();
    withstand(screen.terminal.pid(), screen.to, 1000, 600);
    let mut rivals = Rivals::of(screen.to);
    rivals.hold(1000, Held::Once);
    rivals.storm(3);
    rivals.junk(600, "/callback");
    let query = format!("code=true-code&state={}", screen.state);
    let (answer, took) = callback(screen.to, PAUSE, &query);
    println!("attack: the true callback was answered after {took:?}");
    assert!(answer.contains("Almost done"), "{answer}");
    screen.terminal.wait_for("Access token");
}

#[test]
fn slow_client_gets_response_despite_each_kind_of_attacker() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let to: SocketAddr = sign_in.authority.parse().unwrap();
    let quiet = Spent::by(sign_in.plain.pid());
    let mut rivals = Rivals::of(to);
    rivals.storm(3);
    for pause in [PAUSE, Duration::from_secs(1), Duration::from_secs(2)] {
        probe(to, pause, "three clients reconnecting");
    }
    drop(rivals);
    // A connection that has begun a request has no priority over a silent connection.
    let mut rivals = Rivals::of(to);
    rivals.hold_after(b"G", 600, Held::Again);
    for pause in [100, 150, 200].map(Duration::from_millis).repeat(3) {
        probe(to, pause, "600 connections of one byte, made again");
    }
    println!("attack: {}", rivals.made());
    drop(rivals);
    let mut rivals = Rivals::of(to);
    rivals.hold(2000, Held::Once);
    for pause in [PAUSE, Duration::from_secs(2)] {
        probe(to, pause, "2,000 connections held");
    }
    assert_flat(quiet, Spent::by(sign_in.plain.pid()), "2,000 held");
    drop(rivals);
    // The worst case: whenever a connection is closed, its client connects again.
    let mut rivals = Rivals::of(to);
    rivals.hold(2000, Held::Again);
    for _ in 0..3 {
        probe(to, PAUSE, "2,000 connections held and made again");
    }
    assert_flat(quiet, Spent::by(sign_in.plain.pid()), "2,000 held again");
    println!("attack: {}", rivals.made());
    drop(rivals);
    assert_freed(sign_in.plain.pid(), quiet);
    sign_in.finish();
}

#[test]
fn listener_uses_at_most_half_of_the_descriptors() {
    let sign_in = SignIn::with_descriptors(64);
    let to: SocketAddr = sign_in.authority.parse().unwrap();
    let pid = sign_in.plain.pid();
    let quiet = Spent::by(pid);
    let mut rivals = Rivals::of(to);
    rivals.hold(300, Held::Again);
    let mut most = quiet;
    for _ in 0..3 {
        probe(to, PAUSE, "few descriptors");
        most = most.most(Spent::by(pid));
    }
    assert!(
        most.descriptors <= quiet.descriptors + 33,
        "{most}; before: {quiet}"
    );
    // Enough descriptors are free for the exchange.
    let query = format!("code=true-code&state={}", sign_in.state);
    let (answer, _) = callback(to, PAUSE, &query);
    assert!(answer.contains("Almost done"), "{answer}");
    let (exit, stdout, stderr) = sign_in.plain.end();
    assert_eq!((exit, stdout.as_str()), (0, "the-token\n"), "{stderr}");
}

#[test]
fn connection_without_complete_request_times_out() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let begin = Instant::now();
    let [mut silent, mut dripping] =
        [0; 2].map(|_| TcpStream::connect(&sign_in.authority).unwrap());
    for stream in [&silent, &dripping] {
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
    }
    let mut drip = dripping.try_clone().unwrap();
    let drips = std::thread::spawn(move || {
        let request = format!("GET /callback HTTP/1.1\r\nX: {}", "x".repeat(1000));
        for byte in request.bytes() {
            if drip.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    for (name, stream) in [("silent", &mut silent), ("dripping", &mut dripping)] {
        let mut answer = Vec::new();
        // A client that is still sending may get a reset.
        let outcome = stream.read_to_end(&mut answer);
        let took = begin.elapsed();
        assert!(
            took > Duration::from_secs(4) && took < Duration::from_secs(10),
            "{name}: {took:?}, {outcome:?}"
        );
        assert!(answer.is_empty(), "{name}: {answer:?}");
    }
    drips.join().unwrap();
    sign_in.finish();
}

#[test]
fn unfinished_requests_cost_little_memory() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let (authority, pid) = (&sign_in.authority, sign_in.plain.pid());
    let quiet = Spent::by(pid);
    let request = format!(
        "GET /callback HTTP/1.1\r\nHost: {authority}\r\nX: {}",
        "x".repeat(40 * 1024)
    );
    let mut most = quiet;
    let unfinished: Vec<TcpStream> = (0..600)
        .map(|_| {
            let mut stream = TcpStream::connect(authority).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            most = most.most(Spent::by(pid));
            stream
        })
        .collect();
    let to: SocketAddr = authority.parse().unwrap();
    probe(to, PAUSE, "600 unfinished requests");
    assert_flat(quiet, most.most(Spent::by(pid)), "600 unfinished requests");
    drop(unfinished);
    assert_freed(pid, quiet);
    sign_in.finish();
}

#[test]
fn connections_release_their_descriptor_after_response() {
    let sign_in = SignIn::start(LOOPBACK, None);
    let (authority, pid) = (&sign_in.authority, sign_in.plain.pid());
    let quiet = Spent::by(pid);
    // The clients never read, never send the rest, and never close.
    let lingering: Vec<TcpStream> = (0..200)
        .map(|turn| {
            let mut stream = TcpStream::connect(authority).unwrap();
            let rest = [
                "",
                "Content-Length: 100000\r\n",
                "Transfer-Encoding: chunked\r\n",
            ][turn % 3];
            let path = ["/callback", "/favicon.ico"][turn % 2];
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: {authority}\r\n{rest}\r\n"
            )
            .unwrap();
            stream
        })
        .collect();
    // Sooner than the time limit for a request.
    let begin = Instant::now();
    assert_freed(pid, quiet);
    assert!(begin.elapsed() < Duration::from_secs(4));
    drop(lingering);
    sign_in.finish();
}
