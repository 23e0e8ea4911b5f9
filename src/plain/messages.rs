//! Writes messages about the events of a flow to standard error.

use std::collections::BTreeSet;

use url::Url;

use crate::certificate::About;
use crate::console::environment::Environment;
use crate::console::talk::{Often, say, say_often};
use crate::console::tunnel::Tunnel;
use crate::flow::event::{FlowError, FlowEvent, Step};
use crate::form::choices::Change;
use crate::form::command_line::flag;
use crate::form::explain::Explanation;
use crate::form::problem::{Problem, Remedy, Severity};
use crate::form::request;
use crate::form::settings::Settings;
use crate::oauth::device::Note;
use crate::oauth::url::RedirectUrl;
use crate::outcome::exit;

/// Writes what happened. The start of the sign-in has a separate function.
pub(super) fn say_event(event: &FlowEvent) {
    match event {
        FlowEvent::Began(step) => say_often(Often::Step, step_text(*step)),
        FlowEvent::DeviceCode {
            user_code,
            verification_uri,
            complete,
            expires_in,
        } => {
            say("verification_uri", verification_uri.as_str());
            say("user_code", user_code);
            if let Some(complete) = complete {
                say("verification_uri_complete", complete.as_str());
            }
            say("expires_in", &expires_in.as_secs().to_string());
        }
        FlowEvent::Polled { times, note, .. } => {
            let note = match note {
                Note::Pending => "not approved yet".to_owned(),
                Note::SlowDown => {
                    "not approved yet; polling less often, as the service requested".to_owned()
                }
                Note::Trouble(reason) => format!("no usable response ({reason}); retrying"),
                Note::OnceMore => "the service requested a pause that is longer than the code is valid; polling once more \
                    shortly before it expires".to_owned(),
            };
            say_often(Often::Polled, &format!("{times} {note}"));
        }
        FlowEvent::NotOurs(reason) => {
            say_often(Often::Callback, &format!("a callback: {reason}"));
        }
        FlowEvent::PasteRefused(reason) => {
            say_often(Often::Paste, &format!("a paste: {reason}"));
        }
        FlowEvent::Stray(_) => say_often(
            Often::Stray,
            "rejected a request that does not belong to this sign-in",
        ),
        FlowEvent::Trouble(reason) => {
            say_often(Often::Trouble, &format!("{reason} Retrying."));
        }
        FlowEvent::Note(note) => say("note", note),
        FlowEvent::Tokens(set) => set.notes.iter().for_each(|note| say("note", note)),
        FlowEvent::Check(check) => {
            say(
                "check",
                &format!(
                    "{} {}: {}",
                    check.name.label(),
                    check.outcome.word(),
                    check.detail
                ),
            );
        }
        // Other events are reported by the code that waits for them.
        _ => {}
    }
}

/// Writes where to sign in. `device_code` says whether the device code flow would work as well.
pub(super) fn say_sign_in(
    environment: &Environment,
    device_code: bool,
    url: &Url,
    redirect_url: &RedirectUrl,
    listening: &[String],
    certificate: Option<&About>,
) {
    for address in listening {
        say("listening", address);
    }
    if let Some(about) = certificate {
        say("certificate_fingerprint", &about.fingerprint);
        if about.self_made {
            say(
                "hint",
                "Your browser will warn that the certificate is not trusted. Compare its SHA-256 fingerprint with this one.",
            );
        }
    }
    say("redirect_url", redirect_url.text());
    let ssh = environment.ssh.as_ref();
    let tunnel = ssh.and_then(|ssh| Tunnel::to_listener(ssh, redirect_url, listening));
    if let Some(tunnel) = tunnel {
        say("tunnel", &tunnel.to_string());
        say(
            "hint",
            &format!(
                "If your browser is on another computer, first open the tunnel there. {}",
                tunnel.login_advice()
            ),
        );
    }
    say("authorization_url", url.as_str());
    say(
        "hint",
        "Open the URL in a browser. If the browser can't return to this machine, paste the final URL here.",
    );
    if !environment.can_browse() && device_code {
        say("hint", "With --flow device-code, any browser works.");
    }
}

fn step_text(step: Step) -> &'static str {
    match step {
        Step::DeviceCode => "requesting a device code",
        Step::Approval => "waiting for approval",
        Step::Listen => "listening",
        Step::Pushed => "sending the parameters of the sign-in",
        Step::SignIn => "waiting for the browser",
        Step::Exchange => "exchanging the code for tokens",
        Step::Refresh => "requesting new tokens",
        Step::TokenRequest => "requesting an access token",
    }
}

/// Writes what went wrong and how to fix it, and returns the exit code.
pub(super) fn say_error(error: &FlowError) -> u8 {
    say("error", &error.to_string());
    say("hint", &error.hint());
    exit::code(error)
}

/// Does the same, with an explanation of the error.
pub(super) fn say_explained_error(
    error: &FlowError,
    explanation: &Explanation,
    settings: &Settings,
) -> u8 {
    say("error", &error.to_string());
    if explanation.cause != error.to_string() {
        say("cause", &explanation.cause);
    }
    say_remedy(explanation, settings);
    exit::code(error)
}

/// Explains an error page whose text was pasted. The sign-in continues.
pub(super) fn say_page(page: &Explanation, settings: &Settings) {
    say_often(Often::Paste, "a paste: it is the text of an error page");
    say("cause", &page.cause);
    say_remedy(page, settings);
}

fn say_remedy(explanation: &Explanation, settings: &Settings) {
    say("hint", &explanation.remedy);
    if let Some(key) = explanation.field {
        let flag = flag(key).map_or_else(String::new, |flag| format!(" ({flag})"));
        say("field", &format!("{}{flag}", settings.label(key)));
    }
}

/// Prints a problem of the form.
pub(super) fn say_problem(problem: &Problem, settings: &Settings) {
    let word = if problem.severity == Severity::Error {
        "error"
    } else {
        "hint"
    };
    let label = settings.label(problem.key);
    let text = match settings.source_of(problem.key) {
        Some(source) => format!("{label} ({source}): {}", problem.text),
        None => problem.labeled(label),
    };
    say(word, &text);
}

/// Writes what is wrong with the form. Returns the exit code if that prevents the sign-in.
pub(super) fn check_form(settings: &Settings) -> Result<(), u8> {
    let problems = request::problems(settings);
    for problem in &problems {
        say_problem(problem, settings);
    }
    let hosts = problems.iter().filter_map(|problem| match &problem.remedy {
        Some(Remedy {
            change: Change::Trust { host, .. },
            ..
        }) => Some(host),
        _ => None,
    });
    for host in hosts.collect::<BTreeSet<_>>() {
        say(
            "hint",
            &format!("To trust that host, add --trust-host {host}."),
        );
    }
    request::request(settings)
        .map(drop)
        .map_err(|_| exit::USAGE)
}
