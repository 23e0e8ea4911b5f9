//! Detects entered or pasted values that can't be correct, and suggests values to use instead.

mod address;
mod another_kind;
mod key_id;
mod patterns;
mod scope;
mod store_path;
mod suggestion;
mod unfilled;
mod url;
mod variable;

use ::url::Url;

use self::address::{endpoint_url, issuer, redirect_url};
use self::another_kind::{client_id_problem, client_secret_problem};
use self::key_id::key_id_problem;
use self::patterns::pattern_problem;
use self::scope::scope_problem;
use self::store_path::store_path_problem;
pub(super) use self::suggestion::use_label;
use self::suggestion::{character, suggested};
use self::unfilled::is_unfilled;
use self::variable::variable_problem;
use crate::clean::{clean, is_visible, trimmed, unquoted};
use crate::escapes::without_escapes;
use crate::form::choices::Change;
use crate::form::field::{Access, Key};
use crate::form::listen_address::ListenAddress;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::form::wrapping::{bare_secret, only_names_a_value, unwrapped};
use crate::oauth::other_file::OtherFile;
use crate::secret::ExposeSecret;

/// Returns the problems with the entered values, at most one for each field.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let typed = |key: &Key| key.is_text() && settings.access(*key) == Access::Editable;
    settings
        .keys()
        .into_iter()
        .filter(typed)
        .filter_map(|key| problem(settings, key))
        .collect()
}

fn problem(settings: &Settings, key: Key) -> Option<Problem> {
    match key {
        Key::ClientId => pattern_problem(settings, key)
            .or_else(|| client_id(settings))
            .or_else(|| client_id_problem(settings)),
        Key::ClientSecret => pattern_problem(settings, key)
            .or_else(|| client_secret(settings))
            .or_else(|| client_secret_problem(settings)),
        Key::Var(position) => {
            let malformed = variable_problem(settings, position);
            match pattern_problem(settings, key) {
                // The pattern's message says more. It must stop whatever the other problem stops.
                Some(mut near) => {
                    if malformed.is_some_and(|it| it.severity == Severity::Error) {
                        near.severity = Severity::Error;
                    }
                    Some(near)
                }
                None => malformed,
            }
        }
        Key::Scope => scope_problem(settings),
        Key::AuthorizationUrl | Key::DeviceUrl | Key::TokenUrl => endpoint_url(settings, key),
        Key::Issuer => issuer(settings),
        Key::RedirectUrl => redirect_url(settings),
        Key::ExtraParameters => extra_parameters(settings),
        Key::LoginHint | Key::Subject => account(settings, key),
        Key::ListenAddress => listen_address(settings),
        Key::ClientKeyId => key_id_problem(settings),
        Key::KeyFile if holds_json(&settings.value(key)) => Some(content_as_path()),
        Key::ClientKey | Key::ClientCertificate => {
            store_path_problem(settings, key, cfg!(windows)).or_else(|| path(settings, key))
        }
        Key::KeyFile | Key::CaFile | Key::Certificate | Key::CertificateKey => path(settings, key),
        Key::Preset | Key::Flow | Key::ClientAuthentication | Key::Pkce => None,
    }
}

/// Returns the position and the character that no client ID or secret can contain (RFC 6749, appendix A.1 and A.2).
fn not_vschar(text: &str) -> Option<(usize, char)> {
    (1..)
        .zip(text.chars())
        .find(|(_, ch)| !(' '..='~').contains(ch))
}

/// Converts the hyphens and spaces of word processors to ASCII.
fn in_ascii(text: &str) -> String {
    without_escapes(text)
        .chars()
        .filter(|ch| ch.is_whitespace() || is_visible(*ch))
        .map(|ch| match ch {
            '‐' | '‑' | '‒' | '–' | '—' | '−' => '-',
            // Full-width forms.
            '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(ch) - 0xfee0).unwrap_or(ch),
            ch => ch,
        })
        .collect()
}

fn client_id(settings: &Settings) -> Option<Problem> {
    let key = Key::ClientId;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let ascii = in_ascii(typed);
    let value = unwrapped(&ascii);
    let mut meant = value
        .as_ref()
        .map_or(ascii.clone(), |value| value.text.clone());
    if let Some((place, ch)) = not_vschar(typed) {
        meant.retain(|ch| !ch.is_whitespace());
        let text = format!(
            "Character {place} of the Client ID is {}, but a client ID can contain only visible ASCII characters",
            character(ch)
        );
        let meant = Some(meant).filter(|meant| not_vschar(meant).is_none());
        let text = match meant {
            Some(_) => text,
            None => format!("{text}. Enter it without that character"),
        };
        return Some(suggested(
            settings,
            key,
            Severity::Error,
            "wrong character",
            &text,
            meant,
        ));
    }
    let bracketed = typed.starts_with(['<', '{']);
    let is_named =
        (bracketed || typed.to_lowercase().contains("your")) && only_names_a_value(&meant);
    if is_named || is_crossed_out(&meant) || is_unfilled(typed) || is_unfilled(&meant) {
        let text = format!(
            "{} is a placeholder. Enter your own client ID",
            clean(typed, 60)
        );
        return Some(Problem::new(key, Severity::Error, "placeholder", text));
    }
    let value = value?;
    let text = format!("The Client ID contains extra text: {}", value.words());
    Some(suggested(
        settings,
        key,
        Severity::Warning,
        "extra text",
        &text,
        Some(meant),
    ))
}

