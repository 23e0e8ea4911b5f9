//! Wraps the handles and objects of the HTTP Server API of Windows (version 2.0). Dropping them releases them.

#![allow(
    unsafe_code,
    reason = "the HTTP Server API is a C interface; each block explains why it is sound"
)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::time::Instant;

use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_IO_PENDING, HANDLE, NO_ERROR, WAIT_OBJECT_0,
};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_BINDING_INFO, HTTP_INITIALIZE, HTTP_INITIALIZE_CONFIG, HTTP_INITIALIZE_SERVER,
    HTTP_PROPERTY_FLAGS, HTTPAPI_VERSION, HttpServerBindingProperty,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
};

use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{
    CreateEventW, ResetEvent, SetEvent, WaitForMultipleObjects,
};

use super::library::{
    HttpAddUrlToUrlGroup, HttpCloseRequestQueue, HttpCloseServerSession, HttpCloseUrlGroup,
    HttpCreateRequestQueue, HttpCreateServerSession, HttpCreateUrlGroup, HttpInitialize,
    HttpReceiveRequestEntityBody, HttpRemoveUrlFromUrlGroup, HttpSetUrlGroupProperty,
    HttpTerminate,
};
use crate::windows::{checked, last_error, wide};

const VERSION: HTTPAPI_VERSION = HTTPAPI_VERSION {
    HttpApiMajorVersion: 2,
    HttpApiMinorVersion: 0,
};

/// A guard: this process uses a part of the API. Each part has its own guard, because not every system can initialize
/// both in one call.
pub(crate) struct Api(HTTP_INITIALIZE);

impl Api {
    /// Initializes the server part.
    pub(crate) fn listener() -> Result<Self, u32> {
        Self::start(HTTP_INITIALIZE_SERVER)
    }

    /// Initializes the configuration part.
    pub(crate) fn configuration() -> Result<Self, u32> {
        Self::start(HTTP_INITIALIZE_CONFIG)
    }

    fn start(part: HTTP_INITIALIZE) -> Result<Self, u32> {
        // SAFETY: the last argument is reserved and null.
        checked(unsafe { HttpInitialize(VERSION, part, null_mut()) })?;
        Ok(Self(part))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        // SAFETY: pairs with the call in `start`.
        unsafe { HttpTerminate(self.0, null_mut()) };
    }
}

/// A manual-reset event of Windows.
#[derive(Debug)]
pub(crate) struct Event(OwnedHandle);

impl Event {
    pub(crate) fn new() -> Result<Self, u32> {
        // SAFETY: no pointer is passed; the handle is checked.
        let handle = unsafe { CreateEventW(null(), 1, 0, null()) };
        if handle.is_null() {
            return Err(last_error());
        }
        // SAFETY: the handle was just created, and this process owns it.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// Returns the handle, which is valid as long as `self`.
    pub(crate) fn handle(&self) -> HANDLE {
        self.0.as_raw_handle()
    }

    pub(crate) fn set(&self) {
        // SAFETY: the handle is valid as long as `self`.
        unsafe { SetEvent(self.handle()) };
    }

    pub(crate) fn reset(&self) {
        // SAFETY: the handle is valid as long as `self`.
        unsafe { ResetEvent(self.handle()) };
    }
}

/// A server session.
pub(crate) struct Session(u64);

impl Session {
    pub(crate) fn new() -> Result<Self, u32> {
        let mut id = 0;
        // SAFETY: `id` outlives the call.
        checked(unsafe { HttpCreateServerSession(VERSION, &raw mut id, 0) })?;
        Ok(Self(id))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // SAFETY: this value owns the ID, which is closed once.
        unsafe { HttpCloseServerSession(self.0) };
    }
}

/// A group of URLs that share a request queue.
pub(crate) struct Group(u64);

impl Group {
    pub(crate) fn new(session: &Session) -> Result<Self, u32> {
        let mut id = 0;
        // SAFETY: `id` outlives the call.
        checked(unsafe { HttpCreateUrlGroup(session.0, &raw mut id, 0) })?;
        Ok(Self(id))
    }

