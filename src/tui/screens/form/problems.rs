//! Shows a problem at its field, and finds its fix.

use super::state::{Form, Item, can_be_fixed, told};
use crate::form::field::{Access, Key};
use crate::form::problem::{Problem, Severity};
use crate::tui::screen::{UpdateContext, ViewContext, set_focus};

impl Form {
    /// Goes to the field of a problem, which shows the problem and its fix. If the field can't show it, a message does.
    pub(super) fn show(&mut self, problem: &Problem, cx: &mut UpdateContext<'_>) {
        let editable = cx.session.settings.access(problem.key) == Access::Editable;
        // Don't move the focus away from a field that the user is editing.
        if editable && !matches!(self.common.focus, Item::Field(key) if key != problem.key) {
            self.go_to(problem.key, cx);
        }
        let problems = cx.session.settings.problems();
        if told(self, cx.view(), problems).as_ref() == Some(problem) {
            cx.clear_message();
        } else {
            let label = cx.session.settings.label(problem.key);
            cx.warn(problem.labeled(label));
        }
    }

    /// Shows what prevents a sign-in if no field can show it.
    pub(super) fn tell_untold(&self, cx: &mut UpdateContext<'_>) {
        let problems = cx.session.settings.problems();
        if told(self, cx.view(), problems).is_some() {
            return;
        }
        let stops = |problem: &&Problem| problem.severity == Severity::Error;
        if let Some(problem) = problems.iter().find(stops) {
            cx.warn(problem.text.clone());
        }
    }

    /// Returns the problem that is shown, if Ctrl+F can fix it.
    pub(super) fn fixable(&self, cx: ViewContext<'_>, problems: &[Problem]) -> Option<Problem> {
        told(self, cx, problems).filter(|problem| can_be_fixed(cx, problem))
    }

    /// Goes to the field that the explanation of an error names.
    pub(super) fn go_to_explained(&mut self, key: Key, cx: &mut UpdateContext<'_>) {
        self.go_to(key, cx);
        if cx.session.settings.access(key) != Access::Editable {
            // The preset sets this field, so the user has to choose another preset or Custom settings.
            set_focus(self, Item::Field(Key::Preset), cx);
            let label = cx.session.settings.label(key).to_owned();
            cx.say(format!(
                "{label} is set by the preset. To change it, choose another preset or Custom settings."
            ));
        }
    }
}
