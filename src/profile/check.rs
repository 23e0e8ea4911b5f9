//! Forecasts what is wrong with a profile now, and what will break next. This module reads no file and no clock.

use super::check_expiry::no_expiry;
use super::check_settings::CheckSettings;
use super::client_secret::Probe;
use super::dates::Now;
use super::finding::{Finding, Level, not_signed_in, sign_in};
use crate::presets::Preset;
use crate::presets::format::Rotates;
use crate::presets::span::Span;
use crate::store::attempt::{AttemptNote, LostBy};
use crate::store::record::Record;
use crate::store::tokens::{SKEW, Tokens};

/// Maximum duration of a refresh, in seconds. If an older attempt has no outcome, its process was stopped.
const REFRESH_TIME: u64 = 120;
/// A clock difference above this limit, in seconds, is mentioned.
const CLOCK_NOTE: u64 = 60;
/// A clock difference above this limit, in seconds, makes tokens expire noticeably too early or too late.
const CLOCK_LIMIT: u64 = 300;

/// The facts about a profile that a forecast is based on.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The profile name, with the flag for its folder if needed, as used in suggested commands.
    pub target: &'a str,
    /// The current time.
    pub now: &'a Now,
    /// The period, in seconds, within which a future problem is reported.
    pub within: u64,
    /// The name of this host.
    pub host: &'a str,
    /// The record with the tokens.
    pub record: &'a Record,
    /// The last refresh attempt.
    pub attempt: Option<&'a AttemptNote>,
    /// The section `[check]` of the settings.
    pub check: &'a CheckSettings,
    /// The preset of the service.
    pub preset: &'a Preset,
    /// The state of the client secret.
    pub secret: Probe,
    /// Whether the settings name another place than the record for the client secret.
    pub names_secret: bool,
    /// When the client secret expires, in seconds since 1970, if the settings say so.
    pub secret_expires_at: Result<Option<u64>, String>,
}

