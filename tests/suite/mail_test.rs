//! `mail-test` against a real Dovecot, and against servers that play a script.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use oauth_authorizer::mail::server::Protocol;
use oauth_authorizer::presets::Library;
use serde_json::{Value, json};

use crate::mail_server::MailServer;
use crate::profiles::{Profiles, Ran};
use crate::scripted::Reply;
use crate::servers::{Provider, eventually, run};
use crate::terminal::{self, CTRL_C, ENTER, ESC};

const ALICE: &str = "alice@example.org";
const MECHANISMS: [&str; 2] = ["xoauth2", "oauthbearer"];

/// The servers of Dovecot.
fn servers(mail: &MailServer) -> [(&'static str, String); 3] {
    [
        ("imap", format!("localhost:{}:TLS", mail.imaps)),
        ("pop3", format!("localhost:{}:TLS", mail.pop3s)),
        ("smtp", format!("localhost:{}:STARTTLS", mail.submission)),
    ]
}

/// Runs a test of one server, and reads its JSON.
fn test(profiles: &Profiles, authority: &PathBuf, arguments: &[&str]) -> (i32, Value) {
    let all = [&["mail-test", "office", "--json"], arguments].concat();
    let mut command = profiles.command(&all);
    let ran: Ran = command
        .env("SSL_CERT_FILE", authority)
        .output()
        .unwrap()
        .into();
    let token = profiles.record()["tokens"]["access_token"].clone();
    let token = token.as_str().unwrap();
    assert!(
        token.len() < 10 || !format!("{ran:?}").contains(token),
        "{ran:?}"
    );
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    (ran.code, report["tests"][0].clone())
}

/// Each protocol and each mechanism, with the exit code and the report.
fn matrix(
    profiles: &Profiles,
    mail: &MailServer,
    user: &str,
) -> Vec<(&'static str, &'static str, i32, Value)> {
    let run = |protocol: &str, server: &str, mechanism: &str| {
        let arguments = [
            protocol,
            "--server",
            server,
            "--mechanism",
            mechanism,
            "--user",
            user,
        ];
        let (code, report) = test(profiles, &mail.certificate(), &arguments);
        let used = mechanism.to_ascii_uppercase();
        assert_eq!(report["mechanism"], used, "{report}");
        (code, report)
    };
    let servers = servers(mail);
    // Dovecot waits before it rejects.
    let run = &run;
    std::thread::scope(|scope| {
        let pairs = servers
            .iter()
            .flat_map(|server| MECHANISMS.map(|mechanism| (server, mechanism)));
        let threads: Vec<_> = pairs
            .map(|((protocol, server), mechanism)| {
                let thread = scope.spawn(move || run(protocol, server, mechanism));
                (*protocol, mechanism, thread)
            })
            .collect();
        threads
            .into_iter()
            .map(|(protocol, mechanism, thread)| {
                let (code, report) = thread.join().unwrap();
                (protocol, mechanism, code, report)
            })
            .collect()
    })
}

/// Each protocol and mechanism reports that the server rejected the token.
fn assert_rejected(profiles: &Profiles, mail: &MailServer, user: &str, case: &str) {
    for (protocol, mechanism, code, report) in matrix(profiles, mail, user) {
        let failed = &report["failed"];
        let context = format!("{case}, {protocol}, {mechanism}: {report}");
        assert_eq!(code, 11, "{context}");
        assert_eq!(failed["step"], "sign in", "{context}");
        let words = match protocol {
            "imap" => "[AUTHENTICATIONFAILED]",
            "pop3" => "[AUTH]",
            _ => "535 5.7.8",
        };
        let said = failed["server_said"].as_str().unwrap();
        assert!(said.contains(words), "{context}");
        // The error before it is decoded.
        let details: Value = serde_json::from_str(failed["details"].as_str().unwrap()).unwrap();
        assert!(details["status"].is_string(), "{context}");
        assert!(
            failed["cause"]
                .as_str()
                .unwrap()
                .contains("rejected the token")
                && failed["source"].as_str().unwrap().starts_with("https://"),
            "{context}"
        );
    }
}

#[test]
fn dovecot_accepts_a_fresh_token_and_rejects_others() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let mail = MailServer::start(&provider);
    let profiles = Profiles::at(&provider);
    for (protocol, mechanism, code, report) in matrix(&profiles, &mail, ALICE) {
        assert_eq!(code, 0, "{protocol}, {mechanism}: {report}\n{}", mail.log());
        let steps = report["steps"].as_array().unwrap();
        let last = steps.last().unwrap();
        assert_eq!(last["step"], "mailbox", "{report}");
        assert!(
            steps
                .iter()
                .any(|step| step["detail"] == "signed in as alice@example.org"),
            "{report}"
        );
    }
    assert!(mail.relayed().is_empty(), "nothing is sent");
    assert_rejected(&profiles, &mail, "bob@example.org", "another user");
    // As text, by the CA file of the profile, with the lines.
    let path = mail.certificate();
    profiles.edit(|record| record["issued_for"]["ca_file"] = json!(path));
    let (_, server) = &servers(&mail)[0];
    let arguments = [
        "mail-test",
        "office",
        "imap",
        "--server",
        server,
        "--user",
        ALICE,
        "--transcript",
    ];
    let ran = profiles.run(&arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "IMAP  localhost:",
        "  ok      signed in as alice@example.org",
        "  ok      opened INBOX, 0 messages",
        "C: a2 AUTHENTICATE XOAUTH2 [user=alice@example.org, token of 43 characters]",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {ran:?}");
    }
    profiles.edit(|record| record["issued_for"]["ca_file"] = Value::Null);
    // Not trusted: no token is sent.
    let ran = profiles.run(&arguments);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.stdout.contains("certificate is not trusted"), "{ran:?}");
    // A token of 2 KiB reaches the server with each protocol. The provider can't introspect a JWT, and Dovecot says that it
    // can't check it, not that the line is too long.
    let token = profiles.record()["tokens"]["access_token"].clone();
    let payload = "eyJzdWIiOiJhbGljZSJ9".repeat(100);
    profiles.edit(|record| {
        record["tokens"]["access_token"] = json!(format!("eyJhbGciOiJub25lIn0.{payload}.x"));
    });
    for (protocol, mechanism, code, report) in matrix(&profiles, &mail, ALICE) {
        let said = report["failed"]["server_said"].as_str().unwrap();
        let words = match protocol {
            "imap" => "[UNAVAILABLE]",
            "pop3" => "[SYS/TEMP]",
            _ => "454 4.7.0",
        };
        assert!(said.contains(words), "{mechanism}: {report}");
        assert_eq!(code, 5, "{report}");
        assert!(report["failed"]["source"].is_string(), "{report}");
    }
    profiles.edit(|record| record["tokens"]["access_token"] = token.clone());
    run(Command::new("curl")
        .args(["-sSf", "-d", "client_id=public-native", "-d"])
        .arg(format!("token={}", token.as_str().unwrap()))
        .arg(provider.endpoint("revocation")));
    assert_rejected(&profiles, &mail, ALICE, "revoked");
    let profiles = Profiles::with_scope(&provider, "openid offline_access");
    assert_rejected(&profiles, &mail, ALICE, "wrong scope");
}