/// Returns whether the text is a placeholder such as `xxxxxxxx-xxxx-…`.
fn is_crossed_out(text: &str) -> bool {
    text.len() >= SHORTEST_CROSSED
        && text
            .chars()
            .all(|ch| matches!(ch, 'x' | 'X' | '-' | '.' | '*'))
}

/// Minimum length of such a placeholder. Shorter text may be a name.
const SHORTEST_CROSSED: usize = 5;

fn client_secret(settings: &Settings) -> Option<Problem> {
    let key = Key::ClientSecret;
    let secret = settings.secret().expose_secret();
    if secret.is_empty() {
        return None;
    }
    if let Some(file) = OtherFile::of(secret) {
        let text = format!("This is {}", file.words());
        return Some(Problem::new(key, Severity::Error, "not a secret", text));
    }
    let bare = bare_secret(secret);
    let offered = |problem: Problem| match &bare {
        Some((text, words)) if not_vschar(text).is_none() => {
            problem.with_remedy(format!("Remove {words}"), Change::BareSecret)
        }
        Some(_) | None => problem,
    };
    if let Some((place, ch)) = not_vschar(secret) {
        // A visible character would reveal a part of the secret.
        let name = if is_visible(ch) {
            "not an ASCII character".to_owned()
        } else {
            character(ch)
        };
        let text = format!(
            "Character {place} of the Client secret is {name}, but a client secret can contain only visible ASCII \
                characters. Paste the secret again"
        );
        return Some(offered(Problem::new(
            key,
            Severity::Error,
            "wrong character",
            text,
        )));
    }
    let marked = secret.starts_with(['<', '{']) || secret.to_lowercase().contains("your");
    if (marked && only_names_a_value(secret)) || is_crossed_out(secret) || is_unfilled(secret) {
        let text = "This is a placeholder. Enter your own client secret".to_owned();
        return Some(Problem::new(key, Severity::Warning, "placeholder", text));
    }
    let (_, words) = bare.as_ref()?;
    let text = format!(
        "The Client secret contains {words}, probably by mistake. If the service rejects the secret, remove what isn't part of it"
    );
    Some(offered(Problem::new(
        key,
        Severity::Warning,
        "extra text",
        text,
    )))
}

/// Returns a parameter without what was copied around it. Quotation marks within it belong to its value.
fn parameter(text: &str) -> &str {
    let text = text.trim_start_matches('?').trim_matches([',', ';']);
    let is_one = text.matches(['"', '\'']).count() == 1;
    match unquoted(text) {
        Some(inner) => inner,
        // The other mark was not copied.
        None if is_one => text.trim_matches(['"', '\'']),
        None => text,
    }
}

fn extra_parameters(settings: &Settings) -> Option<Problem> {
    let key = Key::ExtraParameters;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let parts = |text: &str| -> Vec<String> {
        text.split(|ch: char| ch == '&' || ch.is_whitespace())
            .map(|part| parameter(part).to_owned())
            .filter(|part| !part.is_empty())
            .collect()
    };
    let plain = typed.replace("&amp;", "&");
    // The query of a URL.
    let plain = match plain.split_once('?') {
        Some((url, query)) if url.contains("://") && !url.contains('=') => {
            query.split('#').next().unwrap_or_default()
        }
        _ => &plain,
    };
    let plain = plain.trim_start_matches(['?', '&']).trim_end_matches('&');
    let meant = parts(plain).join("&");
    let is_whole = |text: &str| {
        text.split('&').all(|part| {
            part.split_once('=')
                .is_some_and(|(name, _)| !name.is_empty())
        })
    };
    if typed.is_empty() || meant == typed || !is_whole(&meant) {
        return None;
    }
    let text = "Enter extra parameters as name=value, separated by &";
    Some(suggested(
        settings,
        key,
        Severity::Error,
        "malformed",
        text,
        Some(meant),
    ))
}

fn account(settings: &Settings, key: Key) -> Option<Problem> {
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let inner = match (typed.find('<'), typed.ends_with('>')) {
        (Some(at), true) => &typed[at + 1..typed.len() - 1],
        _ => typed,
    };
    let bare = unwrapped(inner).map_or_else(|| inner.to_owned(), |value| value.text);
    let meant = bare.strip_prefix("mailto:").unwrap_or(&bare).to_owned();
    if meant == typed || meant.is_empty() {
        return None;
    }
    let text = format!(
        "{} contains extra text",
        if key == Key::Subject {
            "The address"
        } else {
            "The account"
        }
    );
    Some(suggested(
        settings,
        key,
        Severity::Warning,
        "extra text",
        &text,
        Some(meant),
    ))
}

