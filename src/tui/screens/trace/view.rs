//! The body of the trace screen: the HTTP exchanges.
//!
//! ```text
//!   12:01:12  POST  https://as.example/token
//!             400   141 ms
//!     sent      grant_type     authorization_code
//!               code           [redacted, 43 chars]
//!     received  content-type   application/json
//! ```

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::flow::trace::{Exchange, Value, Way};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{DETAIL, LABEL, NARROW};
use crate::tui::widgets::said::Said;
use crate::tui::widgets::text::{chunks, width, wrap};
use crate::tui::widgets::theme::Theme;

/// The columns at which the parts of an exchange begin.
struct Columns {
    /// The column of the request and its outcome.
    request: usize,
    /// The column of the URL, and of the duration of the request.
    url: usize,
    /// The column of the names of sent and received values.
    name: usize,
    /// The column of the values.
    value: usize,
}

const WIDE: Columns = Columns {
    request: 13,
    url: 19,
    name: 15,
    value: 30,
};

/// In a narrow window, the words `sent` and `received` have their own rows.
const SMALL: Columns = Columns {
    request: LABEL,
    url: LABEL + 6,
    name: DETAIL,
    value: 17,
};

/// Returns the rows of the trace.
pub(super) fn body(cx: ViewContext<'_>, page: u16) -> Body {
    let mut rows = Vec::new();
    for exchange in cx.session.trace.exchanges() {
        if !rows.is_empty() {
            rows.push(Row::blank());
        }
        rows.extend(exchange_rows(cx.theme(), exchange, page));
    }
    let text = if rows.is_empty() {
        rows.push(Row::text("No requests yet."));
        "Requests appear here when they are sent."
    } else {
        "Secrets and tokens are redacted. Safe to share with support."
    };
    Body {
        rows,
        hint: vec![Said::new("Trace", text)],
        ..Body::default()
    }
}

fn exchange_rows(theme: Theme, exchange: &Exchange, page: u16) -> Vec<Row> {
    let narrow = page < NARROW;
    let at = if narrow { SMALL } else { WIDE };
    let room = |column: usize| usize::from(page).saturating_sub(column + 1);
    let (request, outcome) = exchange.head();
    let mut rows = Vec::new();
    let mut start = format!("{:LABEL$}{}", "", exchange.time());
    if narrow {
        rows.push(row(vec![(0, start.into())]));
        start = String::new();
    }
    // A redirect has no URL here: its contents are redacted below.
    let (method, url) = match request.split_once(' ') {
        Some((method, url)) if url.contains("://") => (method, url),
        _ => (request, ""),
    };
    let mut lines = chunks(url, room(at.url)).into_iter();
    let mut first = vec![
        (0, start.into()),
        (at.request, Span::styled(method.to_owned(), theme.strong())),
    ];
    first.extend(
        lines
            .next()
            .map(|line| (at.url, Span::styled(line, theme.strong()))),
    );
    rows.push(row(first));
    rows.extend(lines.map(|line| row(vec![(at.url, Span::styled(line, theme.strong()))])));
    rows.extend(outcome_rows(theme, outcome, &at, room(at.request)));
    let mut before = None;
    for value in exchange.values() {
        let way = value.way.filter(|_| value.way != before);
        before = value.way;
        rows.extend(value_rows(theme, value, way, &at, (narrow, room(at.value))));
    }
    rows
}

/// Returns the outcome; the duration follows a status.
fn outcome_rows(theme: Theme, outcome: &str, at: &Columns, room: usize) -> Vec<Row> {
    let (result, took) = match outcome.rsplit_once(" (") {
        Some((result, took)) if took.ends_with(" ms)") => (result, took.trim_end_matches(')')),
        _ => (outcome, ""),
    };
    let status = result.parse::<u16>().ok();
    let style = match status {
        Some(400..) => theme.bad(),
        _ => Style::new(),
    };
    if status.is_some() {
        let took = Span::raw(took.to_owned());
        let result = Span::styled(result.to_owned(), style);
        return vec![row(vec![(at.request, result), (at.url, took)])];
    }
    let lines = wrap(outcome, room).into_iter();
    lines
        .map(|line| row(vec![(at.request, line.into())]))
        .collect()
}

/// Returns a name with its value in as many rows as it needs; the first row says whether it was sent or received.
fn value_rows(
    theme: Theme,
    value: Value<'_>,
    way: Option<Way>,
    at: &Columns,
    (narrow, room): (bool, usize),
) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut first = Vec::new();
    if let Some(way) = way {
        let word = match way {
            Way::Sent => "sent",
            Way::Received => "received",
        };
        let word = Span::styled(word, theme.dim());
        if narrow {
            rows.push(row(vec![(LABEL, word)]));
        } else {
            first.push((DETAIL, word));
        }
    }
    let mut lines = wrap(value.text, room).into_iter();
    let names = chunks(value.name, room + at.value - at.name);
    let count = names.len();
    for (name, last) in names
        .into_iter()
        .zip((0..count).rev().map(|left| left == 0))
    {
        let start = at.value.max(at.name + width(&name) + 2);
        first.push((at.name, name.into()));
        // A long name is not cut, because others may have the same beginning. Its value follows, or has its own rows.
        let fits = lines.len() == 1 && start + width(value.text) <= at.value + room;
        if last && (start == at.value || fits) {
            first.extend(lines.next().map(|line| (start, line.into())));
        }
        rows.push(row(std::mem::take(&mut first)));
    }
    rows.extend(lines.map(|line| row(vec![(at.value, line.into())])));
    rows
}

/// Returns a row with these texts at these columns.
fn row(parts: Vec<(usize, Span<'static>)>) -> Row {
    let mut spans = Vec::new();
    let mut column = 0;
    for (at, span) in parts {
        spans.push(Span::raw(" ".repeat(at.saturating_sub(column))));
        column = at.max(column) + width(&span.content);
        spans.push(span);
    }
    Row::line(Line::from(spans))
}
