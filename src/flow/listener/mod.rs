//! The listener for the redirect URL: one interface for the loopback listener and HTTP.sys.
//!
//! It accepts GET requests for exactly the path and host of the redirect URL, and posted forms. If the sign-in didn't
//! request a form, it counts only if it is an error. A request with a state for another path or host is passed on, too,
//! so that the user learns why the response isn't accepted. Everything else is rejected or dropped, and counted if the
//! platform reports it. The sign-in continues after it.

mod error;
mod gate;
#[cfg(windows)]
mod httpsys;
mod loopback;
mod pool;
#[cfg(windows)]
mod received;

use tokio_util::task::TaskTracker;
use url::Url;

pub use self::error::ListenError;
pub use self::gate::{Arrival, Astray, ListenerEvent, ResponseMode, Stray};
#[cfg(windows)]
use self::httpsys::HttpSys;
use self::loopback::Loopback;
use crate::certificate::{About, Certificate};
use crate::form::choices::ListenerChoice;
use crate::form::listen_address::ListenAddress;
use crate::httpsys::refused;
#[cfg(windows)]
use crate::httpsys::{config, prefix::Prefix};
use crate::oauth::url::is_loopback;

/// Returns whether the redirect URL points to this machine and to a listener that supports its scheme.
#[must_use]
pub fn can_be_here(
    redirect_url: &Url,
    listen: Option<ListenAddress>,
    choice: ListenerChoice,
    has_certificate: bool,
) -> bool {
    let speaks =
        redirect_url.scheme() == "http" || has_certificate || choice.is_http_sys(listen.is_some());
    // The custom scheme of an app has no port.
    matches!(redirect_url.scheme(), "http" | "https")
        && (listen.is_some() || (speaks && is_loopback(redirect_url)))
}

/// A listener for the redirect URL. Finishing or dropping it frees the port.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    /// The certificate that the browser sees, if the redirect URL is https and the certificate is known.
    certificate: Option<About>,
    /// Why this is not the listener that was tried first.
    note: Option<String>,
}

#[derive(Debug)]
enum Kind {
    /// The loopback listener, based on hyper.
    Loopback(Loopback),
    /// The web server in the Windows kernel.
    #[cfg(windows)]
    HttpSys(HttpSys),
}

impl Listener {
    /// Listens on the port of the redirect URL, for which [`can_be_here`] must return `true`. Port 0 is replaced with a
    /// free port. `localhost` means both address families. With a certificate, the loopback listener serves https.
    /// After a drop, the port is free once `tasks` have ended.
    ///
    /// # Errors
    /// Returns an error if the port isn't available.
    pub async fn bind(
        redirect_url: &Url,
        listen: Option<ListenAddress>,
        choice: ListenerChoice,
        certificate: Option<&Certificate>,
        mode: ResponseMode,
        tasks: &TaskTracker,
    ) -> Result<Self, ListenError> {
        let loopback = || {
            let loopback = Loopback::bind(redirect_url, listen, certificate, mode, tasks)?;
            Ok(Self {
                kind: Kind::Loopback(loopback),
                certificate: certificate.map(|certificate| certificate.about.clone()),
                note: None,
            })
        };
        if !choice.is_http_sys(listen.is_some()) {
            return loopback();
        }
        let http_sys = Self::http_sys(redirect_url, mode).await;
        let may_fall_back = choice == ListenerChoice::Auto && redirect_url.scheme() == "http";
        if may_fall_back {
            Self::or_else(http_sys, redirect_url.port() == Some(0), loopback)
        } else {
            http_sys
        }
    }

