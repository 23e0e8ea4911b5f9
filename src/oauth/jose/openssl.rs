//! Keys that openssl makes for tests.
#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::secret::SecretString;

/// A temporary folder in which openssl makes keys. It is removed on drop.
pub(crate) struct Openssl(tempfile::TempDir);

impl Openssl {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn run(&self, command: &str) {
        let mut parts = command.split(' ');
        let out = Command::new(parts.next().unwrap())
            .args(parts)
            .current_dir(self.0.path())
            .output()
            .unwrap();
        assert!(
            out.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&out.stderr)
        );
    }

    /// Makes a key in the file `name`.
    pub(crate) fn pem(&self, name: &str, command: &str) -> SecretString {
        self.run(&format!("openssl {command} -out {name}"));
        std::fs::read_to_string(self.at(name)).unwrap().into()
    }

    /// Verifies a signature with openssl, which is independent of this program.
    pub(crate) fn verify(&self, key: &str, options: &str, message: &str, signature: &[u8]) {
        std::fs::write(self.at("message"), message).unwrap();
        std::fs::write(self.at("signature"), signature).unwrap();
        self.run(&format!(
            "openssl pkeyutl -verify -inkey {key} -in message -sigfile signature {options}"
        ));
    }
}

/// Returns the public half of a key as a JWK, converted with openssl.
pub(crate) fn jwk(openssl: &Openssl, name: &str) -> Value {
    openssl.run(&format!(
        "openssl pkey -in {name} -pubout -outform DER -out public"
    ));
    let der = std::fs::read(openssl.at("public")).unwrap();
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match der.len() {
        // The last bytes are the point.
        91 => json!({"kty":"EC","crv":"P-256","x":text(&der[27..59]),"y":text(&der[59..])}),
        120 => json!({"kty":"EC","crv":"P-384","x":text(&der[24..72]),"y":text(&der[72..])}),
        44 => json!({"kty":"OKP","crv":"Ed25519","x":text(&der[12..])}),
        // 257 bytes of the modulus (the first is zero), and 65537.
        294 => json!({"kty":"RSA","n":text(&der[33..289]),"e":text(&der[291..])}),
        other => unreachable!("{other}"),
    }
}
