//! CloudWatch Logs, through the AWS SDK.
//!
//! The SDK's own retry is off: it gives up after three tries within a second. Group and stream are
//! made only when a put says that they are missing, and the put is made again at once.

mod classify;
mod client;
mod plan;
mod transport;

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::RejectedLogEventsInfo;

use super::{Outcome, Put, Sink};
use crate::clock::{now_ns, to_ms};
use crate::hub::{Batch, Hub};
use crate::metrics::Metric;
use crate::record::{Lane, Reason, Record};
use classify::{Class, classify};
use plan::{MAX_EVENTS, Plan};

/// How long the task's id is waited for before the stream is called after the host.
const NAME_TIME: Duration = Duration::from_secs(3);

/// The sink.
pub(crate) struct CloudWatch {
    group: String,
    stream: Option<String>,
    hub: Arc<Hub>,
    client: Option<Client>,
    /// The most events of the next put, by lane. It shrinks while a put is called invalid, until
    /// the one event is found that is to blame.
    most: [usize; 2],
    /// Whether the last answer did not believe who we are.
    is_doubted: bool,
}

impl CloudWatch {
    pub(crate) const fn new(group: String, stream: Option<String>, hub: Arc<Hub>) -> Self {
        Self {
            group,
            stream,
            hub,
            client: None,
            most: [MAX_EVENTS; 2],
            is_doubted: false,
        }
    }

    async fn put_batch(&mut self, batch: &Batch) -> Outcome {
        let lane = usize::from(batch.lane == Lane::Events);
        let stream = self.stream(batch.lane).await;
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(client::connect().await).clone(),
        };
        let most = self.most[lane].min(batch.records.len());
        let records = batch.records.get(..most).unwrap_or_default();
        let plan = Plan::make(records, to_ms(now_ns()));
        let mut has_created = false;
        loop {
            let put = client
                .put_log_events()
                .log_group_name(&self.group)
                .log_stream_name(&stream)
                .set_log_events(Some(plan.events(records)))
                .send()
                .await;
            let error = match put {
                Ok(answer) => {
                    self.is_doubted = false;
                    self.most[lane] = (self.most[lane] * 2).min(MAX_EVENTS);
                    self.hub.metrics.add(Metric::TimesClamped, plan.clamped);
                    let rejected = rejected(&plan, answer.rejected_log_events_info());
                    return Outcome::Acked {
                        count: plan.count,
                        rejected,
                    };
                }
                Err(error) => error,
            };
            match classify(&error) {
                Class::Accepted => return Outcome::stored(plan.count),
                Class::Credentials(cause) => {
                    // A client learns from the answer how far its clock is off, and signs by the
                    // service's from then on. When that was not it, a fresh client asks for fresh
                    // credentials.
                    self.is_doubted = !self.is_doubted;
                    if !self.is_doubted {
                        self.client = None;
                    }
                    return Outcome::Retry(cause);
                }
                Class::Invalid(cause) => return self.shrink(lane, &plan, records, &cause),
                Class::Missing(cause) if has_created => return Outcome::Retry(cause),
                Class::Missing(_) => {
                    has_created = true;
                    if let Err(cause) = client::create(&client, &self.group, &stream).await {
                        return Outcome::Retry(cause);
                    }
                }
                Class::Transient(cause) => return Outcome::Retry(cause),
            }
        }
    }

    /// A put is invalid: half of it is tried next, and one event alone is given up.
    fn shrink(&mut self, lane: usize, plan: &Plan, records: &[Record], cause: &str) -> Outcome {
        if plan.count > 1 {
            self.most[lane] = plan.count / 2;
            return Outcome::Acked {
                count: 0,
                rejected: Vec::new(),
            };
        }
        self.most[lane] = MAX_EVENTS;
        let seq = records.first().map_or(0, |record| record.seq);
        tracing::warn!(
            cause,
            seq,
            "CloudWatch Logs calls a record invalid; it is given up."
        );
        Outcome::Acked {
            count: 1,
            rejected: vec![(0, Reason::Invalid)],
        }
    }

    /// The stream of a lane. Alerts and events have one each, so that both are in order.
    async fn stream(&mut self, lane: Lane) -> String {
        let base = if let Some(stream) = &self.stream {
            stream.clone()
        } else {
            let name = client::stream_name(&self.hub, NAME_TIME).await;
            self.stream.insert(name).clone()
        };
        match lane {
            Lane::Alerts => base,
            Lane::Events => format!("{base}/events"),
        }
    }
}

impl Sink for CloudWatch {
    fn put<'a>(&'a mut self, batch: &'a Batch) -> Put<'a> {
        Box::pin(self.put_batch(batch))
    }
}

/// Which records an answer of 200 says were not stored.
fn rejected(plan: &Plan, info: Option<&RejectedLogEventsInfo>) -> Vec<(usize, Reason)> {
    let Some(info) = info else {
        return Vec::new();
    };
    let index = |n: Option<i32>| n.and_then(|n| usize::try_from(n).ok());
    let too_old = index(info.too_old_log_event_end_index()).unwrap_or(0);
    let expired = index(info.expired_log_event_end_index()).unwrap_or(0);
    let too_new = index(info.too_new_log_event_start_index()).unwrap_or(plan.count);
    plan.order()
        .enumerate()
        .filter_map(|(place, record)| {
            let reason = match place {
                _ if place < too_old => Reason::TooOld,
                _ if place < expired => Reason::Expired,
                _ if place >= too_new => Reason::TooNew,
                _ => return None,
            };
            Some((record, reason))
        })
        .collect()
}
