//! Explains the error codes of the HTTP service's configuration, and what to do about them.

use super::plan::SetUpAction;
use super::report::{Finding, State};
use crate::httpsys::refused;

/// The object of a configuration call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// The URL reservation.
    Reservation,
    /// The binding of the certificate.
    Binding,
}

impl Object {
    /// Returns the name for use within a sentence.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Reservation => "URL reservation",
            Self::Binding => "certificate binding",
        }
    }

    /// Returns what can have only one such object, for use within a sentence.
    fn place(self) -> &'static str {
        match self {
            Self::Reservation => "URL",
            Self::Binding => "host and port",
        }
    }

    /// Returns the label of the command for the object.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Reservation => "URL reservation:",
            Self::Binding => "Certificate binding:",
        }
    }
}

/// Success (`NO_ERROR`).
pub const DONE: u32 = 0;
/// Not found, as the service reports it for queries (`ERROR_FILE_NOT_FOUND`).
pub const FILE_NOT_FOUND: u32 = 2;
/// The caller is not an administrator (`ERROR_ACCESS_DENIED`).
pub const ACCESS_DENIED: u32 = 5;
/// The service rejects a value (`ERROR_INVALID_PARAMETER`).
pub const INVALID_PARAMETER: u32 = 87;
/// The object exists already (`ERROR_ALREADY_EXISTS`).
pub const ALREADY_EXISTS: u32 = 183;
/// Not found (`ERROR_NOT_FOUND`).
pub const NOT_FOUND: u32 = 1168;
/// The private key of the certificate can't be used (`ERROR_NO_SUCH_LOGON_SESSION`).
pub const NO_SUCH_LOGON_SESSION: u32 = 1312;

/// Windows knows no account of this name (`ERROR_NONE_MAPPED`).
pub const NONE_MAPPED: u32 = 1332;

