//! The values that can be copied, saved or shown alone. Each has a name, independent of the open screen.

use std::fmt;

use url::Url;

use super::report::report;
use super::{Session, Taken, Value};
use crate::flow::attempt::AttemptId;
use crate::secret::{ExposeSecret, SecretString};

/// A value that can be copied, saved or shown alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Content {
    /// The user code of a device flow.
    UserCode(String),
    /// A URL to open.
    Url(Url),
    /// The user code of a device flow and the URL to enter it at.
    CodeAndUrl(String, Url),
    /// The command that opens a tunnel.
    Tunnel(String),
    /// The commands that set up a listener, one per line.
    Commands(Vec<String>),
    /// A token of this attempt.
    Token(Value, AttemptId),
    /// The `Authorization` header with the access token of this attempt.
    Header(AttemptId),
    /// All tokens of this attempt, with their known properties, as JSON.
    Json(AttemptId),
    /// The client that was registered, with the data to manage its registration, as JSON.
    Registration,
    /// The trace.
    Trace,
    /// A text without secrets, preceded by its name within a sentence.
    Text(&'static str, String),
    /// The report of a failed sign-in.
    Report,
}

impl fmt::Debug for Content {
    /// Formats the name only: URLs and codes must not appear in debug output.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Content {
    /// Returns the name for use within a sentence.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UserCode(_) => "code",
            Self::Url(_) => "URL",
            Self::CodeAndUrl(..) => "code and URL",
            Self::Tunnel(_) => "tunnel command",
            Self::Commands(lines) if lines.len() == 1 => "command",
            Self::Commands(_) => "list of commands",
            Self::Token(value, _) => value.name(),
            Self::Header(_) => "Authorization header",
            Self::Json(_) => "JSON",
            Self::Registration => "registration",
            Self::Trace => "trace",
            Self::Text(name, _) => name,
            Self::Report => "report",
        }
    }

    /// Returns the default file name; `None` if the value can't be saved.
    #[must_use]
    pub fn file_name(&self) -> Option<&'static str> {
        match self {
            Self::Token(Value::Access, _) => Some("oauth-authorizer-access-token.txt"),
            Self::Token(Value::Refresh, _) => Some("oauth-authorizer-refresh-token.txt"),
            Self::Token(Value::Id, _) => Some("oauth-authorizer-id-token.txt"),
            Self::Json(_) => Some("oauth-authorizer-tokens.json"),
            Self::Registration => Some("oauth-authorizer-registration.json"),
            Self::Trace => Some("oauth-authorizer-trace.txt"),
            Self::UserCode(_)
            | Self::Url(_)
            | Self::CodeAndUrl(..)
            | Self::Tunnel(_)
            | Self::Commands(_)
            | Self::Report
            | Self::Header(_)
            | Self::Text(..) => None,
        }
    }

    /// Returns what to do if copying fails.
    #[must_use]
    pub fn instead(&self) -> &'static str {
        match self {
            Self::Tunnel(_) | Self::Commands(_) | Self::Report => {
                "Select it on the screen with the mouse."
            }
            Self::UserCode(_) | Self::Url(_) | Self::CodeAndUrl(..) | Self::Text(..) => {
                "Use View alone to select it with the mouse."
            }
            Self::Registration => "Use Save registration… to write it to a file.",
            Self::Trace => "Use Save… to write it to a file.",
            Self::Token(..) | Self::Header(_) | Self::Json(_) => {
                "Use View alone to select the token with the mouse, or Save… to write it, or everything as JSON, to a file."
            }
        }
    }

    /// Returns the attempt that issued the tokens; `None` if the value contains no token.
    #[must_use]
    pub fn tokens_of(&self) -> Option<AttemptId> {
        match self {
            Self::Token(_, attempt) | Self::Header(attempt) | Self::Json(attempt) => Some(*attempt),
            Self::UserCode(_)
            | Self::Url(_)
            | Self::CodeAndUrl(..)
            | Self::Tunnel(_)
            | Self::Commands(_)
            | Self::Registration
            | Self::Trace
            | Self::Report
            | Self::Text(..) => None,
        }
    }

    /// Returns the same value for the tokens of another attempt.
    #[must_use]
    pub fn of_attempt(self, attempt: AttemptId) -> Self {
        match self {
            Self::Token(value, _) => Self::Token(value, attempt),
            Self::Header(_) => Self::Header(attempt),
            Self::Json(_) => Self::Json(attempt),
            other => other,
        }
    }

    /// Returns the text itself; `None` if it no longer exists, such as tokens that were replaced.
    #[must_use]
    pub fn text(&self, session: &Session) -> Option<SecretString> {
        let tokens = || {
            let attempt = self.tokens_of()?;
            session
                .tokens
                .as_ref()
                .filter(|tokens| tokens.attempt == attempt)
        };
        Some(match self {
            Self::UserCode(text) | Self::Text(_, text) => text.as_str().into(),
            Self::Url(url) => url.as_str().into(),
            // The text is written to the terminal unchanged, and only a carriage return moves to the first column.
            Self::CodeAndUrl(code, url) => format!("{url}\r\n\r\n{code}").into(),
            Self::Tunnel(command) => command.as_str().into(),
            Self::Commands(lines) => lines.join("\r\n").into(),
            Self::Token(value, _) => tokens()?.secret(*value)?.clone(),
            Self::Header(_) => {
                let tokens = tokens()?;
                let access = tokens.set.access_token.expose_secret();
                format!("Authorization: {} {access}", tokens.header()).into()
            }
            Self::Json(_) => tokens()?.set.to_json(),
            Self::Registration => session.registration.as_ref()?.client.to_json(),
            Self::Trace => {
                let lines: Vec<String> = session.trace.lines().collect();
                (lines.join("\n") + "\n").into()
            }
            Self::Report => report(session.sign_in()?, &session.settings)?.into(),
        })
    }

    /// Returns the tokens that the value contains.
    fn values(&self) -> &'static [Value] {
        match self {
            Self::Token(Value::Access, _) | Self::Header(_) => &[Value::Access],
            Self::Token(Value::Refresh, _) => &[Value::Refresh],
            Self::Token(Value::Id, _) => &[Value::Id],
            Self::Json(_) => &Value::ALL,
            _ => &[],
        }
    }
}

impl Session {
    /// Records that the content was copied, saved or shown. Quitting asks about tokens and a registration that the user may
    /// not have.
    pub fn took(&mut self, content: &Content, how: Taken) {
        if let (Content::Registration, Some(registered)) = (content, &mut self.registration) {
            registered.took(how);
        }
        let of = content.tokens_of();
        if let Some(tokens) = self.tokens.as_mut().filter(|it| Some(it.attempt) == of) {
            for value in content.values() {
                tokens.took(*value, how);
            }
        }
    }
}
