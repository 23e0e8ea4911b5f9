//! The endpoints for existing tokens: revocation (RFC 7009), introspection (RFC 7662) and userinfo (OpenID Connect
//! Core, section 5.3).

use serde::Deserialize;

/// A kind of request about an existing token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Revokes the token (RFC 7009).
    Revocation,
    /// Asks for the state of the token (RFC 7662).
    Introspection,
    /// Asks for the claims about the user (OpenID Connect Core, section 5.3).
    UserInfo,
}

impl Tool {
    /// All kinds of requests.
    pub const ALL: [Self; 3] = [Self::Revocation, Self::Introspection, Self::UserInfo];

    /// Returns the name of the endpoint.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::UserInfo => "user info",
        }
    }

    /// Returns the name of the request, for a sentence.
    pub(super) fn request(self) -> &'static str {
        match self {
            Self::Revocation => "the revocation",
            Self::Introspection => "the introspection",
            Self::UserInfo => "the user info request",
        }
    }
}

/// The token that a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// The access token.
    Access,
    /// The refresh token.
    Refresh,
}

impl TokenKind {
    /// Returns the name for a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
        }
    }

    /// Returns the word in flags and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// Returns the value of `token_type_hint` (RFC 7009, section 2.1).
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

/// Returns whether the text may be a token, so that no message may repeat it: a long word of letters and digits that
/// isn't a URL, address or path, and doesn't consist of ordinary words.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    let mixed = text.contains(|ch: char| ch.is_ascii_digit())
        && text.contains(|ch: char| ch.is_ascii_alphabetic());
    let other = text.contains(char::is_whitespace)
        || text.contains("://")
        || text.contains('@')
        || text.starts_with(['/', '.', '~', '\\', '-'])
        || text.contains('\\')
        || text.split(['-', '_', '.', ':', '+']).all(is_word);
    text.starts_with("eyJ") || (text.len() >= 20 && mixed && !other)
}

/// Returns whether this part of a text is an ordinary word, a number of at most four digits, or a word with such a number.
fn is_word(part: &str) -> bool {
    let letters = part.trim_end_matches(|ch: char| ch.is_ascii_digit());
    let rest = letters.trim_start_matches(|ch: char| ch.is_ascii_uppercase());
    let capitals = letters.len() - rest.len();
    let one_case =
        rest.is_empty() || (capitals <= 1 && rest.bytes().all(|it| it.is_ascii_lowercase()));
    let is_spoken = letters.len() <= 4 || letters.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    part.len() - letters.len() <= 4 && letters.len() <= 16 && one_case && is_spoken
}

/// The ways in which an endpoint differs from its RFC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolDialect {
    /// Another name for the parameter `token`.
    pub parameter: Option<String>,
    /// Whether the token itself authorizes the request, in the `Authorization` header. The client isn't named then.
    pub bearer: bool,
    /// The HTTP method, if it differs from the standard.
    pub method: Option<Method>,
    /// The only kinds of tokens that the endpoint accepts; empty for all.
    pub tokens: Vec<TokenKind>,
    /// Why this program doesn't use the endpoint, as the end of a sentence.
    pub unsupported: Option<String>,
}

/// The differences of all three endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolDialects {
    /// The revocation endpoint (RFC 7009).
    pub revocation: ToolDialect,
    /// The introspection endpoint (RFC 7662).
    pub introspection: ToolDialect,
    /// The userinfo endpoint (OpenID Connect Core, section 5.3).
    pub userinfo: ToolDialect,
}

impl ToolDialects {
    /// Returns the differences of one endpoint.
    #[must_use]
    pub fn of(&self, tool: Tool) -> &ToolDialect {
        match tool {
            Tool::Revocation => &self.revocation,
            Tool::Introspection => &self.introspection,
            Tool::UserInfo => &self.userinfo,
        }
    }
}

/// The HTTP method of a request and the kind of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// POST with a form.
    #[default]
    Post,
    /// POST without a body; some APIs reject the content type of a form.
    #[serde(skip)]
    Bare,
    /// POST with a JSON object.
    #[serde(skip)]
    Json,
    /// GET without a body.
    Get,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_distinguished_from_names_and_paths() {
        for (text, is_one) in [
            ("eyJhbGci", true),
            ("gho_16C7e42F292c6912E7710c838347Ae178B4a", true),
            ("1//0gFakeRefreshToken-With9Digits", true),
            ("office", false),
            ("a-profile-with-a-long-name-of-words", false),
            ("alice.longer.name2@contoso.example", false),
            ("https://as.example/1234567890/abc", false),
            ("/home/alice/profiles/office2026.age", false),
            ("--a-flag-of-some-length-2", false),
            ("office365-support-mailbox", false),
            ("support-mailbox-2024", false),
            ("Contoso_Helpdesk_Mail_01", false),
            ("imap.example.org:993:TLS", false),
            ("smtp.office365.com:587:none", false),
            ("550e8400-e29b-41d4-a716-446655440000", true),
            ("ya29-a0AfH6SMBx-support-mailbox", true),
            ("support-mailbox-1234567890", true),
            ("xoxb-1234-5678-AbCdEfGhIj", true),
            ("glpat-qwrtpsdfghjklzxcvbnm12", true),
            ("abcdefghijklmnopqrstuvwxyz0", true),
        ] {
            assert_eq!(looks_like_token(text), is_one, "{text}");
        }
    }

    #[test]
    fn endpoints_and_tokens_are_named_as_in_their_rfcs() {
        assert_eq!(
            Tool::ALL.map(Tool::endpoint),
            ["revocation", "introspection", "user info"]
        );
        let names = |kind: TokenKind| (kind.name(), kind.word(), kind.hint());
        assert_eq!(
            names(TokenKind::Access),
            ("access token", "access", "access_token")
        );
        assert_eq!(
            names(TokenKind::Refresh),
            ("refresh token", "refresh", "refresh_token")
        );
    }
}
