//! How a user comes to the screens: the runs of a flow that the fixtures begin with.

use std::sync::LazyLock;
use std::time::Duration;

use oauth_authorizer::certificate::About;
use oauth_authorizer::console::environment::Ssh;
use oauth_authorizer::flow::event::{FlowError, FlowEvent, Step};
use oauth_authorizer::flow::mail_login::{Exchanged, Report, StepDone, StepFailed};
use oauth_authorizer::flow::redact::Secrets;
use oauth_authorizer::flow::tool_report::{self, Revoked, Told, ToolError, Verified};
use oauth_authorizer::flow::trace::Exchange;
use oauth_authorizer::mail::sasl::Mechanism;
use oauth_authorizer::mail::server::Protocol;
use oauth_authorizer::mail::verdict as mail;
use oauth_authorizer::oauth::answer::Answer;
use oauth_authorizer::oauth::asked::Asked;
use oauth_authorizer::oauth::check::{Check, CheckName, Outcome, inapplicable_without_user};
use oauth_authorizer::oauth::device::Note;
use oauth_authorizer::oauth::dialect::Answers;
use oauth_authorizer::oauth::discovery::{Metadata, Ways};
use oauth_authorizer::oauth::failure::{Failure, ServerError};
use oauth_authorizer::oauth::registration::Registered;
use oauth_authorizer::oauth::request::Request;
use oauth_authorizer::oauth::token::TokenSet;
use oauth_authorizer::oauth::tool_answers::{
    parse_introspection, parse_revocation, parse_userinfo,
};
use oauth_authorizer::oauth::tools::{Method, TokenKind};

use super::App;

pub const CLIENT: &str = "11111111-2222-3333-4444-555555555555";

impl App {
    pub fn by_browser(&mut self) -> &mut Self {
        self.choose("Flow", "Authorization code")
    }

    pub fn by_device(&mut self) -> &mut Self {
        self.choose("Flow", "Device code")
    }

    /// A client without a user, with its secret, about to authorize.
    pub fn without_user(&mut self) -> &mut Self {
        self.preset("microsoft-graph")
            .go("Tenant")
            .keys(&"<backspace>".repeat(6))
            .paste("contoso.example")
            .go("Client ID")
            .paste(CLIENT)
            .choose("Flow", "No user")
            .go("Client secret")
            .paste("s3cret-of-the-client")
    }

    /// A service account with its key, about to authorize.
    pub fn service_account(&mut self) -> &mut Self {
        self.preset("google-mail")
            .choose("Flow", "Service account")
            .go("Key file")
            .paste("/etc/mail/key.json")
            .go("Subject")
            .paste("alice@example.com")
    }

    /// The form of the client credentials flow without its secret, with the advanced fields.
    pub fn service_client(&mut self) -> &mut Self {
        self.choose("Flow", "No user")
            .go("Client ID")
            .paste(CLIENT)
            .go("Token ex. URL")
            .paste("https://as.example/token")
            .press("Show")
    }

    /// The access token of a service account.
    pub fn token_of_service_account(&mut self) -> &mut Self {
        self.service_account()
            .press("Authorize")
            .expect("service account")
            .flow(FlowEvent::Note(
                "The key file /etc/mail/key.json can be read by other users. Run chmod 600 on it."
                    .to_owned(),
            ))
            .flow(FlowEvent::Began(Step::TokenRequest))
            .flow(FlowEvent::Done(Duration::from_millis(143)))
            .granted(TokenSet {
                refresh_token: None,
                id_token: None,
                scope: None,
                ..token_set()
            })
            .expect("tokens")
    }

    /// Its request for an access token has just been sent.
    pub fn requesting(&mut self) -> &mut Self {
        self.without_user()
            .press("Authorize")
            .expect("no user")
            .flow(FlowEvent::Began(Step::TokenRequest))
    }

    /// Its access token.
    pub fn token_without_user(&mut self) -> &mut Self {
        self.requesting()
            .flow(FlowEvent::Done(Duration::from_millis(143)));
        let tls = Check::new(
            CheckName::Tls,
            Outcome::Passed,
            "https, certificates checked",
        );
        let scope = "all requested scopes granted";
        self.flow(FlowEvent::Check(tls));
        for check in inapplicable_without_user() {
            self.flow(FlowEvent::Check(check));
        }
        self.flow(FlowEvent::Check(Check::new(
            CheckName::Scope,
            Outcome::Passed,
            scope,
        )))
        .granted(TokenSet {
            refresh_token: None,
            id_token: None,
            scope: None,
            ..token_set()
        })
        .expect("tokens")
    }