fn listen_address(settings: &Settings) -> Option<Problem> {
    let key = Key::ListenAddress;
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    if typed.is_empty() || typed.parse::<ListenAddress>().is_ok() {
        return None;
    }
    let bare = unwrapped(typed).map_or_else(|| typed.to_owned(), |value| value.text);
    let bare = bare
        .split_once("://")
        .map_or(bare.as_str(), |(_, rest)| rest);
    let bare = bare.split('/').next().unwrap_or_default();
    let meant = match bare.split_once(':') {
        Some(("localhost" | "", port)) => format!("127.0.0.1:{port}"),
        Some(("*", port)) => format!("0.0.0.0:{port}"),
        None if bare.eq_ignore_ascii_case("localhost") => "127.0.0.1".to_owned(),
        None if !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("127.0.0.1:{bare}")
        }
        _ => bare.to_owned(),
    };
    meant.parse::<ListenAddress>().ok()?;
    let text = "Enter an IP address of this machine, with or without a port";
    Some(suggested(
        settings,
        key,
        Severity::Error,
        "malformed",
        text,
        Some(meant),
    ))
}

/// Returns whether the text is the content of a key file.
fn holds_json(value: &str) -> bool {
    value.trim_start().starts_with('{') || value.contains("-----BEGIN")
}

fn content_as_path() -> Problem {
    let text = "This is the content of a key file. Save it to a file that only you can read, and enter the path of that file";
    Problem::new(Key::KeyFile, Severity::Error, "not a path", text.to_owned())
}

