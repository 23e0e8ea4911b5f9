//! The JWT bearer grant (RFC 7523, section 2.1) with the key file of a service account.

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use super::assertion::Proof;
use super::client::Client;
use super::jose::pem::{in_utf8, normalized};
use super::jose::{Algorithm, KeyError, SigningKey, sign};
use super::request::{Request, RequestError};
use super::tools::Method;
use crate::clean::clean;
use crate::secret::{ExposeSecret, SecretString};

/// The value of `grant_type`.
pub const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Lifetime of an assertion, in seconds. Services reject a longer one.
const LIFE: u64 = 3600;
/// The `type` of a service account key file.
const KIND: &str = "service_account";

/// Why a key file can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileProblem {
    /// No content.
    #[error("It is empty.")]
    Empty,
    /// Another format, such as PKCS #12.
    #[error("It is not in JSON format.")]
    NotJson,
    /// JSON with other members, or not an object.
    #[error(
        "It is not a service account key: it is a list, or a member has the wrong type or appears twice."
    )]
    Malformed,
    /// The ID and secret of a client for signing in users.
    #[error(
        "It is a client secret file (\"{0}\"), which is for signing in users, not a service account key."
    )]
    ClientSecret(&'static str),
    /// A user's refresh token.
    #[error(
        "It contains a user's credentials (\"type\": \"authorized_user\"), not a service account key."
    )]
    User,
    /// A configuration for getting tokens from another service, without a private key.
    #[error(
        "It is a workload identity configuration (\"type\": \"external_account\") without a private key, not a service account \
         key."
    )]
    External,
    /// Any other type of file.
    #[error("It contains \"type\": \"{0}\". A service account key has \"type\": \"{KIND}\".")]
    OtherKind(String),
    /// A required member is missing.
    #[error("It has no {0}.")]
    Missing(&'static str),
    /// The private key can't be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The key belongs to another token endpoint.
    #[error(
        "Its key is for the token URL {named}, but Token ex. URL is {used}. Nothing was sent to either."
    )]
    OtherServer {
        /// The token URL in the file.
        named: String,
        /// The token URL in the settings.
        used: String,
    },
}

impl KeyFileProblem {
    /// Returns the fix, as a sentence.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Empty
            | Self::NotJson
            | Self::Malformed
            | Self::ClientSecret(_)
            | Self::User
            | Self::External
            | Self::OtherKind(_) => {
                "Enter the path of a service account's key in JSON format, as it was downloaded."
            }
            Self::Missing(_) | Self::Key(_) => {
                "Use the file exactly as it was downloaded, or create a new key."
            }
            Self::OtherServer { .. } => {
                "Use a key that the service of these settings issued, or correct Token ex. URL."
            }
        }
    }
}

/// A service account with its private key.
#[derive(Debug)]
pub struct ServiceAccount {
    email: String,
    key_id: String,
    key: SigningKey,
}

/// The members of a key file that are used; all others are ignored.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: Option<String>,
    client_email: Option<String>,
    private_key_id: Option<String>,
    #[serde(default, deserialize_with = "secret")]
    private_key: Option<SecretString>,
    token_uri: Option<String>,
    // The members of a client secret file.
    installed: Option<IgnoredAny>,
    web: Option<IgnoredAny>,
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

impl ServiceAccount {
    /// Parses the content of a key file. The key may only be used with `token_url`: sent to any other server, an
    /// assertion would be a leaked credential.
    ///
    /// # Errors
    /// Returns an error if the key can't be used.
    pub fn parse(json: &[u8], token_url: &Url) -> Result<Self, KeyFileProblem> {
        let decoded = in_utf8(json);
        let json = decoded.as_ref().map_or(json, |text| text.as_bytes());
        if json.trim_ascii().is_empty() {
            return Err(KeyFileProblem::Empty);
        }
        let file: KeyFile = serde_json::from_slice(json).map_err(|error| {
            // PKCS #12 starts with a digit, and PEM with a hyphen.
            let is_json = json.trim_ascii_start().starts_with(b"{") || json.starts_with(b"[");
            if is_json && error.is_data() {
                KeyFileProblem::Malformed
            } else {
                KeyFileProblem::NotJson
            }
        })?;
        match file.kind.as_deref() {
            Some(KIND) => {}
            Some("authorized_user") => return Err(KeyFileProblem::User),
            Some("external_account" | "external_account_authorized_user") => {
                return Err(KeyFileProblem::External);
            }
            Some(other) => return Err(KeyFileProblem::OtherKind(clean(other, 60))),
            None if file.installed.is_some() => {
                return Err(KeyFileProblem::ClientSecret("installed"));
            }
            None if file.web.is_some() => return Err(KeyFileProblem::ClientSecret("web")),
            None => return Err(KeyFileProblem::Missing("\"type\": \"service_account\"")),
        }
        let there = |member: Option<String>, name| {
            let member = member.filter(|text| !text.trim().is_empty());
            member.ok_or(KeyFileProblem::Missing(name))
        };
        let email = there(file.client_email, "client_email")?;
        let key_id = there(file.private_key_id, "private_key_id")?;
        let named = there(file.token_uri, "token_uri")?;
        if Url::parse(&named).ok().as_ref() != Some(token_url) {
            return Err(KeyFileProblem::OtherServer {
                named: clean(&named, 200),
                used: clean(token_url.as_str(), 200),
            });
        }
        let pem = file
            .private_key
            .filter(|key| !key.expose_secret().trim().is_empty())
            .ok_or(KeyFileProblem::Missing("private_key"))?;
        // The line breaks may have been escaped twice, or replaced.
        let pem = normalized(pem.expose_secret()).as_str().into();
        Ok(Self {
            email,
            key_id,
            key: SigningKey::from_pem(&pem, Algorithm::Rs256)?,
        })
    }

