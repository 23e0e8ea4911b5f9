//! The progress of a sign-in: its steps, and its checks so far.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::flow::event::Step;
use crate::oauth::check::CheckName;
use crate::oauth::flow_kind::FlowKind;
use crate::session::run::{Run, StepLine};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::grid::{self, DETAIL};
use crate::tui::widgets::rows::{check_rows, head, outcome_rows};
use crate::tui::widgets::text::{lower_first, shorten, took, width};

/// The checks of every flow, those of a redirect, and those of the tokens of a user.
const OF_ALL: [CheckName; 1] = [CheckName::Scope];
const OF_BROWSER: [CheckName; 3] = [CheckName::State, CheckName::Issuer, CheckName::Pkce];
const OF_USER: [CheckName; 4] = [
    CheckName::IdToken,
    CheckName::Signature,
    CheckName::Scope,
    CheckName::RefreshToken,
];

/// Returns the steps and the checks.
pub(super) fn progress(cx: ViewContext<'_>, run: &Run, columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let mut rows = vec![head(theme, "Steps")];
    let steps = run.steps.iter();
    rows.extend(steps.map(|step| step_row(cx, run, step, columns)));
    rows.push(Row::blank());
    rows.push(head(theme, "Checks"));
    let checks = run.checks.iter();
    rows.extend(checks.flat_map(|check| check_rows(theme, check, columns)));
    let later = later(run);
    if run.is_live() && !later.is_empty() {
        rows.extend(outcome_rows(theme, ("later", theme.dim()), &later, columns));
    }
    rows
}

/// Returns the checks that are still to come.
fn later(run: &Run) -> String {
    let names: Vec<&CheckName> = match run.request.kind {
        FlowKind::AuthorizationCode => OF_BROWSER.iter().chain(&OF_USER).collect(),
        FlowKind::DeviceCode => OF_USER.iter().collect(),
        FlowKind::ClientCredentials | FlowKind::JwtBearer => OF_ALL.iter().collect(),
    };
    let open = names
        .into_iter()
        .filter(|name| run.checks.iter().all(|check| check.name != **name));
    let names: Vec<String> = open.map(|name| lower_first(name.label())).collect();
    names.join(", ")
}

/// Returns the row of a step: its state, when it began, and how long it took.
fn step_row(cx: ViewContext<'_>, run: &Run, line: &StepLine, columns: usize) -> Row {
    let theme = cx.theme();
    let done = line.took.is_some();
    let (word, style) = match (done, line.failed || !run.is_live()) {
        (true, _) => ("done", theme.good()),
        (false, true) => ("failed", theme.bad()),
        (false, false) => ("waiting", Style::new()),
    };
    let name = match (line.step, done) {
        (Step::DeviceCode, true) => "Device code received",
        (Step::DeviceCode, false) => "Device code",
        (Step::Approval, true) => "Approved",
        (Step::Approval, false) => "Approval",
        (Step::Listen, true) => "Listener started",
        (Step::Listen, false) => "Listener",
        (Step::Pushed, true) => "Authorization request pushed",
        (Step::Pushed, false) => "Pushed authorization request",
        (Step::SignIn, true) => "Signed in",
        (Step::SignIn, false) => "Sign-in in the browser",
        (Step::Exchange, true) => "Tokens received",
        (Step::Exchange, false) => "Code exchange",
        (Step::Refresh, true) => "New tokens received",
        (Step::Refresh, false) => "Refresh",
        (Step::TokenRequest, true) => "Access token received",
        (Step::TokenRequest, false) => "Token request",
    };
    let time = line.took.map(took).unwrap_or_default();
    let value = grid::value(columns);
    let room = grid::room(columns).saturating_sub(width(&time) + 1);
    let text = shorten(&format!("{}  {name}", line.at), room, theme.ellipsis());
    let gap = (room + 1).saturating_sub(width(&text));
    Row::line(Line::from(vec![
        Span::raw(" ".repeat(DETAIL)),
        Span::styled(word, style),
        Span::raw(" ".repeat(value.saturating_sub(DETAIL + width(word)))),
        Span::raw(format!("{text}{}{time}", " ".repeat(gap))),
    ]))
}
