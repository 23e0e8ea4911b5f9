//! Queries tmux: whether this terminal is one of its panes, and who is attached from where. Also copies to its buffer.
//!
//! A session may have been started at the desktop and be attached from another computer, so the variables of a pane
//! don't tell where the user is. tmux is queried each time that matters, with a short timeout.

use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::AsyncWriteExt;

use crate::child;
use crate::clean::clean;
use crate::console::environment::Environment;
#[cfg(target_os = "linux")]
use crate::console::origin;
use crate::console::origin::{Attached, Door, Origin};
use crate::runtime;
use crate::secret::{ExposeSecret, SecretString};

/// How long to wait for a response of tmux.
const LIMIT: Duration = Duration::from_secs(3);
/// Maximum number of lines of the response to read.
const LINES: usize = 10_000;

/// Asks tmux who is attached.
///
/// # Errors
/// Returns an error, as part of a sentence, if tmux can't tell.
pub async fn ask(environment: &Environment) -> Result<Attached, String> {
    let arguments = [
        "list-panes",
        "-a",
        "-F",
        "pane #{pane_tty}",
        ";",
        "list-clients",
        "-F",
        "client #{client_pid}",
        ";",
        "show-environment",
    ];
    let output = run(&arguments, None).await?;
    if !output.status.success() {
        return Err(format!("tmux said: {}", said(&output)));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(attached(environment, &text, Origin::of))
}

/// Does the same, but blocks, and updates `environment` with the response. Returns `None` if this is not tmux.
#[must_use]
pub fn settle(environment: &mut Environment) -> Option<Result<Attached, String>> {
    if !environment.tmux {
        return None;
    }
    let answer = match runtime::new() {
        Ok(runtime) => runtime.block_on(ask(environment)),
        Err(error) => Err(format!("tmux could not be run: {error}")),
    };
    if let Ok(attached) = &answer {
        environment.attached(attached);
    }
    Some(answer)
}

fn attached(environment: &Environment, text: &str, origin: impl Fn(u32) -> Origin) -> Attached {
    let mut found = Attached::default();
    let mut clients = Vec::new();
    let mut display = None;
    for line in text.lines().take(LINES) {
        if let Some(pane) = line.strip_prefix("pane ") {
            found.ours |= environment.line.as_deref() == Some(pane);
        } else if let Some(pid) = line.strip_prefix("client ") {
            clients.extend(pid.parse::<u32>());
        } else if let Some(connection) = line.strip_prefix("SSH_CONNECTION=") {
            found.ssh_connection = Some(connection.to_owned());
        } else if let Some(name) = line.strip_prefix("DISPLAY=") {
            display = Some(name.to_owned());
        }
    }
    let mut here = !clients.is_empty() && found.ssh_connection.is_none();
    // tmux updates this variable from each client that attaches.
    here &= environment.x_display.is_none() || environment.x_display == display;
    for pid in clients {
        let client = origin(pid);
        found.mosh |= client.door == Some(Door::Mosh);
        found.ssh |= matches!(client.door, Some(Door::Ssh | Door::Mosh));
        // A client inside another tmux may be connected from anywhere.
        here &= client.door.is_none() && client.keeper.is_none() && !client.incomplete;
        #[cfg(target_os = "linux")]
        match origin::variables_of(pid, ["SSH_CONNECTION", "WAYLAND_DISPLAY"]) {
            Some([connection, wayland]) => {
                here &= connection.is_none() && wayland == environment.wayland_display;
                found.ssh_connection = found.ssh_connection.or(connection);
            }
            None => here = false,
        }
        found.ssh_connection = found.ssh_connection.or(client.ssh_connection);
    }
    found.ssh |= found.ssh_connection.is_some();
    found.here = here;
    found
}

/// What happens to text in the tmux buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Onward {
    /// tmux was asked to forward the text to the attached terminals.
    Asked,
    /// The text stays in the buffer, as requested or because this tmux is too old.
    Stays,
}

