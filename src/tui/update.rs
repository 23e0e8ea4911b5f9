//! What happens when something happened. Plain code: no I/O, no clock, no terminal but its key events.

use std::sync::Arc;

use crossterm::event::KeyEvent;

use super::configuring::{Configuring, Outcome};
use super::keys::{Command, command};
use super::model::{
    Action, Content, Effect, Ended, Held, Message, Model, Msg, News, Overlay, Phase, Run, Screen,
    Shown, StepLine, Target, Ticket, Value, left_out,
};
use super::qr::Picture;
use super::widgets::editor::{Edit, Editor};
use super::widgets::text::width;
use crate::clean::clean;
use crate::configure::plan::WITHOUT_SET_UP;
use crate::configure::report::{Listener, Report, Verdict, Work};
use crate::console::clipboard::{By, Copied};
use crate::console::tunnel::Tunnel;
use crate::flow::driver::Job;
use crate::flow::event::{FlowError, FlowEvent};
use crate::flow::trace::Trace;
use crate::form::checks::Severity;
use crate::form::explain::{explain, explain_certificate};
use crate::form::request;
use crate::form::settings::{ADVANCED, Access, Key, Overwrite};
use crate::oauth::client::FlowKind;
use crate::oauth::discovery::Metadata;
use crate::oauth::failure::{Asked, Failure};
use crate::oauth::token::TokenSet;
use crate::outcome::exit;
use crate::presets::format::mail_domain;
use crate::presets::{Library, Preset};
use crate::secret::{ExposeSecret, SecretString};
use crate::store::file::Readers;

/// Takes a message into the model and says what is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    model.now = msg.at;
    match msg.what {
        News::Key(event) => key(model, &event),
        News::Paste(text) => paste(model, &text),
        News::Resized(columns, rows) => {
            model.size = (columns, rows);
            let effects = match model.overlay.take() {
                // The terminal may have cut it: written anew, or asked about where it fits no more.
                Some(Overlay::Plain { value, tokens_of }) => {
                    plain(model, value, tokens_of);
                    vec![Effect::Redraw]
                }
                Some(Overlay::Qr(_)) => {
                    show_qr(model);
                    Vec::new()
                }
                other => {
                    model.overlay = other;
                    Vec::new()
                }
            };
            // A button that has no sense in a small window takes the focus with it.
            if let Some(first) = model.buttons().first().copied()
                && !model.targets().contains(&model.focus)
            {
                model.focus_on(Target::Button(first));
            }
            effects
        }
        News::Flow(attempt, event) if attempt == model.attempt => flow(model, event),
        // News of an attempt that was cancelled or has been followed by another changes nothing.
        News::Flow(..) | News::Tick | News::DemoApproved(Ok(())) => Vec::new(),
        News::Copied(what, outcome) => copied(model, what, outcome),
        News::Browser(attempt, outcome) => {
            browser(model, attempt, outcome);
            Vec::new()
        }
        News::Demo(Ok(url)) => {
            model.settings.set_server(&url);
            Vec::new()
        }
        News::Demo(Err(reason)) => {
            say_bad(
                model,
                format!("The demo server could not be started: {reason}."),
            );
            Vec::new()
        }
        News::PasteLost => {
            say_bad(
                model,
                "Earlier pastes are still being looked at. Paste again in a moment.",
            );
            Vec::new()
        }
        News::Library(library) => {
            read(model, *library);
            Vec::new()
        }
        News::Configured(number, report, created) => {
            model.settings.set_created_certificates(*created);
            configured(model, number, *report);
            Vec::new()
        }
        News::Saved(what, outcome) => {
            saved(model, what, outcome);
            Vec::new()
        }
        News::DemoApproved(Err(reason)) => {
            say_bad(model, format!("The demo could not be approved: {reason}."));
            Vec::new()
        }
    }
}

/// The presets of the person are there as well.
fn read(model: &mut Model, library: Library) {
    model.library = library.and(&model.library);
    if model.message.is_none() {
        model.message = left_out(&model.library);
    }
    if let Some(Overlay::Presets { all, .. }) = &mut model.overlay
        && let Ok(more) = model.library.all()
    {
        *all = more;
    }
}

fn say(model: &mut Model, text: impl Into<String>) {
    model.message = Some(Message {
        text: text.into(),
        bad: false,
    });
}

fn say_bad(model: &mut Model, text: impl Into<String>) {
    model.message = Some(Message {
        text: text.into(),
        bad: true,
    });
}

