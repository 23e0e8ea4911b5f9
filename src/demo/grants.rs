//! The authorizations of the demo server: the rules for codes and tokens, without HTTP.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use oauth2::{CsrfToken, PkceCodeChallenge, PkceCodeVerifier};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::{Value, json};

/// Maximum number of each kind to keep. The oldest ones are dropped.
const KEPT: usize = 100;

/// The lifetimes of codes and tokens. They are short, so that users can watch them expire.
#[derive(Clone, Copy)]
pub(super) struct Lifetimes {
    /// An authorization code.
    pub(super) code: Duration,
    /// A device code with its user code.
    pub(super) device: Duration,
    /// An access token and an ID token.
    pub(super) access: Duration,
    /// The minimum time between two polls for a device code.
    pub(super) interval: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            code: Duration::from_mins(1),
            device: Duration::from_mins(5),
            access: Duration::from_mins(2),
            interval: Duration::from_secs(1),
        }
    }
}

/// An OAuth error response (RFC 6749, sections 4.1.2.1 and 5.2).
#[derive(Serialize)]
pub(super) struct Refusal {
    pub(super) error: &'static str,
    #[serde(rename = "error_description")]
    pub(super) description: Cow<'static, str>,
}

/// Returns an error as the result of a check.
pub(super) fn refuse<T>(
    error: &'static str,
    description: impl Into<Cow<'static, str>>,
) -> Result<T, Refusal> {
    let description = description.into();
    Err(Refusal { error, description })
}

/// The client, scope and other parameters of an authorization. All codes and tokens from one approval share the same
/// value, which also identifies their family.
pub(super) struct SignIn {
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
}

impl SignIn {
    fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|asked| asked == scope)
    }
}

/// The user's decision.
#[derive(Clone, Copy)]
pub(super) enum Decision {
    /// Issue tokens to the program.
    Approve,
    /// Respond with `access_denied`.
    Deny,
}

/// A successful response of the token endpoint (RFC 6749, section 5.1).
#[derive(Serialize)]
pub(super) struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
}

/// The response of the device authorization endpoint (RFC 8628, section 3.2).
#[derive(Serialize)]
pub(super) struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: u64,
    interval: u64,
}

/// A code or token, with the additional data of its kind.
struct Issued<T> {
    secret: SecretString,
    sign_in: Arc<SignIn>,
    since: Instant,
    spent: bool,
    more: T,
}

/// The codes or tokens of one kind.
struct Shelf<T>(VecDeque<Issued<T>>);

impl<T> Shelf<T> {
    /// Issues a code or token: 256 random bits, after the prefix of the demo.
    fn issue(&mut self, prefix: &str, sign_in: Arc<SignIn>, more: T) -> String {
        let text = format!("{prefix}{}", CsrfToken::new_random_len(32).secret());
        let secret = text.clone().into();
        if self.0.len() >= KEPT {
            self.0.pop_front();
        }
        self.0.push_back(Issued {
            secret,
            sign_in,
            since: Instant::now(),
            spent: false,
            more,
        });
        text
    }

    fn find(&mut self, client_id: &str, secret: &str) -> Result<&mut Issued<T>, Refusal> {
        let found = self
            .0
            .iter_mut()
            .find(|known| known.secret.expose_secret() == secret);
        match found {
            Some(known) if known.sign_in.client_id == client_id => Ok(known),
            Some(_) => refuse(
                "invalid_grant",
                "The code or token was issued to another client_id.",
            ),
            None => refuse(
                "invalid_grant",
                "The code or token is not known here, or no longer valid.",
            ),
        }
    }

    fn end(&mut self, family: &Arc<SignIn>) {
        self.0.retain(|known| !Arc::ptr_eq(&known.sign_in, family));
    }
}

struct Code {
    redirect_uri: String,
    challenge: String,
}

struct Device {
    user_code: String,
    interval: Duration,
    polled: Option<Instant>,
    decision: Option<Decision>,
}

/// All pending authorizations, and all issued codes and tokens.
pub(super) struct Grants {
    issuer: String,
    lifetimes: Lifetimes,
    codes: Shelf<Code>,
    devices: Shelf<Device>,
    access: Shelf<()>,
    refresh: Shelf<()>,
}

