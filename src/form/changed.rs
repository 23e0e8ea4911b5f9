//! Says what the fix of a problem changed.

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::words::sentence;

/// Maximum number of characters of a value.
const SHOWN: usize = 80;

/// Returns what a change did, as a sentence. A client secret is never shown.
#[must_use]
pub fn changed(settings: &Settings, change: &Change) -> String {
    let label = |key: &Key| settings.label(*key);
    let now = |key: &Key, text: &str| match (key, text.trim().is_empty()) {
        (key, true) => format!("{} is now empty", label(key)),
        (Key::ClientSecret, false) => format!("{} was corrected", label(key)),
        (key, false) => format!("{} is now {}", label(key), clean(text, SHOWN)),
    };
    sentence(match change {
        Change::Text(key, text) => now(key, text),
        Change::Move { to, text, .. } => now(to, text),
        Change::BareSecret => now(&Key::ClientSecret, "corrected"),
        Change::Flow(flow) => format!("{} is now {}", label(&Key::Flow), flow.label()),
        Change::Trust { host, .. } => format!("{} is now trusted", clean(host, SHOWN)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    #[test]
    fn change_description_hides_secrets_and_has_one_period() {
        let settings = Settings::new(presets::get("custom").unwrap());
        let id = "11111111-2222-3333-4444-555555555555";
        for (change, told) in [
            (
                Change::Text(Key::ClientId, id.to_owned()),
                format!("Client ID is now {id}."),
            ),
            (
                Change::Text(Key::ClientSecret, "s3cret".to_owned()),
                "Client secret was corrected.".to_owned(),
            ),
            (
                Change::Text(Key::ClientSecret, String::new()),
                "Client secret is now empty.".to_owned(),
            ),
            (
                Change::BareSecret,
                "Client secret was corrected.".to_owned(),
            ),
            (
                Change::Flow(FlowKind::AuthorizationCode),
                "Flow is now Authorization code.".to_owned(),
            ),
            (
                Change::Text(Key::Scope, "mail ".repeat(30)),
                format!("Scope is now {}…", "mail ".repeat(16)),
            ),
        ] {
            assert_eq!(changed(&settings, &change), told);
        }
    }
}
