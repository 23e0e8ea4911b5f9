//! Checks the rules of a service, from its preset and its metadata, before the run. Problems are shown at their fields.
//!
//! Only what is known in advance is checked: settings that the service would reject, and unexpected results.

use std::collections::BTreeSet;

use url::Url;

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::{Key, Source};
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::form::{announced, client_key, pushed, requirements};
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::is_loopback;
use crate::presets::{PortRule, SecretRule};
use crate::secret::ExposeSecret;

/// The short label of settings that give no refresh token.
pub const NO_REFRESH_TOKEN: &str = "no refresh token";

/// The scopes that request an ID token and a refresh token.
const USER_SCOPES: &[&str] = &["openid", "offline_access"];

/// Returns what the service would reject, in no particular order.
#[must_use]
pub fn service_problems(settings: &Settings) -> Vec<Problem> {
    let mut problems: Vec<Problem> = [
        client_secret(settings),
        secret_place(settings),
        device_scopes(settings),
        resources(settings),
        refresh_scope(settings),
        user_scopes(settings),
        pkce(settings),
    ]
    .into_iter()
    .flatten()
    .collect();
    problems.extend(other_hosts(settings));
    problems.extend(announced::problems(settings));
    problems.extend(requirements::problems(settings));
    problems.extend(client_key::problems(settings));
    if settings.flow() == FlowKind::AuthorizationCode {
        problems.extend(refresh_parameter(settings));
        problems.extend(redirect(settings));
    }
    problems
}

/// Checks for a client secret that is missing, or that the service doesn't accept.
fn client_secret(settings: &Settings) -> Option<Problem> {
    let preset = settings.preset();
    if !settings.flow().has_client() {
        return None;
    }
    let given = !settings.secret().expose_secret().is_empty();
    let method = settings.client_authentication();
    if !given && method == ClientAuthentication::ClientSecretJwt {
        let text = "The client secret is missing. Secret JWT signs with it.";
        return Some(Problem::new(
            Key::ClientSecret,
            Severity::Error,
            "missing",
            text.to_owned(),
        ));
    }
    if !given && !method.uses_key() && !settings.flow().has_user() {
        let text = "The client secret is missing. This flow has no user: the client itself signs in with its secret, or with a \
            Client key.";
        return Some(Problem::new(
            Key::ClientSecret,
            Severity::Error,
            "missing",
            text.to_owned(),
        ));
    }
    let required = match preset.client.secret {
        SecretRule::Required => true,
        SecretRule::RequiredForAuthorizationCode => settings.flow() == FlowKind::AuthorizationCode,
        SecretRule::Optional | SecretRule::None => false,
    };
    let note = preset.client.secret_note.as_deref().unwrap_or_default();
    let name = &preset.name;
    let with_note = |text: &str| format!("{text} {note}").trim_end().to_owned();
    if required && !given && !method.uses_key() {
        let text = with_note("The client secret is missing.");
        return Some(Problem::new(
            Key::ClientSecret,
            Severity::Error,
            "missing",
            text,
        ));
    }
    (given && preset.client.secret == SecretRule::None).then(|| {
        let text = with_note(&format!("{name} doesn't accept a client secret."));
        Problem::new(Key::ClientSecret, Severity::Warning, "not used", text)
            .with_remedy("Clear it", Change::Text(Key::ClientSecret, String::new()))
    })
}

/// Warns about a client secret that could not be read, or whose source other users can read.
fn secret_place(settings: &Settings) -> Option<Problem> {
    let notice = settings.secret_notice()?.to_owned();
    let empty = settings.value(Key::ClientSecret).is_empty();
    let word = if empty { "not read" } else { "not private" };
    let warning = Severity::Warning;
    Some(Problem::new(Key::ClientSecret, warning, word, notice))
}

/// Checks for scopes that the service rejects with device code.
fn device_scopes(settings: &Settings) -> Option<Problem> {
    let preset = settings.preset();
    let allowed = &preset.scope.device_allowed;
    if settings.flow() != FlowKind::DeviceCode || allowed.is_empty() {
        return None;
    }
    let scopes = settings.scopes();
    let refused = scopes.iter().find(|scope| !allowed.contains(scope))?;
    let other_flow = settings.offers(FlowKind::AuthorizationCode);
    let instead = if other_flow {
        "Use Authorization code, or remove the scope."
    } else {
        "Remove the scope."
    };
    let text = format!(
        "{} doesn't support the scope {} with device code. {instead}",
        preset.name,
        clean(refused, 80)
    );
    let problem = Problem::new(Key::Scope, Severity::Error, "not supported", text);
    Some(if other_flow {
        problem.with_remedy(
            "Use authorization code",
            Change::Flow(FlowKind::AuthorizationCode),
        )
    } else {
        problem
    })
}

