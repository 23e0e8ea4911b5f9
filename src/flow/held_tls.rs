//! TLS signatures with a private key that the program can't read, such as a key in a certificate store.

use std::sync::Arc;

use rustls::sign::{Signer, SigningKey};
use rustls::{Error, OtherError, SignatureAlgorithm, SignatureScheme};

use crate::oauth::jose::{Algorithm, KeyError, TriedKey};

/// A private key outside the program, as a signing key of rustls.
#[derive(Debug)]
pub(super) struct HeldTlsKey(pub(super) TriedKey);

impl SigningKey for HeldTlsKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        // Algorithms that the key is known to support come first. The others stay in the list: if the server requires
        // one, the error of the signature is clearer than a handshake without a certificate.
        self.0.algorithms().iter().find_map(|algorithm| {
            let scheme = scheme(*algorithm).filter(|scheme| offered.contains(scheme))?;
            let (key, algorithm) = (self.0.clone(), *algorithm);
            Some(Box::new(HeldTlsSigner {
                key,
                algorithm,
                scheme,
            }) as Box<dyn Signer>)
        })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        let is_ec = |one: &Algorithm| matches!(one, Algorithm::Es256 | Algorithm::Es384);
        if self.0.algorithms().iter().any(is_ec) {
            SignatureAlgorithm::ECDSA
        } else {
            SignatureAlgorithm::RSA
        }
    }
}

#[derive(Debug)]
struct HeldTlsSigner {
    key: TriedKey,
    algorithm: Algorithm,
    scheme: SignatureScheme,
}

impl Signer for HeldTlsSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let signature = self.key.sign(self.algorithm, message);
        let signature = signature.map_err(|error| Error::Other(OtherError(Arc::new(error))))?;
        Ok(match self.algorithm {
            Algorithm::Es256 | Algorithm::Es384 => in_der(&signature),
            _ => signature,
        })
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// Returns why a key didn't sign, as a sentence, if that ended the handshake.
pub(super) fn unsigned(error: &Error) -> Option<String> {
    let Error::Other(OtherError(inner)) = error else {
        return None;
    };
    Some(inner.downcast_ref::<KeyError>()?.to_string())
}

/// Returns the TLS name of an algorithm (RFC 8446, section 4.2.3). As in JOSE, the RSA-PSS salt is as long as the hash.
fn scheme(algorithm: Algorithm) -> Option<SignatureScheme> {
    Some(match algorithm {
        Algorithm::Rs256 => SignatureScheme::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => SignatureScheme::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => SignatureScheme::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => SignatureScheme::RSA_PSS_SHA256,
        Algorithm::Ps384 => SignatureScheme::RSA_PSS_SHA384,
        Algorithm::Ps512 => SignatureScheme::RSA_PSS_SHA512,
        Algorithm::Es256 => SignatureScheme::ECDSA_NISTP256_SHA256,
        Algorithm::Es384 => SignatureScheme::ECDSA_NISTP384_SHA384,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 | Algorithm::EdDsa => return None,
    })
}

/// Encodes the two integers of an ECDSA signature in DER, as TLS requires (RFC 3279, section 2.2.3). In a JWS they have
/// a fixed length.
fn in_der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let content = [integer(r), integer(s)].concat();
    // Two integers of 48 bytes fit the short form of the length.
    [&[0x30, short(content.len())], &content[..]].concat()
}

/// Encodes a positive integer in DER: no leading zeros, except one if the first bit would be read as a sign.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = &number[zeros.min(number.len().saturating_sub(1))..];
    let sign: &[u8] = match digits.first() {
        Some(0x80..) => &[0],
        _ => &[],
    };
    [&[0x02, short(sign.len() + digits.len())], sign, digits].concat()
}

