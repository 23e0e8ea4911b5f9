//! Client authentication with assertions and certificates, against a certified OpenID provider.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use serde_json::Value;

use crate::plain::Plain;
use crate::profiles::{Profiles, Ran};
use crate::servers::{Provider, eventually, person_by};
use crate::terminal::{Command, ENTER};

const GRANT: &str = "client_credentials";
const SECRET: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";
const LONG_SECRET: &str = "a-client-secret-that-is-long-enough-for-HS256";
const ALGORITHMS: [&str; 4] = ["RS256", "PS256", "ES256", "EdDSA"];

/// A provider whose clients have keys, and the folder of these keys, which is also the home folder of the runs.
struct Setup {
    folder: tempfile::TempDir,
    provider: Provider,
}

impl Setup {
    fn new(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut all = vec![("CLIENT_KEYS", folder.path().to_str().unwrap())];
        all.extend(settings);
        let provider = Provider::start(&all);
        Self { folder, provider }
    }

    fn key(&self, name: &str) -> String {
        let path = self.folder.path().join(format!("{name}.pem"));
        path.to_str().unwrap().to_owned()
    }

    /// Writes a preset with these rules for assertions and with this query in its token URL.
    fn preset(&self, rules: &str, query: &str) -> String {
        let path = self.folder.path().join("service.toml");
        let token = self.provider.endpoint("token");
        let text = format!(
            "id = \"service\"\nname = \"Service\"\ngroup = \"business\"\n[endpoints]\ntoken = \"{token}{query}\"\n\
                [flows]\noffered = [\"client-credentials\"]\n[client]\nassertion = {{ {rules} }}\n"
        );
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Requests a token for the client with these flags and this secret.
    fn ask(&self, client: &str, secret: Option<&str>, flags: &[&str]) -> (i32, String, String) {
        let mut all = vec!["--flow", "client-credentials", "--client-id", client];
        all.extend(["--scope", "api:read", "--print", "access-token"]);
        all.extend(flags);
        let variables: Vec<_> = secret.map(|secret| (SECRET, secret)).into_iter().collect();
        Plain::start_with(self.folder.path(), &all, &variables).end()
    }

    /// Waits until the provider has logged this many requests and rejections. It logs after it has responded.
    fn assert_requests(&self, expected: (usize, usize)) {
        let done = || (self.provider.requests(GRANT) == expected).then_some(());
        eventually("the log of the requests", done);
    }

    fn granted(&self, client: &str, secret: Option<&str>, flags: &[&str]) {
        let (code, stdout, stderr) = self.ask(client, secret, flags);
        assert!(code == 0 && !stdout.trim().is_empty(), "{client}: {stderr}");
    }

    /// Checks that the provider rejects the request and that these words are shown.
    fn refused(&self, client: &str, secret: Option<&str>, flags: &[&str], words: &[&str]) {
        let before = self.provider.requests(GRANT);
        let (code, stdout, stderr) = self.ask(client, secret, flags);
        assert_eq!((code, stdout.as_str()), (1, ""), "{client}: {stderr}");
        self.assert_requests((before.0 + 1, before.1 + 1));
        for words in words {
            assert!(stderr.contains(words), "{words}\n{stderr}");
        }
        assert!(!stderr.contains("eyJ"), "{stderr}");
    }
}

const KEY_WORDS: &[&str] = &[
    "error: The service rejected the token request: invalid_client",
    "cause: The service doesn't accept the JWT that the Client key signed",
    "registered for this client ID",
    "the audience of the JWT",
    "the clock of this machine",
    "field: Client key",
];
const SECRET_WORDS: &[&str] = &[
    "error: The service rejected the token request: invalid_client",
    "cause: The service doesn't accept the JWT that the client secret signed",
    "the audience of the JWT",
    "the clock of this machine",
    "field: Client secret",
];

#[test]
fn assertions_signed_with_each_algorithm_are_accepted() {
    let setup = Setup::new(&[]);
    let token = setup.provider.endpoint("token");
    for (algorithm, audience) in ALGORITHMS
        .into_iter()
        .zip(["issuer", "token-url"].into_iter().cycle())
    {
        let preset = setup.preset(
            &format!("algorithm = \"{algorithm}\", audience = \"{audience}\""),
            "",
        );
        let key = setup.key(algorithm);
        let flags = ["--preset-file", &preset, "--client-key", &key];
        setup.granted(&format!("signer-{algorithm}"), None, &flags);
    }
    // Without a preset, the key determines the algorithm.
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        let key = setup.key(algorithm);
        let flags = ["--token-url", token, "--client-key", &key];
        setup.granted(&format!("signer-{algorithm}"), None, &flags);
        let explicit = [
            "--client-authentication",
            "private-key-jwt",
            "--issuer",
            setup.provider.issuer(),
        ];
        setup.granted(
            &format!("signer-{algorithm}"),
            None,
            &[&flags[..], &explicit].concat(),
        );
    }
    let flags = [
        "--token-url",
        token,
        "--client-authentication",
        "client-secret-jwt",
    ];
    setup.granted("service jwt", Some(LONG_SECRET), &flags);
}

