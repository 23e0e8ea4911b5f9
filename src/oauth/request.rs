//! Requests to the service, captured from the oauth2 crate.

use std::cell::RefCell;
use std::convert::Infallible;

use oauth2::{HttpRequest, HttpResponse, SyncHttpClient};
use url::Url;

use super::assertion::Proof;
use super::jose::KeyError;
use super::tools::Method;
use crate::secret::SecretString;

/// A request with a body to post, or for a document to get with credentials. All of it is treated as secret.
#[derive(Debug, Clone)]
pub struct Request {
    /// The HTTP method and the kind of body.
    pub method: Method,
    /// The URL of the endpoint.
    pub url: Url,
    /// The `Authorization` header, if any.
    pub authorization: Option<SecretString>,
    /// The body: a form, a JSON object, or empty, depending on `method`.
    pub body: SecretString,
    /// How the request authenticates the client when it is sent.
    pub proof: Proof,
}

impl Request {
    /// Returns whether a key outside of this program signs the request, which may take time.
    #[must_use]
    pub fn signs_elsewhere(&self) -> bool {
        self.proof.signs_elsewhere()
    }

    /// Returns the same request with a new assertion; `None` if it needs no assertion.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub fn signed(&self, unix_time: u64) -> Result<Option<Self>, KeyError> {
        let body = self.proof.signed(&self.body, unix_time)?;
        Ok(body.map(|body| Self {
            method: self.method,
            url: self.url.clone(),
            authorization: self.authorization.clone(),
            body,
            proof: Proof::None,
        }))
    }
}

/// A part of the client that the oauth2 crate can't use, or that is missing. Doesn't happen with URLs that were
/// validated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {0} is invalid")]
pub struct RequestError(pub(super) &'static str);

impl RequestError {
    /// There is no authorization URL.
    pub const AUTHORIZATION_URL: Self = Self("authorization URL");
    /// There is no redirect URL.
    pub const REDIRECT_URL: Self = Self("redirect URL");
    /// There is no token of the requested kind.
    pub const NO_TOKEN: Self = Self("token");
    /// There is no key file.
    pub const KEY_FILE: Self = Self("key file");
    /// There is no refresh token.
    pub const REFRESH_TOKEN: Self = Self("refresh token");
}

/// A stub in place of the HTTP client that captures the request.
#[derive(Default)]
pub(super) struct Keep(RefCell<Option<HttpRequest>>);

impl SyncHttpClient for Keep {
    type Error = Infallible;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Infallible> {
        self.0.replace(Some(request));
        // A final error, so that the crate does not poll again.
        let mut answer = HttpResponse::new(br#"{"error":"access_denied"}"#.to_vec());
        *answer.status_mut() = http::StatusCode::BAD_REQUEST;
        Ok(answer)
    }
}

/// Returns the request that `send` would have sent.
pub(super) fn taken(send: impl FnOnce(&Keep)) -> Result<Request, RequestError> {
    let keep = Keep::default();
    send(&keep);
    let request = keep.0.into_inner().ok_or(RequestError("request"))?;
    let url = Url::parse(&request.uri().to_string()).map_err(|_| RequestError("request's URL"))?;
    let authorization = request
        .headers()
        .get(http::header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .map(SecretString::from);
    let body =
        String::from_utf8(request.into_body()).map_err(|_| RequestError("request's body"))?;
    Ok(Request {
        method: Method::Post,
        url,
        authorization,
        body: SecretString::from(body),
        proof: Proof::None,
    })
}
