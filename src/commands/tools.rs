//! `revoke`, `introspect` and `userinfo`: requests to the service about the tokens of a profile.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::claims::{json_text, lines};
use super::failed::failed;
use super::stop::Ended;
use super::token::{find, say_outcome};
use crate::cli::{AskFlags, IntrospectFlags, RevokeFlags, UserInfoFlags};
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::flow::tool_report::{Outcome as Told, Revoked, Verified};
use crate::keeper::caller::Wish;
use crate::keeper::tools::{Answered, Revocation, ask, revoke, tool_outcome};
use crate::oauth::id_token::Claims;
use crate::oauth::tool_answers::{EXPIRED_NOTE, PUBLIC_NOTE};
use crate::oauth::tools::{TokenKind, Tool};
use crate::outcome::exit;
use crate::profile::name::ProfileName;
use crate::profile::places::Place;
use crate::store::attempt::Outcome;

/// An access token with a shorter remaining lifetime, in seconds, is refreshed before the request.
const MIN_VALID: u64 = 60;

/// Creates the runtime for the requests of a command.
///
/// # Errors
/// Returns an error if the system lacks the resources.
pub(super) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    crate::runtime::new().map_err(|error| failed("Can't start a request", &error))
}

/// Revokes the tokens of a profile.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run_revoke(flags: &RevokeFlags) -> Ended {
    let place = find(&flags.profile, flags.profiles.folder())?;
    let kinds = match flags.token {
        Some(choice) => vec![choice.into()],
        None => vec![TokenKind::Refresh, TokenKind::Access],
    };
    revoke_tokens(&place, &kinds, flags.forget, flags.json)
}

/// Revokes these tokens of a profile, and prints the result for each.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn revoke_tokens(
    place: &Place,
    kinds: &[TokenKind],
    forget: bool,
    as_json: bool,
) -> Ended {
    let revocation = runtime()?
        .block_on(revoke(place, kinds, forget))
        .map_err(|outcome| say_outcome(&place.name, &outcome))?;
    report(&place.name, &revocation);
    let is_active = |token: &Revoked| matches!(token.outcome, Ok(Verified::StillActive));
    if !forget && revocation.tokens.iter().any(is_active) {
        say(
            "hint",
            "Some services report a revoked token as active for a short time. Try again later, or add --forget to remove it \
             from the profile now.",
        );
    }
    if as_json {
        print(&revoked_json(&place.name, &revocation))?;
    }
    Ok(revocation.code())
}

fn report(name: &ProfileName, revocation: &Revocation) {
    if let Some(outcome) = &revocation.not_asked {
        say_outcome(name, outcome);
    }
    for token in &revocation.tokens {
        let kind = token.kind.name();
        match &token.outcome {
            Ok(Verified::StillActive) => say(
                "error",
                &format!(
                    "{name}: {kind}: The service confirmed the revocation, but introspection still reports it as active."
                ),
            ),
            Ok(verified) => {
                let checked = match verified {
                    Verified::Inactive => "; introspection confirms that it is inactive".to_owned(),
                    Verified::Unknown(why) => {
                        format!(
                            "; not confirmed by introspection ({})",
                            why.trim_end_matches('.')
                        )
                    }
                    Verified::NotOffered | Verified::StillActive => String::new(),
                };
                say(
                    "done",
                    &format!("{name}: {kind}: the service says that it is revoked{checked}"),
                );
            }
            Err(error) if revocation.is_left_to_expire(token) => say(
                "warning",
                &format!("{name}: {kind}: {error} It stays valid until it expires."),
            ),
            Err(error) => {
                let outcome = tool_outcome(error);
                let error = format!("{kind}: {}", outcome.error);
                say_outcome(name, &Outcome { error, ..outcome });
            }
        }
    }
    for (kind, reason) in &revocation.skipped {
        let kind = kind.name();
        say(
            "warning",
            &format!("{name}: {kind}: {reason} It stays valid until it expires."),
        );
    }
    if !revocation.removed.is_empty() {
        let removed: Vec<&str> = revocation.removed.iter().map(|kind| kind.name()).collect();
        say(
            "done",
            &format!("{name}: removed from the profile: {}", removed.join(", ")),
        );
    }
}

