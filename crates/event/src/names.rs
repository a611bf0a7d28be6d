//! Names of flags, enumerations, errors, capabilities and services, as Falco prints them.

use crate::EventType;

mod errno;
mod flags;
mod services;

pub use errno::errno_name;
pub use services::{port_of_service, service_of_port};

/// A name and the bits or the number that it stands for.
pub(crate) type Name = (&'static str, u64);

/// Which names an argument of a type of event is printed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// One name per bit, joined by `|`.
    Bits(&'static [Name]),
    /// Flags of `open`: the access mode is two bits with three names.
    Open,
    /// One name per number.
    Numbers(&'static [Name]),
}

/// The table of names for an argument that holds flags or an enumeration.
pub(crate) fn names_of(kind: EventType, argument: &str) -> Option<Names> {
    use EventType as T;
    Some(match (kind, argument) {
        (
            T::Accept4
            | T::Dup3
            | T::Open
            | T::OpenByHandleAt
            | T::Openat
            | T::Openat2
            | T::Userfaultfd,
            "flags",
        ) => Names::Open,
        (T::Openat2, "resolve") => Names::Bits(flags::RESOLVE),
        (T::Execve, "flags") => Names::Bits(flags::EXECVE),
        (T::Execveat, "flags") => Names::Bits(flags::EXECVEAT),
        (T::Clone | T::Clone3 | T::Fork | T::Vfork | T::Unshare, "flags")
        | (T::Setns, "nstype") => Names::Bits(flags::CLONE),
        (T::Mount, "flags") => Names::Bits(flags::MOUNT),
        (T::Umount | T::Umount2, "flags") => Names::Bits(flags::UMOUNT),
        (T::Unlinkat, "flags") => Names::Bits(flags::UNLINKAT),
        (T::Linkat | T::Fchownat, "flags") => Names::Bits(flags::AT),
        (T::Renameat2, "flags") => Names::Bits(flags::RENAMEAT2),
        (T::MemfdCreate, "flags") => Names::Bits(flags::MEMFD),
        (_, "domain") => Names::Numbers(flags::DOMAIN),
        (T::Ptrace, "request") => Names::Numbers(flags::PTRACE),
        (T::Bpf, "cmd") => Names::Numbers(flags::BPF),
        (T::Prctl, "option") => Names::Numbers(flags::PRCTL),
        (T::Prlimit, "resource") => Names::Numbers(flags::RLIMIT),
        (_, "sig") => Names::Numbers(flags::SIGNAL),
        _ => return None,
    })
}

/// Prints `value` with the names of a table; what has no name is left out, as Falco does.
pub(crate) fn push_names(names: Names, value: u64, out: &mut Vec<u8>) {
    match names {
        Names::Bits(table) => push_bits(table, value, out),
        Names::Numbers(table) => {
            let mut first = true;
            for (name, _) in table.iter().filter(|(_, number)| *number == value) {
                push_name(name, &mut first, out);
            }
        }
        Names::Open => push_bits(flags::OPEN, flags::open_bits(value), out),
    }
}

/// Prints permission bits as Falco does: `S_IXUSR|…`, the special bits last.
pub(crate) fn push_mode(mode: u32, out: &mut Vec<u8>) {
    push_bits(flags::MODE, u64::from(mode), out);
}

/// Prints a capability set as Falco does: names separated by blanks.
pub(crate) fn push_capabilities(set: u64, out: &mut Vec<u8>) {
    let mut first = true;
    for (_, name) in (0u32..)
        .zip(flags::CAPABILITIES)
        .filter(|(bit, _)| set & (1 << bit) != 0)
    {
        if !first {
            out.push(b' ');
        }
        first = false;
        out.extend_from_slice(name.as_bytes());
    }
}

/// Whether flags of `open` ask for reading and for writing.
pub(crate) fn open_access(flags: u64) -> (bool, bool) {
    match flags & 3 {
        0 => (true, false),
        1 => (false, true),
        _ => (true, true),
    }
}

/// Whether flags of `open` ask for a file to be made.
pub(crate) fn open_creates(flags: u64) -> bool {
    flags & (flags::O_CREAT | flags::O_TMPFILE_ONLY) != 0
}

/// The arguments' names that events may have.
pub const ARGUMENTS: &[&str] = &[
    "addr",
    "args",
    "argv",
    "cmd",
    "cwd",
    "data",
    "dev",
    "dirfd",
    "domain",
    "egid",
    "env",
    "envp",
    "euid",
    "exe",
    "fd",
    "filename",
    "flags",
    "gid",
    "ino",
    "initval",
    "linkdirfd",
    "linkpath",
    "max",
    "mode",
    "name",
    "newcur",
    "newdir",
    "newdirfd",
    "newfd",
    "newmax",
    "newpath",
    "nstype",
    "oldcur",
    "olddir",
    "olddirfd",
    "oldfd",
    "oldmax",
    "oldpath",
    "option",
    "path",
    "pathname",
    "pid",
    "proto",
    "queue",
    "request",
    "resolve",
    "resource",
    "rgid",
    "ruid",
    "sgid",
    "sig",
    "size",
    "status",
    "suid",
    "target",
    "tid",
    "tuple",
    "type",
    "uargs",
    "uid",
    "addrlen",
    "backlog",
    "comm",
    "how",
    "key",
    "length",
    "level",
    "newselector",
    "offset",
    "optname",
    "optval",
    "pgid",
    "pidfd",
    "prot",
    "ptid",
    "res",
    "ret",
    "source",
    "special",
    "val",
    "vpid",
    "vtid",
    "arg2_int",
    "dir",
    "entries",
    "mountfd",
    "new_root",
    "put_old",
];

/// The one copy of an argument's name.
pub fn argument(name: &str) -> Option<&'static str> {
    ARGUMENTS.iter().find(|known| **known == name).copied()
}

fn push_bits(table: &[Name], value: u64, out: &mut Vec<u8>) {
    let mut first = true;
    let mut left = value;
    for (name, bits) in table {
        if *bits != 0 && left & bits == *bits {
            left &= !bits;
            push_name(name, &mut first, out);
        }
    }
}

fn push_name(name: &str, first: &mut bool, out: &mut Vec<u8>) {
    if !*first {
        out.push(b'|');
    }
    *first = false;
    out.extend_from_slice(name.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(kind: EventType, argument: &str, value: u64) -> String {
        let mut out = Vec::new();
        push_names(names_of(kind, argument).unwrap(), value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn flags_of_open_follow_falcos_order_and_names() {
        let create = flags::O_CREAT | 1 | 0o1000;
        assert_eq!(
            printed(EventType::Openat, "flags", create),
            "O_TRUNC|O_CREAT|O_WRONLY"
        );
        assert_eq!(printed(EventType::Openat, "flags", 0), "O_RDONLY");
        assert_eq!(printed(EventType::Openat, "flags", 2), "O_RDWR");
    }

    #[test]
    fn enumerations_print_every_name_of_a_number() {
        assert_eq!(printed(EventType::Socket, "domain", 1), "AF_LOCAL|AF_UNIX");
        assert_eq!(printed(EventType::Socket, "domain", 17), "AF_PACKET");
        assert_eq!(printed(EventType::Ptrace, "request", 16), "PTRACE_ATTACH");
    }

    #[test]
    fn modes_and_capabilities_have_names() {
        let mut out = Vec::new();
        push_mode(0o4100, &mut out);
        assert_eq!(out, b"S_IXUSR|S_ISUID");
        out.clear();
        push_capabilities(0b11, &mut out);
        assert_eq!(out, b"CAP_CHOWN CAP_DAC_OVERRIDE");
    }
}
