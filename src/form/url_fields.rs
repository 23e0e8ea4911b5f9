//! Parses and checks the URLs of the form.

use url::Url;

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::{Key, Source};
use crate::form::problem::{Problem, Problems, Severity};
use crate::form::settings::Settings;
use crate::oauth::client::sets_nothing_reserved;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::{UrlProblem, as_written, endpoint, is_loopback};

/// Parses the redirect URL.
pub(super) fn redirect_url(settings: &Settings, problems: &mut Problems) -> Option<Url> {
    let typed = settings.value(Key::RedirectUrl);
    let listens_elsewhere = !settings.value(Key::ListenAddress).trim().is_empty();
    if typed.trim().is_empty() {
        problems.error(
            Key::RedirectUrl,
            "missing",
            "Redirect URL is missing. Enter the URL registered with the service, such as http://localhost:8400/",
        );
        return None;
    }
    match endpoint(&typed) {
        Err(UrlProblem::Scheme(scheme)) => {
            let url = match of_an_app(typed.trim()) {
                Ok(url) => url,
                Err(problem) => {
                    let word = problem_word(&problem);
                    problems.error(Key::RedirectUrl, word, problem.to_string());
                    return None;
                }
            };
            let text = format!(
                "The program can't listen on a {scheme}: URL. After sign-in, paste the final URL or the code that the \
                    service shows"
            );
            problems.warning(Key::RedirectUrl, "paste only", text);
            Some(url)
        }
        Err(UrlProblem::Insecure(host)) if listens_elsewhere => {
            let text = format!(
                "With http, the code is sent to {host} unencrypted. Use https if the proxy supports it"
            );
            problems.warning(Key::RedirectUrl, "not secure", text);
            Url::parse(typed.trim()).ok()
        }
        Err(problem @ UrlProblem::Insecure(_)) => {
            problems.error(
                Key::RedirectUrl,
                "not this machine",
                format!("{problem}. The program can listen only on this machine"),
            );
            None
        }
        Err(problem @ (UrlProblem::Malformed(_) | UrlProblem::Partial)) => {
            let reason = match &problem {
                UrlProblem::Malformed(reason) => format!(": {reason}"),
                _ => String::new(),
            };
            problems.error(
                Key::RedirectUrl,
                problem_word(&problem),
                format!(
                    "Not a valid URL{reason}. Enter a URL such as http://localhost:8400/callback"
                ),
            );
            None
        }
        Err(problem) => {
            problems.error(
                Key::RedirectUrl,
                problem_word(&problem),
                problem.to_string(),
            );
            None
        }
        Ok(url) if listens_elsewhere => Some(url),
        Ok(url) if !is_loopback(&url) => {
            let text = format!(
                "{} is not this machine, so the program can't listen there. Use localhost or 127.0.0.1, paste the final URL \
                    after sign-in, or set Listen address if a proxy forwards requests to this machine",
                clean(url.host_str().unwrap_or_default(), 60)
            );
            problems.warning(Key::RedirectUrl, "not this machine", text);
            Some(url)
        }
        Ok(url) => Some(url),
    }
}

