//! Checks a preset file. Each problem has a line, a key and a fix.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::format::{CUSTOM, DEMO, Preset};
use crate::clean::{clean, is_clean, is_http_token};
use crate::oauth::client::{is_reserved, sets_nothing_reserved};
use crate::oauth::dialect::Dialect;
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::jose::Algorithm;
use crate::oauth::url::endpoint;
use crate::presets::patterns;

/// A problem with a preset file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The line, counted from 1; `None` if the problem is about the whole file.
    pub line: Option<usize>,
    /// What is wrong and how to fix it, without a period at the end.
    pub text: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.text),
            None => f.write_str(&self.text),
        }
    }
}

impl Finding {
    /// Creates a finding about the whole file.
    #[must_use]
    pub fn of_file(text: String) -> Self {
        Self { line: None, text }
    }

    /// Creates a finding from an error of the TOML parser, with the key that it is about.
    #[must_use]
    pub fn of_error(error: &toml::de::Error, text: &str) -> Self {
        let line = error.span().map(|span| line_of(text, span.start));
        let key = line.and_then(|line| {
            let (key, _) = text.lines().nth(line - 1)?.split_once('=')?;
            Some(clean(key, 60))
        });
        let message = clean(error.message(), 2000);
        let lower = message.to_lowercase();
        let words = if lower.starts_with("unknown field") {
            format!("{}. Rename or remove it", unknown(&message))
        } else if lower.starts_with("missing field") {
            format!("{message}. Add it")
        } else if lower.starts_with("invalid type") || lower.starts_with("unknown variant") {
            match key {
                Some(key) => format!("{key}: {message}. Change the value"),
                None => format!("{message}. Change the value"),
            }
        } else if let (Some(key), true) = (&key, text.parse::<toml::Table>().is_ok()) {
            format!("{key}: {message}. Change the value")
        } else {
            format!("not valid TOML: {message}. Correct the line")
        };
        Self { line, text: words }
    }
}

/// Returns the parser's message about an unknown name, with the most similar name that the parser expects.
fn unknown(message: &str) -> String {
    let (what, expected) = message.split_once(", expected").unwrap_or((message, ""));
    let quoted = |text: &str| -> Vec<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect()
    };
    let name = quoted(what).pop().unwrap_or_default();
    let likeness = |known: &String| strsim::jaro_winkler(known, &name);
    let like = quoted(expected)
        .into_iter()
        .filter(|known| likeness(known) > 0.75)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    like.map_or_else(
        || what.to_owned(),
        |like| format!("{what} (did you mean `{like}`?)"),
    )
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.as_bytes().iter().take(at);
    before.filter(|byte| **byte == b'\n').count() + 1
}

/// Parses and checks the text of a user's preset file.
///
/// # Errors
/// Returns all problems, in the order of their lines.
pub fn parse_preset(text: &str) -> Result<Preset, Vec<Finding>> {
    let preset = Preset::parse(text).map_err(|error| vec![Finding::of_error(&error, text)])?;
    let findings = findings(&preset, text);
    if findings.is_empty() {
        Ok(preset)
    } else {
        Err(findings)
    }
}

/// Returns the problems of a preset that has the right format.
#[must_use]
pub fn findings(preset: &Preset, text: &str) -> Vec<Finding> {
    let mut checker = Checker {
        text,
        table: DeTable::parse(text)
            .map(toml::Spanned::into_inner)
            .unwrap_or_default(),
        findings: Vec::new(),
    };
    if preset.id == CUSTOM || preset.id == DEMO {
        checker.add(
            "id",
            format!("{} cannot be replaced. Choose another id", preset.id),
        );
    }
    checker.texts();
    checker.identity(preset);
    checker.endpoints(preset);
    checker.placeholders(preset);
    checker.rules(preset);
    let mut findings = checker.findings;
    findings.sort_by_key(|finding| finding.line);
    findings
}