fn key(model: &mut Model, event: &KeyEvent) -> Vec<Effect> {
    if let Some(Overlay::Plain { .. } | Overlay::Outside) = model.overlay {
        // Any key goes back; the one for leaving leaves as well.
        model.overlay = None;
        let mut effects = vec![Effect::Redraw];
        if command(event, model.context()) == Some(Command::Leave) {
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
    if model.overlay.is_some() {
        return overlay_key(model, command);
    }
    match command {
        Command::Next => step(model, 1),
        Command::Previous => step(model, -1),
        Command::ChangeLeft => change(model, -1),
        Command::ChangeRight | Command::Toggle => change(model, 1),
        Command::Enter => return enter(model),
        Command::Escape => return escape(model),
        Command::Edit(edit) => {
            model.editor.edit(edit);
            store(model);
        }
        Command::Fix => {
            if let Target::Field(key) | Target::Remedy(key) = model.focus {
                remedy(model, key);
            }
        }
        Command::LineDown => scroll(model, 1),
        Command::LineUp => scroll(model, -1),
        Command::PageDown => scroll(model, 5),
        Command::PageUp => scroll(model, -5),
        Command::Letter(letter) => {
            if let Some(action) = model
                .buttons()
                .into_iter()
                .find(|action| action.letter() == letter)
            {
                return act(model, action);
            }
        }
        Command::Leave | Command::Redraw | Command::Suspend => {}
    }
    Vec::new()
}

/// The editor's text becomes the field's value.
fn store(model: &mut Model) {
    match model.focus {
        Target::Field(key) => model.settings.set(key, model.editor.text().to_owned()),
        Target::Paste => model.pasted = model.editor.text().into(),
        Target::User | Target::Thumbprint => {
            if let Some(configuring) = &mut model.configuring {
                let text = model.editor.text().to_owned();
                match model.focus {
                    Target::User => configuring.user = text,
                    _ => configuring.thumbprint = text,
                }
                // What was found was about another plan.
                configuring.outcome = None;
                configuring.shown = Work::SetUp;
            }
        }
        Target::ShowSecret
        | Target::ScopeList
        | Target::Discover
        | Target::Remedy(_)
        | Target::Explanation
        | Target::CertificateList
        | Target::WithoutSetUp
        | Target::Advanced
        | Target::Value(_)
        | Target::Shown(_)
        | Target::Button(_) => return,
    }
    model.message = None;
}

fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    let awaited = model.screen == Screen::Flow && model.can_paste();
    match (&mut model.overlay, model.focus) {
        (
            Some(Overlay::Presets {
                filter, selected, ..
            }),
            _,
        ) => {
            filter.paste(text);
            *selected = 0;
        }
        (Some(Overlay::Save { path, .. }), _) => path.paste(text),
        (Some(_), _) => {}
        (None, Target::User | Target::Thumbprint) => {
            model.editor.paste(text);
            store(model);
        }
        (None, Target::Field(key)) if key.is_text() => {
            model.editor.paste(text);
            store(model);
        }
        // While an answer can be pasted, a paste is meant to be one wherever the focus is.
        (None, _) if awaited => {
            model.focus_on(Target::Paste);
            model.editor.paste(text);
            store(model);
        }
        (None, _) => say(
            model,
            "The paste was dropped: the focus is not on a text field.",
        ),
    }
    Vec::new()
}

fn step(model: &mut Model, by: isize) {
    model.flow_scroll = 0;
    let targets = model.targets();
    let count = targets.len();
    // A focus that has vanished counts as before the first.
    let at = targets.iter().position(|target| *target == model.focus);
    let next = match (at, by > 0) {
        (Some(at), true) => (at + 1) % count,
        (Some(at), false) => (at + count - 1) % count,
        (None, true) => 0,
        (None, false) => count.saturating_sub(1),
    };
    if let Some(target) = targets.get(next) {
        model.focus_on(*target);
    }
    if model.screen == Screen::Form {
        model.message = None;
    }
}

fn change(model: &mut Model, by: isize) {
    let settings = &mut model.settings;
    match model.focus {
        Target::Field(Key::Flow) => settings.set_flow(match settings.flow() {
            FlowKind::DeviceCode => FlowKind::AuthorizationCode,
            FlowKind::AuthorizationCode => FlowKind::DeviceCode,
        }),
        Target::Field(Key::Pkce) => settings.set_pkce(!settings.pkce()),
        Target::Field(Key::ClientAuthentication) => {
            settings.set_authentication(settings.authentication().next(by));
        }
        _ => {}
    }
    model.message = None;
}

fn enter(model: &mut Model) -> Vec<Effect> {
    match model.focus {
        Target::Field(Key::Preset) => open_presets(model, ""),
        Target::Field(_) => model.go_to_missing(),
        Target::User => match &model.configuring {
            Some(it) if it.wants_certificate() && it.thumbprint.trim().is_empty() => {
                model.focus_on(Target::Thumbprint);
            }
            _ => model.focus_on(Target::Button(Action::Work(Work::SetUp))),
        },
        Target::Thumbprint => model.focus_on(Target::Button(Action::Work(Work::SetUp))),
        Target::CertificateList => model.overlay = Some(Overlay::Certificates { selected: 0 }),
        Target::WithoutSetUp => return without_set_up(model),
        Target::Paste => return hand_over(model),
        Target::Discover => return discover(model),
        Target::Remedy(key) => remedy(model, key),
        Target::Explanation => go_to_explained(model),
        Target::ShowSecret => model.secret_shown = !model.secret_shown,
        Target::ScopeList => model.overlay = Some(Overlay::Scopes { selected: 0 }),
        Target::Advanced => model.advanced = !model.advanced,
        Target::Value(_) => return act(model, Action::Reveal),
        Target::Shown(Shown::Code) => return act(model, Action::CopyCode),
        Target::Shown(_) => return act(model, Action::CopyUrl),
        Target::Button(action) => return act(model, action),
    }
    Vec::new()
}

fn escape(model: &mut Model) -> Vec<Effect> {
    if std::mem::take(&mut model.discovering) {
        // Whatever the old attempt still reports is dropped.
        model.attempt += 1;
        say(model, "The discovery was cancelled.");
        return vec![Effect::Cancel];
    }
    if model.run.as_ref().is_some_and(Run::is_live) {
        act(model, Action::Cancel)
    } else {
        Vec::new()
    }
}

fn scroll(model: &mut Model, by: isize) {
    match (model.screen, &mut model.tokens) {
        (Screen::Tokens, Some(held)) => held.scroll = held.scroll.saturating_add_signed(by),
        (Screen::Trace, _) => {
            // Not far behind the end, from where it would be a long way back.
            let columns = usize::from(model.size.0).saturating_sub(4).max(1);
            let lines = model.trace.lines();
            let rows: usize = lines.map(|line| width(line).div_ceil(columns)).sum();
            let most = (rows + model.trace.exchanges().len()).saturating_sub(1);
            model.trace_scroll = model.trace_scroll.saturating_add_signed(by).min(most);
        }
        (Screen::Flow, _) => model.flow_scroll = model.flow_scroll.saturating_add_signed(by),
        (Screen::Configure, _) => {
            // A small window shows few lines at once.
            let by = if model.size.1 < 18 {
                by.signum() * 2
            } else {
                by
            };
            if let Some(configuring) = &mut model.configuring {
                configuring.scroll = configuring.scroll.saturating_add_signed(by);
            }
        }
        (Screen::Tokens | Screen::Form, _) => {}
    }
}

/// Makes the change that helps against a field's problem.
fn remedy(model: &mut Model, key: Key) {
    let Some(remedy) = model.remedied(key).and_then(|problem| problem.remedy) else {
        return;
    };
    model.settings.apply(&remedy.change);
    if model.settings.access(key) == Access::Editable {
        model.focus_on(Target::Field(key));
    } else {
        model.go_to_missing();
    }
    if model
        .remedied(key)
        .is_none_or(|problem| problem.remedy != Some(remedy.clone()))
    {
        say(model, format!("Done: {}.", remedy.label));
    }
}

/// From the explanation of an error to the field to change.
fn go_to_explained(model: &mut Model) {
    let Some(key) = model.explained_field() else {
        return;
    };
    model.advanced |= ADVANCED.contains(&key);
    show(model, Screen::Form, Target::Field(key));
    if model.settings.access(key) != Access::Editable {
        // The preset knows it: another preset, or Custom settings, is what can be changed.
        model.focus_on(Target::Field(Key::Preset));
        let label = model.settings.label(key).to_owned();
        say(
            model,
            format!(
                "The {label} is set by the preset. Choose another preset, or Custom settings to change it."
            ),
        );
    }
}

/// The pasted answer goes to the flow, which says what it thinks of it.
fn hand_over(model: &mut Model) -> Vec<Effect> {
    if model.pasted.expose_secret().trim().is_empty() {
        say(
            model,
            "Paste the address that the browser came back to, or the code in it, and press Enter.",
        );
        return Vec::new();
    }
    let text = std::mem::take(&mut model.pasted);
    model.focus_on(Target::Paste);
    vec![Effect::Paste(text)]
}

/// A refresh that is cut off may have replaced the refresh token already.
fn refuses_while_refreshing(model: &mut Model) -> bool {
    let refreshing = model
        .run
        .as_ref()
        .is_some_and(|run| run.refresh && run.is_live());
    if refreshing {
        say_bad(
            model,
            "A refresh is under way: wait for it, or cancel it among the tokens.",
        );
    }
    refreshing
}

fn discover(model: &mut Model) -> Vec<Effect> {
    if refuses_while_refreshing(model) {
        return Vec::new();
    }
    let Some(issuer) = request::issuer(&model.settings) else {
        model.advanced = true;
        model.focus_on(Target::Field(Key::Issuer));
        say(
            model,
            "Type the Issuer: the address by which the service names itself, such as https://login.example.com. Then \
             Discover asks it for its endpoints. An e-mail address finds the preset of its mail service.",
        );
        return Vec::new();
    };
    if mail_domain(&issuer.name).is_some() {
        open_presets(model, &issuer.name);
        return Vec::new();
    }
    if let Some(problem) = request::problems(&model.settings)
        .into_iter()
        .find(|problem| matches!(problem.key, Key::Issuer | Key::Var(_)))
    {
        model.advanced |= problem.key == Key::Issuer;
        model.focus_on(Target::Field(problem.key));
        say_bad(model, problem.text);
        return Vec::new();
    }
    say(model, "Asking the issuer for its metadata.");
    model.run = None;
    model.trace = Trace::default();
    model.discovering = true;
    // The button that shows the trace goes with the trace.
    if !model.targets().contains(&model.focus) {
        model.focus_on(Target::Button(Action::Discover));
    }
    start(model, Job::Discover(issuer))
}

fn leave(model: &mut Model) -> Vec<Effect> {
    let asked = matches!(model.overlay, Some(Overlay::Leave { .. }));
    if asked || model.tokens.as_ref().is_none_or(|held| held.taken) {
        return vec![Effect::Quit];
    }
    model.overlay = Some(Overlay::Leave { leave: false });
    Vec::new()
}

fn open_presets(model: &mut Model, filter: &str) {
    match model.library.all() {
        Ok(all) => {
            let current = &model.settings.preset().id;
            let entries = model.preset_entries(&all, filter);
            let selected = entries
                .iter()
                .position(|(preset, _)| preset.id == *current)
                .unwrap_or(0);
            model.overlay = Some(Overlay::Presets {
                filter: Editor::new(filter),
                selected,
                all,
            });
        }
        Err(error) => say_bad(model, error.to_string()),
    }
}

/// What was typed on an overlay, which is the model's only one at that time.
fn overlay_key(model: &mut Model, command: Command) -> Vec<Effect> {
    let Some(mut overlay) = model.overlay.take() else {
        return Vec::new();
    };
    let (stays, effects) = match &mut overlay {
        Overlay::Help { scroll } | Overlay::About { scroll } => match command {
            Command::Next => (moved(scroll, 1), Vec::new()),
            Command::Previous => (moved(scroll, -1), Vec::new()),
            Command::PageDown => (moved(scroll, 10), Vec::new()),
            Command::PageUp => (moved(scroll, -10), Vec::new()),
            Command::Escape => (false, Vec::new()),
            _ => (true, Vec::new()),
        },
        Overlay::Plain { .. } | Overlay::Outside => (true, Vec::new()),
        Overlay::Presets {
            filter,
            selected,
            all,
        } => {
            let count = model.preset_entries(all, filter.text()).len();
            match command {
                Command::Next => (wrapped(selected, 1, count), Vec::new()),
                Command::Previous => (wrapped(selected, -1, count), Vec::new()),
                Command::PageDown => (clamped(selected, 8, count), Vec::new()),
                Command::PageUp => (clamped(selected, -8, count), Vec::new()),
                Command::Edit(edit) => {
                    filter.edit(edit);
                    if !matches!(edit, Edit::Left | Edit::Right | Edit::Home | Edit::End) {
                        *selected = 0;
                    }
                    (true, Vec::new())
                }
                Command::Enter => {
                    let entries = model.preset_entries(all, filter.text());
                    let chosen = entries
                        .get(*selected)
                        .map(|(preset, again)| ((*preset).clone(), *again));
                    match chosen {
                        Some((preset, again)) => {
                            let typed = filter.text().trim().to_owned();
                            let effects = choose_preset(model, preset, again);
                            if mail_domain(&typed).is_some() {
                                // The address that found the preset is whom to sign in as.
                                model.settings.set(Key::LoginHint, typed);
                            }
                            (false, effects)
                        }
                        None => (true, Vec::new()),
                    }
                }
                Command::Escape => (false, Vec::new()),
                _ => (true, Vec::new()),
            }
        }
        Overlay::Save { content, path } => match command {
            Command::Edit(edit) => {
                path.edit(edit);
                (true, Vec::new())
            }
            Command::Next => {
                let named_by_us = path.text() == content.file_name();
                *content = other_content(model, *content);
                if named_by_us {
                    *path = Editor::new(content.file_name());
                }
                (true, Vec::new())
            }
            Command::Enter if !path.text().trim().is_empty() => {
                let path = path.text().trim().to_owned();
                (false, save(model, *content, path))
            }
            Command::Escape => (false, Vec::new()),
            _ => (true, Vec::new()),
        },
        Overlay::Qr(_) => (command != Command::Escape, Vec::new()),
        Overlay::Scopes { selected } => {
            let list = model.settings.scope_list();
            let count = list.len();
            match command {
                Command::Next => (wrapped(selected, 1, count), Vec::new()),
                Command::Previous => (wrapped(selected, -1, count), Vec::new()),
                Command::PageDown => (clamped(selected, 8, count), Vec::new()),
                Command::PageUp => (clamped(selected, -8, count), Vec::new()),
                Command::Toggle => {
                    if let Some((scope, _)) = list.get(*selected).cloned() {
                        model.settings.toggle_scope(&scope);
                        model.message = None;
                    }
                    (true, Vec::new())
                }
                Command::Escape => (false, Vec::new()),
                _ => (true, Vec::new()),
            }
        }
        Overlay::Certificates { selected } => {
            let all = model
                .configuring
                .as_ref()
                .map(|it| it.certificates.as_slice());
            let all = all.unwrap_or_default();
            let count = all.len();
            match command {
                Command::Next => (wrapped(selected, 1, count), Vec::new()),
                Command::Previous => (wrapped(selected, -1, count), Vec::new()),
                Command::PageDown => (clamped(selected, 8, count), Vec::new()),
                Command::PageUp => (clamped(selected, -8, count), Vec::new()),
                Command::Enter => {
                    if let Some(chosen) = all.get(*selected) {
                        let text = chosen.thumbprint.to_string();
                        model.focus_on(Target::Thumbprint);
                        model.editor = Editor::new(&text);
                        store(model);
                    }
                    (false, Vec::new())
                }
                Command::Escape => (false, Vec::new()),
                _ => (true, Vec::new()),
            }
        }
        Overlay::Delete { delete } => match command {
            Command::Next | Command::Previous => {
                *delete = !*delete;
                (true, Vec::new())
            }
            Command::Enter if *delete => (false, work(model, Work::Delete)),
            Command::Enter | Command::Escape => (false, Vec::new()),
            _ => (true, Vec::new()),
        },
        Overlay::Leave { leave } => match command {
            Command::Next | Command::Previous => {
                *leave = !*leave;
                (true, Vec::new())
            }
            Command::Enter if *leave => (false, vec![Effect::Quit]),
            Command::Enter | Command::Escape => (false, Vec::new()),
            _ => (true, Vec::new()),
        },
        Overlay::Scrollback {
            value,
            tokens_of,
            show,
        } => match command {
            Command::Next | Command::Previous => {
                *show = !*show;
                (true, Vec::new())
            }
            Command::Enter if *show => {
                taken(model, *tokens_of);
                model.overlay = Some(Overlay::Outside);
                return vec![Effect::ShowInScrollback(value.clone())];
            }
            Command::Enter | Command::Escape => (false, Vec::new()),
            _ => (true, Vec::new()),
        },
    };
    if stays {
        model.overlay = Some(overlay);
    }
    effects
}

fn moved(scroll: &mut usize, by: isize) -> bool {
    *scroll = scroll.saturating_add_signed(by);
    true
}

fn wrapped(selected: &mut usize, by: isize, count: usize) -> bool {
    if count > 0 {
        *selected = if by > 0 {
            (*selected + 1) % count
        } else {
            (*selected + count - 1) % count
        };
    }
    true
}

fn clamped(selected: &mut usize, by: isize, count: usize) -> bool {
    *selected = selected
        .saturating_add_signed(by)
        .min(count.saturating_sub(1));
    true
}

fn choose_preset(model: &mut Model, preset: Arc<Preset>, again: bool) -> Vec<Effect> {
    let demo = preset.embedded_server;
    let mut effects = Vec::new();
    if std::mem::take(&mut model.discovering) {
        // It was about the service that is left now.
        model.attempt += 1;
        effects.push(Effect::Cancel);
    }
    if again {
        model.settings.choose_custom_before(preset);
    } else {
        model.settings.choose(preset);
    }
    model.secret_shown = false;
    model.message = None;
    // To the first thing that the new preset needs; custom settings begin at the top.
    if model.settings.preset().is_custom() {
        step(model, 1);
    } else {
        model.go_to_missing();
    }
    if demo {
        effects.push(Effect::StartDemo);
    }
    effects
}

/// Presses a button.
fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Authorize => authorize(model),
        Action::Configure => configure(model),
        Action::Work(Work::Delete) => {
            // Shows at the same time what it would do.
            model.focus_on(Target::Button(action));
            match model.configuring.as_ref().map(|it| it.task(Work::Delete)) {
                Some(Err(error)) => say_bad(model, error.to_string()),
                Some(Ok(_)) => model.overlay = Some(Overlay::Delete { delete: false }),
                None => {}
            }
            Vec::new()
        }
        Action::Work(which) => {
            model.focus_on(Target::Button(action));
            work(model, which)
        }
        Action::CopyCommands => copy_commands(model),
        Action::Discover => discover(model),
        Action::About => {
            model.overlay = Some(Overlay::About { scroll: 0 });
            Vec::new()
        }
        Action::Again => {
            // With the form as it is now: it may have been what was wrong.
            model.screen = Screen::Form;
            authorize(model)
        }
        Action::ShowTokens => {
            show(model, Screen::Tokens, Target::Value(Value::Access));
            Vec::new()
        }
        Action::Settings => {
            show(model, Screen::Form, Target::Button(Action::Authorize));
            Vec::new()
        }
        Action::Help => {
            model.overlay = Some(Overlay::Help { scroll: 0 });
            Vec::new()
        }
        Action::Quit => leave(model),
        Action::Cancel => cancel(model),
        Action::CopyCode => match &model.run {
            Some(Run {
                phase: Phase::Device { user_code, .. },
                ..
            }) => {
                vec![Effect::Copy(user_code.as_str().into(), shown("code"))]
            }
            _ => Vec::new(),
        },
        Action::CopyUrl => url(model)
            .map(|url| Effect::Copy(url.as_str().into(), shown("URL")))
            .into_iter()
            .collect(),
        Action::CopyTunnel => {
            let tunnel = model.run.as_ref().and_then(|run| run.tunnel.as_ref());
            tunnel
                .map(|tunnel| Effect::Copy(tunnel.to_string().into(), on_screen("tunnel command")))
                .into_iter()
                .collect()
        }
        Action::SwitchToDeviceCode => match model.with_device_code() {
            Some(settings) => {
                model.settings = settings;
                authorize(model)
            }
            None => Vec::new(),
        },
        Action::PlainUrl => match &model.run {
            Some(Run {
                phase: Phase::Device { user_code, .. },
                chosen: Shown::Code,
                ..
            }) => {
                let code = user_code.as_str().into();
                plain(model, code, None)
            }
            _ => match url(model) {
                Some(url) => plain(model, url.as_str().into(), None),
                None => Vec::new(),
            },
        },
        Action::QrCode => {
            show_qr(model);
            Vec::new()
        }
        Action::OpenBrowser => url(model)
            .map(|url| Effect::OpenBrowser(url, model.attempt))
            .into_iter()
            .collect(),
        Action::ApproveDemo => url(model).map(Effect::ApproveDemo).into_iter().collect(),
        Action::CopyValue => match chosen(model) {
            Some((value, secret)) => vec![Effect::Copy(secret, token(model, value.words()))],
            None => Vec::new(),
        },
        Action::CopyHeader => match &model.tokens {
            Some(held) => {
                let header = format!(
                    "Authorization: {} {}",
                    held.header(),
                    held.set.access_token.expose_secret()
                );
                vec![Effect::Copy(
                    header.into(),
                    token(model, "Authorization header"),
                )]
            }
            None => Vec::new(),
        },
        Action::CopyJson => match &model.tokens {
            Some(held) => vec![Effect::Copy(held.set.to_json(), token(model, "JSON"))],
            None => Vec::new(),
        },
        Action::Reveal => {
            if let Some(held) = &mut model.tokens {
                held.revealed = !held.revealed;
                held.scroll = 0;
            }
            Vec::new()
        }
        Action::PlainValue => match chosen(model) {
            Some((_, secret)) => {
                let attempt = model.tokens.as_ref().map(|held| held.attempt);
                plain(model, secret, attempt)
            }
            None => Vec::new(),
        },
        Action::Refresh => refresh(model),
        Action::Trace => {
            model.trace_scroll = 0;
            model.before_trace = model.screen;
            show(model, Screen::Trace, Target::Button(Action::Back));
            Vec::new()
        }
        Action::SaveTrace => open_save(model, Content::Trace),
        Action::SaveTokens => match chosen(model) {
            Some((value, _)) => open_save(model, Content::Value(value)),
            None => Vec::new(),
        },
        Action::Back if model.screen == Screen::Configure => {
            show(model, Screen::Form, Target::Button(Action::Configure));
            Vec::new()
        }
        Action::Back => {
            // The tokens may have come meanwhile.
            let before = match model.before_trace {
                Screen::Flow if model.run.as_ref().is_none_or(|run| run.refresh) => Screen::Tokens,
                Screen::Tokens if model.tokens.is_none() => Screen::Form,
                other => other,
            };
            show(model, before, Target::Button(Action::Trace));
            Vec::new()
        }
    }
}

