//! Tests a sign-in to a mail server with an access token. Drives the dialogue of [`mail`](crate::mail).
//!
//! The connection to the server bypasses proxies. The token is sent only over TLS.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use super::ca_file;
use super::redact::Secrets;
use super::tls::trouble;
use super::tls_config;
use crate::clean::{TEXT_LIMIT, clean, clean_path, system_reason};
use crate::mail::dialogue::Dialogue;
use crate::mail::line::Lines;
use crate::mail::sasl::{Mechanism, read_challenge};
use crate::mail::server::{Protocol, Security};
use crate::mail::turn::{Login, Next, Ours};
use crate::mail::verdict::{Problem, Step};
use crate::secret::ExposeSecret;
use crate::store::file::read as file;

/// Maximum time for a step.
pub const STEP_LIMIT: Duration = Duration::from_secs(20);
/// How long to wait for the connection to close.
const GOODBYE_LIMIT: Duration = Duration::from_secs(1);

/// A test of one server.
#[derive(Debug, Clone)]
pub struct MailTest {
    /// The protocol.
    pub protocol: Protocol,
    /// The address of the user, and the server.
    pub login: Login,
    /// An additional CA certificate to trust.
    pub ca_file: Option<PathBuf>,
    /// Maximum time for a step.
    pub limit: Duration,
}

/// A step that succeeded.
#[derive(Debug, Clone)]
pub struct StepDone {
    /// Which step.
    pub step: Step,
    /// The result, in words.
    pub detail: String,
    /// How long it took.
    pub time: Duration,
}

/// A step that failed.
#[derive(Debug, Clone)]
pub struct StepFailed {
    /// Which step.
    pub step: Step,
    /// Whether the token had been sent by then.
    pub sent: bool,
    /// How long it took.
    pub time: Duration,
    /// The reason. The server's words in it are cleaned and redacted.
    pub problem: Problem,
    /// The decoded error of the server's challenge.
    pub challenge: Option<String>,
}

impl StepFailed {
    /// Returns whether the server rejected the token with an error in a challenge, and then closed the connection
    /// instead of replying.
    #[must_use]
    pub fn ends_with_challenge(&self) -> bool {
        self.problem == Problem::Closed && self.sent && self.challenge.is_some()
    }
}

/// A line of the transcript, cleaned and redacted.
#[derive(Debug, Clone)]
pub struct Exchanged {
    /// Whether this program sent the line.
    pub ours: bool,
    /// The line, with the length of the token instead of the token.
    pub text: String,
}

/// The result of a test.
#[derive(Debug)]
pub struct Report {
    /// The mechanism that was used.
    pub mechanism: Option<Mechanism>,
    /// The steps that succeeded, in order.
    pub steps: Vec<StepDone>,
    /// The step that failed, if any.
    pub failed: Option<StepFailed>,
    /// The lines that both sides sent.
    pub transcript: Vec<Exchanged>,
}

/// Runs a test.
pub async fn run(test: &MailTest) -> Report {
    let mut run = Run {
        test,
        dialogue: Dialogue::new(test.protocol, test.login.clone()),
        steps: Vec::new(),
        transcript: Vec::new(),
        began: Instant::now(),
        step: Step::Connect,
    };
    let failed = run.talk().await.err().map(|problem| StepFailed {
        step: run.step,
        sent: run.dialogue.is_sent(),
        time: run.began.elapsed(),
        challenge: run.dialogue.challenge().map(read_challenge),
        problem,
    });
    let mut report = Report {
        mechanism: run.dialogue.mechanism(),
        steps: run.steps,
        failed,
        transcript: run.transcript,
    };
    report.redact(test);
    report
}

