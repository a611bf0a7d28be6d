//! `evt.*`: what happened, when, and how it ended.

use super::arguments::{push_all, push_argument};
use super::{Lookup, Outcome, Scratch, flag, index, key, result, text, uint};
use crate::clock::{Shape, push_time};
use crate::names::{errno_name, open_access, open_creates};
use crate::{Arg, EventType, Facts, Field, FieldId, Value};

pub(super) fn extract<'a>(
    field: &Field,
    facts: &'a dyn Facts,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    use FieldId as F;
    let kind = facts.kind();
    let time = |shape, scratch: &'a mut Scratch| {
        push_time(facts.time(), shape, scratch);
        text(scratch)
    };
    match field.id {
        F::EvtAbspath => abspath(field, facts),
        F::EvtArg | F::EvtRawarg => argument(field, facts, scratch),
        F::EvtArgs | F::EvtInfo => match facts.outcome() {
            Outcome::Pending => Lookup::Pending,
            Outcome::None | Outcome::Returned(_) => {
                push_all(facts, scratch);
                text(scratch)
            }
        },
        F::EvtCategory => text(category(kind)),
        F::EvtCount => uint(1),
        F::EvtDatetime => time(Shape::DateTimeNanos, scratch),
        F::EvtDatetimeS => time(Shape::DateTime, scratch),
        F::EvtDir => text(b"<"),
        F::EvtFailed => match result(facts) {
            Lookup::Is(Value::Int(value)) => flag(value < 0),
            other => other,
        },
        F::EvtIsAsync | F::EvtIsSyslog | F::EvtIsWait => flag(false),
        F::EvtIsIo => flag(is_receiving(kind) || is_sending(kind)),
        F::EvtIsIoRead => flag(is_receiving(kind)),
        F::EvtIsIoWrite => flag(is_sending(kind)),
        F::EvtIsOpenCreate => {
            flag(kind == EventType::Creat || open_flags(facts).is_some_and(open_creates))
        }
        F::EvtIsOpenExec => flag(makes_executable(facts)),
        F::EvtIsOpenRead => flag(open_flags(facts).is_some_and(|flags| open_access(flags).0)),
        F::EvtIsOpenWrite => flag(open_flags(facts).is_some_and(|flags| open_access(flags).1)),
        F::EvtNum => uint(facts.num()),
        F::EvtRawres => result(facts),
        F::EvtRawtime => uint(facts.time()),
        F::EvtRawtimeNs => uint(facts.time() % 1_000_000_000),
        F::EvtRawtimeS => uint(facts.time() / 1_000_000_000),
        F::EvtRes => match result(facts) {
            Lookup::Is(Value::Int(value)) if value < 0 => {
                if let Some(name) = errno_name(value.unsigned_abs()) {
                    text(name.as_bytes())
                } else {
                    scratch.extend_from_slice(value.unsigned_abs().to_string().as_bytes());
                    text(scratch)
                }
            }
            Lookup::Is(_) => text(b"SUCCESS"),
            other => other,
        },
        F::EvtSource => text(b"syscall"),
        F::EvtTime => time(Shape::TimeOfDayNanos, scratch),
        F::EvtTimeIso8601 => time(Shape::Iso8601Offset, scratch),
        F::EvtTimeS => time(Shape::TimeOfDay, scratch),
        F::EvtType | F::SyscallType => text(kind.as_str().as_bytes()),
        _ => Lookup::Unset,
    }
}

fn argument<'a>(field: &Field, facts: &'a dyn Facts, scratch: &'a mut Scratch) -> Lookup<'a> {
    let raw = field.id == FieldId::EvtRawarg;
    let (name, found) = match (index(field), key(field)) {
        (Some(number), _) => match facts.args().items.get(number) {
            Some((name, arg)) => (*name, Some(arg)),
            None => return Lookup::Unset,
        },
        (None, Some(name)) => (name, facts.args().by_name(name)),
        (None, None) => return Lookup::Unset,
    };
    let Some(found) = found else {
        return returned_argument(name, facts, raw, scratch);
    };
    match found {
        // The usual cases need no copy.
        Arg::Path {
            absolute: Some(path),
            ..
        } if !raw => text(path),
        Arg::Path { raw: path, .. } | Arg::Bytes(path) => text(path),
        _ => {
            push_argument(name, found, facts, raw, scratch);
            text(scratch)
        }
    }
}

