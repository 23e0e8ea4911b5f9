//! The body of the Configure… screen: what the listener needs on this machine, what Set up will do, and the results.
//!
//! ```text
//!    Redirect URL      https://localhost:8443/callback
//!  ▸ User              DOMAIN\name
//!    Certificate       CN=localhost, until 2027-05-01   3F2A…91C0         [List]
//!
//!    Set up will       run these 2 commands:                            [n Copy]
//!                      netsh http add urlacl url=https://localhost:8443/callback/
//!                      user=DOMAIN\name
//!
//!    Checked           12:01:07
//!      missing         URL reservation for https://localhost:8443/callback/
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Configure, Item};
use crate::configure::plan::{SetUpAction, WITHOUT_SET_UP};
use crate::configure::report::{Finding, State};
use crate::httpsys::certificates::StoreCertificate;
use crate::session::set_up::{ListenerSetUp, Planned, SetUpOutcome};
use crate::tui::dialog::{List, ListEntry};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{self, LOW, NARROW};
use crate::tui::widgets::rows::{
    Beside, Parts, TextField, fact, facts, outcome_rows, row, text_field,
};
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{shorten, wrap};
use crate::tui::widgets::theme::Theme;

/// The column where the text of a finding begins in a narrow window.
const WORDS: usize = 10;

/// The hint of the thumbprint.
const THUMBPRINT: &str =
    "The thumbprint of a certificate in this machine's MY store: 40 hexadecimal digits.";

/// The state that all rows depend on.
#[derive(Clone, Copy)]
struct Page<'a> {
    screen: &'a Configure,
    cx: ViewContext<'a>,
    set_up: &'a ListenerSetUp,
    theme: Theme,
    columns: usize,
}

/// Returns the body of the screen.
pub(super) fn body(screen: &Configure, cx: ViewContext<'_>, area: Rect) -> Body {
    let Some(set_up) = &cx.session.set_up else {
        return Body::default();
    };
    let page = Page {
        screen,
        cx,
        set_up,
        theme: cx.theme(),
        columns: area.width.into(),
    };
    let groups = [
        page.fields(),
        page.change(),
        page.checked(),
        page.tunnel(),
        page.nothing(),
    ];
    // A low window has no blank rows between the groups.
    let gap = cx.console.size.1 >= LOW;
    let mut rows = Vec::new();
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        if gap && !rows.is_empty() {
            rows.push(Row::blank());
        }
        rows.extend(group);
    }
    Body {
        rows,
        hint: vec![page.hint()],
        ..Body::default()
    }
}

