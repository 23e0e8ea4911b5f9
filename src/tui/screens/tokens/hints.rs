//! The message about the focused item: what is missing, or else its purpose.

use super::lines::{Line, granted, mail};
use super::state::{Item, Tokens};
use super::times::{End, end};
use crate::form::checks::NO_REFRESH_TOKEN;
use crate::form::problem::Remedy;
use crate::oauth::check::{Outcome, not_granted, why_no_refresh_token};
use crate::oauth::client_authentication::ClientAuthentication;
use crate::secret::ExposeSecret;
use crate::session::{Taken, TokenState, Value};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::grid::NARROW;
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::lower_first;
use crate::words::thousands;

/// Returns the hint that is shown while there is no message.
pub(super) fn said(screen: &Tokens, cx: ViewContext<'_>, tokens: &TokenState) -> Vec<Said> {
    match &screen.common.focus {
        Item::Line(Line::Token(value)) if tokens.taken(*value) == Taken::Revoked => {
            vec![Said::new(value.label(), about_revoked(tokens))]
        }
        Item::Line(Line::Token(_)) if lacks_refresh(tokens) => no_refresh(cx, tokens),
        Item::Line(line) => vec![Said::new(line.label(), about_line(cx, tokens, *line))],
        item => vec![Said::new(
            name(screen, item),
            about_button(screen, cx, item),
        )],
    }
}

/// Returns whether the service could have issued a refresh token, but did not.
fn lacks_refresh(tokens: &TokenState) -> bool {
    tokens.set.refresh_token.is_none() && !tokens.can_refresh() && !tokens.preset.tokens.no_refresh
}

/// Returns the change of the form that gets a refresh token at the next sign-in.
pub(super) fn remedy(cx: ViewContext<'_>) -> Option<Remedy> {
    let tokens = cx.session.tokens.as_ref()?;
    let settings = &cx.session.settings;
    if !lacks_refresh(tokens) || settings.preset().id != tokens.preset.id {
        return None;
    }
    let mut problems = settings.problems().iter();
    problems
        .find(|problem| problem.word == NO_REFRESH_TOKEN)?
        .remedy
        .clone()
}

fn no_refresh(cx: ViewContext<'_>, tokens: &TokenState) -> Vec<Said> {
    let when = match end(tokens, Value::Access, cx.console.now) {
        Some(end) if end.left.is_zero() => "Sign in again to get a new access token.".to_owned(),
        Some(end) => format!("At {} you must sign in again.", end.time()),
        None => "When the access token expires, you must sign in again.".to_owned(),
    };
    let why = why_no_refresh_token(&tokens.request.client, &tokens.set);
    let text = format!("{when} {why}");
    let mut said = vec![Said::new("No refresh token", text).toned(Tone::Warning)];
    if let Some(remedy) = remedy(cx) {
        let fix = lower_first(&remedy.label);
        said.push(Said::new(
            "Fix",
            format!("Press Ctrl+F to {fix} and return to the form."),
        ));
    }
    said
}

pub(super) fn about_line(cx: ViewContext<'_>, tokens: &TokenState, line: Line) -> String {
    match line {
        Line::Token(value) => about_token(cx, tokens, value),
        Line::Person if tokens.request.service_account.is_some() => {
            "The Subject that the service account acts for.".to_owned()
        }
        Line::Person if tokens.is_verified() => {
            "From the ID token. Its signature was verified.".to_owned()
        }
        Line::Person => "From the ID token. Its signature was not verified.".to_owned(),
        Line::Granted => {
            let (missing, _) = not_granted(&tokens.request.client, &tokens.set);
            let all = granted(tokens).join(" ");
            if missing.is_empty() {
                all
            } else {
                format!("{all}. Not granted: {}", missing.join(" "))
            }
        }
        Line::User | Line::Server(_) => {
            let text = "Paste this into the settings of your mail program.";
            match mail(tokens).and_then(|mail| mail.note.as_deref()) {
                Some(note) if line != Line::User => format!("{text} {note}"),
                _ => text.to_owned(),
            }
        }
        Line::Password => "Copies the access token. The mail program must sign in with XOAUTH2 or OAUTHBEARER. The token \
                           doesn't work in a plain password field."
            .to_owned(),
        Line::ClientId | Line::TokenUrl | Line::RefreshWith => {
            "What a script needs to get new access tokens.".to_owned()
        }
        Line::Header => "The header that sends the access token to an API.".to_owned(),
        Line::Command if tokens.profile.is_some() => {
            "Prints a valid access token, and refreshes it first where needed. For scripts.".to_owned()
        }
        Line::Command if tokens.request.client.secret.is_some() => {
            "Fills in the form the same way next time. The client secret is not included.".to_owned()
        }
        Line::Command => "Fills in the form the same way next time.".to_owned(),
    }
}

