//! A registered client and the requests it sends, built by the oauth2 crate.
//!
//! The crate builds URLs, PKCE, state and client authentication. A stub in place of its HTTP client captures each
//! request. The crate's response parser and polling are not used.

use std::convert::Infallible;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken,
    RequestTokenError, Scope, StandardDeviceAuthorizationResponse, TokenUrl,
};
use url::Url;

use super::assertion::Credential;
use super::client_authentication::ClientAuthentication;
use super::dialect::Dialect;
use super::form::Form;
use super::request::{Request, RequestError, taken};
use super::signing::Signing;
use super::url::{RedirectUrl as RedirectTarget, UrlProblem};
use crate::clean::clean;
use crate::secret::{ExposeSecret, SecretString};

/// Protocol parameters, which an extra parameter must not replace.
pub const PROTOCOL_PARAMETERS: &[&str] = &[
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "code",
    "code_verifier",
    "device_code",
    "refresh_token",
    "grant_type",
    // Each replaces the whole request or identifies the client (RFC 9101, section 5; RFC 7521, section 4.2).
    "request",
    "request_uri",
    "assertion",
    "client_assertion",
    "client_assertion_type",
];

/// Returns whether the program itself sends a parameter of this name, or whether such a parameter would replace one
/// that it sends. Some services ignore the case of names.
#[must_use]
pub fn is_reserved(name: &str, dialect: &Dialect) -> bool {
    let renamed = dialect.names.values().chain(dialect.device.names.values());
    PROTOCOL_PARAMETERS
        .iter()
        .copied()
        .chain(renamed.map(String::as_str))
        .any(|reserved| reserved.eq_ignore_ascii_case(name))
}

/// Rejects an endpoint whose query sets a parameter that the program sends: parameters must not be sent twice
/// (RFC 6749, sections 3.1 and 3.2).
///
/// # Errors
/// Returns an error that names the parameter.
pub fn sets_nothing_reserved(url: &Url, dialect: &Dialect) -> Result<(), UrlProblem> {
    let refresh = dialect.refresh_parameters.iter().map(|(name, _)| name);
    let token = dialect.token_parameters.iter().map(|(name, _)| name);
    let later: Vec<&String> = dialect
        .device
        .poll
        .keys()
        .chain(refresh)
        .chain(token)
        .collect();
    let reserved = |name: &str| {
        is_reserved(name, dialect) || later.iter().any(|later| later.eq_ignore_ascii_case(name))
    };
    match url.query_pairs().find(|(name, _)| reserved(name)) {
        Some((name, _)) => Err(UrlProblem::Parameter(clean(&name, 60))),
        None => Ok(()),
    }
}

/// A registered client: all settings that the protocol needs, parsed and checked once.
#[derive(Debug, Clone)]
pub struct Client {
    /// The client ID.
    pub client_id: String,
    /// The client secret, if there is one.
    pub secret: Option<SecretString>,
    /// How the client authenticates.
    pub authentication: ClientAuthentication,
    /// The credential that the client authenticates with, other than by sending the secret.
    pub credential: Credential,
    /// Authorization endpoint; present in the authorization code flow.
    pub authorization_url: Option<Url>,
    /// Device authorization endpoint; present in the device code flow.
    pub device_url: Option<Url>,
    /// Token endpoint.
    pub token_url: Url,
    /// The URL to poll, if it is not the token endpoint.
    pub poll_url: Option<Url>,
    /// The scopes to request.
    pub scopes: Vec<String>,
    /// Additional parameters of the first request of a flow.
    pub extra: Vec<(String, String)>,
    /// Whether to send a PKCE challenge (S256 only).
    pub pkce: bool,
    /// The expected issuer; compared exactly.
    pub issuer: Option<String>,
    /// Whether the service promises `iss` in every authorization response (RFC 9207, section 3).
    pub iss_promised: bool,
    /// The issuers that an ID token may name, if they differ from `issuer`; `{claim}` is replaced by a claim of that
    /// token.
    pub id_token_issuers: Vec<String>,
    /// How ID tokens are signed.
    pub signing: Signing,
    /// The endpoint that receives the parameters before the browser is opened (RFC 9126), if it is used.
    pub pushed: Option<Pushed>,
    /// How the service differs from the protocol.
    pub dialect: Dialect,
}

