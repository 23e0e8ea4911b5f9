//! The requests to the endpoints for existing tokens, and the responses.

use oauth2::{RefreshToken, TokenUrl};
use serde_json::{Map, Value};
use url::Url;

use super::answer::Answer;
use super::assertion::Proof;
use super::client::Client;
use super::dialect::Answers;
use super::error_members::error;
use super::failure::BodyKind;
use super::id_token::{CLOCK_TOLERANCE, Claims};
use super::reported::contradiction;
use super::request::{Request, RequestError, taken};
use super::tool_failure::ToolFailure;
use super::tools::{Method, TokenKind, Tool};
use crate::secret::{ExposeSecret, SecretString};

impl Client {
    /// Builds the request to `tool` at `url` about a token. `header` is the authentication scheme in an `Authorization`
    /// header.
    ///
    /// # Errors
    /// Returns an error if the request can't be built.
    pub fn tool_request(
        &self,
        tool: Tool,
        url: &Url,
        kind: TokenKind,
        token: &SecretString,
        header: &str,
    ) -> Result<Request, RequestError> {
        let dialect = self.dialect.tools.of(tool);
        let bearer = || SecretString::from(format!("{header} {}", token.expose_secret()));
        if tool == Tool::UserInfo {
            return Ok(Request {
                method: match dialect.method {
                    Some(Method::Post) => Method::Bare,
                    Some(method) => method,
                    None => Method::Get,
                },
                url: url.clone(),
                authorization: Some(bearer()),
                body: SecretString::default(),
                proof: self.binding(url),
            });
        }
        // For these endpoints, the crate rejects http even on this machine; its refresh request has the same client
        // authentication.
        let client = self.basic().set_token_uri(TokenUrl::from_url(url.clone()));
        let token_text = RefreshToken::new(token.expose_secret().to_owned());
        let request = client.exchange_refresh_token(&token_text);
        let request = taken(|keep| drop(request.request(keep)));
        let mut request = self.in_dialect(request, |form| {
            if dialect.bearer {
                form.clear();
            }
            form.remove("grant_type");
            form.remove("refresh_token");
            match &dialect.parameter {
                Some(name) => form.set(name, token.expose_secret()),
                None if dialect.bearer => {}
                None => {
                    form.set("token", token.expose_secret());
                    form.set("token_type_hint", kind.hint());
                }
            }
        })?;
        request.method = match dialect.method {
            None | Some(Method::Post) if request.body.expose_secret().is_empty() => Method::Bare,
            Some(method) => method,
            None => Method::Post,
        };
        if dialect.bearer {
            request.authorization = Some(bearer());
            request.proof = Proof::None;
        }
        Ok(request)
    }

    /// Returns the proof that an access token belongs to this client. A token may be bound to the certificate that the
    /// client authenticated with, and is then accepted only with that certificate (RFC 8705, section 3). The server of
    /// the token endpoint knows the certificate; it is not sent to any other server.
    fn binding(&self, url: &Url) -> Proof {
        match self.credential.proof(self.authentication) {
            Some(Proof::Certificate) if url.origin() == self.token_url.origin() => {
                Proof::Certificate
            }
            _ => Proof::None,
        }
    }
}

/// A userinfo response.
#[derive(Debug, Clone)]
pub struct UserInfo {
    /// The claims about the user.
    pub claims: Claims,
    /// `Some(true)` if its `sub` matches that of the ID token; `None` if one of them is missing.
    pub same_user: Option<bool>,
}

impl UserInfo {
    /// Returns whether the user info is for the user of the ID token, in words. The user info of another user is never
    /// returned.
    #[must_use]
    pub fn compared(&self) -> &'static str {
        match self.same_user {
            Some(_) => "yes: sub matches the ID token",
            None => "not compared: there is no ID token, or no sub",
        }
    }
}

/// The note on an active token that has expired.
pub const EXPIRED_NOTE: &str = "By the clock of the service, this token has expired, but the service reports it as active. An API may reject it. Either exp \
     or that clock is wrong: tell the administrator of the service.";

/// The note on what an inactive token may also mean, if the client has no secret.
pub const PUBLIC_NOTE: &str =
    "This client has no secret. Some services report every token as inactive to such a client.";

/// An introspection response.
#[derive(Debug, Clone)]
pub struct Introspection {
    /// Whether the service accepts the token.
    pub active: bool,
    /// Whether an active token has expired, according to the time in the same response.
    pub is_past: bool,
    /// All members of the response.
    pub claims: Claims,
}

