//! The endpoints for existing tokens: revocation (RFC 7009), introspection (RFC 7662), and the user info of OpenID Connect
//! Core, section 5.3.

use serde::Deserialize;

/// A request to the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// RFC 7009.
    Revocation,
    /// RFC 7662.
    Introspection,
    /// OpenID Connect Core, section 5.3.
    UserInfo,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Revocation, Self::Introspection, Self::UserInfo];

    /// The name of its endpoint.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::Revocation => "revocation",
            Self::Introspection => "introspection",
            Self::UserInfo => "userinfo",
        }
    }

    /// The name of its request, in a sentence.
    pub(super) fn request(self) -> &'static str {
        match self {
            Self::Revocation => "the revocation",
            Self::Introspection => "the introspection",
            Self::UserInfo => "the userinfo request",
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
    /// In a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Access => "access token",
            Self::Refresh => "refresh token",
        }
    }

    /// In a flag or in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }

    /// The value of `token_type_hint` (RFC 7009, section 2.1).
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Access => "access_token",
            Self::Refresh => "refresh_token",
        }
    }
}

/// True for a text that may be a token, so that no message repeats it: a long word of letters and digits that isn't a URL,
/// address or path.
#[must_use]
pub fn looks_like_token(text: &str) -> bool {
    let mixed = text.contains(|ch: char| ch.is_ascii_digit())
        && text.contains(|ch: char| ch.is_ascii_alphabetic());
    let other = text.contains(char::is_whitespace)
        || text.contains("://")
        || text.contains('@')
        || text.starts_with(['/', '.', '~', '\\', '-'])
        || text.contains('\\');
    text.starts_with("eyJ") || (text.len() >= 20 && mixed && !other)
}

/// How an endpoint differs from its RFC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolDialect {
    /// Another name of the parameter `token`.
    pub parameter: Option<String>,
    /// The token itself authorizes the request, in the `Authorization` header. The client isn't named.
    pub bearer: bool,
    /// The HTTP method, if it differs from the standard.
    pub method: Option<Method>,
    /// The only tokens that it accepts; empty: all.
    pub tokens: Vec<TokenKind>,
    /// Why this program doesn't use the endpoint, as the end of a sentence about it.
    pub unsupported: Option<String>,
}

/// The differences of all three endpoints.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ToolDialects {
    /// RFC 7009.
    pub revocation: ToolDialect,
    /// RFC 7662.
    pub introspection: ToolDialect,
    /// OpenID Connect Core, section 5.3.
    pub userinfo: ToolDialect,
}

impl ToolDialects {
    /// That of one endpoint.
    #[must_use]
    pub fn of(&self, tool: Tool) -> &ToolDialect {
        match tool {
            Tool::Revocation => &self.revocation,
            Tool::Introspection => &self.introspection,
            Tool::UserInfo => &self.userinfo,
        }
    }
}

/// How a request is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// With a form.
    #[default]
    Post,
    /// Posted without a body; some APIs reject the type of a form there.
    #[serde(skip)]
    Bare,
    /// With a JSON object.
    #[serde(skip)]
    Json,
    /// Without a body.
    Get,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_names_and_paths() {
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
        ] {
            assert_eq!(looks_like_token(text), is_one, "{text}");
        }
    }

    #[test]
    fn endpoints_and_tokens_have_the_names_of_their_rfcs() {
        assert_eq!(
            Tool::ALL.map(Tool::endpoint),
            ["revocation", "introspection", "userinfo"]
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
