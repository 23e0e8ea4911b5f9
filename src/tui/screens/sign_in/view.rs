//! The body of the sign-in screen, and the message below it.

use ratatui::layout::Rect;

use super::hints::hints;
use super::layout::{is_low, is_wide};
use super::progress::progress;
use super::state::SignIn;
use super::{browser, device, failed};
use crate::session::run::Phase;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid;
use crate::tui::widgets::said::Said;
use crate::tui::widgets::text::wrap;

/// Rows that the page reserves for the message. More rows are taken from the body.
const SAID_ROWS: usize = 2;

/// Returns the rows of the sign-in.
pub(super) fn body(screen: &SignIn, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
    let Some(run) = cx.session.sign_in() else {
        return Body::default();
    };
    let hint = hints(screen, cx, run);
    let columns = usize::from(area.width);
    let live = !matches!(run.phase, Phase::Failed(_));
    let unfolded = (live && screen.checks) || is_wide(cx);
    let progress = if unfolded {
        progress(cx, run, columns)
    } else {
        Vec::new()
    };
    let more = said_rows(&hint, page).saturating_sub(SAID_ROWS);
    // In a low window, the message gives way to the body.
    let more = if is_low(cx) { 0 } else { more };
    let height = usize::from(area.height).saturating_sub(more + progress.len());
    let size = (columns, height);
    let mut rows = match &run.phase {
        Phase::Starting => Vec::new(),
        Phase::Device { .. } => device::rows(screen, cx, run, size),
        Phase::SignIn { .. } => browser::rows(screen, cx, run, size),
        Phase::Failed(ended) => failed::rows(screen, cx, run, ended, size),
    };
    if !rows.is_empty() && !progress.is_empty() {
        rows.push(Row::blank());
    }
    rows.extend(progress);
    Body {
        rows,
        hint,
        ..Body::default()
    }
}

/// Returns how many rows the sentences occupy below the body.
fn said_rows(said: &[Said], page: u16) -> usize {
    let columns = grid::room(page.into());
    said.iter()
        .map(|said| wrap(&said.text, columns).len())
        .sum()
}
