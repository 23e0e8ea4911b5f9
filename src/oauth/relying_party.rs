//! Tests of the rules for ID tokens, each with a token that breaks a rule. The tests are named after those of the
//! OpenID Foundation for relying parties.
#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::sync::LazyLock;

use serde_json::{Map, Value, json};
use url::Url;

use super::answer::Answer;
use super::check::{Check, CheckName, Outcome, check_tokens};
use super::client::Client;
use super::client_authentication::ClientAuthentication;
use super::dialect::{Answers, Dialect};
use super::discovery::{self, parse_metadata};
use super::flow_kind::FlowKind;
use super::id_token_problem::IdTokenProblem as Problem;
use super::jose::openssl::{Openssl, jwk};
use super::jose::{Algorithm, KeySet, SigningKey, sign};
use super::signature::{Source, check_signature, source};
use super::signing::{Published, Signing};
use super::token::TokenSet;
use super::tool_answers::parse_userinfo;
use crate::secret::{ExposeSecret, SecretString};

const TIME: u64 = 1_000_000;
const ISSUER: &str = "https://op.example";
const SECRET: &str = "a client secret of at least 64 bytes, as HS512 requires it of clients";

/// Key pairs: the PEM file and the public half.
static KEYS: LazyLock<Vec<(SecretString, Value)>> = LazyLock::new(|| {
    let openssl = Openssl::new();
    let make = |(name, command): (&str, &str)| {
        let pem = openssl.pem(name, &format!("genpkey -algorithm {command}"));
        (pem, jwk(&openssl, name))
    };
    [
        ("rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("other-rsa", "RSA -pkeyopt rsa_keygen_bits:2048"),
        ("p256", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("other-p256", "EC -pkeyopt ec_paramgen_curve:P-256"),
        ("p384", "EC -pkeyopt ec_paramgen_curve:P-384"),
        ("ed25519", "ED25519"),
    ]
    .map(make)
    .into()
});
const RSA: usize = 0;
const OTHER_RSA: usize = 1;
const P256: usize = 2;
const OTHER_P256: usize = 3;
const P384: usize = 4;
const ED25519: usize = 5;

/// A service and the ID token that it issues in one sign-in.
struct Case {
    client: Client,
    algorithm: Algorithm,
    key: usize,
    header: Value,
    claims: Value,
    /// The keys that the service publishes.
    keys: Vec<Value>,
}

fn published(key: usize, id: Option<&str>) -> Value {
    let mut key = KEYS[key].1.clone();
    if let Some(id) = id {
        key["kid"] = id.into();
    }
    key
}

/// Returns a valid sign-in.
fn case(algorithm: Algorithm, key: usize) -> Case {
    let url = |path: &str| Url::parse(&format!("{ISSUER}{path}")).unwrap();
    Case {
        client: Client {
            client_id: "me".to_owned(),
            secret: Some(SECRET.into()),
            authentication: ClientAuthentication::Basic,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: Some(url("/authorize")),
            device_url: None,
            token_url: url("/token"),
            poll_url: None,
            scopes: vec!["openid".to_owned()],
            extra: Vec::new(),
            pkce: true,
            issuer: Some(ISSUER.to_owned()),
            iss_promised: false,
            pushed: None,
            id_token_issuers: vec![ISSUER.to_owned()],
            signing: Signing {
                registered: None,
                published: Some(Published {
                    keys_url: Some(url("/jwks")),
                    algorithms: Some(vec![algorithm.name().to_owned()]),
                }),
            },
            dialect: Dialect::default(),
        },
        algorithm,
        key,
        header: json!({"kid": "k"}),
        claims: json!({
            "iss": ISSUER, "aud": "me", "azp": "me", "sub": "alice", "iat": TIME, "exp": TIME + 60, "nonce": "n",
        }),
        keys: vec![published(key, Some("k"))],
    }
}

fn members(value: &Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl Case {
    fn rs256() -> Self {
        case(Algorithm::Rs256, RSA)
    }

    fn token(&self) -> SecretString {
        let key = if self.algorithm.is_symmetric() {
            SigningKey::from_secret(&SECRET.into(), self.algorithm)
        } else {
            SigningKey::from_pem(&KEYS[self.key].0, self.algorithm)
        };
        sign(
            &members(&self.header),
            &members(&self.claims),
            &key.unwrap(),
        )
        .unwrap()
    }

    fn run(&self) -> Result<Check, Check> {
        self.check(&self.token())
    }

    /// Checks a token as the flows do; `Err` is the check for which they reject the tokens.
    fn check(&self, token: &SecretString) -> Result<Check, Check> {
        let tokens = TokenSet {
            access_token: "a".into(),
            token_type: Some("Bearer".to_owned()),
            expires_in: None,
            refresh_token: None,
            id_token: Some(token.clone()),
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        };
        let nonce = "n".into();
        check_tokens(&self.client, &tokens, Some(&nonce), TIME)?;
        let check = match source(&self.client, token.expose_secret()) {
            Ok(Source::Secret(keys)) => check_signature(token.expose_secret(), &keys),
            Ok(Source::Published(url)) => {
                assert_eq!(url.path(), "/jwks");
                let body = json!({ "keys": self.keys }).to_string();
                let keys = KeySet::published(&answer(&body)).unwrap();
                check_signature(token.expose_secret(), &keys)
            }
            Err(check) => Ok(check),
        };
        let check = check.unwrap_or_else(|check| check);
        assert_eq!(check.name, CheckName::Signature);
        if check.outcome == Outcome::Failed {
            Err(check)
        } else {
            Ok(check)
        }
    }

    fn refused(&self, problem: Problem, words: &str) {
        let check = self.run().unwrap_err();
        assert!(check.detail.contains(words), "{check:?}");
        assert_eq!(check.problem, Some(problem));
    }

    fn outcome(&self) -> (Outcome, String) {
        let check = self.run().unwrap();
        (check.outcome, check.detail)
    }
}

fn answer(body: &str) -> Answer {
    Answer {
        status: 200,
        retry_after: None,
        headers: Vec::new(),
        body: body.into(),
    }
}

#[test]
fn every_algorithm_is_verified() {
    for (algorithm, key) in [
        (Algorithm::Rs256, RSA),
        (Algorithm::Rs384, RSA),
        (Algorithm::Rs512, RSA),
        (Algorithm::Ps256, RSA),
        (Algorithm::Ps384, RSA),
        (Algorithm::Ps512, RSA),
        (Algorithm::Es256, P256),
        (Algorithm::Es384, P384),
        (Algorithm::EdDsa, ED25519),
    ] {
        let words = format!("{}, with a key of the issuer", algorithm.name());
        assert_eq!(case(algorithm, key).outcome(), (Outcome::Passed, words));
    }
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let words = format!("{}, with the client secret", algorithm.name());
        assert_eq!(case(algorithm, RSA).outcome(), (Outcome::Passed, words));
    }
}

#[test]
fn rp_id_token_sub() {
    let mut case = Case::rs256();
    case.claims.as_object_mut().unwrap().remove("sub");
    case.refused(Problem::Incomplete, "it has no subject (sub)");
}

#[test]
fn rp_id_token_iat() {
    let mut case = Case::rs256();
    case.claims.as_object_mut().unwrap().remove("iat");
    case.refused(
        Problem::Incomplete,
        "it doesn't say when it was issued (iat)",
    );
    case.claims["iat"] = (TIME + 3600).into();
    case.refused(Problem::Clock, "it is not valid yet (iat)");
}

#[test]
fn rp_id_token_aud() {
    let mut case = Case::rs256();
    case.claims["aud"] = "somebody else".into();
    case.refused(
        Problem::Client,
        "it is for a different client (aud is somebody else)",
    );
    case.claims["aud"] = json!(["me", "somebody else"]);
    case.claims["azp"] = "somebody else".into();
    case.refused(Problem::Client, "it was issued to a different client (azp)");
    case.claims.as_object_mut().unwrap().remove("azp");
    case.refused(
        Problem::Incomplete,
        "doesn't say which one it was issued to (azp)",
    );
}

#[test]
fn rp_id_token_issuer_mismatch() {
    let mut case = Case::rs256();
    case.claims["iss"] = "https://other.example".into();
    case.refused(
        Problem::Issuer,
        "its issuer is https://other.example, not https://op.example",
    );
}

#[test]
fn rp_id_token_expired_and_not_yet_valid() {
    let mut case = Case::rs256();
    case.claims["exp"] = (TIME - 3600).into();
    case.refused(Problem::Clock, "it has expired");
    case.claims["exp"] = (TIME + 7200).into();
    case.claims["nbf"] = (TIME + 3600).into();
    case.refused(Problem::Clock, "it is not valid yet (nbf)");
}

#[test]
fn rp_id_token_bad_at_hash() {
    let mut case = Case::rs256();
    // Half of the hash of "a", then half of another hash.
    case.claims["at_hash"] = "ypeBEsobvcr6wjGzmiPcTQ".into();
    assert_eq!(case.outcome().0, Outcome::Passed);
    case.claims["at_hash"] = "77QmUPtjPfzWtF2AnpK9RQ".into();
    case.refused(
        Problem::AccessToken,
        "it is for a different access token (at_hash)",
    );
}

#[test]
fn rp_id_token_kid_absent_single_jwks() {
    let mut case = Case::rs256();
    case.header = json!({});
    assert_eq!(case.outcome().0, Outcome::Passed);
    // Keys of other kinds are ignored.
    case.keys.push(published(P256, Some("other")));
    assert_eq!(case.outcome().0, Outcome::Passed);
}

#[test]
fn rp_id_token_kid_absent_multiple_jwks() {
    let mut case = Case::rs256();
    case.header = json!({});
    case.keys.push(published(OTHER_RSA, Some("other")));
    case.refused(
        Problem::Signing,
        "it has no key ID (kid), and the issuer has published several keys",
    );
}

#[test]
fn rp_id_token_kid_unknown() {
    let mut case = Case::rs256();
    case.header = json!({"kid": "new"});
    case.refused(
        Problem::UnknownKey,
        "the issuer has published no key \"new\" for this algorithm",
    );
}

#[test]
fn rp_id_token_bad_sig_rs256() {
    let mut case = Case::rs256();
    case.keys = vec![published(OTHER_RSA, Some("k"))];
    case.refused(Problem::Signature, "its signature is wrong");
}

#[test]
fn rp_id_token_bad_sig_es256() {
    let mut case = case(Algorithm::Es256, P256);
    case.keys = vec![published(OTHER_P256, Some("k"))];
    case.refused(Problem::Signature, "its signature is wrong");
}

#[test]
fn rp_id_token_bad_sig_hs256() {
    let mut case = case(Algorithm::Hs256, RSA);
    case.client.secret = Some(SECRET.to_uppercase().into());
    case.refused(Problem::Signature, "its signature is wrong");
    // The public key of the issuer is not a secret.
    case.client.secret = Some(KEYS[RSA].1["n"].as_str().unwrap().into());
    case.refused(Problem::Signature, "its signature is wrong");
    let not_checked = |words: &str| (Outcome::NotChecked, words.to_owned());
    case.client.secret = Some("short".into());
    assert_eq!(
        case.outcome(),
        not_checked("the client secret is too short for HS256")
    );
    case.client.secret = None;
    assert_eq!(
        case.outcome(),
        not_checked("HS256 requires the client secret, and there is none")
    );
}

#[test]
fn rp_id_token_sig_none() {
    let mut case = Case::rs256();
    let token = case.token();
    let payload = token.expose_secret().split('.').nth(1).unwrap().to_owned();
    let unsigned = |alg: &str, signature: &str| {
        use base64::Engine;
        let header = json!({ "alg": alg }).to_string();
        let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header);
        SecretString::from(format!("{header}.{payload}.{signature}"))
    };
    let reason = "it is not signed (alg is none)";
    let refused = Err(Check::rejected(
        CheckName::Signature,
        Problem::Unsigned,
        reason,
    ));
    for alg in ["none", "NONE", "nOnE"] {
        assert_eq!(case.check(&unsigned(alg, "")), refused);
    }
    // `none` in the metadata does not make it valid for this client, and neither does missing metadata.
    let listed = case.client.signing.published.as_mut().unwrap();
    listed.algorithms = Some(vec!["none".to_owned()]);
    assert_eq!(case.check(&unsigned("none", "")), refused);
    case.client.signing.published = None;
    assert_eq!(case.check(&unsigned("none", "")), refused);
    case.client.signing.registered = Some("none".to_owned());
    let check = case.check(&unsigned("none", "")).unwrap();
    assert_eq!(check.outcome, Outcome::NotApplicable);
    assert_eq!(case.check(&unsigned("none", "c2ln")), refused);
}

#[test]
fn algorithm_not_agreed_on_is_refused() {
    let mut case = Case::rs256();
    let set = |case: &mut Case, list: &[&str]| {
        let list = list.iter().map(|&name| name.to_owned()).collect();
        case.client.signing.published.as_mut().unwrap().algorithms = Some(list);
    };
    set(&mut case, &["ES256"]);
    case.refused(
        Problem::Signing,
        "it is signed with RS256, which the issuer's metadata doesn't list",
    );
    case.client.signing.registered = Some("PS256".to_owned());
    case.refused(
        Problem::Signing,
        "it is signed with RS256, but the client is registered for PS256",
    );
    case.client.signing.registered = Some("RS256".to_owned());
    assert_eq!(case.outcome().0, Outcome::Passed);
    // RFC 9864 has another name for the algorithm.
    let mut case = self::case(Algorithm::EdDsa, ED25519);
    set(&mut case, &["Ed25519"]);
    assert_eq!(case.outcome().0, Outcome::Passed);
}

#[test]
fn key_for_another_purpose_does_not_verify() {
    for (name, value) in [
        ("use", json!("enc")),
        ("key_ops", json!(["sign"])),
        ("alg", json!("PS256")),
        ("kty", json!("EC")),
    ] {
        let mut case = Case::rs256();
        case.keys[0][name] = value;
        case.refused(
            Problem::UnknownKey,
            "the issuer has published no key \"k\" for this algorithm",
        );
    }
}

#[test]
fn signature_without_a_known_key_is_not_checked() {
    let not_checked = |case: &Case, words: &str| {
        assert_eq!(case.outcome(), (Outcome::NotChecked, words.to_owned()));
    };
    let mut case = Case::rs256();
    case.client.signing.published.as_mut().unwrap().keys_url = None;
    not_checked(&case, "the issuer's metadata has no usable jwks_uri");
    case.client.signing.published = None;
    let unknown = "the issuer's metadata hasn't been read, so its keys aren't known";
    not_checked(&case, unknown);
    case.client.signing.registered = Some("RS256".to_owned());
    not_checked(&case, unknown);
    // If the client secret is the key, it is known without metadata.
    let mut case = self::case(Algorithm::Hs256, RSA);
    case.client.signing.published = None;
    not_checked(&case, unknown);
    for other in ["HS512", "RS256"] {
        case.client.signing.registered = Some(other.to_owned());
        not_checked(&case, unknown);
    }
    case.client.signing.registered = Some("HS256".to_owned());
    assert_eq!(case.outcome().0, Outcome::Passed);
    // The service lists an algorithm that this program doesn't support.
    let mut case = Case::rs256();
    let listed = case.client.signing.published.as_mut().unwrap();
    listed.algorithms = Some(vec!["ES512".to_owned()]);
    let token = case.token();
    let (_, rest) = token.expose_secret().split_once('.').unwrap();
    // {"alg":"ES512"}
    let check = case
        .check(&format!("eyJhbGciOiJFUzUxMiJ9.{rest}").into())
        .unwrap();
    assert_eq!(
        (check.outcome, check.detail.as_str()),
        (Outcome::NotChecked, "the algorithm ES512 isn't supported")
    );
}

#[test]
fn rp_nonce_invalid() {
    let mut case = Case::rs256();
    case.claims["nonce"] = "m".into();
    case.refused(
        Problem::SignIn,
        "its nonce doesn't match the one that was sent",
    );
    case.claims.as_object_mut().unwrap().remove("nonce");
    case.refused(Problem::NoNonce, "it has no nonce, although one was sent");
}

#[test]
fn rp_userinfo_bad_sub_claim() {
    let body = r#"{"sub":"mallory","name":"Alice"}"#;
    let told = parse_userinfo(&answer(body), Some("alice"), &Answers::default());
    assert!(told.is_err(), "{told:?}");
    let body = r#"{"sub":"alice","name":"Alice"}"#;
    assert!(parse_userinfo(&answer(body), Some("alice"), &Answers::default()).is_ok());
}

#[test]
fn rp_discovery_issuer_not_matching_config() {
    let body =
        json!({"issuer": "https://other.example", "token_endpoint": "https://op.example/token"});
    let expected = discovery::Expected {
        flow: FlowKind::AuthorizationCode,
        issuer: ISSUER,
        others: &[],
    };
    let source = Url::parse("https://op.example/.well-known/openid-configuration").unwrap();
    let told = parse_metadata(&answer(&body.to_string()), expected, &source).unwrap_err();
    assert_eq!(
        told,
        discovery::MetadataError::OtherIssuer(
            "its issuer is https://other.example, not https://op.example".to_owned()
        )
    );
}
