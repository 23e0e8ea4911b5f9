//! The message about the focused item: its problem, or else its purpose.

use super::state::{Form, Item, can_be_fixed, told};
use crate::clean::clean;
use crate::form::choices::AuthenticationChoice;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::oauth::flow_kind::FlowKind;
use crate::presets::{Confidence, PkceMode};
use crate::tui::screen::ViewContext;
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{first_sentence, lower_first};
use crate::words::sentence;

/// Returns the message: the problem of the focused field, or else of another field, or else the purpose of the focused
/// item.
pub(super) fn said(form: &Form, cx: ViewContext<'_>, problems: &[Problem]) -> Vec<Said> {
    if let Some(problem) = told(form, cx, problems) {
        return problem_said(cx, &problem);
    }
    if let Item::Field(key) = &form.common.focus
        && let Some(saved) = cx.session.saved_value(*key)
    {
        return changed_said(cx, *key, &saved);
    }
    match &form.common.focus {
        Item::Field(key) => purpose_said(cx, *key),
        item => vec![Said::new(name(item), button(cx, item))],
    }
}

/// Maximum number of characters of the saved value in a fix.
const SAVED: usize = 60;

/// Returns the previous value of a changed field, and the consequences of the change.
fn changed_said(cx: ViewContext<'_>, key: Key, saved: &str) -> Vec<Said> {
    let label = cx.session.settings.label(key);
    let was = match (key, saved.is_empty()) {
        (Key::ClientSecret, _) => format!("{label} differs from the saved one."),
        (_, true) => format!("{label} was empty."),
        (_, false) => format!("{label} was \"{saved}\"."),
    };
    let another = matches!(
        key,
        Key::Preset
            | Key::Var(_)
            | Key::ClientId
            | Key::Scope
            | Key::Flow
            | Key::KeyFile
            | Key::Subject
            | Key::TokenUrl
            | Key::ClientAuthentication
            | Key::ClientKey
            | Key::ClientCertificate
            | Key::CaFile
    );
    let after = if another {
        " After that, sign in again: the stored tokens belong to the earlier sign-in."
    } else {
        ""
    };
    let text = format!("{was} Scripts keep using the saved settings until you save.{after}");
    let undo = match (key, saved.is_empty()) {
        (Key::ClientSecret, _) => "enter the earlier client secret".to_owned(),
        (_, true) => "clear the field".to_owned(),
        (_, false) => {
            let verb = if key.is_text() { "enter" } else { "choose" };
            format!("{verb} the earlier value: {}", clean(saved, SAVED))
        }
    };
    let fix = format!("Ctrl+S saves the change. To undo it, {undo}");
    vec![Said::new("Changed", text), Said::new("Fix", sentence(&fix))]
}

/// Returns a problem, and how to fix it.
fn problem_said(cx: ViewContext<'_>, problem: &Problem) -> Vec<Said> {
    let (label, tone) = match problem.severity {
        Severity::Error => ("Problem", Tone::Bad),
        Severity::Warning => ("Warning", Tone::Warning),
    };
    let field = cx.session.settings.label(problem.key);
    // The problem may be that of another field than the focused one.
    let text = if problem.text.contains(field) {
        problem.text.clone()
    } else {
        format!("{field}: {}", problem.text)
    };
    let mut said = vec![Said::new(label, text).toned(tone)];
    match &problem.remedy {
        Some(remedy) if can_be_fixed(cx, problem) => {
            let fix = lower_first(&remedy.label);
            said.push(Said::new("Fix", sentence(format!("Press Ctrl+F to {fix}"))));
        }
        _ => said.extend(where_to(cx, problem.key)),
    }
    said
}

/// Returns where the service shows a value of the app registration.
fn where_to(cx: ViewContext<'_>, key: Key) -> Option<Said> {
    let registered = matches!(key, Key::ClientId | Key::ClientSecret);
    let place = cx.session.settings.preset().register_at.as_ref();
    let place = place.filter(|_| registered)?;
    Some(Said::new("Where", format!("{place}.")))
}