    /// Steps of a run, each with the milliseconds that it took.
    pub fn steps(&mut self, steps: &[(Step, Option<u64>)]) -> &mut Self {
        for (step, took) in steps {
            self.flow(FlowEvent::Began(*step));
            if let Some(took) = took {
                self.flow(FlowEvent::Done(Duration::from_millis(*took)));
            }
        }
        self
    }

    /// An issuer is asked for its metadata.
    pub fn discovering(&mut self) -> &mut Self {
        self.press("Advanced")
            .go("Issuer")
            .paste("https://login.example.com")
            .press("Discover")
    }

    /// The issuer's metadata is there, and says where clients are registered.
    pub fn discovered(&mut self) -> &mut Self {
        let ways = Ways {
            registration_url: "https://login.example.com/register".parse().ok(),
            ..Ways::default()
        };
        self.discovering().metadata(ways)
    }

    /// The metadata of the issuer arrives.
    pub fn metadata(&mut self, ways: Ways) -> &mut Self {
        let endpoint = |path: &str| format!("https://login.example.com/{path}").parse().unwrap();
        self.flow(FlowEvent::Metadata(Box::new(Metadata {
            asked: "https://login.example.com".to_owned(),
            issuer: "https://login.example.com".to_owned(),
            source: endpoint(".well-known/openid-configuration"),
            authorization_url: Some(endpoint("authorize")),
            device_url: Some(endpoint("device")),
            token_url: Some(endpoint("token")),
            revocation_url: None,
            introspection_url: None,
            userinfo_url: None,
            keys_url: None,
            id_token_algorithms: None,
            scopes: vec!["openid".to_owned(), "email".to_owned()],
            pkce_methods: Some(vec!["S256".to_owned()]),
            authentication: None,
            assertion_algorithms: None,
            mtls: oauth_authorizer::oauth::discovery::MtlsAliases::default(),
            iss_in_answers: true,
            ways,
        })))
    }

    fn mail_client(&mut self) -> &mut Self {
        self.preset("microsoft-mail").go("Client ID").paste(CLIENT)
    }

    /// A device flow that has just begun.
    pub fn starting(&mut self) -> &mut Self {
        self.mail_client()
            .by_device()
            .press("Authorize")
            .expect("device code")
            .flow(FlowEvent::Began(Step::DeviceCode))
    }

    /// The device flow, waiting for the user.
    pub fn device(&mut self, complete: bool) -> &mut Self {
        self.starting().device_code(complete)
    }

    /// The service gives out a code.
    pub fn device_code(&mut self, complete: bool) -> &mut Self {
        let complete = complete.then(|| {
            "https://microsoft.com/devicelogin?user_code=WDJB-MJHT"
                .parse()
                .unwrap()
        });
        self.flow(FlowEvent::Done(Duration::from_millis(182)))
            .flow(FlowEvent::Check(Check::new(
                CheckName::Tls,
                Outcome::Passed,
                "https, certificates checked",
            )))
            .flow(FlowEvent::DeviceCode {
                user_code: "WDJB-MJHT".to_owned(),
                verification_uri: "https://microsoft.com/devicelogin".parse().unwrap(),
                complete,
                expires_in: Duration::from_mins(15),
            })
            .flow(FlowEvent::Began(Step::Approval))
    }

    /// The service was asked how it stands so often, and said this.
    pub fn polled(&mut self, times: u32, note: Note) -> &mut Self {
        // A slow_down adds five seconds.
        let seconds = if note == Note::SlowDown { 10 } else { 5 };
        self.flow(FlowEvent::Polled {
            times,
            note,
            pause: Duration::from_secs(seconds),
        })
    }

    /// The service refuses to give out a device code.
    pub fn refused(&mut self, description: &str) -> &mut Self {
        self.starting().failed(Failure::Server {
            asked: Asked::DeviceCode,
            error: ServerError::new("invalid_client", Some(description)),
        })
    }

    /// The run ends so.
    pub fn failed(&mut self, failure: Failure) -> &mut Self {
        self.flow(FlowEvent::Failed(FlowError::Protocol(failure)))
    }

    /// An authorization code flow that listens.
    pub fn browser_starting(&mut self) -> &mut Self {
        self.mail_client()
            .by_browser()
            .press("Authorize")
            .expect("authorization code")
            .steps(&[(Step::Listen, Some(2)), (Step::SignIn, None)])
    }

