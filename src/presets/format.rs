//! The preset format.
//!
//! A preset is a TOML file; docs/presets.md documents each field. Every peculiarity of a service is a named field here,
//! never an `if` on the name of the service.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use crate::mail::sasl::Mechanism;
use crate::mail::server::Protocol;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::dialect::{Answers, CallbackDialect, DeviceDialect};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::jose::Algorithm;
use crate::oauth::tools::ToolDialects;
use crate::presets::patterns::{self, Form, Pattern};
use crate::presets::span::Span;

/// The identifier of the empty preset: the user enters every field.
pub const CUSTOM: &str = "custom";
/// The identifier of the preset of the embedded demo server.
pub const DEMO: &str = "demo";

/// Everything the program knows about a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The stable name in files and flags. Equals the file name without `.toml`.
    pub id: String,
    /// The name on screen.
    pub name: String,
    /// The group in the preset list.
    pub group: Group,
    /// Other words that users may type to find the service.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// How well the facts are verified.
    #[serde(default)]
    pub confidence: Confidence,
    /// Why the confidence is not high.
    pub confidence_note: Option<String>,
    /// Where to get a client ID.
    pub register_at: Option<String>,
    /// A page where the user can revoke access by hand.
    pub revoke_at: Option<String>,
    /// Help about the client ID, in a sentence or two.
    pub client_id_help: Option<String>,
    /// The initial client ID. Only the demo has one.
    #[serde(default)]
    pub client_id: String,
    /// Whether the embedded demo server must run before the endpoints of this preset exist.
    #[serde(default)]
    pub embedded_server: bool,
    /// The message above the tokens of this service.
    pub token_notice: Option<String>,
    /// The sets of explanations for its errors, the most specific first.
    #[serde(default)]
    pub errors: Vec<String>,
    /// The endpoints of the service.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// The service's metadata.
    #[serde(default)]
    pub discovery: Discovery,
    /// The placeholders in the endpoints.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// The flows that the service offers, and which to prefer.
    #[serde(default)]
    pub flows: Flows,
    /// What the service's flows require of the settings.
    #[serde(default)]
    pub requirements: Vec<Requirement>,
    /// Client secret, client authentication and PKCE.
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
    /// How its responses differ from RFC 6749.
    #[serde(default)]
    pub answers: Answers,
    /// What the redirect contains in addition to the code.
    #[serde(default)]
    pub callback: CallbackDialect,
    /// How its endpoints for revocation, introspection and user info differ from their RFCs.
    #[serde(default)]
    pub tools: ToolDialects,
    /// Facts about its tokens.
    #[serde(default)]
    pub tokens: TokenFacts,
    /// The patterns of its client IDs, secrets and variables, except for those of its sets.
    #[serde(default)]
    pub patterns: Vec<Pattern>,
    /// The sets of patterns that it shares with other presets.
    #[serde(default)]
    pub pattern_sets: Vec<String>,
    #[serde(skip)]
    shared_patterns: SharedPatterns,
    /// The mail servers that accept its tokens.
    pub mail: Option<Mail>,
    /// Notes for administrators.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was not verified. Never shown as a fact.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Related setups that this preset also covers or leaves out.
    #[serde(default)]
    pub variants: Vec<String>,
    /// The sources of the facts.
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
    /// Returns the name in lists; empty for the presets before the first heading.
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

/// How well a preset's facts are verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// Verified with the provider's documentation, or two independent code bases.
    #[default]
    High,
    /// Verified with one source.
    Medium,
    /// Not verified. The service's metadata should be preferred.
    Low,
}

/// A service's endpoints. Each may contain `{variables}`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoints {
    /// The authorization endpoint (RFC 6749, section 3.1).
    pub authorization: Option<String>,
    /// The device authorization endpoint (RFC 8628, section 3.1).
    pub device: Option<String>,
    /// The token endpoint (RFC 6749, section 3.2).
    pub token: Option<String>,
    /// The revocation endpoint (RFC 7009).
    pub revocation: Option<String>,
    /// The introspection endpoint (RFC 7662).
    pub introspection: Option<String>,
    /// The userinfo endpoint (OpenID Connect Core, section 5.3), or the service's own equivalent.
    pub userinfo: Option<String>,
    /// The issuer identifier (RFC 8414, section 2).
    pub issuer: Option<String>,
    /// Remarks, by endpoint.
    #[serde(default)]
    pub notes: BTreeMap<String, String>,
}

/// The metadata of a service (RFC 8414).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Discovery {
    /// Other issuers that its metadata may contain, literally.
    #[serde(default)]
    pub issuers: Vec<String>,
}

