//! Profiles: saved sign-ins, and the tokens that scripts get from them.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::plain::Plain;
use crate::scripted::{Reply, Request, Scripted};
use crate::servers::{ODD_POST, ODD_SECRET, Provider, person, run};
use crate::terminal::{LIMIT, base, program};

/// Saved profiles, in the test's own home folder.
pub struct Profiles {
    pub home: tempfile::TempDir,
}

/// The result of running a command of the program.
#[derive(Debug, Default)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// The flags of a device code sign-in at a scripted server.
pub fn device_flags(url: &str) -> [String; 8] {
    let (device, token) = (format!("{url}/device"), format!("{url}/token"));
    [
        "--device-url",
        &device,
        "--token-url",
        &token,
        "--client-id",
        "me",
        "--flow",
        "device-code",
    ]
    .map(str::to_owned)
}

impl Profiles {
    pub fn new() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    /// Signs in at the provider as alice and saves the sign-in as `office`.
    pub fn at(provider: &Provider) -> Self {
        Self::with_scope(provider, "openid email offline_access")
    }

    /// Like `at`, with these scopes.
    pub fn with_scope(provider: &Provider, scope: &str) -> Self {
        let profiles = Self::new();
        let mut flags = provider.flags();
        flags.extend(
            [
                "--client-id",
                "public-native",
                "--scope",
                scope,
                "--extra-parameters",
                "prompt=consent",
            ]
            .map(str::to_owned),
        );
        profiles.sign_in(&flags, "office");
        profiles
    }

    pub fn sign_in(&self, flags: &[String], name: &str) {
        let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
        all.extend(["--save", name]);
        let mut plain = Plain::start(self.home.path(), &all);
        let url = plain.value("verification_uri_complete");
        assert_eq!(person(&url, &[])["outcome"], "approved");
        let (code, stdout, stderr) = plain.end();
        assert_eq!((code, stdout.as_str()), (0, ""), "{stderr}");
        assert!(
            stderr.contains(&format!("done: Saved as the profile {name}")),
            "{stderr}"
        );
    }

    /// Signs in with device code at a server that needs no approval, and saves the sign-in as `office`.
    pub fn save_device_flow(&self, flags: &[String]) {
        let mut all: Vec<&str> = flags.iter().map(String::as_str).collect();
        all.extend(["--save", "office"]);
        let (code, _, stderr) = Plain::start(self.home.path(), &all).end();
        assert_eq!(code, 0, "{stderr}");
    }

    /// A profile `office` with tokens from a scripted server, which from then on answers a refresh with `reply`.
    pub fn scripted(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (Self, Scripted) {
        let server = Scripted::start(move |request| match request.path.as_str() {
            "/device" => Reply::json(
                200,
                r#"{"device_code":"d","user_code":"CODE","verification_uri":"http://127.0.0.1/","expires_in":60,"interval":1}"#,
            ),
            _ if request
                .form
                .get("grant_type")
                .is_some_and(|grant| grant == "refresh_token") =>
            {
                reply(request)
            }
            _ => Reply::json(
                200,
                r#"{"access_token":"first","token_type":"Bearer","expires_in":3600,"refresh_token":"refresh-1"}"#,
            ),
        });
        let profiles = Self::new();
        profiles.save_device_flow(&device_flags(&server.url));
        (profiles, server)
    }

    /// A command of the program, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .envs(base(self.home.path()))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.command(arguments).output().unwrap().into()
    }

    /// Prints a valid access token of `office`.
    pub fn token(&self) -> String {
        let ran = self.run(&["token", "office"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran.stdout.trim_end().to_owned()
    }

    /// A file of `office` in the state folder.
    pub fn state(&self, end: &str) -> PathBuf {
        let folder = self
            .home
            .path()
            .join(".local/state/oauth-authorizer/profiles");
        folder.join(format!("office.{end}"))
    }

    pub fn settings(&self) -> PathBuf {
        self.home
            .path()
            .join(".config/oauth-authorizer/profiles/office.toml")
    }

    pub fn record(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.state("record")).unwrap()).unwrap()
    }

    /// Changes the record. A process that reads it meanwhile sees the old or the new record.
    pub fn edit(&self, change: impl FnOnce(&mut Value)) {
        let mut record = self.record();
        change(&mut record);
        let new = self.state("edited");
        std::fs::write(&new, record.to_string()).unwrap();
        let like = std::fs::metadata(self.state("record")).unwrap();
        std::fs::set_permissions(&new, like.permissions()).unwrap();
        std::fs::rename(&new, self.state("record")).unwrap();
    }