#[test]
fn screen_signs_in_to_dovecot_with_profile_tokens() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let mail = MailServer::start(&provider);
    let profiles = Profiles::at(&provider);
    let addresses = servers(&mail).map(|(protocol, server)| {
        let (place, security) = server.rsplit_once(':').unwrap();
        (protocol, format!("{place} {security}"))
    });
    let lines = addresses
        .clone()
        .map(|(protocol, server)| format!("{protocol} = \"{server}\"\n"));
    let path = profiles.settings();
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{settings}\n[mail]\n{}", lines.concat())).unwrap();
    profiles.edit(|record| {
        let pins = addresses
            .clone()
            .map(|(protocol, server)| format!("{protocol} {server}"));
        record["issued_for"]["mail"] = json!(pins);
        record["issued_for"]["user"] = json!(ALICE);
        // Refreshed before the test.
        record["tokens"]["expires_at"] = json!(1_000_000);
    });
    let mut terminal = terminal::Command::new(profiles.home.path(), &[])
        .env("SSL_CERT_FILE", mail.certificate().to_str().unwrap())
        .start();
    terminal.wait_for("[p Profiles…]");
    terminal.send(ESC);
    terminal.wait_for("▸[a Authorize]");
    terminal.send("p");
    terminal.wait_for("token expired");
    terminal.send("m");
    terminal.wait_for("office · mail test");
    terminal.wait_for("IMAP, POP3 and SMTP accepted the token.");
    assert_eq!(provider.refreshes(), (1, 0));
    assert!(mail.relayed().is_empty(), "nothing is sent");
    terminal.send(ENTER);
    terminal.wait_for("opened INBOX, 0 messages");
    terminal.send("e");
    terminal.wait_for("token of 43 characters");
    let token = profiles.token();
    assert!(!terminal.screen().contains(&token));
    terminal.send(ESC);
    terminal.wait_for("[m Test mail again]");
    terminal.send(ESC);
    terminal.wait_for("1 profile");
    // Another server is none that the tokens were issued for.
    let changed = std::fs::read_to_string(&path)
        .unwrap()
        .replace("imap = \"localhost:", "imap = \"127.0.0.1:");
    std::fs::write(&path, changed).unwrap();
    terminal.send("m");
    terminal.wait_for("The IMAP server has changed");
    terminal.wait_for("POP3 and SMTP accepted the token.");
    terminal.send(CTRL_C);
    assert_eq!(terminal.wait_exit().exit_code(), 0, "{}", terminal.screen());
}

