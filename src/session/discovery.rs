//! Discovery of the issuer's metadata.

use super::Session;
use super::event::{Refused, SessionEvent, Started};
use super::work::Work;
use crate::flow::driver::Job;
use crate::flow::trace::Trace;
use crate::form::choices::Overwrite;
use crate::form::field::Key;
use crate::form::problem::Severity;
use crate::form::request;
use crate::oauth::discovery::Metadata;
use crate::presets::format::mail_domain;

impl Session {
    /// Requests the metadata of the issuer in the form, which then fills in the form. Stops a sign-in or discovery in
    /// progress.
    ///
    /// # Errors
    /// Returns an error if there is no issuer, the form has an error, or the task in progress can't be stopped.
    pub fn discover(&mut self, overwrite: Overwrite) -> Result<Started, Refused> {
        self.others_give_way()?;
        let issuer = request::issuer(&self.settings).ok_or(Refused::NoIssuer)?;
        if mail_domain(&issuer.name).is_some() {
            return Err(Refused::MailAddress(issuer.name));
        }
        let problem = request::problems(&self.settings)
            .into_iter()
            .find(|problem| {
                problem.severity == Severity::Error
                    && matches!(problem.key, Key::Issuer | Key::Var(_))
            });
        if let Some(problem) = problem {
            return Err(Refused::Form(vec![problem]));
        }
        self.trace = Trace::default();
        self.settings.asks_issuer();
        Ok(self.start(Job::Discover(issuer), Work::Discovering(overwrite)))
    }

    /// Stops a discovery for a service that is no longer selected.
    pub fn cancel_discovery(&mut self) -> bool {
        let discovering = |(_, work): &mut (_, Work)| matches!(work, Work::Discovering(_));
        self.work.take_if(discovering).is_some()
    }

    /// Fills in the form from the metadata.
    pub(super) fn discovered(&mut self, metadata: Box<Metadata>) -> Option<SessionEvent> {
        let discovering = |(_, work): &mut (_, Work)| matches!(work, Work::Discovering(_));
        let Some((_, Work::Discovering(overwrite))) = self.work.take_if(discovering) else {
            return None;
        };
        if self.settings.value(Key::Issuer).trim() != metadata.asked {
            return Some(SessionEvent::DiscoveredOther);
        }
        let filled = self.settings.take_over(&metadata, overwrite);
        Some(SessionEvent::Discovered { filled, metadata })
    }
}
