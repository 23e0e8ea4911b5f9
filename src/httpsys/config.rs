//! The configuration of HTTP.sys: URL reservations and certificate bindings, read, written and deleted.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::ffi::c_void;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ptr::{null, null_mut};

use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_MORE_DATA, ERROR_NOT_FOUND, HANDLE,
    NO_ERROR,
};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_SERVICE_CONFIG_ID, HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY, HTTP_SERVICE_CONFIG_SSL_KEY,
    HTTP_SERVICE_CONFIG_SSL_PARAM, HTTP_SERVICE_CONFIG_SSL_QUERY, HTTP_SERVICE_CONFIG_SSL_SET,
    HTTP_SERVICE_CONFIG_SSL_SNI_KEY, HTTP_SERVICE_CONFIG_SSL_SNI_QUERY,
    HTTP_SERVICE_CONFIG_SSL_SNI_SET, HTTP_SERVICE_CONFIG_URLACL_KEY,
    HTTP_SERVICE_CONFIG_URLACL_PARAM, HTTP_SERVICE_CONFIG_URLACL_QUERY,
    HTTP_SERVICE_CONFIG_URLACL_SET, HttpServiceConfigIPListenList, HttpServiceConfigQueryExact,
    HttpServiceConfigSSLCertInfo, HttpServiceConfigSslSniCertInfo, HttpServiceConfigUrlAclInfo,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_STORAGE,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::core::GUID;

use super::api::{Api, address};
use super::library::{
    HttpDeleteServiceConfiguration, HttpQueryServiceConfiguration, HttpSetServiceConfiguration,
};
use super::prefix::{Endpoint, FoundBinding, Prefix, SslBinding, UrlAcl};
use super::store;
use crate::certificate::About;
use crate::windows::{read_wide, wide};

/// Initial size of the response buffer, in words: enough for the structures and the usual few hundred bytes.
const USUAL_WORDS: usize = 256;
/// Maximum size of a response, in bytes.
const ANSWER_BYTES: u32 = 64 * 1024;

/// Returns the certificate that browsers get for a prefix, if it is in the machine's store; `None` if unknown.
///
/// # Errors
/// Returns `NotBound` if no certificate is bound.
pub(crate) fn bound_certificate(prefix: &Prefix) -> Result<Option<About>, NotBound> {
    let mut unread = false;
    for endpoint in prefix.lookups() {
        match Config::REAL.binding(&endpoint) {
            Ok(Some(found)) => return Ok(store::about(&found.hash)),
            Ok(None) => {}
            Err(_) => unread = true,
        }
    }
    // If a binding could not be read, a certificate may be bound.
    if unread { Ok(None) } else { Err(NotBound) }
}

/// The error if no certificate is bound to a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotBound;

/// A function that writes or deletes an entry of the configuration.
type Change = unsafe extern "system" fn(
    HANDLE,
    HTTP_SERVICE_CONFIG_ID,
    *const c_void,
    u32,
    *const OVERLAPPED,
) -> u32;
type Query = unsafe extern "system" fn(
    HANDLE,
    HTTP_SERVICE_CONFIG_ID,
    *const c_void,
    u32,
    *mut c_void,
    u32,
    *mut u32,
    *const OVERLAPPED,
) -> u32;

/// The three functions of the interface, which tests replace.
struct Calls {
    query: Query,
    set: Change,
    delete: Change,
}

/// Access to the configuration of HTTP.sys. Accepts plain values, and returns Windows error codes; 0 means success.
pub(crate) struct Config {
    calls: Calls,
}

impl Config {
    /// The configuration of this machine.
    pub(crate) const REAL: Self = Self {
        calls: Calls {
            query: HttpQueryServiceConfiguration,
            set: HttpSetServiceConfiguration,
            delete: HttpDeleteServiceConfiguration,
        },
    };