/// The endpoint for pushed authorization requests (RFC 9126).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The URL of the endpoint.
    pub url: Url,
    /// Whether the service accepts no other authorization requests from this client.
    pub required: bool,
}

/// What to remember between the authorization request and its response.
#[derive(Debug)]
pub struct Pending {
    /// The `state`, which the response must repeat.
    pub state: SecretString,
    /// The `nonce`, which the ID token must repeat; present if `openid` is requested.
    pub nonce: Option<SecretString>,
    /// The PKCE code verifier. It proves in the exchange that this program requested the code.
    pub verifier: Option<SecretString>,
    /// The redirect URL; the same text in both requests.
    pub redirect_url: RedirectTarget,
}

impl Client {
    /// Returns whether `scope` is requested.
    #[must_use]
    pub fn asks_for(&self, scope: &str) -> bool {
        self.scopes.iter().any(|asked| asked == scope)
    }

    /// Returns whether the response is requested as a form that the browser posts (OAuth 2.0 Form Post Response Mode).
    #[must_use]
    pub fn requests_form_post(&self) -> bool {
        let mut extra = self.extra.iter();
        extra.any(|(name, value)| name == "response_mode" && value == "form_post")
    }

    pub(super) fn scope_text(&self) -> String {
        let separator = self.dialect.scope_separator.as_deref();
        self.scopes.join(separator.unwrap_or(" "))
    }

    pub(super) fn scope(&self) -> Option<Scope> {
        (!self.scopes.is_empty()).then(|| Scope::new(self.scope_text()))
    }

