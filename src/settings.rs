//! The values of the form, how a preset fills and locks them, and how flags and environment lie over them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use url::form_urlencoded;

use crate::oauth::client::{ClientAuthentication, FlowKind};
use crate::oauth::discovery::Metadata;
use crate::presets::{CUSTOM, PkceMode, Preset};
use crate::secret::{SecretString, clean};

/// A field of the form, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Which service.
    Preset,
    /// A variable of the preset, by its place there.
    Var(usize),
    /// As registered.
    ClientId,
    /// Masked.
    ClientSecret,
    /// Separated by spaces.
    Scope,
    /// Which of the two flows.
    Flow,
    /// Where the browser is sent back to.
    RedirectUrl,
    /// RFC 6749, section 3.1.
    AuthorizationUrl,
    /// RFC 8628, section 3.1.
    DeviceUrl,
    /// RFC 6749, section 3.2.
    TokenUrl,
    /// Advanced: who answers.
    Issuer,
    /// Advanced: how the secret is sent.
    ClientAuthentication,
    /// Advanced: `name=value&name=value`.
    ExtraParameters,
    /// Advanced: whom to ask for at the sign-in.
    LoginHint,
    /// Advanced: on or off.
    Pkce,
    /// Advanced: trusted besides the system's authorities.
    CaFile,
    /// Advanced: where to listen instead of at the redirect URL.
    ListenAddress,
}

/// The fields that are always in sight, after the preset and its variables.
const BASIC: &[Key] = &[
    Key::ClientId,
    Key::ClientSecret,
    Key::Scope,
    Key::Flow,
    Key::RedirectUrl,
    Key::AuthorizationUrl,
    Key::DeviceUrl,
    Key::TokenUrl,
];

/// The folded part.
pub const ADVANCED: &[Key] = &[
    Key::Issuer,
    Key::ClientAuthentication,
    Key::ExtraParameters,
    Key::LoginHint,
    Key::Pkce,
    Key::CaFile,
    Key::ListenAddress,
];

impl Key {
    /// The name on screen; a variable's stands in its preset.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Preset => "Preset",
            Self::Var(_) => "Variable",
            Self::ClientId => "Client ID",
            Self::ClientSecret => "Client secret",
            Self::Scope => "Scope",
            Self::Flow => "Flow",
            Self::RedirectUrl => "Redirect URL",
            Self::AuthorizationUrl => "Auth. code URL",
            Self::DeviceUrl => "Device code URL",
            Self::TokenUrl => "Token ex. URL",
            Self::Issuer => "Issuer",
            Self::ClientAuthentication => "Client auth.",
            Self::ExtraParameters => "Extra parameters",
            Self::LoginHint => "Login hint",
            Self::Pkce => "PKCE",
            Self::CaFile => "CA file",
            Self::ListenAddress => "Listen address",
        }
    }

    /// True for fields that are typed; the others are chosen.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Preset | Self::Flow | Self::ClientAuthentication | Self::Pkce
        )
    }
}

/// Whether a field can be changed, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It can.
    Editable,
    /// The preset knows the value.
    Locked,
    /// It belongs to the other flow.
    OtherFlow,
    /// The service has no such endpoint or flow.
    NotOffered,
}

/// How the secret is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthenticationChoice {
    /// As the preset prefers.
    #[default]
    Automatic,
    /// In the request body.
    Post,
    /// In the `Authorization` header.
    Basic,
}

impl AuthenticationChoice {
    /// All, in the order of the form.
    pub const ALL: [Self; 3] = [Self::Automatic, Self::Post, Self::Basic];

    /// The name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Automatic => "Automatic",
            Self::Post => "Request body",
            Self::Basic => "Basic header",
        }
    }
}

/// Which fields a server's metadata may fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filling {
    /// All that are not locked.
    Everything,
    /// Only those that are empty.
    WhatIsMissing,
}

