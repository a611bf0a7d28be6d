//! Passes bytes between two streams, in both directions, until both sides have ended.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;

/// A stream that can be shared by two threads and closed in one direction.
trait Side: Read + Write + Send + Sized + 'static {
    fn twin(&self) -> io::Result<Self>;
    fn close(&self, how: Shutdown);
}

impl Side for TcpStream {
    fn twin(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn close(&self, how: Shutdown) {
        // The peer may have closed first; there is nothing left to do then.
        drop(self.shutdown(how));
    }
}

impl Side for UnixStream {
    fn twin(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn close(&self, how: Shutdown) {
        drop(self.shutdown(how));
    }
}

/// Everything that connects to `listener` is connected to the socket at `target`.
pub(crate) fn inward(listener: TcpListener, target: PathBuf) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            match UnixStream::connect(&target) {
                Ok(other) => join(stream, other),
                Err(_) => stream.close(Shutdown::Both),
            }
        }
    });
}

/// Everything that connects to the socket `listener` is connected to the address `target`.
pub(crate) fn outward(listener: UnixListener, target: String) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            match TcpStream::connect(&target) {
                Ok(other) => join(stream, other),
                Err(_) => stream.close(Shutdown::Both),
            }
        }
    });
}

/// Everything that connects to the socket `listener` is handed to `serve`, each in a thread.
pub(crate) fn accept(listener: UnixListener, serve: impl Fn(UnixStream) + Send + Clone + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
}

fn join(left: impl Side, right: impl Side) {
    if let (Ok(left_twin), Ok(right_twin)) = (left.twin(), right.twin()) {
        pump(left, right);
        pump(right_twin, left_twin);
    }
}

fn pump(mut from: impl Side, mut to: impl Side) {
    thread::spawn(move || {
        // An error ends this direction just as the end of the stream does.
        drop(io::copy(&mut from, &mut to));
        to.close(Shutdown::Write);
        from.close(Shutdown::Read);
    });
}
