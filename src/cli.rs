//! Flags and environment variables, and what they make of the settings.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use zeroize::Zeroizing;

use crate::clean::{clean, is_visible};
use crate::console::environment::Environment;
use crate::form::choices::{AuthenticationChoice, Browser, ListenerChoice};
use crate::form::field::Key;
use crate::form::flags::{OverrideError, Overrides};
use crate::form::request::ListenAddress;
use crate::form::settings::Settings;
use crate::oauth::client::FlowKind;
use crate::outcome::Print;
use crate::presets::files::read_file;
use crate::presets::{self, Library, PresetError};
use crate::secret::SecretString;
use crate::store::file::read::{Kinds, ReadError, is_readable_by_others, open};

/// A secret longer than this is none.
const SECRET_LIMIT: u64 = 64 * 1024;
/// More of a path is not shown.
const PATH_LIMIT: usize = 300;

/// Authorize with an OAuth 2.0 service from a terminal, and hold and copy the tokens.
///
/// Every setting of the form has a flag and an environment variable. A secret is never taken from the command line.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    max_term_width = 100,
    args_conflicts_with_subcommands = true
)]
pub struct Cli {
    /// Something else to do.
    #[command(subcommand)]
    pub subcommand: Option<Subcommand>,
    /// Run the flow line by line on standard error, without a screen; without --print it asks what to print.
    #[arg(long)]
    pub plain: bool,
    /// Print this on standard output once the tokens are there, and end.
    #[arg(long, value_name = "WHAT")]
    pub print: Option<Print>,
    /// What the surroundings do not tell rightly.
    #[command(flatten)]
    pub place: PlaceFlags,
    /// Start an embedded demo server and open the form on it: no account is needed.
    #[arg(long, conflicts_with = "preset")]
    pub demo: bool,
    /// The service, by the identifier of its preset.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PRESET",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub preset: Option<String>,

    /// A preset file of your own, which is chosen; docs/presets.md describes the format
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PRESET_FILE",
        hide_env_values = true,
        value_name = "FILE",
        conflicts_with_all = ["preset", "demo"]
    )]
    pub preset_file: Option<PathBuf>,
    /// A variable of the preset, such as tenant=contoso.example; may be given more than once.
    #[arg(long = "var", env = "OAUTH_AUTHORIZER_VAR", hide_env_values = true, value_delimiter = ',', value_name = "NAME=VALUE", value_parser = variable)]
    pub vars: Vec<(String, String)>,
    /// The client ID that the service gave you.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_ID",
        hide_env_values = true,
        value_name = "ID"
    )]
    pub client_id: Option<String>,
    /// Take the client secret from this environment variable. Without it, OAUTH_AUTHORIZER_CLIENT_SECRET is used if set.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_SECRET_ENV",
        hide_env_values = true,
        value_name = "NAME",
        group = "secret"
    )]
    pub client_secret_env: Option<String>,
    /// Take the client secret from the first line of this file.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_SECRET_FILE",
        hide_env_values = true,
        value_name = "FILE",
        group = "secret"
    )]
    pub client_secret_file: Option<PathBuf>,
    /// Take the client secret from the first line of standard input.
    #[arg(long, group = "secret")]
    pub client_secret_stdin: bool,
    /// What to ask permission for, with spaces between.
    #[arg(long, env = "OAUTH_AUTHORIZER_SCOPE", hide_env_values = true)]
    pub scope: Option<String>,
    /// Which flow.
    #[arg(long, env = "OAUTH_AUTHORIZER_FLOW", hide_env_values = true)]
    pub flow: Option<FlowFlag>,
    /// Where the browser is sent back to; port 0 takes any free port.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_REDIRECT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redirect_url: Option<String>,
    /// The address of the sign-in page.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_AUTHORIZATION_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub authorization_url: Option<String>,
    /// The address that gives out device codes.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_DEVICE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub device_url: Option<String>,
    /// The address that gives out tokens.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_TOKEN_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub token_url: Option<String>,
    /// Who answers, exactly as the service names itself.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_ISSUER",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub issuer: Option<String>,
    /// How the client secret is sent.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CLIENT_AUTHENTICATION",
        hide_env_values = true
    )]
    pub client_authentication: Option<AuthenticationFlag>,
    /// Further parameters of the first request, as name=value&name=value.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_EXTRA_PARAMETERS",
        hide_env_values = true,
        value_name = "PARAMETERS"
    )]
    pub extra_parameters: Option<String>,
    /// The account to sign in with.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LOGIN_HINT",
        hide_env_values = true,
        value_name = "ACCOUNT"
    )]
    pub login_hint: Option<String>,
    /// PKCE, for the authorization code flow.
    #[arg(long, env = "OAUTH_AUTHORIZER_PKCE", hide_env_values = true)]
    pub pkce: Option<Switch>,
    /// A file with the certificate of your own authority, trusted besides those of the system.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CA_FILE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub ca_file: Option<PathBuf>,
    /// An address of this machine to listen on instead of the redirect URL's.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTEN_ADDRESS",
        hide_env_values = true,
        value_name = "IP[:PORT]"
    )]
    pub listen_address: Option<String>,

    /// Which listener waits for the browser: HTTP.sys is the web server in the kernel of Windows
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTENER",
        hide_env_values = true,
        default_value = "auto"
    )]
    pub listener: ListenerFlag,
    /// The certificate (PEM) that an https redirect URL on this machine is answered with.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CERTIFICATE",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub certificate: Option<PathBuf>,
    /// The private key (PEM) of that certificate; may be the same file.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_CERTIFICATE_KEY",
        hide_env_values = true,
        value_name = "FILE"
    )]
    pub certificate_key: Option<PathBuf>,
}

