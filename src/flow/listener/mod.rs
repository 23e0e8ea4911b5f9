//! The listener for the redirect URL: one interface, with the loopback listener behind it, or HTTP.sys.
//!
//! It accepts GET on exactly the redirect path with the redirect URL's host, and POST of a form if the sign-in requested
//! that. Everything else is rejected or dropped, and counted if the platform reports it; none of it ends the wait.

mod gate;
#[cfg(windows)]
mod httpsys;
mod loopback;
mod pool;

use tokio_util::task::TaskTracker;
use url::Url;

pub use self::gate::{Arrival, ListenError, ListenerEvent, ResponseMode, Stray};
#[cfg(windows)]
use self::httpsys::HttpSys;
use self::loopback::Loopback;
use crate::certificate::{About, Certificate};
use crate::form::request::{ListenAddress, ListenerChoice};
#[cfg(windows)]
use crate::httpsys::{config, prefix::Prefix};
use crate::oauth::url::is_loopback;

/// True if the redirect URL leads to this machine and to a listener that speaks its language.
#[must_use]
pub fn can_be_here(
    redirect_url: &Url,
    listen: Option<ListenAddress>,
    choice: ListenerChoice,
    has_certificate: bool,
) -> bool {
    let speaks =
        redirect_url.scheme() == "http" || has_certificate || choice.is_http_sys(listen.is_some());
    // A scheme of an app leads to no port.
    matches!(redirect_url.scheme(), "http" | "https")
        && (listen.is_some() || (speaks && is_loopback(redirect_url)))
}

/// Listens until it is finished or dropped; either frees the port.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    /// What a browser is shown, where the redirect URL is https and this is known.
    certificate: Option<About>,
}

#[derive(Debug)]
enum Kind {
    /// On hyper.
    Loopback(Loopback),
    /// The kernel's of Windows.
    #[cfg(windows)]
    HttpSys(HttpSys),
}

impl Listener {
    /// Takes the port of the redirect URL, of which [`can_be_here`] holds; port 0 becomes a free one. `localhost`
    /// means both families. With a certificate the loopback listener speaks https. Once it is dropped, the port is free when
    /// `tasks` have ended.
    ///
    /// # Errors
    /// If the port isn't available.
    pub async fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        choice: ListenerChoice,
        certificate: Option<&Certificate>,
        mode: ResponseMode,
        tasks: &TaskTracker,
    ) -> Result<Self, ListenError> {
        if choice.is_http_sys(listen.is_some()) {
            return Self::http_sys(redirect_url, mode).await;
        }
        let loopback = Loopback::bind(redirect_url, listen, certificate, mode, tasks)?;
        Ok(Self {
            kind: Kind::Loopback(loopback),
            certificate: certificate.map(|certificate| certificate.about.clone()),
        })
    }

    #[cfg(windows)]
    async fn http_sys(redirect_url: &Url, mode: ResponseMode) -> Result<Self, ListenError> {
        let certificate = match Prefix::of(redirect_url.as_str()) {
            Ok(prefix) if prefix.secure => {
                config::bound_certificate(&prefix).map_err(|_| ListenError::NotBound {
                    prefix: prefix.to_string(),
                })?
            }
            Ok(_) | Err(_) => None,
        };
        Ok(Self {
            kind: Kind::HttpSys(HttpSys::bind(redirect_url, mode).await?),
            certificate,
        })
    }

    #[cfg(not(windows))]
    #[expect(clippy::unused_async, reason = "as on Windows")]
    async fn http_sys(_: &Url, _: ResponseMode) -> Result<Self, ListenError> {
        Err(ListenError::NoHttpSys)
    }

    /// The redirect URL with the port that was really taken.
    #[must_use]
    pub fn redirect_url(&self) -> &Url {
        match &self.kind {
            Kind::Loopback(listener) => listener.redirect_url(),
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.redirect_url(),
        }
    }

    /// The certificate that a browser is shown here.
    #[must_use]
    pub fn certificate(&self) -> Option<&About> {
        self.certificate.as_ref()
    }

    /// Where it listens, in words.
    #[must_use]
    pub fn places(&self) -> Vec<String> {
        match &self.kind {
            Kind::Loopback(listener) => {
                let addresses = listener.addresses().iter();
                addresses.map(ToString::to_string).collect()
            }
            #[cfg(windows)]
            Kind::HttpSys(listener) => vec![format!("{} (HTTP.sys)", listener.prefix())],
        }
    }

    /// Waits for the next thing that comes in; `None` never, while it lives.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        match &mut self.kind {
            Kind::Loopback(listener) => listener.next().await,
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.next().await,
        }
    }

    /// Frees the port at once and lets answers in progress go out, for at most two seconds.
    pub async fn finish(self) {
        match self.kind {
            Kind::Loopback(listener) => listener.finish().await,
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.finish().await,
        }
    }
}
