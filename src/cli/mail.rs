//! The flags of `mail-test`.

use clap::ValueEnum;

use super::mailbox::{checked_mailbox, mailbox};
use super::profile::ProfilesFlags;
use crate::mail::sasl::Mechanism;
use crate::mail::server::{Address, Protocol};
use crate::profile::name::ProfileName;

impl ValueEnum for Protocol {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(self.key().into())
    }
}

impl ValueEnum for Mechanism {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(match self {
            Self::Xoauth2 => "xoauth2".into(),
            Self::Oauthbearer => "oauthbearer".into(),
        })
    }
}

/// The flags of `mail-test`.
#[derive(Debug, clap::Args)]
pub struct MailTestFlags {
    /// Name of the profile
    #[arg(value_name = "PROFILE")]
    pub profile: ProfileName,
    /// Protocols to test. Default: all that the profile or its preset has a server for
    #[arg(value_name = "PROTOCOL", value_enum)]
    pub protocols: Vec<Protocol>,
    /// Mailbox to sign in to. Default: that of the profile
    #[arg(long, value_name = "ADDRESS", value_parser = mailbox)]
    pub user: Option<String>,
    /// Server to test, as HOST:PORT:TLS or HOST:PORT:STARTTLS, instead of those of the profile
    #[arg(long, value_name = "SERVER", value_parser = Address::parse)]
    pub server: Option<Address>,
    /// SASL mechanism to use. Default: the best that the server offers
    #[arg(long, value_name = "MECHANISM", value_enum, ignore_case = true)]
    pub mechanism: Option<Mechanism>,
    /// Show the lines exchanged with the server. The token is redacted; only its length is shown
    #[arg(long, conflicts_with = "json")]
    pub transcript: bool,
    /// Print JSON, with the lines exchanged
    #[arg(long)]
    pub json: bool,
    /// The folder of the profiles.
    #[command(flatten)]
    pub profiles: ProfilesFlags,
}

impl MailTestFlags {
    /// Returns the mailbox: the one in the flags, or else that of the profile.
    ///
    /// # Errors
    /// Returns an error, as a sentence, if it is missing or invalid.
    pub fn mailbox(&self, of_profile: Option<&str>) -> Result<String, String> {
        let text = self.user.as_deref().or(of_profile);
        let text = text.ok_or(
            "The profile has no mailbox. Add --user ADDRESS, or [mail] user = \"ADDRESS\" to its settings.",
        )?;
        Ok(checked_mailbox(text)?.to_owned())
    }
}
