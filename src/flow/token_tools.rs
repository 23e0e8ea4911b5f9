//! Revokes and introspects tokens, and gets the user info.

use std::path::PathBuf;

use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use super::client_key::ready;
use super::http::{Http, Transport};
use super::keys::Keys;
use super::redact::Secrets;
use super::reporter::Reporter;
use super::tool_report::{Outcome, Revoked, Told, ToolError, Verified};
use crate::oauth::check::Outcome::NotChecked;
use crate::oauth::check::{Check, CheckName};
use crate::oauth::client::{Client, RequestError};
use crate::oauth::id_token::{Claims, decode};
use crate::oauth::jose::Jws;
use crate::oauth::token::TokenSet;
use crate::oauth::tool_answers::{
    Introspection, ToolFailure, parse_introspection, parse_revocation, parse_userinfo,
};
use crate::oauth::tools::{TokenKind, Tool};
use crate::secret::{ExposeSecret, SecretString};

/// What to ask of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Revokes these tokens, in this order.
    Revoke {
        /// The tokens.
        kinds: Vec<TokenKind>,
        /// The revocation endpoint.
        url: Url,
        /// The introspection endpoint, to check the result.
        check: Option<Url>,
    },
    /// Asks whether a token is accepted.
    Introspect {
        /// The token.
        kind: TokenKind,
        /// The introspection endpoint.
        url: Url,
    },
    /// Asks who the access token belongs to.
    UserInfo {
        /// The userinfo endpoint.
        url: Url,
    },
    /// Verifies the signatures of the JWTs among the tokens with the keys of the issuer. Sends no token.
    Verify,
}

/// A task with all that it needs.
#[derive(Debug)]
pub struct ToolRun {
    /// What to ask.
    pub task: Task,
    /// The client.
    pub client: Client,
    /// The tokens.
    pub tokens: TokenSet,
    /// The scheme of an access token in an `Authorization` header.
    pub header: String,
    /// An additional CA certificate to trust.
    pub ca_file: Option<PathBuf>,
}

/// Does what the task says.
pub(super) async fn tool(run: &mut ToolRun, reporter: &Reporter) -> Told {
    let begin = Instant::now();
    let outcome = run.begin(reporter).await;
    Told {
        outcome,
        took: begin.elapsed(),
    }
}

impl ToolRun {
    async fn begin(&mut self, reporter: &Reporter) -> Result<Outcome, ToolError> {
        ready(&mut self.client, reporter).await?;
        let http = Http::of(&self.client, self.ca_file.as_deref()).await?;
        self.ask(&http, reporter).await
    }

    async fn ask(
        &self,
        transport: &impl Transport,
        reporter: &Reporter,
    ) -> Result<Outcome, ToolError> {
        match &self.task {
            Task::Revoke { kinds, url, check } => {
                let mut tokens = Vec::new();
                for kind in kinds {
                    let Some(token) = self.token(*kind) else {
                        continue;
                    };
                    let outcome = self
                        .revoke(*kind, token, url, check.as_ref(), transport, reporter)
                        .await;
                    tokens.push(Revoked {
                        kind: *kind,
                        outcome,
                    });
                }
                Ok(Outcome::Revoked(tokens))
            }
            Task::Introspect { kind, url } => {
                let token = self.token(*kind).ok_or(RequestError::NO_TOKEN)?;
                let mut told = self
                    .introspect(*kind, token, url, transport, reporter)
                    .await?;
                self.redact(&mut told.claims, Tool::Introspection)?;
                Ok(Outcome::Introspected(told))
            }
            Task::UserInfo { url } => {
                let request = self.client.tool_request(
                    Tool::UserInfo,
                    url,
                    TokenKind::Access,
                    &self.tokens.access_token,
                    &self.header,
                )?;
                let answer = reporter.send(transport, &request).await?;
                let id_token = self.tokens.id_token.as_ref();
                let claims = id_token.and_then(|token| decode(token.expose_secret()));
                let subject = claims.as_ref().and_then(Claims::subject);
                let mut told = parse_userinfo(&answer, subject, &self.client.dialect.answers)?;
                self.redact(&mut told.claims, Tool::UserInfo)?;
                Ok(Outcome::UserInfo(told))
            }
            Task::Verify => {
                let (access, id) = (Some(&self.tokens.access_token), &self.tokens.id_token);
                Ok(Outcome::Verified {
                    access: self.signature(access, transport, reporter).await,
                    id: self.signature(id.as_ref(), transport, reporter).await,
                })
            }
        }
    }

