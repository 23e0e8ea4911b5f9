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

fn configuration() -> Option<PathBuf> {
    let base = etcetera::choose_base_strategy().ok()?;
    Some(base.config_dir().join("oauth-authorizer"))
}
