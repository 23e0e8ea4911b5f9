//! `inspect`: prints the content of a token. Works offline, unless it verifies a signature.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};

use super::claims::{json_text, lines, time_words};
use super::inspect_input;
use super::standard_input;
use super::stop::Ended;
use super::token::{find, say_outcome};
use super::token_format::time;
use super::tools::runtime;
use crate::cli::InspectFlags;
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::form::purpose::purpose;
use crate::keeper::caller::no_tokens;
use crate::keeper::profile::record_outcome;
use crate::keeper::tools::verify;
use crate::oauth::check::{Check, Outcome};
use crate::oauth::id_token::{Claims, decode, is_cut, is_encrypted};
use crate::outcome::exit;
use crate::presets::format::Audience;
use crate::presets::{Library, Preset};
use crate::profile::name::ProfileName;
use crate::profile::settings_file::SettingsFile;
use crate::quote::INSPECT_FILE;
use crate::secret::{ExposeSecret, SecretString};
use crate::session::Value as Kind;
use crate::store::record::Record;

/// A token and what is known about it.
struct Inspected {
    /// The kind of token, if it is known.
    kind: Option<Kind>,
    token: SecretString,
    /// When it expires, if the record says so.
    expires_at: Option<u64>,
    /// The result of the signature check, if there was one.
    signature: Option<Check>,
}

/// Prints the claims of the tokens of a profile, or of a token from standard input.
///
/// # Errors
/// Returns an error if standard input can't be read, or standard output can't be written to.
pub(super) fn run(flags: &InspectFlags) -> Ended {
    let library = Library::load_user();
    let (tokens, own) = if flags.source == "-" {
        if flags.verify {
            // A token must not choose the keys that verify its signature.
            say(
                "error",
                "--verify requires a profile, because its issuer says which keys are valid.",
            );
            return Ok(exit::USAGE);
        }
        let given = if io::stdin().is_terminal() {
            inspect_input::token("")
        } else {
            let text = standard_input::read("Pass only the token.")?;
            text.and_then(|text| inspect_input::token(&text))
        };
        match given {
            Ok(given) => (vec![Inspected::new(given.kind, given.token, None)], None),
            Err(error) => {
                say("error", &error);
                return Ok(exit::USAGE);
            }
        }
    } else {
        // The argument may be a token, so it is not repeated.
        let Ok(name) = flags.source.parse::<ProfileName>() else {
            say(
                "error",
                &format!(
                    "The argument is not the name of a profile. A token is read from standard input only, because other \
                     users can read arguments: {INSPECT_FILE}"
                ),
            );
            return Ok(exit::USAGE);
        };
        let place = find(&name, flags.profiles.folder())?;
        let record = Record::read(&place.record())
            .map_err(|error| say_outcome(&place.name, &record_outcome(&error, &place)))?;
        let preset = SettingsFile::read(&place)
            .ok()
            .map(|file| file.preset().to_owned());
        let mut tokens = of_record(&record);
        if tokens.is_empty() {
            return Err(say_outcome(&place.name, &no_tokens(&place)).into());
        }
        if flags.verify {
            let signatures = runtime()?.block_on(verify(&place, &record));
            let signatures = signatures.map_err(|outcome| say_outcome(&place.name, &outcome))?;
            for token in &mut tokens {
                token.signature = match token.kind {
                    Some(Kind::Access) => signatures.access.clone(),
                    Some(Kind::Id) => signatures.id.clone(),
                    Some(Kind::Refresh) | None => None,
                };
            }
        }
        (tokens, preset)
    };
    let mut presets: Vec<_> = library.all().unwrap_or_default();
    // The preset of the profile comes first.
    presets.sort_by_key(|preset| Some(&preset.id) != own.as_ref());
    let presets: Vec<&Preset> = presets.iter().map(AsRef::as_ref).collect();
    let mut out = io::stdout().lock();
    if flags.json {
        let members = tokens
            .iter()
            .map(|token| (token.key().to_owned(), token.json(&presets)));
        writeln!(out, "{}", json_text(&Value::Object(members.collect())))?;
    } else {
        for (at, token) in tokens.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            token.write(&presets, &mut out)?;
        }
    }
    out.flush()?;
    let forged = tokens
        .iter()
        .filter_map(|token| token.signature.as_ref())
        .any(|check| check.outcome == Outcome::Failed);
    Ok(if forged {
        exit::NOT_ACCEPTED
    } else {
        exit::DONE
    })
}

