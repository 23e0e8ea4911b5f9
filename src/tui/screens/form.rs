//! The settings form.
//!
//! ```text
//!    Preset            Microsoft 365 mail                                     ▾
//!  ▸ Client ID         _                                                missing
//!    Scope             offline_access https://prospect.office.com/…     [ List ]
//!    Flow              (•) Device code   ( ) Authorization code
//!    Token ex. URL     https://login.microsoftonline.com/common/oau…     locked
//!    Advanced          issuer, client authentication, …                       ▸
//! ```

use ratatui::text::{Line, Span};

use super::super::model::{Action, Model, Screen, Target};
use super::super::widgets::draw::{Body, Row};
use super::super::widgets::text::{shorten, width, window, wrap};
use crate::form::checks::{Problem, Severity};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, AuthenticationChoice, Key, Source};
use crate::oauth::client::FlowKind;
use crate::presets::{Confidence, PkceMode, SecretRule};
use crate::secret::ExposeSecret;

/// Where labels begin.
const LABEL: usize = 3;
/// Where values begin.
pub(super) const VALUE: usize = 21;

/// The rows of the form and the hint for the focused one.
pub(in super::super) fn body(model: &Model, width: u16) -> Body {
    let problems = request::problems(&model.settings);
    let width = usize::from(width);
    let mut rows = Vec::new();
    for key in model.settings.keys() {
        if key == ADVANCED[0] {
            rows.push(advanced(model, &problems, width));
        }
        if model.advanced || !ADVANCED.contains(&key) {
            rows.push(field(model, key, &problems, width));
        }
    }
    let (hint, hint_is_bad) = hint(model, &problems);
    Body {
        rows,
        below: Vec::new(),
        scroll: 0,
        hint,
        hint_is_bad,
    }
}

/// What Authorize will do, where there is room to tell it beside the settings.
pub(in super::super) fn prospect(model: &Model, columns: u16) -> Body {
    let (first, then) = match model.settings.flow() {
        FlowKind::DeviceCode => (
            "The service gives out a code.",
            "You open its address in a browser on any device, and enter the code.",
        ),
        FlowKind::AuthorizationCode => (
            "You open a URL in a browser, and sign in.",
            "The browser comes back to this machine; or you paste the address that it ends at.",
        ),
    };
    let last = "The tokens come here, with what was granted and for how long.";
    let mut rows = vec![
        Row::line(Line::styled("   What Authorize does", model.theme.strong())),
        Row::blank(),
    ];
    for (number, text) in (1..).zip([first, then, last]) {
        let words = wrap(text, usize::from(columns).saturating_sub(9));
        for (at, line) in words.into_iter().enumerate() {
            let number = if at == 0 {
                format!("{number}.")
            } else {
                String::new()
            };
            rows.push(Row::text(format!("{number:<3}{line}")));
        }
    }
    Body {
        rows,
        below: Vec::new(),
        scroll: 0,
        hint: String::new(),
        hint_is_bad: false,
    }
}

/// One row: marker, label, value, and at the right edge what is to be said about it.
pub(super) struct Parts {
    pub(super) label: String,
    pub(super) focused: bool,
    pub(super) dim: bool,
    pub(super) value: Vec<Span<'static>>,
    /// Columns before the cursor within the value.
    pub(super) cursor: usize,
    pub(super) tag: Option<Span<'static>>,
    /// The focus is on the tag, which then is a button.
    pub(super) tag_focused: bool,
}

pub(super) fn row(model: &Model, parts: Parts, columns: usize) -> Row {
    let theme = model.theme;
    let marked = parts.focused || parts.tag_focused;
    let marker = if marked { theme.marker() } else { " " };
    let label = shorten(&parts.label, VALUE - LABEL - 1, theme.ellipsis());
    let label_style = match (parts.focused, parts.dim) {
        (true, _) => theme.focus(),
        (false, true) => theme.dim(),
        (false, false) => ratatui::style::Style::new(),
    };
    let mut spans = vec![
        Span::raw(format!(" {marker} ")),
        Span::styled(label.clone(), label_style),
    ];
    spans.push(Span::raw(" ".repeat(VALUE - LABEL - width(&label))));
    let used: usize = parts.value.iter().map(|span| width(&span.content)).sum();
    spans.extend(parts.value);
    let mut cursor = parts.focused.then_some(VALUE + parts.cursor);
    if let Some(tag) = parts.tag {
        let start = columns.saturating_sub(width(&tag.content) + 1);
        spans.push(Span::raw(" ".repeat(start.saturating_sub(VALUE + used))));
        if parts.tag_focused {
            cursor = Some(start);
        }
        spans.push(tag);
    }
    Row {
        line: Line::from(spans),
        cursor: cursor.and_then(|column| u16::try_from(column).ok()),
    }
}

