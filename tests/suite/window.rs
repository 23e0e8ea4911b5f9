//! Windows of odd sizes: unknown, huge, changed without a word.

use crate::terminal::{Command, TAB, is_focused};

#[test]
fn where_the_terminal_does_not_know_its_size_80_by_24_are_drawn() {
    for (cols, rows) in [(0, 0), (80, 0), (0, 24)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::new(home.path(), &[]).start_sized(cols, rows);
        terminal.wait_for("[ Authorize ]");
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
fn a_window_of_many_cells_is_drawn_from_its_top() {
    for (cols, rows) in [(500, 200), (154, 640)] {
        let home = tempfile::tempdir().unwrap();
        let mut terminal = Command::new(home.path(), &[]).start_sized(cols, rows);
        terminal.wait_for("[ Authorize ]");
        terminal.wait_for("OAuth Authorizer");
        terminal.wait_for("Client secret");
        terminal.send(TAB);
        terminal.wait_until("the next item", |screen| is_focused(screen, "Client ID"));
    }
}
