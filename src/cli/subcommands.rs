//! The subcommands of the program.

use std::path::PathBuf;

use super::flags::{ListenerFlag, PlaceFlags};
use super::mail::MailTestFlags;
use super::profile::{KeepFlags, ProfilesCommand, RefreshFlags, TokenFlags};
use super::tools::{InspectFlags, IntrospectFlags, RevokeFlags, UserInfoFlags};
use crate::form::listen_address::ListenAddress;

/// What to do instead of signing in.
#[derive(Debug, clap::Subcommand)]
pub enum Subcommand {
    /// Print a valid access token of a profile, for scripts. Refreshes it when needed
    Token(TokenFlags),
    /// Get newer tokens for profiles, and store them
    Refresh(RefreshFlags),
    /// List, show, check, save, rename, delete, export or import profiles
    Profiles {
        /// What to do.
        #[command(subcommand)]
        command: ProfilesCommand,
    },
    /// Revoke the tokens of a profile at the service, and remove them from the profile
    Revoke(RevokeFlags),
    /// Ask the service whether it accepts a token of a profile. Exit code 11 if it doesn't
    Introspect(IntrospectFlags),
    /// Ask the service who the access token of a profile belongs to
    Userinfo(UserInfoFlags),
    /// Show the claims of a token: times, audience, what it is for. Works offline
    Inspect(InspectFlags),
    /// Sign in to the mail servers of a profile with its token, and explain what fails. Sends no mail
    MailTest(MailTestFlags),
    /// Refresh a profile for other processes
    #[command(hide = true)]
    KeepToken(KeepFlags),
    /// Print completions for a shell
    Completions {
        /// The shell to complete for
        shell: clap_complete::Shell,
    },
    /// List, show or check presets
    Presets {
        /// What to do.
        #[command(subcommand)]
        command: PresetsCommand,
    },
    /// Set up, verify or remove this machine's redirect listener configuration
    Configure {
        /// What to do.
        #[command(subcommand)]
        command: ConfigureCommand,
    },
    /// Show what was detected about this terminal and computer: clipboard, browser, colors, tunnel
    Doctor(DoctorFlags),
    /// Explain an OAuth error: cause, fix, the field to change, and the source. Works offline
    Explain(ExplainFlags),
    /// Print the manual page, or write the pages of all commands to a folder
    Man(ManFlags),
}

/// The flags of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorFlags {
    /// Copy a harmless text the way a token would be copied, and report what is certain
    #[arg(long)]
    pub test_copy: bool,
    /// What overrides auto-detection.
    #[command(flatten)]
    pub place: PlaceFlags,
}

/// Where `man` writes.
#[derive(Debug, clap::Args)]
pub struct ManFlags {
    /// Write one page per command to this folder, instead of printing the first
    #[arg(long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

/// What `explain` is about.
#[derive(Debug, clap::Args)]
pub struct ExplainFlags {
    /// An error code, such as AADSTS50011 or invalid_grant, or a text with one in it; read from standard input if omitted
    #[arg(
        value_name = "CODE-OR-TEXT",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub text: Vec<String>,
    /// Preset of the service that reported the error; its explanations take precedence
    #[arg(long, value_name = "ID")]
    pub preset: Option<String>,
}

/// The commands of `configure`.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigureCommand {
    /// Create what the listener needs. On Windows: the URL reservation and the certificate binding, as administrator
    Setup(ConfigureFlags),
    /// Check whether the listener can work. Exit code 6 if it cannot
    Verify(ConfigureFlags),
    /// Remove what setup created
    Delete(ConfigureFlags),
}

/// The flags of `configure`.
#[derive(Debug, clap::Args)]
pub struct ConfigureFlags {
    /// Where the browser returns after sign-in
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_REDIRECT_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub redirect_url: String,
    /// Windows: the account that listens, as DOMAIN\name or a security identifier. Default: the current user
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Windows: SHA-1 thumbprint of the https certificate in the machine's store MY
    #[arg(long, value_name = "HEX")]
    pub thumbprint: Option<String>,
    /// Listener to set up. Default: HTTP.sys on Windows, otherwise the loopback listener
    #[arg(long, value_enum, default_value_t = ListenerFlag::Auto, env = "OAUTH_AUTHORIZER_LISTENER", hide_env_values = true, value_name = "LISTENER")]
    pub listener: ListenerFlag,
    /// Windows: don't ask for consent to run as administrator. Fail, and print the commands
    #[arg(long)]
    pub no_consent: bool,
    /// Local address to listen on, instead of the redirect URL's. Not on Windows
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LISTEN_ADDRESS",
        hide_env_values = true,
        value_name = "IP[:PORT]"
    )]
    pub listen_address: Option<ListenAddress>,
}

/// The commands of `presets`.
#[derive(Debug, clap::Subcommand)]
pub enum PresetsCommand {
    /// List all presets: ID, name, group and remarks, separated by tabs
    List,
    /// Print a preset's TOML (a starting point for your own)
    Show {
        /// ID of the preset
        id: String,
    },
    /// Check a preset file for errors
    Check {
        /// The file
        file: PathBuf,
    },
}
