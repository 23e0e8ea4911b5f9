//! The table of endpoints and classes: what a scenario can be about, and which cells don't apply.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::file::{Endpoint, FOLDER, Scenario};

/// The ways in which a response can be hostile, in the order of the table.
pub const CLASSES: [&str; 22] = [
    "silent",
    "reset-before",
    "reset-inside",
    "reset-after",
    "drip",
    "1xx",
    "2xx",
    "redirect",
    "4xx",
    "5xx",
    "huge",
    "nested",
    "encoding",
    "duplicate",
    "types",
    "numbers",
    "missing",
    "unknown",
    "text",
    "long",
    "certificate",
    "clock",
];

/// Cells that don't apply, from the file in the scenarios' folder.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NotApplicable {
    cells: Vec<Cells>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cells {
    endpoints: Vec<Endpoint>,
    class: String,
    reason: String,
}

/// The table as text, and its invalid cells: empty without a reason, or with both a scenario and a reason.
pub fn table(scenarios: &[Scenario]) -> (String, Vec<String>) {
    let mut counts: BTreeMap<(Endpoint, &str), usize> = BTreeMap::new();
    for scenario in scenarios {
        for (endpoint, _) in &scenario.cases {
            *counts.entry((*endpoint, &scenario.class)).or_default() += 1;
        }
    }
    let text = std::fs::read_to_string(format!("{FOLDER}/not-applicable.toml")).unwrap();
    let file: NotApplicable = toml::from_str(&text).unwrap();
    let mut absent = BTreeSet::new();
    let mut wrong = Vec::new();
    for cells in &file.cells {
        if !CLASSES.contains(&cells.class.as_str()) || cells.reason.len() < 20 {
            wrong.push(format!("not-applicable.toml: {}", cells.class));
        }
        absent.extend(cells.endpoints.iter().map(|&at| (at, cells.class.as_str())));
    }
    let unknown = scenarios
        .iter()
        .filter(|scenario| !CLASSES.contains(&scenario.class.as_str()));
    wrong.extend(
        unknown.map(|scenario| format!("{}: there is no class {}", scenario.name, scenario.class)),
    );
    let mut lines = vec![format!("{:13}", "")];
    for class in CLASSES {
        lines.push(format!("{class:13}"));
    }
    for endpoint in Endpoint::ALL {
        let width = endpoint.name().len().max(4);
        lines[0] += &format!(" {:>width$}", endpoint.name());
        for (line, class) in lines[1..].iter_mut().zip(CLASSES) {
            let count = counts.get(&(endpoint, class)).copied().unwrap_or(0);
            let excused = absent.contains(&(endpoint, class));
            if (count > 0) == excused {
                let what = if excused {
                    "has both a scenario and a reason"
                } else {
                    "is empty"
                };
                wrong.push(format!("the cell {} x {class} {what}", endpoint.name()));
            }
            let shown = if excused {
                "-".to_owned()
            } else {
                count.to_string()
            };
            *line += &format!(" {shown:>width$}");
        }
    }
    (lines.join("\n"), wrong)
}
