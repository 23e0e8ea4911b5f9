//! The signature of an ID token: which keys verify it, and what the result means.

use url::Url;

use super::check::{Check, CheckName, Outcome};
use super::client::Client;
use super::id_token::is_encrypted;
use super::id_token_problem::IdTokenProblem;
use super::jose::{Algorithm, Jws, KeySet, Refusal};
use crate::clean::clean;

/// The source of the keys that verify a signature.
#[derive(Debug)]
pub enum Source<'a> {
    /// The client secret.
    Secret(KeySet),
    /// The issuer's keys at this URL.
    Published(&'a Url),
}

/// Returns the source of the keys that verify this ID token.
///
/// # Errors
/// Returns the finished check if there is nothing to verify, or if the token can't be verified.
pub fn source<'a>(client: &'a Client, id_token: &str) -> Result<Source<'a>, Check> {
    let (signing, secret) = (&client.signing, client.secret.as_ref());
    let not_checked = |reason: &str| Check::new(CheckName::Signature, Outcome::NotChecked, reason);
    if is_encrypted(id_token) {
        return Err(not_checked("the ID token is encrypted"));
    }
    let signed = Jws::parse(id_token);
    let algorithm = signed
        .as_ref()
        .map_err(Clone::clone)
        .and_then(Jws::algorithm);
    let registered = signing.registered.as_deref();
    // An unsigned token is never accepted in place of a signed one, no matter where `none` is listed.
    if algorithm == Err(Refusal::Unsigned) {
        return Err(match (registered, &signed) {
            (Some("none"), Ok(signed)) if signed.is_unsigned() => Check::new(
                CheckName::Signature,
                Outcome::NotApplicable,
                "ID tokens of this client aren't signed (alg is none)",
            ),
            _ => verdict(&Refusal::Unsigned),
        });
    }
    let Some(published) = &signing.published else {
        return match (algorithm, registered, secret) {
            (Ok(algorithm), Some(name), Some(secret))
                if algorithm.is_symmetric() && algorithm.name() == name =>
            {
                Ok(Source::Secret(KeySet::of_secret(secret)))
            }
            _ => Err(not_checked(
                "the issuer's metadata hasn't been read, so its keys aren't known",
            )),
        };
    };
    let signed = signed.map_err(|refusal| verdict(&refusal))?;
    let name = signed.algorithm_name();
    let is_this = |other: &str| match (Algorithm::of(other), &algorithm) {
        (Some(other), Ok(algorithm)) => other == *algorithm,
        _ => other == name,
    };
    let rejected =
        |reason: String| Check::rejected(CheckName::Signature, IdTokenProblem::Signing, reason);
    if let Some(other) = registered.filter(|other| !is_this(other)) {
        return Err(rejected(format!(
            "it is signed with {}, but the client is registered for {}",
            clean(name, 40),
            clean(other, 40)
        )));
    }
    if let Some(list) = &published.algorithms
        && registered.is_none()
        && !list.iter().any(|other| is_this(other))
    {
        return Err(rejected(format!(
            "it is signed with {}, which the issuer's metadata doesn't list",
            clean(name, 40)
        )));
    }
    let algorithm = algorithm.map_err(|refusal| verdict(&refusal))?;
    if algorithm.is_symmetric() {
        let secret = secret.ok_or_else(|| {
            let name = algorithm.name();
            not_checked(&format!(
                "{name} requires the client secret, and there is none"
            ))
        })?;
        return Ok(Source::Secret(KeySet::of_secret(secret)));
    }
    let url = published.keys_url.as_ref();
    let url = url.ok_or_else(|| not_checked("the issuer's metadata has no usable jwks_uri"))?;
    Ok(Source::Published(url))
}

/// Verifies an ID token with these keys.
///
/// # Errors
/// Returns the failed check if the token's key is not among them. The issuer may have published newer keys.
pub fn check_signature(id_token: &str, keys: &KeySet) -> Result<Check, Check> {
    let verified = Jws::parse(id_token).and_then(|signed| signed.verify(keys));
    match verified {
        Ok(algorithm) => {
            let whose = if algorithm.is_symmetric() {
                "the client secret"
            } else {
                "a key of the issuer"
            };
            let detail = format!("{}, with {whose}", algorithm.name());
            Ok(Check::new(CheckName::Signature, Outcome::Passed, detail))
        }
        Err(refusal @ (Refusal::UnknownKey(_) | Refusal::NoKey(_))) => Err(verdict(&refusal)),
        Err(refusal) => Ok(verdict(&refusal)),
    }
}

/// Returns the check for keys that can't be requested.
#[must_use]
pub fn without_keys(reason: &str) -> Check {
    let detail = format!("the issuer's keys can't be requested: {reason}");
    Check::new(CheckName::Signature, Outcome::NotChecked, detail)
}

/// Returns the check of a token that isn't verified.
fn verdict(refusal: &Refusal) -> Check {
    let problem = match refusal {
        // No key can verify the token.
        Refusal::Unsupported(_) | Refusal::ShortSecret(_) => {
            return Check::new(
                CheckName::Signature,
                Outcome::NotChecked,
                refusal.to_string(),
            );
        }
        Refusal::Malformed | Refusal::Critical | Refusal::Ambiguous(_) => IdTokenProblem::Signing,
        Refusal::Unsigned => IdTokenProblem::Unsigned,
        Refusal::UnknownKey(_) | Refusal::NoKey(_) => IdTokenProblem::UnknownKey,
        Refusal::Wrong => IdTokenProblem::Signature,
    };
    Check::rejected(CheckName::Signature, problem, refusal.to_string())
}
