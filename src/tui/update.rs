//! What means the same everywhere: keys of the program itself, events for the session, navigation. No I/O, no clock, no
//! terminal but its key events.
//!
//! What a key does on a screen is in that screen's folder.

use crossterm::event::KeyEvent;

use super::copies;
use super::dialog::{Answer, Dialog, Reply};
use super::keys::{Command, Context, command};
use super::message::{Effect, Event, Msg};
use super::model::Model;
use super::root::{self, Alone, RootDialog};
use super::screen::{Message, Navigation, Outbox, Route};
use super::screens;
use super::widgets::text::shorten;
use crate::console::clipboard::{Copied, CopiedBy};
use crate::flow::attempt::AttemptId;
use crate::flow::driver::Job;
use crate::outcome::exit;
use crate::presets::Library;
use crate::secret::SecretString;
use crate::session::SessionEvent;
use crate::session::content::Content;
use crate::session::run::Ended;

/// Takes a message into the model, and says what is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    model.console.now = msg.at;
    let mut effects = happened(model, msg.event);
    let out = model.settle();
    effects.extend(apply(model, out));
    effects
}

fn happened(model: &mut Model, event: Event) -> Vec<Effect> {
    let now = model.console.now;
    match event {
        Event::Key(event) => key(model, &event),
        Event::Paste(text) => {
            if model.alone.is_some() || model.dialog.is_some() {
                return Vec::new();
            }
            let out = model.on_top(|screen, cx| screen.paste(&text, cx));
            apply(model, out)
        }
        Event::Resized(columns, rows) => {
            model.console.size = (columns, rows);
            let out = model.on_every(|screen, cx| screen.resized(cx));
            let mut effects = apply(model, out);
            match model.alone.take() {
                // The terminal may have cut it: written again, or asked about where it fits no more.
                Some(Alone::OnScreen(content, value)) => {
                    show_alone(model, content, value);
                    effects.push(Effect::Redraw);
                }
                other => model.alone = other,
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
        Event::Copied(content, outcome) => copied(model, &content, outcome),
        Event::Saved(content, outcome) => {
            if outcome.is_ok() {
                model.session.took(&content);
            }
            tell(model, copies::saved(&content, &outcome))
        }
        Event::Browser(attempt, Err(reason)) if model.session.browser_failed(attempt) => tell(
            model,
            Message::warning(format!(
                "No browser was opened: {reason}. Open the URL yourself."
            )),
        ),
        Event::Browser(..) | Event::Tick | Event::DemoApproved(Ok(())) => Vec::new(),
        Event::Demo(Ok(url)) => {
            model.session.settings.set_server(&url);
            Vec::new()
        }
        Event::Demo(Err(reason)) => tell(
            model,
            Message::warning(format!("The demo server could not be started: {reason}.")),
        ),
        Event::DemoApproved(Err(reason)) => tell(
            model,
            Message::warning(format!("The demo could not be approved: {reason}.")),
        ),
        Event::PasteLost => tell(
            model,
            Message::warning("Earlier pastes are still being looked at. Paste again in a moment."),
        ),
        Event::Attached(attached) => {
            model.console.environment.attached(&attached);
            Vec::new()
        }
        Event::Library(library) => {
            let event = model.session.take_presets(*library);
            let out = model.on_every(|screen, cx| screen.on_event(&event, cx));
            if model.message.is_none() {
                model.message = left_out(&model.session.library);
            }
            apply(model, out)
        }
        Event::SetUp(number, report, created) => {
            match model.session.set_up_done(number, *report, *created, now) {
                Some(event) => {
                    let out = model.on_every(|screen, cx| screen.on_event(&event, cx));
                    apply(model, out)
                }
                None => Vec::new(),
            }
        }
    }
}

/// What is told about preset files that could not be used.
fn left_out(library: &Library) -> Option<Message> {
    let (first, others) = library.left_out().split_first()?;
    let more = match others.len() {
        0 => String::new(),
        1 => " One more file was left out.".to_owned(),
        count => format!(" {count} more files were left out."),
    };
    Some(Message::warning(format!("{first}{more}")))
}

fn tell(model: &mut Model, message: Message) -> Vec<Effect> {
    model.message = Some(message);
    Vec::new()
}

fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if model.alone.take().is_some() {
        // Any key goes back; the one for leaving leaves as well.
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
        Command::Leave => return leave(model),
        Command::Redraw => return vec![Effect::Redraw],
        Command::Suspend => return vec![Effect::Suspend],
        _ => {}
    }
    if let Some(dialog) = model.dialog.take() {
        return dialog_key(model, dialog, command);
    }
    let cancels = command == Command::Escape && !model.top().has_dialog();
    let out = model.on_top(|screen, cx| {
        if cancels {
            cx.cancel();
        } else {
            screen.key(command, cx);
        }
    });
    apply(model, out)
}

/// A key while the program itself asks or shows something.
fn dialog_key(model: &mut Model, mut dialog: Dialog<RootDialog>, command: Command) -> Vec<Effect> {
    match dialog.key(command, &|_, _| Vec::new()) {
        Reply::Open | Reply::Tell(_) => {
            model.dialog = Some(dialog);
            Vec::new()
        }
        Reply::Close(Some(Answer::Button(button))) => match (dialog.id, button) {
            (RootDialog::Leave, root::LEAVE) => vec![Effect::Quit],
            (RootDialog::Scrollback(content, value), root::SHOW) => {
                model.session.took(&content);
                model.alone = Some(Alone::Outside);
                vec![Effect::ShowInScrollback(value)]
            }
            _ => Vec::new(),
        },
        Reply::Close(_) => Vec::new(),
    }
}

/// Leaves, after a question where tokens would be lost.
fn leave(model: &mut Model) -> Vec<Effect> {
    let asked = model
        .dialog
        .as_ref()
        .is_some_and(|dialog| matches!(dialog.id, RootDialog::Leave));
    if asked || !model.session.has_untaken_tokens() {
        return vec![Effect::Quit];
    }
    model.dialog = Some(root::leave());
    Vec::new()
}

/// Does what screens have asked for.
fn apply(model: &mut Model, out: Outbox) -> Vec<Effect> {
    let mut effects = out.effects;
    if model.print.is_some() && effects.iter().any(starts_sign_in) {
        // Until there is something to print, leaving is leaving before the end.
        model.exit = exit::INTERRUPTED;
    }
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
    if out.quit {
        effects.extend(leave(model));
    }
    effects
}

fn starts_sign_in(effect: &Effect) -> bool {
    matches!(effect, Effect::Start(started) if matches!(*started.job, Job::Authorize(_)))
}

/// Opens a screen, returns to it where it is open, or closes the one that is shown.
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

/// Shows a value alone on our screen where it fits; otherwise asks whether to show it on the shell's. True where the screen
/// has to be written again.
fn show_alone(model: &mut Model, content: Content, value: SecretString) -> bool {
    let fits = root::fits(&value, model.console.size);
    if fits {
        model.session.took(&content);
        model.alone = Some(Alone::OnScreen(content, value));
    } else {
        model.dialog = Some(root::scrollback(content, value));
    }
    fits
}

/// The session has taken in an event of an attempt: first the screens hear of it, then what concerns all of them is done.
fn on_event(model: &mut Model, attempt: AttemptId, event: SessionEvent) -> Vec<Effect> {
    let out = model.on_every(|screen, cx| screen.on_event(&event, cx));
    let mut effects = apply(model, out);
    match event {
        SessionEvent::SignIn { open: Some(url) } => {
            effects.push(Effect::OpenBrowser(url, attempt));
        }
        SessionEvent::PasteRefused(reason) => {
            model.message = Some(Message::warning(format!(
                "The paste was not taken: {reason}. Still waiting for the right one."
            )));
        }
        SessionEvent::Tokens { refreshed: None } => effects.extend(tokens_arrived(model)),
        SessionEvent::Tokens {
            refreshed: Some(what),
        } => {
            let now = model.console.now;
            model.message = Some(Message::note(format!(
                "Refreshed at {now}. Refresh token: {what}."
            )));
        }
        SessionEvent::SignInFailed(error, ended) => {
            if model.print.is_some() {
                model.exit = exit::code(&error);
            }
            let seen = model.top().route().is_same_screen(Route::SignIn);
            model.message = (!seen).then(|| Message::warning(ended.text));
        }
        SessionEvent::RefreshFailed(ended) => {
            model.message = Some(refresh_failed(ended));
        }
        // The others concern the screens alone.
        _ => {}
    }
    effects
}

fn refresh_failed(ended: Ended) -> Message {
    let hint = match &ended.explanation {
        Some(explanation) if explanation.cause != ended.text => {
            format!("{} {}", explanation.cause, explanation.remedy)
        }
        Some(_) | None => ended.hint,
    };
    // What happened first; the service's own words may be long, and are in the trace.
    let text = shorten(ended.text.trim_end_matches('.'), 120, "...");
    Message::warning(format!("{text}. {hint} Your current tokens are kept."))
}

/// The tokens take the place of the sign-in; what lies over it stays.
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
        let told = "The tokens have arrived. Go back to see them.";
        tell(model, Message::note(told))
    };
    if let Some(Err(missing)) = printed {
        model.exit = exit::FAILED;
        model.message = Some(Message::warning(missing));
    }
    effects
}

/// A copy came out.
fn copied(model: &mut Model, content: &Content, outcome: Copied) -> Vec<Effect> {
    model.message = Some(copies::copied(content, &outcome));
    if outcome.by.as_ref().is_some_and(CopiedBy::is_certain) {
        model.session.took(content);
    }
    let sequence = outcome.by.and_then(CopiedBy::sequence);
    sequence.map(Effect::Send).into_iter().collect()
}
