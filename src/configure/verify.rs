//! Verify with HTTP.sys: finds what is correct, and what prevents the listener from working. Changes nothing.

use super::codes::{self, Object};
use super::plan::Plan;
use super::reading::{Reserved, reservation_finding, shared_finding};
use super::report::{Finding, State};
use super::service::{Listener, Rights, Service, by_hand, governing, unread};
use super::{bindings, listen_list};
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::refused;

/// Returns the findings about the setup for an account, or why the account is unknown.
pub(super) fn verify(
    plan: &Plan,
    account: Result<Listener, Finding>,
    certificates: &[StoreCertificate],
    service: &impl Service,
) -> Vec<Finding> {
    let code = service.listen(&plan.prefix.registered().to_string());
    let mut findings = match account {
        Err(finding) => vec![finding],
        Ok(account) => may_listen(plan, &account, code, service),
    };
    findings.extend(bindings::verify(plan, certificates, service));
    // The findings already say whether the account may listen.
    if code != codes::ACCESS_DENIED {
        findings.extend(refusal(plan, code));
    }
    findings.push(listen_list::finding(&plan.prefix, service.listen_list()));
    findings
}

/// Verifies a URL that Windows reserves for all users.
pub(super) fn verify_free(plan: &Plan, service: &impl Service) -> Vec<Finding> {
    let code = service.listen(&plan.prefix.registered().to_string());
    let mut findings: Vec<Finding> = refusal(plan, code).into_iter().collect();
    findings.push(shared_finding(&plan.prefix.registered()));
    findings.push(listen_list::finding(&plan.prefix, service.listen_list()));
    findings
}

/// Checks whether the account may listen. The result of listening counts if it was for the user of this process,
/// without more rights than a sign-in will have; otherwise, the reservation counts.
fn may_listen(plan: &Plan, account: &Listener, code: u32, service: &impl Service) -> Vec<Finding> {
    let own = plan.prefix.registered();
    let tested = (account.ourselves && service.rights() != Rights::Elevated && code == codes::DONE)
        .then(|| {
            let text = format!("Tested: {} may listen on {own}", plan.user);
            Finding::new(State::Good, text)
        });
    let (url, sddl) = match governing(&plan.prefix, service) {
        Ok(Some((url, sddl))) => (url, Some(sddl)),
        Ok(None) => (own.clone(), None),
        Err(code) => {
            return vec![tested.unwrap_or_else(|| unread(plan, Object::Reservation, code))];
        }
    };
    let reserved = account.reserved(sddl.as_deref(), service);
    let first = tested.unwrap_or_else(|| {
        let finding = reservation_finding(plan, &url, &reserved, |sid| service.account(sid));
        let others = matches!(reserved, Reserved::Others(_) | Reserved::Refused);
        let denied = account.ourselves && code == codes::ACCESS_DENIED;
        if others && url != own {
            // A reservation for the URL itself has priority over that of a parent path.
            let text = format!(
                "URL reservation for {own}. The one for {url} doesn't allow {} to listen.",
                plan.user
            );
            Finding::new(State::Missing, text).fix("Set up adds it.")
        } else if others {
            by_hand(plan, 0, finding)
        } else if denied && !finding.state.stops() {
            let text = format!(
                "Tested: Windows doesn't allow {} to listen on {own} (code 5).",
                plan.user
            );
            Finding::new(State::Problem, text).fix("Set up again.")
        } else {
            finding
        }
    });
    let mut findings = vec![first];
    if reserved == Reserved::Shared || service.account(&account.sid).is_some_and(|it| it.group) {
        findings.push(shared_finding(&url));
    }
    findings
}

