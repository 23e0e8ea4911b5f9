//! Set up, verify and delete with HTTP.sys: the order of the steps, over an interface to the service.

use super::codes::{self, Object};
use super::plan::{Endpoint, Plan, PlanError, SslBinding, Thumbprint, UrlAcl, is_sid};
use super::reading::{
    self, Account, Bound, FoundBinding, Reserved, binding_finding, bound, certificate_findings,
    reservation_finding, reserved,
};
use super::report::{Finding, Report, State, StoreCertificate, Task, Work};

/// Windows knows no such account.
const NONE_MAPPED: u32 = 1332;
/// The person answered the question for consent with no.
const CANCELLED: u32 = 1223;
/// It took too long.
const TIMEOUT: u32 = 258;
/// Another program has the port, without HTTP.sys.
const SHARING_VIOLATION: u32 = 32;

/// How changes can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// This process is elevated.
    Elevated,
    /// The person at this desktop can be asked for consent.
    Consent,
    /// Neither.
    None,
}

/// The configuration of the HTTP service, as plain as its interface allows. Codes are those of Windows; 0 is done.
pub trait Service {
    /// How changes can be made.
    fn rights(&self) -> Rights;
    /// The current user, as `DOMAIN\name`.
    fn user(&self) -> Option<String>;
    /// The security identifier of an account that can listen: a user or a group.
    ///
    /// # Errors
    /// The code of Windows.
    fn sid(&self, user: &str) -> Result<String, u32>;
    /// The account of a security identifier.
    fn account(&self, sid: &str) -> Option<Account>;
    /// True where the current user counts as a member of this group.
    fn is_member(&self, sid: &str) -> bool;
    /// The certificates of the machine's store.
    ///
    /// # Errors
    /// The code of Windows.
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32>;
    /// Registers a prefix for a moment, as a sign-in does.
    fn listen(&self, prefix: &str) -> u32;
    /// True where HTTP.sys is told to listen on some addresses only, and this machine's own is not among them.
    fn is_deaf(&self) -> bool;
    /// The descriptor of a prefix, with whole identifiers; `None` where there is no reservation.
    ///
    /// # Errors
    /// The code of Windows, where it is another than "not found".
    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32>;
    /// The binding of an endpoint; `None` where there is none.
    ///
    /// # Errors
    /// The code of Windows, where it is another than "not found".
    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32>;
    /// Writes a reservation.
    fn reserve(&mut self, reservation: &UrlAcl) -> u32;
    /// Writes a binding.
    fn bind(&mut self, binding: &SslBinding) -> u32;
    /// Deletes a reservation.
    fn release(&mut self, prefix: &str) -> u32;
    /// Deletes a binding.
    fn unbind(&mut self, endpoint: &Endpoint) -> u32;
    /// Runs this program once more, elevated, with these arguments, after the person's consent; its exit code.
    ///
    /// # Errors
    /// The code of Windows, such as 1223 where the person said no.
    fn consent(&mut self, arguments: &[String]) -> Result<u32, u32>;
}

/// Does what is asked.
pub fn perform(task: &Task, service: &mut impl Service) -> Report {
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
            Ok(certificates) if certificates.is_empty() => report.findings.push(Finding::new(
                State::Note,
                "The My store of this machine holds no certificate. Import one as a .pfx file with its key, for the machine \
                 and not for a user.",
            )),
            Ok(certificates) => report.certificates = certificates,
            Err(code) => report.findings.push(Finding::new(
                State::Note,
                format!("The certificates of this machine could not be listed (code {code}). Type a thumbprint."),
            )),
        }
    }
    let findings = match Plan::new(task.prefix.clone(), &user, task.thumbprint) {
        Err(error) => vec![Finding::new(State::Wrong, error.to_string())],
        Ok(plan) if plan.prefix.needs_no_set_up() => {
            let mut findings = vec![Finding::new(
                State::Good,
                "Windows has reserved URLs like this for everybody: there is nothing to set up and nothing to delete.",
            )];
            if task.work == Work::Verify {
                findings.extend(listening(&plan, service));
            }
            findings
        }
        Ok(plan) => match (account(&plan, service), task.work) {
            (Err(finding), Work::SetUp | Work::Delete) => vec![finding],
            (account, Work::Verify) => verify(&plan, account, &report.certificates, service),
            (Ok(account), work) => change(work, &plan, &account, service),
        },
    };
    report.findings.extend(findings);
    report
}

/// Whom the plan is for.
struct Listener {
    sid: String,
    /// It is the user of this process.
    ourselves: bool,
}

