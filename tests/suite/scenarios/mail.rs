//! A mail server that is good except for one reply, which a scenario defines.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::file::{Answer, Case, Encoding, Endpoint, Hostile};
use super::secrets::fill;
use super::tls::{Connection, Kind, begin};

/// Number of bytes that are sent if a scenario says that a reply is huge.
const HUGE: u64 = 1 << 30;

/// A running mail server. It lives as long as the test process.
pub struct MailServer {
    pub port: u16,
    taken: Arc<AtomicU64>,
}

impl MailServer {
    /// Starts a mail server. If its clock jumps, the jump is written to `clock`.
    pub fn start(endpoint: Endpoint, case: &Case, clock: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&taken);
        let answer = case.answers().remove(0);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kind = answer.certificate.unwrap_or(Kind::Good);
                if let Some(connection) = begin(stream, Some(kind)) {
                    let talk = Talk {
                        endpoint,
                        answer: &answer,
                        clock: &clock,
                        taken: &counted,
                    };
                    // The client may close the connection at any point.
                    let _ = talk.run(connection);
                }
            }
        });
        Self { port, taken }
    }

    pub fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }
}

struct Talk<'a> {
    endpoint: Endpoint,
    answer: &'a Answer,
    clock: &'a Path,
    taken: &'a AtomicU64,
}

impl Talk<'_> {
    fn run(&self, mut connection: Connection) -> std::io::Result<()> {
        let mut tag = String::new();
        let mut line = String::new();
        loop {
            let stage = self.stage(&line);
            if self.endpoint == Endpoint::Imap && stage != "again" {
                line.split(' ')
                    .next()
                    .unwrap_or_default()
                    .clone_into(&mut tag);
            }
            let wanted = self.answer.stage.as_deref().unwrap_or("greeting");
            let good = self.good(stage);
            if wanted == stage {
                let reply = self
                    .answer
                    .body
                    .as_ref()
                    .map(|body| fill(&body.build(), self.endpoint));
                self.reply(
                    &mut connection,
                    &reply.unwrap_or(good).replace("$tag", &tag),
                )?;
                if self.answer.hostile.is_some() {
                    return Ok(());
                }
            } else {
                connection.write_all(good.replace("$tag", &tag).as_bytes())?;
                connection.flush()?;
            }
            line = read_line(&mut connection)?;
            if line.is_empty() {
                return Ok(());
            }
        }
    }

    /// The stage of the dialogue that this line of the client begins; `greeting` before the first line.
    fn stage(&self, line: &str) -> &'static str {
        let words = line.to_ascii_uppercase();
        let command = match self.endpoint {
            Endpoint::Imap => words.split(' ').nth(1).unwrap_or_default(),
            _ => words.split(' ').next().unwrap_or_default(),
        };
        match command.trim_end() {
            _ if line.is_empty() => "greeting",
            "CAPABILITY" | "CAPA" | "EHLO" => "capabilities",
            // With IMAP, the token is in the same line.
            "AUTH" => "sign-in",
            "AUTHENTICATE" => "token",
            "EXAMINE" | "STAT" | "MAIL" => "mailbox",
            "RSET" | "QUIT" | "LOGOUT" => "end",
            // After a challenge, the client sends an empty line or a short mark.
            word if word.len() < 8 => "again",
            _ => "token",
        }
    }

    fn good(&self, stage: &str) -> String {
        let lines = match (self.endpoint, stage) {
            (Endpoint::Imap, "greeting") => "* OK ready",
            (Endpoint::Imap, "capabilities") => {
                "* CAPABILITY IMAP4rev1 SASL-IR AUTH=XOAUTH2\r\n$tag OK done"
            }
            (Endpoint::Imap, "mailbox") => "* 3 EXISTS\r\n$tag OK done",
            (Endpoint::Imap, "again") => "$tag NO rejected",
            (Endpoint::Imap, _) => "$tag OK done",
            (Endpoint::Pop3, "greeting") => "+OK ready",
            (Endpoint::Pop3, "capabilities") => "+OK\r\nSASL XOAUTH2\r\n.",
            (Endpoint::Pop3, "sign-in") => "+ ",
            (Endpoint::Pop3, "mailbox") => "+OK 3 120",
            (Endpoint::Pop3, "again") => "-ERR rejected",
            (Endpoint::Pop3, _) => "+OK",
            (_, "greeting") => "220 ready",
            (_, "capabilities") => "250-mail.example\r\n250 AUTH XOAUTH2",
            (_, "sign-in") => "334 ",
            (_, "token") => "235 in",
            (_, "again") => "535 rejected",
            (_, _) => "250 done",
        };
        format!("{lines}\r\n")
    }

    fn reply(&self, connection: &mut Connection, text: &str) -> std::io::Result<()> {
        if let Some(jump) = &self.answer.clock {
            let new = self.clock.with_extension("new");
            std::fs::write(&new, jump)?;
            std::fs::rename(new, self.clock)?;
        }
        let text = text.trim_end_matches(['\r', '\n']);
        let lines: Vec<&str> = text.lines().collect();
        let whole = lines.join("\r\n") + "\r\n";
        match self.answer.hostile {
            None => {
                let bytes = match self.answer.encoding {
                    Some(Encoding::Latin1) => {
                        let latin = |ch: char| u8::try_from(u32::from(ch)).unwrap_or(b'?');
                        whole.chars().map(latin).collect()
                    }
                    Some(Encoding::Utf16) => {
                        whole.encode_utf16().flat_map(u16::to_be_bytes).collect()
                    }
                    Some(Encoding::Bom) => format!("\u{feff}{whole}").into_bytes(),
                    _ => whole.into_bytes(),
                };
                connection.write_all(&bytes)?;
            }
            Some(Hostile::Silent) => drop(std::io::copy(connection, &mut std::io::sink())?),
            Some(Hostile::CloseBefore) => {}
            Some(Hostile::ResetBefore) => connection.reset(),
            Some(Hostile::CloseInside) => connection.write_all(&whole.as_bytes()[..3])?,
            Some(Hostile::ResetInside) => {
                connection.write_all(&whole.as_bytes()[..3])?;
                connection.reset();
            }
            Some(Hostile::CloseAfter) => connection.write_all(whole.as_bytes())?,
            Some(Hostile::ResetAfter) => {
                connection.write_all(whole.as_bytes())?;
                connection.reset();
            }
            Some(Hostile::Drip) => {
                for byte in whole.trim_end().bytes().chain(std::iter::repeat(b'x')) {
                    connection.write_all(&[byte])?;
                    connection.flush()?;
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
            Some(Hostile::HugeLines) => self.pour(connection, &whole.repeat(1000))?,
            Some(_) => self.pour(connection, &format!("{}{}", &whole[..3], "x".repeat(65536)))?,
        }
        connection.flush()
    }

    /// Writes this piece repeatedly up to 1 GB, and counts the bytes.
    fn pour(&self, connection: &mut Connection, piece: &str) -> std::io::Result<()> {
        while self.taken.load(Ordering::Relaxed) < HUGE {
            connection.write_all(piece.as_bytes())?;
            self.taken.fetch_add(piece.len() as u64, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn read_line(connection: &mut Connection) -> std::io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while !line.ends_with(b"\n") && connection.read(&mut byte)? > 0 {
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}