/// Checks for scopes of several resources, although a token is valid for only one.
fn resources(settings: &Settings) -> Option<Problem> {
    let rule = &settings.preset().scope;
    if !rule.one_resource {
        return None;
    }
    let scopes = settings.scopes();
    let resource = |scope: &String| -> Option<String> {
        if rule.resource_free.contains(scope) {
            return None;
        }
        match Url::parse(scope).ok().filter(Url::has_host) {
            Some(url) => url.host_str().map(str::to_owned),
            None => Url::parse(rule.default_resource.as_deref()?)
                .ok()?
                .host_str()
                .map(str::to_owned),
        }
    };
    // Hosts of the same resource count as the first of them.
    let resource = |scope: &String| -> Option<String> {
        let host = resource(scope)?;
        let same = rule
            .same_resource
            .iter()
            .find(|hosts| hosts.contains(&host));
        Some(
            same.and_then(|hosts| hosts.first())
                .cloned()
                .unwrap_or(host),
        )
    };
    let all: BTreeSet<String> = scopes.iter().filter_map(resource).collect();
    if all.len() < 2 {
        return None;
    }
    let first = scopes.iter().find_map(resource)?;
    let kept: Vec<&str> = scopes
        .iter()
        .filter(|scope| resource(scope).is_none_or(|resource| resource == first))
        .map(String::as_str)
        .collect();
    let list: Vec<String> = all.iter().map(|host| clean(host, 60)).collect();
    let text = format!(
        "These scopes belong to {} resources ({}). A token can cover only one. Sign in separately for each",
        all.len(),
        list.join(", ")
    );
    let change = Change::Text(Key::Scope, kept.join(" "));
    let problem = Problem::new(Key::Scope, Severity::Warning, "several resources", text);
    Some(problem.with_remedy(format!("Keep {}", clean(&first, 40)), change))
}

/// Warns if no refresh token will be issued because a scope is missing.
fn refresh_scope(settings: &Settings) -> Option<Problem> {
    let tokens = &settings.preset().tokens;
    let wanted = tokens.refresh_scope.first()?;
    let mut scopes = settings.scopes();
    if tokens.no_refresh
        || !settings.flow().has_user()
        || scopes
            .iter()
            .any(|scope| tokens.refresh_scope.contains(scope))
    {
        return None;
    }
    scopes.push(wanted.clone());
    let text = format!(
        "You won't get a refresh token: {} issues one only if you request {wanted}",
        settings.preset().name
    );
    let problem = Problem::new(Key::Scope, Severity::Warning, NO_REFRESH_TOKEN, text);
    Some(problem.with_remedy(
        format!("Add {wanted}"),
        Change::Text(Key::Scope, scopes.join(" ")),
    ))
}

/// Checks for scopes that have a meaning only if a user signs in.
fn user_scopes(settings: &Settings) -> Option<Problem> {
    let is_of_users = |scope: &&String| USER_SCOPES.contains(&scope.as_str());
    let scopes = settings.scopes();
    let (found, kept): (Vec<&String>, Vec<&String>) = scopes.iter().partition(is_of_users);
    if settings.flow().has_user() || found.is_empty() {
        return None;
    }
    let join = |scopes: Vec<&String>, between: &str| {
        let scopes: Vec<&str> = scopes.into_iter().map(String::as_str).collect();
        scopes.join(between)
    };
    let found = join(found, " and ");
    let text = format!(
        "This flow has no user, so there is no ID token and no refresh token. The service may reject {found}"
    );
    let change = Change::Text(Key::Scope, join(kept, " "));
    let problem = Problem::new(Key::Scope, Severity::Warning, "only for users", text);
    Some(problem.with_remedy(format!("Remove {found}"), change))
}

