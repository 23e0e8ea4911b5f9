//! The body of the tokens screen.
//!
//! ```text
//!  ▸ Access token      eyJ0eXAiOiJK…9fQx3w  1,201 chars      until 13:01 (59 min)
//!    Refresh token     0.AXYAwq3-Ti…kT9_vA    966 chars                    copied
//!    ID token                                                          not issued
//!
//!    Signed in as      alice@example.org
//!    Granted           all 4 requested scopes
//!    Checks            5 passed                                        [k Checks]
//!
//!    For the mail server
//!      IMAP            outlook.office365.com  993  TLS
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line as TextLine, Span};

use super::hints::said;
use super::lines::{Line, content, granted, has_header, lines, mail, server, token_url};
use super::state::{Item, Tokens};
use super::times::{End, end};
use crate::oauth::check::{Outcome, not_granted};
use crate::secret::ExposeSecret;
use crate::session::{Taken, TokenState, Value};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{self, LOW, NARROW};
use crate::tui::widgets::masked::{ENDS, SHORT_ENDS, masked};
use crate::tui::widgets::rows::{Beside, Parts, check_rows, fact, facts, head, row};
use crate::tui::widgets::text::{chunks, lower_first, shorten, time_left, width};
use crate::words::thousands;

/// Returns whether the value that is shown in full needs the whole screen, because it would leave no room for another
/// body.
pub(super) fn is_long(screen: &Tokens, cx: ViewContext<'_>, area: Rect) -> bool {
    let shown = screen.content(cx).filter(|_| screen.revealed);
    let value = shown.and_then(|content| content.text(cx.session));
    let room = usize::from(area.width) * usize::from(area.height / 2);
    value.is_some_and(|value| width(value.expose_secret()) > room)
}

/// Returns the body of the screen.
///
/// If `page`, the width of the screen, is more than that of the area, another body is next to this one.
pub(super) fn body(screen: &Tokens, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
    let Some(drawing) = Drawing::of(screen, cx, area.width, page) else {
        return Body::default();
    };
    Body {
        rows: drawing.rows,
        below: drawing.below,
        hint: said(screen, cx, drawing.tokens),
    }
}

/// Returns the row of the body where the value that is shown in full begins, for the current window size.
pub(super) fn revealed_at(screen: &Tokens, cx: ViewContext<'_>) -> Option<usize> {
    let columns = cx.console.size.0;
    Drawing::of(screen, cx, columns, columns)?.revealed
}

/// How much of a token's row is shown.
#[derive(Debug, Clone, Copy)]
enum Shown {
    /// The ends of the token, its number of characters, and its remaining time.
    Characters,
    /// The same, without the word for characters.
    Count,
    /// The ends of the token, with or without its remaining time.
    Ends((usize, usize), bool),
}

impl Shown {
    /// From the most to the least: the length goes first, then the remaining time, then parts of the ends.
    const ALL: [Self; 5] = [
        Self::Characters,
        Self::Count,
        Self::Ends(ENDS, true),
        Self::Ends(ENDS, false),
        Self::Ends(SHORT_ENDS, false),
    ];
}

/// The rows while they are built.
struct Drawing<'a> {
    screen: &'a Tokens,
    cx: ViewContext<'a>,
    tokens: &'a TokenState,
    columns: usize,
    page: usize,
    rows: Vec<Row>,
    below: Vec<Row>,
    revealed: Option<usize>,
    shown: Shown,
}

impl<'a> Drawing<'a> {
    fn of(screen: &'a Tokens, cx: ViewContext<'a>, columns: u16, page: u16) -> Option<Self> {
        let mut drawing = Self {
            screen,
            cx,
            tokens: cx.session.tokens.as_ref()?,
            columns: columns.into(),
            page: page.into(),
            rows: Vec::new(),
            below: Vec::new(),
            revealed: None,
            shown: Shown::Characters,
        };
        drawing.shown = drawing.fitting();
        drawing.all();
        Some(drawing)
    }

    fn all(&mut self) {
        let [_, mail, script] = lines(self.tokens);
        for value in Value::ALL {
            let row = self.token(Line::Token(value), value);
            self.rows.push(row);
            self.reveal(Line::Token(value));
        }
        self.gap();
        self.about();
        if !mail.is_empty() {
            self.group("For the mail server", &Line::MAIL);
        }
        if !script.is_empty() {
            self.group("For your script", &Line::SCRIPT);
        }
    }