struct Checker<'a> {
    text: &'a str,
    table: DeTable<'a>,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    /// Adds a problem with the key at a path such as `endpoints.token`.
    fn add(&mut self, path: &str, text: impl Into<String>) {
        let line = self.line(path);
        let text = format!("{path}: {}", text.into());
        self.findings.push(Finding { line, text });
    }

    /// Returns the line of a key, or that of its table if the key is missing.
    fn line(&self, path: &str) -> Option<usize> {
        let mut table = &self.table;
        let mut found = None;
        for part in path.split('.') {
            let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else {
                break;
            };
            found = Some(key.span().start);
            match value.get_ref() {
                DeValue::Table(inner) => table = inner,
                _ => break,
            }
        }
        found.map(|at| line_of(self.text, at))
    }

    /// Checks for characters that control the terminal, or hide or reorder text.
    fn texts(&mut self) {
        let mut values: Vec<(String, toml::Value)> = toml::from_str::<toml::Table>(self.text)
            .map(|table| table.into_iter().collect())
            .unwrap_or_default();
        while let Some((path, value)) = values.pop() {
            match value {
                toml::Value::String(text) if !is_clean(&text) => {
                    self.add(
                        &path,
                        "it contains a control or invisible character. Remove it",
                    );
                }
                toml::Value::Array(list) => {
                    values.extend(list.into_iter().map(|value| (path.clone(), value)));
                }
                toml::Value::Table(table) => {
                    values.extend(
                        table
                            .into_iter()
                            .map(|(key, value)| (format!("{path}.{key}"), value)),
                    );
                }
                _ => {}
            }
        }
    }

    fn identity(&mut self, preset: &Preset) {
        let fits = |ch: char| ch.is_ascii_lowercase() || ch.is_ascii_digit() || ch == '-';
        if preset.id.is_empty() || preset.id.len() > 60 || !preset.id.chars().all(fits) {
            self.add(
                "id",
                "only lowercase letters, digits and hyphens are allowed, at most 60. Change it",
            );
        }
        if preset.name.trim().is_empty() || preset.name.chars().count() > 60 {
            self.add("name", "it must have 1 to 60 characters. Change it");
        }
        if preset.embedded_server {
            self.add("embedded_server", "only the demo may have one. Remove it");
        }
    }

    fn endpoints(&mut self, preset: &Preset) {
        let endpoints = &preset.endpoints;
        if endpoints.token.is_none() {
            self.add(
                "endpoints.token",
                "it is missing. Add token = \"https://…\" to [endpoints]: every flow requires it",
            );
        }
        let flows = &preset.flows;
        if !flows.offered.contains(&preset.preferred()) {
            self.add(
                "flows.preferred",
                "it is not one of the offered flows. Choose one of them",
            );
        }
        if !flows.offered.contains(&preset.preferred_without_browser()) {
            self.add(
                "flows.without_browser",
                "it is not one of the offered flows. Choose one of them, or remove it",
            );
        }
        for (flow, there, key) in [
            (FlowKind::DeviceCode, endpoints.device.is_some(), "device"),
            (
                FlowKind::AuthorizationCode,
                endpoints.authorization.is_some(),
                "authorization",
            ),
        ] {
            if flows.offered.contains(&flow) && !there {
                let text = format!(
                    "it offers {}, but [endpoints] has no {key}. Add the endpoint, or remove the flow",
                    flow.label()
                );
                self.add("flows.offered", text);
            }
        }
        for (path, url) in preset.addresses() {
            // Check the URL with a sample for each variable. A variable can also be a whole URL.
            let sample = sample(url, preset);
            let dialect = Dialect {
                names: preset.parameters.names.clone(),
                device: preset.device.clone(),
                ..Dialect::default()
            };
            let asked = [
                "endpoints.authorization",
                "endpoints.device",
                "endpoints.token",
            ]
            .contains(&path)
                || path == "device.token_url";
            let wrong = endpoint(&sample)
                .and_then(|url| {
                    if asked {
                        sets_nothing_reserved(&url, &dialect)?;
                    }
                    Ok(())
                })
                .err();
            if let Some(problem) = wrong {
                self.add(path, format!("{problem}. Correct the URL"));
            }
        }
    }

    /// Checks for unbalanced braces, placeholders without a variable, and variables without a placeholder.
    fn placeholders(&mut self, preset: &Preset) {
        let mut filled: Vec<(String, &str)> = preset
            .addresses()
            .map(|(path, url)| (path.to_owned(), url))
            .collect();
        let tables = [
            (
                "parameters.authorization",
                &preset.parameters.authorization,
                &[][..],
            ),
            ("parameters.device", &preset.parameters.device, &[]),
            (
                "parameters.client_credentials",
                &preset.parameters.client_credentials,
                &[],
            ),
            ("parameters.token", &preset.parameters.token, &[]),
            (
                "parameters.refresh",
                &preset.parameters.refresh,
                &["redirect_uri"],
            ),
            (
                "device.poll",
                &preset.device.poll,
                &["client_id", "scope", "user_code"],
            ),
        ];
        let mut own: BTreeSet<&str> = BTreeSet::new();
        for (path, table, known) in tables {
            own.extend(known);
            for (name, text) in table {
                filled.push((format!("{path}.{name}"), text));
            }
        }
        let mut used = BTreeSet::new();
        for (path, text) in &filled {
            match placeholders(text) {
                Ok(names) => {
                    for name in names {
                        let given = preset
                            .variables
                            .iter()
                            .any(|variable| variable.name == name);
                        if !given && !own.contains(name) {
                            let text = format!(
                                "{{{}}} is not a variable. Add [[variables]] with that name, or correct it",
                                clean(name, 40)
                            );
                            self.add(path, text);
                        }
                        used.insert(name.to_owned());
                    }
                }
                Err(text) => self.add(path, text),
            }
        }
        let mut names = BTreeSet::new();
        for variable in &preset.variables {
            if !names.insert(&variable.name) {
                let text = format!("{} is defined twice. Remove one", clean(&variable.name, 40));
                self.add("variables", text);
            }
            if !used.contains(&variable.name) {
                let text = format!("{} is not used. Remove it", clean(&variable.name, 40));
                self.add("variables", text);
            }
            let braces = |text: &String| text.contains(['{', '}']);
            if braces(&variable.default) || variable.choices.iter().any(braces) {
                let text = format!(
                    "the value of {} contains a brace. Enter the value without placeholders",
                    clean(&variable.name, 40)
                );
                self.add("variables", text);
            }
        }
    }

    fn requirements(&mut self, preset: &Preset) {
        for requirement in &preset.requirements {
            let field = clean(&requirement.field, 40);
            let mut add = |text: &str| self.add("requirements", format!("{field}: {text}"));
            if requirement.required(preset).is_none() {
                add(
                    "it is neither scope, client_authentication, a variable nor parameters.NAME. Correct the field",
                );
            }
            if !preset.flows.offered.contains(&requirement.flow) {
                add("its flow isn't offered. Correct the flow, or remove the requirement");
            }
            if !requirement.form.fits(&requirement.example) {
                add("its example doesn't match its form. Correct one of them");
            }
            if !requirement.reason.ends_with('.') {
                add("its reason must be a sentence that ends with a period. Correct it");
            }
            if !requirement.source.starts_with("https://") {
                add("its source must be an https URL. Correct it");
            }
        }
    }

    fn rules(&mut self, preset: &Preset) {
        let redirect = &preset.redirect;
        if !redirect.default.is_empty()
            && let Err(problem) = endpoint(&redirect.default)
        {
            self.add("redirect.default", format!("{problem}. Correct the URL"));
        }
        if preset.scope.separator.is_empty() {
            self.add(
                "scope.separator",
                "it is empty. Enter the separator between scopes, or remove it",
            );
        }
        let parameters = &preset.parameters;
        for (table, named) in [
            ("authorization", &parameters.authorization),
            ("client_credentials", &parameters.client_credentials),
        ] {
            for name in named.keys() {
                if is_reserved(name, &Dialect::default()) {
                    let text = "the program sets it, and it can't be replaced. Remove it";
                    self.add(&format!("parameters.{table}.{name}"), text);
                }
            }
        }
        for name in &preset.pattern_sets {
            if patterns::set(name).is_none() {
                let name = clean(name, 40);
                let text = format!("the set {name} doesn't exist. Correct or remove it");
                self.add("pattern_sets", text);
            }
        }
        for pattern in preset.all_patterns() {
            let field = pattern.field.as_str();
            if !preset.has_field(field) {
                let text = format!(
                    "{} is neither client_id, client_secret nor a variable. Correct the field",
                    clean(field, 40)
                );
                self.add("patterns", text);
            }
            if let Some(text) = pattern.finding() {
                self.add("patterns", format!("{}: {text}", clean(field, 40)));
            }
        }
        self.requirements(preset);
        if !preset.tokens.header.as_deref().is_none_or(is_http_token) {
            self.add("tokens.header", "it is not a single word. Correct it");
        }
        if let Some(name) = &preset.tokens.id_token_algorithm
            && name != "none"
            && Algorithm::of(name).is_none()
        {
            let known = Algorithm::ALL.map(Algorithm::name).join(", ");
            let text = format!(
                "{} is not supported. Use one of {known}, or none",
                clean(name, 40)
            );
            self.add("tokens.id_token_algorithm", text);
        }
        if preset.answers.error.is_empty() {
            self.add(
                "answers.error",
                "it is empty. Enter the name of a member, or remove it",
            );
        }
        if let Some(rule) = &preset.callback.token_host
            && rule.hosts.is_empty()
        {
            self.add(
                "callback.token_host",
                "it accepts no host. List the accepted hosts in hosts",
            );
        }
    }
}

