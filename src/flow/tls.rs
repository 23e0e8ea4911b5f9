//! TLS errors: a message for each cause, and its fix.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError as Wrong, Error, PeerIncompatible};

use crate::clean::{TEXT_LIMIT, clean};
use crate::oauth::failure::CLIENT_CERTIFICATE;

/// A TLS error for the user: the cause, as part of a sentence, and the fix, as a sentence.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// Whether the error is about the server's certificate.
    pub(super) certificate: bool,
    pub(super) cause: String,
    pub(super) hint: &'static str,
}

const ASK: &str = "Ask the administrator of the service for a valid certificate.";
const CLOCK: &str =
    "Check the clock of this machine. If it is correct, the service needs a new certificate.";
const OLD_TLS: &str = "The service must support TLS 1.2 or later: ask its administrator.";
const PORT: &str = "Check the scheme and port in the URL. The port may not use https.";
const ALERT: &str = "The service uses TLS, but ended the connection: ask its administrator.";
const CA_FILE: &str = "If your organization runs the service, set CA file (--ca-file) to the CA certificate that issued \
    it. For a self-signed certificate, set it to that certificate. If it is already set to that CA, the service doesn't send \
    its intermediate certificates: add them to the file.";
const WEAK: &str = "its signature is not accepted, for example because it uses SHA-1, EC P-521 or a key that is too short";

const NOT_FOR_SERVERS: &str = "it is not valid for servers (extended key usage)";

/// Describes a TLS error for the user.
pub(super) fn trouble(error: &Error) -> Trouble {
    let tls = |cause: &str, hint| Trouble {
        certificate: false,
        cause: cause.to_owned(),
        hint,
    };
    match error {
        Error::InvalidCertificate(wrong) => {
            let (cause, hint) = certificate(wrong);
            Trouble {
                certificate: true,
                cause,
                hint,
            }
        }
        Error::InvalidMessage(_) => tls("the server doesn't use TLS", PORT),
        Error::AlertReceived(alert) => match alert {
            AlertDescription::CertificateRequired => tls(
                "the service requires a client certificate",
                CLIENT_CERTIFICATE,
            ),
            AlertDescription::ProtocolVersion => {
                tls("the service doesn't support TLS 1.2 or later", OLD_TLS)
            }
            AlertDescription::HandshakeFailure => tls(
                "the service rejected the connection (handshake failure)",
                "The service may support only outdated encryption, have a certificate whose kind of key this program doesn't \
                    support (such as EC P-521), or require a client certificate: ask its administrator.",
            ),
            AlertDescription::UnrecognisedName => tls(
                "the service doesn't recognize this host name",
                "Check the host name in the URL.",
            ),
            AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::UnsupportedCertificate => Trouble {
                certificate: false,
                cause: format!(
                    "the service doesn't accept the client certificate ({})",
                    words(&format!("{alert:?}"))
                ),
                hint: CLIENT_CERTIFICATE,
            },
            AlertDescription::BadCertificate | AlertDescription::AccessDenied => tls(
                "the service rejected the connection, probably because it requires a client certificate",
                CLIENT_CERTIFICATE,
            ),
            other => Trouble {
                certificate: false,
                cause: format!(
                    "the service rejected the connection ({})",
                    match other {
                        AlertDescription::Unknown(code) => format!("alert {code}"),
                        known => words(&format!("{known:?}")),
                    }
                ),
                hint: ALERT,
            },
        },
        Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13) => {
            tls("the service doesn't support TLS 1.2 or later", OLD_TLS)
        }
        Error::PeerIncompatible(reason) => Trouble {
            certificate: false,
            cause: format!(
                "the service has no encryption in common with this program ({})",
                words(&format!("{reason:?}"))
            ),
            hint: OLD_TLS,
        },
        // An error of the certificate verifier on this machine.
        Error::General(words) => tls(&clean(words, TEXT_LIMIT), PORT),
        other => Trouble {
            certificate: false,
            cause: clean(&other.to_string(), TEXT_LIMIT),
            hint: PORT,
        },
    }
}

