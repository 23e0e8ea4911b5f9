//! Error messages in responses that are not OAuth JSON: web pages, text, XML, headers, problem details.

use serde_json::{Map, Value};

use super::codes::{as_in_protocol, is_protocol_code};
use super::failure::ServerError;
use super::readable::{readable, unescaped};
use crate::clean::{TEXT_LIMIT, clean};

/// Maximum length of a text that may be an error message, in bytes.
const WORDS_LIMIT: usize = 2000;
/// Maximum size of the part of a header or page that is searched, in bytes.
const SEARCH_LIMIT: usize = 16 * 1024;

/// Returns the error in an XML document, as members of the protocol.
pub(super) fn xml_error(text: &str) -> Option<Map<String, Value>> {
    let head = head(text);
    let code = element(head, "error").filter(|code| !code.is_empty());
    let code = code.or_else(|| element(head, "code"))?;
    if code.is_empty() || code.contains(char::is_whitespace) || is_page(head) {
        return None;
    }
    let description = ["error_description", "description", "message"]
        .iter()
        .find_map(|name| element(head, name));
    let mut members = Map::new();
    members.insert("error".to_owned(), code.into());
    if let Some(description) = description {
        members.insert("error_description".to_owned(), description.into());
    }
    Some(members)
}

/// Returns the error in a text that consists of an error code of the protocol, or of one and a description, as members of
/// the protocol.
pub(super) fn text_error(text: &str) -> Option<Map<String, Value>> {
    let (code, description) = text.split_once(':').unwrap_or((text, ""));
    let code = as_in_protocol(code.trim());
    if text.len() > WORDS_LIMIT || !is_protocol_code(code) {
        return None;
    }
    let mut members = Map::new();
    members.insert("error".to_owned(), code.into());
    members.insert("error_description".to_owned(), description.trim().into());
    Some(members)
}

/// Returns the message in a page or a text: the title of a page with its heading, or a short text itself.
pub(super) fn words(text: &str) -> Option<String> {
    let found = if text.starts_with('<') {
        let head = head(text);
        [
            "title",
            "h1",
            "faultstring",
            "message",
            "detail",
            "description",
        ]
        .iter()
        .find_map(|name| element(head, name).filter(|text| !text.is_empty()))
        .map(|title| with_heading(title, head))
    } else {
        let is_text = text.len() <= WORDS_LIMIT && !has_members(text);
        is_text.then(|| text.trim_matches('"').to_owned())
    };
    found
        .map(|words| clean(&words, TEXT_LIMIT))
        .filter(|words| !words.is_empty())
}

/// Adds what the page itself says to its title, if it says more and contains no secrets. Firewalls and servers have one title
/// for many errors.
fn with_heading(title: String, page: &str) -> String {
    let lower = title.to_lowercase();
    let says_more = |text: &String| {
        let text = text.to_lowercase();
        let is_repeated = lower.contains(&text) || text.contains(&lower);
        is_heading(&text) && !is_repeated && text != "server error"
    };
    // Tomcat has its message in bold print.
    let bold = || {
        let at = page.to_ascii_lowercase().find("<b>message</b>")?;
        let text = page[at + "<b>message</b>".len()..].trim_start();
        let text = text.strip_prefix("<u>").unwrap_or(text);
        Some(unescaped(text.split('<').next()?.trim()))
    };
    let headings = ["h1", "h2"].iter().filter_map(|name| element(page, name));
    match bold().into_iter().chain(headings).find(says_more) {
        Some(heading) => format!("{}: {heading}", title.trim_end_matches(['.', ':'])),
        None => title,
    }
}

/// Returns whether the text contains JSON with names, which may be those of tokens. It may have been cut.
fn has_members(text: &str) -> bool {
    let text = text.split_whitespace().collect::<String>();
    // A quotation in a sentence may be followed by a colon, too.
    let begins = text.starts_with('"') || text.contains(['{', '[']);
    text.contains("\":\"") || (begins && text.contains("\":"))
}