impl Report {
    /// Redacts the token, in any encoding, from the server's words.
    fn redact(&mut self, test: &MailTest) {
        let mut secrets = Secrets::default();
        let token = test.login.token.expose_secret();
        secrets.remember(token);
        let address = &test.login.address;
        let server = Some((&*address.host, address.port));
        for mechanism in Mechanism::ALL {
            let message = mechanism.message(&test.login.user, token, server);
            secrets.remember(message.expose_secret());
        }
        let mut texts: Vec<&mut String> = self
            .transcript
            .iter_mut()
            .filter(|line| !line.ours)
            .map(|line| &mut line.text)
            .collect();
        if let Some(failed) = &mut self.failed {
            texts.extend(&mut failed.challenge);
            match &mut failed.problem {
                Problem::Refused { reply, .. } => texts.push(reply),
                Problem::Nonsense { line } => texts.push(line),
                Problem::NoMechanism { offered, .. } => {
                    offered.truncate(20);
                    texts.extend(offered);
                }
                _ => {}
            }
        }
        for text in &mut texts {
            **text = clean(text, TEXT_LIMIT);
        }
        secrets.redact(&mut texts);
    }
}

/// A test that is running.
struct Run<'a> {
    test: &'a MailTest,
    dialogue: Dialogue,
    steps: Vec<StepDone>,
    transcript: Vec<Exchanged>,
    /// When the step began.
    began: Instant,
    step: Step,
}

impl Run<'_> {
    async fn talk(&mut self) -> Result<(), Problem> {
        let address = &self.test.login.address;
        let connector = connector(self.test.ca_file.as_ref()).await?;
        self.began = Instant::now();
        let place = (address.host.as_str(), address.port);
        let stream = self
            .within(TcpStream::connect(place))
            .await?
            .map_err(|error| Problem::Unreachable {
                cause: io_words(&error),
            })?;
        self.done(Step::Connect, "connected".to_owned());
        let mut lines = Lines::default();
        match address.security {
            Security::Tls => {
                let mut stream = self.encrypt(&connector, stream).await?;
                self.lines(&mut stream, &mut lines, None).await?;
            }
            Security::StartTls => {
                let mut stream = stream;
                self.lines(&mut stream, &mut lines, None).await?;
                // The exchange returns only when STARTTLS was accepted; otherwise the test has failed.
                let mut stream = self.encrypt(&connector, stream).await?;
                let first = self.dialogue.tls_started();
                self.lines(&mut stream, &mut lines, Some(first)).await?;
            }
        }
        Ok(())
    }

    /// Runs a part of the current step within the time limit.
    async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Problem> {
        let end = self.began + self.test.limit;
        timeout_at(end, work).await.map_err(|_| Problem::Silent {
            seconds: self.test.limit.as_secs().max(1),
        })
    }

    fn done(&mut self, step: Step, detail: String) {
        self.steps.push(StepDone {
            step,
            detail,
            time: self.began.elapsed(),
        });
        self.began = Instant::now();
    }

    async fn encrypt(
        &mut self,
        connector: &TlsConnector,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, Problem> {
        self.step = Step::Tls;
        let host = &self.test.login.address.host;
        let name = ServerName::try_from(host.clone()).map_err(|_| Problem::Unreachable {
            cause: "the host name is not valid".to_owned(),
        })?;
        let stream = self
            .within(connector.connect(name, stream))
            .await?
            .map_err(|error| lost(&error))?;
        let version = match stream.get_ref().1.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        };
        self.done(Step::Tls, format!("{version}, certificate of {host}"));
        Ok(stream)
    }

    /// Exchanges lines until the dialogue ends or TLS must start.
    async fn lines<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        lines: &mut Lines,
        first: Option<Ours>,
    ) -> Result<(), Problem> {
        if let Some(first) = first {
            self.send(stream, first).await?;
        }
        let mut buffer = Zeroizing::new(vec![0; 4096]);
        loop {
            self.step = self.dialogue.step();
            let Some(line) = lines.next_line().map_err(|_| Problem::LongLine)? else {
                let count = self
                    .within(stream.read(&mut buffer))
                    .await?
                    .map_err(|error| lost(&error))?;
                if count == 0 {
                    return Err(Problem::Closed);
                }
                lines.push(&buffer[..count]);
                continue;
            };
            let turn = self.dialogue.line(&line);
            let shown = match self.dialogue.challenge() {
                Some(challenge) if line.ends_with(challenge) && !challenge.is_empty() => {
                    let mark = line.split(' ').next().unwrap_or_default();
                    format!("{mark} {}", read_challenge(challenge))
                }
                _ => clean(&line, TEXT_LIMIT),
            };
            self.transcript.push(Exchanged {
                ours: false,
                text: shown,
            });
            for (step, detail) in turn.ended {
                self.done(step, detail);
            }
            match turn.next {
                Next::Read => {}
                Next::Send(ours) => self.send(stream, ours).await?,
                Next::StartTls if lines.is_empty() => {
                    self.done(Step::StartTls, "the server is ready for TLS".to_owned());
                    return Ok(());
                }
                Next::StartTls => return Err(Problem::Injected),
                Next::Done => {
                    let goodbye = format!("{}\r\n", self.dialogue.goodbye());
                    let end = Instant::now() + GOODBYE_LIMIT;
                    // The test has succeeded, even if this isn't sent.
                    let _ = timeout_at(end, stream.write_all(goodbye.as_bytes())).await;
                    let _ = timeout_at(end, stream.flush()).await;
                    return Ok(());
                }
                Next::Failed(problem) => return Err(problem),
            }
        }
    }

    async fn send<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        ours: Ours,
    ) -> Result<(), Problem> {
        let line = Zeroizing::new(format!("{}\r\n", ours.line.expose_secret()));
        let write = async {
            stream.write_all(line.as_bytes()).await?;
            stream.flush().await
        };
        self.within(write).await?.map_err(|error| lost(&error))?;
        self.transcript.push(Exchanged {
            ours: true,
            text: clean(&ours.shown, TEXT_LIMIT),
        });
        Ok(())
    }
}

