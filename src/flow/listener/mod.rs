//! The listener for the redirect URL: one interface, with the loopback listener behind it, or HTTP.sys.
//!
//! It takes GET on exactly the redirect path with the redirect URL's host. Everything else is answered
//! or dropped, and counted where the platform tells us; none of it ends the wait.

mod gate;
mod loopback;

use std::net::SocketAddr;

use url::Url;

pub use self::gate::{Arrival, ListenError, News, Stray};
use self::loopback::Loopback;
use crate::oauth::url::is_loopback;
use crate::request::ListenAddress;

/// True where the redirect URL leads to this machine and to a listener that speaks its language.
#[must_use]
pub fn can_be_here(redirect_url: &Url, listen: Option<ListenAddress>) -> bool {
    listen.is_some() || (redirect_url.scheme() == "http" && is_loopback(redirect_url))
}

/// Listens until it is finished or dropped; either frees the port.
#[derive(Debug)]
pub struct Listener(Kind);

#[derive(Debug)]
enum Kind {
    /// On hyper.
    Loopback(Loopback),
}

impl Listener {
    /// Takes the port of the redirect URL, of which [`can_be_here`] holds; port 0 becomes a free one. `localhost`
    /// means both families.
    ///
    /// # Errors
    /// Where the port cannot be had.
    pub async fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
    ) -> Result<Self, ListenError> {
        let loopback = Loopback::bind(redirect_url, listen).await?;
        Ok(Self(Kind::Loopback(loopback)))
    }

    /// The redirect URL with the port that was really taken.
    #[must_use]
    pub fn redirect_url(&self) -> &Url {
        match &self.0 {
            Kind::Loopback(listener) => listener.redirect_url(),
        }
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        match &self.0 {
            Kind::Loopback(listener) => listener.addresses(),
        }
    }

    /// Waits for the next thing that comes in; `None` never, while it lives.
    pub async fn next(&mut self) -> Option<News> {
        match &mut self.0 {
            Kind::Loopback(listener) => listener.next().await,
        }
    }

    /// Frees the port at once and lets answers under way go out, for at most two seconds.
    pub async fn finish(self) {
        match self.0 {
            Kind::Loopback(listener) => listener.finish().await,
        }
    }
}
