//! Messages about a copy, a saved file, a profile and a refresh, and the dialog that asks where to save a file.

use super::dialog::{Dialog, Prompt};
use super::screen::Message;
use super::widgets::text::shorten;
use crate::console::clipboard::{self, Copied, CopiedBy};
use crate::flow::tool_report::{Outcome, Revoked, Told, Verified};
use crate::oauth::tools::TokenKind;
use crate::profile::saved_tokens::SavedTokens;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::content::Content;
use crate::session::profiles::ProfileNews;
use crate::session::run::Ended;
use crate::session::{Taken, Value};
use crate::store::file::Readers;
use crate::words::sentence;

/// Who can read a saved file, in a few words.
const PRIVATE: &str = if cfg!(windows) {
    "only you can read it"
} else {
    "mode 0600"
};

/// The button that removes a copied token from the clipboard.
pub(super) const CLEAR_CLIPBOARD: &str = "Clear clipboard";

/// Returns the message that says whether the clipboard was emptied.
pub(super) fn cleared(outcome: &Result<bool, String>) -> Message {
    match outcome {
        Ok(true) => Message::done("Cleared", "the desktop clipboard."),
        Ok(false) => Message::note(
            "The desktop clipboard was not cleared: it no longer contains what you copied here.",
        ),
        Err(reason) => {
            Message::warning(format!("The desktop clipboard was not cleared: {reason}."))
        }
    }
}

/// Returns the dialog that asks where to save `content`. `before` is the content that the dialog asked about before,
/// and the path in its field.
pub(super) fn save_dialog(
    content: Content,
    before: Option<(&Content, SecretString)>,
    single: Value,
) -> Option<Dialog<Content>> {
    let name = content.file_name()?;
    let path = match before {
        Some((before, path)) if before.file_name() != Some(path.expose_secret()) => path,
        Some(_) | None => name.into(),
    };
    let (what, other) = match content {
        Content::Json(attempt) => (
            "tokens, and everything returned with them, as JSON",
            format!("only the {}", Content::Token(single, attempt).name()),
        ),
        Content::Token(..) => (content.name(), "all tokens as JSON".to_owned()),
        _ => (content.name(), String::new()),
    };
    let lead = format!("Save the {what} to this file. An existing file is replaced.");
    let mode = if cfg!(windows) { "" } else { " (mode 0600)" };
    let mut note = format!("Only you can read the file{mode}, if the file system supports it.");
    if !other.is_empty() {
        note += &format!(" Tab: save {other} instead.");
    }
    let prompt = Prompt {
        title: "Save to a file".to_owned(),
        lead,
        note,
    };
    Some(Dialog::line(content, prompt, path.expose_secret()))
}

/// Returns how certain it is that a copy has arrived: text that was only sent to a terminal may be lost.
pub(super) fn taken(by: Option<&CopiedBy>) -> Taken {
    match by {
        Some(by) if by.is_certain() => Taken::Copied,
        Some(_) => Taken::Sent,
        None => Taken::Not,
    }
}

