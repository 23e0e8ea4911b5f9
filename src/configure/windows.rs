//! Set up, Verify and Delete on this machine: gives the steps access to HTTP.sys, accounts and consent.

#![allow(
    unsafe_code,
    reason = "Windows APIs are C interfaces; each block explains why it is sound"
)]

use std::net::IpAddr;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::time::SystemTime;

use windows_sys::Win32::Foundation::{
    ERROR_FILE_NOT_FOUND, ERROR_INVALID_PARAMETER, ERROR_NOT_FOUND, WAIT_OBJECT_0, WAIT_TIMEOUT,
};
use windows_sys::Win32::System::Com::{
    COINIT_APARTMENTTHREADED, COINIT_DISABLE_OLE1DDE, CoInitializeEx, CoUninitialize,
};
use windows_sys::Win32::System::Threading::{GetExitCodeProcess, WaitForSingleObject};
use windows_sys::Win32::UI::Shell::{
    SEE_MASK_NOASYNC, SEE_MASK_NOCLOSEPROCESS, SHELLEXECUTEINFOW, ShellExecuteExW,
};
use windows_sys::Win32::UI::WindowsAndMessaging::SW_HIDE;

use super::reading::Account;
use super::report::{Consent, Report, SetUpTask};
use super::service::{Rights, Service};
use super::{account, steps};
use crate::httpsys::api::try_prefix;
use crate::httpsys::certificates::StoreCertificate;
use crate::httpsys::config::Config;
use crate::httpsys::prefix::{Endpoint, FoundBinding, SslBinding, UrlAcl};
use crate::httpsys::store;
use crate::quote;
use crate::windows::{desktop_is_visible, last_error, wide};

/// How long the elevated program may run, in milliseconds, not including the question for consent.
const CONSENT_LIMIT: u32 = 60_000;

/// Runs the task.
#[must_use]
pub fn perform(task: &SetUpTask) -> Report {
    let mut system = System {
        consent: task.consent,
        config: Config::REAL,
    };
    steps::perform(task, &mut system)
}

/// COM on this thread, which parts of the shell may require. Dropping it ends the use of COM.
struct Com(bool);

impl Com {
    fn start() -> Self {
        let kind = (COINIT_APARTMENTTHREADED | COINIT_DISABLE_OLE1DDE).cast_unsigned();
        // SAFETY: the first argument is reserved and null. The call may fail if the thread uses COM in another mode.
        Self(unsafe { CoInitializeEx(std::ptr::null(), kind) } >= 0)
    }
}

impl Drop for Com {
    fn drop(&mut self) {
        if self.0 {
            // SAFETY: pairs with the call in `start`, on the same thread.
            unsafe { CoUninitialize() };
        }
    }
}

/// The interface to this machine.
struct System {
    consent: Consent,
    config: Config,
}

impl Service for System {
    fn rights(&self) -> Rights {
        if account::is_elevated() {
            Rights::Elevated
        } else if self.consent == Consent::Asked && desktop_is_visible() {
            Rights::Consent
        } else {
            Rights::None
        }
    }

    fn user(&self) -> Option<String> {
        account::user()
    }

    fn sid(&self, user: &str) -> Result<String, u32> {
        crate::windows::account_sid(user)
    }

    fn account(&self, sid: &str) -> Option<Account> {
        account::account(sid)
    }

    fn is_member(&self, sid: &str) -> bool {
        crate::windows::is_member(sid)
    }

    fn certificates(&self) -> Result<Vec<StoreCertificate>, u32> {
        store::list(SystemTime::now())
    }

    fn listen(&self, prefix: &str) -> u32 {
        try_prefix(prefix)
    }

    fn listen_list(&self) -> Result<Vec<IpAddr>, u32> {
        self.config.listen_list()
    }

    fn reservation(&self, prefix: &str) -> Result<Option<String>, u32> {
        let sddl = self.config.reservation(prefix)?;
        Ok(sddl.map(|sddl| account::with_whole_identifiers(&sddl)))
    }

    fn binding(&self, endpoint: &Endpoint) -> Result<Option<FoundBinding>, u32> {
        self.config.binding(endpoint)
    }

    fn reserve(&mut self, reservation: &UrlAcl) -> u32 {
        self.config.reserve(reservation)
    }

    fn bind(&mut self, binding: &SslBinding) -> u32 {
        self.config.bind(binding)
    }

    fn release(&mut self, prefix: &str) -> u32 {
        self.config.release(prefix)
    }

    fn unbind(&mut self, endpoint: &Endpoint) -> u32 {
        self.config.unbind(endpoint)
    }

