//! Forms in requests.

use std::collections::BTreeMap;

use url::form_urlencoded;
use zeroize::Zeroizing;

/// A form as a list of parameters that can be edited and encoded again. Its values may be secrets.
pub(super) struct Form(Vec<(String, Zeroizing<String>)>);

impl Form {
    /// Parses form-encoded text.
    pub(super) fn parse(text: &str) -> Self {
        Self(
            form_urlencoded::parse(text.as_bytes())
                .map(|(name, value)| (name.into_owned(), Zeroizing::new(value.into_owned())))
                .collect(),
        )
    }

    /// Sets a parameter, replacing all values that it has.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.add(name, value);
    }

    /// Adds a parameter; the same name may occur several times.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        self.0
            .push((name.to_owned(), Zeroizing::new(value.to_owned())));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    pub(super) fn rename(&mut self, names: &BTreeMap<String, String>) {
        for (name, _) in &mut self.0 {
            if let Some(other) = names.get(name) {
                name.clone_from(other);
            }
        }
    }

    pub(super) fn write(&self) -> String {
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(self.0.iter().map(|(name, value)| (name, value.as_str())))
            .finish()
    }
}