/// Returns the message about a copy: the method that worked, and those that failed.
pub(super) fn copied(content: &Content, outcome: &Copied) -> Message {
    let (name, instead) = (content.name(), content.instead());
    let skipped: Vec<String> = outcome
        .skipped
        .iter()
        .map(|skipped| format!("{}: {}", skipped.way.name(), skipped.why))
        .collect();
    let skipped = skipped.join("; ");
    let (label, done) = match &outcome.by {
        Some(CopiedBy::Desktop) => (
            "Copied",
            format!("the {name} to the desktop clipboard. It stays there while this program runs."),
        ),
        Some(CopiedBy::DesktopForGood) if content.tokens_of().is_some() => (
            "Copied",
            format!(
                "the {name} to the desktop clipboard. It stays there after you quit. To remove it, choose {CLEAR_CLIPBOARD} under More."
            ),
        ),
        Some(CopiedBy::DesktopForGood) => {
            ("Copied", format!("the {name} to the desktop clipboard."))
        }
        Some(CopiedBy::DesktopOfLogin) => (
            "Copied",
            format!(
                "the {name} to the desktop clipboard of the user who ran sudo or su. It stays there while this program runs."
            ),
        ),
        Some(CopiedBy::Tmux) => (
            "Copied",
            format!(
                "the {name} to the tmux buffer (paste: prefix ]) and sent it to your terminal's clipboard, if it supports \
                 this."
            ),
        ),
        Some(CopiedBy::TmuxThroughMosh) => (
            "Copied",
            format!(
                "the {name} to the tmux buffer (paste: prefix ]). mosh forwards it to your terminal only if Ms \
                    is set in tmux's terminal-overrides. Copying the same text again may have no effect."
            ),
        ),
        Some(CopiedBy::TmuxOnly) => (
            "Copied",
            format!(
                "the {name} to the tmux buffer only (paste: prefix ]). tmux 3.2 and later also send it to your terminal."
            ),
        ),
        Some(CopiedBy::TmuxBeforeMosh) => (
            "Copied",
            format!(
                "the {name} to the tmux buffer only (paste: prefix ]). Your terminal did not get it: mosh forwards at most \
                    {limit} bytes. {instead}",
                limit = clipboard::MOSH_LIMIT
            ),
        ),
        Some(CopiedBy::TmuxAndTerminal(_)) => (
            "Sent",
            format!(
                "the {name} to the tmux buffer, and to your terminal's clipboard (OSC 52), because this terminal is not a \
                    pane of that tmux. Delivery can't be confirmed, and not every terminal supports this."
            ),
        ),
        Some(CopiedBy::ThroughTmux(_)) => (
            "Sent",
            format!(
                "the {name} to your terminal's clipboard (OSC 52). tmux forwards it only if its option set-clipboard is on. \
                    {instead}"
            ),
        ),
        Some(CopiedBy::ThroughMosh(_)) => (
            "Sent",
            format!(
                "the {name} to your terminal's clipboard (OSC 52) through mosh. Delivery can't be confirmed, and not every \
                    terminal supports this. Copying the same text again may have no effect."
            ),
        ),
        Some(CopiedBy::Terminal(_)) => (
            "Sent",
            format!(
                "the {name} to your terminal's clipboard (OSC 52). Delivery can't be confirmed, and not every terminal \
                    supports this."
            ),
        ),
        Some(CopiedBy::ThroughConsole(_)) => (
            "Sent",
            format!(
                "the {name} to your terminal's clipboard (OSC 52). The Windows console may drop it. {instead}"
            ),
        ),
        Some(CopiedBy::ThroughScreen(_)) => (
            "Sent",
            format!(
                "the {name} to your terminal's clipboard (OSC 52), in pieces for GNU screen. It is too long for tmux. {instead}"
            ),
        ),
        None if skipped.is_empty() => {
            return Message::warning(format!(
                "The {name} was not copied: there is no desktop, and this terminal is not known to support copying. {instead}"
            ));
        }
        None => {
            return Message::warning(format!(
                "The {name} was not copied. Failed: {skipped}. {instead}"
            ));
        }
    };
    let text = if skipped.is_empty() {
        done
    } else {
        format!("{done} Failed: {skipped}.")
    };
    if label == "Copied" {
        Message::done(label, text)
    } else {
        Message::new(label, text)
    }
}

/// Returns the message about a saved file: its path, or why it was not saved.
pub(super) fn saved(content: &Content, outcome: &Result<(String, Readers), String>) -> Message {
    let name = content.name();
    match outcome {
        Ok((path, Readers::User)) => {
            Message::done("Saved", format!("the {name} to {path} ({PRIVATE})."))
        }
        Ok((path, Readers::Others)) => Message::done("Saved", format!("the {name} to {path}.")).and(
            "Warning",
            "This file system doesn't support permissions: other users of this machine may be able to read the file.",
        ),
        Err(reason) => Message::warning(format!("The {name} was not saved: {reason}.")),
    }
}

/// Returns the message that says why a refresh failed.
pub(super) fn refresh_failed(ended: Ended) -> Message {
    let hint = match &ended.explanation {
        Some(explanation) if explanation.cause != ended.text => {
            format!("{} {}", explanation.cause, explanation.remedy)
        }
        Some(_) | None => ended.hint,
    };
    // The cause comes first; the service's own words may be long, and the trace contains them.
    let text = sentence(shorten(ended.text.trim_end_matches('.'), 120, "…"));
    Message::warning(format!("{text} Your current tokens are kept. {hint}"))
}

