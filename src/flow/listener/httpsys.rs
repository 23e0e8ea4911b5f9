//! The HTTP.sys listener: the web server in the Windows kernel (HTTP Server API 2.0).
//!
//! One operating system thread owns all handles. It registers the redirect URL's prefix, receives requests with
//! overlapped calls that can be canceled, sends the responses, and releases everything when it is told to stop.
//!
//! HTTP.sys always listens on all addresses of the machine; this listener rejects requests from other machines.

#![allow(
    unsafe_code,
    reason = "the HTTP Server API is a C interface; each block explains why it is sound"
)]

use std::net::Ipv4Addr;
use std::ptr::{null, null_mut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::Method;
use tokio::sync::{mpsc, oneshot};
use url::Url;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, ERROR_MORE_DATA, NO_ERROR, WAIT_OBJECT_0,
};
use windows_sys::Win32::Networking::HttpServer::{
    HTTP_DATA_CHUNK, HTTP_DATA_CHUNK_0, HTTP_DATA_CHUNK_0_0, HTTP_RESPONSE_V2,
    HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA, HTTP_SEND_RESPONSE_FLAG_DISCONNECT, HTTP_UNKNOWN_HEADER,
    HttpDataChunkFromMemory, HttpHeaderAllow, HttpHeaderCacheControl, HttpHeaderContentType,
};
use windows_sys::Win32::System::IO::{CancelIoEx, GetOverlappedResult, OVERLAPPED};
use windows_sys::Win32::System::Threading::{INFINITE, WaitForMultipleObjects};
use zeroize::Zeroizing;

use super::error::ListenError;
use super::gate::{Arrival, Astray, FORM_BYTES, Gate, ListenerEvent, ResponseMode, Stray};
use super::received::{Buffer, Seen};
use crate::flow::pages::Page;
use crate::httpsys::api::{Api, Event, Group, Queue, Registration, Session};
use crate::httpsys::library::{HttpReceiveHttpRequest, HttpSendHttpResponse};
use crate::httpsys::prefix::Prefix;
use crate::secret::SecretString;
use crate::windows::{last_error, wide};

/// How long a browser on this machine may take to send the rest of a form. Other requests wait meanwhile.
const FORM_LIMIT: Duration = Duration::from_secs(2);
/// How long the thread may take to release the URL.
const LET_GO: Duration = Duration::from_secs(2);

/// The HTTP.sys listener. Finishing or dropping it frees the URL.
#[derive(Debug)]
pub(super) struct HttpSys {
    redirect_url: Url,
    prefix: String,
    events: mpsc::Receiver<ListenerEvent>,
    stop: Arc<Event>,
    /// Closed by the thread when it has released everything.
    ended: Option<std::sync::mpsc::Receiver<()>>,
}

impl Drop for HttpSys {
    fn drop(&mut self) {
        self.events.close();
        // Dropping a queued callback tells its browser that nobody waits for it any more.
        while self.events.try_recv().is_ok() {}
        self.stop.set();
        if let Some(ended) = self.ended.take() {
            // The next listener on this URL needs it to be free.
            let _ = ended.recv_timeout(LET_GO);
        }
    }
}

