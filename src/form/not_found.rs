//! Shows an issuer without metadata as a problem at its field, until the field changes.

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::discovered::AskedIssuer;
use crate::form::field::{Access, Key};
use crate::form::meant::use_label;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;

impl Settings {
    /// Records that the metadata of the issuer is being requested.
    pub fn asks_issuer(&mut self) {
        self.asked = Some(AskedIssuer {
            issuer: self.value(Key::Issuer),
            failure: None,
        });
    }

    /// Records why there is no metadata, and the issuer that was probably meant.
    pub fn issuer_failed(&mut self, reason: String, instead: Option<String>) {
        if let Some(asked) = &mut self.asked {
            asked.failure = Some((reason, instead));
        }
    }

    /// Returns the field that determines the issuer: Issuer itself, or the first variable in the preset's issuer.
    #[must_use]
    pub fn issuer_key(&self) -> Key {
        if self.access(Key::Issuer) == Access::Editable {
            return Key::Issuer;
        }
        let template = self.preset_text(Key::Issuer).unwrap_or_default();
        let variables = self.preset().variables.iter().enumerate();
        let mut used = variables
            .filter(|(_, variable)| template.contains(&format!("{{{}}}", variable.name)))
            .map(|(position, _)| Key::Var(position));
        used.next().unwrap_or(Key::Issuer)
    }

    /// Returns the problem with the issuer of the form, if the request for its metadata failed.
    #[must_use]
    pub fn issuer_problem(&self) -> Option<Problem> {
        let asked = self.asked.as_ref()?;
        let (reason, instead) = asked.failure.as_ref()?;
        if asked.issuer != self.value(Key::Issuer) {
            return None;
        }
        let key = self.issuer_key();
        let problem = |text| Problem::new(key, Severity::Warning, "no metadata", text);
        let instead = instead.as_ref().filter(|_| key == Key::Issuer);
        Some(match instead {
            Some(issuer) => {
                let shown = clean(issuer, 160);
                let label = use_label(issuer);
                problem(format!("{reason} Did you mean {shown}?"))
                    .with_remedy(label, Change::Text(key, issuer.clone()))
                    .guessed()
            }
            None => problem(reason.clone()),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::request::problems;
    use crate::presets;

    #[test]
    fn issuer_failure_is_shown_at_its_field_until_changed() {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set(Key::Issuer, "https://as.example/token".to_owned());
        form.asks_issuer();
        assert_eq!(form.issuer_problem(), None);
        form.issuer_failed("It was not found.".to_owned(), None);
        let problem = form.issuer_problem().unwrap();
        assert_eq!((problem.key, problem.remedy.as_ref()), (Key::Issuer, None));
        assert!(problems(&form).contains(&problem));
        let instead = "https://as.example".to_owned();
        form.issuer_failed("It was not found.".to_owned(), Some(instead.clone()));
        let problem = form.issuer_problem().unwrap();
        assert!(problem.text.ends_with("Did you mean https://as.example?"));
        form.apply(&problem.remedy.unwrap().change);
        assert_eq!(form.value(Key::Issuer), instead);
        assert_eq!(form.issuer_problem(), None);
    }

    #[test]
    fn preset_issuer_failure_is_cleared_by_changing_a_variable() {
        let mut form = Settings::new(presets::get("keycloak").unwrap());
        form.set(Key::Var(0), "sso.example.org".to_owned());
        form.set(Key::Var(1), "staff".to_owned());
        form.asks_issuer();
        form.issuer_failed("No.".to_owned(), Some("https://other.example".to_owned()));
        let problem = form.issuer_problem().unwrap();
        assert_eq!((problem.key, problem.remedy), (Key::Var(0), None));
        form.set(Key::Var(1), "people".to_owned());
        assert_eq!(form.issuer_problem(), None);
    }
}
