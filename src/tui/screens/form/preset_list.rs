//! The list of presets: those that match the typed text, the best match first.

use std::sync::Arc;

use crate::clean::clean;
use crate::form::settings::Settings;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::format::mail_domain;
use crate::presets::search::Fit;
use crate::presets::{Confidence, Library, Preset, PresetError};
use crate::tui::dialog::{List, ListEntry};
use crate::tui::widgets::said::Said;

/// All presets, loaded when the list is first opened, because reading them takes a while.
#[derive(Debug, Default)]
pub(super) struct PresetList(Vec<Arc<Preset>>);

/// The prefix of the key for Custom settings with the previously entered URLs.
const AGAIN: &str = "again:";

/// Returns the key of an entry. `again` is for Custom settings with the previously entered URLs.
pub(super) fn key(preset: &Preset, again: bool) -> String {
    let mark = if again { AGAIN } else { "" };
    format!("{mark}{}", preset.id)
}

impl PresetList {
    /// Loads the presets.
    ///
    /// # Errors
    /// Returns an error if a built-in preset is malformed.
    pub(super) fn load(&mut self, library: &Library) -> Result<(), PresetError> {
        self.0 = library.all()?;
        Ok(())
    }

    /// Reloads the presets, if they were loaded.
    pub(super) fn reload(&mut self, library: &Library) {
        if !self.0.is_empty()
            && let Ok(presets) = library.all()
        {
            self.0 = presets;
        }
    }

    /// Returns the preset of an entry, and whether it is Custom settings with the previously entered URLs.
    pub(super) fn find(&self, entry: &str) -> Option<(Arc<Preset>, bool)> {
        let again = entry.strip_prefix(AGAIN);
        let id = again.unwrap_or(entry);
        let preset = self.0.iter().find(|preset| preset.id == id)?;
        Some((Arc::clone(preset), again.is_some()))
    }

    /// Returns the presets that match the typed text, the best match first. Custom settings, which supports any
    /// service, is always offered.
    pub(super) fn list(&self, typed: &str, settings: &Settings) -> List {
        let mut fitting: Vec<(Fit, &Arc<Preset>)> = self
            .0
            .iter()
            .filter_map(|preset| Some((preset.fit(typed)?, preset)))
            .collect();
        fitting.sort_by(|(a, _), (b, _)| a.cmp(b));
        let found = !fitting.is_empty();
        let custom = |preset: &&Arc<Preset>| preset.is_custom();
        if !fitting.iter().any(|(_, preset)| preset.is_custom()) {
            let custom = self.0.iter().find(custom);
            fitting.extend(custom.map(|preset| (Fit::Somewhere, preset)));
        }
        let again = settings.has_custom_before();
        let mut entries = Vec::new();
        for (fit, preset) in fitting {
            let mut said = about(preset);
            if !found {
                said = self.nothing_found(typed);
            }
            entries.push(ListEntry {
                key: key(preset, false),
                name: preset.name.clone(),
                about: offers(preset),
                state: state(preset, &fit, typed),
                said,
                ..ListEntry::default()
            });
            if preset.is_custom() && again {
                entries.push(ListEntry {
                    key: key(preset, true),
                    name: format!("{}, as before", preset.name),
                    about: "any service".to_owned(),
                    said: vec![Said::new(
                        "Custom settings",
                        "The URLs that you entered before.",
                    )],
                    ..ListEntry::default()
                });
            }
        }
        List {
            head: "Choose a preset".to_owned(),
            entries,
            page: true,
            ..List::default()
        }
    }

    /// Returns the message if no preset matches the typed text.
    fn nothing_found(&self, typed: &str) -> Vec<Said> {
        let shown = clean(typed.trim(), 40);
        let text = if mail_domain(typed).is_some() {
            format!(
                "No preset covers {shown}. Type the name of the service that hosts its mail, or press Enter to use Custom \
                 settings."
            )
        } else {
            format!(
                "No preset matches \"{shown}\". Press Enter to use Custom settings, or Backspace to search again."
            )
        };
        let mut said = vec![Said::new("No match", text)];
        let near: Vec<(&str, &str)> = self
            .0
            .iter()
            .filter_map(|preset| Some((preset.nearly(typed)?, preset.name.as_str())))
            .collect();
        if let Some((alias, _)) = near.first() {
            let names: Vec<&str> = near.iter().map(|(_, name)| *name).take(3).collect();
            said.push(Said::new(
                "Nearest",
                format!("{alias}: {}", names.join(", ")),
            ));
        }
        said
    }
}

/// Returns the flows of a preset, in a word or two each.
fn offers(preset: &Preset) -> String {
    if preset.is_custom() {
        return "any service".to_owned();
    }
    let words = |flow: &FlowKind| match flow {
        FlowKind::DeviceCode => "device",
        FlowKind::AuthorizationCode => "browser",
        FlowKind::ClientCredentials => "no user",
        FlowKind::JwtBearer => "service account",
    };
    let words: Vec<&str> = preset.flows.offered.iter().map(words).collect();
    words.join(", ")
}

/// Returns why the preset is in the list if its name doesn't show that, or else whether the preset is unverified.
fn state(preset: &Preset, fit: &Fit, typed: &str) -> String {
    match fit {
        Fit::Alias(alias) => format!("matches \"{alias}\""),
        Fit::Domain(domain) if !typed.is_empty() => format!("matches {domain}"),
        _ if preset.confidence != Confidence::High => "unverified".to_owned(),
        _ => String::new(),
    }
}

/// Returns the message about a preset.
fn about(preset: &Preset) -> Vec<Said> {
    if preset.is_custom() {
        let text = "Enter every setting yourself. Nothing is locked. If you know the issuer, Discover fills in the rest.";
        return vec![Said::new("Custom settings", text)];
    }
    let mut said = Vec::new();
    if let Some(note) = &preset.confidence_note {
        let label = match preset.confidence {
            Confidence::High => "Note",
            Confidence::Medium | Confidence::Low => "Unverified",
        };
        said.push(Said::new(label, note.clone()));
    } else if let Some(why) = &preset.flows.why {
        said.push(Said::new("About", why.clone()));
    } else if let Some(note) = preset.notes.first() {
        said.push(Said::new("About", note.clone()));
    }
    if !preset.keywords.is_empty() {
        said.push(Said::new("Also known as", preset.keywords.join(", ")));
    }
    said
}
