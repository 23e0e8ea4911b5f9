//! Server certificates, made by openssl: each that can't be trusted has its own message, with a fix. Also, CA files
//! that are not valid.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::plain::Plain;
use crate::servers::{eventually, run};
use crate::terminal::LIMIT;

fn openssl(folder: &Path, words: &str) {
    run(Command::new("openssl")
        .args(words.split_whitespace())
        .current_dir(folder));
}

/// Creates `NAME.pem` and `NAME.key` in the folder with `openssl req -x509` and these arguments.
fn issue(folder: &Path, name: &str, words: &str) {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.pem {words}"
        ),
    );
}

/// The flags of a device flow at this address.
fn flags(address: &str, more: &[&str]) -> Vec<String> {
    let mut flags: Vec<String> = ["--client-id", "cid", "--flow", "device-code"]
        .map(str::to_owned)
        .into();
    for (flag, path) in [("--device-url", "device"), ("--token-url", "token")] {
        flags.extend([flag.to_owned(), format!("https://{address}/{path}")]);
    }
    flags.extend(["--print".to_owned(), "access-token".to_owned()]);
    flags.extend(more.iter().map(|&flag| flag.to_owned()));
    flags
}

/// Runs a device flow at this address. Returns the exit code and standard error.
fn told(folder: &Path, address: &str, more: &[&str]) -> (i32, String) {
    let flags = flags(address, more);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (exit, stdout, stderr) = Plain::start(folder, &flags).end();
    assert_eq!(stdout, "", "{stderr}");
    for debug in [
        "Other(",
        "Error(",
        "::",
        "CaUsedAs",
        "{ ",
        "UnsupportedCert",
    ] {
        assert!(!stderr.contains(debug), "{stderr}");
    }
    (exit, stderr)
}

/// Starts a TLS server with this certificate; `client` makes it require a client certificate. Returns its address.
fn server(
    folder: &Path,
    name: &str,
    client: bool,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> String {
    let read = |ending: &str| folder.join(format!("{name}.{ending}"));
    let certificate = CertificateDer::from_pem_file(read("pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(read("key")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(versions)
        .unwrap();
    let builder = if client {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        builder.with_client_cert_verifier(verifier.build().unwrap())
    } else {
        builder.with_no_client_auth()
    };
    let config = Arc::new(builder.with_single_cert(vec![certificate], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                let session = ServerConnection::new(config).unwrap();
                let mut stream = StreamOwned::new(session, stream);
                let mut some = [0; 4096];
                if stream.read(&mut some).is_ok() {
                    let _ = stream.write_all(
                        b"HTTP/1.1 400 X\r\nContent-Length: 27\r\n\r\n{\"error\":\"invalid_request\"}",
                    );
                    let _ = stream.flush();
                }
            });
        }
    });
    address
}

