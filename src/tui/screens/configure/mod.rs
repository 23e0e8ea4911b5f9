//! The Configure… screen: what the listener needs on this machine, what Set up will do, and the results.

mod state;
#[cfg(test)]
mod tests;
mod view;

use ratatui::layout::Rect;

pub(super) use self::state::Configure;
use self::state::{DialogId, Item};
use crate::configure::plan::{PlanError, SetUpAction, WITHOUT_SET_UP};
use crate::configure::report::Verdict;
use crate::form::field::Key;
use crate::secret::SecretString;
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::set_up::{ListenerSetUp, Planned, SetUpOutcome};
use crate::tui::dialog::{Answer, Dialog, List, Question};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, Message, Navigation, Route, Screen, Shortcut, UpdateContext, ViewContext,
    reload, set_focus,
};
use crate::tui::widgets::draw::Body;

impl Configure {
    /// Opens the setup for the form's redirect URL, and checks the current state right away.
    fn open(&mut self, cx: &mut UpdateContext<'_>) {
        cx.session.open_set_up(&cx.console.environment);
        *self = Self::new();
        let Some(set_up) = &cx.session.set_up else {
            return;
        };
        let can_verify = set_up.busy.is_none() && set_up.task(SetUpAction::Verify).is_ok();
        let first = set_up.actions().first().map(|first| Item::Do(*first));
        set_focus(self, first.unwrap_or(Item::Back), cx);
        if can_verify {
            Self::start(SetUpAction::Verify, cx);
        }
    }

    /// Returns whether an action is still in progress, and shows a note if it is.
    fn is_busy(cx: &mut UpdateContext<'_>) -> bool {
        let set_up = cx.session.set_up.as_ref();
        let busy = set_up.is_some_and(|set_up| set_up.busy.is_some());
        if busy {
            cx.say("The previous action is still in progress.");
        }
        busy
    }

    fn start(action: SetUpAction, cx: &mut UpdateContext<'_>) {
        if Self::is_busy(cx) {
            return;
        }
        match cx.session.start_set_up(action) {
            Ok((task, number)) => {
                cx.clear_message();
                cx.emit(Effect::SetUp(task, number));
            }
            Err(Some(error)) => Self::warn(&error, cx),
            Err(None) => {}
        }
    }

    /// Shows what an action will do, and starts it. A deletion asks first.
    fn perform(&mut self, action: SetUpAction, cx: &mut UpdateContext<'_>) {
        set_focus(self, Item::Do(action), cx);
        if action != SetUpAction::Delete {
            Self::start(action, cx);
            return;
        }
        let Some(set_up) = &cx.session.set_up else {
            return;
        };
        match set_up.task(action) {
            Ok(_) => {
                let text = view::before_delete(set_up);
                let buttons = [(Shortcut::Letter('y'), DELETE), (Shortcut::Esc, "Keep")];
                let question = Question::new("Delete what Set up added?", text, &buttons);
                self.common.dialog = Some(Dialog::question(DialogId::Delete, question));
            }
            Err(error) => Self::warn(&error, cx),
        }
    }

    /// Warns about what keeps an action from starting.
    fn warn(error: &PlanError, cx: &mut UpdateContext<'_>) {
        let set_up = cx.session.set_up.as_ref();
        let text = set_up.map_or_else(|| error.to_string(), |set_up| set_up.explain(error));
        cx.warn(text);
    }

    /// Switches to the redirect URL that Windows reserves for all users, or back to the previous one.
    fn without_set_up(&mut self, cx: &mut UpdateContext<'_>) {
        if Self::is_busy(cx) {
            return;
        }
        let Some(set_up) = &mut cx.session.set_up else {
            return;
        };
        let now = set_up.redirect_url.clone();
        let next = if now == WITHOUT_SET_UP {
            set_up.before.take()
        } else {
            set_up.before = Some(now);
            Some(WITHOUT_SET_UP.to_owned())
        };
        let Some(next) = next else {
            cx.say("This is already the redirect URL. You can enter another one in the settings.");
            return;
        };
        cx.session.settings.set(Key::RedirectUrl, next.clone());
        if cx.session.settings.value(Key::RedirectUrl) != next {
            cx.warn("This preset doesn't allow another redirect URL.");
            return;
        }
        self.open(cx);
        set_focus(self, Item::WithoutSetUp, cx);
        cx.say(format!(
            "Register exactly this redirect URL with the service: {next}"
        ));
    }

