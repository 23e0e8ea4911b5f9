//! Signatures of ID tokens: those of a real provider, and those of servers that break a rule.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth_authorizer::oauth::jose::{Algorithm, SigningKey, sign};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};
use crate::servers::{Provider, free_port, person};
use crate::terminal::{Command, ENTER, ESC};

/// Signs in at the provider by the device flow, with nothing but its issuer.
fn sign_in(provider: &Provider, client: &str, secret: Option<&str>) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secret");
    let mut flags = vec![
        "--issuer",
        provider.issuer(),
        "--client-id",
        client,
        "--flow",
        "device-code",
        "--scope",
        "openid email",
        "--print",
        "access-token",
    ];
    if let Some(secret) = secret {
        std::fs::write(&file, secret).unwrap();
        flags.extend(["--client-secret-file", file.to_str().unwrap()]);
    }
    let mut plain = Plain::start(home.path(), &flags);
    let url = plain.value("verification_uri_complete");
    assert_eq!(person(&url, &[])["outcome"], "approved");
    let (code, _, stderr) = plain.end();
    assert_eq!(code, 0, "{stderr}");
    stderr
}

#[test]
fn real_provider_id_tokens_are_verified_with_each_algorithm() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    for (client, secret, words) in [
        ("public-native", None, "RS256, with a key of the issuer"),
        ("signed-PS256", None, "PS256, with a key of the issuer"),
        ("signed-ES256", None, "ES256, with a key of the issuer"),
        ("signed-EdDSA", None, "EdDSA, with a key of the issuer"),
        (
            "signed-HS256",
            Some("a-client-secret-that-is-long-enough-for-HS256"),
            "HS256, with the client secret",
        ),
    ] {
        let told = sign_in(&provider, client, secret);
        assert!(
            told.contains(&format!("check: Signature passed: {words}")),
            "{client}: {told}"
        );
    }
}

#[test]
fn keys_changed_between_sign_ins_are_requested_again() {
    let port = free_port().to_string();
    let settings = [("DEVICE_INTERVAL", "1"), ("PORT", port.as_str())];
    let provider = Provider::start(&settings);
    let home = tempfile::tempdir().unwrap();
    let flags = [
        "--issuer",
        provider.issuer(),
        "--client-id",
        "public-native",
        "--flow",
        "device-code",
        "--scope",
        "openid",
    ];
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    terminal.wait_for("Found in the issuer's metadata");
    let authorize = |terminal: &mut crate::terminal::Terminal| {
        terminal.wait_for("[a Authorize]");
        terminal.focus("Authorize");
        terminal.send(ENTER);
    };
    let approve = |terminal: &mut crate::terminal::Terminal| {
        terminal.wait_for("With code");
        let url = terminal.url();
        assert_eq!(person(&url, &[])["outcome"], "approved");
        terminal.wait_for("Access token");
        terminal.focus("Checks");
        terminal.send(ENTER);
        terminal.wait_for("RS256, with a key of the issuer");
    };
    authorize(&mut terminal);
    approve(&mut terminal);
    // The metadata that the program has is the same; the keys are others.
    drop(provider);
    let _provider = Provider::start(&settings);
    terminal.send(ESC);
    authorize(&mut terminal);
    terminal.wait_for("Sign in? These tokens have not been copied or saved");
    terminal.send("y");
    approve(&mut terminal);
}

/// A key, with its public half.
struct Pair(SigningKey, Value);

fn pair(id: &str) -> Pair {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    let public = Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
    let x = URL_SAFE_NO_PAD.encode(public.public_key());
    let text = STANDARD.encode(der.as_ref());
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
    Pair(
        SigningKey::from_pem(&pem.into(), Algorithm::EdDsa).unwrap(),
        json!({"kty":"OKP","crv":"Ed25519","kid":id,"x":x}),
    )
}

/// Issues ID tokens for the client `me` about alice.
pub struct IdTokens {
    pair: Pair,
    /// What verifies them, as it is published.
    pub key: Value,
}

impl IdTokens {
    pub fn new() -> Self {
        let pair = pair("k");
        let key = pair.1.clone();
        Self { pair, key }
    }

    /// One of this issuer that is valid for ten minutes from now.
    pub fn issue(&self, issuer: &str) -> String {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let claims =
            json!({ "iss": issuer, "aud": "me", "sub": "alice", "iat": now, "exp": now + 600 });
        let header = json!({ "kid": "k" });
        let (header, claims) = (header.as_object().unwrap(), claims.as_object().unwrap());
        sign(header, claims, &self.pair.0)
            .unwrap()
            .expose_secret()
            .to_owned()
    }
}

/// A service that does one thing wrong.
struct Service {
    signs_with: Pair,
    /// What it answers where its keys are, the first time and from then on.
    keys: Vec<Reply>,
    header: Value,
    /// What differs from a right token; null removes a claim.
    claims: Value,
    has_metadata: bool,
}

impl Service {
    fn right() -> Self {
        let signs_with = pair("k");
        Self {
            keys: vec![published(&[&signs_with])],
            signs_with,
            header: json!({"kid": "k"}),
            claims: json!({}),
            has_metadata: true,
        }
    }

