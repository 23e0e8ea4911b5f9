//! What lies on top of a screen: the lists, the keys, the questions.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::super::keys;
use super::super::model::{Content, Model, Overlay};
use super::super::widgets::draw::{button, put};
use super::super::widgets::editor::Editor;
use super::super::widgets::text::{fit, shorten, width, window, wrap};
use super::{configure, qr};
use crate::presets::format::mail_domain;
use crate::secret::ExposeSecret;

/// Before what the entries of a list are looked for by.
const FIND: &str = "Find: ";

/// Draws the overlay and says where the cursor belongs.
pub(in super::super) fn draw(
    model: &Model,
    overlay: &Overlay,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Option<Position> {
    match overlay {
        Overlay::Help { scroll } => Some(help(model, *scroll, frame, area)),
        Overlay::About { scroll } => Some(about(model, *scroll, frame, area)),
        Overlay::Presets {
            filter,
            selected,
            all,
        } => {
            let entries = model.preset_entries(all, filter.text());
            let lines: Vec<(String, String)> = entries
                .iter()
                .map(|(preset, again)| {
                    let name = if *again {
                        format!("{}, with the URLs typed before", preset.name)
                    } else {
                        preset.name.clone()
                    };
                    (name, preset.group.name().to_owned())
                })
                .collect();
            let (shown, column) = window(
                filter.text(),
                filter.cursor_column(),
                usize::from(area.width.saturating_sub(4)) - width(FIND),
                model.theme.ellipsis(),
            );
            let head = format!("{FIND}{shown}");
            let none = if mail_domain(filter.text()).is_some() {
                "No preset knows this domain. Type the name of the service that hosts its mail."
            } else {
                "No preset fits. Custom settings takes any service."
            };
            let entry = list(model, frame, area, &head, &lines, *selected, none);
            // The cursor is where the typing goes, unless there is an entry to take.
            let typing = u16::try_from(3 + width(FIND) + column).unwrap_or(0);
            entry.or(Some(Position::new(typing, 2)))
        }
        Overlay::Save { content, path } => Some(save(model, *content, path, frame, area)),
        Overlay::Qr(picture) => Some(qr::draw(model, picture, frame, area)),
        Overlay::Scopes { selected } => {
            let chosen = model.settings.scopes();
            let lines: Vec<(String, String)> = model
                .settings
                .scope_list()
                .into_iter()
                .map(|(value, purpose)| {
                    let tick = if chosen.contains(&value) {
                        "[x]"
                    } else {
                        "[ ]"
                    };
                    (format!("{tick} {value}"), purpose)
                })
                .collect();
            list(
                model,
                frame,
                area,
                "Scopes of this service",
                &lines,
                *selected,
                "",
            )
        }
        Overlay::Certificates { selected } => {
            let (head, lines) = configure::certificates(model);
            list(model, frame, area, &head, &lines, *selected, "")
        }
        Overlay::Delete { delete } => {
            let text = configure::before_delete(model);
            question(model, frame, area, &text, ["Back", "Delete"], *delete)
        }
        Overlay::Leave { leave } => {
            let text = "The tokens were not copied, saved or shown alone, or only sent to your terminal. If you leave now they are gone. Ctrl+C once more leaves as well.";
            question(model, frame, area, text, ["Stay", "Leave"], *leave)
        }
        Overlay::Scrollback { value, show, .. } => {
            let text = format!(
                "This value has {} characters and does not fit into this window. Shown outside, it stays in the scrollback of \
                 your terminal, where others may find it.",
                value.expose_secret().chars().count()
            );
            question(model, frame, area, &text, ["Back", "Show it"], *show)
        }
        Overlay::Plain { .. } | Overlay::Outside => None,
    }
}

/// The inside of the overlay: all between the rules of the screen.
fn inside(frame: &mut Frame<'_>, area: Rect) -> Rect {
    let inside = Rect::new(0, 2, area.width, area.height.saturating_sub(4));
    frame.render_widget(Clear, inside);
    inside
}

fn list(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    head: &str,
    lines: &[(String, String)],
    selected: usize,
    none: &str,
) -> Option<Position> {
    let theme = model.theme;
    let inside = inside(frame, area);
    let columns = usize::from(area.width);
    put(
        model.theme,
        frame,
        3,
        inside.y,
        Line::styled(head.to_owned(), theme.strong()),
    );
    // The marked entry stands below in full, where its row has no room for it.
    let full: Vec<String> = lines.get(selected).map_or_else(Vec::new, |(name, about)| {
        let whole = width(name) + width(about) + 7 <= columns && width(about) + 4 <= columns / 2;
        if whole || inside.height < 12 {
            return Vec::new();
        }
        let words = wrap(&format!("{name}: {about}"), columns.saturating_sub(6));
        fit(words, 2, columns.saturating_sub(6), theme.ellipsis())
    });
    let below = if inside.height < 12 { 0 } else { 3 };
    let list_end = inside.bottom().saturating_sub(below);
    for (y, line) in (list_end + 1..inside.bottom()).zip(full) {
        put(model.theme, frame, 3, y, Line::styled(line, theme.dim()));
    }
    let rows = usize::from(list_end.saturating_sub(inside.y + 2));
    let first = (selected + 1).saturating_sub(rows);
    let mut cursor = None;
    if lines.is_empty() {
        let rows = usize::from(inside.height.saturating_sub(2));
        let room = columns.saturating_sub(6);
        let words = fit(wrap(none, room), rows, room, theme.ellipsis());
        for (y, line) in (inside.y + 2..inside.bottom()).zip(words) {
            put(model.theme, frame, 3, y, Line::from(line));
        }
    }
    for (y, (at, (name, about))) in
        (inside.y + 2..list_end).zip(lines.iter().enumerate().skip(first))
    {
        let focused = at == selected;
        let style = if focused { theme.focus() } else { Style::new() };
        let about_room = (columns / 2).saturating_sub(4);
        let about = shorten(about, about_room, theme.ellipsis());
        let name = shorten(
            name,
            columns.saturating_sub(width(&about) + 7),
            theme.ellipsis(),
        );
        let gap = columns.saturating_sub(4 + width(&name) + width(&about));
        let spans = vec![
            Span::raw(format!(" {} ", if focused { theme.marker() } else { " " })),
            Span::styled(name, style),
            Span::raw(" ".repeat(gap)),
            Span::styled(about, theme.dim()),
        ];
        put(model.theme, frame, 0, y, Line::from(spans));
        if focused {
            cursor = Some(Position::new(3, y));
        }
    }
    cursor
}

fn help(model: &Model, scroll: usize, frame: &mut Frame<'_>, area: Rect) -> Position {
    let columns = usize::from(area.width.saturating_sub(5));
    let mut lines: Vec<Line<'_>> =
        vec![Line::styled("Keys", model.theme.strong()), Line::default()];
    let mut entry =
        |key: &str, words: &str| lines.extend(labelled(key, words, (columns / 3).min(24), columns));
    for (keys, words) in keys::help() {
        entry(&keys, words);
    }
    entry("", "");
    entry(
        "Outside of texts",
        "a letter presses a button of this screen:",
    );
    for action in model.buttons() {
        entry(&action.letter().to_string(), action.label(model));
    }
    read(model, lines, scroll, frame, area)
}

/// Words behind a label; one too long for its column has lines of its own.
fn labelled(label: &str, words: &str, indent: usize, columns: usize) -> Vec<Line<'static>> {
    let mut words = wrap(words, columns.saturating_sub(indent)).into_iter();
    let mut lines: Vec<Line<'_>> = if width(label) < indent {
        let first = words.next().unwrap_or_default();
        vec![Line::from(format!("{label:<indent$}{first}"))]
    } else {
        wrap(label, columns).into_iter().map(Line::from).collect()
    };
    lines.extend(words.map(|words| Line::from(format!("{}{words}", " ".repeat(indent)))));
    lines
}

