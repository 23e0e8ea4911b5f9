//! The settings form: what is asked of the user before a sign-in.

mod about;
mod discovered;
mod hints;
mod preset_list;
mod state;
#[cfg(test)]
mod tests;
mod view;

use ratatui::layout::Rect;
use ratatui::text::Line;

pub(super) use self::state::Form;
use self::state::{DialogId, Item, can_be_fixed, missing, remedied};
pub(in crate::tui) use self::view::prospect;
use crate::form::clean_value::{clean_value, one_line};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, Key, Overwrite};
use crate::oauth::client::FlowKind;
use crate::presets::format::mail_domain;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::{Refused, SessionEvent};
use crate::tui::dialog::{Answer, Dialog, List, ListEntry};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, FormTarget, Navigation, Route, Screen, UpdateContext, ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;

impl Form {
    fn go_to(&mut self, key: Key, cx: &mut UpdateContext<'_>) {
        self.advanced |= ADVANCED.contains(&key);
        set_focus(self, Item::Field(key), cx);
    }

    fn go_to_missing(&mut self, cx: &mut UpdateContext<'_>) {
        match missing(cx.view()) {
            Some((key, item)) => {
                self.advanced |= ADVANCED.contains(&key);
                set_focus(self, item, cx);
            }
            None => set_focus(self, Item::Authorize, cx),
        }
    }

    /// From the explanation of an error to the field to change.
    fn go_to_explained(&mut self, key: Key, cx: &mut UpdateContext<'_>) {
        self.go_to(key, cx);
        if cx.session.settings.access(key) != Access::Editable {
            // The preset knows it: another preset, or Custom settings, is what can be changed.
            set_focus(self, Item::Field(Key::Preset), cx);
            let label = cx.session.settings.label(key).to_owned();
            cx.say(format!(
                "The {label} is set by the preset. Choose another preset, or Custom settings to change it."
            ));
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
            // It was about the service that was chosen before.
            cx.emit(Effect::Cancel);
        }
        if again {
            cx.session.settings.choose_custom_before(preset);
        } else {
            cx.session.settings.choose(preset);
        }
        self.secret_shown = false;
        cx.clear_message();
        // To the first thing that the new preset needs; custom settings begin at the top.
        if cx.session.settings.preset().is_custom() {
            let items = self.items(cx.view());
            let at = items
                .iter()
                .position(|entry| entry.item == self.common.focus);
            let next = at.map_or(0, |at| (at + 1) % items.len());
            if let Some(entry) = items.into_iter().nth(next) {
                set_focus(self, entry.item, cx);
            }
        } else {
            self.go_to_missing(cx);
        }
        if demo {
            cx.emit(Effect::StartDemo);
        }
        if mail_domain(filter).is_some() {
            // The address that found the preset is the account to sign in with.
            cx.session
                .settings
                .set(Key::LoginHint, filter.trim().to_owned());
        }
    }

    fn discover(&mut self, cx: &mut UpdateContext<'_>) {
        match cx.session.discover(Overwrite::Everything) {
            Ok(started) => {
                cx.emit(Effect::Start(started));
                cx.say("Asking the issuer for its metadata.");
                // The button for the trace goes with the trace.
                if self.common.focus == Item::Trace {
                    set_focus(self, Item::Discover, cx);
                }
            }
            Err(Refused::NoIssuer) => {
                self.go_to(Key::Issuer, cx);
                cx.say(
                    "Type the Issuer: the address by which the service names itself, such as https://login.example.com. Then \
                     Discover asks it for its endpoints. An e-mail address finds the preset of its mail service.",
                );
            }
            Err(Refused::MailAddress(address)) => self.open_presets(&address, cx),
            Err(Refused::Form(problems)) => {
                for problem in problems {
                    self.go_to(problem.key, cx);
                    cx.warn(problem.text);
                }
            }
            Err(refused) => cx.warn_refused(&refused),
        }
    }

