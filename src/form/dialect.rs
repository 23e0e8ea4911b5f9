//! What a preset and the typed values mean for the protocol: the dialect of the service, and the parameters of requests.

use std::collections::BTreeMap;

use url::form_urlencoded;

use crate::form::choices::AuthenticationChoice;
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::oauth::client::{ClientAuthentication, PROTOCOL_PARAMETERS};
use crate::oauth::dialect::Dialect;
use crate::presets::Space;

impl Settings {
    /// How a client secret would be sent.
    #[must_use]
    pub fn authentication_with_secret(&self) -> ClientAuthentication {
        match self.draft.authentication {
            AuthenticationChoice::Post => ClientAuthentication::Post,
            AuthenticationChoice::Basic => ClientAuthentication::Basic,
            AuthenticationChoice::Automatic => self.automatic_authentication(),
        }
    }

    fn automatic_authentication(&self) -> ClientAuthentication {
        let announced = self
            .metadata()
            .and_then(|metadata| metadata.authentication.as_ref());
        if let (true, Some(announced)) = (self.preset.is_custom(), announced) {
            let takes = |name: &str| announced.iter().any(|known| known == name);
            if !takes("client_secret_basic") && takes("client_secret_post") {
                return ClientAuthentication::Post;
            }
        }
        self.preset
            .client
            .authentication
            .iter()
            .copied()
            .find(|method| *method != ClientAuthentication::None)
            .unwrap_or(ClientAuthentication::Basic)
    }

    /// How the service differs from the protocol.
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
            refresh_note: preset.tokens.refresh_note.clone(),
            device,
            answers,
            callback: preset.callback.clone(),
            tools: preset.tools.clone(),
        }
    }

    /// Parameters with their variables filled; those with an empty variable are left out.
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

    /// The text of Extra parameters that makes `name` have this value.
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

    /// The preset's parameters for this flow and the typed ones, which win.
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
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::oauth::client::FlowKind;
    use crate::presets;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    #[test]
    fn an_optional_variable_that_is_empty_leaves_its_parameters_out() {
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
    fn custom_settings_keeps_the_dialect_of_the_preset_it_came_from() {
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
        // A server of one's own is not asked at addresses of the old one, however it came there.
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
