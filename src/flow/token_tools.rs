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
use crate::oauth::client::Client;
use crate::oauth::id_token::{Claims, decode};
use crate::oauth::jose::Jws;
use crate::oauth::request::RequestError;
use crate::oauth::token::TokenSet;
use crate::oauth::tool_answers::{
    Introspection, parse_introspection, parse_revocation, parse_userinfo,
};
use crate::oauth::tool_failure::ToolFailure;
use crate::oauth::tools::{TokenKind, Tool};
use crate::secret::{ExposeSecret, SecretString};

/// The request to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// Revokes these tokens, in this order.
    Revoke {
        /// The tokens to revoke.
        kinds: Vec<TokenKind>,
        /// The revocation endpoint.
        url: Url,
        /// The introspection endpoint that verifies the result, if there is one.
        check: Option<Url>,
    },
    /// Asks the service whether a token is active.
    Introspect {
        /// The kind of token.
        kind: TokenKind,
        /// The introspection endpoint.
        url: Url,
    },
    /// Requests the claims about the user of the access token.
    UserInfo {
        /// The userinfo endpoint.
        url: Url,
    },
    /// Verifies the signatures of all tokens that are JWTs, with the keys of the issuer. Sends no token.
    Verify,
}

/// A task with everything it needs.
#[derive(Debug)]
pub struct ToolRun {
    /// The task.
    pub task: Task,
    /// The client that makes the request.
    pub client: Client,
    /// The tokens that the task is about.
    pub tokens: TokenSet,
    /// The scheme of an access token in an `Authorization` header.
    pub header: String,
    /// An additional CA certificate to trust.
    pub ca_file: Option<PathBuf>,
}

/// Runs the task.
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

    /// Verifies the signature of a token, if it is a JWT.
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

    /// Redacts the tokens and the client secret in a response.
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

