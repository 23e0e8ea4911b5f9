//! Every built-in preset in the real program, against a server that behaves as the preset says.
//!
//! The server is a proxy within the test. It terminates TLS with certificates of its own CA, so every request arrives
//! with its real URL. It checks every parameter of each request against the preset's file. The requests, and the rest
//! of the preset, are then compared with the facts in `tests/facts/providers.json`. Facts that are prose in that file
//! have rows here, each with the words that it is based on.
//!
//! A new preset needs no changes here; it only needs its facts.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use oauth_authorizer::oauth::client_authentication::ClientAuthentication;
use oauth_authorizer::oauth::dialect::Format;
use oauth_authorizer::oauth::flow_kind::FlowKind;
use oauth_authorizer::presets::{CUSTOM, Confidence, DEMO, PkceMode, PortRule, Preset, SecretRule};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use crate::servers::{ODD_SECRET, free_port, get};
use crate::service_account;
use crate::terminal::{Command, ENTER, LIMIT, Terminal, is_focused};

/// Number of runs at the same time. They mostly wait.
const AT_ONCE: usize = 8;
const CLIENT_ID: &str = "test-client";
const USER_CODE: &str = "WDJB-MJHT";
/// The error with which the service rejects an exchange.
const REFUSAL: &str = "unauthorized_client";
/// The device grant type (RFC 8628, section 3.4).
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

type Form = BTreeMap<String, String>;

// The runs.

/// One run of the program.
#[derive(Debug, Clone)]
struct Plan {
    preset: Arc<Preset>,
    flow: FlowKind,
    secret: bool,
    /// The requested scopes. They are typed only if the preset's own scopes are not suitable.
    scopes: Vec<String>,
    typed: bool,
    /// If set, the service rejects the exchange, with the error at this index of the places where it reports errors.
    refused: Option<usize>,
}

impl Plan {
    fn name(&self) -> String {
        let secret = if self.secret { "with" } else { "without" };
        let scopes = if self.typed { ", scopes typed" } else { "" };
        let refused = self
            .refused
            .map_or(String::new(), |place| format!(", refused in way {place}"));
        let (id, flow) = (&self.preset.id, self.flow.label());
        format!("{id}, {flow}, {secret} a secret{scopes}{refused}")
    }

    fn scope_text(&self) -> String {
        self.scopes.join(&self.preset.scope.separator)
    }

    /// The values of the variables: defaults or samples. Optional variables have a value only in runs with a secret.
    fn variables(&self) -> Vec<(&str, &str)> {
        let variables = &self.preset.variables;
        variables
            .iter()
            .map(|variable| {
                let required = self.preset.requirements.iter().find(|requirement| {
                    requirement.flow == self.flow && requirement.field == variable.name
                });
                let value = match variable.name.as_str() {
                    _ if let Some(required) = required => &required.example,
                    _ if variable.optional && !self.secret => "",
                    _ if !variable.default.is_empty() => &variable.default,
                    "env" | "tenant" => "11111111-2222-3333-4444-555555555555",
                    "realm" | "slug" | "region" | "pool" => "sample1",
                    _ => "sample.example",
                };
                (variable.name.as_str(), value)
            })
            .collect()
    }

    /// Replaces the variables in a text of the preset or of the facts; `None` if one of them is empty.
    fn fill(&self, text: &str) -> Option<String> {
        let mut text = text.to_owned();
        for (name, value) in self.variables() {
            let braces = format!("{{{name}}}");
            if value.is_empty() && text.contains(&braces) {
                return None;
            }
            text = text.replace(&braces, value);
        }
        Some(text)
    }

    fn filled(&self, parameters: &BTreeMap<String, String>) -> Form {
        parameters
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), self.fill(value)?)))
            .collect()
    }

    /// How the client authenticates, unless the preset has a special rule.
    fn authentication(&self) -> ClientAuthentication {
        let client = &self.preset.client;
        let mut methods = client.authentication.iter().copied();
        match (self.secret, client.empty_secret) {
            (true, _) => methods
                .find(|method| *method != ClientAuthentication::None)
                .unwrap(),
            (false, true) => ClientAuthentication::Basic,
            (false, false) => ClientAuthentication::None,
        }
    }
}

/// The presets of all services.
fn presets() -> Vec<Arc<Preset>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let mut presets: Vec<Arc<Preset>> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            Preset::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        })
        .filter(|preset| ![CUSTOM, DEMO].contains(&preset.id.as_str()))
        .map(Arc::new)
        .collect();
    presets.sort_by(|one, other| one.id.cmp(&other.id));
    presets
}

/// Each flow with and without a secret, as far as the preset's rule allows; the preferred flow once more with two
/// scopes if the preset's own scopes would not show the separator; and rejected exchanges.
fn plans(preset: &Arc<Preset>) -> Vec<Plan> {
    let client = &preset.client;
    let public = client.empty_secret || client.authentication.contains(&ClientAuthentication::None);
    let mut plans = Vec::new();
    for flow in preset.flows.offered.iter().copied() {
        let secrets: &[bool] = match client.secret {
            _ if !flow.has_client() => &[false],
            _ if !flow.has_user() => &[true],
            SecretRule::Required => &[true],
            SecretRule::None => &[false],
            SecretRule::RequiredForAuthorizationCode if flow == FlowKind::AuthorizationCode => {
                &[true]
            }
            SecretRule::Optional if !public => &[true],
            SecretRule::Optional | SecretRule::RequiredForAuthorizationCode => &[false, true],
        };
        let allowed = &preset.scope.device_allowed;
        let mut scopes = preset.scope.of_flow(flow).to_vec();
        let mut typed = false;
        let refused = scopes.iter().any(|scope| !allowed.contains(scope));
        if flow == FlowKind::JwtBearer && scopes.is_empty() {
            let first = preset.scope.list.iter().map(|entry| &entry.value);
            scopes = first.take(1).cloned().collect();
            typed = true;
        }
        if flow == FlowKind::DeviceCode
            && refused
            && let [first, second, ..] = allowed.as_slice()
        {
            scopes = vec![first.clone(), second.clone()];
            typed = true;
        }
        plans.extend(secrets.iter().map(|secret| Plan {
            preset: Arc::clone(preset),
            flow,
            secret: *secret,
            scopes: scopes.clone(),
            typed,
            refused: None,
        }));
    }
    let first = plans
        .iter()
        .find(|plan| plan.flow == preset.preferred())
        .unwrap_or_else(|| panic!("{} does not offer the flow it prefers", preset.id));
    if plans.iter().all(|plan| plan.scopes.len() < 2) {
        let mut more = Plan {
            typed: true,
            ..first.clone()
        };
        for entry in &preset.scope.list {
            if more.scopes.len() < 2 && !more.scopes.contains(&entry.value) {
                more.scopes.push(entry.value.clone());
            }
        }
        if more.scopes.len() == 2 {
            plans.push(more);
        }
    }
    let mut browser = plans.iter().rev();
    if let Some(plan) = browser.find(|plan| plan.flow == FlowKind::AuthorizationCode) {
        let refused: Vec<Plan> = (0..preset.answers.error.len())
            .map(|place| Plan {
                refused: Some(place),
                ..plan.clone()
            })
            .collect();
        plans.extend(refused);
    }
    plans
}

// The proxy.

/// A CA that the program is told to trust.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    key: KeyPair,
    pem: String,
    servers: Mutex<HashMap<String, Arc<ServerConfig>>>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            key: KeyPair::generate().unwrap(),
            pem,
            servers: Mutex::default(),
        }
    }

    /// The TLS configuration of a server with this name.
    fn server(&self, host: &str) -> Arc<ServerConfig> {
        let mut servers = self.servers.lock().unwrap();
        let config = servers.entry(host.to_owned()).or_insert_with(|| {
            let params = CertificateParams::new([host.to_owned()]).unwrap();
            let certificate = params.signed_by(&self.key, &self.issuer).unwrap();
            let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.serialize_der()));
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![certificate.der().clone()], key)
                .unwrap();
            Arc::new(config)
        });
        Arc::clone(config)
    }
}

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Received {
    method: String,
    pub url: Url,
    headers: BTreeMap<String, String>,
    form: Vec<(String, String)>,
}