    /// Adds an empty row, if there is room for one.
    fn gap(&mut self) {
        if self.cx.console.size.1 >= LOW {
            self.rows.push(Row::blank());
        }
    }

    fn is_narrow(&self) -> bool {
        self.columns < usize::from(NARROW)
    }

    fn group(&mut self, name: &'static str, of: &[Line]) {
        self.gap();
        self.rows.push(head(self.cx.theme(), name));
        for line in of {
            let shown = match line {
                Line::Server(protocol) => server(self.tokens, *protocol).map(spaced),
                line => self.text(*line),
            };
            match (line, shown) {
                (Line::RefreshWith, _) if self.tokens.set.refresh_token.is_some() => {
                    let row = self.token(*line, Value::Refresh);
                    self.rows.push(row);
                }
                (line, Some(text)) => self.line(*line, &text),
                (_, None) => continue,
            }
            self.reveal(*line);
        }
    }

    /// Returns the text of a line's row; `None` if the line has no row.
    fn text(&self, line: Line) -> Option<String> {
        let tokens = self.tokens;
        let whole = || content(tokens, line)?.text(self.cx.session);
        match line {
            Line::User => {
                let user = whole().map(|user| user.expose_secret().to_owned());
                Some(user.unwrap_or_else(|| "the mailbox address".to_owned()))
            }
            Line::Password => Some(password(tokens)),
            Line::TokenUrl => Some(token_url(tokens).to_owned()),
            Line::Header if has_header(tokens) => {
                let room = grid::room(self.columns);
                let token = tokens.set.access_token.expose_secret();
                let shown = |ends| {
                    let token = masked(self.cx.theme(), token, ends);
                    format!("{} {token}", tokens.header())
                };
                let whole = format!("Authorization: {}", shown(ENDS));
                let short = [whole, shown(ENDS)];
                let fits = short.into_iter().find(|text| width(text) <= room);
                Some(fits.unwrap_or_else(|| shown(SHORT_ENDS)))
            }
            Line::ClientId | Line::Command => Some(whole()?.expose_secret().to_owned()),
            _ => None,
        }
    }

    /// Returns the label of a row, and whether the row has the focus.
    fn parts(&self, line: Line) -> Parts {
        let detail = Line::MAIL.contains(&line) || Line::SCRIPT.contains(&line);
        let narrow = self.is_narrow();
        let focused = self.screen.common.has_focus(self.cx, &Item::Line(line));
        // The buttons act on this row.
        let chosen = self.screen.chosen == line && self.screen.common.focus != Item::Checks;
        Parts {
            detail: detail && !narrow,
            focused,
            label_style: (chosen && !focused).then(|| self.cx.theme().strong()),
            ..Parts::new(if narrow {
                line.short_label()
            } else {
                line.label()
            })
        }
    }

    /// Adds a row with a text, which is shown in full if the row has the focus.
    fn line(&mut self, line: Line, text: &str) {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let parts = self.parts(line);
        if parts.focused {
            self.rows.extend(facts(theme, parts, text, columns));
        } else {
            let room = parts.room(theme, columns);
            let text = shorten(text, room, theme.ellipsis());
            self.rows.push(row(theme, parts.with(text), columns));
        }
    }

    /// Returns the row of a token: its ends, its length, and its state.
    fn token(&self, line: Line, value: Value) -> Row {
        let theme = self.cx.theme();
        let parts = self.parts(line);
        if self.tokens.secret(value).is_none() {
            let wanted = value == Value::Refresh
                && self.tokens.request.kind.has_user()
                && !self.tokens.preset.tokens.no_refresh;
            let style = if wanted { theme.warning() } else { theme.dim() };
            let word = if self.tokens.request.kind.has_user() {
                "not issued"
            } else {
                "not used"
            };
            let state = Some(Span::styled(word, style));
            let parts = Parts { state, ..parts };
            return row(theme, parts, self.columns);
        }
        let style = match end(self.tokens, value, self.cx.console.now) {
            Some(end) if end.is_near() => theme.warning(),
            Some(_) | None => Style::new(),
        };
        let (text, state) = self.token_texts(value, self.shown);
        let parts = Parts {
            state: (!state.is_empty()).then(|| Span::styled(state, style)),
            ..parts
        };
        row(theme, parts.with(text), self.columns)
    }