/// Returns whether the text is a heading in which no word can be a secret: short words of letters and punctuation.
pub(super) fn is_heading(text: &str) -> bool {
    let is_plain = |word: &str| {
        let is_part = |ch: char| ch.is_alphabetic() || (ch.is_ascii_punctuation() && ch != '=');
        word.chars().count() <= 24 && word.chars().all(is_part)
    };
    text.split_whitespace().all(is_plain)
}

/// Names of members with the details of a problem, the best first, in lower case and without underscores.
const DETAILS: &[&str] = &[
    "detail",
    "exceptionmessage",
    "errordescription",
    "message",
    "msg",
    "errormessage",
    "errorsummary",
    "errormsg",
    "errmsg",
    "reason",
    "description",
    "moreinformation",
    "faultstring",
];

/// Names of members with a short text.
const TITLES: &[&str] = &["title", "statusmessage", "httpmessage"];

/// Names of members with a list of problems, or an object that has a list for each rejected field.
const LISTS: &[&str] = &[
    "errors",
    "errorcauses",
    "o:errordetails",
    "invalidparams",
    "fieldviolations",
];

/// Names of members with an object that describes the problem, or with a list of them.
const INNER: &[&str] = &[
    "detail",
    "details",
    "fault",
    "exception",
    "odata.error",
    "status",
    "data",
    "result",
    "response",
];

/// Parameters of requests, which some services use as names of members with the problems of each.
const PARAMETERS: &[&str] = &[
    "client_id",
    "client_secret",
    "code",
    "device_code",
    "grant_type",
    "non_field_errors",
    "redirect_uri",
    "refresh_token",
    "scope",
    "username",
];

/// Returns the message in a JSON object that is neither a success nor an error of the protocol: a problem report
/// (RFC 9457), or members with common names in any spelling.
pub(super) fn problem(members: &Map<String, Value>) -> Option<String> {
    with_details(summary(members), members)
}

/// Adds the details of a problem to its message, if it doesn't contain them.
pub(super) fn with_details(
    message: Option<String>,
    members: &Map<String, Value>,
) -> Option<String> {
    let Some(message) = message else {
        return details(members);
    };
    match details(members) {
        Some(details) if EMPTY.contains(&message.to_ascii_lowercase().as_str()) => Some(details),
        Some(details) if message.contains(&details) => Some(message),
        Some(details) => {
            let message = message.trim_end_matches(['.', ':']);
            Some(match details.strip_prefix(message) {
                Some(_) => details,
                None => format!("{message}: {details}"),
            })
        }
        None => Some(message),
    }
}

/// Messages that say nothing.
const EMPTY: &[&str] = &["error", "failed", "failure", "fail"];

/// Returns whether `key` is this name, in lower case and without underscores, in any spelling.
fn is_spelled(key: &str, name: &str) -> bool {
    key.replace(['_', '-'], "").eq_ignore_ascii_case(name)
}

/// Returns the message in the members themselves.
fn summary(members: &Map<String, Value>) -> Option<String> {
    let text = |name: &&str| {
        let is_named = |key: &str| is_spelled(key, name);
        let mut found = members.iter().filter(|(key, _)| is_named(key));
        found.find_map(|(_, value)| {
            // OData has the language of the message next to it.
            let value = value
                .as_object()
                .map_or(Some(value), |value| value.get("value"));
            non_empty(value?)
        })
    };
    let title = TITLES.iter().find_map(text);
    match (title, DETAILS.iter().find_map(text)) {
        (Some(title), Some(detail)) if title != detail => Some(format!("{title}: {detail}")),
        (title, detail) => detail.or(title),
    }
}