/// Warns if no refresh token will be issued because a parameter is missing.
fn refresh_parameter(settings: &Settings) -> Option<Problem> {
    let preset = settings.preset();
    let given = settings.all_extra_parameters();
    let (name, value) = preset
        .tokens
        .refresh_parameters
        .iter()
        .find(|(name, value)| {
            !given
                .iter()
                .any(|(known, given)| known == *name && given == *value)
        })?;
    let text = format!(
        "You won't get a refresh token: {} issues one only if you send {name}={value}",
        preset.name
    );
    let change = settings.with_parameter(name, value);
    let problem = Problem::new(
        Key::ExtraParameters,
        Severity::Warning,
        NO_REFRESH_TOKEN,
        text,
    );
    Some(problem.with_remedy(
        format!("Set {name}={value}"),
        Change::Text(Key::ExtraParameters, change),
    ))
}

/// Warns if the issuer's metadata lists PKCE methods, but not the method that this program uses.
///
/// There is no fix to offer: metadata is no reason to weaken the sign-in (RFC 9700, section 2.1.1).
fn pkce(settings: &Settings) -> Option<Problem> {
    let methods = settings.metadata()?.pkce_methods.as_ref()?;
    let missing = settings.flow() == FlowKind::AuthorizationCode
        && settings.pkce()
        && !settings.pkce_is_fixed()
        && !methods.is_empty()
        && !methods.iter().any(|method| method == "S256");
    missing.then(|| {
        let text = "The metadata doesn't list the PKCE method S256. PKCE stays on, because most services ignore unknown \
            parameters. Turn it off only if the service rejects it"
            .to_owned();
        Problem::new(Key::Pkce, Severity::Warning, "not listed", text)
    })
}

/// Checks for endpoints in the metadata that are on other hosts than the issuer. Many services do that, but so does a
/// mix-up attack, which sends a code, a secret or a token to the attacker (RFC 9700, section 4.4). Nothing is sent
/// before the user decides, unless the preset itself names the host.
fn other_hosts(settings: &Settings) -> Vec<Problem> {
    let Some(metadata) = settings.metadata() else {
        return Vec::new();
    };
    let flow = settings.flow();
    let secret = !settings.secret().expose_secret().is_empty();
    [
        (
            Key::AuthorizationUrl,
            flow == FlowKind::AuthorizationCode,
            "You would sign in there",
        ),
        (
            Key::DeviceUrl,
            flow == FlowKind::DeviceCode,
            if secret { "It would receive the client secret" } else { "It would receive the client ID" },
        ),
        (
            Key::TokenUrl,
            true,
            match (flow, secret) {
                (FlowKind::AuthorizationCode, true) => "It would receive the code and the client secret",
                (FlowKind::AuthorizationCode, false) => "It would receive the code",
                (FlowKind::DeviceCode, true) => "It would receive the device code and the client secret",
                (FlowKind::DeviceCode, false) => "It would receive the device code",
                (FlowKind::ClientCredentials, true) => "It would receive the client secret",
                (FlowKind::ClientCredentials, false) => "The client would sign in there",
                (FlowKind::JwtBearer, _) => "It would receive an assertion of the service account",
            },
        ),
    ]
    .into_iter()
    .filter(|(key, used, _)| *used && settings.source(*key) == Some(Source::Metadata))
    .filter_map(|(key, _, what)| {
        let url = Url::parse(&settings.value(key)).ok()?;
        if settings.knows_host(&url) {
            return None;
        }
        let (issuer, host) = (metadata.source.host_str()?, url.host_str()?);
        let text = format!(
            "The metadata of {} sets this to a different host: {}. {what}. Trust it only if it belongs to the same service",
            clean(issuer, 100),
            clean(host, 100),
        );
        let change = Change::Trust {
            issuer: issuer.to_owned(),
            host: host.to_owned(),
        };
        let problem = Problem::new(key, Severity::Error, "other host", text);
        Some(problem.with_remedy(format!("Trust {}", clean(host, 40)), change))
    })
    .chain(pushed::other_host(settings))
    .collect()
}

