//! Explains the errors in any text: an error code, an error page, a log.

use super::explain::{PROTOCOL, has_own_number, is_vague, names};
use super::field::Key;
use super::mail_errors::MAIL;
use crate::presets::errors::{At, ErrorEntry};
use crate::presets::{Library, Preset};

/// An error that a text contains, and its explanation.
#[derive(Debug, Clone)]
pub struct KnownError {
    /// The set of explanations that contains it, such as `microsoft`; `protocol` for the RFCs.
    pub set: String,
    /// The explanation.
    pub entry: ErrorEntry,
}

impl KnownError {
    /// Returns the name that the text contains.
    #[must_use]
    pub fn name(&self) -> &str {
        let entry = &self.entry;
        entry
            .text
            .as_deref()
            .or(entry.code.as_deref())
            .unwrap_or_default()
    }

    /// Returns the field to change.
    #[must_use]
    pub fn field(&self) -> Option<Key> {
        self.entry.field.as_deref().and_then(Key::from_name)
    }

    /// Returns the requests that can cause the error, in words; empty for all requests.
    #[must_use]
    pub fn requests(&self) -> String {
        let words = |at: &At| match at {
            At::DeviceCode => "the device code request",
            At::Approval => "waiting for approval",
            At::Exchange => "the token request",
            At::Refresh => "a refresh",
            At::ClientCredentials => "the client credentials request",
            At::ServiceAccount => "the service account's token request",
            At::Callback => "the redirect from the browser",
            At::Mail => "a mail server's response",
        };
        let all: Vec<&str> = self.entry.at.iter().map(words).collect();
        all.join(", ")
    }
}

/// Returns the errors that `text` contains, those of the preset's service first. Something that distinguishes errors
/// with the same code, such as an AADSTS number, replaces the explanation of the code.
#[must_use]
pub fn known_errors(text: &str, preset: Option<&Preset>, library: &Library) -> Vec<KnownError> {
    let mut sets = library.explanation_sets();
    let own = |set: &String| preset.is_some_and(|preset| preset.errors.contains(set));
    if preset.is_some_and(|preset| !preset.is_custom()) {
        let has_mail = preset.is_some_and(|preset| preset.mail.is_some());
        sets.retain(|set| own(set) || set == PROTOCOL || (has_mail && set == MAIL));
    }
    // The errors that are common to all services come last.
    sets.sort_by_key(|set| (!own(set), set == PROTOCOL));
    let all = sets.iter().flat_map(|set| {
        let entries = library.explanations(set).into_iter();
        entries.map(|entry| KnownError {
            set: set.clone(),
            entry,
        })
    });
    let all: Vec<KnownError> = all.collect();
    let that = |fits: &dyn Fn(&ErrorEntry) -> bool| -> Vec<KnownError> {
        let fitting = all.iter().filter(|known| fits(&known.entry));
        fitting.cloned().collect()
    };
    let mut named = that(&|entry| {
        let parts = [&entry.code, &entry.text];
        parts.iter().any(|part| part.is_some())
            && parts.into_iter().flatten().all(|part| names(text, part))
    });
    if named.is_empty() {
        // People also paste the description alone. A single word may occur in any text.
        named = that(&|entry| {
            let description = entry.text.as_ref();
            let is_other = has_status(text) && entry.code.as_deref().is_some_and(has_status);
            !is_other && description.is_some_and(|words| words.contains(' ') && names(text, words))
        });
    }
    if named.is_empty() {
        // They also write a code in words.
        let code = text.trim().to_lowercase().replace([' ', '-'], "_");
        named = that(&|entry| entry.code.as_ref() == Some(&code) && entry.text.is_none());
    }
    let precise = |known: &KnownError| known.entry.text.is_some();
    let any_precise = named.iter().any(precise);
    let own_numbers = all.iter().filter_map(|known| known.entry.text.as_deref());
    if !any_precise && has_own_number(text, own_numbers) {
        named.retain(|known| !is_vague(&known.entry));
    }
    let mut found: Vec<KnownError> = named
        .into_iter()
        .filter(|known| precise(known) || !any_precise)
        .collect();
    // A set may have the same explanation for two requests.
    found.dedup_by(|a, b| a.entry.cause == b.entry.cause && a.entry.remedy == b.entry.remedy);
    found
}