impl HttpSys {
    /// Registers the redirect URL's prefix. Port 0 is replaced with a free port.
    ///
    /// # Errors
    /// Returns an error if HTTP.sys rejects the registration.
    pub(super) async fn bind(redirect_url: &Url, mode: ResponseMode) -> Result<Self, ListenError> {
        let mut redirect_url = redirect_url.clone();
        if redirect_url.port() == Some(0) {
            // HTTP.sys has no "any port", so use a port that is free now.
            let free = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
                .and_then(|socket| socket.local_addr())
                .map_err(|error| ListenError::new(Ipv4Addr::LOCALHOST.into(), 0, &error))?;
            // Cannot fail: an http URL with a host accepts any port.
            let _ = redirect_url.set_port(Some(free.port()));
        }
        let prefix = Prefix::of(redirect_url.as_str()).map_err(|_| ListenError::HttpSys {
            prefix: redirect_url.to_string(),
            code: ERROR_INVALID_PARAMETER,
        })?;
        let is_escaped = prefix.is_escaped();
        let prefix = prefix.registered().to_string();
        if is_escaped {
            return Err(ListenError::Escaped { prefix });
        }
        let failed = |code| ListenError::HttpSys {
            prefix: prefix.clone(),
            code,
        };
        let stop = Arc::new(Event::new().map_err(failed)?);
        let (sender, events) = mpsc::channel(16);
        let (ready, started) = oneshot::channel();
        let (end, ended) = std::sync::mpsc::channel();
        let worker = Worker {
            url: wide(&prefix),
            gate: Gate::new(&redirect_url, None, mode),
            events: sender,
            stop: Arc::clone(&stop),
        };
        std::thread::spawn(move || {
            worker.run(ready);
            drop(end);
        });
        // The thread always reports a result; anything else is a bug and counts as "invalid parameter".
        started
            .await
            .unwrap_or(Err(ERROR_INVALID_PARAMETER))
            .map_err(failed)?;
        Ok(Self {
            redirect_url,
            prefix,
            events,
            stop,
            ended: Some(ended),
        })
    }

    /// Returns the redirect URL with the port that is actually used.
    pub(super) fn redirect_url(&self) -> &Url {
        &self.redirect_url
    }

    /// Returns the registered prefix.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Waits for the next event.
    pub(super) async fn next(&mut self) -> Option<ListenerEvent> {
        self.events.recv().await
    }

