//! All upstream rules load, and ask for what the reference says.

use event::EventType;
use rules::RuleSet;

use crate::shared_data::{FILES, rule_file, rule_files};

#[test]
fn every_upstream_file_loads() {
    let mut total = 0;
    for (name, rules, enabled) in [(FILES[0], 25, 25), (FILES[1], 31, 31), (FILES[2], 37, 25)] {
        let Some(source) = rule_file("every_upstream_file_loads", name) else {
            return;
        };
        let set = RuleSet::load(&[source]).unwrap_or_else(|d| panic!("{d}"));
        println!(
            "{name}: {} rules, {} enabled, {} doubts",
            set.rules().count(),
            set.enabled(),
            set.warnings().iter().count()
        );
        assert_eq!(
            (set.rules().count(), set.enabled()),
            (rules, enabled),
            "{name}"
        );
        total += rules;
    }
    assert_eq!(total, 93);
}

#[test]
fn thirteen_types_of_events_need_their_result() {
    let Some(sources) = rule_files("thirteen_types_of_events_need_their_result") else {
        return;
    };
    let set = RuleSet::load(&sources).unwrap_or_else(|d| panic!("{d}"));
    let kinds = set.events();
    let open: Vec<&str> = kinds
        .iter()
        .filter(|kind| set.needs_result(*kind))
        .map(EventType::as_str)
        .collect();
    println!(
        "{} types of events, {} need their result: {open:?}",
        kinds.len(),
        open.len()
    );
}
