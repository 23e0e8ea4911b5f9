#![allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]

use super::*;
use crate::console::environment::Environment;
use crate::flow::event::FlowEvent;
use crate::form::field::Key;
use crate::profile::places::{Place, Places};
use crate::profile::saved_tokens::SavedTokens;
use crate::profile::store_kind::Store;
use crate::session::profiles::{
    self, Listed, ProfileReport, ProfileTask, SaveTask, Saved, Unsaved,
};
use crate::store::version::Version;
use crate::tui::keys::Command;
use crate::tui::screen::testing::{Solo, token_set};
use crate::tui::screen::{AnyScreen, Outbox};
use crate::tui::widgets::editor::Edit;

/// When the tokens arrived, in seconds since 1970.
const ARRIVED: i64 = 1_000_000;

fn places() -> Places {
    Places::of_user("/c/profiles".into(), "/s/profiles".into())
}

/// Returns the screen, with tokens of a sign-in if `tokens` is true.
fn screen(from: SaveFrom, tokens: bool) -> Solo<SaveProfile> {
    let mut alone = Solo::new(Environment::default(), "github", |cx| {
        SaveProfile::new(from, cx)
    });
    alone.session.profiles = profiles::Profiles::new(Some(places()), None, None);
    if tokens {
        let _ = alone.session.authorize().unwrap();
        alone.console.now.unix = ARRIVED;
        alone.hear(FlowEvent::Tokens(Box::new(token_set("first"))));
    }
    alone
}

fn task(out: Outbox) -> Option<Box<SaveTask>> {
    match out.effects.into_iter().next()? {
        Effect::Profile(ProfileTask::Save(task)) => Some(task),
        _ => None,
    }
}

fn hear(alone: &mut Solo<SaveProfile>, report: ProfileReport) {
    let event = alone.session.hear_profile(report, alone.console.now);
    alone.on_event(&event);
}

#[test]
fn enter_in_the_name_field_saves_the_selection() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    assert!(task(alone.keys(&[Command::Enter])).is_none());
    assert!(alone.body(80, 24).hint[0].text.contains("Enter a name"));
    alone.console.now.unix = ARRIVED + 3000;
    alone.type_text("office");
    let file = std::path::Path::new("profiles").join("office.toml");
    assert!(alone.text().contains(&*file.to_string_lossy()));
    assert!(alone.text().contains("oauth-authorizer token office"));
    let first = task(alone.keys(&[Command::Enter])).unwrap();
    assert!(first.name.is("office") && !first.replace);
    let obtained = &first.tokens.as_ref().unwrap().obtained;
    assert_eq!(obtained.tokens.obtained_at, 1_000_000);
    assert_eq!(obtained.origin.signed_in_at, Some(1_000_000));
    assert!(first.request.client.secret.is_some());
    // Only one save at a time.
    assert!(task(alone.keys(&[Command::Enter])).is_none());
    hear(
        &mut alone,
        ProfileReport::Saved(first, Err(Unsaved::Failed("x".to_owned()))),
    );
    alone.go(Item::Tokens);
    alone.keys(&[Command::Toggle]);
    alone.go(Item::Secret);
    alone.keys(&[Command::Toggle]);
    assert!(!alone.text().contains("office.record"));
    let second = task(alone.keys(&[Command::Letter('s')])).unwrap();
    assert!(second.tokens.is_none() && second.request.client.secret.is_none());
}

#[test]
fn existing_profile_is_replaced_only_after_confirmation() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone.type_text("office");
    let first = task(alone.keys(&[Command::Enter])).unwrap();
    hear(
        &mut alone,
        ProfileReport::Saved(first, Err(Unsaved::Exists)),
    );
    assert!(AnyScreen::has_dialog(&alone.screen));
    // Enter keeps the existing profile.
    assert!(task(alone.keys(&[Command::Enter])).is_none());
    let first = task(alone.keys(&[Command::Enter])).unwrap();
    hear(
        &mut alone,
        ProfileReport::Saved(first, Err(Unsaved::Exists)),
    );
    let again = task(alone.keys(&[Command::Letter('y')])).unwrap();
    assert!(again.replace && again.name.is("office"));
}