    /// Opens the set-up of the listener, where there is something to listen for.
    fn configure(&mut self, cx: &mut UpdateContext<'_>) {
        let settings = &cx.session.settings;
        if !settings.value(Key::RedirectUrl).trim().is_empty() {
            cx.go(Navigation::Open(Route::Configure));
            return;
        }
        if settings.access(Key::RedirectUrl) == Access::Editable {
            set_focus(self, Item::Field(Key::RedirectUrl), cx);
        }
        cx.say(
            "Configure… sets up the listener of the Redirect URL, and there is none yet. Type one, such as \
             http://localhost:8400/callback, with the authorization code flow.",
        );
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
        cx.session.settings.preset().name.clone()
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let settings = &cx.session.settings;
        let problems = request::problems(settings);
        let mut items = Vec::new();
        for key in settings.keys() {
            if key == ADVANCED[0] {
                items.push(Entry::beside(Item::Advanced, "Advanced"));
            }
            let folded = ADVANCED.contains(&key) && !self.advanced;
            if folded {
                continue;
            }
            let editable = settings.access(key) == Access::Editable;
            let label = settings.label(key).to_owned();
            let mut of_field = problems.iter().filter(|problem| problem.key == key);
            let state = of_field.clone().next().map_or("", |problem| problem.word);
            let fix = of_field
                .find(|problem| can_be_fixed(cx, problem))
                .and_then(|problem| Some(problem.remedy.as_ref()?.label.clone()));
            let item = Item::Field(key);
            let entry = match key {
                Key::Preset => Entry::line(item, label),
                _ if key.is_text() => Entry::text(item, label),
                _ => Entry::choice(item, label),
            };
            if editable {
                items.push(entry.with_state(state).with_fix(fix.clone()));
            }
            if let Some(label) = fix {
                let entry = Entry::beside(Item::Fix(key), label.clone());
                items.push(entry.with_fix(Some(label)));
            }
            match key {
                _ if !editable => {}
                Key::ClientSecret if !settings.secret().expose_secret().is_empty() => {
                    let label = if self.secret_shown { "Hide" } else { "Show" };
                    items.push(Entry::beside(Item::ShowSecret, label));
                }
                Key::Scope if !settings.scope_list().is_empty() => {
                    items.push(Entry::beside(Item::ScopeList, "List"));
                }
                Key::Issuer if !settings.value(key).trim().is_empty() => {
                    items.push(Entry::beside(Item::DiscoverIssuer, "Discover"));
                }
                _ => {}
            }
        }
        let configure = if cx.theme().utf8 {
            "Configure…"
        } else {
            "Configure..."
        };
        items.extend([
            Entry::button(Item::Authorize, "Authorize", 'a'),
            Entry::button(Item::Configure, configure, 'g'),
            Entry::button(Item::Discover, "Discover", 'd'),
        ]);
        if !settings.preset().is_custom() {
            items.push(Entry::button(Item::About, "About", 'i'));
        }
        if cx.session.tokens.is_some() {
            items.push(Entry::button(Item::Tokens, "Tokens", 't'));
        }
        if !cx.session.trace.is_empty() {
            items.push(Entry::button(Item::Trace, "Trace", 'e'));
        }
        items.extend([
            Entry::button(Item::Help, "Help", '?'),
            Entry::button(Item::Quit, "Quit", 'q'),
        ]);
        items
    }

    fn body(&self, cx: ViewContext<'_>, area: Rect, _page: u16) -> Body {
        view::body(self, cx, area.width)
    }

    fn activate(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        match item {
            Item::Field(Key::Preset) => self.open_presets("", cx),
            Item::Field(_) => self.go_to_missing(cx),
            Item::Fix(key) => self.fix(Item::Field(key), cx),
            Item::ShowSecret => self.secret_shown = !self.secret_shown,
            Item::ScopeList => self.common.dialog = Some(Dialog::list(DialogId::Scopes, true)),
            Item::Advanced => self.advanced = !self.advanced,
            Item::Authorize => cx.authorize(),
            Item::Configure => self.configure(cx),
            Item::DiscoverIssuer | Item::Discover => self.discover(cx),
            Item::About => self.common.dialog = Some(Dialog::reading(DialogId::About)),
            Item::Tokens => cx.go(Navigation::Open(Route::Tokens)),
            Item::Trace => cx.go(Navigation::Open(Route::Trace)),
            Item::Help => cx.help(),
            Item::Quit => cx.quit(),
        }
    }

