//! The configuration of the HTTP service of Windows, and what belongs to it: accounts, certificates, consent.
//!
//! Plain values in, codes out: what they mean is decided in `service`.

#![allow(
    unsafe_code,
    reason = "the interfaces of Windows are those of C; each block says why it is sound"
)]

use std::ffi::c_void;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::windows::ffi::OsStrExt;
use std::ptr::{null, null_mut};
use std::time::SystemTime;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER,
    ERROR_NONE_MAPPED, ERROR_NOT_FOUND, GetLastError, HANDLE, LocalFree, NO_ERROR, WAIT_OBJECT_0,
    WAIT_TIMEOUT,
};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_INITIALIZE_CONFIG, HTTP_SERVICE_CONFIG_ID, HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY,
    HTTP_SERVICE_CONFIG_SSL_KEY, HTTP_SERVICE_CONFIG_SSL_PARAM, HTTP_SERVICE_CONFIG_SSL_QUERY,
    HTTP_SERVICE_CONFIG_SSL_SET, HTTP_SERVICE_CONFIG_SSL_SNI_KEY,
    HTTP_SERVICE_CONFIG_SSL_SNI_QUERY, HTTP_SERVICE_CONFIG_SSL_SNI_SET,
    HTTP_SERVICE_CONFIG_URLACL_KEY, HTTP_SERVICE_CONFIG_URLACL_PARAM,
    HTTP_SERVICE_CONFIG_URLACL_QUERY, HTTP_SERVICE_CONFIG_URLACL_SET, HTTPAPI_VERSION,
    HttpDeleteServiceConfiguration, HttpInitialize, HttpQueryServiceConfiguration,
    HttpServiceConfigIPListenList, HttpServiceConfigQueryExact, HttpServiceConfigSSLCertInfo,
    HttpServiceConfigSslSniCertInfo, HttpServiceConfigUrlAclInfo, HttpSetServiceConfiguration,
    HttpTerminate,
};
use windows_sys::Win32::Networking::WinSock::{
    AF_INET, AF_INET6, SOCKADDR_IN, SOCKADDR_IN6, SOCKADDR_STORAGE,
};
use windows_sys::Win32::Security::Authentication::Identity::{GetUserNameExW, NameSamCompatible};
use windows_sys::Win32::Security::Authorization::{ConvertSidToStringSidW, ConvertStringSidToSidW};
use windows_sys::Win32::Security::Cryptography::{
    CERT_CONTEXT, CERT_KEY_PROV_INFO_PROP_ID, CERT_STORE_OPEN_EXISTING_FLAG,
    CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG, CERT_SYSTEM_STORE_LOCAL_MACHINE,
    CertCloseStore, CertEnumCertificatesInStore, CertGetCertificateContextProperty, CertOpenStore,
    HCERTSTORE,
};
use windows_sys::Win32::Security::{
    CheckTokenMembership, GetTokenInformation, LookupAccountNameW, LookupAccountSidW, PSID,
    SidTypeAlias, SidTypeComputer, SidTypeDomain, SidTypeGroup, SidTypeWellKnownGroup,
    TOKEN_ELEVATION, TOKEN_QUERY, TokenElevation,
};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::StationsAndDesktops::{
    GetProcessWindowStation, GetUserObjectInformationW, UOI_FLAGS, USEROBJECTFLAGS,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetExitCodeProcess, OpenProcessToken, WaitForSingleObject,
};
use windows_sys::Win32::UI::Shell::{
    SEE_MASK_NOASYNC, SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW, ShellExecuteExW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::{SW_HIDE, WSF_VISIBLE};
use windows_sys::core::{GUID, PWSTR};

use super::plan::{Endpoint, Prefix, STORE, SslBinding, UrlAcl};
use super::quote;
use super::reading::{Account, FoundBinding};
use super::report::{Consent, Report, StoreCertificate, Task};
use super::service::{self, Rights, Service};
use super::store;
use crate::certificate::About;
use crate::flow::httpsys;

const VERSION: HTTPAPI_VERSION = HTTPAPI_VERSION {
    HttpApiMajorVersion: 2,
    HttpApiMinorVersion: 0,
};
/// An answer of the service is some hundred bytes long; this is more than its structures alone.
const USUAL_WORDS: usize = 256;
/// A longer answer is none.
const ANSWER_BYTES: u32 = 64 * 1024;
/// A text of Windows is not read beyond this many characters.
const TEXT_LIMIT: usize = 32 * 1024;
/// A security identifier has 68 bytes at most; aligned like its numbers.
const SID_WORDS: usize = 32;
/// More certificates are not listed.
const MOST_CERTIFICATES: usize = 500;
/// How long the elevated program may take, in milliseconds; asking for consent does not count.
const CONSENT_LIMIT: u32 = 60_000;

/// Does what is asked.
#[must_use]
pub fn perform(task: &Task) -> Report {
    let mut system = System {
        consent: task.consent,
        calls: REAL,
    };
    service::perform(task, &mut system)
}

/// What a browser is shown at a prefix: the certificate that is bound there, as far as it is one of the machine's store.
///
/// # Errors
/// `NotBound` where no certificate is.
pub fn shown(prefix: &Prefix) -> Result<Option<About>, NotBound> {
    let system = System {
        consent: Consent::NotAsked,
        calls: REAL,
    };
    let mut unread = false;
    for endpoint in endpoints(prefix) {
        match system.binding(&endpoint) {
            Ok(Some(found)) => return Ok(system.about(&found.hash)),
            Ok(None) => {}
            Err(_) => unread = true,
        }
    }
    // What could not be read may be bound.
    if unread { Ok(None) } else { Err(NotBound) }
}

/// No certificate is bound to a prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotBound;

/// Where HTTP.sys looks for the certificate of a connection to this machine: the address, the name, all addresses.
fn endpoints(prefix: &Prefix) -> Vec<Endpoint> {
    let port = prefix.port;
    let at = |ip: IpAddr| Endpoint::Address(SocketAddr::new(ip, port));
    let mut all = Vec::new();
    match prefix.address() {
        Some(ip) => all.push(at(ip)),
        None => {
            all.extend([
                at(Ipv4Addr::LOCALHOST.into()),
                at(Ipv6Addr::LOCALHOST.into()),
            ]);
            all.push(Endpoint::Name {
                host: prefix.host.clone(),
                port,
            });
        }
    }
    all.extend([
        at(Ipv4Addr::UNSPECIFIED.into()),
        at(Ipv6Addr::UNSPECIFIED.into()),
    ]);
    all
}

/// This machine.
struct System {
    consent: Consent,
    calls: Calls,
}

impl System {
    /// What there is to know of the certificate with this hash.
    fn about(&self, hash: &[u8]) -> Option<About> {
        let mut about = None;
        let wanted = |der: &[u8], _| {
            if store::thumbprint(der).is_some_and(|found| found.0 == *hash) {
                about = store::about(der);
            }
        };
        each_certificate(wanted).ok()?;
        about
    }
}

impl Service for System {
    fn rights(&self) -> Rights {
        if is_elevated() {
            Rights::Elevated
        } else if self.consent == Consent::Asked && desktop_is_visible() {
            Rights::Consent
        } else {
            Rights::None
        }
    }

    fn user(&self) -> Option<String> {
        let mut length = 0;
        // SAFETY: with no room given, only the length is told.
        unsafe { GetUserNameExW(NameSamCompatible, null_mut(), &raw mut length) };
        let mut name = vec![0; usize::try_from(length).ok()?.clamp(1, TEXT_LIMIT)];
        length = u32::try_from(name.len()).ok()?;
        // SAFETY: the buffer is as long as told.
        let told = unsafe { GetUserNameExW(NameSamCompatible, name.as_mut_ptr(), &raw mut length) };
        told.then(|| up_to_zero(&name))
            .filter(|name| !name.is_empty())
    }

    fn sid(&self, user: &str) -> Result<String, u32> {
        let mut sid = [0_u32; SID_WORDS];
        let mut sid_bytes = size_of_val(&sid) as u32;
        let mut domain = [0_u16; 512];
        let mut domain_length = domain.len() as u32;
        let mut kind = 0;
        let user = wide(user);
        // SAFETY: `user` ends in a zero; both buffers are as long as told.
        let known = unsafe {
            LookupAccountNameW(
                null(),
                user.as_ptr(),
                sid.as_mut_ptr().cast(),
                &raw mut sid_bytes,
                domain.as_mut_ptr(),
                &raw mut domain_length,
                &raw mut kind,
            )
        };
        if known == 0 {
            return Err(last_error());
        }
        // A name alone may be that of the machine or of a domain, which nobody signs in as.
        if kind == SidTypeDomain || kind == SidTypeComputer {
            return Err(ERROR_NONE_MAPPED);
        }
        // SAFETY: the call before has filled in the identifier.
        unsafe { sid_text(sid.as_mut_ptr().cast()) }
    }

    fn account(&self, sid: &str) -> Option<Account> {
        let found = Sid::read(sid)?;
        let (mut name, mut domain) = ([0_u16; 512], [0_u16; 512]);
        let (mut name_length, mut domain_length) = (name.len() as u32, domain.len() as u32);
        let mut kind = 0;
        // SAFETY: the identifier is sound; both buffers are as long as told.
        let known = unsafe {
            LookupAccountSidW(
                null(),
                found.0.0,
                name.as_mut_ptr(),
                &raw mut name_length,
                domain.as_mut_ptr(),
                &raw mut domain_length,
                &raw mut kind,
            )
        };
        if known == 0 {
            return None;
        }
        Some(Account {
            name: match (up_to_zero(&domain), up_to_zero(&name)) {
                (domain, name) if domain.is_empty() => name,
                (domain, name) => format!("{domain}\\{name}"),
            },
            group: [SidTypeGroup, SidTypeAlias, SidTypeWellKnownGroup].contains(&kind),
        })
    }

    fn is_member(&self, sid: &str) -> bool {
        let Some(group) = Sid::read(sid) else {
            return false;
        };
        let mut member = 0;
        // SAFETY: without a token it is that of this thread; the identifier is sound, and `member` outlives the call.
        let told = unsafe { CheckTokenMembership(null_mut(), group.0.0, &raw mut member) };
        told != 0 && member != 0
    }

    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        let now = SystemTime::now();
        let mut all = Vec::new();
        each_certificate(|der, has_key| {
            if all.len() < MOST_CERTIFICATES {
                all.extend(store::read(der, has_key, now));
            }
        })?;
        Ok(all)
    }

    fn listen(&self, prefix: &str) -> u32 {
        httpsys::try_prefix(prefix)
    }

    fn is_deaf(&self) -> bool {
        let Ok(_api) = Api::start() else {
            return false;
        };
        let mut answer = vec![0_u64; USUAL_WORDS];
        let mut length = 0;
        // SAFETY: this question has no input; the answer's memory is as long as told, and aligned for what is in it.
        let code = unsafe {
            (self.calls.query)(
                null_mut(),
                HttpServiceConfigIPListenList,
                null(),
                0,
                answer.as_mut_ptr().cast(),
                size_of_val(answer.as_slice()) as u32,
                &raw mut length,
                null(),
            )
        };
        if code != NO_ERROR {
            // Without a list HTTP.sys listens on all addresses.
            return false;
        }
        let most = (size_of_val(answer.as_slice())
            - offset_of!(HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY, AddrList))
            / size_of::<SOCKADDR_STORAGE>();
        let list = answer
            .as_ptr()
            .cast::<HTTP_SERVICE_CONFIG_IP_LISTEN_QUERY>();
        // SAFETY: this is what such a question is answered with; the addresses follow the count.
        let addresses: Vec<SOCKADDR_STORAGE> = unsafe {
            let count = ((*list).AddrCount as usize).min(most);
            let first = (&raw const (*list).AddrList).cast::<SOCKADDR_STORAGE>();
            (0..count).map(|at| first.add(at).read()).collect()
        };
        let heard = |address: &SOCKADDR_STORAGE| {
            ip(address).is_some_and(|ip| ip.is_unspecified() || ip == Ipv4Addr::LOCALHOST)
        };
        !addresses.is_empty() && !addresses.iter().any(heard)
    }

    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32> {
        let mut prefix = wide(prefix);
        let question = HTTP_SERVICE_CONFIG_URLACL_QUERY {
            QueryDesc: HttpServiceConfigQueryExact,
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            dwToken: 0,
        };
        let answer = self.query(HttpServiceConfigUrlAclInfo, &question)?;
        // SAFETY: this is what such a question is answered with, and its texts lie in the same buffer.
        let sddl = answer.map(|answer| unsafe {
            let set = answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_URLACL_SET>();
            read_wide((*set).ParamDesc.pStringSecurityDescriptor)
        });
        Ok(sddl.map(|sddl| with_whole_identifiers(&sddl)))
    }

    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        let mut key = Key::of(endpoint);
        match endpoint {
            Endpoint::Address(_) => {
                let question = HTTP_SERVICE_CONFIG_SSL_QUERY {
                    QueryDesc: HttpServiceConfigQueryExact,
                    KeyDesc: key.by_address(),
                    dwToken: 0,
                };
                let answer = self.query(HttpServiceConfigSSLCertInfo, &question)?;
                // SAFETY: this is what such a question is answered with; it points into the same buffer.
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
                // SAFETY: this is what such a question is answered with; it points into the same buffer.
                Ok(answer.map(|answer| unsafe {
                    found(&(*answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_SSL_SNI_SET>()).ParamDesc)
                }))
            }
        }
    }

    fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
        let (mut prefix, mut sddl) = (wide(&reservation.prefix), wide(&reservation.sddl));
        let set = HTTP_SERVICE_CONFIG_URLACL_SET {
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            ParamDesc: HTTP_SERVICE_CONFIG_URLACL_PARAM {
                pStringSecurityDescriptor: sddl.as_mut_ptr(),
            },
        };
        self.change(self.calls.set, HttpServiceConfigUrlAclInfo, &set)
    }

    fn bind(&mut self, binding: &SslBinding) -> u32 {
        let mut key = Key::of(&binding.endpoint);
        let (mut hash, mut store) = (binding.hash, wide(binding.store));
        let parameters = parameters(binding.app_id, &mut hash, &mut store);
        match binding.endpoint {
            Endpoint::Address(_) => self.change(
                self.calls.set,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ParamDesc: parameters,
                },
            ),
            Endpoint::Name { .. } => self.change(
                self.calls.set,
                HttpServiceConfigSslSniCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SNI_SET {
                    KeyDesc: key.by_name(),
                    ParamDesc: parameters,
                },
            ),
        }
    }

    fn release(&mut self, prefix: &str) -> u32 {
        let mut prefix = wide(prefix);
        let set = HTTP_SERVICE_CONFIG_URLACL_SET {
            KeyDesc: HTTP_SERVICE_CONFIG_URLACL_KEY {
                pUrlPrefix: prefix.as_mut_ptr(),
            },
            ..HTTP_SERVICE_CONFIG_URLACL_SET::default()
        };
        self.change(self.calls.delete, HttpServiceConfigUrlAclInfo, &set)
    }

    fn unbind(&mut self, endpoint: &Endpoint) -> u32 {
        let mut key = Key::of(endpoint);
        match endpoint {
            Endpoint::Address(_) => self.change(
                self.calls.delete,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ..HTTP_SERVICE_CONFIG_SSL_SET::default()
                },
            ),
            Endpoint::Name { .. } => self.change(
                self.calls.delete,
                HttpServiceConfigSslSniCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SNI_SET {
                    KeyDesc: key.by_name(),
                    ..HTTP_SERVICE_CONFIG_SSL_SNI_SET::default()
                },
            ),
        }
    }

    fn consent(&mut self, arguments: &[String]) -> Result<u32, u32> {
        let Ok(program) = std::env::current_exe() else {
            return Err(ERROR_FILE_NOT_FOUND);
        };
        let program: Vec<u16> = program.as_os_str().encode_wide().chain([0]).collect();
        let line = quote::line(arguments).map_err(|_| ERROR_INVALID_PARAMETER)?;
        let (verb, line) = (wide("runas"), wide(&line));
        let mut order = SHELLEXECUTEINFOW {
            cbSize: size_of::<SHELLEXECUTEINFOW>() as u32,
            fMask: SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NOASYNC,
            lpVerb: verb.as_ptr(),
            lpFile: program.as_ptr(),
            lpParameters: line.as_ptr(),
            // What it prints nobody would read: its exit code is the answer.
            nShow: SW_HIDE,
            ..SHELLEXECUTEINFOW::default()
        };
        // SAFETY: the size is told, all texts end in a zero and outlive the call.
        if unsafe { ShellExecuteExW(&raw mut order) } == 0 {
            return Err(last_error());
        }
        if order.hProcess.is_null() {
            return Err(ERROR_NOT_FOUND);
        }
        let process = Owned(order.hProcess);
        // SAFETY: the handle is ours.
        match unsafe { WaitForSingleObject(process.0, CONSENT_LIMIT) } {
            WAIT_OBJECT_0 => {}
            WAIT_TIMEOUT => return Err(WAIT_TIMEOUT),
            _ => return Err(last_error()),
        }
        let mut code = 0;
        // SAFETY: the handle is ours, and `code` outlives the call.
        if unsafe { GetExitCodeProcess(process.0, &raw mut code) } == 0 {
            return Err(last_error());
        }
        Ok(code)
    }
}

