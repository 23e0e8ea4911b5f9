//! A real mail server on loopback: Dovecot with IMAP, POP3 and submission, which checks each token at the authorization
//! server. A relay of the test's receives the submitted messages.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use crate::servers::{Provider, eventually, free_port, run};

/// The user that owns the mailboxes: Dovecot opens no mailbox as root.
const NOBODY: u32 = 65_534;

/// A running mail server. It ends when the value is dropped.
pub struct MailServer {
    child: Child,
    folder: tempfile::TempDir,
    pub imaps: u16,
    pub pop3s: u16,
    pub submission: u16,
    relayed: Arc<Mutex<Vec<String>>>,
}

impl Drop for MailServer {
    fn drop(&mut self) {
        // Its child processes end with the main process.
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}

impl MailServer {
    /// Starts a server for the users of this provider.
    pub fn start(provider: &Provider) -> Self {
        let root = rustix::process::geteuid().is_root();
        assert!(root, "only root can start Dovecot with users of its own");
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        std::fs::set_permissions(at, PermissionsExt::from_mode(0o755)).unwrap();
        for name in ["run", "state", "mail"] {
            std::fs::create_dir(at.join(name)).unwrap();
        }
        chown(at.join("mail"), Some(NOBODY), Some(NOBODY)).unwrap();
        let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        for more in [
            "-keyout ca-key.pem -out ca.pem -subj /CN=ca",
            "-keyout key.pem -out cert.pem -subj /CN=localhost -CA ca.pem -CAkey ca-key.pem \
             -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE",
        ] {
            run(Command::new("openssl")
                .args(key.split(' '))
                .args(more.split_whitespace())
                .current_dir(at));
        }
        let (relayed, relay) = start_relay();
        let [imaps, pop3s, submission] = [(); 3].map(|()| free_port());
        let introspection = provider.endpoint("introspection");
        let introspection = introspection.replace("//", "//mail-server:mail-servers-secret@");
        std::fs::write(
            at.join("oauth2.conf"),
            format!(
                "introspection_url = {introspection}\nintrospection_mode = post\nusername_attribute = sub\n\
                 username_format = %n\nscope = email\nactive_attribute = active\nactive_value = true\n"
            ),
        )
        .unwrap();
        let config = at.join("dovecot.conf");
        let text = CONFIGURATION
            .replace("FOLDER", at.to_str().unwrap())
            .replace("IMAPS", &imaps.to_string())
            .replace("POP3S", &pop3s.to_string())
            .replace("SUBMISSION", &submission.to_string())
            .replace("RELAY", &relay.to_string());
        std::fs::write(&config, text).unwrap();
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .spawn()
            .expect("Dovecot is there");
        let server = Self {
            child,
            folder,
            imaps,
            pop3s,
            submission,
            relayed,
        };
        for port in [imaps, pop3s, submission] {
            eventually("Dovecot", || TcpStream::connect(("127.0.0.1", port)).ok());
        }
        server
    }

    /// The CA certificate to trust.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Puts a message into a mailbox.
    pub fn deliver(&self, user: &str, name: &str, text: &str) {
        let mut folder = self.folder.path().join("mail");
        for part in [user, "mail", "new"] {
            folder.push(part);
            if !folder.exists() {
                std::fs::create_dir(&folder).unwrap();
                chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        chown(&path, Some(NOBODY), Some(NOBODY)).unwrap();
    }

    /// The messages that were submitted to the relay, each with its envelope.
    pub fn relayed(&self) -> Vec<String> {
        self.relayed.lock().unwrap().clone()
    }

    /// The server's log.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

const CONFIGURATION: &str = "\
base_dir = FOLDER/run
state_dir = FOLDER/state
log_path = FOLDER/log
protocols = imap pop3 submission
listen = 127.0.0.1
hostname = localhost
ssl = required
ssl_cert = <FOLDER/cert.pem
ssl_key = <FOLDER/key.pem
# With plain, the token is the password.
auth_mechanisms = xoauth2 oauthbearer plain
auth_failure_delay = 0
mail_location = maildir:~/mail
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer plain
  args = FOLDER/oauth2.conf
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=FOLDER/mail/%u
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = IMAPS
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 0
  }
  inet_listener pop3s {
    port = POP3S
  }
}
service submission-login {
  inet_listener submission {
    port = SUBMISSION
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = RELAY
";

/// Starts a relay that keeps the messages it receives. Returns them and its port.
fn start_relay() -> (Arc<Mutex<Vec<String>>>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let relayed = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&relayed);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || relay(stream, &kept));
        }
    });
    (relayed, port)
}

fn relay(stream: TcpStream, kept: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut writer = stream;
    writer.write_all(b"220 relay\r\n")?;
    let mut message = String::new();
    while let Some(line) = lines.next().transpose()? {
        let command = line.to_ascii_uppercase();
        if command.starts_with("MAIL") || command.starts_with("RCPT") {
            message.push_str(&line);
            message.push('\n');
        }
        let reply = match command.get(..4).unwrap_or_default() {
            "QUIT" => return writer.write_all(b"221 bye\r\n"),
            "DATA" => {
                writer.write_all(b"354 go on\r\n")?;
                while let Some(line) = lines.next().transpose()?
                    && line != "."
                {
                    message.push_str(&line);
                    message.push('\n');
                }
                kept.lock().unwrap().push(std::mem::take(&mut message));
                &b"250 kept\r\n"[..]
            }
            _ => b"250 fine\r\n",
        };
        writer.write_all(reply)?;
    }
    Ok(())
}

/// The messages in a maildir.
pub fn messages(maildir: &Path) -> Vec<String> {
    let folders = ["new", "cur"].map(|name| maildir.join(name));
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten());
    entries
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect()
}
