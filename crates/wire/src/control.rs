//! What the sidecar says.

/// One message to `instrument`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Control {
    /// What is said; `None` when its kind is not known to this version.
    #[prost(oneof = "Order", tags = "16, 17, 18, 19, 20, 21, 22, 23")]
    pub body: Option<Order>,
}

impl From<Order> for Control {
    fn from(order: Order) -> Self {
        Self { body: Some(order) }
    }
}

/// Kinds of control messages.
#[derive(Clone, PartialEq, prost::Oneof)]
#[non_exhaustive]
pub enum Order {
    /// Answer to a hello: go on.
    #[prost(message, tag = "16")]
    Welcome(Welcome),
    /// Everything up to here is in safe hands.
    #[prost(message, tag = "17")]
    Ack(Ack),
    /// What ECS calls this task and container.
    #[prost(message, tag = "18")]
    Identity(Identity),
    /// Use these rules.
    #[prost(message, tag = "19")]
    LoadRules(LoadRules),
    /// Report these events too.
    #[prost(message, tag = "20")]
    AddTrace(AddTrace),
    /// Stop a trace.
    #[prost(message, tag = "21")]
    DropTrace(DropTrace),
    /// Log at this level.
    #[prost(message, tag = "22")]
    LogLevel(LogLevel),
    /// The session ends; the connection is closed after it.
    #[prost(message, tag = "23")]
    Refused(Refused),
}

/// The session is open.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Welcome {
    /// The protocol version that both sides speak from here on.
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// The highest number of this epoch that is in safe hands; send what follows it.
    #[prost(uint64, tag = "2")]
    pub resume_after: u64,
}

/// A cumulative acknowledgement.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Ack {
    /// Every frame up to this number is stored, spooled or counted as dropped.
    #[prost(uint64, tag = "1")]
    pub upto: u64,
}

/// The task and container, from the ECS task metadata endpoint. The fields are those of
/// `event::Task`; an absent one is not known.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Identity {
    /// Cluster name or ARN.
    #[prost(string, optional, tag = "1")]
    pub cluster: Option<String>,
    /// ARN of the task.
    #[prost(string, optional, tag = "2")]
    pub task_arn: Option<String>,
    /// Family of the task definition.
    #[prost(string, optional, tag = "3")]
    pub family: Option<String>,
    /// Revision of the task definition.
    #[prost(string, optional, tag = "4")]
    pub revision: Option<String>,
    /// Availability zone.
    #[prost(string, optional, tag = "5")]
    pub availability_zone: Option<String>,
    /// Name of the container in the task definition.
    #[prost(string, optional, tag = "6")]
    pub container_name: Option<String>,
    /// ECS's id of the container.
    #[prost(string, optional, tag = "7")]
    pub container_id: Option<String>,
    /// ARN of the container.
    #[prost(string, optional, tag = "8")]
    pub container_arn: Option<String>,
    /// Image reference as in the task definition.
    #[prost(string, optional, tag = "9")]
    pub image: Option<String>,
    /// Digest of the image.
    #[prost(string, optional, tag = "10")]
    pub image_id: Option<String>,
    /// When the container started, nanoseconds since 1970.
    #[prost(uint64, optional, tag = "11")]
    pub started: Option<u64>,
    /// Mounts: `source:destination:mode:rw:propagation`.
    #[prost(string, repeated, tag = "12")]
    pub mounts: Vec<String>,
}

impl From<event::Task> for Identity {
    fn from(task: event::Task) -> Self {
        Self {
            cluster: task.cluster,
            task_arn: task.task_arn,
            family: task.family,
            revision: task.revision,
            availability_zone: task.availability_zone,
            container_name: task.container_name,
            container_id: task.container_id,
            container_arn: task.container_arn,
            image: task.image,
            image_id: task.image_id,
            started: task.started,
            mounts: task.mounts,
        }
    }
}

impl From<Identity> for event::Task {
    fn from(identity: Identity) -> Self {
        Self {
            cluster: identity.cluster,
            task_arn: identity.task_arn,
            family: identity.family,
            revision: identity.revision,
            availability_zone: identity.availability_zone,
            container_name: identity.container_name,
            container_id: identity.container_id,
            container_arn: identity.container_arn,
            image: identity.image,
            image_id: identity.image_id,
            started: identity.started,
            mounts: identity.mounts,
        }
    }
}

/// A rule file.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct LoadRules {
    /// What messages about it call it.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The YAML text.
    #[prost(string, tag = "2")]
    pub text: String,
}

/// A temporary request for events.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AddTrace {
    /// Chosen by the sidecar.
    #[prost(string, tag = "1")]
    pub id: String,
    /// Event types by name.
    #[prost(string, repeated, tag = "2")]
    pub kinds: Vec<String>,
    /// A condition in the rule language; empty for none.
    #[prost(string, tag = "3")]
    pub condition: String,
    /// Report one of so many; 0 and 1 report all.
    #[prost(uint32, tag = "4")]
    pub sample: u32,
    /// Ends by itself after so many milliseconds; 0 for never.
    #[prost(uint64, tag = "5")]
    pub duration_ms: u64,
}

/// The end of a trace.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DropTrace {
    /// As in [`AddTrace::id`].
    #[prost(string, tag = "1")]
    pub id: String,
}

/// A log level.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct LogLevel {
    /// One of the words of `SYSDIG_LOGGING`.
    #[prost(string, tag = "1")]
    pub level: String,
}

/// Why a session ends.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Refused {
    /// The class of reasons; tells whether to try again.
    #[prost(enumeration = "Refusal", tag = "1")]
    pub reason: i32,
    /// One line for a log.
    #[prost(string, tag = "2")]
    pub text: String,
}

/// Classes of refusals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum Refusal {
    /// Not said.
    Unknown = 0,
    /// The protocol version is not spoken here. Do not try again.
    Version = 1,
    /// Another tracer spoke first for this container. Try again later: it may have ended.
    Nonce = 2,
    /// Too many sessions. Try again later.
    Busy = 3,
    /// A message was malformed, too long or out of place.
    Malformed = 4,
    /// The sidecar is about to end. Try again later.
    Draining = 5,
    /// Hello did not come in time, or the peer stopped reading.
    Slow = 6,
}

impl Refusal {
    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Version => "version",
            Self::Nonce => "nonce",
            Self::Busy => "busy",
            Self::Malformed => "malformed",
            Self::Draining => "draining",
            Self::Slow => "slow",
        }
    }

    /// Whether the same hello may be accepted later.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Version)
    }
}