impl Received {
    /// The client ID and client secret of the Basic header.
    fn basic(&self) -> Option<(String, String)> {
        let header = self.headers.get("authorization")?;
        let wrong = || panic!("the Authorization header {header:?} is no Basic header");
        let encoded = header.strip_prefix("Basic ").unwrap_or_else(wrong);
        let decoded = String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap();
        let (id, secret) = decoded.split_once(':').unwrap_or_else(|| {
            panic!("the Basic header holds {decoded:?}, without a colon");
        });
        // RFC 6749, section 2.3.1: each is form-encoded first.
        let plain = |text: &str| {
            let pair = form_urlencoded::parse(text.as_bytes()).next();
            pair.map_or_else(String::new, |(name, _)| name.into_owned())
        };
        Some((plain(id), plain(secret)))
    }
}

pub type Reply = (u16, &'static str, String);

/// Starts a proxy for one run and returns its port. It lives as long as the test process.
pub fn proxy(answer: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let _ = serve(stream, answer.as_ref());
            });
        }
    });
    port
}

/// Reads the first line and the headers, up to the empty line.
fn head(reader: &mut impl BufRead) -> std::io::Result<Option<(String, BTreeMap<String, String>)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        match line.trim().split_once(':') {
            Some((name, value)) => {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
            None => return Ok(Some((first.trim().to_owned(), headers))),
        }
    }
}

fn serve(stream: TcpStream, answer: &dyn Fn(&Received) -> Reply) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    let mut plain = BufReader::new(stream);
    let Some((line, _)) = head(&mut plain)? else {
        return Ok(());
    };
    let authority = line
        .strip_prefix("CONNECT ")
        .and_then(|rest| rest.strip_suffix(" HTTP/1.1"))
        .unwrap_or_else(|| panic!("the proxy was asked {line:?}"));
    let host = authority.rsplit_once(':').unwrap().0;
    plain.get_mut().write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let session = ServerConnection::new(authority_of_the_tests().server(host)).unwrap();
    let mut reader = BufReader::new(StreamOwned::new(session, plain.into_inner()));
    while let Some((line, headers)) = head(&mut reader)? {
        let mut words = line.split(' ');
        let method = words.next().unwrap_or_default().to_owned();
        let path = words.next().unwrap_or_default();
        let length = headers
            .get("content-length")
            .map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let request = Received {
            method,
            url: Url::parse(&format!("https://{authority}{path}")).unwrap(),
            headers,
            form: form_urlencoded::parse(&body).into_owned().collect(),
        };
        let (status, kind, body) = answer(&request);
        let length = body.len();
        let head = format!(
            "HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        );
        reader.get_mut().write_all((head + &body).as_bytes())?;
        reader.get_mut().flush()?;
    }
    Ok(())
}

/// The CA certificate that makes the servers behind the proxy trusted, as PEM.
pub fn ca() -> &'static str {
    &authority_of_the_tests().pem
}

fn authority_of_the_tests() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(Authority::new)
}

// The service.

/// The kind of request that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Device,
    /// How many polls were answered before.
    Poll(usize),
    Exchange,
    Refresh(usize),
    /// How many of these requests were answered before.
    ClientCredentials(usize),
    /// How many of these requests were answered before.
    ServiceAccount(usize),
    /// No further request is expected.
    Over,
}

impl Stage {
    fn name(self) -> &'static str {
        match self {
            Self::Device => "device request",
            Self::Poll(_) => "poll",
            Self::Exchange => "exchange",
            Self::Refresh(_) => "refresh",
            Self::ClientCredentials(_) => "client credentials request",
            Self::ServiceAccount(_) => "service account's request",
            Self::Over => "request after the last one",
        }
    }
}

/// The values of the authorization request that later requests are compared with.
#[derive(Debug, Clone)]
struct SignIn {
    challenge: Option<String>,
    redirect_url: String,
    code: String,
    /// The host that exchanges the code, if the redirect named one.
    host: Option<String>,
}

/// A service that behaves as a preset says, for one run.
struct Service {
    plan: Plan,
    stage: Stage,
    sign_in: Option<SignIn>,
    received: Vec<(Stage, Received)>,
    complaints: Vec<String>,
}

/// What a request must contain.
struct Wanted {
    url: String,
    basic: Option<(String, String)>,
    form: Form,
}

fn rename(form: Form, names: &BTreeMap<String, String>) -> Form {
    form.into_iter()
        .map(|(name, value)| (names.get(&name).cloned().unwrap_or(name), value))
        .collect()
}

/// Inserts a value at a path such as `errors.0.description` if the path has no value yet.
fn put(members: &mut Value, path: &str, value: Value) {
    let Some((first, rest)) = path.split_once('.') else {
        let members = members.as_object_mut().unwrap();
        members.entry(path.to_owned()).or_insert(value);
        return;
    };
    let inner = members.as_object_mut().unwrap().entry(first.to_owned());
    match rest.split_once('.') {
        Some(("0", rest)) => {
            let list = inner.or_insert_with(|| json!([{}]));
            put(&mut list[0], rest, value);
        }
        _ => put(inner.or_insert_with(|| json!({})), rest, value),
    }
}

impl Service {
    /// Checks a request and returns the response.
    fn answer(&mut self, request: &Received) -> Reply {
        let stage = self.stage;
        let before = self.complaints.len();
        let judged = catch_unwind(AssertUnwindSafe(|| self.judge(request)));
        let found = judged.unwrap_or_else(|panic| vec![words(panic.as_ref())]);
        let found = found.into_iter();
        self.complaints
            .extend(found.map(|found| format!("the {} {found}", stage.name())));
        self.received.push((stage, request.clone()));
        if self.complaints.len() > before {
            let words =
                json!({"error": "invalid_request", "error_description": "not as in the preset"});
            return (400, "application/json", words.to_string());
        }
        let answers = &self.plan.preset.answers;
        let refused = answers.error_status.unwrap_or(400);
        let (next, status, body) = match stage {
            Stage::Device => (Stage::Poll(0), 200, self.device_codes()),
            // Reject the exchange once for each place where this service reports errors.
            Stage::Poll(times) => match answers.error.get(times) {
                Some(path) => {
                    let pending = self.error(path, "authorization_pending");
                    (Stage::Poll(times + 1), refused, pending)
                }
                None => (Stage::Refresh(0), 200, self.tokens(0)),
            },
            Stage::Exchange => match self.plan.refused {
                Some(place) => {
                    let refusal = self.error(&answers.error[place], REFUSAL);
                    (Stage::Over, refused, refusal)
                }
                None => (Stage::Refresh(0), 200, self.tokens(0)),
            },
            Stage::Refresh(times) => (Stage::Over, 200, self.tokens(times + 1)),
            Stage::ClientCredentials(0) => (Stage::ClientCredentials(1), 200, self.tokens(0)),
            Stage::ServiceAccount(0) => (Stage::ServiceAccount(1), 200, self.tokens(0)),
            Stage::ClientCredentials(times) | Stage::ServiceAccount(times) => {
                (Stage::Over, 200, self.tokens(times))
            }
            Stage::Over => (Stage::Over, 400, json!({})),
        };
        self.stage = next;
        match answers.format {
            Format::Json => (status, "application/json", body.to_string()),
            Format::Form => {
                let members = body.as_object().unwrap().iter();
                let text = |value: &Value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let body = form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(members.map(|(name, value)| (name, text(value))))
                    .finish();
                (status, "application/x-www-form-urlencoded", body)
            }
        }
    }