impl Listener {
    /// Compares a reservation with this account. Only of this process is it known what it is a member of.
    fn reserved(&self, sddl: Option<&str>, service: &impl Service) -> Reserved {
        reserved(sddl, &self.sid, |group| {
            self.ourselves && service.is_member(group)
        })
    }
}

/// The identifier of the plan's user, or why there is none.
fn account(plan: &Plan, service: &impl Service) -> Result<Listener, Finding> {
    let sid = match plan.user.as_str() {
        "" => return Err(Finding::new(State::Failed, PlanError::NoUser.to_string())),
        sid if is_sid(sid) => sid.to_ascii_uppercase(),
        name => service.sid(name).map_err(|code| {
            Finding::new(
                State::Failed,
                match code {
                    NONE_MAPPED => format!(
                        "Windows knows no user and no group {name} (code {code}). Write it as DOMAIN\\name or MACHINE\\name, \
                         and look at the spelling."
                    ),
                    code => format!(
                        "Windows could not look up {name} (code {code}). Try again where its domain can be reached, or give \
                         the security identifier (S-1-…)."
                    ),
                },
            )
        })?,
    };
    let own = service.user().and_then(|own| service.sid(&own).ok());
    Ok(Listener {
        ourselves: own.as_ref() == Some(&sid),
        sid,
    })
}

fn unread(plan: &Plan, object: Object, code: u32) -> Finding {
    let at = usize::from(object == Object::Binding);
    let command = plan.commands(Work::Verify).ok();
    let finding = codes::finding(Work::Verify, object, code);
    match command.and_then(|mut commands| (at < commands.len()).then(|| commands.swap_remove(at))) {
        Some(command) => finding.with(command),
        None => finding,
    }
}

/// What keeps everybody from listening there, whoever it is.
fn listening(plan: &Plan, service: &impl Service) -> Vec<Finding> {
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

fn verify(
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

/// With the command that deletes the reservation, or a binding.
fn by_hand(plan: &Plan, at: usize, finding: Finding) -> Finding {
    match plan.commands(Work::Delete) {
        Ok(mut commands) if at < commands.len() => finding.with(commands.swap_remove(at)),
        _ => finding,
    }
}

/// A part of a change: the reservation, or one of the bindings.
#[derive(Clone)]
struct Part {
    object: Object,
    /// Of a binding.
    endpoint: Option<Endpoint>,
    /// The command that does it by hand.
    command: String,
    /// What there is to say where nothing is left to do.
    settled: Option<Finding>,
}

/// Sets up or deletes what is left to do: itself where it may, by consent where that can be had; else it says what to run.
fn change(work: Work, plan: &Plan, account: &Listener, service: &mut impl Service) -> Vec<Finding> {
    let parts = match parts(work, plan, account, service) {
        Ok(parts) => parts,
        Err(error) => return vec![Finding::new(State::Failed, error.to_string())],
    };
    if parts.iter().all(|part| part.settled.is_some()) {
        return parts.into_iter().filter_map(|part| part.settled).collect();
    }
    let (why, failed) = match service.rights() {
        Rights::Elevated => {
            return parts
                .into_iter()
                .map(|part| carry_out(work, plan, account, part, service))
                .collect();
        }
        Rights::Consent => match service.consent(&arguments(work, plan, account)) {
            Ok(code) => return after_consent(work, plan, account, &parts, code, service),
            Err(code) => (refused(code), parts),
        },
        Rights::None => (
            "This program is not elevated, and nobody can be asked for consent here. Run this in a prompt that was started \
             as administrator:"
                .to_owned(),
            parts,
        ),
    };
    let mut findings = vec![Finding::new(State::Failed, why)];
    findings.extend(failed.into_iter().map(|part| match part.settled {
        Some(finding) => finding,
        None => to_run(part.command),
    }));
    findings
}

/// Why nothing came of the question for consent.
fn refused(code: u32) -> String {
    match code {
        CANCELLED => {
            "Consent was not given (code 1223). Try again, or run this in a prompt that was started as administrator:"
                .to_owned()
        }
        TIMEOUT => {
            "It was not done within a minute (code 258). Verify shows how it stands; what is missing can be run as \
             administrator:"
                .to_owned()
        }
        code => format!(
            "Windows could not start this program as administrator (code {code}). Run this in a prompt that was started as \
             administrator:"
        ),
    }
}

fn to_run(command: String) -> Finding {
    Finding::new(State::Note, "To be run as administrator:").with(command)
}

/// What came of each part once the elevated program has ended: looked at again, as only its exit code came back.
fn after_consent(
    work: Work,
    plan: &Plan,
    account: &Listener,
    before: &[Part],
    code: u32,
    service: &impl Service,
) -> Vec<Finding> {
    let after = match parts(work, plan, account, service) {
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
                codes::finding(work, after.object, codes::DONE)
            }
            (None, after) => Finding::new(
                State::Failed,
                format!(
                    "The {} is as before, although consent was given (exit code {code}). Run this as administrator; it says \
                     why:",
                    after.object.words()
                ),
            )
            .with(after.command),
        })
        .collect()
}