/// Opens the set-up of the listener on the form's redirect URL, and looks at once how it stands.
fn configure(model: &mut Model) -> Vec<Effect> {
    let redirect_url = model.settings.value(Key::RedirectUrl);
    if redirect_url.trim().is_empty() {
        if model.settings.access(Key::RedirectUrl) == Access::Editable {
            model.focus_on(Target::Field(Key::RedirectUrl));
        }
        say(
            model,
            "Configure… sets up the listener of the Redirect URL, and there is none yet. Type one, such as \
             http://localhost:8400/callback, with the authorization code flow.",
        );
        return Vec::new();
    }
    let listen = model.settings.value(Key::ListenAddress).trim().to_owned();
    let choice = model.settings.listener();
    let http_sys = model.environment.windows && choice.is_http_sys_on_windows(!listen.is_empty());
    let listener = if http_sys {
        Listener::HttpSys
    } else {
        Listener::Loopback
    };
    let mut fresh = Configuring::new(listener, &redirect_url, listen.parse().ok());
    fresh.ssh.clone_from(&model.environment.ssh);
    fresh.user.clone_from(&model.environment.user);
    if let Some(before) = model.configuring.take() {
        // What was typed stays until the program ends; what was found was about then.
        (fresh.user, fresh.thumbprint) = (before.user, before.thumbprint);
        (fresh.number, fresh.before) = (before.number, before.before);
        // What is under way goes on, and what comes of it is shown here.
        fresh.busy = before.busy;
    }
    let focus = match fresh.works().first() {
        Some(first) => Action::Work(*first),
        None => Action::Back,
    };
    model.configuring = Some(fresh);
    show(model, Screen::Configure, Target::Button(focus));
    let can = |it: &Configuring| it.busy.is_none() && it.task(Work::Verify).is_ok();
    if model.configuring.as_ref().is_some_and(can) {
        work(model, Work::Verify)
    } else {
        Vec::new()
    }
}

