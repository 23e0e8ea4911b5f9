//! Tests with scripted servers, whose data is split at every byte.

use super::super::line::Lines;
use super::super::server::Address;
use super::super::turn::Next;
use super::*;

/// The result of a dialogue.
#[derive(Debug, PartialEq, Eq)]
struct Came {
    sent: Vec<String>,
    steps: Vec<Step>,
    details: Vec<String>,
    problem: Option<Problem>,
    challenge: Option<String>,
}

fn login(security: Security) -> Login {
    Login {
        user: "alice@example.org".to_owned(),
        token: "the-token".into(),
        address: Address {
            host: "mail.example.org".to_owned(),
            port: 993,
            security,
        },
        mechanism: None,
        preferred: Vec::new(),
    }
}

/// Plays the script. The server sends the first entry immediately, and each further entry after one of the program's
/// lines. The first `split` bytes of an entry arrive separately.
fn play(protocol: Protocol, login: Login, script: &[&str], split: usize) -> Came {
    let mut dialogue = Dialogue::new(protocol, login);
    let mut lines = Lines::default();
    let mut came = Came {
        sent: Vec::new(),
        steps: Vec::new(),
        details: Vec::new(),
        problem: None,
        challenge: None,
    };
    'script: for part in script {
        let at = split.min(part.len());
        for piece in [&part.as_bytes()[..at], &part.as_bytes()[at..]] {
            lines.push(piece);
            while let Ok(Some(line)) = lines.next_line() {
                let turn = dialogue.line(&line);
                for (step, detail) in turn.ended {
                    came.steps.push(step);
                    came.details.push(format!("{}: {detail}", step.name()));
                }
                match turn.next {
                    Next::Read => {}
                    Next::Send(ours) => came.sent.push(ours.shown),
                    Next::StartTls if !lines.is_empty() => {
                        came.problem = Some(Problem::Injected);
                        break 'script;
                    }
                    Next::StartTls => came.sent.push(dialogue.tls_started().shown),
                    Next::Done => break 'script,
                    Next::Failed(problem) => {
                        came.problem = Some(problem);
                        break 'script;
                    }
                }
            }
        }
    }
    came.challenge = dialogue.challenge().map(str::to_owned);
    came
}

/// Plays the script with every split, which must not change the result.
fn played(protocol: Protocol, login: &Login, script: &[&str]) -> Came {
    let came = play(protocol, login.clone(), script, 0);
    let longest = script.iter().map(|part| part.len()).max().unwrap_or(0);
    for split in 1..longest {
        assert_eq!(
            play(protocol, login.clone(), script, split),
            came,
            "{split}"
        );
    }
    came
}

const TOKEN: &str = "[user=alice@example.org, token of 9 characters]";

#[test]
fn a_sign_in_succeeds_with_each_protocol() {
    use Step::{Capabilities, Greeting, Mailbox, SignIn};
    let tls = login(Security::Tls);
    for (protocol, script, sent) in [
        (
            Protocol::Imap,
            &[
                "* OK ready\r\n",
                "* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=XOAUTH2\r\na1 OK done\r\n",
                "* CAPABILITY IMAP4rev1\r\na2 OK in\r\n",
                "* 3 EXISTS\r\n* FLAGS (x)\r\na3 OK [READ-ONLY] done\r\n",
            ][..],
            vec![
                "a1 CAPABILITY".to_owned(),
                format!("a2 AUTHENTICATE XOAUTH2 {TOKEN}"),
                "a3 EXAMINE INBOX".to_owned(),
            ],
        ),
        (
            Protocol::Imap,
            &[
                "* OK ready\n",
                "* CAPABILITY IMAP4rev1 auth=oauthbearer\na1 OK done\n",
                "+\n",
                "a2 OK in\n",
                "a3 OK done\n",
            ],
            vec![
                "a1 CAPABILITY".to_owned(),
                "a2 AUTHENTICATE OAUTHBEARER".to_owned(),
                TOKEN.to_owned(),
                "a3 EXAMINE INBOX".to_owned(),
            ],
        ),
        (
            Protocol::Pop3,
            &[
                "+OK ready\r\n",
                "+OK\r\nUSER\r\nSASL PLAIN XOAUTH2\r\n.\r\n",
                "+ \r\n",
                "+OK in\r\n",
                "+OK 1 20\r\n",
            ],
            vec![
                "CAPA".to_owned(),
                "AUTH XOAUTH2".to_owned(),
                TOKEN.to_owned(),
                "STAT".to_owned(),
            ],
        ),
        (
            Protocol::Pop3,
            &["+OK\r\n", "-ERR what\r\n", "+\r\n", "+OK\r\n", "+OK\r\n"],
            vec![
                "CAPA".to_owned(),
                "AUTH XOAUTH2".to_owned(),
                TOKEN.to_owned(),
                "STAT".to_owned(),
            ],
        ),
        (
            Protocol::Smtp,
            &[
                "220-mail\r\n220 ready\r\n",
                "250-mail\r\n250-AUTH PLAIN\r\n250-AUTH=LOGIN XOAUTH2\r\n250 SIZE 1\r\n",
                "334 \r\n",
                "235 in\r\n",
                "250 fine\r\n",
                "250 fine\r\n",
            ],
            vec![
                "EHLO [127.0.0.1]".to_owned(),
                "AUTH XOAUTH2".to_owned(),
                TOKEN.to_owned(),
                "MAIL FROM:<alice@example.org>".to_owned(),
                "RSET".to_owned(),
            ],
        ),
    ] {
        let came = played(protocol, &tls, script);
        assert_eq!(came.problem, None, "{came:?}");
        assert_eq!(came.sent, sent);
        assert_eq!(came.steps, [Greeting, Capabilities, SignIn, Mailbox]);
    }
}

