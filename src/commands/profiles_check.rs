//! `profiles check`: prints what is wrong with profiles, and what will break next.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::stop::Ended;
use super::token::{self, each_once, find};
use super::token_format::time;
use crate::clean::clean;
use crate::clock::unix_time;
use crate::console::talk::say;
use crate::keeper::forecast::{exit_code, forecast};
use crate::presets::Library;
use crate::profile::dates::Now;
use crate::profile::finding::{Finding, Forecast, Level};
use crate::profile::name::ProfileName;
use crate::profile::places::{Owner, Place};
use crate::zone;

/// Maximum length of a printed sentence, in characters.
const TEXT_LIMIT: usize = 800;

/// How far ahead to look, and what to print.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// How far ahead to look, in seconds.
    pub within: u64,
    /// Print only what needs attention.
    pub quiet: bool,
    /// Print JSON instead of lines.
    pub json: bool,
}

/// Checks these profiles, or all. Returns the exit code for the worst finding.
///
/// # Errors
/// Returns an error if standard output can't be written to.
pub(super) fn run(names: &[ProfileName], folder: Option<&Path>, look: Look) -> Ended {
    let mut places = Vec::new();
    let mut unknown = false;
    if names.is_empty() {
        let searched = token::places(folder)?;
        places = searched.all();
        // Even with --quiet: the folder may be that of another user.
        if places.is_empty() {
            say("hint", &searched.none());
        }
    }
    for name in each_once(names) {
        match find(name, folder) {
            Ok(place) => places.push(place),
            Err(_) => unknown = true,
        }
    }
    let now = Now {
        seconds: unix_time(),
        zone: zone::local(),
    };
    let mut library = Library::load_user();
    let checked: Vec<(Place, Forecast)> = places
        .into_iter()
        .map(|place| {
            let forecast = forecast(&place, &mut library, &now, look.within);
            (place, forecast)
        })
        .collect();
    print(&checked, look)?;
    let worst = checked.iter().filter_map(|(_, forecast)| forecast.worst());
    // An unknown name is a usage error.
    let worst = worst.chain(unknown.then_some(Level::Settings)).max();
    Ok(exit_code(worst))
}

fn print(checked: &[(Place, Forecast)], look: Look) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if look.json {
        let rows: Vec<Value> = checked
            .iter()
            .map(|(place, forecast)| row(place, forecast))
            .collect();
        writeln!(out, "{}", Value::from(rows))?;
        return out.flush();
    }
    let widest = checked
        .iter()
        .map(|(place, _)| place.name.as_str().len())
        .max();
    let width = widest.unwrap_or_default();
    for (place, forecast) in checked {
        let name = place.name.as_str();
        if let Some(summary) = forecast.summary.as_ref().filter(|_| !look.quiet) {
            writeln!(out, "{name:width$}  ok      {summary}")?;
        }
        for finding in &forecast.findings {
            if look.quiet && finding.level == Level::Note {
                continue;
            }
            let (word, text) = (finding.level.word(), clean(&finding.text, TEXT_LIMIT));
            writeln!(out, "{name:width$}  {word:6}  {text}")?;
            if let Some(fix) = &finding.fix {
                writeln!(out, "{name:width$}  fix     {}", clean(fix, TEXT_LIMIT))?;
            }
        }
    }
    out.flush()
}

fn row(place: &Place, forecast: &Forecast) -> Value {
    let of_finding = |finding: &Finding| {
        json!({
            "state": finding.level.word(), "id": finding.id, "at": finding.at.map(time),
            "text": clean(&finding.text, TEXT_LIMIT),
            "fix": finding.fix.as_deref().map(|fix| clean(fix, TEXT_LIMIT)),
        })
    };
    let worst = forecast.worst();
    let state = match worst {
        None | Some(Level::Note) => "ok",
        Some(level) => level.word(),
    };
    json!({
        "name": place.name.as_str(), "machine": place.owner == Owner::Machine, "state": state,
        "exit_code": exit_code(worst), "summary": forecast.summary,
        "findings": forecast.findings.iter().map(of_finding).collect::<Vec<_>>(),
    })
}