/// True, and said, where a task of the set-up is still under way.
fn at_work(model: &mut Model) -> bool {
    let busy = model
        .configuring
        .as_ref()
        .is_some_and(|it| it.busy.is_some());
    if busy {
        say(model, "Still at work on what was asked before.");
    }
    busy
}

/// Has a task of the set-up done.
fn work(model: &mut Model, work: Work) -> Vec<Effect> {
    if at_work(model) {
        return Vec::new();
    }
    let Some(configuring) = &mut model.configuring else {
        return Vec::new();
    };
    match configuring.task(work) {
        Ok(task) => {
            configuring.busy = Some(work);
            configuring.number += 1;
            let number = configuring.number;
            model.message = None;
            vec![Effect::Configure(Box::new(task), number)]
        }
        Err(error) => {
            say_bad(model, error.to_string());
            Vec::new()
        }
    }
}

/// What came of a task of the set-up.
fn configured(model: &mut Model, number: u64, report: Report) {
    let at = model.now.words();
    let Some(configuring) = &mut model.configuring else {
        return;
    };
    if number != configuring.number {
        return;
    }
    let Some(work) = configuring.busy.take() else {
        return;
    };
    if configuring.user.trim().is_empty()
        && let Some(user) = &report.user
    {
        configuring.user.clone_from(user);
    }
    if !report.certificates.is_empty() {
        configuring.certificates.clone_from(&report.certificates);
    }
    let verdict = report.verdict();
    configuring.scroll = 0;
    configuring.outcome = Some(Outcome { work, at, report });
    let focus = model.focus;
    if matches!(focus, Target::User | Target::Thumbprint) {
        model.focus_on(focus);
    }
    if model.screen != Screen::Configure || work == Work::Verify {
        return;
    }
    let name = work.label();
    if verdict == Verdict::Fine {
        say(
            model,
            format!("{name}: done. Verify shows how it stands now."),
        );
    } else {
        say_bad(
            model,
            format!("{name}: not all was done. What to do stands with each step."),
        );
    }
}

