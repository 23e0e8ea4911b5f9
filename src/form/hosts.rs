//! The hosts of endpoints: whether they belong to the issuer, and the field in which the user entered them.

use url::Url;

use crate::form::field::{Access, Key, Source};
use crate::form::settings::Settings;
use crate::oauth::discovery::Metadata;
use crate::oauth::url::same_operator;

impl Settings {
    /// Returns whether an endpoint of the metadata is on a host of the issuer or of the preset, or on a trusted host.
    pub(super) fn knows_host(&self, url: &Url) -> bool {
        self.metadata()
            .is_some_and(|metadata| self.knows_host_in(metadata, url))
    }

    /// Returns the same for metadata that is not necessarily that of the form.
    pub(super) fn knows_host_in(&self, metadata: &Metadata, url: &Url) -> bool {
        let mut addresses = self.preset().addresses();
        let named = addresses.any(|(_, address)| {
            Url::parse(&self.fill(address)).is_ok_and(|known| known.host() == url.host())
        });
        let issuer = metadata.source.host_str().unwrap_or_default();
        let host = url.host_str().unwrap_or_default();
        named || same_operator(url, &metadata.source) || self.trusts(issuer, host)
    }

    /// Returns the field in which the user entered the host of a URL: the URL itself, the issuer whose metadata contains
    /// it, or a variable of the preset. `None` if the host is the preset's own.
    #[must_use]
    pub fn host_key(&self, key: Key) -> Option<Key> {
        let key = match self.source(key) {
            None => key,
            Some(Source::Metadata) => return self.host_key(Key::Issuer),
            Some(Source::Preset) => {
                let template = self.preset_text(key)?;
                let (_, rest) = template.split_once("://").unwrap_or(("", template));
                let host = rest.split('/').next().unwrap_or_default();
                let variables = &self.preset().variables;
                let position = variables
                    .iter()
                    .position(|variable| host.contains(&format!("{{{}}}", variable.name)))?;
                Key::Var(position)
            }
        };
        (self.access(key) == Access::Editable).then_some(key)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::presets;

    #[test]
    fn host_key_is_the_field_containing_the_host() {
        let key = |preset: &str, key| Settings::new(presets::get(preset).unwrap()).host_key(key);
        assert_eq!(key("custom", Key::TokenUrl), Some(Key::TokenUrl));
        assert_eq!(key("custom", Key::DeviceUrl), Some(Key::DeviceUrl));
        // The host is the preset's, or a variable of it; another variable is in the path.
        assert_eq!(key("google-mail", Key::TokenUrl), None);
        assert_eq!(key("microsoft-mail", Key::TokenUrl), None);
        assert_eq!(key("keycloak", Key::TokenUrl), Some(Key::Var(0)));
        // The demo's address can't be changed.
        assert_eq!(key("demo", Key::TokenUrl), None);
    }
}