fn field(model: &Model, key: Key, problems: &[Problem], columns: usize) -> Row {
    let theme = model.theme;
    let settings = &model.settings;
    let access = settings.access(key);
    let focused = model.focus == Target::Field(key);
    // Beside a run the settings are there to be read.
    let (side, side_focused) = match model.screen {
        Screen::Form => side(model, key),
        Screen::Flow | Screen::Tokens | Screen::Trace | Screen::Configure => (None, false),
    };
    let tag = match (
        access,
        problems.iter().find(|problem| problem.key == key),
        side,
    ) {
        (Access::OtherFlow, ..) if matches!(key, Key::Certificate | Key::CertificateKey) => {
            Some(Span::styled("only for https", theme.dim()))
        }
        (Access::OtherFlow, ..) => Some(Span::styled(
            if columns < 70 {
                "not used"
            } else {
                "not used by this flow"
            },
            theme.dim(),
        )),
        (Access::NotOffered, ..) => Some(Span::styled("not offered", theme.dim())),
        (Access::Editable | Access::Locked, _, Some(side)) if side_focused => {
            Some(Span::styled(side, theme.focus()))
        }
        (access, Some(problem), _)
            if access == Access::Editable || settings.source(key) == Some(Source::Metadata) =>
        {
            Some(Span::styled(
                problem.word,
                if problem.severity == Severity::Error {
                    theme.bad()
                } else {
                    theme.active()
                },
            ))
        }
        // A wrong value of the preset cannot be helped here; its variable is marked.
        (Access::Locked, _, _) if settings.source(key) == Some(Source::Metadata) => {
            Some(Span::styled("found, locked", theme.dim()))
        }
        (Access::Locked, _, _) => Some(Span::styled("locked", theme.dim())),
        (Access::Editable, _, Some(side)) => Some(Span::raw(side)),
        (Access::Editable, _, None) => None,
    };
    let room =
        columns.saturating_sub(VALUE + 1 + tag.as_ref().map_or(0, |tag| width(&tag.content) + 2));
    let dim = access != Access::Editable;
    let (value, cursor) = if focused && key.is_text() {
        edited(model, key, room)
    } else {
        let (text, faint) = shown(model, key);
        let style = if dim || faint {
            theme.dim()
        } else {
            ratatui::style::Style::new()
        };
        (
            vec![Span::styled(shorten(&text, room, theme.ellipsis()), style)],
            0,
        )
    };
    let label = settings.label(key).to_owned();
    row(
        model,
        Parts {
            label,
            focused,
            dim,
            value,
            cursor,
            tag,
            tag_focused: side_focused,
        },
        columns,
    )
}

/// The small button behind a value, and whether the focus is on it.
fn side(model: &Model, key: Key) -> (Option<String>, bool) {
    if model.focus == Target::Remedy(key)
        && let Some(remedy) = model.remedied(key).and_then(|problem| problem.remedy)
    {
        return (Some(format!("[ {} ]", remedy.label)), true);
    }
    match key {
        Key::Preset if model.settings.preset().confidence != Confidence::High => {
            (Some(format!("not certain  {}", model.theme.list())), false)
        }
        Key::Preset => (Some(model.theme.list().to_owned()), false),
        Key::ClientSecret if !model.settings.secret().expose_secret().is_empty() => {
            let word = if model.secret_shown {
                "[ Hide ]"
            } else {
                "[ Show ]"
            };
            (Some(word.to_owned()), model.focus == Target::ShowSecret)
        }
        Key::Scope if !model.settings.scope_list().is_empty() => (
            Some("[ List ]".to_owned()),
            model.focus == Target::ScopeList,
        ),
        Key::Issuer if !model.settings.value(key).trim().is_empty() => (
            Some("[ Discover ]".to_owned()),
            model.focus == Target::Discover,
        ),
        _ => (None, false),
    }
}

/// The line being edited, scrolled so that the cursor is in sight.
fn edited(model: &Model, key: Key, room: usize) -> (Vec<Span<'static>>, usize) {
    let masked = key == Key::ClientSecret && !model.secret_shown;
    let (text, cursor) = if masked {
        (
            model
                .theme
                .mask()
                .repeat(model.editor.text().chars().count()),
            model.editor.cursor(),
        )
    } else {
        (model.editor.text().to_owned(), model.editor.cursor_column())
    };
    let (visible, column) = window(&text, cursor, room, model.theme.ellipsis());
    (vec![Span::raw(visible)], column)
}