/// A placeholder in the endpoints. The form has a field for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The name between the braces.
    pub name: String,
    /// The name on screen.
    pub label: String,
    /// The initial value.
    #[serde(default)]
    pub default: String,
    /// The usual values. Users may enter others.
    #[serde(default)]
    pub choices: Vec<String>,
    /// Help about the value, in one sentence.
    pub help: Option<String>,
    /// Whether it may stay empty. Parameters that contain it are then left out.
    #[serde(default)]
    pub optional: bool,
}

/// The flows that a service offers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// The flows, in the order of the form. If empty in a file, those for which it has endpoints.
    #[serde(default)]
    pub offered: Vec<FlowKind>,
    /// The initial flow. If `None`, the first that is offered.
    pub preferred: Option<FlowKind>,
    /// The initial flow if no browser can be opened on this machine. If `None`, device code if it is offered, because
    /// it works with a browser anywhere.
    pub without_browser: Option<FlowKind>,
    /// Why this flow is preferred, in a sentence.
    pub why: Option<String>,
}

impl Flows {
    /// Fills in what the file leaves out.
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
    /// The flow to which the requirement applies.
    pub flow: FlowKind,
    /// `scope`, `client_authentication`, the name of a variable, or `parameters.` with the name of an extra parameter.
    pub field: String,
    /// The form that the value must have.
    pub form: Form,
    /// A value of that form.
    pub example: String,
    /// Whether to only warn, because the service may accept other values.
    #[serde(default)]
    pub warning: bool,
    /// Why the value is required and how to fix it, in a sentence or two.
    pub reason: String,
    /// Where the requirement is documented.
    pub source: String,
}

/// The field of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Required<'a> {
    /// The variable at this position.
    Variable(usize),
    /// The scopes, separated by spaces.
    Scope,
    /// The client authentication method, by its name in flags.
    ClientAuthentication,
    /// An extra parameter, with the position of the variable that supplies its value.
    Parameter {
        /// The name of the parameter.
        name: &'a str,
        /// The position of the variable.
        variable: Option<usize>,
    },
}

impl Requirement {
    /// Returns the field of the requirement; `None` if the preset has no such field.
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

/// What the service requires of an OAuth client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Client {
    /// Whether a client secret is needed.
    pub secret: SecretRule,
    /// When a client secret is needed, in a sentence.
    pub secret_note: Option<String>,
    /// Where to get the key file of a service account, in a sentence.
    pub service_account_help: Option<String>,
    /// The longest time for which a secret is valid.
    pub secret_max: Option<Span>,
    /// The methods that the service accepts, the best first.
    pub authentication: Vec<ClientAuthentication>,
    /// Methods that the service supports, but this program doesn't.
    #[serde(default)]
    pub other_authentication: Vec<String>,
    /// The JWT assertions that a client authenticates with.
    pub assertion: Assertion,
    /// Whether a client without a secret still sends the Basic header.
    #[serde(default)]
    pub empty_secret: bool,
    /// Whether the service supports PKCE (RFC 7636).
    pub pkce: PkceMode,
    /// More about PKCE at this service.
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

/// What the service requires of the JWT assertions that a client authenticates with (RFC 7523, section 2.2).
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Assertion {
    /// The signature algorithm. If `None`, the usual algorithm for the key.
    #[serde(deserialize_with = "algorithm")]
    pub algorithm: Option<Algorithm>,
    /// The audience. If `None`, the issuer if there is one, otherwise the token endpoint.
    pub audience: Option<AssertionAudience>,
    /// Whether the header contains the thumbprint of the certificate (`x5t#S256`).
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
    /// Required in every flow.
    Required,
    /// Depends on the registration of the client.
    Optional,
    /// Required for the authorization code flow, not for the device code flow.
    RequiredForAuthorizationCode,
    /// Not accepted.
    None,
}

/// Support for PKCE at a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PkceMode {
    /// Required: the service rejects a sign-in without it.
    Required,
    /// The service uses it.
    Supported,
    /// Unknown. It is sent, because services that don't support it ignore it.
    Undocumented,
    /// Breaks the sign-in, so it isn't sent.
    Off,
}

/// Rules for the redirect URL.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// The initial redirect URL.
    #[serde(default)]
    pub default: String,
    /// Whether the port of a loopback redirect URL is compared; `None` if that is unknown.
    pub port: Option<PortRule>,
    /// The hosts that the service accepts for http; empty if it accepts any.
    #[serde(default)]
    pub loopback_hosts: Vec<String>,
    /// Whether only https is accepted.
    #[serde(default)]
    pub https_only: bool,
    /// The rule in words.
    pub note: Option<String>,
}

/// The port of a loopback redirect URL (RFC 8252, section 7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PortRule {
    /// The port is not compared: any free port can be used.
    Any,
    /// The port must be the registered port.
    Registered,
}