    /// Returns the outcome of the last change, if the screen shows it.
    fn changed<'a>(&self, set_up: &'a ListenerSetUp) -> Option<&'a SetUpOutcome> {
        let changed = set_up.changed.as_ref();
        changed.filter(|it| self.shown == it.action || self.shown == SetUpAction::Verify)
    }

    /// Returns the command that creates a certificate, while Set up requires that first.
    fn certificate_to_create(&self, set_up: &ListenerSetUp) -> Option<String> {
        match set_up.planned(self.shown) {
            Some(Planned::Certificate(command)) if self.changed(set_up).is_none() => Some(command),
            _ => None,
        }
    }

    /// Returns the commands that the screen shows, to be run by hand or on another computer.
    fn copied(&self, set_up: &ListenerSetUp) -> Option<Content> {
        if !set_up.http_sys() {
            return set_up.tunnel().map(Content::Tunnel);
        }
        let (_, commands) = self.commands(set_up)?;
        Some(Content::Commands(commands))
    }

    /// Returns the commands that the screen shows for HTTP.sys, and the action that they do by hand.
    fn commands(&self, set_up: &ListenerSetUp) -> Option<(SetUpAction, Vec<String>)> {
        let action = match self.changed(set_up) {
            Some(outcome) if outcome.report.verdict() == Verdict::Fine => return None,
            Some(outcome) => outcome.action,
            None => self.shown,
        };
        let commands = match set_up.planned(action)? {
            Planned::Commands(commands) => commands,
            Planned::Certificate(command) => vec![command],
            Planned::Nothing(_) | Planned::Words(_) | Planned::Missing(_) | Planned::Problem(_) => {
                Vec::new()
            }
        };
        (!commands.is_empty()).then_some((action, commands))
    }

    /// Checks the machine again after a change. The program's own listener has already checked itself after a setup.
    fn check_again(&mut self, action: SetUpAction, cx: &mut UpdateContext<'_>) {
        let own = cx.session.set_up.as_ref().is_some_and(|it| !it.http_sys());
        if action == SetUpAction::SetUp && own {
            self.ready(cx);
            return;
        }
        self.after = Some(action);
        Self::start(SetUpAction::Verify, cx);
    }

    /// Shows that everything is set up. The next step is to go back and sign in.
    fn ready(&mut self, cx: &mut UpdateContext<'_>) {
        let Some(set_up) = &cx.session.set_up else {
            return;
        };
        let text = format!(
            "You can sign in now. The browser returns to {}",
            set_up.redirect_url
        );
        cx.tell(Message::done("Ready", text));
        set_focus(self, Item::Back, cx);
    }
}

/// The button that confirms the deletion.
const DELETE: &str = "Delete";

/// Returns the button of an action.
fn button(action: SetUpAction) -> Entry<Item> {
    let item = Item::Do(action);
    match action {
        SetUpAction::SetUp => Entry::button(item, action.label(), 'y'),
        SetUpAction::Verify => Entry::button(item, action.label(), 'v'),
        SetUpAction::Delete => Entry::del(item, "Delete…"),
    }
}

