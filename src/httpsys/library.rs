//! The functions of `httpapi.dll`, always from the system's folder.
//!
//! The library is loaded when it is first needed: **Configure…** runs this program as administrator.

#![allow(
    unsafe_code,
    reason = "library functions are looked up by name; each block explains why it is sound"
)]
#![allow(
    non_snake_case,
    clippy::too_many_arguments,
    reason = "the names and arguments are those of Windows"
)]

use std::ffi::{CStr, c_void};

use windows_sys::Win32::Foundation::{ERROR_PROC_NOT_FOUND, HANDLE};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_CACHE_POLICY, HTTP_INITIALIZE, HTTP_LOG_DATA, HTTP_RECEIVE_HTTP_REQUEST_FLAGS,
    HTTP_REQUEST_V2, HTTP_RESPONSE_V2, HTTP_SERVER_PROPERTY, HTTP_SERVICE_CONFIG_ID,
    HTTPAPI_VERSION,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::PCWSTR;

use crate::windows::{AnyFunction, SystemLibrary};

static LIBRARY: SystemLibrary = SystemLibrary::new("httpapi.dll");

/// Declares functions that return an error code; `ERROR_PROC_NOT_FOUND` if this version of Windows lacks them.
macro_rules! functions {
    ($(fn $name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        /// Calls the Windows function of this name.
        ///
        /// # Safety
        /// The same requirements as in the documentation of Windows.
        pub(crate) unsafe extern "system" fn $name($($argument: $kind),*) -> u32 {
            type Function = unsafe extern "system" fn($($kind),*) -> u32;
            const NAME: &CStr = match CStr::from_bytes_with_nul(concat!(stringify!($name), "\0").as_bytes()) {
                Ok(name) => name,
                Err(_) => c"",
            };
            let Some(found) = LIBRARY.function(NAME) else {
                return ERROR_PROC_NOT_FOUND;
            };
            // SAFETY: the function of this name has these parameters, and returns a code.
            let found = unsafe { std::mem::transmute::<AnyFunction, Function>(found) };
            // SAFETY: as promised by the caller.
            unsafe { found($($argument),*) }
        }
    )*};
}

functions! {
    fn HttpAddUrlToUrlGroup(group: u64, url: PCWSTR, context: u64, reserved: u32);
    fn HttpCloseRequestQueue(queue: HANDLE);
    fn HttpCloseServerSession(session: u64);
    fn HttpCloseUrlGroup(group: u64);
    fn HttpCreateRequestQueue(version: HTTPAPI_VERSION, name: PCWSTR, security: *const SECURITY_ATTRIBUTES, flags: u32,
        queue: *mut HANDLE);
    fn HttpCreateServerSession(version: HTTPAPI_VERSION, session: *mut u64, reserved: u32);
    fn HttpCreateUrlGroup(session: u64, group: *mut u64, reserved: u32);
    fn HttpDeleteServiceConfiguration(service: HANDLE, id: HTTP_SERVICE_CONFIG_ID, entry: *const c_void, length: u32,
        overlapped: *const OVERLAPPED);
    fn HttpInitialize(version: HTTPAPI_VERSION, flags: HTTP_INITIALIZE, reserved: *mut c_void);
    fn HttpQueryServiceConfiguration(service: HANDLE, id: HTTP_SERVICE_CONFIG_ID, question: *const c_void, length: u32,
        answer: *mut c_void, room: u32, answered: *mut u32, overlapped: *const OVERLAPPED);
    fn HttpReceiveHttpRequest(queue: HANDLE, id: u64, flags: HTTP_RECEIVE_HTTP_REQUEST_FLAGS,
        request: *mut HTTP_REQUEST_V2, room: u32, received: *mut u32, overlapped: *mut OVERLAPPED);
    fn HttpReceiveRequestEntityBody(queue: HANDLE, id: u64, flags: u32, body: *mut c_void, room: u32,
        received: *mut u32, overlapped: *mut OVERLAPPED);
    fn HttpRemoveUrlFromUrlGroup(group: u64, url: PCWSTR, flags: u32);
    fn HttpSendHttpResponse(queue: HANDLE, id: u64, flags: u32, response: *const HTTP_RESPONSE_V2,
        cache: *const HTTP_CACHE_POLICY, sent: *mut u32, reserved: *const c_void, reserved_too: u32,
        overlapped: *mut OVERLAPPED, log: *const HTTP_LOG_DATA);
    fn HttpSetServiceConfiguration(service: HANDLE, id: HTTP_SERVICE_CONFIG_ID, entry: *const c_void, length: u32,
        overlapped: *const OVERLAPPED);
    fn HttpSetUrlGroupProperty(group: u64, property: HTTP_SERVER_PROPERTY, value: *const c_void, length: u32);
    fn HttpTerminate(flags: HTTP_INITIALIZE, reserved: *mut c_void);
}
