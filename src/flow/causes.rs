//! Finds the cause of an error in the chain of errors that libraries return.

use std::error::Error;
use std::io;

use crate::clean::{TEXT_LIMIT, clean, system_reason};

/// Finds the TLS error in a chain of causes, at any depth of nested I/O errors.
pub(super) fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut source = error.source();
    while let Some(cause) = source {
        let mut inner: Option<&'a (dyn Error + 'static)> = Some(cause);
        while let Some(error) = inner {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            inner = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref)
                .map(|inner| inner as &(dyn Error + 'static));
        }
        source = cause.source();
    }
    None
}

/// Returns whether a connection ended without an error of the network, but also without the message that ends TLS.
pub(super) fn is_end_of_connection(error: &(dyn Error + 'static)) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        let io = cause.downcast_ref::<io::Error>();
        if io.is_some_and(|error| error.kind() == io::ErrorKind::UnexpectedEof) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// Returns the last cause of the chain, which says most. The first only says that the request failed.
pub(super) fn last_cause(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = cause.to_string();
        source = cause.source();
    }
    // The words of the TLS library.
    if text.starts_with("peer closed connection without sending TLS close_notify") {
        return "the server closed the connection".to_owned();
    }
    system_reason(&clean(&text, TEXT_LIMIT)).to_owned()
}
