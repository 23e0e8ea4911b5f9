//! Suggests corrections for a variable of a preset if a URL or more than the value was pasted.

use std::net::Ipv6Addr;

use url::Url;

use crate::clean::{clean, trimmed};
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::meant::suggestion::{character, use_label};
use crate::form::meant::unfilled::is_unfilled;
use crate::form::meant::url::repaired;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::form::wrapping::{only_names_a_value, unwrapped};
use crate::oauth::url::as_written;

/// The place of a variable in the URLs of its preset.
enum Place {
    /// The host, with a port, and with a path if the service is below a path. Contains the path after the variable.
    Host(String),
    /// A part of the host, with the text before and after it.
    PartOfHost(String, String),
    /// A segment of the path, counted from 0.
    Segment(usize),
}

/// Returns the problem with the variable at this position.
pub(super) fn variable_problem(settings: &Settings, position: usize) -> Option<Problem> {
    let key = Key::Var(position);
    let variable = settings.preset().variables.get(position)?;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    if typed.is_empty() {
        return None;
    }
    let label = &variable.label;
    let bare = unwrapped(typed).map_or_else(|| typed.to_owned(), |value| value.text);
    let bracketed = typed.contains(['<', '{']);
    if (bracketed && (only_names_a_value(&bare) || bare == variable.name)) || is_unfilled(typed) {
        let help = variable.help.as_deref().unwrap_or_default();
        let text = format!(
            "{} is a placeholder. Enter your own {label}. {help}",
            clean(typed, 60)
        );
        return Some(Problem::new(key, Severity::Error, "placeholder", text));
    }
    let place = place(settings, position);
    let meant = match &place {
        Some(Place::Host(path)) => host(&bare, path),
        Some(Place::PartOfHost(before, behind)) => part_of_host(&bare, before, behind),
        Some(Place::Segment(index)) => segment(&bare, *index),
        None => (bare != typed).then(|| bare.clone()),
    };
    let fits = meant.as_deref() == Some(typed) || (meant.is_none() && place.is_none());
    if fits {
        return None;
    }
    let what = what(&bare, place.as_ref());
    let severity = if place.is_some() {
        Severity::Error
    } else {
        Severity::Warning
    };
    let Some(meant) = meant else {
        let help = variable.help.as_deref().unwrap_or_default();
        let text = format!("{label} {what}. {help}");
        return Some(Problem::new(key, severity, "malformed", text));
    };
    let text = format!("{label} {what}. Did you mean {}?", clean(&meant, 120));
    let name = use_label(&meant);
    let problem = Problem::new(key, severity, "malformed", text);
    Some(problem.with_remedy(name, Change::Text(key, meant)))
}

/// Returns what is wrong with a value, as the end of a sentence that begins with its label.
fn what(value: &str, place: Option<&Place>) -> String {
    let Some(place) = place else {
        return "contains extra text".to_owned();
    };
    if let Some(ch) = value.chars().find(|ch| !ch.is_ascii()) {
        return format!("can't contain {}", character(ch));
    }
    if value.contains(' ') && !value.contains(['/', ':', '<', '>']) {
        return "can't contain spaces".to_owned();
    }
    let numbers = value.split(['/', ':']).next().unwrap_or_default();
    if matches!(place, Place::Host(_))
        && numbers.starts_with(|ch: char| ch.is_ascii_digit())
        && numbers.bytes().all(|ch| ch.is_ascii_digit() || ch == b'.')
    {
        return "must be a host name or a complete IP address".to_owned();
    }
    match place {
        Place::Host(_) => "must be a host name, without https:// and without a trailing slash",
        Place::PartOfHost(..) => "must be part of a host name, without / : < > and spaces",
        Place::Segment(_) => "must be one part of a URL, without / : < > and spaces",
    }
    .to_owned()
}

