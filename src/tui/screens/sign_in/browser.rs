//! The steps of a sign-in in the browser, the paste box, and the details of an error page.
//!
//! ```text
//!    1  Tunnel         On the computer with the browser, run
//!  ▸                   ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2        [n Copy]
//!
//!    2  Sign in        In the browser on that computer, open
//!                      https://login.microsoftonline.com/common/oa…  [u Copy URL]
//!
//!    3  Return         If the page loads, this screen continues automatically.
//!                      If not, copy the URL from the address bar and paste it:
//!    Paste                                                URL, code or error text
//! ```

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use url::Url;

use super::layout::{fitted, is_narrow, narrow_step, narrow_text, step};
use super::state::{Item, Paste, SignIn};
use crate::certificate::About;
use crate::oauth::url::is_loopback;
use crate::secret::ExposeSecret;
use crate::session::run::{Phase, Run, Unverified};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::Row;
use crate::tui::widgets::grid::{self, DETAIL};
use crate::tui::widgets::rows::{Beside, Parts, below, detail, facts, row};
use crate::tui::widgets::text::{fit, shorten, width, window, wrap};

/// Maximum number of rows for the service's description of an unverified error.
const DESCRIPTION_LINES: usize = 3;

/// What is left out if there are too few rows. Each level also leaves out what the previous levels do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Without {
    Nothing,
    ErrorPage,
    Continues,
}

const LEVELS: [Without; 3] = [Without::Nothing, Without::ErrorPage, Without::Continues];

/// The data for the steps that the user has to do.
struct Steps<'a> {
    run: &'a Run,
    url: &'a Url,
    redirect_url: &'a str,
    listens: bool,
    certificate: Option<&'a About>,
    opened: bool,
}

/// Returns the steps, with as much detail as fits.
pub(super) fn rows(
    screen: &SignIn,
    cx: ViewContext<'_>,
    run: &Run,
    (columns, height): (usize, usize),
) -> Vec<Row> {
    let Phase::SignIn {
        url,
        redirect_url,
        listening,
        certificate,
        opened,
    } = &run.phase
    else {
        return Vec::new();
    };
    let steps = Steps {
        run,
        url,
        redirect_url: redirect_url.text(),
        listens: !listening.is_empty(),
        certificate: certificate.as_deref(),
        opened: *opened,
    };
    fitted(height, &LEVELS, |level| {
        let part = Part {
            screen,
            cx,
            columns,
            level,
        };
        if is_narrow(cx) {
            part.narrow(&steps)
        } else {
            part.usual(&steps)
        }
    })
}

/// The state that all rows depend on.
struct Part<'a> {
    screen: &'a SignIn,
    cx: ViewContext<'a>,
    columns: usize,
    level: Without,
}

