//! Finds the explanation of a service's error: cause, fix, and the field to change.
//!
//! The explanations are data: `presets/errors/`, and the user's own, which take precedence.

use std::collections::BTreeSet;

use crate::certificate::{CertificateError, CertificateFile, Origin};
use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::{Access, Key};
use crate::form::numbers::{has_number, has_number_like, names_by_number, prefix};
use crate::form::problem::Remedy;
use crate::form::settings::Settings;
use crate::oauth::asked::Asked;
use crate::oauth::assertion::{KeyFileError, KeyPart};
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::failure::{About, Failure, ServerError};
use crate::oauth::pasted::{self, Pasted};
use crate::presets::errors::{At, ErrorEntry};
use crate::presets::{Library, Preset};

/// The set of explanations that applies to every service.
pub(super) const PROTOCOL: &str = "protocol";

/// The explanation of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What went wrong.
    pub cause: String,
    /// How to fix the problem.
    pub remedy: String,
    /// The field to change.
    pub field: Option<Key>,
    /// The scope to remove from that field.
    pub without: Option<&'static str>,
}

impl Explanation {
    /// Returns the explanation that an error itself contains, about this field.
    #[must_use]
    pub fn of(error: &impl ToString, remedy: String, field: Key) -> Self {
        Self {
            cause: error.to_string(),
            remedy,
            field: Some(field),
            without: None,
        }
    }

    /// Returns the fix that can be applied to these settings, if there is one.
    #[must_use]
    pub fn fix(&self, settings: &Settings) -> Option<Remedy> {
        let scope = self.without?;
        let there = settings.scopes().iter().any(|one| one == scope);
        if !there || settings.access(Key::Scope) != Access::Editable {
            return None;
        }
        let mut changed = settings.clone();
        changed.toggle_scope(scope);
        Some(Remedy {
            label: format!("Remove {scope} from {}", settings.label(Key::Scope)),
            change: Change::Text(Key::Scope, changed.value(Key::Scope)),
            guessed: false,
        })
    }
}

/// Explains why a key or certificate file of the client can't be used.
#[must_use]
pub fn explain_client_key(error: &KeyFileError) -> Explanation {
    Explanation {
        cause: error.to_string(),
        remedy: error.hint().to_owned(),
        field: Some(match error.part {
            KeyPart::Key => Key::ClientKey,
            KeyPart::Certificate => Key::ClientCertificate,
        }),
        without: None,
    }
}

/// Explains why a certificate can't be used. Returns `None` for a created certificate, which no field names.
#[must_use]
pub fn explain_certificate(error: &CertificateError) -> Option<Explanation> {
    (error.origin == Origin::Given).then(|| Explanation {
        cause: error.to_string(),
        remedy: error.hint().to_owned(),
        field: Some(match error.part {
            CertificateFile::Certificate => Key::Certificate,
            CertificateFile::Key => Key::CertificateKey,
        }),
        without: None,
    })
}

/// Explains a failure at the service of `preset`, for a client that authenticates with `method`. Returns `None` if the
/// failure is not an error of the service, or if no explanation matches.
#[must_use]
pub fn explain(
    failure: &Failure,
    preset: &Preset,
    method: ClientAuthentication,
    library: &Library,
) -> Option<Explanation> {
    let (error, at) = match failure {
        // The client authenticates in the same way as for an exchange.
        Failure::Server {
            asked: Asked::Pushed,
            error,
        } if error.code == "invalid_client" => (error, At::Exchange),
        Failure::Server { asked, error } => (error, at(*asked)),
        Failure::Denied {
            polled: true,
            error,
        } => (error, At::Approval),
        Failure::Callback(error) | Failure::Denied { error, .. } => (error, At::Callback),
        // The preset may know what this service limits.
        Failure::Unavailable {
            wait: None,
            error: Some(error),
            ..
        } if error.has_own_code() => {
            let is_code = |entry: &ErrorEntry| {
                entry.at.is_empty() && entry.code.as_ref() == Some(&error.code)
            };
            return find(&error.code, preset, library, is_code).or_else(|| by_itself(failure));
        }
        // The service's error is only a consequence of the lost response.
        Failure::UsedUp { .. }
        | Failure::NeedsRedirect(_)
        | Failure::Expired
        | Failure::Unavailable { .. }
        | Failure::Unusable { .. }
        | Failure::Unanswered { .. }
        | Failure::Useless { .. }
        | Failure::Address(_)
        | Failure::IdToken { .. } => return by_itself(failure),
    };
    let sent = |secret: bool| {
        if secret {
            method.uses_secret()
        } else {
            method == ClientAuthentication::None
        }
    };
    let said = error.description.as_deref().unwrap_or_default();
    let said = format!("{} {said}", error.code);
    find(&said, preset, library, |entry| {
        (entry.method.is_empty() || entry.method.contains(&method))
            && entry.secret.is_none_or(sent)
            && fits(entry, error, at)
            && !is_misnamed(entry, error)
    })
    .or_else(|| by_itself(failure))
}