/// Returns the place of the variable in the first URL that contains it.
fn place(settings: &Settings, position: usize) -> Option<Place> {
    let preset = settings.preset();
    let placeholder = format!("{{{}}}", preset.variables.get(position)?.name);
    let (_, url) = preset
        .addresses()
        .find(|(_, url)| url.contains(&placeholder))?;
    let (_, rest) = url.split_once("://")?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    if authority == placeholder {
        return Some(Place::Host(path.to_owned()));
    }
    if let Some((before, behind)) = authority.split_once(&placeholder) {
        return Some(Place::PartOfHost(before.to_owned(), behind.to_owned()));
    }
    let mut segments = path.split(['/', '?']);
    let index = segments.position(|segment| segment == placeholder)?;
    Some(Place::Segment(index))
}

fn is_legal(value: &str, also: &str) -> bool {
    !is_dots(value)
        && value.chars().all(|ch| {
            ch.is_ascii_graphic() && (also.contains(ch) || !"/:<>{}?#@\\\"'`,;|^[]()".contains(ch))
        })
}

/// Returns whether the value is empty or a dot segment such as `..`, which URLs remove (RFC 3986, section 5.2.4).
fn is_dots(value: &str) -> bool {
    let value = value.to_ascii_lowercase().replace("%2e", ".");
    value.bytes().all(|byte| byte == b'.')
}

/// Returns the host of a URL with its port, and with the path before the part that the preset adds.
fn host(value: &str, path: &str) -> Option<String> {
    if value.parse::<Ipv6Addr>().is_ok() {
        return Some(format!("[{value}]"));
    }
    let url = if is_legal(value, "/:[]")
        && !value.contains("//")
        && !value.contains(":/")
        && !value.starts_with('/')
    {
        // A single word is also a host.
        as_written(&format!("https://{value}")).ok()?
    } else {
        as_written(&repaired(value)).ok()?
    };
    let mut meant = url.host_str()?.to_owned();
    if meant.contains('*') {
        return None;
    }
    let is_same = value.len() >= meant.len()
        && value.is_char_boundary(meant.len())
        && value[..meant.len()].eq_ignore_ascii_case(&meant);
    if is_same {
        value[..meant.len()].clone_into(&mut meant);
    }
    if let Some(port) = url.port() {
        meant.push_str(&format!(":{port}"));
    }
    let below = url.path().trim_end_matches('/');
    let added = path.split(['/', '{']).next().unwrap_or_default();
    let below = below
        .split("/.well-known/")
        .next()
        .and_then(|below| match added {
            "" => Some(below),
            added => format!("{below}/")
                .split(&format!("/{added}/"))
                .next()
                .map(|it| &below[..it.len().min(below.len())]),
        })
        .unwrap_or_default();
    Some(meant + below)
}

/// Returns the part of a host between `before` and `behind`.
fn part_of_host(value: &str, before: &str, behind: &str) -> Option<String> {
    let value = value.trim_matches('/');
    let host = if is_legal(value, "") {
        value.to_owned()
    } else {
        as_written(&repaired(value)).ok()?.host_str()?.to_owned()
    };
    let mut meant = host.strip_suffix(behind).unwrap_or(&host);
    // Try all of `before`, then without its first labels.
    let starts = before
        .char_indices()
        .filter(|(at, _)| *at == 0 || before[..*at].ends_with('.'));
    for (at, _) in starts {
        if let Some(rest) = meant.strip_prefix(&before[at..]) {
            meant = rest;
            break;
        }
    }
    let meant = meant.trim_start_matches('.');
    is_legal(meant, "").then(|| meant.to_owned())
}

/// Returns the segment of a URL's path at this index, or its only segment.
fn segment(value: &str, index: usize) -> Option<String> {
    if is_legal(value, "") {
        return Some(value.to_owned());
    }
    let slim = value.trim_matches('/');
    if is_legal(slim, "") {
        return Some(slim.to_owned());
    }
    let url = Url::parse(&repaired(value)).ok()?;
    let segment = url.path_segments()?.nth(index)?.to_owned();
    let decoded = url::form_urlencoded::parse(format!("x={segment}").as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())?;
    (is_legal(&decoded, "") && !only_names_a_value(&decoded)).then_some(decoded)
}
