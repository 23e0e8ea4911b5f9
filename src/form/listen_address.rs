//! The address to listen on instead of the redirect URL's.

use std::net::{IpAddr, SocketAddr};

/// An address to listen on instead of the redirect URL's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    /// An address of this machine.
    pub ip: IpAddr,
    /// A port, if it is not that of the redirect URL.
    pub port: Option<u16>,
}

impl ListenAddress {
    /// Returns a warning if other machines can reach the address. With a listen address, the program never serves https
    /// itself, whatever the redirect URL is: a proxy does.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        let ip = self.ip.to_canonical();
        if ip.is_loopback() {
            return None;
        }
        let who = if ip.is_unspecified() {
            "Anyone on any network of this machine".to_owned()
        } else {
            format!("Anyone on the network of {ip}")
        };
        Some(format!(
            "{who} can reach this listener over plain http and could read the authorization code. Use 127.0.0.1, unless a \
                proxy on another machine forwards requests to this one"
        ))
    }
}

impl std::str::FromStr for ListenAddress {
    type Err = std::net::AddrParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(ip) = text.trim_matches(['[', ']']).parse() {
            return Ok(Self { ip, port: None });
        }
        let address: SocketAddr = text.parse()?;
        Ok(Self {
            ip: address.ip(),
            port: Some(address.port()),
        })
    }
}
