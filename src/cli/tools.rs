//! The flags of the commands for existing tokens.

use std::time::Duration;

use clap::ValueEnum;

use super::profile::{ProfilesFlags, duration};
use crate::oauth::tools::TokenKind;
use crate::profile::name::ProfileName;

/// A token of a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TokenChoice {
    /// The access token
    Access,
    /// The refresh token
    Refresh,
}

impl From<TokenChoice> for TokenKind {
    fn from(choice: TokenChoice) -> Self {
        match choice {
            TokenChoice::Access => Self::Access,
            TokenChoice::Refresh => Self::Refresh,
        }
    }
}

/// The flags of `revoke`.
#[derive(Debug, clap::Args)]
pub struct RevokeFlags {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub profile: ProfileName,
    /// Revoke only this token. Default: the refresh token, then the access token
    #[arg(long, value_name = "TOKEN")]
    pub token: Option<TokenChoice>,
    /// Remove the tokens from the profile even if the service doesn't confirm that they are revoked
    #[arg(long)]
    pub forget: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

/// The flags of `introspect`.
#[derive(Debug, clap::Args)]
pub struct IntrospectFlags {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub profile: ProfileName,
    /// The token to ask about
    #[arg(long, value_name = "TOKEN", default_value = "access")]
    pub token: TokenChoice,
    /// How the service is asked.
    #[command(flatten)]
    pub ask: AskFlags,
}

/// The flags of `userinfo`.
#[derive(Debug, clap::Args)]
pub struct UserInfoFlags {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub profile: ProfileName,
    /// How the service is asked.
    #[command(flatten)]
    pub ask: AskFlags,
}

/// How the service is asked.
#[derive(Debug, clap::Args)]
pub struct AskFlags {
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    /// How long to wait for a refresh
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = duration)]
    pub wait: Duration,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

/// The flags of `inspect`.
#[derive(Debug, clap::Args)]
pub struct InspectFlags {
    /// Name of the profile, or - to read a token from standard input. A token is never accepted as an argument
    #[arg(value_name = "PROFILE | -", default_value = "-")]
    pub source: String,
    /// Request the keys of the profile's issuer, and check the signatures. No token is sent
    #[arg(long)]
    pub verify: bool,
    /// Print the claims as JSON
    #[arg(long)]
    pub json: bool,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}