fn about_token(cx: ViewContext<'_>, tokens: &TokenState, value: Value) -> String {
    let count = tokens
        .secret(value)
        .map_or(0, |token| token.expose_secret().chars().count());
    let end = end(tokens, value, cx.console.now);
    let sentence = |end: End| end.sentence(cx.console.now);
    let mut said: Vec<String> = end.map(sentence).into_iter().collect();
    if value == Value::Access && end.is_some_and(|end| end.left.is_zero()) {
        said.push(renewal(tokens).to_owned());
        return said.join(" ");
    }
    said.push(format!("{} characters.", thousands(count)));
    if cx.console.size.0 < NARROW {
        return said.join(" ");
    }
    let purpose = match value {
        Value::Access => "Press c to copy the selected line.",
        Value::Refresh => "Gets new access tokens without another sign-in.",
        Value::Id => "Says who signed in. Mail servers and APIs don't accept it.",
    };
    said.push(purpose.to_owned());
    if value == Value::Refresh
        && let Some(lifetime) = &tokens.preset.tokens.lifetime
    {
        said.push(format!("Usual lifetimes: {lifetime}."));
    }
    if tokens.taken(value) == Taken::Sent {
        said.push("It was sent to your terminal's clipboard, which doesn't confirm it.".to_owned());
    }
    said.join(" ")
}

/// Returns how to replace an access token that can't be used anymore.
fn renewal(tokens: &TokenState) -> &'static str {
    if tokens.can_refresh() {
        "Press f to get a new one."
    } else {
        "Sign in again to get a new one."
    }
}

fn about_revoked(tokens: &TokenState) -> String {
    let renewal = if tokens.can_refresh() {
        renewal(tokens)
    } else {
        "Sign in again to get new tokens."
    };
    format!("Revoked. {renewal}")
}

/// Returns the label of a button in the message area.
fn name(screen: &Tokens, item: &Item) -> &'static str {
    match item {
        Item::Line(line) => line.label(),
        Item::Checks => "Checks",
        Item::Copy => "Copy",
        Item::CopyHeader => "Copy header",
        Item::CopyJson => "Copy JSON",
        Item::Reveal if screen.revealed => "Hide",
        Item::Reveal => "Reveal",
        Item::ViewAlone => "View alone",
        Item::Save => "Save",
        Item::Refresh => "Refresh",
        Item::Cancel => "Cancel",
        Item::More => "More",
        Item::UserInfo => "User info",
        Item::Introspect => "Introspect",
        Item::Revoke => "Revoke",
        Item::MailTest => "Mail test",
        Item::Claims => "Claims",
        Item::CopyCommand => "Copy command",
        Item::CopyReport => "Copy report",
        Item::ClearClipboard => crate::tui::copies::CLEAR_CLIPBOARD,
        Item::Trace => "Trace",
        Item::Settings => "Settings",
        Item::Help => "Help",
    }
}

/// Returns whether a check could not be made.
fn has_unchecked(cx: ViewContext<'_>) -> bool {
    let tokens = cx.session.tokens.as_ref();
    let mut checks = tokens.into_iter().flat_map(|tokens| &tokens.checks);
    checks.any(|check| check.outcome == Outcome::NotChecked)
}