/// What a preset's fields held when another was chosen.
#[derive(Debug, Clone)]
struct Draft {
    values: BTreeMap<Key, String>,
    secret: SecretString,
    flow: FlowKind,
    authentication: AuthenticationChoice,
    pkce: bool,
    /// Client ID and secret are those of a service, and must not reach another.
    of_a_service: bool,
    /// The URLs were typed, not copied from a preset.
    own_urls: bool,
}

/// The values of the form.
#[derive(Debug, Clone)]
pub struct Settings {
    preset: Arc<Preset>,
    draft: Draft,
    /// By preset, so that coming back finds what was typed. Custom settings is there with the URLs that were
    /// typed, not with those that it had from a preset.
    earlier: HashMap<String, Draft>,
    /// The issuer whose metadata promises `iss` in every answer.
    promised_by: Option<String>,
}

/// A value given on the command line that does not fit the preset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    /// The preset knows that value.
    #[error("The preset {preset} fixes the {label}. Leave it out, or choose --preset {CUSTOM}.", label = .key.label())]
    Locked {
        /// The field.
        key: Key,
        /// Its preset.
        preset: String,
    },
    /// The preset has no such variable.
    #[error("The preset {preset} has no variable \"{name}\".{known}")]
    NoVariable {
        /// As given.
        name: String,
        /// The preset.
        preset: String,
        /// The ones it has, as a sentence.
        known: String,
    },
    /// The service has not got that flow.
    #[error("{preset} does not offer the flow \"{}\".", .flow.label())]
    NoFlow {
        /// As given.
        flow: FlowKind,
        /// The preset.
        preset: String,
    },
}

fn fresh(preset: &Preset) -> Draft {
    let mut values = BTreeMap::from([
        (Key::ClientId, preset.client_id.clone()),
        (Key::Scope, preset.scope.default.join(" ")),
        (Key::RedirectUrl, preset.redirect.default.clone()),
    ]);
    for (place, variable) in preset.variables.iter().enumerate() {
        values.insert(Key::Var(place), variable.default.clone());
    }
    Draft {
        values,
        secret: SecretString::default(),
        flow: preset.flows.preferred,
        authentication: AuthenticationChoice::Automatic,
        pkce: preset.client.pkce != PkceMode::Off,
        of_a_service: !preset.is_custom(),
        own_urls: false,
    }
}

impl Settings {
    /// The preset with its own values.
    #[must_use]
    pub fn new(preset: Arc<Preset>) -> Self {
        Self {
            draft: fresh(&preset),
            preset,
            earlier: HashMap::new(),
            promised_by: None,
        }
    }

    /// The preset in use.
    #[must_use]
    pub fn preset(&self) -> &Arc<Preset> {
        &self.preset
    }

    /// Changes the preset.
    ///
    /// Custom settings keeps every value and unlocks it. Any other preset begins with its own values, or
    /// with what was typed there before. Client ID and secret come along only from Custom settings: those
    /// of one service must not reach another.
    pub fn choose(&mut self, preset: Arc<Preset>) {
        if preset.id == self.preset.id {
            return;
        }
        if preset.is_custom() {
            let mut values: BTreeMap<Key, String> = BASIC
                .iter()
                .chain(ADVANCED)
                .filter(|key| key.is_text() && **key != Key::ClientSecret)
                .map(|key| (*key, self.value(*key)))
                .collect();
            let extra = self.all_extra_parameters();
            values.insert(
                Key::ExtraParameters,
                form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(extra)
                    .finish(),
            );
            let mut draft = Draft {
                values,
                own_urls: false,
                ..self.draft.clone()
            };
            if draft.authentication == AuthenticationChoice::Automatic {
                draft.authentication = match self.authentication_with_secret() {
                    ClientAuthentication::Post => AuthenticationChoice::Post,
                    ClientAuthentication::Basic | ClientAuthentication::None => {
                        AuthenticationChoice::Basic
                    }
                };
            }
            self.switch(preset, draft);
            return;
        }
        let draft = self.earlier.get(&preset.id).cloned().unwrap_or_else(|| {
            let mut draft = fresh(&preset);
            if self.preset.is_custom() && !self.draft.of_a_service {
                let typed = self.value(Key::ClientId);
                if !typed.is_empty()
                    && draft
                        .values
                        .get(&Key::ClientId)
                        .is_none_or(String::is_empty)
                {
                    draft.values.insert(Key::ClientId, typed);
                    draft.secret = self.draft.secret.clone();
                }
            }
            draft
        });
        self.switch(preset, draft);
    }