/// Returns the details in lists and objects among the members.
fn details(members: &Map<String, Value>) -> Option<String> {
    let named = |names: &[&str], read: &dyn Fn(&Value) -> Option<String>| {
        names.iter().find_map(|name| {
            let mut found = members.iter().filter(|(key, _)| is_spelled(key, name));
            found.find_map(|(_, value)| read(value))
        })
    };
    let inner = |value: &Value| match value {
        Value::Object(inner) => summary(inner).or_else(|| {
            let mut found = inner.iter().filter(|(key, _)| {
                key.eq_ignore_ascii_case("error") || key.eq_ignore_ascii_case("errors")
            });
            found.find_map(|(_, value)| listed(value))
        }),
        Value::Array(_) => listed(value),
        _ => None,
    };
    let rejected = || {
        members.iter().find_map(|(name, value)| {
            let first = value
                .as_array()
                .filter(|_| PARAMETERS.contains(&name.as_str()))?
                .first()?;
            // A sentence, not a value.
            let text = non_empty(first).filter(|text| text.contains(' ') && is_heading(text))?;
            Some(format!("{name}: {text}"))
        })
    };
    named(LISTS, &listed)
        .or_else(|| named(INNER, &inner))
        .or_else(rejected)
}

/// Returns the first message in a list of errors, or in an object that has a list for each rejected field.
fn listed(errors: &Value) -> Option<String> {
    match errors {
        Value::Array(list) => match list.first()? {
            Value::Object(first) if !first.contains_key("errors") => {
                match (field(first), summary(first)) {
                    (Some(field), Some(text)) if !text.contains(&field) => {
                        Some(format!("{field}: {text}"))
                    }
                    (_, Some(text)) => Some(text),
                    (Some(field), None) => {
                        let code = first.get("code").and_then(non_empty)?;
                        let owner = first.get("resource").and_then(non_empty);
                        let owner = owner.map(|owner| format!("{owner} ")).unwrap_or_default();
                        Some(format!("{owner}{field} {code}"))
                    }
                    (None, None) => details(first),
                }
            }
            first => non_empty(first),
        },
        Value::Object(fields) if fields.contains_key("errors") => None,
        Value::Object(fields) => summary(fields).or_else(|| {
            let (field, text) = fields.iter().find_map(|(field, value)| {
                let first = value.as_array().and_then(|list| list.first());
                Some((field, non_empty(first.unwrap_or(value))?))
            })?;
            Some(format!("{}: {text}", clean(field, TEXT_LIMIT)))
        }),
        _ => None,
    }
}

/// Returns the name of the rejected field.
fn field(problem: &Map<String, Value>) -> Option<String> {
    let place = problem.get("loc").and_then(Value::as_array);
    let last = place.and_then(|place| place.last());
    // A problem report (RFC 9457) has a name and a reason.
    let name = || {
        problem
            .get("name")
            .filter(|_| problem.contains_key("reason"))
    };
    non_empty(last.or_else(|| problem.get("field")).or_else(name)?)
}

fn non_empty(value: &Value) -> Option<String> {
    Some(clean(&readable(value.as_str()?), TEXT_LIMIT)).filter(|text| !text.is_empty())
}

/// The error of a token without a required scope (RFC 6750, section 3.1). The header may name the scope.
const SCOPE: &str = "insufficient_scope";

/// Returns the error in a `WWW-Authenticate` header, as in RFC 6750, section 3. Some services send it with other
/// schemes.
pub(super) fn challenge(header: &str) -> Option<ServerError> {
    let head = head(header);
    let code = quoted(head, "error").filter(|code| !code.is_empty())?;
    let description = quoted(head, "error_description");
    let scope = quoted(head, "scope").filter(|scope| code == SCOPE && !scope.is_empty());
    let description = match (description, scope) {
        (description, None) => description,
        (None, Some(scope)) => Some(format!("it requires the scope {scope}")),
        (Some(description), Some(scope)) => Some(format!(
            "{} (required scope: {scope})",
            description.trim_end_matches('.')
        )),
    };
    Some(ServerError::new(&code, description.as_deref()))
}