    pub(crate) fn bind(&self, queue: &Queue) -> Result<(), u32> {
        let info = HTTP_BINDING_INFO {
            // Bit 0 (`Present`): the structure is filled in.
            Flags: HTTP_PROPERTY_FLAGS { _bitfield: 1 },
            RequestQueueHandle: queue.0,
        };
        // SAFETY: `info` is the type that this property requires, and its size is passed.
        checked(unsafe {
            HttpSetUrlGroupProperty(
                self.0,
                HttpServerBindingProperty,
                (&raw const info).cast(),
                size_of::<HTTP_BINDING_INFO>() as u32,
            )
        })
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: this value owns the ID, which is closed once.
        unsafe { HttpCloseUrlGroup(self.0) };
    }
}

/// The queue of requests.
pub(crate) struct Queue(HANDLE);

impl Queue {
    /// Receives more of a request's body. Returns the number of bytes; 0 at its end.
    pub(crate) fn receive_body(
        &self,
        id: u64,
        buffer: &mut [u8],
        arrived: &Event,
        stop: &Event,
        deadline: Instant,
    ) -> Result<usize, ()> {
        arrived.reset();
        let mut overlapped = OVERLAPPED {
            hEvent: arrived.handle(),
            ..OVERLAPPED::default()
        };
        let bytes = u32::try_from(buffer.len()).unwrap_or(u32::MAX);
        // SAFETY: `buffer` has the length that is passed. It and `overlapped` stay in place until the kernel has
        // released them, which every path below waits for.
        let code = unsafe {
            HttpReceiveRequestEntityBody(
                self.handle(),
                id,
                0,
                buffer.as_mut_ptr().cast(),
                bytes,
                null_mut(),
                &raw mut overlapped,
            )
        };
        let outcome = match code {
            NO_ERROR | ERROR_IO_PENDING => {
                let left = deadline
                    .saturating_duration_since(Instant::now())
                    .as_millis();
                let left = u32::try_from(left).unwrap_or(0);
                let handles = [stop.handle(), arrived.handle()];
                let came = code == NO_ERROR
                    // SAFETY: both handles are valid for the whole call.
                    || unsafe { WaitForMultipleObjects(2, handles.as_ptr(), 0, left) }
                        == WAIT_OBJECT_0 + 1;
                if !came {
                    // SAFETY: `overlapped` belongs to the call in progress; if that has ended, this does nothing.
                    unsafe { CancelIoEx(self.handle(), &raw const overlapped) };
                }
                let mut count = 0;
                // SAFETY: waits until the kernel has released `overlapped` and `buffer`.
                let done = unsafe {
                    GetOverlappedResult(self.handle(), &raw const overlapped, &raw mut count, 1)
                };
                match done {
                    _ if !came => return Err(()),
                    0 => Err(last_error()),
                    _ => Ok(count as usize),
                }
            }
            code => Err(code),
        };
        match outcome {
            Ok(count) => Ok(count),
            Err(ERROR_HANDLE_EOF) => Ok(0),
            Err(_) => Err(()),
        }
    }
}

impl Queue {
    pub(crate) fn new() -> Result<Self, u32> {
        let mut handle = null_mut();
        // SAFETY: `handle` outlives the call; no name and no security attributes are passed.
        checked(unsafe { HttpCreateRequestQueue(VERSION, null(), null(), 0, &raw mut handle) })?;
        Ok(Self(handle))
    }

    /// Returns the handle, which is valid as long as `self`.
    pub(crate) fn handle(&self) -> HANDLE {
        self.0
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: this value owns the handle, which is closed once, after the last request was received.
        unsafe { HttpCloseRequestQueue(self.0) };
    }
}

/// A guard: the URL is registered with the group.
pub(crate) struct Registration<'a> {
    group: &'a Group,
    url: &'a [u16],
}

impl<'a> Registration<'a> {
    pub(crate) fn new(group: &'a Group, url: &'a [u16]) -> Result<Self, u32> {
        // SAFETY: `url` ends with a zero.
        checked(unsafe { HttpAddUrlToUrlGroup(group.0, url.as_ptr(), 0, 0) })?;
        Ok(Self { group, url })
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        // SAFETY: `url` ends with a zero.
        unsafe { HttpRemoveUrlFromUrlGroup(self.group.0, self.url.as_ptr(), 0) };
    }
}

/// Registers a prefix briefly, to check whether this user may listen. Returns the Windows error code; 0 means success.
pub(crate) fn try_prefix(prefix: &str) -> u32 {
    let outcome = (|| {
        let _api = Api::listener()?;
        let session = Session::new()?;
        let group = Group::new(&session)?;
        let queue = Queue::new()?;
        group.bind(&queue)?;
        let url = wide(prefix);
        Registration::new(&group, &url).map(drop)
    })();
    outcome.err().unwrap_or(NO_ERROR)
}

/// Returns the IP address of a socket address.
///
/// # Safety
/// `address` is null or points to a socket address of the family that it contains.
pub(crate) unsafe fn address(address: *const SOCKADDR) -> Option<IpAddr> {
    if address.is_null() {
        return None;
    }
    // SAFETY: every socket address begins with its family. It may be unaligned.
    match unsafe { address.cast::<u16>().read_unaligned() } {
        AF_INET => {
            // SAFETY: the family says that it is this structure. It may be unaligned.
            let address = unsafe { address.cast::<SOCKADDR_IN>().read_unaligned() };
            // SAFETY: all members of the union are plain bytes.
            let number = unsafe { address.sin_addr.S_un.S_addr };
            Some(Ipv4Addr::from(number.to_ne_bytes()).into())
        }
        AF_INET6 => {
            // SAFETY: the family says that it is this structure. It may be unaligned.
            let address = unsafe { address.cast::<SOCKADDR_IN6>().read_unaligned() };
            // SAFETY: all members of the union are plain bytes.
            let bytes = unsafe { address.sin6_addr.u.Byte };
            Some(Ipv6Addr::from(bytes).into())
        }
        _ => None,
    }
}
