//! Tests mail servers with the access token, and selects the servers and the mailbox.

use super::Session;
use super::clock::Moment;
use super::event::{Refused, SessionEvent, Started};
use super::mail::{MailServer, MailTests};
use super::mail_report::MailReport;
use super::mail_warnings::warnings;
use super::tokens::{TokenState, Value};
use super::work::Work;
use crate::flow::driver::Job;
use crate::flow::mail_login::{MailTest, Report, STEP_LIMIT};
use crate::mail::server::{Address, Protocol};
use crate::mail::turn::Login;
use crate::presets::format::mail_domain;
use crate::profile::issued_for::{mail_server, may_sign_in};
use crate::secret::ExposeSecret;

impl TokenState {
    /// Returns the mailbox of the tokens: the one of their profile, or the address in the ID token.
    #[must_use]
    pub fn mailbox(&self) -> Option<String> {
        let of_profile = || self.obtained.pins.as_ref()?.user.clone();
        let of_id_token = || {
            let person = self.claims.as_ref()?.person()?;
            mail_domain(&person).is_some().then_some(person)
        };
        let of_account = || self.request.service_account.as_ref()?.subject.clone();
        of_profile().or_else(of_id_token).or_else(of_account)
    }
}

impl Session {
    /// Returns whether mail servers are being tested.
    #[must_use]
    pub fn is_testing_mail(&self) -> bool {
        matches!(self.work(), Some(Work::TestingMail))
    }

    /// Returns the results of the latest test with these tokens.
    #[must_use]
    pub fn mail_tests(&self) -> Option<&MailTests> {
        let tokens = self.tokens.as_ref()?;
        let tests = self.mail.tests.as_ref();
        tests.filter(|tests| tests.of == tokens.attempt)
    }

    /// Returns the mailbox to sign in to, if it is known.
    #[must_use]
    pub fn mailbox(&self) -> Option<String> {
        let of_tokens = || self.tokens.as_ref()?.mailbox();
        self.mail.user.clone().or_else(of_tokens)
    }

    /// Returns the servers that can be tested: those that the user entered, otherwise those of the open profile or of
    /// the preset.
    #[must_use]
    pub fn mail_servers(&self) -> Vec<MailServer> {
        let Some(tokens) = &self.tokens else {
            return Vec::new();
        };
        let open = self.profiles.open.as_ref();
        let of_profile = |protocol: Protocol| {
            let mut servers = open?.mail.iter();
            let server = servers.find(|server| server.protocol == protocol)?;
            Some(server.address.clone())
        };
        let server = |protocol: Protocol| {
            let mut typed = self.mail.servers.iter();
            if let Some(server) = typed.find(|server| server.protocol == protocol) {
                return Some(server.clone());
            }
            let address =
                of_profile(protocol).or_else(|| mail_server(protocol, &tokens.settings, None))?;
            let address = address.and_then(|address| match &tokens.obtained.pins {
                Some(pins) if !may_sign_in(pins, protocol, &address) => Err(format!(
                    "The {} server has changed to {address} since the tokens were issued. Sign in again to use it.",
                    protocol.name()
                )),
                _ => Ok(address),
            });
            Some(MailServer { protocol, address })
        };
        Protocol::ALL.into_iter().filter_map(server).collect()
    }

    /// Tests this server instead of the one in the settings.
    pub fn set_mail_server(&mut self, protocol: Protocol, address: Address) {
        let servers = &mut self.mail.servers;
        servers.retain(|server| server.protocol != protocol);
        servers.push(MailServer {
            protocol,
            address: Ok(address),
        });
    }

    /// Starts the tests: signs in to the mail servers.
    ///
    /// # Errors
    /// Returns an error if there are no tokens, no mailbox or no server, or if another task is in progress.
    pub fn test_mail(&mut self, now: Moment) -> Result<Started, Refused> {
        if let Some(work) = self.work() {
            return Err(Refused::Busy(work.in_the_way()));
        }
        let tokens = self.tokens.as_ref().ok_or(Refused::NoTokens)?;
        let missing = |text: &str| Refused::NotOffered(text.to_owned());
        let user = self.mailbox();
        let user =
            user.ok_or_else(|| missing("The mailbox is unknown. Press o, then Other mailbox."))?;
        let servers = self.mail_servers();
        let (mut tests, mut unusable) = (Vec::new(), None);
        for MailServer { protocol, address } in servers {
            match address {
                Ok(address) => tests.push(MailTest {
                    protocol,
                    login: Login {
                        user: user.clone(),
                        token: tokens.set.access_token.clone(),
                        address,
                        mechanism: self.mail.mechanism,
                        preferred: tokens.preset.mechanisms(),
                    },
                    ca_file: tokens.request.ca_file.clone(),
                    limit: STEP_LIMIT,
                }),
                Err(reason) => unusable = unusable.or(Some(reason)),
            }
        }
        if tests.is_empty() {
            let none = "The mail server is unknown. Press o, then Other server.";
            return Err(Refused::NotOffered(
                unusable.unwrap_or_else(|| none.to_owned()),
            ));
        }
        let time = |end: u64| {
            let seconds = i64::try_from(end).unwrap_or(i64::MAX);
            let local = now.local_in(seconds.saturating_sub(now.unix));
            local.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let access = tokens
            .secret(Value::Access)
            .map(ExposeSecret::expose_secret);
        let warnings = warnings(
            access.unwrap_or_default(),
            &user,
            &tokens.preset,
            u64::try_from(now.unix).unwrap_or_default(),
            time,
        );
        self.mail.tests = Some(MailTests {
            of: tokens.attempt,
            user,
            warnings,
            tests: tests.iter().map(|test| (test.clone(), None)).collect(),
        });
        Ok(self.start(Job::TestMail(tests), Work::TestingMail))
    }

    /// Stores the report of a test.
    pub(super) fn mail_tested(
        &mut self,
        protocol: Protocol,
        report: Report,
    ) -> Option<SessionEvent> {
        let tests = self.mail.tests.as_mut()?;
        let mut pending = tests.tests.iter_mut();
        let (test, place) =
            pending.find(|(test, place)| test.protocol == protocol && place.is_none())?;
        *place = Some(MailReport::new(test, report, &self.library));
        let done = tests.next().is_none();
        if done {
            self.work = None;
        }
        Some(SessionEvent::MailTested { done })
    }

    /// Returns the results as text, without the token.
    #[must_use]
    pub fn mail_report(&self) -> Option<String> {
        let tests = self.mail_tests()?;
        let mut lines = vec![format!("Mailbox: {}", tests.user)];
        lines.extend(tests.warnings.iter().map(|text| format!("Warning: {text}")));
        for report in tests.reports() {
            lines.push(String::new());
            lines.extend(report.lines());
        }
        Some(lines.join("\n") + "\n")
    }
}
