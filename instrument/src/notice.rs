//! What the tracer itself has to report: alerts with the source `instrument`, not of a rule file.

use std::collections::HashSet;

use event::{Alert, FieldValue, Priority, ProcessFacts as _};
use sys::{Pid, Tid};

use crate::brain::Pace;
use crate::guard::Told;
use crate::launch::LaunchError;
use crate::world::World;

/// The same thing is told once for each process.
const MAX_REMEMBERED: usize = 4096;

/// Name, priority and explanation.
type Notice<'a> = (&'a str, Priority, &'a str);

/// Reports, and what was reported already.
#[derive(Debug, Default)]
pub struct Notices {
    told: HashSet<(Told, Pid)>,
    is_convention_told: bool,
    hostname: String,
}

impl Notices {
    /// Reports under the name of a host.
    pub fn of(hostname: &str) -> Self {
        Self {
            hostname: hostname.to_owned(),
            ..Self::default()
        }
    }

    /// Something that a process did or tried; `None` when the same was told of it before.
    pub fn told(&mut self, world: &World, pid: Pid, what: Told) -> Option<Alert> {
        if self.told.len() >= MAX_REMEMBERED {
            self.told.clear();
        }
        if !self.told.insert((what, pid)) {
            return None;
        }
        let notice = match what {
            Told::IoUring => (
                "io_uring set up",
                Priority::Notice,
                "files and connections that it makes through the ring are not seen; \
                 WORKLOAD_AGENT_IO_URING=deny refuses rings",
            ),
            Told::IoUringRefused => (
                "io_uring refused",
                Priority::Notice,
                "WORKLOAD_AGENT_IO_URING is deny",
            ),
            Told::Listener => (
                "Seccomp listener made",
                Priority::Notice,
                "who answers for its calls may change what they do after they were looked at",
            ),
            Told::ListenerRefused => (
                "Seccomp listener refused",
                Priority::Warning,
                "calls that a listener lets go on pass unseen (SECCOMP_FILTER_FLAG_NEW_LISTENER); \
                 WORKLOAD_AGENT_MODE=full keeps such programs working",
            ),
            Told::PageFaults => (
                "Handling of page faults refused",
                Priority::Warning,
                "userfaultfd without UFFD_USER_MODE_ONLY can hold up whoever reads the program's \
                 memory, the tracer included",
            ),
            Told::Ptrace => (
                "Debugger under the agent",
                Priority::Notice,
                "a traced program cannot be traced twice: ptrace fails with EPERM; \
                 WORKLOAD_AGENT_MODE=off lets debuggers work and turns detection off",
            ),
            Told::SecretMemory => (
                "Secret memory refused",
                Priority::Warning,
                "arguments of calls in memory that only the program can read (memfd_secret) would \
                 not be seen",
            ),
            Told::Tamper => (
                "Tampering with the agent refused",
                Priority::Critical,
                "a call aimed at the tracer was refused",
            ),
            Told::Unreadable => (
                "Memory of a process cannot be read",
                Priority::Warning,
                "it changed its user or hides itself, and the container lacks SYS_PTRACE: paths \
                 and addresses of its calls are not seen",
            ),
            Told::Untraced => (
                "Thread hidden from tracing",
                Priority::Warning,
                "CLONE_UNTRACED was taken out of the call",
            ),
        };
        Some(self.alert(world, pid, notice))
    }

    /// A program calls the kernel in a way that no table knows.
    pub fn unknown_convention(&mut self, world: &World, tid: Tid) -> Option<Alert> {
        if std::mem::replace(&mut self.is_convention_told, true) {
            return None;
        }
        let text = "its system calls follow a convention that the agent does not know and are \
                    not seen";
        let rule = "Unknown calling convention";
        Some(self.alert(world, tid.as_leader(), (rule, Priority::Warning, text)))
    }

    /// A setuid program was executed and stayed without its privileges.
    pub fn lost_privileges(&mut self, world: &World, pid: Pid, pace: Pace) -> Option<Alert> {
        let process = world.processes.get(pid)?;
        let (ids, file) = (process.image().ids?, process.image().executable?);
        if !file.wants_other_ids(ids.euid, ids.egid) {
            return None;
        }
        let (rule, text) = match pace {
            Pace::Filtered => (
                "Privileges lost to no_new_privs",
                "it is setuid or setgid, but no_new_privs keeps its privileges away; \
                 WORKLOAD_AGENT_MODE=full keeps such programs working",
            ),
            Pace::Every => (
                "Privileges lost to tracing",
                "it is setuid or setgid, but the kernel gives a traced program privileges only \
                 if its tracer has SYS_PTRACE",
            ),
        };
        Some(self.alert(world, pid, (rule, Priority::Notice, text)))
    }

    /// A stop was not understood.
    pub fn fault(&self, count: u32, is_blind: bool) -> Alert {
        let message = if is_blind {
            format!("{count} stops were not understood; the workload is not watched any more")
        } else {
            format!("{count} stops were not understood")
        };
        let faults = vec![("faults".to_owned(), FieldValue::Uint(count.into()))];
        self.of_agent("Fault of the agent", message, faults)
    }

    /// There is no tracing.
    pub fn untraced(&self, error: &LaunchError) -> Alert {
        let message = format!("the workload is not watched: {error}");
        self.of_agent("Workload not watched", message, Vec::new())
    }

    fn of_agent(
        &self,
        rule: &str,
        message: String,
        output_fields: Vec<(String, FieldValue)>,
    ) -> Alert {
        Alert {
            time: sys::now(),
            rule: rule.to_owned(),
            priority: Priority::Critical,
            source: "instrument".to_owned(),
            tags: vec!["agent".to_owned()],
            hostname: self.hostname.clone(),
            message,
            output_fields,
        }
    }

    /// A report about a process.
    pub(crate) fn alert(
        &self,
        world: &World,
        pid: Pid,
        (rule, priority, text): Notice<'_>,
    ) -> Alert {
        let process = world.processes.get(pid);
        let bytes = |bytes: &[u8]| FieldValue::Text(String::from_utf8_lossy(bytes).into_owned());
        let name = process.map_or(FieldValue::Null, |p| bytes(p.comm()));
        let path = process
            .and_then(|p| p.exe_path())
            .map_or(FieldValue::Null, bytes);
        let shown = match &name {
            FieldValue::Text(name) => name.clone(),
            _ => "?".to_owned(),
        };
        Alert {
            time: sys::now(),
            rule: rule.to_owned(),
            priority,
            source: "instrument".to_owned(),
            tags: vec!["agent".to_owned()],
            hostname: self.hostname.clone(),
            message: format!("{rule} (process {shown}, pid {pid}): {text}"),
            output_fields: vec![
                ("proc.exepath".to_owned(), path),
                ("proc.name".to_owned(), name),
                ("proc.pid".to_owned(), FieldValue::Int(i64::from(pid.0))),
            ],
        }
    }
}
