//! Suggests corrections for fields that contain a URL: endpoints, issuer, redirect URL.

use crate::clean::{clean, trimmed};
use crate::form::choices::Change;
use crate::form::field::{Access, Key};
use crate::form::meant::suggestion::suggested;
use crate::form::meant::url::{placeholder, repaired, with_small_scheme};
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::form::url_fields::problem_word;
use crate::form::wrapping::unwrapped;
use crate::oauth::issuer::issuer_of_address;
use crate::oauth::url::{UrlProblem, endpoint};
use crate::presets::format::mail_domain;

/// Returns the URL that was meant, if it can be used.
fn usable(text: &str) -> Option<String> {
    let url = repaired(text);
    let url = match url.split_once('#') {
        Some((url, _)) => url.to_owned(),
        None => url,
    };
    match endpoint(&url) {
        Ok(_) => Some(url),
        Err(UrlProblem::Insecure(_)) => {
            let url = url.replacen("http:", "https:", 1);
            endpoint(&url).is_ok().then_some(url)
        }
        Err(_) => None,
    }
}

fn is_left_open(settings: &Settings, key: Key, typed: &str) -> Option<Problem> {
    let bare = unwrapped(typed).map_or_else(|| typed.to_owned(), |value| value.text);
    let name = placeholder(&bare)?;
    let text = format!(
        "{} contains the placeholder {name}. Replace it with your own value",
        settings.label(key)
    );
    Some(Problem::new(key, Severity::Error, "placeholder", text))
}

/// Returns why a URL can't be correct.
fn reason(text: &str) -> String {
    endpoint(text).err().map_or_else(
        || "The URL is incomplete or contains extra text".to_owned(),
        |problem| problem.to_string(),
    )
}

fn word(text: &str) -> &'static str {
    endpoint(text)
        .err()
        .map_or("not a URL", |problem| problem_word(&problem))
}

pub(super) fn endpoint_url(settings: &Settings, key: Key) -> Option<Problem> {
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    if typed.is_empty() {
        return None;
    }
    if let Some(open) = is_left_open(settings, key, typed) {
        return Some(open);
    }
    let meant = usable(typed);
    if let Some(issuer) = meant.as_deref().and_then(issuer_of_address) {
        let label = settings.label(key);
        let text = format!(
            "This is the metadata URL, not the {label}. Enter {} as Issuer, leave {label} empty, and use Discover",
            clean(&issuer, 120)
        );
        let problem = Problem::new(key, Severity::Error, "metadata", text);
        let free = settings.access(Key::Issuer) == Access::Editable;
        return Some(if free {
            let change = Change::Move {
                from: key,
                to: Key::Issuer,
                text: issuer,
            };
            problem.with_remedy("Use it as Issuer", change)
        } else {
            problem
        });
    }
    let meant = meant.filter(|meant| meant != typed)?;
    let reason = if meant.eq_ignore_ascii_case(typed) {
        "The scheme and the host of a URL must be in lowercase".to_owned()
    } else {
        reason(typed)
    };
    Some(suggested(
        settings,
        key,
        Severity::Error,
        word(typed),
        &reason,
        Some(meant),
    ))
}

/// Returns the email address in a text, without what mail programs write around it.
fn mail_address(text: &str) -> Option<String> {
    let inner = match (text.find('<'), text.strip_suffix('>')) {
        (Some(at), Some(before)) => &before[at + 1..],
        _ => text,
    };
    // In a URL without its scheme, such as `user:password@host`, the user is not a label.
    if let Some((user, rest)) = trimmed(inner).split_once(':')
        && !rest.starts_with(char::is_whitespace)
        && !user.to_ascii_lowercase().contains("mail")
    {
        return None;
    }
    let bare = unwrapped(inner).map_or_else(|| inner.to_owned(), |value| value.text);
    let address = bare.trim().trim_start_matches("mailto:");
    mail_domain(address).map(|_| address.to_owned())
}

/// Returns the problem for an email address entered as issuer.
fn no_issuer(settings: &Settings, address: String) -> Problem {
    let text = format!(
        "{} is an email address. Enter the URL of the service that signs you in, such as https://login.example.com, or choose \
         Discover to find the preset of this address",
        clean(&address, 80)
    );
    let problem = Problem::new(Key::Issuer, Severity::Error, "not a URL", text);
    if settings.access(Key::LoginHint) != Access::Editable {
        return problem;
    }
    let change = Change::Move {
        from: Key::Issuer,
        to: Key::LoginHint,
        text: address,
    };
    problem.with_remedy("Move it to Login hint", change)
}

pub(super) fn issuer(settings: &Settings) -> Option<Problem> {
    let key = Key::Issuer;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    if typed.is_empty() {
        return None;
    }
    if let Some(address) = mail_address(typed) {
        return Some(no_issuer(settings, address));
    }
    if let Some(open) = is_left_open(settings, key, typed) {
        return Some(open);
    }
    let meant = usable(typed);
    if let Some(issuer) = meant.as_deref().and_then(issuer_of_address) {
        let text = "This is the metadata URL, not the issuer";
        return Some(suggested(
            settings,
            key,
            Severity::Error,
            "metadata",
            text,
            Some(issuer),
        ));
    }
    if let Ok(url) = endpoint(typed)
        && url.query().is_some()
    {
        let meant = typed.split('?').next().map(str::to_owned);
        let text = "An issuer can't have a query (RFC 8414, section 2)";
        let mut problem = suggested(settings, key, Severity::Error, "has a query", text, meant);
        // Without its query, the URL may be that of another service, so don't correct a flag like this.
        if let Some(remedy) = &mut problem.remedy {
            remedy.guessed = true;
        }
        return Some(problem);
    }
    let meant = with_small_scheme(&meant?);
    if meant == typed {
        return None;
    }
    let why = if endpoint(typed).is_ok() && with_small_scheme(typed) == meant {
        "An issuer must match exactly, and starts with https:// in lowercase".to_owned()
    } else {
        reason(typed)
    };
    Some(suggested(
        settings,
        key,
        Severity::Error,
        word(typed),
        &why,
        Some(meant),
    ))
}

pub(super) fn redirect_url(settings: &Settings) -> Option<Problem> {
    let key = Key::RedirectUrl;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    if typed.is_empty() {
        return None;
    }
    if let Some(open) = is_left_open(settings, key, typed) {
        return Some(open);
    }
    let meant = repaired(typed);
    // The scheme is sent as registered, even in capital letters.
    let is_same = meant == typed || (meant == with_small_scheme(typed) && endpoint(typed).is_ok());
    if is_same || endpoint(&meant).is_err() {
        return None;
    }
    let why = match endpoint(typed) {
        // The start of the text looks like a scheme.
        Err(UrlProblem::Scheme(_)) => "A redirect URL starts with http:// or https://".to_owned(),
        _ => reason(typed),
    };
    Some(suggested(
        settings,
        key,
        Severity::Error,
        word(typed),
        &why,
        Some(meant),
    ))
}