#[test]
fn tokens_are_saved_only_with_their_settings() {
    let mut alone = screen(SaveFrom::Form, true);
    assert!(alone.labels().contains(&"Save tokens".to_owned()));
    alone
        .session
        .settings
        .set(Key::ClientId, "other".to_owned());
    assert!(!alone.labels().contains(&"Save tokens".to_owned()));
    alone.type_text("office");
    let form = task(alone.keys(&[Command::Enter])).unwrap();
    assert!(form.tokens.is_none());
    assert_eq!(form.settings.value(Key::ClientId), "other");
    // A save from the tokens uses their settings.
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone
        .session
        .settings
        .set(Key::ClientId, "other".to_owned());
    alone.type_text("office");
    let tokens = task(alone.keys(&[Command::Enter])).unwrap();
    assert!(tokens.tokens.is_some());
    assert_eq!(tokens.settings.value(Key::ClientId), "me");
}

#[test]
fn saved_tokens_are_taken_and_show_the_profile_command() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    assert!(alone.session.has_untaken_tokens());
    alone.type_text("office");
    let task = task(alone.keys(&[Command::Enter])).unwrap();
    let place = places()
        .new_place(&"office".parse().unwrap(), false)
        .unwrap();
    let version = Version {
        lineage: "l".to_owned(),
        generation: 1,
    };
    hear(
        &mut alone,
        ProfileReport::Saved(
            task,
            Ok(Saved {
                place: place.clone(),
                version: Some(version),
                tokens: SavedTokens::Fine,
            }),
        ),
    );
    assert!(!alone.session.has_untaken_tokens());
    let tokens = alone.session.tokens.as_ref().unwrap();
    assert_eq!(
        tokens.command.as_deref(),
        Some("oauth-authorizer token office")
    );
    // From now on, the profile does the refresh.
    let refresh = alone.session.refresh_profile().unwrap().unwrap();
    assert!(matches!(refresh, ProfileTask::Refresh(..)));
    // Without the profile, the tokens are not saved anywhere.
    alone.session.cancel();
    hear(&mut alone, ProfileReport::Deleted(place, Ok(Vec::new())));
    assert!(alone.session.has_untaken_tokens() && alone.session.profile().is_none());
}

#[test]
fn entries_are_restored_until_the_profile_is_saved() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone.type_text("office");
    alone.go(Item::Tokens);
    alone.keys(&[Command::Toggle]);
    alone.screen = SaveProfile::new(SaveFrom::Form, alone.view());
    let task = task(alone.keys(&[Command::Letter('s')])).unwrap();
    assert!(task.name.is("office") && task.tokens.is_none());
    let place = places()
        .new_place(&"office".parse().unwrap(), false)
        .unwrap();
    let saved = Saved {
        place,
        version: None,
        tokens: SavedTokens::Fine,
    };
    hear(&mut alone, ProfileReport::Saved(task, Ok(saved)));
    let again = SaveProfile::new(SaveFrom::Tokens(None), alone.view());
    assert!(again.draft.with_tokens && again.draft.name == "office");
}

#[test]
fn tokens_of_other_settings_are_not_saved_to_the_open_profile_without_asking() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    assert!(alone.session.asks_for_profile());
    alone.type_text("b");
    // The form changes after the sign-in, and is saved as another profile.
    let form = &mut alone.session.settings;
    form.set(Key::ClientId, "other".to_owned());
    alone.screen.from = SaveFrom::Form;
    let mut task = task(alone.keys(&[Command::Letter('s')])).unwrap();
    assert!(task.tokens.is_none());
    let place = places().new_place(&"b".parse().unwrap(), false).unwrap();
    let saved = |place: &Place| Saved {
        place: place.clone(),
        version: None,
        tokens: SavedTokens::Fine,
    };
    task.settings = alone.session.settings.clone();
    hear(&mut alone, ProfileReport::Saved(task, Ok(saved(&place))));
    assert!(alone.session.tokens.as_ref().unwrap().profile.is_none());
    assert!(alone.session.asks_for_profile());
    // Tokens for what the form contains belong in the open profile.
    let form = &mut alone.session.settings;
    form.set(Key::ClientId, "me".to_owned());
    assert!(!alone.session.asks_for_profile());
}

