//! Set up and Delete with HTTP.sys: finds which changes are left, and makes them with the rights available.

use super::codes::{self, Object};
use super::plan::{Plan, PlanError, SetUpAction};
use super::reading::{self, Bound, Reserved, binding_finding, bound, reservation_finding};
use super::report::{Finding, State};
use super::service::{Listener, Rights, Service, by_hand, governing};
use crate::httpsys::prefix::{Endpoint, FoundBinding, Prefix, SslBinding};
use crate::httpsys::refused;

/// The user declined consent (`ERROR_CANCELLED`).
pub(super) const CANCELLED: u32 = 1223;
/// The change took too long (`WAIT_TIMEOUT`).
pub(super) const TIMEOUT: u32 = 258;

/// A part of a change: the reservation, or one of the bindings.
#[derive(Clone)]
struct Part {
    object: Object,
    /// The endpoint, for a binding.
    endpoint: Option<Endpoint>,
    /// The command that makes the change manually.
    command: String,
    /// What to report if nothing is left to do.
    settled: Option<Finding>,
}

/// Makes the changes that are left: directly if this process is elevated, otherwise with the user's consent if
/// possible; else returns the commands to run.
pub(super) fn change(
    action: SetUpAction,
    plan: &Plan,
    account: &Listener,
    service: &mut impl Service,
) -> Vec<Finding> {
    let parts = match parts(action, plan, account, service) {
        Ok(parts) => parts,
        Err(error) => return vec![Finding::new(State::Failed, error.to_string())],
    };
    if parts.iter().all(|part| part.settled.is_some()) {
        return parts.into_iter().filter_map(|part| part.settled).collect();
    }
    let why = match service.rights() {
        Rights::Elevated => {
            return parts
                .into_iter()
                .map(|part| carry_out(action, plan, account, part, service))
                .collect();
        }
        Rights::Consent => match service.consent(&arguments(action, plan, account)) {
            Ok(code) => return after_consent(action, plan, account, &parts, code, service),
            Err(code) => refused(code),
        },
        Rights::None => {
            "This program is not running as administrator, and can't ask for consent here. Run"
                .to_owned()
        }
    };
    to_run(&why, parts)
}

/// Explains why asking for consent failed, up to the commands to run instead.
fn refused(code: u32) -> String {
    match code {
        CANCELLED => "Consent was not given (code 1223). Try again, or run".to_owned(),
        TIMEOUT => {
            "The change was not completed within a minute (code 258). Use Verify to see the current state. To make the \
             change by hand, run"
                .to_owned()
        }
        code => format!("Windows could not start this program as administrator (code {code}). Run"),
    }
}

/// Returns why nothing was done, and the commands to run by hand. A single command belongs to the reason itself.
fn to_run(why: &str, parts: Vec<Part>) -> Vec<Finding> {
    let left = parts.iter().filter(|part| part.settled.is_none()).count();
    let these = if left == 1 {
        "this command"
    } else {
        "these commands"
    };
    let mut first = Finding::new(State::Failed, format!("{why} {these} as administrator:"));
    let mut rest = Vec::new();
    for part in parts {
        match part.settled {
            Some(finding) => rest.push(finding),
            None if left == 1 => first.command = Some(part.command),
            None => {
                rest.push(Finding::new(State::Note, part.object.label()).with(part.command));
            }
        }
    }
    rest.insert(0, first);
    rest
}

/// Returns the result of each part after the elevated program ended. The parts are read again, because the program only
/// returns an exit code.
fn after_consent(
    action: SetUpAction,
    plan: &Plan,
    account: &Listener,
    before: &[Part],
    code: u32,
    service: &impl Service,
) -> Vec<Finding> {
    let after = match parts(action, plan, account, service) {
        Ok(after) => after,
        Err(error) => return vec![Finding::new(State::Failed, error.to_string())],
    };
    let settled = |finding: &Option<Finding>| {
        finding
            .as_ref()
            .is_some_and(|finding| finding.state != State::Failed)
    };
    before
        .iter()
        .zip(after)
        .map(|(before, after)| match (&before.settled, after) {
            (Some(finding), _) => finding.clone(),
            (None, after) if settled(&after.settled) => {
                codes::finding(action, after.object, codes::DONE)
            }
            (None, after) => Finding::new(
                State::Failed,
                format!(
                    "The {} is unchanged although consent was given (exit code {code}). Run this command as administrator to see why:",
                    after.object.name()
                ),
            )
            .with(after.command),
        })
        .collect()
}

/// Returns the arguments with which the elevated program makes the same changes.
fn arguments(action: SetUpAction, plan: &Plan, account: &Listener) -> Vec<String> {
    let mut arguments = vec![
        "configure".to_owned(),
        action.word().to_owned(),
        format!("--redirect-url={}", plan.prefix),
        // Elevated, the program may run as another user.
        format!("--user={}", account.sid),
        // If consent doesn't elevate the program, it must not ask again and again.
        "--no-consent".to_owned(),
        // The environment of the elevated program may select the other listener.
        "--listener=httpsys".to_owned(),
    ];
    arguments.extend(
        plan.thumbprint
            .map(|thumbprint| format!("--thumbprint={thumbprint}")),
    );
    arguments
}

