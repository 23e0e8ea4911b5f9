//! The named checks of a sign-in and their results.

use super::client::{Client, Pending};
use super::failure::Failure;
use super::flow_kind::FlowKind;
use super::id_token::{Claims, Expected, decode, is_encrypted};
use super::id_token_problem::IdTokenProblem;
use super::jose::Jws;
use super::token::TokenSet;
use crate::secret::{ExposeSecret, SecretString, same};

/// The name of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CheckName {
    /// Requests to the endpoints use TLS.
    Tls,
    /// The response contains the `state` that was sent (RFC 6749, section 10.12).
    State,
    /// The response names the expected issuer (RFC 9207).
    Issuer,
    /// The code is bound to this program (RFC 7636).
    Pkce,
    /// The ID token belongs to this issuer, client and sign-in (OpenID Connect Core, section 3.1.3.7).
    IdToken,
    /// The signature of the ID token is valid (OpenID Connect Core, section 3.1.3.7, numbers 6 to 8).
    Signature,
    /// The user signed in recently enough for `max_age` (OpenID Connect Core, section 3.1.3.7, number 13).
    AuthTime,
    /// The user signed in as `acr_values` requested (OpenID Connect Core, section 3.1.2.1).
    Acr,
    /// All requested scopes were granted (RFC 6749, section 3.3).
    Scope,
    /// The response contains a refresh token.
    RefreshToken,
}

impl CheckName {
    /// Returns the name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::State => "State",
            Self::Issuer => "Issuer",
            Self::Pkce => "PKCE",
            Self::IdToken => "ID token",
            Self::Signature => "Signature",
            Self::AuthTime => "Auth. time",
            Self::Acr => "ACR",
            Self::Scope => "Scope",
            Self::RefreshToken => "Refresh token",
        }
    }
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Checked and correct.
    Passed,
    /// Checked and wrong.
    Failed,
    /// Not checked, because something is unknown.
    NotChecked,
    /// There is nothing to check in this run.
    NotApplicable,
}

impl Outcome {
    /// Returns the word on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NotChecked => "not checked",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// A check and its result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The name of the check.
    pub name: CheckName,
    /// The result.
    pub outcome: Outcome,
    /// The reason for the result, in a few words.
    pub detail: String,
    /// What is wrong with the ID token, if the check rejects it.
    pub problem: Option<IdTokenProblem>,
}

impl Check {
    /// Creates a check with its result and reason.
    pub fn new(name: CheckName, outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            name,
            outcome,
            detail: detail.into(),
            problem: None,
        }
    }

    /// Creates the failed check of an ID token that is rejected.
    pub fn rejected(name: CheckName, problem: IdTokenProblem, detail: impl Into<String>) -> Self {
        Self {
            problem: Some(problem),
            ..Self::new(name, Outcome::Failed, detail)
        }
    }

    /// Returns the failure of a sign-in whose ID token failed this check.
    #[must_use]
    pub fn failure(&self) -> Failure {
        Failure::IdToken {
            problem: self.problem.unwrap_or(IdTokenProblem::SignIn),
            reason: self.detail.clone(),
        }
    }
}

/// Checks that the endpoints of a flow are requested over TLS.
#[must_use]
pub fn check_tls(client: &Client, kind: FlowKind) -> Check {
    let first = match kind {
        FlowKind::DeviceCode => client.device_url.as_ref(),
        FlowKind::AuthorizationCode => client.authorization_url.as_ref(),
        FlowKind::ClientCredentials | FlowKind::JwtBearer => None,
    };
    let endpoints = [first, Some(&client.token_url)];
    let (outcome, detail) = if endpoints
        .into_iter()
        .flatten()
        .all(|url| url.scheme() == "https")
    {
        (Outcome::Passed, "https, certificates checked")
    } else {
        // http was accepted on loopback only, so plain text does not leave this machine.
        (Outcome::NotApplicable, "not used on loopback")
    };
    Check::new(CheckName::Tls, outcome, detail)
}

