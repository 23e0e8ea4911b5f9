//! The error type of the full-screen front end.

use std::io;

/// What the user can do without a terminal.
const WITHOUT_TERMINAL: &str = if cfg!(windows) {
    "Run the program in a console window or over SSH. In PowerShell remoting, which has no console, use --plain, for example \
     --plain --print access-token."
} else {
    "Run the program in a terminal, for example with ssh -t, docker run -it or kubectl exec -it, or use --plain."
};

/// Why the full-screen front end could not start, or ended early.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal to draw on.
    #[error("No terminal available: {0}. {help}", help = WITHOUT_TERMINAL)]
    NoTerminal(io::Error),
    /// The terminal could not be set up or drawn on.
    #[error("The terminal can't be used: {0}.")]
    Terminal(#[from] io::Error),
    /// The result that the caller requested could not be printed.
    #[error("{0}")]
    Print(String),
    /// A file could not be saved.
    #[error("{0}")]
    Save(String),
    /// A bug in the program; the panic hook has already printed its location.
    #[error("The program ended because of a bug. Nothing was saved.")]
    Defect,
}
