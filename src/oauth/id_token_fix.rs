//! The fix for each problem with an ID token.

use super::incomplete::{NO_NONCE, is_incomplete};

const WITHOUT_OPENID: &str =
    "To sign in without an ID token, remove openid from Scope and start again.";

/// The fixes, by words in the reason why an ID token is rejected. The first that fits counts.
const FIXES: &[(&[&str], &str)] = &[
    (
        &["check this machine's clock", "check the clock"],
        "Set the clock of this machine, then start again. If it is right, the clock of the service is wrong: tell its \
         administrator.",
    ),
    (
        &["its issuer is"],
        "Check that Issuer and the endpoints belong to the same service, then start again.",
    ),
    (
        &["a different client", "several clients"],
        "Check Client ID: it must be that of the app that the service issues ID tokens for. Then start again.",
    ),
    (
        &["max_age allows"],
        "Start again, and enter the password when the service asks for it, or set a longer max_age in Extra parameters.",
    ),
    (
        &["auth_time", "when you signed in"],
        "The service doesn't support max_age: remove it from Extra parameters, then start again.",
    ),
    (
        &["different access token"],
        "Start again. If it happens again, tell the service's administrator: the tokens of one response don't belong together.",
    ),
    (
        &["(alg is none)"],
        "ID tokens must be signed. Ask the service's administrator to turn on signed ID tokens (RS256) for this client.",
    ),
    (
        &["has published no key"],
        "Check Issuer: the ID token is signed with a key that this issuer doesn't publish. If Issuer is right, try again later, \
         because the service may be changing its keys.",
    ),
    (
        &["its signature is wrong"],
        "Check Issuer and, for an algorithm that starts with HS, Client secret. If they are right, the ID token was changed on \
         its way, or the service publishes wrong keys: tell its administrator.",
    ),
    (
        &[
            "(crit)",
            "not a valid JSON Web Signature",
            "is registered for",
            "metadata doesn't list",
        ],
        "Ask the service's administrator how ID tokens are signed for this client.",
    ),
];

/// Returns the fix for an ID token that was rejected for this reason.
pub(super) fn id_token_fix(reason: &str) -> String {
    if reason == NO_NONCE {
        return format!(
            "The service doesn't return the nonce, which protects the ID token against replay. {WITHOUT_OPENID}"
        );
    }
    if is_incomplete(reason) {
        return format!("The ID tokens of this service can't be checked. {WITHOUT_OPENID}");
    }
    let fits = |words: &&str| reason.contains(*words);
    let found = FIXES.iter().find(|(words, _)| words.iter().any(fits));
    let (_, fix) = found.unwrap_or(&(
        &[],
        "Start again. If you sign in with a browser, open only the new URL. If it happens again, check Issuer and Client ID.",
    ));
    (*fix).to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::incomplete::NO_EXPIRY;
    use super::*;

    #[test]
    fn what_helps_against_an_id_token_depends_on_what_is_wrong_with_it() {
        for (reason, words) in [
            (NO_NONCE, "doesn't return the nonce"),
            (NO_EXPIRY, "can't be checked"),
            ("it has expired", "open only the new URL"),
            (
                "its nonce doesn't match the one that was sent",
                "open only the new URL",
            ),
            (
                "it has expired; check this machine's clock",
                "Set the clock",
            ),
            (
                "it is not valid yet (nbf); check this machine's clock",
                "Set the clock",
            ),
            (
                "its auth_time is in the future; check the clock of this machine",
                "Set the clock",
            ),
            (
                "its issuer is https://other.example, not https://as.example",
                "Check that Issuer",
            ),
            (
                "it is for a different client (aud is other)",
                "Check Client ID",
            ),
            (
                "it was issued to a different client (azp)",
                "Check Client ID",
            ),
            (
                "you signed in 900 seconds ago, and max_age allows 60",
                "enter the password",
            ),
            (
                "it has no valid auth_time, although max_age was requested",
                "doesn't support max_age",
            ),
            (
                "it is for a different access token (at_hash)",
                "belong together",
            ),
            ("it is not signed (alg is none)", "must be signed"),
            (
                "the issuer has published no key \"k2\" for this algorithm",
                "doesn't publish",
            ),
            ("its signature is wrong", "Client secret"),
            (
                "its header requires an unknown extension (crit)",
                "are signed",
            ),
            (
                "it is signed with ES256, which the issuer's metadata doesn't list",
                "are signed",
            ),
        ] {
            let fix = id_token_fix(reason);
            assert!(fix.contains(words), "{reason}: {fix}");
            let of_the_browser = fix.contains("new URL");
            assert_eq!(of_the_browser, words.contains("new URL"), "{reason}: {fix}");
        }
    }
}
