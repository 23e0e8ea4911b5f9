//! What the form itself remembers, and what on it can have the focus.

use super::preset_list::PresetList;
use crate::form::checks::{Problem, Severity};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, Key};
use crate::tui::screen::{Common, ViewContext};

/// What can have the focus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui::screens) enum Item {
    Field(Key),
    /// The change that helps against a field's problem.
    Fix(Key),
    ShowSecret,
    ScopeList,
    /// Discover, beside the issuer.
    DiscoverIssuer,
    Advanced,
    Authorize,
    Configure,
    Discover,
    About,
    Tokens,
    Trace,
    Help,
    Quit,
}

/// What a dialog was opened for.
#[derive(Debug, Clone)]
pub(in crate::tui::screens) enum DialogId {
    Presets,
    Scopes,
    About,
}

/// The form.
#[derive(Debug)]
pub(in crate::tui::screens) struct Form {
    pub(super) common: Common<Item, DialogId>,
    /// The advanced part is unfolded.
    pub(super) advanced: bool,
    /// The client secret is shown.
    pub(super) secret_shown: bool,
    pub(super) presets: PresetList,
}

/// The first problem of a field that has a remedy.
pub(super) fn remedied(cx: ViewContext<'_>, key: Key) -> Option<Problem> {
    request::problems(&cx.session.settings)
        .into_iter()
        .find(|problem| problem.key == key && problem.remedy.is_some())
}

/// True where one key can do something about a problem, also at a field that is locked.
pub(super) fn can_be_fixed(cx: ViewContext<'_>, problem: &Problem) -> bool {
    let access = cx.session.settings.access(problem.key);
    problem.remedy.is_some() && matches!(access, Access::Editable | Access::Locked)
}

/// The first field that stops a sign-in, and the item to go to for it.
pub(super) fn missing(cx: ViewContext<'_>) -> Option<(Key, Item)> {
    let problems = request::problems(&cx.session.settings);
    let mut errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error);
    errors.find_map(|problem| {
        let key = problem.key;
        if cx.session.settings.access(key) == Access::Editable {
            Some((key, Item::Field(key)))
        } else {
            can_be_fixed(cx, problem).then_some((key, Item::Fix(key)))
        }
    })
}

impl Form {
    /// With the focus on the first field that needs something.
    pub(in crate::tui::screens) fn new(cx: ViewContext<'_>) -> Self {
        let (focus, advanced) = if cx.session.settings.preset().is_custom() {
            (Item::Field(Key::Preset), false)
        } else {
            match missing(cx) {
                Some((key, item)) => (item, ADVANCED.contains(&key)),
                None => (Item::Authorize, false),
            }
        };
        Self {
            common: Common::at(focus),
            advanced,
            secret_shown: false,
            presets: PresetList::default(),
        }
    }
}
