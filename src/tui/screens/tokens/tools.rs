//! Requests to the service about the tokens: user info, introspection and revocation.

use ratatui::text::Line as TextLine;

use super::claims::of_claims;
use super::hints;
use super::lines::Line;
use super::state::{DialogId, Item, Response, Said, Tokens};
use crate::flow::tool_report::{Outcome, Told};
use crate::form::tools::NotOffered;
use crate::oauth::id_token::Claims;
use crate::oauth::tool_answers::{EXPIRED_NOTE, PUBLIC_NOTE};
use crate::oauth::tools::{TokenKind, Tool};
use crate::secret::ExposeSecret;
use crate::session::Value;
use crate::session::tools::value;
use crate::tui::dialog::{Answer, Dialog, Question, Reading};
use crate::tui::message::Effect;
use crate::tui::screen::{Entry, Message, UpdateContext, ViewContext};
use crate::tui::widgets::button::Shortcut;
use crate::tui::widgets::masked::{ENDS, SHORT_ENDS, masked};
use crate::tui::widgets::rows::labeled_lines;
use crate::tui::widgets::text::took;

/// The button that revokes the tokens.
const REVOKE: &str = "Revoke";
/// Width of the labels above the claims.
const INDENT: usize = 12;

impl Tokens {
    /// Returns the entries for More; those that can't be used have a reason.
    pub(super) fn tools(&self, cx: ViewContext<'_>) -> [Entry<Item>; 3] {
        let session = cx.session;
        let entry = |item, label: &'static str, about, offered: Result<(), NotOffered>| {
            let entry = Entry::quiet(item, label);
            match offered {
                Ok(()) => entry.under_more(about),
                Err(why) => entry.not_offered(reason(&why)),
            }
        };
        let user_info = session.tool_url(Tool::UserInfo, TokenKind::Access);
        let introspection = session.tool_url(Tool::Introspection, self.kind(cx));
        let revocable = session.revocable();
        [
            entry(
                Item::UserInfo,
                "User info…",
                hints::USER_INFO,
                user_info.map(drop),
            ),
            entry(
                Item::Introspect,
                "Introspect…",
                hints::INTROSPECT,
                introspection.map(drop),
            ),
            entry(Item::Revoke, "Revoke…", hints::REVOKE, revocable.map(drop)),
        ]
    }

    /// Returns the token to introspect: the selected one, if the service accepts it.
    fn kind(&self, cx: ViewContext<'_>) -> TokenKind {
        let refresh = matches!(self.chosen, Line::Token(Value::Refresh) | Line::RefreshWith);
        let accepted = |kind| cx.session.tool_url(Tool::Introspection, kind).is_ok();
        if (refresh && accepted(TokenKind::Refresh)) || !accepted(TokenKind::Access) {
            TokenKind::Refresh
        } else {
            TokenKind::Access
        }
    }

    pub(super) fn ask_service(&self, item: &Item, cx: &mut UpdateContext<'_>) {
        let (tool, kind) = match item {
            Item::UserInfo => (Tool::UserInfo, TokenKind::Access),
            _ => (Tool::Introspection, self.kind(cx.view())),
        };
        start(tool, kind, cx);
    }

    /// Asks whether to revoke the tokens, and shows the consequences.
    pub(super) fn ask_to_revoke(&mut self, cx: ViewContext<'_>) {
        let (Ok(revocable), Some(tokens)) = (cx.session.revocable(), &cx.session.tokens) else {
            return;
        };
        let theme = cx.theme();
        let row = |kind: &TokenKind, ends| {
            let token = tokens.secret(value(*kind)).map(ExposeSecret::expose_secret);
            let shown = masked(theme, token.unwrap_or_default(), ends);
            format!("{:<15} {shown}", value(*kind).label())
        };
        let rows = |ends| -> Vec<String> {
            let kinds = revocable.kinds.iter();
            kinds.map(|kind| row(kind, ends)).collect()
        };
        let is_one = revocable.kinds.len() == 1;
        let them = if is_one { "it" } else { "them" };
        let from_profile = tokens.profile.as_ref();
        let from_profile = from_profile.map_or_else(String::new, |name| {
            format!(" Revoked tokens are removed from the profile \"{name}\".")
        });
        let mut text = format!(
            "Programs that use {them} stop working, and you must sign in again.{from_profile} This can't be undone."
        );
        for (kind, reason) in &revocable.skipped {
            text += &format!(
                "\n{reason} The {} stays valid until it expires.",
                kind.name()
            );
        }
        let title = if is_one {
            "Revoke this token?"
        } else {
            "Revoke these tokens?"
        };
        let buttons = [(Shortcut::Letter('y'), REVOKE), (Shortcut::Esc, "Keep")];
        let question = Question::new(title, text, &buttons)
            .with_rows(rows(ENDS))
            .with_narrow(title.to_owned(), rows(SHORT_ENDS));
        self.common.dialog = Some(Dialog::question(DialogId::Revoke, question));
    }

    pub(super) fn revoke(answer: &Answer, cx: &mut UpdateContext<'_>) {
        if matches!(answer, Answer::Button(REVOKE)) {
            start(Tool::Revocation, TokenKind::Refresh, cx);
        }
    }

    /// Shows the response of the service, unless another dialog is open; the message then says that it has arrived.
    pub(super) fn show(&mut self, kind: TokenKind, told: &Told) {
        let said = match &told.outcome {
            Ok(Outcome::UserInfo(info)) => Said::UserInfo(info.clone()),
            Ok(Outcome::Introspected(found)) => Said::Introspection(kind, found.clone()),
            Ok(Outcome::Revoked(_) | Outcome::Verified { .. }) | Err(_) => return,
        };
        if self.common.dialog.is_none() {
            let response = Box::new(Response {
                said,
                took: told.took,
            });
            self.common.dialog = Some(Dialog::reading(DialogId::Response(response)));
        }
    }
}

