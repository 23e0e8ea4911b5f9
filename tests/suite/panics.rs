//! Enters the terminal with the program's own guard, and then panics while drawing or in a task.

#![allow(clippy::panic, clippy::exit, reason = "that is what it is for")]

use crossterm::execute;
use crossterm::terminal::EnterAlternateScreen;
use oauth_authorizer::tui::terminal::guard::{self, Guard};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

fn main() -> std::io::Result<()> {
    let place = std::env::args().nth(1).unwrap_or_default();
    let output = guard::output()?;
    let guard = Guard::enter(output.try_clone()?)?;
    assert!(guard::may_draw());
    let mut backend = CrosstermBackend::new(output);
    execute!(backend, EnterAlternateScreen)?;
    let mut terminal = Terminal::new(backend)?;
    terminal.draw(|frame| frame.render_widget("drawn", frame.area()))?;
    if place == "draw" {
        terminal.draw(|_| panic!("s3cret-in-a-panic"))?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        tokio::spawn(async { panic!("s3cret-in-a-panic") });
        guard::panicked().await;
    });
    drop(guard);
    std::process::exit(1)
}
