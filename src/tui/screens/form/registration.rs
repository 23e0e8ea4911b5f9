//! Registration of this program with the service, from the form.

use super::hints::list_of;
use super::state::{DialogId, Form};
use crate::flow::event::FlowError;
use crate::form::field::Key;
use crate::oauth::registration::{Different, Registered};
use crate::secret::SecretString;
use crate::session::clock::Moment;
use crate::session::content::Content;
use crate::session::{Refused, Session, Value};
use crate::tui::copies::save_dialog;
use crate::tui::dialog::{Dialog, Prompt};
use crate::tui::message::Effect;
use crate::tui::screen::{Message, UpdateContext};

/// The button that saves the registration to a file.
pub(in crate::tui) const SAVE_LABEL: &str = "Save registration…";

impl Form {
    /// Asks for the initial access token, which most services don't require. Says if the previous registration would be
    /// lost.
    pub(super) fn ask_initial_token(&mut self, session: &Session) {
        let is_empty = session.settings.value(Key::ClientId).trim().is_empty();
        let (lost, replaced) = match (session.untaken_registration(), is_empty) {
            (Some(_), _) => (
                "This replaces the registration, which has not been copied or saved. ",
                "",
            ),
            (None, false) => (
                "",
                " The Client ID and the client secret in the form are replaced.",
            ),
            (None, true) => ("", ""),
        };
        let prompt = Prompt {
            title: "Register this program".to_owned(),
            lead: format!("{lost}Initial access token, if the service requires one:"),
            note: format!(
                "Press Enter to register this program with the service, for this Flow, Scope and Redirect URL.{replaced}"
            ),
        };
        // After a registration that failed, the token need not be entered again. It is never sent to another service.
        let before = self.initial_token.as_ref();
        let before = before.filter(|(url, _)| session.settings.registration_url() == Some(url));
        let token = before.map(|(_, token)| token.clone()).unwrap_or_default();
        self.common.dialog = Some(Dialog::secret(DialogId::InitialToken, prompt, &token));
    }

    /// Asks where to save the registered client.
    pub(super) fn ask_file(&mut self, before: Option<(&Content, SecretString)>) {
        let dialog = save_dialog(Content::Registration, before, Value::Access);
        self.common.dialog = dialog.map(|dialog| Dialog {
            id: DialogId::SaveRegistration,
            kind: dialog.kind,
        });
    }

    /// Shows what the service registered.
    pub(super) fn registered(&mut self, filled: Option<&[Key]>, cx: &mut UpdateContext<'_>) {
        self.secret_shown = false;
        self.initial_token = None;
        if filled.is_some() {
            self.go_to_missing(cx);
        }
        let text = sentence(filled, cx.session, cx.console.now);
        cx.tell(Message::done("Registered", text));
    }

    /// Shows why the registration failed. An initial access token that the service rejected is not used again.
    pub(super) fn registration_failed(&mut self, error: &FlowError, cx: &mut UpdateContext<'_>) {
        if matches!(error, FlowError::Protocol(failure) if failure.rejects_initial_token()) {
            self.initial_token = None;
        }
        cx.warn(format!("{} {}", error.sentence(), error.hint()));
    }

    /// Registers this program with the settings of the form.
    pub(super) fn register(&mut self, initial_token: &SecretString, cx: &mut UpdateContext<'_>) {
        let url = cx.session.settings.registration_url();
        self.initial_token = url.map(|url| (url.clone(), initial_token.clone()));
        match cx.session.register(initial_token) {
            Ok(started) => {
                cx.emit(Effect::Start(started));
                cx.tell(Message::new(
                    "Waiting",
                    "for the service to register this program.",
                ));
            }
            Err(Refused::Form(problems)) => {
                self.tried = true;
                if let Some(problem) = problems.into_iter().next() {
                    self.show(&problem, cx);
                }
            }
            Err(refused) => cx.warn_refused(&refused),
        }
    }
}

/// A client secret that expires in less than this, in seconds, expires soon.
const SOON: i64 = 30 * DAY;
const DAY: i64 = 24 * 60 * 60;

