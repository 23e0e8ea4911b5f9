//! Handles what is the same on every screen: keys of the program itself, events for the session, and navigation. It
//! uses no I/O, no clock, and nothing of the terminal except its key events.
//!
//! What a key does on a screen is in that screen's folder.

use crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::alone::{show_alone, show_alone_again};
use super::copies;
use super::dialog::{Answer, Dialog, Reply};
use super::keys::{Command, Context, command};
use super::leaving::{ask_again, ask_to_sign_in, leave};
use super::message::{Effect, Event, Msg};
use super::model::Model;
use super::page::Page;
use super::root::{self, Alone, Below, RootDialog};
use super::screen::{FormTarget, Message, Navigation, Outbox, Route, SaveFrom};
use super::screens::{self, SAVE_LABEL};
use super::scrolling::{scroll, scroll_into_sight};
use super::view::{is_plain, is_too_small};
use crate::console::clipboard::{Copied, CopiedBy};
use crate::flow::attempt::AttemptId;
use crate::flow::driver::Job;
use crate::form::choices::Browser;
use crate::outcome::exit;
use crate::profile::saved_tokens::SavedTokens;
use crate::session::content::Content;
use crate::session::profiles::{Opening, ProfileNews};
use crate::session::{Refreshed, SessionEvent, Taken};

/// Applies a message to the model, and returns the effects to perform.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    model.console.now = msg.at;
    let mut effects = happened(model, msg.event);
    let out = model.settle();
    effects.extend(apply(model, out));
    scroll_into_sight(model);
    effects
}

fn happened(model: &mut Model, event: Event) -> Vec<Effect> {
    let now = model.console.now;
    if let Event::Key(_) | Event::Paste(_) = event {
        model.saving = None;
    }
    match event {
        Event::Key(event) => key(model, &event),
        Event::Paste(text) => {
            let unseen = is_too_small(model.console.size);
            if unseen || model.alone.is_some() || model.dialog.is_some() {
                return Vec::new();
            }
            // Terminals send the line breaks of a paste as carriage returns, as for Enter.
            let text = text.replace("\r\n", "\n").replace('\r', "\n");
            let out = model.on_top(|screen, cx| screen.paste(&text, cx));
            apply(model, out)
        }
        Event::Resized(columns, rows) => {
            model.console.size = (columns, rows);
            let out = model.on_every(|screen, cx| screen.resized(cx));
            let mut effects = apply(model, out);
            if show_alone_again(model) {
                effects.push(Effect::Redraw);
            }
            effects
        }
        Event::Flow(attempt, event) => {
            let environment = &model.console.environment;
            match model.session.hear(attempt, event, now, environment) {
                Some(event) => on_event(model, attempt, event),
                None => Vec::new(),
            }
        }
        Event::Copied(content, outcome) => copied(model, &content, &outcome),
        Event::Cleared(outcome) => {
            model.console.clipboard_has_token &= outcome.is_err();
            tell(model, copies::cleared(&outcome))
        }
        Event::Saved(content, outcome) => {
            model.message = Some(copies::saved(&content, &outcome));
            let Err(reason) = outcome else {
                model.session.took(&content, Taken::Saved);
                ask_again(model);
                return Vec::new();
            };
            // A user who does something else by now would type into the dialog.
            let Some(path) = model.saving.take() else {
                return Vec::new();
            };
            let reason = format!("Not saved: {reason}.");
            let out =
                model.on_top(|screen, cx| screen.not_saved(content, path.into(), &reason, cx));
            apply(model, out)
        }
        Event::Browser(attempt, Err(reason)) if model.session.browser_failed(attempt) => tell(
            model,
            Message::warning(format!("No browser was opened: {reason}."))
                .and("Fix", "Open the URL yourself, on any computer."),
        ),
        Event::Browser(..) | Event::Tick | Event::DemoApproved(Ok(())) => Vec::new(),
        Event::Demo(Ok(url)) => {
            model.session.settings.set_server(&url);
            Vec::new()
        }
        Event::Demo(Err(reason)) => tell(
            model,
            Message::warning(format!("The demo server did not start: {reason}.")),
        ),
        Event::DemoApproved(Err(reason)) => tell(
            model,
            Message::warning(format!("The demo sign-in was not approved: {reason}.")),
        ),
        Event::PasteLost => tell(
            model,
            Message::warning("Earlier pastes are still being checked. Paste again in a moment."),
        ),
        Event::Attached(attached) => {
            let environment = &mut model.console.environment;
            environment.attached(&attached);
            // Only the first report may change the form; by the next one, the user knows the form.
            if environment.display_of_tmux && !std::mem::replace(&mut model.heard_of_tmux, true) {
                let browser = Browser::of(environment.has_browser());
                model.session.find_browser(browser);
            }
            Vec::new()
        }
        Event::Printed(Ok(())) => {
            model.exit = exit::DONE;
            vec![Effect::Quit]
        }
        Event::Printed(Err(reason)) => {
            model.print = None;
            let effects = tokens_arrived(model);
            model.exit = exit::FAILED;
            let fix = "Copy the tokens, or save them to a file.";
            model.message = Some(Message::warning(reason).and("Fix", fix));
            effects
        }
        Event::Library(library) => {
            let event = model.session.take_presets(*library);
            let out = model.on_every(|screen, cx| screen.on_event(&event, cx));
            if model.message.is_none() {
                let left_out = model.session.library.left_out_in_short();
                model.message = left_out.map(Message::warning);
            }
            apply(model, out)
        }
        Event::Profile(report) => {
            let event = model.session.hear_profile(*report, now);
            on_profile(model, event)
        }
        Event::StoreKeys(keys) => show(model, &SessionEvent::StoreKeys(keys)),
        Event::SetUp(number, report, created) => {
            let done = model.session.set_up_done(number, *report, *created, now);
            done.map_or_else(Vec::new, |event| show(model, &event))
        }
    }
}

