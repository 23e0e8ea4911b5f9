//! The values of the form, and how a preset and an issuer's metadata fill and lock them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use crate::certificate::Files;
use crate::certificate::created::Created;
use crate::form::choices::{AuthenticationChoice, Browser, Change, ListenerChoice, Overwrite};
use crate::form::discovered::{AskedIssuer, ENDPOINTS, Found};
use crate::form::draft::Draft;
use crate::form::field::BASIC;
use crate::form::field::{ADVANCED, Access, Key, Source};
use crate::form::wrapping::bare_secret;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::discovery::Metadata;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::is_loopback;
use crate::presets::{Confidence, PkceMode, Preset};
use crate::secret::{ExposeSecret, SecretString};

/// The values of the form.
#[derive(Debug, Clone)]
pub struct Settings {
    pub(super) preset: Arc<Preset>,
    pub(super) draft: Draft,
    /// Drafts by preset, so that entered values return when the user returns to a preset. Custom settings is kept with
    /// entered URLs, not with URLs from a preset.
    pub(super) earlier: HashMap<String, Draft>,
    pub(super) found: Option<Found>,
    pub(super) asked: Option<AskedIssuer>,
    /// Hosts that are trusted for endpoints of any issuer; only a flag sets them.
    pub(super) trusted_hosts: BTreeSet<String>,
    /// Hosts that are trusted for one issuer: host of the issuer, host of the endpoints.
    trusted_for: BTreeSet<(String, String)>,
    /// The listener that waits for the browser; only a flag sets it.
    pub(super) listener: ListenerChoice,
    /// The ID and path of a preset that a flag loaded from a file.
    pub(super) preset_file: Option<(String, String)>,
    /// Where the browser runs.
    pub(super) browser: Browser,
    /// The certificates that this program created.
    created: Created,
}

impl Settings {
    /// Creates settings with the values of the preset.
    #[must_use]
    pub fn new(preset: Arc<Preset>) -> Self {
        Self {
            draft: Draft::of_preset(&preset, Browser::Here),
            preset,
            earlier: HashMap::new(),
            found: None,
            asked: None,
            trusted_hosts: BTreeSet::new(),
            trusted_for: BTreeSet::new(),
            listener: ListenerChoice::Auto,
            preset_file: None,
            browser: Browser::Here,
            created: Created::default(),
        }
    }

    /// Returns where the browser runs.
    #[must_use]
    pub fn browser(&self) -> Browser {
        self.browser
    }

    /// Sets where the browser runs. Each preset starts with the flow that works there.
    #[must_use]
    pub fn with_browser(mut self, browser: Browser) -> Self {
        self.browser = browser;
        self.draft.flow = browser.first_flow(&self.preset);
        self
    }

    /// Sets where the browser runs, once that is known. Changes the flow accordingly, unless the user chose it or
    /// `keep_flow` is set.
    pub fn find_browser(&mut self, browser: Browser, keep_flow: bool) {
        self.browser = browser;
        if !self.draft.flow_chosen && !keep_flow {
            self.draft.flow = browser.first_flow(&self.preset);
        }
    }

    /// Returns whether the preset starts with another flow than it prefers, because no browser can be opened here.
    #[must_use]
    pub fn begins_elsewhere(&self) -> bool {
        self.browser.first_flow(&self.preset) != self.preset.preferred()
    }

    /// Returns the preset in use.
    #[must_use]
    pub fn preset(&self) -> &Arc<Preset> {
        &self.preset
    }

