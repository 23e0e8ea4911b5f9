//! Converts the form to a request for the engine, or to its problems, field by field.
//!
//! Text is parsed into types only here, and all problems are reported together, each at its field. After that, nothing
//! is checked again.

use std::path::PathBuf;

use url::Url;

use crate::certificate::{Files, Origin};
use crate::clean::clean;
use crate::form::checks;
use crate::form::choices::ListenerChoice;
use crate::form::client_key;
use crate::form::field::Key;
use crate::form::known_parameters;
use crate::form::listen_address::ListenAddress;
use crate::form::meant;
use crate::form::problem::{Problem, Problems, Severity};
use crate::form::settings::Settings;
use crate::form::url_fields;
use crate::oauth::client::{Client, is_reserved};
use crate::oauth::discovery::Expected;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::signing::{Published, Signing};
use crate::oauth::url::RedirectUrl;
use crate::presets::format::mail_domain;
use crate::secret::ExposeSecret;

/// Everything a run needs.
#[derive(Debug, Clone)]
pub struct FlowRequest {
    /// The flow to run.
    pub kind: FlowKind,
    /// The client, as the protocol needs it.
    pub client: Client,
    /// The redirect URL, for the authorization code flow.
    pub redirect_url: Option<RedirectUrl>,
    /// The address to listen on instead of the redirect URL's.
    pub listen: Option<ListenAddress>,
    /// The listener that waits for the browser.
    pub listener: ListenerChoice,
    /// The certificate of an https redirect URL on this machine.
    pub certificate: Option<Files>,
    /// A CA certificate that is trusted in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The service account, for the JWT bearer flow.
    pub service_account: Option<ServiceAccountFile>,
}

/// The key file of a service account, and its use. The file is read when the run starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccountFile {
    /// The path of the file.
    pub path: PathBuf,
    /// The user that the service account impersonates.
    pub subject: Option<String>,
    /// Where to get such a file, as a sentence.
    pub help: String,
}

/// An issuer whose metadata can be requested.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// The identifier, as entered or as in the preset.
    pub name: String,
    /// Other identifiers that its metadata may contain.
    pub others: Vec<String>,
    /// A CA certificate that is trusted in addition to those of the system.
    pub ca_file: Option<PathBuf>,
    /// The selected flow, whose endpoints must be valid.
    pub flow: FlowKind,
}

impl Issuer {
    /// Returns the identifiers to compare the metadata with.
    #[must_use]
    pub fn expected(&self) -> Expected<'_> {
        Expected {
            issuer: &self.name,
            others: &self.others,
            flow: self.flow,
        }
    }
}

/// Returns the issuer of the form, if there is one.
#[must_use]
pub fn issuer(settings: &Settings) -> Option<Issuer> {
    let name = settings.value(Key::Issuer).trim().to_owned();
    (!name.is_empty()).then(|| Issuer {
        name,
        others: settings.preset().discovery.issuers.clone(),
        ca_file: settings.path(Key::CaFile),
        flow: settings.flow(),
    })
}

/// Returns all problems, field by field, in the order of the screen.
#[must_use]
pub fn problems(settings: &Settings) -> Vec<Problem> {
    parse_form(settings).1
}

/// Returns the files that the user entered for the certificate of an https redirect URL, if there are both.
#[must_use]
pub fn given_certificate(settings: &Settings) -> Option<Files> {
    Some(Files {
        certificate: settings.path(Key::Certificate)?,
        key: settings.path(Key::CertificateKey)?,
        origin: Origin::Given,
    })
}

/// Returns the request of the form.
///
/// # Errors
/// Returns all problems if at least one of them stops a run.
pub fn request(settings: &Settings) -> Result<FlowRequest, Vec<Problem>> {
    let (request, problems) = parse_form(settings);
    match request {
        Some(request)
            if problems
                .iter()
                .all(|problem| problem.severity == Severity::Warning) =>
        {
            Ok(request)
        }
        _ => Err(problems),
    }
}

fn parse_form(settings: &Settings) -> (Option<FlowRequest>, Vec<Problem>) {
    let mut builder = RequestBuilder {
        settings,
        problems: Problems::default(),
        meant: meant::problems(settings),
    };
    builder.problems.extend(builder.meant.clone());
    builder.notices();
    let request = builder.build();
    for problem in &builder.meant {
        builder.problems.say_only(problem);
    }
    (request, builder.problems.in_order())
}

