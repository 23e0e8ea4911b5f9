//! Reports a client secret that can't be read or expires, and how to replace it.

use super::check::Facts;
use super::client_secret::Probe;
use super::finding::{Finding, Level, save_secret};

impl Facts<'_> {
    /// Reports a client secret that is missing or expires.
    pub(super) fn client_secret(&self, findings: &mut Vec<Finding>) {
        let mut add = |level, id, at, text: String, fix: Option<String>| {
            findings.push(Finding {
                level,
                id,
                at,
                text,
                fix,
            });
        };
        let needed = self.record.issued_for.needs_secret();
        match &self.secret {
            Probe::Missing(reason) => add(
                Level::Settings,
                "client-secret",
                None,
                reason.clone(),
                Some(if self.names_secret {
                    "Repair what [secret] in the settings file names.".to_owned()
                } else {
                    format!("Save it: {}", save_secret(self.target))
                }),
            ),
            Probe::Unknown(Some(reason)) => add(
                Level::Note,
                "client-secret-unchecked",
                None,
                reason.clone(),
                None,
            ),
            Probe::Unknown(None) | Probe::Fine => {}
        }
        let new = || {
            let fix = if self.names_secret {
                "Create a new client secret, replace the one that [secret] in the settings file names, and change expires \
                 there."
                    .to_owned()
            } else {
                format!(
                    "Create a new client secret, change expires in the settings file, and save the secret: {}",
                    save_secret(self.target)
                )
            };
            Some(fix)
        };
        match &self.secret_expires_at {
            Err(problem) => add(
                Level::Settings,
                "client-secret-expires",
                None,
                problem.clone(),
                None,
            ),
            Ok(Some(end)) if self.is_over(*end) => {
                let text = format!("The client secret expired {}.", self.now.when(*end));
                add(
                    Level::Settings,
                    "client-secret-expires",
                    Some(*end),
                    text,
                    new(),
                );
            }
            Ok(Some(end)) if self.is_soon(*end) => {
                let text = format!("The client secret expires {}.", self.now.when(*end));
                add(
                    Level::Soon,
                    "client-secret-expires",
                    Some(*end),
                    text,
                    new(),
                );
            }
            Ok(Some(_)) => {}
            Ok(None) => {
                if let Some(max) = self.preset.client.secret_max.filter(|_| needed) {
                    let text = format!(
                        "The expiry date of the client secret is unknown. At this service, client secrets last at most {max}."
                    );
                    let fix = "Add a section [secret] with its date to the settings file, such as expires = 2027-05-01.";
                    add(
                        Level::Note,
                        "client-secret-date",
                        None,
                        text,
                        Some(fix.to_owned()),
                    );
                }
            }
        }
    }
}
