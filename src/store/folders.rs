//! The folders of this program's files.

use std::path::PathBuf;

use etcetera::BaseStrategy;

/// Returns the folder of the certificates that were created on this machine; `None` if the system names no home folder.
#[must_use]
pub fn certificates() -> Option<PathBuf> {
    Some(configuration()?.join("certificates"))
}

/// Returns the folder of the user's presets; `None` if the system names no home folder.
#[must_use]
pub fn presets() -> Option<PathBuf> {
    Some(configuration()?.join("presets"))
}

/// Returns the folder of the user's profile settings; `None` if the system names no home folder.
#[must_use]
pub fn profiles() -> Option<PathBuf> {
    Some(configuration()?.join("profiles"))
}

/// Returns the folder of the user's tokens; `None` if the system names no home folder.
#[must_use]
pub fn records() -> Option<PathBuf> {
    let base = base()?;
    // Windows has no folder for state. The folder for caches stays on this machine.
    let state = base.state_dir().unwrap_or_else(|| base.cache_dir());
    Some(state.join("oauth-authorizer").join("profiles"))
}

/// Returns the folder of machine-wide profile settings.
#[must_use]
pub fn machine_profiles() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(machine()?.join("profiles"));
    }
    Some(PathBuf::from("/etc/oauth-authorizer/profiles"))
}

/// Returns the folder of the tokens of machine-wide profiles.
#[must_use]
pub fn machine_records() -> Option<PathBuf> {
    if cfg!(windows) {
        return Some(machine()?.join("state"));
    }
    Some(PathBuf::from("/var/lib/oauth-authorizer/profiles"))
}

/// Returns the machine-wide folder on Windows, which contains the other machine-wide folders.
#[must_use]
pub fn machine() -> Option<PathBuf> {
    let data = PathBuf::from(std::env::var_os("ProgramData")?);
    Some(data.join("oauth-authorizer"))
}

fn configuration() -> Option<PathBuf> {
    Some(base()?.config_dir().join("oauth-authorizer"))
}

/// Returns the folders of the user. A relative home folder would depend on where the program is run.
fn base() -> Option<impl BaseStrategy> {
    let base = etcetera::choose_base_strategy().ok()?;
    base.home_dir().is_absolute().then_some(base)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[test]
    fn each_file_kind_has_its_own_folder() {
        let own = [certificates(), presets(), profiles(), records()].map(Option::unwrap);
        for (folder, name) in own
            .iter()
            .zip(["certificates", "presets", "profiles", "profiles"])
        {
            assert!(folder.is_absolute(), "{folder:?}");
            assert!(
                folder.ends_with(PathBuf::from("oauth-authorizer").join(name)),
                "{folder:?}"
            );
        }
        // Settings are copied to other computers; tokens are not.
        assert_ne!(own[2], own[3]);
    }

    #[cfg(unix)]
    #[test]
    fn machine_folders_are_in_etc_and_var_lib() {
        let (settings, tokens) = (
            "/etc/oauth-authorizer/profiles",
            "/var/lib/oauth-authorizer/profiles",
        );
        assert_eq!(machine_profiles(), Some(settings.into()));
        assert_eq!(machine_records(), Some(tokens.into()));
    }
}
