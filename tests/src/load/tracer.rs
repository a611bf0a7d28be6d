//! One tracer's side of a session.

use std::collections::VecDeque;
use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use wire::{Body, Bye, Container, Control, Decoder, Frame, Hello, Lost, LostReason, Order};

use crate::pace::{Deadline, pause};

/// What a tracer does when its window is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Drops the newest, counts it, and tells it once there is room: as `instrument` does.
    Drop,
    /// Waits for an acknowledgement.
    Wait,
}

/// Why a tracer cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum TracerError {
    /// The sidecar has said that it will not listen.
    #[error("refused: {0}")]
    Refused(String),
    /// Nobody answered in time.
    #[error("no answer in time")]
    Silent,
    /// A frame could not be written.
    #[error(transparent)]
    Wire(#[from] wire::WireError),
}

/// What a tracer has made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Produced {
    /// The container.
    pub ctr: String,
    /// The tracer's epoch.
    pub epoch: u64,
    /// The highest number.
    pub last: u64,
    /// Numbers that it dropped itself.
    pub dropped: Vec<u64>,
    /// Numbers under which it told that.
    pub told: Vec<u64>,
    /// Connections after the first.
    pub reconnects: u64,
}

/// One tracer.
#[derive(Debug)]
pub struct Tracer {
    socket: PathBuf,
    hello: Hello,
    overflow: Overflow,
    /// Bytes that may wait for an acknowledgement.
    window: usize,
    produced: Produced,
    /// Frames that are not acknowledged: number and bytes.
    held: VecDeque<(u64, Vec<u8>)>,
    held_bytes: usize,
    /// How many of them this connection has been given.
    sent: usize,
    out: Vec<u8>,
    untold: Option<Lost>,
    stream: Option<UnixStream>,
    decoder: Decoder<Control>,
    acked: u64,
}

/// Bytes written at a time.
const PIECE: usize = 64 * 1024;

impl Tracer {
    /// A tracer of a container, not connected yet.
    pub fn new(socket: &Path, ctr: &str, epoch: u64, overflow: Overflow) -> Self {
        let container = Container {
            metadata_id: ctr.to_owned(),
            hostname: "web".to_owned(),
            ..Container::default()
        };
        let mut nonce = epoch.to_le_bytes().to_vec();
        nonce.extend_from_slice(ctr.as_bytes());
        nonce.truncate(32);
        Self {
            socket: socket.to_owned(),
            hello: Hello {
                version: contract::PROTOCOL_VERSION,
                nonce,
                epoch,
                container: Some(container),
                agent_version: "load".to_owned(),
                mode: wire::Mode::Seccomp.into(),
            },
            overflow,
            window: 1 << 20,
            produced: Produced {
                ctr: ctr.to_owned(),
                epoch,
                ..Produced::default()
            },
            held: VecDeque::new(),
            held_bytes: 0,
            sent: 0,
            out: Vec::new(),
            untold: None,
            stream: None,
            decoder: Decoder::default(),
            acked: 0,
        }
    }

    /// Sets the bytes that may wait for an acknowledgement.
    #[must_use]
    pub const fn window(mut self, bytes: usize) -> Self {
        self.window = bytes;
        self
    }

    /// The hello, to be changed before the first connection.
    pub const fn hello_mut(&mut self) -> &mut Hello {
        &mut self.hello
    }

    /// What was made so far.
    pub const fn produced(&self) -> &Produced {
        &self.produced
    }

    /// The highest number that the sidecar has acknowledged.
    pub const fn acked(&self) -> u64 {
        self.acked
    }

    /// Makes a frame and sends it as soon as that is possible.
    pub fn send(&mut self, body: Body) -> Result<u64, TracerError> {
        let deadline = Deadline::seconds(120);
        loop {
            if self.held_bytes < self.window {
                break;
            }
            if self.overflow == Overflow::Drop {
                return Ok(self.drop_newest(&body));
            }
            self.exchange(true)?;
            deadline.left().ok_or(TracerError::Silent)?;
        }
        if let Some(lost) = self.untold.take() {
            let seq = self.hold(Body::Lost(lost))?;
            self.produced.told.push(seq);
        }
        let seq = self.hold(body)?;
        if self.unsent_bytes() >= PIECE {
            self.exchange(false)?;
        }
        Ok(seq)
    }

    fn unsent_bytes(&self) -> usize {
        self.held
            .iter()
            .skip(self.sent)
            .take(256)
            .map(|(_, bytes)| bytes.len())
            .sum()
    }

    fn drop_newest(&mut self, body: &Body) -> u64 {
        self.produced.last += 1;
        let seq = self.produced.last;
        self.produced.dropped.push(seq);
        let lost = self.untold.get_or_insert(Lost {
            from: seq,
            reason: LostReason::OutboxFull.into(),
            ..Lost::default()
        });
        lost.to = seq;
        match body {
            Body::Alert(_) => lost.alerts += 1,
            _ => lost.events += 1,
        }
        seq
    }