    fn token(&self, kind: TokenKind) -> Option<&SecretString> {
        match kind {
            TokenKind::Access => Some(&self.tokens.access_token),
            TokenKind::Refresh => self.tokens.refresh_token.as_ref(),
        }
    }

    /// The signature of a token, if it is a JWT.
    async fn signature(
        &self,
        token: Option<&SecretString>,
        transport: &impl Transport,
        reporter: &Reporter,
    ) -> Option<Check> {
        let token = token.filter(|token| decode(token.expose_secret()).is_some())?;
        if let Ok(signed) = Jws::parse(token.expose_secret())
            && signed.is_for_its_api_only()
        {
            let detail = "its header has a nonce, so only the API that it is for can verify it";
            return Some(Check::new(CheckName::Signature, NotChecked, detail));
        }
        let alone = TokenSet {
            id_token: Some(token.clone()),
            ..self.tokens.clone()
        };
        let keys = Keys::default();
        keys.check(transport, &self.client, &alone, reporter).await
    }

    fn is_public(&self) -> bool {
        self.client.is_public()
    }

    async fn revoke(
        &self,
        kind: TokenKind,
        token: &SecretString,
        url: &Url,
        check: Option<&Url>,
        transport: &impl Transport,
        reporter: &Reporter,
    ) -> Result<Verified, ToolError> {
        let tool = Tool::Revocation;
        let request = self
            .client
            .tool_request(tool, url, kind, token, &self.header)?;
        let answer = reporter.send(transport, &request).await?;
        parse_revocation(&answer, self.is_public(), &self.client.dialect.answers)?;
        let Some(check) = check else {
            return Ok(Verified::NotOffered);
        };
        let told = self
            .introspect(kind, token, check, transport, reporter)
            .await;
        Ok(match told {
            Ok(told) if told.active => Verified::StillActive,
            Ok(_) => Verified::Inactive,
            Err(error) => Verified::Unknown(error.to_string()),
        })
    }

    async fn introspect(
        &self,
        kind: TokenKind,
        token: &SecretString,
        url: &Url,
        transport: &impl Transport,
        reporter: &Reporter,
    ) -> Result<Introspection, ToolError> {
        let tool = Tool::Introspection;
        let request = self
            .client
            .tool_request(tool, url, kind, token, &self.header)?;
        let answer = reporter.send(transport, &request).await?;
        let dialect = &self.client.dialect.answers;
        Ok(parse_introspection(&answer, self.is_public(), dialect)?)
    }

    /// Redacts what a response repeats of the tokens and the client secret.
    fn redact(&self, claims: &mut Claims, tool: Tool) -> Result<(), ToolFailure> {
        let mut secrets = Secrets::default();
        for secret in self.tokens.secrets().chain(&self.client.secret) {
            secrets.remember(secret.expose_secret());
        }
        let mut names = Vec::new();
        all_names(claims.members(), &mut names);
        let before = names.clone();
        secrets.redact(&mut names.iter_mut().collect::<Vec<_>>());
        if names != before {
            return Err(ToolFailure::Unusable {
                tool,
                reason: "it repeats a token as the name of a member".to_owned(),
            });
        }
        let mut texts = Vec::new();
        for value in claims.members_mut().values_mut() {
            all_texts(value, &mut texts);
        }
        secrets.redact(&mut texts);
        Ok(())
    }
}

/// The recursion here and below is bounded by the depth of the parsed response.
fn all_names(members: &Map<String, Value>, names: &mut Vec<String>) {
    fn within(value: &Value, names: &mut Vec<String>) {
        match value {
            Value::Object(members) => all_names(members, names),
            Value::Array(list) => list.iter().for_each(|value| within(value, names)),
            _ => {}
        }
    }
    for (name, value) in members {
        names.push(name.clone());
        within(value, names);
    }
}

fn all_texts<'a>(value: &'a mut Value, texts: &mut Vec<&'a mut String>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(list) => list.iter_mut().for_each(|value| all_texts(value, texts)),
        Value::Object(members) => members
            .values_mut()
            .for_each(|value| all_texts(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
