//! Who may speak for a container.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use event::Task;
use wire::{Container, Hello, Refusal};

use super::source::Source;
use super::{Hub, State};
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
const GRACE: Duration = Duration::from_secs(2);

/// Frames that may wait, of all tracers together. A tracer stops sending when its outbox is full of
/// what is not acknowledged; one that does not is read no further.
const MAX_WAITING: usize = 1 << 18;

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
            source.last_seen = Some(Instant::now());
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

    /// Whether a session is to be read on. Each has an equal part of what may wait.
    pub(crate) fn may_send(&self, source: &SourceId) -> bool {
        let state = self.lock();
        let waiting = state.sources.get(source).map_or(0, Source::waiting);
        // With few that wait, nobody needs to be counted.
        waiting < MAX_WAITING / MAX_SOURCES
            || waiting
                < MAX_WAITING
                    / state
                        .sources
                        .values()
                        .filter(|s| s.is_connected)
                        .count()
                        .max(1)
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
        let is_recent = |seen: Option<Instant>| seen.is_some_and(|at| at.elapsed() < GRACE);
        let rival = self.sources.values().any(|other| {
            other.id.ctr == id.ctr
                && other.nonce != hello.nonce
                && (other.is_connected || (!other.has_ended && is_recent(other.last_seen)))
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
/// tracers on one host apart but their nonces. The name is written to files of lines, so that it is
/// one word on one line whatever a hello says.
fn name(container: &Container, nonce: &[u8]) -> String {
    let word = |text: &str| {
        let is_odd = |c: char| c.is_control() || c.is_whitespace();
        crate::json::cut(text, 128).replace(is_odd, "-")
    };
    if !container.metadata_id.is_empty() {
        return word(&container.metadata_id);
    }
    let mut name = word(&container.hostname);
    name.push('-');
    for byte in nonce.iter().take(4) {
        // INVARIANT: writing to a string cannot fail.
        write!(name, "{byte:02x}").expect("a string takes any text");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_word_on_one_line() {
        let named = |id: &str, hostname: &str| {
            let container = Container {
                metadata_id: id.to_owned(),
                hostname: hostname.to_owned(),
                ..Container::default()
            };
            name(&container, &[0xab; 8])
        };
        assert_eq!(
            named("x\n7 events 99 99 victim", ""),
            "x-7-events-99-99-victim"
        );
        assert_eq!(named("", "a b\u{2028}c\r"), "a-b-c--abababab");
        assert_eq!(named("1234-0001", "host"), "1234-0001");
        assert!(named(&"\u{85}".repeat(300), "").len() <= 128);
    }
}