impl Screen for Configure {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::Configure
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        format!("Configure {} this machine", cx.theme().dot())
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let mut items = Vec::new();
        let Some(set_up) = &cx.session.set_up else {
            return vec![Entry::esc(Item::Back, "Back")];
        };
        if set_up.http_sys() {
            if set_up.needs_user() {
                items.push(Entry::text(Item::User, "User").with_enter("next"));
            }
            if set_up.needs_certificate() {
                items.push(Entry::text(Item::Thumbprint, "Certificate").with_enter("next"));
                if !set_up.certificates.is_empty() {
                    items.push(Entry::beside(Item::CertificateList, "List"));
                }
            }
            let line = Entry::line(Item::WithoutSetUp, "Without setup");
            items.push(match &set_up.before {
                _ if set_up.redirect_url != WITHOUT_SET_UP => line.with_enter("use"),
                Some(_) => line.with_enter("undo"),
                None => line,
            });
        }
        if self.copied(set_up).is_some() {
            items.push(Entry::beside(Item::Copy, "Copy").with_letter('n'));
        }
        for action in set_up.actions().iter().copied() {
            items.push(button(action));
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
            Item::User => {
                let next = match &cx.session.set_up {
                    Some(it) if it.needs_certificate() && it.thumbprint.trim().is_empty() => {
                        Item::Thumbprint
                    }
                    _ => Item::Do(SetUpAction::SetUp),
                };
                set_focus(self, next, cx);
            }
            Item::Thumbprint => set_focus(self, Item::Do(SetUpAction::SetUp), cx),
            Item::CertificateList => {
                self.common.dialog = Some(Dialog::list(DialogId::Certificates, false));
            }
            Item::WithoutSetUp => self.without_set_up(cx),
            Item::Do(action) => self.perform(action, cx),
            Item::Copy => {
                let set_up = cx.session.set_up.as_ref();
                if let Some(content) = set_up.and_then(|set_up| self.copied(set_up)) {
                    cx.emit(Effect::Copy(content));
                }
            }
            Item::Back => cx.go(Navigation::Back),
            Item::Help => cx.help(),
        }
    }

    fn text(&self, item: &Item, cx: ViewContext<'_>) -> SecretString {
        let set_up = cx.session.set_up.as_ref();
        set_up
            .map_or("", |set_up| match item {
                Item::User => set_up.user.as_str(),
                Item::Thumbprint => set_up.thumbprint.as_str(),
                _ => "",
            })
            .into()
    }

    fn edited(&mut self, item: Item, text: &str, cx: &mut UpdateContext<'_>) {
        if let Some(set_up) = &mut cx.session.set_up {
            match item {
                Item::User => text.clone_into(&mut set_up.user),
                _ => text.clone_into(&mut set_up.thumbprint),
            }
            // The previous results are about other values.
            set_up.changed = None;
            set_up.checked = None;
            self.shown = SetUpAction::SetUp;
        }
        cx.clear_message();
    }

    fn focused(&mut self, item: Item, _cx: &mut UpdateContext<'_>) {
        if let Item::Do(action) = item
            && self.shown != action
        {
            self.shown = action;
            self.common.scroll = 0;
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Certificates, Answer::Picked { key, .. }) => {
                set_focus(self, Item::Thumbprint, cx);
                self.edited(Item::Thumbprint, &key, cx);
                reload(self, cx.view());
            }
            (DialogId::Delete, Answer::Button(DELETE)) => Self::start(SetUpAction::Delete, cx),
            _ => {}
        }
    }

    fn list(&self, id: &DialogId, _filter: &str, cx: ViewContext<'_>) -> List {
        match (id, &cx.session.set_up) {
            (DialogId::Certificates, Some(set_up)) => view::certificates(set_up),
            (DialogId::Certificates | DialogId::Delete, _) => List::default(),
        }
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        let SessionEvent::SetUp(action, verdict) = event else {
            return;
        };
        self.common.scroll = 0;
        let after = self.after.take();
        let fine = *verdict == Verdict::Fine;
        match (action, after) {
            (SetUpAction::Verify, Some(SetUpAction::SetUp)) if fine => self.ready(cx),
            (SetUpAction::Verify, Some(SetUpAction::SetUp)) => {
                cx.warn("Set up is done, but the check found a problem. See above.");
            }
            (SetUpAction::Verify, Some(_)) => {
                cx.tell(Message::done("Deleted", "Removed what Set up had added."));
            }
            (SetUpAction::Verify, None) => {}
            (action, _) if fine => self.check_again(*action, cx),
            (action, _) => cx.warn(format!(
                "{} was not completed. See the reason above.",
                action.label()
            )),
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        self.open(cx);
    }

    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        false
    }
}
