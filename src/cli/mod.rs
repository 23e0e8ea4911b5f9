//! Flags and environment variables, and the settings that result from them.

mod flags;
mod help;
mod mail;
mod mailbox;
mod profile;
mod read;
mod secret;
mod subcommands;
mod tools;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Command, Parser};
use url::{Host, Url};

pub use self::flags::{
    AuthenticationFlag, ColorFlag, FlowFlag, GlyphsFlag, LinksFlag, ListenerFlag, PlaceFlags,
    Switch,
};
pub use self::help::EXAMPLES;
pub use self::mail::MailTestFlags;
pub use self::mailbox::checked_mailbox;
pub use self::profile::{
    KeepFlags, ProfileFlags, ProfilesCommand, ProfilesFlags, RefreshFlags, TokenFlags, TokenFormat,
};
pub use self::secret::{SecretError, SecretFlags};
pub use self::subcommands::{
    ConfigureCommand, ConfigureFlags, DoctorFlags, ExplainFlags, ManFlags, PresetsCommand,
    Subcommand,
};
pub use self::tools::{
    AskFlags, InspectFlags, IntrospectFlags, RevokeFlags, TokenChoice, UserInfoFlags,
};
use crate::clean::{clean, trimmed, unquoted};
use crate::form::choices::{Browser, ListenerChoice};
use crate::form::field::Key;
use crate::form::flags::{OverrideError, Overrides};
use crate::form::settings::Settings;
use crate::outcome::{Print, exit};
use crate::presets::files::read_file;
use crate::presets::{self, Library, PresetError};
use crate::store::file::named;

/// Get OAuth 2.0 access and refresh tokens from a terminal.
///
/// Opens a keyboard-only form that works over SSH. Every setting in the form has a flag and an environment variable. Client
/// secrets are never accepted as command-line arguments.
#[derive(Debug, Default, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// What to do instead of signing in; [`command`] adds the commands.
    #[arg(skip)]
    pub subcommand: Option<Subcommand>,
    /// Run without the full-screen interface; progress goes to standard error. Prompts for what to print unless --print is
    /// given
    #[arg(long)]
    pub plain: bool,
    /// Print this to standard output when sign-in completes, then exit
    #[arg(long, value_name = "WHAT")]
    pub print: Option<Print>,
    /// The profiles to open and to save.
    #[command(flatten)]
    pub profile: ProfileFlags,
    /// What overrides auto-detection.
    #[command(flatten)]
    pub place: PlaceFlags,
    /// Start a built-in demo server and open the form for it. No account needed
    #[arg(long, conflicts_with = "preset")]
    pub demo: bool,
    /// Select the service by its preset; see `oauth-authorizer presets list`
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PRESET",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub preset: Option<String>,

    /// Load and select a preset from this TOML file (see docs/presets.md)
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PRESET_FILE",
        hide_env_values = true,
        value_name = "FILE",
        conflicts_with_all = ["preset", "demo"]
    )]
    pub preset_file: Option<PathBuf>,
    /// Set a variable of the preset, such as tenant=contoso.example. May be repeated
    #[arg(long = "var", env = "OAUTH_AUTHORIZER_VAR", hide_env_values = true, value_delimiter = ',', value_name = "NAME=VALUE", value_parser = variable)]
    pub vars: Vec<(String, String)>,
    /// Client ID of your app registration
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub client_id: Option<String>,
    /// The source of the client secret.
    #[command(flatten)]
    pub secret: SecretFlags,
    /// Scopes to request, separated by spaces
    #[arg(long, env = "OAUTH_AUTHORIZER_SCOPE", hide_env_values = true)]
    pub scope: Option<String>,
    /// OAuth flow to use
    #[arg(long, env = "OAUTH_AUTHORIZER_FLOW", hide_env_values = true)]
    pub flow: Option<FlowFlag>,
    /// Key file (JSON) of the service account, with --flow service-account
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_SERVICE_ACCOUNT_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub service_account_file: Option<PathBuf>,
    /// Mailbox or user that the service account acts for
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_SUBJECT",
        hide_env_values = true,
        value_name = "ADDRESS"
    )]
    pub subject: Option<String>,
    /// Where the browser returns after sign-in. Port 0 picks a free port
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_REDIRECT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redirect_url: Option<String>,
    /// Authorization endpoint
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_AUTHORIZATION_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub authorization_url: Option<String>,
    /// Device authorization endpoint
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_DEVICE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub device_url: Option<String>,
    /// Token endpoint
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_TOKEN_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub token_url: Option<String>,
    /// Expected issuer URL; responses from any other issuer are rejected
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_ISSUER",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub issuer: Option<String>,
    /// Allow endpoints on this host even if the issuer is on another host. May be repeated
    #[arg(
        long = "trust-host",
        env = "OAUTH_AUTHORIZER_TRUST_HOST",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "HOST",
        value_parser = host
    )]
    pub trusted_hosts: Vec<String>,
    /// How the client authenticates
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_AUTHENTICATION",
        hide_env_values = true
    )]
    pub client_authentication: Option<AuthenticationFlag>,
    /// PEM file with the client's private key. On Windows, also Cert:\LocalMachine\My\THUMBPRINT
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub client_key: Option<PathBuf>,
    /// Key ID (kid) of the client key at the service, if several keys are registered
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_KEY_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub client_key_id: Option<String>,
    /// PEM file with the certificate of the client key. May be the same file
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_CERTIFICATE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub client_certificate: Option<PathBuf>,
    /// Parameters to add to the authorization request, as name=value&name=value
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_EXTRA_PARAMETERS",
        hide_env_values = true,
        value_name = "PARAMETERS"
    )]
    pub extra_parameters: Option<String>,
    /// Account to sign in with
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LOGIN_HINT",
        hide_env_values = true,
        value_name = "ACCOUNT"
    )]
    pub login_hint: Option<String>,
    /// Whether to use PKCE in the authorization code flow
    #[arg(long, env = "OAUTH_AUTHORIZER_PKCE", hide_env_values = true)]
    pub pkce: Option<Switch>,
    /// PEM file with an additional CA certificate to trust
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CA_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,
    /// Local address to listen on, instead of the redirect URL's
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTEN_ADDRESS",
        hide_env_values = true,
        value_name = "IP[:PORT]"
    )]
    pub listen_address: Option<String>,

    /// Listener that receives the redirect. HTTP.sys is the web server in the Windows kernel
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTENER",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub listener: ListenerFlag,
    /// TLS certificate (PEM) for an https redirect URL
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CERTIFICATE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub certificate: Option<PathBuf>,
    /// Private key (PEM) of that certificate. May be in the same file
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CERTIFICATE_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub certificate_key: Option<PathBuf>,
    /// The environment variables that set a value.
    #[arg(skip)]
    pub variables: Vec<String>,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("use the form name=value")?;
    // Characters that the value must not contain are removed later, with a note.
    Ok((trimmed(name).to_owned(), value.to_owned()))
}

