//! Checks which certificate HTTP.sys presents for an https redirect URL. Changes nothing.

use super::codes::Object;
use super::plan::{Plan, deletion};
use super::reading::{Bound, binding_finding, bound, certificate_findings};
use super::report::{Finding, State};
use super::service::{Service, by_hand, unread};
use crate::certificate::thumbprint::Thumbprint;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Endpoint, FoundBinding};

/// An endpoint for which HTTP.sys looks up a certificate, and the binding found there.
type Lookup = (Endpoint, Result<Option<FoundBinding>, u32>);

/// Returns all lookups for a plan, in the order of HTTP.sys.
fn lookups(plan: &Plan, service: &impl Service) -> Vec<Lookup> {
    let all = plan.prefix.lookups().into_iter();
    all.map(|endpoint| (endpoint.clone(), service.binding(&endpoint)))
        .collect()
}

/// Returns the findings about the certificate of a plan and its bindings; none for http.
pub(super) fn verify(
    plan: &Plan,
    certificates: &[StoreCertificate],
    service: &impl Service,
) -> Vec<Finding> {
    if !plan.prefix.secure {
        return Vec::new();
    }
    let (lookups, own) = (lookups(plan, service), plan.endpoints());
    let presented = lookups
        .iter()
        .find_map(|(endpoint, found)| Some((endpoint, found.as_ref().ok()?.as_ref()?)));
    // If no certificate was chosen, check the one that is presented.
    let is_presented = || Some(Thumbprint(presented?.1.hash.as_slice().try_into().ok()?));
    let mut findings = Vec::new();
    if let Some(thumbprint) = plan.thumbprint.or_else(is_presented) {
        findings.extend(certificate_findings(plan, thumbprint, certificates));
    }
    // A sign-in works without its own binding if there is a more or less specific one.
    let instead = presented.filter(|(endpoint, found)| {
        let same = |thumbprint: Thumbprint| found.hash == thumbprint.0;
        !own.contains(endpoint) && plan.thumbprint.is_none_or(same)
    });
    let wanted = plan.bindings().unwrap_or_default();
    for (at, endpoint) in own.iter().enumerate() {
        let found = lookups.iter().find(|(known, _)| known == endpoint);
        match found.map_or(Ok(None), |(_, found)| found.as_ref().map(Option::as_ref)) {
            Ok(None) if instead.is_some() => {}
            Ok(found) => {
                let bound = bound(found, wanted.get(at));
                let finding = binding_finding(endpoint, &bound);
                findings.push(match bound {
                    Bound::OtherCertificate(_) | Bound::OtherStore(_) => {
                        by_hand(plan, at + 1, finding)
                    }
                    _ => finding,
                });
            }
            Err(code) => findings.push(unread(plan, Object::Binding, *code)),
        }
    }
    let first = first(plan, &lookups);
    if let Some((endpoint, found)) = instead.filter(|_| first.is_empty()) {
        findings.push(used(endpoint, found));
    }
    findings.extend(first);
    findings
}

/// Returns why browsers reject the chosen certificate, or HTTP.sys can't present it; none if it is suitable or not listed.
pub(super) fn unsuitable(plan: &Plan, certificates: &[StoreCertificate]) -> Vec<Finding> {
    let chosen = plan.thumbprint.filter(|thumbprint| {
        let mut listed = certificates.iter();
        listed.any(|certificate| certificate.thumbprint == *thumbprint)
    });
    let findings = chosen.map(|thumbprint| certificate_findings(plan, thumbprint, certificates));
    let findings = findings.into_iter().flatten();
    findings.filter(|finding| finding.state.stops()).collect()
}

/// Returns findings about bindings that HTTP.sys finds before those of the plan, once the latter exist.
pub(super) fn ahead(plan: &Plan, service: &impl Service) -> Vec<Finding> {
    if plan.prefix.secure {
        first(plan, &lookups(plan, service))
    } else {
        Vec::new()
    }
}

/// Does the same for the lookups found: browsers get the certificate of these bindings.
fn first(plan: &Plan, lookups: &[Lookup]) -> Vec<Finding> {
    let own = plan.endpoints();
    let hash_of = |wanted: &Endpoint| {
        let found = lookups.iter().find(|(endpoint, _)| endpoint == wanted);
        Some(found?.1.as_ref().ok()?.as_ref()?.hash.clone())
    };
    let chosen = plan.thumbprint.map(|thumbprint| thumbprint.0.to_vec());
    let expected = chosen.or_else(|| own.iter().find_map(hash_of));
    let before = lookups
        .iter()
        .take_while(|(endpoint, _)| !own.contains(endpoint));
    before
        .filter_map(|(endpoint, found)| match found {
            Ok(None) => None,
            Ok(Some(found)) if expected.as_ref().is_none_or(|it| *it == found.hash) => {
                Some(used(endpoint, found))
            }
            Ok(Some(found)) => Some(other(endpoint, found)),
            Err(code) => Some(unread(plan, Object::Binding, *code)),
        })
        .collect()
}

fn used(endpoint: &Endpoint, found: &FoundBinding) -> Finding {
    Finding::new(
        State::Good,
        format!(
            "Windows presents the certificate that is bound to {endpoint}: {}.",
            found.thumbprint()
        ),
    )
}

