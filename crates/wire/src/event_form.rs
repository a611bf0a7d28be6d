//! An event on the wire: everything of [`event::Event`] but the task, which the sidecar knows
//! better.

/// Something happened.
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
    /// The thread that acted.
    #[prost(int64, tag = "6")]
    pub tid: i64,
    /// The process that acted, then its ancestors.
    #[prost(message, repeated, tag = "7")]
    pub processes: Vec<Process>,
    /// Arguments in their order.
    #[prost(message, repeated, tag = "8")]
    pub args: Vec<Arg>,
    /// The descriptor that the event is about.
    #[prost(message, optional, tag = "9")]
    pub fd: Option<Fd>,
    /// Names of the users that the event mentions.
    #[prost(btree_map = "uint32, string", tag = "10")]
    pub users: std::collections::BTreeMap<u32, String>,
    /// Names of the groups that the event mentions.
    #[prost(btree_map = "uint32, string", tag = "11")]
    pub groups: std::collections::BTreeMap<u32, String>,
    /// Addresses of the container's own interfaces: 4 or 16 bytes each.
    #[prost(bytes = "vec", repeated, tag = "12")]
    pub local_addresses: Vec<Vec<u8>>,
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
    /// What `/proc/PID/exe` pointed to.
    #[prost(bytes = "vec", optional, tag = "7")]
    pub exe_path: Option<Vec<u8>>,
    /// What was known of the executed file.
    #[prost(message, optional, tag = "8")]
    pub exe_file: Option<ExeFile>,
    /// Working directory.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub cwd: Option<Vec<u8>>,
    /// Environment as `NAME=value`, where it was asked for.
    #[prost(message, optional, tag = "10")]
    pub env: Option<Strings>,
    /// Controlling terminal's device number.
    #[prost(uint32, optional, tag = "11")]
    pub tty: Option<u32>,
    /// Session id.
    #[prost(int64, optional, tag = "12")]
    pub sid: Option<i64>,
    /// Process group.
    #[prost(int64, optional, tag = "13")]
    pub pgid: Option<i64>,
    /// User and group ids.
    #[prost(message, optional, tag = "14")]
    pub credentials: Option<Credentials>,
    /// Capability sets.
    #[prost(message, optional, tag = "15")]
    pub capabilities: Option<Capabilities>,
    /// When the process was made, nanoseconds since 1970.
    #[prost(fixed64, tag = "16")]
    pub started: u64,
    /// When it last executed a program, nanoseconds since 1970.
    #[prost(fixed64, tag = "17")]
    pub executed: u64,
}

/// What is known of an executed file.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ExeFile {
    /// Inode number.
    #[prost(uint64, tag = "1")]
    pub ino: u64,
    /// Last status change, nanoseconds since 1970.
    #[prost(fixed64, tag = "2")]
    pub ctime: u64,
    /// Last modification, nanoseconds since 1970.
    #[prost(fixed64, tag = "3")]
    pub mtime: u64,
    /// Whether the acting user may write it.
    #[prost(bool, tag = "4")]
    pub is_writable: bool,
    /// Whether it lives in memory only.
    #[prost(bool, tag = "5")]
    pub is_memfd: bool,
    /// Whether it was made or changed after the container started.
    #[prost(bool, tag = "6")]
    pub is_drift: bool,
}

/// User and group ids of a process.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Credentials {
    /// Real user id.
    #[prost(uint32, tag = "1")]
    pub uid: u32,
    /// Effective user id.
    #[prost(uint32, tag = "2")]
    pub euid: u32,
    /// Real group id.
    #[prost(uint32, tag = "3")]
    pub gid: u32,
    /// Effective group id.
    #[prost(uint32, tag = "4")]
    pub egid: u32,
    /// Login uid; absent when never set.
    #[prost(uint32, optional, tag = "5")]
    pub loginuid: Option<u32>,
}

/// Capability sets, one bit per capability.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Capabilities {
    /// `CapEff`.
    #[prost(fixed64, tag = "1")]
    pub effective: u64,
    /// `CapPrm`.
    #[prost(fixed64, tag = "2")]
    pub permitted: u64,
    /// `CapInh`.
    #[prost(fixed64, tag = "3")]
    pub inheritable: u64,
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
        /// A socket address.
        #[prost(message, tag = "11")]
        Addr(super::Addr),
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

/// An address with a port.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Addr {
    /// 4 or 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub ip: Vec<u8>,
    /// Port.
    #[prost(uint32, tag = "2")]
    pub port: u32,
}

/// A descriptor.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Fd {
    /// Its number.
    #[prost(sint64, optional, tag = "1")]
    pub num: Option<i64>,
    /// What it refers to; numbers in `docs/wire.md`.
    #[prost(uint32, tag = "2")]
    pub kind: u32,
    /// Absolute path or socket name.
    #[prost(bytes = "vec", optional, tag = "3")]
    pub name: Option<Vec<u8>>,
    /// The path as the program wrote it.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub raw_name: Option<Vec<u8>>,
    /// Local address.
    #[prost(message, optional, tag = "5")]
    pub local: Option<Addr>,
    /// Peer's address.
    #[prost(message, optional, tag = "6")]
    pub peer: Option<Addr>,
    /// 1 icmp, 2 raw, 3 tcp, 4 udp.
    #[prost(uint32, tag = "7")]
    pub l4proto: u32,
    /// 1 client, 2 server.
    #[prost(uint32, tag = "8")]
    pub role: u32,
    /// Whether the socket is connected.
    #[prost(bool, optional, tag = "9")]
    pub is_connected: Option<bool>,
    /// Whether this event changed the pair of addresses.
    #[prost(bool, tag = "10")]
    pub is_name_changed: bool,
    /// Device of the file.
    #[prost(uint64, optional, tag = "11")]
    pub dev: Option<u64>,
    /// Inode of the file.
    #[prost(uint64, optional, tag = "12")]
    pub ino: Option<u64>,
}
