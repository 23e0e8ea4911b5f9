//! The steps of a device code sign-in.
//!
//! ```text
//!    1  Open           https://microsoft.com/devicelogin             [u Copy URL]
//!                      in a browser on any device.
//!
//!    2  Enter code     (large letters)
//!
//!  ▸    As text        WDJB-MJHT                                    [c Copy code]
//!
//!    3  Approve        Sign in there and approve the request.
//! ```

use ratatui::text::Span;
use url::Url;

use super::layout::{fitted, is_narrow, narrow_step, narrow_text, step};
use super::state::{Item, SignIn};
use crate::oauth::url::is_loopback;
use crate::session::run::{Phase, Run};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::block_letters::block_letters;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::grid::{self, DETAIL};
use crate::tui::widgets::rows::{Beside, Parts, below, facts, row};
use crate::tui::widgets::text::{chunks, fit, shorten, width};
use crate::tui::widgets::theme::Theme;

/// Maximum number of lines for a URL. A longer URL is cut.
const URL_LINES: usize = 3;

/// What is left out if there are too few rows. Each level also leaves out what the previous levels do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Without {
    Nothing,
    Approve,
    Where,
    Blocks,
}

const LEVELS: [Without; 4] = [
    Without::Nothing,
    Without::Approve,
    Without::Where,
    Without::Blocks,
];

/// The data for the steps that the user has to do.
struct Steps<'a> {
    code: &'a str,
    url: &'a Url,
    complete: Option<&'a Url>,
}

/// Returns the steps, with as much detail as fits.
pub(super) fn rows(
    screen: &SignIn,
    cx: ViewContext<'_>,
    run: &Run,
    (columns, height): (usize, usize),
) -> Vec<Row> {
    let Phase::Device {
        user_code,
        verification_uri,
        complete,
        ..
    } = &run.phase
    else {
        return Vec::new();
    };
    let steps = Steps {
        code: user_code,
        url: verification_uri,
        complete: complete.as_ref(),
    };
    fitted(height, &LEVELS, |level| {
        if is_narrow(cx) {
            narrow(cx, &steps, columns, level)
        } else {
            usual(screen, cx, &steps, columns, level)
        }
    })
}

fn place(url: &Url) -> &'static str {
    if is_loopback(url) {
        "in a browser on this machine."
    } else {
        "in a browser on any device."
    }
}

fn usual(
    screen: &SignIn,
    cx: ViewContext<'_>,
    steps: &Steps<'_>,
    columns: usize,
    level: Without,
) -> Vec<Row> {
    let theme = cx.theme();
    let mut rows = Vec::new();
    let has_focus = |item: &Item| screen.common.has_focus(cx, item);
    rows.push(Row::blank());
    let parts = Parts {
        button: Some(Beside::letter('u', "Copy URL", has_focus(&Item::CopyUrl))),
        ..Parts::new("1  Open")
    };
    let link = |text: String| Span::styled(text, theme.active());
    let url = steps.url.as_str();
    if width(url) <= parts.room(theme, columns) {
        rows.push(step(theme, parts.with(link(url.to_owned())), columns));
        if level < Without::Where {
            rows.push(below(place(steps.url), columns));
        }
    } else {
        // Below the button there is room for more of the URL.
        let lines = if level < Without::Approve {
            URL_LINES
        } else {
            1
        };
        let room = grid::room(columns);
        let lead = place(steps.url).trim_end_matches('.');
        let parts = Parts {
            label_style: Some(theme.strong()),
            ..parts
        };
        rows.extend(facts(theme, parts, lead, columns));
        let lines = fit(chunks(url, room), lines, room, theme.ellipsis());
        rows.extend(lines.into_iter().map(|line| below(link(line), columns)));
    }
    if let Some(complete) = steps.complete {
        let parts = Parts {
            focused: has_focus(&Item::Link),
            ..Parts::new("   With code")
        };
        let room = parts.room(theme, columns);
        let text = shorten(complete.as_str(), room, theme.ellipsis());
        rows.push(row(theme, parts.with(link(text)), columns));
    }
    rows.push(Row::blank());
    let large = (level < Without::Blocks)
        .then(|| large_code(theme, steps.code, columns))
        .flatten();
    let shown = large.is_some();
    if let Some(large) = large {
        rows.extend(large);
        rows.push(Row::blank());
    }
    let parts = Parts {
        button: Some(Beside::letter('c', "Copy code", has_focus(&Item::CopyCode))),
        label_style: (!shown).then(|| theme.strong()),
        ..Parts::new(if shown { "   As text" } else { "2  Enter code" })
    };
    let code = Span::styled(steps.code.to_owned(), theme.strong());
    rows.push(row(theme, parts.with(code), columns));
    if level < Without::Approve {
        rows.push(Row::blank());
        let parts = Parts::new("3  Approve").with("Sign in there and approve the request.");
        rows.push(step(theme, parts, columns));
    }
    rows
}