/// Returns the members of a successful response, if it has any, or the error of the service.
fn judge<'a>(
    answer: &'a Answer,
    tool: Tool,
    public: bool,
    dialect: &Answers,
) -> Result<Option<&'a Map<String, Value>>, ToolFailure> {
    let status = answer.status;
    let success = (200..300).contains(&status);
    let members = answer.body.members();
    let said = members.and_then(|members| {
        // In a successful response, only the member `error` is an error; other names may mean anything.
        let there = members.keys().next().map(String::as_str);
        error(
            members,
            dialect,
            there.filter(|_| success).unwrap_or_default(),
        )
    });
    let said = said.or_else(|| answer.challenge());
    let refused = |error| ToolFailure::Refused {
        tool,
        status,
        error,
        public,
    };
    match said {
        Some(error) if answer.is_final(&error) => return Err(refused(Some(error))),
        Some(error) => {
            return Err(ToolFailure::Unavailable {
                status,
                wait: answer.retry_after,
                error: Some(error),
            });
        }
        None if answer.is_temporary() => {
            return Err(ToolFailure::Unavailable {
                status,
                wait: answer.retry_after,
                error: answer.said(),
            });
        }
        None if (400..404).contains(&status) => return Err(refused(answer.said())),
        None => {}
    }
    if success {
        return Ok(members);
    }
    Err(ToolFailure::Unusable {
        tool,
        reason: answer
            .members()
            .err()
            .unwrap_or_else(|| answer.lacks(tool.endpoint())),
    })
}

/// Returns the members of a successful response that must be a JSON object.
fn members(
    answer: &Answer,
    tool: Tool,
    public: bool,
    dialect: &Answers,
) -> Result<Map<String, Value>, ToolFailure> {
    match judge(answer, tool, public, dialect)? {
        Some(members) if !answer.body.is_form() => Ok(members.clone()),
        _ => {
            let json_web_token = answer.headers.iter().any(|(name, value)| {
                name == "content-type" && value.to_ascii_lowercase().contains("jwt")
            });
            if json_web_token {
                return Err(ToolFailure::Jwt { tool });
            }
            let reason = answer.members().err();
            let reason = reason.unwrap_or_else(|| "it is not a JSON object".to_owned());
            Err(ToolFailure::Unusable { tool, reason })
        }
    }
}

/// Interprets the response to a revocation. Only the status counts (RFC 7009, section 2.2), so the body may be anything
/// except a web page or misplaced tokens, which don't come from the revocation endpoint, and a text that says the opposite: some services
/// send each error with status 200, and the only copy of the tokens must not be removed then.
///
/// # Errors
/// Returns an error if the token is not revoked.
pub fn parse_revocation(
    answer: &Answer,
    public: bool,
    dialect: &Answers,
) -> Result<(), ToolFailure> {
    let tool = Tool::Revocation;
    judge(answer, tool, public, dialect)?;
    let unusable = |reason| Err(ToolFailure::Unusable { tool, reason });
    if matches!(answer.body.kind(), BodyKind::Page | BodyKind::Unread) {
        return unusable(
            answer
                .members()
                .err()
                .unwrap_or_else(|| "it contains tokens".to_owned()),
        );
    }
    if let Some(error) = contradiction(answer.body.members(), answer.body.words()) {
        if error.is_temporary() {
            return Err(ToolFailure::Unavailable {
                status: answer.status,
                wait: answer.retry_after,
                error: Some(error),
            });
        }
        return Err(ToolFailure::Refused {
            tool,
            status: answer.status,
            error: Some(error),
            public,
        });
    }
    if !matches!(answer.status, 200 | 204) {
        return unusable(format!("its HTTP status is {}, not 200", answer.status));
    }
    Ok(())
}

/// Interprets the response to an introspection (RFC 7662, section 2.2).
///
/// # Errors
/// Returns an error if the response doesn't say whether the token is active.
pub fn parse_introspection(
    answer: &Answer,
    public: bool,
    dialect: &Answers,
) -> Result<Introspection, ToolFailure> {
    let tool = Tool::Introspection;
    // Some services send it as text or number.
    let active = |members: &Map<String, Value>| match members.get("active")? {
        Value::Bool(active) => Some(*active),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        Value::Number(number) => match number.as_u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        _ => None,
    };
    let members = match members(answer, tool, public, dialect) {
        // An error next to it says why the token is not active.
        Err(ToolFailure::Refused { status: 200, .. })
            if answer.body.members().and_then(active) == Some(false) =>
        {
            answer.body.members().cloned().unwrap_or_default()
        }
        members => members?,
    };
    match active(&members) {
        Some(active) => {
            let claims = Claims::of(members);
            let end = claims.time("exp").filter(|_| active);
            let is_before = |end: i64, date: u64| {
                end.saturating_add_unsigned(CLOCK_TOLERANCE) < date.cast_signed()
            };
            Ok(Introspection {
                active,
                is_past: end
                    .zip(answer.date())
                    .is_some_and(|(end, date)| is_before(end, date)),
                claims,
            })
        }
        None => Err(ToolFailure::Unusable {
            tool,
            reason: answer.lacks("active"),
        }),
    }
}

