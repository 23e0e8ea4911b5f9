//! The demo server: sockets, routes, and checks of the parameters.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use url::{Url, form_urlencoded};

use super::grants::{
    Decision, DeviceAnswer, Grants, Lifetimes, Refusal, SignIn, Tokens, person, refuse,
};
use super::pages::{self, Answer};

const AUTHORIZE: &str = "/authorize";
const DEVICE: &str = "/device";
const DEVICE_AUTHORIZATION: &str = "/device_authorization";
const TOKEN: &str = "/token";
const USERINFO: &str = "/userinfo";
const OPENID_METADATA: &str = "/.well-known/openid-configuration";
const OAUTH_METADATA: &str = "/.well-known/oauth-authorization-server";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Maximum size of a body, in bytes. This program's requests are smaller, even with a long scope or ID token hint.
const BODY_LIMIT: usize = 16 * 1024;
/// Maximum size of the head, in bytes, which contains the authorization request.
const HEAD_LIMIT: usize = 16 * 1024;
const HEAD_TIME: Duration = Duration::from_secs(5);
/// Time limit for a whole connection, which serves only one request.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
const CONNECTIONS: usize = 100;

/// A running demo server. Dropping it ends its connections, and frees the port when the runtime polls the task.
pub struct Demo {
    url: String,
    _stop: DropGuard,
}

impl Demo {
    /// Starts a server on a free port of 127.0.0.1, as a task of the current Tokio runtime.
    ///
    /// # Errors
    ///
    /// Returns an error if no port can be opened on 127.0.0.1.
    pub async fn start() -> std::io::Result<Self> {
        Self::start_with(Lifetimes::default()).await
    }

    pub(super) async fn start_with(lifetimes: Lifetimes) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let grants = Mutex::new(Grants::new(url.clone(), lifetimes));
        let server = Arc::new(Server {
            issuer: url.clone(),
            grants,
        });
        let stop = CancellationToken::new();
        tokio::spawn(
            stop.clone()
                .run_until_cancelled_owned(serve(listener, server)),
        );
        Ok(Self {
            url,
            _stop: stop.drop_guard(),
        })
    }

    /// Returns the base URL without a trailing slash, `http://127.0.0.1:PORT`, which is also the issuer.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