    /// The authorization code flow, waiting for the browser's return.
    pub fn browser(&mut self, certificate: Option<About>) -> &mut Self {
        self.browser_starting().flow(FlowEvent::SignIn {
            url: sign_in(1),
            redirect_url: "http://localhost:8400/".parse().unwrap(),
            listening: vec!["127.0.0.1:8400".to_owned(), "[::1]:8400".to_owned()],
            certificate: certificate.map(Box::new),
        })
    }

    /// Reached from another machine.
    pub fn over_ssh(&mut self) -> &mut Self {
        self.with(|environment, _| {
            environment.ssh = Some(Ssh {
                server: Some("198.51.100.7:2222".parse().unwrap()),
                login: Some("administrator".to_owned()),
            });
            environment.display = false;
        })
    }

    /// The tokens of a device flow.
    pub fn tokens(&mut self) -> &mut Self {
        self.device(false)
            .after(31)
            .polled(5, Note::Pending)
            .approved()
    }

    /// The user has approved.
    pub fn approved(&mut self) -> &mut Self {
        self.flow(FlowEvent::Done(Duration::from_secs(31)));
        for (name, outcome, detail) in [
            (
                CheckName::IdToken,
                Outcome::Passed,
                "issuer, audience and expiry match",
            ),
            (
                CheckName::Signature,
                Outcome::Passed,
                "RS256, with a key of the issuer",
            ),
            (CheckName::Scope, Outcome::Passed, "granted in full"),
            (CheckName::RefreshToken, Outcome::Passed, "there is one"),
        ] {
            self.flow(FlowEvent::Check(Check::new(name, outcome, detail)));
        }
        self.exchanged().granted(token_set()).expect("tokens")
    }

    /// Exchanges over HTTP come into the trace.
    pub fn exchanged(&mut self) -> &mut Self {
        static EXCHANGES: LazyLock<Vec<Exchange>> = LazyLock::new(exchanges);
        for exchange in EXCHANGES.iter() {
            self.flow(FlowEvent::Exchange(exchange.clone()));
        }
        self
    }

    /// Tokens come.
    pub fn granted(&mut self, tokens: TokenSet) -> &mut Self {
        self.flow(FlowEvent::Tokens(Box::new(tokens)))
    }

    /// Tokens of a service that offers all endpoints for them.
    pub fn tokens_with_tools(&mut self) -> &mut Self {
        self.preset("gitlab")
            .go("Client ID")
            .paste(CLIENT)
            .by_device()
            .press("Authorize")
            .granted(token_set())
    }

    /// The service answers a question about the tokens.
    pub fn told(&mut self, outcome: Result<tool_report::Outcome, ToolError>) -> &mut Self {
        let told = Told {
            outcome,
            took: Duration::from_millis(73),
        };
        self.flow(FlowEvent::Tool(Box::new(told)))
    }

    /// A mail server was tested.
    pub fn mail_tested(&mut self, protocol: Protocol, ok: bool) -> &mut Self {
        let report = Box::new(mail_report(protocol, ok));
        self.flow(FlowEvent::MailTested(protocol, report))
    }

    /// The question where to save the tokens.
    pub fn save_to_a_file(&mut self) -> &mut Self {
        self.keys("s").press("To a file instead…")
    }

    /// The trace of a device flow.
    pub fn traced(&mut self) -> &mut Self {
        self.tokens().press("Trace")
    }

    /// The set-up of the listener for this redirect URL.
    pub fn configure(&mut self, url: &str) -> &mut Self {
        self.by_browser()
            .go("Redirect URL")
            .keys("<ctrl-u>")
            .paste(url)
            .press("Configure…")
            .expect("Configure")
    }

    /// The same on a Windows machine on which it is not known who the user is.
    pub fn configure_windows(&mut self, url: &str) -> &mut Self {
        self.with(|environment, _| environment.user.clear())
            .configure(url)
    }
}

pub fn sign_in(scopes: usize) -> url::Url {
    let scope = "https://outlook.office.com/IMAP.AccessAsUser.All+".repeat(scopes);
    format!(
        "https://login.microsoftonline.com/common/oauth2/v2.0/authorize?response_type=code&client_id={CLIENT}\
         &state=uH5-3aZq0Yw1nXo2&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
         &code_challenge_method=S256&redirect_uri=http%3A%2F%2Flocalhost%3A8400%2F&scope={scope}offline_access"
    )
    .parse()
    .unwrap()
}

