//! The steps of a mail login test, and the ways in which it can fail.

use super::sasl::Mechanism;

/// A step of the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The connection.
    Connect,
    /// TLS and the server's certificate.
    Tls,
    /// The greeting of the server.
    Greeting,
    /// The command that starts TLS.
    StartTls,
    /// The capabilities of the server.
    Capabilities,
    /// The sign-in with the token.
    SignIn,
    /// The command that shows whether the mailbox can be used.
    Mailbox,
}

impl Step {
    /// Returns the fix for a rejection in this step that has no known cause. `sent` says whether the token had been sent.
    #[must_use]
    pub fn rejection_hint(self, sent: bool) -> &'static str {
        match self {
            Self::StartTls => {
                "Use the port on which TLS starts at once: 993 for IMAP, 995 for POP3, 465 for SMTP. Otherwise ask the server's \
                 administrator."
            }
            Self::SignIn if sent => {
                "Read the server's message. Check that the token is for this mailbox and has the scope for this protocol, and \
                 that both OAuth and the protocol are turned on for the mailbox."
            }
            Self::SignIn => {
                "Read the server's message. Ask the server's administrator whether OAuth is turned on for this mailbox and \
                 protocol."
            }
            Self::Mailbox => {
                "The server accepted the token. Read its message, and ask its administrator whether this mailbox may be used with \
                 this protocol."
            }
            _ => {
                "Read the server's message: it may be busy, or block the address of this machine. Try again later, or ask its \
                 administrator."
            }
        }
    }

    /// Returns the name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "TLS",
            Self::Greeting => "greeting",
            Self::StartTls => "STARTTLS",
            Self::Capabilities => "capabilities",
            Self::SignIn => "sign in",
            Self::Mailbox => "mailbox",
        }
    }
}

/// Why a test failed. The server's replies in it are neither cleaned nor redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The server rejected a command.
    Refused {
        /// The server's reply.
        reply: String,
        /// Whether it is a temporary problem of the server.
        temporary: bool,
    },
    /// The server has no mechanism that accepts a token.
    NoMechanism {
        /// The mechanism that was requested; `None` for any.
        requested: Option<Mechanism>,
        /// The mechanisms that the server offers.
        offered: Vec<String>,
    },
    /// The server doesn't offer STARTTLS.
    NoStartTls,
    /// Extra data arrived before TLS started. An attacker may have added it.
    Injected,
    /// The server's reply isn't valid for this protocol.
    Nonsense {
        /// The line.
        line: String,
    },
    /// A line is too long.
    LongLine,
    /// The server sends lines without end.
    TooManyLines,
    /// The server closed the connection.
    Closed,
    /// The server sent nothing for too long.
    Silent {
        /// How long the program waited, in seconds.
        seconds: u64,
    },
    /// The server can't be connected to.
    Unreachable {
        /// The cause, as part of a sentence.
        cause: String,
    },
    /// TLS failed.
    Tls {
        /// Whether the certificate is the cause.
        certificate: bool,
        /// The cause, as part of a sentence.
        cause: String,
        /// The fix.
        hint: String,
    },
    /// The CA certificates of this machine or of the CA file can't be used.
    Authorities {
        /// The cause, as part of a sentence.
        cause: String,
        /// The fix.
        hint: String,
    },
}