/// The depth of the parsed response limits the recursion here and below.
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::flow::http_error::HttpError;
    use crate::flow::scripted::{answer, client, reporter, script, url};
    use crate::oauth::answer::Answer;
    use crate::oauth::asked::Asked;
    use crate::oauth::client_authentication::ClientAuthentication;
    use crate::oauth::dialect::Answers;
    use crate::oauth::token::parse_token_answer;

    type Reply = Result<Answer, HttpError>;

    const ACCESS: &str = "s3cr3t-access-1";
    const REFRESH: &str = "s3cr3t-refresh-2";

    /// Creates a task with these tokens, for a client with a secret.
    fn run(task: Task, tokens: &Value) -> ToolRun {
        let answer = answer(200, &tokens.to_string()).unwrap();
        let tokens = parse_token_answer(&answer, &Answers::default());
        ToolRun {
            task,
            client: Client {
                secret: Some("s3cr3t-client-3".into()),
                authentication: ClientAuthentication::Post,
                ..client()
            },
            tokens: tokens.into_tokens(Asked::Exchange, &answer).unwrap(),
            header: "Bearer".to_owned(),
            ca_file: None,
        }
    }

    fn both() -> Value {
        json!({ "access_token": ACCESS, "refresh_token": REFRESH })
    }

    /// Runs a task. Returns the outcome, and the bodies that were sent.
    async fn ran(run: &ToolRun, replies: Vec<Reply>) -> (Result<Outcome, ToolError>, Vec<String>) {
        let (script, (reporter, _)) = (script(replies), reporter());
        let outcome = run.ask(&script, &reporter).await;
        let requests = script.requests.into_inner().unwrap().into_iter();
        let bodies = requests.map(|request| request.body.expose_secret().to_owned());
        (outcome, bodies.collect())
    }

    #[tokio::test]
    async fn tokens_are_revoked_in_order_and_verified_by_introspection() {
        let task = |check| Task::Revoke {
            kinds: vec![TokenKind::Refresh, TokenKind::Access],
            url: url(),
            check,
        };
        let outcomes = |outcome| {
            let Ok(Outcome::Revoked(tokens)) = outcome else {
                unreachable!("{outcome:?}")
            };
            let tokens = tokens.into_iter();
            let outcomes = tokens.map(|token: Revoked| (token.kind, token.outcome.unwrap()));
            outcomes.collect::<Vec<_>>()
        };
        let replies = vec![
            answer(200, ""),
            answer(200, r#"{"active":false}"#),
            answer(200, ""),
            answer(200, r#"{"active":true}"#),
        ];
        let (outcome, sent) = ran(&run(task(Some(url())), &both()), replies).await;
        assert_eq!(
            outcomes(outcome),
            [
                (TokenKind::Refresh, Verified::Inactive),
                (TokenKind::Access, Verified::StillActive),
            ]
        );
        for (body, token) in sent.iter().zip([REFRESH, REFRESH, ACCESS, ACCESS]) {
            assert!(body.contains(&format!("token={token}&")), "{body}");
        }
        // A missing token is left out. If introspection fails, the result is unknown.
        let alone = json!({ "access_token": ACCESS });
        let replies = vec![answer(200, ""), answer(503, "")];
        let (outcome, _) = ran(&run(task(Some(url())), &alone), replies).await;
        let outcome = outcomes(outcome);
        assert!(
            matches!(&outcome[..], [(TokenKind::Access, Verified::Unknown(why))] if why.contains("503")),
            "{outcome:?}"
        );
        let (outcome, sent) = ran(&run(task(None), &alone), vec![answer(200, "")]).await;
        assert_eq!(
            outcomes(outcome),
            [(TokenKind::Access, Verified::NotOffered)]
        );
        assert_eq!(sent.len(), 1);
    }

    #[tokio::test]
    async fn rejection_reports_whether_the_client_is_public() {
        for has_secret in [true, false] {
            let introspect = Task::Introspect {
                kind: TokenKind::Access,
                url: url(),
            };
            let mut run = run(introspect, &both());
            if !has_secret {
                run.client = client();
            }
            let (outcome, _) = ran(&run, vec![answer(401, "")]).await;
            let Err(ToolError::Failure(ToolFailure::Refused { public, .. })) = outcome else {
                unreachable!("{outcome:?}")
            };
            assert_eq!(public, !has_secret);
        }
    }

    #[tokio::test]
    async fn results_redact_tokens_and_client_secrets_at_any_depth() {
        let introspect = || Task::Introspect {
            kind: TokenKind::Refresh,
            url: url(),
        };
        let user_info = || Task::UserInfo { url: url() };
        for secret in [ACCESS, REFRESH, "s3cr3t-client-3"] {
            let members = json!({
                "active": true, "sub": "alice", "text": format!("it is {secret}"), "list": ["x", [{"inner": secret}]],
                "number": 1, "object": {"deeper": {"deepest": secret}},
            });
            for task in [introspect(), user_info()] {
                let (outcome, _) =
                    ran(&run(task, &both()), vec![answer(200, &members.to_string())]).await;
                let claims = match outcome {
                    Ok(Outcome::Introspected(told)) => told.claims,
                    Ok(Outcome::UserInfo(told)) => told.claims,
                    other => unreachable!("{other:?}"),
                };
                let text = json!(claims.members()).to_string();
                assert!(!text.contains("s3cr3t"), "{text}");
                assert_eq!(text.matches("redacted").count(), 3, "{text}");
                assert!(text.contains("alice"), "{text}");
            }
            // The name of a member can't be redacted.
            for members in [
                json!({ "active": true, secret: 1 }),
                json!({ "active": true, "list": [1, [{ secret: 1 }]] }),
                json!({ "active": true, "object": { "inner": { secret: 1 } } }),
            ] {
                let reply = vec![answer(200, &members.to_string())];
                let (outcome, _) = ran(&run(introspect(), &both()), reply).await;
                let error = outcome.unwrap_err().to_string();
                assert!(
                    error.contains("a token as the name of a member") && !error.contains("s3cr3t"),
                    "{error}"
                );
            }
        }
    }

    #[tokio::test]
    async fn signature_of_each_jwt_is_checked() {
        for (access, id, expected) in [
            ("opaque", None, [false, false]),
            ("e30.e30.x", None, [true, false]),
            ("opaque", Some("e30.e30.x"), [false, true]),
            ("e30.e30.x", Some("e30.e30.x"), [true, true]),
        ] {
            let mut tokens = json!({ "access_token": access });
            if let Some(id) = id {
                tokens["id_token"] = id.into();
            }
            let (outcome, sent) = ran(&run(Task::Verify, &tokens), Vec::new()).await;
            let Ok(Outcome::Verified { access, id }) = outcome else {
                unreachable!("{outcome:?}")
            };
            assert_eq!([access.is_some(), id.is_some()], expected);
            assert!(sent.is_empty());
        }
    }
}
