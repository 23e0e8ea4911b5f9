//! The key of the client: problems with its fields, and the credential of a request. Its files are read by the run.

use url::Url;

use crate::certificate::store_path::StorePath;
use crate::clean::{clean, trimmed};
use crate::form::choices::{AuthenticationChoice, Change};
use crate::form::field::Key;
use crate::form::problem::{Problem, Problems, Severity};
use crate::form::settings::Settings;
use crate::oauth::assertion::{Credential, KeyFiles, Rules, Signer};
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::jose::Algorithm;
use crate::presets::format::AssertionAudience;
use crate::secret::ExposeSecret;

/// Returns the problems with the client key, its certificate, and the client authentication.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    if !settings.flow().has_client() {
        return Vec::new();
    }
    let problems = [
        key(settings),
        certificate(settings),
        unused_id(settings),
        unused_secret(settings),
        scheme(settings),
        beside_store(settings),
    ];
    problems.into_iter().flatten().collect()
}

fn key(settings: &Settings) -> Option<Problem> {
    let method = settings.client_authentication();
    let choice = settings.authentication();
    let error = |word, text: &str| {
        Some(Problem::new(
            Key::ClientKey,
            Severity::Error,
            word,
            text.to_owned(),
        ))
    };
    match (settings.has_client_key(), method.uses_key()) {
        (true, false) if choice == AuthenticationChoice::Automatic => {
            let text = "There is a client secret and a Client key. Clear one of them, or set Client auth. to the method to use";
            let change = Change::Text(Key::ClientSecret, String::new());
            error("two methods", text).map(|it| it.with_remedy("Clear the client secret", change))
        }
        (true, false) => {
            let text = format!(
                "The Client key isn't used, because Client auth. is {}",
                choice.label()
            );
            let change = Change::Text(Key::ClientKey, String::new());
            let problem = Problem::new(Key::ClientKey, Severity::Warning, "not used", text);
            Some(problem.with_remedy("Clear the Client key", change))
        }
        (false, true) => {
            let text = format!(
                "The Client key is missing. {} requires a PEM file with the private key of the client",
                method_label(method)
            );
            error("missing", &text)
        }
        (false, false) if settings.path(Key::ClientCertificate).is_some() => error(
            "missing",
            "The Client key is missing. Enter the PEM file with the private key of the Client certificate. Both may be in one \
                file",
        ),
        (true, true) | (false, false) => None,
    }
}

/// Checks for a certificate in addition to a key in a certificate store, which already contains the certificate.
fn beside_store(settings: &Settings) -> Option<Problem> {
    let method = settings.client_authentication();
    let is_stored = settings.store_path().is_some() && method.uses_key();
    (is_stored && settings.path(Key::ClientCertificate).is_some()).then(|| {
        let text =
            "The Client certificate isn't used, because the Client key is a certificate in a store";
        let change = Change::Text(Key::ClientCertificate, String::new());
        let problem = Problem::new(
            Key::ClientCertificate,
            Severity::Warning,
            "not used",
            text.to_owned(),
        );
        problem.with_remedy("Clear the Client certificate", change)
    })
}

fn method_label(method: ClientAuthentication) -> &'static str {
    AuthenticationChoice::of(method).map_or("This method", AuthenticationChoice::label)
}

fn certificate(settings: &Settings) -> Option<Problem> {
    if settings.store_path().is_some() {
        return None;
    }
    let method = settings.client_authentication();
    let why = match method {
        ClientAuthentication::MutualTls => "Mutual TLS requires".to_owned(),
        ClientAuthentication::PrivateKeyJwt if settings.preset().client.assertion.thumbprint => {
            format!("{} requires", settings.preset().name)
        }
        _ => return None,
    };
    let missing = settings.path(Key::ClientCertificate).is_none();
    missing.then(|| {
        let text = format!(
            "The Client certificate is missing. {why} a PEM file with the certificate of the Client key. Both may be in one file"
        );
        Problem::new(Key::ClientCertificate, Severity::Error, "missing", text)
    })
}