#[test]
fn each_certificate_error_is_explained_with_a_fix() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let leaf = "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
    issue(folder, "self", &format!("-subj /CN=self -days 2 {leaf}"));
    issue(
        folder,
        "ca",
        "-subj /CN=ca -days 2 -addext subjectAltName=IP:127.0.0.1",
    );
    issue(
        folder,
        "other",
        "-subj /CN=other -days 2 -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:other.example",
    );
    issue(
        folder,
        "cn",
        "-subj /CN=127.0.0.1 -days 2 -addext basicConstraints=critical,CA:FALSE",
    );
    // Certificates issued by the CA that are not valid now, and one of a CA with another name.
    for (name, times) in [
        (
            "expired",
            "-not_before 20200101000000Z -not_after 20210101000000Z",
        ),
        (
            "later",
            "-not_before 20900101000000Z -not_after 20910101000000Z",
        ),
        ("good", "-days 2"),
    ] {
        openssl(
            folder,
            &format!(
                "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN=x"
            ),
        );
        std::fs::write(
            folder.join("leaf.ext"),
            "basicConstraints=critical,CA:FALSE\nsubjectAltName=IP:127.0.0.1\n",
        )
        .unwrap();
        signed(folder, name, times);
    }
    // A CA with the same name but another key.
    issue(folder, "twin", "-subj /CN=ca -days 2");
    let all = rustls::ALL_VERSIONS;
    for (name, ca, words) in [
        ("self", None, "issued by an untrusted CA"),
        ("good", None, "set CA file"),
        (
            "good",
            Some("twin"),
            "a different certificate with the same name",
        ),
        ("ca", Some("ca"), "CA:FALSE"),
        (
            "other",
            Some("other"),
            "for a different host name (other.example)",
        ),
        ("cn", Some("cn"), "subjectAltName is missing"),
        ("expired", Some("ca"), "has expired"),
        ("later", Some("ca"), "not valid yet"),
    ] {
        let address = server(folder, name, false, all);
        let file = ca.map(|ca| format!("{ca}.pem"));
        let more: Vec<&str> = file.iter().flat_map(|file| ["--ca-file", file]).collect();
        let (exit, stderr) = told(folder, &address, &more);
        assert!(
            exit == 5 && stderr.contains(words),
            "{name}: {exit} {stderr}"
        );
    }
    for (name, ca) in [("self", "self.pem"), ("good", "ca.pem")] {
        let address = server(folder, name, false, all);
        let (exit, stderr) = told(folder, &address, &["--ca-file", ca]);
        assert!(exit == 1 && stderr.contains("invalid_request"), "{stderr}");
    }
    // The CA certificates of the system are trusted as well.
    let address = server(folder, "good", false, all);
    let system = folder.join("ca.pem");
    let system = [("SSL_CERT_FILE", system.to_str().unwrap())];
    let flags = flags(&address, &["--ca-file", "self.pem"]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (exit, _, stderr) = Plain::start_with(folder, &flags, &system).end();
    assert!(exit == 1 && stderr.contains("invalid_request"), "{stderr}");
    // An empty variable counts as not set, and a wrong one is named.
    for (value, ca, code, words) in [
        ("", Some("ca.pem"), 1, "invalid_request"),
        ("", None, 5, "set CA file"),
        (
            "/nonexistent",
            None,
            2,
            "SSL_CERT_FILE: there is no such file",
        ),
    ] {
        let address = server(folder, "good", false, all);
        let more: Vec<&str> = ca.iter().flat_map(|file| ["--ca-file", file]).collect();
        let flags = self::flags(&address, &more);
        let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
        let system = [("SSL_CERT_FILE", value)];
        let (exit, _, stderr) = Plain::start_with(folder, &flags, &system).end();
        assert!(exit == code && stderr.contains(words), "{exit} {stderr}");
    }
}

/// Signs `NAME.csr` with the CA, with these dates of validity.
fn signed(folder: &Path, name: &str, times: &str) {
    if times.starts_with("-days") {
        openssl(
            folder,
            &format!(
                "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile leaf.ext -out {name}.pem {times}"
            ),
        );
        return;
    }
    // Only `openssl ca` can set both dates.
    for (file, text) in [
        ("index.txt", ""),
        ("serial", "01"),
        (
            "ca.conf",
            "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index.txt\nserial=serial\ndefault_md=sha256\npolicy=p\n\
             unique_subject=no\n[p]\ncommonName=supplied\n",
        ),
    ] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let times = times
        .replace("-not_before", "-startdate")
        .replace("-not_after", "-enddate");
    openssl(
        folder,
        &format!(
            "ca -batch -notext -config ca.conf -cert ca.pem -keyfile ca.key -extfile leaf.ext -in {name}.csr -out {name}.pem {times}"
        ),
    );
}

#[test]
fn service_that_requires_client_certificate_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let leaf = "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
    issue(folder, "self", &format!("-subj /CN=self -days 2 {leaf}"));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let address = server(folder, "self", true, &[version]);
        let (exit, stderr) = told(folder, &address, &["--ca-file", "self.pem"]);
        assert_eq!(exit, 5, "{stderr}");
        assert!(
            stderr.contains("client certificate") && !stderr.contains("may not use https"),
            "{version:?} {stderr}"
        );
    }
}

#[test]
fn server_without_secure_tls_or_http_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // An openssl server that supports at most TLS 1.1.
    issue(folder, "self", "-subj /CN=self -days 2");
    let port = crate::servers::free_port();
    let mut old = Command::new("openssl")
        .args([
            "s_server",
            "-quiet",
            "-tls1_1",
            "-cipher",
            "ALL:@SECLEVEL=0",
        ])
        .args(["-cert", "self.pem", "-key", "self.key"])
        .args(["-accept", &format!("127.0.0.1:{port}")])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = format!("127.0.0.1:{port}");
    eventually("the old server", || TcpStream::connect(&address).ok());
    let (exit, stderr) = told(folder, &address, &[]);
    old.kill().unwrap();
    old.wait().unwrap();
    assert!(exit == 5 && stderr.contains("TLS 1.2"), "{stderr}");
    // Another protocol on the port.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let (exit, stderr) = told(folder, &address, &[]);
    assert!(
        exit == 5 && stderr.contains("The port may not use https."),
        "{stderr}"
    );
    let flags = flags(&address, &[]);
    let flags: Vec<String> = flags
        .iter()
        .map(|flag| flag.replace("https:", "http:"))
        .collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let (exit, _, stderr) = Plain::start(folder, &flags).end();
    assert!(exit == 1 && stderr.contains("doesn't use HTTP"), "{stderr}");
}

