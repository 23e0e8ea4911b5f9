//! What is said about a copy and a saved file, and the question where to save one.

use super::dialog::Dialog;
use super::screen::Message;
use crate::console::clipboard::{self, Copied, CopiedBy};
use crate::secret::{ExposeSecret, SecretString};
use crate::session::content::Content;
use crate::store::file::Readers;

/// Asks where to save `content`. `before` is what the dialog asked about so far, and the path in it.
pub(super) fn save_dialog(
    content: Content,
    before: Option<(&Content, SecretString)>,
) -> Option<Dialog<Content>> {
    let name = content.file_name()?;
    let path = match before {
        Some((before, path)) if before.file_name() != Some(path.expose_secret()) => path,
        Some(_) | None => name.into(),
    };
    let what = match content {
        Content::Json(_) => "tokens, with all that is known of them as JSON,",
        _ => content.name(),
    };
    let lead = format!("Save the {what} to this file; one that is there is replaced.");
    let note = match content {
        Content::Token(..) => {
            "The file will be private (mode 0600) where the file system supports it. Tab: all tokens as JSON instead."
        }
        Content::Json(_) => {
            "The file will be private (mode 0600) where the file system supports it. Tab: the token alone instead."
        }
        _ => "",
    };
    Some(Dialog::line(
        content,
        lead,
        note.to_owned(),
        path.expose_secret(),
    ))
}

/// Names the way that a copy took, and those that failed.
pub(super) fn copied(content: &Content, outcome: &Copied) -> Message {
    let (name, instead) = (content.name(), content.instead());
    let skipped: Vec<String> = outcome
        .skipped
        .iter()
        .map(|skipped| format!("{}: {}", skipped.way.name(), skipped.why))
        .collect();
    let skipped = skipped.join("; ");
    let done = match &outcome.by {
        Some(CopiedBy::Desktop) => format!(
            "Copied the {name} to the desktop clipboard. It stays there while this program runs."
        ),
        Some(CopiedBy::DesktopOfLogin) => format!(
            "Copied the {name} to the desktop clipboard of the user who ran sudo or su. It stays there while this program runs."
        ),
        Some(CopiedBy::Tmux) => format!(
            "Copied the {name} to tmux's buffer (paste with prefix ] in tmux). tmux was asked to hand it on to your \
             terminal, which may not support that."
        ),
        Some(CopiedBy::TmuxThroughMosh) => format!(
            "Copied the {name} to tmux's buffer (paste with prefix ] in tmux). mosh passes it on to your terminal only if tmux's \
             terminal-overrides changes Ms, and may not repeat an identical copy."
        ),
        Some(CopiedBy::TmuxOnly) => format!(
            "Copied the {name} to tmux's buffer only (paste with prefix ] in tmux). tmux hands it on to your terminal from \
             3.2 on."
        ),
        Some(CopiedBy::TmuxBeforeMosh) => format!(
            "Copied the {name} to tmux's buffer only (paste with prefix ] in tmux). Your terminal did not get it: mosh passes on \
             {limit} bytes at most. {instead}",
            limit = clipboard::MOSH_LIMIT
        ),
        Some(CopiedBy::TmuxAndTerminal(_)) => format!(
            "Copied the {name} to tmux's buffer, and sent it to your terminal's clipboard (OSC 52), because this terminal is not \
             a pane of that tmux. Your terminal may not support that."
        ),
        Some(CopiedBy::ThroughTmux(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52). tmux passes it on only if its option set-clipboard is on. \
             {instead}"
        ),
        Some(CopiedBy::ThroughMosh(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52) through mosh. Your terminal may not support that, and mosh may \
             not repeat an identical copy."
        ),
        Some(CopiedBy::Terminal(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52). Your terminal may not support that."
        ),
        Some(CopiedBy::ThroughScreen(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52), as GNU screen takes it. If yours is tmux, it is too long \
             and does not arrive. {instead}"
        ),
        None if skipped.is_empty() => {
            return Message::warning(format!(
                "The {name} was not copied: there is no desktop here, and this terminal is not known to have a \
                 clipboard. {instead}"
            ));
        }
        None => {
            return Message::warning(format!(
                "The {name} was not copied. Not taken: {skipped}. {instead}"
            ));
        }
    };
    if skipped.is_empty() {
        Message::note(done)
    } else {
        Message::note(format!("{done} Not taken: {skipped}."))
    }
}

/// Names the file that something was saved to, or says why it was not saved.
pub(super) fn saved(content: &Content, outcome: &Result<(String, Readers), String>) -> Message {
    let name = content.name();
    match outcome {
        Ok((path, Readers::User)) => Message::note(format!(
            "Saved the {name} to {path}, readable by you alone."
        )),
        Ok((path, Readers::Others)) => Message::warning(format!(
            "Saved the {name} to {path}. This file system does not support permissions: other users of this machine may \
             be able to read the file."
        )),
        Err(reason) => Message::warning(format!("Nothing was saved: {reason}.")),
    }
}
