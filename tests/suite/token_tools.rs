//! Revocation, introspection, user info and the claims of tokens, by the commands.

use std::io::Write;
use std::process::Stdio;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::plain::Plain;
use crate::profiles::{Profiles, Ran, device_flags};
use crate::scripted::{Reply, Request, Scripted};
use crate::servers::{ODD_POST, ODD_SECRET, Provider};

/// Signs in at the provider as alice with a confidential client and saves the sign-in as `office`.
fn confidential(provider: &Provider) -> Profiles {
    let profiles = Profiles::new();
    let file = profiles.home.path().join("secret");
    std::fs::write(&file, format!("{ODD_SECRET}\n")).unwrap();
    let mut flags = provider.flags();
    let more = [
        "--issuer",
        provider.issuer(),
        "--client-id",
        ODD_POST,
        "--client-secret-file",
        file.to_str().unwrap(),
        "--client-authentication",
        "post",
        "--flow",
        "device-code",
        "--scope",
        "openid email offline_access",
        "--extra-parameters",
        "prompt=consent",
    ];
    flags.extend(more.map(str::to_owned));
    profiles.sign_in(&flags, "office");
    profiles
}

/// Signs in at the provider as alice with a public client and saves the sign-in as `office`.
pub fn public(provider: &Provider) -> Profiles {
    let profiles = Profiles::new();
    let mut flags = provider.flags();
    let more = [
        "--issuer",
        provider.issuer(),
        "--client-id",
        "public-native",
        "--flow",
        "device-code",
        "--scope",
        "openid email offline_access",
        "--extra-parameters",
        "prompt=consent",
    ];
    flags.extend(more.map(str::to_owned));
    profiles.sign_in(&flags, "office");
    profiles
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

/// Checks that no secret was printed.
fn assert_no_secret(ran: &Ran, secrets: &[String]) {
    for secret in secrets {
        assert!(
            !ran.stdout.contains(secret) && !ran.stderr.contains(secret),
            "{secret} in {ran:?}"
        );
    }
}

fn secrets(record: &Value) -> Vec<String> {
    let tokens = ["access_token", "refresh_token", "id_token"];
    let tokens = tokens
        .iter()
        .filter_map(|name| record["tokens"][name].as_str());
    tokens
        .map(str::to_owned)
        .chain([ODD_SECRET.to_owned()])
        .collect()
}

#[test]
fn token_works_until_it_is_revoked() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = confidential(&provider);
    let record = profiles.record();
    let secrets = secrets(&record);
    let token = profiles.token();
    let ran = profiles.run(&["userinfo", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout
            .contains("Same user   yes: sub matches the ID token")
            && ran.stdout.contains("alice@example.org")
            && ran.stdout.contains(provider.endpoint("userinfo")),
        "{ran:?}"
    );
    assert_no_secret(&ran, &secrets);
    for kind in ["access", "refresh"] {
        let ran = profiles.run(&["introspect", "office", "--token", kind, "--json"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let told = json_of(&ran);
        assert_eq!(
            (&told["active"], &told["claims"]["client_id"]),
            (&json!(true), &json!(ODD_POST))
        );
        assert_no_secret(&ran, &secrets);
    }
    let ran = profiles.run(&["revoke", "office", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = json_of(&ran);
    assert_eq!(told["removed"], json!(["refresh", "access"]), "{ran:?}");
    for (at, kind) in ["refresh", "access"].iter().enumerate() {
        let token = &told["tokens"][at];
        assert_eq!(
            (&token["token"], &token["revoked"]),
            (&json!(kind), &json!(true)),
            "{ran:?}"
        );
        assert_eq!(token["active"], json!(false), "{ran:?}");
    }
    assert_no_secret(&ran, &secrets);
    assert_eq!(provider.userinfo(&token).0, 401);
    assert_eq!(profiles.record()["tokens"], Value::Null);
    assert_eq!(profiles.run(&["token", "office"]).code, 7);
    assert_eq!(profiles.run(&["revoke", "office"]).code, 7);
    // Revoked tokens that are put back into the record don't work.
    profiles.edit(|now| *now = record.clone());
    let ran = profiles.run(&["userinfo", "office"]);
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(
        ran.stderr.contains("HTTP 401") && ran.stderr.contains("cause: "),
        "{ran:?}"
    );
    let ran = profiles.run(&["introspect", "office"]);
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(ran.stdout.contains("Active      no"), "{ran:?}");
    assert_no_secret(&ran, &secrets);
}

#[test]
fn one_token_is_revoked_without_the_other() {
    let (profiles, server) = scripted(&["revocation", "introspection"], |request| {
        match request.path.as_str() {
            "/revocation" => Reply::json(200, ""),
            _ => Reply::json(401, r#"{"error":"invalid_client"}"#),
        }
    });
    let ran = profiles.run(&["revoke", "office", "--token", "access"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr.contains("not confirmed by introspection"),
        "{ran:?}"
    );
    assert_eq!(profiles.record()["tokens"]["access_token"], Value::Null);
    assert_eq!(profiles.run(&["token", "office", "--offline"]).code, 5);
    // The next call requests a new token.
    assert_eq!(profiles.token(), "first-access-token-1");
    let ran = profiles.run(&["revoke", "office", "--token", "refresh"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let tokens = &profiles.record()["tokens"];
    assert_eq!(tokens["refresh_token"], Value::Null);
    assert_eq!(tokens["access_token"], "first-access-token-1");
    let asked = server.requests("/revocation");
    let sent: Vec<_> = asked.iter().map(|one| one.form["token"].as_str()).collect();
    assert_eq!(sent, ["first-access-token-1", "first-refresh-token-1"]);
    assert!(
        asked
            .iter()
            .all(|one| one.form["client_id"] == "me" && !one.form.contains_key("grant_type"))
    );
}

#[test]
fn rejected_introspection_by_public_client_is_explained() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1"), ("NO_PUBLIC_INTROSPECTION", "1")]);
    let profiles = public(&provider);
    let ran = profiles.run(&["introspect", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (11, ""), "{ran:?}");
    assert!(
        ran.stderr
            .contains("error: office: The service rejected the introspection")
            && ran
                .stderr
                .contains("cause: Introspection is meant for servers")
            && ran.stderr.contains("hint: Use User info"),
        "{ran:?}"
    );
    let token = profiles.token();
    let ran = profiles.run(&["revoke", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(provider.userinfo(&token).0, 401);
    assert_eq!(profiles.record()["tokens"], Value::Null);
}

/// A profile `office` of a scripted server whose metadata lists these endpoints. Each responds with `reply`.
fn scripted(
    endpoints: &[&str],
    reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> (Profiles, Scripted) {
    let address = Arc::new(OnceLock::<String>::new());
    let known = Arc::clone(&address);
    let endpoints: Vec<String> = endpoints.iter().map(|&name| name.to_owned()).collect();
    let server = Scripted::start(move |request| match request.path.as_str() {
        "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"CODE","verification_uri":"http://127.0.0.1/","expires_in":60,"interval":1}"#,
        ),
        "/token" => Reply::json(
            200,
            r#"{"access_token":"first-access-token-1","token_type":"Bearer","expires_in":3600,"refresh_token":"first-refresh-token-1"}"#,
        ),
        path if path.starts_with("/.well-known/") => {
            let url = known.wait();
            let mut all = json!({ "issuer": url, "token_endpoint": format!("{url}/token") });
            for name in &endpoints {
                all[format!("{name}_endpoint")] = format!("{url}/{name}").into();
            }
            Reply::json(200, &all.to_string())
        }
        _ => reply(request),
    });
    address.set(server.url.clone()).unwrap();
    let profiles = Profiles::new();
    let url = &server.url;
    let mut flags = device_flags(url).to_vec();
    flags.extend(["--issuer".to_owned(), url.clone()]);
    profiles.save_device_flow(&flags);
    (profiles, server)
}

/// Makes the ID token of the record identify this user.
fn signed_in_as(profiles: &Profiles, subject: &str) {
    let claims = URL_SAFE_NO_PAD.encode(json!({ "sub": subject }).to_string());
    profiles.edit(|record| record["tokens"]["id_token"] = format!("e30.{claims}.sig").into());
}

#[test]
fn user_info_of_another_user_is_refused() {
    for (told, code) in [
        (r#"{"sub":"alice","name":"A"}"#, 0),
        (r#"{"sub":"mallory","name":"Mallory"}"#, 11),
        (r#"{"sub":"Alice"}"#, 11),
        (r#"{"sub":""}"#, 11),
        (r#"{"sub":["alice"]}"#, 11),
        // No subject to compare: the service's own API.
        (r#"{"id":"7","login":"a"}"#, 0),
    ] {
        let (profiles, server) = scripted(&["userinfo"], move |_| Reply::json(200, told));
        signed_in_as(&profiles, "alice");
        let ran = profiles.run(&["userinfo", "office"]);
        assert_eq!(ran.code, code, "{told}: {ran:?}");
        let said = ran
            .stderr
            .contains("for a different user than the ID token");
        assert_eq!(said, code == 11, "{ran:?}");
        assert!(!ran.stdout.contains("Mallory"), "{ran:?}");
        let asked = server.requests("/userinfo");
        assert_eq!(
            asked[0].authorization.as_deref(),
            Some("Bearer first-access-token-1")
        );
    }
}

#[test]
fn missing_endpoint_is_reported_with_what_to_do() {
    let (profiles, server) = scripted(&[], |_| Reply::json(500, ""));
    for (command, endpoint) in [
        ("revoke", "revocation"),
        ("introspect", "introspection"),
        ("userinfo", "user info"),
    ] {
        let ran = profiles.run(&[command, "office"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(
            ran.stderr
                .contains(&format!("No {endpoint} endpoint is known")),
            "{ran:?}"
        );
    }
    // Without an issuer, there is no metadata to request.
    let (bare, _other) = Profiles::scripted(|_| Reply::json(500, ""));
    let ran = bare.run(&["userinfo", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("no issuer") && ran.stderr.contains("hint: Set Issuer"),
        "{ran:?}"
    );
    // The tokens are forgotten all the same if that is requested.
    let ran = profiles.run(&["revoke", "office", "--forget"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(profiles.record()["tokens"], Value::Null);
    assert!(server.requests("/revocation").is_empty());
}

#[test]
fn tokens_are_kept_until_the_service_confirms_revocation() {
    let cases: [(&str, Reply, i32); 9] = [
        (
            "refused",
            Reply::json(401, r#"{"error":"invalid_client"}"#),
            11,
        ),
        (
            "not this kind",
            Reply::json(400, r#"{"error":"unsupported_token_type"}"#),
            11,
        ),
        (
            "an error with 200",
            Reply::json(200, r#"{"error":"invalid_request"}"#),
            11,
        ),
        ("busy", Reply::json(503, ""), 5),
        (
            "a page",
            Reply::json(200, "<html><title>Sign in</title></html>"),
            1,
        ),
        ("later", Reply::json(202, ""), 1),
        ("not there", Reply::json(404, ""), 1),
        (
            "dropped",
            Reply {
                drop: true,
                ..Reply::default()
            },
            5,
        ),
        (
            "elsewhere",
            Reply {
                status: 302,
                headers: vec![("Location".to_owned(), "http://127.0.0.1:9/".to_owned())],
                ..Reply::default()
            },
            1,
        ),
    ];
    for (name, reply, code) in cases {
        let (profiles, server) = scripted(&["revocation"], move |_| reply.clone());
        let before = profiles.record();
        let ran = profiles.run(&["revoke", "office"]);
        assert_eq!(ran.code, code, "{name}: {ran:?}");
        assert_eq!(profiles.record()["tokens"], before["tokens"], "{name}");
        assert!(!profiles.state("next").exists(), "{name}");
        let asked = server.requests("/revocation");
        let hints: Vec<_> = asked
            .iter()
            .map(|one| one.form["token_type_hint"].clone())
            .collect();
        assert_eq!(hints, ["refresh_token", "access_token"], "{name}");
        let ran = profiles.run(&["profiles", "delete", "office", "--revoke"]);
        assert_eq!(ran.code, code, "{name}: {ran:?}");
        assert!(
            profiles.settings().exists() && ran.stderr.contains("--no-revoke"),
            "{ran:?}"
        );
    }
    // The refresh token is revoked, so it is no failure that the access token can't be.
    let (profiles, _server) = scripted(&["revocation"], |request| {
        if request.form["token_type_hint"] == "refresh_token" {
            Reply::json(200, "")
        } else {
            Reply::json(400, r#"{"error":"unsupported_token_type"}"#)
        }
    });
    let ran = profiles.run(&["revoke", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr.contains("It stays valid until it expires"),
        "{ran:?}"
    );
    assert_eq!(profiles.record()["tokens"], Value::Null);
}

#[test]
fn token_still_active_after_revocation_stays_in_the_record() {
    let (profiles, _server) = scripted(&["revocation", "introspection"], |request| {
        match request.path.as_str() {
            "/revocation" => Reply::json(200, ""),
            _ => Reply::json(200, r#"{"active":true}"#),
        }
    });
    let ran = profiles.run(&["revoke", "office"]);
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(ran.stderr.contains("still reports it as active"), "{ran:?}");
    assert_ne!(profiles.record()["tokens"], Value::Null);
    let ran = profiles.run(&["profiles", "delete", "office", "--no-revoke"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!profiles.settings().exists());
}

#[test]
fn hostile_responses_produce_short_clean_output_without_tokens() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(5000), "}".repeat(5000));
    let cases: Vec<(&str, String, i32)> = vec![
        ("page", "<html><title>Hi</title></html>".to_owned(), 1),
        ("large", format!(r#"{{"sub":"x","y":"{}"}}"#, "y".repeat(1024 * 1024)), 1),
        ("deep", deep, 1),
        ("many", format!(r#"{{"sub":"x","y":[{}0]}}"#, "0,".repeat(20_000)), 1),
        ("a list", "[]".to_owned(), 1),
        ("nothing", String::new(), 1),
        ("an empty object", "{}".to_owned(), 1),
        (
            "control characters",
            r#"{"sub":"x\u001b]52;c;aGk=\u0007\u001b[2J\u202e","\u001b[31mname":"a\r\nerror: forged"}"#.to_owned(),
            0,
        ),
        (
            "the token",
            r#"{"sub":"x","echo":"first-access-token-1","deep":{"list":["first-refresh-token-1"]}}"#.to_owned(),
            0,
        ),
        ("the token as a name", r#"{"first-access-token-1":"x"}"#.to_owned(), 1),
        (
            "an error with the token",
            r#"{"error":"bad first-access-token-1 \u001b[2J","error_description":"first-refresh-token-1"}"#.to_owned(),
            11,
        ),
    ];
    for (name, body, code) in cases {
        let (profiles, _server) = scripted(&["userinfo"], move |_| Reply::json(200, &body));
        for json in [&[][..], &["--json"][..]] {
            let ran = profiles.run(&[&["userinfo", "office"], json].concat());
            assert_eq!(ran.code, code, "{name}: {ran:?}");
            let all = format!("{}{}", ran.stdout, ran.stderr);
            for secret in ["first-access-token-1", "first-refresh-token-1"] {
                assert!(!all.contains(secret), "{name}: {all}");
            }
            let is_control = |ch: char| ch.is_control() && ch != '\n';
            assert!(
                !all.contains(is_control) && !all.contains('\u{202e}'),
                "{name}: {all:?}"
            );
            assert!(
                !all.lines().any(|line| line.starts_with("error: forged")),
                "{name}: {all}"
            );
            assert!(all.len() < 4096, "{name}: {} bytes", all.len());
        }
    }
}

#[test]
fn tokens_are_sent_only_to_pinned_endpoints() {
    let other = Scripted::start(|_| Reply::json(200, r#"{"sub":"x","active":true}"#));
    let elsewhere = other.url.clone();
    // The endpoints in the metadata changed later, to another port of this machine.
    let (profiles, server) = scripted(&["userinfo", "revocation"], |_| {
        Reply::json(200, r#"{"sub":"x"}"#)
    });
    for name in ["userinfo", "revocation"] {
        profiles.edit(|record| {
            record["issued_for"]["tools"][name] = format!("{elsewhere}/{name}").into();
        });
    }
    // The program uses the pinned endpoint and requests no other.
    let ran = profiles.run(&["userinfo", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        (
            other.requests("/userinfo").len(),
            server.requests("/userinfo").len()
        ),
        (1, 0)
    );
    // Now the preset names another endpoint.
    let folder = profiles
        .home
        .path()
        .join(".config/oauth-authorizer/presets");
    std::fs::create_dir_all(&folder).unwrap();
    let (url, preset) = (&server.url, folder.join("mine.toml"));
    let write = |userinfo: &str| {
        let text = format!(
            "id = \"mine\"\nname = \"Mine\"\ngroup = \"business\"\nrevoke_at = \"https://mine.example/apps\"\n\n[endpoints]\n\
             device = \"{url}/device\"\ntoken = \"{url}/token\"\nuserinfo = \"{userinfo}/userinfo\"\n"
        );
        std::fs::write(&preset, text).unwrap();
    };
    write(url);
    let flags = [
        "--preset",
        "mine",
        "--client-id",
        "me",
        "--flow",
        "device-code",
        "--save",
        "office",
    ];
    let (code, _, stderr) = Plain::start(profiles.home.path(), &flags).end();
    assert_eq!(code, 0, "{stderr}");
    let pinned = &profiles.record()["issued_for"]["tools"];
    assert_eq!(pinned["userinfo"], format!("{url}/userinfo"), "{pinned}");
    assert_eq!(profiles.run(&["userinfo", "office"]).code, 0);
    write(&elsewhere);
    for pins in [true, false] {
        if !pins {
            // A record of an earlier version has no pinned endpoints.
            profiles.edit(|record| {
                record["issued_for"]
                    .as_object_mut()
                    .unwrap()
                    .remove("tools");
            });
        }
        let ran = profiles.run(&["userinfo", "office"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.stderr.contains("so the tokens are not sent")
                && ran.stderr.contains("sign in again"),
            "{ran:?}"
        );
        // The tokens can still be used otherwise.
        assert_eq!(profiles.run(&["token", "office"]).code, 0);
    }
    assert_eq!(other.requests("/userinfo").len(), 1);
    // If the endpoint is on the host of the token URL, a record of an earlier version works as before.
    write(url);
    assert_eq!(profiles.run(&["userinfo", "office"]).code, 0);
    // Saving settings does not count as a sign-in.
    profiles.edit(|record| {
        record["issued_for"]["tools"] = json!({ "userinfo": format!("{url}/userinfo") });
    });
    write(&elsewhere);
    let ran = profiles.run(&[
        "profiles",
        "save",
        "office",
        "--preset",
        "mine",
        "--client-id",
        "me",
        "--flow",
        "device-code",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(profiles.run(&["userinfo", "office"]).code, 2);
    // The hint says where to revoke by hand.
    let ran = profiles.run(&["revoke", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr
            .contains("remove the app at https://mine.example/apps"),
        "{ran:?}"
    );
}

fn inspect(profiles: &Profiles, input: impl AsRef<[u8]>, flags: &[&str]) -> Ran {
    let mut command = profiles.command(&[&["inspect"], flags].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // If the program rejects the flags, it does not read standard input.
    let written = stdin.write_all(input.as_ref());
    drop(stdin);
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert!(written.is_ok() || ran.code == 2, "{ran:?}");
    ran
}

fn jwt(claims: &Value) -> String {
    format!(
        "eyJhbGciOiJub25lIn0.{}.sig",
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}

#[test]
fn times_are_local_for_every_form_of_tz() {
    let profiles = Profiles::new();
    // 2026-01-01 00:00:00 UTC.
    let token = jwt(&json!({ "exp": 1_767_225_600 }));
    for (zone, shown) in [
        ("UTC", "2026-01-01 00:00:00"),
        ("Asia/Tokyo", "2026-01-01 09:00:00"),
        (":America/New_York", "2025-12-31 19:00:00"),
        ("/usr/share/zoneinfo/Europe/Berlin", "2026-01-01 01:00:00"),
        ("IST-5:30", "2026-01-01 05:30:00"),
    ] {
        let mut command = profiles.command(&["inspect", "-"]);
        command.env("TZ", zone).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(token.as_bytes()).unwrap();
        drop(stdin);
        let ran: Ran = child.wait_with_output().unwrap().into();
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stdout.contains(shown), "{zone}: {ran:?}");
    }
}

#[test]
fn inspect_shows_times_and_purpose_of_a_token() {
    let profiles = Profiles::new();
    let now = std::time::SystemTime::UNIX_EPOCH
        .elapsed()
        .unwrap()
        .as_secs();
    let token = jwt(&json!({
        "aud": "https://graph.microsoft.com", "exp": now + 3600, "iat": now - 7200, "scp": "IMAP.AccessAsUser.All",
    }));
    for input in [
        token.clone(),
        format!("{token}\n"),
        format!("Authorization: Bearer {token}\r\n"),
    ] {
        let ran = inspect(&profiles, &input, &["-"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        for words in [
            "JWT, signature not checked\n",
            " minutes\n",
            "2 hours ago",
            "For:     Microsoft Graph",
            "Not for: The mail servers",
        ] {
            assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
        }
        assert!(!ran.stdout.contains(&token), "{ran:?}");
    }
    let ran = inspect(&profiles, &token, &["--json"]);
    let told = json_of(&ran);
    assert_eq!(told["token"]["for"], "Microsoft Graph", "{told}");
    assert_eq!(told["token"]["claims"]["exp"], now + 3600);
    assert_eq!(told["token"]["signature"], "not checked");
    let ran = inspect(&profiles, "gho_16C7e42F292c6912E7710c838347Ae178B4a", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("opaque") && !ran.stdout.contains("gho_"),
        "{ran:?}"
    );
    assert_eq!(inspect(&profiles, " \n", &[]).code, 2);
    let bad = jwt(
        &json!({ "sub": "x\u{1b}[2J\u{202e}", "exp": 1e300, "iat": -5, "nbf": "soon", "aud": [1, {}] }),
    );
    let ran = inspect(&profiles, &bad, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        !ran.stdout
            .contains(|ch: char| ch.is_control() && ch != '\n'),
        "{ran:?}"
    );
    // All tokens of a profile, without a connection.
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    signed_in_as(&profiles, "alice");
    profiles.edit(|record| record["tokens"]["access_token"] = token.clone().into());
    let before = server.requests("/token").len();
    let ran = profiles.run(&["inspect", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "Access token: ",
        "Refresh token: 9 characters, opaque",
        "ID token: ",
        "alice",
        "Not for: ",
    ] {
        assert!(ran.stdout.contains(words), "{words}: {}", ran.stdout);
    }
    assert!(
        !ran.stdout.contains("refresh-1") && !ran.stdout.contains(&token),
        "{ran:?}"
    );
    assert_eq!(server.requests("/token").len(), before);
}

#[test]
fn inspect_accepts_common_input_formats() {
    let profiles = Profiles::new();
    let token = jwt(&json!({ "sub": "alice" }));
    let response = json!({ "token_type": "Bearer", "id_token": "i", "access_token": token });
    let wrapped = format!("{}\n{}\n", &token[..30], &token[30..]);
    let powershell = format!("\u{feff}{token}\r\n");
    for (input, name) in [
        (response.to_string().into_bytes(), "Access token: "),
        (wrapped.into_bytes(), "Token: "),
        (
            powershell
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect(),
            "Token: ",
        ),
    ] {
        let ran = inspect(&profiles, input, &["-"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        let begin = format!("{name}{} characters, JWT", token.len());
        assert!(ran.stdout.starts_with(&begin), "{ran:?}");
        assert!(ran.stdout.contains("alice"), "{ran:?}");
    }
    let told = json_of(&inspect(&profiles, response.to_string(), &["--json"]));
    assert_eq!(told["access_token"]["claims"]["sub"], "alice", "{told}");
    for (input, words) in [
        ("a".repeat(256 * 1024 + 1), "more than 256 KiB"),
        ("{\"error\":\"x\"}".to_owned(), "has none of access_token"),
    ] {
        let ran = inspect(&profiles, input, &["-"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
    }
}

#[test]
fn token_as_argument_is_refused_without_printing_it() {
    let profiles = Profiles::new();
    let long = jwt(&json!({ "sub": "alice", "exp": 1 }));
    for token in [
        long.as_str(),
        "eyJhbGciOi",
        "gho_16C7e42F292c6912E7710c838347Ae178B4a",
        "1//0gFakeRefreshToken-With9Digits",
        "ya29.a0AfB_byC-fake0token1value2of3google4",
        "EwB4A8l6BAAUkj1NuJYtTVha+Mogk+HEiPbQo04AAQ9fake==",
    ] {
        for command in [
            &["inspect"][..],
            &["inspect", "-"],
            &["userinfo"],
            &["introspect"],
            &["revoke"],
            &["token"],
            &["profiles", "delete"],
            &["--profile"],
        ] {
            let ran = profiles.run(&[command, &[token]].concat());
            assert_eq!(
                (ran.code, ran.stdout.as_str()),
                (2, ""),
                "{command:?}: {ran:?}"
            );
            assert!(!ran.stderr.contains(token), "{command:?}: {ran:?}");
        }
        let ran = profiles.run(&["inspect", token]);
        assert!(ran.stderr.contains("standard input"), "{ran:?}");
        // An invalid flag is still explained.
        for (flag, words) in [
            ("--min-valid", "use a number with s, m, h or d"),
            ("--format", "possible values: raw"),
        ] {
            let ran = profiles.run(&["token", "office", flag, token]);
            assert!(ran.code == 2 && !ran.stderr.contains(token), "{ran:?}");
            assert!(ran.stderr.contains(words), "{ran:?}");
        }
    }
}

#[test]
fn inspect_verifies_signatures_with_issuer_keys() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = public(&provider);
    let ran = profiles.run(&["inspect", "office"]);
    assert!(
        ran.code == 0 && ran.stdout.contains("JWT, signature not checked\n"),
        "{ran:?}"
    );
    let valid = "JWT, signature valid: RS256, with a key of the issuer";
    let ran = profiles.run(&["inspect", "office", "--verify"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stdout.contains(valid), "{ran:?}");
    // An access token that is signed the same way.
    let record = profiles.record();
    let token = record["tokens"]["id_token"].as_str().unwrap().to_owned();
    profiles.edit(|record| record["tokens"]["access_token"] = token.clone().into());
    let ran = profiles.run(&["inspect", "office", "--verify"]);
    assert_eq!(ran.stdout.matches(valid).count(), 2, "{ran:?}");
    // Changed claims are reported, also by the exit code.
    let parts: Vec<&str> = token.split('.').collect();
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let other = encode(&json!({"sub": "mallory"}));
    let forged = [parts[0], &other, parts[2]].join(".");
    profiles.edit(|record| record["tokens"]["id_token"] = forged.into());
    let ran = profiles.run(&["inspect", "office", "--verify", "--json"]);
    assert_eq!(ran.code, 11, "{ran:?}");
    assert_eq!(
        json_of(&ran)["id_token"]["signature"],
        "invalid: its signature is wrong",
        "{ran:?}"
    );
    // Only its API can check a token with a nonce in the header.
    let mut header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[0]).unwrap()).unwrap();
    header["nonce"] = "n".into();
    let for_its_api = [&encode(&header), parts[1], parts[2]].join(".");
    profiles.edit(|now| {
        *now = record.clone();
        now["tokens"]["access_token"] = for_its_api.into();
    });
    let ran = profiles.run(&["inspect", "office", "--verify"]);
    assert!(
        ran.code == 0
            && ran
                .stdout
                .contains("JWT, signature not checked: its header has a nonce"),
        "{ran:?}"
    );
    // A token must not choose the keys that verify it.
    assert_eq!(inspect(&profiles, &token, &["-", "--verify"]).code, 2);
    drop(provider);
    let ran = profiles.run(&["inspect", "office", "--verify"]);
    assert!(
        ran.code == 5 && ran.stderr.contains("Can't connect to"),
        "{ran:?}"
    );
}
