//! What is said about the item that has the focus: what is wrong with it, else what it is for.

use super::state::{Form, Item, remedied};
use crate::form::checks::{Problem, Severity};
use crate::form::settings::{ADVANCED, Key};
use crate::oauth::client::FlowKind;
use crate::presets::{Confidence, PkceMode};
use crate::tui::screen::ViewContext;

/// What is said about the focused item: what is wrong with it, else what it is for.
pub(super) fn hint(form: &Form, cx: ViewContext<'_>, problems: &[Problem]) -> (String, bool) {
    match &form.common.focus {
        Item::Field(key) => match problems.iter().find(|problem| problem.key == *key) {
            // A value not typed yet is a task, not a mistake.
            Some(problem) => (problem.text.clone(), problem.word != "missing" && problem.severity == Severity::Error),
            None => (purpose(cx, *key), false),
        },
        Item::ShowSecret => ("Shows the client secret on the screen, or hides it.".to_owned(), false),
        Item::Fix(key) => (
            remedied(cx, *key).map(|problem| problem.text).unwrap_or_default(),
            false,
        ),
        Item::ScopeList => ("Shows the scopes of this service and what each is for.".to_owned(), false),
        Item::Advanced if !form.advanced && problems.iter().any(|problem| ADVANCED.contains(&problem.key)) => {
            let problem = problems.iter().find(|problem| ADVANCED.contains(&problem.key));
            (problem.map(|problem| format!("{}: {}", cx.session.settings.label(problem.key), problem.text)).unwrap_or_default(), false)
        }
        Item::Advanced => ("Issuer, client authentication, extra parameters, login hint, PKCE, CA file, listen address and certificate.".to_owned(), false),
        Item::DiscoverIssuer => ("Asks the issuer for its metadata, and fills in the URLs that it names.".to_owned(), false),
        other => (button(cx, other), false),
    }
}

fn button(cx: ViewContext<'_>, item: &Item) -> String {
    match (item, cx.session.settings.flow()) {
        (Item::Authorize, FlowKind::DeviceCode) => {
            "Starts the device code flow: you get a code to enter in a browser on any device.".to_owned()
        }
        (Item::Authorize, FlowKind::AuthorizationCode) => {
            "Starts the authorization code flow: you get a URL to open in a browser that can reach the redirect URL.".to_owned()
        }
        (Item::Discover, _) => {
            "Asks the issuer for its metadata: endpoints, scopes, PKCE. What it names is filled in and locked.".to_owned()
        }
        (Item::About, _) => {
            "Shows what is known of this service: notes, mail servers, lifetimes, rules, and what was not verified.".to_owned()
        }
        (Item::Configure, _) => {
            "Shows what the listener of the Redirect URL needs on this machine: set up, verify, delete.".to_owned()
        }
        (Item::Tokens, _) => "Shows the tokens at hand.".to_owned(),
        (Item::Help, _) => "Shows all keys.".to_owned(),
        (Item::Quit, _) => "Leaves the program. Nothing is stored.".to_owned(),
        _ => String::new(),
    }
}

fn purpose(cx: ViewContext<'_>, key: Key) -> String {
    let settings = &cx.session.settings;
    let preset = settings.preset();
    let or = |text: &Option<String>, otherwise: &str| {
        text.clone().unwrap_or_else(|| otherwise.to_owned())
    };
    match key {
        Key::Preset => {
            let note = preset.confidence_note.as_ref().map(|note| format!(" {note}")).unwrap_or_default();
            let confidence = match (preset.confidence, preset.endpoints.issuer.is_some()) {
                (Confidence::High, _) => "",
                (Confidence::Medium | Confidence::Low, true) => {
                    " The facts of this preset are not certain: Discover asks the service itself."
                }
                (Confidence::Medium | Confidence::Low, false) => {
                    " The facts of this preset are not certain: compare them with the service's documentation."
                }
            };
            let where_to = preset.register_at.as_ref().map(|place| format!(" A client ID is to be had at: {place}.")).unwrap_or_default();
            format!("Enter opens the list of services. A preset fills and locks what it knows.{confidence}{note}{where_to}")
        }
        Key::Var(place) => {
            preset.variables.get(place).map(|variable| or(&variable.help, "Fills the URLs below.")).unwrap_or_default()
        }
        Key::ClientId => or(&preset.client_id_help, "As registered with the service."),
        Key::ClientSecret => or(&preset.client.secret_note, "Only where the service gave you one. It is sent to the Token ex. URL and nowhere else."),
        Key::Scope => {
            let list = if settings.scope_list().is_empty() { "" } else { " The list behind it says what each is for." };
            format!("What you ask permission for, with spaces between.{list}")
        }
        Key::Flow if settings.begins_elsewhere() && settings.flow() != preset.preferred() => {
            let why = preset.flows.why.as_deref().unwrap_or_default();
            format!("No browser can be opened here, so {} goes first. {why}", settings.flow().label().to_lowercase())
        }
        Key::Flow => or(&preset.flows.why, "Device code: approve on any device. Authorization code: the browser comes back to this machine."),
        Key::RedirectUrl => or(&preset.redirect.note, "Where the browser is sent back to, as registered. Port 0 takes any free port, where the service allows that."),
        Key::AuthorizationUrl => "The address of the sign-in page, from the service's documentation.".to_owned(),
        Key::DeviceUrl => "The address that gives out device codes, from the service's documentation.".to_owned(),
        Key::TokenUrl => "The address that gives out tokens; also used for the refresh.".to_owned(),
        Key::Issuer => "Who answers, exactly as the service names itself. If set, answers and ID tokens of others are refused.".to_owned(),
        Key::ClientAuthentication => "How the client secret is sent. Automatic does what the preset prefers, else the Basic header.".to_owned(),
        Key::ExtraParameters => {
            let known: Vec<&str> = preset.parameters.optional.keys().map(String::as_str).collect();
            let known = if known.is_empty() { String::new() } else { format!(" Known here: {}.", known.join(", ")) };
            format!("Sent with the first request, as name=value with & between them.{known}")
        }
        Key::LoginHint => "The account to sign in with, where the service takes a hint.".to_owned(),
        Key::Pkce => or(&preset.client.pkce_note, match preset.client.pkce {
            PkceMode::Required => "PKCE binds the code to this program; this service requires it.",
            PkceMode::Supported | PkceMode::Undocumented | PkceMode::Off => "PKCE binds the code to this program. Turn it off only if the documentation of the service says that it rejects PKCE.",
        }),
        Key::CaFile => "A file with the certificate of your own authority (PEM), trusted besides those of the system.".to_owned(),
        Key::ListenAddress => "An address of this machine to listen on, where a proxy leads from the redirect URL to here. Empty: as the redirect URL says.".to_owned(),
        Key::Certificate => "The certificate (PEM) for an https redirect URL on this machine. Empty: the one that Configure… created.".to_owned(),
        Key::CertificateKey => "The private key (PEM) of that certificate; may be the same file.".to_owned(),
    }
}
