//! A stand-in for the HTTP service of a Windows machine.

use std::net::IpAddr;

use oauth_authorizer::certificate::store_path::{Location, StorePath};
use oauth_authorizer::certificate::thumbprint::Thumbprint;
use oauth_authorizer::configure::plan::APP_ID;
use oauth_authorizer::configure::reading::Account;
use oauth_authorizer::configure::service::{Rights, Service};
use oauth_authorizer::flow::store_key::ListedKey;
use oauth_authorizer::httpsys::certificates::StoreCertificate;
use oauth_authorizer::httpsys::prefix::{Endpoint, FoundBinding, SslBinding, UrlAcl};

/// A stand-in for the HTTP service of a Windows machine, which is not available.
pub struct StandIn {
    pub rights: Rights,
    /// The result code of each change; 0 is success.
    pub code: u32,
    /// The reservation of the URL, if there is one.
    pub sddl: Option<String>,
    /// The binding of the certificate, if there is one.
    pub bound: Option<FoundBinding>,
    /// Whether the machine has certificates.
    pub certified: bool,
}

impl StandIn {
    pub fn new(rights: Rights) -> Self {
        Self {
            rights,
            code: 0,
            sddl: None,
            bound: None,
            certified: true,
        }
    }
}

fn certificate(subject: &str, name: &str, hash: u8) -> StoreCertificate {
    StoreCertificate {
        subject: format!("CN={subject}"),
        names: vec![name.to_owned()],
        starts: "2026-03-01".to_owned(),
        early: false,
        expires: "2027-03-01".to_owned(),
        expired: false,
        for_servers: true,
        thumbprint: Thumbprint([hash; 20]),
        has_key: true,
    }
}

/// The certificates with a private key: a certificate of the machine, and an expired one of the user.
pub fn store_keys() -> Vec<ListedKey> {
    let of = |location, certificate: StoreCertificate| {
        let thumbprint = certificate.thumbprint;
        let path = StorePath {
            location,
            thumbprint,
        };
        ListedKey { path, certificate }
    };
    let mut old = certificate("mailsync 2024", "mailsync", 4);
    old.expired = true;
    "2025-01-31".clone_into(&mut old.expires);
    let new = certificate("mailsync", "mailsync", 3);
    vec![
        of(Location::LocalMachine, new),
        of(Location::CurrentUser, old),
    ]
}

impl Service for StandIn {
    fn rights(&self) -> Rights {
        self.rights
    }
    fn user(&self) -> Option<String> {
        Some("CONTOSO\\Jürgen Groß".to_owned())
    }
    fn sid(&self, _: &str) -> Result<String, u32> {
        Ok("S-1-5-21-1-2-3-1001".to_owned())
    }
    fn account(&self, sid: &str) -> Option<Account> {
        (sid == "S-1-5-20").then(|| Account {
            name: "NT AUTHORITY\\NETWORK SERVICE".to_owned(),
            group: false,
        })
    }
    fn is_member(&self, _: &str) -> bool {
        false
    }
    fn listen(&self, _: &str) -> u32 {
        0
    }
    fn listen_list(&self) -> Result<Vec<IpAddr>, u32> {
        Ok(Vec::new())
    }
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        if !self.certified {
            return Ok(Vec::new());
        }
        let mut old = certificate("old.contoso.example", "old.contoso.example", 2);
        (old.expired, old.has_key) = (true, false);
        "2025-01-31".clone_into(&mut old.expires);
        Ok(vec![certificate("localhost", "localhost", 1), old])
    }
    fn reservation(&self, _: &str) -> Result<Option<String>, u32> {
        Ok(self.sddl.clone())
    }
    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        // Only the host name has a binding.
        let bound = self.bound.clone();
        Ok(bound.filter(|_| matches!(endpoint, Endpoint::Name { .. })))
    }
    fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
        if self.code == 0 {
            self.sddl = Some(reservation.sddl.clone());
        }
        self.code
    }
    fn bind(&mut self, binding: &SslBinding) -> u32 {
        if self.code == 0 {
            self.bound = Some(found(binding.hash));
        }
        self.code
    }
    fn release(&mut self, _: &str) -> u32 {
        self.sddl = None;
        self.code
    }
    fn unbind(&mut self, _: &Endpoint) -> u32 {
        self.bound = None;
        self.code
    }
    fn consent(&mut self, _: &[String]) -> Result<u32, u32> {
        Err(1223)
    }
}

/// A binding of this program.
pub fn found(hash: [u8; 20]) -> FoundBinding {
    FoundBinding {
        hash: hash.to_vec(),
        app_id: APP_ID,
        store: "MY".to_owned(),
    }
}
