//! Which records go to which sink.

use event::EventType;

use crate::config::{EventFilter, Route};
use crate::record::{Kind, Record};

/// Whether a sink takes a record. What the sidecar says about itself goes everywhere.
pub(crate) fn wants(sink: &str, route: &Route, record: &Record) -> bool {
    if !record.sink.is_empty() && record.sink != sink {
        return false;
    }
    match record.kind {
        Kind::Alert => record.priority <= route.priority,
        Kind::Event(kind) => wants_event(route, kind, record.seq),
        Kind::Container | Kind::Heartbeat | Kind::Lost => true,
    }
}

/// Whether a sink takes an event. Sampling looks at the number, so that a frame that comes again
/// gets the same answer.
pub(crate) fn wants_event(route: &Route, kind: Option<EventType>, seq: u64) -> bool {
    let is_kind = match &route.events {
        EventFilter::All => true,
        EventFilter::Kinds(kinds) => kind.is_some_and(|kind| kinds.contains(&kind)),
        EventFilter::Off => false,
    };
    is_kind && seq.is_multiple_of(route.sample)
}