/// Returns the value of `name="value"` or `name=value` in a header. Text in quotes is not searched.
fn quoted(header: &str, name: &str) -> Option<String> {
    let mut word = String::new();
    let mut chars = header.chars().peekable();
    while let Some(ch) = chars.next() {
        if ch == ',' || (ch.is_whitespace() && chars.peek() != Some(&'=')) {
            word.clear();
            continue;
        }
        if ch != '=' {
            word.push(ch);
            continue;
        }
        while chars.next_if(|ch| ch.is_whitespace()).is_some() {}
        let mut value = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next()? {
                    '"' => break,
                    '\\' => value.extend(chars.next()),
                    ch => value.push(ch),
                }
            }
        } else {
            while let Some(ch) = chars.next_if(|ch| !ch.is_whitespace() && !",;".contains(*ch)) {
                value.push(ch);
            }
        }
        if word.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        word.clear();
    }
    None
}

fn is_page(text: &str) -> bool {
    let start: String = text.chars().take(200).collect();
    let start = start.to_ascii_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// Returns the text of the first element with this name, up to the next tag. Ignores case and namespace prefixes.
fn element(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    while let Some(open) = lower[from..].find('<').map(|at| from + at) {
        let tag_end = open + lower[open..].find('>')?;
        from = tag_end + 1;
        let tag = lower[open + 1..tag_end].split_whitespace().next();
        let local = tag.map(|tag| tag.rsplit(':').next().unwrap_or(tag));
        if local == Some(name) {
            let end = lower[from..].find('<').map(|at| from + at)?;
            return Some(unescaped(text[from..end].trim()));
        }
    }
    None
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(SEARCH_LIMIT)]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_xml_is_read() {
        let read = |text| xml_error(text).map(|members| Value::Object(members).to_string());
        for text in [
            "<oauth><error>invalid_client</error></oauth>",
            "<?xml version=\"1.0\"?><OAuth><Error>invalid_client</Error></OAuth>",
            "<x:oauth xmlns:x='u'><x:error a='b'> invalid_client </x:error></x:oauth>",
        ] {
            assert_eq!(
                read(text).unwrap(),
                r#"{"error":"invalid_client"}"#,
                "{text}"
            );
        }
        assert_eq!(
            read("<o><error>invalid_client</error><error_description>No &lt;app&gt;</error_description></o>").unwrap(),
            r#"{"error":"invalid_client","error_description":"No <app>"}"#
        );
        for text in [
            "<o><error/></o>",
            "<error>two words</error>",
            "<html><error>x</error>",
            "<",
            "<error>",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn page_titles_and_plain_text_are_read() {
        assert_eq!(
            words("Client authentication failed\n").unwrap(),
            "Client authentication failed"
        );
        assert_eq!(words("\"Unauthorized\"").unwrap(), "Unauthorized");
        assert_eq!(
            words("<html><head><TITLE>404 Not\n Found</TITLE>").unwrap(),
            "404 Not Found"
        );
        assert_eq!(
            words("<soap><faultstring>no app</faultstring></soap>").unwrap(),
            "no app"
        );
        assert_eq!(words("<html><p>s3cret"), None);
        for text in [
            r#"[{"access_token":"s3cret"}]"#,
            r#""access_token" : "s3cret"#,
            r#"error: {"a":1"#,
        ] {
            assert_eq!(words(text), None, "{text}");
        }
        assert!(words(r#"The app "x" is unknown: see "y""#).is_some());
        assert!(words(r#"Error in call to API function "oauth2/token": Invalid app"#).is_some());
        assert_eq!(words(&"x".repeat(WORDS_LIMIT + 1)), None);
    }

    #[test]
    fn only_plain_words_are_a_heading() {
        for text in [
            "Wi-Fi Login",
            "Sign in to the network",
            "R\u{e9}seau invit\u{e9}s!",
        ] {
            assert!(is_heading(text), "{text}");
        }
        for text in ["Success code=abc", "Code 4/0AbCdEf", &"x".repeat(25)] {
            assert!(!is_heading(text), "{text}");
        }
    }

    #[test]
    fn a_problem_report_is_read() {
        let read = |text: &str| {
            problem(
                serde_json::from_str::<Value>(text)
                    .unwrap()
                    .as_object()
                    .unwrap(),
            )
        };
        for (text, said) in [
            (
                r#"{"title":"Bad Request","detail":"redirect_uri does not match"}"#,
                "Bad Request: redirect_uri does not match",
            ),
            (r#"{"title":"Bad Request"}"#, "Bad Request"),
            (
                r#"{"title":"Bad Request","detail":"Bad Request"}"#,
                "Bad Request",
            ),
            (r#"{"message":"no such app","code":5}"#, "no such app"),
            (r#"{"error_description":"no such app"}"#, "no such app"),
            (r#"{"errorCode":"E1","errorSummary":"no app"}"#, "no app"),
            (r#"{"errors":[{"message":"no such app"},7]}"#, "no such app"),
            (r#"{"errors":["no such app"]}"#, "no such app"),
            (r#"{"errcode":40029,"errmsg":"no such app"}"#, "no such app"),
            (r#"{"Code":5,"Error_Message":"no such app"}"#, "no such app"),
            (r#"{"errors":{"message":"no such app"}}"#, "no such app"),
            (
                r#"{"fault":{"faultstring":"no such app","detail":{"errorcode":"oauth.v2.X"}}}"#,
                "no such app",
            ),
            (
                r#"{"errors":{"client_id":["is invalid","is old"]}}"#,
                "client_id: is invalid",
            ),
            (
                r#"{"errors":{"x":7,"scope":"is empty"}}"#,
                "scope: is empty",
            ),
            (r#"{"Errors":[{"Message":"no such app"}]}"#, "no such app"),
            (r#"{"status":{"message":"no such app"}}"#, "no such app"),
            (
                r#"{"detail":[{"loc":["body","username"],"msg":"field required","type":"x"}]}"#,
                "username: field required",
            ),
            (
                r#"{"fault":{"code":900901,"message":"Invalid Credentials"}}"#,
                "Invalid Credentials",
            ),
            (
                r#"{"httpCode":"401","httpMessage":"Unauthorized","moreInformation":"user locked"}"#,
                "Unauthorized: user locked",
            ),
            (
                r#"{"Fault":{"Error":[{"Message":"no such app","code":"5"}]}}"#,
                "no such app",
            ),
            (r#"{"exception":{"detail":"no such app"}}"#, "no such app"),
            (
                r#"{"odata.error":{"code":"","message":{"lang":"en","value":"no such app"}}}"#,
                "no such app",
            ),
            (
                r#"{"client_id":["This field is required."]}"#,
                "client_id: This field is required.",
            ),
            (
                r#"{"message":"Bad Request","errors":[{"resource":"Application","field":"client_id","code":"invalid"}]}"#,
                "Bad Request: Application client_id invalid",
            ),
            (
                r#"{"errorCode":"E1","errorSummary":"Api validation failed","errorCauses":[{"errorSummary":"no app"}]}"#,
                "Api validation failed: no app",
            ),
            (
                r#"{"title":"Unauthorized","status":401,"o:errorDetails":[{"detail":"Invalid login","o:errorCode":"X"}]}"#,
                "Unauthorized: Invalid login",
            ),
            (
                r#"{"data":{"description":"Client key is incorrect.","error_code":10013},"message":"error"}"#,
                "Client key is incorrect.",
            ),
            (
                r#"{"message":"The app &quot;x&quot; is unknown"}"#,
                "The app \"x\" is unknown",
            ),
        ] {
            assert_eq!(read(text).unwrap(), said);
        }
        assert_eq!(read(r#"{"x":"s3cret","message":{"a":1}}"#), None);
        assert_eq!(
            read(r#"{"refresh_token":["s3cret"],"data":{"x":"s3cret y"}}"#),
            None
        );
        assert_eq!(read(r#"{"errors":[{"errors":["deep"]}]}"#), None);
        assert_eq!(read(r#"{"errors":{"errors":["deep"]}}"#), None);
    }

    #[test]
    fn header_error_is_read_with_any_scheme() {
        for header in [
            r#"Basic realm="as", error="invalid_client""#,
            "Bearer error=invalid_client, realm=x",
            r#"Basic realm="a, error=\"x\"", Error = "invalid_client""#,
        ] {
            let error = challenge(header);
            assert_eq!(error.unwrap().code, "invalid_client", "{header}");
        }
        let both = r#"Bearer error="invalid_client", error_description="No \"app\"""#;
        assert_eq!(
            challenge(both).unwrap().to_string(),
            "invalid_client: No \"app\""
        );
        for (header, told) in [
            (
                r#"Bearer error="insufficient_scope", scope="openid profile.read""#,
                "insufficient_scope: it requires the scope openid profile.read",
            ),
            (
                r#"Bearer scope="a", error="insufficient_scope", error_description="Too little.""#,
                "insufficient_scope: Too little (required scope: a)",
            ),
            (
                r#"Bearer scope="a", error="invalid_token""#,
                "invalid_token",
            ),
        ] {
            assert_eq!(challenge(header).unwrap().to_string(), told, "{header}");
        }
        for header in [
            "Basic realm=\"as\"",
            "Basic error=\"\"",
            "Bearer error_uri=\"x\"",
            "Bearer error=\"open",
        ] {
            assert_eq!(challenge(header), None, "{header}");
        }
    }

    #[test]
    fn heading_of_a_page_is_added_to_its_title() {
        for (page, told) in [
            (
                "<html><title>Service unavailable</title><h2>The request is blocked.</h2>",
                "Service unavailable: The request is blocked.",
            ),
            (
                "<title>Bad Request</title><h1>Bad Request</h1><p><b>Message</b> Invalid client credentials</p>",
                "Bad Request: Invalid client credentials",
            ),
            (
                "<title>Error report</title><b>message</b> <u>Bad credentials</u>",
                "Error report: Bad credentials",
            ),
            (
                "<title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>",
                "502 Bad Gateway",
            ),
            (
                "<title>Access is denied.</title><h1>Server Error</h1>",
                "Access is denied.",
            ),
            // It may contain a secret.
            ("<title>Sorry</title><h1>abc123def456</h1>", "Sorry"),
            ("<title></title><h1>Sorry</h1>", "Sorry"),
        ] {
            assert_eq!(words(page).unwrap(), told);
        }
    }

    #[test]
    fn details_of_other_frameworks_are_read() {
        for (body, told) in [
            (
                r#"{"message":"The data was invalid.","errors":{"code":["The code is missing."]}}"#,
                "The data was invalid: code: The code is missing.",
            ),
            (
                r#"{"title":"Invalid redirect","invalid-params":[{"name":"redirect_uri","reason":"must match"}]}"#,
                "Invalid redirect: redirect_uri: must match",
            ),
            (
                r#"{"message":"invalid argument","details":[{"fieldViolations":[{"field":"code","description":"is expired"}]}]}"#,
                "invalid argument: code: is expired",
            ),
            (
                r#"{"Message":"An error has occurred.","ExceptionMessage":"Code not valid"}"#,
                "Code not valid",
            ),
        ] {
            let members = serde_json::from_str(body).unwrap();
            assert_eq!(problem(&members).unwrap(), told);
            // The same details are added only once.
            let twice = with_details(problem(&members), &members).unwrap();
            assert_eq!(twice, told);
        }
        assert_eq!(
            xml_error("<?xml?><Error><Code>AccessDenied</Code><Message>No</Message></Error>")
                .map(|members| Value::Object(members).to_string())
                .unwrap(),
            r#"{"error":"AccessDenied","error_description":"No"}"#
        );
    }
}
