//! Any callback and any paste: a code is accepted only with the state of the sign-in, or alone if PKCE binds it.

#![no_main]

mod common;

use std::path::Path;
use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use oauth_authorizer::oauth::authcode::{Callback, parse_callback, parse_paste, unverified_error};
use oauth_authorizer::oauth::client::{Client, Pending};
use oauth_authorizer::oauth::url::RedirectUrl;
use oauth_authorizer::secret::SecretString;
use url::{Url, form_urlencoded};

use common::{is_shown, of_preset};

const STATE: &str = "the-state-of-this-sign-in";
const SEEDS: [&str; 7] = [
    "code=abcdefgh&state=the-state-of-this-sign-in&iss=https%3A%2F%2Fas.example",
    "error=access_denied&error_description=no&state=the-state-of-this-sign-in",
    "http://127.0.0.1:8400/?code=abcdefgh&state=the-state-of-this-sign-in",
    "GET /?code=abcdefgh&amp;state=x HTTP/1.1",
    "abcdefghijklmnop",
    "#code=abcdefgh&state=the-state-of-this-sign-in",
    "code: abcdefgh",
];

/// A client, a sign-in with [`STATE`], and a sign-in with another state.
fn parts() -> &'static (Client, Pending, Pending) {
    static PARTS: OnceLock<(Client, Pending, Pending)> = OnceLock::new();
    PARTS.get_or_init(|| {
        let url = "http://127.0.0.1:8400/";
        let pending = |state: &str| Pending {
            state: SecretString::from(state),
            nonce: None,
            verifier: Some("a-verifier".into()),
            redirect_url: RedirectUrl::new(Url::parse(url).expect("a URL"), url),
        };
        let other = pending("another-state-that-is-in-no-seed");
        (of_preset("custom").client, pending(STATE), other)
    })
}

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in SEEDS.iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |text: &str| {
        let (client, pending, other) = parts();
        let has_state = form_urlencoded::parse(text.as_bytes())
            .any(|(name, value)| name == "state" && value == STATE);
        let callback = parse_callback(text, pending, client);
        let counts = matches!(callback, Callback::Code(_) | Callback::Ended(_));
        assert!(!counts || has_state, "{callback:?}");
        told(&callback);
        told(&parse_paste(text, pending, client));
        // A paste may be escaped in many ways, but the fuzzer can't guess this state.
        let pasted = parse_paste(text, other, client);
        let counts = match &pasted {
            Callback::Code(arrived) => arrived.has_state(),
            Callback::Ended(_) => true,
            Callback::NotOurs(_) | Callback::Invalid(_) | Callback::Unverified(_) => false,
        };
        assert!(!counts, "{text}");
        if let Some(error) = unverified_error(text) {
            is_shown(&error.to_string());
        }
    }
);

fn told(callback: &Callback) {
    match callback {
        Callback::NotOurs(reason) | Callback::Invalid(reason) | Callback::Unverified(reason) => is_shown(reason),
        Callback::Ended(failure) => is_shown(&failure.to_string()),
        Callback::Code(_) => {}
    }
}
