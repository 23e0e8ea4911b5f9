//! The preset format.
//!
//! A preset is a TOML file; docs/presets.md documents each field. Everything that a service does in its own way is
//! a named field here, never an `if` on its name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::mail::sasl::Mechanism;
use crate::mail::server::Protocol;
use crate::oauth::client::{ClientAuthentication, FlowKind};
use crate::oauth::dialect::{Answers, CallbackDialect, DeviceDialect};
use crate::oauth::jose::Algorithm;
use crate::oauth::tools::ToolDialects;
use crate::presets::patterns::{self, Form, Pattern};
use crate::presets::span::Span;

/// The identifier of the preset that knows nothing: every field is typed by hand.
pub const CUSTOM: &str = "custom";
/// The identifier of the preset of the embedded demo server.
pub const DEMO: &str = "demo";

/// Everything the program knows about a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Stable name in files and flags; the same as the file's name without `.toml`.
    pub id: String,
    /// The name on screen.
    pub name: String,
    /// Where it is in the list.
    pub group: Group,
    /// Other words a user may type to find it.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// How well the facts are founded.
    #[serde(default)]
    pub confidence: Confidence,
    /// Why the confidence is not high.
    pub confidence_note: Option<String>,
    /// Where to get a client ID.
    pub register_at: Option<String>,
    /// A page where the user can revoke access by hand.
    pub revoke_at: Option<String>,
    /// What to know about the client ID, in a sentence or two.
    pub client_id_help: Option<String>,
    /// A client ID to begin with. Only the demo has one.
    #[serde(default)]
    pub client_id: String,
    /// The embedded demo server must run before the endpoints of this preset exist.
    #[serde(default)]
    pub embedded_server: bool,
    /// The message to the user above the tokens of this service.
    pub token_notice: Option<String>,
    /// The sets of explanations that its errors are looked up in, the most fitting first.
    #[serde(default)]
    pub errors: Vec<String>,
    /// The service's addresses.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// Its metadata.
    #[serde(default)]
    pub discovery: Discovery,
    /// What is in braces in the endpoints.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// Which flows there are and which to prefer.
    #[serde(default)]
    pub flows: Flows,
    /// What its flows require of the settings.
    #[serde(default)]
    pub requirements: Vec<Requirement>,
    /// Secret, authentication, PKCE.
    #[serde(default)]
    pub client: Client,
    /// Rules for the redirect URL.
    #[serde(default)]
    pub redirect: Redirect,
    /// Scopes and their rules.
    #[serde(default)]
    pub scope: Scope,
    /// Extra parameters.
    #[serde(default)]
    pub parameters: Parameters,
    /// How this service's device flow differs from RFC 8628.
    #[serde(default)]
    pub device: DeviceDialect,
    /// How its answers differ from RFC 6749.
    #[serde(default)]
    pub answers: Answers,
    /// What the browser returns with in addition to the code.
    #[serde(default)]
    pub callback: CallbackDialect,
    /// How its endpoints for revocation, introspection and user info differ from their RFCs.
    #[serde(default)]
    pub tools: ToolDialects,
    /// What its tokens are like.
    #[serde(default)]
    pub tokens: TokenFacts,
    /// The forms of its client IDs, secrets and variables, without those of its sets.
    #[serde(default)]
    pub patterns: Vec<Pattern>,
    /// Sets of patterns that several presets share.
    #[serde(default)]
    pub pattern_sets: Vec<String>,
    #[serde(skip)]
    shared_patterns: OnceLock<Vec<Pattern>>,
    /// Mail servers that take its tokens.
    pub mail: Option<Mail>,
    /// What an administrator should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was not verified; never told to the user as a fact.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Related setups that this preset also covers or leaves out.
    #[serde(default)]
    pub variants: Vec<String>,
    /// Where the facts are from.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// A heading of the preset list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// Custom settings and the demo.
    General,
    /// Mail services.
    Mail,
    /// Identity providers.
    Identity,
    /// Code hosting and APIs.
    Developer,
    /// Business applications.
    Business,
    /// Social networks and media.
    Social,
}

