//! What HTTP.sys needs for a redirect URL: the prefix, the commands, the structures for its interface. Only composes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::Url;

use super::quote::{self, QuoteError};
use crate::clean::is_clean;

/// Windows reserves this for everybody, on every machine.
pub const TEMPORARY: &str = "http://+:80/Temporary_Listen_Addresses/";

/// A redirect URL below [`TEMPORARY`], offered as the one that needs no set-up.
pub const WITHOUT_SET_UP: &str = "http://localhost/Temporary_Listen_Addresses/oauth-authorizer/";

/// Whose bindings these are: the identifier of this program, for good.
pub const APP_ID: u128 = 0x6f2b_1c0e_93d4_4a57_8e1f_5d0c_7a42_b9e6;

/// The certificate store of the machine.
pub const STORE: &str = "MY";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Write what the listener needs.
    SetUp,
    /// Look whether all is as it should be; changes nothing.
    Verify,
    /// Remove what the set-up writes.
    Delete,
}

impl Work {
    /// All, in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::SetUp, Self::Verify, Self::Delete];

    /// The name on the button.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SetUp => "Set up",
            Self::Verify => "Verify",
            Self::Delete => "Delete",
        }
    }

    /// The name as a subcommand.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SetUp => "setup",
            Self::Verify => "verify",
            Self::Delete => "delete",
        }
    }
}

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// No URL.
    #[error(
        "The redirect URL is not complete: {0}. It is written like http://localhost:8400/callback."
    )]
    Malformed(String),
    /// Neither http nor https.
    #[error("A redirect URL to listen on begins with http:// or https://. Change it.")]
    Scheme,
    /// `user@`, or a fragment.
    #[error("A redirect URL holds no user name and no part behind a #. Remove it.")]
    Surplus,
    /// A name that stands for many.
    #[error("A * cannot be the host of a redirect URL. Name one, such as localhost.")]
    Star,
    /// Port 0.
    #[error(
        "Port 0 means any free port, and HTTP.sys needs one that stays. Name a port in the Redirect URL."
    )]
    AnyPort,
    /// An escaped character in the path.
    #[error(
        "The path of the redirect URL holds a character that has to be escaped (%). Use letters, digits, - and _."
    )]
    Escaped,
    /// No certificate.
    #[error(
        "https needs a certificate of this machine. Choose one from the list, or type its thumbprint."
    )]
    NoThumbprint,
    /// No thumbprint.
    #[error(
        "A thumbprint has 40 hexadecimal digits (SHA-1), and this has {0}. Copy it from the certificate's details."
    )]
    Thumbprint(usize),
    /// No digits.
    #[error(
        "A thumbprint has only the digits 0 to 9 and the letters a to f. Copy it from the certificate's details."
    )]
    NotHex,
    /// Nobody to reserve for.
    #[error("The reservation is for a user, and none is named. Type one, such as DOMAIN\\name.")]
    NoUser,
    /// It cannot be written as a command.
    #[error(transparent)]
    Quote(#[from] QuoteError),
}

/// What HTTP.sys registers for a redirect URL, and what any listener listens on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// https.
    pub secure: bool,
    /// As it stands in the URL; IPv6 in brackets, `+` for all names.
    pub host: String,
    /// Always named, also where it is the scheme's own.
    pub port: u16,
    /// Begins and ends with a slash.
    pub path: String,
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(f, "{scheme}://{}:{}{}", self.host, self.port, self.path)
    }
}

