//! What users type and paste, in the real program: values that were copied with text around them, and redirects as
//! browsers show them.

use std::path::Path;

use crate::plain::Plain;
use crate::scripted::{Reply, Scripted};

/// A server whose only valid code is `4/0Right+Code`, for the client `cid`.
fn server() -> Scripted {
    Scripted::start(|request| {
        let field = |name: &str| request.form.get(name).map(String::as_str);
        match (field("client_id"), field("code"), field("device_code")) {
            (Some("cid"), Some("4/0Right+Code"), _) | (Some("cid"), _, Some("DC")) => {
                Reply::json(200, r#"{"access_token":"at-1","token_type":"Bearer"}"#)
            }
            (Some("cid"), None, None) => Reply::json(
                200,
                r#"{"device_code":"DC","user_code":"ABCD","verification_uri":"https://as.example/","expires_in":60,"interval":1}"#,
            ),
            _ => Reply::json(400, r#"{"error":"invalid_grant"}"#),
        }
    })
}

fn device(home: &Path, server: &Scripted, more: &[&str], variables: &[(&str, &str)]) -> Plain {
    let (device, token) = (
        format!("{}/device", server.url),
        format!("{}/token", server.url),
    );
    let flags = ["--flow", "device-code", "--print", "access-token"];
    let urls = ["--device-url", &device, "--token-url", &token];
    // A duplicate flag would be an error.
    let urls = urls.chunks(2).filter(|flag| !more.contains(&flag[0]));
    let flags: Vec<&str> = flags.into_iter().chain(urls.flatten().copied()).collect();
    Plain::start_with(home, &[&flags, more].concat(), variables)
}

fn code(home: &Path, server: &Scripted, redirect_url: &str) -> (Plain, String) {
    let urls = ["authorization", "token"].map(|name| format!("{}/{name}", server.url));
    let flags = [
        "--flow",
        "authorization-code",
        "--print",
        "access-token",
        "--client-id",
        "cid",
        "--authorization-url",
        &urls[0],
        "--token-url",
        &urls[1],
        "--redirect-url",
        redirect_url,
    ];
    let mut plain = Plain::start(home, &flags);
    let url = url::Url::parse(&plain.value("authorization_url")).unwrap();
    let mut query = url.query_pairs();
    let (_, state) = query.find(|(name, _)| name == "state").unwrap();
    (plain, state.into_owned())
}

#[test]
fn extra_characters_in_copied_values_are_removed_and_reported() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let token = format!("<{}/token>", server.url);
    let secret = home.path().join("secret");
    std::fs::write(&secret, b"\xef\xbb\xbfs3cret \r\n").unwrap();
    let secret = format!("\"{}\"", secret.display());
    for (flags, variables, told) in [
        (
            &["--client-id", "\u{200b}cid"][..],
            &[][..],
            "hint: Client ID (--client-id): ",
        ),
        (
            &["--client-id", "Client ID: cid"],
            &[],
            "hint: Client ID (--client-id): ",
        ),
        (
            &["--client-id", "{cid}"],
            &[],
            "hint: Client ID (--client-id): ",
        ),
        (
            &[],
            &[("OAUTH_AUTHORIZER_CLIENT_ID", "\u{feff}\"cid\"\r\n")],
            "hint: Client ID (OAUTH_AUTHORIZER_CLIENT_ID): ",
        ),
        (
            &["--client-id", "cid", "--token-url", &token],
            &[],
            "hint: Token ex. URL (--token-url): ",
        ),
        (
            &[
                "--client-id",
                "cid",
                "--client-authentication",
                "post",
                "--client-secret-file",
                &secret,
            ],
            &[],
            "Whitespace around the value was removed.",
        ),
        (
            &[
                "--client-id",
                "cid",
                "--client-authentication",
                "POST",
                "--client-secret-env",
                "SX",
            ],
            &[
                ("SX", "s3cret\n"),
                ("OAUTH_AUTHORIZER_FLOW", "authorization-code"),
            ],
            "step: ",
        ),
    ] {
        let before = server.requests("/token").len();
        let (exit, stdout, stderr) = device(home.path(), &server, flags, variables).end();
        assert_eq!(
            (exit, stdout.as_str()),
            (0, "at-1\n"),
            "{flags:?}\n{stderr}"
        );
        assert!(stderr.contains(told), "{flags:?}\n{stderr}");
        let sent = &server.requests("/token")[before];
        assert_eq!(sent.form["client_id"], "cid");
        if let Some(secret) = sent.form.get("client_secret") {
            assert_eq!(secret, "s3cret");
        }
        assert_eq!(
            flags.contains(&"--client-authentication"),
            sent.form.contains_key("client_secret")
        );
    }
}

#[test]
fn invalid_value_is_reported_with_its_flag_or_variable() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    for (flags, variables, told) in [
        (
            &["--client-id", "c\u{fffc}id"][..],
            &[][..],
            "error: Client ID (--client-id): ",
        ),
        (
            &[],
            &[("OAUTH_AUTHORIZER_CLIENT_ID", "<client-id>")],
            "error: Client ID (OAUTH_AUTHORIZER_CLIENT_ID): ",
        ),
        (
            &["--client-id", "cid"],
            &[("OAUTH_AUTHORIZER_LISTENER", "fast")],
            "'OAUTH_AUTHORIZER_LISTENER'",
        ),
        (
            &["--client-id", "cid"],
            &[("OAUTH_AUTHORIZER_CLIENT_SECRET", "s3\u{7f}cret")],
            "the environment variable OAUTH_AUTHORIZER_CLIENT_SECRET",
        ),
    ] {
        let (exit, stdout, stderr) = device(home.path(), &server, flags, variables).end();
        assert_eq!((exit, stdout.as_str()), (2, ""), "{flags:?}\n{stderr}");
        assert!(stderr.contains(told), "{flags:?}\n{stderr}");
    }
    assert!(server.requests("/token").is_empty() && server.requests("/device").is_empty());
}

