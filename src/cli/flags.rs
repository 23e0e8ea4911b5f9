//! The types of flag values, and the flags about the terminal and machine.

use clap::ValueEnum;

use crate::console::environment::Environment;
use crate::form::choices::{AuthenticationChoice, ListenerChoice};
use crate::oauth::flow_kind::FlowKind;

/// Corrections to what was detected about the terminal and the machine.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct PlaceFlags {
    /// Never open a browser
    #[arg(long, env = "OAUTH_AUTHORIZER_NO_BROWSER", hide_env_values = true, value_parser = clap::builder::FalseyValueParser::new())]
    pub no_browser: bool,
    /// When to use colors. 16 means always, none means never
    #[arg(
        long = "color",
        alias = "colour",
        env = "OAUTH_AUTHORIZER_COLOR",
        hide_env_values = true,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub color: ColorFlag,
    /// When to make URLs clickable (OSC 8)
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_LINKS",
        hide_env_values = true,
        value_name = "WHEN",
        default_value = "auto"
    )]
    pub links: LinksFlag,
    /// Characters to draw with
    #[arg(
        long,
        env = "OAUTH_AUTHORIZER_GLYPHS",
        hide_env_values = true,
        value_name = "WHICH",
        default_value = "auto"
    )]
    pub glyphs: GlyphsFlag,
}

/// The value of `--color`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ColorFlag {
    /// If the terminal supports them.
    #[default]
    Auto,
    /// The 16 ANSI colors.
    #[value(alias = "16")]
    Always,
    /// No colors.
    #[value(alias = "none")]
    Never,
}

/// The value of `--links`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum LinksFlag {
    /// If the terminal is known to support it.
    #[default]
    Auto,
    /// No links.
    #[value(alias = "never")]
    None,
}

/// The value of `--glyphs`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum GlyphsFlag {
    /// What the locale supports.
    #[default]
    Auto,
    /// All UTF-8 characters.
    Utf8,
    /// ASCII only.
    Ascii,
}

impl PlaceFlags {
    /// Returns `environment` with these corrections.
    #[must_use]
    pub fn over(&self, mut environment: Environment) -> Environment {
        environment.no_browser = self.no_browser;
        let asked = "set by a flag or environment variable";
        environment.no_links = matches!(self.links, LinksFlag::None);
        match self.color {
            ColorFlag::Auto => {}
            ColorFlag::Always => (environment.colors, environment.why.colors) = (true, asked),
            ColorFlag::Never => (environment.colors, environment.why.colors) = (false, asked),
        }
        match self.glyphs {
            GlyphsFlag::Auto => {}
            GlyphsFlag::Utf8 => (environment.utf8, environment.why.utf8) = (true, asked),
            GlyphsFlag::Ascii => (environment.utf8, environment.why.utf8) = (false, asked),
        }
        environment
    }
}

/// The value of `--flow`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum FlowFlag {
    /// You enter a code in a browser on any device.
    DeviceCode,
    /// The browser returns to this machine.
    AuthorizationCode,
    /// No user: the client gets a token for itself.
    ClientCredentials,
    /// No user: gets a token with the key of a service account.
    ServiceAccount,
}

impl FlowFlag {
    /// Returns the flow as used in the form.
    #[must_use]
    pub fn kind(self) -> FlowKind {
        match self {
            Self::DeviceCode => FlowKind::DeviceCode,
            Self::AuthorizationCode => FlowKind::AuthorizationCode,
            Self::ClientCredentials => FlowKind::ClientCredentials,
            Self::ServiceAccount => FlowKind::JwtBearer,
        }
    }
}

/// The value of `--client-authentication`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum AuthenticationFlag {
    /// What the preset prefers.
    Automatic,
    /// The client secret in the request body.
    Post,
    /// The client secret in the Authorization header.
    Basic,
    /// A JWT signed with the client secret.
    ClientSecretJwt,
    /// A JWT signed with the client key.
    PrivateKeyJwt,
    /// The client certificate.
    MutualTls,
}

impl AuthenticationFlag {
    /// Returns the choice as used in the form.
    #[must_use]
    pub fn choice(self) -> AuthenticationChoice {
        match self {
            Self::Automatic => AuthenticationChoice::Automatic,
            Self::Post => AuthenticationChoice::Post,
            Self::Basic => AuthenticationChoice::Basic,
            Self::ClientSecretJwt => AuthenticationChoice::SecretJwt,
            Self::PrivateKeyJwt => AuthenticationChoice::KeyJwt,
            Self::MutualTls => AuthenticationChoice::MutualTls,
        }
    }
}

/// The value of `--listener`.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum ListenerFlag {
    /// HTTP.sys on Windows if it is allowed, otherwise the loopback listener.
    #[default]
    Auto,
    /// Only HTTP.sys, on Windows.
    Httpsys,
    /// The loopback listener.
    Loopback,
}

impl ListenerFlag {
    /// Returns the choice as used in the form.
    #[must_use]
    pub fn choice(self) -> ListenerChoice {
        match self {
            Self::Auto => ListenerChoice::Auto,
            Self::Httpsys => ListenerChoice::HttpSys,
            Self::Loopback => ListenerChoice::Loopback,
        }
    }
}

/// The value of `--pkce`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Switch {
    /// Use PKCE.
    On,
    /// Don't use PKCE.
    Off,
}
