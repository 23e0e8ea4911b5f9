//! Tests the demo server over real sockets, with a separate client, so that `person` is not tested against itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use oauth2::{PkceCodeChallenge, PkceCodeVerifier};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use url::{Url, form_urlencoded};

use super::grants::{Grants, Lifetimes, SignIn};
use super::{Demo, DemoError, approve};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "http://127.0.0.1:1/callback?kept=1";

type Pairs<'a> = &'a [(&'a str, &'a str)];

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Reply {
    fn json(&self) -> Value {
        assert_eq!(
            self.header("content-type"),
            "application/json",
            "{}",
            self.text
        );
        assert_eq!(self.header("cache-control"), "no-store");
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// Returns the OAuth error code of a response for a program.
    fn error(&self) -> String {
        assert_eq!(self.status, StatusCode::BAD_REQUEST, "{}", self.text);
        text(&self.json(), "error")
    }

    /// Returns one parameter of the target of a redirect.
    fn redirect(&self, name: &str) -> Option<String> {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.text);
        query(&Url::parse(self.header("location")).unwrap(), name)
    }
}

fn text(json: &Value, name: &str) -> String {
    json[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {json}"))
        .to_owned()
}

fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn form(pairs: Pairs) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

/// Returns the usual parameters with some of them changed; an empty one counts as omitted.
fn change<'a>(usual: Pairs<'a>, changes: Pairs<'a>) -> Vec<(&'a str, &'a str)> {
    let other = |name| changes.iter().find(|(key, _)| *key == name).copied();
    usual
        .iter()
        .map(|pair| other(pair.0).unwrap_or(*pair))
        .collect()
}

