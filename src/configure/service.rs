//! Set up, verify and delete with HTTP.sys: the order of the steps, over an interface to the service.

use super::codes::{self, Object};
use super::plan::{Endpoint, Plan, PlanError, SslBinding, UrlAcl, is_sid};
use super::reading::{
    self, Bound, FoundBinding, Reserved, binding_finding, bound, certificate_findings,
    reservation_finding, reserved,
};
use super::report::{Finding, Report, State, StoreCertificate, Task, Work};

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
    /// The security identifier of an account.
    ///
    /// # Errors
    /// The code of Windows.
    fn sid(&self, user: &str) -> Result<String, u32>;
    /// The name of a security identifier.
    fn name(&self, sid: &str) -> Option<String>;
    /// The certificates of the machine's store.
    ///
    /// # Errors
    /// The code of Windows.
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32>;
    /// The descriptor of a prefix; `None` where there is no reservation.
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
    let user = match task.user.trim() {
        "" => service.user().unwrap_or_default(),
        user => user.to_owned(),
    };
    let mut report = Report {
        user: service.user(),
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
        Ok(plan) if plan.prefix.needs_no_set_up() => vec![Finding::new(
            State::Good,
            "Windows has reserved URLs like this for everybody: there is nothing to set up and nothing to delete.",
        )],
        Ok(plan) => match task.work {
            Work::Verify => verify(&plan, &report.certificates, service),
            work => change(work, &plan, task, service),
        },
    };
    report.findings.extend(findings);
    report
}

