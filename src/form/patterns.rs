//! Near misses of a service's client IDs, secrets and variables: data of its preset.

use crate::clean::{clean, trimmed};
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::presets::patterns::Pattern;
use crate::secret::ExposeSecret;

/// What is wrong with a value that is nearly of the form that the service gives out.
pub(super) fn pattern_problem(settings: &Settings, key: Key) -> Option<Problem> {
    let preset = settings.preset();
    let field = match key {
        Key::ClientId => Pattern::CLIENT_ID,
        Key::ClientSecret => Pattern::CLIENT_SECRET,
        Key::Var(position) => &preset.variables.get(position)?.name,
        _ => return None,
    };
    let typed = settings.value(key);
    let value = match key {
        Key::ClientSecret => settings.secret().expose_secret(),
        _ => trimmed(&typed),
    };
    let (near, instead) = preset
        .patterns
        .iter()
        .filter(|pattern| pattern.field == field)
        .find_map(|pattern| pattern.near_miss(value))?;
    let problem = Problem::new(key, Severity::Warning, "looks wrong", near.means.clone());
    // A secret is told in words only.
    let Some(instead) = instead.filter(|_| key != Key::ClientSecret) else {
        return Some(problem);
    };
    let text = format!("{} Did you mean {}?", near.means, clean(&instead, 120));
    let problem = Problem::new(key, Severity::Warning, "looks wrong", text);
    let label = format!("Use {}", clean(&instead, 30));
    Some(problem.with_remedy(label, Change::Text(key, instead)))
}