impl Grants {
    pub(super) fn new(issuer: String, lifetimes: Lifetimes) -> Self {
        Self {
            issuer,
            lifetimes,
            codes: Shelf(VecDeque::new()),
            devices: Shelf(VecDeque::new()),
            access: Shelf(VecDeque::new()),
            refresh: Shelf(VecDeque::new()),
        }
    }

    /// Issues an authorization code.
    pub(super) fn code(&mut self, sign_in: SignIn, redirect_uri: &str, challenge: &str) -> String {
        let (redirect_uri, challenge) = (redirect_uri.to_owned(), challenge.to_owned());
        self.codes.issue(
            "demo-code-",
            Arc::new(sign_in),
            Code {
                redirect_uri,
                challenge,
            },
        )
    }

    /// Exchanges an authorization code. The code can be used once; a second attempt revokes the tokens of the first
    /// (RFC 6749, section 4.1.2).
    pub(super) fn redeem(
        &mut self,
        client_id: &str,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Result<Tokens, Refusal> {
        let code = self.codes.find(client_id, code)?;
        let sign_in = Arc::clone(&code.sign_in);
        let used = std::mem::replace(&mut code.spent, true);
        let problem = if used {
            "The code was used before, so its tokens are no longer valid."
        } else if code.since.elapsed() >= self.lifetimes.code {
            "The code has expired."
        } else if code.more.redirect_uri != redirect_uri {
            "The redirect_uri is not the one of the authorization request."
        } else if !proves(verifier, &code.more.challenge) {
            "The code_verifier does not match the code_challenge."
        } else {
            return Ok(self.issue(&sign_in, &sign_in.scope, sign_in.nonce.as_deref()));
        };
        self.end(&sign_in);
        refuse("invalid_grant", problem)
    }

    /// Issues a device code and a user code.
    pub(super) fn device(&mut self, sign_in: SignIn) -> DeviceAnswer {
        let user_code = new_user_code();
        let interval = self.lifetimes.interval;
        let device = Device {
            user_code: user_code.clone(),
            interval,
            polled: None,
            decision: None,
        };
        DeviceAnswer {
            device_code: self
                .devices
                .issue("demo-device-", Arc::new(sign_in), device),
            verification_uri: format!("{}/device", self.issuer),
            verification_uri_complete: format!("{}/device?user_code={user_code}", self.issuer),
            user_code,
            expires_in: self.lifetimes.device.as_secs(),
            interval: interval.as_secs(),
        }
    }

    /// Returns the authorization that waits for a decision on this user code, with the code as issued.
    pub(super) fn asked(&mut self, user_code: &str) -> Option<(String, Arc<SignIn>)> {
        let device = self.undecided(user_code)?;
        Some((device.more.user_code.clone(), Arc::clone(&device.sign_in)))
    }

    /// Records the user's decision on a user code, if it is still pending.
    pub(super) fn decide(&mut self, user_code: &str, decision: Decision) {
        if let Some(device) = self.undecided(user_code) {
            device.more.decision = Some(decision);
        }
    }

    /// Finds the pending device for a user code as entered: in any case, with or without hyphen or spaces.
    fn undecided(&mut self, typed: &str) -> Option<&mut Issued<Device>> {
        self.devices.0.iter_mut().find(|device| {
            letters(&device.more.user_code) == letters(typed)
                && device.more.decision.is_none()
                && device.since.elapsed() < self.lifetimes.device
        })
    }

    /// Responds to one poll for a device code (RFC 8628, section 3.5).
    pub(super) fn poll(&mut self, client_id: &str, device_code: &str) -> Result<Tokens, Refusal> {
        let device = self.devices.find(client_id, device_code)?;
        if device.since.elapsed() >= self.lifetimes.device {
            return refuse("expired_token", "The device code has expired.");
        }
        let Device {
            interval,
            polled,
            decision,
            ..
        } = &mut device.more;
        let too_fast = polled.is_some_and(|last| last.elapsed() < *interval);
        *polled = Some(Instant::now());
        match decision {
            Some(Decision::Approve) if device.spent => {
                refuse("invalid_grant", "The device code was used before.")
            }
            Some(Decision::Approve) => {
                device.spent = true;
                let sign_in = Arc::clone(&device.sign_in);
                Ok(self.issue(&sign_in, &sign_in.scope, None))
            }
            Some(Decision::Deny) => refuse("access_denied", "The user chose Deny."),
            // Only an unsuccessful poll can be too fast: slow_down is a variant of authorization_pending.
            None if too_fast => {
                *interval = interval.saturating_add(Duration::from_secs(5));
                let seconds = interval.as_secs();
                refuse(
                    "slow_down",
                    format!("Wait {seconds} seconds between two polls."),
                )
            }
            None => refuse("authorization_pending", "The user has not decided yet."),
        }
    }

    /// Exchanges a refresh token for new tokens. If the token was used before, it may have been stolen, so the whole
    /// family is revoked (RFC 9700, section 4.14.2).
    pub(super) fn refresh(
        &mut self,
        client_id: &str,
        token: &str,
        scope: Option<&str>,
    ) -> Result<Tokens, Refusal> {
        let token = self.refresh.find(client_id, token)?;
        let sign_in = Arc::clone(&token.sign_in);
        if token.spent {
            self.end(&sign_in);
            return refuse(
                "invalid_grant",
                "The refresh token was used before, so all tokens of this sign-in are no longer valid.",
            );
        }
        let scope = scope.unwrap_or(&sign_in.scope);
        if !scope.split(' ').all(|part| sign_in.has(part)) {
            return refuse(
                "invalid_scope",
                "The scope is wider than the one that was granted.",
            );
        }
        token.spent = true;
        Ok(self.issue(&sign_in, scope, None))
    }

    /// Returns whether this access token is valid now.
    pub(super) fn accepts(&self, token: &str) -> bool {
        self.access.0.iter().any(|known| {
            known.secret.expose_secret() == token && known.since.elapsed() < self.lifetimes.access
        })
    }

    fn issue(&mut self, sign_in: &Arc<SignIn>, scope: &str, nonce: Option<&str>) -> Tokens {
        let access_token = self.access.issue("demo-access-", Arc::clone(sign_in), ());
        let refresh_token = sign_in
            .has("offline_access")
            .then(|| self.refresh.issue("demo-refresh-", Arc::clone(sign_in), ()));
        Tokens {
            access_token,
            token_type: "Bearer",
            expires_in: self.lifetimes.access.as_secs(),
            refresh_token,
            id_token: sign_in
                .has("openid")
                .then(|| self.id_token(&sign_in.client_id, nonce)),
            scope: scope.to_owned(),
        }
    }

    /// Returns a well-formed ID token without a signature (`"alg":"none"`): it can be decoded, but proves nothing.
    fn id_token(&self, client_id: &str, nonce: Option<&str>) -> String {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let exp = now.saturating_add(self.lifetimes.access);
        let mut claims = json!({
            "iss": self.issuer, "aud": client_id, "iat": now.as_secs(), "exp": exp.as_secs(),
        });
        if let (Some(claims), Value::Object(person)) = (claims.as_object_mut(), person()) {
            claims.extend(person);
            claims.extend(nonce.map(|nonce| ("nonce".to_owned(), nonce.into())));
        }
        let header = json!({ "alg": "none", "typ": "JWT" });
        let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(header), part(claims))
    }

