//! The body of the settings form.
//!
//! ```text
//!    Preset            Microsoft 365 mail                                     ▾
//!  ▸ Client ID         _                                               required
//!    Scope             offline_access …/SMTP.Send              warning  [List]
//!    Flow              (•) Device code   ( ) Authorization code
//!    Token ex. URL     https://login.microsoftonline.com/common/oau…     locked
//!    Advanced          issuer, client authentication, extra pa…  9 fields  [Show]
//! ```

use std::borrow::Cow;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::hints::said;
use super::state::{Form, Item, MISSING, claimed};
use crate::form::field::{ADVANCED, Access, Key, Source};
use crate::form::problem::{Problem, Severity};
use crate::oauth::flow_kind::FlowKind;
use crate::presets::{Confidence, SecretRule};
use crate::secret::ExposeSecret;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{LOW, NARROW};
use crate::tui::widgets::lines::{Lines, lines};
use crate::tui::widgets::rows::{Beside, Parts, below, row};
use crate::tui::widgets::text::{shorten, width};

/// Minimum height for empty rows between the groups of fields.
const ROOMY: u16 = 30;

/// Maximum width of the previous value of a changed field.
const WAS: usize = 20;

/// Returns the rows of the form, and the message about the focused item.
pub(super) fn body(form: &Form, cx: ViewContext<'_>, area: Rect) -> Body {
    let problems = cx.session.settings.problems();
    let columns = usize::from(area.width);
    let roomy = cx.console.size.1 >= ROOMY;
    let mut rows = Vec::new();
    for key in cx.session.settings.keys() {
        let advanced_begins = key == ADVANCED[0];
        if roomy && (matches!(key, Key::ClientId | Key::Flow) || advanced_begins) {
            rows.push(Row::blank());
        }
        if advanced_begins {
            rows.push(advanced(form, cx, problems, columns));
        }
        if form.advanced || !ADVANCED.contains(&key) {
            rows.extend(field(form, cx, key, problems, columns));
        }
    }
    Body {
        rows,
        hint: said(form, cx, problems),
        ..Body::default()
    }
}

