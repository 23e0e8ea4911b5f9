//! The listener for the redirect URL: one interface, with the loopback listener behind it, or HTTP.sys.
//!
//! It accepts GET on exactly the redirect path with the redirect URL's host, and POST of a form if the sign-in requested
//! that. Everything else is rejected or dropped, and counted if the platform reports it; none of it ends the wait.

mod gate;
#[cfg(windows)]
mod httpsys;
mod loopback;
mod pool;
#[cfg(windows)]
mod received;

use tokio_util::task::TaskTracker;
use url::Url;

pub use self::gate::{Arrival, ListenError, ListenerEvent, ResponseMode, Stray};
#[cfg(windows)]
use self::httpsys::HttpSys;
use self::loopback::Loopback;
use crate::certificate::{About, Certificate};
use crate::form::request::{ListenAddress, ListenerChoice};
use crate::httpsys::refused;
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
    /// Why it is not the one that was tried first.
    note: Option<String>,
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

    /// HTTP.sys, or the loopback listener where Windows doesn't let this account have the URL.
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
            // HTTP.sys may share a port that nobody else gets, and what helps there is a reservation.
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

    /// What the user has to know about the choice of the listener, in sentences.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
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

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends on what it did not expect"
)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::certificate::{created, load};

    #[tokio::test]
    async fn where_windows_denies_access_our_own_listener_waits_and_says_so() {
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
        // A port that HTTP.sys shares is free for nobody else: a reservation helps.
        for (error, told) in [(refused(5), refused(5)), (escaped(), taken())] {
            let outcome = Listener::or_else(Err(error), false, || Err(taken()));
            assert_eq!(outcome.unwrap_err().to_string(), told.to_string());
        }
        // Whatever else is wrong would be wrong with our own as well, or is to be set right.
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
    fn the_browser_can_come_back_only_to_a_listener_that_it_reaches_and_that_speaks_its_language() {
        use ListenerChoice::{HttpSys, Loopback};
        for (url, listen, choice, has_certificate, expected) in [
            ("http://127.0.0.1:0/cb", None, Loopback, false, true),
            ("http://localhost/cb", None, HttpSys, false, true),
            ("http://other.example/cb", None, Loopback, true, false),
            ("https://127.0.0.1/cb", None, Loopback, false, false),
            ("https://127.0.0.1/cb", None, Loopback, true, true),
            ("https://127.0.0.1/cb", None, HttpSys, false, true),
            ("https://other.example/cb", None, HttpSys, true, false),
            // Behind a proxy, which speaks https for it.
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
    async fn the_certificate_that_a_browser_is_shown_is_told() {
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
