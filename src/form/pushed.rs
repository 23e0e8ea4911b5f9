//! Whether the parameters of a sign-in are sent to the service before the browser is opened (RFC 9126).

use crate::form::settings::Settings;
use crate::oauth::client::FlowKind;
use crate::oauth::pushed::Pushed;
use crate::secret::ExposeSecret;

impl Settings {
    /// Where the parameters are sent, if the metadata requires that, or offers it and the client has a secret.
    ///
    /// With a secret, the service knows who asks before anyone signs in, so nobody can change the scope or the redirect URL
    /// on the way through the browser, and a wrong secret is found at once. Without one, anybody may push, and the URL would
    /// only expire sooner.
    pub(super) fn pushed(&self) -> Option<Pushed> {
        let ways = &self.metadata()?.ways;
        let url = ways.pushed_url.as_ref()?;
        let has_secret = !self.secret().expose_secret().is_empty();
        let used = ways.pushed || (has_secret && self.knows_host(url));
        (used && self.flow() == FlowKind::AuthorizationCode).then(|| Pushed {
            url: url.clone(),
            required: ways.pushed,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use url::Url;

    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::field::Key;
    use crate::form::problem::Severity;
    use crate::form::request;
    use crate::form::settings::Settings;
    use crate::oauth::client::FlowKind;
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
    fn what_is_offered_is_used_with_a_secret_and_what_is_required_always() {
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
    fn another_host_receives_nothing_before_it_is_trusted() {
        let elsewhere = "https://evil.example/par";
        let offered = form(false, elsewhere, "s3cret");
        assert!(request::request(&offered).unwrap().client.pushed.is_none());
        for (secret, words) in [("", "of the sign-in."), ("s3cret", "client secret")] {
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
