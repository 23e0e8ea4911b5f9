//! The settings file of a profile: TOML without secrets, made to be edited and committed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use toml::{Spanned, Value};

use super::check_settings::CheckSettings;
use super::client_secret::{SecretSource, SourceError};
use super::mail_section::Mail;
use super::mistakes::explained;
use super::places::Place;
use super::setting::{Setting, line_and_column, unknown};
use super::store_kind::Store;
use super::toml_text::quoted;
use crate::certificate::store_path::StorePath;
use crate::child::note_secret;
use crate::clean::clean_path;
use crate::form::choices::{AuthenticationChoice, Browser, ListenerChoice};
use crate::form::command_line::FLAGS;
use crate::form::flags::{OverrideError, Overrides};
use crate::form::settings::Settings;
use crate::mail::server::Protocol;
use crate::oauth::flow_kind::FlowKind;
use crate::presets::files::read_file;
use crate::presets::{CUSTOM, Library, PresetError};
use crate::secret::SecretString;
use crate::store::file::named;
use crate::store::private::{self, Audience, PrivateError};

/// The format version that this program writes.
const FORMAT: u32 = 1;
/// Maximum size of a settings file, in bytes.
const LIMIT: u64 = 256 * 1024;

/// Returns what to do about a settings file, if its error doesn't say that.
fn remedy(error: &PrivateError) -> &'static str {
    match error {
        PrivateError::Missing(_) => " Restore the file, or delete the profile and save it again.",
        _ => "",
    }
}

/// Why a settings file can't be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file can't be read.
    #[error("{error}{remedy}", error = .0, remedy = remedy(.0))]
    File(#[from] PrivateError),
    /// The file is not valid TOML, or has an unknown key or a value of the wrong type.
    #[error("{path}, line {line}, column {column}: {message}.")]
    Syntax {
        /// The path of the file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// The column, counted from 1.
        column: usize,
        /// The problem.
        message: String,
    },
    /// The file was written by a newer version.
    #[error(
        "{path} was written by a newer version of this program (format {format}). Update the program."
    )]
    Newer {
        /// The path of the file.
        path: String,
        /// The format version of the file.
        format: u32,
    },
    /// A setting is unknown or has an invalid value.
    #[error("{path}: {problem}")]
    Setting {
        /// The path of the file.
        path: String,
        /// The problem, as a sentence.
        problem: String,
    },
    /// The preset can't be used.
    #[error("{path}: {error}")]
    Preset {
        /// The path of the file.
        path: String,
        /// The problem with the preset.
        error: PresetError,
    },
    /// The preset doesn't allow a setting.
    #[error("{path}: {error}")]
    Override {
        /// The path of the file.
        path: String,
        /// The problem with the setting.
        error: OverrideError,
    },
    /// The client secret can't be read.
    #[error(transparent)]
    Secret(#[from] SourceError),
}

/// A parsed settings file.
#[derive(Debug, Default)]
pub struct SettingsFile {
    raw: Raw,
    settings: BTreeMap<String, Setting>,
    /// The SHA-256 digest of its bytes.
    pub digest: String,
    path: String,
    /// The lines and columns of the values in `[mail]`.
    mail_at: Vec<(&'static str, (usize, usize))>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    /// Checked before the rest is parsed.
    #[serde(rename = "format")]
    _format: u32,
    preset: Option<String>,
    preset_file: Option<PathBuf>,
    #[serde(default)]
    vars: BTreeMap<String, String>,
    #[serde(default)]
    settings: BTreeMap<Spanned<String>, Spanned<Value>>,
    secret: Option<SecretSource>,
    mail: Option<Mail>,
    store: Option<Store>,
    #[serde(default)]
    check: CheckSettings,
}

/// Returns the digest of the bytes of a settings file, in the form used in records.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, bytes))
}

/// Reads the bytes of a settings file. Only this user and root may have write access to it.
///
/// # Errors
/// Returns an error if the file is missing, or accessible to other users.
pub fn read_bytes(place: &Place) -> Result<Vec<u8>, PrivateError> {
    private::check_folder(place.settings_folder())?;
    let bytes = private::read(&place.settings(), Audience::All, LIMIT)?;
    Ok(bytes.to_vec())
}

