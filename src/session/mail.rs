//! State of the mail server tests: the servers, the mailbox, and the results.

use super::mail_report::MailReport;
use crate::flow::attempt::AttemptId;
use crate::flow::mail_login::MailTest;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};

/// A server that can be tested.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// The mail protocol.
    pub protocol: Protocol,
    /// The address of the server, or why it can't be used, as a sentence.
    pub address: Result<Address, String>,
}

/// The settings of the mail server tests, and the results.
#[derive(Debug, Default)]
pub struct Mail {
    /// The mailbox that the user entered, used instead of that of the tokens.
    pub user: Option<String>,
    /// The SASL mechanism to use; `None` for the best one that a server offers.
    pub mechanism: Option<Mechanism>,
    /// Servers that the user entered, used instead of those in the settings.
    pub servers: Vec<MailServer>,
    pub(super) tests: Option<MailTests>,
}

/// The results of a test.
#[derive(Debug)]
pub struct MailTests {
    /// The attempt that issued the access token.
    pub(super) of: AttemptId,
    /// The mailbox to sign in to.
    pub user: String,
    /// Properties of the access token that may be a reason to reject it, as sentences.
    pub warnings: Vec<String>,
    /// The tests in the order they are run.
    pub(super) tests: Vec<(MailTest, Option<MailReport>)>,
}

impl MailTests {
    /// Returns the report about the server for a protocol; `None` if there is no report yet.
    #[must_use]
    pub fn report(&self, protocol: Protocol) -> Option<&MailReport> {
        let mut reports = self.reports();
        reports.find(|report| report.protocol == protocol)
    }

    /// Returns all reports, in the order of the tests.
    pub fn reports(&self) -> impl Iterator<Item = &MailReport> {
        self.tests.iter().filter_map(|(_, report)| report.as_ref())
    }

    /// Returns the protocol of the first failure.
    #[must_use]
    pub fn first_failure(&self) -> Option<Protocol> {
        let mut reports = self.reports();
        let failed = reports.find(|report| !report.is_ok())?;
        Some(failed.protocol)
    }

    /// Returns whether only one server is tested.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.tests.len() == 1
    }

    /// Returns the protocol that is being tested, or the first one not yet tested.
    #[must_use]
    pub fn next(&self) -> Option<Protocol> {
        let (test, _) = self.tests.iter().find(|(_, report)| report.is_none())?;
        Some(test.protocol)
    }

    /// Returns the overall result, as a sentence.
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