impl Group {
    /// The name in lists; empty for those listed before the groups.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::General => "",
            Self::Mail => "mail",
            Self::Identity => "identity",
            Self::Developer => "developer",
            Self::Business => "business",
            Self::Social => "social",
        }
    }
}

/// How well a preset's facts are founded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// The provider's documentation, or two independent code bases.
    #[default]
    High,
    /// One source.
    Medium,
    /// Better ask the service's discovery document.
    Low,
}

/// A service's addresses; each may hold `{variables}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// RFC 6749, section 3.1.
    pub authorization: Option<String>,
    /// RFC 8628, section 3.1.
    pub device: Option<String>,
    /// RFC 6749, section 3.2.
    pub token: Option<String>,
    /// RFC 7009.
    pub revocation: Option<String>,
    /// RFC 7662.
    pub introspection: Option<String>,
    /// OpenID Connect Core, section 5.3, or the service's own "who am I".
    pub userinfo: Option<String>,
    /// RFC 8414, section 2.
    pub issuer: Option<String>,
    /// Remarks, by endpoint.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

/// The metadata of a service (RFC 8414).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// What it may name as issuer in place of the issuer, literally.
    #[serde(default)]
    pub issuers: Vec<String>,
}

/// A placeholder of the endpoints, requested in the form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The name between the braces.
    pub name: String,
    /// The name on screen.
    pub label: String,
    /// What it is before the user changes it.
    #[serde(default)]
    pub default: String,
    /// The usual values; others may be typed.
    #[serde(default)]
    pub choices: Vec<String>,
    /// One sentence on what belongs here.
    pub help: Option<String>,
    /// It may stay empty; parameters that hold it are then left out.
    #[serde(default)]
    pub optional: bool,
}

/// Which flows a service offers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// The flows, in the order of the form. Empty in a file: those that it has endpoints for.
    #[serde(default)]
    pub offered: Vec<FlowKind>,
    /// The one chosen to begin with; without it the first that is offered.
    pub preferred: Option<FlowKind>,
    /// The one to begin with where no browser can be opened on the machine; without it the device code flow where that is
    /// offered, which works from any browser.
    pub without_browser: Option<FlowKind>,
    /// Why the preferred one, in a sentence.
    pub why: Option<String>,
}

impl Flows {
    /// Fills in what the file leaves open.
    fn complete(&mut self, endpoints: &Endpoints) {
        if !self.offered.is_empty() {
            return;
        }
        let none = endpoints.device.is_none() && endpoints.authorization.is_none();
        self.offered = [
            (FlowKind::DeviceCode, endpoints.device.is_some()),
            (
                FlowKind::AuthorizationCode,
                endpoints.authorization.is_some(),
            ),
        ]
        .into_iter()
        .filter_map(|(flow, there)| (there || none).then_some(flow))
        .collect();
    }
}

/// What a service requires of a field in one of its flows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Requirement {
    /// The flow.
    pub flow: FlowKind,
    /// `scope`, `client_authentication`, the name of a variable, or `parameters.` with the name of an extra parameter.
    pub field: String,
    /// What its value must be like.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// The service may accept another value, so the run isn't stopped.
    #[serde(default)]
    pub warning: bool,
    /// Why, and what to do, in a sentence or two.
    pub reason: String,
    /// Where that is documented.
    pub source: String,
}

/// The field of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required<'a> {
    /// The variable at this position.
    Variable(usize),
    /// The scopes, separated by spaces.
    Scope,
    /// The client authentication, as its flag names it.
    ClientAuthentication,
    /// An extra parameter, with the position of the variable that it is filled with.
    Parameter {
        /// Its name.
        name: &'a str,
        /// The variable.
        variable: Option<usize>,
    },
}

