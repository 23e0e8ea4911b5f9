//! The preset format, and the presets that are built in.
//!
//! A preset is a TOML file in `presets/`; docs/presets.md documents each field. Everything that a
//! service does in its own way is a named field here, never an `if` on its name.
//!
//! Only the preset in use is parsed at start-up; the others when the list is first shown.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use crate::oauth::client::{ClientAuthentication, FlowKind};

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
    /// Where it stands in the list.
    pub group: Group,
    /// Other words a person may type to find it.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// How well the facts are founded.
    #[serde(default)]
    pub confidence: Confidence,
    /// Why the confidence is not high.
    pub confidence_note: Option<String>,
    /// Where a client ID is to be had.
    pub register_at: Option<String>,
    /// What to know about the client ID, in a sentence or two.
    pub client_id_help: Option<String>,
    /// A client ID to begin with. Only the demo has one.
    #[serde(default)]
    pub client_id: String,
    /// The embedded demo server must run before the endpoints of this preset exist.
    #[serde(default)]
    pub embedded_server: bool,
    /// What the person is told above the tokens of this service.
    pub token_notice: Option<String>,
    /// The service's addresses.
    #[serde(default)]
    pub endpoints: Endpoints,
    /// What stands in braces in the endpoints.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// Which flows there are and which to prefer.
    #[serde(default)]
    pub flows: Flows,
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
    /// What its tokens are like.
    #[serde(default)]
    pub tokens: TokenFacts,
    /// Mail servers that take its tokens.
    pub mail: Option<Mail>,
    /// What an administrator should know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What was not verified; never told to the person as a fact.
    #[serde(default)]
    pub unverified: Vec<String>,
    /// Related set-ups that this preset also covers or leaves out.
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

/// A placeholder of the endpoints, asked for in the form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The name between the braces.
    pub name: String,
    /// The name on screen.
    pub label: String,
    /// What it is before the person changes it.
    #[serde(default)]
    pub default: String,
    /// The usual values; others may be typed.
    #[serde(default)]
    pub choices: Vec<String>,
    /// One sentence on what belongs here.
    pub help: Option<String>,
}

/// Which flows a service offers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flows {
    /// The flows, in the order of the form.
    pub offered: Vec<FlowKind>,
    /// The one chosen to begin with.
    pub preferred: FlowKind,
    /// Why that one, in a sentence.
    pub why: Option<String>,
}

impl Default for Flows {
    fn default() -> Self {
        Self {
            offered: vec![FlowKind::DeviceCode, FlowKind::AuthorizationCode],
            preferred: FlowKind::DeviceCode,
            why: None,
        }
    }
}

/// What the service wants of a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Whether a client secret is needed.
    pub secret: SecretRule,
    /// When it is needed, in a sentence.
    pub secret_note: Option<String>,
    /// What the service accepts, the best first.
    pub authentication: Vec<ClientAuthentication>,
    /// Methods the service also knows and this program does not speak.
    #[serde(default)]
    pub other_authentication: Vec<String>,
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
            authentication: vec![
                ClientAuthentication::Basic,
                ClientAuthentication::Post,
                ClientAuthentication::None,
            ],
            other_authentication: Vec::new(),
            pkce: PkceMode::Supported,
            pkce_note: None,
        }
    }
}

/// Whether a service wants a client secret.
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
    /// Used.
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
    /// The port of a loopback redirect URL need not be registered.
    #[serde(default)]
    pub any_port: bool,
    /// The hosts that the service accepts for http; empty where it does not care.
    #[serde(default)]
    pub loopback_hosts: Vec<String>,
    /// Only https is accepted.
    #[serde(default)]
    pub https_only: bool,
    /// The rule in words.
    pub note: Option<String>,
}

/// Scopes of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// What stands between scopes on the wire; a space but for some services.
    #[serde(default = "space")]
    pub separator: String,
    /// What the field holds to begin with.
    #[serde(default)]
    pub default: Vec<String>,
    /// The only scopes that the device flow accepts; empty: all.
    #[serde(default)]
    pub device_allowed: Vec<String>,
    /// The device flow's limits in words.
    pub device_note: Option<String>,
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
            default: Vec::new(),
            device_allowed: Vec::new(),
            device_note: None,
            list: Vec::new(),
        }
    }
}

/// A scope and what it is for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeEntry {
    /// As sent.
    pub value: String,
    /// In the person's words.
    pub purpose: String,
}

/// Extra parameters.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// Sent with the authorization request to begin with.
    #[serde(default)]
    pub authorization: BTreeMap<String, String>,
    /// Known and optional: name and meaning.
    #[serde(default)]
    pub optional: BTreeMap<String, String>,
}

/// How a device flow differs from RFC 8628. Recorded for every service; the fields that change what
/// is sent have the names of the parameters they change.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceDialect {
    /// What the device request carries, in words.
    pub request: Option<String>,
    /// What the poll carries, in words.
    pub token: Option<String>,
    /// A token URL for polling only.
    pub token_url: Option<String>,
    /// Other names of the members of the device answer.
    #[serde(default)]
    pub response_map: BTreeMap<String, Vec<String>>,
    /// More.
    pub notes: Option<String>,
}

