//! Tests with the examples of RFC 7515 and RFC 8037, the vectors of Project Wycheproof in `tests/vectors`, and keys
//! made by openssl.
#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
#![allow(
    clippy::print_stdout,
    reason = "the vectors that are left out are named"
)]
#![allow(clippy::needless_pass_by_value, reason = "tables are made of values")]

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

#[cfg(unix)]
use super::openssl::{Openssl, jwk};
use super::*;
use crate::secret::{ExposeSecret, SecretString};

fn set(keys: Value) -> KeySet {
    let Value::Object(members) = json!({ "keys": keys }) else {
        unreachable!()
    };
    KeySet::parse(&members).unwrap()
}

fn verify(text: &str, keys: &KeySet) -> Result<Algorithm, Refusal> {
    Jws::parse(text)?.verify(keys)
}

/// Vectors that contradict the standards or each other.
const CONTRADICTIONS: [(u64, &str); 6] = [
    (
        346,
        "a key for PS256 with PS384; the same for PS512 is invalid in 338 and 340",
    ),
    (
        350,
        "a key for PS256 with PS384; the same for PS512 is invalid in 338 and 340",
    ),
    (367, "the same text as 357, which is valid"),
    (370, "the same text as 357, which is valid"),
    (372, "a character outside base64url (RFC 7515, section 2)"),
    (373, "a character outside base64url (RFC 7515, section 2)"),
];

