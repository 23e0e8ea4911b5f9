//! The message below the sign-in: what it is waiting for, the result of a paste, and the purpose of the focused item.

use std::time::Duration;

use super::failed::times;
use super::layout::is_narrow;
use super::state::{Item, Paste, SignIn};
use crate::oauth::device::Note;
use crate::session::run::{Phase, Poll, Run};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{time_left, wrap};
use crate::words::{capitalized, sentence};

/// Rows for the message in a small window.
const SMALL_ROWS: usize = 2;

/// The end of the text about a listener of the system.
const HTTP_SYS: &str = "(HTTP.sys)";

/// Instructions for pasting.
pub(super) const PASTE: &str = "After signing in, copy the URL from the browser's address bar, even if the page shows an \
                                error, paste it here and press Enter.";

/// Returns all sentences, the most important first.
pub(super) fn hints(screen: &SignIn, cx: ViewContext<'_>, run: &Run) -> Vec<Said> {
    let mut said = match &run.phase {
        Phase::Starting => vec![Said::new("Waiting", "for the service to respond.")],
        Phase::Device { .. } => waiting_for_approval(cx, run),
        Phase::SignIn { .. } if run.exchanges() => {
            vec![Said::new("Waiting", "for the service to issue the tokens.")]
        }
        Phase::SignIn { .. } => match of_paste(screen, run) {
            Some(said) => said,
            None => waiting_for_browser(screen, cx, run),
        },
        // A small window needs the rows for the fix.
        Phase::Failed(_) if is_narrow(cx) => Vec::new(),
        Phase::Failed(_) => vec![Said::new("", "Your settings are unchanged.")],
    };
    if run.is_live() {
        said.extend(retries(run));
        said.extend(demo(screen, cx, run));
    }
    if is_narrow(cx) {
        if matches!(run.phase, Phase::Device { .. }) {
            said.push(Said::new("", "Esc asks before it cancels."));
        }
        // Keep only sentences that fit completely.
        let room = usize::from(cx.console.size.0).saturating_sub(2);
        let mut left = SMALL_ROWS;
        said.retain(|said| {
            let rows = wrap(&format!("{}: {}", said.label, said.text), room).len();
            let fits = rows <= left || left == SMALL_ROWS;
            left = left.saturating_sub(rows);
            fits
        });
    } else if screen.moved && matches!(screen.paste, Paste::Typed) {
        said.push(purpose(screen, run));
    }
    said
}

fn waiting_for_approval(cx: ViewContext<'_>, run: &Run) -> Vec<Said> {
    let Phase::Device {
        until, asked, last, ..
    } = &run.phase
    else {
        return Vec::new();
    };
    let checked = match asked {
        0 => "Not checked yet".to_owned(),
        count => format!("Checked {}", times(*count)),
    };
    let trouble = last.as_ref().and_then(trouble);
    if is_narrow(cx) {
        let waiting = format!("Waiting for approval. {checked}.");
        let waiting = Said::new("", waiting);
        return std::iter::once(waiting).chain(trouble).collect();
    }
    let left = until.up.saturating_sub(cx.console.now.up);
    let (left, _) = time_left(left);
    let mut text = format!(
        "for approval. The code expires at {}, in {left}.",
        until.minute()
    );
    if trouble.is_none() {
        let pace = last.as_ref().map_or_else(|| ".".to_owned(), pace);
        text = format!("{text} {checked}{pace}");
    }
    // The fix, if trouble lasts.
    let note = run.notes.last().filter(|_| trouble.is_some());
    let note = note.map(|note| Said::new("Note", note));
    let mut said = vec![Said::new("Waiting", text)];
    said.extend(trouble.into_iter().chain(note));
    said
}

