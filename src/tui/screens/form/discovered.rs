//! What is told after a discovery.

use crate::clean::clean;
use crate::form::settings::{Access, Key, Settings};
use crate::oauth::discovery::Metadata;

/// Tells where the metadata was found, what it filled in, and what else it says.
pub(super) fn sentence(filled: &[Key], metadata: &Metadata, settings: &Settings) -> String {
    let mut parts: Vec<String> = filled.iter().map(|key| key.label().to_owned()).collect();
    match parts.last_mut() {
        Some(last) => last.push_str(" (now locked)"),
        None => parts.push("no additional endpoints".to_owned()),
    }
    if !metadata.scopes.is_empty() {
        parts.push(format!("{} scopes", metadata.scopes.len()));
    }
    let methods = metadata.pkce_methods.iter().flatten();
    if methods.into_iter().any(|method| method == "S256") {
        parts.push("PKCE S256".to_owned());
    }
    if metadata.iss_in_answers {
        parts.push("responses include the issuer".to_owned());
    }
    let undo = match settings.access(Key::Issuer) {
        Access::Editable => " Changing Issuer undoes this.",
        Access::Locked | Access::OtherFlow | Access::NotOffered => "",
    };
    let source = clean(metadata.source.as_str(), 100);
    format!("Found at {source}: {}.{undo}", parts.join(", "))
}
