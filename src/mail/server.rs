//! Mail servers: their protocol, host and port, and how TLS starts.

use std::fmt;

use serde::Deserialize;

use crate::clean::is_clean;

/// A mail protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// IMAP (RFC 9051 and RFC 3501).
    Imap,
    /// POP3 (RFC 1939).
    Pop3,
    /// SMTP submission (RFC 6409).
    Smtp,
}

impl Protocol {
    /// All protocols, in the order in which they are tested.
    pub const ALL: [Self; 3] = [Self::Imap, Self::Pop3, Self::Smtp];

    /// Returns the name on screen.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Smtp => "SMTP",
        }
    }

    /// Returns the name in settings and on the command line.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Smtp => "smtp",
        }
    }

    /// Returns the port that servers of this protocol usually have.
    #[must_use]
    pub fn usual_port(self) -> u16 {
        match self {
            Self::Imap => 993,
            Self::Pop3 => 995,
            Self::Smtp => 587,
        }
    }

    /// Returns the protocol that usually has this port.
    #[must_use]
    pub fn of_port(port: u16) -> Option<Self> {
        match port {
            143 | 993 => Some(Self::Imap),
            110 | 995 => Some(Self::Pop3),
            25 | 465 | 587 => Some(Self::Smtp),
            _ => None,
        }
    }
}

/// How the connection is encrypted. There is no third option: a token is never sent unencrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the start.
    Tls,
    /// TLS after the command that starts it.
    StartTls,
}

impl Security {
    /// Returns how TLS starts on a port that mail servers usually have.
    fn of_port(port: u16) -> Option<Self> {
        match port {
            465 | 993 | 995 => Some(Self::Tls),
            25 | 110 | 143 | 587 => Some(Self::StartTls),
            _ => None,
        }
    }
}

impl fmt::Display for Security {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
        })
    }
}

/// The address of a mail server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The host name or IP address, without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How TLS starts.
    pub security: Security,
}

impl Address {
    /// Parses `HOST:PORT TLS` or `HOST:PORT:TLS`, with TLS or STARTTLS at the end. It can be omitted after a usual port.
    ///
    /// # Errors
    /// Returns an error that says what is wrong, as a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            "Enter a mail server as HOST:PORT:TLS or HOST:PORT:STARTTLS, such as imap.example.org:993:TLS."
                .to_owned()
        };
        let text = text.trim();
        let (place, last) = text.rsplit_once([' ', ':']).ok_or_else(wrong)?;
        let (place, security) = match last.to_ascii_uppercase().as_str() {
            "TLS" | "SSL" => (place, Some(Security::Tls)),
            "STARTTLS" => (place, Some(Security::StartTls)),
            _ => (text, None),
        };
        let (host, port) = place.trim().rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let security = security
            .or_else(|| Security::of_port(port))
            .ok_or_else(wrong)?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_part = |ch: char| !ch.is_whitespace() && !"/@[]<>\"".contains(ch);
        // Without brackets, a second colon may also belong to an extra port.
        let fits = !host.is_empty()
            && host.len() <= 255
            && is_clean(host)
            && host.chars().all(is_part)
            && (bare.is_some() || !host.contains(':'));
        if !fits || port == 0 {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            security,
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            host,
            port,
            security,
        } = self;
        if host.contains(':') {
            write!(formatter, "[{host}]:{port} {security}")
        } else {
            write!(formatter, "{host}:{port} {security}")
        }
    }
}

/// Returns whether the text is a mailbox that can be sent in a line of every protocol.
#[must_use]
pub fn is_mailbox(text: &str) -> bool {
    let fits = |ch: char| !ch.is_control() && !ch.is_whitespace() && !"<>".contains(ch);
    !text.is_empty() && text.len() <= 320 && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocol_is_derived_from_the_port() {
        for (protocol, ports) in [
            (Some(Protocol::Imap), &[143, 993][..]),
            (Some(Protocol::Pop3), &[110, 995]),
            (Some(Protocol::Smtp), &[25, 465, 587]),
            (None, &[0, 80, 443, 994]),
        ] {
            for port in ports {
                assert_eq!(Protocol::of_port(*port), protocol, "{port}");
            }
        }
    }

    #[test]
    fn mailbox_cannot_inject_lines() {
        assert!(is_mailbox("alice@example.org") && is_mailbox("o'neil+x@example.org"));
        for text in ["", "a b", "a\r\nDELE 1", "a\nb", "a>b", "a\u{1}b", "a\0b"] {
            assert!(!is_mailbox(text), "{text:?}");
        }
    }

    #[test]
    fn addresses_parse_with_space_or_colon() {
        for (text, read) in [
            ("imap.example.org:993 TLS", "imap.example.org:993 TLS"),
            (
                "smtp.example.org:587:starttls",
                "smtp.example.org:587 STARTTLS",
            ),
            ("[::1]:993:tls", "[::1]:993 TLS"),
            ("127.0.0.1:1 TLS", "127.0.0.1:1 TLS"),
            ("imap.example.org:993", "imap.example.org:993 TLS"),
            ("smtp.example.org:587", "smtp.example.org:587 STARTTLS"),
            ("[::1]:995", "[::1]:995 TLS"),
        ] {
            let address = Address::parse(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), Ok(read));
        }
        for text in [
            "",
            "imap.example.org",
            "imap.example.org:994",
            "::1:993",
            "imap.example.org:TLS",
            "imap.example.org:993:none",
            "imap.example.org:0:TLS",
            "imap.example.org:70000:TLS",
            ":993:TLS",
            "a b:993:TLS",
            "user@host:993:TLS",
            "imaps://host:993:TLS",
            "host:993:993:TLS",
            "ho\u{202e}st:993:TLS",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