fn purpose_said(cx: ViewContext<'_>, key: Key) -> Vec<Said> {
    let settings = &cx.session.settings;
    let label = settings.label(key).to_owned();
    let text = purpose(cx, key);
    // The place gets its own row.
    let (text, place) = match (key, text.split_once(" Where: ")) {
        (Key::ClientId, Some((text, place))) => (text.to_owned(), Some(first_sentence(place))),
        _ => (text, None),
    };
    let mut said = vec![Said::new(label, text)];
    match place {
        Some(place) => said.push(Said::new("Where", place)),
        None if key == Key::ClientId => said.extend(where_to(cx, key)),
        None => {}
    }
    said
}

/// Returns the label of a button in the message area.
fn name(item: &Item) -> &'static str {
    match item {
        Item::Field(_) => "",
        Item::Choices(_) | Item::ScopeList | Item::KeyList => "List",
        Item::Configure => "Configure…",
        Item::Advanced => "Advanced",
        Item::Authorize => "Authorize",
        Item::Tokens => "Tokens",
        Item::Profiles => "Profiles",
        Item::Save => "Save",
        Item::SaveAs => "Save as",
        Item::Discover => "Discover",
        Item::Register => "Register…",
        Item::CopyRegistration => "Copy registration",
        Item::SaveRegistration => "Save registration…",
        Item::Info => "Info",
        Item::Trace => "Trace",
        Item::More => "More",
        Item::Help => "Help",
        Item::Cancel => "Cancel",
        Item::Quit => "Quit",
    }
}

fn button(cx: ViewContext<'_>, item: &Item) -> String {
    let text = match (item, cx.session.settings.flow()) {
        (Item::Choices(_), _) => "Pick one of the known values.",
        (Item::ScopeList, _) => "Pick from a list of known scopes.",
        (Item::KeyList, _) => "Pick a certificate of this machine that has a private key.",
        (Item::Configure, _) => "Set up or verify this machine's listener for the redirect.",
        (Item::Advanced, _) => {
            let count = cx.session.settings.advanced_keys().count();
            return format!("{count} fields that most services don't need.");
        }
        (Item::Authorize, FlowKind::DeviceCode) if is_demo(cx) => {
            "Start the sign-in. You get a code. Press y to approve it, or enter it in a browser on this machine."
        }
        (Item::Authorize, FlowKind::AuthorizationCode) if is_demo(cx) => {
            "Start the sign-in. You get a URL. Press y to approve it, or open it in a browser on this machine."
        }
        (Item::Authorize, FlowKind::DeviceCode) => {
            "Start the sign-in. You get a code to enter in any browser."
        }
        (Item::Authorize, FlowKind::AuthorizationCode) => {
            "Start the sign-in. You get a URL to open in a browser."
        }
        (Item::Authorize, FlowKind::ClientCredentials) => {
            "Request an access token for the client itself. No user signs in."
        }
        (Item::Authorize, FlowKind::JwtBearer) => {
            "Request an access token with the key file. No user signs in."
        }
        (Item::Tokens, _) => "Show the tokens of the last sign-in.",
        (Item::Profiles, _) => "List, open, rename and delete saved profiles.",
        (Item::Save, _) => match cx.session.profile() {
            Some(name) => return format!("Save these settings to the profile \"{name}\"."),
            None => "Save these settings, and the tokens if there are any, as a profile.",
        },
        (Item::SaveAs, _) => SAVE_AS,
        (Item::Discover, _) => "Fetch endpoints and scopes from the issuer's metadata.",
        (Item::Register, _) => "Register this program with the service, which returns a client ID.",
        (Item::CopyRegistration, _) => COPY_REGISTRATION,
        (Item::SaveRegistration, _) => SAVE_REGISTRATION,
        (Item::Info, _) => "Where to register, limits, token lifetimes, mail servers.",
        (Item::Trace, _) => "Show the last requests and responses. Secrets are redacted.",
        (Item::More, _) => "Show the other buttons.",
        (Item::Help, _) => "Keys of this screen, then all others.",
        (Item::Cancel, _) => "Stop the request to the service.",
        (Item::Quit, _) => "Quit. Unsaved settings and tokens are lost.",
        (Item::Field(_), _) => "",
    };
    text.to_owned()
}