    /// Returns how much fits of every token: the same for all, so that they are aligned in columns.
    fn fitting(&self) -> Shown {
        let room = grid::room(self.columns);
        let fits = |shown: &Shown| {
            let values = self.tokens.values();
            let mut texts = values.into_iter().map(|it| self.token_texts(it, *shown));
            texts.all(|(text, state)| width(&text) + 2 + width(&state) <= room)
        };
        let found = Shown::ALL.into_iter().find(fits);
        found.unwrap_or(Shown::Ends((SHORT_ENDS.0, 0), false))
    }

    /// Returns the ends and the length of a token, and its state.
    fn token_texts(&self, value: Value, shown: Shown) -> (String, String) {
        let theme = self.cx.theme();
        let token = self.tokens.secret(value).map(ExposeSecret::expose_secret);
        let token = token.unwrap_or_default();
        let end = end(self.tokens, value, self.cx.console.now);
        let (short, long) = state(value, end, self.tokens.taken(value));
        let count = thousands(token.chars().count());
        let padded = |ends: (usize, usize)| {
            let shown = masked(theme, token, ends);
            let gap = (ends.0 + ends.1 + width(theme.ellipsis())).saturating_sub(width(&shown));
            shown + &" ".repeat(gap)
        };
        match shown {
            Shown::Characters => (format!("{}  {count:>5} chars", padded(ENDS)), long),
            Shown::Count => (format!("{}  {count:>5}", padded(ENDS)), long),
            Shown::Ends(ends, true) => (padded(ends), long),
            Shown::Ends(ends, false) => (padded(ends), short),
        }
    }

    /// Shows the selected line in full and without indentation, so that the user can select it with the mouse.
    fn reveal(&mut self, line: Line) {
        if !self.screen.revealed || self.screen.chosen != line {
            return;
        }
        let text = content(self.tokens, line).and_then(|it| it.text(self.cx.session));
        let Some(text) = text else {
            return;
        };
        let rows = chunks(text.expose_secret(), self.page)
            .into_iter()
            .map(|line| Row::line(TextLine::from(line)));
        if self.page > self.columns {
            self.below.extend(rows);
        } else {
            self.revealed = Some(self.rows.len());
            self.rows.extend(rows);
        }
    }

    /// Adds who the tokens are for, what they allow, and the results of the checks.
    fn about(&mut self) {
        let (theme, columns, tokens) = (self.cx.theme(), self.columns, self.tokens);
        if let Some(person) = self.content_text(Line::Person) {
            self.line(Line::Person, &person);
        } else {
            let why = if tokens.request.service_account.is_some() {
                "the service account (no user)"
            } else if !tokens.request.kind.has_user() {
                "the client (no user)"
            } else if tokens.set.id_token.is_some() {
                "unknown (the ID token doesn't say)"
            } else {
                "unknown (no ID token)"
            };
            let row = row(theme, self.parts(Line::Person).with(why), columns);
            self.rows.push(row);
        }
        self.reveal(Line::Person);
        if granted(tokens).is_empty() {
            let text = granted_words(tokens);
            let row = row(theme, self.parts(Line::Granted).with(text), columns);
            self.rows.push(row);
        } else {
            self.line(Line::Granted, &granted_words(tokens));
            self.reveal(Line::Granted);
        }
        self.checks();
        match &tokens.set.token_type {
            Some(_) if tokens.set.is_bearer() => {}
            Some(kind) => {
                let text = format!("{kind}, not a bearer token: few programs can use it");
                self.rows.extend(fact(theme, "Type", &text, columns));
            }
            None => {
                let text = "not returned by the service; probably Bearer";
                self.rows.extend(fact(theme, "Type", text, columns));
            }
        }
        if let (None, Some(lifetime)) = (tokens.set.expires_in, &tokens.preset.tokens.lifetime) {
            let text = format!("not returned by the service. Usual lifetimes: {lifetime}");
            self.rows.extend(fact(theme, "Lifetime", &text, columns));
        }
        for kept in &tokens.set.kept {
            let value = kept.display_value();
            let text = value.as_deref().unwrap_or("saved with the JSON");
            self.rows.extend(fact(theme, &kept.name, text, columns));
        }
        for note in &tokens.notes {
            self.rows.extend(fact(theme, "Note", note, columns));
        }
        if let Some(notice) = &tokens.preset.token_notice {
            self.rows.extend(fact(theme, "Note", notice, columns));
        }
    }

    fn content_text(&self, line: Line) -> Option<String> {
        let text = content(self.tokens, line)?.text(self.cx.session)?;
        Some(text.expose_secret().to_owned())
    }

