//! The buffer for requests from HTTP.sys, and the values read from it. It is wiped after each request.

#![allow(
    unsafe_code,
    reason = "the HTTP Server API is a C interface; each block explains why it is sound"
)]

use std::net::IpAddr;

use http::Method;
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_REQUEST_V1, HTTP_REQUEST_V2, HttpHeaderContentLength, HttpHeaderContentType,
    HttpHeaderHost, HttpVerbGET, HttpVerbPOST,
};
use zeroize::{Zeroize, Zeroizing};

use crate::httpsys::api::address;

/// Maximum size of a request with all its headers, in bytes. A callback with a long code fits.
const REQUEST_BYTES: usize = 64 * 1024;

/// A request, copied from the kernel's structure.
pub(super) struct Seen {
    pub(super) id: u64,
    pub(super) method: Method,
    /// Path and query as sent. May contain a code.
    pub(super) target: Zeroizing<String>,
    pub(super) host: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content_length: Option<String>,
    pub(super) from: Option<IpAddr>,
}

/// The buffer for requests. It may contain a code, so it is wiped after each request.
pub(super) struct Buffer(Zeroizing<Vec<u64>>);

impl Buffer {
    pub(super) fn new() -> Self {
        // The structure contains pointers, so its memory needs their alignment.
        Self(Zeroizing::new(vec![0; REQUEST_BYTES / size_of::<u64>()]))
    }

    /// Returns the memory for the kernel to fill in.
    pub(super) fn memory(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Copies the needed values of a completely received request.
    ///
    /// # Safety
    /// The kernel has filled in the structure, and its pointers point into this memory.
    pub(super) unsafe fn take(&mut self) -> Seen {
        // SAFETY: the caller guarantees this; the memory doesn't change while this reference exists.
        let seen = parse_request(unsafe { &(*self.0.as_ptr().cast::<HTTP_REQUEST_V2>()).Base });
        self.0.as_mut_slice().zeroize();
        seen
    }

    /// Returns the ID of a request that was too large.
    ///
    /// # Safety
    /// The kernel has written the fixed part of the structure to this memory.
    pub(super) unsafe fn take_number(&mut self) -> u64 {
        // SAFETY: the memory is larger than the structure and aligned, and the caller guarantees that it is filled in.
        let number = unsafe { (*self.0.as_ptr().cast::<HTTP_REQUEST_V2>()).Base.RequestId };
        self.0.as_mut_slice().zeroize();
        number
    }
}

fn parse_request(request: &HTTP_REQUEST_V1) -> Seen {
    let header = |number: i32| &request.Headers.KnownHeaders[number as usize];
    let host = header(HttpHeaderHost);
    let kind = header(HttpHeaderContentType);
    let length = header(HttpHeaderContentLength);
    // SAFETY: pointer and length belong together.
    let target = unsafe { text(request.pRawUrl, request.RawUrlLength) };
    Seen {
        id: request.RequestId,
        // Other methods don't need to be distinguished.
        method: match request.Verb {
            verb if verb == HttpVerbGET => Method::GET,
            verb if verb == HttpVerbPOST => Method::POST,
            _ => Method::OPTIONS,
        },
        target: target.unwrap_or_default().into(),
        // SAFETY: pointer and length belong together.
        host: unsafe { text(host.pRawValue, host.RawValueLength) },
        // SAFETY: pointer and length belong together.
        content_type: unsafe { text(kind.pRawValue, kind.RawValueLength) },
        // SAFETY: pointer and length belong together.
        content_length: unsafe { text(length.pRawValue, length.RawValueLength) },
        // SAFETY: the pointer is null, or points to a socket address of the family that the address names.
        from: unsafe { address(request.Address.pRemoteAddress) }.map(|ip| ip.to_canonical()),
    }
}

/// # Safety
/// `start` is null or points to `length` bytes.
unsafe fn text(start: *const u8, length: u16) -> Option<String> {
    if start.is_null() {
        return None;
    }
    // SAFETY: the caller guarantees this.
    let bytes = unsafe { std::slice::from_raw_parts(start, length.into()) };
    Some(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes a request with this target to a buffer, as the kernel does.
    fn received(target: &str) -> Buffer {
        let mut buffer = Buffer::new();
        let request = buffer.0.as_mut_ptr().cast::<HTTP_REQUEST_V2>();
        // SAFETY: the memory is aligned, and larger than the structure and the text after it.
        unsafe {
            let behind = request.add(1).cast::<u8>();
            behind.copy_from_nonoverlapping(target.as_ptr(), target.len());
            (*request).Base.RequestId = 7;
            (*request).Base.Verb = HttpVerbGET;
            (*request).Base.pRawUrl = behind;
            (*request).Base.RawUrlLength = target.len() as u16;
        }
        buffer
    }

    #[test]
    fn request_buffer_is_wiped_after_reading() {
        let target = "/callback?code=secret&state=x";
        let mut buffer = received(target);
        // SAFETY: filled in above.
        let seen = unsafe { buffer.take() };
        assert_eq!((seen.id, seen.target.as_str()), (7, target));
        assert!(buffer.0.iter().all(|word| *word == 0));
        let mut buffer = received(target);
        // SAFETY: filled in above.
        assert_eq!(unsafe { buffer.take_number() }, 7);
        assert!(buffer.0.iter().all(|word| *word == 0));
    }
}
