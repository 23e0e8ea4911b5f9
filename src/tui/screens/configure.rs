//! Configure…: what the listener needs on this machine; what would be done, and what came of it.
//!
//! ```text
//!    Redirect URL      https://localhost:8443/callback
//!    Registered as     https://localhost:8443/callback/
//!  ▸ User              DOMAIN\name
//!    Certificate       00112233445566778899aabbccddeeff00112233           [ List ]
//!    Without set-up    ( ) http://localhost/Temporary_Listen_Addresses/oauth-auth…
//!
//!    Set up does, as administrator, what these commands do:
//! netsh http add urlacl url=https://localhost:8443/callback/ user=DOMAIN\name
//!
//!    Verify at 12:01:07
//!    ok      The URL reservation is there: …
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::super::configuring::{Configuring, Outcome, Step};
use super::super::model::{Action, Model, Target};
use super::super::widgets::draw::{Body, Row};
use super::super::widgets::text::{chunks, shorten, width, window, wrap};
use super::form::{Parts, VALUE, row};
use crate::configure::plan::WITHOUT_SET_UP;
use crate::configure::report::{Finding, State, Work};
use crate::httpsys::certificates::StoreCertificate;

/// Where the words of a finding begin.
const WORDS: usize = 11;

/// The rows of the set-up.
pub(in super::super) fn body(model: &Model, area: Rect) -> Body {
    let columns = usize::from(area.width);
    let Some(configuring) = &model.configuring else {
        return Body {
            rows: Vec::new(),
            below: Vec::new(),
            scroll: 0,
            hint: String::new(),
            hint_is_bad: false,
        };
    };
    let mut rows = vec![fact(
        model,
        "Redirect URL",
        &configuring.redirect_url,
        columns,
    )];
    match &configuring.prefix {
        Ok(prefix) if configuring.http_sys() => {
            let registered = prefix.registered().to_string();
            rows.push(fact(model, "Registered as", &registered, columns));
            rows.push(user(model, configuring, columns));
            if configuring.wants_certificate() {
                rows.push(certificate(model, configuring, columns));
            }
            rows.push(without_set_up(model, configuring, columns));
        }
        Err(_) if configuring.http_sys() => rows.push(without_set_up(model, configuring, columns)),
        Ok(_) | Err(_) => {}
    }
    if let Some(listen) = configuring.listen.filter(|_| !configuring.http_sys()) {
        let port = listen.port.map(|port| format!(", port {port}"));
        let text = format!("{}{}", listen.ip, port.unwrap_or_default());
        rows.push(fact(model, "Listen address", &text, columns));
    }
    if let Err(error) = &configuring.prefix {
        let finding = Finding::new(State::Wrong, error.to_string());
        rows.push(Row::blank());
        rows.extend(finding_rows(model, &finding, columns));
    }
    let plan = || steps(model, configuring, columns);
    let outcome = configuring.outcome.as_ref();
    let came = || outcome.map_or_else(Vec::new, |outcome| outcome_rows(model, outcome, columns));
    // What came of the work that is shown is what the person waits for.
    if let Some(outcome) = outcome.filter(|outcome| outcome.work == configuring.shown) {
        rows.extend(came());
        // Where the commands stand with what came of it, they are not said twice.
        let told = |finding: &Finding| finding.command.is_some();
        if !outcome.report.findings.iter().any(told) {
            rows.extend(plan());
        }
    } else {
        rows.extend(plan());
        rows.extend(came());
    }
    let more = rows.len().saturating_sub(configuring.scroll) > usize::from(area.height);
    let more = if more && matches!(model.focus, Target::Button(_)) {
        " There is more below: Page down."
    } else {
        ""
    };
    Body {
        rows,
        below: Vec::new(),
        scroll: configuring.scroll,
        hint: format!("{}{more}", hint(model, configuring)),
        hint_is_bad: false,
    }
}