impl Prefix {
    /// Reads a redirect URL.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn of(redirect_url: &str) -> Result<Self, PlanError> {
        let text = redirect_url.trim();
        if !is_clean(text) || text.contains(char::is_whitespace) {
            return Err(PlanError::Malformed(
                "it holds a space or an invisible character".to_owned(),
            ));
        }
        let url = Url::parse(text).map_err(|error| PlanError::Malformed(error.to_string()))?;
        let secure = match url.scheme() {
            "http" => false,
            "https" => true,
            _ => return Err(PlanError::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(PlanError::Surplus);
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        if host.contains('*') {
            return Err(PlanError::Star);
        }
        let mut path = url.path().to_owned();
        if !path.ends_with('/') {
            path.push('/');
        }
        Ok(Self {
            secure,
            host,
            port: url.port_or_known_default().unwrap_or(80),
            path,
        })
    }

    /// True where Windows has reserved it for everybody.
    #[must_use]
    pub fn needs_no_set_up(&self) -> bool {
        let below = "/temporary_listen_addresses/";
        !self.secure && self.port == 80 && self.path.to_ascii_lowercase().starts_with(below)
    }

    /// What HTTP.sys is asked to register, and what a reservation is for. What is reserved for everybody is reserved for
    /// all host names at once, and a reservation counts for the host that it names alone.
    #[must_use]
    pub fn registered(&self) -> Self {
        let mut registered = self.clone();
        if self.needs_no_set_up() {
            "+".clone_into(&mut registered.host);
        }
        registered
    }

    /// True where most versions of Windows let every user listen without a reservation: http, localhost by its name, and a
    /// port above 1024.
    #[must_use]
    pub fn is_free_for_all(&self) -> bool {
        !self.secure && self.host.eq_ignore_ascii_case("localhost") && self.port > 1024
    }

    /// The host as an address, where it is one.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// True where the host is this machine by its name or address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.address() {
            Some(address) => address.is_loopback(),
            None => self.host.eq_ignore_ascii_case("localhost"),
        }
    }
}

/// The SHA-1 of a certificate, by which Windows finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thumbprint(pub [u8; 20]);

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::str::FromStr for Thumbprint {
    type Err = PlanError;

    /// Takes it as the certificate's window gives it: with spaces or colons, and an invisible mark in front.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|ch| !(ch.is_whitespace() || *ch == ':' || *ch == '\u{200e}'))
            .map(|ch| ch.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect();
        let digits = digits.ok_or(PlanError::NotHex)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair[0] * 16 + pair[1])
            .collect();
        match (digits.len(), bytes.try_into()) {
            (40, Ok(bytes)) => Ok(Self(bytes)),
            (count, _) => Err(PlanError::Thumbprint(count)),
        }
    }
}

/// True for the text of a security identifier, such as S-1-5-20.
#[must_use]
pub fn is_sid(text: &str) -> bool {
    let rest = text
        .strip_prefix("S-1-")
        .or_else(|| text.strip_prefix("s-1-"));
    rest.is_some_and(|rest| {
        rest.split('-')
            .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// The descriptor that lets one account listen: SDDL, with the right that netsh calls listen.
#[must_use]
pub fn sddl(sid: &str) -> String {
    format!("D:(A;;GX;;;{})", sid.to_ascii_uppercase())
}

/// Which connections a certificate is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address and a port: `HTTP_SERVICE_CONFIG_SSL_KEY`.
    Address(SocketAddr),
    /// A host name and a port: `HTTP_SERVICE_CONFIG_SSL_SNI_KEY`.
    Name {
        /// As the browser asks for it.
        host: String,
        /// Port.
        port: u16,
    },
}

impl fmt::Display for Endpoint {
    /// As netsh takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "ipport={address}"),
            Self::Name { host, port } => write!(f, "hostnameport={host}:{port}"),
        }
    }
}

/// What `HTTP_SERVICE_CONFIG_URLACL_SET` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlAcl {
    /// The prefix.
    pub prefix: String,
    /// Who may listen.
    pub sddl: String,
}

/// What `HTTP_SERVICE_CONFIG_SSL_SET` or, by name, `HTTP_SERVICE_CONFIG_SSL_SNI_SET` holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SslBinding {
    /// The key.
    pub endpoint: Endpoint,
    /// The certificate's hash.
    pub hash: [u8; 20],
    /// Whose binding it is.
    pub app_id: u128,
    /// Where the certificate is.
    pub store: &'static str,
}

/// A set-up, as it is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What is registered.
    pub prefix: Prefix,
    /// For whom: a name, or a security identifier. May be empty until it is asked for.
    pub user: String,
    /// Which certificate, with https.
    pub thumbprint: Option<Thumbprint>,
}

impl Plan {
    /// Puts it together.
    ///
    /// # Errors
    /// Where HTTP.sys cannot register such a URL.
    pub fn new(
        prefix: Prefix,
        user: &str,
        thumbprint: Option<Thumbprint>,
    ) -> Result<Self, PlanError> {
        if prefix.port == 0 {
            return Err(PlanError::AnyPort);
        }
        if prefix.path.contains('%') {
            return Err(PlanError::Escaped);
        }
        Ok(Self {
            thumbprint: thumbprint.filter(|_| prefix.secure),
            prefix,
            user: user.trim().to_owned(),
        })
    }

