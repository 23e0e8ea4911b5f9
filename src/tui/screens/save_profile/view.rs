//! What is saved, and where.
//!
//! ```text
//!  ▸ Name              office
//!    For               (•) me   ( ) this computer
//!    Kept in           files that only you can read
//!    Save tokens       (•) Yes   ( ) No
//!
//!    Settings          ~/.config/oauth-authorizer/profiles/office.toml
//!    Secrets           ~/.local/state/oauth-authorizer/profiles/office.record
//!
//!    Note              Anyone who can read your files can use these tokens until
//!                      they are revoked.
//!    Scripts           oauth-authorizer token office
//! ```

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Span;

use super::state::{Item, SaveProfile};
use crate::profile::places::Places;
use crate::session::profile_work::token_command;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{LOW, NARROW};
use crate::tui::widgets::rows::{Parts, fact, row};
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{shorten, width, window};

/// What stands for the name until it is typed.
const NO_NAME: &str = "NAME";
/// The rule for names, where one was tried that breaks it.
const RULE: &str = "Use up to 64 letters, digits and . _ @ + -, beginning with a letter or digit. Names of Windows devices, such as \
                    con, are not allowed.";

/// The rows, and the message about the focused one.
pub(super) fn body(screen: &SaveProfile, cx: ViewContext<'_>, area: Rect) -> Body {
    let columns = usize::from(area.width);
    let theme = cx.theme();
    let narrow = columns < usize::from(NARROW);
    let roomy = cx.console.size.1 >= LOW;
    let mut rows = vec![name(screen, cx, columns)];
    let places = cx.session.profiles.places.as_ref();
    if places.is_some_and(Places::has_machine) {
        let values = [("me", !screen.machine), ("this computer", screen.machine)];
        rows.push(choice(screen, cx, (&Item::For, "For"), &values, columns));
    }
    let kept = match (screen.machine, cfg!(windows)) {
        (false, _) => "files that only you can read",
        (true, true) => "files that only administrators can read",
        (true, false) => "files that only root can read",
    };
    rows.extend(fact(theme, "Kept in", kept, columns));
    let yes_no = |on: bool| [("Yes", on), ("No", !on)];
    if screen.has_tokens(cx) {
        let label = if narrow { "Tokens" } else { "Save tokens" };
        let values = yes_no(screen.tokens);
        rows.push(choice(screen, cx, (&Item::Tokens, label), &values, columns));
    }
    if screen.has_secret(cx) {
        let label = if narrow { "Secret" } else { "Save secret" };
        let values = yes_no(screen.secret);
        rows.push(choice(screen, cx, (&Item::Secret, label), &values, columns));
    }
    if roomy {
        rows.push(Row::blank());
    }
    rows.extend(files(screen, cx, columns));
    Body {
        rows,
        hint: said(screen, cx),
        ..Body::default()
    }
}

fn name(screen: &SaveProfile, cx: ViewContext<'_>, columns: usize) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, &Item::Name);
    let state = match (screen.name.trim().is_empty(), screen.name()) {
        (true, _) if screen.tried => Some(Span::styled("required", theme.bad())),
        (true, _) => Some(Span::raw("required")),
        (false, Err(_)) => Some(Span::styled("invalid", theme.bad())),
        (false, Ok(_)) => exists(screen, cx).then(|| Span::styled("exists", theme.warning())),
    };
    let mut parts = Parts {
        focused,
        state,
        ..Parts::new("Name")
    };
    let room = parts.room(theme, columns);
    if focused {
        let editor = &screen.common.editor;
        let (text, cursor) = (editor.text(), editor.cursor_column());
        let (shown, cursor) = window(text, cursor, room + 1, theme.ellipsis());
        parts.cursor = cursor;
        return row(theme, parts.with(shown), columns);
    }
    let text = shorten(&screen.name, room, theme.ellipsis());
    row(theme, parts.with(text), columns)
}

/// True where a profile of this name is there, as far as the list was read.
fn exists(screen: &SaveProfile, cx: ViewContext<'_>) -> bool {
    let (Some(list), Ok(name)) = (&cx.session.profiles.list, screen.name()) else {
        return false;
    };
    let places = cx.session.profiles.places.as_ref();
    let place = places.and_then(|places| places.new_place(&name, screen.machine));
    place.is_some_and(|place| list.iter().any(|listed| listed.place.is(&place)))
}