    /// Everything that is wrong with a request.
    fn judge(&self, request: &Received) -> Vec<String> {
        let mut found = Vec::new();
        let mut differs = |what: &str, came: &str, wanted: &str| {
            if came != wanted {
                found.push(format!("has the {what} {came:?}, not {wanted:?}"));
            }
        };
        let header = |name: &str| request.headers.get(name).map_or("", String::as_str);
        if self.stage == Stage::Over {
            differs("address", request.url.as_str(), "none at all");
            return found;
        }
        let wanted = self.wanted(request);
        differs("method", &request.method, "POST");
        differs("address", request.url.as_str(), &wanted.url);
        differs("Accept header", header("accept"), "application/json");
        differs(
            "Content-Type header",
            header("content-type"),
            "application/x-www-form-urlencoded",
        );
        let basic = request.basic();
        differs(
            "Basic header (ID and secret)",
            &format!("{basic:?}"),
            &format!("{:?}", wanted.basic),
        );
        let mut seen = BTreeSet::new();
        for (name, value) in &request.form {
            if !seen.insert(name) {
                found.push(format!("has the parameter {name} twice"));
            }
            match wanted.form.get(name) {
                Some(wanted) if wanted == value => {}
                Some(wanted) => {
                    found.push(format!("has {name}={value:?}, not {wanted:?}"));
                }
                None => found.push(format!("has a parameter too many: {name}={value:?}")),
            }
        }
        for (name, value) in &wanted.form {
            if !seen.contains(name) {
                found.push(format!("lacks the parameter {name}={value:?}"));
            }
        }
        found
    }

    /// What the preset says about the next request.
    fn wanted(&self, request: &Received) -> Wanted {
        let (plan, preset) = (&self.plan, &*self.plan.preset);
        let (endpoints, device) = (&preset.endpoints, &preset.device);
        let url = |text: &Option<String>| {
            let text = text.as_deref().expect("the preset has the endpoint");
            plan.fill(text).unwrap()
        };
        let mut form = Form::new();
        let mut add = |name: &str, value: &str| {
            form.insert(name.to_owned(), value.to_owned());
        };
        let mut address = url(&endpoints.token);
        let mut authentication = None;
        match self.stage {
            Stage::Device => {
                address = url(&endpoints.device);
                authentication = device.authentication;
                if device.client_id_in_query {
                    address = format!("{address}?client_id={CLIENT_ID}");
                }
                if !plan.scopes.is_empty() {
                    add("scope", &plan.scope_text());
                }
                for (name, value) in plan.filled(&preset.parameters.device) {
                    add(&name, &value);
                }
            }
            Stage::Poll(_) => {
                if device.token_url.is_some() {
                    address = url(&device.token_url);
                }
                authentication = device.poll_authentication;
                add(
                    "grant_type",
                    device.grant_type.as_deref().unwrap_or(DEVICE_GRANT),
                );
                add("device_code", &self.code("device"));
            }
            Stage::Exchange => {
                let sign_in = self.sign_in.as_ref().expect("there was a sign-in");
                add("grant_type", "authorization_code");
                add("code", &sign_in.code);
                add("redirect_uri", &sign_in.redirect_url);
                if let Some(challenge) = &sign_in.challenge {
                    let sent = request
                        .form
                        .iter()
                        .find(|(name, _)| name == "code_verifier");
                    let verifier = sent.map_or("", |(_, value)| value);
                    let digest = ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes());
                    let right = *challenge == URL_SAFE_NO_PAD.encode(digest);
                    let other = "one whose SHA-256 is the challenge";
                    add("code_verifier", if right { verifier } else { other });
                }
            }
            Stage::Refresh(times) => {
                add("grant_type", "refresh_token");
                add("refresh_token", &self.code(&format!("refresh-{times}")));
                let sign_in = self.sign_in.as_ref();
                for (name, value) in plan.filled(&preset.parameters.refresh) {
                    match sign_in {
                        Some(sign_in) => {
                            add(
                                &name,
                                &value.replace("{redirect_uri}", &sign_in.redirect_url),
                            );
                        }
                        None if value.contains("{redirect_uri}") => {}
                        None => add(&name, &value),
                    }
                }
            }
            Stage::ClientCredentials(_) => {
                add("grant_type", "client_credentials");
                if !plan.scopes.is_empty() {
                    add("scope", &plan.scope_text());
                }
                for (name, value) in plan.filled(&preset.parameters.client_credentials) {
                    add(&name, &value);
                }
            }
            Stage::ServiceAccount(_) => {
                add("grant_type", service_account::GRANT);
                let sent = request.form.iter().find(|(name, _)| name == "assertion");
                let sent = sent.map_or("", |(_, value)| value);
                let claims = service_account::claims(sent);
                let right = claims["aud"] == address.as_str()
                    && claims["iss"] == service_account::EMAIL
                    && claims["sub"] == service_account::SUBJECT
                    && claims["scope"] == plan.scope_text().as_str();
                add(
                    "assertion",
                    if right {
                        sent
                    } else {
                        "one with the claims of this run"
                    },
                );
            }
            Stage::Over => {}
        }
        let at = self.sign_in.as_ref().and_then(|it| it.host.as_deref());
        if let Some(host) = at {
            let mut moved = Url::parse(&address).unwrap();
            moved.set_host(Some(host)).unwrap();
            address = moved.to_string();
        }
        let secret = if plan.secret { ODD_SECRET } else { "" };
        let basic = match authentication.unwrap_or_else(|| plan.authentication()) {
            ClientAuthentication::Basic if plan.secret || preset.client.empty_secret => {
                Some((CLIENT_ID.to_owned(), secret.to_owned()))
            }
            ClientAuthentication::Post if plan.secret => {
                add("client_id", CLIENT_ID);
                add("client_secret", secret);
                None
            }
            _ if !plan.flow.has_client() => None,
            _ => {
                add("client_id", CLIENT_ID);
                None
            }
        };
        if let Stage::Poll(_) = self.stage {
            form.retain(|name, _| !device.without.contains(name));
            form = rename(form, &device.names);
            for (name, value) in &device.poll {
                let value = value
                    .replace("{client_id}", CLIENT_ID)
                    .replace("{user_code}", USER_CODE)
                    .replace("{scope}", &plan.scope_text());
                form.insert(name.clone(), value);
            }
        } else if self.stage == Stage::Device {
            form = rename(form, &device.names);
        }
        Wanted {
            url: Url::parse(&address).unwrap().to_string(),
            basic,
            form: rename(form, &preset.parameters.names),
        }
    }

    /// A code that only this run uses and that requires encoding.
    fn code(&self, what: &str) -> String {
        format!("{what} code+/=&{}", self.plan.preset.id)
    }

    fn device_codes(&self) -> Value {
        let names = &self.plan.preset.device.answer;
        let mut body = json!({});
        for (name, value) in [
            ("device_code", json!(self.code("device"))),
            ("user_code", json!(USER_CODE)),
            ("verification_uri", json!("https://verify.example/device")),
            ("expires_in", json!(300)),
            ("interval", json!(1)),
        ] {
            let name = names.get(name).map_or(name, String::as_str);
            put(&mut body, name, value);
        }
        body
    }

    fn error(&self, path: &str, code: &str) -> Value {
        let answers = &self.plan.preset.answers;
        let mut body = json!({});
        put(&mut body, path, json!(code));
        if let Some(words) = answers
            .error_description
            .iter()
            .find(|words| *words != path)
        {
            put(&mut body, words, json!("As the service says."));
        }
        if let Some(name) = &answers.success {
            put(&mut body, name, json!(false));
        }
        body
    }

    fn tokens(&self, times: usize) -> Value {
        let (plan, preset) = (&self.plan, &*self.plan.preset);
        let answers = &preset.answers;
        let mut tokens = json!({
            "access_token": access_token(times),
            "token_type": "Bearer",
        });
        if !preset.tokens.no_refresh {
            put(
                &mut tokens,
                "refresh_token",
                json!(self.code(&format!("refresh-{times}"))),
            );
        }
        if let Some(name) = answers.expires_in.first() {
            put(&mut tokens, name, json!(3600));
        }
        let separator = answers.scope_separator.as_deref();
        let separator = separator.unwrap_or(&preset.scope.separator);
        let scope = if answers.scope_list {
            json!(plan.scopes)
        } else {
            json!(plan.scopes.join(separator))
        };
        put(&mut tokens, &answers.scope, scope);
        let mut body = json!({});
        match &answers.access_token_in {
            Some(path) => put(&mut body, path, tokens),
            None => body = tokens,
        }
        if let Some(name) = &answers.success {
            put(&mut body, name, json!(true));
        }
        for path in &answers.keep {
            put(&mut body, path, json!(kept(path)));
        }
        body
    }
}