impl Part<'_> {
    fn has_focus(&self, item: &Item) -> bool {
        self.screen.common.has_focus(self.cx, item)
    }

    /// Returns whether there is no room for the values to compare with an error page. They are always shown while one
    /// has the focus.
    fn without_error_page(&self) -> bool {
        let compares = [Item::ClientId, Item::RedirectUrl]
            .iter()
            .any(|item| self.has_focus(item));
        self.level >= Without::ErrorPage && !compares
    }

    fn usual(&self, steps: &Steps<'_>) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let mut rows = Vec::new();
        let mut number = 0;
        let mut numbered = |label: &str| {
            number += 1;
            Parts::new(format!("{number}  {label}"))
        };
        rows.push(Row::blank());
        if let Some(tunnel) = &steps.run.tunnel {
            let lead = "On the computer with the browser, run";
            let copy = Beside::letter('n', "Copy", self.has_focus(&Item::CopyTunnel));
            let parts = Parts {
                button: Some(copy),
                ..Parts::default()
            };
            let command = tunnel.to_string();
            if width(&command) <= parts.room(theme, columns) {
                rows.push(step(theme, numbered("Tunnel").with(lead), columns));
                rows.push(row(theme, parts.with(command), columns));
            } else {
                // The user may have to type the command on that computer, so it is shown in full.
                let parts = Parts {
                    label_style: Some(theme.strong()),
                    label: numbered("Tunnel").label,
                    ..parts
                };
                rows.extend(facts(theme, parts, lead, columns));
                let lines = wrap(&command, grid::room(columns)).into_iter();
                rows.extend(lines.map(|line| below(line, columns)));
            }
            rows.push(Row::blank());
        }
        let lead = if steps.opened {
            "in the browser window that opened. If none opened, open"
        } else if steps.run.tunnel.is_some() {
            "In the browser on that computer, open"
        } else if is_loopback(steps.url) {
            "In a browser on this machine, open"
        } else {
            "In a browser, open"
        };
        let mut lead = wrap(lead, grid::room(columns)).into_iter();
        let first = lead.next().unwrap_or_default();
        rows.push(step(theme, numbered("Sign in").with(first), columns));
        rows.extend(lead.map(|line| below(line, columns)));
        let parts = Parts {
            button: Some(Beside::letter(
                'u',
                "Copy URL",
                self.has_focus(&Item::CopyUrl),
            )),
            ..Parts::default()
        };
        // On one line: a wrapped URL would be copied with line breaks.
        let room = parts.room(theme, columns);
        let url = shorten(steps.url.as_str(), room, theme.ellipsis());
        let url = Span::styled(url, theme.active());
        rows.push(row(theme, parts.with(url), columns));
        rows.push(Row::blank());
        let text = self.return_text(steps);
        let mut lines = wrap(&text, grid::room(columns)).into_iter();
        let first = lines.next().unwrap_or_default();
        rows.push(step(theme, numbered("Return").with(first), columns));
        rows.extend(lines.map(|line| below(line, columns)));
        // A gap, unless the sentence above is about the paste box.
        if steps.opened {
            rows.push(Row::blank());
        }
        rows.push(self.paste_box());
        rows.extend(self.certificate(steps));
        rows.push(Row::blank());
        match &steps.run.unverified {
            Some(unverified) => rows.extend(self.unverified(unverified)),
            None => rows.extend(self.error_page(steps)),
        }
        if rows.last().is_some_and(|row| row.line.spans.is_empty()) {
            rows.pop();
        }
        rows
    }

    fn return_text(&self, steps: &Steps<'_>) -> String {
        let whole = self.level < Without::Continues;
        if !steps.listens {
            return "Copy the final URL from the browser's address bar, and paste it:".to_owned();
        }
        match (steps.opened, whole) {
            (true, true) => format!(
                "The browser returns to {} and this screen continues automatically.",
                steps.redirect_url
            ),
            (true, false) => format!("The browser returns to {}", steps.redirect_url),
            (false, true) => "If the page loads, this screen continues automatically. If not, copy the URL from the address \
                bar and paste it:"
                .to_owned(),
            (false, false) => "If the page doesn't load, paste its URL:".to_owned(),
        }
    }

    /// Returns the box for pasting the redirect when it can't reach this machine.
    fn paste_box(&self) -> Row {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let focused = self.has_focus(&Item::Paste);
        let text = self.screen.pasted.expose_secret();
        let state = match &self.screen.paste {
            Paste::Typed if text.is_empty() => Span::raw("URL, code or error text"),
            Paste::Typed => Span::raw(""),
            Paste::Submitted => Span::raw("checking"),
            Paste::Refused(_) => Span::styled("not used", theme.warning()),
            Paste::Explained(_) => Span::styled("explained", Style::new()),
        };
        let mut parts = Parts {
            focused,
            state: (!state.content.is_empty()).then_some(state),
            ..Parts::new("Paste")
        };
        let (shown, cursor) = self.shown_paste(parts.room(theme, columns));
        parts.cursor = cursor;
        row(theme, parts.with(shown), columns)
    }

    /// Returns the visible part of the pasted text, and the column of the cursor in it.
    fn shown_paste(&self, room: usize) -> (String, usize) {
        let theme = self.cx.theme();
        let text = self.screen.pasted.expose_secret();
        if self.has_focus(&Item::Paste) {
            let cursor = self.screen.common.editor.cursor_column();
            window(text, cursor, room, theme.ellipsis())
        } else {
            (shorten(text, room, theme.ellipsis()), 0)
        }
    }

    /// Returns the warning that the browser shows before a redirect over https, and the certificate's fingerprint.
    fn certificate(&self, steps: &Steps<'_>) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let Some(about) = steps.certificate else {
            return Vec::new();
        };
        let room = columns.saturating_sub(DETAIL + 1);
        let lines = halves(&about.fingerprint, room);
        if is_narrow(self.cx) {
            let warning = wrap(about.browser_warning(), columns.saturating_sub(4));
            return warning.into_iter().chain(lines).map(narrow_text).collect();
        }
        let parts = Parts::new("Certificate");
        let mut rows = facts(theme, parts, about.browser_warning(), columns);
        // Below the label, if the column of values is too narrow for half of the fingerprint.
        let fits = lines.iter().all(|line| width(line) <= grid::room(columns));
        rows.extend(lines.into_iter().map(|line| {
            if fits {
                below(line, columns)
            } else {
                Row::line(format!("{}{line}", " ".repeat(DETAIL)))
            }
        }));
        rows
    }

    /// Returns what to compare with the registration if the service shows an error page instead of redirecting.
    fn error_page(&self, steps: &Steps<'_>) -> Vec<Row> {
        if self.without_error_page() {
            return Vec::new();
        }
        let (theme, columns) = (self.cx.theme(), self.columns);
        let lead = if steps.opened {
            "Compare there"
        } else {
            "Paste its text above, or compare there"
        };
        let mut rows = vec![row(theme, Parts::new("Error page?").with(lead), columns)];
        rows.extend(self.compared(steps));
        if steps.opened {
            let text = "or paste the error text above to have it explained.";
            rows.push(below(text, columns));
        }
        rows
    }

    /// Returns the values to compare with an error page; they can be copied.
    fn compared(&self, steps: &Steps<'_>) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let client_id = &steps.run.request.client.client_id;
        [
            (Item::ClientId, "client_id", client_id.as_str()),
            (Item::RedirectUrl, "redirect_uri", steps.redirect_url),
        ]
        .map(|(item, name, value)| {
            let parts = Parts {
                detail: true,
                focused: self.has_focus(&item),
                ..Parts::new(name)
            };
            let room = parts.room(theme, columns);
            let value = shorten(value, room, theme.ellipsis());
            row(theme, parts.with(value), columns)
        })
        .into()
    }

    /// Returns an error that arrived without the state of this sign-in, and what to do if the service sent it.
    fn unverified(&self, unverified: &Unverified) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let text = format!(
            "{}  This error has no state that matches this sign-in, so anyone may have sent it:",
            unverified.at
        );
        let parts = Parts {
            label_style: Some(theme.warning()),
            ..Parts::new("Unverified")
        };
        let mut rows = facts(theme, parts, &text, columns);
        rows.extend(detail(theme, "error", &unverified.error.code, columns));
        if let Some(description) = &unverified.error.description {
            let room = grid::room(columns);
            let lines = fit(
                wrap(description, room),
                DESCRIPTION_LINES,
                room,
                theme.ellipsis(),
            );
            let text = lines.join(" ");
            rows.extend(detail(theme, "description", &text, columns));
        }
        if let Some(explanation) = &unverified.explanation {
            let edit = Beside::new("Edit", self.has_focus(&Item::Edit));
            let parts = Parts {
                button: explanation.field.map(|_| edit),
                ..Parts::new("If genuine")
            };
            let text = if self.level < Without::Continues {
                format!("{} {}", explanation.cause, explanation.remedy)
            } else {
                explanation.remedy.clone()
            };
            rows.extend(facts(theme, parts, &text, columns));
        }
        rows
    }

    fn narrow(&self, steps: &Steps<'_>) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let mut rows = Vec::new();
        let mut number = 0;
        let mut numbered = |text: Span<'static>, letter| {
            number += 1;
            narrow_step(theme, &number.to_string(), &text, letter, columns)
        };
        if let Some(tunnel) = &steps.run.tunnel {
            rows.push(numbered(tunnel.to_string().into(), Some('n')));
        }
        let url = Span::styled(steps.url.to_string(), theme.active());
        rows.push(numbered(url, Some('u')));
        let text = if steps.opened {
            "Sign in, or paste the final URL:"
        } else {
            "Sign in, then paste the final URL:"
        };
        rows.push(numbered(text.into(), None));
        rows.push(self.narrow_paste_box());
        rows.extend(self.certificate(steps));
        rows.push(Row::blank());
        match &steps.run.unverified {
            Some(unverified) => rows.extend(self.narrow_unverified(unverified)),
            None if self.without_error_page() => {}
            None => {
                rows.push(narrow_text("Error page? Compare there:"));
                rows.extend(self.compared_narrow(steps));
            }
        }
        rows
    }

    fn narrow_paste_box(&self) -> Row {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let focused = self.has_focus(&Item::Paste);
        let marker = if focused { theme.marker() } else { " " };
        let (shown, cursor) = self.shown_paste(columns.saturating_sub(4));
        let empty = shown.is_empty() && !focused;
        let shown = if empty {
            Span::raw("(URL, code or error text)")
        } else {
            Span::raw(shown)
        };
        Row {
            line: Line::from(vec![Span::raw(format!(" {marker} ")), shown]),
            cursor: focused.then(|| u16::try_from(3 + cursor).unwrap_or(u16::MAX)),
        }
    }

    fn compared_narrow(&self, steps: &Steps<'_>) -> Vec<Row> {
        let (theme, columns) = (self.cx.theme(), self.columns);
        let client_id = &steps.run.request.client.client_id;
        [
            (Item::ClientId, client_id.as_str()),
            (Item::RedirectUrl, steps.redirect_url),
        ]
        .map(|(item, value)| {
            let focused = self.has_focus(&item);
            let marker = if focused { theme.marker() } else { " " };
            let style = if focused { theme.focus() } else { Style::new() };
            let value = shorten(value, columns.saturating_sub(4), theme.ellipsis());
            Row {
                line: Line::from(vec![
                    Span::raw(format!(" {marker} ")),
                    Span::styled(value, style),
                ]),
                cursor: focused.then_some(3),
            }
        })
        .into()
    }

    fn narrow_unverified(&self, unverified: &Unverified) -> Vec<Row> {
        let theme = self.cx.theme();
        let room = self.columns.saturating_sub(4);
        let mut rows = vec![narrow_text(Span::styled("Unverified", theme.warning()))];
        let mut said = vec![format!("Anyone may have sent this: {}", unverified.error)];
        if let Some(explanation) = &unverified.explanation {
            said.push(format!("If genuine: {}", explanation.remedy));
        }
        let lines = said.iter().flat_map(|text| wrap(text, room));
        rows.extend(lines.map(narrow_text));
        rows
    }
}

/// Splits a fingerprint into lines of eight or sixteen bytes.
fn halves(fingerprint: &str, columns: usize) -> Vec<String> {
    let bytes = if columns < 47 { 8 } else { 16 };
    let all: Vec<&str> = fingerprint.split(':').collect();
    all.chunks(bytes).map(|line| line.join(":")).collect()
}
