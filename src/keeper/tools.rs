//! Sends requests about the tokens of a profile: revocation, introspection and user info.

use url::Url;

use super::caller::{Wish, obtain};
use super::profile::{Profile, file_outcome, record_outcome, settings_outcome, sign_in_again};
use super::save::{current, lock};
use super::save_error::SaveError;
use crate::clock::unix_time;
use crate::flow::attempt::Attempts;
use crate::flow::driver::{Flow, Job, run_alone};
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::token_tools::{Task, ToolRun};
use crate::flow::tool_report::{self, Revoked, Told, ToolError, Verified};
use crate::form::request::issuer;
use crate::form::tools::NotOffered;
use crate::oauth::check::Check;
use crate::oauth::discovery::Metadata;
use crate::oauth::signing::Published;
use crate::oauth::tools::{TokenKind, Tool};
use crate::outcome::exit;
use crate::profile::issued_for::tool_destination;
use crate::profile::places::Place;
use crate::profile::settings_file::SettingsFile;
use crate::store::attempt::Outcome;
use crate::store::private;
use crate::store::record::Record;
use crate::store::reserved::Reserved;
use crate::store::tokens::Tokens;

/// The result of a request.
#[derive(Debug)]
pub struct Answered {
    /// The response, or why there is none.
    pub told: Told,
    /// The URL of the endpoint.
    pub url: Url,
    /// A warning about the access token, such as a failed refresh.
    pub warning: Option<String>,
    /// Whether the client is public, without a secret.
    pub public: bool,
}

/// Sends a request about a token of a profile. An access token is refreshed first if necessary.
///
/// # Errors
/// Returns the outcome to report if nothing was sent.
pub async fn ask(
    place: &Place,
    tool: Tool,
    kind: TokenKind,
    wish: Wish<'_>,
) -> Result<Answered, Outcome> {
    private::check_folder(place.record_folder()).map_err(|error| file_outcome(&error))?;
    let record = Record::read(&place.record()).map_err(|error| record_outcome(&error, place))?;
    // Find the endpoint first: without one, no refresh is needed.
    let mut service = Service::of(place, &record)?;
    let url = service.url(tool, &record).await?;
    let accepted = service.profile.settings.tool_accepts(tool, kind);
    accepted.map_err(not_offered)?;
    let (record, warning) = match kind {
        TokenKind::Access => obtain(place, wish)?.warned(),
        TokenKind::Refresh => (record, None),
    };
    let tokens = record.tokens.as_ref();
    let tokens = tokens.filter(|tokens| tokens.has(kind));
    let tokens = tokens.ok_or_else(|| no_token(kind, place))?;
    let task = match tool {
        Tool::UserInfo => Task::UserInfo { url: url.clone() },
        Tool::Introspection | Tool::Revocation => Task::Introspect {
            kind,
            url: url.clone(),
        },
    };
    let public = service.profile.request.client.is_public();
    let told = run_alone(service.run(task, &record, tokens)).await;
    Ok(Answered {
        told,
        url,
        warning,
        public,
    })
}

/// The signature checks of a profile's tokens, for those that are JWTs, with the keys of its issuer.
#[derive(Debug)]
pub struct Signatures {
    /// The check of the access token.
    pub access: Option<Check>,
    /// The check of the ID token.
    pub id: Option<Check>,
}