/// Returns the URL with its placeholders replaced by samples.
fn sample(url: &str, preset: &Preset) -> String {
    preset
        .variables
        .iter()
        .fold(url.to_owned(), |url, variable| {
            let placeholder = format!("{{{}}}", variable.name);
            // In the demo, a variable is the whole address.
            let value = if url.starts_with(&placeholder) {
                "https://sample.example"
            } else {
                "sample"
            };
            url.replace(&placeholder, value)
        })
}

/// Returns the names between the braces.
fn placeholders(text: &str) -> Result<Vec<&str>, String> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        if rest[at..].starts_with('}') {
            return Err("it has a closing brace without an opening one. Remove it".to_owned());
        }
        let inner = &rest[at + 1..];
        let Some(end) = inner
            .find(['{', '}'])
            .filter(|end| inner[*end..].starts_with('}'))
        else {
            return Err(
                "it has an opening brace without a closing one. Add } after the name".to_owned(),
            );
        };
        if end == 0 {
            return Err("its braces are empty. Enter a name".to_owned());
        }
        names.push(&inner[..end]);
        rest = &inner[end + 1..];
    }
    Ok(names)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    const GOOD: &str = r#"id = "mine"
name = "Mine"
group = "developer"

[endpoints]
authorization = "https://{host}/authorize"
token = "https://{host}/token"