/// Parses a host name, and returns it in the form of a parsed URL.
fn host(text: &str) -> Result<String, String> {
    let text = trimmed(text);
    let text = unquoted(text).unwrap_or(text);
    if let Ok(host) = Host::parse(text) {
        return Ok(host.to_string());
    }
    let url = Url::parse(text).ok().filter(Url::has_host);
    let meant = url
        .as_ref()
        .and_then(Url::host_str)
        .map_or_else(String::new, |host| {
            format!(". Did you mean {}?", clean(host, 100))
        });
    Err(format!(
        "enter a host name without scheme, port and path{meant}"
    ))
}

/// Why a flag or environment variable is invalid.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The preset can't be used.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// No preset has this ID.
    #[error("{0}: {1}")]
    NoPreset(String, PresetError),
    /// The preset doesn't allow a value.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// The client secret can't be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl CliError {
    /// Returns the exit code of the program.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Secret(SecretError::Interrupted) => exit::INTERRUPTED,
            Self::Preset(_) | Self::NoPreset(..) | Self::Override(_) | Self::Secret(_) => {
                exit::USAGE
            }
        }
    }
}

const NAME: &str = env!("CARGO_PKG_NAME");

/// Returns the commands and flags of the program.
#[must_use]
pub fn command() -> Command {
    // Add the flags last, because they set the program's description.
    let commands = <Subcommand as clap::Subcommand>::augment_subcommands(Command::new(NAME));
    help::laid_out(Cli::augment_args(commands))
}

/// Returns the same without the subcommands that only this program runs, for completions: they would offer those, too.
#[must_use]
pub fn command_for_users() -> Command {
    let all = <Subcommand as clap::Subcommand>::augment_subcommands(Command::new(NAME));
    let listed = all.get_subcommands().filter(|it| !it.is_hide_set());
    let commands = Command::new(NAME).subcommands(listed.cloned());
    help::laid_out(Cli::augment_args(commands))
}

