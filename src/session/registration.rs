//! Dynamic registration of this program with the service in the form.

use super::event::{Refused, SessionEvent, Started};
use super::registered::RegisteredClient;
use super::work::Work;
use super::{Session, Taken};
use crate::flow::driver::Job;
use crate::flow::registration::Registration;
use crate::form::choices::AuthenticationChoice;
use crate::form::field::Key;
use crate::form::problem::Severity;
use crate::form::request;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::registration::Registered;
use crate::secret::{ExposeSecret, SecretString};

impl Session {
    /// Registers the client in the form, with the initial access token if it isn't empty. Stops a sign-in or discovery
    /// in progress.
    ///
    /// # Errors
    /// Returns an error if the metadata offers no registration, the redirect URL has an error, or the task in progress
    /// can't be stopped.
    pub fn register(&mut self, initial_token: &SecretString) -> Result<Started, Refused> {
        self.others_give_way()?;
        let Some(url) = self.settings.registration_url().cloned() else {
            let reason = "The issuer's metadata contains no registration endpoint.";
            return Err(Refused::NotOffered(reason.to_owned()));
        };
        if matches!(
            self.settings.authentication(),
            AuthenticationChoice::KeyJwt | AuthenticationChoice::MutualTls
        ) {
            let reason = "This program can't register a key or a certificate. Select another Client auth., or register at the \
                service itself.";
            return Err(Refused::NotOffered(reason.to_owned()));
        }
        let uses_redirect = self.settings.flow() == FlowKind::AuthorizationCode;
        let problem = request::problems(&self.settings)
            .into_iter()
            .find(|problem| {
                uses_redirect
                    && problem.key == Key::RedirectUrl
                    && problem.severity == Severity::Error
            });
        if let Some(problem) = problem {
            return Err(Refused::Form(vec![problem]));
        }
        let issuer = request::issuer(&self.settings);
        let run = Registration {
            url: url.clone(),
            initial_token: (!initial_token.expose_secret().is_empty())
                .then(|| initial_token.clone()),
            client: self.settings.client_metadata(),
            ca_file: issuer.and_then(|issuer| issuer.ca_file),
        };
        self.trace = crate::flow::trace::Trace::default();
        Ok(self.start(Job::Register(Box::new(run)), Work::Registering(url)))
    }

    /// Returns the registered client, and how its registration has left the program, if the user may not have values
    /// that the service shows only once.
    #[must_use]
    pub fn untaken_registration(&self) -> Option<(&Registered, Taken)> {
        self.registration.as_ref()?.untaken()
    }

    /// Stores the registered client and fills in the form, unless the form is for another service by now.
    pub(super) fn registered(&mut self, client: Box<Registered>) -> Option<SessionEvent> {
        let registering = |(_, work): &mut (_, Work)| matches!(work, Work::Registering(_));
        let Some((_, Work::Registering(url))) = self.work.take_if(registering) else {
            return None;
        };
        let is_same = self.settings.registration_url() == Some(&url);
        let filled = is_same.then(|| self.settings.take_registered(&client));
        self.registration = Some(RegisteredClient::new(client));
        Some(SessionEvent::Registered { filled })
    }
}
