//! The open screens: the form, and what was opened from it. The last one is shown.

use super::screen::{AnyScreen, Route};

/// The open screens.
#[derive(Debug)]
pub(super) struct Stack {
    form: Box<dyn AnyScreen>,
    opened: Vec<Box<dyn AnyScreen>>,
}

impl Stack {
    /// The form alone.
    pub(super) fn new(form: Box<dyn AnyScreen>) -> Self {
        Self {
            form,
            opened: Vec::new(),
        }
    }

    /// The form.
    pub(super) fn form(&self) -> &dyn AnyScreen {
        self.form.as_ref()
    }

    /// The screen that is shown.
    pub(super) fn top(&self) -> &dyn AnyScreen {
        self.opened.last().unwrap_or(&self.form).as_ref()
    }

    /// The same, to be changed.
    pub(super) fn top_mut(&mut self) -> &mut dyn AnyScreen {
        self.opened.last_mut().unwrap_or(&mut self.form).as_mut()
    }

    /// All of them, from the form on.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn AnyScreen>> {
        std::iter::once(&mut self.form).chain(&mut self.opened)
    }

    /// True if nothing lies over the form.
    pub(super) fn is_form_on_top(&self) -> bool {
        self.opened.is_empty()
    }

    /// Opens a screen over all others.
    pub(super) fn push(&mut self, screen: Box<dyn AnyScreen>) {
        self.opened.push(screen);
    }

    /// Closes the screen that is shown. The form stays.
    pub(super) fn pop(&mut self) {
        self.opened.pop();
    }

    /// Closes what lies over the screen of this route. False if it is not open.
    pub(super) fn return_to(&mut self, route: Route) -> bool {
        if self.form.route().is_same_screen(route) {
            self.opened.clear();
            return true;
        }
        let found = self.position(route);
        if let Some(at) = found {
            self.opened.truncate(at + 1);
        }
        found.is_some()
    }

    /// Puts another screen in the place of that of a route, or over all others where that is not open.
    pub(super) fn replace(&mut self, route: Route, with: Box<dyn AnyScreen>) {
        match self.position(route) {
            Some(at) => self.opened[at] = with,
            None => self.push(with),
        }
    }

    fn position(&self, route: Route) -> Option<usize> {
        let mut opened = self.opened.iter();
        opened.position(|screen| screen.route().is_same_screen(route))
    }
}