/// Verifies the signatures of the tokens of a profile. The keys are those of the issuer in its settings, whatever
/// issuer a token names. No token is sent.
///
/// # Errors
/// Returns the outcome to report if the keys can't be fetched.
pub async fn verify(place: &Place, record: &Record) -> Result<Signatures, Outcome> {
    let mut service = Service::of(place, record)?;
    let Some(issuer) = issuer(&service.profile.settings) else {
        return Err(Outcome::new(
            exit::USAGE,
            "The signatures can't be checked: the settings have no issuer.",
        )
        .with_hint(format!("Set issuer in {}.", place.settings().display())));
    };
    let tokens = record.tokens.as_ref();
    let tokens = tokens.ok_or_else(|| no_token(TokenKind::Access, place))?;
    let metadata = discover(Job::Discover(issuer)).await?;
    // What the metadata says about ID tokens doesn't apply to access tokens.
    service.profile.request.client.signing.published = Some(Published {
        keys_url: metadata.keys_url,
        algorithms: None,
    });
    match run_alone(service.run(Task::Verify, record, tokens))
        .await
        .outcome
    {
        Ok(tool_report::Outcome::Verified { access, id }) => Ok(Signatures { access, id }),
        Ok(_) => Ok(Signatures {
            access: None,
            id: None,
        }),
        Err(error) => Err(tool_outcome(&error)),
    }
}

fn no_token(kind: TokenKind, place: &Place) -> Outcome {
    Outcome::new(exit::SIGN_IN, format!("There is no {}.", kind.name()))
        .with_hint(sign_in_again(place))
}

fn not_offered(reason: NotOffered) -> Outcome {
    Outcome {
        code: exit::USAGE,
        error: reason.reason,
        cause: None,
        hint: reason.instead,
    }
}

/// The service of a profile, with its metadata if that was needed.
struct Service<'a> {
    place: &'a Place,
    profile: Profile,
    metadata: Option<Metadata>,
}

impl<'a> Service<'a> {
    fn of(place: &'a Place, record: &Record) -> Result<Self, Outcome> {
        let file = SettingsFile::read(place).map_err(|error| settings_outcome(&error))?;
        Ok(Self {
            place,
            profile: Profile::load(place, record, file)?,
            metadata: None,
        })
    }

    /// Returns the endpoint for `tool`, provided that the tokens of `record` may be sent there.
    async fn url(&mut self, tool: Tool, record: &Record) -> Result<Url, Outcome> {
        let settings = &self.profile.settings;
        let allowed = |now: Option<Url>| {
            tool_destination(&record.issued_for, tool, now).map_err(|error| {
                Outcome::new(exit::USAGE, error).with_hint(format!(
                    "Undo the change in {} or in its preset, or sign in again: oauth-authorizer --profile {} --plain --save",
                    self.place.settings().display(),
                    self.place.target()
                ))
            })
        };
        let now = settings.tool_url(tool, self.metadata.as_ref());
        if settings.preset().tools.of(tool).unsupported.is_some() {
            return now.map_err(not_offered);
        }
        if let Some(url) = allowed(now.as_ref().ok().cloned())? {
            return Ok(url);
        }
        let Some(issuer) = issuer(settings).filter(|_| self.metadata.is_none()) else {
            return now.map_err(not_offered);
        };
        let metadata = discover(Job::Discover(issuer)).await?;
        let now = settings.tool_url(tool, Some(&metadata));
        let url = allowed(now.as_ref().ok().cloned())?;
        self.metadata = Some(metadata);
        match url {
            Some(url) => Ok(url),
            None => now.map_err(not_offered),
        }
    }

    fn run(&self, task: Task, record: &Record, tokens: &Tokens) -> ToolRun {
        ToolRun {
            task,
            client: self.profile.request.client.clone(),
            tokens: tokens.to_set(unix_time()),
            header: record.issued_for.header.clone(),
            ca_file: self.profile.request.ca_file.clone(),
        }
    }
}

async fn discover(job: Job) -> Result<Metadata, Outcome> {
    let (sender, mut reports) = tokio::sync::mpsc::channel(16);
    let _flow = Flow::start(job, Attempts::default().begin(), None, sender);
    let failed = |code, error, hint| Outcome {
        code,
        error,
        cause: None,
        hint,
    };
    while let Some((_, event)) = reports.recv().await {
        match event {
            FlowEvent::Metadata(metadata) => return Ok(*metadata),
            FlowEvent::Failed(error) => {
                let hint = Some(FlowError::hint(&error));
                return Err(failed(exit::code(&error), error.sentence(), hint));
            }
            _ => {}
        }
    }
    let stopped = "The request for the issuer's metadata was stopped.".to_owned();
    Err(failed(exit::FAILED, stopped, None))
}

