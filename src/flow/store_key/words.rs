//! The meaning of error codes of certificate stores and their keys, with a fix for each.

use crate::certificate::store_path::Location;

/// The step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Finding the certificate.
    Find,
    /// Getting its private key.
    Key,
    /// Signing with the key. Contains the name of the algorithm.
    Sign(&'static str),
}

// From winerror.h. windows-sys exists only on Windows, but these codes are tested everywhere.
const FILE_NOT_FOUND: u32 = 2;
const ACCESS_DENIED: u32 = 5;
const E_ACCESSDENIED: u32 = 0x8007_0005;
const NTE_BAD_ALGID: u32 = 0x8009_0008;
const NTE_BAD_FLAGS: u32 = 0x8009_0009;
const NTE_BAD_KEYSET: u32 = 0x8009_0016;
const NTE_BAD_KEY_STATE: u32 = 0x8009_000B;
const NTE_BAD_PROV_TYPE: u32 = 0x8009_0014;
const NTE_BAD_TYPE: u32 = 0x8009_000A;
const NTE_INVALID_PARAMETER: u32 = 0x8009_0027;
const NTE_KEYSET_NOT_DEF: u32 = 0x8009_0019;
const NTE_NO_KEY: u32 = 0x8009_000D;
const NTE_NOT_FOUND: u32 = 0x8009_0011;
const NTE_NOT_SUPPORTED: u32 = 0x8009_0029;
const NTE_PERM: u32 = 0x8009_0010;
const NTE_PROV_TYPE_NO_MATCH: u32 = 0x8009_001B;
const NTE_PROV_TYPE_NOT_DEF: u32 = 0x8009_0017;
const NTE_SILENT_CONTEXT: u32 = 0x8009_0022;
const NTE_UI_REQUIRED: u32 = 0x8009_002E;
const CRYPT_E_NOT_FOUND: u32 = 0x8009_2004;
const CRYPT_E_NO_KEY_PROPERTY: u32 = 0x8009_200B;
const SCARD_W_CARD_NOT_AUTHENTICATED: u32 = 0x8010_006F;
const SCARD_W_SECURITY_VIOLATION: u32 = 0x8010_006A;

/// The code for a key of the older interface without key storage providers (CryptoAPI).
pub const LEGACY: u32 = NTE_BAD_PROV_TYPE;
/// The code for a feature that a provider or this version of Windows doesn't support.
pub const NOT_SUPPORTED: u32 = NTE_NOT_SUPPORTED;
/// The code for a certificate that doesn't exist.
pub const NOT_FOUND: u32 = CRYPT_E_NOT_FOUND;

