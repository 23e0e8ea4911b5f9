//! Flags and environment variables, which override the values of a preset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::clean::clean;
use crate::form::choices::{AuthenticationChoice, Change, ListenerChoice};
use crate::form::clean_value::clean_value;
use crate::form::discovered::ENDPOINTS;
use crate::form::field::Key;
use crate::form::meant;
use crate::form::problem::Remedy;
use crate::form::settings::Settings;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::CUSTOM;
use crate::secret::{ExposeSecret, SecretString};

/// The settings from flags and environment variables.
#[derive(Debug, Default)]
pub struct Overrides {
    /// The values of text fields.
    pub values: BTreeMap<Key, String>,
    /// The variables of the preset, by name.
    pub variables: Vec<(String, String)>,
    /// The client secret.
    pub secret: Option<SecretString>,
    /// What is wrong with the source of the secret, as a sentence.
    pub secret_notice: Option<String>,
    /// The flow to use.
    pub flow: Option<FlowKind>,
    /// How the client authenticates.
    pub authentication: Option<AuthenticationChoice>,
    /// Whether PKCE is used.
    pub pkce: Option<bool>,
    /// The listener that waits for the browser.
    pub listener: Option<ListenerChoice>,
    /// Hosts that are trusted for endpoints of an issuer on another host.
    pub trusted_hosts: BTreeSet<String>,
    /// The flags and environment variables that set the text fields.
    pub sources: BTreeMap<Key, String>,
    /// The flag or environment variable that set the variables of the preset.
    pub variable_source: String,
}

/// A flag or environment variable that the preset doesn't allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// The preset locks the value.
    #[error("The preset {preset} locks {label}. Omit {source_name}, or use --preset {CUSTOM}.", label = .key.label())]
    Locked {
        /// The flag or environment variable.
        source_name: String,
        /// The locked field.
        key: Key,
        /// The name of the preset.
        preset: String,
    },
    /// The preset has no such variable.
    #[error("{source_name}: the preset {preset} has no variable \"{name}\".{known}")]
    NoVariable {
        /// The flag or environment variable.
        source_name: String,
        /// The name as entered.
        name: String,
        /// The name of the preset.
        preset: String,
        /// The variables of the preset, as a sentence.
        known: String,
    },
    /// The service doesn't offer the flow.
    #[error("{preset} does not support the flow \"{}\".", .flow.label())]
    NoFlow {
        /// The flow as entered.
        flow: FlowKind,
        /// The name of the preset.
        preset: String,
    },
}

impl Settings {
    /// Overrides the values of the preset with flags and environment variables.
    ///
    /// # Errors
    /// Returns an error if the preset doesn't allow one of them.
    pub fn lay_over(&mut self, overrides: Overrides) -> Result<(), OverrideError> {
        let preset = Arc::clone(&self.preset);
        let sources = overrides.sources.clone();
        let locked = |key| OverrideError::Locked {
            source_name: sources
                .get(&key)
                .cloned()
                .unwrap_or_else(|| "it".to_owned()),
            key,
            preset: preset.name.clone(),
        };
        if let Some(flow) = overrides.flow {
            if !preset.offers(flow) {
                return Err(OverrideError::NoFlow {
                    flow,
                    preset: preset.name.clone(),
                });
            }
            self.choose_flow(flow);
        }
        for (name, value) in overrides.variables {
            let position = preset
                .variables
                .iter()
                .position(|variable| variable.name == name);
            let Some(position) = position.filter(|_| !preset.embedded_server) else {
                let names: Vec<&str> = preset
                    .variables
                    .iter()
                    .map(|variable| variable.name.as_str())
                    .collect();
                let known = if names.is_empty() {
                    String::new()
                } else {
                    format!(" It has: {}.", names.join(", "))
                };
                return Err(OverrideError::NoVariable {
                    source_name: overrides.variable_source,
                    name: clean(&name, 40),
                    preset: preset.name.clone(),
                    known,
                });
            };
            let source = format!("{} {name}", overrides.variable_source);
            self.draft.sources.insert(Key::Var(position), source);
            self.take_cleaned(Key::Var(position), &value);
        }
        self.draft.sources.extend(overrides.sources);
        for (key, value) in overrides.values {
            if self.preset_text(key).is_some() {
                return Err(locked(key));
            }
            self.draft.own_urls |= ENDPOINTS.contains(&key);
            self.draft.own_issuer |= key == Key::Issuer;
            self.take_cleaned(key, &value);
        }
        if let Some(listener) = overrides.listener {
            self.listener = listener;
        }
        self.trusted_hosts.extend(overrides.trusted_hosts);
        if let Some(on) = overrides.pkce {
            if self.pkce_is_fixed() && on != self.draft.pkce {
                return Err(locked(Key::Pkce));
            }
            self.draft.pkce = on;
        }
        if let Some(choice) = overrides.authentication {
            self.draft.authentication = choice;
        }
        if let Some(secret) = overrides.secret {
            let cleaned = clean_value(Key::ClientSecret, secret.expose_secret());
            self.note(Key::ClientSecret, cleaned.note);
            self.draft.secret = SecretString::from(cleaned.text);
            self.draft.secret_notice = overrides.secret_notice;
        }
        self.take_meant();
        Ok(())
    }

    /// Applies the suggestions that are certain to values from flags and environment variables, with a note.
    fn take_meant(&mut self) {
        for problem in meant::problems(self) {
            let Some(Remedy {
                change: Change::Text(key, text),
                guessed: false,
                ..
            }) = problem.remedy
            else {
                continue;
            };
            if self.draft.sources.contains_key(&key) {
                // The original value may contain a password, so show only the corrected one.
                let note = format!("The value was corrected to {}.", clean(&text, 160));
                self.note(key, Some(note));
                self.draft.values.insert(key, text);
            }
        }
    }

    fn take_cleaned(&mut self, key: Key, value: &str) {
        let cleaned = clean_value(key, value);
        self.note(key, cleaned.note);
        self.draft.values.insert(key, cleaned.text);
    }

    fn note(&mut self, key: Key, note: Option<String>) {
        match note {
            Some(note) => self.draft.notices.insert(key, note),
            None => self.draft.notices.remove(&key),
        };
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::presets;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    #[test]
    fn flags_that_do_not_fit_the_preset_are_refused() {
        let over = |id: &str, overrides| settings(id).lay_over(overrides).unwrap_err().to_string();
        let token_url = Overrides {
            values: BTreeMap::from([(Key::TokenUrl, "https://x.example/".to_owned())]),
            ..Overrides::default()
        };
        assert!(over("github", token_url).contains("locks Token ex. URL"));
        let variable = Overrides {
            variables: vec![("tenant".to_owned(), "x".to_owned())],
            ..Overrides::default()
        };
        assert!(over("keycloak", variable).contains("It has: host, realm."));
    }
}