/// What the person knows better about the surroundings than these tell.
#[derive(Debug, Clone, clap::Args)]
pub struct PlaceFlags {
    /// Never open a browser.
    #[arg(long, env = "OAUTH_AUTHORIZER_NO_BROWSER", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub no_browser: bool,
    /// Colours: as the surroundings say, the 16 of every terminal, or none.
    #[arg(
        long,
        visible_alias = "color",
        env = "OAUTH_AUTHORIZER_COLOUR",
        hide_env_values = true,
        value_name = "WHICH",
        default_value = "auto"
    )]
    pub colour: ColourFlag,
    /// Characters that lines, marks and dots are drawn with: as the surroundings say, UTF-8, or ASCII.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_GLYPHS",
        hide_env_values = true,
        value_name = "WHICH",
        default_value = "auto"
    )]
    pub glyphs: GlyphsFlag,
}

/// Colours, as a flag's value.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ColourFlag {
    /// As the surroundings say.
    Auto,
    /// The 16 that every terminal with colours has.
    #[value(name = "16")]
    Sixteen,
    /// None.
    None,
}

/// Glyphs, as a flag's value.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum GlyphsFlag {
    /// As the surroundings say.
    Auto,
    /// All of UTF-8.
    Utf8,
    /// ASCII only.
    Ascii,
}

impl PlaceFlags {
    /// The surroundings as the person wants them to be seen.
    #[must_use]
    pub fn over(&self, mut environment: Environment) -> Environment {
        environment.no_browser = self.no_browser;
        let asked = "it was asked for";
        match self.colour {
            ColourFlag::Auto => {}
            ColourFlag::Sixteen => (environment.colours, environment.why.colours) = (true, asked),
            ColourFlag::None => (environment.colours, environment.why.colours) = (false, asked),
        }
        match self.glyphs {
            GlyphsFlag::Auto => {}
            GlyphsFlag::Utf8 => (environment.utf8, environment.why.utf8) = (true, asked),
            GlyphsFlag::Ascii => (environment.utf8, environment.why.utf8) = (false, asked),
        }
        environment
    }
}

/// What the program does beside authorizing.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Print completions for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// The presets: list them, show one, or check a file of your own.
    Presets {
        /// What to do.
        #[command(subcommand)]
        command: PresetsCommand,
    },
    /// What the listener of a redirect URL needs on this machine: set it up, verify or delete it.
    Configure {
        /// What to do.
        #[command(subcommand)]
        command: ConfigureCommand,
    },
    /// What was found out about this terminal and machine, and what follows: clipboard, browser, glyphs, colours, tunnel.
    Doctor(DoctorFlags),
    /// Print the manual page.
    Man,
}

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct DoctorFlags {
    /// Copy a harmless text the way that a token would be copied, and say what is certain about it.
    #[arg(long)]
    pub test_copy: bool,
    /// As for the program itself.
    #[command(flatten)]
    pub place: PlaceFlags,
}