/// The arguments with which this program does the same elevated.
fn arguments(work: Work, plan: &Plan, account: &Listener) -> Vec<String> {
    let mut arguments = vec![
        "configure".to_owned(),
        work.word().to_owned(),
        format!("--redirect-url={}", plan.prefix),
        // Elevated it may be somebody else.
        format!("--user={}", account.sid),
        // Where consent changes nothing, it would ask again and again.
        "--no-consent".to_owned(),
    ];
    arguments.extend(
        plan.thumbprint
            .map(|thumbprint| format!("--thumbprint={thumbprint}")),
    );
    arguments
}

/// The parts of a change, and which of them are settled: what is as wanted is not written again, and what belongs to
/// others is neither written over nor deleted.
fn parts(
    work: Work,
    plan: &Plan,
    account: &Listener,
    service: &impl Service,
) -> Result<Vec<Part>, PlanError> {
    let mut commands = plan.commands(work)?.into_iter();
    let wanted = match work {
        Work::SetUp => plan.bindings()?,
        Work::Verify | Work::Delete => Vec::new(),
    };
    let mut parts = vec![Part {
        object: Object::Reservation,
        endpoint: None,
        command: commands.next().unwrap_or_default(),
        settled: service
            .reservation(&plan.prefix.registered().to_string())
            .ok()
            .and_then(|sddl| {
                let reserved = account.reserved(sddl.as_deref(), service);
                settled_reservation(work, plan, &reserved, service)
            }),
    }];
    for (at, endpoint) in plan.endpoints().into_iter().enumerate() {
        let found = service.binding(&endpoint);
        parts.push(Part {
            object: Object::Binding,
            command: commands.next().unwrap_or_default(),
            settled: found.ok().and_then(|found| {
                settled_binding(work, plan, at, &endpoint, found, wanted.get(at))
            }),
            endpoint: Some(endpoint),
        });
    }
    Ok(parts)
}

fn settled_reservation(
    work: Work,
    plan: &Plan,
    reserved: &Reserved,
    service: &impl Service,
) -> Option<Finding> {
    let finding = || reservation_finding(plan, reserved, |sid| service.account(sid));
    match (work, reserved) {
        (Work::Delete, Reserved::Missing) => Some(codes::finding(
            Work::Delete,
            Object::Reservation,
            codes::FILE_NOT_FOUND,
        )),
        (Work::Delete, Reserved::Fine) | (_, Reserved::Missing) => None,
        (Work::Delete, Reserved::Shared | Reserved::Others(_) | Reserved::Refused) => {
            Some(by_hand(plan, 0, left_alone(finding())))
        }
        (_, Reserved::Fine | Reserved::Shared) => Some(finding()),
        (_, Reserved::Others(_) | Reserved::Refused) => {
            let finding = finding();
            Some(match finding.state {
                State::Wrong => by_hand(plan, 0, failed(finding)),
                _ => finding,
            })
        }
    }
}