    fn end(&mut self, family: &Arc<SignIn>) {
        self.access.end(family);
        self.refresh.end(family);
    }
}

/// Returns the claims of the only user of this server.
pub(super) fn person() -> Value {
    json!({ "sub": "demo-person", "name": "Demo Person", "email": "demo.person@example.com" })
}

/// Returns a user code of eight random letters, without vowels so that they form no words (RFC 8628, section 6.1).
fn new_user_code() -> String {
    // 15 bytes fill 20 base64 characters exactly, so all consonants are equally likely.
    let mut code: String =
        std::iter::repeat_with(|| CsrfToken::new_random_len(15).into_secret().into_bytes())
            .flatten()
            .map(|letter| char::from(letter.to_ascii_uppercase()))
            .filter(|letter| "BCDFGHJKLMNPQRSTVWXZ".contains(*letter))
            .take(8)
            .collect();
    code.insert(4, '-');
    code
}

/// Returns the significant characters of a user code.
fn letters(code: &str) -> String {
    let letters = code.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_uppercase()).collect()
}

/// Returns whether the verifier matches the S256 challenge (RFC 7636, section 4.6).
fn proves(verifier: &str, challenge: &str) -> bool {
    // The oauth2 crate panics on other lengths.
    (43..=128).contains(&verifier.len())
        && PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.into()))
            .as_str()
            == challenge
}
