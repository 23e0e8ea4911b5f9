//! What an HTTP proxy responds to a CONNECT request: a status, or another protocol.

use tokio::io::{AsyncRead, AsyncReadExt};

/// Maximum size of the proxy's response, in bytes. The rest is not read.
const ANSWER_LIMIT: u64 = 4096;

pub(super) const OTHER_SCHEME: &str = "This program signs in to a proxy only with a user name and a password (Basic). Ask the proxy's administrator to \
    allow that, set a local proxy that signs in to this one, or add the host to NO_PROXY if it can be reached directly.";
pub(super) const SSH: &str = "Check the port in that setting. To use an SSH connection as a proxy, start ssh with -D PORT, and write \
    socks5h://127.0.0.1:PORT in that setting.";
pub(super) const SOCKS: &str =
    "Write socks5h:// instead of http:// in that setting, or check its port.";
pub(super) const NOT_PLAIN: &str =
    "Write https:// instead of http:// in that setting, or check its port.";
pub(super) const NO_HTTP: &str = "Check the port in that setting. For a SOCKS proxy, write socks5h:// instead of http://. For a \
    proxy that uses TLS, write https://.";

/// The schemes of `Proxy-Authenticate` that require more than a user name and a password in the setting.
const OTHER_SCHEMES: [&str; 4] = ["Negotiate", "NTLM", "Kerberos", "Digest"];

/// What a proxy sent in response to a CONNECT request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// A response with this status.
    Status(u16),
    /// It requires authentication with one of these schemes, which this program doesn't support.
    Requires(String),
    /// It uses another protocol: what it is, as part of a sentence, and the fix.
    Other(&'static str, &'static str),
    /// Not asked: this is not an HTTP proxy.
    Nothing,
}

impl Said {
    /// Reads the response until its status is known, and its headers if they name the authentication schemes.
    pub(super) async fn read(stream: impl AsyncRead + Unpin) -> std::io::Result<Self> {
        let mut answer = Vec::new();
        let mut limited = stream.take(ANSWER_LIMIT);
        let mut status = None;
        while limited.read_buf(&mut answer).await? > 0 {
            let mut headers = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut headers);
            let parsed = response.parse(&answer);
            status = response.code.or(status);
            let is_whole = parsed.is_ok_and(|parsed| parsed.is_complete());
            if status == Some(407)
                && is_whole
                && let Some(schemes) = other_schemes(response.headers)
            {
                return Ok(Self::Requires(schemes));
            }
            if is_whole || parsed.is_err() || status.is_some_and(|status| status != 407) {
                break;
            }
        }
        Ok(status.map_or_else(|| other_protocol(&answer), Self::Status))
    }
}

/// Recognizes the protocol of a server that doesn't respond in HTTP by the first bytes that it sends.
fn other_protocol(answer: &[u8]) -> Said {
    let (words, hint) = match answer {
        [] => ("it closed the connection without a response", NO_HTTP),
        [b'S', b'S', b'H', b'-', ..] => ("it is an SSH server", SSH),
        // A response of SOCKS 5 or 4.
        [5 | 0, ..] => ("it is a SOCKS proxy", SOCKS),
        // An alert of TLS.
        [0x15, 3, ..] => ("it uses TLS", NOT_PLAIN),
        _ => ("its response is not HTTP", NO_HTTP),
    };
    Said::Other(words, hint)
}

/// Returns the authentication schemes that the proxy accepts, if this program supports none of them.
fn other_schemes(headers: &[httparse::Header<'_>]) -> Option<String> {
    let challenges = headers
        .iter()
        .filter(|header| header.name.eq_ignore_ascii_case("proxy-authenticate"));
    let values: Vec<String> = challenges
        .map(|header| String::from_utf8_lossy(header.value).to_ascii_lowercase())
        .collect();
    let offers = |scheme: &str| {
        values.iter().any(|value| {
            let mut words = value.split([',', ' ']);
            words.any(|word| word == scheme.to_ascii_lowercase())
        })
    };
    let found: Vec<&str> = OTHER_SCHEMES
        .into_iter()
        .filter(|scheme| offers(scheme))
        .collect();
    (!found.is_empty() && !offers("basic")).then(|| found.join(" or "))
}
