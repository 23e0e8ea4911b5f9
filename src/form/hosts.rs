//! Checks whether an endpoint of the metadata is on a host that belongs to the issuer.

use url::Url;

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
}