/// Reads or changes an entry of the configuration.
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

/// The three calls of the interface; a test puts others in their place.
struct Calls {
    query: Query,
    set: Change,
    delete: Change,
}

const REAL: Calls = Calls {
    query: HttpQueryServiceConfiguration,
    set: HttpSetServiceConfiguration,
    delete: HttpDeleteServiceConfiguration,
};

impl System {
    /// Asks for one entry; its structure, aligned, or `None` where there is none.
    fn query<Question>(
        &self,
        which: HTTP_SERVICE_CONFIG_ID,
        question: &Question,
    ) -> Result<Option<Vec<u64>>, u32> {
        let _api = Api::start()?;
        let mut answer = vec![0_u64; USUAL_WORDS];
        // Where that is too little room, the service says how much it wants.
        for _ in 0..2 {
            let bytes = size_of_val(answer.as_slice()) as u32;
            let mut length = 0;
            // SAFETY: the question is the structure that belongs to `which`, whose size is told; the answer's memory is as
            // long as told, and aligned for the pointers in it.
            let code = unsafe {
                (self.calls.query)(
                    null_mut(),
                    which,
                    (&raw const *question).cast(),
                    size_of::<Question>() as u32,
                    answer.as_mut_ptr().cast(),
                    bytes,
                    &raw mut length,
                    null(),
                )
            };
            match code {
                NO_ERROR => return Ok(Some(answer)),
                ERROR_FILE_NOT_FOUND | ERROR_NOT_FOUND => return Ok(None),
                ERROR_INSUFFICIENT_BUFFER if (bytes..=ANSWER_BYTES).contains(&length) => {
                    answer = vec![0; (length as usize).div_ceil(size_of::<u64>())];
                }
                code => return Err(code),
            }
        }
        Err(ERROR_INSUFFICIENT_BUFFER)
    }