    /// Creates the assertion for a token with the scopes of `client`, issued at this time: for the user `subject` if
    /// there is one, otherwise for the service account itself.
    ///
    /// # Errors
    /// Returns an error if the key can't sign.
    pub fn assertion(
        &self,
        client: &Client,
        subject: Option<&str>,
        issued_at: u64,
    ) -> Result<SecretString, KeyFileProblem> {
        let mut claims: Map<String, Value> = [
            ("iss", self.email.as_str()),
            ("aud", client.token_url.as_str()),
            ("scope", &client.scope_text()),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
        claims.extend(subject.map(|subject| ("sub".to_owned(), subject.into())));
        claims.insert("iat".to_owned(), issued_at.into());
        claims.insert("exp".to_owned(), issued_at.saturating_add(LIFE).into());
        let header = [("typ", "JWT"), ("kid", &self.key_id)]
            .map(|(name, value)| (name.to_owned(), value.into()));
        Ok(sign(&Map::from_iter(header), &claims, &self.key)?)
    }
}

impl Client {
    /// Builds the request for an access token with an assertion. The assertion identifies the sender, so there is no
    /// client ID and no client secret.
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn jwt_bearer_request(&self, assertion: &SecretString) -> Result<Request, RequestError> {
        let request = Request {
            method: Method::Post,
            url: self.token_url.clone(),
            authorization: None,
            body: SecretString::default(),
            proof: Proof::None,
        };
        self.in_dialect(Ok(request), |form| {
            form.add("grant_type", GRANT);
            form.add("assertion", assertion.expose_secret());
            // `add_token_parameters` adds the resources.
            for (name, value) in self.extra.iter().filter(|(name, _)| name != "resource") {
                form.add(name, value);
            }
            self.add_token_parameters(form);
        })
    }
}

// openssl makes the keys.
#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use serde_json::json;

    use super::super::jose::openssl::Openssl;
    use super::*;
    use crate::form::field::Key;
    use crate::form::request::request;
    use crate::form::settings::Settings;
    use crate::oauth::flow_kind::FlowKind;

    const TOKEN_URL: &str = "https://as.example/token";
    const RSA: &str = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";

    fn parse(file: &Value) -> Result<ServiceAccount, KeyFileProblem> {
        let url = Url::parse(TOKEN_URL).unwrap();
        ServiceAccount::parse(file.to_string().as_bytes(), &url)
    }

    fn file(openssl: &Openssl, command: &str) -> Value {
        json!({
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "key-1",
            "private_key": openssl.pem("key.pem", command).expose_secret(),
            "client_email": "robot@p.example",
            "client_id": "123",
            "token_uri": TOKEN_URL,
        })
    }

