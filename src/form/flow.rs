//! The flow of the form: which flows can be selected, and which fields each flow uses.

use crate::form::field::{Access, Key};
use crate::form::settings::Settings;
use crate::oauth::discovery::Metadata;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::Confidence;

/// The name of the client credentials grant in metadata (RFC 8414, section 2).
pub(super) const CLIENT_CREDENTIALS: &str = "client_credentials";

impl Settings {
    /// Returns whether a field can be changed.
    #[must_use]
    pub fn access(&self, key: Key) -> Access {
        let flow = self.flow();
        match key {
            Key::Var(_) if self.preset().embedded_server => Access::Locked,
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
            Key::ClientId
            | Key::ClientSecret
            | Key::ClientAuthentication
            | Key::ClientKey
            | Key::ClientKeyId
            | Key::ClientCertificate
                if !flow.has_client() =>
            {
                Access::OtherFlow
            }
            Key::KeyFile | Key::Subject if flow != FlowKind::JwtBearer => Access::OtherFlow,
            Key::LoginHint if !flow.has_user() => Access::OtherFlow,
            Key::Certificate | Key::CertificateKey if !self.listens_with_tls() => Access::OtherFlow,
            Key::Pkce if self.pkce_is_fixed() => Access::Locked,
            _ if self.source(key).is_some() => Access::Locked,
            _ => Access::Editable,
        }
    }

    /// Returns the flows that can be selected: those of the preset, and those of the metadata.
    #[must_use]
    pub fn flows(&self) -> Vec<FlowKind> {
        let mut flows = FlowKind::ALL.to_vec();
        flows.retain(|flow| self.offers(*flow));
        flows
    }

    /// Returns whether `flow` can be selected.
    #[must_use]
    pub fn offers(&self, flow: FlowKind) -> bool {
        let found = self
            .metadata()
            .is_some_and(|metadata| names(metadata, flow));
        // Metadata can't add a flow that the preset rules out, unless the preset is uncertain.
        self.preset().offers(flow) || (found && self.preset().confidence != Confidence::High)
    }

    /// Returns the flow in use.
    #[must_use]
    pub fn flow(&self) -> FlowKind {
        // A flow that only the metadata offered is gone with the metadata.
        if self.offers(self.draft.flow) {
            self.draft.flow
        } else {
            self.browser.first_flow(self.preset())
        }
    }

    /// Changes the flow, if the service offers it.
    pub fn set_flow(&mut self, flow: FlowKind) {
        if self.offers(flow) {
            self.choose_flow(flow);
        }
    }

    /// Changes the flow. Replaces the preset's own scopes with those for the new flow.
    pub(super) fn choose_flow(&mut self, flow: FlowKind) {
        let scopes = |flow| self.preset().scope.of_flow(flow).join(" ");
        let (before, after) = (scopes(self.draft.flow), scopes(flow));
        if self.draft.values.get(&Key::Scope) == Some(&before) {
            self.draft.values.insert(Key::Scope, after);
        }
        self.draft.flow = flow;
        self.draft.flow_chosen = true;
    }

    /// Returns whether a sign-in without the form requires the issuer's metadata: the user entered the issuer, or the
    /// preset is uncertain about its endpoints. A preset contains the endpoints of all its flows.
    #[must_use]
    pub fn requires_metadata(&self) -> bool {
        let is_typed = self.preset_text(Key::Issuer).is_none();
        let is_unsure = self.preset().confidence != Confidence::High;
        !self.value(Key::Issuer).trim().is_empty() && (is_typed || is_unsure)
    }

    /// Returns the next flow, or the previous one if `by` is negative. Wraps around at the ends.
    #[must_use]
    pub fn next_flow(&self, by: isize) -> FlowKind {
        let (flows, flow) = (self.flows(), self.flow());
        let Some(at) = flows.iter().position(|known| *known == flow) else {
            return flow;
        };
        let step = if by < 0 { flows.len() - 1 } else { 1 };
        flows[(at + step) % flows.len()]
    }
}