    /// Makes the access token expire.
    pub fn expire(&self) {
        self.edit(|record| {
            let obtained = record["tokens"]["obtained_at"].as_u64().unwrap() - 7200;
            record["tokens"]["obtained_at"] = json!(obtained);
            record["tokens"]["expires_at"] = json!(obtained + 3600);
        });
    }
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn saved_sign_in_provides_tokens_to_scripts() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::at(&provider);
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(
        settings.contains("client_id = \"public-native\""),
        "{settings}"
    );
    assert!(
        !settings.contains(
            profiles.record()["tokens"]["access_token"]
                .as_str()
                .unwrap()
        )
    );
    for end in ["record", "lock"] {
        assert_eq!(mode(&profiles.state(end)), 0o600, "{end}");
    }
    assert_eq!(mode(profiles.state("record").parent().unwrap()), 0o700);
    assert!(!profiles.state("next").exists());
    let token = profiles.token();
    assert_eq!(provider.userinfo(&token), (200, "alice".to_owned()));
    // The service received no request for it.
    assert_eq!(provider.refreshes(), (0, 0));
    profiles.expire();
    let fresh = profiles.token();
    assert_ne!(fresh, token);
    assert_eq!(provider.userinfo(&fresh), (200, "alice".to_owned()));
    assert_eq!(provider.refreshes(), (1, 0));
    assert_eq!(profiles.record()["generation"], 2);
    // An explicit refresh works, too.
    let ran = profiles.run(&["refresh", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr
            .starts_with("done: office: refreshed; the access token is valid for "),
        "{ran:?}"
    );
    assert!(!ran.stderr.contains("3600 seconds"), "{ran:?}");
    assert_eq!(provider.refreshes(), (2, 0));
    let ran = profiles.run(&["refresh", "--all", "--older-than", "1h"]);
    assert_eq!((ran.code, provider.refreshes()), (0, (2, 0)), "{ran:?}");
}

#[test]
fn refresh_all_skips_profiles_with_nothing_to_refresh() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    profiles.edit(|record| {
        record["tokens"]["expires_at"] = json!(null);
        record["tokens"]["refresh_token"] = json!(null);
        record["tokens"]["refresh_obtained_at"] = json!(null);
    });
    let flags = device_flags(&server.url);
    let mut save = vec!["profiles", "save", "settings"];
    save.extend(flags.iter().map(String::as_str));
    let ran = profiles.run(&save);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = profiles.run(&["refresh", "--all"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "skipped: office: There is no refresh token, and the access token has no expiry date.\n",
        "skipped: settings: There are no tokens",
    ] {
        assert!(ran.stderr.contains(line), "{ran:?}");
    }
    let ran = profiles.run(&["refresh", "office"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(
        ran.stderr
            .contains("the access token can't be replaced. It has no expiry date."),
        "{ran:?}"
    );
    // An expired token without a refresh token is still an error.
    profiles.expire();
    let ran = profiles.run(&["refresh", "--all"]);
    assert_eq!(ran.code, 7, "{ran:?}");
}

#[test]
fn each_format_carries_the_token_unchanged() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let odd = "a\"b'c\\d$e`f|%g";
    profiles.edit(|record| {
        record["tokens"]["access_token"] = json!(odd);
        record["tokens"]["expires_at"] = json!(4_000_000_000_u64);
        record["issued_for"]["user"] = json!("alice@example.org");
    });
    let run = |flags: &[&str]| {
        let ran = profiles.run(&[&["token", "office"], flags].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
        ran.stdout
    };
    let shell = |script: &str, input: &str| {
        let output = Command::new("sh")
            .args(["-c", script, "sh", input])
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(run(&[]), format!("{odd}\n"));
    assert_eq!(
        run(&["--format", "header"]),
        format!("Authorization: Bearer {odd}\n")
    );
    let json: Value = serde_json::from_str(&run(&["--format", "json"])).unwrap();
    assert_eq!(json["access_token"], odd);
    assert_eq!(json["expires_at"], "2096-10-02T07:06:40Z");
    assert!(json.get("refresh_token").is_none(), "{json}");
    let env = run(&["--format", "env"]);
    assert_eq!(shell("eval \"$1\"; printf %s \"$ACCESS_TOKEN\"", &env), odd);
    for (format, start) in [
        ("xoauth2", "user=alice@example.org\u{1}auth=Bearer "),
        ("oauthbearer", "n,a=alice@example.org,\u{1}auth=Bearer "),
    ] {
        let bytes = STANDARD
            .decode(run(&["--format", format]).trim_end())
            .unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(text, format!("{start}{odd}\u{1}\u{1}"), "{format}");
    }
    let git = run(&["--format", "git"]);
    assert_eq!(
        git,
        format!("username=alice@example.org\npassword={odd}\npassword_expiry_utc=4000000000\n")
    );
    let template =
        "{\"t\":{access_token|json},\"u\":\"{user|url}\",\"b\":\"{access_token|base64}\"}";
    let made: Value =
        serde_json::from_str(&run(&["--format", "template", "--template", template])).unwrap();
    assert_eq!(made["t"], odd);
    assert_eq!(made["u"], "alice%40example.org");
    assert_eq!(made["b"], STANDARD.encode(odd));
    let quoted = run(&["--template", "printf %s {access_token|sh}"]);
    assert_eq!(shell("eval \"$1\"", &quoted), odd);
    // curl reads the token from standard input: it is never in an argument.
    let server = Scripted::start(|_| Reply::json(200, "{}"));
    let curl = run(&["--format", "curl"]);
    let config = profiles.home.path().join("curl");
    std::fs::write(&config, curl).unwrap();
    let url = format!("{}/x", server.url);
    let output = Command::new("curl")
        .args(["-sS", "-v", "-K", config.to_str().unwrap(), &url])
        .output()
        .unwrap();
    let sent = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        sent.contains(&format!("Authorization: Bearer {odd}")),
        "{sent}"
    );
}

#[test]
fn conflicting_token_output_flags_are_refused() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    // Without the check, the token would be refreshed first.
    let before = server.requests("/token").len();
    profiles.edit(|record| record["tokens"]["expires_at"] = json!(1));
    for (flags, words) in [
        (
            &["--template", "{access_token}", "--format", "raw"][..],
            "--template can't be combined with another --format",
        ),
        (&["--format", "template"], "requires --template TEXT"),
        (
            &["--template", "{access_token|JSON}"],
            "unknown encoding JSON",
        ),
        (
            &["--template", "{ access_token }"],
            "invalid field { access_token }",
        ),
        (
            &["--template", "{access_token"],
            "invalid field {access_token.",
        ),
        (&["--user", "", "--format", "xoauth2"], "enter a mailbox"),
        (
            &["--user", "", "--format", "oauthbearer"],
            "enter a mailbox",
        ),
        (&["--user", "a\nb", "--format", "curl"], "enter a mailbox"),
        (&["--user", "a\nb"], "enter a mailbox"),
    ] {
        let ran = profiles.run(&[&["token", "office"], flags].concat());
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{flags:?}: {ran:?}"
        );
        assert!(ran.stderr.contains(words), "{flags:?}: {ran:?}");
    }
    assert_eq!(server.requests("/token").len(), before);
    // A line feed in the user of the record is rejected, too.
    profiles.edit(|record| {
        record["tokens"]["expires_at"] = json!(4_000_000_000_u64);
        record["issued_for"]["user"] = json!("a\nb");
    });
    for format in ["curl", "xoauth2", "oauthbearer", "git"] {
        let ran = profiles.run(&["token", "office", "--format", format]);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (2, ""),
            "{format}: {ran:?}"
        );
    }
    assert_eq!(profiles.run(&["token", "office"]).code, 0);
}

#[test]
fn profile_named_twice_is_refreshed_once() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"new","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    let before = server.requests("/token").len();
    let ran = profiles.run(&["refresh", "office", "OFFICE", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stderr.matches("refreshed").count(), 1, "{ran:?}");
    assert_eq!(server.requests("/token").len(), before + 1);
}

