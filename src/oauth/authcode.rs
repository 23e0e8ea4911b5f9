//! The answer to an authorization request (RFC 6749, section 4.1.2; RFC 9207).

use url::form_urlencoded;

use super::check::{Check, CheckName, Outcome};
use super::client::{Client, Pending};
use super::failure::{Failure, ServerError};
use crate::secret::{SecretString, clean, same};

/// A query string longer than this is not read.
pub const QUERY_LIMIT: usize = 32 * 1024;

/// What a callback means.
#[derive(Debug)]
pub enum Callback {
    /// The code of this sign-in, with the checks that it passed.
    Code(SecretString, Vec<Check>),
    /// The service ended this sign-in.
    Ended(Failure),
    /// Not the answer to this sign-in: the wait goes on. Says why.
    NotOurs(String),
}

/// Reads the query string that the browser brought back. An answer counts only with the right `state`,
/// an error as well.
#[must_use]
pub fn read_callback(query: &str, pending: &Pending, client: &Client) -> Callback {
    if query.len() > QUERY_LIMIT {
        return Callback::NotOurs("it is too long".to_owned());
    }
    // A parameter that stands twice makes the answer ambiguous (RFC 6749, section 3.1).
    let mut twice = false;
    let mut one = |name: &str| {
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        let first = values.next().map(|(_, value)| value.into_owned());
        twice |= values.next().is_some();
        first
    };
    let (state, code, error) = (one("state"), one("code"), one("error"));
    let (description, iss) = (one("error_description"), one("iss"));
    if twice {
        return Callback::NotOurs("a parameter stands twice in it".to_owned());
    }
    match state {
        None => return Callback::NotOurs("it carries no state".to_owned()),
        Some(state) if !same(&pending.state, &state) => {
            return Callback::NotOurs("its state is not the one of this sign-in".to_owned());
        }
        Some(_) => {}
    }
    let mut checks = vec![Check::new(
        CheckName::State,
        Outcome::Passed,
        "the one that was sent",
    )];
    match (iss, &client.issuer) {
        (Some(iss), Some(issuer)) if iss != *issuer => {
            return Callback::NotOurs(format!("it comes from the issuer {}", clean(&iss, 120)));
        }
        (Some(_), Some(issuer)) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::Passed,
            issuer.clone(),
        )),
        (Some(iss), None) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::NotChecked,
            format!("no Issuer is set; the answer names {}", clean(&iss, 120)),
        )),
        (None, _) => checks.push(Check::new(
            CheckName::Issuer,
            Outcome::NotChecked,
            "the answer names none",
        )),
    }
    match (code.filter(|code| !code.is_empty()), error) {
        (_, Some(error)) => {
            let error = ServerError::new(&error, description.as_deref());
            Callback::Ended(if error.is_denial() {
                Failure::Denied(error)
            } else {
                Failure::Callback(error)
            })
        }
        (Some(code), None) => Callback::Code(code.into(), checks),
        (None, None) => Callback::NotOurs("it carries neither a code nor an error".to_owned()),
    }
}

#[cfg(test)]
#[allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends on what it did not expect"
)]
mod tests {
    use super::super::client::ClientAuthentication;
    use super::*;
    use crate::secret::ExposeSecret;

    fn read(query: &str, issuer: Option<&str>) -> Callback {
        let url = || url::Url::parse("https://as.example/token").unwrap();
        let client = Client {
            client_id: "me".to_owned(),
            secret: None,
            authentication: ClientAuthentication::None,
            authorization_url: None,
            device_url: None,
            token_url: url(),
            scopes: Vec::new(),
            scope_separator: " ".to_owned(),
            extra: Vec::new(),
            pkce: true,
            issuer: issuer.map(str::to_owned),
            id_token_issuers: Vec::new(),
        };
        let pending = Pending {
            state: "st&te".into(),
            nonce: None,
            verifier: None,
            redirect_url: url(),
        };
        read_callback(query, &pending, &client)
    }

    #[test]
    fn a_code_with_the_right_state_is_taken() {
        let Callback::Code(code, checks) = read("code=a%2Bb&state=st%26te", None) else {
            panic!()
        };
        assert_eq!(code.expose_secret(), "a+b");
        assert_eq!(
            (checks[0].name, checks[0].outcome),
            (CheckName::State, Outcome::Passed)
        );
        assert_eq!(
            (checks[1].name, checks[1].outcome),
            (CheckName::Issuer, Outcome::NotChecked)
        );
    }

    #[test]
    fn without_the_right_state_nothing_counts_not_even_an_error() {
        for query in [
            "code=a",
            "code=a&state=",
            "code=a&state=other",
            "error=access_denied",
            "error=access_denied&state=x",
            "",
            "%",
        ] {
            assert!(matches!(read(query, None), Callback::NotOurs(_)), "{query}");
        }
    }

    #[test]
    fn the_issuer_is_compared_exactly_where_it_is_known() {
        let with = |iss: &str, known| read(&format!("code=a&state=st%26te&iss={iss}"), known);
        assert!(matches!(
            with("https://a", Some("https://a")),
            Callback::Code(..)
        ));
        assert!(matches!(
            with("https://a/", Some("https://a")),
            Callback::NotOurs(_)
        ));
        assert!(matches!(with("https://a", None), Callback::Code(..)));
    }

    #[test]
    fn errors_end_the_sign_in_in_words() {
        let Callback::Ended(Failure::Denied(error)) = read(
            "error=access_denied&error_description=no%0Away&state=st%26te",
            None,
        ) else {
            panic!()
        };
        assert_eq!(error.to_string(), "access_denied: no way");
        assert!(matches!(
            read("error=invalid_scope&state=st%26te", None),
            Callback::Ended(Failure::Callback(_))
        ));
    }

    #[test]
    fn a_doubled_parameter_and_an_empty_answer_are_not_ours() {
        for query in [
            "code=a&code=b&state=st%26te",
            "state=st%26te&state=st%26te&code=a",
            "state=st%26te",
            "state=st%26te&code=",
        ] {
            assert!(matches!(read(query, None), Callback::NotOurs(_)), "{query}");
        }
    }
}