    /// What the certificate is bound to: the name as browsers ask for it, or the address; for all names,
    /// all addresses of both families. Nothing with http.
    #[must_use]
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let port = self.prefix.port;
        let address = |ip| Endpoint::Address(SocketAddr::new(ip, port));
        match (self.prefix.secure, self.prefix.address()) {
            (false, _) => Vec::new(),
            (true, Some(ip)) => vec![address(ip)],
            (true, None) if self.prefix.host == "+" => vec![
                address(Ipv4Addr::UNSPECIFIED.into()),
                address(Ipv6Addr::UNSPECIFIED.into()),
            ],
            (true, None) => vec![Endpoint::Name {
                host: self.prefix.host.clone(),
                port,
            }],
        }
    }

    /// The reservation for the account with this security identifier.
    #[must_use]
    pub fn reservation(&self, sid: &str) -> UrlAcl {
        UrlAcl {
            prefix: self.prefix.to_string(),
            sddl: sddl(sid),
        }
    }

    /// The bindings of the certificate; nothing with http.
    ///
    /// # Errors
    /// Where no certificate is named.
    pub fn bindings(&self) -> Result<Vec<SslBinding>, PlanError> {
        let bind = |endpoint| {
            Ok(SslBinding {
                endpoint,
                hash: self.thumbprint.ok_or(PlanError::NoThumbprint)?.0,
                app_id: APP_ID,
                store: STORE,
            })
        };
        self.endpoints().into_iter().map(bind).collect()
    }

    /// The netsh commands that do the same, to be run as administrator; none where Windows has reserved it already.
    ///
    /// # Errors
    /// Where something is missing, or cannot be written safely.
    pub fn commands(&self, work: Work) -> Result<Vec<String>, PlanError> {
        let verb = match work {
            Work::SetUp => "add",
            Work::Verify => "show",
            Work::Delete => "delete",
        };
        if self.prefix.needs_no_set_up() {
            return Ok(Vec::new());
        }
        let mut urlacl = netsh(verb, "urlacl");
        urlacl.push(format!("url={}", self.prefix));
        let mut commands = Vec::new();
        if work == Work::SetUp {
            urlacl.push(match self.user.as_str() {
                "" => return Err(PlanError::NoUser),
                sid if is_sid(sid) => format!("sddl={}", sddl(sid)),
                name => format!("user={name}"),
            });
        }
        commands.push(quote::line(&urlacl)?);
        for endpoint in self.endpoints() {
            let mut sslcert = netsh(verb, "sslcert");
            sslcert.push(endpoint.to_string());
            if work == Work::SetUp {
                let thumbprint = self.thumbprint.ok_or(PlanError::NoThumbprint)?;
                sslcert.push(format!("certhash={thumbprint}"));
                sslcert.push(format!("appid={}", guid(APP_ID)));
                sslcert.push(format!("certstorename={STORE}"));
            }
            commands.push(quote::line(&sslcert)?);
        }
        Ok(commands)
    }
}

fn netsh(verb: &str, object: &str) -> Vec<String> {
    ["netsh", "http", verb, object].map(str::to_owned).to_vec()
}

