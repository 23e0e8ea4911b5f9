//! From a problem to its field, and from the field to what helps.

use super::state::{Form, Item, can_be_fixed, told};
use crate::form::checks::{Problem, Severity};
use crate::form::request;
use crate::form::settings::{Access, Key};
use crate::tui::screen::{UpdateContext, ViewContext, set_focus};

impl Form {
    /// Goes to the field of a problem, which says what it is and what helps; says it here where the field can't.
    pub(super) fn show(&mut self, problem: &Problem, cx: &mut UpdateContext<'_>) {
        let editable = cx.session.settings.access(problem.key) == Access::Editable;
        // What is being typed goes on.
        if editable && !matches!(self.common.focus, Item::Field(key) if key != problem.key) {
            self.go_to(problem.key, cx);
        }
        let problems = request::problems(&cx.session.settings);
        if told(self, cx.view(), &problems).as_ref() == Some(problem) {
            cx.clear_message();
        } else {
            let label = cx.session.settings.label(problem.key);
            cx.warn(format!("{label}: {}", problem.text));
        }
    }

    /// Tells what stops a sign-in where no field can tell it.
    pub(super) fn tell_untold(&self, cx: &mut UpdateContext<'_>) {
        let problems = request::problems(&cx.session.settings);
        if told(self, cx.view(), &problems).is_some() {
            return;
        }
        let stops = |problem: &Problem| problem.severity == Severity::Error;
        if let Some(problem) = problems.into_iter().find(stops) {
            cx.warn(problem.text);
        }
    }

    /// The problem that is shown, where Ctrl+F can do something about it.
    pub(super) fn fixable(&self, cx: ViewContext<'_>, problems: &[Problem]) -> Option<Problem> {
        told(self, cx, problems).filter(|problem| can_be_fixed(cx, problem))
    }

    /// From the explanation of an error to the field to change.
    pub(super) fn go_to_explained(&mut self, key: Key, cx: &mut UpdateContext<'_>) {
        self.go_to(key, cx);
        if cx.session.settings.access(key) != Access::Editable {
            // The preset knows it: another preset, or Custom settings, is what can be changed.
            set_focus(self, Item::Field(Key::Preset), cx);
            let label = cx.session.settings.label(key).to_owned();
            cx.say(format!(
                "{label} is set by the preset. To change it, choose another preset or Custom settings."
            ));
        }
    }
}