fn settled_binding(
    work: Work,
    plan: &Plan,
    at: usize,
    endpoint: &Endpoint,
    found: Option<FoundBinding>,
    wanted: Option<&SslBinding>,
) -> Option<Finding> {
    if work == Work::Delete {
        return match found {
            None => Some(codes::finding(
                Work::Delete,
                Object::Binding,
                codes::FILE_NOT_FOUND,
            )),
            Some(found) if reading::is_ours(&found) => None,
            Some(_) => Some(by_hand(
                plan,
                at + 1,
                left_alone(Finding::new(
                    State::Failed,
                    format!(
                        "The certificate binding of {endpoint} was written by another program. If nobody needs it, delete \
                         it by hand."
                    ),
                )),
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

/// Does a part that is not settled; says what came of it.
fn carry_out(
    work: Work,
    plan: &Plan,
    account: &Listener,
    part: Part,
    service: &mut impl Service,
) -> Finding {
    if let Some(finding) = part.settled {
        return finding;
    }
    let code = match (work, part.endpoint) {
        (Work::SetUp, None) => service.reserve(&plan.reservation(&account.sid)),
        (Work::SetUp, Some(endpoint)) => {
            let bindings = plan.bindings().unwrap_or_default();
            let binding = bindings.iter().find(|binding| binding.endpoint == endpoint);
            binding.map_or(codes::INVALID_PARAMETER, |binding| service.bind(binding))
        }
        (_, None) => service.release(&plan.prefix.registered().to_string()),
        (_, Some(endpoint)) => service.unbind(&endpoint),
    };
    let finding = codes::finding(work, part.object, code);
    match finding.state {
        State::Failed => finding.with(part.command),
        _ => finding,
    }
}

fn failed(mut finding: Finding) -> Finding {
    finding.state = State::Failed;
    finding
}

fn left_alone(mut finding: Finding) -> Finding {
    finding.text.insert_str(0, "Left alone. ");
    failed(finding)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::super::plan::{APP_ID, Prefix};
    use super::super::report::{Consent, Verdict};
    use super::*;

    const ME: &str = "S-1-5-21-1-2-3-1001";
    const GROUP: &str = "S-1-5-32-545";

    /// A service that remembers.
    struct Fake {
        rights: Rights,
        code: u32,
        reserved: Option<UrlAcl>,
        bound: Vec<(Endpoint, FoundBinding)>,
        certificates: Vec<StoreCertificate>,
        /// What listening for a moment comes to.
        listening: u32,
        deaf: bool,
        groups: Vec<&'static str>,
        /// What the question for consent comes to; 0 does what is asked.
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
                // Not the one that the tasks are about.
                certificates: vec![StoreCertificate {
                    subject: "CN=other".to_owned(),
                    names: Vec::new(),
                    expires: "2027-03-01".to_owned(),
                    expired: false,
                    thumbprint: Thumbprint([2; 20]),
                    has_key: true,
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
                _ => Err(NONE_MAPPED),
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
        fn is_deaf(&self) -> bool {
            self.deaf
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
                    sddl: super::super::plan::sddl(ME),
                });
            }
            self.consent
        }
    }

    fn task(work: Work, url: &str) -> Task {
        Task {
            work,
            prefix: Prefix::of(url).unwrap(),
            listener: super::super::report::Listener::HttpSys,
            listen: None,
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
        use State::{Done, Good, Note, Wrong};
        let mut fake = Fake::new(Rights::Elevated, 0);
        let mut run = |work| states(&perform(&task(work, HTTPS), &mut fake));
        assert_eq!(run(Work::Verify), [Wrong, Wrong, Wrong, Note]);
        assert_eq!(run(Work::SetUp), [Done, Done]);
        // What is there is not written again.
        assert_eq!(run(Work::SetUp), [Good, Good]);
        // The certificate is not in this machine's store, which the listener notices as well.
        assert_eq!(run(Work::Verify), [Good, Wrong, Good, Note]);
        assert_eq!(run(Work::Delete), [Done, Done]);
        assert_eq!(run(Work::Delete), [Note, Note]);
    }

    #[test]
    fn without_rights_the_commands_are_given() {
        let mut fake = Fake::new(Rights::None, 0);
        let report = perform(&task(Work::SetUp, HTTPS), &mut fake);
        let commands: Vec<&String> = report
            .findings
            .iter()
            .filter_map(|finding| finding.command.as_ref())
            .collect();
        assert!(commands[0].ends_with("user=DOMAIN\\me") && commands[1].contains("certhash=0101"));
        assert_eq!(report.verdict(), Verdict::Failed);
        assert!(fake.reserved.is_none());
        let mut fake = Fake::new(Rights::Consent, 0);
        // There is nothing to delete, so nobody is asked.
        let report = perform(&task(Work::Delete, HTTPS), &mut fake);
        assert_eq!(report.verdict(), Verdict::Fine);
        assert!(fake.asked.is_empty());
        fake.reserved = Some(UrlAcl {
            prefix: String::new(),
            sddl: super::super::plan::sddl(ME),
        });
        let report = perform(&task(Work::Delete, HTTPS), &mut fake);
        assert_eq!(report.verdict(), Verdict::Failed);
        assert_eq!(
            fake.asked[..5],
            [
                "configure",
                "delete",
                "--redirect-url=https://localhost:8443/cb/",
                "--user=S-1-5-21-1-2-3-1001",
                "--no-consent"
            ]
        );
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
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
        for work in [Work::Delete, Work::SetUp] {
            let report = perform(&task(work, HTTPS), &mut fake);
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
    fn what_came_of_consent_is_looked_at() {
        let set_up = |consent| {
            let mut fake = Fake::new(Rights::Consent, 0);
            fake.consent = consent;
            perform(&task(Work::SetUp, "http://127.0.0.1:8400/"), &mut fake)
        };
        let report = set_up(Ok(0));
        assert_eq!(states(&report), [State::Done]);
        // It ended, and nothing has changed.
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
            assert!(report.findings[0].text.contains(words), "{report:?}");
            assert!(report.findings[1].command.is_some());
        }
    }

    #[test]
    fn what_is_shared_with_others_stays() {
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
                perform(&task(Work::SetUp, url), &mut fake).verdict(),
                Verdict::Fine
            );
            let report = perform(&task(Work::Delete, url), &mut fake);
            assert!(report.findings[0].text.starts_with("Left alone."));
            assert!(fake.reserved.is_some());
            // Of another account it is not known whether it is a member.
            if fake
                .reserved
                .as_ref()
                .is_some_and(|it| it.sddl.contains(GROUP))
            {
                let mut other = task(Work::Verify, url);
                other.user = "S-1-5-21-1-2-3-1002".to_owned();
                let report = perform(&other, &mut fake);
                assert_eq!(report.findings[0].state, State::Note, "{report:?}");
            }
        }
    }

    #[test]
    fn verify_tries_it_and_names_what_is_in_the_way() {
        let verify = |rights, listening, deaf, url: &str| {
            let mut fake = Fake::new(rights, 0);
            (fake.listening, fake.deaf) = (listening, deaf);
            perform(&task(Work::Verify, url), &mut fake)
        };
        let (free, other) = ("http://localhost:8400/", "http://127.0.0.1:8400/");
        let report = verify(Rights::None, 0, false, other);
        assert_eq!(states(&report), [State::Good, State::Note]);
        assert!(report.findings[0].text.contains("it was tried"));
        for url in [free, other] {
            let report = verify(Rights::Consent, codes::ACCESS_DENIED, false, url);
            assert_eq!(report.findings[0].state, State::Wrong, "{report:?}");
        }
        // An administrator may always: what others may is read off the reservation.
        assert_eq!(
            verify(Rights::Elevated, 0, false, other).verdict(),
            Verdict::Unfit
        );
        assert_eq!(
            verify(Rights::Elevated, 0, false, free).verdict(),
            Verdict::Fine
        );
        for (code, words) in [(183, "Another program listens"), (32, "without HTTP.sys")] {
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
        assert!(report.findings[0].text.contains("leads to sso.example.org"));
    }

    #[test]
    fn a_binding_is_judged_without_a_wish() {
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
        let mut task = task(Work::Verify, HTTPS);
        task.thumbprint = None;
        let report = perform(&task, &mut fake);
        let expired = |finding: &Finding| finding.text.contains("expired on 2027-03-01");
        assert!(report.findings.iter().any(expired), "{report:?}");
    }

    #[test]
    fn an_empty_store_is_told() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.certificates.clear();
        let report = perform(&task(Work::Verify, HTTPS), &mut fake);
        assert!(report.findings[0].text.contains("holds no certificate"));
        let report = perform(&task(Work::Verify, "http://localhost:8400/"), &mut fake);
        assert!(!report.findings[0].text.contains("certificate"));
    }

    #[test]
    fn codes_and_unknown_users_are_told() {
        let mut fake = Fake::new(Rights::Elevated, 5);
        let report = perform(&task(Work::SetUp, "http://localhost:8400/"), &mut fake);
        assert!(report.findings[0].text.contains("code 5") && report.findings[0].command.is_some());
        let mut other = task(Work::SetUp, "http://localhost:8400/");
        other.user = "nobody".to_owned();
        let report = perform(&other, &mut fake);
        assert!(
            report.findings[0]
                .text
                .contains("no user and no group nobody")
        );
        other.user = "FAR\\away".to_owned();
        let report = perform(&other, &mut fake);
        assert!(
            report.findings[0]
                .text
                .contains("could not look up FAR\\away (code 1355)")
        );
        let free = task(Work::SetUp, super::super::plan::WITHOUT_SET_UP);
        assert_eq!(perform(&free, &mut fake).verdict(), Verdict::Fine);
        let any = task(Work::SetUp, "http://localhost:0/");
        assert_eq!(perform(&any, &mut fake).verdict(), Verdict::Unfit);
    }
}
