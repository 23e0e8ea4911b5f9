//! The flags of the commands that use profiles.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, ValueEnum};

use super::mailbox::mailbox;
use crate::presets::span::Span;
use crate::profile::account;
use crate::profile::name::ProfileName;
use crate::profile::places::{Owner, Place, Places};
use crate::profile::store_kind::{Store, StoreKind};
use crate::quote;

/// The folder of the profiles.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ProfilesFlags {
    /// Look for profiles in this folder only, both settings and tokens
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PROFILES",
        hide_env_values = true,
        value_name = "FOLDER"
    )]
    pub profiles: Option<PathBuf>,
}

impl ProfilesFlags {
    /// Returns the folder, if the user gave one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.profiles.as_deref()
    }
}

/// The profiles that the form opens and that a sign-in is saved to.
#[derive(Debug, Default, clap::Args)]
pub struct ProfileFlags {
    /// Open this profile in the form; with --plain, sign in with its settings
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_PROFILE",
        hide_env_values = true,
        value_name = "NAME",
        conflicts_with_all = ["demo", "preset", "preset_file"]
    )]
    pub profile: Option<ProfileName>,
    /// With --plain: save the tokens and settings as this profile (default: the one of --profile)
    #[arg(long, value_name = "NAME", num_args = 0..=1, requires = "plain", conflicts_with = "demo")]
    pub save: Option<Option<ProfileName>>,
    /// Save the profile for this machine instead of for you; requires root or administrator rights
    #[arg(long, requires = "save")]
    pub machine: bool,
    /// Windows: the account that may use the tokens of --machine, such as NT SERVICE\Name
    #[arg(long = "for", value_name = "ACCOUNT", requires = "machine")]
    pub account: Option<String>,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

/// The files of the profiles named by the flags.
#[derive(Debug, Default)]
pub struct NamedProfiles {
    /// The profile whose settings fill in the form.
    pub open: Option<Place>,
    /// The profile to save the tokens and settings to.
    pub save: Option<Place>,
}

impl ProfileFlags {
    /// Finds the profiles named by `--profile` and `--save`.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if a profile can't be found.
    pub fn find(&self) -> Result<NamedProfiles, String> {
        if self.profile.is_none() && self.save.is_none() {
            return Ok(NamedProfiles::default());
        }
        let named = self.profiles.profiles.as_deref();
        let places = Places::new(named).map_err(|error| error.to_string())?;
        let open = self.profile.as_ref().map(|name| {
            let place = places.get(name);
            place.map_err(|error| format!("{error} {}", error.hint()))
        });
        let open = open.transpose()?;
        let account = self.account.as_deref().map(account::find).transpose()?;
        let place = |name| {
            let place = places.place(name, self.machine);
            let mut place = place.map_err(|error| error.to_string())?;
            if account.is_some() && place.owner != Owner::Machine {
                return Err(
                    "--for can't be combined with --profiles: that folder is yours.".to_owned(),
                );
            }
            place.account.clone_from(&account);
            Ok(place)
        };
        let save = match (&self.save, &open) {
            (None, _) => None,
            (Some(None), None) => {
                return Err("--save requires a name, such as --save office.".to_owned());
            }
            (Some(None), Some(open)) if !self.machine => Some(open.clone()),
            (Some(None), Some(open)) => Some(place(&open.name)?),
            (Some(Some(name)), _) => Some(place(name)?),
        };
        Ok(NamedProfiles { open, save })
    }
}

/// What `token` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The access token alone
    Raw,
    /// A JSON object with the token, its type, expiry and scope
    Json,
    /// An HTTP header: Authorization: Bearer …
    Header,
    /// Two assignments for a POSIX shell
    Env,
    /// The same for PowerShell
    EnvPowershell,
    /// A configuration for curl -K -
    Curl,
    /// The initial response of SASL XOAUTH2, in base64
    Xoauth2,
    /// The initial response of SASL OAUTHBEARER, in base64
    Oauthbearer,
    /// The response of a Git credential helper
    Git,
    /// The text of --template
    Template,
}

/// The flags of `token`.
#[derive(Debug, clap::Args)]
pub struct TokenFlags {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub profile: ProfileName,
    /// What git asks its credential helper: get, store or erase
    #[arg(value_name = "ACTION", hide = true)]
    pub action: Option<String>,
    /// Refresh the token unless it is valid for this long
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = duration)]
    pub min_valid: Duration,
    /// What to print. Default: raw, or template with --template
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<TokenFormat>,
    /// Text with {access_token}, {token_type}, {expires_at}, {expires_in}, {scope}, {user}, {id_token}, {profile}; |json,
    /// |url, |base64 or |sh in the braces encode the value
    #[arg(long, value_name = "TEXT")]
    pub template: Option<String>,
    /// Mailbox for the formats that need one. Default: that of the profile
    #[arg(long, value_name = "ADDRESS", value_parser = mailbox)]
    pub user: Option<String>,
    /// Write to this file instead of standard output, readable by you alone; - is standard output
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Permissions of that file: 600, 640 or 644. Default: 600, or 640 with --group
    #[arg(long, value_name = "MODE", requires = "output", value_parser = mode)]
    pub mode: Option<u32>,
    /// Group of that file. You must be a member of it, or root
    #[cfg(unix)]
    #[arg(long, value_name = "GROUP", requires = "output")]
    pub group: Option<String>,
    /// How long to wait for a refresh
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration)]
    pub wait: Duration,
    /// Don't refresh
    #[arg(long)]
    pub offline: bool,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

