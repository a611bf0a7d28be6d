//! What the rules cost per event: the engine against the plain evaluator, in the same run.
//!
//! `cargo bench -p rules` replays recorded events and prints nanoseconds of thread CPU time per
//! event and type, with all of upstream's rules, with the stable ones, and with the default rules.
//! The events match nothing or little: the steady state of a server. Times are those of the
//! machine; the ratios are what counts.
#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::collections::BTreeMap;
use std::hint::black_box;

use event::{Event, EventType, Task};
use nix::time::{ClockId, clock_gettime};
use rules::{RuleSet, Source, Verdict, default_rules};

mod naive;

use naive::{Answer, Tree};

#[path = "../../tests/integration/shared_data.rs"]
mod shared_data;

/// The events, recorded with `instrument --events` while programs were compiled, files were found
/// and moved, and a server was asked over loopback.
const EVENTS: &str = include_str!("events.jsonl");

/// Runs per event; the least of the rounds counts.
const REPEATS: u32 = 40;
const ROUNDS: usize = 5;

/// Nanoseconds per event that the design allows, with all upstream rules.
const BUDGETS: [(EventType, f64); 3] = [
    (EventType::Openat, 500.0),
    (EventType::Execve, 1000.0),
    (EventType::Connect, 300.0),
];

fn main() {
    let events = events();
    let quick = std::env::args().any(|arg| arg == "--quick" || arg == "--test");
    let rounds = if quick { 1 } else { ROUNDS };
    if let Some(all) = shared_data::rule_files("bench") {
        table("all upstream rules", &all, &events, rounds);
        table("stable upstream rules", &all[..1], &events, rounds);
    }
    table("default rules", &default_rules(), &events, rounds);
}

fn events() -> Vec<Event> {
    let task = Task {
        container_id: Some("0f9c1d2e3a4b5c6d7e8f9a0b1c2d3e4f-2495160603".to_owned()),
        container_name: Some("web".to_owned()),
        image: Some("registry.example/shop/web:1.4".to_owned()),
        mounts: vec!["/opt/draios:/opt/draios:ro:false:rprivate".to_owned()],
        ..Task::default()
    };
    let read = |line: &str| Event::from_json(line).expect("the recording is readable");
    EVENTS
        .lines()
        .map(|line| Event {
            task: task.clone(),
            local_addresses: vec![[127, 0, 0, 1].into(), [10, 0, 3, 17].into()],
            ..read(line)
        })
        .collect()
}

/// A rule as the plain evaluator sees it.
struct Plain {
    tree: Tree,
    kinds: event::EventTypeSet,
}

fn table(title: &str, sources: &[Source], events: &[Event], rounds: usize) {
    let mut set = RuleSet::load(sources).expect("the rules load");
    let plain: Vec<Plain> = set
        .rules()
        .filter(|id| set.info(*id).is_enabled)
        .map(|id| Plain {
            tree: Tree::read(&set.condition(id)),
            kinds: set.info(id).events,
        })
        .collect();
    let mut by_kind: BTreeMap<EventType, Vec<&Event>> = BTreeMap::new();
    for event in events
        .iter()
        .filter(|event| set.events().contains(event.kind))
    {
        by_kind.entry(event.kind).or_default().push(event);
    }
    println!("\n{title}: {} enabled", set.enabled());
    println!(
        "{:<12} {:>6} {:>6} {:>7} {:>12} {:>12} {:>7}  budget",
        "event", "events", "rules", "alerts", "engine ns", "plain ns", "ratio"
    );
    for (kind, events) in by_kind {
        let rules: Vec<&Plain> = plain.iter().filter(|p| p.kinds.contains(kind)).collect();
        let alerts = events
            .iter()
            .filter(|event| matches!(set.evaluate(**event), Verdict::Match(_)))
            .count();
        let engine = cpu_per_event(&events, rounds, |event| {
            black_box(matches!(set.evaluate(event), Verdict::Match(_)));
        });
        let naive = cpu_per_event(&events, rounds, |event| {
            let found = rules.iter().any(|rule| rule.tree.ask(event) == Answer::Yes);
            black_box(found);
        });
        let budget = BUDGETS
            .iter()
            .find(|(known, _)| *known == kind && title.starts_with("all"));
        let budget = budget.map_or(String::new(), |(_, most)| {
            let word = if engine <= *most { "within" } else { "OVER" };
            format!("{word} {most:.0} ns")
        });
        println!(
            "{:<12} {:>6} {:>6} {:>7} {:>12.0} {:>12.0} {:>6.1}x  {budget}",
            kind.as_str(),
            events.len(),
            rules.len(),
            alerts,
            engine,
            naive,
            naive / engine
        );
    }
}

/// Nanoseconds of thread CPU time per event: the least of some rounds.
fn cpu_per_event(events: &[&Event], rounds: usize, mut run: impl FnMut(&Event)) -> f64 {
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let before = thread_time();
        for _ in 0..REPEATS {
            for event in events {
                run(black_box(event));
            }
        }
        let runs = f64::from(REPEATS) * f64::from(u32::try_from(events.len()).unwrap_or(u32::MAX));
        least = least.min((thread_time() - before) / runs);
    }
    least
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of a bench fit")]
fn thread_time() -> f64 {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("the clock is there");
    now.tv_sec() as f64 * 1e9 + now.tv_nsec() as f64
}