    /// Returns the fields in the order of the screen, the advanced ones last.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        let mut keys = vec![Key::Preset];
        keys.extend((0..self.preset.variables.len()).map(Key::Var));
        // Few services have service accounts, so show their fields only if they are used.
        let of_account = |key: &Key| matches!(key, Key::KeyFile | Key::Subject);
        let is_used = self.flow() == FlowKind::JwtBearer;
        keys.extend(BASIC.iter().filter(|key| is_used || !of_account(key)));
        keys.extend(self.advanced_keys());
        keys
    }

    /// Returns the fields under Advanced. The key ID is included only if a key signs, or if a key ID was entered.
    pub fn advanced_keys(&self) -> impl Iterator<Item = Key> + use<> {
        let has_id = self.client_authentication() == ClientAuthentication::PrivateKeyJwt
            || !self.value(Key::ClientKeyId).trim().is_empty();
        let all = ADVANCED.iter().copied();
        all.filter(move |key| has_id || *key != Key::ClientKeyId)
    }

    /// Returns the name of a field on screen.
    #[must_use]
    pub fn label(&self, key: Key) -> &str {
        match key {
            Key::Var(position) => self
                .preset
                .variables
                .get(position)
                .map_or("", |variable| &variable.label),
            other => other.label(),
        }
    }

    /// Returns whether the preset leaves no choice about PKCE.
    #[must_use]
    pub fn pkce_is_fixed(&self) -> bool {
        matches!(self.preset.client.pkce, PkceMode::Required | PkceMode::Off)
    }

    /// Returns the metadata of the form's issuer.
    #[must_use]
    pub fn metadata(&self) -> Option<&Metadata> {
        self.found().map(Found::metadata)
    }

    /// Returns the metadata, if it was requested for the form's issuer.
    fn found(&self) -> Option<&Found> {
        let found = self.found.as_ref()?;
        found
            .is_of(self.value_without_metadata(Key::Issuer).trim())
            .then_some(found)
    }

    fn found_url(&self, key: Key) -> Option<&str> {
        let found = self.found()?;
        let url = found.url(key)?;
        let alias = found.alias(key);
        Some(alias.filter(|_| self.uses_certificate()).unwrap_or(url))
    }

    /// Returns whether the client authenticates with its certificate.
    pub(super) fn uses_certificate(&self) -> bool {
        self.client_authentication() == ClientAuthentication::MutualTls
    }

    /// Returns where the value of a field comes from; `None` if the user enters it. Metadata overrides a preset that
    /// isn't certain of its values.
    #[must_use]
    pub fn source(&self, key: Key) -> Option<Source> {
        let preset = self.preset_text(key).map(|_| Source::Preset);
        let found = self.found_url(key).map(|_| Source::Metadata);
        if self.preset.confidence == Confidence::High {
            preset.or(found)
        } else {
            found.or(preset)
        }
    }

    /// Returns the preset's own text for a field, with its placeholders.
    pub(super) fn preset_text(&self, key: Key) -> Option<&str> {
        let endpoints = &self.preset.endpoints;
        match key {
            Key::AuthorizationUrl => endpoints.authorization.as_deref(),
            Key::DeviceUrl => endpoints.device.as_deref(),
            Key::TokenUrl => endpoints.token.as_deref(),
            Key::Issuer => endpoints.issuer.as_deref(),
            _ => None,
        }
    }

    /// Returns the text of a field as it would be used: the preset's with its placeholders filled in, the metadata's,
    /// or the entered text. Empty for the secret and for fields that are chosen from a list.
    #[must_use]
    pub fn value(&self, key: Key) -> String {
        match (self.source(key), self.found_url(key)) {
            (Some(Source::Metadata), Some(url)) => url.to_owned(),
            _ => self.value_without_metadata(key),
        }
    }

    /// Returns the same without the metadata of the issuer.
    fn value_without_metadata(&self, key: Key) -> String {
        match self.preset_text(key) {
            Some(template) => self.fill(template),
            None => self.draft.values.get(&key).cloned().unwrap_or_default(),
        }
    }

    /// Fills in the placeholders whose variable has a value. The others stay visible.
    #[must_use]
    pub fn fill(&self, template: &str) -> String {
        self.preset.variables.iter().enumerate().fold(
            template.to_owned(),
            |text, (position, variable)| {
                let value = self
                    .draft
                    .values
                    .get(&Key::Var(position))
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

    /// Returns the path in a field, if there is one.
    pub(super) fn path(&self, key: Key) -> Option<PathBuf> {
        let path = self.value(key);
        (!path.trim().is_empty()).then(|| PathBuf::from(path.trim()))
    }

    /// Changes the text of a text field. A field that can't be changed stays as it is.
    pub fn set(&mut self, key: Key, value: String) {
        if !key.is_text()
            || self.source(key).is_some()
            || matches!(self.access(key), Access::Locked | Access::NotOffered)
        {
            return;
        }
        // Metadata stays in use until the issuer changes.
        if key == Key::Issuer && value.trim() != self.value_without_metadata(Key::Issuer).trim() {
            self.found = None;
        }
        if self.preset.is_custom() {
            // A client ID entered here belongs to no service yet. A secret belongs to its service until it is emptied.
            self.draft.of_a_service &= key != Key::ClientId;
            let before = self.draft.secret.expose_secret().is_empty();
            self.draft.secret_of_a_service &= key != Key::ClientSecret || !before;
            let is_url = ENDPOINTS.contains(&key);
            self.draft.own_urls |= is_url;
            self.draft.own_issuer |= key == Key::Issuer;
            if is_url {
                self.draft.leave_old_servers();
            }
        }
        self.draft.notices.remove(&key);
        self.draft.sources.remove(&key);
        if key == Key::ClientSecret {
            self.draft.secret = SecretString::from(value);
            self.draft.secret_notice = None;
        } else {
            self.draft.values.insert(key, value);
        }
    }

    /// Returns whether the variable at this position is part of a URL.
    #[must_use]
    pub fn stands_in_a_url(&self, position: usize) -> bool {
        let Some(variable) = self.preset.variables.get(position) else {
            return false;
        };
        let placeholder = format!("{{{}}}", variable.name);
        self.preset
            .addresses()
            .any(|(_, url)| url.contains(&placeholder))
    }

    /// Sets the address of the embedded demo server.
    pub fn set_server(&mut self, url: &str) {
        if self.preset.embedded_server {
            self.draft.values.insert(Key::Var(0), url.to_owned());
        }
    }

    /// Sets the hosts for which this program created a certificate.
    pub fn set_created_certificates(&mut self, created: Created) {
        self.created = created;
    }

    /// Returns the created certificate for `host`, if there is one.
    #[must_use]
    pub fn created_certificate(&self, host: &str) -> Option<Files> {
        self.created.files(host)
    }

    /// Returns whether the loopback listener must use https: the redirect URL is https, and points to this machine.
    /// HTTP.sys has its own certificates.
    #[must_use]
    pub fn listens_with_tls(&self) -> bool {
        self.draft.flow == FlowKind::AuthorizationCode
            && self.value(Key::ListenAddress).trim().is_empty()
            && !self.listener.is_http_sys(false)
            && Url::parse(self.value(Key::RedirectUrl).trim())
                .is_ok_and(|url| url.scheme() == "https" && is_loopback(&url))
    }

    /// Applies the metadata of an issuer, and locks the fields that it fills in, until the issuer changes. Values that
    /// the preset is certain about stay. Returns the fields that have their value from the metadata.
    pub fn take_over(&mut self, metadata: &Metadata, overwrite: Overwrite) -> Vec<Key> {
        let mut found = Found::new(metadata.clone(), |key| {
            let typed = self.preset_text(key).is_none()
                && !self.value_without_metadata(key).trim().is_empty();
            overwrite == Overwrite::Everything || !typed
        });
        if self.preset_text(Key::Issuer).is_none() {
            self.draft
                .values
                .insert(Key::Issuer, found.use_own_spelling());
        }
        if !found.fills_nothing() {
            self.draft.leave_old_servers();
        }
        self.found = Some(found);
        ENDPOINTS
            .into_iter()
            .filter(|key| self.source(*key) == Some(Source::Metadata))
            .collect()
    }

    /// Applies a change that fixes a problem.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Text(key, text) => self.set(*key, text.clone()),
            Change::Move { from, to, text } => {
                self.set(*from, String::new());
                self.set(*to, text.clone());
            }
            Change::BareSecret => {
                if let Some((secret, _)) = bare_secret(self.draft.secret.expose_secret()) {
                    self.set(Key::ClientSecret, secret);
                }
            }
            Change::Flow(flow) => self.set_flow(*flow),
            Change::Trust { issuer, host } => {
                self.trusted_for.insert((issuer.clone(), host.clone()));
            }
        }
    }

    /// Returns whether the user trusts `host` for endpoints of an issuer on the host `issuer`.
    #[must_use]
    pub fn trusts(&self, issuer: &str, host: &str) -> bool {
        self.trusted_hosts.contains(host)
            || self
                .trusted_for
                .contains(&(issuer.to_owned(), host.to_owned()))
    }

    /// Returns the listener that waits for the browser.
    #[must_use]
    pub fn listener(&self) -> ListenerChoice {
        self.listener
    }

    /// Returns the client secret.
    #[must_use]
    pub fn secret(&self) -> &SecretString {
        &self.draft.secret
    }

    /// Returns what is wrong with the source of the client secret, as a sentence.
    #[must_use]
    pub fn secret_notice(&self) -> Option<&str> {
        self.draft.secret_notice.as_deref()
    }

    /// Sets a notice about the client secret, as a sentence. It is shown until the secret changes.
    pub fn set_secret_notice(&mut self, notice: &str) {
        self.draft.secret_notice = Some(notice.to_owned());
    }

    /// Returns what was changed in values from flags and environment variables, as sentences.
    #[must_use]
    pub fn notices(&self) -> &BTreeMap<Key, String> {
        &self.draft.notices
    }

    /// Returns the flag or environment variable that set a field.
    #[must_use]
    pub fn source_of(&self, key: Key) -> Option<&str> {
        self.draft.sources.get(&key).map(String::as_str)
    }

    /// Returns how the client authenticates.
    #[must_use]
    pub fn authentication(&self) -> AuthenticationChoice {
        self.draft.authentication
    }

    /// Changes how the client authenticates.
    pub fn set_authentication(&mut self, choice: AuthenticationChoice) {
        self.draft.authentication = choice;
    }

    /// Returns whether PKCE is used.
    #[must_use]
    pub fn pkce(&self) -> bool {
        self.draft.pkce
    }

    /// Turns PKCE on or off, if the preset allows both.
    pub fn set_pkce(&mut self, on: bool) {
        if !self.pkce_is_fixed() {
            self.draft.pkce = on;
        }
    }

    /// Returns the entered scopes, one by one.
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

    /// Adds a scope, or removes it if it is present.
    pub fn toggle_scope(&mut self, scope: &str) {
        let mut scopes = self.scopes();
        let before = scopes.len();
        scopes.retain(|one| one != scope);
        if scopes.len() == before {
            scopes.push(scope.to_owned());
        }
        self.set(Key::Scope, scopes.join(" "));
    }

    /// Returns the scopes to choose from, each with its purpose: those of the preset, and those of the metadata.
    #[must_use]
    pub fn scope_list(&self) -> Vec<(String, String)> {
        let mut list: Vec<(String, String)> = Vec::new();
        let entries = self.preset.scope.list.iter();
        let of_preset = entries.map(|entry| (entry.value.as_str(), entry.purpose.as_str()));
        let metadata = self.metadata();
        let scopes = metadata.iter().flat_map(|metadata| &metadata.scopes);
        let of_issuer = scopes.map(|scope| (scope.as_str(), "named by the issuer"));
        for (scope, purpose) in of_preset.chain(of_issuer) {
            if !list.iter().any(|(known, _)| known == scope) {
                list.push((scope.to_owned(), purpose.to_owned()));
            }
        }
        list
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
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
