//! Detects near misses of a service's client IDs, secrets and variables. The patterns are data of its preset.

use crate::clean::{clean, trimmed};
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::meant::suggestion::use_label;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::presets::patterns::Pattern;
use crate::secret::ExposeSecret;

/// Returns the problem with a value that almost has the form that the service issues.
pub(super) fn pattern_problem(settings: &Settings, key: Key) -> Option<Problem> {
    let preset = settings.preset();
    let (field, default) = match key {
        Key::ClientId => (Pattern::CLIENT_ID, ""),
        Key::ClientSecret => (Pattern::CLIENT_SECRET, ""),
        Key::Var(position) => {
            let variable = preset.variables.get(position)?;
            (variable.name.as_str(), variable.default.as_str())
        }
        _ => return None,
    };
    let typed = settings.value(key);
    let value = match key {
        Key::ClientSecret => settings.secret().expose_secret(),
        _ => trimmed(&typed),
    };
    // The user entered nothing, so don't parse the patterns.
    if value.is_empty() || value == default {
        return None;
    }
    let (near, instead) = preset
        .all_patterns()
        .filter(|pattern| pattern.field == field)
        .find_map(|pattern| pattern.near_miss(value))?;
    let severity = if near.refused {
        Severity::Error
    } else {
        Severity::Warning
    };
    let problem = Problem::new(key, severity, "looks wrong", near.means.clone());
    // Never show a secret; only describe it.
    let Some(instead) = instead.filter(|_| key != Key::ClientSecret) else {
        return Some(problem);
    };
    let text = format!("{} Did you mean {}?", near.means, clean(&instead, 120));
    let problem = Problem::new(key, severity, "looks wrong", text);
    let label = use_label(&instead);
    let remedied = problem.with_remedy(label, Change::Text(key, instead));
    Some(remedied.guessed())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::request;
    use crate::presets::library::built_in_ids;
    use crate::presets::{CUSTOM, DEMO, Library};

    /// Returns the problem at a field after this text was entered.
    fn told(settings: &mut Settings, key: Key, typed: &str) -> Option<Problem> {
        settings.set(key, typed.to_owned());
        let problems = request::problems(settings);
        let mut told = problems.into_iter().filter(|problem| problem.key == key);
        told.find(|problem| problem.word == "looks wrong")
    }

    #[test]
    fn every_pattern_explains_its_near_misses() {
        for id in built_in_ids().filter(|id| ![CUSTOM, DEMO].contains(id)) {
            let preset = Library::default().get(id).unwrap();
            let mut settings = Settings::new(preset.clone());
            for pattern in preset.all_patterns() {
                let key = match pattern.field.as_str() {
                    Pattern::CLIENT_ID => Key::ClientId,
                    Pattern::CLIENT_SECRET => Key::ClientSecret,
                    name => {
                        let mut variables = preset.variables.iter();
                        Key::Var(variables.position(|one| one.name == name).unwrap())
                    }
                };
                let right = told(&mut settings, key, &pattern.example);
                assert_eq!(right, None, "{id}: {}", pattern.example);
                for near in &pattern.near {
                    let told = told(&mut settings, key, &near.example);
                    let Some(problem) = told else {
                        assert!(!settings.keys().contains(&key), "{id}: {}", near.example);
                        continue;
                    };
                    assert!(problem.text.starts_with(&near.means), "{id}: {problem:?}");
                    assert!(near.means.ends_with('.'), "{id}: {}", near.means);
                    let is_error = problem.severity == Severity::Error;
                    assert!(is_error || !near.refused, "{id}: {}", near.example);
                    let Some(remedy) = problem.remedy else {
                        let is_offered = near.instead.is_some() && key != Key::ClientSecret;
                        assert!(!is_offered, "{id}: {}", near.example);
                        continue;
                    };
                    settings.apply(&remedy.change);
                    let value = settings.value(key);
                    assert!(pattern.form.fits(&value), "{id}: {value}");
                    let left = request::problems(&settings);
                    assert!(left.iter().all(|left| left.key != key), "{id}: {left:?}");
                }
                settings.set(key, pattern.example.clone());
            }
        }
    }

    #[test]
    fn every_preset_has_patterns_for_its_service() {
        for id in built_in_ids().filter(|id| ![CUSTOM, DEMO].contains(id)) {
            let preset = Library::default().get(id).unwrap();
            assert!(preset.all_patterns().next().is_some(), "{id}");
        }
        let preset = Library::default().get("microsoft-mail").unwrap();
        let mut settings = Settings::new(preset);
        let guid = "11111111-2222-3333-4444-555555555555";
        let secret = told(&mut settings, Key::ClientSecret, guid).unwrap();
        assert!(secret.text.contains("Secret ID") && secret.text.contains("Value"));
        let half = told(&mut settings, Key::ClientId, &guid[..18]).unwrap();
        assert_eq!(half.severity, Severity::Error);
        let preset = Library::default().get("google-mail").unwrap();
        let id = "123456789012-abcdefghijklmnopqrstuvwxyz012345";
        let short = told(&mut Settings::new(preset), Key::ClientId, id).unwrap();
        let whole = format!("{id}.apps.googleusercontent.com");
        assert_eq!(
            short.remedy.unwrap().change,
            Change::Text(Key::ClientId, whole)
        );
    }
}