#[test]
fn key_id_selects_one_of_several_registered_keys() {
    let setup = Setup::new(&[]);
    let key = setup.key("second");
    let token = setup.provider.endpoint("token").to_owned();
    let long = "k".repeat(257);
    let flags = |id| {
        [
            "--token-url",
            &token,
            "--client-key",
            &key,
            "--client-key-id",
            id,
        ]
    };
    setup.granted("signer-two", None, &flags("second"));
    for wrong in ["first", "third"] {
        let words = [
            KEY_WORDS,
            &["registered for this client ID, with this Key ID"],
        ]
        .concat();
        setup.refused("signer-two", None, &flags(wrong), &words);
    }
    let (code, _, stderr) = setup.ask("signer-two", None, &flags("sec\u{7}ond"));
    assert!(
        code == 0 && stderr.contains("The value was corrected to second."),
        "{stderr}"
    );
    let (code, _, stderr) = setup.ask("signer-two", None, &flags(&long));
    assert!(
        code == 2
            && stderr.contains("error: Key ID (--client-key-id): The Key ID has 257 characters"),
        "{stderr}"
    );
    setup.assert_requests((4, 2));
    // A profile sends a new assertion with each request.
    let profiles = Profiles::new();
    let mut all = vec!["--flow", "client-credentials", "--client-id", "signer-two"];
    all.extend(flags("second"));
    all.extend(["--save", "office"]);
    let (code, _, stderr) = Plain::start(profiles.home.path(), &all).end();
    assert_eq!(code, 0, "{stderr}");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains("client_key_id = \"second\""),
        "{settings}"
    );
    profiles.expire();
    profiles.token();
    setup.assert_requests((6, 2));
    let other = settings.replace("\"second\"", "\"first\"");
    std::fs::write(profiles.settings(), other).unwrap();
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
    setup.assert_requests((7, 3));
}

#[test]
fn wrong_key_or_audience_is_reported_with_advice() {
    let setup = Setup::new(&[]);
    let other = Setup::new(&[]);
    for algorithm in ALGORITHMS {
        let (client, rule) = (
            format!("signer-{algorithm}"),
            format!("algorithm = \"{algorithm}\""),
        );
        let preset = setup.preset(&rule, "");
        let wrong = other.key(algorithm);
        setup.refused(
            &client,
            None,
            &["--preset-file", &preset, "--client-key", &wrong],
            KEY_WORDS,
        );
        // The audience is the configured token URL, which differs from the provider's.
        let preset = setup.preset(&rule, "?other=1");
        let key = setup.key(algorithm);
        setup.refused(
            &client,
            None,
            &["--preset-file", &preset, "--client-key", &key],
            KEY_WORDS,
        );
    }
    let token = setup.provider.endpoint("token").to_owned();
    let method = [
        "--client-authentication",
        "client-secret-jwt",
        "--token-url",
    ];
    let wrong = Some("another-client-secret-that-is-long-enough");
    let right = [&method[..], &[&token]].concat();
    setup.refused("service jwt", wrong, &right, SECRET_WORDS);
    let elsewhere = format!("{token}?other=1");
    let flags = [&method[..], &[&elsewhere]].concat();
    setup.refused("service jwt", Some(LONG_SECRET), &flags, SECRET_WORDS);
}

