//! Programs and processes.

use event::EventType as E;

use super::Kind::{Enum, Fd, Flags, Int, Path, PathAt, Pid, Uint, Vector};
use super::{Condition, FdOf, Guard, Made, Numbers, Row, n, p};

pub(super) static ROWS: &[Row] = &[
    Row::new("execve", n(59, &[11], 221).x32(520))
        .event(E::Execve)
        .params(&[p("filename", Path(0)), p("argv", Vector(1))])
        .why("a program is started; the kernel reports success by itself, with or without a stop here"),
    Row::new("execveat", n(322, &[358], 281).x32(545))
        .event(E::Execveat)
        .params(&[
            p("dirfd", Fd(0)),
            p("pathname", PathAt(0, 1)),
            p("flags", Flags(4)),
            p("argv", Vector(2)),
        ])
        .guard(Guard::Always)
        .why("a program is started, perhaps one that has no name; the stop tells it from execve"),
    Row::new("clone", n(56, &[120], 220))
        .guard(Guard::AnyBit(0, CLONE_UNTRACED))
        .why("CLONE_UNTRACED would leave the child with the filter and nobody to answer it"),
    Row::new("clone3", n(435, &[435], 435))
        .guard(Guard::Always)
        .why("its flags are in memory, where the filter cannot see CLONE_UNTRACED"),
    Row::new("ptrace", n(101, &[26], 117).x32(521))
        .event(E::Ptrace)
        .params(&[
            p("request", Enum(0)),
            p("pid", Pid(1)),
            p("addr", Uint(2)),
            p("data", Uint(3)),
        ])
        .guard(Guard::Always)
        .why("debugging another process is an attack or a debugger that cannot work"),
    Row::new("process_vm_writev", n(311, &[348], 271).x32(540))
        .event(E::ProcessVmWritev)
        .params(&[p("pid", Pid(0))])
        .guard(Guard::Tracer(0))
        .why("writes into the memory of another process"),
    Row::new("memfd_create", n(319, &[356], 279))
        .event(E::MemfdCreate)
        .params(&[
            p("fd", super::Kind::Result),
            p("name", super::Kind::Text(0)),
            p("flags", Flags(1)),
        ])
        .fd(FdOf::Made(Made::Memfd))
        .why("a file without a name, to be executed from memory"),
    Row::new("io_uring_setup", n(425, &[425], 425))
        .event(E::IoUringSetup)
        .params(&[p("entries", Uint(0))])
        .guard(Guard::Always)
        .why("files and connections made through the ring cause no system calls to see"),
    Row::new("bpf", n(321, &[357], 280))
        .event(E::Bpf)
        .params(&[p("cmd", Enum(0))])
        .why("programs in the kernel"),
    Row::new("userfaultfd", n(323, &[374], 282))
        .event(E::Userfaultfd)
        .params(&[p("flags", Flags(0))])
        .fd(FdOf::Made(Made::Other))
        .guard(Guard::OneOf(0, FAULTS_OF_THE_KERNEL))
        .result()
        .why("stalls the kernel inside of a copy: a tool for exploits"),
    Row::new("init_module", n(175, &[128], 105))
        .event(E::InitModule)
        .params(&[p("length", Uint(1))])
        .why("code in the kernel"),
    Row::new("finit_module", n(313, &[350], 273))
        .event(E::FinitModule)
        .params(&[p("fd", Fd(0)), p("flags", Flags(2))])
        .fd(FdOf::Argument(0))
        .why("code in the kernel"),
    Row::new("setns", n(308, &[346], 268))
        .event(E::Setns)
        .params(&[p("fd", Fd(0)), p("nstype", Flags(1))])
        .fd(FdOf::Argument(0))
        .why("enters the namespace of another process"),
    Row::new("unshare", n(272, &[310], 97))
        .event(E::Unshare)
        .params(&[p("flags", Flags(0))])
        .why("makes namespaces, in which more is allowed"),
    Row::new("prctl", n(157, &[172], 167))
        .event(E::Prctl)
        .params(&[p("option", Enum(0)), p("arg2_int", Uint(1))])
        .guard(Guard::OneOf(0, &[PR_SCHED_CORE]))
        .why("changes what the kernel says of a process"),
    Row::new("prlimit64", n(302, &[340], 261))
        .event(E::Prlimit)
        .params(&[p("pid", Pid(0)), p("resource", Enum(1))])
        .guard(Guard::Tracer(0))
        .why("changes limits of another process"),
    Row::new("setsid", n(112, &[66], 157))
        .event(E::Setsid)
        .why("leaves the session: how daemons begin"),
    Row::new("kill", n(62, &[37], 129))
        .event(E::Kill)
        .params(&[p("pid", Pid(0)), p("sig", Int(1))])
        .guard(Guard::TracerOrAll(0))
        .why("signals to the tracer are refused"),
    Row::new("tkill", n(200, &[238], 130))
        .event(E::Tkill)
        .params(&[p("tid", Pid(0)), p("sig", Int(1))])
        .guard(Guard::Tracer(0))
        .why("signals to the tracer are refused"),
    Row::new("tgkill", n(234, &[270], 131))
        .event(E::Tgkill)
        .params(&[p("pid", Pid(0)), p("tid", Pid(1)), p("sig", Int(2))])
        .guard(Guard::Tracer(0))
        .why("signals to the tracer are refused"),
    Row::new("pidfd_send_signal", n(424, &[424], 424))
        .event(E::PidfdSendSignal)
        .params(&[p("pidfd", Fd(0)), p("sig", Int(1))])
        .guard(Guard::Always)
        .why("signals to the tracer are refused"),
    Row::new("chroot", n(161, &[61], 51))
        .event(E::Chroot)
        .params(&[p("path", Path(0))])
        .why("another root directory"),
    Row::new("pivot_root", n(155, &[217], 41))
        .event(E::Pivotroot)
        .params(&[p("new_root", Path(0)), p("put_old", Path(1))])
        .why("another root directory"),
    Row::new("mount", n(165, &[21], 40))
        .event(E::Mount)
        .params(&[
            p("dev", super::Kind::Text(0)),
            p("dir", Path(1)),
            p("type", super::Kind::Text(2)),
            p("flags", Flags(3)),
        ])
        .why("another file system"),
    Row::new("move_mount", n(429, &[429], 429))
        .event(E::Mount)
        .params(&[p("dir", PathAt(2, 3))])
        .why("another file system; rules know it as mount"),
    Row::new("fsmount", n(432, &[432], 432))
        .event(E::Mount)
        .why("another file system, in no directory yet; rules know it as mount"),
    Row::new("open_tree", n(428, &[428], 428))
        .event(E::Mount)
        .params(&[p("dir", PathAt(0, 1))])
        .when(&[&[Condition::AnyBit(2, OPEN_TREE_CLONE)]])
        .why("a second mount of a file system; rules know it as mount"),
    Row::new("umount", Numbers::new(None, &[22], None))
        .event(E::Umount)
        .params(&[p("name", Path(0))])
        .why("uncovers what a mount hid"),
    Row::new("umount2", n(166, &[52], 39))
        .event(E::Umount2)
        .params(&[p("name", Path(0)), p("flags", Flags(1))])
        .why("uncovers what a mount hid"),
];

/// `OPEN_TREE_CLONE`.
const OPEN_TREE_CLONE: u32 = 1;

/// `PR_SCHED_CORE`, whose third argument is a process.
const PR_SCHED_CORE: u32 = 62;

/// All flags of `userfaultfd` without `UFFD_USER_MODE_ONLY`: none, `O_NONBLOCK`, `O_CLOEXEC`, both.
const FAULTS_OF_THE_KERNEL: &[u32] = &[0, 0x800, 0x8_0000, 0x8_0800];

/// `CLONE_UNTRACED`.
pub(super) const CLONE_UNTRACED: u32 = 0x0080_0000;