    /// Returns whether the client has nothing that proves its identity.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.secret.is_none() && !self.authentication.uses_key()
    }

    /// Returns how the client authenticates; [`ClientAuthentication::None`] if it has nothing to send.
    #[must_use]
    pub fn sent_method(&self) -> ClientAuthentication {
        if self.is_public() {
            ClientAuthentication::None
        } else {
            self.authentication
        }
    }

    /// Returns how to authenticate a request for which the preset may have its own method. That method replaces one
    /// that sends at most the secret, but not a stronger one. `None` replaces any method.
    fn method(&self, of_preset: Option<ClientAuthentication>) -> ClientAuthentication {
        let sends = |method| {
            matches!(
                method,
                ClientAuthentication::None
                    | ClientAuthentication::Post
                    | ClientAuthentication::Basic
            )
        };
        match of_preset {
            Some(own) if own == ClientAuthentication::None || sends(self.authentication) => own,
            _ => self.authentication,
        }
    }

    pub(super) fn basic(&self) -> BasicClient {
        self.authenticated(self.authentication)
    }

    /// Creates the crate's client. Without a secret, `authentication` matters only for services that require the Basic
    /// header anyway.
    fn authenticated(&self, authentication: ClientAuthentication) -> BasicClient {
        let client = BasicClient::new(ClientId::new(self.client_id.clone())).set_auth_type(
            match authentication {
                ClientAuthentication::Basic => AuthType::BasicAuth,
                _ => AuthType::RequestBody,
            },
        );
        match (&self.secret, authentication) {
            (Some(secret), ClientAuthentication::Basic | ClientAuthentication::Post) => {
                client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            (None, ClientAuthentication::Basic) if self.dialect.empty_secret => {
                client.set_client_secret(ClientSecret::new(String::new()))
            }
            _ => client,
        }
    }

    /// Adds the parameters of every token request: the resources that the tokens are for (RFC 8707, section 2.2), and
    /// those of the preset.
    pub(super) fn add_token_parameters(&self, form: &mut Form) {
        let resources = self.extra.iter().filter(|(name, _)| name == "resource");
        let asked = |name: &String| name == "resource" && self.extra.iter().any(|(n, _)| n == name);
        let preset = self.dialect.token_parameters.iter();
        for (name, value) in preset.filter(|(name, _)| !asked(name)).chain(resources) {
            form.add(name, value);
        }
    }

    /// Adapts a request to the dialect of the service. `change` edits its form.
    pub(super) fn in_dialect(
        &self,
        request: Result<Request, RequestError>,
        change: impl FnOnce(&mut Form),
    ) -> Result<Request, RequestError> {
        self.in_dialect_by(self.authentication, request, change)
    }

    /// The same for a request that is authenticated by `method`.
    fn in_dialect_by(
        &self,
        method: ClientAuthentication,
        request: Result<Request, RequestError>,
        change: impl FnOnce(&mut Form),
    ) -> Result<Request, RequestError> {
        let mut request = request?;
        let proof = self.credential.proof(method);
        request.proof = proof.ok_or(RequestError("client key"))?;
        let mut form = Form::parse(request.body.expose_secret());
        change(&mut form);
        form.rename(&self.dialect.names);
        request.body = SecretString::from(form.write());
        Ok(request)
    }

    /// Builds the URL to open in a browser, with fresh `state`, PKCE challenge and `nonce` (RFC 6749, section 4.1.1;
    /// RFC 7636, section 4.3; OpenID Connect Core, section 3.1.2.1).
    ///
    /// # Errors
    /// Returns an error if the client has no authorization URL.
    pub fn authorization_request(
        &self,
        redirect_url: &RedirectTarget,
    ) -> Result<(Url, Pending), RequestError> {
        let auth_uri = self
            .authorization_url
            .clone()
            .ok_or(RequestError::AUTHORIZATION_URL)?;
        let client = self
            .basic()
            .set_auth_uri(AuthUrl::from_url(auth_uri))
            .set_redirect_uri(as_sent(redirect_url)?);
        let mut request = client.authorize_url(CsrfToken::new_random);
        if let Some(scope) = self.scope() {
            request = request.add_scope(scope);
        }
        let mut verifier = None;
        if self.pkce {
            let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
            request = request.set_pkce_challenge(challenge);
            verifier = Some(SecretString::from(secret.into_secret()));
        }
        let mut nonce = None;
        if self.asks_for("openid") {
            let value = CsrfToken::new_random().into_secret();
            request = request.add_extra_param("nonce", value.clone());
            nonce = Some(SecretString::from(value));
        }
        for (name, value) in &self.extra {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        let (mut url, state) = request.url();
        if !self.dialect.names.is_empty() {
            let mut form = Form::parse(url.query().unwrap_or_default());
            form.rename(&self.dialect.names);
            url.set_query(Some(&form.write()));
        }
        if self.dialect.percent_spaces {
            // A literal plus sign is %2B in the query.
            let query = url.query().unwrap_or_default().replace('+', "%20");
            url.set_query(Some(&query));
        }
        let pending = Pending {
            state: SecretString::from(state.into_secret()),
            nonce,
            verifier,
            redirect_url: redirect_url.clone(),
        };
        Ok((url, pending))
    }

    /// Builds the request that exchanges a code for tokens at `token_url` (RFC 6749, section 4.1.3; RFC 7636,
    /// section 4.5).
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn exchange_request(
        &self,
        token_url: &Url,
        code: &SecretString,
        pending: &Pending,
    ) -> Result<Request, RequestError> {
        let client = self
            .basic()
            .set_token_uri(TokenUrl::from_url(token_url.clone()))
            .set_redirect_uri(as_sent(&pending.redirect_url)?);
        let mut request =
            client.exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()));
        if let Some(verifier) = &pending.verifier {
            request = request
                .set_pkce_verifier(PkceCodeVerifier::new(verifier.expose_secret().to_owned()));
        }
        self.in_dialect(taken(|keep| drop(request.request(keep))), |form| {
            self.add_token_parameters(form);
        })
    }

    /// Builds the device authorization request (RFC 8628, section 3.1).
    ///
    /// # Errors
    /// Returns an error if the client has no device authorization URL.
    pub fn device_request(&self) -> Result<Request, RequestError> {
        let device_uri = self
            .device_url
            .clone()
            .ok_or(RequestError("device code URL"))?;
        let dialect = &self.dialect.device;
        let authentication = self.method(dialect.authentication);
        let mut address = device_uri;
        if dialect.client_id_in_query {
            address
                .query_pairs_mut()
                .append_pair("client_id", &self.client_id);
        }
        let client = self
            .authenticated(authentication)
            .set_device_authorization_url(DeviceAuthorizationUrl::from_url(address));
        let mut request = client.exchange_device_code();
        if let Some(scope) = self.scope() {
            request = request.add_scope(scope);
        }
        for (name, value) in self.extra.iter().chain(&self.dialect.device_parameters) {
            request = request.add_extra_param(name.clone(), value.clone());
        }
        let request = taken(|keep| {
            drop::<Result<StandardDeviceAuthorizationResponse, RequestTokenError<Infallible, _>>>(
                request.request(keep),
            );
        });
        self.in_dialect_by(authentication, request, |form| form.rename(&dialect.names))
    }

    /// Builds the request that polls for approval (RFC 8628, section 3.4).
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn approval_request(
        &self,
        device_code: &SecretString,
        user_code: &str,
    ) -> Result<Request, RequestError> {
        // The crate takes the device code from its own response type; the other members are not sent.
        let details: StandardDeviceAuthorizationResponse =
            serde_json::from_value(serde_json::json!({
                "device_code": device_code.expose_secret(),
                "user_code": "-",
                "verification_uri": "https://localhost/",
                "expires_in": 1,
            }))
            .map_err(|_| RequestError("device code"))?;
        let dialect = &self.dialect.device;
        let address = self.poll_url.as_ref().unwrap_or(&self.token_url);
        let authentication = self.method(dialect.poll_authentication);
        let client = self
            .authenticated(authentication)
            .set_token_uri(TokenUrl::from_url(address.clone()));
        let request = client.exchange_device_access_token(&details);
        let request = taken(|keep| drop(request.request(keep, |_| (), None)));
        self.in_dialect_by(authentication, request, |form| {
            for name in &dialect.without {
                form.remove(name);
            }
            if let Some(grant_type) = &dialect.grant_type {
                form.set("grant_type", grant_type);
            }
            form.rename(&dialect.names);
            self.add_token_parameters(form);
            for (name, value) in &dialect.poll {
                let value = value
                    .replace("{client_id}", &self.client_id)
                    .replace("{scope}", &self.scope_text())
                    .replace("{user_code}", user_code);
                form.set(name, &value);
            }
        })
    }

    /// Builds the request that refreshes tokens at `token_url` (RFC 6749, section 6). `scope` contains the granted
    /// scopes; most services don't need it.
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn refresh_request(
        &self,
        token_url: &Url,
        refresh_token: &SecretString,
        redirect_url: Option<&RedirectTarget>,
        scope: Option<&[String]>,
    ) -> Result<Request, RequestError> {
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let client = self
            .basic()
            .set_token_uri(TokenUrl::from_url(token_url.clone()));
        let request = client.exchange_refresh_token(&token);
        let request = taken(|keep| drop(request.request(keep)));
        self.in_dialect(request, |form| {
            self.add_token_parameters(form);
            if let Some(scope) = scope {
                let separator = self.dialect.scope_separator.as_deref();
                form.set("scope", &scope.join(separator.unwrap_or(" ")));
            }
            for (name, value) in &self.dialect.refresh_parameters {
                match redirect_url {
                    Some(url) => form.set(name, &value.replace("{redirect_uri}", url.text())),
                    // The tokens were issued without a redirect URL.
                    None if value.contains("{redirect_uri}") => {}
                    None => form.set(name, value),
                }
            }
        })
    }
}

