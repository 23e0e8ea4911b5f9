//! Standard input, whatever other programs have done to it.

use std::io::{self, BufRead, Read, StdinLock};

/// Standard input. A program that shares it, such as node, may have made it non-blocking: reading waits for input all
/// the same. [`Read::read`] waits while the program is a background job of a terminal, because reading would stop it.
#[derive(Debug)]
pub struct StandardInput(StdinLock<'static>);

impl StandardInput {
    /// Locks standard input.
    #[must_use]
    pub fn lock() -> Self {
        Self(io::stdin().lock())
    }
}

impl Read for StandardInput {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        before()?;
        loop {
            match self.0.read(buffer) {
                Err(error) if must_wait(&error)? => {}
                outcome => return outcome,
            }
        }
    }
}

impl BufRead for StandardInput {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        loop {
            match self.0.fill_buf() {
                Err(error) if must_wait(&error)? => {}
                Err(error) => return Err(error),
                // At the end, a terminal would be read again.
                Ok([]) => return Ok(&[]),
                Ok(_) => break,
            }
        }
        self.0.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.0.consume(count);
    }
}

/// Waits until the program may read a terminal.
fn before() -> io::Result<()> {
    #[cfg(unix)]
    if io::IsTerminal::is_terminal(&io::stdin()) {
        super::device::wait_for_input(io::stdin())?;
    }
    Ok(())
}

/// Returns whether the error means that there is no input yet, and waits for it.
fn must_wait(error: &io::Error) -> io::Result<bool> {
    let must_wait = cfg!(unix) && error.kind() == io::ErrorKind::WouldBlock;
    #[cfg(unix)]
    if must_wait {
        super::device::wait_for_input(io::stdin())?;
    }
    Ok(must_wait)
}
