//! One look: write what there is, read what was answered.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::super::lines::Lines;
use super::super::session::{Session, State};
use super::NAP;

/// A file that could not be written is tried again after this.
const FILE_RETRY: Duration = Duration::from_secs(1);

/// So often the sender writes and reads in one look: a peer that never stops talking must not keep
/// it from noticing the end.
const MAX_ROUNDS: u32 = 256;

/// What the sender should do after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// The other side takes no more at present.
    Blocked,
    /// There is nobody at the other side until that long from here.
    Apart(Duration),
    /// Everything was written; answers may be due.
    Written { is_busy: bool },
}

/// Writes what there is. A file on a disk never blocks for long; a pipe may, which is why this is
/// not the tracer's thread.
pub(super) fn write_lines(lines: &mut Lines, file: &mut File) -> Look {
    let mut is_busy = false;
    loop {
        let bytes = lines.outgoing();
        if bytes.is_empty() {
            return Look::Written { is_busy };
        }
        is_busy = true;
        #[expect(
            clippy::disallowed_methods,
            reason = "a short write is accounted for, and goes on from there"
        )]
        match file.write(bytes) {
            Ok(0) => return Look::Apart(FILE_RETRY),
            Ok(count) => lines.wrote(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // An inherited standard stream may have been made non-blocking by the workload.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Look::Blocked,
            Err(error) => {
                lines.failed(&error);
                return Look::Apart(FILE_RETRY);
            }
        }
    }
}

/// Connects when it is time, then writes and reads until neither is possible.
pub(super) fn converse(
    session: &mut Session,
    stream: &mut Option<UnixStream>,
    path: &Path,
    now: Duration,
) -> Look {
    if let State::Apart { until } = session.state() {
        if now < until {
            return Look::Apart(until.saturating_sub(now));
        }
        match connect(path) {
            Ok(connected) => {
                session.connected(now);
                *stream = Some(connected);
            }
            Err(_) => session.unreachable(now),
        }
    }
    let ended = match stream {
        Some(stream) => exchange(session, stream, now),
        None => None,
    };
    if let Some(look) = ended {
        return look;
    }
    *stream = None;
    if !matches!(session.state(), State::Apart { .. }) {
        session.ended(now);
    }
    match session.state() {
        State::Apart { until } => Look::Apart(until.saturating_sub(now)),
        _ => Look::Apart(NAP),
    }
}

fn connect(path: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(path)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// `None` when the connection has ended.
fn exchange(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<Look> {
    for _ in 0..MAX_ROUNDS {
        // Answers first: an acknowledgement makes room.
        let has_read = listen(session, stream, now)?;
        let spoken = speak(session, stream, now)?;
        if session.is_mute(now) {
            return None;
        }
        match spoken {
            Spoken::Blocked => return Some(Look::Blocked),
            Spoken::Nothing if !has_read => {
                let is_busy = session.is_busy();
                return Some(Look::Written { is_busy });
            }
            Spoken::Nothing | Spoken::Something => {}
        }
    }
    Some(Look::Blocked)
}

/// What became of an attempt to write.
enum Spoken {
    /// The socket takes no more at present.
    Blocked,
    /// There was nothing to say.
    Nothing,
    /// Some of it went out.
    Something,
}

fn speak(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<Spoken> {
    let bytes = session.outgoing(now);
    if bytes.is_empty() {
        return Some(Spoken::Nothing);
    }
    // The standard library sends with MSG_NOSIGNAL: a sidecar that died raises no SIGPIPE.
    #[expect(
        clippy::disallowed_methods,
        reason = "a short write is accounted for, and goes on from there"
    )]
    match stream.write(bytes) {
        Ok(0) => None,
        Ok(count) => {
            session.wrote(count);
            Some(Spoken::Something)
        }
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted => Some(Spoken::Something),
            io::ErrorKind::WouldBlock => Some(Spoken::Blocked),
            _ => None,
        },
    }
}

fn listen(session: &mut Session, stream: &mut UnixStream, now: Duration) -> Option<bool> {
    let mut bytes = [0; 16 * 1024];
    match stream.read(&mut bytes) {
        Ok(0) => None,
        Ok(count) => {
            let heard = bytes.get(..count).unwrap_or_default();
            session.received(heard, now).ok().map(|()| true)
        }
        Err(error) => match error.kind() {
            io::ErrorKind::Interrupted => Some(true),
            io::ErrorKind::WouldBlock => Some(false),
            _ => None,
        },
    }
}
