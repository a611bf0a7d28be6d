//! An event that was written down: for `--events` and `--replay`, the wire, and tests.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::{
    Arg, Args, Capabilities, Credentials, EventType, ExeFile, Facts, Fd, Outcome, ProcessFacts,
    Task,
};

mod capture;
pub(crate) mod text;

/// Everything that rules may ask about one event. One line of JSON in a recording.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// What happened.
    pub kind: EventType,
    /// Number of the event within its tracer, from 1.
    pub num: u64,
    /// Nanoseconds since 1970.
    pub time: u64,
    /// The result.
    pub outcome: Outcome,
    /// The thread that acted.
    pub tid: i64,
    /// The process that acted, its parent, and so on.
    pub processes: Vec<Process>,
    /// Arguments in Falco's order.
    #[serde(default, skip_serializing_if = "Args::is_empty")]
    pub args: Args<'static>,
    /// The descriptor that the event is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fd: Option<Fd<'static>>,
    /// Names of the users that the event mentions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<u32, String>,
    /// Names of the groups that the event mentions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<u32, String>,
    /// Addresses of the container's own interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub local_addresses: Vec<IpAddr>,
    /// The task and container in which it happened.
    #[serde(default, skip_serializing_if = "Task::is_empty")]
    pub task: Task,
}

/// A process that was written down.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Process {
    /// Process id as the tracer saw it.
    pub pid: i64,
    /// Process id with the workload's first process as 1.
    pub vpid: i64,
    /// Parent's process id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppid: Option<i64>,
    /// The kernel's name of the process.
    #[serde(with = "text::boxed")]
    pub comm: Box<[u8]>,
    /// `argv[0]`.
    #[serde(with = "text::boxed")]
    pub exe: Box<[u8]>,
    /// `argv[1..]`.
    #[serde(default, with = "text::list", skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<Box<[u8]>>,
    /// What `/proc/PID/exe` pointed to.
    #[serde(default, with = "text::maybe", skip_serializing_if = "Option::is_none")]
    pub exe_path: Option<Box<[u8]>>,
    /// What was known of the executed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exe_file: Option<ExeFile>,
    /// Working directory.
    #[serde(default, with = "text::maybe", skip_serializing_if = "Option::is_none")]
    pub cwd: Option<Box<[u8]>>,
    /// Environment as `NAME=value`; left out unless asked for, since it holds secrets.
    #[serde(
        default,
        with = "text::maybe_list",
        skip_serializing_if = "Option::is_none"
    )]
    pub env: Option<Vec<Box<[u8]>>>,
    /// Controlling terminal's device number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tty: Option<u32>,
    /// Session id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<i64>,
    /// Process group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pgid: Option<i64>,
    /// User and group ids.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    /// Capability sets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Capabilities>,
    /// When the process was made, nanoseconds since 1970.
    #[serde(default)]
    pub started: u64,
    /// When it last executed a program, nanoseconds since 1970.
    #[serde(default)]
    pub executed: u64,
}

/// Why a line is not an event.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// It is not JSON, or not of this shape.
    #[error("not a recorded event: {0}")]
    Shape(#[from] serde_json::Error),
}

impl Event {
    /// Reads one line of a recording.
    ///
    /// # Errors
    /// When the line is not an event.
    pub fn from_json(line: &str) -> Result<Self, EventError> {
        Ok(serde_json::from_str(line)?)
    }

    /// One line of a recording, without a line break.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("every part of an event has a form in JSON")
    }

    /// The same event as it looked before the call returned, as far as a recording can tell: the
    /// result is open, and what depends on it is gone.
    #[must_use]
    pub fn at_entry(&self) -> Self {
        let mut entry = self.clone();
        if self.outcome == Outcome::None || self.kind.is_told_afterwards() {
            return entry;
        }
        entry.outcome = Outcome::Pending;
        if let Some(fd) = &mut entry.fd {
            if self.kind.makes_descriptor() {
                fd.num = None;
                fd.dev = None;
                fd.ino = None;
            }
            if matches!(self.kind, EventType::Accept | EventType::Accept4) {
                (fd.peer, fd.role) = (None, None);
            }
            if self.kind == EventType::Connect {
                (fd.local, fd.is_connected) = (None, None);
            }
            if matches!(self.kind, EventType::Recvfrom | EventType::Recvmsg) {
                fd.peer = None;
            }
        }
        entry
    }
}

impl Facts for Event {
    fn kind(&self) -> EventType {
        self.kind
    }

    fn num(&self) -> u64 {
        self.num
    }

    fn time(&self) -> u64 {
        self.time
    }

    fn outcome(&self) -> Outcome {
        self.outcome
    }

    fn tid(&self) -> i64 {
        self.tid
    }