/// Creates a TLS connector that trusts the same CA certificates as https does: those of the system, and the CA file.
async fn connector(ca_path: Option<&PathBuf>) -> Result<TlsConnector, Problem> {
    let path = ca_path.cloned();
    let work = move || {
        let (mut roots, mut hint) = (Vec::new(), SYSTEM_HINT);
        if let Some(path) = path {
            hint = "Enter a readable file with certificates in PEM format as the CA file of the profile.";
            let named = |cause| (format!("{}: {cause}", clean_path(&path)), hint);
            roots = ca_file::read(&path).map_err(named)?;
        }
        tls_config::check_system().map_err(|cause| (cause, SYSTEM_HINT))?;
        let config = tls_config::trusting(roots);
        let config = config.map_err(|error| (trouble(&error).cause, hint))?;
        Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
    };
    let worked = file::aside(work)
        .await
        .unwrap_or_else(|error| Err((error.to_string(), SYSTEM_HINT)));
    worked.map_err(|(cause, hint)| Problem::Authorities {
        cause,
        hint: hint.to_owned(),
    })
}

const SYSTEM_HINT: &str = "Install the system's CA certificates (package ca-certificates), or check SSL_CERT_FILE and SSL_CERT_DIR.";

/// Returns why TLS failed, or why the connection ended.
fn lost(error: &io::Error) -> Problem {
    let inner = error.get_ref().and_then(|error| error.downcast_ref());
    let Some(wrong) = inner else {
        return if is_closed(error.kind()) {
            Problem::Closed
        } else {
            Problem::Unreachable {
                cause: io_words(error),
            }
        };
    };
    let found = trouble(wrong);
    let hint = if matches!(wrong, rustls::Error::InvalidMessage(_)) {
        "Check the port, and whether it uses TLS or STARTTLS.".to_owned()
    } else {
        found
            .hint
            .replace(" in the URL", "")
            .replace("set CA file (--ca-file)", "set the CA file of the profile")
    };
    Problem::Tls {
        certificate: found.certificate,
        cause: found.cause,
        hint,
    }
}

