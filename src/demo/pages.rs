//! Builds the pages of the demo server: plain HTML for text browsers and curl, without scripts or external resources.

use std::fmt::Write as _;

use http::{HeaderName, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use oauth2::CsrfToken;
use url::{Host, Url, form_urlencoded};

use super::grants::{Decision, SignIn};

/// An HTTP response of the server.
pub(super) type Answer = Response<Full<Bytes>>;

const STYLE: &str = "body { font: 1rem/1.5 sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem } \
    dt { font-weight: bold } button, input { font: inherit; padding: 0.3rem 1rem }";

const NOTICE: &str = "This is the demo server of OAuth Authorizer, running on this machine. \
    What it issues is worth nothing anywhere else.";

/// Returns the page that asks the user about an authorization request. It is at `address?query`.
pub(super) fn consent(sign_in: &SignIn, redirect: &Url, address: &str, query: &str) -> Answer {
    // Chromium also checks redirects after a form against form-action. A policy can't contain an IPv6 address (browsers
    // ignore such a source), so [::1] requires the whole scheme.
    let target = match redirect.host() {
        Some(Host::Ipv6(_)) => "http:".to_owned(),
        _ => redirect.origin().ascii_serialization(),
    };
    let intro = "A program on this machine asks for access.";
    let form_action = format!("'self' {target}");
    question(intro, sign_in, &form_action, &commands(address, query))
}

/// Returns the page that asks the user about a user code. It is at `address?query`.
pub(super) fn device(sign_in: &SignIn, user_code: &str, address: &str, query: &str) -> Answer {
    let code = escape(user_code);
    let intro = format!("Go on only if your terminal shows the code <strong>{code}</strong>.");
    question(&intro, sign_in, "'self'", &commands(address, query))
}

fn question(intro: &str, sign_in: &SignIn, form_action: &str, comment: &str) -> Answer {
    let client_id = escape(&sign_in.client_id);
    let scope = match sign_in.scope.as_str() {
        "" => "none".to_owned(),
        scope => escape(scope),
    };
    // A form without `action` posts to the URL of its page, including the query.
    let body = format!(
        r#"<p>{intro}</p>
<dl>
<dt>Client ID</dt><dd>{client_id}</dd>
<dt>Scopes</dt><dd>{scope}</dd>
</dl>
<form method="post">
<button name="decision" value="approve">Approve</button>
<button name="decision" value="deny">Deny</button>
</form>"#
    );
    document(StatusCode::OK, "Allow access?", &body, form_action, comment)
}

/// Returns the page that asks for the user code. Previous input is filled in.
pub(super) fn ask_code(status: StatusCode, typed: &str) -> Answer {
    let problem = if typed.is_empty() {
        ""
    } else {
        "<p>This code is not known, has expired, or was decided before.</p>\n"
    };
    let body = format!(
        r#"{problem}<form method="get" action="/device">
<label>Code from your terminal: <input name="user_code" value="{}" size="12" autocomplete="off" required></label>
<button>Continue</button>
</form>"#,
        escape(typed)
    );
    document(status, "Enter the code", &body, "'self'", "")
}

/// Returns the page that confirms the decision about a device.
pub(super) fn decided(decision: Decision) -> Answer {
    let title = match decision {
        Decision::Approve => "Approved",
        Decision::Deny => "Denied",
    };
    let body = "<p>Look at your terminal. This page can be closed.</p>";
    document(StatusCode::OK, title, body, "'self'", "")
}

/// Returns the page with an error that can't be reported to the program.
pub(super) fn problem(status: StatusCode, sentence: &str) -> Answer {
    let body = format!("<p>{}</p>", escape(sentence));
    document(status, "This did not work", &body, "'self'", "")
}

/// Returns a complete page. `form_action` says where its forms, and redirects after them, may go.
fn document(
    status: StatusCode,
    title: &str,
    body: &str,
    form_action: &str,
    comment: &str,
) -> Answer {
    let nonce = CsrfToken::new_random();
    let nonce = nonce.secret();
    let html = format!(
        r#"<!doctype html>
{comment}<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title} - OAuth Authorizer demo</title>
<style nonce="{nonce}">{STYLE}</style>
</head>
<body>
<h1>{title}</h1>
{body}
<p><small>{NOTICE}</small></p>
</body>
</html>
"#
    );
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; form-action {form_action}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, &policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    answer(status, &headers, html)
}

/// Returns a response of this server. Responses must not be stored, and send no referrer to the next server.
pub(super) fn answer(status: StatusCode, headers: &[(HeaderName, &str)], body: String) -> Answer {
    let mut answer = Response::builder()
        .status(status)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "no-referrer");
    for (name, value) in headers {
        answer = answer.header(name, *value);
    }
    // An empty response is better than one without a required header.
    answer.body(Full::from(body)).unwrap_or_else(|_| {
        let mut answer = Answer::default();
        *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        answer
    })
}

/// Returns the curl commands for the buttons, as an HTML comment for users who read the page with curl.
///
/// A comment is not unescaped, and its lines are run by a shell, so the query is encoded again: form encoding leaves
/// nothing that could end the comment or the quotes.
fn commands(address: &str, query: &str) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(form_urlencoded::parse(query.as_bytes()))
        .finish();
    let mut comment = String::from("<!-- Without a browser:\n");
    for decision in ["approve", "deny"] {
        // Writing to a string cannot fail.
        let _ = writeln!(
            comment,
            "curl -sL -d decision={decision} \"{address}?{query}\""
        );
    }
    comment + "-->\n"
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