/// How spaces are encoded in the authorization URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Space {
    /// As `+`, like in forms.
    #[default]
    Plus,
    /// As `%20`.
    Percent,
}

/// Scopes of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// The separator between scopes in requests: a space for nearly all services.
    #[serde(default = "space")]
    pub separator: String,
    /// How spaces are encoded in the authorization URL.
    #[serde(default)]
    pub space: Space,
    /// The initial scopes.
    #[serde(default)]
    pub default: Vec<String>,
    /// The initial scopes with the client credentials flow, if they are different.
    pub client_credentials: Option<Vec<String>>,
    /// The initial scopes with the key of a service account, if they are different.
    pub service_account: Option<Vec<String>>,
    /// The only scopes that the service accepts with device code; empty if it accepts all.
    #[serde(default)]
    pub device_allowed: Vec<String>,
    /// The limits of device code, in words.
    pub device_note: Option<String>,
    /// Whether all scopes that are URLs must have the same host.
    #[serde(default)]
    pub one_resource: bool,
    /// The resource of scopes that are not URLs.
    pub default_resource: Option<String>,
    /// Lists of hosts that are the same resource.
    #[serde(default)]
    pub same_resource: Vec<Vec<String>>,
    /// Lists of names for the same scope.
    #[serde(default)]
    pub same: Vec<Vec<String>>,
    /// Scopes that can be combined with any resource.
    #[serde(default)]
    pub resource_free: Vec<String>,
    /// The scopes that the user can choose from.
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
    /// Returns the initial scopes for this flow.
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

/// A scope and its purpose.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// The scope, as sent.
    pub value: String,
    /// The purpose, in the user's words.
    pub purpose: String,
}

/// Extra parameters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The parameters of the authorization request, which the user can change.
    #[serde(default)]
    pub authorization: BTreeMap<String, String>,
    /// The parameters of the device authorization request.
    #[serde(default)]
    pub device: BTreeMap<String, String>,
    /// The parameters of the client credentials request.
    #[serde(default)]
    pub client_credentials: BTreeMap<String, String>,
    /// The parameters of each token request: the exchange, the poll, the refresh and the client credentials request.
    #[serde(default)]
    pub token: BTreeMap<String, String>,
    /// The parameters of the refresh request.
    #[serde(default)]
    pub refresh: BTreeMap<String, String>,
    /// Other names for parameters of the protocol.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Optional parameters, by name, with their meaning.
    #[serde(default)]
    pub optional: BTreeMap<String, String>,
}

impl Parameters {
    /// Returns the parameters of the first request of a flow; `None` for a flow without such parameters.
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

/// Facts about a service's tokens.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// The lifetime of the tokens.
    pub lifetime: Option<String>,
    /// How a refresh changes the refresh token.
    pub rotation: Option<String>,
    /// How long a refresh token can stay unused before it expires.
    pub refresh_idle: Option<Span>,
    /// How long after the sign-in a refresh token expires, even if it is used.
    pub refresh_max: Option<Span>,
    /// The same limit while the app is in the testing mode of the service.
    pub testing_refresh_max: Option<Span>,
    /// Whether a refresh invalidates the refresh token that was sent.
    pub rotates: Option<Rotates>,
    /// How long the service still accepts the previous refresh token after that.
    pub reuse_leeway: Option<Span>,
    /// The authentication scheme before the token in an `Authorization` header.
    pub header: Option<String>,
    /// Scopes of which at least one must be requested to get a refresh token.
    #[serde(default)]
    pub refresh_scope: Vec<String>,
    /// Parameters of the authorization request that are required for a refresh token.
    #[serde(default)]
    pub refresh_parameters: BTreeMap<String, String>,
    /// Why there is no refresh token, or what it depends on.
    pub refresh_note: Option<String>,
    /// Whether the service never issues refresh tokens.
    #[serde(default)]
    pub no_refresh: bool,
    /// The issuers in ID tokens, if they differ from the issuer of the endpoints. `{claim}` is replaced with a claim of
    /// the ID token.
    #[serde(default)]
    pub id_token_issuers: Vec<String>,
    /// The algorithm with which clients are registered for ID tokens, such as `HS256` or `none`
    /// (`id_token_signed_response_alg`). If `None`, every algorithm in the metadata is accepted, except `none`.
    pub id_token_algorithm: Option<String>,
    /// The purposes of access tokens, by audience.
    #[serde(default)]
    pub audiences: Vec<Audience>,
}

/// The purpose of access tokens with an audience.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Audience {
    /// Values of the `aud` claim, without a slash at the end.
    pub values: Vec<String>,
    /// The API that accepts the token.
    pub is_for: String,
    /// The API that rejects the token, as a sentence.
    pub not_for: Option<String>,
    /// Whether the service's mail servers accept the token; `None` if that is unknown.
    pub mail: Option<bool>,
}

