//! The questions that rules ask about an event, and the shapes of the answers.
//!
//! The tracer answers from registers, tracee memory and `/proc`, lazily; a recorded event answers
//! from what was written down. Everything else (`fd.directory`, `proc.cmdline`, …) is derived from
//! these answers in one place, so that both mean the same.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use crate::EventType;
use crate::recorded::text;

/// A chain of processes cannot be longer than the process ids that Linux hands out.
pub const LONGEST_CHAIN: usize = 65_536;

/// What a syscall gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The event has no result (`procexit`).
    None,
    /// Seen at its entry; the kernel has not done it yet.
    Pending,
    /// The value in the result register: negative values down to -4095 are error numbers.
    Returned(i64),
}

/// One event, as rules see it.
pub trait Facts {
    /// What happened.
    fn kind(&self) -> EventType;
    /// Number of the event within its tracer, from 1.
    fn num(&self) -> u64;
    /// Nanoseconds since 1970.
    fn time(&self) -> u64;
    /// The result, when there is one by now.
    fn outcome(&self) -> Outcome;
    /// The thread that acts, in the container's own numbering.
    fn tid(&self) -> i64;
    /// The process that acts (0) or its n-th ancestor; `None` above the container's first process.
    fn process(&self, generation: usize) -> Option<&dyn ProcessFacts>;

    /// Calls `each` for the process's ancestors (the process itself excluded), nearest first, until
    /// it returns `true`; whether it did. Who can go from one to the next does it in one walk.
    fn any_ancestor<'a>(&'a self, each: &mut dyn FnMut(&'a dyn ProcessFacts) -> bool) -> bool {
        (1..LONGEST_CHAIN)
            .map_while(|generation| self.process(generation))
            .any(each)
    }
    /// Arguments under the names that Falco gives them for this type of event.
    fn args(&self) -> &Args<'_>;
    /// The descriptor that the event is about. For calls that make one this is `Some` already at
    /// the entry, with the name that was asked for and `num: None` until the call returns.
    fn fd(&self) -> Option<&Fd<'_>>;
    /// The name of a user of the container, from its `/etc/passwd`.
    fn user_name(&self, uid: u32) -> Option<Cow<'_, str>>;
    /// The name of a group of the container, from its `/etc/group`.
    fn group_name(&self, gid: u32) -> Option<Cow<'_, str>>;
    /// The addresses of the container's own interfaces (for `fd.lip`, `fd.rip`).
    fn local_addresses(&self) -> &[IpAddr];
    /// The task and container in which this happens.
    fn task(&self) -> &Task;
}

/// A process, as rules see it. Cheap answers are plain; the others may read `/proc` when asked.
pub trait ProcessFacts {
    /// Process id as the tracer sees it.
    fn pid(&self) -> i64;
    /// Process id with the workload's first process as 1.
    fn vpid(&self) -> i64;
    /// Parent's process id; `None` when the parent is outside of the container.
    fn ppid(&self) -> Option<i64>;
    /// The kernel's name of the process, at most 15 bytes.
    fn comm(&self) -> &[u8];
    /// `argv[0]`.
    fn exe(&self) -> &[u8];
    /// `argv[1..]`.
    fn args(&self) -> &[Box<[u8]>];
    /// What `/proc/PID/exe` points to.
    fn exe_path(&self) -> Option<&[u8]>;
    /// What is known of the executed file.
    fn exe_file(&self) -> Option<ExeFile>;
    /// Working directory.
    fn cwd(&self) -> Option<Cow<'_, [u8]>>;
    /// Environment at the last exec: `NAME=value`, each ended by a NUL, as `/proc/PID/environ` has it.
    fn env(&self) -> Option<Cow<'_, [u8]>>;
    /// Controlling terminal's device number; 0 is none.
    fn tty(&self) -> Option<u32>;
    /// Session id.
    fn sid(&self) -> Option<i64>;
    /// Process group, in the container's own numbering.
    fn pgid(&self) -> Option<i64>;
    /// User and group ids.
    fn credentials(&self) -> Option<Credentials>;
    /// Capability sets.
    fn capabilities(&self) -> Option<Capabilities>;
    /// When the process was made, nanoseconds since 1970.
    fn started(&self) -> u64;
    /// When it last executed a program, nanoseconds since 1970; 0 when it never did.
    fn executed(&self) -> u64;
}

/// User and group ids of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Real user id.
    pub uid: u32,
    /// Effective user id.
    pub euid: u32,
    /// Real group id.
    pub gid: u32,
    /// Effective group id.
    pub egid: u32,
    /// Login uid; `None` when never set, as on Fargate.
    pub loginuid: Option<u32>,
}

/// Capability sets, one bit per capability, as in `/proc/PID/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// `CapEff`.
    pub effective: u64,
    /// `CapPrm`.
    pub permitted: u64,
    /// `CapInh`.
    pub inheritable: u64,
}

