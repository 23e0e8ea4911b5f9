//! The body of the sign-in, and the message below it.

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

/// Rows that the page keeps for the message; more of them are taken from the body.
const SAID_ROWS: usize = 2;

/// The rows of the sign-in.
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
    // They give way to the body in a low window.
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

/// How many rows the sentences take below the body.
fn said_rows(said: &[Said], page: u16) -> usize {
    let columns = grid::room(page.into());
    said.iter()
        .map(|said| wrap(&said.text, columns).len())
        .sum()
}