/// Checks that the authorization request contained a PKCE challenge.
#[must_use]
pub fn check_pkce(pending: &Pending) -> Check {
    let (outcome, detail) = if pending.verifier.is_some() {
        (
            Outcome::Passed,
            "S256; sent with the authorization request and the exchange",
        )
    } else {
        (Outcome::NotChecked, "turned off")
    };
    Check::new(CheckName::Pkce, outcome, detail)
}

/// Returns the checks that don't apply to the device code flow.
#[must_use]
pub fn inapplicable_to_device_code() -> [Check; 3] {
    [CheckName::State, CheckName::Issuer, CheckName::Pkce]
        .map(|name| Check::new(name, Outcome::NotApplicable, "not used in this flow"))
}

/// Returns the checks that don't apply to a flow without a user.
#[must_use]
pub fn inapplicable_without_user() -> [Check; 5] {
    [
        CheckName::State,
        CheckName::Issuer,
        CheckName::Pkce,
        CheckName::IdToken,
        CheckName::RefreshToken,
    ]
    .map(|name| Check::new(name, Outcome::NotApplicable, "not used in this flow"))
}

/// Checks the tokens of a sign-in.
///
/// # Errors
/// Returns the failed check if the ID token does not belong to this sign-in. The tokens must then not be used.
pub fn check_tokens(
    client: &Client,
    tokens: &TokenSet,
    nonce: Option<&SecretString>,
    unix_time: u64,
) -> Result<Vec<Check>, Check> {
    Ok(vec![
        check_id_token(client, tokens, nonce, None, unix_time)?,
        check_scope(client, tokens),
        check_refresh_token(client, tokens),
    ])
}

/// Checks the ID token. `before` contains the tokens of the first sign-in if `tokens` came from a refresh.
///
/// # Errors
/// Returns the failed check if the ID token does not belong to this sign-in.
pub fn check_id_token(
    client: &Client,
    tokens: &TokenSet,
    nonce: Option<&SecretString>,
    before: Option<&TokenSet>,
    unix_time: u64,
) -> Result<Check, Check> {
    let check = |outcome, detail: &str| Check::new(CheckName::IdToken, outcome, detail);
    let Some(id_token) = &tokens.id_token else {
        return Ok(if client.asks_for("openid") {
            check(Outcome::Failed, "not issued, although openid was requested")
        } else {
            check(Outcome::NotApplicable, "the openid scope was not requested")
        });
    };
    if is_encrypted(id_token.expose_secret()) {
        return Ok(check(
            Outcome::NotChecked,
            "it is encrypted with a key that this program doesn't have",
        ));
    }
    let first = before.and_then(|before| decode(before.id_token.as_ref()?.expose_secret()));
    let expected = Expected {
        issuers: &client.id_token_issuers,
        client_id: &client.client_id,
        subject: first.as_ref().and_then(Claims::subject),
        nonce,
        access_token: Some(&tokens.access_token),
        algorithm: Jws::parse(id_token.expose_secret())
            .and_then(|signed| signed.algorithm())
            .ok(),
        unix_time,
    };
    decode(id_token.expose_secret())
        .ok_or_else(|| {
            let reason = "it is not a JSON Web Token";
            (IdTokenProblem::Incomplete, reason.to_owned())
        })
        .and_then(|claims| claims.check(&expected))
        .map_err(|(problem, reason)| Check::rejected(CheckName::IdToken, problem, reason))?;
    let issuer = if expected.issuers.is_empty() {
        ""
    } else {
        "issuer, "
    };
    let nonce = if nonce.is_some() { ", nonce" } else { "" };
    let detail = format!("{issuer}audience{nonce} and expiry match");
    Ok(check(Outcome::Passed, &detail))
}

/// Drops an ID token that failed a check, if the sign-in didn't request one: the other tokens don't depend on it.
/// Returns whether it was dropped.
pub fn drop_unrequested(client: &Client, tokens: &mut TokenSet, failed: &Check) -> bool {
    let is_dropped = !client.asks_for("openid") && tokens.id_token.take().is_some();
    if is_dropped {
        tokens.notes.push(format!(
            "The service sent an ID token that was not requested. It was discarded, because it can't be used: {}.",
            failed.detail
        ));
    }
    is_dropped
}