/// Takes the redirect URL that Windows has reserved for everybody, or goes back to the one before.
fn without_set_up(model: &mut Model) -> Vec<Effect> {
    if at_work(model) {
        return Vec::new();
    }
    let Some(configuring) = &mut model.configuring else {
        return Vec::new();
    };
    let now = configuring.redirect_url.clone();
    let wanted = if now == WITHOUT_SET_UP {
        configuring.before.take()
    } else {
        configuring.before = Some(now);
        Some(WITHOUT_SET_UP.to_owned())
    };
    let Some(wanted) = wanted else {
        say(
            model,
            "It is in use already. Another Redirect URL can be typed in the form.",
        );
        return Vec::new();
    };
    model.settings.set(Key::RedirectUrl, wanted.clone());
    if model.settings.value(Key::RedirectUrl) != wanted {
        say_bad(
            model,
            "This preset does not let the Redirect URL be changed.",
        );
        return Vec::new();
    }
    let effects = configure(model);
    model.focus_on(Target::WithoutSetUp);
    say(
        model,
        format!("Register exactly this Redirect URL with the service: {wanted}"),
    );
    effects
}

/// Copies the commands that are shown.
fn copy_commands(model: &mut Model) -> Vec<Effect> {
    let Some(configuring) = &model.configuring else {
        return Vec::new();
    };
    match configuring.commands(configuring.shown) {
        Ok(commands) if commands.is_empty() => {
            say(
                model,
                "There is no command to copy: nothing has to be done.",
            );
            Vec::new()
        }
        Ok(commands) => vec![Effect::Copy(
            commands.join("\r\n").into(),
            on_screen("commands"),
        )],
        Err(error) => {
            say_bad(model, error.to_string());
            Vec::new()
        }
    }
}

/// Something that stands whole on the screen.
fn on_screen(name: &'static str) -> Ticket {
    Ticket {
        name,
        tokens_of: None,
        instead: "It stands on the screen, to be selected.",
    }
}

/// Something of the flow screen.
fn shown(name: &'static str) -> Ticket {
    Ticket {
        name,
        tokens_of: None,
        instead: "The plain view shows it alone, to be selected.",
    }
}

/// Something of the tokens at hand.
fn token(model: &Model, name: &'static str) -> Ticket {
    Ticket {
        name,
        tokens_of: model.tokens.as_ref().map(|held| held.attempt),
        instead: "The plain view shows the token alone, to be selected; Save writes it, or all as JSON, to a file.",
    }
}

fn open_save(model: &mut Model, content: Content) -> Vec<Effect> {
    model.overlay = Some(Overlay::Save {
        content,
        path: Editor::new(content.file_name()),
    });
    Vec::new()
}

/// The token alone, or all as JSON.
fn other_content(model: &Model, content: Content) -> Content {
    match (content, chosen(model)) {
        (Content::Value(_), _) => Content::Json,
        (Content::Json, Some((value, _))) => Content::Value(value),
        (other, _) => other,
    }
}

fn save(model: &Model, content: Content, path: String) -> Vec<Effect> {
    let held = model.tokens.as_ref();
    let text = match content {
        Content::Trace => {
            let lines: Vec<&str> = model.trace.lines().collect();
            Some((lines.join("\n") + "\n").into())
        }
        Content::Value(value) => held.and_then(|held| held.secret(value)).cloned(),
        Content::Json => held.map(|held| held.set.to_json()),
    };
    let ticket = match content {
        Content::Trace => shown(content.words()),
        Content::Value(_) | Content::Json => token(model, content.words()),
    };
    text.map(|text| Effect::Save(path, text, ticket))
        .into_iter()
        .collect()
}

fn saved(model: &mut Model, what: Ticket, outcome: Result<(String, Readers), String>) {
    let name = what.name;
    match outcome {
        Ok((path, Readers::User)) => {
            taken(model, what.tokens_of);
            let text = format!("Saved the {name} to {path}, readable by you alone.");
            say(model, text);
        }
        Ok((path, Readers::Others)) => {
            taken(model, what.tokens_of);
            let text = format!(
                "Saved the {name} to {path}. This file system does not support permissions: other users of this machine may \
                 be able to read the file."
            );
            say_bad(model, text);
        }
        Err(reason) => say_bad(model, format!("Nothing was saved: {reason}.")),
    }
}

/// Shows the URL that says most as a QR code, or else says why not.
fn show_qr(model: &mut Model) {
    let mut outcome = None;
    // One with the code in it may be too long, where the one without is not.
    for url in model.run.iter().flat_map(Run::urls) {
        match Picture::of(model.theme, model.size, url) {
            Ok(picture) => {
                outcome = Some(Ok(picture));
                break;
            }
            Err(refusal) => outcome = outcome.or(Some(Err(refusal))),
        }
    }
    match outcome {
        Some(Ok(picture)) => model.overlay = Some(Overlay::Qr(Box::new(picture))),
        Some(Err(refusal)) => say(
            model,
            format!("{refusal} Copy the URL, or open the plain view."),
        ),
        None => {}
    }
}

fn url(model: &Model) -> Option<url::Url> {
    model.run.as_ref()?.url().cloned()
}

fn chosen(model: &Model) -> Option<(Value, SecretString)> {
    let held = model.tokens.as_ref()?;
    Some((held.chosen, held.secret(held.chosen)?.clone()))
}

fn show(model: &mut Model, screen: Screen, focus: Target) {
    model.screen = screen;
    model.message = None;
    model.focus_on(focus);
}

/// Shows a value alone: on our screen where it fits, else after a warning on the shell's. `tokens_of` is the attempt that
/// it came from, where it is a token.
fn plain(model: &mut Model, value: SecretString, tokens_of: Option<u64>) -> Vec<Effect> {
    let (columns, rows) = (usize::from(model.size.0), usize::from(model.size.1));
    // The last row says how to go back.
    if width(value.expose_secret()) <= columns * rows.saturating_sub(1) {
        model.overlay = Some(Overlay::Plain { value, tokens_of });
        taken(model, tokens_of);
        vec![Effect::Redraw]
    } else {
        model.overlay = Some(Overlay::Scrollback {
            value,
            tokens_of,
            show: false,
        });
        Vec::new()
    }
}

/// The tokens of this attempt, if any, need not be asked about when leaving.
fn taken(model: &mut Model, tokens_of: Option<u64>) {
    if let (Some(attempt), Some(held)) = (tokens_of, &mut model.tokens) {
        held.taken |= held.attempt == attempt;
    }
}

fn authorize(model: &mut Model) -> Vec<Effect> {
    if refuses_while_refreshing(model) {
        return Vec::new();
    }
    match request::request(&model.settings) {
        Ok(request) => {
            let job = Job::Authorize(request.clone());
            model.run = Some(Run::new(
                request,
                Arc::clone(model.settings.preset()),
                false,
            ));
            model.trace = Trace::default();
            model.flow_scroll = 0;
            model.discovering = false;
            if model.print.is_some() {
                model.exit = exit::INTERRUPTED;
            }
            model.pasted = SecretString::default();
            show(model, Screen::Flow, Target::Button(Action::Cancel));
            start(model, job)
        }
        Err(problems) => {
            model.go_to_missing();
            if let Some(problem) = problems
                .iter()
                .find(|problem| problem.severity == Severity::Error)
            {
                say_bad(model, problem.text.clone());
            }
            Vec::new()
        }
    }
}

fn start(model: &mut Model, job: Job) -> Vec<Effect> {
    model.attempt += 1;
    vec![Effect::Start(Box::new(job), model.attempt)]
}

fn refresh(model: &mut Model) -> Vec<Effect> {
    let Some(held) = &model.tokens else {
        return Vec::new();
    };
    if model.discovering {
        say_bad(
            model,
            "The issuer's metadata is being requested. Wait for it, or press Esc to cancel that.",
        );
        return Vec::new();
    }
    let job = Job::Refresh(held.request.clone(), Box::new(held.set.clone()));
    model.run = Some(Run::new(
        held.request.clone(),
        Arc::clone(&held.preset),
        true,
    ));
    say(
        model,
        "Asking for new tokens. The ones at hand stay until they come.",
    );
    model.focus_on(Target::Button(Action::Cancel));
    start(model, job)
}

