//! Registers this program with the service of the form (RFC 7591), and fills in the result.

use url::Url;

use crate::form::choices::AuthenticationChoice;
use crate::form::field::Key;
use crate::form::flow::CLIENT_CREDENTIALS;
use crate::form::settings::Settings;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::discovery::DEVICE_GRANT;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::registration::{ClientMetadata, Registered};
use crate::oauth::url::is_loopback;
use crate::secret::ExposeSecret;

impl Settings {
    /// Returns the registration endpoint of the metadata, if its host belongs to the issuer. Returns `None` for a flow
    /// without a client.
    #[must_use]
    pub fn registration_url(&self) -> Option<&Url> {
        let url = self.metadata()?.ways.registration_url.as_ref()?;
        (self.flow().has_client() && self.knows_host(url)).then_some(url)
    }

    /// Returns the client metadata to register for this form.
    #[must_use]
    pub fn client_metadata(&self) -> ClientMetadata {
        let grant = match self.flow() {
            FlowKind::AuthorizationCode => "authorization_code",
            FlowKind::DeviceCode => DEVICE_GRANT,
            FlowKind::ClientCredentials | FlowKind::JwtBearer => CLIENT_CREDENTIALS,
        };
        let mut grant_types = vec![grant.to_owned()];
        if self.flow().has_user() && self.may_use("refresh_token") {
            grant_types.push("refresh_token".to_owned());
        }
        let redirect = self.redirect_to_register();
        ClientMetadata {
            native: redirect.as_ref().is_none_or(|(_, native)| *native),
            redirect_urls: redirect.into_iter().map(|(url, _)| url).collect(),
            grant_types,
            authentication: self.method_to_register().to_owned(),
            scopes: self.scopes(),
        }
    }

    /// Returns the redirect URL, and whether it points to a program on the user's machine. Port 0 stands for any port,
    /// which services expect to be omitted (RFC 8252, section 7.3).
    fn redirect_to_register(&self) -> Option<(String, bool)> {
        if self.flow() != FlowKind::AuthorizationCode {
            return None;
        }
        let typed = self.value(Key::RedirectUrl).trim().to_owned();
        let url = Url::parse(&typed).ok();
        let is_app = |url: &Url| !matches!(url.scheme(), "http" | "https");
        let native = url
            .as_ref()
            .is_some_and(|url| is_loopback(url) || is_app(url));
        let any_port = url.filter(|url| url.port() == Some(0)).and_then(|mut url| {
            url.set_port(None).ok()?;
            Some(url.to_string())
        });
        (!typed.is_empty()).then(|| (any_port.unwrap_or(typed), native))
    }

    /// Returns whether the metadata lists this grant, or has no list.
    fn may_use(&self, grant: &str) -> bool {
        let ways = self.metadata().map(|metadata| &metadata.ways);
        let listed = ways.and_then(|ways| ways.grant_types.as_ref());
        listed.is_none_or(|list| list.iter().any(|known| known == grant))
    }

