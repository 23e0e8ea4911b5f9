//! Creates the flags that fill in the form with the same values. They never include a client secret.

use std::sync::Arc;

use url::Url;

use crate::form::choices::ListenerChoice;
use crate::form::field::{Access, Key};
use crate::form::settings::Settings;

/// The flags of text fields.
pub const FLAGS: &[(Key, &str)] = &[
    (Key::ClientId, "--client-id"),
    (Key::Scope, "--scope"),
    (Key::KeyFile, "--service-account-file"),
    (Key::Subject, "--subject"),
    (Key::RedirectUrl, "--redirect-url"),
    (Key::AuthorizationUrl, "--authorization-url"),
    (Key::DeviceUrl, "--device-url"),
    (Key::TokenUrl, "--token-url"),
    (Key::Issuer, "--issuer"),
    (Key::ClientKey, "--client-key"),
    (Key::ClientKeyId, "--client-key-id"),
    (Key::ClientCertificate, "--client-certificate"),
    (Key::ExtraParameters, "--extra-parameters"),
    (Key::LoginHint, "--login-hint"),
    (Key::CaFile, "--ca-file"),
    (Key::ListenAddress, "--listen-address"),
    (Key::Certificate, "--certificate"),
    (Key::CertificateKey, "--certificate-key"),
];

/// Returns the flag of a field, if it has one of its own.
#[must_use]
pub fn flag(key: Key) -> Option<&'static str> {
    match key {
        Key::Flow => Some("--flow"),
        Key::ClientAuthentication => Some("--client-authentication"),
        Key::Pkce => Some("--pkce"),
        _ => FLAGS
            .iter()
            .find_map(|(known, flag)| (*known == key).then_some(*flag)),
    }
}

/// The URLs that only some flows use.
const OF_A_FLOW: [Key; 3] = [Key::RedirectUrl, Key::AuthorizationUrl, Key::DeviceUrl];

impl Settings {
    /// Records that the preset in use comes from this file.
    #[must_use]
    pub fn of_preset_file(mut self, path: &str) -> Self {
        self.preset_file = Some((self.preset().id.clone(), path.to_owned()));
        self
    }

    /// Returns the flags for these settings: everything that differs from the preset's initial values.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let preset = self.preset();
        let mut flags = Vec::new();
        let mut push = |flag: &str, value: &str| {
            flags.extend([flag.to_owned(), value.to_owned()]);
        };
        let fresh = Self::new(Arc::clone(preset)).with_browser(self.browser);
        match &self.preset_file {
            Some((id, path)) if *id == preset.id => push("--preset-file", path),
            _ if preset.is_custom() => {}
            _ => push("--preset", &preset.id),
        }
        for (position, variable) in preset.variables.iter().enumerate() {
            let value = self.value(Key::Var(position));
            if !preset.embedded_server && value.trim() != variable.default {
                push("--var", &format!("{}={}", variable.name, value.trim()));
            }
        }
        for (key, flag) in FLAGS {
            let value = self.value(*key);
            let used = match self.access(*key) {
                Access::Editable | Access::Locked => true,
                // The user may change the flow later.
                Access::OtherFlow => OF_A_FLOW.contains(key) && Url::parse(value.trim()).is_ok(),
                Access::NotOffered => false,
            };
            // A flag for a value that the preset locks is rejected.
            if used && self.preset_text(*key).is_none() && value.trim() != fresh.value(*key) {
                push(flag, value.trim());
            }
        }
        if self.flow() != fresh.flow() {
            push("--flow", self.flow().name());
        }
        let method = self.authentication().method();
        if let Some(method) = method.or_else(|| self.method_of_metadata()) {
            push("--client-authentication", method.name());
        }
        if self.access(Key::Pkce) == Access::Editable && self.pkce() != fresh.pkce() {
            push("--pkce", if self.pkce() { "on" } else { "off" });
        }
        match self.listener() {
            ListenerChoice::Auto => {}
            ListenerChoice::HttpSys => push("--listener", "httpsys"),
            ListenerChoice::Loopback => push("--listener", "loopback"),
        }
        for host in &self.trusted_hosts {
            push("--trust-host", host);
        }
        flags
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    #[test]
    fn valid_urls_of_other_flows_are_kept_in_flags() {
        let mut form = Settings::new(presets::get(presets::CUSTOM).unwrap());
        form.set(Key::DeviceUrl, "https://as.example/device".to_owned());
        form.set_flow(FlowKind::AuthorizationCode);
        let flags = form.flags().join(" ");
        assert!(
            flags.contains("--device-url https://as.example/device"),
            "{flags}"
        );
        // A value that is not used has no check that would explain what is wrong with it.
        form.set_flow(FlowKind::DeviceCode);
        form.set(Key::DeviceUrl, "as.example".to_owned());
        form.set_flow(FlowKind::AuthorizationCode);
        let flags = form.flags().join(" ");
        assert!(!flags.contains("--device-url"), "{flags}");
    }
}