/// What is known of the service, in words.
fn about(model: &Model, scroll: usize, frame: &mut Frame<'_>, area: Rect) -> Position {
    let preset = model.settings.preset();
    let columns = usize::from(area.width.saturating_sub(5));
    let mut lines = vec![
        Line::styled(preset.name.clone(), model.theme.strong()),
        Line::default(),
    ];
    let mut entry = |label: &str, text: &str| {
        lines.extend(labelled(label, text, (columns / 3).min(18), columns));
    };
    let fill = |text: &String| model.settings.fill(text);
    let optional = [
        ("Client ID from", preset.register_at.clone()),
        ("Client secret", preset.client.secret_note.clone()),
        ("Flow", preset.flows.why.clone()),
        ("Redirect URL", preset.redirect.note.clone()),
        (
            "Device code",
            preset
                .scope
                .device_note
                .clone()
                .or_else(|| preset.device.notes.clone()),
        ),
        ("PKCE", preset.client.pkce_note.clone()),
        ("Lifetime", preset.tokens.lifetime.clone()),
        ("Refresh", preset.tokens.rotation.clone()),
        ("Refresh token", preset.tokens.refresh_note.clone()),
        (
            "Who signed in",
            preset.endpoints.userinfo.as_ref().map(fill),
        ),
        ("Revocation", preset.endpoints.revocation.as_ref().map(fill)),
        (
            "Introspection",
            preset.endpoints.introspection.as_ref().map(fill),
        ),
    ];
    for (label, text) in optional {
        if let Some(text) = text {
            entry(label, &text);
        }
    }
    if let Some(mail) = &preset.mail {
        let servers = [
            ("IMAP", &mail.imap),
            ("POP3", &mail.pop3),
            ("SMTP", &mail.smtp),
            ("Mail", &mail.note),
        ];
        for (label, text) in servers {
            if let Some(text) = text {
                entry(label, text);
            }
        }
        if !mail.sasl.is_empty() {
            entry("SASL", &mail.sasl.join(", "));
        }
    }
    for (list, label) in [
        (&preset.notes, "Note"),
        (&preset.variants, "Also"),
        (&preset.unverified, "Not verified"),
    ] {
        for text in list {
            entry(label, text);
        }
    }
    read(model, lines, scroll, frame, area)
}

