//! The body of the mail test: the mail servers, each with the steps of its test.
//!
//! ```text
//!    Mailbox           alice@contoso.example
//!
//!  ▸ IMAP              outlook.office365.com  993  TLS  XOAUTH2            failed
//!      ok              connected                                            82 ms
//!      failed          mailbox                                              31 ms
//!      Server          BAD User is authenticated but not connected.
//!      Cause           The token is not for this mailbox.
//!    POP3              outlook.office365.com  995  TLS                  not tried
//! ```

use std::time::Duration;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Item, MailTest};
use crate::clean::clean;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};
use crate::session::mail::{MailServer, MailTests};
use crate::session::mail_report::MailReport;
use crate::tui::dialog::Reading;
use crate::tui::screen::{Message, ViewContext};
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{self, DETAIL, LOW};
use crate::tui::widgets::rows::{Parts, below, detail, fact, row};
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{took, width, wrap};

/// The descriptions of the entries under More.
pub(super) const MAILBOX: &str = "Sign in to another mailbox";
pub(super) const SERVER: &str = "Sign in to another mail server";
pub(super) const MECHANISM: &str = "Choose XOAUTH2 or OAUTHBEARER";

/// Returns the rows, and the message about the focused item.
pub(super) fn body(screen: &MailTest, cx: ViewContext<'_>, area: Rect) -> Body {
    let columns = usize::from(area.width);
    let theme = cx.theme();
    let mut rows = Vec::new();
    let mailbox = cx.session.mailbox();
    let mailbox = mailbox.as_deref().unwrap_or("unknown");
    rows.extend(fact(theme, "Mailbox", &clean(mailbox, 320), columns));
    if let Some(tests) = cx.session.mail_tests() {
        for warning in &tests.warnings {
            let mut lines = wrap(warning, grid::room(columns)).into_iter();
            let first = Parts {
                label_style: Some(theme.warning()),
                ..Parts::new("Warning")
            };
            let first = first.with(lines.next().unwrap_or_default());
            rows.push(row(theme, first, columns));
            rows.extend(lines.map(|line| below(line, columns)));
        }
    }
    let servers = cx.session.mail_servers();
    if servers.is_empty() {
        rows.extend(fact(theme, "Server", "unknown", columns));
    }
    for server in servers {
        if cx.console.size.1 >= LOW {
            rows.push(Row::blank());
        }
        server_rows(screen, cx, &server, columns, &mut rows);
    }
    Body {
        rows,
        hint: said(screen, cx),
        ..Body::default()
    }
}

/// Returns the state of a server's test.
fn state(cx: ViewContext<'_>, server: &MailServer) -> (String, Tone) {
    if server.address.is_err() {
        return ("not usable".to_owned(), Tone::Bad);
    }
    let tests = cx.session.mail_tests();
    let report = tests.and_then(|tests| tests.report(server.protocol));
    match (report, tests) {
        (Some(report), _) if report.is_ok() => ("ok".to_owned(), Tone::Good),
        (Some(_), _) => ("failed".to_owned(), Tone::Bad),
        (None, Some(tests)) if cx.session.is_testing_mail() => {
            let word = if tests.next() == Some(server.protocol) {
                "testing"
            } else {
                "waiting"
            };
            (format!("{word}{}", cx.theme().ellipsis()), Tone::Plain)
        }
        // A canceled test may have sent the token.
        (None, Some(tests)) if tests.next() == Some(server.protocol) => {
            ("canceled".to_owned(), Tone::Plain)
        }
        (None, _) => ("not tried".to_owned(), Tone::Plain),
    }
}

fn server_rows(
    screen: &MailTest,
    cx: ViewContext<'_>,
    server: &MailServer,
    columns: usize,
    rows: &mut Vec<Row>,
) {
    let theme = cx.theme();
    let protocol = server.protocol;
    let report = cx.session.mail_tests();
    let report = report.and_then(|tests| tests.report(protocol));
    let (word, tone) = state(cx, server);
    let parts = Parts {
        label_style: Some(theme.strong()),
        focused: screen.common.has_focus(cx, &Item::Server(protocol)),
        state: Some(Span::styled(word, theme.tone(tone))),
        ..Parts::new(protocol.name())
    };
    match &server.address {
        Ok(address) => {
            let mechanism = report.and_then(|report| report.report.mechanism);
            let mechanism = mechanism.map_or("", Mechanism::name);
            let text = format!("{}  {mechanism}", spaced(address));
            rows.push(row(theme, parts.with(text.trim_end().to_owned()), columns));
        }
        Err(reason) => {
            rows.push(row(theme, parts, columns));
            rows.extend(detail(theme, "Error", reason, columns));
        }
    }
    if let Some(report) = report.filter(|_| screen.is_unfolded(cx, protocol)) {
        steps(cx, report, columns, rows);
    }
}

