//! The console, the clipboard and the machine of Windows, under Wine. `tests/wine` replaces parts of Windows.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::scripted::{Reply, Scripted};
use crate::terminal::{self, ENTER, Terminal, base};
use crate::{InTmux, WINE, servers, variable};

/// A Wine command, ready to run in a folder that is also its home folder.
fn wine(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("wine");
    command
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .envs(base(home))
        .envs(WINE.map(|name| (name, variable(name))))
        .stdin(Stdio::null());
    command
}

/// The output of a command.
fn printed(command: &mut Command) -> String {
    servers::run(command).replace("\r\n", "\n")
}

/// The output of the helper program. Wine's processes find each other only with the same folder for temporary files.
fn helper(program: &InTmux, arguments: &[&str]) -> String {
    let helper = variable("HELPER_EXE");
    let all = [&[helper.as_str()], arguments].concat();
    printed(&mut wine(program.home.path(), &all))
}

/// The output of the program: standard output, then standard error.
fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&both).replace("\r\n", "\n")
}

#[test]
fn characters_missing_from_the_keyboard_can_be_pasted() {
    let mut program = InTmux::start(&["--no-browser"]);
    program.terminal.wait_for("[a Authorize]");
    program.terminal.focus("Client ID");
    helper(
        &program,
        &["paste", "oauth-authorizer.exe", "A~B€CüD8Q~x.y"],
    );
    program.terminal.wait_for("A~B€CüD8Q~x.y");
    // A key after the paste is typed only once, in the same field.
    program.terminal.send("z");
    program.terminal.wait_for("A~B€CüD8Q~x.yz");
    let there = |screen: &vt100::Screen| terminal::is_focused(screen, "Client ID");
    assert!(program.terminal.look(there));
}

/// Signs in at a service that approves at once.
fn signed_in(server: &Scripted) -> InTmux {
    let (device, token) = (
        format!("{}/device", server.url),
        format!("{}/token", server.url),
    );
    // Unset TMUX: the console does not run in tmux, which Windows doesn't have.
    let line = "TERMINAL_DEVICE=Z:$(tty | tr / '\\\\') exec env -u TMUX wine \"$@\"";
    let flags = [
        "--no-browser",
        "--device-url",
        &device,
        "--token-url",
        &token,
        "--client-id",
        "me",
        "--flow",
        "device-code",
    ];
    let mut program = InTmux::start_by(line, &flags);
    let terminal = &mut program.terminal;
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Access token");
    terminal.focus("Access token");
    program
}

fn clear(terminal: &mut Terminal) {
    terminal.send("o");
    terminal.wait_for("Clear clipboard");
    let marked = |screen: &vt100::Screen| terminal::is_focused(screen, "Clear clipboard");
    terminal.press_until("\x1b[B", "Clear clipboard", marked);
    terminal.send(ENTER);
}

#[test]
fn a_copied_token_stays_on_this_computer_and_can_be_removed() {
    let server = Scripted::start(|request| match request.path.as_str() {
        "/device" => Reply::json(
            200,
            r#"{"device_code":"d","user_code":"CODE","verification_uri":"http://127.0.0.1/","expires_in":60,"interval":1}"#,
        ),
        _ => Reply::json(
            200,
            r#"{"access_token":"copied-to-windows","token_type":"Bearer","expires_in":3600}"#,
        ),
    });
    let mut program = signed_in(&server);
    program.terminal.send("c");
    program.terminal.wait_for("It stays there after you quit.");
    assert_eq!(helper(&program, &["text"]), "copied-to-windows\n");
    let formats = helper(&program, &["formats"]);
    for format in [
        "CanIncludeInClipboardHistory",
        "CanUploadToCloudClipboard",
        "ExcludeClipboardContentFromMonitorProcessing",
    ] {
        assert!(
            formats.lines().any(|line| line == format),
            "{format}: {formats}"
        );
    }
    clear(&mut program.terminal);
    program.terminal.wait_for("Cleared");
    assert_eq!(helper(&program, &["text"]), "");
    // A later copy by another program is left alone.
    program.terminal.send("c");
    program.terminal.wait_for("It stays there after you quit.");
    helper(&program, &["copy", "of another program"]);
    clear(&mut program.terminal);
    program
        .terminal
        .wait_for("no longer contains what you copied");
    assert_eq!(helper(&program, &["text"]), "of another program\n");
}