/// Warns about a key ID without a key that signs assertions.
fn unused_id(settings: &Settings) -> Option<Problem> {
    let method = settings.client_authentication();
    let given = !settings.value(Key::ClientKeyId).trim().is_empty();
    (given && method != ClientAuthentication::PrivateKeyJwt).then(|| {
        let why = AuthenticationChoice::of(method).map_or_else(
            || "there is no Client key".to_owned(),
            |used| format!("Client auth. is {}", used.label()),
        );
        let text = format!("The Key ID isn't used, because {why}");
        let change = Change::Text(Key::ClientKeyId, String::new());
        Problem::new(Key::ClientKeyId, Severity::Warning, "not used", text)
            .with_remedy("Clear the Key ID", change)
    })
}

/// Warns about a client secret that the authentication method doesn't use.
fn unused_secret(settings: &Settings) -> Option<Problem> {
    let given = !settings.secret().expose_secret().is_empty();
    (given && settings.client_authentication().uses_key()).then(|| {
        let text = format!(
            "The client secret isn't sent, because Client auth. is {}",
            settings.authentication().label()
        );
        let change = Change::Text(Key::ClientSecret, String::new());
        Problem::new(Key::ClientSecret, Severity::Warning, "not used", text)
            .with_remedy("Clear the client secret", change)
    })
}

fn scheme(settings: &Settings) -> Option<Problem> {
    let url = Url::parse(settings.value(Key::TokenUrl).trim()).ok()?;
    let plain = settings.client_authentication() == ClientAuthentication::MutualTls
        && url.scheme() == "http";
    plain.then(|| {
        let text = "Mutual TLS requires an https URL: the client certificate is part of TLS";
        Problem::new(Key::TokenUrl, Severity::Error, "not https", text.to_owned())
    })
}

impl Settings {
    /// Returns the path of the client key in a certificate store; `None` for a file.
    fn store_path(&self) -> Option<StorePath> {
        trimmed(&self.value(Key::ClientKey)).parse().ok()
    }

    /// Returns the files that the client authenticates with, or the certificate in a store.
    #[must_use]
    pub fn key_files(&self) -> Option<KeyFiles> {
        let key = self.path(Key::ClientKey)?;
        let used = self.client_authentication().uses_key();
        used.then(|| match self.store_path() {
            // Use one spelling, because profiles compare the path.
            Some(path) => KeyFiles {
                key: path.to_string().into(),
                certificate: None,
            },
            None => KeyFiles {
                key,
                certificate: self.path(Key::ClientCertificate),
            },
        })
    }
}

