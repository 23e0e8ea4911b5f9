//! Compares the configuration of the HTTP service with the plan. Changes nothing.

use super::plan::{APP_ID, Plan, guid};
use super::report::{Finding, State};
use crate::certificate::store_path::STORE;
use crate::certificate::thumbprint::Thumbprint;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Endpoint, FoundBinding, Prefix, SslBinding};

/// The result of comparing a URL reservation with the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// The reservation is as Set up writes it: for this account only.
    Fine,
    /// This account may listen, but other accounts may as well, or it may listen only as a member of a group.
    Shared,
    /// There is no reservation.
    Missing,
    /// Only other accounts may listen. Contains their security identifiers.
    Others(Vec<String>),
    /// No account may listen, or this user is denied.
    Refused,
}

/// A Windows account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The name, as `DOMAIN\name`.
    pub name: String,
    /// Whether the account is a group.
    pub group: bool,
}

/// The result of comparing a certificate binding with the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The binding is correct.
    Fine,
    /// There is no binding.
    Missing,
    /// Another certificate is bound. Contains its hash.
    OtherCertificate(String),
    /// The right certificate is bound, but from another store. Contains the name of that store.
    OtherStore(String),
    /// The right certificate is bound, but by another program. Contains the ID of that program.
    OtherProgram(String),
    /// A certificate is bound, but none was chosen to compare it with. Contains its hash.
    Unasked(String),
}

/// The groups Everyone and Authenticated Users.
const EVERYBODY: [&str; 2] = ["S-1-1-0", "S-1-5-11"];

/// The rights that allow listening: GENERIC_EXECUTE and GENERIC_ALL.
const LISTENING: [&str; 4] = ["GX", "GA", "0x20000000", "0x10000000"];

/// An entry of a descriptor: whether it allows or denies, whether it is about listening, and for which account.
struct Entry {
    allowed: bool,
    listening: bool,
    sid: String,
}

/// Parses the entries of a descriptor such as `D:(A;;GX;;;S-1-5-20)`, which must contain full security identifiers.
fn entries(sddl: &str) -> Vec<Entry> {
    let list = sddl.split_once("D:").map_or("", |(_, rest)| rest);
    let inside = list
        .split('(')
        .skip(1)
        .filter_map(|part| part.split(')').next());
    inside
        .filter_map(|entry| {
            let fields: Vec<&str> = entry.split(';').collect();
            let (kind, rights, whom) = (fields.first()?, fields.get(2)?, fields.get(5)?);
            let listening = LISTENING.contains(rights)
                || (!rights.starts_with("0x")
                    && rights
                        .as_bytes()
                        .chunks(2)
                        .any(|right| right == b"GX" || right == b"GA"));
            Some(Entry {
                allowed: *kind == "A",
                listening,
                sid: whom.to_ascii_uppercase(),
            })
        })
        .collect()
}

/// Compares the descriptor of a reservation with the account that is to listen. `member` tells whether the account is
/// known to be a member of a group.
#[must_use]
pub fn reserved(sddl: Option<&str>, sid: &str, member: impl Fn(&str) -> bool) -> Reserved {
    let Some(sddl) = sddl else {
        return Reserved::Missing;
    };
    let sid = sid.to_ascii_uppercase();
    let entries = entries(sddl);
    let listening = || entries.iter().filter(|entry| entry.listening);
    // The first matching entry decides.
    let about = listening()
        .find(|entry| entry.sid == sid || EVERYBODY.contains(&&*entry.sid) || member(&entry.sid));
    match about {
        Some(entry) if entry.allowed && entry.sid == sid && entries.len() == 1 => Reserved::Fine,
        Some(entry) if entry.allowed => Reserved::Shared,
        Some(_) => Reserved::Refused,
        None => {
            let others: Vec<String> = listening()
                .filter(|entry| entry.allowed)
                .map(|entry| entry.sid.clone())
                .collect();
            if others.is_empty() {
                Reserved::Refused
            } else {
                Reserved::Others(others)
            }
        }
    }
}

