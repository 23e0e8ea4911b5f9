//! Plans what HTTP.sys requires for a redirect URL: the commands, and the structures for its API. Changes nothing.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::account_name::full_name;
use crate::certificate::store_path::STORE;
use crate::certificate::thumbprint::{Thumbprint, ThumbprintError};
use crate::httpsys::prefix::{Endpoint, Prefix, PrefixError, SslBinding, UrlAcl};
use crate::quote::{self, QuoteError};

/// The URL prefix that every Windows machine reserves for all users.
pub const TEMPORARY: &str = "http://+:80/Temporary_Listen_Addresses/";

/// The suggested redirect URL below [`TEMPORARY`], which needs no setup.
pub const WITHOUT_SET_UP: &str = "http://localhost/Temporary_Listen_Addresses/oauth-authorizer/";

/// The application ID of this program's bindings. It must never change.
pub const APP_ID: u128 = 0x6f2b_1c0e_93d4_4a57_8e1f_5d0c_7a42_b9e6;

/// An action of the listener's setup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SetUpAction {
    /// Write what the listener needs.
    SetUp,
    /// Check whether everything is correct, without changing anything.
    Verify,
    /// Remove what the setup has written.
    Delete,
}

impl SetUpAction {
    /// All actions, in the order of the buttons.
    pub const ALL: [Self; 3] = [Self::SetUp, Self::Verify, Self::Delete];

    /// Returns the name on the button.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SetUp => "Set up",
            Self::Verify => "Verify",
            Self::Delete => "Delete",
        }
    }

    /// Returns the name of the subcommand.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SetUp => "setup",
            Self::Verify => "verify",
            Self::Delete => "delete",
        }
    }
}

/// Why a setup can't be planned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The redirect URL contains no prefix to listen on.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
    /// The port is 0.
    #[error(
        "HTTP.sys requires a fixed port, but port 0 picks any free port. Enter a port in Redirect URL."
    )]
    AnyPort,
    /// The path contains an escaped character.
    #[error(
        "HTTP.sys requires a path without escaped characters (%). Use letters, digits, - and _ in Redirect URL."
    )]
    Escaped,
    /// No certificate was chosen.
    #[error("https requires a certificate of this machine. Enter its thumbprint.")]
    NoThumbprint,
    /// The thumbprint is invalid.
    #[error(transparent)]
    Thumbprint(#[from] ThumbprintError),
    /// There is no user to reserve the URL for.
    #[error("The URL reservation requires a user. Enter one, such as DOMAIN\\name.")]
    NoUser,
    /// A value can't be quoted for a command.
    #[error(transparent)]
    Quote(#[from] QuoteError),
}

impl PlanError {
    /// Returns why there is nothing to set up, if a sign-in uses the loopback listener for such a URL.
    #[must_use]
    pub fn nothing_to_set_up(&self) -> Option<&'static str> {
        match self {
            Self::AnyPort => Some(
                "Nothing to set up: port 0 picks a free port at each sign-in, which can't be reserved. If Windows doesn't \
                 allow HTTP.sys to use it, the program uses its own listener.",
            ),
            Self::Escaped => Some(
                "Nothing to set up: HTTP.sys doesn't accept escaped characters (%) in a path, so the program uses its own \
                 listener.",
            ),
            _ => None,
        }
    }
}

/// Returns whether the text is a security identifier, such as S-1-5-20.
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

/// The English names of built-in accounts that such programs run as, or that URLs are reserved for. Windows in other
/// languages uses other names.
const BUILT_IN: [(&str, &str); 8] = [
    ("NT AUTHORITY\\SYSTEM", "S-1-5-18"),
    ("NT AUTHORITY\\LOCAL SERVICE", "S-1-5-19"),
    ("NT AUTHORITY\\NETWORK SERVICE", "S-1-5-20"),
    ("NT AUTHORITY\\INTERACTIVE", "S-1-5-4"),
    ("NT AUTHORITY\\Authenticated Users", "S-1-5-11"),
    ("BUILTIN\\Administrators", "S-1-5-32-544"),
    ("BUILTIN\\Users", "S-1-5-32-545"),
    ("Everyone", "S-1-1-0"),
];

/// Returns the security identifier that was entered as the user, or that of a built-in account; `None` for a name that
/// only Windows can look up.
#[must_use]
pub fn sid_of(user: &str) -> Option<String> {
    if is_sid(user) {
        return Some(user.to_ascii_uppercase());
    }
    let known = BUILT_IN
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(user));
    known.map(|(_, sid)| (*sid).to_owned())
}

/// Returns the SDDL descriptor that allows one account to listen. Netsh calls this right "listen".
#[must_use]
pub fn sddl(sid: &str) -> String {
    format!("D:(A;;GX;;;{})", sid.to_ascii_uppercase())
}

/// A planned setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The URL prefix to register.
    pub prefix: Prefix,
    /// The account that may listen: a name, or a security identifier. May be empty as long as none is required.
    pub user: String,
    /// The certificate, for https.
    pub thumbprint: Option<Thumbprint>,
}

