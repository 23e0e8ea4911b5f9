//! Why the screen could not be shown, or ended.

use std::io;

/// What to do without a terminal.
const WITHOUT_TERMINAL: &str = if cfg!(windows) {
    "Run the program in a console window or over SSH. In PowerShell remoting, which has no console, use --plain, for example \
     --plain --print access-token."
} else {
    "Run the program in a terminal, for example with ssh -t, docker run -it or kubectl exec -it, or use --plain."
};

/// Why the screen could not be shown, or ended.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal to draw on.
    #[error("No terminal available: {0}. {help}", help = WITHOUT_TERMINAL)]
    NoTerminal(io::Error),
    /// The terminal could not be set up or drawn on.
    #[error("The terminal can't be used: {0}.")]
    Terminal(#[from] io::Error),
    /// What the caller waits for could not be printed.
    #[error("{0}")]
    Print(String),
    /// A file was not written.
    #[error("{0}")]
    Save(String),
    /// A defect; the guard has said where.
    #[error("The program ended because of a bug. Nothing was saved.")]
    Defect,
}
