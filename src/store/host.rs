//! The host that this program runs on.

/// Returns the name of the host, for messages.
#[must_use]
pub fn name() -> String {
    #[cfg(unix)]
    return rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    #[cfg(not(unix))]
    std::env::var("COMPUTERNAME").unwrap_or_default()
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    #[test]
    fn host_name_matches_uname() {
        let output = std::process::Command::new("uname").arg("-n").output();
        let printed = output.unwrap().stdout;
        assert_eq!(
            super::name(),
            String::from_utf8(printed).unwrap().trim_end()
        );
    }
}
