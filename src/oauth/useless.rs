//! Successful responses without a usable access token.

/// Why a successful response contains no usable access token, although the code or token that was sent is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Useless {
    /// The response contains an ID token but no access token.
    IdTokenOnly,
    /// The access token contains whitespace, which no bearer token does (RFC 6750, section 2.1).
    WhiteSpace,
    /// The token type is empty (RFC 6749, section 5.1).
    NoType,
    /// A token contains characters that no token contains.
    Characters,
}

impl Useless {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::IdTokenOnly => "it contains an ID token but no access token",
            Self::WhiteSpace => {
                "its access token contains whitespace, which isn't allowed in a bearer token"
            }
            Self::Characters => "a token in it contains control characters or is damaged",
            Self::NoType => "its token_type is empty, so its access token can't be used",
        }
    }

    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::IdTokenOnly => {
                "Add a scope of the API that you call to Scope. Some services issue an access token only for such a scope."
            }
            Self::WhiteSpace | Self::NoType | Self::Characters => {
                "This is an error of the service. Report it to the service's administrator."
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_useless_response_has_a_reason_and_a_hint() {
        for (useless, words, hint) in [
            (Useless::IdTokenOnly, "no access token", "to Scope"),
            (Useless::WhiteSpace, "contains whitespace", "Report it"),
            (Useless::NoType, "token_type is empty", "Report it"),
            (Useless::Characters, "control characters", "Report it"),
        ] {
            assert!(useless.reason().contains(words), "{useless:?}");
            assert!(useless.hint().contains(hint), "{useless:?}");
        }
    }
}
