//! Says what a failed refresh means, and what the user can do.

use super::profile::{Profile, sign_in_again};
use super::refresh_failure::RefreshFailure;
use super::words;
use crate::clean::clean_path;
use crate::clock::unix_time;
use crate::flow::event::FlowError;
use crate::form::explain::explain;
use crate::oauth::failure::Failure;
use crate::outcome::exit;
use crate::profile::places::Place;
use crate::store::attempt::{LostAnswer, LostBy, Outcome};
use crate::store::record::Rejected;

/// A refresh that failed.
pub(super) struct Failed<'a> {
    pub place: &'a Place,
    pub profile: &'a Profile,
    pub error: FlowError,
    /// An earlier request with the same refresh token, whose response was lost.
    pub lost: Option<LostAnswer>,
}

impl Failed<'_> {
    /// Returns whether the service rejected the client itself in a flow without a user, where signing in can't help.
    fn is_about_the_client(&self) -> bool {
        if self.profile.request.kind.has_user() {
            return false;
        }
        let is_rejected = matches!(
            RefreshFailure::of(&self.error),
            RefreshFailure::Rejected | RefreshFailure::Unclear
        );
        match &self.error {
            FlowError::Protocol(Failure::Server { error, .. }) => {
                is_rejected
                    || matches!(
                        error.code.as_str(),
                        "invalid_client" | "unauthorized_client"
                    )
            }
            _ => is_rejected,
        }
    }

    /// Returns whether the service rejected the refresh token with a code whose explanation is about something else.
    fn is_misfiled(&self) -> bool {
        let FlowError::Protocol(Failure::Server { error, .. }) = &self.error else {
            return false;
        };
        let is_other = matches!(
            error.code.as_str(),
            "invalid_request" | "unauthorized_client" | "invalid_code"
        );
        is_other && RefreshFailure::of(&self.error) == RefreshFailure::Rejected
    }

    /// Says where to put a new client secret or key.
    fn new_secret(&self) -> String {
        let place = self.place;
        if let Some(account) = &self.profile.request.service_account {
            return format!("The key file is {}.", clean_path(&account.path));
        }
        if let Some(files) = self.profile.request.client.credential.files() {
            return format!("The client key is {}.", clean_path(&files.key));
        }
        if self.profile.file.names_secret() {
            let settings = place.settings();
            return format!(
                "Replace the client secret: [secret] in {} says where it is stored.",
                settings.display()
            );
        }
        format!(
            "Enter a new client secret: oauth-authorizer --profile {}",
            place.target()
        )
    }

    /// Returns what to report, and the rejection to store in the record.
    pub(super) fn outcome(&self) -> (Outcome, Option<Rejected>) {
        let now = unix_time();
        let explained = match &self.error {
            FlowError::Protocol(failure) => {
                let preset = self.profile.settings.preset();
                let method = self.profile.request.client.sent_method();
                explain(failure, preset, method, &self.profile.library)
            }
            _ => None,
        };
        let error = self.error.sentence();
        let cause = explained.as_ref().map(|explained| explained.cause.clone());
        // The same sentence is not said twice.
        let cause =
            cause.filter(|cause| cause.trim_end_matches('.') != error.trim_end_matches('.'));
        let cause = cause.filter(|_| !self.is_misfiled());
        let remedy = explained.map_or_else(|| self.error.hint(), |explained| explained.remedy);
        let outcome = |code, hint| Outcome {
            code,
            error: error.clone(),
            cause: cause.clone(),
            hint: Some(hint),
        };
        match RefreshFailure::of(&self.error) {
            RefreshFailure::Rejected | RefreshFailure::Unclear | RefreshFailure::Settings
                if self.is_about_the_client() =>
            {
                let hint = format!("{remedy} {}", self.new_secret());
                (outcome(exit::SIGN_IN, hint), None)
            }
            // If an earlier response was lost, the refresh token is probably the cause.
            RefreshFailure::Unclear if self.lost.is_none() => {
                let check = if self.profile.request.client.is_public() {
                    "Check the Client ID, the proxy and the token URL: a gateway may have sent this response."
                } else {
                    "Check the client secret or key and Client auth."
                };
                let hint = format!(
                    "{check} If they are correct, the refresh token is no longer valid. {}",
                    sign_in_again(self.place)
                );
                (outcome(exit::USAGE, hint), None)
            }
            RefreshFailure::Rejected | RefreshFailure::Unclear => {
                let mut outcome = outcome(exit::SIGN_IN, sign_in_again(self.place));
                if let Some(lost) = self.lost {
                    let how = match lost.by {
                        LostBy::Stop => {
                            "the program or the computer was stopped before the response was stored"
                        }
                        LostBy::Network => "the response was lost in transit",
                        LostBy::Storage => "the response couldn't be stored",
                    };
                    outcome.cause = Some(format!(
                        "An earlier refresh was sent {}, and {how}. The service has probably replaced the refresh token.",
                        words::when(lost.since, now)
                    ));
                }
                let rejected = Rejected {
                    at: now,
                    error: outcome.error.clone(),
                    cause: outcome.cause.clone(),
                };
                (outcome, Some(rejected))
            }
            RefreshFailure::Settings => (outcome(exit::USAGE, remedy), None),
            RefreshFailure::NotSent
            | RefreshFailure::MaybeTaken
            | RefreshFailure::Busy(_)
            | RefreshFailure::Unread
                if self.lost.is_some() =>
            {
                let hint =
                    "Try again later. If the service then rejects the refresh token, sign in again."
                        .to_owned();
                (outcome(exit::UNREACHABLE, hint), None)
            }
            RefreshFailure::Unread => {
                let hint = format!(
                    "Try again later. The tokens are unchanged. If this continues, check the proxy and the token URL, then sign in \
                     again: oauth-authorizer --profile {}",
                    self.place.target()
                );
                (outcome(exit::UNREACHABLE, hint), None)
            }
            RefreshFailure::NotSent | RefreshFailure::MaybeTaken | RefreshFailure::Busy(_) => {
                let hint = "Try again later. The tokens are unchanged.".to_owned();
                (outcome(exit::UNREACHABLE, hint), None)
            }
            RefreshFailure::TooEarly => {
                let hint = "Try again shortly before the access token expires.".to_owned();
                (outcome(exit::UNREACHABLE, hint), None)
            }
            RefreshFailure::Unusable => (outcome(exit::FAILED, remedy), None),
        }
    }
}
