//! The settings form, which the user fills in before a sign-in.

mod discovered;
mod hints;
mod info;
mod lists;
mod preset_list;
mod problems;
mod prospect;
mod registration;
mod state;
#[cfg(test)]
mod tests;
mod view;

use std::borrow::Cow;

use ratatui::layout::Rect;

use self::lists::{ANOTHER, choice, choices, keys, scopes};
pub(in crate::tui) use self::prospect::prospect;
pub(in crate::tui) use self::registration::SAVE_LABEL;
pub(super) use self::state::Form;
use self::state::{DialogId, Item, missing};
use crate::form::changed::changed;
use crate::form::clean_value::{clean_value, escapes_note, one_line};
use crate::form::field::{ADVANCED, Access, Key};
use crate::form::settings::Settings;
use crate::presets::format::mail_domain;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::profiles::ProfileNews;
use crate::session::work::Work;
use crate::tui::dialog::{Answer, Dialog, List, Reading};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Message, Navigation, Route, SaveFrom, Screen, UpdateContext,
    ViewContext, reload, set_focus,
};
use crate::tui::widgets::draw::Body;

impl Form {
    fn go_to(&mut self, key: Key, cx: &mut UpdateContext<'_>) {
        self.advanced |= ADVANCED.contains(&key);
        set_focus(self, Item::Field(key), cx);
    }

    fn go_to_missing(&mut self, cx: &mut UpdateContext<'_>) {
        match missing(cx.view()) {
            Some(key) => self.go_to(key, cx),
            None => set_focus(self, Item::Authorize, cx),
        }
    }

    /// Returns the button at the end of a field's row: its item, its label, and its letter.
    fn buttons_beside(
        cx: ViewContext<'_>,
        key: Key,
    ) -> Option<(Item, Cow<'static, str>, Option<char>)> {
        let settings = &cx.session.settings;
        let access = settings.access(key);
        let editable = access == Access::Editable;
        match key {
            Key::Var(place) if editable => {
                let variable = settings.preset().variables.get(place)?;
                let listed = !variable.choices.is_empty();
                listed.then_some((Item::Choices(place), "List".into(), None))
            }
            Key::Scope if editable && !settings.scope_list().is_empty() => {
                Some((Item::ScopeList, "List".into(), None))
            }
            Key::ClientKey if editable && cx.console.environment.windows => {
                Some((Item::KeyList, "List".into(), None))
            }
            Key::ClientId if editable && settings.registration_url().is_some() => {
                Some((Item::Register, "Register…".into(), None))
            }
            Key::RedirectUrl if matches!(access, Access::Editable | Access::Locked) => {
                Some((Item::Configure, "Configure…".into(), Some('g')))
            }
            _ => None,
        }
    }

    fn open_presets(&mut self, filter: &str, cx: &mut UpdateContext<'_>) {
        if let Err(error) = self.presets.load(&cx.session.library) {
            cx.warn(error.to_string());
            return;
        }
        let current = preset_list::key(cx.session.settings.preset(), false);
        let dialog = Dialog::filtered_list(DialogId::Presets, filter, &current);
        self.common.dialog = Some(dialog);
    }

    fn choose_preset(&mut self, key: &str, filter: &str, cx: &mut UpdateContext<'_>) {
        let Some((preset, again)) = self.presets.find(key) else {
            return;
        };
        let demo = preset.embedded_server;
        if cx.session.cancel_discovery() {
            // The discovery is about the service that was chosen before.
            cx.emit(Effect::Cancel);
        }
        if again {
            cx.session.settings.choose_custom_before(preset);
        } else {
            cx.session.settings.choose(preset);
        }
        self.secret_shown = false;
        cx.clear_message();
        self.tried = false;
        self.go_to_missing(cx);
        if demo {
            cx.emit(Effect::StartDemo);
        }
        if mail_domain(filter).is_some() {
            // The email address that found the preset is the account to sign in with.
            cx.session
                .settings
                .set(Key::LoginHint, filter.trim().to_owned());
        }
    }

