//! A scripted server, for responses that a real server does not send.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A request as it was received.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub path: String,
    /// The value of the `Authorization` header.
    pub authorization: Option<String>,
    pub form: HashMap<String, String>,
}

/// A response.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    pub body: String,
    pub headers: Vec<(String, String)>,
    /// Closes the connection instead of responding.
    pub drop: bool,
    /// Never responds.
    pub silent: bool,
}

impl Reply {
    /// A JSON response with this status.
    pub fn json(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
            ..Self::default()
        }
    }
}

/// A running server. It lives as long as the test process.
pub struct Scripted {
    pub url: String,
    log: Arc<Mutex<Vec<Request>>>,
}

impl Scripted {
    /// Starts a server that responds with `reply`.
    pub fn start(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_at(TcpListener::bind("127.0.0.1:0").unwrap(), reply)
    }

    /// Starts a server on the caller's listener.
    pub fn start_at(
        listener: TcpListener,
        reply: impl Fn(&Request) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, reply) = (Arc::clone(&log), Arc::new(reply));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, reply) = (Arc::clone(&kept), Arc::clone(&reply));
                std::thread::spawn(move || {
                    let _ = serve(stream, &log, reply.as_ref());
                });
            }
        });
        Self { url, log }
    }

    /// All requests so far.
    pub fn all(&self) -> Vec<Request> {
        self.log.lock().unwrap().clone()
    }

    /// The requests for this path so far.
    pub fn requests(&self, path: &str) -> Vec<Request> {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    }
}

/// A device flow that is approved at the first poll, or never.
pub struct DeviceFlow {
    pub verification_uri: String,
    pub complete: Option<String>,
    /// The token that is issued; `None` if the user never approves.
    pub access_token: Option<String>,
}

impl DeviceFlow {
    /// A device flow with this verification URL that is never approved.
    pub fn at(verification_uri: &str) -> Self {
        Self {
            verification_uri: verification_uri.to_owned(),
            complete: None,
            access_token: None,
        }
    }

    /// A device flow that issues this token.
    pub fn giving(access_token: &str) -> Self {
        Self {
            access_token: Some(access_token.to_owned()),
            ..Self::at("https://as.example/device")
        }
    }

    /// Starts the server. Returns the server and the flags for it.
    pub fn start(self) -> (Scripted, Vec<String>) {
        let server = Scripted::start(move |request| {
            if request.path != "/token" {
                let mut body = serde_json::json!({
                    "device_code": "d", "user_code": "WDJB-MJHT", "expires_in": 600, "interval": 1,
                    "verification_uri": self.verification_uri,
                });
                if let Some(complete) = &self.complete {
                    body["verification_uri_complete"] = complete.as_str().into();
                }
                return Reply::json(200, &body.to_string());
            }
            match &self.access_token {
                None => Reply::json(400, r#"{"error":"authorization_pending"}"#),
                Some(token) => Reply::json(
                    200,
                    &serde_json::json!({
                        "access_token": token, "token_type": "Bearer", "expires_in": 3600,
                        "refresh_token": "a-refresh-token-of-the-test",
                    })
                    .to_string(),
                ),
            }
        });
        let flags = [
            ("--device-url", format!("{}/device", server.url)),
            ("--token-url", format!("{}/token", server.url)),
            ("--client-id", "a-client".to_owned()),
            ("--scope", "openid".to_owned()),
        ];
        let flags = flags
            .into_iter()
            .flat_map(|(flag, value)| [flag.to_owned(), value]);
        (server, flags.collect())
    }
}

fn serve(
    stream: TcpStream,
    log: &Mutex<Vec<Request>>,
    reply: &dyn Fn(&Request) -> Reply,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut authorization) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            let Some((name, value)) = header.split_once(':') else {
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => authorization = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let form = url::form_urlencoded::parse(&body).into_owned().collect();
        let request = Request {
            at: Instant::now(),
            path,
            authorization,
            form,
        };
        log.lock().unwrap().push(request.clone());
        let reply = reply(&request);
        if reply.drop {
            return Ok(());
        }
        if reply.silent {
            std::io::copy(&mut reader, &mut std::io::sink())?;
            return Ok(());
        }
        let kind = if reply.body.starts_with('<') {
            "text/html"
        } else {
            "application/json"
        };
        write!(
            writer,
            "HTTP/1.1 {} X\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n",
            reply.status,
            reply.body.len()
        )?;
        for (name, value) in &reply.headers {
            write!(writer, "{name}: {value}\r\n")?;
        }
        write!(writer, "\r\n{}", reply.body)?;
        writer.flush()?;
    }
}