/// Returns the label of a field; a narrow window has room for a word or two.
fn label(cx: ViewContext<'_>, key: Key, columns: usize) -> Cow<'static, str> {
    let narrow = columns < usize::from(NARROW);
    let short = match key {
        Key::ClientSecret => "Secret",
        Key::RedirectUrl => "Redirect",
        Key::AuthorizationUrl => "Auth. URL",
        Key::DeviceUrl => "Device URL",
        Key::TokenUrl => "Token URL",
        Key::ClientAuthentication => "Auth.",
        Key::ExtraParameters => "Extra",
        Key::LoginHint => "Login",
        Key::ClientKey => "Key",
        Key::ClientKeyId => "Key ID",
        Key::ClientCertificate => "Key cert.",
        Key::ListenAddress => "Listen",
        Key::Certificate => "TLS cert",
        Key::CertificateKey => "TLS key",
        _ => "",
    };
    if narrow && !short.is_empty() {
        return short.into();
    }
    if key == Key::ExtraParameters {
        // The label of a detail has less room.
        return "Extra params".into();
    }
    if key == Key::ClientCertificate {
        return "Client cert.".into();
    }
    cx.session.settings.label(key).to_owned().into()
}

fn field(
    form: &Form,
    cx: ViewContext<'_>,
    key: Key,
    problems: &[Problem],
    columns: usize,
) -> Vec<Row> {
    let theme = cx.theme();
    let focused = form.common.has_focus(cx, &Item::Field(key));
    let dim = cx.session.settings.access(key) != Access::Editable;
    let mut parts = Parts {
        detail: ADVANCED.contains(&key),
        focused,
        dim,
        state: state(form, cx, key, problems),
        button: beside(form, cx, key),
        ..Parts::new(label(cx, key, columns))
    };
    let room = parts.room(theme, columns);
    if focused && key.is_text() {
        let Lines {
            shown,
            row: at,
            column,
            ..
        } = edited(form, cx, key, room);
        let mut shown = shown.into_iter();
        let first = shown.next().unwrap_or_default();
        parts.cursor = column;
        let mut rows = vec![row(theme, parts.with(first), columns)];
        rows.extend(shown.map(|line| below(line, columns)));
        // Move the cursor to its line.
        if at > 0 {
            let cursor = rows[0].cursor.take();
            rows[at].cursor = cursor;
        }
        return rows;
    }
    let style = if dim { theme.dim() } else { Style::new() };
    if let Some(values) = choice(cx, key, room) {
        // The chosen value has the focus.
        let on = if focused { theme.focus() } else { style };
        for (text, chosen) in values {
            if chosen {
                parts.cursor = parts.value.iter().map(|span| width(&span.content)).sum();
                parts.cursor += 1;
            }
            let style = if chosen { on } else { style };
            parts.value.push(Span::styled(text, style));
        }
        return vec![row(theme, parts, columns)];
    }
    let text = displayed(form, cx, key, room);
    let text = shorten(&text, room, theme.ellipsis());
    vec![row(theme, parts.with(Span::styled(text, style)), columns)]
}

/// Returns the state of a field, at the end of its row.
fn state(
    form: &Form,
    cx: ViewContext<'_>,
    key: Key,
    problems: &[Problem],
) -> Option<Span<'static>> {
    let theme = cx.theme();
    let settings = &cx.session.settings;
    let access = settings.access(key);
    let found = settings.source(key) == Some(Source::Metadata);
    let dim = |word: &'static str| Some(Span::styled(word, theme.dim()));
    match access {
        Access::OtherFlow if matches!(key, Key::Certificate | Key::CertificateKey) => {
            return dim("only for https");
        }
        Access::OtherFlow => return dim("not used"),
        Access::NotOffered => return dim("not offered"),
        Access::Editable | Access::Locked => {}
    }
    let problem = problems.iter().find(|problem| problem.key == key);
    if let Some(problem) = problem.filter(|_| access == Access::Editable || found) {
        let style = match problem.severity {
            // A value that was not entered yet is not an error.
            Severity::Error if problem.word == MISSING && !form.tried => Style::new(),
            Severity::Error => theme.bad(),
            Severity::Warning => theme.warning(),
        };
        let word = if problem.word == MISSING {
            "required"
        } else {
            problem.word
        };
        return Some(Span::styled(word, style));
    }
    if let Some(saved) = cx.session.saved_value(key).filter(|_| key != Key::Preset) {
        let word = match (key, saved.is_empty()) {
            (Key::ClientSecret, _) => "changed".to_owned(),
            (_, true) => "was empty".to_owned(),
            (_, false) => format!("was {}", shorten(&saved, WAS, theme.ellipsis())),
        };
        return Some(Span::raw(word));
    }
    match (access, key) {
        (Access::Locked, _) if found => dim("found"),
        (Access::Locked, _) => dim("locked"),
        (_, Key::Preset) => {
            let list = theme.list();
            let custom = settings.preset().is_custom();
            let words = match settings.preset().confidence {
                Confidence::High if custom => {
                    format!("{} services {list}", cx.session.library.services())
                }
                Confidence::High => list.to_owned(),
                Confidence::Medium | Confidence::Low => format!("unverified {list}"),
            };
            Some(Span::raw(words))
        }
        (_, Key::ClientSecret) if settings.secret().expose_secret().is_empty() => {
            Some(Span::raw(secret_word(cx)))
        }
        (_, key) if key.is_text() && settings.value(key).is_empty() => {
            let optional = key != Key::ClientSecret;
            optional.then(|| Span::raw("optional"))
        }
        _ => None,
    }
}

