//! How a sign-in goes on, in rows: its steps, its polls, and what it tries again.

use ratatui::text::Span;

use crate::flow::event::Step;
use crate::oauth::device::Note;
use crate::session::run::{Run, StepLine};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::text::{shorten, took, width, wrap};

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
                shorten(reason, 160, "...")
            )
        }
        Some(Note::NoMore) => format!(
            "The service asks for a longer pause than the code is valid: {times}, and not again. Ask for a new code."
        ),
    }
}

/// What is tried again, and what came that was not the answer.
pub(super) fn notices(run: &Run, columns: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for note in &run.notes {
        rows.extend(
            wrap(note, columns.saturating_sub(6))
                .into_iter()
                .map(Row::text),
        );
    }
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
pub(super) fn step_row(cx: ViewContext<'_>, run: &Run, line: &StepLine, columns: usize) -> Row {
    let theme = cx.theme();
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
    let text = format!("{}  {name}", line.at);
    let gap = columns.saturating_sub(13 + width(&text) + width(&time));
    Row::line(vec![
        Span::raw("   "),
        Span::styled(format!("{word:<8}"), style),
        Span::raw(format!(" {text}{}{time}", " ".repeat(gap))),
    ])
}
