//! All presets: the files that are built into the program, and the user's, which take precedence.
//!
//! Only the preset in use is parsed at startup; the others are parsed when the list is first shown.

use std::sync::Arc;

use include_dir::{Dir, include_dir};

use super::check::{Finding, parse_preset};
use super::errors::{ErrorEntry, ErrorFile};
use super::files::{self, PresetFile};
use super::format::{CUSTOM, DEMO, Preset};
use super::search::Fit;
use crate::clean::{clean, clean_path};
use crate::store::folders;

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

/// Maximum number of presets to suggest for a name of a service.
const MOST_CALLED: usize = 4;

/// The reason that a preset isn't available.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PresetError {
    /// No preset has that identifier.
    #[error("There is no preset \"{id}\".{} To list all presets, run `oauth-authorizer presets \
        list`.", meant(.like.as_deref()))]
    Unknown {
        /// The identifier as entered.
        id: String,
        /// The identifiers of the service with that name, or else the most similar identifier.
        like: Option<String>,
    },
    /// The file can't be read, or doesn't have the format of docs/presets.md.
    #[error("The preset file {file} was skipped: {}.", summary(.findings))]
    Malformed {
        /// The name of the file.
        file: String,
        /// The problems with the file; at least one.
        findings: Vec<Finding>,
    },
    /// A file that was named on the command line can't be used.
    #[error("Can't use the preset file {path}: {}.", summary(.findings))]
    Unusable {
        /// The path as entered.
        path: String,
        /// The problems with the file; at least one.
        findings: Vec<Finding>,
    },
}

fn meant(like: Option<&str>) -> String {
    like.map(|like| format!(" Did you mean {like}?"))
        .unwrap_or_default()
}

/// Returns the name of a file in its folder.
fn name(file: &PresetFile) -> String {
    let name = file.path.file_name().unwrap_or(file.path.as_os_str());
    clean(&name.to_string_lossy(), 80)
}

/// Returns the first finding, and the number of other findings.
fn summary(findings: &[Finding]) -> String {
    let first = findings.first().map(Finding::to_string).unwrap_or_default();
    match findings.len() {
        0 | 1 => first,
        count => format!("{first} (and {} more)", count - 1),
    }
}

/// Returns the built-in preset with this identifier.
///
/// # Errors
/// Returns an error if there is no such preset, or if its file is malformed.
pub fn get(id: &str) -> Result<Arc<Preset>, PresetError> {
    Library::default().get(id)
}

/// Returns the text of a built-in preset.
#[must_use]
pub fn built_in(id: &str) -> Option<&'static str> {
    // An identifier must not be a path.
    if id.contains(['/', '\\', '.']) {
        return None;
    }
    BUILT_IN.get_file(format!("{id}.toml"))?.contents_utf8()
}

/// Returns the text of a built-in set of explanations from `presets/errors/`.
fn explanations(set: &str) -> Option<&'static str> {
    if set.contains(['/', '\\', '.']) {
        return None;
    }
    BUILT_IN
        .get_file(format!("errors/{set}.toml"))?
        .contents_utf8()
}

/// Returns the identifiers of the built-in presets.
pub fn built_in_ids() -> impl Iterator<Item = &'static str> {
    BUILT_IN
        .files()
        .filter_map(|file| file.path().file_stem()?.to_str())
}

/// A preset of the user.
#[derive(Debug, Clone)]
struct Own {
    preset: Arc<Preset>,
    text: String,
}

/// All presets.
#[derive(Debug, Clone, Default)]
pub struct Library {
    own: Vec<Own>,
    /// The user's explanations, by set.
    own_errors: Vec<(String, Vec<ErrorEntry>)>,
    left_out: Vec<PresetError>,
}

impl Library {
    /// Loads the built-in presets and those in the user's folder, which take precedence.
    #[must_use]
    pub fn load_user() -> Self {
        let Some(folder) = folders::presets() else {
            return Self::default();
        };
        Self::new(
            files::read_folder(&folder),
            files::read_folder(&folder.join("errors")),
        )
    }

    /// Loads the built-in presets and only the user's preset of this name, if it exists.
    #[must_use]
    pub fn with_own(id: &str) -> Self {
        let file = folders::presets().and_then(|folder| files::find(&folder, id));
        Self::new(file.into_iter().collect(), Vec::new())
    }

    /// Creates a library of the built-in presets and those of a folder, which take precedence. Files with problems are
    /// left out; [`Library::left_out`] returns them.
    #[must_use]
    pub fn new(presets: Vec<PresetFile>, errors: Vec<PresetFile>) -> Self {
        let mut library = Self::default();
        for file in presets {
            let name = name(&file);
            if let Err(findings) = library.take(file, true) {
                let error = PresetError::Malformed {
                    file: name,
                    findings,
                };
                library.left_out.push(error);
            }
        }
        for file in errors {
            library.add_errors(file);
        }
        library
    }

    fn add_errors(&mut self, file: PresetFile) {
        let name = name(&file);
        let outcome = match file.text {
            Ok(text) => {
                toml::from_str::<ErrorFile>(&text).map_err(|error| Finding::of_error(&error, &text))
            }
            Err(reason) => Err(Finding::of_file(reason)),
        };
        match outcome {
            Ok(read) => {
                let set = file.path.file_stem().unwrap_or_default();
                let set = set.to_string_lossy().into_owned();
                self.own_errors.push((set, read.errors));
            }
            Err(finding) => self.left_out.push(PresetError::Malformed {
                file: name,
                findings: vec![finding],
            }),
        }
    }

    /// Adds the presets of `before`, which come from the command line and take precedence.
    #[must_use]
    pub fn and(mut self, before: &Self) -> Self {
        for own in &before.own {
            self.own.retain(|known| known.preset.id != own.preset.id);
            self.own.push(own.clone());
        }
        self
    }

    /// Returns a finding for each set of explanations that the preset names and that doesn't exist.
    #[must_use]
    pub fn missing_sets(&self, preset: &Preset) -> Vec<Finding> {
        let sets = self.explanation_sets();
        let missing = preset.errors.iter().filter(|name| !sets.contains(name));
        missing
            .map(|name| {
                let name = clean(name, 40);
                Finding::of_file(format!(
                    "errors: the set {name} doesn't exist. Correct or remove it"
                ))
            })
            .collect()
    }

    /// Returns the names of all sets of explanations.
    #[must_use]
    pub fn explanation_sets(&self) -> Vec<String> {
        let built_in = BUILT_IN
            .get_dir("errors")
            .into_iter()
            .flat_map(Dir::files)
            .filter_map(|file| file.path().file_stem()?.to_str().map(str::to_owned));
        let own = self.own_errors.iter().map(|(set, _)| set.clone());
        let mut all: Vec<String> = built_in.chain(own).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Returns the explanations of a set: the user's, then the built-in ones.
    #[must_use]
    pub fn explanations(&self, set: &str) -> Vec<ErrorEntry> {
        let own = self.own_errors.iter().filter(|(known, _)| known == set);
        let built_in = explanations(set).and_then(|text| toml::from_str::<ErrorFile>(text).ok());
        own.flat_map(|(_, errors)| errors.clone())
            .chain(built_in.into_iter().flat_map(|file| file.errors))
            .collect()
    }

    /// Adds a preset that was named on the command line.
    ///
    /// # Errors
    /// Returns an error if the file can't be read or isn't in the format.
    pub fn add(&mut self, file: PresetFile) -> Result<Arc<Preset>, PresetError> {
        let path = clean_path(&file.path);
        self.take(file, false)
            .map_err(|findings| PresetError::Unusable { path, findings })
    }

    /// Adds a preset. With `named`, the file is from the folder, and its name must match the identifier.
    fn take(&mut self, file: PresetFile, named: bool) -> Result<Arc<Preset>, Vec<Finding>> {
        let name = name(&file);
        let wrong = |reason| vec![Finding::of_file(reason)];
        let text = file.text.map_err(wrong)?;
        let preset = parse_preset(&text)?;
        if named && name != format!("{}.toml", preset.id) {
            return Err(wrong(format!(
                "id: it is {}, but the file is named {name}. Give both the same name",
                preset.id
            )));
        }
        let preset = Arc::new(preset);
        self.own.retain(|known| known.preset.id != preset.id);
        self.own.push(Own {
            preset: Arc::clone(&preset),
            text,
        });
        Ok(preset)
    }

    /// Returns the files that were left out, and why.
    #[must_use]
    pub fn left_out(&self) -> &[PresetError] {
        &self.left_out
    }

    /// Returns a summary: the first file, and how many more were skipped.
    #[must_use]
    pub fn left_out_in_short(&self) -> Option<String> {
        let (first, others) = self.left_out().split_first()?;
        Some(match others.len() {
            0 => first.to_string(),
            1 => format!("{first} One more file was skipped."),
            count => format!("{first} {count} more files were skipped."),
        })
    }

    /// Returns the preset with this identifier.
    ///
    /// # Errors
    /// Returns an error if there is no such preset, or if its file is malformed.
    pub fn get(&self, id: &str) -> Result<Arc<Preset>, PresetError> {
        if let Some(own) = self.own.iter().find(|own| own.preset.id == id) {
            return Ok(Arc::clone(&own.preset));
        }
        if let Some(error) = self.in_place_of(id) {
            return Err(error.clone());
        }
        let text = built_in(id).ok_or_else(|| self.unknown(id))?;
        parse(id, text).map(Arc::new)
    }

    /// Returns the error of a user's preset that has this identifier, so that no built-in preset silently replaces it.
    fn in_place_of(&self, id: &str) -> Option<&PresetError> {
        let named = format!("{id}.toml");
        self.left_out
            .iter()
            .find(|error| matches!(error, PresetError::Malformed { file, .. } if *file == named))
    }

    fn unknown(&self, id: &str) -> PresetError {
        PresetError::Unknown {
            id: clean(id, 60),
            like: self.called(id).or_else(|| self.spelled_like(id)),
        }
    }

    /// Returns the identifiers of the presets whose service users call `id`, unless there are too many.
    fn called(&self, id: &str) -> Option<String> {
        if id.trim().chars().count() < 3 {
            return None;
        }
        let all = self.all().unwrap_or_default();
        let mut called: Vec<_> = all
            .iter()
            .filter_map(|preset| {
                let is_alias = match preset.fit(id)? {
                    Fit::Exactly | Fit::Name | Fit::Words => false,
                    Fit::Alias(_) => true,
                    Fit::Domain(_) | Fit::Somewhere => return None,
                };
                Some((is_alias, preset.id.len(), preset.id.as_str()))
            })
            .collect();
        called.sort_unstable();
        let ids: Vec<&str> = called.iter().map(|(_, _, id)| *id).collect();
        match *ids.as_slice() {
            [only] => Some(only.to_owned()),
            [ref first @ .., last] if ids.len() <= MOST_CALLED => {
                Some(format!("{} or {last}", first.join(", ")))
            }
            _ => None,
        }
    }

    fn spelled_like(&self, id: &str) -> Option<String> {
        let mut ids: Vec<&str> = built_in_ids().collect();
        ids.extend(self.own.iter().map(|own| own.preset.id.as_str()));
        let likeness = |known: &str| strsim::jaro_winkler(known, &id.to_lowercase());
        let like = ids
            .into_iter()
            .filter(|known| likeness(known) > 0.8)
            .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
        like.map(str::to_owned)
    }

    /// Returns the text of the preset with this identifier.
    #[must_use]
    pub fn text(&self, id: &str) -> Option<&str> {
        let own = self.own.iter().find(|own| own.preset.id == id);
        own.map(|own| own.text.as_str())
            .or_else(|| built_in(id).filter(|_| self.in_place_of(id).is_none()))
    }

    /// Returns whether the preset with this identifier is the user's.
    #[must_use]
    pub fn is_own(&self, id: &str) -> bool {
        self.own.iter().any(|own| own.preset.id == id)
    }

    /// Returns the number of presets for services: all but Custom settings and the demo.
    #[must_use]
    pub fn services(&self) -> usize {
        let is_replaced = |id: &&str| self.is_own(id) || self.in_place_of(id).is_some();
        let services = built_in_ids().filter(|id| ![CUSTOM, DEMO].contains(id));
        services.filter(|id| !is_replaced(id)).count() + self.own.len()
    }

    /// Returns all presets, in the order of the list: Custom settings and the demo, then by group and name.
    ///
    /// # Errors
    /// Returns an error if a built-in preset is malformed.
    pub fn all(&self) -> Result<Vec<Arc<Preset>>, PresetError> {
        let mut all: Vec<Arc<Preset>> =
            self.own.iter().map(|own| Arc::clone(&own.preset)).collect();
        for id in built_in_ids().filter(|id| !self.is_own(id) && self.in_place_of(id).is_none()) {
            let text = built_in(id).unwrap_or_default();
            all.push(parse(id, text).map(Arc::new)?);
        }
        all.sort_by_key(|preset| {
            let place = [CUSTOM, DEMO].iter().position(|id| *id == preset.id);
            (
                preset.group,
                place.unwrap_or(usize::MAX),
                preset.name.to_lowercase(),
            )
        });
        Ok(all)
    }
}

fn parse(id: &str, text: &str) -> Result<Preset, PresetError> {
    Preset::parse(text).map_err(|error| PresetError::Malformed {
        file: format!("{id}.toml"),
        findings: vec![Finding::of_error(&error, text)],
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::path::PathBuf;

    use super::super::check::findings;
    use super::super::format::Confidence;
    use super::*;

    fn file(name: &str, text: &str) -> PresetFile {
        PresetFile {
            path: PathBuf::from(name),
            text: Ok(text.to_owned()),
        }
    }

    #[test]
    fn built_in_presets_are_valid_and_match_their_ids() {
        let ids: Vec<&str> = built_in_ids().collect();
        assert_eq!(ids.len(), 53);
        for id in ids {
            let preset = get(id).unwrap();
            assert_eq!(preset.id, id);
            if id != CUSTOM && id != DEMO {
                assert_eq!(findings(&preset, built_in(id).unwrap()), [], "{id}");
                assert!(preset.flows.why.is_some(), "{id}");
                assert!(preset.client_id.is_empty(), "{id}");
                assert!(
                    preset.client_id_help.is_some() && preset.register_at.is_some(),
                    "{id}"
                );
            }
            for set in &preset.errors {
                assert!(explanations(set).is_some(), "{id}: {set}");
            }
            for scope in &preset.scope.list {
                assert!(!scope.purpose.is_empty(), "{id}: {}", scope.value);
            }
        }
    }

    #[test]
    fn each_lifetime_has_a_source() {
        let files = BUILT_IN.files();
        let mut count = 0;
        for file in files.filter(|file| file.path().extension().is_some_and(|end| end == "toml")) {
            let preset: toml::Table = file.contents_utf8().unwrap().parse().unwrap();
            let sources = preset.get("sources").and_then(toml::Value::as_array);
            for (table, fact) in [
                ("client", "secret_max"),
                ("tokens", "refresh_idle"),
                ("tokens", "refresh_max"),
                ("tokens", "testing_refresh_max"),
                ("tokens", "rotates"),
                ("tokens", "reuse_leeway"),
            ] {
                let Some(_) = preset.get(table).and_then(|table| table.get(fact)) else {
                    continue;
                };
                count += 1;
                let name = format!("{table}.{fact}");
                let has_it = |source: &toml::Value| {
                    let source = source.as_str().unwrap();
                    source.starts_with("https://") && source.contains(&name)
                };
                let path = file.path().display();
                assert!(sources.unwrap().iter().any(has_it), "{path}: {name}");
            }
        }
        assert!(count > 20, "only {count} facts");
    }

    #[test]
    fn first_sentence_of_each_hint_fits_the_form() {
        let too_long = |text: &str| text.split_inclusive(". ").next().unwrap().trim().len() > 110;
        for preset in Library::default().all().unwrap() {
            let hints = [
                &preset.client_id_help,
                &preset.flows.why,
                &preset.client.secret_note,
                &preset.client.pkce_note,
                &preset.redirect.note,
            ];
            for hint in hints.into_iter().flatten() {
                assert!(!too_long(hint), "{}: {hint}", preset.id);
            }
            let help = preset.client_id_help.as_deref().unwrap_or_default();
            if let Some((_, place)) = help.split_once("Where: ") {
                assert!(place.len() <= 116, "{}: {place}", preset.id);
            }
        }
    }

    #[test]
    fn presets_are_listed_by_group_and_name() {
        let all = Library::default().all().unwrap();
        let names: Vec<&str> = all.iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names[..2], ["Custom settings", "Demo"]);
        let groups: Vec<_> = all.iter().map(|preset| preset.group).collect();
        assert!(groups.is_sorted(), "{groups:?}");
        assert!(
            names[2..]
                .windows(2)
                .zip(groups[2..].windows(2))
                .all(|(names, groups)| {
                    groups[0] != groups[1] || names[0].to_lowercase() < names[1].to_lowercase()
                })
        );
    }

    #[test]
    fn user_presets_take_precedence_over_built_in_ones() {
        let mine = "id = \"github\"\nname = \"Our own\"\ngroup = \"developer\"\n[endpoints]\ndevice = \
            \"https://git.example/device\"\ntoken = \"https://git.example/token\"\n";
        let errors = "[[error]]\ncode = \"odd\"\ncause = \"C.\"\nremedy = \"R.\"\nsource = \"https://git.example/\"\n";
        let library = Library::new(
            vec![
                file("github.toml", mine),
                file("bad.toml", "id = 1"),
                file("keycloak.toml", "id = 1"),
                file("other.toml", mine),
            ],
            vec![file("protocol.toml", errors), file("worse.toml", "x = 1")],
        );
        assert_eq!(library.get("github").unwrap().name, "Our own");
        assert!(library.is_own("github") && !library.is_own("keycloak"));
        assert_eq!(library.text("github"), Some(mine));
        // The preset that can't be read is left out.
        assert_eq!(library.all().unwrap().len(), 52);
        let told: Vec<String> = library.left_out().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 4);
        assert!(library.get("keycloak").is_err(), "not replaced in silence");
        assert!(told[2].contains("the file is named other.toml"), "{told:?}");
        assert!(
            told[0].starts_with("The preset file bad.toml was skipped: line 1: id: "),
            "{told:?}"
        );
        assert!(told[3].contains("worse.toml"), "{told:?}");
        let protocol = library.explanations("protocol");
        assert_eq!(protocol[0].code.as_deref(), Some("odd"));
        assert!(protocol.len() > 20);
    }

    #[test]
    fn unknown_id_error_suggests_the_most_similar_preset() {
        let told = |id: &str| get(id).unwrap_err().to_string();
        assert!(told("gitub").contains("Did you mean github?"));
        assert!(!told("qqqqqq").contains("mean"));
        assert!(told("gmail").contains("preset \"gmail\". Did you mean google-mail? To"));
        for (called, meant) in [
            ("outlook", "microsoft-mail"),
            ("Outlook", "microsoft-outlook-personal"),
            ("office365", "microsoft-mail"),
            ("hotmail", "microsoft-outlook-personal"),
        ] {
            let told = told(called);
            let (_, suggested) = told.split_once("Did you mean ").unwrap();
            assert!(suggested.contains(meant), "{told}");
        }
        // Too many services have mail servers.
        assert!(!told("imap").contains("mean"), "{}", told("imap"));
        for path in ["../Cargo", "errors/google", "google.toml", ""] {
            assert!(get(path).is_err(), "{path}");
        }
    }

    #[test]
    fn mailbox_address_finds_its_service() {
        let all = Library::default().all().unwrap();
        let found = |address: &str| -> Vec<&str> {
            all.iter()
                .filter(|preset| preset.has_mailbox(address))
                .map(|preset| preset.id.as_str())
                .collect()
        };
        assert_eq!(found("me@gmail.com"), ["google-mail"]);
        assert_eq!(found("me@Outlook.com"), ["microsoft-outlook-personal"]);
        assert_eq!(found("me@contoso.onmicrosoft.com"), ["microsoft-mail"]);
        for address in [
            "me@notgmail.com",
            "gmail.com",
            "@gmail.com",
            "me@",
            "me@example.org",
        ] {
            assert_eq!(found(address), [""; 0], "{address}");
        }
    }

    #[test]
    fn only_one_preset_has_low_confidence() {
        let all = Library::default().all().unwrap();
        let low: Vec<&str> = all
            .iter()
            .filter(|preset| preset.confidence == Confidence::Low)
            .map(|preset| preset.id.as_str())
            .collect();
        assert_eq!(low, ["pingfederate"]);
    }
}