/// Compares a binding with the plan. Without a thumbprint, any certificate is accepted.
#[must_use]
pub fn bound(found: Option<&FoundBinding>, wanted: Option<&SslBinding>) -> Bound {
    match (found, wanted) {
        (None, _) => Bound::Missing,
        (Some(found), None) => Bound::Unasked(found.thumbprint()),
        (Some(found), Some(wanted)) if found.hash != wanted.hash => {
            Bound::OtherCertificate(found.thumbprint())
        }
        (Some(found), Some(_)) if !found.store.eq_ignore_ascii_case(STORE) => {
            Bound::OtherStore(found.store.clone())
        }
        (Some(found), Some(wanted)) if found.app_id != wanted.app_id => {
            Bound::OtherProgram(guid(found.app_id))
        }
        (Some(_), Some(_)) => Bound::Fine,
    }
}

/// Returns what the comparison of the reservation for `url` means, and what to do. `accounts` looks up identifiers.
#[must_use]
pub fn reservation_finding(
    plan: &Plan,
    url: &Prefix,
    reserved: &Reserved,
    accounts: impl Fn(&str) -> Option<Account>,
) -> Finding {
    let who = &plan.user;
    match reserved {
        Reserved::Fine => Finding::new(
            State::Good,
            format!("URL reservation: {who} may listen on {url}"),
        ),
        Reserved::Shared => Finding::new(
            State::Good,
            format!("URL reservation: {who} and others may listen on {url}"),
        ),
        Reserved::Missing if plan.prefix.is_free_for_all() => Finding::new(
            State::Note,
            format!(
                "There is no URL reservation for {url}. Most versions of Windows don't need one for localhost above port \
                 1024. If a sign-in fails with code 5, use Set up."
            ),
        ),
        Reserved::Missing => Finding::new(
            State::Missing,
            format!(
                "URL reservation for {url}. Without it, only an administrator can listen there."
            ),
        )
        .fix("Set up adds it."),
        Reserved::Others(sids) => {
            let found: Vec<Account> = sids
                .iter()
                .map(|sid| {
                    accounts(sid).unwrap_or_else(|| Account {
                        name: sid.clone(),
                        group: false,
                    })
                })
                .collect();
            let names: Vec<&str> = found.iter().map(|account| &*account.name).collect();
            let names = names.join(", ");
            if found.iter().any(|account| account.group) {
                let text = format!(
                    "The URL reservation is for {names}. {who} may listen if it is a member of that group."
                );
                Finding::new(State::Note, text).fix(
                    "If it is not, add it to the group, or delete the reservation by hand and set up again.",
                )
            } else {
                let text = format!("The URL reservation belongs to {names}, not to {who}.");
                Finding::new(State::Problem, text)
                    .fix("If nobody else needs it, delete it by hand and set up again.")
            }
        }
        Reserved::Refused => Finding::new(
            State::Problem,
            format!("The URL reservation doesn't allow {who} to listen."),
        )
        .fix("Delete it by hand and set up again."),
    }
}

/// Returns the note that other users may also listen on a URL.
#[must_use]
pub fn shared_finding(url: &Prefix) -> Finding {
    Finding::new(
        State::Note,
        format!(
            "Other users of this machine may listen on {url} too, even before you do. Your sign-in then doesn't get its code. \
             With PKCE, they can't use the code; without PKCE, they may."
        ),
    )
    .fix("If you don't trust all of them, use a redirect URL that is reserved for one account.")
}

