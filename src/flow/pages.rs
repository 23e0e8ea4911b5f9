//! The pages that the listener sends to the browser. Each says only what is true at that moment, and repeats nothing
//! from the request. A page loads nothing: its style is part of it, and the policy allows that style by its hash.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

/// The style of every page. [`POLICY`] allows exactly this text.
const STYLE: &str = "html{color-scheme:light dark}body{margin:0;min-height:100vh;display:grid;place-items:center;\
    background:#fff;color:#1b1b1b;font:1.125rem/1.5 system-ui,sans-serif}main{max-width:32rem;padding:2rem;\
    border-left:.375rem solid #767676}.ok{border-color:#0969da}.no{border-color:#b42318}h1{margin:0 0 .5rem;\
    font-size:1.5rem;line-height:1.25}p{margin:.5rem 0}small{color:#595959}@media(prefers-color-scheme:dark){\
    body{background:#1b1b1b;color:#eee}.ok{border-color:#4493f8}.no{border-color:#ff7b72}small{color:#a8a8a8}}";

/// The Content-Security-Policy of a page: show [`STYLE`], and nothing else.
const POLICY: &str = "default-src 'none'; style-src 'sha256-FihaCp2Gc6nfU+X/tPsRBzBDlBLbcW/4eFKyEUuLQLw='; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page that the browser shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A code arrived; it has not been exchanged yet.
    Received,
    /// The service reported that the sign-in was denied or failed.
    Refused,
    /// A callback that doesn't belong to the sign-in in progress.
    NotOurs,
    /// A response to the sign-in in progress that can't be used.
    Invalid,
    /// An error that may belong to the sign-in in progress, but lacks proof.
    Unverified,
    /// A callback without a query.
    Empty,
    /// A callback after the response to this sign-in.
    Over,
    /// A request for another path.
    NotFound,
    /// A request with a method other than GET.
    WrongMethod,
    /// A response that was sent by POST, which wasn't requested.
    Posted,
    /// A POST whose body is not a form.
    NoForm,
    /// A form that is too large.
    TooLarge,
    /// A request for another host name than that of the redirect URL.
    WrongHost,
    /// A request that violates the rules of HTTP.
    Malformed,
    /// A request from another machine.
    Remote,
}

impl Page {
    fn status(self) -> StatusCode {
        match self {
            Self::Received | Self::Refused => StatusCode::OK,
            Self::NotOurs
            | Self::Invalid
            | Self::Unverified
            | Self::Empty
            | Self::Over
            | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod | Self::Posted => StatusCode::METHOD_NOT_ALLOWED,
            Self::NoForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Remote => StatusCode::FORBIDDEN,
        }
    }

