//! Decides whether the parameters of a sign-in are pushed to the service before the browser is opened (RFC 9126).

use url::Url;

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::oauth::client::Pushed;
use crate::oauth::client_authentication::ClientAuthentication::MutualTls;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::url::same_operator;
use crate::secret::ExposeSecret;

impl Settings {
    /// Returns the endpoint for pushed requests if the metadata requires them, or if it offers them and the client has
    /// a secret or a key.
    ///
    /// An authenticated push shows the service who asks before anyone signs in, so nobody can change the scope or the
    /// redirect URL on the way through the browser, and a wrong secret is found at once. Without authentication,
    /// anybody could push, and the URL would only expire sooner.
    pub(super) fn pushed(&self) -> Option<Pushed> {
        let metadata = self.metadata()?;
        let ways = &metadata.ways;
        let alias = metadata.mtls.pushed_url.as_ref();
        let alias = alias.filter(|_| self.client_authentication() == MutualTls);
        let url = alias.or(ways.pushed_url.as_ref())?;
        let authenticates = has_secret(self) || self.client_authentication().uses_key();
        let used = ways.pushed || (authenticates && is_of_the_service(self, url));
        (used && self.flow() == FlowKind::AuthorizationCode).then(|| Pushed {
            url: url.clone(),
            required: ways.pushed,
        })
    }
}

fn has_secret(settings: &Settings) -> bool {
    !settings.secret().expose_secret().is_empty()
}

/// Returns whether the host belongs to the issuer and is also that of the token endpoint, which gets the secret anyway:
/// metadata of another issuer must not send the secret elsewhere. Other hosts must be trusted by the user.
fn is_of_the_service(settings: &Settings, url: &Url) -> bool {
    let token_url = Url::parse(settings.value(Key::TokenUrl).trim());
    let issuer = settings
        .metadata()
        .and_then(|found| found.source.host_str());
    let host = url.host_str().unwrap_or_default();
    issuer.is_some_and(|issuer| settings.trusts(issuer, host))
        || (settings.knows_host(url) && token_url.is_ok_and(|known| same_operator(url, &known)))
}

/// Checks for a required endpoint on a host that the user hasn't trusted.
pub(super) fn other_host(settings: &Settings) -> Option<Problem> {
    let pushed = settings.pushed()?;
    if is_of_the_service(settings, &pushed.url) {
        return None;
    }
    let issuer = settings.metadata()?.source.host_str()?;
    let host = pushed.url.host_str()?;
    let and_secret = if has_secret(settings) {
        " and the client secret"
    } else {
        ""
    };
    let text = format!(
        "The metadata of {} requires pushed authorization requests to {}, a different host than that of the issuer or the \
         Token ex. URL. It would receive the parameters of the sign-in{and_secret}. Trust it only if it belongs to the same \
         service",
        clean(issuer, 100),
        clean(host, 100),
    );
    let change = Change::Trust {
        issuer: issuer.to_owned(),
        host: host.to_owned(),
    };
    let problem = Problem::new(Key::Issuer, Severity::Error, "other host", text);
    Some(problem.with_remedy(format!("Trust {}", clean(host, 40)), change))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use url::Url;

    use crate::form::choices::{AuthenticationChoice, Overwrite};
    use crate::form::discovered::tests::metadata;
    use crate::form::field::Key;
    use crate::form::problem::Severity;
    use crate::form::request;
    use crate::form::settings::Settings;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets;

    fn form(required: bool, url: &str, secret: &str) -> Settings {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set_flow(FlowKind::AuthorizationCode);
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::ClientSecret, secret.to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        form.set(Key::RedirectUrl, "http://127.0.0.1:8400/".to_owned());
        let mut found = metadata("https://as.example");
        found.ways.pushed = required;
        found.ways.pushed_url = Url::parse(url).ok();
        form.take_over(&found, Overwrite::Everything);
        form
    }

    #[test]
    fn optional_par_requires_a_secret_unlike_required_par() {
        let here = "https://as.example/par";
        for (required, secret, used) in [
            (false, "", false),
            (false, "s3cret", true),
            (true, "", true),
            (true, "s3cret", true),
        ] {
            let mut form = form(required, here, secret);
            let pushed = request::request(&form).unwrap().client.pushed;
            assert_eq!(pushed.is_some(), used, "{required} {secret}");
            assert!(pushed.is_none_or(|pushed| pushed.required == required));
            form.set_flow(FlowKind::DeviceCode);
            assert!(request::request(&form).unwrap().client.pushed.is_none());
        }
    }

    #[test]
    fn par_accepts_a_key_and_uses_mtls_endpoint() {
        let mut form = form(false, "https://as.example/par", "");
        let mut found = form.metadata().unwrap().clone();
        form.set(Key::ClientKey, "k".to_owned());
        form.set(Key::ClientCertificate, "k".to_owned());
        let pushed = |form: &Settings| {
            let client = request::request(form).unwrap().client;
            client.pushed.map(|pushed| pushed.url.to_string())
        };
        assert_eq!(pushed(&form).as_deref(), Some("https://as.example/par"));
        found.mtls.pushed_url = Url::parse("https://mtls.as.example/par").ok();
        form.take_over(&found, Overwrite::Everything);
        assert_eq!(pushed(&form).as_deref(), Some("https://as.example/par"));
        form.set_authentication(AuthenticationChoice::MutualTls);
        assert_eq!(
            pushed(&form).as_deref(),
            Some("https://mtls.as.example/par")
        );
    }

    #[test]
    fn par_endpoint_of_another_issuer_gets_no_client_secret() {
        for required in [false, true] {
            let mut form = Settings::new(presets::get("custom").unwrap());
            form.set_flow(FlowKind::AuthorizationCode);
            for (key, value) in [
                (Key::ClientId, "me"),
                (Key::ClientSecret, "s3cret"),
                (Key::AuthorizationUrl, "https://mine.example/authorize"),
                (Key::TokenUrl, "https://mine.example/token"),
                (Key::Issuer, "https://as.example"),
                (Key::RedirectUrl, "http://127.0.0.1:8400/"),
            ] {
                form.set(key, value.to_owned());
            }
            let mut found = metadata("https://as.example");
            found.ways.pushed = required;
            found.ways.pushed_url = Url::parse("https://as.example/par").ok();
            form.take_over(&found, Overwrite::Nothing);
            match request::request(&form) {
                Ok(request) => assert!(!required && request.client.pushed.is_none()),
                Err(problems) => {
                    assert!(required && problems.iter().any(|it| it.word == "other host"));
                }
            }
        }
    }

    #[test]
    fn par_endpoint_on_another_host_gets_nothing_until_trusted() {
        let elsewhere = "https://evil.example/par";
        let offered = form(false, elsewhere, "s3cret");
        assert!(request::request(&offered).unwrap().client.pushed.is_none());
        for (secret, words) in [("", "of the sign-in. Trust"), ("s3cret", "client secret")] {
            let mut required = form(true, elsewhere, secret);
            let problems = request::request(&required).unwrap_err();
            let stops = |it: &&crate::form::problem::Problem| it.severity == Severity::Error;
            let [problem] = problems.iter().filter(stops).collect::<Vec<_>>()[..] else {
                unreachable!("{problems:?}")
            };
            assert_eq!((problem.key, problem.word), (Key::Issuer, "other host"));
            assert!(problem.text.contains(words), "{}", problem.text);
            required.apply(&problem.remedy.as_ref().unwrap().change);
            let trusted = request::request(&required).unwrap().client.pushed;
            assert_eq!(trusted.unwrap().url.as_str(), elsewhere);
        }
    }
}
