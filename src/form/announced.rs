//! Warnings about features that the issuer's metadata requires and this program doesn't support.

use crate::clean::clean;
use crate::form::choices::Change;
use crate::form::field::Key;
use crate::form::flow::CLIENT_CREDENTIALS;
use crate::form::problem::{Problem, Severity};
use crate::form::settings::Settings;
use crate::oauth::client_authentication::ClientAuthentication;
use crate::oauth::discovery::{DEVICE_GRANT, Metadata};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::jwt_bearer::GRANT;

/// Returns the warnings, each at the field to change.
pub(super) fn problems(settings: &Settings) -> Vec<Problem> {
    let Some(metadata) = settings.metadata() else {
        return Vec::new();
    };
    let flow = flow(settings, metadata);
    flow.into_iter()
        .chain(response_mode(settings, metadata))
        .chain(authentication(settings, metadata))
        .collect()
}

/// Warns if the metadata says that the selected flow won't work with this program.
fn flow(settings: &Settings, metadata: &Metadata) -> Option<Problem> {
    let ways = &metadata.ways;
    let lacks = |list: &Option<Vec<String>>, name: &str| {
        let list = list.as_ref().filter(|list| !list.is_empty());
        list.is_some_and(|list| !list.iter().any(|known| known == name))
    };
    let turn_on = "turn it on for this client";
    let (reason, ask_to, other) = if !settings.flow().has_user() {
        let (grant, reason) = if settings.flow() == FlowKind::JwtBearer {
            (
                GRANT,
                "doesn't list the JWT bearer grant, which service accounts use",
            )
        } else {
            (
                CLIENT_CREDENTIALS,
                "doesn't list the client credentials flow",
            )
        };
        if !lacks(&ways.grant_types, grant) {
            return None;
        }
        (reason, turn_on, None)
    } else if settings.flow() == FlowKind::AuthorizationCode {
        let turn_off = "turn this requirement off for this client";
        let (reason, ask_to) = if ways.pushed && ways.pushed_url.is_none() {
            (
                "requires pushed authorization requests, but contains no valid endpoint for them",
                turn_off,
            )
        } else if ways.signed {
            (
                "requires signed authorization requests, which this program doesn't support",
                turn_off,
            )
        } else if lacks(&ways.grant_types, "authorization_code")
            || lacks(&ways.response_types, "code")
        {
            ("doesn't list the authorization code flow", turn_on)
        } else if lacks(&ways.response_modes, "query") && lacks(&ways.response_modes, "form_post") {
            (
                "lists neither of the response modes query and form_post, the only ones that this program supports",
                "turn one of them on for this client",
            )
        } else {
            return None;
        };
        (reason, ask_to, Some(FlowKind::DeviceCode))
    } else if lacks(&ways.grant_types, DEVICE_GRANT) {
        (
            "doesn't list the device code flow",
            turn_on,
            Some(FlowKind::AuthorizationCode),
        )
    } else {
        return None;
    };
    let is_there = |other: &FlowKind| {
        settings.offers(*other)
            && (*other == FlowKind::AuthorizationCode || metadata.device_url.is_some())
    };
    let other = other.filter(is_there);
    let instead = match other {
        Some(other) => format!("set Flow to {}", other.label()),
        None => format!("ask its administrator to {ask_to}"),
    };
    let text =
        format!("The issuer's metadata {reason}. If the service rejects the sign-in, {instead}");
    let problem = Problem::new(Key::Flow, Severity::Warning, "not supported", text);
    Some(if let Some(other) = other {
        problem.with_remedy(format!("Use {}", other.label()), Change::Flow(other))
    } else {
        problem
    })
}

