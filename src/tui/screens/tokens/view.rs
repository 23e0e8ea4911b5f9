//! The tokens.
//!
//! ```text
//!  ▸ Access token      eyJ0…                      1204 characters, 58 minutes left
//!    Refresh token     0.AX…                                       912 characters
//!
//!    Signed in as      alice@example.org
//!    Scope             all that was asked for: openid email
//! ```

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::{Item, Tokens};
use crate::oauth::check::not_granted;
use crate::oauth::id_token::Claims;
use crate::secret::ExposeSecret;
use crate::session::{TokenState, Value};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Anchor, Body, Row};
use crate::tui::widgets::rows::check_rows;
use crate::tui::widgets::text::{chunks, shorten, time_left, width, wrap};

/// Shorter values are masked whole: a beginning would tell too much of them.
const SHOWN_FROM: usize = 20;
/// How much of a longer value is shown.
const BEGINNING: usize = 4;

/// True where the value that is shown needs the whole screen, as it would leave no room for other things.
pub(super) fn is_long(screen: &Tokens, cx: ViewContext<'_>, area: Rect) -> bool {
    let tokens = cx.session.tokens.as_ref().filter(|_| screen.revealed);
    let value = tokens.and_then(|tokens| tokens.secret(screen.chosen));
    let room = usize::from(area.width) * usize::from(area.height / 2);
    value.is_some_and(|value| width(value.expose_secret()) > room)
}

/// The rows of the tokens panel.
///
/// Where `page`, the width of the screen, is more than that of the area, other things stand beside it.
pub(super) fn body(screen: &Tokens, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
    let columns = usize::from(area.width);
    let mut across = Vec::new();
    let Some(tokens) = &cx.session.tokens else {
        return Body::default();
    };
    let mut rows = Vec::new();
    if let Some(notice) = &tokens.preset.token_notice {
        rows.extend(
            wrap(notice, columns.saturating_sub(6))
                .into_iter()
                .map(Row::text),
        );
        rows.push(Row::blank());
    }
    rows.extend(
        tokens
            .values()
            .into_iter()
            .map(|value| value_row(screen, cx, tokens, value, columns)),
    );
    if screen.revealed
        && let Some(secret) = tokens.secret(screen.chosen)
    {
        // No indentation, so that it can be selected.
        let lines = chunks(secret.expose_secret(), page.into())
            .into_iter()
            .map(|line| Row::line(Line::from(line)));
        if page > area.width {
            across.extend(lines);
        } else {
            rows.push(Row::blank());
            rows.extend(lines);
        }
    }
    rows.push(Row::blank());
    facts(cx, tokens, &mut rows, columns);
    rows.push(Row::blank());
    rows.extend(
        tokens
            .checks
            .iter()
            .flat_map(|check| check_rows(cx.theme(), check, columns)),
    );
    if let Some(claims) = &tokens.claims {
        rows.push(Row::blank());
        rows.push(Row::text("Claims of the ID token (signature not verified)"));
        for (name, value) in claims.lines() {
            let room = columns.saturating_sub(26);
            let line = format!(
                "   {:<20}  {}",
                shorten(&name, 20, cx.theme().ellipsis()),
                shorten(&value, room, cx.theme().ellipsis())
            );
            rows.push(Row::line(Line::from(line)));
        }
    }
    let more = if rows.len() > usize::from(area.height) {
        " There is more below: Page down."
    } else {
        ""
    };
    let hint = format!("The buttons act on the {}.{more}", screen.chosen.name());
    Body {
        rows,
        below: across,
        scroll: screen.common.scroll,
        anchor: Anchor::Focus,
        hint,
        hint_is_bad: false,
    }
}

