//! Proxies from the environment: each kind is used, rejections are reported, and an invalid setting stops the run.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::plain::Plain;
use crate::services::{ca, proxy};
use crate::terminal::LIMIT;

const HOST: &str = "idp.example";

/// Runs a device flow at a remote service with these environment variables. Returns the exit code, standard output and
/// standard error.
fn run(variables: &[(&str, &str)]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("ca.pem"), ca()).unwrap();
    let (device, token) = (
        format!("https://{HOST}/device"),
        format!("https://{HOST}/token"),
    );
    let flags = [
        "--client-id",
        "cid",
        "--flow",
        "device-code",
        "--device-url",
        &device,
        "--token-url",
        &token,
        "--ca-file",
        "ca.pem",
        "--print",
        "access-token",
    ];
    Plain::start_with(home.path(), &flags, variables).end()
}

/// Starts a proxy that passes each connection to `serve`. Returns its port.
fn listen(serve: impl Fn(TcpStream) -> std::io::Result<()> + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(LIMIT))?;
                serve(stream)
            });
        }
    });
    port
}

/// Starts the service behind one of the tests' HTTP proxies. Returns its port.
fn service() -> u16 {
    proxy(|request| {
        let body = match request.url.path() {
            "/device" => {
                r#"{"device_code":"d","user_code":"ABCD-EFGH","verification_uri":"https://idp.example/d","expires_in":60,"interval":1}"#
            }
            _ => r#"{"access_token":"the-token","token_type":"Bearer"}"#,
        };
        (200, "application/json", body.to_owned())
    })
}

/// Copies bytes both ways until one side ends.
fn carry(one: &TcpStream, other: &TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = (other.try_clone()?, one.try_clone()?);
    let back = std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    let (mut from, mut to) = (one.try_clone()?, other.try_clone()?);
    std::io::copy(&mut from, &mut to)?;
    let _ = other.shutdown(std::net::Shutdown::Both);
    let _ = back.join();
    Ok(())
}

fn byte(stream: &mut impl Read) -> std::io::Result<u8> {
    let mut one = [0];
    stream.read_exact(&mut one)?;
    Ok(one[0])
}

fn bytes(stream: &mut impl Read, count: usize) -> std::io::Result<Vec<u8>> {
    let mut all = vec![0; count];
    stream.read_exact(&mut all)?;
    Ok(all)
}

/// The requests that a SOCKS 5 proxy received (RFC 1928, RFC 1929): the user and the target.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A SOCKS 5 proxy that connects every request to the service. If `password` is set, it asks for a password.
fn socks(service: u16, password: bool, asked: Asked) -> u16 {
    listen(move |mut stream| {
        assert_eq!(byte(&mut stream)?, 5);
        let count = byte(&mut stream)?.into();
        let methods = bytes(&mut stream, count)?;
        let method = if password { 2 } else { 0 };
        if !methods.contains(&method) {
            return stream.write_all(&[5, 0xff]);
        }
        stream.write_all(&[5, method])?;
        let mut user = String::new();
        if password {
            assert_eq!(byte(&mut stream)?, 1);
            for _ in 0..2 {
                let count = byte(&mut stream)?.into();
                user += &String::from_utf8(bytes(&mut stream, count)?).unwrap();
                user += " ";
            }
            stream.write_all(&[1, 0])?;
        }
        assert_eq!(bytes(&mut stream, 3)?, [5, 1, 0]);
        let target = match byte(&mut stream)? {
            1 => bytes(&mut stream, 4)?
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join("."),
            3 => {
                let count = byte(&mut stream)?.into();
                String::from_utf8(bytes(&mut stream, count)?).unwrap()
            }
            other => panic!("address type {other}"),
        };
        let port = u16::from_be_bytes(bytes(&mut stream, 2)?.try_into().unwrap());
        asked
            .lock()
            .unwrap()
            .push((user.trim().to_owned(), format!("{target}:{port}")));
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        // The service is behind an HTTP proxy.
        let mut inner = TcpStream::connect(("127.0.0.1", service))?;
        write!(inner, "CONNECT {target}:{port} HTTP/1.1\r\n\r\n")?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(byte(&mut inner)?);
        }
        carry(&stream, &inner)
    })
}

#[test]
fn socks5h_proxy_resolves_and_reaches_the_service() {
    for (scheme, who, user) in [
        ("socks5h", "", ""),
        ("socks5h", "me:p%23w%2F1@", "me p#w/1"),
    ] {
        for variable in ["ALL_PROXY", "HTTPS_PROXY", "all_proxy"] {
            let asked = Asked::default();
            let port = socks(service(), !who.is_empty(), Arc::clone(&asked));
            let setting = format!("{scheme}://{who}127.0.0.1:{port}");
            let (exit, stdout, stderr) = run(&[(variable, &setting)]);
            assert_eq!((exit, stdout.trim_end()), (0, "the-token"), "{stderr}");
            let asked = asked.lock().unwrap();
            // The proxy resolves the host name, which this machine may not know.
            let expected = (user.to_owned(), format!("{HOST}:443"));
            assert!(
                asked.len() >= 2 && asked.iter().all(|it| *it == expected),
                "{asked:?}"
            );
        }
    }
}