fn path(settings: &Settings, key: Key) -> Option<Problem> {
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let meant = if typed.starts_with("file:") {
        let url = Url::parse(typed).ok()?;
        url.to_file_path().ok()?.to_str()?.to_owned()
    } else {
        unquoted(typed)?.to_owned()
    };
    let text = format!(
        "Enter {} as a path, without file:// and quotation marks",
        settings.label(key)
    );
    Some(suggested(
        settings,
        key,
        Severity::Error,
        "not a path",
        &text,
        Some(meant),
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::form::request;
    use crate::oauth::flow_kind::FlowKind;
    use crate::presets::{self, Preset};

    /// Returns complete settings.
    fn form(preset: &str) -> Settings {
        let mut form = Settings::new(presets::get(preset).unwrap());
        for (key, value) in [
            (Key::ClientId, "me"),
            (Key::ClientSecret, "s3cret"),
            (Key::AuthorizationUrl, "https://as.example/authorize"),
            (Key::DeviceUrl, "https://as.example/device"),
            (Key::TokenUrl, "https://as.example/token"),
            (Key::RedirectUrl, "http://127.0.0.1:8400/"),
        ] {
            form.set(key, value.to_owned());
        }
        form
    }

    /// Returns the message about a value, and the value after its fix.
    fn tried(form: &mut Settings, key: Key, typed: &str) -> (String, Option<String>) {
        form.set(key, typed.to_owned());
        let problems = request::problems(form);
        let said: Vec<&Problem> = problems
            .iter()
            .filter(|problem| problem.key == key)
            .collect();
        assert!(said.len() <= 1, "{typed}: {said:?}");
        let Some(problem) = said.first() else {
            return (String::new(), None);
        };
        let text = problem.text.clone();
        assert!(text.ends_with(['.', '?']) && !text.contains(".."), "{text}");
        let offered = problem.remedy.as_ref().map(|remedy| {
            let mut form = form.clone();
            form.apply(&remedy.change);
            let left = request::problems(&form);
            let is_left = left.iter().any(|left| left == *problem);
            assert!(!is_left, "{typed}: {} does not help", remedy.label);
            match key {
                Key::ClientSecret => form.secret().expose_secret().to_owned(),
                key => form.value(key),
            }
        });
        (text, offered)
    }

    /// Checks the value that is offered for each paste, or a part of the error. Expects no message if nothing changes.
    fn table(form: &mut Settings, key: Key, rows: &[(&str, Result<&str, &str>)]) {
        assert!(rows.len() >= 10, "{key:?}");
        for (typed, expected) in rows {
            let (said, offered) = tried(form, key, typed);
            match expected {
                Ok(same) if same == typed => assert_eq!(said, "", "{key:?} {typed:?}"),
                Ok(meant) => {
                    assert_eq!(
                        offered.as_deref(),
                        Some(*meant),
                        "{key:?} {typed:?}: {said}"
                    );
                    let is_told = match key {
                        Key::ClientSecret => !said.contains("s3c"),
                        Key::Scope => said.contains("Did you mean"),
                        _ => said.contains(meant),
                    };
                    assert!(is_told, "{said}");
                }
                Err(part) => {
                    assert_eq!(offered, None, "{key:?} {typed:?}: {said}");
                    assert!(said.contains(part), "{key:?} {typed:?}: {said}");
                }
            }
        }
    }

    #[test]
    fn pasted_client_ids_are_corrected() {
        let id = "11111111-2222-3333-4444-555555555555";
        table(
            &mut form("custom"),
            Key::ClientId,
            &[
                (id, Ok(id)),
                ("acme:prod-1", Ok("acme:prod-1")),
                ("my app 7", Ok("my app 7")),
                (&format!("\"{id}\""), Ok(id)),
                (&format!("“{id}”"), Ok(id)),
                (&format!("`{id}`"), Ok(id)),
                (&format!("{{{id}}}"), Ok(id)),
                (&format!("<{id}>"), Ok(id)),
                (&format!("Client ID: {id}"), Ok(id)),
                (&format!("Application (client) ID {id}"), Ok(id)),
                (&format!("client_id={id}"), Ok(id)),
                (&format!("\"client_id\": \"{id}\","), Ok(id)),
                (&format!("clientId: \"{id}\","), Ok(id)),
                ("unit: \"a\",", Ok("unit: \"a\",")),
                (&format!("\u{200b}{id}"), Ok(id)),
                (&id.replace('-', "\u{2011}"), Ok(id)),
                (&id.replace('-', "–"), Ok(id)),
                ("\u{feff}me", Ok("\u{feff}me")),
                ("me\u{fffc}x", Err("(U+FFFC)")),
                ("mé", Err("é (U+00E9)")),
                ("a\nb", Ok("ab")),
                ("<client-id>", Err("is a placeholder")),
                ("null", Err("is a placeholder")),
                ("YOUR_CLIENT_ID", Err("is a placeholder")),
                ("xxxxxxxx-xxxx-xxxx", Err("is a placeholder")),
                ("$CLIENT_ID", Err("$CLIENT_ID is a placeholder")),
                ("\"${CLIENT_ID}\"", Err("is a placeholder")),
                ("%CLIENT_ID%", Err("is a placeholder")),
            ],
        );
    }

    #[test]
    fn redirect_url_error_suggests_a_scheme_only_if_missing() {
        for (typed, words) in [
            ("http://localhost:8400/cb ?x", "Not a valid URL"),
            ("http://user:pw@localhost:8400/", "Remove the user name"),
            ("localhost:8400/", "starts with http:// or https://"),
        ] {
            let mut form = form("microsoft-mail");
            form.set_flow(FlowKind::AuthorizationCode);
            form.set(Key::RedirectUrl, typed.to_owned());
            let problems = crate::form::request::problems(&form);
            let problem = problems.iter().find(|it| it.key == Key::RedirectUrl);
            let text = &problem.unwrap().text;
            assert!(text.contains(words), "{typed}: {text}");
        }
    }

    #[test]
    fn client_secret_problems_never_show_the_secret() {
        let mut form = form("custom");
        table(
            &mut form,
            Key::ClientSecret,
            &[
                ("s3cret", Ok("s3cret")),
                ("s3 cret", Ok("s3 cret")),
                ("\"s3cret\"", Ok("s3cret")),
                ("'s3cret'", Ok("s3cret")),
                ("“s3cret”", Ok("s3cret")),
                ("s3cret ", Ok("s3cret")),
                ("\u{a0}s3cret", Ok("s3cret")),
                ("Client secret: s3cret", Ok("s3cret")),
                ("client_secret=s3cret", Ok("s3cret")),
                ("<s3cret>", Ok("s3cret")),
                ("s3c\u{200b}ret", Ok("s3cret")),
                (
                    "s3crét",
                    Err("Character 5 of the Client secret is not an ASCII"),
                ),
                ("<your-client-secret>", Err("is a placeholder")),
                ("$CLIENT_SECRET", Err("This is a placeholder")),
                ("pa$WORD%", Ok("pa$WORD%")),
                ("{s3cret}", Ok("s3cret")),
                (
                    "{\"client_secret\":\"s3cret\"}",
                    Err("value of client_secret"),
                ),
                (
                    "{\"private_key\":\"s3cret\"}",
                    Err("--service-account-file"),
                ),
                ("-----BEGIN PRIVATE KEY-----s3cret", Err("--client-key")),
            ],
        );
        form.set(Key::ClientSecret, " 'Hunter2-secret' ".to_owned());
        let all = format!("{:?}", request::problems(&form));
        assert!(!all.contains("Hunter2"), "{all}");
    }

    #[test]
    fn url_without_host_is_an_error_without_remedy() {
        for text in [
            "http://:18501/",
            "https://:8443/token",
            ":18501/token",
            "http:18501/",
        ] {
            let mut settings = form(presets::CUSTOM);
            settings.set(Key::TokenUrl, text.to_owned());
            let mut problems = request::problems(&settings);
            problems.retain(|problem| problem.key == Key::TokenUrl);
            let is_error = |problem: &Problem| problem.severity == Severity::Error;
            assert!(problems.iter().any(is_error), "{text}: {problems:?}");
            let has_remedy = |problem: &Problem| problem.remedy.is_some();
            assert!(!problems.iter().any(has_remedy), "{text}: {problems:?}");
        }
    }

    #[test]
    fn label_before_scopes_is_detected() {
        for (text, meant) in [
            ("scope=a b", Some("a b")),
            ("Scope: a b", Some("a b")),
            ("scopes = a b", Some("a b")),
            (r#""scope": "a b","#, Some("a b")),
            ("scope", None),
            ("scope=", None),
            ("scope_a b", None),
            ("scopes.read b", None),
            ("scope://a b", None),
            ("a scope=b", None),
        ] {
            let mut settings = form(presets::CUSTOM);
            settings.set(Key::Scope, text.to_owned());
            let problem = problem(&settings, Key::Scope);
            let found = problem.filter(|problem| problem.word == "extra text");
            let change = found.and_then(|problem| Some(problem.remedy?.change));
            let meant = meant.map(|meant| Change::Text(Key::Scope, meant.to_owned()));
            assert_eq!(change, meant, "{text}");
        }
    }

    #[test]
    fn pasted_scopes_are_corrected() {
        let full = "https://outlook.office.com/SMTP.Send";
        let mut mail = form("microsoft-mail");
        table(
            &mut mail,
            Key::Scope,
            &[
                (
                    &format!("offline_access {full}"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    "offline_access SMTP.Send",
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    "offline_access smtp.send",
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("offline_access {full}d"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("offline_access,{full}"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("offline_access; {full}"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("[\"offline_access\", \"{full}\"]"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    "offline_access%20https%3A%2F%2Foutlook.office.com%2FSMTP.Send",
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("offline-access {full}"),
                    Ok(&format!("offline_access {full}")),
                ),
                (
                    &format!("offline_access {full}\u{200b}"),
                    Ok(&format!("offline_access {full}")),
                ),
                (&format!("offline_access {full} é"), Err("é (U+00E9)")),
            ],
        );
        // A value that only looks similar is kept.
        let mut google = form("google-mail");
        let (said, _) = tried(
            &mut google,
            Key::Scope,
            "https://www.googleapis.com/auth/gmail.modify",
        );
        assert_eq!(said, "");
    }

    #[test]
    fn pasted_endpoints_are_corrected() {
        let url = "https://as.example/token";
        table(
            &mut form("custom"),
            Key::TokenUrl,
            &[
                (url, Ok(url)),
                ("https://as.example/token/", Ok("https://as.example/token/")),
                ("\"https://as.example/token\"", Ok(url)),
                ("<https://as.example/token>", Ok(url)),
                ("as.example/token", Ok(url)),
                ("//as.example/token", Ok(url)),
                ("https:/as.example/token", Ok(url)),
                ("https:as.example/token", Ok(url)),
                ("https//as.example/token", Ok(url)),
                ("htps://as.example/token", Ok(url)),
                ("https://https://as.example/token", Ok(url)),
                ("https:\\\\as.example\\token", Ok(url)),
                ("http://as.example/token", Ok(url)),
                ("https://as.example/token...", Ok(url)),
                ("https://as.example/token…", Ok(url)),
                ("https://as.example/token.", Ok(url)),
                ("https://as.example/ token", Ok(url)),
                ("Token URL: https://as.example/token", Ok(url)),
                ("token_endpoint=https://as.example/token", Ok(url)),
                ("https://me:pw@as.example/token", Ok(url)),
                ("https://as.example/token#x", Ok(url)),
                ("https://as.example/{tenant}/token", Err("{tenant}")),
                ("https://<host>/token", Err("<host>")),
                ("https://your-domain/token", Err("your-domain")),
                ("localhost:9000/token", Ok("http://localhost:9000/token")),
                ("ftp://as.example/token", Err("not with ftp:")),
                ("https:///oauth/token", Err("it has no host")),
                ("https:////oauth/token", Err("it has no host")),
                ("https:///as.example/token", Err("it has no host")),
                ("https://:8443/token", Err("it has no host")),
                ("https:/oauth/token", Err("isn't followed by //")),
                ("https://login.as.exa…", Err("Not a valid URL")),
                ("https://login.as.exa...", Err("a part of its host")),
                ("https///oauth/token", Err("Enter the full URL")),
                ("https:///oauth/token?x=1", Err("it has no host")),
                ("https:// /oauth/token", Err("it contains a space")),
                ("https://exa mple/t", Err("it contains a space")),
                ("https://as.example now", Err("it contains a space")),
                ("exa mple.org/token", Err("it contains a space")),
                ("https://1.2.3/token", Err("1.2.3 is neither")),
                ("https://.as.example/token", Err("a part of its host")),
            ],
        );
    }

    #[test]
    fn metadata_url_as_endpoint_is_offered_as_issuer() {
        let mut form = form("custom");
        form.set_flow(FlowKind::DeviceCode);
        let typed = "https://as.example/r/.well-known/openid-configuration";
        let (said, left) = tried(&mut form, Key::DeviceUrl, typed);
        assert!(
            said.contains("Enter https://as.example/r as Issuer"),
            "{said}"
        );
        assert_eq!(left.as_deref(), Some(""));
        let problems = request::problems(&form);
        let remedy = problems[0].remedy.clone().unwrap();
        form.apply(&remedy.change);
        assert_eq!(form.value(Key::Issuer), "https://as.example/r");
    }

    #[test]
    fn pasted_issuers_are_corrected() {
        let url = "https://as.example/r";
        table(
            &mut form("custom"),
            Key::Issuer,
            &[
                (url, Ok(url)),
                ("https://as.example/r/", Ok("https://as.example/r/")),
                ("'https://as.example/r'", Ok(url)),
                ("as.example/r", Ok(url)),
                ("https:///realms/x", Err("it has no host")),
                (
                    "https:///.well-known/openid-configuration",
                    Err("it has no host"),
                ),
                ("https:/realms/x", Err("isn't followed by //")),
                ("HTTPS://as.example/r", Ok(url)),
                ("HTTP://as.example/r", Ok(url)),
                ("http://as.example/r", Ok(url)),
                ("Issuer: https://as.example/r", Ok(url)),
                (
                    "https://as.example/r/.well-known/openid-configuration",
                    Ok(url),
                ),
                (
                    "as.example/.well-known/oauth-authorization-server/r",
                    Ok(url),
                ),
                ("https://me:pa55@as.example/r", Ok(url)),
                ("me:pa55@as.example/r", Ok(url)),
                ("https://as.example/r#x", Ok(url)),
                ("https://as.example/r?p=policy", Ok(url)),
                ("https://as.example/{tenantid}/v2.0", Err("{tenantid}")),
                ("https://as.example/<tenant>/v2.0", Err("<tenant>")),
            ],
        );
        for typed in [
            "https://me:pa55@as.example/r",
            "me:pa55@as.example",
            "user:pa55@as.example",
            "me:pa55@as.example/r?x=1",
        ] {
            let mut form = form("custom");
            form.set(Key::Issuer, typed.to_owned());
            let said = format!("{:?}", request::problems(&form));
            assert!(!said.contains("pa55") && said.contains("Issuer"), "{said}");
        }
    }

    #[test]
    fn email_address_as_issuer_is_moved_to_login_hint() {
        for typed in [
            "alice@contoso.example",
            "mailto:alice@contoso.example",
            "<alice@contoso.example>",
            "\"alice@contoso.example\"",
            "Alice Example <alice@contoso.example>",
            " alice@contoso.example ",
        ] {
            let mut form = form("custom");
            let (said, _) = tried(&mut form, Key::Issuer, typed);
            assert!(
                said.starts_with("alice@contoso.example is an email address. Enter the URL"),
                "{said}"
            );
            let problems = request::problems(&form);
            let problem = problems.iter().find(|it| it.key == Key::Issuer).unwrap();
            form.apply(&problem.remedy.as_ref().unwrap().change);
            assert_eq!(form.value(Key::Issuer), "");
            assert_eq!(form.value(Key::LoginHint), "alice@contoso.example");
        }
    }

    #[test]
    fn pasted_redirect_urls_are_corrected() {
        let mut form = form("custom");
        form.set_flow(FlowKind::AuthorizationCode);
        let url = "http://localhost:8400/cb";
        table(
            &mut form,
            Key::RedirectUrl,
            &[
                (url, Ok(url)),
                ("localhost:8400/cb", Ok(url)),
                ("\"http://localhost:8400/cb\"", Ok(url)),
                ("<http://localhost:8400/cb>", Ok(url)),
                ("http:/localhost:8400/cb", Ok(url)),
                ("http//localhost:8400/cb", Ok(url)),
                ("Redirect URI: http://localhost:8400/cb", Ok(url)),
                ("redirect_uri=http://localhost:8400/cb", Ok(url)),
                ("http://localhost:8400/ cb", Ok(url)),
                ("127.0.0.1:8400", Ok("http://127.0.0.1:8400")),
                ("[::1]:8400/cb", Ok("http://[::1]:8400/cb")),
                // This URL is compared as registered.
                ("HTTP://LocalHost:8400/Cb", Ok("HTTP://LocalHost:8400/Cb")),
                ("http://localhost:{port}/cb", Err("{port}")),
                ("http://<host>/cb", Err("<host>")),
                ("urn:ietf:wg:oauth:2.0:oob", Err("can't listen on a urn:")),
                (
                    "com.example.app:/oauth2redirect",
                    Err("can't listen on a com.example.app:"),
                ),
                ("myapp://callback", Err("can't listen on a myapp:")),
                ("myapp://cb#frag", Err("Remove the fragment")),
                ("myapp://me@cb", Err("Remove the user name")),
                ("myapp://", Err("it has neither a host nor a path")),
                ("http:///cb", Err("it has no host")),
                ("http://2130706433:1/cb", Err("2130706433 is neither")),
                ("msal1234://auth", Err("can't listen on a msal1234:")),
                ("javascript:alert(1)", Err("not with javascript:")),
                ("file:///x", Err("not with file:")),
            ],
        );
        for (url, runs) in [
            ("urn:ietf:wg:oauth:2.0:oob", true),
            ("com.example.app:/oauth2redirect", true),
            ("javascript:alert(1)", false),
            ("com.example.app:/cb#x", false),
            ("http://nas.lan:8400/cb", false),
        ] {
            form.set(Key::RedirectUrl, url.to_owned());
            assert_eq!(request::request(&form).is_ok(), runs, "{url}");
        }
        form.set(Key::ListenAddress, "127.0.0.1:0".to_owned());
        let request = request::request(&form).unwrap();
        assert_eq!(
            request.redirect_url.unwrap().as_str(),
            "http://nas.lan:8400/cb"
        );
    }

    #[test]
    fn pasted_hosts_are_corrected() {
        let host = "sso.example.org";
        table(
            &mut form("keycloak"),
            Key::Var(0),
            &[
                (host, Ok(host)),
                ("sso", Ok("sso")),
                ("sso.example.org:8443", Ok("sso.example.org:8443")),
                ("sso.example.org/auth", Ok("sso.example.org/auth")),
                ("[fd00::2]:8443", Ok("[fd00::2]:8443")),
                ("[2001:db8::1]", Ok("[2001:db8::1]")),
                ("[2001:db8::1]:443", Ok("[2001:db8::1]")),
                ("[::1]", Ok("[::1]")),
                ("https://[::1]", Ok("[::1]")),
                ("https://[2001:db8::1]/", Ok("[2001:db8::1]")),
                ("2001:db8::1", Ok("[2001:db8::1]")),
                ("[2001:db8::1]/auth", Ok("[2001:db8::1]/auth")),
                ("1.2.3", Err("a complete IP address")),
                ("1.2.3:8443", Err("a complete IP address")),
                ("https://1.2.3/", Err("must be a host name")),
                ("https:///realms/staff", Err("must be a host name")),
                ("https:/realms/staff", Err("must be a host name")),
                (".example.org", Err("must be a host name")),
                ("https://exa mple.org", Err("must be a host name")),
                ("https://sso.example.org", Ok(host)),
                ("https://sso.example.org/", Ok(host)),
                ("sso.example.org/", Ok(host)),
                ("HTTPS://sso.example.org", Ok(host)),
                ("http://sso.example.org", Ok(host)),
                ("//sso.example.org", Ok(host)),
                ("https:/sso.example.org", Ok(host)),
                ("https://sso.example.org/auth/", Ok("sso.example.org/auth")),
                (
                    "https://sso.example.org:8443/x",
                    Ok("sso.example.org:8443/x"),
                ),
                (
                    "https://sso.example.org/auth/realms/staff/account?a=b",
                    Ok("sso.example.org/auth"),
                ),
                ("https://sso.example.org/realms/staff", Ok(host)),
                ("https://me:pw@sso.example.org", Ok(host)),
                ("\"sso.example.org\"", Ok(host)),
                ("Host: sso.example.org", Ok(host)),
                ("<host>", Err("is a placeholder")),
                ("{host}", Err("is a placeholder")),
                ("https://", Err("must be a host name")),
                ("..", Err("must be a host name")),
                ("sso..example.org", Err("must be a host name")),
                ("*.example.org", Err("must be a host name")),
                ("sso example org", Err("can't contain spaces")),
                ("sso.example.org.", Ok("sso.example.org.")),
            ],
        );
    }

    #[test]
    fn pasted_url_parts_are_corrected() {
        let tenant = "contoso.onmicrosoft.com";
        table(
            &mut form("microsoft-mail"),
            Key::Var(0),
            &[
                (tenant, Ok(tenant)),
                ("common", Ok("common")),
                ("\"contoso.onmicrosoft.com\"", Ok(tenant)),
                ("contoso.onmicrosoft.com/", Ok(tenant)),
                ("/contoso.onmicrosoft.com", Ok(tenant)),
                (
                    "https://login.microsoftonline.com/contoso.onmicrosoft.com",
                    Ok(tenant),
                ),
                (
                    "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token",
                    Ok(tenant),
                ),
                (
                    "login.microsoftonline.com/contoso.onmicrosoft.com/",
                    Ok(tenant),
                ),
                ("<contoso.onmicrosoft.com>", Ok(tenant)),
                ("Tenant: contoso.onmicrosoft.com", Ok(tenant)),
                (
                    "<tenant-id>",
                    Err("is a placeholder. Enter your own Tenant"),
                ),
                ("{tenant}", Err("is a placeholder. Enter your own Tenant")),
                ("a:b", Err("must be one part of a URL")),
                (".", Err("must be one part of a URL")),
                ("..", Err("must be one part of a URL")),
                ("%2E%2e", Err("must be one part of a URL")),
                ("münchen.de", Err("can't contain ü (U+00FC)")),
                ("contoso", Ok(tenant)),
                ("alice@contoso.onmicrosoft.com", Ok(tenant)),
                ("11111111-2222", Err("only part of a tenant ID")),
                ("organisations", Ok("organizations")),
            ],
        );
        table(
            &mut form("zoho"),
            Key::Var(0),
            &[
                ("eu", Ok("eu")),
                ("com.au", Ok("com.au")),
                (".eu", Ok("eu")),
                ("zoho.eu", Ok("eu")),
                ("accounts.zoho.eu", Ok("eu")),
                ("https://accounts.zoho.eu", Ok("eu")),
                ("https://accounts.zoho.com.au/", Ok("com.au")),
                ("\"eu\"", Ok("eu")),
                ("eu/", Ok("eu")),
                ("<eu>", Ok("eu")),
                ("{dc}", Err("is a placeholder")),
            ],
        );
    }

    #[test]
    fn pasted_values_of_other_fields_are_corrected() {
        let mut form = form("custom");
        form.set_flow(FlowKind::AuthorizationCode);
        let parameters = "prompt=consent&hd=x";
        table(
            &mut form,
            Key::ExtraParameters,
            &[
                (parameters, Ok(parameters)),
                ("?prompt=consent&hd=x", Ok(parameters)),
                ("&prompt=consent&hd=x", Ok(parameters)),
                ("prompt=consent&hd=x&", Ok(parameters)),
                ("prompt=consent&amp;hd=x", Ok(parameters)),
                ("prompt=consent hd=x", Ok(parameters)),
                ("prompt=consent, hd=x", Ok(parameters)),
                ("\"prompt=consent\" \"hd=x\"", Ok(parameters)),
                ("prompt=consent\nhd=x", Ok(parameters)),
                ("https://as.example/a?prompt=consent&hd=x", Ok(parameters)),
                (
                    "https://as.example/a?prompt=consent&hd=x#top",
                    Ok(parameters),
                ),
                ("prompt=consent&hd=x\"", Ok(parameters)),
                ("audience=\"x\"", Ok("audience=\"x\"")),
                ("audience='x'&hd=y", Ok("audience='x'&hd=y")),
                ("audience=\"x\", hd=y", Ok("audience=\"x\"&hd=y")),
                (
                    "audience=https://as.example/a?b",
                    Ok("audience=https://as.example/a?b"),
                ),
                ("prompt", Err("name=value")),
                ("=x", Err("name=value")),
            ],
        );
        let account = "alice@example.org";
        table(
            &mut form,
            Key::LoginHint,
            &[
                (account, Ok(account)),
                ("alice", Ok("alice")),
                ("EXAMPLE\\alice", Ok("EXAMPLE\\alice")),
                ("<alice@example.org>", Ok(account)),
                ("\"alice@example.org\"", Ok(account)),
                ("Alice Doe <alice@example.org>", Ok(account)),
                ("mailto:alice@example.org", Ok(account)),
                ("E-mail: alice@example.org", Ok("alice@example.org")),
                ("alice@example.org,", Ok(account)),
                ("alice@example.org;", Ok(account)),
                ("(alice@example.org)", Ok(account)),
            ],
        );
        let address = "127.0.0.1:8400";
        table(
            &mut form,
            Key::ListenAddress,
            &[
                (address, Ok(address)),
                ("127.0.0.1", Ok("127.0.0.1")),
                ("localhost:8400", Ok(address)),
                ("localhost", Ok("127.0.0.1")),
                ("http://127.0.0.1:8400/", Ok(address)),
                ("http://127.0.0.1:8400/cb", Ok(address)),
                (":8400", Ok(address)),
                ("8400", Ok(address)),
                ("\"127.0.0.1:8400\"", Ok(address)),
                ("<127.0.0.1:8400>", Ok(address)),
                ("everywhere", Err("an IP address of this machine")),
            ],
        );
        let path = "/etc/ca.pem";
        table(
            &mut form,
            Key::CaFile,
            &[
                (path, Ok(path)),
                ("C:\\ca.pem", Ok("C:\\ca.pem")),
                ("my ca.pem", Ok("my ca.pem")),
                ("{ca}.pem", Ok("{ca}.pem")),
                ("ca's.pem", Ok("ca's.pem")),
                ("\"/etc/ca.pem\"", Ok(path)),
                ("'/etc/ca.pem'", Ok(path)),
                ("“/etc/ca.pem”", Ok(path)),
                ("`/etc/ca.pem`", Ok(path)),
                (
                    if cfg!(windows) {
                        path
                    } else {
                        "file:///etc/ca.pem"
                    },
                    Ok(path),
                ),
            ],
        );
    }

    #[test]
    fn near_miss_is_explained_by_the_preset() {
        let text = "id = \"mine\"\nname = \"Mine\"\ngroup = \"developer\"\n[endpoints]\n\
                    device = \"https://as.example/d\"\ntoken = \"https://as.example/{tenant}\"\n\
                    [[variables]]\nname = \"tenant\"\nlabel = \"Tenant\"\n\
                    [[patterns]]\nfield = \"client_id\"\nform = 'a[0-9]+\\.apps'\nexample = \"a1.apps\"\n\
                    [[patterns.near]]\nform = 'a[0-9]+'\nexample = \"a1\"\nmeans = \"This lacks its end.\"\n\
                    instead = \"$0.apps\"\n\
                    [[patterns]]\nfield = \"client_secret\"\nform = 'v.+'\nexample = \"v1\"\n\
                    [[patterns.near]]\nform = 's.+'\nexample = \"s1\"\nmeans = \"This is the ID of the secret.\"\n\
                    [[patterns]]\nfield = \"tenant\"\nform = 't[0-9]'\nexample = \"t1\"\n\
                    [[patterns.near]]\nform = 't'\nexample = \"t\"\nmeans = \"This is half of it.\"\n";
        let preset: Arc<Preset> = Arc::new(presets::check::parse_preset(text).unwrap());
        let mut form = Settings::new(preset);
        form.set(Key::Var(0), "t1".to_owned());
        let id = |form: &mut Settings, typed: &str| tried(form, Key::ClientId, typed);
        assert_eq!(id(&mut form, "a77.apps").0, "");
        assert_eq!(id(&mut form, "anything").0, "");
        let (said, offered) = id(&mut form, "a77");
        assert_eq!(said, "This lacks its end. Did you mean a77.apps?");
        assert_eq!(offered.as_deref(), Some("a77.apps"));
        let (said, offered) = tried(&mut form, Key::ClientSecret, "s77");
        assert_eq!(
            (said.as_str(), offered),
            ("This is the ID of the secret.", None)
        );
        let (said, _) = tried(&mut form, Key::Var(0), "t");
        assert_eq!(said, "This is half of it.");
        // A warning doesn't stop the request.
        assert!(request::request(&form).is_ok());
    }
}
