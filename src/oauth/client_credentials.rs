//! The request of the client credentials flow (RFC 6749, section 4.4).

use oauth2::TokenUrl;

use super::client::Client;
use super::request::{Request, RequestError, taken};

impl Client {
    /// Builds the request for an access token for the client itself.
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn client_credentials_request(&self) -> Result<Request, RequestError> {
        let client = self
            .basic()
            .set_token_uri(TokenUrl::from_url(self.token_url.clone()));
        let mut request = client.exchange_client_credentials();
        if let Some(scope) = self.scope() {
            request = request.add_scope(scope);
        }
        // `add_token_parameters` adds the resources.
        for (name, value) in self.extra.iter().filter(|(name, _)| name != "resource") {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        self.in_dialect(taken(|keep| drop(request.request(keep))), |form| {
            self.add_token_parameters(form);
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use url::{Url, form_urlencoded};

    use super::super::client_authentication::ClientAuthentication;
    use super::super::dialect::Dialect;
    use super::super::signing::Signing;
    use super::*;
    use crate::secret::ExposeSecret;

    fn pairs(request: &Request) -> Vec<(String, String)> {
        let mut pairs: Vec<_> = form_urlencoded::parse(request.body.expose_secret().as_bytes())
            .into_owned()
            .collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn client_credentials_request_has_each_parameter_once() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut client = Client {
            client_id: "me".to_owned(),
            secret: Some("s3cret".into()),
            authentication: ClientAuthentication::Post,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: None,
            device_url: None,
            token_url: Url::parse("https://as.example/token").unwrap(),
            poll_url: None,
            scopes: vec!["read".to_owned(), "write".to_owned()],
            extra: vec![
                pair("audience", "https://api.example"),
                pair("resource", "urn:one"),
                pair("resource", "urn:two"),
            ],
            pkce: true,
            issuer: None,
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: Signing::default(),
            dialect: Dialect::default(),
        };
        let common = [
            pair("audience", "https://api.example"),
            pair("grant_type", "client_credentials"),
            pair("resource", "urn:one"),
            pair("resource", "urn:two"),
            pair("scope", "read write"),
        ];
        let post = client.client_credentials_request().unwrap();
        assert_eq!(post.url.as_str(), "https://as.example/token");
        assert!(post.authorization.is_none());
        let mut wanted = common.to_vec();
        wanted.extend([pair("client_id", "me"), pair("client_secret", "s3cret")]);
        wanted.sort();
        assert_eq!(pairs(&post), wanted);
        client.authentication = ClientAuthentication::Basic;
        let basic = client.client_credentials_request().unwrap();
        assert_eq!(pairs(&basic), common);
        assert_eq!(
            basic.authorization.unwrap().expose_secret(),
            format!("Basic {}", STANDARD.encode("me:s3cret"))
        );
        client.scopes.clear();
        let without = client.client_credentials_request().unwrap();
        assert!(pairs(&without).iter().all(|(name, _)| name != "scope"));
    }
}
