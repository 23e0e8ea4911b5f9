//! Verify with HTTP.sys: what is as it should be, and what is in the way. Changes nothing.

use super::codes::{self, Object};
use super::plan::Plan;
use super::reading::{
    Bound, Reserved, binding_finding, bound, certificate_findings, reservation_finding,
};
use super::report::{Finding, SetUpAction, State};
use super::service::{Listener, Rights, Service, by_hand};
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::Thumbprint;

/// Another program has the port, without HTTP.sys.
const SHARING_VIOLATION: u32 = 32;

/// What is to be seen of the set-up for an account, or why it is not known.
pub(super) fn verify(
    plan: &Plan,
    account: Result<Listener, Finding>,
    certificates: &[StoreCertificate],
    service: &impl Service,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !plan.prefix.is_loopback() && plan.prefix.host != "+" {
        findings.push(Finding::new(
            State::Wrong,
            format!(
                "The redirect URL leads to {}, and this program listens for this machine only. Use localhost, or paste the \
                 address that the browser ends at.",
                plan.prefix.host
            ),
        ));
    }
    match account {
        Err(finding) => findings.push(finding),
        Ok(account) => findings.push(may_listen(plan, &account, service)),
    }
    if plan.prefix.secure {
        let wanted = plan.bindings().unwrap_or_default();
        let there: Vec<_> = plan
            .endpoints()
            .into_iter()
            .map(|endpoint| (service.binding(&endpoint), endpoint))
            .collect();
        // Without a wish the certificate that is bound is judged.
        let is_bound = || {
            let found = there
                .iter()
                .find_map(|(found, _)| found.as_ref().ok()?.as_ref());
            Some(Thumbprint(found?.hash.as_slice().try_into().ok()?))
        };
        if let Some(thumbprint) = plan.thumbprint.or_else(is_bound) {
            findings.extend(certificate_findings(plan, thumbprint, certificates));
        }
        for (at, (found, endpoint)) in there.iter().enumerate() {
            findings.push(match found {
                Ok(found) => {
                    let bound = bound(found.as_ref(), wanted.get(at));
                    let finding = binding_finding(endpoint, &bound);
                    match bound {
                        Bound::OtherCertificate(_) | Bound::OtherStore(_) => {
                            by_hand(plan, at + 1, finding)
                        }
                        _ => finding,
                    }
                }
                Err(code) => unread(plan, Object::Binding, *code),
            });
        }
    }
    findings.extend(listening(plan, service));
    findings
}

/// Whether the account may listen: tried, where it is this process' own and has no more rights than a sign-in will have;
/// else read off the reservation.
fn may_listen(plan: &Plan, account: &Listener, service: &impl Service) -> Finding {
    let prefix = plan.prefix.registered().to_string();
    let tried = (account.ourselves && service.rights() != Rights::Elevated)
        .then(|| service.listen(&prefix));
    if tried == Some(codes::DONE) {
        return Finding::new(
            State::Good,
            format!("{} may listen on {prefix}: it was tried.", plan.user),
        );
    }
    match service.reservation(&prefix) {
        Ok(sddl) => {
            let reserved = account.reserved(sddl.as_deref(), service);
            let mut finding = reservation_finding(plan, &reserved, |sid| service.account(sid));
            if tried == Some(codes::ACCESS_DENIED) && finding.state != State::Wrong {
                finding = Finding::new(
                    State::Wrong,
                    format!(
                        "Windows does not let {} listen on {prefix} (code 5): it was tried. Set up again.",
                        plan.user
                    ),
                );
            }
            match reserved {
                Reserved::Others(_) | Reserved::Refused => by_hand(plan, 0, finding),
                Reserved::Fine | Reserved::Shared | Reserved::Missing => finding,
            }
        }
        Err(code) => unread(plan, Object::Reservation, code),
    }
}

/// What keeps everybody from listening there, whoever it is.
pub(super) fn listening(plan: &Plan, service: &impl Service) -> Vec<Finding> {
    let prefix = plan.prefix.registered().to_string();
    let mut findings = Vec::new();
    match service.listen(&prefix) {
        codes::ALREADY_EXISTS => findings.push(Finding::new(
            State::Wrong,
            format!(
                "Another program listens on {prefix} just now (code 183). End it, or take another port or path in the \
                 Redirect URL and register it with the service."
            ),
        )),
        SHARING_VIOLATION => findings.push(Finding::new(
            State::Wrong,
            format!(
                "Another program has port {} without HTTP.sys (code 32). End it, or take another port in the Redirect URL \
                 and register it with the service.",
                plan.prefix.port
            ),
        )),
        _ => {}
    }
    if service.is_deaf() {
        findings.push(
            Finding::new(
                State::Wrong,
                "HTTP.sys is told to listen on some addresses only, and 127.0.0.1 is not among them: a browser cannot come \
                 back. Add it as administrator:",
            )
            .with("netsh http add iplisten ipaddress=127.0.0.1"),
        );
    } else {
        findings.push(Finding::new(
            State::Note,
            "HTTP.sys listens beyond this machine as well. Requests from other machines are refused by this program.",
        ));
    }
    findings
}

fn unread(plan: &Plan, object: Object, code: u32) -> Finding {
    let at = usize::from(object == Object::Binding);
    let command = plan.commands(SetUpAction::Verify).ok();
    let finding = codes::finding(SetUpAction::Verify, object, code);
    match command.and_then(|mut commands| (at < commands.len()).then(|| commands.swap_remove(at))) {
        Some(command) => finding.with(command),
        None => finding,
    }
}
