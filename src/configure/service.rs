//! The interface to HTTP.sys that the steps use, and the account of the plan.

use std::net::IpAddr;

use super::codes::{self, Object};
use super::plan::{Plan, PlanError, SetUpAction, sid_of};
use super::reading::{Account, Reserved, reserved};
use super::report::{Finding, State};
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Endpoint, FoundBinding, Prefix, SslBinding, UrlAcl};
use crate::httpsys::refused;

/// How changes to the configuration can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// This process is elevated.
    Elevated,
    /// The user at this desktop can be asked for consent.
    Consent,
    /// This process is not elevated, and no user can be asked for consent.
    None,
}

/// The configuration of the HTTP service, as far as required. Codes are Windows error codes; 0 means success.
pub trait Service {
    /// Returns how changes can be made.
    fn rights(&self) -> Rights;
    /// Returns the current user, as `DOMAIN\name`.
    fn user(&self) -> Option<String>;
    /// Returns the security identifier of a user or group.
    ///
    /// # Errors
    /// Returns the Windows error code.
    fn sid(&self, user: &str) -> Result<String, u32>;
    /// Returns the account of a security identifier.
    fn account(&self, sid: &str) -> Option<Account>;
    /// Returns whether the current user is a member of this group.
    fn is_member(&self, sid: &str) -> bool;
    /// Returns the certificates in the machine's store.
    ///
    /// # Errors
    /// Returns the Windows error code.
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32>;
    /// Registers a prefix briefly, as a sign-in does. Returns the Windows error code.
    fn listen(&self, prefix: &str) -> u32;
    /// Returns the addresses that HTTP.sys is limited to; empty if it listens on all.
    ///
    /// # Errors
    /// Returns the Windows error code.
    fn listen_list(&self) -> Result<Vec<IpAddr>, u32>;
    /// Returns the descriptor of a prefix, with full security identifiers; `None` if there is no reservation.
    ///
    /// # Errors
    /// Returns the Windows error code, unless it is "not found".
    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32>;
    /// Returns the binding of an endpoint; `None` if there is none.
    ///
    /// # Errors
    /// Returns the Windows error code, unless it is "not found".
    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32>;
    /// Writes a reservation.
    fn reserve(&mut self, reservation: &UrlAcl) -> u32;
    /// Writes a binding.
    fn bind(&mut self, binding: &SslBinding) -> u32;
    /// Deletes a reservation.
    fn release(&mut self, prefix: &str) -> u32;
    /// Deletes a binding.
    fn unbind(&mut self, endpoint: &Endpoint) -> u32;
    /// Runs this program elevated with these arguments, after the user's consent. Returns its exit code.
    ///
    /// # Errors
    /// Returns the Windows error code, such as 1223 if the user declined.
    fn consent(&mut self, arguments: &[String]) -> Result<u32, u32>;
}

/// The account of a plan.
pub(super) struct Listener {
    /// The security identifier of the account.
    pub(super) sid: String,
    /// Whether it is the user of this process.
    pub(super) ourselves: bool,
}

impl Listener {
    /// Compares a reservation with this account. Group memberships are known only for the user of this process.
    pub(super) fn reserved(&self, sddl: Option<&str>, service: &impl Service) -> Reserved {
        reserved(sddl, &self.sid, |group| {
            self.ourselves && service.is_member(group)
        })
    }
}

/// Returns the identifier of the plan's user, or why there is none.
pub(super) fn account(plan: &Plan, service: &impl Service) -> Result<Listener, Finding> {
    let sid = match (plan.user.as_str(), sid_of(&plan.user)) {
        ("", _) => return Err(Finding::new(State::Failed, PlanError::NoUser.to_string())),
        (_, Some(sid)) => sid,
        (name, None) => service.sid(name).map_err(|code| {
            Finding::new(
                State::Failed,
                match code {
                    codes::NONE_MAPPED => format!(
                        "Windows knows no user or group named {name} (code {code}). Check the spelling, and enter it as \
                         DOMAIN\\name or MACHINE\\name. The names of built-in accounts depend on the language of Windows: \
                         enter the security identifier (S-1-…) instead."
                    ),
                    code => format!(
                        "Windows could not look up {name} (code {code}). Try again while its domain is reachable, or enter \
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

/// Adds the command that deletes the reservation, or a binding.
pub(super) fn by_hand(plan: &Plan, at: usize, finding: Finding) -> Finding {
    match plan.commands(SetUpAction::Delete) {
        Ok(mut commands) if at < commands.len() => finding.with(commands.swap_remove(at)),
        _ => finding,
    }
}

/// Returns the reservation that applies to a URL: its own, or that of the closest parent path. `None` if there is none.
///
/// # Errors
/// Returns the Windows error code.
pub(super) fn governing(
    prefix: &Prefix,
    service: &impl Service,
) -> Result<Option<(Prefix, String)>, u32> {
    for covering in prefix.registered().covering() {
        if let Some(sddl) = service.reservation(&covering.to_string())? {
            return Ok(Some((covering, sddl)));
        }
    }
    Ok(None)
}

/// Returns the finding for an object that could not be read, with the command that shows it.
pub(super) fn unread(plan: &Plan, object: Object, code: u32) -> Finding {
    let at = usize::from(object == Object::Binding);
    let command = plan.commands(SetUpAction::Verify).ok();
    let finding = codes::finding(SetUpAction::Verify, object, code);
    if refused::is_service(code) {
        return finding;
    }
    match command.and_then(|mut commands| (at < commands.len()).then(|| commands.swap_remove(at))) {
        Some(command) => finding.with(command),
        None => finding,
    }
}