/// What to do for the listener.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigureCommand {
    /// Write what the listener needs: on Windows, as administrator, the URL reservation and the certificate binding.
    Setup(ConfigureFlags),
    /// Look whether the listener can work; exit code 6 where it cannot.
    Verify(ConfigureFlags),
    /// Remove what setup wrote.
    Delete(ConfigureFlags),
}

/// For which listener.
#[derive(Debug, clap::Args)]
pub struct ConfigureFlags {
    /// Where the browser is sent back to.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_REDIRECT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redirect_url: String,
    /// Who is to listen, as DOMAIN\name or a security identifier; otherwise the current user. On Windows.
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// The certificate for https in the machine's store MY, by its SHA-1 thumbprint. On Windows.
    #[arg(long, value_name = "HEX")]
    pub thumbprint: Option<String>,
    /// Which listener is set up: HTTP.sys on Windows, else the loopback listener.
    #[arg(long, value_enum, default_value_t = ListenerFlag::Auto, env = "OAUTH_AUTHORIZER_LISTENER", hide_env_values = true, value_name = "LISTENER")]
    pub listener: ListenerFlag,
    /// Do not ask for consent to run as administrator: fail, and tell the commands. On Windows.
    #[arg(long)]
    pub no_consent: bool,
    /// An address of this machine to listen on instead of the redirect URL's. Not on Windows.
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTEN_ADDRESS",
        hide_env_values = true,
        value_name = "IP[:PORT]"
    )]
    pub listen_address: Option<ListenAddress>,
}

/// What to do with presets.
#[derive(Debug, clap::Subcommand)]
pub enum PresetsCommand {
    /// All presets: identifier, name, group and remarks, with tabs between them.
    List,
    /// The text of one preset: the best start for one of your own.
    Show {
        /// The preset's identifier.
        id: String,
    },
    /// What is wrong with a preset file: line, key and remedy.
    Check {
        /// The file.
        file: PathBuf,
    },
}

/// A flow, as a flag's value.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FlowFlag {
    /// Approve on any device.
    DeviceCode,
    /// The browser comes back to this machine.
    AuthorizationCode,
}

/// How the secret is sent, as a flag's value.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AuthenticationFlag {
    /// As the preset prefers.
    Automatic,
    /// In the request body.
    Post,
    /// In the Authorization header.
    Basic,
}

/// A listener, as a flag.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ListenerFlag {
    /// HTTP.sys on Windows, else the loopback listener.
    Auto,
    /// HTTP.sys.
    Httpsys,
    /// The loopback listener.
    Loopback,
}

impl ListenerFlag {
    /// What it says.
    #[must_use]
    pub fn choice(self) -> ListenerChoice {
        match self {
            Self::Auto => ListenerChoice::Auto,
            Self::Httpsys => ListenerChoice::HttpSys,
            Self::Loopback => ListenerChoice::Loopback,
        }
    }
}

