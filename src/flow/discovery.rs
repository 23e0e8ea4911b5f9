//! Discovery of an issuer's metadata (RFC 8414, OpenID Connect Discovery).

use super::event::FlowError;
use super::http::Http;
use super::http_error::HttpError;
use super::reporter::Reporter;
use crate::clean::clean;
use crate::form::request::Issuer;
use crate::oauth::discovery::{Metadata, MetadataError, addresses, parse_metadata, said};
use crate::oauth::issuer::{issuer_behind, other_issuer, without_endpoint};
use crate::oauth::url::endpoint;

/// Gets the metadata from the first address that returns the metadata of this issuer.
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
            // Another address may still work: some services return a server error for a document that they don't have.
            Ok(answer) if answer.is_busy() => {
                unavailable.get_or_insert_with(|| answer.unavailable(said(&answer)));
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
            // Try the other addresses, which are on the same host.
            Err(HttpError::Redirected { host, target, .. }) => {
                // On the same host, the target is a path.
                let behind = address.join(&target).ok();
                named = named.or_else(|| issuer_behind(behind?.as_str(), &url));
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
        // If another issuer's metadata was found, the issuer is wrong, even if an address was temporarily unavailable.
        Some(unavailable) if !mismatch => Err(unavailable.into()),
        Some(_) | None => Err(failed(reasons.join("; "), named, mismatch)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::scripted::reporter;
    use crate::flow::served::{http, serve};
    use crate::oauth::failure::Failure;
    use crate::oauth::flow_kind::FlowKind;

    /// Runs a discovery at a service with these responses for OpenID Connect and for OAuth, each a status and a body.
    /// `{issuer}` in a body is replaced with the issuer.
    async fn discovered(
        openid: (&'static str, &'static str),
        oauth: (&'static str, &'static str),
    ) -> Result<Metadata, FlowError> {
        let server = serve(None, move |request| {
            let mut words = request.split(' ');
            let path = words.nth(1).unwrap_or_default();
            let (status, body) = if path.ends_with("/openid-configuration") {
                openid
            } else {
                oauth
            };
            let host = request.split("host: ").nth(1);
            let host = host
                .and_then(|rest| rest.lines().next())
                .unwrap_or_default();
            http(status, &body.replace("{issuer}", &format!("http://{host}")))
        })
        .await;
        let issuer = Issuer {
            name: server.url.as_str().trim_end_matches('/').to_owned(),
            others: Vec::new(),
            ca_file: None,
            flow: FlowKind::DeviceCode,
        };
        let (reporter, _) = reporter();
        discover(&issuer, &reporter).await
    }

    const RIGHT: (&str, &str) = (
        "200 OK",
        r#"{"issuer":"{issuer}","token_endpoint":"{issuer}/token"}"#,
    );
    const OTHER: (&str, &str) = (
        "200 OK",
        r#"{"issuer":"https://other.example","token_endpoint":"https://other.example/token"}"#,
    );
    const MISSING: (&str, &str) = ("404 Not Found", "");
    const BUSY: (&str, &str) = ("503 Service Unavailable", "");

    #[tokio::test]
    async fn first_address_with_metadata_is_used() {
        for first in [RIGHT, MISSING, OTHER, BUSY, ("200 OK", "<html>")] {
            let metadata = discovered(first, RIGHT).await.unwrap();
            assert_eq!(metadata.token_url.unwrap().path(), "/token");
        }
    }

    #[tokio::test]
    async fn issuer_behind_a_redirect_is_suggested_whatever_its_query() {
        for query in ["", "?error=login_required"] {
            let status =
                format!("302 Found\r\nLocation: /realm/.well-known/openid-configuration{query}");
            let error = discovered((status.leak(), ""), MISSING).await.unwrap_err();
            let (reason, instead) = error.of_issuer().unwrap();
            let instead = instead.unwrap();
            assert!(instead.ends_with("/realm"), "{query} {reason} {instead}");
        }
    }

    #[tokio::test]
    async fn busy_service_is_reported_unless_another_issuer_is_found() {
        for (openid, oauth) in [(BUSY, BUSY), (MISSING, BUSY), (BUSY, MISSING)] {
            let error = discovered(openid, oauth).await.unwrap_err();
            assert!(
                matches!(error, FlowError::Protocol(Failure::Unavailable { .. })),
                "{error:?}"
            );
        }
        for (openid, oauth) in [
            (OTHER, BUSY),
            (BUSY, OTHER),
            (OTHER, OTHER),
            (OTHER, MISSING),
        ] {
            let error = discovered(openid, oauth).await.unwrap_err();
            assert!(error.is_issuer_mismatch(), "{error:?}");
        }
    }

    #[tokio::test]
    async fn identical_reasons_are_reported_once() {
        let error = discovered(MISSING, MISSING).await.unwrap_err();
        assert!(!error.is_issuer_mismatch());
        let text = error.to_string();
        assert!(text.ends_with(" (HTTP status 404)."), "{text}");
        let error = discovered(MISSING, ("410 Gone", "")).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.ends_with(" (HTTP status 404; HTTP status 410)."),
            "{text}"
        );
    }
}