fn access_token(times: usize) -> String {
    format!("access-token-{times}-of-the-service")
}

fn kept(name: &str) -> String {
    format!("kept:{name}")
}

/// The message of a panic.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
        .unwrap_or_else(|| "panicked".to_owned())
}

// The user.

/// What the browser and the service received in a run.
#[derive(Debug)]
struct Record {
    plan: Plan,
    /// The authorization URL that the browser opened.
    sign_in: Option<Url>,
    received: Vec<(Stage, Received)>,
}

impl Record {
    fn all(&self, stage: fn(Stage) -> bool) -> impl Iterator<Item = &Received> {
        let received = self.received.iter();
        received
            .filter(move |(at, _)| stage(*at))
            .map(|(_, request)| request)
    }
}

/// Waits for `text`; fails at once if the service or the program reports a problem.
fn wait_for(terminal: &Terminal, service: &Mutex<Service>, text: &str) {
    let stopped = "[a Try again]";
    let complains = || !service.lock().unwrap().complaints.is_empty();
    terminal.wait_until(text, |screen| {
        let screen = screen.contents();
        let flat = screen.split_whitespace().collect::<Vec<_>>().join(" ");
        complains() || flat.contains(stopped) || flat.contains(text)
    });
    let complaints = service.lock().unwrap().complaints.join("\n");
    assert!(complaints.is_empty(), "{complaints}");
    let screen = terminal.flat();
    assert!(
        screen.contains(text),
        "waited for {text:?} in vain\n{}",
        terminal.screen()
    );
}

/// Runs a plan: signs in, then refreshes the tokens.
fn run(plan: &Plan) -> Record {
    let preset = &plan.preset;
    let service = Arc::new(Mutex::new(Service {
        plan: plan.clone(),
        stage: match plan.flow {
            FlowKind::DeviceCode => Stage::Device,
            FlowKind::AuthorizationCode => Stage::Exchange,
            FlowKind::ClientCredentials => Stage::ClientCredentials(0),
            FlowKind::JwtBearer => Stage::ServiceAccount(0),
        },
        sign_in: None,
        received: Vec::new(),
        complaints: Vec::new(),
    }));
    let behind = Arc::clone(&service);
    let port = proxy(move |request| behind.lock().unwrap().answer(request));
    let home = tempfile::tempdir().unwrap();
    let ca_file = home.path().join("ca.pem");
    std::fs::write(&ca_file, &authority_of_the_tests().pem).unwrap();
    let redirect = redirect(plan);
    let mut flags = vec![
        ("--preset", preset.id.clone()),
        ("--client-id", CLIENT_ID.to_owned()),
        ("--ca-file", ca_file.to_str().unwrap().to_owned()),
        ("--flow", plan.flow.name().to_owned()),
    ];
    for (name, value) in plan.variables() {
        flags.push(("--var", format!("{name}={value}")));
    }
    if plan.flow == FlowKind::JwtBearer {
        let token_url = preset.endpoints.token.as_deref().unwrap();
        let key = service_account::KeyFile::for_token_url(&plan.fill(token_url).unwrap());
        let path = key.write(home.path());
        flags.push(("--service-account-file", path));
        flags.push(("--subject", service_account::SUBJECT.to_owned()));
    }
    if plan.typed {
        flags.push(("--scope", plan.scopes.join(" ")));
    }
    if plan.flow == FlowKind::AuthorizationCode && redirect != preset.redirect.default {
        flags.push(("--redirect-url", redirect.clone()));
    }
    let flags: Vec<&str> = flags
        .iter()
        .flat_map(|(flag, value)| [*flag, value.as_str()])
        .collect();
    let mut command =
        Command::new(home.path(), &flags).env("HTTPS_PROXY", format!("http://127.0.0.1:{port}"));
    if plan.secret {
        command = command.env("OAUTH_AUTHORIZER_CLIENT_SECRET", ODD_SECRET);
    }
    let mut terminal = command.start();
    terminal.resize(200, 60);
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    let sign_in = match plan.flow {
        FlowKind::DeviceCode => {
            wait_for(&terminal, &service, USER_CODE);
            let screen = terminal.flat();
            assert!(screen.contains("https://verify.example/device"), "{screen}");
            None
        }
        FlowKind::AuthorizationCode => {
            wait_for(&terminal, &service, "Paste");
            Some(sign_in(&mut terminal, &service, &redirect))
        }
        FlowKind::ClientCredentials | FlowKind::JwtBearer => None,
    };
    if plan.refused.is_some() {
        // Both are in the same frame, which may arrive in parts.
        terminal.wait_for(&format!("Service said {REFUSAL}"));
        terminal.wait_for("Code exchange");
    } else {
        tokens(&mut terminal, &service);
    }
    let service = service.lock().unwrap();
    assert!(
        service.complaints.is_empty(),
        "{}",
        service.complaints.join("\n")
    );
    Record {
        plan: plan.clone(),
        sign_in,
        received: service.received.clone(),
    }
}

/// Checks the tokens on the screen and refreshes them.
fn tokens(terminal: &mut Terminal, service: &Mutex<Service>) {
    let plan = service.lock().unwrap().plan.clone();
    let preset = &plan.preset;
    wait_for(terminal, service, "Access token");
    let shows = |text: &str, wanted: bool| {
        if wanted {
            // On a busy machine the rest of the frame may arrive late.
            wait_for(terminal, service, text);
        }
        let there = terminal.flat().contains(text);
        assert_eq!(there, wanted, "{text:?} is shown\n{}", terminal.screen());
    };
    let answers = &preset.answers;
    let granted = match plan.scopes.len() {
        0 => "no scopes requested".to_owned(),
        1 => "the requested scope".to_owned(),
        count => format!("all {count} requested scopes"),
    };
    shows(&format!("Granted {granted}"), true);
    shows("(59 min)", !answers.expires_in.is_empty());
    let refreshes = !preset.tokens.no_refresh || !plan.flow.has_user();
    shows("[f Refresh]", refreshes);
    let body = service.lock().unwrap().tokens(0);
    for path in &answers.keep {
        let value = body.pointer(&format!("/{}", path.replace('.', "/")));
        let value = value.unwrap();
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        // Anyone who has one of these can use it.
        let secret = path.ends_with("token") || path.contains("webhook.url");
        shows(&text, !secret);
    }
    let rule = preset.callback.token_host.as_ref();
    for name in &preset.callback.keep {
        if rule.is_none_or(|rule| rule.parameter != *name) {
            shows(&kept(name), plan.flow == FlowKind::AuthorizationCode);
        }
    }
    let mut times = 0;
    if refreshes {
        terminal.send("f");
        wait_for(terminal, service, "Refreshed at");
        times = 1;
    }
    terminal.send("r");
    wait_for(terminal, service, &access_token(times));
}

/// The preset's redirect URL. A fixed port is replaced by a free port or by 0, because several runs happen at once.
fn redirect(plan: &Plan) -> String {
    let text = &plan.preset.redirect.default;
    let mut url = Url::parse(text).unwrap();
    if url.scheme() != "http" || url.port() == Some(0) {
        return text.clone();
    }
    let port = if plan.secret { 0 } else { free_port() };
    url.set_port(Some(port)).unwrap();
    url.to_string()
}

