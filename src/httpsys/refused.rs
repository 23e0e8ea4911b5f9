//! Explains why HTTP.sys doesn't listen on a URL: what each Windows error code means, and what to do.

/// The account may not listen on the URL (`ERROR_ACCESS_DENIED`).
pub const ACCESS_DENIED: u32 = 5;

/// Returns what the code means for this prefix, as a sentence.
#[must_use]
pub fn reason(prefix: &str, code: u32) -> String {
    match code {
        ACCESS_DENIED => {
            format!("Your account isn't allowed to listen on {prefix} (access denied, code 5).")
        }
        183 => format!("Another program is already listening on {prefix} (code 183)."),
        32 => format!("Another program uses the port of {prefix} without HTTP.sys (code 32)."),
        87 => format!("HTTP.sys rejected the URL {prefix} (code 87)."),
        1214 => format!("HTTP.sys rejected the host of {prefix} (code 1214)."),
        13 => format!("HTTP.sys can't read its configuration for {prefix} (code 13)."),
        10013 => {
            format!("Windows doesn't allow HTTP.sys to use the port of {prefix} (code 10013).")
        }
        1058 => "The HTTP service of Windows is disabled (code 1058).".to_owned(),
        126 | 127 | 1060 => format!("This Windows has no HTTP service (code {code})."),
        2 | 1062 | 1075 => format!("The HTTP service of Windows is not running (code {code})."),
        1 => format!(
            "HTTP.sys cannot listen on {prefix} (code 1): https requires a certificate binding."
        ),
        code => format!("HTTP.sys cannot listen on {prefix} (code {code})."),
    }
}

/// Returns whether the code means that the HTTP service itself can't be used, whatever it was to do.
#[must_use]
pub fn is_service(code: u32) -> bool {
    matches!(code, 126 | 127 | 1058 | 1060 | 1062 | 1075)
}

/// Returns what to do about the code, as a sentence.
#[must_use]
pub fn remedy(code: u32) -> &'static str {
    match code {
        ACCESS_DENIED => {
            "Reserve the URL for your account with Configure… (oauth-authorizer configure setup). Or use a redirect URL \
             under http://localhost:80/Temporary_Listen_Addresses/, which requires no setup."
        }
        183 => {
            "Find that program with netsh http show servicestate, run as administrator, and stop it. Or choose another port or \
             path and register it with the service."
        }
        32 => {
            "Find that program with netstat -ano, which shows its process ID in the last column, and stop it. Or choose another \
             port and register it with the service."
        }
        87 => "Correct Redirect URL: host name, port and path, without a query.",
        1214 => "Use localhost or 127.0.0.1 as the host of Redirect URL.",
        13 => {
            "Look for an invalid entry with netsh http show urlacl and netsh http show iplisten. Or use --listener loopback."
        }
        10013 => {
            "Windows or another program has reserved the port. Choose another one in Redirect URL. To list the reserved \
             ports, run netsh interface ipv4 show excludedportrange protocol=tcp."
        }
        1058 => {
            "Enable and start the service as an administrator: sc.exe config http start= demand, then net start http. Or use \
             --listener loopback."
        }
        2 | 1062 | 1075 => {
            "Start the service as an administrator: net start http. Or use --listener loopback."
        }
        _ => "Start with --listener loopback, which does not use HTTP.sys.",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_error_code_is_explained() {
        let codes = [
            1, 2, 5, 13, 32, 87, 127, 183, 1058, 1060, 1062, 1214, 4711, 10013,
        ];
        let mut seen = BTreeSet::new();
        for code in codes {
            let text = reason("http://localhost:1/", code);
            assert!(text.ends_with('.') && remedy(code).ends_with('.'), "{text}");
            let known = !text.starts_with("HTTP.sys cannot listen on");
            assert_eq!(known, code != 1 && code != 4711, "{text}");
            assert!(seen.insert(text));
        }
        // Two codes mean a service that is not running. For four codes, the only fix is the other listener.
        let remedies: BTreeSet<&str> = codes.into_iter().map(remedy).collect();
        assert_eq!(remedies.len(), codes.len() - 4);
    }
}