/// Returns how often the program checks for approval.
fn pace(last: &Poll) -> String {
    let every = seconds(last.pause);
    let every = every.strip_prefix("1 ").unwrap_or(&every);
    match last.note {
        Note::SlowDown => format!(", now every {every}, as the service requested."),
        Note::OnceMore => ". The service requested a pause that is longer than the code is valid, so the next check is \
            shortly before it expires.".to_owned(),
        Note::Pending | Note::Trouble(_) => format!(", every {every}."),
    }
}

/// Returns the message about a check that got no usable response.
fn trouble(last: &Poll) -> Option<Said> {
    let Note::Trouble(reason) = &last.note else {
        return None;
    };
    let reason = reason.trim_end_matches('.');
    let text = format!(
        "The last check failed: {reason}. It is repeated after {}. You can approve in the meantime.",
        seconds(last.pause)
    );
    Some(Said::new("Retrying", text))
}

/// Formats a short time.
fn seconds(time: Duration) -> String {
    time_left(time.max(Duration::from_secs(1))).0
}

/// Returns the result of a paste, and what to do now.
fn of_paste(screen: &SignIn, run: &Run) -> Option<Vec<Said>> {
    let step = if run.tunnel.is_some() { 2 } else { 1 };
    Some(match &screen.paste {
        Paste::Typed => return None,
        Paste::Submitted => vec![Said::new("Waiting", "for the pasted text to be checked.")],
        Paste::Refused(reason) => vec![
            Said::new("Not used", sentence(capitalized(reason))).toned(Tone::Warning),
            Said::new(
                "Fix",
                format!(
                    "Sign in again with the URL in step {step}, then paste the new one. Still waiting."
                ),
            ),
        ],
        Paste::Explained(explanation) => vec![
            Said::new("Error page", &explanation.cause).toned(Tone::Warning),
            Said::new("Fix", &explanation.remedy),
        ],
    })
}

fn waiting_for_browser(screen: &SignIn, cx: ViewContext<'_>, run: &Run) -> Vec<Said> {
    let Phase::SignIn {
        redirect_url,
        listening,
        ..
    } = &run.phase
    else {
        return Vec::new();
    };
    if is_narrow(cx) {
        let text = match (listening.is_empty(), cx.console.environment.ssh.is_some()) {
            (true, _) => "Waiting for the URL to be pasted.".to_owned(),
            (false, true) => {
                "If the page loads after signing in, there is nothing to paste.".to_owned()
            }
            (false, false) => format!("Waiting for the browser at {redirect_url}"),
        };
        return vec![Said::new("", text)];
    }
    let text = match (listening.is_empty(), &run.tunnel) {
        (true, _) => {
            format!("for a paste. This machine can't receive the redirect to {redirect_url}")
        }
        (false, Some(tunnel)) => format!("for the browser or a paste. {}", tunnel.login_advice()),
        (false, None) if cx.console.environment.ssh.is_some() => {
            format!("for the browser at {redirect_url} or a paste.")
        }
        // On Windows, say that the system listens, not this program.
        (false, None) if listening.ends_with(HTTP_SYS) => {
            format!("for the browser at {redirect_url} {HTTP_SYS}")
        }
        (false, None) => format!("for the browser at {redirect_url}"),
    };
    let mut said = vec![Said::new("Waiting", text)];
    if run.unverified.is_some() {
        said[0].text = format!(
            "for the browser at {redirect_url}. The unverified error did not end the sign-in."
        );
    }
    said.extend(run.notes.last().map(|note| Said::new("Note", note)));
    // Until the box contains text, or the user has seen other hints.
    if screen.common.focus == Item::Paste && !screen.moved && screen.common.editor.text().is_empty()
    {
        said.push(Said::new("Paste", PASTE));
    }
    said
}

/// Returns what is being retried, and which requests were ignored or rejected.
fn retries(run: &Run) -> Vec<Said> {
    let mut said = Vec::new();
    if let Some(trouble) = &run.trouble {
        said.push(Said::new("Retrying", sentence(trouble)));
    }
    if let Some((count, reason)) = &run.not_ours {
        let what = if *count == 1 {
            "a redirect".to_owned()
        } else {
            format!("{count} redirects, the last")
        };
        let text = format!("{what}: {} Still waiting.", sentence(reason));
        said.push(Said::new("Ignored", text));
    }
    if run.strays > 0 {
        let text = match run.strays {
            1 => "1 other request to the port was rejected.".to_owned(),
            count => format!("{count} other requests to the port were rejected."),
        };
        said.push(Said::new("Rejected", text));
    }
    said
}

