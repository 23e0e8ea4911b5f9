//! The values of the form, how a preset fills and locks them, and how flags and environment lie over them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use url::{Url, form_urlencoded};

use crate::certificate::{Created, Files};
use crate::clean::clean;
use crate::oauth::client::{ClientAuthentication, FlowKind, PROTOCOL_PARAMETERS};
use crate::oauth::dialect::Dialect;
use crate::oauth::discovery::Metadata;
use crate::oauth::url::is_loopback;
use crate::presets::{CUSTOM, Confidence, PkceMode, Preset, Space};
use crate::secret::{ExposeSecret, SecretString};

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
    /// Advanced: what the listener of an https redirect URL shows to the browser.
    Certificate,
    /// Advanced: its private key.
    CertificateKey,
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
    Key::Certificate,
    Key::CertificateKey,
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
            Self::Certificate => "Certificate",
            Self::CertificateKey => "Certificate key",
        }
    }

    /// The field with this name in files; `vars` is the first variable of the preset.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "preset" => Self::Preset,
            "vars" => Self::Var(0),
            "client_id" => Self::ClientId,
            "client_secret" => Self::ClientSecret,
            "scope" => Self::Scope,
            "flow" => Self::Flow,
            "redirect_url" => Self::RedirectUrl,
            "authorization_url" => Self::AuthorizationUrl,
            "device_url" => Self::DeviceUrl,
            "token_url" => Self::TokenUrl,
            "issuer" => Self::Issuer,
            "client_authentication" => Self::ClientAuthentication,
            "extra_parameters" => Self::ExtraParameters,
            "login_hint" => Self::LoginHint,
            "pkce" => Self::Pkce,
            "ca_file" => Self::CaFile,
            "listen_address" => Self::ListenAddress,
            "certificate" => Self::Certificate,
            "certificate_key" => Self::CertificateKey,
            _ => return None,
        })
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

/// Which listener waits for the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ListenerChoice {
    /// HTTP.sys on Windows, else the loopback listener.
    #[default]
    Auto,
    /// The kernel's web server of Windows.
    HttpSys,
    /// Our own, on the loopback addresses.
    Loopback,
}

impl ListenerChoice {
    /// True where HTTP.sys is meant here: it is where Windows listens, unless another address was given.
    #[must_use]
    pub fn is_http_sys(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => cfg!(windows) && self.is_http_sys_on_windows(elsewhere),
            Self::HttpSys | Self::Loopback => self.is_http_sys_on_windows(elsewhere),
        }
    }

    /// The same for a machine with Windows.
    #[must_use]
    pub fn is_http_sys_on_windows(self, elsewhere: bool) -> bool {
        match self {
            Self::Auto => !elsewhere,
            Self::HttpSys => true,
            Self::Loopback => false,
        }
    }
}

/// Where the browser is that the person signs in with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Browser {
    /// On this machine, as far as is known.
    #[default]
    Here,
    /// On another: none can be opened here.
    Elsewhere,
}

impl Browser {
    /// The flow that a preset begins with.
    fn first_flow(self, preset: &Preset) -> FlowKind {
        match self {
            Self::Here => preset.preferred(),
            Self::Elsewhere => preset.preferred_without_browser(),
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
    /// What is wrong with the place that the secret came from.
    secret_notice: Option<String>,
    flow: FlowKind,
    authentication: AuthenticationChoice,
    pkce: bool,
    /// The client ID is that of a service, and must not reach another.
    of_a_service: bool,
    /// The same of the secret.
    secret_of_a_service: bool,
    /// The URLs were typed, not copied from a preset.
    own_urls: bool,
    /// How the service differs from the protocol, where Custom settings came from its preset.
    dialect: Option<Box<Dialect>>,
}

/// What an issuer said about itself, and what of it is in use.
#[derive(Debug, Clone)]
struct Found {
    metadata: Metadata,
    keys: Vec<Key>,
}

/// Who knows the value of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The preset.
    Preset,
    /// The metadata of the issuer.
    Metadata,
}

/// A change that helps against a problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This text in that field.
    Text(Key, String),
    /// This flow.
    Flow(FlowKind),
}