#[test]
fn dovecot_rejects_an_expired_token() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1"), ("ACCESS_TOKEN_TTL", "2")]);
    let mail = MailServer::start(&provider);
    let profiles = Profiles::at(&provider);
    profiles.edit(|record| record["tokens"]["expires_at"] = json!(4_000_000_000_u64));
    let token = profiles.token();
    eventually("the end of the token", || {
        (provider.userinfo(&token).0 != 200).then_some(())
    });
    assert_rejected(&profiles, &mail, ALICE, "expired");
}

/// A server that plays a script: the first part at once, the others each after a line of the client.
struct Script {
    address: String,
    heard: Arc<Mutex<String>>,
    authority: PathBuf,
    _folder: tempfile::TempDir,
}

impl Script {
    fn start(parts: &[String], tls: bool, bytewise: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let authority = folder.path().join("ca.pem");
        std::fs::write(&authority, made.cert.pem()).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key.unwrap())
            .unwrap();
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(String::new()));
        let (kept, parts) = (Arc::clone(&heard), parts.to_vec());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = stream.set_nodelay(true);
                // The client may hang up at any point.
                let _ = if tls {
                    let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
                    let stream = rustls::StreamOwned::new(connection, stream);
                    play(stream, &parts, bytewise, &kept)
                } else {
                    play(stream, &parts, bytewise, &kept)
                };
            }
        });
        let security = if tls { "TLS" } else { "STARTTLS" };
        Self {
            address: format!("localhost:{port}:{security}"),
            heard,
            authority,
            _folder: folder,
        }
    }

    fn test(&self, profiles: &Profiles, protocol: Protocol) -> (i32, Value) {
        let arguments = [protocol.key(), "--server", &self.address, "--user", ALICE];
        test(profiles, &self.authority, &arguments)
    }
}