fn other(endpoint: &Endpoint, found: &FoundBinding) -> Finding {
    let text = format!(
        "Another certificate is bound to {endpoint}, and Windows presents that one: {}.",
        found.thumbprint()
    );
    let finding = Finding::new(State::Problem, text).fix(
        "Choose that certificate or another port. If no other program needs this binding, delete it.",
    );
    match deletion(endpoint) {
        Ok(command) => finding.with(command),
        Err(_) => finding,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::codes;
    use super::super::plan::{APP_ID, SetUpAction};
    use super::super::scripted::Scripted;
    use super::*;
    use crate::httpsys::prefix::Prefix;

    const URL: &str = "https://localhost:8443/cb";

    fn plan(url: &str, thumbprint: Option<u8>) -> Plan {
        let thumbprint = thumbprint.map(|byte| Thumbprint([byte; 20]));
        Plan::new(Prefix::of(url).unwrap(), "me", thumbprint).unwrap()
    }

    /// Returns a machine with certificates bound to these endpoints, for the host name by this program.
    fn machine(bound: &[(&str, u8)]) -> Scripted {
        let mut machine = Scripted::default();
        for (endpoint, byte) in bound {
            let name = "hostnameport=localhost:8443";
            let app_id = if *endpoint == name { APP_ID } else { 1 };
            machine.bound.insert(
                (*endpoint).to_owned(),
                FoundBinding {
                    hash: vec![*byte; 20],
                    app_id,
                    store: "MY".to_owned(),
                },
            );
        }
        machine
    }

    /// Returns the states of the findings of Verify about bindings, and their text.
    fn told(plan: &Plan, machine: &Scripted) -> (Vec<State>, String) {
        let mut findings = verify(plan, &[], machine);
        // The first finding is about the certificate itself, if one is known.
        if findings[0].text.contains("is not in the machine's store") {
            findings.remove(0);
        }
        let states = findings.iter().map(|finding| finding.state).collect();
        let lines = findings.iter().map(|finding| {
            let command = finding.command.as_deref().unwrap_or_default();
            format!("{} {command}\n", finding.sentences())
        });
        (states, lines.collect())
    }

    #[test]
    fn wildcard_binding_applies_without_a_host_binding() {
        use State::{Good, Missing};
        for endpoint in ["ipport=0.0.0.0:8443", "ipport=[::]:8443"] {
            let machine = machine(&[(endpoint, 1)]);
            for chosen in [None, Some(1)] {
                let (states, text) = told(&plan(URL, chosen), &machine);
                assert_eq!(states, [Good], "{text}");
                assert!(text.contains(endpoint), "{text}");
            }
            // Another certificate was chosen, which Set up binds.
            let (states, text) = told(&plan(URL, Some(2)), &machine);
            assert_eq!(states, [Missing], "{text}");
        }
        let (states, text) = told(&plan(URL, None), &machine(&[("ipport=0.0.0.0:9", 1)]));
        assert_eq!(states, [Missing], "{text}");
    }

    #[test]
    fn conflicting_binding_with_precedence_is_reported() {
        use State::{Good, Problem};
        let ours = ("hostnameport=localhost:8443", 1);
        for (endpoint, command) in [
            (
                "ipport=127.0.0.1:8443",
                "netsh http delete sslcert ipport=127.0.0.1:8443",
            ),
            (
                "ipport=[::1]:8443",
                "netsh http delete sslcert \"ipport=[::1]:8443\"",
            ),
        ] {
            for chosen in [None, Some(1)] {
                let (states, text) = told(&plan(URL, chosen), &machine(&[ours, (endpoint, 2)]));
                assert_eq!(states, [Good, Problem], "{text}");
                assert!(
                    text.contains(command) && text.contains(&"02".repeat(20)),
                    "{text}"
                );
            }
            let (states, text) = told(&plan(URL, Some(1)), &machine(&[ours, (endpoint, 1)]));
            assert_eq!(states, [Good, Good], "{text}");
            // If none is chosen, a sign-in uses this certificate.
            let (states, text) = told(&plan(URL, None), &machine(&[(endpoint, 2)]));
            assert_eq!(states, [Good], "{text}");
            // Set up reports this, too.
            assert_eq!(
                ahead(&plan(URL, Some(1)), &machine(&[(endpoint, 2)])).len(),
                1
            );
        }
        // In the opposite case, the binding for all addresses is found last.
        let (states, text) = told(
            &plan("https://127.0.0.1:8443/", Some(1)),
            &machine(&[("ipport=127.0.0.1:8443", 1), ("ipport=0.0.0.0:8443", 2)]),
        );
        assert_eq!(states[0], State::Note, "{text}");
        assert_eq!(states.len(), 1, "{text}");
    }

    #[test]
    fn unreadable_bindings_are_reported_as_failed() {
        let machine = Scripted {
            unread: codes::ACCESS_DENIED,
            ..Scripted::default()
        };
        let (states, text) = told(&plan(URL, Some(1)), &machine);
        assert!(states.iter().all(|state| *state == State::Failed), "{text}");
        let plain = plan("http://localhost:8400/", None);
        assert!(verify(&plain, &[], &machine).is_empty());
        assert!(ahead(&plain, &machine).is_empty());
        assert!(plain.commands(SetUpAction::Verify).is_ok());
    }
}
