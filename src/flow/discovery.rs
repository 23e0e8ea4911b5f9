//! Discovery of an issuer's metadata (RFC 8414, OpenID Connect Discovery).

use super::event::FlowError;
use super::http::{Http, HttpError};
use super::reporter::Reporter;
use crate::clean::clean;
use crate::form::request::Issuer;
use crate::oauth::discovery::{Metadata, addresses, parse_metadata};
use crate::oauth::url::endpoint;

/// Gets the metadata from the first address that returns it for this issuer.
pub(super) async fn discover(issuer: &Issuer, reporter: &Reporter) -> Result<Metadata, FlowError> {
    let failed = |reason: String| FlowError::Discovery {
        issuer: clean(&issuer.name, 120),
        reason,
    };
    let url = endpoint(&issuer.name).map_err(|problem| failed(problem.to_string()))?;
    let http = Http::new(issuer.ca_file.as_deref()).await?;
    let mut reasons: Vec<String> = Vec::new();
    let mut unavailable = None;
    for address in addresses(&url) {
        let reason = match reporter.get(&http, &address).await {
            // Another address may answer all the same; some services fail where they have nothing.
            Ok(answer) if answer.is_busy() => {
                unavailable.get_or_insert_with(|| answer.unavailable(None));
                continue;
            }
            Ok(answer) => match parse_metadata(&answer, issuer.expected(), &address) {
                Ok(metadata) => return Ok(metadata),
                Err(reason) => reason,
            },
            // The other addresses are on the same host.
            Err(HttpError::Redirected { host, target }) => {
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
    Err(unavailable.map_or_else(|| failed(reasons.join("; ")), FlowError::from))
}
