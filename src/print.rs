//! The result as a script wants it.

use clap::ValueEnum;

use crate::oauth::token::TokenSet;
use crate::secret::{ExposeSecret, SecretString};

/// What goes to standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Print {
    /// The bearer token.
    AccessToken,
    /// The refresh token.
    RefreshToken,
    /// The ID token.
    IdToken,
    /// All of it, as one line of JSON.
    Json,
}

impl Print {
    /// The text without a line end.
    ///
    /// # Errors
    /// A sentence, where the service gave no such token.
    pub fn text(self, set: &TokenSet) -> Result<SecretString, String> {
        let missing = |name: &str| format!("The service gave no {name}.");
        match self {
            Self::AccessToken => Ok(set.access_token.clone()),
            Self::RefreshToken => set
                .refresh_token
                .clone()
                .ok_or_else(|| missing("refresh token")),
            Self::IdToken => set.id_token.clone().ok_or_else(|| missing("ID token")),
            Self::Json => Ok(json(set)),
        }
    }
}

/// All tokens and what is known of them, named as in RFC 6749, section 5.1.
#[must_use]
pub fn json(set: &TokenSet) -> SecretString {
    let mut members = serde_json::Map::new();
    let mut put = |name: &str, value: Option<serde_json::Value>| {
        if let Some(value) = value {
            members.insert(name.to_owned(), value);
        }
    };
    let text = |secret: &SecretString| secret.expose_secret().into();
    put("access_token", Some(text(&set.access_token)));
    put("token_type", Some(set.token_type.as_str().into()));
    put("expires_in", set.expires_in.map(Into::into));
    put("refresh_token", set.refresh_token.as_ref().map(text));
    put("id_token", set.id_token.as_ref().map(text));
    put(
        "scope",
        set.scope.as_ref().map(|scope| scope.join(" ").into()),
    );
    // What the preset keeps has the service's own names, and never replaces a token.
    for kept in &set.kept {
        if !members.contains_key(&kept.name) {
            members.insert(kept.name.clone(), text(&kept.value));
        }
    }
    serde_json::Value::Object(members).to_string().into()
}