#[test]
fn report_shows_capabilities_and_message_count() {
    let tls = login(Security::Tls);
    let imap = |last| {
        let offers = "* CAPABILITY AUTH=XOAUTH2\r\na1 OK\r\n";
        vec!["* OK\r\n", offers, "+\r\n", "a2 OK\r\n", last]
    };
    let pop3 = |offers, last| vec!["+OK\r\n", offers, "+\r\n", "+OK\r\n", last];
    let listed = "+OK\r\nSASL XOAUTH2\r\n.\r\n";
    let smtp = vec![
        "220 x\r\n",
        "250 AUTH XOAUTH2\r\n",
        "334\r\n",
        "235 in\r\n",
        "250\r\n",
        "250\r\n",
    ];
    let (offers, silent) = (
        "the server offers XOAUTH2",
        "the server doesn't list its capabilities",
    );
    for (protocol, script, capabilities, mailbox) in [
        (
            Protocol::Imap,
            imap("* FLAGS (x)\r\n* 12 exists\r\n* 3 RECENT\r\na3 OK\r\n"),
            offers,
            "opened INBOX, 12 messages",
        ),
        (
            Protocol::Imap,
            imap("* 1 EXISTS\r\na3 OK\r\n"),
            offers,
            "opened INBOX, 1 message",
        ),
        (
            Protocol::Imap,
            imap("* 3 RECENT\r\na3 OK\r\n"),
            offers,
            "opened INBOX",
        ),
        (
            Protocol::Pop3,
            pop3(listed, "+OK 0 0\r\n"),
            offers,
            "0 messages",
        ),
        (
            Protocol::Pop3,
            pop3(listed, "+OK 1 20\r\n"),
            offers,
            "1 message",
        ),
        (
            Protocol::Pop3,
            pop3("-ERR\r\n", "+OK fine\r\n"),
            silent,
            "the mailbox can be read",
        ),
        (
            Protocol::Smtp,
            smtp,
            offers,
            "MAIL FROM accepted (nothing sent)",
        ),
    ] {
        let came = played(protocol, &tls, &script);
        let expected = [
            "greeting: greeted".to_owned(),
            format!("capabilities: {capabilities}"),
            "sign in: signed in as alice@example.org".to_owned(),
            format!("mailbox: {mailbox}"),
        ];
        assert_eq!(came.details, expected);
    }
}

#[test]
fn each_protocol_chooses_a_mechanism_and_says_goodbye() {
    for (protocol, before, last, goodbye) in [
        (
            Protocol::Imap,
            &["* OK", "* CAPABILITY AUTH=OAUTHBEARER"][..],
            "a1 OK",
            "z LOGOUT",
        ),
        (
            Protocol::Pop3,
            &["+OK", "+OK", "SASL OAUTHBEARER"],
            ".",
            "QUIT",
        ),
        (Protocol::Smtp, &["220 x"], "250 AUTH OAUTHBEARER", "QUIT"),
    ] {
        let mut dialogue = Dialogue::new(protocol, login(Security::Tls));
        for line in before {
            dialogue.line(line);
        }
        assert_eq!(dialogue.mechanism(), None);
        dialogue.line(last);
        assert_eq!(dialogue.mechanism(), Some(Mechanism::Oauthbearer));
        assert_eq!(dialogue.goodbye(), goodbye);
    }
}

