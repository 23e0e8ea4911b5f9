//! Verifies the signature of an ID token with the keys of its issuer.

use std::time::Duration;

use super::http::Transport;
use super::reporter::Reporter;
use crate::clock::unix_time;
use crate::oauth::check::{
    Check, Outcome, check_refresh_token, check_scope, check_tokens, drop_unrequested,
};
use crate::oauth::client::Client;
use crate::oauth::failure::Failure;
use crate::oauth::jose::KeySet;
use crate::oauth::request::Request;
use crate::oauth::signature::{Source, check_signature, source, without_keys};
use crate::oauth::token::TokenSet;
use crate::oauth::tools::Method;
use crate::secret::{ExposeSecret, SecretString};

/// Maximum time for a request for keys. The tokens have already arrived, so the user doesn't wait longer.
const LIMIT: Duration = Duration::from_secs(10);

/// The keys of an issuer, if they were requested.
#[derive(Default)]
pub(super) struct Keys(Option<KeySet>);

impl Keys {
    /// Requests the keys for a token like the ID token of `before`, so that no request is needed between the response
    /// to a refresh and its storage.
    pub(super) async fn ahead(
        transport: &impl Transport,
        client: &Client,
        before: &TokenSet,
        reporter: &Reporter,
    ) -> Self {
        let token = before.id_token.as_ref();
        let source = token.and_then(|token| source(client, token.expose_secret()).ok());
        match source {
            Some(Source::Published(url)) => Self(request(transport, url, reporter).await.ok()),
            Some(Source::Secret(_)) | None => Self(None),
        }
    }

    /// Verifies the ID token, if there is one. Requests the keys unless they are known, and again if the token is
    /// signed with a newer key.
    pub(super) async fn check(
        self,
        transport: &impl Transport,
        client: &Client,
        tokens: &TokenSet,
        reporter: &Reporter,
    ) -> Option<Check> {
        let id_token = tokens.id_token.as_ref()?.expose_secret();
        let url = match source(client, id_token) {
            Ok(Source::Published(url)) => url,
            Ok(Source::Secret(keys)) => {
                return Some(check_signature(id_token, &keys).unwrap_or_else(|check| check));
            }
            Err(check) => return Some(check),
        };
        let keys = match self.0 {
            Some(keys) => keys,
            None => match request(transport, url, reporter).await {
                Ok(keys) => keys,
                Err(reason) => return Some(without_keys(&reason)),
            },
        };
        let unknown = match check_signature(id_token, &keys) {
            Ok(check) => return Some(check),
            Err(unknown) => unknown,
        };
        let newer = request(transport, url, reporter).await;
        Some(match newer.map(|keys| check_signature(id_token, &keys)) {
            Ok(Ok(check) | Err(check)) => check,
            Err(_) => unknown,
        })
    }

    /// Verifies the ID token of a sign-in. Drops a wrong one that wasn't requested.
    ///
    /// # Errors
    /// Returns an error if the signature is wrong.
    pub(super) async fn require(
        transport: &impl Transport,
        client: &Client,
        tokens: &mut TokenSet,
        reporter: &Reporter,
    ) -> Result<(), Failure> {
        let keys = Self::default();
        let Some(check) = keys.check(transport, client, tokens, reporter).await else {
            return Ok(());
        };
        let is_wrong = check.outcome == Outcome::Failed;
        let is_dropped = is_wrong && drop_unrequested(client, tokens, &check);
        let failure = (is_wrong && !is_dropped).then(|| check.failure());
        reporter.check(check).await;
        failure.map_or(Ok(()), Err)
    }
}

/// Checks the tokens of a sign-in, except for the signature. Drops an ID token that is wrong and wasn't requested.
///
/// # Errors
/// Returns an error if the ID token was requested and doesn't belong to this sign-in.
pub(super) async fn check_sign_in(
    client: &Client,
    tokens: &mut TokenSet,
    nonce: Option<&SecretString>,
    reporter: &Reporter,
) -> Result<(), Failure> {
    let checks = match check_tokens(client, tokens, nonce, unix_time()) {
        Err(check) if drop_unrequested(client, tokens, &check) => Ok(vec![
            check,
            check_scope(client, tokens),
            check_refresh_token(client, tokens),
        ]),
        checks => checks,
    };
    reporter.token_checks(checks).await
}