impl Cli {
    /// Returns the settings that the preset starts with.
    fn begin(&self, browser: Browser, library: &mut Library) -> Result<Settings, CliError> {
        let preset = match (&self.preset_file, &self.preset) {
            (Some(path), _) => library.add(read_file(&named::cleaned(path)))?,
            (None, _) if self.demo => library.get(presets::DEMO)?,
            (None, Some(id)) => {
                let id = trimmed(id);
                library
                    .get(unquoted(id).unwrap_or(id))
                    .map_err(|error| CliError::NoPreset(self.source("preset"), error))?
            }
            (None, None) => library.get(presets::CUSTOM)?,
        };
        let mut settings = Settings::new(preset).with_browser(browser);
        if let Some(path) = self.preset_file.as_deref().map(named::absolute) {
            // Other commands may run in any folder, so the path must be absolute.
            settings = settings.of_preset_file(&path.to_string_lossy());
        }
        Ok(settings)
    }

    /// Returns the settings that result from these flags and environment variables, applied on top of those of a
    /// profile if there is one.
    ///
    /// # Errors
    /// Returns an error, with the fix, if a flag or environment variable is invalid.
    pub fn settings(
        self,
        profile: Option<Settings>,
        variable: impl Fn(&str) -> Option<OsString>,
        browser: Browser,
        library: &mut Library,
    ) -> Result<Settings, CliError> {
        let mut settings = match profile {
            Some(settings) => settings,
            None => self.begin(browser, library)?,
        };
        let secret = self.secret.load(variable)?;
        let path = |path: &Option<PathBuf>| {
            let path = path.as_ref()?;
            Some(path.to_string_lossy().into_owned())
        };
        let values = [
            (Key::ClientId, "client-id", self.client_id.clone()),
            (Key::Scope, "scope", self.scope.clone()),
            (
                Key::KeyFile,
                "service-account-file",
                path(&self.service_account_file),
            ),
            (Key::Subject, "subject", self.subject.clone()),
            (Key::RedirectUrl, "redirect-url", self.redirect_url.clone()),
            (
                Key::AuthorizationUrl,
                "authorization-url",
                self.authorization_url.clone(),
            ),
            (Key::DeviceUrl, "device-url", self.device_url.clone()),
            (Key::TokenUrl, "token-url", self.token_url.clone()),
            (Key::Issuer, "issuer", self.issuer.clone()),
            (
                Key::ExtraParameters,
                "extra-parameters",
                self.extra_parameters.clone(),
            ),
            (Key::ClientKey, "client-key", path(&self.client_key)),
            (
                Key::ClientKeyId,
                "client-key-id",
                self.client_key_id.clone(),
            ),
            (
                Key::ClientCertificate,
                "client-certificate",
                path(&self.client_certificate),
            ),
            (Key::LoginHint, "login-hint", self.login_hint.clone()),
            (Key::CaFile, "ca-file", path(&self.ca_file)),
            (
                Key::ListenAddress,
                "listen-address",
                self.listen_address.clone(),
            ),
            (Key::Certificate, "certificate", path(&self.certificate)),
            (
                Key::CertificateKey,
                "certificate-key",
                path(&self.certificate_key),
            ),
        ];
        let mut sources: BTreeMap<Key, String> = values
            .iter()
            .filter(|(_, _, value)| value.is_some())
            .map(|(key, flag, _)| (*key, self.source(flag)))
            .collect();
        let variable_source = self.source("var");
        if let Some(secret) = &secret {
            let source = match self.secret.client_secret_file {
                Some(_) => self.source("client-secret-file"),
                None => secret.source.clone(),
            };
            sources.insert(Key::ClientSecret, source);
        }
        settings.lay_over(Overrides {
            values: values
                .into_iter()
                .filter_map(|(key, _, value)| Some((key, value?)))
                .collect::<BTreeMap<_, _>>(),
            sources,
            variable_source,
            variables: self.vars,
            secret_notice: secret.as_ref().and_then(|secret| secret.notice.clone()),
            secret: secret.map(|secret| secret.text),
            flow: self.flow.map(FlowFlag::kind),
            authentication: self.client_authentication.map(AuthenticationFlag::choice),
            pkce: self.pkce.map(|switch| matches!(switch, Switch::On)),
            listener: Some(self.listener.choice()).filter(|choice| *choice != ListenerChoice::Auto),
            trusted_hosts: self.trusted_hosts.into_iter().collect(),
        })?;
        Ok(settings)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::console::environment::Environment;
    use crate::oauth::flow_kind::FlowKind;

    pub(super) fn settings(
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Settings, CliError> {
        settings_at(Browser::Here, flags, variables)
    }

    fn settings_at(
        browser: Browser,
        flags: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<Settings, CliError> {
        let cli = Cli::try_parse_from([&["oauth-authorizer"], flags].concat()).unwrap();
        let find = |name: &str| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).into())
        };
        cli.settings(None, find, browser, &mut Library::default())
    }