#[test]
fn times_use_the_time_zone_of_the_machine() {
    let home = tempfile::tempdir().unwrap();
    let program = variable("OAUTH_AUTHORIZER_EXE");
    // 2026-01-01 00:00:00 UTC, and half a year later.
    let claims = URL_SAFE_NO_PAD.encode(r#"{"iat":1767225600,"exp":1782864000}"#);
    let token = format!("eyJhbGciOiJub25lIn0.{claims}.sig");
    // Wine takes the time zone from the system.
    for (zone, winter, summer) in [
        ("Asia/Tokyo", "2026-01-01 09:00:00", "2026-07-01 09:00:00"),
        (
            "Europe/Berlin",
            "2026-01-01 01:00:00",
            "2026-07-01 02:00:00",
        ),
        (
            "America/New_York",
            "2025-12-31 19:00:00",
            "2026-06-30 20:00:00",
        ),
    ] {
        let mut command = wine(home.path(), &[program.as_str(), "inspect", "-"]);
        command.env("TZ", zone).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(token.as_bytes()).unwrap();
        drop(stdin);
        let text = said(&child.wait_with_output().unwrap());
        for time in [winter, summer] {
            assert!(text.contains(time), "{zone}: {text}");
        }
    }
}

#[test]
fn legacy_console_is_refused_with_a_fix() {
    // Without TERM, as on Windows, where it would mean another kind of console.
    let line =
        "env -u TERM LEGACY_CONSOLE=1 wine \"$@\"; printf 'exit code %s\\n' $?; exec sleep 60";
    let program = InTmux::start_by(line, &["--no-browser"]);
    program.terminal.wait_for("exit code 1");
    // Wine may wrap the line anywhere.
    let said = program
        .terminal
        .look(vt100::Screen::contents)
        .replace('\n', "");
    let words = "clear \"Use legacy console\" and open a new window, or use --plain.";
    assert!(said.contains(words), "{said}");
}

#[test]
fn missing_console_is_reported_with_plain_mode_suggested() {
    let home = tempfile::tempdir().unwrap();
    let program = variable("OAUTH_AUTHORIZER_EXE");
    let output = wine(home.path(), &[program.as_str()]).output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for words in ["No terminal available", "SSH", "--plain --print"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

/// The proxy settings of the user, switched off on drop.
struct Proxy<'a>(&'a Path);

const PROXY_KEY: &str = r"HKCU\Software\Microsoft\Windows\CurrentVersion\Internet Settings";

impl Proxy<'_> {
    fn set(&self, name: &str, kind: &str, value: &str) {
        let line = [
            "reg", "add", PROXY_KEY, "/v", name, "/t", kind, "/d", value, "/f",
        ];
        printed(&mut wine(self.0, &line));
    }
}

impl Drop for Proxy<'_> {
    fn drop(&mut self) {
        self.set("ProxyEnable", "REG_DWORD", "0");
    }
}

#[test]
fn proxy_of_the_internet_settings_is_used() {
    let home = tempfile::tempdir().unwrap();
    let program = variable("OAUTH_AUTHORIZER_EXE");
    let settings = Proxy(home.path());
    settings.set("ProxyEnable", "REG_DWORD", "1");
    let by_proxy = "through the proxy 127.0.0.1:9 (the system's proxy settings)";
    for (servers, exceptions, proxied) in [
        ("127.0.0.1:9", "<local>", true),
        ("http=127.0.0.1:8;https=127.0.0.1:9", "", true),
        ("socks=127.0.0.1:9", "", true),
        ("http=127.0.0.1:9", "", false),
        ("https=127.0.0.1:9", "10.*;as*.invalid", false),
    ] {
        settings.set("ProxyServer", "REG_SZ", servers);
        settings.set("ProxyOverride", "REG_SZ", exceptions);
        let flags = [
            "--plain",
            "--flow=client-credentials",
            "--client-id=test",
            "--token-url=https://as.invalid/token",
            "--print=access-token",
        ];
        let mut command = wine(home.path(), &[&[program.as_str()], &flags[..]].concat());
        command.env("OAUTH_AUTHORIZER_CLIENT_SECRET", "secret-of-the-test");
        let output = command.output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(5), "{text}");
        assert_eq!(text.contains(by_proxy), proxied, "{servers}: {text}");
    }
}

/// A setting of the machine, removed on drop.
struct Installation<'a>(&'a Path);

const VERSION_KEY: &str = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion";

impl<'a> Installation<'a> {
    fn of(kind: &str, home: &'a Path) -> Self {
        let add = ["reg", "add", VERSION_KEY, "/v", "InstallationType"];
        printed(&mut wine(home, &[&add[..], &["/d", kind, "/f"]].concat()));
        Self(home)
    }
}

impl Drop for Installation<'_> {
    fn drop(&mut self) {
        let delete = ["reg", "delete", VERSION_KEY, "/v", "InstallationType", "/f"];
        let _ = wine(self.0, &delete).status();
    }
}