fn tell(model: &mut Model, message: Message) -> Vec<Effect> {
    model.message = Some(message);
    Vec::new()
}

fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if is_plain(model) {
        model.alone = None;
        // Any key goes back; the key that quits also quits.
        let mut effects = vec![Effect::Redraw];
        if command(event, Context::Reading) == Some(Command::Leave) {
            effects.extend(leave(model));
        }
        return effects;
    }
    let Some(command) = command(event, model.context()) else {
        return Vec::new();
    };
    match command {
        Command::Leave => {
            model.alone = None;
            return leave(model);
        }
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        // Nobody sees the buttons.
        _ if is_too_small(model.console.size) => return Vec::new(),
        _ => {}
    }
    if let Some(dialog) = model.dialog.take() {
        return dialog_key(model, dialog, command);
    }
    let scrolls = matches!(
        command,
        Command::LineDown | Command::LineUp | Command::PageDown | Command::PageUp
    );
    if scrolls && !model.top().has_dialog() {
        scroll(model, command);
        return Vec::new();
    }
    if command == Command::WholeMessage {
        let said = Page::of(model).said;
        model.dialog = (!said.is_empty()).then(|| root::message(said));
        return Vec::new();
    }
    // A message stays until the next key.
    model.message = None;
    let out = model.on_top(|screen, cx| screen.key(command, cx));
    apply(model, out)
}

/// Handles a key while one of the program's own dialogs is open.
fn dialog_key(model: &mut Model, mut dialog: Dialog<RootDialog>, command: Command) -> Vec<Effect> {
    let items = model.items();
    let theme = model.console.theme;
    let (columns, rows) = model.console.size;
    let window = (theme, Rect::new(0, 0, columns, rows));
    let below = Below {
        route: model.top().route(),
        items: &items,
    };
    let reply = root::with_source(&below, theme, |source| dialog.key(command, source, window));
    match reply {
        Reply::Open | Reply::Tell(_) => {
            model.dialog = Some(dialog);
            Vec::new()
        }
        Reply::Close(Some(Answer::Button(button))) => match (dialog.id, button) {
            (_, root::QUIT) => vec![Effect::Quit],
            (RootDialog::LeaveChanges, root::SAVE_NOW) => {
                let out = model.on_top(|_, cx| cx.save_profile(SaveFrom::Form));
                apply(model, out)
            }
            (RootDialog::SignIn, root::SIGN_IN) => {
                let out = model.on_top(|_, cx| cx.authorize());
                apply(model, out)
            }
            (RootDialog::LeaveRegistration, root::SAVE) => {
                let form = Route::Form(FormTarget::Authorize);
                let mut effects = navigate(model, Navigation::Open(form));
                let out = model.on_top(|screen, cx| screen.press(SAVE_LABEL, cx));
                effects.extend(apply(model, out));
                effects
            }
            (RootDialog::Leave | RootDialog::SignIn, root::SAVE) => {
                let mut effects = navigate(model, Navigation::Open(Route::Tokens));
                let out = model.on_top(|screen, cx| screen.save_all(cx));
                effects.extend(apply(model, out));
                effects
            }
            (RootDialog::Scrollback(content, value), root::SHOW) => {
                model.session.took(&content, Taken::Viewed);
                model.alone = Some(Alone::Outside);
                vec![Effect::ShowInScrollback(value)]
            }
            _ => Vec::new(),
        },
        Reply::Close(Some(Answer::Picked { key, .. })) => {
            let out = model.on_top(|screen, cx| screen.press(&key, cx));
            apply(model, out)
        }
        Reply::Close(_) => Vec::new(),
    }
}