/// Checks for redirect URLs that the service rejects.
fn redirect(settings: &Settings) -> Option<Problem> {
    let preset = settings.preset();
    let rule = &preset.redirect;
    let url = Url::parse(settings.value(Key::RedirectUrl).trim()).ok()?;
    let host = url.host_str()?;
    let warning =
        |word, text: String| Problem::new(Key::RedirectUrl, Severity::Warning, word, text);
    let instead = |change: &dyn Fn(&mut Url) -> Option<()>| -> Option<Change> {
        let mut other = url.clone();
        change(&mut other)?;
        Some(Change::Text(Key::RedirectUrl, other.to_string()))
    };
    let note = rule.note.as_deref().unwrap_or_default();
    if rule.https_only && url.scheme() == "http" {
        let text = format!("{} requires an https redirect URL. {note}", preset.name);
        let change = instead(&|other| {
            if other.port() == Some(0) {
                other.set_port(Some(8400)).ok()?;
            }
            other.set_scheme("https").ok()
        })?;
        return Some(warning("not https", text).with_remedy("Use https", change));
    }
    if url.scheme() != "http" || !is_loopback(&url) {
        return None;
    }
    if let Some(wanted) = rule.loopback_hosts.first()
        && !rule.loopback_hosts.iter().any(|known| known == host)
    {
        let text = format!(
            "With http, {} accepts only {}, not {}. {note}",
            preset.name,
            rule.loopback_hosts.join(" or "),
            clean(host, 40)
        );
        let change = instead(&|other| other.set_host(Some(wanted)).ok())?;
        return Some(warning("other host", text).with_remedy(format!("Use {wanted}"), change));
    }
    if rule.port == Some(PortRule::Registered) && url.port() == Some(0) {
        let text = format!(
            "{} requires a redirect URL with a fixed port. Enter the one that you registered. {note}",
            preset.name
        );
        let change = instead(&|other| other.set_port(Some(8400)).ok())?;
        return Some(warning("fixed port", text).with_remedy("Use port 8400", change));
    }
    None
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::flags::Overrides;
    use crate::form::request;
    use crate::oauth::discovery::{Metadata, Ways};
    use crate::presets::format::Required;
    use crate::presets::{Library, Preset};

    /// Returns the settings of all presets for services, ready to run except for what a test changes.
    fn forms() -> Vec<Settings> {
        let presets = Library::default().all().unwrap();
        presets
            .into_iter()
            .filter(|preset| !preset.is_custom() && !preset.embedded_server)
            .map(|preset| ready(&preset))
            .collect()
    }

    fn ready(preset: &Arc<Preset>) -> Settings {
        let mut form = Settings::new(Arc::clone(preset));
        for place in 0..preset.variables.len() {
            if form.value(Key::Var(place)).is_empty() {
                form.set(Key::Var(place), "sample.example".to_owned());
            }
        }
        form.set(Key::ClientId, "me".to_owned());
        let wanted = !matches!(
            preset.client.secret,
            SecretRule::None | SecretRule::Optional
        );
        if wanted {
            form.set(Key::ClientSecret, "s3cret".to_owned());
        }
        form
    }

    fn problem_words(form: &Settings) -> Vec<&'static str> {
        request::problems(form)
            .iter()
            .map(|problem| problem.word)
            .collect()
    }

    /// Returns the presets for which `change` leads to the problem `word`. Asserts that every fix helps.
    fn who(word: &str, change: impl Fn(&mut Settings) -> bool) -> Vec<String> {
        let mut who = Vec::new();
        for mut form in forms() {
            if !change(&mut form) {
                continue;
            }
            let problems = request::problems(&form);
            let Some(problem) = problems.iter().find(|problem| problem.word == word) else {
                continue;
            };
            who.push(form.preset().id.clone());
            if let Some(remedy) = &problem.remedy {
                form.apply(&remedy.change);
                assert!(
                    !problem_words(&form).contains(&word),
                    "{}: {} does not help",
                    form.preset().id,
                    remedy.label
                );
            }
        }
        who
    }

    fn those(has: impl Fn(&Preset) -> bool) -> Vec<String> {
        forms()
            .iter()
            .filter(|form| has(form.preset()))
            .map(|form| form.preset().id.clone())
            .collect()
    }

    fn to_code_flow(form: &mut Settings) -> bool {
        form.set_flow(FlowKind::AuthorizationCode);
        form.flow() == FlowKind::AuthorizationCode
    }

    #[test]
    fn presets_do_not_warn_about_their_own_settings() {
        assert_eq!(forms().len(), 51);
        for mut form in forms() {
            for flow in form.flows() {
                form.set_flow(flow);
                if flow == FlowKind::ClientCredentials {
                    form.set(Key::ClientSecret, "s3cret".to_owned());
                    for requirement in form.preset().requirements.clone() {
                        let required = requirement.required(form.preset());
                        if let Some(Required::Variable(place)) = required {
                            form.set(Key::Var(place), requirement.example);
                        }
                    }
                }
                if flow == FlowKind::JwtBearer {
                    form.set(Key::KeyFile, "/key.json".to_owned());
                    form.set(Key::Subject, "alice@example.org".to_owned());
                    form.set(Key::Scope, "api".to_owned());
                }
                let id = form.preset().id.clone();
                let refused = id == "google-mail" && flow == FlowKind::DeviceCode;
                // This service requires a client key.
                let by_key = id == "okta-org" && flow == FlowKind::ClientCredentials;
                let expected: &[&str] = match (refused, by_key) {
                    (true, _) => &["not supported"],
                    (_, true) => &["not accepted"],
                    _ => &[],
                };
                assert_eq!(problem_words(&form), expected, "{id}, {}", flow.label());
            }
        }
    }

    #[test]
    fn device_flow_warns_about_unsupported_scopes() {
        let refused = who("not supported", |form| {
            form.set(Key::Scope, "https://mail.google.com/".to_owned());
            form.set_flow(FlowKind::DeviceCode);
            form.flow() == FlowKind::DeviceCode
        });
        assert_eq!(refused, ["google-mail", "google"]);
    }

    #[test]
    fn scopes_for_several_resources_are_reported() {
        let several = who("several resources", |form| {
            form.set(
                Key::Scope,
                "offline_access https://outlook.office.com/SMTP.Send https://graph.microsoft.com/Mail.Send".to_owned(),
            );
            true
        });
        assert_eq!(several, those(|preset| preset.id.starts_with("microsoft")));
        assert_eq!(several.len(), 5);
        // A scope that is not a URL belongs to the default resource of the service.
        let mut form = ready(&crate::presets::get("microsoft-mail").unwrap());
        form.set(
            Key::Scope,
            "offline_access https://outlook.office.com/SMTP.Send User.Read".to_owned(),
        );
        assert_eq!(problem_words(&form), ["several resources"]);
        form.set(
            Key::Scope,
            "openid profile email offline_access https://outlook.office.com/SMTP.Send".to_owned(),
        );
        assert!(problem_words(&form).is_empty());
    }

    #[test]
    fn settings_that_yield_no_refresh_token_are_reported() {
        let for_want_of_scope = who("no refresh token", |form| {
            form.set(Key::Scope, "something".to_owned());
            form.preset().tokens.refresh_parameters.is_empty()
        });
        assert_eq!(
            for_want_of_scope,
            those(|preset| !preset.tokens.refresh_scope.is_empty())
        );
        for id in [
            "microsoft-mail",
            "okta-org",
            "auth0",
            "atlassian",
            "xero",
            "authentik",
            "x",
            "salesforce",
        ] {
            assert!(for_want_of_scope.iter().any(|known| known == id), "{id}");
        }
        for id in [
            "google-mail",
            "github",
            "linkedin",
            "facebook",
            "reddit",
            "box",
        ] {
            assert!(!for_want_of_scope.iter().any(|known| known == id), "{id}");
        }
        let for_want_of_parameter = who("no refresh token", |form| {
            form.set(
                Key::ExtraParameters,
                "access_type=online&token_access_type=online&duration=temporary".to_owned(),
            );
            to_code_flow(form) && form.preset().tokens.refresh_scope.is_empty()
        });
        let mut expected =
            ["google-mail", "google", "zoho", "dropbox", "reddit"].map(str::to_owned);
        let mut found = for_want_of_parameter;
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn unused_and_missing_client_secrets_are_reported() {
        let not_used = who("not used", |form| {
            form.set(Key::ClientSecret, "s3cret".to_owned());
            true
        });
        assert_eq!(not_used, ["fastmail"]);
        let missing = |flow| {
            who("missing", |form| {
                form.set(Key::ClientSecret, String::new());
                form.set_flow(flow);
                form.flow() == flow
            })
        };
        let device = missing(FlowKind::DeviceCode);
        let code = missing(FlowKind::AuthorizationCode);
        for id in ["github", "github-enterprise", "twitch"] {
            assert!(!device.iter().any(|known| known == id), "{id}");
            assert!(code.iter().any(|known| known == id), "{id}");
        }
        for id in ["google-mail", "zoom", "webex"] {
            assert!(device.iter().any(|known| known == id), "{id}");
        }
        for id in ["microsoft-mail", "keycloak", "reddit", "dropbox", "x"] {
            assert!(!code.iter().any(|known| known == id), "{id}");
        }
    }

    #[test]
    fn unsupported_redirect_urls_are_reported() {
        let with = |word: &str, url: &'static str| {
            who(word, move |form| {
                form.set(Key::RedirectUrl, url.to_owned());
                to_code_flow(form)
            })
        };
        // The host name instead of the address, and vice versa.
        let localhost = with("other host", "http://localhost:8400/");
        assert!(localhost.contains(&"spotify".to_owned()), "{localhost:?}");
        let address = with("other host", "http://127.0.0.1:8400/");
        assert!(
            address.contains(&"microsoft-mail".to_owned()),
            "{address:?}"
        );
        for id in ["google-mail", "fastmail", "github", "okta-org", "keycloak"] {
            assert!(
                !localhost.contains(&id.to_owned()) && !address.contains(&id.to_owned()),
                "{id}"
            );
        }
        let https = with("not https", "http://localhost:8400/");
        assert_eq!(https, those(|preset| preset.redirect.https_only));
        for id in ["yahoo-mail", "aol-mail", "slack", "linkedin"] {
            assert!(https.contains(&id.to_owned()), "{id}");
        }
        assert!(!https.contains(&"quickbooks".to_owned()));
        let fixed = who("fixed port", |form| {
            let url = form.value(Key::RedirectUrl);
            let mut url = Url::parse(&url).unwrap();
            url.set_port(Some(0)).unwrap();
            form.set(Key::RedirectUrl, url.to_string());
            to_code_flow(form)
        });
        for id in ["yandex-mail", "zoho", "digitalocean", "bitbucket"] {
            assert!(fixed.contains(&id.to_owned()), "{id}");
        }
        for id in [
            "google-mail",
            "microsoft-mail",
            "spotify",
            "github",
            "fastmail",
            "box",
        ] {
            assert!(!fixed.contains(&id.to_owned()), "{id}");
        }
        assert_eq!(
            fixed,
            those(|preset| preset.redirect.port == Some(PortRule::Registered)
                && !preset.redirect.https_only)
        );
    }

    /// Applies metadata with these endpoints for `issuer`.
    fn found(form: &mut Settings, issuer: &str, authorization: &str, token: &str) {
        let url = |text: &str| Url::parse(text).unwrap();
        form.set(Key::Issuer, issuer.to_owned());
        let metadata = Metadata {
            asked: form.value(Key::Issuer),
            issuer: issuer.to_owned(),
            source: url(issuer),
            authorization_url: Some(url(authorization)),
            device_url: Some(url(token)),
            token_url: Some(url(token)),
            revocation_url: None,
            introspection_url: None,
            userinfo_url: None,
            keys_url: None,
            id_token_algorithms: None,
            scopes: Vec::new(),
            pkce_methods: Some(vec!["plain".to_owned()]),
            authentication: None,
            assertion_algorithms: None,
            mtls: crate::oauth::discovery::MtlsAliases::default(),
            iss_in_answers: false,
            ways: Ways::default(),
        };
        form.take_over(&metadata, Overwrite::Everything);
    }

    fn discovered(flow: FlowKind, issuer: &str, authorization: &str, token: &str) -> Vec<Problem> {
        let mut form = ready(&crate::presets::get("custom").unwrap());
        form.set_flow(flow);
        form.set(Key::RedirectUrl, "http://127.0.0.1:8400/".to_owned());
        found(&mut form, issuer, authorization, token);
        form.set(Key::ClientSecret, "s3cret".to_owned());
        let stopped = request::request(&form).is_err();
        let mut problems = request::problems(&form);
        problems.retain(|problem| problem.word == "other host");
        assert_eq!(stopped, !problems.is_empty());
        // Many services use other hosts. Once the user trusts the host, there is no further question.
        for change in problems
            .iter()
            .filter_map(|it| Some(&it.remedy.as_ref()?.change))
        {
            form.apply(change);
        }
        assert!(request::request(&form).is_ok());
        problems
    }

    #[test]
    fn endpoints_on_hosts_other_than_the_issuer_are_reported() {
        let (code, device) = (FlowKind::AuthorizationCode, FlowKind::DeviceCode);
        let (own, evil) = ("https://as.example/x", "https://evil.example/x");
        for (flow, authorization, token, keys) in [
            (code, own, own, &[][..]),
            (code, own, evil, &[Key::TokenUrl]),
            (code, evil, own, &[Key::AuthorizationUrl]),
            (code, evil, evil, &[Key::AuthorizationUrl, Key::TokenUrl]),
            (device, evil, own, &[]),
            (device, own, evil, &[Key::DeviceUrl, Key::TokenUrl]),
            (code, own, "https://token.as.example/x", &[]),
        ] {
            let problems = discovered(flow, "https://as.example", authorization, token);
            let at: Vec<Key> = problems.iter().map(|problem| problem.key).collect();
            assert_eq!(at, keys, "{flow:?} {authorization} {token}");
            for problem in problems {
                assert!(
                    problem.text.contains("as.example") && problem.text.contains("evil.example"),
                    "{}",
                    problem.text
                );
            }
        }
        // Two tenants of the same hosting domain.
        let tenant = "https://victim.hosting.example";
        let problems = discovered(
            code,
            tenant,
            "https://victim.hosting.example/a",
            "https://evil.hosting.example/t",
        );
        assert!(
            problems[0]
                .text
                .contains("It would receive the code and the client secret")
        );
    }

    #[test]
    fn host_is_trusted_per_issuer_or_globally_by_flag() {
        let evil = "https://evil.example/t";
        let asked = |form: &mut Settings, issuer: &str| {
            found(form, issuer, evil, evil);
            problem_words(form).contains(&"other host")
        };
        let mut form = ready(&crate::presets::get("custom").unwrap());
        assert!(asked(&mut form, "https://as.example"));
        form.apply(&Change::Trust {
            issuer: "as.example".to_owned(),
            host: "evil.example".to_owned(),
        });
        assert!(!asked(&mut form, "https://as.example"));
        assert!(asked(&mut form, "https://other.example"));
        let mut form = ready(&crate::presets::get("custom").unwrap());
        form.lay_over(Overrides {
            trusted_hosts: BTreeSet::from(["evil.example".to_owned()]),
            ..Overrides::default()
        })
        .unwrap();
        assert!(!asked(&mut form, "https://other.example"));
    }

    #[test]
    fn host_named_in_the_preset_needs_no_warning() {
        let text = "id = \"mine\"\nname = \"Mine\"\ngroup = \"developer\"\nconfidence = \"low\"\n[endpoints]\n\
                    issuer = \"https://as.example\"\nauthorization = \"https://as.example/a\"\n\
                    token = \"https://tokens.example/t\"\n";
        let mut form = ready(&Arc::new(Preset::parse(text).unwrap()));
        form.set(Key::RedirectUrl, "http://127.0.0.1:8400/".to_owned());
        let mut words_with = |token: &str| {
            found(
                &mut form,
                "https://as.example",
                "https://as.example/a",
                token,
            );
            assert_eq!(form.source(Key::TokenUrl), Some(Source::Metadata));
            let mut words = problem_words(&form);
            words.retain(|word| *word == "other host");
            words
        };
        assert!(words_with("https://tokens.example/other").is_empty());
        assert_eq!(words_with("https://evil.example/t"), ["other host"]);
    }

    #[test]
    fn missing_s256_in_metadata_warns_but_keeps_pkce_on() {
        let mut form = ready(&crate::presets::get("custom").unwrap());
        form.set_flow(FlowKind::AuthorizationCode);
        found(
            &mut form,
            "https://as.example",
            "https://as.example/a",
            "https://as.example/t",
        );
        let problems = request::problems(&form);
        let pkce = problems
            .iter()
            .find(|problem| problem.key == Key::Pkce)
            .unwrap();
        assert_eq!((pkce.severity, &pkce.remedy), (Severity::Warning, &None));
        assert!(pkce.text.contains("PKCE stays on"));
        assert!(request::request(&form).unwrap().client.pkce);
    }

    #[test]
    fn remote_http_redirect_url_is_refused_for_every_preset() {
        let refused = who("not this machine", |form| {
            form.set(
                Key::RedirectUrl,
                "http://mail.example.com/callback".to_owned(),
            );
            to_code_flow(form)
        });
        assert_eq!(refused.len(), 51);
    }
}
