//! The stack of open screens: the form, and the screens opened from it. The last one is shown.

use super::screen::{AnyScreen, Route};

/// The open screens, the form first.
#[derive(Debug)]
pub(super) struct Stack {
    form: Box<dyn AnyScreen>,
    opened: Vec<Box<dyn AnyScreen>>,
}

impl Stack {
    /// Creates a stack that contains only the form.
    pub(super) fn new(form: Box<dyn AnyScreen>) -> Self {
        Self {
            form,
            opened: Vec::new(),
        }
    }

    /// Returns the form.
    pub(super) fn form(&self) -> &dyn AnyScreen {
        self.form.as_ref()
    }

    /// Returns the screen on top, which is the one shown.
    pub(super) fn top(&self) -> &dyn AnyScreen {
        self.opened.last().unwrap_or(&self.form).as_ref()
    }

    /// Returns the screen on top, mutably.
    pub(super) fn top_mut(&mut self) -> &mut dyn AnyScreen {
        self.opened.last_mut().unwrap_or(&mut self.form).as_mut()
    }

    /// Returns all open screens, starting with the form.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = &mut Box<dyn AnyScreen>> {
        std::iter::once(&mut self.form).chain(&mut self.opened)
    }

    /// Returns whether no screen is open over the form.
    pub(super) fn is_form_on_top(&self) -> bool {
        self.opened.is_empty()
    }

    /// Opens a screen on top of all others.
    pub(super) fn push(&mut self, screen: Box<dyn AnyScreen>) {
        self.opened.push(screen);
    }

    /// Closes the screen on top. The form stays.
    pub(super) fn pop(&mut self) {
        self.opened.pop();
    }

    /// Closes the screens above the one with this route. Returns false if that screen is not open.
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

    /// Replaces the screen with this route, or opens the new screen on top if that route is not open.
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
