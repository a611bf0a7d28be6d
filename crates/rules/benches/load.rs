//! What loading costs: the rules that there are, and a megabyte of whatever somebody may write.
//!
//! `cargo bench -p rules --bench load` first prints what the default rules and upstream's cost:
//! microseconds of CPU, allocations, and pages that the first load of the process touches. A
//! container's start waits for that. Then it prints milliseconds of CPU for each kind of text. None
//! of them may cost more than a second: whoever can write a rule file must not stop a workload.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::fmt::Write as _;
use std::hint::black_box;

use nix::time::{ClockId, clock_gettime};
use rules::{RuleSet, Source, default_rules, parses};

#[path = "../tests/integration/shared_data.rs"]
mod shared_data;

const MEGABYTE: usize = 1 << 20;

/// Loads of each set of rules; the median counts.
const LOADS: usize = 201;

fn main() {
    println!(
        "{:<30} {:>9} {:>7} {:>7} {:>12} {:>6}",
        "loading", "bytes", "µs", "least", "allocations", "pages"
    );
    cost("default rules", &default_rules());
    if let Some(all) = shared_data::rule_files("bench") {
        cost("stable upstream rules", &all[..1]);
        cost("all upstream rules", &all);
    }
    println!();
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

/// What loading these costs, at first and again and again.
fn cost(what: &str, sources: &[Source]) {
    let load = || drop(black_box(RuleSet::load(black_box(sources))));
    let before = page_faults();
    load();
    let pages = page_faults() - before;
    let allocations = allocation_counter::measure(load).count_total;
    let mut times: Vec<i64> = std::iter::repeat_with(|| {
        let before = thread_time();
        load();
        (thread_time() - before) / 1000
    })
    .take(LOADS)
    .collect();
    times.sort_unstable();
    let bytes: usize = sources.iter().map(|source| source.text.len()).sum();
    let (median, least) = (times[LOADS / 2], times[0]);
    println!("{what:<30} {bytes:>9} {median:>7} {least:>7} {allocations:>12} {pages:>6}");
}

/// How many pages the process has touched for the first time.
fn page_faults() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit(')').next().unwrap_or_default();
    let faults = behind_name.split_whitespace().nth(7);
    faults.and_then(|text| text.parse().ok()).unwrap_or(0)
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
    let milliseconds = (thread_time() - before) / 1_000_000;
    let word = if is_taken { "taken" } else { "refused" };
    println!("{what:<30} {:>9} {milliseconds:>7}  {word}", text.len());
}

/// Nanoseconds of this thread's CPU time.
fn thread_time() -> i64 {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock is there");
    now.tv_sec() * 1_000_000_000 + now.tv_nsec()
}