[[variables]]
name = "host"
label = "Host"
"#;

    fn wrong(from: &str, to: &str) -> String {
        let text = GOOD.replacen(from, to, 1);
        assert_ne!(text, GOOD, "{from}");
        let findings = parse_preset(&text).unwrap_err();
        let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
        told.join("\n")
    }

    #[test]
    fn minimal_preset_is_accepted() {
        let preset = parse_preset(GOOD).unwrap();
        assert_eq!(preset.flows.offered, [FlowKind::AuthorizationCode]);
        assert_eq!(preset.preferred(), FlowKind::AuthorizationCode);
    }

    #[test]
    fn each_mistake_is_reported_with_line_key_and_remedy() {
        for (from, to, words) in [
            (
                "name = \"Mine\"",
                "name = 7",
                &["line 2: name: invalid type", "expected a string", "Change"][..],
            ),
            (
                "group = \"developer\"",
                "group = \"friends\"",
                &["line 3: group: unknown variant", "developer", "Change"],
            ),
            (
                "group =",
                "color = 1\ngroup =",
                &[
                    "line 3: unknown field `color`. Rename or remove it",
                    "Rename or remove it",
                ],
            ),
            ("name = \"Mine\"\n", "", &["missing field `name`", "Add it"]),
            (
                "id = \"mine\"",
                "id = \"Mine!\"",
                &["line 1: id: ", "lowercase letters"],
            ),
            (
                "id = \"mine\"",
                "id = \"custom\"",
                &["line 1: id: custom cannot be replaced"],
            ),
            (
                "group = \"developer\"",
                "group = \"developer\"\n[client]\nsecret_max = \"2 years\"",
                &["secret_max: use a number", "Change the value"],
            ),
            (
                "id = \"mine\"",
                "id = \"mine",
                &["line 1: not valid TOML", "Correct the line"],
            ),
            (
                "token = \"https://{host}/token\"\n",
                "",
                &["line 5: endpoints.token: it is missing. Add"],
            ),
            (
                "https://{host}/token",
                "http://{host}/token",
                &["line 7: endpoints.token: ", "Use https", "Correct the URL"],
            ),
            (
                "https://{host}/authorize",
                "https://{host}/authorize?keep=1&response_type=code",
                &[
                    "line 6: endpoints.authorization: ",
                    "contains response_type",
                ],
            ),
            (
                "https://{host}/token\"",
                "https://{host}/token?client_key=x\"\n\n[parameters.names]\nclient_id = \"client_key\"",
                &["line 7: endpoints.token: ", "contains client_key"],
            ),
            (
                "[[variables]]",
                "[parameters.authorization]\nrequest_uri = \"x\"\n\n[[variables]]",
                &[
                    "line 10: parameters.authorization.request_uri: ",
                    "Remove it",
                ],
            ),
            (
                "https://{host}/token",
                "https://{host/token",
                &["line 7: endpoints.token: ", "without a closing one"],
            ),
            (
                "https://{host}/token",
                "https://host}/token",
                &["endpoints.token: ", "without an opening one"],
            ),
            (
                "https://{host}/token",
                "https://{{host}}/token",
                &["endpoints.token: ", "without a closing one"],
            ),
            (
                "https://{host}/token",
                "https://{}/token",
                &["its braces are empty"],
            ),
            (
                "https://{host}/token",
                "https://{realm}/token",
                &["{realm} is not a variable", "Add [[variables]]"],
            ),
            (
                "label = \"Host\"",
                "label = \"Host\"\ndefault = \"{host}\"",
                &["line 9: variables: ", "contains a brace"],
            ),
            (
                "name = \"host\"",
                "name = \"other\"",
                &["{host} is not a variable", "other is not used"],
            ),
            (
                "[endpoints]",
                "[flows]\noffered = [\"device-code\"]\n\n[endpoints]",
                &["line 6: flows.offered: it offers Device code, but [endpoints] has no device"],
            ),
            (
                "[endpoints]",
                "[flows]\nwithout_browser = \"device-code\"\n\n[endpoints]",
                &["line 6: flows.without_browser: it is not one of the offered flows"],
            ),
            (
                "group =",
                "keyword = [\"x\"]\ngroup =",
                &["unknown field `keyword` (did you mean `keywords`?). Rename or remove it"],
            ),
            (
                "[endpoints]",
                "[redirect]\ndefault = \"localhost\"\n\n[endpoints]",
                &["line 6: redirect.default: ", "Correct the URL"],
            ),
        ] {
            let told = wrong(from, to);
            for word in words {
                assert!(told.contains(word), "{to}: {told}");
            }
        }
    }

    #[test]
    fn requirements_and_id_token_algorithm_are_checked() {
        let found = |more: &str| {
            let text = format!("{GOOD}\n{more}");
            let findings = parse_preset(&text).err().unwrap_or_default();
            let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
            told.join("\n")
        };
        let requirement = r#"[[requirements]]
flow = "authorization-code"
field = "host"
form = '[a-z.]+'
example = "sso.example"
reason = "Enter the host."
source = "https://sso.example/docs"
"#;
        assert_eq!(found(requirement), "");
        for (from, to, words) in [
            ("\"host\"", "\"hots\"", "requirements: hots: it is neither"),
            ("\"host\"", "\"parameters.x\"", ""),
            ("\"host\"", "\"scope\"", ""),
            (
                "authorization-code",
                "client-credentials",
                "its flow isn't offered",
            ),
            ("sso.example\"\n", "SSO\"\n", "its example doesn't match"),
            ("host.\"", "host\"", "ends with a period"),
            ("https://", "http://", "its source must be an https URL"),
            ("'[a-z.]+'", "'[a-z'", "not a valid regular expression"),
            ("form =", "shape =", "unknown field `shape`"),
        ] {
            let more = requirement.replacen(from, to, 1);
            assert_ne!(more, requirement, "{from}");
            let told = found(&more);
            assert!(
                told.contains(words) && told.is_empty() == words.is_empty(),
                "{to}: {told}"
            );
        }
        for name in ["RS256", "HS512", "EdDSA", "Ed25519", "none"] {
            let more = format!("[tokens]\nid_token_algorithm = \"{name}\"");
            assert_eq!(found(&more), "");
        }
        for header in ["", "Bearer ", "Token token", "Bearer:"] {
            let told = found(&format!("[tokens]\nheader = \"{header}\""));
            assert!(
                told.contains("tokens.header: it is not"),
                "{header}: {told}"
            );
        }
        assert_eq!(found("[tokens]\nheader = \"Zoho-oauthtoken\""), "");
        for name in ["rs256", "ES512", "None", "", "HS256 "] {
            let more = format!("[tokens]\nid_token_algorithm = \"{name}\"");
            let told = found(&more);
            let words = "tokens.id_token_algorithm: ";
            assert!(
                told.contains(words) && told.contains("RS256"),
                "{name}: {told}"
            );
        }
    }

    #[test]
    fn endless_placeholders_and_nesting_are_errors() {
        let text = GOOD.replace("{host}", &"{".repeat(10_000));
        assert!(!parse_preset(&text).unwrap_err().is_empty());
        let deep = format!("{GOOD}{}", "[".repeat(100_000));
        assert!(!parse_preset(&deep).unwrap_err().is_empty());
    }
}
