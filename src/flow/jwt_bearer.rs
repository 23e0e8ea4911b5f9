//! The JWT bearer flow (RFC 7523, section 2.1): gets an access token with a service account's key file, without a user.

use url::Url;

use super::client_credentials::access_token;
use super::event::{FlowError, FlowEvent, ServiceAccountError};
use super::http::Http;
use super::reporter::Reporter;
use crate::clean::clean_path;
use crate::clock::unix_time;
use crate::form::request::{FlowRequest, ServiceAccountFile};
use crate::oauth::asked::Asked;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::jwt_bearer::ServiceAccount;
use crate::oauth::request::RequestError;
use crate::oauth::token::TokenSet;
use crate::store::file::read::{
    self, Kinds, ReadError, aside, in_time, may_others_read, read_again,
};

/// Maximum size of a key file, in bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// Gets an access token with the key of a service account. `again` is true if there already was an access token.
pub(super) async fn jwt_bearer(
    request: &FlowRequest,
    again: bool,
    reporter: &Reporter,
) -> Result<TokenSet, FlowError> {
    let (file, client) = (request.service_account.as_ref(), &request.client);
    let file = file.ok_or(RequestError::KEY_FILE)?;
    let account = service_account(file, &client.token_url, reporter).await?;
    let http = Http::new(request.ca_file.as_deref()).await?;
    let assertion = account
        .assertion(client, file.subject.as_deref(), unix_time())
        .map_err(|problem| ServiceAccountError::of_content(file, &problem))?;
    let sent = client.jwt_bearer_request(&assertion)?;
    let asked = (FlowKind::JwtBearer, Asked::JwtBearer);
    access_token(&http, client, &sent, asked, again, reporter).await
}

async fn service_account(
    file: &ServiceAccountFile,
    token_url: &Url,
    reporter: &Reporter,
) -> Result<ServiceAccount, FlowError> {
    let (named, url) = (file.clone(), token_url.clone());
    let KeyFile {
        account,
        open_to_others,
    } = aside(move || KeyFile::read(&named, &url))
        .await
        .unwrap_or_else(|error| Err(ServiceAccountError::unread(file, &error)))?;
    if open_to_others {
        let note = format!("{} {CHMOD}", described(file));
        reporter.report(FlowEvent::Note(note)).await;
    }
    Ok(account)
}

/// The fix for a key file that other users can read.
const CHMOD: &str = "Run chmod 600 on it.";

fn described(file: &ServiceAccountFile) -> String {
    let path = clean_path(&file.path);
    format!("The key file {path} can be read by other users.")
}

/// The contents of a key file.
struct KeyFile {
    account: ServiceAccount,
    open_to_others: bool,
}

impl KeyFile {
    fn read(file: &ServiceAccountFile, token_url: &Url) -> Result<Self, ServiceAccountError> {
        let open_to_others = may_others_read(&file.path);
        let json = read_again(&file.path, SIZE_LIMIT)
            .map_err(|error| ServiceAccountError::unread(file, &error))?;
        let account = ServiceAccount::parse(&json, token_url)
            .map_err(|problem| ServiceAccountError::of_content(file, &problem))?;
        Ok(Self {
            account,
            open_to_others,
        })
    }
}

