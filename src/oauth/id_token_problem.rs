//! What is wrong with an ID token that is rejected, and how to fix it.

/// What is wrong with an ID token that is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdTokenProblem {
    /// It lacks something that is required, so it can't be checked.
    Incomplete,
    /// It lacks the nonce that was sent.
    NoNonce,
    /// One of its times doesn't fit the clock of this machine.
    Clock,
    /// It has a different issuer.
    Issuer,
    /// It is for a different client.
    Client,
    /// It is for a different sign-in: another user or another nonce.
    SignIn,
    /// It is for a different access token.
    AccessToken,
    /// The user signed in too long ago for `max_age`.
    TooOld,
    /// It doesn't say when the user signed in, although `max_age` was requested.
    NoSignInTime,
    /// It is not signed.
    Unsigned,
    /// The issuer publishes no key for it.
    UnknownKey,
    /// It is signed in a way that doesn't fit the client.
    Signing,
    /// Its signature is wrong.
    Signature,
}

const WITHOUT_OPENID: &str =
    "To sign in without an ID token, remove openid from Scope and start again.";

impl IdTokenProblem {
    /// Returns whether the service omits something from its ID tokens. The user can only avoid this by not requesting an ID
    /// token.
    #[must_use]
    pub fn is_incomplete(self) -> bool {
        matches!(self, Self::Incomplete | Self::NoNonce)
    }

    /// Returns how to fix the problem, in sentences.
    #[must_use]
    pub fn fix(self) -> String {
        match self {
            Self::Incomplete => {
                return format!("The ID tokens of this service can't be checked. {WITHOUT_OPENID}");
            }
            Self::NoNonce => {
                return format!(
                    "The service doesn't return the nonce, which protects the ID token against replay. {WITHOUT_OPENID}"
                );
            }
            Self::Clock => {
                "Set the clock of this machine, then start again. If it is right, the clock of the service is wrong: tell its \
                 administrator."
            }
            Self::Issuer => {
                "Check that Issuer and the endpoints belong to the same service, then start again."
            }
            Self::Client => {
                "Check Client ID: the ID token was issued to a different app. Then start again."
            }
            Self::SignIn => {
                "Start again. If you sign in with a browser, open only the new URL. If it happens again, check Issuer and Client \
                 ID."
            }
            Self::AccessToken => {
                "Start again. If it happens again, tell the service's administrator: the tokens of one response don't belong \
                 together."
            }
            Self::TooOld => {
                "Start again, and enter the password when the service asks for it, or set a longer max_age in Extra parameters."
            }
            Self::NoSignInTime => {
                "The service doesn't support max_age: remove it from Extra parameters, then start again."
            }
            Self::Unsigned => {
                "ID tokens must be signed. Ask the service's administrator to turn on signed ID tokens (RS256) for this client."
            }
            Self::UnknownKey => {
                "Check Issuer: the ID token is signed with a key that this issuer doesn't publish. If Issuer is right, try again \
                 later, because the service may be changing its keys."
            }
            Self::Signing => {
                "Ask the service's administrator how ID tokens are signed for this client."
            }
            Self::Signature => {
                "Check Issuer and, for an algorithm that starts with HS, Client secret. If they are right, the ID token was \
                 changed in transit, or the service publishes wrong keys: tell its administrator."
            }
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_not_solved_by_starting_again_has_another_fix() {
        for (problem, words) in [
            (IdTokenProblem::Incomplete, "remove openid"),
            (IdTokenProblem::NoNonce, "remove openid"),
            (IdTokenProblem::Clock, "Set the clock"),
            (
                IdTokenProblem::NoSignInTime,
                "remove it from Extra parameters",
            ),
            (IdTokenProblem::Unsigned, "turn on signed ID tokens"),
            (IdTokenProblem::Signing, "how ID tokens are signed"),
        ] {
            let fix = problem.fix();
            assert!(fix.contains(words) && !fix.contains("new URL"), "{fix}");
        }
        assert!(IdTokenProblem::SignIn.fix().contains("only the new URL"));
    }
}