/// Falco gives what a call returned as an argument: `fd` for calls that make a descriptor, else
/// `res`.
fn returned_argument<'a>(
    name: &str,
    facts: &'a dyn Facts,
    raw: bool,
    scratch: &'a mut Scratch,
) -> Lookup<'a> {
    let makes_fd = facts.kind().makes_descriptor();
    if !(name == "res" || name == "fd" && makes_fd) {
        return Lookup::Unset;
    }
    match result(facts) {
        Lookup::Is(Value::Int(value)) => {
            let arg = if makes_fd && value >= 0 {
                Arg::Fd(value)
            } else {
                Arg::Int(value)
            };
            push_argument(name, &arg, facts, raw, scratch);
            text(scratch)
        }
        other => other,
    }
}

fn abspath<'a>(field: &Field, facts: &'a dyn Facts) -> Lookup<'a> {
    let wanted: &[&str] = match key(field) {
        None => &["path", "name", "filename", "newpath", "linkpath"],
        Some("src") => &["oldpath", "target"],
        Some("dst") => &["newpath", "linkpath"],
        Some(_) => return Lookup::Unset,
    };
    let path = wanted.iter().find_map(|name| facts.args().by_name(name));
    match path {
        Some(Arg::Path {
            absolute: Some(path),
            ..
        }) => text(path),
        _ => Lookup::Unset,
    }
}

fn category(kind: EventType) -> &'static [u8] {
    use EventType as T;
    match kind {
        T::Accept
        | T::Accept4
        | T::Bind
        | T::Connect
        | T::Listen
        | T::Recvfrom
        | T::Recvmsg
        | T::Sendmsg
        | T::Sendto
        | T::Socket => b"net",
        T::Clone | T::Clone3 | T::Execve | T::Execveat | T::Fork | T::Procexit | T::Vfork => {
            b"process"
        }
        T::Chmod
        | T::Chown
        | T::Creat
        | T::Fchmod
        | T::Fchmodat
        | T::Fchown
        | T::Fchownat
        | T::Lchown
        | T::Link
        | T::Linkat
        | T::Mkdir
        | T::Mkdirat
        | T::Mount
        | T::Open
        | T::OpenByHandleAt
        | T::Openat
        | T::Openat2
        | T::Rename
        | T::Renameat
        | T::Renameat2
        | T::Rmdir
        | T::Symlink
        | T::Symlinkat
        | T::Umount
        | T::Umount2
        | T::Unlink
        | T::Unlinkat => b"file",
        _ => b"other",
    }
}

fn is_receiving(kind: EventType) -> bool {
    matches!(kind, EventType::Recvfrom | EventType::Recvmsg)
}

fn is_sending(kind: EventType) -> bool {
    matches!(kind, EventType::Sendmsg | EventType::Sendto)
}

/// Flags of an event of the `open` family.
fn open_flags(facts: &dyn Facts) -> Option<u64> {
    if !facts.kind().is_open() {
        return None;
    }
    match facts.args().by_name("flags") {
        Some(Arg::Flags(flags)) => Some(*flags),
        _ => None,
    }
}

fn makes_executable(facts: &dyn Facts) -> bool {
    let executable = matches!(
        facts.args().by_name("mode"),
        Some(Arg::Mode(mode)) if mode & 0o111 != 0
    );
    let creates = facts.kind() == EventType::Creat || open_flags(facts).is_some_and(open_creates);
    creates && executable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn categories_cover_the_families() {
        assert_eq!(category(EventType::Openat), b"file");
        assert_eq!(category(EventType::Connect), b"net");
        assert_eq!(category(EventType::Execve), b"process");
        assert_eq!(category(EventType::Ptrace), b"other");
    }
}
