//! Whether an endpoint of the metadata is on a host that belongs to the issuer.

use url::Url;

use crate::form::settings::Settings;
use crate::oauth::url::same_operator;

impl Settings {
    /// True if an endpoint of the metadata is on a host of the issuer or of the preset, or on one that the user trusts.
    pub(super) fn knows_host(&self, url: &Url) -> bool {
        let Some(metadata) = self.metadata() else {
            return false;
        };
        let mut addresses = self.preset().addresses();
        let named = addresses.any(|(_, address)| {
            Url::parse(&self.fill(address)).is_ok_and(|known| known.host() == url.host())
        });
        let issuer = metadata.source.host_str().unwrap_or_default();
        let host = url.host_str().unwrap_or_default();
        named || same_operator(url, &metadata.source) || self.trusts(issuer, host)
    }
}
