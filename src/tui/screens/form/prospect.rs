//! The steps of Authorize, shown next to the form on a wide page before a sign-in.

use super::hints::is_demo;
use crate::oauth::flow_kind::FlowKind;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::rows::head;
use crate::tui::widgets::text::wrap;

/// Returns what Authorize will do, step by step.
pub(in crate::tui) fn prospect(cx: ViewContext<'_>, columns: u16) -> Body {
    let steps: &[&str] = match cx.session.settings.flow() {
        FlowKind::DeviceCode if is_demo(cx) => &[
            "Request a code from the demo server.",
            "Show you the code. Press y to approve it, or enter it in a browser on this machine.",
            "Check every few seconds until you approve.",
            "Receive the tokens, and check them.",
        ],
        FlowKind::DeviceCode => &[
            "Request a code from the service.",
            "Show you the code. You enter it in any browser.",
            "Check every few seconds until you approve.",
            "Receive the tokens, and check them.",
        ],
        FlowKind::AuthorizationCode => &[
            "Show you a URL to open in a browser.",
            "Wait for the browser to return to this machine, or for the URL that you paste.",
            "Exchange the code for tokens.",
            "Receive the tokens, and check them.",
        ],
        FlowKind::ClientCredentials => &[
            "Send the client ID and the client secret to the token endpoint.",
            "Receive an access token for the client itself. No user signs in.",
        ],
        FlowKind::JwtBearer => &[
            "Read the key file.",
            "Send an assertion that is signed with its private key to the token endpoint.",
            "Receive an access token for the Subject, or for the service account itself. No user signs in.",
        ],
    };
    let mut rows = vec![head(cx.theme(), "What Authorize will do")];
    for (number, text) in (1_u8..).zip(steps) {
        let words = wrap(text, usize::from(columns).saturating_sub(9));
        for (at, line) in words.into_iter().enumerate() {
            let number = if at == 0 {
                format!("{number}")
            } else {
                String::new()
            };
            rows.push(Row::text(format!("  {number:<3}{line}")));
        }
    }
    Body {
        rows,
        ..Body::default()
    }
}