impl Page<'_> {
    fn is_narrow(&self) -> bool {
        self.columns < usize::from(NARROW)
    }

    /// Returns the label of a row; a narrow window has room for a word or two.
    fn label(&self, label: &'static str) -> &'static str {
        match label {
            "Certificate" if self.is_narrow() => "Cert.",
            "Without setup" if self.is_narrow() => "No setup",
            "Listen address" if self.is_narrow() => "Listen on",
            "Set up will" if self.is_narrow() => SetUpAction::SetUp.label(),
            "Delete will" if self.is_narrow() => SetUpAction::Delete.label(),
            label => label,
        }
    }

    /// Returns the rows of the redirect URL, and the fields of its setup.
    fn fields(&self) -> Vec<Row> {
        let (set_up, theme) = (self.set_up, self.theme);
        let mut rows = if self.is_narrow() {
            lines(&set_up.redirect_url, Style::new(), 1, self.columns)
        } else {
            fact(theme, "Redirect URL", &set_up.redirect_url, self.columns)
        };
        if set_up.http_sys() {
            if set_up.needs_user() {
                rows.push(self.text("User", &Item::User, &set_up.user, None));
            }
            if set_up.needs_certificate() {
                rows.push(self.certificate());
            }
            rows.push(self.without_set_up());
        } else if let Some(listen) = set_up.listen {
            let port = listen.port.map(|port| format!(", port {port}"));
            let text = format!("{}{}", listen.ip, port.unwrap_or_default());
            rows.extend(fact(
                theme,
                self.label("Listen address"),
                &text,
                self.columns,
            ));
        }
        if let Err(error) = &set_up.prefix {
            let finding = Finding::new(State::Problem, error.to_string());
            rows.extend(self.finding(&finding));
        }
        rows
    }

    fn text(&self, label: &str, item: &Item, value: &str, button: Option<Beside>) -> Row {
        let field = TextField {
            label,
            value,
            editor: self.screen.editor(self.cx, item),
            button,
        };
        text_field(self.theme, field, self.columns)
    }

    /// Returns the row of the chosen certificate: its details if they are known, otherwise its thumbprint.
    fn certificate(&self) -> Row {
        let typed = self.set_up.thumbprint.trim();
        let chosen = self.set_up.certificates.iter().find(|certificate| {
            let thumbprint = certificate.thumbprint.to_string();
            thumbprint.eq_ignore_ascii_case(typed)
        });
        let shown = chosen.map_or_else(
            || typed.to_owned(),
            |it| {
                let thumbprint = it.thumbprint.to_string().to_ascii_uppercase();
                let (start, end) = (&thumbprint[..4], &thumbprint[thumbprint.len() - 4..]);
                let ellipsis = self.theme.ellipsis();
                let (subject, until) = (&it.subject, &it.expires);
                format!("{subject}, until {until}   {start}{ellipsis}{end}")
            },
        );
        let focused = self
            .screen
            .common
            .has_focus(self.cx, &Item::CertificateList);
        let list = Beside::new("List", focused);
        let list = (!self.set_up.certificates.is_empty()).then_some(list);
        self.text(self.label("Certificate"), &Item::Thumbprint, &shown, list)
    }

    fn without_set_up(&self) -> Row {
        let theme = self.theme;
        let on = self.set_up.redirect_url == WITHOUT_SET_UP;
        let text = format!("{} {WITHOUT_SET_UP}", theme.radio(on));
        let parts = Parts {
            focused: self.screen.common.has_focus(self.cx, &Item::WithoutSetUp),
            ..Parts::new(self.label("Without setup"))
        };
        let room = parts.room(theme, self.columns);
        let text = shorten(&text, room, theme.ellipsis());
        row(theme, parts.with(text), self.columns)
    }

    /// Returns the outcome of the change that is shown, or what it will do.
    fn change(&self) -> Vec<Row> {
        let button = self.screen.copied(self.set_up).map(|_| self.copy());
        if let Some(outcome) = self.screen.changed(self.set_up) {
            let button = button.filter(|_| self.set_up.http_sys());
            return self.outcome(outcome.action.label(), outcome, button);
        }
        let action = match self.screen.shown {
            // What Verify does needs no explanation.
            SetUpAction::Verify if !self.set_up.http_sys() => SetUpAction::SetUp,
            action => action,
        };
        let label = self.label(match action {
            SetUpAction::SetUp => "Set up will",
            SetUpAction::Verify => "By hand",
            SetUpAction::Delete => "Delete will",
        });
        match self.set_up.planned(action) {
            None | Some(Planned::Nothing(_)) => Vec::new(),
            Some(Planned::Words(text)) => fact(self.theme, label, &text, self.columns),
            Some(Planned::Missing(text)) => self.finding(&Finding::new(State::Missing, text)),
            Some(Planned::Problem(text)) => self.finding(&Finding::new(State::Problem, text)),
            Some(Planned::Certificate(command)) => {
                let parts = Parts {
                    button,
                    ..Parts::new(self.label("Certificate"))
                };
                let text = "https requires a certificate of this machine for the host. Enter its thumbprint, or run this as \
                    administrator to create one:";
                let mut rows = facts(self.theme, parts, text, self.columns);
                rows.extend(self.command(&command));
                rows
            }
            Some(Planned::Commands(commands)) => {
                let purpose = match action {
                    SetUpAction::Verify => " to see these settings",
                    SetUpAction::SetUp | SetUpAction::Delete => "",
                };
                let text = match commands.len() {
                    1 => format!("run this command{purpose}:"),
                    count => format!("run these {count} commands{purpose}:"),
                };
                let parts = Parts {
                    button,
                    ..Parts::new(label)
                };
                let mut rows = facts(self.theme, parts, &text, self.columns);
                rows.extend(commands.iter().flat_map(|command| self.command(command)));
                rows
            }
        }
    }

    /// Returns the row that says that no setup is needed, unless the check has just said so.
    fn nothing(&self) -> Vec<Row> {
        let checked = self.set_up.checked.as_ref();
        let said = |text: &str| {
            checked.is_some_and(|it| it.report.findings.iter().any(|found| found.text == text))
        };
        match self.set_up.planned(SetUpAction::SetUp) {
            Some(Planned::Nothing(text)) if !said(&text) => {
                fact(self.theme, "Set up", &text, self.columns)
            }
            _ => Vec::new(),
        }
    }

    /// Returns the findings of the latest check.
    fn checked(&self) -> Vec<Row> {
        let checked = self.set_up.checked.as_ref();
        checked.map_or_else(Vec::new, |outcome| self.outcome("Checked", outcome, None))
    }

    /// Returns the rows that say how a browser on another computer reaches the listener.
    fn tunnel(&self) -> Vec<Row> {
        let Some(tunnel) = self.set_up.tunnel() else {
            return Vec::new();
        };
        let parts = Parts {
            button: Some(self.copy()),
            ..Parts::new("Over SSH")
        };
        let text =
            "Your browser is on another computer. Before you sign in, run this on that computer:";
        let mut rows = facts(self.theme, parts, text, self.columns);
        rows.extend(self.command(&tunnel));
        rows
    }

    fn copy(&self) -> Beside {
        let focused = self.screen.common.has_focus(self.cx, &Item::Copy);
        Beside::letter('n', "Copy", focused)
    }

    /// Returns the rows of a command in full; Copy copies it as one line.
    fn command(&self, command: &str) -> Vec<Row> {
        let indent = if self.is_narrow() {
            1
        } else {
            grid::value(self.columns)
        };
        lines(command, self.theme.strong(), indent, self.columns)
    }

    fn outcome(&self, label: &str, outcome: &SetUpOutcome, button: Option<Beside>) -> Vec<Row> {
        let mut rows = if self.is_narrow() {
            Vec::new()
        } else {
            let parts = Parts {
                button,
                ..Parts::new(label.to_owned())
            };
            vec![row(
                self.theme,
                parts.with(outcome.at.to_string()),
                self.columns,
            )]
        };
        // The tunnel and the command for a certificate have their own groups while they are shown.
        let shown = self
            .set_up
            .tunnel()
            .or_else(|| self.screen.certificate_to_create(self.set_up));
        let findings = outcome.report.findings.iter();
        let findings = findings.filter(|it| shown.is_none() || it.command != shown);
        rows.extend(findings.flat_map(|finding| self.finding(finding)));
        rows
    }

    /// Returns the rows of a finding: its text, the fix, and the command for that.
    fn finding(&self, finding: &Finding) -> Vec<Row> {
        let theme = self.theme;
        let style = match finding.state {
            State::Good | State::Done => theme.good(),
            State::Missing | State::Note => theme.warning(),
            State::Problem | State::Failed => theme.bad(),
        };
        let mut rows = self.part(finding.state.word(), style, &finding.text);
        if let Some(fix) = &finding.fix {
            rows.extend(self.part("Fix", Style::new(), fix));
        }
        if let Some(command) = &finding.command {
            rows.extend(self.command(command));
        }
        rows
    }

    fn part(&self, word: &str, style: Style, text: &str) -> Vec<Row> {
        if !self.is_narrow() {
            return outcome_rows(self.theme, (word, style), text, self.columns);
        }
        let mut rows = lines(text, Style::new(), WORDS, self.columns);
        if let Some(first) = rows.first_mut() {
            let gap = " ".repeat(WORDS - 1 - word.len());
            let mut spans = vec![
                Span::raw(" "),
                Span::styled(word.to_owned(), style),
                gap.into(),
            ];
            spans.extend(first.line.spans.drain(1..));
            first.line = Line::from(spans);
        }
        rows
    }

    /// Returns the hint that is shown while there is no message.
    fn hint(&self) -> Said {
        let set_up = self.set_up;
        if let Some((busy, _)) = set_up.busy {
            return Said::new(busy.label(), "In progress…");
        }
        let said = |label: &'static str, text: &str| Said::new(label, text);
        match &self.screen.common.focus {
            Item::User => said(
                "User",
                "The account that runs the program, such as DOMAIN\\name, a service account, or a security identifier \
                 (S-1-…).",
            ),
            Item::Thumbprint if set_up.certificates.is_empty() => said("Certificate", THUMBPRINT),
            Item::Thumbprint => said(
                "Certificate",
                &format!("{THUMBPRINT} Choose List to pick one."),
            ),
            Item::CertificateList => said(
                "Certificate",
                "Pick a certificate of this machine. It must be valid for the host.",
            ),
            Item::WithoutSetUp if set_up.redirect_url == WITHOUT_SET_UP => said(
                "Without setup",
                if set_up.before.is_some() {
                    "In use. Press Enter to return to the previous redirect URL."
                } else {
                    "In use. You can enter another redirect URL in the settings."
                },
            ),
            Item::WithoutSetUp => said(
                "Without setup",
                "Windows reserves this URL for all users. Press Enter to use it, then register it with the service.",
            ),
            Item::Do(action) => match set_up.task(*action) {
                Err(error) => said("Problem", &set_up.explain(&error)).toned(Tone::Bad),
                Ok(_) => said(action.label(), self.about(*action)),
            },
            Item::Copy if set_up.http_sys() => said("Copy", self.about_copy()),
            Item::Copy => said("Copy", "Copy the command, to run it on the other computer."),
            Item::Back => said("Back", "Return to the settings."),
            Item::Help => said("Help", "Keys of this screen, then all others."),
        }
    }

    fn about_copy(&self) -> &'static str {
        let (action, commands) = self.screen.commands(self.set_up).unzip();
        let one = commands.is_some_and(|commands| commands.len() == 1);
        match (action, one) {
            (Some(SetUpAction::Verify), true) => "Copy the command. It changes nothing.",
            (Some(SetUpAction::Verify), false) => "Copy the commands. They change nothing.",
            (_, true) => "Copy the command, to run it as administrator.",
            (_, false) => "Copy the commands, to run them as administrator.",
        }
    }

    fn about(&self, action: SetUpAction) -> &'static str {
        match action {
            SetUpAction::SetUp if self.set_up.http_sys() && self.set_up.ssh.is_some() => {
                "Add what the listener requires. Over SSH, Windows can't ask for your consent."
            }
            SetUpAction::SetUp if self.set_up.http_sys() => {
                "Add what the listener requires. Windows may ask for your consent once."
            }
            SetUpAction::SetUp => "Create the certificate. Nothing else is changed.",
            SetUpAction::Verify => "Check again. This changes nothing.",
            SetUpAction::Delete => "Remove what Set up added. Asks first.",
        }
    }
}