/// Requests the keys. They are public: the request contains no secret, and redirects are not followed.
async fn request(
    transport: &impl Transport,
    url: &url::Url,
    reporter: &Reporter,
) -> Result<KeySet, String> {
    let request = Request {
        method: Method::Get,
        url: url.clone(),
        authorization: None,
        body: "".into(),
        proof: crate::oauth::assertion::Proof::None,
    };
    match tokio::time::timeout(LIMIT, reporter.send(transport, &request)).await {
        Ok(Ok(answer)) => KeySet::published(&answer),
        Ok(Err(error)) => Err(error.to_string().trim_end_matches('.').to_owned()),
        Err(_) => Err("the server didn't respond in time".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use ring::rand::SystemRandom;
    use ring::signature::{Ed25519KeyPair, KeyPair};
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::flow::event::{FlowError, FlowEvent};
    use crate::flow::exchange::exchange;
    use crate::flow::http_error::HttpError;
    use crate::flow::refresh::refresh;
    use crate::flow::scripted::{answer, client, reporter, script, unreached, url};
    use crate::oauth::answer::Answer;
    use crate::oauth::asked::Asked;
    use crate::oauth::authcode::{Callback, parse_callback};
    use crate::oauth::check::CheckName;
    use crate::oauth::dialect::Answers;
    use crate::oauth::jose::{Algorithm, SigningKey, sign};
    use crate::oauth::signing::{Published, Signing};
    use crate::oauth::token::parse_token_answer;

    type Reply = Result<Answer, HttpError>;

    /// A private key and its public key.
    struct Pair {
        id: &'static str,
        key: SigningKey,
        public: Value,
    }

    fn pair(id: &'static str) -> Pair {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let x = Ed25519KeyPair::from_pkcs8(der.as_ref()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(x.public_key());
        let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        Pair {
            id,
            key: SigningKey::from_pem(&pem.into(), Algorithm::EdDsa).unwrap(),
            public: json!({"kty":"OKP","crv":"Ed25519","kid":id,"x":x}),
        }
    }

    /// Creates a response with an ID token that is signed with this key.
    fn tokens(pair: &Pair) -> Reply {
        let claims = json!({
            "iss": "https://as.example", "aud": "me", "sub": "alice", "iat": 1, "exp": 99_999_999_999_u64,
        });
        let header = json!({"kid": pair.id});
        let members = |value: Value| -> Map<String, Value> { value.as_object().unwrap().clone() };
        let signed = sign(&members(header), &members(claims), &pair.key).unwrap();
        let body = json!({
            "access_token": "t", "refresh_token": "r", "id_token": signed.expose_secret(),
        });
        answer(200, &body.to_string())
    }

    fn keys(pairs: &[&Pair]) -> Reply {
        let keys: Vec<&Value> = pairs.iter().map(|pair| &pair.public).collect();
        answer(200, &json!({ "keys": keys }).to_string())
    }

    /// Creates the client of a service whose metadata is known.
    fn discovered() -> Client {
        Client {
            signing: Signing {
                registered: None,
                published: Some(Published {
                    keys_url: Some(url()),
                    algorithms: None,
                }),
            },
            scopes: vec!["openid".to_owned()],
            ..client()
        }
    }

    /// The number of requests, the result of the check, and the outcome.
    type Ran = (
        usize,
        Option<(Outcome, String)>,
        Result<TokenSet, FlowError>,
    );

    async fn ran(client: Client, before: Option<&TokenSet>, answers: Vec<Reply>) -> Ran {
        let script = script(answers);
        let (reporter, told) = reporter();
        let outcome = if let Some(before) = before {
            refresh(&script, &client, before, &reporter).await
        } else {
            // These ID tokens have no nonce.
            let (_, mut pending) = client.authorization_request(&url().into()).unwrap();
            pending.nonce = None;
            let query = format!("code=c&state={}", pending.state.expose_secret());
            let Callback::Code(arrived) = parse_callback(&query, &pending, &client) else {
                unreachable!()
            };
            exchange(&script, &client, &arrived, &pending, &reporter).await
        };
        drop(reporter);
        let told = told.await.unwrap();
        let check = told.into_iter().find_map(|event| match event {
            FlowEvent::Check(check) if check.name == CheckName::Signature => {
                Some((check.outcome, check.detail))
            }
            _ => None,
        });
        (script.asked.into_inner().unwrap().len(), check, outcome)
    }

    #[allow(clippy::unnecessary_wraps, reason = "as it is compared")]
    fn passed() -> Option<(Outcome, String)> {
        let words = "EdDSA, with a key of the issuer";
        Some((Outcome::Passed, words.to_owned()))
    }

    #[tokio::test]
    async fn keys_are_requested_again_only_for_an_unknown_key() {
        let (old, new) = (pair("old"), pair("new"));
        let (times, check, outcome) =
            ran(discovered(), None, vec![tokens(&old), keys(&[&old])]).await;
        assert!(
            outcome.is_ok() && times == 2 && check == passed(),
            "{check:?}"
        );
        // The service has a new key, which the first response doesn't contain yet.
        let answers = vec![tokens(&new), keys(&[&old]), keys(&[&old, &new])];
        let (times, check, outcome) = ran(discovered(), None, answers).await;
        assert!(
            outcome.is_ok() && times == 3 && check == passed(),
            "{check:?}"
        );
        for last in [keys(&[&old]), unreached()] {
            let answers = vec![tokens(&new), keys(&[&old]), last];
            let (times, check, outcome) = ran(discovered(), None, answers).await;
            let words = "the issuer has published no key \"new\" for this algorithm";
            assert_eq!(
                (times, check),
                (3, Some((Outcome::Failed, words.to_owned())))
            );
            assert!(outcome.unwrap_err().to_string().contains(words));
        }
    }

    #[tokio::test]
    async fn sign_in_tokens_with_wrong_signature_are_refused() {
        let (right, wrong) = (pair("k"), pair("k"));
        let answers = vec![tokens(&wrong), keys(&[&right])];
        let (times, check, outcome) = ran(discovered(), None, answers).await;
        let words = "its signature is wrong".to_owned();
        assert_eq!((times, check), (2, Some((Outcome::Failed, words.clone()))));
        assert!(outcome.unwrap_err().to_string().contains(&words));
    }

    #[tokio::test]
    async fn wrong_id_token_that_was_not_requested_is_dropped_alone() {
        let unrequested = || Client {
            scopes: vec!["mail".to_owned()],
            ..discovered()
        };
        // Its signature is wrong.
        let (right, wrong) = (pair("k"), pair("k"));
        let answers = vec![tokens(&wrong), keys(&[&right])];
        let (times, check, outcome) = ran(unrequested(), None, answers).await;
        let kept = outcome.unwrap();
        let failed = (Outcome::Failed, "its signature is wrong".to_owned());
        assert_eq!((times, check), (2, Some(failed)));
        assert_eq!(kept.access_token.expose_secret(), "t");
        assert!(kept.refresh_token.is_some() && kept.id_token.is_none());
        assert!(
            kept.notes[0].contains("its signature is wrong"),
            "{:?}",
            kept.notes
        );
        // A right one is kept.
        let answers = vec![tokens(&right), keys(&[&right])];
        let (_, check, outcome) = ran(unrequested(), None, answers).await;
        assert_eq!(check, passed());
        assert!(outcome.unwrap().id_token.is_some());
        // Its content is wrong: unsigned, no JWT, expired, for another client.
        let claims =
            |claims: &Value| format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let unsigned = json!({"iss":"i","aud":"me","sub":"a","iat":1,"exp":99_999_999_999_u64});
        let expired = json!({"iss":"i","aud":"me","sub":"a","iat":1,"exp":2});
        let other = json!({"iss":"i","aud":"you","sub":"a","iat":1,"exp":99_999_999_999_u64});
        for id_token in [
            claims(&unsigned).replacen("e30", &URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), 1),
            "opaque-id-value".to_owned(),
            claims(&expired),
            claims(&other),
        ] {
            let body = json!({"access_token": "t", "refresh_token": "r", "id_token": id_token});
            let reply = || answer(200, &body.to_string());
            let (times, _, outcome) = ran(unrequested(), None, vec![reply()]).await;
            let kept = outcome.unwrap();
            assert_eq!(times, 1);
            assert!(kept.refresh_token.is_some() && kept.id_token.is_none());
            assert_eq!(kept.notes.len(), 1, "{:?}", kept.notes);
            let (_, _, outcome) = ran(discovered(), None, vec![reply()]).await;
            assert!(outcome.is_err(), "{id_token}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn tokens_are_accepted_if_keys_are_unavailable() {
        let key = pair("k");
        for (reply, words) in [
            (answer(404, "<html>"), "HTTP status 404"),
            (answer(200, "{}"), "it has no list of keys"),
            (unreached(), "connection refused"),
            (
                Err(HttpError::Redirected {
                    host: "as.example".to_owned(),
                    target: "other.example".to_owned(),
                    error: None,
                }),
                "redirects",
            ),
        ] {
            let answers = vec![tokens(&key), reply];
            let (times, check, outcome) = ran(discovered(), None, answers).await;
            let (result, detail) = check.unwrap();
            assert!(outcome.is_ok() && times == 2, "{detail}");
            assert_eq!(result, Outcome::NotChecked);
            assert!(
                detail.starts_with("the issuer's keys can't be requested: ")
                    && detail.contains(words),
                "{detail}"
            );
        }
    }

    #[tokio::test]
    async fn keys_are_not_requested_without_metadata_or_id_token() {
        let key = pair("k");
        let (times, check, outcome) = ran(client(), None, vec![tokens(&key)]).await;
        let words = "the issuer's metadata hasn't been read, so its keys aren't known";
        assert!(outcome.is_ok());
        assert_eq!(
            (times, check),
            (1, Some((Outcome::NotChecked, words.to_owned())))
        );
        let plain = answer(200, r#"{"access_token":"t"}"#);
        let (times, check, outcome) = ran(discovered(), None, vec![plain]).await;
        assert!(outcome.is_ok() && times == 1 && check.is_none());
    }

    #[tokio::test]
    async fn refresh_requests_keys_first_and_drops_invalid_id_tokens() {
        let (right, wrong, new) = (pair("k"), pair("k"), pair("new"));
        let old = tokens(&right).unwrap();
        let before = parse_token_answer(&old, &Answers::default());
        let before = before.into_tokens(Asked::Exchange, &old).unwrap();
        let failed = Some((Outcome::Failed, "its signature is wrong".to_owned()));
        for (answers, times, expected, kept) in [
            (vec![keys(&[&right]), tokens(&right)], 2, passed(), true),
            (vec![keys(&[&right]), tokens(&wrong)], 2, failed, false),
            (
                vec![keys(&[&right]), tokens(&new), keys(&[&right, &new])],
                3,
                passed(),
                true,
            ),
            // Keys that could not be requested before the refresh are requested after it.
            (
                vec![unreached(), tokens(&right), keys(&[&right])],
                3,
                passed(),
                true,
            ),
        ] {
            let (asked, check, outcome) = ran(discovered(), Some(&before), answers).await;
            assert_eq!((asked, check), (times, expected));
            let fresh = outcome.unwrap();
            assert_eq!(fresh.access_token.expose_secret(), "t");
            let first = before.id_token.as_ref().unwrap().expose_secret();
            let now = fresh.id_token.as_ref().unwrap().expose_secret();
            // If the new ID token was dropped, the ID token of the sign-in is kept.
            assert!(kept || now == first);
        }
    }
}
