//! Switches to another preset, and decides which values are kept or restored.

use std::collections::BTreeMap;
use std::sync::Arc;

use url::form_urlencoded;

use crate::form::choices::AuthenticationChoice;
use crate::form::draft::Draft;
use crate::form::field::{ADVANCED, BASIC, Key};
use crate::form::settings::Settings;
use crate::oauth::client::PROTOCOL_PARAMETERS;
use crate::presets::{CUSTOM, Preset};
use crate::secret::ExposeSecret;

impl Settings {
    /// Returns the preset's initial text for a field with the flow in use; empty if there is none.
    #[must_use]
    pub fn preset_value(&self, key: Key) -> String {
        let mut fresh = Self::new(Arc::clone(&self.preset));
        fresh.choose_flow(self.flow());
        fresh.value(key)
    }

    /// Selects a preset.
    ///
    /// Custom settings keeps all values and unlocks them. Any other preset starts with its own values, or with those
    /// that were entered under it before. Client ID and secret are copied only from Custom settings in which no server
    /// was entered, because those of one service must not reach another.
    pub fn choose(&mut self, preset: Arc<Preset>) {
        if preset.id == self.preset.id {
            return;
        }
        let draft = if preset.is_custom() {
            self.unlocked_draft()
        } else {
            self.earlier
                .get(&preset.id)
                .cloned()
                .unwrap_or_else(|| self.new_draft(&preset))
        };
        self.switch(preset, draft);
    }

    /// Returns all values in use, for Custom settings.
    fn unlocked_draft(&self) -> Draft {
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
            own_issuer: false,
            dialect: Some(Box::new(self.dialect())),
            ..self.draft.clone()
        };
        if draft.authentication == AuthenticationChoice::Automatic {
            draft.authentication = match self.client_authentication() {
                method if method.uses_key() => AuthenticationChoice::of(method),
                _ => AuthenticationChoice::of(self.authentication_with_secret()),
            }
            .unwrap_or(AuthenticationChoice::Basic);
        }
        draft
    }

    /// Returns the values of `preset`, with the client that was entered in Custom settings before its service.
    fn new_draft(&self, preset: &Preset) -> Draft {
        let mut draft = Draft::of_preset(preset, self.browser);
        let has_service = self.draft.of_a_service || self.draft.has_own_server();
        if self.preset.is_custom() && !has_service {
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
    }

    /// Returns whether Custom settings contained entered URLs before a preset was selected.
    #[must_use]
    pub fn has_custom_before(&self) -> bool {
        self.earlier.contains_key(CUSTOM)
    }

    /// Restores Custom settings as they were before a preset was selected.
    pub fn choose_custom_before(&mut self, custom: Arc<Preset>) {
        if let Some(draft) = self.earlier.get(CUSTOM).cloned() {
            self.switch(custom, draft);
        }
    }

    fn switch(&mut self, preset: Arc<Preset>, draft: Draft) {
        let returns = self.draft_returns();
        let before = std::mem::replace(&mut self.draft, draft);
        if returns {
            self.earlier.insert(self.preset.id.clone(), before);
        }
        self.preset = preset;
        self.found = None;
    }

    /// Returns whether the values are kept for a return to the preset.
    fn draft_returns(&self) -> bool {
        !self.preset.is_custom() || self.draft.own_urls || self.draft.has_own_server()
    }

    /// Keeps the values that were entered under other presets in `before`, for a return to these presets.
    pub fn keep_entries_of(&mut self, before: Self) {
        let returns = before.draft_returns();
        self.earlier = before.earlier;
        if returns {
            self.earlier.insert(before.preset.id.clone(), before.draft);
        }
        self.earlier.remove(&self.preset.id);
    }

    /// Returns whether settings with the preset of this name, in place of these, would lose something that the user
    /// entered. What flags and environment variables set is not lost.
    #[must_use]
    pub fn would_lose_entries_to(&self, preset_name: &str) -> bool {
        if self.draft_returns() && self.preset.name != preset_name {
            return false;
        }
        let own = Draft::of_preset(&self.preset, self.browser);
        let scope = self.preset.scope.of_flow(self.draft.flow).join(" ");
        let is_entered = |(key, value): (&Key, &String)| {
            let preset = match key {
                Key::Scope => scope.as_str(),
                key => own.values.get(key).map_or("", String::as_str),
            };
            value.trim() != preset && !self.draft.sources.contains_key(key)
        };
        let has_secret = !self.draft.secret.expose_secret().is_empty();
        self.draft.values.iter().any(is_entered)
            || (has_secret && !self.draft.sources.contains_key(&Key::ClientSecret))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::flags::Overrides;
    use crate::presets;
    use crate::secret::ExposeSecret;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    #[test]
    fn urls_typed_in_custom_settings_are_restored() {
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
    fn credentials_are_not_carried_over_to_another_service() {
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
    fn credentials_do_not_leak_through_custom_settings() {
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
        // The secret isn't copied either if the ID was changed. A newly entered secret belongs to no service yet.
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
    fn typed_urls_survive_switching_presets() {
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
        form.set(Key::ClientSecret, "its secret".to_owned());
        // An email address names the mail service, not a server.
        form.set(Key::Issuer, "me@mail.example".to_owned());
        form.choose(presets::get("github").unwrap());
        assert_eq!(form.value(Key::ClientId), "typed first");
        assert_eq!(form.secret().expose_secret(), "its secret");
    }

    #[test]
    fn client_of_an_entered_server_stays_with_it() {
        let client = |form: &Settings| {
            let secret = form.secret().expose_secret().to_owned();
            (form.value(Key::ClientId), secret)
        };
        let custom = presets::get("custom").unwrap();
        let mine = ("mine".to_owned(), "s3cret".to_owned());
        let servers = [
            (Key::TokenUrl, "https://mine.example/token"),
            (Key::DeviceUrl, "https://mine.example/device"),
            (Key::Issuer, "https://mine.example"),
        ];
        for (key, url) in servers {
            let mut typed = Settings::new(Arc::clone(&custom));
            typed.set(Key::ClientId, mine.0.clone());
            typed.set(Key::ClientSecret, mine.1.clone());
            typed.set(key, url.to_owned());
            let mut given = Settings::new(Arc::clone(&custom));
            let overrides = Overrides {
                values: [(Key::ClientId, mine.0.clone()), (key, url.to_owned())].into(),
                secret: Some(mine.1.as_str().into()),
                ..Overrides::default()
            };
            given.lay_over(overrides).unwrap();
            for mut form in [typed, given] {
                assert_eq!(client(&form), mine, "{url}");
                form.choose(presets::get("github").unwrap());
                assert_eq!(client(&form), (String::new(), String::new()), "{url}");
                assert!(form.has_custom_before());
                form.choose_custom_before(Arc::clone(&custom));
                assert_eq!(client(&form), mine, "{url}");
            }
        }
        // An address that was removed again is none.
        let mut form = Settings::new(custom);
        form.set(Key::ClientId, "mine".to_owned());
        form.set(Key::TokenUrl, "https://mine.example/token".to_owned());
        form.set(Key::TokenUrl, String::new());
        form.choose(presets::get("github").unwrap());
        assert_eq!(form.value(Key::ClientId), "mine");
    }
}
