//! Any response that repeats the secrets of a run: no trace entry contains them.

#![no_main]

mod common;

use std::path::Path;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use oauth_authorizer::flow::redact::Secrets;
use oauth_authorizer::flow::trace::Exchange;
use oauth_authorizer::oauth::assertion::Proof;
use oauth_authorizer::oauth::request::Request;
use oauth_authorizer::oauth::tools::Method;
use url::Url;

use common::answer;

const SECRET: &str = "8Kq3-zXw71_pLm0vTn5RbYc";
const SEEDS: [&str; 4] = [
    "400\n\n{\"error\":\"invalid_request\",\"error_description\":\"the value @ is wrong\",\"x\":{\"@\":[\"@\"]}}",
    "200\n\naccess_token=@&scope=@",
    "500\nBearer realm=\"@\"\n<html><title>@</title>@</html>",
    "400\n\n{\"error_uri\":\"https://as.example/?a=@&b=x%2F@#@\"}",
];

fuzz_target!(
    init: {
        if let Ok(folder) = std::env::var("SEEDS") {
            for (at, seed) in SEEDS.iter().enumerate() {
                std::fs::write(Path::new(&folder).join(at.to_string()), seed).expect("a seed");
            }
        }
    },
    |text: &str| {
        // An @ stands for the secret, so that the fuzzer need not discover it.
        let bytes = text.replace('@', SECRET);
        let mut known = Secrets::default();
        known.remember(SECRET);
        let request = Request {
            method: Method::Post,
            url: Url::parse("https://as.example/token").expect("a URL"),
            authorization: Some(format!("Bearer {SECRET}").into()),
            body: format!("client_secret={SECRET}&x=y").into(),
            proof: Proof::None,
        };
        let outcome = Ok(answer(bytes.as_bytes()));
        let exchange = Exchange::sent(&request, &outcome, Duration::ZERO, &known);
        for line in exchange.lines() {
            assert!(!line.contains(SECRET), "{line}");
            assert!(line.chars().all(|ch| !ch.is_control()), "{line:?}");
        }
    }
);