/// Checks that all requested scopes were granted. A service may return a scope under another name.
#[must_use]
pub fn check_scope(client: &Client, tokens: &TokenSet) -> Check {
    let (missing, renamed) = not_granted(client, tokens);
    let (outcome, detail) = if tokens.scope.is_none() {
        let detail = "the response lists no scopes, so all requested scopes are granted";
        (Outcome::Passed, detail.to_owned())
    } else if !missing.is_empty() {
        let detail = format!("not granted: {}", missing.join(" "));
        (Outcome::Failed, detail)
    } else if !renamed.is_empty() {
        let pairs: Vec<String> = renamed
            .iter()
            .map(|(asked, granted)| format!("{granted} for {asked}"))
            .collect();
        let detail = format!("named differently in the response: {}", pairs.join(", "));
        (Outcome::NotChecked, detail)
    } else {
        (Outcome::Passed, "all requested scopes granted".to_owned())
    };
    Check::new(CheckName::Scope, outcome, detail)
}

/// Returns the requested scopes that were not granted, and those that were probably granted under another name, with
/// that name.
#[must_use]
pub fn not_granted<'a>(
    client: &'a Client,
    tokens: &'a TokenSet,
) -> (Vec<&'a str>, Vec<(&'a str, &'a str)>) {
    let granted = || tokens.scope.iter().flatten().map(String::as_str);
    let is_one = |names: &Vec<String>, asked: &str| {
        let holds = |name: &str| names.iter().any(|known| known == name);
        holds(asked) && granted().any(holds)
    };
    let (mut missing, mut renamed) = (Vec::new(), Vec::new());
    for asked in tokens.not_granted(&client.scopes) {
        if client
            .dialect
            .same_scope
            .iter()
            .any(|names| is_one(names, asked))
        {
            continue;
        }
        match granted().find(|granted| is_alike(asked, granted)) {
            Some(granted) => renamed.push((asked, granted)),
            None => missing.push(asked),
        }
    }
    (missing, renamed)
}

/// Returns whether one name ends with the other, as `https://as.example/auth/userinfo.email` ends with `email`. Such
/// names may mean the same scope (RFC 6749, section 3.3).
fn is_alike(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_lowercase(), other.to_lowercase());
    let (long, short) = if one.len() > other.len() {
        (&one, &other)
    } else {
        (&other, &one)
    };
    let short = short.trim_end_matches('/');
    let begins = |rest: &str| rest.is_empty() || rest.ends_with(['/', '.', ':', '#']);
    !short.is_empty()
        && long
            .trim_end_matches('/')
            .strip_suffix(short)
            .is_some_and(begins)
}

/// Checks that a sign-in returned a refresh token.
#[must_use]
pub fn check_refresh_token(client: &Client, tokens: &TokenSet) -> Check {
    let (outcome, detail) = if tokens.refresh_token.is_some() {
        (Outcome::Passed, "received".to_owned())
    } else if client.dialect.no_refresh {
        let note = client.dialect.refresh_note.as_deref();
        (
            Outcome::NotApplicable,
            note.unwrap_or("this service doesn't issue one").to_owned(),
        )
    } else {
        let why = why_no_refresh_token(client, tokens);
        (Outcome::Failed, format!("not issued. {why}"))
    };
    Check::new(CheckName::RefreshToken, outcome, detail)
}

/// Returns why a sign-in returned no refresh token, and how to get one, in sentences. The preset's note is left out if it only
/// says to request a scope that was requested.
#[must_use]
pub fn why_no_refresh_token(client: &Client, tokens: &TokenSet) -> String {
    let known = &client.dialect.refresh_scope;
    let asked = client.scopes.iter().find(|scope| match known.as_slice() {
        [] => *scope == "offline_access",
        known => known.contains(scope),
    });
    let note = client.dialect.refresh_note.as_deref();
    let Some(asked) = asked else {
        let otherwise = "Many services issue one only if you request offline_access.";
        return note.unwrap_or(otherwise).to_owned();
    };
    let plain = format!("To get a refresh token, request the scope {asked}.");
    let note = note.filter(|note| *note != plain);
    let (missing, _) = not_granted(client, tokens);
    let (why, note) = if missing.contains(&asked.as_str()) {
        (format!("The service did not grant {asked}."), note)
    } else {
        let consent = "Some services also require prompt=consent.";
        let why = format!("The service did not issue one, although {asked} was requested.");
        (why, note.or(Some(consent)))
    };
    format!("{why} {}", note.unwrap_or_default())
        .trim_end()
        .to_owned()
}