/// Lets the save fail, so that the screen stays.
fn fail(alone: &mut Solo<SaveProfile>, task: Box<SaveTask>) {
    let failed = Unsaved::Failed("x".to_owned());
    hear(alone, ProfileReport::Saved(task, Err(failed)));
}

/// Returns a profile whose tokens are stored in pass.
fn in_pass(name: &str) -> Listed {
    let place = places().new_place(&name.parse().unwrap(), false).unwrap();
    let words = |line: &str| line.split(' ').map(str::to_owned).collect();
    Listed {
        place,
        preset: String::new(),
        user: None,
        standing: profiles::Standing::New,
        revocation: None,
        twin: None,
        store: Store::new(
            StoreKind::Command,
            words("pass show x"),
            words("pass insert x"),
        )
        .ok(),
    }
}

#[test]
fn command_store_requires_both_commands() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone.type_text("office");
    let fields = |alone: &Solo<SaveProfile>| {
        let labels = alone.labels();
        labels
            .iter()
            .any(|label| label == "Read with" || label == "Write with")
    };
    assert!(!fields(&alone));
    let kinds = StoreKind::offered(false);
    // Through all stores, and back to the last one, which is the command.
    alone.go(Item::Kept);
    alone.keys(&vec![Command::ChangeRight; kinds.len()]);
    assert!(!fields(&alone));
    alone.keys(&[Command::ChangeLeft]);
    assert!(fields(&alone));
    // Nothing is saved until both commands are entered, and the focus moves to the missing one.
    assert!(task(alone.keys(&[Command::Save])).is_none());
    assert_eq!(alone.screen.common.focus, Item::Read);
    assert!(
        alone.body(80, 24).hint[0]
            .text
            .contains("Enter the command")
    );
    alone.type_text("pass show \"oauth/my office\"");
    assert!(task(alone.keys(&[Command::Enter])).is_none());
    assert_eq!(alone.screen.common.focus, Item::Write);
    alone.type_text("pass insert \"x");
    assert!(task(alone.keys(&[Command::Enter])).is_none());
    assert!(alone.body(80, 24).hint[0].text.contains("quotation mark"));
    alone.type_text("\"");
    let saved = task(alone.keys(&[Command::Enter])).unwrap();
    let commands = saved.store.as_ref().unwrap().commands().unwrap();
    assert_eq!(commands.read, ["pass", "show", "oauth/my office"]);
    assert_eq!(commands.write, ["pass", "insert", "x"]);
    fail(&mut alone, saved);
    // Another store has no commands.
    alone.go(Item::Kept);
    alone.keys(&[Command::Toggle]);
    let saved = task(alone.keys(&[Command::Save])).unwrap();
    let store = saved.store.unwrap();
    assert_eq!((store.kind(), store.commands()), (kinds[0], None));
}

#[test]
fn tilde_in_store_commands_is_saved_as_entered() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone.session.profiles.home = Some("/home/me".into());
    alone.type_text("office");
    alone.go(Item::Kept);
    alone.keys(&[Command::ChangeLeft]);
    alone.go(Item::Read);
    alone.type_text("\"~/my bin/r.sh\" ~/x");
    alone.go(Item::Write);
    alone.type_text("~other/w.sh");
    let saved = task(alone.keys(&[Command::Enter])).unwrap();
    let commands = saved.store.as_ref().unwrap().commands().unwrap();
    assert_eq!(commands.read, ["~/my bin/r.sh", "~/x"]);
    assert_eq!(commands.write, ["~other/w.sh"]);
    // The text that was entered stays.
    assert!(alone.text().contains("my bin"));
    assert!(!alone.text().contains("/home/me"));
}

#[test]
fn existing_profiles_are_listed_when_the_screen_opens() {
    let mut alone = screen(SaveFrom::Form, false);
    let route = Route::SaveProfile(SaveFrom::Form);
    let out = alone.act(|screen, cx| Screen::entered(screen, route, cx));
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::Profile(ProfileTask::List(_))]
    ));
}

