//! A flow under way: what the user has to do, the steps and the checks.
//!
//! ```text
//!    On any device, open    https://microsoft.com/devicelogin
//!    and enter the code     WDJB-MJHT
//!
//!    The code is valid for 14 minutes. Waiting for approval; asked 4 times.
//!
//!    done     12:01:07  code requested                                 182 ms
//!    waiting  12:01:07  approval
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::progress::{notices, polling, step_row};
use super::state::{DeviceItem, Item, SignIn};
use crate::form::settings::Key;
use crate::oauth::url::is_loopback;
use crate::secret::ExposeSecret;
use crate::session::run::{Ended, Phase, Run};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Anchor, Body, Row};
use crate::tui::widgets::rows::check_rows;
use crate::tui::widgets::text::{chunks, fit, shorten, time_left, width, window, wrap};

/// The rows of the flow screen.
///
/// Where `page`, the width of the screen, is more than that of the area, other things stand beside it.
pub(super) fn body(screen: &SignIn, cx: ViewContext<'_>, area: Rect, page: u16) -> Body {
    let columns = usize::from(area.width);
    let apart = page > area.width;
    let mut across = Vec::new();
    let Some(run) = cx.session.sign_in() else {
        return Body::default();
    };
    let mut rows = Vec::new();
    if !apart {
        rows.push(Row::blank());
    }
    let mut hint = String::new();
    let mut notices = notices(run, columns);
    match &run.phase {
        Phase::Starting => rows.push(Row::text("Connecting to the service.")),
        Phase::Device {
            user_code,
            verification_uri,
            complete,
            until,
            asked,
            note,
        } => {
            let place = if is_loopback(verification_uri) {
                "On this machine, open"
            } else {
                "On any device, open"
            };
            // A small window shows the code first.
            let small = area.height < 8;
            if small {
                rows.clear();
            }
            let lines = usize::from(area.height).saturating_sub(8).max(1);
            let lines = if apart { 0 } else { lines };
            // What is too long for the half is not broken in it.
            let addresses = [Some(verification_uri), complete.as_ref()];
            for address in addresses.into_iter().flatten().map(url::Url::as_str) {
                if apart && 3 + width(address) >= columns {
                    let address = chunks(address, page.into());
                    across.extend(address.into_iter().map(|line| Row::line(Line::from(line))));
                }
            }
            let url = value_rows(
                screen,
                cx,
                DeviceItem::Url,
                place,
                verification_uri.as_str(),
                columns,
                lines,
            );
            let code = value_rows(
                screen,
                cx,
                DeviceItem::Code,
                "and enter the code",
                user_code,
                columns,
                1,
            );
            rows.extend(if small {
                code.into_iter().chain(url)
            } else {
                url.into_iter().chain(code)
            });
            if let Some(complete) = complete {
                rows.extend(value_rows(
                    screen,
                    cx,
                    DeviceItem::CompleteUrl,
                    "or open, code included",
                    complete.as_str(),
                    columns,
                    lines,
                ));
            }
            if !small {
                rows.push(Row::blank());
            }
            let (left, _) = time_left(until.saturating_sub(cx.console.now.up));
            let status = format!(
                "The code is valid for {left}. {}",
                polling(*asked, note.as_ref())
            );
            rows.extend(
                wrap(&status, columns.saturating_sub(6))
                    .into_iter()
                    .map(Row::text),
            );
            hint = match &screen.common.focus {
                Item::Device(_) => "Enter copies it; the plain view shows it alone.".to_owned(),
                _ => demo_hint(cx),
            };
        }
        Phase::SignIn {
            url,
            redirect_url,
            listening,
            certificate,
            opened,
        } => {
            let which = if apart { "the URL below" } else { "this URL" };
            let lead = if *opened {
                format!("A browser is being opened here. If it does not show, open {which} in it:")
            } else if is_loopback(url) {
                format!("Open {which} in a browser on this machine:")
            } else if cx.console.environment.display {
                format!("Open {which} in a browser:")
            } else {
                format!("Open {which} in a browser on any machine:")
            };
            let certificate = certificate.as_ref().map_or_else(Vec::new, |about| {
                let room = columns.saturating_sub(6);
                let mut lines = wrap(about.browser_warning(), room);
                lines.extend(halves(&about.fingerprint, room));
                lines
            });
            let tunnel = run.tunnel.as_ref().map_or_else(Vec::new, |tunnel| {
                let lead = "For a browser on your own machine, first open this tunnel there:";
                let lead = wrap(lead, columns.saturating_sub(6)).into_iter();
                // To be selected, as the URL is.
                let command = chunks(&tunnel.to_string(), columns).into_iter();
                lead.map(Row::text)
                    .chain(command.map(|line| Row::line(Line::from(line))))
                    .collect()
            });
            // A small window has no room for blank rows beside a fingerprint or a tunnel.
            let tight = !(certificate.is_empty() && tunnel.is_empty()) && area.height < 18;
            if tight {
                rows.clear();
            }
            rows.extend(
                wrap(&lead, columns.saturating_sub(6))
                    .into_iter()
                    .map(Row::text),
            );
            if !tight {
                rows.push(Row::blank());
            }
            let status = if listening.is_empty() {
                "Nothing can listen for the browser's return here: paste the address that it ends at.".to_owned()
            } else {
                format!("Listening on {listening} for {redirect_url}")
            };
            let status = wrap(&status, columns.saturating_sub(6));
            // No border and no indentation, so that it can be selected; what does not fit is in the plain view.
            // The status and the paste box stay in sight; the steps may be cut.
            let room = usize::from(area.height)
                .saturating_sub(
                    rows.len()
                        + status.len()
                        + tunnel.len()
                        + certificate.len()
                        + notices.len()
                        + 2,
                )
                .max(2);
            let room =
                if apart { area.height / 2 } else { 0 }.max(u16::try_from(room).unwrap_or(2));
            let (room, columns) = (
                usize::from(room),
                usize::from(if apart { page } else { area.width }),
            );
            let lines = chunks(url.as_str(), columns);
            let whole = lines.len() <= room;
            let lines = fit(lines, room, columns, cx.theme().ellipsis());
            if !whole {
                hint.push_str(
                    "The URL is longer than there is room for. Copy it, or open the plain view. ",
                );
            }
            let lines = lines.into_iter().map(|line| Row::line(Line::from(line)));
            let into = if apart { &mut across } else { &mut rows };
            into.extend(lines);
            if !apart || !tunnel.is_empty() {
                into.push(Row::blank());
            }
            if !tunnel.is_empty() {
                into.extend(tunnel);
                into.extend((!apart && !tight).then(Row::blank));
            }
            let columns = usize::from(area.width);
            rows.extend(status.into_iter().map(Row::text));
            rows.push(paste_box(screen, cx, columns));
            rows.extend(certificate.into_iter().map(Row::text));
            // What has come is told before the steps, which may be cut.
            rows.append(&mut notices);
            if screen.common.has_focus(cx, &Item::Paste) {
                hint.clear();
                hint.push_str("Paste the address that the browser came back to, even if it shows an error there, or the code in \
                        it. Then press Enter.");
            } else {
                hint += &demo_hint(cx);
                match &run.tunnel {
                    Some(tunnel) if !hint.is_empty() => hint += tunnel.login_advice(),
                    _ if hint.is_empty() && !cx.console.environment.can_browse() => {
                        hint = elsewhere(cx, run);
                    }
                    Some(_) | None => {}
                }
            }
        }
        Phase::Failed(Ended {
            text,
            explanation: Some(explanation),
            ..
        }) => {
            rows.extend(labelled(
                "Cause",
                &explanation.cause,
                columns,
                cx.theme().bad(),
            ));
            rows.extend(labelled(
                "Remedy",
                &explanation.remedy,
                columns,
                Style::new(),
            ));
            if let Some(key) = explanation.field {
                rows.push(field_row(screen, cx, key, columns));
            }
            rows.push(Row::blank());
            // The service's own words; the whole answer is in the trace.
            if *text != explanation.cause {
                let text = wrap(text, columns.saturating_sub(6));
                rows.extend(text.into_iter().map(Row::text));
            }
            hint.push_str("The settings are as you left them.");
        }
        Phase::Failed(ended) => {
            for line in wrap(&ended.text, columns.saturating_sub(6)) {
                rows.push(Row::line(vec![
                    Span::raw("   "),
                    Span::styled(line, cx.theme().bad()),
                ]));
            }
            rows.push(Row::blank());
            rows.extend(
                wrap(&ended.hint, columns.saturating_sub(6))
                    .into_iter()
                    .map(Row::text),
            );
            hint.push_str("The settings are as you left them.");
        }
    }
    rows.push(Row::blank());
    if let Some(advice) = run.if_no_sign_in() {
        let advice = wrap(&advice, columns.saturating_sub(6));
        rows.extend(advice.into_iter().map(Row::text));
        rows.push(Row::blank());
    }
    rows.extend(
        run.steps
            .iter()
            .map(|step| step_row(cx, run, step, columns)),
    );
    rows.append(&mut notices);
    // Apart from each other where there is room.
    if area.height >= 12 && !run.steps.is_empty() && !run.checks.is_empty() {
        rows.push(Row::blank());
    }
    rows.extend(
        run.checks
            .iter()
            .flat_map(|check| check_rows(cx.theme(), check, columns)),
    );
    Body {
        rows,
        below: across,
        scroll: screen.common.scroll,
        anchor: if screen.common.scroll > 0 {
            Anchor::Scroll
        } else {
            Anchor::Focus
        },
        hint,
        hint_is_bad: false,
    }
}