    /// Writes or deletes an entry.
    fn change<Entry>(&self, call: Change, which: HTTP_SERVICE_CONFIG_ID, entry: &Entry) -> u32 {
        let _api = match Api::start() {
            Ok(api) => api,
            Err(code) => return code,
        };
        // SAFETY: the entry is the structure that belongs to `which`, whose size is told; what it points to outlives the
        // call.
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

/// A handle that is closed when it is dropped.
struct Owned(HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// Memory that Windows gave and wants back.
struct Local(*mut c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: given by a call whose result is to be freed so, and freed once.
        unsafe { LocalFree(self.0) };
    }
}

/// Shows each certificate of the machine's store in DER form, and whether its key is there.
fn each_certificate(mut look: impl FnMut(&[u8], bool)) -> Result<(), u32> {
    let store = match Store::open() {
        // Nothing was ever put into it.
        Err(ERROR_FILE_NOT_FOUND) => return Ok(()),
        store => store?,
    };
    let mut context: *const CERT_CONTEXT = null();
    loop {
        // SAFETY: the store is open; the context before is freed by this call.
        context = unsafe { CertEnumCertificatesInStore(store.0, context) };
        if context.is_null() {
            return Ok(());
        }
        // SAFETY: the context lives until the next call; its bytes are as many as it says.
        let der = unsafe {
            std::slice::from_raw_parts((*context).pbCertEncoded, (*context).cbCertEncoded as usize)
        };
        let mut length = 0;
        // SAFETY: with no room given, only the length is told.
        let has_key = unsafe {
            CertGetCertificateContextProperty(
                context,
                CERT_KEY_PROV_INFO_PROP_ID,
                null_mut(),
                &raw mut length,
            )
        } != 0;
        look(der, has_key);
    }
}

/// A security identifier.
struct Sid(Local);

impl Sid {
    /// Reads one that is written whole, or by the short name that descriptors have for it.
    fn read(text: &str) -> Option<Self> {
        let text = wide(text);
        let mut sid: PSID = null_mut();
        // SAFETY: `text` ends in a zero, and `sid` outlives the call.
        let known = unsafe { ConvertStringSidToSidW(text.as_ptr(), &raw mut sid) };
        (known != 0).then_some(Self(Local(sid)))
    }
}

/// A security identifier, written whole.
///
/// # Safety
/// `sid` leads to one.
unsafe fn sid_text(sid: PSID) -> Result<String, u32> {
    let mut text = null_mut();
    // SAFETY: as promised by the caller.
    if unsafe { ConvertSidToStringSidW(sid, &raw mut text) } == 0 {
        return Err(last_error());
    }
    let text = Local(text.cast());
    // SAFETY: a text that ends in a zero, until it is freed.
    Ok(unsafe { read_wide(text.0.cast()) })
}

/// A descriptor in which every account is named by its whole identifier: Windows has short names for some, such as LA for
/// the administrator of this machine.
fn with_whole_identifiers(sddl: &str) -> String {
    let mut parts = sddl.split(')').map(|part| {
        let Some((head, whom)) = part.rsplit_once(';') else {
            return part.to_owned();
        };
        let whole = Sid::read(whom).and_then(|sid| {
            // SAFETY: it was just read.
            unsafe { sid_text(sid.0.0) }.ok()
        });
        format!("{head};{}", whole.as_deref().unwrap_or(whom))
    });
    let first = parts.next().unwrap_or_default();
    parts.fold(first, |text, part| text + ")" + &part)
}

/// The certificate store of the machine, to be read.
struct Store(HCERTSTORE);

impl Store {
    fn open() -> Result<Self, u32> {
        let name = wide(STORE);
        // SAFETY: this kind of store takes a name that ends in a zero.
        let store = unsafe {
            CertOpenStore(
                CERT_STORE_PROV_SYSTEM_W,
                0,
                0,
                CERT_SYSTEM_STORE_LOCAL_MACHINE
                    | CERT_STORE_READONLY_FLAG
                    | CERT_STORE_OPEN_EXISTING_FLAG,
                name.as_ptr().cast(),
            )
        };
        if store.is_null() {
            return Err(last_error());
        }
        Ok(Self(store))
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store is ours, and is closed once.
        unsafe { CertCloseStore(self.0, 0) };
    }
}

/// The configuration part of the interface is in use. Apart from the listener's part: not every system starts both in
/// one call.
struct Api;

impl Api {
    fn start() -> Result<Self, u32> {
        // SAFETY: the last argument is reserved and null.
        match unsafe { HttpInitialize(VERSION, HTTP_INITIALIZE_CONFIG, null_mut()) } {
            NO_ERROR => Ok(Self),
            code => Err(code),
        }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        // SAFETY: pairs with the call in `start`.
        unsafe { HttpTerminate(HTTP_INITIALIZE_CONFIG, null_mut()) };
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
            // Of the address only the port counts.
            Endpoint::Name { host, port } => Self {
                address: storage((Ipv4Addr::UNSPECIFIED, *port).into()),
                host: wide(host),
            },
        }
    }

    /// Points into `self`, which has to outlive it.
    fn by_address(&mut self) -> HTTP_SERVICE_CONFIG_SSL_KEY {
        HTTP_SERVICE_CONFIG_SSL_KEY {
            pIpPort: (&raw mut self.address).cast(),
        }
    }

    /// Points into `self`, which has to outlive it.
    fn by_name(&mut self) -> HTTP_SERVICE_CONFIG_SSL_SNI_KEY {
        HTTP_SERVICE_CONFIG_SSL_SNI_KEY {
            IpPort: self.address,
            Host: self.host.as_mut_ptr(),
        }
    }
}

/// A socket address as Windows keeps it.
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
            // SAFETY: the storage is larger than every address, and aligned for all.
            unsafe { (&raw mut storage).cast::<SOCKADDR_IN>().write(inner) };
        }
        SocketAddr::V6(address) => {
            let mut inner = SOCKADDR_IN6 {
                sin6_family: AF_INET6,
                sin6_port: address.port().to_be(),
                ..SOCKADDR_IN6::default()
            };
            inner.sin6_addr.u.Byte = address.ip().octets();
            // SAFETY: the storage is larger than every address, and aligned for all.
            unsafe { (&raw mut storage).cast::<SOCKADDR_IN6>().write(inner) };
        }
    }
    storage
}

