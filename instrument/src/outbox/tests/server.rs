//! A small sidecar on a real socket, which keeps a ledger across its restarts.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use wire::{Ack, Body, Control, Frame, Hello, Order, Welcome};

use super::super::totals::Pair;

/// Nothing that a test waits for takes this long.
pub(super) const HARD_LIMIT: Duration = Duration::from_mins(1);

/// What was received and acknowledged, over all connections.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) safe: u64,
    pub(super) frames: BTreeMap<u64, Body>,
    pub(super) hellos: Vec<Hello>,
}

impl Ledger {
    pub(super) fn stored(&self) -> Pair {
        let count = |wanted: fn(&Body) -> bool| {
            self.frames.values().filter(|body| wanted(body)).count() as u64
        };
        Pair {
            alerts: count(|body| matches!(body, Body::Alert(_))),
            events: count(|body| matches!(body, Body::Event(_))),
        }
    }

    pub(super) fn lost(&self) -> Pair {
        let mut lost = Pair::default();
        for body in self.frames.values() {
            if let Body::Lost(gap) = body {
                lost.alerts += gap.alerts;
                lost.events += gap.events;
            }
        }
        lost
    }

    pub(super) fn has_bye(&self) -> bool {
        let last = self.frames.values().next_back();
        matches!(last, Some(Body::Bye(_)))
    }
}

/// Listens where a sidecar would.
pub(super) struct Server {
    listener: UnixListener,
    path: PathBuf,
}

impl Server {
    pub(super) fn listen(path: &Path) -> Self {
        // As a sidecar does on its start: the socket of the one before is in the way.
        if path.exists() {
            std::fs::remove_file(path).unwrap();
        }
        Self {
            listener: UnixListener::bind(path).unwrap(),
            path: path.to_owned(),
        }
    }

    pub(super) fn accept(&self) -> UnixStream {
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(HARD_LIMIT)).unwrap();
        stream
    }

    /// Nobody has knocked since.
    pub(super) fn listener_is_quiet(&self) {
        self.listener.set_nonblocking(true).unwrap();
        let error = self.listener.accept().map(drop).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    }

    /// Takes one session: welcomes it, then takes frames and acknowledges every `ack_every`-th
    /// numbered one, until `limit` of them came or the session ends. Frames that were not
    /// acknowledged are forgotten, as by a sidecar that is killed. True when goodbye was said.
    pub(super) fn serve(&self, ledger: &mut Ledger, limit: usize, ack_every: usize) -> bool {
        let mut stream = self.accept();
        let mut pending = BTreeMap::new();
        let mut taken = 0;
        while taken < limit {
            let Ok(Some(frame)) = wire::read::<Frame>(&mut stream) else {
                return false;
            };
            match frame.body.unwrap() {
                Body::Hello(hello) => {
                    ledger.hellos.push(hello);
                    let resume_after = ledger.safe;
                    say(
                        &mut stream,
                        Order::Welcome(Welcome {
                            version: 1,
                            resume_after,
                        }),
                    );
                }
                Body::Counters(_) if frame.seq == 0 => {}
                body => {
                    taken += 1;
                    let is_bye = matches!(body, Body::Bye(_));
                    pending.insert(frame.seq, body);
                    if taken % ack_every == 0 || is_bye {
                        ledger.frames.append(&mut pending);
                        ledger.safe = frame.seq;
                        say(&mut stream, Order::Ack(Ack { upto: frame.seq }));
                    }
                    if is_bye {
                        return true;
                    }
                }
            }
        }
        false
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::fs::remove_file(&self.path).is_err() {}
    }
}

pub(super) fn say(stream: &mut UnixStream, order: Order) {
    let mut bytes = Vec::new();
    wire::encode(&Control::from(order), &mut bytes).unwrap();
    // The other side may be gone: that is what some tests are about.
    if stream.write_all(&bytes).is_err() {}
}