/// Returns what prevents HTTP.sys from listening there, regardless of the account.
fn refusal(plan: &Plan, code: u32) -> Option<Finding> {
    let prefix = plan.prefix.registered().to_string();
    let text = || refused::reason(&prefix, code);
    (code != codes::DONE).then(|| Finding::new(State::Problem, text()).fix(refused::remedy(code)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::plan::{SetUpAction, WITHOUT_SET_UP, sddl};
    use super::super::report::{Consent, Report, SetUpTask, Verdict};
    use super::super::scripted::{GROUP, ME, Scripted};
    use super::super::steps;
    use super::*;
    use crate::httpsys::prefix::Prefix;

    fn run(machine: &mut Scripted, action: SetUpAction, url: &str, user: &str) -> Report {
        let task = SetUpTask {
            action,
            prefix: Prefix::of(url).unwrap(),
            listener: super::super::report::Listener::HttpSys,
            or_loopback: false,
            listen: None,
            certificate: None,
            user: user.to_owned(),
            thumbprint: None,
            ssh: None,
            consent: Consent::NotAsked,
        };
        steps::perform(&task, machine)
    }

    const URL: &str = "http://127.0.0.1:8400/a/b/callback";

    #[test]
    fn only_the_success_code_is_fine() {
        for url in [URL, "http://localhost:8400/", WITHOUT_SET_UP] {
            for rights in [Rights::None, Rights::Elevated] {
                for code in 0..=16_000 {
                    let mut machine = Scripted {
                        rights,
                        listening: code,
                        ..Scripted::default()
                    };
                    let own = Prefix::of(url).unwrap().to_string();
                    machine.reserved.insert(own, sddl(ME));
                    let report = run(&mut machine, SetUpAction::Verify, url, "");
                    let fine = report.verdict() == Verdict::Fine;
                    assert_eq!(fine, code == 0, "{code}: {report:?}");
                }
            }
        }
        // Another account is checked by its reservation only: the current user's result doesn't apply to it.
        let mut machine = Scripted {
            listening: codes::ACCESS_DENIED,
            ..Scripted::default()
        };
        let other = "S-1-5-21-1-2-3-1002";
        let own = Prefix::of(URL).unwrap().to_string();
        machine.reserved.insert(own, sddl(other));
        let report = run(&mut machine, SetUpAction::Verify, URL, other);
        assert_eq!(report.verdict(), Verdict::Fine, "{report:?}");
    }

    #[test]
    fn known_error_codes_name_their_cause() {
        for (code, words) in [
            (13, "code 13"),
            (87, "rejected the URL"),
            (1060, "no HTTP service (code 1060)"),
            (1214, "rejected the host"),
            (10013, "use the port"),
        ] {
            let mut machine = Scripted {
                listening: code,
                ..Scripted::default()
            };
            let report = run(
                &mut machine,
                SetUpAction::Verify,
                "http://localhost:8400/",
                "",
            );
            let told = report.findings.iter().find(|it| it.text.contains(words));
            assert!(told.is_some_and(|it| it.fix.is_some()), "{report:?}");
        }
    }

    #[test]
    fn reservation_of_a_parent_path_applies() {
        let above = "http://127.0.0.1:8400/a/";
        let machine = |sddl: &str| {
            let mut machine = Scripted {
                rights: Rights::Elevated,
                ..Scripted::default()
            };
            machine.reserved.insert(above.to_owned(), sddl.to_owned());
            machine
        };
        let mut ours = machine(&sddl(ME));
        for action in [SetUpAction::Verify, SetUpAction::SetUp] {
            let report = run(&mut ours, action, URL, "");
            assert_eq!(report.verdict(), Verdict::Fine, "{report:?}");
            let told = report.findings[0].text.contains(above);
            assert!(
                told && report.findings[0].state == State::Good,
                "{report:?}"
            );
        }
        // Nothing was added, and the reservation of the parent path is not deleted.
        assert_eq!(ours.reserved.len(), 1);
        run(&mut ours, SetUpAction::Delete, URL, "");
        assert_eq!(ours.reserved.len(), 1);

        let mut others = machine(&sddl("S-1-5-20"));
        let report = run(&mut others, SetUpAction::Verify, URL, "");
        assert_eq!(report.findings[0].state, State::Missing, "{report:?}");
        assert!(report.findings[0].text.contains(above), "{report:?}");
        let report = run(&mut others, SetUpAction::SetUp, URL, "");
        assert_eq!(report.verdict(), Verdict::Fine, "{report:?}");
        assert_eq!(others.reserved.len(), 2);
        // The closest reservation counts.
        let report = run(&mut others, SetUpAction::Verify, URL, "");
        assert_eq!(report.findings[0].state, State::Good, "{report:?}");
    }

    #[test]
    fn accounts_that_may_listen_first_are_reported() {
        let shared = |report: &Report| {
            let mut found = report.findings.iter();
            found.any(|it| it.text.contains("even before you do") && it.state == State::Note)
        };
        for (reserved, user, expected) in [
            (sddl(ME), "", false),
            (sddl("S-1-1-0"), "", true),
            (format!("{}(A;;GX;;;S-1-5-20)", sddl(ME)), "", true),
            (sddl(GROUP), GROUP, true),
        ] {
            let mut machine = Scripted {
                rights: Rights::Elevated,
                ..Scripted::default()
            };
            let own = Prefix::of(URL).unwrap().to_string();
            machine.reserved.insert(own, reserved.clone());
            let report = run(&mut machine, SetUpAction::Verify, URL, user);
            assert_eq!(shared(&report), expected, "{reserved}: {report:?}");
        }
        let mut machine = Scripted {
            rights: Rights::Elevated,
            ..Scripted::default()
        };
        for (user, expected) in [("", false), (GROUP, true), ("Everyone", true)] {
            let report = run(&mut machine, SetUpAction::SetUp, URL, user);
            assert_eq!(shared(&report), expected, "{user}: {report:?}");
            machine.reserved.clear();
        }
        let report = run(&mut machine, SetUpAction::Verify, WITHOUT_SET_UP, "");
        assert!(shared(&report), "{report:?}");
    }

    #[test]
    fn url_warnings_are_shown_for_set_up_and_verify() {
        for (url, words) in [
            ("http://localhost/", "IIS"),
            ("http://0.0.0.0:8400/", "all addresses"),
        ] {
            let mut machine = Scripted::default();
            for action in [SetUpAction::SetUp, SetUpAction::Verify] {
                let report = run(&mut machine, action, url, "");
                assert!(report.findings[0].text.contains(words), "{report:?}");
            }
        }
    }

    #[test]
    fn command_to_create_a_certificate_is_offered() {
        let url = "https://localhost:8443/cb";
        let mut machine = Scripted::default();
        let unfit = |names: &[&str]| super::super::reading::tests::certificate(names);
        for certificates in [Vec::new(), vec![unfit(&["other.example"])]] {
            machine.certificates = certificates;
            for action in [SetUpAction::SetUp, SetUpAction::Verify] {
                let report = run(&mut machine, action, url, "");
                let command = report.findings[0].command.as_deref().unwrap_or_default();
                assert!(command.starts_with("powershell \"(New-Self"), "{report:?}");
            }
            let report = run(&mut machine, SetUpAction::Delete, url, "");
            assert!(report.findings[0].command.is_none(), "{report:?}");
        }
        machine.certificates = vec![unfit(&["localhost"])];
        let report = run(&mut machine, SetUpAction::Verify, url, "");
        assert_eq!(report.findings[0].command, None, "{report:?}");
    }
}
