//! What `instrument` says.

use crate::{Alert, Event};

/// One message from `instrument`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Frame {
    /// Position in the epoch, from 1, one more for each frame that was made: a frame that the
    /// outbox dropped leaves a gap. 0 for [`Body::Hello`], which has no position.
    #[prost(uint64, tag = "1")]
    pub seq: u64,
    /// What is said; `None` when its kind is not known to this version.
    #[prost(oneof = "Body", tags = "2, 3, 4, 5, 6, 7, 8")]
    pub body: Option<Body>,
}

impl Frame {
    /// A frame at a position of the epoch.
    pub const fn new(seq: u64, body: Body) -> Self {
        Self {
            seq,
            body: Some(body),
        }
    }

    /// The first frame of a session.
    pub const fn hello(hello: Hello) -> Self {
        Self::new(0, Body::Hello(hello))
    }
}

/// Kinds of frames.
#[derive(Clone, PartialEq, prost::Oneof)]
#[non_exhaustive]
pub enum Body {
    /// First on every connection.
    #[prost(message, tag = "2")]
    Hello(Hello),
    /// Something happened.
    #[prost(message, tag = "3")]
    Event(Event),
    /// A rule matched.
    #[prost(message, tag = "4")]
    Alert(Alert),
    /// Frames before this one were dropped.
    #[prost(message, tag = "5")]
    Lost(Lost),
    /// How much was made and dropped in this epoch so far.
    #[prost(message, tag = "6")]
    Counters(Counters),
    /// The workload has ended; nothing follows in this epoch.
    #[prost(message, tag = "7")]
    Bye(Bye),
    /// A line that a sidecar hands to an orchestrator.
    #[prost(message, tag = "8")]
    Record(Record),
}

/// Who speaks.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Hello {
    /// `contract::PROTOCOL_VERSION` of the speaker.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// Random bytes, the same on every connection of one tracer. The first connection of a
    /// container wins; whoever comes later under its name must show the same nonce.
    #[prost(bytes = "vec", tag = "2")]
    pub nonce: Vec<u8>,
    /// One life of a tracer: its start, nanoseconds since 1970. Sequence numbers belong to it.
    #[prost(fixed64, tag = "3")]
    pub epoch: u64,
    /// The container in which the speaker runs.
    #[prost(message, optional, tag = "4")]
    pub container: Option<Container>,
    /// Version of the program.
    #[prost(string, tag = "5")]
    pub agent_version: String,
    /// How it traces.
    #[prost(enumeration = "Mode", tag = "6")]
    pub mode: i32,
}

/// What a container knows about itself. A workload can forge it: the sidecar checks the id
/// against the task's metadata where there is any.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Container {
    /// Last path element of `ECS_CONTAINER_METADATA_URI_V4`, which is ECS's `DockerId` on Fargate.
    #[prost(string, tag = "1")]
    pub metadata_id: String,
    /// Host name.
    #[prost(string, tag = "2")]
    pub hostname: String,
    /// Name in the task definition, where the container was told.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Inode of the pid namespace; 0 when unknown.
    #[prost(uint64, tag = "4")]
    pub pid_namespace: u64,
    /// Image reference, where the container was told.
    #[prost(string, tag = "5")]
    pub image: String,
}

/// How the workload is traced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Mode {
    /// Not said.
    Unknown = 0,
    /// A seccomp filter chooses the calls that stop.
    Seccomp = 1,
    /// Every call stops.
    Full = 2,
    /// Nothing is traced.
    Off = 3,
}

/// Frames that were made and dropped before they could be sent.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Lost {
    /// The first number that was dropped.
    #[prost(uint64, tag = "1")]
    pub from: u64,
    /// The last number that was dropped. Frames in between may have been kept (alerts have a
    /// reserve); the counts below are exact.
    #[prost(uint64, tag = "2")]
    pub to: u64,
    /// Why.
    #[prost(enumeration = "LostReason", tag = "3")]
    pub reason: i32,
    /// Events dropped in this range.
    #[prost(uint64, tag = "4")]
    pub events: u64,
    /// Alerts dropped in this range.
    #[prost(uint64, tag = "5")]
    pub alerts: u64,
}

/// Why frames were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum LostReason {
    /// Not said.
    Unknown = 0,
    /// The outbox was full: the sidecar is absent or slow.
    OutboxFull = 1,
    /// The frame was longer than the longest message.
    TooLong = 2,
    /// The tracer could not read what the event needs.
    Fault = 3,
}

impl LostReason {
    /// The word in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::OutboxFull => "outbox_full",
            Self::TooLong => "too_long",
            Self::Fault => "fault",
        }
    }
}

/// Totals since the epoch began.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Counters {
    /// Events made, dropped ones included.
    #[prost(uint64, tag = "1")]
    pub events: u64,
    /// Alerts made, dropped ones included.
    #[prost(uint64, tag = "2")]
    pub alerts: u64,
    /// Events dropped by the outbox.
    #[prost(uint64, tag = "3")]
    pub dropped_events: u64,
    /// Alerts dropped by the outbox.
    #[prost(uint64, tag = "4")]
    pub dropped_alerts: u64,
    /// Connections made after the first.
    #[prost(uint64, tag = "5")]
    pub reconnects: u64,
    /// Everything else the tracer counts, by name.
    #[prost(message, repeated, tag = "15")]
    pub more: Vec<Tally>,
}

/// A named count.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Tally {
    /// Lower-case words joined by `_`.
    #[prost(string, tag = "1")]
    pub name: String,
    /// How often.
    #[prost(uint64, tag = "2")]
    pub count: u64,
}

/// The workload has ended.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Bye {
    /// Exit code of the workload's first process.
    #[prost(int32, optional, tag = "1")]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[prost(int32, optional, tag = "2")]
    pub signal: Option<i32>,
}

/// What a sidecar stores, for an orchestrator. `Frame::seq` counts the lines of one connection;
/// the line's own identity is inside of it, under `delivery`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Record {
    /// Milliseconds since 1970.
    #[prost(sint64, tag = "1")]
    pub time_ms: i64,
    /// The JSON object.
    #[prost(bytes = "vec", tag = "2")]
    pub json: Vec<u8>,
}
