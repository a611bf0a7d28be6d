//! Any event, and any condition on it: a verdict that the exit does not contradict.
#![no_main]

use event::Event;
use libfuzzer_sys::fuzz_target;
use rules::{RuleId, RuleSet, Source, Verdict, default_rules};

fn said(set: &mut RuleSet, event: &Event) -> Option<Vec<RuleId>> {
    match set.evaluate(event) {
        Verdict::Match(matches) => Some(matches.collect()),
        Verdict::No => Some(Vec::new()),
        Verdict::Undecided => None,
    }
}

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (condition, line) = text.split_once('\n').unwrap_or(("", &text));
    let Ok(event) = Event::from_json(line) else {
        return;
    };
    let mut sources = default_rules();
    let quoted = condition.replace('\'', "''");
    let own = format!(
        "- rule: fuzz\n  desc: d\n  condition: '{quoted}'\n  output: '%evt.args %fd.name'\n  \
         priority: INFO\n"
    );
    sources.push(Source {
        name: "fuzz.yaml".to_owned(),
        text: own,
    });
    let mut set = match RuleSet::load(&sources) {
        Ok(set) => set,
        Err(_) => RuleSet::load(&default_rules()).expect("the default rules load"),
    };
    let at_exit = said(&mut set, &event);
    for alert in set.alerts(&event, "host") {
        assert!(alert.to_json().starts_with('{'));
    }
    if event.outcome != event::Outcome::Pending {
        assert!(at_exit.is_some());
        if let Some(at_entry) = said(&mut set, &event.at_entry()) {
            assert_eq!(Some(at_entry), at_exit);
        }
    }
});
