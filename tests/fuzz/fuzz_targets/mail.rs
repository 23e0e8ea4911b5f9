//! Any output of a mail server: no token is sent before TLS, and every dialogue ends.

#![no_main]

mod common;

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use oauth_authorizer::mail::dialogue::{Dialogue, LINES_LIMIT};
use oauth_authorizer::mail::line::Lines;
use oauth_authorizer::mail::sasl::read_challenge;
use oauth_authorizer::mail::server::{Address, Protocol};
use oauth_authorizer::mail::turn::{Login, Next, Ours};
use oauth_authorizer::secret::ExposeSecret;

use common::is_shown;

const TOKEN: &str = "8Kq3-zXw71_pLm0vTn5RbYc";
const SEEDS: [&str; 6] = [
    "0* OK ready\r\n* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\na1 OK\r\n+ eyJzdGF0dXMiOiI0MDAifQ==\r\na2 NO failed\r\n",
    "1* OK ready\r\n* CAPABILITY STARTTLS\r\na1 OK\r\na2 OK begin\r\n* CAPABILITY AUTH=XOAUTH2\r\na3 OK\r\n",
    "2+OK ready\r\n+OK\r\nSASL XOAUTH2\r\n.\r\n+ \r\n+OK\r\n+OK 2 320\r\n",
    "3+OK ready\r\n+OK\r\nSTLS\r\n.\r\n+OK\r\n",
    "4220 ready\r\n250-host\r\n250 AUTH XOAUTH2 OAUTHBEARER\r\n334 e30=\r\n535 5.7.3 no\r\n",
    "5220 ready\r\n250-host\r\n250 STARTTLS\r\n220 go\r\n250 AUTH XOAUTH2\r\n235 ok\r\n250 ok\r\n",
];

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in SEEDS.iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |bytes: &[u8]| {
        let Some((first, bytes)) = bytes.split_first() else {
            return;
        };
        let (protocol, port) = match first / 2 % 3 {
            0 => (Protocol::Imap, 143),
            1 => (Protocol::Pop3, 110),
            _ => (Protocol::Smtp, 587),
        };
        let clear = first % 2 == 1;
        let security = if clear { "STARTTLS" } else { "TLS" };
        let address = format!("mail.example:{port}:{security}");
        let login = Login {
            user: "alice@example.org".to_owned(),
            token: TOKEN.into(),
            address: Address::parse(&address).expect("an address"),
            mechanism: None,
            preferred: Vec::new(),
        };
        talk(Dialogue::new(protocol, login), !clear, bytes);
        if let Ok(text) = std::str::from_utf8(bytes) {
            is_shown(&read_challenge(text));
        }
    }
);

fn talk(mut dialogue: Dialogue, mut encrypted: bool, bytes: &[u8]) {
    let mut lines = Lines::default();
    lines.push(bytes);
    let mut read = 0;
    while let Ok(Some(line)) = lines.next_line() {
        read += 1;
        assert!(read <= LINES_LIMIT + 1, "the dialogue doesn't end");
        let turn = dialogue.line(&line);
        for (_, detail) in &turn.ended {
            assert!(!detail.contains(TOKEN));
        }
        match turn.next {
            Next::Read => {}
            Next::Send(ours) => sent(&ours, encrypted),
            Next::StartTls => {
                assert!(!encrypted, "TLS starts twice");
                encrypted = true;
                sent(&dialogue.tls_started(), encrypted);
            }
            Next::Done => return,
            Next::Failed(problem) => {
                is_shown(&problem.text());
                return;
            }
        }
    }
}

fn sent(ours: &Ours, encrypted: bool) {
    let line = ours.line.expose_secret();
    assert!(!line.contains(['\r', '\n']), "{line:?}");
    assert!(!ours.shown.contains(TOKEN));
    let decoded = line
        .split(' ')
        .filter_map(|word| STANDARD.decode(word).ok())
        .any(|bytes| bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes()));
    assert!(encrypted || !(decoded || line.contains(TOKEN)), "the token is sent in clear");
}
