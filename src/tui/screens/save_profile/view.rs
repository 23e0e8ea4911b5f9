//! The body of the screen that saves a profile: what is saved, and where.
//!
//! ```text
//!  ▸ Name              office
//!    For               (•) me   ( ) this machine
//!    Kept in           (•) a file only you can read   ( ) a command
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

use super::kept::Wrong;
use super::state::{Item, SaveProfile};
use crate::clean::clean;
use crate::profile::places::Places;
use crate::profile::store_kind::{Store, StoreKind};
use crate::session::profile_work::token_command;
use crate::tui::screen::ViewContext;
use crate::tui::widgets::draw::{Body, Row};
use crate::tui::widgets::grid::{LOW, NARROW};
use crate::tui::widgets::rows::{Parts, fact, row};
use crate::tui::widgets::said::{Said, Tone};
use crate::tui::widgets::text::{shorten, width, window};

/// The placeholder for the name until it is entered.
const NO_NAME: &str = "NAME";
/// Number of columns that the full names of the stores need.
const STORES: usize = 66;
/// The rule for names, shown after an invalid one was entered.
const RULE: &str = "Use up to 64 characters: a-z, A-Z, 0-9 and . _ @ + -. Begin with a letter or digit, and don't end with a \
                    period. Names of Windows devices, such as con, are not allowed.";

/// Returns the rows, and the message about the focused row.
pub(super) fn body(screen: &SaveProfile, cx: ViewContext<'_>, area: Rect) -> Body {
    let columns = usize::from(area.width);
    let narrow = columns < usize::from(NARROW);
    let roomy = cx.console.size.1 >= LOW;
    let mut rows = vec![name(screen, cx, columns)];
    let places = cx.session.profiles.places.as_ref();
    if places.is_some_and(Places::has_machine) {
        let values = [
            ("me", !screen.draft.machine),
            ("this machine", screen.draft.machine),
        ];
        rows.push(choice(screen, cx, (&Item::For, "For"), &values, columns));
    }
    if screen.has_account() {
        let state = (screen.draft.account.trim().is_empty()).then(|| Span::raw("optional"));
        let parts = Parts {
            state,
            ..Parts::new("Used by")
        };
        let value = (&Item::UsedBy, screen.draft.account.as_str());
        rows.push(text(screen, cx, value, parts, columns));
    }
    rows.extend(kept(screen, cx, columns));
    let yes_no = |on: bool| [("Yes", on), ("No", !on)];
    if screen.has_tokens(cx) {
        let label = if narrow { "Tokens" } else { "Save tokens" };
        let values = yes_no(screen.draft.with_tokens);
        rows.push(choice(screen, cx, (&Item::Tokens, label), &values, columns));
    }
    if screen.has_secret(cx) {
        let label = if narrow { "Secret" } else { "Save secret" };
        let values = yes_no(screen.draft.with_secret);
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
    let state = match (screen.draft.name.trim().is_empty(), screen.name()) {
        (true, _) if screen.tried => Some(Span::styled("required", theme.bad())),
        (true, _) => Some(Span::raw("required")),
        (false, Err(_)) => Some(Span::styled("invalid", theme.bad())),
        (false, Ok(_)) => screen
            .existing(cx)
            .map(|_| Span::styled("exists", theme.warning())),
    };
    let parts = Parts {
        state,
        ..Parts::new("Name")
    };
    text(
        screen,
        cx,
        (&Item::Name, &screen.draft.name),
        parts,
        columns,
    )
}

/// Returns the row of a text field.
fn text(
    screen: &SaveProfile,
    cx: ViewContext<'_>,
    (item, value): (&Item, &str),
    mut parts: Parts,
    columns: usize,
) -> Row {
    let theme = cx.theme();
    let focused = screen.common.has_focus(cx, item);
    parts.focused = focused;
    let room = parts.room(theme, columns);
    if focused {
        let editor = &screen.common.editor;
        let (text, cursor) = (editor.text(), editor.cursor_column());
        let (shown, cursor) = window(text, cursor, room, theme.ellipsis());
        parts.cursor = cursor;
        return row(theme, parts.with(shown), columns);
    }
    let text = shorten(value, room, theme.ellipsis());
    row(theme, parts.with(text), columns)
}

/// Returns the rows of the store for the secrets, and its commands.
fn kept(screen: &SaveProfile, cx: ViewContext<'_>, columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let kind = screen.kind(cx);
    let short = columns < STORES;
    let offered = StoreKind::offered(screen.draft.machine);
    let values: Vec<_> = offered
        .iter()
        .map(|offered| {
            (
                store_name(*offered, screen.draft.machine, short),
                *offered == kind,
            )
        })
        .collect();
    let mut rows = vec![choice(
        screen,
        cx,
        (&Item::Kept, "Kept in"),
        &values,
        columns,
    )];
    if kind == StoreKind::Command {
        for (item, label) in [(Item::Read, "Read with"), (Item::Write, "Write with")] {
            let state = match screen.words(&item, cx) {
                Ok(_) => None,
                Err(Wrong::Missing) if !screen.tried => Some(Span::raw("required")),
                Err(Wrong::Missing) => Some(Span::styled("required", theme.bad())),
                Err(Wrong::Quotation) => Some(Span::styled("invalid", theme.bad())),
            };
            let parts = Parts {
                state,
                ..Parts::new(label)
            };
            let command = screen.command(&item, cx);
            rows.push(text(screen, cx, (&item, &command), parts, columns));
        }
    }
    rows
}

/// Returns the name of a store.
fn store_name(kind: StoreKind, machine: bool, short: bool) -> &'static str {
    match kind {
        StoreKind::File if short => "file",
        StoreKind::File if cfg!(windows) => "a plain file",
        StoreKind::File if machine => "a file only root can read",
        StoreKind::File => "a file only you can read",
        StoreKind::DpapiMachine => "protected",
        StoreKind::Dpapi if short => "protected",
        StoreKind::Dpapi => "protected for you",
        StoreKind::Command if short => "command",
        StoreKind::Command => "a command",
    }
}