fn about_button(screen: &Tokens, cx: ViewContext<'_>, item: &Item) -> String {
    let chosen = screen.chosen.name();
    let text = match item {
        Item::Line(_) => "",
        Item::Checks if !has_unchecked(cx) => "Show or hide the result of each check.",
        Item::Checks => {
            "\"Not checked\" is not a failure. The signature of an ID token that is received directly from the token \
                endpoint doesn't need to be checked."
        }
        Item::Copy => return format!("Copy the full {chosen}."),
        Item::CopyHeader => "Copy an Authorization header with the access token.",
        Item::CopyJson => "Copy all tokens and times as JSON.",
        Item::Reveal if screen.revealed => return format!("Hide the {chosen}."),
        Item::Reveal => return format!("Show the full {chosen}."),
        Item::ViewAlone => {
            return format!("Show only the {chosen}, unwrapped, to select it with the mouse.");
        }
        Item::Save => return about_save(cx),
        Item::Refresh if !has_user(cx) && is_stored(cx) => {
            "Request a new access token, and store it in the profile."
        }
        Item::Refresh if is_of_account(cx) => "Request a new access token with the key file.",
        Item::Refresh if !has_user(cx) => {
            return format!("Request a new access token with {}.", credential(cx));
        }
        Item::Refresh if is_stored(cx) => {
            "Get new tokens with the refresh token, and store them in the profile."
        }
        Item::Refresh => "Get new tokens with the refresh token.",
        Item::Cancel if cx.session.is_asking() => "Stop the request.",
        Item::Cancel if cx.session.is_testing_mail() => "Stop the mail test.",
        Item::Cancel if is_stored(cx) => "Stop waiting. The refresh continues in the background.",
        Item::Cancel if !has_user(cx) => "Stop the request. Your current token is kept.",
        Item::Cancel => "Stop the refresh. Your current tokens are kept.",
        Item::More => "User info, introspection, revocation, claims, copy command, copy report.",
        Item::UserInfo => USER_INFO,
        Item::Introspect => INTROSPECT,
        Item::Revoke => REVOKE,
        Item::MailTest => "Sign in to the mail servers with the access token, and show each step.",
        Item::Claims => CLAIMS,
        Item::CopyCommand if is_stored(cx) => TOKEN_COMMAND,
        Item::CopyCommand => COMMAND,
        Item::CopyReport => REPORT,
        Item::ClearClipboard => CLEAR_CLIPBOARD,
        Item::Trace => "Show the last requests and responses. Secrets are redacted.",
        Item::Settings => "Return to the settings. The tokens are kept.",
        Item::Help => "Keys of this screen, then all others.",
    };
    text.to_owned()
}

/// Returns whether a user signed in for the tokens.
fn has_user(cx: ViewContext<'_>) -> bool {
    let tokens = cx.session.tokens.as_ref();
    tokens.is_none_or(|tokens| tokens.request.kind.has_user())
}

/// Returns whether the tokens were obtained with the key of a service account.
fn is_of_account(cx: ViewContext<'_>) -> bool {
    let tokens = cx.session.tokens.as_ref();
    tokens.is_some_and(|tokens| tokens.request.service_account.is_some())
}

/// Returns what the client authenticates with.
fn credential(cx: ViewContext<'_>) -> &'static str {
    let tokens = cx.session.tokens.as_ref();
    match tokens.map(|tokens| tokens.request.client.authentication) {
        Some(ClientAuthentication::PrivateKeyJwt) => "the Client key",
        Some(ClientAuthentication::MutualTls) => "the client certificate",
        _ => "the client secret",
    }
}

/// Returns whether the tokens are stored in a profile.
fn is_stored(cx: ViewContext<'_>) -> bool {
    let tokens = cx.session.tokens.as_ref();
    tokens.is_some_and(|tokens| tokens.profile.is_some())
}

fn about_save(cx: ViewContext<'_>) -> String {
    let tokens = cx.session.tokens.as_ref();
    let stored = tokens.and_then(|tokens| tokens.profile.as_ref());
    match (stored, cx.session.profile()) {
        (Some(name), _) => {
            format!(
                "They are in the profile \"{name}\". Save them under another name, or to a file."
            )
        }
        (None, Some(name)) => {
            format!("Save the tokens and their settings to the profile \"{name}\".")
        }
        (None, None) => "Save the tokens as a profile, or to a file.".to_owned(),
    }
}

/// The descriptions of the entries under More.
pub(super) const USER_INFO: &str = "Ask the service who the access token belongs to";
pub(super) const INTROSPECT: &str = "Ask the service whether it accepts the token";
pub(super) const REVOKE: &str = "Ask the service to revoke the tokens";
pub(super) const MAIL_TEST: &str = "Sign in to a mail server with the access token";
pub(super) const CLAIMS: &str = "Show the claims of the tokens";
pub(super) const COMMAND: &str = "Copy the command that fills in these settings";
pub(super) const TOKEN_COMMAND: &str = "Copy the command that prints a valid token";
pub(super) const CLEAR_CLIPBOARD: &str = "Empty the clipboard if it still contains the token";
pub(super) const REPORT: &str = "Copy the checks and steps, without secrets";
