//! Registration of this program with the service, from the form.

use super::hints::list_of;
use super::state::{DialogId, Form};
use crate::form::settings::{Key, Settings};
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::{Refused, Session};
use crate::tui::copies::save_dialog;
use crate::tui::dialog::{Dialog, Prompt};
use crate::tui::message::Effect;
use crate::tui::screen::{Message, UpdateContext};

impl Form {
    /// Asks for the initial access token, which most services don't require.
    pub(super) fn ask_initial_token(&mut self, settings: &Settings) {
        let replaced = if settings.value(Key::ClientId).trim().is_empty() {
            ""
        } else {
            " The Client ID and the client secret in the form are replaced."
        };
        let prompt = Prompt {
            title: "Register this program".to_owned(),
            lead: "Initial access token, if the service requires one:".to_owned(),
            note: format!(
                "Press Enter to register this program with the service, for this Flow, Scope and Redirect URL.{replaced}"
            ),
        };
        self.common.dialog = Some(Dialog::secret(DialogId::InitialToken, prompt));
    }

    /// Asks where to save the registered client.
    pub(super) fn ask_file(&mut self, before: Option<(&Content, SecretString)>) {
        let dialog = save_dialog(Content::Registration, before);
        self.common.dialog = dialog.map(|dialog| Dialog {
            id: DialogId::SaveRegistration,
            kind: dialog.kind,
        });
    }

    /// Registers this program with the settings of the form.
    pub(super) fn register(&mut self, initial_token: &SecretString, cx: &mut UpdateContext<'_>) {
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

/// Returns the message after a registration.
pub(super) fn sentence(filled: Option<&[Key]>, session: &Session) -> String {
    let mut text = match filled {
        Some(keys) => {
            let labels: Vec<&str> = keys.iter().map(|key| key.label()).collect();
            let is = if labels.len() == 1 { "is" } else { "are" };
            format!("{} {is} filled in.", list_of(&labels))
        }
        None => "The form is about another service now, so nothing is filled in.".to_owned(),
    };
    let client = session.registration.as_ref();
    if client.is_some_and(|client| client.secret_expires_at.is_some()) {
        text += " The client secret expires. The registration contains the time.";
    }
    if filled.is_none() || client.is_some_and(|client| client.access_token.is_some()) {
        text += " Keep the registration to change or delete it later: choose Copy registration or Save registration… under \
                 More.";
    }
    text
}
