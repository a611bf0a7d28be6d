//! The start: the spool is opened, and what an earlier process left is recovered.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::claims::Claims;
use super::fold::Folds;
use super::lane::{Lane, Limits};
use super::ledger::Ledger;
use super::retell::Retell;
use super::{Hub, State, index};
use crate::clock::now_ns;
use crate::config::Config;
use crate::metrics::{Metric, Metrics};
use crate::record::{Lane as LaneName, Reason, SourceId};
use crate::spool::{Recovered, Spool, SpoolError};

/// Bytes in memory: alerts, events.
const MEMORY: [usize; 2] = [2 << 20, 4 << 20];

impl Hub {
    /// Opens the spool and recovers what an earlier process left. Without a usable folder the
    /// sidecar works in memory alone, and says so.
    pub(crate) fn new(config: &Config, metrics: Arc<Metrics>) -> Self {
        let routes: Vec<_> = config
            .sinks
            .iter()
            .map(|s| (s.target.name(), s.route.clone()))
            .collect();
        let names: Vec<_> = routes.iter().map(|(name, _)| *name).collect();
        let (folder, mut claims) = usable_folder(config, &metrics);
        let mut lost = 0;
        let lanes = LaneName::ALL.map(|name| {
            let spool = open_spool(folder, name, &metrics, &mut claims).map(|(spool, found)| {
                lost += found.lost;
                spool
            });
            let disk = match name {
                LaneName::Alerts => config.spool.bytes / 4,
                LaneName::Events => config.spool.bytes - config.spool.bytes / 4,
            };
            Lane::new(
                Limits {
                    memory: MEMORY[index(name)],
                    disk,
                },
                spool,
                &names,
            )
        });
        let mut state = State {
            lanes,
            routes,
            sources: HashMap::new(),
            ledger: Ledger::default(),
            retell: Retell::default(),
            folds: Folds::new(config.fold_after),
            claims,
            own: Arc::new(SourceId {
                ctr: "sidecar".to_owned(),
                epoch: now_ns(),
            }),
            own_seq: 0,
            task: event::Task::default(),
            expects_metadata: false,
            message_bytes: config.message_bytes,
            sync: config.spool.sync,
            spool_trouble: None,
            metrics: Arc::clone(&metrics),
        };
        state.finish_condemned();
        if lost > 0 {
            state.tell_nameless(Reason::SpoolCorrupt, lost);
        }
        Self {
            state: Mutex::new(state),
            data: watch::Sender::new(()),
            safe: watch::Sender::new(()),
            metrics,
        }
    }
}

/// The spool's folder, with one for each lane in it, and the claims, which live there too. Without
/// a usable one the sidecar works in memory alone, and says so.
fn usable_folder<'a>(config: &'a Config, metrics: &Metrics) -> (Option<&'a Path>, Claims) {
    let Some(dir) = config.spool.dir.as_deref() else {
        return (None, Claims::default());
    };
    let made = LaneName::ALL
        .iter()
        .try_for_each(|lane| std::fs::create_dir_all(dir.join(lane.as_str())));
    if let Err(error) = made {
        no_spool(
            &SpoolError::new("cannot make folders in", dir)(error),
            metrics,
        );
        return (None, Claims::default());
    }
    match Claims::open(&dir.join("claims")) {
        Ok(claims) => (Some(dir), claims),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            let in_use = std::io::Error::other("another sidecar uses it");
            no_spool(&SpoolError::new("cannot lock", dir)(in_use), metrics);
            (None, Claims::default())
        }
        Err(error) => {
            metrics.count(Metric::SpoolFailures);
            tracing::warn!(%error, "Cannot keep claims: after a crash, a frame may be both stored and told as lost.");
            (Some(dir), Claims::default())
        }
    }
}

fn no_spool(error: &SpoolError, metrics: &Metrics) {
    metrics.count(Metric::SpoolFailures);
    tracing::warn!(error = %crate::log::chain(error),
        "No spool: what does not fit in memory is dropped and counted. Set WORKLOAD_AGENT_SPOOL to a writable folder, or to `off`.");
}

/// Opens the spool of a lane.
fn open_spool(
    folder: Option<&Path>,
    lane: LaneName,
    metrics: &Metrics,
    claims: &mut Claims,
) -> Option<(Spool, Recovered)> {
    let dir = folder?.join(lane.as_str());
    match Spool::open(&dir, &mut |record| claims.found(lane, record)) {
        Ok((spool, found)) => {
            if found.aside > 0 {
                metrics.add(Metric::SpoolAside, found.aside);
                tracing::warn!(folder = %dir.display(), files = found.aside,
                    "A later version has written here. Its segments are kept aside as *.v<version>: give them their names back and run that version to deliver them, or remove them.");
            }
            if found.records + found.cut_bytes + found.lost > 0 {
                tracing::info!(
                    lane = lane.as_str(),
                    records = found.records,
                    cut_bytes = found.cut_bytes,
                    lost = found.lost,
                    "Recovered the spool."
                );
            }
            Some((spool, found))
        }
        Err(error) => {
            no_spool(&error, metrics);
            None
        }
    }
}
