//! Translates a preset and the entered values for the protocol: the dialect of the service, and the request parameters.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::oauth::client::PROTOCOL_PARAMETERS;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::dialect::Dialect;
use crate::presets::Space;
use crate::secret::ExposeSecret;

impl Settings {
    /// Returns the client authentication for the entered values.
    #[must_use]
    pub fn client_authentication(&self) -> ClientAuthentication {
        let secret = !self.secret().expose_secret().is_empty();
        let chosen = self.draft.authentication.method();
        if !self.flow().has_client() {
            return ClientAuthentication::None;
        }
        match chosen {
            Some(method) if method.is_signed() || method.uses_key() || secret => method,
            None if secret => self.authentication_with_secret(),
            None if self.has_client_key() => self.authentication_with_key(),
            // There is no credential to send.
            Some(_) | None if self.sends_empty_secret() => ClientAuthentication::Basic,
            Some(_) | None => ClientAuthentication::None,
        }
    }

    fn sends_empty_secret(&self) -> bool {
        match &self.draft.dialect {
            Some(dialect) => dialect.empty_secret,
            None => self.preset.client.empty_secret,
        }
    }

    /// Returns the authentication method if only the metadata selects it.
    pub(super) fn method_of_metadata(&self) -> Option<ClientAuthentication> {
        self.metadata()?;
        let mut without = self.clone();
        without.found = None;
        let method = self.client_authentication();
        (method != without.client_authentication()).then_some(method)
    }

    /// Returns whether the form contains a client key.
    #[must_use]
    pub fn has_client_key(&self) -> bool {
        !self.value(Key::ClientKey).trim().is_empty()
    }

    /// Returns the authentication method with a client secret, unless a method with a key is selected.
    #[must_use]
    pub fn authentication_with_secret(&self) -> ClientAuthentication {
        if let Some(method) = self.draft.authentication.method() {
            return method;
        }
        if let Some(takes) = self.announced_methods() {
            let basic = takes("client_secret_basic");
            if !basic && takes("client_secret_post") {
                return ClientAuthentication::Post;
            }
            if !basic && takes("client_secret_jwt") {
                return ClientAuthentication::ClientSecretJwt;
            }
        }
        let methods = &self.preset.client.authentication;
        let method = methods.iter().find(|method| method.uses_secret());
        method.copied().unwrap_or(ClientAuthentication::Basic)
    }

    /// Does the same with a key and no secret: a certificate only if the service accepts no assertion.
    fn authentication_with_key(&self) -> ClientAuthentication {
        if let Some(takes) = self.announced_methods() {
            let tls = takes("tls_client_auth") || takes("self_signed_tls_client_auth");
            if tls && !takes("private_key_jwt") {
                return ClientAuthentication::MutualTls;
            }
        }
        let methods = &self.preset.client.authentication;
        let method = methods.iter().find(|method| method.uses_key());
        method
            .copied()
            .unwrap_or(ClientAuthentication::PrivateKeyJwt)
    }

    /// Returns a check whether the metadata lists a method; `None` if it has no list, or if a preset has precedence.
    fn announced_methods(&self) -> Option<impl Fn(&str) -> bool> {
        let announced = self.metadata()?.authentication.as_ref()?;
        self.preset
            .is_custom()
            .then_some(move |name: &str| announced.iter().any(|known| known == name))
    }