#[test]
fn a_token_is_sent_only_after_tls_has_started() {
    let clear = login(Security::StartTls);
    for (protocol, before, ready) in [
        (
            Protocol::Imap,
            [
                "* OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2] ready\r\n",
                "* CAPABILITY IMAP4rev1 STARTTLS AUTH=XOAUTH2\r\na1 OK\r\n",
            ],
            "a2 OK go\r\n",
        ),
        (
            Protocol::Pop3,
            ["+OK\r\n", "+OK\r\nSTLS\r\nSASL XOAUTH2\r\n.\r\n"],
            "+OK go\r\n",
        ),
        (
            Protocol::Smtp,
            ["220 mail\r\n", "250-STARTTLS\r\n250 AUTH XOAUTH2\r\n"],
            "220 go\r\n",
        ),
    ] {
        // Capabilities from before TLS don't count.
        let none = match protocol {
            Protocol::Imap => "* CAPABILITY IMAP4rev1\r\na3 OK\r\n",
            Protocol::Pop3 => "+OK\r\n.\r\n",
            Protocol::Smtp => "250 mail\r\n",
        };
        let came = played(protocol, &clear, &[before[0], before[1], ready, none]);
        assert!(
            matches!(came.problem, Some(Problem::NoMechanism { .. })),
            "{came:?}"
        );
        // A complete or partial line that arrives with the response.
        for more in ["250 more\r\n", "x"] {
            let ready = format!("{ready}{more}");
            let came = play(protocol, clear.clone(), &[before[0], before[1], &ready], 0);
            assert!(
                came.sent.iter().all(|line| !line.contains("token")),
                "{came:?}"
            );
            assert_eq!(came.problem, Some(Problem::Injected));
        }
        let offers = before[1].replace("STARTTLS", "X").replace("STLS", "X");
        let came = played(protocol, &clear, &[before[0], &offers]);
        assert_eq!(came.problem, Some(Problem::NoStartTls));
        assert!(
            came.sent.iter().all(|line| !line.contains("token")),
            "{came:?}"
        );
    }
}

#[test]
fn client_responds_to_error_challenge_and_awaits_final_reply() {
    for (mechanism, ours) in [(Mechanism::Xoauth2, ""), (Mechanism::Oauthbearer, "AQ==")] {
        let mut login = login(Security::Tls);
        login.mechanism = Some(mechanism);
        for (protocol, script, reply) in [
            (
                Protocol::Imap,
                &[
                    "* OK\r\n",
                    "* CAPABILITY SASL-IR AUTH=XOAUTH2 AUTH=OAUTHBEARER\r\na1 OK\r\n",
                    "+ e30=\r\n",
                    "a2 NO [AUTHENTICATIONFAILED] no\r\n",
                ][..],
                "NO [AUTHENTICATIONFAILED] no",
            ),
            (
                Protocol::Pop3,
                &[
                    "+OK\r\n",
                    "+OK\r\nSASL XOAUTH2 OAUTHBEARER\r\n.\r\n",
                    "+ \r\n",
                    "+ e30=\r\n",
                    "-ERR [AUTH] no\r\n",
                ],
                "-ERR [AUTH] no",
            ),
            (
                Protocol::Smtp,
                &[
                    "220 x\r\n",
                    "250 AUTH XOAUTH2 OAUTHBEARER\r\n",
                    "334 \r\n",
                    "334 e30=\r\n",
                    "535-5.7.8 no\r\n535 5.7.8 really\r\n",
                ],
                "535-5.7.8 no 535 5.7.8 really",
            ),
        ] {
            let came = played(protocol, &login, script);
            assert_eq!(came.sent.last().map(String::as_str), Some(ours));
            assert_eq!(came.challenge.as_deref(), Some("e30="));
            assert_eq!(
                came.problem,
                Some(Problem::Refused {
                    reply: reply.to_owned(),
                    temporary: false
                })
            );
        }
    }
}