/// The value as text, and whether it only stands in for one.
fn shown(model: &Model, key: Key) -> (String, bool) {
    let settings = &model.settings;
    let radio = |on: bool, label: &str| format!("{} {label}", model.theme.radio(on));
    match key {
        Key::Preset => (settings.preset().name.clone(), false),
        Key::Flow => {
            let flows = settings.flows();
            let parts: Vec<String> = flows
                .iter()
                .map(|flow| radio(settings.flow() == *flow, flow.label()))
                .collect();
            (parts.join("   "), false)
        }
        Key::ClientAuthentication => {
            let all = AuthenticationChoice::ALL;
            let parts: Vec<String> = all
                .iter()
                .map(|choice| radio(settings.authentication() == *choice, choice.label()))
                .collect();
            (parts.join("   "), false)
        }
        Key::Pkce => (
            format!(
                "{}   {}",
                radio(settings.pkce(), "On"),
                radio(!settings.pkce(), "Off")
            ),
            false,
        ),
        Key::ClientSecret => secret(model),
        _ => {
            let value = settings.value(key);
            let faint = value.is_empty();
            let stand_in = if faint && ADVANCED.contains(&key) {
                "not set"
            } else {
                ""
            };
            (if faint { stand_in.to_owned() } else { value }, faint)
        }
    }
}

fn secret(model: &Model) -> (String, bool) {
    let settings = &model.settings;
    let text = settings.secret().expose_secret();
    if text.is_empty() {
        let word = match settings.preset().client.secret {
            SecretRule::Required => "required",
            SecretRule::RequiredForAuthorizationCode
                if settings.flow() == FlowKind::AuthorizationCode =>
            {
                "required"
            }
            SecretRule::None => "not used",
            SecretRule::RequiredForAuthorizationCode | SecretRule::Optional => "optional",
        };
        return (word.to_owned(), true);
    }
    if model.secret_shown {
        (text.to_owned(), false)
    } else {
        (model.theme.mask().repeat(text.chars().count()), false)
    }
}

fn advanced(model: &Model, problems: &[Problem], columns: usize) -> Row {
    let theme = model.theme;
    let wrong = problems
        .iter()
        .find(|problem| ADVANCED.contains(&problem.key) && !model.advanced);
    let tag = match wrong {
        Some(problem) => Span::styled(problem.word, theme.bad()),
        None => Span::raw(if model.advanced {
            theme.list()
        } else {
            theme.folded()
        }),
    };
    let text = if model.advanced {
        ""
    } else {
        "issuer, client authentication, extra parameters, PKCE, CA file"
    };
    let room = columns.saturating_sub(VALUE + 3 + width(&tag.content));
    let parts = Parts {
        label: "Advanced".to_owned(),
        focused: model.focus == Target::Advanced,
        dim: false,
        value: vec![Span::styled(
            shorten(text, room, theme.ellipsis()),
            theme.dim(),
        )],
        cursor: 0,
        tag: Some(tag),
        tag_focused: false,
    };
    row(model, parts, columns)
}

/// What is said about the focused item: what is wrong with it, else what it is for.
fn hint(model: &Model, problems: &[Problem]) -> (String, bool) {
    match model.focus {
        Target::Field(key) => match problems.iter().find(|problem| problem.key == key) {
            // A value not typed yet is a task, not a mistake.
            Some(problem) => (problem.text.clone(), problem.word != "missing" && problem.severity == Severity::Error),
            None => (purpose(model, key), false),
        },
        Target::ShowSecret => ("Shows the client secret on the screen, or hides it.".to_owned(), false),
        Target::Remedy(key) => (
            model.remedied(key).map(|problem| problem.text).unwrap_or_default(),
            false,
        ),
        Target::ScopeList => ("Shows the scopes of this service and what each is for.".to_owned(), false),
        Target::Advanced if !model.advanced && problems.iter().any(|problem| ADVANCED.contains(&problem.key)) => {
            let problem = problems.iter().find(|problem| ADVANCED.contains(&problem.key));
            (problem.map(|problem| format!("{}: {}", model.settings.label(problem.key), problem.text)).unwrap_or_default(), false)
        }
        Target::Advanced => ("Issuer, client authentication, extra parameters, login hint, PKCE, CA file, listen address and certificate.".to_owned(), false),
        Target::Discover => ("Asks the issuer for its metadata, and fills in the URLs that it names.".to_owned(), false),
        Target::Button(action) => (button(model, action), false),
        Target::Value(_)
        | Target::Shown(_)
        | Target::Paste
        | Target::Explanation
        | Target::User
        | Target::Thumbprint
        | Target::CertificateList
        | Target::WithoutSetUp => {
            (String::new(), false)
        }
    }
}

