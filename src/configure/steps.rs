//! Set up, Verify and Delete with HTTP.sys: runs the steps in order, through the interface to the service.

use super::bindings;
use super::change::change;
use super::plan::{Plan, SetUpAction, certificate_command};
use super::reading::shared_finding;
use super::report::{Finding, Report, SetUpTask, State};
use super::service::{Service, account};
use super::verify::{verify, verify_free};
use super::warnings::warnings;
use crate::httpsys::certificates::StoreCertificate;

/// Runs the task.
pub fn perform(task: &SetUpTask, service: &mut impl Service) -> Report {
    let own = service.user();
    let user = match task.user.trim() {
        "" => own.clone().unwrap_or_default(),
        user => user.to_owned(),
    };
    let mut report = Report {
        user: own,
        ..Report::default()
    };
    if task.prefix.secure {
        match service.certificates() {
            Ok(certificates) => {
                report.findings.extend(none_fits(task, &certificates));
                report.certificates = certificates;
            }
            Err(code) => report.findings.push(Finding::new(
                State::Note,
                format!("The certificates of this machine could not be listed (code {code}). Enter a thumbprint."),
            )),
        }
    }
    let findings = match Plan::new(task.prefix.clone(), &user, task.thumbprint) {
        Err(error) => vec![match error.nothing_to_set_up() {
            Some(text) if task.falls_back() => Finding::new(State::Note, text),
            _ => Finding::new(State::Problem, error.to_string()),
        }],
        Ok(plan) if plan.prefix.needs_no_set_up() => {
            let mut findings = vec![Finding::new(
                State::Good,
                "Windows already reserves URLs like this for all users. There is nothing to set up or to delete.",
            )];
            if task.action == SetUpAction::Verify {
                findings.extend(verify_free(&plan, service));
            }
            findings
        }
        Ok(plan) => planned(task, &plan, &report.certificates, service),
    };
    report.findings.extend(findings);
    report
}

/// Runs the task of a plan.
fn planned(
    task: &SetUpTask,
    plan: &Plan,
    certificates: &[StoreCertificate],
    service: &mut impl Service,
) -> Vec<Finding> {
    let mut findings = warnings(task.action, &plan.prefix);
    match (account(plan, service), task.action) {
        (Err(finding), SetUpAction::SetUp | SetUpAction::Delete) => findings.push(finding),
        (account, SetUpAction::Verify) => {
            let found = verify(plan, account, certificates, service);
            let stops = found.iter().any(|finding| finding.state.stops());
            findings.extend(found);
            if stops && task.falls_back() {
                findings.push(Finding::new(
                    State::Note,
                    "A sign-in that Windows doesn't allow to use HTTP.sys (code 5) uses the program's own listener instead, \
                     which requires no setup.",
                ));
            }
        }
        (Ok(account), SetUpAction::SetUp) => {
            let changed = change(task.action, plan, &account, service);
            let failed = changed.iter().any(|it| it.state == State::Failed);
            findings.extend(changed);
            if !failed && service.account(&account.sid).is_some_and(|it| it.group) {
                findings.push(shared_finding(&plan.prefix));
            }
            let mut notes = bindings::unsuitable(plan, certificates);
            notes.extend(bindings::ahead(plan, service));
            findings.extend(notes.into_iter().map(|finding| Finding {
                state: State::Note,
                ..finding
            }));
        }
        (Ok(account), SetUpAction::Delete) => {
            findings.extend(change(task.action, plan, &account, service));
        }
    }
    findings
}