    fn checks(&mut self) {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let focused = self.screen.common.has_focus(self.cx, &Item::Checks);
        let parts = Parts {
            button: Some(Beside::letter('k', "Checks", focused)),
            ..Parts::new("Checks")
        };
        let room = parts.room(theme, columns);
        let summary = shorten(&summary(self.tokens), room, theme.ellipsis());
        self.rows.push(row(theme, parts.with(summary), columns));
        if self.screen.checks {
            let checks = self.tokens.checks.iter();
            let rows = checks.flat_map(|check| check_rows(theme, check, columns));
            self.rows.extend(rows);
        }
    }
}

/// Returns the state at the end of a token's row: without and with the remaining time.
fn state(value: Value, end: Option<End>, taken: Taken) -> (String, String) {
    let word = taken.word();
    match end {
        _ if taken == Taken::Revoked => (word.to_owned(), word.to_owned()),
        Some(end) => {
            let (short, long) = end.words();
            if word.is_empty() || end.left.is_zero() {
                (short, long)
            } else {
                let long = format!("{word}, {short}");
                (short, long)
            }
        }
        None if word.is_empty() && value == Value::Access => {
            ("lifetime unknown".to_owned(), "lifetime unknown".to_owned())
        }
        None => (word.to_owned(), word.to_owned()),
    }
}

/// Formats a server: `outlook.office365.com  993  TLS`.
fn spaced(server: &str) -> String {
    let (address, security) = server.split_once(' ').unwrap_or((server, ""));
    match address.rsplit_once(':') {
        Some((host, port)) => format!("{host}  {port}  {security}").trim_end().to_owned(),
        None => server.to_owned(),
    }
}

/// Returns the description of the password for the mail server.
fn password(tokens: &TokenState) -> String {
    let mechanism = mail(tokens).and_then(|mail| mail.sasl.first());
    let mechanism = mechanism.map_or("XOAUTH2", String::as_str);
    let again = match tokens.set.expires_in {
        // Some services issue tokens that are valid for a few minutes more or less than an hour.
        Some(3300..=5400) => "new every hour, ".to_owned(),
        Some(seconds) => {
            let left = time_left(std::time::Duration::from_secs(seconds)).0;
            format!("valid for {left}, ")
        }
        None => String::new(),
    };
    format!("the access token, {again}with {mechanism}")
}

/// Returns which of the requested scopes were granted.
pub(super) fn granted_words(tokens: &TokenState) -> String {
    let asked = &tokens.request.client.scopes;
    let client = &tokens.request.client;
    let (missing, renamed) = not_granted(client, &tokens.set);
    // Another name of a requested scope is not an additional scope.
    let known = |scope: &String| {
        let same = client.dialect.same_scope.iter();
        let mut same = same.filter(|names| names.contains(scope));
        asked.contains(scope)
            || renamed.iter().any(|(_, name)| name == scope)
            || same.any(|names| asked.iter().any(|asked| names.contains(asked)))
    };
    let others = granted(tokens).iter().filter(|scope| !known(scope)).count();
    let more = match others {
        0 => String::new(),
        others => format!(", and {others} more"),
    };
    let scopes = |count: usize| if count == 1 { "scope" } else { "scopes" };
    match (asked.len(), missing.len()) {
        (0, _) if others == 0 => "no scopes requested".to_owned(),
        (0, _) => format!("{others} {}, none requested", scopes(others)),
        (1, 0) => format!("the requested scope{more}"),
        (count, 0) => format!("all {count} requested scopes{more}"),
        (count, lost) => {
            let granted = count.saturating_sub(lost);
            let names = missing.join(" ");
            format!(
                "{granted} of {count} requested {}{more}; missing: {names}",
                scopes(count)
            )
        }
    }
}

/// Returns the results of the checks in one line.
fn summary(tokens: &TokenState) -> String {
    let named = |outcome: Outcome, word: &str| {
        let of = tokens.checks.iter().filter(|it| it.outcome == outcome);
        let names: Vec<String> = of.map(|it| lower_first(it.name.label())).collect();
        let count = names.len();
        (count > 0).then(|| format!("{count} {word}: {}", names.join(", ")))
    };
    if tokens.checks.is_empty() && tokens.obtained.pins.is_some() {
        return "none: the tokens were read from a profile".to_owned();
    }
    let passed = tokens.checks.iter();
    let passed = passed.filter(|it| it.outcome == Outcome::Passed).count();
    let parts = [
        Some(format!("{passed} passed")),
        named(Outcome::Failed, "failed"),
        named(Outcome::NotChecked, "not checked"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