/// A text to be read, which scrolls.
fn read(
    model: &Model,
    lines: Vec<Line<'_>>,
    scroll: usize,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let inside = inside(frame, area);
    let height = usize::from(inside.height);
    let last = lines.len().saturating_sub(height);
    let below = scroll < last;
    for (y, line) in (inside.y..inside.bottom()).zip(lines.into_iter().skip(scroll.min(last))) {
        put(model.theme, frame, 3, y, line);
    }
    if below {
        let words = "more below";
        let x = area
            .width
            .saturating_sub(u16::try_from(width(words)).unwrap_or(0) + 1);
        put(
            model.theme,
            frame,
            x,
            inside.y,
            Line::styled(words, model.theme.dim()),
        );
    }
    Position::new(3, inside.y)
}

/// A line for the path; what is typed last stays in sight.
fn save(
    model: &Model,
    content: Content,
    path: &Editor,
    frame: &mut Frame<'_>,
    area: Rect,
) -> Position {
    let inside = inside(frame, area);
    let columns = usize::from(area.width.saturating_sub(6));
    let what = match content {
        Content::Trace | Content::Value(_) => content.words(),
        Content::Json => "tokens, with all that is known of them as JSON,",
    };
    let text = format!("Save the {what} to this file; one that is there is replaced.");
    let text = wrap(&text, columns);
    // The path comes below an empty row; a small window has none above.
    let height = usize::from(inside.height);
    let top = inside.y + u16::from(text.len() + 3 <= height);
    let room = height
        .saturating_sub(usize::from(top - inside.y) + 2)
        .max(1);
    let text = fit(text, room, columns, model.theme.ellipsis());
    let line = top + 1 + u16::try_from(text.len()).unwrap_or(1);
    for (y, words) in (top..inside.bottom()).zip(text) {
        put(model.theme, frame, 3, y, Line::from(words));
    }
    let (shown, column) = window(
        path.text(),
        path.cursor_column(),
        columns,
        model.theme.ellipsis(),
    );
    put(model.theme, frame, 3, line, Line::from(shown));
    let about = match content {
        Content::Trace => "",
        Content::Value(_) => {
            "The file will be private (mode 0600) where the file system supports it. Tab: all tokens as JSON instead."
        }
        Content::Json => {
            "The file will be private (mode 0600) where the file system supports it. Tab: the token alone instead."
        }
    };
    for (y, words) in (line + 2..inside.bottom()).zip(wrap(about, columns)) {
        put(
            model.theme,
            frame,
            3,
            y,
            Line::styled(words, model.theme.dim()),
        );
    }
    Position::new(3 + u16::try_from(column).unwrap_or(0), line)
}

/// Where the buttons of a question stand: an empty line below its text.
fn inside_height(lines: usize) -> u16 {
    u16::try_from(lines).unwrap_or(1) + 2
}

fn question(
    model: &Model,
    frame: &mut Frame<'_>,
    area: Rect,
    text: &str,
    buttons: [&str; 2],
    second: bool,
) -> Option<Position> {
    let theme = model.theme;
    let columns = usize::from(area.width.saturating_sub(6));
    let lines: Vec<String> = text.lines().flat_map(|line| wrap(line, columns)).collect();
    let below = inside_height(lines.len());
    let inside = inside(frame, area);
    let y = (inside.y + below).min(inside.bottom().saturating_sub(1));
    // The buttons stay, even where the text has no room.
    let rows = usize::from(y.saturating_sub(inside.y + 1));
    let lines = fit(lines, rows, columns, theme.ellipsis());
    for (y, line) in (inside.y + 1..y).zip(lines) {
        put(model.theme, frame, 3, y, Line::from(line));
    }
    let mut x = 3;
    let mut cursor = None;
    for (label, focused) in buttons.into_iter().zip([!second, second]) {
        let (next, at) = button(theme, frame, (x, y), label, focused);
        cursor = at.or(cursor);
        x = next;
    }
    cursor
}