/// The address in a storage.
fn ip(storage: &SOCKADDR_STORAGE) -> Option<IpAddr> {
    match storage.ss_family {
        AF_INET => {
            // SAFETY: of this family; the storage is larger, and aligned for all.
            let address = unsafe { (&raw const *storage).cast::<SOCKADDR_IN>().read() };
            // SAFETY: all views of the union are plain bytes.
            let number = unsafe { address.sin_addr.S_un.S_addr };
            Some(Ipv4Addr::from(number.to_ne_bytes()).into())
        }
        AF_INET6 => {
            // SAFETY: of this family; the storage is larger, and aligned for all.
            let address = unsafe { (&raw const *storage).cast::<SOCKADDR_IN6>().read() };
            // SAFETY: all views of the union are plain bytes.
            Some(Ipv6Addr::from(unsafe { address.sin6_addr.u.Byte }).into())
        }
        _ => None,
    }
}

/// What a binding says; points to `hash` and `store`, which have to outlive it.
fn parameters(app_id: u128, hash: &mut [u8], store: &mut [u16]) -> HTTP_SERVICE_CONFIG_SSL_PARAM {
    HTTP_SERVICE_CONFIG_SSL_PARAM {
        SslHashLength: hash.len() as u32,
        pSslHash: hash.as_mut_ptr().cast(),
        AppId: GUID::from_u128(app_id),
        pSslCertStoreName: store.as_mut_ptr(),
        ..HTTP_SERVICE_CONFIG_SSL_PARAM::default()
    }
}

