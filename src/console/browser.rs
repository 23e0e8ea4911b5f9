//! Opens a browser, if a desktop session on this machine can show one.
//!
//! The browser is started detached from the terminal, and never through a shell.

use std::process::Stdio;
use std::time::Duration;

use url::Url;

use crate::child;
use crate::console::environment::Environment;
use crate::console::tmux;

/// If the starter has not failed after this time, it has probably started a browser.
const VERDICT: Duration = Duration::from_secs(3);
/// The Windows flag for a process without this program's console.
#[cfg(windows)]
const DETACHED_PROCESS: u32 = 0x0000_0008;

/// Returns the program and arguments that open `url`.
fn command_line(environment: &Environment, url: &Url) -> Vec<String> {
    if let Some(named) = &environment.browser
        && cfg!(windows)
    {
        // A path, which may contain colons and spaces. The command prompt keeps quotation marks in a variable.
        let path = named.trim().trim_matches('"');
        return vec![path.to_owned(), url.to_string()];
    }
    if let Some(named) = &environment.browser {
        // By convention, BROWSER is a list separated by colons. The first entry is used, and %s is replaced by the URL.
        let first = named.split(':').next().unwrap_or_default();
        let mut words: Vec<String> = first
            .split_whitespace()
            .map(|word| word.replace("%s", url.as_str()))
            .collect();
        if !first.contains("%s") {
            words.push(url.to_string());
        }
        if words.len() > 1 {
            return words;
        }
    }
    #[cfg(windows)]
    let starter: &[&str] = &[&rundll32(), "url.dll,FileProtocolHandler"];
    #[cfg(not(windows))]
    let starter: &[&str] = if cfg!(target_os = "macos") {
        &["open"]
    } else {
        &["xdg-open"]
    };
    starter
        .iter()
        .copied()
        .chain([url.as_str()])
        .map(str::to_owned)
        .collect()
}

/// Returns the path of the program that opens URLs. A mere name might be found in other folders first.
#[cfg(windows)]
fn rundll32() -> String {
    let folder = crate::windows::system_folder().unwrap_or_default();
    folder.join("rundll32.exe").to_string_lossy().into_owned()
}

/// Opens `url`. Returns once the starter has succeeded, or has been running for three seconds.
///
/// # Errors
/// Returns an error, as part of a sentence, if no browser could be started.
pub async fn open(mut environment: Environment, url: Url) -> Result<(), String> {
    if environment.display_of_tmux {
        // The user may have attached to tmux from another computer since.
        let attached = tmux::ask(&environment).await?;
        environment.attached(&attached);
        if !environment.display {
            return Err(environment.why.display.to_owned());
        }
    }
    let words = command_line(&environment, &url);
    let (program, arguments) = words.split_first().ok_or("no browser found")?;
    let mut command = tokio::process::Command::from(child::command(program));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let failed = |error: std::io::Error| format!("{program} could not be started: {error}");
    #[cfg(unix)]
    let mut child = {
        let mut wrapped = process_wrap::tokio::CommandWrap::from(command);
        wrapped.wrap(process_wrap::tokio::ProcessSession);
        wrapped.spawn().map_err(failed)?
    };
    #[cfg(windows)]
    let mut child = command
        .creation_flags(DETACHED_PROCESS)
        .spawn()
        .map_err(failed)?;
    match tokio::time::timeout(VERDICT, child.wait()).await {
        // The starter continues on its own; the runtime reaps it when it ends.
        Err(_) => Ok(()),
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(format!("{program} exited with {status}")),
        Ok(Err(error)) => Err(failed(error)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[cfg(windows)]
    #[test]
    fn named_browser_is_treated_as_a_path() {
        let url = Url::parse("https://as.example/?a=1&b=$(x)").unwrap();
        let path = r"C:\Program Files\Some Browser\browser.exe";
        for named in [path.to_owned(), format!("\"{path}\"")] {
            let environment = Environment {
                browser: Some(named),
                ..Environment::default()
            };
            assert_eq!(command_line(&environment, &url), [path, url.as_str()]);
        }
        // Without a browser in the environment, the Windows program is started by its full path.
        let line = command_line(&Environment::default(), &url);
        assert_eq!(
            line[0].to_ascii_lowercase(),
            r"c:\windows\system32\rundll32.exe"
        );
        assert_eq!(line[1..], ["url.dll,FileProtocolHandler", url.as_str()]);
    }

    #[cfg(not(windows))]
    #[test]
    fn named_browser_is_started_without_a_shell() {
        let url = Url::parse("https://as.example/?a=1&b=$(x)").unwrap();
        let line = |browser: &str| {
            command_line(
                &Environment {
                    browser: Some(browser.to_owned()),
                    ..Environment::default()
                },
                &url,
            )
        };
        assert_eq!(
            line("/usr/bin/one -new:other"),
            ["/usr/bin/one", "-new", url.as_str()]
        );
        assert_eq!(
            line("one --app=%s"),
            ["one".to_owned(), format!("--app={url}")]
        );
        assert_eq!(
            command_line(&Environment::default(), &url).last().unwrap(),
            url.as_str()
        );
    }
}