impl Problem {
    /// Returns what happened, as a sentence.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Refused {
                temporary: false, ..
            } => "The server returned an error.".to_owned(),
            Self::Refused {
                temporary: true, ..
            } => "The server has a temporary problem.".to_owned(),
            Self::NoMechanism {
                requested: Some(mechanism),
                ..
            } => format!("The server doesn't offer {}.", mechanism.name()),
            Self::NoMechanism {
                requested: None, ..
            } => "The server doesn't accept access tokens: it offers neither XOAUTH2 nor OAUTHBEARER."
                .to_owned(),
            Self::NoStartTls => "The server doesn't offer STARTTLS. The token was not sent.".to_owned(),
            Self::Injected => {
                "The server sent unexpected data before TLS started. The connection may have been tampered with. The token \
                 was not sent."
                    .to_owned()
            }
            Self::Nonsense { .. } => "The server's response isn't valid for this protocol.".to_owned(),
            Self::LongLine => "The server sent a line that is too long.".to_owned(),
            Self::TooManyLines => "The server sent too many lines.".to_owned(),
            Self::Closed => "The server closed the connection.".to_owned(),
            Self::Silent { seconds } => {
                format!("The server didn't respond within {seconds} seconds.")
            }
            Self::Unreachable { cause } => format!("The server can't be reached: {cause}."),
            Self::Tls {
                certificate: true,
                cause,
                ..
            } => format!("The server's certificate is not trusted: {cause}."),
            Self::Tls { cause, .. } => format!("TLS failed: {cause}."),
            Self::Authorities { cause, .. } => {
                format!("The CA certificates can't be used: {cause}.")
            }
        }
    }

    /// Returns the fix, if it doesn't depend on what the server said. `encrypted` says whether TLS has started, so that
    /// it isn't the cause.
    #[must_use]
    pub fn hint(&self, encrypted: bool) -> Option<String> {
        Some(match self {
            Self::Refused {
                temporary: true, ..
            } => "Try again later. If it continues, ask the server's administrator.".to_owned(),
            Self::Refused { .. } => return None,
            Self::NoMechanism { offered, .. } if offered.is_empty() => {
                "Check the host and port, and ask the server's administrator to turn on OAuth.".to_owned()
            }
            Self::NoMechanism { offered, .. }
                if let Some(other) = Mechanism::ALL.iter().find(|it| offered.iter().any(|name| name == it.name())) =>
            {
                format!("Use {}, which the server offers, or choose no mechanism.", other.name())
            }
            Self::NoMechanism { offered, .. } => format!(
                "It offers {}. Ask the server's administrator to turn on OAuth.",
                offered.join(", ")
            ),
            Self::NoStartTls => "Use the port on which TLS starts at once: 993 for IMAP, 995 for POP3, 465 for SMTP.".to_owned(),
            Self::Injected => "Use the port on which TLS starts at once, and check the network.".to_owned(),
            Self::Nonsense { .. } | Self::LongLine | Self::TooManyLines => {
                "Check the host, port and protocol.".to_owned()
            }
            Self::Closed | Self::Silent { .. } if encrypted => {
                "Try again later. If it continues, check the port, or ask the server's administrator: the server may be busy, or \
                 block the address of this machine."
                    .to_owned()
            }
            Self::Closed => "Try again later. If it continues, check the port, and whether it uses TLS or STARTTLS.".to_owned(),
            Self::Silent { .. } => {
                "Check the port, and whether it uses TLS or STARTTLS. A firewall may also block it.".to_owned()
            }
            Self::Unreachable { .. } => "Check the host name and port, then the network and firewall. Mail servers are reached directly, without a proxy.".to_owned(),
            Self::Tls { hint, .. } | Self::Authorities { hint, .. } => hint.clone(),
        })
    }

    /// Returns what the server said.
    #[must_use]
    pub fn reply(&self) -> Option<&str> {
        match self {
            Self::Refused { reply, .. } => Some(reply),
            Self::Nonsense { line } => Some(line),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(temporary: bool) -> Problem {
        Problem::Refused {
            reply: "NO [LIMIT] later".to_owned(),
            temporary,
        }
    }

    fn no_mechanism(requested: Option<Mechanism>, offered: &[&str]) -> Problem {
        Problem::NoMechanism {
            requested,
            offered: offered.iter().map(ToString::to_string).collect(),
        }
    }

    fn tls(certificate: bool) -> Problem {
        Problem::Tls {
            certificate,
            cause: "it has expired".to_owned(),
            hint: "Renew it.".to_owned(),
        }
    }

    /// Returns what happened, then the fix.
    fn explained(problem: &Problem) -> String {
        let hint = problem.hint(false);
        let all = [Some(problem.text()), hint];
        all.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn each_problem_has_an_explanation_and_a_hint() {
        for (problem, words) in [
            (
                refused(true),
                &["temporary problem", "Try again later."][..],
            ),
            (
                no_mechanism(Some(Mechanism::Oauthbearer), &["PLAIN", "LOGIN"]),
                &["doesn't offer OAUTHBEARER.", "It offers PLAIN, LOGIN."],
            ),
            (
                no_mechanism(Some(Mechanism::Oauthbearer), &["PLAIN", "XOAUTH2"]),
                &[
                    "doesn't offer OAUTHBEARER.",
                    "Use XOAUTH2, which the server offers",
                ],
            ),
            (
                no_mechanism(None, &[]),
                &[
                    "neither XOAUTH2 nor OAUTHBEARER.",
                    "Check the host and port",
                ],
            ),
            (Problem::NoStartTls, &["The token was not sent.", "993"]),
            (
                Problem::Injected,
                &["The token was not sent.", "check the network"],
            ),
            (
                Problem::Nonsense {
                    line: "HTTP/1.1 400".to_owned(),
                },
                &["isn't valid for this protocol.", "host, port and protocol"],
            ),
            (Problem::LongLine, &["too long.", "protocol"]),
            (Problem::TooManyLines, &["too many lines.", "protocol"]),
            (Problem::Closed, &["closed", "TLS or STARTTLS"]),
            (
                Problem::Silent { seconds: 17 },
                &["within 17 seconds.", "TLS or STARTTLS"],
            ),
            (
                Problem::Unreachable {
                    cause: "no such host".to_owned(),
                },
                &["can't be reached: no such host.", "without a proxy"],
            ),
            (
                tls(true),
                &["certificate is not trusted: it has expired.", "Renew it."],
            ),
            (tls(false), &["TLS failed: it has expired.", "Renew it."]),
            (
                Problem::Authorities {
                    cause: "there is no such file".to_owned(),
                    hint: "Enter another path.".to_owned(),
                },
                &[
                    "can't be used: there is no such file.",
                    "Enter another path.",
                ],
            ),
        ] {
            let text = explained(&problem);
            for words in words {
                assert!(text.contains(words), "{text}");
            }
            assert!(text.ends_with('.'), "{text}");
        }
    }

    #[test]
    fn rejection_hint_depends_on_the_step() {
        for (step, sent, words) in [
            (Step::Greeting, false, "it may be busy"),
            (Step::Capabilities, false, "it may be busy"),
            (Step::StartTls, false, "TLS starts at once"),
            (Step::SignIn, false, "whether OAuth is turned on"),
            (Step::SignIn, true, "has the scope for this protocol"),
            (Step::Mailbox, true, "accepted the token"),
        ] {
            let hint = step.rejection_hint(sent);
            assert!(hint.contains(words), "{step:?}: {hint}");
        }
    }

    #[test]
    fn hints_do_not_blame_tls_once_it_has_started() {
        for problem in [Problem::Silent { seconds: 17 }, Problem::Closed] {
            let hint = problem.hint(true).unwrap_or_default();
            assert!(hint.contains("may be busy, or block"), "{hint}");
            assert!(
                !hint.contains("TLS") && !hint.contains("firewall"),
                "{hint}"
            );
        }
        assert_eq!(
            Problem::NoStartTls.hint(true),
            Problem::NoStartTls.hint(false)
        );
    }

    #[test]
    fn rejections_include_the_server_reply() {
        assert_eq!(explained(&refused(false)), "The server returned an error.");
        assert_eq!(refused(false).reply(), Some("NO [LIMIT] later"));
        assert_eq!(refused(true).reply(), Some("NO [LIMIT] later"));
        let line = "HTTP/1.1 400".to_owned();
        assert_eq!(Problem::Nonsense { line }.reply(), Some("HTTP/1.1 400"));
        assert_eq!(Problem::Closed.reply(), None);
    }
}