/// Adds the steps of a test, and the details of its failure.
fn steps(cx: ViewContext<'_>, report: &MailReport, columns: usize, rows: &mut Vec<Row>) {
    let theme = cx.theme();
    for done in &report.report.steps {
        let text = clean(&done.detail, 200);
        step(("ok", theme.good()), &text, done.time, columns, rows);
    }
    if let Some(failed) = &report.report.failed {
        let word = ("failed", theme.bad());
        step(word, failed.step.name(), failed.time, columns, rows);
    }
    for (label, text) in report.failure() {
        let style = if label == "Cause" {
            Some(theme.bad())
        } else {
            None
        };
        let parts = Parts {
            detail: true,
            label_style: style,
            ..Parts::new(label)
        };
        let mut lines = wrap(&text, grid::room(columns)).into_iter();
        let first = parts.with(lines.next().unwrap_or_default());
        rows.push(row(theme, first, columns));
        rows.extend(lines.map(|line| below(line, columns)));
    }
}

/// Adds a step: its outcome, what it found, and its time at the end of the row.
fn step(
    (word, style): (&'static str, Style),
    text: &str,
    time: Duration,
    columns: usize,
    rows: &mut Vec<Row>,
) {
    let value = grid::value(columns);
    let time = took(time);
    let room = grid::room(columns);
    let fits = |text: &str| width(text) + 2 + width(&time) <= room;
    let mut lines = wrap(text, room).into_iter();
    let first = lines.next().unwrap_or_default();
    let gap = " ".repeat(value - DETAIL - width(word));
    let mut spans = vec![
        Span::raw(" ".repeat(DETAIL)),
        Span::styled(word, style),
        Span::raw(format!("{gap}{first}")),
    ];
    if fits(&first) {
        let space = room - width(&first) - width(&time);
        spans.push(Span::raw(format!("{}{time}", " ".repeat(space))));
    }
    rows.push(Row::line(Line::from(spans)));
    rows.extend(lines.map(|line| below(line, columns)));
}

/// Formats an address: `outlook.office365.com  993  TLS`.
fn spaced(address: &Address) -> String {
    let Address {
        host,
        port,
        security,
    } = address;
    format!("{host}  {port}  {security}")
}

/// Returns the message after the tests.
pub(super) fn outcome(cx: ViewContext<'_>) -> Option<Message> {
    let tests = cx.session.mail_tests()?;
    let text = tests.summary();
    Some(if tests.reports().all(MailReport::is_ok) {
        Message::done("Mail test", text)
    } else {
        Message::warning(text)
    })
}

/// Returns the text of the lines exchanged with the servers.
pub(super) fn trace(cx: ViewContext<'_>, columns: usize) -> Reading {
    let mut lines: Vec<Line<'static>> = Vec::new();
    let tests = cx.session.mail_tests();
    for report in tests.into_iter().flat_map(MailTests::reports) {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let head = format!("{}  {}", report.protocol.name(), report.address);
        lines.push(Line::styled(head, cx.theme().strong()));
        let exchanged = report.transcript().into_iter();
        lines.extend(
            exchanged
                .flat_map(|line| wrap(&line, columns))
                .map(Line::from),
        );
    }
    if lines.is_empty() {
        lines.push(Line::from("Nothing has been exchanged yet."));
    }
    Reading {
        title: "Lines exchanged (C: sent, S: received)".to_owned(),
        lines,
    }
}

/// Returns the hint that is shown while there is no message.
fn said(screen: &MailTest, cx: ViewContext<'_>) -> Vec<Said> {
    let tested = cx.session.mail_tests().is_some();
    let (label, text) = match &screen.common.focus {
        Item::Server(protocol) => return about_server(cx, *protocol),
        Item::Test => (
            if tested {
                "Test mail again"
            } else {
                "Test mail"
            },
            "Sign in to the mail servers with the access token.",
        ),
        Item::CopyReport => ("Copy report", "Copy all steps, without the token."),
        Item::Trace => (
            "Trace",
            "Show the lines exchanged. The token is shown by its length only.",
        ),
        Item::More => ("More", "Other mailbox, other server, other mechanism."),
        Item::Mailbox => ("Other mailbox", MAILBOX),
        Item::OtherServer => ("Other server", SERVER),
        Item::Mechanism => ("Mechanism", MECHANISM),
        Item::Cancel => ("Cancel", "Stop the test."),
        Item::Back if tested => (
            "Back",
            "Return to the previous screen. The results are kept.",
        ),
        Item::Back => ("Back", "Return to the previous screen."),
        Item::Help => ("Help", "Keys of this screen, then all others."),
    };
    vec![Said::new(label, text)]
}

fn about_server(cx: ViewContext<'_>, protocol: Protocol) -> Vec<Said> {
    let tests = cx.session.mail_tests();
    let report = tests.and_then(|tests| tests.report(protocol));
    let name = protocol.name();
    let text = match report {
        Some(report) if report.is_ok() => {
            let proof = match protocol {
                Protocol::Imap => "opened the inbox",
                Protocol::Pop3 => "listed the mailbox",
                Protocol::Smtp => "accepted the sender address; nothing was sent",
            };
            format!("The server accepted the token and {proof}.")
        }
        Some(report) => {
            let fix = report.explained.fix.clone();
            let failed = report.report.failed.as_ref();
            let text = failed.map(|failed| failed.problem.text());
            let mut said = vec![Said::new(name, text.unwrap_or_default()).toned(Tone::Bad)];
            said.extend(fix.map(|fix| Said::new("Fix", fix)));
            return said;
        }
        None if cx.session.is_testing_mail() => "Waiting for the server.".to_owned(),
        None => "Press m to sign in to this server with the access token. No mail is read or sent."
            .to_owned(),
    };
    vec![Said::new(name, text)]
}