fn tool_answer(status: u16, body: &str) -> Answer {
    Answer {
        status,
        retry_after: None,
        headers: Vec::new(),
        body: body.into(),
    }
}

/// The user info, with this name.
pub fn user_info(name: &str) -> Result<tool_report::Outcome, ToolError> {
    let body = serde_json::json!({
        "sub": "a1b2c3", "name": name, "email": "alice@example.com", "email_verified": true,
    });
    let answer = tool_answer(200, &body.to_string());
    let info = parse_userinfo(&answer, Some("a1b2c3"), &Answers::default())?;
    Ok(tool_report::Outcome::UserInfo(info))
}

/// An introspection.
pub fn introspection(active: bool) -> Result<tool_report::Outcome, ToolError> {
    let body = if active {
        format!(
            r#"{{"active":true,"aud":"{CLIENT}","exp":1764072067,"scope":"openid","username":"alice"}}"#
        )
    } else {
        r#"{"active":false}"#.to_owned()
    };
    let found = parse_introspection(&tool_answer(200, &body), true, &Answers::default())?;
    Ok(tool_report::Outcome::Introspected(found))
}

/// Both tokens are revoked, or only the refresh token.
pub fn revocation(both: bool) -> tool_report::Outcome {
    let revoked = |kind, outcome| Revoked { kind, outcome };
    let refused = tool_answer(400, r#"{"error":"unsupported_token_type"}"#);
    let failure = parse_revocation(&refused, true, &Answers::default()).unwrap_err();
    tool_report::Outcome::Revoked(vec![
        revoked(TokenKind::Refresh, Ok(Verified::Inactive)),
        revoked(
            TokenKind::Access,
            if both {
                Ok(Verified::Inactive)
            } else {
                Err(failure.into())
            },
        ),
    ])
}

/// What the service rejects, in these words.
pub fn refused_tool(words: &str) -> Result<tool_report::Outcome, ToolError> {
    let body = serde_json::json!({ "error": "invalid_token", "error_description": words });
    let answer = tool_answer(401, &body.to_string());
    let failure = parse_userinfo(&answer, None, &Answers::default()).unwrap_err();
    Err(failure.into())
}

/// A token of three parts, whose middle says who signed in. Its signature is none.
fn id_token() -> String {
    use base64::Engine;
    let part = |text: &str| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text);
    let claims = format!(
        r#"{{"iss":"https://login.microsoftonline.com/common/v2.0","aud":"{CLIENT}","sub":"a1b2c3",
            "preferred_username":"alice@example.com","name":"Alice Example","exp":1764072067}}"#
    );
    let head = part(r#"{"alg":"RS256","typ":"JWT"}"#);
    format!("{head}.{}.{}", part(&claims), "c2lnbmF0dXJl".repeat(20))
}

pub fn token_set() -> TokenSet {
    TokenSet {
        access_token: format!("eyJ0eXAiOiJKV1Qi.{}", "TG9yZW0gaXBzdW0g".repeat(74)).into(),
        token_type: Some("Bearer".to_owned()),
        expires_in: Some(3599),
        refresh_token: Some(format!("0.AXsA{}", "q8Zr3Vn0".repeat(120)).into()),
        id_token: Some(id_token().into()),
        scope: None,
        kept: Vec::new(),
        notes: Vec::new(),
        token_url: None,
        redirect_url: None,
    }
}

/// The report about a mail server: it accepts the token, or doesn't open the mailbox.
pub fn mail_report(protocol: Protocol, ok: bool) -> Report {
    let step = |step, detail: &str, millis| StepDone {
        step,
        detail: detail.to_owned(),
        time: Duration::from_millis(millis),
    };
    let line = |ours, text: &str| Exchanged {
        ours,
        text: text.to_owned(),
    };
    let mut steps = vec![
        step(mail::Step::Connect, "connected", 31),
        step(
            mail::Step::Tls,
            "TLS 1.3, certificate of outlook.office365.com",
            51,
        ),
        step(mail::Step::Capabilities, "the server offers XOAUTH2", 18),
        step(
            mail::Step::SignIn,
            "signed in as alice@contoso.example",
            240,
        ),
    ];
    let failed = (!ok).then(|| StepFailed {
        step: mail::Step::Mailbox,
        sent: true,
        time: Duration::from_millis(31),
        problem: mail::Problem::Refused {
            reply: "BAD User is authenticated but not connected.".to_owned(),
            temporary: false,
        },
        challenge: None,
    });
    if ok {
        steps.push(step(mail::Step::Mailbox, "the mailbox is open", 29));
    }
    Report {
        mechanism: Some(Mechanism::Xoauth2),
        steps,
        failed,
        transcript: transcript(protocol, ok)
            .into_iter()
            .map(|(ours, text)| line(ours, text))
            .collect(),
    }
}