fn cancel(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.run.take() else {
        return Vec::new();
    };
    // Whatever the old attempt still reports is dropped.
    model.attempt += 1;
    if run.refresh {
        // The refresh goes on while other screens are open.
        if model.focus == Target::Button(Action::Cancel) {
            model.focus_on(Target::Button(Action::Refresh));
        }
        say(
            model,
            "The refresh was cancelled. The service may have replaced the refresh token already: if the next \
             refresh is refused, authorize again.",
        );
    } else {
        show(model, Screen::Form, Target::Button(Action::Authorize));
        say(model, "The sign-in was cancelled.");
    }
    vec![Effect::Cancel]
}

fn flow(model: &mut Model, event: FlowEvent) -> Vec<Effect> {
    let effects = flow_event(model, event);
    // What the QR code leads to is over.
    if let Some(Overlay::Qr(picture)) = &model.overlay
        && !model
            .run
            .iter()
            .flat_map(Run::urls)
            .any(|url| *url == picture.url)
    {
        model.overlay = None;
    }
    effects
}

fn flow_event(model: &mut Model, event: FlowEvent) -> Vec<Effect> {
    let now = model.now;
    match &event {
        FlowEvent::Exchange(exchange) => {
            model.trace.push(exchange.clone());
        }
        FlowEvent::Metadata(metadata) => {
            model.discovering = false;
            discovered(model, metadata);
        }
        FlowEvent::Failed(error) if model.run.is_none() => {
            model.discovering = false;
            say_bad(model, format!("{} {}", error.sentence(), error.hint()));
        }
        _ => {}
    }
    let Some(run) = &mut model.run else {
        return Vec::new();
    };
    match event {
        FlowEvent::Began(step) => run.steps.push(StepLine {
            step,
            at: now,
            took: None,
            failed: false,
        }),
        FlowEvent::Done(time) => {
            run.trouble = None;
            if let Some(last) = run.steps.last_mut() {
                last.took = Some(time);
            }
        }
        FlowEvent::DeviceCode {
            user_code,
            verification_uri,
            complete,
            expires_in,
        } => {
            run.phase = Phase::Device {
                user_code,
                verification_uri,
                complete,
                until: now.up + expires_in,
                asked: 0,
                note: None,
            };
            if model.screen == Screen::Flow {
                model.focus_on(Target::Button(Action::CopyCode));
            }
        }
        FlowEvent::Polled { times, note: new } => {
            if let Phase::Device { asked, note, .. } = &mut run.phase {
                *asked = times;
                *note = Some(new);
            }
        }
        FlowEvent::SignIn {
            url,
            redirect_url,
            listening,
            certificate,
        } => {
            let opened = model.environment.can_browse();
            let ssh = model.environment.ssh.as_ref();
            run.tunnel = ssh.and_then(|ssh| Tunnel::to_listener(ssh, &redirect_url, &listening));
            run.phase = Phase::SignIn {
                url: url.clone(),
                redirect_url,
                listening: listening.join(" and "),
                certificate,
                opened,
            };
            if model.screen == Screen::Flow {
                model.focus_on(Target::Button(Action::CopyUrl));
            }
            if opened {
                return vec![Effect::OpenBrowser(url, model.attempt)];
            }
        }
        FlowEvent::NotOurs(reason) => {
            let count = run.not_ours.as_ref().map_or(0, |(count, _)| *count);
            run.not_ours = Some((count.saturating_add(1), reason));
        }
        FlowEvent::PasteRefused(reason) => {
            say_bad(
                model,
                format!("The paste was not taken: {reason}. Still waiting for the right one."),
            );
        }
        FlowEvent::Trouble(reason) => run.trouble = Some(reason),
        FlowEvent::Exchange(_) | FlowEvent::Metadata(_) => {}
        FlowEvent::Stray(_) => run.strays = run.strays.saturating_add(1),
        FlowEvent::Check(check) => {
            run.checks.retain(|known| known.name != check.name);
            run.checks.push(check);
            run.checks.sort_by_key(|check| check.name);
        }
        FlowEvent::Tokens(set) => return tokens(model, *set),
        FlowEvent::Failed(error) => failed(model, &error),
    }
    Vec::new()
}

fn discovered(model: &mut Model, metadata: &Metadata) {
    if model.settings.value(Key::Issuer).trim() != metadata.asked {
        say(
            model,
            "The Issuer was changed meanwhile; its metadata was not taken over.",
        );
        return;
    }
    let filled = model.settings.take_over(metadata, Overwrite::Everything);
    // The line being edited may be one that was filled in.
    if model.targets().contains(&model.focus) {
        model.focus_on(model.focus);
    } else {
        model.go_to_missing();
    }
    let mut parts: Vec<String> = filled.iter().map(|key| key.label().to_owned()).collect();
    match parts.last_mut() {
        Some(last) => last.push_str(" (now locked)"),
        None => parts.push("no endpoint that the preset does not know already".to_owned()),
    }
    if !metadata.scopes.is_empty() {
        parts.push(format!("{} scopes", metadata.scopes.len()));
    }
    let methods = metadata.pkce_methods.iter().flatten();
    if methods.into_iter().any(|method| method == "S256") {
        parts.push("PKCE S256".to_owned());
    }
    if metadata.iss_in_answers {
        parts.push("answers name the issuer".to_owned());
    }
    let undo = match model.settings.access(Key::Issuer) {
        Access::Editable => " Another Issuer undoes it.",
        Access::Locked | Access::OtherFlow | Access::NotOffered => "",
    };
    say(
        model,
        format!(
            "Found at {}: {}.{undo}",
            clean(metadata.source.as_str(), 100),
            parts.join(", ")
        ),
    );
}

fn tokens(model: &mut Model, set: TokenSet) -> Vec<Effect> {
    let Some(run) = model.run.take() else {
        return Vec::new();
    };
    if run.refresh {
        let rotated = run
            .checks
            .iter()
            .find(|check| check.name == crate::oauth::check::CheckName::RefreshToken);
        let words = rotated
            .map(|check| check.detail.clone())
            .unwrap_or_default();
        let words = format!(
            "Refreshed at {}. Refresh token: {words}.",
            model.now.words()
        );
        if let Some(held) = model.tokens.take() {
            let mut fresh = Held::new(set, model.now, &run, model.attempt);
            // What the first run checked stays true; the refresh adds its own.
            fresh.checks = held.checks;
            for check in run.checks {
                fresh.checks.retain(|known| known.name != check.name);
                fresh.checks.push(check);
            }
            fresh.checks.sort_by_key(|check| check.name);
            (fresh.chosen, fresh.revealed, fresh.scroll) =
                (held.chosen, held.revealed, held.scroll);
            model.tokens = Some(fresh);
        }
        if model.focus == Target::Button(Action::Cancel) {
            model.focus_on(Target::Button(Action::Refresh));
        }
        say(model, words);
        return Vec::new();
    }
    model.exit = exit::DONE;
    let printed = model.print.map(|print| print.text(&set));
    if let Some(Ok(text)) = printed {
        model.result = Some(text);
        return vec![Effect::Quit];
    }
    model.tokens = Some(Held::new(set, model.now, &run, model.attempt));
    show(model, Screen::Tokens, Target::Value(Value::Access));
    if let Some(Err(missing)) = printed {
        model.exit = exit::FAILED;
        say_bad(model, missing);
    }
    Vec::new()
}

fn failed(model: &mut Model, error: &FlowError) {
    let Some(run) = &mut model.run else { return };
    let explanation = match error {
        FlowError::Protocol(failure) => explain(failure, &run.preset, &model.library),
        FlowError::Certificate(error) => explain_certificate(error),
        _ => None,
    };
    let ended = Ended {
        text: match error {
            FlowError::Certificate(_) if explanation.is_some() => {
                "Nothing was sent to the service.".to_owned()
            }
            error => error.to_string(),
        },
        hint: error.hint(),
        expired: matches!(
            error,
            FlowError::Protocol(
                Failure::Expired
                    | Failure::UsedUp {
                        asked: Asked::Approval,
                        ..
                    }
            )
        ),
        explanation,
    };
    if run.refresh {
        let hint = match &ended.explanation {
            Some(explanation) => format!("{} {}", explanation.cause, explanation.remedy),
            None => ended.hint,
        };
        // What it means and what to do first: the service's own words may be long.
        let text = format!("{hint} The tokens at hand are kept. {}", ended.text);
        model.run = None;
        say_bad(model, text);
        if model.focus == Target::Button(Action::Cancel) {
            model.focus_on(Target::Button(Action::Refresh));
        }
        return;
    }
    if model.print.is_some() {
        model.exit = exit::code(error);
    }
    if let Some(last) = run.steps.last_mut() {
        last.failed = last.took.is_none();
    }
    let text = ended.text.clone();
    run.phase = Phase::Failed(ended);
    model.message = None;
    if model.screen != Screen::Flow {
        say_bad(model, text);
    }
    if model.screen == Screen::Flow {
        model.flow_scroll = 0;
        model.focus_on(match model.explained_field() {
            Some(_) => Target::Explanation,
            None => Target::Button(Action::Again),
        });
    }
}

