//! One connection: hello, then frames in and acknowledgements out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Semaphore, broadcast, oneshot, watch};
use wire::{
    Ack, Body, Control, Decoder, Frame, Hello, Order, Refusal, Refused, Welcome, WireError,
};

use super::Shared;
use crate::hub::Rejection;
use crate::log::chain;
use crate::metrics::Metric;
use crate::record::SourceId;

/// How long a connection may take to say hello.
const HELLO_TIME: Duration = Duration::from_secs(5);
/// How long a peer may take to read what it is told.
const WRITE_TIME: Duration = Duration::from_secs(5);
/// The longest hello.
const HELLO_BYTES: usize = 4096;
/// Bytes read at a time.
const PIECE: usize = 64 * 1024;
/// Frames taken in one step, so that no session keeps the others waiting.
const STEP: usize = 256;

/// Runs a connection to its end.
pub(super) async fn run(
    stream: UnixStream,
    shared: Shared,
    seats: Arc<Semaphore>,
    impatient: oneshot::Receiver<()>,
) {
    let (mut read, mut write) = stream.into_split();
    let mut decoder = Decoder::default();
    decoder.set_limit(HELLO_BYTES);
    let hello = tokio::select! {
        hello = tokio::time::timeout(HELLO_TIME, read_hello(&mut read, &mut decoder)) => hello,
        _ = impatient => {
            shared.hub.metrics.count(Metric::Refused);
            return refuse(&mut write, Refusal::Busy, "too many connections without a hello").await;
        }
    };
    let rejection = match hello {
        Ok(Ok(hello)) => match seats.try_acquire_owned() {
            Ok(seat) => {
                decoder.set_limit(usize::MAX);
                let session = Session {
                    read,
                    write,
                    decoder,
                    shared: shared.clone(),
                };
                let outcome = session.run(&hello).await;
                drop(seat);
                outcome
            }
            Err(_) => Some((write, rejection(Refusal::Busy, "too many sessions"))),
        },
        Ok(Err(rejection)) => Some((write, rejection)),
        Err(_) => Some((write, rejection(Refusal::Slow, "no hello in time"))),
    };
    if let Some((mut write, rejection)) = rejection {
        shared.hub.metrics.count(Metric::Refused);
        tracing::debug!(
            reason = rejection.reason.as_str(),
            text = rejection.text,
            "Refused a connection."
        );
        refuse(&mut write, rejection.reason, &rejection.text).await;
    }
}

fn rejection(reason: Refusal, text: &str) -> Rejection {
    Rejection {
        reason,
        text: text.to_owned(),
    }
}

/// Says why the connection ends. Whether the peer reads it is its own affair.
async fn refuse(write: &mut OwnedWriteHalf, reason: Refusal, text: &str) {
    let refused = Refused {
        reason: reason.into(),
        text: text.to_owned(),
    };
    if let Err(error) = send(write, Order::Refused(refused)).await {
        tracing::debug!(error = %chain(&error), "A refused peer did not listen.");
    }
}

async fn send(write: &mut OwnedWriteHalf, order: Order) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    wire::encode(&Control::from(order), &mut bytes).map_err(std::io::Error::other)?;
    tokio::time::timeout(WRITE_TIME, write.write_all(&bytes)).await?
}

async fn read_hello(
    read: &mut OwnedReadHalf,
    decoder: &mut Decoder<Frame>,
) -> Result<Hello, Rejection> {
    let malformed = |error: &WireError| rejection(Refusal::Malformed, &error.to_string());
    let mut piece = vec![0; HELLO_BYTES];
    loop {
        if let Some(frame) = decoder.next().map_err(|error| malformed(&error))? {
            return match frame.body {
                Some(Body::Hello(hello)) => Ok(hello),
                _ => Err(rejection(
                    Refusal::Malformed,
                    "the first frame is not a hello",
                )),
            };
        }
        match read.read(&mut piece).await {
            Ok(0) => return Err(rejection(Refusal::Malformed, "no hello")),
            Ok(n) => decoder.push(piece.get(..n).unwrap_or_default()),
            Err(error) => return Err(rejection(Refusal::Malformed, &error.to_string())),
        }
    }
}

struct Session {
    read: OwnedReadHalf,
    write: OwnedWriteHalf,
    decoder: Decoder<Frame>,
    shared: Shared,
}

/// Why a session ended.
enum End {
    /// The peer closed, or the sidecar is closing.
    Closed,
    /// The peer broke the rules.
    Refused(Rejection),
}

