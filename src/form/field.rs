//! The fields of the form: their order, their names, and whether they can be changed.

/// A field of the form, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// The preset of the service.
    Preset,
    /// A variable of the preset, by its position in the preset.
    Var(usize),
    /// The client ID as registered.
    ClientId,
    /// The client secret; masked on screen.
    ClientSecret,
    /// The scopes, separated by spaces.
    Scope,
    /// The flow.
    Flow,
    /// The path of a service account's key file.
    KeyFile,
    /// The user that the service account impersonates.
    Subject,
    /// The URL that the service sends the browser back to.
    RedirectUrl,
    /// The authorization endpoint (RFC 6749, section 3.1).
    AuthorizationUrl,
    /// The device authorization endpoint (RFC 8628, section 3.1).
    DeviceUrl,
    /// The token endpoint (RFC 6749, section 3.2).
    TokenUrl,
    /// Advanced: the issuer identifier (RFC 8414).
    Issuer,
    /// Advanced: how the client authenticates.
    ClientAuthentication,
    /// Advanced: the private key of the client.
    ClientKey,
    /// Advanced: the ID of that key (`kid`) at the service.
    ClientKeyId,
    /// Advanced: the certificate of that key.
    ClientCertificate,
    /// Advanced: further parameters, as `name=value&name=value`.
    ExtraParameters,
    /// Advanced: the account to sign in with.
    LoginHint,
    /// Advanced: whether PKCE is used.
    Pkce,
    /// Advanced: a CA certificate that is trusted in addition to those of the system.
    CaFile,
    /// Advanced: the address to listen on instead of the redirect URL's.
    ListenAddress,
    /// Advanced: the certificate of an https redirect URL on this machine.
    Certificate,
    /// Advanced: the private key of that certificate.
    CertificateKey,
}

/// The fields that are always shown, after the preset and its variables.
pub(super) const BASIC: &[Key] = &[
    Key::ClientId,
    Key::ClientSecret,
    Key::Scope,
    Key::Flow,
    Key::KeyFile,
    Key::Subject,
    Key::RedirectUrl,
    Key::AuthorizationUrl,
    Key::DeviceUrl,
    Key::TokenUrl,
];

/// The fields under Advanced, which can be collapsed.
pub const ADVANCED: &[Key] = &[
    Key::Issuer,
    Key::ClientAuthentication,
    Key::ClientKey,
    Key::ClientKeyId,
    Key::ClientCertificate,
    Key::ExtraParameters,
    Key::LoginHint,
    Key::Pkce,
    Key::CaFile,
    Key::ListenAddress,
    Key::Certificate,
    Key::CertificateKey,
];

impl Key {
    /// Returns the name on screen. The name of a variable is in its preset.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Preset => "Preset",
            Self::Var(_) => "Variable",
            Self::ClientId => "Client ID",
            Self::ClientSecret => "Client secret",
            Self::Scope => "Scope",
            Self::Flow => "Flow",
            Self::KeyFile => "Key file",
            Self::Subject => "Subject",
            Self::RedirectUrl => "Redirect URL",
            Self::AuthorizationUrl => "Auth. code URL",
            Self::DeviceUrl => "Device code URL",
            Self::TokenUrl => "Token ex. URL",
            Self::Issuer => "Issuer",
            Self::ClientAuthentication => "Client auth.",
            Self::ClientKey => "Client key",
            Self::ClientKeyId => "Key ID",
            Self::ClientCertificate => "Client certificate",
            Self::ExtraParameters => "Extra parameters",
            Self::LoginHint => "Login hint",
            Self::Pkce => "PKCE",
            Self::CaFile => "CA file",
            Self::ListenAddress => "Listen address",
            Self::Certificate => "Certificate",
            Self::CertificateKey => "Certificate key",
        }
    }

    /// Returns the field with this name in files. `vars` is the first variable of the preset.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "preset" => Self::Preset,
            "vars" => Self::Var(0),
            "client_id" => Self::ClientId,
            "client_secret" => Self::ClientSecret,
            "scope" => Self::Scope,
            "flow" => Self::Flow,
            "service_account_file" => Self::KeyFile,
            "subject" => Self::Subject,
            "redirect_url" => Self::RedirectUrl,
            "authorization_url" => Self::AuthorizationUrl,
            "device_url" => Self::DeviceUrl,
            "token_url" => Self::TokenUrl,
            "issuer" => Self::Issuer,
            "client_authentication" => Self::ClientAuthentication,
            "client_key" => Self::ClientKey,
            "client_key_id" => Self::ClientKeyId,
            "client_certificate" => Self::ClientCertificate,
            "extra_parameters" => Self::ExtraParameters,
            "login_hint" => Self::LoginHint,
            "pkce" => Self::Pkce,
            "ca_file" => Self::CaFile,
            "listen_address" => Self::ListenAddress,
            "certificate" => Self::Certificate,
            "certificate_key" => Self::CertificateKey,
            _ => return None,
        })
    }

    /// Returns whether this is a text field. The other fields are chosen from a list.
    #[must_use]
    pub fn is_text(self) -> bool {
        !matches!(
            self,
            Self::Preset | Self::Flow | Self::ClientAuthentication | Self::Pkce
        )
    }
}

/// Whether a field can be changed, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The field can be changed.
    Editable,
    /// The preset or the metadata sets the value.
    Locked,
    /// The field belongs to another flow.
    OtherFlow,
    /// The service doesn't offer the endpoint or flow.
    NotOffered,
}

/// Where the value of a field comes from, if the user didn't enter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The preset.
    Preset,
    /// The metadata of the issuer.
    Metadata,
}