fn start(tool: Tool, kind: TokenKind, cx: &mut UpdateContext<'_>) {
    let of_profile = (tool == Tool::Revocation)
        .then(|| cx.session.revoke_profile())
        .flatten();
    let effect = match of_profile {
        Some(task) => task.map(Effect::Profile),
        None => cx.session.ask(tool, kind).map(Effect::Start),
    };
    match effect {
        Ok(effect) => {
            cx.emit(effect);
            cx.tell(match tool {
                Tool::Revocation => Message::new("Revoking", "Waiting for the service."),
                _ => Message::new("Asking", "Waiting for the service."),
            });
        }
        Err(refused) => cx.warn_refused(&refused),
    }
}

/// Returns why a request is not offered, for the entries under More.
fn reason(why: &NotOffered) -> String {
    let text = why.reason.trim_end_matches('.');
    match &why.instead {
        Some(instead) => format!("{text}. {instead}"),
        None => text.to_owned(),
    }
}

/// Returns the response of the service as a text.
pub(super) fn reading(response: &Response, cx: ViewContext<'_>, columns: usize) -> Reading {
    let Some(tokens) = &cx.session.tokens else {
        return Reading::default();
    };
    let (title, facts, claims, command): (_, Vec<(&str, String)>, &Claims, _) = match &response.said
    {
        Said::UserInfo(info) => {
            let same = info.compared();
            let facts = vec![("Same user", same.to_owned())];
            ("User info".to_owned(), facts, &info.claims, "userinfo")
        }
        Said::Introspection(kind, found) => {
            let mut facts = vec![("Active", if found.active { "yes" } else { "no" }.to_owned())];
            if found.is_past {
                facts.push(("Note", EXPIRED_NOTE.to_owned()));
            }
            if !found.active && tokens.request.client.is_public() {
                facts.push(("Note", PUBLIC_NOTE.to_owned()));
            }
            let title = format!("Introspection of the {}", kind.name());
            (title, facts, &found.claims, "introspect")
        }
    };
    let answered = ("Response", format!("in {}", took(response.took)));
    let mut lines: Vec<TextLine<'static>> = facts
        .into_iter()
        .chain([answered])
        .flat_map(|(label, text)| labeled_lines(label, &text, INDENT, columns))
        .collect();
    lines.push(TextLine::default());
    lines.extend(of_claims(cx, tokens, claims, command, columns));
    Reading { title, lines }
}