    /// Returns the authentication method to register: the selected method. Otherwise none, if a user signs in and the
    /// service allows that, because a program on a user's machine can't keep a secret (RFC 8252, section 8.5).
    fn method_to_register(&self) -> &'static str {
        let listed = self
            .metadata()
            .and_then(|metadata| metadata.authentication.as_ref());
        let is_public = listed.is_some_and(|list| list.iter().any(|known| known == "none"));
        if self.authentication() == AuthenticationChoice::Automatic
            && self.flow().has_user()
            && is_public
        {
            return "none";
        }
        match (self.authentication(), self.authentication_with_secret()) {
            (AuthenticationChoice::SecretJwt, _) => "client_secret_jwt",
            (_, ClientAuthentication::Post) => "client_secret_post",
            _ => "client_secret_basic",
        }
    }

    /// Fills in the registered client. Returns the fields that have a value from it.
    pub fn take_registered(&mut self, client: &Registered) -> Vec<Key> {
        let mut filled = vec![Key::ClientId];
        self.set(Key::ClientId, client.client_id.clone());
        let secret = client.client_secret.as_ref();
        let secret = secret.filter(|_| client.secret_problem().is_none());
        let secret = secret.map_or_else(String::new, |secret| secret.expose_secret().to_owned());
        if !secret.is_empty() {
            filled.push(Key::ClientSecret);
        }
        self.set(Key::ClientSecret, secret);
        let method = client.authentication.as_deref();
        let choice = method.and_then(|name| {
            Some(match name {
                "client_secret_basic" => AuthenticationChoice::Basic,
                "client_secret_post" => AuthenticationChoice::Post,
                "client_secret_jwt" => AuthenticationChoice::SecretJwt,
                "private_key_jwt" => AuthenticationChoice::KeyJwt,
                "tls_client_auth" | "self_signed_tls_client_auth" => {
                    AuthenticationChoice::MutualTls
                }
                _ => return None,
            })
        });
        if let Some(choice) = choice {
            self.set_authentication(choice);
            filled.push(Key::ClientAuthentication);
        } else if method == Some("none") {
            // Without a secret, this sends only the client ID.
            self.set_authentication(AuthenticationChoice::Automatic);
        }
        filled
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::request;
    use crate::oauth::discovery::Metadata;
    use crate::presets;

    fn form(change: impl Fn(&mut Metadata)) -> Settings {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set(Key::Issuer, "https://as.example".to_owned());
        form.set(Key::Scope, "openid email".to_owned());
        form.set(Key::RedirectUrl, "http://127.0.0.1:0/callback".to_owned());
        let mut found = metadata("https://as.example");
        found.ways.registration_url = Url::parse("https://as.example/register").ok();
        change(&mut found);
        form.take_over(&found, Overwrite::Everything);
        form
    }

    #[test]
    fn selected_method_is_registered() {
        let selected = |choice: AuthenticationChoice| {
            let mut form = form(|_| {});
            form.set_authentication(choice);
            form.client_metadata().authentication
        };
        for (choice, name) in [
            (AuthenticationChoice::Post, "client_secret_post"),
            (AuthenticationChoice::Basic, "client_secret_basic"),
            (AuthenticationChoice::SecretJwt, "client_secret_jwt"),
        ] {
            assert_eq!(selected(choice), name);
        }
    }

    #[test]
    fn registration_matches_the_settings() {
        let mut form = form(|_| {});
        let client = form.client_metadata();
        assert_eq!(client.grant_types, [DEVICE_GRANT, "refresh_token"]);
        assert!(client.redirect_urls.is_empty() && client.native);
        assert_eq!(
            (client.authentication.as_str(), client.scopes.len()),
            ("client_secret_post", 2)
        );
        form.set_flow(FlowKind::AuthorizationCode);
        for (url, sent, native) in [
            (
                "http://127.0.0.1:0/callback",
                "http://127.0.0.1/callback",
                true,
            ),
            ("http://localhost:8400", "http://localhost:8400", true),
            ("com.example.app:/cb", "com.example.app:/cb", true),
            ("https://app.example/cb", "https://app.example/cb", false),
        ] {
            form.set(Key::RedirectUrl, url.to_owned());
            let client = form.client_metadata();
            assert_eq!(
                (client.redirect_urls, client.native),
                (vec![sent.to_owned()], native)
            );
        }
        form.set_flow(FlowKind::ClientCredentials);
        assert_eq!(form.client_metadata().grant_types, [CLIENT_CREDENTIALS]);
        assert!(form.registration_url().is_some());
        form.set_flow(FlowKind::JwtBearer);
        assert!(form.registration_url().is_none());
    }

    #[test]
    fn client_is_public_if_possible_unless_method_is_chosen() {
        let lists = |names: &'static [&str]| {
            form(move |found| {
                found.authentication = Some(names.iter().map(|&name| name.to_owned()).collect());
                found.ways.grant_types = Some(vec![DEVICE_GRANT.to_owned()]);
            })
        };
        let mut public = lists(&["client_secret_basic", "none"]);
        assert_eq!(public.client_metadata().authentication, "none");
        assert_eq!(public.client_metadata().grant_types, [DEVICE_GRANT]);
        public.set_authentication(AuthenticationChoice::Post);
        assert_eq!(
            public.client_metadata().authentication,
            "client_secret_post"
        );
        public.set_authentication(AuthenticationChoice::Automatic);
        public.set_flow(FlowKind::ClientCredentials);
        assert_eq!(
            public.client_metadata().authentication,
            "client_secret_basic"
        );
        let other = lists(&["client_secret_basic"]);
        assert_eq!(
            other.client_metadata().authentication,
            "client_secret_basic"
        );
    }

    #[test]
    fn registration_requires_an_issuer_host_and_fills_the_settings() {
        let elsewhere =
            form(|found| found.ways.registration_url = Url::parse("https://evil.example/r").ok());
        assert!(elsewhere.registration_url().is_none());
        let mut form = form(|_| {});
        assert!(form.registration_url().is_some());
        let mut client = Registered {
            client_id: "new".to_owned(),
            client_secret: Some("s3cret".into()),
            secret_expires_at: None,
            authentication: Some("client_secret_basic".to_owned()),
            access_token: None,
            client_url: None,
            different: Vec::new(),
            pending: false,
        };
        let filled = form.take_registered(&client);
        assert_eq!(
            filled,
            [Key::ClientId, Key::ClientSecret, Key::ClientAuthentication]
        );
        let made = request::request(&form).unwrap().client;
        assert_eq!(
            (made.client_id.as_str(), made.authentication),
            ("new", ClientAuthentication::Basic)
        );
        client.client_secret = Some("sek\u{a0}ret".into());
        let filled = form.take_registered(&client);
        assert_eq!(filled, [Key::ClientId, Key::ClientAuthentication]);
        assert_eq!(form.value(Key::ClientSecret), "");
        client.client_secret = None;
        client.authentication = Some("none".to_owned());
        assert_eq!(form.take_registered(&client), [Key::ClientId]);
        assert!(request::request(&form).unwrap().client.secret.is_none());
        assert_eq!(form.authentication(), AuthenticationChoice::Automatic);
        for (name, choice) in [
            ("client_secret_post", AuthenticationChoice::Post),
            ("client_secret_jwt", AuthenticationChoice::SecretJwt),
            ("private_key_jwt", AuthenticationChoice::KeyJwt),
            ("tls_client_auth", AuthenticationChoice::MutualTls),
        ] {
            client.authentication = Some(name.to_owned());
            let filled = form.take_registered(&client);
            assert_eq!(filled, [Key::ClientId, Key::ClientAuthentication]);
            assert_eq!(form.authentication(), choice);
        }
        // A method that the form doesn't have changes nothing.
        client.authentication = Some("other".to_owned());
        assert_eq!(form.take_registered(&client), [Key::ClientId]);
        assert_eq!(form.authentication(), AuthenticationChoice::MutualTls);
    }
}