fn play(
    stream: impl Read + Write,
    parts: &[String],
    bytewise: bool,
    heard: &Mutex<String>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            let mut line = String::new();
            stream.read_line(&mut line)?;
            heard.lock().unwrap().push_str(&line);
        }
        // The server closes the connection.
        if part.is_empty() {
            return Ok(());
        }
        let writer = stream.get_mut();
        let size = if bytewise { 1 } else { part.len().max(1) };
        for piece in part.as_bytes().chunks(size) {
            writer.write_all(piece)?;
            writer.flush()?;
        }
    }
    let mut rest = String::new();
    stream.read_to_string(&mut rest)?;
    heard.lock().unwrap().push_str(&rest);
    Ok(())
}

fn parts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

/// A script in which the token is answered by this.
fn rejection(protocol: Protocol, challenge: Option<&str>, reply: &str) -> Vec<String> {
    let mut script = match protocol {
        Protocol::Imap => parts(&[
            "* OK ready\r\n",
            "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\na1 OK\r\n",
        ]),
        Protocol::Pop3 => parts(&["+OK\r\n", "+OK\r\nSASL XOAUTH2\r\n.\r\n", "+ \r\n"]),
        Protocol::Smtp => parts(&["220 x\r\n", "250 AUTH XOAUTH2\r\n", "334 \r\n"]),
    };
    if let Some(challenge) = challenge {
        let mark = if protocol == Protocol::Smtp {
            "334"
        } else {
            "+"
        };
        script.push(format!("{mark} {challenge}\r\n"));
    }
    script.push(format!("{reply}\r\n"));
    script
}

#[test]
fn every_server_error_shows_its_explanation() {
    use base64::Engine;
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let entries = Library::default().explanations("mail");
    assert!(entries.len() > 20);
    for (at, entry) in entries.iter().enumerate() {
        let protocol = entry.protocol.unwrap_or(Protocol::Imap);
        let words = entry.text.as_deref().unwrap_or_default();
        let code = entry.code.as_deref().unwrap_or_default();
        let json = words.starts_with("https://");
        let challenge = json.then(|| {
            let text = json!({ "status": code, "schemes": "Bearer", "scope": words });
            base64::engine::general_purpose::STANDARD.encode(text.to_string())
        });
        let words = if json { "refused" } else { words };
        let reply = match protocol {
            Protocol::Imap => format!("a2 NO [{words}] {code}"),
            Protocol::Pop3 => format!("-ERR {words} {code}"),
            Protocol::Smtp if words.starts_with(|ch: char| ch.is_ascii_digit()) => {
                format!("{words} {code}")
            }
            Protocol::Smtp => format!("535 {code} {words}"),
        };
        let script = rejection(protocol, challenge.as_deref(), &reply);
        // Byte by byte, for every other one.
        let server = Script::start(&script, true, at % 2 == 0);
        let (code, report) = server.test(&profiles, protocol);
        assert_eq!(report["failed"]["cause"], entry.cause, "{report}");
        assert_eq!(report["failed"]["fix"], entry.remedy, "{report}");
        assert_eq!(report["failed"]["source"], entry.source, "{report}");
        assert_eq!(report["failed"]["details"].is_string(), json, "{report}");
        let temporary = [
            "[SYS/TEMP]",
            "454 4.7.0",
            "[UNAVAILABLE]",
            "Request is throttled",
            "Concurrent connections limit exceeded",
            "Too many simultaneous connections",
            "exceeded command or bandwidth limits",
        ]
        .contains(&words);
        assert_eq!(code, if temporary { 5 } else { 11 }, "{report}");
    }
}

