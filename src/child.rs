//! Starts other programs, which inherit no environment variable with a secret.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::secret::SECRET_VARIABLE;

/// The environment variables with a secret besides [`SECRET_VARIABLE`], by name.
static NOTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn noted() -> MutexGuard<'static, Vec<String>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Notes that an environment variable contains a secret, according to the command line or the settings.
pub fn note_secret(name: &str) {
    let mut noted = noted();
    if name != SECRET_VARIABLE && !noted.iter().any(|other| other == name) {
        noted.push(name.to_owned());
    }
}

/// Returns the names of all environment variables with a secret.
#[must_use]
pub fn secrets() -> Vec<String> {
    let mut names = vec![SECRET_VARIABLE.to_owned()];
    names.extend(noted().iter().cloned());
    names
}

/// Creates a command whose process inherits none of these variables.
#[must_use]
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for name in secrets() {
        command.env_remove(name);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn child_commands_do_not_inherit_secret_variables() {
        note_secret("SECRET_OF_THE_TEST");
        note_secret("SECRET_OF_THE_TEST");
        note_secret(SECRET_VARIABLE);
        let command = command("true");
        for name in [SECRET_VARIABLE, "SECRET_OF_THE_TEST"] {
            let variables = command.get_envs();
            let removed = variables.filter(|(key, value)| *key == name && value.is_none());
            assert_eq!(removed.count(), 1, "{name}");
        }
    }
}