/// Carries out what the screens have requested.
fn apply(model: &mut Model, out: Outbox) -> Vec<Effect> {
    let mut effects = out.effects;
    if model.print.is_some() && effects.iter().any(starts_sign_in) {
        // With a result to print, quitting before it is available counts as interrupted.
        model.exit = exit::INTERRUPTED;
    }
    let saving = effects.iter().find_map(|effect| match effect {
        Effect::Save(_, path) => Some(path.clone()),
        _ => None,
    });
    model.saving = saving.or(model.saving.take());
    if let Some(navigation) = out.navigation {
        effects.extend(navigate(model, navigation));
    }
    if let Some(message) = out.message {
        model.message = message;
    }
    if let Some(content) = out.alone
        && let Some(value) = content.text(&model.session)
        && show_alone(model, content, value)
    {
        effects.push(Effect::Redraw);
    }
    if out.help {
        model.dialog = Some(root::help());
    }
    if out.sign_in {
        model.dialog = ask_to_sign_in(model);
    }
    if out.more {
        model.dialog = Some(root::more());
    }
    if out.quit {
        effects.extend(leave(model));
    }
    effects
}

fn starts_sign_in(effect: &Effect) -> bool {
    matches!(effect, Effect::Start(started) if matches!(*started.job, Job::Authorize(_)))
}

/// Opens a screen, returns to it if it is already open, or closes the screen on top.
fn navigate(model: &mut Model, navigation: Navigation) -> Vec<Effect> {
    model.message = None;
    let out = match navigation {
        Navigation::Open(route) => {
            if !model.screens.return_to(route) {
                let screen = screens::open(route, model.view_context());
                model.screens.push(screen);
            }
            model.on_top(|screen, cx| screen.entered(route, cx))
        }
        Navigation::Back => {
            model.screens.pop();
            Outbox::default()
        }
    };
    apply(model, out)
}

/// Handles an event of an attempt that the session has processed: the screens receive it first, then it is handled for
/// all of them.
fn on_event(model: &mut Model, attempt: AttemptId, event: SessionEvent) -> Vec<Effect> {
    heard(model, event, Some(attempt))
}

/// Passes an event to all open screens.
fn show(model: &mut Model, event: &SessionEvent) -> Vec<Effect> {
    let out = model.on_every(|screen, cx| screen.on_event(event, cx));
    apply(model, out)
}

fn heard(model: &mut Model, event: SessionEvent, attempt: Option<AttemptId>) -> Vec<Effect> {
    let mut effects = show(model, &event);
    if matches!(event, SessionEvent::Tokens { .. }) {
        ask_again(model);
    }
    match event {
        SessionEvent::SignIn { open: Some(url) } => {
            effects.extend(attempt.map(|attempt| Effect::OpenBrowser(url, attempt)));
        }
        // The sign-in screen shows this itself, next to the pasted text.
        SessionEvent::PasteRefused(reason)
            if !model.top().route().is_same_screen(Route::SignIn) =>
        {
            model.message = Some(Message::warning(format!(
                "Ignored the paste: {reason}. Still waiting."
            )));
        }
        SessionEvent::Tokens { refreshed: None } => effects.extend(tokens_arrived(model)),
        SessionEvent::Tokens {
            refreshed: Some(Refreshed::Unstored(why)),
        } => model.message = Some(Message::warning(why)),
        SessionEvent::Tokens {
            refreshed: Some(Refreshed::Fine(what)),
        } => {
            let now = model.console.now;
            model.message = Some(Message::done(
                "Refreshed",
                format!("at {now}. {what}").trim_end().to_owned(),
            ));
        }
        SessionEvent::SignInFailed(error, ended) => {
            if model.print.is_some() {
                model.exit = exit::code(&error);
            }
            let seen = model.top().route().is_same_screen(Route::SignIn);
            model.message = (!seen).then(|| Message::warning(ended.text));
        }
        SessionEvent::Told(_, kind, told) => {
            model.message = Some(copies::told(kind, &told));
        }
        SessionEvent::RefreshFailed(ended) => {
            model.message = Some(copies::refresh_failed(ended));
        }
        // The other events concern only the screens.
        _ => {}
    }
    effects
}

