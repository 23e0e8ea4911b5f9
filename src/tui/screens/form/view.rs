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

use super::hints::hint;
use super::state::{Form, Item, remedied};
use crate::form::checks::{Problem, Severity};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, AuthenticationChoice, Key, Source};
use crate::oauth::client::FlowKind;
use crate::presets::{Confidence, SecretRule};
use crate::secret::ExposeSecret;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Anchor, Body, Row};
use crate::tui::widgets::rows::{Parts, VALUE, row};
use crate::tui::widgets::text::{shorten, width, window, wrap};

/// The rows of the form and the hint for the focused one.
pub(super) fn body(form: &Form, cx: ViewContext<'_>, width: u16) -> Body {
    let problems = request::problems(&cx.session.settings);
    let width = usize::from(width);
    let mut rows = Vec::new();
    for key in cx.session.settings.keys() {
        if key == ADVANCED[0] {
            rows.push(advanced(form, cx, &problems, width));
        }
        if form.advanced || !ADVANCED.contains(&key) {
            rows.push(field(form, cx, key, &problems, width));
        }
    }
    let (hint, hint_is_bad) = hint(form, cx, &problems);
    Body {
        rows,
        anchor: Anchor::End,
        hint,
        hint_is_bad,
        ..Body::default()
    }
}

/// What Authorize will do, where there is room to tell it beside the settings.
pub(in crate::tui) fn prospect(cx: ViewContext<'_>, columns: u16) -> Body {
    let (first, then) = match cx.session.settings.flow() {
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
        Row::line(Line::styled("   What Authorize does", cx.theme().strong())),
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
        ..Body::default()
    }
}

fn field(form: &Form, cx: ViewContext<'_>, key: Key, problems: &[Problem], columns: usize) -> Row {
    let theme = cx.theme();
    let settings = &cx.session.settings;
    let access = settings.access(key);
    let focused = form.common.has_focus(cx, &Item::Field(key));
    // Beside a run the settings are there to be read.
    let (side, side_focused) = if cx.focused {
        side(form, cx, key)
    } else {
        (None, false)
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
        edited(form, cx, key, room)
    } else {
        let (text, faint) = displayed(form, cx, key);
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
        theme,
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
fn side(form: &Form, cx: ViewContext<'_>, key: Key) -> (Option<String>, bool) {
    if form.common.has_focus(cx, &Item::Fix(key))
        && let Some(remedy) = remedied(cx, key).and_then(|problem| problem.remedy)
    {
        return (Some(format!("[ {} ]", remedy.label)), true);
    }
    match key {
        Key::Preset if cx.session.settings.preset().confidence != Confidence::High => {
            (Some(format!("not certain  {}", cx.theme().list())), false)
        }
        Key::Preset => (Some(cx.theme().list().to_owned()), false),
        Key::ClientSecret if !cx.session.settings.secret().expose_secret().is_empty() => {
            let word = if form.secret_shown {
                "[ Hide ]"
            } else {
                "[ Show ]"
            };
            (
                Some(word.to_owned()),
                form.common.has_focus(cx, &Item::ShowSecret),
            )
        }
        Key::Scope if !cx.session.settings.scope_list().is_empty() => (
            Some("[ List ]".to_owned()),
            form.common.has_focus(cx, &Item::ScopeList),
        ),
        Key::Issuer if !cx.session.settings.value(key).trim().is_empty() => (
            Some("[ Discover ]".to_owned()),
            form.common.has_focus(cx, &Item::DiscoverIssuer),
        ),
        _ => (None, false),
    }
}

/// The line being edited, scrolled so that the cursor is in sight.
fn edited(form: &Form, cx: ViewContext<'_>, key: Key, room: usize) -> (Vec<Span<'static>>, usize) {
    let masked = key == Key::ClientSecret && !form.secret_shown;
    let (text, cursor) = if masked {
        (
            cx.theme()
                .mask()
                .repeat(form.common.editor.text().chars().count()),
            form.common.editor.cursor(),
        )
    } else {
        (
            form.common.editor.text().to_owned(),
            form.common.editor.cursor_column(),
        )
    };
    let (visible, column) = window(&text, cursor, room, cx.theme().ellipsis());
    (vec![Span::raw(visible)], column)
}

/// The value as text, and whether it only stands in for one.
fn displayed(form: &Form, cx: ViewContext<'_>, key: Key) -> (String, bool) {
    let settings = &cx.session.settings;
    let radio = |on: bool, label: &str| format!("{} {label}", cx.theme().radio(on));
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
        Key::ClientSecret => secret(form, cx),
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

fn secret(form: &Form, cx: ViewContext<'_>) -> (String, bool) {
    let settings = &cx.session.settings;
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
    if form.secret_shown {
        (text.to_owned(), false)
    } else {
        (cx.theme().mask().repeat(text.chars().count()), false)
    }
}

fn advanced(form: &Form, cx: ViewContext<'_>, problems: &[Problem], columns: usize) -> Row {
    let theme = cx.theme();
    let wrong = problems
        .iter()
        .find(|problem| ADVANCED.contains(&problem.key) && !form.advanced);
    let tag = match wrong {
        Some(problem) => Span::styled(problem.word, theme.bad()),
        None => Span::raw(if form.advanced {
            theme.list()
        } else {
            theme.folded()
        }),
    };
    let text = if form.advanced {
        ""
    } else {
        "issuer, client authentication, extra parameters, PKCE, CA file"
    };
    let room = columns.saturating_sub(VALUE + 3 + width(&tag.content));
    let parts = Parts {
        label: "Advanced".to_owned(),
        focused: form.common.has_focus(cx, &Item::Advanced),
        dim: false,
        value: vec![Span::styled(
            shorten(text, room, theme.ellipsis()),
            theme.dim(),
        )],
        cursor: 0,
        tag: Some(tag),
        tag_focused: false,
    };
    row(theme, parts, columns)
}
