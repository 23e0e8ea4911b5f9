//! The issuer's metadata, and the form fields that it fills in.

use crate::form::field::Key;
use crate::oauth::discovery::Metadata;

/// The fields that metadata can fill in.
pub(super) const ENDPOINTS: [Key; 3] = [Key::AuthorizationUrl, Key::DeviceUrl, Key::TokenUrl];

/// The issuer whose metadata was requested.
#[derive(Debug, Clone)]
pub(super) struct AskedIssuer {
    pub(super) issuer: String,
    /// Why there is no metadata, and the issuer that was probably meant.
    pub(super) failure: Option<(String, Option<String>)>,
}

/// The metadata of an issuer, and which fields use it.
#[derive(Debug, Clone)]
pub(super) struct Found {
    metadata: Metadata,
    keys: Vec<Key>,
}

impl Found {
    /// Creates the metadata, used for those of its endpoints for which `fills` returns `true`.
    pub(super) fn new(metadata: Metadata, fills: impl Fn(Key) -> bool) -> Self {
        let keys = ENDPOINTS
            .into_iter()
            .filter(|key| endpoint(&metadata, *key).is_some() && fills(*key))
            .collect();
        Self { metadata, keys }
    }

    /// Returns the whole metadata.
    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns whether the metadata was requested for this issuer.
    pub(super) fn is_of(&self, issuer: &str) -> bool {
        issuer == self.metadata.asked
    }

    /// Adopts and returns the issuer's own spelling of its name, because responses and ID tokens are compared with it.
    pub(super) fn use_own_spelling(&mut self) -> String {
        self.metadata.asked.clone_from(&self.metadata.issuer);
        self.metadata.issuer.clone()
    }

    /// Returns whether no field has its value from the metadata.
    pub(super) fn fills_nothing(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns the URL for a field, if the field has its value from the metadata.
    pub(super) fn url(&self, key: Key) -> Option<&str> {
        let url = endpoint(&self.metadata, key)?;
        self.keys.contains(&key).then_some(url)
    }

    /// Returns the endpoint's alias for clients that authenticate with a certificate, if there is one.
    pub(super) fn alias(&self, key: Key) -> Option<&str> {
        let aliases = &self.metadata.mtls;
        let url = match key {
            Key::DeviceUrl => &aliases.device_url,
            Key::TokenUrl => &aliases.token_url,
            _ => return None,
        };
        url.as_ref().map(url::Url::as_str)
    }
}

fn endpoint(metadata: &Metadata, key: Key) -> Option<&str> {
    let url = match key {
        Key::AuthorizationUrl => &metadata.authorization_url,
        Key::DeviceUrl => &metadata.device_url,
        Key::TokenUrl => &metadata.token_url,
        _ => return None,
    };
    url.as_ref().map(url::Url::as_str)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(super) mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::field::{Access, Source};
    use crate::form::settings::Settings;
    use crate::oauth::client_authentication::ClientAuthentication;
    use crate::oauth::discovery::Ways;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    pub(crate) fn metadata(issuer: &str) -> Metadata {
        let url = |path: &str| url::Url::parse(&format!("https://as.example/{path}")).ok();
        Metadata {
            asked: issuer.to_owned(),
            issuer: "https://as.example".to_owned(),
            source: url(".well-known/openid-configuration").unwrap(),
            authorization_url: url("a"),
            device_url: url("d"),
            token_url: url("t"),
            revocation_url: None,
            introspection_url: None,
            userinfo_url: None,
            keys_url: None,
            id_token_algorithms: None,
            scopes: vec!["mail".to_owned(), "openid".to_owned()],
            pkce_methods: None,
            authentication: Some(vec!["client_secret_post".to_owned()]),
            assertion_algorithms: None,
            mtls: crate::oauth::discovery::MtlsAliases::default(),
            iss_in_answers: true,
            ways: Ways::default(),
        }
    }

    #[test]
    fn metadata_fills_and_locks_fields_until_the_issuer_changes() {
        let mut form = settings("custom");
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.set(Key::Issuer, "https://as.example/".to_owned());
        let filled = form.take_over(&metadata("https://as.example/"), Overwrite::Everything);
        assert_eq!(
            filled,
            [Key::AuthorizationUrl, Key::DeviceUrl, Key::TokenUrl]
        );
        // The issuer's own spelling.
        assert_eq!(form.value(Key::Issuer), "https://as.example");
        assert_eq!(form.value(Key::TokenUrl), "https://as.example/t");
        assert_eq!(form.access(Key::TokenUrl), Access::Locked);
        assert_eq!(form.source(Key::TokenUrl), Some(Source::Metadata));
        form.set(Key::TokenUrl, "https://evil.example/".to_owned());
        assert_eq!(form.value(Key::TokenUrl), "https://as.example/t");
        assert_eq!(form.scope_list().len(), 2);
        assert_eq!(
            form.authentication_with_secret(),
            ClientAuthentication::Post
        );
        form.set(Key::Issuer, "https://other.example".to_owned());
        assert_eq!(form.value(Key::TokenUrl), "https://mine.example/token");
        assert_eq!(form.access(Key::TokenUrl), Access::Editable);
        assert!(form.scope_list().is_empty() && form.metadata().is_none());
        // Entering the first issuer again doesn't restore metadata that may be out of date.
        form.set(Key::Issuer, "https://as.example".to_owned());
        assert!(form.metadata().is_none());
    }

    #[test]
    fn typed_values_are_kept_if_metadata_only_fills_gaps() {
        let mut form = settings("custom");
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        form.take_over(&metadata("https://as.example"), Overwrite::Nothing);
        assert_eq!(form.value(Key::TokenUrl), "https://mine.example/token");
        assert_eq!(form.value(Key::DeviceUrl), "https://as.example/d");
    }

    #[test]
    fn metadata_overrides_only_low_confidence_presets() {
        let mut certain = settings("keycloak");
        certain.set(Key::Var(0), "as.example".to_owned());
        certain.set(Key::Var(1), "r".to_owned());
        let issuer = certain.value(Key::Issuer);
        assert!(
            certain
                .take_over(&metadata(&issuer), Overwrite::Everything)
                .is_empty()
        );
        assert!(certain.value(Key::TokenUrl).contains("/realms/r/"));
        assert!(
            certain
                .scope_list()
                .iter()
                .any(|(scope, _)| scope == "mail")
        );
        let mut low = settings("pingfederate");
        low.set(Key::Var(0), "as.example".to_owned());
        assert!(!low.offers(FlowKind::DeviceCode));
        assert_eq!(low.access(Key::DeviceUrl), Access::NotOffered);
        let issuer = low.value(Key::Issuer);
        let filled = low.take_over(&metadata(&issuer), Overwrite::Everything);
        assert_eq!(filled.len(), 3);
        assert_eq!(low.value(Key::TokenUrl), "https://as.example/t");
        assert_eq!(low.access(Key::TokenUrl), Access::Locked);
        assert!(low.offers(FlowKind::DeviceCode));
        low.set_flow(FlowKind::DeviceCode);
        low.set(Key::Var(0), "other.example".to_owned());
        // A flow that only the metadata offered is gone with it.
        assert_eq!(low.flow(), FlowKind::AuthorizationCode);
    }
}