/// Returns a text in lines that begin in this column.
fn lines(text: &str, style: Style, column: usize, columns: usize) -> Vec<Row> {
    let room = columns.saturating_sub(column + 1);
    let indent = " ".repeat(column);
    let line = |line| Line::from(vec![Span::raw(indent.clone()), Span::styled(line, style)]);
    wrap(text, room)
        .into_iter()
        .map(|it| Row::line(line(it)))
        .collect()
}

/// Returns the list of the machine's certificates: the subject, and the details of each.
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
            ..ListEntry::default()
        }
    };
    List {
        head: format!("Certificates of this machine for {host}"),
        entries: set_up.certificates.iter().map(entry).collect(),
        ..List::default()
    }
}

/// Returns the text of the question before a deletion.
pub(super) fn before_delete(set_up: &ListenerSetUp) -> String {
    let what = match set_up.planned(SetUpAction::Delete) {
        Some(Planned::Commands(commands)) => {
            format!("This runs:\n{}", commands.join("\n"))
        }
        Some(Planned::Words(text)) => format!("This will {text}"),
        Some(Planned::Certificate(_)) | None => String::new(),
        Some(Planned::Nothing(text) | Planned::Missing(text) | Planned::Problem(text)) => text,
    };
    format!("{what}\n\nEntries of other users and programs are kept.")
}
