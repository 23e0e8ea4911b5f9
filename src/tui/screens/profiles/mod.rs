//! The list of profiles, the state of their tokens, and the actions on a profile.

mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use ratatui::layout::Rect;

pub(super) use self::state::Profiles;
use self::state::{DialogId, Item, all, label};
use crate::form::choices::Browser;
use crate::profile::name::ProfileName;
use crate::profile::places::Place;
use crate::secret::ExposeSecret;
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::profile_work::token_command;
use crate::session::profiles::{Opening, ProfileNews, ProfileTask};
use crate::tui::dialog::{Answer, Dialog, List, Prompt, Question, Reading};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, Navigation, Route, Screen, Shortcut, UpdateContext, ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;

/// With more profiles than this, the screen has a Find button.
const MANY: usize = 8;
/// The answer that deletes a profile.
const DELETE: &str = "Delete";
/// The answers if the tokens can be revoked.
const DELETE_AND_REVOKE: &str = "Delete and revoke";
const DELETE_ONLY: &str = "Delete only";
const OWN_FILES: &str = "Its settings and tokens are removed from this machine.";
/// The answer that opens another profile.
const OPEN: &str = "Open";
/// The answer that signs in with the saved settings.
const SIGN_IN: &str = "Sign in";

impl Profiles {
    /// Opens the selected profile, or first asks if changes or tokens would be lost.
    fn open(&mut self, opening: Opening, cx: &mut UpdateContext<'_>) {
        let Some(listed) = self.chosen(cx.view()) else {
            return;
        };
        let place = listed.place.clone();
        let session = &cx.session;
        let mut lost = Vec::new();
        if let Some(name) = session.profile().filter(|_| session.has_unsaved_changes()) {
            lost.push(format!("The changes to \"{name}\" are not saved."));
        } else if session.profile().is_none()
            && session.settings.would_lose_entries_to(&listed.preset)
        {
            lost.push("The values that you entered are not saved as a profile.".to_owned());
        }
        if session.has_untaken_tokens() {
            lost.push("The tokens of the last sign-in have not been copied or saved.".to_owned());
        }
        if lost.is_empty() {
            Self::start(&place, opening, cx);
            return;
        }
        let text = format!("{} They are lost if you continue.", lost.join(" "));
        let name = &place.name;
        let (title, button) = match opening {
            Opening::Authorize => (
                format!("Sign in with the saved settings of \"{name}\"?"),
                SIGN_IN,
            ),
            _ => (format!("Open the profile \"{name}\"?"), OPEN),
        };
        let buttons = [(Shortcut::Letter('y'), button), (Shortcut::Esc, "Keep")];
        let question = Question::new(title, text, &buttons);
        self.common.dialog = Some(Dialog::question(DialogId::Open(place, opening), question));
    }

    fn start(place: &Place, opening: Opening, cx: &mut UpdateContext<'_>) {
        let browser = Browser::of(cx.console.environment.has_browser());
        match cx.session.open_profile(place, opening, browser) {
            Ok(task) => cx.emit(Effect::Profile(task)),
            Err(refused) => cx.warn_refused(&refused),
        }
    }

    fn ask_name(&mut self, place: &Place, typed: &str, wrong: Option<String>) {
        let prompt = Prompt {
            title: format!("Rename the profile \"{}\"", place.name),
            lead: wrong.unwrap_or_else(|| "New name:".to_owned()),
            note: "Scripts that use the old name must be changed.".to_owned(),
        };
        let dialog = Dialog::line(DialogId::Rename(place.clone()), prompt, typed);
        self.common.dialog = Some(dialog);
    }

    fn rename(&mut self, place: Place, name: &str, cx: &mut UpdateContext<'_>) {
        match (
            name.parse::<ProfileName>(),
            cx.session.profiles.places.clone(),
        ) {
            (Err(error), _) => self.ask_name(&place, name, Some(format!("Problem: {error}."))),
            (Ok(to), _) if to.as_str() == place.name.as_str() => {}
            (Ok(to), _) if is_taken(&place, &to, cx.view()) => {
                let wrong =
                    format!("Problem: a profile named \"{to}\" exists. Enter another name.");
                self.ask_name(&place, name, Some(wrong));
            }
            (Ok(to), Some(places)) => {
                self.renamed = Some(to.to_string());
                cx.emit(Effect::Profile(ProfileTask::Rename(place, to, places)));
            }
            (Ok(_), None) => {}
        }
    }

