//! The memory that HTTP.sys receives requests in, and what is read out of it. It is wiped after each request.

#![allow(
    unsafe_code,
    reason = "the HTTP Server API is a C interface; each block says why it is sound"
)]

use std::net::IpAddr;

use http::Method;
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_REQUEST_V1, HTTP_REQUEST_V2, HttpHeaderContentLength, HttpHeaderContentType,
    HttpHeaderHost, HttpVerbGET, HttpVerbPOST,
};
use zeroize::{Zeroize, Zeroizing};

use crate::httpsys::api::address;

/// A request with all its headers; a callback with a long code fits.
const REQUEST_BYTES: usize = 64 * 1024;

/// A request, read out of the kernel's structure.
pub(super) struct Seen {
    pub(super) id: u64,
    pub(super) method: Method,
    /// Path and query as sent; a code may be in it.
    pub(super) target: Zeroizing<String>,
    pub(super) host: Option<String>,
    pub(super) content_type: Option<String>,
    pub(super) content_length: Option<String>,
    pub(super) from: Option<IpAddr>,
}

/// The memory that requests are received in. It holds a code as long as a request is in it, and is wiped after each.
pub(super) struct Buffer(Zeroizing<Vec<u64>>);

impl Buffer {
    pub(super) fn new() -> Self {
        // The structure holds pointers, so its memory is aligned like them.
        Self(Zeroizing::new(vec![0; REQUEST_BYTES / size_of::<u64>()]))
    }

    /// To be filled in by the kernel.
    pub(super) fn memory(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Copies what is needed out of a request that was received whole.
    ///
    /// # Safety
    /// The kernel has filled in the structure, and its pointers lead into this memory.
    pub(super) unsafe fn take(&mut self) -> Seen {
        // SAFETY: as promised by the caller; the memory is not changed while this reference lives.
        let seen = parse_request(unsafe { &(*self.0.as_ptr().cast::<HTTP_REQUEST_V2>()).Base });
        self.0.as_mut_slice().zeroize();
        seen
    }

    /// The number of a request that was too large.
    ///
    /// # Safety
    /// The kernel has written the fixed part of the structure there.
    pub(super) unsafe fn take_number(&mut self) -> u64 {
        // SAFETY: the memory is larger than the structure, aligned, and filled in as promised by the caller.
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
        // Which of the others it was does not matter.
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
        // SAFETY: null, or a socket address of the family that it names.
        from: unsafe { address(request.Address.pRemoteAddress) }.map(|ip| ip.to_canonical()),
    }
}

/// # Safety
/// `start` is null or leads to `length` bytes.
unsafe fn text(start: *const u8, length: u16) -> Option<String> {
    if start.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    let bytes = unsafe { std::slice::from_raw_parts(start, length.into()) };
    Some(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Puts a request with this target into a buffer, as the kernel does.
    fn received(target: &str) -> Buffer {
        let mut buffer = Buffer::new();
        let request = buffer.0.as_mut_ptr().cast::<HTTP_REQUEST_V2>();
        // SAFETY: the memory is larger than the structure and the text behind it, and aligned.
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
    fn the_memory_of_a_request_is_wiped_once_it_is_read() {
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
