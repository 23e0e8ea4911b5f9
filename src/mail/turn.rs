//! The parts that the dialogues of all protocols share: the sign-in, and what comes next.

use super::sasl::Mechanism;
use super::server::Address;
use super::verdict::{Problem, Step};
use crate::secret::{ExposeSecret, SecretString};
use crate::words::thousands;

/// The mailbox, token and server of a sign-in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The mailbox.
    pub user: String,
    /// The access token.
    pub token: SecretString,
    /// The server.
    pub address: Address,
    /// The mechanism to use; `None` for the first of `preferred` that the server offers.
    pub mechanism: Option<Mechanism>,
    /// The mechanisms of the service, the best first.
    pub preferred: Vec<Mechanism>,
}

impl Login {
    /// Returns the mechanism to use with a server that offers `offered`, which is `None` if unknown.
    pub(super) fn choose(&self, offered: Option<&[String]>) -> Result<Mechanism, Problem> {
        let is_offered = |mechanism: &Mechanism| {
            offered.is_none_or(|offered| {
                offered
                    .iter()
                    .any(|name| name.eq_ignore_ascii_case(mechanism.name()))
            })
        };
        let known = self.preferred.iter().copied().chain(Mechanism::ALL);
        let chosen = match self.mechanism {
            Some(mechanism) => Some(mechanism).filter(is_offered),
            None => known.into_iter().find(is_offered),
        };
        chosen.ok_or_else(|| Problem::NoMechanism {
            requested: self.mechanism,
            offered: offered.unwrap_or_default().to_vec(),
        })
    }

    /// Returns the message of a mechanism as a line that starts with `before`.
    pub(super) fn message(&self, mechanism: Mechanism, before: &str) -> Ours {
        let Address { host, port, .. } = &self.address;
        let token = self.token.expose_secret();
        let message = mechanism.message(&self.user, token, Some((host, *port)));
        let length = token.chars().count();
        Ours {
            line: format!("{before}{}", message.expose_secret()).into(),
            shown: format!(
                "{before}[user={}, token of {} characters]",
                self.user,
                thousands(length)
            ),
        }
    }
}

/// A line to send.
#[derive(Debug, Clone)]
pub struct Ours {
    /// The line, without its line ending.
    pub line: SecretString,
    /// The line as a transcript shows it.
    pub shown: String,
}

impl From<String> for Ours {
    fn from(line: String) -> Self {
        Self {
            shown: line.clone(),
            line: line.into(),
        }
    }
}

/// The next action.
#[derive(Debug)]
pub enum Next {
    /// Read another line.
    Read,
    /// Send this line, then read.
    Send(Ours),
    /// Start TLS. It is an error if data was received that has not been read.
    StartTls,
    /// The test succeeded.
    Done,
    /// The test failed.
    Failed(Problem),
}

/// The reaction to a line.
#[derive(Debug)]
pub struct Turn {
    /// The steps that this line completed, each with its result.
    pub ended: Vec<(Step, String)>,
    /// The next action.
    pub next: Next,
}

impl Turn {
    pub(super) fn ends(step: Step, detail: &str, next: Next) -> Self {
        Self {
            ended: vec![(step, detail.to_owned())],
            next,
        }
    }
}

impl Turn {
    /// Returns the failure for a line that isn't valid for the protocol.
    pub(super) fn nonsense(line: &str) -> Self {
        Problem::Nonsense {
            line: line.to_owned(),
        }
        .into()
    }
}

impl From<Next> for Turn {
    fn from(next: Next) -> Self {
        Self {
            ended: Vec::new(),
            next,
        }
    }
}

impl From<Problem> for Turn {
    fn from(problem: Problem) -> Self {
        Next::Failed(problem).into()
    }
}

/// The state that the dialogues of all protocols share.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) login: Login,
    /// Whether TLS has started.
    pub(super) encrypted: bool,
    /// The mechanism that was chosen.
    pub(super) mechanism: Option<Mechanism>,
    /// Whether the token was sent.
    pub(super) sent: bool,
    /// The error that the server sent in a challenge.
    pub(super) challenge: Option<String>,
}

impl Session {
    /// Answers a challenge. After the token was sent, a challenge contains an error.
    pub(super) fn challenged(&mut self, text: &str) -> Turn {
        let Some(mechanism) = self.mechanism else {
            return Turn::nonsense(text);
        };
        if !self.sent {
            self.sent = true;
            return Next::Send(self.login.message(mechanism, "")).into();
        }
        if self.challenge.is_some() {
            return Turn::nonsense(text);
        }
        self.challenge = Some(text.to_owned());
        Next::Send(mechanism.answer_to_error().to_owned().into()).into()
    }
}

/// The part of a dialogue that is specific to a protocol.
pub(super) trait Talk: std::fmt::Debug + Send + Sync {
    /// Returns the line to send after TLS has started by a command.
    fn after_tls(&mut self) -> Ours;
    /// Reacts to a line.
    fn line(&mut self, session: &mut Session, line: &str) -> Turn;
    /// Returns the current step.
    fn step(&self) -> Step;
    /// Returns the line that ends the connection.
    fn goodbye(&self) -> &'static str {
        "QUIT"
    }
}
