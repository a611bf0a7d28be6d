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