#[test]
fn expired_assertion_is_reported_with_advice() {
    let setup = Setup::new(&[("CLOCK_AHEAD", "61")]);
    for algorithm in ALGORITHMS {
        let preset = setup.preset(&format!("algorithm = \"{algorithm}\""), "");
        let key = setup.key(algorithm);
        let flags = ["--preset-file", &preset, "--client-key", &key];
        setup.refused(&format!("signer-{algorithm}"), None, &flags, KEY_WORDS);
    }
    let token = setup.provider.endpoint("token");
    let flags = [
        "--token-url",
        token,
        "--client-authentication",
        "client-secret-jwt",
    ];
    setup.refused("service jwt", Some(LONG_SECRET), &flags, SECRET_WORDS);
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

#[test]
fn profile_authenticates_every_request_with_its_key() {
    let setup = Setup::new(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let key = setup.key("ES256");
    let mut flags = setup.provider.flags();
    let more = [
        "--issuer",
        setup.provider.issuer(),
        "--client-id",
        "signer-ES256",
        "--client-key",
        &key,
        "--flow",
        "device-code",
        "--scope",
        "openid email offline_access",
        "--extra-parameters",
        "prompt=consent",
    ];
    flags.extend(more.map(str::to_owned));
    // The provider accepts each assertion only once, also in polls.
    profiles.sign_in(&flags, "office");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains(&format!("client_key = \"{key}\"")),
        "{settings}"
    );
    let record = profiles.record();
    assert_eq!(
        record["issued_for"]["client_authentication"],
        "private-key-jwt"
    );
    assert_eq!(record["issued_for"]["client_key"], key.as_str());
    let whole = record.to_string();
    assert!(!whole.contains("PRIVATE KEY"), "{whole}");
    let first = profiles.token();
    profiles.expire();
    assert_ne!(profiles.token(), first);
    let refreshed = || (setup.provider.refreshes() == (1, 0)).then_some(());
    eventually("the log of the refresh", refreshed);
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    let asked = profiles.run(&["introspect", "office", "--json"]);
    assert_eq!(
        (asked.code, &json_of(&asked)["active"]),
        (0, &Value::Bool(true)),
        "{asked:?}"
    );
    // A key file that is missing, and one with another path.
    profiles.expire();
    std::fs::rename(&key, setup.key("moved")).unwrap();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    for words in ["Client key", "There is no such file."] {
        assert!(ran.stderr.contains(words), "{words} {ran:?}");
    }
    let moved = settings.replace("ES256.pem", "moved.pem");
    std::fs::write(profiles.settings(), &moved).unwrap();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains("The client key has changed"), "{ran:?}");
    std::fs::rename(setup.key("moved"), &key).unwrap();
    std::fs::write(profiles.settings(), settings).unwrap();
    assert_eq!(setup.provider.refreshes(), (1, 0));
    profiles.token();
    let revoked = profiles.run(&["revoke", "office"]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    assert!(!revoked.stdout.contains("still"), "{revoked:?}");
}

#[test]
fn client_credentials_profile_requests_new_tokens_with_its_key() {
    let setup = Setup::new(&[]);
    let profiles = Profiles::new();
    let key = setup.key("EdDSA");
    let flags = [
        "--flow",
        GRANT.replace('_', "-").leak(),
        "--token-url",
        setup.provider.endpoint("token"),
        "--client-id",
        "signer-EdDSA",
        "--client-key",
        &key,
        "--save",
        "office",
    ];
    let (code, _, stderr) = Plain::start(profiles.home.path(), &flags).end();
    assert_eq!(code, 0, "{stderr}");
    profiles.expire();
    profiles.token();
    setup.assert_requests((2, 0));
    // A key that the service doesn't know any more.
    std::fs::copy(Setup::new(&[]).key("EdDSA"), &key).unwrap();
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (7, ""), "{ran:?}");
    for words in [
        "invalid_client",
        "JWT that the Client key signed",
        "The client key is ",
    ] {
        assert!(ran.stderr.contains(words), "{words} {ran:?}");
    }
    assert!(!ran.stderr.contains("client secret"), "{ran:?}");
}