fn fact(model: &Model, label: &str, value: &str, columns: usize) -> Row {
    let room = columns.saturating_sub(VALUE + 1);
    let parts = Parts {
        label: label.to_owned(),
        focused: false,
        dim: true,
        value: vec![Span::raw(shorten(value, room, model.theme.ellipsis()))],
        cursor: 0,
        tag: None,
        tag_focused: false,
    };
    row(model, parts, columns)
}

/// A line that is typed.
fn line(
    model: &Model,
    label: &str,
    target: Target,
    value: &str,
    tag: Option<(&str, Target)>,
    columns: usize,
) -> Row {
    let theme = model.theme;
    let focused = model.focus == target;
    let room = columns.saturating_sub(VALUE + 1 + tag.map_or(0, |(text, _)| width(text) + 2));
    let (text, cursor) = if focused {
        window(
            model.editor.text(),
            model.editor.cursor_column(),
            room,
            theme.ellipsis(),
        )
    } else {
        (shorten(value, room, theme.ellipsis()), 0)
    };
    let tag_focused = tag.is_some_and(|(_, target)| model.focus == target);
    let style = if tag_focused {
        theme.focus()
    } else {
        Style::new()
    };
    let parts = Parts {
        label: label.to_owned(),
        focused,
        dim: false,
        value: vec![Span::raw(text)],
        cursor,
        tag: tag.map(|(text, _)| Span::styled(text.to_owned(), style)),
        tag_focused,
    };
    row(model, parts, columns)
}

fn user(model: &Model, configuring: &Configuring, columns: usize) -> Row {
    line(
        model,
        "User",
        Target::User,
        &configuring.user,
        None,
        columns,
    )
}

fn certificate(model: &Model, configuring: &Configuring, columns: usize) -> Row {
    let list =
        (!configuring.certificates.is_empty()).then_some(("[ List ]", Target::CertificateList));
    line(
        model,
        "Certificate",
        Target::Thumbprint,
        &configuring.thumbprint,
        list,
        columns,
    )
}

fn without_set_up(model: &Model, configuring: &Configuring, columns: usize) -> Row {
    let theme = model.theme;
    let focused = model.focus == Target::WithoutSetUp;
    let on = configuring.redirect_url == WITHOUT_SET_UP;
    let text = format!("{} {WITHOUT_SET_UP}", theme.radio(on));
    let room = columns.saturating_sub(VALUE + 1);
    let parts = Parts {
        label: "Without set-up".to_owned(),
        focused,
        dim: false,
        value: vec![Span::raw(shorten(&text, room, theme.ellipsis()))],
        cursor: 0,
        tag: None,
        tag_focused: false,
    };
    row(model, parts, columns)
}

/// What the work that is shown would do.
fn steps(model: &Model, configuring: &Configuring, columns: usize) -> Vec<Row> {
    let mut rows = vec![Row::blank()];
    for step in configuring.steps(configuring.shown) {
        match step {
            Step::Words(text) => rows.extend(words(&text, Style::new(), columns)),
            Step::Problem(text) => rows.extend(words(&text, model.theme.bad(), columns)),
            Step::Line(command) => rows.extend(command_rows(model, &command, columns)),
        }
    }
    rows
}

fn words(text: &str, style: Style, columns: usize) -> Vec<Row> {
    wrap(text, columns.saturating_sub(6))
        .into_iter()
        .map(|line| Row::line(vec![Span::raw("   "), Span::styled(line, style)]))
        .collect()
}

/// No border and no indentation, so that it can be selected.
fn command_rows(model: &Model, command: &str, columns: usize) -> Vec<Row> {
    chunks(command, columns)
        .into_iter()
        .map(|line| Row::line(Line::styled(line, model.theme.strong())))
        .collect()
}

fn outcome_rows(model: &Model, outcome: &Outcome, columns: usize) -> Vec<Row> {
    let head = format!("{} at {}", outcome.work.label(), outcome.at);
    let mut rows = vec![
        Row::blank(),
        Row::line(vec![
            Span::raw("   "),
            Span::styled(head, model.theme.strong()),
        ]),
    ];
    for finding in &outcome.report.findings {
        rows.extend(finding_rows(model, finding, columns));
    }
    rows
}