/// Warns if the response comes only by POST (OAuth 2.0 Form Post Response Mode), but that isn't requested.
fn response_mode(settings: &Settings, metadata: &Metadata) -> Option<Problem> {
    let modes = metadata.ways.response_modes.as_deref()?;
    let lists = |mode: &str| modes.iter().any(|known| known == mode);
    let given = settings.all_extra_parameters();
    let is_given = given.iter().any(|(name, _)| name == "response_mode");
    if settings.flow() != FlowKind::AuthorizationCode
        || lists("query")
        || !lists("form_post")
        || is_given
    {
        return None;
    }
    let key = Key::ExtraParameters;
    let with = settings.with_parameter("response_mode", "form_post");
    let text = "The issuer's metadata doesn't list the response mode query. Add response_mode=form_post to accept the response by \
        POST";
    let problem = Problem::new(key, Severity::Warning, "response mode", text.to_owned());
    Some(problem.with_remedy("Add response_mode=form_post", Change::Text(key, with)))
}

/// Warns if the token endpoint supports no client authentication of this program, or not the selected method.
fn authentication(settings: &Settings, metadata: &Metadata) -> Option<Problem> {
    let methods = metadata.authentication.as_ref()?;
    let takes = |name: &str| methods.iter().any(|known| known == name);
    if methods.is_empty() || !settings.preset().is_custom() {
        return None;
    }
    let of = |method| -> &[&str] {
        match method {
            ClientAuthentication::None => &["none"],
            ClientAuthentication::Basic => &["client_secret_basic"],
            ClientAuthentication::Post => &["client_secret_post"],
            ClientAuthentication::ClientSecretJwt => &["client_secret_jwt"],
            ClientAuthentication::PrivateKeyJwt => &["private_key_jwt"],
            ClientAuthentication::MutualTls => &["tls_client_auth", "self_signed_tls_client_auth"],
        }
    };
    let lists = |method| of(method).iter().any(|name| takes(name));
    let with_secret = [
        ClientAuthentication::Basic,
        ClientAuthentication::Post,
        ClientAuthentication::ClientSecretJwt,
    ];
    let with_key = [
        ClientAuthentication::PrivateKeyJwt,
        ClientAuthentication::MutualTls,
    ];
    let only = || {
        let names = methods.iter().take(4).cloned().collect::<Vec<_>>();
        format!(
            "The issuer's metadata lists only {} for client authentication",
            clean(&names.join(", "), 160)
        )
    };
    let method = settings.client_authentication();
    let text = if lists(method) {
        return None;
    } else if with_key.into_iter().any(lists) && !with_secret.into_iter().any(lists) {
        let other = if method == ClientAuthentication::None {
            "enter a Client key"
        } else {
            "change Client auth. and enter a Client key"
        };
        format!("{}. If the service rejects the client, {other}", only())
    } else if !with_secret.into_iter().any(lists) && !takes("none") {
        format!(
            "{}, which this program doesn't support. If the service rejects the client, ask its administrator for one with a \
                client secret",
            only()
        )
    } else if method == ClientAuthentication::None {
        // The user may still enter a secret.
        return None;
    } else {
        format!(
            "The issuer's metadata doesn't list {}, the selected client authentication. If the service rejects the client, \
                change Client auth.",
            of(method).join(" or ")
        )
    };
    let warning = Severity::Warning;
    Some(Problem::new(
        Key::ClientAuthentication,
        warning,
        "not listed",
        text,
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::form::choices::Overwrite;
    use crate::form::discovered::tests::metadata;
    use crate::form::request;
    use crate::oauth::discovery::Ways;
    use crate::presets;

    /// Returns the warnings for this metadata: field, text and whether there is a fix. No warning stops the run.
    fn warned(
        flow: FlowKind,
        secret: &str,
        change: impl Fn(&mut Metadata),
    ) -> Vec<(Key, String, bool)> {
        let mut form = Settings::new(presets::get("custom").unwrap());
        form.set(Key::ClientId, "me".to_owned());
        form.set(Key::Issuer, "https://as.example".to_owned());
        form.set(Key::RedirectUrl, "http://127.0.0.1:8400/".to_owned());
        form.set(Key::ClientSecret, secret.to_owned());
        let mut found = metadata("https://as.example");
        change(&mut found);
        form.take_over(&found, Overwrite::Everything);
        form.set_flow(flow);
        assert!(request::request(&form).is_ok());
        let mut warned = Vec::new();
        for problem in request::problems(&form) {
            if let Some(remedy) = &problem.remedy {
                let mut form = form.clone();
                form.apply(&remedy.change);
                let left = request::problems(&form);
                assert!(left.iter().all(|it| it.word != problem.word), "{left:?}");
            }
            warned.push((problem.key, problem.text, problem.remedy.is_some()));
        }
        warned
    }

    fn ways(change: impl Fn(&mut Ways)) -> Vec<(Key, String, bool)> {
        warned(FlowKind::AuthorizationCode, "", |found| {
            change(&mut found.ways);
        })
    }

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn unsupported_flow_is_reported_with_an_alternative() {
        for (found, words) in [
            (ways(|ways| ways.pushed = true), "no valid endpoint"),
            (ways(|ways| ways.signed = true), "signed"),
            (
                ways(|ways| ways.response_modes = Some(list(&["fragment", "jwt"]))),
                "response modes query and form_post",
            ),
            (
                ways(|ways| ways.grant_types = Some(list(&["client_credentials", DEVICE_GRANT]))),
                "doesn't list the authorization code flow",
            ),
            (
                ways(|ways| ways.response_types = Some(list(&["id_token", "code id_token"]))),
                "doesn't list the authorization code flow",
            ),
            (
                warned(FlowKind::DeviceCode, "", |found| {
                    found.ways.grant_types = Some(list(&["authorization_code"]));
                }),
                "doesn't list the device code flow",
            ),
        ] {
            let [(key, text, remedy)] = &found[..] else {
                unreachable!("{words}: {found:?}")
            };
            assert!(
                *key == Key::Flow && *remedy && text.contains(words),
                "{text}"
            );
        }
        // Features that are listed, and lists that are missing, cause no warning.
        assert!(ways(|_| {}).is_empty());
        let all = ways(|ways| {
            ways.response_modes = Some(list(&["form_post", "query"]));
            ways.response_types = Some(list(&["code"]));
            ways.grant_types = Some(list(&["authorization_code"]));
        });
        assert!(all.is_empty(), "{all:?}");
        let posted = ways(|ways| ways.response_modes = Some(list(&["form_post", "fragment"])));
        let [(Key::ExtraParameters, text, true)] = &posted[..] else {
            unreachable!("{posted:?}")
        };
        assert!(text.contains("response_mode=form_post"), "{text}");
        // Without a device authorization endpoint, there is no other flow to offer.
        let alone = warned(FlowKind::AuthorizationCode, "", |found| {
            found.ways.pushed = true;
            found.device_url = None;
        });
        assert!(
            !alone[0].2
                && alone[0].1.ends_with(
                    "ask its administrator to turn this requirement off for this client."
                ),
            "{alone:?}"
        );
        // What is only not listed is not a requirement.
        let alone = warned(FlowKind::AuthorizationCode, "", |found| {
            found.ways.grant_types = Some(list(&["client_credentials"]));
            found.device_url = None;
        });
        assert!(
            !alone[0].2
                && alone[0]
                    .1
                    .ends_with("ask its administrator to turn it on for this client."),
            "{alone:?}"
        );
    }

    #[test]
    fn unsupported_client_authentication_is_reported() {
        let flow = FlowKind::DeviceCode;
        let methods = |secret, names: &[&str]| {
            warned(flow, secret, |found| {
                found.authentication = Some(list(names));
            })
        };
        for secret in ["", "s3cret"] {
            let found = methods(secret, &["private_key_jwt", "tls_client_auth"]);
            let [(key, text, _)] = &found[..] else {
                unreachable!("{found:?}")
            };
            assert_eq!(*key, Key::ClientAuthentication);
            assert!(text.contains("private_key_jwt, tls_client_auth"), "{text}");
        }
        let found = methods("s3cret", &["none"]);
        assert!(found[0].1.contains("client_secret_basic"), "{found:?}");
        for names in [
            &["client_secret_basic"][..],
            &["client_secret_post"],
            &["private_key_jwt", "client_secret_post"],
        ] {
            for secret in ["", "s3cret"] {
                assert!(methods(secret, names).is_empty(), "{names:?}");
            }
        }
    }
}