/// Copies `text` to the tmux buffer, and asks tmux to forward it if `onward` is set.
pub(super) async fn copy(text: &SecretString, onward: bool) -> Result<Onward, String> {
    if onward {
        let output = run(&["load-buffer", "-w", "-"], Some(text)).await?;
        if output.status.success() {
            return Ok(Onward::Asked);
        }
        let first = said(&output);
        // tmux before 3.2 doesn't know -w.
        if !["usage", "unknown flag", "unknown option"]
            .iter()
            .any(|sign| first.contains(sign))
        {
            return Err(format!("tmux said: {first}"));
        }
    }
    let output = run(&["load-buffer", "-"], Some(text)).await?;
    if output.status.success() {
        Ok(Onward::Stays)
    } else {
        Err(format!("tmux said: {}", said(&output)))
    }
}

fn said(output: &Output) -> String {
    clean(&String::from_utf8_lossy(&output.stderr), 100)
}

async fn run(arguments: &[&str], text: Option<&SecretString>) -> Result<Output, String> {
    let run = async {
        let mut child = tokio::process::Command::from(child::command("tmux"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let input = child.stdin.take();
        if let (Some(mut input), Some(text)) = (input, text) {
            // If tmux rejects the command, it doesn't read the input. Its message is more useful than the error that
            // the pipe is closed.
            match input.write_all(text.expose_secret().as_bytes()).await {
                Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error),
                Err(_) | Ok(()) => {}
            }
        }
        child.wait_with_output().await
    };
    match tokio::time::timeout(LIMIT, run).await {
        Ok(outcome) => outcome.map_err(|error| format!("tmux could not be run: {error}")),
        Err(_) => Err("tmux did not respond".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pane() -> Environment {
        Environment {
            line: Some("/dev/pts/7".to_owned()),
            x_display: Some(":0".to_owned()),
            tmux: true,
            ..Environment::default()
        }
    }

    #[test]
    fn tmux_panes_are_compared_with_this_terminal() {
        let ours = |text: &str| attached(&pane(), text, |_| Origin::default()).ours;
        assert!(ours("pane /dev/pts/3\npane /dev/pts/7\n"));
        assert!(!ours("pane /dev/pts/3\npane /dev/pts/70\n"));
        let mut unknown = pane();
        unknown.line = None;
        assert!(!attached(&unknown, "pane \n", |_| Origin::default()).ours);
    }

    #[test]
    fn remote_tmux_clients_are_not_treated_as_local() {
        // The PID of this process: a real one, whose variables can be read.
        let client = format!("client {}\n", std::process::id());
        let wayland = std::env::var("WAYLAND_DISPLAY").ok();
        let over_ssh = std::env::var_os("SSH_CONNECTION").is_some();
        let environment = Environment {
            wayland_display: wayland.filter(|name| !name.is_empty()),
            ..pane()
        };
        let here =
            |text: &str, origin: Origin| attached(&environment, text, |_| origin.clone()).here;
        let desk = format!("{client}DISPLAY=:0\n-SSH_CONNECTION\n");
        assert_eq!(here(&desk, Origin::default()), !over_ssh);
        // No client is attached; another display; a client over SSH according to tmux.
        assert!(!here("DISPLAY=:0\n", Origin::default()));
        assert!(!here(&format!("{client}DISPLAY=:1\n"), Origin::default()));
        assert!(!here(&format!("{client}-DISPLAY\n"), Origin::default()));
        let ssh = format!("{client}DISPLAY=:0\nSSH_CONNECTION=192.0.2.1 5 192.0.2.2 22\n");
        assert!(!here(&ssh, Origin::default()));
        assert_eq!(
            attached(&environment, &ssh, |_| Origin::default()).ssh_connection,
            Some("192.0.2.1 5 192.0.2.2 22".to_owned())
        );
        // A client is remote according to the processes above it.
        for door in [Door::Ssh, Door::Mosh, Door::Other] {
            let origin = Origin {
                door: Some(door),
                ..Origin::default()
            };
            assert!(!here(&desk, origin.clone()));
            let found = attached(&environment, &desk, |_| origin.clone());
            assert_eq!(found.mosh, door == Door::Mosh);
            assert_eq!(found.ssh, door != Door::Other || over_ssh);
        }
        let hidden = Origin {
            incomplete: true,
            ..Origin::default()
        };
        assert!(!here(&desk, hidden));
        let nested = Origin {
            keeper: Some(super::super::origin::Keeper::Screen),
            ..Origin::default()
        };
        assert!(!here(&desk, nested));
    }
}
