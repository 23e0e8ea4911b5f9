//! Why the screen could not be shown, or ended.

use std::io;

/// Why the screen could not be shown, or ended.
#[derive(Debug, thiserror::Error)]
pub enum TuiError {
    /// There is no terminal to draw on.
    #[error(
        "No terminal available: {0}. Run the program in a terminal, for example with ssh -t, docker run -it or kubectl \
             exec -it, or use --plain."
    )]
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
