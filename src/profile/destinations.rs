//! Where the tokens of a record from another computer may be sent, so that the user can check it.

use url::Url;

use super::settings_file::SettingsFile;
use crate::clean::clean;
use crate::mail::server::Protocol;
use crate::oauth::url::endpoint;
use crate::store::record::Record;
use crate::store::tokens::Tokens;

/// Maximum length of a displayed place, in characters.
const PLACE_LIMIT: usize = 400;

/// Returns the places, as sentences: each token URL, each other endpoint that is not on the same host and port as a token
/// URL, and each mail server.
///
/// # Errors
/// Returns an error, as a sentence, if a URL is invalid or would send the tokens unencrypted.
pub fn destinations(record: &Record, file: &SettingsFile) -> Result<Vec<String>, String> {
    let issued_for = &record.issued_for;
    let mut token_urls = vec![usable("token", &issued_for.token_url)?];
    if let Some(text) = record.tokens.as_ref().and_then(Tokens::token_url) {
        token_urls.push(usable("token", text)?);
        token_urls.dedup();
    }
    let mut told: Vec<String> = token_urls
        .iter()
        .map(|url| format!("Its tokens are sent to {url}."))
        .collect();
    let tools = &issued_for.tools;
    for (name, text) in [
        ("revocation", &tools.revocation),
        ("introspection", &tools.introspection),
        ("user info", &tools.userinfo),
    ] {
        let Some(text) = text else {
            continue;
        };
        let url = usable(name, text)?;
        if token_urls
            .iter()
            .all(|known| known.origin() != url.origin())
        {
            told.push(format!("Its tokens can also be sent to {url} ({name})."));
        }
    }
    // A record of an older version names no mail servers; those in the settings are used then.
    let of_settings = || {
        let servers = Protocol::ALL.into_iter().filter_map(|protocol| {
            let server = file.mail_server(protocol)?;
            Some(format!("{} {server}", protocol.key()))
        });
        servers.collect()
    };
    for server in issued_for.mail.clone().unwrap_or_else(of_settings) {
        let server = clean(&server, PLACE_LIMIT);
        told.push(format!(
            "Its tokens can also be sent to the mail server {server}."
        ));
    }
    Ok(told)
}

/// Returns the URL of an endpoint.
fn usable(name: &str, text: &str) -> Result<Url, String> {
    let wrong = |problem: &str| {
        let shown = clean(text, PLACE_LIMIT);
        format!("Its {name} URL ({shown}) can't be used. {problem}.")
    };
    let url = endpoint(text).map_err(|problem| wrong(&problem.to_string()))?;
    // The record contains what was parsed and written again. Anything else could be shown differently than it is used.
    if url.as_str() == text {
        Ok(url)
    } else {
        Err(wrong("Export the profile again"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::oauth::token::TokenSet;
    use crate::store::issued_for::IssuedFor;

    type Set = fn(&mut IssuedFor, String);

    fn told(change: impl FnOnce(&mut IssuedFor)) -> Result<Vec<String>, String> {
        told_with(None, change)
    }

    /// With tokens from another token URL.
    fn told_with(
        token_url: Option<&str>,
        change: impl FnOnce(&mut IssuedFor),
    ) -> Result<Vec<String>, String> {
        let mut issued_for = IssuedFor {
            token_url: "https://as.example/token".to_owned(),
            ..IssuedFor::default()
        };
        change(&mut issued_for);
        let file = "format = 1\n[mail]\nimap = \"imap.example.org:993 TLS\"\n";
        let file = SettingsFile::parse(file.as_bytes(), "office.toml").unwrap();
        let set = TokenSet {
            access_token: "an-access-token".into(),
            token_type: None,
            expires_in: None,
            refresh_token: None,
            id_token: None,
            scope: None,
            kept: Vec::new(),
            notes: Vec::new(),
            token_url: token_url.map(|url| Url::parse(url).unwrap()),
            redirect_url: None,
        };
        let tokens = Some(Tokens::of_set(&set, 1000, None));
        let record = Record::new("office", String::new(), issued_for, tokens, None);
        destinations(&record, &file)
    }

    #[test]
    fn destinations_with_another_origin_are_listed() {
        let told = told(|to| {
            to.tools.revocation = Some("https://as.example/revoke".to_owned());
            to.tools.introspection = Some("https://as.example:8443/introspect".to_owned());
            to.tools.userinfo = Some("https://evil.example/me".to_owned());
            to.mail = Some(vec!["smtp evil.example:587 STARTTLS".to_owned()]);
        });
        assert_eq!(
            told.unwrap(),
            [
                "Its tokens are sent to https://as.example/token.",
                "Its tokens can also be sent to https://as.example:8443/introspect (introspection).",
                "Its tokens can also be sent to https://evil.example/me (user info).",
                "Its tokens can also be sent to the mail server smtp evil.example:587 STARTTLS.",
            ]
        );
    }

    #[test]
    fn token_url_of_the_tokens_is_listed_and_checked() {
        let told = |url: &str| told_with(Some(url), |to| to.mail = Some(Vec::new()));
        let first = "Its tokens are sent to https://as.example/token.";
        assert_eq!(told("https://as.example/token").unwrap(), [first]);
        assert_eq!(
            told("https://evil.example/token").unwrap(),
            [first, "Its tokens are sent to https://evil.example/token."]
        );
        let error = told("http://evil.example/token").unwrap_err();
        assert!(error.contains("Use https for evil.example."), "{error}");
    }

    #[test]
    fn settings_mail_servers_are_listed_if_record_has_none() {
        let last = |told: Result<Vec<String>, String>| told.unwrap().pop().unwrap();
        assert!(last(told(|_| {})).contains("mail server imap imap.example.org:993 TLS"));
        let none = last(told(|to| to.mail = Some(Vec::new())));
        assert_eq!(none, "Its tokens are sent to https://as.example/token.");
    }

    #[test]
    fn insecure_or_misleading_destinations_are_refused() {
        assert!(told(|to| to.token_url = "http://127.0.0.1:8080/token".to_owned()).is_ok());
        let set: [(&str, Set); 4] = [
            ("token", |to, url| to.token_url = url),
            ("revocation", |to, url| to.tools.revocation = Some(url)),
            ("introspection", |to, url| {
                to.tools.introspection = Some(url);
            }),
            ("user info", |to, url| to.tools.userinfo = Some(url)),
        ];
        for (name, set) in set {
            for (url, words) in [
                ("http://evil.example/x", "Use https for evil.example."),
                ("ftp://evil.example/x", "must start with https://"),
                ("https://as.example@evil.example/x", "Remove the user name"),
                ("nothing", "Not a valid URL"),
                ("https://evil.exa\tmple/x", "can't be used"),
                ("https://evil.example/\u{202e}x", "can't be used"),
            ] {
                let error = told(|to| set(to, url.to_owned())).unwrap_err();
                assert!(
                    error.starts_with(&format!("Its {name} URL (")) && error.contains(words),
                    "{error}"
                );
            }
        }
    }
}
