//! The trace of the exchanges.
//!
//! ```text
//!   POST https://as.example/token  ->  200  (182 ms)
//!     > grant_type=authorization_code
//!     > code=[redacted, 43 chars]
//!     < access_token: [redacted, 1204 chars]
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::state::Trace;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::text::chunks;

/// The rows of the trace.
pub(super) fn body(screen: &Trace, cx: ViewContext<'_>, area: Rect) -> Body {
    let columns = usize::from(area.width).saturating_sub(4);
    let mut rows = Vec::new();
    for exchange in cx.session.trace.exchanges() {
        for (at, line) in exchange.lines().iter().enumerate() {
            let style = if at == 0 {
                cx.theme().strong()
            } else {
                Style::new()
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
    let more = rows.len().saturating_sub(screen.common.scroll) > usize::from(area.height);
    let more = if more {
        " There is more below: Page down."
    } else {
        ""
    };
    let hint = format!("Secrets and tokens are redacted. Safe to share with support.{more}");
    Body {
        rows,
        scroll: screen.common.scroll,
        hint,
        ..Body::default()
    }
}