/// Returns what the comparison of a binding means, and what to do.
#[must_use]
pub fn binding_finding(endpoint: &Endpoint, bound: &Bound) -> Finding {
    match bound {
        Bound::Fine => Finding::new(
            State::Good,
            format!("The certificate is bound to {endpoint}."),
        ),
        Bound::Missing => Finding::new(
            State::Missing,
            format!("Certificate binding for {endpoint}."),
        )
        .fix("Set up binds the certificate that you choose."),
        Bound::OtherCertificate(hash) => Finding::new(
            State::Problem,
            format!("Another certificate is bound to {endpoint}: {hash}."),
        )
        .fix("Choose that one, or delete the binding and set up again."),
        Bound::OtherStore(store) => Finding::new(
            State::Problem,
            format!("The binding for {endpoint} uses the certificate store {store}, not {STORE}."),
        )
        .fix("Delete it by hand and set up again."),
        Bound::OtherProgram(id) => Finding::new(
            State::Note,
            format!(
                "Another program ({id}) bound this certificate to {endpoint}. It works; Delete doesn't remove it."
            ),
        ),
        Bound::Unasked(hash) => Finding::new(
            State::Good,
            format!("A certificate is bound to {endpoint}: {hash}."),
        ),
    }
}

/// Returns what is wrong with the chosen certificate, from the list of the machine's store.
#[must_use]
pub fn certificate_findings(
    plan: &Plan,
    thumbprint: Thumbprint,
    certificates: &[StoreCertificate],
) -> Vec<Finding> {
    let Some(certificate) = certificates
        .iter()
        .find(|certificate| certificate.thumbprint == thumbprint)
    else {
        let text = format!("The certificate {thumbprint} is not in the machine's store {STORE}.");
        return vec![
            Finding::new(State::Problem, text)
                .fix("Import it there with its private key, or choose another one."),
        ];
    };
    let host = &plan.prefix.host;
    let mut findings = Vec::new();
    if !certificate.has_key {
        let text = "The certificate has no private key on this machine.";
        findings.push(
            Finding::new(State::Problem, text)
                .fix("Import it as a .pfx file with its private key, or choose another one."),
        );
    }
    if certificate.early {
        let text = format!(
            "The certificate is not valid before {}.",
            certificate.starts
        );
        findings.push(Finding::new(State::Problem, text).fix("Choose another one."));
    }
    if !certificate.for_servers {
        let text = "The certificate is not for servers: its extended key usage leaves server authentication out. Browsers \
            reject it.";
        findings.push(Finding::new(State::Problem, text).fix("Choose another one."));
    }
    if certificate.expired {
        let text = format!("The certificate expired on {}.", certificate.expires);
        findings.push(Finding::new(State::Problem, text).fix("Choose another one."));
    }
    if host != "+" && !certificate.fits(host) {
        let names = if certificate.names.is_empty() {
            "no host name".to_owned()
        } else {
            certificate.names.join(", ")
        };
        let text = format!("The certificate is for {names}, not for {host}. Browsers reject it.");
        findings.push(Finding::new(State::Problem, text).fix("Choose another one."));
    }
    if findings.is_empty() {
        findings.push(Finding::new(
            State::Good,
            format!(
                "Certificate {}: private key, host and dates match. Valid until {}.",
                certificate.subject, certificate.expires
            ),
        ));
    }
    findings
}

