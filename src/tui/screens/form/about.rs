//! What is known of the chosen service.

use ratatui::text::Line;

use crate::tui::screen::ViewContext;
use crate::tui::widgets::rows::labelled_lines;

/// What is known of the service, in words.
pub(super) fn about(cx: ViewContext<'_>, columns: usize) -> Vec<Line<'static>> {
    let preset = cx.session.settings.preset();
    let mut lines = vec![
        Line::styled(preset.name.clone(), cx.theme().strong()),
        Line::default(),
    ];
    let mut entry = |label: &str, text: &str| {
        lines.extend(labelled_lines(label, text, (columns / 3).min(18), columns));
    };
    let fill = |text: &String| cx.session.settings.fill(text);
    let optional = [
        ("Client ID from", preset.register_at.clone()),
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
        ("Lifetime", preset.tokens.lifetime.clone()),
        ("Refresh", preset.tokens.rotation.clone()),
        ("Refresh token", preset.tokens.refresh_note.clone()),
        (
            "Who signed in",
            preset.endpoints.userinfo.as_ref().map(fill),
        ),
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
        (&preset.variants, "Also"),
        (&preset.unverified, "Not verified"),
    ] {
        for text in list {
            entry(label, text);
        }
    }
    lines
}