/// Explains the error page that a service shows instead of sending the browser back, if the text contains a known
/// error. Returns `None` for a redirect URL with a response, unless the response contains an error number and no state.
#[must_use]
pub fn explain_page(text: &str, preset: &Preset, library: &Library) -> Option<Explanation> {
    let words = clean(text, PAGE_LIMIT);
    if let Pasted::Query(query) = pasted::read(text)
        && (!has_number(&words) || pasted::has_state(&query))
    {
        return None;
    }
    let is_named = |entry: &ErrorEntry, name: &Option<String>| {
        name.as_ref()
            // A single word such as "denied" may occur in any text.
            .is_some_and(|name| {
                name.contains(['_', ' ']) || name.contains(|ch: char| ch.is_ascii_digit())
            } && names(&words, name))
            && (entry.at.is_empty() || entry.at.contains(&At::Callback))
    };
    find(&words, preset, library, |entry| {
        // A sign-in in the browser involves neither an assertion nor a certificate.
        let is_general = entry.method.is_empty() && entry.secret != Some(true);
        is_general
            && match &entry.text {
                Some(_) => is_named(entry, &entry.text),
                None => is_named(entry, &entry.code),
            }
    })
}

/// Maximum length of a page. The rest is ignored.
const PAGE_LIMIT: usize = 16 * 1024;

fn find(
    said: &str,
    preset: &Preset,
    library: &Library,
    fits: impl Fn(&ErrorEntry) -> bool,
) -> Option<Explanation> {
    // Without a preset, it could be any service.
    let mut sets: Vec<String> = if preset.is_custom() {
        library.explanation_sets()
    } else {
        preset.errors.clone()
    };
    sets.retain(|set| set != PROTOCOL);
    let entries_of = |set: &String| {
        let set = set.clone();
        let entries = library.explanations(&set).into_iter();
        entries.map(move |entry| (set.clone(), entry))
    };
    let own: Vec<(String, ErrorEntry)> = sets.iter().flat_map(entries_of).collect();
    let general = library.explanations(PROTOCOL);
    let names = own.iter().filter_map(|(_, entry)| entry.text.as_deref());
    let numbered = has_own_number(said, names);
    let fits = |entry: &&ErrorEntry| !(numbered && is_vague(entry)) && fits(entry);
    // Entries with a text come first: the text distinguishes a service's errors with the same code. Without a preset,
    // another service may use the same words, so skip explanations that mention one.
    let by_text = own
        .iter()
        .filter(|(set, entry)| {
            entry.text.as_ref().is_some_and(|text| {
                !preset.is_custom() || !text.contains(' ') || !speaks_of(entry, set)
            })
        })
        .map(|(_, entry)| entry);
    let entry = if preset.is_custom() {
        // A code alone doesn't identify the service, so skip explanations that name one.
        let neutral = own.iter().filter(|(set, entry)| !speaks_of(entry, set));
        // If services have different explanations for the same error, none of them is certain.
        let mut fitting = own.iter().filter(|(_, entry)| fits(&entry));
        let is_one = fitting
            .next()
            .is_some_and(|(first, _)| fitting.all(|(set, _)| set == first));
        let neutral = neutral.filter(|_| is_one);
        by_text
            .chain(&general)
            .chain(neutral.map(|(_, entry)| entry))
            .find(fits)
    } else {
        by_text
            .chain(own.iter().map(|(_, entry)| entry))
            .chain(&general)
            .find(fits)
    };
    let entry = entry?;
    Some(Explanation {
        cause: entry.cause.clone(),
        remedy: entry.remedy.clone(),
        field: entry
            .field
            .as_deref()
            .and_then(Key::from_name)
            .filter(|key| *key != Key::Var(0) || !preset.variables.is_empty()),
        without: None,
    })
}

