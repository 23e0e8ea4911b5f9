//! Requests about the tokens: user info, introspection and revocation.

use url::Url;

use super::Session;
use super::event::{Refused, SessionEvent, Started};
use super::tokens::{Taken, TokenState, Value};
use super::work::Work;
use crate::flow::driver::Job;
use crate::flow::token_tools::{Task, ToolRun};
use crate::flow::tool_report::{Outcome, Revoked, Told};
use crate::form::field::Key;
use crate::form::tools::NotOffered;
use crate::oauth::discovery::Metadata;
use crate::oauth::tools::{TokenKind, Tool};
use crate::profile::issued_for::tool_destination;

/// The tokens that a revocation revokes.
#[derive(Debug, Clone, Default)]
pub struct Revocable {
    /// The tokens to revoke, in this order.
    pub kinds: Vec<TokenKind>,
    /// The tokens that the service can't revoke, each with the reason as a sentence.
    pub skipped: Vec<(TokenKind, String)>,
}

impl Session {
    /// Returns whether a request about the tokens is in progress.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        matches!(self.work(), Some(Work::Asking(..) | Work::RevokingProfile))
    }

    /// Returns the URL of the endpoint for a request about a token of this kind.
    ///
    /// # Errors
    /// Returns why the request is not possible.
    pub fn tool_url(&self, tool: Tool, kind: TokenKind) -> Result<Url, NotOffered> {
        let only = |reason: String| NotOffered {
            reason,
            instead: None,
        };
        let Some(tokens) = &self.tokens else {
            return Err(only("There are no tokens.".to_owned()));
        };
        if tokens.secret(value(kind)).is_none() {
            return Err(only(format!("There is no {}.", kind.name())));
        }
        let metadata = self.metadata_of(tokens);
        let mut url = tokens.settings.tool_url(tool, metadata);
        if let Some(pins) = &tokens.obtained.pins {
            let pinned = tool_destination(pins, tool, url.as_ref().ok().cloned());
            if let Some(pinned) = pinned.map_err(only)? {
                url = Ok(pinned);
            }
        }
        let issuer = tokens.settings.value(Key::Issuer);
        let undiscovered = metadata.is_none() && !issuer.trim().is_empty();
        let url = url.map_err(|reason| {
            if undiscovered && tokens.preset.is_custom() {
                only(format!(
                    "The {} endpoint is unknown. Press Discover in the form to fetch the issuer's metadata.",
                    tool.endpoint()
                ))
            } else {
                reason
            }
        })?;
        tokens.settings.tool_accepts(tool, kind)?;
        Ok(url)
    }

    /// Returns the metadata of the issuer that the tokens came from. It may have been fetched after the sign-in.
    fn metadata_of<'a>(&'a self, tokens: &'a TokenState) -> Option<&'a Metadata> {
        let issuer = tokens.settings.value(Key::Issuer);
        let later = || {
            let metadata = self.settings.metadata();
            metadata.filter(|metadata| metadata.asked == issuer.trim())
        };
        tokens.settings.metadata().or_else(later)
    }

    /// Returns the tokens that the service can revoke.
    ///
    /// # Errors
    /// Returns the reason if no token can be revoked.
    pub fn revocable(&self) -> Result<Revocable, NotOffered> {
        let mut found = Revocable::default();
        let mut first = None;
        let tokens = self.tokens.as_ref();
        let there =
            |kind: &TokenKind| tokens.is_some_and(|tokens| tokens.secret(value(*kind)).is_some());
        // At many services, revoking the refresh token also ends its access tokens.
        let kinds = [TokenKind::Refresh, TokenKind::Access];
        for kind in kinds.into_iter().filter(there) {
            match self.may_revoke(kind) {
                Ok(()) => found.kinds.push(kind),
                Err(reason) => {
                    found.skipped.push((kind, reason.reason.clone()));
                    first.get_or_insert(reason);
                }
            }
        }
        match first {
            Some(reason) if found.kinds.is_empty() => Err(reason),
            _ => Ok(found),
        }
    }

    /// Checks whether a token of this kind can be revoked. A profile fetches the metadata of its issuer itself, if the
    /// endpoint may be in it.
    fn may_revoke(&self, kind: TokenKind) -> Result<(), NotOffered> {
        let tool = Tool::Revocation;
        let url = self.tool_url(tool, kind).map(drop);
        let Some(tokens) = self.tokens.as_ref().filter(|it| it.profile.is_some()) else {
            return url;
        };
        let (settings, metadata) = (&tokens.settings, self.metadata_of(tokens));
        let unknown = settings.tool_url(tool, metadata).is_err();
        if url.is_err() && unknown && settings.may_offer(tool, metadata).is_ok() {
            return settings.tool_accepts(tool, kind);
        }
        url
    }

    /// Starts a request. A revocation revokes all tokens that can be revoked; other requests use the token `kind`.
    ///
    /// # Errors
    /// Returns an error if there are no tokens, the service doesn't offer the request, or another task is in progress.
    pub fn ask(&mut self, tool: Tool, kind: TokenKind) -> Result<Started, Refused> {
        if let Some(work) = self.work() {
            return Err(Refused::Busy(work.in_the_way()));
        }
        let tokens = self.tokens.as_ref().ok_or(Refused::NoTokens)?;
        let refused = |reason: NotOffered| Refused::NotOffered(reason.reason);
        let task = match tool {
            Tool::Revocation => {
                let kinds = self.revocable().map_err(refused)?.kinds;
                let kind = kinds.first().copied().ok_or(Refused::NoTokens)?;
                Task::Revoke {
                    url: self.tool_url(tool, kind).map_err(refused)?,
                    check: self.tool_url(Tool::Introspection, kind).ok(),
                    kinds,
                }
            }
            Tool::Introspection => Task::Introspect {
                kind,
                url: self.tool_url(tool, kind).map_err(refused)?,
            },
            Tool::UserInfo => Task::UserInfo {
                url: self.tool_url(tool, kind).map_err(refused)?,
            },
        };
        let run = ToolRun {
            task,
            client: tokens.request.client.clone(),
            tokens: tokens.set.clone(),
            header: tokens.header().to_owned(),
            ca_file: tokens.request.ca_file.clone(),
        };
        Ok(self.start(Job::Tool(Box::new(run)), Work::Asking(tool, kind)))
    }

    /// Processes the result of a request. Revoked tokens need not be kept.
    pub(super) fn told(&mut self, told: Box<Told>) -> Option<SessionEvent> {
        let asking = |(_, work): &mut (_, Work)| matches!(work, Work::Asking(..));
        let Some((_, Work::Asking(tool, kind))) = self.work.take_if(asking) else {
            return None;
        };
        if let Ok(Outcome::Revoked(revoked)) = &told.outcome {
            self.took_revoked(revoked);
        }
        Some(SessionEvent::Told(tool, kind, told))
    }

    /// Marks the tokens that were revoked.
    pub(super) fn took_revoked(&mut self, revoked: &[Revoked]) {
        if let Some(tokens) = &mut self.tokens {
            for token in revoked.iter().filter(|token| token.is_revoked()) {
                tokens.took(value(token.kind), Taken::Revoked);
            }
        }
    }
}

