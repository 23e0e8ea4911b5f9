//! The body of a failed sign-in: always the same rows in the same order.
//!
//! ```text
//!    Failed            This redirect URL isn't registered for the app.
//!
//!    Fix               Add it under App registrations > your app > Authentication:
//!                      http://localhost:8400/                        [u Copy URL]
//!
//!  ▸ Field             Redirect URL                                        [Edit]
//!
//!    Service said      AADSTS50011: The redirect URI 'http://localhost:8400/' …
//! ```

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::layout::{fitted, is_narrow};
use super::state::{Item, SignIn};
use crate::form::field::Key;
use crate::oauth::device::Note;
use crate::session::run::{Ended, Phase, Run};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::rows::{Beside, Parts, below, facts, row};
use crate::tui::widgets::text::{chunks, lower_first, time_left, wrap};
use crate::words::sentence;

/// A part of the body: its label, the style of the label, and a text.
struct Part {
    label: &'static str,
    style: Style,
    text: String,
    /// Whether the text is the most important one.
    strong: bool,
    /// The value to register, exactly as sent.
    exact: Option<String>,
    /// Whether this part names the field to change.
    field: bool,
}

impl Part {
    fn new(label: &'static str, text: impl Into<String>) -> Self {
        Self {
            label,
            style: Style::new(),
            text: text.into(),
            strong: false,
            exact: None,
            field: false,
        }
    }
}

/// Returns what failed, and what to do.
pub(super) fn rows(
    screen: &SignIn,
    cx: ViewContext<'_>,
    run: &Run,
    ended: &Ended,
    (columns, height): (usize, usize),
) -> Vec<Row> {
    let parts = if ended.expired {
        expired(cx, run, ended)
    } else {
        failed(cx, run, ended)
    };
    if is_narrow(cx) {
        return narrow(cx, &parts, columns);
    }
    fitted(height, &[()], |()| {
        let mut rows = Vec::new();
        for part in &parts {
            rows.push(Row::blank());
            rows.extend(usual(screen, cx, part, columns));
        }
        rows
    })
}

fn failed(cx: ViewContext<'_>, run: &Run, ended: &Ended) -> Vec<Part> {
    let theme = cx.theme();
    let mut parts = Vec::new();
    let (what, fix, field) = match (&ended.explanation, &ended.service) {
        (Some(explanation), _) => (&explanation.cause, &explanation.remedy, explanation.field),
        (None, Some(_)) => (&ended.step, &NO_EXPLANATION.to_owned(), None),
        (None, None) => (&ended.text, &ended.hint, None),
    };
    parts.push(Part {
        style: theme.bad(),
        strong: true,
        ..Part::new("Failed", what)
    });
    let redirect_url = run
        .redirect_url()
        .filter(|_| field == Some(Key::RedirectUrl) && ended.service.is_some());
    let fix = match cx.session.explained_fix() {
        Some(remedy) => {
            let press = format!("Press Ctrl+F to {}", lower_first(&remedy.label));
            format!("{fix} {}", sentence(&press))
        }
        None => fix.clone(),
    };
    parts.push(Part {
        exact: redirect_url.map(|url| url.text().to_owned()),
        ..Part::new("Fix", fix)
    });
    if let Some(key) = field {
        parts.push(Part {
            field: true,
            ..Part::new("Field", cx.session.settings.label(key))
        });
    }
    match (&ended.service, &ended.explanation) {
        (Some(said), _) => parts.push(Part::new("Service said", said)),
        (None, Some(explanation)) if explanation.cause != ended.text => {
            parts.push(Part::new("Details", &ended.text));
        }
        (None, _) => {}
    }
    parts
}

const NO_EXPLANATION: &str = "No explanation is known for this error. See Service said.";

fn expired(cx: ViewContext<'_>, run: &Run, ended: &Ended) -> Vec<Part> {
    let warning = |text: String| Part {
        style: cx.theme().warning(),
        strong: true,
        ..Part::new("Expired", text)
    };
    let Some(Phase::Device {
        user_code,
        valid,
        until,
        asked,
        last,
        ..
    }) = &run.before
    else {
        return vec![warning(ended.text.clone()), Part::new("Fix", &ended.hint)];
    };
    // A service can end a code early.
    let at = if until.up <= cx.console.now.up {
        format!(" at {}", until.minute())
    } else {
        String::new()
    };
    let (minutes, _) = time_left(*valid);
    let mut parts = vec![
        warning(format!(
            "The code {user_code} expired{at} without approval."
        )),
        Part::new(
            "Fix",
            format!("Get another code, and approve it within {minutes}."),
        ),
    ];
    if let Some(last) = last {
        let at = &last.at;
        let result = match &last.note {
            Note::Pending => format!("the last response, at {at}, was authorization_pending"),
            Note::SlowDown => format!("the last response, at {at}, was slow_down"),
            Note::Trouble(reason) => format!("the last check, at {at}, failed: {reason}"),
            Note::OnceMore => format!(
                "the last response, at {at}, was a request for a pause that is longer than the code is valid"
            ),
        };
        let times = times(*asked);
        parts.push(Part::new("Checked", format!("{times}; {result}")));
    }
    parts
}

/// Formats how often something happened.
pub(super) fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        count => format!("{count} times"),
    }
}

fn usual(screen: &SignIn, cx: ViewContext<'_>, part: &Part, columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let mut parts = Parts {
        label_style: Some(part.style),
        ..Parts::new(part.label)
    };
    if part.field {
        let focused = screen.common.has_focus(cx, &Item::Edit);
        parts.button = Some(Beside::new("Edit", focused));
        return vec![row(theme, parts.with(part.text.clone()), columns)];
    }
    let style = if part.strong {
        theme.strong()
    } else {
        Style::new()
    };
    let mut rows = if part.strong {
        let mut lines = wrap(&part.text, parts.room(theme, columns)).into_iter();
        let styled = |line: String| Span::styled(line, style);
        let first = styled(lines.next().unwrap_or_default());
        let mut rows = vec![row(theme, parts.with(first), columns)];
        rows.extend(lines.map(|line| below(styled(line), columns)));
        rows
    } else {
        facts(theme, parts, &part.text, columns)
    };
    if let Some(exact) = &part.exact {
        let focused = screen.common.has_focus(cx, &Item::RedirectUrl);
        let parts = Parts {
            button: Some(Beside::letter('u', "Copy URL", focused)),
            ..Parts::default()
        };
        let mut lines = chunks(exact, parts.room(theme, columns)).into_iter();
        let strong = |line: String| Span::styled(line, theme.strong());
        let first = strong(lines.next().unwrap_or_default());
        rows.push(row(theme, parts.with(first), columns));
        rows.extend(lines.map(|line| below(strong(line), columns)));
    }
    rows
}

/// Returns the parts with their labels on separate rows.
fn narrow(cx: ViewContext<'_>, parts: &[Part], columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let room = columns.saturating_sub(2);
    let text = |text: String, style: Style| {
        Row::line(Line::from(vec![Span::raw(" "), Span::styled(text, style)]))
    };
    let mut rows = Vec::new();
    for part in parts {
        if part.field {
            rows.push(text(format!("{}: {}", part.label, part.text), Style::new()));
            continue;
        }
        rows.push(text(part.label.to_owned(), part.style));
        let lines = wrap(&part.text, room).into_iter();
        rows.extend(lines.map(|line| text(line, Style::new())));
        if let Some(exact) = &part.exact {
            let lines = chunks(exact, room).into_iter();
            rows.extend(lines.map(|line| text(line, theme.strong())));
        }
    }
    rows
}