/// Returns what a code means for `action` on `object`, and what to do about it.
#[must_use]
pub fn finding(action: SetUpAction, object: Object, code: u32) -> Finding {
    let name = object.name();
    if refused::is_service(code) {
        let what = match action {
            SetUpAction::SetUp => "added",
            SetUpAction::Verify => "read",
            SetUpAction::Delete => "deleted",
        };
        let text = format!("The {name} was not {what}. {}", refused::reason("", code));
        return Finding::new(State::Failed, text).fix(refused::remedy(code));
    }
    let (state, text, fix) = match (action, code) {
        (SetUpAction::SetUp, DONE) => (State::Done, format!("Added the {name}."), String::new()),
        (SetUpAction::SetUp, FILE_NOT_FOUND) => (
            State::Failed,
            format!("Windows did not find an element of the {name} (code 2)."),
            "Start the HTTP service with net start http, and set up again.".to_owned(),
        ),
        (SetUpAction::SetUp, ACCESS_DENIED) => (
            State::Failed,
            format!("Only an administrator can add the {name} (code 5)."),
            "Start this program as administrator, or run this command as administrator.".to_owned(),
        ),
        (SetUpAction::SetUp, INVALID_PARAMETER) => (
            State::Failed,
            format!("Windows rejected the {name} as invalid (code 87)."),
            "Check the host, port and path of Redirect URL, and the thumbprint.".to_owned(),
        ),
        (SetUpAction::SetUp, ALREADY_EXISTS) => (
            State::Failed,
            format!("A {name} for this {} already exists (code 183).", object.place()),
            "Use Verify to see it. If it is wrong, delete it, then set up again or run this command."
                .to_owned(),
        ),
        (SetUpAction::SetUp, NOT_FOUND) => (
            State::Failed,
            format!("Windows did not find an element that the {name} requires (code 1168)."),
            "For https, check that the certificate is in the machine's MY store.".to_owned(),
        ),
        (SetUpAction::SetUp, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!(
                "The {name} was not added: the certificate is \
            not in the machine's MY store, or its private key is missing (code 1312)."
            ),
            "Import it there as a .pfx file with its private key, for the machine and not for a user."
                .to_owned(),
        ),
        (SetUpAction::SetUp, NONE_MAPPED) => (
            State::Failed,
            format!("The {name} was not added: Windows knows no such account (code 1332)."),
            "Check User. Built-in accounts have other names in other languages: enter the security identifier, such as S-1-5-20."
                .to_owned(),
        ),
        (SetUpAction::SetUp, other) => (
            State::Failed,
            format!("The {name} was not added: Windows returned code {other}."),
            format!("Run net helpmsg {other} to see its meaning, or run the command below to see more."),
        ),
        (SetUpAction::Verify, DONE) => (State::Good, format!("Read the {name}."), String::new()),
        (SetUpAction::Verify, FILE_NOT_FOUND) => (
            State::Missing,
            format!("The {name} does not exist (code 2)."),
            "Set up adds it.".to_owned(),
        ),
        (SetUpAction::Verify, ACCESS_DENIED) => (
            State::Failed,
            format!("Your account isn't allowed to read the {name} (code 5)."),
            "Start this program as administrator and verify again.".to_owned(),
        ),
        (SetUpAction::Verify, INVALID_PARAMETER) => (
            State::Failed,
            format!("Windows rejected the query for the {name} as invalid (code 87)."),
            "Check the host, port and path of Redirect URL.".to_owned(),
        ),
        (SetUpAction::Verify, ALREADY_EXISTS) => (
            State::Failed,
            format!("The {name} could not be read because an entry exists twice (code 183)."),
            "List all entries with netsh, and delete those that are not needed.".to_owned(),
        ),
        (SetUpAction::Verify, NOT_FOUND) => (
            State::Missing,
            format!("Windows did not find the {name} (code 1168)."),
            "Set up adds it.".to_owned(),
        ),
        (SetUpAction::Verify, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!("The {name} uses a certificate whose private key is not available (code 1312)."),
            "Delete it, and set up with a certificate that has a private key.".to_owned(),
        ),
        (SetUpAction::Verify, other) => (
            State::Failed,
            format!("The {name} could not be read: Windows returned code {other}."),
            format!("Run net helpmsg {other} to see its meaning, or check with the command below."),
        ),
        (SetUpAction::Delete, DONE) => (State::Done, format!("Deleted the {name}."), String::new()),
        (SetUpAction::Delete, FILE_NOT_FOUND) => (
            State::Note,
            format!("There was no {name} to delete (code 2)."),
            "No action is required.".to_owned(),
        ),
        (SetUpAction::Delete, ACCESS_DENIED) => (
            State::Failed,
            format!("Only an administrator can delete the {name} (code 5)."),
            "Start this program as administrator, or run this command as administrator.".to_owned(),
        ),
        (SetUpAction::Delete, INVALID_PARAMETER) => (
            State::Failed,
            format!("Windows rejected the deletion of the {name} as invalid (code 87)."),
            "Check that the host, port and path of Redirect URL are the same as at setup."
                .to_owned(),
        ),
        (SetUpAction::Delete, ALREADY_EXISTS) => (
            State::Failed,
            format!("The {name} conflicts with another entry (code 183)."),
            "List all entries with netsh, and delete the right one.".to_owned(),
        ),
        (SetUpAction::Delete, NOT_FOUND) => (
            State::Note,
            format!("Windows found no {name} to delete (code 1168)."),
            "No action is required.".to_owned(),
        ),
        (SetUpAction::Delete, NO_SUCH_LOGON_SESSION) => (
            State::Failed,
            format!("The {name} was not deleted because its certificate is not available (code 1312)."),
            "Run the command below as administrator.".to_owned(),
        ),
        (SetUpAction::Delete, other) => (
            State::Failed,
            format!("The {name} was not deleted: Windows returned code {other}."),
            format!("Run net helpmsg {other} to see its meaning, or run the command below to see more."),
        ),
    };
    let finding = Finding::new(state, text);
    if fix.is_empty() {
        finding
    } else {
        finding.fix(fix)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn error_codes_have_unique_messages_and_fixes() {
        let codes = [0, 2, 5, 87, 183, 1058, 1062, 1168, 1312, 1332, 4711];
        let mut seen = BTreeSet::new();
        for action in SetUpAction::ALL {
            for (object, code) in [Object::Binding, Object::Reservation]
                .into_iter()
                .flat_map(|object| codes.map(|code| (object, code)))
            {
                let Finding {
                    state, text, fix, ..
                } = finding(action, object, code);
                assert!(seen.insert(text.clone()), "twice: {text}");
                assert!(text.ends_with('.'), "{text}");
                // Either everything is done, or there is a fix.
                assert_eq!(fix.is_some(), code != 0, "{text}");
                assert!(fix.is_none_or(|fix| fix.ends_with('.')), "{text}");
                assert_eq!(text.contains(&format!("ode {code}")), code != 0, "{text}");
                let fine = matches!(state, State::Done | State::Good | State::Note);
                let nothing_there = action == SetUpAction::Delete && matches!(code, 2 | 1168);
                assert_eq!(fine, code == 0 || nothing_there, "{text}");
            }
        }
        assert_eq!(seen.len(), 66);
        let stopped = finding(SetUpAction::SetUp, Object::Reservation, 1062);
        assert!(stopped.sentences().contains("net start http"));
        let twice = |object| finding(SetUpAction::SetUp, object, ALREADY_EXISTS).text;
        assert!(twice(Object::Reservation).contains("for this URL already exists"));
        assert!(twice(Object::Binding).contains("for this host and port already exists"));
        let added = finding(SetUpAction::SetUp, Object::Reservation, NONE_MAPPED);
        assert!(added.text.contains("no such account"), "{}", added.text);
    }
}