#[test]
fn socks5_proxy_resolves_the_host_name_locally() {
    let asked = Asked::default();
    let port = socks(service(), false, Arc::clone(&asked));
    let setting = format!("socks5://127.0.0.1:{port}");
    let (exit, _, stderr) = run(&[("ALL_PROXY", &setting)]);
    // The test's host name does not resolve on this machine.
    assert_eq!(exit, 5, "{stderr}");
    assert!(asked.lock().unwrap().is_empty());
    assert!(
        stderr.contains("ALL_PROXY") && stderr.contains("socks5h"),
        "{stderr}"
    );
}

#[test]
fn invalid_proxy_setting_ends_the_run_before_any_request() {
    for setting in [
        r"http://dom\user:p#w/1@127.0.0.1:PORT",
        "http://user:p#w@127.0.0.1:PORT",
        "\"http://127.0.0.1:PORT\"",
        "http://127.0.0.1:PORT ",
        "http://127.0.0.1:PORTx",
        "ftp://127.0.0.1:PORT",
        "SOCKS5H://127.0.0.1:PORT",
        "http://",
    ] {
        let came = Arc::new(Mutex::new(0));
        let count = Arc::clone(&came);
        let port = listen(move |_| {
            *count.lock().unwrap() += 1;
            Ok(())
        });
        let setting = setting.replace("PORT", &port.to_string());
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let (exit, stdout, stderr) = run(&[(variable, &setting)]);
            assert_eq!((exit, stdout.as_str()), (2, ""), "{setting}\n{stderr}");
            assert!(
                stderr.contains(&format!("error: Can't use {variable}: ")),
                "{stderr}"
            );
            // The setting may contain a password.
            for part in ["p#w", "user:", "127.0.0.1"] {
                let told: Vec<&str> = stderr.lines().filter(|line| line.contains(part)).collect();
                assert!(told.iter().all(|line| line.starts_with("hint")), "{stderr}");
            }
        }
        assert_eq!(*came.lock().unwrap(), 0, "{setting}");
        // If no proxy is used, the setting doesn't matter; the run fails because the host name does not resolve.
        let (exit, _, stderr) = run(&[("HTTPS_PROXY", &setting), ("NO_PROXY", HOST)]);
        assert!(
            exit == 5 && !stderr.contains("HTTPS_PROXY cannot"),
            "{stderr}"
        );
    }
}

#[test]
fn proxy_error_is_reported_with_status_address_and_variable() {
    for (status, words) in [
        (
            "407 Proxy Authentication Required",
            "user name and password",
        ),
        ("403 Forbidden", "NO_PROXY"),
        ("502 Bad Gateway", "can't reach the service"),
        ("503 Service Unavailable", "can't reach the service"),
    ] {
        let port = listen(move |stream| {
            let mut reader = BufReader::new(stream);
            let mut line = String::new();
            while reader.read_line(&mut line)? > 2 {
                line.clear();
            }
            write!(
                reader.into_inner(),
                "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
        });
        let setting = format!("http://127.0.0.1:{port}");
        let (exit, _, stderr) = run(&[("HTTPS_PROXY", &setting)]);
        assert_eq!(exit, 5, "{stderr}");
        for part in [
            &format!("through the proxy 127.0.0.1:{port} (HTTPS_PROXY)"),
            &status[..3],
            words,
        ] {
            assert!(stderr.contains(part), "{part}\n{stderr}");
        }
    }
    // A proxy of each kind that is not running.
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    for scheme in ["http", "socks5h"] {
        let setting = format!("{scheme}://127.0.0.1:{port}");
        let (exit, _, stderr) = run(&[("ALL_PROXY", &setting)]);
        assert_eq!(exit, 5, "{stderr}");
        for part in [
            &format!("through the proxy 127.0.0.1:{port} (ALL_PROXY)"),
            "refused",
            "Check that the proxy is running",
        ] {
            assert!(stderr.contains(part), "{part}\n{stderr}");
        }
        assert!(
            !stderr.contains("os error") && !stderr.contains("tunnel"),
            "{stderr}"
        );
    }
    // A SOCKS proxy that rejects the user, and one that rejects the target.
    for (answer, words) in [
        (&[5, 0xff][..], "requires a user name and password"),
        (
            &[5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
            "doesn't allow the connection",
        ),
        (&[5, 0, 5, 4, 0, 1, 0, 0, 0, 0, 0, 0], "host unreachable"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "doesn't use SOCKS"),
    ] {
        let port = listen(move |mut stream| {
            bytes(&mut stream, 3)?;
            stream.write_all(answer)?;
            std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
        });
        let setting = format!("socks5h://127.0.0.1:{port}");
        let (exit, _, stderr) = run(&[("ALL_PROXY", &setting)]);
        assert_eq!(exit, 5, "{stderr}");
        let part = format!("through the proxy 127.0.0.1:{port} (ALL_PROXY)");
        assert!(stderr.contains(&part) && stderr.contains(words), "{stderr}");
        assert!(!stderr.contains("SOCKS error"), "{stderr}");
    }
}