fn revoked_json(name: &ProfileName, revocation: &Revocation) -> Value {
    let token = |token: &Revoked| {
        let active = match &token.outcome {
            Ok(Verified::Inactive) => Some(false),
            Ok(Verified::StillActive) => Some(true),
            _ => None,
        };
        json!({
            "token": token.kind.word(), "revoked": token.outcome.is_ok(), "active": active,
            "error": token.outcome.as_ref().err().map(ToString::to_string),
        })
    };
    let skipped = revocation.skipped.iter().map(|(kind, reason)| {
        json!({ "token": kind.word(), "revoked": false, "active": null, "error": reason })
    });
    let removed: Vec<&str> = revocation.removed.iter().map(|kind| kind.word()).collect();
    let tokens: Vec<Value> = revocation.tokens.iter().map(token).chain(skipped).collect();
    json!({ "profile": name.as_str(), "tokens": tokens, "removed": removed })
}

/// Asks the service whether it accepts a token.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run_introspect(flags: &IntrospectFlags) -> Ended {
    run(
        &flags.profile,
        Tool::Introspection,
        flags.token.into(),
        &flags.ask,
    )
}

/// Asks the service which user the access token belongs to.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run_userinfo(flags: &UserInfoFlags) -> Ended {
    run(
        &flags.profile,
        Tool::UserInfo,
        TokenKind::Access,
        &flags.ask,
    )
}

fn run(name: &ProfileName, tool: Tool, kind: TokenKind, flags: &AskFlags) -> Ended {
    let named = flags.profiles.folder();
    let place = find(name, named)?;
    let wish = Wish {
        min_valid: MIN_VALID,
        wait: flags.wait,
        offline: false,
        newer: false,
        named,
    };
    let answered = runtime()?
        .block_on(ask(&place, tool, kind, wish))
        .map_err(|outcome| say_outcome(&place.name, &outcome))?;
    if let Some(warning) = &answered.warning {
        say("warning", &format!("{}: {warning}", place.name));
    }
    match &answered.told.outcome {
        Ok(Told::Introspected(told)) => {
            let active = if told.active { "yes" } else { "no" };
            print_answer(
                &place.name,
                &answered,
                &told.claims,
                flags.json,
                ("Active", active),
                || json!({ "active": told.active }),
            )?;
            if told.is_past {
                say("warning", &format!("{}: {EXPIRED_NOTE}", place.name));
            }
            if told.active {
                return Ok(exit::DONE);
            }
            say(
                "error",
                &format!(
                    "{}: The service doesn't accept this {}: it has expired, was revoked, or was issued by another server.",
                    place.name,
                    kind.name()
                ),
            );
            if answered.public {
                say("hint", PUBLIC_NOTE);
            }
            Ok(exit::NOT_ACCEPTED)
        }
        Ok(Told::UserInfo(told)) => {
            let same = told.compared();
            print_answer(
                &place.name,
                &answered,
                &told.claims,
                flags.json,
                ("Same user", same),
                || json!({ "same_user": told.same_user }),
            )?;
            Ok(exit::DONE)
        }
        Ok(Told::Revoked(_) | Told::Verified { .. }) => Ok(exit::FAILED),
        Err(error) => Ok(say_outcome(&place.name, &tool_outcome(error))),
    }
}

fn print_answer(
    name: &ProfileName,
    answered: &Answered,
    claims: &Claims,
    as_json: bool,
    (label, value): (&str, &str),
    facts: impl FnOnce() -> Value,
) -> io::Result<()> {
    if as_json {
        let mut all = json!({ "profile": name.as_str(), "url": answered.url.as_str() });
        if let (Value::Object(all), Value::Object(facts)) = (&mut all, facts()) {
            all.extend(facts);
            all.insert("claims".to_owned(), Value::Object(claims.members().clone()));
        }
        return print(&all);
    }
    let mut out = io::stdout().lock();
    let took = answered.told.took.as_millis();
    writeln!(out, "{:10}  {} ({took} ms)", "Asked", answered.url)?;
    writeln!(out, "{label:10}  {value}")?;
    write!(out, "\n{}", lines(claims, unix_time()))?;
    out.flush()
}

fn print(value: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", json_text(value))?;
    out.flush()
}
