//! An event on the wire: the answers that were written down when it happened.

/// Something happened. Names follow `event::Facts`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Event {
    /// Number of the event within its tracer, from 1.
    #[prost(uint64, tag = "1")]
    pub num: u64,
    /// Nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub time: u64,
    /// Name of the event's type, as `execve`.
    #[prost(string, tag = "3")]
    pub kind: String,
    /// What the call returned; absent when it has not, or the event has no result.
    #[prost(sint64, optional, tag = "4")]
    pub result: Option<i64>,
    /// Whether the call was seen at its entry only.
    #[prost(bool, tag = "5")]
    pub is_pending: bool,
    /// The thread that acts.
    #[prost(int64, tag = "6")]
    pub tid: i64,
    /// The process that acts, then its ancestors.
    #[prost(message, repeated, tag = "7")]
    pub processes: Vec<Process>,
    /// Arguments in their order.
    #[prost(message, repeated, tag = "8")]
    pub args: Vec<Arg>,
    /// The descriptor that the event is about.
    #[prost(message, optional, tag = "9")]
    pub fd: Option<Fd>,
}

/// A process.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Process {
    /// Process id as the tracer sees it.
    #[prost(int64, tag = "1")]
    pub pid: i64,
    /// Process id with the workload's first process as 1.
    #[prost(int64, tag = "2")]
    pub vpid: i64,
    /// Parent's process id.
    #[prost(int64, optional, tag = "3")]
    pub ppid: Option<i64>,
    /// The kernel's name of the process.
    #[prost(bytes = "vec", tag = "4")]
    pub comm: Vec<u8>,
    /// `argv[0]`.
    #[prost(bytes = "vec", tag = "5")]
    pub exe: Vec<u8>,
    /// `argv[1..]`.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub args: Vec<Vec<u8>>,
    /// What `/proc/PID/exe` points to.
    #[prost(bytes = "vec", optional, tag = "7")]
    pub exe_path: Option<Vec<u8>>,
    /// Working directory.
    #[prost(bytes = "vec", optional, tag = "8")]
    pub cwd: Option<Vec<u8>>,
    /// Real user id.
    #[prost(uint32, optional, tag = "9")]
    pub uid: Option<u32>,
    /// Effective user id.
    #[prost(uint32, optional, tag = "10")]
    pub euid: Option<u32>,
    /// Real group id.
    #[prost(uint32, optional, tag = "11")]
    pub gid: Option<u32>,
    /// Effective group id.
    #[prost(uint32, optional, tag = "12")]
    pub egid: Option<u32>,
    /// Controlling terminal's device number.
    #[prost(uint32, optional, tag = "13")]
    pub tty: Option<u32>,
}

/// A named argument.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Arg {
    /// The name that Falco gives it.
    #[prost(string, tag = "1")]
    pub name: String,
    /// Its value; `None` for a kind that this version does not know.
    #[prost(
        oneof = "arg::Value",
        tags = "2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14"
    )]
    pub value: Option<arg::Value>,
}

/// The values of [`Arg`].
pub mod arg {
    /// A value; the variants are those of `event::Arg`.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    #[non_exhaustive]
    pub enum Value {
        /// A plain string.
        #[prost(bytes, tag = "2")]
        Bytes(Vec<u8>),
        /// One of several names.
        #[prost(uint64, tag = "3")]
        Enum(u64),
        /// A descriptor.
        #[prost(sint64, tag = "4")]
        Fd(i64),
        /// Bits with names.
        #[prost(uint64, tag = "5")]
        Flags(u64),
        /// Group id.
        #[prost(uint32, tag = "6")]
        Gid(u32),
        /// A signed number.
        #[prost(sint64, tag = "7")]
        Int(i64),
        /// Permission bits.
        #[prost(uint32, tag = "8")]
        Mode(u32),
        /// A path.
        #[prost(message, tag = "9")]
        Path(super::Path),
        /// A process id.
        #[prost(sint64, tag = "10")]
        Pid(i64),
        /// A socket address, as `10.0.0.1:80` or `[::1]:80`.
        #[prost(string, tag = "11")]
        Addr(String),
        /// User id.
        #[prost(uint32, tag = "12")]
        Uid(u32),
        /// An unsigned number.
        #[prost(uint64, tag = "13")]
        Uint(u64),
        /// Several strings.
        #[prost(message, tag = "14")]
        Vector(super::Strings),
    }
}

/// A path.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Path {
    /// As the program wrote it.
    #[prost(bytes = "vec", tag = "1")]
    pub raw: Vec<u8>,
    /// Absolute and normalised.
    #[prost(bytes = "vec", optional, tag = "2")]
    pub absolute: Option<Vec<u8>>,
}

/// Several strings.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Strings {
    /// In their order.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub items: Vec<Vec<u8>>,
}

/// A descriptor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Fd {
    /// Its number.
    #[prost(sint64, optional, tag = "1")]
    pub num: Option<i64>,
    /// Falco's `typechar`: `f` file, `d` directory, `4` and `6` sockets, and so on.
    #[prost(string, tag = "2")]
    pub kind: String,
    /// Absolute path or socket name.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub name: Option<Vec<u8>>,
    /// The path as the program wrote it.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub raw_name: Option<Vec<u8>>,
    /// Local address.
    #[prost(string, optional, tag = "5")]
    pub local: Option<String>,
    /// Peer's address.
    #[prost(string, optional, tag = "6")]
    pub peer: Option<String>,
    /// `tcp`, `udp`, `icmp` or `raw`.
    #[prost(string, optional, tag = "7")]
    pub l4proto: Option<String>,
}
