//! The pictures of the documents, drawn from the fixtures; `OAUTH_AUTHORIZER_WRITE_SNAPSHOTS=1` writes them again.
//!
//! Each is a standalone SVG without fonts and scripts. It has a text element for each stretch of one style, set to the
//! width of its cells, so that columns stay aligned in any monospaced font.

use std::fs;
use std::path::Path;

use oauth_authorizer::console::clipboard::CopiedBy;
use oauth_authorizer::flow::event::{FlowEvent, Step};
use oauth_authorizer::oauth::device::Note;
use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::app::fixtures::named;
use crate::app::{App, CLIENT, Drawn, TMUX, WINDOWS, width};

/// Width and height of a cell, in pixels.
const CELL: (usize, usize) = (9, 19);
/// Margin around the cells, in pixels.
const MARGIN: usize = 16;
/// The default colors of the terminal, legible on a light or dark page.
const BACK: &str = "#16181d";
const FRONT: &str = "#d6d9e0";
const DIM: &str = "#8a909c";

/// Width and height of the picture of a screen, in pixels.
fn size(columns: usize, rows: usize) -> (usize, usize) {
    (columns * CELL.0 + 2 * MARGIN, rows * CELL.1 + 2 * MARGIN)
}

fn color(color: Color) -> &'static str {
    match color {
        Color::Red => "#ff7b72",
        Color::Green => "#6fcf87",
        Color::Cyan => "#62c6d9",
        _ => FRONT,
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Foreground and background color of a cell, and whether it is bold.
fn style(cell: &Cell) -> (&'static str, Option<&'static str>, bool) {
    let bold = cell.modifier.contains(Modifier::BOLD);
    let front = if cell.modifier.contains(Modifier::DIM) {
        DIM
    } else {
        color(cell.fg)
    };
    if cell.modifier.contains(Modifier::REVERSED) {
        (BACK, Some(front), bold)
    } else {
        (front, None, bold)
    }
}

/// The SVG elements for the cells of a screen and its cursor.
fn cells(drawn: &Drawn) -> String {
    let columns = usize::from(drawn.buffer.area.width);
    let mut svg = String::new();
    for (y, row) in drawn.buffer.content.chunks(columns).enumerate() {
        let mut at = 0;
        for stretch in row.chunk_by(|a, b| style(a) == style(b)) {
            let (front, back, bold) = style(&stretch[0]);
            let text: String = stretch.iter().map(Cell::symbol).collect();
            let left = MARGIN + at * CELL.0;
            at += stretch.len();
            if let Some(back) = back {
                svg += &format!(
                    "<rect x=\"{left}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{back}\"/>\n",
                    MARGIN + y * CELL.1,
                    stretch.len() * CELL.0,
                    CELL.1
                );
            }
            let indent = width(&text) - width(text.trim_start());
            let text = text.trim();
            if text.is_empty() {
                continue;
            }
            let bold = if bold { " font-weight=\"bold\"" } else { "" };
            svg += &format!(
                "<text x=\"{}\" y=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{front}\"{bold} \
                 xml:space=\"preserve\">{}</text>\n",
                left + indent * CELL.0,
                MARGIN + y * CELL.1 + 14,
                width(text) * CELL.0,
                escaped(text)
            );
        }
    }
    if let Some(cursor) = drawn.cursor {
        svg += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"2\" fill=\"{FRONT}\"/>\n",
            MARGIN + usize::from(cursor.x) * CELL.0,
            MARGIN + usize::from(cursor.y) * CELL.1 + CELL.1 - 2,
            CELL.0
        );
    }
    svg
}

/// An SVG picture with this content.
fn picture(title: &str, (width, height): (usize, usize), inside: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"15\" \
         role=\"img\">\n<title>{}</title>\n<rect x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"9\" fill=\"{BACK}\" \
         stroke=\"#4a505c\"/>\n{inside}</svg>\n",
        escaped(title),
        width - 1,
        height - 1
    )
}

/// Compares a picture with the stored one.
fn assert_picture(name: &str, svg: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs/pictures")
        .join(format!("{name}.svg"));
    if std::env::var_os("OAUTH_AUTHORIZER_WRITE_SNAPSHOTS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, svg).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept.replace('\r', "") == svg,
        "{} differs; OAUTH_AUTHORIZER_WRITE_SNAPSHOTS=1 rewrites it",
        path.display()
    );
}

