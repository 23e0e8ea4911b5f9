//! The details of the chosen service.

use crate::tui::dialog::Reading;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::rows::labeled_lines;
use crate::words::sentence;

/// Returns the details of the service as a text.
pub(super) fn info(cx: ViewContext<'_>, columns: usize) -> Reading {
    let preset = cx.session.settings.preset();
    let mut lines = Vec::new();
    let mut entry = |label: &str, text: &str| {
        lines.extend(labeled_lines(label, text, (columns / 3).min(18), columns));
    };
    let fill = |text: &String| cx.session.settings.fill(text);
    let optional = [
        ("Register", preset.register_at.clone()),
        ("Client secret", preset.client.secret_note.clone()),
        ("Flow", preset.flows.why.clone()),
        ("Redirect URL", preset.redirect.note.clone()),
        (
            "Device code",
            preset
                .scope
                .device_note
                .clone()
                .or_else(|| preset.device.notes.clone()),
        ),
        ("PKCE", preset.client.pkce_note.clone()),
        ("Lifetimes", preset.tokens.lifetime.clone()),
        ("Refresh", preset.tokens.rotation.clone()),
        ("Refresh token", preset.tokens.refresh_note.clone()),
        ("User info", preset.endpoints.userinfo.as_ref().map(fill)),
        ("Revocation", preset.endpoints.revocation.as_ref().map(fill)),
        (
            "Introspection",
            preset.endpoints.introspection.as_ref().map(fill),
        ),
    ];
    for (label, text) in optional {
        if let Some(text) = text {
            entry(label, &text);
        }
    }
    if let Some(mail) = &preset.mail {
        let servers = [
            ("IMAP", &mail.imap),
            ("POP3", &mail.pop3),
            ("SMTP", &mail.smtp),
            ("Mail", &mail.note),
        ];
        for (label, text) in servers {
            if let Some(text) = text {
                entry(label, text);
            }
        }
        if !mail.sasl.is_empty() {
            entry("SASL", &mail.sasl.join(", "));
        }
    }
    for (list, label) in [
        (&preset.notes, "Note"),
        (&preset.variants, "Variants"),
        (&preset.unverified, "Not verified"),
    ] {
        for text in list {
            entry(label, &sentence(text));
        }
    }
    Reading {
        title: preset.name.clone(),
        lines,
    }
}
