//! What is known of a test of mail servers: the servers, the mailbox, and the results.

use super::mail_report::MailReport;
use crate::flow::attempt::AttemptId;
use crate::flow::mail_login::MailTest;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};

/// A server that can be tested.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// The protocol.
    pub protocol: Protocol,
    /// Where it is, or why it can't be used, as a sentence.
    pub address: Result<Address, String>,
}

/// What is tested, and the results.
#[derive(Debug, Default)]
pub struct Mail {
    /// The mailbox that the user entered, in place of that of the tokens.
    pub user: Option<String>,
    /// The mechanism to use; `None`: the best that a server offers.
    pub mechanism: Option<Mechanism>,
    /// Servers that the user entered, in place of those of the settings.
    pub(super) servers: Vec<MailServer>,
    pub(super) tests: Option<MailTests>,
}

/// The results of a test.
#[derive(Debug)]
pub struct MailTests {
    /// Whose access token was used.
    pub(super) of: AttemptId,
    /// The mailbox.
    pub user: String,
    /// What the access token says about itself that may be a reason to reject it.
    pub warnings: Vec<String>,
    /// The tests, in the order in which they are run.
    pub(super) tests: Vec<(MailTest, Option<MailReport>)>,
}

impl MailTests {
    /// The report about the server of a protocol; `None` while there is none.
    #[must_use]
    pub fn report(&self, protocol: Protocol) -> Option<&MailReport> {
        let mut reports = self.reports();
        reports.find(|report| report.protocol == protocol)
    }

    /// All reports, in the order of the tests.
    pub fn reports(&self) -> impl Iterator<Item = &MailReport> {
        self.tests.iter().filter_map(|(_, report)| report.as_ref())
    }

    /// The protocol of the first failure.
    #[must_use]
    pub fn first_failure(&self) -> Option<Protocol> {
        let mut reports = self.reports();
        let failed = reports.find(|report| !report.is_ok())?;
        Some(failed.protocol)
    }

    /// True if only one server is tested.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.tests.len() == 1
    }

    /// The protocol that is being tested, or the first that was not.
    #[must_use]
    pub fn next(&self) -> Option<Protocol> {
        let (test, _) = self.tests.iter().find(|(_, report)| report.is_none())?;
        Some(test.protocol)
    }

    /// What it came to, as a sentence.
    #[must_use]
    pub fn summary(&self) -> String {
        let (failed, ok): (Vec<_>, Vec<_>) = self.reports().partition(|report| !report.is_ok());
        let names = |reports: &[&MailReport]| {
            let names: Vec<&str> = reports.iter().map(|it| it.protocol.name()).collect();
            match names.split_last() {
                Some((last, [])) => (*last).to_owned(),
                Some((last, first)) => format!("{} and {last}", first.join(", ")),
                None => String::new(),
            }
        };
        match (ok.len(), failed.len()) {
            (0, 0) => "Nothing was tested.".to_owned(),
            (_, 0) => format!("{} accepted the token.", names(&ok)),
            (0, _) => format!("{} failed.", names(&failed)),
            _ => format!(
                "{} failed; {} accepted the token.",
                names(&failed),
                names(&ok)
            ),
        }
    }
}
