//! Tests of going from screen to screen, as a user does.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails on anything unexpected"
)]

use std::time::Duration;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::copies::CLEAR_CLIPBOARD;
use super::dialog::DialogKind;
use super::message::{Effect, Event, Msg};
use super::model::Model;
use super::root::RootDialog;
use super::screen::testing::{device_code, settings, sign_in, token_set};
use super::screen::{AnyScreen, Message, Route, UpdateContext};
use super::update::update;
use super::view::is_plain;
use crate::console::clipboard::{Copied, CopiedBy};
use crate::console::environment::Environment;
use crate::flow::driver::Job;
use crate::flow::event::{FlowError, FlowEvent};
use crate::form::choices::{AuthenticationChoice, Overwrite};
use crate::form::field::Key;
use crate::form::metadata;
use crate::oauth::asked::Asked;
use crate::oauth::failure::{Failure, ServerError};
use crate::oauth::flow_kind::FlowKind;
use crate::oauth::registration::Registered;
use crate::outcome::{Print, exit};
use crate::presets::{self, Library};
use crate::profile::name::ProfileName;
use crate::profile::places::Places;
use crate::profile::saved_tokens::SavedTokens;
use crate::secret::ExposeSecret;
use crate::session::clock::Moment;
use crate::session::content::Content;
use crate::session::profiles::{self, ProfileReport, ProfileTask, SaveChoice, Saved, Unsaved};
use crate::session::{Refused, Taken, Value};
use crate::store::file::Readers;

/// The program, with a user who presses keys.
struct User {
    model: Model,
}

impl User {
    fn new(preset: &str, flow: FlowKind) -> Self {
        let mut settings = settings(preset);
        settings.set_flow(flow);
        Self {
            model: Model::new(Environment::default(), settings, Library::default()),
        }
    }

    fn send(&mut self, event: Event) -> Vec<Effect> {
        let at = Moment {
            up: Duration::from_secs(1),
            local: jiff::civil::date(2026, 11, 26).at(12, 0, 0, 0),
            ..Moment::default()
        };
        update(&mut self.model, Msg { at, event })
    }

    fn key(&mut self, code: KeyCode) -> Vec<Effect> {
        self.send(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn letter(&mut self, letter: char) -> Vec<Effect> {
        self.key(KeyCode::Char(letter))
    }

    fn ctrl_c(&mut self) -> Vec<Effect> {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        self.send(Event::Key(key))
    }

    /// Presses Tab until the item with this label has the focus.
    fn focus(&mut self, label: &str) {
        for _ in 0..80 {
            let items = self.model.items();
            if items.iter().any(|item| item.focused && item.label == label) {
                return;
            }
            self.key(KeyCode::Tab);
        }
        panic!("there is no {label} on {}", self.title());
    }

    /// Moves the focus to the button with this label, and presses Enter.
    fn press(&mut self, label: &str) -> Vec<Effect> {
        self.focus(label);
        self.key(KeyCode::Enter)
    }

    fn hear(&mut self, event: FlowEvent) -> Vec<Effect> {
        let attempt = self.model.session.attempt().unwrap();
        self.send(Event::Flow(attempt, event))
    }

    fn title(&self) -> String {
        self.model.top().title(self.model.view_context())
    }

    fn message(&self) -> &str {
        self.model.message.as_ref().map_or("", Message::text)
    }

    /// Returns how many items have the focus.
    fn focused(&self) -> usize {
        let items = self.model.items();
        items.iter().filter(|item| item.focused).count()
    }

    /// Returns the label of the item that has the focus.
    fn label(&self) -> String {
        let mut items = self.model.items().into_iter();
        let focused = items.find(|item| item.focused).unwrap();
        focused.label.into_owned()
    }

    /// Sends the event that a copy of this token finished.
    fn copied(&mut self, value: Value, by: CopiedBy) {
        let attempt = self.model.session.tokens.as_ref().unwrap().attempt;
        let (by, skipped) = (Some(by), Vec::new());
        let content = Content::Token(value, attempt);
        self.send(Event::Copied(content, Copied { by, skipped }));
    }

    fn asks_whether_to_leave(&mut self) -> bool {
        self.ctrl_c().is_empty() && self.model.dialog.is_some()
    }

    fn access_token(&self) -> &str {
        let tokens = self.model.session.tokens.as_ref().unwrap();
        tokens.set.access_token.expose_secret()
    }
}

/// Returns a user whose screen shows tokens with this name.
fn authorized(name: &str) -> User {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    let effects = user.press("Authorize");
    assert!(matches!(effects.as_slice(), [Effect::Start(_)]));
    user.hear(FlowEvent::Tokens(Box::new(token_set(name))));
    assert!(user.title().ends_with("tokens"));
    user
}

#[test]
fn debug_output_contains_no_secret() {
    let mut user = authorized("s3cret");
    let settings = &mut user.model.session.settings;
    settings.set(Key::ClientSecret, "s3cret-client".to_owned());
    user.press("View alone");
    let effects = [
        Effect::Paste("s3cret-paste".into()),
        Effect::ShowInScrollback("s3cret-value".into()),
    ];
    let attempt = user.model.session.tokens.as_ref().unwrap().attempt;
    let events = [
        Event::Paste("s3cret-paste".to_owned()),
        Event::Flow(attempt, FlowEvent::Tokens(Box::new(token_set("s3cret")))),
    ];
    let text = format!("{:?} {effects:?} {events:?}", user.model);
    assert!(!text.contains("s3cret"), "{text}");
    // Nor while the user edits the secret.
    let mut user = User::new("custom", FlowKind::DeviceCode);
    let settings = &mut user.model.session.settings;
    settings.set(Key::ClientSecret, "s3cret".to_owned());
    for _ in 0..80 {
        let items = user.model.items();
        if items
            .iter()
            .any(|item| item.focused && item.label == "Client secret")
        {
            break;
        }
        user.key(KeyCode::Tab);
    }
    user.letter('x');
    let typed = user.model.session.settings.secret();
    assert_eq!(typed.expose_secret(), "s3cretx");
    assert!(!format!("{:?}", user.model).contains("s3cret"));
}

#[test]
fn a_failed_or_canceled_refresh_keeps_the_tokens() {
    let mut user = authorized("first");
    let effects = user.press("Refresh");
    assert!(matches!(effects.as_slice(), [Effect::Start(_)]));
    user.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Server {
        asked: Asked::Refresh,
        error: ServerError::new("invalid_grant", None),
    })));
    assert!(user.message().contains("invalid_grant"));
    user.press("Refresh");
    assert!(matches!(
        user.key(KeyCode::Esc).as_slice(),
        [Effect::Cancel]
    ));
    // It is unknown what the service did with the request.
    assert!(
        user.message()
            .contains("may have already replaced the refresh token")
    );
    assert_eq!(user.access_token(), "first-access");
    user.press("Refresh");
    user.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    assert_eq!(user.access_token(), "second-access");
    assert!(user.message().starts_with("at 12:00:00."));
    assert!(user.asks_whether_to_leave());
}

