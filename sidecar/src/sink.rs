//! Places to store, and the loop that brings records there.
//!
//! Each sink has a loop and a cursor of its own: a slow one never holds up another. A batch is
//! tried until it is stored or refused for good; alerts go before events at every turn.

mod backoff;
pub(crate) mod cloudwatch;
mod file;
mod lines;
mod nats;
mod orchestrator;
mod otlp;
mod stdout;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::{SinkConfig, Target};
use crate::hub::{Batch, Hub};
use crate::metrics::Metric;
use crate::record::{Lane, Reason};
use backoff::Backoff;

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The first `count` records are dealt with: stored, but for those that the sink refuses for
    /// good.
    Acked {
        /// How many.
        count: usize,
        /// Which of them are refused, and why.
        rejected: Vec<(usize, Reason)>,
    },
    /// Nothing is known to be stored; try again.
    Retry(String),
}

impl Outcome {
    /// All of them are stored.
    pub(crate) const fn stored(count: usize) -> Self {
        Self::Acked {
            count,
            rejected: Vec::new(),
        }
    }
}

/// The answer of a sink, in the making.
pub(crate) type Put<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// A place to store.
pub(crate) trait Sink: Send {
    /// Tries to store a batch, which is never empty.
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a>;
}

/// Bytes of records in a batch.
const BATCH_BYTES: usize = 900 * 1024;

/// How long one try may take.
const PUT_TIME: Duration = Duration::from_secs(15);

/// How often a failure that goes on is logged.
const LOG_EVERY: Duration = Duration::from_mins(1);

/// Makes a sink.
pub(crate) fn open(config: &SinkConfig, hub: &Arc<Hub>) -> Box<dyn Sink> {
    match &config.target {
        Target::CloudWatch { group, stream } => Box::new(cloudwatch::CloudWatch::new(
            group.clone(),
            stream.clone(),
            Arc::clone(hub),
        )),
        Target::File { path, rotate, keep } => {
            Box::new(file::Rotating::new(path.clone(), *rotate, *keep))
        }
        Target::Nats { url, subject } => Box::new(nats::JetStream::new(
            url.clone(),
            subject.clone(),
            Arc::clone(hub),
        )),
        Target::Orchestrator { host, port, tls } => {
            Box::new(orchestrator::Orchestrator::new(host.clone(), *port, *tls))
        }
        Target::Otlp { url } => Box::new(otlp::Otlp::new(url.clone())),
        Target::Stdout => Box::new(stdout::Stdout::default()),
    }
}

/// Brings records to a sink for as long as the sidecar runs.
pub(crate) async fn deliver(
    number: usize,
    name: &'static str,
    mut sink: Box<dyn Sink>,
    hub: Arc<Hub>,
) {
    let mut data = hub.data();
    let mut held: [Option<Batch>; 2] = [None, None];
    let mut backoff = Backoff::default();
    let mut trouble = Trouble::default();
    loop {
        data.mark_unchanged();
        let Some(batch) = next(&mut held, &hub, number) else {
            if data.changed().await.is_err() {
                return;
            }
            continue;
        };
        let outcome = match tokio::time::timeout(PUT_TIME, sink.put(batch)).await {
            Ok(outcome) => outcome,
            Err(_) => Outcome::Retry("no answer in time".to_owned()),
        };
        match outcome {
            Outcome::Acked { count, rejected } => {
                if count > 0 {
                    hub.settle(number, batch, count, &rejected);
                    batch.advance(count);
                    backoff = Backoff::default();
                    trouble.is_over(name);
                }
            }
            Outcome::Retry(cause) => {
                hub.metrics.count(Metric::Retries);
                trouble.goes_on(name, &cause);
                tokio::time::sleep(backoff.next()).await;
            }
        }
        for slot in &mut held {
            slot.take_if(|batch| batch.records.is_empty());
        }
    }
}

/// What to try next: alerts when there are any.
fn next<'a>(held: &'a mut [Option<Batch>; 2], hub: &Hub, number: usize) -> Option<&'a mut Batch> {
    for (slot, lane) in held.iter_mut().zip(Lane::ALL) {
        if slot.is_none() {
            *slot = hub.read(number, lane, BATCH_BYTES);
        }
        if slot.is_some() {
            return slot.as_mut();
        }
    }
    None
}

/// A sink that does not store at present: logged when it begins, when it ends, and now and then.
#[derive(Default)]
struct Trouble {
    since: Option<Instant>,
    logged: Option<Instant>,
}

impl Trouble {
    fn goes_on(&mut self, sink: &str, cause: &str) {
        self.since.get_or_insert_with(Instant::now);
        if self
            .logged
            .is_none_or(|logged| logged.elapsed() >= LOG_EVERY)
        {
            self.logged = Some(Instant::now());
            tracing::warn!(sink, cause, "Cannot store at present; trying again.");
        }
    }

    fn is_over(&mut self, sink: &str) {
        if let Some(since) = self.since.take() {
            self.logged = None;
            tracing::info!(sink, after = ?since.elapsed(), "Storing again.");
        }
    }
}