/// Writes a PEM file.
fn write(folder: &Path, name: &str, text: &str) -> String {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn unusable_file_is_reported_before_any_request() {
    let setup = Setup::new(&[]);
    let folder = setup.folder.path();
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let of = |key: &KeyPair, change: &dyn Fn(&mut CertificateParams)| {
        let mut params = CertificateParams::new(["service.example".to_owned()]).unwrap();
        change(&mut params);
        params.self_signed(key).unwrap().pem()
    };
    let right = write(folder, "right.key", &key.serialize_pem());
    let fine = write(folder, "fine.pem", &of(&key, &|_| {}));
    let foreign = write(folder, "foreign.pem", &of(&other, &|_| {}));
    let expired = of(&key, &|params| {
        params.not_after = date_time_ymd(2020, 1, 1);
    });
    let expired = write(folder, "expired.pem", &expired);
    let future = of(&key, &|params| {
        params.not_before = date_time_ymd(2100, 1, 1);
    });
    let future = write(folder, "future.pem", &future);
    let public = write(folder, "public.pem", &key.public_key_pem());
    let none = write(folder, "none.pem", "hello\n");
    let locked =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let locked = write(folder, "locked.pem", locked);
    let token = setup.provider.endpoint("token");
    for (key, certificate, field, words) in [
        (
            "/nonexistent.pem",
            None,
            "Client key",
            "There is no such file.",
        ),
        ("/dev/null", None, "Client key", "It is a device"),
        (
            none.as_str(),
            None,
            "Client key",
            "no private key in PEM format",
        ),
        (
            &public,
            None,
            "Client key",
            "The file contains a public key. The private key is required.",
        ),
        (
            &fine,
            None,
            "Client key",
            "The file contains a certificate.",
        ),
        (
            &locked,
            None,
            "Client key",
            "Remove its passphrase: openssl pkey -in",
        ),
        (
            &right,
            Some(&foreign),
            "Client certificate",
            "doesn't belong to the Client key",
        ),
        (
            &right,
            Some(&expired),
            "Client certificate",
            "expired on 2020-01-01",
        ),
        (
            &right,
            Some(&future),
            "Client certificate",
            "not valid before 2100-01-01",
        ),
        (
            &right,
            Some(&none),
            "Client certificate",
            "no certificate in PEM format",
        ),
    ] {
        let mut flags = vec!["--token-url", token, "--client-key", key];
        flags.extend(
            certificate
                .iter()
                .flat_map(|path| ["--client-certificate", path.as_str()]),
        );
        let (code, stdout, stderr) = setup.ask("signer-ES256", None, &flags);
        assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
        for words in [words, &format!("field: {field}")] {
            assert!(stderr.contains(words), "{words}\n{stderr}");
        }
    }
    let stored = format!(r"Cert:\CurrentUser\My\{}", "0".repeat(40));
    let flags = ["--token-url", token, "--client-key", &stored];
    let (code, _, stderr) = setup.ask("signer-ES256", None, &flags);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("only on Windows"), "{stderr}");
    setup.assert_requests((0, 0));
    // A key that others can read is used, with a warning.
    let open = setup.key("ES256");
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, stderr) = setup.ask(
        "signer-ES256",
        None,
        &["--token-url", token, "--client-key", &open],
    );
    assert_eq!(code, 0, "{stderr}");
    assert!(
        stderr.contains("can be read by other users. Run chmod 600 on it."),
        "{stderr}"
    );
    let mut terminal = Command::new(
        folder,
        &[
            "--flow",
            "client-credentials",
            "--client-id",
            "signer-ES256",
            "--token-url",
            token,
            "--client-key",
            &public,
        ],
    )
    .start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Field Client key [Edit]");
    terminal.wait_for("public key");
}