/// The result of revoking the tokens of a profile.
#[derive(Debug)]
pub struct Revocation {
    /// The tokens that the service was asked to revoke.
    pub tokens: Vec<Revoked>,
    /// The tokens that the service can't revoke, each with the reason as a sentence.
    pub skipped: Vec<(TokenKind, String)>,
    /// The tokens that were removed from the record.
    pub removed: Vec<TokenKind>,
    /// Why the service was not contacted. Set only if the tokens were removed anyway.
    pub not_asked: Option<Outcome>,
}

impl Revocation {
    /// Returns the exit code for the worst result.
    #[must_use]
    pub fn code(&self) -> u8 {
        let code = |token: &Revoked| match &token.outcome {
            Ok(Verified::StillActive) => exit::NOT_ACCEPTED,
            Ok(_) => exit::DONE,
            Err(_) if self.is_left_to_expire(token) => exit::DONE,
            Err(error) => exit::tool_code(error),
        };
        let not_asked = self
            .not_asked
            .as_ref()
            .map_or(exit::DONE, |outcome| outcome.code);
        self.tokens.iter().map(code).max().unwrap_or(not_asked)
    }

    /// Returns whether this is an access token that the service can't revoke, after it revoked the refresh token.
    #[must_use]
    pub fn is_left_to_expire(&self, token: &Revoked) -> bool {
        let unsupported =
            matches!(&token.outcome, Err(ToolError::Failure(failure)) if failure.is_unsupported());
        unsupported && is_revoked(&self.tokens, TokenKind::Refresh)
    }
}

/// Returns whether the token of this kind was revoked.
fn is_revoked(tokens: &[Revoked], kind: TokenKind) -> bool {
    tokens
        .iter()
        .any(|token| token.kind == kind && token.is_revoked())
}

/// Revokes tokens of a profile, in the order of `kinds`. They are removed from the record only if the service confirms
/// the revocation, or with `forget`.
///
/// # Errors
/// Returns the outcome to report if nothing was sent and nothing changed.
pub async fn revoke(
    place: &Place,
    kinds: &[TokenKind],
    forget: bool,
) -> Result<Revocation, Outcome> {
    private::check_folder(place.record_folder()).map_err(|error| file_outcome(&error))?;
    // A refresh in the meantime would create new tokens. Blocking is fine: nothing else runs on this thread.
    let _lock = lock(place).map_err(|error| save_outcome(&error))?;
    let record = current(place).map_err(|error| save_outcome(&error))?;
    let has = |record: &Record, kind: TokenKind| {
        record
            .tokens
            .as_ref()
            .is_some_and(|tokens| tokens.has(kind))
    };
    let any = |record: &Record, kinds: &[TokenKind]| kinds.iter().any(|kind| has(record, *kind));
    let all = [TokenKind::Access, TokenKind::Refresh];
    let is_any_left = record.as_ref().is_some_and(|record| any(record, &all));
    let Some(record) = record.filter(|record| any(record, kinds)) else {
        let (code, error) = match kinds {
            [kind] if is_any_left => (
                exit::FAILED,
                format!("The profile has no {} to revoke.", kind.name()),
            ),
            _ => (exit::SIGN_IN, "There are no tokens to revoke.".to_owned()),
        };
        return Err(Outcome::new(code, error));
    };
    // Detect a full disk before contacting the service.
    let (reserved, damage) =
        Reserved::after(&record, &place.next()).map_err(|error| file_outcome(&error))?;
    let mut revocation = match revoke_at_service(place, &record, kinds).await {
        Ok(revocation) => revocation,
        Err(outcome) if forget => Revocation {
            tokens: Vec::new(),
            skipped: Vec::new(),
            removed: Vec::new(),
            not_asked: Some(outcome),
        },
        Err(outcome) if damage.is_none() => {
            reserved.release();
            return Err(outcome);
        }
        // The tokens are nowhere else.
        Err(outcome) => {
            let stored = reserved.store(&record, &place.record());
            return Err(stored.map_or_else(
                |error| file_outcome(&record.storage_error(error, damage)),
                |()| outcome,
            ));
        }
    };
    let refresh = is_revoked(&revocation.tokens, TokenKind::Refresh);
    for kind in kinds {
        let left_to_expire = revocation
            .skipped
            .iter()
            .any(|(skipped, _)| skipped == kind)
            || revocation
                .tokens
                .iter()
                .any(|token| token.kind == *kind && revocation.is_left_to_expire(token));
        let gone = is_revoked(&revocation.tokens, *kind) || (refresh && left_to_expire);
        if gone || forget {
            revocation.removed.push(*kind);
        }
    }
    let now = unix_time();
    let tokens = revocation
        .removed
        .iter()
        .fold(record.tokens.clone(), |tokens, kind| {
            tokens.and_then(|tokens| tokens.without(*kind, now))
        });
    if revocation.removed.is_empty() {
        if damage.is_none() {
            reserved.release();
        } else {
            let stored = reserved.store(&record, &place.record());
            stored.map_err(|error| file_outcome(&record.storage_error(error, damage)))?;
        }
        return Ok(revocation);
    }
    // The generation stays: it counts records.
    let changed = Record {
        tokens,
        rejected: None,
        ..record.clone()
    };
    reserved.store(&changed, &place.record()).map_err(|error| {
        let error = record.storage_error(error, damage);
        Outcome::new(
            exit::FAILED,
            format!("The tokens are revoked, but can't be removed from the profile. {error}"),
        )
        .with_hint("Repair the disk, then run this again with --forget.")
    })?;
    Ok(revocation)
}

