//! The purpose of an access token, according to its audience and the presets.

use crate::oauth::id_token::Claims;
use crate::presets::Preset;
use crate::presets::format::Audience;

/// Returns the preset entry for the audience of an access token with these claims, if there is one.
#[must_use]
pub fn purpose<'a>(claims: &Claims, presets: &[&'a Preset]) -> Option<&'a Audience> {
    let audiences = claims.audiences();
    let mut known = presets.iter().flat_map(|preset| &preset.tokens.audiences);
    known.find(|known| audiences.iter().any(|aud| known.is(aud)))
}
