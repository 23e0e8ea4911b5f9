//! The mail test: signs in to mail servers with the access token, and shows each step.

mod state;
#[cfg(test)]
mod tests;
mod view;

use std::time::Duration;

use ratatui::layout::Rect;

pub(super) use self::state::MailTest;
use self::state::{DialogId, Item};
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol, is_mailbox};
use crate::secret::ExposeSecret;
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::mail::{Mail, MailTests};
use crate::tui::dialog::{Answer, Dialog, List, ListEntry, Prompt, Reading};
use crate::tui::message::Effect;
use crate::tui::screen::{
    Common, Entry, Message, Navigation, Route, Screen, UpdateContext, ViewContext, set_focus,
};
use crate::tui::widgets::draw::Body;

/// An access token that is valid for less than this is refreshed before the test.
const MIN_VALID: Duration = Duration::from_mins(1);
/// The key of the entry that uses the best mechanism of the server.
const BEST: &str = "best";

/// How to enter another server.
const SERVER_FORM: &str = "Enter the protocol and the server, such as imap imap.example.org or smtp \
                           smtp.example.org:587:STARTTLS.";

impl MailTest {
    /// Starts the test. An expired access token is refreshed first.
    fn test(&mut self, cx: &mut UpdateContext<'_>) {
        if cx.session.mailbox().is_none() {
            self.ask_mailbox(cx.view(), None);
            return;
        }
        if cx.session.mail_servers().is_empty() {
            self.ask_server("", None);
            return;
        }
        if is_expired(cx.view()) {
            match cx.refresh() {
                Ok(()) => {
                    self.then_test = true;
                    cx.tell(Message::new(
                        "Refreshing",
                        "The access token has expired. The test starts with the new one.",
                    ));
                }
                Err(refused) => cx.warn_refused(&refused),
            }
            return;
        }
        self.start(cx);
    }

    fn start(&mut self, cx: &mut UpdateContext<'_>) {
        match cx.session.test_mail(cx.console.now) {
            Ok(started) => {
                self.unfolded.clear();
                cx.emit(Effect::Start(started));
                cx.tell(Message::new("Testing", "Waiting for the mail server."));
            }
            Err(refused) => cx.warn_refused(&refused),
        }
    }

    fn ask_mailbox(&mut self, cx: ViewContext<'_>, wrong: Option<(&str, &'static str)>) {
        let known = cx.session.mailbox().unwrap_or_default();
        let (typed, lead) = wrong.unwrap_or((&known, "Mailbox to sign in to:"));
        let prompt = Prompt {
            title: "Mailbox".to_owned(),
            lead: lead.to_owned(),
            note: "Usually the address of the user who signed in. For a shared mailbox, enter its own address.".to_owned(),
        };
        self.common.dialog = Some(Dialog::line(DialogId::Mailbox, prompt, typed));
    }

    fn ask_server(&mut self, typed: &str, wrong: Option<String>) {
        let prompt = Prompt {
            title: "Mail server".to_owned(),
            lead: wrong.unwrap_or_else(|| "Server to sign in to:".to_owned()),
            note: format!("{SERVER_FORM} The access token is sent there."),
        };
        self.common.dialog = Some(Dialog::line(DialogId::Server, prompt, typed));
    }

    /// Tests the server that the user entered.
    fn take_server(&mut self, typed: &str, cx: &mut UpdateContext<'_>) {
        match read_server(typed) {
            Ok((protocol, address)) => {
                cx.session.set_mail_server(protocol, address);
                self.test(cx);
            }
            Err(reason) => self.ask_server(typed, Some(format!("Problem: {reason}"))),
        }
    }

    fn is_unfolded(&self, cx: ViewContext<'_>, protocol: Protocol) -> bool {
        let mut chosen = self.unfolded.iter();
        match chosen.find(|(of, _)| *of == protocol) {
            Some((_, unfolded)) => *unfolded,
            // By default, the steps are shown for a failure, and for a single server.
            None => cx.session.mail_tests().is_some_and(|tests| {
                let report = tests.report(protocol);
                report.is_some_and(|report| !report.is_ok() || tests.is_single())
            }),
        }
    }

    /// Moves the focus from Cancel, which is gone, to the row of the first failure.
    fn leave_cancel(&mut self, cx: &mut UpdateContext<'_>) {
        if self.common.focus != Item::Cancel && self.common.focus != Item::Back {
            return;
        }
        let failed = cx.session.mail_tests().and_then(MailTests::first_failure);
        let first = || cx.session.mail_servers().first().map(|it| it.protocol);
        if let Some(protocol) = failed.or_else(first) {
            set_focus(self, Item::Server(protocol), cx);
        }
    }
}

