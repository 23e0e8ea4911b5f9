//! Saves settings and tokens as a profile, or the tokens to a file.

mod kept;
mod state;
#[cfg(test)]
mod tests;
mod view;

use ratatui::layout::Rect;

pub(super) use self::state::SaveProfile;
use self::state::{DialogId, Item};
use crate::profile::name::ProfileName;
use crate::profile::store_kind::StoreKind;
use crate::secret::SecretString;
use crate::session::content::Content;
use crate::session::profiles::ProfileNews;
use crate::session::profiles::SaveChoice;
use crate::session::{SessionEvent, Value};
use crate::tui::copies::save_dialog;
use crate::tui::dialog::{Answer, Dialog, Question};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, Navigation, Route, SaveFrom, Screen, Shortcut, UpdateContext, ViewContext,
    set_focus,
};
use crate::tui::widgets::draw::Body;

/// The answer that replaces a profile.
const REPLACE: &str = "Replace";

impl SaveProfile {
    fn save_as(&mut self, name: ProfileName, replace: bool, cx: &mut UpdateContext<'_>) {
        let store = match self.chosen_store(cx.view()) {
            Ok(store) => store,
            Err(item) => return set_focus(self, item, cx),
        };
        let choice = SaveChoice {
            from_tokens: self.has_token_settings(),
            machine: self.draft.machine,
            account: (self.has_account() && !self.draft.account.trim().is_empty())
                .then(|| self.draft.account.trim().to_owned()),
            replace,
            with_tokens: self.draft.with_tokens,
            with_secret: self.draft.with_secret,
            store,
        };
        let saved = cx.session.save_profile(name, choice);
        cx.start_save(saved);
    }

    fn try_to_save(&mut self, cx: &mut UpdateContext<'_>) {
        self.tried = true;
        match self.name() {
            Ok(name) => self.save_as(name, false, cx),
            Err(_) => set_focus(self, Item::Name, cx),
        }
    }

    /// Asks where to save the selected token, or all tokens.
    fn ask_where(&mut self, content: Content, before: Option<(&Content, SecretString)>) {
        let dialog = save_dialog(content, before, self.token());
        self.common.dialog = dialog.map(|dialog| Dialog {
            id: DialogId::File(dialog.id),
            kind: dialog.kind,
        });
    }

    /// Copies the entries to the session, so that they are there again when the screen is opened the next time.
    fn keep_draft(&self, cx: &mut UpdateContext<'_>) {
        cx.session.profiles.draft = Some(self.draft.clone());
    }

    fn token(&self) -> Value {
        match self.from {
            SaveFrom::Tokens(Some(value)) => value,
            SaveFrom::Tokens(None) | SaveFrom::Form => Value::Access,
        }
    }
}