/// Returns the description of a store, for the message.
fn store_words(kind: StoreKind, machine: bool) -> &'static str {
    match kind {
        StoreKind::File if machine && cfg!(windows) => {
            "A file that isn't encrypted. Only administrators, and the account in Used by, can read it."
        }
        StoreKind::File if machine => "A file that isn't encrypted and that only root can read.",
        StoreKind::File => "A file that isn't encrypted and that only you can read, like SSH keys.",
        StoreKind::Dpapi => {
            "Windows encrypts the file for your account. No other account can read it."
        }
        StoreKind::DpapiMachine => {
            "Windows encrypts the file for this machine. Only administrators, and the account in Used by, can read it."
        }
        StoreKind::Command => {
            "Another program, such as pass, keeps the tokens and the client secret. One command prints them, the other stores them."
        }
    }
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

/// Returns the rows of the files, who can use their contents, and the command for scripts.
fn files(screen: &SaveProfile, cx: ViewContext<'_>, columns: usize) -> Vec<Row> {
    let theme = cx.theme();
    let profiles = &cx.session.profiles;
    let name = screen.name().ok();
    let shown = name.clone().or_else(|| NO_NAME.parse().ok());
    let places = profiles.places.as_ref();
    let place = shown.and_then(|name| places?.new_place(&name, screen.draft.machine));
    let Some(place) = place else {
        return Vec::new();
    };
    let tokens = screen.draft.with_tokens && screen.has_tokens(cx);
    let secret = screen.draft.with_secret && screen.has_secret(cx);
    let mut rows = fact(
        theme,
        "Settings",
        &profiles.short_path(&place.settings()),
        columns,
    );
    if tokens || secret {
        let secrets = match screen.kind(cx) {
            StoreKind::Command => {
                match screen.words(&Item::Write, cx).unwrap_or_default().first() {
                    Some(program) => format!("in the store of {}", clean(program, 80)),
                    None => "in the store of another program".to_owned(),
                }
            }
            _ => profiles.short_path(&place.record()),
        };
        rows.extend(fact(theme, "Secrets", &secrets, columns));
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
        let who = match screen.kind(cx) {
            StoreKind::Command => "Anyone who can run the command in Read with can use",
            _ if screen.has_account() && !screen.draft.account.trim().is_empty() => {
                "Administrators of this machine and the account in Used by can use"
            }
            _ if screen.draft.machine => "Administrators of this machine can use",
            StoreKind::Dpapi => "Programs that run as you can use",
            _ => "Anyone who can read your files can use",
        };
        rows.extend(fact(theme, "Note", &format!("{who} {what}."), columns));
    }
    let tokens_of = cx.session.tokens.as_ref().filter(|_| tokens);
    let refreshed = tokens_of.filter(|tokens| tokens.set.refresh_token.is_some());
    let other = refreshed.and_then(|tokens| tokens.profile.as_deref());
    if let Some(other) = other.filter(|other| name.as_ref().is_none_or(|name| !name.is(other))) {
        let text = format!(
            "{other} has the same refresh token. If the service replaces it at each use, only one of the two profiles keeps \
             working."
        );
        rows.extend(fact(theme, "Warning", &text, columns));
    }
    let commands = screen.stored(cx).and_then(Store::commands);
    if let Some(commands) = commands.filter(|_| screen.kind(cx) != StoreKind::Command) {
        let text = format!(
            "The store of the command {} still has the earlier tokens. Delete them there.",
            commands.name()
        );
        rows.extend(fact(theme, "Warning", &text, columns));
    }
    if tokens {
        let command = token_command(&place).unwrap_or_default();
        rows.extend(fact(theme, "Scripts", &command, columns));
    }
    rows
}