    /// Returns the addresses that HTTP.sys is limited to after its next start; empty if it listens on all.
    ///
    /// # Errors
    /// Returns the Windows error code.
    pub(crate) fn listen_list(&self) -> Result<Vec<IpAddr>, u32> {
        // This query has no input.
        let Some(answer) = self.ask(HttpServiceConfigIPListenList, null(), 0)? else {
            return Ok(Vec::new());
        };
        let most = (size_of_val(answer.as_slice())
            - offset_of!(HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY, AddrList))
            / size_of::<SOCKADDR_STORAGE>();
        let list = answer
            .as_ptr()
            .cast::<HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY>();
        // SAFETY: the response to this query is this structure; the addresses follow the count.
        let addresses: Vec<SOCKADDR_STORAGE> = unsafe {
            let count = ((*list).AddrCount as usize).min(most);
            let first = (&raw const (*list).AddrList).cast::<SOCKADDR_STORAGE>();
            (0..count).map(|at| first.add(at).read()).collect()
        };
        Ok(addresses.iter().filter_map(ip).collect())
    }

    /// Returns the descriptor of a reservation, as it was written; `None` if there is no reservation.
    ///
    /// # Errors
    /// Returns the Windows error code.
    pub(crate) fn reservation(&self, prefix: &str) -> Result<Option<String>, u32> {
        let mut prefix = wide(prefix);
        let question = HTTP_SERVICE_CONFIG_URLACL_QUERY {
            QueryDesc: HttpServiceConfigQueryExact,
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            dwToken: 0,
        };
        let answer = self.query(HttpServiceConfigUrlAclInfo, &question)?;
        // SAFETY: the response to this query is this structure, and its strings are in the same buffer.
        let sddl = answer.map(|answer| unsafe {
            let set = answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_URLACL_SET>();
            read_wide((*set).ParamDesc.pStringSecurityDescriptor)
        });
        Ok(sddl)
    }