fn secret_word(cx: ViewContext<'_>) -> &'static str {
    let settings = &cx.session.settings;
    match settings.preset().client.secret {
        _ if settings.client_authentication().uses_key() => "not used",
        _ if !settings.flow().has_user() => "required",
        SecretRule::Required => "required",
        SecretRule::RequiredForAuthorizationCode
            if settings.flow() == FlowKind::AuthorizationCode =>
        {
            "required"
        }
        SecretRule::None => "not needed",
        SecretRule::RequiredForAuthorizationCode | SecretRule::Optional => "optional",
    }
}

/// Returns the button at the end of a field's row.
fn beside(form: &Form, cx: ViewContext<'_>, key: Key) -> Option<Beside> {
    let items = Form::buttons_beside(cx, key)?;
    let (item, label, letter) = items;
    let focused = form.common.has_focus(cx, &item);
    Some(match letter {
        Some(letter) => Beside::letter(letter, label, focused),
        None => Beside::new(label, focused),
    })
}

/// Returns the text being edited, in as many lines as it needs.
pub(super) fn edited(form: &Form, cx: ViewContext<'_>, key: Key, room: usize) -> Lines {
    let most = if cx.console.size.1 < LOW { 3 } else { 5 };
    let editor = &form.common.editor;
    let masked = key == Key::ClientSecret && !form.secret_shown;
    if masked {
        let text = cx.theme().mask().repeat(editor.text().chars().count());
        return lines(&text, editor.cursor(), (room, most), false);
    }
    let words = key == Key::Scope;
    lines(editor.text(), editor.cursor(), (room, most), words)
}

/// Returns the value as text.
fn displayed(form: &Form, cx: ViewContext<'_>, key: Key, room: usize) -> String {
    let settings = &cx.session.settings;
    match key {
        Key::Preset => settings.preset().name.clone(),
        Key::ClientSecret => {
            let text = settings.secret().expose_secret();
            if form.secret_shown {
                text.to_owned()
            } else {
                cx.theme().mask().repeat(text.chars().count())
            }
        }
        Key::Scope => scopes(&settings.scopes(), room, cx.theme().ellipsis()),
        _ => settings.value(key),
    }
}

/// Returns the values of a choice and the gaps between them, and whether each is chosen; `None` if the field is not a
/// choice.
fn choice(cx: ViewContext<'_>, key: Key, room: usize) -> Option<Vec<(String, bool)>> {
    let settings = &cx.session.settings;
    let (values, gap): (Vec<(&str, bool)>, usize) = match key {
        Key::Flow => return Some(flows(cx, room)),
        // No window has room for all values; the keys change the one that is shown.
        Key::ClientAuthentication => (vec![(settings.authentication().label(), true)], 0),
        Key::Pkce => {
            let values = [("On", settings.pkce()), ("Off", !settings.pkce())];
            (values.to_vec(), 3)
        }
        _ => return None,
    };
    Some(radios(cx, &values, gap))
}

/// Returns the values with their marks, with `gap` spaces between them.
fn radios(cx: ViewContext<'_>, values: &[(&str, bool)], gap: usize) -> Vec<(String, bool)> {
    let mut parts = Vec::new();
    for (label, on) in values {
        if !parts.is_empty() {
            parts.push((" ".repeat(gap), false));
        }
        parts.push((format!("{} {label}", cx.theme().radio(*on)), *on));
    }
    parts
}

/// Returns the flows with the longest labels that fit; if none fit, only the selected flow and how many there are.
fn flows(cx: ViewContext<'_>, room: usize) -> Vec<(String, bool)> {
    let (flows, chosen) = (cx.session.settings.flows(), cx.session.settings.flow());
    let brief = |flow| match flow {
        FlowKind::DeviceCode | FlowKind::JwtBearer => flow.label(),
        FlowKind::AuthorizationCode => "Auth. code",
        FlowKind::ClientCredentials => "No user",
    };
    let all_brief = |flow| match flow {
        FlowKind::JwtBearer => "Service",
        _ => brief(flow),
    };
    let word = |flow| match flow {
        FlowKind::DeviceCode => "Device",
        FlowKind::AuthorizationCode => "Code",
        FlowKind::ClientCredentials => "No user",
        FlowKind::JwtBearer => "Service",
    };
    // Every window that has room for these labels shows the same ones.
    let labels: &[(&dyn Fn(FlowKind) -> &'static str, usize)] = match flows.len() {
        ..3 => &[(&FlowKind::label, 3), (&brief, 3), (&word, 1)],
        3 => &[(&brief, 3), (&word, 1)],
        _ => &[(&all_brief, 2), (&word, 1)],
    };
    let mut all = labels.iter().map(|(label, gap)| {
        let values: Vec<(&str, bool)> = flows
            .iter()
            .map(|flow| (label(*flow), *flow == chosen))
            .collect();
        radios(cx, &values, *gap)
    });
    let fits = |parts: &Vec<(String, bool)>| {
        parts.iter().map(|(text, _)| width(text)).sum::<usize>() <= room
    };
    all.find(fits).unwrap_or_else(|| {
        let alone = radios(cx, &[(brief(chosen), true)], 0);
        let place = flows.iter().take_while(|flow| **flow != chosen).count() + 1;
        let mut counted = alone.clone();
        counted.push((format!("   {place} of {}", flows.len()), false));
        if fits(&counted) { counted } else { alone }
    })
}

/// Returns the scopes in at most `room` columns: in full, or else without their beginnings, or else as many as fit.
fn scopes(scopes: &[String], room: usize, ellipsis: &str) -> String {
    let whole = scopes.join(" ");
    if width(&whole) <= room {
        return whole;
    }
    let short = |scope: &String| match scope.trim_end_matches('/').rsplit_once('/') {
        Some((_, name)) if scope.contains("://") && !name.is_empty() => {
            format!("{ellipsis}/{name}")
        }
        _ => scope.clone(),
    };
    let short: Vec<String> = scopes.iter().map(short).collect();
    for count in (1..=short.len()).rev() {
        let more = short.len() - count;
        let mut text = short[..count].join(" ");
        if more > 0 {
            text = format!("{text} +{more}");
        }
        if width(&text) <= room || count == 1 {
            return text;
        }
    }
    whole
}

fn advanced(form: &Form, cx: ViewContext<'_>, problems: &[Problem], columns: usize) -> Row {
    let theme = cx.theme();
    let wrong = problems
        .iter()
        .find(|problem| ADVANCED.contains(&problem.key) && !form.advanced && claimed(cx, problem));
    let state = match wrong {
        Some(problem) if problem.severity == Severity::Warning => {
            Span::styled(problem.word, theme.warning())
        }
        Some(problem) => Span::styled(problem.word, theme.bad()),
        None => Span::raw(format!(
            "{} fields",
            cx.session.settings.advanced_keys().count()
        )),
    };
    let text = if form.advanced {
        ""
    } else {
        "issuer, client authentication, extra parameters, PKCE, CA file"
    };
    let label = if form.advanced { "Hide" } else { "Show" };
    let focused = form.common.has_focus(cx, &Item::Advanced);
    let narrow = columns < usize::from(NARROW);
    let parts = Parts {
        state: (!narrow || wrong.is_some()).then_some(state),
        button: Some(Beside::new(label, focused)),
        ..Parts::new("Advanced")
    };
    let room = parts.room(theme, columns);
    let text = Span::styled(shorten(text, room, theme.ellipsis()), theme.dim());
    row(theme, parts.with(text), columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_scopes_are_shortened_from_the_start() {
        let all = ["offline_access", "https://o.example/SMTP.Send"].map(str::to_owned);
        assert_eq!(scopes(&all, 80, "…"), all.join(" "));
        assert_eq!(scopes(&all, 30, "…"), "offline_access …/SMTP.Send");
        assert_eq!(scopes(&all, 20, "…"), "offline_access +1");
        let mail = ["https://mail.google.com/".to_owned()];
        assert_eq!(scopes(&mail, 80, "…"), mail[0]);
    }
}