/// Returns the message about the focused item.
fn said(screen: &SaveProfile, cx: ViewContext<'_>) -> Vec<Said> {
    let typed = !screen.draft.name.trim().is_empty();
    let (label, text) = match &screen.common.focus {
        Item::Name if typed && screen.name().is_err() => {
            return vec![Said::new("Problem", format!("Name: {RULE}")).toned(Tone::Bad)];
        }
        Item::Name if !typed && screen.tried => {
            return vec![
                Said::new("Problem", "Enter a name first, such as office.").toned(Tone::Bad),
            ];
        }
        Item::Name if screen.existing(cx).is_some() => (
            "Name",
            "A profile with this name exists. You will be asked before it is replaced.",
        ),
        Item::Name => ("Name", "A short name, such as office, or an email address."),
        Item::For => (
            "For",
            "Profiles of this machine require root or an administrator.",
        ),
        Item::UsedBy => (
            "Used by",
            "The account of the service that uses the tokens, such as NT SERVICE\\MailRelay. If you leave it empty, only \
             administrators can use them; a profile that is replaced keeps its account.",
        ),
        Item::Kept => (
            "Kept in",
            store_words(screen.kind(cx), screen.draft.machine),
        ),
        Item::Read | Item::Write => return vec![said_of_command(screen, cx)],
        Item::Tokens => (
            "Save tokens",
            "Without them, the profile contains only the settings.",
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

/// Returns the message about the focused command.
fn said_of_command(screen: &SaveProfile, cx: ViewContext<'_>) -> Said {
    let item = &screen.common.focus;
    let name = screen
        .name()
        .map_or_else(|_| NO_NAME.to_owned(), |name| name.to_string());
    let (label, what, example) = match item {
        Item::Write => (
            "Write with",
            "stores its standard input",
            "pass insert -mf oauth/",
        ),
        _ => ("Read with", "prints what was stored", "pass show oauth/"),
    };
    match screen.words(item, cx) {
        Err(Wrong::Quotation) => {
            let text = format!("{label}: Close the quotation mark.");
            Said::new("Problem", text).toned(Tone::Bad)
        }
        Err(Wrong::Missing) if screen.tried => {
            let text = format!("Enter the command that {what}, such as {example}{name}");
            Said::new("Problem", text).toned(Tone::Bad)
        }
        _ => {
            let text = format!(
                "The command that {what}, such as {example}{name}. It runs without a shell: quotation marks work, variables \
                 and pipes don't."
            );
            Said::new(label, text)
        }
    }
}
