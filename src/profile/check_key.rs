//! Forecasts problems of a client key and its certificate. Nothing in this module reads a file or a clock.

use super::dates::Now;
use super::finding::{Finding, Level};
use crate::certificate::store_path::StorePath;
use crate::oauth::assertion::{KeyFileError, KeyFiles, KeyPart};

/// Returns what is wrong with the client key and certificate, or will be within the next `within` seconds. `expires_at`
/// is when the certificate expires, if there is one.
#[must_use]
pub fn client_key(
    files: &KeyFiles,
    expires_at: &Result<Option<u64>, KeyFileError>,
    now: &Now,
    within: u64,
) -> Option<Finding> {
    let in_store = StorePath::is_meant(&files.key.to_string_lossy());
    match expires_at {
        Err(error) => Some(Finding {
            level: Level::Settings,
            id: match error.part {
                KeyPart::Key => "client-key",
                KeyPart::Certificate => "client-certificate",
            },
            at: None,
            text: error.to_string(),
            // Errors of a certificate store already include the fix.
            fix: (!in_store).then(|| "Repair or replace the file.".to_owned()),
        }),
        Ok(Some(end)) if end.saturating_sub(now.seconds) <= within => Some(Finding {
            level: Level::Soon,
            id: "client-certificate-expires",
            at: Some(*end),
            text: format!("The client certificate expires {}.", now.when(*end)),
            fix: Some(if in_store {
                "Register a new certificate with the service, and put its thumbprint at the end of client_key."
                    .to_owned()
            } else {
                "Register a new certificate with the service, and replace the file.".to_owned()
            }),
        }),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn expiring_certificates_and_unusable_files_are_reported() {
        const DAY: u64 = 86_400;
        let now = Now {
            seconds: 1_795_737_600,
            zone: TimeZone::UTC,
        };
        let missing = KeyFileError {
            part: KeyPart::Key,
            path: "/k".to_owned(),
            reason: "There is no such file.".to_owned(),
        };
        let files = |key: &str| KeyFiles {
            key: key.into(),
            certificate: None,
        };
        for (result, expected) in [
            (Ok(None), None),
            (Ok(Some(now.seconds + 31 * DAY)), None),
            (
                Ok(Some(now.seconds + 16 * DAY)),
                Some("Soon The client certificate expires on 2026-12-13 (in 16 days)."),
            ),
            (
                Err(missing),
                Some("Settings Client key /k: There is no such file."),
            ),
        ] {
            let found = client_key(&files("/k"), &result, &now, 30 * DAY);
            let found = found.map(|it| format!("{:?} {}", it.level, it.text));
            assert_eq!(found.as_deref(), expected);
        }
        let stored = files(r"Cert:\LocalMachine\My\00");
        let soon = client_key(&stored, &Ok(Some(now.seconds)), &now, DAY);
        let fix = soon.and_then(|it| it.fix);
        assert!(fix.is_some_and(|fix| fix.contains("its thumbprint")));
    }
}