impl SettingsFile {
    /// Reads the settings file of a profile.
    ///
    /// # Errors
    /// Returns what is wrong and where.
    pub fn read(place: &Place) -> Result<Self, SettingsError> {
        let bytes = read_bytes(place)?;
        Self::parse(&bytes, &clean_path(&place.settings()))
    }

    /// Parses the bytes of a settings file. `path` names the file in messages.
    ///
    /// # Errors
    /// Returns what is wrong and where.
    pub fn parse(bytes: &[u8], path: &str) -> Result<Self, SettingsError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let path = path.to_owned();
        let text = std::str::from_utf8(bytes).map_err(|_| SettingsError::Setting {
            path: path.clone(),
            problem: "The file is not in UTF-8.".to_owned(),
        })?;
        // Check the format first: a key that only a newer format has is not a mistake of the user.
        match toml::from_str(text) {
            Ok(Version { format }) if format > FORMAT => {
                return Err(SettingsError::Newer { path, format });
            }
            Ok(Version { format }) if format < FORMAT => {
                let problem = format!("format = {format} doesn't exist. Enter format = {FORMAT}.");
                return Err(SettingsError::Setting { path, problem });
            }
            _ => {}
        }
        let mut raw: Raw = toml::from_str(text).map_err(|error| {
            let (at, message) = explained(&error, text);
            let (line, column) = line_and_column(text, at);
            SettingsError::Syntax {
                path: path.clone(),
                line,
                column,
                message,
            }
        })?;
        if let Some(name) = raw.secret.as_ref().and_then(|secret| secret.env.as_deref()) {
            note_secret(name);
        }
        if let Some(problem) = raw.store.as_ref().and_then(Store::problem) {
            return Err(SettingsError::Setting { path, problem });
        }
        let settings = std::mem::take(&mut raw.settings).into_iter();
        let settings = settings.map(|(name, value)| {
            let setting = Setting {
                name_at: line_and_column(text, name.span().start),
                value_at: line_and_column(text, value.span().start),
                value: value.into_inner(),
            };
            (name.into_inner(), setting)
        });
        let mail = raw.mail.as_ref();
        Ok(Self {
            mail_at: mail.map_or_else(Vec::new, |mail| mail.places(text)),
            settings: settings.collect(),
            raw,
            digest: digest(bytes),
            path,
        })
    }

    /// Returns where the tokens are stored, if the file says so.
    #[must_use]
    pub fn store(&self) -> Option<&Store> {
        self.raw.store.as_ref()
    }

    /// Returns the same file with another store for the tokens.
    #[must_use]
    pub fn with_store(mut self, store: Store) -> Self {
        self.raw.store = Some(store);
        self
    }

    /// Returns what the user knows about the limits of the tokens.
    #[must_use]
    pub fn check(&self) -> &CheckSettings {
        &self.raw.check
    }

    /// Returns the mailbox, if the file names one.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.raw.mail.as_ref()?.value("user")
    }

    /// Returns the mail server for a protocol, as `host:port TLS`, if the file names one.
    #[must_use]
    pub fn mail_server(&self, protocol: Protocol) -> Option<&str> {
        self.raw.mail.as_ref()?.value(protocol.key())
    }

    /// Says that the entry `name` in `[mail]` is not valid, and where it is.
    #[must_use]
    pub fn invalid_mail(&self, name: &str) -> String {
        let mut places = self.mail_at.iter();
        let place = places.find(|(known, _)| *known == name);
        let place = place.map_or_else(String::new, |(_, (line, column))| {
            format!(", line {line}, column {column}")
        });
        format!("{}{place}: {name} in [mail] is not valid.", self.path)
    }

    /// Returns the ID of the preset.
    #[must_use]
    pub fn preset(&self) -> &str {
        self.raw.preset.as_deref().unwrap_or(CUSTOM)
    }

    /// Returns where the client secret is, if the file says so.
    #[must_use]
    pub fn secret_source(&self) -> Option<&SecretSource> {
        self.raw.secret.as_ref()
    }

    /// Returns the same file without a source for the client secret.
    #[must_use]
    pub fn without_secret(mut self) -> Self {
        self.raw.secret = None;
        self
    }

    /// Returns the environment variable that contains the client secret, if the file names one.
    #[must_use]
    pub fn secret_variable(&self) -> Option<&str> {
        self.secret_source()?.env.as_deref()
    }

    /// Returns the command that prints the client secret, if the file names one.
    #[must_use]
    pub fn secret_command(&self) -> Option<&[String]> {
        self.secret_source()?.command.as_deref()
    }

    /// Returns whether the file says where the client secret is, so that the record doesn't need to contain it.
    #[must_use]
    pub fn names_secret(&self) -> bool {
        self.secret_source().is_some_and(SecretSource::is_named)
    }

    /// Returns the client secret, if the file says where it is.
    ///
    /// # Errors
    /// Returns an error if the client secret can't be read.
    pub fn secret(&self) -> Result<Option<SecretString>, SettingsError> {
        match &self.raw.secret {
            Some(source) => Ok(source.read()?),
            None => Ok(None),
        }
    }

    /// Returns the form filled in from the file, without the client secret of the record.
    ///
    /// # Errors
    /// Returns an error if the preset is missing, or doesn't allow a setting.
    pub fn form(&self, browser: Browser, library: &mut Library) -> Result<Settings, SettingsError> {
        let path = || self.path.clone();
        let preset = match &self.raw.preset_file {
            Some(file) => library.add(read_file(file)),
            None => library.get(self.preset()),
        };
        let preset = preset.map_err(|error| SettingsError::Preset {
            path: path(),
            error,
        })?;
        let mut settings = Settings::new(preset).with_browser(browser);
        if let Some(file) = &self.raw.preset_file {
            settings = settings.of_preset_file(&file.to_string_lossy());
        }
        let overrides = self.overrides();
        let overrides = overrides.map_err(|((line, column), message)| SettingsError::Syntax {
            path: path(),
            line,
            column,
            message,
        })?;
        settings
            .lay_over(overrides)
            .map_err(|error| SettingsError::Override {
                path: path(),
                error,
            })?;
        Ok(settings)
    }

    /// What the file sets, or the place and the text of a mistake.
    fn overrides(&self) -> Result<Overrides, ((usize, usize), String)> {
        let mut overrides = Overrides {
            variables: self
                .raw
                .vars
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            variable_source: "[vars]".to_owned(),
            ..Overrides::default()
        };
        for (name, setting) in &self.settings {
            let wrong = |text: String| Err((setting.value_at, text));
            if name == "trust_host" {
                let hosts = setting.value.as_array().map(|hosts| {
                    let hosts = hosts.iter().map(|host| host.as_str().map(str::to_owned));
                    hosts.collect::<Option<BTreeSet<_>>>()
                });
                let Some(Some(hosts)) = hosts else {
                    return wrong(
                        "trust_host must be a list of host names, such as [\"login.example.org\"]"
                            .to_owned(),
                    );
                };
                overrides.trusted_hosts = hosts;
                continue;
            }
            // Another kind of value is none of the choices.
            let text = setting.value.as_str();
            let choice = |allowed: &str| {
                let shown = setting.shown();
                wrong(format!("{name} is {shown}, but must be one of: {allowed}"))
            };
            let flag = format!("--{}", name.replace('_', "-"));
            match name.as_str() {
                "flow" => {
                    let mut flows = FlowKind::ALL.into_iter();
                    let known = flows.find(|flow| Some(flow.name()) == text);
                    if known.is_none() {
                        return choice(&FlowKind::ALL.map(FlowKind::name).join(", "));
                    }
                    overrides.flow = known;
                }
                "client_authentication" => {
                    overrides.authentication = text.and_then(AuthenticationChoice::named);
                    if overrides.authentication.is_none() {
                        let all = AuthenticationChoice::ALL.into_iter();
                        let names = all.filter_map(|one| Some(one.method()?.name()));
                        return choice(&names.collect::<Vec<_>>().join(", "));
                    }
                }
                "pkce" => {
                    overrides.pkce = Some(match text {
                        Some("on") => true,
                        Some("off") => false,
                        _ => return choice("on, off"),
                    });
                }
                "listener" => {
                    overrides.listener = Some(match text {
                        Some("auto") => ListenerChoice::Auto,
                        Some("httpsys") => ListenerChoice::HttpSys,
                        Some("loopback") => ListenerChoice::Loopback,
                        _ => return choice("auto, httpsys, loopback"),
                    });
                }
                _ => {
                    let known = FLAGS.iter().find(|(_, known)| *known == flag);
                    let Some((key, _)) = known else {
                        return Err((setting.name_at, unknown(name)));
                    };
                    let Some(text) = text else {
                        let shown = setting.shown();
                        return wrong(format!("{name} is {shown}, but must be a string in quotes"));
                    };
                    overrides.sources.insert(*key, name.clone());
                    overrides.values.insert(*key, text.to_owned());
                }
            }
        }
        Ok(overrides)
    }
}