impl Facts<'_> {
    /// Returns all findings, the worst first.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match &self.record.tokens {
            Some(tokens) => {
                self.refresh_token(tokens, &mut findings);
                self.clock(tokens, &mut findings);
                self.host(tokens, &mut findings);
            }
            None if !self.has_user() => {}
            None => findings.push(not_signed_in(self.target)),
        }
        self.client_secret(&mut findings);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        findings
    }

    /// Returns a summary of the tokens, for a profile in which nothing is broken.
    #[must_use]
    pub fn summary(&self) -> String {
        let Some(tokens) = &self.record.tokens else {
            return if self.has_user() {
                "no tokens".to_owned()
            } else {
                "no access token; the next use requests one".to_owned()
            };
        };
        let access = match tokens.left(self.now.seconds) {
            None => "access token without an expiry date".to_owned(),
            Some(0) if !self.has_user() => {
                "access token expired; the next use requests a new one".to_owned()
            }
            Some(0) => "access token expired; the next use refreshes it".to_owned(),
            Some(left) => format!("access token valid for {}", Span(left)),
        };
        let since = Span(self.now.seconds.saturating_sub(tokens.obtained_at));
        let signed_in_at = self.record.origin.signed_in_at;
        let how = match signed_in_at {
            Some(at) if at == tokens.obtained_at => "issued",
            Some(_) | None => "used",
        };
        let refresh = match (tokens.has_refresh_token(), self.idle()) {
            (false, _) if !self.has_user() => return access,
            (false, _) => "no refresh token".to_owned(),
            (true, Some(idle)) => {
                format!("refresh token {how} {since} ago, unused ones expire after {idle}")
            }
            (true, None) => format!("refresh token {how} {since} ago"),
        };
        format!("{access}; {refresh}")
    }

    fn idle(&self) -> Option<Span> {
        self.check.refresh_idle.or(self.preset.tokens.refresh_idle)
    }

    /// Returns whether the flow has a user. Without one, as with client credentials, the client's own credentials get
    /// every access token.
    fn has_user(&self) -> bool {
        !self.record.issued_for.is_without_user()
    }

    pub(super) fn is_over(&self, at: u64) -> bool {
        at <= self.now.seconds
    }

    pub(super) fn is_soon(&self, at: u64) -> bool {
        at.saturating_sub(self.now.seconds) <= self.within
    }

    /// Does the same for a limit that each use extends. Reports it only once more than half of the lifetime is over,
    /// which is rare in normal use.
    fn is_soon_unless_used(&self, since: u64, at: u64) -> bool {
        let life = at.saturating_sub(since);
        self.is_soon(at) && at.saturating_sub(self.now.seconds) <= life / 2
    }

    fn sign_in(&self) -> String {
        sign_in(self.target)
    }

    fn refresh_token(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        if let Some(rejected) = &self.record.rejected {
            let cause = rejected.cause.as_deref().unwrap_or_default();
            let text = format!(
                "{} Rejected {}. {cause}",
                rejected.error,
                self.now.when(rejected.at)
            );
            findings.push(Finding {
                level: Level::SignIn,
                id: "refresh-token-rejected",
                at: Some(rejected.at),
                text: text.trim_end().to_owned(),
                fix: Some(self.sign_in()),
            });
            return;
        }
        if !self.has_user() {
            return;
        }
        if !tokens.has_refresh_token() {
            self.no_refresh_token(tokens, findings);
            return;
        }
        findings.extend(no_expiry(tokens, self.target));
        self.unused(tokens, findings);
        self.lifetime(tokens, findings);
        self.testing(tokens, findings);
        self.lost_answer(findings);
    }

    fn no_refresh_token(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let Some(end) = tokens.expires_at else {
            return;
        };
        let when = self.now.when(end);
        let (level, text) = if self.is_over(end) {
            let text = format!("The access token expired {when}, and there is no refresh token.");
            (Level::SignIn, text)
        } else if self.is_soon(end) {
            let text = format!("There is no refresh token, and the access token expires {when}.");
            (Level::Soon, text)
        } else {
            return;
        };
        let note = self
            .preset
            .tokens
            .refresh_note
            .as_deref()
            .unwrap_or_default();
        let fix = format!("{note} {}", self.sign_in());
        findings.push(Finding {
            level,
            id: "no-refresh-token",
            at: Some(end),
            text,
            fix: Some(fix.trim_start().to_owned()),
        });
    }

    fn unused(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let Some(idle) = self.idle() else { return };
        let used = tokens.obtained_at;
        let end = used.saturating_add(idle.0);
        let when = self.now.when(end);
        let (level, text, fix) = if self.is_over(end) {
            (
                Level::SignIn,
                format!("The refresh token probably expired {when}: it was not used for {idle}."),
                self.sign_in(),
            )
        } else if self.is_soon_unless_used(used, end) {
            (
                Level::Soon,
                format!("The refresh token expires {when} unless it is used before."),
                self.refresh(),
            )
        } else {
            return;
        };
        findings.push(Finding {
            level,
            id: "refresh-token-unused",
            at: Some(end),
            text,
            fix: Some(fix),
        });
    }

    /// Returns when the user signed in; if that is unknown, when the tokens were issued.
    fn signed_in_at(&self, tokens: &Tokens) -> u64 {
        let known = self.record.origin.signed_in_at;
        known
            .or(tokens.refresh_obtained_at)
            .unwrap_or(tokens.obtained_at)
    }

    fn lifetime(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let mut add = |end: u64, soon: bool, fix: String| {
            let when = self.now.when(end);
            let (level, text) = if self.is_over(end) {
                (Level::SignIn, format!("The refresh token expired {when}."))
            } else if soon {
                (Level::Soon, format!("The refresh token expires {when}."))
            } else {
                return;
            };
            findings.push(Finding {
                level,
                id: "refresh-token-expires",
                at: Some(end),
                text,
                fix: Some(fix),
            });
        };
        // The service gave this date. Some services extend it with each refresh.
        if let Some(end) = tokens.sign_in_by() {
            let issued = tokens.refresh_obtained_at.unwrap_or(tokens.obtained_at);
            let soon = self.is_soon_unless_used(issued, end);
            let fix = if self.is_over(end) {
                self.sign_in()
            } else {
                format!(
                    "If a refresh does not change the date, a user must sign in by then. {}",
                    self.refresh()
                )
            };
            add(end, soon, fix);
        }
        if let Some(max) = self.check.refresh_max.or(self.preset.tokens.refresh_max) {
            let end = self.signed_in_at(tokens).saturating_add(max.0);
            add(end, self.is_soon(end), self.sign_in());
        }
    }

    fn testing(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let max = self.preset.tokens.testing_refresh_max;
        let (Some(max), Some(true) | None) = (max, self.check.testing) else {
            return;
        };
        let end = self.signed_in_at(tokens).saturating_add(max.0);
        if self.check.testing.is_none() {
            // A refresh after that date proves that the app is not in testing.
            if tokens.obtained_at < end && !self.is_over(end) {
                findings.push(Finding {
                    level: Level::Note,
                    id: "testing-unknown",
                    at: Some(end),
                    text: format!(
                        "If the app is in testing at {}, the refresh token expires {}.",
                        self.preset.name,
                        self.now.when(end)
                    ),
                    fix: Some(
                        "Add a section [check] with testing = true or testing = false to the settings file.".to_owned(),
                    ),
                });
            }
            return;
        }
        let when = self.now.when(end);
        let (level, verb) = if self.is_over(end) {
            (Level::SignIn, "expired")
        } else {
            (Level::Soon, "expires")
        };
        findings.push(Finding {
            level,
            id: "testing",
            at: Some(end),
            text: format!(
                "The app is in testing at {}: the refresh token {verb} {when}.",
                self.preset.name
            ),
            fix: Some(format!(
                "Publish the app, then sign in again. {}",
                self.sign_in()
            )),
        });
    }

    fn lost_answer(&self, findings: &mut Vec<Finding>) {
        let rotates = self.preset.tokens.rotates;
        if rotates == Some(Rotates::Never) {
            return;
        }
        let Some(attempt) = self.attempt else { return };
        let running = attempt.outcome.is_none() && attempt.since + REFRESH_TIME > self.now.seconds;
        let Some(lost) = attempt.lost(self.record.generation).filter(|_| !running) else {
            return;
        };
        let is_replaced = lost.by == LostBy::Storage;
        let level = if rotates.is_some() || is_replaced {
            Level::Soon
        } else {
            Level::Note
        };
        let until = self.preset.tokens.reuse_leeway;
        let until = until.map(|leeway| lost.since.saturating_add(leeway.0));
        let until = until.filter(|until| !self.is_over(*until));
        let how = match lost.by {
            LostBy::Stop => "the program was stopped before it stored the response",
            LostBy::Network => "its response was lost",
            LostBy::Storage => "its response couldn't be stored",
        };
        let rejected = match until {
            Some(until) => format!(
                "The service accepts the old refresh token until {}",
                self.now.date(until)
            ),
            None if is_replaced => {
                "The service replaced the refresh token, so it probably rejects the next refresh"
                    .to_owned()
            }
            None => {
                "If the service replaced the refresh token, it rejects the next refresh".to_owned()
            }
        };
        findings.push(Finding {
            level,
            id: "answer-lost",
            at: Some(lost.since),
            text: format!(
                "A refresh was sent {}, and {how}. {rejected}.",
                self.now.when(lost.since)
            ),
            fix: Some(format!(
                "Find out now, and sign in again if it is rejected. {}",
                self.refresh()
            )),
        });
    }

    fn refresh(&self) -> String {
        format!("Refresh it: oauth-authorizer refresh {}", self.target)
    }

    fn clock(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let fix = Some("Set the clock of this machine, for example with NTP.".to_owned());
        let obtained = tokens.obtained_at;
        if obtained > self.now.seconds + SKEW {
            findings.push(Finding {
                level: Level::Soon,
                id: "clock",
                at: None,
                text: format!(
                    "The tokens have a date in the future: {}. The clock of this machine is or was wrong.",
                    self.now.date(obtained)
                ),
                fix,
            });
            return;
        }
        let Some(ahead) = self.record.origin.clock_ahead else {
            return;
        };
        let difference = ahead.unsigned_abs();
        if difference <= CLOCK_NOTE {
            return;
        }
        let way = if ahead > 0 { "ahead of" } else { "behind" };
        findings.push(Finding {
            level: if difference > CLOCK_LIMIT {
                Level::Soon
            } else {
                Level::Note
            },
            id: "clock",
            at: Some(obtained),
            text: format!(
                "At the last refresh, the clock of this machine was {} {way} the clock of the service.",
                Span(difference)
            ),
            fix,
        });
    }

    fn host(&self, tokens: &Tokens, findings: &mut Vec<Finding>) {
        let rotates = self.preset.tokens.rotates;
        let Some(host) = &self.record.origin.host else {
            return;
        };
        let replaces =
            self.has_user() && matches!(rotates, Some(Rotates::Always | Rotates::Sometimes));
        if !replaces || host.is_empty() || host.eq_ignore_ascii_case(self.host) {
            return;
        }
        findings.push(Finding {
            level: Level::Note,
            id: "other-host",
            at: Some(tokens.obtained_at),
            text: format!(
                "The tokens were last refreshed on the host {host}, {}. The service replaces refresh tokens, so \
                 a refresh on one computer signs out the others.",
                self.now.when(tokens.obtained_at)
            ),
            fix: Some(format!("Make sure that {host} no longer uses this profile.")),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::oauth::token::TokenSet;
    use crate::presets;
    use crate::store::attempt::Outcome;
    use crate::store::issued_for::IssuedFor;
    use crate::store::record::Rejected;

    /// 2026-11-26 12:00.
    const NOW: u64 = 1_795_694_400;
    const DAY: u64 = 86_400;

    /// The facts of a forecast. Each test changes the part that it tests.
    struct Case {
        record: Record,
        attempt: Option<AttemptNote>,
        check: CheckSettings,
        preset: Preset,
        secret: Probe,
        names_secret: bool,
        secret_expires_at: Result<Option<u64>, String>,
        within: u64,
    }

    impl Case {
        /// Creates a profile with a sign-in 10 days ago and a refresh 19 minutes ago.
        fn new() -> Self {
            let set = TokenSet {
                access_token: "access".into(),
                token_type: None,
                expires_in: Some(3600),
                refresh_token: Some("refresh".into()),
                id_token: None,
                scope: None,
                kept: Vec::new(),
                notes: Vec::new(),
                token_url: None,
                redirect_url: None,
            };
            let issued_for = IssuedFor {
                token_url: "https://as.example/token".to_owned(),
                client_id: "me".to_owned(),
                client_authentication: "none".to_owned(),
                flow: "device-code".to_owned(),
                header: "Bearer".to_owned(),
                ..IssuedFor::default()
            };
            let tokens = Tokens::of_set(&set, NOW - 19 * 60, None);
            let mut record = Record::new("office", String::new(), issued_for, Some(tokens), None);
            record.origin.signed_in_at = Some(NOW - 10 * DAY);
            record.origin.host = Some("here".to_owned());
            Self {
                record,
                attempt: None,
                check: CheckSettings::default(),
                preset: (*presets::get(presets::CUSTOM).unwrap()).clone(),
                secret: Probe::Fine,
                names_secret: false,
                secret_expires_at: Ok(None),
                within: 30 * DAY,
            }
        }

        fn tokens(&mut self) -> &mut Tokens {
            self.record.tokens.as_mut().unwrap()
        }

        /// Returns the summary and the findings.
        fn result(self) -> (String, Vec<Finding>) {
            let now = Now {
                seconds: NOW,
                zone: TimeZone::UTC,
            };
            let facts = Facts {
                target: "office",
                now: &now,
                within: self.within,
                host: "here",
                record: &self.record,
                attempt: self.attempt.as_ref(),
                check: &self.check,
                preset: &self.preset,
                secret: self.secret,
                names_secret: self.names_secret,
                secret_expires_at: self.secret_expires_at,
            };
            (facts.summary(), facts.findings())
        }

        /// Returns the findings as they are printed.
        fn lines(self) -> Vec<String> {
            let line = |finding: Finding| {
                assert!(finding.text.ends_with('.'), "{finding:?}");
                // A command has no period, so that it can be copied.
                let is_command = |fix: &str| fix.contains(": oauth-authorizer ");
                assert!(
                    finding
                        .fix
                        .is_none_or(|fix| is_command(&fix) != fix.ends_with('.'))
                );
                format!("{:?} {}: {}", finding.level, finding.id, finding.text)
            };
            self.result().1.into_iter().map(line).collect()
        }
    }

    /// Returns the findings for a profile that is fine except for this change.
    fn found(change: impl FnOnce(&mut Case)) -> Vec<String> {
        let mut case = Case::new();
        change(&mut case);
        case.lines()
    }

    fn span(text: &str) -> Option<Span> {
        text.parse().ok()
    }

    #[test]
    fn healthy_profile_has_no_findings() {
        assert_eq!(found(|_| ()), [""; 0]);
        let mut case = Case::new();
        case.preset.tokens.refresh_idle = span("90d");
        assert_eq!(
            case.result().0,
            "access token valid for 41 minutes; refresh token used 19 minutes ago, unused ones expire after 90 days"
        );
        let mut case = Case::new();
        case.preset.tokens.refresh_idle = span("90d");
        case.record.origin.signed_in_at = Some(NOW - 19 * 60);
        assert_eq!(
            case.result().0,
            "access token valid for 41 minutes; refresh token issued 19 minutes ago, unused ones expire after 90 days"
        );
    }

    #[test]
    fn access_token_without_an_expiry_date_is_noted_if_it_can_be_refreshed() {
        let expected = "Note no-expiry-date: The service doesn't say when the access token expires, so `token` never refreshes it.";
        assert_eq!(found(|case| case.tokens().expires_at = None), [expected]);
        let alone = found(|case| {
            case.tokens().expires_at = None;
            case.tokens().refresh_token = None;
            case.tokens().refresh_obtained_at = None;
        });
        assert_eq!(alone, [""; 0]);
    }

    #[test]
    fn missing_or_rejected_refresh_token_requires_sign_in() {
        let rejected = found(|case| {
            case.record.rejected = Some(Rejected {
                at: NOW - 6 * DAY,
                error: "The service rejected the refresh token (invalid_grant).".to_owned(),
                cause: Some("It was revoked.".to_owned()),
            });
            // Doesn't matter any more.
            case.preset.tokens.refresh_idle = span("1s");
        });
        assert_eq!(
            rejected,
            [
                "SignIn refresh-token-rejected: The service rejected the refresh token (invalid_grant). \
              Rejected on 2026-11-20 (6 days ago). It was revoked."
            ]
        );
        let none = found(|case| case.record.tokens = None);
        assert_eq!(none, ["SignIn not-signed-in: There are no tokens yet."]);
        let without = |left: Option<i64>| {
            found(|case| {
                case.tokens().refresh_token = None;
                case.tokens().refresh_obtained_at = None;
                case.tokens().expires_at = left.map(|left| NOW.checked_add_signed(left).unwrap());
            })
        };
        assert_eq!(
            without(Some(600)),
            [
                "Soon no-refresh-token: There is no refresh token, and the access token expires at 12:10 (in 10 minutes)."
            ]
        );
        assert_eq!(
            without(Some(-600)),
            [
                "SignIn no-refresh-token: The access token expired at 11:50 (10 minutes ago), and there is no refresh token."
            ]
        );
        // A token that lasts a year, and one that doesn't expire.
        assert_eq!(without(Some(365 * 86_400)), [""; 0]);
        assert_eq!(without(None), [""; 0]);
    }

    #[test]
    fn client_credentials_need_neither_a_refresh_token_nor_a_user() {
        let of_client = |expires_at: u64| {
            let mut case = Case::new();
            case.record.issued_for.flow = "client-credentials".to_owned();
            case.tokens().refresh_token = None;
            case.tokens().refresh_obtained_at = None;
            case.tokens().expires_at = Some(expires_at);
            case.preset.tokens.refresh_idle = span("90d");
            case.preset.tokens.refresh_max = span("1d");
            case.preset.tokens.rotates = Some(Rotates::Always);
            case.record.origin.host = Some("there".to_owned());
            case.result()
        };
        assert_eq!(
            of_client(NOW - 60),
            (
                "access token expired; the next use requests a new one".to_owned(),
                Vec::new()
            )
        );
        assert_eq!(
            of_client(NOW + 1200),
            ("access token valid for 20 minutes".to_owned(), Vec::new())
        );
    }

    #[test]
    fn unused_refresh_token_expires() {
        let unused = |days: u64, within: u64, by_user: bool| {
            found(|case| {
                case.within = within * DAY;
                case.tokens().obtained_at = NOW - days * DAY;
                if by_user {
                    case.preset.tokens.refresh_idle = span("1d");
                    case.check.refresh_idle = span("90d");
                } else {
                    case.preset.tokens.refresh_idle = span("90d");
                }
            })
        };
        for by_user in [false, true] {
            assert_eq!(unused(59, 30, by_user), [""; 0]);
            assert_eq!(
                unused(74, 30, by_user),
                [
                    "Soon refresh-token-unused: The refresh token expires on 2026-12-12 (in 16 days) unless it is used before."
                ]
            );
            assert_eq!(unused(74, 15, by_user), [""; 0]);
            assert_eq!(
                unused(92, 30, by_user),
                [
                    "SignIn refresh-token-unused: The refresh token probably expired on 2026-11-24 (2 days ago): \
                  it was not used for 90 days."
                ]
            );
        }
        // While the profile is in use, a short limit is not worth a finding.
        let in_use = |idle: &str| found(|case| case.preset.tokens.refresh_idle = span(idle));
        assert_eq!(in_use("60m"), [""; 0]);
        assert_eq!(in_use("30m").len(), 1);
    }

    #[test]
    fn refresh_token_expires_after_its_maximum_lifetime() {
        let max = |days: u64, by_user: bool| {
            found(|case| {
                let max = Some(Span(days * DAY));
                if by_user {
                    case.preset.tokens.refresh_max = span("365d");
                    case.check.refresh_max = max;
                } else {
                    case.preset.tokens.refresh_max = max;
                }
            })
        };
        for by_user in [false, true] {
            assert_eq!(max(41, by_user), [""; 0]);
            assert_eq!(
                max(26, by_user),
                [
                    "Soon refresh-token-expires: The refresh token expires on 2026-12-12 (in 16 days)."
                ]
            );
            assert_eq!(
                max(8, by_user),
                [
                    "SignIn refresh-token-expires: The refresh token expired on 2026-11-24 (2 days ago)."
                ]
            );
        }
        // A record written by an older version doesn't contain the time of the sign-in.
        let old = found(|case| {
            case.record.origin.signed_in_at = None;
            case.tokens().refresh_obtained_at = Some(NOW - 8 * DAY);
            case.preset.tokens.refresh_max = span("10d");
        });
        assert_eq!(
            old,
            ["Soon refresh-token-expires: The refresh token expires on 2026-11-28 (in 2 days)."]
        );
        // The expiry date that the service gave.
        let said = |issued: u64, left: i64| {
            found(|case| {
                case.tokens().refresh_obtained_at = Some(NOW - issued * DAY);
                case.tokens().refresh_expires_at = NOW.checked_add_signed(left * 86_400);
            })
        };
        assert_eq!(said(0, 16), [""; 0]);
        assert_eq!(
            said(20, 16),
            ["Soon refresh-token-expires: The refresh token expires on 2026-12-12 (in 16 days)."]
        );
        assert_eq!(
            said(20, -2),
            ["SignIn refresh-token-expires: The refresh token expired on 2026-11-24 (2 days ago)."]
        );
    }

    #[test]
    fn testing_mode_limits_the_refresh_token_lifetime() {
        let testing = |says: Option<bool>, signed_in: u64, refreshed: u64| {
            found(|case| {
                case.preset.name = "Example".to_owned();
                case.preset.tokens.testing_refresh_max = span("7d");
                case.check.testing = says;
                case.record.origin.signed_in_at = Some(NOW - signed_in * DAY);
                case.tokens().obtained_at = NOW - refreshed * DAY;
            })
        };
        assert_eq!(
            testing(Some(true), 4, 0),
            [
                "Soon testing: The app is in testing at Example: the refresh token expires on 2026-11-29 (in 3 days)."
            ]
        );
        assert_eq!(
            testing(Some(true), 9, 5),
            [
                "SignIn testing: The app is in testing at Example: the refresh token expired on 2026-11-24 (2 days ago)."
            ]
        );
        assert_eq!(
            testing(None, 4, 0),
            [
                "Note testing-unknown: If the app is in testing at Example, the refresh token expires on 2026-11-29 (in 3 days)."
            ]
        );
        // The tokens were refreshed after that date.
        assert_eq!(testing(None, 9, 0), [""; 0]);
        assert_eq!(testing(Some(false), 4, 0), [""; 0]);
        let other = found(|case| case.check.testing = Some(true));
        assert_eq!(other, [""; 0]);
    }

    #[test]
    fn missing_or_expiring_client_secret_is_reported() {
        let expires = |end: Result<Option<u64>, String>| found(|case| case.secret_expires_at = end);
        assert_eq!(
            expires(Ok(Some(NOW + 16 * DAY))),
            ["Soon client-secret-expires: The client secret expires on 2026-12-12 (in 16 days)."]
        );
        assert_eq!(
            expires(Ok(Some(NOW - 2 * DAY))),
            [
                "Settings client-secret-expires: The client secret expired on 2026-11-24 (2 days ago)."
            ]
        );
        assert_eq!(expires(Ok(Some(NOW + 31 * DAY))), [""; 0]);
        assert_eq!(
            expires(Err("It is no date.".to_owned())),
            ["Settings client-secret-expires: It is no date."]
        );
        let state = |secret: Probe| found(|case| case.secret = secret);
        assert_eq!(
            state(Probe::Missing("It is missing.".to_owned())),
            ["Settings client-secret: It is missing."]
        );
        assert_eq!(
            state(Probe::Unknown(Some("It was not checked.".to_owned()))),
            ["Note client-secret-unchecked: It was not checked."]
        );
        assert_eq!(state(Probe::Unknown(None)), [""; 0]);
        for (names_secret, words) in [
            (
                false,
                "oauth-authorizer profiles save office --profile office --client-secret-stdin",
            ),
            (
                true,
                "replace the one that [secret] in the settings file names",
            ),
        ] {
            let mut case = Case::new();
            case.secret_expires_at = Ok(Some(NOW + DAY));
            case.names_secret = names_secret;
            let (_, findings) = case.result();
            let fix = findings[0].fix.as_deref().unwrap();
            assert!(fix.contains(words), "{fix}");
        }
        let date = |authentication: &str| {
            found(|case| {
                case.preset.client.secret_max = span("730d");
                case.record.issued_for.client_authentication = authentication.to_owned();
            })
        };
        assert_eq!(date("none"), [""; 0]);
        assert_eq!(
            date("post"),
            [
                "Note client-secret-date: The expiry date of the client secret is unknown. At this service, client secrets \
              last at most 730 days."
            ]
        );
    }

    #[test]
    fn clock_differences_are_reported() {
        let ahead = |seconds: i64| found(|case| case.record.origin.clock_ahead = Some(seconds));
        assert_eq!(ahead(-60), [""; 0]);
        assert_eq!(
            ahead(90),
            [
                "Note clock: At the last refresh, the clock of this machine was 1 minute ahead of the clock of the service."
            ]
        );
        assert_eq!(
            ahead(-3600),
            [
                "Soon clock: At the last refresh, the clock of this machine was 1 hour behind the clock of the service."
            ]
        );
        let future = found(|case| case.tokens().obtained_at = NOW + 2 * DAY);
        assert_eq!(
            future,
            [
                "Soon clock: The tokens have a date in the future: 2026-11-28 (in 2 days). The clock of this machine is \
              or was wrong."
            ]
        );
        assert_eq!(
            found(|case| case.tokens().obtained_at = NOW + SKEW),
            [""; 0]
        );
    }

    #[test]
    fn other_host_is_reported_only_if_refresh_tokens_rotate() {
        for (rotates, host, count) in [
            (Some(Rotates::Always), "there", 1),
            (Some(Rotates::Sometimes), "there", 1),
            (Some(Rotates::Never), "there", 0),
            (None, "there", 0),
            (Some(Rotates::Always), "HERE", 0),
            (Some(Rotates::Always), "", 0),
        ] {
            let lines = found(|case| {
                case.preset.tokens.rotates = rotates;
                case.record.origin.host = Some(host.to_owned());
            });
            assert_eq!(lines.len(), count, "{rotates:?} {host}: {lines:?}");
            let words = "Note other-host: The tokens were last refreshed on the host there, at 11:41 (19 minutes ago).";
            assert!(
                lines.iter().all(|line| line.starts_with(words)),
                "{lines:?}"
            );
        }
    }

    #[test]
    fn lost_response_is_reported_unless_it_does_no_harm() {
        let lost = |rotates: Option<Rotates>, leeway: Option<Span>, ago: u64, ended: bool| {
            found(|case| {
                case.preset.tokens.rotates = rotates;
                case.preset.tokens.reuse_leeway = leeway;
                let generation = case.record.generation;
                case.attempt = Some(AttemptNote {
                    number: 1,
                    pid: 1,
                    host: String::new(),
                    since: NOW - ago,
                    generation,
                    sent: true,
                    outcome: ended.then(|| Outcome::new(0, "")),
                    local: false,
                    lost: None,
                    pause: None,
                });
            })
        };
        assert_eq!(
            lost(Some(Rotates::Always), None, 600, false),
            [
                "Soon answer-lost: A refresh was sent at 11:50 (10 minutes ago), and the program was stopped before it stored \
              the response. If the service replaced the refresh token, it rejects the next refresh."
            ]
        );
        assert_eq!(
            lost(Some(Rotates::Always), span("30m"), 600, false),
            [
                "Soon answer-lost: A refresh was sent at 11:50 (10 minutes ago), and the program was stopped before it stored \
              the response. The service accepts the old refresh token until 12:20 (in 20 minutes)."
            ]
        );
        assert!(lost(None, None, 600, false)[0].starts_with("Note answer-lost"));
        assert_eq!(lost(Some(Rotates::Never), None, 600, false), [""; 0]);
        // The refresh is still running, or it succeeded.
        assert_eq!(lost(Some(Rotates::Always), None, 60, false), [""; 0]);
        assert_eq!(lost(Some(Rotates::Always), None, 600, true), [""; 0]);
    }

    #[test]
    fn findings_are_sorted_by_severity() {
        let lines = found(|case| {
            case.secret_expires_at = Ok(Some(NOW + DAY));
            case.secret = Probe::Missing("It is missing.".to_owned());
            case.preset.tokens.refresh_max = span("1d");
        });
        let levels: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.split(' ').next())
            .collect();
        assert_eq!(levels, ["SignIn", "Settings", "Soon"]);
    }
}