#[test]
fn rejection_blames_the_token_only_if_sent() {
    use base64::Engine;
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    // The command is rejected before the token is sent.
    for (protocol, script) in [
        (
            Protocol::Imap,
            &[
                "* OK\r\n",
                "* CAPABILITY AUTH=XOAUTH2\r\na1 OK\r\n",
                "a2 NO [AUTHENTICATIONFAILED] no\r\n",
            ][..],
        ),
        (
            Protocol::Pop3,
            &[
                "+OK\r\n",
                "+OK\r\nSASL XOAUTH2\r\n.\r\n",
                "-ERR [AUTH] no\r\n",
            ],
        ),
        (
            Protocol::Smtp,
            &["220 x\r\n", "250 AUTH XOAUTH2\r\n", "535 5.7.8 no\r\n"],
        ),
    ] {
        let server = Script::start(&parts(script), true, false);
        let (code, report) = server.test(&profiles, protocol);
        assert_eq!(code, 5, "{report}");
        let cause = report["failed"]["cause"].as_str().unwrap();
        assert!(cause.starts_with("The token was not sent"), "{report}");
        let fix = report["failed"]["fix"].as_str().unwrap();
        assert!(fix.contains("whether OAuth is turned on"), "{report}");
    }
    let error = base64::engine::general_purpose::STANDARD.encode(r#"{"status":"401"}"#);
    let mut after = rejection(Protocol::Imap, None, "a2 OK in");
    after.push("a3 NO Mailbox is unavailable\r\n".to_owned());
    // Some servers close the connection after the error in a challenge.
    let mut closed = rejection(Protocol::Imap, Some(&error), "");
    *closed.last_mut().unwrap() = String::new();
    // A rejection that no explanation fits has a fix for its step.
    for (script, words) in [
        (
            rejection(Protocol::Imap, None, "a2 NO Login failed."),
            "for this mailbox",
        ),
        (after, "accepted the token"),
        (closed, "for this mailbox"),
    ] {
        let (code, report) = Script::start(&script, true, false).test(&profiles, Protocol::Imap);
        let failed = &report["failed"];
        assert_eq!((code, &failed["cause"]), (11, &Value::Null), "{report}");
        assert!(failed["fix"].as_str().unwrap().contains(words), "{report}");
    }
}

#[test]
fn invalid_server_is_reported_with_the_valid_form() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    for server in [
        "imap.example.org:994",
        "imap.example.org:993:none",
        "smtp.office365.com",
        "office365-support-mailbox",
    ] {
        let ran = profiles.run(&["mail-test", "office", "imap", "--server", server]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.stderr
                .contains("HOST:PORT:STARTTLS, such as imap.example.org:993:TLS")
                && ran.stderr.contains(server),
            "{ran:?}"
        );
    }
    // A token is still not repeated.
    let token = "gho_16C7e42F292c6912E7710c838347Ae178B4a";
    let ran = profiles.run(&["mail-test", "office", "imap", "--server", token]);
    assert!(ran.code == 2 && !ran.stderr.contains(token), "{ran:?}");
    // Words with hyphens are the name of a profile.
    let ran = profiles.run(&["token", "office365-support-mailbox"]);
    assert!(
        ran.stderr
            .contains("There is no profile \"office365-support-mailbox\"."),
        "{ran:?}"
    );
}

#[test]
fn rejection_before_sign_in_does_not_blame_the_token() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    for (protocol, script, words) in [
        (
            Protocol::Imap,
            parts(&["* BYE Too many connections\r\n"]),
            "Try again later.",
        ),
        (
            Protocol::Pop3,
            parts(&["-ERR no service here\r\n"]),
            "it may be busy",
        ),
        (
            Protocol::Smtp,
            parts(&["554 5.7.1 blocked by rbl\r\n"]),
            "block the address of this machine",
        ),
    ] {
        let server = Script::start(&script, true, false);
        let (code, report) = server.test(&profiles, protocol);
        assert_eq!(code, 5, "{report}");
        let failed = &report["failed"];
        let text = |name: &str| failed[name].as_str().unwrap_or_default().to_owned();
        assert!(text("cause").contains("The token was not sent"), "{report}");
        assert!(text("fix").contains(words), "{report}");
    }
}