/// The lines of a mail test, and whether they are ours.
fn transcript(protocol: Protocol, ok: bool) -> Vec<(bool, &'static str)> {
    let mut lines = match protocol {
        Protocol::Imap => vec![
            (false, "* OK IMAP4rev1 ready"),
            (true, "a1 CAPABILITY"),
            (false, "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2 SASL-IR"),
            (false, "a1 OK CAPABILITY completed"),
            (
                true,
                "a2 AUTHENTICATE XOAUTH2 [user=alice@contoso.example, token of 1,201 characters]",
            ),
            (false, "a2 OK AUTHENTICATE completed"),
            (true, "a3 EXAMINE INBOX"),
        ],
        Protocol::Pop3 => vec![
            (false, "+OK POP3 ready"),
            (true, "CAPA"),
            (false, "+OK"),
            (false, "SASL XOAUTH2"),
            (false, "."),
            (
                true,
                "AUTH XOAUTH2 [user=alice@contoso.example, token of 1,201 characters]",
            ),
            (false, "+OK"),
            (true, "STAT"),
        ],
        Protocol::Smtp => vec![
            (false, "220 ESMTP ready"),
            (true, "EHLO [127.0.0.1]"),
            (false, "250 AUTH XOAUTH2"),
            (
                true,
                "AUTH XOAUTH2 [user=alice@contoso.example, token of 1,201 characters]",
            ),
            (false, "235 2.7.0 Authentication successful"),
            (true, "MAIL FROM:<alice@contoso.example>"),
        ],
    };
    lines.push((
        false,
        match (protocol, ok) {
            (Protocol::Imap, true) => "a3 OK [READ-ONLY] EXAMINE completed",
            (Protocol::Imap, false) => "a3 BAD User is authenticated but not connected.",
            (Protocol::Pop3, true) => "+OK 3 1200",
            (Protocol::Pop3, false) => "-ERR User is authenticated but not connected.",
            (Protocol::Smtp, true) => "250 2.1.0 Sender OK",
            (Protocol::Smtp, false) => "550 User is authenticated but not connected.",
        },
    ));
    lines
}

/// The exchanges of a device flow, for the trace.
fn exchanges() -> Vec<Exchange> {
    let request = Request {
        method: Method::Post,
        url: "https://login.microsoftonline.com/common/oauth2/v2.0/token".parse().unwrap(),
        authorization: None,
        body: format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code={}&client_id={CLIENT}",
            "DAQABIQ".repeat(20)
        )
        .into(),
        proof: oauth_authorizer::oauth::assertion::Proof::None,
    };
    let pending = r#"{"error":"authorization_pending","error_description":"AADSTS70016: The code has not been used yet.","interval":5}"#;
    let granted = format!(
        r#"{{"token_type":"Bearer","scope":"openid offline_access","expires_in":3599,"access_token":"{}","refresh_token":"{}"}}"#,
        "eyJ0".repeat(300),
        "0.AX".repeat(230)
    );
    let answers = [(400, pending, 141), (200, &*granted, 182)];
    let exchanges = answers.into_iter().map(|(status, body, took)| {
        let answer = Answer {
            status,
            retry_after: None,
            headers: vec![
                (
                    "content-type".to_owned(),
                    "application/json; charset=utf-8".to_owned(),
                ),
                ("cache-control".to_owned(), "no-store".to_owned()),
            ],
            body: body.into(),
        };
        let took = Duration::from_millis(took);
        Exchange::sent(&request, &Ok(answer), took, &Secrets::default())
    });
    exchanges.collect()
}

/// A client as a service registers it.
pub fn registered_client() -> Registered {
    Registered {
        client_id: "d1f3a2c4-registered".to_owned(),
        client_secret: Some("the-secret-of-the-registered-client".into()),
        secret_expires_at: Some(1_900_000_000),
        authentication: Some("client_secret_basic".to_owned()),
        access_token: Some("a-registration-access-token".into()),
        client_url: Some("https://login.example.com/register/d1f3a2c4-registered".to_owned()),
        different: Vec::new(),
        pending: false,
    }
}