fn short(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
    use rustls::server::WebPkiClientVerifier;
    use rustls::version::{TLS12, TLS13};
    use rustls::{
        ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection,
        SupportedProtocolVersion,
    };

    use super::super::client_certificate::of_held;
    use super::*;
    use crate::oauth::jose::{HeldKey, device};

    /// Runs a handshake of this TLS version with a server that requires this client certificate and its key.
    pub(in crate::flow) fn handshake(
        version: &'static SupportedProtocolVersion,
        certificate: &[u8],
        key: TriedKey,
    ) -> Result<SignatureScheme, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let roots = |der: &[u8]| {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(der.to_vec())).unwrap();
            Arc::new(roots)
        };
        let pair = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["as.example".to_owned()]).unwrap();
        let server = params.self_signed(&pair).unwrap().der().clone();
        let client = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[version])?
            .with_root_certificates(roots(&server))
            .with_client_cert_resolver(of_held(&[certificate.to_vec()], key.clone()));
        let verifier =
            WebPkiClientVerifier::builder_with_provider(roots(certificate), Arc::clone(&provider));
        let verifier = verifier.build().unwrap();
        let offered = verifier.supported_verify_schemes();
        let chosen = HeldTlsKey(key).choose_scheme(&offered).unwrap().scheme();
        let pair = PrivateKeyDer::try_from(pair.serialize_der()).unwrap();
        let server = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])?
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![server], pair)?;
        let name = ServerName::try_from("as.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name)?;
        let mut server = ServerConnection::new(Arc::new(server))?;
        for _ in 0..8 {
            let mut bytes = Vec::new();
            while client.write_tls(&mut bytes).unwrap() > 0 {}
            server.read_tls(&mut &bytes[..]).unwrap();
            server.process_new_packets()?;
            let mut bytes = Vec::new();
            while server.write_tls(&mut bytes).unwrap() > 0 {}
            client.read_tls(&mut &bytes[..]).unwrap();
            client.process_new_packets()?;
        }
        assert!(!client.is_handshaking() && !server.is_handshaking());
        let presented = server.peer_certificates().unwrap();
        assert_eq!(presented, [CertificateDer::from(certificate.to_vec())]);
        Ok(chosen)
    }

    /// Returns the certificate of a key, and the key as if it were outside the program and couldn't sign with the
    /// algorithms in `lacks`.
    pub(in crate::flow) fn held(pair: &KeyPair, lacks: &[Algorithm]) -> (Vec<u8>, HeldKey) {
        let params = CertificateParams::new(vec!["client.example".to_owned()]).unwrap();
        let certificate = params.self_signed(pair).unwrap().der().to_vec();
        let key = device(&pair.serialize_pem().into(), lacks);
        let key = HeldKey::of_certificate(&certificate, key).unwrap();
        (certificate, key)
    }

    #[test]
    fn external_ec_key_signs_handshakes() {
        for (kind, scheme) in [
            (
                &PKCS_ECDSA_P256_SHA256,
                SignatureScheme::ECDSA_NISTP256_SHA256,
            ),
            (
                &PKCS_ECDSA_P384_SHA384,
                SignatureScheme::ECDSA_NISTP384_SHA384,
            ),
        ] {
            let (certificate, key) = held(&KeyPair::generate_for(kind).unwrap(), &[]);
            let key = key.tried().unwrap();
            assert_eq!(
                HeldTlsKey(key.clone()).algorithm(),
                SignatureAlgorithm::ECDSA
            );
            assert!(HeldTlsKey(key.clone()).choose_scheme(&[]).is_none());
            for version in [&TLS12, &TLS13] {
                let signed = handshake(version, &certificate, key.clone());
                assert_eq!(signed, Ok(scheme), "{version:?}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn external_rsa_key_signs_handshakes_with_supported_schemes() {
        const PSS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
        const PKCS1: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
        let openssl = crate::oauth::jose::openssl::Openssl::new();
        let pem = openssl.pem(
            "key",
            "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048",
        );
        let pair = KeyPair::from_pem(crate::secret::ExposeSecret::expose_secret(&pem)).unwrap();
        let (pss, pkcs1) = (
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PKCS1_SHA256,
        );
        for (lacks, version, expected) in [
            (&[][..], &TLS12, Ok(pss)),
            (&[], &TLS13, Ok(pss)),
            (&PKCS1, &TLS12, Ok(pss)),
            (&PKCS1, &TLS13, Ok(pss)),
            (&PSS, &TLS12, Ok(pkcs1)),
            // TLS 1.3 allows no other padding for RSA.
            (&PSS, &TLS13, Err("The device can't sign with PS256.")),
        ] {
            let (certificate, key) = held(&pair, lacks);
            let signed = handshake(version, &certificate, key.tried().unwrap());
            let told = signed.map_err(|error| unsigned(&error).unwrap());
            assert_eq!(
                told,
                expected.map_err(str::to_owned),
                "{version:?} {lacks:?}"
            );
        }
    }

    #[test]
    fn der_integers_are_positive_and_minimal() {
        for (number, der) in [
            (&[0x01, 0x02][..], &[0x02, 2, 0x01, 0x02][..]),
            (&[0x00, 0x7f], &[0x02, 1, 0x7f]),
            (&[0x00, 0x80], &[0x02, 2, 0x00, 0x80]),
            (&[0xff, 0x00], &[0x02, 3, 0x00, 0xff, 0x00]),
            (&[0x00, 0x00], &[0x02, 1, 0x00]),
        ] {
            assert_eq!(integer(number), der, "{number:?}");
        }
        let signature = in_der(&[0x00, 0x01, 0x80, 0x00]);
        assert_eq!(
            signature,
            [0x30, 8, 0x02, 1, 0x01, 0x02, 3, 0x00, 0x80, 0x00]
        );
    }

    #[test]
    fn only_a_missing_signature_is_reported_as_unsigned() {
        assert_eq!(unsigned(&Error::HandshakeNotComplete), None);
        let other = OtherError(Arc::new(std::io::Error::other("x")));
        assert_eq!(unsigned(&Error::Other(other)), None);
        let key = OtherError(Arc::new(KeyError::TooShort));
        let told = unsigned(&Error::Other(key)).unwrap();
        assert!(told.contains("too short"), "{told}");
    }
}