    /// Signs in: the exit code, what was printed, what was said, and how often the keys were requested.
    fn run(self) -> (i32, String, String, usize) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let mut claims = json!({
            "iss": url, "aud": "me", "sub": "alice", "iat": now, "exp": now + 600,
        });
        for (name, value) in self.claims.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        let header = self.header.as_object().unwrap();
        let token = sign(header, claims.as_object().unwrap(), &self.signs_with.0).unwrap();
        let body = json!({
            "access_token": "the-access-token", "token_type": "Bearer", "id_token": token.expose_secret(),
        });
        let (base, times) = (url.clone(), Arc::new(AtomicUsize::new(0)));
        let server = Scripted::start_at(listener, move |request| match request.path.as_str() {
            "/.well-known/openid-configuration" => Reply::json(
                200,
                &json!({
                    "issuer": base, "token_endpoint": format!("{base}/token"),
                    "device_authorization_endpoint": format!("{base}/device"),
                    "jwks_uri": format!("{base}/keys"),
                    "id_token_signing_alg_values_supported": ["EdDSA"],
                })
                .to_string(),
            ),
            "/keys" => {
                let time = times.fetch_add(1, Ordering::SeqCst);
                self.keys[time.min(self.keys.len() - 1)].clone()
            }
            "/device" => Reply::json(
                200,
                r#"{"device_code":"d","user_code":"CODE","verification_uri":"http://127.0.0.1/","expires_in":60,"interval":1}"#,
            ),
            _ => Reply::json(200, &body.to_string()),
        });
        let home = tempfile::tempdir().unwrap();
        let (device, token) = (format!("{url}/device"), format!("{url}/token"));
        let mut flags = vec![
            "--client-id",
            "me",
            "--flow",
            "device-code",
            "--scope",
            "openid",
            "--print",
            "access-token",
        ];
        if self.has_metadata {
            flags.extend(["--issuer", url.as_str()]);
        } else {
            flags.extend(["--device-url", &device, "--token-url", &token]);
        }
        let (code, stdout, stderr) = Plain::start(home.path(), &flags).end();
        (code, stdout, stderr, server.requests("/keys").len())
    }
}

fn published(pairs: &[&Pair]) -> Reply {
    let keys: Vec<&Value> = pairs.iter().map(|pair| &pair.1).collect();
    Reply::json(200, &json!({ "keys": keys }).to_string())
}

#[test]
fn invalid_id_token_is_refused_before_printing_tokens() {
    let of = |claims: Value| Service {
        claims,
        ..Service::right()
    };
    let bad_signature = Service {
        signs_with: pair("k"),
        ..Service::right()
    };
    let no_name = Service {
        keys: vec![published(&[&pair("a"), &pair("b")])],
        header: json!({}),
        ..Service::right()
    };
    let unknown = Service {
        header: json!({"kid": "other"}),
        ..Service::right()
    };
    for (service, words, times) in [
        (of(json!({"sub": null})), "it has no subject (sub)", 0),
        (
            of(json!({"iat": null})),
            "it doesn't say when it was issued (iat)",
            0,
        ),
        (
            of(json!({"aud": "you"})),
            "it is for a different client (aud is you)",
            0,
        ),
        (
            of(json!({"iss": "https://other.example"})),
            "its issuer is https://other.example",
            0,
        ),
        (of(json!({"exp": 1000})), "it has expired", 0),
        (
            of(json!({"nbf": 99_999_999_999_u64})),
            "it is not valid yet (nbf)",
            0,
        ),
        (
            of(json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"})),
            "a different access token (at_hash)",
            0,
        ),
        (bad_signature, "its signature is wrong", 1),
        (
            no_name,
            "it has no key ID (kid), and the issuer has published several keys",
            1,
        ),
        (
            unknown,
            "the issuer has published no key \"other\" for this algorithm",
            2,
        ),
    ] {
        let (code, stdout, stderr, requests) = service.run();
        assert!(code != 0 && stdout.is_empty(), "{words}: {stderr}");
        assert!(stderr.contains(words), "{words}: {stderr}");
        assert!(!stderr.contains("the-access-token"), "{stderr}");
        assert_eq!(requests, times, "{words}");
    }
}

#[test]
fn unavailable_keys_are_explained_and_tokens_are_accepted() {
    let gone = Service {
        keys: vec![Reply::json(404, "{}")],
        ..Service::right()
    };
    let large = Service {
        keys: vec![Reply::json(
            200,
            &format!(r#"{{"keys":["{}"]}}"#, "x".repeat(1_100_000)),
        )],
        ..Service::right()
    };
    let moved = Service {
        keys: vec![Reply {
            status: 302,
            headers: vec![(
                "Location".to_owned(),
                "https://other.example/keys".to_owned(),
            )],
            ..Reply::default()
        }],
        ..Service::right()
    };
    let unknown = Service {
        has_metadata: false,
        ..Service::right()
    };
    for (service, words, times) in [
        (
            gone,
            "not checked: the issuer's keys can't be requested: HTTP status 404",
            1,
        ),
        (
            large,
            "not checked: the issuer's keys can't be requested: ",
            1,
        ),
        (moved, "redirects the request to other.example", 1),
        (
            unknown,
            "not checked: the issuer's metadata hasn't been read, so its keys aren't known",
            0,
        ),
        (
            Service::right(),
            "passed: EdDSA, with a key of the issuer",
            1,
        ),
    ] {
        let (code, stdout, stderr, requests) = service.run();
        assert!(
            code == 0 && stdout.contains("the-access-token"),
            "{words}: {stderr}"
        );
        assert!(
            stderr.contains("check: Signature ") && stderr.contains(words),
            "{words}: {stderr}"
        );
        assert_eq!(requests, times, "{words}: {stderr}");
    }
}

#[test]
fn unknown_key_triggers_one_more_key_request() {
    let (old, new) = (pair("old"), Service::right());
    let service = Service {
        keys: vec![published(&[&old]), published(&[&old, &new.signs_with])],
        ..new
    };
    let (code, _, stderr, requests) = service.run();
    assert!(
        code == 0 && stderr.contains("Signature passed") && requests == 2,
        "{requests} {stderr}"
    );
}
