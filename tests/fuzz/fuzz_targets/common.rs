//! Shared parts of the targets: a response made from bytes, a client, and the rules for every text that is shown.

#![allow(dead_code, reason = "each target uses a part of it")]

use std::time::Duration;

use oauth_authorizer::clean::is_clean;
use oauth_authorizer::form::request::{FlowRequest, request};
use oauth_authorizer::form::settings::Settings;
use oauth_authorizer::form::field::Key;
use oauth_authorizer::oauth::answer::{Answer, Body};
use oauth_authorizer::presets;

/// Maximum length of a sentence, in characters.
const LONGEST: usize = 4_000;

/// A response: the first line is the status, the second the header `WWW-Authenticate`, and the rest the body.
pub fn answer(bytes: &[u8]) -> Answer {
    let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
    let status = parts.next().unwrap_or_default();
    let status = std::str::from_utf8(status).ok().and_then(|it| it.parse().ok());
    let header = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    Answer {
        status: status.unwrap_or(200),
        retry_after: header.parse().ok().map(Duration::from_secs),
        headers: vec![("www-authenticate".to_owned(), header)],
        body: Body::parse(parts.next().unwrap_or_default()),
    }
}

/// The request of a preset with a client.
pub fn of_preset(id: &str) -> FlowRequest {
    let mut settings = Settings::new(presets::get(id).expect("a built-in preset"));
    settings.set(Key::ClientId, "fuzz-client".to_owned());
    settings.set(Key::ClientSecret, "fuzz-client-secret".to_owned());
    settings.set(Key::Var(0), "as.example".to_owned());
    if settings.preset().is_custom() {
        settings.set(Key::Issuer, "https://as.example".to_owned());
        for (key, path) in [
            (Key::AuthorizationUrl, "authorize"),
            (Key::DeviceUrl, "device"),
            (Key::TokenUrl, "token"),
        ] {
            settings.set(key, format!("https://as.example/{path}"));
        }
    }
    request(&settings).expect("a request")
}

/// Checks a text that is shown: one line of limited length, without control characters.
pub fn is_shown(text: &str) {
    assert!(is_clean(text), "{text:?}");
    assert!(text.chars().count() < LONGEST, "{} characters", text.len());
}