/// Names the way that was taken, and those that were not.
fn copied(model: &mut Model, what: Ticket, outcome: Copied) -> Vec<Effect> {
    let name = what.name;
    let missed: Vec<String> = outcome
        .missed
        .iter()
        .map(|missed| format!("{}: {}", missed.way.words(), missed.why))
        .collect();
    let missed = missed.join("; ");
    let done = match &outcome.by {
        Some(By::Desktop) => format!(
            "Copied the {name} to the desktop clipboard. It stays there while this program runs."
        ),
        Some(By::Tmux) => format!(
            "Copied the {name} to tmux's buffer (paste with prefix ] in tmux). tmux was asked to hand it on to your \
             terminal, which may not support that."
        ),
        Some(By::TmuxOnly) => format!(
            "Copied the {name} to tmux's buffer only (paste with prefix ] in tmux). tmux hands it on to your terminal from \
             3.2 on."
        ),
        Some(By::Terminal(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52). Your terminal may not support that."
        ),
        Some(By::ThroughScreen(_)) => format!(
            "Sent the {name} to your terminal's clipboard (OSC 52), as GNU screen takes it. If yours is tmux, it is too long \
             and does not arrive. {}",
            what.instead
        ),
        None if missed.is_empty() => {
            say_bad(
                model,
                format!(
                    "The {name} was not copied: there is no desktop here, and this terminal is not known to have a \
                     clipboard. {}",
                    what.instead
                ),
            );
            return Vec::new();
        }
        None => {
            say_bad(
                model,
                format!(
                    "The {name} was not copied. Not taken: {missed}. {}",
                    what.instead
                ),
            );
            return Vec::new();
        }
    };
    if missed.is_empty() {
        say(model, done);
    } else {
        say(model, format!("{done} Not taken: {missed}."));
    }
    match outcome.by {
        // What was only sent to a terminal may be lost.
        Some(By::Terminal(sequence) | By::ThroughScreen(sequence)) => vec![Effect::Send(sequence)],
        Some(By::Desktop | By::Tmux | By::TmuxOnly) => {
            taken(model, what.tokens_of);
            Vec::new()
        }
        None => Vec::new(),
    }
}

