//! The commands of the program.

use std::path::PathBuf;

use super::flags::{ListenerFlag, PlaceFlags};
use crate::form::listen_address::ListenAddress;

/// A command other than to authorize.
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

/// The flags of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorFlags {
    /// Copy a harmless text the way that a token would be copied, and say what is certain about it.
    #[arg(long)]
    pub test_copy: bool,
    /// Corrections to what was detected.
    #[command(flatten)]
    pub place: PlaceFlags,
}

/// The commands of `configure`.
#[derive(Debug, clap::Subcommand)]
pub enum ConfigureCommand {
    /// Write what the listener needs: on Windows, as administrator, the URL reservation and the certificate binding.
    Setup(ConfigureFlags),
    /// Look whether the listener can work; exit code 6 where it cannot.
    Verify(ConfigureFlags),
    /// Remove what setup wrote.
    Delete(ConfigureFlags),
}

/// The flags of `configure`.
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

/// The commands of `presets`.
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
