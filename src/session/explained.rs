//! Why a run ended: the explanation of the service's error, or of the program's own error, and the field to change.

use crate::flow::event::{FlowError, Step};
use crate::flow::http_error::HttpError;
use crate::flow::listener::ListenError;
use crate::form::explain::{Explanation, explain, explain_certificate, explain_client_key};
use crate::form::field::Key;
use crate::form::settings::Settings;
use crate::presets::Library;

use super::run::Run;

/// Explains the error of a run with these settings. Returns `None` if no explanation matches and no field is to blame.
pub(super) fn explained(
    error: &FlowError,
    run: &Run,
    settings: &Settings,
    library: &Library,
) -> Option<Explanation> {
    match error {
        FlowError::Protocol(failure) => {
            let method = run.request.client.sent_method();
            explain(failure, &run.preset, method, library)
        }
        FlowError::Certificate(error) => explain_certificate(error),
        FlowError::ClientKey(error) => Some(explain_client_key(error)),
        FlowError::KeyFile(error) => Some(of_field(error, error.hint(), Key::KeyFile)),
        FlowError::Listen(wrong) => {
            listen_key(wrong, settings).map(|key| of_field(wrong, wrong.hint(), key))
        }
        FlowError::Http(error @ HttpError::CaFile { .. }) => {
            Some(of_field(error, error.hint(), Key::CaFile))
        }
        FlowError::Http(error) if error.can_come_from_a_wrong_url() => {
            let key = settings.host_key(url_key(run.steps.last()?.step)?)?;
            Some(of_field(error, error.hint(), key))
        }
        _ => None,
    }
}

fn of_field(error: &impl ToString, hint: &str, key: Key) -> Explanation {
    Explanation::of(error, hint.to_owned(), key)
}

/// Returns the field that determines where the program listens, unless another setting is the cause.
fn listen_key(error: &ListenError, settings: &Settings) -> Option<Key> {
    let other = !settings.value(Key::ListenAddress).trim().is_empty();
    match error {
        // Configure… or a flag fixes these.
        ListenError::HttpSys { .. } | ListenError::NotBound { .. } | ListenError::NoHttpSys => None,
        ListenError::Escaped { .. } => Some(Key::RedirectUrl),
        _ if other => Some(Key::ListenAddress),
        _ => Some(Key::RedirectUrl),
    }
}

/// Returns the URL that a request of this step is sent to.
fn url_key(step: Step) -> Option<Key> {
    match step {
        Step::DeviceCode => Some(Key::DeviceUrl),
        Step::Approval | Step::Exchange | Step::TokenRequest => Some(Key::TokenUrl),
        Step::Pushed => Some(Key::Issuer),
        // The form may have changed since the tokens were issued.
        Step::Refresh | Step::Listen | Step::SignIn => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;
    use crate::console::environment::Environment;
    use crate::flow::event::FlowEvent;
    use crate::presets;
    use crate::session::clock::Moment;
    use crate::session::{Session, SessionEvent};

    /// Returns the field that the sign-in names when `error` ends this step.
    fn field(settings: Settings, step: Step, error: FlowError) -> Option<Key> {
        let mut session = Session::new(settings, Library::default());
        let attempt = session.authorize().unwrap().attempt;
        let mut hear =
            |event| session.hear(attempt, event, Moment::default(), &Environment::default());
        hear(FlowEvent::Began(step));
        match hear(FlowEvent::Failed(error)) {
            Some(SessionEvent::SignInFailed(_, ended)) => ended.explanation?.field,
            _ => None,
        }
    }

    fn custom(values: &[(Key, &str)]) -> Settings {
        let mut settings = Settings::new(presets::get(presets::CUSTOM).unwrap());
        let usual = [
            (Key::ClientId, "client"),
            (Key::RedirectUrl, "http://127.0.0.1:8400/"),
            (Key::AuthorizationUrl, "https://as.example/authorize"),
            (Key::DeviceUrl, "https://as.example/device"),
            (Key::TokenUrl, "https://as.example/token"),
        ];
        for (key, value) in usual.iter().chain(values) {
            settings.set(*key, (*value).to_owned());
        }
        settings
    }

    #[test]
    fn failed_request_points_to_the_entered_url() {
        let unreachable = || {
            FlowError::Http(HttpError::Unreachable {
                host: "as.example:443".to_owned(),
                cause: "no such host".to_owned(),
            })
        };
        let of = |settings, step| field(settings, step, unreachable());
        assert_eq!(of(custom(&[]), Step::DeviceCode), Some(Key::DeviceUrl));
        for step in [Step::Approval, Step::Exchange, Step::TokenRequest] {
            assert_eq!(of(custom(&[]), step), Some(Key::TokenUrl), "{step:?}");
        }
        // The URL is the preset's.
        let mut google = Settings::new(presets::get("google-mail").unwrap());
        google.set(Key::ClientId, "1234.apps.googleusercontent.com".to_owned());
        google.set(
            Key::ClientSecret,
            "GOCSPX-abcdefghijklmnopqrstuvwxyz12".to_owned(),
        );
        assert_eq!(of(google, Step::Exchange), None);
        // Something other than the URL is wrong.
        let proxy = FlowError::Http(HttpError::ProxySetting {
            variable: "HTTPS_PROXY",
            reason: "it has no host",
        });
        assert_eq!(field(custom(&[]), Step::DeviceCode, proxy), None);
    }

    #[test]
    fn port_in_use_points_to_the_matching_field() {
        let in_use = || {
            FlowError::Listen(ListenError::InUse {
                ip: [127, 0, 0, 1].into(),
                port: 8400,
            })
        };
        let of = |settings, error| field(settings, Step::Listen, error);
        assert_eq!(of(custom(&[]), in_use()), Some(Key::RedirectUrl));
        let elsewhere = custom(&[(Key::ListenAddress, "127.0.0.1:8500")]);
        assert_eq!(of(elsewhere, in_use()), Some(Key::ListenAddress));
        let no_driver = FlowError::Listen(ListenError::NoHttpSys);
        assert_eq!(of(custom(&[]), no_driver), None);
    }
}