impl Plan {
    /// Creates a plan.
    ///
    /// # Errors
    /// Returns an error if HTTP.sys can't register such a URL.
    pub fn new(
        prefix: Prefix,
        user: &str,
        thumbprint: Option<Thumbprint>,
    ) -> Result<Self, PlanError> {
        if prefix.port == 0 {
            return Err(PlanError::AnyPort);
        }
        if prefix.is_escaped() {
            return Err(PlanError::Escaped);
        }
        Ok(Self {
            thumbprint: thumbprint.filter(|_| prefix.secure),
            prefix,
            user: full_name(user.trim()),
        })
    }

    /// Returns the endpoints to bind the certificate to: the host name that browsers send, or the address; for all
    /// names, all addresses of both families. None for http.
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

    /// Returns the reservation for the account with this security identifier.
    #[must_use]
    pub fn reservation(&self, sid: &str) -> UrlAcl {
        UrlAcl {
            prefix: self.prefix.to_string(),
            sddl: sddl(sid),
        }
    }

    /// Returns the bindings of the certificate; none for http.
    ///
    /// # Errors
    /// Returns an error if no certificate was chosen.
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

    /// Returns the equivalent netsh commands, to be run as administrator; none if Windows already reserves the URL.
    ///
    /// # Errors
    /// Returns an error if a value is missing, or can't be quoted safely.
    pub fn commands(&self, action: SetUpAction) -> Result<Vec<String>, PlanError> {
        let verb = match action {
            SetUpAction::SetUp => "add",
            SetUpAction::Verify => "show",
            SetUpAction::Delete => "delete",
        };
        if self.prefix.needs_no_set_up() {
            return Ok(Vec::new());
        }
        let mut urlacl = netsh(verb, "urlacl");
        urlacl.push(format!("url={}", self.prefix));
        let mut commands = Vec::new();
        if action == SetUpAction::SetUp {
            urlacl.push(match (self.user.as_str(), sid_of(&self.user)) {
                ("", _) => return Err(PlanError::NoUser),
                (_, Some(sid)) => format!("sddl={}", sddl(&sid)),
                (name, None) => format!("user={name}"),
            });
        }
        commands.push(quote::windows_line(&urlacl)?);
        for endpoint in self.endpoints() {
            let mut sslcert = netsh(verb, "sslcert");
            sslcert.push(endpoint.to_string());
            if action == SetUpAction::SetUp {
                let thumbprint = self.thumbprint.ok_or(PlanError::NoThumbprint)?;
                sslcert.push(format!("certhash={thumbprint}"));
                sslcert.push(format!("appid={}", guid(APP_ID)));
                sslcert.push(format!("certstorename={STORE}"));
            }
            commands.push(quote::windows_line(&sslcert)?);
        }
        Ok(commands)
    }
}

/// Returns the command that deletes a certificate binding.
///
/// # Errors
/// Returns an error if a value can't be quoted safely.
pub fn deletion(endpoint: &Endpoint) -> Result<String, QuoteError> {
    let mut command = netsh("delete", "sslcert");
    command.push(endpoint.to_string());
    quote::windows_line(&command)
}

/// Returns the command that creates a self-signed certificate for a host in the machine's store, and prints its
/// thumbprint. The certificate is valid for a year.
///
/// # Errors
/// Returns an error if a value can't be quoted safely.
pub fn certificate_command(prefix: &Prefix) -> Result<String, QuoteError> {
    let names = match prefix.address() {
        // -DnsName doesn't accept an address.
        Some(ip) => {
            format!("-Subject 'CN={ip}' -TextExtension @('2.5.29.17={{text}}IPAddress={ip}')")
        }
        None if prefix.host == "+" => "-DnsName localhost".to_owned(),
        // PowerShell parses the argument as code, and a host may contain brackets, commas and quotation marks.
        None => match prefix.host.chars().find(|&ch| !is_plain(ch)) {
            Some(ch) => return Err(QuoteError::Character(ch)),
            // PowerShell would parse the host as a parameter.
            None if prefix.host.starts_with('-') => return Err(QuoteError::Character('-')),
            None => format!("-DnsName {}", prefix.host),
        },
    };
    let create = format!(
        "(New-SelfSignedCertificate {names} -CertStoreLocation Cert:\\LocalMachine\\{STORE}).Thumbprint"
    );
    quote::windows_line(&["powershell".to_owned(), create])
}

/// Returns whether a character occurs in ASCII host names.
fn is_plain(ch: char) -> bool {
    ch.is_ascii_alphanumeric() || matches!(ch, '.' | '-')
}

fn netsh(verb: &str, object: &str) -> Vec<String> {
    ["netsh", "http", verb, object].map(str::to_owned).to_vec()
}