/// Returns the finding that the machine has no suitable certificate, if none was chosen, with how to get one.
fn none_fits(task: &SetUpTask, certificates: &[StoreCertificate]) -> Option<Finding> {
    let host = &task.prefix.host;
    let fits = |it: &StoreCertificate| it.is_usable(host);
    if certificates.iter().any(fits) || (task.thumbprint.is_some() && !certificates.is_empty()) {
        return None;
    }
    let text = if certificates.is_empty() {
        "The MY store of this machine contains no certificate.".to_owned()
    } else {
        format!("The MY store of this machine contains no certificate that can be used for {host}.")
    };
    let finding = Finding::new(State::Note, text);
    let import =
        "Import one as a .pfx file with its private key, for the machine and not for a user.";
    let command = certificate_command(&task.prefix).ok();
    Some(match command.filter(|_| task.action != SetUpAction::Delete) {
        None => finding.fix(import),
        Some(command) => finding
            .fix(format!(
                "{import} Or create one as administrator, and enter the thumbprint that this command prints. Browsers warn \
                 about such a certificate until it is trusted on their computer."
            ))
            .with(command),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::net::IpAddr;

    use super::super::change::{CANCELLED, TIMEOUT};
    use super::super::codes;
    use super::super::plan::{APP_ID, sddl};
    use super::super::reading::Account;
    use super::super::reading::tests::certificate;
    use super::super::report::{Consent, Verdict};
    use super::super::service::Rights;
    use super::*;
    use crate::certificate::thumbprint::Thumbprint;
    use crate::httpsys::prefix::{Endpoint, FoundBinding, Prefix, SslBinding, UrlAcl};

    const ME: &str = "S-1-5-21-1-2-3-1001";
    const GROUP: &str = "S-1-5-32-545";

    /// A service that stores what is written.
    struct Fake {
        rights: Rights,
        code: u32,
        reserved: Option<UrlAcl>,
        bound: Vec<(Endpoint, FoundBinding)>,
        certificates: Vec<StoreCertificate>,
        /// The result of listening briefly.
        listening: u32,
        deaf: bool,
        groups: Vec<&'static str>,
        /// The result of asking for consent; 0 makes the change.
        consent: Result<u32, u32>,
        asked: Vec<String>,
    }

    impl Fake {
        fn new(rights: Rights, code: u32) -> Self {
            Self {
                rights,
                code,
                reserved: None,
                bound: Vec::new(),
                // A certificate other than the one of the tasks.
                certificates: vec![StoreCertificate {
                    thumbprint: Thumbprint([2; 20]),
                    ..certificate(&[])
                }],
                listening: 0,
                deaf: false,
                groups: Vec::new(),
                consent: Err(CANCELLED),
                asked: Vec::new(),
            }
        }
    }

    impl Service for Fake {
        fn rights(&self) -> Rights {
            self.rights
        }
        fn user(&self) -> Option<String> {
            Some("DOMAIN\\me".to_owned())
        }
        fn sid(&self, user: &str) -> Result<String, u32> {
            match user {
                "DOMAIN\\me" => Ok(ME.to_owned()),
                "FAR\\away" => Err(1355),
                _ => Err(codes::NONE_MAPPED),
            }
        }
        fn account(&self, sid: &str) -> Option<Account> {
            (sid == GROUP).then(|| Account {
                name: "BUILTIN\\Users".to_owned(),
                group: true,
            })
        }
        fn is_member(&self, sid: &str) -> bool {
            self.groups.contains(&sid)
        }
        fn listen(&self, _: &str) -> u32 {
            self.listening
        }
        fn listen_list(&self) -> Result<Vec<IpAddr>, u32> {
            Ok(self
                .deaf
                .then_some([192, 0, 2, 1].into())
                .into_iter()
                .collect())
        }
        fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
            Ok(self.certificates.clone())
        }
        fn reservation(&self, _: &str) -> Result<Option<String>, u32> {
            Ok(self.reserved.clone().map(|reserved| reserved.sddl))
        }
        fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
            let found = self.bound.iter().find(|(known, _)| known == endpoint);
            Ok(found.map(|(_, binding)| binding.clone()))
        }
        fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
            if self.code == 0 {
                self.reserved = Some(reservation.clone());
            }
            self.code
        }
        fn bind(&mut self, binding: &SslBinding) -> u32 {
            let found = FoundBinding {
                hash: binding.hash.to_vec(),
                app_id: binding.app_id,
                store: binding.store.to_owned(),
            };
            if self.code == 0 {
                self.bound.push((binding.endpoint.clone(), found));
            }
            self.code
        }
        fn release(&mut self, _: &str) -> u32 {
            self.reserved = None;
            self.code
        }
        fn unbind(&mut self, endpoint: &Endpoint) -> u32 {
            self.bound.retain(|(known, _)| known != endpoint);
            self.code
        }
        fn consent(&mut self, arguments: &[String]) -> Result<u32, u32> {
            self.asked = arguments.to_vec();
            if self.consent == Ok(0) {
                self.reserved = Some(UrlAcl {
                    prefix: String::new(),
                    sddl: sddl(ME),
                });
            }
            self.consent
        }
    }

    fn task(action: SetUpAction, url: &str) -> SetUpTask {
        SetUpTask {
            action,
            prefix: Prefix::of(url).unwrap(),
            listener: super::super::report::Listener::HttpSys,
            or_loopback: false,
            listen: None,
            certificate: None,
            user: String::new(),
            thumbprint: Some(Thumbprint([1; 20])),
            ssh: None,
            consent: Consent::Asked,
        }
    }

    fn states(report: &Report) -> Vec<State> {
        report
            .findings
            .iter()
            .map(|finding| finding.state)
            .collect()
    }

    const HTTPS: &str = "https://localhost:8443/cb";

    #[test]
    fn set_up_then_verify_then_delete() {
        use State::{Done, Good, Missing, Note, Problem};
        let mut fake = Fake::new(Rights::Elevated, 0);
        let mut run = |action| states(&perform(&task(action, HTTPS), &mut fake));
        assert_eq!(run(SetUpAction::Verify), [Missing, Problem, Missing, Note]);
        assert_eq!(run(SetUpAction::SetUp), [Done, Done]);
        // Existing objects are not written again.
        assert_eq!(run(SetUpAction::SetUp), [Good, Good]);
        // The certificate is not in this machine's store, which the listener notices as well.
        assert_eq!(run(SetUpAction::Verify), [Good, Problem, Good, Note]);
        assert_eq!(run(SetUpAction::Delete), [Done, Done]);
        assert_eq!(run(SetUpAction::Delete), [Note, Note]);
    }

    #[test]
    fn set_up_reports_a_certificate_that_browsers_reject() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.certificates = vec![StoreCertificate {
            expired: true,
            ..certificate(&["other.example"])
        }];
        let report = perform(&task(SetUpAction::SetUp, HTTPS), &mut fake);
        let notes = report.findings.iter().filter(|it| it.state == State::Note);
        let notes: Vec<&str> = notes.map(|it| it.text.as_str()).collect();
        assert!(notes[0].contains("expired"), "{notes:?}");
        assert!(notes[1].contains("not for localhost"), "{notes:?}");
        assert_eq!(report.verdict(), Verdict::Fine);
    }

    #[test]
    fn other_users_are_mentioned_only_after_something_was_reserved() {
        for (code, told) in [(0, true), (codes::INVALID_PARAMETER, false)] {
            let mut fake = Fake::new(Rights::Elevated, code);
            let mut task = task(SetUpAction::SetUp, "http://127.0.0.1:8400/cb");
            GROUP.clone_into(&mut task.user);
            let report = perform(&task, &mut fake);
            let mut findings = report.findings.iter();
            let shared = findings.any(|it| it.text.starts_with("Other users"));
            assert_eq!(shared, told, "{report:?}");
        }
    }

    #[test]
    fn commands_are_shown_without_administrator_rights() {
        let mut fake = Fake::new(Rights::None, 0);
        let report = perform(&task(SetUpAction::SetUp, HTTPS), &mut fake);
        let commands: Vec<&String> = report
            .findings
            .iter()
            .filter_map(|finding| finding.command.as_ref())
            .collect();
        assert!(commands[0].ends_with("user=DOMAIN\\me") && commands[1].contains("certhash=0101"));
        let texts: Vec<&str> = report.findings.iter().map(|it| it.text.as_str()).collect();
        assert!(texts[0].ends_with("Run these commands as administrator:"));
        assert_eq!(texts[1..3], ["URL reservation:", "Certificate binding:"]);
        assert_eq!(report.verdict(), Verdict::Failed);
        assert!(fake.reserved.is_none());
        let mut fake = Fake::new(Rights::Consent, 0);
        // There is nothing to delete, so the user is not asked.
        let report = perform(&task(SetUpAction::Delete, HTTPS), &mut fake);
        assert_eq!(report.verdict(), Verdict::Fine);
        assert!(fake.asked.is_empty());
        fake.reserved = Some(UrlAcl {
            prefix: String::new(),
            sddl: sddl(ME),
        });
        let report = perform(&task(SetUpAction::Delete, HTTPS), &mut fake);
        assert_eq!(report.verdict(), Verdict::Failed);
        assert_eq!(
            fake.asked[..6],
            [
                "configure",
                "delete",
                "--redirect-url=https://localhost:8443/cb/",
                "--user=S-1-5-21-1-2-3-1001",
                "--no-consent",
                "--listener=httpsys"
            ]
        );
    }

    #[test]
    fn objects_of_others_are_left_alone() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.reserved = Some(UrlAcl {
            prefix: String::new(),
            sddl: "D:(A;;GX;;;S-1-5-20)".to_owned(),
        });
        let endpoint = Endpoint::Name {
            host: "localhost".to_owned(),
            port: 8443,
        };
        let found = FoundBinding {
            hash: vec![9; 20],
            app_id: APP_ID + 1,
            store: "MY".to_owned(),
        };
        fake.bound.push((endpoint, found));
        for action in [SetUpAction::Delete, SetUpAction::SetUp] {
            let report = perform(&task(action, HTTPS), &mut fake);
            assert_eq!(states(&report), [State::Failed, State::Failed]);
            let delete = |finding: &Finding| {
                let command = finding.command.as_ref();
                command.is_some_and(|command| command.starts_with("netsh http delete"))
            };
            assert!(report.findings.iter().all(delete), "{report:?}");
        }
        assert!(fake.reserved.is_some() && fake.bound.len() == 1);
    }

    #[test]
    fn outcome_of_elevation_is_checked() {
        let set_up = |consent| {
            let mut fake = Fake::new(Rights::Consent, 0);
            fake.consent = consent;
            perform(
                &task(SetUpAction::SetUp, "http://127.0.0.1:8400/"),
                &mut fake,
            )
        };
        let report = set_up(Ok(0));
        assert_eq!(states(&report), [State::Done]);
        // The elevated program ended, but nothing has changed.
        let report = set_up(Ok(1));
        assert_eq!(states(&report), [State::Failed]);
        assert!(report.findings[0].text.contains("exit code 1"));
        assert!(report.findings[0].command.is_some());
        for (code, words) in [
            (CANCELLED, "Consent was not given"),
            (TIMEOUT, "within a minute"),
            (2, "could not start this program as administrator (code 2)"),
        ] {
            let report = set_up(Err(code));
            let text = &report.findings[0].text;
            assert!(text.contains(words), "{report:?}");
            // The command follows directly.
            assert!(
                text.ends_with("un this command as administrator:"),
                "{text}"
            );
            assert_eq!(report.findings.len(), 1);
            assert!(report.findings[0].command.is_some());
        }
    }

    #[test]
    fn shared_reservations_are_not_deleted() {
        for sddl in [
            "D:(A;;GX;;;S-1-1-0)".to_owned(),
            format!("D:(A;;GX;;;{ME})(A;;GX;;;S-1-5-20)"),
            format!("D:(A;;GX;;;{GROUP})"),
        ] {
            let mut fake = Fake::new(Rights::Elevated, 0);
            fake.groups = vec![GROUP];
            fake.reserved = Some(UrlAcl {
                prefix: String::new(),
                sddl,
            });
            let url = "http://127.0.0.1:8400/";
            assert_eq!(
                perform(&task(SetUpAction::SetUp, url), &mut fake).verdict(),
                Verdict::Fine
            );
            let report = perform(&task(SetUpAction::Delete, url), &mut fake);
            assert!(report.findings[0].text.starts_with("Not deleted."));
            assert!(fake.reserved.is_some());
            // The group memberships of another account are unknown.
            if fake
                .reserved
                .as_ref()
                .is_some_and(|it| it.sddl.contains(GROUP))
            {
                let mut other = task(SetUpAction::Verify, url);
                other.user = "S-1-5-21-1-2-3-1002".to_owned();
                let report = perform(&other, &mut fake);
                assert_eq!(report.findings[0].state, State::Note, "{report:?}");
            }
        }
    }

    #[test]
    fn verify_tries_to_listen_and_reports_obstacles() {
        let verify = |rights, listening, deaf, url: &str| {
            let mut fake = Fake::new(rights, 0);
            (fake.listening, fake.deaf) = (listening, deaf);
            perform(&task(SetUpAction::Verify, url), &mut fake)
        };
        let (free, other) = ("http://localhost:8400/", "http://127.0.0.1:8400/");
        let report = verify(Rights::None, 0, false, other);
        assert_eq!(states(&report), [State::Good, State::Note]);
        assert!(report.findings[0].text.starts_with("Tested"));
        for url in [free, other] {
            let report = verify(Rights::Consent, codes::ACCESS_DENIED, false, url);
            assert!(report.findings[0].state.stops(), "{report:?}");
        }
        // An administrator may always listen, so the rights of other accounts are read from the reservation.
        assert_eq!(
            verify(Rights::Elevated, 0, false, other).verdict(),
            Verdict::Unfit
        );
        assert_eq!(
            verify(Rights::Elevated, 0, false, free).verdict(),
            Verdict::Fine
        );
        for (code, words) in [
            (183, "Another program is already listening"),
            (32, "without HTTP.sys"),
        ] {
            let report = verify(Rights::Elevated, code, false, free);
            assert!(report.findings[1].text.contains(words), "{report:?}");
            assert_eq!(report.verdict(), Verdict::Unfit);
        }
        let report = verify(Rights::None, 0, true, free);
        assert_eq!(
            report.findings[1].command.as_deref(),
            Some("netsh http add iplisten ipaddress=127.0.0.1")
        );
        let report = verify(Rights::None, 0, false, "http://sso.example.org:8400/");
        assert!(
            report.findings[0]
                .text
                .contains("points to sso.example.org")
        );
    }

    #[test]
    fn existing_binding_is_checked_without_a_chosen_certificate() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.certificates[0].expired = true;
        let endpoint = Endpoint::Name {
            host: "localhost".to_owned(),
            port: 8443,
        };
        let found = FoundBinding {
            hash: vec![2; 20],
            app_id: APP_ID,
            store: "MY".to_owned(),
        };
        fake.bound.push((endpoint, found));
        let mut task = task(SetUpAction::Verify, HTTPS);
        task.thumbprint = None;
        let report = perform(&task, &mut fake);
        let expired = |finding: &Finding| finding.text.contains("expired on 2027-03-01");
        assert!(report.findings.iter().any(expired), "{report:?}");
    }

    #[test]
    fn fallback_to_our_own_listener_is_reported() {
        let run = |or_loopback, action, url: &str| {
            let mut task = task(action, url);
            (task.thumbprint, task.or_loopback) = (None, or_loopback);
            perform(&task, &mut Fake::new(Rights::Elevated, 0))
        };
        let said = |report: &Report| {
            let mut found = report.findings.iter();
            found.any(|it| it.text.contains("own listener") && it.state == State::Note)
        };
        for (url, verdict) in [
            // The URL is not set up, although a sign-in works.
            ("http://127.0.0.1:8400/", Verdict::Unfit),
            ("http://127.0.0.1:0/", Verdict::Fine),
            ("http://localhost:8400/a%20b", Verdict::Fine),
        ] {
            let report = run(true, SetUpAction::Verify, url);
            assert!(said(&report) && report.verdict() == verdict, "{report:?}");
            let report = run(false, SetUpAction::Verify, url);
            assert!(
                !said(&report) && report.verdict() == Verdict::Unfit,
                "{report:?}"
            );
        }
        // With https, the loopback listener has another certificate.
        for url in ["https://localhost:8443/", "https://localhost:0/"] {
            let report = run(true, SetUpAction::Verify, url);
            assert!(
                !said(&report) && report.verdict() == Verdict::Unfit,
                "{report:?}"
            );
        }
        let report = run(true, SetUpAction::SetUp, "http://127.0.0.1:0/");
        assert!(
            said(&report) && report.verdict() == Verdict::Fine,
            "{report:?}"
        );
    }

    #[test]
    fn empty_certificate_store_is_reported() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.certificates.clear();
        let report = perform(&task(SetUpAction::Verify, HTTPS), &mut fake);
        assert!(report.findings[0].text.contains("contains no certificate"));
        let report = perform(
            &task(SetUpAction::Verify, "http://localhost:8400/"),
            &mut fake,
        );
        assert!(!report.findings[0].text.contains("certificate"));
    }

    #[test]
    fn error_codes_and_unknown_users_are_reported() {
        let mut fake = Fake::new(Rights::Elevated, 5);
        let report = perform(
            &task(SetUpAction::SetUp, "http://localhost:8400/"),
            &mut fake,
        );
        assert!(report.findings[0].text.contains("code 5") && report.findings[0].command.is_some());
        let mut other = task(SetUpAction::SetUp, "http://localhost:8400/");
        other.user = "nobody".to_owned();
        let report = perform(&other, &mut fake);
        assert!(
            report.findings[0]
                .text
                .contains("no user or group named nobody")
        );
        other.user = "FAR\\away".to_owned();
        let report = perform(&other, &mut fake);
        assert!(
            report.findings[0]
                .text
                .contains("could not look up FAR\\away (code 1355)")
        );
        let free = task(SetUpAction::SetUp, super::super::plan::WITHOUT_SET_UP);
        assert_eq!(perform(&free, &mut fake).verdict(), Verdict::Fine);
        let any = task(SetUpAction::SetUp, "http://localhost:0/");
        assert_eq!(perform(&any, &mut fake).verdict(), Verdict::Unfit);
    }
}