fn button(model: &Model, action: Action) -> String {
    match (action, model.settings.flow()) {
        (Action::Authorize, FlowKind::DeviceCode) => {
            "Starts the device code flow: you get a code to enter in a browser on any device.".to_owned()
        }
        (Action::Authorize, FlowKind::AuthorizationCode) => {
            "Starts the authorization code flow: you get a URL to open in a browser that can reach the redirect URL.".to_owned()
        }
        (Action::Discover, _) => {
            "Asks the issuer for its metadata: endpoints, scopes, PKCE. What it names is filled in and locked.".to_owned()
        }
        (Action::About, _) => {
            "Shows what is known of this service: notes, mail servers, lifetimes, rules, and what was not verified.".to_owned()
        }
        (Action::Configure, _) => {
            "Shows what the listener of the Redirect URL needs on this machine: set up, verify, delete.".to_owned()
        }
        (Action::ShowTokens, _) => "Shows the tokens at hand.".to_owned(),
        (Action::Help, _) => "Shows all keys.".to_owned(),
        (Action::Quit, _) => "Leaves the program. Nothing is stored.".to_owned(),
        _ => String::new(),
    }
}

fn purpose(model: &Model, key: Key) -> String {
    let settings = &model.settings;
    let preset = settings.preset();
    let or = |text: &Option<String>, otherwise: &str| {
        text.clone().unwrap_or_else(|| otherwise.to_owned())
    };
    match key {
        Key::Preset => {
            let note = preset.confidence_note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
            let confidence = match (preset.confidence, preset.endpoints.issuer.is_some()) {
                (Confidence::High, _) => "",
                (Confidence::Medium | Confidence::Low, true) => {
                    " The facts of this preset are not certain: Discover asks the service itself."
                }
                (Confidence::Medium | Confidence::Low, false) => {
                    " The facts of this preset are not certain: compare them with the service's documentation."
                }
            };
            let where_to = preset.register_at.as_ref().map(|place| format!(" A client ID is to be had at: {place}.")).unwrap_or_default();
            format!("Enter opens the list of services. A preset fills and locks what it knows.{confidence}{note}{where_to}")
        }
        Key::Var(place) => {
            preset.variables.get(place).map(|variable| or(&variable.help, "Fills the URLs below.")).unwrap_or_default()
        }
        Key::ClientId => or(&preset.client_id_help, "As registered with the service."),
        Key::ClientSecret => or(&preset.client.secret_note, "Only where the service gave you one. It is sent to the Token ex. URL and nowhere else."),
        Key::Scope => {
            let list = if settings.scope_list().is_empty() { "" } else { " The list behind it says what each is for." };
            format!("What you ask permission for, with spaces between.{list}")
        }
        Key::Flow if settings.begins_elsewhere() && settings.flow() != preset.preferred() => {
            let why = preset.flows.why.as_deref().unwrap_or_default();
            format!("No browser can be opened here, so {} goes first. {why}", settings.flow().label().to_lowercase())
        }
        Key::Flow => or(&preset.flows.why, "Device code: approve on any device. Authorization code: the browser comes back to this machine."),
        Key::RedirectUrl => or(&preset.redirect.note, "Where the browser is sent back to, as registered. Port 0 takes any free port, where the service allows that."),
        Key::AuthorizationUrl => "The address of the sign-in page, from the service's documentation.".to_owned(),
        Key::DeviceUrl => "The address that gives out device codes, from the service's documentation.".to_owned(),
        Key::TokenUrl => "The address that gives out tokens; also used for the refresh.".to_owned(),
        Key::Issuer => "Who answers, exactly as the service names itself. If set, answers and ID tokens of others are refused.".to_owned(),
        Key::ClientAuthentication => "How the client secret is sent. Automatic does what the preset prefers, else the Basic header.".to_owned(),
        Key::ExtraParameters => {
            let known: Vec<&str> = preset.parameters.optional.keys().map(String::as_str).collect();
            let known = if known.is_empty() { String::new() } else { format!(" Known here: {}.", known.join(", ")) };
            format!("Sent with the first request, as name=value with & between them.{known}")
        }
        Key::LoginHint => "The account to sign in with, where the service takes a hint.".to_owned(),
        Key::Pkce => or(&preset.client.pkce_note, match preset.client.pkce {
            PkceMode::Required => "PKCE binds the code to this program; this service requires it.",
            PkceMode::Supported | PkceMode::Undocumented | PkceMode::Off => "PKCE binds the code to this program. Turn it off only if the documentation of the service says that it rejects PKCE.",
        }),
        Key::CaFile => "A file with the certificate of your own authority (PEM), trusted besides those of the system.".to_owned(),
        Key::ListenAddress => "An address of this machine to listen on, where a proxy leads from the redirect URL to here. Empty: as the redirect URL says.".to_owned(),
        Key::Certificate => "The certificate (PEM) for an https redirect URL on this machine. Empty: the one that Configure… created.".to_owned(),
        Key::CertificateKey => "The private key (PEM) of that certificate; may be the same file.".to_owned(),
    }
}
