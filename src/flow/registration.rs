//! Registers this program as a client of a service (RFC 7591).

use std::path::PathBuf;

use url::Url;

use super::event::FlowError;
use super::http::Http;
use super::reporter::Reporter;
use crate::oauth::dialect::Dialect;
use crate::oauth::registration::{
    ClientMetadata, Registered, parse_registered, registration_request,
};
use crate::secret::SecretString;

/// A registration request with everything it needs.
#[derive(Debug)]
pub struct Registration {
    /// The registration endpoint.
    pub url: Url,
    /// The initial access token, if the service requires one.
    pub initial_token: Option<SecretString>,
    /// The client metadata to register.
    pub client: ClientMetadata,
    /// An additional CA certificate to trust.
    pub ca_file: Option<PathBuf>,
}

/// Registers a client. Never retries, because the service may already have registered the client.
pub(super) async fn register(
    run: &Registration,
    reporter: &Reporter,
) -> Result<Registered, FlowError> {
    let http = Http::new(run.ca_file.as_deref()).await?;
    let request = registration_request(&run.url, run.initial_token.as_ref(), &run.client);
    let answer = reporter.send(&http, &request).await?;
    let answers = &Dialect::default().answers;
    Ok(parse_registered(&answer, answers, &run.client)?)
}