impl Requirement {
    /// The field that it is about; `None` if the preset has no such field.
    #[must_use]
    pub fn required(&self, preset: &Preset) -> Option<Required<'_>> {
        let place = |name: &str| {
            let mut variables = preset.variables.iter();
            variables.position(|variable| variable.name == name)
        };
        match self.field.as_str() {
            "scope" => Some(Required::Scope),
            "client_authentication" => Some(Required::ClientAuthentication),
            field => match field.strip_prefix("parameters.") {
                Some(name) => {
                    let filled = preset.parameters.of_flow(self.flow)?.get(name);
                    let variable = filled
                        .and_then(|text| text.strip_prefix('{')?.strip_suffix('}'))
                        .and_then(place);
                    Some(Required::Parameter { name, variable })
                }
                None => place(field).map(Required::Variable),
            },
        }
    }
}

/// What the service requires of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Whether a client secret is needed.
    pub secret: SecretRule,
    /// When it is needed, in a sentence.
    pub secret_note: Option<String>,
    /// Where to get the key file of a service account, in a sentence.
    pub service_account_help: Option<String>,
    /// The longest time that a secret is valid.
    pub secret_max: Option<Span>,
    /// What the service accepts, the best first.
    pub authentication: Vec<ClientAuthentication>,
    /// Methods that the service supports and this program does not.
    #[serde(default)]
    pub other_authentication: Vec<String>,
    /// The JWTs that a client authenticates with.
    pub assertion: Assertion,
    /// A client without a secret sends the Basic header all the same.
    #[serde(default)]
    pub empty_secret: bool,
    /// RFC 7636 at this service.
    pub pkce: PkceMode,
    /// More about PKCE there.
    pub pkce_note: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            secret: SecretRule::Optional,
            secret_note: None,
            service_account_help: None,
            secret_max: None,
            authentication: vec![
                ClientAuthentication::Basic,
                ClientAuthentication::Post,
                ClientAuthentication::None,
            ],
            other_authentication: Vec::new(),
            assertion: Assertion::default(),
            empty_secret: false,
            pkce: PkceMode::Supported,
            pkce_note: None,
        }
    }
}

/// What the service requires of the JWTs that a client authenticates with (RFC 7523, section 2.2).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assertion {
    /// The signature algorithm; without it, the usual one for the key.
    #[serde(deserialize_with = "algorithm")]
    pub algorithm: Option<Algorithm>,
    /// Their audience; without it, the issuer if there is one.
    pub audience: Option<AssertionAudience>,
    /// The header has the thumbprint of the certificate (`x5t#S256`).
    pub thumbprint: bool,
}

/// The audience of an assertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssertionAudience {
    /// The issuer.
    Issuer,
    /// The token URL.
    TokenUrl,
}

fn algorithm<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Algorithm>, D::Error> {
    let name = String::deserialize(from)?;
    let known = Algorithm::of(&name);
    known.map(Some).ok_or_else(|| {
        let all = Algorithm::ALL.map(Algorithm::name).join(", ");
        serde::de::Error::custom(format!("unknown algorithm {name}, expected one of {all}"))
    })
}

/// Whether a service requires a client secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SecretRule {
    /// Never works without.
    Required,
    /// Depends on how the client was registered.
    Optional,
    /// The authorization code flow needs one, the device flow does not.
    RequiredForAuthorizationCode,
    /// Sending one is an error.
    None,
}

/// PKCE at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PkceMode {
    /// Refused without.
    Required,
    /// The service uses it.
    Supported,
    /// Nothing is known; sent, because it is ignored where unknown.
    Undocumented,
    /// Breaks the sign-in; not sent.
    Off,
}

/// Rules for the redirect URL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// What the field holds to begin with.
    #[serde(default)]
    pub default: String,
    /// Whether the port of a loopback redirect URL is compared; `None`: not known.
    pub port: Option<PortRule>,
    /// The hosts that the service accepts for http; empty where it does not care.
    #[serde(default)]
    pub loopback_hosts: Vec<String>,
    /// Only https is accepted.
    #[serde(default)]
    pub https_only: bool,
    /// The rule in words.
    pub note: Option<String>,
}