/// Interprets a userinfo response. `subject` is the subject of the ID token, if there is one.
///
/// # Errors
/// Returns an error if the response is invalid or is for another user.
pub fn parse_userinfo(
    answer: &Answer,
    subject: Option<&str>,
    dialect: &Answers,
) -> Result<UserInfo, ToolFailure> {
    let members = members(answer, Tool::UserInfo, false, dialect)?;
    if members.is_empty() {
        return Err(ToolFailure::Unusable {
            tool: Tool::UserInfo,
            reason: "it is an empty object".to_owned(),
        });
    }
    let named = match members.get("sub") {
        Some(Value::String(text)) => Some(text.clone()),
        None | Some(Value::Null) => None,
        Some(other) => Some(other.to_string()),
    };
    let same_user = subject
        .zip(named)
        .map(|(expected, named)| expected == named);
    if same_user == Some(false) {
        return Err(ToolFailure::OtherUser);
    }
    Ok(UserInfo {
        claims: Claims::of(members),
        same_user,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::oauth::assertion::{Credential, Identity};
    use crate::oauth::client_authentication::ClientAuthentication;
    use crate::oauth::dialect::Dialect;

    fn client(authentication: ClientAuthentication, secret: Option<&str>) -> Client {
        let url = Url::parse("https://as.example/token").unwrap();
        Client {
            client_id: "me".to_owned(),
            secret: secret.map(SecretString::from),
            authentication,
            credential: Credential::None,
            authorization_url: None,
            device_url: None,
            token_url: url,
            poll_url: None,
            scopes: vec!["a".to_owned()],
            extra: vec![("prompt".to_owned(), "consent".to_owned())],
            pkce: true,
            issuer: None,
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: crate::oauth::signing::Signing::default(),
            dialect: Dialect::default(),
        }
    }

    fn ask(client: &Client, tool: Tool) -> (Request, BTreeMap<String, String>) {
        let url = Url::parse("https://as.example/tool").unwrap();
        let token = SecretString::from("t");
        let request = client.tool_request(tool, &url, TokenKind::Refresh, &token, "Bearer");
        let request = request.unwrap();
        assert_eq!(request.url, url);
        let body = url::form_urlencoded::parse(request.body.expose_secret().as_bytes());
        let form = body.into_owned().collect();
        (request, form)
    }

    fn header(request: &Request) -> Option<&str> {
        request
            .authorization
            .as_ref()
            .map(ExposeSecret::expose_secret)
    }

    #[test]
    fn certificate_accompanies_the_token_only_on_the_same_origin() {
        let mut client = client(ClientAuthentication::MutualTls, None);
        let proof = |client: &Client, url: &str| {
            let (url, token) = (Url::parse(url).unwrap(), SecretString::from("t"));
            let (tool, kind) = (Tool::UserInfo, TokenKind::Access);
            let request = client.tool_request(tool, &url, kind, &token, "Bearer");
            request.unwrap().proof
        };
        assert!(matches!(
            proof(&client, "https://as.example/me"),
            Proof::None
        ));
        client.credential = Credential::Identity(Identity::Pem("pem".into()));
        assert!(matches!(
            proof(&client, "https://as.example/me"),
            Proof::Certificate
        ));
        for elsewhere in [
            "https://api.as.example/me",
            "https://other.example/me",
            "https://as.example:8443/me",
            "http://as.example/me",
        ] {
            assert!(
                matches!(proof(&client, elsewhere), Proof::None),
                "{elsewhere}"
            );
        }
        client.authentication = ClientAuthentication::Post;
        assert!(matches!(
            proof(&client, "https://as.example/me"),
            Proof::None
        ));
    }

    #[test]
    fn client_authenticates_as_for_token_requests() {
        let names = |form: &BTreeMap<String, String>| form.keys().cloned().collect::<Vec<_>>();
        for tool in [Tool::Revocation, Tool::Introspection] {
            let (request, form) = ask(&client(ClientAuthentication::None, None), tool);
            assert_eq!(request.method, Method::Post);
            assert_eq!(
                (form["token"].as_str(), form["token_type_hint"].as_str()),
                ("t", "refresh_token")
            );
            assert_eq!(names(&form), ["client_id", "token", "token_type_hint"]);
            assert!(header(&request).is_none());
            let (request, form) = ask(&client(ClientAuthentication::Post, Some("s")), tool);
            assert_eq!(
                names(&form),
                ["client_id", "client_secret", "token", "token_type_hint"]
            );
            assert!(header(&request).is_none());
            let (request, form) = ask(&client(ClientAuthentication::Basic, Some("s")), tool);
            assert_eq!(names(&form), ["token", "token_type_hint"]);
            assert!(header(&request).unwrap().starts_with("Basic "));
        }
        let (request, form) = ask(
            &client(ClientAuthentication::Post, Some("s")),
            Tool::UserInfo,
        );
        assert_eq!(
            (request.method, header(&request)),
            (Method::Get, Some("Bearer t"))
        );
        assert!(form.is_empty());
    }

    #[test]
    fn preset_rules_change_the_tool_requests() {
        let mut client = client(ClientAuthentication::Post, Some("s"));
        let dialect = &mut client.dialect.tools;
        dialect.revocation.bearer = true;
        dialect.introspection.parameter = Some("access_token".to_owned());
        dialect.userinfo.method = Some(Method::Post);
        let (request, form) = ask(&client, Tool::Revocation);
        assert_eq!((header(&request), form.len()), (Some("Bearer t"), 0));
        assert_eq!(request.method, Method::Bare);
        let (_, form) = ask(&client, Tool::Introspection);
        assert_eq!(form["access_token"], "t");
        assert!(!form.contains_key("token") && !form.contains_key("token_type_hint"));
        let (request, _) = ask(&client, Tool::UserInfo);
        assert_eq!(request.method, Method::Bare);
        client.dialect.tools.revocation.parameter = Some("token".to_owned());
        let (request, form) = ask(&client, Tool::Revocation);
        assert_eq!(
            (header(&request), form["token"].as_str(), form.len()),
            (Some("Bearer t"), "t", 1)
        );
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            retry_after: None,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    #[test]
    fn only_a_success_response_confirms_revocation() {
        let read =
            |status, body| parse_revocation(&answer(status, body), true, &Answers::default());
        for (status, body) in [
            (200, ""),
            (200, "{}"),
            (200, "null"),
            (200, "OK"),
            (204, ""),
            (200, r#"{"status":"ok"}"#),
        ] {
            assert_eq!(read(status, body), Ok(()), "{status} {body}");
        }
        for (status, body) in [
            (200, "<html>"),
            (200, r#"{"error":"invalid_client"}"#),
            (201, ""),
            (400, ""),
            (401, "{}"),
            (404, ""),
            (500, ""),
            (503, r#"{"error":"server_error"}"#),
            (200, r#"{"success":false}"#),
            (200, r#"{"ok":true,"revoked":false}"#),
            (200, r#"{"code":20003,"msg":"invalid client"}"#),
            (200, r#"{"status":"error","message":"No client"}"#),
            (200, "Error: client authentication failed"),
        ] {
            assert!(read(status, body).is_err(), "{status} {body}");
        }
        let strict = Answers {
            success: Some("ok".to_owned()),
            ..Answers::default()
        };
        let refused = answer(200, r#"{"ok":false,"error":"invalid_auth"}"#);
        assert!(parse_revocation(&refused, true, &strict).is_err());
    }

    #[test]
    fn active_token_that_has_expired_is_noted() {
        // 784111777 in seconds since 1970.
        let date = (
            "date".to_owned(),
            "Sun, 06 Nov 1994 08:49:37 GMT".to_owned(),
        );
        let is_past = |body: &str, headers: &[(String, String)]| {
            let headers = headers.to_vec();
            let answer = Answer {
                headers,
                ..answer(200, body)
            };
            parse_introspection(&answer, false, &Answers::default())
                .unwrap()
                .is_past
        };
        for (body, expected) in [
            (r#"{"active":true,"exp":784111656}"#, true),
            (r#"{"active":true,"exp":784111657}"#, false),
            (r#"{"active":false,"exp":1}"#, false),
            (r#"{"active":true}"#, false),
        ] {
            assert_eq!(
                is_past(body, std::slice::from_ref(&date)),
                expected,
                "{body}"
            );
            assert!(!is_past(body, &[]), "{body}");
        }
    }

    #[test]
    fn introspection_reads_active_as_yes_or_no() {
        let read = |body| parse_introspection(&answer(200, body), false, &Answers::default());
        for (body, active) in [
            (r#"{"active":true,"status":"x"}"#, Some(true)),
            (r#"{"active":false}"#, Some(false)),
            (r#"{"active":"true"}"#, Some(true)),
            (r#"{"active":"False"}"#, Some(false)),
            (r#"{"active":1}"#, Some(true)),
            (r#"{"active":0}"#, Some(false)),
            (r#"{"active":2}"#, None),
            (r#"{"active":false,"error":"invalid_token"}"#, Some(false)),
            (r#"{"active":true,"error":"invalid_token"}"#, None),
            (r#"{"active":null}"#, None),
            ("{}", None),
            ("active=true", None),
            (r#"[{"active":true}]"#, None),
            ("", None),
        ] {
            assert_eq!(read(body).ok().map(|told| told.active), active, "{body}");
        }
    }

    #[test]
    fn rejected_public_client_gets_an_explanation() {
        for public in [true, false] {
            let refused = answer(401, r#"{"error":"invalid_client"}"#);
            let error = parse_introspection(&refused, public, &Answers::default()).unwrap_err();
            let told = error
                .cause()
                .unwrap_or_default()
                .contains("this client is public");
            assert_eq!(told, public, "{error}");
            let refused = answer(401, r#"{"error":"invalid_token"}"#);
            let error = parse_introspection(&refused, public, &Answers::default()).unwrap_err();
            let cause = error.cause().unwrap_or_default();
            assert!(cause.contains("has expired, was revoked"), "{cause}");
        }
    }

    fn failed(tool: Tool, public: bool, status: u16, body: &str) -> ToolFailure {
        let dialect = Answers::default();
        let answer = answer(status, body);
        match tool {
            Tool::Revocation => parse_revocation(&answer, public, &dialect).unwrap_err(),
            Tool::Introspection => parse_introspection(&answer, public, &dialect).unwrap_err(),
            Tool::UserInfo => parse_userinfo(&answer, Some("alice"), &dialect).unwrap_err(),
        }
    }

    #[test]
    fn each_failure_has_its_cause_and_hint() {
        const CLIENT: &str = r#"{"error":"invalid_client"}"#;
        for (tool, public, status, body, told, cause, hint) in [
            (
                Tool::Revocation,
                false,
                400,
                r#"{"error":"unsupported_token_type"}"#,
                "rejected the revocation: unsupported_token_type (HTTP 400).",
                "can't revoke this kind",
                "To end it sooner, remove the access",
            ),
            (
                Tool::Revocation,
                false,
                400,
                r#"{"error":"invalid_token"}"#,
                "rejected the revocation: invalid_token (HTTP 400).",
                "has expired, was revoked",
                "nothing is left to revoke",
            ),
            (
                Tool::Introspection,
                false,
                401,
                r#"{"error":"invalid_token"}"#,
                "rejected the introspection: invalid_token (HTTP 401).",
                "has expired, was revoked",
                "Refresh the tokens",
            ),
            (
                Tool::Revocation,
                false,
                401,
                CLIENT,
                "rejected the revocation: invalid_client (HTTP 401)",
                "doesn't accept this client",
                "Check the client ID",
            ),
            (
                Tool::Revocation,
                false,
                400,
                r#"{"error":"invalid_request"}"#,
                "rejected the revocation: invalid_request (HTTP 400)",
                "",
                "Check the client ID",
            ),
            (
                Tool::Revocation,
                true,
                401,
                CLIENT,
                "rejected the revocation",
                "",
                "Check the client ID",
            ),
            (
                Tool::Introspection,
                false,
                403,
                "",
                "rejected the introspection (HTTP 403).",
                "",
                "Check the client ID",
            ),
            (
                Tool::Introspection,
                true,
                403,
                "",
                "rejected the introspection (HTTP 403).",
                "this client is public",
                "Use User info to test",
            ),
            (
                Tool::UserInfo,
                false,
                401,
                "",
                "rejected the user info request (HTTP 401).",
                "has expired, was revoked",
                "Refresh the tokens",
            ),
            (
                Tool::UserInfo,
                false,
                403,
                "",
                "rejected the user info request (HTTP 403).",
                "lacks the scope",
                "Add the missing scope to Scope and sign in again.",
            ),
            (
                Tool::UserInfo,
                false,
                400,
                r#"{"error":"insufficient_scope"}"#,
                "insufficient_scope (HTTP 400)",
                "lacks the scope",
                "Add the missing scope to Scope and sign in again.",
            ),
            (
                Tool::UserInfo,
                false,
                400,
                r#"{"error":"invalid_request"}"#,
                "invalid_request (HTTP 400)",
                "",
                "Refresh the tokens",
            ),
            (
                Tool::UserInfo,
                false,
                200,
                r#"{"sub":"bob"}"#,
                "for a different user",
                "",
                "Sign in again",
            ),
            (
                Tool::UserInfo,
                false,
                503,
                "",
                "busy or has a problem (HTTP 503).",
                "",
                "Try again later",
            ),
            (
                Tool::UserInfo,
                false,
                503,
                r#"{"error":"busy"}"#,
                "busy or has a problem: busy (HTTP 503)",
                "",
                "Try again later",
            ),
            (
                Tool::UserInfo,
                false,
                503,
                "<html><title>503 Maintenance</title>",
                "busy or has a problem: Maintenance (HTTP 503).",
                "",
                "Try again later",
            ),
            (
                Tool::Introspection,
                false,
                403,
                "IP not allowed.",
                "rejected the introspection: IP not allowed (HTTP 403).",
                "",
                "Check the client ID",
            ),
            (
                Tool::UserInfo,
                false,
                404,
                "<html>",
                "invalid: it is a web page (HTTP status 404)",
                "",
                "Check the URL of the endpoint",
            ),
            (
                Tool::UserInfo,
                false,
                404,
                "{}",
                "it contains no user info (HTTP status 404)",
                "",
                "Check the URL of the endpoint",
            ),
        ] {
            let failure = failed(tool, public, status, body);
            let text = failure.to_string();
            assert!(text.contains(told), "{text}");
            let found = failure.cause().unwrap_or_default();
            assert!(found.contains(cause), "{text}: {found}");
            assert_eq!(found.is_empty(), cause.is_empty(), "{text}: {found}");
            assert!(failure.hint().contains(hint), "{text}: {}", failure.hint());
            let unsupported = body.contains("unsupported");
            assert_eq!(failure.is_unsupported(), unsupported, "{text}");
        }
    }

    #[test]
    fn failure_texts_can_be_redacted() {
        for (status, body) in [
            (
                400,
                r#"{"error":"Odd s3cret","error_description":"s3cret"}"#,
            ),
            (
                503,
                r#"{"error":"Odd s3cret","error_description":"s3cret"}"#,
            ),
            (404, "<html><title>s3cret</title>"),
        ] {
            let mut failure = failed(Tool::UserInfo, false, status, body);
            assert!(failure.to_string().contains("s3cret"), "{failure}");
            for text in failure.texts() {
                *text = text.replace("s3cret", "x");
            }
            assert!(!format!("{failure:?}").contains("s3cret"), "{failure:?}");
        }
        assert!(
            failed(Tool::UserInfo, false, 200, r#"{"sub":"bob"}"#)
                .texts()
                .is_empty()
        );
    }

    #[test]
    fn user_info_as_jwt_is_reported() {
        let mut jwt = answer(200, "a.b.c");
        let read = |answer: &Answer| {
            let error = parse_userinfo(answer, None, &Answers::default()).unwrap_err();
            format!("{error} {}", error.hint())
        };
        assert!(!read(&jwt).contains("JWT"), "{}", read(&jwt));
        for (name, value, told) in [
            ("content-type", "application/JWT", true),
            ("content-type", "text/plain", false),
            ("x-note", "application/jwt", false),
        ] {
            jwt.headers = vec![(name.to_owned(), value.to_owned())];
            let read = read(&jwt);
            assert_eq!(read.contains("encrypted JWT"), told, "{read}");
            assert_eq!(read.contains("responds with JSON"), told, "{read}");
            assert_eq!(read.contains("Check the URL"), !told, "{read}");
        }
        let same = |body: &str, subject| {
            let info = parse_userinfo(&answer(200, body), subject, &Answers::default());
            info.unwrap().compared()
        };
        let alice = r#"{"sub":"alice"}"#;
        assert!(same(alice, Some("alice")).starts_with("yes"));
        assert!(same(alice, None).starts_with("not compared"));
        assert!(same(r#"{"name":"alice"}"#, Some("alice")).starts_with("not compared"));
    }
}