/// A fingerprint in lines of whole bytes, eight or sixteen.
fn halves(fingerprint: &str, columns: usize) -> Vec<String> {
    let bytes = if columns < 47 { 8 } else { 16 };
    let all: Vec<&str> = fingerprint.split(':').collect();
    all.chunks(bytes).map(|line| line.join(":")).collect()
}

/// A text behind a label, in as many rows as it needs.
fn labelled(label: &str, text: &str, columns: usize, style: Style) -> Vec<Row> {
    let mut rows = Vec::new();
    for line in wrap(text, columns.saturating_sub(15)) {
        let label = if rows.is_empty() { label } else { "" };
        rows.push(Row::line(vec![
            Span::raw(format!("   {label:<9}")),
            Span::styled(line, style),
        ]));
    }
    rows
}

/// The field that an error is about; Enter goes there.
fn field_row(screen: &SignIn, cx: ViewContext<'_>, key: Key, columns: usize) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::Explanation);
    let marker = if focused { theme.marker() } else { " " };
    let style = if focused { theme.focus() } else { Style::new() };
    let label = cx.session.settings.label(key).to_owned();
    let about = "Enter goes there";
    let gap = columns.saturating_sub(13 + width(&label) + width(about));
    Row {
        line: Line::from(vec![
            Span::raw(format!(" {marker} {:<9}", "Field")),
            Span::styled(label, style),
            Span::raw(" ".repeat(gap)),
            Span::styled(about, theme.dim()),
        ]),
        cursor: focused.then_some(12),
    }
}