#[test]
fn protocol_violations_are_errors() {
    let tls = login(Security::Tls);
    let imap = ["* OK\r\n", "* CAPABILITY AUTH=XOAUTH2\r\na1 OK\r\n"];
    for (protocol, script) in [
        (Protocol::Imap, &["220 mail ready\r\n"][..]),
        (Protocol::Imap, &["a0 OK\r\n"]),
        (Protocol::Imap, &["* PREAUTH in\r\n"]),
        (Protocol::Imap, &["* OK\r\n", "a2 OK\r\n"]),
        (Protocol::Imap, &["* OK\r\n", "a1 MAYBE\r\n"]),
        (Protocol::Imap, &["* OK\r\n", "+ go\r\n"]),
        (
            Protocol::Imap,
            &[imap[0], imap[1], "+ \r\n", "+ x\r\n", "+ y\r\n"],
        ),
        // No token was sent.
        (Protocol::Imap, &[imap[0], imap[1], "a2 OK in\r\n"]),
        (Protocol::Pop3, &["* OK ready\r\n"]),
        (Protocol::Pop3, &["+ \r\n"]),
        (
            Protocol::Pop3,
            &["+OK\r\n", "+OK\r\nSASL XOAUTH2\r\n.\r\n", "+OK in\r\n"],
        ),
        (
            Protocol::Pop3,
            &["+OK\r\n", "-ERR\r\n", "+\r\n", "+OK in\r\n", "+ more\r\n"],
        ),
        (Protocol::Smtp, &["+OK ready\r\n"]),
        (Protocol::Smtp, &["22 x\r\n"]),
        (Protocol::Smtp, &["220\u{e9}x\r\n"]),
        (Protocol::Smtp, &["354 go\r\n"]),
        (
            Protocol::Smtp,
            &["220 x\r\n", "250 AUTH XOAUTH2\r\n", "235 in\r\n"],
        ),
        (Protocol::Smtp, &["HTTP/1.1 400 Bad Request\r\n"]),
    ] {
        let came = played(protocol, &tls, script);
        assert!(
            matches!(came.problem, Some(Problem::Nonsense { .. })),
            "{script:?}: {came:?}"
        );
    }
}

#[test]
fn temporary_rejections_differ_from_permanent_ones() {
    let tls = login(Security::Tls);
    for (protocol, script, expected) in [
        (Protocol::Imap, &["* BYE [UNAVAILABLE] later\r\n"][..], true),
        (Protocol::Imap, &["* BYE go away\r\n"], false),
        (Protocol::Pop3, &["-ERR [SYS/TEMP] later\r\n"], true),
        (Protocol::Pop3, &["-ERR [SYS/PERM] never\r\n"], false),
        (Protocol::Smtp, &["421 4.7.0 later\r\n"], true),
        (Protocol::Smtp, &["554 no\r\n"], false),
    ] {
        let came = played(protocol, &tls, script);
        assert!(
            matches!(came.problem, Some(Problem::Refused { temporary, .. }) if temporary == expected),
            "{came:?}"
        );
    }
}

#[test]
fn lines_are_limited_and_preferred_mechanism_is_chosen() {
    let mut dialogue = Dialogue::new(Protocol::Smtp, login(Security::Tls));
    for _ in 0..LINES_LIMIT {
        assert!(matches!(dialogue.line("220-more").next, Next::Read));
    }
    let last = dialogue.line("220-more").next;
    assert!(matches!(last, Next::Failed(Problem::TooManyLines)));

    let mut login = login(Security::Tls);
    let offered = ["OAUTHBEARER".to_owned(), "XOAUTH2".to_owned()];
    assert_eq!(login.choose(Some(&offered)), Ok(Mechanism::Xoauth2));
    login.preferred = vec![Mechanism::Oauthbearer];
    assert_eq!(login.choose(Some(&offered)), Ok(Mechanism::Oauthbearer));
    assert_eq!(login.choose(Some(&offered[1..])), Ok(Mechanism::Xoauth2));
    login.mechanism = Some(Mechanism::Oauthbearer);
    assert_eq!(login.choose(None), Ok(Mechanism::Oauthbearer));
    assert_eq!(
        login.choose(Some(&offered[1..])),
        Err(Problem::NoMechanism {
            requested: Some(Mechanism::Oauthbearer),
            offered: vec!["XOAUTH2".to_owned()],
        })
    );
}