async fn revoke_at_service(
    place: &Place,
    record: &Record,
    kinds: &[TokenKind],
) -> Result<Revocation, Outcome> {
    let tokens = record.tokens.as_ref();
    let tokens = tokens.ok_or_else(|| no_token(TokenKind::Refresh, place))?;
    let mut service = Service::of(place, record)?;
    let url = service.url(Tool::Revocation, record).await?;
    // The tokens are revoked even if the result can't be checked.
    let check = service.url(Tool::Introspection, record).await.ok();
    let settings = &service.profile.settings;
    let mut accepted = Vec::new();
    let mut skipped = Vec::new();
    for kind in kinds.iter().copied().filter(|kind| tokens.has(*kind)) {
        match settings.tool_accepts(Tool::Revocation, kind) {
            Ok(()) => accepted.push(kind),
            Err(reason) if kinds.len() == 1 => return Err(not_offered(reason)),
            Err(reason) => skipped.push((kind, reason.reason)),
        }
    }
    let task = Task::Revoke {
        kinds: accepted,
        url,
        check,
    };
    let told = run_alone(service.run(task, record, tokens)).await;
    let tokens = match told.outcome {
        Ok(tool_report::Outcome::Revoked(tokens)) => tokens,
        Ok(_) => Vec::new(),
        Err(error) => return Err(tool_outcome(&error)),
    };
    Ok(Revocation {
        tokens,
        skipped,
        removed: Vec::new(),
        not_asked: None,
    })
}

/// Returns what to report about a failed request.
#[must_use]
pub fn tool_outcome(error: &ToolError) -> Outcome {
    Outcome {
        code: exit::tool_code(error),
        error: error.to_string(),
        cause: error.cause().map(str::to_owned),
        hint: Some(error.hint().to_owned()),
    }
}

fn save_outcome(error: &SaveError) -> Outcome {
    Outcome::new(
        match error {
            SaveError::Busy => exit::BUSY,
            SaveError::File(_)
            | SaveError::Record(_)
            | SaveError::Settings(_)
            | SaveError::Changed
            | SaveError::Gone => exit::RECORD,
        },
        error.to_string(),
    )
}