/// Runs the tests of a file. Returns how many ran, and which were left out.
fn run(file: &str) -> (usize, Vec<String>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/vectors")
        .join(file);
    let suite: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut times, mut left_out) = (0, Vec::new());
    let mut wrong = String::new();
    for group in suite["testGroups"].as_array().unwrap() {
        let key = group.get("public").unwrap_or(&group["private"]);
        let keys = key.get("keys").map_or_else(|| json!([key]), Clone::clone);
        let keys = set(keys);
        for test in group["tests"].as_array().unwrap() {
            let (number, comment) = (test["tcId"].as_u64().unwrap(), &test["comment"]);
            let name = format!("{file} {number} {comment} of {}", group["comment"]);
            let Some(signed) = test.get("jws") else {
                left_out.push(format!("{name}: it is encrypted, which is not offered"));
                continue;
            };
            // The JSON serialization is an object, which must be rejected.
            let text = signed
                .as_str()
                .map_or_else(|| signed.to_string(), str::to_owned);
            let outcome = verify(&text, &keys);
            if let Err(Refusal::Unsupported(algorithm)) = &outcome {
                left_out.push(format!("{name}: {algorithm} is not offered"));
                continue;
            }
            if file == "json_web_signature_test.json"
                && let Some((_, reason)) = CONTRADICTIONS.iter().find(|(id, _)| *id == number)
            {
                left_out.push(format!("{name}: {reason}"));
                continue;
            }
            times += 1;
            if outcome.is_ok() != (test["result"] == "valid") {
                writeln!(wrong, "{name}: {}, and not {outcome:?}", test["result"]).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    println!(
        "{file}: {times} run, {} left out:\n{}",
        left_out.len(),
        left_out.join("\n")
    );
    (times, left_out)
}

#[test]
fn wycheproof_vectors_give_the_stated_results() {
    for (file, times, left_out) in [
        // Left out: two of ES512 with P-521, and the contradictions.
        ("json_web_signature_test.json", 393, 8),
        ("json_web_key_test.json", 26, 0),
        // Left out: the encrypted ones.
        ("json_web_crypto_test.json", 49, 34),
    ] {
        let (ran, skipped) = run(file);
        assert_eq!(
            (ran, skipped.len()),
            (times, left_out),
            "{file}: {skipped:#?}"
        );
    }
}

/// RFC 7515, appendix A.1: HS256.
#[test]
fn rfc_7515_a1() {
    let key = json!({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    let text = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_eq!(verify(text, &set(json!([key]))), Ok(Algorithm::Hs256));
}

/// RFC 7515, appendix A.2: RS256.
#[test]
fn rfc_7515_a2() {
    let key = json!({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"});
    let text = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    assert_eq!(verify(text, &set(json!([key]))), Ok(Algorithm::Rs256));
}

/// RFC 7515, appendix A.3: ES256.
#[test]
fn rfc_7515_a3() {
    let key = json!({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"});
    let text = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    assert_eq!(verify(text, &set(json!([key]))), Ok(Algorithm::Es256));
}

/// RFC 7515, appendix A.5: no signature.
#[test]
fn rfc_7515_a5() {
    let text = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(verify(text, &KeySet::default()), Err(Refusal::Unsigned));
}

/// RFC 7515, appendix E: a header parameter that must be understood.
#[test]
fn rfc_7515_e() {
    let text = "eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.";
    assert_eq!(verify(text, &KeySet::default()), Err(Refusal::Critical));
}

/// RFC 8037, appendices A.4 and A.5: Ed25519. The signature is deterministic, so the test makes it too.
#[test]
fn rfc_8037_a4_and_a5() {
    let key =
        json!({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(verify(text, &set(json!([key]))), Ok(Algorithm::EdDsa));
    let seed = URL_SAFE_NO_PAD
        .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
        .unwrap();
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
    let (message, signature) = text.rsplit_once('.').unwrap();
    assert_eq!(
        URL_SAFE_NO_PAD.encode(pair.sign(message.as_bytes())),
        signature
    );
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(members) = value else {
        unreachable!()
    };
    members
}

#[test]
#[cfg(unix)]
fn signatures_with_openssl_keys_are_verified() {
    let openssl = Openssl::new();
    let rsa = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ];
    for (name, command, algorithms) in [
        (
            "rsa",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
            &rsa[..],
        ),
        ("rsa-pkcs1", "rsa -traditional -in rsa", &rsa[..]),
        (
            "p256",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
            &[Algorithm::Es256],
        ),
        ("p256-sec1", "ec -in p256", &[Algorithm::Es256]),
        (
            "p256-parameters",
            "ecparam -name prime256v1 -genkey",
            &[Algorithm::Es256],
        ),
        (
            "p384",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384",
            &[Algorithm::Es384],
        ),
        ("p384-sec1", "ec -in p384", &[Algorithm::Es384]),
        ("ed25519", "genpkey -algorithm ED25519", &[Algorithm::EdDsa]),
    ] {
        let pem = openssl.pem(name, command);
        let keys = set(json!([jwk(&openssl, name)]));
        for &algorithm in algorithms {
            let key = SigningKey::from_pem(&pem, algorithm).unwrap();
            let header = object(json!({"typ":"JWT","kid":"k"}));
            let claims = object(json!({"iss":"me","sub":"me"}));
            let signed = sign(&header, &claims, &key).unwrap();
            let text = signed.expose_secret();
            let named = Jws::parse(text).unwrap();
            assert_eq!(named.algorithm(), Ok(algorithm));
            // The keys in the set have no ID, so the header must have none either.
            let signed = sign(&Map::new(), &claims, &key).unwrap();
            let text = signed.expose_secret();
            assert_eq!(verify(text, &keys), Ok(algorithm), "{name}");
            let (message, signature) = text.rsplit_once('.').unwrap();
            if algorithm.name().starts_with(['R', 'P']) {
                let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
                let hash = format!("-rawin -digest sha{}", &algorithm.name()[2..]);
                let padding = if algorithm.name().starts_with('P') {
                    " -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:digest"
                } else {
                    ""
                };
                openssl.verify(name, &format!("{hash}{padding}"), message, &signature);
            }
        }
    }
    let secret =
        SecretString::from("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let key = SigningKey::from_secret(&secret, algorithm).unwrap();
        let signed = sign(&object(json!({"kid":"any"})), &Map::new(), &key).unwrap();
        let keys = KeySet::of_secret(&secret);
        assert_eq!(verify(signed.expose_secret(), &keys), Ok(algorithm));
        let other = KeySet::of_secret(&format!("{}!", secret.expose_secret()).into());
        assert_eq!(verify(signed.expose_secret(), &other), Err(Refusal::Wrong));
    }
    let certificate = "req -x509 -key rsa -subj /CN=me -days 2";
    let pem = openssl.pem("certificate", certificate);
    openssl.run("openssl x509 -in certificate -outform DER -out der");
    let hash = ring::digest::digest(
        &ring::digest::SHA256,
        &std::fs::read(openssl.at("der")).unwrap(),
    );
    assert_eq!(
        certificate_thumbprint(pem.expose_secret()).unwrap(),
        URL_SAFE_NO_PAD.encode(hash)
    );
}

#[test]
#[cfg(unix)]
fn unusable_key_error_gives_the_reason() {
    let openssl = Openssl::new();
    let rsa = openssl.pem(
        "rsa",
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
    );
    let p256 = openssl.pem(
        "p256",
        "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256",
    );
    let rs256 = |pem: &SecretString| {
        SigningKey::from_pem(pem, Algorithm::Rs256)
            .unwrap_err()
            .to_string()
    };
    for (name, command, words) in [
        (
            "encrypted",
            "pkey -in rsa -aes256 -passout pass:secret",
            "is encrypted. Remove its passphrase",
        ),
        (
            "encrypted-pkcs1",
            "rsa -in rsa -traditional -aes256 -passout pass:secret",
            "is encrypted. Remove its passphrase",
        ),
        ("public", "pkey -in rsa -pubout", "contains a public key"),
        (
            "certificate",
            "req -x509 -key rsa -subj /CN=me -days 2",
            "contains a certificate. The private key",
        ),
        (
            "request",
            "req -new -key rsa -subj /CN=me",
            "contains a certificate request",
        ),
        (
            "short",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024",
            "too short. It must have at least 2048 bits",
        ),
        (
            "exponent",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3",
            "an RSA key with a small public exponent",
        ),
        (
            "primes",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_primes:3",
            "an RSA key with more than two primes",
        ),
        (
            "p521",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-521",
            "is an EC P-521 key. RSA, EC P-256",
        ),
        ("p521-sec1", "ec -in p521", "is an EC P-521 key"),
        (
            "k1",
            "ecparam -name secp256k1 -genkey",
            "an EC key on another curve (secp256k1). RSA, EC P-256",
        ),
        (
            "ed448",
            "genpkey -algorithm ED448",
            "is an Ed448 key. RSA, EC P-256, EC P-384 and Ed25519 keys",
        ),
        (
            "x25519",
            "genpkey -algorithm X25519",
            "is an X25519 key. RSA, EC P-256",
        ),
        (
            "x448",
            "genpkey -algorithm X448",
            "is an X448 key. RSA, EC P-256",
        ),
        (
            "dh",
            "genpkey -algorithm DH -pkeyopt group:ffdhe2048",
            "is a Diffie-Hellman key. RSA, EC P-256",
        ),
        (
            "brainpool",
            "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:brainpoolP256r1",
            "an EC key on another curve (brainpoolP256r1)",
        ),
        (
            "pss",
            "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048",
            "for RSA-PSS only",
        ),
        (
            "p256-again",
            "pkey -in p256",
            "is an EC P-256 key, but RS256 requires an RSA key",
        ),
    ] {
        let pem = openssl.pem(name, command);
        let told = rs256(&pem);
        assert!(told.contains(words), "{name}: {told}");
    }
    openssl.run("ssh-keygen -q -t ed25519 -N  -f ssh");
    let ssh = std::fs::read_to_string(openssl.at("ssh")).unwrap();
    for (text, words) in [
        ("", "contains no private key in PEM format"),
        ("{\"private_key\": 1}", "is in JSON format"),
        (ssh.as_str(), "format of OpenSSH"),
        (
            "-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n",
            "is damaged",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE", "is damaged"),
    ] {
        let told = rs256(&text.into());
        assert!(told.contains(words), "{text}: {told}");
    }
    // Every prefix of the key is damaged in some way, and none may cause a panic.
    let (_, whole) = rsa.expose_secret().split_once('\n').unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for count in 0..lines.len() - 2 {
        let start = lines[..count].join("\n");
        let text = format!("-----BEGIN PRIVATE KEY-----\n{start}\n-----END PRIVATE KEY-----\n");
        assert_eq!(
            rs256(&text.into()),
            "The private key is damaged.",
            "{count}"
        );
    }
    for (algorithm, pem, words) in [
        (
            Algorithm::Es256,
            &rsa,
            "is an RSA key, but ES256 requires an EC P-256 key",
        ),
        (
            Algorithm::Es384,
            &p256,
            "is an EC P-256 key, but ES384 requires an EC P-384 key",
        ),
        (Algorithm::EdDsa, &p256, "but EdDSA requires an Ed25519 key"),
        (Algorithm::Hs256, &rsa, "HS256 uses the client secret"),
    ] {
        let told = SigningKey::from_pem(pem, algorithm)
            .unwrap_err()
            .to_string();
        assert!(told.contains(words), "{told}");
    }
    let short = SecretString::from("short");
    let told = SigningKey::from_secret(&short, Algorithm::Hs256).unwrap_err();
    assert!(
        told.to_string().contains("requires at least 32 bytes"),
        "{told}"
    );
    assert!(SigningKey::from_secret(&short, Algorithm::Es256).is_err());
    for pem in [&rsa, &"".into()] {
        assert_eq!(
            certificate_thumbprint(pem.expose_secret()),
            Err(KeyError::NoCertificate)
        );
    }
}

#[test]
fn key_is_chosen_by_id_or_as_only_match() {
    let secret = |last: char| SecretString::from(format!("0123456789abcdef0123456789abcde{last}"));
    let jwk = |id: Option<&str>, last: char, more: Value| {
        let mut key = object(more);
        let k = URL_SAFE_NO_PAD.encode(secret(last).expose_secret());
        key.extend(object(json!({"kty":"oct","k":k})));
        key.extend(id.map(|id| ("kid".to_owned(), id.into())));
        Value::Object(key)
    };
    let none = || json!({});
    let signed = |id: Option<&str>| {
        let key = SigningKey::from_secret(&secret('1'), Algorithm::Hs256).unwrap();
        let header = id.map(|id| ("kid".to_owned(), id.into()));
        sign(&header.into_iter().collect(), &Map::new(), &key).unwrap()
    };
    let unknown = |id: &str| Err(Refusal::UnknownKey(id.to_owned()));
    let good = Ok(Algorithm::Hs256);
    let several = "it has no key ID (kid), and the issuer has published several keys";
    for (id, keys, outcome) in [
        (None, json!([jwk(None, '1', none())]), good.clone()),
        (None, json!([jwk(Some("a"), '1', none())]), good.clone()),
        (
            None,
            json!([jwk(Some("a"), '1', none()), jwk(Some("b"), '2', none())]),
            Err(Refusal::Ambiguous(several)),
        ),
        (None, json!([]), Err(Refusal::NoKey("HS256"))),
        (
            Some("b"),
            json!([jwk(Some("a"), '2', none()), jwk(Some("b"), '1', none())]),
            good.clone(),
        ),
        (
            Some("a"),
            json!([jwk(Some("a"), '2', none()), jwk(Some("b"), '1', none())]),
            Err(Refusal::Wrong),
        ),
        (
            Some("c"),
            json!([jwk(Some("a"), '1', none())]),
            unknown("c"),
        ),
        (Some("c"), json!([jwk(None, '1', none())]), unknown("c")),
        (
            Some("a"),
            json!([jwk(Some("a"), '1', json!({"use":"enc"}))]),
            unknown("a"),
        ),
        (
            Some("a"),
            json!([jwk(Some("a"), '1', json!({"key_ops":["sign"]}))]),
            unknown("a"),
        ),
        (
            Some("a"),
            json!([jwk(Some("a"), '1', json!({"key_ops":"verify"}))]),
            unknown("a"),
        ),
        (
            Some("a"),
            json!([jwk(Some("a"), '1', json!({"alg":"RS256"}))]),
            unknown("a"),
        ),
        (
            Some("a"),
            json!([jwk(
                Some("a"),
                '1',
                json!({"alg":"HS256","use":"sig","key_ops":["verify","sign"]})
            )]),
            good.clone(),
        ),
        // Without the keys that are not for signatures, only one key remains.
        (
            None,
            json!([jwk(None, '2', json!({"use":"enc"})), jwk(None, '1', none()), {"kty":"new"}, 7]),
            good,
        ),
    ] {
        let token = signed(id);
        assert_eq!(
            verify(token.expose_secret(), &set(keys.clone())),
            outcome,
            "{id:?} {keys}"
        );
    }
}

#[test]
fn published_keys_are_limited_and_symmetric_ones_ignored() {
    let published = |status, body: &str| {
        KeySet::published(&crate::oauth::answer::Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        })
    };
    let secret = SecretString::from("0123456789abcdef0123456789abcdef");
    let key = SigningKey::from_secret(&secret, Algorithm::Hs256).unwrap();
    let signed = sign(&Map::new(), &Map::new(), &key).unwrap();
    let k = URL_SAFE_NO_PAD.encode(secret.expose_secret());
    let body = json!({"keys":[{"kty":"oct","k":k}]}).to_string();
    let keys = published(200, &body).unwrap();
    assert_eq!(
        verify(signed.expose_secret(), &keys),
        Err(Refusal::NoKey("HS256"))
    );
    // A key with a point of the wrong length is ignored.
    let (x, short) = (
        URL_SAFE_NO_PAD.encode([1; 32]),
        URL_SAFE_NO_PAD.encode([1; 31]),
    );
    for (x, y, count) in [(&x, &x, 1), (&x, &short, 0), (&short, &x, 0)] {
        let key = json!({"kty":"EC","crv":"P-256","kid":"name","x":x,"y":y});
        let keys = published(200, &json!({"keys": [key]}).to_string()).unwrap();
        let told = format!("{keys:?}");
        assert_eq!(told.matches("Key(Some(\"name\"))").count(), count, "{told}");
    }
    let most = json!({"keys": vec![json!({"kty":"EC"}); 100]}).to_string();
    assert!(published(200, &most).is_ok());
    let many = json!({"keys": vec![json!({"kty":"EC"}); 101]}).to_string();
    let large = json!({"keys": vec![json!({"kty":"EC"}); 2000]}).to_string();
    for (status, body, words) in [
        (200, many.as_str(), "more than 100 keys"),
        (200, large.as_str(), "too large or too deeply nested"),
        (200, "{}", "no list of keys"),
        (200, r#"{"keys":{}}"#, "no list of keys"),
        (200, "<html>", "web page"),
        (404, &body, "HTTP status 404"),
    ] {
        let told = published(status, body).unwrap_err();
        assert!(told.contains(words), "{told}");
    }
}

#[test]
fn signed_text_is_limited_and_classified_by_its_header() {
    let text = |header: &str, length: usize| {
        let header = URL_SAFE_NO_PAD.encode(header);
        let payload = "A".repeat(length - header.len() - 2);
        format!("{header}.{payload}.")
    };
    let plain = r#"{"alg":"HS256","kid":"k"}"#;
    // Base64 has four characters for three bytes, so the payload has a length that can be decoded.
    let most = 1024 * 1024;
    assert!(Jws::parse(&text(plain, most)).is_ok());
    assert_eq!(
        Jws::parse(&text(plain, most + 4)).err(),
        Some(Refusal::Malformed)
    );
    let of_an_api = r#"{"alg":"HS256","nonce":"n"}"#;
    for (header, only) in [(plain, false), (of_an_api, true)] {
        let text = text(header, 200);
        assert_eq!(Jws::parse(&text).unwrap().is_for_its_api_only(), only);
    }
}