#[test]
fn pictures_match_the_screens() {
    let remote = TMUX.environment();
    let windows = WINDOWS.environment();
    for (name, title, columns, rows, place) in [
        ("form-preset", "The form, with a preset", 80, 24, &remote),
        ("form-remedy", "A problem, and its remedy", 80, 24, &remote),
        ("device-slow-down", "The device code flow", 80, 24, &remote),
        (
            "code-paste-box",
            "The authorization code flow",
            80,
            24,
            &remote,
        ),
        ("failed-explained", "An error, explained", 80, 24, &remote),
        ("tokens", "The tokens", 80, 24, &remote),
        ("mail-test-failed", "The mail test", 80, 24, &remote),
        ("profiles", "The profiles", 80, 24, &remote),
        ("trace", "The trace", 80, 24, &remote),
        ("help", "The keys", 80, 24, &remote),
        ("configure-done", "Configure… on Windows", 80, 24, &windows),
        ("configure", "Configure…", 80, 24, &remote),
        ("wide", "A wide window", 132, 30, &remote),
    ] {
        let fixture = if name == "wide" {
            "device-complete-url"
        } else {
            name
        };
        let drawn = named(fixture).app(place.clone()).draw(columns, rows);
        let size = size(columns.into(), rows.into());
        assert_picture(name, &picture(title, size, &cells(&drawn)));
    }
}

/// The frames of a whole device flow, each with the number of seconds that it is shown.
fn frames() -> Vec<(Drawn, usize)> {
    let mut app = App::new(TMUX.environment());
    let mut frames = Vec::new();
    let mut show = |app: &mut App, seconds| frames.push((app.draw(80, 24), seconds));
    show(&mut app, 2);
    show(app.press("Preset"), 1);
    show(app.typed("365"), 2);
    show(app.keys("<enter>"), 2);
    show(app.go("Client ID").paste(CLIENT), 1);
    show(app.keys("<enter>"), 2);
    app.press("Authorize")
        .flow(FlowEvent::Began(Step::DeviceCode))
        .device_code(true);
    show(&mut app, 3);
    for times in 1..4 {
        show(app.after(5).polled(times, Note::Pending), 1);
    }
    show(app.after(5).approved(), 4);
    show(app.keys("c").copied(Some(CopiedBy::Tmux), ""), 4);
    frames
}

#[test]
fn animated_picture_shows_a_complete_device_flow() {
    let frames = frames();
    let all: usize = frames.iter().map(|(_, seconds)| seconds).sum();
    let mut inside = String::from("<style>g{visibility:hidden}#f0{visibility:visible}</style>\n");
    let mut at = 0;
    for (number, (drawn, seconds)) in frames.iter().enumerate() {
        let share = |seconds: usize| format!("{}%", seconds * 10_000 / all / 100);
        let (from, to) = (share(at), share(at + seconds));
        at += seconds;
        // Each frame is shown until the next one begins.
        let before = if from == "0%" {
            String::new()
        } else {
            "0%{visibility:hidden}".to_owned()
        };
        let after = if to == "100%" {
            String::new()
        } else {
            format!("{to}{{visibility:hidden}}")
        };
        // Users who prefer reduced motion see the first frame.
        inside += &format!(
            "<style>@keyframes f{number}{{{before}{from}{{visibility:visible}}{after}100%{{visibility:{}}}}}\
             @media (prefers-reduced-motion:no-preference){{#f{number}{{animation:f{number} {all}s step-end infinite}}}}</style>\n<g id=\"f{number}\">\n{}</g>\n",
            if to == "100%" { "visible" } else { "hidden" },
            cells(drawn)
        );
    }
    assert_picture(
        "device-flow",
        &picture(
            "A device code flow, from the preset to the tokens",
            size(80, 24),
            &inside,
        ),
    );
}

#[test]
fn the_documents_show_every_picture() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| fs::read_to_string(root.join(name)).unwrap();
    let documents = read("README.md") + &read("docs/guide.md") + &read("docs/profiles.md");
    for entry in fs::read_dir(root.join("docs/pictures")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            documents.contains(&format!("pictures/{name}")),
            "{name} is not shown"
        );
    }
}