/// Handles news about profiles.
fn on_profile(model: &mut Model, event: SessionEvent) -> Vec<Effect> {
    let SessionEvent::Profile(news) = &event else {
        return heard(model, event, None);
    };
    let mut effects = show(model, &event);
    let saving = matches!(model.top().route(), Route::SaveProfile(_));
    match news {
        ProfileNews::Opened(Opening::MailTest, _) if model.session.tokens.is_some() => {
            effects.extend(navigate(model, Navigation::Open(Route::MailTest)));
        }
        ProfileNews::Opened(Opening::MailTest, _) => {}
        ProfileNews::Opened(..) => {
            let form = Route::Form(FormTarget::Authorize);
            effects.extend(navigate(model, Navigation::Open(form)));
        }
        // The tokens can be saved under another name, or to a file.
        ProfileNews::NotSaved(_) if model.top().route() == Route::Tokens && !model.has_dialog() => {
            let save = Route::SaveProfile(SaveFrom::Tokens(None));
            effects.extend(navigate(model, Navigation::Open(save)));
        }
        ProfileNews::Saved(..) if saving => effects.extend(navigate(model, Navigation::Back)),
        _ => {}
    }
    if let ProfileNews::Opened(Opening::Authorize, _) = news {
        let out = model.on_top(|_, cx| cx.authorize());
        effects.extend(apply(model, out));
    } else if let Some(message) = copies::profile_news(news) {
        model.message = Some(message);
    }
    if let ProfileNews::Saved(_, _, SavedTokens::Newer) = news {
        let load = model.session.load_profile_tokens();
        effects.extend(load.map(Effect::Profile));
    }
    if let ProfileNews::Saved(..) | ProfileNews::Done(..) = news {
        effects.extend(model.session.list_profiles().map(Effect::Profile));
    }
    ask_again(model);
    effects
}

/// Replaces the sign-in screen with the tokens; screens above it stay.
fn tokens_arrived(model: &mut Model) -> Vec<Effect> {
    model.exit = exit::DONE;
    let tokens = model.session.tokens.as_ref();
    let printed = model
        .print
        .zip(tokens)
        .map(|(print, tokens)| print.text(&tokens.set));
    if let Some(Ok(text)) = printed {
        model.result = Some(text);
        return vec![Effect::Quit];
    }
    let seen = model.top().route().is_same_screen(Route::SignIn);
    let screen = screens::open(Route::Tokens, model.view_context());
    model.screens.replace(Route::SignIn, screen);
    let effects = if seen {
        navigate(model, Navigation::Open(Route::Tokens))
    } else {
        let told = "The tokens arrived. Go back to see them.";
        tell(model, Message::note(told))
    };
    if let Some(Err(missing)) = printed {
        model.exit = exit::FAILED;
        model.message = Some(Message::warning(missing));
    }
    effects
}

/// Handles a finished copy.
fn copied(model: &mut Model, content: &Content, outcome: &Copied) -> Vec<Effect> {
    model.message = Some(copies::copied(content, outcome));
    model
        .session
        .took(content, copies::taken(outcome.by.as_ref()));
    ask_again(model);
    if let Some(CopiedBy::DesktopForGood) = outcome.by {
        model.console.clipboard_has_token = content.tokens_of().is_some();
    }
    let sequence = outcome.by.as_ref().and_then(CopiedBy::sequence).cloned();
    sequence.map(Effect::Send).into_iter().collect()
}