/// Returns the parts of a change, and which of them are settled: parts that are correct already are not written again,
/// and those of other programs or users are neither overwritten nor deleted.
fn parts(
    action: SetUpAction,
    plan: &Plan,
    account: &Listener,
    service: &impl Service,
) -> Result<Vec<Part>, PlanError> {
    let mut commands = plan.commands(action)?.into_iter();
    let wanted = match action {
        SetUpAction::SetUp => plan.bindings()?,
        SetUpAction::Verify | SetUpAction::Delete => Vec::new(),
    };
    let mut parts = vec![Part {
        object: Object::Reservation,
        endpoint: None,
        command: commands.next().unwrap_or_default(),
        settled: settled_reservation(action, plan, account, service),
    }];
    for (at, endpoint) in plan.endpoints().into_iter().enumerate() {
        let found = service.binding(&endpoint);
        parts.push(Part {
            object: Object::Binding,
            command: commands.next().unwrap_or_default(),
            settled: found.ok().and_then(|found| {
                settled_binding(action, plan, at, &endpoint, found, wanted.get(at))
            }),
            endpoint: Some(endpoint),
        });
    }
    Ok(parts)
}

fn settled_reservation(
    action: SetUpAction,
    plan: &Plan,
    account: &Listener,
    service: &impl Service,
) -> Option<Finding> {
    let own = plan.prefix.registered();
    let sddl = service.reservation(&own.to_string()).ok()?;
    let reserved = account.reserved(sddl.as_deref(), service);
    let finding = |url: &Prefix, reserved: &Reserved| {
        reservation_finding(plan, url, reserved, |sid| service.account(sid))
    };
    match (action, &reserved) {
        (SetUpAction::Delete, Reserved::Missing) => Some(codes::finding(
            SetUpAction::Delete,
            Object::Reservation,
            codes::FILE_NOT_FOUND,
        )),
        (SetUpAction::Delete, Reserved::Fine) => None,
        (SetUpAction::Delete, Reserved::Shared | Reserved::Others(_) | Reserved::Refused) => {
            Some(by_hand(plan, 0, left_alone(finding(&own, &reserved))))
        }
        (_, Reserved::Missing) => {
            // The reservation of a parent path is enough, if it is for this account.
            let (above, sddl) = governing(&plan.prefix, service).ok()??;
            let reserved = account.reserved(Some(&sddl), service);
            matches!(reserved, Reserved::Fine | Reserved::Shared)
                .then(|| finding(&above, &reserved))
        }
        (_, Reserved::Fine | Reserved::Shared) => Some(finding(&own, &reserved)),
        (_, Reserved::Others(_) | Reserved::Refused) => {
            let finding = finding(&own, &reserved);
            Some(match finding.state {
                State::Problem => by_hand(plan, 0, failed(finding)),
                _ => finding,
            })
        }
    }
}

fn settled_binding(
    action: SetUpAction,
    plan: &Plan,
    at: usize,
    endpoint: &Endpoint,
    found: Option<FoundBinding>,
    wanted: Option<&SslBinding>,
) -> Option<Finding> {
    if action == SetUpAction::Delete {
        return match found {
            None => Some(codes::finding(
                SetUpAction::Delete,
                Object::Binding,
                codes::FILE_NOT_FOUND,
            )),
            Some(found) if reading::is_ours(&found) => None,
            Some(_) => Some(by_hand(
                plan,
                at + 1,
                left_alone(
                    Finding::new(
                        State::Failed,
                        format!(
                            "The certificate binding for {endpoint} was created by another program."
                        ),
                    )
                    .fix("If nobody needs it, delete it by hand."),
                ),
            )),
        };
    }
    let bound = bound(found.as_ref(), wanted);
    match bound {
        Bound::Fine | Bound::OtherProgram(_) => Some(binding_finding(endpoint, &bound)),
        Bound::OtherCertificate(_) | Bound::OtherStore(_) => Some(by_hand(
            plan,
            at + 1,
            failed(binding_finding(endpoint, &bound)),
        )),
        Bound::Missing | Bound::Unasked(_) => None,
    }
}

/// Makes the change of a part that is not settled. Returns the result.
fn carry_out(
    action: SetUpAction,
    plan: &Plan,
    account: &Listener,
    part: Part,
    service: &mut impl Service,
) -> Finding {
    if let Some(finding) = part.settled {
        return finding;
    }
    let code = match (action, part.endpoint) {
        (SetUpAction::SetUp, None) => service.reserve(&plan.reservation(&account.sid)),
        (SetUpAction::SetUp, Some(endpoint)) => {
            let bindings = plan.bindings().unwrap_or_default();
            let binding = bindings.iter().find(|binding| binding.endpoint == endpoint);
            binding.map_or(codes::INVALID_PARAMETER, |binding| service.bind(binding))
        }
        (_, None) => service.release(&plan.prefix.registered().to_string()),
        (_, Some(endpoint)) => service.unbind(&endpoint),
    };
    let finding = codes::finding(action, part.object, code);
    match finding.state {
        // The command doesn't help either if the service can't be used.
        State::Failed if !refused::is_service(code) => finding.with(part.command),
        _ => finding,
    }
}

fn failed(mut finding: Finding) -> Finding {
    finding.state = State::Failed;
    finding
}

fn left_alone(mut finding: Finding) -> Finding {
    finding.text.insert_str(0, "Not deleted. ");
    failed(finding)
}