impl Screen for SaveProfile {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::SaveProfile(self.from)
    }

    fn title(&self, _cx: ViewContext<'_>) -> String {
        "Save as a profile".to_owned()
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let mut items = vec![Entry::text(Item::Name, "Name").with_enter("save")];
        let places = cx.session.profiles.places.as_ref();
        if places.is_some_and(crate::profile::places::Places::has_machine) {
            items.push(Entry::choice(Item::For, "For"));
        }
        if self.has_account() {
            items.push(Entry::text(Item::UsedBy, "Used by").with_enter("save"));
        }
        items.push(Entry::choice(Item::Kept, "Kept in"));
        if self.kind(cx) == StoreKind::Command {
            items.push(Entry::text(Item::Read, "Read with").with_enter("save"));
            items.push(Entry::text(Item::Write, "Write with").with_enter("save"));
        }
        if self.has_tokens(cx) {
            items.push(Entry::choice(Item::Tokens, "Save tokens"));
        }
        if self.has_secret(cx) {
            items.push(Entry::choice(Item::Secret, "Save secret"));
        }
        items.push(Entry::button(Item::Save, "Save", 's'));
        if self.has_tokens(cx) {
            items.push(Entry::quiet(Item::File, "To a file instead…"));
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

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Name
            | Item::For
            | Item::UsedBy
            | Item::Kept
            | Item::Read
            | Item::Write
            | Item::Tokens
            | Item::Secret
            | Item::Save => self.try_to_save(cx),
            Item::File => {
                let attempt = cx.session.tokens.as_ref().map(|tokens| tokens.attempt);
                let content = attempt.map(|attempt| match self.from {
                    SaveFrom::Tokens(Some(value)) => Content::Token(value, attempt),
                    SaveFrom::Tokens(None) | SaveFrom::Form => Content::Json(attempt),
                });
                if let Some(content) = content {
                    self.ask_where(content, None);
                }
            }
            Item::Back => cx.go(Navigation::Back),
            Item::Help => cx.help(),
        }
    }

    fn text(&self, item: &Item, cx: ViewContext<'_>) -> SecretString {
        match item {
            Item::Name => self.draft.name.as_str().into(),
            Item::UsedBy => self.draft.account.as_str().into(),
            Item::Read | Item::Write => self.command(item, cx).into(),
            _ => SecretString::default(),
        }
    }

    fn edited(&mut self, item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Read | Item::Write => self.set_command(&item, text, cx.view()),
            Item::UsedBy => text.clone_into(&mut self.draft.account),
            _ => text.clone_into(&mut self.draft.name),
        }
        self.keep_draft(cx);
        cx.clear_message();
    }

    fn cleaned(
        &self,
        item: &Item,
        text: &str,
        _cx: ViewContext<'_>,
    ) -> (SecretString, Option<String>) {
        let text = text.trim();
        // A name never has quotation marks, but a command may.
        let text = match item {
            Item::Name => text.trim_matches(['"', '\'', '`']).trim(),
            _ => text,
        };
        (text.into(), None)
    }

    fn changed(&mut self, item: Item, by: isize, cx: &mut UpdateContext<'_>) {
        match item {
            Item::For => self.draft.machine = !self.draft.machine,
            Item::Kept => self.choose_store(by, cx.view()),
            Item::Tokens => self.draft.with_tokens = !self.draft.with_tokens,
            Item::Secret => self.draft.with_secret = !self.draft.with_secret,
            _ => {}
        }
        self.keep_draft(cx);
        cx.clear_message();
    }

    fn save(&mut self, cx: &mut UpdateContext<'_>) {
        self.try_to_save(cx);
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Replace(name), Answer::Button(REPLACE)) => self.save_as(name, true, cx),
            (DialogId::File(content), Answer::Text(path)) => {
                cx.emit(Effect::save(content, &path));
                cx.go(Navigation::Back);
            }
            // Switch between the single token and all tokens as JSON.
            (DialogId::File(content), Answer::Other(path)) => {
                if let Some(attempt) = content.tokens_of() {
                    let other = match &content {
                        Content::Json(_) => Content::Token(self.token(), attempt),
                        _ => Content::Json(attempt),
                    };
                    self.ask_where(other, Some((&content, path)));
                }
            }
            _ => {}
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        let exists = matches!(event, SessionEvent::Profile(ProfileNews::Exists));
        if let (true, Ok(name)) = (exists, self.name()) {
            let text = format!(
                "Its settings and tokens are replaced. Previous settings that differ are kept as {name}.toml.before."
            );
            let buttons = [(Shortcut::Letter('y'), REPLACE), (Shortcut::Esc, "Keep")];
            let question =
                Question::new(format!("Replace the profile \"{name}\"?"), text, &buttons);
            self.common.dialog = Some(Dialog::question(DialogId::Replace(name), question));
        }
        // After a refresh the dialog saves the new tokens. It closes if they lack what was to be saved.
        if let (SessionEvent::Tokens { .. }, Some(tokens)) = (event, &cx.session.tokens)
            && let Some(mut dialog) = self.common.dialog.take()
        {
            if let DialogId::File(content) = dialog.id {
                dialog.id = DialogId::File(content.of_attempt(tokens.attempt));
            }
            let there = match &dialog.id {
                DialogId::File(content) => content.text(cx.session).is_some(),
                DialogId::Replace(_) => true,
            };
            self.common.dialog = there.then_some(dialog);
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        // The list says whether a profile of this name exists, and where it stores its tokens.
        let list = cx.session.list_profiles();
        cx.out.effects.extend(list.map(Effect::Profile));
    }

    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        false
    }
}
