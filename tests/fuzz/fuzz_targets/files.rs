//! Any preset, profile settings, record, note about a refresh, and key file of a service account.

#![no_main]

mod common;

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use oauth_authorizer::form::choices::Browser;
use oauth_authorizer::oauth::jwt_bearer::ServiceAccount;
use oauth_authorizer::presets::Library;
use oauth_authorizer::presets::check::parse_preset;
use oauth_authorizer::profile::settings_file::SettingsFile;
use oauth_authorizer::store::attempt::AttemptNote;
use oauth_authorizer::store::record::Record;
use url::Url;

use common::is_shown;

const SEEDS: [&[u8]; 5] = [
    include_bytes!("../../../presets/github.toml"),
    b"format = 1\npreset = \"microsoft-mail\"\nclient-id = \"x\"\n[mail]\nuser = \"a@b.example\"\n",
    b"{\"format\":1,\"profile\":\"office\",\"end\":true}",
    b"{\"number\":1,\"pid\":2,\"host\":\"h\",\"since\":3,\"generation\":4,\"sent\":true,\"outcome\":null,\"lost\":null}",
    b"{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\",\"token_uri\":\"https://x\"}",
];

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in SEEDS.iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |bytes: &[u8]| {
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Err(findings) = parse_preset(text)
        {
            for finding in findings {
                is_shown(&finding.text);
            }
        }
        match SettingsFile::parse(bytes, "office.toml") {
            Ok(file) => {
                if let Err(error) = file.form(Browser::Here, &mut Library::default()) {
                    is_shown(&error.to_string());
                }
            }
            Err(error) => is_shown(&error.to_string()),
        }
        let path = Path::new("office.record");
        match Record::parse(bytes, path) {
            Ok(record) => {
                let again = Record::parse(&record.to_bytes(), path).expect("what was written is read");
                assert_eq!(*again.to_bytes(), *record.to_bytes());
            }
            Err(error) => is_shown(&error.to_string()),
        }
        if let Some(note) = AttemptNote::parse(bytes) {
            let next = note.number.checked_add(1).expect("another attempt can follow");
            assert!(next > note.number && note.since < u64::MAX / 2);
        }
        let token_url = Url::parse("https://oauth2.googleapis.com/token").expect("a URL");
        if let Err(error) = ServiceAccount::parse(bytes, &token_url) {
            is_shown(&error.to_string());
        }
    }
);
