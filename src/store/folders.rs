//! Where the files of this program are.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// The folder of the certificates that were created here; `None` if this system names no home folder.
#[must_use]
pub fn certificates() -> Option<PathBuf> {
    Some(configuration()?.join("certificates"))
}

/// The folder of the user's presets; `None` if this system names no home folder.
#[must_use]
pub fn presets() -> Option<PathBuf> {
    Some(configuration()?.join("presets"))
}

/// The folder of this user's settings of profiles; `None` if this system names no home folder.
#[must_use]
pub fn profiles() -> Option<PathBuf> {
    Some(configuration()?.join("profiles"))
}

/// The folder of this user's tokens; `None` if this system names no home folder.
#[must_use]
pub fn records() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    // Windows has no folder for state; the one for caches stays on this machine.
    let state = base.state_dir().unwrap_or_else(|| base.cache_dir());
    Some(state.join("oauth-authorizer").join("profiles"))
}

/// The folder of the machine's settings of profiles.
#[must_use]
pub fn machine_profiles() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(machine()?.join("profiles"));
    }
    Some(PathBuf::from("/etc/oauth-authorizer/profiles"))
}

/// The folder of the machine's tokens.
#[must_use]
pub fn machine_records() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(machine()?.join("state"));
    }
    Some(PathBuf::from("/var/lib/oauth-authorizer/profiles"))
}

/// The folder of the machine, on Windows: all else of it is there.
#[must_use]
pub fn machine() -> Option<PathBuf> {
    let data = PathBuf::from(std::env::var_os("ProgramData")?);
    Some(data.join("oauth-authorizer"))
}

fn configuration() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("oauth-authorizer"))
}
