//! QR codes as they stand on the screen, read by a decoder.

use std::io::Write;
use std::path::Path;

use vt100::Color;

use crate::scripted::{DeviceFlow, Scripted};
use crate::servers::{Provider, run};
use crate::terminal::{Command, ENTER, ESC, RIGHT, Terminal};

/// The colors that a terminal has where none are asked for: of the background and of the text.
const DARK: (u8, u8) = (0, 255);
const LIGHT: (u8, u8) = (255, 0);
/// Pixels of a cell: columns and rows.
const CELL: (usize, usize) = (6, 12);

/// The screen as a terminal would draw it, in gray.
fn image(screen: &vt100::Screen, (background, foreground): (u8, u8)) -> Vec<u8> {
    let gray = |color: Color, default: u8| match color {
        Color::Default => default,
        Color::Idx(0) => 0,
        Color::Idx(15) => 255,
        Color::Idx(_) | Color::Rgb(..) => 128,
    };
    let (rows, columns) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (usize::from(columns) * CELL.0, usize::from(rows) * CELL.1);
    let mut pixels = vec![background; width * height];
    for row in 0..rows {
        for column in 0..columns {
            let cell = screen.cell(row, column).unwrap();
            let (mut fg, mut bg) = (
                gray(cell.fgcolor(), foreground),
                gray(cell.bgcolor(), background),
            );
            if cell.inverse() {
                (fg, bg) = (bg, fg);
            }
            let text = cell.contents().to_owned();
            for y in 0..CELL.1 {
                for x in 0..CELL.0 {
                    let ink = match text.as_str() {
                        "" | " " => false,
                        "▀" => y < CELL.1 / 2,
                        "▄" => y >= CELL.1 / 2,
                        // Any other glyph: some strokes.
                        _ => x % 3 == 1 && y % 4 != 0,
                    };
                    let at =
                        (usize::from(row) * CELL.1 + y) * width + usize::from(column) * CELL.0 + x;
                    pixels[at] = if ink { fg } else { bg };
                }
            }
        }
    }
    let mut image = format!("P5\n{width} {height}\n255\n").into_bytes();
    image.extend(pixels);
    image
}

/// What a decoder reads off the screen, on a dark and on a light terminal.
fn decoded(terminal: &Terminal, folder: &Path) -> [String; 2] {
    [DARK, LIGHT].map(|colors| {
        let path = folder.join("screen.pgm");
        let image = terminal.look(|screen| image(screen, colors));
        std::fs::File::create(&path)
            .unwrap()
            .write_all(&image)
            .unwrap();
        let mut zbarimg = std::process::Command::new("zbarimg");
        zbarimg.args(["--raw", "-q", "-Sdisable", "-Sqrcode.enable"]);
        run(zbarimg.arg(&path)).trim_end().to_owned()
    })
}

fn start(flow: DeviceFlow, env: &[(&str, &str)]) -> (Terminal, Scripted, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let (server, flags) = flow.start();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut command = Command::new(home.path(), &flags);
    for (name, value) in env {
        command = command.env(name, value);
    }
    let mut terminal = command.start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("Enter code");
    (terminal, server, home)
}

/// A URL of this many characters.
fn long(characters: usize) -> String {
    let base = "https://as.example/device?";
    format!(
        "{base}{}",
        "abcdefghijklmnop"
            .repeat(characters)
            .split_at(characters - base.len())
            .0
    )
}

#[test]
fn device_url_qr_codes_can_be_decoded() {
    for uri in [
        "https://www.google.com/device",
        "https://microsoft.com/devicelogin",
        "https://login.microsoft.com/device",
        "https://github.com/login/device",
        // The longest that fits into 24 rows.
        &long(106),
    ] {
        let (mut terminal, _server, home) = start(DeviceFlow::at(uri), &[]);
        terminal.focus("QR code");
        terminal.send(ENTER);
        terminal.wait_for("The QR code points to");
        assert_eq!(decoded(&terminal, home.path()), [uri, uri]);
        let screen = terminal.flat();
        assert!(
            screen.contains("Enter the code there") && screen.contains("WDJB-MJHT"),
            "{screen}"
        );
        // Esc closes it and no more.
        terminal.send(ESC);
        terminal.wait_for("Enter code");
    }
}