    fn ask_to_delete(&mut self, cx: ViewContext<'_>) {
        let Some(listed) = self.chosen(cx) else {
            return;
        };
        let mut text = OWN_FILES.to_owned();
        let mut buttons = vec![(Shortcut::Letter('y'), DELETE)];
        match &listed.revocation {
            None => {}
            Some(Ok(())) => {
                text += "\nOther copies of its tokens keep working unless you revoke them.";
                buttons = vec![
                    (Shortcut::Letter('y'), DELETE_AND_REVOKE),
                    (Shortcut::None, DELETE_ONLY),
                ];
                if let Some(twin) = &listed.twin {
                    text = format!(
                        "{OWN_FILES}\nThe profile \"{twin}\" has the same refresh token, and stops working if you revoke it."
                    );
                    buttons = vec![
                        (Shortcut::Letter('y'), DELETE_ONLY),
                        (Shortcut::None, DELETE_AND_REVOKE),
                    ];
                }
            }
            Some(Err(why)) => {
                text += &format!(
                    "\nOther copies of its tokens keep working until they expire.\n\nRevoke isn't offered. {}",
                    why.reason
                );
                if let Some(instead) = &why.instead {
                    text += &format!("\n{instead}");
                }
            }
        }
        buttons.push((Shortcut::Esc, "Keep"));
        let title = format!("Delete the profile \"{}\"?", listed.place.name);
        let question = Question::new(title, text, &buttons);
        let id = DialogId::Delete(listed.place.clone());
        self.common.dialog = Some(Dialog::question(id, question));
    }

    /// Returns the row to focus: that of the selected profile, or else of the open profile, or else of the profile at
    /// the previous position.
    fn first(&self, cx: ViewContext<'_>) -> Option<Item> {
        let open = cx.session.profiles.open.as_ref();
        let all = all(cx);
        let is_open = |place: &Place| open.is_some_and(|open| open.place.is(place));
        let listed = self
            .chosen(cx)
            .or_else(|| all.iter().find(|listed| is_open(&listed.place)))
            .or_else(|| all.get(self.at))
            .or_else(|| all.last())?;
        Some(Item::Row(label(listed)))
    }
}

/// Returns whether another profile in the same folder has this name.
fn is_taken(place: &Place, name: &ProfileName, cx: ViewContext<'_>) -> bool {
    let renamed = place.renamed(name);
    let others = all(cx).iter().filter(|other| !other.place.is(place));
    others
        .map(|other| &other.place)
        .any(|other| other.is(&renamed))
}