    /// Opens the setup of the listener, if there is a redirect URL.
    fn configure(&mut self, cx: &mut UpdateContext<'_>) {
        let settings = &cx.session.settings;
        if !settings.value(Key::RedirectUrl).trim().is_empty() {
            cx.go(Navigation::Open(Route::Configure));
            return;
        }
        if settings.access(Key::RedirectUrl) == Access::Editable {
            set_focus(self, Item::Field(Key::RedirectUrl), cx);
        }
        cx.tell(Message::new(
            "Redirect URL",
            "Enter the redirect URL first, such as http://localhost:8400/callback. Configure… then sets up its listener.",
        ));
    }
}

impl Screen for Form {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Form(FormTarget::Missing)
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        let preset = &cx.session.settings.preset().name;
        let Some(name) = cx.session.profile() else {
            return preset.clone();
        };
        let changed = if cx.session.has_unsaved_changes() {
            " *"
        } else {
            ""
        };
        format!("{name}{changed} {} {preset}", cx.theme().dot())
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let settings = &cx.session.settings;
        let problems = settings.problems();
        let mut items = Vec::new();
        for key in settings.keys() {
            if key == ADVANCED[0] {
                let label = if self.advanced { "Hide" } else { "Show" };
                items.push(Entry::in_own_row(Item::Advanced, label));
            }
            if ADVANCED.contains(&key) && !self.advanced {
                continue;
            }
            let label = settings.label(key).to_owned();
            let item = Item::Field(key);
            let entry = match key {
                Key::Preset => Entry::search(item, label),
                Key::ClientSecret => {
                    let reveal = if self.secret_shown { "hide" } else { "show" };
                    Entry::text(item, label).with_hint("Ctrl+R", reveal)
                }
                _ if key.is_text() => Entry::text(item, label),
                _ => Entry::choice(item, label),
            };
            if settings.access(key) == Access::Editable {
                let problem = problems.iter().find(|problem| problem.key == key);
                let state = problem.map_or("", |problem| problem.word);
                items.push(entry.with_state(state));
            }
            if let Some((item, label, letter)) = Self::buttons_beside(cx, key) {
                let entry = Entry::beside(item, label);
                items.push(match letter {
                    Some(letter) => entry.with_letter(letter),
                    None => entry,
                });
            }
        }
        items.push(Entry::button(Item::Authorize, "Authorize", 'a'));
        if cx.session.tokens.is_some() {
            items.push(Entry::button(Item::Tokens, "Tokens", 't'));
        }
        if cx.session.profiles.places.is_some() {
            items.push(Entry::button(Item::Profiles, "Profiles…", 'p'));
            if !cx.session.can_save_profile(false) {
                // The demo can't be saved.
            } else if cx.session.profile().is_some() {
                let save_as = Entry::quiet(Item::SaveAs, "Save as…");
                items.push(Entry::button(Item::Save, "Save", 's'));
                items.push(save_as.under_more(hints::SAVE_AS));
            } else {
                items.push(Entry::button(Item::Save, "Save…", 's'));
            }
        }
        items.push(Entry::button(Item::Discover, "Discover", 'd'));
        if !settings.preset().is_custom() {
            items.push(Entry::button(Item::Info, "Info", 'i'));
        }
        if !cx.session.trace.is_empty() {
            items.push(Entry::button(Item::Trace, "Trace", 'e'));
        }
        if cx.session.registration.is_some() {
            let copy = Entry::quiet(Item::CopyRegistration, "Copy registration");
            let save = Entry::quiet(Item::SaveRegistration, SAVE_LABEL);
            items.push(copy.under_more(hints::COPY_REGISTRATION));
            items.push(save.under_more(hints::SAVE_REGISTRATION));
        }
        items.extend([
            Entry::more(Item::More),
            Entry::button(Item::Help, "Help", '?'),
        ]);
        if matches!(
            cx.session.work(),
            Some(Work::Discovering(_) | Work::Registering(_))
        ) {
            items.push(Entry::esc(Item::Cancel, "Cancel"));
        }
        items.push(Entry::quiet(Item::Quit, "Quit"));
        // Ctrl+F works on every item.
        if self.fixable(cx, problems).is_some() {
            for entry in &mut items {
                entry.fix = Some("fix".to_owned());
            }
        }
        if cx.session.has_unsaved_changes() {
            for entry in items.iter_mut().filter(|entry| entry.hint.is_none()) {
                entry.hint = Some(("Ctrl+S", "save"));
            }
        }
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
            Item::Field(Key::Preset) => self.open_presets("", cx),
            Item::Field(key) => {
                // If the focus can't move on, the message says why.
                self.tried |= missing(cx.view()) == Some(key);
                self.go_to_missing(cx);
            }
            Item::Choices(place) => {
                let id = DialogId::Choices(place);
                let value = choice(cx.view(), place);
                self.common.dialog = Some(Dialog::list_on(id, &value));
            }
            Item::ScopeList => self.common.dialog = Some(Dialog::list(DialogId::Scopes, true)),
            Item::KeyList => cx.emit(Effect::ListStoreKeys),
            Item::Advanced => self.advanced = !self.advanced,
            Item::Authorize => cx.ask_to_authorize(),
            Item::Configure => self.configure(cx),
            Item::Discover => self.discover(cx),
            Item::Register => self.ask_initial_token(cx.session),
            Item::CopyRegistration => cx.emit(Effect::Copy(Content::Registration)),
            Item::SaveRegistration => self.ask_file(None),
            Item::Info => self.common.dialog = Some(Dialog::reading(DialogId::Info)),
            Item::Tokens => cx.go(Navigation::Open(Route::Tokens)),
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::Profiles => cx.go(Navigation::Open(Route::Profiles)),
            Item::Save => cx.save_profile(SaveFrom::Form),
            Item::SaveAs => cx.go(Navigation::Open(Route::SaveProfile(SaveFrom::Form))),
            Item::More => cx.more(),
            Item::Help => cx.help(),
            Item::Cancel => cx.cancel(),
            Item::Quit => cx.quit(),
        }
    }

    fn save(&mut self, cx: &mut UpdateContext<'_>) {
        cx.save_profile(SaveFrom::Form);
    }

    fn text(&self, item: &Item, cx: ViewContext<'_>) -> SecretString {
        match item {
            Item::Field(Key::ClientSecret) => cx.session.settings.secret().clone(),
            Item::Field(key) if key.is_text() => cx.session.settings.value(*key).into(),
            _ => SecretString::default(),
        }
    }

    fn default_text(&self, item: &Item, cx: ViewContext<'_>) -> Option<String> {
        match item {
            Item::Field(key) => Some(cx.session.settings.preset_value(*key)),
            _ => None,
        }
    }

    fn edited(&mut self, item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        if let Item::Field(key) = item {
            cx.session.settings.set(key, text.to_owned());
            cx.clear_message();
        }
    }

    fn cleaned(
        &self,
        item: &Item,
        text: &str,
        _cx: ViewContext<'_>,
    ) -> (SecretString, Option<String>) {
        let Item::Field(key) = item else {
            return (text.into(), None);
        };
        // Text inserted into a value may end with a separating space.
        if !self.common.editor.text().is_empty() {
            return (one_line(*key, text).into(), escapes_note(text));
        }
        let cleaned = clean_value(*key, text);
        (one_line(*key, &cleaned.text).into(), cleaned.note)
    }

    fn not_saved(&mut self, content: Content, path: SecretString, _cx: &mut UpdateContext<'_>) {
        if let Content::Registration = content {
            self.ask_file(Some((&content, path)));
        }
    }

    fn changed(&mut self, item: Item, by: isize, cx: &mut UpdateContext<'_>) {
        let settings: &mut Settings = &mut cx.session.settings;
        match item {
            Item::Field(Key::Flow) => settings.set_flow(settings.next_flow(by)),
            Item::Field(Key::Pkce) => settings.set_pkce(!settings.pkce()),
            Item::Field(Key::ClientAuthentication) => {
                settings.set_authentication(settings.authentication().next(by));
            }
            _ => {}
        }
        cx.clear_message();
    }

    /// Applies the fix of the problem that is shown, and goes to its field.
    fn fix(&mut self, _item: Item, cx: &mut UpdateContext<'_>) {
        let problems = cx.session.settings.problems();
        let Some(problem) = self.fixable(cx.view(), problems) else {
            return;
        };
        let Some(remedy) = &problem.remedy else {
            return;
        };
        let is_editable =
            |cx: &UpdateContext<'_>| cx.session.settings.access(problem.key) == Access::Editable;
        // The editor has the old value, so that it can be undone.
        if is_editable(cx) {
            self.go_to(problem.key, cx);
        }
        cx.session.settings.apply(&remedy.change);
        let field = Item::Field(problem.key);
        if is_editable(cx) && self.common.focus == field {
            reload(self, cx.view());
        } else if is_editable(cx) {
            self.go_to(problem.key, cx);
        } else {
            self.go_to_missing(cx);
        }
        if !cx.session.settings.problems().contains(&problem) {
            let text = changed(&cx.session.settings, &remedy.change);
            cx.tell(Message::done("Changed", text));
        }
    }

    /// Typing on the Preset row begins a search.
    fn searched(&mut self, _item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        self.open_presets(text, cx);
    }

    fn reveal(&mut self, cx: &mut UpdateContext<'_>) {
        if !cx.session.settings.secret().expose_secret().is_empty() {
            self.secret_shown = !self.secret_shown;
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Presets, Answer::Picked { key, filter }) => {
                self.choose_preset(&key, &filter, cx);
            }
            (DialogId::Scopes, Answer::Ticked(scope)) => {
                cx.session.settings.toggle_scope(&scope);
            }
            (DialogId::Keys, Answer::Picked { key, .. }) => {
                self.go_to(Key::ClientKey, cx);
                cx.session.settings.set(Key::ClientKey, key);
                reload(self, cx.view());
            }
            (DialogId::InitialToken, Answer::Text(token)) => self.register(&token, cx),
            (DialogId::SaveRegistration, Answer::Text(path)) => {
                cx.emit(Effect::save(Content::Registration, &path));
            }
            (DialogId::Choices(place), Answer::Picked { key, .. }) => {
                self.go_to(Key::Var(place), cx);
                if key != ANOTHER {
                    cx.session.settings.set(Key::Var(place), key);
                    reload(self, cx.view());
                }
            }
            _ => {}
        }
    }

    fn list(&self, id: &DialogId, filter: &str, cx: ViewContext<'_>) -> List {
        match id {
            DialogId::Presets => self.presets.list(filter, &cx.session.settings),
            DialogId::Scopes => scopes(cx),
            DialogId::Keys => keys(&self.keys),
            DialogId::Choices(place) => choices(cx, *place),
            DialogId::Info | DialogId::InitialToken | DialogId::SaveRegistration => List::default(),
        }
    }

    fn reading(&self, _id: &DialogId, columns: usize, cx: ViewContext<'_>) -> Reading {
        info::info(cx, columns)
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        match event {
            SessionEvent::Discovered { filled, metadata } => {
                let there = self
                    .items(cx.view())
                    .iter()
                    .any(|entry| entry.item == self.common.focus);
                if !there {
                    self.go_to_missing(cx);
                }
                let text = discovered::sentence(filled, metadata, &cx.session.settings);
                cx.tell(Message::done("Discovered", text));
            }
            SessionEvent::DiscoveredOther => {
                cx.say("Issuer was changed in the meantime, so the metadata was not used.");
            }
            SessionEvent::DiscoveryFailed(error) => match cx.session.settings.issuer_problem() {
                Some(problem) => self.show(&problem, cx),
                None => cx.warn(format!("{} {}", error.sentence(), error.hint())),
            },
            SessionEvent::Registered { filled } => self.registered(filled.as_deref(), cx),
            SessionEvent::RegistrationFailed(error) => self.registration_failed(error, cx),
            SessionEvent::Profile(ProfileNews::Opened(..)) => {
                (self.secret_shown, self.tried) = (false, false);
            }
            SessionEvent::StoreKeys(Ok(keys)) => self.show_keys(keys),
            SessionEvent::StoreKeys(Err(error)) => cx.warn(error.clone()),
            SessionEvent::Presets => self.presets.reload(&cx.session.library),
            _ => {}
        }
    }

    fn entered(&mut self, route: Route, cx: &mut UpdateContext<'_>) {
        match route {
            Route::Form(FormTarget::Missing) => {
                self.tried = true;
                self.go_to_missing(cx);
                self.tell_untold(cx);
            }
            Route::Form(FormTarget::Field(key)) => self.go_to_explained(key, cx),
            _ => set_focus(self, Item::Authorize, cx),
        }
    }
}
