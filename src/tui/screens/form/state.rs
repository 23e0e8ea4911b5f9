//! What the form itself remembers, and what on it can have the focus.

use super::preset_list::PresetList;
use crate::flow::store_key::ListedKey;
use crate::form::checks::{Problem, Severity};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, Key};
use crate::tui::screen::{Common, ViewContext};

/// The word of a field without a value that has to have one.
pub(super) const MISSING: &str = "missing";

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Field(Key),
    /// The usual values of a variable.
    Choices(usize),
    ScopeList,
    /// The certificates of this machine, for the client's key.
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
    /// Stops the discovery or registration in progress.
    Cancel,
    Quit,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Presets,
    Scopes,
    Keys,
    /// The usual values of a variable.
    Choices(usize),
    Info,
    /// The initial access token of a registration.
    InitialToken,
    /// The file for the registered client.
    SaveRegistration,
}

/// The form.
#[derive(Debug)]
pub(in crate::tui::screens) struct Form {
    pub(super) common: Common<Item, DialogId>,
    /// The advanced part is unfolded.
    pub(super) advanced: bool,
    /// The client secret is shown.
    pub(super) secret_shown: bool,
    /// Authorize was tried: what is missing is a mistake now.
    pub(super) tried: bool,
    pub(super) presets: PresetList,
    /// The certificates of this machine that have a private key, as they were last listed.
    pub(super) keys: Vec<ListedKey>,
}

/// True if one key can do something about a problem, also at a field that is locked.
pub(super) fn can_be_fixed(cx: ViewContext<'_>, problem: &Problem) -> bool {
    let access = cx.session.settings.access(problem.key);
    problem.remedy.is_some() && matches!(access, Access::Editable | Access::Locked)
}

/// True for a problem that is shown wherever the focus is: a value that was not typed yet is none.
pub(super) fn claimed(cx: ViewContext<'_>, problem: &Problem) -> bool {
    let editable = cx.session.settings.access(problem.key) == Access::Editable;
    problem.word != MISSING && (editable || can_be_fixed(cx, problem))
}

/// The problem that is shown: that of the focused field, else the first one elsewhere, what stops a sign-in first.
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

/// The first field that stops a sign-in and can have the focus.
pub(super) fn missing(cx: ViewContext<'_>) -> Option<Key> {
    let problems = request::problems(&cx.session.settings);
    let mut errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors.find_map(|problem| {
        let editable = cx.session.settings.access(problem.key) == Access::Editable;
        editable.then_some(problem.key)
    })
}

impl Form {
    /// With the focus on the first field that needs something.
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
        }
    }
}