impl Session {
    /// Runs the session; returns what the peer is to be told at its end.
    async fn run(mut self, hello: &Hello) -> Option<(OwnedWriteHalf, Rejection)> {
        let container = hello.container.clone().unwrap_or_default();
        let task = Arc::new(self.shared.identities.find(&container));
        let admission = match self.shared.hub.admit(hello, task) {
            Ok(admission) => admission,
            Err(rejection) => return Some((self.write, rejection)),
        };
        let source = admission.source;
        tracing::info!(
            container = source.ctr,
            epoch = source.epoch,
            version = hello.agent_version,
            resume_after = admission.resume_after,
            "A tracer has connected."
        );
        let end = self.serve(&source, admission.resume_after).await;
        self.shared.hub.leave(&source);
        match end {
            End::Closed => {
                tracing::info!(
                    container = source.ctr,
                    epoch = source.epoch,
                    "A tracer has gone."
                );
                None
            }
            End::Refused(rejection) => {
                tracing::warn!(
                    container = source.ctr,
                    reason = rejection.text,
                    "A session was ended."
                );
                Some((self.write, rejection))
            }
        }
    }

    async fn serve(&mut self, source: &Arc<SourceId>, resume_after: u64) -> End {
        let mut acked = resume_after;
        let welcome = Welcome {
            version: contract::PROTOCOL_VERSION,
            resume_after,
        };
        let mut orders = self.shared.orders.subscribe();
        let mut safe = self.shared.hub.safe();
        let mut named = self.shared.identities.changes();
        let mut closing = self.shared.closing.clone();
        if send(&mut self.write, Order::Welcome(welcome))
            .await
            .is_err()
            || self.send_identity(source).await.is_err()
        {
            return End::Closed;
        }
        let mut piece = vec![0; PIECE];
        let mut pace = Pace::new(self.shared.rate);
        loop {
            // Frames that arrived together with the hello, or were left by the last step.
            match self.step(source, &mut pace).await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => {}
                Err(rejection) => return End::Refused(rejection),
            }
            let upto = self.shared.hub.acked(source);
            if upto > acked {
                acked = upto;
                if send(&mut self.write, Order::Ack(Ack { upto }))
                    .await
                    .is_err()
                {
                    return End::Closed;
                }
            }
            if self.decoder.has_message() {
                continue;
            }
            // A peer that sends on whatever it is not told is read again when less of it waits.
            let may_send = self.shared.hub.may_send(source);
            let outcome = tokio::select! {
                read = self.read.read(&mut piece), if may_send => match read {
                    Ok(0) | Err(_) => return End::Closed,
                    Ok(n) => {
                        self.shared.hub.metrics.add(Metric::IntakeBytes, n as u64);
                        self.decoder.push(piece.get(..n).unwrap_or_default());
                        Ok(())
                    }
                },
                changed = safe.changed() => changed.map_err(|_| std::io::ErrorKind::BrokenPipe.into()),
                order = next_order(&mut orders) => send(&mut self.write, order).await,
                _ = named.changed() => self.send_identity(source).await,
                () = wait_closing(&mut closing) => {
                    return End::Refused(rejection(Refusal::Draining, "the sidecar is about to end"));
                }
            };
            if outcome.is_err() {
                return End::Closed;
            }
        }
    }

    /// Takes a bounded number of frames; whether there may be more.
    async fn step(&mut self, source: &Arc<SourceId>, pace: &mut Pace) -> Result<bool, Rejection> {
        let mut frames = Vec::new();
        let mut error = None;
        while frames.len() < STEP {
            match self.decoder.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(found) => {
                    error = Some(found);
                    break;
                }
            }
        }
        let count = frames.len();
        if count > 0 {
            self.shared
                .hub
                .take(source, &mut frames)
                .map_err(|bad| rejection(Refusal::Malformed, &bad.to_string()))?;
            pace.spend(count).await;
        }
        match error {
            Some(error) => Err(rejection(Refusal::Malformed, &chain(&error))),
            None => Ok(count == STEP),
        }
    }

    async fn send_identity(&mut self, source: &SourceId) -> std::io::Result<()> {
        let task = self.shared.hub.task(source);
        if task.is_empty() {
            return Ok(());
        }
        send(&mut self.write, Order::Identity((*task).clone().into())).await
    }
}

async fn next_order(orders: &mut broadcast::Receiver<Order>) -> Order {
    loop {
        match orders.recv().await {
            Ok(order) => return order,
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "A session was too slow for its orders.");
            }
            // Nobody is left who could give one.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn wait_closing(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Reads a session more slowly when it sends more than its share. Its outbox fills, and counts.
struct Pace {
    rate: u32,
    left: u32,
    since: Instant,
}

impl Pace {
    fn new(rate: u32) -> Self {
        Self {
            rate,
            left: rate,
            since: Instant::now(),
        }
    }

    async fn spend(&mut self, frames: usize) {
        self.left = self
            .left
            .saturating_sub(u32::try_from(frames).unwrap_or(u32::MAX));
        let elapsed = self.since.elapsed();
        if elapsed >= Duration::from_secs(1) {
            (self.left, self.since) = (self.rate, Instant::now());
        } else if self.left == 0 {
            tokio::time::sleep(Duration::from_secs(1).saturating_sub(elapsed)).await;
            (self.left, self.since) = (self.rate, Instant::now());
        }
    }
}