fn browser(model: &mut Model, attempt: u64, outcome: Result<(), String>) {
    if let (Err(reason), true) = (outcome, attempt == model.attempt) {
        if let Some(Run {
            phase: Phase::SignIn { opened, .. },
            ..
        }) = &mut model.run
        {
            *opened = false;
        }
        say_bad(
            model,
            format!("No browser was opened: {reason}. Open the URL yourself."),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use std::time::Duration;

    use crossterm::event::{KeyCode, KeyModifiers};

    use super::super::model::Moment;
    use super::*;
    use crate::console::environment::{Environment, Ssh};
    use crate::flow::event::Step;
    use crate::form::settings::Settings;
    use crate::oauth::failure::ServerError;
    use crate::presets;

    fn model(preset: &str) -> Model {
        let custom = presets::get(presets::CUSTOM).unwrap();
        let library = presets::Library::default();
        let mut model = Model::new(
            Environment::default(),
            Settings::new(presets::get(preset).unwrap()),
            custom,
            library,
        );
        model.settings.set_server("http://127.0.0.1:9");
        model
    }

    fn send(model: &mut Model, what: News) -> Vec<Effect> {
        let at = Moment {
            up: Duration::from_secs(1),
            clock: (12, 0, 0),
        };
        update(model, Msg { at, what })
    }

    fn press(model: &mut Model, code: KeyCode) -> Vec<Effect> {
        send(model, News::Key(KeyEvent::new(code, KeyModifiers::NONE)))
    }

    fn token_set(name: &str) -> TokenSet {
        TokenSet {
            access_token: format!("{name}-access").into(),
            token_type: "Bearer".to_owned(),
            expires_in: Some(60),
            refresh_token: Some(format!("{name}-refresh").into()),
            id_token: None,
            scope: None,
            kept: Vec::new(),
            token_url: None,
            redirect_url: None,
        }
    }

    fn granted(model: &mut Model, name: &str) {
        let attempt = model.attempt;
        let tokens = FlowEvent::Tokens(Box::new(token_set(name)));
        send(model, News::Flow(attempt, tokens));
    }

    fn authorized(name: &str) -> Model {
        let mut model = model("demo");
        model.focus_on(Target::Button(Action::Authorize));
        assert!(matches!(
            press(&mut model, KeyCode::Enter).as_slice(),
            [Effect::Start(_, 1)]
        ));
        granted(&mut model, name);
        assert_eq!(model.screen, Screen::Tokens);
        model
    }

    #[test]
    fn news_of_a_cancelled_attempt_changes_nothing() {
        let mut model = model("demo");
        model.focus_on(Target::Button(Action::Authorize));
        press(&mut model, KeyCode::Enter);
        let old = model.attempt;
        assert!(matches!(
            press(&mut model, KeyCode::Esc).as_slice(),
            [Effect::Cancel]
        ));
        for again in [false, true] {
            if again {
                press(&mut model, KeyCode::Enter);
            }
            let before = format!("{model:?}");
            let late = || -> [FlowEvent; 6] {
                [
                    FlowEvent::Began(Step::Exchange),
                    FlowEvent::Done(Duration::ZERO),
                    FlowEvent::NotOurs("late".to_owned()),
                    FlowEvent::PasteRefused("late".to_owned()),
                    FlowEvent::Tokens(Box::new(token_set("late"))),
                    FlowEvent::Failed(FlowError::Protocol(Failure::Denied {
                        polled: true,
                        error: ServerError::new("late", None),
                    })),
                ]
            };
            for event in late() {
                assert!(send(&mut model, News::Flow(old, event)).is_empty());
            }
            send(&mut model, News::Browser(old, Err("late".to_owned())));
            assert_eq!(format!("{model:?}"), before);
        }
    }

    #[test]
    fn debug_texts_hold_no_secret() {
        let mut model = authorized("s3cret");
        model
            .settings
            .set(Key::ClientSecret, "s3cret-client".to_owned());
        model.focus_on(Target::Field(Key::ClientSecret));
        model.pasted = "s3cret-paste".into();
        let effects = [Effect::Copy("s3cret-copy".into(), token(&model, "token"))];
        let messages = [
            News::Paste("s3cret-paste".to_owned()),
            News::Flow(1, FlowEvent::Tokens(Box::new(token_set("s3cret")))),
        ];
        let text = format!("{model:?} {effects:?} {messages:?}");
        assert!(!text.contains("s3cret"), "{text}");
    }

    /// A sign-in that waits for a browser of another machine.
    fn signing_in(preset: &str, ssh: Option<Ssh>) -> Model {
        let mut model = model(preset);
        model.environment.ssh = ssh;
        for key in [Key::ClientId, Key::ClientSecret] {
            model.settings.set(key, "me".to_owned());
        }
        model.settings.set_flow(FlowKind::AuthorizationCode);
        model.focus_on(Target::Button(Action::Authorize));
        press(&mut model, KeyCode::Enter);
        let sign_in = FlowEvent::SignIn {
            url: "https://as.example/authorize?state=s".parse().unwrap(),
            redirect_url: "http://localhost:8400/".parse().unwrap(),
            listening: vec!["127.0.0.1:8400".to_owned(), "[::1]:8400".to_owned()],
            certificate: None,
        };
        let attempt = model.attempt;
        send(&mut model, News::Flow(attempt, sign_in));
        model
    }

    #[test]
    fn a_sign_in_over_ssh_offers_the_tunnel() {
        let alice = Ssh {
            server: "192.0.2.2:22".parse().ok(),
            login: Some("alice".to_owned()),
        };
        let mut model = signing_in("demo", Some(alice));
        assert!(model.buttons().contains(&Action::CopyTunnel));
        let effects = press(&mut model, KeyCode::Char('t'));
        assert!(
            matches!(effects.as_slice(), [Effect::Copy(text, _)]
                if text.expose_secret() == "ssh -L 8400:127.0.0.1:8400 alice@192.0.2.2"),
            "{effects:?}"
        );
        let model = signing_in("demo", None);
        assert!(!model.buttons().contains(&Action::CopyTunnel));
    }

    #[test]
    fn a_sign_in_is_left_for_the_device_code_where_no_browser_can_be_opened() {
        let mut model = signing_in("demo", None);
        let before = model.attempt;
        let effects = press(&mut model, KeyCode::Char('d'));
        assert!(
            matches!(effects.as_slice(), [Effect::Start(_, attempt)] if *attempt == before + 1)
        );
        let run = model.run.as_ref().unwrap();
        assert_eq!(run.request.kind, FlowKind::DeviceCode);
        assert_eq!(model.settings.flow(), FlowKind::DeviceCode);
        assert_eq!(model.screen, Screen::Flow);
        // A desktop needs no way around, a service without that flow has none, and one that would refuse what is asked
        // for is none either.
        let mut desktop = signing_in("demo", None);
        desktop.environment.display = true;
        let elsewhere = ["spotify", "google-mail"].into_iter();
        let elsewhere = elsewhere.map(|preset| signing_in(preset, None));
        for mut other in std::iter::once(desktop).chain(elsewhere) {
            let name = other.settings.preset().id.clone();
            assert!(other.can_paste(), "{name}");
            assert!(
                !other.buttons().contains(&Action::SwitchToDeviceCode),
                "{name}"
            );
            assert!(press(&mut other, KeyCode::Char('d')).is_empty(), "{name}");
            assert!(other.run.is_some(), "{name}");
        }
    }

    #[test]
    fn a_failed_or_cancelled_refresh_keeps_the_tokens() {
        let mut model = authorized("first");
        for fail in [true, false] {
            assert!(matches!(
                act(&mut model, Action::Refresh).as_slice(),
                [Effect::Start(..)]
            ));
            if fail {
                let error = FlowError::Protocol(Failure::Server {
                    asked: crate::oauth::failure::Asked::Refresh,
                    error: ServerError::new("invalid_grant", None),
                });
                let attempt = model.attempt;
                send(&mut model, News::Flow(attempt, FlowEvent::Failed(error)));
                assert!(
                    model.message.as_ref().is_some_and(
                        |message| message.bad && message.text.contains("invalid_grant")
                    )
                );
            } else {
                press(&mut model, KeyCode::Esc);
                // What the service did with the request is not known.
                let message = model.message.as_ref().unwrap();
                assert!(message.text.contains("may have replaced the refresh token"));
            }
            let held = model.tokens.as_ref().unwrap();
            assert_eq!(held.set.access_token.expose_secret(), "first-access");
        }
        act(&mut model, Action::Refresh);
        granted(&mut model, "second");
        let held = model.tokens.as_ref().unwrap();
        assert_eq!(held.set.access_token.expose_secret(), "second-access");
        assert!(!held.taken);
    }

    #[test]
    fn a_copy_counts_only_where_it_is_certain_and_of_these_tokens() {
        let mut model = authorized("first");
        let ticket = |attempt| Ticket {
            tokens_of: Some(attempt),
            ..shown("access token")
        };
        let now = model.attempt;
        for (attempt, by, taken) in [
            (now, Some(By::Terminal("sequence".into())), false),
            (now, None, false),
            (now - 1, Some(By::Desktop), false),
            (now, Some(By::Tmux), true),
        ] {
            let sends = matches!(by, Some(By::Terminal(_)));
            let outcome = Copied {
                by,
                missed: Vec::new(),
            };
            let effects = send(&mut model, News::Copied(ticket(attempt), outcome));
            assert_eq!(matches!(effects.as_slice(), [Effect::Send(_)]), sends);
            assert_eq!(model.tokens.as_ref().unwrap().taken, taken);
        }
        assert!(matches!(leave(&mut model).as_slice(), [Effect::Quit]));
    }

    fn ctrl_c(model: &mut Model) -> Vec<Effect> {
        let key = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        send(model, News::Key(key))
    }

    #[test]
    fn a_user_code_shown_alone_takes_no_tokens_that_come_meanwhile() {
        for size in [(80, 24), (5, 2)] {
            let mut model = model("demo");
            model.focus_on(Target::Button(Action::Authorize));
            press(&mut model, KeyCode::Enter);
            let code = FlowEvent::DeviceCode {
                user_code: "WDJB-MJHT".to_owned(),
                verification_uri: "https://as.example/device".parse().unwrap(),
                complete: None,
                expires_in: Duration::from_mins(15),
            };
            let attempt = model.attempt;
            send(&mut model, News::Flow(attempt, code));
            press(&mut model, KeyCode::Char('p'));
            assert!(matches!(model.overlay, Some(Overlay::Plain { .. })));
            granted(&mut model, "new");
            // Shown again, or asked about where it fits no more.
            send(&mut model, News::Resized(size.0, size.1));
            if matches!(model.overlay, Some(Overlay::Scrollback { .. })) {
                press(&mut model, KeyCode::Tab);
                press(&mut model, KeyCode::Enter);
            }
            press(&mut model, KeyCode::Char('x'));
            assert!(ctrl_c(&mut model).is_empty(), "the tokens are lost");
            assert!(matches!(model.overlay, Some(Overlay::Leave { .. })));
        }
    }

    #[test]
    fn escape_on_the_form_cancels_a_refresh_and_the_focus_stays_there() {
        let mut model = authorized("first");
        for screen in [Action::Settings, Action::Trace] {
            act(&mut model, Action::Refresh);
            act(&mut model, screen);
            assert!(matches!(
                press(&mut model, KeyCode::Esc).as_slice(),
                [Effect::Cancel]
            ));
            assert!(model.targets().contains(&model.focus), "{:?}", model.focus);
            assert!(model.run.is_none());
            model.screen = Screen::Tokens;
        }
    }

    #[test]
    fn a_refresh_waits_for_the_discovery() {
        let mut model = authorized("first");
        act(&mut model, Action::Settings);
        model
            .settings
            .choose(presets::get(presets::CUSTOM).unwrap());
        model
            .settings
            .set(Key::Issuer, "https://as.example".to_owned());
        assert!(matches!(
            act(&mut model, Action::Discover).as_slice(),
            [Effect::Start(..)]
        ));
        act(&mut model, Action::ShowTokens);
        assert!(act(&mut model, Action::Refresh).is_empty());
        let message = model.message.clone().unwrap();
        assert!(message.bad && message.text.contains("Esc"), "{message:?}");
        assert!(model.discovering && model.run.is_none());
        assert!(matches!(
            press(&mut model, KeyCode::Esc).as_slice(),
            [Effect::Cancel]
        ));
        assert!(matches!(
            act(&mut model, Action::Refresh).as_slice(),
            [Effect::Start(..)]
        ));
    }

    #[test]
    fn a_resize_shows_a_plain_value_anew_or_asks() {
        let mut model = authorized("first");
        act(&mut model, Action::PlainValue);
        assert!(matches!(
            send(&mut model, News::Resized(40, 20)).as_slice(),
            [Effect::Redraw]
        ));
        assert!(matches!(model.overlay, Some(Overlay::Plain { .. })));
        send(&mut model, News::Resized(5, 2));
        assert!(matches!(model.overlay, Some(Overlay::Scrollback { .. })));
    }
}