#[test]
fn ca_file_allows_bom_and_wrong_formats_are_identified() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let leaf = "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1";
    issue(folder, "self", &format!("-subj /CN=self -days 2 {leaf}"));
    for (words, _) in [
        ("x509 -in self.pem -outform DER -out self.der", 0),
        ("x509 -in self.pem -trustout -out trusted.pem", 0),
        ("crl2pkcs7 -nocrl -certfile self.pem -out self.p7b", 0),
        (
            "crl2pkcs7 -nocrl -certfile self.pem -outform DER -out der.p7b",
            0,
        ),
        (
            "pkcs12 -export -nokeys -in self.pem -passout pass: -out self.p12",
            0,
        ),
    ] {
        openssl(folder, words);
    }
    let text = std::fs::read_to_string(folder.join("self.pem")).unwrap();
    std::fs::write(folder.join("marked.pem"), format!("\u{feff}{text}")).unwrap();
    std::fs::write(folder.join("cut.pem"), &text[..text.len() / 2]).unwrap();
    let utf_16: Vec<u8> = std::iter::once(0xfeff)
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    std::fs::write(folder.join("utf16.pem"), utf_16).unwrap();
    let address = server(folder, "self", false, rustls::ALL_VERSIONS);
    let (exit, stderr) = told(folder, &address, &["--ca-file", "marked.pem"]);
    assert!(exit == 1 && stderr.contains("invalid_request"), "{stderr}");
    for (file, words) in [
        ("self.der", "openssl x509 -inform DER -in self.der"),
        ("trusted.pem", "openssl x509 -in trusted.pem"),
        ("self.p7b", "openssl pkcs7 -print_certs -in self.p7b"),
        (
            "der.p7b",
            "openssl pkcs7 -inform DER -print_certs -in der.p7b",
        ),
        ("self.p12", "openssl pkcs12 -in self.p12"),
        ("self.key", "a private key"),
        ("cut.pem", "damaged"),
        ("utf16.pem", "UTF-16"),
    ] {
        let (exit, stderr) = told(folder, &address, &["--ca-file", file]);
        assert!(exit == 2 && stderr.contains(words), "{file}: {stderr}");
        // The suggested command converts the file.
        if let Some(command) = stderr.split("Convert it: ").nth(1) {
            let command = command.lines().next().unwrap().trim_end_matches('.');
            let command = command
                .split_once(". ")
                .map_or(command, |(command, _)| command);
            let words = command.strip_prefix("openssl ").unwrap();
            let password = if file == "self.p12" {
                " -passin pass:"
            } else {
                ""
            };
            openssl(folder, &format!("{words}{password}"));
            let (exit, stderr) = told(folder, &address, &["--ca-file", "ca.pem"]);
            assert!(
                exit == 1 && stderr.contains("invalid_request"),
                "{file}: {stderr}"
            );
        }
    }
}

#[test]
fn endless_or_blocked_ca_file_causes_no_hang() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    run(Command::new("mkfifo").arg(&fifo));
    let devices: [PathBuf; 4] = [
        fifo,
        "/dev/zero".into(),
        "/dev/random".into(),
        folder.path().into(),
    ];
    for file in devices {
        let file = file.to_str().unwrap();
        let started = std::time::Instant::now();
        let (exit, stderr) = told(folder.path(), "idp.example", &["--ca-file", file]);
        assert!(
            exit == 2 && stderr.contains("use the CA file"),
            "{file}: {stderr}"
        );
        assert!(started.elapsed() < LIMIT, "{file}");
    }
    // A signal ends the wait for the file at once.
    let flags = flags("idp.example", &["--ca-file", "fifo"]);
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let waiting = Plain::start(folder.path(), &flags);
    let writer = eventually("the reader of the pipe", || {
        let mut options = std::fs::File::options();
        let nobody_waits = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        options.write(true).custom_flags(nobody_waits);
        options.open(folder.path().join("fifo")).ok()
    });
    let started = std::time::Instant::now();
    run(Command::new("kill").args(["-TERM", &waiting.pid().to_string()]));
    let (exit, _, stderr) = waiting.end();
    assert_eq!(exit, 130, "{stderr}");
    assert!(started.elapsed() < std::time::Duration::from_secs(5));
    drop(writer);
}
