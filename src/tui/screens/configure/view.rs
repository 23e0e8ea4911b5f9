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

use super::state::{Configure, Item};
use crate::configure::plan::WITHOUT_SET_UP;
use crate::configure::report::{Finding, SetUpAction, State};
use crate::httpsys::certificates::StoreCertificate;
use crate::session::set_up::{ListenerSetUp, SetUpOutcome, Step};
use crate::tui::dialog::{List, ListEntry};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::rows::{Parts, TextField, VALUE, fact, row, text_field};
use crate::tui::widgets::text::{chunks, shorten, wrap};
use crate::tui::widgets::theme::Theme;

/// Where the words of a finding begin.
const WORDS: usize = 11;

/// The rows of the set-up.
pub(super) fn body(screen: &Configure, cx: ViewContext<'_>, area: Rect) -> Body {
    let theme = cx.theme();
    let columns = usize::from(area.width);
    let Some(set_up) = &cx.session.set_up else {
        return Body::default();
    };
    let mut rows = vec![fact(theme, "Redirect URL", &set_up.redirect_url, columns)];
    match &set_up.prefix {
        Ok(prefix) if set_up.http_sys() => {
            let registered = prefix.registered().to_string();
            rows.push(fact(theme, "Registered as", &registered, columns));
            rows.push(user(screen, cx, set_up, columns));
            if set_up.needs_certificate() {
                rows.push(certificate(screen, cx, set_up, columns));
            }
            rows.push(without_set_up(screen, cx, set_up, columns));
        }
        Err(_) if set_up.http_sys() => rows.push(without_set_up(screen, cx, set_up, columns)),
        Ok(_) | Err(_) => {}
    }
    if let Some(listen) = set_up.listen.filter(|_| !set_up.http_sys()) {
        let port = listen.port.map(|port| format!(", port {port}"));
        let text = format!("{}{}", listen.ip, port.unwrap_or_default());
        rows.push(fact(theme, "Listen address", &text, columns));
    }
    if let Err(error) = &set_up.prefix {
        let finding = Finding::new(State::Wrong, error.to_string());
        rows.push(Row::blank());
        rows.extend(finding_rows(theme, &finding, columns));
    }
    let plan = || steps(theme, set_up, screen.shown, columns);
    let outcome = set_up.outcome.as_ref();
    let came = || outcome.map_or_else(Vec::new, |outcome| outcome_rows(theme, outcome, columns));
    // What came of the work that is shown is what the user waits for.
    if let Some(outcome) = outcome.filter(|outcome| outcome.action == screen.shown) {
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
    let more = rows.len().saturating_sub(screen.common.scroll) > usize::from(area.height);
    let more = if more
        && matches!(
            screen.common.focus,
            Item::Do(_) | Item::CopyCommands | Item::Back | Item::Help
        ) {
        " There is more below: Page down."
    } else {
        ""
    };
    Body {
        rows,
        scroll: screen.common.scroll,
        hint: format!("{}{more}", hint(screen, set_up)),
        ..Body::default()
    }
}

fn user(screen: &Configure, cx: ViewContext<'_>, set_up: &ListenerSetUp, columns: usize) -> Row {
    let field = TextField {
        label: "User",
        value: &set_up.user,
        editor: screen.editor(cx, &Item::User),
        button: None,
    };
    text_field(cx.theme(), &field, columns)
}

fn certificate(
    screen: &Configure,
    cx: ViewContext<'_>,
    set_up: &ListenerSetUp,
    columns: usize,
) -> Row {
    let list = (
        "[ List ]",
        screen.common.has_focus(cx, &Item::CertificateList),
    );
    let field = TextField {
        label: "Certificate",
        value: &set_up.thumbprint,
        editor: screen.editor(cx, &Item::Thumbprint),
        button: (!set_up.certificates.is_empty()).then_some(list),
    };
    text_field(cx.theme(), &field, columns)
}

fn without_set_up(
    screen: &Configure,
    cx: ViewContext<'_>,
    set_up: &ListenerSetUp,
    columns: usize,
) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::WithoutSetUp);
    let on = set_up.redirect_url == WITHOUT_SET_UP;
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
    row(theme, parts, columns)
}