/// Returns the explanation that a failure itself contains, with the field that it is about.
fn by_itself(failure: &Failure) -> Option<Explanation> {
    let about = failure.about()?;
    let field = match about {
        About::Secret => Key::ClientSecret,
        About::KeyFile => Key::KeyFile,
        About::Url(Asked::DeviceCode) => Key::DeviceUrl,
        About::Url(Asked::Pushed | Asked::Registration) => Key::Issuer,
        About::Url(
            Asked::Approval
            | Asked::Exchange
            | Asked::Refresh
            | Asked::ClientCredentials
            | Asked::JwtBearer,
        ) => Key::TokenUrl,
        About::Scope | About::OpenId => Key::Scope,
    };
    Some(Explanation {
        cause: failure.to_string(),
        remedy: failure.hint(),
        field: Some(field),
        without: (about == About::OpenId).then_some("openid"),
    })
}

/// Words of explanations that only make sense with the service that they were written for: places in its settings, and
/// terms that others don't use.
const VOCABULARY: [&str; 4] = [" > ", "realm", "admin console", "dashboard"];

/// Returns whether the explanation mentions the service of its set.
fn speaks_of(entry: &ErrorEntry, set: &str) -> bool {
    [&entry.cause, &entry.remedy].iter().any(|text| {
        let text = text.to_lowercase();
        text.contains(set) || VOCABULARY.iter().any(|words| text.contains(words))
    })
}

/// Returns whether `text` contains a service's own error number, known or not, by the `names` of those that are known.
/// Such a number decides the cause.
pub(super) fn has_own_number<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> bool {
    let prefixes: BTreeSet<&str> = names.filter_map(prefix).collect();
    prefixes
        .into_iter()
        .any(|prefix| has_number_like(text, prefix))
}

/// Returns whether an explanation is only about one of the codes that services use for errors of any cause.
pub(super) fn is_vague(entry: &ErrorEntry) -> bool {
    let vague = ["invalid_", "unauthorized_client", "unsupported_"];
    let code = entry.code.as_deref().unwrap_or_default();
    entry.text.is_none() && vague.iter().any(|start| code.starts_with(start))
}

fn at(asked: Asked) -> At {
    match asked {
        Asked::DeviceCode => At::DeviceCode,
        // Otherwise the service would report this error to the browser.
        Asked::Pushed | Asked::Registration => At::Callback,
        Asked::Approval => At::Approval,
        Asked::Exchange => At::Exchange,
        Asked::Refresh => At::Refresh,
        Asked::ClientCredentials => At::ClientCredentials,
        Asked::JwtBearer => At::ServiceAccount,
    }
}

fn fits(entry: &ErrorEntry, error: &ServerError, at: At) -> bool {
    let place = entry.at.is_empty() || entry.at.contains(&at);
    let code = entry.code.as_ref().is_none_or(|code| *code == error.code);
    let text = entry.text.as_ref().is_none_or(|text| {
        names(&error.code, text)
            || error
                .description
                .as_ref()
                .is_some_and(|description| names(description, text))
    });
    place && code && text && (entry.code.is_some() || entry.text.is_some())
}

/// Returns whether the entry is about a problem of the service, but the status says that the client was rejected.
fn is_misnamed(entry: &ErrorEntry, error: &ServerError) -> bool {
    let code = entry.code.as_deref();
    code == Some("server_error") && entry.text.is_none() && error.status.is_some()
}

/// Returns whether `text` contains the name of an error, or its number.
pub(super) fn names(text: &str, name: &str) -> bool {
    holds(text, name) || names_by_number(text, name) || names_apart(text, name)
}

/// Returns whether `text` contains a name such as `AADSTS50011` with its number apart.
fn names_apart(text: &str, name: &str) -> bool {
    let letters = name.trim_end_matches(|ch: char| ch.is_ascii_digit());
    let number = &name[letters.len()..];
    let is_name = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_alphabetic());
    let apart = |mark| holds(text, &format!("{letters}{mark}{number}"));
    is_name && !number.is_empty() && (apart(' ') || apart('-'))
}