    /// Returns the binding of an endpoint; `None` if there is none.
    ///
    /// # Errors
    /// Returns the Windows error code.
    pub(crate) fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        let mut key = Key::of(endpoint);
        match endpoint {
            Endpoint::Address(_) => {
                let question = HTTP_SERVICE_CONFIG_SSL_QUERY {
                    QueryDesc: HttpServiceConfigQueryExact,
                    KeyDesc: key.by_address(),
                    dwToken: 0,
                };
                let answer = self.query(HttpServiceConfigSSLCertInfo, &question)?;
                // SAFETY: the response to this query is this structure; it points into the same buffer.
                Ok(answer.map(|answer| unsafe {
                    found(&(*answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_SSL_SET>()).ParamDesc)
                }))
            }
            Endpoint::Name { .. } => {
                let question = HTTP_SERVICE_CONFIG_SSL_SNI_QUERY {
                    QueryDesc: HttpServiceConfigQueryExact,
                    KeyDesc: key.by_name(),
                    dwToken: 0,
                };
                let answer = self.query(HttpServiceConfigSslSniCertInfo, &question)?;
                // SAFETY: the response to this query is this structure; it points into the same buffer.
                Ok(answer.map(|answer| unsafe {
                    found(&(*answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_SSL_SNI_SET>()).ParamDesc)
                }))
            }
        }
    }

    /// Writes a reservation.
    pub(crate) fn reserve(&self, reservation: &UrlAcl) -> u32 {
        let (mut prefix, mut sddl) = (wide(&reservation.prefix), wide(&reservation.sddl));
        let set = HTTP_SERVICE_CONFIG_URLACL_SET {
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            ParamDesc: HTTP_SERVICE_CONFIG_URLACL_PARAM {
                pStringSecurityDescriptor: sddl.as_mut_ptr(),
            },
        };
        Self::change(self.calls.set, HttpServiceConfigUrlAclInfo, &set)
    }

    /// Writes a binding.
    pub(crate) fn bind(&self, binding: &SslBinding) -> u32 {
        let mut key = Key::of(&binding.endpoint);
        let (mut hash, mut store) = (binding.hash, wide(binding.store));
        let parameters = parameters(binding.app_id, &mut hash, &mut store);
        match binding.endpoint {
            Endpoint::Address(_) => Self::change(
                self.calls.set,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ParamDesc: parameters,
                },
            ),
            Endpoint::Name { .. } => Self::change(
                self.calls.set,
                HttpServiceConfigSslSniCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SNI_SET {
                    KeyDesc: key.by_name(),
                    ParamDesc: parameters,
                },
            ),
        }
    }

    /// Deletes a reservation.
    pub(crate) fn release(&self, prefix: &str) -> u32 {
        let mut prefix = wide(prefix);
        let set = HTTP_SERVICE_CONFIG_URLACL_SET {
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            ..HTTP_SERVICE_CONFIG_URLACL_SET::default()
        };
        Self::change(self.calls.delete, HttpServiceConfigUrlAclInfo, &set)
    }

    /// Deletes a binding.
    pub(crate) fn unbind(&self, endpoint: &Endpoint) -> u32 {
        let mut key = Key::of(endpoint);
        match endpoint {
            Endpoint::Address(_) => Self::change(
                self.calls.delete,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ..HTTP_SERVICE_CONFIG_SSL_SET::default()
                },
            ),
            Endpoint::Name { .. } => Self::change(
                self.calls.delete,
                HttpServiceConfigSslSniCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SNI_SET {
                    KeyDesc: key.by_name(),
                    ..HTTP_SERVICE_CONFIG_SSL_SNI_SET::default()
                },
            ),
        }
    }

    /// Queries one entry. Returns its structure in an aligned buffer, or `None` if there is no entry.
    fn query<Question>(
        &self,
        which: HTTP_SERVICE_CONFIG_ID,
        question: &Question,
    ) -> Result<Option<Vec<u64>>, u32> {
        let length = size_of::<Question>() as u32;
        self.ask(which, (&raw const *question).cast(), length)
    }

    /// Does the same with an input of `question_bytes` bytes, or null if the query has no input.
    fn ask(
        &self,
        which: HTTP_SERVICE_CONFIG_ID,
        question: *const c_void,
        question_bytes: u32,
    ) -> Result<Option<Vec<u64>>, u32> {
        let _api = Api::configuration()?;
        let mut answer = vec![0_u64; USUAL_WORDS];
        // If the buffer is too small, the service says how much it needs.
        for _ in 0..2 {
            let bytes = size_of_val(answer.as_slice()) as u32;
            let mut length = 0;
            // SAFETY: the input is the structure that belongs to `which`, and its size is passed; the response buffer
            // has the size that is passed, and is aligned for the pointers in it.
            let code = unsafe {
                (self.calls.query)(
                    null_mut(),
                    which,
                    question,
                    question_bytes,
                    answer.as_mut_ptr().cast(),
                    bytes,
                    &raw mut length,
                    null(),
                )
            };
            match code {
                NO_ERROR => return Ok(Some(answer)),
                ERROR_FILE_NOT_FOUND | ERROR_NOT_FOUND => return Ok(None),
                ERROR_INSUFFICIENT_BUFFER | ERROR_MORE_DATA
                    if (bytes..=ANSWER_BYTES).contains(&length) =>
                {
                    answer = vec![0; (length as usize).div_ceil(size_of::<u64>())];
                }
                code => return Err(code),
            }
        }
        Err(ERROR_INSUFFICIENT_BUFFER)
    }

    /// Writes or deletes an entry.
    fn change<Entry>(call: Change, which: HTTP_SERVICE_CONFIG_ID, entry: &Entry) -> u32 {
        let _api = match Api::configuration() {
            Ok(api) => api,
            Err(code) => return code,
        };
        // SAFETY: the entry is the structure that belongs to `which`, and its size is passed; what it points to
        // outlives the call.
        unsafe {
            call(
                null_mut(),
                which,
                (&raw const *entry).cast(),
                size_of::<Entry>() as u32,
                null(),
            )
        }
    }
}

