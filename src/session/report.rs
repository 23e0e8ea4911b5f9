//! A report of a failed sign-in, safe to send to others.

use super::run::{Phase, Run};
use crate::form::field::Key;
use crate::form::settings::Settings;

/// Reports what failed, the fix and the service's response, without secrets; `None` if the sign-in has not failed.
#[must_use]
pub fn report(run: &Run, settings: &Settings) -> Option<String> {
    let Phase::Failed(ended) = &run.phase else {
        return None;
    };
    let mut lines = vec![
        ("Service", run.preset.name.clone()),
        ("Flow", run.request.kind.label().to_owned()),
    ];
    if let Some(explanation) = &ended.explanation {
        lines.push(("Failed", explanation.cause.clone()));
        lines.push(("Fix", explanation.remedy.clone()));
        if let Some(key) = explanation.field {
            lines.push(("Field", settings.label(key).to_owned()));
        }
    } else {
        lines.push(("Failed", ended.step.clone()));
        if ended.service.is_none() {
            lines.push(("Fix", ended.hint.clone()));
        }
    }
    if let Some(url) = run.redirect_url() {
        lines.push((settings.label(Key::RedirectUrl), url.text().to_owned()));
    }
    if let Some(said) = &ended.service {
        lines.push(("Service said", said.clone()));
    }
    // The time at which the last step began.
    lines.extend(run.steps.last().map(|step| ("Time", step.at.to_string())));
    let lines = lines
        .iter()
        .map(|(label, text)| format!("{label}: {text}\n"));
    Some(lines.collect())
}