/// What a service's tokens are like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenFacts {
    /// How long they live.
    pub lifetime: Option<String>,
    /// What a refresh does to the refresh token.
    pub rotation: Option<String>,
    /// What an ID token names as issuer, where it is not the issuer of the endpoints; `{claim}` stands for
    /// a claim of that token.
    #[serde(default)]
    pub id_token_issuers: Vec<String>,
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
    /// More.
    pub note: Option<String>,
}

/// The files in `presets/`, in the order of the list.
const BUILT_IN: &[(&str, &str)] = &[
    (CUSTOM, include_str!("../presets/custom.toml")),
    (DEMO, include_str!("../presets/demo.toml")),
    ("google-mail", include_str!("../presets/google-mail.toml")),
    (
        "microsoft-mail",
        include_str!("../presets/microsoft-mail.toml"),
    ),
    ("keycloak", include_str!("../presets/keycloak.toml")),
    ("github", include_str!("../presets/github.toml")),
    (
        "microsoft-graph",
        include_str!("../presets/microsoft-graph.toml"),
    ),
];

/// Why a preset cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum PresetError {
    /// No preset has that identifier.
    #[error("There is no preset \"{0}\". The presets are: {list}.", list = ids().join(", "))]
    Unknown(String),
    /// The file is not what docs/presets.md describes.
    #[error("The preset {id} cannot be read: {reason}")]
    Malformed {
        /// Which one.
        id: String,
        /// Line, key and what is wrong with it.
        reason: String,
    },
}

/// The identifiers of all presets, in the order of the list.
#[must_use]
pub fn ids() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(id, _)| *id).collect()
}

/// The preset with this identifier.
///
/// # Errors
/// When there is none, or its file is malformed.
pub fn get(id: &str) -> Result<Arc<Preset>, PresetError> {
    let (id, text) = BUILT_IN
        .iter()
        .find(|(known, _)| *known == id)
        .ok_or_else(|| PresetError::Unknown(crate::secret::clean(id, 60)))?;
    parse(id, text).map(Arc::new)
}

/// All presets, in the order of the list.
///
/// # Errors
/// When one of them is malformed.
pub fn all() -> Result<Vec<Arc<Preset>>, PresetError> {
    BUILT_IN
        .iter()
        .map(|(id, text)| parse(id, text).map(Arc::new))
        .collect()
}

fn parse(id: &str, text: &str) -> Result<Preset, PresetError> {
    toml::from_str(text).map_err(|error| PresetError::Malformed {
        id: id.to_owned(),
        reason: error.to_string(),
    })
}

impl Preset {
    /// True for "Custom settings".
    #[must_use]
    pub fn is_custom(&self) -> bool {
        self.id == CUSTOM
    }

    /// True where `flow` can be chosen.
    #[must_use]
    pub fn offers(&self, flow: FlowKind) -> bool {
        self.flows.offered.contains(&flow)
    }

    /// True where `filter` is found in the name, the identifier or a keyword, however written.
    #[must_use]
    pub fn matches(&self, filter: &str) -> bool {
        let filter = filter.trim().to_lowercase();
        let found = |text: &str| text.to_lowercase().contains(&filter);
        found(&self.name) || found(&self.id) || self.keywords.iter().any(|word| found(word))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_built_in_and_reads_under_its_own_name() {
        let mut files: Vec<String> =
            std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/presets"))
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter_map(|name| name.strip_suffix(".toml").map(str::to_owned))
                .collect();
        files.sort();
        let mut known = ids();
        known.sort_unstable();
        assert_eq!(files, known);
        for preset in all().unwrap() {
            assert!(get(&preset.id).is_ok_and(|same| same.name == preset.name));
            assert!(preset.offers(preset.flows.preferred), "{}", preset.id);
        }
    }

    #[test]
    fn every_placeholder_has_a_variable_and_every_variable_a_placeholder() {
        for preset in all().unwrap() {
            let urls = [
                &preset.endpoints.authorization,
                &preset.endpoints.device,
                &preset.endpoints.token,
            ];
            let text: String = urls.iter().filter_map(|url| url.as_deref()).collect();
            for variable in &preset.variables {
                assert!(
                    text.contains(&format!("{{{}}}", variable.name)),
                    "{}",
                    preset.id
                );
            }
            let filled = preset.variables.iter().fold(text, |text, variable| {
                text.replace(&format!("{{{}}}", variable.name), "x")
            });
            assert!(!filled.contains(['{', '}']), "{}: {filled}", preset.id);
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_its_place() {
        let error = parse(
            "x",
            "id = \"x\"\nname = \"X\"\ngroup = \"mail\"\ncolour = 3\n",
        )
        .unwrap_err();
        assert!(error.to_string().contains("line 4") && error.to_string().contains("colour"));
    }

    #[test]
    fn the_list_is_found_by_name_identifier_and_keyword() {
        let preset = get("microsoft-mail").unwrap();
        assert!(
            preset.matches("365") && preset.matches("MICROSOFT-M") && preset.matches("exchange")
        );
        assert!(!preset.matches("gmail"));
    }
}