/// Returns when the client secret expires, as a sentence.
fn expiry(at: u64, now: Moment) -> String {
    let left = i64::try_from(at)
        .unwrap_or(i64::MAX)
        .saturating_sub(now.unix);
    let time = now.local_in(left).strftime("%Y-%m-%d at %H:%M");
    match left {
        ..=0 => format!(
            "The client secret has already expired, on {time}: check this machine's clock, or ask the service's administrator."
        ),
        1..DAY => format!("The client secret expires in less than a day, on {time}."),
        DAY..SOON => {
            let days = left / DAY;
            let many = if days == 1 { "" } else { "s" };
            format!("The client secret expires in {days} day{many}, on {time}.")
        }
        _ => format!("The client secret expires on {time}."),
    }
}

/// Returns what the service registered in place of what the form requested, as a sentence.
fn difference(different: &[Different]) -> String {
    let one = |it: &Different| {
        let name = match it.name {
            "redirect_uris" => Key::RedirectUrl.label(),
            "scope" => Key::Scope.label(),
            "token_endpoint_auth_method" => Key::ClientAuthentication.label(),
            "grant_types" => "grant types",
            other => other,
        };
        match it.registered.as_str() {
            "" => format!("{name} (none)"),
            registered => format!("{name} ({registered})"),
        }
    };
    let all: Vec<String> = different.iter().map(one).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    format!(
        "The service registered other values than requested: {}. If it rejects a sign-in, use these values in the form.",
        list_of(&all)
    )
}

/// Returns the message after a registration.
fn sentence(filled: Option<&[Key]>, session: &Session, now: Moment) -> String {
    let mut text = match filled {
        Some(keys) => {
            let labels: Vec<&str> = keys.iter().map(|key| key.label()).collect();
            let is = if labels.len() == 1 { "is" } else { "are" };
            format!("{} {is} filled in.", list_of(&labels))
        }
        None => "The form is now set to another service, so nothing was filled in.".to_owned(),
    };
    let client = session.registration.as_ref().map(|it| &*it.client);
    let wrong = client.and_then(Registered::secret_problem);
    if let Some(problem) = &wrong {
        text += &format!(
            " The client secret from the service {problem}, so it isn't filled in: ask the service's administrator for another."
        );
    }
    if let Some(client) = client {
        if client.pending {
            text += " The service may not have finished the registration (status 202). If it rejects the client, try again later.";
        }
        if !client.different.is_empty() {
            text += &format!(" {}", difference(&client.different));
        }
        if let Some(at) = client
            .secret_expires_at
            .filter(|_| client.client_secret.is_some())
        {
            text += &format!(" {}", expiry(at, now));
        }
    }
    if filled.is_none()
        || wrong.is_some()
        || client.is_some_and(|client| client.access_token.is_some())
    {
        text += " Keep the registration to change or delete it later: choose Copy registration or Save registration… under \
                 More.";
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_expiry_is_local_and_warned_about_if_soon() {
        let now = Moment {
            local: jiff::civil::date(2026, 11, 28).at(12, 0, 0, 0),
            unix: 1_000_000,
            ..Moment::default()
        };
        for (seconds, told) in [
            (0, "has already expired, on 2026-11-28 at 12:00: check"),
            (-90_000, "has already expired, on 2026-11-27 at 11:00"),
            (60, "expires in less than a day, on 2026-11-28 at 12:01."),
            (DAY, "expires in 1 day, on 2026-11-29 at 12:00."),
            (SOON - 1, "expires in 29 days, on 2026-12-28 at 11:59."),
            (SOON, "The client secret expires on 2026-12-28 at 12:00."),
        ] {
            let at = u64::try_from(now.unix + seconds).unwrap_or_default();
            let text = expiry(at, now);
            assert!(text.contains(told), "{seconds}: {text}");
        }
        assert!(expiry(u64::MAX, now).contains("on 9999-12-31"));
    }

    #[test]
    fn differences_in_registered_values_are_reported() {
        let different = |name, registered: &str| Different {
            name,
            registered: registered.to_owned(),
        };
        let text = difference(&[
            different("redirect_uris", "http://localhost/cb"),
            different("grant_types", ""),
            different("token_endpoint_auth_method", "client_secret_post"),
        ]);
        assert_eq!(
            text,
            "The service registered other values than requested: Redirect URL (http://localhost/cb), grant types (none) and \
             Client auth. (client_secret_post). If it rejects a sign-in, use these values in the form."
        );
    }
}