fn value_row(
    screen: &Tokens,
    cx: ViewContext<'_>,
    tokens: &TokenState,
    value: Value,
    columns: usize,
) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::Value(value));
    let text = tokens
        .secret(value)
        .map(|secret| secret.expose_secret().to_owned())
        .unwrap_or_default();
    let count = text.chars().count();
    let beginning: String = text
        .chars()
        .take(if count >= SHOWN_FROM { BEGINNING } else { 0 })
        .collect();
    let characters = format!("{count} characters");
    let life = match (value, tokens.left(cx.console.now)) {
        (Value::Refresh | Value::Id, _) => None,
        (Value::Access, Some(left)) if left.is_zero() => Some("expired".to_owned()),
        (Value::Access, Some(left)) => Some(format!("{} left", time_left(left).0)),
        (Value::Access, None) => Some("life not told".to_owned()),
    };
    let about = match life {
        // The life counts more than the length where there is no room for both.
        Some(life) if columns < 60 => life,
        Some(life) => format!("{characters}, {life}"),
        None => characters,
    };
    let shown = format!("{beginning}{}", theme.ellipsis());
    // Where there is no room for its beginning, what is told of the value stays.
    let shown = if 24 + width(&shown) + width(&about) > columns {
        String::new()
    } else {
        shown
    };
    let chosen = match (focused, screen.chosen == value) {
        (true, _) => theme.marker(),
        (false, true) => theme.mask(),
        (false, false) => " ",
    };
    let label = value.label();
    let style = if focused {
        theme.focus()
    } else {
        ratatui::style::Style::new()
    };
    let gap = columns.saturating_sub(22 + width(&shown) + width(&about));
    Row {
        line: Line::from(vec![
            Span::raw(format!(" {chosen} ")),
            Span::styled(label, style),
            Span::raw(" ".repeat(18 - width(label))),
            Span::raw(format!("{shown}{}{about}", " ".repeat(gap))),
        ]),
        cursor: focused.then_some(3),
    }
}

fn facts(cx: ViewContext<'_>, tokens: &TokenState, rows: &mut Vec<Row>, columns: usize) {
    let mut fact = |name: &str, text: &str| {
        let mut lines = wrap(text, columns.saturating_sub(23)).into_iter();
        rows.push(Row::line(Line::from(format!(
            "   {:<17} {}",
            shorten(name, 17, cx.theme().ellipsis()),
            lines.next().unwrap_or_default()
        ))));
        rows.extend(lines.map(|line| Row::line(Line::from(format!("{}{line}", " ".repeat(21))))));
    };
    match &tokens.set.token_type {
        None => fact("Type", "not named by the service; probably Bearer"),
        Some(kind) if tokens.set.is_bearer() => fact("Type", kind),
        Some(kind) => fact(
            "Type",
            &format!("{kind}, which is not a bearer token: few programs know how to use it"),
        ),
    }
    if let Some(person) = tokens.claims.as_ref().and_then(Claims::person) {
        fact("Signed in as", &person);
    }
    let asked = &tokens.request.client.scopes;
    let (missing, _) = not_granted(&tokens.request.client, &tokens.set);
    let granted = tokens.set.scope.clone().unwrap_or_else(|| asked.clone());
    let scope = if granted.is_empty() {
        "none named".to_owned()
    } else {
        granted.join(" ")
    };
    fact("Scope granted", &scope);
    if !missing.is_empty() {
        fact("Not granted", &missing.join(" "));
    }
    if tokens.set.refresh_token.is_none() {
        let reason = tokens.preset.tokens.refresh_note.as_deref().unwrap_or(
            "Many services give one only with the scope offline_access, or with a parameter of their own.",
        );
        fact("Refresh token", &format!("none came. {reason}"));
    }
    if let (None, Some(lifetime)) = (tokens.set.expires_in, &tokens.preset.tokens.lifetime) {
        fact(
            "Life",
            &format!("not told by the service; known of it: {lifetime}"),
        );
    }
    for kept in &tokens.set.kept {
        let value = kept.display_value();
        fact(
            &kept.name,
            value.as_deref().unwrap_or("kept; the JSON has it"),
        );
    }
}
