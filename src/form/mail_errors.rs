//! Explains the errors of mail servers.

use super::explain::names;
use crate::mail::server::Protocol;
use crate::presets::Library;
use crate::presets::errors::{At, ErrorEntry};

/// The set of explanations for mail servers.
pub(super) const MAIL: &str = "mail";

/// Explains a mail server's response, which consists of its last reply and the error before it, if there was one.
#[must_use]
pub fn explain_mail(protocol: Protocol, answer: &str, library: &Library) -> Option<ErrorEntry> {
    let mut entries = library.explanations(MAIL).into_iter();
    entries.find(|entry| {
        let parts = [&entry.code, &entry.text];
        entry.at.contains(&At::Mail)
            && entry.protocol.is_none_or(|of| of == protocol)
            && parts.iter().any(|part| part.is_some())
            && parts.into_iter().flatten().all(|part| names(answer, part))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn mail_server_errors_are_explained() {
        let library = Library::default();
        let explained =
            |protocol, answer| explain_mail(protocol, answer, &library).map(|entry| entry.cause);
        for (protocol, answer, words) in [
            (
                Protocol::Smtp,
                "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit \
                 https://aka.ms/smtp_auth_disabled for more information. [MN2PR05CA0004.namprd05.prod.outlook.com]",
                "the whole organization",
            ),
            (
                Protocol::Smtp,
                "535 5.7.3 Authentication unsuccessful [FR3P281CA0094.DEUP281.PROD.OUTLOOK.COM]",
                "lacks SMTP.Send",
            ),
            (
                Protocol::Imap,
                "BAD User is authenticated but not connected.",
                "not for this mailbox",
            ),
            (Protocol::Imap, "NO AUTHENTICATE failed.", "IMAP"),
            (
                Protocol::Pop3,
                "-ERR Authentication failure: unknown user name or bad password.",
                "POP3",
            ),
            (
                Protocol::Imap,
                "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure) \
                 {\"schemes\":\"Bearer\",\"scope\":\"https://mail.google.com/\",\"status\":\"400\"}",
                "gmail.send",
            ),
            (
                Protocol::Imap,
                "NO [AUTHENTICATIONFAILED] Authentication failed.",
                "was revoked",
            ),
            (
                Protocol::Smtp,
                "535 5.7.8 Authentication failed.",
                "was revoked",
            ),
            (
                Protocol::Smtp,
                "454 4.7.0 Temporary authentication failure.",
                "temporary",
            ),
        ] {
            let cause = explained(protocol, answer).unwrap();
            assert!(cause.contains(words), "{answer}: {cause}");
        }
        // Errors of another protocol, or no error of a mail server.
        for (protocol, answer) in [
            (Protocol::Pop3, "NO AUTHENTICATE failed."),
            (Protocol::Smtp, "535 15.7.80 no"),
            (Protocol::Smtp, ""),
        ] {
            assert_eq!(explained(protocol, answer), None, "{answer}");
        }
    }
}