    /// True where Custom settings held URLs before a preset was chosen.
    #[must_use]
    pub fn has_custom_before(&self) -> bool {
        self.earlier.contains_key(CUSTOM)
    }

    /// Goes back to Custom settings as they were before a preset was chosen.
    pub fn choose_custom_before(&mut self, custom: Arc<Preset>) {
        if let Some(draft) = self.earlier.get(CUSTOM).cloned() {
            self.switch(custom, draft);
        }
    }

    fn switch(&mut self, preset: Arc<Preset>, draft: Draft) {
        let before = std::mem::replace(&mut self.draft, draft);
        if !self.preset.is_custom() || before.own_urls {
            self.earlier.insert(self.preset.id.clone(), before);
        }
        self.preset = preset;
    }

    /// The fields in the order of the screen, the advanced ones last.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = vec![Key::Preset];
        keys.extend((0..self.preset.variables.len()).map(Key::Var));
        keys.extend(BASIC);
        keys.extend(ADVANCED);
        keys
    }

    /// The name of a field on screen.
    #[must_use]
    pub fn label(&self, key: Key) -> &str {
        match key {
            Key::Var(place) => self
                .preset
                .variables
                .get(place)
                .map_or("", |variable| &variable.label),
            other => other.label(),
        }
    }

    /// Whether a field can be changed.
    #[must_use]
    pub fn access(&self, key: Key) -> Access {
        let endpoints = &self.preset.endpoints;
        let custom = self.preset.is_custom();
        let flow = self.draft.flow;
        match key {
            Key::Var(_) if self.preset.embedded_server => Access::Locked,
            Key::Flow if self.preset.flows.offered.len() < 2 => Access::Locked,
            Key::AuthorizationUrl if !custom && endpoints.authorization.is_none() => {
                Access::NotOffered
            }
            Key::DeviceUrl if !custom && endpoints.device.is_none() => Access::NotOffered,
            Key::RedirectUrl | Key::AuthorizationUrl | Key::ListenAddress | Key::Pkce
                if flow != FlowKind::AuthorizationCode =>
            {
                Access::OtherFlow
            }
            Key::DeviceUrl if flow != FlowKind::DeviceCode => Access::OtherFlow,
            Key::Pkce if self.pkce_is_fixed() => Access::Locked,
            _ if self.known(key).is_some() => Access::Locked,
            _ => Access::Editable,
        }
    }

    fn pkce_is_fixed(&self) -> bool {
        matches!(self.preset.client.pkce, PkceMode::Required | PkceMode::Off)
    }

    /// The preset's own text for a field, with its placeholders.
    #[must_use]
    pub fn known(&self, key: Key) -> Option<&str> {
        let endpoints = &self.preset.endpoints;
        match key {
            Key::AuthorizationUrl => endpoints.authorization.as_deref(),
            Key::DeviceUrl => endpoints.device.as_deref(),
            Key::TokenUrl => endpoints.token.as_deref(),
            Key::Issuer => endpoints.issuer.as_deref(),
            _ => None,
        }
    }

    /// The text of a field, as it would be used: the preset's with its placeholders filled, or the typed
    /// one. Empty for the secret and for fields that are chosen.
    #[must_use]
    pub fn value(&self, key: Key) -> String {
        match self.known(key) {
            Some(template) => self.fill(template),
            None => self.draft.values.get(&key).cloned().unwrap_or_default(),
        }
    }

    /// Replaces the placeholders whose variable has a value; the others stay visible.
    fn fill(&self, template: &str) -> String {
        self.preset.variables.iter().enumerate().fold(
            template.to_owned(),
            |text, (place, variable)| {
                let value = self
                    .draft
                    .values
                    .get(&Key::Var(place))
                    .map(|value| value.trim())
                    .unwrap_or_default();
                if value.is_empty() {
                    text
                } else {
                    text.replace(&format!("{{{}}}", variable.name), value)
                }
            },
        )
    }

    /// Changes the text of a field that is typed. A field that cannot be changed stays as it is.
    pub fn set(&mut self, key: Key, value: String) {
        if !key.is_text()
            || self.known(key).is_some()
            || matches!(self.access(key), Access::Locked | Access::NotOffered)
        {
            return;
        }
        if self.preset.is_custom() {
            // A client ID typed here is nobody's yet; a secret alone still belongs to the ID beside it.
            self.draft.of_a_service &= key != Key::ClientId;
            self.draft.own_urls |=
                matches!(key, Key::AuthorizationUrl | Key::DeviceUrl | Key::TokenUrl);
        }
        if key == Key::ClientSecret {
            self.draft.secret = SecretString::from(value);
        } else {
            self.draft.values.insert(key, value);
        }
    }

    /// Tells where the embedded demo server listens.
    pub fn set_server(&mut self, url: &str) {
        if self.preset.embedded_server {
            self.draft.values.insert(Key::Var(0), url.to_owned());
        }
    }

    /// Takes over what the issuer says about itself; what the preset knows stays. Says which fields changed.
    pub fn take_over(&mut self, metadata: &Metadata, filling: Filling) -> Vec<Key> {
        let mut changed = Vec::new();
        for (key, url) in [
            (Key::AuthorizationUrl, &metadata.authorization_url),
            (Key::DeviceUrl, &metadata.device_url),
            (Key::TokenUrl, &metadata.token_url),
        ] {
            if let Some(url) = url
                && self.known(key).is_none()
                && self.access(key) != Access::NotOffered
                && self.value(key) != url.as_str()
                && (filling == Filling::Everything || self.value(key).trim().is_empty())
            {
                self.draft.values.insert(key, url.to_string());
                changed.push(key);
            }
        }
        self.promised_by = metadata.iss_in_answers.then(|| metadata.issuer.clone());
        changed
    }

    /// The issuer whose metadata promises `iss` in every answer.
    #[must_use]
    pub fn promised_by(&self) -> Option<&str> {
        self.promised_by.as_deref()
    }

    /// The client secret.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.draft.secret
    }

    /// The flow.
    #[must_use]
    pub fn flow(&self) -> FlowKind {
        self.draft.flow
    }

    /// Changes the flow, where the service offers it.
    pub fn set_flow(&mut self, flow: FlowKind) {
        if self.preset.offers(flow) {
            self.draft.flow = flow;
        }
    }

    /// How the secret is to be sent.
    #[must_use]
    pub fn authentication(&self) -> AuthenticationChoice {
        self.draft.authentication
    }

    /// Changes how the secret is sent.
    pub fn set_authentication(&mut self, choice: AuthenticationChoice) {
        self.draft.authentication = choice;
    }

    /// Whether PKCE is used.
    #[must_use]
    pub fn pkce(&self) -> bool {
        self.draft.pkce
    }

    /// Switches PKCE, where the preset leaves it open.
    pub fn set_pkce(&mut self, on: bool) {
        if !self.pkce_is_fixed() {
            self.draft.pkce = on;
        }
    }

    /// The scopes as typed, one by one.
    #[must_use]
    pub fn scopes(&self) -> Vec<String> {
        let separator = self.preset.scope.separator.clone();
        self.value(Key::Scope)
            .split(|ch: char| ch.is_whitespace() || separator.contains(ch))
            .filter(|scope| !scope.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Adds a scope, or takes it away.
    pub fn toggle_scope(&mut self, scope: &str) {
        let mut scopes = self.scopes();
        let before = scopes.len();
        scopes.retain(|one| one != scope);
        if scopes.len() == before {
            scopes.push(scope.to_owned());
        }
        self.set(Key::Scope, scopes.join(" "));
    }

    /// How a secret would be sent.
    #[must_use]
    pub fn authentication_with_secret(&self) -> ClientAuthentication {
        match self.draft.authentication {
            AuthenticationChoice::Post => ClientAuthentication::Post,
            AuthenticationChoice::Basic => ClientAuthentication::Basic,
            AuthenticationChoice::Automatic => self
                .preset
                .client
                .authentication
                .iter()
                .copied()
                .find(|method| *method != ClientAuthentication::None)
                .unwrap_or(ClientAuthentication::Basic),
        }
    }

    /// The preset's parameters for this flow and the typed ones, which win.
    #[must_use]
    pub fn all_extra_parameters(&self) -> Vec<(String, String)> {
        let typed: Vec<(String, String)> =
            form_urlencoded::parse(self.value(Key::ExtraParameters).trim().as_bytes())
                .into_owned()
                .collect();
        let mut all: Vec<(String, String)> = match self.draft.flow {
            FlowKind::AuthorizationCode => self
                .preset
                .parameters
                .authorization
                .clone()
                .into_iter()
                .collect(),
            FlowKind::DeviceCode => Vec::new(),
        };
        all.retain(|(name, _)| !typed.iter().any(|(typed, _)| typed == name));
        all.extend(typed);
        all
    }
}

/// What flags and environment say about the settings.
#[derive(Debug, Default)]
pub struct Overrides {
    /// Texts by field.
    pub values: BTreeMap<Key, String>,
    /// Variables by name.
    pub variables: Vec<(String, String)>,
    /// The secret.
    pub secret: Option<SecretString>,
    /// The flow.
    pub flow: Option<FlowKind>,
    /// How the secret is sent.
    pub authentication: Option<AuthenticationChoice>,
    /// PKCE on or off.
    pub pkce: Option<bool>,
}

impl Settings {
    /// Lays flags and environment over the preset's values.
    ///
    /// # Errors
    /// Where one of them does not fit the preset.
    pub fn lay_over(&mut self, overrides: Overrides) -> Result<(), Misfit> {
        let preset = Arc::clone(&self.preset);
        let locked = |key| Misfit::Locked {
            key,
            preset: preset.name.clone(),
        };
        if let Some(flow) = overrides.flow {
            if !preset.offers(flow) {
                return Err(Misfit::NoFlow {
                    flow,
                    preset: preset.name.clone(),
                });
            }
            self.draft.flow = flow;
        }
        for (name, value) in overrides.variables {
            let place = preset
                .variables
                .iter()
                .position(|variable| variable.name == name);
            let Some(place) = place.filter(|_| !preset.embedded_server) else {
                let names: Vec<&str> = preset
                    .variables
                    .iter()
                    .map(|variable| variable.name.as_str())
                    .collect();
                let known = if names.is_empty() {
                    String::new()
                } else {
                    format!(" It has: {}.", names.join(", "))
                };
                return Err(Misfit::NoVariable {
                    name: clean(&name, 40),
                    preset: preset.name.clone(),
                    known,
                });
            };
            self.draft.values.insert(Key::Var(place), value);
        }
        for (key, value) in overrides.values {
            if self.known(key).is_some() {
                return Err(locked(key));
            }
            self.draft.own_urls |=
                matches!(key, Key::AuthorizationUrl | Key::DeviceUrl | Key::TokenUrl);
            self.draft.values.insert(key, value);
        }
        if let Some(on) = overrides.pkce {
            if self.pkce_is_fixed() && on != self.draft.pkce {
                return Err(locked(Key::Pkce));
            }
            self.draft.pkce = on;
        }
        if let Some(choice) = overrides.authentication {
            self.draft.authentication = choice;
        }
        if let Some(secret) = overrides.secret {
            self.draft.secret = secret;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::presets;
    use crate::secret::ExposeSecret;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    #[test]
    fn a_locked_field_cannot_be_set() {
        let mut form = settings("github");
        let before = form.value(Key::TokenUrl);
        form.set(Key::TokenUrl, "https://evil.example/".to_owned());
        form.set(Key::Issuer, "https://evil.example/".to_owned());
        assert_eq!(form.value(Key::TokenUrl), before);
        let mut demo = settings("demo");
        demo.set_pkce(false);
        assert!(demo.pkce());
    }

    #[test]
    fn urls_typed_in_custom_settings_come_back() {
        let custom = presets::get("custom").unwrap();
        let mut form = Settings::new(Arc::clone(&custom));
        assert!(!form.has_custom_before());
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.choose(presets::get("github").unwrap());
        assert!(form.has_custom_before());
        form.choose_custom_before(custom);
        assert_eq!(form.value(Key::TokenUrl), "https://mine.example/token");
    }

    #[test]
    fn the_credentials_of_one_service_do_not_reach_another() {
        let mut form = settings("github");
        form.set(Key::ClientId, "github-id".to_owned());
        form.set(Key::ClientSecret, "github-secret".to_owned());
        form.choose(presets::get("keycloak").unwrap());
        assert_eq!(form.value(Key::ClientId), "");
        assert_eq!(form.secret().expose_secret(), "");
        form.choose(presets::get("github").unwrap());
        assert_eq!(form.value(Key::ClientId), "github-id");
        assert_eq!(form.secret().expose_secret(), "github-secret");
    }

    #[test]
    fn credentials_do_not_travel_by_way_of_custom_settings() {
        let mut form = settings("google-mail");
        form.set(Key::ClientId, "google-id".to_owned());
        form.set(Key::ClientSecret, "google-secret".to_owned());
        form.choose(presets::get("custom").unwrap());
        form.set(Key::Scope, "other".to_owned());
        form.choose(presets::get("github").unwrap());
        assert_eq!(
            (
                form.value(Key::ClientId).as_str(),
                form.secret().expose_secret()
            ),
            ("", "")
        );
    }

    #[test]
    fn typed_urls_survive_any_number_of_presets() {
        let custom = presets::get("custom").unwrap();
        let mut form = Settings::new(Arc::clone(&custom));
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        for id in ["github", "custom", "keycloak", "custom", "google-mail"] {
            form.choose(presets::get(id).unwrap());
        }
        form.choose_custom_before(custom);
        assert_eq!(form.value(Key::TokenUrl), "https://mine.example/token");
    }

    #[test]
    fn a_client_id_typed_before_choosing_a_preset_is_kept() {
        let mut form = settings("custom");
        form.set(Key::ClientId, "typed first".to_owned());
        form.choose(presets::get("github").unwrap());
        assert_eq!(form.value(Key::ClientId), "typed first");
    }

    #[test]
    fn flags_that_do_not_fit_the_preset_are_refused() {
        let over = |id: &str, overrides| settings(id).lay_over(overrides).unwrap_err().to_string();
        let token_url = Overrides {
            values: BTreeMap::from([(Key::TokenUrl, "https://x.example/".to_owned())]),
            ..Overrides::default()
        };
        assert!(over("github", token_url).contains("fixes the Token ex. URL"));
        let variable = Overrides {
            variables: vec![("tenant".to_owned(), "x".to_owned())],
            ..Overrides::default()
        };
        assert!(over("keycloak", variable).contains("It has: host, realm."));
    }

    #[test]
    fn scopes_are_toggled() {
        let mut form = settings("keycloak");
        form.toggle_scope("email");
        assert_eq!(form.value(Key::Scope), "openid offline_access email");
        form.toggle_scope("openid");
        assert_eq!(form.value(Key::Scope), "offline_access email");
    }
}
