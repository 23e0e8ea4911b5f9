//! The values that were entered and selected under one preset.

use std::collections::BTreeMap;

use crate::form::choices::{AuthenticationChoice, Browser};
use crate::form::discovered::ENDPOINTS;
use crate::form::field::Key;
use crate::oauth::dialect::Dialect;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::{PkceMode, Preset};
use crate::secret::SecretString;

/// The values of the fields under one preset, kept while another preset is selected.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) values: BTreeMap<Key, String>,
    pub(super) secret: SecretString,
    /// What is wrong with the source of the secret.
    pub(super) secret_notice: Option<String>,
    /// What was changed in values that flags or environment variables set.
    pub(super) notices: BTreeMap<Key, String>,
    /// The flags and environment variables that set values.
    pub(super) sources: BTreeMap<Key, String>,
    pub(super) flow: FlowKind,
    /// Whether the user selected the flow.
    pub(super) flow_chosen: bool,
    pub(super) authentication: AuthenticationChoice,
    pub(super) pkce: bool,
    /// Whether the client ID belongs to a service, so that it must not reach another one.
    pub(super) of_a_service: bool,
    /// Whether the client secret belongs to a service, so that it must not reach another one.
    pub(super) secret_of_a_service: bool,
    /// Whether the user entered the URLs; `false` if they were copied from a preset.
    pub(super) own_urls: bool,
    /// Whether the user entered the issuer.
    pub(super) own_issuer: bool,
    /// How the service differs from the protocol, if Custom settings was filled in from its preset.
    pub(super) dialect: Option<Box<Dialect>>,
}

impl Draft {
    /// Returns the preset's own values.
    pub(super) fn of_preset(preset: &Preset, browser: Browser) -> Self {
        let flow = browser.first_flow(preset);
        let mut values = BTreeMap::from([
            (Key::ClientId, preset.client_id.clone()),
            (Key::Scope, preset.scope.of_flow(flow).join(" ")),
            (Key::RedirectUrl, preset.redirect.default.clone()),
        ]);
        for (position, variable) in preset.variables.iter().enumerate() {
            values.insert(Key::Var(position), variable.default.clone());
        }
        Self {
            values,
            secret: SecretString::default(),
            secret_notice: None,
            notices: BTreeMap::new(),
            sources: BTreeMap::new(),
            flow,
            flow_chosen: false,
            authentication: AuthenticationChoice::Automatic,
            pkce: preset.client.pkce != PkceMode::Off,
            of_a_service: !preset.is_custom(),
            secret_of_a_service: !preset.is_custom(),
            own_urls: false,
            own_issuer: false,
            dialect: None,
        }
    }

    /// Returns whether the user entered the address of a server. Client ID and secret then belong to that server. An
    /// email address as issuer stands for its mail service.
    pub(super) fn has_own_server(&self) -> bool {
        let value = |key: &Key| self.values.get(key).map_or("", |value| value.trim());
        let issuer = value(&Key::Issuer);
        let urls = self.own_urls && ENDPOINTS.iter().any(|key| !value(key).is_empty());
        urls || (self.own_issuer && !issuer.is_empty() && !issuer.contains('@'))
    }

    /// Removes further addresses of the old server after another server was set, so that nothing is sent to them.
    pub(super) fn leave_old_servers(&mut self) {
        if let Some(dialect) = &mut self.dialect {
            dialect.device.token_url = None;
            dialect.callback.token_host = None;
        }
    }
}
