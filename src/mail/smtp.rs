//! SMTP submission: AUTH, always on two lines, because a command line is limited to 512 bytes (RFC 5321,
//! section 4.5.3.1.4) and tokens are longer; then MAIL FROM and RSET. No message is sent.

use super::busy::is_busy;
use super::turn::{Next, Ours, Session, Talk, Turn};
use super::verdict::{Problem, Step};

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Greeting,
    Ehlo,
    StartTls,
    Auth,
    MailFrom,
    Reset,
}

#[derive(Debug, Default)]
pub(super) struct Smtp {
    state: State,
    /// The lines of a reply that is not complete yet.
    reply: Vec<String>,
}

impl Smtp {
    fn command(&mut self, state: State, line: &str) -> Next {
        self.state = state;
        Next::Send(line.to_owned().into())
    }

    fn ehlo(&mut self) -> Ours {
        self.state = State::Ehlo;
        // An address literal is always valid (RFC 5321, section 4.1.3), and doesn't reveal the name of this machine.
        "EHLO [127.0.0.1]".to_owned().into()
    }

    fn replied(&mut self, session: &mut Session, code: u16, lines: &[String]) -> Turn {
        let refused = || {
            let text: Vec<&str> = lines.iter().map(String::as_str).collect();
            let reply = text.join(" ");
            // The server can't do this now. Other codes that start with 4 are about the account.
            let temporary = matches!(code, 421 | 450 | 451 | 452 | 454)
                || (code < 500 && lines.iter().any(|line| is_about_server(line)))
                || is_busy(&reply);
            Turn::from(Problem::Refused { reply, temporary })
        };
        match (self.state, code) {
            (State::Greeting, 220) => {
                let ours = self.ehlo();
                Turn::ends(Step::Greeting, "greeted", Next::Send(ours))
            }
            (State::Ehlo, 250) => self.capabilities(session, lines),
            (State::StartTls, 220) => Next::StartTls.into(),
            (State::Auth, 334) => {
                let text = lines.last().and_then(|line| line.get(4..));
                session.challenged(text.unwrap_or_default().trim())
            }
            (State::Auth, 235) if session.sent => {
                let user = session.login.user.clone();
                let next = self.command(State::MailFrom, &format!("MAIL FROM:<{user}>"));
                Turn::ends(Step::SignIn, &format!("signed in as {user}"), next)
            }
            (State::MailFrom, 250) => self.command(State::Reset, "RSET").into(),
            (State::Reset, 250) => Turn::ends(
                Step::Mailbox,
                "MAIL FROM accepted (nothing sent)",
                Next::Done,
            ),
            (_, 400..=599) => refused(),
            _ => Turn::nonsense(lines.last().map_or("", String::as_str)),
        }
    }

    fn capabilities(&mut self, session: &mut Session, lines: &[String]) -> Turn {
        let mut offered: Vec<String> = Vec::new();
        let mut starttls = false;
        for line in lines {
            let words = line.get(4..).unwrap_or_default().to_ascii_uppercase();
            // Old servers send AUTH=.
            let mut words = words.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("AUTH") => offered.extend(words.map(str::to_owned)),
                Some("STARTTLS") => starttls = true,
                _ => {}
            }
        }
        if !session.encrypted {
            if !starttls {
                return Problem::NoStartTls.into();
            }
            return self.command(State::StartTls, "STARTTLS").into();
        }
        let mechanism = match session.login.choose(Some(&offered)) {
            Ok(mechanism) => mechanism,
            Err(problem) => return problem.into(),
        };
        session.mechanism = Some(mechanism);
        let next = self.command(State::Auth, &format!("AUTH {}", mechanism.name()));
        let detail = format!("the server offers {}", mechanism.name());
        Turn::ends(Step::Capabilities, &detail, next)
    }
}

/// Returns whether a line has a status code for a temporary problem of the server or of the network (RFC 3463).
fn is_about_server(line: &str) -> bool {
    let status = line.get(4..).unwrap_or_default();
    status.starts_with("4.3.") || status.starts_with("4.4.")
}

impl Talk for Smtp {
    fn after_tls(&mut self) -> Ours {
        self.ehlo()
    }

    fn step(&self) -> Step {
        match self.state {
            State::Greeting => Step::Greeting,
            State::Ehlo => Step::Capabilities,
            State::StartTls => Step::StartTls,
            State::Auth => Step::SignIn,
            State::MailFrom | State::Reset => Step::Mailbox,
        }
    }

    fn line(&mut self, session: &mut Session, line: &str) -> Turn {
        let bytes = line.as_bytes();
        let code = line
            .get(..3)
            .filter(|code| code.bytes().all(|it| it.is_ascii_digit()));
        let (Some(Ok(code)), None | Some(b' ' | b'-')) = (code.map(str::parse), bytes.get(3))
        else {
            return Turn::nonsense(line);
        };
        self.reply.push(line.to_owned());
        if bytes.get(3) == Some(&b'-') {
            return Next::Read.into();
        }
        let lines = std::mem::take(&mut self.reply);
        self.replied(session, code, &lines)
    }
}