impl Audience {
    /// Returns whether `aud` is one of these values.
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
    /// Each refresh does.
    Always,
    /// It depends on the settings of the app or the server.
    Sometimes,
    /// The previous token stays valid, even if a new one is issued.
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
    /// The SASL mechanisms, the best first.
    #[serde(default)]
    pub sasl: Vec<String>,
    /// The domains of the service's email addresses.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Further remarks.
    pub note: Option<String>,
}

impl Mail {
    /// Returns the server for a protocol, as `host:port TLS`.
    #[must_use]
    pub fn server(&self, protocol: Protocol) -> Option<&str> {
        match protocol {
            Protocol::Imap => self.imap.as_deref(),
            Protocol::Pop3 => self.pop3.as_deref(),
            Protocol::Smtp => self.smtp.as_deref(),
        }
    }
}

/// The patterns of a preset's sets, parsed when they are first needed.
#[derive(Clone, Default)]
struct SharedPatterns(OnceLock<Vec<Pattern>>);

impl std::fmt::Debug for SharedPatterns {
    /// Writes the same whether or not the patterns are parsed yet, because the screens share their presets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedPatterns")
    }
}

impl Preset {
    /// Returns the SASL mechanisms of its mail servers, the best first.
    #[must_use]
    pub fn mechanisms(&self) -> Vec<Mechanism> {
        let names = self.mail.iter().flat_map(|mail| &mail.sasl);
        names
            .filter_map(|name| Mechanism::from_name(name))
            .collect()
    }

    /// Parses a preset. [`super::check`] has further checks for files of users.
    ///
    /// # Errors
    /// Returns an error if the text is not TOML, or not in this format.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let mut preset: Self = toml::from_str(text)?;
        preset.flows.complete(&preset.endpoints);
        Ok(preset)
    }

    /// Returns its own patterns, then those of its sets. The sets are parsed when they are first needed.
    pub fn all_patterns(&self) -> impl Iterator<Item = &Pattern> {
        let shared = self.shared_patterns.0.get_or_init(|| {
            let sets = self.pattern_sets.iter();
            sets.filter_map(|name| patterns::set(name))
                .flatten()
                .filter(|pattern| self.has_field(&pattern.field))
                .collect()
        });
        self.patterns.iter().chain(shared)
    }

    /// Returns whether patterns can apply to the field.
    pub(super) fn has_field(&self, field: &str) -> bool {
        let mut variables = self.variables.iter();
        [Pattern::CLIENT_ID, Pattern::CLIENT_SECRET].contains(&field)
            || variables.any(|variable| variable.name == field)
    }

    /// Returns all its URLs with their keys in the file. The URLs still contain placeholders.
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

    /// Returns whether this is "Custom settings".
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.id == CUSTOM
    }

    /// Returns the initial flow.
    #[must_use]
    pub fn preferred(&self) -> FlowKind {
        let first = self.flows.offered.first().copied();
        self.flows
            .preferred
            .or(first)
            .unwrap_or(FlowKind::DeviceCode)
    }

    /// Returns the initial flow if no browser can be opened on this machine.
    #[must_use]
    pub fn preferred_without_browser(&self) -> FlowKind {
        match self.flows.without_browser {
            Some(flow) => flow,
            None if self.offers(FlowKind::DeviceCode) => FlowKind::DeviceCode,
            None => self.preferred(),
        }
    }

    /// Returns whether `flow` can be selected.
    #[must_use]
    pub fn offers(&self, flow: FlowKind) -> bool {
        self.flows.offered.contains(&flow)
    }

    /// Returns whether `address` is an email address at one of this service's domains.
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

    /// Returns whether the name, the identifier or a keyword contains `filter`, ignoring case.
    #[must_use]
    pub fn matches(&self, filter: &str) -> bool {
        let filter = filter.trim().to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&filter);
        found(&self.name) || found(&self.id) || self.keywords.iter().any(|word| found(word))
    }
}

/// Returns the part of an email address after `@`, in lowercase; `None` for anything else.
#[must_use]
pub fn mail_domain(address: &str) -> Option<String> {
    let (person, domain) = address.trim().rsplit_once('@')?;
    let is_domain = |ch: char| ch.is_alphanumeric() || ch == '.' || ch == '-';
    // A URL with a user name and a password is not an email address.
    let is_person = |ch: char| !ch.is_whitespace() && !"@/:\\".contains(ch);
    let fits = !person.is_empty()
        && person.chars().all(is_person)
        && domain.contains('.')
        && domain.chars().all(is_domain);
    fits.then(|| domain.to_ascii_lowercase())
}
