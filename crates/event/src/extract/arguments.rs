//! How arguments are printed.

use std::io::Write as _;

use super::Scratch;
use super::descriptor::{push_name, typechar};
use super::user::{push_group, push_user};
use crate::names::{Names, names_of, push_mode, push_names};
use crate::{Arg, Facts, Outcome};

/// Falco's number for "relative to the working directory".
const AT_FDCWD: i64 = -100;

/// Prints every argument as `name=value`, what the call returned first.
pub(super) fn push_all(facts: &dyn Facts, out: &mut Scratch) {
    if let Outcome::Returned(value) = facts.outcome() {
        let (name, arg) = if facts.kind().makes_descriptor() {
            ("fd", Arg::Fd(value))
        } else {
            ("res", Arg::Int(value))
        };
        push_pair(name, &arg, facts, out);
    }
    for (name, arg) in &facts.args().items {
        push_pair(name, arg, facts, out);
    }
}

fn push_pair(name: &str, arg: &Arg<'_>, facts: &dyn Facts, out: &mut Scratch) {
    if !out.is_empty() {
        out.push(b' ');
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    if let Arg::Fd(number) | Arg::Int(number) = arg {
        push_number(*number, out);
        let before = out.len();
        out.push(b'(');
        push_argument(name, arg, facts, false, out);
        out.push(b')');
        let shown = &out[before + 1..out.len() - 1];
        if shown.is_empty() || shown == number.to_string().as_bytes() {
            out.truncate(before);
        }
    } else {
        push_argument(name, arg, facts, false, out);
    }
}

/// Prints one argument: in words where there are words for it, unless `raw`.
pub(super) fn push_argument(
    name: &str,
    arg: &Arg<'_>,
    facts: &dyn Facts,
    raw: bool,
    out: &mut Scratch,
) {
    let before = out.len();
    match arg {
        Arg::Addr(address) => push(out, format_args!("{address}")),
        Arg::Bytes(bytes) => out.extend_from_slice(bytes),
        Arg::Enum(value) | Arg::Flags(value) => {
            let names = names_of(facts.kind(), name).filter(|_| !raw);
            if let Some(names) = names {
                push_names(names, *value, out);
            }
            let has_no_name = out.len() == before;
            if has_no_name && (names.is_none() || matches!(names, Some(Names::Numbers(_)))) {
                push(out, format_args!("{value}"));
            } else if has_no_name {
                out.push(b'0');
            }
        }
        Arg::Fd(number) if raw => push_number(*number, out),
        Arg::Fd(AT_FDCWD) => out.extend_from_slice(b"AT_FDCWD"),
        Arg::Fd(number) => match facts.fd().filter(|fd| fd.num == Some(*number)) {
            Some(fd) => {
                out.push(b'<');
                out.extend_from_slice(typechar(fd.kind));
                out.push(b'>');
                push_name(facts, fd, out);
            }
            None => push_number(*number, out),
        },
        Arg::Gid(gid) if raw => push(out, format_args!("{gid}")),
        Arg::Gid(gid) => push_group(facts, *gid, out),
        Arg::Int(value) if name == "res" && *value < 0 && !raw => {
            match crate::names::errno_name(value.unsigned_abs()) {
                Some(errno) => out.extend_from_slice(errno.as_bytes()),
                None => push_number(*value, out),
            }
        }
        Arg::Int(value) | Arg::Pid(value) => push_number(*value, out),
        Arg::Mode(mode) if raw => push(out, format_args!("{mode}")),
        Arg::Mode(mode) => {
            push_mode(*mode, out);
            if out.len() == before {
                out.push(b'0');
            }
        }
        Arg::Path {
            raw: path,
            absolute,
        } => {
            let shown = absolute.as_ref().filter(|_| !raw).unwrap_or(path);
            out.extend_from_slice(shown);
        }
        Arg::Uid(uid) if raw => push(out, format_args!("{uid}")),
        Arg::Uid(uid) => push_user(facts, *uid, out),
        Arg::Uint(value) => push(out, format_args!("{value}")),
        Arg::Vector(items) => push_joined(items, b'.', out),
    }
}

/// Prints strings with a separator between them. Falco separates `argv` and `envp` by dots.
pub(super) fn push_joined(items: &[Box<[u8]>], separator: u8, out: &mut Scratch) {
    for (number, item) in items.iter().enumerate() {
        if number > 0 {
            out.push(separator);
        }
        out.extend_from_slice(item);
    }
}

fn push_number(number: i64, out: &mut Scratch) {
    push(out, format_args!("{number}"));
}

/// Prints into memory, which cannot fail.
pub(super) fn push(out: &mut Scratch, arguments: std::fmt::Arguments<'_>) {
    out.write_fmt(arguments)
        .expect("writing to memory does not fail");
}