/// Formats a GUID as Windows does.
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
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    const HASH: &str = "00112233445566778899aabbccddeeff00112233";
    const APP: &str = "{6f2b1c0e-93d4-4a57-8e1f-5d0c7a42b9e6}";

    fn plan(url: &str, user: &str) -> Plan {
        Plan::new(Prefix::of(url).unwrap(), user, HASH.parse().ok()).unwrap()
    }

    #[test]
    fn urls_that_cannot_be_set_up_are_errors() {
        for (url, error) in [
            ("http://localhost:0/", PlanError::AnyPort),
            ("http://localhost/a%20b", PlanError::Escaped),
            ("http://localhost/ü", PlanError::Escaped),
        ] {
            assert!(error.nothing_to_set_up().is_some());
            assert_eq!(Plan::new(Prefix::of(url).unwrap(), "me", None), Err(error));
        }
        assert!(PlanError::NoUser.nothing_to_set_up().is_none());
    }

    #[test]
    fn temporary_listen_addresses_need_no_commands() {
        for url in [
            WITHOUT_SET_UP,
            "http://127.0.0.1/temporary_listen_addresses/x",
            "http://localhost:80/Temporary_Listen_Addresses",
        ] {
            assert!(
                plan(url, "me")
                    .commands(SetUpAction::SetUp)
                    .unwrap()
                    .is_empty()
            );
        }
        assert!(Prefix::of(TEMPORARY).unwrap().needs_no_set_up());
    }

    #[test]
    fn netsh_commands_are_exact() {
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
                // Not the name, which depends on the language of Windows.
                "NT AUTHORITY\\NETWORK SERVICE",
                "url=http://127.0.0.1:8400/x/ \"sddl=D:(A;;GX;;;S-1-5-20)\"",
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
                plan.commands(SetUpAction::SetUp).unwrap(),
                [urlacl("add", argument)]
            );
            let place = argument.split(' ').next().unwrap();
            assert_eq!(
                plan.commands(SetUpAction::Verify).unwrap(),
                [urlacl("show", place)]
            );
            assert_eq!(
                plan.commands(SetUpAction::Delete).unwrap(),
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
            assert_eq!(
                plan.commands(SetUpAction::SetUp).unwrap()[1..],
                rest("add", &more)
            );
            assert_eq!(
                plan.commands(SetUpAction::Verify).unwrap()[1..],
                rest("show", "")
            );
            assert_eq!(
                plan.commands(SetUpAction::Delete).unwrap()[1..],
                rest("delete", "")
            );
        }
    }

    #[test]
    fn certificate_command_names_the_host() {
        for (url, names) in [
            ("https://localhost:8443/", "-DnsName localhost"),
            ("https://+:8443/", "-DnsName localhost"),
            ("https://sso.example.org/", "-DnsName sso.example.org"),
            (
                "https://127.0.0.1:8443/",
                "-Subject 'CN=127.0.0.1' -TextExtension @('2.5.29.17={text}IPAddress=127.0.0.1')",
            ),
            (
                "https://[::1]:8443/",
                "-Subject 'CN=::1' -TextExtension @('2.5.29.17={text}IPAddress=::1')",
            ),
        ] {
            assert_eq!(
                certificate_command(&Prefix::of(url).unwrap()).unwrap(),
                format!(
                    "powershell \"(New-SelfSignedCertificate {names} -CertStoreLocation Cert:\\LocalMachine\\MY).Thumbprint\""
                ),
                "{url}"
            );
        }
    }

    #[test]
    fn unsafe_hosts_are_kept_out_of_powershell_commands() {
        for host in [
            "x);calc;(y",
            "x,y",
            "x'y",
            "x&y",
            "{x}",
            "x_y",
            "x$y",
            "-whatif",
        ] {
            let prefix = Prefix {
                host: host.to_owned(),
                ..Prefix::of("https://localhost:8443/").unwrap()
            };
            assert!(certificate_command(&prefix).is_err(), "{host}");
        }
    }

    #[test]
    fn built_in_accounts_map_to_sids() {
        for (user, sid) in [
            ("nt authority\\network service", Some("S-1-5-20")),
            ("BUILTIN\\USERS", Some("S-1-5-32-545")),
            ("everyone", Some("S-1-1-0")),
            ("s-1-5-21-1-2-3-1001", Some("S-1-5-21-1-2-3-1001")),
            ("CONTOSO\\everyone", None),
            ("", None),
        ] {
            assert_eq!(sid_of(user).as_deref(), sid, "{user}");
        }
    }

    #[test]
    fn reservation_and_bindings_are_exact() {
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
    fn missing_or_unsafe_input_is_an_error() {
        let https = Plan::new(Prefix::of("https://localhost/").unwrap(), "me", None).unwrap();
        assert_eq!(
            https.commands(SetUpAction::SetUp),
            Err(PlanError::NoThumbprint)
        );
        assert_eq!(https.bindings(), Err(PlanError::NoThumbprint));
        assert!(https.commands(SetUpAction::Delete).is_ok());
        assert_eq!(
            plan("http://localhost/", " ").commands(SetUpAction::SetUp),
            Err(PlanError::NoUser)
        );
        for user in ["a\"b", "100%", "a\nb", "a`b", "$x y"] {
            assert!(matches!(
                plan("http://localhost/", user).commands(SetUpAction::SetUp),
                Err(PlanError::Quote(_))
            ));
        }
    }
}