#[test]
fn server_core_has_a_clipboard_and_no_browser() {
    let home = tempfile::tempdir().unwrap();
    let program = variable("OAUTH_AUTHORIZER_EXE");
    let doctor = || {
        let mut command = wine(home.path(), &[program.as_str(), "doctor"]);
        printed(command.env("SESSIONNAME", "Console"))
    };
    let desktop = {
        let _server = Installation::of("Server", home.path());
        doctor()
    };
    assert!(desktop.contains("browser: will be opened"), "{desktop}");
    let core = {
        let _core = Installation::of("Server Core", home.path());
        doctor()
    };
    for line in [
        "clipboard: desktop clipboard (",
        "browser: won't be opened (this edition of Windows has none;",
        "default flow: device code where supported",
    ] {
        assert!(core.contains(line), "{line}: {core}");
    }
}

fn packaging(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join(".ci/packaging").join(name)).unwrap()
}

/// The libraries that the release loads on first use.
fn loaded_late() -> Vec<String> {
    let script = packaging("dlltool");
    let words = script.split([' ', '|', ')']);
    let is_library = |word: &&str| {
        let end = Path::new(word).extension();
        end.is_some_and(|end| end.eq_ignore_ascii_case("dll"))
    };
    let names = words.filter(is_library);
    names.map(str::to_owned).collect()
}

/// The libraries that the release's manifest loads from the Windows folder.
fn in_manifest() -> Vec<String> {
    let manifest = packaging("windows.manifest");
    let names = manifest.lines().filter_map(|line| {
        let (name, from) = line.trim().strip_prefix("<file name=\"")?.split_once('"')?;
        let whole = format!(" loadFrom=\"%SystemRoot%\\system32\\{name}\"/>");
        assert_eq!(from, whole, "{name}");
        Some(name.to_owned())
    });
    names.collect()
}

#[test]
fn dll_next_to_the_program_is_not_loaded() {
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("oauth-authorizer.exe");
    fs::copy(variable("OAUTH_AUTHORIZER_EXE"), &program).unwrap();
    let mut libraries = in_manifest();
    libraries.extend(["httpapi.dll", "secur32.dll"].map(str::to_owned));
    let late = loaded_late();
    assert!(libraries.len() > 4 && late.len() > 4, "{late:?}");
    libraries.extend(late);
    for library in &libraries {
        fs::copy(variable("PLANTED_DLL"), home.path().join(library)).unwrap();
    }
    // Wine has its own versions of these libraries. Only this override makes it search for others, as Windows does.
    let names: Vec<&str> = libraries
        .iter()
        .map(|library| library.trim_end_matches(".dll"))
        .collect();
    let overrides = format!("{};{}=n,b", variable("WINEDLLOVERRIDES"), names.join(","));
    let url = "http://127.0.0.1:47111/cb/";
    // The first command uses HTTP.sys, the second the desktop.
    for (arguments, words) in [
        (&["configure", "verify", "--redirect-url", url][..], url),
        (&["doctor", "--test-copy"], "copied: the desktop clipboard"),
    ] {
        let arguments = [&[program.to_str().unwrap()], arguments].concat();
        let mut command = wine(home.path(), &arguments);
        let output = command.env("WINEDLLOVERRIDES", &overrides).output();
        let text = said(&output.unwrap());
        assert!(text.contains(words), "{text}");
    }
    let files = fs::read_dir(home.path()).unwrap().flatten();
    let loaded: Vec<String> = files
        .map(|file| file.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".loaded"))
        .collect();
    assert!(loaded.is_empty(), "{loaded:?}");
}

/// Libraries that Windows never searches for in the program's folder, because they are among its `KnownDLLs`.
const KNOWN: [&str; 11] = [
    "advapi32.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "gdi32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ole32.dll",
    "oleaut32.dll",
    "shell32.dll",
    "user32.dll",
    "ws2_32.dll",
];

#[test]
fn program_links_only_windows_system_dlls() {
    let mut objdump = Command::new("x86_64-w64-mingw32-objdump");
    let text = servers::run(objdump.arg("-p").arg(variable("OAUTH_AUTHORIZER_EXE")));
    let mut imported: Vec<String> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("DLL Name: "))
        .map(str::to_lowercase)
        .collect();
    imported.sort();
    imported.dedup();
    println!("linked with {imported:?}");
    assert!(imported.contains(&"kernel32.dll".to_owned()));
    // ntdll.dll is in every process before the program. The other names are ones that Windows itself replaces.
    imported.retain(|name| name != "ntdll.dll" && !name.starts_with("api-ms-win-"));
    imported.extend(loaded_late());
    let safe = in_manifest();
    imported.retain(|name| !KNOWN.contains(&name.as_str()) && !safe.contains(name));
    assert!(imported.is_empty(), "{imported:?}");
}