#[test]
fn complete_url_qr_code_can_be_decoded() {
    let home = tempfile::tempdir().unwrap();
    let provider = Provider::start(&[]);
    let mut flags = provider.flags();
    flags.extend(["--client-id", "public-native", "--scope", "openid"].map(str::to_owned));
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let mut terminal = Command::new(home.path(), &flags).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("With code");
    let url = terminal.url();
    terminal.send("q");
    terminal.wait_for("It includes the code");
    // The code alone as well, to compare it with the page.
    let (_, code) = url.split_once("user_code=").unwrap();
    let screen = terminal.screen();
    let lines = screen.lines();
    let mut lines = lines.skip_while(|line| !line.contains("It includes the code"));
    let below = lines.nth(1).unwrap_or_default();
    assert_eq!(below.split_whitespace().last(), Some(code), "{screen}");
    assert_eq!(
        decoded(&terminal, home.path()),
        [url.as_str(), url.as_str()]
    );
    assert!(
        terminal.flat().contains("This URL is on this machine."),
        "{}",
        terminal.screen()
    );
}

#[test]
fn qr_code_falls_back_to_the_shorter_url() {
    let uri = "https://as.example/device";
    let flow = DeviceFlow {
        complete: Some(long(300)),
        ..DeviceFlow::at(uri)
    };
    let (mut terminal, _server, home) = start(flow, &[]);
    terminal.send("q");
    terminal.wait_for("Enter the code there");
    assert_eq!(decoded(&terminal, home.path()), [uri, uri]);
}

#[test]
fn missing_qr_code_is_explained() {
    // A larger window would have room for it: the button says so under More.
    let (mut terminal, _server, _home) = start(DeviceFlow::at(&long(107)), &[]);
    assert!(!terminal.flat().contains("[q QR code]"));
    terminal.focus("More");
    terminal.send(ENTER);
    terminal.wait_for("Needs a window of 45 x 26.");
    terminal.send(ESC);
    terminal.wait_for("Enter code");
    for env in [("NO_COLOR", "1"), ("TERM", "linux"), ("LANG", "C")] {
        let (terminal, _server, _home) = start(DeviceFlow::at("https://as.example/device"), &[env]);
        assert!(!terminal.flat().contains("QR code"), "{env:?}");
    }
}

#[test]
fn authorization_url_has_qr_code_if_it_fits() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal.focus("Flow");
    terminal.send(RIGHT);
    terminal.wait_for("(•) Authorization code");
    terminal.focus("Authorize");
    terminal.send(ENTER);
    terminal.wait_for("for the browser at http://127.0.0.1:");
    let url = terminal.url();
    assert!(!terminal.flat().contains("[q QR code]"));
    terminal.resize(120, 60);
    terminal.wait_for("[q QR code]");
    terminal.send("q");
    terminal.wait_for("The QR code points to");
    assert_eq!(
        decoded(&terminal, home.path()),
        [url.as_str(), url.as_str()]
    );
    // A window that is too small for it shows it no more, and says so.
    terminal.resize(80, 24);
    terminal.wait_for("QR code unavailable: the URL has ");
    assert!(terminal.flat().contains("URL, code or error text"));
}

#[test]
fn qr_code_closes_when_tokens_arrive() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &["--demo"]).start();
    terminal.wait_for("[a Authorize]");
    terminal.send(ENTER);
    terminal.wait_for("With code");
    let url = terminal.url();
    terminal.send("q");
    terminal.wait_for("The QR code points to");
    run(std::process::Command::new("curl").args(["-sS", "-d", "decision=approve", &url]));
    terminal.wait_for("Access token");
    assert!(!terminal.flat().contains("The QR code points to"));
}