/// Acts as the browser: reads the authorization URL and returns the URL to redirect to.
fn sign_in(terminal: &mut Terminal, service: &Mutex<Service>, redirect: &str) -> Url {
    let (plan, code) = {
        let service = service.lock().unwrap();
        (service.plan.clone(), service.code("sign-in"))
    };
    let preset = &plan.preset;
    let page = plan
        .fill(preset.endpoints.authorization.as_deref().unwrap())
        .unwrap();
    let url = Url::parse(&terminal.url_at(&page)).unwrap();
    let query = query(&url);
    let mut wanted = plan.filled(&preset.parameters.authorization);
    let mut found = Vec::new();
    let name = |name: &str| {
        let names = &preset.parameters.names;
        names.get(name).cloned().unwrap_or_else(|| name.to_owned())
    };
    let mut add = |key: &str, value: &str| {
        wanted.insert(name(key), value.to_owned());
    };
    add("client_id", CLIENT_ID);
    add("response_type", "code");
    if !plan.scopes.is_empty() {
        add("scope", &plan.scope_text());
    }
    // For random values, only the length is checked.
    let mut random = vec!["state"];
    if plan.scopes.iter().any(|scope| scope == "openid") {
        random.push("nonce");
    }
    if preset.client.pkce != PkceMode::Off {
        add("code_challenge_method", "S256");
        random.push("code_challenge");
    }
    for key in random {
        let value = query.get(&name(key)).map_or("", String::as_str);
        let long = value.len() >= 16;
        add(key, if long { value } else { "something random" });
    }
    let came = query
        .get(&name("redirect_uri"))
        .cloned()
        .unwrap_or_default();
    let same = match Url::parse(redirect).unwrap() {
        mut any if any.port() == Some(0) => {
            let port = Url::parse(&came).ok().and_then(|url| url.port());
            any.set_port(port).unwrap();
            port.is_some_and(|port| port > 0) && any.as_str() == came
        }
        _ => redirect == came,
    };
    add("redirect_uri", if same { &came } else { redirect });
    for (key, value) in &query {
        match wanted.remove(key) {
            Some(wanted) if wanted == *value => {}
            Some(wanted) => found.push(format!("has {key}={value:?}, not {wanted:?}")),
            None => found.push(format!("has a parameter too many: {key}={value:?}")),
        }
    }
    found.extend(
        wanted
            .into_iter()
            .map(|(key, value)| format!("lacks the parameter {key}={value:?}")),
    );
    assert!(
        found.is_empty(),
        "{}: the URL of the sign-in page {}\n{url}",
        plan.name(),
        found.join(", and ")
    );
    let mut back = Url::parse(&came).unwrap();
    back.query_pairs_mut()
        .append_pair("code", &code)
        .append_pair("state", &query["state"]);
    let rule = preset.callback.token_host.as_ref();
    // Not the preset's own host, to show that this host is used.
    let own = plan
        .fill(preset.endpoints.token.as_deref().unwrap())
        .unwrap();
    let host = rule.map(|rule| {
        let mut hosts = rule.hosts.iter();
        let other = hosts.find(|host| !own.contains(&format!("//{host}/")));
        other.expect("a host beside the preset's own").clone()
    });
    for key in &preset.callback.keep {
        if rule.is_none_or(|rule| rule.parameter != *key) {
            back.query_pairs_mut().append_pair(key, &kept(key));
        }
    }
    if let (Some(rule), Some(host)) = (rule, &host) {
        let server = format!("https://{host}");
        back.query_pairs_mut().append_pair(&rule.parameter, &server);
    }
    service.lock().unwrap().sign_in = Some(SignIn {
        challenge: query.get("code_challenge").cloned(),
        redirect_url: came,
        code,
        host,
    });
    if back.scheme() == "http" {
        let (status, page) = get(back.as_str(), &[]);
        assert_eq!(status, 200, "{}: {page}", plan.name());
    } else {
        terminal.paste(back.as_str());
        terminal.wait_until("the paste box", |screen| is_focused(screen, "Paste"));
        terminal.send(ENTER);
    }
    url
}

/// The parameters of a URL; a duplicate is an error.
fn query(url: &Url) -> Form {
    let mut form = Form::new();
    for (name, value) in url.query_pairs() {
        let before = form.insert(name.to_string(), value.into_owned());
        assert!(before.is_none(), "{name} appears twice in {url}");
    }
    form
}

/// The results of all runs, made once for the tests of this file: the record or the error.
fn runs() -> &'static [Result<Record, String>] {
    static RUNS: OnceLock<Vec<Result<Record, String>>> = OnceLock::new();
    RUNS.get_or_init(|| {
        let plans: VecDeque<Plan> = presets().iter().flat_map(plans).collect();
        let (plans, done) = (Mutex::new(plans), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    loop {
                        let Some(plan) = plans.lock().unwrap().pop_front() else {
                            return;
                        };
                        let outcome = catch_unwind(AssertUnwindSafe(|| run(&plan)));
                        let outcome = outcome.map_err(|panic| {
                            format!("{}:\n{}", plan.name(), words(panic.as_ref()))
                        });
                        done.lock().unwrap().push(outcome);
                    }
                });
            }
        });
        done.into_inner().unwrap()
    })
}

#[test]
fn every_preset_gets_and_refreshes_tokens_from_simulated_service() {
    let wrong: Vec<&str> = runs()
        .iter()
        .filter_map(|run| Some(run.as_ref().err()?.as_str()))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

// The facts.

/// Intended differences from the facts: the service, the field, the value and the reason.
const ON_PURPOSE: &[(&str, &str, &str, &str)] = &[
    (
        "facebook",
        "flows",
        "device-code",
        "the device flow isn't that of RFC 8628, and requires a client token",
    ),
    (
        "github",
        "client authentication",
        "none",
        "the device flow works without the secret",
    ),
    (
        "github-enterprise",
        "client authentication",
        "none",
        "the device flow works without the secret",
    ),
    (
        "cognito",
        "scopes",
        "{resource-server}/{scope}",
        "a pattern, not a scope",
    ),
    (
        "okta-custom",
        "scopes",
        "okta.users.read",
        "the facts say: org server only",
    ),
    (
        "amazon-lwa",
        "optional parameters",
        "scope_data",
        "the scope alexa:all of the variants needs it",
    ),
    (
        "github-enterprise",
        "optional parameters",
        "login",
        "the same program as github.com",
    ),
    (
        "github-enterprise",
        "optional parameters",
        "prompt",
        "the same program as github.com",
    ),
    (
        "gitlab-selfmanaged",
        "optional parameters",
        "root_namespace_id",
        "a quirk in the facts, and the same program as gitlab.com",
    ),
    (
        "zoom",
        "optional parameters",
        "optional_scope",
        "a quirk in the facts",
    ),
    (
        "aol-mail",
        "pop3",
        "pop.aol.com:995",
        "the facts name it among what is unverified",
    ),
];

/// The rule for the redirect URL, with the words of the facts that it is based on.
struct RedirectRow {
    id: &'static str,
    /// The beginning of the preset's redirect URL, up to the port.
    begins: &'static str,
    port: Option<PortRule>,
    /// The only hosts allowed with http, if the facts list them.
    hosts: &'static [&'static str],
    words: &'static str,
}

const LOCALHOST: &str = "http://localhost";
const ADDRESS: &str = "http://127.0.0.1";
const HTTPS: &str = "https://localhost";
const ANY: Option<PortRule> = Some(PortRule::Any);
const REGISTERED: Option<PortRule> = Some(PortRule::Registered);

const fn redirect_row(
    id: &'static str,
    begins: &'static str,
    port: Option<PortRule>,
    hosts: &'static [&'static str],
    words: &'static str,
) -> RedirectRow {
    RedirectRow {
        id,
        begins,
        port,
        hosts,
        words,
    }
}

