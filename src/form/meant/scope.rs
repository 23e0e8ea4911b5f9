//! Suggests corrections for scopes: known scopes, separated by spaces.

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::meant::suggestion::use_label;
use crate::form::meant::unfilled::is_unfilled;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::form::wrapping::only_names_a_value;

/// The scopes of OpenID Connect, which most services support.
const STANDARD: &[&str] = &[
    "openid",
    "profile",
    "email",
    "address",
    "phone",
    "offline_access",
];
/// Minimum length of a name. Shorter names are too similar to others.
const SHORTEST: usize = 4;

/// Returns the problem with the scopes.
pub(super) fn scope_problem(settings: &Settings) -> Option<Problem> {
    let typed = settings.value(Key::Scope);
    placeholder(&typed)
        .or_else(|| label(&typed))
        .or_else(|| separators(settings, &typed))
        .or_else(|| wrong_character(&typed))
        .or_else(|| near_miss(settings))
}

/// Checks for a placeholder from an instruction, such as `<scope>`.
fn placeholder(typed: &str) -> Option<Problem> {
    let is_one =
        |word: &&str| is_unfilled(word) || (word.starts_with('<') && only_names_a_value(word));
    let word = typed.split_whitespace().find(is_one)?;
    let text = format!(
        "{} is a placeholder. Enter the scopes that you need",
        clean(word, 60)
    );
    Some(Problem::new(
        Key::Scope,
        Severity::Error,
        "placeholder",
        text,
    ))
}

fn suggestion(severity: Severity, word: &'static str, text: &str, meant: String) -> Problem {
    let text = format!("{text}. Did you mean {}?", clean(&meant, 200));
    let label = use_label(&meant);
    Problem::new(Key::Scope, severity, word, text)
        .with_remedy(label, Change::Text(Key::Scope, meant))
}

/// Checks for a label before the scopes: `scope=a b`, `scopes: a b`, `"scope": "a b"`.
fn label(typed: &str) -> Option<Problem> {
    let is_quote = |ch: char| ch == '"' || ch == '\'';
    let bare = typed.trim().trim_start_matches(is_quote);
    let (head, rest) = bare.split_at_checked(5)?;
    let rest = rest.strip_prefix(['s', 'S']).unwrap_or(rest);
    let rest = rest.trim_start_matches(is_quote).trim_start();
    let rest = rest.strip_prefix(['=', ':'])?;
    let meant = rest
        .trim()
        .trim_matches(|ch| is_quote(ch) || ch == ',')
        .trim();
    if !head.eq_ignore_ascii_case("scope") || meant.is_empty() || rest.starts_with("//") {
        return None;
    }
    let text = "Enter only the scopes, without a label";
    Some(suggestion(
        Severity::Error,
        "extra text",
        text,
        meant.to_owned(),
    ))
}

/// Checks for commas, semicolons, quotation marks and escapes between scopes instead of spaces.
fn separators(settings: &Settings, typed: &str) -> Option<Problem> {
    let own = &settings.preset().scope.separator;
    let foreign: Vec<char> = [',', ';', '"', '\'', '[', ']', '“', '”']
        .into_iter()
        .filter(|ch| !own.contains(*ch))
        .collect();
    let decoded = if typed.contains("%20") || typed.contains("%2F") || typed.contains("%3A") {
        // Decode the text like the query of a URL.
        let form = format!("x={}", typed.replace('&', "%26"));
        url::form_urlencoded::parse(form.as_bytes())
            .next()
            .map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    } else {
        typed.to_owned()
    };
    let meant: Vec<&str> = decoded
        .split(|ch: char| ch.is_whitespace() || foreign.contains(&ch))
        .filter(|scope| !scope.is_empty())
        .collect();
    let meant = meant.join(" ");
    let found = decoded != typed || typed.chars().any(|ch| foreign.contains(&ch));
    if !found || meant.is_empty() {
        return None;
    }
    let severity = if typed.contains(['"', '“', '”']) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let text = "Separate scopes with spaces";
    Some(suggestion(severity, "separators", text, meant))
}

