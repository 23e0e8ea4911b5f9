//! Registers this program with a service (RFC 7591).

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

/// A registration with all that it needs.
#[derive(Debug)]
pub struct Registration {
    /// The registration endpoint.
    pub url: Url,
    /// Allows the registration, if the service requires that.
    pub initial_token: Option<SecretString>,
    /// What to register.
    pub client: ClientMetadata,
    /// An additional CA certificate to trust.
    pub ca_file: Option<PathBuf>,
}

/// Registers a client. Nothing is tried again: the service may have registered it already.
pub(super) async fn register(
    run: &Registration,
    reporter: &Reporter,
) -> Result<Registered, FlowError> {
    let http = Http::new(run.ca_file.as_deref()).await?;
    let request = registration_request(&run.url, run.initial_token.as_ref(), &run.client);
    let answer = reporter.send(&http, &request).await?;
    Ok(parse_registered(&answer, &Dialect::default().answers)?)
}
