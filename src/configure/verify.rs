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

/// What can be seen of the set-up for an account, or why that is not known.
pub(super) fn verify(
    plan: &Plan,
    account: Result<Listener, Finding>,
    certificates: &[StoreCertificate],
    service: &impl Service,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !plan.prefix.is_loopback() && plan.prefix.host != "+" {
        let text = format!(
            "The redirect URL points to {}, but this program listens only on this machine.",
            plan.prefix.host
        );
        findings.push(
            Finding::new(State::Problem, text)
                .fix("Use localhost, or paste the final URL from the browser after signing in."),
        );
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
        // If none was chosen, the certificate that is bound is checked.
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
            format!("Tested: {} may listen on {prefix}", plan.user),
        );
    }
    match service.reservation(&prefix) {
        Ok(sddl) => {
            let reserved = account.reserved(sddl.as_deref(), service);
            let mut finding = reservation_finding(plan, &reserved, |sid| service.account(sid));
            if tried == Some(codes::ACCESS_DENIED) && !finding.state.stops() {
                finding = Finding::new(
                    State::Problem,
                    format!(
                        "Tested: Windows doesn't allow {} to listen on {prefix} (code 5).",
                        plan.user
                    ),
                )
                .fix("Set up again.");
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
        codes::ALREADY_EXISTS => findings.push(
            Finding::new(
                State::Problem,
                format!("Another program is listening on {prefix} (code 183)."),
            )
            .fix("Stop it, or choose another port or path and register it with the service."),
        ),
        SHARING_VIOLATION => findings.push(
            Finding::new(
                State::Problem,
                format!(
                    "Another program uses port {} without HTTP.sys (code 32).",
                    plan.prefix.port
                ),
            )
            .fix("Stop it, or choose another port and register it with the service."),
        ),
        _ => {}
    }
    if service.is_deaf() {
        findings.push(
            Finding::new(
                State::Problem,
                "HTTP.sys is limited to some addresses, and 127.0.0.1 is not one of them, so the browser can't return.",
            )
            .fix("Add it as administrator:")
            .with("netsh http add iplisten ipaddress=127.0.0.1"),
        );
    } else {
        findings.push(Finding::new(
            State::Note,
            "HTTP.sys listens on all addresses. This program rejects requests from other computers.",
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
