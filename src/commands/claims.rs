//! Prints claims, one per line, with times in local time.

use std::fmt::Write as _;

use serde_json::Value;

use crate::clean::json_escaped;
use crate::clock::timestamp;
use crate::oauth::id_token::Claims;
use crate::words::duration;
use crate::zone;

/// Formats the claims of a token or a response, one per line. Says if some are missing.
pub(super) fn lines(claims: &Claims, now: u64) -> String {
    let mut out = String::new();
    let all = claims.lines();
    let lines = &all.lines;
    let width = lines.iter().map(|(name, _)| name.chars().count()).max();
    let width = width.unwrap_or_default().min(24);
    for (name, value) in lines {
        let time = Claims::TIMES
            .contains(&name.as_str())
            .then(|| claims.time(name));
        let time = time
            .flatten()
            .map(|at| format!("  {}", time_words(at, now)));
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {name:width$}  {value}{}", time.unwrap_or_default());
    }
    if let Some(missing) = all.missing() {
        let _ = writeln!(out, "\n  {missing} Use --json to see all.");
    }
    out
}

/// Formats JSON on one line. Control characters and invisible characters are escaped.
pub(super) fn json_text(value: &Value) -> String {
    json_escaped(&value.to_string())
}

/// Formats a time as local time, with its distance from `now`.
pub(super) fn time_words(at: i64, now: u64) -> String {
    let local = timestamp(at.unsigned_abs()).to_zoned(zone::local());
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let far = duration(at.abs_diff(now));
    let local = local.strftime("%Y-%m-%d %H:%M:%S");
    if at >= now {
        format!("{local}, in {far}")
    } else {
        format!("{local}, {far} ago")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::clean::is_visible;
    use crate::oauth::id_token::decode;

    #[test]
    fn truncated_claims_mention_the_json_flag() {
        let text = |roles: usize| {
            let json = serde_json::json!({ "roles": "r".repeat(roles) });
            let payload = URL_SAFE_NO_PAD.encode(json.to_string());
            lines(&decode(&format!("e30.{payload}.x")).unwrap(), 0)
        };
        assert_eq!(text(3), "  roles  rrr\n");
        let cut = text(20_000);
        let end = "r…\n\n  1 claim is cut off (…). Use --json to see all.\n";
        assert!(cut.ends_with(end), "{}", &cut[cut.len() - 200..]);
    }

    #[test]
    fn json_escapes_invisible_characters_and_keeps_values() {
        let value = Value::from("é \u{9b}2J \u{202e} \u{e0041} \u{7f}\u{1b}[m");
        let text = json_text(&value);
        assert!(text.contains('é') && text.chars().all(is_visible), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn times_are_shown_relative_to_now() {
        for (at, words) in [
            (1_000_060, ", in 60 seconds"),
            (1_003_540, ", in 59 minutes"),
            (1_000_000, ", in 0 seconds"),
            (999_999, ", 1 second ago"),
            (990_000, ", 2 hours ago"),
            (9_640_000, ", in 100 days"),
        ] {
            let text = time_words(at, 1_000_000);
            assert!(text.ends_with(words), "{text}");
        }
    }
}