#[test]
fn replaced_profile_keeps_its_store_unless_changed() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    hear(&mut alone, ProfileReport::Listed(vec![in_pass("office")]));
    alone.type_text("office");
    assert!(alone.text().contains("pass insert x"));
    // Without a change, the existing settings say where the tokens are stored.
    let saved = task(alone.keys(&[Command::Enter])).unwrap();
    assert_eq!(saved.store, None);
    fail(&mut alone, saved);
    // Changing one command keeps the other.
    alone.go(Item::Read);
    alone.type_text("y");
    let saved = task(alone.keys(&[Command::Enter])).unwrap();
    let commands = saved.store.as_ref().unwrap().commands().unwrap();
    assert_eq!(commands.read, ["pass", "show", "xy"]);
    assert_eq!(commands.write, ["pass", "insert", "x"]);
    fail(&mut alone, saved);
    alone.go(Item::Kept);
    alone.keys(&[Command::Toggle]);
    assert!(alone.text().contains("still has the earlier"));
    let saved = task(alone.keys(&[Command::Save])).unwrap();
    assert_eq!(saved.store.unwrap().kind(), StoreKind::offered(false)[0]);
}

#[test]
fn tokens_can_be_saved_to_a_file_instead() {
    let mut alone = screen(SaveFrom::Tokens(Some(Value::Refresh)), true);
    alone.press(Item::File);
    let out = alone.keys(&[Command::Enter]);
    assert!(
        matches!(
            out.effects.as_slice(),
            [Effect::Save(Content::Token(Value::Refresh, _), _)]
        ),
        "{out:?}"
    );
    assert_eq!(out.navigation, Some(Navigation::Back));
    alone.press(Item::File);
    let out = alone.keys(&[Command::Next, Command::Enter]);
    assert!(matches!(
        out.effects.as_slice(),
        [Effect::Save(Content::Json(_), _)]
    ));
    assert!(
        !screen(SaveFrom::Form, false)
            .labels()
            .contains(&"To a file instead…".to_owned())
    );
}

#[test]
fn invalid_name_is_reported_while_typing() {
    let mut alone = screen(SaveFrom::Form, false);
    alone.type_text("my office");
    assert!(alone.text().contains("invalid"));
    assert!(alone.body(80, 24).hint[0].text.contains("a-z, A-Z, 0-9"));
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("a.");
    assert!(
        alone.body(80, 24).hint[0]
            .text
            .contains("don't end with a period")
    );
    assert!(task(alone.keys(&[Command::Save])).is_none());
    alone.keys(&[Command::Edit(Edit::DeleteToStart)]);
    alone.type_text("office");
    assert!(task(alone.keys(&[Command::Save])).is_some());
}

#[cfg(windows)]
#[test]
fn machine_profile_can_be_used_by_a_service_account() {
    let mut alone = screen(SaveFrom::Tokens(None), true);
    alone.session.profiles = profiles::Profiles::new(Places::new(None).ok(), None, None);
    alone.type_text("office");
    assert!(!alone.labels().contains(&"Used by".to_owned()));
    alone.go(Item::For);
    alone.keys(&[Command::Toggle]);
    alone.go(Item::UsedBy);
    alone.type_text("NT SERVICE\\MailRelay ");
    let shown = alone.text();
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(
        words.join(" ").contains("the account in Used by can use"),
        "{shown}"
    );
    let first = task(alone.keys(&[Command::Enter])).unwrap();
    assert!(first.machine);
    assert_eq!(first.account.as_deref(), Some("NT SERVICE\\MailRelay"));
    hear(
        &mut alone,
        ProfileReport::Saved(first, Err(Unsaved::Failed("x".to_owned()))),
    );
    // A profile of the user has no other account.
    alone.go(Item::For);
    alone.keys(&[Command::Toggle]);
    let second = task(alone.keys(&[Command::Letter('s')])).unwrap();
    assert!(!second.machine && second.account.is_none());
}