/// Converts the redirect URL to the type of the crate, which keeps the text.
fn as_sent(url: &RedirectTarget) -> Result<RedirectUrl, RequestError> {
    RedirectUrl::new(url.text().to_owned()).map_err(|_| RequestError::REDIRECT_URL)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use base64::Engine;

    use super::super::dialect::DeviceDialect;
    use super::*;

    const ID: &str = "id :%/+&=?\"~ odd";
    const SECRET: &str = "s3cr%t:/+ &=?\"~";

    fn client(authentication: ClientAuthentication, secret: Option<&str>) -> Client {
        Client {
            client_id: ID.to_owned(),
            secret: secret.map(SecretString::from),
            authentication,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: Some(Url::parse("https://as.example/authorize?keep=1").unwrap()),
            device_url: Some(Url::parse("https://as.example/device").unwrap()),
            token_url: Url::parse("https://as.example/token").unwrap(),
            scopes: vec!["openid".to_owned(), "a/b".to_owned()],
            extra: vec![("prompt".to_owned(), "consent".to_owned())],
            pkce: true,
            issuer: None,
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: Signing::default(),
            poll_url: None,
            dialect: Dialect::default(),
        }
    }

    fn token_url() -> Url {
        Url::parse("https://as.example/token").unwrap()
    }

    fn form(request: &Request) -> HashMap<String, String> {
        url::form_urlencoded::parse(request.body.expose_secret().as_bytes())
            .into_owned()
            .collect()
    }

    fn redirect() -> RedirectTarget {
        Url::parse("http://127.0.0.1:8400/callback").unwrap().into()
    }

    #[test]
    fn authorization_url_has_all_parameters_and_keeps_its_query() {
        let (url, pending) = client(ClientAuthentication::None, None)
            .authorization_request(&redirect())
            .unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["keep"], "1");
        assert_eq!(query["client_id"], ID);
        assert_eq!(query["response_type"], "code");
        assert_eq!(query["redirect_uri"], redirect().text());
        assert_eq!(query["scope"], "openid a/b");
        assert_eq!(query["prompt"], "consent");
        assert_eq!(query["code_challenge_method"], "S256");
        assert_eq!(query["state"], pending.state.expose_secret());
        assert_eq!(query["nonce"], pending.nonce.unwrap().expose_secret());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(
            pending.verifier.unwrap().expose_secret().to_owned(),
        ));
        assert_eq!(query["code_challenge"], challenge.as_str());
    }

    #[test]
    fn state_nonce_and_verifier_are_new_for_each_request() {
        let mut client = client(ClientAuthentication::None, None);
        let (_, a) = client.authorization_request(&redirect()).unwrap();
        let (_, b) = client.authorization_request(&redirect()).unwrap();
        assert_ne!(a.state.expose_secret(), b.state.expose_secret());
        assert_ne!(
            a.nonce.unwrap().expose_secret(),
            b.nonce.unwrap().expose_secret()
        );
        assert_ne!(
            a.verifier.unwrap().expose_secret(),
            b.verifier.unwrap().expose_secret()
        );
        client.scopes = vec!["mail".to_owned()];
        client.pkce = false;
        let (url, pending) = client.authorization_request(&redirect()).unwrap();
        assert!(pending.nonce.is_none() && pending.verifier.is_none());
        assert!(!url.as_str().contains("code_challenge") && !url.as_str().contains("nonce"));
    }

    #[test]
    fn basic_header_encodes_id_and_secret_before_base64() {
        let (_, pending) = client(ClientAuthentication::Basic, Some(SECRET))
            .authorization_request(&redirect())
            .unwrap();
        let code = SecretString::from("c0de");
        let request = client(ClientAuthentication::Basic, Some(SECRET))
            .exchange_request(&token_url(), &code, &pending)
            .unwrap();
        let header = request.authorization.as_ref().unwrap().expose_secret();
        let decoded = base64::engine::general_purpose::STANDARD
            .decode(header.strip_prefix("Basic ").unwrap())
            .unwrap();
        let decoded = String::from_utf8(decoded).unwrap();
        let (id, secret) = decoded.split_once(':').unwrap();
        let plain = |text: &str| {
            url::form_urlencoded::parse(format!("x={text}").as_bytes())
                .next()
                .unwrap()
                .1
                .into_owned()
        };
        assert_eq!((plain(id).as_str(), plain(secret).as_str()), (ID, SECRET));
        assert!(!form(&request).contains_key("client_secret"));
    }

    #[test]
    fn post_and_public_clients_send_their_id_in_body() {
        let refresh = SecretString::from("r3fr3sh");
        let form_of = |auth, secret| {
            form(
                &client(auth, secret)
                    .refresh_request(&token_url(), &refresh, None, None)
                    .unwrap(),
            )
        };
        let post = form_of(ClientAuthentication::Post, Some(SECRET));
        assert_eq!(
            (post["client_id"].as_str(), post["client_secret"].as_str()),
            (ID, SECRET)
        );
        assert_eq!(
            (post["grant_type"].as_str(), post["refresh_token"].as_str()),
            ("refresh_token", "r3fr3sh")
        );
        let public = form_of(ClientAuthentication::None, None);
        assert_eq!(public["client_id"], ID);
        assert!(!public.contains_key("client_secret"));
        // A client secret that was entered is not sent if the method is `None`.
        assert!(!form_of(ClientAuthentication::None, Some(SECRET)).contains_key("client_secret"));
    }

    #[test]
    fn the_exchange_repeats_redirect_and_verifier() {
        let client = client(ClientAuthentication::None, None);
        let (_, pending) = client.authorization_request(&redirect()).unwrap();
        let request = client
            .exchange_request(&token_url(), &SecretString::from("c0de"), &pending)
            .unwrap();
        let form = form(&request);
        assert_eq!(request.url.as_str(), "https://as.example/token");
        assert_eq!(form["grant_type"], "authorization_code");
        assert_eq!(form["code"], "c0de");
        assert_eq!(form["redirect_uri"], redirect().text());
        assert_eq!(
            form["code_verifier"],
            pending.verifier.unwrap().expose_secret()
        );
    }

    #[test]
    fn device_flow_requests_follow_rfc_8628() {
        let client = client(ClientAuthentication::None, None);
        let first = client.device_request().unwrap();
        assert_eq!(first.url.as_str(), "https://as.example/device");
        assert_eq!(form(&first)["scope"], "openid a/b");
        assert_eq!(form(&first)["client_id"], ID);
        assert_eq!(form(&first)["prompt"], "consent");
        let poll = form(
            &client
                .approval_request(&SecretString::from("d3v\"ice"), "ABCD")
                .unwrap(),
        );
        assert_eq!(
            poll["grant_type"],
            "urn:ietf:params:oauth:grant-type:device_code"
        );
        assert_eq!(poll["device_code"], "d3v\"ice");
        assert_eq!(poll["client_id"], ID);
    }

    #[test]
    fn comma_separates_scopes_if_the_service_requires_it() {
        let mut client = client(ClientAuthentication::None, None);
        client.dialect.scope_separator = Some(",".to_owned());
        assert_eq!(
            form(&client.device_request().unwrap())["scope"],
            "openid,a/b"
        );
    }

    #[test]
    fn renamed_parameters_are_used_in_every_request() {
        let mut client = client(ClientAuthentication::Post, Some(SECRET));
        client.dialect.names = BTreeMap::from([("client_id".to_owned(), "client_key".to_owned())]);
        let (url, pending) = client.authorization_request(&redirect()).unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(query["client_key"], ID);
        assert_eq!(query["keep"], "1");
        assert!(!query.contains_key("client_id"));
        let code = SecretString::from("c0de");
        let exchange = form(
            &client
                .exchange_request(&token_url(), &code, &pending)
                .unwrap(),
        );
        assert_eq!(exchange["client_key"], ID);
        assert!(!exchange.contains_key("client_id"));
    }

    #[test]
    fn nonstandard_device_flow_is_supported() {
        let mut client = client(ClientAuthentication::Post, Some(SECRET));
        client.poll_url = Some(Url::parse("https://as.example/device/token").unwrap());
        client.dialect.device_parameters =
            vec![("response_type".to_owned(), "device_code".to_owned())];
        client.dialect.device = DeviceDialect {
            authentication: Some(ClientAuthentication::None),
            poll_authentication: Some(ClientAuthentication::Basic),
            grant_type: Some("device_code".to_owned()),
            names: BTreeMap::from([
                ("device_code".to_owned(), "code".to_owned()),
                ("scope".to_owned(), "scopes".to_owned()),
            ]),
            poll: BTreeMap::from([
                ("client_id".to_owned(), "{client_id}".to_owned()),
                ("user_code".to_owned(), "{user_code}".to_owned()),
                ("scopes".to_owned(), "{scope}".to_owned()),
            ]),
            ..DeviceDialect::default()
        };
        let first = form(&client.device_request().unwrap());
        assert_eq!(first["response_type"], "device_code");
        assert_eq!(first["scopes"], "openid a/b");
        assert!(!first.contains_key("client_secret") && !first.contains_key("scope"));
        let poll = client
            .approval_request(&SecretString::from("d3vice"), "ABCD")
            .unwrap();
        assert_eq!(poll.url.as_str(), "https://as.example/device/token");
        assert!(poll.authorization.is_some());
        assert_eq!(
            form(&poll),
            [
                ("grant_type", "device_code"),
                ("code", "d3vice"),
                ("client_id", ID),
                ("user_code", "ABCD"),
                ("scopes", "openid a/b"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
        );
        client.dialect.device.poll.clear();
        client.dialect.device.poll_authentication = Some(ClientAuthentication::None);
        client.dialect.device.without = vec!["client_id".to_owned()];
        let poll = client
            .approval_request(&SecretString::from("d3vice"), "ABCD")
            .unwrap();
        assert!(!form(&poll).contains_key("client_id"));
        client.dialect.device.client_id_in_query = true;
        client.dialect.device.authentication = Some(ClientAuthentication::Basic);
        let first = client.device_request().unwrap();
        assert!(first.authorization.is_some());
        assert_eq!(first.url.query_pairs().next().unwrap().1, ID);
    }

    #[test]
    fn basic_header_without_secret_is_sent_only_if_configured() {
        let refresh = SecretString::from("r");
        let mut client = client(ClientAuthentication::Basic, None);
        let request = client
            .refresh_request(&token_url(), &refresh, None, None)
            .unwrap();
        assert!(request.authorization.is_none());
        client.dialect.empty_secret = true;
        client.client_id = "me".to_owned();
        let request = client
            .refresh_request(&token_url(), &refresh, None, None)
            .unwrap();
        // bWU6 is "me:" in Base64.
        assert_eq!(request.authorization.unwrap().expose_secret(), "Basic bWU6");
    }

    #[test]
    fn spaces_are_percent_encoded_if_configured() {
        let mut client = client(ClientAuthentication::None, None);
        client.dialect.percent_spaces = true;
        let (url, _) = client.authorization_request(&redirect()).unwrap();
        assert!(url.as_str().contains("scope=openid%20a%2Fb"), "{url}");
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        // A plus sign in a value remains a plus sign.
        assert_eq!(query["client_id"], ID);
    }

    #[test]
    fn refresh_repeats_the_redirect_url_if_configured() {
        let mut client = client(ClientAuthentication::None, None);
        client.dialect.refresh_parameters =
            vec![("redirect_uri".to_owned(), "{redirect_uri}".to_owned())];
        let refresh = SecretString::from("r");
        let of = |client: &Client, url: Option<&RedirectTarget>| {
            form(
                &client
                    .refresh_request(&token_url(), &refresh, url, None)
                    .unwrap(),
            )
        };
        assert_eq!(
            of(&client, Some(&redirect()))["redirect_uri"],
            redirect().text()
        );
        assert!(!of(&client, None).contains_key("redirect_uri"));
        client.dialect.refresh_parameters = vec![("format".to_owned(), "json".to_owned())];
        assert_eq!(of(&client, None)["format"], "json");
    }

    #[test]
    fn form_post_is_used_only_if_requested() {
        let mut client = client(ClientAuthentication::None, None);
        for (name, value, posted) in [
            ("response_mode", "form_post", true),
            ("response_mode", "query", false),
            ("prompt", "form_post", false),
        ] {
            client.extra = vec![(name.to_owned(), value.to_owned())];
            assert_eq!(client.requests_form_post(), posted, "{name}={value}");
        }
    }

    #[test]
    fn a_client_without_secret_and_key_is_public() {
        use ClientAuthentication::{Basic, ClientSecretJwt, MutualTls, None, Post, PrivateKeyJwt};
        for (authentication, secret, public) in [
            (None, Option::None, true),
            (Post, Option::None, true),
            (Basic, Some(SECRET), false),
            (PrivateKeyJwt, Option::None, false),
            (MutualTls, Option::None, false),
        ] {
            let client = client(authentication, secret);
            assert_eq!(client.is_public(), public, "{authentication:?}");
            let sent = if public { None } else { authentication };
            assert_eq!(client.sent_method(), sent);
        }
        // The preset's method replaces one that sends the secret, but not a stronger one.
        for (authentication, of_preset, used) in [
            (Basic, Some(Post), Post),
            (Basic, Option::None, Basic),
            (PrivateKeyJwt, Some(Post), PrivateKeyJwt),
            (ClientSecretJwt, Some(Basic), ClientSecretJwt),
            (PrivateKeyJwt, Some(None), None),
        ] {
            let client = client(authentication, Some(SECRET));
            assert_eq!(
                client.method(of_preset),
                used,
                "{authentication:?} {of_preset:?}"
            );
        }
    }

    #[test]
    fn the_redirect_url_is_sent_as_typed_in_both_requests() {
        let client = client(ClientAuthentication::None, None);
        for text in [
            "http://localhost:18471",
            "https://mail.example:443/cb",
            "https://Mail.Example/a/../cb",
        ] {
            let (url, pending) = client
                .authorization_request(&text.parse().unwrap())
                .unwrap();
            let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
            assert_eq!(query["redirect_uri"], text);
            let request = client.exchange_request(&token_url(), &"c".into(), &pending);
            assert_eq!(form(&request.unwrap())["redirect_uri"], text);
        }
    }

    #[test]
    fn token_requests_include_resource_and_preset_parameters() {
        let mut client = client(ClientAuthentication::None, None);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        client.extra = vec![
            pair("resource", "https://api.example"),
            pair("resource", "https://other.example"),
            pair("prompt", "consent"),
        ];
        client.dialect.token_parameters = vec![
            pair("resource", "https://preset.example"),
            pair("audience", "a"),
        ];
        let (_, pending) = client.authorization_request(&redirect()).unwrap();
        let secret = SecretString::from("s");
        for request in [
            client.exchange_request(&token_url(), &secret, &pending),
            client.approval_request(&secret, "u"),
            client.refresh_request(&token_url(), &secret, None, None),
        ] {
            let request = request.unwrap();
            let body = request.body.expose_secret();
            assert_eq!(body.matches("resource=").count(), 2, "{body}");
            for words in [
                "resource=https%3A%2F%2Fapi.example",
                "resource=https%3A%2F%2Fother.example",
                "audience=a",
            ] {
                assert!(body.contains(words), "{body}");
            }
            assert!(!body.contains("prompt"), "{body}");
        }
        client.extra = vec![pair("prompt", "consent")];
        let request = client.approval_request(&secret, "u").unwrap();
        assert_eq!(form(&request)["resource"], "https://preset.example");
        let url = Url::parse("https://as.example/token?audience=x").unwrap();
        assert!(sets_nothing_reserved(&url, &client.dialect).is_err());
    }

    #[test]
    fn debug_text_holds_no_secret() {
        let client = client(ClientAuthentication::Post, Some(SECRET));
        let (_, pending) = client.authorization_request(&redirect()).unwrap();
        let request = client
            .exchange_request(&token_url(), &SecretString::from("c0de-c0de"), &pending)
            .unwrap();
        let text = format!("{client:?} {pending:?} {request:?}");
        for secret in [
            SECRET,
            "c0de-c0de",
            pending.state.expose_secret(),
            pending.verifier.as_ref().unwrap().expose_secret(),
        ] {
            assert!(!text.contains(secret));
        }
    }
}
