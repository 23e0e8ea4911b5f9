//! A report of the checks and steps of a sign-in, without secrets, for support.

use super::lines::{checks, token_url};
use super::times::end;
use super::view::granted_words;
use crate::flow::event::Step;
use crate::secret::ExposeSecret;
use crate::session::clock::Moment;
use crate::session::{TokenState, Value};
use crate::tui::widgets::text::took;
use crate::words::thousands;

/// Returns the report. It contains no token, no code and no account.
pub(super) fn report(tokens: &TokenState, now: Moment) -> String {
    let client = &tokens.request.client;
    let mut lines = vec![
        format!("OAuth Authorizer {}", crate::VERSION),
        format!("Service: {}", tokens.preset.name),
        format!("Flow: {}", tokens.request.kind.label()),
        format!(
            "Client ID: {}",
            if client.client_id.is_empty() {
                "none"
            } else {
                &client.client_id
            }
        ),
        format!("Token URL: {}", token_url(tokens)),
        format!("Requested: {}", client.scopes.join(" ")),
        format!("Granted: {}", granted_words(tokens)),
        format!(
            "Token type: {}",
            tokens.set.token_type.as_deref().unwrap_or("not named")
        ),
        String::new(),
    ];
    for value in Value::ALL {
        let about = match tokens.secret(value) {
            Some(token) => {
                let count = thousands(token.expose_secret().chars().count());
                let end = end(tokens, value, now).map(|end| format!(", {}", end.words().0));
                format!("{count} characters{}", end.unwrap_or_default())
            }
            None => "not issued".to_owned(),
        };
        lines.push(format!("{}: {about}", value.label()));
    }
    lines.extend([String::new(), "Checks:".to_owned()]);
    lines.extend(checks(tokens).lines().map(|line| format!("  {line}")));
    lines.extend([String::new(), "Steps:".to_owned()]);
    for step in &tokens.steps {
        let took = step.took.map(took).unwrap_or_default();
        let line = format!("  {}  {}  {took}", step.at, name(step.step));
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n") + "\n"
}

fn name(step: Step) -> &'static str {
    match step {
        Step::DeviceCode => "device code requested",
        Step::Approval => "approved",
        Step::Listen => "listener started",
        Step::Pushed => "authorization request pushed",
        Step::SignIn => "signed in",
        Step::Exchange => "code exchanged for tokens",
        Step::Refresh => "tokens refreshed",
        Step::TokenRequest => "access token requested",
    }
}