/// Returns the message about profile news; `None` if the screens already show the news.
pub(super) fn profile_news(news: &ProfileNews) -> Option<Message> {
    Some(match news {
        ProfileNews::Opened(_, Some(notice)) => Message::warning(notice.clone()),
        ProfileNews::Saved(name, _, SavedTokens::Newer) => Message::done(
            "Saved",
            format!(
                "the settings as the profile \"{name}\". It already had newer tokens, which were kept."
            ),
        ),
        ProfileNews::Saved(name, _, SavedTokens::Unfit(setting)) => Message::done(
            "Saved",
            format!(
                "the settings as the profile \"{name}\". Its tokens were issued for another {setting}: scripts get no token until \
                 you sign in again and save."
            ),
        ),
        ProfileNews::Saved(name, true, SavedTokens::Fine) => Message::done(
            "Saved",
            format!(
                "the settings and tokens as the profile \"{name}\". Scripts get a valid token from: oauth-authorizer token {name}"
            ),
        ),
        ProfileNews::Saved(name, false, SavedTokens::Fine) => {
            Message::done("Saved", format!("the settings as the profile \"{name}\"."))
        }
        ProfileNews::Done(label, text) => Message::done(*label, text.clone()),
        ProfileNews::NotSaved(reason) | ProfileNews::Failed(reason) => {
            Message::warning(reason.clone())
        }
        ProfileNews::Listed
        | ProfileNews::Opened(_, None)
        | ProfileNews::Tokens
        | ProfileNews::Exists
        | ProfileNews::Checked(..)
        | ProfileNews::Nothing => return None,
    })
}

/// Returns the message about a token request (user info, introspection, revocation or verification).
pub(super) fn told(kind: TokenKind, told: &Told) -> Message {
    match &told.outcome {
        Ok(Outcome::UserInfo(info)) => Message::done(
            "User info",
            match info.same_user {
                Some(_) => "received. It is for the same user as the ID token.",
                None => "received.",
            },
        ),
        Ok(Outcome::Introspected(found)) if found.active => Message::done(
            "Introspected",
            format!("the service reports the {} as active.", kind.name()),
        ),
        Ok(Outcome::Introspected(_)) => Message::warning(format!(
            "The service reports the {} as inactive: it has expired, was revoked, or was issued by another server.",
            kind.name()
        )),
        Ok(Outcome::Revoked(tokens)) => revoked(tokens),
        // The screens show the checks that the sign-in made.
        Ok(Outcome::Verified { .. }) => Message::done("Verified", "the signatures."),
        Err(error) => {
            let text = sentence(shorten(error.to_string().trim_end_matches('.'), 160, "…"));
            let cause = error.cause().map(|cause| format!(" {cause}"));
            Message::warning(format!("{text}{}", cause.unwrap_or_default()))
                .and("Fix", error.hint())
        }
    }
}

/// Returns the message about a revocation: which tokens are revoked, and which are not.
fn revoked(tokens: &[Revoked]) -> Message {
    let named = |which: &dyn Fn(&Revoked) -> bool| {
        let kinds = tokens.iter().filter(|token| which(token));
        let names: Vec<String> = kinds
            .map(|token| format!("the {}", token.kind.name()))
            .collect();
        names.join(" and ")
    };
    let done = named(&Revoked::is_revoked);
    let mut message = None;
    if !done.is_empty() {
        let confirmed = named(&|token| matches!(token.outcome, Ok(Verified::Inactive)));
        let mut text = format!("{done}, the service says.");
        if confirmed == done {
            text += " Introspection confirms it.";
        } else if !confirmed.is_empty() {
            text += &format!(" Introspection confirms it for {confirmed}.");
        }
        message = Some(Message::done("Revoked", text));
    }
    for token in tokens.iter().filter(|token| !token.is_revoked()) {
        let name = token.kind.name();
        let text = match &token.outcome {
            Ok(_) => format!(
                "The service says that the {name} is revoked, but introspection still reports it as active."
            ),
            Err(error) => {
                let why = sentence(shorten(error.to_string().trim_end_matches('.'), 120, "…"));
                let cause = error.cause().map(|cause| format!(" {cause}"));
                format!(
                    "The {name} was not revoked. {why}{}",
                    cause.unwrap_or_default()
                )
            }
        };
        message = Some(match message {
            Some(message) => message.and("Problem", text),
            None => Message::warning(text),
        });
    }
    message.unwrap_or_else(|| Message::warning("No token was revoked."))
}