fn names(metadata: &Metadata, flow: FlowKind) -> bool {
    match flow {
        FlowKind::DeviceCode => metadata.device_url.is_some(),
        FlowKind::AuthorizationCode => metadata.authorization_url.is_some(),
        FlowKind::ClientCredentials => {
            let grants = metadata.ways.grant_types.iter().flatten();
            grants.into_iter().any(|grant| grant == CLIENT_CREDENTIALS)
        }
        // Other services accept other kinds of keys for this grant.
        FlowKind::JwtBearer => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::flags::Overrides;
    use crate::form::problem::{Problem, Severity};
    use crate::form::request::{problems, request};
    use crate::oauth::client_authentication::ClientAuthentication;
    use crate::presets;

    fn custom() -> Settings {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set_flow(FlowKind::ClientCredentials);
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::TokenUrl, "https://as.example/token".to_owned());
        form
    }

    fn of(found: &[Problem]) -> Vec<(Key, Severity, &'static str)> {
        found
            .iter()
            .map(|problem| (problem.key, problem.severity, problem.word))
            .collect()
    }

    #[test]
    fn client_credentials_flow_requires_only_secret_and_token_url() {
        let mut form = custom();
        assert_eq!(form.flow(), FlowKind::ClientCredentials);
        for key in [
            Key::RedirectUrl,
            Key::AuthorizationUrl,
            Key::DeviceUrl,
            Key::ListenAddress,
            Key::Pkce,
            Key::LoginHint,
            Key::Certificate,
        ] {
            assert_eq!(form.access(key), Access::OtherFlow, "{key:?}");
        }
        // Problems with unused fields don't matter.
        form.draft
            .values
            .insert(Key::DeviceUrl, "http://as.example/d".to_owned());
        form.draft
            .values
            .insert(Key::RedirectUrl, "nonsense".to_owned());
        form.draft
            .values
            .insert(Key::LoginHint, "alice@example.org".to_owned());
        let missing = [(Key::ClientSecret, Severity::Error, "missing")];
        assert_eq!(of(&problems(&form)), missing);
        form.set(Key::ClientSecret, "s3cret".to_owned());
        assert_eq!(of(&problems(&form)), []);
        let request = request(&form).unwrap();
        assert!(request.redirect_url.is_none() && request.client.device_url.is_none());
        assert_eq!(request.client.authentication, ClientAuthentication::Basic);
        assert!(request.client.extra.is_empty());
        form.set(
            Key::TokenUrl,
            "https://as.example/token?audience=x".to_owned(),
        );
        form.set(Key::ExtraParameters, "audience=y".to_owned());
        assert_eq!(of(&problems(&form)).len(), 1);
    }

    #[test]
    fn service_account_requires_only_key_file_scope_and_url() {
        let mut form = custom();
        assert!(!form.keys().contains(&Key::KeyFile));
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::ClientSecret, "s3cret".to_owned());
        form.set_flow(FlowKind::JwtBearer);
        assert!(form.keys().contains(&Key::KeyFile) && form.keys().contains(&Key::Subject));
        for key in [Key::ClientId, Key::ClientSecret, Key::ClientAuthentication] {
            assert_eq!(form.access(key), Access::OtherFlow, "{key:?}");
        }
        let missing = |key| (key, Severity::Error, "missing");
        assert_eq!(
            of(&problems(&form)),
            [missing(Key::Scope), missing(Key::KeyFile)]
        );
        form.set(Key::Scope, "api".to_owned());
        form.set(Key::KeyFile, "/key.json".to_owned());
        assert_eq!(of(&problems(&form)), []);
        // The request contains nothing that only other flows send.
        let made = request(&form).unwrap();
        assert!(made.client.client_id.is_empty() && made.client.secret.is_none());
        assert_eq!(made.client.authentication, ClientAuthentication::None);
        let account = made.service_account.unwrap();
        assert_eq!(account.path.to_str(), Some("/key.json"));
        assert_eq!(account.subject, None);
        form.set(Key::Subject, "alice@example.org".to_owned());
        let account = request(&form).unwrap().service_account.unwrap();
        assert_eq!(account.subject.as_deref(), Some("alice@example.org"));
        let flags = form.flags().join(" ");
        assert!(flags.contains("--service-account-file /key.json --subject alice@example.org"));
        assert!(!flags.contains("--client-id"), "{flags}");
    }

    #[test]
    fn subject_and_key_file_must_have_the_right_form() {
        let mut form = Settings::new(presets::get("google-mail").unwrap());
        form.set_flow(FlowKind::JwtBearer);
        form.set(Key::KeyFile, "/key.json".to_owned());
        assert_eq!(
            of(&problems(&form)),
            [(Key::Subject, Severity::Warning, "no mailbox")]
        );
        for wrong in [
            "alice",
            "@example.org",
            "alice@",
            "a b@example.org",
            "a@b@c",
            "a@b@example.org",
        ] {
            form.set(Key::Subject, wrong.to_owned());
            assert_eq!(
                of(&problems(&form)),
                [(Key::Subject, Severity::Error, "not an address")],
                "{wrong}"
            );
        }
        for meant in ["Alice <alice@example.org>", "mailto:alice@example.org"] {
            form.set(Key::Subject, meant.to_owned());
            let found = problems(&form);
            form.apply(&found[0].remedy.as_ref().unwrap().change);
            assert_eq!(form.value(Key::Subject), "alice@example.org");
        }
        assert_eq!(of(&problems(&form)), []);
        for content in [
            "{ \"type\": \"service_account\" }",
            "-----BEGIN PRIVATE KEY-----",
        ] {
            form.set(Key::KeyFile, content.to_owned());
            let found = problems(&form);
            assert_eq!(of(&found), [(Key::KeyFile, Severity::Error, "not a path")]);
            assert!(!found[0].text.contains(content));
        }
    }

    #[test]
    fn user_only_scopes_are_removed_by_one_remedy() {
        let mut form = custom();
        form.set(Key::ClientSecret, "s3cret".to_owned());
        form.set(Key::Scope, "openid api offline_access".to_owned());
        let found = problems(&form);
        assert_eq!(
            of(&found),
            [(Key::Scope, Severity::Warning, "only for users")]
        );
        form.apply(&found[0].remedy.as_ref().unwrap().change);
        assert_eq!(form.value(Key::Scope), "api");
        assert_eq!(of(&problems(&form)), []);
        // In a flow with a user, the same scopes are correct.
        form.set(Key::Scope, "openid offline_access".to_owned());
        form.set_flow(FlowKind::DeviceCode);
        form.set(Key::DeviceUrl, "https://as.example/device".to_owned());
        assert_eq!(of(&problems(&form)), []);
    }

    #[test]
    fn client_credentials_flow_uses_its_own_preset_scopes() {
        let graph = "https://graph.microsoft.com/.default";
        let mut form = Settings::new(presets::get("microsoft-graph").unwrap());
        let before = form.value(Key::Scope);
        form.set_flow(FlowKind::ClientCredentials);
        assert_eq!(form.value(Key::Scope), graph);
        form.set_flow(FlowKind::DeviceCode);
        assert_eq!(form.value(Key::Scope), before);
        form.set(
            Key::Scope,
            "https://graph.microsoft.com/Mail.Send".to_owned(),
        );
        form.set_flow(FlowKind::ClientCredentials);
        assert!(form.value(Key::Scope).ends_with("Mail.Send"));
        assert_eq!(form.preset_value(Key::Scope), graph);
        // Flags give the same values.
        let mut first = Settings::new(presets::get("microsoft-graph").unwrap());
        first
            .lay_over(Overrides {
                flow: Some(FlowKind::ClientCredentials),
                ..Overrides::default()
            })
            .unwrap();
        assert_eq!(first.value(Key::Scope), graph);
        assert!(first.flags().contains(&"client-credentials".to_owned()));
    }

    #[test]
    fn flow_selection_wraps_around_at_both_ends() {
        let mut form = Settings::new(presets::get("custom").unwrap());
        let mut seen = Vec::new();
        for by in [1, 1, 1, 1, -1, -1, -1, -1] {
            form.set_flow(form.next_flow(by));
            seen.push(form.flow().name());
        }
        let (device, code, client) = ("device-code", "authorization-code", "client-credentials");
        let service = "service-account";
        assert_eq!(
            seen,
            [code, client, service, device, service, client, code, device]
        );
        let github = Settings::new(presets::get("github").unwrap());
        assert!(!github.offers(FlowKind::ClientCredentials));
    }

    #[test]
    fn metadata_may_offer_client_credentials() {
        let mut form = Settings::new(presets::get("pingfederate").unwrap());
        form.set(Key::Var(0), "as.example".to_owned());
        let mut found = metadata(&form.value(Key::Issuer));
        form.take_over(&found, Overwrite::Everything);
        assert!(!form.offers(FlowKind::ClientCredentials));
        found.ways.grant_types = Some(vec![CLIENT_CREDENTIALS.to_owned()]);
        form.take_over(&found, Overwrite::Everything);
        assert!(form.offers(FlowKind::ClientCredentials));
        // A flow that isn't listed causes no error: metadata is often incomplete.
        let mut form = custom();
        form.set(Key::ClientSecret, "s3cret".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        found = metadata("https://as.example");
        found.ways.grant_types = Some(vec!["authorization_code".to_owned()]);
        form.take_over(&found, Overwrite::Nothing);
        let warned = problems(&form);
        let flow: Vec<_> = warned.iter().filter(|it| it.key == Key::Flow).collect();
        assert_eq!(flow.len(), 1, "{warned:?}");
        assert_eq!(flow[0].severity, Severity::Warning);
        assert!(flow[0].text.contains("client credentials flow"));
    }
}