/// Returns the client's credential, unless the client sends its secret or doesn't authenticate.
pub(super) fn credential(
    settings: &Settings,
    client_id: &str,
    token_url: &Url,
    issuer: Option<&str>,
    problems: &mut Problems,
) -> Credential {
    let method = settings.client_authentication();
    let rule = &settings.preset().client.assertion;
    let listed = settings
        .metadata()
        .and_then(|metadata| metadata.assertion_algorithms.as_ref());
    let rules = Rules {
        algorithm: rule.algorithm.filter(|_| method.is_signed()),
        listed: listed
            .into_iter()
            .flatten()
            .filter_map(|name| Algorithm::of(name))
            .collect(),
        audience: match (rule.audience, issuer) {
            (None | Some(AssertionAudience::Issuer), Some(issuer)) => issuer.to_owned(),
            _ => token_url.to_string(),
        },
        thumbprint: rule.thumbprint,
        key_id: (method == ClientAuthentication::PrivateKeyJwt)
            .then(|| settings.value(Key::ClientKeyId).trim().to_owned())
            .filter(|id| !id.is_empty()),
    };
    let secret = settings.secret();
    match method {
        ClientAuthentication::ClientSecretJwt if !secret.expose_secret().is_empty() => {
            match rules.secret_key(secret) {
                Ok(key) => Credential::Signer(Signer::new(key, client_id, &rules)),
                Err(error) => {
                    let text = clean(&error.to_string(), 200);
                    problems.error(Key::ClientSecret, "too short", text);
                    Credential::None
                }
            }
        }
        _ => match settings.key_files() {
            Some(files) => Credential::Files(files, rules),
            None => Credential::None,
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::request::{problems, request};
    use crate::oauth::flow_kind::FlowKind;
    use crate::oauth::tools::Tool;
    use crate::presets;

    fn form(id: &str) -> Settings {
        let mut form = Settings::new(presets::get(id).unwrap());
        form.set_flow(FlowKind::ClientCredentials);
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::TokenUrl, "https://as.example/token".to_owned());
        form
    }

    fn found(form: &Settings) -> Vec<(Key, Severity, &'static str)> {
        let all = problems(form).into_iter();
        all.map(|it| (it.key, it.severity, it.word)).collect()
    }

    fn rules(form: &Settings) -> Rules {
        match request(form).unwrap().client.credential {
            Credential::Files(_, rules) => rules,
            _ => unreachable!(),
        }
    }

    #[test]
    fn key_without_secret_selects_private_key_jwt() {
        let mut form = form("custom");
        let missing = [(Key::ClientSecret, Severity::Error, "missing")];
        assert_eq!(found(&form), missing);
        form.set(Key::ClientKey, "/k.pem".to_owned());
        assert_eq!(found(&form), []);
        let client = request(&form).unwrap().client;
        assert_eq!(client.authentication, ClientAuthentication::PrivateKeyJwt);
        assert!(!client.is_public());
        assert_eq!(rules(&form).audience, "https://as.example/token");
        form.set(Key::Issuer, "https://as.example".to_owned());
        assert_eq!(rules(&form).audience, "https://as.example");
        let flags = form.flags();
        assert!(
            flags.contains(&"/k.pem".to_owned()) && !flags.contains(&"private-key-jwt".to_owned())
        );
    }

    #[test]
    fn missing_and_unused_credentials_are_reported_at_their_field() {
        let (error, warning) = (Severity::Error, Severity::Warning);
        for (choice, secret, key, certificate, expected) in [
            (
                AuthenticationChoice::KeyJwt,
                "",
                "",
                "",
                vec![(Key::ClientKey, error, "missing")],
            ),
            (
                AuthenticationChoice::KeyJwt,
                "s",
                "k",
                "",
                vec![(Key::ClientSecret, warning, "not used")],
            ),
            (
                AuthenticationChoice::MutualTls,
                "",
                "",
                "",
                vec![
                    (Key::ClientKey, error, "missing"),
                    (Key::ClientCertificate, error, "missing"),
                ],
            ),
            (
                AuthenticationChoice::MutualTls,
                "",
                "k",
                "",
                vec![(Key::ClientCertificate, error, "missing")],
            ),
            (AuthenticationChoice::MutualTls, "", "k", "k", vec![]),
            (
                AuthenticationChoice::Automatic,
                "s",
                "k",
                "",
                vec![(Key::ClientKey, error, "two methods")],
            ),
            (
                AuthenticationChoice::Post,
                "s",
                "k",
                "",
                vec![(Key::ClientKey, warning, "not used")],
            ),
            (
                AuthenticationChoice::Post,
                "s",
                "",
                "c",
                vec![(Key::ClientKey, error, "missing")],
            ),
            (
                AuthenticationChoice::SecretJwt,
                "",
                "",
                "",
                vec![(Key::ClientSecret, error, "missing")],
            ),
            (
                AuthenticationChoice::SecretJwt,
                "s",
                "",
                "",
                vec![(Key::ClientSecret, error, "too short")],
            ),
        ] {
            let mut form = form("custom");
            form.set_authentication(choice);
            form.set(Key::ClientSecret, secret.to_owned());
            form.set(Key::ClientKey, key.to_owned());
            form.set(Key::ClientCertificate, certificate.to_owned());
            assert_eq!(
                found(&form),
                expected,
                "{choice:?} {secret} {key} {certificate}"
            );
            for problem in problems(&form) {
                let Some(remedy) = problem.remedy else {
                    continue;
                };
                let mut form = form.clone();
                form.apply(&remedy.change);
                assert_eq!(found(&form), [], "{choice:?} {}", remedy.label);
            }
        }
        let mut plain = form("custom");
        plain.set_authentication(AuthenticationChoice::MutualTls);
        plain.set(Key::ClientKey, "k".to_owned());
        plain.set(Key::ClientCertificate, "k".to_owned());
        plain.set(Key::TokenUrl, "http://127.0.0.1:1/token".to_owned());
        assert_eq!(found(&plain), [(Key::TokenUrl, error, "not https")]);
        // In a flow with a user, too, this method requires a secret.
        let mut user = form("custom");
        user.set_flow(FlowKind::DeviceCode);
        user.set(Key::DeviceUrl, "https://as.example/device".to_owned());
        assert_eq!(found(&user), []);
        user.set_authentication(AuthenticationChoice::SecretJwt);
        assert_eq!(found(&user), [(Key::ClientSecret, error, "missing")]);
    }

    #[test]
    fn key_id_is_used_only_for_a_signing_key() {
        let mut form = form("custom");
        form.set(Key::ClientSecret, "s".to_owned());
        assert!(!form.keys().contains(&Key::ClientKeyId));
        form.set(Key::ClientKeyId, " main ".to_owned());
        let unused = [(Key::ClientKeyId, Severity::Warning, "not used")];
        assert_eq!(found(&form), unused);
        let said = problems(&form).remove(0).text;
        assert!(said.contains("Client auth. is Basic header"), "{said}");
        form.set(Key::ClientSecret, String::new());
        let said = problems(&form).pop().unwrap().text;
        assert!(said.contains("there is no Client key"), "{said}");
        form.set(Key::ClientKey, "k".to_owned());
        form.set(Key::ClientCertificate, "k".to_owned());
        assert_eq!(found(&form), []);
        assert_eq!(rules(&form).key_id.as_deref(), Some("main"));
        let pair = ["--client-key-id".to_owned(), "main".to_owned()];
        assert!(form.flags().windows(2).any(|flags| flags == pair));
        form.set_authentication(AuthenticationChoice::MutualTls);
        assert_eq!(found(&form), unused);
        assert_eq!(rules(&form).key_id, None);
        form.set_authentication(AuthenticationChoice::KeyJwt);
        form.set(Key::ClientKeyId, String::new());
        assert!(form.keys().contains(&Key::ClientKeyId));
        assert_eq!(rules(&form).key_id, None);
    }

    #[test]
    fn metadata_selects_the_method_and_algorithm() {
        let mut form = form("custom");
        form.set(Key::ClientKey, "k".to_owned());
        form.set(Key::ClientCertificate, "k".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        let mut with = |methods: &[&str], algorithms: Option<&[&str]>| {
            let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
            let mut found = metadata("https://as.example");
            found.authentication = Some(list(methods));
            found.assertion_algorithms = algorithms.map(list);
            form.take_over(&found, Overwrite::Everything);
            form.clone()
        };
        for (methods, expected) in [
            (
                &["private_key_jwt"][..],
                ClientAuthentication::PrivateKeyJwt,
            ),
            (&["tls_client_auth"], ClientAuthentication::MutualTls),
            (
                &["self_signed_tls_client_auth", "none"],
                ClientAuthentication::MutualTls,
            ),
            (
                &["tls_client_auth", "private_key_jwt"],
                ClientAuthentication::PrivateKeyJwt,
            ),
            (&[], ClientAuthentication::PrivateKeyJwt),
        ] {
            assert_eq!(
                with(methods, None).client_authentication(),
                expected,
                "{methods:?}"
            );
        }
        let form = with(&["private_key_jwt"], Some(&["HS256", "PS256", "x"]));
        assert_eq!(rules(&form).listed, [Algorithm::Hs256, Algorithm::Ps256]);
    }

    #[test]
    fn mtls_aliases_are_used_only_with_mutual_tls() {
        let mut form = form("custom");
        form.set(Key::TokenUrl, String::new());
        form.set(Key::ClientKey, "k".to_owned());
        form.set(Key::ClientCertificate, "k".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        let url = |text: &str| Url::parse(text).ok();
        let mut found = metadata("https://as.example");
        found.revocation_url = url("https://as.example/revoke");
        found.introspection_url = url("https://as.example/introspect");
        found.mtls.token_url = url("https://mtls.as.example/t");
        found.mtls.revocation_url = url("https://mtls.as.example/revoke");
        found.userinfo_url = url("https://as.example/me");
        found.mtls.userinfo_url = url("https://mtls.as.example/me");
        form.take_over(&found, Overwrite::Everything);
        let tool = |form: &Settings, tool| form.tool_url(tool, Some(&found)).unwrap().to_string();
        assert_eq!(form.value(Key::TokenUrl), "https://as.example/t");
        assert_eq!(tool(&form, Tool::Revocation), "https://as.example/revoke");
        assert_eq!(tool(&form, Tool::UserInfo), "https://as.example/me");
        form.set_authentication(AuthenticationChoice::MutualTls);
        assert_eq!(form.value(Key::TokenUrl), "https://mtls.as.example/t");
        assert_eq!(form.value(Key::DeviceUrl), "https://as.example/d");
        assert_eq!(
            tool(&form, Tool::Revocation),
            "https://mtls.as.example/revoke"
        );
        assert_eq!(
            tool(&form, Tool::Introspection),
            "https://as.example/introspect"
        );
        assert_eq!(tool(&form, Tool::UserInfo), "https://mtls.as.example/me");
        assert!(
            form.flags()
                .contains(&"https://mtls.as.example/t".to_owned())
        );
        // An alias on another host must be trusted like any other endpoint.
        found.mtls.token_url = url("https://evil.example/t");
        form.take_over(&found, Overwrite::Everything);
        let other = (Key::TokenUrl, Severity::Error, "other host");
        assert!(self::found(&form).contains(&other), "{:?}", problems(&form));
    }

    #[test]
    fn method_chosen_by_metadata_is_written_to_the_flags() {
        let mut form = form("custom");
        form.set(Key::ClientKey, "k".to_owned());
        form.set(Key::ClientCertificate, "k".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        assert!(!form.flags().contains(&"--client-authentication".to_owned()));
        let mut found = metadata("https://as.example");
        found.authentication = Some(vec!["tls_client_auth".to_owned()]);
        form.take_over(&found, Overwrite::Everything);
        assert!(form.flags().contains(&"mutual-tls".to_owned()));
    }

    #[test]
    fn preset_sets_algorithm_audience_and_thumbprint() {
        let mut form = form("microsoft-graph");
        form.set(Key::Var(0), "contoso.example".to_owned());
        form.set(Key::ClientKey, "k".to_owned());
        let missing = (Key::ClientCertificate, Severity::Error, "missing");
        assert!(found(&form).contains(&missing), "{:?}", problems(&form));
        form.set(Key::ClientCertificate, "c".to_owned());
        let rules = rules(&form);
        assert_eq!(rules.algorithm, Some(Algorithm::Ps256));
        assert_eq!(rules.audience, form.value(Key::TokenUrl));
        assert!(rules.thumbprint);
    }

    const STORED: &str = r"Cert:\LocalMachine\My\00112233445566778899AABBCCDDEEFF00112233";

    #[test]
    fn store_key_needs_no_certificate_file() {
        // This preset requires a certificate.
        let mut form = form("microsoft-graph");
        form.set(Key::Var(0), "contoso.example".to_owned());
        form.set(Key::ClientKey, STORED.to_lowercase());
        let of_store = |form: &Settings| -> Vec<(Key, &'static str)> {
            let all = problems(form).into_iter();
            let all = all.filter(|it| cfg!(windows) || it.word != "not a file");
            all.map(|it| (it.key, it.word)).collect()
        };
        assert_eq!(of_store(&form), []);
        let files = form.key_files().unwrap();
        assert_eq!(files.key.to_str(), Some(STORED));
        assert_eq!(request(&form).is_ok(), cfg!(windows));
        form.set(Key::ClientCertificate, "c.pem".to_owned());
        assert_eq!(of_store(&form), [(Key::ClientCertificate, "not used")]);
        assert_eq!(form.key_files().unwrap().certificate, None);
        form.set_authentication(AuthenticationChoice::MutualTls);
        assert_eq!(of_store(&form), [(Key::ClientCertificate, "not used")]);
        form.set(Key::ClientCertificate, String::new());
        assert_eq!(of_store(&form), []);
        assert_eq!(form.key_files().unwrap(), files);
    }
}