/// The port of a loopback redirect URL (RFC 8252, section 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortRule {
    /// Not compared: any free port is fine.
    Any,
    /// Compared with the registered one.
    Registered,
}

/// How a space is written in the authorization URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// As `+`, which forms do.
    #[default]
    Plus,
    /// As `%20`.
    Percent,
}

/// Scopes of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What is between scopes on the wire; a space but for some services.
    #[serde(default = "space")]
    pub separator: String,
    /// How a space is written in the authorization URL.
    #[serde(default)]
    pub space: Space,
    /// What the field holds to begin with.
    #[serde(default)]
    pub default: Vec<String>,
    /// The same with the client credentials flow, where that differs.
    pub client_credentials: Option<Vec<String>>,
    /// The same with the key of a service account, where that differs.
    pub service_account: Option<Vec<String>>,
    /// The only scopes that the device flow accepts; empty: all.
    #[serde(default)]
    pub device_allowed: Vec<String>,
    /// The device flow's limits in words.
    pub device_note: Option<String>,
    /// All scopes that are URLs must have the same host.
    #[serde(default)]
    pub one_resource: bool,
    /// The resource of scopes that are no URLs.
    pub default_resource: Option<String>,
    /// Lists of hosts that are one resource.
    #[serde(default)]
    pub same_resource: Vec<Vec<String>>,
    /// Lists of names of one scope.
    #[serde(default)]
    pub same: Vec<Vec<String>>,
    /// Scopes that belong to no resource.
    #[serde(default)]
    pub resource_free: Vec<String>,
    /// The scopes offered in the list.
    #[serde(default)]
    pub list: Vec<ScopeEntry>,
}

fn space() -> String {
    " ".to_owned()
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            separator: space(),
            space: Space::Plus,
            default: Vec::new(),
            client_credentials: None,
            service_account: None,
            device_allowed: Vec::new(),
            device_note: None,
            one_resource: false,
            default_resource: None,
            same_resource: Vec::new(),
            same: Vec::new(),
            resource_free: Vec::new(),
            list: Vec::new(),
        }
    }
}

impl Scope {
    /// What the field holds to begin with in this flow.
    #[must_use]
    pub fn of_flow(&self, flow: FlowKind) -> &[String] {
        let own = match flow {
            FlowKind::ClientCredentials => self.client_credentials.as_ref(),
            FlowKind::JwtBearer => self.service_account.as_ref(),
            FlowKind::DeviceCode | FlowKind::AuthorizationCode => None,
        };
        own.unwrap_or(&self.default)
    }
}

/// A scope and what it is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// As sent.
    pub value: String,
    /// In the user's words.
    pub purpose: String,
}

/// Extra parameters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Sent with the authorization request to begin with.
    #[serde(default)]
    pub authorization: BTreeMap<String, String>,
    /// Sent with the device request.
    #[serde(default)]
    pub device: BTreeMap<String, String>,
    /// Sent with the client credentials request.
    #[serde(default)]
    pub client_credentials: BTreeMap<String, String>,
    /// Sent with each request for tokens: the exchange, the poll, the refresh and the client credentials request.
    #[serde(default)]
    pub token: BTreeMap<String, String>,
    /// Sent with the refresh.
    #[serde(default)]
    pub refresh: BTreeMap<String, String>,
    /// Other names of the protocol's parameters.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Known and optional: name and meaning.
    #[serde(default)]
    pub optional: BTreeMap<String, String>,
}

impl Parameters {
    /// What is sent with the first request of a flow; `None` for a flow that has no such parameters.
    #[must_use]
    pub fn of_flow(&self, flow: FlowKind) -> Option<&BTreeMap<String, String>> {
        match flow {
            FlowKind::AuthorizationCode => Some(&self.authorization),
            FlowKind::DeviceCode => Some(&self.device),
            FlowKind::ClientCredentials => Some(&self.client_credentials),
            FlowKind::JwtBearer => None,
        }
    }
}