impl TokenFlags {
    /// Returns what to print.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if the format and the template contradict each other.
    pub fn format(&self) -> Result<TokenFormat, &'static str> {
        match (self.format, &self.template) {
            (None | Some(TokenFormat::Template), Some(_)) => Ok(TokenFormat::Template),
            (Some(TokenFormat::Template), None) => {
                Err("--format template requires --template TEXT.")
            }
            (Some(_), Some(_)) => {
                Err("--template can't be combined with another --format. Omit one of them.")
            }
            (format, None) => Ok(format.unwrap_or(TokenFormat::Raw)),
        }
    }

    /// Returns the flags of `token PROFILE` with their defaults.
    pub(super) fn of(profile: ProfileName) -> Self {
        Self {
            profile,
            action: None,
            min_valid: Duration::from_mins(1),
            format: None,
            template: None,
            user: None,
            output: None,
            mode: None,
            #[cfg(unix)]
            group: None,
            wait: Duration::from_secs(45),
            offline: false,
            profiles: ProfilesFlags::default(),
        }
    }
}

/// The flags of `refresh`.
#[derive(Debug, clap::Args)]
pub struct RefreshFlags {
    /// Names of the profiles
    #[arg(value_name = "PROFILE", required_unless_present = "all")]
    pub names: Vec<ProfileName>,
    /// Refresh all profiles
    #[arg(long, conflicts_with = "names")]
    pub all: bool,
    /// Refresh only profiles whose tokens are older than this, such as 12h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub older_than: Option<Duration>,
    /// How long to wait for each
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration)]
    pub wait: Duration,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

/// The flags of the keeper.
#[derive(Debug, clap::Args)]
pub struct KeepFlags {
    /// Name of the profile
    pub profile: ProfileName,
    /// The generation of the record that the caller has
    #[arg(long)]
    pub generation: u64,
    /// The number of the last attempt that had ended
    #[arg(long)]
    pub attempt: u64,
    /// Write tokens that can't be stored to standard output, a pipe of the caller
    #[arg(long)]
    pub hand_over: bool,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

/// Where tokens are kept.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StoreFlag {
    /// A file that only you can read
    File,
    /// Windows: a file that is encrypted for you
    Dpapi,
    /// Windows: a file that is encrypted for this machine
    DpapiMachine,
    /// The store of another program, such as pass; requires --read and --write
    Command,
}

impl From<StoreFlag> for StoreKind {
    fn from(flag: StoreFlag) -> Self {
        match flag {
            StoreFlag::File => Self::File,
            StoreFlag::Dpapi => Self::Dpapi,
            StoreFlag::DpapiMachine => Self::DpapiMachine,
            StoreFlag::Command => Self::Command,
        }
    }
}

/// The commands of a store of the kind `command`.
#[derive(Debug, clap::Args)]
pub struct StoreFlags {
    /// Command that prints the tokens, such as "pass show oauth/office"
    #[arg(long, value_name = "COMMAND")]
    pub read: Option<String>,
    /// Command that stores its standard input, such as "pass insert -mf oauth/office"
    #[arg(long, value_name = "COMMAND")]
    pub write: Option<String>,
}

impl StoreFlags {
    /// Returns the store of this kind.
    ///
    /// # Errors
    /// Returns the reason, as a sentence, if the flags don't describe a valid store.
    pub fn store(&self, kind: StoreFlag) -> Result<Store, String> {
        let words = |name: &str, command: Option<&String>| match command {
            None => Ok(Vec::new()),
            Some(command) => quote::split(command)
                .ok_or_else(|| format!("The command of --{name} has an unclosed quotation mark.")),
        };
        let read = words("read", self.read.as_ref())?;
        Store::new(kind.into(), read, words("write", self.write.as_ref())?)
    }
}

