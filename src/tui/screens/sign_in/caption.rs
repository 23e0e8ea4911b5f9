//! The text next to the QR code of a sign-in.

use ratatui::text::Line;

use crate::oauth::url::is_loopback;
use crate::session::run::Phase;
use crate::tui::dialog::qr_code::Picture;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::text::{chunks, shorten, width, wrap};

/// Maximum number of lines for a URL next to a QR code; the code contains all of it.
const URL_LINES: usize = 4;

/// Returns the URL of the QR code and the user code, without empty lines if there is little room.
pub(super) fn caption(
    cx: ViewContext<'_>,
    picture: &Picture,
    (columns, rows): (usize, usize),
) -> Vec<Line<'static>> {
    let theme = cx.theme();
    let mut paragraphs: Vec<Vec<Line<'static>>> = Vec::new();
    let text = |words: &str| wrap(words, columns).into_iter().map(Line::from);
    let strong = |words: String| Line::styled(words, theme.strong());
    let mut lines = chunks(picture.url.as_str(), columns);
    if lines.len() > URL_LINES {
        lines.truncate(URL_LINES);
        if let Some(last) = lines.last_mut() {
            let room = columns - width(theme.ellipsis());
            *last = format!("{}{}", shorten(last, room, ""), theme.ellipsis());
        }
    }
    let code = match cx.session.sign_in().map(|run| &run.phase) {
        Some(Phase::Device {
            user_code,
            complete,
            ..
        }) => Some((user_code, complete.as_ref() == Some(&picture.url))),
        _ => None,
    };
    let mut leads: Vec<Line<'static>> = text("The QR code points to").collect();
    leads.extend(lines.into_iter().map(strong));
    if let Some((user_code, included)) = code {
        let about = if included {
            "It includes the code"
        } else {
            "Enter the code there"
        };
        let mut enter: Vec<Line<'static>> = text(about).collect();
        enter.push(strong(shorten(user_code, columns, theme.ellipsis())));
        // The user code first, if the URL could push it out.
        if rows < leads.len() + enter.len() {
            paragraphs.push(enter);
        } else {
            paragraphs.push(std::mem::take(&mut leads));
            paragraphs.push(enter);
        }
    }
    if !leads.is_empty() {
        paragraphs.push(leads);
    }
    if is_loopback(&picture.url) {
        paragraphs.push(text("This URL is on this machine. A phone can't open it.").collect());
    }
    paragraphs.push(text("Still waiting for approval.").collect());
    let needed: usize = paragraphs.iter().map(|lines| lines.len() + 1).sum();
    let mut all = Vec::new();
    for lines in paragraphs {
        if !all.is_empty() && needed <= rows {
            all.push(Line::default());
        }
        all.extend(lines);
    }
    all
}