/// Parses a redirect URL with another scheme (RFC 8252, section 7.1), such as `com.example.app:/cb` or
/// `urn:ietf:wg:oauth:2.0:oob`. Rejects schemes that browsers and systems handle themselves.
fn of_an_app(text: &str) -> Result<Url, UrlProblem> {
    const OTHER: &[&str] = &[
        "about",
        "blob",
        "data",
        "file",
        "ftp",
        "javascript",
        "mailto",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    ];
    let url = as_written(text)?;
    let malformed = |reason: &str| Err(UrlProblem::Malformed(reason.to_owned()));
    if OTHER.contains(&url.scheme()) {
        return Err(UrlProblem::Scheme(url.scheme().to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlProblem::UserInfo);
    }
    if url.fragment().is_some() {
        return Err(UrlProblem::Fragment);
    }
    if !text.chars().all(|ch| ch.is_ascii_graphic()) {
        return malformed("it contains a character that is not ASCII");
    }
    if url.path().is_empty() && url.host_str().is_none_or(str::is_empty) {
        return malformed("it has neither a host nor a path");
    }
    Ok(url)
}

/// Checks for parameters that the service adds to the redirect URL: repeated, they would make the response invalid.
pub(super) fn check_answer_parameters(url: &Url, problems: &mut Problems) {
    let twice = url.query_pairs().find(|(name, _)| {
        ["code", "state", "error", "error_description", "iss"].contains(&name.as_ref())
    });
    if let Some((name, _)) = twice {
        let text = format!(
            "The URL's query contains {name}, which the service adds to it. Register and enter a URL without {name}"
        );
        problems.error(Key::RedirectUrl, "sent twice", text);
    }
}

/// Parses the URL of an endpoint. `complete` is true if every variable in the URLs has a value.
pub(super) fn endpoint_url(
    settings: &Settings,
    key: Key,
    complete: bool,
    problems: &mut Problems,
) -> Option<Url> {
    let text = settings.value(key);
    if !complete && settings.source(key) == Some(Source::Preset) {
        // The missing variable is already reported.
        return None;
    }
    if text.trim().is_empty() {
        problems.extend(vec![missing(settings, key)]);
        return None;
    }
    let parse = || -> Result<Url, UrlProblem> {
        let url = endpoint(&text)?;
        sets_nothing_reserved(&url, &settings.dialect())?;
        Ok(url)
    };
    match parse() {
        Ok(url) => Some(url),
        Err(problem @ UrlProblem::Parameter(_)) if settings.source(key).is_none() => {
            let text = format!("{problem}. Remove it from the URL");
            problems.error(key, problem_word(&problem), text);
            None
        }
        Err(problem) => {
            problems.error(key, problem_word(&problem), problem.to_string());
            None
        }
    }
}

/// Returns the problem that an endpoint has no URL. If the issuer's metadata doesn't list it either, another flow may work.
fn missing(settings: &Settings, key: Key) -> Problem {
    let label = key.label();
    let problem = |text: String| Problem::new(key, Severity::Error, "missing", text);
    let (member, other) = match key {
        Key::DeviceUrl => ("device_authorization_endpoint", FlowKind::AuthorizationCode),
        _ => ("authorization_endpoint", FlowKind::DeviceCode),
    };
    let Some(metadata) = settings.metadata().filter(|_| key != Key::TokenUrl) else {
        return problem(format!(
            "The {label} is missing. See the service's documentation."
        ));
    };
    let lists_other = match other {
        FlowKind::DeviceCode => metadata.device_url.is_some(),
        _ => metadata.authorization_url.is_some(),
    };
    let lacks = format!("The {label} is missing: the issuer's metadata lists no valid {member}");
    if lists_other && settings.offers(other) {
        let text = format!(
            "{lacks}. Set Flow to {}, or enter the URL from the service's documentation",
            other.label()
        );
        problem(text).with_remedy(format!("Use {}", other.label()), Change::Flow(other))
    } else {
        problem(format!(
            "{lacks}. Enter the URL from the service's documentation, or ask its administrator to turn on this flow"
        ))
    }
}

/// Checks for parameters in a URL's query that are also extra parameters, because they would be sent twice.
pub(super) fn check_sent_once(
    settings: &Settings,
    key: Key,
    url: Option<&Url>,
    extra: &[(String, String)],
    problems: &mut Problems,
) {
    let twice = url
        .into_iter()
        .flat_map(Url::query_pairs)
        .find(|(name, _)| {
            extra
                .iter()
                .any(|(extra, _)| extra.eq_ignore_ascii_case(name))
        });
    let Some((name, _)) = twice else {
        return;
    };
    let typed = settings.value(Key::ExtraParameters);
    let mut typed = url::form_urlencoded::parse(typed.trim().as_bytes());
    let hint = !settings.value(Key::LoginHint).trim().is_empty();
    let holder = if typed.any(|(typed, _)| typed.eq_ignore_ascii_case(&name)) {
        Some(Key::ExtraParameters)
    } else if hint && name.eq_ignore_ascii_case("login_hint") {
        Some(Key::LoginHint)
    } else {
        None
    };
    let label = holder.map_or("the preset", Key::label);
    let locked = settings.source(key).is_some();
    let name = clean(&name, 60);
    let remedy = match (holder, locked) {
        (Some(Key::LoginHint), true) => format!("Leave {label} empty"),
        (Some(_), true) => format!("Remove it from {label}"),
        (Some(_), false) => format!("Remove it from the URL or from {label}"),
        (None, false) => "Remove it from the URL".to_owned(),
        (None, true) => "Choose Custom settings, and remove it from Extra parameters".to_owned(),
    };
    let text = format!(
        "{name} is set in {label} and in the query of {url}. {remedy}",
        url = key.label()
    );
    // Report the problem at the field that can be changed.
    let at = holder.filter(|_| locked).unwrap_or(key);
    problems.error(at, "sent twice", text);
}

/// Parses the preset's URL for polling. Only a wrong variable makes it invalid, and that is reported at the URLs.
pub(super) fn poll_url(settings: &Settings, text: &str, problems: &mut Problems) -> Option<Url> {
    endpoint(text)
        .and_then(|url| {
            sets_nothing_reserved(&url, &settings.dialect())?;
            Ok(url)
        })
        .inspect_err(|problem| {
            problems.error(Key::TokenUrl, problem_word(problem), problem.to_string());
        })
        .ok()
}

/// Checks the issuer, which is compared as text.
pub(super) fn issuer(
    settings: &Settings,
    complete: bool,
    problems: &mut Problems,
) -> Option<String> {
    let text = settings.value(Key::Issuer).trim().to_owned();
    if text.is_empty() || !complete {
        return None;
    }
    if let Err(problem) = endpoint(&text) {
        problems.error(Key::Issuer, problem_word(&problem), problem.to_string());
        return None;
    }
    Some(text)
}

/// Returns a word or two to show next to the field.
pub(super) fn problem_word(problem: &UrlProblem) -> &'static str {
    match problem {
        UrlProblem::Malformed(_) | UrlProblem::Partial => "not a URL",
        UrlProblem::Scheme(_) => "not https",
        UrlProblem::Insecure(_) => "not secure",
        UrlProblem::UserInfo => "has a user name",
        UrlProblem::Fragment => "has a # part",
        UrlProblem::Here(_) => "this machine",
        UrlProblem::Parameter(_) => "sent twice",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::request::problems;
    use crate::presets;

    #[test]
    fn endpoint_that_metadata_lacks_is_named_with_another_flow() {
        let problem = |kind: FlowKind, other_is_there: bool| {
            let mut form = Settings::new(presets::get("custom").unwrap());
            form.set_flow(kind);
            form.set(Key::Issuer, "https://as.example".to_owned());
            let mut found = metadata("https://as.example");
            let device = kind == FlowKind::DeviceCode;
            if device || !other_is_there {
                found.device_url = None;
            }
            if !device || !other_is_there {
                found.authorization_url = None;
            }
            form.take_over(&found, Overwrite::Everything);
            let mut problems = problems(&form);
            problems.retain(|problem| problem.text.contains("metadata lists no valid"));
            problems.pop().unwrap()
        };
        let (device, code) = (FlowKind::DeviceCode, FlowKind::AuthorizationCode);
        for (kind, other, member) in [
            (device, code, "no valid device_authorization_endpoint. "),
            (code, device, "no valid authorization_endpoint. "),
        ] {
            let found = problem(kind, true);
            assert!(found.text.contains(member), "{}", found.text);
            assert_eq!(found.remedy.unwrap().change, Change::Flow(other));
            let found = problem(kind, false);
            assert!(found.text.contains("Enter the URL"), "{}", found.text);
            assert!(found.text.contains(member) && found.remedy.is_none());
        }
    }
}
