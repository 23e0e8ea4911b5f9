//! The claims of tokens that are JSON Web Tokens, with formatted times, and a note if the audience is this client ID.

use ratatui::text::Line;

use super::times::claimed;
use crate::oauth::id_token::{Claims, decode};
use crate::secret::ExposeSecret;
use crate::session::TokenState;
use crate::tui::dialog::Reading;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::rows::labeled_lines;
use crate::tui::widgets::text::{width, wrap};

/// Maximum width of a name; a longer name has its value below it.
const NAME: usize = 20;

/// Returns the claims of the tokens that have some.
pub(super) fn claims(tokens: &TokenState) -> Vec<(&'static str, Claims)> {
    let access = decode(tokens.set.access_token.expose_secret());
    let id = tokens.claims.clone().map(|claims| ("ID token", claims));
    let access = access.map(|claims| ("access token", claims));
    id.into_iter().chain(access).collect()
}

/// Returns the claims as a text.
pub(super) fn reading(cx: ViewContext<'_>, columns: usize) -> Reading {
    let Some(tokens) = &cx.session.tokens else {
        return Reading::default();
    };
    let all = claims(tokens);
    let mut lines = Vec::new();
    let title = match all.as_slice() {
        [("ID token", _)] if tokens.is_verified() => "Claims of the ID token".to_owned(),
        [(name, _)] => format!("Claims of the {name} (signature not verified)"),
        _ if tokens.is_verified() => "Claims (only the ID token is verified)".to_owned(),
        _ => "Claims (signatures not verified)".to_owned(),
    };
    for (name, claims) in &all {
        if all.len() > 1 {
            if !lines.is_empty() {
                lines.push(Line::default());
            }
            lines.push(Line::styled(format!("Of the {name}"), cx.theme().strong()));
        }
        lines.extend(of_claims(cx, tokens, claims, "inspect", columns));
    }
    Reading { title, lines }
}

/// Returns the lines of claims, with formatted times. If some are missing, the last lines say so, with the command that
/// prints all.
pub(super) fn of_claims(
    cx: ViewContext<'_>,
    tokens: &TokenState,
    claims: &Claims,
    command: &str,
    columns: usize,
) -> Vec<Line<'static>> {
    let all = claims.lines();
    let missing = all.missing();
    let all = all.lines;
    let longest = all.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let indent = longest.min(NAME).min(columns / 2) + 2;
    let client_id = &tokens.request.client.client_id;
    let mut lines = Vec::new();
    for (name, value) in all {
        let time = claims
            .time(&name)
            .filter(|_| Claims::TIMES.contains(&name.as_str()));
        let ours =
            name == "aud" && (value == *client_id || value.contains(&format!("\"{client_id}\"")));
        let text = match time {
            Some(time) => format!("{value}    {}", claimed(time, cx.console.now)),
            None if ours => format!("{value}    this client ID"),
            None => value,
        };
        lines.extend(labeled_lines(&name, &text, indent, columns));
    }
    if let Some(missing) = missing {
        let how = match &tokens.profile {
            Some(name) => format!("Run oauth-authorizer {command} {name} --json to see all."),
            None => format!(
                "To see all, save the tokens as a profile and run oauth-authorizer {command} NAME --json."
            ),
        };
        lines.push(Line::default());
        let text = wrap(&format!("{missing} {how}"), columns).into_iter();
        lines.extend(text.map(Line::from));
    }
    lines
}