/// Checks whether the key file of a request can be used, without sending anything. If the file can be used but isn't
/// private, returns a warning and a fix, each as a sentence.
///
/// # Errors
/// Returns why the file can't be used.
pub fn check(request: &FlowRequest) -> Result<Option<(String, &'static str)>, ServiceAccountError> {
    let Some(file) = request.service_account.clone() else {
        return Ok(None);
    };
    // The run that needs the key reads the pipe, which can only be read once.
    if matches!(
        read::check(&file.path, Kinds::Regular),
        Err(ReadError::Pipe)
    ) {
        return Ok(None);
    }
    let (named, url) = (file.clone(), request.client.token_url.clone());
    let read = in_time(move || KeyFile::read(&named, &url))
        .unwrap_or_else(|error| Err(ServiceAccountError::unread(&file, &error)))?;
    Ok(read.open_to_others.then(|| (described(&file), CHMOD)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::flow::scripted::reporter;

    async fn error_of(content: Option<&[u8]>) -> ServiceAccountError {
        let folder = tempfile::tempdir().unwrap();
        let file = ServiceAccountFile {
            path: folder.path().join("key.json"),
            subject: None,
            help: "Help of the preset.".to_owned(),
        };
        if let Some(content) = content {
            std::fs::write(&file.path, content).unwrap();
        }
        let (reporter, _) = reporter();
        let url = Url::parse("https://as.example/token").unwrap();
        match service_account(&file, &url, &reporter).await {
            Err(FlowError::KeyFile(error)) => error,
            other => unreachable!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn invalid_key_file_error_explains_where_to_get_one() {
        let missing = error_of(None).await;
        assert!(missing.to_string().contains("There is no such file."));
        let large = vec![b' '; usize::try_from(SIZE_LIMIT).unwrap() + 1];
        let large = error_of(Some(&large)).await;
        assert!(large.to_string().contains("It is larger than 64 KiB."));
        let other = error_of(Some(b"{\"installed\": {}}")).await;
        assert!(other.to_string().contains("client secret file"), "{other}");
        assert!(other.hint().ends_with("Help of the preset."), "{other:?}");
    }

    /// Creates a request with this key file.
    fn with_file(path: Option<std::path::PathBuf>) -> FlowRequest {
        FlowRequest {
            kind: FlowKind::JwtBearer,
            client: crate::flow::scripted::client(),
            redirect_url: None,
            listen: None,
            listener: crate::form::choices::ListenerChoice::Loopback,
            certificate: None,
            ca_file: None,
            service_account: path.map(|path| ServiceAccountFile {
                path,
                subject: None,
                help: String::new(),
            }),
        }
    }

    #[test]
    fn unusable_key_file_is_reported_before_any_request() {
        assert_eq!(check(&with_file(None)), Ok(None));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.json");
        let missing = check(&with_file(Some(path.clone()))).unwrap_err();
        assert!(missing.to_string().contains("There is no such file."));
        std::fs::write(&path, "{}").unwrap();
        let other = check(&with_file(Some(path))).unwrap_err();
        assert!(other.to_string().contains("service_account"), "{other}");
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn key_file_readable_by_others_causes_a_warning() {
        use std::os::unix::fs::PermissionsExt;
        let openssl = crate::oauth::jose::openssl::Openssl::new();
        let rsa = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048";
        let key = openssl.pem("key.pem", rsa);
        let path = openssl.at("key.json");
        let account = serde_json::json!({
            "type": "service_account", "private_key_id": "key-1", "client_email": "robot@p.example",
            "private_key": crate::secret::ExposeSecret::expose_secret(&key), "token_uri": "https://as.example/token",
        });
        std::fs::write(&path, account.to_string()).unwrap();
        let request = with_file(Some(path.clone()));
        let said = format!(
            "The key file {} can be read by other users.",
            path.display()
        );
        for (mode, expected) in [(0o600, None), (0o644, Some(said))] {
            std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
            let found = check(&request).unwrap();
            assert_eq!(found, expected.clone().map(|said| (said, CHMOD)));
            let (reporter, told) = reporter();
            let file = request.service_account.as_ref().unwrap();
            let read = service_account(file, &request.client.token_url, &reporter).await;
            assert!(read.is_ok(), "{read:?}");
            drop(reporter);
            let told = told.await.unwrap().into_iter();
            let notes: Vec<String> = told
                .filter_map(|event| match event {
                    FlowEvent::Note(note) => Some(note),
                    _ => None,
                })
                .collect();
            let expected = expected.map(|said| format!("{said} {CHMOD}"));
            assert_eq!(notes, Vec::from_iter(expected));
        }
    }
}