fn finding_rows(model: &Model, finding: &Finding, columns: usize) -> Vec<Row> {
    let theme = model.theme;
    let style = match finding.state {
        State::Good | State::Done => theme.good(),
        State::Note => theme.active(),
        State::Wrong | State::Failed => theme.bad(),
    };
    let mut rows = Vec::new();
    for text in wrap(&finding.text, columns.saturating_sub(WORDS + 2)) {
        let word = if rows.is_empty() {
            finding.state.word()
        } else {
            ""
        };
        rows.push(Row::line(vec![
            Span::raw("   "),
            Span::styled(format!("{word:<7} "), style),
            Span::raw(text),
        ]));
    }
    if let Some(command) = &finding.command {
        rows.extend(command_rows(model, command, columns));
    }
    rows
}

/// What is said while there is no message.
fn hint(model: &Model, configuring: &Configuring) -> String {
    if let Some(busy) = configuring.busy {
        return format!("{}: at work.", busy.label());
    }
    let text = match model.focus {
        Target::User => {
            "Who is to listen: the user that this program runs as, such as DOMAIN\\name, or a security identifier (S-1-…)."
        }
        Target::Thumbprint => {
            "The thumbprint of a certificate in the machine's store MY: 40 hexadecimal digits. The list has those of this machine."
        }
        Target::CertificateList => {
            "Shows the certificates of this machine, and which fit the host."
        }
        Target::WithoutSetUp if configuring.redirect_url == WITHOUT_SET_UP => {
            "This is in use. Enter goes back to the Redirect URL before."
        }
        Target::WithoutSetUp => {
            "Windows has reserved this for everybody. Enter takes it as the Redirect URL; register it with the service."
        }
        Target::Button(Action::Work(work)) if configuring.task(work).is_err() => {
            "What stands in the way is said above."
        }
        Target::Button(Action::Work(Work::SetUp)) if configuring.http_sys() => {
            "Enter does what stands above, and says what came of it."
        }
        Target::Button(Action::Work(Work::SetUp)) => "Makes the certificate for https.",
        Target::Button(Action::Work(Work::Verify)) => "Looks again how it stands. Changes nothing.",
        Target::Button(Action::Work(Work::Delete)) => "Removes what Set up wrote. Asks before.",
        Target::Button(Action::CopyCommands) => "Copies the commands that stand above.",
        Target::Button(Action::Back) => "Back to the settings.",
        Target::Button(Action::Help) => "Shows all keys.",
        _ => "",
    };
    text.to_owned()
}

/// The head and the lines of the list of certificates: subject, and what there is to know.
pub(super) fn certificates(model: &Model) -> (String, Vec<(String, String)>) {
    let Some(configuring) = &model.configuring else {
        return (String::new(), Vec::new());
    };
    let host = configuring
        .prefix
        .as_ref()
        .map_or("", |prefix| prefix.host.as_str());
    let line = |certificate: &StoreCertificate| {
        let against = certificate.against(host);
        let fit = if against.is_empty() {
            "fits".to_owned()
        } else {
            against.join(", ")
        };
        let thumbprint = certificate.thumbprint.to_string();
        (
            certificate.subject.clone(),
            format!("{fit}; until {}; {thumbprint}", certificate.expires),
        )
    };
    (
        format!("Certificates of this machine, for {host}"),
        configuring.certificates.iter().map(line).collect(),
    )
}

/// What is asked before something is deleted.
pub(super) fn before_delete(model: &Model) -> String {
    let Some(configuring) = &model.configuring else {
        return String::new();
    };
    let steps: Vec<String> = configuring
        .steps(Work::Delete)
        .into_iter()
        .map(|step| match step {
            Step::Words(text) | Step::Problem(text) | Step::Line(text) => text,
        })
        .collect();
    format!(
        "Delete this? What belongs to another user or program is left alone.\n\n{}",
        steps.join("\n")
    )
}