/// Reports whether a refresh replaced the refresh token `before`.
#[must_use]
pub fn check_rotation(before: &SecretString, fresh: &TokenSet) -> Check {
    let detail = match &fresh.refresh_token {
        Some(new) if !same(new, before.expose_secret()) => "rotated; use the new one",
        Some(_) | None => "not rotated; keep the current one",
    };
    Check::new(CheckName::RefreshToken, Outcome::Passed, detail)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use url::Url;

    use super::super::client_authentication::ClientAuthentication;
    use super::super::dialect::Dialect;
    use super::*;

    const TIME: u64 = 1_000_000;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn client(scopes: &[&str]) -> Client {
        Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            credential: crate::oauth::assertion::Credential::None,
            authorization_url: Some(url("https://as.example/authorize")),
            device_url: Some(url("https://as.example/device")),
            token_url: url("https://as.example/token"),
            poll_url: None,
            scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
            extra: Vec::new(),
            pkce: true,
            issuer: None,
            iss_promised: false,
            pushed: None,
            id_token_issuers: Vec::new(),
            signing: crate::oauth::signing::Signing::default(),
            dialect: Dialect::default(),
        }
    }

    fn tokens() -> TokenSet {
        TokenSet {
            access_token: "a".into(),
            token_type: Some("Bearer".to_owned()),
            expires_in: None,
            refresh_token: None,
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: None,
            redirect_url: None,
        }
    }

    /// Returns tokens with an ID token for `subject`.
    fn tokens_of(subject: &str, nonce: Option<&str>) -> TokenSet {
        let claims = serde_json::json!({
            "iss": "https://as.example", "aud": "me", "sub": subject, "iat": TIME, "exp": TIME + 100, "nonce": nonce,
        });
        let payload = URL_SAFE_NO_PAD.encode(claims.to_string());
        TokenSet {
            id_token: Some(format!("e30.{payload}.x").into()),
            ..tokens()
        }
    }

    #[test]
    fn tls_is_checked_on_the_endpoints_of_the_flow() {
        let mut client = client(&[]);
        let both = [FlowKind::DeviceCode, FlowKind::AuthorizationCode];
        let outcomes = |client: &Client| both.map(|kind| check_tls(client, kind).outcome);
        assert_eq!(outcomes(&client), [Outcome::Passed, Outcome::Passed]);
        client.device_url = Some(url("http://127.0.0.1/device"));
        assert_eq!(outcomes(&client), [Outcome::NotApplicable, Outcome::Passed]);
        client.device_url = None;
        client.authorization_url = Some(url("http://127.0.0.1/authorize"));
        assert_eq!(outcomes(&client), [Outcome::Passed, Outcome::NotApplicable]);
        client.token_url = url("http://127.0.0.1/token");
        assert_eq!(
            outcomes(&client),
            [Outcome::NotApplicable, Outcome::NotApplicable]
        );
    }

    #[test]
    fn pkce_is_not_checked_if_turned_off() {
        let mut client = client(&[]);
        for (pkce, outcome) in [(true, Outcome::Passed), (false, Outcome::NotChecked)] {
            client.pkce = pkce;
            let redirect_url = url("http://127.0.0.1:8400/").into();
            let (_, pending) = client.authorization_request(&redirect_url).unwrap();
            assert_eq!(check_pkce(&pending).outcome, outcome);
        }
    }

    #[test]
    fn device_code_flow_has_no_callback_checks() {
        let checks = inapplicable_to_device_code();
        assert_eq!(
            checks.each_ref().map(|check| check.name),
            [CheckName::State, CheckName::Issuer, CheckName::Pkce]
        );
        assert!(
            checks
                .iter()
                .all(|check| check.outcome == Outcome::NotApplicable)
        );
    }

    #[test]
    fn a_missing_id_token_fails_only_where_it_was_requested() {
        let check = |scopes: &[&str]| check_id_token(&client(scopes), &tokens(), None, None, TIME);
        assert_eq!(check(&[]).unwrap().outcome, Outcome::NotApplicable);
        assert_eq!(check(&["openid"]).unwrap().outcome, Outcome::Failed);
    }

    #[test]
    fn id_token_from_another_sign_in_is_an_error() {
        let mut client = client(&["openid"]);
        let nonce = "n".into();
        let check = |client: &Client, tokens: &TokenSet, time| {
            check_tokens(client, tokens, Some(&nonce), time)
        };
        let right = tokens_of("alice", Some("n"));
        let checks = check(&client, &right, TIME).unwrap();
        assert_eq!(checks[0].detail, "audience, nonce and expiry match");
        client.id_token_issuers = vec!["https://as.example".to_owned()];
        let checks = check(&client, &right, TIME).unwrap();
        assert_eq!(checks[0].detail, "issuer, audience, nonce and expiry match");
        let names: Vec<CheckName> = checks.iter().map(|check| check.name).collect();
        let expected = [
            CheckName::IdToken,
            CheckName::Scope,
            CheckName::RefreshToken,
        ];
        assert_eq!(names, expected);
        let opaque = TokenSet {
            id_token: Some("opaque".into()),
            ..tokens()
        };
        for (tokens, time, words) in [
            (&tokens_of("alice", Some("m")), TIME, "nonce"),
            (&tokens_of("alice", None), TIME, "nonce"),
            (&right, TIME * 2, "expired"),
            (&opaque, TIME, "not a JSON Web Token"),
        ] {
            let failed = check(&client, tokens, time).unwrap_err();
            assert_eq!(
                (failed.name, failed.outcome),
                (CheckName::IdToken, Outcome::Failed)
            );
            assert!(failed.detail.contains(words), "{failed:?}");
        }
    }

    #[test]
    fn refreshed_id_token_must_have_the_same_subject() {
        let (client, before) = (client(&["openid"]), tokens_of("alice", Some("n")));
        for (subject, right) in [("alice", true), ("mallory", false)] {
            let fresh = tokens_of(subject, None);
            let check = check_id_token(&client, &fresh, None, Some(&before), TIME);
            assert_eq!(check.is_ok(), right, "{check:?}");
        }
    }

    #[test]
    fn ungranted_scope_is_named() {
        let client = client(&["mail", "files"]);
        let granted = |scope: Option<&str>| TokenSet {
            scope: scope.map(|scope| scope.split(' ').map(str::to_owned).collect()),
            ..tokens()
        };
        for scope in [None, Some("files mail"), Some("files mail more")] {
            let check = check_scope(&client, &granted(scope));
            assert_eq!(check.outcome, Outcome::Passed, "{scope:?}");
        }
        let check = check_scope(&client, &granted(Some("mail")));
        assert_eq!(check.outcome, Outcome::Failed);
        assert_eq!(check.detail, "not granted: files");
    }

    #[test]
    fn similar_scope_name_is_treated_as_possibly_the_same() {
        let check = |asked: &[&str], granted: &str, same: &[&str]| {
            let mut client = client(asked);
            client.dialect.same_scope = vec![same.iter().map(|&name| name.to_owned()).collect()];
            let tokens = TokenSet {
                scope: Some(granted.split(' ').map(str::to_owned).collect()),
                ..tokens()
            };
            check_scope(&client, &tokens)
        };
        for (asked, granted) in [
            ("email", "https://as.example/auth/userinfo.email"),
            ("User.Read", "https://graph.example/user.read"),
            ("https://graph.example/Mail.Send", "Mail.Send"),
            ("mail", "api:mail"),
            ("Mail", "mail"),
            ("https://mail.example/", "https://mail.example"),
        ] {
            let found = check(&[asked], granted, &[]);
            assert_eq!(found.outcome, Outcome::NotChecked, "{found:?}");
            let told = format!("{granted} for {asked}");
            assert!(found.detail.ends_with(&told), "{found:?}");
        }
        for (asked, granted) in [("mail", "gmail"), ("read", "reader"), ("mail", "read")] {
            let found = check(&[asked], granted, &[]);
            assert_eq!(found.outcome, Outcome::Failed, "{found:?}");
        }
        let found = check(&["mail", "email"], "https://as.example/email", &[]);
        assert_eq!(found.outcome, Outcome::Failed, "{found:?}");
        let known = check(&["mail"], "post", &["mail", "post"]);
        assert_eq!(known.outcome, Outcome::Passed, "{known:?}");
        for (asked, granted) in [("files", "post"), ("mail", "files")] {
            let other = check(&[asked], granted, &["mail", "post"]);
            assert_eq!(other.outcome, Outcome::Failed, "{other:?}");
        }
    }

    #[test]
    fn missing_refresh_token_fails_unless_service_issues_none() {
        let returned = TokenSet {
            refresh_token: Some("r".into()),
            ..tokens()
        };
        let check = check_refresh_token(&client(&[]), &returned);
        assert_eq!(check.outcome, Outcome::Passed);
        for (scope, no_refresh, note, outcome, words) in [
            (
                "mail",
                false,
                None,
                Outcome::Failed,
                "only if you request offline_access",
            ),
            ("offline_access", false, None, Outcome::Failed, "although"),
            ("mail", false, Some("Ask."), Outcome::Failed, "issued. Ask."),
            (
                "mail",
                true,
                None,
                Outcome::NotApplicable,
                "doesn't issue one",
            ),
            (
                "mail",
                true,
                Some("Never."),
                Outcome::NotApplicable,
                "Never.",
            ),
        ] {
            let mut client = client(&[scope]);
            client.dialect.no_refresh = no_refresh;
            client.dialect.refresh_note = note.map(str::to_owned);
            let check = check_refresh_token(&client, &tokens());
            assert_eq!(check.outcome, outcome);
            assert!(check.detail.contains(words), "{check:?}");
        }
    }

    #[test]
    fn a_scope_that_was_requested_is_not_suggested_again() {
        let plain = "To get a refresh token, request the scope offline_access.";
        let more = "Turn on Allow Offline Access.";
        for (asked, granted, note, said) in [
            (vec!["mail"], Some(vec!["mail"]), plain, plain.to_owned()),
            (
                vec!["mail", "offline_access"],
                Some(vec!["mail"]),
                plain,
                "The service did not grant offline_access.".to_owned(),
            ),
            (
                vec!["mail", "offline_access"],
                Some(vec!["mail"]),
                more,
                format!("The service did not grant offline_access. {more}"),
            ),
            (
                vec!["offline_access"],
                Some(vec!["offline_access"]),
                plain,
                "The service did not issue one, although offline_access was requested. Some services also require \
                 prompt=consent."
                    .to_owned(),
            ),
        ] {
            let mut client = client(&asked);
            client.dialect.refresh_scope = vec!["offline_access".to_owned()];
            client.dialect.refresh_note = Some(note.to_owned());
            let scope = granted.map(|all| all.into_iter().map(str::to_owned).collect());
            let returned = TokenSet { scope, ..tokens() };
            assert_eq!(why_no_refresh_token(&client, &returned), said);
        }
    }

    #[test]
    fn a_refresh_may_replace_the_refresh_token() {
        for (new, words) in [
            (None, "not rotated"),
            (Some("old"), "not rotated"),
            (Some("new"), "rotated"),
        ] {
            let fresh = TokenSet {
                refresh_token: new.map(SecretString::from),
                ..tokens()
            };
            let check = check_rotation(&"old".into(), &fresh);
            assert_eq!(check.outcome, Outcome::Passed);
            assert!(check.detail.starts_with(words), "{check:?}");
        }
    }
}
