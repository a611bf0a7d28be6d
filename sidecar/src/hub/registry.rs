//! Who may speak for a container.

use std::fmt::Write as _;
use std::sync::Arc;

use event::Task;
use wire::{Container, Hello, Refusal};

use super::source::Source;
use super::{Hub, State};
use crate::clock::now_ns;
use crate::metrics::Metric;
use crate::record::SourceId;

/// A connection that may go on.
#[derive(Clone, Debug)]
pub(crate) struct Admission {
    /// Whose frames follow.
    pub source: Arc<SourceId>,
    /// Highest number that is in safe hands.
    pub resume_after: u64,
}

/// A connection that may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejection {
    /// The class of reasons.
    pub reason: Refusal,
    /// One line for a log.
    pub text: String,
}

/// Containers that may be known at a time.
const MAX_SOURCES: usize = 64;

/// How long a container whose connection broke may take to come back before another tracer may
/// speak for it.
const GRACE_NS: u64 = 2_000_000_000;

impl Hub {
    /// Looks at a hello.
    pub(crate) fn admit(&self, hello: &Hello, task: Arc<Task>) -> Result<Admission, Rejection> {
        let mut state = self.lock();
        let admission = state.admit(hello, task);
        let open = state
            .sources
            .values()
            .filter(|source| source.is_connected)
            .count();
        self.metrics.set(Metric::Sessions, open as u64);
        admission
    }

    /// A session has ended.
    pub(crate) fn leave(&self, source: &SourceId) {
        let mut state = self.lock();
        if let Some(source) = state.sources.get_mut(source) {
            source.is_connected = false;
            source.last_seen = now_ns();
        }
        let open = state
            .sources
            .values()
            .filter(|source| source.is_connected)
            .count();
        self.metrics.set(Metric::Sessions, open as u64);
    }

    /// Sessions that are open.
    pub(crate) fn open_sessions(&self) -> usize {
        self.lock()
            .sources
            .values()
            .filter(|source| source.is_connected)
            .count()
    }

    /// What may be acknowledged to a session.
    pub(crate) fn acked(&self, source: &SourceId) -> u64 {
        self.lock()
            .sources
            .get(source)
            .map_or(0, |source| source.acked)
    }

    /// The metadata has changed: every container is looked up again. Returns the sessions whose
    /// identity is a different one from before.
    pub(crate) fn identify(
        &self,
        own: Task,
        find: impl Fn(&Container) -> Task,
    ) -> Vec<Arc<SourceId>> {
        let mut state = self.lock();
        state.task = own;
        let mut changed = Vec::new();
        for source in state.sources.values_mut() {
            let task = find(&source.container);
            if *source.task != task {
                source.task = Arc::new(task);
                changed.push(Arc::clone(&source.id));
            }
        }
        changed
    }

    /// What is known of a session's task.
    pub(crate) fn task(&self, source: &SourceId) -> Arc<Task> {
        self.lock()
            .sources
            .get(source)
            .map(|source| Arc::clone(&source.task))
            .unwrap_or_default()
    }

    /// Whether some connected container is not in the metadata.
    pub(crate) fn has_unknown(&self) -> bool {
        self.lock()
            .sources
            .values()
            .any(|source| source.is_connected && source.task.container_name.is_none())
    }
}

impl State {
    fn admit(&mut self, hello: &Hello, task: Arc<Task>) -> Result<Admission, Rejection> {
        let refuse = |reason, text: &str| {
            Err(Rejection {
                reason,
                text: text.to_owned(),
            })
        };
        if hello.version != contract::PROTOCOL_VERSION {
            return refuse(
                Refusal::Version,
                "this sidecar speaks version 1 of the protocol",
            );
        }
        if hello.nonce.len() < 8 || hello.nonce.len() > 64 {
            return refuse(Refusal::Malformed, "a nonce has 8 to 64 bytes");
        }
        let container = hello.container.clone().unwrap_or_default();
        let id = Arc::new(SourceId {
            ctr: name(&container, &hello.nonce),
            epoch: hello.epoch,
        });
        let now = now_ns();
        let rival = self.sources.values().any(|other| {
            other.id.ctr == id.ctr
                && other.nonce != hello.nonce
                && (other.is_connected || (!other.has_ended && now < other.last_seen + GRACE_NS))
        });
        if rival {
            return refuse(Refusal::Nonce, "another tracer speaks for this container");
        }
        if let Some(source) = self.sources.get(&id)
            && source.nonce != hello.nonce
        {
            return refuse(Refusal::Nonce, "another tracer has spoken under this epoch");
        }
        if !self.sources.contains_key(&id) && self.sources.len() >= MAX_SOURCES {
            return refuse(Refusal::Busy, "too many containers");
        }
        let source = self
            .sources
            .entry(Arc::clone(&id))
            .or_insert_with(|| Source::new(Arc::clone(&id), container, hello.nonce.clone()));
        if source.is_connected {
            return refuse(Refusal::Busy, "this tracer is connected already");
        }
        source.is_connected = true;
        source.connections += 1;
        source.task = task;
        Ok(Admission {
            source: id,
            resume_after: source.acked,
        })
    }

    /// Forgets lives that have ended and are stored, once there are many, oldest first.
    pub(super) fn forget_settled(&mut self) {
        while self.sources.len() > MAX_SOURCES / 2 {
            let oldest = self
                .sources
                .values()
                .filter(|source| !source.is_connected && source.is_settled())
                .min_by_key(|source| source.last_seen)
                .map(|source| Arc::clone(&source.id));
            let Some(oldest) = oldest else { return };
            self.claims.forget(&oldest);
            self.sources.remove(&oldest);
        }
    }
}

/// What a container is called in records: ECS's id where there is one. Elsewhere nothing tells two
/// tracers on one host apart but their nonces.
fn name(container: &Container, nonce: &[u8]) -> String {
    if !container.metadata_id.is_empty() {
        return crate::json::cut(&container.metadata_id, 128).to_owned();
    }
    let mut name = crate::json::cut(&container.hostname, 128).to_owned();
    name.push('-');
    for byte in nonce.iter().take(4) {
        // INVARIANT: writing to a string cannot fail.
        write!(name, "{byte:02x}").expect("a string takes any text");
    }
    name
}
