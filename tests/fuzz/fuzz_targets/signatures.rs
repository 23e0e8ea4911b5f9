//! Any ID token and any key set: only a token that was really signed is verified.

#![no_main]

mod common;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use oauth_authorizer::clean::is_clean;
use oauth_authorizer::oauth::id_token::{decode, is_encrypted};
use oauth_authorizer::oauth::jose::{Jws, KeySet};

use common::answer;

/// A client secret that has signed nothing.
const SECRET: &str = "a-client-secret-of-32-characters";
/// From RFC 7515, appendix A.1: signed with a different key.
const SIGNED: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
    cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const KEYS: &str = "200\n\n{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"},{\"kty\":\"EC\",\"crv\":\"P-256\",\
    \"x\":\"AA\",\"y\":\"AA\"},{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\",\"kid\":\"a\"},{\"kty\":\"oct\",\"k\":\"AA\"}]}";

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in [SIGNED, KEYS].iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |bytes: &[u8]| {
        // Both the keys and the token come from the bytes; no content may cause a panic.
        let keys = KeySet::published(&answer(bytes));
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        let _ = is_encrypted(text);
        if let Some(claims) = decode(text) {
            for (name, value) in claims.lines().lines {
                assert!(is_clean(&name) && is_clean(&value));
            }
        }
        let Ok(signed) = Jws::parse(text) else {
            return;
        };
        let ours = KeySet::of_secret(&SECRET.into());
        // Without the secret, no valid signature is possible.
        assert!(signed.verify(&ours).is_err(), "{text}");
        if let Ok(keys) = keys {
            let _ = signed.verify(&keys);
        }
    }
);
