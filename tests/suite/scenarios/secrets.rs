//! The marked secrets of a scenario, and the forms in which they are searched for.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::file::Endpoint;

/// Each secret with its name. In scenario files, `$name` stands for it, and `$all` for a sentence that repeats, in
/// several forms, all secrets that the program has at that time.
pub const MARKED: [(&str, &str); 11] = [
    ("access", "ya29.A0xK7pQm/Zr8~Wd4vTn-b5Js9Lc"),
    ("refresh", "1//0gHq5RtY-Uw2NfKe8MzXb3Vd6PaSj"),
    ("secret", "cQ7~Gx4Lm9Tv/Bk2Hn6Rw8Yd3Zf5Jp1"),
    ("code", "4/0AfJoh3XzQ8n-Lk5Wm2Ty9Bv7Rd4Gs6"),
    ("devcode", "GmRhmhcxhwAzkoEqiMEgDnyEysNkuNhsz"),
    ("newaccess", "ya29.B1yN8qRd/Xs3~Mf6hUk-c7Gw2Tz"),
    ("newrefresh", "1//0jLr4SvX-Pb9QgHd7KwZm5Nc8TfYe"),
    ("pushed", "Vw6Jt3Kq8Zn5Rb2Xh9LpTc4Yd7"),
    ("regtoken", "reg.Hk5Xw8Nq3Zt7Lb4Vd9Rm2Gs6Yp1Jc"),
    ("regsecret", "sek.Tz6Wb9Kn4Xr8Qd3Lm7Hv2Jg5Yc1Fp"),
    ("initial", "ini.Rq8Yt5Zk2Nv9Xb6Wd3Mh7Lg4Js1Pc"),
];

/// The value of a marked secret.
pub fn value(name: &str) -> &'static str {
    let found = MARKED.iter().find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("no secret is called {name}"))
        .1
}

/// The secrets that the program has when this endpoint responds.
fn known(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::Discovery | Endpoint::Keys | Endpoint::Device | Endpoint::Par => &["secret"],
        Endpoint::Poll => &["secret", "devcode"],
        Endpoint::Exchange => &["secret", "code"],
        Endpoint::Refresh => &["secret", "refresh"],
        Endpoint::Revoke => &["secret", "access", "refresh"],
        Endpoint::Introspect => &["secret", "access"],
        Endpoint::Registration => &["initial"],
        Endpoint::Userinfo | Endpoint::Imap | Endpoint::Pop3 | Endpoint::Smtp => &["access"],
    }
}

/// Replaces the names of secrets with their values.
pub fn fill(text: &str, endpoint: Endpoint) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    let mut text = text.replace("$all", &sentence(known(endpoint)));
    if text.contains("$challenge") {
        // Mail servers report an error in base64.
        let error = format!(
            r#"{{"status":"nobody-knows","scope":"{}"}}"#,
            value("access")
        );
        text = text.replace("$challenge", &STANDARD.encode(error));
    }
    for (name, value) in MARKED {
        text = text.replace(&format!("${name}"), value);
    }
    text
}

/// A sentence with these secrets, as a service may repeat them in JSON.
fn sentence(names: &[&str]) -> String {
    let all: Vec<String> = names
        .iter()
        .map(|name| forms(value(name)).join(" or "))
        .collect();
    format!("rejected: {}; sorry", all.join(" and "))
}

/// The forms in which a service may repeat a secret in JSON.
pub fn forms(value: &str) -> [String; 5] {
    let escaped: Vec<String> = value.bytes().map(|byte| format!("\\u{byte:04x}")).collect();
    let spaced = format!("{}\u{200b}{}", &value[..9], &value[9..]);
    [
        value.to_owned(),
        percent(value),
        STANDARD.encode(value),
        escaped.concat(),
        spaced,
    ]
}

fn percent(text: &str) -> String {
    let escapes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    escapes.concat()
}

fn letters(text: &[u8]) -> Vec<u8> {
    let letters = text.iter().filter(|byte| byte.is_ascii_alphanumeric());
    letters.map(u8::to_ascii_lowercase).collect()
}

/// Number of consecutive letters and digits of a secret that count as a leak.
const PART: usize = 8;
/// The same if each byte is written as a number.
const NUMBERS: usize = 16;

/// Finds secrets in any of their forms.
pub struct Search {
    names: Vec<String>,
    /// Parts of secrets in letters and digits, each with the index of its name.
    parts: HashMap<Vec<u8>, usize>,
}

impl Search {
    /// Prepares a search for these secrets, each with its name.
    pub fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let (mut names, mut parts) = (Vec::new(), HashMap::new());
        for (name, secret) in secrets {
            let mut add = |form: &str, length: usize| {
                let form = letters(form.as_bytes());
                parts.extend(
                    form.windows(length)
                        .map(|part| (part.to_vec(), names.len())),
                );
            };
            add(secret, PART);
            add(&secret.chars().rev().collect::<String>(), PART);
            // Base64 at each of its three alignments, without the characters that depend on the neighbors.
            for skipped in 0..3 {
                let encoded = STANDARD.encode(&secret.as_bytes()[skipped..]);
                add(&encoded[..encoded.len() - 6], PART);
            }
            add(&percent(secret), NUMBERS);
            let escaped: Vec<String> = secret.bytes().map(|byte| format!("u{byte:04x}")).collect();
            add(&escaped.concat(), NUMBERS);
            names.push(name.to_owned());
        }
        Self { names, parts }
    }

    /// The names of the secrets that these bytes contain.
    pub fn find(&self, bytes: &[u8]) -> Vec<&str> {
        let letters = letters(bytes);
        let found: BTreeSet<usize> = [PART, NUMBERS]
            .into_iter()
            .flat_map(|length| letters.windows(length))
            .filter_map(|part| self.parts.get(part).copied())
            .collect();
        found
            .into_iter()
            .map(|at| self.names[at].as_str())
            .collect()
    }
}
