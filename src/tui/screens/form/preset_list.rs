//! The list of presets: which ones fit what was typed, and in which order.

use std::sync::Arc;

use crate::form::settings::Settings;
use crate::presets::format::mail_domain;
use crate::presets::{Library, Preset, PresetError};
use crate::tui::dialog::{List, ListEntry};

/// All presets, once the list was opened: reading them takes a while.
#[derive(Debug, Default)]
pub(super) struct PresetList(Vec<Arc<Preset>>);

/// Before the name of "Custom settings" with the URLs typed before.
const AGAIN: &str = "again:";

/// The key of an entry. `again` is for "Custom settings" with the URLs typed before.
pub(super) fn key(preset: &Preset, again: bool) -> String {
    let mark = if again { AGAIN } else { "" };
    format!("{mark}{}", preset.id)
}

impl PresetList {
    /// Reads the presets.
    ///
    /// # Errors
    /// When a built-in one is malformed.
    pub(super) fn load(&mut self, library: &Library) -> Result<(), PresetError> {
        self.0 = library.all()?;
        Ok(())
    }

    /// Reads them again, if they were read.
    pub(super) fn reload(&mut self, library: &Library) {
        if !self.0.is_empty()
            && let Ok(presets) = library.all()
        {
            self.0 = presets;
        }
    }

    /// The preset of an entry, and whether it is "Custom settings" with the URLs typed before.
    pub(super) fn find(&self, entry: &str) -> Option<(Arc<Preset>, bool)> {
        let again = entry.strip_prefix(AGAIN);
        let id = again.unwrap_or(entry);
        let preset = self.0.iter().find(|preset| preset.id == id)?;
        Some((Arc::clone(preset), again.is_some()))
    }

    /// The presets that fit a filter, those whose name begins so first.
    pub(super) fn list(&self, filter: &str, settings: &Settings) -> List {
        let again = settings.has_custom_before();
        let mut fitting: Vec<(&Arc<Preset>, bool)> = self
            .0
            .iter()
            .filter(|preset| preset.matches(filter) || preset.has_mailbox(filter))
            .flat_map(|preset| {
                let twice = (preset.is_custom() && again).then_some((preset, true));
                [Some((preset, false)), twice].into_iter().flatten()
            })
            .collect();
        let beginning = filter.trim().to_lowercase();
        fitting.sort_by_key(|(preset, _)| !preset.name.to_lowercase().starts_with(&beginning));
        let entry = |(preset, again): (&Arc<Preset>, bool)| ListEntry {
            key: key(preset, again),
            name: if again {
                format!("{}, with the URLs typed before", preset.name)
            } else {
                preset.name.clone()
            },
            about: preset.group.name().to_owned(),
        };
        let none = if mail_domain(filter).is_some() {
            "No preset knows this domain. Type the name of the service that hosts its mail."
        } else {
            "No preset fits. Custom settings takes any service."
        };
        List {
            head: String::new(),
            entries: fitting.into_iter().map(entry).collect(),
            none: none.to_owned(),
        }
    }
}