struct RequestBuilder<'a> {
    settings: &'a Settings,
    problems: Problems,
    /// Problems with the values as they were entered.
    meant: Vec<Problem>,
}

impl RequestBuilder<'_> {
    fn build(&mut self) -> Option<FlowRequest> {
        let settings = self.settings;
        let kind = settings.flow();
        let complete = self.variables();
        let client_id = settings.value(Key::ClientId).trim().to_owned();
        if client_id.is_empty() && kind.has_client() {
            let help = settings
                .preset()
                .client_id_help
                .as_deref()
                .unwrap_or("Paste the client ID of your application.");
            self.problems.error(
                Key::ClientId,
                "missing",
                format!("The Client ID is missing. {help}"),
            );
        }
        self.problems.extend(checks::service_problems(settings));
        let redirect_url = (kind == FlowKind::AuthorizationCode)
            .then(|| url_fields::redirect_url(settings, &mut self.problems))
            .flatten();
        if let Some(url) = &redirect_url {
            url_fields::check_answer_parameters(url, &mut self.problems);
        }
        let certificate = redirect_url.as_ref().and_then(|url| self.certificate(url));
        let mut url = |key, wanted| {
            if wanted {
                url_fields::endpoint_url(settings, key, complete, &mut self.problems)
            } else {
                None
            }
        };
        let authorization_url = url(Key::AuthorizationUrl, kind == FlowKind::AuthorizationCode);
        let device_url = url(Key::DeviceUrl, kind == FlowKind::DeviceCode);
        let token_url = url(Key::TokenUrl, true);
        let issuer = url_fields::issuer(settings, complete, &mut self.problems);
        let extra = self.extra_parameters();
        for (key, url) in [
            (Key::AuthorizationUrl, &authorization_url),
            (Key::DeviceUrl, &device_url),
        ] {
            url_fields::check_sent_once(settings, key, url.as_ref(), &extra, &mut self.problems);
        }
        if !kind.has_user() {
            let (key, url) = (Key::TokenUrl, token_url.as_ref());
            url_fields::check_sent_once(settings, key, url, &extra, &mut self.problems);
        }
        let listen = self.listen_address();
        let service_account = self.service_account();
        let secret = (kind.has_client() && !settings.secret().expose_secret().is_empty())
            .then(|| settings.secret().clone());
        let dialect = settings.dialect();
        let poll_url = match &dialect.device.token_url {
            Some(text) if kind == FlowKind::DeviceCode && complete => {
                Some(url_fields::poll_url(settings, text, &mut self.problems)?)
            }
            Some(_) | None => None,
        };
        let token_url = token_url?;
        let credential = client_key::credential(
            settings,
            &client_id,
            &token_url,
            issuer.as_deref(),
            &mut self.problems,
        );
        let client = Client {
            client_id: if kind.has_client() {
                client_id
            } else {
                String::new()
            },
            authentication: settings.client_authentication(),
            credential,
            secret,
            authorization_url,
            device_url,
            token_url,
            poll_url,
            scopes: settings.scopes(),
            extra,
            pkce: settings.pkce(),
            iss_promised: issuer.is_some()
                && settings
                    .metadata()
                    .is_some_and(|metadata| metadata.iss_in_answers),
            id_token_issuers: match settings.preset().tokens.id_token_issuers.as_slice() {
                [] => issuer.iter().cloned().collect(),
                patterns => patterns.to_vec(),
            },
            signing: Signing {
                registered: settings.preset().tokens.id_token_algorithm.clone(),
                published: settings.metadata().map(|metadata| Published {
                    keys_url: metadata.keys_url.clone(),
                    algorithms: metadata.id_token_algorithms.clone(),
                }),
            },
            issuer,
            pushed: settings.pushed(),
            dialect,
        };
        Some(FlowRequest {
            kind,
            client,
            redirect_url: redirect_url
                .map(|url| RedirectUrl::new(url, &settings.value(Key::RedirectUrl))),
            listen,
            listener: settings.listener(),
            certificate,
            ca_file: settings.path(Key::CaFile),
            service_account,
        })
    }

    /// Returns the service account, if the flow uses one. Its file is read when the run starts.
    fn service_account(&mut self) -> Option<ServiceAccountFile> {
        let settings = self.settings;
        if settings.flow() != FlowKind::JwtBearer {
            return None;
        }
        let help = settings.preset().client.service_account_help.clone();
        let help = help.unwrap_or_default();
        if settings.scopes().is_empty() {
            let text = "The Scope is missing. Enter the scopes to request for the service account.";
            self.problems.error(Key::Scope, "missing", text);
        }
        let subject = self.subject();
        let Some(path) = settings.path(Key::KeyFile) else {
            let text = format!(
                "The Key file is missing. Enter the path of the service account's key (JSON). {help}"
            );
            self.problems
                .error(Key::KeyFile, "missing", text.trim_end());
            return None;
        };
        Some(ServiceAccountFile {
            path,
            subject,
            help,
        })
    }

    /// Returns the user that the service account impersonates.
    fn subject(&mut self) -> Option<String> {
        let settings = self.settings;
        let text = settings.value(Key::Subject);
        let subject = text.trim();
        if subject.is_empty() {
            if settings.preset().mail.is_some() {
                let text =
                    "A service account has no mailbox of its own. Enter the address of the mailbox";
                self.problems.warning(Key::Subject, "no mailbox", text);
            }
            return None;
        }
        let is_address = mail_domain(subject).is_some();
        let is_known = self.meant.iter().any(|problem| problem.key == Key::Subject);
        if !is_address && !is_known {
            let text = "Subject must be the email address of the user to act for, such as alice@example.org";
            self.problems.error(Key::Subject, "not an address", text);
        }
        Some(subject.to_owned())
    }

    /// Adds warnings about the issuer, and about values that were changed.
    fn notices(&mut self) {
        let of_issuer = self.settings.issuer_problem();
        self.problems.extend(of_issuer.into_iter().collect());
        for (key, note) in self.settings.notices() {
            self.problems.warning(*key, "cleaned", note.clone());
        }
    }

    /// Returns whether all placeholders in the URLs have values.
    fn variables(&mut self) -> bool {
        let settings = self.settings;
        let mut complete = true;
        for (position, variable) in settings.preset().variables.iter().enumerate() {
            let value = settings.value(Key::Var(position));
            let value = value.trim();
            let help = variable.help.as_deref().unwrap_or_default();
            if value.is_empty() && variable.optional {
                continue;
            }
            let key = Key::Var(position);
            if self
                .meant
                .iter()
                .any(|problem| problem.key == key && problem.severity == Severity::Error)
            {
                complete = false;
                continue;
            }
            if value.is_empty() {
                complete = false;
                self.problems.error(
                    Key::Var(position),
                    "missing",
                    format!("{} is missing. {help}", variable.label),
                );
            } else if settings.stands_in_a_url(position)
                && value.contains(|ch: char| ch.is_whitespace() || "?#@\\{}".contains(ch))
            {
                complete = false;
                let text = format!("{} contains an invalid character. {help}", variable.label);
                self.problems.error(Key::Var(position), "malformed", text);
            }
        }
        complete
    }

    /// Returns the certificate of an https redirect URL on this machine. Its files are read when the run starts.
    fn certificate(&mut self, url: &Url) -> Option<Files> {
        let settings = self.settings;
        // HTTP.sys uses a certificate of the machine.
        if !settings.listens_with_tls() {
            return None;
        }
        match (
            settings.path(Key::Certificate),
            settings.path(Key::CertificateKey),
        ) {
            (Some(_), Some(_)) => given_certificate(settings),
            (Some(_), None) => {
                let text = "The Certificate key is missing. Enter the PEM file with the private key of the Certificate. Both \
                    may be in one file";
                self.problems.error(Key::CertificateKey, "missing", text);
                None
            }
            (None, Some(_)) => {
                let text = "The Certificate is missing. Enter the PEM file with the certificate for the Certificate key. \
                    Both may be in one file";
                self.problems.error(Key::Certificate, "missing", text);
                None
            }
            (None, None) => {
                let host = url.host_str().unwrap_or_default();
                let created = settings.created_certificate(host);
                // For a service that accepts only https, the note of the preset already says this.
                if created.is_none() && !settings.preset().redirect.https_only {
                    let text = format!(
                        "There is no certificate for {}, so the program can't listen there. Create one with Configure… \
                            (oauth-authorizer configure setup), enter PEM files as Certificate and Certificate key, \
                            paste the final URL after sign-in, or set Listen address if a proxy handles https",
                        clean(host, 60)
                    );
                    self.problems
                        .warning(Key::RedirectUrl, "no certificate", text);
                }
                created
            }
        }
    }

    /// Checks the extra parameters, and adds those of the preset and the login hint.
    fn extra_parameters(&mut self) -> Vec<(String, String)> {
        let text = self.settings.value(Key::ExtraParameters);
        let dialect = self.settings.dialect();
        let mut is_valid = true;
        for part in text.trim().split('&').filter(|part| !part.is_empty()) {
            // Decode the name first, so that an encoded letter doesn't hide it.
            let (name, value) = url::form_urlencoded::parse(part.as_bytes())
                .next()
                .unwrap_or_default();
            let name = name.as_ref();
            let has_space = part.contains(char::is_whitespace);
            if !part.contains('=') || name.is_empty() || has_space {
                let text = if part.contains('=') && has_space {
                    "A parameter contains a space. Write it as +, or separate parameters with &"
                } else {
                    "Enter extra parameters as name=value, separated by &"
                };
                self.problems.error(Key::ExtraParameters, "malformed", text);
                is_valid = false;
                break;
            }
            // The user may request a response mode that this program can read, if the service chooses another.
            let as_read =
                name == "response_mode" && matches!(value.as_ref(), "query" | "form_post");
            if is_reserved(name, &dialect) && !as_read {
                let text = if name == "response_mode" {
                    "response_mode can only be query or form_post".to_owned()
                } else {
                    format!("{name} is set by the program and can't be an extra parameter")
                };
                self.problems
                    .error(Key::ExtraParameters, "not allowed", text);
                is_valid = false;
                break;
            }
        }
        let mut all = self.settings.all_extra_parameters();
        if is_valid {
            self.problems.extend(known_parameters::problems(&all));
        }
        let hint = self.settings.value(Key::LoginHint);
        let hint = if self.settings.flow().has_user() {
            hint.trim()
        } else {
            ""
        };
        if !hint.is_empty() && !all.iter().any(|(name, _)| name == "login_hint") {
            all.push(("login_hint".to_owned(), hint.to_owned()));
        }
        all
    }

    fn listen_address(&mut self) -> Option<ListenAddress> {
        let text = self.settings.value(Key::ListenAddress);
        if text.trim().is_empty() || self.settings.flow() != FlowKind::AuthorizationCode {
            return None;
        }
        let Ok(listen) = text.trim().parse::<ListenAddress>() else {
            let text = "Listen address must be an IP address of this machine, with or without a port, such as 127.0.0.1:8400";
            self.problems.error(Key::ListenAddress, "malformed", text);
            return None;
        };
        if let Some(warning) = listen.warning() {
            self.problems
                .warning(Key::ListenAddress, "open to the network", warning);
        }
        Some(listen)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::{AuthenticationChoice, Overwrite};
    use crate::form::field::Access;
    use crate::form::flags::Overrides;
    use crate::oauth::discovery::{Metadata, Ways};
    use crate::presets;

    fn settings(id: &str) -> Settings {
        Settings::new(presets::get(id).unwrap())
    }

    fn problem_words(settings: &Settings) -> Vec<(Key, &'static str)> {
        problems(settings)
            .iter()
            .map(|problem| (problem.key, problem.word))
            .collect()
    }

    #[test]
    fn preset_locks_known_fields_and_variables_update_them() {
        let mut form = settings("microsoft-mail");
        assert_eq!(form.access(Key::TokenUrl), Access::Locked);
        assert_eq!(form.access(Key::AuthorizationUrl), Access::OtherFlow);
        form.set(Key::Var(0), "contoso.example".to_owned());
        assert_eq!(
            form.value(Key::TokenUrl),
            "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
        );
        form.set(Key::Var(0), String::new());
        assert!(form.value(Key::TokenUrl).contains("{tenant}"));
        assert_eq!(
            problem_words(&form),
            [(Key::Var(0), "missing"), (Key::ClientId, "missing")]
        );
    }

    #[test]
    fn custom_settings_keep_all_values_and_unlock_them() {
        let mut form = settings("google-mail");
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::ClientSecret, "s3cret".to_owned());
        let token_url = form.value(Key::TokenUrl);
        form.choose(presets::get("custom").unwrap());
        assert_eq!(form.value(Key::TokenUrl), token_url);
        assert_eq!(form.access(Key::TokenUrl), Access::Editable);
        assert_eq!(form.value(Key::ClientId), "me");
        assert_eq!(form.secret().expose_secret(), "s3cret");
        assert_eq!(form.authentication(), AuthenticationChoice::Post);
        assert_eq!(
            form.value(Key::ExtraParameters),
            "access_type=offline&prompt=consent"
        );
        assert_eq!(form.flow(), FlowKind::AuthorizationCode);
        assert_eq!(request(&form).unwrap().client.extra.len(), 2);
        form.set(Key::TokenUrl, "https://other.example/token".to_owned());
        assert_eq!(form.value(Key::TokenUrl), "https://other.example/token");
    }

    #[test]
    fn invalid_input_is_reported_at_its_field() {
        let mut form = settings("custom");
        form.set_flow(FlowKind::AuthorizationCode);
        // Use the loopback listener on Windows, too.
        form.lay_over(Overrides {
            listener: Some(ListenerChoice::Loopback),
            ..Overrides::default()
        })
        .unwrap();
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::AuthorizationUrl, "https://as.example/auth".to_owned());
        form.set(Key::TokenUrl, "https://as.example/token".to_owned());
        assert_eq!(problem_words(&form), []);
        for (key, value, word) in [
            (Key::ClientId, " ", "missing"),
            (Key::RedirectUrl, "", "missing"),
            (
                Key::RedirectUrl,
                "http://10.0.0.5:8400/",
                "not this machine",
            ),
            (
                Key::RedirectUrl,
                "https://mail.example/cb",
                "not this machine",
            ),
            (Key::RedirectUrl, "https://localhost/cb", "no certificate"),
            (
                Key::RedirectUrl,
                "http://127.0.0.1:8400/?a=1&st%61te=x",
                "sent twice",
            ),
            (
                Key::RedirectUrl,
                "http://127.0.0.1:8400/?code",
                "sent twice",
            ),
            (Key::ExtraParameters, "request_uri=x", "not allowed"),
            (Key::ExtraParameters, "State=x", "not allowed"),
            (Key::AuthorizationUrl, "as.example/auth", "not a URL"),
            (Key::TokenUrl, "http://as.example/token", "not secure"),
            (Key::TokenUrl, "ftp://as.example/token", "not https"),
            (
                Key::TokenUrl,
                "https://me:pw@as.example/token",
                "has a user name",
            ),
            (Key::TokenUrl, "", "missing"),
            (Key::ExtraParameters, "prompt", "malformed"),
            (Key::ExtraParameters, "prompt=login consent", "malformed"),
            (Key::ExtraParameters, "a=b&state=x", "not allowed"),
            (Key::ExtraParameters, "st%61te=x", "not allowed"),
            (Key::ListenAddress, "everywhere", "malformed"),
            (Key::Issuer, "as.example", "not a URL"),
        ] {
            let mut bad = form.clone();
            bad.set(key, value.to_owned());
            assert_eq!(problem_words(&bad), [(key, word)], "{key:?} {value}");
            // A redirect URL without a listener can still be pasted.
            let pasted = value.starts_with("https://") && key == Key::RedirectUrl;
            assert_eq!(request(&bad).is_ok(), pasted, "{key:?} {value}");
        }
    }

    #[test]
    fn space_in_a_parameter_is_reported() {
        let mut form = settings("custom");
        let text = |form: &Settings| {
            let mut all = problems(form).into_iter();
            let found = all.find(|problem| problem.key == Key::ExtraParameters);
            found.map(|problem| problem.text)
        };
        form.set(Key::ExtraParameters, "prompt=login consent".to_owned());
        let told = text(&form).unwrap();
        assert!(told.contains("contains a space"), "{told}");
        form.set(Key::ExtraParameters, "prompt=login+consent".to_owned());
        assert_eq!(text(&form), None);
    }

    #[test]
    fn url_that_sets_a_reserved_parameter_is_reported() {
        let ready = |form: &mut Settings| {
            for (key, value) in [
                (Key::ClientId, "me"),
                (Key::RedirectUrl, "http://127.0.0.1:8400/"),
                (Key::AuthorizationUrl, "https://as.example/auth?keep=1"),
                (Key::DeviceUrl, "https://as.example/device?keep=1"),
                (Key::TokenUrl, "https://as.example/token?keep=1&p=policy"),
            ] {
                form.set(key, value.to_owned());
            }
        };
        for (flow, key, path) in [
            (FlowKind::AuthorizationCode, Key::AuthorizationUrl, "auth"),
            (FlowKind::AuthorizationCode, Key::TokenUrl, "token"),
            (FlowKind::DeviceCode, Key::DeviceUrl, "device"),
            (FlowKind::DeviceCode, Key::TokenUrl, "token"),
        ] {
            // The service calls the client ID client_key; Custom settings keeps that name.
            let mut form = settings("tiktok");
            form.choose(presets::get("custom").unwrap());
            form.set_flow(flow);
            ready(&mut form);
            form.set(Key::ExtraParameters, "prompt=consent".to_owned());
            assert_eq!(problem_words(&form), [], "{flow:?}");
            for name in [
                "response_type",
                "redirect_uri",
                "client_id",
                "client_key",
                "CLIENT_ID",
                "client%5Fid",
                "client_secret",
                "scope",
                "state",
                "nonce",
                "code_challenge",
                "code_challenge_method",
                "response_mode",
                "request",
                "request_uri",
                "grant_type",
                "code",
                "code_verifier",
                "refresh_token",
                "device_code",
            ] {
                for query in [
                    format!("{name}=x"),
                    format!("keep=1&{name}"),
                    format!("{name}=&a=b"),
                ] {
                    form.set(key, format!("https://as.example/{path}?{query}"));
                    let problems = problems(&form);
                    let text = format!("contains {},", name.replace("%5F", "_"));
                    assert!(
                        problems.len() == 1
                            && problems[0].key == key
                            && problems[0].text.contains(&text)
                            && problems[0].severity == Severity::Error,
                        "{query}: {problems:?}"
                    );
                }
            }
        }
        // The endpoints must not repeat extra parameters either.
        let mut form = settings("custom");
        ready(&mut form);
        for (flow, key) in [
            (FlowKind::AuthorizationCode, Key::AuthorizationUrl),
            (FlowKind::DeviceCode, Key::DeviceUrl),
        ] {
            form.set_flow(flow);
            form.set(Key::ExtraParameters, "prompt=consent&keep=2".to_owned());
            assert_eq!(problem_words(&form), [(key, "sent twice")]);
            form.set(Key::ExtraParameters, "prompt=consent".to_owned());
            assert_eq!(problem_words(&form), []);
        }
    }

    #[test]
    fn duplicate_parameter_is_reported_at_an_editable_field() {
        let address = |query: &str| {
            let text = format!("https://as.example/{query}");
            Url::parse(&text).unwrap()
        };
        let told = |form: &Settings| {
            let mut problems = problems(form);
            problems.retain(|problem| problem.word == "sent twice");
            assert_eq!(problems.len(), 1);
            (problems[0].key, problems[0].text.clone())
        };
        for locked in [false, true] {
            for (key, value, query, at, remedy) in [
                (
                    Key::LoginHint,
                    "me@as.example",
                    "auth?login_hint=other",
                    Key::LoginHint,
                    "Leave Login hint empty.",
                ),
                (
                    Key::ExtraParameters,
                    "prompt=login",
                    "auth?Prompt=x",
                    Key::ExtraParameters,
                    "Remove it from Extra parameters.",
                ),
            ] {
                let mut form = settings("custom");
                form.set_flow(FlowKind::AuthorizationCode);
                let url = address(query);
                form.set(key, value.to_owned());
                if locked {
                    form.set(Key::Issuer, "https://as.example".to_owned());
                    let metadata = Metadata {
                        asked: "https://as.example".to_owned(),
                        issuer: "https://as.example".to_owned(),
                        source: address(""),
                        authorization_url: Some(url),
                        device_url: None,
                        token_url: Some(address("token")),
                        revocation_url: None,
                        introspection_url: None,
                        userinfo_url: None,
                        keys_url: None,
                        id_token_algorithms: None,
                        scopes: Vec::new(),
                        pkce_methods: None,
                        authentication: None,
                        assertion_algorithms: None,
                        mtls: crate::oauth::discovery::MtlsAliases::default(),
                        iss_in_answers: false,
                        ways: Ways::default(),
                    };
                    form.take_over(&metadata, Overwrite::Everything);
                    let (key, text) = told(&form);
                    assert_eq!(key, at);
                    assert!(text.ends_with(remedy), "{text}");
                } else {
                    form.set(Key::AuthorizationUrl, url.to_string());
                    form.set(Key::TokenUrl, address("token").to_string());
                    let (key, text) = told(&form);
                    assert_eq!(key, Key::AuthorizationUrl);
                    let remedy = format!("Remove it from the URL or from {}.", at.label());
                    assert!(text.ends_with(&remedy), "{text}");
                }
            }
        }
    }

    #[test]
    fn listen_address_supports_a_redirect_url_behind_a_proxy() {
        let mut form = settings("custom");
        form.set_flow(FlowKind::AuthorizationCode);
        for (key, value) in [
            (Key::ClientId, "me"),
            (Key::AuthorizationUrl, "https://as.example/auth"),
            (Key::TokenUrl, "https://as.example/token"),
            (Key::RedirectUrl, "https://mail.example/cb"),
            (Key::ListenAddress, "127.0.0.1:8400"),
        ] {
            form.set(key, value.to_owned());
        }
        let listen = request(&form).unwrap().listen.unwrap();
        assert_eq!(
            (listen.ip.to_string().as_str(), listen.port),
            ("127.0.0.1", Some(8400))
        );
        assert_eq!("[::1]".parse::<ListenAddress>().unwrap().port, None);
    }

    #[test]
    fn listen_address_open_to_the_network_gets_a_warning() {
        let mut form = settings("custom");
        form.set_flow(FlowKind::AuthorizationCode);
        for (key, value) in [
            (Key::ClientId, "me"),
            (Key::AuthorizationUrl, "https://as.example/auth"),
            (Key::TokenUrl, "https://as.example/token"),
            (Key::RedirectUrl, "https://mail.example/cb"),
        ] {
            form.set(key, value.to_owned());
        }
        for (address, open) in [
            ("127.0.0.1", false),
            ("127.8.9.1:8400", false),
            ("::1", false),
            ("[::1]:8400", false),
            ("::ffff:127.0.0.1", false),
            ("0.0.0.0", true),
            ("0.0.0.0:8400", true),
            ("::", true),
            ("[::]:8400", true),
            ("::ffff:0.0.0.0", true),
            ("192.0.2.7", true),
            ("fe80::1", true),
        ] {
            form.set(Key::ListenAddress, address.to_owned());
            let told = problem_words(&form);
            let expected = [(Key::ListenAddress, "open to the network")];
            assert_eq!(told, if open { &expected[..] } else { &[] }, "{address}");
            // A warning doesn't stop the request.
            assert!(request(&form).is_ok(), "{address}");
        }
        form.set_flow(FlowKind::DeviceCode);
        form.set(Key::DeviceUrl, "https://as.example/device".to_owned());
        assert_eq!(problem_words(&form), []);
    }

    #[test]
    fn device_flow_reports_an_unsupported_scope() {
        let mut form = settings("google-mail");
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::ClientSecret, "s".to_owned());
        assert_eq!(problem_words(&form), []);
        form.set_flow(FlowKind::DeviceCode);
        assert_eq!(problem_words(&form), [(Key::Scope, "not supported")]);
        form.set(Key::Scope, "openid email".to_owned());
        assert_eq!(problem_words(&form), []);
    }

    #[test]
    fn secret_is_required_if_the_preset_says_so() {
        let mut form = settings("github");
        form.set(Key::ClientId, "me".to_owned());
        assert_eq!(problem_words(&form), []);
        form.set_flow(FlowKind::AuthorizationCode);
        assert_eq!(problem_words(&form), [(Key::ClientSecret, "missing")]);
    }
}