/// A certificate authority that issues the certificates of services and clients.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        // With the default name, it would have the name of the certificates, which would look self-signed.
        let name = &mut params.distinguished_name;
        name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        write(
            folder.path(),
            "ca.pem",
            &params.self_signed(&key).unwrap().pem(),
        );
        Self {
            folder,
            issuer: Issuer::new(params, key),
        }
    }

    fn path(&self, name: &str) -> String {
        let path: PathBuf = self.folder.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// The flags of a client that authenticates with `NAME.key` and `NAME.pem`.
    fn flags(&self, name: &str) -> [String; 8] {
        let [key, certificate] = ["key", "pem"].map(|end| self.path(&format!("{name}.{end}")));
        [
            "--client-authentication".to_owned(),
            "mutual-tls".to_owned(),
            "--client-key".to_owned(),
            key,
            "--client-certificate".to_owned(),
            certificate,
            "--ca-file".to_owned(),
            self.path("ca.pem"),
        ]
    }

    /// Issues a certificate for these hosts and writes `NAME.key` and `NAME.pem`.
    fn issue(&self, name: &str, hosts: &[&str]) {
        let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
        let params = CertificateParams::new(hosts).unwrap();
        let key = KeyPair::generate().unwrap();
        self.put(name, &params.signed_by(&key, &self.issuer).unwrap(), &key);
    }

    fn issue_alone(&self, name: &str) {
        let params = CertificateParams::new(["service.example".to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        self.put(name, &params.self_signed(&key).unwrap(), &key);
    }

    fn put(&self, name: &str, certificate: &Certificate, key: &KeyPair) {
        let folder = self.folder.path();
        write(folder, &format!("{name}.pem"), &certificate.pem());
        write(folder, &format!("{name}.key"), &key.serialize_pem());
    }
}

/// A provider with TLS, and clients that authenticate with certificates.
fn mutual(settings: &[(&str, &str)]) -> (Setup, Authority) {
    let authority = Authority::new();
    authority.issue("server", &["127.0.0.1", "localhost"]);
    authority.issue("service", &["service.example"]);
    authority.issue("stranger", &["stranger.example"]);
    authority.issue_alone("self");
    authority.issue_alone("other");
    let (certificate, key) = (authority.path("server.pem"), authority.path("server.key"));
    let (ca, own) = (authority.path("ca.pem"), authority.path("self.pem"));
    let mut all = vec![
        ("TLS_CERT", certificate.as_str()),
        ("TLS_KEY", key.as_str()),
        ("CLIENT_CA", ca.as_str()),
        ("CLIENT_CERT", own.as_str()),
    ];
    all.extend(settings);
    let setup = Setup::new(&all);
    (setup, authority)
}

#[test]
fn client_certificate_is_accepted_or_its_rejection_explained() {
    let (setup, authority) = mutual(&[]);
    let (token, ca) = (setup.provider.endpoint("token"), authority.path("ca.pem"));
    let flags = |name: &str| {
        let endpoint = ["--token-url", token].map(str::to_owned);
        [&endpoint[..], &authority.flags(name)].concat()
    };
    let words = [
        "error: The service rejected the token request: invalid_client",
        "cause: The service doesn't accept the client certificate",
        "registered for this client ID",
        "field: Client certificate",
    ];
    for (client, right, wrong) in [
        ("mtls ca", "service", &["stranger", "self"]),
        ("mtls self-signed", "self", &["other", "service"]),
    ] {
        let of = |name| flags(name);
        let all = of(right);
        setup.granted(
            client,
            None,
            &all.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        for name in wrong {
            let all = of(name);
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            setup.refused(client, None, &all, &words);
        }
        // Without a client certificate, no request is sent.
        let (code, _, stderr) = setup.ask(
            client,
            None,
            &[
                "--token-url",
                token,
                "--ca-file",
                &ca,
                "--client-authentication",
                "mutual-tls",
            ],
        );
        assert_eq!(code, 2, "{stderr}");
        assert!(
            stderr.contains("error: The Client key is missing."),
            "{stderr}"
        );
    }
    // Both in one file.
    let read = |name: &str| std::fs::read_to_string(authority.path(name)).unwrap();
    let both = write(
        authority.folder.path(),
        "both.pem",
        &(read("service.pem") + &read("service.key")),
    );
    setup.granted(
        "mtls ca",
        None,
        &[
            "--token-url",
            token,
            "--ca-file",
            &ca,
            "--client-authentication",
            "mutual-tls",
            "--client-key",
            &both,
            "--client-certificate",
            &both,
        ],
    );
}

#[test]
fn certificate_bound_token_is_sent_with_its_certificate() {
    let (setup, authority) = mutual(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let (key, certificate) = (authority.path("service.key"), authority.path("service.pem"));
    let ca = authority.path("ca.pem");
    let mut flags = setup.provider.flags();
    let more = [
        "--issuer",
        setup.provider.issuer(),
        "--client-id",
        "mtls bound",
        "--flow",
        "device-code",
        "--scope",
        "openid email offline_access",
        "--extra-parameters",
        "prompt=consent",
        "--save",
        "office",
    ];
    flags.extend(more.map(str::to_owned));
    flags.extend(authority.flags("service"));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut plain = Plain::start(profiles.home.path(), &flags);
    let url = plain.value("verification_uri_complete");
    let way = ["env".to_owned(), format!("NODE_EXTRA_CA_CERTS={ca}")];
    assert_eq!(person_by(&way, &url, &[])["outcome"], "approved");
    let (code, _, stderr) = plain.end();
    assert_eq!(code, 0, "{stderr}");
    let told = profiles.run(&["userinfo", "office"]);
    assert!(
        told.code == 0 && told.stdout.contains("alice@example.org"),
        "{told:?}"
    );
    // The token is bound to the other certificate.
    std::fs::copy(authority.path("stranger.key"), &key).unwrap();
    std::fs::copy(authority.path("stranger.pem"), &certificate).unwrap();
    let told = profiles.run(&["userinfo", "office"]);
    assert!(
        told.code != 0 && told.stderr.contains("invalid_token"),
        "{told:?}"
    );
}

#[test]
fn profile_with_certificate_uses_mtls_endpoints() {
    let (setup, authority) = mutual(&[("MTLS_HOST", "localhost")]);
    let profiles = Profiles::new();
    let (key, certificate) = (authority.path("service.key"), authority.path("service.pem"));
    let certified = authority.flags("service");
    let certified = certified.each_ref().map(String::as_str);
    let client = ["--flow", "client-credentials", "--client-id", "mtls ca"];
    let issuer = [
        "--issuer",
        setup.provider.issuer(),
        "--trust-host",
        "localhost",
    ];
    let flags = [&client[..], &certified, &issuer].concat();
    let mut terminal = Command::new(profiles.home.path(), &flags).start();
    terminal.wait_for("[d Discover]");
    terminal.focus("Discover");
    terminal.send(ENTER);
    let port = setup.provider.issuer().rsplit(':').next().unwrap();
    terminal.wait_for(&format!("https://localhost:{port}/token"));
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("the client (no user)");
    setup.assert_requests((1, 0));
    assert_eq!(setup.provider.hosts(GRANT), [format!("localhost:{port}")]);
    drop(terminal);
    // Without metadata, the token URL is given.
    let endpoint = format!("https://localhost:{port}/token");
    let saved = ["--token-url", &endpoint, "--save", "office"];
    let flags = [&client[..], &certified, &saved].concat();
    let (code, _, stderr) = Plain::start(profiles.home.path(), &flags).end();
    assert_eq!(code, 0, "{stderr}");
    let pinned = &profiles.record()["issued_for"];
    assert_eq!(pinned["client_certificate"], certificate.as_str());
    assert_eq!(pinned["token_url"], endpoint.as_str());
    profiles.expire();
    profiles.token();
    setup.assert_requests((3, 0));
    // A certificate that has to be renewed: later, soon and now.
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 0, "{check:?}");
    let same = KeyPair::from_pem(&std::fs::read_to_string(&key).unwrap()).unwrap();
    let until = |year| {
        let mut params = CertificateParams::new(["service.example".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let text = params.self_signed(&same).unwrap().pem();
        std::fs::write(&certificate, text).unwrap();
    };
    let age = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let next = 1971 + i32::try_from(age / 31_556_952).unwrap();
    until(next);
    let check = profiles.run(&["profiles", "check", "office", "--within", "3650d"]);
    assert_eq!(check.code, 12, "{check:?}");
    let words = format!("The client certificate expires on {next}-01-01");
    assert!(check.stdout.contains(&words), "{check:?}");
    until(2020);
    let words = "The certificate expired on 2020-01-01";
    let check = profiles.run(&["profiles", "check", "office"]);
    assert_eq!(check.code, 2, "{check:?}");
    assert!(check.stdout.contains(words), "{check:?}");
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(ran.stderr.contains(words), "{ran:?}");
    setup.assert_requests((3, 0));
}