fn of_record(record: &Record) -> Vec<Inspected> {
    let Some(tokens) = &record.tokens else {
        return Vec::new();
    };
    let access = Some(tokens.access_token()).filter(|token| !token.is_empty());
    let all = [
        (Kind::Access, access.map(Into::into), tokens.expires_at),
        (Kind::Refresh, tokens.refresh_token.clone(), None),
        (Kind::Id, tokens.id_token.clone(), None),
    ];
    all.into_iter()
        .filter_map(|(kind, token, end)| Some(Inspected::new(Some(kind), token?, end)))
        .collect()
}

impl Inspected {
    fn new(kind: Option<Kind>, token: SecretString, expires_at: Option<u64>) -> Self {
        Self {
            kind,
            token,
            expires_at,
            signature: None,
        }
    }

    /// Returns the name of the token in JSON.
    fn key(&self) -> &'static str {
        self.kind.map_or("token", Kind::member)
    }

    fn claims(&self) -> Option<Claims> {
        decode(self.token.expose_secret())
    }

    /// Returns the format of the token, as a name and in words.
    fn format(&self, claims: Option<&Claims>) -> (&'static str, String) {
        match claims {
            Some(_) => ("jwt", format!("JWT, signature {}", self.signed())),
            None if is_encrypted(self.token.expose_secret()) => (
                "encrypted",
                "encrypted, only its recipient can read it".to_owned(),
            ),
            None if is_cut(self.token.expose_secret()) => (
                "incomplete",
                "a JWT that was cut: its end is missing. Copy the whole token".to_owned(),
            ),
            None => ("opaque", "opaque, only the service can read it".to_owned()),
        }
    }

    /// Describes the result of the signature check of a JWT.
    fn signed(&self) -> String {
        match &self.signature {
            Some(check) if check.outcome == Outcome::Passed => format!("valid: {}", check.detail),
            Some(check) if check.outcome == Outcome::Failed => format!("invalid: {}", check.detail),
            Some(check) => format!("{}: {}", check.outcome.word(), check.detail),
            None => Outcome::NotChecked.word().to_owned(),
        }
    }

    fn purpose<'a>(&self, claims: Option<&Claims>, presets: &[&'a Preset]) -> Option<&'a Audience> {
        // The audience of an access token says which API it is for.
        let may_be_access = matches!(self.kind, None | Some(Kind::Access));
        purpose(claims.filter(|_| may_be_access)?, presets)
    }

    fn expires_at(&self, claims: Option<&Claims>) -> Option<u64> {
        let claimed = || u64::try_from(claims?.time("exp")?).ok();
        self.expires_at.or_else(claimed)
    }

    fn json(&self, presets: &[&Preset]) -> Value {
        let claims = self.claims();
        let purpose = self.purpose(claims.as_ref(), presets);
        json!({
            "format": self.format(claims.as_ref()).0,
            "signature": claims.as_ref().map(|_| self.signed()),
            "length": self.token.expose_secret().chars().count(),
            "expires_at": self.expires_at(claims.as_ref()).map(time),
            "for": purpose.map(|known| &known.is_for),
            "not_for": purpose.and_then(|known| known.not_for.as_ref()),
            "claims": claims.as_ref().map(Claims::members),
        })
    }

    fn write(&self, presets: &[&Preset], out: &mut impl Write) -> io::Result<()> {
        let now = unix_time();
        let claims = self.claims();
        let length = self.token.expose_secret().chars().count();
        let (_, format) = self.format(claims.as_ref());
        let name = self.kind.map_or("Token", Kind::label);
        writeln!(out, "{name}: {length} characters, {format}")?;
        let end = self.expires_at.and_then(|end| i64::try_from(end).ok());
        if let Some(claims) = &claims {
            write!(out, "{}", lines(claims, now))?;
        } else if let Some(end) = end {
            writeln!(out, "  expires  {}", time_words(end, now))?;
        }
        if let Some(known) = self.purpose(claims.as_ref(), presets) {
            writeln!(out, "For:     {}", known.is_for)?;
            if let Some(not_for) = &known.not_for {
                writeln!(out, "Not for: {not_for}")?;
            }
        }
        Ok(())
    }
}
