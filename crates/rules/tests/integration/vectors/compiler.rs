//! `filter_compiler.jsonl`: types of fields and operators, and how conditions evaluate.

use std::collections::BTreeMap;

use event::{Event, EventType, Outcome, Process};
use rules::{RuleSet, Verdict};
use serde::Deserialize;

use super::{Score, rule, vectors};

#[derive(Deserialize)]
struct Case {
    kind: String,
    filter: String,
    args: Vec<String>,
}

/// Upstream's cases use fields that answer always the same; here they are fields of an event that
/// has those answers.
fn with_real_fields(filter: &str) -> String {
    [
        ("c.true", "proc.name"),
        ("c.false", "proc.pname"),
        ("c.singlequote", "proc.exe"),
        ("c.doublequote", "proc.pexe"),
        ("c.buffer", "evt.buffer"),
    ]
    .iter()
    .fold(filter.to_owned(), |text, (from, to)| text.replace(from, to))
}

fn event() -> Event {
    let process = |comm: &str, exe: &str| Process {
        comm: comm.as_bytes().into(),
        exe: exe.as_bytes().into(),
        ..Process::default()
    };
    Event {
        kind: EventType::Openat,
        num: 1,
        time: 1,
        outcome: Outcome::Returned(0),
        tid: 1,
        processes: vec![
            process("1", "hello 'quoted'"),
            process("0", "hello \"quoted\""),
        ],
        args: event::Args::default(),
        fd: None,
        users: BTreeMap::new(),
        groups: BTreeMap::new(),
        local_addresses: Vec::new(),
        task: event::Task::default(),
    }
}

#[test]
fn conditions_compile_and_evaluate_as_upstreams_do() {
    let name = "conditions_compile_and_evaluate_as_upstreams_do";
    let Some(cases) = vectors::<Case>(name, "filter_compiler") else {
        return;
    };
    let mut score = Score::default();
    for case in cases {
        let loaded = RuleSet::load(&[rule(&with_real_fields(&case.filter))]);
        // For `run`, the argument is the verdict; for `compile`, whether it must fail.
        let wanted = case.args.first().is_some_and(|arg| arg == "true");
        let passed = match (case.kind.as_str(), loaded) {
            ("compile", loaded) => loaded.is_err() == wanted,
            (_, Err(_)) => false,
            (_, Ok(mut set)) => {
                let verdict = set.evaluate(&event());
                matches!(verdict, Verdict::Match(_)) == wanted
            }
        };
        score.add(passed, || {
            format!("{} `{}` {:?}", case.kind, case.filter, case.args)
        });
    }
    score.finish("filter_compiler", 95);
}
