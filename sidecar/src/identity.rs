//! What ECS calls this task and its containers.
//!
//! The task metadata endpoint is asked until every container that speaks is known and runs. It may
//! be silent or absent: then a container is what its hello says.

mod metadata;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event::Task;
use tokio::sync::watch;
use wire::Container;

use metadata::MetadataError;
pub use metadata::TaskMetadata;

use crate::http;
use crate::hub::Hub;
use crate::log::chain;
use crate::metrics::Metric;

/// The longest answer that is read; a container takes one or two kilobytes of it.
const MAX_ANSWER: usize = 256 << 10;

/// The names of the task's containers, shared by all sessions.
#[derive(Clone, Debug)]
pub(crate) struct Identities {
    known: Arc<Mutex<Option<TaskMetadata>>>,
    changed: watch::Sender<()>,
}

impl Default for Identities {
    fn default() -> Self {
        Self {
            known: Arc::default(),
            changed: watch::Sender::new(()),
        }
    }
}

impl Identities {
    /// What is known of a container.
    pub(crate) fn find(&self, container: &Container) -> Task {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some(metadata) => metadata.find(container),
            None => metadata::from_hello(container),
        }
    }

    /// Tells when something is known that was not.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    fn learn(&self, metadata: TaskMetadata) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(metadata);
    }
}

/// Asks the endpoint for as long as the sidecar runs: every second while something is missing,
/// more seldom while there is no answer, every minute once all is known.
pub(crate) async fn watch(base: String, identities: Identities, hub: Arc<Hub>) {
    let url = format!("{}/task", base.trim_end_matches('/'));
    let own_id = base
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let mut failures = 0_u32;
    loop {
        let pause = match ask(&url).await {
            Ok(metadata) => {
                failures = 0;
                let is_running = metadata.is_running();
                let own = metadata.own(&own_id);
                identities.learn(metadata);
                let changed = hub.identify(own, |container| identities.find(container));
                if !changed.is_empty() {
                    identities.changed.send_replace(());
                }
                let is_complete = is_running && !hub.has_unknown();
                Duration::from_secs(if is_complete { 60 } else { 1 })
            }
            Err(error) => {
                hub.metrics.count(Metric::MetadataFailures);
                if failures == 0 {
                    tracing::warn!(error = %chain(&error),
                        "No task metadata yet; containers are called by what they say.");
                }
                failures = failures.saturating_add(1);
                Duration::from_secs(u64::from(failures.min(10)))
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn ask(url: &str) -> Result<TaskMetadata, MetadataError> {
    let answer = tokio::time::timeout(Duration::from_secs(2), http::get(url, MAX_ANSWER))
        .await
        .map_err(|_| MetadataError::Silent(url.to_owned()))??;
    Ok(TaskMetadata::parse(&answer)?)
}