/// Returns whether the other side has closed the connection, cleanly or not.
fn is_closed(kind: io::ErrorKind) -> bool {
    matches!(
        kind,
        io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
    )
}

fn io_words(error: &io::Error) -> String {
    clean(system_reason(&error.to_string()), 200).to_lowercase()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    #[cfg(unix)]
    use crate::flow::served;
    use crate::mail::server::Address;

    fn test(port: u16, security: Security) -> MailTest {
        MailTest {
            protocol: Protocol::Imap,
            login: Login {
                user: "alice@example.org".to_owned(),
                token: "a-token-of-the-test".into(),
                address: Address {
                    // An IP address, because Windows tries the other address family of localhost for two seconds.
                    host: "127.0.0.1".to_owned(),
                    port,
                    security,
                },
                mechanism: None,
                preferred: Vec::new(),
            },
            ca_file: None,
            limit: Duration::from_millis(200),
        }
    }

    /// Tests a server that sends `said`, then nothing, or closes the connection.
    async fn of(said: Vec<u8>, closes: bool, security: Security) -> Report {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.write_all(&said).await;
            if closes {
                return Vec::new();
            }
            let mut heard = Vec::new();
            let _ = stream.read_to_end(&mut heard).await;
            heard
        });
        let report = run(&test(port, security)).await;
        let server = tokio::time::timeout(Duration::from_secs(10), server);
        let heard = server.await;
        assert!(heard.is_ok(), "the server heard nothing: {report:?}");
        let heard = heard.unwrap().unwrap();
        let heard = String::from_utf8_lossy(&heard).into_owned();
        assert!(!heard.contains("AUTHENTICATE"), "{heard}");
        report
    }

    async fn problem(said: &[u8], closes: bool) -> Problem {
        let report = of(said.to_vec(), closes, Security::StartTls).await;
        report.failed.unwrap().problem
    }

    #[tokio::test]
    async fn faulty_server_ends_the_test_in_time() {
        let silent = problem(b"", false).await;
        assert_eq!(silent, Problem::Silent { seconds: 1 });
        let silent = problem(b"* OK without end", false).await;
        assert_eq!(silent, Problem::Silent { seconds: 1 });
        let long = problem(&vec![b'x'; 1024 * 1024], false).await;
        assert_eq!(long, Problem::LongLine);
        let many = problem(&b"* OK ready\r\n".repeat(100_000), false).await;
        assert_eq!(many, Problem::TooManyLines);
        assert_eq!(problem(b"", true).await, Problem::Closed);
        let nonsense = problem(b"SSH-2.0-x\r\n", false).await;
        assert!(matches!(nonsense, Problem::Nonsense { .. }));
        // A server without TLS, on a port that should use TLS.
        let clear = of(b"* OK ready\r\n".to_vec(), false, Security::Tls).await;
        let failed = clear.failed.unwrap();
        assert!(matches!(failed.problem, Problem::Tls { .. }), "{failed:?}");
        assert_eq!(failed.step, Step::Tls);
    }

    #[tokio::test]
    async fn token_repeated_by_the_server_is_redacted() {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode("xa-token-of-the-test");
        let said = format!("* BYE a-token-of-the-test {encoded} \u{1b}[31mred\r\n");
        let report = of(said.into_bytes(), false, Security::StartTls).await;
        let all = format!("{report:?}");
        for secret in ["a-token-of-the-test", &encoded, "\\u{1b}"] {
            assert!(!all.contains(secret), "{secret}: {all}");
        }
        assert!(all.contains("BYE"), "{all}");
    }

    #[tokio::test]
    async fn data_before_tls_ends_the_test() {
        let said = "* OK ready\r\n* CAPABILITY STARTTLS\r\na1 OK\r\na2 OK go\r\n* CAPABILITY AUTH=XOAUTH2\r\n";
        assert_eq!(problem(said.as_bytes(), false).await, Problem::Injected);
    }

    #[tokio::test]
    async fn nonsense_line_is_shown_with_the_token_redacted() {
        let problem = problem(b"SSH-2.0 a-token-of-the-test\r\n", false).await;
        let Problem::Nonsense { line } = &problem else {
            unreachable!("{problem:?}")
        };
        assert!(line.starts_with("SSH-2.0 [redacted, "), "{line}");
    }

    #[test]
    fn connection_closed_by_the_server_is_reported_as_closed() {
        for kind in [
            io::ErrorKind::UnexpectedEof,
            io::ErrorKind::ConnectionReset,
            io::ErrorKind::ConnectionAborted,
            io::ErrorKind::BrokenPipe,
        ] {
            assert_eq!(lost(&kind.into()), Problem::Closed);
        }
        let down = io::Error::other("No route to host (os error 113)");
        let unreachable = Problem::Unreachable {
            cause: "no route to host".to_owned(),
        };
        assert_eq!(lost(&down), unreachable);
        let untrusted = rustls::Error::from(rustls::CertificateError::UnknownIssuer);
        let untrusted = io::Error::new(io::ErrorKind::UnexpectedEof, untrusted);
        let problem = lost(&untrusted);
        let Problem::Tls {
            certificate, hint, ..
        } = &problem
        else {
            unreachable!("{problem:?}")
        };
        assert!(
            certificate & hint.contains("set the CA file of the profile"),
            "{problem:?}"
        );
    }

    /// A server with TLS: the capabilities it offers, and the error in its challenge if it rejects the token.
    #[cfg(unix)]
    struct Imap {
        offers: &'static str,
        error: Option<&'static str>,
    }

    // Windows verifies certificates with its own rules and stores.
    #[cfg(unix)]
    impl Imap {
        /// Answers commands until the end or until TLS must start. Returns what was received.
        async fn talk(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> String {
            use base64::Engine;
            let mut stream = tokio::io::BufStream::new(stream);
            let (mut heard, mut tag, mut was_refused) = (String::new(), String::new(), false);
            loop {
                let begin = heard.len();
                let read = tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut heard).await;
                let line = heard[begin..].trim_end();
                let (first, command) = line.split_once(' ').unwrap_or((line, ""));
                let reply = match command.split(' ').next().unwrap_or_default() {
                    _ if read.unwrap_or_default() == 0 => return heard,
                    "CAPABILITY" => format!("* CAPABILITY {}\r\n{first} OK\r\n", self.offers),
                    "STARTTLS" => format!("{first} OK go\r\n"),
                    "AUTHENTICATE" => {
                        tag = first.to_owned();
                        "+\r\n".to_owned()
                    }
                    "EXAMINE" => format!("* 2 EXISTS\r\n{first} OK\r\n"),
                    "LOGOUT" => return heard,
                    // The token, or the line after an error.
                    _ => match self.error {
                        Some(error) if !was_refused => {
                            was_refused = true;
                            let error = base64::engine::general_purpose::STANDARD.encode(error);
                            format!("+ {error}\r\n")
                        }
                        Some(_) => format!("{tag} NO [AUTHENTICATIONFAILED] refused\r\n"),
                        None => format!("{tag} OK\r\n"),
                    },
                };
                stream.write_all(reply.as_bytes()).await.unwrap();
                stream.flush().await.unwrap();
                if command == "STARTTLS" {
                    return heard;
                }
            }
        }

        /// Tests this server. Returns the report, and what the server received.
        async fn tested(
            self,
            security: Security,
            version: &'static rustls::SupportedProtocolVersion,
        ) -> (Report, String) {
            let (tls, ca) = served::tls(version);
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("ca.pem");
            std::fs::write(&path, ca).unwrap();
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let port = listener.local_addr().unwrap().port();
            let server = tokio::spawn(async move {
                let (mut stream, _) = listener.accept().await.unwrap();
                let greeting = b"* OK ready\r\n";
                let mut heard = String::new();
                if security == Security::StartTls {
                    stream.write_all(greeting).await.unwrap();
                    heard = self.talk(&mut stream).await;
                }
                let mut stream = tls.accept(stream).await.unwrap();
                if security == Security::Tls {
                    stream.write_all(greeting).await.unwrap();
                    stream.flush().await.unwrap();
                }
                heard + &self.talk(&mut stream).await
            });
            let limit = Duration::from_secs(10);
            let report = run(&MailTest {
                ca_file: Some(path),
                limit,
                ..test(port, security)
            })
            .await;
            let heard = tokio::time::timeout(limit, server).await.unwrap().unwrap();
            (report, heard)
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn sign_in_steps_are_reported_in_order() {
        for (security, version, told) in [
            (Security::StartTls, &rustls::version::TLS13, "TLS 1.3"),
            (Security::Tls, &rustls::version::TLS12, "TLS 1.2"),
        ] {
            let server = Imap {
                offers: "IMAP4rev1 STARTTLS AUTH=XOAUTH2",
                error: None,
            };
            let (report, heard) = server.tested(security, version).await;
            assert!(report.failed.is_none(), "{report:?}");
            let steps: Vec<Step> = report.steps.iter().map(|step| step.step).collect();
            let expected = match security {
                Security::StartTls => {
                    &[Step::Connect, Step::Greeting, Step::StartTls, Step::Tls][..]
                }
                Security::Tls => &[Step::Connect, Step::Tls, Step::Greeting],
            };
            let after = [Step::Capabilities, Step::SignIn, Step::Mailbox];
            assert_eq!(steps, [expected, &after].concat());
            let tls = report.steps.iter().find(|step| step.step == Step::Tls);
            let expected = format!("{told}, certificate of 127.0.0.1");
            assert_eq!(tls.unwrap().detail, expected);
            assert_eq!(report.mechanism, Some(Mechanism::Xoauth2));
            assert!(heard.contains("AUTHENTICATE XOAUTH2\r\n"), "{heard}");
            assert!(heard.ends_with("LOGOUT\r\n"), "{heard}");
            let shown = format!("{:?}", report.transcript);
            assert!(!shown.contains("a-token"), "{shown}");
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn challenge_error_is_decoded_and_other_lines_are_unchanged() {
        let server = Imap {
            offers: "AUTH=XOAUTH2",
            error: Some(r#"{"status":"401"}"#),
        };
        let (report, _) = server.tested(Security::Tls, &rustls::version::TLS13).await;
        let failed = report.failed.unwrap();
        assert_eq!(failed.step, Step::SignIn);
        assert_eq!(failed.challenge.unwrap(), r#"{"status":"401"}"#);
        let lines: Vec<&str> = report
            .transcript
            .iter()
            .filter(|line| !line.ours)
            .map(|line| line.text.as_str())
            .collect();
        let end = &lines[lines.len() - 2..];
        assert_eq!(
            end,
            [
                r#"+ {"status":"401"}"#,
                "a2 NO [AUTHENTICATIONFAILED] refused"
            ]
        );
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn unsupported_mechanisms_are_limited_in_number_and_redacted() {
        let server = Imap {
            offers: "AUTH=PLAIN AUTH=a-token-of-the-test AUTH=A AUTH=B AUTH=C AUTH=D AUTH=E AUTH=F AUTH=G AUTH=H AUTH=I \
                     AUTH=J AUTH=K AUTH=L AUTH=M AUTH=N AUTH=O AUTH=P AUTH=Q AUTH=R AUTH=S AUTH=T",
            error: None,
        };
        let (report, heard) = server.tested(Security::Tls, &rustls::version::TLS13).await;
        assert!(!heard.contains("AUTHENTICATE"), "{heard}");
        let failed = report.failed.unwrap();
        let Problem::NoMechanism { offered, .. } = &failed.problem else {
            unreachable!("{failed:?}")
        };
        assert_eq!(offered[..3], ["PLAIN", "[redacted, 19 chars]", "A"]);
        assert_eq!(offered.len(), 20);
    }
}