    /// Returns how the service differs from the protocol.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        if let Some(dialect) = &self.draft.dialect {
            return dialect.as_ref().clone();
        }
        let preset = &self.preset;
        let mut device = preset.device.clone();
        device.token_url = device.token_url.map(|url| self.fill(&url));
        let mut answers = preset.answers.clone();
        answers
            .scope_separator
            .get_or_insert_with(|| preset.scope.separator.clone());
        Dialect {
            names: preset.parameters.names.clone(),
            scope_separator: Some(preset.scope.separator.clone()),
            percent_spaces: preset.scope.space == Space::Percent,
            empty_secret: preset.client.empty_secret,
            device_parameters: self
                .filled(&preset.parameters.device)
                .filter(|(name, _)| PROTOCOL_PARAMETERS.contains(&name.as_str()))
                .collect(),
            same_scope: preset.scope.same.clone(),
            token_parameters: self.filled(&preset.parameters.token).collect(),
            refresh_parameters: self.filled(&preset.parameters.refresh).collect(),
            no_refresh: preset.tokens.no_refresh,
            refresh_scope: preset.tokens.refresh_scope.clone(),
            refresh_note: preset.tokens.refresh_note.clone(),
            device,
            answers,
            callback: preset.callback.clone(),
            tools: preset.tools.clone(),
        }
    }

    /// Returns the parameters with their variables filled in. Parameters with an empty variable are left out.
    fn filled<'a>(
        &'a self,
        parameters: &'a BTreeMap<String, String>,
    ) -> impl Iterator<Item = (String, String)> + 'a {
        let empty = |text: &str| {
            self.preset
                .variables
                .iter()
                .any(|variable| text.contains(&format!("{{{}}}", variable.name)))
        };
        parameters
            .iter()
            .map(|(name, value)| (name.clone(), self.fill(value)))
            .filter(move |(_, value)| !empty(value))
    }

    /// Returns the text of Extra parameters that sets `name` to this value.
    #[must_use]
    pub fn with_parameter(&self, name: &str, value: &str) -> String {
        let mut typed = self.typed_parameters();
        typed.retain(|(known, _)| known != name);
        if self
            .preset
            .parameters
            .authorization
            .get(name)
            .map(String::as_str)
            != Some(value)
        {
            typed.push((name.to_owned(), value.to_owned()));
        }
        form_urlencoded::Serializer::new(String::new())
            .extend_pairs(typed)
            .finish()
    }

    fn typed_parameters(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.value(Key::ExtraParameters).trim().as_bytes())
            .into_owned()
            .collect()
    }

    /// Returns the preset's parameters for this flow and the entered ones, which take precedence.
    #[must_use]
    pub fn all_extra_parameters(&self) -> Vec<(String, String)> {
        let typed = self.typed_parameters();
        let parameters = self.preset.parameters.of_flow(self.flow());
        let mut all: Vec<(String, String)> = parameters
            .into_iter()
            .flat_map(|parameters| self.filled(parameters))
            .filter(|(name, _)| !PROTOCOL_PARAMETERS.contains(&name.as_str()))
            .collect();
        all.retain(|(name, _)| !typed.iter().any(|(typed, _)| typed == name));
        all.extend(typed);
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    #[test]
    fn empty_optional_variable_omits_its_parameters() {
        let mut form = settings("auth0");
        form.set_flow(FlowKind::AuthorizationCode);
        assert!(form.all_extra_parameters().is_empty());
        form.set(Key::Var(1), "https://api.example".to_owned());
        let audience = ("audience".to_owned(), "https://api.example".to_owned());
        assert_eq!(form.all_extra_parameters(), std::slice::from_ref(&audience));
        form.set_flow(FlowKind::DeviceCode);
        assert_eq!(form.all_extra_parameters(), [audience]);
    }

    #[test]
    fn custom_settings_keep_the_dialect_of_the_previous_preset() {
        let mut form = settings("zoho");
        form.set_flow(FlowKind::DeviceCode);
        form.choose(presets::get("custom").unwrap());
        let dialect = form.dialect();
        assert_eq!(dialect.device.grant_type.as_deref(), Some("device_token"));
        assert_eq!(
            dialect.device.token_url.as_deref(),
            Some("https://accounts.zoho.com/oauth/v3/device/token")
        );
        assert!(
            dialect
                .device_parameters
                .iter()
                .any(|(name, _)| name == "grant_type")
        );
        assert!(!form.value(Key::ExtraParameters).contains("grant_type"));
        assert_eq!(form.scopes().len(), 2);
        // Another server is never asked at addresses of the old one, however it was set.
        let mut found = form.clone();
        found.set(Key::Issuer, "https://as.example".to_owned());
        found.take_over(&metadata("https://as.example"), Overwrite::Everything);
        let dialect = found.dialect();
        assert!(dialect.device.token_url.is_none() && dialect.callback.token_host.is_none());
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        let dialect = form.dialect();
        assert!(dialect.device.token_url.is_none() && dialect.callback.token_host.is_none());
        assert_eq!(dialect.device.grant_type.as_deref(), Some("device_token"));
    }
}