    fn hold(&mut self, body: Body) -> Result<u64, TracerError> {
        self.produced.last += 1;
        let seq = self.produced.last;
        let mut bytes = Vec::new();
        wire::encode(&Frame::new(seq, body), &mut bytes)?;
        self.held_bytes += bytes.len();
        self.held.push_back((seq, bytes));
        Ok(seq)
    }

    /// Sends what is held and reads what has come, connecting when there is no connection.
    pub fn exchange(&mut self, wait: bool) -> Result<(), TracerError> {
        if self.stream.is_none() {
            self.connect()?;
        }
        if self.talk(wait).is_err() {
            self.stream = None;
        }
        Ok(())
    }

    /// Connects, trying again until it works.
    pub fn connect(&mut self) -> Result<(), TracerError> {
        let deadline = Deadline::seconds(60);
        loop {
            match self.try_connect() {
                Ok(None) => return Ok(()),
                Ok(Some(refused)) if refused.reason() == wire::Refusal::Version => {
                    return Err(TracerError::Refused(refused.text));
                }
                Ok(Some(_)) | Err(_) => pause(Duration::from_millis(10)),
            }
            deadline.left().ok_or(TracerError::Silent)?;
        }
    }

    /// Connects once; the answer when it is a refusal.
    pub fn try_connect(&mut self) -> io::Result<Option<wire::Refused>> {
        let mut stream = UnixStream::connect(&self.socket)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        let mut bytes = Vec::new();
        wire::encode(&Frame::hello(self.hello.clone()), &mut bytes).map_err(io::Error::other)?;
        stream.write_all(&bytes)?;
        self.decoder = Decoder::default();
        loop {
            let mut piece = [0; 4096];
            let n = stream.read(&mut piece)?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.decoder.push(piece.get(..n).unwrap_or_default());
            match self
                .decoder
                .next()
                .map_err(io::Error::other)?
                .and_then(|c| c.body)
            {
                Some(Order::Welcome(welcome)) => {
                    self.produced.reconnects += u64::from(self.acked > 0 || self.sent > 0);
                    self.release(welcome.resume_after);
                    self.sent = 0;
                    self.out.clear();
                    self.stream = Some(stream);
                    return Ok(None);
                }
                Some(Order::Refused(refused)) => return Ok(Some(refused)),
                _ => {}
            }
        }
    }

    fn release(&mut self, upto: u64) {
        self.acked = self.acked.max(upto);
        while self.held.front().is_some_and(|(seq, _)| *seq <= upto) {
            if let Some((_, bytes)) = self.held.pop_front() {
                self.held_bytes -= bytes.len();
                self.sent = self.sent.saturating_sub(1);
            }
        }
    }

    fn talk(&mut self, wait: bool) -> io::Result<()> {
        let Some(stream) = &mut self.stream else {
            return Ok(());
        };
        while self.sent < self.held.len() {
            self.out.clear();
            while let Some((_, bytes)) = self.held.get(self.sent) {
                self.out.extend_from_slice(bytes);
                self.sent += 1;
                if self.out.len() >= PIECE {
                    break;
                }
            }
            stream.write_all(&self.out)?;
        }
        let mut piece = [0; 4096];
        stream.set_nonblocking(!wait)?;
        stream.set_read_timeout(Some(Duration::from_millis(100)))?;
        let read = stream.read(&mut piece);
        stream.set_nonblocking(false)?;
        match read {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => self.decoder.push(piece.get(..n).unwrap_or_default()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) => {}
            Err(error) => return Err(error),
        }
        while let Some(control) = self.decoder.next().map_err(io::Error::other)? {
            match control.body {
                Some(Order::Ack(ack)) => self.release(ack.upto),
                Some(Order::Refused(_)) => return Err(io::ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until everything sent is acknowledged; whether it was in time.
    pub fn settle(&mut self, deadline: Deadline) -> Result<bool, TracerError> {
        if let Some(lost) = self.untold.take() {
            let seq = self.hold(Body::Lost(lost))?;
            self.produced.told.push(seq);
        }
        while !self.held.is_empty() {
            self.exchange(true)?;
            if deadline.left().is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says goodbye, waits for the acknowledgement, and closes.
    pub fn finish(mut self, deadline: Deadline) -> Result<Produced, TracerError> {
        let bye = Bye {
            exit_code: Some(0),
            signal: None,
        };
        if let Some(lost) = self.untold.take() {
            let seq = self.hold(Body::Lost(lost))?;
            self.produced.told.push(seq);
        }
        self.hold(Body::Bye(bye))?;
        if self.settle(deadline)? {
            Ok(self.produced)
        } else {
            Err(TracerError::Silent)
        }
    }
}