    fn client(extra: &str) -> Client {
        let mut form = Settings::new(crate::presets::get("custom").unwrap());
        form.set_flow(FlowKind::JwtBearer);
        for (key, value) in [
            (Key::KeyFile, "/key.json"),
            (Key::Scope, "read write"),
            (Key::TokenUrl, TOKEN_URL),
            (Key::ExtraParameters, extra),
        ] {
            form.set(key, value.to_owned());
        }
        request(&form).unwrap().client
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn assertion_has_the_claims_and_a_signature_openssl_verifies() {
        let openssl = Openssl::new();
        let account = parse(&file(&openssl, RSA)).unwrap();
        let client = client("");
        for subject in [None, Some("alice@example.org")] {
            let assertion = account.assertion(&client, subject, 1_000).unwrap();
            let text = assertion.expose_secret();
            let (message, signature) = text.rsplit_once('.').unwrap();
            let (header, claims) = message.split_once('.').unwrap();
            assert_eq!(
                decoded(header),
                json!({"alg": "RS256", "kid": "key-1", "typ": "JWT"})
            );
            let mut wanted = json!({
                "iss": "robot@p.example", "aud": TOKEN_URL, "scope": "read write", "iat": 1_000, "exp": 4_600,
            });
            if let Some(subject) = subject {
                wanted["sub"] = subject.into();
            }
            assert_eq!(decoded(claims), wanted);
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            openssl.verify("key.pem", "-rawin -digest sha256", message, &signature);
        }
    }

    #[test]
    fn request_has_the_assertion_and_no_client_credentials() {
        let client = client("audience=x&resource=urn%3Aone");
        let request = client.jwt_bearer_request(&"a.b.c".into()).unwrap();
        assert_eq!(request.url.as_str(), TOKEN_URL);
        assert!(request.authorization.is_none());
        assert_eq!(
            request.body.expose_secret(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c&audience=x&resource=urn%3Aone"
        );
    }

    #[test]
    fn files_without_a_service_account_key_are_identified() {
        let openssl = Openssl::new();
        let good = file(&openssl, RSA);
        let with = |member: &str, value: Value| {
            let mut file = good.clone();
            file[member] = value;
            parse(&file).unwrap_err().to_string()
        };
        let url = Url::parse(TOKEN_URL).unwrap();
        for bytes in [&b""[..], b" \n", b"\xef\xbb\xbf", b"\xff\xfe"] {
            let problem = ServiceAccount::parse(bytes, &url).unwrap_err();
            assert_eq!(problem, KeyFileProblem::Empty);
        }
        for bytes in [&b"\x30\x82\x01"[..], b"{\"type\":", b"-----BEGIN"] {
            let problem = ServiceAccount::parse(bytes, &url).unwrap_err();
            assert_eq!(problem, KeyFileProblem::NotJson);
        }
        for (file, words) in [
            (json!({"installed": {"client_id": "x"}}), "(\"installed\")"),
            (json!({"web": {"client_id": "x"}}), "(\"web\")"),
            (json!({"type": "authorized_user"}), "a user's credentials"),
            (json!({"type": "external_account"}), "without a private key"),
            (json!({"type": "other\u{1b}[m"}), "\"type\": \"other"),
            (json!({}), "It has no \"type\": \"service_account\"."),
            (json!([]), "wrong type"),
            (json!({"type": 1}), "wrong type"),
        ] {
            let told = parse(&file).unwrap_err().to_string();
            assert!(told.contains(words) && !told.contains('\u{1b}'), "{told}");
        }
        for member in ["client_email", "private_key_id", "private_key", "token_uri"] {
            for nothing in [Value::Null, "".into(), " ".into()] {
                assert_eq!(with(member, nothing), format!("It has no {member}."));
            }
        }
        for (file, hint) in [
            (json!({"installed": {}}), "as it was downloaded."),
            (json!({"type": "service_account"}), "or create a new key."),
        ] {
            let problem = parse(&file).unwrap_err();
            assert!(problem.hint().ends_with(hint), "{problem:?}");
        }
        let told = with("private_key", "no key".into());
        assert!(told.contains("no private key in PEM format"), "{told}");
        let told = parse(&file(&openssl, "genpkey -algorithm ed25519")).unwrap_err();
        assert!(told.to_string().contains("RS256 requires an RSA key"));
    }

    #[test]
    fn key_file_in_utf_16_or_with_a_byte_order_mark_is_read() {
        let text = file(&Openssl::new(), RSA).to_string();
        let url = Url::parse(TOKEN_URL).unwrap();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
            [&[0xff, 0xfe], &little[..]].concat(),
            [&[0xfe, 0xff], &big[..]].concat(),
            little,
            big,
        ] {
            assert!(ServiceAccount::parse(&bytes, &url).is_ok());
        }
        for bytes in [
            &[0xff, 0xfe, 0, 0xd8][..],
            &[0xef, 0xbb, 0xbf, 0xff],
            b"{\0",
        ] {
            let problem = ServiceAccount::parse(bytes, &url).unwrap_err();
            assert_eq!(problem, KeyFileProblem::NotJson);
        }
    }

    #[test]
    fn private_key_is_read_despite_reformatted_lines() {
        let openssl = Openssl::new();
        let mut file = file(&openssl, RSA);
        let key = file["private_key"].as_str().unwrap().to_owned();
        for line_break in ["\\n", "\\r\\n", "\\\\n", " ", "\n    ", "", "\r\n\r\n"] {
            file["private_key"] = key.replace('\n', line_break).into();
            parse(&file).unwrap();
        }
        file["private_key"] = format!("\"{key}\"").into();
        parse(&file).unwrap();
        file["private_key"] = key.replacen("MI", "", 1).into();
        assert_eq!(parse(&file).unwrap_err(), KeyError::Damaged.into());
    }

    #[test]
    fn key_for_another_server_is_refused() {
        let openssl = Openssl::new();
        let mut file = file(&openssl, RSA);
        for other in [
            "https://evil.example/token",
            "https://as.example/token2",
            "http://as.example/token",
            "no URL",
        ] {
            file["token_uri"] = other.into();
            let told = parse(&file).unwrap_err().to_string();
            assert!(told.contains(other) && told.contains(TOKEN_URL), "{told}");
        }
        // The same URL in another spelling is accepted.
        file["token_uri"] = "https://AS.example:443/token".into();
        parse(&file).unwrap();
    }
}