/// Returns what is wrong with a certificate, and the fix.
fn certificate(wrong: &Wrong) -> (String, &'static str) {
    let (cause, hint) = match wrong {
        Wrong::UnknownIssuer => ("it was issued by an untrusted CA", CA_FILE),
        Wrong::Expired | Wrong::ExpiredContext { .. } => {
            ("it has expired, or this machine's clock is wrong", CLOCK)
        }
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => (
            "it is not valid yet, or this machine's clock is wrong",
            CLOCK,
        ),
        Wrong::NotValidForNameContext { presented, .. }
            if !presented.is_empty() && !has_host(presented) =>
        {
            (
                "it names no host (its subjectAltName has only other names, such as email addresses or URIs)",
                "Ask the service's administrator for a certificate with the host name as subjectAltName.",
            )
        }
        Wrong::NotValidForNameContext { presented, .. } if presented.is_empty() => (
            "it has no host name (subjectAltName is missing; the common name is not used)",
            "Ask the service's administrator for a certificate with the host name as subjectAltName.",
        ),
        Wrong::NotValidForNameContext {
            expected,
            presented,
        } if has_address_as_name(expected, presented) => (
            "it has the address only as a DNS name",
            "The address must be an IP entry of the certificate's subjectAltName (IP: instead of DNS:). Ask the service's \
                administrator for such a certificate.",
        ),
        Wrong::NotValidForNameContext { presented, .. } => {
            return (
                format!("it is for a different host name ({})", names(presented)),
                "Check the host name in the URL. If it is correct, ask the service's administrator for a certificate with \
                    that name.",
            );
        }
        Wrong::NotValidForName => (
            "it is for a different host name",
            "Check the host name in the URL.",
        ),
        Wrong::Revoked => ("it was revoked", ASK),
        Wrong::BadSignature => (
            "a signature doesn't match, or was made with an RSA key that is too short (less than 2048 bits)",
            "If CA file is set, it may contain a different certificate with the same name: set it to the CA certificate that \
                issued the service's certificate. If it isn't set, ask the service's administrator for a valid certificate.",
        ),
        Wrong::BadEncoding => ("it is damaged", ASK),
        Wrong::InvalidPurpose | Wrong::InvalidPurposeContext { .. } => (NOT_FOR_SERVERS, ASK),
        Wrong::UnhandledCriticalExtension => ("it has an unsupported critical extension", ASK),
        Wrong::UnsupportedSignatureAlgorithmContext { .. }
        | Wrong::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => (WEAK, ASK),
        other => return named(&format!("{other:?}")),
    };
    (cause.to_owned(), hint)
}

/// Describes an error of another library by the last word of its name, such as `Other(OtherError(CaUsedAsEndEntity))`.
fn named(name: &str) -> (String, &'static str) {
    let last = name
        .rsplit('(')
        .find_map(|part| {
            let word: String = part
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            (!word.is_empty()).then_some(word)
        })
        .unwrap_or_default();
    match last.as_str() {
        "CaUsedAsEndEntity" => (
            "it is a CA certificate (CA:TRUE), which a server can't use as its own".to_owned(),
            "Issue a certificate with CA:FALSE for the server: openssl req -x509 -addext basicConstraints=critical,CA:FALSE \
                ...",
        ),
        "EkuError" => (NOT_FOR_SERVERS.to_owned(), ASK),
        "EndEntityUsedAsCa" => (
            "it was issued by a certificate that is not a CA certificate (CA:FALSE)".to_owned(),
            ASK,
        ),
        "UnsupportedCertVersion" => (
            "it is an X.509 version 1 certificate; only version 3 is accepted".to_owned(),
            "Issue a certificate of version 3 with a subjectAltName for the server: openssl req -x509 -addext \
                subjectAltName=...",
        ),
        last if last.starts_with("Unsupported") && last.contains("Signature") => {
            (WEAK.to_owned(), ASK)
        }
        last => (format!("it can't be verified ({})", words(last)), ASK),
    }
}

/// Returns whether the certificate contains the IP address that was connected to, but as a DNS name. Verification ignores
/// such a name.
fn has_address_as_name(expected: &ServerName<'_>, presented: &[String]) -> bool {
    let ServerName::IpAddress(expected) = expected else {
        return false;
    };
    let expected = IpAddr::from(*expected);
    let dns = presented
        .iter()
        .filter_map(|name| name.strip_prefix("DnsName("));
    dns.map(|name| name.trim_matches(['(', ')', '"', '[', ']']))
        .any(|name| name.parse() == Ok(expected))
}

/// Returns whether one of the names is a host name or an IP address.
fn has_host(presented: &[String]) -> bool {
    let is_host = |name: &String| name.starts_with("DnsName(") || name.starts_with("IpAddress(");
    presented.iter().any(is_host)
}

/// Returns the host names in a rustls error, without the words around them.
fn names(presented: &[String]) -> String {
    let plain = presented.iter().take(3).map(|name| {
        let inner = name.split('"').nth(1).or_else(|| {
            let inner = name.split_once('(')?.1;
            Some(inner.trim_end_matches(')'))
        });
        clean(inner.unwrap_or(name), 60)
    });
    let more = if presented.len() > 3 { ", ..." } else { "" };
    format!("{}{more}", plain.collect::<Vec<_>>().join(", "))
}