/// Accepts connections forever. This future owns the connections, so they end with it.
async fn serve(listener: TcpListener, server: Arc<Server>) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME);
    http.max_buf_size(HEAD_LIMIT).keep_alive(false);
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS {
            connections.join_next().await;
        }
        let Ok((stream, _)) = listener.accept().await else {
            // Most likely no file descriptors are left, so an immediate retry would also fail.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let server = Arc::clone(&server);
        let service = service_fn(move |request| {
            let server = Arc::clone(&server);
            async move { Ok::<_, Infallible>(server.answer(request).await) }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        connections.spawn(tokio::time::timeout(CONNECTION_TIME, connection));
    }
}

struct Server {
    issuer: String,
    grants: Mutex<Grants>,
}

impl Server {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, BODY_LIMIT).collect().await else {
            return pages::problem(StatusCode::PAYLOAD_TOO_LARGE, "The request is too large.");
        };
        let body = body.to_bytes();
        let query = head.uri.query().unwrap_or_default();
        match (head.uri.path(), head.method.as_str()) {
            (AUTHORIZE, "GET") => page(self.authorize(query, None)),
            (AUTHORIZE, "POST") => page(self.authorize(query, Some(&body))),
            (DEVICE, "GET") => page(self.device(query, None)),
            (DEVICE, "POST") => page(self.device(query, Some(&body))),
            (DEVICE_AUTHORIZATION, "POST") => json(self.device_authorization(&head.headers, &body)),
            (TOKEN, "POST") => json(self.token(&head.headers, &body)),
            (USERINFO, "GET" | "POST") => self.userinfo(&head.headers),
            (OPENID_METADATA | OAUTH_METADATA, "GET") => json(Ok(self.metadata())),
            _ => pages::problem(StatusCode::NOT_FOUND, "Nothing is here for this method."),
        }
    }

    /// Locks the grants, never across an await. If a task panicked while holding the lock, the lists are still usable.
    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Handles the authorization endpoint (RFC 6749, section 3.1). The buttons post to the page's own URL, so the
    /// request is parsed from the query again, and no state is needed while the user decides.
    fn authorize(&self, query: &str, body: Option<&[u8]>) -> Result<Answer, Refusal> {
        let params = Params::parse(query.as_bytes())?;
        // Until these two parameters are verified, errors must be shown to the user, not redirected to the program.
        let client_id = printable(params.require("client_id")?)?;
        let redirect_uri = params.require("redirect_uri")?;
        let redirect = loopback(redirect_uri)?;
        let back = |answer: &[(&str, &str)]| {
            let mut target = redirect.clone();
            target
                .query_pairs_mut()
                .extend_pairs(answer)
                .extend_pairs(params.get("state").map(|state| ("state", state)))
                .append_pair("iss", &self.issuer);
            see_other(&target)
        };
        let (sign_in, challenge) = match authorization_request(client_id, &params) {
            Ok(request) => request,
            Err(Refusal { error, description }) => {
                return Ok(back(&[
                    ("error", error),
                    ("error_description", &description),
                ]));
            }
        };
        let Some(body) = body else {
            return Ok(pages::consent(
                &sign_in,
                &redirect,
                &self.at(AUTHORIZE),
                query,
            ));
        };
        Ok(match decision(body)? {
            Decision::Approve => {
                let code = self.grants().code(sign_in, redirect_uri, challenge);
                back(&[("code", &code)])
            }
            Decision::Deny => back(&[
                ("error", "access_denied"),
                ("error_description", "The user chose Deny."),
            ]),
        })
    }

    /// Handles the page of the verification URI (RFC 8628, section 3.3).
    fn device(&self, query: &str, body: Option<&[u8]>) -> Result<Answer, Refusal> {
        let in_query = Params::parse(query.as_bytes())?;
        let in_body = Params::parse(body.unwrap_or_default())?;
        let code = in_body
            .get("user_code")
            .or(in_query.get("user_code"))
            .unwrap_or_default();
        let Some((code, sign_in)) = self.grants().asked(code) else {
            let status = if code.is_empty() {
                StatusCode::OK
            } else {
                StatusCode::BAD_REQUEST
            };
            return Ok(pages::ask_code(status, code));
        };
        let Some(body) = body else {
            return Ok(pages::device(&sign_in, &code, &self.at(DEVICE), query));
        };
        let decision = decision(body)?;
        self.grants().decide(&code, decision);
        Ok(pages::decided(decision))
    }

    fn device_authorization(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<DeviceAnswer, Refusal> {
        let params = Params::parse(body)?;
        let client_id = client_id(headers, &params)?;
        let scope = scope(&params)?;
        Ok(self.grants().device(SignIn {
            client_id,
            scope,
            nonce: None,
        }))
    }

    /// Handles the token endpoint (RFC 6749, section 3.2).
    fn token(&self, headers: &HeaderMap, body: &[u8]) -> Result<Tokens, Refusal> {
        let params = Params::parse(body)?;
        let client_id = client_id(headers, &params)?;
        match params.require("grant_type")? {
            "authorization_code" => {
                let code = params.require("code")?;
                let redirect_uri = params.require("redirect_uri")?;
                let verifier = params.require("code_verifier")?;
                self.grants()
                    .redeem(&client_id, code, redirect_uri, verifier)
            }
            DEVICE_GRANT => self
                .grants()
                .poll(&client_id, params.require("device_code")?),
            "refresh_token" => {
                let token = params.require("refresh_token")?;
                self.grants()
                    .refresh(&client_id, token, params.get("scope"))
            }
            _ => refuse(
                "unsupported_grant_type",
                "This grant_type is not known here.",
            ),
        }
    }

    /// Returns who signed in, for a valid bearer token (RFC 6750, sections 2.1 and 3).
    fn userinfo(&self, headers: &HeaderMap) -> Answer {
        let challenge = match credentials(headers, "Bearer") {
            Some(token) if self.grants().accepts(token) => return json(Ok(person())),
            Some(_) => {
                r#"Bearer realm="demo", error="invalid_token", error_description="The access token is not known or has expired.""#
            }
            None => r#"Bearer realm="demo""#,
        };
        let headers = [(header::WWW_AUTHENTICATE, challenge)];
        pages::answer(StatusCode::UNAUTHORIZED, &headers, String::new())
    }

    /// Returns the server metadata (RFC 8414, section 2).
    fn metadata(&self) -> Value {
        json!({
            "issuer": self.issuer,
            "authorization_endpoint": self.at(AUTHORIZE),
            "device_authorization_endpoint": self.at(DEVICE_AUTHORIZATION),
            "token_endpoint": self.at(TOKEN),
            "userinfo_endpoint": self.at(USERINFO),
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_GRANT],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "authorization_response_iss_parameter_supported": true,
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["none"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "nonce", "name", "email"],
        })
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }
}

/// Form parameters. They don't implement `Debug`, because they include codes and tokens.
struct Params(HashMap<String, String>);

impl Params {
    fn parse(form: &[u8]) -> Result<Self, Refusal> {
        let mut params = HashMap::new();
        for (name, value) in form_urlencoded::parse(form) {
            if params
                .insert(name.into_owned(), value.into_owned())
                .is_some()
            {
                return refuse("invalid_request", "A parameter is there twice.");
            }
        }
        Ok(Self(params))
    }

    /// Returns a parameter. An empty one counts as omitted (RFC 6749, section 3.1).
    fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    fn require(&self, name: &str) -> Result<&str, Refusal> {
        match self.get(name) {
            Some(value) => Ok(value),
            None => refuse(
                "invalid_request",
                format!("The parameter {name} is missing."),
            ),
        }
    }
}