/// As Windows writes it.
#[must_use]
pub fn guid(id: u128) -> String {
    let hex = format!("{id:032x}");
    format!(
        "{{{}-{}-{}-{}-{}}}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233";
    const APP: &str = "{6f2b1c0e-93d4-4a57-8e1f-5d0c7a42b9e6}";

    fn plan(url: &str, user: &str) -> Plan {
        Plan::new(Prefix::of(url).unwrap(), user, HASH.parse().ok()).unwrap()
    }

    #[test]
    fn prefixes_name_scheme_host_port_and_a_closing_slash() {
        for (url, prefix) in [
            (
                "http://localhost:8400/callback",
                "http://localhost:8400/callback/",
            ),
            (
                "http://localhost:8400/callback/",
                "http://localhost:8400/callback/",
            ),
            ("http://localhost:8400", "http://localhost:8400/"),
            ("http://localhost/", "http://localhost:80/"),
            ("https://localhost/a/b?x=1", "https://localhost:443/a/b/"),
            ("http://127.0.0.1:65535/", "http://127.0.0.1:65535/"),
            ("http://[::1]:1/cb", "http://[::1]:1/cb/"),
            ("https://[2001:DB8::1]/cb", "https://[2001:db8::1]:443/cb/"),
            (
                "https://sso.Example.org:8443/cb",
                "https://sso.example.org:8443/cb/",
            ),
            ("http://+:8400/cb", "http://+:8400/cb/"),
            ("http://bücher.example/", "http://xn--bcher-kva.example:80/"),
        ] {
            assert_eq!(Prefix::of(url).unwrap().to_string(), prefix, "{url}");
        }
    }

    #[test]
    fn what_is_no_redirect_url_is_told() {
        for (url, error) in [
            ("", "not complete"),
            ("localhost:8400/", "begins with http"),
            ("http://", "not complete"),
            ("http://local host/", "a space"),
            ("http://localhost:99999/", "not complete"),
            ("ftp://localhost/", "begins with http"),
            ("http://me@localhost/", "no user name"),
            ("http://localhost/#x", "no user name"),
            ("http://*:80/", "A *"),
        ] {
            let told = Prefix::of(url).unwrap_err().to_string();
            assert!(told.contains(error), "{url}: {told}");
        }
        for (url, error) in [
            ("http://localhost:0/", PlanError::AnyPort),
            ("http://localhost/a%20b", PlanError::Escaped),
            ("http://localhost/ü", PlanError::Escaped),
        ] {
            assert_eq!(Plan::new(Prefix::of(url).unwrap(), "me", None), Err(error));
        }
    }

    #[test]
    fn below_the_temporary_addresses_nothing_is_needed() {
        for (url, free) in [
            (WITHOUT_SET_UP, true),
            ("http://127.0.0.1/temporary_listen_addresses/x", true),
            ("http://localhost:80/Temporary_Listen_Addresses", true),
            ("http://localhost:8080/Temporary_Listen_Addresses/x", false),
            ("https://localhost:80/Temporary_Listen_Addresses/x", false),
            ("http://localhost/Temporary_Listen_AddressesX/", false),
            ("http://localhost/x/Temporary_Listen_Addresses/", false),
        ] {
            assert_eq!(Prefix::of(url).unwrap().needs_no_set_up(), free, "{url}");
            if free {
                assert!(plan(url, "me").commands(Work::SetUp).unwrap().is_empty());
            }
        }
        assert!(TEMPORARY.starts_with("http://+:80/"));
    }

    #[test]
    fn commands_are_exact() {
        let urlacl = |verb: &str, rest: &str| format!("netsh http {verb} urlacl {rest}");
        for (url, user, argument) in [
            (
                "http://localhost:8400/callback",
                "DOMAIN\\name",
                "url=http://localhost:8400/callback/ user=DOMAIN\\name",
            ),
            (
                "http://localhost",
                "DOMAIN\\Jürgen Groß",
                "url=http://localhost:80/ \"user=DOMAIN\\Jürgen Groß\"",
            ),
            (
                "http://127.0.0.1:8400/x",
                "NT AUTHORITY\\NETWORK SERVICE",
                "url=http://127.0.0.1:8400/x/ \"user=NT AUTHORITY\\NETWORK SERVICE\"",
            ),
            (
                "http://[::1]:9/x",
                "DOMAIN\\svc$",
                "\"url=http://[::1]:9/x/\" \"user=DOMAIN\\svc$\"",
            ),
            (
                "http://+:8400/",
                "S-1-5-20",
                "url=http://+:8400/ \"sddl=D:(A;;GX;;;S-1-5-20)\"",
            ),
            (
                "http://sso.example.org/cb",
                "王",
                "url=http://sso.example.org:80/cb/ \"user=王\"",
            ),
        ] {
            let plan = plan(url, user);
            assert_eq!(
                plan.commands(Work::SetUp).unwrap(),
                [urlacl("add", argument)]
            );
            let place = argument.split(' ').next().unwrap();
            assert_eq!(
                plan.commands(Work::Verify).unwrap(),
                [urlacl("show", place)]
            );
            assert_eq!(
                plan.commands(Work::Delete).unwrap(),
                [urlacl("delete", place)]
            );
        }
        for (url, endpoints) in [
            (
                "https://localhost:8443/cb",
                &["hostnameport=localhost:8443"][..],
            ),
            (
                "https://sso.example.org/cb",
                &["hostnameport=sso.example.org:443"],
            ),
            ("https://127.0.0.1:8443/cb", &["ipport=127.0.0.1:8443"]),
            ("https://[::1]/cb", &["\"ipport=[::1]:443\""]),
            (
                "https://+/cb",
                &["ipport=0.0.0.0:443", "\"ipport=[::]:443\""],
            ),
        ] {
            let plan = plan(url, "me");
            let rest = |verb: &str, more: &str| -> Vec<String> {
                endpoints
                    .iter()
                    .map(|endpoint| format!("netsh http {verb} sslcert {endpoint}{more}"))
                    .collect()
            };
            let more = format!(" certhash={HASH} \"appid={APP}\" certstorename=MY");
            assert_eq!(plan.commands(Work::SetUp).unwrap()[1..], rest("add", &more));
            assert_eq!(plan.commands(Work::Verify).unwrap()[1..], rest("show", ""));
            assert_eq!(
                plan.commands(Work::Delete).unwrap()[1..],
                rest("delete", "")
            );
        }
    }

    #[test]
    fn structures_are_exact() {
        let plain = plan("http://localhost:8400/callback", "me");
        assert_eq!(
            plain.reservation("s-1-5-21-1-2-3-1001"),
            UrlAcl {
                prefix: "http://localhost:8400/callback/".to_owned(),
                sddl: "D:(A;;GX;;;S-1-5-21-1-2-3-1001)".to_owned(),
            }
        );
        assert_eq!(plain.bindings(), Ok(Vec::new()));
        let hash: [u8; 20] = [
            0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
            0xff, 0, 0x11, 0x22, 0x33,
        ];
        let binding = |endpoint| SslBinding {
            endpoint,
            hash,
            app_id: 0x6f2b_1c0e_93d4_4a57_8e1f_5d0c_7a42_b9e6,
            store: "MY",
        };
        let address = |text: &str| binding(Endpoint::Address(text.parse().unwrap()));
        let name = |host: &str, port| {
            binding(Endpoint::Name {
                host: host.to_owned(),
                port,
            })
        };
        for (url, bindings) in [
            ("https://localhost:8443/cb", vec![name("localhost", 8443)]),
            (
                "https://sso.example.org",
                vec![name("sso.example.org", 443)],
            ),
            ("https://127.0.0.1:8443/", vec![address("127.0.0.1:8443")]),
            ("https://[::1]:8443/", vec![address("[::1]:8443")]),
            (
                "https://+:1/",
                vec![address("0.0.0.0:1"), address("[::]:1")],
            ),
        ] {
            assert_eq!(plan(url, "me").bindings(), Ok(bindings), "{url}");
        }
        assert_eq!(guid(APP_ID), APP);
    }

    #[test]
    fn what_is_missing_or_unsafe_is_told() {
        let https = Plan::new(Prefix::of("https://localhost/").unwrap(), "me", None).unwrap();
        assert_eq!(https.commands(Work::SetUp), Err(PlanError::NoThumbprint));
        assert_eq!(https.bindings(), Err(PlanError::NoThumbprint));
        assert!(https.commands(Work::Delete).is_ok());
        assert_eq!(
            plan("http://localhost/", " ").commands(Work::SetUp),
            Err(PlanError::NoUser)
        );
        for user in ["a\"b", "100%", "a\nb", "a`b", "$x y"] {
            assert!(matches!(
                plan("http://localhost/", user).commands(Work::SetUp),
                Err(PlanError::Quote(_))
            ));
        }
    }

    #[test]
    fn thumbprints_come_in_several_spellings() {
        let want: Thumbprint = HASH.parse().unwrap();
        let spaced = "\u{200e}00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33";
        assert_eq!(spaced.parse(), Ok(want));
        assert_eq!(spaced.replace(' ', ":").parse(), Ok(want));
        assert_eq!("00".parse::<Thumbprint>(), Err(PlanError::Thumbprint(2)));
        assert_eq!(
            format!("{HASH}0").parse::<Thumbprint>(),
            Err(PlanError::Thumbprint(41))
        );
        assert_eq!("xyz".parse::<Thumbprint>(), Err(PlanError::NotHex));
        assert_eq!(want.to_string(), HASH);
    }
}