#[test]
fn pasted_redirect_is_accepted_in_every_copied_form() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let url = "http://127.0.0.1:0/cb";
    for pasted in [
        "http://127.0.0.1/cb?code=4%2F0Right%2BCode&amp;state=STATE",
        "GET /cb?code=4%2F0Right%2BCode&state=STATE HTTP/1.1",
        "http://127.0.0.1/cb#state=STATE&code=4%2F0Right%2BCode",
        "4%2F0Right%2BCode&scope=https://mail.google.com/",
        "http://127.0.0.1/cb?state=STATE&sco\npe=a%20b&code=4%2F0Right\n%2BCode",
        "\u{feff}“http://127.0.0.1/cb?code=4%2F0Right%2BCode&state=STATE”",
    ] {
        let before = server.requests("/token").len();
        let (mut plain, state) = code(home.path(), &server, url);
        plain.paste(&pasted.replace("STATE", &state));
        let (exit, stdout, stderr) = plain.end();
        assert_eq!((exit, stdout.as_str()), (0, "at-1\n"), "{pasted}\n{stderr}");
        // A part of a URL was never sent as a code.
        assert_eq!(server.requests("/token").len(), before + 1, "{pasted}");
    }
}

#[test]
fn rest_of_a_wrapped_url_is_no_code() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let (mut plain, state) = code(home.path(), &server, "http://127.0.0.1:0/cb");
    plain.paste("http://127.0.0.1/cb?code=4%2F0Right");
    assert!(plain.value("refused").contains("no state"));
    plain.paste("%2BCodeAndALongRest");
    assert!(plain.value("refused").contains("no state"));
    assert!(server.requests("/token").is_empty());
    plain.paste(&format!("?code=4%2F0Right%2BCode&state={state}"));
    assert_eq!(plain.end().1, "at-1\n");
}

#[test]
fn pasted_error_page_is_explained_and_waiting_continues() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    let (mut plain, state) = code(home.path(), &server, "http://127.0.0.1:0/cb");
    plain.paste(
        "Sorry, but we’re having trouble signing you in.\nAADSTS50011: The redirect URI 'http://127.0.0.1:8400/cb' specified \
         in the request does not match the redirect URIs configured for the application '1111'.",
    );
    let cause = plain.value("cause");
    assert!(
        cause.contains("redirect URL isn't registered for the app"),
        "{cause}"
    );
    assert_eq!(plain.value("field"), "Redirect URL (--redirect-url)");
    assert!(server.requests("/token").is_empty());
    plain.paste(&format!("?code=4%2F0Right%2BCode&state={state}"));
    assert_eq!(plain.end().1, "at-1\n");
}

#[test]
fn redirect_url_without_listener_is_sent_unchanged() {
    let (home, server) = (tempfile::tempdir().unwrap(), server());
    for (url, pasted) in [
        ("urn:ietf:wg:oauth:2.0:oob", "4/0Right+Code"),
        (
            "com.example.app:/oauth2redirect",
            "com.example.app:/oauth2redirect?code=4%2F0Right%2BCode&state=STATE",
        ),
    ] {
        let before = server.requests("/token").len();
        let (mut plain, state) = code(home.path(), &server, url);
        plain.paste(&pasted.replace("STATE", &state));
        let (exit, stdout, stderr) = plain.end();
        assert_eq!((exit, stdout.as_str()), (0, "at-1\n"), "{url}\n{stderr}");
        assert!(stderr.contains("can't listen on"), "{stderr}");
        assert!(!stderr.contains("listening: "), "{stderr}");
        let sent = &server.requests("/token")[before];
        assert_eq!(sent.form["redirect_uri"], url);
    }
}