/// What a service's tokens are like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// How long they live.
    pub lifetime: Option<String>,
    /// What a refresh does to the refresh token.
    pub rotation: Option<String>,
    /// A refresh token expires if it isn't used for this long.
    pub refresh_idle: Option<Span>,
    /// It expires this long after the sign-in, however often it is used.
    pub refresh_max: Option<Span>,
    /// The same while the app is in the testing mode of the service.
    pub testing_refresh_max: Option<Span>,
    /// Whether a refresh invalidates the refresh token that was sent.
    pub rotates: Option<Rotates>,
    /// It is still accepted for this long after that.
    pub reuse_leeway: Option<Span>,
    /// The word before the token in an `Authorization` header.
    pub header: Option<String>,
    /// The scopes of which one must be requested to get a refresh token.
    #[serde(default)]
    pub refresh_scope: Vec<String>,
    /// The parameters of the authorization request that a refresh token depends on.
    #[serde(default)]
    pub refresh_parameters: BTreeMap<String, String>,
    /// Why no refresh token comes, or on what it depends.
    pub refresh_note: Option<String>,
    /// The service never gives one.
    #[serde(default)]
    pub no_refresh: bool,
    /// What an ID token names as issuer, where it is not the issuer of the endpoints; `{claim}` stands for
    /// a claim of that token.
    #[serde(default)]
    pub id_token_issuers: Vec<String>,
    /// The algorithm that clients are registered with for ID tokens, such as `HS256` or `none`
    /// (`id_token_signed_response_alg`). Without it, all that the metadata lists are right, but not `none`.
    pub id_token_algorithm: Option<String>,
    /// What access tokens for known audiences are for.
    #[serde(default)]
    pub audiences: Vec<Audience>,
}

/// What an access token for an audience is for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// The claim `aud`, without a slash at its end.
    pub values: Vec<String>,
    /// The API that accepts it.
    pub is_for: String,
    /// What rejects it, as a sentence.
    pub not_for: Option<String>,
    /// Whether the service's mail servers accept it; `None` if that is unknown.
    pub mail: Option<bool>,
}

impl Audience {
    /// True if `aud` is one of its values.
    #[must_use]
    pub fn is(&self, aud: &str) -> bool {
        let aud = aud.trim_end_matches('/');
        self.values
            .iter()
            .any(|value| value.eq_ignore_ascii_case(aud))
    }
}

/// Whether a refresh invalidates the refresh token that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rotates {
    /// Each time.
    Always,
    /// Depends on the settings of the app or the server.
    Sometimes,
    /// The old one stays valid, even if a new one is issued.
    Never,
}

/// Mail servers, as `host:port TLS`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// IMAP server.
    pub imap: Option<String>,
    /// POP3 server.
    pub pop3: Option<String>,
    /// SMTP server.
    pub smtp: Option<String>,
    /// SASL mechanisms, the best first.
    #[serde(default)]
    pub sasl: Vec<String>,
    /// The domains of the email addresses there.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Further remarks.
    pub note: Option<String>,
}

impl Mail {
    /// The server of a protocol, as `host:port TLS`.
    #[must_use]
    pub fn server(&self, protocol: Protocol) -> Option<&str> {
        match protocol {
            Protocol::Imap => self.imap.as_deref(),
            Protocol::Pop3 => self.pop3.as_deref(),
            Protocol::Smtp => self.smtp.as_deref(),
        }
    }
}

