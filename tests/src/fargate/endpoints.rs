//! Serves the metadata and credential endpoints, and every opening, on sockets of the task.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::backend::{Handler, Opening, Service, serve};
use super::board::Board;
use super::metadata::{self, Identity};
use super::{http, relay};

/// The name of the opening behind 169.254.170.2.
pub(super) const METADATA: &str = "metadata";

/// How long a client may keep a connection without a word.
const PATIENCE: Duration = Duration::from_secs(30);

/// What answers at 169.254.170.2.
pub(super) fn metadata(identity: &Identity, board: &Arc<Board>) -> Handler {
    let (identity, board) = (identity.clone(), Arc::clone(board));
    Arc::new(move |mut stream| {
        // A client that goes away early is its own affair.
        drop(http::serve(&mut stream, |method, path| {
            metadata::answer(&identity, &board.views(), method, path)
        }));
    })
}

/// Listens at `directory/NAME.sock`.
pub(super) fn listen(directory: &Path, opening: &Opening) -> io::Result<()> {
    let listener = UnixListener::bind(directory.join(socket_name(&opening.name)))?;
    let handler = match &opening.service {
        Service::Handler(handler) => Arc::clone(handler),
        Service::Address(address) => {
            relay::outward(listener, address.clone());
            return Ok(());
        }
    };
    relay::accept(listener, move |stream| {
        if stream.set_read_timeout(Some(PATIENCE)).is_ok() {
            serve(&handler, stream);
        }
    });
    Ok(())
}

/// Listens on a free port of this machine's loopback, for tasks without a network of their own.
pub(super) fn listen_here(opening: &Opening) -> io::Result<String> {
    let handler = match &opening.service {
        Service::Handler(handler) => Arc::clone(handler),
        Service::Address(address) => return Ok(address.clone()),
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?.to_string();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let handler = Arc::clone(&handler);
            thread::spawn(move || {
                if stream.set_read_timeout(Some(PATIENCE)).is_ok() {
                    handler(&mut stream);
                }
            });
        }
    });
    Ok(address)
}

/// The socket of an opening.
pub(super) fn socket_name(opening: &str) -> String {
    format!("{opening}.sock")
}