/// What is known of an executed file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExeFile {
    /// Inode number.
    pub ino: u64,
    /// Last status change, nanoseconds since 1970.
    pub ctime: u64,
    /// Last modification, nanoseconds since 1970.
    pub mtime: u64,
    /// Whether the acting user may write it.
    pub is_writable: bool,
    /// Whether it lives in memory only (`memfd_create`).
    pub is_memfd: bool,
    /// Whether it was made or changed after the container started.
    pub is_drift: bool,
}

/// What kind of thing a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FdKind {
    /// `typechar` `d`.
    Directory,
    /// `typechar` `e`.
    Event,
    /// `typechar` `l`.
    Eventpoll,
    /// `typechar` `f`.
    File,
    /// `typechar` `i`.
    Inotify,
    /// `typechar` `4`.
    Ipv4Socket,
    /// `typechar` `6`.
    Ipv6Socket,
    /// `typechar` `m`.
    Memfd,
    /// `typechar` `o`.
    Other,
    /// `typechar` `p`.
    Pipe,
    /// `typechar` `s`.
    Signal,
    /// `typechar` `t`.
    Timer,
    /// `typechar` `u`.
    UnixSocket,
}

/// Fourth-layer protocol of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum L4Proto {
    /// `icmp`.
    Icmp,
    /// `raw`.
    Raw,
    /// `tcp`.
    Tcp,
    /// `udp`.
    Udp,
}

/// Which side of a connection the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It called `connect` or sent to an address: the peer is the server.
    Client,
    /// It called `accept` or `listen`: the local side is the server.
    Server,
}

/// The descriptor that an event is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fd<'a> {
    /// Its number; `None` until the call that makes it returns, negative when that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num: Option<i64>,
    /// What it refers to.
    pub kind: FdKind,
    /// Absolute, normalised path of a file; path of a unix socket; `None` for nameless things.
    #[serde(default, with = "text::maybe", skip_serializing_if = "Option::is_none")]
    pub name: Option<Cow<'a, [u8]>>,
    /// The path as the program wrote it.
    #[serde(default, with = "text::maybe", skip_serializing_if = "Option::is_none")]
    pub raw_name: Option<Cow<'a, [u8]>>,
    /// Local address of a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// Peer's address of a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<SocketAddr>,
    /// Protocol of a socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub l4proto: Option<L4Proto>,
    /// Side of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Whether the socket is connected (after the call succeeds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_connected: Option<bool>,
    /// Whether this event changes the pair of addresses.
    #[serde(default)]
    pub is_name_changed: bool,
    /// Device of the file, as `stat` gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dev: Option<u64>,
    /// Inode of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ino: Option<u64>,
}

/// The named arguments of an event, in Falco's order.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Args<'a> {
    /// Name and value.
    #[serde(with = "text::arguments")]
    pub items: Vec<(&'static str, Arg<'a>)>,
}

impl<'a> Args<'a> {
    /// The argument of that name.
    pub fn by_name(&self, name: &str) -> Option<&Arg<'a>> {
        self.items
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, arg)| arg)
    }
}

/// One argument. How it is printed follows from its shape and, for [`Arg::Flags`] and
/// [`Arg::Enum`], from the table of names that belongs to its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arg<'a> {
    /// A plain string that is not a path to be resolved (a symlink's target).
    Bytes(#[serde(with = "text::cow")] Cow<'a, [u8]>),
    /// One of several names: socket domain, ptrace request, bpf command.
    Enum(u64),
    /// A descriptor, with what it refers to where known.
    Fd(i64),
    /// Bits with names, as the kernel takes them.
    Flags(u64),
    /// Group id.
    Gid(u32),
    /// A signed number.
    Int(i64),
    /// Permission bits.
    Mode(u32),
    /// A path: as written, and absolute where it could be resolved.
    Path {
        /// As the program wrote it.
        #[serde(with = "text::cow")]
        raw: Cow<'a, [u8]>,
        /// Absolute and normalised.
        #[serde(default, with = "text::maybe", skip_serializing_if = "Option::is_none")]
        absolute: Option<Cow<'a, [u8]>>,
    },
    /// A process id.
    Pid(i64),
    /// A socket address.
    Addr(SocketAddr),
    /// User id.
    Uid(u32),
    /// An unsigned number.
    Uint(u64),
    /// Several strings: `argv`, `envp`.
    Vector(#[serde(with = "text::list")] Cow<'a, [Box<[u8]>]>),
}

/// Where the workload runs: ECS's task and container. Everything is optional; outside of ECS only
/// what the hello says is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Cluster name or ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
    /// ARN of the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_arn: Option<String>,
    /// Family of the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Revision of the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Availability zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub availability_zone: Option<String>,
    /// Name of the container in the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// ECS's id of the container (`DockerId`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// ARN of the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container_arn: Option<String>,
    /// Image reference as in the task definition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Digest of the image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_id: Option<String>,
    /// When the container started, nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<u64>,
    /// Mounts: `source:destination:mode:rw:propagation`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mounts: Vec<String>,
}

impl Task {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