/// Returns the text of a settings file for these settings, limited to what differs from the preset. Sections of
/// `before` that the form doesn't have stay unchanged.
#[must_use]
pub fn write(settings: &Settings, user: Option<&str>, before: Option<&SettingsFile>) -> String {
    let mut top = format!(
        "# Settings of an oauth-authorizer profile. You can edit this file. It contains no secrets.\nformat = {FORMAT}\n"
    );
    let (mut vars, mut rest, mut hosts) = (String::new(), String::new(), Vec::new());
    let flags = settings.flags();
    for pair in flags.chunks_exact(2) {
        let (flag, value) = (pair[0].trim_start_matches('-'), &pair[1]);
        match flag {
            "preset" | "preset-file" => {
                top += &format!("{} = {}\n", flag.replace('-', "_"), quoted(value));
            }
            "var" => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                vars += &format!("{name} = {}\n", quoted(value));
            }
            "trust-host" => hosts.push(quoted(value)),
            "client-key" if StorePath::is_meant(value) => {
                rest += &format!("client_key = {}\n", quoted(value));
            }
            "ca-file"
            | "certificate"
            | "certificate-key"
            | "service-account-file"
            | "client-key"
            | "client-certificate" => {
                // Commands may run in any folder, so the path must be absolute.
                let path = named::absolute(value.as_ref());
                rest += &format!(
                    "{} = {}\n",
                    flag.replace('-', "_"),
                    quoted(&path.to_string_lossy())
                );
            }
            flag => rest += &format!("{} = {}\n", flag.replace('-', "_"), quoted(value)),
        }
    }
    if !hosts.is_empty() {
        rest += &format!("trust_host = [{}]\n", hosts.join(", "));
    }
    for (name, table) in [("vars", vars), ("settings", rest)] {
        if !table.is_empty() {
            top += &format!("\n[{name}]\n{table}");
        }
    }
    if let Some(source) = before.and_then(SettingsFile::secret_source) {
        top += &format!("\n[secret]\n{}", source.lines());
    }
    let mut mail: Vec<(&str, &str)> = user.map(|user| ("user", user)).into_iter().collect();
    for protocol in Protocol::ALL {
        let server = before.and_then(|before| before.mail_server(protocol));
        mail.extend(server.map(|server| (protocol.key(), server)));
    }
    if !mail.is_empty() {
        top += "\n[mail]\n";
    }
    for (key, value) in mail {
        top += &format!("{key} = {}\n", quoted(value));
    }
    if let Some(store) = before.and_then(SettingsFile::store) {
        top += &format!("\n[store]\n{}", store.lines());
    }
    top += &before.map_or_else(String::new, |before| before.check().section());
    top
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::field::Key;
    use crate::store::seal::Seal;

    fn read(text: &str) -> Result<SettingsFile, SettingsError> {
        SettingsFile::parse(text.as_bytes(), "office.toml")
    }

    #[test]
    fn written_settings_file_restores_the_form() {
        let mut library = Library::default();
        let preset = library.get("microsoft-mail").unwrap();
        let mut settings = Settings::new(preset).with_browser(Browser::Elsewhere);
        settings.set(Key::Var(0), "contoso.example".to_owned());
        settings.set(Key::ClientId, "an \"id\" \\ with ü".to_owned());
        settings.set(Key::LoginHint, "alice@contoso.example".to_owned());
        settings.set_flow(FlowKind::AuthorizationCode);
        let before = "format = 1
[store]
kind = \"file\"
[check]
testing = true
refresh_idle = \"36h\"
[mail]
smtp = \"smtp.example.org:587 STARTTLS\"
";
        let before = read(before).unwrap();
        let text = write(&settings, Some("alice@contoso.example"), Some(&before));
        let file = read(&text).unwrap();
        let again = file.form(Browser::Elsewhere, &mut library).unwrap();
        assert_eq!(again.flags(), settings.flags());
        assert_eq!(file.user(), Some("alice@contoso.example"));
        assert_eq!(file.mail_server(Protocol::Imap), None);
        let smtp = file.mail_server(Protocol::Smtp);
        assert_eq!(smtp, Some("smtp.example.org:587 STARTTLS"));
        assert_eq!(file.preset(), "microsoft-mail");
        assert_eq!(file.check(), before.check());
        assert!(!text.contains("secret ="), "{text}");
    }

    #[test]
    fn certificate_store_path_is_not_made_absolute() {
        let mut settings = Settings::new(Library::default().get("custom").unwrap());
        let path = format!(r"Cert:\LocalMachine\My\{}", "0".repeat(40));
        settings.set(Key::ClientKey, path.clone());
        settings.set(Key::ClientCertificate, "c.pem".to_owned());
        let text = write(&settings, None, None);
        assert!(
            text.contains(&format!("client_key = {}", quoted(&path))),
            "{text}"
        );
        assert!(!text.contains("\"c.pem\""), "{text}");
    }

    #[test]
    fn mistakes_are_reported_with_their_position() {
        for (text, words) in [
            (
                "format = 1\nprset = \"x\"\n",
                "office.toml, line 2, column 1: unknown field `prset`. Rename or remove it. The fields here are format, preset, ",
            ),
            ("format = 1\n[settings\n", "line 2"),
            (
                "format = 1\n[check]\nrefresh_max = \"soon\"\n",
                "line 3, column 15: use a number with s, m, h or d",
            ),
            (
                "format = 2\nfuture = 1\n",
                "newer version of this program (format 2)",
            ),
            (
                "format = 1\n[check]\nrefresh_max = \"4000d\"\n",
                "line 3, column 15: the longest time is 3650d",
            ),
            ("format = 0\n", "format = 0 doesn't exist"),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for (text, words) in [
            ("", "line 1, column 1: Add the line format = 1 at the top."),
            (
                "preset = \"x\"\n",
                "line 1, column 1: Add the line format = 1 at the top.",
            ),
            (
                "format = \"1\"\n",
                "line 1, column 10: format is a string, but must be a number without quotes: format = 1.",
            ),
            (
                "format = 1\npreset = 5\n",
                "line 2, column 10: preset is a number, but must be a string in quotes.",
            ),
            (
                "format = 1\n[vars]\nhost = true\n",
                "line 3, column 8: host is true or false without quotes, but must be a string",
            ),
            (
                "format = 1\n[check]\nrefresh_max = \"30\"\n",
                "line 3, column 15: \"30\" has no unit. Add s, m, h or d, such as \"30d\".",
            ),
            (
                "format = 1\n[check]\nrefresh_idle = 30\n",
                "line 3, column 16: refresh_idle is a number, but must be a duration in quotes, such as \"30d\".",
            ),
            (
                "format = 1\n[check]\ntesting = \"yes\"\n",
                "line 3, column 11: testing is a string, but must be true or false without quotes.",
            ),
            (
                "format = 1\n[secret]\nexpires = \"2027-05-01\"\n",
                "line 3, column 11: expires is a string, but must be a date without quotation marks, such as 2027-05-01.",
            ),
            (
                "format = 1\n[secret]\ncommand = \"pass show x\"\n",
                "line 3, column 11: command is a string, but must be a list of strings, such as [\"pass\", \"show\", \"office\"].",
            ),
            (
                "format = 1\n[secret]\ncommand = [\"pass\", 5]\n",
                "command is a list, but must be a list of strings",
            ),
            (
                "format = 1\n[secret]\nfile = 5\n",
                "line 3, column 8: file is a number, but must be a string in quotes.",
            ),
            (
                "format = 1\n[store]\nkind = \"File\"\n",
                "line 3, column 8: kind is a string, but must be one of: \"file\", \"dpapi\", \"dpapi-machine\", \"command\".",
            ),
            // The first mistake in the file counts.
            (
                "format = 1\n[check]\nrefresh_max = 1\n[mail]\nuser = 1\n",
                "refresh_max is a number",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for (text, words) in [
            (
                "client_secret = \"s3cret\"\n",
                "line 3, column 1: The client secret can't be in [settings]. Remove it, and name",
            ),
            (
                "client-idd = \"x\"\n",
                "line 3, column 1: [settings] has the unknown setting client-idd.",
            ),
            (
                "flow = \"implicit\"\n",
                "line 3, column 8: flow is \"implicit\", but must be one of: device-code",
            ),
            (
                "pkce = true\n",
                "line 3, column 8: pkce is true or false without quotes, but must be one of: on, off.",
            ),
            (
                "scope = 5\n",
                "line 3, column 9: scope is a number, but must be a string in quotes.",
            ),
            (
                "issuer = [\"x\"]\n",
                "issuer is a list, but must be a string",
            ),
            ("login_hint = { a = 1 }\n", "login_hint is a table, but"),
            ("issuer = 2027-01-01\n", "issuer is a date, but"),
            (
                "trust_host = \"x\"\n",
                "line 3, column 14: trust_host must be a list of host names",
            ),
            (
                "trust_host = [5]\n",
                "trust_host must be a list of host names",
            ),
        ] {
            let file = read(&format!("format = 1\n[settings]\n{text}")).unwrap();
            let form = file.form(Browser::Here, &mut Library::default());
            let error = form.unwrap_err().to_string();
            assert!(
                error.starts_with("office.toml, line 3, column ") && error.contains(words),
                "{error}"
            );
        }
        for (text, words) in [
            ("format = 1\npreset = \"nothing\"\n", "nothing"),
            (
                "format = 1\npreset = \"github\"\n[vars]\nx = \"y\"\n",
                "no variable",
            ),
        ] {
            let form = read(text)
                .unwrap()
                .form(Browser::Here, &mut Library::default());
            let error = form.unwrap_err().to_string();
            assert!(
                error.starts_with("office.toml: ") && error.contains(words),
                "{error}"
            );
        }
    }

    #[test]
    fn store_kinds_are_parsed_and_dpapi_requires_windows() {
        for (kind, seal) in [
            ("file", Seal::Plain),
            ("dpapi", Seal::Dpapi),
            ("dpapi-machine", Seal::DpapiMachine),
        ] {
            let file = read(&format!("format = 1\n[store]\nkind = \"{kind}\"\n"));
            if cfg!(windows) || seal == Seal::Plain {
                let file = file.unwrap();
                let store = file.store().unwrap();
                assert_eq!((store.kind().name(), store.seal()), (kind, seal));
                // The store stays when the form is saved.
                let form = file.form(Browser::Elsewhere, &mut Library::default());
                let text = write(&form.unwrap(), None, Some(&file));
                assert_eq!(read(&text).unwrap().store(), Some(store));
            } else {
                let error = file.unwrap_err().to_string();
                assert!(error.contains("requires Windows"), "{error}");
            }
        }
        for text in [
            "kind = \"keyring\"",
            "kind = \"DPAPI\"",
            "",
            "kind = \"file\"\nfor = \"me\"",
        ] {
            let error = read(&format!("format = 1\n[store]\n{text}\n"));
            assert!(matches!(error, Err(SettingsError::Syntax { .. })), "{text}");
        }
    }
}