/// The values of the form.
#[derive(Debug, Clone)]
pub struct Settings {
    preset: Arc<Preset>,
    draft: Draft,
    /// By preset, so that coming back finds what was typed. Custom settings is there with the URLs that were
    /// typed, not with those that it had from a preset.
    earlier: HashMap<String, Draft>,
    found: Option<Found>,
    /// Which listener waits for the browser; given by a flag only.
    listener: ListenerChoice,
    /// Where the browser is.
    browser: Browser,
    /// The certificates that this program created.
    created: Created,
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

/// Another server now: nothing goes to further addresses of the old one.
fn leave_old_servers(dialect: &mut Dialect) {
    dialect.device.token_url = None;
    dialect.callback.token_host = None;
}

fn fresh(preset: &Preset, browser: Browser) -> Draft {
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
        secret_notice: None,
        flow: browser.first_flow(preset),
        authentication: AuthenticationChoice::Automatic,
        pkce: preset.client.pkce != PkceMode::Off,
        of_a_service: !preset.is_custom(),
        secret_of_a_service: !preset.is_custom(),
        own_urls: false,
        dialect: None,
    }
}

impl Settings {
    /// The preset with its own values.
    #[must_use]
    pub fn new(preset: Arc<Preset>) -> Self {
        Self {
            draft: fresh(&preset, Browser::Here),
            preset,
            earlier: HashMap::new(),
            found: None,
            listener: ListenerChoice::Auto,
            browser: Browser::Here,
            created: Created::default(),
        }
    }

    /// The same where the browser is elsewhere: each preset begins with the flow that works there.
    #[must_use]
    pub fn with_browser(mut self, browser: Browser) -> Self {
        self.browser = browser;
        self.draft.flow = browser.first_flow(&self.preset);
        self
    }

