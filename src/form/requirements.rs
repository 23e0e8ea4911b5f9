//! Checks what a service requires of the settings in one of its flows. The requirements are data of its preset.

use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::presets::format::{Required, Requirement};

/// Returns the requirements of the flow in use that the settings don't meet.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let flow = settings.flow();
    let of_flow = settings.preset().requirements.iter();
    of_flow
        .filter(|requirement| requirement.flow == flow)
        .filter_map(|requirement| problem(settings, requirement))
        .collect()
}

fn problem(settings: &Settings, requirement: &Requirement) -> Option<Problem> {
    let (key, value) = found(settings, requirement)?;
    if requirement.form.fits(&value) {
        return None;
    }
    let (severity, word) = match (requirement.warning, value.is_empty()) {
        (false, true) => (Severity::Error, "missing"),
        (false, false) => (Severity::Error, "not allowed"),
        (true, true) => (Severity::Warning, "empty"),
        (true, false) => (Severity::Warning, "not accepted"),
    };
    let text = requirement.reason.clone();
    Some(Problem::new(key, severity, word, text))
}

/// Returns the field of a requirement, and its value.
fn found(settings: &Settings, requirement: &Requirement) -> Option<(Key, String)> {
    match requirement.required(settings.preset())? {
        Required::Variable(position) => {
            let key = Key::Var(position);
            Some((key, settings.value(key).trim().to_owned()))
        }
        Required::Scope => Some((Key::Scope, settings.scopes().join(" "))),
        Required::ClientAuthentication => {
            let method = match settings.client_authentication() {
                // The user may still enter a secret.
                ClientAuthentication::None => settings.authentication_with_secret(),
                method => method,
            };
            Some((Key::ClientAuthentication, method.name().to_owned()))
        }
        Required::Parameter { name, variable } => {
            let sent = settings.all_extra_parameters().into_iter();
            let mut values = sent.filter(|(known, _)| known == name).map(|(_, it)| it);
            let key = variable.map_or(Key::ExtraParameters, Key::Var);
            Some((key, values.next_back().unwrap_or_default()))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::request::{problems, request};
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    fn service(id: &str) -> Settings {
        let mut form = Settings::new(presets::get(id).unwrap());
        form.set_flow(FlowKind::ClientCredentials);
        assert_eq!(form.flow(), FlowKind::ClientCredentials, "{id}");
        form.set(Key::ClientId, "11111111-2222-3333-4444-555555555555".into());
        form.set(Key::ClientSecret, "s3cret".to_owned());
        form
    }

    fn of(form: &Settings) -> Vec<(Key, Severity, &'static str)> {
        let found = problems(form);
        let parts = |it: &Problem| (it.key, it.severity, it.word);
        found.iter().map(parts).collect()
    }

    #[test]
    fn token_without_a_user_requires_a_specific_tenant() {
        for id in ["microsoft-mail", "microsoft-graph"] {
            let mut form = service(id);
            for tenant in ["common", "organizations", "consumers"] {
                form.set(Key::Var(0), tenant.to_owned());
                assert_eq!(
                    of(&form),
                    [(Key::Var(0), Severity::Error, "not allowed")],
                    "{tenant}"
                );
                assert!(request(&form).is_err());
                // In a flow with a user, they are correct.
                let mut with_user = form.clone();
                with_user.set_flow(FlowKind::DeviceCode);
                assert_eq!(of(&with_user), [], "{tenant}");
            }
            for tenant in ["contoso.com", "11111111-2222-3333-4444-555555555555"] {
                form.set(Key::Var(0), tenant.to_owned());
                assert_eq!(of(&form), [], "{tenant}");
            }
            for scope in [
                "https://graph.microsoft.com/Mail.Send",
                "https://graph.microsoft.com/.default offline_access",
                "",
            ] {
                form.set(Key::Scope, scope.to_owned());
                let found = of(&form);
                let is_refused =
                    |it: &(Key, Severity, _)| it.0 == Key::Scope && it.1 == Severity::Error;
                assert!(found.iter().any(is_refused), "{scope}: {found:?}");
            }
        }
    }

    #[test]
    fn required_parameter_comes_from_variable_or_extra_parameters() {
        let mut form = service("auth0");
        form.set(Key::Var(0), "tenant.eu.auth0.com".to_owned());
        let missing = [(Key::Var(1), Severity::Warning, "empty")];
        assert_eq!(of(&form), missing);
        // This doesn't stop the run, because the tenant may have a default audience.
        assert!(request(&form).is_ok());
        form.set(Key::ExtraParameters, "audience=https://api.example".into());
        assert_eq!(of(&form), []);
        form.set(Key::ExtraParameters, String::new());
        form.set(Key::Var(1), "https://api.example".to_owned());
        assert_eq!(of(&form), []);
    }

    #[test]
    fn unaccepted_client_authentication_and_scope_are_reported() {
        let mut form = service("okta-org");
        form.set(Key::Var(0), "acme.okta.com".to_owned());
        let refused = (Key::ClientAuthentication, Severity::Warning, "not accepted");
        assert_eq!(of(&form), [refused]);
        form.set(Key::Scope, "api:read".to_owned());
        let scope = (Key::Scope, Severity::Warning, "not accepted");
        assert_eq!(of(&form), [scope, refused]);
    }
}
