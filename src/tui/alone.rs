//! Shows values alone.

use super::model::Model;
use super::root::{self, Alone, RootDialog};
use super::view::is_too_small;
use crate::secret::SecretString;
use crate::session::Taken;
use crate::session::content::Content;

/// Shows a value alone on the program's screen if it fits; otherwise asks whether to show it on the shell's screen.
/// Returns whether the screen must be redrawn.
pub(super) fn show_alone(model: &mut Model, content: Content, value: SecretString) -> bool {
    let fits = root::fits(&value, model.console.size);
    if fits {
        model.session.took(&content, Taken::Viewed);
        model.alone = Some(Alone::OnScreen(content, value));
    } else {
        model.dialog = Some(root::scrollback(content, value));
    }
    fits
}

/// Shows the value again after the size of the window has changed, because the terminal may have cut it. If it no longer
/// fits, asks; but in a window that is too small for the question, the value waits for a larger window. If it fits now,
/// the question is closed. Returns whether the screen must be redrawn.
pub(super) fn show_alone_again(model: &mut Model) -> bool {
    let size = model.console.size;
    let asked = model.dialog.as_ref().map(|dialog| &dialog.id);
    let (content, value) = match (&model.alone, asked) {
        (Some(Alone::OnScreen(_, value)), _) if is_too_small(size) && !root::fits(value, size) => {
            return true;
        }
        (Some(Alone::OnScreen(content, value)), _) => (content.clone(), value.clone()),
        (None, Some(RootDialog::Scrollback(content, value))) if root::fits(value, size) => {
            (content.clone(), value.clone())
        }
        _ => return false,
    };
    model.alone = None;
    let is_about_it = |id: &RootDialog| matches!(id, RootDialog::Scrollback(..));
    model.dialog.take_if(|dialog| is_about_it(&dialog.id));
    show_alone(model, content, value);
    true
}
