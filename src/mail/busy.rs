//! Recognizes a reply that only asks the client to come back later. Servers say so in words more often than with a code.

/// Words of such a reply, in lowercase.
const WORDS: [&str; 20] = [
    "throttl",
    "backoff",
    "back off",
    "rate limit",
    "ratelimit",
    "limit exceeded",
    "limits exceeded",
    "exceeded command or bandwidth limits",
    "number of connections",
    "connection limit",
    "concurrent connections",
    "simultaneous connections",
    "try again later",
    "try later",
    "temporary failure",
    "temporarily unavailable",
    "server unavailable",
    "service unavailable",
    "service not available",
    "overloaded",
];

/// Returns whether the words of a reply say that the server can't do this now, such as `Request is throttled`.
pub(super) fn is_busy(reply: &str) -> bool {
    let reply = reply.to_lowercase();
    let is_word = |word: &str| {
        let mut words = reply.split(|ch: char| !ch.is_alphanumeric());
        words.any(|one| one == word)
    };
    // Syntax errors are about too many arguments.
    let too_many = reply.split_once("too many").is_some_and(|(_, what)| {
        !["argument", "parameter", "character", "word"]
            .iter()
            .any(|part| what.contains(part))
    });
    // Another program has the mailbox open (RFC 1939, section 4).
    let locked = ["maildrop", "mailbox", "mail drop"].iter().any(|what| {
        let lock = ["already locked", "locked by another", " lock "];
        reply.contains(what) && lock.iter().any(|part| reply.contains(part))
    });
    too_many || locked || is_word("busy") || WORDS.iter().any(|words| reply.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_server_is_recognized_by_its_words() {
        for reply in [
            "432 4.3.2 Concurrent connections limit exceeded. Visit https://aka.ms/concurrent_sending",
            "BAD Request is throttled. Suggested Backoff Time: 299000 milliseconds",
            "NO Server Unavailable. 15",
            "NO [ALERT] Too many simultaneous connections. (Failure)",
            "NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)",
            "NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=16)",
            "NO Too many login attempts",
            "-ERR The mailbox is busy",
            "-ERR maildrop already locked",
            "-ERR unable to lock maildrop",
            "-ERR [SYS/TEMP] Temporary failure, please try again later",
            "BYE Rate limit hit.",
            "454 4.7.0 Too many login attempts, please try again later.",
            "NO Service temporarily unavailable",
        ] {
            assert!(is_busy(reply), "{reply}");
        }
        for reply in [
            "",
            "NO AUTHENTICATE failed.",
            "NO [ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page",
            "NO [AUTHENTICATIONFAILED] Invalid credentials, try again (Failure)",
            "BAD Too many arguments",
            "550 5.1.0 mailbox unavailable",
            "NO [OVERQUOTA] Mailbox is over quota",
            "NO business account required",
            "-ERR your account is locked",
            "-ERR mailbox is blocked by the administrator",
            "535 5.7.3 Authentication unsuccessful",
        ] {
            assert!(!is_busy(reply), "{reply}");
        }
    }
}