/// Returns whether the access token has expired and can be refreshed.
fn is_expired(cx: ViewContext<'_>) -> bool {
    let tokens = cx.session.tokens.as_ref();
    tokens.is_some_and(|tokens| {
        let left = tokens.left(cx.console.now);
        tokens.can_refresh() && left.is_some_and(|left| left < MIN_VALID)
    })
}

/// Parses a protocol and a server. The protocol can be omitted if the port implies it.
fn read_server(text: &str) -> Result<(Protocol, Address), String> {
    let text = text.trim();
    let named = text
        .split_once(char::is_whitespace)
        .and_then(|(name, rest)| {
            let mut all = Protocol::ALL.into_iter();
            let protocol = all.find(|protocol| protocol.key().eq_ignore_ascii_case(name))?;
            Some((protocol, rest))
        });
    let (protocol, rest) = match named {
        Some((protocol, rest)) => (Some(protocol), rest),
        None => (None, text),
    };
    let rest = rest.trim();
    // A host alone has the usual port.
    let usual = protocol.filter(|_| !rest.contains([':', ' ']));
    let address = match usual {
        Some(protocol) => Address::parse(&format!("{rest}:{}", protocol.usual_port())),
        None => Address::parse(rest),
    };
    let address = address.map_err(|_| SERVER_FORM)?;
    let protocol = protocol.or_else(|| Protocol::of_port(address.port));
    let protocol = protocol.ok_or("Enter imap, pop3 or smtp before the server.")?;
    Ok((protocol, address))
}

/// Returns the server that the user entered last, in the form that [`read_server`] accepts.
fn entered_server(mail: &Mail) -> String {
    let last = mail.servers.last();
    let address = last.and_then(|last| Some((last.protocol, last.address.as_ref().ok()?)));
    address.map_or_else(String::new, |(protocol, address)| {
        format!(
            "{} {}",
            protocol.key(),
            address.to_string().replace(' ', ":")
        )
    })
}

impl Screen for MailTest {
    type Item = Item;
    type DialogId = DialogId;

    fn common(&self) -> &Common<Item, DialogId> {
        &self.common
    }

    fn common_mut(&mut self) -> &mut Common<Item, DialogId> {
        &mut self.common
    }

    fn route(&self) -> Route {
        Route::MailTest
    }

    fn title(&self, cx: ViewContext<'_>) -> String {
        let tokens = cx.session.tokens.as_ref();
        let name = tokens.map(|tokens| tokens.profile.as_ref().unwrap_or(&tokens.preset.name));
        let dot = cx.theme().dot();
        name.map_or_else(
            || "mail test".to_owned(),
            |name| format!("{name} {dot} mail test"),
        )
    }