    /// Returns the class of the page's border: `ok` if the code has arrived, `no` if something is wrong.
    fn class(self) -> &'static str {
        match self {
            Self::Received | Self::Over => "ok",
            Self::Refused
            | Self::NotOurs
            | Self::Invalid
            | Self::Unverified
            | Self::Empty
            | Self::NotFound
            | Self::WrongMethod
            | Self::Posted
            | Self::NoForm
            | Self::TooLarge
            | Self::WrongHost
            | Self::Malformed
            | Self::Remote => "no",
        }
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Received => (
                "Almost done",
                "Return to your terminal to finish. You can close this tab.",
            ),
            Self::Refused => (
                "Sign-in failed",
                "The service reported that the sign-in was denied or failed. Your terminal shows the reason. You can \
                 close this tab.",
            ),
            Self::NotOurs => (
                "This sign-in doesn't match",
                "This is not the sign-in that OAuth Authorizer is waiting for. Open the URL shown in your terminal. You \
                 can close this tab.",
            ),
            Self::Invalid => (
                "This response can't be used",
                "The service's response to this sign-in can't be used. Your terminal shows the reason. OAuth Authorizer is \
                 still waiting.",
            ),
            Self::Unverified => (
                "This sign-in doesn't match",
                "If the service reported an error, your terminal shows it. OAuth Authorizer is still waiting.",
            ),
            Self::Empty => (
                "No response received",
                "If the address bar shows code= or error= after a #, copy the whole address and paste it in your terminal. \
                 OAuth Authorizer is still waiting.",
            ),
            Self::Over => (
                "Already received",
                "OAuth Authorizer is no longer waiting for this sign-in. Return to your terminal. You can close this tab.",
            ),
            Self::NotFound => (
                "Page not found",
                "OAuth Authorizer only answers requests for the redirect URL. If your service sent you here, your terminal shows \
                 why.",
            ),
            Self::WrongMethod => (
                "Request rejected",
                "OAuth Authorizer only accepts GET requests here.",
            ),
            Self::Posted => (
                "Request rejected",
                "The service sent its response by POST, but OAuth Authorizer only accepts GET requests for this sign-in. Your \
                 terminal shows what to change.",
            ),
            Self::NoForm => (
                "Request rejected",
                "OAuth Authorizer only accepts URL-encoded forms by POST.",
            ),
            Self::TooLarge => ("Request rejected", "This response is too large."),
            Self::WrongHost => (
                "Request rejected",
                "This request was sent to a different host name than the redirect URL's. If your service sent you here, your \
                 terminal shows why.",
            ),
            Self::Malformed => ("Request rejected", "This is not a valid HTTP request."),
            Self::Remote => (
                "Request rejected",
                "OAuth Authorizer only accepts requests from the computer it runs on.",
            ),
        }
    }

    fn html(self) -> String {
        let (title, text) = self.text();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - OAuth Authorizer</title>\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head>\n\
             <body><main class=\"{}\"><h1>{title}</h1><p>{text}</p><p><small>OAuth Authorizer</small></p></main></body>\
             </html>\n",
            self.class()
        )
    }

    /// Returns the status, headers and text of the page.
    #[cfg(windows)]
    pub(super) fn parts(self) -> (StatusCode, http::HeaderMap, String) {
        (
            self.status(),
            self.response().headers().clone(),
            self.html(),
        )
    }

    /// Returns the page with its headers: not stored, no referrer, nothing loaded, and the connection closed.
    #[must_use]
    pub fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.html())));
        *response.status_mut() = self.status();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CONNECTION, "close"),
        ] {
            response
                .headers_mut()
                .insert(name, HeaderValue::from_static(value));
        }
        if matches!(self, Self::WrongMethod | Self::Posted) {
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use ring::digest::{SHA256, digest};

    use super::*;

    const ALL: [Page; 15] = [
        Page::Received,
        Page::Refused,
        Page::NotOurs,
        Page::Invalid,
        Page::Unverified,
        Page::Empty,
        Page::Over,
        Page::NotFound,
        Page::WrongMethod,
        Page::Posted,
        Page::NoForm,
        Page::TooLarge,
        Page::WrongHost,
        Page::Malformed,
        Page::Remote,
    ];

    #[test]
    fn content_security_policy_allows_the_inline_style() {
        for page in ALL {
            let html = page.html();
            let style = html
                .split_once("<style>")
                .and_then(|(_, rest)| rest.split_once("</style>"));
            let style = style.map_or("", |(style, _)| style);
            let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
            let response = page.response();
            let policy = &response.headers()[header::CONTENT_SECURITY_POLICY];
            let allowed = format!("style-src 'sha256-{hash}';");
            assert!(
                policy
                    .to_str()
                    .is_ok_and(|policy| policy.contains(&allowed)),
                "{allowed}"
            );
        }
    }

    #[test]
    fn page_headers_forbid_caching_framing_and_referrers() {
        for page in ALL {
            let response = page.response();
            let header = |name| response.headers()[name].to_str().unwrap_or_default();
            assert_eq!(header(header::CACHE_CONTROL), "no-store");
            assert_eq!(header(header::REFERRER_POLICY), "no-referrer");
            assert_eq!(header(header::X_CONTENT_TYPE_OPTIONS), "nosniff");
            let policy = header(header::CONTENT_SECURITY_POLICY);
            for rule in [
                "default-src 'none'",
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
            ] {
                assert!(policy.contains(rule), "{policy}");
            }
            // No page redirects.
            assert!(response.headers().get(header::LOCATION).is_none());
        }
    }

    #[test]
    fn pages_are_small_and_load_nothing() {
        for page in ALL {
            let html = page.html();
            assert!(html.len() < 1500, "{}", html.len());
            for active in [
                "<script", "<img", "<link", "<a ", "<form", "url(", "http", "style=",
            ] {
                assert!(!html.contains(active), "{active} in {html}");
            }
        }
    }

    #[test]
    fn border_distinguishes_success_from_failure() {
        for page in ALL.into_iter().chain([Page::Unverified, Page::Empty]) {
            let expected = match page {
                Page::Received | Page::Over => "<main class=\"ok\">",
                _ => "<main class=\"no\">",
            };
            assert!(page.html().contains(expected), "{page:?}");
        }
    }
}