    #[test]
    fn settings_round_trip_through_flags() {
        let all: [&[&str]; 7] = [
            &["--client-id", "an id"],
            &[
                "--authorization-url",
                "https://as.example/authorize",
                "--token-url",
                "https://as.example/token",
                "--flow",
                "authorization-code",
                "--redirect-url",
                "http://localhost:8400/",
                "--pkce",
                "off",
                "--client-id",
                "me",
                "--client-authentication",
                "basic",
                "--listener",
                "loopback",
                "--trust-host",
                "as.example",
            ],
            &[
                "--device-url",
                "https://as.example/device",
                "--issuer",
                "https://as.example",
                "--scope",
                "a b",
            ],
            &[
                "--preset",
                "microsoft-mail",
                "--var",
                "tenant=contoso.example",
                "--client-id",
                "me",
                "--scope",
                "",
            ],
            &[
                "--preset",
                "google-mail",
                "--client-id",
                "me",
                "--login-hint",
                "alice@example.org",
            ],
            &[
                "--preset",
                "keycloak",
                "--var",
                "host=sso.example.org",
                "--extra-parameters",
                "a=1&b=2",
            ],
            &["--preset", "github"],
        ];
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("own.toml");
        let own = "id = \"own\"\nname = \"Own\"\ngroup = \"identity\"\n[endpoints]\ndevice = \
            \"https://as.example/device\"\ntoken = \"https://as.example/token\"\n";
        std::fs::write(&file, own).unwrap();
        let of_file = ["--preset-file", file.to_str().unwrap()];
        for flags in all.into_iter().chain([&of_file[..]]) {
            let first = settings(flags, &[]).unwrap();
            let again = first.flags();
            let given: Vec<&str> = again.iter().map(String::as_str).collect();
            let second = settings(&given, &[]).unwrap();
            for key in first.keys() {
                assert_eq!(first.value(key), second.value(key), "{key:?} of {again:?}");
            }
            assert_eq!(first.preset().id, second.preset().id);
            assert_eq!(first.flow(), second.flow());
            assert_eq!(first.pkce(), second.pkce());
            assert_eq!(first.authentication(), second.authentication());
            assert_eq!(first.listener(), second.listener());
            assert_eq!(second.flags(), again);
            // Values that the preset starts with are not repeated.
            assert!(again.len() <= flags.len(), "{again:?}");
        }
    }

    #[test]
    fn flags_are_valid_and_have_environment_variables() {
        command().debug_assert();
        for flag in command().get_arguments() {
            let name = flag.get_long().unwrap_or_default();
            assert!(
                [
                    "demo",
                    "client-secret-stdin",
                    "plain",
                    "print",
                    "save",
                    "machine",
                    "for",
                    "help",
                    "version"
                ]
                .contains(&name)
                    || flag.get_env().is_some(),
                "{name}"
            );
        }
    }

    #[test]
    fn device_code_is_the_default_flow_without_a_browser() {
        let flow = |browser, flags: &[&str]| settings_at(browser, flags, &[]).unwrap().flow();
        let (device, code) = (FlowKind::DeviceCode, FlowKind::AuthorizationCode);
        for (preset, here, elsewhere) in [
            ("github", device, device),
            ("authentik", code, device),
            // The device code flow doesn't allow the scope of this preset, and the preset says so.
            ("google-mail", code, code),
            ("spotify", code, code),
        ] {
            assert_eq!(flow(Browser::Here, &["--preset", preset]), here, "{preset}");
            let at =
                |flags: &[&str]| flow(Browser::Elsewhere, &[&["--preset", preset], flags].concat());
            assert_eq!(at(&[]), elsewhere, "{preset}");
            assert_eq!(at(&["--flow", "authorization-code"]), code, "{preset}");
        }
        // The same applies to a preset that is selected later.
        let mut form = settings_at(Browser::Elsewhere, &[], &[]).unwrap();
        form.choose(Library::default().get("authentik").unwrap());
        assert_eq!((form.flow(), form.begins_elsewhere()), (device, true));
    }