    fn items(&self, cx: ViewContext<'_>) -> Vec<Entry<Item>> {
        let busy = cx.session.is_testing_mail() || cx.session.is_refreshing();
        let servers = cx.session.mail_servers().into_iter();
        let mut items: Vec<Entry<Item>> = servers
            .map(|server| {
                let protocol = server.protocol;
                let enter = if self.is_unfolded(cx, protocol) {
                    "hide steps"
                } else {
                    "show steps"
                };
                Entry::line(Item::Server(protocol), protocol.name()).with_enter(enter)
            })
            .collect();
        let tested = cx.session.mail_tests().is_some();
        if !busy {
            let label = if tested {
                "Test mail again"
            } else {
                "Test mail"
            };
            items.push(Entry::button(Item::Test, label, 'm'));
        }
        if cx.session.mail_report().is_some() && !busy {
            items.push(Entry::button(Item::CopyReport, "Copy report", 'c'));
        }
        if tested {
            items.push(Entry::button(Item::Trace, "Trace", 'e'));
        }
        if !busy {
            items.extend([
                Entry::more(Item::More),
                Entry::quiet(Item::Mailbox, "Other mailbox…").under_more(view::MAILBOX),
                Entry::quiet(Item::OtherServer, "Other server…").under_more(view::SERVER),
                Entry::quiet(Item::Mechanism, "Other mechanism…").under_more(view::MECHANISM),
            ]);
        }
        items.push(if busy {
            Entry::esc(Item::Cancel, "Cancel")
        } else {
            Entry::esc(Item::Back, "Back")
        });
        items.push(Entry::button(Item::Help, "Help", '?'));
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
            Item::Server(protocol) => {
                let unfolded = !self.is_unfolded(cx.view(), protocol);
                self.unfolded.retain(|(of, _)| *of != protocol);
                self.unfolded.push((protocol, unfolded));
            }
            Item::Test => self.test(cx),
            Item::CopyReport => {
                let report = cx.session.mail_report();
                let content = report.map(|report| Content::Text("report", report));
                cx.out.effects.extend(content.map(Effect::Copy));
            }
            Item::Trace => self.common.dialog = Some(Dialog::reading(DialogId::Trace)),
            Item::More => cx.more(),
            Item::Mailbox => self.ask_mailbox(cx.view(), None),
            Item::OtherServer => self.ask_server(&entered_server(&cx.session.mail), None),
            Item::Mechanism => {
                let marked = cx.session.mail.mechanism.map_or(BEST, Mechanism::name);
                self.common.dialog = Some(Dialog::list_on(DialogId::Mechanism, marked));
            }
            Item::Cancel => {
                self.then_test = false;
                cx.cancel();
                self.leave_cancel(cx);
            }
            Item::Back => cx.go(Navigation::Back),
            Item::Help => cx.help(),
        }
    }

    fn answered(&mut self, id: DialogId, answer: Answer, cx: &mut UpdateContext<'_>) {
        match (id, answer) {
            (DialogId::Mailbox, Answer::Text(typed)) => {
                let typed = typed.expose_secret().trim();
                if is_mailbox(typed) {
                    cx.session.mail.user = Some(typed.to_owned());
                    self.test(cx);
                } else {
                    let wrong = "Problem: Enter an email address, such as alice@example.org.";
                    self.ask_mailbox(cx.view(), Some((typed, wrong)));
                }
            }
            (DialogId::Mailbox, Answer::Other(typed)) => {
                self.ask_mailbox(
                    cx.view(),
                    Some((typed.expose_secret(), "Mailbox to sign in to:")),
                );
            }
            (DialogId::Server, Answer::Text(typed)) => self.take_server(typed.expose_secret(), cx),
            (DialogId::Server, Answer::Other(typed)) => {
                self.ask_server(typed.expose_secret(), None);
            }
            (DialogId::Mechanism, Answer::Picked { key, .. }) => {
                cx.session.mail.mechanism = Mechanism::from_name(&key);
                self.test(cx);
            }
            _ => {}
        }
    }

    fn list(&self, _id: &DialogId, _filter: &str, _cx: ViewContext<'_>) -> List {
        let entry = |key: &str, name: &str, about: &str| ListEntry {
            key: key.to_owned(),
            name: name.to_owned(),
            about: about.to_owned(),
            ..ListEntry::default()
        };
        let mut entries = vec![entry(BEST, "Automatic", "the best that the server offers")];
        entries.extend(Mechanism::ALL.map(|mechanism| {
            let about = match mechanism {
                Mechanism::Xoauth2 => "the most widely supported",
                Mechanism::Oauthbearer => "the standard (RFC 7628)",
            };
            entry(mechanism.name(), mechanism.name(), about)
        }));
        List {
            head: "Mechanism".to_owned(),
            entries,
            ..List::default()
        }
    }

    fn reading(&self, _id: &DialogId, columns: usize, cx: ViewContext<'_>) -> Reading {
        view::trace(cx, columns)
    }

    fn on_event(&mut self, event: &SessionEvent, cx: &mut UpdateContext<'_>) {
        match event {
            SessionEvent::MailTested { done: true } => {
                self.leave_cancel(cx);
                if let Some(message) = view::outcome(cx.view()) {
                    cx.tell(message);
                }
            }
            SessionEvent::RefreshFailed(_) => {
                self.then_test = false;
                self.leave_cancel(cx);
            }
            SessionEvent::Tokens { .. } if std::mem::take(&mut self.then_test) => self.start(cx),
            _ => {}
        }
    }

    fn entered(&mut self, _route: Route, cx: &mut UpdateContext<'_>) {
        if cx.session.mail_tests().is_none() && cx.session.work().is_none() {
            self.test(cx);
        }
        let first = cx.session.mail_servers().into_iter().next();
        if let Some(first) = first {
            set_focus(self, Item::Server(first.protocol), cx);
        }
    }

    fn fits_beside(&self, _area: Rect, _cx: ViewContext<'_>) -> bool {
        false
    }
}
