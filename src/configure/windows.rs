//! The configuration of the HTTP service of Windows, and what belongs to it: accounts, certificates, consent.
//!
//! Plain values in, codes out: what they mean is decided in `service`.

#![allow(
    unsafe_code,
    reason = "the interfaces of Windows are those of C; each block says why it is sound"
)]

use std::net::SocketAddr;
use std::os::windows::ffi::OsStrExt;
use std::ptr::{null, null_mut};
use std::time::SystemTime;

use windows_sys::Win32::Foundation::{
    CloseHandle, ERROR_FILE_NOT_FOUND, ERROR_INSUFFICIENT_BUFFER, ERROR_INVALID_PARAMETER,
    ERROR_NOT_FOUND, GetLastError, HANDLE, LocalFree, NO_ERROR, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_INITIALIZE_CONFIG, HTTP_SERVICE_CONFIG_ID, HTTP_SERVICE_CONFIG_SSL_KEY,
    HTTP_SERVICE_CONFIG_SSL_PARAM, HTTP_SERVICE_CONFIG_SSL_QUERY, HTTP_SERVICE_CONFIG_SSL_SET,
    HTTP_SERVICE_CONFIG_SSL_SNI_KEY, HTTP_SERVICE_CONFIG_SSL_SNI_QUERY,
    HTTP_SERVICE_CONFIG_SSL_SNI_SET, HTTP_SERVICE_CONFIG_URLACL_KEY,
    HTTP_SERVICE_CONFIG_URLACL_PARAM, HTTP_SERVICE_CONFIG_URLACL_QUERY,
    HTTP_SERVICE_CONFIG_URLACL_SET, HTTPAPI_VERSION, HttpDeleteServiceConfiguration,
    HttpInitialize, HttpQueryServiceConfiguration, HttpServiceConfigQueryExact,
    HttpServiceConfigSSLCertInfo, HttpServiceConfigSslSniCertInfo, HttpServiceConfigUrlAclInfo,
    HttpSetServiceConfiguration, HttpTerminate,
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
    GetTokenInformation, LookupAccountNameW, LookupAccountSidW, PSID, TOKEN_ELEVATION, TOKEN_QUERY,
    TokenElevation,
};
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

use super::plan::{Endpoint, STORE, SslBinding, UrlAcl};
use super::quote;
use super::reading::FoundBinding;
use super::report::{Consent, Report, StoreCertificate, Task};
use super::service::{self, Rights, Service};
use super::store;

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
    let consent = task.consent;
    service::perform(task, &mut System { consent })
}