/// Checks for a character that no scope may contain (RFC 6749, section 3.3).
fn wrong_character(typed: &str) -> Option<Problem> {
    let wrong =
        |ch: char| !(ch.is_ascii_graphic() || ch.is_whitespace()) || ch == '"' || ch == '\\';
    let (place, ch) = (1..).zip(typed.chars()).find(|(_, ch)| wrong(*ch))?;
    let name = super::suggestion::character(ch);
    let meant: String = typed.chars().filter(|ch| !wrong(*ch)).collect();
    let text = format!("Character {place} of Scope is {name}, which isn't allowed in a scope");
    Some(if crate::clean::is_visible(ch) && ch != '\\' {
        let text = format!("{text}. Enter the scope without it");
        Problem::new(Key::Scope, Severity::Error, "wrong character", text)
    } else {
        suggestion(Severity::Error, "wrong character", &text, meant)
    })
}

/// Checks for a scope that is almost the same as a known scope.
fn near_miss(settings: &Settings) -> Option<Problem> {
    let scopes = settings.scopes();
    let mut known: Vec<String> = settings
        .scope_list()
        .into_iter()
        .map(|(scope, _)| scope)
        .collect();
    let of_preset = &settings.preset().scope;
    known.extend(
        of_preset
            .default
            .iter()
            .chain(&of_preset.device_allowed)
            .cloned(),
    );
    known.extend(of_preset.resource_free.iter().cloned());
    if known.is_empty() || known.iter().any(|scope| scope == "openid") {
        known.extend(STANDARD.iter().map(|scope| (*scope).to_owned()));
    }
    let (scope, meant) = scopes
        .iter()
        .find_map(|scope| Some((scope, like(scope, &known)?)))?;
    let all: Vec<&str> = scopes
        .iter()
        .map(|one| if one == scope { meant } else { one })
        .collect();
    let text = format!(
        "{} is not a known scope of this service. Did you mean {}?",
        clean(scope, 80),
        clean(meant, 80)
    );
    let label = use_label(last_part(meant));
    let problem = Problem::new(Key::Scope, Severity::Warning, "not known", text);
    let remedied = problem.with_remedy(label, Change::Text(Key::Scope, all.join(" ")));
    Some(remedied.guessed())
}

/// Returns the part of a scope after its resource.
fn last_part(scope: &str) -> &str {
    let name = scope.trim_end_matches('/').rsplit('/').next();
    name.filter(|name| !name.is_empty()).unwrap_or(scope)
}

/// Returns the known scope that `scope` probably means; `None` if it is known, or similar to no known scope.
fn like<'a>(scope: &str, known: &'a [String]) -> Option<&'a str> {
    if known.iter().any(|one| one == scope) {
        return None;
    }
    // Only the name of a known scope, or the same in other case.
    let lower = scope.to_lowercase();
    let same = known.iter().find(|one| {
        one.to_lowercase() == lower
            || (!scope.contains("://")
                && one.contains("://")
                && last_part(one).eq_ignore_ascii_case(scope))
    });
    if let Some(same) = same {
        return Some(same);
    }
    let (resource, name) = scope.split_at(scope.len() - last_part(scope).len());
    let limit = if name.len() < 8 { 1 } else { 2 };
    let length = name.chars().count();
    let candidates = known.iter().filter(|one| {
        let there = last_part(one);
        let (other, _) = one.split_at(one.len() - there.len());
        // The same name at another resource is a different scope.
        (resource.is_empty() || other == resource)
            && there.len() >= SHORTEST
            && name.len() >= SHORTEST
            // Comparing long texts is slow.
            && there.chars().count().abs_diff(length) <= limit
            && there.chars().next().map(|ch| ch.to_ascii_lowercase())
                == name.chars().next().map(|ch| ch.to_ascii_lowercase())
    });
    let near = |one: &&String| {
        let (one, name) = (last_part(one).to_lowercase(), name.to_lowercase());
        strsim::damerau_levenshtein(&one, &name)
    };
    let meant = candidates.min_by_key(near)?;
    (near(&meant) <= limit).then_some(meant.as_str())
}