/// Returns the second step with the code in large letters: next to its label if they fit, otherwise below it.
fn large_code(theme: Theme, code: &str, columns: usize) -> Option<Vec<Row>> {
    let label = Parts::new("2  Enter code");
    let strong = |text: String| Span::styled(text, theme.strong());
    let room = grid::room(columns);
    if !theme.utf8 {
        let [top, middle, bottom] = framed(code, room)?;
        let mut rows = vec![step(theme, label.with(top), columns)];
        rows.extend([middle, bottom].map(|line| below(line, columns)));
        return Some(rows);
    }
    // Below the label, if only there the letters get their full width.
    let inside = columns.saturating_sub(DETAIL + 1);
    let wide = |rows: &[String; 3]| width(&rows[0]);
    let beside = block_letters(code, room);
    let below_label = block_letters(code, inside);
    match (beside, below_label) {
        (Some(beside), Some(other)) if wide(&beside) >= wide(&other) => {
            let [first, rest @ ..] = beside;
            let mut rows = vec![step(theme, label.with(strong(first)), columns)];
            rows.extend(rest.map(|line| below(strong(line), columns)));
            Some(rows)
        }
        (_, Some(letters)) => {
            let mut rows = vec![step(theme, label, columns)];
            let indent = " ".repeat(DETAIL);
            rows.extend(letters.map(|line| Row::line(strong(format!("{indent}{line}")))));
            Some(rows)
        }
        (_, None) => None,
    }
}

/// Returns a code in an ASCII frame, with a space between its characters.
fn framed(code: &str, columns: usize) -> Option<[String; 3]> {
    let letters: Vec<String> = code.chars().map(String::from).collect();
    let inside = format!("   {}   ", letters.join(" "));
    let rule = format!("+{}+", "-".repeat(width(&inside)));
    (code.is_ascii() && width(&rule) <= columns)
        .then(|| [rule.clone(), format!("|{inside}|"), rule])
}

fn narrow(cx: ViewContext<'_>, steps: &Steps<'_>, columns: usize, level: Without) -> Vec<Row> {
    let theme = cx.theme();
    let room = columns.saturating_sub(4);
    let mut rows = Vec::new();
    let open = match (level < Without::Where, is_loopback(steps.url)) {
        (false, _) => "Open",
        (true, true) => "Open on this machine",
        (true, false) => "Open on any device",
    };
    rows.push(narrow_step(theme, "1", &open.into(), None, columns));
    let url = shorten(steps.url.as_str(), room, theme.ellipsis());
    rows.push(narrow_text(Span::styled(url, theme.active())));
    rows.push(Row::blank());
    rows.push(narrow_step(theme, "2", &"Enter code".into(), None, columns));
    let strong = |text: String| Span::styled(text, theme.strong());
    let large = (level < Without::Blocks && theme.utf8)
        .then(|| block_letters(steps.code, room))
        .flatten();
    if let Some(large) = large {
        rows.extend(large.map(|line| narrow_text(strong(line))));
        rows.push(Row::blank());
    }
    rows.push(narrow_text(strong(steps.code.to_owned())));
    if level < Without::Approve {
        rows.push(Row::blank());
        let text = "Sign in there and approve.";
        rows.push(narrow_step(theme, "3", &text.into(), None, columns));
    }
    rows
}