/// Returns the value for a token of this kind.
#[must_use]
pub fn value(kind: TokenKind) -> Value {
    match kind {
        TokenKind::Access => Value::Access,
        TokenKind::Refresh => Value::Refresh,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::console::environment::Environment;
    use crate::flow::attempt::AttemptId;
    use crate::flow::event::FlowEvent;
    use crate::flow::tool_report::ToolError;
    use crate::flow::tool_report::{Revoked, Verified};
    use crate::form::settings::Settings;
    use crate::oauth::token::TokenSet;
    use crate::presets::{self, Library};
    use crate::profile::issued_for::issued_for;
    use crate::session::clock::Moment;

    fn hear(session: &mut Session, attempt: AttemptId, event: FlowEvent) -> Option<SessionEvent> {
        session.hear(attempt, event, Moment::default(), &Environment::default())
    }

    fn signed_in(preset: &str) -> Session {
        let mut settings = Settings::new(presets::get(preset).unwrap());
        settings.set(Key::ClientId, "me".to_owned());
        let mut session = Session::new(settings, Library::default());
        let attempt = session.authorize().unwrap().attempt;
        let set = TokenSet {
            access_token: "the-access".into(),
            token_type: Some("Bearer".to_owned()),
            expires_in: Some(60),
            refresh_token: Some("the-refresh".into()),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        };
        hear(&mut session, attempt, FlowEvent::Tokens(Box::new(set)));
        session
    }

    fn answer(outcome: Result<Outcome, ToolError>) -> FlowEvent {
        FlowEvent::Tool(Box::new(Told {
            outcome,
            took: Duration::ZERO,
        }))
    }

    fn revoked(kind: TokenKind, verified: Verified) -> Revoked {
        Revoked {
            kind,
            outcome: Ok(verified),
        }
    }

    #[test]
    fn revoked_tokens_need_not_be_saved() {
        let mut session = signed_in("gitlab");
        let kinds = session.revocable().unwrap().kinds;
        assert_eq!(kinds, [TokenKind::Refresh, TokenKind::Access]);
        let started = session.ask(Tool::Revocation, TokenKind::Refresh).unwrap();
        let task = match &*started.job {
            Job::Tool(run) => Some(&run.task),
            _ => None,
        };
        let expected = Task::Revoke {
            kinds,
            url: "https://gitlab.com/oauth/revoke".parse().unwrap(),
            check: "https://gitlab.com/oauth/introspect".parse().ok(),
        };
        assert_eq!(task, Some(&expected));
        let outcome = Outcome::Revoked(vec![
            revoked(TokenKind::Refresh, Verified::Inactive),
            revoked(TokenKind::Access, Verified::StillActive),
        ]);
        assert!(matches!(
            hear(&mut session, started.attempt, answer(Ok(outcome))),
            Some(SessionEvent::Told(Tool::Revocation, ..))
        ));
        assert!(!session.is_asking());
        let tokens = session.tokens.as_ref().unwrap();
        assert_eq!(tokens.untaken(), [Value::Access]);
        assert!(!tokens.can_refresh());
    }

    #[test]
    fn running_revocation_blocks_others_and_late_response_is_ignored() {
        let mut session = signed_in("gitlab");
        let _ = session.ask(Tool::Revocation, TokenKind::Refresh).unwrap();
        assert!(matches!(session.authorize(), Err(Refused::Busy(_))));
        assert!(matches!(session.refresh(), Err(Refused::Busy(_))));
        assert!(matches!(
            session.ask(Tool::UserInfo, TokenKind::Access),
            Err(Refused::Busy(_))
        ));
        session.cancel();
        let asked = session.ask(Tool::UserInfo, TokenKind::Access).unwrap();
        let _ = session.authorize().unwrap();
        let outcome = Outcome::Revoked(vec![revoked(TokenKind::Access, Verified::Inactive)]);
        assert!(hear(&mut session, asked.attempt, answer(Ok(outcome))).is_none());
        let untaken = session.tokens.as_ref().unwrap().untaken();
        assert_eq!(untaken, [Value::Access, Value::Refresh]);
    }

    #[test]
    fn profile_tokens_are_sent_only_to_pinned_endpoints() {
        let mut session = signed_in("gitlab");
        session.tokens.as_mut().unwrap().profile = Some("office".to_owned());
        let url = session.tool_url(Tool::UserInfo, TokenKind::Access);
        let url = url.unwrap();
        let tokens = session.tokens.as_mut().unwrap();
        let pins = issued_for(&tokens.request, &tokens.settings, None, None);
        tokens.obtained.pins = Some(Box::new(pins));
        let again = session.tool_url(Tool::UserInfo, TokenKind::Access);
        assert_eq!(again.ok(), Some(url));
        let tokens = session.tokens.as_mut().unwrap();
        let pins = tokens.obtained.pins.as_mut().unwrap();
        pins.tools.userinfo = Some("https://elsewhere.example/userinfo".to_owned());
        let refused = session.ask(Tool::UserInfo, TokenKind::Access);
        assert!(
            matches!(&refused, Err(Refused::NotOffered(reason)) if reason.contains("has changed")),
            "{refused:?}"
        );
        assert!(session.work().is_none());
    }

    #[test]
    fn unsupported_tools_are_refused() {
        let mut session = signed_in("microsoft-mail");
        for tool in Tool::ALL {
            let refused = session.ask(tool, TokenKind::Access);
            assert!(
                matches!(refused, Err(Refused::NotOffered(_))),
                "{refused:?}"
            );
        }
        assert!(session.revocable().is_err());
    }

    #[test]
    fn only_profiles_find_revocation_endpoints_through_metadata() {
        let mut session = signed_in("gitlab");
        let mut settings = Settings::new(presets::get("custom").unwrap());
        settings.set(Key::Issuer, "https://as.example".to_owned());
        session.tokens.as_mut().unwrap().settings = settings;
        assert!(session.revocable().is_err());
        session.tokens.as_mut().unwrap().profile = Some("office".to_owned());
        let kinds = session.revocable().unwrap().kinds;
        assert_eq!(kinds, [TokenKind::Refresh, TokenKind::Access]);
        assert!(session.tool_url(Tool::UserInfo, TokenKind::Access).is_err());
    }
}
