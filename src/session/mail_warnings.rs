//! Warnings about an access token that a mail server may reject.

use crate::clean::clean;
use crate::form::purpose::purpose;
use crate::oauth::id_token::decode;
use crate::presets::Preset;

/// Returns warnings, as sentences, about claims of the access token that may be a reason for a mail server to reject
/// it. `time` formats a time given in seconds since 1970.
#[must_use]
pub fn warnings(
    access_token: &str,
    user: &str,
    preset: &Preset,
    now: u64,
    time: impl Fn(u64) -> String,
) -> Vec<String> {
    let Some(claims) = decode(access_token) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    let purpose = purpose(&claims, &[preset]);
    if let Some(known) = &purpose
        && known.mail == Some(false)
    {
        let not_for = known.not_for.as_deref().unwrap_or_default();
        warnings.push(
            format!("The access token is for {}. {not_for}", known.is_for)
                .trim_end()
                .to_owned(),
        );
    }
    let lines = claims.lines().lines;
    let named = |claim: &str, word: &str| {
        let (_, value) = lines.iter().find(|(name, _)| name == claim)?;
        Some(format!("{word} {}", clean(value, 200)))
    };
    // A known audience is checked above.
    let audience = named("aud", "audience").filter(|_| purpose.is_none());
    let scopes = [("scp", "scope"), ("scope", "scope"), ("roles", "roles")];
    let named: Vec<String> = audience
        .into_iter()
        .chain(scopes.iter().filter_map(|(claim, word)| named(claim, word)))
        .collect();
    if !named.is_empty() {
        warnings.push(format!(
            "The access token is a JWT with {}. Check that the mail server accepts these values.",
            named.join(", ")
        ));
    }
    let expires_at = claims.time("exp").and_then(|end| u64::try_from(end).ok());
    if let Some(end) = expires_at.filter(|end| *end <= now) {
        warnings.push(format!("The access token expired at {}.", time(end)));
    }
    let names = ["upn", "preferred_username", "unique_name", "email"];
    let owners: Vec<&str> = names
        .iter()
        .filter_map(|name| claims.text(name))
        .filter(|name| name.contains('@'))
        .collect();
    let is_user = |owner: &&str| owner.eq_ignore_ascii_case(user);
    if let Some(owner) = owners.first()
        && !owners.iter().any(is_user)
    {
        warnings.push(format!(
            "The access token belongs to {}, but the mailbox is {}. That works only if this user has access to the mailbox.",
            clean(owner, 120),
            clean(user, 120)
        ));
    }
    warnings
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::*;
    use crate::presets;

    #[test]
    fn known_audiences_are_checked_and_unknown_ones_shown() {
        let preset = presets::get("microsoft-mail").unwrap();
        let said = |aud: &str| {
            let claims = json!({ "aud": aud, "exp": 2_000_000 }).to_string();
            let token = format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims));
            warnings(&token, "alice@example.org", &preset, 1_000_000, |end| {
                end.to_string()
            })
        };
        let graph = said("https://graph.microsoft.com/");
        assert!(
            graph.len() == 1 && graph[0].contains("reject it"),
            "{graph:?}"
        );
        assert_eq!(said("https://outlook.office.com"), [""; 0]);
        let other = said("https://api.example");
        assert!(
            other[0].contains("audience https://api.example"),
            "{other:?}"
        );
    }
}