#[test]
fn only_certain_copies_mark_current_tokens_as_taken() {
    let mut user = authorized("first");
    let old = user.model.session.tokens.as_ref().unwrap().attempt;
    user.press("Refresh");
    user.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    let now = user.model.session.tokens.as_ref().unwrap().attempt;
    for (attempt, by, taken) in [
        (now, Some(CopiedBy::Terminal("sequence".into())), false),
        (now, None, false),
        (old, Some(CopiedBy::Desktop), false),
        // The refresh token is not in the clipboard yet.
        (now, Some(CopiedBy::Tmux), false),
    ] {
        let sends = matches!(by, Some(CopiedBy::Terminal(_)));
        let skipped = Vec::new();
        let content = Content::Token(Value::Access, attempt);
        let effects = user.send(Event::Copied(content, Copied { by, skipped }));
        assert_eq!(matches!(effects.as_slice(), [Effect::Send(_)]), sends);
        assert_eq!(!user.model.session.has_untaken_tokens(), taken);
    }
    user.copied(Value::Refresh, CopiedBy::Desktop);
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn token_left_on_the_clipboard_can_be_cleared() {
    let mut user = authorized("first");
    let offered = |user: &User| {
        let items = user.model.items();
        items.iter().any(|item| item.label == CLEAR_CLIPBOARD)
    };
    assert!(!offered(&user));
    user.copied(Value::Access, CopiedBy::DesktopForGood);
    assert!(user.message().contains("It stays there after you quit."));
    assert!(offered(&user));
    let press = |screen: &mut dyn AnyScreen, cx: &mut UpdateContext<'_>| {
        screen.press(CLEAR_CLIPBOARD, cx);
    };
    let effects = user.model.on_top(press).effects;
    assert!(
        matches!(effects.as_slice(), [Effect::ClearClipboard]),
        "{effects:?}"
    );
    user.send(Event::Cleared(Err("it is open elsewhere".to_owned())));
    assert_eq!(
        user.message(),
        "The desktop clipboard was not cleared: it is open elsewhere."
    );
    assert!(offered(&user));
    user.send(Event::Cleared(Ok(true)));
    assert!(!offered(&user));
    // The user's next step is to paste the token elsewhere, so nothing is cleared without a request.
    user.copied(Value::Access, CopiedBy::DesktopForGood);
    user.copied(Value::Refresh, CopiedBy::DesktopForGood);
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
    user.send(Event::Cleared(Ok(false)));
    assert!(
        user.message()
            .contains("no longer contains what you copied")
    );
    assert!(!offered(&user));
}

#[test]
fn copy_through_windows_console_warns_about_loss() {
    let mut user = authorized("first");
    user.copied(Value::Access, CopiedBy::ThroughConsole("sequence".into()));
    let told = user.message();
    assert!(told.contains("The Windows console may drop it"), "{told}");
    assert!(user.asks_whether_to_leave());
}

