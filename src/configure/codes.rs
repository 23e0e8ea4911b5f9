//! What the codes of the HTTP service's configuration mean, and what to do.

use super::report::{Finding, SetUpAction, State};

/// What was worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The URL reservation.
    Reservation,
    /// The binding of the certificate.
    Binding,
}

impl Object {
    /// Within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reservation => "URL reservation",
            Self::Binding => "certificate binding",
        }
    }
}

/// The call did what it was asked to do.
pub const DONE: u32 = 0;
/// Not found, in the service's own words for a question.
pub const FILE_NOT_FOUND: u32 = 2;
/// Not an administrator.
pub const ACCESS_DENIED: u32 = 5;
/// The service takes no such value.
pub const INVALID_PARAMETER: u32 = 87;
/// There is one already.
pub const ALREADY_EXISTS: u32 = 183;
/// Not found.
pub const NOT_FOUND: u32 = 1168;
/// The key of the certificate cannot be used.
pub const NO_SUCH_LOGON_SESSION: u32 = 1312;

/// What a code means for `action` on `object`, in two sentences: what it is, what to do.
#[must_use]
pub fn finding(action: SetUpAction, object: Object, code: u32) -> Finding {
    let name = object.name();
    let (state, text) = match (action, code) {
        (SetUpAction::SetUp, DONE) => (State::Done, format!("The {name} was written.")),
        (SetUpAction::SetUp, FILE_NOT_FOUND) => (
            State::Failed,
            format!(
                "Windows did not find what the {name} names (code 2). Start the HTTP service with: net start http. \
                 Then set up again."
            ),
        ),
        (SetUpAction::SetUp, ACCESS_DENIED) => (
            State::Failed,
            format!(
                "Only an administrator can write the {name} (code 5). Start this program as administrator, or run the \
                 commands in an elevated prompt."
            ),
        ),
        (SetUpAction::SetUp, INVALID_PARAMETER) => (
            State::Failed,
            format!(
                "Windows does not take the {name} as it is (code 87). Look at host, port and path of the Redirect URL, \
                 and at the thumbprint."
            ),
        ),
        (SetUpAction::SetUp, ALREADY_EXISTS) => (
            State::Failed,
            format!(
                "There is a {name} for this already (code 183). Verify says what it is; delete it first if it is wrong."
            ),
        ),
        (SetUpAction::SetUp, NOT_FOUND) => (
            State::Failed,
            format!(
                "Windows does not find the element that the {name} needs (code 1168). For https, look whether the \
                 certificate is in the machine's My store."
            ),
        ),
        (SetUpAction::SetUp, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!(
                "The {name} was not written (code 1312): the certificate is not in the machine's My store, or without its \
                 private key. Import it there as a .pfx file with its key, for the machine and not for a user."
            ),
        ),
        (SetUpAction::SetUp, other) => (
            State::Failed,
            format!(
                "The {name} was not written: Windows gave code {other}. Run net helpmsg {other} for its meaning, and the \
                 command below for more."
            ),
        ),
        (SetUpAction::Verify, DONE) => (State::Good, format!("The {name} was read.")),
        (SetUpAction::Verify, FILE_NOT_FOUND) => (
            State::Wrong,
            format!("There is no {name} for this (code 2). Set up writes it."),
        ),
        (SetUpAction::Verify, ACCESS_DENIED) => (
            State::Failed,
            format!(
                "This user may not read the {name} (code 5). Start this program as administrator, and verify again."
            ),
        ),
        (SetUpAction::Verify, INVALID_PARAMETER) => (
            State::Failed,
            format!(
                "Windows cannot look for such a {name} (code 87). Look at host, port and path of the Redirect URL."
            ),
        ),
        (SetUpAction::Verify, ALREADY_EXISTS) => (
            State::Failed,
            format!(
                "The {name} could not be read, as something is there twice (code 183). Show all with netsh, and delete \
                 what is not needed."
            ),
        ),
        (SetUpAction::Verify, NOT_FOUND) => (
            State::Wrong,
            format!("Windows knows no such {name} (code 1168). Set up writes it."),
        ),
        (SetUpAction::Verify, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!(
                "The {name} names a certificate whose private key cannot be used (code 1312). Delete it, and set up with \
                 a certificate that has its key."
            ),
        ),
        (SetUpAction::Verify, other) => (
            State::Failed,
            format!(
                "The {name} could not be read: Windows gave code {other}. Run net helpmsg {other} for its meaning, and \
                 look with the command below."
            ),
        ),
        (SetUpAction::Delete, DONE) => (State::Done, format!("The {name} was deleted.")),
        (SetUpAction::Delete, FILE_NOT_FOUND) => (
            State::Note,
            format!("There was no {name} to delete (code 2). Nothing is left to do."),
        ),
        (SetUpAction::Delete, ACCESS_DENIED) => (
            State::Failed,
            format!(
                "Only an administrator can delete the {name} (code 5). Start this program as administrator, or run the \
                 commands in an elevated prompt."
            ),
        ),
        (SetUpAction::Delete, INVALID_PARAMETER) => (
            State::Failed,
            format!(
                "Windows cannot delete such a {name} (code 87). Look at host, port and path of the Redirect URL: they \
                 must be those of the set-up."
            ),
        ),
        (SetUpAction::Delete, ALREADY_EXISTS) => (
            State::Failed,
            format!(
                "The {name} is in the way of another (code 183). Show all with netsh, and delete the one that is meant."
            ),
        ),
        (SetUpAction::Delete, NOT_FOUND) => (
            State::Note,
            format!("Windows knew no such {name} (code 1168). Nothing is left to do."),
        ),
        (SetUpAction::Delete, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!(
                "The {name} was not deleted, as its certificate cannot be reached (code 1312). Run the command below as \
                 administrator."
            ),
        ),
        (SetUpAction::Delete, other) => (
            State::Failed,
            format!(
                "The {name} was not deleted: Windows gave code {other}. Run net helpmsg {other} for its meaning, and the \
                 command below for more."
            ),
        ),
    };
    Finding::new(state, text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_has_a_sentence_of_its_own_that_says_what_to_do() {
        let codes = [0, 2, 5, 87, 183, 1168, 1312, 4711];
        let mut seen = BTreeSet::new();
        for action in SetUpAction::ALL {
            for (object, code) in [Object::Binding, Object::Reservation]
                .into_iter()
                .flat_map(|object| codes.map(|code| (object, code)))
            {
                let Finding { state, text, .. } = finding(action, object, code);
                assert!(seen.insert(text.clone()), "twice: {text}");
                assert!(text.ends_with('.'), "{text}");
                // All is said, or something is to be done: a second sentence.
                assert_eq!(text.contains(". "), code != 0, "{text}");
                assert_eq!(text.contains(&format!("ode {code}")), code != 0, "{text}");
                let fine = matches!(state, State::Done | State::Good | State::Note);
                let nothing_there = action == SetUpAction::Delete && matches!(code, 2 | 1168);
                assert_eq!(fine, code == 0 || nothing_there, "{text}");
            }
        }
        assert_eq!(seen.len(), 48);
    }
}
