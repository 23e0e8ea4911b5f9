//! The questions before tokens, a registration or changes are lost: before quitting, and before a sign-in.

use super::dialog::Dialog;
use super::message::Effect;
use super::model::Model;
use super::root::{self, RootDialog};
use crate::session::{Session, TokenState};

/// Quits, or first asks if tokens, a registration or changes would be lost.
pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    let asked = model.dialog.as_ref().is_some_and(asks_to_leave);
    match ask_to_leave(model) {
        Some(dialog) if !asked => {
            model.dialog = Some(dialog);
            Vec::new()
        }
        _ => vec![Effect::Quit],
    }
}

/// Returns whether a dialog is a question before quitting.
pub(super) fn asks_to_leave(dialog: &Dialog<RootDialog>) -> bool {
    matches!(
        dialog.id,
        RootDialog::Leave
            | RootDialog::LeaveRegistration
            | RootDialog::LeaveRefresh
            | RootDialog::LeaveChanges
    )
}

/// Returns the question before quitting, if tokens, a registration or changes would be lost.
fn ask_to_leave(model: &Model) -> Option<Dialog<RootDialog>> {
    let session = &model.session;
    if let Some(tokens) = untaken(session) {
        let also = session.untaken_registration().is_some();
        return Some(root::leave(tokens, also, &model.console));
    }
    if let Some((client, taken)) = session.untaken_registration() {
        return Some(root::leave_registration(client, taken));
    }
    if session.may_lose_refresh_token() {
        return Some(root::leave_refresh());
    }
    let name = session
        .profile()
        .filter(|_| session.has_unsaved_changes())?;
    Some(root::leave_changes(name.as_str()))
}

/// Updates the question before quitting or before a sign-in, if it is open, to the tokens that would be lost now. Closes it
/// if none would be.
pub(super) fn ask_again(model: &mut Model) {
    match &model.dialog {
        Some(dialog) if asks_to_leave(dialog) => model.dialog = ask_to_leave(model),
        Some(dialog) if matches!(dialog.id, RootDialog::SignIn) => {
            model.dialog = ask_to_sign_in(model);
        }
        _ => {}
    }
}

/// Returns the question before a sign-in, if it would replace tokens that the user may not have.
pub(super) fn ask_to_sign_in(model: &Model) -> Option<Dialog<RootDialog>> {
    let tokens = untaken(&model.session)?;
    Some(root::sign_in(tokens, &model.console))
}

fn untaken(session: &Session) -> Option<&TokenState> {
    let tokens = session.tokens.as_ref();
    tokens.filter(|tokens| !tokens.untaken().is_empty())
}