async fn send(method: &str, url: &str, authorization: &str, body: String) -> Reply {
    let url = Url::parse(url).unwrap();
    let stream = TcpStream::connect(url.authority()).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder()
        .method(method)
        .uri(&url[url::Position::BeforePath..]);
    if !authorization.is_empty() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    let request = request
        .header(header::HOST, url.authority())
        .body(Full::<Bytes>::from(body))
        .unwrap();
    let (head, body) = sender.send_request(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply {
        status: head.status,
        headers: head.headers,
        text: String::from_utf8(body.into()).unwrap(),
    }
}

async fn get(url: &str) -> Reply {
    send("GET", url, "", String::new()).await
}

async fn post(url: &str, pairs: Pairs<'_>) -> Reply {
    send("POST", url, "", form(pairs)).await
}

impl Demo {
    fn authorization_url(&self, changes: Pairs) -> String {
        let verifier = PkceCodeVerifier::new(VERIFIER.to_owned());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&verifier);
        let usual = [
            ("response_type", "code"),
            ("client_id", "my <b>app</b>"),
            ("redirect_uri", CALLBACK),
            ("scope", "openid offline_access"),
            ("state", "the state&"),
            ("nonce", "the-nonce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ];
        let pairs = change(&usual, changes);
        format!("{}/authorize?{}", self.url(), form(&pairs))
    }

    async fn code(&self, changes: Pairs<'_>) -> String {
        let reply = post(&self.authorization_url(changes), &[("decision", "approve")]).await;
        reply.redirect("code").unwrap()
    }

    async fn redeem(&self, code: &str, changes: Pairs<'_>) -> Reply {
        let usual = [
            ("grant_type", "authorization_code"),
            ("client_id", "my <b>app</b>"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let pairs = change(&usual, changes);
        post(&format!("{}/token", self.url()), &pairs).await
    }

    async fn device(&self, scope: &str) -> Value {
        let url = format!("{}/device_authorization", self.url());
        let reply = post(&url, &[("client_id", "app"), ("scope", scope)]).await;
        assert_eq!(reply.status, StatusCode::OK);
        reply.json()
    }

    async fn poll(&self, device: &Value) -> Reply {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        let code = text(device, "device_code");
        let pairs = [
            ("grant_type", grant),
            ("client_id", "app"),
            ("device_code", &code),
        ];
        post(&format!("{}/token", self.url()), &pairs).await
    }

    async fn refresh(&self, token: &str, scope: &str) -> Reply {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("client_id", "my <b>app</b>"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        post(&format!("{}/token", self.url()), &pairs).await
    }

    async fn userinfo(&self, authorization: &str) -> Reply {
        send(
            "GET",
            &format!("{}/userinfo", self.url()),
            authorization,
            String::new(),
        )
        .await
    }
}

/// Responds to one request as the listener of a program would, and returns the request's head.
async fn listen_once(listener: &TcpListener, status: &str) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (mut head, mut part) = (Vec::new(), [0; 1024]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.readable().await.unwrap();
        match stream.try_read(&mut part) {
            Ok(0) => panic!("the request broke off"),
            Ok(length) => head.extend_from_slice(&part[..length]),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    stream.writable().await.unwrap();
    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(stream.try_write(answer.as_bytes()).unwrap(), answer.len());
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn user_approves_the_authorization_code_flow() {
    let demo = Demo::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let redirect_uri = format!("http://localhost:{port}/callback?kept=1");
    let url = Url::parse(&demo.authorization_url(&[("redirect_uri", &redirect_uri)])).unwrap();
    let (approved, head) = tokio::join!(approve(&url), listen_once(&listener, "200 OK"));
    approved.unwrap();

    assert!(
        head.to_lowercase()
            .contains(&format!("\r\nhost: localhost:{port}\r\n")),
        "{head}"
    );
    let target = head
        .strip_prefix("GET ")
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    let target = Url::parse("http://localhost")
        .unwrap()
        .join(target)
        .unwrap();
    assert_eq!(target.path(), "/callback");
    assert_eq!(query(&target, "kept").unwrap(), "1");
    assert_eq!(query(&target, "state").unwrap(), "the state&");
    assert_eq!(query(&target, "iss").unwrap(), demo.url());
    let code = query(&target, "code").unwrap();

    let reply = demo.redeem(&code, &[("redirect_uri", &redirect_uri)]).await;
    assert_eq!(reply.status, StatusCode::OK);
    let tokens = reply.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 120);
    assert_eq!(tokens["scope"], "openid offline_access");
    assert!(text(&tokens, "refresh_token").starts_with("demo-refresh-"));
    let access = text(&tokens, "access_token");
    assert!(access.starts_with("demo-access-"));

    let id_token = text(&tokens, "id_token");
    let parts: Vec<_> = id_token.split('.').collect();
    let decode = |part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let claims: Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(
        (header["alg"].as_str(), parts[2], parts.len()),
        (Some("none"), "", 3)
    );
    assert_eq!(claims["iss"], demo.url());
    assert_eq!(claims["aud"], "my <b>app</b>");
    assert_eq!(claims["nonce"], "the-nonce");
    assert_eq!(claims["email"], "demo.person@example.com");
    assert_eq!(
        claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(),
        120
    );

    let reply = demo.userinfo(&format!("bearer {access}")).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(reply.json()["sub"], claims["sub"]);

    let reply = demo.redeem(&code, &[("redirect_uri", &redirect_uri)]).await;
    assert_eq!(reply.error(), "invalid_grant");
    let reply = demo.userinfo(&format!("Bearer {access}")).await;
    assert_eq!(
        reply.status,
        StatusCode::UNAUTHORIZED,
        "a code used twice ends its tokens"
    );
}

#[tokio::test]
async fn denied_authorization_redirects_with_state_and_issuer() {
    let demo = Demo::start().await.unwrap();
    let reply = post(&demo.authorization_url(&[]), &[("decision", "deny")]).await;
    assert!(reply.header("location").starts_with(CALLBACK));
    assert_eq!(reply.redirect("error").unwrap(), "access_denied");
    assert_eq!(reply.redirect("state").unwrap(), "the state&");
    assert_eq!(reply.redirect("iss").unwrap(), demo.url());
    assert_eq!(reply.redirect("code"), None);
}

#[tokio::test]
async fn invalid_request_redirects_only_to_a_valid_redirect_uri() {
    let demo = Demo::start().await.unwrap();
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("scope", "quo\"te", "invalid_scope"),
    ] {
        let reply = get(&demo.authorization_url(&[(name, value)])).await;
        assert_eq!(
            reply.redirect("error").as_deref(),
            Some(error),
            "{name}={value}"
        );
        assert_eq!(
            reply.redirect("state").as_deref(),
            Some("the state&"),
            "{name}={value}"
        );
    }
    for (name, value) in [
        ("redirect_uri", ""),
        ("redirect_uri", "not a URL"),
        ("redirect_uri", "https://127.0.0.1/"),
        ("redirect_uri", "http://example.com/"),
        ("redirect_uri", "http://127.0.0.1.example.com/"),
        ("redirect_uri", "http://localhost@example.com/"),
        ("redirect_uri", "http://user@localhost/"),
        ("redirect_uri", "http://localhost/#fragment"),
        ("redirect_uri", "http://[::2]/"),
        ("redirect_uri", "javascript:alert(1)"),
        ("client_id", ""),
        ("client_id", "\u{202e}ppa"),
    ] {
        for method in ["GET", "POST"] {
            let url = demo.authorization_url(&[(name, value)]);
            let reply = send(method, &url, "", "decision=approve".to_owned()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{name}={value}");
            assert_eq!(reply.header("location"), "", "{name}={value}");
        }
    }
    let twice = format!("{}&scope=openid", demo.authorization_url(&[]));
    assert_eq!(get(&twice).await.status, StatusCode::BAD_REQUEST);
    let reply = post(&demo.authorization_url(&[]), &[("decision", "perhaps")]).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn loopback_redirect_uris_are_accepted() {
    let demo = Demo::start().await.unwrap();
    for (uri, target) in [
        ("http://127.0.0.1:8400/", "'self' http://127.0.0.1:8400;"),
        ("http://LOCALHOST/x", "'self' http://localhost;"),
        ("http://[::1]:8400/", "'self' http:;"),
    ] {
        let reply = get(&demo.authorization_url(&[("redirect_uri", uri)])).await;
        assert_eq!(reply.status, StatusCode::OK, "{uri}");
        let policy = reply.header("content-security-policy");
        assert!(
            policy.contains(&format!("form-action {target}")),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn approval_page_escapes_input_and_shows_curl_commands() {
    let demo = Demo::start().await.unwrap();
    let url = demo.authorization_url(&[("state", "\"--><script>")]);
    let reply = get(&url).await;
    assert!(
        reply.text.contains("my &lt;b&gt;app&lt;/b&gt;"),
        "{}",
        reply.text
    );
    assert!(
        !reply.text.contains("<b>") && !reply.text.contains("<script"),
        "{}",
        reply.text
    );
    assert!(reply.text.contains("worth nothing"));
    assert!(
        reply
            .text
            .contains(&format!("curl -sL -d decision=approve \"{url}\"\n"))
    );
    assert!(
        reply
            .text
            .contains(&format!("curl -sL -d decision=deny \"{url}\"\n"))
    );
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");
    assert_eq!(reply.header("connection"), "close");
    let policy = reply.header("content-security-policy");
    assert!(
        policy.starts_with("default-src 'none'; style-src 'nonce-"),
        "{policy}"
    );

    let typed = form(&[("user_code", "\"><script>")]);
    let reply = get(&format!("{}/device?{typed}", demo.url())).await;
    assert!(
        reply.text.contains("value=\"&quot;&gt;&lt;script&gt;\""),
        "{}",
        reply.text
    );
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        get(&format!("{}/device", demo.url())).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_code_needs_its_verifier_client_and_redirect_uri() {
    let demo = Demo::start().await.unwrap();
    let long = "a".repeat(129);
    for (name, value) in [
        (
            "code_verifier",
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXx",
        ),
        ("code_verifier", "short"),
        ("code_verifier", &long),
        ("client_id", "another"),
        ("redirect_uri", "http://127.0.0.1:1/callback"),
        ("code", "demo-code-guessed"),
    ] {
        let code = demo.code(&[]).await;
        let reply = demo.redeem(&code, &[(name, value)]).await;
        assert_eq!(reply.error(), "invalid_grant", "{name}={value}");
    }
    for name in ["code", "code_verifier", "redirect_uri", "grant_type"] {
        let code = demo.code(&[]).await;
        let reply = demo.redeem(&code, &[(name, "")]).await;
        assert_eq!(reply.error(), "invalid_request", "{name}");
    }
    let reply = demo.redeem("", &[("grant_type", "password")]).await;
    assert_eq!(reply.error(), "unsupported_grant_type");
}

#[tokio::test]
async fn failed_attempt_uses_up_the_code() {
    let demo = Demo::start().await.unwrap();
    let code = demo.code(&[]).await;
    let wrong = "a".repeat(43);
    assert_eq!(
        demo.redeem(&code, &[("code_verifier", &wrong)])
            .await
            .error(),
        "invalid_grant"
    );
    assert_eq!(demo.redeem(&code, &[]).await.error(), "invalid_grant");
}

#[tokio::test]
async fn client_id_is_accepted_as_basic_authentication() {
    let demo = Demo::start().await.unwrap();
    let url = format!("{}/device_authorization", demo.url());
    let basic = format!("basic {}", BASE64_STANDARD.encode("ap%70:secret"));
    let reply = send("POST", &url, &basic, "scope=x".to_owned()).await;
    assert_eq!(
        demo.poll(&reply.json()).await.error(),
        "authorization_pending"
    );

    let reply = post(&url, &[("scope", "x")]).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(text(&reply.json(), "error"), "invalid_client");
    assert!(reply.header("www-authenticate").starts_with("Basic "));
}

#[tokio::test]
async fn user_approves_the_device_code_flow() {
    let demo = Demo::start().await.unwrap();
    let device = demo.device("openid").await;
    assert_eq!(
        (&device["expires_in"], &device["interval"]),
        (&300.into(), &1.into())
    );
    assert_eq!(
        text(&device, "verification_uri"),
        format!("{}/device", demo.url())
    );
    assert_eq!(demo.poll(&device).await.error(), "authorization_pending");

    let url = Url::parse(&text(&device, "verification_uri_complete")).unwrap();
    approve(&url).await.unwrap();
    let reply = demo.poll(&device).await;
    let tokens = reply.json();
    assert!(text(&tokens, "access_token").starts_with("demo-access-"));
    assert_eq!(tokens["scope"], "openid");
    assert!(tokens["id_token"].is_string());
    assert!(
        tokens["refresh_token"].is_null(),
        "offline_access was not asked for"
    );

    assert_eq!(demo.poll(&device).await.error(), "invalid_grant");
    let again = approve(&url).await;
    assert!(
        matches!(again, Err(DemoError::NoButton(StatusCode::BAD_REQUEST))),
        "{again:?}"
    );
}

#[tokio::test]
async fn user_code_is_consonants_and_ignores_case_and_hyphens() {
    let demo = Demo::start().await.unwrap();
    for loosely in [
        |code: &str| code.to_lowercase(),
        |code: &str| code.replace('-', ""),
        |code: &str| format!(" {} ", code.replace('-', " ").to_lowercase()),
    ] {
        let device = demo.device("").await;
        let code = text(&device, "user_code");
        let shape: String = code
            .chars()
            .map(|c| {
                if "BCDFGHJKLMNPQRSTVWXZ".contains(c) {
                    'x'
                } else {
                    c
                }
            })
            .collect();
        assert_eq!(shape, "xxxx-xxxx", "{code}");
        let typed = loosely(&code);
        let pairs = [("user_code", typed.as_str()), ("decision", "approve")];
        let page = get(&format!("{}/device?{}", demo.url(), form(&pairs[..1]))).await;
        assert!(
            page.text.contains(&code),
            "the page shows the code as it was issued"
        );
        assert_eq!(
            post(&format!("{}/device", demo.url()), &pairs).await.status,
            StatusCode::OK
        );
        assert_eq!(demo.poll(&device).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn a_denied_device_gets_access_denied() {
    let demo = Demo::start().await.unwrap();
    let device = demo.device("").await;
    post(
        &text(&device, "verification_uri_complete"),
        &[("decision", "deny")],
    )
    .await;
    assert_eq!(demo.poll(&device).await.error(), "access_denied");
    assert_eq!(
        demo.poll(&device).await.error(),
        "access_denied",
        "it stays so"
    );
}

#[tokio::test]
async fn polling_too_fast_increases_the_interval_permanently() {
    let interval = Duration::from_mins(1);
    let demo = Demo::start_with(Lifetimes {
        interval,
        ..Lifetimes::default()
    })
    .await
    .unwrap();
    let device = demo.device("").await;
    assert_eq!(demo.poll(&device).await.error(), "authorization_pending");
    for seconds in ["65", "70"] {
        let reply = demo.poll(&device).await;
        assert_eq!(reply.error(), "slow_down");
        assert!(reply.text.contains(seconds), "{}", reply.text);
    }
    let url = Url::parse(&text(&device, "verification_uri_complete")).unwrap();
    approve(&url).await.unwrap();
    assert_eq!(
        demo.poll(&device).await.status,
        StatusCode::OK,
        "a decision does not wait"
    );
}

#[tokio::test]
async fn expired_codes_and_tokens_are_rejected() {
    let none = Duration::ZERO;
    let lifetimes = Lifetimes {
        code: none,
        device: none,
        access: Duration::from_mins(1),
        interval: none,
    };
    let demo = Demo::start_with(lifetimes).await.unwrap();
    let code = demo.code(&[]).await;
    let reply = demo.redeem(&code, &[]).await;
    assert_eq!(reply.error(), "invalid_grant");
    assert!(reply.text.contains("expired"));
    let device = demo.device("").await;
    assert_eq!(demo.poll(&device).await.error(), "expired_token");
    let page = get(&text(&device, "verification_uri_complete")).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);

    let demo = Demo::start_with(Lifetimes {
        access: none,
        ..Lifetimes::default()
    })
    .await
    .unwrap();
    let code = demo.code(&[]).await;
    let access = text(&demo.redeem(&code, &[]).await.json(), "access_token");
    let reply = demo.userinfo(&format!("Bearer {access}")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert!(
        reply
            .header("www-authenticate")
            .contains("error=\"invalid_token\"")
    );
    let reply = demo.userinfo("").await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.header("www-authenticate"), "Bearer realm=\"demo\"");
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_revokes_the_family() {
    let demo = Demo::start().await.unwrap();
    let code = demo.code(&[]).await;
    let first = text(&demo.redeem(&code, &[]).await.json(), "refresh_token");
    let code = demo.code(&[]).await;
    let other = text(&demo.redeem(&code, &[]).await.json(), "refresh_token");

    assert_eq!(
        demo.refresh(&first, "openid wider").await.error(),
        "invalid_scope"
    );
    let tokens = demo.refresh(&first, "openid").await.json();
    assert_eq!(tokens["scope"], "openid");
    let second = text(&tokens, "refresh_token");
    let access = text(&tokens, "access_token");
    assert_ne!(first, second);
    let tokens = demo.refresh(&second, "").await.json();
    assert_eq!(
        tokens["scope"], "openid offline_access",
        "a narrower scope is not for good"
    );
    let third = text(&tokens, "refresh_token");

    assert_eq!(demo.refresh(&first, "").await.error(), "invalid_grant");
    assert_eq!(demo.refresh(&third, "").await.error(), "invalid_grant");
    let reply = demo.userinfo(&format!("Bearer {access}")).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        demo.refresh(&other, "").await.status,
        StatusCode::OK,
        "another family lives on"
    );
}

#[tokio::test]
async fn the_metadata_names_the_endpoints() {
    let demo = Demo::start().await.unwrap();
    let openid = get(&format!("{}/.well-known/openid-configuration", demo.url()))
        .await
        .json();
    let oauth = get(&format!(
        "{}/.well-known/oauth-authorization-server",
        demo.url()
    ))
    .await
    .json();
    assert_eq!(openid, oauth);
    assert_eq!(openid["issuer"], demo.url());
    for name in ["authorization", "device_authorization", "token", "userinfo"] {
        let endpoint = text(&openid, &format!("{name}_endpoint"));
        assert!(endpoint.starts_with(demo.url()), "{endpoint}");
        let method = if name == "userinfo" { "GET" } else { "POST" };
        let reply = send(method, &endpoint, "", String::new()).await;
        assert_ne!(reply.status, StatusCode::NOT_FOUND, "{endpoint}");
    }
    assert_eq!(get(demo.url()).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn oversized_request_body_is_rejected() {
    let demo = Demo::start().await.unwrap();
    let body = "a".repeat(16 * 1024 + 1);
    let reply = send("POST", &format!("{}/token", demo.url()), "", body).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[test]
fn oldest_grant_is_dropped_at_the_limit() {
    let mut grants = Grants::new("http://127.0.0.1:1".to_owned(), Lifetimes::default());
    let mut codes = (0..101).map(|_| {
        let sign_in = SignIn {
            client_id: "app".to_owned(),
            scope: String::new(),
            nonce: None,
        };
        let answer = serde_json::to_value(grants.device(sign_in)).unwrap();
        text(&answer, "user_code")
    });
    let (first, second) = (codes.next().unwrap(), codes.next().unwrap());
    assert_eq!(codes.count(), 99);
    assert!(grants.asked(&first).is_none());
    assert!(grants.asked(&second).is_some());
}

#[tokio::test]
async fn connections_over_the_limit_wait_for_a_free_slot() {
    let demo = Demo::start().await.unwrap();
    let address = demo.url().strip_prefix("http://").unwrap();
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let url = format!("{}/device", demo.url());
    let mut waiting = std::pin::pin!(get(&url));
    for _ in 0..1000 {
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("a hundred and first connection was served"),
            () = tokio::task::yield_now() => {}
        }
    }
    silent.pop();
    assert_eq!(waiting.await.status, StatusCode::OK);
}

#[tokio::test]
async fn dropping_the_demo_frees_its_port() {
    let demo = Demo::start().await.unwrap();
    let address = demo.url().strip_prefix("http://").unwrap().to_owned();
    let open = TcpStream::connect(&address).await.unwrap();
    drop(demo);
    // The end of a closed connection can be read. The listener closes, too.
    tokio::time::timeout(Duration::from_secs(5), open.readable())
        .await
        .unwrap()
        .unwrap();
    assert!(TcpStream::connect(&address).await.is_err());
}

#[tokio::test]
async fn approve_opens_only_loopback_urls() {
    for url in [
        "https://127.0.0.1/",
        "http://example.com/",
        "http://192.0.2.1/",
        "http://[2001:db8::1]/",
        "http://localhost.example.com/",
        "http://user@127.0.0.1/",
        "file:///etc/hosts",
    ] {
        let result = approve(&Url::parse(url).unwrap()).await;
        assert!(
            matches!(result, Err(DemoError::NotLoopback)),
            "{url}: {result:?}"
        );
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let result = approve(&Url::parse(&url).unwrap()).await;
    assert!(
        matches!(result, Err(DemoError::Connect { .. })),
        "{result:?}"
    );
}

#[tokio::test]
async fn approve_reports_why_it_failed() {
    let demo = Demo::start().await.unwrap();
    for (status, leaves) in [
        (
            "400 Bad Request",
            "the approval was answered with HTTP status 400 Bad Request",
        ),
        (
            "302 Found\r\nLocation: https://example.com/",
            "only http URLs of this machine",
        ),
        (
            "302 Found\r\nLocation: http://[",
            "the HTTP exchange failed",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let redirect_uri = format!("http://{}/", listener.local_addr().unwrap());
        let url = Url::parse(&demo.authorization_url(&[("redirect_uri", &redirect_uri)])).unwrap();
        let (approved, _) = tokio::join!(approve(&url), listen_once(&listener, status));
        let error = approved.unwrap_err().to_string();
        assert!(error.starts_with(leaves), "{error}");
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let circle = async {
        loop {
            listen_once(&listener, "302 Found\r\nLocation: /").await;
        }
    };
    tokio::select! {
        result = approve(&url) => assert!(matches!(result, Err(DemoError::Redirects)), "{result:?}"),
        () = circle => {}
    }
    let nothing = Url::parse(&format!("{}/nothing", demo.url())).unwrap();
    let result = approve(&nothing).await;
    assert!(
        matches!(result, Err(DemoError::NoButton(StatusCode::NOT_FOUND))),
        "{result:?}"
    );
}
