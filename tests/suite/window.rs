//! Windows of unusual sizes: unknown, huge, or changed without a signal.

use crate::terminal::{Command, TAB, is_focused};

#[test]
fn unknown_window_size_defaults_to_80_by_24() {
    for (cols, rows) in [(0, 0), (80, 0), (0, 24)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::new(home.path(), &[]).start_sized(cols, rows);
        terminal.wait_for("[a Authorize]");
        terminal.send(TAB);
        terminal.wait_until("the next item", |screen| is_focused(screen, "Client ID"));
        assert_eq!(
            terminal.screen().lines().next().unwrap().len(),
            79,
            "{}",
            terminal.screen()
        );
    }
}

#[test]
fn very_large_window_is_drawn_from_the_top() {
    for (cols, rows) in [(500, 200), (154, 640)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::new(home.path(), &[]).start_sized(cols, rows);
        terminal.wait_for("[a Authorize]");
        terminal.wait_for("OAuth Authorizer");
        terminal.wait_for("Client secret");
        terminal.send(TAB);
        terminal.wait_until("the next item", |screen| is_focused(screen, "Client ID"));
    }
}

#[test]
fn unknown_window_size_is_read_from_environment_variables() {
    for (variables, columns, rows) in [
        ([("COLUMNS", "100"), ("LINES", "abc")], 99, 24),
        ([("COLUMNS", "0"), ("LINES", "20")], 79, 20),
        ([("COLUMNS", "-5"), ("LINES", "99999999")], 79, 24),
    ] {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(home.path(), &[]);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let terminal = command.start_sized(0, 0);
        // As wide as the drawing, so that no row is wrapped.
        terminal.resize_emulator(110, 40);
        terminal.wait_for("[a Authorize]");
        // The screen fills all rows, and the title all columns.
        let screen = terminal.screen();
        assert_eq!(screen.lines().count(), rows, "{variables:?}\n{screen}");
        let title = screen.lines().next().unwrap();
        assert_eq!(title.chars().count(), columns, "{variables:?}\n{screen}");
    }
}

#[test]
fn screen_survives_unknown_and_single_cell_window_sizes() {
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Command::new(home.path(), &[]).start_sized(100, 30);
    terminal.wait_for("[a Authorize]");
    for (cols, rows) in [(1, 1), (u16::MAX, 1), (1, u16::MAX), (0, 0), (0, 1)] {
        terminal.resize(cols, rows);
        terminal.settle();
        terminal.resize(100, 30);
        terminal.wait_for("[a Authorize]");
        assert!(terminal.screen().contains("OAuth Authorizer"));
        terminal.send(TAB);
        terminal.settle();
        assert!(!terminal.has_ended());
    }
    terminal.resize(0, 0);
    terminal.wait_until("80 columns", |screen| {
        let contents = screen.contents();
        contents.contains("[a Authorize]") && contents.lines().next().unwrap().len() == 79
    });
}