/// The key of a certificate binding, and what it points to.
struct Key {
    address: SOCKADDR_STORAGE,
    host: Vec<u16>,
}

impl Key {
    fn of(endpoint: &Endpoint) -> Self {
        match endpoint {
            Endpoint::Address(address) => Self {
                address: storage(*address),
                host: Vec::new(),
            },
            // Only the port of the address is used.
            Endpoint::Name { host, port } => Self {
                address: storage((Ipv4Addr::UNSPECIFIED, *port).into()),
                host: wide(host),
            },
        }
    }

    /// Returns a structure that points into `self`, which must outlive it.
    fn by_address(&mut self) -> HTTP_SERVICE_CONFIG_SSL_KEY {
        HTTP_SERVICE_CONFIG_SSL_KEY {
            pIpPort: (&raw mut self.address).cast(),
        }
    }

    /// Returns a structure that points into `self`, which must outlive it.
    fn by_name(&mut self) -> HTTP_SERVICE_CONFIG_SSL_SNI_KEY {
        HTTP_SERVICE_CONFIG_SSL_SNI_KEY {
            IpPort: self.address,
            Host: self.host.as_mut_ptr(),
        }
    }
}

/// Converts a socket address to the form that Windows uses.
fn storage(address: SocketAddr) -> SOCKADDR_STORAGE {
    let mut storage = SOCKADDR_STORAGE::default();
    match address {
        SocketAddr::V4(address) => {
            let mut inner = SOCKADDR_IN {
                sin_family: AF_INET,
                sin_port: address.port().to_be(),
                ..SOCKADDR_IN::default()
            };
            inner.sin_addr.S_un.S_addr = u32::from_ne_bytes(address.ip().octets());
            // SAFETY: the storage is at least as large as any address, and aligned for all.
            unsafe { (&raw mut storage).cast::<SOCKADDR_IN>().write(inner) };
        }
        SocketAddr::V6(address) => {
            let mut inner = SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: address.port().to_be(),
                ..SOCKADDR_IN6::default()
            };
            inner.sin6_addr.u.Byte = address.ip().octets();
            // SAFETY: the storage is at least as large as any address, and aligned for all.
            unsafe { (&raw mut storage).cast::<SOCKADDR_IN6>().write(inner) };
        }
    }
    storage
}

/// Returns the IP address in a storage.
fn ip(storage: &SOCKADDR_STORAGE) -> Option<IpAddr> {
    // SAFETY: a storage is at least as large as the address of any family.
    unsafe { address((&raw const *storage).cast()) }
}

/// Returns the parameters of a binding, which point to `hash` and `store`. Both must outlive them.
fn parameters(app_id: u128, hash: &mut [u8], store: &mut [u16]) -> HTTP_SERVICE_CONFIG_SSL_PARAM {
    HTTP_SERVICE_CONFIG_SSL_PARAM {
        SslHashLength: hash.len() as u32,
        pSslHash: hash.as_mut_ptr().cast(),
        AppId: GUID::from_u128(app_id),
        pSslCertStoreName: store.as_mut_ptr(),
        ..HTTP_SERVICE_CONFIG_SSL_PARAM::default()
    }
}

