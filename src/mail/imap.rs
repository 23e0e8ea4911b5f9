//! IMAP: AUTHENTICATE, then EXAMINE INBOX, which shows whether the mailbox can be opened.

use super::busy::is_busy;
use super::turn::{Next, Ours, Session, Talk, Turn};
use super::verdict::{Problem, Step};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Greeting,
    Capability,
    StartTls,
    Authenticate,
    Examine,
}

#[derive(Debug, Default)]
pub(super) struct Imap {
    state: State,
    /// The number of the last command, which is part of its tag.
    tag: u32,
    capabilities: Vec<String>,
    /// The number of messages in the mailbox.
    exists: Option<u32>,
}

impl Imap {
    /// Returns a command with the next tag.
    fn command(&mut self, state: State, words: &str) -> Ours {
        self.state = state;
        self.tag += 1;
        format!("a{} {words}", self.tag).into()
    }

    fn ask(&mut self) -> Ours {
        self.capabilities.clear();
        self.command(State::Capability, "CAPABILITY")
    }

    fn has(&self, capability: &str) -> bool {
        let mut all = self.capabilities.iter();
        all.any(|known| known.eq_ignore_ascii_case(capability))
    }

    /// Continues after a command succeeded.
    fn ok(&mut self, session: &mut Session, reply: &str) -> Turn {
        match self.state {
            State::Greeting => Next::Read.into(),
            State::Capability if !session.encrypted => {
                if !self.has("STARTTLS") {
                    return Problem::NoStartTls.into();
                }
                Next::Send(self.command(State::StartTls, "STARTTLS")).into()
            }
            State::Capability => {
                let offered = self.capabilities.iter();
                let offered: Vec<String> = offered
                    .filter_map(|name| {
                        let (head, rest) = name.split_at_checked(5)?;
                        head.eq_ignore_ascii_case("AUTH=")
                            .then(|| rest.to_ascii_uppercase())
                    })
                    .collect();
                let mechanism = match session.login.choose(Some(&offered)) {
                    Ok(mechanism) => mechanism,
                    Err(problem) => return problem.into(),
                };
                session.mechanism = Some(mechanism);
                let words = format!("AUTHENTICATE {}", mechanism.name());
                let ours = self.command(State::Authenticate, &words);
                let ours = if self.has("SASL-IR") {
                    session.sent = true;
                    session
                        .login
                        .message(mechanism, &format!("{} ", ours.shown))
                } else {
                    ours
                };
                Turn::ends(
                    Step::Capabilities,
                    &format!("the server offers {}", mechanism.name()),
                    Next::Send(ours),
                )
            }
            State::StartTls => Next::StartTls.into(),
            State::Authenticate if session.sent => {
                let ours = self.command(State::Examine, "EXAMINE INBOX");
                let detail = format!("signed in as {}", session.login.user);
                Turn::ends(Step::SignIn, &detail, Next::Send(ours))
            }
            State::Examine => {
                let detail = match self.exists {
                    Some(1) => "opened INBOX, 1 message".to_owned(),
                    Some(count) => format!("opened INBOX, {count} messages"),
                    None => "opened INBOX".to_owned(),
                };
                Turn::ends(Step::Mailbox, &detail, Next::Done)
            }
            State::Authenticate => Turn::nonsense(reply),
        }
    }

    fn untagged(&mut self, rest: &str) -> Turn {
        let mut words = rest.split(' ');
        let first = words.next().unwrap_or_default().to_ascii_uppercase();
        let refused = || Problem::Refused {
            reply: rest.to_owned(),
            temporary: is_temporary(rest),
        };
        match (self.state, first.as_str()) {
            (State::Greeting, "OK") => {
                let ours = self.ask();
                Turn::ends(Step::Greeting, "greeted", Next::Send(ours))
            }
            (_, "BYE") => refused().into(),
            (State::Greeting, _) => Turn::nonsense(rest),
            (State::Capability, "CAPABILITY") => {
                self.capabilities.extend(words.map(str::to_owned));
                Next::Read.into()
            }
            (State::Examine, count) => {
                if words
                    .next()
                    .is_some_and(|word| word.eq_ignore_ascii_case("EXISTS"))
                {
                    self.exists = count.parse().ok();
                }
                Next::Read.into()
            }
            _ => Next::Read.into(),
        }
    }
}

/// Returns whether the reply has a response code for a temporary problem (RFC 5530), or describes one.
fn is_temporary(reply: &str) -> bool {
    let upper = reply.to_ascii_uppercase();
    let codes = ["[UNAVAILABLE]", "[INUSE]", "[SERVERBUG]", "[LIMIT]"];
    codes.iter().any(|code| upper.contains(code)) || is_busy(reply)
}

impl Talk for Imap {
    fn after_tls(&mut self) -> Ours {
        self.ask()
    }

    fn step(&self) -> Step {
        match self.state {
            State::Greeting => Step::Greeting,
            State::Capability => Step::Capabilities,
            State::StartTls => Step::StartTls,
            State::Authenticate => Step::SignIn,
            State::Examine => Step::Mailbox,
        }
    }

    fn goodbye(&self) -> &'static str {
        "z LOGOUT"
    }

    fn line(&mut self, session: &mut Session, line: &str) -> Turn {
        if let Some(rest) = line.strip_prefix("* ") {
            return self.untagged(rest);
        }
        if self.state == State::Authenticate
            && let Some(challenge) = line.strip_prefix('+')
        {
            return session.challenged(challenge.trim());
        }
        let reply = line.strip_prefix(&format!("a{} ", self.tag));
        let Some(reply) = reply.filter(|_| self.state != State::Greeting) else {
            return Turn::nonsense(line);
        };
        let status = reply.split(' ').next().unwrap_or_default();
        match status.to_ascii_uppercase().as_str() {
            "OK" => self.ok(session, reply),
            "NO" | "BAD" => Problem::Refused {
                reply: reply.to_owned(),
                temporary: is_temporary(reply),
            }
            .into(),
            _ => Turn::nonsense(line),
        }
    }
}