/// Returns the hint that the demo server's user needs no account.
fn demo(screen: &SignIn, cx: ViewContext<'_>, run: &Run) -> Option<Said> {
    let demo = cx.session.settings.preset().embedded_server;
    let waits = run.urls().next().is_some() && !run.exchanges();
    let pasted = !matches!(screen.paste, Paste::Typed);
    (demo && waits && !pasted).then(|| {
        if is_narrow(cx) {
            Said::new("Demo", "press y to approve.")
        } else {
            let text = if cx.console.environment.ssh.is_some() {
                "Press y to approve. The demo server is on this machine, so a browser on your computer can't open the URL."
            } else {
                "No account is needed. Press y to approve, or open the URL in a browser."
            };
            Said::new("Demo", text)
        }
    })
}

/// Returns the purpose of the focused item.
fn purpose(screen: &SignIn, run: &Run) -> Said {
    let device = !run.awaits_browser();
    let (label, text) = match &screen.common.focus {
        Item::CopyTunnel => (
            "Copy",
            "Copy the command to run on the computer with the browser.",
        ),
        Item::CopyUrl if device => ("Copy URL", "Copy the URL to open."),
        Item::CopyUrl => ("Copy URL", "Copy the authorization URL."),
        Item::CopyCode => ("Copy code", "Copy the code."),
        Item::Link => (
            "With code",
            "This URL includes the code. Press Enter to copy it.",
        ),
        Item::Paste => ("Paste", PASTE),
        Item::ClientId => (
            "client_id",
            "If the service shows an error page, compare this value with the one registered there.",
        ),
        Item::RedirectUrl if run.is_live() => (
            "redirect_uri",
            "If the service shows an error page, compare this value with the one registered there.",
        ),
        Item::RedirectUrl => ("Copy URL", "Copy the redirect URL exactly as it is sent."),
        Item::Edit if run.is_live() => ("Edit", "Cancel this sign-in and change the field."),
        Item::Edit => ("Edit", "Go to this field in the settings."),
        Item::OpenBrowser => ("Open browser", "Open the URL in a browser on this machine."),
        Item::QrCode => (
            "QR code",
            "Show the link as a QR code to scan with a phone.",
        ),
        Item::Alone if device => (
            "View alone",
            "Show only the code and the URL, to select with the mouse.",
        ),
        Item::Alone => (
            "View alone",
            "Show the whole URL alone, to select with the mouse.",
        ),
        Item::OtherFlow if device => (
            "Browser flow",
            "Sign in with authorization code instead. Asks before it cancels.",
        ),
        Item::OtherFlow => (
            "Device code",
            "Sign in with device code instead. Asks before it cancels.",
        ),
        Item::Checks if screen.checks => ("Hide checks", "Hide the steps and checks."),
        Item::Checks => ("Checks", "Show the steps and checks so far."),
        Item::Trace => (
            "Trace",
            "Show the requests and responses. Secrets are redacted.",
        ),
        Item::ApproveDemo => ("Approve", "Demo only: approve without a browser."),
        Item::Again => (
            "Try again",
            "Start the sign-in again with the same settings.",
        ),
        Item::CopyReport => (
            "Copy report",
            "Copy cause, fix and the service's response, without secrets.",
        ),
        Item::More => ("More", "Show the other buttons."),
        Item::Cancel => ("Cancel", "Cancel this sign-in. Asks first."),
        Item::Settings => ("Settings", "Return to the settings."),
        Item::Help => ("Help", "Keys of this screen, then all others."),
    };
    Said::new(label, text)
}
