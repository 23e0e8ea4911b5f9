//! The pages that the listener answers with. Each says only what is true at that moment; none echoes
//! anything of the request.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;

/// What the browser is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// A code came; the exchange is still to be done.
    Received,
    /// The service reported that the sign-in was refused or failed.
    Refused,
    /// A callback, but not that of the sign-in under way.
    NotOurs,
    /// An error that may be that of the sign-in under way, but lacks what would prove it.
    Unverified,
    /// A callback without a query.
    Empty,
    /// A callback that came after the answer.
    Over,
    /// Another path.
    NotFound,
    /// Another method than GET.
    WrongMethod,
    /// An answer that was posted.
    Posted,
    /// Another host name than the redirect URL's.
    WrongHost,
    /// Against the rules of HTTP.
    Malformed,
    /// From another machine.
    Remote,
}

impl Page {
    fn status(self) -> StatusCode {
        match self {
            Self::Received | Self::Refused => StatusCode::OK,
            Self::NotOurs | Self::Unverified | Self::Empty | Self::Over | Self::Malformed => {
                StatusCode::BAD_REQUEST
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::WrongMethod | Self::Posted => StatusCode::METHOD_NOT_ALLOWED,
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Remote => StatusCode::FORBIDDEN,
        }
    }

    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Received => (
                "The answer was received",
                "OAuth Authorizer is asking for the tokens now. Look at your terminal: it shows whether that worked. \
                 You can close this page.",
            ),
            Self::Refused => (
                "The sign-in was refused",
                "The service reported that the sign-in was refused or failed. Look at your terminal for the reason. \
                 You can close this page.",
            ),
            Self::NotOurs => (
                "This was not the sign-in you started",
                "OAuth Authorizer is still waiting for the answer to the sign-in that it started. Open the URL that \
                 your terminal shows.",
            ),
            Self::Unverified => (
                "The answer could not be verified",
                "The service reported an error without the proof that it belongs to your sign-in. Look at your terminal: it \
                 shows what the service says. OAuth Authorizer is still waiting.",
            ),
            Self::Empty => (
                "The browser brought no answer",
                "If the address bar shows code= or error= after a #, copy the whole address and paste it in your terminal. \
                 OAuth Authorizer is still waiting.",
            ),
            Self::Over => (
                "This sign-in is over",
                "OAuth Authorizer has its answer already. Look at your terminal.",
            ),
            Self::NotFound => (
                "Nothing is here",
                "OAuth Authorizer answers only on the redirect URL.",
            ),
            Self::WrongMethod => (
                "Not accepted",
                "OAuth Authorizer accepts only a GET request here.",
            ),
            Self::Posted => (
                "The answer came in a way that is not accepted",
                "The service sent its answer by POST, and OAuth Authorizer accepts only a GET request here. Look at your \
                 terminal: it shows what to change.",
            ),
            Self::WrongHost => ("Not accepted", "This request was meant for another host."),
            Self::Malformed => ("Not accepted", "This is not a valid HTTP request."),
            Self::Remote => (
                "Not accepted",
                "OAuth Authorizer accepts requests only from the machine that it runs on.",
            ),
        }
    }

    fn html(self) -> String {
        let (title, text) = self.text();
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
             <meta name=\"viewport\" content=\"width=device-width\"></head>\n<body><h1>{title}</h1>\n<p>{text}</p></body></html>\n"
        )
    }

    /// The page as status, headers and text.
    #[cfg(windows)]
    pub(super) fn parts(self) -> (StatusCode, http::HeaderMap, String) {
        (
            self.status(),
            self.response().headers().clone(),
            self.html(),
        )
    }

    /// The page with its headers: not stored, no referrer, nothing loaded, the connection closed.
    #[must_use]
    pub fn response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(Bytes::from(self.html())));
        *response.status_mut() = self.status();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CACHE_CONTROL, "no-store"),
            (header::REFERRER_POLICY, "no-referrer"),
            (
                header::CONTENT_SECURITY_POLICY,
                "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            ),
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