    /// True where the preset begins with another flow than the one it prefers, as no browser can be opened here.
    #[must_use]
    pub fn begins_elsewhere(&self) -> bool {
        self.browser.first_flow(&self.preset) != self.preset.preferred()
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
            let mut extra = self.all_extra_parameters();
            extra.retain(|(name, _)| !PROTOCOL_PARAMETERS.contains(&name.as_str()));
            values.insert(
                Key::ExtraParameters,
                form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(extra)
                    .finish(),
            );
            let mut draft = Draft {
                values,
                own_urls: false,
                dialect: Some(Box::new(self.dialect())),
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
            let mut draft = fresh(&preset, self.browser);
            if self.preset.is_custom() && !self.draft.of_a_service {
                let typed = self.value(Key::ClientId);
                if !typed.is_empty()
                    && draft
                        .values
                        .get(&Key::ClientId)
                        .is_none_or(String::is_empty)
                {
                    draft.values.insert(Key::ClientId, typed);
                    if !self.draft.secret_of_a_service {
                        draft.secret = self.draft.secret.clone();
                        draft.secret_notice.clone_from(&self.draft.secret_notice);
                    }
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
        self.found = None;
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
        let flow = self.flow();
        match key {
            Key::Var(_) if self.preset.embedded_server => Access::Locked,
            Key::Flow if self.flows().len() < 2 => Access::Locked,
            Key::RedirectUrl | Key::AuthorizationUrl
                if !self.offers(FlowKind::AuthorizationCode) =>
            {
                Access::NotOffered
            }
            Key::DeviceUrl if !self.offers(FlowKind::DeviceCode) => Access::NotOffered,
            Key::RedirectUrl | Key::AuthorizationUrl | Key::ListenAddress | Key::Pkce
                if flow != FlowKind::AuthorizationCode =>
            {
                Access::OtherFlow
            }
            Key::DeviceUrl if flow != FlowKind::DeviceCode => Access::OtherFlow,
            Key::Certificate | Key::CertificateKey if !self.listens_with_tls() => Access::OtherFlow,
            Key::Pkce if self.pkce_is_fixed() => Access::Locked,
            _ if self.source(key).is_some() => Access::Locked,
            _ => Access::Editable,
        }
    }

    /// True where the preset leaves no choice about PKCE.
    #[must_use]
    pub fn pkce_is_fixed(&self) -> bool {
        matches!(self.preset.client.pkce, PkceMode::Required | PkceMode::Off)
    }

    /// The flows that can be chosen: those of the preset, and one more where the metadata has its endpoint.
    #[must_use]
    pub fn flows(&self) -> Vec<FlowKind> {
        [FlowKind::DeviceCode, FlowKind::AuthorizationCode]
            .into_iter()
            .filter(|flow| self.offers(*flow))
            .collect()
    }

    /// True where `flow` can be chosen.
    #[must_use]
    pub fn offers(&self, flow: FlowKind) -> bool {
        let found = self.metadata().is_some_and(|metadata| match flow {
            FlowKind::DeviceCode => metadata.device_url.is_some(),
            FlowKind::AuthorizationCode => metadata.authorization_url.is_some(),
        });
        // What the preset says is no flow for this program stays none, unless it is not sure.
        self.preset.offers(flow) || (found && self.preset.confidence != Confidence::High)
    }

    /// What the issuer of the form said about itself.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.found().map(|found| &found.metadata)
    }

    /// As long as the issuer is the one that was asked.
    fn found(&self) -> Option<&Found> {
        let found = self.found.as_ref()?;
        (self.own_value(Key::Issuer).trim() == found.metadata.asked).then_some(found)
    }

    fn found_url(&self, key: Key) -> Option<&str> {
        let found = self.found()?;
        let metadata = &found.metadata;
        let url = match key {
            Key::AuthorizationUrl => metadata.authorization_url.as_ref(),
            Key::DeviceUrl => metadata.device_url.as_ref(),
            Key::TokenUrl => metadata.token_url.as_ref(),
            _ => None,
        }?;
        found.keys.contains(&key).then_some(url.as_str())
    }

    /// Who knows the value of a field; `None` where it is typed. Metadata goes before a preset that is not sure.
    #[must_use]
    pub fn source(&self, key: Key) -> Option<Source> {
        let preset = self.known(key).map(|_| Source::Preset);
        let found = self.found_url(key).map(|_| Source::Metadata);
        if self.preset.confidence == Confidence::High {
            preset.or(found)
        } else {
            found.or(preset)
        }
    }

    /// The preset's own text for a field, with its placeholders.
    fn known(&self, key: Key) -> Option<&str> {
        let endpoints = &self.preset.endpoints;
        match key {
            Key::AuthorizationUrl => endpoints.authorization.as_deref(),
            Key::DeviceUrl => endpoints.device.as_deref(),
            Key::TokenUrl => endpoints.token.as_deref(),
            Key::Issuer => endpoints.issuer.as_deref(),
            _ => None,
        }
    }

    /// The text of a field, as it would be used: the preset's with its placeholders filled, what the issuer said, or
    /// the typed one. Empty for the secret and for fields that are chosen.
    #[must_use]
    pub fn value(&self, key: Key) -> String {
        match (self.source(key), self.found_url(key)) {
            (Some(Source::Metadata), Some(url)) => url.to_owned(),
            _ => self.own_value(key),
        }
    }

    /// The same without what the issuer said.
    fn own_value(&self, key: Key) -> String {
        match self.known(key) {
            Some(template) => self.fill(template),
            None => self.draft.values.get(&key).cloned().unwrap_or_default(),
        }
    }

    /// Replaces the placeholders whose variable has a value; the others stay visible.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
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
            || self.source(key).is_some()
            || matches!(self.access(key), Access::Locked | Access::NotOffered)
        {
            return;
        }
        // What was found is in use until the issuer is another.
        if key == Key::Issuer && value.trim() != self.own_value(Key::Issuer).trim() {
            self.found = None;
        }
        if self.preset.is_custom() {
            // A client ID typed here is nobody's yet. A secret is that of a service until it was emptied.
            self.draft.of_a_service &= key != Key::ClientId;
            let before = self.draft.secret.expose_secret().is_empty();
            self.draft.secret_of_a_service &= key != Key::ClientSecret || !before;
            let is_url = matches!(key, Key::AuthorizationUrl | Key::DeviceUrl | Key::TokenUrl);
            self.draft.own_urls |= is_url;
            if let (true, Some(dialect)) = (is_url, &mut self.draft.dialect) {
                leave_old_servers(dialect);
            }
        }
        if key == Key::ClientSecret {
            self.draft.secret = SecretString::from(value);
            self.draft.secret_notice = None;
        } else {
            self.draft.values.insert(key, value);
        }
    }

    /// True where the variable at this place is a part of an address.
    #[must_use]
    pub fn stands_in_a_url(&self, place: usize) -> bool {
        let Some(variable) = self.preset.variables.get(place) else {
            return false;
        };
        let placeholder = format!("{{{}}}", variable.name);
        self.preset
            .addresses()
            .any(|(_, url)| url.contains(&placeholder))
    }

    /// Tells where the embedded demo server listens.
    pub fn set_server(&mut self, url: &str) {
        if self.preset.embedded_server {
            self.draft.values.insert(Key::Var(0), url.to_owned());
        }
    }

    /// Tells for which hosts there is a certificate that this program created.
    pub fn set_created_certificates(&mut self, created: Created) {
        self.created = created;
    }

    /// The created certificate for `host`, where there is one.
    #[must_use]
    pub fn created_certificate(&self, host: &str) -> Option<Files> {
        self.created.files(host)
    }

    /// True where the loopback listener itself has to speak https: the redirect URL does, and leads to this machine.
    /// HTTP.sys has certificates of its own.
    #[must_use]
    pub fn listens_with_tls(&self) -> bool {
        self.draft.flow == FlowKind::AuthorizationCode
            && self.value(Key::ListenAddress).trim().is_empty()
            && !self.listener.is_http_sys(false)
            && Url::parse(self.value(Key::RedirectUrl).trim())
                .is_ok_and(|url| url.scheme() == "https" && is_loopback(&url))
    }

    /// Takes over what the issuer says about itself: it is in use, and locked, as long as the Issuer stays. What the
    /// preset knows for certain stays. Says which fields have their value from it.
    pub fn take_over(&mut self, metadata: &Metadata, filling: Filling) -> Vec<Key> {
        let keys: Vec<Key> = [
            (Key::AuthorizationUrl, &metadata.authorization_url),
            (Key::DeviceUrl, &metadata.device_url),
            (Key::TokenUrl, &metadata.token_url),
        ]
        .into_iter()
        .filter(|(key, url)| {
            let typed = self.known(*key).is_none() && !self.own_value(*key).trim().is_empty();
            url.is_some() && (filling == Filling::Everything || !typed)
        })
        .map(|(key, _)| key)
        .collect();
        let mut metadata = metadata.clone();
        if self.known(Key::Issuer).is_none() {
            // In the server's own spelling: answers and ID tokens are compared with it.
            self.draft
                .values
                .insert(Key::Issuer, metadata.issuer.clone());
            metadata.asked.clone_from(&metadata.issuer);
        }
        if let (false, Some(dialect)) = (Vec::is_empty(&keys), &mut self.draft.dialect) {
            leave_old_servers(dialect);
        }
        self.found = Some(Found { metadata, keys });
        [Key::AuthorizationUrl, Key::DeviceUrl, Key::TokenUrl]
            .into_iter()
            .filter(|key| self.source(*key) == Some(Source::Metadata))
            .collect()
    }

    /// Makes a change that helps against a problem.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Text(key, text) => self.set(*key, text.clone()),
            Change::Flow(flow) => self.set_flow(*flow),
        }
    }

    /// Which listener waits for the browser.
    #[must_use]
    pub fn listener(&self) -> ListenerChoice {
        self.listener
    }

    /// The client secret.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.draft.secret
    }

    /// The flow.
    #[must_use]
    pub fn flow(&self) -> FlowKind {
        // A flow that only the metadata offered is gone with it.
        if self.offers(self.draft.flow) {
            self.draft.flow
        } else {
            self.browser.first_flow(&self.preset)
        }
    }

    /// Changes the flow, where the service offers it.
    pub fn set_flow(&mut self, flow: FlowKind) {
        if self.offers(flow) {
            self.draft.flow = flow;
        }
    }

    /// What is wrong with the place that the client secret came from, as a sentence.
    #[must_use]
    pub fn secret_notice(&self) -> Option<&str> {
        self.draft.secret_notice.as_deref()
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
        let separator = match &self.draft.dialect {
            Some(dialect) => dialect.scope_separator.clone().unwrap_or_default(),
            None => self.preset.scope.separator.clone(),
        };
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

    /// The scopes to choose from: value and purpose; the preset's, and those that the issuer tells of.
    #[must_use]
    pub fn scope_list(&self) -> Vec<(String, String)> {
        let mut list: Vec<(String, String)> = self
            .preset
            .scope
            .list
            .iter()
            .map(|entry| (entry.value.clone(), entry.purpose.clone()))
            .collect();
        for scope in self.metadata().iter().flat_map(|metadata| &metadata.scopes) {
            if !list.iter().any(|(known, _)| known == scope) {
                list.push((scope.clone(), "named by the issuer".to_owned()));
            }
        }
        list
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
            refresh_parameters: self.filled(&preset.parameters.refresh).collect(),
            no_refresh: preset.tokens.no_refresh,
            refresh_note: preset.tokens.refresh_note.clone(),
            device,
            answers,
            callback: preset.callback.clone(),
        }
    }

    /// Parameters with their variables filled; those whose variable is empty are left out.
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
        let parameters = match self.flow() {
            FlowKind::AuthorizationCode => &self.preset.parameters.authorization,
            FlowKind::DeviceCode => &self.preset.parameters.device,
        };
        let mut all: Vec<(String, String)> = self
            .filled(parameters)
            .filter(|(name, _)| !PROTOCOL_PARAMETERS.contains(&name.as_str()))
            .collect();
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
    /// What is wrong with the place that it came from, as a sentence.
    pub secret_notice: Option<String>,
    /// The flow.
    pub flow: Option<FlowKind>,
    /// How the secret is sent.
    pub authentication: Option<AuthenticationChoice>,
    /// PKCE on or off.
    pub pkce: Option<bool>,
    /// Which listener waits for the browser.
    pub listener: ListenerChoice,
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
        self.listener = overrides.listener;
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
            self.draft.secret_notice = overrides.secret_notice;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;
    use crate::presets;

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

    fn metadata(issuer: &str) -> Metadata {
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
            scopes: vec!["mail".to_owned(), "openid".to_owned()],
            pkce_methods: None,
            authentication: Some(vec!["client_secret_post".to_owned()]),
            iss_in_answers: true,
        }
    }

    #[test]
    fn what_was_found_fills_and_locks_until_the_issuer_is_another() {
        let mut form = settings("custom");
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.set(Key::Issuer, "https://as.example/".to_owned());
        let filled = form.take_over(&metadata("https://as.example/"), Filling::Everything);
        assert_eq!(
            filled,
            [Key::AuthorizationUrl, Key::DeviceUrl, Key::TokenUrl]
        );
        // The server's own spelling.
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
        // Coming back does not bring back what may be out of date.
        form.set(Key::Issuer, "https://as.example".to_owned());
        assert!(form.metadata().is_none());
    }

    #[test]
    fn what_was_typed_stays_where_only_the_missing_is_filled() {
        let mut form = settings("custom");
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        form.take_over(&metadata("https://as.example"), Filling::WhatIsMissing);
        assert_eq!(form.value(Key::TokenUrl), "https://mine.example/token");
        assert_eq!(form.value(Key::DeviceUrl), "https://as.example/d");
    }

    #[test]
    fn metadata_goes_before_a_preset_that_is_not_certain_only() {
        let mut certain = settings("keycloak");
        certain.set(Key::Var(0), "as.example".to_owned());
        certain.set(Key::Var(1), "r".to_owned());
        let issuer = certain.value(Key::Issuer);
        assert!(
            certain
                .take_over(&metadata(&issuer), Filling::Everything)
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
        let filled = low.take_over(&metadata(&issuer), Filling::Everything);
        assert_eq!(filled.len(), 3);
        assert_eq!(low.value(Key::TokenUrl), "https://as.example/t");
        assert_eq!(low.access(Key::TokenUrl), Access::Locked);
        assert!(low.offers(FlowKind::DeviceCode));
        low.set_flow(FlowKind::DeviceCode);
        low.set(Key::Var(0), "other.example".to_owned());
        // What only the metadata offered is gone with it.
        assert_eq!(low.flow(), FlowKind::AuthorizationCode);
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
        found.take_over(&metadata("https://as.example"), Filling::Everything);
        let dialect = found.dialect();
        assert!(dialect.device.token_url.is_none() && dialect.callback.token_host.is_none());
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        let dialect = form.dialect();
        assert!(dialect.device.token_url.is_none() && dialect.callback.token_host.is_none());
        assert_eq!(dialect.device.grant_type.as_deref(), Some("device_token"));
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
        let mut changed = form.clone();
        form.choose(presets::get("github").unwrap());
        assert_eq!(
            (
                form.value(Key::ClientId).as_str(),
                form.secret().expose_secret()
            ),
            ("", "")
        );
        // Nor does the secret, where the ID was changed; one that was typed anew is nobody's yet.
        changed.set(Key::ClientId, "google-idx".to_owned());
        let mut typed = changed.clone();
        changed.choose(presets::get("keycloak").unwrap());
        assert_eq!(changed.value(Key::ClientId), "google-idx");
        assert_eq!(changed.secret().expose_secret(), "");
        typed.set(Key::ClientSecret, "google-secretx".to_owned());
        let mut edited = typed.clone();
        edited.choose(presets::get("keycloak").unwrap());
        assert_eq!(edited.secret().expose_secret(), "");
        typed.set(Key::ClientSecret, String::new());
        typed.set(Key::ClientSecret, "mine".to_owned());
        typed.choose(presets::get("keycloak").unwrap());
        assert_eq!(typed.secret().expose_secret(), "mine");
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
        assert_eq!(form.value(Key::Scope), "openid profile offline_access");
        form.toggle_scope("openid");
        assert_eq!(form.value(Key::Scope), "profile offline_access");
        form.toggle_scope("email");
        assert_eq!(form.value(Key::Scope), "profile offline_access email");
    }
}