/// Copies what counts out of a binding.
///
/// # Safety
/// Its pointers are null or lead to what they promise.
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
    let [a, b, c, d, e, f, g, h] = id.data4;
    let tail = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
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

fn is_elevated() -> bool {
    let mut token = null_mut();
    // SAFETY: the handle of one's own process need not be closed; `token` outlives the call.
    if unsafe { OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &raw mut token) } == 0 {
        return false;
    }
    let token = Owned(token);
    let mut elevation = TOKEN_ELEVATION::default();
    let mut length = 0;
    // SAFETY: `elevation` is what this question is answered with, and its size is told.
    let told = unsafe {
        GetTokenInformation(
            token.0,
            TokenElevation,
            (&raw mut elevation).cast(),
            size_of::<TOKEN_ELEVATION>() as u32,
            &raw mut length,
        )
    };
    told != 0 && elevation.TokenIsElevated != 0
}

/// True where this process belongs to a desktop that somebody can see; services and remote shells do not.
fn desktop_is_visible() -> bool {
    let mut flags = USEROBJECTFLAGS::default();
    let mut length = 0;
    // SAFETY: the station's handle need not be closed; `flags` is what this question is answered with, and its size is
    // told.
    let told = unsafe {
        GetUserObjectInformationW(
            GetProcessWindowStation(),
            UOI_FLAGS,
            (&raw mut flags).cast(),
            size_of::<USEROBJECTFLAGS>() as u32,
            &raw mut length,
        )
    };
    told != 0 && flags.dwFlags & WSF_VISIBLE.cast_unsigned() != 0
}

