//! Which processes are in our container.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use sys::Pid;

/// Inode of the machine's first pid namespace (`PROC_PID_INIT_INO`, `linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

/// What `/proc` shows that belongs to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// Every process: the pid namespace is the container's own.
    All,
    /// Those that see our files: several containers share the pid namespace (`pidMode: task`).
    Mount(u64),
    /// None but our own descendants: this is not a container, or nothing shows that it is one.
    None,
}

/// What decides it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Whether `/proc` shows this process under its own pid.
    pub(super) proc_is_ours: bool,
    /// Inode of the pid namespace.
    pub(super) pid_namespace: Option<u64>,
    /// Whether the workload is process 1.
    pub(super) is_first: bool,
    /// Inode of our mount namespace.
    pub(super) mount: Option<u64>,
    /// Inode of process 1's mount namespace; a process without privileges cannot see it.
    pub(super) first_mount: Option<u64>,
}

impl Surroundings {
    /// As they are.
    pub(super) fn look(root: Pid) -> Self {
        let this = Pid::this();
        let shown = fs::read_link("/proc/self").ok();
        Self {
            proc_is_ours: shown.is_some_and(|link| link.as_os_str() == this.to_string().as_str()),
            pid_namespace: inode("/proc/self/ns/pid"),
            is_first: root == Pid(1),
            mount: inode("/proc/self/ns/mnt"),
            first_mount: inode("/proc/1/ns/mnt"),
        }
    }

    /// The decision.
    pub(super) fn scope(&self) -> Scope {
        if !self.proc_is_ours {
            return Scope::None;
        }
        if self.is_first {
            return Scope::All;
        }
        let is_initial = self.pid_namespace == Some(INITIAL_PID_NAMESPACE);
        match (self.mount, self.first_mount) {
            (Some(ours), Some(first)) if ours != first => Scope::Mount(ours),
            // A small init, as `initProcessEnabled` puts in front.
            (Some(_), Some(_)) if !is_initial && self.pid_namespace.is_some() => Scope::All,
            _ => Scope::None,
        }
    }
}

/// The inode behind a link of `/proc/PID/ns`.
pub(super) fn inode(path: &str) -> Option<u64> {
    fs::metadata(path).ok().map(|namespace| namespace.ino())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scope_follows_from_the_namespaces() {
        let container = Surroundings {
            proc_is_ours: true,
            pid_namespace: Some(7),
            is_first: true,
            mount: Some(1),
            first_mount: Some(1),
        };
        let behind_init = Surroundings {
            is_first: false,
            ..container
        };
        let shared = Surroundings {
            first_mount: Some(2),
            ..behind_init
        };
        let machine = Surroundings {
            pid_namespace: Some(INITIAL_PID_NAMESPACE),
            ..behind_init
        };
        let table = [
            ("a container", container, Scope::All),
            ("behind an init", behind_init, Scope::All),
            ("a shared pid namespace", shared, Scope::Mount(1)),
            ("a machine", machine, Scope::None),
            (
                "a container in the machine's pid namespace",
                Surroundings {
                    first_mount: Some(2),
                    ..machine
                },
                Scope::Mount(1),
            ),
            (
                "nothing to be seen of process 1",
                Surroundings {
                    first_mount: None,
                    ..behind_init
                },
                Scope::None,
            ),
            (
                "a container without privileges, first",
                Surroundings {
                    first_mount: None,
                    ..container
                },
                Scope::All,
            ),
            (
                "the /proc of somebody else",
                Surroundings {
                    proc_is_ours: false,
                    ..container
                },
                Scope::None,
            ),
            (
                "no namespaces to be seen",
                Surroundings {
                    pid_namespace: None,
                    ..behind_init
                },
                Scope::None,
            ),
        ];
        for (name, surroundings, expected) in table {
            assert_eq!(surroundings.scope(), expected, "{name}");
        }
    }
}