/// Copies the relevant values of a binding.
///
/// # Safety
/// Its pointers are null or point to what they are declared as.
unsafe fn found(parameters: &HTTP_SERVICE_CONFIG_SSL_PARAM) -> FoundBinding {
    let id = parameters.AppId;
    let hash = if parameters.pSslHash.is_null() {
        Vec::new()
    } else {
        // SAFETY: as promised by the caller.
        unsafe {
            std::slice::from_raw_parts(
                parameters.pSslHash.cast::<u8>(),
                parameters.SslHashLength as usize,
            )
        }
        .to_vec()
    };
    let tail = u64::from_be_bytes(id.data4);
    FoundBinding {
        hash,
        app_id: (u128::from(id.data1) << 96)
            | (u128::from(id.data2) << 80)
            | (u128::from(id.data3) << 64)
            | u128::from(tail),
        // SAFETY: as promised by the caller.
        store: unsafe { read_wide(parameters.pSslCertStoreName) },
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    non_upper_case_globals,
    reason = "a test fails on anything unexpected; constants are named as Windows names them"
)]
pub(crate) mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::certificate::store_path::STORE;

    const APP_ID: u128 = 0x6f2b_1c0e_93d4_4a57_8e1f_5d0c_7a42_b9e6;

    /// A configuration that responds as HTTP.sys would.
    pub(crate) const STAND_IN: Config = Config {
        calls: Calls { query, set, delete },
    };

    /// Returns a binding for the host of a URL.
    fn binding(url: &str) -> SslBinding {
        let prefix = Prefix::of(url).unwrap();
        SslBinding {
            endpoint: match prefix.address() {
                Some(ip) => Endpoint::Address(SocketAddr::new(ip, prefix.port)),
                None => Endpoint::Name {
                    host: prefix.host,
                    port: prefix.port,
                },
            },
            hash: [7; 20],
            app_id: APP_ID,
            store: STORE,
        }
    }

    #[test]
    fn structures_contain_the_planned_values() {
        for (url, family, text) in [
            ("https://127.0.0.1:8443/cb", AF_INET, "[127, 0, 0, 1]"),
            ("https://[::1]:8443/cb", AF_INET6, "[0, 0, 0, 0]"),
            ("https://localhost:8443/cb", AF_INET, "[0, 0, 0, 0]"),
        ] {
            let binding = binding(url);
            let mut key = Key::of(&binding.endpoint);
            assert_eq!(key.address.ss_family, family, "{url}");
            // SAFETY: for both families, the port is at the same offset.
            let inner = unsafe { *(&raw const key.address).cast::<SOCKADDR_IN>() };
            assert_eq!(u16::from_be(inner.sin_port), 8443);
            // SAFETY: all members of the union are plain bytes.
            let number = unsafe { inner.sin_addr.S_un.S_addr };
            assert_eq!(format!("{:?}", number.to_ne_bytes()), text, "{url}");
            if let Endpoint::Name { .. } = binding.endpoint {
                // SAFETY: the string ends with a zero.
                assert_eq!(unsafe { read_wide(key.by_name().Host) }, "localhost");
            }
            let (mut bytes, mut store) = (binding.hash, wide(binding.store));
            let set = parameters(binding.app_id, &mut bytes, &mut store);
            // SAFETY: the structure points to the two variables above.
            let back = unsafe { found(&set) };
            assert_eq!(back.hash, [7; 20]);
            assert_eq!((back.app_id, back.store.as_str()), (APP_ID, STORE));
            assert_eq!(
                (set.AppId.data1, set.AppId.data2, set.AppId.data4[7]),
                (0x6f2b_1c0e, 0x93d4, 0xe6)
            );
        }
    }

    thread_local! {
        /// The calls that the replaced functions below received.
        static GIVEN: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    /// Describes an entry or a query of this kind and size.
    unsafe fn told(which: HTTP_SERVICE_CONFIG_ID, entry: *const c_void, length: u32) -> String {
        // SAFETY: each structure is the one that belongs to `which`, as this test checks; its size is compared.
        unsafe {
            let sized = |size: usize| {
                if size == length as usize {
                    ""
                } else {
                    "wrong size "
                }
            };
            let key = |address: *const SOCKADDR_STORAGE| {
                let port = u16::from_be((*address.cast::<SOCKADDR_IN>()).sin_port);
                format!("{}:{port}", ip(&*address).unwrap())
            };
            let parameters = |set: &HTTP_SERVICE_CONFIG_SSL_PARAM| {
                let found = found(set);
                format!("{:02x?} {:x} {}", found.hash, found.app_id, found.store)
            };
            match which {
                HttpServiceConfigUrlAclInfo => {
                    let set = &*entry.cast::<HTTP_SERVICE_CONFIG_URLACL_SET>();
                    sized(size_of::<HTTP_SERVICE_CONFIG_URLACL_SET>()).to_owned()
                        + &read_wide(set.KeyDesc.pUrlPrefix)
                        + " "
                        + &read_wide(set.ParamDesc.pStringSecurityDescriptor)
                }
                HttpServiceConfigSSLCertInfo => {
                    let set = &*entry.cast::<HTTP_SERVICE_CONFIG_SSL_SET>();
                    sized(size_of::<HTTP_SERVICE_CONFIG_SSL_SET>()).to_owned()
                        + &key(set.KeyDesc.pIpPort.cast())
                        + " "
                        + &parameters(&set.ParamDesc)
                }
                HttpServiceConfigSslSniCertInfo => {
                    let set = &*entry.cast::<HTTP_SERVICE_CONFIG_SSL_SNI_SET>();
                    sized(size_of::<HTTP_SERVICE_CONFIG_SSL_SNI_SET>()).to_owned()
                        + &key(&raw const set.KeyDesc.IpPort)
                        + " "
                        + &read_wide(set.KeyDesc.Host)
                        + " "
                        + &parameters(&set.ParamDesc)
                }
                other => format!("an entry of the kind {other}"),
            }
        }
    }

    unsafe extern "system" fn set(
        _: HANDLE,
        which: HTTP_SERVICE_CONFIG_ID,
        entry: *const c_void,
        length: u32,
        _: *const OVERLAPPED,
    ) -> u32 {
        // SAFETY: as promised by the caller.
        let told = unsafe { told(which, entry, length) };
        GIVEN.with_borrow_mut(|given| given.push(format!("set {told}")));
        NO_ERROR
    }

    unsafe extern "system" fn delete(
        _: HANDLE,
        which: HTTP_SERVICE_CONFIG_ID,
        entry: *const c_void,
        length: u32,
        _: *const OVERLAPPED,
    ) -> u32 {
        // SAFETY: as promised by the caller.
        let told = unsafe { told(which, entry, length) };
        GIVEN.with_borrow_mut(|given| given.push(format!("delete {told}")));
        NO_ERROR
    }

    /// Returns a reservation, but only to the second call, as if the first buffer were too small.
    unsafe extern "system" fn query(
        _: HANDLE,
        which: HTTP_SERVICE_CONFIG_ID,
        question: *const c_void,
        length: u32,
        answer: *mut c_void,
        room: u32,
        needed: *mut u32,
        _: *const OVERLAPPED,
    ) -> u32 {
        if which == HttpServiceConfigIPListenList {
            assert!(question.is_null() && length == 0);
            // SAFETY: the buffer has the size that was passed.
            return unsafe { listed(answer.cast(), room, needed) };
        }
        assert_eq!(which, HttpServiceConfigUrlAclInfo);
        assert_eq!(
            length as usize,
            size_of::<HTTP_SERVICE_CONFIG_URLACL_QUERY>()
        );
        let text = wide("D:(A;;GX;;;NS)");
        let size = 10_000;
        // SAFETY: input and output are the structures of this query; the buffer has the size that was passed.
        unsafe {
            let question = &*question.cast::<HTTP_SERVICE_CONFIG_URLACL_QUERY>();
            assert_eq!(question.QueryDesc, HttpServiceConfigQueryExact);
            let prefix = read_wide(question.KeyDesc.pUrlPrefix);
            GIVEN.with_borrow_mut(|given| given.push(format!("query {prefix} {room}")));
            *needed = size;
            if room < size {
                return ERROR_INSUFFICIENT_BUFFER;
            }
            let behind = answer
                .cast::<u8>()
                .add(size_of::<HTTP_SERVICE_CONFIG_URLACL_SET>())
                .cast::<u16>();
            std::ptr::copy_nonoverlapping(text.as_ptr(), behind, text.len());
            (*answer.cast::<HTTP_SERVICE_CONFIG_URLACL_SET>())
                .ParamDesc
                .pStringSecurityDescriptor = behind;
        }
        NO_ERROR
    }

    /// Returns twenty addresses: more than fit into the initial buffer.
    unsafe fn listed(
        answer: *mut HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY,
        room: u32,
        needed: *mut u32,
    ) -> u32 {
        const COUNT: usize = 20;
        let start = offset_of!(HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY, AddrList);
        let size = (start + COUNT * size_of::<SOCKADDR_STORAGE>()) as u32;
        // SAFETY: as promised by the caller.
        unsafe {
            *needed = size;
            if room < size {
                return ERROR_INSUFFICIENT_BUFFER;
            }
            (*answer).AddrCount = COUNT as u32;
            let first = (&raw mut (*answer).AddrList).cast::<SOCKADDR_STORAGE>();
            for at in 0..COUNT - 1 {
                let ip = Ipv4Addr::new(192, 0, 2, at as u8);
                first.add(at).write(storage((ip, 0).into()));
            }
            let last = SocketAddr::from((Ipv6Addr::LOCALHOST, 0));
            first.add(COUNT - 1).write(storage(last));
        }
        NO_ERROR
    }

    #[test]
    fn long_listen_list_is_read_completely() {
        let list = STAND_IN.listen_list().unwrap();
        assert_eq!(list.len(), 20);
        assert_eq!(list[18], Ipv4Addr::new(192, 0, 2, 18));
        assert_eq!(list[19], Ipv6Addr::LOCALHOST);
        // Wine has no such list.
        assert_eq!(Config::REAL.listen_list(), Ok(Vec::new()));
    }

    #[test]
    fn each_call_passes_the_expected_structure() {
        let config = STAND_IN;
        for url in [
            "http://localhost:8400/cb",
            "https://localhost:8443/cb",
            "https://127.0.0.1:8443/cb",
            "https://[::1]/cb",
        ] {
            let prefix = Prefix::of(url).unwrap();
            config.reserve(&UrlAcl {
                prefix: prefix.to_string(),
                sddl: "D:(A;;GX;;;S-1-5-20)".to_owned(),
            });
            if prefix.secure {
                let binding = binding(url);
                config.bind(&binding);
                config.unbind(&binding.endpoint);
            }
            config.release(&prefix.to_string());
        }
        let hash = format!("{:02x?}", [7; 20]);
        let id = format!("{APP_ID:x}");
        let bound = format!("{hash} {id} MY");
        assert_eq!(
            GIVEN.take(),
            [
                "set http://localhost:8400/cb/ D:(A;;GX;;;S-1-5-20)",
                "delete http://localhost:8400/cb/ ",
                "set https://localhost:8443/cb/ D:(A;;GX;;;S-1-5-20)",
                &format!("set 0.0.0.0:8443 localhost {bound}"),
                "delete 0.0.0.0:8443 localhost [] 0 ",
                "delete https://localhost:8443/cb/ ",
                "set https://127.0.0.1:8443/cb/ D:(A;;GX;;;S-1-5-20)",
                &format!("set 127.0.0.1:8443 {bound}"),
                "delete 127.0.0.1:8443 [] 0 ",
                "delete https://127.0.0.1:8443/cb/ ",
                "set https://[::1]:443/cb/ D:(A;;GX;;;S-1-5-20)",
                &format!("set ::1:443 {bound}"),
                "delete ::1:443 [] 0 ",
                "delete https://[::1]:443/cb/ ",
            ]
        );
        assert_eq!(
            config.reservation("http://localhost:8400/cb/"),
            Ok(Some("D:(A;;GX;;;NS)".to_owned()))
        );
        assert_eq!(
            GIVEN.take(),
            [
                "query http://localhost:8400/cb/ 2048",
                "query http://localhost:8400/cb/ 10000"
            ]
        );
    }
}
