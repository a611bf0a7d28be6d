//! `/healthz`, `/metrics`, `/status` and the log level: over a unix socket that only the sidecar's
//! own user reaches, and, read-only, over TCP where that is asked for.
//!
//! Health never depends on delivery: a task must run when CloudWatch Logs does not.

use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{Semaphore, broadcast};
use wire::Order;

use crate::hub::Hub;
use crate::log::LogLevel;

/// The longest request.
const MAX_REQUEST: usize = 4096;
/// Requests at a time.
const MAX_REQUESTS: usize = 8;
/// How long a request may take.
const TIME: Duration = Duration::from_secs(2);

/// What answers need.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub hub: Arc<Hub>,
    pub log: LogLevel,
    pub orders: broadcast::Sender<Order>,
}

/// Whether a door lets commands through, or questions only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    Own,
    Open,
}

/// Serves for as long as the sidecar runs. A door that cannot be opened is said and left shut.
pub(crate) async fn serve(socket: PathBuf, http: Option<SocketAddr>, admin: Admin) {
    let own = async {
        match listen(&socket) {
            Ok(listener) => serve_unix(listener, &admin).await,
            Err(error) => tracing::warn!(socket = %socket.display(), %error,
                "No socket for status and health; set WORKLOAD_AGENT_ADMIN."),
        }
    };
    let open = async {
        let Some(address) = http else { return };
        match TcpListener::bind(address).await {
            Ok(listener) => serve_tcp(listener, &admin).await,
            Err(error) => tracing::warn!(%address, %error, "No metrics over TCP."),
        }
    };
    tokio::join!(own, open);
}

fn listen(socket: &Path) -> io::Result<UnixListener> {
    if let Some(folder) = socket.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let is_socket = std::fs::symlink_metadata(socket).is_ok_and(|m| m.file_type().is_socket());
    // Only what an earlier process left is removed, and nothing else that a setting may name.
    if is_socket && std::os::unix::net::UnixStream::connect(socket).is_err() {
        std::fs::remove_file(socket)?;
    }
    let listener = UnixListener::bind(socket)?;
    std::fs::set_permissions(socket, Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn serve_unix(listener: UnixListener, admin: &Admin) {
    let seats = Arc::new(Semaphore::new(MAX_REQUESTS));
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        if let Ok((stream, _)) = listener.accept().await {
            let admin = admin.clone();
            tokio::spawn(async move {
                answer(stream, Door::Own, &admin).await;
                drop(seat);
            });
        }
    }
}

async fn serve_tcp(listener: TcpListener, admin: &Admin) {
    let seats = Arc::new(Semaphore::new(MAX_REQUESTS));
    while let Ok(seat) = Arc::clone(&seats).acquire_owned().await {
        if let Ok((stream, _)) = listener.accept().await {
            let admin = admin.clone();
            tokio::spawn(async move {
                answer(stream, Door::Open, &admin).await;
                drop(seat);
            });
        }
    }
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, door: Door, admin: &Admin) {
    let exchange = async {
        let mut request = Vec::new();
        let mut piece = [0; 1024];
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            let n = stream.read(&mut piece).await?;
            if n == 0 || request.len() > MAX_REQUEST {
                return Ok(());
            }
            request.extend_from_slice(piece.get(..n).unwrap_or_default());
        }
        let line = String::from_utf8_lossy(&request);
        let mut words = line.split_whitespace();
        let (method, path) = (
            words.next().unwrap_or_default(),
            words.next().unwrap_or_default(),
        );
        let (status, kind, body) = respond(method, path, door, admin);
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(body.as_bytes()).await?;
        stream.shutdown().await
    };
    let result: Result<io::Result<()>, _> = tokio::time::timeout(TIME, exchange).await;
    if !matches!(result, Ok(Ok(()))) {
        tracing::debug!("A question was not asked to its end.");
    }
}

fn respond(
    method: &str,
    path: &str,
    door: Door,
    admin: &Admin,
) -> (&'static str, &'static str, String) {
    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    match (method, path) {
        ("GET", "/healthz") => ("200 OK", TEXT, "ok\n".to_owned()),
        ("GET", "/metrics") => ("200 OK", TEXT, admin.hub.metrics.render()),
        ("GET", "/status") => {
            let body = serde_json::to_string(&admin.hub.status()).unwrap_or_default();
            ("200 OK", "application/json", body)
        }
        ("POST", path) if door == Door::Own && path.starts_with("/log-level/") => {
            let level = path.trim_start_matches("/log-level/");
            if !admin.log.set(level) {
                return (
                    "400 Bad Request",
                    TEXT,
                    format!("unknown log level `{level}`\n"),
                );
            }
            tracing::info!(level, "The log level has changed.");
            // No session is no failure: the next one asks for nothing.
            let told = admin.orders.send(Order::LogLevel(wire::LogLevel {
                level: level.to_owned(),
            }));
            (
                "200 OK",
                TEXT,
                format!("{} tracers told\n", told.unwrap_or(0)),
            )
        }
        _ => (
            "404 Not Found",
            TEXT,
            "say /healthz, /metrics or /status\n".to_owned(),
        ),
    }
}

/// Asks a running sidecar, blocking.
pub(crate) fn ask(socket: &Path, method: &str, path: &str) -> io::Result<String> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    stream.write_all(format!("{method} {path} HTTP/1.1\r\nHost: sidecar\r\n\r\n").as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .ok_or(io::ErrorKind::UnexpectedEof)?;
    if head.split_whitespace().nth(1) == Some("200") {
        Ok(body.to_owned())
    } else {
        Err(io::Error::other(body.trim_end().to_owned()))
    }
}
