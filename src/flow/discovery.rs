//! Discovery of an issuer's metadata (RFC 8414, OpenID Connect Discovery).

use super::event::FlowError;
use super::http::{Http, HttpError};
use super::reporter::Reporter;
use crate::clean::clean;
use crate::form::request::Issuer;
use crate::oauth::discovery::{
    Metadata, MetadataError, addresses, issuer_behind, other_issuer, parse_metadata,
    without_endpoint,
};
use crate::oauth::url::endpoint;

/// Gets the metadata from the first address that returns it for this issuer.
pub(super) async fn discover(issuer: &Issuer, reporter: &Reporter) -> Result<Metadata, FlowError> {
    let failed = |reason: String, named: Option<String>, mismatch: bool| FlowError::Discovery {
        issuer: clean(&issuer.name, 120),
        reason,
        instead: named.or_else(|| without_endpoint(&issuer.name)),
        mismatch,
    };
    let url = endpoint(&issuer.name).map_err(|problem| failed(problem.to_string(), None, false))?;
    let http = Http::new(issuer.ca_file.as_deref()).await?;
    let mut reasons: Vec<String> = Vec::new();
    let mut unavailable = None;
    let mut named = None;
    let mut mismatch = false;
    for address in addresses(&url) {
        let reason = match reporter.get(&http, &address).await {
            // Another address may answer all the same; some services fail where they have nothing.
            Ok(answer) if answer.is_busy() => {
                unavailable.get_or_insert_with(|| answer.unavailable(None));
                continue;
            }
            Ok(answer) => match parse_metadata(&answer, issuer.expected(), &address) {
                Ok(metadata) => return Ok(metadata),
                Err(error) => {
                    named = named.or_else(|| other_issuer(&answer, &issuer.name, &address));
                    mismatch |= matches!(error, MetadataError::OtherIssuer(_));
                    error.to_string()
                }
            },
            // The other addresses are on the same host.
            Err(HttpError::Redirected { host, target }) => {
                named = named.or_else(|| issuer_behind(&target, &url));
                format!(
                    "{host} redirects to {target}, but metadata must be at the issuer's own URL"
                )
            }
            Err(error @ HttpError::TooLarge { .. }) => {
                error.to_string().trim_end_matches('.').to_owned()
            }
            Err(error) => return Err(error.into()),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    match unavailable {
        // Another address that is busy does not make it the right server.
        Some(unavailable) if !mismatch => Err(unavailable.into()),
        Some(_) | None => Err(failed(reasons.join("; "), named, mismatch)),
    }
}