#[test]
fn quit_question_names_each_unsaved_token() {
    let mut user = authorized("first");
    let question = |user: &mut User| {
        assert!(user.asks_whether_to_leave());
        let dialog = user.model.dialog.take().unwrap();
        let DialogKind::Question(question) = dialog.kind else {
            panic!("no question");
        };
        (question.title, question.rows.join("|"), question.text)
    };
    let mask = user.model.console.theme.mask();
    let masked = mask.repeat(12);
    let (title, rows, text) = question(&mut user);
    assert_eq!(title, "Quit? These tokens have not been copied or saved:");
    let access = format!("Access token    {masked}");
    let refresh = format!("Refresh token   {masked}");
    assert!(
        rows.starts_with(&access) && rows.contains(&refresh),
        "{rows}"
    );
    assert!(rows.ends_with("   13 chars"), "{rows}");
    assert_eq!(text, "They are lost when you quit.");

    user.copied(Value::Access, CopiedBy::Tmux);
    let (title, rows, text) = question(&mut user);
    assert_eq!(title, "Quit? This token has not been copied or saved:");
    assert!(rows.starts_with(&refresh) && !rows.contains('|'), "{rows}");
    assert_eq!(
        text,
        "It is lost when you quit. The access token was copied."
    );

    user.copied(Value::Refresh, CopiedBy::Terminal("sequence".into()));
    let (title, rows, text) = question(&mut user);
    assert_eq!(title, "Quit? This token may not have arrived:");
    assert!(
        rows.ends_with("sent to your terminal's clipboard"),
        "{rows}"
    );
    assert!(text.starts_with("Your terminal did not confirm"), "{text}");

    // A token that was shown alone counts as taken.
    user.press("Refresh token");
    user.letter('w');
    user.letter('x');
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn save_in_the_quit_question_saves_all_tokens() {
    let mut user = authorized("first");
    user.letter('e');
    assert!(user.asks_whether_to_leave());
    assert!(user.letter('s').is_empty());
    assert!(user.title().ends_with("tokens"));
    let effects = user.key(KeyCode::Enter);
    let [Effect::Save(content, path)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert!(matches!(content, Content::Json(_)));
    let (content, saved) = (content.clone(), (path.clone(), Readers::User));
    user.send(Event::Saved(content, Ok(saved)));
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn tokens_can_be_saved_elsewhere_if_profile_save_fails() {
    let mut user = User::new("github", FlowKind::DeviceCode);
    let places = Places::of_user("/c/profiles".into(), "/s/profiles".into());
    let place = places.new_place(&"office".parse().unwrap(), false).unwrap();
    let open = Some((place, user.model.session.settings.clone()));
    user.model.session.profiles = profiles::Profiles::new(Some(places), None, open);
    user.press("Authorize");
    user.hear(FlowEvent::Tokens(Box::new(token_set("first"))));
    let Some(Effect::Profile(ProfileTask::Save(task))) = user.letter('s').pop() else {
        panic!("nothing is saved");
    };
    let reason = Unsaved::Failed("The disk is full.".to_owned());
    user.send(Event::Profile(Box::new(ProfileReport::Saved(
        task,
        Err(reason),
    ))));
    assert_eq!(
        user.message(),
        "The profile \"office\" was not saved. The disk is full."
    );
    assert_eq!(user.title(), "Save as a profile");
    user.focus("To a file instead…");
}

#[test]
fn quitting_during_a_refresh_asks_first() {
    let mut user = authorized("first");
    for value in [Value::Access, Value::Refresh, Value::Id] {
        user.copied(value, CopiedBy::Tmux);
    }
    user.press("Refresh");
    assert!(user.asks_whether_to_leave());
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
    user.key(KeyCode::Esc);
    assert!(user.asks_whether_to_leave());
    // The question is about the new tokens once they have arrived.
    user.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    assert!(matches!(
        user.model.dialog.as_ref().unwrap().id,
        RootDialog::Leave
    ));
}

/// Returns a user whose form was just filled in by a registration.
fn registered(secret: Option<&str>, access_token: Option<&str>) -> User {
    let mut user = User::new("custom", FlowKind::DeviceCode);
    discovers(&mut user, "https://as.example");
    register_again(&mut user, secret, access_token);
    user
}

/// Fills in the form from metadata that offers registration.
fn discovers(user: &mut User, issuer: &str) {
    let settings = &mut user.model.session.settings;
    settings.set(Key::Issuer, issuer.to_owned());
    settings.set(Key::TokenUrl, format!("{issuer}/token"));
    let mut found = metadata(issuer);
    found.source = format!("{issuer}/metadata").parse().unwrap();
    found.ways.registration_url = format!("{issuer}/register").parse().ok();
    settings.take_over(&found, Overwrite::Everything);
}

fn register_again(user: &mut User, secret: Option<&str>, access_token: Option<&str>) {
    let _ = user.model.session.register(&"".into()).unwrap();
    let client = client(secret, access_token);
    user.hear(FlowEvent::Registered(Box::new(client)));
}

fn client(secret: Option<&str>, access_token: Option<&str>) -> Registered {
    Registered {
        client_id: "new".to_owned(),
        client_secret: secret.map(Into::into),
        secret_expires_at: None,
        authentication: None,
        access_token: access_token.map(Into::into),
        client_url: None,
        different: Vec::new(),
        pending: false,
    }
}

#[test]
fn registration_is_refused_with_key_or_certificate_authentication() {
    let mut user = registered(None, None);
    for choice in [
        AuthenticationChoice::KeyJwt,
        AuthenticationChoice::MutualTls,
    ] {
        user.model.session.settings.set_authentication(choice);
        let refused = user.model.session.register(&"".into());
        assert!(matches!(refused, Err(Refused::NotOffered(_))));
    }
}

#[test]
fn quit_asks_before_losing_one_time_registration_values() {
    let copied = |user: &mut User, by: CopiedBy| {
        let (by, skipped) = (Some(by), Vec::new());
        user.send(Event::Copied(Content::Registration, Copied { by, skipped }))
    };
    let question = |user: &mut User| {
        assert!(user.asks_whether_to_leave());
        match user.model.dialog.take().unwrap().kind {
            DialogKind::Question(question) => (question.title, question.text),
            _ => panic!("no question"),
        }
    };
    for (secret, access, what) in [
        (Some("s"), Some("t"), "client secret and its registration"),
        (Some("s"), None, "client secret is lost"),
        (None, Some("t"), "registration access token is lost"),
    ] {
        let mut user = registered(secret, access);
        let (title, text) = question(&mut user);
        assert!(title.contains("isn't saved"), "{title}");
        assert!(text.contains(what), "{text}");
        // A second Ctrl+C quits.
        assert!(user.asks_whether_to_leave());
        assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
        user.key(KeyCode::Esc);
        copied(&mut user, CopiedBy::Terminal("sequence".into()));
        assert!(question(&mut user).0.contains("may be lost"));
        copied(&mut user, CopiedBy::Tmux);
        assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
        // The next registration is another one.
        register_again(&mut user, secret, access);
        assert!(user.asks_whether_to_leave());
    }
    // The question about tokens names the registration, too.
    let mut user = registered(Some("s"), None);
    user.press("Authorize");
    user.hear(FlowEvent::Tokens(Box::new(token_set("first"))));
    let text = "They are lost when you quit. The registration of this program has not been";
    assert!(question(&mut user).1.starts_with(text));
    copied(&mut user, CopiedBy::Tmux);
    assert_eq!(question(&mut user).1, "They are lost when you quit.");
    let mut public = registered(None, None);
    assert!(matches!(public.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn initial_token_is_kept_per_service_unless_rejected() {
    let failed = |code: &str, status: Option<u16>| {
        let mut error = ServerError::new(code, None);
        error.status = status;
        let asked = Asked::Registration;
        FlowEvent::Failed(FlowError::Protocol(Failure::Server { asked, error }))
    };
    let sends = |user: &mut User| {
        user.press("Register…");
        match user.key(KeyCode::Enter).as_slice() {
            [Effect::Start(started)] => match &*started.job {
                Job::Register(run) => run.initial_token.clone(),
                _ => panic!("not a registration"),
            },
            other => panic!("{other:?}"),
        }
    };
    for (event, kept) in [
        (failed("invalid_redirect_uri", Some(400)), true),
        (failed("invalid_client_metadata", None), true),
        (failed("invalid_token", None), false),
        (failed("error", Some(401)), false),
    ] {
        let mut user = registered(None, None);
        user.press("Register…");
        user.send(Event::Paste("t0ken".to_owned()));
        user.key(KeyCode::Enter);
        user.hear(event);
        let token = sends(&mut user);
        let token = token.as_ref().map(ExposeSecret::expose_secret);
        assert_eq!(token, kept.then_some("t0ken"));
        // A registration that succeeded needs no token for the next.
        user.hear(FlowEvent::Registered(Box::new(client(None, None))));
        assert!(sends(&mut user).is_none());
    }
    let mut user = registered(None, None);
    user.press("Register…");
    user.send(Event::Paste("t0ken".to_owned()));
    user.key(KeyCode::Enter);
    user.hear(failed("invalid_client_metadata", None));
    discovers(&mut user, "https://other.example");
    assert!(sends(&mut user).is_none());
}

#[test]
fn save_in_the_quit_question_saves_the_registration() {
    let mut user = registered(Some("s3cret"), Some("t0ken"));
    assert!(user.asks_whether_to_leave());
    user.letter('s');
    assert!(user.model.dialog.is_none() && user.model.has_dialog());
    let effects = user.key(KeyCode::Enter);
    let [Effect::Save(content, _)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    assert_eq!(*content, Content::Registration);
    let saved = ("r.json".into(), Readers::User);
    user.send(Event::Saved(Content::Registration, Ok(saved)));
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn registering_again_warns_about_the_unsaved_registration() {
    let lead = |user: &mut User| {
        user.press("Register…");
        let shown = user.model.top().has_dialog();
        let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
        terminal
            .draw(|frame| super::view::view(&user.model, frame))
            .unwrap();
        user.key(KeyCode::Esc);
        assert!(shown);
        terminal
            .backend()
            .to_string()
            .contains("has not been copied")
    };
    let mut user = registered(Some("s3cret"), None);
    assert!(lead(&mut user));
    user.model
        .session
        .took(&Content::Registration, Taken::Saved);
    assert!(!lead(&mut user));
}

#[test]
fn profile_saves_registered_secret_but_not_access_token() {
    for (access, with_secret, kept) in [
        (None, true, true),
        (None, false, false),
        (Some("t0ken"), true, false),
    ] {
        let mut user = registered(Some("s3cret"), access);
        let places = Places::of_user("/c/profiles".into(), "/s/profiles".into());
        user.model.session.profiles = profiles::Profiles::new(Some(places.clone()), None, None);
        let name: ProfileName = "office".parse().unwrap();
        let place = places.new_place(&name, false).unwrap();
        let choice = SaveChoice {
            from_tokens: false,
            machine: false,
            account: None,
            replace: false,
            with_tokens: false,
            with_secret,
            store: None,
        };
        let task = user.model.session.save_profile(name, choice).unwrap();
        let ProfileTask::Save(task) = task else {
            panic!("{task:?}");
        };
        user.send(Event::Profile(Box::new(ProfileReport::Saved(
            task,
            Ok(Saved {
                place,
                version: None,
                tokens: SavedTokens::Fine,
            }),
        ))));
        let quits = matches!(user.ctrl_c().as_slice(), [Effect::Quit]);
        assert_eq!(quits, kept, "{access:?} {with_secret}");
    }
}

#[test]
fn a_sign_in_that_replaces_tokens_asks_first() {
    let mut user = authorized("first");
    user.key(KeyCode::Esc);
    assert!(user.press("Authorize").is_empty() && user.model.has_dialog());
    user.key(KeyCode::Esc);
    assert!(!user.model.has_dialog());
    user.press("Authorize");
    let effects = user.letter('y');
    assert!(
        matches!(effects.as_slice(), [Effect::Start(_)]),
        "{effects:?}"
    );
    // Tokens that were saved or copied are replaced without a question.
    let mut user = authorized("first");
    user.copied(Value::Access, CopiedBy::Desktop);
    user.copied(Value::Refresh, CopiedBy::Desktop);
    user.key(KeyCode::Esc);
    let effects = user.press("Authorize");
    assert!(
        matches!(effects.as_slice(), [Effect::Start(_)]),
        "{effects:?}"
    );
}

#[test]
fn quit_question_includes_tokens_of_a_late_refresh() {
    let mut user = authorized("first");
    user.copied(Value::Access, CopiedBy::Desktop);
    user.copied(Value::Refresh, CopiedBy::Desktop);
    user.letter('f');
    let mut set = token_set("first");
    set.access_token = "another-access".into();
    user.hear(FlowEvent::Tokens(Box::new(set)));
    // The refresh token is the same, and was already copied.
    let untaken = user.model.session.tokens.as_ref().unwrap().untaken();
    assert_eq!(untaken, [Value::Access]);
    assert!(user.asks_whether_to_leave());
    user.copied(Value::Access, CopiedBy::Desktop);
    assert!(user.model.dialog.is_none(), "nothing is left to ask about");
}

#[test]
fn tokens_arriving_behind_a_user_code_are_not_taken() {
    for size in [(80, 24), (5, 2)] {
        let mut user = User::new("demo", FlowKind::DeviceCode);
        user.press("Authorize");
        user.hear(device_code());
        user.letter('w');
        assert!(user.model.alone().is_some());
        user.hear(FlowEvent::Tokens(Box::new(token_set("new"))));
        // Shown again, or asked about if it no longer fits.
        user.send(Event::Resized(size.0, size.1));
        if user.model.dialog.is_some() {
            user.key(KeyCode::Tab);
            user.key(KeyCode::Enter);
        }
        user.letter('x');
        assert!(user.asks_whether_to_leave(), "the tokens are lost");
    }
}

#[test]
fn escape_cancels_a_refresh_only_on_its_screen() {
    let mut user = authorized("first");
    user.press("Refresh");
    user.press("Trace");
    assert!(user.key(KeyCode::Esc).is_empty());
    assert!(user.title().ends_with("tokens"), "{}", user.title());
    assert!(user.model.session.is_refreshing());
    assert!(matches!(
        user.key(KeyCode::Esc).as_slice(),
        [Effect::Cancel]
    ));
    assert_eq!(user.focused(), 1);
    assert!(user.model.session.work().is_none());
}

#[test]
fn refresh_is_refused_during_discovery() {
    let mut user = authorized("first");
    user.press("Settings");
    let settings = &mut user.model.session.settings;
    settings.choose(presets::get(presets::CUSTOM).unwrap());
    settings.set(Key::Issuer, "https://as.example".to_owned());
    let effects = user.press("Discover");
    assert!(matches!(effects.as_slice(), [Effect::Start(_)]));
    user.press("Tokens");
    assert!(user.press("Refresh").is_empty());
    assert!(user.message().contains("Esc"), "{}", user.message());
    assert!(user.model.session.work().is_some() && !user.model.session.is_refreshing());
    // Back on the form, Esc cancels it.
    assert!(user.key(KeyCode::Esc).is_empty());
    assert!(matches!(
        user.key(KeyCode::Esc).as_slice(),
        [Effect::Cancel]
    ));
    user.press("Tokens");
    let effects = user.press("Refresh");
    assert!(matches!(effects.as_slice(), [Effect::Start(_)]));
}

#[test]
fn focus_returns_after_a_small_window_unless_it_was_moved() {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    user.press("Authorize");
    user.hear(device_code());
    for label in ["Trace", "Copy URL", "Browser flow"] {
        user.focus(label);
        for (columns, rows) in [(40, 10), (1, 1), (0, 0), (300, 10), (2000, 2), (1000, 1000)] {
            user.send(Event::Resized(columns, rows));
        }
        user.send(Event::Resized(80, 24));
        assert_eq!(user.label(), label);
    }
    user.send(Event::Resized(40, 10));
    assert_ne!(user.label(), "Browser flow");
    user.key(KeyCode::Tab);
    let moved = user.label();
    user.send(Event::Resized(80, 24));
    assert_eq!(user.label(), moved);
}

#[test]
fn resize_redraws_a_value_shown_alone_or_asks() {
    let mut user = authorized("first");
    user.copied(Value::Refresh, CopiedBy::Desktop);
    user.letter('w');
    let effects = user.send(Event::Resized(40, 20));
    assert!(matches!(effects.as_slice(), [Effect::Redraw]));
    assert!(user.model.alone().is_some());
    // In a window that is too small for a question, the value waits.
    let effects = user.send(Event::Resized(5, 2));
    assert!(matches!(effects.as_slice(), [Effect::Redraw]));
    assert!(user.model.alone().is_none() && user.model.dialog.is_none());
    assert!(!is_plain(&user.model) && user.key(KeyCode::Enter).is_empty());
    let effects = user.send(Event::Resized(40, 10));
    assert!(matches!(effects.as_slice(), [Effect::Redraw]));
    assert!(user.model.alone().is_some() && is_plain(&user.model));
    assert!(matches!(
        user.key(KeyCode::Enter).as_slice(),
        [Effect::Redraw]
    ));
    assert!(!is_plain(&user.model));
}

#[test]
fn question_about_a_value_that_does_not_fit_closes_once_it_fits() {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    let mut set = token_set("first");
    set.access_token = "x".repeat(500).into();
    user.press("Authorize");
    user.hear(FlowEvent::Tokens(Box::new(set)));
    user.copied(Value::Refresh, CopiedBy::Desktop);
    user.letter('w');
    for (columns, rows) in [(40, 10), (20, 3)] {
        user.send(Event::Resized(columns, rows));
        assert!(user.model.alone().is_none() && user.model.dialog.is_some());
    }
    let effects = user.send(Event::Resized(80, 24));
    assert!(matches!(effects.as_slice(), [Effect::Redraw]));
    assert!(user.model.alone().is_some() && user.model.dialog.is_none());
    user.send(Event::Resized(40, 10));
    user.key(KeyCode::Tab);
    let effects = user.key(KeyCode::Enter);
    assert!(
        matches!(effects.as_slice(), [Effect::ShowInScrollback(value)] if value.expose_secret().len() == 500)
    );
    // A token that was shown outside counts as taken.
    let effects = user.ctrl_c();
    assert!(matches!(effects.as_slice(), [Effect::Redraw, Effect::Quit]));
}

#[test]
fn tokens_arriving_under_the_trace_leave_it_on_top() {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    user.press("Authorize");
    user.hear(device_code());
    user.press("Trace");
    user.hear(FlowEvent::Tokens(Box::new(token_set("new"))));
    assert!(user.title().ends_with("trace"));
    assert!(user.message().contains("arrived"));
    user.press("Back");
    assert!(user.title().ends_with("tokens"), "{}", user.title());
    assert_eq!(user.focused(), 1);
}

#[test]
fn failure_under_the_trace_is_reported_and_reachable() {
    let mut user = User::new("demo", FlowKind::AuthorizationCode);
    user.press("Authorize");
    user.hear(sign_in());
    user.press("Trace");
    user.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert!(user.title().ends_with("trace"));
    assert!(!user.message().is_empty());
    user.press("Back");
    user.press("Another code");
    assert!(user.model.session.work().is_some());
}

#[test]
fn form_is_at_the_bottom_and_never_opened_twice() {
    let mut user = User::new("demo", FlowKind::AuthorizationCode);
    let form = user.title();
    user.press("Authorize");
    user.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    user.press("Trace");
    user.press("Back");
    user.press("Settings");
    assert_eq!(user.title(), form);
    assert!(user.model.screens.is_form_on_top());
    // Nor is a screen opened on top of itself.
    let mut user = authorized("first");
    user.press("Trace");
    user.press("Back");
    user.press("Settings");
    user.press("Tokens");
    user.press("Settings");
    assert!(user.model.screens.is_form_on_top());
}

#[test]
fn help_opens_over_a_screen_and_returns_to_it() {
    let mut user = authorized("first");
    user.press("Help");
    assert!(user.model.has_dialog());
    user.key(KeyCode::Esc);
    assert!(!user.model.has_dialog());
    assert!(user.title().ends_with("tokens"));
    // A paste is ignored while the help is open.
    user.press("Help");
    user.send(Event::Paste("text".to_owned()));
    assert_eq!(user.message(), "");
}

#[test]
fn all_line_breaks_in_a_paste_become_spaces() {
    for text in ["openid\remail\r", "openid\r\nemail\r\n", "openid\nemail\n"] {
        let mut user = User::new("custom", FlowKind::DeviceCode);
        user.focus("Scope");
        user.send(Event::Paste(text.to_owned()));
        let scope = user.model.session.settings.value(Key::Scope);
        assert_eq!(scope, "openid email", "{text:?}");
    }
}

#[test]
fn failed_save_returns_to_the_path() {
    let saved = |user: &mut User, outcome: Result<(String, Readers), String>| {
        user.letter('s');
        user.key(KeyCode::Char('x'));
        let effects = user.key(KeyCode::Enter);
        let [Effect::Save(content, path)] = effects.as_slice() else {
            panic!("{effects:?}");
        };
        let (content, path) = (content.clone(), path.clone());
        (content, path, outcome)
    };
    let reason = || Err("there is no folder /none".to_owned());
    let mut user = authorized("first");
    let (content, path, outcome) = saved(&mut user, reason());
    user.send(Event::Saved(content, outcome));
    assert_eq!(
        user.message(),
        "The access token was not saved: there is no folder /none."
    );
    assert!(user.model.has_dialog());
    // In a small window, the dialog covers the message.
    user.send(Event::Resized(40, 10));
    let mut small = Terminal::new(TestBackend::new(40, 10)).unwrap();
    small
        .draw(|frame| super::view::view(&user.model, frame))
        .unwrap();
    let shown = small.backend().to_string();
    assert!(shown.contains("Not saved: there is no folder"), "{shown}");
    user.send(Event::Resized(80, 24));
    let effects = user.key(KeyCode::Enter);
    assert!(matches!(effects.as_slice(), [Effect::Save(_, again)] if *again == path));
    // Keys that the user typed meanwhile don't go into a dialog.
    user.letter('r');
    user.send(Event::Saved(Content::Trace, reason()));
    assert!(!user.model.has_dialog());
}

#[test]
fn too_long_paste_is_refused_with_a_message() {
    let mut user = User::new("custom", FlowKind::DeviceCode);
    user.focus("Scope");
    user.send(Event::Paste("one".to_owned()));
    user.send(Event::Paste("x".repeat(40_000)));
    assert_eq!(
        user.message(),
        "Nothing pasted: a field can hold at most 32 KiB."
    );
    assert_eq!(user.model.session.settings.value(Key::Scope), "one");
    // Pasted text that the terminal doesn't mark as a paste arrives as keys.
    user.send(Event::Paste("x".repeat(32 * 1024 - 3)));
    assert_eq!(user.message(), "");
    user.key(KeyCode::Char('y'));
    assert_eq!(
        user.message(),
        "The field is full: it can hold at most 32 KiB."
    );
    user.key(KeyCode::Backspace);
    assert_eq!(user.message(), "");
}

#[test]
fn program_quits_once_the_requested_value_is_available() {
    for (print, code) in [
        (Print::AccessToken, exit::DONE),
        (Print::IdToken, exit::FAILED),
    ] {
        let mut user = User::new("demo", FlowKind::DeviceCode);
        user.model.print = Some(print);
        user.press("Authorize");
        let effects = user.hear(FlowEvent::Tokens(Box::new(token_set("new"))));
        let quits = matches!(effects.as_slice(), [Effect::Quit]);
        assert_eq!(quits, code == exit::DONE);
        assert_eq!(user.model.exit, code);
        assert_eq!(user.model.result.is_some(), quits);
    }
}

#[test]
fn result_that_can_not_be_printed_keeps_the_tokens_on_the_screen() {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    user.model.print = Some(Print::AccessToken);
    user.press("Authorize");
    user.hear(FlowEvent::Tokens(Box::new(token_set("new"))));
    user.model.result = None;
    let effects = user.send(Event::Printed(Err("It was not printed.".to_owned())));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Quit)));
    assert_eq!(user.model.top().route(), Route::Tokens);
    assert!(user.message().starts_with("It was not printed."));
    // Quitting asks first, because nothing else has the tokens.
    assert!(user.ctrl_c().is_empty() && user.model.has_dialog());
    assert_eq!(user.model.exit, exit::FAILED);
    let mut user = User::new("demo", FlowKind::DeviceCode);
    let effects = user.send(Event::Printed(Ok(())));
    assert!(matches!(effects.as_slice(), [Effect::Quit]));
}

#[test]
fn letters_of_other_layouts_press_buttons_or_are_explained() {
    let mut user = authorized("first");
    // The key of C on a Russian keyboard.
    assert!(matches!(user.letter('с').as_slice(), [Effect::Copy(..)]));
    for letter in ['क', '日', 'é'] {
        let mut user = authorized("first");
        assert!(user.letter(letter).is_empty());
        let said = format!("No button has the letter {letter}.");
        assert!(user.message().starts_with(&said), "{}", user.message());
    }
    // Symbols are not letters, and Latin letters are on the keyboard anyway.
    for letter in ['\u{301}', '€', '=', 'z'] {
        let mut user = authorized("first");
        user.letter(letter);
        assert_eq!(user.message(), "");
    }
}

#[test]
fn too_small_window_ignores_keys_except_global_ones() {
    let control = |letter| KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL);
    for size in [(39, 24), (80, 9), (1, 1)] {
        let mut user = User::new("demo", FlowKind::DeviceCode);
        user.focus("Client ID");
        let before = user.model.session.settings.value(Key::ClientId);
        user.send(Event::Resized(size.0, size.1));
        user.letter('x');
        user.send(Event::Paste("pasted".into()));
        user.key(KeyCode::Esc);
        for key in ['a', 'p', '?', 'q', 'y'] {
            assert!(user.letter(key).is_empty(), "{size:?} {key}");
        }
        assert!(user.key(KeyCode::Enter).is_empty(), "{size:?}");
        assert!(user.model.session.work().is_none() && user.model.dialog.is_none());
        assert_eq!(user.model.session.settings.value(Key::ClientId), before);
        let effects = user.send(Event::Key(control('l')));
        assert!(matches!(effects.as_slice(), [Effect::Redraw]));
        let effects = user.send(Event::Key(control('z')));
        // Windows has no job control.
        assert!(!cfg!(unix) || matches!(effects.as_slice(), [Effect::Suspend]));
        // The same keys work once the window is large enough, at the same place.
        user.send(Event::Resized(40, 10));
        assert!(
            user.model
                .items()
                .iter()
                .any(|item| item.focused && item.label == "Client ID")
        );
        user.letter('x');
        assert_ne!(user.model.session.settings.value(Key::ClientId), before);
        user.send(Event::Resized(size.0, size.1));
        assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
    }
}

#[test]
fn hidden_question_cannot_be_confirmed_in_a_small_window() {
    let mut user = authorized("first");
    assert!(user.asks_whether_to_leave());
    user.send(Event::Resized(30, 5));
    assert!(user.letter('y').is_empty() && user.model.dialog.is_some());
    // The notice tells what the next Ctrl+C does.
    let mut small = Terminal::new(TestBackend::new(39, 9)).unwrap();
    small
        .draw(|frame| super::view::view(&user.model, frame))
        .unwrap();
    let shown = small.backend().to_string();
    assert!(shown.contains("again quits"), "{shown}");
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
}

#[test]
fn quit_asks_once_if_tokens_would_be_lost() {
    let mut user = authorized("first");
    assert!(user.asks_whether_to_leave());
    // The user chooses to stay.
    assert!(user.key(KeyCode::Esc).is_empty());
    assert!(user.model.dialog.is_none());
    assert!(user.asks_whether_to_leave());
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
    assert!(matches!(user.letter('y').as_slice(), [Effect::Quit]));
}

#[test]
fn a_question_over_a_dialog_leaves_it_open() {
    let mut user = authorized("first");
    user.press("Save…");
    assert!(user.asks_whether_to_leave());
    user.key(KeyCode::Esc);
    assert!(user.model.dialog.is_none());
    assert!(user.model.has_dialog());
}

#[test]
fn a_refresh_under_the_save_dialog_saves_the_new_tokens() {
    let mut user = authorized("first");
    user.letter('f');
    user.letter('s');
    user.hear(FlowEvent::Tokens(Box::new(token_set("second"))));
    let effects = user.key(KeyCode::Enter);
    let [Effect::Save(content, _)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let text = content.text(&user.model.session).unwrap();
    assert_eq!(text.expose_secret(), "second-access");
    // Values that the new tokens lack are no longer asked about.
    user.key(KeyCode::Tab);
    user.press("Refresh token");
    user.letter('f');
    user.letter('s');
    let mut set = token_set("third");
    set.refresh_token = None;
    user.hear(FlowEvent::Tokens(Box::new(set)));
    assert!(!user.model.has_dialog());
}

#[test]
fn quitting_a_second_sign_in_exits_as_interrupted() {
    let mut user = User::new("demo", FlowKind::DeviceCode);
    user.model.print = Some(Print::AccessToken);
    user.press("Authorize");
    user.hear(FlowEvent::Failed(FlowError::Protocol(Failure::Expired)));
    assert_eq!(user.model.exit, exit::EXPIRED);
    user.press("Another code");
    user.key(KeyCode::Esc);
    assert!(matches!(user.ctrl_c().as_slice(), [Effect::Quit]));
    assert_eq!(user.model.exit, exit::INTERRUPTED);
}

#[test]
fn token_pages_scroll_down_and_up_in_equal_steps() {
    for size in [(80, 24), (80, 16), (40, 10)] {
        let mut user = authorized("first");
        user.send(Event::Resized(size.0, size.1));
        let presses = |user: &mut User, key: KeyCode| {
            let mut count = 0;
            loop {
                let before = user.model.top().scroll();
                user.key(key);
                if user.model.top().scroll() == before {
                    return count;
                }
                count += 1;
            }
        };
        let down = presses(&mut user, KeyCode::PageDown);
        let page = super::page::Page::of(&user.model);
        assert_eq!(page.first, page.last_first(), "{size:?}");
        let up = presses(&mut user, KeyCode::PageUp);
        assert!(down > 0 && up == down, "{down} {up} {size:?}");
        assert_eq!(user.model.top().scroll(), 0);
    }
}