#[rustfmt::skip]
const REDIRECTS: &[RedirectRow] = &[
    redirect_row("amazon-lwa", LOCALHOST, REGISTERED, &["localhost"], "exact; https or http://localhost"),
    redirect_row("aol-mail", HTTPS, None, &[], "as Yahoo"),
    redirect_row("atlassian", LOCALHOST, REGISTERED, &[], "one callback per app, exact"),
    redirect_row("auth0", LOCALHOST, None, &[], "must be listed"),
    redirect_row("authentik", LOCALHOST, None, &[], "strict or regex match"),
    redirect_row("bitbucket", LOCALHOST, REGISTERED, &[], "must start with it; http://localhost:<port> works"),
    redirect_row("box", ADDRESS, ANY, &[], "localhost/loopback where any port is allowed"),
    redirect_row("cognito", LOCALHOST, REGISTERED, &[], "https, or http://localhost for tests; exact match"), // the facts list the localhost exception as unverified
    redirect_row("digitalocean", LOCALHOST, REGISTERED, &[], "exact registered URL incl. port"),
    redirect_row("discord", LOCALHOST, REGISTERED, &[], "exact registered URI; http://localhost fine"),
    redirect_row("dropbox", LOCALHOST, None, &[], "http/https localhost allowed"),
    redirect_row("facebook", HTTPS, None, &[], "registered https"),
    redirect_row("fastmail", LOCALHOST, ANY, &["localhost", "127.0.0.1", "[::1]"], "http://localhost/ with any port (127.0.0.1 / ::1 may be substituted)"),
    redirect_row("gitea-forgejo", ADDRESS, ANY, &[], "http://127.0.0.1/ matches any port (avoid localhost)"),
    redirect_row("github", ADDRESS, ANY, &[], "loopback: any port (register http://127.0.0.1/path, 127.0.0.1 preferred over localhost)"),
    redirect_row("github-enterprise", ADDRESS, ANY, &[], "loopback: any port (register http://127.0.0.1/path, 127.0.0.1 preferred over localhost)"),
    redirect_row("gitlab", LOCALHOST, REGISTERED, &[], "must match a registered URI"),
    redirect_row("gitlab-selfmanaged", LOCALHOST, REGISTERED, &[], "must match a registered URI"),
    redirect_row("google", ADDRESS, ANY, &["127.0.0.1", "localhost"], "loopback http, any port, no pre-registration (localhost or 127.0.0.1)"),
    redirect_row("google-mail", ADDRESS, ANY, &["127.0.0.1", "localhost"], "loopback http, any port, no pre-registration (localhost or 127.0.0.1)"),
    redirect_row("hubspot", HTTPS, None, &[], "registered https"),
    redirect_row("huggingface", LOCALHOST, ANY, &[], "http loopback (localhost, 127.0.0.1, [::1]) any port"),
    redirect_row("keycloak", ADDRESS, None, &[], "http://127.0.0.1/* style for CLI"),
    redirect_row("linkedin", HTTPS, REGISTERED, &[], "exact match of a registered https URL"),
    redirect_row("mailru", LOCALHOST, REGISTERED, &[], "exact match incl. scheme and trailing slash"),
    redirect_row("microsoft-china", LOCALHOST, ANY, &["localhost"], "http allowed only for localhost; port ignored when matching localhost"),
    redirect_row("microsoft-graph", LOCALHOST, ANY, &["localhost"], "http allowed only for localhost; port ignored when matching localhost"),
    redirect_row("microsoft-mail", LOCALHOST, ANY, &["localhost"], "http allowed only for localhost; port ignored when matching localhost"),
    redirect_row("microsoft-outlook-personal", LOCALHOST, ANY, &["localhost"], "http allowed only for localhost; port ignored when matching localhost"),
    redirect_row("microsoft-usgov", LOCALHOST, ANY, &["localhost"], "http allowed only for localhost; port ignored when matching localhost"),
    redirect_row("okta-custom", LOCALHOST, REGISTERED, &[], "exact match of a registered sign-in redirect URI"),
    redirect_row("okta-org", LOCALHOST, REGISTERED, &[], "exact match of a registered sign-in redirect URI"),
    redirect_row("pingfederate", LOCALHOST, None, &[], ""),
    redirect_row("pingone", LOCALHOST, None, &[], "registered list"),
    redirect_row("quickbooks", LOCALHOST, None, &[], "development keys: http://localhost ok"),
    redirect_row("reddit", LOCALHOST, REGISTERED, &[], "exact match; http://localhost:8080 style fine"),
    redirect_row("salesforce", LOCALHOST, None, &[], "https or http://localhost:<port> with exact port"), // the facts list the exact port as unverified
    redirect_row("slack", HTTPS, None, &[], "https URL under a registered one"),
    redirect_row("spotify", ADDRESS, ANY, &["127.0.0.1", "[::1]"], "127.0.0.1 or [::1]; localhost is refused"),
    redirect_row("stackexchange", LOCALHOST, None, &[], "must be under the registered OAuth domain"),
    redirect_row("strava", LOCALHOST, ANY, &[], "localhost and 127.0.0.1 always allowed, any port"),
    redirect_row("tiktok", HTTPS, None, &[], "registered https"),
    redirect_row("twilio", LOCALHOST, None, &[], "registered in the OAuth app"),
    redirect_row("twitch", LOCALHOST, REGISTERED, &[], "exact registered string, no added slash; http://localhost:3000 works"),
    redirect_row("webex", ADDRESS, REGISTERED, &[], "registered URIs exact; http://127.0.0.1:8080 shown in docs"),
    redirect_row("x", ADDRESS, REGISTERED, &[], "exact match; use http://127.0.0.1:<port>"),
    redirect_row("xero", LOCALHOST, REGISTERED, &[], "exact, no wildcard, up to 50; http://localhost:<port> accepted"),
    redirect_row("yahoo-mail", HTTPS, None, &[], "registered https redirect"),
    redirect_row("yandex-mail", LOCALHOST, REGISTERED, &[], "exact match incl. port"),
    redirect_row("zoho", LOCALHOST, REGISTERED, &[], "exact match of a registered URI; http://localhost:<fixed port> works"),
    redirect_row("zoom", HTTPS, REGISTERED, &[], "allow-listed https (or localhost for development); exact"),
];

/// The parameters of a device flow, with fixed values after a `=`. `*` stands for the client authentication that the
/// other requests use: `client_id`, with `client_secret` if there is a secret, or the Basic header. `basic` stands for
/// that header in any case.
struct DeviceRow {
    ids: &'static [&'static str],
    request: &'static str,
    poll: &'static str,
    /// The words of the facts that the row is based on.
    words: &'static [&'static str],
}

/// RFC 8628, for all services whose facts say nothing else.
const RFC_8628: DeviceRow = DeviceRow {
    ids: &[],
    request: "* scope",
    poll: "* device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
    words: &[],
};

#[rustfmt::skip]
const DEVICES: &[DeviceRow] = &[
    DeviceRow {
        ids: &["google", "google-mail"],
        request: "client_id scope",
        poll: "client_id client_secret device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["client_id + scope", "client_id + client_secret + device_code + RFC 8628 grant type"],
    },
    DeviceRow {
        ids: &["zoho"],
        request: "client_id scope access_type=offline grant_type=device_request",
        poll: "client_id client_secret grant_type=device_token code",
        words: &["client_id, scope, access_type=offline, grant_type=device_request", "client_id, client_secret, grant_type=device_token, code="],
    },
    DeviceRow {
        ids: &["yandex-mail"],
        request: "client_id scope",
        poll: "* grant_type=device_code code",
        words: &["client_id (+ optional device_id, device_name, scope)", "grant_type=device_code (short name) & code=<device_code> & client_id & client_secret"],
    },
    DeviceRow {
        ids: &["salesforce"],
        request: "client_id scope response_type=device_code",
        poll: "* grant_type=device code",
        words: &["response_type=device_code, client_id, scope", "grant_type=device & client_id & code="],
    },
    DeviceRow {
        ids: &["twitch"],
        request: "client_id scopes",
        poll: "client_id scopes device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["client_id + scopes (plural)", "client_id + scopes + device_code + RFC 8628 grant type"],
    },
    DeviceRow {
        ids: &["webex"],
        request: "client_id scope",
        poll: "basic client_id device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["client_id + scope, no auth", "Basic auth + RFC 8628 grant + device_code + client_id"],
    },
    DeviceRow {
        ids: &["amazon-lwa"],
        request: "client_id scope response_type=device_code",
        poll: "device_code user_code grant_type=device_code",
        words: &["response_type=device_code, client_id, scope", "grant_type=device_code (short), device_code AND user_code (no client id)"],
    },
    DeviceRow {
        ids: &["zoom"],
        request: "basic ?client_id scope",
        poll: "basic device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["client_id in query + Basic auth"],
    },
    DeviceRow {
        ids: &["huggingface"],
        request: "* scope",
        poll: "* device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["apps with a secret need Basic on device and token requests"],
    },
    DeviceRow {
        ids: &["github", "github-enterprise"],
        request: "client_id scope",
        poll: "client_id device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["device flow must be enabled in the app settings"],
    },
    DeviceRow {
        ids: &["auth0"],
        request: "* scope audience",
        poll: "* device_code grant_type=urn:ietf:params:oauth:grant-type:device_code",
        words: &["needed for a JWT API token, also in the device request"],
    },
];

