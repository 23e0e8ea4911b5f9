//! How a run goes on, in rows: its steps, its polls, what it tries again, and its checks.

use ratatui::text::{Line, Span};

use super::super::model::{Model, Run, StepLine};
use super::super::widgets::draw::Row;
use super::super::widgets::text::{shorten, took, width, wrap};
use crate::flow::event::Step;
use crate::oauth::check::{Check, Outcome};
use crate::oauth::device::Note;

/// How often the service was asked, and what it said last.
pub(super) fn polling(asked: u32, note: Option<&Note>) -> String {
    let times = match asked {
        0 => "not asked yet".to_owned(),
        1 => "asked once".to_owned(),
        times => format!("asked {times} times"),
    };
    match note {
        None | Some(Note::Pending) => format!("Waiting for approval; {times}."),
        Some(Note::SlowDown) => {
            format!("Waiting for approval; {times}, now less often, as the service wishes.")
        }
        Some(Note::Trouble(reason)) => {
            format!(
                "No usable answer ({}); {times}, and asking again.",
                shorten(reason, 80, "...")
            )
        }
    }
}

/// What is tried again, and what came that was not the answer.
pub(super) fn news(run: &Run, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(trouble) = &run.trouble {
        let text = format!("{trouble} Trying again.");
        rows.extend(
            wrap(&text, columns.saturating_sub(6))
                .into_iter()
                .map(Row::text),
        );
    }
    if let Some((count, reason)) = &run.not_ours {
        let times = if *count == 1 {
            "An answer was".to_owned()
        } else {
            format!("{count} answers were")
        };
        let text = format!("{times} not taken: {reason}. Still waiting for the right one.");
        rows.extend(
            wrap(&text, columns.saturating_sub(6))
                .into_iter()
                .map(Row::text),
        );
    }
    if run.strays > 0 {
        let text = match run.strays {
            1 => "1 other request came and was turned away.".to_owned(),
            count => format!("{count} other requests came and were turned away."),
        };
        rows.push(Row::text(text));
    }
    rows
}

/// A step: how it stands, when it began, and how long it took.
pub(super) fn step_row(model: &Model, run: &Run, line: &StepLine, columns: usize) -> Row {
    let theme = model.theme;
    let (word, style) = match (line.took, line.failed, run.is_live()) {
        (Some(_), _, _) => ("done", theme.good()),
        (None, true, _) | (None, false, false) => ("failed", theme.bad()),
        (None, false, true) => ("waiting", theme.active()),
    };
    let name = match line.step {
        Step::DeviceCode => "code requested",
        Step::Approval => "approval",
        Step::Listen => "listening",
        Step::SignIn => "sign-in in the browser",
        Step::Exchange => "code exchanged for tokens",
        Step::Refresh => "new tokens requested",
    };
    let time = line.took.map(took).unwrap_or_default();
    let text = format!("{}  {name}", line.at.words());
    let gap = columns.saturating_sub(13 + width(&text) + width(&time));
    Row::line(vec![
        Span::raw("   "),
        Span::styled(format!("{word:<8}"), style),
        Span::raw(format!(" {text}{}{time}", " ".repeat(gap))),
    ])
}

/// A named check, as far as its words go.
pub(super) fn check_rows(model: &Model, check: &Check, columns: usize) -> Vec<Row> {
    let theme = model.theme;
    let style = match check.outcome {
        Outcome::Passed => theme.good(),
        Outcome::Failed => theme.bad(),
        Outcome::NotChecked | Outcome::NotApplicable => theme.dim(),
    };
    let head = |detail: &str| {
        Row::line(vec![
            Span::raw(format!("   {:<17} ", check.name.label())),
            Span::styled(format!("{:<15}", check.outcome.word()), style),
            Span::raw(format!(" {detail}")),
        ])
    };
    // A small window has no room beside the outcome.
    let (first, indent) = if columns < 60 {
        (Some(head("")), 5)
    } else {
        (None, 37)
    };
    let mut rows: Vec<Row> = first.into_iter().collect();
    for line in wrap(&check.detail, columns.saturating_sub(indent + 1)) {
        rows.push(if rows.is_empty() {
            head(&line)
        } else {
            Row::line(Line::from(format!("{}{line}", " ".repeat(indent))))
        });
    }
    rows
}