    fn process(&self, generation: usize) -> Option<&dyn ProcessFacts> {
        let process = self.processes.get(generation)?;
        Some(process)
    }

    fn args(&self) -> &Args<'_> {
        &self.args
    }

    fn fd(&self) -> Option<&Fd<'_>> {
        self.fd.as_ref()
    }

    fn user_name(&self, uid: u32) -> Option<Cow<'_, str>> {
        self.users.get(&uid).map(|name| Cow::Borrowed(&**name))
    }

    fn group_name(&self, gid: u32) -> Option<Cow<'_, str>> {
        self.groups.get(&gid).map(|name| Cow::Borrowed(&**name))
    }

    fn local_addresses(&self) -> &[IpAddr] {
        &self.local_addresses
    }

    fn task(&self) -> &Task {
        &self.task
    }
}

impl ProcessFacts for Process {
    fn pid(&self) -> i64 {
        self.pid
    }

    fn vpid(&self) -> i64 {
        self.vpid
    }

    fn ppid(&self) -> Option<i64> {
        self.ppid
    }

    fn comm(&self) -> &[u8] {
        &self.comm
    }

    fn exe(&self) -> &[u8] {
        &self.exe
    }

    fn args(&self) -> &[Box<[u8]>] {
        &self.args
    }

    fn exe_path(&self) -> Option<&[u8]> {
        self.exe_path.as_deref()
    }

    fn exe_file(&self) -> Option<ExeFile> {
        self.exe_file
    }

    fn cwd(&self) -> Option<Cow<'_, [u8]>> {
        self.cwd.as_deref().map(Cow::Borrowed)
    }

    fn env(&self) -> Option<Cow<'_, [u8]>> {
        let variables = self.env.as_deref()?;
        let ended = variables.iter().flat_map(|variable| [variable, &b"\0"[..]]);
        Some(Cow::Owned(ended.flatten().copied().collect()))
    }

    fn tty(&self) -> Option<u32> {
        self.tty
    }

    fn sid(&self) -> Option<i64> {
        self.sid
    }

    fn pgid(&self) -> Option<i64> {
        self.pgid
    }

    fn credentials(&self) -> Option<Credentials> {
        self.credentials
    }

    fn capabilities(&self) -> Option<Capabilities> {
        self.capabilities
    }

    fn started(&self) -> u64 {
        self.started
    }

    fn executed(&self) -> u64 {
        self.executed
    }
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <Cow<'_, str>>::deserialize(deserializer)?;
        Self::parse(&name)
            .ok_or_else(|| serde::de::Error::custom(format!("unknown event type `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FdKind;

    pub(crate) fn sample() -> Event {
        Event {
            kind: EventType::Openat,
            num: 7,
            time: 1_700_000_000_000_000_001,
            outcome: Outcome::Returned(3),
            tid: 5,
            processes: vec![Process {
                pid: 5,
                vpid: 1,
                comm: b"cat".as_slice().into(),
                exe: b"/bin/c\xffat".as_slice().into(),
                args: vec![b"a\\b".as_slice().into()],
                credentials: Some(Credentials::default()),
                ..Process::default()
            }],
            args: Args {
                items: vec![
                    (
                        "name",
                        Arg::Path {
                            raw: b"passwd".as_slice().into(),
                            absolute: Some(b"/etc/passwd".as_slice().into()),
                        },
                    ),
                    ("flags", Arg::Flags(0)),
                ],
            },
            fd: Some(Fd {
                num: Some(3),
                kind: FdKind::File,
                name: Some(b"/etc/passwd".as_slice().into()),
                raw_name: None,
                local: None,
                peer: None,
                l4proto: None,
                role: None,
                is_connected: None,
                is_name_changed: false,
                dev: None,
                ino: None,
            }),
            users: BTreeMap::from([(0, "root".to_owned())]),
            groups: BTreeMap::new(),
            local_addresses: Vec::new(),
            task: Task::default(),
        }
    }

    #[test]
    fn a_line_reads_back_as_the_same_event() {
        let event = sample();
        let line = event.to_json();
        assert!(!line.contains('\n'));
        assert_eq!(Event::from_json(&line).unwrap(), event, "{line}");
    }

    #[test]
    fn capturing_an_event_gives_the_event() {
        let event = sample();
        assert_eq!(Event::capture(&event), event);
    }

    #[test]
    fn unknown_types_and_arguments_are_errors() {
        let line = sample().to_json();
        for (from, to) in [("\"openat\"", "\"opened\""), ("\"flags\":{", "\"flogs\":{")] {
            let broken = line.replace(from, to);
            assert_ne!(broken, line);
            assert!(Event::from_json(&broken).is_err(), "{broken}");
        }
    }
}