fn last_error() -> u32 {
    // SAFETY: takes nothing.
    unsafe { GetLastError() }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn up_to_zero(text: &[u16]) -> String {
    let end = text.iter().position(|unit| *unit == 0);
    String::from_utf16_lossy(&text[..end.unwrap_or(text.len())])
}

/// # Safety
/// `text` is null or ends in a zero.
unsafe fn read_wide(text: PWSTR) -> String {
    if text.is_null() {
        return String::new();
    }
    let length = (0..TEXT_LIMIT)
        // SAFETY: up to the zero all of it is the text's.
        .find(|at| unsafe { *text.add(*at) } == 0)
        .unwrap_or(TEXT_LIMIT);
    // SAFETY: as above.
    String::from_utf16_lossy(unsafe { std::slice::from_raw_parts(text, length) })
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    non_upper_case_globals,
    reason = "a test ends on what it did not expect; constants are named as Windows names them"
)]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use windows_sys::Win32::Security::Cryptography::{
        CERT_STORE_ADD_ALWAYS, CertAddEncodedCertificateToStore, X509_ASN_ENCODING,
    };

    use super::super::plan::{APP_ID, Plan, Prefix, Thumbprint};
    use super::super::report::{Listener, State, Work};
    use super::*;

    const HERE: System = System {
        consent: Consent::NotAsked,
        calls: REAL,
    };

    #[test]
    fn accounts_have_identifiers_and_names() {
        let user = HERE.user().unwrap();
        let sid = HERE.sid(&user).unwrap();
        assert!(sid.starts_with("S-1-5-"), "{user}: {sid}");
        let account = HERE.account(&sid).unwrap();
        assert_eq!(account.name.to_lowercase(), user.to_lowercase());
        assert!(!account.group);
        // Its name is translated, its identifier is not.
        let system = HERE.account("S-1-5-18").unwrap().name;
        assert_eq!(HERE.sid(&system).unwrap(), "S-1-5-18");
        assert_eq!(HERE.sid("nobody-of-that-name"), Err(ERROR_NONE_MAPPED));
        assert_eq!(HERE.account("S-1-rubbish"), None);
        // Everybody is everybody, and the guests are others.
        assert!(HERE.is_member("S-1-1-0") && !HERE.is_member("S-1-5-32-546"));
        assert!(HERE.account("S-1-5-32-545").unwrap().group);
    }

    #[test]
    fn short_names_in_a_descriptor_are_made_whole() {
        assert_eq!(
            with_whole_identifiers("D:(A;;GX;;;WD)(A;;GX;;;S-1-5-21-1-2-3-1001)"),
            "D:(A;;GX;;;S-1-1-0)(A;;GX;;;S-1-5-21-1-2-3-1001)"
        );
        assert_eq!(
            with_whole_identifiers("O:SYD:PAI(D;;GA;;;NS)"),
            "O:SYD:PAI(D;;GA;;;S-1-5-20)"
        );
        for odd in ["", "D:", "D:(A;;GX", "rubbish)", "D:(A;;GX;;;nobody)"] {
            assert_eq!(with_whole_identifiers(odd), odd);
        }
    }

    #[test]
    fn certificates_of_the_machine_are_listed() {
        let params = CertificateParams::new(["listed.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (der, name) = (certificate.der(), wide(STORE));
        // SAFETY: as in `Store::open`, to be written to.
        let store = Store(unsafe {
            CertOpenStore(
                CERT_STORE_PROV_SYSTEM_W,
                0,
                0,
                CERT_SYSTEM_STORE_LOCAL_MACHINE,
                name.as_ptr().cast(),
            )
        });
        // SAFETY: the bytes are as many as told.
        let added = unsafe {
            CertAddEncodedCertificateToStore(
                store.0,
                X509_ASN_ENCODING,
                der.as_ptr(),
                u32::try_from(der.len()).unwrap(),
                CERT_STORE_ADD_ALWAYS,
                null_mut(),
            )
        };
        assert!(added != 0, "{}", last_error());
        // Others see it when the store is closed.
        drop(store);
        let added = store::read(der, false, SystemTime::now()).unwrap();
        let listed = HERE.certificates().unwrap();
        assert!(listed.contains(&added), "{listed:?}");
        assert!(added.fits("listed.example") && !added.expired);
        // What a browser would be shown is found by its hash.
        let about = HERE.about(&added.thumbprint.0).unwrap();
        assert_eq!(
            about.fingerprint,
            crate::certificate::x509::fingerprint(der)
        );
        assert_eq!(HERE.about(&[0; 20]), None);
    }

    #[test]
    fn structures_hold_what_was_planned() {
        let hash = Thumbprint([7; 20]);
        for (url, family, text) in [
            ("https://127.0.0.1:8443/cb", AF_INET, "[127, 0, 0, 1]"),
            ("https://[::1]:8443/cb", AF_INET6, "[0, 0, 0, 0]"),
            ("https://localhost:8443/cb", AF_INET, "[0, 0, 0, 0]"),
        ] {
            let plan = Plan::new(Prefix::of(url).unwrap(), "me", Some(hash)).unwrap();
            let binding = plan.bindings().unwrap().remove(0);
            let mut key = Key::of(&binding.endpoint);
            assert_eq!(key.address.ss_family, family, "{url}");
            // SAFETY: of either family, the port stands in the same place.
            let inner = unsafe { *(&raw const key.address).cast::<SOCKADDR_IN>() };
            assert_eq!(u16::from_be(inner.sin_port), 8443);
            // SAFETY: all views of the union are plain bytes.
            let number = unsafe { inner.sin_addr.S_un.S_addr };
            assert_eq!(format!("{:?}", number.to_ne_bytes()), text, "{url}");
            if let Endpoint::Name { .. } = binding.endpoint {
                // SAFETY: ends in a zero.
                assert_eq!(unsafe { read_wide(key.by_name().Host) }, "localhost");
            }
            let (mut bytes, mut store) = (binding.hash, wide(binding.store));
            let set = parameters(binding.app_id, &mut bytes, &mut store);
            // SAFETY: points to the two above.
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
        /// What the stand-ins below were given.
        static GIVEN: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
    }

    /// What an entry, or a question, of this kind and size says.
    unsafe fn told(which: HTTP_SERVICE_CONFIG_ID, entry: *const c_void, length: u32) -> String {
        // SAFETY: each structure is the one that belongs to `which`, which is what is tested; its size is compared.
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

    /// Answers with a reservation, at the second asking only, as one that needs more room.
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
        assert_eq!(which, HttpServiceConfigUrlAclInfo);
        assert_eq!(
            length as usize,
            size_of::<HTTP_SERVICE_CONFIG_URLACL_QUERY>()
        );
        let text = wide("D:(A;;GX;;;NS)");
        let size = 10_000;
        // SAFETY: question and answer are those of this kind; the room is as told.
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

    #[test]
    fn each_call_has_its_structure() {
        let mut system = System {
            consent: Consent::NotAsked,
            calls: Calls { query, set, delete },
        };
        for url in [
            "http://localhost:8400/cb",
            "https://localhost:8443/cb",
            "https://127.0.0.1:8443/cb",
            "https://[::1]/cb",
        ] {
            let plan =
                Plan::new(Prefix::of(url).unwrap(), "me", Some(Thumbprint([7; 20]))).unwrap();
            system.reserve(&plan.reservation("S-1-5-20"));
            for binding in plan.bindings().unwrap() {
                system.bind(&binding);
                system.unbind(&binding.endpoint);
            }
            system.release(&plan.prefix.to_string());
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
            system.reservation("http://localhost:8400/cb/"),
            Ok(Some("D:(A;;GX;;;S-1-5-20)".to_owned()))
        );
        assert_eq!(
            GIVEN.take(),
            [
                "query http://localhost:8400/cb/ 2048",
                "query http://localhost:8400/cb/ 10000"
            ]
        );
    }

    #[test]
    fn the_service_is_asked_and_answers() {
        // Nothing is reserved or bound for these; under Wine nothing ever is.
        assert_eq!(HERE.reservation("http://localhost:47110/never/"), Ok(None));
        for url in ["https://localhost:47110/", "https://127.0.0.1:47110/"] {
            let prefix = Prefix::of(url).unwrap();
            let plan = Plan::new(prefix.clone(), "me", None).unwrap();
            assert_eq!(HERE.binding(&plan.endpoints()[0]), Ok(None));
            assert_eq!(shown(&prefix), Err(NotBound));
        }
        assert!(!HERE.is_deaf());
        // It is listened on for a moment, and again.
        for _ in 0..2 {
            assert_eq!(HERE.listen("http://127.0.0.1:47110/never/"), NO_ERROR);
        }
        assert_eq!(
            HERE.listen("http://127.0.0.1/never/"),
            ERROR_INVALID_PARAMETER
        );
        let report = perform(&Task {
            work: Work::Verify,
            prefix: Prefix::of("http://localhost:47110/never").unwrap(),
            listener: Listener::HttpSys,
            listen: None,
            user: String::new(),
            thumbprint: None,
            ssh: None,
            consent: Consent::NotAsked,
        });
        let text = &report.findings[0].text;
        match HERE.rights() {
            Rights::Elevated => assert!(text.starts_with("There is no URL reservation"), "{text}"),
            Rights::Consent | Rights::None => assert!(text.ends_with("it was tried."), "{text}"),
        }
        assert_ne!(report.findings[0].state, State::Wrong);
        assert_eq!(report.user, HERE.user());
    }

    #[test]
    fn the_program_runs_once_more_for_consent_and_its_exit_code_comes_back() {
        // The program here is that of the tests.
        let mut here = HERE;
        assert_eq!(here.consent(&["--list".to_owned()]), Ok(0));
        let wrong = here.consent(&["--no-such-flag".to_owned()]);
        assert!(wrong.is_ok_and(|code| code != 0), "{wrong:?}");
        assert_eq!(
            here.consent(&["a\"b".to_owned()]),
            Err(ERROR_INVALID_PARAMETER)
        );
    }
}