/// Parses a redirect URI, which must be on this machine.
fn loopback(uri: &str) -> Result<Url, Refusal> {
    match Url::parse(uri) {
        Ok(url)
            if url.scheme() == "http"
                && matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
                && url.username().is_empty()
                && url.password().is_none()
                && url.fragment().is_none() =>
        {
            Ok(url)
        }
        _ => refuse(
            "invalid_request",
            "The demo takes only redirect URLs of this machine: http://127.0.0.1, http://localhost \
             or http://[::1], without user name and fragment.",
        ),
    }
}

/// Parses an authorization request. Returns it with the code challenge.
fn authorization_request(client_id: String, params: &Params) -> Result<(SignIn, &str), Refusal> {
    if params.require("response_type")? != "code" {
        return refuse(
            "unsupported_response_type",
            "The demo offers response_type=code only.",
        );
    }
    let challenge = params.require("code_challenge")?;
    if params.get("code_challenge_method") != Some("S256") {
        return refuse(
            "invalid_request",
            "The demo requires code_challenge_method=S256.",
        );
    }
    let sign_in = SignIn {
        client_id,
        scope: scope(params)?,
        nonce: params.get("nonce").map(str::to_owned),
    };
    Ok((sign_in, challenge))
}

fn decision(body: &[u8]) -> Result<Decision, Refusal> {
    match Params::parse(body)?.get("decision") {
        Some("approve") => Ok(Decision::Approve),
        Some("deny") => Ok(Decision::Deny),
        _ => refuse("invalid_request", "Choose Approve or Deny."),
    }
}

/// Returns the scope to grant: everything that was requested, if its characters are allowed by RFC 6749, section 3.3.
fn scope(params: &Params) -> Result<String, Refusal> {
    let scope = params.get("scope").unwrap_or_default();
    if scope
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
    {
        Ok(scope.split_ascii_whitespace().collect::<Vec<_>>().join(" "))
    } else {
        refuse(
            "invalid_scope",
            "The scope has characters that a scope cannot have.",
        )
    }
}

/// Returns the client ID of a program that uses one of the usual authentication methods, or only sends its ID.
fn client_id(headers: &HeaderMap, params: &Params) -> Result<String, Refusal> {
    let basic = credentials(headers, "Basic").and_then(|text| BASE64_STANDARD.decode(text).ok());
    let user = basic
        .as_deref()
        .and_then(|text| text.split(|byte| *byte == b':').next());
    // Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
    let user = user
        .and_then(|text| form_urlencoded::parse(text).next())
        .map(|(name, _)| name);
    match user.as_deref().or(params.get("client_id")) {
        Some(client_id) => printable(client_id),
        None => refuse("invalid_client", "The parameter client_id is missing."),
    }
}

/// Checks that a client ID contains only the characters allowed by RFC 6749, appendix A.1.
fn printable(client_id: &str) -> Result<String, Refusal> {
    if client_id.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        Ok(client_id.to_owned())
    } else {
        refuse(
            "invalid_request",
            "client_id has characters that a client ID cannot have.",
        )
    }
}

/// Returns the credentials for this scheme in the Authorization header.
fn credentials<'a>(headers: &'a HeaderMap, scheme: &str) -> Option<&'a str> {
    let (given, credentials) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    given
        .eq_ignore_ascii_case(scheme)
        .then(|| credentials.trim())
}

/// Redirects with status 303, so that browsers continue with GET and don't post again (RFC 9700, section 4.12).
fn see_other(target: &Url) -> Answer {
    let headers = [(header::LOCATION, target.as_str())];
    pages::answer(StatusCode::SEE_OTHER, &headers, String::new())
}

/// Returns a response for a user; errors are shown on a page.
fn page(result: Result<Answer, Refusal>) -> Answer {
    result.unwrap_or_else(|refusal| pages::problem(StatusCode::BAD_REQUEST, &refusal.description))
}

/// Returns a JSON response for a program (RFC 6749, sections 5.1 and 5.2).
fn json<T: Serialize>(result: Result<T, Refusal>) -> Answer {
    let (status, text) = match result {
        Ok(value) => (StatusCode::OK, serde_json::to_string(&value)),
        Err(refusal) => {
            let status = match refusal.error {
                "invalid_client" => StatusCode::UNAUTHORIZED,
                _ => StatusCode::BAD_REQUEST,
            };
            (status, serde_json::to_string(&refusal))
        }
    };
    let mut headers = vec![(header::CONTENT_TYPE, "application/json")];
    if status == StatusCode::UNAUTHORIZED {
        headers.push((header::WWW_AUTHENTICATE, r#"Basic realm="demo""#));
    }
    match text {
        Ok(text) => pages::answer(status, &headers, text),
        Err(_) => pages::answer(StatusCode::INTERNAL_SERVER_ERROR, &[], String::new()),
    }
}
