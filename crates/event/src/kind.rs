//! The types of events, under Falco's names.

macro_rules! event_types {
    ($($variant:ident = $name:literal),* $(,)?) => {
        /// What happened. A syscall's type has the syscall's name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum EventType {
            $(#[doc = concat!("`", $name, "`.")] $variant,)*
        }

        impl EventType {
            /// Every type, in the order of their names.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name in rules (`evt.type`), logs and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The type of that name.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

event_types! {
    Accept = "accept",
    Accept4 = "accept4",
    Bind = "bind",
    Bpf = "bpf",
    Capset = "capset",
    Chmod = "chmod",
    Chown = "chown",
    Chroot = "chroot",
    Clone = "clone",
    Clone3 = "clone3",
    Connect = "connect",
    Creat = "creat",
    Dup = "dup",
    Dup2 = "dup2",
    Dup3 = "dup3",
    Execve = "execve",
    Execveat = "execveat",
    Fchmod = "fchmod",
    Fchmodat = "fchmodat",
    Fchown = "fchown",
    Fchownat = "fchownat",
    FinitModule = "finit_module",
    Fork = "fork",
    InitModule = "init_module",
    IoUringSetup = "io_uring_setup",
    Kill = "kill",
    Lchown = "lchown",
    Link = "link",
    Linkat = "linkat",
    Listen = "listen",
    MemfdCreate = "memfd_create",
    Mkdir = "mkdir",
    Mkdirat = "mkdirat",
    Mount = "mount",
    Open = "open",
    OpenByHandleAt = "open_by_handle_at",
    Openat = "openat",
    Openat2 = "openat2",
    PidfdSendSignal = "pidfd_send_signal",
    Pivotroot = "pivot_root",
    Prctl = "prctl",
    Prlimit = "prlimit",
    ProcessVmWritev = "process_vm_writev",
    Procexit = "procexit",
    Ptrace = "ptrace",
    Recvfrom = "recvfrom",
    Recvmsg = "recvmsg",
    Rename = "rename",
    Renameat = "renameat",
    Renameat2 = "renameat2",
    Rmdir = "rmdir",
    Sendmsg = "sendmsg",
    Sendto = "sendto",
    Setgid = "setgid",
    Setns = "setns",
    Setresgid = "setresgid",
    Setresuid = "setresuid",
    Setsid = "setsid",
    Setuid = "setuid",
    Socket = "socket",
    Symlink = "symlink",
    Symlinkat = "symlinkat",
    Tgkill = "tgkill",
    Tkill = "tkill",
    Umount = "umount",
    Umount2 = "umount2",
    Unlink = "unlink",
    Unlinkat = "unlinkat",
    Unshare = "unshare",
    Userfaultfd = "userfaultfd",
    Vfork = "vfork",
}

impl EventType {
    /// Whether the call opens a file by its path with flags.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Open | Self::OpenByHandleAt | Self::Openat | Self::Openat2
        )
    }

    /// Whether what the call returns is a descriptor.
    pub const fn makes_descriptor(self) -> bool {
        self.is_open()
            || matches!(
                self,
                Self::Accept
                    | Self::Accept4
                    | Self::Creat
                    | Self::Dup
                    | Self::Dup2
                    | Self::Dup3
                    | Self::IoUringSetup
                    | Self::MemfdCreate
                    | Self::Socket
                    | Self::Userfaultfd
            )
    }
}

/// A set of types of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct EventTypeSet(u128);

impl EventTypeSet {
    /// No type.
    pub const EMPTY: Self = Self(0);

    /// Every type.
    pub const fn all() -> Self {
        Self((1 << EventType::ALL.len()) - 1)
    }

    /// Only one type.
    pub const fn only(kind: EventType) -> Self {
        Self(1 << kind as u32)
    }

    /// Whether `kind` is in the set.
    pub const fn contains(self, kind: EventType) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// Whether nothing is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many types are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Adds a type.
    pub const fn insert(&mut self, kind: EventType) {
        self.0 |= 1 << kind as u32;
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is not in the set.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(!self.0 & Self::all().0)
    }

    /// The types in the set, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = EventType> {
        EventType::ALL
            .iter()
            .copied()
            .filter(move |kind| self.contains(*kind))
    }
}

impl FromIterator<EventType> for EventTypeSet {
    fn from_iter<I: IntoIterator<Item = EventType>>(kinds: I) -> Self {
        kinds
            .into_iter()
            .fold(Self::EMPTY, |set, kind| set.union(Self::only(kind)))
    }
}

const _: () = assert!(EventType::ALL.len() < 128, "one bit per type of event");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_obey_set_algebra() {
        let set: EventTypeSet = [EventType::Open, EventType::Vfork].into_iter().collect();
        assert_eq!(set.len(), 2);
        assert!(set.contains(EventType::Vfork) && !set.contains(EventType::Accept));
        assert_eq!(set.union(set.complement()), EventTypeSet::all());
        assert!(set.intersection(set.complement()).is_empty());
        assert_eq!(EventTypeSet::all().len(), EventType::ALL.len());
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [EventType::Open, EventType::Vfork]
        );
    }

    #[test]
    fn names_are_unique_and_sorted_by_variant() {
        for kind in EventType::ALL {
            assert_eq!(EventType::parse(kind.as_str()), Some(*kind));
        }
    }
}