    /// Returns the HTTP.sys listener, or the loopback listener if Windows doesn't allow this account to use the URL.
    fn or_else(
        http_sys: Result<Self, ListenError>,
        any_port: bool,
        loopback: impl FnOnce() -> Result<Self, ListenError>,
    ) -> Result<Self, ListenError> {
        let denied = match http_sys {
            Err(
                error @ (ListenError::Escaped { .. }
                | ListenError::HttpSys {
                    code: refused::ACCESS_DENIED,
                    ..
                }),
            ) => error,
            other => return other,
        };
        match loopback() {
            Ok(listener) => Ok(Self {
                note: denied.instead(listener.redirect_url(), any_port),
                ..listener
            }),
            // HTTP.sys may use the port, so that no other listener gets it. Reserving the URL helps.
            Err(_) if matches!(denied, ListenError::HttpSys { .. }) => Err(denied),
            Err(error) => Err(error),
        }
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
            note: None,
        })
    }

    #[cfg(not(windows))]
    #[expect(clippy::unused_async, reason = "as on Windows")]
    async fn http_sys(_: &Url, _: ResponseMode) -> Result<Self, ListenError> {
        Err(ListenError::NoHttpSys)
    }

    /// Returns the redirect URL with the port that is actually used.
    #[must_use]
    pub fn redirect_url(&self) -> &Url {
        match &self.kind {
            Kind::Loopback(listener) => listener.redirect_url(),
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.redirect_url(),
        }
    }

    /// Returns the certificate that the browser sees.
    #[must_use]
    pub fn certificate(&self) -> Option<&About> {
        self.certificate.as_ref()
    }

    /// Returns what the user should know about the choice of the listener, in sentences.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }

    /// Returns the addresses or the prefix that it listens on, in words.
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

    /// Waits for the next event. Never returns `None` while the listener exists.
    pub async fn next(&mut self) -> Option<ListenerEvent> {
        match &mut self.kind {
            Kind::Loopback(listener) => listener.next().await,
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.next().await,
        }
    }

    /// Frees the port at once, and sends responses in progress for at most two seconds.
    pub async fn finish(self) {
        match self.kind {
            Kind::Loopback(listener) => listener.finish().await,
            #[cfg(windows)]
            Kind::HttpSys(listener) => listener.finish().await,
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails on anything unexpected"
)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::certificate::{created, load};

    #[tokio::test]
    async fn listener_falls_back_to_loopback_if_windows_denies_access() {
        let (tasks, url) = (
            TaskTracker::new(),
            Url::parse("http://127.0.0.1:0/a%20b").unwrap(),
        );
        let prefix = || "http://127.0.0.1:8400/".to_owned();
        let refused = |code| ListenError::HttpSys {
            prefix: prefix(),
            code,
        };
        let escaped = || ListenError::Escaped { prefix: prefix() };
        let taken = || ListenError::InUse {
            ip: std::net::Ipv4Addr::LOCALHOST.into(),
            port: 8400,
        };
        for (error, any_port, offers_set_up) in [
            (refused(5), true, false),
            (refused(5), false, true),
            (escaped(), true, false),
        ] {
            let listener = Listener::or_else(Err(error), any_port, || {
                let loopback = Loopback::bind(&url, None, None, ResponseMode::Query, &tasks)?;
                Ok(Listener {
                    kind: Kind::Loopback(loopback),
                    certificate: None,
                    note: None,
                })
            });
            let listener = listener.unwrap();
            let (note, url) = (listener.note().unwrap(), listener.redirect_url().as_str());
            assert!(
                note.contains(url) && note.contains("its own listener"),
                "{note}"
            );
            assert_eq!(note.contains("Configure…"), offers_set_up, "{note}");
            let places = listener.places();
            assert!(places[0].starts_with("127.0.0.1:"), "{places:?}");
        }
        // A port of HTTP.sys is not free for another listener: a reservation helps.
        for (error, told) in [(refused(5), refused(5)), (escaped(), taken())] {
            let outcome = Listener::or_else(Err(error), false, || Err(taken()));
            assert_eq!(outcome.unwrap_err().to_string(), told.to_string());
        }
        // The loopback listener would have other problems, too, or the user should fix them.
        let other = ListenError::NotBound { prefix: prefix() };
        for error in [1, 13, 32, 87, 183, 1060, 1214, 10013]
            .map(refused)
            .into_iter()
            .chain([other])
        {
            let told = error.to_string();
            let outcome =
                Listener::or_else(Err(error), false, || panic!("it is tried after {told}"));
            assert_eq!(outcome.unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn callback_requires_a_reachable_listener_with_matching_scheme() {
        use ListenerChoice::{HttpSys, Loopback};
        for (url, listen, choice, has_certificate, expected) in [
            ("http://127.0.0.1:0/cb", None, Loopback, false, true),
            ("http://localhost/cb", None, HttpSys, false, true),
            ("http://other.example/cb", None, Loopback, true, false),
            ("https://127.0.0.1/cb", None, Loopback, false, false),
            ("https://127.0.0.1/cb", None, Loopback, true, true),
            ("https://127.0.0.1/cb", None, HttpSys, false, true),
            ("https://other.example/cb", None, HttpSys, true, false),
            // Behind a proxy, which serves https for the listener.
            (
                "https://other.example/cb",
                Some("127.0.0.1:8400"),
                Loopback,
                false,
                true,
            ),
            ("com.example.app:/cb", None, Loopback, true, false),
            (
                "com.example.app:/cb",
                Some("127.0.0.1:8400"),
                HttpSys,
                true,
                false,
            ),
        ] {
            let listen = listen.map(|listen| listen.parse().unwrap());
            let here = can_be_here(&Url::parse(url).unwrap(), listen, choice, has_certificate);
            assert_eq!(here, expected, "{url} {listen:?} {choice:?}");
        }
    }

    #[tokio::test]
    async fn listener_reports_the_certificate_shown_to_browsers() {
        let (folder, now) = (tempfile::tempdir().unwrap(), SystemTime::now());
        let (files, _) = created::create(folder.path(), "127.0.0.1", now).unwrap();
        let certificate = load(&files, "127.0.0.1", now).unwrap();
        for (url, certificate) in [
            ("https://127.0.0.1:0/", Some(&certificate)),
            ("http://127.0.0.1:0/", None),
        ] {
            let (url, tasks) = (Url::parse(url).unwrap(), TaskTracker::new());
            let (kind, mode) = (ListenerChoice::Loopback, ResponseMode::Query);
            let listener = Listener::bind(&url, None, kind, certificate, mode, &tasks).await;
            let listener = listener.unwrap();
            assert_eq!(listener.certificate(), certificate.map(|it| &it.about));
            listener.finish().await;
        }
    }
}
