//! Discovery of an issuer's metadata, and the message after it.

use super::state::{Form, Item};
use crate::clean::clean;
use crate::form::choices::Overwrite;
use crate::form::field::{Access, Key};
use crate::form::settings::Settings;
use crate::oauth::discovery::Metadata;
use crate::session::Refused;
use crate::tui::message::Effect;
use crate::tui::screen::{Message, UpdateContext, set_focus};

/// Returns the message that says where the metadata was found, what it filled in, and what else it contains.
pub(super) fn sentence(filled: &[Key], metadata: &Metadata, settings: &Settings) -> String {
    let mut parts: Vec<String> = filled.iter().map(|key| key.label().to_owned()).collect();
    match parts.last_mut() {
        Some(last) => last.push_str(" (now locked)"),
        None => parts.push("no additional endpoints".to_owned()),
    }
    if !metadata.scopes.is_empty() {
        parts.push(format!("{} scopes", metadata.scopes.len()));
    }
    let methods = metadata.pkce_methods.iter().flatten();
    if methods.into_iter().any(|method| method == "S256") {
        parts.push("PKCE S256".to_owned());
    }
    if metadata.iss_in_answers {
        parts.push("responses include the issuer".to_owned());
    }
    if settings.registration_url().is_some() {
        parts.push("registration of this program".to_owned());
    }
    let undo = match settings.access(Key::Issuer) {
        Access::Editable => " Changing Issuer undoes this.",
        Access::Locked | Access::OtherFlow | Access::NotOffered => "",
    };
    let source = clean(metadata.source.as_str(), 100);
    let found = parts.join(", ");
    format!("Found in the issuer's metadata: {found}.{undo} Source: {source}")
}

impl Form {
    /// Requests the metadata of the issuer, or shows what is missing for the request.
    pub(super) fn discover(&mut self, cx: &mut UpdateContext<'_>) {
        match cx.session.discover(Overwrite::Everything) {
            Ok(started) => {
                cx.emit(Effect::Start(started));
                cx.tell(Message::new("Waiting", "for the issuer's metadata."));
                // The new request clears the trace, and with it the Trace button.
                if self.common.focus == Item::Trace {
                    set_focus(self, Item::Discover, cx);
                }
            }
            Err(Refused::NoIssuer) => {
                self.go_to(Key::Issuer, cx);
                cx.tell(Message::new(
                    "Issuer",
                    "Enter the service's issuer URL, such as https://login.example.com, then choose Discover to fetch its \
                     endpoints. An email address finds the preset of its mail service.",
                ));
            }
            Err(Refused::MailAddress(address)) => self.open_presets(&address, cx),
            Err(Refused::Form(problems)) => {
                // The field shows the problem and the fix.
                self.tried = true;
                if let Some(problem) = problems.into_iter().next() {
                    self.show(&problem, cx);
                }
            }
            Err(refused) => cx.warn_refused(&refused),
        }
    }
}