/// Returns whether the preset is the demo, whose server only this machine can reach.
pub(super) fn is_demo(cx: ViewContext<'_>) -> bool {
    cx.session.settings.preset().embedded_server
}

/// The description of Copy registration under More.
pub(super) const COPY_REGISTRATION: &str = "Copy the registered client as JSON, with its secrets";
/// The description of Save registration under More.
pub(super) const SAVE_REGISTRATION: &str = "Save it to a file that only you can read";

/// Returns words as an enumeration within a sentence.
pub(super) fn list_of(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The description of Save as under More.
pub(super) const SAVE_AS: &str = "Save under another name";

fn purpose(cx: ViewContext<'_>, key: Key) -> String {
    let settings = &cx.session.settings;
    let preset = settings.preset();
    // Info shows the rest.
    let or = |text: &Option<String>, otherwise: &str| match text {
        Some(text) if key == Key::ClientId => text.clone(),
        Some(text) => first_sentence(text).to_owned(),
        None => otherwise.to_owned(),
    };
    match key {
        Key::Preset => preset_purpose(cx),
        Key::Var(place) => {
            let variable = preset.variables.get(place);
            variable.map(|variable| or(&variable.help, "Part of the URLs below.")).unwrap_or_default()
        }
        Key::ClientId => or(&preset.client_id_help, "The client ID of your app registration."),
        Key::ClientSecret if settings.client_authentication().uses_key() => {
            "Not used: the client authenticates with the Client key under Advanced.".to_owned()
        }
        Key::ClientSecret if !settings.flow().has_user() => {
            "Required: this flow has no user. It is sent to the token endpoint and nowhere else.".to_owned()
        }
        Key::ClientSecret => or(
            &preset.client.secret_note,
            "Required only if the service issued one. It is sent to endpoints of the service and nowhere else.",
        ),
        Key::Scope => {
            let list = if settings.scope_list().is_empty() {
                ""
            } else {
                " Choose List to pick from known scopes."
            };
            format!("Scopes to request, separated by spaces.{list}")
        }
        Key::Flow if settings.begins_elsewhere() && settings.flow() != preset.preferred() => {
            let why = preset.flows.why.as_deref().map_or("", first_sentence);
            format!(
                "{} is selected because no browser can be opened here. {why}",
                settings.flow().label()
            )
        }
        Key::Flow if settings.flow() == FlowKind::JwtBearer => {
            "Service account: no user signs in. Its key gets an access token for the account itself or for the Subject.".to_owned()
        }
        Key::Flow if !settings.flow().has_user() => {
            "Client credentials: no user signs in. The client gets an access token for itself.".to_owned()
        }
        Key::Flow => or(
            &preset.flows.why,
            "Device code: you enter a code in any browser. Best over SSH. Auth. code: the browser returns to this machine. No \
                user: client credentials. Service: a service account.",
        ),
        Key::KeyFile => {
            let help = preset.client.service_account_help.as_deref().unwrap_or_default();
            let text = format!("The path of the service account's key in JSON format, as downloaded. {help}");
            text.trim_end().to_owned()
        }
        Key::Subject => "The email address of the mailbox or user to act for. An administrator of that organization must allow \
                         this for the service account. If empty, the token is for the service account itself."
            .to_owned(),
        Key::RedirectUrl => or(
            &preset.redirect.note,
            "Where the browser returns after sign-in. Must match the URL registered with the service. Port 0 picks a free \
             port, if the service allows any port.",
        ),
        Key::AuthorizationUrl => {
            "Authorization endpoint (the sign-in page). See the service's documentation.".to_owned()
        }
        Key::DeviceUrl => "Device authorization endpoint. See the service's documentation.".to_owned(),
        Key::TokenUrl => "Token endpoint. Exchanges the code for tokens and refreshes them.".to_owned(),
        Key::Issuer => {
            "The expected issuer URL. Responses and ID tokens from any other issuer are rejected."
                .to_owned()
        }
        Key::ClientAuthentication => {
            let all = AuthenticationChoice::ALL.map(AuthenticationChoice::label).join(", ");
            format!("How the client authenticates. Left and Right choose: {all}.")
        }
        Key::ClientKey if cx.console.environment.windows => {
            "The private key of the client, instead of a client secret: a PEM file, or a certificate of this machine, such as \
              Cert:\\LocalMachine\\My\\THUMBPRINT. List shows the certificates."
                .to_owned()
        }
        Key::ClientKey => {
            "The private key (PEM) of the client, instead of a client secret: RSA, EC P-256, EC P-384 or Ed25519.".to_owned()
        }
        Key::ClientKeyId => {
            "The key ID (kid) that the service shows for the public key of the Client key. Required if several keys are \
             registered for this client. If empty, no key ID is sent."
                .to_owned()
        }
        Key::ClientCertificate => {
            "The certificate (PEM) of the Client key, if the service requires one. It may be in the same file.".to_owned()
        }
        Key::ExtraParameters => {
            let known: Vec<&str> = preset.parameters.optional.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                String::new()
            } else {
                format!(" Known to this service: {}.", known.join(", "))
            };
            format!(
                "Added to the authorization request, as name=value pairs separated by &, such as prompt=login, max_age=3600, \
                 acr_values, claims or resource. Protocol parameters, such as state, are not allowed.{known}"
            )
        }
        Key::LoginHint => "The account to sign in with, if the service supports a hint.".to_owned(),
        Key::Pkce => or(
            &preset.client.pkce_note,
            match preset.client.pkce {
                PkceMode::Required => "PKCE ties the code to this program. This service requires it.",
                PkceMode::Supported | PkceMode::Undocumented | PkceMode::Off => {
                    "PKCE ties the code to this program. Turn it off only if the service rejects PKCE."
                }
            },
        ),
        Key::CaFile => {
            "A PEM file with an additional CA certificate to trust."
                .to_owned()
        }
        Key::ListenAddress => {
            "The local address to listen on, if a proxy forwards the redirect URL to this machine. If empty, the address is \
             taken from the redirect URL."
                .to_owned()
        }
        Key::Certificate => {
            "The certificate (PEM) for an https redirect URL on this machine. If empty, the one that Configure… created is \
                used."
                .to_owned()
        }
        Key::CertificateKey => "The private key (PEM) of that certificate. It may be in the same file.".to_owned(),
    }
}

fn preset_purpose(cx: ViewContext<'_>) -> String {
    let preset = cx.session.settings.preset();
    if preset.is_custom() {
        return "Press Enter to choose a service, or type its name, such as gmail or office 365. The preset fills in and \
                locks its known settings."
            .to_owned();
    }
    let first = match (preset.confidence, preset.endpoints.issuer.is_some()) {
        (Confidence::High, _) => {
            return "Press Enter to choose another service, or type its name.".to_owned();
        }
        (Confidence::Medium | Confidence::Low, true) => {
            "This preset is unverified. Use Discover to check it against the service."
        }
        (Confidence::Medium | Confidence::Low, false) => {
            "This preset is unverified. Compare it with the service's documentation."
        }
    };
    match &preset.confidence_note {
        Some(note) => format!("{first} {note}"),
        None => first.to_owned(),
    }
}
