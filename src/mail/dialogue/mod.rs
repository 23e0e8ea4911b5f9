//! The dialogue with a mail server, for any protocol.

use super::imap::Imap;
use super::pop3::Pop3;
use super::sasl::Mechanism;
use super::server::{Protocol, Security};
use super::smtp::Smtp;
use super::turn::{Login, Ours, Session, Talk, Turn};
use super::verdict::{Problem, Step};

/// Maximum number of lines that are read from a server.
pub const LINES_LIMIT: usize = 200;

/// A dialogue with a mail server, up to the end of the test.
#[derive(Debug)]
pub struct Dialogue {
    session: Session,
    talk: Box<dyn Talk>,
    lines: usize,
}

impl Dialogue {
    /// Starts a dialogue. The server speaks first.
    #[must_use]
    pub fn new(protocol: Protocol, login: Login) -> Self {
        let encrypted = login.address.security == Security::Tls;
        Self {
            session: Session {
                login,
                encrypted,
                mechanism: None,
                sent: false,
                challenge: None,
            },
            talk: match protocol {
                Protocol::Imap => Box::new(Imap::default()),
                Protocol::Pop3 => Box::new(Pop3::default()),
                Protocol::Smtp => Box::new(Smtp::default()),
            },
            lines: 0,
        }
    }

    /// Returns the current step.
    #[must_use]
    pub fn step(&self) -> Step {
        self.talk.step()
    }

    /// Reacts to a line from the server.
    pub fn line(&mut self, line: &str) -> Turn {
        self.lines += 1;
        if self.lines > LINES_LIMIT {
            return Problem::TooManyLines.into();
        }
        self.talk.line(&mut self.session, line)
    }

    /// Continues after TLS has started, as [`Next::StartTls`] requested. What the server said before TLS no longer
    /// counts.
    pub fn tls_started(&mut self) -> Ours {
        self.session.encrypted = true;
        self.talk.after_tls()
    }

    /// Returns the mechanism that was chosen.
    #[must_use]
    pub fn mechanism(&self) -> Option<Mechanism> {
        self.session.mechanism
    }

    /// Returns the error that the server sent as a challenge, in Base64.
    #[must_use]
    pub fn challenge(&self) -> Option<&str> {
        self.session.challenge.as_deref()
    }

    /// Returns whether the token was sent.
    #[must_use]
    pub fn is_sent(&self) -> bool {
        self.session.sent
    }

    /// Returns the line that ends the connection.
    #[must_use]
    pub fn goodbye(&self) -> &'static str {
        self.talk.goodbye()
    }
}

#[cfg(test)]
mod tests;