/// This machine.
struct System {
    consent: Consent,
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
        let mut text = null_mut();
        // SAFETY: the call before has filled in the identifier.
        if unsafe { ConvertSidToStringSidW(sid.as_mut_ptr().cast(), &raw mut text) } == 0 {
            return Err(last_error());
        }
        let text = Local(text.cast());
        // SAFETY: a text that ends in a zero, until it is freed below.
        Ok(unsafe { read_wide(text.0.cast()) })
    }

    fn name(&self, sid: &str) -> Option<String> {
        let mut found: PSID = null_mut();
        let sid = wide(sid);
        // SAFETY: `sid` ends in a zero.
        if unsafe { ConvertStringSidToSidW(sid.as_ptr(), &raw mut found) } == 0 {
            return None;
        }
        let found = Local(found);
        let (mut name, mut domain) = ([0_u16; 512], [0_u16; 512]);
        let (mut name_length, mut domain_length) = (name.len() as u32, domain.len() as u32);
        let mut kind = 0;
        // SAFETY: the identifier is sound; both buffers are as long as told.
        let known = unsafe {
            LookupAccountSidW(
                null(),
                found.0,
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
        Some(match (up_to_zero(&domain), up_to_zero(&name)) {
            (domain, name) if domain.is_empty() => name,
            (domain, name) => format!("{domain}\\{name}"),
        })
    }

    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        let store = match Store::open() {
            // Nothing was ever put into it.
            Err(ERROR_FILE_NOT_FOUND) => return Ok(Vec::new()),
            store => store?,
        };
        let now = SystemTime::now();
        let mut all = Vec::new();
        let mut context: *const CERT_CONTEXT = null();
        loop {
            // SAFETY: the store is open; the context before is freed by this call.
            context = unsafe { CertEnumCertificatesInStore(store.0, context) };
            if context.is_null() {
                return Ok(all);
            }
            if all.len() == MOST_CERTIFICATES {
                // To the end all the same, as that frees the last one.
                continue;
            }
            // SAFETY: the context lives until the next call; its bytes are as many as it says.
            let der = unsafe {
                std::slice::from_raw_parts(
                    (*context).pbCertEncoded,
                    (*context).cbCertEncoded as usize,
                )
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
            all.extend(store::read(der, has_key, now));
        }
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
        let answer = query(HttpServiceConfigUrlAclInfo, &question)?;
        // SAFETY: this is what such a question is answered with, and its texts lie in the same buffer.
        Ok(answer.map(|answer| unsafe {
            let set = answer.as_ptr().cast::<HTTP_SERVICE_CONFIG_URLACL_SET>();
            read_wide((*set).ParamDesc.pStringSecurityDescriptor)
        }))
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
                let answer = query(HttpServiceConfigSSLCertInfo, &question)?;
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
                let answer = query(HttpServiceConfigSslSniCertInfo, &question)?;
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
        change(Change::Set, HttpServiceConfigUrlAclInfo, &set)
    }

    fn bind(&mut self, binding: &SslBinding) -> u32 {
        let mut key = Key::of(&binding.endpoint);
        let (mut hash, mut store) = (binding.hash, wide(binding.store));
        let parameters = parameters(binding.app_id, &mut hash, &mut store);
        match binding.endpoint {
            Endpoint::Address(_) => change(
                Change::Set,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ParamDesc: parameters,
                },
            ),
            Endpoint::Name { .. } => change(
                Change::Set,
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
        change(Change::Delete, HttpServiceConfigUrlAclInfo, &set)
    }

    fn unbind(&mut self, endpoint: &Endpoint) -> u32 {
        let mut key = Key::of(endpoint);
        match endpoint {
            Endpoint::Address(_) => change(
                Change::Delete,
                HttpServiceConfigSSLCertInfo,
                &HTTP_SERVICE_CONFIG_SSL_SET {
                    KeyDesc: key.by_address(),
                    ..HTTP_SERVICE_CONFIG_SSL_SET::default()
                },
            ),
            Endpoint::Name { .. } => change(
                Change::Delete,
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

/// A handle that is closed when it is dropped.
struct Owned(HANDLE);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, and is closed once.
        unsafe { CloseHandle(self.0) };
    }
}

/// Memory that Windows gave and wants back.
struct Local(*mut core::ffi::c_void);

impl Drop for Local {
    fn drop(&mut self) {
        // SAFETY: given by a call whose result is to be freed so, and freed once.
        unsafe { LocalFree(self.0) };
    }
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

/// Asks for one entry; its structure, aligned, or `None` where there is none.
fn query<Question>(
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
            HttpQueryServiceConfiguration(
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

#[derive(Clone, Copy)]
enum Change {
    Set,
    Delete,
}

/// Writes or deletes an entry.
fn change<Entry>(what: Change, which: HTTP_SERVICE_CONFIG_ID, entry: &Entry) -> u32 {
    let _api = match Api::start() {
        Ok(api) => api,
        Err(code) => return code,
    };
    let call = match what {
        Change::Set => HttpSetServiceConfiguration,
        Change::Delete => HttpDeleteServiceConfiguration,
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
                address: storage((std::net::Ipv4Addr::UNSPECIFIED, *port).into()),
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
#[allow(clippy::unwrap_used, reason = "a test ends on what it did not expect")]
mod tests {
    use rcgen::{CertificateParams, KeyPair};
    use windows_sys::Win32::Security::Cryptography::{
        CERT_STORE_ADD_ALWAYS, CertAddEncodedCertificateToStore, X509_ASN_ENCODING,
    };

    use super::super::plan::{APP_ID, Plan, Prefix, Thumbprint};
    use super::super::report::{State, Work};
    use super::*;

    const HERE: System = System {
        consent: Consent::NotAsked,
    };

    #[test]
    fn accounts_have_identifiers_and_names() {
        let user = HERE.user().unwrap();
        let sid = HERE.sid(&user).unwrap();
        assert!(sid.starts_with("S-1-5-"), "{user}: {sid}");
        assert_eq!(HERE.name(&sid).unwrap().to_lowercase(), user.to_lowercase());
        // Its name is translated, its identifier is not.
        let system = HERE.name("S-1-5-18").unwrap();
        assert_eq!(HERE.sid(&system).unwrap(), "S-1-5-18");
        assert!(HERE.sid("nobody-of-that-name").is_err());
        assert_eq!(HERE.name("S-1-rubbish"), None);
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

    #[test]
    fn the_service_is_asked_and_answers() {
        // Nothing is reserved or bound for these; under Wine nothing ever is.
        assert_eq!(HERE.reservation("http://localhost:47110/never/"), Ok(None));
        for url in ["https://localhost:47110/", "https://127.0.0.1:47110/"] {
            let plan = Plan::new(Prefix::of(url).unwrap(), "me", None).unwrap();
            assert_eq!(HERE.binding(&plan.endpoints()[0]), Ok(None));
        }
        let report = perform(&Task {
            work: Work::Verify,
            prefix: Prefix::of("http://localhost:47110/never").unwrap(),
            listen: None,
            user: String::new(),
            thumbprint: None,
            ssh: false,
            consent: Consent::NotAsked,
        });
        assert_eq!(report.findings[0].state, State::Wrong, "{report:?}");
        assert!(
            report.findings[0]
                .text
                .starts_with("Missing: a URL reservation")
        );
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