    #[test]
    fn flags_override_the_environment() {
        let seen = |flags: &[&str]| {
            let cli = Cli::try_parse_from([&["oauth-authorizer"], flags].concat()).unwrap();
            let terminal = Environment {
                utf8: true,
                ..Environment::default()
            };
            let seen = cli.place.over(terminal);
            (seen.utf8, seen.colors)
        };
        assert_eq!(seen(&[]), (true, false));
        assert_eq!(
            seen(&["--glyphs", "ascii", "--colour", "16"]),
            (false, true)
        );
        assert_eq!(
            seen(&["--glyphs", "utf8", "--color", "none"]),
            (true, false)
        );
    }

    #[test]
    fn flags_override_the_preset() {
        let form = settings(
            &[
                "--preset",
                "keycloak",
                "--var",
                "host=sso.example",
                "--var",
                "realm=r",
                "--client-id",
                "me",
                "--flow",
                "authorization-code",
                "--pkce",
                "off",
            ],
            &[],
        )
        .unwrap();
        assert_eq!(
            form.value(Key::TokenUrl),
            "https://sso.example/realms/r/protocol/openid-connect/token"
        );
        assert_eq!(
            (form.value(Key::ClientId).as_str(), form.flow(), form.pkce()),
            ("me", FlowKind::AuthorizationCode, false)
        );
    }

    #[test]
    fn obvious_mistakes_in_values_are_fixed_with_a_notice() {
        let keycloak = &["--preset", "keycloak", "--var", "realm=staff", "--var"][..];
        let tenant = &["--preset", "microsoft-mail", "--var"][..];
        let host = "https://sso.example.org/realms/staff/protocol/openid-connect/token";
        let login = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token";
        let url = "https://as.example/token";
        for (flags, value, key, expected) in [
            (
                keycloak,
                "host=https://sso.example.org",
                Key::TokenUrl,
                host,
            ),
            (keycloak, "host=sso.example.org/", Key::TokenUrl, host),
            (keycloak, "host=\"sso.example.org\"", Key::TokenUrl, host),
            (keycloak, "host= sso.example.org\u{a0}", Key::TokenUrl, host),
            (
                tenant,
                "tenant=https://login.microsoftonline.com/contoso.onmicrosoft.com",
                Key::TokenUrl,
                login,
            ),
            (
                tenant,
                "tenant=contoso.onmicrosoft.com/",
                Key::TokenUrl,
                login,
            ),
            (&["--client-id"], "\u{200b}cid", Key::ClientId, "cid"),
            (&["--client-id"], "\u{feff}cid\r\n", Key::ClientId, "cid"),
            (&["--client-id"], "Client ID: cid", Key::ClientId, "cid"),
            (&["--client-id"], "‘cid’", Key::ClientId, "cid"),
            (&["--token-url"], "as.example/token", Key::TokenUrl, url),
            (
                &["--token-url"],
                "<https://as.example/token>",
                Key::TokenUrl,
                url,
            ),
            (
                &["--token-url"],
                "https:/as.example/token",
                Key::TokenUrl,
                url,
            ),
            (
                &["--flow", "authorization-code", "--redirect-url"],
                "localhost:8400",
                Key::RedirectUrl,
                "http://localhost:8400",
            ),
            (
                &["--issuer"],
                "https://as.example/.well-known/openid-configuration",
                Key::Issuer,
                "https://as.example",
            ),
            (&["--scope"], "a,b; c", Key::Scope, "a b c"),
            (
                &["--login-hint"],
                "<me@as.example>",
                Key::LoginHint,
                "me@as.example",
            ),
            (
                &["--issuer"],
                "https://me:pa55@as.example",
                Key::Issuer,
                "https://as.example/",
            ),
            (
                &["--client-key", "k.pem", "--client-key-id"],
                "{\"kty\": \"OKP\", \"kid\": \"main\"}",
                Key::ClientKeyId,
                "main",
            ),
            (
                &["--ca-file"],
                "\"/etc/ca.pem\"",
                Key::CaFile,
                "/etc/ca.pem",
            ),
            (
                &["--flow", "authorization-code", "--listen-address"],
                "localhost:8400",
                Key::ListenAddress,
                "127.0.0.1:8400",
            ),
        ] {
            let flags = [flags, &[value]].concat();
            let form = settings(&flags, &[]).unwrap();
            assert_eq!(form.value(key), expected, "{flags:?}");
            let problems = crate::form::request::problems(&form);
            let mut told = problems.iter().filter(|problem| {
                let source = form.source_of(problem.key);
                source.is_some_and(|source| source.starts_with(flags[flags.len() - 2]))
            });
            assert!(told.next().is_some(), "{flags:?}: {problems:?}");
            assert!(!format!("{problems:?}").contains("pa55"), "{problems:?}");
        }
    }

