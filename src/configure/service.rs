//! The interface to HTTP.sys that the steps go through, and whom they are for.

use super::plan::{Plan, PlanError, is_sid};
use super::reading::{Account, Reserved, reserved};
use super::report::{Finding, SetUpAction, State};
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::prefix::{Endpoint, FoundBinding, SslBinding, UrlAcl};

/// Windows knows no such account.
pub(super) const NONE_MAPPED: u32 = 1332;

/// How changes can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// This process is elevated.
    Elevated,
    /// The user at this desktop can be asked for consent.
    Consent,
    /// This process is not elevated, and nobody can be asked for consent.
    None,
}

/// The configuration of the HTTP service, as plain as its interface allows. Codes are those of Windows; 0 is done.
pub trait Service {
    /// How changes can be made.
    fn rights(&self) -> Rights;
    /// The current user, as `DOMAIN\name`.
    fn user(&self) -> Option<String>;
    /// The security identifier of an account that can listen: a user or a group.
    ///
    /// # Errors
    /// The Windows error code.
    fn sid(&self, user: &str) -> Result<String, u32>;
    /// The account of a security identifier.
    fn account(&self, sid: &str) -> Option<Account>;
    /// True if the current user counts as a member of this group.
    fn is_member(&self, sid: &str) -> bool;
    /// The certificates of the machine's store.
    ///
    /// # Errors
    /// The Windows error code.
    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32>;
    /// Registers a prefix for a moment, as a sign-in does.
    fn listen(&self, prefix: &str) -> u32;
    /// True if HTTP.sys is limited to some addresses, and this machine's own is not one of them.
    fn is_deaf(&self) -> bool;
    /// The descriptor of a prefix, with whole identifiers; `None` if there is no reservation.
    ///
    /// # Errors
    /// The Windows error code, unless it is "not found".
    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32>;
    /// The binding of an endpoint; `None` if there is none.
    ///
    /// # Errors
    /// The Windows error code, unless it is "not found".
    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32>;
    /// Writes a reservation.
    fn reserve(&mut self, reservation: &UrlAcl) -> u32;
    /// Writes a binding.
    fn bind(&mut self, binding: &SslBinding) -> u32;
    /// Deletes a reservation.
    fn release(&mut self, prefix: &str) -> u32;
    /// Deletes a binding.
    fn unbind(&mut self, endpoint: &Endpoint) -> u32;
    /// Runs this program once more, elevated, with these arguments, after the user's consent; its exit code.
    ///
    /// # Errors
    /// The Windows error code, such as 1223 if the user declined.
    fn consent(&mut self, arguments: &[String]) -> Result<u32, u32>;
}

/// Whom the plan is for.
pub(super) struct Listener {
    /// The security identifier.
    pub(super) sid: String,
    /// It is the user of this process.
    pub(super) ourselves: bool,
}

impl Listener {
    /// Compares a reservation with this account. Only of this process is it known what it is a member of.
    pub(super) fn reserved(&self, sddl: Option<&str>, service: &impl Service) -> Reserved {
        reserved(sddl, &self.sid, |group| {
            self.ourselves && service.is_member(group)
        })
    }
}

/// The identifier of the plan's user, or why there is none.
pub(super) fn account(plan: &Plan, service: &impl Service) -> Result<Listener, Finding> {
    let sid = match plan.user.as_str() {
        "" => return Err(Finding::new(State::Failed, PlanError::NoUser.to_string())),
        sid if is_sid(sid) => sid.to_ascii_uppercase(),
        name => service.sid(name).map_err(|code| {
            Finding::new(
                State::Failed,
                match code {
                    NONE_MAPPED => format!(
                        "Windows knows no user or group named {name} (code {code}). Check the spelling, and enter it as \
                         DOMAIN\\name or MACHINE\\name."
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

/// With the command that deletes the reservation, or a binding.
pub(super) fn by_hand(plan: &Plan, at: usize, finding: Finding) -> Finding {
    match plan.commands(SetUpAction::Delete) {
        Ok(mut commands) if at < commands.len() => finding.with(commands.swap_remove(at)),
        _ => finding,
    }
}