    fn consent(&mut self, arguments: &[String]) -> Result<u32, u32> {
        let Ok(program) = std::env::current_exe() else {
            return Err(ERROR_FILE_NOT_FOUND);
        };
        let program = wide(program);
        let line = quote::windows_line(arguments).map_err(|_| ERROR_INVALID_PARAMETER)?;
        let (verb, line) = (wide("runas"), wide(&line));
        let mut order = SHELLEXECUTEINFOW {
            cbSize: size_of::<SHELLEXECUTEINFOW>() as u32,
            fMask: SEE_MASK_NOCLOSEPROCESS | SEE_MASK_NOASYNC,
            lpVerb: verb.as_ptr(),
            lpFile: program.as_ptr(),
            lpParameters: line.as_ptr(),
            // Nobody would read its output: the exit code is the result.
            nShow: SW_HIDE,
            ..SHELLEXECUTEINFOW::default()
        };
        let com = Com::start();
        // SAFETY: the size is passed; all strings end with a zero and outlive the call.
        if unsafe { ShellExecuteExW(&raw mut order) } == 0 {
            return Err(last_error());
        }
        // End COM before the thread blocks: COM has windows that must respond to messages.
        drop(com);
        if order.hProcess.is_null() {
            return Err(ERROR_NOT_FOUND);
        }
        // SAFETY: this process owns the handle, because SEE_MASK_NOCLOSEPROCESS was set.
        let process = unsafe { OwnedHandle::from_raw_handle(order.hProcess) };
        // SAFETY: this process owns the handle.
        match unsafe { WaitForSingleObject(process.as_raw_handle(), CONSENT_LIMIT) } {
            WAIT_OBJECT_0 => {}
            WAIT_TIMEOUT => return Err(WAIT_TIMEOUT),
            _ => return Err(last_error()),
        }
        let mut code = 0;
        // SAFETY: this process owns the handle, and `code` outlives the call.
        if unsafe { GetExitCodeProcess(process.as_raw_handle(), &raw mut code) } == 0 {
            return Err(last_error());
        }
        Ok(code)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use windows_sys::Win32::Foundation::NO_ERROR;

    use super::super::plan::{Plan, SetUpAction};
    use super::super::report::Listener;
    use super::*;
    use crate::httpsys::config::tests::STAND_IN;
    use crate::httpsys::config::{NotBound, bound_certificate};
    use crate::httpsys::prefix::Prefix;

    const HERE: System = System {
        consent: Consent::NotAsked,
        config: Config::REAL,
    };

    #[test]
    fn reservation_uses_full_sids() {
        let system = System {
            config: STAND_IN,
            ..HERE
        };
        assert_eq!(
            system.reservation("http://localhost:8400/cb/"),
            Ok(Some("D:(A;;GX;;;S-1-5-20)".to_owned()))
        );
    }

    #[test]
    fn http_service_responds_to_queries() {
        // Nothing is reserved or bound for these URLs; under Wine nothing ever is.
        assert_eq!(HERE.reservation("http://localhost:47110/never/"), Ok(None));
        for url in ["https://localhost:47110/", "https://127.0.0.1:47110/"] {
            let prefix = Prefix::of(url).unwrap();
            let plan = Plan::new(prefix.clone(), "me", None).unwrap();
            assert_eq!(HERE.binding(&plan.endpoints()[0]), Ok(None));
            assert_eq!(bound_certificate(&prefix), Err(NotBound));
        }
        assert_eq!(HERE.listen_list(), Ok(Vec::new()));
        // Listens briefly, twice.
        for _ in 0..2 {
            assert_eq!(HERE.listen("http://127.0.0.1:47110/never/"), NO_ERROR);
        }
        assert_eq!(
            HERE.listen("http://127.0.0.1/never/"),
            ERROR_INVALID_PARAMETER
        );
        let report = perform(&SetUpTask {
            action: SetUpAction::Verify,
            prefix: Prefix::of("http://localhost:47110/never").unwrap(),
            listener: Listener::HttpSys,
            or_loopback: false,
            listen: None,
            certificate: None,
            user: String::new(),
            thumbprint: None,
            ssh: None,
            consent: Consent::NotAsked,
        });
        let text = &report.findings[0].text;
        match HERE.rights() {
            Rights::Elevated => assert!(text.starts_with("There is no URL reservation"), "{text}"),
            Rights::Consent | Rights::None => assert!(text.starts_with("Tested: "), "{text}"),
        }
        assert!(!report.findings[0].state.stops());
        assert_eq!(report.user, HERE.user());
    }

    #[test]
    fn elevated_run_returns_its_exit_code() {
        // In this test, the program is the test executable.
        let mut here = HERE;
        assert_eq!(here.consent(&["--list".to_owned()]), Ok(0));
        let wrong = here.consent(&["--no-such-flag".to_owned()]);
        assert!(wrong.is_ok_and(|code| code != 0), "{wrong:?}");
        assert_eq!(
            here.consent(&["a\"b".to_owned()]),
            Err(ERROR_INVALID_PARAMETER)
        );
    }

    #[test]
    fn com_stays_initialized_until_dropped() {
        use windows_sys::Win32::System::Com::{APTTYPE_MAINSTA, APTTYPE_STA, CoGetApartmentType};
        let apartment = || {
            let (mut kind, mut qualifier) = (-1, 0);
            // SAFETY: both variables are written to only during the call.
            let result = unsafe { CoGetApartmentType(&raw mut kind, &raw mut qualifier) };
            (result >= 0).then_some(kind)
        };
        // A thread that nothing else has used.
        let thread = std::thread::spawn(move || {
            let com = Com::start();
            let held = apartment();
            // A thread may initialize COM twice.
            drop(Com::start());
            let still = apartment();
            drop(com);
            [held, still, apartment()]
        });
        let [held, still, after] = thread.join().unwrap();
        assert!(
            matches!(held, Some(APTTYPE_STA | APTTYPE_MAINSTA)),
            "{held:?}"
        );
        assert_eq!((still, after), (held, None));
    }
}
