//! Where the secrets of a scenario are searched for, and where they may be.

use std::path::Path;

use super::endpoints::RECORD;
use super::run::Outcome;
use super::secrets::{MARKED, Search};

/// The leaks of a run, each as `SECRET in PLACE`. `printed` is the secret that the script requested.
pub fn leaks(outcome: &Outcome, more: &[(String, String)], printed: Option<&str>) -> Vec<String> {
    let secrets = MARKED.into_iter().chain(
        more.iter()
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    // The browser requires the request URI of the pushed parameters, so the URL contains it.
    let everywhere = Search::new(secrets.clone().filter(|(name, _)| *name != "pushed"));
    let beside_url = Search::new(secrets);
    let mut found = Vec::new();
    let mut look = |search: &Search, place: &str, bytes: &[u8]| {
        found.extend(
            search
                .find(bytes)
                .into_iter()
                .map(|name| format!("{name} in {place}")),
        );
    };
    look(&everywhere, "standard error", outcome.stderr.as_bytes());
    look(&everywhere, "the screen", outcome.screen.as_bytes());
    look(&everywhere, "the bytes of the terminal", &outcome.terminal);
    look(&beside_url, "the trace", outcome.trace.as_bytes());
    look(
        &beside_url,
        "a child's arguments or environment",
        outcome.children.as_bytes(),
    );
    for (path, bytes) in &outcome.files {
        let name = path.display().to_string();
        look(&beside_url, "the name of a file", name.as_bytes());
        if path != Path::new(RECORD) {
            look(&beside_url, &format!("the file {name}"), bytes);
        }
    }
    let stdout = beside_url.find(outcome.stdout.as_bytes()).into_iter();
    found.extend(
        stdout
            .filter(|name| Some(*name) != printed)
            .map(|name| format!("{name} in standard output")),
    );
    found
}