/// Returns whether `text` contains `words` as whole words, ignoring case.
fn holds(text: &str, words: &str) -> bool {
    let (text, words) = (text.to_lowercase(), words.to_lowercase());
    let part = |ch: char| ch.is_alphanumeric() || ch == '_';
    !words.is_empty()
        && text.match_indices(&words).any(|(at, _)| {
            !text[..at].ends_with(part) && !text[at + words.len()..].starts_with(part)
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::failure::BodyKind;
    use crate::oauth::useless::Useless;

    fn server(asked: Asked, code: &str, description: &str) -> Failure {
        Failure::Server {
            asked,
            error: ServerError::new(code, Some(description)),
        }
    }

    fn explained(preset: &str, failure: &Failure) -> Explanation {
        let library = Library::default();
        explain(
            failure,
            &library.get(preset).unwrap(),
            ClientAuthentication::None,
            &library,
        )
        .unwrap()
    }

    #[test]
    fn service_explanation_takes_precedence_over_the_protocol() {
        let failure = server(
            Asked::Exchange,
            "invalid_client",
            "AADSTS7000218: The request body must contain 'client_assertion' or 'client_secret'.",
        );
        let own = explained("microsoft-mail", &failure);
        assert_eq!(own.field, Some(Key::ClientSecret));
        // Without a preset, the error number identifies the service.
        assert_eq!(explained("custom", &failure), own);
        let general = explained(
            "keycloak",
            &server(Asked::Exchange, "invalid_client", "who?"),
        );
        assert_ne!(general.cause, own.cause);
        assert_eq!(
            general,
            explained("custom", &server(Asked::Exchange, "invalid_client", "who?"))
        );
    }

    #[test]
    fn server_error_with_status_401_is_about_the_client() {
        let mut error = ServerError::new("server_error", Some("access_denied"));
        error.status = Some(401);
        let asked = Asked::ClientCredentials;
        let explained = explained("custom", &Failure::Server { asked, error });
        assert_eq!(explained.field, Some(Key::ClientSecret));
        assert!(explained.remedy.contains("Client secret"));
    }

    #[test]
    fn error_code_alone_names_no_service_in_custom_settings() {
        let library = Library::default();
        let custom = library.get("custom").unwrap();
        let sets = library.explanation_sets();
        let asked = [
            Asked::DeviceCode,
            Asked::Approval,
            Asked::Exchange,
            Asked::Refresh,
        ];
        for set in sets.iter().filter(|set| *set != PROTOCOL) {
            for code in library
                .explanations(set)
                .iter()
                .filter_map(|it| it.code.clone())
            {
                for failure in asked.map(|asked| server(asked, &code, "no")) {
                    if let Some(explained) =
                        explain(&failure, &custom, ClientAuthentication::None, &library)
                    {
                        let words = format!("{} {}", explained.cause, explained.remedy);
                        let named = |set: &String| words.to_lowercase().contains(set.as_str());
                        assert!(!sets.iter().any(named), "{code}: {words}");
                    }
                }
            }
        }
        let failure = server(Asked::DeviceCode, "incorrect_client_credentials", "no");
        assert_eq!(
            explained("custom", &failure).cause,
            "The client ID or the client secret is wrong."
        );
        assert!(explained("github", &failure).cause.contains("GitHub"));
        // Each service has its own rules for the URL, and none of them is known to apply.
        let failure = server(Asked::Exchange, "redirect_uri_mismatch", "no");
        assert_eq!(
            explained("custom", &failure).cause,
            "The redirect URL is not registered for this app."
        );
        let failure = server(Asked::DeviceCode, "redirect_uri_mismatch", "no");
        assert!(
            !explained("custom", &failure)
                .remedy
                .contains("the port may differ")
        );
    }

    #[test]
    fn unknown_error_number_has_no_general_cause() {
        let library = Library::default();
        for (preset, code, said) in [
            (
                "microsoft-mail",
                "invalid_request",
                "AADSTS999999999: Something new.",
            ),
            (
                "microsoft-mail",
                "invalid_client",
                "AADSTS7999999: Something new.",
            ),
            ("custom", "invalid_grant", "aadsts7999999: Something new."),
            ("custom", "invalid_grant", "AADB2C99999: Something new."),
            ("custom", "unauthorized_client", "MSIS9999: Something new."),
        ] {
            let failure = server(Asked::Exchange, code, said);
            let preset = library.get(preset).unwrap();
            let found = explain(&failure, &preset, ClientAuthentication::None, &library);
            assert_eq!(found, None, "{said}");
        }
        // Codes that state the cause themselves, and texts that only look similar.
        for (preset, code, said) in [
            (
                "microsoft-mail",
                "temporarily_unavailable",
                "AADSTS999999999: no",
            ),
            ("microsoft-mail", "invalid_request", "AADSTS: no"),
            ("microsoft-mail", "invalid_request", "XAADSTS99999999: no"),
            ("google-mail", "invalid_grant", "AADSTS999999999: no"),
        ] {
            explained(preset, &server(Asked::Exchange, code, said));
        }
    }

    #[test]
    fn words_of_another_service_are_not_shown_in_custom_settings() {
        let failure = server(
            Asked::Refresh,
            "invalid_grant",
            "Incorrect or invalid refresh token",
        );
        let cause = explained("custom", &failure).cause;
        assert!(
            cause.starts_with("The service rejected the refresh token"),
            "{cause}"
        );
        assert!(explained("keycloak", &failure).cause.contains("realm"));
        for said in [
            "User not found",
            "Code not valid",
            "Service not found",
            "ip restricted",
        ] {
            let failure = server(Asked::Exchange, "invalid_grant", said);
            let explained = explained("custom", &failure);
            let words = format!("{} {}", explained.cause, explained.remedy).to_lowercase();
            for foreign in ["realm", "keycloak", "auth0", "salesforce", " > "] {
                assert!(!words.contains(foreign), "{words}");
            }
        }
        // A name without spaces is no accident.
        let failure = server(Asked::Exchange, "invalid_grant", "OAUTH_APP_BLOCKED");
        assert!(explained("custom", &failure).cause.contains("Salesforce"));
    }

    #[test]
    fn same_code_has_different_explanations_at_different_steps() {
        let at = |asked| explained("demo", &server(asked, "invalid_grant", "no"));
        assert_ne!(at(Asked::Refresh), at(Asked::Exchange));
        assert_ne!(at(Asked::Approval), at(Asked::Exchange));
    }

    #[test]
    fn rejected_client_points_to_its_secret_first() {
        let library = Library::default();
        let custom = library.get("custom").unwrap();
        let field = |asked, code: &str, with_secret| {
            let failure = server(asked, code, "no");
            let method = if with_secret {
                ClientAuthentication::Basic
            } else {
                ClientAuthentication::None
            };
            explain(&failure, &custom, method, &library).and_then(|it| it.field)
        };
        let asked = [
            Asked::DeviceCode,
            Asked::Approval,
            Asked::Exchange,
            Asked::Refresh,
        ];
        for asked in asked {
            for code in ["invalid_client", "unauthorized_client"] {
                assert_eq!(field(asked, code, true), Some(Key::ClientSecret), "{code}");
            }
        }
        // After the first request, the flow is known to be allowed.
        for asked in [Asked::Approval, Asked::Exchange, Asked::Refresh] {
            assert_eq!(
                field(asked, "unauthorized_client", false),
                Some(Key::ClientSecret)
            );
        }
        assert_eq!(
            field(Asked::DeviceCode, "unauthorized_client", false),
            Some(Key::Flow)
        );
        assert_eq!(
            field(Asked::DeviceCode, "invalid_client", false),
            Some(Key::ClientId)
        );
    }

    #[test]
    fn variable_is_named_only_if_the_preset_has_it() {
        let failure = server(
            Asked::DeviceCode,
            "invalid_request",
            "AADSTS90002: Tenant 'x' not found.",
        );
        assert_eq!(
            explained("microsoft-mail", &failure).field,
            Some(Key::Var(0))
        );
        assert_eq!(
            explained("microsoft-outlook-personal", &failure).field,
            None
        );
    }

    #[test]
    fn unknown_failures_have_no_explanation() {
        let library = Library::default();
        let custom = library.get("custom").unwrap();
        assert_eq!(
            explain(
                &Failure::Expired,
                &custom,
                ClientAuthentication::None,
                &library
            ),
            None
        );
        let unknown = server(Asked::Exchange, "made_up_code", "no");
        assert_eq!(
            explain(&unknown, &custom, ClientAuthentication::None, &library),
            None
        );
    }

    #[test]
    fn uninformative_response_still_leads_to_its_field() {
        let library = Library::default();
        let custom = library.get("custom").unwrap();
        let unusable = |asked, status| Failure::Unusable {
            asked,
            status,
            reason: "it is empty".to_owned(),
            body: BodyKind::Empty,
            message: None,
        };
        let useless = Failure::Useless {
            asked: Asked::Exchange,
            useless: Useless::IdTokenOnly,
        };
        for (failure, field) in [
            (unusable(Asked::Exchange, 401), Some(Key::ClientSecret)),
            (unusable(Asked::DeviceCode, 404), Some(Key::DeviceUrl)),
            (unusable(Asked::Exchange, 200), Some(Key::TokenUrl)),
            (unusable(Asked::Refresh, 400), None),
            (useless, Some(Key::Scope)),
            (Failure::Address("x".to_owned()), None),
        ] {
            let found = explain(&failure, &custom, ClientAuthentication::None, &library);
            assert_eq!(found.as_ref().and_then(|it| it.field), field, "{failure}");
            if let Some(found) = found {
                assert_eq!(found.cause, failure.to_string());
                assert_eq!(found.remedy, failure.hint());
            }
        }
    }

    #[test]
    fn error_codes_match_whole_words_only() {
        assert!(holds("AADSTS50011: The redirect", "aadsts50011"));
        assert!(!holds("AADSTS500112: x", "AADSTS50011"));
        assert!(!holds("anything", ""));
    }
}