/// Explains a code for a certificate in this store, with a fix, in one or two sentences.
#[must_use]
pub fn sentence(step: Step, code: u32, location: Location) -> String {
    let machine = location == Location::LocalMachine;
    match (step, code) {
        (Step::Find, FILE_NOT_FOUND | CRYPT_E_NOT_FOUND) if machine => {
            "The machine's certificate store doesn't contain this certificate. Compare the thumbprint in certlm.msc, under \
             Personal."
                .to_owned()
        }
        (Step::Find, FILE_NOT_FOUND | CRYPT_E_NOT_FOUND) => {
            "The certificate store of the user who runs this program doesn't contain this certificate. Compare the thumbprint \
             in certmgr.msc, under Personal, or import the certificate as that user."
                .to_owned()
        }
        (Step::Key, CRYPT_E_NO_KEY_PROPERTY | CRYPT_E_NOT_FOUND) => {
            "The certificate has no private key on this machine. Import it with its key, as a .pfx file."
                .to_owned()
        }
        (Step::Key | Step::Sign(_), ACCESS_DENIED | E_ACCESSDENIED | NTE_PERM) => {
            format!("This account can't read the private key. {}", permission(machine))
        }
        // Windows returns the same code for a missing key and for a key that the account may not read.
        (Step::Key | Step::Sign(_), NTE_BAD_KEYSET | NTE_NO_KEY | NTE_NOT_FOUND) => format!(
            "The private key is missing, or this account can't read it. {} If the key is missing, import the .pfx file \
             again.",
            permission(machine)
        ),
        (
            Step::Key | Step::Sign(_),
            NTE_SILENT_CONTEXT
            | NTE_UI_REQUIRED
            | SCARD_W_SECURITY_VIOLATION
            | SCARD_W_CARD_NOT_AUTHENTICATED,
        ) => "The private key requires a PIN or a confirmation, and this program doesn't ask for one. Import the .pfx file without \
              strong private key protection, or use another key."
            .to_owned(),
        (
            Step::Key,
            NTE_BAD_PROV_TYPE | NTE_PROV_TYPE_NO_MATCH | NTE_PROV_TYPE_NOT_DEF | NTE_KEYSET_NOT_DEF
            | NTE_BAD_KEY_STATE | NTE_BAD_TYPE,
        ) => format!(
            "The private key is in a legacy provider (CSP), which this program doesn't use. {}",
            import(machine)
        ),
        (
            Step::Sign(algorithm),
            NTE_NOT_SUPPORTED | NTE_BAD_ALGID | NTE_BAD_FLAGS | NTE_INVALID_PARAMETER,
        ) => format!(
            "The provider of the private key, such as a legacy one (CSP) or a TPM, can't sign with {algorithm}. {}",
            import(machine)
        ),
        (Step::Find, _) => format!(
            "The certificate store can't be read (error {}). Run the program as a user who can open it in {}.",
            shown(code),
            if machine { "certlm.msc" } else { "certmgr.msc" }
        ),
        (Step::Key | Step::Sign(_), _) => format!(
            "Windows can't use the private key (error {}). Import the .pfx file again, or use another key.",
            shown(code)
        ),
    }
}

/// Formats a code. Windows errors are small decimal numbers; codes of its components are known in hexadecimal.
fn shown(code: u32) -> String {
    if code < 0x8000_0000 {
        code.to_string()
    } else {
        format!("0x{code:08X}")
    }
}

fn permission(machine: bool) -> &'static str {
    if machine {
        "In certlm.msc, open All Tasks > Manage Private Keys for the certificate, and let this account read it."
    } else {
        "Run the program as the user who imported the certificate."
    }
}

fn import(machine: bool) -> String {
    let user = if machine { "" } else { "-user " };
    format!(
        "Import the .pfx file into a key storage provider: certutil {user}-csp KSP -importpfx My FILE.pfx"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_code_message_says_what_to_do() {
        let (machine, user) = (Location::LocalMachine, Location::CurrentUser);
        let sign = Step::Sign("PS256");
        for (step, code, location, expected) in [
            (
                Step::Find,
                NOT_FOUND,
                machine,
                "certlm.msc, under Personal.",
            ),
            (Step::Find, FILE_NOT_FOUND, user, "certmgr.msc"),
            (
                Step::Find,
                ACCESS_DENIED,
                machine,
                "can't be read (error 5).",
            ),
            (
                Step::Key,
                CRYPT_E_NO_KEY_PROPERTY,
                machine,
                "no private key on this machine",
            ),
            (Step::Key, E_ACCESSDENIED, machine, "Manage Private Keys"),
            (Step::Key, NTE_PERM, user, "the user who imported"),
            (sign, NTE_PERM, machine, "Manage Private Keys"),
            (
                Step::Key,
                NTE_BAD_KEYSET,
                machine,
                "missing, or this account can't read",
            ),
            (sign, NTE_SILENT_CONTEXT, machine, "requires a PIN"),
            (
                Step::Key,
                LEGACY,
                machine,
                "certutil -csp KSP -importpfx My FILE.pfx",
            ),
            (sign, NTE_NOT_SUPPORTED, machine, "can't sign with PS256."),
            (sign, NTE_INVALID_PARAMETER, user, "certutil -user -csp KSP"),
            (Step::Key, 0x8009_0030, machine, "(error 0x80090030)."),
        ] {
            let said = sentence(step, code, location);
            assert!(said.contains(expected), "{code:x}: {said}");
        }
    }
}
