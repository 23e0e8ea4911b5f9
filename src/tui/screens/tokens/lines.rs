//! The lines that can be selected and copied, with their labels and contents.

use crate::mail::server::Protocol;
use crate::oauth::check::Check;
use crate::oauth::id_token::Claims;
use crate::presets::format::Mail;
use crate::session::content::Content;
use crate::session::{TokenState, Value};

/// A value that can be selected and copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui::screens) enum Line {
    Token(Value),
    /// The user who signed in.
    Person,
    Granted,
    /// Values for the mail server.
    User,
    Password,
    Server(Protocol),
    /// Values for a script.
    ClientId,
    TokenUrl,
    RefreshWith,
    Header,
    Command,
}

impl Line {
    /// The lines about the tokens themselves, in the order of the screen.
    const FIRST: [Self; 5] = [
        Self::Token(Value::Access),
        Self::Token(Value::Refresh),
        Self::Token(Value::Id),
        Self::Person,
        Self::Granted,
    ];
    /// The lines for a mail server.
    pub(super) const MAIL: [Self; 5] = [
        Self::User,
        Self::Password,
        Self::Server(Protocol::Imap),
        Self::Server(Protocol::Pop3),
        Self::Server(Protocol::Smtp),
    ];
    /// The lines for a script.
    pub(super) const SCRIPT: [Self; 5] = [
        Self::ClientId,
        Self::TokenUrl,
        Self::RefreshWith,
        Self::Header,
        Self::Command,
    ];

    /// Returns the label on the screen. Labels are unique, so that a line can be found by its label.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Token(value) => value.label(),
            Self::Person => "Signed in as",
            Self::Granted => "Granted",
            Self::User => "User",
            Self::Password => "Password",
            Self::Server(protocol) => protocol.name(),
            Self::ClientId => "Client ID",
            Self::TokenUrl => "Token URL",
            Self::RefreshWith => "Refresh with",
            Self::Header => "Header",
            Self::Command => "Command",
        }
    }

    /// Returns the label if there is room for only one word.
    pub(super) fn short_label(self) -> &'static str {
        match self {
            Self::Token(Value::Access) => "Access",
            Self::Token(Value::Refresh) | Self::RefreshWith => "Refresh",
            Self::Person => "Signed in",
            other => other.label(),
        }
    }

    /// Returns the name within a sentence.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token(value) => value.name(),
            Self::Person => "account",
            Self::Granted => "granted scopes",
            Self::User => "user",
            Self::Password => Value::Access.name(),
            Self::Server(Protocol::Imap) => "IMAP server",
            Self::Server(Protocol::Pop3) => "POP3 server",
            Self::Server(Protocol::Smtp) => "SMTP server",
            Self::ClientId => "client ID",
            Self::TokenUrl => "token URL",
            Self::RefreshWith => Value::Refresh.name(),
            Self::Header => "Authorization header",
            Self::Command => "command",
        }
    }
}

/// Returns the lines that have content, by group: the tokens, the mail server, the script.
pub(super) fn lines(tokens: &TokenState) -> [Vec<Line>; 3] {
    [Line::FIRST, Line::MAIL, Line::SCRIPT].map(|part| {
        let there = |line: &Line| content(tokens, *line).is_some();
        part.into_iter().filter(there).collect()
    })
}

/// Returns the full content of a line; `None` if the line is not shown, or only says what is missing.
pub(super) fn content(tokens: &TokenState, line: Line) -> Option<Content> {
    let text = |text: String| (!text.is_empty()).then(|| Content::Text(line.name(), text));
    let token = |value: Value| {
        tokens.secret(value)?;
        Some(Content::Token(value, tokens.attempt))
    };
    match line {
        Line::Token(value) => token(value),
        Line::Person => text(person(tokens)?),
        Line::Granted => text(granted(tokens).join(" ")),
        Line::User => mail(tokens).and_then(|_| text(tokens.mailbox()?)),
        Line::Password => mail(tokens).and_then(|_| token(Value::Access)),
        Line::Server(protocol) => text(server(tokens, protocol)?.to_owned()),
        Line::ClientId => text(tokens.request.client.client_id.clone()),
        Line::TokenUrl => text(token_url(tokens).to_owned()),
        Line::RefreshWith => token(Value::Refresh),
        Line::Header => has_header(tokens).then_some(Content::Header(tokens.attempt)),
        Line::Command => text(tokens.command.clone()?),
    }
}

/// Returns whether an `Authorization` header with the token is useful.
pub(super) fn has_header(tokens: &TokenState) -> bool {
    tokens.set.is_bearer() || tokens.header() != "Bearer"
}

/// Returns who signed in, according to the ID token, or the user that the service account acts for.
pub(super) fn person(tokens: &TokenState) -> Option<String> {
    if let Some(account) = &tokens.request.service_account {
        return account.subject.clone();
    }
    tokens.claims.as_ref().and_then(Claims::person)
}

/// Returns the granted scopes: those that were requested, if the response names none.
pub(super) fn granted(tokens: &TokenState) -> &[String] {
    let asked = &tokens.request.client.scopes;
    tokens.set.scope.as_ref().unwrap_or(asked)
}

/// Returns the checks, one on each line.
pub(super) fn checks(tokens: &TokenState) -> String {
    let line = |check: &Check| {
        let (word, name) = (check.outcome.word(), check.name.label());
        format!("{word}: {name}: {}", check.detail)
    };
    let lines: Vec<String> = tokens.checks.iter().map(line).collect();
    lines.join("\n")
}

/// Returns the URL that refreshes the tokens.
pub(super) fn token_url(tokens: &TokenState) -> &str {
    let other = tokens.set.token_url.as_ref();
    other.unwrap_or(&tokens.request.client.token_url).as_str()
}

/// Returns the mail servers that accept these tokens.
pub(super) fn mail(tokens: &TokenState) -> Option<&Mail> {
    let mail = tokens.preset.mail.as_ref()?;
    let mut servers = Protocol::ALL.iter().map(|it| mail.server(*it));
    servers.any(|server| server.is_some()).then_some(mail)
}

/// Returns the server of a protocol, as `host:port TLS`.
pub(super) fn server(tokens: &TokenState, protocol: Protocol) -> Option<&str> {
    mail(tokens)?.server(protocol)
}
