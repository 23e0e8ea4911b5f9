//! Checks paths of certificates in Windows stores, as entered for the client's key.

use super::suggestion::suggested;
use crate::certificate::store_path::StorePath;
use crate::clean::trimmed;
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;

/// Returns the problem with a certificate store path in one of the two fields of the client key.
pub(super) fn store_path_problem(settings: &Settings, key: Key, windows: bool) -> Option<Problem> {
    let typed = settings.value(key);
    let typed = trimmed(&typed);
    let is_path = StorePath::is_meant(typed);
    let alone = StorePath::of_thumbprint(typed);
    if !is_path && alone.is_none() {
        return None;
    }
    let error = |word, text: &str| Some(Problem::new(key, Severity::Error, word, text.to_owned()));
    if !windows {
        return error(
            "not a file",
            "Certificate stores exist only on Windows. Enter the path of a PEM file",
        );
    }
    if key == Key::ClientCertificate {
        let text =
            "A certificate in a store is entered as Client key: its private key is there, too";
        let (to, text) = (Key::ClientKey, text.to_owned());
        let move_it = Change::Move {
            from: key,
            to,
            text: alone.map_or_else(|| typed.to_owned(), |path| path.to_string()),
        };
        let problem = Problem::new(key, Severity::Error, "not a file", text);
        return Some(if settings.has_client_key() {
            problem
        } else {
            problem.with_remedy("Move it to Client key", move_it)
        });
    }
    if let Some(path) = alone {
        let text = "This is a thumbprint. Enter the path of the certificate in its store";
        let meant = Some(path.to_string());
        let word = "not a path";
        return Some(suggested(settings, key, Severity::Error, word, text, meant));
    }
    let wrong = typed.parse::<StorePath>().err()?;
    error("malformed", &wrong.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::presets;

    const HASH: &str = "00112233445566778899AABBCCDDEEFF00112233";

    fn path() -> String {
        format!(r"Cert:\LocalMachine\My\{HASH}")
    }

    #[test]
    fn store_path_is_accepted_only_on_windows() {
        let short = r"cert:\localmachine\my\00";
        for (typed, windows, word, said) in [
            (path().as_str(), true, None, ""),
            ("key.pem", false, None, ""),
            (&path(), false, Some("not a file"), "only on Windows"),
            (HASH, false, Some("not a file"), "only on Windows"),
            (HASH, true, Some("not a path"), &path()),
            (
                r"Cert:\LocalMachine",
                true,
                Some("malformed"),
                "followed by its thumbprint",
            ),
            (short, true, Some("malformed"), "40 hexadecimal digits"),
        ] {
            let mut form = Settings::new(presets::get("custom").unwrap());
            form.set(Key::ClientKey, typed.to_owned());
            let found = store_path_problem(&form, Key::ClientKey, windows);
            assert_eq!(found.as_ref().map(|it| it.word), word, "{typed}");
            let text = found.map(|it| it.text).unwrap_or_default();
            assert!(text.contains(said), "{typed}: {text}");
        }
        // In the other field, the path is moved, and a thumbprint becomes the path.
        for typed in [path().as_str(), HASH] {
            let mut form = Settings::new(presets::get("custom").unwrap());
            form.set(Key::ClientCertificate, typed.to_owned());
            let found = store_path_problem(&form, Key::ClientCertificate, true).unwrap();
            form.apply(&found.remedy.unwrap().change);
            let value = |key| form.value(key);
            assert_eq!(
                (value(Key::ClientKey), value(Key::ClientCertificate)),
                (path(), String::new())
            );
        }
    }
}
