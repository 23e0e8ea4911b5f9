//! Failures that a service reports in a body without an error of the protocol, often with the status of a success.

use serde_json::{Map, Value};

use super::error_members::says_no_error;
use super::failure::{NO_CODE, ServerError};
use super::words::problem;

/// Names of members that are false if the request failed, in lower case and without underscores.
const FLAGS: &[&str] = &["success", "succeeded", "issuccess", "ok", "revoked"];
/// Names of members with a code, which is zero or the HTTP status of a success if the request succeeded.
const CODES: &[&str] = &[
    "errcode",
    "errorcode",
    "errno",
    "code",
    "retcode",
    "returncode",
    "resultcode",
];
/// Names of members with a word or an HTTP status.
const STATES: &[&str] = &["status", "statuscode", "result", "outcome"];
/// Names of members with a text that only a failure has.
const TEXTS: &[&str] = &[
    "errordescription",
    "errormessage",
    "errorsummary",
    "errormsg",
    "errmsg",
];
/// The first words of a text that reports a failure.
const FAILED: &[&str] = &[
    "error",
    "fail",
    "invalid",
    "unauthorized",
    "forbidden",
    "access denied",
];

/// The description of a failure that the service doesn't describe.
const NO_WORDS: &str = "the response says that it failed";

/// Returns the failure that the members report; `None` if they don't say that the request failed.
pub(super) fn reported(members: &Map<String, Value>) -> Option<ServerError> {
    let message = problem(members);
    // Some services count their successes.
    let is_praised = message.as_deref().is_some_and(is_success);
    let code = members.iter().find_map(|(name, value)| {
        let name = name.replace(['_', '-'], "").to_ascii_lowercase();
        let is_one_of = |names: &[&str]| names.contains(&name.as_str());
        let number = value
            .as_f64()
            .or_else(|| value.as_str()?.trim().parse().ok());
        let text = value.as_str().unwrap_or_default();
        match number {
            _ if is_one_of(FLAGS) => {
                let is_false = number == Some(0.0) || text.eq_ignore_ascii_case("false");
                (is_false || *value == Value::Bool(false)).then(|| NO_CODE.to_owned())
            }
            Some(code) if is_one_of(CODES) => {
                let is_failure = code != 0.0 && !(200.0..300.0).contains(&code) && !is_praised;
                is_failure.then(|| text_of(value))
            }
            Some(status) if is_one_of(STATES) => {
                (400.0..1000.0).contains(&status).then(|| text_of(value))
            }
            None if is_one_of(CODES) || is_one_of(STATES) => says_failure(text).then(|| {
                let is_word = !text.contains(char::is_whitespace);
                if is_word { text } else { NO_CODE }.to_owned()
            }),
            _ if name == "error" || name == "iserror" || name == "haserror" => {
                (*value == Value::Bool(true)).then(|| NO_CODE.to_owned())
            }
            None if is_one_of(TEXTS) => {
                let is_said = !says_no_error(text) && !is_success(text);
                is_said.then(|| NO_CODE.to_owned())
            }
            None if name == "errors" => {
                let list = value.as_array().is_some_and(|list| !list.is_empty());
                let fields = value.as_object().is_some_and(|fields| !fields.is_empty());
                (list || fields).then(|| NO_CODE.to_owned())
            }
            _ => None,
        }
    })?;
    let code = match code.to_ascii_lowercase().as_str() {
        "fail" | "failed" | "failure" => NO_CODE.to_owned(),
        _ => code,
    };
    let words = (code == NO_CODE).then(|| NO_WORDS.to_owned());
    Some(ServerError::new(&code, message.or(words).as_deref()))
}

/// Returns the failure in a body that should report nothing but a success: in its members, or in the `words` of a body
/// without members.
pub(super) fn contradiction(
    members: Option<&Map<String, Value>>,
    words: Option<&str>,
) -> Option<ServerError> {
    if let Some(error) = members.and_then(reported) {
        return Some(error);
    }
    let message = members.and_then(problem).or(words.map(str::to_owned))?;
    let is_false = message == "false";
    let is_failure = is_false || says_failure(&message);
    let message = if is_false { NO_WORDS } else { &message };
    is_failure.then(|| ServerError::new(NO_CODE, Some(message)))
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), |text| text.trim().to_owned())
}

fn is_success(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text == "ok" || text.starts_with("success")
}

fn says_failure(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    FAILED.iter().any(|words| text.starts_with(words))
        || text.contains(" failed")
        || text.contains("not revoked")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::super::answer::Body;
    use super::*;

    fn in_success(body: &Body) -> Option<ServerError> {
        contradiction(body.members(), body.words())
    }

    #[test]
    fn failure_in_a_success_is_found() {
        for (body, told) in [
            (r#"{"success":false}"#, NO_WORDS),
            (r#"{"success":"false","message":"no app"}"#, "no app"),
            (r#"{"ok":true,"revoked":false}"#, NO_WORDS),
            (
                r#"{"code":20003,"msg":"invalid client"}"#,
                "20003: invalid client",
            ),
            (r#"{"errcode":"40029","errmsg":"no"}"#, "40029: no"),
            (r#"{"status":"error","message":"No app"}"#, "No app"),
            (r#"{"status":"FAILED","message":"No app"}"#, "No app"),
            (r#"{"status":401}"#, "401"),
            (r#"{"code":"INVALID_CLIENT"}"#, "invalid_client"),
            (
                r#"{"access_token":null,"error_description":"Code used"}"#,
                "Code used",
            ),
            (r#"{"errors":[{"message":"No app"}]}"#, "No app"),
            ("code=5&msg=no", "5: no"),
        ] {
            let body = Body::from(body);
            let error = reported(body.members().unwrap()).unwrap();
            assert_eq!(error.to_string(), told);
            assert_eq!(in_success(&body).unwrap(), error);
        }
        for (body, told) in [
            (
                "Error: client authentication failed",
                "Error: client authentication failed",
            ),
            (r#""invalid client""#, "invalid client"),
            (
                r#"{"message":"Client authentication failed"}"#,
                "Client authentication failed",
            ),
            ("false", NO_WORDS),
        ] {
            let error = in_success(&Body::from(body)).unwrap();
            assert_eq!(error.to_string(), told);
        }
    }

    #[test]
    fn success_in_any_words_is_no_failure() {
        for body in [
            "",
            "{}",
            "null",
            "true",
            "OK",
            "Token revoked",
            r#"{"success":true}"#,
            r#"{"status":"ok","code":0}"#,
            r#"{"status":0}"#,
            r#"{"code":"200","message":"Success"}"#,
            r#"{"code":10000,"msg":"Success"}"#,
            r#"{"errcode":0,"errmsg":"ok"}"#,
            r#"{"error_description":"","errors":[]}"#,
            r#"{"message":"Token not found"}"#,
            "[1,2]",
            "<html><title>Error</title>",
        ] {
            let found = in_success(&Body::from(body));
            // The caller rejects pages itself.
            assert!(found.is_none() || body.starts_with('<'), "{body}");
        }
    }

    #[test]
    fn flag_of_an_error_is_read() {
        let error = in_success(&Body::from(r#"{"Error":true,"Message":"Bad code"}"#)).unwrap();
        assert_eq!(error.to_string(), "Bad code");
        assert_eq!(
            in_success(&Body::from(r#"{"Error":false,"Message":"Done"}"#)),
            None
        );
    }
}