/// On or off.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it is written as name=value")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// What flags can be wrong about.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// No such preset.
    #[error(transparent)]
    Preset(#[from] PresetError),
    /// A value that the preset fixes or does not know.
    #[error(transparent)]
    Override(#[from] OverrideError),
    /// The secret is not where it was said to be.
    #[error("The client secret cannot be read from {place}: {reason}.")]
    Secret {
        /// Where.
        place: String,
        /// Why not.
        reason: String,
    },
}

/// A secret from the surroundings.
struct Secret {
    text: SecretString,
    /// What the user should know about the place that it came from.
    notice: Option<String>,
}

impl From<SecretString> for Secret {
    fn from(text: SecretString) -> Self {
        Self { text, notice: None }
    }
}

/// The variable that holds the secret where no other is named.
pub const SECRET_VARIABLE: &str = "OAUTH_AUTHORIZER_CLIENT_SECRET";

impl Cli {
    /// Names of environment variables that hold a secret.
    #[must_use]
    pub fn secret_variables(&self) -> Vec<String> {
        std::iter::once(SECRET_VARIABLE.to_owned())
            .chain(self.client_secret_env.clone())
            .collect()
    }

    /// The settings that these flags ask for.
    ///
    /// # Errors
    /// A sentence that says which flag is wrong and what to do.
    pub fn settings(
        self,
        variable: impl Fn(&str) -> Option<OsString>,
        browser: Browser,
        library: &mut Library,
    ) -> Result<Settings, CliError> {
        let preset = match (&self.preset_file, &self.preset) {
            (Some(path), _) => library.add(read_file(path))?,
            (None, _) if self.demo => library.get(presets::DEMO)?,
            (None, Some(id)) => library.get(id)?,
            (None, None) => library.get(presets::CUSTOM)?,
        };
        let mut settings = Settings::new(preset).with_browser(browser);
        let secret = self.secret(variable)?;
        let (secret, secret_notice) = match secret {
            Some(Secret { text, notice }) => (Some(text), notice),
            None => (None, None),
        };
        let path = |path: PathBuf| path.to_string_lossy().into_owned();
        let values = [
            (Key::ClientId, self.client_id),
            (Key::Scope, self.scope),
            (Key::RedirectUrl, self.redirect_url),
            (Key::AuthorizationUrl, self.authorization_url),
            (Key::DeviceUrl, self.device_url),
            (Key::TokenUrl, self.token_url),
            (Key::Issuer, self.issuer),
            (Key::ExtraParameters, self.extra_parameters),
            (Key::LoginHint, self.login_hint),
            (Key::CaFile, self.ca_file.map(path)),
            (Key::ListenAddress, self.listen_address),
            (Key::Certificate, self.certificate.map(path)),
            (Key::CertificateKey, self.certificate_key.map(path)),
        ];
        settings.lay_over(Overrides {
            values: values
                .into_iter()
                .filter_map(|(key, value)| Some((key, value?)))
                .collect::<BTreeMap<_, _>>(),
            variables: self.vars,
            secret,
            secret_notice,
            flow: self.flow.map(|flow| match flow {
                FlowFlag::DeviceCode => FlowKind::DeviceCode,
                FlowFlag::AuthorizationCode => FlowKind::AuthorizationCode,
            }),
            authentication: self.client_authentication.map(|choice| match choice {
                AuthenticationFlag::Automatic => AuthenticationChoice::Automatic,
                AuthenticationFlag::Post => AuthenticationChoice::Post,
                AuthenticationFlag::Basic => AuthenticationChoice::Basic,
            }),
            pkce: self.pkce.map(|switch| matches!(switch, Switch::On)),
            listener: self.listener.choice(),
        })?;
        Ok(settings)
    }

    fn secret(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Option<Secret>, CliError> {
        let failed = |place: String| move |reason: String| CliError::Secret { place, reason };
        if let Some(path) = &self.client_secret_file {
            let place = clean(&path.display().to_string(), PATH_LIMIT);
            return first_line_of_file(path).map(Some).map_err(failed(place));
        }
        if self.client_secret_stdin {
            let line =
                first_line(std::io::stdin().lock()).map_err(failed("standard input".to_owned()))?;
            return Ok(Some(line.into()));
        }
        let name = self.client_secret_env.as_deref();
        let failed = failed(format!("the variable {}", name.unwrap_or(SECRET_VARIABLE)));
        let Some(value) = variable(name.unwrap_or(SECRET_VARIABLE)) else {
            return match name {
                Some(_) => Err(failed("it is not set".to_owned())),
                None => Ok(None),
            };
        };
        let value = value.into_string().map(Zeroizing::new);
        let value = value.map_err(|_| "it is not UTF-8".to_owned());
        let secret = value.and_then(|value| sound(&value).map(SecretString::from));
        secret.map(|secret| Some(secret.into())).map_err(failed)
    }
}

/// The first line of a file or a pipe, and what the user should know about it.
fn first_line_of_file(path: &Path) -> Result<Secret, String> {
    let file = open(path, Kinds::WithPipes).map_err(|error| error.to_string())?;
    let notice = is_readable_by_others(&file).then(|| {
        let path = clean(&path.display().to_string(), PATH_LIMIT);
        format!("The client secret file {path} can be read by other users. Run chmod 600 on it.")
    });
    let text = first_line(std::io::BufReader::new(file))?;
    Ok(Secret { text, notice })
}

fn first_line(reader: impl BufRead) -> Result<SecretString, String> {
    let mut line = Zeroizing::new(Vec::new());
    reader
        .take(SECRET_LIMIT + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| ReadError::from(error).to_string())?;
    if line.len() as u64 > SECRET_LIMIT {
        return Err(format!(
            "its first line is longer than {} KiB",
            SECRET_LIMIT / 1024
        ));
    }
    let text = std::str::from_utf8(&line)
        .map_err(|_| "its first line is not UTF-8. Save it with that encoding".to_owned())?;
    // Some editors put a mark at the beginning.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let secret = sound(text)?;
    if secret.is_empty() {
        return Err("its first line is empty".to_owned());
    }
    Ok(secret.into())
}

/// A secret without its line end. Nobody could see what else is wrong with one that holds what is invisible.
fn sound(text: &str) -> Result<&str, String> {
    let text = text.trim_end_matches(['\r', '\n']);
    match text.chars().zip(1..).find(|(ch, _)| !is_visible(*ch)) {
        None => Ok(text),
        Some((ch, place)) => {
            let kind = if ch.is_control() {
                "a control character"
            } else {
                "an invisible character"
            };
            let code = u32::from(ch);
            Err(format!(
                "character {place} of it is {kind} (U+{code:04X}). Enter the secret again without it"
            ))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::secret::ExposeSecret;

    fn settings(flags: &[&str], variables: &[(&str, &str)]) -> Result<Settings, CliError> {
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
        cli.settings(find, browser, &mut Library::default())
    }

    #[test]
    fn the_flags_are_well_formed_and_every_one_has_a_variable() {
        Cli::command().debug_assert();
        for flag in Cli::command().get_arguments() {
            let name = flag.get_long().unwrap_or_default();
            assert!(
                [
                    "demo",
                    "client-secret-stdin",
                    "plain",
                    "print",
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
    fn without_a_browser_the_flow_that_works_goes_first_unless_another_was_asked_for() {
        let flow = |browser, flags: &[&str]| settings_at(browser, flags, &[]).unwrap().flow();
        let (device, code) = (FlowKind::DeviceCode, FlowKind::AuthorizationCode);
        for (preset, here, elsewhere) in [
            ("github", device, device),
            ("authentik", code, device),
            // Its device code flow refuses what the preset is for, and the preset says so.
            ("google-mail", code, code),
            ("spotify", code, code),
        ] {
            assert_eq!(flow(Browser::Here, &["--preset", preset]), here, "{preset}");
            let at =
                |flags: &[&str]| flow(Browser::Elsewhere, &[&["--preset", preset], flags].concat());
            assert_eq!(at(&[]), elsewhere, "{preset}");
            assert_eq!(at(&["--flow", "authorization-code"]), code, "{preset}");
        }
        // So does a preset that is chosen later.
        let mut form = settings_at(Browser::Elsewhere, &[], &[]).unwrap();
        form.choose(Library::default().get("authentik").unwrap());
        assert_eq!((form.flow(), form.begins_elsewhere()), (device, true));
    }

    #[test]
    fn flags_lie_over_the_surroundings() {
        let seen = |flags: &[&str]| {
            let cli = Cli::try_parse_from([&["oauth-authorizer"], flags].concat()).unwrap();
            let terminal = Environment {
                utf8: true,
                ..Environment::default()
            };
            let seen = cli.place.over(terminal);
            (seen.utf8, seen.colours)
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
    fn flags_lie_over_the_preset() {
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
    fn the_secret_comes_from_environment_or_file_only() {
        let secret = |flags: &[&str], variables: &[(&str, &str)]| {
            settings(flags, variables).map(|form| form.secret().expose_secret().to_owned())
        };
        assert_eq!(secret(&[], &[(SECRET_VARIABLE, "a")]).unwrap(), "a");
        assert_eq!(
            secret(&["--client-secret-env", "MINE"], &[("MINE", "b")]).unwrap(),
            "b"
        );
        assert!(
            secret(&["--client-secret-env", "MINE"], &[])
                .unwrap_err()
                .to_string()
                .contains("MINE")
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "c d \r\nrest").unwrap();
        assert_eq!(
            secret(
                &["--client-secret-file", file.path().to_str().unwrap()],
                &[]
            )
            .unwrap(),
            "c d "
        );
        assert!(Cli::try_parse_from(["oauth-authorizer", "--client-secret", "x"]).is_err());
    }

    #[test]
    fn a_secret_that_cannot_be_right_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of_file = |bytes: &[u8]| {
            std::fs::write(file.path(), bytes).unwrap();
            let flags = ["--client-secret-file", file.path().to_str().unwrap()];
            settings(&flags, &[])
                .map(|form| form.secret().expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        // As Windows' Notepad saves it.
        assert_eq!(of_file(b"\xef\xbb\xbfs3cret\r\n").unwrap(), "s3cret");
        assert_eq!(of_file(&vec![b'x'; 64 * 1024]).unwrap().len(), 64 * 1024);
        for (bytes, reason) in [
            (vec![b'x'; 64 * 1024 + 1], "longer than 64 KiB"),
            (
                vec![0; 100],
                "character 1 of it is a control character (U+0000)",
            ),
            (
                b"s3c\0ret".to_vec(),
                "character 4 of it is a control character (U+0000)",
            ),
            (b"s3cret\x1b[A\n".to_vec(), "(U+001B)"),
            (b"s3\tcret\n".to_vec(), "(U+0009)"),
            ("s3\u{200b}cret\n".into(), "an invisible character (U+200B)"),
            ("s3\u{a0}cret\n".into(), "an invisible character (U+00A0)"),
            (b"\xff\xfes\x003\x00".to_vec(), "not UTF-8"),
            (b"s3cr\xe9t".to_vec(), "not UTF-8"),
            (b"\n".to_vec(), "its first line is empty"),
            (Vec::new(), "its first line is empty"),
        ] {
            let error = of_file(&bytes).unwrap_err();
            assert!(
                error.contains(reason) && error.contains(file.path().to_str().unwrap()),
                "{error}"
            );
        }
        let of_variable = |value: &str| {
            settings(&[], &[(SECRET_VARIABLE, value)])
                .map(|form| form.secret().expose_secret().to_owned())
                .map_err(|error| error.to_string())
        };
        assert_eq!(of_variable("s3cret\r\n").unwrap(), "s3cret");
        let error = of_variable("s3\u{7f}cret").unwrap_err();
        assert!(
            error.contains(SECRET_VARIABLE) && error.contains("(U+007F)"),
            "{error}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_secret_file_that_others_can_read_is_told_at_the_field() {
        use std::os::unix::fs::PermissionsExt;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret").unwrap();
        let told = |mode: u32| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(file.path(), mode).unwrap();
            let flags = ["--client-secret-file", file.path().to_str().unwrap()];
            let mut form = settings(&flags, &[]).unwrap();
            let told = form.secret_notice().map(str::to_owned);
            // Another secret is not from there.
            form.set(Key::ClientSecret, "another".to_owned());
            assert_eq!(form.secret_notice(), None);
            told
        };
        assert_eq!(told(0o600), None);
        assert_eq!(told(0o400), None);
        for mode in [0o644, 0o640, 0o604] {
            let told = told(mode).unwrap();
            assert!(
                told.contains(file.path().to_str().unwrap()) && told.contains("chmod 600"),
                "{told}"
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let error = |flags: &[&str]| settings(flags, &[]).unwrap_err().to_string();
        assert!(error(&["--preset", "nobody"]).contains("presets list"));
        assert!(
            error(&["--preset", "github", "--token-url", "https://x.example/"])
                .contains("fixes the Token ex. URL")
        );
        assert!(error(&["--client-secret-file", "/nonexistent"]).contains("/nonexistent"));
    }
}
