//! Costs that can be counted: no allocation while no rule matches, and work in proportion to the
//! size of a file.

use event::{Event, EventType, EventTypeSet, Task};
use rules::{RuleSet, Source, Verdict, default_rules};

use crate::shared_data::rule_files;

const EVENTS: &str = include_str!("../../benches/evaluate/events.jsonl");

fn events() -> Vec<Event> {
    let task = Task {
        container_id: Some("0f9c1d2e3a4b5c6d7e8f9a0b1c2d3e4f".to_owned()),
        image: Some("registry.example/shop/web:1.4".to_owned()),
        ..Task::default()
    };
    let read = |line| Event {
        task: task.clone(),
        ..Event::from_json(line).unwrap()
    };
    EVENTS.lines().map(read).collect()
}

/// Evaluates the recording and counts what a verdict of "no" allocates, once an event of each type
/// has been seen.
fn allocations_without_a_match(sources: &[Source]) -> (usize, u64) {
    let mut set = RuleSet::load(sources).unwrap();
    let mut seen = EventTypeSet::EMPTY;
    for event in events() {
        if !seen.contains(event.kind) {
            seen.insert(event.kind);
            set.evaluate(&event);
        }
    }
    let (mut quiet, mut allocated) = (0, 0);
    for event in events()
        .iter()
        .flat_map(|event| [event.clone(), event.at_entry()])
    {
        let mut matched = false;
        let info = allocation_counter::measure(|| {
            matched = matches!(set.evaluate(&event), Verdict::Match(_));
        });
        if !matched {
            quiet += 1;
            allocated += info.count_total;
        }
    }
    (quiet, allocated)
}

#[test]
fn nothing_is_allocated_while_no_default_rule_matches() {
    let (quiet, allocated) = allocations_without_a_match(&default_rules());
    assert!(
        quiet > 1000,
        "most of the recording matches nothing: {quiet}"
    );
    assert_eq!(allocated, 0);
}

#[test]
fn nothing_is_allocated_while_no_upstream_rule_matches() {
    let Some(sources) = rule_files("nothing_is_allocated_while_no_upstream_rule_matches") else {
        return;
    };
    let (quiet, allocated) = allocations_without_a_match(&sources);
    assert!(
        quiet > 1000,
        "most of the recording matches nothing: {quiet}"
    );
    assert_eq!(allocated, 0);
}

#[test]
fn loading_the_default_rules_takes_few_allocations() {
    let sources = default_rules();
    let load = || drop(RuleSet::load(&sources));
    let allocated = allocation_counter::measure(load).count_total;
    // A container's start waits for it.
    assert!(allocated < 8000, "{allocated}");
}

/// Loads a file and counts the allocations, which stand for steps.
fn work(text: String) -> u64 {
    let source = Source {
        name: "large.yaml".to_owned(),
        text,
    };
    let sources = [source];
    allocation_counter::measure(|| drop(RuleSet::load(&sources))).count_total
}

#[test]
fn loading_takes_work_in_proportion_to_the_size_of_the_file() {
    let rule = |n: usize, condition: &str| {
        format!(
            "- rule: r{n}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n"
        )
    };
    let shapes: [(&str, &dyn Fn(usize) -> String); 6] = [
        ("many rules", &|n| {
            (0..n)
                .map(|n| rule(n, "evt.type = open and fd.name = /x"))
                .collect()
        }),
        ("many rules with one large list", &|n| {
            let items: Vec<String> = (0..n).map(|n| format!("item{n}")).collect();
            let list = format!("- list: l\n  items: [{}]\n", items.join(", "));
            list + &(0..20)
                .map(|n| rule(n, "evt.type = open and proc.name in (l)"))
                .collect::<String>()
        }),
        ("one long condition", &|n| {
            let checks: Vec<String> = (0..n).map(|n| format!("fd.name = /x{n}")).collect();
            rule(0, &format!("evt.type = open and ({})", checks.join(" or ")))
        }),
        ("a chain of macros", &|n| {
            let mut text = "- macro: m0\n  condition: evt.type = open\n".to_owned();
            for n in 1..n {
                let line = format!(
                    "- macro: m{n}\n  condition: not (m{} and proc.name = a{n}) or m{}\n",
                    n - 1,
                    n - 1
                );
                text.push_str(&line);
            }
            text + &rule(0, &format!("m{}", n - 1))
        }),
        ("many mistakes", &|n| {
            (0..n).map(|n| rule(n, "evt.tpye = open")).collect()
        }),
        ("brackets", &|n| rule(0, &"(".repeat(n * 10))),
    ];
    for (shape, text) in shapes {
        let (small, large) = (work(text(100)), work(text(800)));
        println!("{shape}: {small} and {large} allocations for eight times the size");
        assert!(
            large <= small.max(100) * 12,
            "{shape}: {small} became {large}"
        );
    }
}

#[test]
fn every_recorded_type_of_event_has_rules_upstream() {
    // The recording must not go stale: it holds the types that matter for speed.
    let events = events();
    for kind in [EventType::Openat, EventType::Execve, EventType::Connect] {
        assert!(events.iter().filter(|event| event.kind == kind).count() >= 50);
    }
}
