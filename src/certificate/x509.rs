//! Reads the content of certificates.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::X509Certificate;

use crate::clean::clean;

/// Returns an IPv6 address without the brackets used in URLs.
pub(super) fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Formats the day of a time, in UTC.
#[must_use]
pub fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "a day that no calendar has".to_owned(),
        |time| time.strftime("%Y-%m-%d").to_string(),
    )
}

/// Returns the host names and addresses that a certificate is valid for. As in browsers, the subject is ignored.
#[must_use]
pub fn hosts(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate
        .subject_alternative_name()
        .ok()
        .flatten()
        .map(|extension| extension.value.general_names.as_slice())
        .unwrap_or_default();
    names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(clean(name, 255)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

/// Does the same for use within a sentence.
pub(super) fn names(certificate: &X509Certificate<'_>) -> String {
    let names = hosts(certificate);
    match names.len() {
        0 => "no host at all (its subject does not count)".to_owned(),
        1..=4 => clean(&names.join(", "), 240),
        more => format!(
            "{} and {} others",
            clean(&names[..4].join(", "), 240),
            more - 4
        ),
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    <[u8; 4]>::try_from(bytes)
        .map(|v4| std::net::Ipv4Addr::from(v4).to_string())
        .or_else(|_| <[u8; 16]>::try_from(bytes).map(|v6| std::net::Ipv6Addr::from(v6).to_string()))
        .ok()
}

/// Returns the SHA-256 fingerprint in uppercase hexadecimal digits, with colons between the bytes.
#[must_use]
pub fn fingerprint(der: &[u8]) -> String {
    let bytes: Vec<String> = digest(&SHA256, der)
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_format_matches_openssl() {
        assert_eq!(
            fingerprint(b"abc"),
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }
}