/// The identifier of the plan's user, or why there is none.
fn account(plan: &Plan, service: &impl Service) -> Result<String, Finding> {
    match plan.user.as_str() {
        "" => Err(Finding::new(State::Failed, PlanError::NoUser.to_string())),
        sid if is_sid(sid) => Ok(sid.to_ascii_uppercase()),
        name => service.sid(name).map_err(|code| {
            Finding::new(
                State::Failed,
                format!(
                    "Windows knows no user {name} (code {code}). Write it as DOMAIN\\name or MACHINE\\name, and look at \
                     the spelling."
                ),
            )
        }),
    }
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

fn verify(plan: &Plan, certificates: &[StoreCertificate], service: &impl Service) -> Vec<Finding> {
    let mut findings = Vec::new();
    match account(plan, service) {
        Err(finding) => findings.push(finding),
        Ok(sid) => findings.push(match service.reservation(&plan.prefix.to_string()) {
            Ok(sddl) => {
                let reserved = reserved(sddl.as_deref(), &sid);
                let finding =
                    reservation_finding(plan, &reserved, &plan.user, |sid| service.name(sid));
                match reserved {
                    Reserved::Others(_) | Reserved::Refused => by_hand(plan, 0, finding),
                    Reserved::Fine | Reserved::Missing => finding,
                }
            }
            Err(code) => unread(plan, Object::Reservation, code),
        }),
    }
    if plan.prefix.secure {
        if let Some(thumbprint) = plan.thumbprint {
            findings.extend(certificate_findings(plan, thumbprint, certificates));
        }
        let wanted = plan.bindings().unwrap_or_default();
        for (at, endpoint) in plan.endpoints().iter().enumerate() {
            findings.push(match service.binding(endpoint) {
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
                Err(code) => unread(plan, Object::Binding, code),
            });
        }
    }
    findings.push(Finding::new(
        State::Note,
        "HTTP.sys listens on all addresses of this machine. Requests from other machines are refused by this program.",
    ));
    findings
}

/// With the command that deletes the reservation, or a binding.
fn by_hand(plan: &Plan, at: usize, finding: Finding) -> Finding {
    match plan.commands(Work::Delete) {
        Ok(mut commands) if at < commands.len() => finding.with(commands.swap_remove(at)),
        _ => finding,
    }
}

/// Sets up or deletes: itself where it may, by consent where that can be had; else it says what to run.
fn change(work: Work, plan: &Plan, task: &Task, service: &mut impl Service) -> Vec<Finding> {
    let commands = match plan.commands(work) {
        Ok(commands) => commands,
        Err(error) => return vec![Finding::new(State::Failed, error.to_string())],
    };
    match (service.rights(), work) {
        (Rights::Elevated, Work::SetUp) => set_up(plan, &commands, service),
        (Rights::Elevated, _) => delete(plan, &commands, service),
        (Rights::Consent, _) => {
            let outcome = service.consent(&arguments(work, plan, task));
            let finding = match outcome {
                Ok(0) => Finding::new(
                    State::Done,
                    "It was done with your consent. Verify shows how it stands now.",
                ),
                Ok(code) => Finding::new(
                    State::Failed,
                    format!(
                        "It was not done with your consent (exit code {code}). Verify shows how it stands now."
                    ),
                ),
                Err(code) => Finding::new(
                    State::Failed,
                    format!(
                        "Consent was not given (code {code}). Run the commands in an elevated prompt instead."
                    ),
                ),
            };
            let failed = finding.state == State::Failed;
            let mut findings = vec![finding];
            if failed {
                findings.extend(to_run(commands));
            }
            findings
        }
        (Rights::None, _) => {
            let mut findings = vec![Finding::new(
                State::Failed,
                "This program is not elevated, and nobody can be asked for consent here. Run this in a prompt that was \
                 started as administrator:",
            )];
            findings.extend(to_run(commands));
            findings
        }
    }
}

fn to_run(commands: Vec<String>) -> impl Iterator<Item = Finding> {
    commands
        .into_iter()
        .map(|command| Finding::new(State::Note, "To be run as administrator:").with(command))
}

/// The arguments with which this program does the same elevated.
fn arguments(work: Work, plan: &Plan, task: &Task) -> Vec<String> {
    let mut arguments = vec![
        "configure".to_owned(),
        work.word().to_owned(),
        format!("--redirect-url={}", plan.prefix),
        // Elevated it may be somebody else.
        format!("--user={}", plan.user),
        // Where consent changes nothing, it would ask again and again.
        "--no-consent".to_owned(),
    ];
    arguments.extend(
        task.thumbprint
            .map(|thumbprint| format!("--thumbprint={thumbprint}")),
    );
    arguments
}

fn set_up(plan: &Plan, commands: &[String], service: &mut impl Service) -> Vec<Finding> {
    let (sid, bindings) = match (account(plan, service), plan.bindings()) {
        (Err(finding), _) => return vec![finding],
        (_, Err(error)) => return vec![Finding::new(State::Failed, error.to_string())],
        (Ok(sid), Ok(bindings)) => (sid, bindings),
    };
    let mut findings = Vec::new();
    // What is there as it should be is not written again, and what belongs to others is not written over.
    let there = service
        .reservation(&plan.prefix.to_string())
        .map(|sddl| reserved(sddl.as_deref(), &sid));
    findings.push(match there {
        Ok(Reserved::Fine) => reservation_finding(plan, &Reserved::Fine, &plan.user, |_| None),
        Ok(other @ (Reserved::Others(_) | Reserved::Refused)) => {
            let finding = reservation_finding(plan, &other, &plan.user, |sid| service.name(sid));
            failed(by_hand(plan, 0, finding))
        }
        Ok(Reserved::Missing) | Err(_) => {
            let code = service.reserve(&plan.reservation(&sid));
            outcome(Work::SetUp, Object::Reservation, code, commands.first())
        }
    });
    for (at, binding) in bindings.iter().enumerate() {
        let there = service
            .binding(&binding.endpoint)
            .map(|found| bound(found.as_ref(), Some(binding)));
        findings.push(match there {
            Ok(fine @ (Bound::Fine | Bound::OtherProgram(_))) => {
                binding_finding(&binding.endpoint, &fine)
            }
            Ok(other @ (Bound::OtherCertificate(_) | Bound::OtherStore(_))) => {
                let finding = binding_finding(&binding.endpoint, &other);
                failed(by_hand(plan, at + 1, finding))
            }
            Ok(Bound::Missing | Bound::Unasked(_)) | Err(_) => {
                let code = service.bind(binding);
                outcome(Work::SetUp, Object::Binding, code, commands.get(at + 1))
            }
        });
    }
    findings
}

/// Removes what a set-up wrote. What belongs to others is told and left alone.
fn delete(plan: &Plan, commands: &[String], service: &mut impl Service) -> Vec<Finding> {
    let sid = match account(plan, service) {
        Ok(sid) => sid,
        Err(finding) => return vec![finding],
    };
    let prefix = plan.prefix.to_string();
    let mut findings = Vec::new();
    let there = service
        .reservation(&prefix)
        .map(|sddl| reserved(sddl.as_deref(), &sid));
    findings.push(match there {
        Ok(Reserved::Missing) => {
            codes::finding(Work::Delete, Object::Reservation, codes::FILE_NOT_FOUND)
        }
        Ok(other @ (Reserved::Others(_) | Reserved::Refused)) => {
            let finding = reservation_finding(plan, &other, &plan.user, |sid| service.name(sid));
            left_alone(finding, commands.first())
        }
        Ok(Reserved::Fine) | Err(_) => {
            let code = service.release(&prefix);
            outcome(Work::Delete, Object::Reservation, code, commands.first())
        }
    });
    for (at, endpoint) in plan.endpoints().iter().enumerate() {
        let command = commands.get(at + 1);
        findings.push(match service.binding(endpoint) {
            Ok(None) => codes::finding(Work::Delete, Object::Binding, codes::FILE_NOT_FOUND),
            Ok(Some(found)) if !reading::is_ours(&found) => left_alone(
                Finding::new(
                    State::Failed,
                    format!(
                        "The certificate binding of {endpoint} was written by another program. If nobody needs it, \
                         delete it by hand."
                    ),
                ),
                command,
            ),
            Ok(Some(_)) | Err(_) => {
                let code = service.unbind(endpoint);
                outcome(Work::Delete, Object::Binding, code, command)
            }
        });
    }
    findings
}

fn failed(mut finding: Finding) -> Finding {
    finding.state = State::Failed;
    finding
}

fn left_alone(mut finding: Finding, command: Option<&String>) -> Finding {
    finding.text.insert_str(0, "Left alone. ");
    finding.command = command.cloned();
    failed(finding)
}

/// The meaning of a code, with the command that does the same where it failed.
fn outcome(work: Work, object: Object, code: u32, command: Option<&String>) -> Finding {
    let finding = codes::finding(work, object, code);
    match (finding.state, command) {
        (State::Failed, Some(command)) => finding.with(command),
        _ => finding,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::super::plan::{APP_ID, Prefix, Thumbprint};
    use super::super::report::{Consent, Verdict};
    use super::*;

    const ME: &str = "S-1-5-21-1-2-3-1001";

    /// A service that remembers.
    struct Fake {
        rights: Rights,
        code: u32,
        reserved: Option<UrlAcl>,
        bound: Vec<(Endpoint, FoundBinding)>,
        certificates: Vec<StoreCertificate>,
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
            if user == "DOMAIN\\me" {
                Ok(ME.to_owned())
            } else {
                Err(1332)
            }
        }
        fn name(&self, _: &str) -> Option<String> {
            None
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
            Err(1223)
        }
    }

    fn task(work: Work, url: &str) -> Task {
        Task {
            work,
            prefix: Prefix::of(url).unwrap(),
            listen: None,
            user: String::new(),
            thumbprint: Some(Thumbprint([1; 20])),
            ssh: false,
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
        assert_eq!(
            perform(&task(Work::Delete, HTTPS), &mut fake).verdict(),
            Verdict::Failed
        );
        assert_eq!(
            fake.asked[..5],
            [
                "configure",
                "delete",
                "--redirect-url=https://localhost:8443/cb/",
                "--user=DOMAIN\\me",
                "--no-consent"
            ]
        );
    }

    #[test]
    fn what_belongs_to_others_is_left_alone() {
        let mut fake = Fake::new(Rights::Elevated, 0);
        fake.reserved = Some(UrlAcl {
            prefix: String::new(),
            sddl: "D:(A;;GX;;;NS)".to_owned(),
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
        assert!(report.findings[0].text.contains("no user nobody"));
        let free = task(Work::SetUp, super::super::plan::WITHOUT_SET_UP);
        assert_eq!(perform(&free, &mut fake).verdict(), Verdict::Fine);
        let any = task(Work::SetUp, "http://localhost:0/");
        assert_eq!(perform(&any, &mut fake).verdict(), Verdict::Unfit);
    }
}