/// Returns whether Set up wrote the binding.
#[must_use]
pub fn is_ours(found: &FoundBinding) -> bool {
    found.app_id == APP_ID
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(super) mod tests {
    use super::*;

    /// Returns a certificate that a server with these names can use.
    pub(in crate::configure) fn certificate(names: &[&str]) -> StoreCertificate {
        StoreCertificate {
            subject: "CN=localhost".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            starts: "2026-03-01".to_owned(),
            early: false,
            expires: "2027-03-01".to_owned(),
            expired: false,
            for_servers: true,
            thumbprint: Thumbprint([1; 20]),
            has_key: true,
        }
    }

    const ME: &str = "S-1-5-21-1-2-3-1001";
    const OTHER: &str = "S-1-5-21-1-2-3-1002";

    #[test]
    fn reservations_are_compared_by_account_and_right() {
        let group = "S-1-5-32-545";
        let of = |sddl: &str| reserved(Some(sddl), ME, |sid| sid == group);
        assert_eq!(reserved(None, ME, |_| true), Reserved::Missing);
        for fine in [
            format!("D:(A;;GX;;;{ME})"),
            format!("D:(A;;GXGW;;;{})", ME.to_lowercase()),
        ] {
            assert_eq!(of(&fine), Reserved::Fine, "{fine}");
        }
        for shared in [
            format!("O:SYG:SYD:(A;;GA;;;{OTHER})(A;;0x20000000;;;{ME})"),
            format!("D:(A;;GX;;;{ME})(A;;GX;;;{OTHER})"),
            "D:(A;;GX;;;S-1-1-0)".to_owned(),
            "D:PAI(A;;GX;;;S-1-5-11)".to_owned(),
            format!("D:(A;;GX;;;{group})"),
        ] {
            assert_eq!(of(&shared), Reserved::Shared, "{shared}");
        }
        assert_eq!(
            of(&format!("D:(A;;GX;;;{OTHER})(A;;GX;;;S-1-5-20)")),
            Reserved::Others(vec![OTHER.to_owned(), "S-1-5-20".to_owned()])
        );
        for refused in [
            "D:",
            "",
            "rubbish",
            "D:(A;;GX",
            &format!("D:(A;;GW;;;{ME})"),
            &format!("D:(D;;GX;;;{ME})(A;;GX;;;S-1-1-0)"),
        ] {
            assert_eq!(of(refused), Reserved::Refused, "{refused}");
        }
    }

    #[test]
    fn bindings_are_compared_by_certificate_store_and_program() {
        let endpoint = Endpoint::Name {
            host: "localhost".to_owned(),
            port: 8443,
        };
        let wanted = SslBinding {
            endpoint: endpoint.clone(),
            hash: [1; 20],
            app_id: APP_ID,
            store: STORE,
        };
        let found = FoundBinding {
            hash: vec![1; 20],
            app_id: APP_ID,
            store: "My".to_owned(),
        };
        let other = |change: fn(&mut FoundBinding)| {
            let mut other = found.clone();
            change(&mut other);
            bound(Some(&other), Some(&wanted))
        };
        assert_eq!(bound(None, Some(&wanted)), Bound::Missing);
        assert_eq!(bound(Some(&found), Some(&wanted)), Bound::Fine);
        assert_eq!(bound(Some(&found), None), Bound::Unasked("01".repeat(20)));
        assert_eq!(
            other(|it| it.hash = vec![2; 4]),
            Bound::OtherCertificate("02020202".to_owned())
        );
        assert_eq!(
            other(|it| it.store = "Web".to_owned()),
            Bound::OtherStore("Web".to_owned())
        );
        assert!(matches!(other(|it| it.app_id = 1), Bound::OtherProgram(_)));
        for (bound, words, state) in [
            (Bound::Missing, "binding for", State::Missing),
            (
                Bound::OtherCertificate("02".to_owned()),
                "Another certificate",
                State::Problem,
            ),
            (Bound::Fine, "is bound", State::Good),
        ] {
            let finding = binding_finding(&endpoint, &bound);
            assert!(finding.text.contains(words) && finding.state == state);
        }
    }

    #[test]
    fn certificate_problems_are_reported_before_binding() {
        let prefix = Prefix::of("https://localhost:8443/cb").unwrap();
        let plan = Plan::new(prefix, "me", Some(Thumbprint([1; 20]))).unwrap();
        let good = certificate(&["localhost"]);
        let told = |certificate: StoreCertificate| -> String {
            certificate_findings(&plan, Thumbprint([1; 20]), &[certificate])
                .into_iter()
                .map(|finding| finding.text + " ")
                .collect()
        };
        assert!(told(good.clone()).contains("private key, host and dates match"));
        let bad = StoreCertificate {
            names: Vec::new(),
            early: true,
            for_servers: false,
            expired: true,
            has_key: false,
            ..good.clone()
        };
        let text = told(bad);
        for words in [
            "no private key",
            "not valid before 2026-03-01",
            "not for servers",
            "expired on 2027-03-01",
            "for no host name, not for localhost",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let another = StoreCertificate {
            thumbprint: Thumbprint([2; 20]),
            ..good
        };
        assert!(told(another).contains("is not in the machine's store"));
    }
}