/// The ways from a browser on another machine back to here.
fn elsewhere(cx: ViewContext<'_>, run: &Run) -> String {
    let paste = "paste the address that the browser ends at, even if it shows an error there";
    let device = match cx.session.with_device_code(&cx.console.environment) {
        Some(_) => "; or switch to device code",
        None => "",
    };
    match &run.tunnel {
        Some(tunnel) => format!(
            "{} Without the tunnel, {paste}{device}.",
            tunnel.login_advice()
        ),
        None => format!("If the browser is on another machine, {paste}{device}."),
    }
}

fn demo_hint(cx: ViewContext<'_>) -> String {
    if cx.session.settings.preset().embedded_server {
        "This is the demo server: no account is needed. Approve in a browser, with curl, or with the button.".to_owned()
    } else {
        String::new()
    }
}

/// Where the browser's return is pasted when it cannot reach this machine.
fn paste_box(screen: &SignIn, cx: ViewContext<'_>, columns: usize) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::Paste);
    let (marker, style) = if focused {
        (theme.marker(), theme.focus())
    } else {
        (" ", ratatui::style::Style::new())
    };
    let label = "Or paste it here";
    let start = 5 + width(label);
    let room = columns.saturating_sub(start + 1);
    let text = screen.pasted.expose_secret();
    let (shown, column) = if focused {
        window(
            text,
            screen.common.editor.cursor_column(),
            room,
            theme.ellipsis(),
        )
    } else {
        (shorten(text, room, theme.ellipsis()), 0)
    };
    let line = vec![
        Span::raw(format!(" {marker} ")),
        Span::styled(label, style),
        Span::raw(format!("  {shown}")),
    ];
    Row {
        line: Line::from(line),
        cursor: focused.then(|| u16::try_from(start + column).unwrap_or(u16::MAX)),
    }
}

/// A value behind its words, or below them where it is too long; what does not fit into `lines` is cut, and where there
/// are none it stands elsewhere.
fn value_rows(
    screen: &SignIn,
    cx: ViewContext<'_>,
    which: DeviceItem,
    words: &str,
    value: &str,
    columns: usize,
    lines: usize,
) -> Vec<Row> {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::Device(which));
    let marker = match (focused, screen.chosen == which) {
        (true, _) => theme.marker(),
        (false, true) => theme.mask(),
        (false, false) => " ",
    };
    let label = vec![
        Span::raw(format!(" {marker} ")),
        Span::styled(
            words.to_owned(),
            if focused {
                theme.focus()
            } else {
                ratatui::style::Style::new()
            },
        ),
    ];
    let cursor = focused.then_some(3);
    let gap = 23usize.saturating_sub(width(words)).max(1);
    if 3 + width(words) + gap + width(value) < columns {
        let mut line = label;
        line.push(Span::raw(" ".repeat(gap)));
        line.push(Span::styled(value.to_owned(), theme.strong()));
        return vec![Row {
            line: Line::from(line),
            cursor,
        }];
    }
    let mut rows = vec![Row {
        line: Line::from(label),
        cursor,
    }];
    if 3 + width(value) < columns {
        rows.push(Row::line(vec![
            Span::raw("   "),
            Span::styled(value.to_owned(), theme.strong()),
        ]));
        return rows;
    }
    if lines == 0 {
        return rows;
    }
    let pieces = fit(chunks(value, columns), lines, columns, theme.ellipsis());
    rows.extend(
        pieces
            .into_iter()
            .map(|piece| Row::line(Line::styled(piece, theme.strong()))),
    );
    rows
}