/// Returns whether `text` contains a status code of a mail server, such as `5.7.3` (RFC 3463).
fn has_status(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit());
    text.split(|ch: char| !ch.is_ascii_digit() && ch != '.')
        .map(|word| word.trim_matches('.').split('.').collect::<Vec<_>>())
        .any(|parts| {
            matches!(*parts, ["4" | "5", subject, detail] if is_number(subject) && is_number(detail))
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    fn named(text: &str, preset: Option<&str>) -> Vec<(String, String)> {
        let library = Library::default();
        let preset = preset.map(|id| library.get(id).unwrap());
        known_errors(text, preset.as_deref(), &library)
            .iter()
            .map(|known| (known.set.clone(), known.name().to_owned()))
            .collect()
    }

    fn pair(set: &str, name: &str) -> (String, String) {
        (set.to_owned(), name.to_owned())
    }

    #[test]
    fn errors_are_found_by_description_or_spelled_out_code() {
        for (text, set, name) in [
            (
                "Service not found: https://api.example",
                "auth0",
                "Service not found",
            ),
            (
                "Token has been expired or revoked.",
                "google",
                "Token has been expired or revoked",
            ),
            ("Session not active", "keycloak", "Session not active"),
            ("AADSTS 50011: The redirect URI", "microsoft", "AADSTS50011"),
            ("aadsts-50011", "microsoft", "AADSTS50011"),
            ("Invalid Grant", "protocol", "invalid_grant"),
            (" invalid-token\n", "protocol", "invalid_token"),
        ] {
            let found = named(text, None);
            assert!(found.contains(&pair(set, name)), "{text}: {found:?}");
        }
        for text in ["", "grant", "the grant is invalid", "AADSTS", "denied"] {
            assert_eq!(named(text, None), [], "{text}");
        }
        // A code decides what a description belongs to.
        let found = named("server_error: Session not active", None);
        assert!(
            !found.contains(&pair("keycloak", "Session not active")),
            "{found:?}"
        );
    }

    #[test]
    fn status_of_a_mail_server_decides_the_cause() {
        let causes = |text: &str| -> Vec<String> {
            let found = known_errors(text, None, &Library::default());
            found.into_iter().map(|known| known.entry.cause).collect()
        };
        for (text, words) in [
            (
                "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. \
                 Contact your administrator. [FR3P281CA0094.DEUP281.PROD.OUTLOOK.COM]",
                "security defaults",
            ),
            (
                "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated \
                 successfully. Contact your administrator.",
                "a policy",
            ),
            (
                "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
                "rejected the user name",
            ),
            (
                "535 5.7.139 Authentication unsuccessful, something else.",
                "a setting or a policy",
            ),
            (
                "530 5.7.57 SMTP; Client was not authenticated to send anonymous mail during MAIL FROM",
                "doesn't regard the client as signed in",
            ),
            ("535 5.7.3 Authentication unsuccessful", "lacks SMTP.Send"),
            ("Authentication unsuccessful", "lacks SMTP.Send"),
        ] {
            let found = causes(text);
            assert!(
                matches!(&found[..], [one] if one.contains(words)),
                "{text}: {found:?}"
            );
        }
        assert_eq!(causes("535 5.7.999 Authentication unsuccessful"), [""; 0]);
    }

    #[test]
    fn unknown_error_number_is_not_explained_by_its_general_code() {
        assert_eq!(named("invalid_request: AADSTS999999999: new", None), []);
        assert_eq!(named("AADB2C99999: new (invalid_grant)", None), []);
        assert!(!named("server_error: AADSTS999999999: new", None).is_empty());
        assert!(!named("invalid_grant at worker12345: new", None).is_empty());
    }

    #[test]
    fn error_code_is_found_in_any_surrounding_text() {
        let microsoft = vec![pair("microsoft", "AADSTS50011")];
        for text in [
            "AADSTS50011",
            "aadsts50011",
            "Sorry, but we're having trouble signing you in.\r\nAADSTS50011: The redirect URI 'http://localhost' …",
            "http://localhost/?error=invalid_request&error_description=AADSTS50011%3a+The+redirect",
            r#"{"error":"invalid_client","error_description":"AADSTS50011: …"}"#,
            "50011",
            "http://localhost/?error=50011",
            "https://login.example.com/error?code=50011",
            "Error code: 50011",
        ] {
            assert_eq!(named(text, None), microsoft, "{text}");
        }
        assert!(
            named("AADSTS500112", None)
                .iter()
                .all(|(_, name)| name != "AADSTS50011")
        );
        assert!(named("nothing known", None).is_empty());
    }

    #[test]
    fn preset_service_comes_first_and_others_are_omitted() {
        let google = named("redirect_uri_mismatch", Some("google-mail"));
        assert_eq!(google.first().unwrap().0, "google");
        assert!(
            google
                .iter()
                .all(|(set, _)| set == "google" || set == "protocol")
        );
        let any = named("invalid_grant", None);
        assert!(any.iter().any(|(set, _)| set == "protocol"), "{any:?}");
    }

    #[test]
    fn every_error_is_found_by_its_own_name() {
        let library = Library::default();
        for set in library.explanation_sets() {
            for entry in library.explanations(&set) {
                let text = [&entry.code, &entry.text].into_iter().flatten();
                let text: Vec<&str> = text.map(String::as_str).collect();
                let found = known_errors(&text.join(" "), None, &library);
                let there = found.iter().any(|known| known.entry.cause == entry.cause);
                assert!(there, "{text:?}");
            }
        }
    }
}