/// Converts `NameLikeThis` to words.
fn words(name: &str) -> String {
    let mut out = String::new();
    for ch in name.chars().take(60) {
        if ch.is_ascii_uppercase() && !out.is_empty() {
            out.push(' ');
        }
        if ch.is_ascii_alphanumeric() {
            out.push(ch.to_ascii_lowercase());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::OtherError;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{self:?}")]
    enum Library {
        CaUsedAsEndEntity,
        EndEntityUsedAsCa,
        UnsupportedCertVersion,
        UnsupportedNameType,
        UnsupportedSignatureAlgorithm,
        PathLenConstraintViolated,
        EkuError,
    }

    fn told(error: &Error) -> String {
        let Trouble { cause, hint, .. } = trouble(error);
        format!("{cause}. {hint}")
    }

    #[test]
    fn each_tls_error_has_its_own_explanation_and_hint() {
        let other = |error: Library| Error::from(Wrong::Other(OtherError(Arc::new(error))));
        let presented = |names: &[&str]| {
            Error::from(Wrong::NotValidForNameContext {
                expected: rustls::pki_types::ServerName::try_from("as.example")
                    .unwrap_or_else(|_| unreachable!()),
                presented: names.iter().map(|name| (*name).to_owned()).collect(),
            })
        };
        let mut seen: Vec<String> = Vec::new();
        for (error, words) in [
            (Error::from(Wrong::UnknownIssuer), "set CA file (--ca-file)"),
            (Wrong::Expired.into(), "clock"),
            (Wrong::NotValidYet.into(), "not valid yet"),
            (
                presented(&["DnsName(\"other.example\")"]),
                "(other.example)",
            ),
            (presented(&[]), "subjectAltName is missing"),
            (presented(&["Unsupported(0x01)"]), "it names no host"),
            (
                presented(&["Unsupported(0x01)", "DnsName(\"other.example\")"]),
                "a different host name",
            ),
            (Wrong::Revoked.into(), "revoked"),
            (
                Wrong::BadSignature.into(),
                "a different certificate with the same name",
            ),
            (Wrong::BadEncoding.into(), "damaged"),
            (Wrong::InvalidPurpose.into(), "extended key usage"),
            (other(Library::CaUsedAsEndEntity), "CA:FALSE"),
            (other(Library::UnsupportedCertVersion), "version 3"),
            (
                other(Library::PathLenConstraintViolated),
                "path len constraint violated",
            ),
            (other(Library::EndEntityUsedAsCa), "not a CA certificate"),
            (other(Library::UnsupportedSignatureAlgorithm), "SHA-1"),
            (
                other(Library::UnsupportedNameType),
                "(unsupported name type)",
            ),
            (
                Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon),
                "(no cipher suites in common)",
            ),
            (
                Error::AlertReceived(AlertDescription::CertificateRequired),
                "requires a client certificate",
            ),
            (
                Error::AlertReceived(AlertDescription::ProtocolVersion),
                "TLS 1.2",
            ),
            (
                Error::AlertReceived(AlertDescription::HandshakeFailure),
                "handshake failure",
            ),
            (
                Error::AlertReceived(AlertDescription::UnrecognisedName),
                "host name",
            ),
            (
                Error::AlertReceived(AlertDescription::InternalError),
                "(internal error)",
            ),
            (
                Error::AlertReceived(AlertDescription::Unknown(255)),
                "(alert 255)",
            ),
        ] {
            let told = told(&error);
            assert!(told.contains(words), "{told}");
            for debug in ["Other", "Error(", "::", "CaUsed", "{", "Context"] {
                assert!(!told.contains(debug), "{told}");
            }
            assert!(!seen.contains(&told), "{told}");
            seen.push(told);
        }
    }

    #[test]
    fn ip_address_listed_as_dns_name_is_reported() {
        let cause = |expected: &str, presented: &[&str]| {
            let expected = ServerName::try_from(expected.to_owned());
            told(&Error::from(Wrong::NotValidForNameContext {
                expected: expected.unwrap_or_else(|_| unreachable!()),
                presented: presented.iter().map(|name| (*name).to_owned()).collect(),
            }))
        };
        for (expected, presented, is_that) in [
            ("127.0.0.1", &["DnsName(\"127.0.0.1\")"][..], true),
            (
                "127.0.0.1",
                &["DnsName(\"as.example\")", "DnsName(\"127.0.0.1\")"],
                true,
            ),
            ("2001:db8::1", &["DnsName(\"2001:db8:0::1\")"], true),
            ("127.0.0.1", &["IpAddress(127.0.0.2)"], false),
            ("127.0.0.1", &["DnsName(\"127.0.0.2\")"], false),
            ("as.example", &["DnsName(\"127.0.0.1\")"], false),
        ] {
            let told = cause(expected, presented);
            let words = "it has the address only as a DNS name. The address must be an IP entry";
            assert_eq!(told.starts_with(words), is_that, "{told}");
            assert_eq!(told.contains("a different host name"), !is_that, "{told}");
        }
    }

    #[test]
    fn client_only_certificate_error_is_independent_of_the_library() {
        let other = Wrong::Other(OtherError(Arc::new(Library::EkuError)));
        assert_eq!(
            trouble(&other.into()),
            trouble(&Wrong::InvalidPurpose.into())
        );
    }

    #[test]
    fn outdated_tls_error_is_independent_of_the_refusal() {
        let chosen = Error::PeerIncompatible(PeerIncompatible::ServerDoesNotSupportTls12Or13);
        let refused = Error::AlertReceived(AlertDescription::ProtocolVersion);
        assert_eq!(trouble(&chosen), trouble(&refused));
    }

    #[test]
    fn up_to_three_certificate_names_are_shown() {
        let names = |count: usize| {
            let all: Vec<String> = (0..count).map(|at| format!("DnsName(\"h{at}\")")).collect();
            names(&all)
        };
        assert_eq!(names(2), "h0, h1");
        assert_eq!(names(3), "h0, h1, h2");
        assert_eq!(names(4), "h0, h1, h2, ...");
    }
}