/// What an action would do.
fn steps(theme: Theme, set_up: &ListenerSetUp, action: SetUpAction, columns: usize) -> Vec<Row> {
    let mut rows = vec![Row::blank()];
    for step in set_up.steps(action) {
        match step {
            Step::Words(text) => rows.extend(text_rows(&text, Style::new(), columns)),
            Step::Problem(text) => rows.extend(text_rows(&text, theme.bad(), columns)),
            Step::Line(command) => rows.extend(command_rows(theme, &command, columns)),
        }
    }
    rows
}

fn text_rows(text: &str, style: Style, columns: usize) -> Vec<Row> {
    wrap(text, columns.saturating_sub(6))
        .into_iter()
        .map(|line| Row::line(vec![Span::raw("   "), Span::styled(line, style)]))
        .collect()
}

/// No border and no indentation, so that it can be selected.
fn command_rows(theme: Theme, command: &str, columns: usize) -> Vec<Row> {
    chunks(command, columns)
        .into_iter()
        .map(|line| Row::line(Line::styled(line, theme.strong())))
        .collect()
}

fn outcome_rows(theme: Theme, outcome: &SetUpOutcome, columns: usize) -> Vec<Row> {
    let head = format!("{} at {}", outcome.action.label(), outcome.at);
    let mut rows = vec![
        Row::blank(),
        Row::line(vec![Span::raw("   "), Span::styled(head, theme.strong())]),
    ];
    for finding in &outcome.report.findings {
        rows.extend(finding_rows(theme, finding, columns));
    }
    rows
}

fn finding_rows(theme: Theme, finding: &Finding, columns: usize) -> Vec<Row> {
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
        rows.extend(command_rows(theme, command, columns));
    }
    rows
}

/// What is said while there is no message.
fn hint(screen: &Configure, set_up: &ListenerSetUp) -> String {
    if let Some((busy, _)) = set_up.busy {
        return format!("{}: at work.", busy.label());
    }
    let text = match &screen.common.focus {
        Item::User => {
            "Who is to listen: the user that this program runs as, such as DOMAIN\\name, or a security identifier (S-1-…)."
        }
        Item::Thumbprint => {
            "The thumbprint of a certificate in the machine's store MY: 40 hexadecimal digits. The list has those of this machine."
        }
        Item::CertificateList => "Shows the certificates of this machine, and which fit the host.",
        Item::WithoutSetUp if set_up.redirect_url == WITHOUT_SET_UP => {
            "This is in use. Enter goes back to the Redirect URL before."
        }
        Item::WithoutSetUp => {
            "Windows has reserved this for everybody. Enter takes it as the Redirect URL; register it with the service."
        }
        Item::Do(action) if set_up.task(*action).is_err() => {
            "What stands in the way is said above."
        }
        Item::Do(SetUpAction::SetUp) if set_up.http_sys() => {
            "Enter does what stands above, and says what came of it."
        }
        Item::Do(SetUpAction::SetUp) => "Makes the certificate for https.",
        Item::Do(SetUpAction::Verify) => "Looks again how it stands. Changes nothing.",
        Item::Do(SetUpAction::Delete) => "Removes what Set up wrote. Asks before.",
        Item::CopyCommands => "Copies the commands that stand above.",
        Item::Back => "Back to the settings.",
        Item::Help => "Shows all keys.",
    };
    text.to_owned()
}

/// The certificates of the machine: subject, and what there is to know.
pub(super) fn certificates(set_up: &ListenerSetUp) -> List {
    let host = set_up
        .prefix
        .as_ref()
        .map_or("", |prefix| prefix.host.as_str());
    let entry = |certificate: &StoreCertificate| {
        let against = certificate.against(host);
        let fit = if against.is_empty() {
            "fits".to_owned()
        } else {
            against.join(", ")
        };
        let thumbprint = certificate.thumbprint.to_string();
        ListEntry {
            name: certificate.subject.clone(),
            about: format!("{fit}; until {}; {thumbprint}", certificate.expires),
            key: thumbprint,
        }
    };
    List {
        head: format!("Certificates of this machine, for {host}"),
        entries: set_up.certificates.iter().map(entry).collect(),
        none: String::new(),
    }
}

/// What is asked before something is deleted.
pub(super) fn before_delete(set_up: &ListenerSetUp) -> String {
    let steps: Vec<String> = set_up
        .steps(SetUpAction::Delete)
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
