//! The endpoints for existing tokens: revocation, introspection and user info.

use url::Url;

use crate::clean::clean;
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::oauth::discovery::Metadata;
use crate::oauth::tools::{TokenKind, Tool};
use crate::oauth::url::endpoint;
use crate::presets::Confidence;

/// Why an endpoint can't be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotOffered {
    /// The reason, as a sentence.
    pub reason: String,
    /// What to use instead, as a sentence.
    pub instead: Option<String>,
}

impl Settings {
    /// Returns the name of the service for use in a sentence.
    fn service(&self) -> String {
        if self.preset().is_custom() {
            "this service".to_owned()
        } else {
            self.preset().name.clone()
        }
    }

    /// Returns the endpoint for `tool`, from the preset or the metadata. The metadata overrides an unverified preset.
    ///
    /// # Errors
    /// Returns why there is no endpoint.
    pub fn tool_url(&self, tool: Tool, metadata: Option<&Metadata>) -> Result<Url, NotOffered> {
        let preset = self.preset();
        if let Some(why) = &preset.tools.of(tool).unsupported {
            return Err(self.not_offered(tool, format!("{}: {why}.", self.unused(tool))));
        }
        let own = match tool {
            Tool::Revocation => &preset.endpoints.revocation,
            Tool::Introspection => &preset.endpoints.introspection,
            Tool::UserInfo => &preset.endpoints.userinfo,
        };
        let own = own
            .as_deref()
            .and_then(|url| endpoint(&self.fill(url)).ok());
        let found = metadata.and_then(|metadata| {
            let (url, alias) = match tool {
                Tool::Revocation => (&metadata.revocation_url, &metadata.mtls.revocation_url),
                Tool::Introspection => (
                    &metadata.introspection_url,
                    &metadata.mtls.introspection_url,
                ),
                Tool::UserInfo => (&metadata.userinfo_url, &metadata.mtls.userinfo_url),
            };
            let alias = alias.as_ref().filter(|_| self.uses_certificate());
            Some((metadata, alias.or(url.as_ref())?))
        });
        match (own, found) {
            (Some(own), None) => Ok(own),
            (Some(own), Some(_)) if preset.confidence != Confidence::Low => Ok(own),
            (_, Some((metadata, url))) if self.knows_host_in(metadata, url) => Ok(url.clone()),
            (_, Some((_, url))) => Err(self.not_offered(
                tool,
                format!(
                    "{}: the issuer's metadata sets it to a different host: {}.",
                    self.unused(tool),
                    clean(url.host_str().unwrap_or_default(), 100)
                ),
            )),
            (None, None) if preset.is_custom() && self.value(Key::Issuer).trim().is_empty() => {
                Err(NotOffered {
                    reason: format!(
                        "The {} endpoint is unknown: the settings have no issuer whose metadata names it.",
                        tool.endpoint()
                    ),
                    instead: Some("Set Issuer, or use a preset with this endpoint.".to_owned()),
                })
            }
            (None, None) => Err(self.not_offered(
                tool,
                format!(
                    "No {} endpoint is known for {}.",
                    tool.endpoint(),
                    self.service()
                ),
            )),
        }
    }

    /// Checks whether `tool` can be used: its endpoint is known, or the issuer's metadata, which was not requested yet,
    /// may contain it.
    ///
    /// # Errors
    /// Returns why the tool can't be used.
    pub fn may_offer(&self, tool: Tool, metadata: Option<&Metadata>) -> Result<(), NotOffered> {
        let preset = self.preset();
        let known = self.tool_url(tool, metadata).map(drop);
        let may_be_found = metadata.is_none()
            && preset.tools.of(tool).unsupported.is_none()
            && (preset.is_custom() || preset.confidence != Confidence::High)
            && !self.value(Key::Issuer).trim().is_empty();
        if may_be_found { Ok(()) } else { known }
    }

    /// Checks whether the endpoint for `tool` accepts tokens of this kind.
    ///
    /// # Errors
    /// Returns [`NotOffered`] if it doesn't.
    pub fn tool_accepts(&self, tool: Tool, kind: TokenKind) -> Result<(), NotOffered> {
        let tokens = &self.preset().tools.of(tool).tokens;
        if tokens.is_empty() || tokens.contains(&kind) {
            return Ok(());
        }
        Err(self.not_offered(
            tool,
            format!(
                "The {} endpoint of {} doesn't accept {}s.",
                tool.endpoint(),
                self.service(),
                kind.name()
            ),
        ))
    }

    fn unused(&self, tool: Tool) -> String {
        let (endpoint, service) = (tool.endpoint(), self.service());
        format!("The {endpoint} endpoint of {service} isn't used")
    }

    fn not_offered(&self, tool: Tool, reason: String) -> NotOffered {
        let by_hand = self.preset().revoke_at.as_deref();
        let by_hand = by_hand.filter(|_| tool == Tool::Revocation);
        NotOffered {
            reason,
            instead: by_hand.map(|page| {
                let page = self.fill(page);
                format!("To revoke access by hand, remove the app at {page}")
            }),
        }
    }
}