impl Preset {
    /// The mechanisms of its mail servers, the best first.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<Mechanism> {
        let names = self.mail.iter().flat_map(|mail| &mail.sasl);
        names
            .filter_map(|name| Mechanism::from_name(name))
            .collect()
    }

    /// Reads a preset. [`super::check`] has what a file of a user is asked beyond that.
    ///
    /// # Errors
    /// If the text is not TOML, or not in this format.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut preset: Self = toml::from_str(text)?;
        preset.flows.complete(&preset.endpoints);
        Ok(preset)
    }

    /// Its patterns, then those of its sets, which are parsed when a value is first compared.
    pub fn all_patterns(&self) -> impl Iterator<Item = &Pattern> {
        let shared = self.shared_patterns.get_or_init(|| {
            let sets = self.pattern_sets.iter();
            sets.filter_map(|name| patterns::set(name))
                .flatten()
                .filter(|pattern| self.has_field(&pattern.field))
                .collect()
        });
        self.patterns.iter().chain(shared)
    }

    /// True for a field that patterns can be about.
    pub(super) fn has_field(&self, field: &str) -> bool {
        let mut variables = self.variables.iter();
        [Pattern::CLIENT_ID, Pattern::CLIENT_SECRET].contains(&field)
            || variables.any(|variable| variable.name == field)
    }

    /// All its addresses by their place in the file, with their placeholders.
    pub fn addresses(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let endpoints = &self.endpoints;
        [
            ("endpoints.authorization", &endpoints.authorization),
            ("endpoints.device", &endpoints.device),
            ("endpoints.token", &endpoints.token),
            ("endpoints.revocation", &endpoints.revocation),
            ("endpoints.introspection", &endpoints.introspection),
            ("endpoints.userinfo", &endpoints.userinfo),
            ("endpoints.issuer", &endpoints.issuer),
            ("device.token_url", &self.device.token_url),
        ]
        .into_iter()
        .filter_map(|(path, url)| Some((path, url.as_deref()?)))
    }

    /// True for "Custom settings".
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.id == CUSTOM
    }

    /// The flow to begin with.
    #[must_use]
    pub fn preferred(&self) -> FlowKind {
        let first = self.flows.offered.first().copied();
        self.flows
            .preferred
            .or(first)
            .unwrap_or(FlowKind::DeviceCode)
    }

    /// The flow to begin with where no browser can be opened on the machine.
    #[must_use]
    pub fn preferred_without_browser(&self) -> FlowKind {
        match self.flows.without_browser {
            Some(flow) => flow,
            None if self.offers(FlowKind::DeviceCode) => FlowKind::DeviceCode,
            None => self.preferred(),
        }
    }

    /// True if `flow` can be chosen.
    #[must_use]
    pub fn offers(&self, flow: FlowKind) -> bool {
        self.flows.offered.contains(&flow)
    }

    /// True if `address` is an email address of one of this service's domains.
    #[must_use]
    pub fn has_mailbox(&self, address: &str) -> bool {
        let Some(domain) = mail_domain(address) else {
            return false;
        };
        let mut domains = self.mail.iter().flat_map(|mail| &mail.domains);
        domains.any(|known| {
            domain == *known
                || domain
                    .strip_suffix(known)
                    .is_some_and(|rest| rest.ends_with('.'))
        })
    }

    /// True if `filter` is found in the name, the identifier or a keyword, however written.
    #[must_use]
    pub fn matches(&self, filter: &str) -> bool {
        let filter = filter.trim().to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&filter);
        found(&self.name) || found(&self.id) || self.keywords.iter().any(|word| found(word))
    }
}

/// The part of an email address after `@`, in lowercase; `None` for anything else.
#[must_use]
pub fn mail_domain(address: &str) -> Option<String> {
    let (person, domain) = address.trim().rsplit_once('@')?;
    let is_domain = |ch: char| ch.is_alphanumeric() || ch == '.' || ch == '-';
    // A URL with a user name and a password is no address of a mailbox.
    let is_person = |ch: char| !ch.is_whitespace() && !"@/:\\".contains(ch);
    let fits = !person.is_empty()
        && person.chars().all(is_person)
        && domain.contains('.')
        && domain.chars().all(is_domain);
    fits.then(|| domain.to_ascii_lowercase())
}
