//! The values of the form with their problems, which are searched only once after each change.

use std::cell::OnceCell;
use std::ops::{Deref, DerefMut};

use crate::form::problem::Problem;
use crate::form::request;
use crate::form::settings::Settings;

/// The values of the form, and what is wrong with them.
///
/// A screen needs the problems several times for each key and drawing.
#[derive(Debug)]
pub struct Checked {
    settings: Settings,
    problems: OnceCell<Vec<Problem>>,
}

impl Checked {
    /// Returns all problems, field by field, in the order of the screen.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        self.problems
            .get_or_init(|| request::problems(&self.settings))
    }
}

impl From<Settings> for Checked {
    fn from(settings: Settings) -> Self {
        Self {
            settings,
            problems: OnceCell::new(),
        }
    }
}

impl Deref for Checked {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        &self.settings
    }
}

/// Any change may solve problems or cause others.
impl DerefMut for Checked {
    fn deref_mut(&mut self) -> &mut Settings {
        self.problems.take();
        &mut self.settings
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::field::Key;
    use crate::presets;

    #[test]
    fn problems_are_those_of_the_current_values_after_every_kind_of_change() {
        let mut checked = Checked::from(Settings::new(presets::get(presets::CUSTOM).unwrap()));
        let is_current = |checked: &Checked| checked.problems() == request::problems(checked);
        let before = checked.problems().to_vec();
        assert!(!before.is_empty());
        checked.set(Key::ClientId, "demo".to_owned());
        assert!(is_current(&checked));
        assert_ne!(checked.problems(), before);
        *checked = Settings::new(presets::get("github").unwrap());
        assert!(is_current(&checked));
        let settings: &mut Settings = &mut checked;
        settings.set(Key::TokenUrl, "no URL".to_owned());
        assert!(is_current(&checked));
    }
}
