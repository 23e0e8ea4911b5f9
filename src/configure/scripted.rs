//! A fake HTTP service for tests, with scripted responses.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::codes::NONE_MAPPED;
use super::reading::Account;
use super::service::{Rights, Service};
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Endpoint, FoundBinding, SslBinding, UrlAcl};

/// The current user.
pub(super) const ME: &str = "S-1-5-21-1-2-3-1001";
/// A group of other users.
pub(super) const GROUP: &str = "S-1-5-21-1-2-3-2001";

/// The reservations and bindings, by URL and by endpoint in the form of netsh, and the result of each call.
pub(super) struct Scripted {
    pub(super) rights: Rights,
    pub(super) reserved: BTreeMap<String, String>,
    pub(super) bound: BTreeMap<String, FoundBinding>,
    pub(super) certificates: Vec<StoreCertificate>,
    pub(super) list: Vec<IpAddr>,
    /// The result of listening briefly.
    pub(super) listening: u32,
    /// The result of reading a binding or a reservation, unless it is 0.
    pub(super) unread: u32,
    /// The result of a change.
    pub(super) change: u32,
}

impl Default for Scripted {
    fn default() -> Self {
        Self {
            rights: Rights::None,
            reserved: BTreeMap::new(),
            bound: BTreeMap::new(),
            certificates: Vec::new(),
            list: Vec::new(),
            listening: 0,
            unread: 0,
            change: 0,
        }
    }
}

impl Scripted {
    fn read<T>(&self, value: Option<T>) -> Result<Option<T>, u32> {
        match self.unread {
            0 => Ok(value),
            code => Err(code),
        }
    }
}

impl Service for Scripted {
    fn rights(&self) -> Rights {
        self.rights
    }
    fn user(&self) -> Option<String> {
        Some("DOMAIN\\me".to_owned())
    }
    fn sid(&self, user: &str) -> Result<String, u32> {
        match user {
            "DOMAIN\\me" => Ok(ME.to_owned()),
            "DOMAIN\\group" => Ok(GROUP.to_owned()),
            _ => Err(NONE_MAPPED),
        }
    }
    fn account(&self, sid: &str) -> Option<Account> {
        Some(Account {
            name: sid.to_owned(),
            group: sid == GROUP || sid == "S-1-1-0",
        })
    }
    fn is_member(&self, sid: &str) -> bool {
        sid == "S-1-1-0"
    }
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        Ok(self.certificates.clone())
    }
    fn listen(&self, _: &str) -> u32 {
        self.listening
    }
    fn listen_list(&self) -> Result<Vec<IpAddr>, u32> {
        self.read(Some(self.list.clone()))
            .map(Option::unwrap_or_default)
    }
    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32> {
        self.read(self.reserved.get(prefix).cloned())
    }
    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        self.read(self.bound.get(&endpoint.to_string()).cloned())
    }
    fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
        if self.change == 0 {
            let (prefix, sddl) = (reservation.prefix.clone(), reservation.sddl.clone());
            self.reserved.insert(prefix, sddl);
        }
        self.change
    }
    fn bind(&mut self, _: &SslBinding) -> u32 {
        self.change
    }
    fn release(&mut self, prefix: &str) -> u32 {
        self.reserved.remove(prefix);
        self.change
    }
    fn unbind(&mut self, _: &Endpoint) -> u32 {
        self.change
    }
    fn consent(&mut self, _: &[String]) -> Result<u32, u32> {
        Ok(0)
    }
}