/// The facts of each service.
fn facts() -> BTreeMap<String, Value> {
    let text = include_str!("../facts/providers.json");
    let all: Value = serde_json::from_str(text).unwrap();
    let all = all["providers"].as_array().unwrap();
    all.iter()
        .map(|facts| (facts["id"].as_str().unwrap().to_owned(), facts.clone()))
        .collect()
}

/// Compares values and collects the differences.
struct Comparison<'a> {
    id: &'a str,
    wrong: Vec<String>,
    /// The indexes of the intended differences that were found.
    used: BTreeSet<usize>,
}

impl Comparison<'_> {
    fn same(&mut self, what: &str, has: impl Into<Value>, fact: impl Into<Value>) {
        let (has, fact) = (has.into(), fact.into());
        if has != fact {
            let id = self.id;
            self.wrong
                .push(format!("{id}: {what} is {has}, and the facts say {fact}"));
        }
    }

    /// Compares two sets regardless of order, except for intended differences.
    fn same_set<'b>(
        &mut self,
        what: &str,
        has: impl IntoIterator<Item = &'b str>,
        facts: impl IntoIterator<Item = &'b str>,
    ) {
        let has: BTreeSet<&str> = has.into_iter().collect();
        let facts: BTreeSet<&str> = facts.into_iter().collect();
        for value in has.symmetric_difference(&facts) {
            let known = ON_PURPOSE.iter().position(|(id, field, known, _)| {
                *id == self.id && *field == what && known == value
            });
            match known {
                Some(place) => {
                    self.used.insert(place);
                }
                None if has.contains(value) => {
                    let text = format!("{}: {what}: {value:?} is not in the facts", self.id);
                    self.wrong.push(text);
                }
                None => {
                    let text = format!("{}: {what}: {value:?} is only in the facts", self.id);
                    self.wrong.push(text);
                }
            }
        }
    }

    fn holds(&mut self, what: &str, text: &str, part: &str) {
        if !text.contains(part) {
            let text = format!("{}: {what}: {part:?} is not in {text:?}", self.id);
            self.wrong.push(text);
        }
    }
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

fn keys(map: &Value) -> impl Iterator<Item = &str> {
    map.as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
}

fn method(method: ClientAuthentication) -> &'static str {
    match method {
        ClientAuthentication::None => "none",
        ClientAuthentication::Post => "client_secret_post",
        ClientAuthentication::Basic => "client_secret_basic",
        ClientAuthentication::ClientSecretJwt => "client_secret_jwt",
        ClientAuthentication::PrivateKeyJwt => "private_key_jwt",
        ClientAuthentication::MutualTls => "tls",
    }
}

/// Compares what a preset says with the facts.
fn compare_preset(preset: &Preset, facts: &Value, compare: &mut Comparison) {
    let endpoints = &preset.endpoints;
    for (name, has) in [
        ("authorization_url", &endpoints.authorization),
        ("device_url", &endpoints.device),
        ("token_url", &endpoints.token),
        ("revocation_url", &endpoints.revocation),
        ("introspection_url", &endpoints.introspection),
        ("userinfo_url", &endpoints.userinfo),
        ("issuer", &endpoints.issuer),
    ] {
        compare.same(name, has.as_deref(), facts[name].clone());
    }
    let variables = preset.variables.iter().map(|one| one.name.as_str());
    compare.same_set("variables", variables, keys(&facts["template_vars"]));
    let offered = |flow: FlowKind, name: &'static str| preset.offers(flow).then_some(name);
    let there = |fact: &str, name: &'static str| (!facts[fact].is_null()).then_some(name);
    compare.same_set(
        "flows",
        [
            offered(FlowKind::DeviceCode, "device-code"),
            offered(FlowKind::AuthorizationCode, "authorization-code"),
        ]
        .into_iter()
        .flatten(),
        [
            there("device_url", "device-code"),
            there("authorization_url", "authorization-code"),
        ]
        .into_iter()
        .flatten(),
    );
    let pkce = match preset.client.pkce {
        PkceMode::Required => "required",
        PkceMode::Supported => "supported",
        PkceMode::Undocumented => "undocumented",
        PkceMode::Off => "off",
    };
    compare.same("PKCE", pkce, facts["pkce_mode"].clone());
    let rule = facts["secret_mode"].as_str().unwrap();
    let secret = match preset.client.secret {
        // This rule is more exact than the facts, which say either "optional" or "required".
        SecretRule::RequiredForAuthorizationCode if rule == "optional" => rule,
        SecretRule::Required | SecretRule::RequiredForAuthorizationCode => "required",
        SecretRule::Optional => "optional",
        SecretRule::None => "none",
    };
    compare.same("the rule for the secret", secret, rule);
    let methods = preset.client.authentication.iter();
    compare.same_set(
        "client authentication",
        methods.map(|known| method(*known)).chain(
            preset
                .client
                .other_authentication
                .iter()
                .map(String::as_str),
        ),
        strings(&facts["client_auth"]),
    );
    compare.same(
        "what stands between scopes",
        preset.scope.separator.as_str(),
        facts["scope_separator"].clone(),
    );
    let scopes = facts["scopes"].as_array().unwrap().iter();
    compare.same_set(
        "scopes",
        preset.scope.list.iter().map(|entry| entry.value.as_str()),
        scopes.map(|entry| entry["value"].as_str().unwrap()),
    );
    // The facts list a parameter with a variable as optional.
    let parameters = &preset.parameters;
    let of_a_variable = |value: &str| value.starts_with('{');
    let fixed = parameters.authorization.iter();
    let fixed: BTreeMap<_, _> = fixed.filter(|(_, value)| !of_a_variable(value)).collect();
    compare.same(
        "the parameters of the authorization request",
        json!(fixed),
        facts["extra_auth_params"].clone(),
    );
    let variable = parameters.authorization.iter();
    compare.same_set(
        "optional parameters",
        variable
            .filter(|(_, value)| of_a_variable(value))
            .chain(&parameters.optional)
            .map(|(name, _)| name.as_str()),
        keys(&facts["optional_auth_params"]),
    );
    for (name, known) in facts["device_flow"]["response_map"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if preset.offers(FlowKind::DeviceCode) {
            let read = preset.device.answer.get(name).unwrap_or(name);
            let known: Vec<&str> = strings(known).collect();
            compare.holds(
                "the device answer",
                &format!("{known:?}"),
                &format!("{read:?}"),
            );
        }
    }
    let confidence = match preset.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    compare.same("confidence", confidence, facts["confidence"].clone());
    let mail = preset.mail.clone().unwrap_or_default();
    for (name, has) in [
        ("imap", &mail.imap),
        ("pop3", &mail.pop3),
        ("smtp", &mail.smtp),
    ] {
        let fact = facts["mail"][name].as_str();
        let server = |text: &'_ str| text.split(' ').next().unwrap_or_default().to_owned();
        match (has, fact) {
            (Some(has), Some(fact)) => compare.holds(name, fact, &server(has)),
            (None, Some(fact)) if fact.contains("(unverified)") => {}
            (has, fact) => {
                let (has, fact) = (has.as_deref().map(server), fact.map(server));
                compare.same_set(name, has.as_deref(), fact.as_deref());
            }
        }
    }
    compare.same(
        "SASL, the best first",
        json!(mail.sasl),
        match &facts["mail"]["sasl"] {
            Value::Null => json!([]),
            list => list.clone(),
        },
    );
    let device = facts["device_flow"]["token_url"].as_str();
    if preset.offers(FlowKind::DeviceCode) {
        compare.same("where to poll", preset.device.token_url.as_deref(), device);
    }
}

/// Compares the rules that are prose in the facts.
fn compare_redirect(preset: &Preset, facts: &Value, compare: &mut Comparison) {
    let Some(row) = REDIRECTS.iter().find(|row| row.id == preset.id) else {
        let text = format!("{}: no row for the rules of its redirect URL", preset.id);
        compare.wrong.push(text);
        return;
    };
    let prose = facts["redirect_rules"].as_str().unwrap_or_default();
    compare.holds("the rules for the redirect URL", prose, row.words);
    let redirect = &preset.redirect;
    let url = Url::parse(&redirect.default).unwrap();
    let begins = format!("{}://{}", url.scheme(), url.host_str().unwrap());
    compare.same("the redirect URL without its port", begins, row.begins);
    let word = |rule: Option<PortRule>| rule.map(|rule| format!("{rule:?}"));
    compare.same("the rule for the port", word(redirect.port), word(row.port));
    // If the port must match, the program must use the same port each time.
    compare.same("any port is taken", url.port() == Some(0), row.port == ANY);
    compare.same("https only", redirect.https_only, row.begins == HTTPS);
    compare.same(
        "hosts for http",
        json!(redirect.loopback_hosts),
        json!(row.hosts),
    );
}

