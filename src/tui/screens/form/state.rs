//! The state of the form, and its items.

use url::Url;

use super::preset_list::PresetList;
use crate::flow::store_key::ListedKey;
use crate::form::field::{ADVANCED, Access, Key};
use crate::form::problem::{Problem, Severity};
use crate::secret::SecretString;
use crate::tui::screen::{Common, ViewContext};

/// The state of a required field without a value.
pub(super) const MISSING: &str = "missing";

/// An item of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Field(Key),
    /// The list of common values of a variable.
    Choices(usize),
    ScopeList,
    /// The list of certificates for the client's key.
    KeyList,
    Configure,
    Advanced,
    Authorize,
    Tokens,
    Profiles,
    Save,
    SaveAs,
    Discover,
    /// Registers this program with the service.
    Register,
    CopyRegistration,
    SaveRegistration,
    Info,
    Trace,
    More,
    Help,
    /// Cancels the discovery or registration in progress.
    Cancel,
    Quit,
}

/// The purpose of a dialog.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Presets,
    Scopes,
    Keys,
    /// The common values of a variable.
    Choices(usize),
    Info,
    /// The initial access token of a registration.
    InitialToken,
    /// The path of the file for the registered client.
    SaveRegistration,
}

/// The settings form.
#[derive(Debug)]
pub(in crate::tui::screens) struct Form {
    pub(super) common: Common<Item, DialogId>,
    /// Whether the advanced fields are shown.
    pub(super) advanced: bool,
    /// Whether the client secret is shown.
    pub(super) secret_shown: bool,
    /// Whether the user has tried Authorize. From then on, a missing value is an error.
    pub(super) tried: bool,
    pub(super) presets: PresetList,
    /// The certificates in this machine's store that have a private key, as last listed.
    pub(super) keys: Vec<ListedKey>,
    /// The initial access token as last entered, and the registration endpoint that it is for.
    pub(super) initial_token: Option<(Url, SecretString)>,
}

/// Returns whether Ctrl+F can fix a problem, which is also possible at a locked field.
pub(super) fn can_be_fixed(cx: ViewContext<'_>, problem: &Problem) -> bool {
    let access = cx.session.settings.access(problem.key);
    problem.remedy.is_some() && matches!(access, Access::Editable | Access::Locked)
}

/// Returns whether a problem is shown wherever the focus is. A value that was not entered yet is not.
pub(super) fn claimed(cx: ViewContext<'_>, problem: &Problem) -> bool {
    let editable = cx.session.settings.access(problem.key) == Access::Editable;
    problem.word != MISSING && (editable || can_be_fixed(cx, problem))
}

/// Returns the problem to show: that of the focused field, or else the first one of another field. Problems that
/// prevent a sign-in come first.
pub(super) fn told(form: &Form, cx: ViewContext<'_>, problems: &[Problem]) -> Option<Problem> {
    let of_focus = |problem: &&Problem| match &form.common.focus {
        Item::Field(key) => problem.key == *key && (form.tried || problem.word != MISSING),
        _ => false,
    };
    let stops = |problem: &&Problem| problem.severity == Severity::Error;
    let elsewhere = || problems.iter().filter(|problem| claimed(cx, problem));
    let found = problems.iter().find(of_focus);
    let found = found.or_else(|| elsewhere().find(stops));
    found.or_else(|| elsewhere().next()).cloned()
}

/// Returns the first field that prevents a sign-in and can have the focus.
pub(super) fn missing(cx: ViewContext<'_>) -> Option<Key> {
    let mut errors = cx
        .session
        .settings
        .problems()
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors.find_map(|problem| {
        let editable = cx.session.settings.access(problem.key) == Access::Editable;
        editable.then_some(problem.key)
    })
}

impl Form {
    /// Creates the form with the focus on the first field that is incomplete.
    pub(in crate::tui::screens) fn new(cx: ViewContext<'_>) -> Self {
        let (focus, advanced) = if cx.session.settings.preset().is_custom() {
            (Item::Field(Key::Preset), false)
        } else {
            match missing(cx) {
                Some(key) => (Item::Field(key), ADVANCED.contains(&key)),
                None => (Item::Authorize, false),
            }
        };
        Self {
            common: Common::at(focus),
            advanced,
            secret_shown: false,
            tried: false,
            presets: PresetList::default(),
            keys: Vec::new(),
            initial_token: None,
        }
    }
}