#[test]
fn token_file_is_written_only_to_a_private_folder() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    let home = profiles.home.path();
    let write = |path: &Path, more: &[&str]| {
        profiles.run(
            &[
                &["token", "office", "--output", path.to_str().unwrap()],
                more,
            ]
            .concat(),
        )
    };
    let file = home.join("token");
    assert_eq!(write(&file, &[]).code, 0);
    assert_eq!(
        (
            std::fs::read_to_string(&file).unwrap().as_str(),
            mode(&file)
        ),
        ("first\n", 0o600)
    );
    assert_eq!(write(&file, &["--mode", "640"]).code, 0);
    assert_eq!(mode(&file), 0o640);
    // A planted link, a folder that others can write to, and something that is not a file.
    let target = home.join("target");
    std::fs::write(&target, "old").unwrap();
    let link = home.join("link");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    let open = home.join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o777)).unwrap();
    let folder = home.join("folder");
    std::fs::create_dir(&folder).unwrap();
    for (path, words) in [
        (&link, "is a symbolic link"),
        (&open.join("token"), "can be changed by other users"),
        (&folder, "not a regular file"),
        (&home.join("missing/token"), "does not exist"),
    ] {
        let ran = write(path, &[]);
        assert_eq!(ran.code, 9, "{ran:?}");
        assert!(
            ran.stderr.contains(words) && ran.stdout.is_empty(),
            "{ran:?}"
        );
    }
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "old");
    assert_eq!(std::fs::read_dir(&open).unwrap().count(), 0);
    // The service is not asked for a token that can't be written.
    profiles.expire();
    let before = server.requests("/token").len();
    assert_eq!(write(&open.join("token"), &[]).code, 9);
    assert_eq!(server.requests("/token").len(), before);
}

#[test]
fn client_secret_comes_from_its_configured_source() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    let file = profiles.home.path().join("secret");
    std::fs::write(&file, format!("{ODD_SECRET}\n")).unwrap();
    let mut flags = provider.flags();
    flags.extend(
        [
            "--client-id",
            ODD_POST,
            "--client-secret-file",
            file.to_str().unwrap(),
            "--client-authentication",
            "post",
            "--flow",
            "device-code",
            "--scope",
            "openid offline_access",
            "--extra-parameters",
            "prompt=consent",
        ]
        .map(str::to_owned),
    );
    profiles.sign_in(&flags, "office");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    assert!(!settings.contains(ODD_SECRET), "{settings}");
    assert_eq!(profiles.record()["client_secret"], ODD_SECRET);
    std::fs::remove_file(&file).unwrap();
    profiles.expire();
    assert_eq!(provider.userinfo(&profiles.token()).0, 200);
    // Another source for the secret, edited by hand. A sign-in would have to accept a command first.
    profiles.edit(|record| record["client_secret"] = Value::Null);
    for (name, variable) in [("file", None), ("env", Some("OFFICE_SECRET"))] {
        let source = match variable {
            None => format!("file = {:?}", profiles.home.path().join("kept")),
            Some(variable) => format!("env = \"{variable}\""),
        };
        std::fs::write(profiles.home.path().join("kept"), ODD_SECRET).unwrap();
        std::fs::write(
            profiles.settings(),
            format!("{settings}\n[secret]\n{source}\n"),
        )
        .unwrap();
        profiles.expire();
        let mut command = profiles.command(&["token", "office"]);
        if let Some(variable) = variable {
            command.env(variable, ODD_SECRET);
        }
        let ran: Ran = command.output().unwrap().into();
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
    }
}