#[test]
fn token_is_never_sent_unencrypted() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    for (protocol, script, words) in [
        (
            Protocol::Smtp,
            parts(&[
                "220 x\r\n",
                "250 AUTH XOAUTH2\r\n",
                "334 \r\n",
                "235 in\r\n",
            ]),
            "doesn't offer STARTTLS",
        ),
        (
            Protocol::Imap,
            parts(&["* OK x\r\n", "* CAPABILITY AUTH=XOAUTH2\r\na1 OK\r\n"]),
            "doesn't offer STARTTLS",
        ),
        (
            Protocol::Pop3,
            parts(&["+OK x\r\n", "+OK\r\nSASL XOAUTH2\r\n.\r\n"]),
            "doesn't offer STARTTLS",
        ),
        (
            Protocol::Smtp,
            parts(&[
                "220 x\r\n",
                "250-STARTTLS\r\n250 x\r\n",
                "220 go\r\n250 AUTH XOAUTH2\r\n",
            ]),
            "before TLS started",
        ),
        (
            Protocol::Imap,
            parts(&[
                "* OK x\r\n",
                "* CAPABILITY STARTTLS\r\na1 OK\r\n",
                "a2 OK go\r\n* CAPABILITY AUTH=XOAUTH2\r\na3 OK\r\n",
            ]),
            "before TLS started",
        ),
        (
            Protocol::Pop3,
            parts(&["+OK x\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK go\r\n+OK\r\n"]),
            "before TLS started",
        ),
    ] {
        let server = Script::start(&script, false, false);
        let (code, report) = server.test(&profiles, protocol);
        assert_eq!(code, 11, "{report}");
        let error = report["failed"]["error"].as_str().unwrap();
        assert!(error.contains(words), "{report}");
        let heard = server.heard.lock().unwrap().clone();
        assert!(!heard.to_uppercase().contains("AUTH"), "{heard}");
    }
}

#[test]
fn token_is_sent_only_to_its_own_servers() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let ran = profiles.run(&["mail-test", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("has a mail server"), "{ran:?}");
    let server = Script::start(
        &rejection(Protocol::Imap, None, "a2 NO [X] no"),
        true,
        false,
    );
    // Another hand changes the settings.
    let text = std::fs::read_to_string(profiles.settings()).unwrap();
    let text = format!(
        "{text}\n[mail]\nuser = \"{ALICE}\"\nimap = \"{}\"\n",
        server.address.replace(":TLS", " TLS")
    );
    std::fs::write(profiles.settings(), text).unwrap();
    let run = || -> Ran {
        let mut command = profiles.command(&["mail-test", "office", "--user", ALICE]);
        let command = command.env("SSL_CERT_FILE", &server.authority);
        command.output().unwrap().into()
    };
    let ran = run();
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("so nothing was sent"), "{ran:?}");
    assert_eq!(*server.heard.lock().unwrap(), "");
    // Named by the user, or in a record of a version that knew no mail servers.
    let (code, _) = server.test(&profiles, Protocol::Imap);
    assert_eq!(code, 11);
    profiles.edit(|record| {
        let pins = record["issued_for"].as_object_mut().unwrap();
        assert_eq!(pins.remove("mail"), Some(json!([])));
    });
    let ran = run();
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(ran.stdout.contains("Server: NO [X] no"), "{ran:?}");
}

#[test]
fn mismatched_token_claims_are_warnings() {
    use base64::Engine;
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let claims = json!({ "aud": "https://graph.example", "scp": "Mail.Read", "exp": 1_000_000, "upn": "bob@example.org" });
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims.to_string());
    profiles.edit(|record| {
        record["tokens"]["access_token"] = json!(format!("eyJhbGciOiJub25lIn0.{payload}.x"));
        record["tokens"]["expires_at"] = json!(4_000_000_000_u64);
    });
    // Nobody listens there.
    let port = crate::servers::free_port();
    let server = format!("localhost:{port}:TLS");
    let ran = profiles.run(&[
        "mail-test",
        "office",
        "imap",
        "--server",
        &server,
        "--user",
        ALICE,
    ]);
    assert_eq!(ran.code, 5, "{ran:?}");
    for words in [
        "audience https://graph.example",
        "scope Mail.Read",
        "expired at 1970-01-12",
        "belongs to bob@example.org, but the mailbox is alice@example.org",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert!(ran.stdout.contains("can't be reached"), "{ran:?}");
}