fn choice(
    screen: &SaveProfile,
    cx: ViewContext<'_>,
    (item, label): (&Item, &'static str),
    values: &[(&'static str, bool)],
    columns: usize,
) -> Row {
    let theme = cx.theme();
    let mut parts = Parts {
        focused: screen.common.has_focus(cx, item),
        ..Parts::new(label)
    };
    let on = if parts.focused {
        theme.focus()
    } else {
        Style::new()
    };
    let mut column = 0;
    for (at, (value, chosen)) in values.iter().enumerate() {
        if at > 0 {
            parts.value.push(Span::raw("   "));
            column += 3;
        }
        let text = format!("{} {value}", theme.radio(*chosen));
        if *chosen {
            parts.cursor = column + 1;
        }
        column += width(&text);
        let style = if *chosen { on } else { Style::new() };
        parts.value.push(Span::styled(text, style));
    }
    row(theme, parts, columns)
}

/// The files, who can use what is in them, and what scripts do with it.
fn files(screen: &SaveProfile, cx: ViewContext<'_>, columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let profiles = &cx.session.profiles;
    let name = screen.name().ok();
    let shown = name.clone().or_else(|| NO_NAME.parse().ok());
    let places = profiles.places.as_ref();
    let place = shown.and_then(|name| places?.new_place(&name, screen.machine));
    let Some(place) = place else {
        return Vec::new();
    };
    let tokens = screen.tokens && screen.has_tokens(cx);
    let secret = screen.secret && screen.has_secret(cx);
    let mut rows = fact(
        theme,
        "Settings",
        &profiles.short_path(&place.settings()),
        columns,
    );
    if tokens || secret {
        rows.extend(fact(
            theme,
            "Secrets",
            &profiles.short_path(&place.record()),
            columns,
        ));
    }
    if cx.console.size.1 >= LOW {
        rows.push(Row::blank());
    }
    let what = match (tokens, secret) {
        (true, _) => "these tokens until they are revoked",
        (false, true) => "the client secret",
        (false, false) => "",
    };
    if !what.is_empty() {
        let who = if screen.machine {
            "Administrators of this computer can use"
        } else {
            "Anyone who can read your files can use"
        };
        rows.extend(fact(theme, "Note", &format!("{who} {what}."), columns));
    }
    let tokens_of = cx.session.tokens.as_ref().filter(|_| tokens);
    let other = tokens_of.and_then(|tokens| tokens.profile.as_deref());
    if let Some(other) = other.filter(|other| name.as_ref().is_none_or(|name| !name.is(other))) {
        let text = format!(
            "{other} has the same refresh token. If the service replaces it at each use, only one of the two profiles keeps \
             working."
        );
        rows.extend(fact(theme, "Warning", &text, columns));
    }
    if tokens {
        let command = token_command(&place).unwrap_or_default();
        rows.extend(fact(theme, "Scripts", &command, columns));
    }
    rows
}

/// The message about the focused item.
fn said(screen: &SaveProfile, cx: ViewContext<'_>) -> Vec<Said> {
    let typed = !screen.name.trim().is_empty();
    let (label, text) = match &screen.common.focus {
        Item::Name if typed && screen.name().is_err() => {
            return vec![Said::new("Problem", format!("Name: {RULE}")).toned(Tone::Bad)];
        }
        Item::Name if !typed && screen.tried => {
            return vec![
                Said::new("Problem", "Enter a name first, such as office.").toned(Tone::Bad),
            ];
        }
        Item::Name if exists(screen, cx) => (
            "Name",
            "There is a profile of this name. You are asked before it is replaced.",
        ),
        Item::Name => ("Name", "A short name, such as office, or an email address."),
        Item::For => (
            "For",
            "Profiles of this computer require root or an administrator.",
        ),
        Item::Tokens => (
            "Save tokens",
            "Without them, the profile has the settings alone.",
        ),
        Item::Secret => (
            "Save secret",
            "Without it, a refresh works only if the settings file says where the client secret is.",
        ),
        Item::Save => ("Save", "Write the files."),
        Item::File => (
            "To a file",
            "Save the tokens to a file of your choice, without a profile.",
        ),
        Item::Back => ("Back", "Return without saving."),
        Item::Help => ("Help", "Keys of this screen, then all others."),
    };
    vec![Said::new(label, text)]
}
