//! What the sidecar tells about itself: the heartbeat record and the status.

use super::{Hub, State};
use crate::lines::{ContainerState, HeartbeatJson};

/// How a sink fares.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct SinkState {
    /// Which.
    pub sink: String,
    /// Records that it has not stored yet.
    pub lag: u64,
}

/// Everything that `sidecar status` shows.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Status {
    /// Every container that has spoken.
    pub containers: Vec<ContainerState>,
    /// Every sink.
    pub sinks: Vec<SinkState>,
    /// Everything that is counted, by its name in `/metrics`.
    pub counters: std::collections::BTreeMap<String, u64>,
}

impl Hub {
    /// Queues a heartbeat record.
    pub(crate) fn heartbeat(&self) {
        let mut state = self.lock();
        let body = HeartbeatJson {
            counters: self.metrics.values(),
            containers: state.containers(),
        };
        state.say_heartbeat(body);
        drop(state);
        self.data.send_replace(());
    }

    /// How everything fares.
    pub(crate) fn status(&self) -> Status {
        let state = self.lock();
        let sinks = state
            .routes
            .iter()
            .enumerate()
            .map(|(n, (sink, _))| SinkState {
                sink: (*sink).to_owned(),
                lag: state.lanes.iter().map(|lane| lane.lag(n)).sum(),
            })
            .collect();
        Status {
            containers: state.containers(),
            sinks,
            counters: self.metrics.values(),
        }
    }
}

impl State {
    fn containers(&self) -> Vec<ContainerState> {
        let mut containers: Vec<_> = self
            .sources
            .values()
            .map(|source| ContainerState {
                ctr: source.id.ctr.clone(),
                name: source
                    .task
                    .container_name
                    .clone()
                    .unwrap_or_else(|| source.container.name.clone()),
                epoch: source.id.epoch,
                connected: source.is_connected,
                taken: source.taken,
                acked: source.acked,
                events: source.counters.events,
                alerts: source.counters.alerts,
                calls_judged: tally(&source.counters, "calls_judged"),
                faults: tally(&source.counters, "faults"),
                dropped: source.outbox_dropped,
                reconnects: source.connections.saturating_sub(1),
            })
            .collect();
        containers.sort_by(|a, b| (&a.ctr, a.epoch).cmp(&(&b.ctr, b.epoch)));
        containers
    }
}

/// What a tracer counts under a name of its own.
fn tally(counters: &wire::Counters, name: &str) -> u64 {
    counters
        .more
        .iter()
        .find(|tally| tally.name == name)
        .map_or(0, |tally| tally.count)
}