#[test]
fn profiles_are_listed_shown_renamed_and_deleted() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let ran = profiles.run(&["profiles", "list"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.starts_with("office\tCustom settings\t\ttoken "),
        "{ran:?}"
    );
    let ran = profiles.run(&["profiles", "list", "--json"]);
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list[0]["name"], "office");
    let ran = profiles.run(&["profiles", "show", "office"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.contains("client_id = \"me\"") && ran.stdout.contains("Refresh token: yes"),
        "{ran:?}"
    );
    assert!(
        !ran.stdout.contains("first") && !ran.stdout.contains("refresh-1"),
        "{ran:?}"
    );
    let before = profiles.settings().with_extension("toml.before");
    std::fs::write(&before, "").unwrap();
    let ran = profiles.run(&["profiles", "rename", "office", "Shop"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!before.exists() && before.with_file_name("Shop.toml.before").exists());
    let ran = profiles.run(&["token", "shop"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "first\n"), "{ran:?}");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(
        ran.stderr,
        "error: There is no profile \"office\".\nhint: Profiles: Shop.\n"
    );
    assert_eq!(
        profiles.run(&["profiles", "rename", "shop", "SHOP"]).code,
        0
    );
    assert_eq!(profiles.run(&["token", "Shop"]).code, 0);
    let ran = profiles.run(&["profiles", "delete", "shop"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let left: Vec<_> = std::fs::read_dir(profiles.state("x").parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.rsplit('.').next() != Some("lock"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(profiles.run(&["token", "shop"]).code, 2);
}

#[test]
fn failed_rename_keeps_the_name_and_leaves_no_copy_of_the_tokens() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let copy = profiles.state("x").with_file_name("shop.record");
    // Something else has the new name of the settings file.
    let target = profiles.settings().with_file_name("shop.toml.before");
    std::fs::create_dir(&target).unwrap();
    let before = profiles.settings().with_extension("toml.before");
    std::fs::write(&before, "").unwrap();
    let ran = profiles.run(&["profiles", "rename", "office", "shop"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(!copy.exists() && before.exists());
    assert_eq!(profiles.token(), "first");
    std::fs::remove_dir(&target).unwrap();
    // An existing name is a wrong argument.
    std::fs::write(profiles.settings().with_file_name("shop.toml"), "").unwrap();
    let ran = profiles.run(&["profiles", "rename", "office", "shop"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    // Without settings, each command names the file of the old name and what to do.
    std::fs::remove_file(profiles.settings()).unwrap();
    for command in [
        &["profiles", "rename", "office", "other"][..],
        &["profiles", "show", "office"],
        &["profiles", "export", "office", "--passphrase"],
    ] {
        let ran = profiles.run(command);
        let words = "office.toml does not exist. Restore the file, or";
        assert!(
            ran.code == 2 && ran.stderr.contains(words),
            "{command:?}: {ran:?}"
        );
    }
}

#[test]
fn client_secret_is_replaced_without_a_sign_in() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    let secret = |value: &str| {
        let path = profiles.home.path().join("secret");
        std::fs::write(&path, value).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    let flags = device_flags(&server.url);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let save = |more: &[&str]| profiles.run(&[&["profiles", "save", "office"], more].concat());
    let old = secret("old-secret");
    let post = ["--client-authentication", "post"];
    let own = ["--client-secret-file", old.as_str()];
    profiles.save_device_flow(
        &[&flags[..], &post, &own]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>(),
    );
    let sent = || {
        let ran = profiles.run(&["refresh", "office"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        server.requests("/token").pop().unwrap().form["client_secret"].clone()
    };
    let new = secret("new-secret");
    let ran = save(&["--profile", "office", "--client-secret-file", &new]);
    assert!(ran.code == 0 && !ran.stderr.contains("hint"), "{ran:?}");
    assert_eq!(sent(), "new-secret");
    // Without a flag for it, it stays.
    let ran = save(&[&flags[..], &post].concat());
    assert!(ran.code == 0 && !ran.stderr.contains("hint"), "{ran:?}");
    assert_eq!(sent(), "new-secret");
    let ran = save(&["--profile", "nobody"]);
    assert!(
        ran.code == 2 && ran.stderr.contains("There is no profile"),
        "{ran:?}"
    );
    // A credential of systemd can't be read at a sign-in in a shell.
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let text = format!("{settings}[secret]\ncredential = \"office\"\n");
    std::fs::write(profiles.settings(), text).unwrap();
    let sign_in = |more: &[&str]| {
        let flags = [&["--profile", "office", "--print", "json"], more].concat();
        Plain::start(profiles.home.path(), &flags).end()
    };
    // To change other settings of the profile, it isn't needed.
    let ran = save(&["--profile", "office", "--login-hint", "alice"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    for line in ["credential = \"office\"", "login_hint = \"alice\""] {
        assert!(settings.contains(line), "{settings}");
    }
    for command in [
        &["profiles", "save", "copy", "--profile", "office"][..],
        &[
            "profiles",
            "save",
            "office",
            "--profile",
            "office",
            "--client-secret-file",
            &new,
        ],
    ] {
        let ran = profiles.run(command);
        assert!(
            ran.code == 2 && ran.stderr.contains("The client secret can't be read"),
            "{ran:?}"
        );
    }
    let (code, _, stderr) = sign_in(&[]);
    assert!(
        code == 2 && stderr.contains("The client secret can't be read"),
        "{stderr}"
    );
    let flags = ["--profile", "office", "--print", "json"];
    let given = [("OAUTH_AUTHORIZER_CLIENT_SECRET", "of-variable")];
    for (ended, secret) in [
        (sign_in(&["--client-secret-file", &new]), "new-secret"),
        (
            Plain::start_with(profiles.home.path(), &flags, &given).end(),
            "of-variable",
        ),
    ] {
        assert_eq!(ended.0, 0, "{}", ended.2);
        let requests = server.requests("/token");
        let mut sent = requests.iter().map(|it| it.form.get("client_secret"));
        assert!(
            sent.any(|sent| sent.is_some_and(|sent| sent == secret)),
            "{secret}"
        );
    }
}

#[test]
fn saving_starts_with_another_profile_only_if_a_flag_names_it() {
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    let ran = profiles.run(&[
        "profiles",
        "save",
        "office",
        "--profile",
        "office",
        "--login-hint",
        "alice",
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let flags = device_flags(&server.url);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    for (name, variable) in [("fresh", "office"), ("other", "nobody")] {
        let ran: Ran = profiles
            .command(&[&["profiles", "save", name], &flags[..]].concat())
            .env("OAUTH_AUTHORIZER_PROFILE", variable)
            .output()
            .unwrap()
            .into();
        assert_eq!(ran.code, 0, "{ran:?}");
        let settings = profiles.settings().with_file_name(format!("{name}.toml"));
        let settings = std::fs::read_to_string(settings).unwrap();
        assert!(!settings.contains("alice"), "{settings}");
    }
}

#[test]
fn saving_an_opened_profile_keeps_changes_made_in_the_meantime() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let pipe = profiles.home.path().join("pipe");
    run(Command::new("mkfifo").arg(&pipe));
    let path = pipe.display().to_string();
    let save = |name: &str| {
        let open = ["profiles", "save", name, "--profile", "office"];
        let flags = ["--client-secret-file", &path];
        let child = profiles
            .command(&[&open[..], &flags].concat())
            .spawn()
            .unwrap();
        // The program reads the secret after it has opened the profile.
        let (sender, opened) = std::sync::mpsc::channel();
        let pipe = pipe.clone();
        std::thread::spawn(move || sender.send(std::fs::File::create(pipe)));
        let mut writer = opened.recv_timeout(LIMIT).unwrap().unwrap();
        let before = std::fs::read_to_string(profiles.settings()).unwrap();
        let changed = before.replace("client_id = \"me\"", "client_id = \"you\"");
        std::fs::write(profiles.settings(), changed).unwrap();
        writer.write_all(b"s3cret\n").unwrap();
        drop(writer);
        let ran = Ran::from(child.wait_with_output().unwrap());
        let after = std::fs::read_to_string(profiles.settings()).unwrap();
        assert!(after.contains("client_id = \"you\""), "{after}");
        std::fs::write(profiles.settings(), before).unwrap();
        ran
    };
    let ran = save("office");
    let words = "error: office was not saved. Another program changed it";
    assert!(ran.code == 9 && ran.stderr.starts_with(words), "{ran:?}");
    let ran = save("copy");
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn client_secret_of_one_service_is_not_sent_to_another() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"a","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    let path = profiles.home.path().join("secret");
    std::fs::write(&path, "own-secret").unwrap();
    let flags = device_flags(&server.url);
    let post = ["--client-authentication", "post"].map(str::to_owned);
    let secret = [
        "--client-secret-file".to_owned(),
        path.display().to_string(),
    ];
    profiles.save_device_flow(&[&flags[..], &post, &secret].concat());
    let (_, other) = Profiles::scripted(|_| Reply::json(500, ""));
    // The same client ID at another port, and another one.
    let same_id = device_flags(&other.url);
    let mut others = same_id.clone();
    others[5] = "another".to_owned();
    let command = |flags: &[String]| {
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        profiles.run(&[&["profiles", "save", "office"], &flags[..]].concat())
    };
    // Neither with flags for one sign-in, nor with settings that were saved.
    let open = ["--profile", "office"].map(str::to_owned);
    // Unless the user says so.
    let (_, third) = Profiles::scripted(|_| Reply::json(500, ""));
    let all = [&open[..], &device_flags(&third.url), &secret].concat();
    let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
    all.extend(["--print", "json"]);
    let (code, _, stderr) = Plain::start(profiles.home.path(), &all).end();
    assert_eq!(code, 0, "{stderr}");
    let sent = third.requests("/token").pop().unwrap();
    assert_eq!(sent.form["client_secret"], "own-secret");
    for others in [&same_id, &others] {
        let mut all = vec!["--profile", "office", "--print", "json"];
        all.extend(others.iter().map(String::as_str));
        let (code, _, stderr) = Plain::start(profiles.home.path(), &all).end();
        let words = "The stored client secret belongs to another client ID or service";
        assert!(code == 0 && stderr.contains(words), "{stderr}");
        for flags in [others.to_vec(), [&open[..], others].concat()] {
            let ran = command(&flags);
            assert_eq!(ran.code, 0, "{ran:?}");
            let is_told = ran.stderr.contains(words);
            assert_eq!(is_told, flags.starts_with(&open), "{ran:?}");
            let mut plain = Plain::start(
                profiles.home.path(),
                &["--profile", "office", "--print", "json"],
            );
            plain.value("user_code");
            let (code, _, stderr) = plain.end();
            assert_eq!(code, 0, "{stderr}");
        }
    }
    for request in other.all() {
        assert!(
            !format!("{request:?}").contains("own-secret"),
            "{request:?}"
        );
    }
    // It is still there for its own service.
    let ran = command(&[&flags[..], &post].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(profiles.run(&["refresh", "office"]).code, 0);
    let sent = server.requests("/token").pop().unwrap();
    assert_eq!(sent.form["client_secret"], "own-secret");
}

#[test]
fn renaming_keeps_newer_tokens_of_an_interrupted_refresh() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let mut next = profiles.record();
    next["generation"] = json!(next["generation"].as_u64().unwrap() + 1);
    next["tokens"]["access_token"] = json!("newer");
    let path = profiles.state("next");
    std::fs::write(&path, next.to_string()).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let ran = profiles.run(&["profiles", "rename", "office", "shop"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(profiles.run(&["token", "shop"]).stdout, "newer\n");
    assert!(!path.exists());
}

#[test]
fn settings_and_records_can_share_one_folder() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let folder = profiles.home.path().join("all");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).unwrap();
    for path in [profiles.settings(), profiles.state("record")] {
        std::fs::rename(&path, folder.join(path.file_name().unwrap())).unwrap();
    }
    let flag = ["token", "office", "--profiles", folder.to_str().unwrap()];
    assert_eq!(profiles.run(&flag).stdout, "first\n");
    let ran: Ran = profiles
        .command(&["token", "office"])
        .env("OAUTH_AUTHORIZER_PROFILES", &folder)
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.stdout, "first\n", "{ran:?}");
    // No other folder is searched.
    let empty = profiles.home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let ran = profiles.run(&["token", "office", "--profiles", empty.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn tokens_are_sent_only_to_their_original_service() {
    let elsewhere = Scripted::start(|_| Reply::json(200, "{}"));
    let other = format!("{}/token", elsewhere.url);
    let (profiles, server) = Profiles::scripted(|_| Reply::json(500, ""));
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let token_url = format!("{}/token", server.url);
    for (from, to, words) in [
        (
            token_url.as_str(),
            other.as_str(),
            "The token URL has changed since the tokens were issued",
        ),
        (
            "client_id = \"me\"",
            "client_id = \"you\"",
            "The client ID has changed since the tokens were issued",
        ),
        (
            "client_id = \"me\"",
            "client_id = \"me\"\nscope = \"more\"",
            "The scope has changed since the tokens were issued",
        ),
        (
            "client_id = \"me\"",
            "client_id = \"me\"\nca_file = \"/etc/hosts\"",
            "The CA file has changed since the tokens were issued",
        ),
        (
            "client_id = \"me\"",
            "client_id = \"me\"\nflow = \"authorization-code\"\nauthorization_url = \"http://127.0.0.1/authorize\"",
            "The flow has changed since the tokens were issued",
        ),
    ] {
        assert!(settings.contains(from), "{settings}");
        std::fs::write(profiles.settings(), settings.replace(from, to)).unwrap();
        for expired in [false, true] {
            if expired {
                profiles.expire();
            }
            let ran = profiles.run(&["token", "office"]);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{words}: {ran:?}");
            assert!(ran.stderr.contains(words), "{ran:?}");
        }
    }
    assert!(elsewhere.requests("/token").is_empty());
    let refreshes = server.requests("/token").len();
    assert_eq!(refreshes, 1, "only the sign-in itself");
    // The client secret is sent the same way as in the sign-in.
    let secret = |way: &str| {
        let way = format!("client_id = \"me\"\nclient_authentication = \"{way}\"");
        let text = settings.replace("client_id = \"me\"", &way);
        std::fs::write(profiles.settings(), text).unwrap();
    };
    profiles.edit(|record| {
        record["client_secret"] = json!("s3cret");
        record["issued_for"]["client_authentication"] = json!("post");
    });
    secret("basic");
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr
            .contains("The client authentication has changed since the tokens were issued"),
        "{ran:?}"
    );
    assert_eq!(server.requests("/token").len(), 1);
    secret("post");
    assert_eq!(
        profiles.run(&["token", "office"]).code,
        5,
        "it is the service that fails"
    );
    assert!(server.requests("/token").len() > 1);
    profiles.edit(|record| {
        record["client_secret"] = Value::Null;
        record["issued_for"]["client_authentication"] = json!("none");
    });
    // Settings that don't affect the tokens may be edited.
    std::fs::write(profiles.settings(), format!("# a note\n{settings}")).unwrap();
    profiles.edit(|record| {
        record["tokens"]["expires_at"] = json!(4_000_000_000_u64);
    });
    assert_eq!(profiles.token(), "first");
}

#[test]
fn a_changed_preset_gets_no_token() {
    let elsewhere = Scripted::start(|_| Reply::json(200, "{}"));
    let (profiles, server) = Profiles::scripted(|_| Reply::json(200, "{}"));
    let folder = profiles
        .home
        .path()
        .join(".config/oauth-authorizer/presets");
    std::fs::create_dir_all(&folder).unwrap();
    let write = |url: &str| {
        let text = format!(
            "id = \"mine\"\nname = \"Mine\"\ngroup = \"developer\"\nclient_id_help = \"Any.\"\n\n[endpoints]\n\
             device = \"{url}/device\"\ntoken = \"{url}/token\"\n"
        );
        std::fs::write(folder.join("mine.toml"), text).unwrap();
    };
    write(&server.url);
    let flags = ["--preset", "mine", "--client-id", "me", "--save", "office"];
    let (code, _, stderr) = Plain::start(profiles.home.path(), &flags).end();
    assert_eq!(code, 0, "{stderr}");
    write(&elsewhere.url);
    // A valid token is printed: printing sends it nowhere.
    assert_eq!(profiles.token(), "first");
    profiles.expire();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    assert!(
        ran.stderr
            .contains("The token URL has changed since the tokens were issued"),
        "{ran:?}"
    );
    assert!(elsewhere.requests("/token").is_empty());
}

#[test]
fn secret_command_runs_only_after_sign_in_approval() {
    let provider = Provider::start(&[("DEVICE_INTERVAL", "1")]);
    let profiles = Profiles::new();
    // A settings file written by hand, as for a service.
    let settings = profiles.settings();
    std::fs::create_dir_all(settings.parent().unwrap()).unwrap();
    std::fs::set_permissions(settings.parent().unwrap(), PermissionsExt::from_mode(0o700)).unwrap();
    let kept = profiles.home.path().join("kept");
    std::fs::write(&kept, ODD_SECRET).unwrap();
    let text = |command: &str| {
        format!(
            "format = 1\n\n[settings]\nclient_id = {:?}\nscope = \"openid offline_access\"\nextra_parameters = \"prompt=consent\"\nflow = \"device-code\"\nclient_authentication = \"post\"\ndevice_url = {:?}\ntoken_url = {:?}\nauthorization_url = {:?}\n\n[secret]\ncommand = {command}\nexpires = 2031-05-01\n",
            ODD_POST,
            provider.endpoint("device"),
            provider.endpoint("token"),
            provider.endpoint("authorization"),
        )
    };
    let command = format!("[\"cat\", {kept:?}]");
    std::fs::write(&settings, text(&command)).unwrap();
    profiles.sign_in(&["--profile".to_owned(), "office".to_owned()], "office");
    let saved = std::fs::read_to_string(&settings).unwrap();
    assert!(
        saved.contains(&format!(
            "[secret]\ncommand = {command}\nexpires = 2031-05-01\n"
        )),
        "{saved}"
    );
    assert_eq!(profiles.record()["client_secret"], Value::Null);
    assert!(
        !std::fs::read_to_string(profiles.state("record"))
            .unwrap()
            .contains(ODD_SECRET)
    );
    profiles.expire();
    assert_eq!(provider.userinfo(&profiles.token()).0, 200);
    // Another command is not run, not even when the form opens the profile.
    let witness = profiles.home.path().join("witness");
    std::fs::write(
        &settings,
        saved.replace(&command, &format!("[\"touch\", {witness:?}]")),
    )
    .unwrap();
    let before = provider.refreshes();
    for expired in [false, true] {
        if expired {
            profiles.expire();
        }
        let ran = profiles.run(&["token", "office"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(
            ran.stderr.contains(
                "The command for the client secret has changed since the tokens were issued"
            ),
            "{ran:?}"
        );
    }
    // A request to the service would need the secret.
    let ran = profiles.run(&["userinfo", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr
            .contains("The command for the client secret has changed"),
        "{ran:?}"
    );
    let mut plain = Plain::start(profiles.home.path(), &["--profile", "office", "--save"]);
    assert!(plain.value("hint").contains("wasn't run"));
    drop(plain);
    assert!(!witness.exists());
    assert_eq!(provider.refreshes(), before);
    // A command that fails says why, and the tokens stay.
    let failing = text("[\"sh\", \"-c\", \"echo locked >&2; exit 2\"]");
    profiles.edit(|record| {
        record["issued_for"]["secret_command"] = json!(["sh", "-c", "echo locked >&2; exit 2"]);
    });
    std::fs::write(&settings, failing).unwrap();
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("failed with exit code 2: locked."),
        "{ran:?}"
    );
    assert_eq!(provider.refreshes(), before);
}

#[test]
fn saving_settings_needs_no_sign_in_and_keeps_tokens() {
    let (profiles, server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    let flags = device_flags(&server.url);
    let flags = flags.each_ref().map(String::as_str);
    let save = |name, more: &[&'static str]| {
        profiles.run(&[&["profiles", "save", name], &flags[..], more].concat())
    };
    let ran = save("new", &["--login-hint", "alice@example.org"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = profiles.run(&["token", "new"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(
        ran.stderr
            .contains("hint: Sign in: oauth-authorizer --profile new"),
        "{ran:?}"
    );
    let shown = profiles.run(&["profiles", "show", "new"]).stdout;
    assert!(shown.contains("user = \"alice@example.org\""), "{shown}");
    // Existing settings are kept, and so are the tokens if they still match.
    let ran = save("office", &["--login-hint", "alice@example.org"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(profiles.settings().with_extension("toml.before").exists());
    assert_eq!(profiles.token(), "first");
    profiles.expire();
    assert_eq!(profiles.token(), "second");
    let ran = save("office", &["--scope", "more"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown = profiles.run(&["profiles", "show", "office"]).stdout;
    assert!(
        shown.contains("# State:    sign in again\n# Reason:   The scope has changed since"),
        "{shown}"
    );
    let ran = profiles.run(&["token", "office"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr
            .contains("The scope has changed since the tokens were issued"),
        "{ran:?}"
    );
    assert_eq!(profiles.record()["tokens"]["refresh_token"], "refresh-1");
    for wrong in [
        &["profiles", "save", "x", "--preset", "github"][..],
        &["profiles", "save", "x", "--plain"],
    ] {
        let ran = profiles.run(wrong);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
    assert_eq!(profiles.run(&["token", "x"]).code, 2);
}

#[test]
fn profiles_folder_is_used_and_repeated_in_suggested_commands() {
    let profiles = Profiles::new();
    let home = profiles.home.path();
    let folder = home.join("my profiles");
    let named = folder.to_str().unwrap();
    let form = device_flags("http://127.0.0.1:1");
    let form = form.each_ref().map(String::as_str);
    let save = |name: &'static str, before: &[&str], after: &[&str], variable: Option<&str>| {
        let all = [&["profiles", "save", name], before, &form, after].concat();
        let mut command = profiles.command(&all);
        command.envs(variable.map(|value| ("OAUTH_AUTHORIZER_PROFILES", value)));
        let ran = Ran::from(command.output().unwrap());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(folder.join(format!("{name}.toml")).exists(), "{ran:?}");
    };
    let elsewhere = home.join("elsewhere");
    let flag = format!("--profiles={named}");
    save("a", &["--profiles", named], &[], None);
    save("b", &[], &["--profiles", named], None);
    save("c", &[], &[&flag], elsewhere.to_str());
    save("d", &[], &[], Some(named));
    save("e", &[], &["--store", "file"], Some(named));
    assert!(!elsewhere.exists() && !home.join(".config").exists());
    // The commands that the program suggests name the folder, too.
    let ran = profiles.run(&["token", "a", "--profiles", named]);
    assert_eq!(ran.code, 7, "{ran:?}");
    let hint = format!("hint: Sign in: oauth-authorizer --profile a --profiles '{named}'\n");
    assert!(ran.stderr.contains(&hint), "{ran:?}");
    let ran = profiles.run(&["token", "a", "--profiles", elsewhere.to_str().unwrap()]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("elsewhere does not exist."), "{ran:?}");
}

#[test]
fn orphaned_tokens_are_listed_and_can_be_deleted() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    std::fs::remove_file(profiles.settings()).unwrap();
    let ran = profiles.run(&["profiles", "list"]);
    assert!(
        ran.stdout.starts_with("office\t") && ran.stdout.contains("office.toml does not exist"),
        "{ran:?}"
    );
    let ran = profiles.run(&["profiles", "delete", "office"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    assert!(!profiles.state("record").exists());
    assert_eq!(profiles.run(&["profiles", "list"]).stdout, "");
}

#[test]
fn missing_profiles_folder_is_an_error() {
    let profiles = Profiles::new();
    let file = profiles.home.path().join("file");
    std::fs::write(&file, "").unwrap();
    let missing = profiles.home.path().join("missing");
    for command in [
        &["profiles", "list"][..],
        &["profiles", "check"],
        &["refresh", "--all"],
    ] {
        for (folder, words) in [
            (&missing, "missing does not exist."),
            (&file, "file is not a folder."),
        ] {
            let ran = profiles.run(&[command, &["--profiles", folder.to_str().unwrap()]].concat());
            assert!(
                ran.code == 2 && ran.stdout.is_empty() && ran.stderr.contains(words),
                "{ran:?}"
            );
        }
        // The user's own folder is created with the first profile.
        assert_eq!(profiles.run(command).code, 0);
    }
    let ran = profiles.run(&["profiles", "list"]);
    assert!(
        ran.stdout.is_empty() && ran.stderr.starts_with("hint: There are no profiles in /"),
        "{ran:?}"
    );
}

#[test]
fn empty_token_is_refreshed_and_multiline_header_is_refused() {
    let (profiles, _server) = Profiles::scripted(|_| {
        Reply::json(
            200,
            r#"{"access_token":"second","token_type":"Bearer","expires_in":3600}"#,
        )
    });
    profiles.edit(|record| record["tokens"]["access_token"] = json!(""));
    assert_eq!(profiles.token(), "second");
    profiles.edit(|record| record["issued_for"]["header"] = json!("Bearer\r\nX-Evil: 1"));
    let ran = profiles.run(&["token", "office", "--format", "header"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{ran:?}");
    assert!(
        ran.stderr.contains(
            "office.record can't be used: its header contains a line break. Sign in again"
        ),
        "{ran:?}"
    );
}

/// A change to a record.
type Change<'a> = &'a dyn Fn(&mut Value);

#[test]
fn import_is_checked_and_shows_where_tokens_are_sent() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    let other = Profiles::new();
    let file = other.home.path().join("made.json");
    let import = |change: &dyn Fn(&mut Value)| {
        let mut record = profiles.record();
        change(&mut record);
        let made =
            json!({"format": 1, "profile": "office", "settings": settings, "record": record});
        std::fs::write(&file, made.to_string()).unwrap();
        other.run(&["profiles", "import", file.to_str().unwrap()])
    };
    let changes: [(Change<'_>, &str); 3] = [
        (
            &|record| record["tokens"]["access_token"] = json!("a\nb"),
            "made.json: It can't be imported: its access token contains a line break.\n",
        ),
        (
            &|record| record["issued_for"]["token_url"] = json!("http://evil.example/token"),
            "Its token URL (http://evil.example/token) can't be used. Plain http",
        ),
        (
            &|record| record["end"] = json!(false),
            "made.json: It is not a file of `oauth-authorizer profiles export`, or it is damaged.\n",
        ),
    ];
    for (change, words) in changes {
        let ran = import(change);
        assert!(ran.code == 9 && ran.stderr.contains(words), "{ran:?}");
        assert!(!ran.stderr.contains("office.record"), "{ran:?}");
        assert!(!other.settings().exists());
    }
    // From standard input, as over SSH.
    let copy = other.home.path().join("copy.json");
    std::fs::copy(&file, &copy).unwrap();
    let ran: Ran = other
        .command(&["profiles", "import", "-"])
        .stdin(std::fs::File::open(&copy).unwrap())
        .output()
        .unwrap()
        .into();
    let words = "error: standard input: It is not a file of";
    assert!(ran.code == 9 && ran.stderr.contains(words), "{ran:?}");
    let made = json!({"format": 1, "profile": "office", "settings": settings, "record": profiles.record()});
    std::fs::write(&copy, made.to_string()).unwrap();
    let elsewhere = Profiles::new();
    let ran: Ran = elsewhere
        .command(&["profiles", "import", "-"])
        .stdin(std::fs::File::open(&copy).unwrap())
        .output()
        .unwrap()
        .into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(elsewhere.token(), "first");
    let ran = import(&|record| {
        record["issued_for"]["tools"]["userinfo"] = json!("https://evil.example/me");
        record["issued_for"]["mail"] = json!(["imap evil.example:993 TLS"]);
    });
    assert_eq!(ran.code, 0, "{ran:?}");
    for words in [
        "hint: Its tokens are sent to http://127.0.0.1:",
        "hint: Its tokens can also be sent to https://evil.example/me (user info).\n",
        "hint: Its tokens can also be sent to the mail server imap evil.example:993 TLS.\n",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
}

#[test]
fn mailbox_added_to_settings_is_used() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let ask = || profiles.run(&["token", "office", "--format", "xoauth2"]);
    let ran = ask();
    assert!(
        ran.code == 2 && ran.stderr.contains("[mail] user"),
        "{ran:?}"
    );
    let text = std::fs::read_to_string(profiles.settings()).unwrap();
    let text = format!("{text}\n[mail]\nuser = \"alice@example.org\"\n");
    std::fs::write(profiles.settings(), text).unwrap();
    let ran = ask();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    let ran = profiles.run(&["token", "office", "--format", "curl"]);
    assert!(ran.stdout.contains("alice@example.org"), "{ran:?}");
    let ran = profiles.run(&["mail-test", "office", "imap", "--server", "127.0.0.1:1:TLS"]);
    assert!(!ran.stderr.contains("no mailbox"), "{ran:?}");
}

#[test]
fn encrypted_profile_moves_to_another_computer() {
    let (profiles, _server) = Profiles::scripted(|_| Reply::json(500, ""));
    let home = profiles.home.path();
    let key = home.join("key");
    let output = Command::new("age-keygen")
        .arg("-o")
        .arg(&key)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let recipient = said.trim().rsplit(' ').next().unwrap();
    let file = home.join("office.age");
    let export = [
        "profiles",
        "export",
        "office",
        "-r",
        recipient,
        "--to",
        file.to_str().unwrap(),
    ];
    let ran = profiles.run(&export);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{ran:?}");
    assert!(ran.stderr.contains("on only one computer"), "{ran:?}");
    let bytes = std::fs::read(&file).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("refresh-1"));
    // Nothing is overwritten.
    assert_eq!(profiles.run(&export).code, 1);
    let other = Profiles::new();
    let import = |more: &[&str]| {
        let base = [
            "profiles",
            "import",
            file.to_str().unwrap(),
            "--identity",
            key.to_str().unwrap(),
        ];
        other.run(&[&base, more].concat())
    };
    let ran = import(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stderr
            .contains("hint: Its tokens are sent to http://127.0.0.1:"),
        "{ran:?}"
    );
    assert_eq!(other.token(), "first");
    assert_eq!(mode(&other.state("record")), 0o600);
    assert_eq!(import(&[]).code, 2, "it is there already");
    assert_eq!(import(&["--as", "copy"]).code, 0);
    assert_eq!(other.run(&["token", "copy"]).stdout, "first\n");
    // Imported at each start of a container: a record that was refreshed since is newer than the file.
    other.edit(|record| {
        record["generation"] = json!(5);
        record["tokens"]["access_token"] = json!("fresh");
    });
    let ran = import(&["--if-newer"]);
    assert!(
        ran.code == 0 && ran.stderr.contains("Nothing changed"),
        "{ran:?}"
    );
    assert_eq!(other.token(), "fresh");
    other.edit(|record| record["generation"] = json!(0));
    assert_eq!(import(&["--if-newer"]).code, 0);
    assert_eq!(other.token(), "first");
    // Settings that run a command are shown and must be accepted.
    let settings = std::fs::read_to_string(profiles.settings()).unwrap();
    std::fs::write(
        profiles.settings(),
        format!("{settings}\n[secret]\ncommand = [\"touch\", \"/x\"]\n"),
    )
    .unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(profiles.run(&export).code, 0);
    let ran = import(&["--as", "third"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(
        ran.stderr.contains("touch /x") && ran.stderr.contains("--allow-commands"),
        "{ran:?}"
    );
    assert_eq!(import(&["--as", "third", "--allow-commands"]).code, 0);
    // Even accepted, a command that the record does not name is not run.
    let ran = other.run(&["token", "third"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    // Mistakes in the flags are not mistaken for mistakes in the profile.
    for (change, code, words) in [
        (["-r", "age1nothing", "--to", "-"], 2, "Check --recipient."),
        (
            ["-r", recipient, "--to", "/nonexistent/x.age"],
            1,
            "There is no folder /nonexistent.",
        ),
        (
            ["-r", recipient, "--to", home.to_str().unwrap()],
            1,
            "is a folder.",
        ),
    ] {
        let ran = profiles.run(&[&["profiles", "export", "office"], &change[..]].concat());
        assert!(ran.code == code && ran.stderr.contains(words), "{ran:?}");
    }
    let to_stdout = ["profiles", "export", "office", "-r", recipient, "--to", "-"];
    let output = profiles.command(&to_stdout).output().unwrap();
    assert!(
        output.stdout.starts_with(b"age-encryption.org/"),
        "{output:?}"
    );
    let none = [
        "profiles",
        "import",
        file.to_str().unwrap(),
        "--identity",
        "/nonexistent/key",
    ];
    let ran = other.run(&none);
    assert!(
        ran.code == 2
            && ran
                .stderr
                .contains("/nonexistent/key can't be used: there is no such file."),
        "{ran:?}"
    );
    std::fs::write(&file, "not a profile").unwrap();
    assert_eq!(import(&["--as", "fourth"]).code, 9);
    let ran: Ran = profiles
        .command(&export)
        .env("PATH", home)
        .output()
        .unwrap()
        .into();
    assert!(
        ran.code == 9 && ran.stderr.contains("age is not installed"),
        "{ran:?}"
    );
}