/// The commands of `profiles`.
#[derive(Debug, clap::Subcommand)]
pub enum ProfilesCommand {
    /// List all profiles: name, preset, user, state and owner, separated by tabs
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Show the settings of a profile and facts about its tokens; prints no secret
    Show {
        /// Name of the profile
        name: ProfileName,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Check what is wrong with profiles now, and what will break next and when. Sends nothing
    ///
    /// Exit code 0 if all is well, 12 if something will break soon, otherwise that of the worst problem: 2 for settings, 7 if a
    /// user must sign in again, 9 for files.
    Check {
        /// Names of the profiles; all profiles if omitted
        #[arg(value_name = "PROFILE")]
        names: Vec<ProfileName>,
        /// Check all profiles
        #[arg(long, conflicts_with = "names")]
        all: bool,
        /// How far ahead to look
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
        within: Duration,
        /// Print only what needs attention, nothing if all is well
        #[arg(short, long, conflicts_with = "json")]
        quiet: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Save settings as a profile without signing in; takes the flags of the form
    ///
    /// Existing tokens are kept. The flags are those of `oauth-authorizer --help`: --preset, --client-id, --scope and so
    /// on.
    Save {
        /// Name of the profile
        name: ProfileName,
        /// Save it for this machine instead of for you; requires root or administrator rights
        #[arg(long)]
        machine: bool,
        /// Where to keep the tokens and the client secret. Default: file, on Windows dpapi or dpapi-machine
        #[arg(long, value_name = "KIND")]
        store: Option<StoreFlag>,
        /// The commands of the store.
        #[command(flatten)]
        commands: StoreFlags,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
        /// Flags of the form; --profile starts with the settings of a profile
        #[arg(
            value_name = "FLAGS",
            trailing_var_arg = true,
            allow_hyphen_values = true
        )]
        flags: Vec<OsString>,
    },
    /// Write a profile, with its tokens and client secret, to a file encrypted with age
    ///
    /// Don't use the same profile on two computers if the service replaces refresh tokens: the second one is signed out.
    #[command(group = ArgGroup::new("encryption").args(["recipient", "passphrase"]).required(true))]
    Export {
        /// Name of the profile
        name: ProfileName,
        /// The file; standard output if omitted or -
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        /// Encrypt for this recipient, as `age -r`. May be repeated
        #[arg(short, long, value_name = "RECIPIENT")]
        recipient: Vec<String>,
        /// Encrypt with a passphrase, as `age -p`; age asks for it
        #[arg(short, long)]
        passphrase: bool,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Import a profile from a file created by `profiles export`
    Import {
        /// The file; - is standard input
        file: PathBuf,
        /// File with the identity to decrypt with, as `age -i`
        #[arg(long, value_name = "FILE")]
        identity: Option<PathBuf>,
        /// Give the profile this name
        #[arg(long = "as", value_name = "NAME")]
        name: Option<ProfileName>,
        /// If the profile exists, replace its tokens only if those in the file are newer
        #[arg(long)]
        if_newer: bool,
        /// Accept settings that name a command to run
        #[arg(long)]
        allow_commands: bool,
        /// Import it for this machine instead of for you; requires root or administrator rights
        #[arg(long)]
        machine: bool,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Move the tokens and the client secret of a profile to another store
    ///
    /// The commands are run without a shell. If the tokens were in the store of another program, delete them there afterwards.
    Store {
        /// Name of the profile
        name: ProfileName,
        /// The store
        kind: StoreFlag,
        /// The commands of the store.
        #[command(flatten)]
        commands: StoreFlags,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Rename a profile
    Rename {
        /// Name of the profile
        name: ProfileName,
        /// The new name
        to: ProfileName,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
    /// Delete a profile: its settings, tokens and client secret. Revokes the tokens only with --revoke
    Delete {
        /// Name of the profile
        name: ProfileName,
        /// Revoke the tokens at the service first. Delete nothing if the service doesn't confirm it
        #[arg(long)]
        revoke: bool,
        /// Don't revoke the tokens (default)
        #[arg(long, conflicts_with = "revoke")]
        no_revoke: bool,
        /// The folder of the profiles.
        #[command(flatten)]
        profiles: ProfilesFlags,
    },
}

/// Parses a duration, such as 90s, 5m or 12h; a bare number is in seconds.
pub(super) fn duration(text: &str) -> Result<Duration, &'static str> {
    text.parse()
        .map(|Span(seconds)| Duration::from_secs(seconds))
}

/// Parses permissions in octal: only the owner may write, and no one may execute.
fn mode(text: &str) -> Result<u32, String> {
    let mode = u32::from_str_radix(text, 8).ok();
    mode.filter(|mode| mode & !0o644 == 0 && mode & 0o400 != 0)
        .ok_or_else(|| "use 600, 640 or 644".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_accept_units() {
        for (text, seconds) in [
            ("60", Some(60)),
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("12h", Some(43_200)),
            ("2d", Some(172_800)),
            ("", None),
            ("m", None),
            ("-1s", None),
            ("1.5h", None),
            ("5 m", None),
            ("99999999999999999999", None),
            ("9999999999999999d", None),
        ] {
            let read = duration(text).ok().map(|time| time.as_secs());
            assert_eq!(read, seconds, "{text}");
        }
    }

    #[test]
    fn file_modes_allow_only_the_owner_to_write() {
        assert_eq!((mode("600"), mode("640")), (Ok(0o600), Ok(0o640)));
        assert!(mode("666").is_err() && mode("755").is_err() && mode("x").is_err());
    }
}
