//! The trace of the exchanges.
//!
//! ```text
//!   POST https://as.example/token  ->  200  (182 ms)
//!     > grant_type=authorization_code
//!     > code=[redacted, 43 chars]
//!     < access_token: [redacted, 1204 chars]
//! ```

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::super::model::Model;
use super::super::widgets::draw::{Body, Row};
use super::super::widgets::text::chunks;

/// The rows of the trace.
pub(in super::super) fn body(model: &Model, area: Rect) -> Body {
    let columns = usize::from(area.width).saturating_sub(4);
    let mut rows = Vec::new();
    for exchange in model.trace.exchanges() {
        for (at, line) in exchange.lines().iter().enumerate() {
            let style = if at == 0 {
                model.theme.strong()
            } else {
                ratatui::style::Style::new()
            };
            rows.extend(
                chunks(line, columns)
                    .into_iter()
                    .map(|piece| Row::line(Line::styled(format!("   {piece}"), style))),
            );
        }
        rows.push(Row::blank());
    }
    if rows.is_empty() {
        rows.push(Row::text("Nothing was exchanged yet."));
    }
    let more = rows.len().saturating_sub(model.trace_scroll) > usize::from(area.height);
    let more = if more {
        " There is more below: Page down."
    } else {
        ""
    };
    let hint = format!("Secrets and tokens are redacted. Safe to share with support.{more}");
    Body {
        rows,
        below: Vec::new(),
        scroll: model.trace_scroll,
        hint,
        hint_is_bad: false,
    }
}