    fn text(&self, item: &Item, cx: ViewContext<'_>) -> SecretString {
        match item {
            Item::Field(Key::ClientSecret) => cx.session.settings.secret().clone(),
            Item::Field(key) if key.is_text() => cx.session.settings.value(*key).into(),
            _ => SecretString::default(),
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
        // What goes into the middle of a value may end in a space that separates.
        if !self.common.editor.text().is_empty() {
            return (one_line(*key, text).into(), None);
        }
        let cleaned = clean_value(*key, text);
        (one_line(*key, &cleaned.text).into(), cleaned.note)
    }

    fn changed(&mut self, item: Item, by: isize, cx: &mut UpdateContext<'_>) {
        let settings = &mut cx.session.settings;
        match item {
            Item::Field(Key::Flow) => settings.set_flow(match settings.flow() {
                FlowKind::DeviceCode => FlowKind::AuthorizationCode,
                FlowKind::AuthorizationCode => FlowKind::DeviceCode,
            }),
            Item::Field(Key::Pkce) => settings.set_pkce(!settings.pkce()),
            Item::Field(Key::ClientAuthentication) => {
                settings.set_authentication(settings.authentication().next(by));
            }
            _ => {}
        }
        cx.clear_message();
    }

    fn fix(&mut self, item: Item, cx: &mut UpdateContext<'_>) {
        let (Item::Field(key) | Item::Fix(key)) = item else {
            return;
        };
        let Some(remedy) = remedied(cx.view(), key).and_then(|problem| problem.remedy) else {
            return;
        };
        cx.session.settings.apply(&remedy.change);
        if cx.session.settings.access(key) == Access::Editable {
            set_focus(self, Item::Field(key), cx);
        } else {
            self.go_to_missing(cx);
        }
        let left = remedied(cx.view(), key).and_then(|problem| problem.remedy);
        if left.as_ref() != Some(&remedy) {
            cx.say(format!("Done: {}.", remedy.label));
        }
    }

    fn moved(&mut self, cx: &mut UpdateContext<'_>) {
        cx.clear_message();
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Presets, Answer::Picked { key, filter }) => {
                self.choose_preset(&key, &filter, cx);
            }
            (DialogId::Scopes, Answer::Ticked(scope)) => {
                cx.session.settings.toggle_scope(&scope);
                cx.clear_message();
            }
            _ => {}
        }
    }

    fn list(&self, id: &DialogId, filter: &str, cx: ViewContext<'_>) -> List {
        match id {
            DialogId::Presets => self.presets.list(filter, &cx.session.settings),
            DialogId::Scopes => {
                let chosen = cx.session.settings.scopes();
                let entry = |(scope, purpose): (String, String)| {
                    let tick = if chosen.contains(&scope) {
                        "[x]"
                    } else {
                        "[ ]"
                    };
                    ListEntry {
                        name: format!("{tick} {scope}"),
                        key: scope,
                        about: purpose,
                    }
                };
                let scopes = cx.session.settings.scope_list().into_iter();
                List {
                    head: "Scopes of this service".to_owned(),
                    entries: scopes.map(entry).collect(),
                    none: String::new(),
                }
            }
            DialogId::About => List::default(),
        }
    }

    fn reading(&self, _id: &DialogId, columns: usize, cx: ViewContext<'_>) -> Vec<Line<'static>> {
        about::about(cx, columns)
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
                cx.say(discovered::sentence(filled, metadata, &cx.session.settings));
            }
            SessionEvent::DiscoveredOther => {
                cx.say("The Issuer was changed meanwhile; its metadata was not taken over.");
            }
            SessionEvent::DiscoveryFailed(error) => {
                cx.warn(format!("{} {}", error.sentence(), error.hint()));
            }
            SessionEvent::Presets => self.presets.reload(&cx.session.library),
            _ => {}
        }
    }

    fn entered(&mut self, route: Route, cx: &mut UpdateContext<'_>) {
        match route {
            Route::Form(FormTarget::Missing) => self.go_to_missing(cx),
            Route::Form(FormTarget::Field(key)) => self.go_to_explained(key, cx),
            _ => set_focus(self, Item::Authorize, cx),
        }
    }
}
