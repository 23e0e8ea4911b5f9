//! What was typed and chosen under one preset.

use std::collections::BTreeMap;

use crate::form::choices::{AuthenticationChoice, Browser};
use crate::form::field::Key;
use crate::oauth::client::FlowKind;
use crate::oauth::dialect::Dialect;
use crate::presets::{PkceMode, Preset};
use crate::secret::SecretString;

/// The values of the fields under one preset, kept while another one is chosen.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) values: BTreeMap<Key, String>,
    pub(super) secret: SecretString,
    /// What is wrong with the source of the secret.
    pub(super) secret_notice: Option<String>,
    /// What was removed from values that were given.
    pub(super) notices: BTreeMap<Key, String>,
    /// The flags and environment variables that gave values.
    pub(super) sources: BTreeMap<Key, String>,
    pub(super) flow: FlowKind,
    /// The user chose the flow.
    pub(super) flow_chosen: bool,
    pub(super) authentication: AuthenticationChoice,
    pub(super) pkce: bool,
    /// The client ID belongs to a service, and must not reach another.
    pub(super) of_a_service: bool,
    /// The same for the secret.
    pub(super) secret_of_a_service: bool,
    /// The URLs were typed, not copied from a preset.
    pub(super) own_urls: bool,
    /// How the service differs from the protocol, if Custom settings came from its preset.
    pub(super) dialect: Option<Box<Dialect>>,
}

impl Draft {
    /// The preset's own values.
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
            dialect: None,
        }
    }

    /// Another server is in use now: nothing goes to further addresses of the old one.
    pub(super) fn leave_old_servers(&mut self) {
        if let Some(dialect) = &mut self.dialect {
            dialect.device.token_url = None;
            dialect.callback.token_host = None;
        }
    }
}