/// Compares the requests that were received with the facts.
fn compare_record(record: &Record, facts: &Value, compare: &mut Comparison) {
    let plan = &record.plan;
    let preset = &plan.preset;
    let fact = |name: &str| plan.fill(facts[name].as_str().unwrap_or("null")).unwrap();
    let separator = facts["scope_separator"].as_str().unwrap();
    let scope = plan.scopes.join(separator);
    let without_query = |url: &Url| {
        let mut url = url.clone();
        url.set_query(None);
        url.to_string()
    };
    if let Some(url) = &record.sign_in {
        compare.same(
            "the sign-in page",
            without_query(url),
            fact("authorization_url"),
        );
        let query = query(url);
        let has = |name: &str| query.get(name).map(String::as_str);
        compare.same("response_type", has("response_type"), "code");
        compare.same("scope", has("scope").unwrap_or_default(), scope.as_str());
        let pkce = (facts["pkce_mode"] != "off").then_some("S256");
        compare.same("code_challenge_method", has("code_challenge_method"), pkce);
        let challenged = has("code_challenge").is_some();
        compare.same("there is a code_challenge", challenged, pkce.is_some());
        // A parameter that the protocol does not define must be in the facts.
        let names = &preset.parameters.names;
        let protocol = |name: &str| {
            [
                "client_id",
                "response_type",
                "redirect_uri",
                "scope",
                "state",
                "nonce",
            ]
            .contains(&name)
                || name.starts_with("code_challenge")
                || names.values().any(|other| other == name)
        };
        let optional: BTreeSet<&str> = keys(&facts["optional_auth_params"]).collect();
        let extra: BTreeMap<_, _> = query
            .iter()
            .filter(|(name, _)| !protocol(name) && !optional.contains(name.as_str()))
            .collect();
        compare.same(
            "the parameters beside the protocol's",
            json!(extra),
            facts["extra_auth_params"].clone(),
        );
    }
    let exchanged = |stage| matches!(stage, Stage::Exchange | Stage::Refresh(_));
    let named = record
        .sign_in
        .as_ref()
        .and(preset.callback.token_host.as_ref());
    for request in record.all(exchanged) {
        match named {
            // The redirect named another host of the service, which the preset knows.
            Some(_) => {
                let wanted = Url::parse(&fact("token_url")).unwrap();
                compare.same(
                    "the path of the exchange",
                    request.url.path(),
                    wanted.path(),
                );
            }
            None => compare.same(
                "the token endpoint",
                request.url.as_str(),
                fact("token_url"),
            ),
        }
        let form: BTreeSet<&str> = request.form.iter().map(|(name, _)| name.as_str()).collect();
        let used = match request.basic() {
            Some(_) => "client_secret_basic",
            None if form.contains("client_secret") => "client_secret_post",
            None => "none",
        };
        let on_purpose = ON_PURPOSE
            .iter()
            .filter(|(id, field, ..)| *id == compare.id && *field == "client authentication");
        let accepted: Vec<&str> = strings(&facts["client_auth"])
            .chain(on_purpose.map(|(_, _, value, _)| *value))
            .collect();
        if !accepted.contains(&used) {
            let name = plan.name();
            compare
                .wrong
                .push(format!("{name}: {used} is none of {accepted:?}"));
        }
    }
    for request in record.all(|stage| stage == Stage::Device) {
        compare.same(
            "the device endpoint",
            without_query(&request.url),
            fact("device_url"),
        );
    }
    for request in record.all(|stage| matches!(stage, Stage::Poll(_))) {
        let wanted = match facts["device_flow"]["token_url"].as_str() {
            Some(url) => plan.fill(url).unwrap(),
            None => fact("token_url"),
        };
        compare.same("where it polls", request.url.as_str(), wanted);
    }
    if plan.flow == FlowKind::DeviceCode {
        compare_device(record, facts, compare);
    }
}

/// Checks that the requests of a device flow have exactly the parameters of its row.
fn compare_device(record: &Record, facts: &Value, compare: &mut Comparison) {
    let plan = &record.plan;
    let known = DEVICES
        .iter()
        .find(|row| row.ids.contains(&plan.preset.id.as_str()));
    if known.is_none() && !facts["device_flow"].is_null() {
        let text = format!("{}: no row for its device flow", plan.preset.id);
        compare.wrong.push(text);
    }
    let row = known.unwrap_or(&RFC_8628);
    for words in row.words {
        // Escape the words as in the JSON text.
        let quoted = serde_json::to_string(words).unwrap();
        let prose = facts.to_string();
        compare.holds("the device flow", &prose, quoted.trim_matches('"'));
    }
    for (wanted, first) in [(row.request, true), (row.poll, false)] {
        let mut names = BTreeSet::new();
        for word in wanted.split(' ') {
            let own = match (plan.secret, plan.authentication()) {
                (true, ClientAuthentication::Basic) => "basic",
                (true, _) => "client_id client_secret",
                (false, _) => "client_id",
            };
            match word {
                "*" => names.extend(own.split(' ').map(str::to_owned)),
                "scope" | "scopes" if plan.scopes.is_empty() => {}
                "audience" if plan.fill("{audience}").is_none() => {}
                word => {
                    names.insert(word.to_owned());
                }
            }
        }
        for (stage, request) in &record.received {
            let of_this = match stage {
                Stage::Device => first,
                Stage::Poll(_) => !first,
                Stage::Exchange
                | Stage::Refresh(_)
                | Stage::ClientCredentials(_)
                | Stage::ServiceAccount(_)
                | Stage::Over => false,
            };
            if !of_this {
                continue;
            }
            let mut has = BTreeSet::new();
            if request.basic().is_some() {
                has.insert("basic".to_owned());
            }
            has.extend(
                query(&request.url)
                    .into_keys()
                    .map(|name| format!("?{name}")),
            );
            for (name, value) in &request.form {
                let fixed = format!("{name}={value}");
                let is_fixed = names.contains(&fixed);
                has.insert(if is_fixed { fixed } else { name.clone() });
            }
            compare.same("parameters of the device flow", json!(has), json!(names));
        }
    }
}

#[test]
fn presets_and_requests_match_the_recorded_facts() {
    let (presets, facts) = (presets(), facts());
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    let ids: BTreeSet<&str> = presets.iter().map(|preset| preset.id.as_str()).collect();
    for id in facts.keys().filter(|id| !ids.contains(id.as_str())) {
        wrong.push(format!("{id}: facts without a preset"));
    }
    for preset in &presets {
        let Some(facts) = facts.get(&preset.id) else {
            wrong.push(format!("{}: a preset without facts", preset.id));
            continue;
        };
        let mut compare = Comparison {
            id: &preset.id,
            wrong: Vec::new(),
            used: BTreeSet::new(),
        };
        compare_preset(preset, facts, &mut compare);
        compare_redirect(preset, facts, &mut compare);
        let records = runs().iter().filter_map(|run| run.as_ref().ok());
        for record in records.filter(|record| record.plan.preset.id == preset.id) {
            compare_record(record, facts, &mut compare);
        }
        for text in compare.wrong {
            if !wrong.contains(&text) {
                wrong.push(text);
            }
        }
        used.extend(compare.used);
    }
    for (place, (id, field, value, _)) in ON_PURPOSE.iter().enumerate() {
        if !used.contains(&place) {
            wrong.push(format!(
                "{id}: {field}: {value:?} no longer differs from the facts"
            ));
        }
    }
    for row in REDIRECTS.iter().filter(|row| !ids.contains(row.id)) {
        wrong.push(format!("{}: a row without a preset", row.id));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
