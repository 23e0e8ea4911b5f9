//! Any response from each endpoint, parsed in the dialects that differ most.

#![no_main]

mod common;

use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;
use oauth_authorizer::flow::retry_after::parse_retry_after;
use oauth_authorizer::oauth::asked::Asked;
use oauth_authorizer::oauth::client::Client;
use oauth_authorizer::oauth::device::parse_grant;
use oauth_authorizer::oauth::discovery::{Expected, parse_metadata};
use oauth_authorizer::oauth::failure::Failure;
use oauth_authorizer::oauth::flow_kind::FlowKind;
use oauth_authorizer::oauth::pushed::parse_kept;
use oauth_authorizer::oauth::registration::{ClientMetadata, parse_registered};
use oauth_authorizer::oauth::token::parse_token_answer;
use oauth_authorizer::oauth::tool_answers::{
    parse_introspection, parse_revocation, parse_userinfo,
};
use url::Url;

use common::{answer, is_shown, of_preset};

const PRESETS: [&str; 4] = ["custom", "github", "microsoft-mail", "google-mail"];

/// Responses of services, as seeds.
const SEEDS: [&str; 12] = [
    "200\n\n{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":3600,\"refresh_token\":\"r\",\"scope\":\"x y\"}",
    "200\n\naccess_token=a&token_type=bearer&scope=repo%2Cgist",
    "400\n\n{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS70000: \\u0000\",\"error_codes\":[70000]}",
    "401\nBearer error=\"invalid_token\", error_description=\"x\"\n",
    "200\n\n{\"device_code\":\"d\",\"user_code\":\"ABCD-EFGH\",\"verification_uri\":\"https://as.example/d\",\"expires_in\":900}",
    "200\n\n{\"issuer\":\"https://as.example\",\"token_endpoint\":\"https://as.example/token\",\"scopes_supported\":[\"a\"]}",
    "200\n\n{\"active\":true,\"sub\":\"alice\",\"exp\":1e300}",
    "201\n\n{\"request_uri\":\"urn:x\",\"expires_in\":60}",
    "201\n\n{\"client_id\":\"c\",\"client_secret\":\"s\",\"redirect_uris\":[\"http://127.0.0.1/\"]}",
    "503\n120\n<html><title>Down</title></html>",
    "200\n\n{\"ok\":false,\"error\":\"slow_down\",\"interval\":\"5\"}",
    "500\n\n<?xml version=\"1.0\"?><Error><Code>X</Code><Message>y</Message></Error>",
];

fn clients() -> &'static [Client] {
    static CLIENTS: OnceLock<Vec<Client>> = OnceLock::new();
    CLIENTS.get_or_init(|| PRESETS.map(|id| of_preset(id).client).to_vec())
}

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in SEEDS.iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |bytes: &[u8]| {
        let url = Url::parse("https://as.example/endpoint").expect("a URL");
        let answer = answer(bytes);
        for client in clients() {
            let dialect = &client.dialect;
            match parse_token_answer(&answer, &dialect.answers).into_tokens(Asked::Refresh, &answer) {
                Ok(tokens) => {
                    for name in tokens.kept.iter().map(|kept| &kept.name) {
                        is_shown(name);
                    }
                }
                Err(failure) => told(&failure),
            }
            match parse_grant(&answer, dialect, &url) {
                Ok(grant) => {
                    is_shown(&grant.user_code);
                    is_shown(grant.verification_uri.as_str());
                    assert!(grant.interval >= Duration::from_secs(1));
                }
                Err(failure) => told(&failure),
            }
            let client = ClientMetadata {
                redirect_urls: vec!["http://127.0.0.1/".to_owned()],
                grant_types: vec!["authorization_code".to_owned()],
                authentication: "none".to_owned(),
                scopes: vec!["mail".to_owned()],
                native: true,
            };
            for failure in [
                parse_kept(&answer, &dialect.answers).err(),
                parse_registered(&answer, &dialect.answers, &client).err(),
            ]
            .into_iter()
            .flatten()
            {
                told(&failure);
            }
            for failure in [
                parse_revocation(&answer, true, &dialect.answers).err(),
                parse_introspection(&answer, true, &dialect.answers).err(),
                parse_userinfo(&answer, Some("alice"), &dialect.answers).err(),
            ]
            .into_iter()
            .flatten()
            {
                is_shown(&failure.to_string());
            }
        }
        let expected = Expected {
            flow: FlowKind::DeviceCode,
            issuer: "https://as.example",
            others: &[],
        };
        match parse_metadata(&answer, expected, &url) {
            Ok(metadata) => metadata.scopes.iter().for_each(|scope| is_shown(scope)),
            Err(error) => is_shown(&error.to_string()),
        }
        if let Ok(text) = std::str::from_utf8(bytes) {
            let _ = parse_retry_after(text, SystemTime::UNIX_EPOCH);
        }
    }
);

fn told(failure: &Failure) {
    is_shown(&failure.to_string());
    is_shown(&failure.hint());
}