impl Screen for Profiles {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Profiles
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        view::title(cx)
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let all = all(cx);
        let row = |listed| {
            let label = label(listed);
            Entry::line(Item::Row(label.clone()), label).with_enter("open")
        };
        let mut items: Vec<Entry<Item>> = all.iter().map(row).collect();
        if !all.is_empty() {
            items.extend([
                Entry::enter(Item::Open, "Open"),
                Entry::button(Item::Authorize, "Authorize", 'a'),
                Entry::button(Item::Check, "Check", 'k'),
                Entry::button(Item::MailTest, "Mail test", 'm'),
            ]);
            if all.len() > MANY {
                items.push(Entry::button(Item::Find, "Find", '/'));
            }
            items.extend([
                Entry::del(Item::Delete, "Delete…"),
                Entry::more(Item::More),
                Entry::quiet(Item::Rename, "Rename…").under_more(view::RENAME),
                Entry::quiet(Item::CopyCommand, "Copy command").under_more(view::COMMAND),
            ]);
        }
        items.extend([
            Entry::esc(Item::Back, "Back"),
            Entry::button(Item::Help, "Help", '?'),
        ]);
        items
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, _page: u16) -> Body {
        view::body(self, cx, area)
    }

    fn more() -> Option<Item> {
        Some(Item::More)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Row(_) | Item::Open => self.open(Opening::Form, cx),
            Item::Authorize => self.open(Opening::Authorize, cx),
            Item::MailTest => self.open(Opening::MailTest, cx),
            Item::Check => {
                let place = self.chosen(cx.view()).map(|listed| listed.place.clone());
                let task = place.map(ProfileTask::Check);
                cx.out.effects.extend(task.map(Effect::Profile));
            }
            Item::Find => {
                self.common.dialog = Some(Dialog::filtered_list(DialogId::Find, "", &self.chosen));
            }
            Item::Delete => self.ask_to_delete(cx.view()),
            Item::More => cx.more(),
            Item::Rename => {
                let place = self.chosen(cx.view()).map(|listed| listed.place.clone());
                if let Some(place) = place {
                    self.ask_name(&place, place.name.as_str(), None);
                }
            }
            Item::CopyCommand => {
                let chosen = self.chosen(cx.view());
                let command = chosen.and_then(|listed| token_command(&listed.place));
                let content = command.map(|command| Content::Text("command", command));
                cx.out.effects.extend(content.map(Effect::Copy));
            }
            Item::Back => cx.go(Navigation::Back),
            Item::Help => cx.help(),
        }
    }

    fn focused(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        if let Item::Row(name) = item {
            let at = all(cx.view())
                .iter()
                .position(|listed| label(listed) == name);
            self.at = at.unwrap_or(0);
            self.chosen = name;
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Find, Answer::Picked { key, .. }) => set_focus(self, Item::Row(key), cx),
            (
                DialogId::Delete(place),
                Answer::Button(button @ (DELETE | DELETE_ONLY | DELETE_AND_REVOKE)),
            ) => {
                let revoke = button == DELETE_AND_REVOKE;
                cx.emit(Effect::Profile(ProfileTask::Delete { place, revoke }));
            }
            (DialogId::Open(place, opening), Answer::Button(OPEN | SIGN_IN)) => {
                Self::start(&place, opening, cx);
            }
            (DialogId::Rename(place), Answer::Text(name)) => {
                self.rename(place, name.expose_secret(), cx);
            }
            (DialogId::Rename(place), Answer::Other(name)) => {
                self.ask_name(&place, name.expose_secret(), None);
            }
            _ => {}
        }
    }

    fn list(&self, _id: &DialogId, filter: &str, cx: ViewContext<'_>) -> List {
        view::found(cx, filter)
    }

    fn reading(&self, id: &DialogId, columns: usize, cx: ViewContext<'_>) -> Reading {
        match id {
            DialogId::Checked(place, forecast) => view::checked(cx, place, forecast, columns),
            _ => Reading::default(),
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        match event {
            SessionEvent::Profile(ProfileNews::Listed) => {}
            SessionEvent::Profile(ProfileNews::Checked(place, forecast)) => {
                // Unless another dialog was opened in the meantime.
                if self.common.dialog.is_none() {
                    let id = DialogId::Checked(place.clone(), forecast.clone());
                    self.common.dialog = Some(Dialog::reading(id));
                }
                return;
            }
            // Another process may have renamed or deleted the profile.
            SessionEvent::Profile(ProfileNews::Failed(_)) => {
                let list = cx.session.list_profiles();
                cx.out.effects.extend(list.map(Effect::Profile));
                return;
            }
            _ => return,
        }
        let there = |name: &String| all(cx.view()).iter().any(|listed| label(listed) == *name);
        if let Some(name) = self.renamed.take().filter(there) {
            self.chosen = name;
        }
        // The list was not loaded before, or the focused profile is gone.
        let moves = match &self.common.focus {
            Item::Back => self.chosen.is_empty(),
            Item::Row(name) => *name != self.chosen || !there(name),
            _ => !there(&self.chosen),
        };
        if let Some(first) = self.first(cx.view()).filter(|_| moves) {
            set_focus(self, first, cx);
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        if let Some(first) = self.first(cx.view()) {
            set_focus(self, first, cx);
        }
        let list = cx.session.list_profiles();
        cx.out.effects.extend(list.map(Effect::Profile));
    }

    fn tick(&self, _cx: ViewContext<'_>) -> Option<Duration> {
        Some(Duration::from_mins(1))
    }
}
