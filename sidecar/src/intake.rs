//! The socket on the volume: who connects, and how many at a time.
//!
//! A workload can reach the socket, so a connection is worth nothing before its hello: those that
//! have not said it are few, and the oldest of them makes way for the next.

mod session;

use std::collections::VecDeque;
use std::fs::Permissions;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use tokio::task::JoinSet;
use wire::Order;

use crate::hub::Hub;
use crate::identity::Identities;
use crate::metrics::Metric;

/// Connections that have said hello.
const MAX_SESSIONS: usize = 64;
/// Connections that have not.
const MAX_STRANGERS: usize = 32;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListenError {
    /// The path cannot be bound.
    #[error("cannot listen on `{}` (WORKLOAD_AGENT_SOCKET)", path.display())]
    Bind {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Somebody listens there.
    #[error("`{}` is in use: another sidecar listens there; set WORKLOAD_AGENT_SOCKET", .0.display())]
    InUse(PathBuf),
    /// The folder is missing.
    #[error("no folder `{}` for the socket: mount the volume there, or set WORKLOAD_AGENT_SOCKET", .0.display())]
    NoFolder(PathBuf),
    /// Something that is not a socket is in the way.
    #[error("`{}` exists and is no socket: remove it, or set WORKLOAD_AGENT_SOCKET", .0.display())]
    NoSocket(PathBuf),
}

/// Binds the socket, removing one that an earlier process left. Anybody may connect: workloads run
/// as any user.
pub(crate) fn listen(path: &Path) -> Result<UnixListener, ListenError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder
        && !folder.is_dir()
        && std::fs::create_dir(folder).is_err()
    {
        return Err(ListenError::NoFolder(folder.to_owned()));
    }
    let bind_error = |source| ListenError::Bind {
        path: path.to_owned(),
        source,
    };
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NoSocket(path.to_owned()));
        }
        Ok(_) if std::os::unix::net::UnixStream::connect(path).is_ok() => {
            return Err(ListenError::InUse(path.to_owned()));
        }
        Ok(_) => std::fs::remove_file(path).map_err(bind_error)?,
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(bind_error)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(bind_error)?;
    Ok(listener)
}

/// Whether a sidecar answers on this socket, blocking. What is said there is no hello, so that the
/// answer is a refusal.
pub(crate) fn knock(path: &Path) -> io::Result<()> {
    const TIME: Duration = Duration::from_secs(2);
    let mut stream = std::os::unix::net::UnixStream::connect(path)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    stream.write_all(&u32::MAX.to_le_bytes())?;
    stream.read_exact(&mut [0])
}

/// What every session needs.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub hub: Arc<Hub>,
    pub identities: Identities,
    /// Orders for every tracer.
    pub orders: broadcast::Sender<Order>,
    /// True once sessions must end.
    pub closing: watch::Receiver<bool>,
    /// Frames a second.
    pub rate: u32,
}

/// Accepts connections until told to close, then waits for the sessions to end.
pub(crate) async fn serve(listener: UnixListener, shared: Shared) {
    let seats = Arc::new(Semaphore::new(MAX_SESSIONS));
    let mut strangers = VecDeque::<oneshot::Sender<()>>::new();
    let mut sessions = JoinSet::new();
    let mut closing = shared.closing.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => continue,
            _ = closing.wait_for(|closing| *closing) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, mostly: the ones in use will be free again.
                tracing::warn!(%error, "Cannot accept a connection.");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        shared.hub.metrics.count(Metric::Connections);
        strangers.retain(|stranger| !stranger.is_closed());
        if strangers.len() >= MAX_STRANGERS
            && let Some(oldest) = strangers.pop_front()
        {
            // Dropping the sender ends the wait for its hello.
            drop(oldest);
        }
        let (patience, impatient) = oneshot::channel();
        strangers.push_back(patience);
        sessions.spawn(session::run(
            stream,
            shared.clone(),
            Arc::clone(&seats),
            impatient,
        ));
    }
    while sessions.join_next().await.is_some() {}
}
