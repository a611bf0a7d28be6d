//! What a megabyte costs before there is a rule: reading YAML, parsing a condition, loading rules.
//!
//! `cargo bench -p rules --bench load` prints milliseconds of CPU for each kind of text. None of
//! them may cost more than a second: whoever can write a rule file must not stop a workload.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::fmt::Write as _;
use std::hint::black_box;

use nix::time::{ClockId, clock_gettime};
use rules::{RuleSet, Source, parses};

const MEGABYTE: usize = 1 << 20;

fn main() {
    println!("{:<30} {:>9} {:>7}", "one megabyte of", "bytes", "ms");
    let words = repeat("proc.name = nginx or fd.name startswith /etc/ssl and ", "a");
    time("comparisons", &words, parses);
    let deep = "(".repeat(MEGABYTE);
    time("parentheses", &deep, parses);
    let not = repeat("not ", "a");
    time("`not`", &not, parses);
    let quoted = format!("proc.name = \"{}\"", "\\\\".repeat(MEGABYTE / 2));
    time("escapes in a string", &quoted, parses);

    let brackets = "[".repeat(MEGABYTE);
    time("YAML brackets", &brackets, load);
    let keys = numbered(|n, out| writeln!(out, "- list: l{n}\n  items: [a{n}, b{n}]"));
    time("YAML lists", &keys, load);
    let rules = numbered(|n, out| {
        writeln!(
            out,
            "- rule: rule {n}\n  desc: d\n  condition: evt.type in (openat, execve) and \
             proc.name = p{n} and not fd.name startswith /d{n}/\n  output: o %proc.name %fd.name\n  \
             priority: INFO"
        )
    });
    time("YAML rules", &rules, load);
    let items = repeat("abcdefgh, ", "z");
    let list = format!(
        "- list: big\n  items: [{items}]\n- rule: r\n  desc: d\n  condition: evt.type = openat and \
         proc.name in (big)\n  output: o\n  priority: INFO\n"
    );
    time("items of one list", &list, load);
    let nested = numbered(|n, out| {
        let before = n.saturating_sub(1);
        writeln!(
            out,
            "- macro: m{n}\n  condition: (m{before} or proc.name = x{n})"
        )
    });
    let nested = format!("- macro: m0\n  condition: proc.name = x\n{nested}");
    time("macros in macros", &nested, load);
}

/// A part again and again, and an end.
fn repeat(part: &str, end: &str) -> String {
    part.repeat(MEGABYTE / part.len()) + end
}

/// Entries until there is a megabyte.
fn numbered(entry: impl Fn(usize, &mut String) -> std::fmt::Result) -> String {
    let mut out = String::new();
    for number in 1.. {
        if out.len() >= MEGABYTE {
            break;
        }
        entry(number, &mut out).expect("writing to memory does not fail");
    }
    out
}

fn load(text: &str) -> bool {
    let source = Source {
        name: "bench.yaml".to_owned(),
        text: text.to_owned(),
    };
    RuleSet::load(&[source]).is_ok()
}

fn time(what: &str, text: &str, run: impl FnOnce(&str) -> bool) {
    let before = thread_time();
    let is_taken = black_box(run(text));
    let milliseconds = thread_time() - before;
    let word = if is_taken { "taken" } else { "refused" };
    println!("{what:<30} {:>9} {milliseconds:>7}  {word}", text.len());
}

/// Milliseconds of this thread's CPU time.
fn thread_time() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock is there");
    now.tv_sec() * 1000 + now.tv_nsec() / 1_000_000
}
