//! POP3: AUTH on two lines, which some servers require (RFC 5034), then STAT.

use super::busy::is_busy;
use super::turn::{Next, Ours, Session, Talk, Turn};
use super::verdict::{Problem, Step};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Greeting,
    Capa,
    /// Reading the list that CAPA returns.
    List,
    StartTls,
    Auth,
    Stat,
}

#[derive(Debug, Default)]
pub(super) struct Pop3 {
    state: State,
    /// The mechanisms that the server lists; `None` if the server doesn't support CAPA, or lists none.
    mechanisms: Option<Vec<String>>,
    stls: bool,
}

impl Pop3 {
    fn ask(&mut self) -> Ours {
        self.mechanisms = None;
        self.stls = false;
        self.state = State::Capa;
        "CAPA".to_owned().into()
    }

    /// Continues after the capabilities are complete. If they were `listed`, the server supports nothing else.
    fn complete(&mut self, session: &mut Session, listed: bool) -> Turn {
        if !session.encrypted {
            if listed && !self.stls {
                return Problem::NoStartTls.into();
            }
            self.state = State::StartTls;
            return Next::Send("STLS".to_owned().into()).into();
        }
        let none = Vec::new();
        let offered = match &self.mechanisms {
            None if listed => Some(&none),
            known => known.as_ref(),
        };
        let mechanism = match session.login.choose(offered.map(Vec::as_slice)) {
            Ok(mechanism) => mechanism,
            Err(problem) => return problem.into(),
        };
        session.mechanism = Some(mechanism);
        self.state = State::Auth;
        let ours = format!("AUTH {}", mechanism.name());
        let detail = if listed {
            format!("the server offers {}", mechanism.name())
        } else {
            "the server doesn't list its capabilities".to_owned()
        };
        Turn::ends(Step::Capabilities, &detail, Next::Send(ours.into()))
    }

    fn ok(&mut self, session: &mut Session, reply: &str) -> Turn {
        match self.state {
            State::Greeting => {
                let ours = self.ask();
                Turn::ends(Step::Greeting, "greeted", Next::Send(ours))
            }
            State::Capa => {
                self.state = State::List;
                Next::Read.into()
            }
            State::StartTls => Next::StartTls.into(),
            State::Auth if session.sent => {
                self.state = State::Stat;
                let detail = format!("signed in as {}", session.login.user);
                Turn::ends(Step::SignIn, &detail, Next::Send("STAT".to_owned().into()))
            }
            State::Stat => {
                let count = reply.split(' ').nth(1);
                let count: Option<u64> = count.and_then(|count| count.parse().ok());
                let detail = match count {
                    Some(1) => "1 message".to_owned(),
                    Some(count) => format!("{count} messages"),
                    None => "the mailbox can be read".to_owned(),
                };
                Turn::ends(Step::Mailbox, &detail, Next::Done)
            }
            State::List | State::Auth => Turn::nonsense(reply),
        }
    }
}

impl Talk for Pop3 {
    fn after_tls(&mut self) -> Ours {
        self.ask()
    }

    fn step(&self) -> Step {
        match self.state {
            State::Greeting => Step::Greeting,
            State::Capa | State::List => Step::Capabilities,
            State::StartTls => Step::StartTls,
            State::Auth => Step::SignIn,
            State::Stat => Step::Mailbox,
        }
    }

    fn line(&mut self, session: &mut Session, line: &str) -> Turn {
        if self.state == State::List {
            let mut words = line.split(' ');
            match words
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase()
                .as_str()
            {
                "." => return self.complete(session, true),
                "STLS" => self.stls = true,
                "SASL" => {
                    let names = words.filter(|name| !name.is_empty());
                    self.mechanisms = Some(names.map(str::to_ascii_uppercase).collect());
                }
                _ => {}
            }
            return Next::Read.into();
        }
        let first = line.split(' ').next().unwrap_or_default();
        match first.to_ascii_uppercase().as_str() {
            "+OK" => self.ok(session, line),
            "-ERR" if self.state == State::Capa => self.complete(session, false),
            "-ERR" => {
                let upper = line.to_ascii_uppercase();
                // Response codes for temporary problems (RFC 2449, RFC 3206).
                let codes = ["[SYS/TEMP]", "[IN-USE]", "[LOGIN-DELAY]"];
                Problem::Refused {
                    reply: line.to_owned(),
                    temporary: codes.iter().any(|code| upper.contains(code)) || is_busy(line),
                }
                .into()
            }
            "+" if self.state == State::Auth => session.challenged(line[1..].trim()),
            _ => Turn::nonsense(line),
        }
    }
}
