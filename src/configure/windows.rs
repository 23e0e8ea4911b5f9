//! With HTTP.sys: the commands for an administrator to run, and whether they are needed at all.

use super::plan::Plan;
use super::report::{Finding, Report, State, Task};

/// Says what is to be run. Changes nothing by itself.
#[must_use]
pub fn perform(task: &Task) -> Report {
    let user = match task.user.trim() {
        "" => current_user(),
        user => user.to_owned(),
    };
    let findings = match Plan::new(task.prefix.clone(), &user, task.thumbprint) {
        Err(error) => vec![Finding::new(State::Wrong, error.to_string())],
        Ok(plan) if plan.prefix.needs_no_set_up() => vec![Finding::new(
            State::Good,
            "Windows has reserved URLs like this for everybody: there is nothing to set up and nothing to delete.",
        )],
        Ok(plan) => match plan.commands(task.work) {
            Err(error) => vec![Finding::new(State::Wrong, error.to_string())],
            Ok(commands) => commands
                .into_iter()
                .map(|command| {
                    let text = "Run this in a command prompt that was started as administrator:";
                    Finding::new(State::Note, text).with(command)
                })
                .collect(),
        },
    };
    let mut report = Report::of(findings);
    report.user = Some(user);
    report
}

/// As `DOMAIN\name`.
fn current_user() -> String {
    let name = std::env::var("USERNAME").unwrap_or_default();
    match std::env::var("USERDOMAIN") {
        Ok(domain) if !domain.is_empty() => format!("{domain}\\{name}"),
        _ => name,
    }
}
