//! A registered client, and whether the user has the values that the service shows only once.

use super::tokens::Taken;
use crate::oauth::client::Client;
use crate::oauth::registration::Registered;
use crate::secret::{ExposeSecret, same};

/// A client that was registered, and how its registration has left the program.
#[derive(Debug)]
pub struct RegisteredClient {
    /// The client.
    pub client: Box<Registered>,
    taken: Taken,
}

impl RegisteredClient {
    pub(super) fn new(client: Box<Registered>) -> Self {
        Self {
            client,
            taken: Taken::Not,
        }
    }

    /// Returns the client, and how its registration has left the program, if the user may not have its secret or its
    /// registration access token.
    #[must_use]
    pub fn untaken(&self) -> Option<(&Registered, Taken)> {
        let client = &*self.client;
        let has_once = client.client_secret.is_some() || client.access_token.is_some();
        (has_once && self.taken <= Taken::Sent).then_some((client, self.taken))
    }

    /// Records that the registration was copied or saved.
    pub(super) fn took(&mut self, how: Taken) {
        self.taken = how.max(self.taken);
    }

    /// Records that a profile was saved with this client. It may contain the secret, but not the registration access
    /// token.
    pub(super) fn took_by_profile(&mut self, saved: &Client) {
        let client = &self.client;
        let secrets = client.client_secret.as_ref().zip(saved.secret.as_ref());
        let has_all = client.access_token.is_none()
            && client.client_id == saved.client_id
            && secrets.is_some_and(|(one, other)| same(one, other.expose_secret()));
        if has_all {
            self.took(Taken::Saved);
        }
    }
}
