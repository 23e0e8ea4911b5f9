//! `explain`: prints what an error means and how to fix it.

use std::io::{self, Write};

use super::standard_input;
use crate::clean::clean;
use crate::cli::ExplainFlags;
use crate::console::talk::say;
use crate::form::known_errors::{KnownError, known_errors};
use crate::form::settings::Settings;
use crate::mail::sasl::with_read_challenges;
use crate::outcome::exit;
use crate::presets::{CUSTOM, Library};

/// Explains the errors that the text contains, on standard output.
///
/// # Errors
/// Returns an error if standard input can't be read, or standard output can't be written to.
pub(super) fn run(flags: &ExplainFlags, library: &Library) -> io::Result<u8> {
    let given = flags.preset.as_deref();
    let preset = match library.get(given.unwrap_or(CUSTOM)) {
        Err(error) => {
            say("error", &error.to_string());
            return Ok(exit::USAGE);
        }
        Ok(preset) => preset,
    };
    let text = match flags.text.join(" ") {
        text if text.is_empty() || text == "-" => {
            match standard_input::read("Pass only the lines with the error.")? {
                Ok(text) => text.to_string(),
                Err(error) => {
                    say("error", &error);
                    return Ok(exit::USAGE);
                }
            }
        }
        text => text,
    };
    let text = with_read_challenges(&text);
    if text.trim().is_empty() {
        let usage = "Enter an error code, such as `oauth-authorizer explain AADSTS50011`, or pass a text on standard input.";
        say("error", usage);
        return Ok(exit::USAGE);
    }
    let found = known_errors(&text, Some(&preset), library);
    if found.is_empty() {
        say(
            "error",
            &format!(
                "No explanation is known for \"{}\".",
                clean(text.trim(), 80)
            ),
        );
        return Ok(exit::FAILED);
    }
    // The settings supply the label of the field.
    let settings = Settings::new(preset);
    let mut out = io::stdout().lock();
    for (at, known) in found.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        explain(known, &settings, &mut out)?;
    }
    out.flush()?;
    Ok(exit::DONE)
}

fn explain(known: &KnownError, settings: &Settings, out: &mut impl Write) -> io::Result<()> {
    let set = match known.set.as_str() {
        "protocol" => "any service",
        set => set,
    };
    writeln!(out, "{} ({set})", known.name())?;
    let requests = known.requests();
    if !requests.is_empty() {
        writeln!(out, "At:     {requests}")?;
    }
    writeln!(out, "Cause:  {}", known.entry.cause)?;
    writeln!(out, "Fix:    {}", known.entry.remedy)?;
    let label = known.field().map(|key| settings.label(key));
    if let Some(label) = label.filter(|label| !label.is_empty()) {
        writeln!(out, "Field:  {label}")?;
    }
    writeln!(out, "Source: {}", known.entry.source)
}
