//! The table as a page for people: `docs/syscalls.md`.

use std::fmt::Write as _;

use sys::Abi;

use super::{Condition, FdOf, Guard, Row, rows};

const HEAD: &str = "\
# System calls that the tracer knows

This page is made from the table in `instrument/src/table/` by
`cargo run -p instrument --example syscalls > docs/syscalls.md`; a test fails when the two differ.

A call stops the workload only if a rule in force asks for its event (or `--events` is given), or if
the tracer guards it for its own sake; `execve` stops only with `--events`, which tells failed ones
too, because the kernel reports those that succeed by itself. *When* is tested by the seccomp filter before anybody stops;
empty means each time, but for `open` and `openat` of directories to be listed, which pass where no rule in force can match
them. *Result* says whether rules can depend on what the call returns: only then,
and only while they are undecided, the thread stops a second time at the exit of the call. A file that
is opened and matched is followed to the exit as well, to name what was really opened.

Numbers are those of x86-64 / i386 / aarch64. x32 has those of x86-64 but where it says otherwise.

";

/// The page.
pub fn page() -> String {
    let mut text = HEAD.to_owned();
    text.push_str("| call | event | numbers | arguments | when | guarded | result | why |\n");
    text.push_str("|---|---|---|---|---|---|---|---|\n");
    for (_, row) in rows() {
        line(row, &mut text);
    }
    text
}

fn line(row: &Row, out: &mut String) {
    let event = row.event.map_or("", event::EventType::as_str);
    let arguments: Vec<&str> = row.params.iter().map(|param| param.name).collect();
    let result = match (row.result, row.fd) {
        (true, _) => "if undecided",
        (false, FdOf::Made(_)) => "with `--events`",
        (false, _) => "",
    };
    let written = writeln!(
        out,
        "| `{}` | {event} | {} | {} | {} | {} | {result} | {} |",
        row.call,
        numbers(row),
        arguments.join(", "),
        when(row),
        guard(row.guard),
        row.why,
    );
    debug_assert!(written.is_ok(), "writing to a string does not fail");
}

fn numbers(row: &Row) -> String {
    let of = |abi: Abi| {
        let numbers: Vec<String> = row.numbers.under(abi).map(|n| n.to_string()).collect();
        if numbers.is_empty() {
            "–".to_owned()
        } else {
            numbers.join(", ")
        }
    };
    let plain = [Abi::X86_64, Abi::I386, Abi::Aarch64].map(of).join(" / ");
    let x32 = of(Abi::X32);
    if x32 == of(Abi::X86_64) {
        plain
    } else {
        format!("{plain} (x32 {x32})")
    }
}

fn when(row: &Row) -> String {
    let groups: Vec<String> = row
        .when
        .iter()
        .map(|group| {
            let conditions: Vec<String> = group.iter().copied().map(condition).collect();
            conditions.join(" and ")
        })
        .collect();
    groups.join(", or ")
}

fn condition(condition: Condition) -> String {
    match condition {
        Condition::AnyBit(at, bits) => format!("argument {at} has any of {bits:#x}"),
        Condition::AtMost(at, most) => format!("argument {at} ≤ {most}"),
        Condition::Is(at, value) => format!("argument {at} = {value}"),
        Condition::NoBit(at, bits) => format!("argument {at} has none of {bits:#x}"),
        Condition::NonNull(at) => format!("argument {at} is not null"),
    }
}

fn guard(guard: Guard) -> String {
    match guard {
        Guard::Always => "always".to_owned(),
        Guard::AnyBit(at, bits) => format!("argument {at} has any of {bits:#x}"),
        Guard::EitherTracer(one, other) => format!("argument {one} or {other} is the tracer"),
        Guard::Never => String::new(),
        Guard::OneOf(at, values) => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:#x}")).collect();
            format!("argument {at} is one of {}", values.join(", "))
        }
        Guard::Tracer(at) => format!("argument {at} is the tracer"),
        Guard::TracerOrAll(at) => format!("argument {at} is the tracer, its group, or -1"),
        Guard::TracerOrUser(at, user) => {
            format!("argument {at} is the tracer, or argument 0 is {user}: its user")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_docs_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/syscalls.md");
        let written = std::fs::read_to_string(path).unwrap();
        assert!(
            written == page(),
            "docs/syscalls.md is out of date: cargo run -p instrument --example syscalls > docs/syscalls.md"
        );
    }
}