    #[test]
    fn invalid_flag_values_are_reported_as_errors() {
        for (flags, key, part) in [
            (
                &["--preset", "microsoft-mail", "--var", "tenant=<tenant-id>"][..],
                Key::Var(0),
                "your own Tenant",
            ),
            (
                &["--preset", "keycloak", "--var", "host=<host>"],
                Key::Var(0),
                "your own Host",
            ),
            (&["--client-id", "c\u{fffc}id"], Key::ClientId, "(U+FFFC)"),
            (
                &["--issuer", "https://as.example?p=x"],
                Key::Issuer,
                "can't have a query",
            ),
            (
                &["--token-url", "https://{host}/token"],
                Key::TokenUrl,
                "{host}",
            ),
            (
                &["--token-url", "https:///oauth/token"],
                Key::TokenUrl,
                "it has no host",
            ),
            (
                &["--issuer", "https:///realms/x"],
                Key::Issuer,
                "it has no host",
            ),
            (
                &["--token-url", "https://exa mple/t"],
                Key::TokenUrl,
                "it contains a space",
            ),
            (
                &["--preset", "keycloak", "--var", "host=1.2.3"],
                Key::Var(0),
                "a complete IP address",
            ),
            (
                &["--preset", "microsoft-mail", "--client-id", "11111111-2222"],
                Key::ClientId,
                "only the first part",
            ),
        ] {
            let form = settings(flags, &[]).unwrap();
            let problems = crate::form::request::problems(&form);
            let said = problems.iter().find(|problem| problem.key == key).unwrap();
            assert_eq!(
                said.severity,
                crate::form::problem::Severity::Error,
                "{said:?}"
            );
            assert!(said.text.contains(part), "{said:?}");
            assert!(form.source_of(key).unwrap().starts_with("--"), "{flags:?}");
        }
    }

    #[test]
    fn paths_are_cleaned_unless_such_a_file_exists() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("secret");
        std::fs::write(&plain, "s3cret").unwrap();
        let plain = plain.to_str().unwrap();
        for given in [
            plain.to_owned(),
            format!("\"{plain}\""),
            format!(" {plain}\n"),
            format!("‘{plain}’"),
        ] {
            assert!(
                settings(&["--client-secret-file", &given], &[]).is_ok(),
                "{given}"
            );
        }
        if cfg!(unix) {
            let odd = folder.path().join(" odd ");
            std::fs::write(&odd, "s3cret").unwrap();
            let odd = odd.to_str().unwrap();
            assert!(settings(&["--client-secret-file", odd], &[]).is_ok());
        }
        let names = [("MINE", "s3cret")];
        assert!(settings(&["--client-secret-env", " $MINE"], &names).is_ok());
        assert!(settings(&["--preset", " \"github\" "], &[]).is_ok());
    }

    #[test]
    fn unknown_presets_locked_urls_and_missing_files_are_errors() {
        let error = |flags: &[&str]| settings(flags, &[]).unwrap_err().to_string();
        assert!(error(&["--preset", "nobody"]).contains("presets list"));
        assert!(
            error(&["--preset", "github", "--token-url", "https://x.example/"])
                .contains("locks Token ex. URL")
        );
        assert!(error(&["--client-secret-file", "/nonexistent"]).contains("/nonexistent"));
    }

    #[test]
    fn trust_host_accepts_only_hosts() {
        let hosts = |text: &str| {
            Cli::try_parse_from(["oauth-authorizer", "--trust-host", text])
                .map(|cli| cli.trusted_hosts)
        };
        assert_eq!(
            hosts("Tokens.Example,bücher.example,[::1]").unwrap(),
            ["tokens.example", "xn--bcher-kva.example", "[::1]"]
        );
        for wrong in ["https://tokens.example", "tokens.example:443", "a/b", "a b"] {
            assert!(hosts(wrong).is_err(), "{wrong}");
        }
    }
}
