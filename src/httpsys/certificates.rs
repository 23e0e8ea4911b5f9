//! Parses certificates of the machine's store, and checks which hosts they are valid for. Changes nothing.

use std::time::SystemTime;

use jiff::Timestamp;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use x509_parser::parse_x509_certificate;

use crate::certificate::About;
use crate::certificate::thumbprint::Thumbprint;
use crate::certificate::x509::{day, hosts};
use crate::clean::clean;

/// Maximum length of a displayed subject, in characters.
const SUBJECT: usize = 100;

/// A certificate in the machine's store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreCertificate {
    /// The subject, such as `CN=localhost`.
    pub subject: String,
    /// The host names and addresses that the certificate is valid for.
    pub names: Vec<String>,
    /// The first day of validity, as year-month-day.
    pub starts: String,
    /// Whether the certificate is not valid yet.
    pub early: bool,
    /// The last day of validity, as year-month-day.
    pub expires: String,
    /// Whether the certificate has expired.
    pub expired: bool,
    /// Whether servers may use the certificate: its extended key usage, if it has one, includes server authentication.
    pub for_servers: bool,
    /// The SHA-1 thumbprint.
    pub thumbprint: Thumbprint,
    /// Whether the private key is on this machine.
    pub has_key: bool,
}

impl StoreCertificate {
    /// Returns whether a browser accepts the certificate for `host`. A `*` in a name matches one label.
    #[must_use]
    pub fn fits(&self, host: &str) -> bool {
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        self.names.iter().any(|name| {
            let name = name.to_ascii_lowercase();
            let by_star = || {
                let (rest, (_, parent)) = (name.strip_prefix("*.")?, host.split_once('.')?);
                Some(rest == parent && parent.contains('.'))
            };
            name == host || by_star().unwrap_or(false)
        })
    }

    /// Returns the reasons against the certificate for `host`, in a few words; empty if it can be used.
    #[must_use]
    pub fn against(&self, host: &str) -> Vec<&'static str> {
        let mut against = Vec::new();
        if !self.has_key {
            against.push("no private key");
        }
        if self.early {
            against.push("not valid yet");
        }
        if self.expired {
            against.push("expired");
        }
        if !self.for_servers {
            against.push("not for servers");
        }
        if host != "+" && !self.fits(host) {
            against.push("other host");
        }
        against
    }

    /// Returns whether HTTP.sys can present the certificate for `host`.
    #[must_use]
    pub fn is_usable(&self, host: &str) -> bool {
        self.against(host).is_empty()
    }
}

/// Parses a certificate in DER format as of the time `now`; returns `None` for anything else. Its text is cleaned,
/// because the creator of the certificate chose it.
#[must_use]
pub fn parse(der: &[u8], has_key: bool, now: SystemTime) -> Option<StoreCertificate> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    let first = certificate.validity().not_before.timestamp();
    let last = certificate.validity().not_after.timestamp();
    let for_servers = match certificate.extended_key_usage() {
        Ok(usage) => usage.is_none_or(|usage| usage.value.any || usage.value.server_auth),
        Err(_) => false,
    };
    let now = Timestamp::try_from(now).map_or(0, Timestamp::as_second);
    Some(StoreCertificate {
        subject: clean(&certificate.subject().to_string(), SUBJECT),
        names: hosts(&certificate),
        starts: day(first),
        early: now < first,
        expires: day(last),
        expired: now > last,
        for_servers,
        thumbprint: thumbprint(der)?,
        has_key,
    })
}

/// Returns the SHA-1 thumbprint, as Windows calls it. Never `None`.
#[must_use]
pub fn thumbprint(der: &[u8]) -> Option<Thumbprint> {
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, der);
    Some(Thumbprint(hash.as_ref().try_into().ok()?))
}

/// Returns what the user must know about a certificate that a browser gets; `None` if it is not a certificate.
#[must_use]
pub fn about(der: &[u8]) -> Option<About> {
    let (_, certificate) = parse_x509_certificate(der).ok()?;
    Some(About {
        // The user who imported the certificate may have made it trusted, too.
        self_made: false,
        ..About::of(der, &certificate)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn certificate_details_are_parsed() {
        let mut params =
            CertificateParams::new(["localhost".to_owned(), "::1".to_owned()]).unwrap();
        params.not_before = date_time_ymd(2026, 1, 1);
        params.not_after = date_time_ymd(2027, 3, 1);
        params
            .distinguished_name
            .push(DnType::CommonName, "Mail\u{202e} server");
        let key = KeyPair::generate().unwrap();
        let der = params.self_signed(&key).unwrap();
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let found = parse(der.der(), true, at(1_800_000_000)).unwrap();
        assert!(found.subject.contains("CN=") && !found.subject.contains('\u{202e}'));
        assert_eq!(found.names, ["localhost", "::1"]);
        assert_eq!(
            (found.expires.as_str(), found.expired),
            ("2027-03-01", false)
        );
        assert!(found.fits("localhost") && found.has_key);
        assert!(parse(der.der(), false, at(1_900_000_000)).unwrap().expired);
        assert_eq!((found.starts.as_str(), found.early), ("2026-01-01", false));
        assert!(parse(der.der(), false, at(1_700_000_000)).unwrap().early);
        assert_eq!(parse(b"no certificate", true, at(0)), None);
    }

    #[test]
    fn certificate_is_for_servers_unless_its_usage_excludes_them() {
        let key = KeyPair::generate().unwrap();
        for (usages, for_servers) in [
            (&[][..], true),
            (&[ExtendedKeyUsagePurpose::ServerAuth][..], true),
            (&[ExtendedKeyUsagePurpose::Any], true),
            (&[ExtendedKeyUsagePurpose::ClientAuth], false),
        ] {
            let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            params.extended_key_usages = usages.to_vec();
            let der = params.self_signed(&key).unwrap();
            let found = parse(der.der(), true, SystemTime::now()).unwrap();
            assert_eq!(found.for_servers, for_servers, "{usages:?}");
            let against = found.against("localhost");
            assert_eq!(against.contains(&"not for servers"), !for_servers);
        }
        let early = StoreCertificate {
            early: true,
            ..certificate(&["localhost"])
        };
        assert_eq!(early.against("localhost"), ["not valid yet"]);
        // The `+` for all host names is never in a certificate.
        assert!(certificate(&["localhost"]).against("+").is_empty());
    }

    fn certificate(names: &[&str]) -> StoreCertificate {
        StoreCertificate {
            subject: "CN=x".to_owned(),
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            starts: "2026-01-01".to_owned(),
            early: false,
            expires: "2027-01-01".to_owned(),
            expired: false,
            for_servers: true,
            thumbprint: Thumbprint([7; 20]),
            has_key: true,
        }
    }

    #[test]
    fn wildcard_certificate_matches_one_label() {
        let one = certificate(&["LOCALHOST", "*.example.org", "::1"]);
        for host in ["localhost", "a.example.org", "A.Example.org", "[::1]"] {
            assert!(one.fits(host), "{host}");
        }
        for host in ["example.org", "a.b.example.org", "localhost.example", "+"] {
            assert!(!one.fits(host), "{host}");
        }
        assert!(!certificate(&["*.org"]).fits("example.org"));
    }
}