    /// Frees the URL after the response in progress is sent.
    pub(super) async fn finish(self) {
        // Dropping waits for the thread.
        let _ = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

/// The result of waiting for a request.
enum Received {
    Request(Seen),
    /// The request is too large; contains its ID.
    TooLarge(u64),
    /// The connection was closed, or receiving failed.
    Nothing,
    Stopped,
}

struct Worker {
    url: Vec<u16>,
    gate: Gate,
    events: mpsc::Sender<ListenerEvent>,
    stop: Arc<Event>,
}

impl Worker {
    /// Runs the listener. All handles are dropped, and so released, in reverse order of creation.
    fn run(self, ready: oneshot::Sender<Result<(), u32>>) {
        let outcome = (|| {
            let api = Api::listener()?;
            let session = Session::new()?;
            let group = Group::new(&session)?;
            let queue = Queue::new()?;
            group.bind(&queue)?;
            Ok((api, session, group, queue, Event::new()?))
        })();
        let (_api, _session, group, queue, arrived) = match outcome {
            Ok(parts) => parts,
            Err(code) => {
                let _ = ready.send(Err(code));
                return;
            }
        };
        let registration = match Registration::new(&group, &self.url) {
            Ok(registration) => registration,
            Err(code) => {
                let _ = ready.send(Err(code));
                return;
            }
        };
        let _ = ready.send(Ok(()));
        self.serve(&queue, &arrived);
        drop(registration);
    }

    fn serve(&self, queue: &Queue, arrived: &Event) {
        let mut buffer = Buffer::new();
        loop {
            match receive(queue, &mut buffer, arrived, &self.stop) {
                Received::Stopped => return,
                Received::Request(seen) => {
                    let page = self.page(&seen, queue, arrived);
                    respond(queue, seen.id, page);
                }
                Received::TooLarge(id) => {
                    respond(queue, id, Page::NotFound);
                    let _ = self
                        .events
                        .blocking_send(ListenerEvent::Stray(Stray::Connection));
                }
                Received::Nothing if self.events.is_closed() => return,
                Received::Nothing => {
                    let _ = self
                        .events
                        .blocking_send(ListenerEvent::Stray(Stray::Connection));
                    // Avoid a busy loop if the error persists.
                    std::thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// Returns the page for a request. If it may be the callback, waits for the decision of the flow.
    fn page(&self, seen: &Seen, queue: &Queue, arrived: &Event) -> Page {
        if !seen.from.is_some_and(|from| from.is_loopback()) {
            let _ = self
                .events
                .blocking_send(ListenerEvent::Stray(Stray::Remote));
            return Page::Remote;
        }
        let target = seen.target.as_str();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let posted = seen.method == Method::POST;
        let judged = (|| {
            let host = seen.host.as_deref();
            let astray = self.gate.judge(&seen.method, path, host, None)?;
            let query = if posted {
                let form = self.form(seen, queue, arrived);
                form.map_err(|wrong| astray.as_ref().map_or(wrong, Astray::rejection))?
            } else {
                SecretString::from(query)
            };
            let astray = Astray::with_state(astray, &query)?;
            Ok((query, astray))
        })();
        let (query, astray) = match judged {
            Ok(judged) => judged,
            Err((stray, page)) => {
                let _ = self.events.blocking_send(ListenerEvent::Stray(stray));
                return page;
            }
        };
        let over = astray.as_ref().map_or(Page::Over, Astray::page);
        let (answer, page) = oneshot::channel();
        let arrival = Arrival {
            astray,
            query,
            posted,
            answer,
        };
        let _ = self.events.blocking_send(ListenerEvent::Arrival(arrival));
        // The sender is dropped once another callback was accepted.
        page.blocking_recv().unwrap_or(over)
    }

    /// Reads the form that a browser posts, within limits for size and time.
    fn form(
        &self,
        seen: &Seen,
        queue: &Queue,
        arrived: &Event,
    ) -> Result<SecretString, (Stray, Page)> {
        let length = seen.content_length.as_deref();
        let length = length.and_then(|length| length.trim().parse().ok());
        self.gate.judge_form(seen.content_type.as_deref(), length)?;
        // One extra byte shows that the form is larger than the limit.
        let mut bytes = Zeroizing::new(vec![0; FORM_BYTES + 1]);
        let deadline = Instant::now() + FORM_LIMIT;
        let mut filled = 0;
        while filled < bytes.len() {
            let rest = &mut bytes[filled..];
            match queue.receive_body(seen.id, rest, arrived, &self.stop, deadline) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(()) => return Err((Stray::Connection, Page::Malformed)),
            }
        }
        if filled > FORM_BYTES {
            return Err((Stray::Connection, Page::TooLarge));
        }
        let form = String::from_utf8_lossy(&bytes[..filled]);
        Ok(SecretString::from(form.into_owned()))
    }
}

/// Waits for a request, or for the signal to stop.
fn receive(queue: &Queue, buffer: &mut Buffer, arrived: &Event, stop: &Event) -> Received {
    arrived.reset();
    let mut overlapped = OVERLAPPED {
        hEvent: arrived.handle(),
        ..OVERLAPPED::default()
    };
    let memory = buffer.memory();
    let bytes = u32::try_from(size_of_val(memory)).unwrap_or(u32::MAX);
    // SAFETY: `memory` is aligned and has the given length. It and `overlapped` stay in place until the kernel is done
    // with them; every way out waits for that below.
    let code = unsafe {
        HttpReceiveHttpRequest(
            queue.handle(),
            0,
            0,
            memory.as_mut_ptr().cast(),
            bytes,
            null_mut(),
            &raw mut overlapped,
        )
    };
    let outcome = match code {
        NO_ERROR => Ok(()),
        ERROR_IO_PENDING => {
            let handles = [stop.handle(), arrived.handle()];
            // SAFETY: both handles are valid during the whole call.
            let first = unsafe { WaitForMultipleObjects(2, handles.as_ptr(), 0, INFINITE) };
            let stopped = first == WAIT_OBJECT_0;
            if stopped {
                // SAFETY: `overlapped` belongs to the call in progress; if that call has ended, this does nothing.
                unsafe { CancelIoEx(queue.handle(), &raw const overlapped) };
            }
            let mut transferred = 0;
            // SAFETY: the call waits until the kernel has released `overlapped` and `memory`.
            let done = unsafe {
                GetOverlappedResult(
                    queue.handle(),
                    &raw const overlapped,
                    &raw mut transferred,
                    1,
                )
            };
            if stopped {
                return Received::Stopped;
            }
            if done == 0 { Err(last_error()) } else { Ok(()) }
        }
        code => Err(code),
    };
    match outcome {
        // SAFETY: the kernel has filled in the structure; its pointers point into the same memory.
        Ok(()) => Received::Request(unsafe { buffer.take() }),
        // SAFETY: with this code, the kernel has filled in the fixed part of the structure.
        Err(ERROR_MORE_DATA) => Received::TooLarge(unsafe { buffer.take_number() }),
        Err(_) => Received::Nothing,
    }
}

/// Sends the page and closes the connection. Errors are ignored, because the browser may be gone.
fn respond(queue: &Queue, id: u64, page: Page) {
    let (status, headers, body) = page.parts();
    let reason = status.canonical_reason().unwrap_or_default();
    let mut response = HTTP_RESPONSE_V2::default();
    response.Base.StatusCode = status.as_u16();
    response.Base.ReasonLength = length(reason.len());
    response.Base.pReason = reason.as_ptr();
    let mut unknown = Vec::new();
    for (name, value) in &headers {
        let known = match name.as_str() {
            "content-type" => Some(HttpHeaderContentType),
            "cache-control" => Some(HttpHeaderCacheControl),
            "allow" => Some(HttpHeaderAllow),
            // The flag below closes the connection.
            "connection" => continue,
            _ => None,
        };
        let (start, count) = (value.as_bytes().as_ptr(), length(value.len()));
        if let Some(known) = known {
            let header = &mut response.Base.Headers.KnownHeaders[known as usize];
            header.pRawValue = start;
            header.RawValueLength = count;
        } else {
            unknown.push(HTTP_UNKNOWN_HEADER {
                NameLength: length(name.as_str().len()),
                RawValueLength: count,
                pName: name.as_str().as_ptr(),
                pRawValue: start,
            });
        }
    }
    response.Base.Headers.UnknownHeaderCount = length(unknown.len());
    response.Base.Headers.pUnknownHeaders = unknown.as_mut_ptr();
    let mut chunk = HTTP_DATA_CHUNK {
        DataChunkType: HttpDataChunkFromMemory,
        Anonymous: HTTP_DATA_CHUNK_0 {
            FromMemory: HTTP_DATA_CHUNK_0_0 {
                // Windows only reads this buffer, though the pointer type is mutable.
                pBuffer: body.as_ptr().cast_mut().cast(),
                BufferLength: u32::try_from(body.len()).unwrap_or(0),
            },
        },
    };
    response.Base.EntityChunkCount = 1;
    response.Base.pEntityChunks = &raw mut chunk;
    let mut sent = 0;
    // SAFETY: `response` and everything it points to (reason, headers, chunk, body) outlive the call. Without an
    // overlapped structure, the call returns only when everything is sent.
    unsafe {
        HttpSendHttpResponse(
            queue.handle(),
            id,
            // Buffered, so that a browser that doesn't read its response blocks nothing.
            HTTP_SEND_RESPONSE_FLAG_DISCONNECT | HTTP_SEND_RESPONSE_FLAG_BUFFER_DATA,
            &raw const response,
            null(),
            &raw mut sent,
            null(),
            0,
            null_mut(),
            null(),
        )
    };
}

/// Returns a length as `u16`. The texts of this program are short.
fn length(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails on anything unexpected")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn path_with_escaped_character_is_refused() {
        let url = Url::parse("http://localhost:47111/a%20b").unwrap();
        let error = HttpSys::bind(&url, ResponseMode::Query).await.unwrap_err();
        assert!(matches!(error, ListenError::Escaped { .. }), "{error}");
    }
}
